/* SPDX-License-Identifier: MIT */
/* From what a user wrote to a backend, or to a sentence. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io_own.h"

void tmtu_io_why(char *why, const char *format, ...)
{
    if (why == NULL)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(why, TMTU_IO_WHY, format, args);
    va_end(args);
}

/* "IN:OUT": a name that holds a colon cannot be written here. */
static struct tmtu_io *open_pcap(const char *names, char *why)
{
    char in[4096];
    const char *colon = strchr(names, ':');
    if (colon == NULL || colon == names || colon[1] == '\0' ||
        strchr(colon + 1, ':') != NULL) {
        tmtu_io_why(why,
                    "pcap:%.100s: two file names without colons are needed, "
                    "pcap:IN.pcap:OUT.pcap",
                    names);
        return NULL;
    }
    const size_t n = (size_t)(colon - names);
    if (n >= sizeof in) {
        tmtu_io_why(why, "pcap:%.100s...: the file name is too long", names);
        return NULL;
    }
    memcpy(in, names, n);
    in[n] = '\0';
    return tmtu_io_pcap(in, colon + 1, why);
}

struct tmtu_io *tmtu_io_open(const char *spec, char *why)
{
    if (strncmp(spec, "tun:", 4) == 0)
        return tmtu_io_tun(spec + 4, why);
    if (strncmp(spec, "afpacket:", 9) == 0)
        return tmtu_io_afpacket(spec + 9, why);
    if (strncmp(spec, "pcap:", 5) == 0)
        return open_pcap(spec + 5, why);
    tmtu_io_why(why,
                "%.100s: not one of tun:NAME, afpacket:IFNAME and "
                "pcap:IN.pcap:OUT.pcap",
                spec);
    return NULL;
}

unsigned tmtu_io_queues(const char *spec)
{
    struct tmtu_io_link link;
    const char *colon = strchr(spec, ':');
    if (strncmp(spec, "pcap:", 5) == 0)
        return 1;
    if (colon == NULL || tmtu_io_link_name(&link, colon + 1, NULL) != 0)
        return 0;
    return link.queues;
}

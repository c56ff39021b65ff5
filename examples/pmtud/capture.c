/* SPDX-License-Identifier: MIT */
/* Capture files in place of an interface. */
#define _GNU_SOURCE
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

enum { ETHER = 14, TAG = 4, SNAPLEN = 262144, NAME = 4096 };

static bool fail(struct capture *c, const char *name, const char *what)
{
    snprintf(c->why, sizeof c->why, "%.100s: %.120s", name, what);
    return false;
}

static bool open_in(struct capture *c, const char *name)
{
    char text[PCAP_ERRBUF_SIZE];
    c->in = pcap_open_offline_with_tstamp_precision(
        name, PCAP_TSTAMP_PRECISION_NANO, text);
    if (c->in == NULL)
        return fail(c, name, text);
    if (pcap_datalink(c->in) != DLT_EN10MB)
        return fail(c, name, "expected a capture with Ethernet headers");
    return true;
}

bool capture_open(struct capture *c, const char *names)
{
    char in[NAME];
    const char *colon = strchr(names, ':');
    memset(c, 0, sizeof *c);
    if (colon == NULL || colon == names || colon[1] == '\0' ||
        strchr(colon + 1, ':') != NULL || (size_t)(colon - names) >= sizeof in)
        return fail(c, names,
                    "expected two file names without colons, IN.pcap:OUT.pcap");
    memcpy(in, names, (size_t)(colon - names));
    in[colon - names] = '\0';
    if (strcmp(in, colon + 1) == 0)
        return fail(c, in, "input and output are the same file");
    if (!open_in(c, in))
        return false;
    c->form = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN,
                                                   PCAP_TSTAMP_PRECISION_NANO);
    if (c->form == NULL)
        return fail(c, colon + 1, "there is no memory");
    c->out = pcap_dump_open(c->form, colon + 1);
    return c->out != NULL || fail(c, colon + 1, pcap_geterr(c->form));
}

int capture_close(struct capture *c)
{
    int rc = 0;
    if (c->out != NULL &&
        (pcap_dump_flush(c->out) != 0 || ferror(pcap_dump_file(c->out)))) {
        fail(c, "output", strerror(errno));
        rc = -1;
    }
    if (c->out != NULL)
        pcap_dump_close(c->out);
    if (c->form != NULL)
        pcap_close(c->form);
    if (c->in != NULL)
        pcap_close(c->in);
    c->out = NULL;
    c->form = c->in = NULL;
    return rc;
}

/* What an interface would have told of the frame. False: it is not IP. */
static bool take(const uint8_t *p, size_t n, struct pmtud_in *in)
{
    size_t head = ETHER;
    memset(in, 0, sizeof *in);
    if (n < head)
        return false;
    memcpy(in->to, p, 6);
    memcpy(in->from, p + 6, 6);
    in->flags = PMTUD_LINK | (p[0] & 1 ? PMTUD_GROUP : 0u);
    unsigned type = tmtu_get16(p + 12);
    while ((type == 0x8100 || type == 0x88a8) && n >= head + TAG) {
        if ((tmtu_get16(p + head) & 0xfff) != 0)
            in->flags |= PMTUD_VLAN;
        type = tmtu_get16(p + head + 2);
        head += TAG;
    }
    in->p = p + head;
    in->n = n - head;
    return type == 0x0800 || type == 0x86dd;
}

int capture_next(struct capture *c, struct pmtud_in *in, uint64_t *time)
{
    struct pcap_pkthdr *h;
    const u_char *p;
    for (;;) {
        const int rc = pcap_next_ex(c->in, &h, &p);
        if (rc == PCAP_ERROR) {
            fail(c, "input", pcap_geterr(c->in));
            return -1;
        }
        if (rc != 1)
            return 0;
        if (take(p, h->caplen, in))
            break;
        c->skipped++;
    }
    c->received++;
    *time = (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec;
    return 1;
}

void capture_send(struct capture *c, const struct pmtud_out *out, uint64_t time)
{
    static uint8_t bytes[ETHER + 65535];
    const size_t head = out->frame ? 0 : ETHER;
    struct pcap_pkthdr h = {.caplen = (bpf_u_int32)(head + out->n)};
    h.len = h.caplen;
    h.ts.tv_sec = (time_t)(time / 1000000000u);
    h.ts.tv_usec = (suseconds_t)(time % 1000000000u);
    if (head + out->n > sizeof bytes)
        return;
    memset(bytes, 0, head);
    memcpy(bytes + head, out->p, out->n);
    if (!out->frame)
        tmtu_put16(bytes + 12, out->p[0] >> 4 == 4 ? 0x0800 : 0x86dd);
    pcap_dump((u_char *)c->out, &h, bytes);
    c->sent++;
}

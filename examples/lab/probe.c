/* SPDX-License-Identifier: MIT */
/* tunmtu-probe: both ends of the lab's TCP connections. */
#include "probe.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: tunmtu-probe serve [--rate N] ADDRESS PORT\n"
    "       tunmtu-probe stall [--connections N] [--hold] [--timeout S]\n"
    "                          ADDRESS PORT\n"
    "       tunmtu-probe transfer [--bytes N] [--timeout S] ADDRESS PORT\n"
    "       tunmtu-probe upload [--bytes N] [--timeline FILE] [--timeout S]\n"
    "                           ADDRESS PORT\n"
    "       tunmtu-probe fetch [--connections N] [--bytes N] [--from A]...\n"
    "                          [--hold] [--timeout S] ADDRESS PORT\n"
    "       tunmtu-probe busy [--connections N] [--timeout S] ADDRESS PORT\n"
    "\n"
    "serve     answers the others, until it is stopped; sends no more than N\n"
    "          bytes a second on each connection\n"
    "stall     opens N connections (32), says a few bytes on each, then sends\n"
    "          exactly one full-size segment on each, one connection after\n"
    "          the other, and measures how long the server's answer takes;\n"
    "          with --hold, it has sent one on each before, says `held`, and\n"
    "          goes on when SIGUSR1 comes\n"
    "transfer  sends N bytes (100000000), receives as many, and compares the\n"
    "          checksums of both ends\n"
    "upload    sends N bytes, compares the checksums, and tells the longest\n"
    "          time in which nothing got there; FILE receives lines of\n"
    "          CLOCK_MONOTONIC in microseconds and the bytes there by then\n"
    "fetch     opens N connections (32), receives N bytes on each, compares\n"
    "          the checksums, and tells for how long nothing came, or that it\n"
    "          never did; connections come from each A in turn, then from the\n"
    "          addresses that follow; with --hold, again and again until\n"
    "          SIGTERM, and each SIGUSR1 ends a phase of which this is told\n"
    "          (1.max_us, 2.max_us, ...)\n"
    "busy      opens N connections (32), has a few bytes answered on each\n"
    "          five times a second until SIGTERM, and tells at each SIGUSR1\n"
    "          how many have broken since (0.broken, 1.broken, ...) and opens\n"
    "          those again; at SIGUSR2 it ends all and opens them again\n"
    "\n"
    "Results are lines `name value` on standard output. Whatever waits longer\n"
    "than S seconds (10) has failed: one sentence on standard error, exit 1.\n";

_Noreturn void probe_fail(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("tunmtu-probe: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static _Noreturn void misused(const char *what)
{
    fprintf(stderr, "tunmtu-probe: %s; see tunmtu-probe --help\n", what);
    exit(2);
}

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;
    unsigned long long n = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < least || n > most)
        misused("that number is out of range");
    return n;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"bytes", required_argument, NULL, 'b'},
        {"connections", required_argument, NULL, 'c'},
        {"from", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"hold", no_argument, NULL, 'H'},
        {"rate", required_argument, NULL, 'r'},
        {"timeline", required_argument, NULL, 'l'},
        {"timeout", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    struct probe_options options = {
        .connections = 32, .timeout_s = 10, .bytes = 100000000};
    const char *mode;
    int c;

    while ((c = getopt_long(argc, argv, "b:c:ht:", longs, NULL)) != -1) {
        switch (c) {
        case 'b':
            options.bytes = number(optarg, 1, UINT64_C(1) << 40);
            break;
        case 'c': /* the first is told apart, the rest have a median */
            options.connections =
                (unsigned)number(optarg, 2, PROBE_CONNECTIONS);
            break;
        case 't':
            options.timeout_s = (unsigned)number(optarg, 1, 3600);
            break;
        case 'H':
            options.hold = 1;
            break;
        case 'f':
            if (options.froms == PROBE_FROMS)
                misused("too many --from");
            options.from[options.froms++] = optarg;
            break;
        case 'r':
            options.rate = number(optarg, 1, UINT32_MAX);
            break;
        case 'l':
            options.timeline = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            misused("unknown option");
        }
    }
    if (argc - optind != 3)
        misused("a mode, an address and a port are needed");
    mode = argv[optind];
    options.address = argv[optind + 1];
    options.port = argv[optind + 2];
    signal(SIGPIPE, SIG_IGN);

    if (strcmp(mode, "serve") == 0)
        probe_serve(&options);
    else if (strcmp(mode, "stall") == 0)
        probe_stall(&options);
    else if (strcmp(mode, "transfer") == 0)
        probe_transfer(&options);
    else if (strcmp(mode, "upload") == 0)
        probe_upload(&options);
    else if (strcmp(mode, "fetch") == 0)
        probe_fetch(&options);
    else if (strcmp(mode, "busy") == 0)
        probe_busy(&options);
    else
        misused("the mode is none of serve, stall, transfer, upload, fetch, "
                "busy");
    return 0;
}

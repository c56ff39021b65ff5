/* SPDX-License-Identifier: MIT */
/* tunmtu-hop: a router between two links, one of which shrinks on demand. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "burst.h"
#include "counters.h"
#include "hop.h"

static const char usage[] =
    "usage: tunmtu-hop --near IO --far IO --address ADDR [--address ADDR]\n"
    "                  [--mtu N] [--then N] [--after BYTES]\n"
    "                  [--quote4 N] [--quote6 N] [--counters FILE]\n"
    "\n"
    "Forwards what comes in on one side to the other. What goes to the far\n"
    "side and does not fit is cut (IPv4 without DF), or dropped and answered.\n"
    "\n"
    "  --near IO        tun:NAME, afpacket:IFNAME or pcap:IN.pcap:OUT.pcap\n"
    "  --far IO         the same; the link that shrinks\n"
    "  --address ADDR   from which it answers; one IPv4, one IPv6 or both:\n"
    "                   other families are not forwarded\n"
    "  --mtu N          of the far link, in bytes (default: the interface's)\n"
    "  --then N         what SIGUSR1 makes of it, and the next one back again\n"
    "  --after BYTES    it becomes that by itself, after so many bytes\n"
    "  --quote4 N       bytes of an IPv4 packet that an answer quotes: 28 to\n"
    "                   548 (default: 548)\n"
    "  --quote6 N       bytes of an IPv6 packet: 48 to 1232 (default: 1232)\n"
    "  --counters FILE  where they are written at the end (default: standard\n"
    "                   error)\n"
    "\n"
    "On standard output a line for each change of the MTU and each packet\n"
    "that is too big, with microseconds of CLOCK_MONOTONIC in front.\n";

enum { NEAR, FAR };

struct program {
    struct hop hop;
    const char *spec[2], *counters;
    uint32_t mtu, then, after; /* of the far link; bytes that are left */
    struct tmtu_io *io[2];
    struct signals signals;
    struct burst in, out[2]; /* by the side they leave on */
    uint64_t now;
    uint64_t fragments;
    bool said; /* that an interface is down */
};

#define wrong(what) args_wrong("tunmtu-hop", "%s", what)

static int option(struct program *p, int c, const char *arg)
{
    uint32_t n = 0;
    uint8_t addr[16];
    switch (c) {
    case 'n':
    case 'f':
        p->spec[c == 'f'] = arg;
        return -1;
    case 'c':
        p->counters = arg;
        return -1;
    case 'a':
        if (!args_addr(arg, addr) || !tmtu_addr_is_host(addr))
            return wrong("--address: expected an address of this host");
        tmtu_copy(p->hop.address[!tmtu_addr_is4(addr)], addr, 16);
        p->hop.has[!tmtu_addr_is4(addr)] = true;
        return -1;
    case 'm':
    case 't':
        if (!args_number(arg, 68, 65535, c == 'm' ? &p->mtu : &p->then))
            return wrong("--mtu, --then: expected 68 to 65535 bytes");
        return -1;
    case 'b':
        if (!args_number(arg, 1, UINT32_MAX, &p->after))
            return wrong("--after: expected a number of bytes");
        return -1;
    case '4':
    case '6':
        if (!args_number(arg, c == '4' ? 28 : 48, c == '4' ? 548 : 1232, &n))
            return wrong("--quote4: expected 28 to 548, --quote6: 48 to 1232");
        p->hop.quote[c == '6'] = (uint16_t)n;
        return -1;
    case 'h':
        fputs(usage, stdout);
        return 0;
    default: /* getopt has said what is wrong */
        return 2;
    }
}

/* Returns the exit status, or -1: go on. */
static int read_options(struct program *p, int argc, char **argv)
{
    static const struct option longs[] = {
        {"near", required_argument, NULL, 'n'},
        {"far", required_argument, NULL, 'f'},
        {"address", required_argument, NULL, 'a'},
        {"mtu", required_argument, NULL, 'm'},
        {"then", required_argument, NULL, 't'},
        {"after", required_argument, NULL, 'b'},
        {"quote4", required_argument, NULL, '4'},
        {"quote6", required_argument, NULL, '6'},
        {"counters", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        const int status = option(p, c, optarg);
        if (status >= 0)
            return status;
    }
    if (optind < argc || p->spec[NEAR] == NULL || p->spec[FAR] == NULL)
        return wrong("expected --near IO, --far IO and only options");
    if (!p->hop.has[0] && !p->hop.has[1])
        return wrong("expected --address ADDR");
    if (p->after != 0 && p->then == 0)
        return wrong("--after needs --then");
    return -1;
}

static bool start(struct program *p)
{
    char why[TMTU_IO_WHY];
    for (int side = NEAR; side <= FAR; side++) {
        p->io[side] = tmtu_io_open(p->spec[side], why);
        if (p->io[side] == NULL) {
            fprintf(stderr, "tunmtu-hop: %s\n", why);
            return false;
        }
    }
    if (p->mtu == 0)
        p->mtu = p->io[FAR]->mtu;
    if (!burst_init(&p->in) || !burst_init(&p->out[NEAR]) ||
        !burst_init(&p->out[FAR]) || !signals_open(&p->signals)) {
        fprintf(stderr, "tunmtu-hop: no memory, or no signals\n");
        return false;
    }
    return true;
}

static void say_when(const struct program *p)
{
    printf("%" PRIu64 " ", p->now / 1000);
}

static void change_mtu(struct program *p)
{
    const uint32_t before = p->mtu;
    if (p->then == 0)
        return;
    p->mtu = p->then;
    p->then = before;
    p->after = 0;
    say_when(p);
    printf("mtu %u was %u\n", (unsigned)p->mtu, (unsigned)before);
}

static void spend(struct program *p, size_t bytes)
{
    if (p->after == 0)
        return;
    p->after -= bytes < p->after ? (uint32_t)bytes : p->after;
    if (p->after == 0)
        change_mtu(p);
}

/* The place for one more packet to leave on a side. */
static struct tmtu_io_packet *next(struct program *p, int side, int *error)
{
    return burst_next(p->io[side], &p->out[side], error);
}

/* One packet from a side: across, in pieces if need be, or back. */
static void pass(struct program *p, int from, const struct tmtu_io_packet *in,
                 int *error)
{
    const int to = from == NEAR ? FAR : NEAR;
    const uint32_t mtu = to == FAR ? p->mtu : p->io[NEAR]->mtu;
    const size_t length = tmtu_buf_len(&in->buf);
    struct tmtu_buf buf = in->buf;
    struct tmtu_io_packet *out;

    const enum hop_fate fate = hop_pass(&p->hop, &buf, mtu, p->now);
    switch (fate) {
    case HOP_TOO_BIG:
        say_when(p);
        printf("too_big %zu for %u answer %zu\n", length, (unsigned)mtu,
               tmtu_buf_len(&buf));
        /* fall through */
    case HOP_FORWARDED:
    case HOP_EXPIRED:
        out = next(p, fate == HOP_FORWARDED ? to : from, error);
        out->buf = buf;
        out->time = in->time;
        p->out[fate == HOP_FORWARDED ? to : from].n++;
        if (fate == HOP_FORWARDED && to == FAR)
            spend(p, length);
        break;
    case HOP_CUT:
        out = next(p, to, error);
        while (tmtu_frag_next(&p->hop.frag, &out->buf) == 1) {
            p->fragments++;
            out->time = in->time;
            p->out[to].n++;
            out = next(p, to, error);
        }
        if (to == FAR)
            spend(p, length);
        break;
    default:
        break;
    }
}

/* A burst from one side. Returns how many packets there were, -ENODATA at the
 * end of a capture, or -EIO: cannot go on. */
static int turn(struct program *p, int from)
{
    struct tmtu_io *which = p->io[from];
    const int n = burst_recv(which, &p->in);
    int rc = n, error = 0;

    for (int i = 0; i < n; i++) {
        p->now = burst_now(which, p->now, p->in.pkt[i].time);
        pass(p, from, &p->in.pkt[i], &error);
    }
    for (int side = NEAR; side <= FAR && rc >= 0; side++) {
        which = p->io[side];
        rc = burst_send(which, &p->out[side]);
    }
    if (rc >= 0)
        rc = error;
    if (rc >= 0 || rc == -ENODATA) {
        p->said = p->said && n <= 0;
        return n;
    }
    return burst_recovers("tunmtu-hop", which, rc, &p->said) ? 0 : -EIO;
}

/* Returns the exit status. */
static int run(struct program *p)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    fputs("tunmtu-hop: ready\n", stderr);
    while (!p->signals.stop) {
        const int far = turn(p, FAR), near = turn(p, NEAR);
        if (far == -EIO || near == -EIO)
            return 1;
        if (far == -ENODATA && near == -ENODATA)
            break;
        if (far <= 0 && near <= 0)
            burst_wait(p->io[NEAR], p->io[FAR], &p->signals, -1, -1);
        signals_read(&p->signals);
        if (p->signals.dump) {
            p->now = burst_now(p->io[NEAR], p->now, 0);
            change_mtu(p);
        }
        p->signals.dump = false;
    }
    return 0;
}

static void print_counters(struct counters *to, const void *arg)
{
    static const char *const names[HOP_FATES] = {
        [HOP_FORWARDED] = "forwarded",
        [HOP_CUT] = "cut",
        [HOP_TOO_BIG] = "answered.too_big",
        [HOP_EXPIRED] = "answered.expired",
        [HOP_NOT_ROUTED] = "pass.not_routed",
    };
    const struct program *p = arg;
    for (int i = 0; i < HOP_FATES; i++) {
        if (names[i] != NULL)
            counters_line(to, NULL, "", names[i], p->hop.fate[i]);
    }
    counters_line(to, NULL, "", "fragments", p->fragments);
    for (int i = 0; i < TMTU_REASONS; i++) {
        if (p->hop.drop[i] != 0)
            counters_line(to, NULL, "drop", tmtu_reason_name(i),
                          p->hop.drop[i]);
    }
    counters_io(to, "near", p->io[NEAR]);
    counters_io(to, "far", p->io[FAR]);
}

int main(int argc, char **argv)
{
    static struct program p;
    if (!hop_init(&p.hop))
        return 1;
    int status = read_options(&p, argc, argv);
    if (status < 0) {
        status = start(&p) ? run(&p) : 1;
        if (p.signals.fd > 0 && !counters_write(p.counters, print_counters, &p))
            status = 1;
    }
    for (int side = NEAR; side <= FAR; side++) {
        if (tmtu_io_close(p.io[side]) < 0)
            status = 1;
    }
    burst_free(&p.in);
    burst_free(&p.out[NEAR]);
    burst_free(&p.out[FAR]);
    hop_free(&p.hop);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* tunmtu-tunnel: the near end of a tunnel, between two TUN devices. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "burst.h"
#include "counters.h"
#include "tunnel.h"

static const char usage[] =
    "usage: tunmtu-tunnel --in IO --out IO --local ADDR --remote ADDR\n"
    "                     [--tun-type ipip|gre|gue] [--shared]\n"
    "                     [--counters FILE]\n"
    "\n"
    "Puts what comes out of one device into a tunnel, and hands the tunnel's\n"
    "packets to the other one, to be routed on. (Nothing is taken out of a\n"
    "tunnel here: tunmtu-realserver does that.)\n"
    "\n"
    "  --in IO          packets that want into the tunnel, and answers to "
    "them\n"
    "  --out IO         tunnel packets, and what routers say about them\n"
    "  --local ADDR     this end; routed to --out\n"
    "  --remote ADDR    the other end\n"
    "  --tun-type TYPE  of the tunnel (default: gre)\n"
    "  --shared         remember what paths carry by their destination alone,\n"
    "                   be it in the tunnel or of the tunnel: what not to do\n"
    "  --counters FILE  where they are written at the end (default: standard\n"
    "                   error)\n"
    "\n"
    "On standard output a line for each time that an MTU falls; on standard\n"
    "error, once, what is wrong with the paths.\n";

struct program {
    struct tunnel tunnel;
    const char *in_spec, *out_spec, *counters;
    struct tmtu_io *in, *out;
    struct signals signals;
    struct burst from, back, on; /* answers go back, tunnel packets on */
    uint64_t now, fragments;
    unsigned found; /* enum tmtu_pmtu_chain that were told, as bits */
    bool said;      /* that a device is down */
};

#define wrong(what) args_wrong("tunmtu-tunnel", "%s", what)

static bool kind(const char *word, uint8_t *out)
{
    static const char *const names[] = {[TMTU_ENCAP_IPIP] = "ipip",
                                        [TMTU_ENCAP_GRE] = "gre",
                                        [TMTU_ENCAP_GUE] = "gue"};
    return args_name(word, names, sizeof names / sizeof names[0], out);
}

/* Returns the exit status, or -1: go on. */
static int read_options(struct program *p, int argc, char **argv)
{
    static const struct option longs[] = {
        {"in", required_argument, NULL, 'i'},
        {"out", required_argument, NULL, 'o'},
        {"local", required_argument, NULL, 'l'},
        {"remote", required_argument, NULL, 'r'},
        {"tun-type", required_argument, NULL, 't'},
        {"shared", no_argument, NULL, 's'},
        {"counters", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct tmtu_encap *e = &p->tunnel.end.encap;
    for (int c; (c = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        switch (c) {
        case 'i':
            p->in_spec = optarg;
            break;
        case 'o':
            p->out_spec = optarg;
            break;
        case 'l':
        case 'r':
            if (!args_addr(optarg, c == 'l' ? e->src : e->dst))
                return wrong("--local, --remote: expected an address");
            break;
        case 't':
            if (!kind(optarg, &e->kind))
                return wrong("--tun-type: expected ipip, gre or gue");
            break;
        case 's':
            p->tunnel.shared = true;
            break;
        case 'c':
            p->counters = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default: /* getopt has said what is wrong */
            return 2;
        }
    }
    if (optind < argc || p->in_spec == NULL || p->out_spec == NULL)
        return wrong("expected --in IO, --out IO and only options");
    return -1;
}

static bool start(struct program *p)
{
    char why[TMTU_IO_WHY];
    p->in = tmtu_io_open(p->in_spec, why);
    if (p->in != NULL)
        p->out = tmtu_io_open(p->out_spec, why);
    if (p->out == NULL) {
        fprintf(stderr, "tunmtu-tunnel: %s\n", why);
        return false;
    }
    p->tunnel.link_in = p->in->mtu;
    p->tunnel.link_out = p->out->mtu;
    if (tunnel_init(&p->tunnel) && burst_init(&p->from) &&
        burst_init(&p->back) && burst_init(&p->on) && signals_open(&p->signals))
        return true;
    fprintf(stderr, "tunmtu-tunnel: --local and --remote make no tunnel, or "
                    "there is no memory\n");
    return false;
}

static void say_learnt(const struct program *p)
{
    const struct tmtu_pmtu_path *path = &p->tunnel.learnt;
    char from[ARGS_ADDR], to[ARGS_ADDR];
    printf("%" PRIu64 " learnt %u %s to %s, %s\n", p->now / 1000,
           (unsigned)p->tunnel.mtu,
           tmtu_addr_is_unspecified(path->src)
               ? "any"
               : args_addr_text(path->src, from),
           args_addr_text(path->dst, to),
           path->tunnel != 0 ? "in the tunnel" : "outside");
}

static void say_wrong(struct program *p)
{
    const struct tmtu_encap *e = &p->tunnel.end.encap;
    const unsigned bit = 1u << p->tunnel.chain;
    char from[ARGS_ADDR], to[ARGS_ADDR];
    if (p->tunnel.chain == TMTU_PMTU_CHAIN_OK || p->found & bit)
        return;
    p->found |= bit;
    fprintf(stderr, "tunmtu-tunnel: from %s to %s: %s\n",
            args_addr_text(e->src, from), args_addr_text(e->dst, to),
            p->tunnel.chain == TMTU_PMTU_CHAIN_RECURSIVE
                ? "recursive: the tunnel's packets are routed into the tunnel "
                  "itself; a rule for their source would lead them out"
                : "shared: the tunnel and what is inside have one path MTU; "
                  "each takes the other's, less its headers, until nothing is "
                  "left");
}

/* Sends what became of one packet. */
static void pass(struct program *p, const struct tmtu_io_packet *in,
                 bool inward, int *error)
{
    struct tmtu_buf buf = in->buf;
    struct tmtu_io_packet *out;
    const enum tunnel_fate fate = inward
                                      ? tunnel_enter(&p->tunnel, &buf, p->now)
                                      : tunnel_hear(&p->tunnel, &buf, p->now);
    if (p->tunnel.mtu != 0)
        say_learnt(p);
    say_wrong(p);
    if (fate == TUNNEL_SENT || fate == TUNNEL_ANSWERED) {
        struct burst *b = fate == TUNNEL_SENT ? &p->on : &p->back;
        out = burst_next(fate == TUNNEL_SENT ? p->out : p->in, b, error);
        out->buf = buf;
        out->time = in->time;
        b->n++;
    } else if (fate == TUNNEL_CUT) {
        out = burst_next(p->out, &p->on, error);
        while (tmtu_frag_next(&p->tunnel.frag, &out->buf) == 1) {
            p->fragments++;
            out->time = in->time;
            p->on.n++;
            out = burst_next(p->out, &p->on, error);
        }
    }
}

/* A burst from one side. Returns how many packets there were, -ENODATA at the
 * end of a capture, or -EIO: cannot go on. */
static int turn(struct program *p, bool inward)
{
    struct tmtu_io *which = inward ? p->in : p->out;
    const int n = burst_recv(which, &p->from);
    int rc = n, error = 0;

    for (int i = 0; i < n; i++) {
        p->now = burst_now(which, p->now, p->from.pkt[i].time);
        pass(p, &p->from.pkt[i], inward, &error);
    }
    if (rc >= 0)
        rc = burst_send(which = p->out, &p->on);
    if (rc >= 0)
        rc = burst_send(which = p->in, &p->back);
    if (rc >= 0)
        rc = error;
    if (rc >= 0 || rc == -ENODATA)
        return n;
    return burst_recovers("tunmtu-tunnel", which, rc, &p->said) ? 0 : -EIO;
}

/* Returns the exit status. */
static int run(struct program *p)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    fputs("tunmtu-tunnel: ready\n", stderr);
    while (!p->signals.stop) {
        const int out = turn(p, false), in = turn(p, true);
        if (in == -EIO || out == -EIO)
            return 1;
        if (in == -ENODATA && out == -ENODATA)
            break;
        if (in <= 0 && out <= 0)
            burst_wait(p->in, p->out, &p->signals, -1, -1);
        signals_read(&p->signals);
    }
    return 0;
}

static void print_counters(struct counters *to, const void *arg)
{
    static const char *const names[TUNNEL_FATES] = {
        [TUNNEL_SENT] = "sent",         [TUNNEL_CUT] = "cut",
        [TUNNEL_ANSWERED] = "answered", [TUNNEL_LEARNT] = "heard",
        [TUNNEL_NOT_OURS] = "not_ours",
    };
    const struct program *p = arg;
    const struct tmtu_pmtu_counters *c = tmtu_pmtu_counters(p->tunnel.pmtu);
    for (int i = 0; i < TUNNEL_FATES; i++) {
        if (names[i] != NULL)
            counters_line(to, NULL, "", names[i], p->tunnel.fate[i]);
    }
    counters_line(to, NULL, "", "fragments", p->fragments);
    counters_line(to, NULL, "pmtu", "learnt", c->errors[TMTU_PMTU_LEARNT]);
    counters_line(to, NULL, "pmtu", "locked", c->locked);
    for (int i = 0; i < TMTU_REASONS; i++) {
        if (p->tunnel.drop[i] != 0)
            counters_line(to, NULL, "drop", tmtu_reason_name(i),
                          p->tunnel.drop[i]);
    }
    counters_io(to, "in", p->in);
    counters_io(to, "out", p->out);
}

int main(int argc, char **argv)
{
    static struct program p = {.tunnel.end = TMTU_TUNNEL_INIT};
    p.tunnel.end.encap.kind = TMTU_ENCAP_GRE;
    int status = read_options(&p, argc, argv);
    if (status < 0) {
        status = start(&p) ? run(&p) : 1;
        if (p.signals.fd > 0 && !counters_write(p.counters, print_counters, &p))
            status = 1;
    }
    if (tmtu_io_close(p.in) < 0 || tmtu_io_close(p.out) < 0)
        status = 1;
    burst_free(&p.from);
    burst_free(&p.back);
    burst_free(&p.on);
    tunnel_free(&p.tunnel);
    return status;
}

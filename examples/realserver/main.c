/* SPDX-License-Identifier: MIT */
/* tunmtu-realserver: the far end of a load balancer's tunnels. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "absence.h"
#include "burst.h"
#include "claim.h"
#include "counters.h"
#include "metrics.h"
#include "report.h"

/* How often packets that wait for fragments in vain are forgotten, in
 * milliseconds. */
enum { IDLE = 1000 };

/* How long metrics may wait while packets do not, in nanoseconds. */
#define BUSY UINT64_C(10000000)

/* Everything that runs. */
struct program {
    struct options options;
    struct rs rs;
    struct tmtu_io *io, *tun; /* the first is NULL while it is away */
    struct tmtu_io before;    /* counters of those that there were */
    struct claim claim;
    struct signals signals;
    struct metrics metrics;
    struct burst in, out;
    uint64_t now;
    uint64_t served; /* when metrics were looked after */
    bool said;       /* that an interface is down */
};

static bool complain(const char *what)
{
    fprintf(stderr, "tunmtu-realserver: %s\n", what);
    return false;
}

static bool open_ends(struct program *p)
{
    struct options *o = &p->options;
    char why[TMTU_IO_WHY];

    p->io = tmtu_io_open(o->io, why);
    if (p->io == NULL)
        return complain(why);
    p->tun = strchr(o->tun, ':') != NULL ? tmtu_io_open(o->tun, why)
                                         : tmtu_io_tun(o->tun, why);
    if (p->tun == NULL)
        return complain(why);
    if (o->config.mtu == 0)
        o->config.mtu = p->io->fd < 0 ? 1500 : p->io->mtu;
    if (p->tun->fd >= 0 && p->io->fd >= 0 && p->tun->mtu > p->io->mtu)
        fprintf(stderr,
                "tunmtu-realserver: warning: the MTU of %s (%u) is more than "
                "that of %s (%u): large replies will not be sent\n",
                o->tun, (unsigned)p->tun->mtu, o->io, (unsigned)p->io->mtu);
    /* Where the kernel sees tunnel packets as well, it must not answer them. */
    if (strncmp(o->io, "afpacket:", 9) == 0 &&
        !claim_open(&p->claim, &o->config)) {
        snprintf(why, sizeof why, "%s: %s%s", p->claim.what, strerror(errno),
                 errno == EADDRINUSE
                     ? "; --gue-port, --gre-udp-port and --tun-type say which "
                       "ones are claimed"
                     : "");
        return complain(why);
    }
    return true;
}

/* Of the interface, whatever has become of it meanwhile. */
static struct tmtu_io all_io(const struct program *p)
{
    struct tmtu_io all = p->before;
    absence_add(&all, p->io);
    return all;
}

static bool write_counters(const struct program *p)
{
    const struct tmtu_io io = all_io(p);
    const struct report r = {&p->rs, &io, p->tun};
    return counters_write(p->options.counters, report_counters, &r);
}

static bool give_metrics(struct counters *to, void *arg)
{
    static const struct counters_label about[] = {{NULL, NULL}};
    const struct program *p = arg;
    const struct tmtu_io io = all_io(p);
    const struct report r = {&p->rs, &io, p->tun};
    metrics_info(to, about);
    report_counters(to, &r);
    return true;
}

static bool start(struct program *p)
{
    signals_hold();
    if (!metrics_open(&p->metrics, "realserver", &p->options.metrics,
                      give_metrics, p) ||
        !open_ends(p))
        return false;
    if (!rs_init(&p->rs, &p->options.config) || !burst_init(&p->in) ||
        !burst_init(&p->out) || !signals_open(&p->signals))
        return complain("no memory, or no signals");
    if (p->options.verbose)
        report_config(stderr, &p->options, &p->rs);
    return true;
}

/* Passes a burst on, from the network to the host or the other way. Returns how
 * many packets there were; or -errno, with the backend in *which. */
static int pass(struct program *p, bool inward, const struct tmtu_io **which)
{
    struct tmtu_io *from = inward ? p->io : p->tun;
    struct tmtu_io *to = inward ? p->tun : p->io;
    *which = from;
    const int n = burst_recv(from, &p->in);
    if (n <= 0)
        return n;

    int error = 0;
    struct tmtu_io_packet *out = burst_next(to, &p->out, &error);
    *which = to;
    for (int i = 0; i < n; i++) {
        const struct tmtu_io_packet *in = &p->in.pkt[i];
        if (inward && (i == 0 || from->fd < 0))
            p->now = burst_now(from, p->now, in->time);
        if (inward ? !rs_in(&p->rs, in, p->now, &out->buf)
                   : !rs_out(&p->rs, in, &out->buf))
            continue;
        out->time = in->time;
        out->flags = in->flags & TMTU_IO_GSO_CWR;
        out->gso_size = in->gso_size; /* the backend passes it on, or cuts it */
        p->out.n++;
        out = burst_next(to, &p->out, &error);
    }
    const int rc = burst_send(to, &p->out);
    return rc < 0 ? rc : error < 0 ? error : n;
}

/* Both directions, a burst each. Returns how many packets there were, -ENODATA
 * when a capture is at its end and the other side has nothing, or -EIO: cannot
 * go on. */
static int turn(struct program *p)
{
    int ended = 0, packets = 0;
    if (!absence_over("tunmtu-realserver", p->options.io, &p->io))
        return 0; /* what the host sends waits in its device */
    for (int inward = 0; inward < 2; inward++) {
        const struct tmtu_io *which;
        const int rc = pass(p, inward, &which);
        if (rc == -ENODATA)
            ended++;
        else if (rc >= 0)
            packets += rc;
        else if (rc == -ENODEV && which == p->io) {
            absence_begin("tunmtu-realserver", &p->io, &p->before);
            break;
        } else if (!burst_recovers("tunmtu-realserver", which, rc, &p->said))
            return -EIO;
    }
    if (packets > 0)
        p->said = false;
    return ended > 0 && packets == 0 ? -ENODATA : packets;
}

/* Returns the exit status. */
static int run(struct program *p)
{
    fputs("tunmtu-realserver: ready\n", stderr);
    while (!p->signals.stop) {
        struct tmtu_view first;
        const int n = turn(p);
        if (n == -ENODATA)
            break;
        if (n < 0)
            return 1;
        const bool asked =
            n == 0 &&
            burst_wait(p->io, p->io != NULL ? p->tun : NULL, &p->signals,
                       p->metrics.fd, metrics_timeout(&p->metrics, IDLE));
        p->now = burst_now(p->io, p->now, 0);
        if (asked || p->now - p->served >= BUSY) {
            metrics_run(&p->metrics);
            p->served = p->now;
        }
        while (tmtu_reass_expire(p->rs.reass, p->now, &first))
            ; /* its sender is a balancer: nobody to tell */
        signals_read(&p->signals);
        if (p->signals.dump)
            write_counters(p);
        p->signals.dump = false;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct program p;
    claim_init(&p.claim);
    int status = options_read(&p.options, argc, argv);
    if (status >= 0)
        return status;
    status = start(&p) ? run(&p) : 1;
    if (p.signals.fd > 0 && !write_counters(&p))
        status = 1;
    metrics_close(&p.metrics);
    const int rc_tun = tmtu_io_close(p.tun), rc_io = tmtu_io_close(p.io);
    if (status == 0 && (rc_tun < 0 || rc_io < 0)) {
        complain(strerror(rc_tun < 0 ? -rc_tun : -rc_io));
        status = 1;
    }
    claim_close(&p.claim);
    rs_free(&p.rs);
    burst_free(&p.in);
    burst_free(&p.out);
    free(p.options.config.vips.addr);
    free(p.options.config.locals.addr);
    free(p.options.config.peers.addr);
    return status;
}

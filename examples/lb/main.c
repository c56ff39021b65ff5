/* SPDX-License-Identifier: MIT */
/* tunmtu-lb: a load balancer that places flows by consistent hashing and
 * forwards them in tunnels, or as they are. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "burst.h"
#include "checks.h"
#include "counters.h"
#include "report.h"
#include "seldom.h"

/* How often fragments that wait in vain are looked for, in milliseconds. */
enum { IDLE = 1000 };

/* Everything that runs. */
struct program {
    struct options options;
    struct services services;
    struct lb lb;
    struct tmtu_io *io;
    struct signals signals;
    struct burst in, out;
    uint64_t now;
    bool said;               /* that the interface is down */
    struct seldom broken;    /* ICMP errors with a wrong checksum */
    struct seldom unreached; /* servers that are not on the link */
    uint64_t off_link;       /* packets for them, so far */
};

static bool read_rules(struct program *p, struct rules *rules)
{
    FILE *f = fopen(p->options.rules, "re");
    if (f == NULL) {
        fprintf(stderr, "tunmtu-lb: %s: cannot open: %s\n", p->options.rules,
                strerror(errno));
        return false;
    }
    const unsigned errors = rules_read(rules, f, p->options.rules, stderr);
    fclose(f);
    return errors == 0;
}

static bool has_tunnels(const struct rules *rules)
{
    for (size_t i = 0; i < rules->services; i++) {
        for (size_t j = 0; j < rules->service[i].servers; j++) {
            if (rules->service[i].server[j].forward == LB_TUNNEL)
                return true;
        }
    }
    return false;
}

/* Rules and services; nothing is touched before all is well with them. */
static bool make_services(struct program *p)
{
    struct rules rules = {NULL, 0};
    const struct services_config *c = &p->options.config;
    bool ok = read_rules(p, &rules);
    if (ok && !c->has_local[0] && !c->has_local[1] && has_tunnels(&rules)) {
        fputs("tunmtu-lb: tunnels (-i): expected --local ADDR\n", stderr);
        ok = false;
    }
    ok = ok &&
         services_build(&p->services, &rules, c, p->options.rules, stderr) == 0;
    rules_free(&rules);
    return ok;
}

static bool open_io(struct program *p)
{
    struct services_config *config = &p->options.config;
    char why[TMTU_IO_WHY];

    p->io = tmtu_io_open(p->options.io, why);
    if (p->io == NULL) {
        fprintf(stderr, "tunmtu-lb: %s\n", why);
        return false;
    }
    const bool capture = p->io->fd < 0;
    if (config->mtu == 0)
        config->mtu = capture ? 1500 : p->io->mtu;
    if (config->mtu > UINT16_MAX) /* lo has 65536 */
        config->mtu = UINT16_MAX;
    if (!services_set_mtu(&p->services, config->mtu)) {
        fprintf(stderr,
                "tunmtu-lb: %s: an MTU of %u is less than tunnels need, 68 "
                "bytes over IPv4 and 1280 over IPv6\n",
                p->options.io, (unsigned)config->mtu);
        return false;
    }
    /* A capture gives the same bytes each time. On a network, fragments of the
     * run before may still be on their way. */
    config->pass = strcmp(p->io->ops->name, "tun") == 0;
    config->first_id = 1;
    if (!capture && getrandom(&config->first_id, sizeof config->first_id, 0) !=
                        (ssize_t)sizeof config->first_id)
        config->first_id = 1;
    return true;
}

/* Returns the exit status, or -1: go on. */
static int start(struct program *p)
{
    if (!make_services(p))
        return 2;
    if (!open_io(p))
        return 1;
    if (!lb_init(&p->lb, &p->services, &p->options.config) ||
        !burst_init(&p->in) || !burst_init(&p->out) ||
        !signals_open(&p->signals)) {
        fprintf(stderr, "tunmtu-lb: no memory, or no signals: %s\n",
                strerror(errno));
        return 1;
    }
    if (p->io->fd >= 0)
        checks_warn(&p->options, &p->services);
    if (p->options.verbose)
        report_config(stderr, &p->options, &p->lb);
    return -1;
}

static bool write_counters(const struct program *p)
{
    const struct report r = {&p->lb, p->io};
    return counters_write(p->options.counters, report_counters, &r);
}

/* A server that is not on the link gets nothing. */
static void tell_off_link(struct program *p)
{
    uint64_t more;
    if (p->io->off_link != p->off_link && seldom(&p->unreached, p->now, &more))
        fprintf(stderr,
                "tunmtu-lb: warning: %s (packets so far: %" PRIu64 ")\n",
                p->io->why, p->io->off_link);
    p->off_link = p->io->off_link;
}

/* Answers for packets whose fragments did not come; returns the next place. */
static struct tmtu_io_packet *expire(struct program *p,
                                     struct tmtu_io_packet *out, int *error)
{
    while (lb_expire(&p->lb, p->now, &out->buf)) {
        out->time = p->now;
        p->out.n++;
        out = burst_next(p->io, &p->out, error);
    }
    return out;
}

/* One burst, from its packets to what is sent. Returns 0, or a -errno of the
 * backend. */
static int burst(struct program *p, unsigned n)
{
    const bool capture = p->io->fd < 0;
    int error = 0;
    struct tmtu_io_packet *out = burst_next(p->io, &p->out, &error);

    if (!capture) {
        p->now = burst_now(p->io, p->now, 0);
        out = expire(p, out, &error);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct tmtu_io_packet *in = &p->in.pkt[i];
        if (capture) { /* time passes from packet to packet */
            p->now = burst_now(p->io, p->now, in->time);
            out = expire(p, out, &error);
        }
        lb_take(&p->lb, in, p->now);
        while (lb_give(&p->lb, &out->buf)) {
            out->time = in->time;
            if (p->lb.via != NULL)
                tmtu_copy(out->via, p->lb.via, sizeof out->via);
            p->out.n++;
            out = burst_next(p->io, &p->out, &error);
        }
        uint64_t more;
        if (!capture && p->lb.note.broken && seldom(&p->broken, p->now, &more))
            report_broken(stderr, &p->lb, more);
        if (capture && p->options.verbose)
            report_packet(stderr, &p->lb, p->lb.counters.in);
    }
    const int rc = burst_send(p->io, &p->out);
    tell_off_link(p);
    return rc < 0 ? rc : error;
}

/* Returns the exit status. */
static int run(struct program *p)
{
    fputs("tunmtu-lb: ready\n", stderr);
    while (!p->signals.stop) {
        int n = burst_recv(p->io, &p->in);
        if (n == -ENODATA)
            break;
        int rc = n;
        if (n >= 0)
            rc = burst(p, (unsigned)n);
        if (rc < 0 && !burst_recovers("tunmtu-lb", p->io, rc, &p->said))
            return 1;
        p->said = rc < 0;
        if (n <= 0)
            burst_wait(p->io, NULL, &p->signals, IDLE);
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
    int status = options_read(&p.options, argc, argv);
    if (status >= 0)
        return status;
    status = start(&p);
    if (status < 0) {
        status = run(&p);
        if (!write_counters(&p))
            status = 1;
    }
    const int rc = tmtu_io_close(p.io);
    if (rc < 0 && status == 0) {
        fprintf(stderr, "tunmtu-lb: %s: %s\n", p.options.io, strerror(-rc));
        status = 1;
    }
    lb_free(&p.lb);
    services_free(&p.services);
    burst_free(&p.in);
    burst_free(&p.out);
    return status;
}

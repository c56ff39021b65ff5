/* SPDX-License-Identifier: MIT */
/* tunmtu-lb: a load balancer that places flows by consistent hashing and
 * forwards them in tunnels, or as they are. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "counters.h"
#include "load.h"
#include "metrics.h"
#include "report.h"

/* Milliseconds until the interface's MTU is looked at again. */
enum { OFTEN = 1000 };

struct program {
    struct options options;
    struct signals signals;
    struct metrics metrics;
    struct team team;
};

static bool write_counters(struct program *p)
{
    struct report r;
    if (!report_take(&r, &p->team)) {
        fputs("tunmtu-lb: no memory for a report\n", stderr);
        return false;
    }
    const bool ok = counters_write(p->options.counters, report_counters, &r);
    report_free(&r);
    return ok;
}

/* Rules are read again; with an error in them the old ones stay. */
static void reload(struct program *p)
{
    const char *file = p->options.rules;
    struct services services;
    if (!load_services(&services, &p->options)) {
        fprintf(stderr, "tunmtu-lb: %s: the rules stay as they were\n", file);
        return;
    }
    char fingerprints[SERVICES_FINGERPRINTS];
    const size_t n = services.n;
    services_fingerprints(&services, fingerprints);
    if (!team_reload(&p->team, &services)) {
        fprintf(stderr,
                "tunmtu-lb: %s: no memory; the rules stay as they were\n",
                file);
        return;
    }
    fprintf(stderr, "tunmtu-lb: %s: %zu service%s now, %s\n", file, n,
            n == 1 ? "" : "s", fingerprints);
}

/* Until a signal ends it, or the packets do. */
static void run(struct program *p)
{
    struct pollfd fds[3] = {{.fd = p->signals.fd, .events = POLLIN},
                            {.fd = p->team.done_fd, .events = POLLIN},
                            {.fd = p->metrics.fd, .events = POLLIN}};
    fputs("tunmtu-lb: ready\n", stderr);
    while (!p->signals.stop && !(fds[1].revents & POLLIN)) {
        if (poll(fds, 3, metrics_timeout(&p->metrics, OFTEN)) < 0)
            continue; /* EINTR */
        metrics_run(&p->metrics);
        team_follow_mtu(&p->team);
        signals_read(&p->signals);
        if (p->signals.reload)
            reload(p);
        if (p->signals.dump)
            write_counters(p);
        p->signals.reload = p->signals.dump = false;
    }
}

/* Returns the exit status. */
static int balance(struct program *p, struct services *services)
{
    char fingerprints[SERVICES_FINGERPRINTS];
    services_fingerprints(services, fingerprints);
    int status = team_init(&p->team, &p->options, services);
    if (status != 0)
        return status;
    if (!signals_open(&p->signals)) { /* before there are threads */
        fprintf(stderr, "tunmtu-lb: no signals: %s\n", strerror(errno));
        return 1;
    }
    fprintf(stderr, "tunmtu-lb: %s\n", fingerprints);
    const bool started = team_start(&p->team);
    if (started)
        run(p);
    status = team_stop(&p->team) || !started;
    return write_counters(p) ? status : 1;
}

int main(int argc, char **argv)
{
    static struct program p;
    struct services services;
    int status = options_read(&p.options, argc, argv);
    if (status >= 0)
        return status;
    signals_hold(); /* rules may take seconds, and be new by then */
    if (!load_services(&services, &p.options))
        return 2;
    if (!metrics_open(&p.metrics, "lb", &p.options.metrics, report_metrics,
                      &p.team)) {
        services_free(&services);
        return 1;
    }
    status = balance(&p, &services);
    metrics_close(&p.metrics);
    return team_free(&p.team) || status;
}

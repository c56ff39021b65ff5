/* SPDX-License-Identifier: MIT */
/* tunmtu-pmtud: passes on ICMP errors that routers sent to the wrong host of
 * many with one address. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "capture.h"
#include "counters.h"
#include "metrics.h"
#include "nflog.h"
#include "privileges.h"
#include "raw.h"
#include "report.h"
#include "signals.h"

/* How often an interface that is away is looked for, in milliseconds. */
enum { IDLE = 500 };

/* Everything that runs. */
struct program {
    struct options options;
    struct services services[2];
    unsigned current; /* of those */
    struct pmtud d;
    struct iface iface;
    struct nflog nflog;
    struct capture capture;
    struct raw raw;
    struct signals signals;
    struct metrics metrics;
    uint64_t now;
};

/* Copies reach servers in tunnels; how else packets do is not ours. */
static unsigned tunnels_only(const struct program *p, const struct rules *rules)
{
    unsigned errors = 0;
    for (size_t i = 0; i < rules->services; i++) {
        const struct rules_service *s = &rules->service[i];
        for (size_t j = 0; j < s->servers; j++) {
            if (s->server[j].forward == LB_TUNNEL)
                continue;
            fprintf(stderr,
                    "%s:%u: errors are steered through tunnels alone, expected "
                    "-i\n",
                    p->options.rules, s->server[j].line);
            errors++;
        }
    }
    return errors;
}

/* Beside those that there are, which are left when something is wrong. */
static bool make_services(struct program *p)
{
    struct options *o = &p->options;
    struct services *t = &p->services[!p->current];
    struct rules rules = {NULL, 0};
    FILE *f = fopen(o->rules, "re");
    if (f == NULL) {
        fprintf(stderr, "tunmtu-pmtud: %s: cannot open: %s\n", o->rules,
                strerror(errno));
        return false;
    }
    bool ok = rules_read(&rules, f, o->rules, stderr) == 0;
    fclose(f);
    if (ok && tunnels_only(p, &rules) == 0) {
        ok = services_build(t, &rules, &o->services, o->rules, stderr) == 0;
        if (!ok)
            services_free(t);
    } else {
        ok = false;
    }
    rules_free(&rules);
    if (!ok)
        return false;
    p->current = !p->current;
    o->config.services = t;
    services_free(&p->services[!p->current]);
    return true;
}

/* Equal on all that place flows equally. */
static void tell_fingerprints(const struct program *p, const char *before)
{
    char text[SERVICES_FINGERPRINTS];
    if (p->options.config.services != NULL)
        fprintf(stderr, "tunmtu-pmtud: %s%s\n", before,
                services_fingerprints(p->options.config.services, text));
}

static void reload(struct program *p)
{
    if (p->options.rules == NULL)
        return;
    if (make_services(p))
        tell_fingerprints(p, "rules read again, ");
    else
        fputs("tunmtu-pmtud: the rules stay as they were\n", stderr);
}

static bool open_all(struct program *p)
{
    const struct options *o = &p->options;
    const char *why = NULL;
    if (o->io != NULL) {
        if (!capture_open(&p->capture, o->io))
            why = p->capture.why;
    } else if (o->iface != NULL &&
               !iface_open(&p->iface, o->iface, o->nflog < 0)) {
        why = p->iface.why;
    } else if (o->nflog >= 0 && !nflog_begin(&p->nflog, (uint16_t)o->nflog)) {
        why = p->nflog.why;
    } else if (o->config.mode != PMTUD_BROADCAST && !raw_open(&p->raw)) {
        why = p->raw.why;
    }
    if (why != NULL)
        fprintf(stderr, "tunmtu-pmtud: %s\n", why);
    return why == NULL;
}

static bool make_core(struct program *p)
{
    struct pmtud_config *c = &p->options.config;
    const uint8_t *why;
    char ip[ARGS_ADDR];
    if (p->options.io == NULL) { /* a capture gives the same bytes each time */
        uint8_t random[20];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return false;
        c->table = tmtu_hash_key(random);
        c->first_id = tmtu_get32(random + 16);
    }
    memcpy(c->mac, p->iface.mac, sizeof c->mac);
    if (pmtud_init(&p->d, c, &why))
        return true;
    if (why != NULL)
        fprintf(stderr, "tunmtu-pmtud: --peer %s: there is no tunnel to it\n",
                args_addr_text(why, ip));
    else
        fputs("tunmtu-pmtud: there is no memory\n", stderr);
    return false;
}

static bool pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0)
        return true;
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0)
        return true;
    fprintf(stderr, "tunmtu-pmtud: --cpu %d: %s\n", cpu,
            errno == EINVAL ? "there is none, or not for this program"
                            : strerror(errno));
    return false;
}

static bool confine(const struct program *p)
{
    const struct options *o = &p->options;
    if (!privileges_drop(o->user) ||
        !privileges_filter(o->counters != NULL || o->rules != NULL,
                           o->metrics.wanted))
        return false;
    if (o->verbose > 0)
        fprintf(stderr, "tunmtu-pmtud: no capabilities any more%s\n",
                privileges_filters() ? ", and only the system calls of its loop"
                                     : "");
    return true;
}

static struct report report_of(struct program *p)
{
    struct report r = {.d = &p->d};
    iface_count(&p->iface);
    r.received = p->iface.received + p->nflog.received + p->capture.received;
    r.lost = p->iface.lost + p->nflog.lost;
    r.skipped = p->capture.skipped;
    r.sent = p->iface.sent + p->raw.sent + p->capture.sent;
    r.send_errors = p->iface.send_errors + p->raw.send_errors;
    return r;
}

static bool write_counters(struct program *p)
{
    const struct report r = report_of(p);
    return counters_write(p->options.counters, report_counters, &r);
}

static bool give_metrics(struct counters *to, void *arg)
{
    const struct report r = report_of(arg);
    report_metrics(to, &r);
    return true;
}

/* Returns the exit status, or -1: go on. */
static int start(struct program *p)
{
    const struct options *o = &p->options;
    if (o->io == NULL)
        signals_hold(); /* rules may take seconds, and be new by then */
    if (o->rules != NULL && !make_services(p))
        return 2;
    if (!metrics_open(&p->metrics, "pmtud", &o->metrics, give_metrics, p))
        return 1;
    if (!open_all(p) || !make_core(p) || !pin(o->cpu))
        return 1;
    if (o->verbose > 0)
        report_config(stderr, o, &p->d);
    tell_fingerprints(p, "");
    if (o->io != NULL)
        return -1;
    if (!signals_open(&p->signals)) {
        fprintf(stderr, "tunmtu-pmtud: no signals: %s\n", strerror(errno));
        return 1;
    }
    return confine(p) ? -1 : 1;
}

static void send_out(struct program *p, const struct pmtud_out *out)
{
    bool ok = true;
    if (p->options.dry_run)
        return;
    if (p->options.io != NULL)
        capture_send(&p->capture, out, p->now);
    else if (out->frame)
        ok = iface_send(&p->iface, out->p, out->n);
    else
        ok = raw_send(&p->raw, out->p, out->n);
    if (!ok && p->options.verbose > 0)
        report_unsent(stderr, &p->d, out, errno);
}

static void take(void *arg, const struct pmtud_in *in)
{
    struct program *p = arg;
    struct pmtud_out out;
    pmtud_take(&p->d, in, p->now);
    report_packet(stderr, &p->options, &p->d);
    while (pmtud_give(&p->d, &out))
        send_out(p, &out);
}

/* Time passes from packet to packet, and does not go back. Returns the exit
 * status. */
static int run_capture(struct program *p)
{
    struct pmtud_in in;
    uint64_t time;
    int rc;
    while ((rc = capture_next(&p->capture, &in, &time)) > 0) {
        if (time > p->now)
            p->now = time;
        take(p, &in);
    }
    if (rc < 0)
        fprintf(stderr, "tunmtu-pmtud: %s\n", p->capture.why);
    return rc < 0;
}

static void tick(struct program *p)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    p->now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int run(struct program *p)
{
    const bool nflog = p->options.nflog >= 0;
    const int fd = nflog ? p->nflog.fd : p->iface.fd;
    uint64_t looked = 0, served = 0;
    fputs("tunmtu-pmtud: ready\n", stderr);
    while (!p->signals.stop) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = p->signals.fd, .events = POLLIN},
                               {.fd = p->metrics.fd, .events = POLLIN}};
        tick(p);
        const int n = nflog ? nflog_read(&p->nflog, take, p)
                            : iface_read(&p->iface, take, p);
        if (p->iface.fd >= 0 && p->now - looked >= IDLE * UINT64_C(1000000)) {
            looked = p->now;
            iface_look(&p->iface);
            memcpy(p->options.config.mac, p->iface.mac, sizeof p->iface.mac);
        }
        poll(fds, 3, n > 0 ? 0 : metrics_timeout(&p->metrics, IDLE));
        if (n <= 0 || fds[2].revents != 0 ||
            p->now - served >= IDLE * UINT64_C(1000000)) {
            served = p->now;
            metrics_run(&p->metrics);
        }
        if (fds[1].revents != 0)
            signals_read(&p->signals);
        if (p->signals.dump)
            write_counters(p);
        p->signals.dump = false;
        if (p->signals.reload)
            reload(p);
        p->signals.reload = false;
    }
    return 0;
}

static void close_all(struct program *p)
{
    metrics_close(&p->metrics);
    iface_close(&p->iface);
    nflog_end(&p->nflog);
    raw_close(&p->raw);
    pmtud_free(&p->d);
    services_free(&p->services[0]);
    services_free(&p->services[1]);
    options_free(&p->options);
}

int main(int argc, char **argv)
{
    static struct program p = {
        .iface = {.fd = -1}, .raw = {.fd = {-1, -1}}, .metrics = {.fd = -1}};
    int status = options_read(&p.options, argc, argv);
    if (status < 0)
        status = start(&p);
    if (status < 0) {
        status = p.options.io != NULL ? run_capture(&p) : run(&p);
        if (!write_counters(&p))
            status = 1;
    }
    if (capture_close(&p.capture) != 0) {
        fprintf(stderr, "tunmtu-pmtud: %s\n", p.capture.why);
        status = 1;
    }
    close_all(&p);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Balancers at work, one thread and one queue each. */
#define _GNU_SOURCE
#include "team.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "checks.h"
#include "report.h"
#include "tell.h"

/* How often fragments that wait in vain are looked for, in milliseconds. */
enum { IDLE = 1000 };

/* A server that is not on the link gets nothing. */
static void tell_off_link(struct worker *w)
{
    uint64_t more;
    if (w->io->off_link != w->off_link && seldom(&w->unreached, w->now, &more))
        fprintf(stderr,
                "tunmtu-lb: warning: %s (packets so far: %" PRIu64 ")\n",
                w->io->why, w->io->off_link);
    w->off_link = w->io->off_link;
}

/* Answers for packets whose fragments did not come; returns the next place. */
static struct tmtu_io_packet *expire(struct worker *w,
                                     struct tmtu_io_packet *out, int *error)
{
    while (lb_expire(&w->lb, w->now, &out->buf)) {
        out->time = w->now;
        w->out.n++;
        out = burst_next(w->io, &w->out, error);
    }
    return out;
}

/* One burst, from its packets to what is sent. Returns 0, or a -errno of the
 * backend. */
static int burst(struct worker *w, unsigned n)
{
    const bool capture = w->io->fd < 0;
    const bool verbose = capture && w->team->options->verbose;
    int error = 0;
    struct tmtu_io_packet *out = burst_next(w->io, &w->out, &error);

    if (!capture) {
        w->now = burst_now(w->io, w->now, 0);
        out = expire(w, out, &error);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct tmtu_io_packet *in = &w->in.pkt[i];
        if (capture) { /* time passes from packet to packet */
            w->now = burst_now(w->io, w->now, in->time);
            out = expire(w, out, &error);
        }
        lb_take(&w->lb, in, w->now);
        while (lb_give(&w->lb, &out->buf)) {
            out->time = in->time;
            if (w->lb.via != NULL)
                tmtu_copy(out->via, w->lb.via, sizeof out->via);
            w->out.n++;
            out = burst_next(w->io, &w->out, &error);
        }
        uint64_t more;
        if (!capture && w->lb.note.broken && seldom(&w->broken, w->now, &more))
            tell_broken(stderr, &w->lb, more);
        if (verbose)
            tell_packet(stderr, &w->lb, w->lb.counters.in);
    }
    const int rc = burst_send(w->io, &w->out);
    tell_off_link(w);
    return rc < 0 ? rc : error;
}

/* A mutex alone would be the worker's again and again while there is traffic:
 * it takes it back before who waits has woken up. */
void team_enter(struct worker *w)
{
    atomic_fetch_add(&w->wanted, 1);
    pthread_mutex_lock(&w->lock);
    lb_hold(&w->lb); /* from its peers, too */
    atomic_fetch_sub(&w->wanted, 1);
}

void team_leave(struct worker *w)
{
    lb_release(&w->lb);
    pthread_mutex_unlock(&w->lock);
}

/* What this one has learnt of paths, the others need not find out. */
static void spread(struct worker *w, const struct lb_news *news, unsigned n)
{
    for (unsigned k = 0; n > 0 && k < w->team->n; k++) {
        struct worker *other = &w->team->worker[k];
        if (other == w)
            continue;
        team_enter(other);
        for (unsigned i = 0; i < n; i++)
            lb_hear(&other->lb, &news[i]);
        team_leave(other);
    }
}

/* The interface is gone: what it counted stays. */
static void lose(struct worker *w)
{
    fprintf(stderr, "tunmtu-lb: %s; waiting for it\n", w->io->why);
    report_add_io(&w->before, w->io);
    (void)tmtu_io_close(w->io);
    w->io = NULL;
    w->off_link = 0;
}

/* Whether the interface is there, again or still. */
static bool find(struct worker *w)
{
    if (w->io != NULL)
        return true;
    w->io = tmtu_io_open(w->team->options->io, NULL);
    if (w->io != NULL)
        fprintf(stderr, "tunmtu-lb: %s: the interface is back\n",
                w->team->options->io);
    return w->io != NULL;
}

/* Receives and works on a burst. 0: it was empty; negative: there is nothing
 * more to do. */
static int serve(struct worker *w)
{
    const int n = burst_recv(w->io, &w->in);
    if (n == -ENODATA)
        return -1;
    const int rc = n >= 0 ? burst(w, (unsigned)n) : n;
    if (rc == -ENODEV) {
        lose(w);
        return 0;
    }
    if (rc < 0 && !burst_recovers("tunmtu-lb", w->io, rc, &w->said)) {
        w->status = 1;
        return -1;
    }
    w->said = rc < 0;
    return n > 0;
}

static int turn(struct worker *w)
{
    struct lb_news news[LB_NEWS];
    while (atomic_load(&w->wanted) != 0)
        sched_yield();
    pthread_mutex_lock(&w->lock);
    const int more = find(w) ? serve(w) : 0;
    const unsigned learnt = lb_news(&w->lb, news);
    pthread_mutex_unlock(&w->lock);
    spread(w, news, learnt);
    return more;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    const struct signals end = {.fd = w->team->stop_fd};
    int more = 0;
    while (!atomic_load(&w->team->stop) && (more = turn(w)) >= 0) {
        if (!more)
            burst_wait(w->io, NULL, &end, -1, IDLE);
    }
    if (more < 0)
        eventfd_write(w->team->done_fd, 1);
    return NULL;
}

/* What the interface decides. */
static int settle(struct options *o, struct services *t,
                  const struct tmtu_io *io)
{
    struct services_config *config = &o->config;
    const bool capture = io->fd < 0;
    if (config->mtu == 0)
        config->mtu = capture ? 1500 : io->mtu;
    if (config->mtu > UINT16_MAX) /* lo has 65536 */
        config->mtu = UINT16_MAX;
    if (!services_set_mtu(t, config->mtu)) {
        fprintf(stderr,
                "tunmtu-lb: %s: an MTU of %u is less than tunnels need, 68 "
                "bytes over IPv4 and 1280 over IPv6\n",
                o->io, (unsigned)config->mtu);
        return 1;
    }
    config->pass = strcmp(io->ops->name, "tun") == 0;
    /* A capture gives the same bytes each time. On a network, fragments of the
     * run before may still be on their way. */
    config->first_id = 1;
    if (!capture && getrandom(&config->first_id, sizeof config->first_id, 0) !=
                        (ssize_t)sizeof config->first_id)
        config->first_id = 1;
    return 0;
}

static bool worker_init(struct worker *w, unsigned number)
{
    struct services_config config = w->team->options->config;
    config.first_id += number; /* and in steps of as many as there are */
    config.id_step = w->team->n;
    return lb_init(&w->lb, &w->services, &config) && burst_init(&w->in) &&
           burst_init(&w->out);
}

static int no_memory(void)
{
    fputs("tunmtu-lb: no memory\n", stderr);
    return 1;
}

static bool open_queues(struct team *team)
{
    char why[TMTU_IO_WHY];
    do {
        struct worker *w = &team->worker[team->n];
        w->io = tmtu_io_open(team->options->io, why);
        if (w->io == NULL) {
            fprintf(stderr, "tunmtu-lb: %s\n", why);
            return false;
        }
        w->team = team;
        pthread_mutex_init(&w->lock, NULL);
    } while (++team->n < team->options->queues);
    return true;
}

int team_init(struct team *team, struct options *o, struct services *t)
{
    memset(team, 0, sizeof *team);
    team->options = o;
    team->stop_fd = eventfd(0, EFD_CLOEXEC);
    team->done_fd = eventfd(0, EFD_CLOEXEC);
    team->worker = calloc(TMTU_IO_QUEUES, sizeof *team->worker);
    if (team->worker == NULL || team->stop_fd < 0 || team->done_fd < 0) {
        services_free(t);
        return no_memory();
    }
    team->worker[0].services = *t; /* the others have copies */
    if (!open_queues(team))
        return 1;
    const struct tmtu_io *io = team->worker[0].io;
    if (settle(o, &team->worker[0].services, io) != 0)
        return 1;
    for (unsigned i = 0; i < team->n; i++) {
        struct worker *w = &team->worker[i];
        if ((i > 0 &&
             !services_copy(&w->services, &team->worker[0].services)) ||
            !worker_init(w, i))
            return no_memory();
        if (team->n > 1)
            w->lb.peer = &team->worker[(i + 1) % team->n].lb;
    }
    if (io->fd >= 0)
        checks_warn(o, &team->worker[0].services);
    if (o->verbose)
        tell_config(stderr, o, &team->worker[0].services);
    return 0;
}

bool team_start(struct team *team)
{
    for (unsigned i = 0; i < team->n; i++) {
        struct worker *w = &team->worker[i];
        w->runs = pthread_create(&w->thread, NULL, work, w) == 0;
        if (!w->runs) {
            fputs("tunmtu-lb: no thread for a queue\n", stderr);
            return false;
        }
    }
    return true;
}

/* What the others will have, like after[0], whose servers get their numbers.
 * False: there is no memory. */
static bool prepare(struct team *team, struct services *after)
{
    struct worker *first = &team->worker[0];
    team_enter(first); /* all have the same numbers */
    bool ok = services_adopt(&after[0], &first->services);
    team_leave(first);
    for (unsigned i = 0; ok && i < team->n; i++) {
        struct worker *w = &team->worker[i];
        ok = i == 0 || services_copy(&after[i], &after[0]);
        team_enter(w);
        ok = ok && lb_prepare(&w->lb, &after[i], &team->options->config);
        team_leave(w);
    }
    return ok;
}

bool team_reload(struct team *team, struct services *t)
{
    struct services set[TMTU_IO_QUEUES]; /* those to come, then those before */
    memset(set, 0, sizeof set);
    set[0] = *t;
    const bool ok = prepare(team, set);
    for (unsigned i = 0; ok && i < team->n; i++) {
        struct worker *w = &team->worker[i];
        team_enter(w);
        const struct services before = w->services;
        services_inherit(&set[i], &before);
        w->services = set[i];
        lb_adopt(&w->lb, &w->services);
        team_leave(w);
        set[i] = before;
    }
    for (unsigned i = team->n; i-- > 0;) /* copies first */
        services_free(&set[i]);
    return ok;
}

int team_stop(struct team *team)
{
    int status = 0;
    atomic_store(&team->stop, true);
    eventfd_write(team->stop_fd, 1);
    for (unsigned i = 0; i < team->n; i++) {
        struct worker *w = &team->worker[i];
        if (w->runs)
            pthread_join(w->thread, NULL);
        w->runs = false;
        status |= w->status;
    }
    return status;
}

int team_free(struct team *team)
{
    int status = 0;
    for (unsigned i = team->n; i-- > 0;) {
        struct worker *w = &team->worker[i];
        const int rc = tmtu_io_close(w->io); /* NULL is 0 */
        if (rc < 0)
            fprintf(stderr, "tunmtu-lb: %s: %s\n", team->options->io,
                    strerror(-rc));
        status |= rc < 0;
        lb_free(&w->lb);
        services_free(&w->services);
        burst_free(&w->in);
        burst_free(&w->out);
        pthread_mutex_destroy(&w->lock);
    }
    if (team->n == 0 && team->worker != NULL) /* the queues were not opened */
        services_free(&team->worker[0].services);
    free(team->worker);
    close(team->stop_fd);
    close(team->done_fd);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* What one of a team does: burst after burst of its queue. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sys/eventfd.h>

#include "absence.h"
#include "team.h"
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

/* Receives and works on a burst. 0: it was empty; negative: there is nothing
 * more to do. */
static int serve(struct worker *w)
{
    const int n = burst_recv(w->io, &w->in);
    if (n == -ENODATA)
        return -1;
    const int rc = n >= 0 ? burst(w, (unsigned)n) : n;
    if (rc == -ENODEV) {
        absence_begin("tunmtu-lb", &w->io, &w->before);
        w->off_link = 0;
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
    pthread_mutex_lock(&w->lock);
    const bool there = absence_over("tunmtu-lb", w->team->options->io, &w->io);
    const int more = there ? serve(w) : 0;
    const unsigned learnt = lb_news(&w->lb, news);
    pthread_mutex_unlock(&w->lock);
    spread(w, news, learnt);
    return more;
}

void *worker_run(void *arg)
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

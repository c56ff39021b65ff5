/* SPDX-License-Identifier: MIT */
/* Balancers at work, one thread and one queue each. */
#define _GNU_SOURCE
#include "team.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "checks.h"
#include "tell.h"

void team_enter(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    lb_hold(&w->lb); /* from its peers, too */
}

void team_leave(struct worker *w)
{
    lb_release(&w->lb);
    pthread_mutex_unlock(&w->lock);
}

/* What the interface decides. */
static int settle(struct team *team, struct services *t,
                  const struct tmtu_io *io)
{
    struct options *o = team->options;
    struct services_config *config = &o->config;
    const bool capture = io->fd < 0;
    team->follows_mtu = config->mtu == 0 && !capture;
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
    if (settle(team, &team->worker[0].services, io) != 0)
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
        w->runs = pthread_create(&w->thread, NULL, worker_run, w) == 0;
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

/* SPDX-License-Identifier: MIT */
/* Balancers at work, one thread and one queue each. They share nothing that a
 * flow's packet needs; what one of them learns of a path it tells the others
 * after its burst, and about a flow that came by another queue it asks them. */
#ifndef LB_TEAM_H
#define LB_TEAM_H

#include <pthread.h>
#include <stdatomic.h>

#include "burst.h"
#include "lb.h"
#include "options.h"
#include "seldom.h"

struct team;

struct worker {
    pthread_mutex_t lock; /* of what follows, held for each burst */
    struct services services;
    struct lb lb;
    struct tmtu_io *io;    /* NULL: the interface is gone */
    struct tmtu_io before; /* counters of those that there were */
    struct burst in, out;
    uint64_t now;
    uint64_t off_link;       /* packets for servers not on the link, so far */
    struct seldom unreached; /* messages about them */
    struct seldom broken;    /* about ICMP errors with a wrong checksum */
    bool said;               /* that the interface is down */
    int status;              /* what the program exits with */
    bool runs;
    pthread_t thread;
    struct team *team;
};

struct team {
    struct options *options;
    struct worker *worker;
    unsigned n;
    int stop_fd; /* readable: end */
    int done_fd; /* readable: one has ended by itself */
    atomic_bool stop;
    bool follows_mtu;     /* --mtu has not said what it is */
    uint32_t refused_mtu; /* of the interface, too little; 0: none */
};

/* Opens the queues and makes a balancer for each, with services like `t`, which
 * it takes. Returns 0, or the exit status after a sentence on standard error;
 * team_free() in any case. */
int team_init(struct team *team, struct options *o, struct services *t);

/* Begins. False: a thread could not be made. */
bool team_start(struct team *team);

/* Between two bursts of a worker: whoever is not the worker enters and leaves.
 */
void team_enter(struct worker *w);
void team_leave(struct worker *w);

/* Its thread, for pthread_create(): until team.stop, or until there are no more
 * packets. */
void *worker_run(void *worker);

/* Gives all of them services like `t`, which it takes, between two bursts.
 * False: there was no memory, and all stays as it was. */
bool team_reload(struct team *team, struct services *t);

/* To be called now and then: an MTU that the interface has got since is that of
 * the paths from now on. */
void team_follow_mtu(struct team *team);

/* Ends them; returns the exit status. */
int team_stop(struct team *team);

/* Closes the queues and frees all; returns 1 if something was lost by that. */
int team_free(struct team *team);

#endif

/* SPDX-License-Identifier: MIT */
/* What the paths to real servers carry: learnt from errors about tunnels, and
 * forgotten in time. */
#include "lb_own.h"

/* The path of a tunnel's packets. They are on the way themselves: what carries
 * them is no tunnel of ours. */
static struct tmtu_pmtu_path path_of(const struct tmtu_encap *e)
{
    struct tmtu_pmtu_path path = {.tunnel = 0};
    tmtu_copy(path.src, e->src, 16);
    tmtu_copy(path.dst, e->dst, 16);
    return path;
}

void lb_path_ask(struct lb *lb, struct server *server)
{
    const struct tmtu_pmtu_path path = path_of(&server->tunnel.encap);
    struct tmtu_pmtu_answer answer;
    if (server->forward != LB_TUNNEL) { /* nothing to learn from */
        server->ask = UINT64_MAX;
        return;
    }
    (void)tmtu_pmtu_lookup(lb->pmtu, &path, lb->mtu, lb->now, &answer);
    /* It cannot be too little: the floors are what tunnels need. */
    if (services_tune(server, answer.mtu, answer.locked))
        server->ask = answer.expiry;
}

void lb_path_move(struct lb *lb, struct tmtu_pmtu *to,
                  const struct tmtu_pmtu_options *options)
{
    const struct services *t = lb->services;
    for (uint32_t i = 0; i < t->tunnels; i++) {
        const struct tmtu_pmtu_path path = path_of(&t->tunnel[i]->tunnel.encap);
        struct tmtu_pmtu_answer is;
        if (tmtu_pmtu_lookup(lb->pmtu, &path, lb->mtu, lb->now, &is) != 1 ||
            is.expiry < options->expiry || is.expiry == UINT64_MAX)
            continue;
        /* As it was told, when it was: less than the floor is what locks. */
        const struct tmtu_pmtu_error error = {.mtu = is.locked ? 1 : is.mtu,
                                              .validated = 1};
        (void)tmtu_pmtu_learn(to, &path, &error, lb->mtu,
                              is.expiry - options->expiry);
    }
}

/* True: it is less than was known. */
static bool learn(struct lb *lb, const struct tmtu_encap *e,
                  const struct tmtu_pmtu_error *error)
{
    const struct tmtu_pmtu_path path = path_of(e);
    const struct services *t = lb->services;
    if (tmtu_pmtu_learn(lb->pmtu, &path, error, lb->mtu, lb->now) !=
        TMTU_PMTU_LEARNT)
        return false;
    /* Rare: an MTU falls a few times at most until it is forgotten. */
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < t->service[i].servers; j++) {
            struct server *other = &t->service[i].server[j];
            if (tmtu_addr_equal(other->tunnel.encap.dst, path.dst))
                lb_path_ask(lb, other);
        }
    }
    return true;
}

void lb_path_learn(struct lb *lb, const struct server *server,
                   const struct tmtu_pmtu_error *error)
{
    const struct tmtu_encap *e = &server->tunnel.encap;
    if (!learn(lb, e, error) || lb->learnt == LB_NEWS)
        return;
    tmtu_copy(lb->news[lb->learnt].addr, e->dst, 16);
    lb->news[lb->learnt].time = lb->now;
    lb->news[lb->learnt++].error = *error;
}

unsigned lb_news(struct lb *lb, struct lb_news news[LB_NEWS])
{
    const unsigned n = lb->learnt;
    for (unsigned i = 0; i < n; i++)
        news[i] = lb->news[i];
    lb->learnt = 0;
    return n;
}

void lb_hear(struct lb *lb, const struct lb_news *news)
{
    const struct services *t = lb->services;
    if (lb->now < news->time) /* its own last packet may be of long ago */
        lb->now = news->time;
    for (uint32_t i = 0; i < t->tunnels; i++) {
        const struct tmtu_encap *e = &t->tunnel[i]->tunnel.encap;
        if (tmtu_addr_equal(e->dst, news->addr)) {
            (void)learn(lb, e, &news->error);
            return;
        }
    }
}

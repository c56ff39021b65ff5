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

/* Where the path may carry even less than the floor, packets go without DF, so
 * that routers can cut them (K98). */
static void set_df(struct tmtu_tunnel *t, bool locked)
{
    const uint8_t df = locked || t->mtu.policy == TMTU_MTU_FRAGMENT
                           ? TMTU_DF_CLEAR
                           : TMTU_DF_COPY;
    struct tmtu_tunnel changed = *t;
    if (t->encap.df == df)
        return;
    changed.encap.df = df;
    if (tmtu_tunnel_check(&changed) == 0)
        *t = changed;
}

void lb_path_ask(struct lb *lb, struct server *server)
{
    struct tmtu_tunnel *t = &server->tunnel;
    const struct tmtu_pmtu_path path = path_of(&t->encap);
    struct tmtu_pmtu_answer answer;
    if (server->forward != LB_TUNNEL) { /* nothing to learn from */
        server->ask = UINT64_MAX;
        return;
    }
    (void)tmtu_pmtu_lookup(lb->pmtu, &path, lb->mtu, lb->now, &answer);
    server->ask = answer.expiry;
    t->mtu.path_mtu = answer.mtu;
    set_df(t, answer.locked);
}

void lb_path_learn(struct lb *lb, const struct server *server,
                   const struct tmtu_pmtu_error *error)
{
    const struct tmtu_pmtu_path path = path_of(&server->tunnel.encap);
    const struct services *t = lb->services;
    if (tmtu_pmtu_learn(lb->pmtu, &path, error, lb->mtu, lb->now) !=
        TMTU_PMTU_LEARNT)
        return;
    /* Rare: an MTU falls a few times at most until it is forgotten. */
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < t->service[i].servers; j++) {
            struct server *other = &t->service[i].server[j];
            if (other->forward == LB_TUNNEL &&
                tmtu_addr_equal(other->tunnel.encap.dst, path.dst))
                lb_path_ask(lb, other);
        }
    }
}

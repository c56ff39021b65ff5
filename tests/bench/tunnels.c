/* SPDX-License-Identifier: MIT */
/* Each kind of tunnel beside IP in IP: the headers pushed, the whole way in,
 * the whole way out. */
#include <stdio.h>
#include <string.h>

#include <tunmtu/hash.h>
#include <tunmtu/tunnel.h>

#include "bench.h"

enum { TUNNELS = 64, ROOM_SMALL = 384, ROOM_BIG = 1920 };

static const struct {
    const char *name;
    uint8_t kind, flags;
    uint8_t outer; /* family, if only over this one */
    enum bench_kind size;
} tunnels[] = {
    {"ipip, limit", TMTU_ENCAP_IPIP, TMTU_ENCAP_TEL, 6, BENCH_SMALL},
    {"gre", TMTU_ENCAP_GRE, 0, 0, BENCH_SMALL},
    {"gre, key, seq", TMTU_ENCAP_GRE, TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ, 0,
     BENCH_SMALL},
    {"gue", TMTU_ENCAP_GUE, TMTU_ENCAP_ZERO6, 0, BENCH_SMALL},
    {"gue 1", TMTU_ENCAP_GUE1, TMTU_ENCAP_ZERO6, 0, BENCH_SMALL},
    {"greudp", TMTU_ENCAP_GREUDP, TMTU_ENCAP_ZERO6, 0, BENCH_SMALL},
    {"gre, sum", TMTU_ENCAP_GRE, TMTU_ENCAP_CSUM, 0, BENCH_SMALL},
    {"gue, sum", TMTU_ENCAP_GUE, TMTU_ENCAP_CSUM, 0, BENCH_SMALL},
    {"gre, sum, 1500", TMTU_ENCAP_GRE, TMTU_ENCAP_CSUM, 0, BENCH_BIG},
    {"gue, sum, 1500", TMTU_ENCAP_GUE, TMTU_ENCAP_CSUM, 0, BENCH_BIG},
};

/* [0]: the tunnel that is measured, [1]: IP in IP; each with packets that have
 * its headers in front already, for the way out. */
static struct tmtu_tunnel side[2];
static uint64_t mem[2][TUNNELS * ROOM_BIG / 8];

static inline struct tmtu_buf room(const struct bench_packet *p, size_t head)
{
    const struct tmtu_buf b = {(uint8_t *)(p->pkt + 1), p->ip - head,
                               p->ip + p->len, p->ip + p->len};
    return b;
}

static inline size_t push(const struct bench_set *set, int k)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_buf b = room(&set->p[i], 0);
        const struct tmtu_encap_each each = {(uint32_t)i, (uint32_t)i + 1};
        good += tmtu_encap_push(&b, set->p[i].pkt, &side[k].encap, &each) == 0;
    }
    return good;
}

/* As far as the server is known: a hash there has to be, of which ports and
 * flow labels are made. */
static inline size_t in(const struct bench_set *set, int k)
{
    static const struct tmtu_hash_key key = {0x9e3779b97f4a7c15u,
                                             0xd6e8feb86659fd93u};
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_buf b = room(&set->p[i], 0);
        struct tmtu_pkt pkt;
        struct tmtu_verdict verdict;
        if (tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &pkt) < 0)
            continue;
        const uint64_t hash = tmtu_hash_flow(&key, &pkt.flow);
        const struct tmtu_encap_each each = {(uint32_t)i, (uint32_t)hash};
        good += tmtu_tunnel_send(&b, &pkt, &side[k], &each, &verdict) == 1;
    }
    return good;
}

static inline size_t out(const struct bench_set *set, int k)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_buf b = room(&set->p[i], side[k].mtu.overhead);
        struct tmtu_pkt outer, inner;
        good += tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &outer) == 0 &&
                tmtu_encap_pull(&b, &outer, &side[k].encap, &inner) == TMTU_OK;
    }
    return good;
}

static size_t push_it(const struct bench_set *set)
{
    return push(set, 0);
}
static size_t push_ipip(const struct bench_set *set)
{
    return push(set, 1);
}
static size_t in_it(const struct bench_set *set)
{
    return in(set, 0);
}
static size_t in_ipip(const struct bench_set *set)
{
    return in(set, 1);
}
static size_t out_it(const struct bench_set *set)
{
    return out(set, 0);
}
static size_t out_ipip(const struct bench_set *set)
{
    return out(set, 1);
}

static void open_tunnel(struct tmtu_tunnel *t, uint8_t kind, uint8_t flags,
                        int ipver)
{
    *t = (struct tmtu_tunnel)TMTU_TUNNEL_INIT;
    if (ipver == 4) {
        tmtu_addr_set4(t->encap.src, (const uint8_t[]){10, 0, 0, 1});
        tmtu_addr_set4(t->encap.dst, (const uint8_t[]){10, 1, 0, 1});
    } else {
        tmtu_put32(t->encap.src, 0xfd000000u);
        tmtu_put32(t->encap.dst, 0xfd000001u);
        t->encap.src[15] = t->encap.dst[15] = 1;
    }
    t->encap.kind = kind;
    t->encap.flags = flags;
    t->encap.key = 0x01020304;
    t->mtu.path_mtu = 1600; /* a long one fits */
    if (tmtu_tunnel_check(t) < 0)
        bench_die("a tunnel is refused");
}

/* Packets with one forwarded inside: hop limits are as after the way in, and
 * all of them come out again. */
static void fill(struct bench_set *set, int k, enum bench_kind size, int ipver)
{
    bench_make(set, size, ipver);
    if (in(set, k) != set->n || out(set, k) != set->n)
        bench_die("a packet did not go through its tunnel");
    bench_refresh(set);
    if (push(set, k) != set->n || out(set, k) != set->n)
        bench_die("a packet did not go into its tunnel");
}

void tunnels_run(const char *only)
{
    static const struct {
        const char *name;
        bench_way *it, *ipip;
    } ways[] = {
        {"push", push_it, push_ipip},
        {"in", in_it, in_ipip},
        {"out", out_it, out_ipip},
    };
    struct bench_packet packets[2][TUNNELS];
    struct bench_set sets[2];
    int begun = 0;
    for (size_t i = 0; i < sizeof tunnels / sizeof tunnels[0]; i++) {
        for (int ipver = 4; ipver <= 6; ipver += 2) {
            const enum bench_kind size = tunnels[i].size;
            if ((tunnels[i].outer != 0 && tunnels[i].outer != ipver) ||
                (only != NULL && strstr(tunnels[i].name, only) == NULL &&
                 strcmp(only, "tunnel") != 0))
                continue;
            if (!begun++)
                bench_head("ipip");
            for (int k = 0; k < 2; k++) {
                const size_t step = size == BENCH_SMALL ? ROOM_SMALL : ROOM_BIG;
                sets[k] = (struct bench_set){packets[k], TUNNELS, 0};
                for (size_t n = 0; n < TUNNELS; n++) {
                    uint8_t *p = (uint8_t *)mem[k] + n * step;
                    packets[k][n].pkt = (struct tmtu_pkt *)(void *)p;
                    packets[k][n].ip = p + BENCH_AT;
                }
            }
            open_tunnel(&side[0], tunnels[i].kind, tunnels[i].flags, ipver);
            open_tunnel(&side[1], TMTU_ENCAP_IPIP, 0, ipver);
            for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
                for (int k = 0; k < 2; k++)
                    fill(&sets[k], k, size, ipver);
                bench_compare(tunnels[i].name, ipver, ways[w].name, ways[w].it,
                              &sets[0], ways[w].ipip, &sets[1]);
            }
        }
    }
}

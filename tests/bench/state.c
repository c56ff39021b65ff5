/* SPDX-License-Identifier: MIT */
/* Whose a packet is, and where it goes: errors down to a server, fragments by
 * their first one, with few and many of them; beside reading an ordinary
 * packet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tunmtu/follow.h>

#include "bench.h"

enum { PACKETS = 64, ROOM = 1856, MOST_FRAGMENTS = 1000000 };

/* ---- owner ---- */

static inline size_t steer(const struct bench_set *set, unsigned how)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_pkt pkt;
        struct tmtu_owner owner;
        if (tmtu_ip_parse(tmtu_view(set->p[i].ip, set->p[i].len),
                          TMTU_IP_VERIFY, &pkt) < 0)
            continue;
        good += tmtu_owner_of(&pkt, how, &owner) == TMTU_OWNER_PORTS &&
                ways_server(&owner.flow) >= 0;
    }
    return good;
}

static size_t steer_it(const struct bench_set *set)
{
    return steer(set, 0);
}
static size_t steer_through(const struct bench_set *set)
{
    return steer(set, TMTU_OWNER_TUNNELS);
}

/* Big packets become errors about tunnel packets that they are in. */
static void wrap(const struct bench_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        struct bench_packet *p = &set->p[i];
        uint8_t room[ROOM];
        struct tmtu_buf in = tmtu_buf(room, sizeof room, 64);
        struct tmtu_buf out = tmtu_buf(p->ip, ROOM - BENCH_AT, 0);
        struct tmtu_encap encap = TMTU_ENCAP_INIT;
        const struct tmtu_encap_each each = {1, 1};
        struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
        struct tmtu_pkt outer;
        memcpy(tmtu_buf_put(&in, p->len), p->ip, p->len);
        memcpy(encap.src, ways_server_addr(0, p->pkt->flow.ipver), 16);
        memcpy(encap.dst, ways_server_addr(1, p->pkt->flow.ipver), 16);
        error.kind = TMTU_ICMP_TOO_BIG;
        error.info = 1400;
        if (tmtu_encap_push(&in, p->pkt, &encap, &each) < 0 ||
            tmtu_ip_parse(tmtu_buf_view(&in), 0, &outer) < 0 ||
            tmtu_icmp_build(&out, &outer, &error) < 0)
            bench_die("no error about a tunnel packet");
        p->len = (uint32_t)tmtu_buf_len(&out);
    }
}

/* What is measured sends packets where they should go. */
static void check(const struct bench_set *set, int ipver, unsigned how)
{
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_pkt pkt;
        struct tmtu_owner owner;
        struct tmtu_flow flow;
        bench_flow(&flow, i, ipver);
        if (how != 0) /* what goes to servers is quoted, not what they send */
            flow = tmtu_flow_reverse(&flow);
        if (tmtu_ip_parse(tmtu_view(set->p[i].ip, set->p[i].len), 0, &pkt) < 0)
            bench_die("an error does not parse");
        tmtu_owner_of(&pkt, how, &owner);
        if (!tmtu_flow_equal(&owner.flow, &flow))
            bench_die("a packet of somebody else");
    }
}

/* ---- follow ---- */

static struct tmtu_follow *table;
static uint32_t packets; /* whose first fragment is known */
static uint32_t next, stride;
static uint64_t now;

static inline struct tmtu_owner fragment(uint32_t i, int later)
{
    struct tmtu_owner o;
    uint8_t ip4[4];
    tmtu_put32(ip4, 0x0a000000u + (i >> 8));
    tmtu_addr_set4(o.fragment.src, ip4);
    tmtu_put32(ip4, 0x0b000001u);
    tmtu_addr_set4(o.fragment.dst, ip4);
    o.fragment.id = i & 0xffffu;
    o.fragment.proto = 17;
    o.fragment.ipver = 4;
    o.fragment.later = (uint8_t)later;
    o.fragment.quoted = 0;
    memcpy(o.flow.src, o.fragment.src, 32);
    tmtu_flow_set_ports(&o.flow, 4, 17, (uint16_t)(i | 1), 443,
                        TMTU_FLOW_PORTS);
    o.by = TMTU_OWNER_PORTS;
    if (later) {
        tmtu_flow_set_ports(&o.flow, 4, 17, 0, 0, 0);
        o.by = TMTU_OWNER_FRAGMENT;
    }
    return o;
}

/* All of them in turn, and no two neighbours. */
static inline uint32_t step(void)
{
    next += stride;
    if (next >= packets)
        next -= packets;
    return next;
}

static inline size_t later(const struct bench_set *set, uint32_t from)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_owner o = fragment(from + step(), 1);
        good += tmtu_follow_owner(table, &o, now) != TMTU_FOLLOW_NONE;
        bench_keep(o.flow.sport);
    }
    return good;
}

static size_t follow_find(const struct bench_set *set)
{
    return later(set, 0);
}
static size_t follow_miss(const struct bench_set *set)
{
    return later(set, MOST_FRAGMENTS);
}

/* First fragments without end: each pushes out another. */
static size_t follow_learn(const struct bench_set *set)
{
    static uint32_t i = 2 * MOST_FRAGMENTS;
    size_t good = 0;
    for (size_t k = 0; k < set->n; k++) {
        struct tmtu_owner o = fragment(i++, 0);
        now++;
        good += tmtu_follow_owner(table, &o, now) == TMTU_FOLLOW_LEARNT;
    }
    return good;
}

/* A table twice as large as needed. */
static void fill(uint32_t n)
{
    const struct tmtu_follow_options options = TMTU_FOLLOW_INIT;
    const struct tmtu_hash_key key = {1, 2};
    size_t entries = 4, known = 0;
    while (entries < 2 * (size_t)n)
        entries *= 2;
    /* C11 wants a multiple of the alignment. */
    void *mem = aligned_alloc(64, (tmtu_follow_sizeof(entries) + 63) / 64 * 64);
    table = mem == NULL ? NULL : tmtu_follow_init(mem, entries, &options, &key);
    if (table == NULL)
        bench_die("no table");
    packets = n;
    next = 0;
    stride = 514229 % n; /* shares no divisor with 10 */
    for (uint32_t i = 0; i < n; i++) {
        struct tmtu_owner o = fragment(i, 0);
        tmtu_follow_owner(table, &o, now);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct tmtu_owner o = fragment(i, 1);
        known += tmtu_follow_owner(table, &o, now) == TMTU_FOLLOW_FOUND &&
                 o.flow.sport == (uint16_t)(i | 1);
    }
    if (known < n - n / 20)
        bench_die("fragments are forgotten");
}

/* ---- rows ---- */

static uint64_t mem[2][PACKETS * ROOM / 8];
static struct bench_packet list[2][PACKETS];

static struct bench_set make(int k, enum bench_kind kind, int ipver)
{
    const struct bench_set set = {list[k], PACKETS, 0};
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t *p = (uint8_t *)mem[k] + i * ROOM;
        list[k][i].pkt = (struct tmtu_pkt *)(void *)p;
        list[k][i].ip = p + BENCH_AT;
    }
    bench_make(&set, kind, ipver);
    return set;
}

static void follow_run(void)
{
    static const struct {
        const char *name;
        bench_way *way;
    } ways[] = {
        {"follow, find", follow_find},
        {"follow, miss", follow_miss},
        {"follow, learn", follow_learn}, /* last: nothing else stays known */
    };
    const struct bench_set set = make(0, BENCH_SMALL, 4);
    for (uint32_t n = 100; n <= MOST_FRAGMENTS; n *= 10) {
        char what[24];
        snprintf(what, sizeof what, "%u packets", (unsigned)n);
        fill(n);
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
            bench_compare(ways[i].name, 4, what, ways[i].way, &set, ways_parse,
                          &set);
        free(table);
    }
}

void state_run(const char *only)
{
    static const struct {
        const char *name;
        enum bench_kind kind;
        bench_way *way;
    } rows[] = {
        {"owner, packet", BENCH_SMALL, steer_it},
        {"owner, error", BENCH_ERROR, steer_it},
        {"owner, tunnel's", BENCH_BIG, steer_through},
    };
    if (only != NULL && strstr("owner", only) == NULL &&
        strstr("follow", only) == NULL)
        return;
    bench_head("parse");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int ipver = 4; ipver <= 6; ipver += 2) {
            const struct bench_set plain = make(1, BENCH_SMALL, ipver);
            const struct bench_set set = make(0, rows[i].kind, ipver);
            if (only != NULL && strstr("owner", only) == NULL)
                continue;
            if (rows[i].kind == BENCH_BIG)
                wrap(&set);
            check(&set, ipver, rows[i].kind == BENCH_BIG);
            bench_compare(rows[i].name, ipver, "64 in cache", rows[i].way, &set,
                          ways_parse, &plain);
        }
    if (only == NULL || strstr("follow", only) != NULL)
        follow_run();
}

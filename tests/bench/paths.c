/* SPDX-License-Identifier: MIT */
/* The path-MTU cache with few and many paths, beside parsing a packet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tunmtu/pmtu.h>

#include "bench.h"

enum { PACKETS = 64, ROOM = 320, MOST_PATHS = 1000000, LINK = 1500 };

static struct tmtu_pmtu *cache;
static uint32_t paths; /* that are known */
static uint32_t next;  /* the one that is asked for next */
static uint32_t stride;
static uint64_t now;

/* As a balancer has them: one source, many real servers behind tunnels. */
static inline struct tmtu_pmtu_path path(uint32_t i)
{
    struct tmtu_pmtu_path p;
    uint8_t ip4[4];
    tmtu_put32(ip4, 0x0a000000u + i);
    tmtu_addr_set4(p.dst, ip4);
    tmtu_put32(ip4, 0x0b000001u);
    tmtu_addr_set4(p.src, ip4);
    p.tunnel = 0;
    return p;
}

/* All of them in turn, and no two neighbours. */
static inline uint32_t step(void)
{
    next += stride;
    if (next >= paths)
        next -= paths;
    return next;
}

static inline size_t lookup(const struct bench_set *set, uint32_t from)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct tmtu_pmtu_path p = path(from + step());
        struct tmtu_pmtu_answer a;
        bench_keep((uint64_t)tmtu_pmtu_lookup(cache, &p, LINK, now, &a));
        good += a.mtu <= LINK;
    }
    return good;
}

static size_t lookup_known(const struct bench_set *set)
{
    return lookup(set, 0);
}

static size_t lookup_unknown(const struct bench_set *set)
{
    return lookup(set, MOST_PATHS);
}

/* What comes of each further packet that is too big. */
static size_t learn_again(const struct bench_set *set)
{
    const struct tmtu_pmtu_error error = {1400, 0, 20, 1};
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct tmtu_pmtu_path p = path(step());
        good +=
            tmtu_pmtu_learn(cache, &p, &error, LINK, now) < TMTU_PMTU_HIGHER;
    }
    return good;
}

/* Paths without end: each pushes out another. */
static size_t learn_new(const struct bench_set *set)
{
    static uint32_t i = 2 * MOST_PATHS;
    const struct tmtu_pmtu_error error = {1400, 0, 20, 1};
    size_t good = 0;
    for (size_t k = 0; k < set->n; k++) {
        const struct tmtu_pmtu_path p = path(i++);
        now++;
        good +=
            tmtu_pmtu_learn(cache, &p, &error, LINK, now) == TMTU_PMTU_LEARNT;
    }
    return good;
}

/* A cache twice as large as needed, in which `n` paths are known. */
static void fill(uint32_t n)
{
    const struct tmtu_pmtu_options options = TMTU_PMTU_INIT;
    const struct tmtu_hash_key key = {1, 2};
    const struct tmtu_pmtu_error error = {1400, 0, 20, 1};
    struct tmtu_pmtu_answer a;
    size_t entries = 4, known = 0;
    while (entries < 2 * (size_t)n)
        entries *= 2;
    /* C11 wants a multiple of the alignment. */
    void *mem = aligned_alloc(64, (tmtu_pmtu_sizeof(entries) + 63) / 64 * 64);
    cache = mem == NULL ? NULL : tmtu_pmtu_init(mem, entries, &options, &key);
    if (cache == NULL)
        bench_die("no cache");
    paths = n;
    next = 0;
    stride = 514229 % n; /* shares no divisor with 10 */
    for (uint32_t i = 0; i < n; i++) {
        const struct tmtu_pmtu_path p = path(i);
        tmtu_pmtu_learn(cache, &p, &error, LINK, now);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct tmtu_pmtu_path p = path(i);
        known +=
            tmtu_pmtu_lookup(cache, &p, LINK, now, &a) == 1 && a.mtu == 1400;
    }
    if (known < n - n / 20)
        bench_die("paths are forgotten");
}

void paths_run(const char *only)
{
    static const struct {
        const char *name;
        bench_way *way;
    } ways[] = {
        {"pmtu, known", lookup_known},
        {"pmtu, unknown", lookup_unknown},
        {"pmtu, again", learn_again},
        {"pmtu, new", learn_new}, /* last: it leaves no path known */
    };
    static uint64_t mem[PACKETS * ROOM / 8];
    struct bench_packet packets[PACKETS];
    const struct bench_set set = {packets, PACKETS, 0};
    if (only != NULL && strstr("pmtu", only) == NULL)
        return;
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t *p = (uint8_t *)mem + i * ROOM;
        packets[i].pkt = (struct tmtu_pkt *)(void *)p;
        packets[i].ip = p + BENCH_AT;
    }
    bench_make(&set, BENCH_SMALL, 4);
    bench_head("parse");
    for (uint32_t n = 100; n <= MOST_PATHS; n *= 10) {
        char what[24];
        snprintf(what, sizeof what, "%u paths", (unsigned)n);
        fill(n);
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
            bench_compare(ways[i].name, 4, what, ways[i].way, &set, ways_parse,
                          &set);
        free(cache);
    }
}

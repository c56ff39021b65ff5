/* SPDX-License-Identifier: MIT */
/* The table of flows with few and many flows, beside parsing a packet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tunmtu/flows.h>

#include "bench.h"

enum { PACKETS = 64, ROOM = 320, MOST_FLOWS = 10000000 };

static const uint64_t LIFETIME = 900000000000u; /* of IPVS's connections */

static struct tmtu_flows *table;
static uint32_t flows; /* that are in it */
static uint32_t next;  /* the one that is asked for next */
static uint32_t stride;
static size_t room; /* places of the table */
static uint64_t now;

/* Of client after client to one service. */
static inline struct tmtu_flow flow(uint32_t i)
{
    struct tmtu_flow f;
    uint8_t ip4[4];
    tmtu_put32(ip4, 0x0a000000u + i / 8);
    tmtu_addr_set4(f.src, ip4);
    tmtu_put32(ip4, 0x0b000001u);
    tmtu_addr_set4(f.dst, ip4);
    tmtu_flow_set_ports(&f, 4, 6, (uint16_t)(1024 + i), 443, TMTU_FLOW_PORTS);
    return f;
}

/* All of them in turn, and no two neighbours. */
static inline uint32_t step(void)
{
    next += stride;
    if (next >= flows)
        next -= flows;
    return next;
}

/* As a packet of an established connection does. */
static size_t hit(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct tmtu_flow f = flow(step());
        now += 1000;
        const int place = tmtu_flows_find(table, &f, now);
        if (place < 0)
            continue;
        tmtu_flows_keep(table, place, TMTU_FLOWS_CONFIRMED, LIFETIME, now);
        good += *tmtu_flows_value(table, place) == next;
    }
    return good;
}

static size_t miss(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct tmtu_flow f = flow(MOST_FLOWS + step());
        good += tmtu_flows_find(table, &f, now) < 0;
    }
    return good;
}

/* Flows without end, as of a flood: each pushes out another. */
static size_t insert(const struct bench_set *set)
{
    static uint32_t i = 2 * MOST_FLOWS;
    size_t good = 0;
    for (size_t k = 0; k < set->n; k++) {
        const struct tmtu_flow f = flow(i++);
        now += 1000;
        good += tmtu_flows_put(table, &f, i, LIFETIME, now) >= 0;
    }
    return good;
}

/* The hand over places of which half are taken, none of them over. */
static size_t age(const struct bench_set *set)
{
    bench_keep((uint64_t)tmtu_flows_sweep(table, set->n, now));
    return set->n;
}

/* Bytes of memory that nobody needs, as far as the system says. */
static size_t spare(void)
{
    char line[128];
    unsigned long long kb = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f != NULL && kb == 0 && fgets(line, sizeof line, f) != NULL)
        (void)!sscanf(line, "MemAvailable: %llu kB", &kb);
    if (f != NULL)
        fclose(f);
    return (size_t)kb * 1024;
}

/* A table with room for half as many flows more, or up to twice that, in which
 * `n` are confirmed. 0: this is too much for this machine. */
static int fill(uint32_t n)
{
    const struct tmtu_hash_key key = {1, 2};
    size_t found = 0;
    for (room = 16; room < n + n / 2;)
        room *= 2;
    /* C11 wants a multiple of the alignment. */
    const size_t size = (tmtu_flows_sizeof(room) + 63) / 64 * 64;
    if (n > 1000000 && spare() < 2 * size) {
        printf("# %u flows: not measured, they want %zu MB twice\n", n,
               size >> 20);
        return 0;
    }
    void *mem = aligned_alloc(64, size);
    table = mem == NULL ? NULL : tmtu_flows_init(mem, room, &key);
    if (table == NULL)
        bench_die("no table");
    flows = n;
    next = 0;
    stride = 514229 % n; /* shares no divisor with 10 */
    for (uint32_t i = 0; i < n; i++) {
        const struct tmtu_flow f = flow(i);
        const int place = tmtu_flows_put(table, &f, i, LIFETIME, now);
        if (place >= 0)
            tmtu_flows_keep(table, place, TMTU_FLOWS_CONFIRMED, LIFETIME, now);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct tmtu_flow f = flow(i);
        found += tmtu_flows_find(table, &f, now) >= 0;
    }
    if (found != n)
        bench_die("flows are not found");
    return 1;
}

void flows_run(const char *only, int quick)
{
    static const struct {
        const char *name;
        bench_way *way;
    } ways[] = {
        {"flows, hit", hit},
        {"flows, miss", miss},
        {"flows, age", age},       /* a place */
        {"flows, insert", insert}, /* last: it fills the table */
    };
    static uint64_t mem[PACKETS * ROOM / 8];
    struct bench_packet packets[PACKETS];
    const struct bench_set set = {packets, PACKETS, 0};
    if (only != NULL && strstr("flows", only) == NULL)
        return;
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t *p = (uint8_t *)mem + i * ROOM;
        packets[i].pkt = (struct tmtu_pkt *)(void *)p;
        packets[i].ip = p + BENCH_AT;
    }
    bench_make(&set, BENCH_SMALL, 4);
    bench_head("parse");
    const uint32_t most = quick ? MOST_FLOWS / 10 : MOST_FLOWS;
    for (uint32_t n = 1000; n <= most; n *= 10) {
        char what[24];
        snprintf(what, sizeof what, "%u flows", (unsigned)n);
        if (!fill(n))
            break;
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
            bench_compare(ways[i].name, 4, what, ways[i].way, &set, ways_parse,
                          &set);
        free(table);
    }
}

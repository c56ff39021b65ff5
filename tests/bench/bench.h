/* SPDX-License-Identifier: MIT */
/* What the parts of the benchmark share: packets, and ways to treat one. */
#ifndef TMTU_BENCH_H
#define TMTU_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include <tunmtu/icmp.h>

enum {
    BENCH_SERVERS = 100,
    BENCH_RING = 65537,
    BENCH_PATH = 1500, /* to each server */
    BENCH_AT = 206,    /* of the packet in its room: headroom, and an IP header
                          no better aligned than behind Ethernet */
    BENCH_TTL = 255    /* so many times less one can a packet be forwarded */
};

/* What is in the packets. */
enum bench_kind {
    BENCH_SMALL, /* TCP, 64 bytes (IPv4) or 84 (IPv6) */
    BENCH_BIG,   /* TCP, 1500 bytes */
    BENCH_ERROR  /* "too big" from a router, about a big one sent by dst */
};

/* A packet in its room, as a driver hands it over. */
struct bench_packet {
    uint8_t *ip;
    uint32_t len;
    struct tmtu_pkt *pkt; /* parsed; in the same room, in front */
};

struct bench_set {
    struct bench_packet *p;
    size_t n;
    size_t ahead; /* packets; prefetched so far ahead, 0: not at all */
};

/* A way goes once over all packets and returns how many it did well. Both
 * sides are set up by their own init, and are given the same hash ring. */
typedef size_t bench_way(const struct bench_set *set);

/* packets.c */
void bench_make(const struct bench_set *set, enum bench_kind kind, int ipver);
void bench_refresh(const struct bench_set *set);
void bench_flow(struct tmtu_flow *flow, size_t i, int ipver);
uint32_t bench_len(enum bench_kind kind, int ipver);
uint16_t bench_sum(uint32_t sum, const uint8_t *p, size_t n);
void bench_die(const char *why);

/* ways.c: tunmtu. floor.c: the least that can be done. */
void ways_init(void);
int ways_server(const struct tmtu_flow *flow);
const uint8_t *ways_server_addr(int server, int ipver);
const uint8_t *ways_copy(size_t i);
bench_way ways_parse, ways_hash, ways_steer, ways_balance;
bench_way ways_wrap, ways_build, ways_read;

/* The same where flows are remembered, and the first packet of each; and for
 * errors, whole ways as well. Zero: it is no packet for a server. */
struct tmtu_flows;
int ways_keep(struct tmtu_flows *flows, const struct tmtu_flow *flow);
int ways_balance_kept(struct tmtu_flows *flows, const struct bench_packet *p,
                      uint32_t id, uint64_t now);
int ways_steer_error(const struct bench_packet *p, uint32_t id);

void floor_init(void);
const uint8_t *floor_copy(size_t i);
bench_way floor_parse4, floor_hash4, floor_steer4, floor_balance4;
bench_way floor_wrap4, floor_build4, floor_read4;
bench_way floor_parse6, floor_hash6, floor_steer6, floor_balance6;
bench_way floor_wrap6, floor_build6, floor_read6;

/* nat.c: translation, beside reading. */
void nat_run(const char *only);

/* tunnels.c: kinds of tunnels beside IP in IP. */
void tunnels_run(const char *only);

/* paths.c: the path-MTU cache. */
void paths_run(const char *only);

/* flows.c: the table of flows. */
void flows_run(const char *only, int quick);

/* fleet.c: one balancer of many. */
void fleet_run(const char *only, int quick);

/* errors.c: errors about our own tunnel packets. */
void errors_run(const char *only);

/* state.c: whose a packet is, and whose a fragment. */
void state_run(const char *only);

/* bench.c: heads a table, and makes a row of it: two ways in turns. */
void bench_head(const char *other);
void bench_compare(const char *name, int ipver, const char *what,
                   bench_way *way, const struct bench_set *set,
                   bench_way *other, const struct bench_set *other_set);

/* check.c: what the ways leave behind is right. */
void check_balance(const struct bench_set *set, int ipver, int tunmtu);
void check_error(const struct bench_set *set, int ipver, const uint8_t *msg,
                 size_t i);
void check_values(const struct bench_set *set, enum bench_kind kind, int ipver);

/* Both lines that a forwarder touches: headroom, and headers. */
static inline void bench_prefetch(const struct bench_set *set, size_t i)
{
    if (set->ahead != 0 && i + set->ahead < set->n) {
        const uint8_t *ip = set->p[i + set->ahead].ip;
        __builtin_prefetch(ip - 40, 1);
        __builtin_prefetch(ip + 43, 1);
    }
}

/* Makes the compiler believe that the value is needed. */
static inline void bench_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value));
}

#endif

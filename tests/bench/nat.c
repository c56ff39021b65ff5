/* SPDX-License-Identifier: MIT */
/* Translation beside reading what is to be translated: the destination of a
 * packet, and that of an error with the source that it quotes. */
#include <stdio.h>
#include <string.h>

#include <tunmtu/nat.h>

#include "bench.h"

enum { NATS = 64, ROOM = 1856 };

/* There, and back: each way goes over packets that were rewritten before. */
static struct tmtu_nat nats[2];
static unsigned turn;
static uint64_t mem[NATS * ROOM / 8];

static inline size_t translate(const struct bench_set *set, int errors)
{
    const struct tmtu_nat *nat = &nats[turn++ % 2];
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        uint8_t *ip = set->p[i].ip;
        struct tmtu_buf b = {ip, ip, ip + set->p[i].len, ip + set->p[i].len};
        struct tmtu_pkt pkt;
        struct tmtu_icmp icmp;
        if (tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &pkt) < 0)
            continue;
        if (!errors)
            good += tmtu_nat_packet(&b, &pkt, nat) == 0;
        else if (tmtu_icmp_parse(&pkt, &icmp) == 0)
            good += tmtu_nat_error(&b, &pkt, &icmp, nat) == 0;
    }
    return good;
}

static size_t packet(const struct bench_set *set)
{
    return translate(set, 0);
}
static size_t error(const struct bench_set *set)
{
    return translate(set, 1);
}

/* What translation leaves as it is: the sum of the transport packet, with the
 * addresses where they belong to it. */
static uint16_t sum_of(const struct bench_packet *p, int ipver, int errors)
{
    const uint8_t *ip = p->ip;
    uint16_t sum = 0xffff;
    if (ipver == 4 && !errors)
        sum = bench_sum(0, ip + 12, 8);
    else if (ipver == 6)
        sum = bench_sum(0, ip + 8, 32);
    const size_t head = ipver == 4 ? 20 : 40;
    return bench_sum((uint16_t)~sum, ip + head, p->len - head) % 0xffff;
}

/* There and back. */
static void check(const struct bench_set *set, bench_way *way, int ipver)
{
    uint16_t before[NATS];
    for (size_t i = 0; i < set->n; i++)
        before[i] = sum_of(&set->p[i], ipver, way == error);
    for (int pass = 0; pass < 2; pass++) {
        if (way(set) != set->n)
            bench_die("a packet was not translated");
        for (size_t i = 0; i < set->n; i++) {
            const struct bench_packet *p = &set->p[i];
            if (before[i] != sum_of(p, ipver, way == error) ||
                (ipver == 4 && bench_sum(0, p->ip, 20) != 0))
                bench_die("a checksum did not follow");
        }
    }
}

void nat_run(const char *only)
{
    static const struct {
        const char *name;
        enum bench_kind kind;
        uint8_t flags;
        bench_way *it, *read;
    } rows[] = {
        {"nat", BENCH_SMALL, 0, packet, ways_parse},
        {"nat, error", BENCH_ERROR, 0, error, ways_read},
        {"nat, verified", BENCH_ERROR, TMTU_NAT_VERIFIED, error, ways_read},
    };
    struct bench_packet packets[2][NATS];
    static uint64_t others[NATS * ROOM / 8];
    int begun = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int ipver = 4; ipver <= 6; ipver += 2) {
            struct bench_set sets[2];
            struct tmtu_flow flow;
            if (only != NULL && strstr(rows[i].name, only) == NULL)
                continue;
            if (!begun++)
                bench_head("read");
            for (int k = 0; k < 2; k++) {
                sets[k] = (struct bench_set){packets[k], NATS, 0};
                for (size_t n = 0; n < NATS; n++) {
                    uint8_t *p = (uint8_t *)(k ? others : mem) + n * ROOM;
                    packets[k][n].pkt = (struct tmtu_pkt *)(void *)p;
                    packets[k][n].ip = p + BENCH_AT;
                }
                bench_make(&sets[k], rows[i].kind, ipver);
            }
            bench_flow(&flow, 0, ipver);
            nats[0] = (struct tmtu_nat)TMTU_NAT_INIT;
            nats[0].flags |= rows[i].flags;
            memcpy(nats[0].from.addr, flow.dst, 16);
            memcpy(nats[0].to.addr, flow.dst, 16);
            nats[0].to.addr[15] = 77;
            nats[0].from.port = flow.dport;
            nats[0].to.port = 8080;
            nats[1] = tmtu_nat_reverse(&nats[0]);
            nats[1].side = nats[0].side; /* of the same packets */
            turn = 0;
            check(&sets[0], rows[i].it, ipver);
            bench_compare(rows[i].name, ipver, "64 in cache", rows[i].it,
                          &sets[0], rows[i].read, &sets[1]);
            if (turn % 2 != 0 && rows[i].it(&sets[0]) != NATS)
                bench_die("a packet was not translated back");
            check(&sets[0], rows[i].it, ipver);
        }
    }
}

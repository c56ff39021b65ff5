/* SPDX-License-Identifier: MIT */
/* Before and after measuring: what was done is what should be done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void expect(int good, const char *what, size_t i)
{
    char why[128];
    if (good)
        return;
    snprintf(why, sizeof why, "packet %zu: %s", i, what);
    bench_die(why);
}

static void check_balance4(const uint8_t *ip, size_t i, int tunmtu)
{
    const uint8_t *outer = ip - 20;
    struct tmtu_flow flow;
    bench_flow(&flow, i, 4);
    expect(tmtu_get32(outer) == 0x45000000u + 20 + tmtu_get16(ip + 2),
           "outer length", i);
    expect(tmtu_get32(outer + 4) == 0x4000, "outer DF and ID", i);
    expect(tmtu_get16(outer + 8) == 0x4004, "outer TTL and protocol", i);
    expect(bench_sum(0, outer, 20) == 0, "outer checksum", i);
    expect(tmtu_get32(outer + 12) == 0x0a000001, "outer source", i);
    expect(tmtu_get16(outer + 16) == 0x0a01, "outer destination", i);
    expect(bench_sum(0, ip, 20) == 0, "inner checksum", i);
    expect(!memcmp(ip + 12, flow.src + 12, 4), "inner source", i);
    expect(ip[8] < BENCH_TTL, "inner TTL", i);
    if (tunmtu)
        expect(!memcmp(outer + 16, ways_server_addr(ways_server(&flow), 4) + 12,
                       4),
               "server", i);
}

static void check_balance6(const uint8_t *ip, size_t i, int tunmtu)
{
    const uint8_t *outer = ip - 40;
    struct tmtu_flow flow;
    bench_flow(&flow, i, 6);
    expect(tmtu_get32(outer) >> 20 == 0x600, "outer version and class", i);
    expect(tmtu_get16(outer + 4) == 40 + tmtu_get16(ip + 4), "outer length", i);
    expect(tmtu_get16(outer + 6) == 0x2940, "outer next header and hops", i);
    expect(tmtu_get32(outer + 8) == 0xfd000000u && outer[23] == 1,
           "outer source", i);
    expect(tmtu_get32(outer + 24) == 0xfd000001u, "outer destination", i);
    expect(!memcmp(ip + 8, flow.src, 16), "inner source", i);
    expect(ip[7] < BENCH_TTL, "inner hop limit", i);
    if (tunmtu)
        expect(!memcmp(outer + 24, ways_server_addr(ways_server(&flow), 6), 16),
               "server", i);
}

void check_balance(const struct bench_set *set, int ipver, int tunmtu)
{
    for (size_t i = 0; i < set->n; i++) {
        const uint8_t *ip = set->p[i].ip;
        (ipver == 4 ? check_balance4 : check_balance6)(ip, i, tunmtu);
    }
}

/* A "too big" about packet i, at msg. */
void check_error(const struct bench_set *set, int ipver, const uint8_t *msg,
                 size_t i)
{
    const uint8_t *ip = set->p[i].ip;
    const uint32_t len = bench_len(BENCH_ERROR, ipver);
    const size_t head = ipver == 4 ? 20 : 40;
    if (ipver == 4) {
        expect(tmtu_get16(msg + 2) == len, "message length", i);
        expect(msg[9] == 1, "message protocol", i);
        expect(bench_sum(0, msg, 20) == 0, "message header checksum", i);
        expect(!memcmp(msg + 12, ip + 16, 4), "message source", i);
        expect(!memcmp(msg + 16, ip + 12, 4), "message destination", i);
        expect(bench_sum(0, msg + 20, len - 20) == 0, "ICMP checksum", i);
        expect(tmtu_get16(msg + 20) == 0x0304, "type and code", i);
        expect(tmtu_get32(msg + 24) == BENCH_PATH - 20, "next-hop MTU", i);
    } else {
        const uint16_t sum = bench_sum(58 + len - 40, msg + 8, 32);
        expect(tmtu_get16(msg + 4) == len - 40, "message length", i);
        expect(msg[6] == 58, "message next header", i);
        expect(!memcmp(msg + 8, ip + 24, 16), "message source", i);
        expect(!memcmp(msg + 24, ip + 8, 16), "message destination", i);
        expect(bench_sum((uint16_t)~sum, msg + 40, len - 40) == 0,
               "ICMPv6 checksum", i);
        expect(tmtu_get16(msg + 40) == 0x0200, "type and code", i);
        expect(tmtu_get32(msg + 44) == BENCH_PATH - 40, "MTU", i);
    }
    expect(!memcmp(msg + head + 8, ip, len - head - 8), "quote", i);
}

/* What the ways that only read read. */
void check_values(const struct bench_set *set, enum bench_kind kind, int ipver)
{
    uint8_t seen[BENCH_SERVERS] = {0};
    unsigned servers = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct bench_packet *p = &set->p[i];
        struct tmtu_flow want, got;
        struct tmtu_icmp icmp;
        bench_flow(&want, i, ipver);
        got = p->pkt->flow;
        if (kind == BENCH_ERROR) {
            expect(tmtu_icmp_parse(p->pkt, &icmp) == 0 && icmp.info == 1400,
                   "error", i);
            got = tmtu_flow_reverse(&icmp.quoted.flow);
        }
        expect(tmtu_flow_equal(&got, &want), "flow", i);
        expect(p->pkt->len == p->len, "length", i);

        const int server = ways_server(&want);
        expect(server >= 0 && server < BENCH_SERVERS, "server", i);
        seen[server] = 1;
    }
    for (int k = 0; k < BENCH_SERVERS; k++)
        servers += seen[k];
    expect(servers > BENCH_SERVERS / 4, "few servers are used", servers);
}

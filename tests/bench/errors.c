/* SPDX-License-Identifier: MIT */
/* Errors about our own tunnel packets, beside reading one: judged, read through
 * the tunnel, and told to the inner sender. */
#include <stdio.h>
#include <string.h>

#include <tunmtu/relay.h>
#include <tunmtu/trust.h>

#include "bench.h"

enum { ERRORS = 64, ROOM = 1856 };

static struct tmtu_tunnel tunnel;
static uint8_t copies[ERRORS][TMTU_ICMP6_MAX];
static size_t lengths[ERRORS];

static inline int judge(const struct tmtu_pkt *pkt,
                        const struct tmtu_icmp *icmp)
{
    static const struct tmtu_trust_options options = TMTU_TRUST_INIT;
    static const struct tmtu_trust_facts facts = {0, 0, 1500,
                                                  TMTU_TRUST_OURS_YES, 0};
    struct tmtu_trust trust;
    return tmtu_trust_decide(pkt, icmp, &options, &facts, &trust) == 0 &&
           trust.believed;
}

static inline int tell(const struct tmtu_icmp *icmp, uint8_t *to, size_t *len)
{
    static const struct tmtu_relay_options options = TMTU_RELAY_INIT;
    struct tmtu_relay relay;
    if (tmtu_relay_read(icmp, &tunnel, &options, &relay) < 0 ||
        relay.error.kind != TMTU_ICMP_TOO_BIG)
        return 0;
    if (to == NULL)
        return 1;
    struct tmtu_buf out = tmtu_buf(to, TMTU_ICMP6_MAX, 0);
    if (tmtu_icmp_build(&out, &relay.inner, &relay.error) < 0)
        return 0;
    *len = tmtu_buf_len(&out);
    return 1;
}

static inline size_t errors(const struct bench_set *set, int judged, int told,
                            int built)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_pkt pkt;
        struct tmtu_icmp icmp;
        if (tmtu_ip_parse(tmtu_view(set->p[i].ip, set->p[i].len),
                          TMTU_IP_VERIFY, &pkt) == 0 &&
            tmtu_icmp_parse(&pkt, &icmp) == 0)
            good +=
                (!judged || judge(&pkt, &icmp)) &&
                (!told || tell(&icmp, built ? copies[i] : NULL, &lengths[i]));
    }
    return good;
}

static size_t reading(const struct bench_set *set)
{
    return errors(set, 0, 0, 0);
}
static size_t trusted(const struct bench_set *set)
{
    return errors(set, 1, 0, 0);
}
static size_t relayed(const struct bench_set *set)
{
    return errors(set, 0, 1, 0);
}
static size_t whole(const struct bench_set *set)
{
    return errors(set, 1, 1, 1);
}

/* Of the packets that are there, what a router says of them in our tunnel. */
static void make(const struct bench_set *set, int ipver)
{
    static const uint8_t ends[2][4] = {{10, 0, 0, 1}, {10, 1, 0, 1}};
    const struct tmtu_encap_each each = {1, 2};
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    tunnel = (struct tmtu_tunnel)TMTU_TUNNEL_INIT;
    for (int k = 0; k < 2; k++) {
        uint8_t *end = k ? tunnel.encap.dst : tunnel.encap.src;
        if (ipver == 4)
            tmtu_addr_set4(end, ends[k]);
        else
            tmtu_put32(end, 0xfd000001u + (uint32_t)k);
    }
    error.kind = TMTU_ICMP_TOO_BIG;
    error.info = 1400;
    memcpy(error.src, tunnel.encap.dst, 16);
    error.src[15] ^= 99; /* the router */
    if (tmtu_tunnel_check(&tunnel) < 0)
        bench_die("a tunnel is refused");
    bench_make(set, BENCH_BIG, ipver);
    for (size_t i = 0; i < set->n; i++) {
        struct bench_packet *p = &set->p[i];
        uint8_t bytes[TMTU_ENCAP_HEADROOM + 1500], message[TMTU_ICMP6_MAX];
        struct tmtu_buf in = tmtu_buf(bytes, sizeof bytes, TMTU_ENCAP_HEADROOM);
        struct tmtu_buf out = tmtu_buf(message, sizeof message, 0);
        struct tmtu_pkt inner, outer;
        memcpy(tmtu_buf_put(&in, p->len), p->ip, p->len);
        if (tmtu_ip_parse(tmtu_buf_view(&in), 0, &inner) < 0 ||
            tmtu_tunnel_push(&in, &inner, &tunnel, &each) < 0 ||
            tmtu_ip_parse(tmtu_buf_view(&in), TMTU_IP_VERIFY, &outer) < 0 ||
            tmtu_icmp_build(&out, &outer, &error) < 0)
            bench_die("an error about a tunnel packet is not to be had");
        p->len = (uint32_t)tmtu_buf_len(&out);
        memcpy(p->ip, message, p->len);
        if (tmtu_ip_parse(tmtu_view(p->ip, p->len), 0, p->pkt) < 0)
            bench_die("an error of its own does not parse");
    }
}

/* What was told: to whom, how much, and summed right. */
static void check(const struct bench_set *set, int ipver)
{
    const size_t head = ipver == 4 ? 20 : 40, dst = ipver == 4 ? 16 : 24;
    const size_t n = ipver == 4 ? 4 : 16, src = ipver == 4 ? 12 : 8;
    if (whole(set) != set->n)
        bench_die("an error was not relayed");
    for (size_t i = 0; i < set->n; i++) {
        const uint8_t *p = copies[i];
        const size_t len = lengths[i];
        uint16_t sum = 0xffff; /* of nothing, to go on with */
        if (ipver == 6)
            sum = bench_sum(58 + (uint32_t)(len - head), p + 8, 32);
        if (bench_sum((uint16_t)~sum, p + head, len - head) != 0 ||
            memcmp(p + dst, p + head + 8 + src, n) != 0 ||
            tmtu_get32(p + head + 4) != 1400 - head)
            bench_die("an error was relayed wrong");
    }
}

void errors_run(const char *only)
{
    static const struct {
        const char *name;
        bench_way *way;
    } rows[] = {
        {"trust", trusted}, {"relay", relayed}, {"trust and relay", whole}};
    static uint64_t mem[ERRORS * ROOM / 8];
    struct bench_packet packets[ERRORS];
    const struct bench_set set = {packets, ERRORS, 0};
    int begun = 0;
    for (size_t i = 0; i < ERRORS; i++) {
        uint8_t *p = (uint8_t *)mem + i * ROOM;
        packets[i].pkt = (struct tmtu_pkt *)(void *)p;
        packets[i].ip = p + BENCH_AT;
    }
    for (int ipver = 4; ipver <= 6; ipver += 2) {
        make(&set, ipver);
        check(&set, ipver);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            if (only != NULL && strstr(rows[i].name, only) == NULL)
                continue;
            if (begun++ == 0)
                bench_head("read");
            bench_compare(rows[i].name, ipver, "64 in cache", rows[i].way, &set,
                          reading, &set);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* The ways of a packet through the library, as an embedder writes them. */
#include <string.h>

#include <tunmtu/flows.h>
#include <tunmtu/owner.h>
#include <tunmtu/steer.h>
#include <tunmtu/tunnel.h>

#include "bench.h"

enum { WAYS_COPIES = 64, WAYS_COPY = 1536 };

/* Servers have an address of each family: inner IPv6 goes in outer IPv6. */
static struct tmtu_tunnel ways_tunnel4[BENCH_SERVERS];
static struct tmtu_tunnel ways_tunnel6[BENCH_SERVERS];
static uint64_t ways_mem[(BENCH_RING * 2 + 64) / 8];
static uint8_t ways_copies[WAYS_COPIES][WAYS_COPY];
static struct tmtu_steer *ways_table;
static const struct tmtu_hash_key ways_key = {0x9e3779b97f4a7c15u,
                                              0xd6e8feb86659fd93u};
static struct tmtu_icmp_error ways_error4 = TMTU_ICMP_ERROR_INIT;
static struct tmtu_icmp_error ways_error6 = TMTU_ICMP_ERROR_INIT;

void ways_init(void)
{
    static const uint8_t lb4[4] = {10, 0, 0, 1};
    struct tmtu_steer_server servers[BENCH_SERVERS];
    for (uint16_t i = 0; i < BENCH_SERVERS; i++) {
        const uint8_t server4[4] = {10, 1, 0, (uint8_t)(i + 1)};
        struct tmtu_tunnel t4 = TMTU_TUNNEL_INIT, t6 = TMTU_TUNNEL_INIT;
        tmtu_addr_set4(t4.encap.src, lb4);
        tmtu_addr_set4(t4.encap.dst, server4);
        tmtu_put32(t6.encap.src, 0xfd000000u);
        t6.encap.src[15] = 1;
        tmtu_put32(t6.encap.dst, 0xfd000001u);
        t6.encap.dst[15] = (uint8_t)(i + 1);
        t4.mtu.path_mtu = t6.mtu.path_mtu = BENCH_PATH;
        if (tmtu_tunnel_check(&t4) < 0 || tmtu_tunnel_check(&t6) < 0)
            bench_die("a tunnel is refused");
        ways_tunnel4[i] = t4;
        ways_tunnel6[i] = t6;
        memcpy(servers[i].addr, t4.encap.dst, 16);
        servers[i].port = 0;
        servers[i].value = i;
        servers[i].weight = 1;
    }
    if (tmtu_steer_sizeof(BENCH_RING) > sizeof ways_mem)
        bench_die("the table needs more memory");
    ways_table = tmtu_steer_init(ways_mem, BENCH_RING);
    if (ways_table == NULL ||
        tmtu_steer_build(ways_table, servers, BENCH_SERVERS, &ways_key) < 0)
        bench_die("the table is refused");
    ways_error4.kind = ways_error6.kind = TMTU_ICMP_TOO_BIG;
    ways_error4.info = BENCH_PATH - 20;
    ways_error6.info = BENCH_PATH - 40;
}

int ways_server(const struct tmtu_flow *flow)
{
    return tmtu_steer_lookup(ways_table, tmtu_hash_flow(&ways_key, flow));
}

const uint8_t *ways_server_addr(int server, int ipver)
{
    return (ipver == 4 ? ways_tunnel4 : ways_tunnel6)[server].encap.dst;
}

const uint8_t *ways_copy(size_t i)
{
    return ways_copies[i % WAYS_COPIES];
}

/* Headroom is all that is in front of the packet and behind what is known of
 * it; the room ends where the packet does. */
static inline struct tmtu_buf ways_buf(const struct bench_packet *p)
{
    const struct tmtu_buf b = {(uint8_t *)(p->pkt + 1), p->ip, p->ip + p->len,
                               p->ip + p->len};
    return b;
}

size_t ways_parse(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct bench_packet *p = &set->p[i];
        struct tmtu_pkt pkt;
        bench_prefetch(set, i);
        good +=
            tmtu_ip_parse(tmtu_view(p->ip, p->len), TMTU_IP_VERIFY, &pkt) == 0;
    }
    return good;
}

/* What is known of the packet is in its room, and may have to be fetched. */
static inline const struct tmtu_pkt *ways_known(const struct bench_set *set,
                                                size_t i)
{
    if (set->ahead != 0 && i + set->ahead < set->n) {
        const uint8_t *pkt = (const uint8_t *)set->p[i + set->ahead].pkt;
        __builtin_prefetch(pkt);
        __builtin_prefetch(pkt + 64);
    }
    return set->p[i].pkt;
}

size_t ways_hash(const struct bench_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        bench_keep(tmtu_hash_flow(&ways_key, &ways_known(set, i)->flow));
    return set->n;
}

size_t ways_steer(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++)
        good += ways_server(&ways_known(set, i)->flow) >= 0;
    return good;
}

/* The whole way: parse with the checksum verified, hash, server, decision, TTL,
 * outer header into the headroom. */
static int ways_balance_one(const struct bench_packet *p, uint32_t id)
{
    struct tmtu_buf b = ways_buf(p);
    struct tmtu_pkt pkt;
    struct tmtu_verdict verdict;
    if (tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &pkt) < 0)
        return 0;
    const uint64_t hash = tmtu_hash_flow(&ways_key, &pkt.flow);
    const int server = tmtu_steer_lookup(ways_table, hash);
    if (server < 0)
        return 0;
    const struct tmtu_tunnel *t =
        &(pkt.flow.ipver == 4 ? ways_tunnel4 : ways_tunnel6)[server];
    const struct tmtu_encap_each each = {id, (uint32_t)hash};
    return tmtu_tunnel_send(&b, &pkt, t, &each, &verdict);
}

size_t ways_balance(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        bench_prefetch(set, i);
        good += (size_t)ways_balance_one(&set->p[i], (uint32_t)i);
    }
    return good;
}

enum { WAYS_TIME = 60 }; /* that flows are kept, in seconds */
#define WAYS_LIFETIME (WAYS_TIME * UINT64_C(1000000000))

int ways_keep(struct tmtu_flows *flows, const struct tmtu_flow *flow)
{
    const int place = tmtu_flows_put(flows, flow, (uint64_t)ways_server(flow),
                                     WAYS_LIFETIME, 0);
    if (place >= 0)
        tmtu_flows_keep(flows, place, TMTU_FLOWS_CONFIRMED, WAYS_LIFETIME, 0);
    return place >= 0;
}

int ways_balance_kept(struct tmtu_flows *flows, const struct bench_packet *p,
                      uint32_t id, uint64_t now)
{
    struct tmtu_buf b = ways_buf(p);
    struct tmtu_pkt pkt;
    struct tmtu_verdict verdict;
    if (tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &pkt) < 0)
        return 0;
    /* The key of the way without it: for the tunnel. */
    const uint64_t hash = tmtu_hash_flow(&ways_key, &pkt.flow);
    const int place = tmtu_flows_find(flows, &pkt.flow, now);
    if (place < 0)
        return 0;
    const uint64_t server = *tmtu_flows_value(flows, place);
    tmtu_flows_keep(flows, place, TMTU_FLOWS_CONFIRMED, WAYS_LIFETIME, now);
    const struct tmtu_tunnel *t =
        &(pkt.flow.ipver == 4 ? ways_tunnel4 : ways_tunnel6)[server];
    const struct tmtu_encap_each each = {id, (uint32_t)hash};
    return tmtu_tunnel_send(&b, &pkt, t, &each, &verdict);
}

/* Parse with all checksums verified, whose it is, hash, server, and into the
 * server's tunnel. */
int ways_steer_error(const struct bench_packet *p, uint32_t id)
{
    struct tmtu_buf b = ways_buf(p);
    struct tmtu_pkt pkt;
    struct tmtu_owner owner;
    struct tmtu_verdict verdict;
    if (tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &pkt) < 0 ||
        tmtu_ip_transport_verify(&pkt) < 0 ||
        tmtu_owner_of(&pkt, 0, &owner) != TMTU_OWNER_PORTS)
        return 0;
    const uint64_t hash = tmtu_hash_flow(&ways_key, &owner.flow);
    const int server = tmtu_steer_lookup(ways_table, hash);
    if (server < 0)
        return 0;
    const struct tmtu_tunnel *t =
        &(pkt.flow.ipver == 4 ? ways_tunnel4 : ways_tunnel6)[server];
    const struct tmtu_encap_each each = {id, (uint32_t)hash};
    return tmtu_tunnel_send(&b, &pkt, t, &each, &verdict);
}

static inline const struct tmtu_icmp_error *
ways_error(const struct tmtu_pkt *pkt)
{
    return pkt->flow.ipver == 4 ? &ways_error4 : &ways_error6;
}

size_t ways_wrap(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct tmtu_pkt *pkt = ways_known(set, i);
        struct tmtu_buf b = ways_buf(&set->p[i]);
        bench_prefetch(set, i);
        good += tmtu_icmp_wrap(&b, pkt, ways_error(pkt)) == 0;
    }
    return good;
}

size_t ways_build(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct tmtu_pkt *pkt = ways_known(set, i);
        struct tmtu_buf b =
            tmtu_buf(ways_copies[i % WAYS_COPIES], WAYS_COPY, 0);
        bench_prefetch(set, i);
        good += tmtu_icmp_build(&b, pkt, ways_error(pkt)) == 0;
    }
    return good;
}

/* An error to the flow, as its client sends it, of the packet it quotes. */
size_t ways_read(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct bench_packet *p = &set->p[i];
        struct tmtu_pkt pkt;
        struct tmtu_icmp icmp;
        bench_prefetch(set, i);
        if (tmtu_ip_parse(tmtu_view(p->ip, p->len), TMTU_IP_VERIFY, &pkt) < 0 ||
            tmtu_icmp_parse(&pkt, &icmp) < 0)
            continue;
        const struct tmtu_flow flow = tmtu_flow_reverse(&icmp.quoted.flow);
        bench_keep(tmtu_load64(flow.src + 8) ^ tmtu_load64(flow.dst + 8) ^
                   flow.sport);
        good += (size_t)(flow.flags & TMTU_FLOW_PORTS);
    }
    return good;
}

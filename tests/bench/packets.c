/* SPDX-License-Identifier: MIT */
/* The packets that are measured, made without the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

void bench_die(const char *why)
{
    fprintf(stderr, "tunmtu-bench: %s\n", why);
    exit(1);
}

/* The checksum a byte pair at a time: a second opinion. */
uint16_t bench_sum(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return (uint16_t) ~((sum & 0xffffu) + (sum >> 16));
}

uint32_t bench_len(enum bench_kind kind, int ipver)
{
    switch (kind) {
    case BENCH_SMALL:
        return ipver == 4 ? 64 : 84;
    case BENCH_BIG:
        return 1500;
    default:
        return ipver == 4 ? TMTU_ICMP4_MAX : TMTU_ICMP6_MAX;
    }
}

/* Client i to the virtual address. */
void bench_flow(struct tmtu_flow *flow, size_t i, int ipver)
{
    const uint32_t host = (uint32_t)i * 2654435761u >> 12;
    uint8_t *src = flow->src, *dst = flow->dst;
    memset(flow, 0, sizeof *flow);
    if (ipver == 4) {
        const uint8_t client[4] = {172, 0x10 | (uint8_t)(host >> 16),
                                   (uint8_t)(host >> 8), (uint8_t)host};
        tmtu_addr_set4(src, client);
        tmtu_addr_set4(dst, (const uint8_t[]){10, 200, 1, 1});
    } else {
        tmtu_put32(src, 0x20010db8u);
        tmtu_put32(src + 12, host);
        tmtu_put32(dst, 0x20010db8u);
        tmtu_put32(dst + 4, 0xffffu);
        dst[15] = 1;
    }
    flow->sport = (uint16_t)(1024 + i % 60000);
    flow->dport = 80;
    flow->ipver = (uint8_t)ipver;
    flow->proto = 6;
    flow->flags = TMTU_FLOW_PORTS;
}

/* IP header and ports; the rest of `len` bytes is made up. */
static void make_tcp(uint8_t *p, const struct tmtu_flow *f, uint32_t len)
{
    const uint32_t head = f->ipver == 4 ? 20 : 40;
    memset(p, 0, head + 20);
    for (uint32_t i = head + 20; i < len; i++)
        p[i] = (uint8_t)(i * 167u + f->sport);
    if (f->ipver == 4) {
        tmtu_put32(p, 0x45000000u | len);
        tmtu_put16(p + 6, 0x4000);
        p[8] = BENCH_TTL;
        p[9] = 6;
        memcpy(p + 12, f->src + 12, 4);
        memcpy(p + 16, f->dst + 12, 4);
        tmtu_put16(p + 10, bench_sum(0, p, 20));
    } else {
        tmtu_put32(p, 0x60000000u);
        tmtu_put16(p + 4, (uint16_t)(len - 40));
        p[6] = 6;
        p[7] = BENCH_TTL;
        memcpy(p + 8, f->src, 16);
        memcpy(p + 24, f->dst, 16);
    }
    tmtu_put16(p + head, f->sport);
    tmtu_put16(p + head + 2, f->dport);
    p[head + 12] = 0x50;
    p[head + 13] = 0x10;
}

/* A router's answer to a big packet from the server side: its quote runs the
 * other way. */
static void make_error(uint8_t *p, const struct tmtu_flow *f, uint32_t len)
{
    const struct tmtu_flow back = tmtu_flow_reverse(f);
    uint8_t quote[1500];
    make_tcp(quote, &back, sizeof quote);
    if (f->ipver == 4) {
        struct tmtu_flow outer = *f;
        outer.src[12] = 203; /* the router */
        make_tcp(p, &outer, 40);
        p[9] = 1;
        tmtu_put16(p + 2, (uint16_t)len);
        tmtu_put16(p + 10, 0);
        tmtu_put16(p + 10, bench_sum(0, p, 20));
        memset(p + 20, 0, 8);
        tmtu_put16(p + 20, 0x0304);
        tmtu_put16(p + 26, 1400);
        memcpy(p + 28, quote, len - 28);
        tmtu_put16(p + 22, bench_sum(0, p + 20, len - 20));
    } else {
        make_tcp(p, f, 60);
        tmtu_put16(p + 4, (uint16_t)(len - 40));
        p[6] = 58;
        p[11] = 0xff;
        memset(p + 40, 0, 8);
        p[40] = 2;
        tmtu_put32(p + 44, 1400);
        memcpy(p + 48, quote, len - 48);
        const uint16_t sum = bench_sum(58 + len - 40, p + 8, 32);
        tmtu_put16(p + 42, bench_sum((uint16_t)~sum, p + 40, len - 40));
    }
}

void bench_make(const struct bench_set *set, enum bench_kind kind, int ipver)
{
    const uint32_t len = bench_len(kind, ipver);
    for (size_t i = 0; i < set->n; i++) {
        struct bench_packet *p = &set->p[i];
        struct tmtu_flow flow;
        bench_flow(&flow, i, ipver);
        p->len = len;
        if (kind == BENCH_ERROR)
            make_error(p->ip, &flow, len);
        else
            make_tcp(p->ip, &flow, len);
        if (tmtu_ip_parse(tmtu_view(p->ip, len), TMTU_IP_VERIFY, p->pkt) < 0)
            bench_die("a packet of its own does not parse");
    }
}

/* Undoes what forwarding does to a packet. */
void bench_refresh(const struct bench_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        uint8_t *ip = set->p[i].ip;
        if (ip[0] >> 4 == 6) {
            ip[7] = BENCH_TTL;
        } else if (ip[8] != BENCH_TTL) {
            ip[8] = BENCH_TTL;
            tmtu_put16(ip + 10, 0);
            tmtu_put16(ip + 10, bench_sum(0, ip, 20));
        }
    }
}

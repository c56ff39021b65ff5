/* SPDX-License-Identifier: MIT */
/* Packets for tests, written the slow way: byte by byte, sums a word at a
 * time, nothing of the library's. */
#ifndef TMTU_TEST_PACKET_H
#define TMTU_TEST_PACKET_H

#include <arpa/inet.h>

#include "tmtu_test.h"

/* What stands in an IP header; IPv6 where src has a colon. */
struct pk_ip {
    const char *src, *dst;
    uint8_t proto;
    uint8_t tos;
    uint8_t ttl; /* 0: 64 */
    uint8_t df, mf;
    uint8_t frag; /* IPv6: there is a Fragment header */
    uint16_t off; /* of a fragment, in bytes */
    uint32_t id;
    const uint8_t *opt; /* IPv4 options */
    size_t nopt;
};

static inline void pk16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline int pk_is6(const struct pk_ip *ip)
{
    return strchr(ip->src, ':') != NULL;
}

/* Writes the address `text` has; returns its length. */
static inline size_t pk_addr(uint8_t *p, const char *text)
{
    const int v6 = strchr(text, ':') != NULL;
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, p), 1);
    return v6 ? 16 : 4;
}

/* The checksum of a transport packet with its pseudo-header. */
static inline uint16_t pk_sum(const struct pk_ip *ip, const uint8_t *l4,
                              size_t n)
{
    uint8_t *all = (uint8_t *)calloc(1, 40 + n);
    assert_non_null(all);
    size_t at = pk_addr(all, ip->src);
    at += pk_addr(all + at, ip->dst);
    pk16(all + at + 2, n);
    all[at + 5] = ip->proto;
    memcpy(all + at + 6, l4, n);
    const uint16_t sum =
        ip->proto == 1 ? test_cksum(l4, n) : test_cksum(all, at + 6 + n);
    free(all);
    return sum;
}

/* A packet of this header and payload; returns its length. */
static inline size_t pk_ip(uint8_t *p, const struct pk_ip *ip,
                           const uint8_t *payload, size_t n)
{
    const uint8_t ttl = ip->ttl ? ip->ttl : 64;
    if (pk_is6(ip)) {
        const size_t ext = ip->frag ? 8 : 0;
        memset(p, 0, 40 + ext);
        p[0] = (uint8_t)(0x60 | ip->tos >> 4);
        p[1] = (uint8_t)(ip->tos << 4);
        pk16(p + 4, ext + n);
        p[6] = ip->frag ? 44 : ip->proto;
        p[7] = ttl;
        pk_addr(p + 8, ip->src);
        pk_addr(p + 24, ip->dst);
        if (ip->frag) {
            p[40] = ip->proto;
            pk16(p + 42, ip->off | ip->mf);
            pk16(p + 44, ip->id >> 16);
            pk16(p + 46, ip->id);
        }
        memcpy(p + 40 + ext, payload, n);
        return 40 + ext + n;
    }
    const size_t head = 20 + ip->nopt;
    memset(p, 0, head);
    p[0] = (uint8_t)(0x40 | head / 4);
    p[1] = ip->tos;
    pk16(p + 2, head + n);
    pk16(p + 4, ip->id);
    pk16(p + 6, (size_t)(ip->df << 14 | ip->mf << 13 | ip->off / 8));
    p[8] = ttl;
    p[9] = ip->proto;
    pk_addr(p + 12, ip->src);
    pk_addr(p + 16, ip->dst);
    if (ip->nopt > 0)
        memcpy(p + 20, ip->opt, ip->nopt);
    pk16(p + 10, test_cksum(p, head));
    memcpy(p + head, payload, n);
    return head + n;
}

/* TCP (20 bytes), UDP or SCTP with `n` bytes of data; its length. */
static inline size_t pk_l4(uint8_t *p, const struct pk_ip *ip, uint16_t sport,
                           uint16_t dport, size_t n)
{
    const size_t head = ip->proto == 6 ? 20 : ip->proto == 17 ? 8 : 12;
    memset(p, 0, head);
    pk16(p, sport);
    pk16(p + 2, dport);
    for (size_t i = 0; i < n; i++)
        p[head + i] = (uint8_t)(i * 7 + 1);
    if (ip->proto == 6) {
        p[12] = 0x50;
        p[13] = 0x10;
        pk16(p + 16, pk_sum(ip, p, head + n));
    } else if (ip->proto == 17) {
        pk16(p + 4, head + n);
        pk16(p + 6, pk_sum(ip, p, head + n));
    }
    return head + n;
}

/* A whole TCP, UDP or SCTP packet of `len` bytes; returns len. */
static inline size_t pk_flow(uint8_t *p, const struct pk_ip *ip, uint16_t sport,
                             uint16_t dport, size_t len)
{
    static uint8_t l4[65536];
    const size_t head = (pk_is6(ip) ? 40 : 20) + ip->nopt +
                        (ip->proto == 6    ? 20u
                         : ip->proto == 17 ? 8u
                                           : 12u);
    assert_true(len >= head);
    return pk_ip(p, ip, l4, pk_l4(l4, ip, sport, dport, len - head));
}

/* An ICMP or ICMPv6 message that quotes `n` bytes. */
static inline size_t pk_icmp(uint8_t *p, const struct pk_ip *ip, uint8_t type,
                             uint8_t code, uint32_t info, const uint8_t *quote,
                             size_t n)
{
    static uint8_t m[65536];
    memset(m, 0, 8);
    m[0] = type;
    m[1] = code;
    pk16(m + 4, info >> 16);
    pk16(m + 6, info);
    memcpy(m + 8, quote, n);
    pk16(m + 2, pk_sum(ip, m, 8 + n));
    return pk_ip(p, ip, m, 8 + n);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Packets made to measure, and tunnels of all four family pairs. */
#ifndef TMTU_PACKET_H
#define TMTU_PACKET_H

#include "tmtu_test.h"

#include <arpa/inet.h>

#include <tunmtu/encap.h>

/* A family in a family, and what RFC 2003, 4213 and 2473 put in front. */
static const struct {
    const char *name;
    unsigned inner, outer;
    uint16_t overhead;
} test_pairs[] = {
    {"4in4", 4, 4, 20},
    {"6in4", 6, 4, 20},
    {"4in6", 4, 6, 40},
    {"6in6", 6, 6, 40},
};

/* What a packet is to be like. */
struct test_shape {
    unsigned ipver;
    size_t len;     /* whole packet */
    uint8_t proto;  /* transport */
    uint8_t type;   /* of ICMP */
    uint8_t tclass; /* TOS or traffic class */
    uint8_t ttl;
    uint16_t frag;  /* IPv4: flags and offset; IPv6: the same of a Fragment
                       header, which is there if this is not 0 */
    uint8_t option; /* bytes of IPv4 options, a multiple of 4, all NOP */
};

/* TCP with TTL 64. */
static inline struct test_shape test_shape(unsigned ipver, size_t len)
{
    const struct test_shape s = {ipver, len, 6, 0, 0, 64, 0, 0};
    return s;
}

/* An address out of its text; IPv4 as ::ffff:a.b.c.d. */
static inline void test_addr(const char *text, uint8_t addr[16])
{
    uint8_t ip4[4];
    if (inet_pton(AF_INET, text, ip4) == 1)
        tmtu_addr_set4(addr, ip4);
    else
        assert_int_equal(inet_pton(AF_INET6, text, addr), 1);
}

/* Writes the packet at `p`, where there are s->len bytes: 192.0.2.10:40000 >
 * 198.51.100.20:443 or 2001:db8:1::10 > 2001:db8:2::20. */
static inline void test_packet(const struct test_shape *s, uint8_t *p)
{
    uint8_t src[16], dst[16];
    size_t l4 = 40;
    for (size_t i = 0; i < s->len; i++)
        p[i] = (uint8_t)(i * 7 + 1);
    if (s->ipver == 4) {
        l4 = 20u + s->option;
        test_addr("192.0.2.10", src);
        test_addr("198.51.100.20", dst);
        memset(p, 1, l4); /* NOP, as far as options go */
        p[0] = (uint8_t)(0x40 | l4 / 4);
        p[1] = s->tclass;
        tmtu_put16(p + 2, (uint16_t)s->len);
        tmtu_put16(p + 4, 0xbeef);
        tmtu_put16(p + 6, s->frag);
        p[8] = s->ttl;
        p[9] = s->proto;
        tmtu_put16(p + 10, 0);
        memcpy(p + 12, src + 12, 4);
        memcpy(p + 16, dst + 12, 4);
        tmtu_put16(p + 10, test_cksum(p, l4));
    } else {
        test_addr("2001:db8:1::10", p + 8);
        test_addr("2001:db8:2::20", p + 24);
        tmtu_put32(p, 0x600fedcbu | (uint32_t)s->tclass << 20);
        tmtu_put16(p + 4, (uint16_t)(s->len - 40));
        p[6] = s->proto;
        p[7] = s->ttl;
        if (s->frag != 0) {
            p[6] = 44;
            p[40] = s->proto;
            p[41] = 0;
            tmtu_put16(p + 42, s->frag);
            l4 += 8;
        }
    }
    if (s->len < l4 + 4)
        return;
    if (s->proto == 1 || s->proto == 58) {
        p[l4] = s->type;
        return;
    }
    tmtu_put16(p + l4, 40000);
    tmtu_put16(p + l4 + 2, 443);
    if (s->proto == 6 && s->len >= l4 + 20)
        p[l4 + 12] = 0x50;
    if (s->proto == 17)
        tmtu_put16(p + l4 + 4, (uint16_t)(s->len - l4));
}

/* The same in exactly its memory, behind `headroom` bytes. */
static inline struct tmtu_buf test_made(const struct test_shape *s,
                                        size_t headroom)
{
    struct tmtu_buf buf = test_buf(NULL, 0, headroom, s->len);
    test_packet(s, tmtu_buf_put(&buf, s->len));
    return buf;
}

static inline struct tmtu_pkt test_parsed(const struct tmtu_buf *buf)
{
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &pkt),
                     0);
    return pkt;
}

/* 203.0.113.1 > 203.0.113.2, or 2001:db8:a::1 > 2001:db8:b::1. */
static inline struct tmtu_encap test_encap(unsigned outer)
{
    struct tmtu_encap encap = TMTU_ENCAP_INIT;
    test_addr(outer == 4 ? "203.0.113.1" : "2001:db8:a::1", encap.src);
    test_addr(outer == 4 ? "203.0.113.2" : "2001:db8:b::1", encap.dst);
    return encap;
}

/* A buffer, its memory and the value parsed from it, as they were. */
struct test_before {
    struct tmtu_buf buf;
    struct tmtu_pkt pkt;
    uint8_t *mem;
};

static inline struct test_before test_before(const struct tmtu_buf *buf,
                                             const struct tmtu_pkt *pkt)
{
    struct test_before b;
    b.buf = *buf;
    b.mem = test_exact(buf->head, (size_t)(buf->end - buf->head));
    memcpy(&b.pkt, pkt, sizeof b.pkt);
    return b;
}

/* Fails if anything is not as it was; ends it. */
static inline void test_unchanged(struct test_before *b,
                                  const struct tmtu_buf *buf,
                                  const struct tmtu_pkt *pkt)
{
    assert_memory_equal(buf, &b->buf, sizeof b->buf);
    assert_memory_equal(pkt, &b->pkt, sizeof b->pkt);
    assert_memory_equal(buf->head, b->mem, (size_t)(buf->end - buf->head));
    free(b->mem);
}

#endif

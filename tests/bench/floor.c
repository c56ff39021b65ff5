/* SPDX-License-Identifier: MIT */
/* The floor: the least that each way can be done with on this machine, by code
 * that knows its packets. Not safe for packets from a network: no options, no
 * extension headers, no fragments, no reasons, and a hash without strength
 * against an attacker. Something to hold the library against. */
#include <arpa/inet.h>
#include <string.h>

#include "bench.h"

#define FLOOR_INLINE static inline __attribute__((always_inline))
enum { FLOOR_COPIES = 64, FLOOR_COPY = 1536 };
enum { FLOOR_QUOTE4 = 548, FLOOR_QUOTE6 = 1232 };

struct floor_server {
    uint32_t dst;     /* network order */
    uint32_t pre;     /* sum of what is constant in the outer header */
    uint32_t mtu;     /* longest outer packet */
    uint8_t head[40]; /* outer IPv6 header but for the length */
};

static uint16_t floor_ring[BENCH_RING];
static struct floor_server floor_servers[BENCH_SERVERS];
static uint8_t floor_copies[FLOOR_COPIES][FLOOR_COPY];
static uint32_t floor_src;
static const uint64_t floor_k0 = 0x9e3779b97f4a7c15u;
static const uint64_t floor_k1 = 0xd6e8feb86659fd93u;

FLOOR_INLINE uint16_t ld16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

FLOOR_INLINE uint32_t ld32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

FLOOR_INLINE uint64_t ld64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

FLOOR_INLINE void st16(uint8_t *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

FLOOR_INLINE void st32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

FLOOR_INLINE uint16_t fold(uint64_t s)
{
    s = (s >> 32) + (uint32_t)s;
    s = (s >> 32) + (uint32_t)s;
    uint32_t t = (uint32_t)s;
    t = (t >> 16) + (t & 0xffff);
    t = (t >> 16) + (t & 0xffff);
    return (uint16_t)t;
}

FLOOR_INLINE uint16_t sum20(const uint8_t *p)
{
    uint64_t s = ld64(p), t = s + ld64(p + 8), u = t + ld32(p + 16);
    return fold(u + (t < s) + (u < t));
}

/* 64 x 64 -> 128 bits, both halves mixed. */
FLOOR_INLINE uint64_t mum(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    const u128 r = (u128)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Sum of n bytes, a multiple of 4, and a copy of them if `to` is there. Words
 * are added up twice, whole, which may wrap, and their upper halves; the first
 * less the second is the sum of the lower halves. */
FLOOR_INLINE uint16_t floor_sum(uint8_t *to, const uint8_t *p, size_t n)
{
    typedef uint64_t v2 __attribute__((vector_size(16)));
    v2 whole = {0, 0}, upper = whole, w2 = whole, u2 = whole;
    for (; n >= 32; p += 32, n -= 32) {
        v2 a, b;
        memcpy(&a, p, 16);
        memcpy(&b, p + 16, 16);
        if (to != NULL) {
            memcpy(to, &a, 16);
            memcpy(to + 16, &b, 16);
            to += 32;
        }
        whole += a;
        upper += a >> 32;
        w2 += b;
        u2 += b >> 32;
    }
    whole += w2;
    upper += u2;
    uint64_t s = fold(whole[0] - (upper[0] << 32)) + (uint64_t)fold(upper[0]) +
                 fold(whole[1] - (upper[1] << 32)) + fold(upper[1]);
    for (; n >= 4; p += 4, n -= 4) {
        s += ld32(p);
        if (to != NULL) {
            st32(to, ld32(p));
            to += 4;
        }
    }
    return fold(s);
}

void floor_init(void)
{
    floor_src = htonl(0x0a000001);
    for (uint32_t i = 0; i < BENCH_RING; i++)
        floor_ring[i] = (uint16_t)(i * 2654435761u % BENCH_SERVERS);
    for (uint32_t i = 0; i < BENCH_SERVERS; i++) {
        struct floor_server *s = &floor_servers[i];
        uint8_t h[20] = {[6] = 0x40, [8] = 64, [9] = 4};
        s->dst = htonl(0x0a010001u + i);
        s->mtu = BENCH_PATH;
        st32(h + 12, floor_src);
        st32(h + 16, s->dst);
        s->pre = sum20(h);
        tmtu_put32(s->head, 0x60000000u);
        tmtu_put16(s->head + 6, 0x2940);
        tmtu_put32(s->head + 8, 0xfd000000u);
        s->head[23] = 1;
        tmtu_put32(s->head + 24, 0xfd000001u);
        s->head[39] = (uint8_t)(i + 1);
    }
}

const uint8_t *floor_copy(size_t i)
{
    return floor_copies[i % FLOOR_COPIES];
}

/* Total length; 0: refused. */
FLOOR_INLINE uint32_t parse4(const uint8_t *ip, uint32_t len)
{
    if (len < 28 || ip[0] != 0x45)
        return 0;
    const uint32_t total = ntohs(ld16(ip + 2));
    if (total > len || total < 28 || (ip[9] != 6 && ip[9] != 17) ||
        (ld16(ip + 6) & htons(0x3fff)) || sum20(ip) != 0xffff)
        return 0;
    return total;
}

FLOOR_INLINE uint32_t parse6(const uint8_t *ip, uint32_t len)
{
    if (len < 48 || ip[0] >> 4 != 6 || (ip[6] != 6 && ip[6] != 17))
        return 0;
    const uint32_t total = 40u + ntohs(ld16(ip + 4));
    return total > len || total < 48 ? 0 : total;
}

FLOOR_INLINE uint64_t hash4(const uint8_t *ip)
{
    return mum(ld64(ip + 12) ^ floor_k0,
               ((uint64_t)ld32(ip + 20) << 8 | ip[9]) ^ floor_k1);
}

FLOOR_INLINE uint64_t hash6(const uint8_t *ip)
{
    const uint64_t a = mum(ld64(ip + 8) ^ floor_k0, ld64(ip + 16) ^ floor_k1);
    const uint64_t b = mum(ld64(ip + 24) ^ floor_k0, ld64(ip + 32) ^ floor_k1);
    return mum(a ^ ld32(ip + 40), b ^ floor_k1 ^ ip[6]);
}

FLOOR_INLINE const struct floor_server *steer(uint64_t hash)
{
    return &floor_servers[floor_ring[(hash >> 32) * BENCH_RING >> 32]];
}

FLOOR_INLINE int balance4(uint8_t *ip, uint32_t len, size_t i)
{
    const uint32_t inner = parse4(ip, len), total = inner + 20;
    (void)i;
    if (inner == 0 || ip[8] <= 1)
        return 0;
    const struct floor_server *s = steer(hash4(ip));
    if (total > s->mtu)
        return 0;
    const uint32_t check = (uint32_t)ld16(ip + 10) + htons(0x100);
    const uint16_t first = htons(0x4500 | ip[1]);
    ip[8]--;
    st16(ip + 10, (uint16_t)(check + (check >= 0xffff))); /* as Linux */
    const uint16_t n = htons((uint16_t)total);
    const uint32_t sum = s->pre + first + n;
    uint8_t *o = ip - 20;
    st16(o, first);
    st16(o + 2, n);
    st32(o + 4, htonl(0x4000)); /* ID 0, DF */
    st16(o + 8, htons(0x4004)); /* TTL 64, IP in IP */
    st16(o + 10, (uint16_t)~fold(sum));
    st32(o + 12, floor_src);
    st32(o + 16, s->dst);
    return 1;
}

FLOOR_INLINE int balance6(uint8_t *ip, uint32_t len, size_t i)
{
    const uint32_t total = parse6(ip, len);
    (void)i;
    if (total == 0 || ip[7] <= 1)
        return 0;
    const struct floor_server *s = steer(hash6(ip));
    if (total + 40 > s->mtu)
        return 0;
    ip[7]--;
    memcpy(ip - 40, s->head, 40);
    st32(ip - 40, ld32(ip)); /* traffic class and flow label */
    st16(ip - 36, htons((uint16_t)total));
    return 1;
}

/* Headers of "too big" at o, in front of a quote with this sum. */
FLOOR_INLINE int error4(uint8_t *o, const uint8_t *ip, uint64_t sum)
{
    uint8_t h[28] = {0x45, 0xc0, 576 >> 8, 576 & 255, [8] = 64, 1};
    memcpy(h + 12, ip + 16, 4);
    memcpy(h + 16, ip + 12, 4);
    st16(h + 20, htons(0x0304));
    st16(h + 26, htons(BENCH_PATH - 20));
    st16(h + 10,
         (uint16_t)~fold((uint64_t)htons(0x45c0) + htons(576) + htons(0x4001) +
                         ld32(ip + 12) + ld32(ip + 16)));
    st16(h + 22, (uint16_t)~fold(sum + htons(0x0304) + htons(BENCH_PATH - 20)));
    memcpy(o, h, sizeof h);
    return 1;
}

FLOOR_INLINE int error6(uint8_t *o, const uint8_t *ip, uint64_t sum)
{
    const uint32_t mtu = htonl(BENCH_PATH - 40);
    for (int i = 8; i < 40; i += 4)
        sum += ld32(ip + i);
    sum += (uint64_t)htons(58) + htons(1240) + htons(0x0200) + mtu;
    st32(o, htonl(0x60000000u));
    st32(o + 4, htonl(1240u << 16 | 0x3a40));
    memcpy(o + 8, ip + 24, 16);
    memcpy(o + 24, ip + 8, 16);
    st16(o + 40, htons(0x0200));
    st16(o + 42, (uint16_t)~fold(sum));
    st32(o + 44, mtu);
    return 1;
}

FLOOR_INLINE int wrap4(uint8_t *ip, uint32_t len, size_t i)
{
    (void)i;
    return len >= FLOOR_QUOTE4 &&
           error4(ip - 28, ip, floor_sum(NULL, ip, FLOOR_QUOTE4));
}

FLOOR_INLINE int wrap6(uint8_t *ip, uint32_t len, size_t i)
{
    (void)i;
    return len >= FLOOR_QUOTE6 &&
           error6(ip - 48, ip, floor_sum(NULL, ip, FLOOR_QUOTE6));
}

FLOOR_INLINE int build4(uint8_t *ip, uint32_t len, size_t i)
{
    uint8_t *o = floor_copies[i % FLOOR_COPIES];
    return len >= FLOOR_QUOTE4 &&
           error4(o, ip, floor_sum(o + 28, ip, FLOOR_QUOTE4));
}

FLOOR_INLINE int build6(uint8_t *ip, uint32_t len, size_t i)
{
    uint8_t *o = floor_copies[i % FLOOR_COPIES];
    return len >= FLOOR_QUOTE6 &&
           error6(o, ip, floor_sum(o + 48, ip, FLOOR_QUOTE6));
}

FLOOR_INLINE int only_parse4(uint8_t *ip, uint32_t len, size_t i)
{
    const uint32_t total = parse4(ip, len);
    (void)i;
    bench_keep(ld64(ip + 12));
    bench_keep(ld32(ip + 20));
    return total != 0;
}

FLOOR_INLINE int only_parse6(uint8_t *ip, uint32_t len, size_t i)
{
    const uint32_t total = parse6(ip, len);
    (void)i;
    for (int k = 8; k < 40; k += 8)
        bench_keep(ld64(ip + k));
    bench_keep(ld32(ip + 40));
    return total != 0;
}

FLOOR_INLINE int only_hash4(uint8_t *ip, uint32_t len, size_t i)
{
    (void)len, (void)i;
    bench_keep(hash4(ip));
    return 1;
}

FLOOR_INLINE int only_hash6(uint8_t *ip, uint32_t len, size_t i)
{
    (void)len, (void)i;
    bench_keep(hash6(ip));
    return 1;
}

FLOOR_INLINE int only_steer4(uint8_t *ip, uint32_t len, size_t i)
{
    (void)len, (void)i;
    bench_keep((uintptr_t)steer(hash4(ip)));
    return 1;
}

FLOOR_INLINE int only_steer6(uint8_t *ip, uint32_t len, size_t i)
{
    (void)len, (void)i;
    bench_keep((uintptr_t)steer(hash6(ip)));
    return 1;
}

FLOOR_INLINE int read4(uint8_t *ip, uint32_t len, size_t i)
{
    const uint8_t *quote = ip + 28;
    (void)i;
    if (len < 56 || ip[0] != 0x45 || ip[9] != 1 || ntohs(ld16(ip + 2)) > len ||
        (ld16(ip + 6) & htons(0x3fff)) || sum20(ip) != 0xffff ||
        ld16(ip + 20) != htons(0x0304) || quote[0] != 0x45 || quote[9] != 6 ||
        (ld16(quote + 6) & htons(0x1fff)))
        return 0;
    bench_keep(ld64(quote + 12) << 32 | ld64(quote + 12) >> 32);
    bench_keep(ld32(quote + 20) << 16 | ld32(quote + 20) >> 16);
    bench_keep(ld16(ip + 26));
    return 1;
}

FLOOR_INLINE int read6(uint8_t *ip, uint32_t len, size_t i)
{
    const uint8_t *quote = ip + 48;
    (void)i;
    if (len < 96 || ip[0] >> 4 != 6 || ip[6] != 58 ||
        40u + ntohs(ld16(ip + 4)) > len || ip[40] != 2 || quote[0] >> 4 != 6 ||
        quote[6] != 6)
        return 0;
    for (int k = 8; k < 40; k += 8)
        bench_keep(ld64(quote + k));
    bench_keep(ld32(quote + 40) << 16 | ld32(quote + 40) >> 16);
    bench_keep(ld32(ip + 44));
    return 1;
}

typedef int floor_one(uint8_t *ip, uint32_t len, size_t i);

FLOOR_INLINE size_t floor_loop(const struct bench_set *set, floor_one *one)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        bench_prefetch(set, i);
        good += (size_t)one(set->p[i].ip, set->p[i].len, i);
    }
    return good;
}

size_t floor_parse4(const struct bench_set *set)
{
    return floor_loop(set, only_parse4);
}

size_t floor_parse6(const struct bench_set *set)
{
    return floor_loop(set, only_parse6);
}

size_t floor_hash4(const struct bench_set *set)
{
    return floor_loop(set, only_hash4);
}

size_t floor_hash6(const struct bench_set *set)
{
    return floor_loop(set, only_hash6);
}

size_t floor_steer4(const struct bench_set *set)
{
    return floor_loop(set, only_steer4);
}

size_t floor_steer6(const struct bench_set *set)
{
    return floor_loop(set, only_steer6);
}

size_t floor_balance4(const struct bench_set *set)
{
    return floor_loop(set, balance4);
}

size_t floor_balance6(const struct bench_set *set)
{
    return floor_loop(set, balance6);
}

size_t floor_wrap4(const struct bench_set *set)
{
    return floor_loop(set, wrap4);
}

size_t floor_wrap6(const struct bench_set *set)
{
    return floor_loop(set, wrap6);
}

size_t floor_build4(const struct bench_set *set)
{
    return floor_loop(set, build4);
}

size_t floor_build6(const struct bench_set *set)
{
    return floor_loop(set, build6);
}

size_t floor_read4(const struct bench_set *set)
{
    return floor_loop(set, read4);
}

size_t floor_read6(const struct bench_set *set)
{
    return floor_loop(set, read6);
}

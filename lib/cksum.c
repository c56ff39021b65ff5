/* SPDX-License-Identifier: MIT */
/* RFC 1071 over memory: in this machine's byte order, as wide as it goes.
 *
 * The sum of 16-bit words is the same in either byte order but for a final
 * swap (RFC 1071 §2 B), and wider words may be added up first and folded later
 * (§2 C). So 32-bit words go into 64-bit lanes that cannot overflow below 16
 * GiB, and no carry is looked after until the end. */
#include <tunmtu/cksum.h>

#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__VSX__)
#define CKSUM_VECTOR 1
/* Two lanes; the compiler's vectors, so one source serves every target. */
typedef uint64_t cksum_v __attribute__((vector_size(16)));

static inline cksum_v cksum_vload(const uint8_t *p)
{
    cksum_v v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline void cksum_vstore(uint8_t *p, cksum_v v)
{
    __builtin_memcpy(p, &v, sizeof v);
}
#endif

static inline void cksum_store(uint8_t *to, const void *word, size_t n)
{
    if (to != NULL)
        __builtin_memcpy(to, word, n);
}

/* Adds n bytes, and copies them if `to` is not NULL: a constant at each call,
 * so that the compiler makes two functions of it. */
static inline __attribute__((always_inline)) uint16_t
cksum_run(uint32_t sum, uint8_t *to, const uint8_t *p, size_t n)
{
    uint64_t s = 0;
    const int copy = to != NULL;
#ifdef CKSUM_VECTOR
    if (n >= 64) {
        /* Lanes are added up whole, which may wrap, and their upper halves,
         * which does not: the difference is the sum of the lower halves. */
        cksum_v a = {0, 0}, b = a, a_up = a, b_up = a;
        for (; n >= 64; p += 64, n -= 64) {
            const cksum_v w = cksum_vload(p), x = cksum_vload(p + 16);
            const cksum_v y = cksum_vload(p + 32), z = cksum_vload(p + 48);
            if (copy) {
                cksum_vstore(to, w);
                cksum_vstore(to + 16, x);
                cksum_vstore(to + 32, y);
                cksum_vstore(to + 48, z);
                to += 64;
            }
            a += w;
            b += x;
            a_up += w >> 32;
            b_up += x >> 32;
            a += y;
            b += z;
            a_up += y >> 32;
            b_up += z >> 32;
        }
        a_up += b_up;
        a += b - (a_up << 32) + a_up;
        s = a[0] + a[1];
    }
#endif
    for (; n >= 8; p += 8, n -= 8) {
        const uint64_t w = tmtu_load64(p);
        if (copy) {
            cksum_store(to, &w, 8);
            to += 8;
        }
        s += (w & 0xffffffffu) + (w >> 32);
    }
    uint64_t rest = 0; /* up to 7 bytes, in memory order, zeros behind them */
    if (n & 4) {
        rest = tmtu_load32(p);
        if (copy) {
            cksum_store(to, p, 4);
            to += 4;
        }
        s += rest;
        p += 4;
    }
    uint8_t end[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < (n & 3); i++) {
        end[i] = p[i];
        if (copy)
            to[i] = p[i];
    }
    s += tmtu_load32(end);

    /* Folded before and after: the sum of the two is at most 0x1fffe. */
    return tmtu_cksum_fold((uint32_t)tmtu_cksum_fold(sum) + tmtu_cksum_wide(s));
}

uint16_t tmtu_cksum_add(uint32_t sum, const uint8_t *p, size_t n)
{
    return cksum_run(sum, NULL, p, n);
}

uint16_t tmtu_cksum_copy(uint32_t sum, uint8_t *to, const uint8_t *from,
                         size_t n)
{
    return cksum_run(sum, to, from, n);
}

uint32_t tmtu_cksum_pseudo(const uint8_t *src, const uint8_t *dst, size_t n,
                           uint8_t proto, uint32_t len)
{
    uint32_t sum = (uint32_t)proto + (len >> 16) + (len & 0xffffu);
    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)tmtu_get16(src + i) + tmtu_get16(dst + i);
    return sum;
}

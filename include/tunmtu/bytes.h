/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Bytes in, numbers out. The only file that knows about byte order, and the
 * only one that compares a packet pointer with the end of the packet.
 */
#ifndef TUNMTU_BYTES_H
#define TUNMTU_BYTES_H

#include <stddef.h>
#include <stdint.h>

/** Packet bytes somebody else owns. Two pointers, passed by value. */
struct tmtu_view {
    const uint8_t *data; /**< next byte to read */
    const uint8_t *end;  /**< one past the last byte */
};

/** A view of the @p n bytes at @p p. */
static inline struct tmtu_view tmtu_view(const uint8_t *p, size_t n)
{
    struct tmtu_view v;
    v.data = p;
    v.end = p + n;
    return v;
}

/** Bytes left in @p v. */
static inline size_t tmtu_view_len(struct tmtu_view v)
{
    return (size_t)(v.end - v.data);
}

/** The first @p n bytes of @p v without taking them; NULL if there are fewer.
 */
static inline const uint8_t *tmtu_peek(struct tmtu_view v, size_t n)
{
#ifdef __bpf__ /* the one shape of bounds check the verifier follows */
    if (v.data + n > v.end)
        return NULL;
#else
    if ((size_t)(v.end - v.data) < n)
        return NULL;
#endif
    return v.data;
}

/** Takes @p n bytes off the front of @p v; NULL, and no change, if short. */
static inline const uint8_t *tmtu_pull(struct tmtu_view *v, size_t n)
{
    const uint8_t *p = tmtu_peek(*v, n);
    if (p != NULL)
        v->data = p + n;
    return p;
}

/** Reads a big-endian 16-bit number at any address. */
static inline uint16_t tmtu_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/** Reads a big-endian 32-bit number at any address. */
static inline uint32_t tmtu_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           (uint32_t)p[3];
}

/** Reads a little-endian 32-bit number at any address. */
static inline uint32_t tmtu_get32le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 |
           (uint32_t)p[0];
}

/** Reads a little-endian 64-bit number at any address. */
static inline uint64_t tmtu_get64le(const uint8_t *p)
{
    return (uint64_t)tmtu_get32le(p + 4) << 32 | tmtu_get32le(p);
}

/** Reads 32 bits in this machine's order, for sums that do not care which. */
static inline uint32_t tmtu_load32(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

/** Reads 64 bits in this machine's order, for sums that do not care which. */
static inline uint64_t tmtu_load64(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

/** A 16-bit number of this machine's order as if it had been read big-endian
 *  (and the other way round). */
static inline uint16_t tmtu_order16(uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap16(v);
#else
    return v;
#endif
}

/** A 32-bit number of this machine's order as if it had been read big-endian
 *  (and the other way round). */
static inline uint32_t tmtu_order32(uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap32(v);
#else
    return v;
#endif
}

/** Writes @p v as a big-endian 16-bit number at any address. */
static inline void tmtu_put16(uint8_t *p, uint16_t v)
{
    v = tmtu_order16(v);
    __builtin_memcpy(p, &v, sizeof v);
}

/** Writes @p v as a big-endian 32-bit number at any address. */
static inline void tmtu_put32(uint8_t *p, uint32_t v)
{
    v = tmtu_order32(v);
    __builtin_memcpy(p, &v, sizeof v);
}

/** Stores four 16-bit numbers of this machine's order side by side, at once:
 *  what is stored in pieces cannot be loaded whole for a while. */
static inline void tmtu_store16x4(void *p, uint16_t a, uint16_t b, uint16_t c,
                                  uint16_t d)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t v =
        (uint64_t)d << 48 | (uint64_t)c << 32 | (uint64_t)b << 16 | (uint64_t)a;
#else
    const uint64_t v =
        (uint64_t)a << 48 | (uint64_t)b << 32 | (uint64_t)c << 16 | (uint64_t)d;
#endif
    __builtin_memcpy(p, &v, sizeof v);
}

/** The same with two 32-bit numbers. */
static inline void tmtu_store32x2(void *p, uint32_t a, uint32_t b)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t v = (uint64_t)b << 32 | (uint64_t)a;
#else
    const uint64_t v = (uint64_t)a << 32 | (uint64_t)b;
#endif
    __builtin_memcpy(p, &v, sizeof v);
}

/** Copies @p n bytes between places that do not overlap. */
static inline void tmtu_copy(uint8_t *to, const uint8_t *from, size_t n)
{
    __builtin_memcpy(to, from, n);
}

#endif

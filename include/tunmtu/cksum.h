/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The Internet checksum: sum (RFC 1071), update (RFC 1624), copy and sum.
 *
 * A *sum* is a uint32_t that has not been folded; it adds up 16-bit words as
 * read big-endian, so numbers from headers may be added to it directly. Up to
 * 65,535 words may be added before it is folded. A *checksum* is 16 bits, the
 * complement of the folded sum, and goes into a header with tmtu_put16.
 */
#ifndef TUNMTU_CKSUM_H
#define TUNMTU_CKSUM_H

#include <tunmtu/api.h>
#include <tunmtu/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Folds @p sum to 16 bits; not complemented. */
static inline uint16_t tmtu_cksum_fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffffu);
    return (uint16_t)((sum >> 16) + sum);
}

/** The checksum of what @p sum has added up. All is well when this is 0 over
 *  data that contains its own checksum. */
static inline uint16_t tmtu_cksum_finish(uint32_t sum)
{
    return (uint16_t)~tmtu_cksum_fold(sum);
}

/** Folds a sum of 16-, 32- or 64-bit loads in this machine's order, whose
 *  carries were kept, to the 16 bits that a sum of big-endian words has. */
static inline uint16_t tmtu_cksum_wide(uint64_t s)
{
    s += s << 32 | s >> 32; /* both halves, and the carry, in the upper one */
    uint32_t t = (uint32_t)(s >> 32);
    t += t << 16 | t >> 16;
    return tmtu_order16((uint16_t)(t >> 16));
}

/** The sum of the 20 bytes at @p p: an IPv4 header without options. */
static inline uint16_t tmtu_cksum_sum20(const uint8_t *p)
{
    uint64_t s = tmtu_load64(p), t = s + tmtu_load64(p + 8);
    t += t < s; /* end-around carry */
    s = t + tmtu_load32(p + 16);
    return tmtu_cksum_wide(s + (s < t));
}

/**
 * Adds the @p n bytes at @p p to @p sum and returns the folded result, 0 to
 * 0xffff. An odd last byte counts as if a zero followed (RFC 1071 §4.1): add
 * odd pieces last.
 */
TMTU_API uint16_t tmtu_cksum_add(uint32_t sum, const uint8_t *p, size_t n);

/**
 * Copies @p n bytes to @p to and returns their sum added to @p sum, like
 * tmtu_cksum_add. One pass over memory. The places must not overlap.
 */
TMTU_API uint16_t tmtu_cksum_copy(uint32_t sum, uint8_t *to,
                                  const uint8_t *from, size_t n);

/**
 * The checksum after a 16-bit word under it changed (RFC 1624 eqn. 3). The
 * word stands at an even offset from the start of what is summed; at an odd
 * one, swap the bytes of both values.
 *
 * Never turns into 0xffff unless everything summed is zero, unlike RFC 1141.
 */
static inline uint16_t tmtu_cksum_update16(uint16_t check, uint16_t from,
                                           uint16_t to)
{
    return tmtu_cksum_finish((uint32_t)(uint16_t)~check + (uint16_t)~from + to);
}

/** The same for a 32-bit word at an even offset. */
static inline uint16_t tmtu_cksum_update32(uint16_t check, uint32_t from,
                                           uint32_t to)
{
    return tmtu_cksum_finish((uint32_t)(uint16_t)~check +
                             (uint16_t) ~(from >> 16) + (uint16_t)~from +
                             (to >> 16) + (to & 0xffffu));
}

/**
 * The sum of a TCP, UDP or ICMPv6 pseudo-header (RFC 9293 §3.1, RFC 8200
 * §8.1), to be continued with tmtu_cksum_add over the transport packet.
 *
 * @p src and @p dst are addresses of @p n bytes, 4 or 16, as in the packet.
 * @p len is the length of the transport packet in bytes.
 */
TMTU_API uint32_t tmtu_cksum_pseudo(const uint8_t *src, const uint8_t *dst,
                                    size_t n, uint8_t proto, uint32_t len);

#ifdef __cplusplus
}
#endif
#endif

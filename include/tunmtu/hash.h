/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Keyed hashes, equal on every machine that has the key: one for flows, one
 * for anything.
 */
#ifndef TUNMTU_HASH_H
#define TUNMTU_HASH_H

#include <tunmtu/api.h>
#include <tunmtu/flow.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A key: 128 bits that everybody who must agree on hashes shares. */
struct tmtu_hash_key {
    uint64_t k0; /**< its first 8 bytes, read little-endian */
    uint64_t k1; /**< its last 8 bytes, read little-endian */
};

/** The key that the 16 bytes at @p bytes are. */
static inline struct tmtu_hash_key tmtu_hash_key(const uint8_t bytes[16])
{
    struct tmtu_hash_key k;
    k.k0 = tmtu_get64le(bytes);
    k.k1 = tmtu_get64le(bytes + 8);
    return k;
}

/**
 * SipHash-1-3 of the @p n bytes at @p p, as in the reference code (Aumasson,
 * Bernstein; Linux calls it hsiphash). For tables that somebody may want to
 * fill with collisions.
 */
TMTU_API uint64_t tmtu_hash_bytes(const struct tmtu_hash_key *key,
                                  const uint8_t *p, size_t n);

/**
 * A hash of a flow for placing it: addresses, ports, protocol and version, not
 * the flags. All 64 bits are good; take the upper ones.
 *
 * Two folded 128-bit products (IPv6: four), a third of the price of SipHash:
 * who does not know the key cannot choose flows that fall on one server, but
 * it is no pseudo-random function: who sees the hashes themselves can learn
 * the key. With A = source | destination << 32 and B = source port |
 * destination port << 16 | protocol << 32 | 4 << 40, all bytes read
 * little-endian, and fold(x, y) = low ^ high half of x * y, the hash of an IPv4
 * flow is fold(fold(A ^ k0, B ^ k1) ^ k1, 0x9e3779b97f4a7c15).
 */
TMTU_API uint64_t tmtu_hash_flow(const struct tmtu_hash_key *key,
                                 const struct tmtu_flow *flow);

#ifdef __cplusplus
}
#endif
#endif

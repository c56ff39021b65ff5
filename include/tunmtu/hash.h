/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A keyed hash of a flow, equal on every machine that has the key.
 *
 * SipHash-1-3 (Aumasson, Bernstein; the variant that Linux calls hsiphash):
 * who does not know the key cannot choose flows that fall on one server.
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

/** SipHash-1-3 of the @p n bytes at @p p, as in the reference code. */
TMTU_API uint64_t tmtu_hash_bytes(const struct tmtu_hash_key *key,
                                  const uint8_t *p, size_t n);

/**
 * SipHash-1-3 of a flow.
 *
 * What is hashed: both addresses (4 bytes each for IPv4, 16 for IPv6), source
 * and destination port low byte first, protocol, version (4 or 6): 14 or 38
 * bytes. The flags are not.
 */
TMTU_API uint64_t tmtu_hash_flow(const struct tmtu_hash_key *key,
                                 const struct tmtu_flow *flow);

#ifdef __cplusplus
}
#endif
#endif

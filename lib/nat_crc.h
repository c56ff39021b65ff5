/* SPDX-License-Identifier: MIT */
/* What RFC 1624 is to the Internet checksum, for SCTP's CRC32c: the checksum
 * after a change, without a look at the rest of the packet. */
#ifndef TMTU_NAT_CRC_H
#define TMTU_NAT_CRC_H

#include <tunmtu/bytes.h>

/* a * b modulo the Castagnoli polynomial, bits reflected (RFC 9260 App. A):
 * the highest bit is x^0. */
static inline uint32_t nat_crc_multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (unsigned i = 0; i < 32; i++) {
        if (a & 0x80000000u >> i)
            product ^= b;
        b = b >> 1 ^ (b & 1 ? 0x82f63b78u : 0);
    }
    return product;
}

/* A CRC is linear: those of two messages of `n` bytes, n below 65536, that
 * differ in their first four alone, differ by the CRC, begun with 0, of this
 * difference with zeros behind it. That is the difference times x^(8n). */
static inline uint32_t nat_crc_delta(uint32_t difference, uint32_t n)
{
    uint32_t power = 0x80000000u >> 8; /* x^8, then its 2^i-th powers */
    for (unsigned i = 0; i < 16; i++) {
        if (n >> i & 1)
            difference = nat_crc_multiply(difference, power);
        power = nat_crc_multiply(power, power);
    }
    return difference;
}

/* The checksum `check`, read big-endian as it is sent, of `n` bytes whose
 * first four were `from` and are `to`. It is sent lowest byte first, and the
 * bits of a message go in lowest first, too. */
static inline uint32_t nat_crc_update(uint32_t check, uint32_t from,
                                      uint32_t to, uint32_t n)
{
    const uint32_t change = __builtin_bswap32(from ^ to);
    return check ^ __builtin_bswap32(nat_crc_delta(change, n));
}

#endif

/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The two ends of a flow: one type for IPv4 and IPv6, and its reverse.
 */
#ifndef TUNMTU_FLOW_H
#define TUNMTU_FLOW_H

#include <tunmtu/api.h>
#include <tunmtu/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Set in tmtu_flow.flags when sport and dport were really in the packet. */
#define TMTU_FLOW_PORTS 0x1u

/**
 * The two ends of a flow, named as in the packet they were read from.
 *
 * 40 bytes without padding, so it may be compared and hashed as bytes.
 * Numbers are in host order; addresses are bytes, as on the wire. Without
 * TMTU_FLOW_PORTS both ports are 0. ICMP queries (echo and the like) carry
 * their identifier in both ports, so that a request and its reply are each
 * other's reverse.
 */
struct tmtu_flow {
    uint8_t src[16]; /**< IPv6, or IPv4 as ::ffff:a.b.c.d */
    uint8_t dst[16]; /**< the same */
    uint16_t sport;  /**< source port, or ICMP identifier */
    uint16_t dport;  /**< destination port, or ICMP identifier */
    uint8_t ipver;   /**< 4 or 6 */
    uint8_t proto;   /**< IPv4 protocol, or last IPv6 next header */
    uint16_t flags;  /**< TMTU_FLOW_* */
};

/** Writes the IPv4 address at @p ip4 (4 bytes) as ::ffff:a.b.c.d. */
static inline void tmtu_addr_set4(uint8_t addr[16], const uint8_t *ip4)
{
    /* Two wide stores: what is loaded wide soon after must be stored wide. */
    tmtu_store32x2(addr, 0, 0);
    tmtu_store32x2(addr + 8, tmtu_order32(0xffffu), tmtu_load32(ip4));
}

/** Nonzero when both addresses are the same 16 bytes. */
static inline int tmtu_addr_equal(const uint8_t a[16], const uint8_t b[16])
{
    return tmtu_load64(a) == tmtu_load64(b) &&
           tmtu_load64(a + 8) == tmtu_load64(b + 8);
}

/** Nonzero when @p addr is an IPv4 address (::ffff:0:0/96). */
static inline int tmtu_addr_is4(const uint8_t addr[16])
{
    return tmtu_load64(addr) == 0 &&
           tmtu_load32(addr + 8) == tmtu_order32(0xffffu);
}

/** Nonzero when @p addr is 0.0.0.0 or ::. */
static inline int tmtu_addr_is_unspecified(const uint8_t addr[16])
{
    return tmtu_load64(addr) == 0 && tmtu_get32(addr + 12) == 0 &&
           (tmtu_get32(addr + 8) == 0 || tmtu_get32(addr + 8) == 0xffffu);
}

/** Nonzero when @p addr is an IPv4 or IPv6 multicast address, or the limited
 *  broadcast address 255.255.255.255. */
static inline int tmtu_addr_is_group(const uint8_t addr[16])
{
    if (!tmtu_addr_is4(addr))
        return addr[0] == 0xff;
    return addr[12] >> 4 == 14 || tmtu_get32(addr + 12) == 0xffffffffu;
}

/**
 * Nonzero when @p addr can be the address of one host that receives an error:
 * not unspecified, loopback, multicast, broadcast, 0.0.0.0/8 or 240.0.0.0/4
 * (RFC 1122 §3.2.2, RFC 4443 §2.4 e).
 */
static inline int tmtu_addr_is_host(const uint8_t addr[16])
{
    if (tmtu_addr_is4(addr))
        return addr[12] != 0 && addr[12] != 127 && addr[12] < 224;
    return addr[0] != 0xff && !(tmtu_load64(addr) == 0 && addr[15] <= 1 &&
                                tmtu_get32(addr + 8) == 0 && addr[12] == 0 &&
                                addr[13] == 0 && addr[14] == 0);
}

/** Writes all of a flow but its addresses. */
static inline void tmtu_flow_set_ports(struct tmtu_flow *f, uint8_t ipver,
                                       uint8_t proto, uint16_t sport,
                                       uint16_t dport, uint16_t flags)
{
    tmtu_store16x4(&f->sport, sport, dport,
                   tmtu_order16((uint16_t)(ipver << 8 | proto)), flags);
}

/** Nonzero when both flows are the same, direction included. */
static inline int tmtu_flow_equal(const struct tmtu_flow *a,
                                  const struct tmtu_flow *b)
{
    return tmtu_addr_equal(a->src, b->src) && tmtu_addr_equal(a->dst, b->dst) &&
           a->sport == b->sport && a->dport == b->dport &&
           a->ipver == b->ipver && a->proto == b->proto && a->flags == b->flags;
}

/** The same flow as the other end sends it. */
static inline struct tmtu_flow tmtu_flow_reverse(const struct tmtu_flow *f)
{
    struct tmtu_flow r = *f;
    tmtu_copy(r.src, f->dst, 16);
    tmtu_copy(r.dst, f->src, 16);
    r.sport = f->dport;
    r.dport = f->sport;
    return r;
}

/**
 * The same for a flow and its reverse: whichever comes first by address bytes,
 * then by port. For who hashes both directions to one value; a client's own
 * direction, as owner.h tells it, makes a better name where it is known.
 */
static inline struct tmtu_flow tmtu_flow_canonical(const struct tmtu_flow *f)
{
    const int order = __builtin_memcmp(f->src, f->dst, sizeof f->src);
    return order > 0 || (order == 0 && f->sport > f->dport)
               ? tmtu_flow_reverse(f)
               : *f;
}

#ifdef __cplusplus
}
#endif
#endif

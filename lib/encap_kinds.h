/* SPDX-License-Identifier: MIT */
/* A kind of tunnel is what it puts between the outer IP header and the inner
 * packet, its shim: how long it is, how it is pushed, how it is taken off. One
 * file a kind, and a case in each of the functions at the end of this one. */
#ifndef TMTU_ENCAP_KINDS_H
#define TMTU_ENCAP_KINDS_H

#include <tunmtu/encap.h>

#include "outer.h"

/* All kinds have these four. size: bytes of the shim that these options make;
 * negative: they are not of this kind. push: as tmtu_encap_push, which has held
 * the size of the struct. read: takes the shim off v, which ends where the
 * outer IP packet does; *ipver: the inner version that it announces, 0 if none.
 * peek: the same for a quote, which may end anywhere; without `encap`, outer's
 * protocol and port are known to be of this kind. Its results are those of
 * tmtu_encap_peek, 0 when v is at the inner packet. */
typedef int encap_size_fn(const struct tmtu_encap *encap);
typedef int encap_push_fn(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                          uint32_t ttl, const struct tmtu_encap *encap,
                          const struct tmtu_encap_each *each);
typedef enum tmtu_reason encap_read_fn(struct tmtu_view *v,
                                       const struct tmtu_pkt *outer,
                                       const struct tmtu_encap *encap,
                                       uint8_t *ipver);
typedef int encap_peek_fn(struct tmtu_view *v, const struct tmtu_pkt *outer,
                          const struct tmtu_encap *encap, uint8_t *ipver);

TMTU_LOCAL encap_size_fn tmtu_encap_gre_size, tmtu_encap_gue_size;
TMTU_LOCAL encap_push_fn tmtu_encap_gre_push, tmtu_encap_gue_push;
TMTU_LOCAL encap_read_fn tmtu_encap_gre_read, tmtu_encap_gue_read;
TMTU_LOCAL encap_peek_fn tmtu_encap_gre_peek, tmtu_encap_gue_peek;

/* What several kinds begin with: UDP's header. */
TMTU_LOCAL encap_size_fn tmtu_encap_udp_size;
TMTU_LOCAL encap_read_fn tmtu_encap_udp_read;
TMTU_LOCAL encap_peek_fn tmtu_encap_udp_peek;
TMTU_LOCAL void tmtu_encap_udp_sum(uint8_t *p, const struct tmtu_encap *encap,
                                   uint32_t len);

/* The outer IPv6 header in front of a shim of `size` bytes. */
TMTU_LOCAL int tmtu_encap_push6(struct tmtu_buf *buf,
                                const struct tmtu_pkt *pkt, uint32_t ttl,
                                const struct tmtu_encap *encap, uint32_t hash,
                                uint32_t size, uint32_t proto);

/* Opens the packet and writes its outer IP header. Returns where the shim, of
 * `size` bytes, is to be written; negative: an error, and nothing is changed.
 */
static inline int encap_outer(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                              uint32_t ttl, const struct tmtu_encap *encap,
                              const struct tmtu_encap_each *each, int size,
                              uint32_t proto)
{
    if (size < 0)
        return size;
    int at = W_IP4_SIZE;
    if (encap_outer4(encap)) {
        const uint32_t head = W_IP4_SIZE + (uint32_t)size;
        const int rc = encap_push4(buf, pkt, ttl, encap, each->id, head, proto);
        if (rc < 0)
            return rc;
    } else {
        at = tmtu_encap_push6(buf, pkt, ttl, encap, each->hash, (uint32_t)size,
                              proto);
        if (at < 0)
            return at;
    }
    /* A sum over the inner packet is of what it will be, with one taken off
     * its hop limit; over IPv4, its header checksum makes up for that. */
    if ((encap->flags & TMTU_ENCAP_CSUM) && pkt->flow.ipver == 6)
        buf->data[at + size + W_IP6_HOPS] = (uint8_t)ttl;
    return at;
}

static inline uint16_t encap_udp_port(const struct tmtu_encap *encap)
{
    if (encap->dport != 0)
        return encap->dport;
    return encap->kind == TMTU_ENCAP_GREUDP ? W_PORT_GREUDP : W_PORT_GUE;
}

/* UDP's header at p, in front of `len` - 8 bytes that are there already. */
static inline void encap_udp_write(uint8_t *p, const struct tmtu_encap *encap,
                                   uint32_t hash, uint32_t len)
{
    uint32_t sport = encap->sport; /* RFC 8086 §3.2.1: 14 bits of entropy */
    if (sport == 0)
        sport = 0xc000u | (hash & 0x3fffu);
    tmtu_put32(p, sport << 16 | encap_udp_port(encap));
    tmtu_put32(p + W_UDP_LEN, len << 16);
    if (encap->flags & TMTU_ENCAP_CSUM)
        tmtu_encap_udp_sum(p, encap, len);
}

/* Whether an end is the one that a tunnel names; unspecified, it is anybody. */
static inline int encap_end_is(const uint8_t named[16], const uint8_t is[16])
{
    return tmtu_addr_is_unspecified(named) || tmtu_addr_equal(named, is);
}

/* Whether an outer packet is from this tunnel's one end to the other. */
static inline int encap_ends_are(const struct tmtu_encap *encap,
                                 const struct tmtu_pkt *outer)
{
    return tmtu_addr_is4(encap->dst) == (outer->flow.ipver == 4) &&
           !(outer->flags & TMTU_PKT_ROUTED) && /* it does not end there */
           encap_end_is(encap->src, outer->flow.src) &&
           encap_end_is(encap->dst, outer->flow.dst);
}

/* ---- one case a kind ---- */

/* The protocol in the outer IP header; 0: no such kind. */
static inline uint32_t encap_kind_proto(uint8_t kind, uint8_t ipver)
{
    switch (kind) {
    case TMTU_ENCAP_IPIP:
        return ipver == 4 ? W_PROTO_IPIP : W_PROTO_IPV6;
    case TMTU_ENCAP_GRE:
        return W_PROTO_GRE;
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
    case TMTU_ENCAP_GREUDP:
        return W_PROTO_UDP;
    default:
        return 0;
    }
}

/* Whether that may be the protocol in the outer IP header. */
static inline int encap_kind_is(uint8_t kind, uint8_t proto)
{
    return proto != 0 && (proto == encap_kind_proto(kind, 4) ||
                          proto == encap_kind_proto(kind, 6));
}

/* Flags that mean something to it, over either family. */
static inline unsigned encap_kind_flags(uint8_t kind)
{
    switch (kind) {
    case TMTU_ENCAP_GRE:
    case TMTU_ENCAP_GREUDP:
        return TMTU_ENCAP_CSUM | TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ;
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        return TMTU_ENCAP_CSUM;
    default:
        return 0;
    }
}

static inline int encap_kind_size(const struct tmtu_encap *encap)
{
    switch (encap->kind) {
    case TMTU_ENCAP_IPIP:
        return 0;
    case TMTU_ENCAP_GRE:
    case TMTU_ENCAP_GREUDP:
        return tmtu_encap_gre_size(encap);
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        return tmtu_encap_gue_size(encap);
    default:
        return TMTU_E_ARGUMENT;
    }
}

static inline int encap_kind_push(struct tmtu_buf *buf,
                                  const struct tmtu_pkt *pkt, uint32_t ttl,
                                  const struct tmtu_encap *encap,
                                  const struct tmtu_encap_each *each)
{
    int rc;
    switch (encap->kind) {
    case TMTU_ENCAP_IPIP:
        rc = encap_outer(buf, pkt, ttl, encap, each, 0,
                         encap_kind_proto(TMTU_ENCAP_IPIP, pkt->flow.ipver));
        return rc < 0 ? rc : 0;
    case TMTU_ENCAP_GRE:
    case TMTU_ENCAP_GREUDP:
        return tmtu_encap_gre_push(buf, pkt, ttl, encap, each);
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        return tmtu_encap_gue_push(buf, pkt, ttl, encap, each);
    default:
        return TMTU_E_ARGUMENT;
    }
}

static inline enum tmtu_reason encap_kind_read(struct tmtu_view *v,
                                               const struct tmtu_pkt *outer,
                                               const struct tmtu_encap *encap,
                                               uint8_t *ipver)
{
    switch (encap->kind) {
    case TMTU_ENCAP_IPIP:
        *ipver = outer->flow.proto == W_PROTO_IPIP ? 4 : 6;
        return TMTU_OK;
    case TMTU_ENCAP_GRE:
    case TMTU_ENCAP_GREUDP:
        return tmtu_encap_gre_read(v, outer, encap, ipver);
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        return tmtu_encap_gue_read(v, outer, encap, ipver);
    default:
        return TMTU_R_NOT_TUNNEL;
    }
}

static inline int encap_kind_peek(struct tmtu_view *v,
                                  const struct tmtu_pkt *outer, uint8_t kind,
                                  const struct tmtu_encap *encap,
                                  uint8_t *ipver)
{
    switch (kind) {
    case TMTU_ENCAP_IPIP:
        *ipver = outer->flow.proto == W_PROTO_IPIP ? 4 : 6;
        return 0;
    case TMTU_ENCAP_GRE:
    case TMTU_ENCAP_GREUDP:
        return tmtu_encap_gre_peek(v, outer, encap, ipver);
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        return tmtu_encap_gue_peek(v, outer, encap, ipver);
    default:
        return TMTU_E_IGNORED;
    }
}

#endif

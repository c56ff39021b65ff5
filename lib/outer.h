/* SPDX-License-Identifier: MIT */
/* The outer IP header, written: inline, for who pushes it and for who takes one
 * off the inner TTL in the same step. */
#ifndef TMTU_OUTER_H
#define TMTU_OUTER_H

#include <tunmtu/cksum.h>
#include <tunmtu/encap.h>

#include "wire.h"

/* Every kind, over either family. */
TMTU_LOCAL int tmtu_encap_push_any(struct tmtu_buf *buf,
                                   const struct tmtu_pkt *pkt, uint32_t ttl,
                                   const struct tmtu_encap *encap,
                                   const struct tmtu_encap_each *each);

static inline int encap_outer4(const struct tmtu_encap *encap)
{
    return tmtu_addr_is4(encap->dst);
}

static inline uint32_t encap_tclass(const struct tmtu_encap *encap, uint32_t in)
{
    if (encap->dscp != TMTU_DSCP_COPY)
        in = (in & 3) | (uint32_t)encap->dscp << 2;
    if ((in & 3) != 0 && encap->ecn != TMTU_ECN_NORMAL) {
        if (encap->ecn == TMTU_ECN_COMPAT)
            in &= ~3u;
        else if ((in & 3) == 3)
            in ^= 1; /* CE is set anew inside the tunnel: K33 */
    }
    return in;
}

static inline int encap_df(const struct tmtu_encap *encap,
                           const struct tmtu_pkt *pkt)
{
    if (encap->df == TMTU_DF_COPY) /* IPv6 has none: clear, K20 */
        return pkt->flags & TMTU_PKT_DF;
    return encap->df == TMTU_DF_SET;
}

/* RFC 6438 §2: 0 means that there is none. */
static inline uint32_t encap_label(uint32_t hash)
{
    const uint32_t label = hash & 0xfffffu;
    return label == 0 && hash != 0 ? 1 : label;
}

/* Opens `head` bytes for an outer header in front of the packet; negative: not
 * possible, and nothing is changed. */
static inline int encap_open(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                             uint32_t ttl, uint32_t head, uint32_t max)
{
    const uint32_t len = pkt->len + head;
    if (ttl == 0)
        return TMTU_E_FORBIDDEN; /* RFC 2003 §3.1 */
    if (len > max)
        return TMTU_E_LIMIT;
    if (tmtu_buf_push(buf, head) == NULL)
        return TMTU_E_NOSPACE;
    tmtu_buf_trim(buf, len);
    return 0;
}

/* The sum is taken from the values: reading back bytes just written stalls.
 * In words of this machine's order, because the addresses come in those. */
static inline void encap_write4(uint8_t *p, const struct tmtu_encap *encap,
                                uint32_t first, uint32_t second, uint16_t third)
{
    const uint32_t src = tmtu_load32(encap->src + 12);
    const uint32_t dst = tmtu_load32(encap->dst + 12);
    const uint64_t sum = (uint64_t)tmtu_order32(first) + tmtu_order32(second) +
                         tmtu_order16(third) + src + dst;
    tmtu_put32(p, first);
    tmtu_put32(p + W_IP4_ID, second);
    tmtu_put16(p + W_IP4_TTL, third);
    tmtu_put16(p + W_IP4_CHECK, (uint16_t)~tmtu_cksum_wide(sum));
    tmtu_copy(p + W_IP4_SRC, encap->src + 12, 4);
    tmtu_copy(p + W_IP4_DST, encap->dst + 12, 4);
}

static inline int encap_push4(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                              uint32_t ttl, const struct tmtu_encap *encap,
                              uint32_t id, uint32_t head, uint32_t proto)
{
    const int rc = encap_open(buf, pkt, ttl, head, 65535u);
    if (rc < 0)
        return rc;
    const uint32_t tclass = encap_tclass(encap, pkt->tclass);
    ttl = encap->ttl ? encap->ttl : ttl;
    const uint32_t len = pkt->len + head;
    encap_write4(buf->data, encap, 0x45000000u | tclass << 16 | len,
                 encap_df(encap, pkt) ? W_IP4_DF : id << 16,
                 (uint16_t)(ttl << 8 | proto));
    return 0;
}

/* What tmtu_encap_push does with a packet whose TTL is `ttl`. IP in IP over
 * IPv4, what most are, has nothing to look up. */
static inline int encap_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                             uint32_t ttl, const struct tmtu_encap *encap,
                             const struct tmtu_encap_each *each)
{
    if (encap->size != sizeof *encap || encap->kind != TMTU_ENCAP_IPIP ||
        !encap_outer4(encap))
        return tmtu_encap_push_any(buf, pkt, ttl, encap, each);
    return encap_push4(buf, pkt, ttl, encap, each->id, W_IP4_SIZE,
                       pkt->flow.ipver == 4 ? W_PROTO_IPIP : W_PROTO_IPV6);
}

#endif

/* SPDX-License-Identifier: MIT */
/* The outer IP header: written in front of a packet, and taken off again. */
#include <tunmtu/encap.h>

#include "wire.h"
#include <tunmtu/cksum.h>

static inline int encap_outer4(const struct tmtu_encap *encap)
{
    return tmtu_addr_is4(encap->dst);
}

/* Bytes that a kind puts between the outer IP header and the inner one. */
static inline int encap_shim(const struct tmtu_encap *encap)
{
    return encap->kind == TMTU_ENCAP_IPIP ? 0 : (int)TMTU_E_ARGUMENT;
}

/* In front of a packet in all; negative: the tunnel is not valid. */
static inline int encap_head(const struct tmtu_encap *encap, int v4)
{
    const int shim = encap_shim(encap);
    if (encap->size != sizeof *encap || shim < 0)
        return TMTU_E_ARGUMENT;
    return shim + (v4 ? W_IP4_SIZE : W_IP6_SIZE);
}

uint16_t tmtu_encap_overhead(const struct tmtu_encap *encap)
{
    const int head = encap_head(encap, encap_outer4(encap));
    return (uint16_t)(head < 0 ? 0 : head);
}

int tmtu_encap_check(const struct tmtu_encap *encap)
{
    if (encap->size != sizeof *encap || encap_shim(encap) < 0 ||
        encap->df > TMTU_DF_CLEAR || encap->ecn > TMTU_ECN_3168 ||
        (encap->dscp > 63 && encap->dscp != TMTU_DSCP_COPY) ||
        tmtu_addr_is4(encap->src) != tmtu_addr_is4(encap->dst) ||
        !tmtu_addr_is_host(encap->src) || !tmtu_addr_is_host(encap->dst) ||
        tmtu_addr_equal(encap->src, encap->dst))
        return TMTU_E_ARGUMENT;
    return 0;
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

/* Opens `head` bytes for an outer header in front of the packet; negative: not
 * possible, and nothing is changed. */
static inline int encap_open(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                             uint32_t head, uint32_t max)
{
    const uint32_t len = pkt->len + head;
    if (pkt->ttl == 0)
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
                              const struct tmtu_encap *encap,
                              const struct tmtu_encap_each *each)
{
    const int rc = encap_open(buf, pkt, W_IP4_SIZE, 65535u);
    if (rc < 0)
        return rc;
    const uint32_t proto = pkt->flow.ipver == 4 ? W_PROTO_IPIP : W_PROTO_IPV6;
    const uint32_t tclass = encap_tclass(encap, pkt->tclass);
    const uint32_t ttl = encap->ttl ? encap->ttl : pkt->ttl;
    const uint32_t len = pkt->len + W_IP4_SIZE;
    encap_write4(buf->data, encap, 0x45000000u | tclass << 16 | len,
                 encap_df(encap, pkt) ? W_IP4_DF : each->id << 16,
                 (uint16_t)(ttl << 8 | proto));
    return 0;
}

static inline int encap_push6(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                              const struct tmtu_encap *encap,
                              const struct tmtu_encap_each *each)
{
    const int rc = encap_open(buf, pkt, W_IP6_SIZE, 65535u + W_IP6_SIZE);
    if (rc < 0)
        return rc;
    const uint32_t proto = pkt->flow.ipver == 4 ? W_PROTO_IPIP : W_PROTO_IPV6;
    const uint32_t tclass = encap_tclass(encap, pkt->tclass);
    const uint32_t ttl = encap->ttl ? encap->ttl : pkt->ttl;
    uint32_t label = each->hash & 0xfffffu;
    if (label == 0 && each->hash != 0)
        label = 1; /* RFC 6438 §2: 0 means that there is none */
    uint8_t *p = buf->data;
    tmtu_put32(p, 6u << 28 | tclass << 20 | label);
    tmtu_put32(p + W_IP6_LEN, pkt->len << 16 | proto << 8 | ttl);
    tmtu_copy(p + W_IP6_SRC, encap->src, 16);
    tmtu_copy(p + W_IP6_DST, encap->dst, 16);
    return 0;
}

int tmtu_encap_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                    const struct tmtu_encap *encap,
                    const struct tmtu_encap_each *each)
{
    if (encap->size != sizeof *encap || encap->kind != TMTU_ENCAP_IPIP)
        return TMTU_E_ARGUMENT;
    return encap_outer4(encap) ? encap_push4(buf, pkt, encap, each)
                               : encap_push6(buf, pkt, encap, each);
}

/* RFC 4213 §3.6, RFC 1122 §3.2.1.3: sources that no packet may have. The
 * unspecified IPv6 address is one that a host may have for a while. */
static int encap_source_ok(const struct tmtu_pkt *inner)
{
    const uint8_t *a = inner->flow.src;
    if (inner->flow.ipver == 4)
        return tmtu_addr_is_host(a);
    if (tmtu_addr_is_unspecified(a))
        return !tmtu_addr_is4(a);
    return a[0] != 0xff && !(tmtu_load64(a) == 0 &&
                             (tmtu_get32(a + 8) == 0 || tmtu_addr_is4(a)));
}

/* RFC 6040 §4.2: what the inner field becomes; row: inner, column: outer; in
 * the order Not-ECT, ECT(1), ECT(0), CE. Negative: drop. */
static int encap_ecn_out(unsigned inner, unsigned outer)
{
    if (outer == 3)
        return inner == 0 ? -1 : 3;
    if (inner == 2 && outer == 1)
        return 1;
    return (int)inner;
}

static void encap_set_ecn(uint8_t *ip, struct tmtu_pkt *inner, uint8_t ecn)
{
    const uint8_t tclass = (uint8_t)((inner->tclass & 0xfcu) | ecn);
    const uint16_t from = tmtu_get16(ip);
    uint16_t to;
    if (inner->flow.ipver == 4)
        to = (uint16_t)((from & 0xff00u) | tclass);
    else
        to = (uint16_t)((from & 0xf00fu) | (unsigned)tclass << 4);
    tmtu_put16(ip, to);
    if (inner->flow.ipver == 4)
        tmtu_put16(ip + W_IP4_CHECK,
                   tmtu_cksum_update16(tmtu_get16(ip + W_IP4_CHECK), from, to));
    inner->tclass = tclass;
}

enum tmtu_reason tmtu_encap_pull(struct tmtu_buf *buf,
                                 const struct tmtu_pkt *outer,
                                 const struct tmtu_encap *encap,
                                 struct tmtu_pkt *inner)
{
    const int v4 = outer->flow.ipver == 4;
    const uint8_t proto = outer->flow.proto;
    if (encap->size != sizeof *encap || encap->kind != TMTU_ENCAP_IPIP ||
        encap_outer4(encap) != v4 ||
        (proto != W_PROTO_IPIP && proto != W_PROTO_IPV6))
        return TMTU_R_NOT_TUNNEL;
    if (!tmtu_addr_is_unspecified(encap->dst) &&
        !tmtu_addr_equal(encap->dst, outer->flow.dst))
        return TMTU_R_OUTER_DEST;
    if (!tmtu_addr_is_host(outer->flow.src) ||
        tmtu_addr_is4(outer->flow.src) != v4 ||
        (!tmtu_addr_is_unspecified(encap->src) &&
         !tmtu_addr_equal(encap->src, outer->flow.src)))
        return TMTU_R_OUTER_SOURCE;
    if (outer->flags & TMTU_PKT_FRAGMENT)
        return TMTU_R_OUTER_FRAGMENT;

    const struct tmtu_view v = {outer->data + outer->l4,
                                outer->data + outer->have};
    const uint8_t *ip = tmtu_peek(v, 1);
    if (ip == NULL)
        return TMTU_R_INNER_MALFORMED;
    if (ip[0] >> 4 != (proto == W_PROTO_IPIP ? 4 : 6))
        return TMTU_R_INNER_VERSION;
    struct tmtu_pkt pkt;
    if (tmtu_ip_parse(v, TMTU_IP_VERIFY, &pkt) < 0)
        return TMTU_R_INNER_MALFORMED;
    if (!encap_source_ok(&pkt))
        return TMTU_R_INNER_SOURCE;
    if (pkt.ttl == 0)
        return TMTU_R_INNER_TTL; /* RFC 2003 §3.1 */
    const int ecn = encap_ecn_out(pkt.tclass & 3u, outer->tclass & 3u);
    if (ecn < 0)
        return TMTU_R_ECN;

    uint8_t *shim = tmtu_buf_pull(buf, outer->l4);
    if (shim == NULL)
        return TMTU_R_INTERNAL; /* buf is not what outer was parsed from */
    tmtu_buf_trim(buf, pkt.len);
    if ((pkt.tclass & 3) != ecn)
        encap_set_ecn(buf->data, &pkt, (uint8_t)ecn);
    *inner = pkt;
    return TMTU_OK;
}

/* SPDX-License-Identifier: MIT */
/* The outer IP header: written in front of a packet, and taken off again. */
#include <tunmtu/encap.h>

#include "outer.h"

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

int tmtu_encap_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                    const struct tmtu_encap *encap,
                    const struct tmtu_encap_each *each)
{
    return encap_push(buf, pkt, pkt->ttl, encap, each);
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

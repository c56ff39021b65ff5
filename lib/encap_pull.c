/* SPDX-License-Identifier: MIT */
/* The outer headers, taken off a packet: who sent it, and what is inside. */
#include <tunmtu/cksum.h>

#include "encap_kinds.h"

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
    if (encap->size != sizeof *encap || tmtu_addr_is4(encap->dst) != v4 ||
        !encap_kind_is(encap->kind, outer->flow.proto))
        return TMTU_R_NOT_TUNNEL;
    if ((outer->flags & TMTU_PKT_ROUTED) || /* RFC 8200 §4.4: it goes on */
        !encap_end_is(encap->dst, outer->flow.dst))
        return TMTU_R_OUTER_DEST;
    if (!tmtu_addr_is_host(outer->flow.src) ||
        tmtu_addr_is4(outer->flow.src) != v4 ||
        !encap_end_is(encap->src, outer->flow.src))
        return TMTU_R_OUTER_SOURCE;
    if (outer->flags & TMTU_PKT_FRAGMENT)
        return TMTU_R_OUTER_FRAGMENT;

    struct tmtu_view v = {outer->data + outer->l4, outer->data + outer->have};
    uint8_t ipver;
    const enum tmtu_reason why = encap_kind_read(&v, outer, encap, &ipver);
    if (why != TMTU_OK)
        return why;
    const uint8_t *ip = tmtu_peek(v, 1);
    if (ip == NULL)
        return TMTU_R_INNER_MALFORMED;
    if (ip[0] >> 4 != (ipver ? ipver : (ip[0] >> 4 == 6 ? 6 : 4)))
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

    if (buf->data != outer->data ||
        tmtu_buf_pull(buf, (size_t)(ip - outer->data)) == NULL)
        return TMTU_R_INTERNAL; /* buf is not what outer was parsed from */
    tmtu_buf_trim(buf, pkt.len);
    if ((pkt.tclass & 3) != ecn)
        encap_set_ecn(buf->data, &pkt, (uint8_t)ecn);
    *inner = pkt;
    return TMTU_OK;
}

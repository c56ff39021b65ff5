/* SPDX-License-Identifier: MIT */
/* GUE behind its UDP header: variant 0 with four bytes, variant 1 with none
 * (draft-ietf-intarea-gue-09 §3). */
#include "encap_kinds.h"

int tmtu_encap_gue_size(const struct tmtu_encap *encap)
{
    const int udp = tmtu_encap_udp_size(encap);
    if (udp < 0 || encap->kind == TMTU_ENCAP_GUE1)
        return udp;
    return udp + W_GUE_SIZE;
}

int tmtu_encap_gue_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                        uint32_t ttl, const struct tmtu_encap *encap,
                        const struct tmtu_encap_each *each)
{
    const int size = tmtu_encap_gue_size(encap);
    const int at = encap_outer(buf, pkt, ttl, encap, each, size, W_PROTO_UDP);
    if (at < 0)
        return at;
    uint8_t *p = buf->data + at;
    /* No control message, no length of options, no flags. */
    if (encap->kind == TMTU_ENCAP_GUE)
        tmtu_put32(p + W_UDP_SIZE,
                   encap_kind_proto(TMTU_ENCAP_IPIP, pkt->flow.ipver) << 16);
    encap_udp_write(p, encap, each->hash, pkt->len + (uint32_t)size);
    return 0;
}

/* Both variants come to the same port; the first two bits tell them apart, and
 * variant 1 is where an IP header has its version. A length without flags is
 * private data, which nobody has agreed on here. */
enum tmtu_reason tmtu_encap_gue_read(struct tmtu_view *v,
                                     const struct tmtu_pkt *outer,
                                     const struct tmtu_encap *encap,
                                     uint8_t *ipver)
{
    const enum tmtu_reason why = tmtu_encap_udp_read(v, outer, encap, ipver);
    if (why != TMTU_OK)
        return why;
    const uint8_t *p = tmtu_peek(*v, 1);
    if (p == NULL)
        return TMTU_R_TUNNEL_HEADER;
    if (p[0] >> 6 == 1)
        return TMTU_OK;
    p = tmtu_pull(v, W_GUE_SIZE);
    if (p == NULL || p[0] != 0 || tmtu_get16(p + 2) != 0 ||
        (p[1] != W_PROTO_IPIP && p[1] != W_PROTO_IPV6))
        return TMTU_R_TUNNEL_HEADER;
    *ipver = p[1] == W_PROTO_IPIP ? 4 : 6;
    return TMTU_OK;
}

/* Options and private data are passed over: what is behind them must look like
 * an IP packet, and goes nowhere. */
int tmtu_encap_gue_peek(struct tmtu_view *v, const struct tmtu_pkt *outer,
                        const struct tmtu_encap *encap, uint8_t *ipver)
{
    const int rc = tmtu_encap_udp_peek(v, outer, encap, ipver);
    if (rc < 0)
        return rc;
    const uint8_t *p = tmtu_peek(*v, 1);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    if (p[0] >> 6 == 1)
        return 0;
    if (p[0] & ~(unsigned)W_GUE_HLEN) /* another variant, a control message */
        return TMTU_E_IGNORED;
    const size_t size = W_GUE_SIZE + (p[0] & W_GUE_HLEN) * 4u;
    p = tmtu_peek(*v, 2);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    if (p[1] != W_PROTO_IPIP && p[1] != W_PROTO_IPV6)
        return TMTU_E_IGNORED;
    *ipver = p[1] == W_PROTO_IPIP ? 4 : 6;
    return tmtu_pull(v, size) == NULL ? TMTU_E_TRUNCATED : 0;
}

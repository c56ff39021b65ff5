/* SPDX-License-Identifier: MIT */
/* The checksum of a whole packet's transport header: verified, completed. */
#include <tunmtu/cksum.h>
#include <tunmtu/ip.h>

#include "wire.h"

/* Where the checksum stands in the transport header; negative: there is none
 * that can be looked at. */
static int transport_check_at(const struct tmtu_pkt *pkt)
{
    const size_t l4 = pkt->have - pkt->l4;
    /* RFC 8200 §8.1: the last destination counts, and that is in the routing
     * header, where each type keeps it differently. */
    if ((pkt->flags & (TMTU_PKT_FRAGMENT | TMTU_PKT_CUT | TMTU_PKT_ROUTED)) ||
        pkt->have < pkt->len)
        return TMTU_E_IGNORED;
    switch (pkt->flow.proto) {
    case W_PROTO_TCP:
        return l4 < W_TCP_SIZE ? TMTU_E_IGNORED : W_TCP_CHECK;
    case W_PROTO_UDP:
        return l4 < W_UDP_SIZE ? TMTU_E_IGNORED : W_UDP_CHECK;
    case W_PROTO_ICMP:
        return pkt->flow.ipver == 4 && l4 >= 4 ? W_ICMP_CHECK : TMTU_E_IGNORED;
    case W_PROTO_ICMPV6:
        return pkt->flow.ipver == 6 && l4 >= 4 ? W_ICMP_CHECK : TMTU_E_IGNORED;
    default:
        return TMTU_E_IGNORED;
    }
}

uint16_t tmtu_ip_transport_sum(const struct tmtu_pkt *pkt)
{
    const uint8_t *l4 = pkt->data + pkt->l4;
    const uint8_t *ip = pkt->data;
    uint32_t len = pkt->have - pkt->l4, sum = 0;
    if (pkt->flow.proto == W_PROTO_UDP && len >= W_UDP_SIZE &&
        tmtu_get16(l4 + W_UDP_LEN) < len)
        len = tmtu_get16(l4 + W_UDP_LEN); /* padding behind it is no part */
    if (pkt->flow.ipver == 6)
        sum = tmtu_cksum_pseudo(ip + W_IP6_SRC, ip + W_IP6_DST, 16,
                                pkt->flow.proto, len);
    else if (pkt->flow.proto != W_PROTO_ICMP)
        sum = tmtu_cksum_pseudo(ip + W_IP4_SRC, ip + W_IP4_DST, 4,
                                pkt->flow.proto, len);
    return tmtu_cksum_add(sum, l4, len);
}

int tmtu_ip_transport_verify(const struct tmtu_pkt *pkt)
{
    const int at = transport_check_at(pkt);
    if (at < 0)
        return at;
    if (pkt->flow.proto == W_PROTO_UDP &&
        tmtu_get16(pkt->data + pkt->l4 + at) == 0)
        return pkt->flow.ipver == 4 ? 0 : TMTU_E_CHECKSUM;
    return tmtu_ip_transport_sum(pkt) == 0xffffu ? 0 : TMTU_E_CHECKSUM;
}

int tmtu_ip_transport_fill(struct tmtu_buf *buf, const struct tmtu_pkt *pkt)
{
    const int at = transport_check_at(pkt);
    if (at < 0)
        return at;
    uint8_t *field = buf->data + pkt->l4 + at;
    tmtu_put16(field, 0);
    uint16_t check = tmtu_cksum_finish(tmtu_ip_transport_sum(pkt));
    if (check == 0 && pkt->flow.proto == W_PROTO_UDP)
        check = 0xffffu; /* RFC 768: 0 means that there is none */
    tmtu_put16(field, check);
    return 0;
}

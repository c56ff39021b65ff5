/* SPDX-License-Identifier: MIT */
/* The UDP header of a tunnel: its checksum or none, and who may come without.
 */
#include <tunmtu/cksum.h>

#include "encap_kinds.h"

int tmtu_encap_udp_size(const struct tmtu_encap *encap)
{
    /* RFC 8200 §8.1, RFC 6936 §4: never without one over IPv6 unless asked. */
    if (!encap_outer4(encap) &&
        !(encap->flags & (TMTU_ENCAP_CSUM | TMTU_ENCAP_ZERO6)))
        return TMTU_E_ARGUMENT;
    return W_UDP_SIZE;
}

/* The field is 0 so far. */
void tmtu_encap_udp_sum(uint8_t *p, const struct tmtu_encap *encap,
                        uint32_t len)
{
    const size_t n = encap_outer4(encap) ? 4 : 16;
    const uint32_t sum = tmtu_cksum_pseudo(
        encap->src + 16 - n, encap->dst + 16 - n, n, W_PROTO_UDP, len);
    const uint16_t check = (uint16_t)~tmtu_cksum_add(sum, p, len);
    tmtu_put16(p + W_UDP_CHECK, check == 0 ? 0xffffu : check); /* RFC 768 */
}

/* Announces nothing about what is inside. */
enum tmtu_reason tmtu_encap_udp_read(struct tmtu_view *v,
                                     const struct tmtu_pkt *outer,
                                     const struct tmtu_encap *encap,
                                     uint8_t *ipver)
{
    const uint8_t *p = tmtu_peek(*v, W_UDP_SIZE);
    if (p == NULL || outer->flow.dport != encap_udp_port(encap))
        return TMTU_R_NOT_TUNNEL;
    /* tmtu_ip_parse holds UDP's length against the packet's, but not where it
     * was asked to read a quote. */
    const size_t len = tmtu_get16(p + W_UDP_LEN);
    if (len < W_UDP_SIZE || tmtu_peek(*v, len) == NULL)
        return TMTU_R_TUNNEL_HEADER;
    if (tmtu_get16(p + W_UDP_CHECK) != 0) {
        if (tmtu_ip_transport_sum(outer) != 0xffffu)
            return TMTU_R_OUTER_CHECKSUM;
    } else if (outer->flow.ipver == 6 && !(encap->flags & TMTU_ENCAP_ZERO6)) {
        return TMTU_R_OUTER_CHECKSUM;
    }
    v->end = v->data + len; /* what the IP packet has behind it is padding */
    v->data += W_UDP_SIZE;
    *ipver = 0;
    return TMTU_OK;
}

/* Its length and checksum are hearsay: nothing but the ports counts. */
int tmtu_encap_udp_peek(struct tmtu_view *v, const struct tmtu_pkt *outer,
                        const struct tmtu_encap *encap, uint8_t *ipver)
{
    *ipver = 0;
    if (encap != NULL && (outer->flow.flags & TMTU_FLOW_PORTS) &&
        (outer->flow.dport != encap_udp_port(encap) ||
         (encap->sport != 0 && outer->flow.sport != encap->sport)))
        return TMTU_E_IGNORED;
    return tmtu_pull(v, W_UDP_SIZE) == NULL ? TMTU_E_TRUNCATED : 0;
}

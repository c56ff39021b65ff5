/* SPDX-License-Identifier: MIT */
/* The UDP header of a tunnel: a source port by the flow, a checksum or none. */
#include <tunmtu/cksum.h>

#include "encap_kinds.h"
#include "wire.h"

static uint16_t encap_udp_port(const struct tmtu_encap *encap)
{
    if (encap->dport != 0)
        return encap->dport;
    return encap->kind == TMTU_ENCAP_GREUDP ? W_PORT_GREUDP : W_PORT_GUE;
}

int tmtu_encap_udp_size(const struct tmtu_encap *encap)
{
    /* RFC 8200 §8.1, RFC 6936 §4: never without one over IPv6 unless asked. */
    if (!tmtu_addr_is4(encap->dst) &&
        !(encap->flags & (TMTU_ENCAP_CSUM | TMTU_ENCAP_ZERO6)))
        return TMTU_E_ARGUMENT;
    return W_UDP_SIZE;
}

void tmtu_encap_udp_write(uint8_t *p, const struct encap_shim *shim)
{
    const struct tmtu_encap *encap = shim->encap;
    const size_t addr = tmtu_addr_is4(encap->dst) ? 4 : 16;
    uint16_t sport = encap->sport; /* RFC 8086 §3.2.1: 14 bits of entropy */
    if (sport == 0)
        sport = (uint16_t)(0xc000u | (shim->each->hash & 0x3fffu));
    tmtu_put32(p, (uint32_t)sport << 16 | encap_udp_port(encap));
    tmtu_put32(p + W_UDP_LEN, shim->len << 16);
    if (!(encap->flags & TMTU_ENCAP_CSUM))
        return;
    const uint32_t sum =
        tmtu_cksum_pseudo(encap->src + 16 - addr, encap->dst + 16 - addr, addr,
                          W_PROTO_UDP, shim->len);
    const uint16_t check = (uint16_t)~tmtu_cksum_add(sum, p, shim->len);
    tmtu_put16(p + W_UDP_CHECK, check == 0 ? 0xffffu : check); /* RFC 768 */
}

enum tmtu_reason tmtu_encap_udp_read(struct tmtu_view *v,
                                     const struct tmtu_pkt *outer,
                                     const struct tmtu_encap *encap)
{
    /* tmtu_ip_parse has held UDP's length against the packet's. */
    const uint8_t *p = tmtu_peek(*v, W_UDP_SIZE);
    if (p == NULL || outer->flow.dport != encap_udp_port(encap))
        return TMTU_R_NOT_TUNNEL;
    if (tmtu_get16(p + W_UDP_CHECK) != 0) {
        if (tmtu_ip_transport_sum(outer) != 0xffffu)
            return TMTU_R_OUTER_CHECKSUM;
    } else if (outer->flow.ipver == 6 && !(encap->flags & TMTU_ENCAP_ZERO6)) {
        return TMTU_R_OUTER_CHECKSUM;
    }
    v->end = v->data + tmtu_get16(p + W_UDP_LEN);
    v->data += W_UDP_SIZE;
    return TMTU_OK;
}

/* SPDX-License-Identifier: MIT */
/* Whether a router may send a redirect. */
#include <tunmtu/icmp.h>

#include "ip4_option.h"

/* Loose and strict source routes (RFC 791 §3.1). */
static int redirect_is_routed(const struct tmtu_pkt *pkt)
{
    if (pkt->flow.ipver == 6)
        return (pkt->flags & TMTU_PKT_ROUTED) != 0;
    struct tmtu_view v = {pkt->data + W_IP4_SIZE,
                          pkt->data + pkt->unfragmentable};
    for (unsigned bound = 0; bound < W_IP4_OPTIONS; bound++) {
        const int size = ip4_option_size(v);
        if (size <= 0)
            return size < 0; /* of a quote: nobody can tell */
        if (v.data[0] == W_IP4_OPT_LSRR || v.data[0] == W_IP4_OPT_SSRR)
            return 1;
        v.data += size;
    }
    return 0;
}

/* Nonzero when the first n bits are equal; all, if n is over 128. */
static int redirect_same_bits(const uint8_t a[16], const uint8_t b[16],
                              unsigned n)
{
    for (unsigned i = 0; i < 16; i++) {
        const unsigned bits = n > i * 8 ? n - i * 8 : 0;
        const unsigned mask = bits >= 8 ? 0xffu : 0xff00u >> bits & 0xffu;
        if ((a[i] ^ b[i]) & mask)
            return 0;
    }
    return 1;
}

int tmtu_icmp_may_redirect(const struct tmtu_pkt *pkt,
                           const struct tmtu_icmp_hop *hop)
{
    const int v4 = pkt->flow.ipver == 4;
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    error.kind = TMTU_ICMP_UNREACH;
    if (hop->in != hop->out || redirect_is_routed(pkt) ||
        tmtu_addr_is4(hop->next) != v4 || !tmtu_addr_is_host(hop->next) ||
        tmtu_addr_equal(hop->next, pkt->flow.src)) /* it would go in circles */
        return 0;
    if (hop->prefix == 0 || !redirect_same_bits(pkt->flow.src, hop->next,
                                                hop->prefix + (v4 ? 96u : 0)))
        return 0;
    return tmtu_icmp_may_send(pkt, &error) == TMTU_OK;
}

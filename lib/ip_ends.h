/* SPDX-License-Identifier: MIT */
/* What a transport header says about a flow: for the parsers of both families.
 */
#ifndef TMTU_IP_ENDS_H
#define TMTU_IP_ENDS_H

#include <tunmtu/ip.h>

#include "wire.h"

/* What tmtu_ip_parse does with IPv6 that does not go the quick way. */
TMTU_LOCAL int tmtu_ip6_parse(struct tmtu_view v, unsigned how,
                              struct tmtu_pkt *out);

static inline int ip_has_ports(uint8_t proto)
{
    return proto == W_PROTO_TCP || proto == W_PROTO_UDP ||
           proto == W_PROTO_DCCP || proto == W_PROTO_SCTP ||
           proto == W_PROTO_UDPLITE;
}

/* The extension headers of IPv6 that are followed. Behind ESP nobody sees. */
static inline int ip6_is_ext(uint8_t proto)
{
    return proto == W_PROTO_HOPOPT || proto == W_PROTO_ROUTING ||
           proto == W_PROTO_FRAGMENT || proto == W_PROTO_AH ||
           proto == W_PROTO_DSTOPTS || proto == W_PROTO_MOBILITY ||
           proto == W_PROTO_HIP || proto == W_PROTO_SHIM6;
}

/* Messages that carry an identifier where errors have unused bytes. */
static inline int ip_icmp_has_id(uint8_t proto, uint8_t type)
{
    if (proto == W_PROTO_ICMPV6)
        return type == 128 || type == 129; /* echo */
    return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

/* How long a quoted packet was. A super-packet over 65,535 bytes has 0 there,
 * less than what is quoted of it (K30): that one was longer than any MTU. */
static inline uint32_t ip_quoted_len(const struct tmtu_pkt *quoted)
{
    return quoted->have <= quoted->len ? quoted->len : 65536u;
}

/* What the transport header says about the flow. */
struct ip_ends {
    uint16_t sport, dport;
    uint16_t flow_flags; /* TMTU_FLOW_* */
    uint16_t pkt_flags;  /* TMTU_PKT_* */
    uint8_t icmp_type, icmp_code;
};

/* A transport header that ends too early. A quote may; RFC 7112 has an IPv6
 * first fragment hold the whole chain, and no IPv4 one is that short either. */
static inline int ip_cut(unsigned how, int fragment, struct ip_ends *ends)
{
    ends->pkt_flags = TMTU_PKT_CUT;
    if (how & TMTU_IP_QUOTED)
        return 0;
    return fragment ? TMTU_E_MALFORMED : TMTU_E_TRUNCATED;
}

/* The transport header of a packet that is no later fragment: its own lengths,
 * and the ports. The view is what is there of it. */
static inline int ip_transport(struct tmtu_view v, uint8_t ipver, uint8_t proto,
                               unsigned how, int fragment, struct ip_ends *ends)
{
    const size_t l4 = tmtu_view_len(v);
    const int whole = !(how & TMTU_IP_QUOTED) && !fragment;

    if (ip_has_ports(proto)) {
        const uint8_t *p = tmtu_peek(v, 4);
        if (p == NULL)
            return ip_cut(how, fragment, ends);
        if (whole && proto == W_PROTO_TCP) { /* RFC 9293 §3.1 */
            p = tmtu_peek(v, W_TCP_SIZE);
            if (p == NULL)
                return TMTU_E_TRUNCATED;
            const size_t doff = (size_t)(p[W_TCP_DOFF] >> 4) * 4;
            if (doff < W_TCP_SIZE || doff > l4)
                return TMTU_E_MALFORMED;
        } else if (whole && proto == W_PROTO_UDP) { /* RFC 768 */
            p = tmtu_peek(v, W_UDP_SIZE);
            if (p == NULL)
                return TMTU_E_TRUNCATED;
            const size_t len = tmtu_get16(p + W_UDP_LEN);
            if (len < W_UDP_SIZE || len > l4)
                return TMTU_E_MALFORMED;
        }
        ends->sport = tmtu_get16(p);
        ends->dport = tmtu_get16(p + 2);
        ends->flow_flags = TMTU_FLOW_PORTS;
    } else if (proto == (ipver == 4 ? W_PROTO_ICMP : W_PROTO_ICMPV6)) {
        const uint8_t *p = tmtu_peek(v, whole ? 4 : 2);
        if (p == NULL)
            return ip_cut(how, fragment, ends);
        ends->pkt_flags = TMTU_PKT_ICMP;
        ends->icmp_type = p[W_ICMP_TYPE];
        ends->icmp_code = p[W_ICMP_CODE];
        p = tmtu_peek(v, 6);
        if (p != NULL && ip_icmp_has_id(proto, ends->icmp_type)) {
            ends->sport = ends->dport = tmtu_get16(p + W_ICMP_INFO);
            ends->flow_flags = TMTU_FLOW_PORTS;
        }
    }
    return 0;
}

#endif

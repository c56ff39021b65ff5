/* SPDX-License-Identifier: MIT */
/* The packets that nearly all are, read the quick way: no options, no extension
 * headers, no fragments; TCP, UDP or an ICMP error; whole, or quoted with the
 * ports. What is not one of them the long way decides, from the start. */
#ifndef TMTU_IP_QUICK_H
#define TMTU_IP_QUICK_H

#include <tunmtu/cksum.h>

#include "ip_ends.h"

/* Members are written one by one, in their order: copying the whole would wait
 * for narrow stores to be read back wide. */
static inline void ip_fill4(struct tmtu_pkt *out, const uint8_t *p,
                            uint32_t len, uint32_t have, uint16_t ihl,
                            const struct ip_ends *ends)
{
    out->data = p;
    out->len = len;
    out->have = have;
    out->l4 = ihl;
    out->unfragmentable = ihl;
    out->flags = ends->pkt_flags;
    out->tclass = p[W_IP4_TOS];
    out->ttl = p[W_IP4_TTL];
    out->nexthdr_at = 0;
    out->frag_at = 0;
    out->frag_max = 0;
    out->gso_size = 0;
    out->id = tmtu_get16(p + W_IP4_ID);
    out->frag_offset = 0;
    out->icmp_type = ends->icmp_type;
    out->icmp_code = ends->icmp_code;
    tmtu_addr_set4(out->flow.src, p + W_IP4_SRC);
    tmtu_addr_set4(out->flow.dst, p + W_IP4_DST);
    tmtu_flow_set_ports(&out->flow, 4, p[W_IP4_PROTO], ends->sport, ends->dport,
                        ends->flow_flags);
}

/* Where IPv6 extension headers led. */
struct ip6_chain {
    uint32_t at; /* of the transport header, or of a fragment's data */
    uint32_t id; /* this and what follows: as in tmtu_pkt */
    uint16_t frag_offset, nexthdr_at, unfragmentable, frag_at, flags;
    uint8_t next;
};

static inline void ip_fill6(struct tmtu_pkt *out, const uint8_t *p,
                            uint32_t len, uint32_t have,
                            const struct ip6_chain *c,
                            const struct ip_ends *ends)
{
    out->data = p;
    out->len = len;
    out->have = have;
    out->l4 = (uint16_t)c->at;
    out->unfragmentable = c->unfragmentable;
    out->flags = c->flags | ends->pkt_flags;
    out->tclass = (uint8_t)(tmtu_get16(p) >> 4);
    out->ttl = p[W_IP6_HOPS];
    out->nexthdr_at = c->nexthdr_at;
    out->frag_at = c->frag_at;
    out->frag_max = 0;
    out->gso_size = 0;
    out->id = c->id;
    out->frag_offset = c->frag_offset;
    out->icmp_type = ends->icmp_type;
    out->icmp_code = ends->icmp_code;
    tmtu_copy(out->flow.src, p + W_IP6_SRC, 16);
    tmtu_copy(out->flow.dst, p + W_IP6_DST, 16);
    tmtu_flow_set_ports(&out->flow, 6, c->next, ends->sport, ends->dport,
                        ends->flow_flags);
}

/* TCP or UDP, of which the first `room` bytes, 8 or more, are at l4. A length
 * below that of the header wraps round, and is too long as well. */
static inline int ip_quick_ports(const uint8_t *l4, uint32_t room,
                                 uint8_t proto, unsigned how,
                                 struct ip_ends *ends)
{
    const int whole = !(how & TMTU_IP_QUOTED);
    if (proto == W_PROTO_TCP) {
        if (whole &&
            (room < W_TCP_SIZE ||
             (l4[W_TCP_DOFF] >> 4) * 4u - W_TCP_SIZE > room - W_TCP_SIZE))
            return 0;
    } else if (proto != W_PROTO_UDP ||
               (whole && tmtu_get16(l4 + W_UDP_LEN) - (uint32_t)W_UDP_SIZE >
                             room - W_UDP_SIZE)) {
        return 0;
    }
    const uint32_t ports = tmtu_get32(l4);
    ends->sport = (uint16_t)(ports >> 16);
    ends->dport = (uint16_t)ports;
    ends->flow_flags = TMTU_FLOW_PORTS;
    return 1;
}

/* An ICMP message without an identifier. */
static inline int ip_quick_error(const uint8_t *l4, uint8_t want, uint8_t proto,
                                 struct ip_ends *ends)
{
    if (proto != want || ip_icmp_has_id(want, l4[W_ICMP_TYPE]))
        return 0;
    ends->pkt_flags |= TMTU_PKT_ICMP;
    ends->icmp_type = l4[W_ICMP_TYPE];
    ends->icmp_code = l4[W_ICMP_CODE];
    return 1;
}

/* Nonzero when it is one of those, and all is well. TCP and UDP, or with
 * `error` ICMP errors: who asks for one at a time is faster. */
static inline int ip_quick4(struct tmtu_view v, unsigned how, int error,
                            struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, W_IP4_SIZE + W_UDP_SIZE);
    if (p == NULL || p[W_IP4_VHL] != 0x45)
        return 0;
    const uint32_t len = tmtu_get16(p + W_IP4_LEN);
    const uint32_t frag = tmtu_get16(p + W_IP4_FRAG);
    if (len < W_IP4_SIZE + W_UDP_SIZE || (frag & (W_IP4_MF | W_IP4_OFFSET)))
        return 0;
    uint32_t have = len;
    if (tmtu_peek(v, len) == NULL) {
        if (!(how & TMTU_IP_QUOTED))
            return 0;
        have = (uint32_t)tmtu_view_len(v);
    }
    struct ip_ends ends = {
        0, 0, 0, frag & W_IP4_DF ? TMTU_PKT_DF : 0, 0, 0,
    };
    const uint8_t *l4 = p + W_IP4_SIZE, proto = p[W_IP4_PROTO];
    if (!(error ? ip_quick_error(l4, W_PROTO_ICMP, proto, &ends)
                : ip_quick_ports(l4, have - W_IP4_SIZE, proto, how, &ends)))
        return 0;
    if ((how & TMTU_IP_VERIFY) && !(how & TMTU_IP_QUOTED) &&
        tmtu_cksum_sum20(p) != 0xffffu)
        return 0;
    ip_fill4(out, p, len, have, W_IP4_SIZE, &ends);
    return 1;
}

static inline int ip_quick6(struct tmtu_view v, unsigned how,
                            struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, W_IP6_SIZE + W_UDP_SIZE);
    if (p == NULL || p[W_IP6_VTC] >> 4 != 6)
        return 0;
    const uint32_t len = W_IP6_SIZE + (uint32_t)tmtu_get16(p + W_IP6_LEN);
    const uint8_t next = p[W_IP6_NEXT];
    uint32_t have = len;
    if (len < W_IP6_SIZE + W_UDP_SIZE)
        return 0;
    if (tmtu_peek(v, len) == NULL) {
        if (!(how & TMTU_IP_QUOTED))
            return 0;
        have = (uint32_t)tmtu_view_len(v);
    }
    struct ip_ends ends = {0, 0, 0, 0, 0, 0};
    const uint8_t *l4 = p + W_IP6_SIZE;
    if (!ip_quick_ports(l4, have - W_IP6_SIZE, next, how, &ends) &&
        !ip_quick_error(l4, W_PROTO_ICMPV6, next, &ends))
        return 0;
    const struct ip6_chain c = {
        W_IP6_SIZE, 0, 0, W_IP6_NEXT, W_IP6_SIZE, 0, 0, next,
    };
    ip_fill6(out, p, len, have, &c, &ends);
    return 1;
}

#endif

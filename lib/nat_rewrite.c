/* SPDX-License-Identifier: MIT */
/* One end of one IP packet rewritten: what there is to write, and writing it,
 * checksums by increment. */
#include <tunmtu/cksum.h>

#include "nat_crc.h"
#include "nat_plan.h"
#include "wire.h"

enum { NAT_FLAGS = 0xf };
enum { NAT_SCTP_CHECK = 8, NAT_SCTP_SIZE = 12 }; /* RFC 9260 §3.1 */

int tmtu_nat_check(const struct tmtu_nat *nat)
{
    if (nat->size != sizeof *nat || (nat->flags & ~NAT_FLAGS) ||
        (nat->side != TMTU_NAT_SRC && nat->side != TMTU_NAT_DST) ||
        tmtu_addr_is4(nat->from.addr) != tmtu_addr_is4(nat->to.addr) ||
        tmtu_addr_is_unspecified(nat->to.addr) ||
        tmtu_addr_is_group(nat->to.addr))
        return TMTU_E_ARGUMENT;
    return 0;
}

/* Where the checksum is in the transport header; 0: none that is known. */
static uint32_t nat_check_at(const struct tmtu_pkt *pkt, struct nat_plan *plan)
{
    plan->pseudo = 1;
    switch (pkt->flow.proto) {
    case W_PROTO_TCP:
        return W_TCP_CHECK;
    case W_PROTO_UDP:
    case W_PROTO_UDPLITE: /* at the same place, */
        plan->none = 1;
        return W_UDP_CHECK;
    case W_PROTO_DCCP: /* and RFC 4340 §5.1 */
        return W_UDP_CHECK;
    case W_PROTO_ICMP:
        plan->pseudo = 0;
        return pkt->flow.ipver == 4 ? W_ICMP_CHECK : 0;
    case W_PROTO_ICMPV6:
        return pkt->flow.ipver == 6 ? W_ICMP_CHECK : 0;
    default:
        return 0;
    }
}

/* SCTP's CRC changes with the ports alone, and how depends on how many bytes
 * follow them. */
static int nat_plan_crc(const struct tmtu_pkt *pkt, int quoted,
                        struct nat_plan *plan)
{
    if (pkt->have < pkt->l4 + (uint32_t)NAT_SCTP_SIZE)
        return quoted ? 0 : TMTU_E_TRUNCATED;
    if (pkt->len < pkt->l4 + (uint32_t)NAT_SCTP_SIZE ||
        (pkt->flags & TMTU_PKT_FRAGMENT))
        return quoted ? 0 : TMTU_E_UNSUPPORTED;
    plan->crc = pkt->l4 + (uint32_t)NAT_SCTP_CHECK;
    return 0;
}

/* Transport: ports or identifier, and what covers them. */
static int nat_plan_l4(const struct tmtu_pkt *pkt, const struct tmtu_nat *nat,
                       int quoted, struct nat_plan *plan)
{
    const uint8_t proto = pkt->flow.proto;
    const uint32_t at = nat_check_at(pkt, plan);
    if ((nat->flags & TMTU_NAT_PORTS) && (pkt->flow.flags & TMTU_FLOW_PORTS)) {
        if (proto == W_PROTO_ICMP || proto == W_PROTO_ICMPV6)
            plan->port = pkt->l4 + (uint32_t)W_ICMP_INFO;
        else
            plan->port = pkt->l4 + (plan->side == TMTU_NAT_SRC ? 0u : 2u);
    }
    if (quoted && (nat->flags & TMTU_NAT_KEEP_QUOTED_CHECK))
        return 0;
    if (proto == W_PROTO_SCTP && plan->port != 0 &&
        nat->from.port != nat->to.port)
        return nat_plan_crc(pkt, quoted, plan);
    if (at != 0 && pkt->have >= pkt->l4 + at + 2)
        plan->check = pkt->l4 + at;
    else if (at != 0 && !quoted)
        return TMTU_E_TRUNCATED;
    return 0;
}

int tmtu_nat_same_end(const struct tmtu_pkt *pkt, unsigned side,
                      const struct tmtu_nat *nat)
{
    const struct tmtu_flow *f = &pkt->flow;
    if ((nat->flags & TMTU_NAT_PORTS) && (f->flags & TMTU_FLOW_PORTS) &&
        (side == TMTU_NAT_SRC ? f->sport : f->dport) != nat->from.port)
        return 0;
    return nat_same_addr(pkt, side, nat);
}

int tmtu_nat_look(const uint8_t *ip, const struct tmtu_pkt *pkt,
                  const struct tmtu_nat *nat, int quoted, struct nat_plan *plan)
{
    const int src = plan->side == TMTU_NAT_SRC;
    const int ip4 = pkt->flow.ipver == 4;
    if (ip4 ? ip[W_IP4_VHL] != (0x40 | pkt->unfragmentable / 4)
            : ip[W_IP4_VHL] >> 4 != 6)
        return TMTU_E_MALFORMED;
    if (!src && (pkt->flags & TMTU_PKT_ROUTED))
        return TMTU_E_UNSUPPORTED; /* RFC 8200 §8.1 */
    if (ip4)
        plan->addr = src ? W_IP4_SRC : W_IP4_DST;
    else
        plan->addr = src ? W_IP6_SRC : W_IP6_DST;
    if (pkt->flags & TMTU_PKT_LATER)
        return 0;
    return nat_plan_l4(pkt, nat, quoted, plan);
}

/* Writes 16 bits; returns what that adds to a sum over them (RFC 1624). */
static inline uint32_t nat_put16(uint8_t *p, uint16_t to)
{
    const uint16_t from = tmtu_get16(p);
    tmtu_put16(p, to);
    return (uint32_t)(uint16_t)~from + to;
}

/* The same for the checksum of a sum that has grown by `delta`. */
static inline uint32_t nat_put_check(uint8_t *p, uint32_t delta)
{
    return nat_put16(
        p, tmtu_cksum_finish((uint32_t)(uint16_t)~tmtu_get16(p) + delta));
}

/* The same of 32 bits. */
static inline uint32_t nat_put32(uint8_t *p, uint32_t to)
{
    return nat_put16(p, (uint16_t)(to >> 16)) + nat_put16(p + 2, (uint16_t)to);
}

/* Writes the address; returns what that adds to a sum over the packet. */
static uint32_t nat_write_addr(uint8_t *ip, struct tmtu_pkt *pkt,
                               const struct tmtu_nat *nat,
                               const struct nat_plan *plan)
{
    struct tmtu_flow *f = &pkt->flow;
    const unsigned n = f->ipver == 4 ? 4 : 16;
    const uint8_t *to = nat->to.addr + 16 - n;
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i += 2)
        sum += nat_put16(ip + plan->addr + i, tmtu_get16(to + i));
    tmtu_copy(plan->side == TMTU_NAT_SRC ? f->src : f->dst, nat->to.addr, 16);
    return sum;
}

/* The same for the port or identifier, and SCTP's checksum. */
static uint32_t nat_write_port(uint8_t *ip, struct tmtu_pkt *pkt,
                               const struct tmtu_nat *nat,
                               const struct nat_plan *plan)
{
    struct tmtu_flow *f = &pkt->flow;
    const int both = f->proto == W_PROTO_ICMP || f->proto == W_PROTO_ICMPV6;
    const uint32_t was = tmtu_get32(ip + pkt->l4);
    uint32_t sum = nat_put16(ip + plan->port, nat->to.port);
    if (both || plan->side == TMTU_NAT_SRC)
        f->sport = nat->to.port;
    if (both || plan->side == TMTU_NAT_DST)
        f->dport = nat->to.port;
    if (plan->crc != 0) {
        uint8_t *crc = ip + plan->crc;
        const uint32_t check = tmtu_get32(crc);
        if (check != 0) /* RFC 9653: there is none */
            sum += nat_put32(crc, nat_crc_update(check, was,
                                                 tmtu_get32(ip + pkt->l4),
                                                 pkt->len - pkt->l4));
    }
    return sum;
}

uint32_t tmtu_nat_write(uint8_t *ip, struct tmtu_pkt *pkt,
                        const struct tmtu_nat *nat, const struct nat_plan *plan,
                        uint32_t inner)
{
    uint32_t all = inner, under = inner;
    if (plan->addr != 0) {
        const uint32_t sum = nat_write_addr(ip, pkt, nat, plan);
        all += sum;
        if (plan->pseudo)
            under += sum;
        if (pkt->flow.ipver == 4)
            all += nat_put_check(ip + W_IP4_CHECK, sum);
    }
    if (plan->port != 0) {
        const uint32_t sum = nat_write_port(ip, pkt, nat, plan);
        all += sum;
        under += sum;
    }
    if (plan->check != 0) {
        uint8_t *check = ip + plan->check;
        if (plan->none && tmtu_get16(check) == 0)
            return all;
        all += nat_put_check(check, under);
        if (plan->none && tmtu_get16(check) == 0)
            all += nat_put16(check, 0xffffu);
    }
    return all;
}

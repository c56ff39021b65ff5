/* SPDX-License-Identifier: MIT */
/* One packet, parsed once: headers walked, lengths held against each other. */
#include <tunmtu/cksum.h>
#include <tunmtu/ip.h>

#include "hop.h"
#include "wire.h"

_Static_assert(sizeof(struct tmtu_flow) == 40, "flows are compared as bytes");

static inline int ip_has_ports(uint8_t proto)
{
    return proto == W_PROTO_TCP || proto == W_PROTO_UDP ||
           proto == W_PROTO_DCCP || proto == W_PROTO_SCTP ||
           proto == W_PROTO_UDPLITE;
}

/* Messages that carry an identifier where errors have unused bytes. */
static inline int ip_icmp_has_id(uint8_t proto, uint8_t type)
{
    if (proto == W_PROTO_ICMPV6)
        return type == 128 || type == 129; /* echo */
    return type == 0 || type == 8 || (type >= 13 && type <= 18);
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
static int ip_cut(unsigned how, int fragment, struct ip_ends *ends)
{
    ends->pkt_flags = TMTU_PKT_CUT;
    if (how & TMTU_IP_QUOTED)
        return 0;
    return fragment ? TMTU_E_MALFORMED : TMTU_E_TRUNCATED;
}

/* The transport header of a packet that is no later fragment: its own lengths,
 * and the ports. `l4` bytes of it are there. */
static int ip_transport(struct tmtu_view v, uint8_t ipver, uint8_t proto,
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

/* RFC 791 §3.1: EOL and NOP are one byte, others tell their length. */
static int ip_check_options(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (unsigned bound = 0; bound < 40; bound++) {
        if (i >= n || p[i] == 0)
            return 0;
        if (p[i] == 1) {
            i++;
            continue;
        }
        if (n - i < 2 || p[i + 1] < 2 || p[i + 1] > n - i)
            return TMTU_E_MALFORMED;
        i += p[i + 1];
    }
    return 0;
}

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

static int ip_parse4(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, W_IP4_SIZE);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    const size_t ihl = (p[W_IP4_VHL] & 0x0fu) * 4u;
    const uint32_t len = tmtu_get16(p + W_IP4_LEN);
    const int quoted = (how & TMTU_IP_QUOTED) != 0;
    if (ihl < W_IP4_SIZE || (!quoted && len < ihl))
        return TMTU_E_MALFORMED;
    if (tmtu_peek(v, ihl) == NULL)
        return TMTU_E_TRUNCATED;
    size_t have = tmtu_view_len(v);
    if (!quoted) {
        if (have < len)
            return TMTU_E_TRUNCATED;
        have = len; /* the rest is the link layer's padding */
        if ((how & TMTU_IP_VERIFY) &&
            (ihl == W_IP4_SIZE ? tmtu_cksum_sum20(p)
                               : tmtu_cksum_add(0, p, ihl)) != 0xffffu)
            return TMTU_E_CHECKSUM;
        if (ihl > W_IP4_SIZE &&
            ip_check_options(p + W_IP4_SIZE, ihl - W_IP4_SIZE) < 0)
            return TMTU_E_MALFORMED;
    } else if (len >= ihl && have > len) {
        have = len; /* RFC 4884 pads a short quote with zeros */
    }
    const uint32_t frag = tmtu_get16(p + W_IP4_FRAG);
    const uint32_t offset = (frag & W_IP4_OFFSET) * 8u;
    if (!quoted && offset + len > 65535u) /* as Linux: header counted once */
        return TMTU_E_MALFORMED;

    const uint8_t proto = p[W_IP4_PROTO];
    struct ip_ends ends = {0, 0, 0, 0, 0, 0};
    if (offset == 0) {
        const struct tmtu_view l4 = {p + ihl, p + have};
        const int rc =
            ip_transport(l4, 4, proto, how, (frag & W_IP4_MF) != 0, &ends);
        if (rc < 0)
            return rc;
    }
    ends.pkt_flags |= (frag & W_IP4_DF ? TMTU_PKT_DF : 0) |
                      (frag & W_IP4_MF ? TMTU_PKT_MF | TMTU_PKT_FRAGMENT : 0) |
                      (offset ? TMTU_PKT_LATER | TMTU_PKT_FRAGMENT : 0);
    ip_fill4(out, p, len, (uint32_t)have, (uint16_t)ihl, &ends);
    out->frag_offset = (uint16_t)offset;
    return 0;
}

/* The packet that nearly all are: whole, IPv4, TCP or UDP, no options. Nonzero
 * when it is one and all is well; else the long way decides, from the start. */
static inline int ip_quick4(struct tmtu_view v, unsigned how,
                            struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, W_IP4_SIZE + W_UDP_SIZE);
    if (p == NULL || p[W_IP4_VHL] != 0x45 || (how & TMTU_IP_QUOTED))
        return 0;
    const uint32_t len = tmtu_get16(p + W_IP4_LEN);
    const uint32_t frag = tmtu_get16(p + W_IP4_FRAG);
    if (len < W_IP4_SIZE + W_UDP_SIZE || tmtu_peek(v, len) == NULL ||
        (frag & (W_IP4_MF | W_IP4_OFFSET)))
        return 0;
    if (p[W_IP4_PROTO] == W_PROTO_TCP) {
        const uint32_t room = len - W_IP4_SIZE - W_TCP_SIZE;
        if (len < W_IP4_SIZE + W_TCP_SIZE ||
            (p[W_IP4_SIZE + W_TCP_DOFF] >> 4) * 4u - W_TCP_SIZE > room)
            return 0;
    } else if (p[W_IP4_PROTO] != W_PROTO_UDP ||
               tmtu_get16(p + W_IP4_SIZE + W_UDP_LEN) - (uint32_t)W_UDP_SIZE >
                   len - W_IP4_SIZE - W_UDP_SIZE) {
        return 0;
    }
    if ((how & TMTU_IP_VERIFY) && tmtu_cksum_sum20(p) != 0xffffu)
        return 0;
    const uint32_t ports = tmtu_get32(p + W_IP4_SIZE);
    const struct ip_ends ends = {
        (uint16_t)(ports >> 16),
        (uint16_t)ports,
        TMTU_FLOW_PORTS,
        frag & W_IP4_DF ? TMTU_PKT_DF : 0,
        0,
        0,
    };
    ip_fill4(out, p, len, len, W_IP4_SIZE, &ends);
    return 1;
}

/* Bytes of an IPv6 extension header that begins like this; 0: it is none. */
static size_t ip6_ext_len(uint8_t type, const uint8_t p[2])
{
    switch (type) {
    case W_PROTO_HOPOPT:
    case W_PROTO_ROUTING:
    case W_PROTO_DSTOPTS:
    case W_PROTO_MOBILITY:
    case W_PROTO_HIP:
    case W_PROTO_SHIM6:
        return (p[1] + 1u) * 8u;
    case W_PROTO_AH:
        return (p[1] + 2u) * 4u; /* RFC 4302 §2.2 */
    case W_PROTO_FRAGMENT:
        return W_FRAG6_SIZE;
    default:
        return 0;
    }
}

/* Where the extension headers led. */
struct ip6_chain {
    uint32_t at; /* of the transport header, or of a fragment's data */
    uint32_t id; /* this and what follows: as in tmtu_pkt */
    uint16_t frag_offset, nexthdr_at, unfragmentable, frag_at, flags;
    uint8_t next;
};

/* Follows the extension headers of the `have` bytes at p. */
static int ip6_walk(const uint8_t *p, size_t have, int quoted,
                    struct ip6_chain *c)
{
    size_t at = W_IP6_SIZE, link = W_IP6_NEXT; /* where `next` was read */
    uint8_t next = c->next;
    for (unsigned n = 0; ip6_ext_len(next, p) != 0; n++) {
        if (n == TMTU_IP6_EXT_MAX)
            return TMTU_E_LIMIT;
        if (next == W_PROTO_HOPOPT && at != W_IP6_SIZE)
            return TMTU_E_MALFORMED; /* RFC 8200 §4.1: only ever first */
        if (next == W_PROTO_FRAGMENT && c->frag_at != 0)
            return TMTU_E_MALFORMED; /* a fragment of a fragment */
        const size_t size = have - at < 8 ? 0 : ip6_ext_len(next, p + at);
        if (size == 0 || have - at < size) {
            if (!quoted)
                return c->flags & TMTU_PKT_FRAGMENT ? TMTU_E_MALFORMED
                                                    : TMTU_E_TRUNCATED;
            c->flags |= TMTU_PKT_CUT;
            break;
        }
        if (next == W_PROTO_FRAGMENT) {
            const uint32_t word = tmtu_get16(p + at + W_FRAG6_OFFSET);
            c->frag_at = (uint16_t)at;
            c->frag_offset = (uint16_t)(word & W_FRAG6_MASK);
            c->id = tmtu_get32(p + at + W_FRAG6_ID);
            if (word & W_FRAG6_MF)
                c->flags |= TMTU_PKT_MF | TMTU_PKT_FRAGMENT;
            if (c->frag_offset)
                c->flags |= TMTU_PKT_LATER | TMTU_PKT_FRAGMENT;
            /* Whoever cut it has settled what each fragment repeats. */
            c->unfragmentable = (uint16_t)at;
            c->nexthdr_at = (uint16_t)link;
        } else if (c->frag_at == 0 &&
                   (next == W_PROTO_HOPOPT || next == W_PROTO_ROUTING)) {
            c->unfragmentable = (uint16_t)(at + size);
            c->nexthdr_at = (uint16_t)at;
        }
        if (next == W_PROTO_ROUTING && p[at + W_ROUTING_LEFT] != 0)
            c->flags |= TMTU_PKT_ROUTED;
        link = at;
        next = p[at];
        at += size;
        if (c->flags & TMTU_PKT_LATER)
            break; /* data follows, whatever it looks like */
    }
    c->at = (uint32_t)at;
    c->next = next;
    return 0;
}

static int ip_parse6(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, W_IP6_SIZE);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    const int quoted = (how & TMTU_IP_QUOTED) != 0;
    const uint32_t len = W_IP6_SIZE + (uint32_t)tmtu_get16(p + W_IP6_LEN);
    const uint8_t next = p[W_IP6_NEXT];
    if (len == W_IP6_SIZE && next == W_PROTO_HOPOPT && !quoted)
        return TMTU_E_UNSUPPORTED; /* RFC 2675: a jumbogram */
    size_t have = tmtu_view_len(v);
    if (!quoted && have < len)
        return TMTU_E_TRUNCATED;
    if (have > len)
        have = len;

    struct ip6_chain c = {
        W_IP6_SIZE, 0, 0, W_IP6_NEXT, W_IP6_SIZE, 0, 0, next,
    };
    struct ip_ends ends = {0, 0, 0, 0, 0, 0};
    if (next != W_PROTO_TCP && next != W_PROTO_UDP) {
        const int rc = ip6_walk(p, have, quoted, &c);
        if (rc < 0)
            return rc;
    }
    if (!(c.flags & (TMTU_PKT_LATER | TMTU_PKT_CUT))) {
        const struct tmtu_view l4 = {p + c.at, p + have};
        const int rc = ip_transport(l4, 6, c.next, how,
                                    c.flags & TMTU_PKT_FRAGMENT, &ends);
        if (rc < 0)
            return rc;
    }
    out->data = p;
    out->len = len;
    out->have = (uint32_t)have;
    out->l4 = (uint16_t)c.at;
    out->unfragmentable = c.unfragmentable;
    out->flags = c.flags | ends.pkt_flags;
    out->tclass = (uint8_t)(tmtu_get16(p) >> 4);
    out->ttl = p[W_IP6_HOPS];
    out->nexthdr_at = c.nexthdr_at;
    out->frag_at = c.frag_at;
    out->frag_max = 0;
    out->gso_size = 0;
    out->id = c.id;
    out->frag_offset = c.frag_offset;
    out->icmp_type = ends.icmp_type;
    out->icmp_code = ends.icmp_code;
    tmtu_copy(out->flow.src, p + W_IP6_SRC, 16);
    tmtu_copy(out->flow.dst, p + W_IP6_DST, 16);
    tmtu_flow_set_ports(&out->flow, 6, c.next, ends.sport, ends.dport,
                        ends.flow_flags);
    return 0;
}

/* Out of line, so that the quick way need not save registers for it. */
static __attribute__((noinline)) int
ip_parse_any(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, 1);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    switch (p[0] >> 4) {
    case 4:
        return ip_parse4(v, how, out);
    case 6:
        return ip_parse6(v, how, out);
    default:
        return TMTU_E_MALFORMED;
    }
}

int tmtu_ip_parse(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
{
    return ip_quick4(v, how, out) ? 0 : ip_parse_any(v, how, out);
}

int tmtu_ip_is_icmp_error(const struct tmtu_pkt *pkt)
{
    const uint8_t type = pkt->icmp_type;
    if (pkt->flags & TMTU_PKT_LATER)
        return 0; /* nobody can tell */
    if (pkt->flow.ipver == 6) {
        if (pkt->flow.proto != W_PROTO_ICMPV6)
            return 0;
        return !(pkt->flags & TMTU_PKT_ICMP) || type < 128 || type == 137;
    }
    if (pkt->flow.proto != W_PROTO_ICMP)
        return 0;
    /* Queries are 0, 8 and 13 to 18; the others are errors or nothing. */
    return !(pkt->flags & TMTU_PKT_ICMP) || !ip_icmp_has_id(W_PROTO_ICMP, type);
}

int tmtu_ip_hop(struct tmtu_buf *buf, struct tmtu_pkt *pkt)
{
    if (pkt->ttl <= 1)
        return TMTU_E_FORBIDDEN;
    ip_hop(buf->data, pkt);
    return 0;
}

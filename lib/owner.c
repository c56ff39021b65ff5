/* SPDX-License-Identifier: MIT */
/* From a packet inwards, through errors and tunnels, to the flow it is about;
 * each error turns the direction round. */
#include <tunmtu/owner.h>

#include "ip_ends.h"

const char *tmtu_owner_by_name(int by)
{
    static const char names[TMTU_OWNER_BYS][9] = {
        "ports", "proto", "fragment", "cut", "unread", "deep",
    };
    return by < 0 || by >= TMTU_OWNER_BYS ? NULL : names[by];
}

/* Whether an authentication header is among the extension headers of IPv6. Its
 * security association is with one server, whatever ports are behind it. */
static int owner_has_ah(const struct tmtu_pkt *pkt)
{
    uint32_t at = W_IP6_SIZE;
    if (pkt->flow.proto == W_PROTO_AH)
        return 1; /* over IPv4, in a later fragment, or cut off */
    if (pkt->flow.ipver != 6)
        return 0;
    /* The parser has been here: all of them are there, up to l4. */
    uint8_t next = pkt->data[W_IP6_NEXT];
    for (unsigned n = 0; n < TMTU_IP6_EXT_MAX && at < pkt->l4; n++) {
        const uint8_t *p = pkt->data + at;
        if (next == W_PROTO_AH)
            return 1;
        at += next == W_PROTO_FRAGMENT ? W_FRAG6_SIZE : (p[1] + 1u) * 8u;
        next = p[0];
    }
    return 0;
}

/* Whether a fragment says more, or a later one would if it were the first, than
 * what fragments have in common. Of a first one over IPv6, too, the Fragment
 * header tells what comes behind that. */
static int owner_first_says_more(const struct tmtu_pkt *pkt, unsigned how)
{
    const uint8_t proto =
        pkt->frag_at != 0 ? pkt->data[pkt->frag_at] : pkt->flow.proto;
    switch (proto) {
    case W_PROTO_ICMP: /* an identifier, or a quote */
    case W_PROTO_ICMPV6:
        return 1;
    case W_PROTO_IPIP:
    case W_PROTO_IPV6:
    case W_PROTO_GRE:
        return (how & TMTU_OWNER_TUNNELS) != 0;
    default: /* behind an extension header there may be anything */
        return ip_has_ports(proto) ||
               (pkt->flow.ipver == 6 && ip6_is_ext(proto));
    }
}

/* The error that it is, if it is one. Of a fragmented one the first fragment
 * will do: it is read as far as it goes. */
static int owner_error(const struct tmtu_pkt *pkt, struct tmtu_icmp *icmp)
{
    if (!(pkt->flags & TMTU_PKT_FRAGMENT))
        return tmtu_icmp_parse(pkt, icmp);
    struct tmtu_pkt first = *pkt;
    first.flags &= (uint16_t) ~(TMTU_PKT_FRAGMENT | TMTU_PKT_MF);
    return tmtu_icmp_parse(&first, icmp);
}

static void owner_note_fragment(struct tmtu_fragment *f,
                                const struct tmtu_pkt *pkt, uint8_t quoted)
{
    tmtu_copy(f->src, pkt->flow.src, sizeof f->src);
    tmtu_copy(f->dst, pkt->flow.dst, sizeof f->dst);
    f->id = pkt->id;
    /* RFC 791 §3.2, RFC 8200 §4.5: what fragments have in common. */
    f->proto = pkt->flow.ipver == 4 ? pkt->flow.proto : 0;
    f->ipver = pkt->flow.ipver;
    f->later = (pkt->flags & TMTU_PKT_LATER) != 0;
    f->quoted = quoted;
}

/* Whether a message ends before an identifier could be in it, quoted or not. */
static int owner_id_cut(const struct tmtu_pkt *pkt)
{
    return (pkt->flags & TMTU_PKT_ICMP) &&
           pkt->have < pkt->l4 + W_ICMP_INFO + 2u;
}

/* What `pkt` is told by, if nothing is behind it that tells more. */
static enum tmtu_owner_by owner_by(const struct tmtu_pkt *pkt, unsigned how)
{
    if (pkt->flags & TMTU_PKT_LATER)
        return owner_first_says_more(pkt, how) ? TMTU_OWNER_FRAGMENT
                                               : TMTU_OWNER_PROTO;
    if ((pkt->flags & TMTU_PKT_CUT) || owner_id_cut(pkt))
        return TMTU_OWNER_CUT;
    return pkt->flow.flags & TMTU_FLOW_PORTS ? TMTU_OWNER_PORTS
                                             : TMTU_OWNER_PROTO;
}

/* On the way inwards: where it is, and room for what was come to. Packets are
 * not copied: who reads the copy would wait for its stores. */
struct owner_way {
    const struct tmtu_pkt *at;
    struct tmtu_icmp icmp;
    struct tmtu_pkt inner;
    int ah; /* nonzero: it ended at an AH */
};

/* One step inwards: through an error, or a tunnel. Nonzero when `at` is what is
 * inside now; o->by is what `at` was told by. An error that is quoted by an
 * error directly (RFC 1122 §3.2.2: there is none) is not looked into. */
static int owner_step(struct owner_way *way, unsigned how, int direct,
                      struct tmtu_owner *o)
{
    const struct tmtu_pkt *at = way->at;
    way->ah = owner_has_ah(at);
    if (way->ah) {
        o->by = TMTU_OWNER_PROTO;
        return 0;
    }
    if ((at->flags & TMTU_PKT_FRAGMENT) && owner_first_says_more(at, how))
        owner_note_fragment(&o->fragment, at, o->quoted);
    o->by = (uint8_t)owner_by(at, how);
    int rc = direct ? TMTU_E_IGNORED : owner_error(at, &way->icmp);
    if (rc == 0) {
        o->quoted++;
        way->at = &way->icmp.quoted;
        return 1;
    }
    if (rc != TMTU_E_IGNORED)
        o->by = TMTU_OWNER_UNREAD;
    if (!(how & TMTU_OWNER_TUNNELS))
        return 0;
    struct tmtu_pkt unseen;
    const int deep = o->tunnels == TMTU_ENCAP_NESTING;
    rc = tmtu_encap_peek(at, NULL, deep ? &unseen : &way->inner);
    if (rc == TMTU_E_TRUNCATED)
        o->by = TMTU_OWNER_CUT;
    if (rc > 0 && deep)
        o->by = TMTU_OWNER_DEEP;
    if (rc <= 0 || deep)
        return 0;
    o->tunnels++;
    way->at = &way->inner;
    return 1;
}

/* A flow, or its reverse. Addresses are read as wide as they were written. */
static inline void owner_name(struct tmtu_flow *out, const struct tmtu_flow *f,
                              unsigned turned)
{
    const uint8_t *src = turned ? f->dst : f->src;
    const uint8_t *dst = turned ? f->src : f->dst;
    if (f->ipver == 4) {
        tmtu_addr_set4(out->src, src + 12);
        tmtu_addr_set4(out->dst, dst + 12);
    } else {
        tmtu_copy(out->src, src, 16);
        tmtu_copy(out->dst, dst, 16);
    }
    tmtu_flow_set_ports(out, f->ipver, f->proto, turned ? f->dport : f->sport,
                        turned ? f->sport : f->dport, f->flags);
}

/* All steps: each tunnel may hold an error, and so may the outermost packet. */
enum { OWNER_STEPS = 2 * TMTU_ENCAP_NESTING + 2 };

static enum tmtu_owner_by owner_walk(const struct tmtu_pkt *pkt, uint8_t quoted,
                                     unsigned how, struct tmtu_owner *o)
{
    struct owner_way way;
    int direct = quoted;
    way.at = pkt;
    o->quoted = quoted;
    o->tunnels = 0;
    o->fragment.ipver = 0;
    for (unsigned n = 0; n < OWNER_STEPS; n++) {
        const uint8_t errors = o->quoted;
        if (!owner_step(&way, how, direct, o))
            break;
        direct = o->quoted != errors;
    }
    owner_name(&o->flow, &way.at->flow, o->quoted & 1u);
    if (o->by != TMTU_OWNER_PORTS)
        tmtu_flow_set_ports(&o->flow, o->flow.ipver,
                            way.ah ? W_PROTO_AH : o->flow.proto, 0, 0, 0);
    return (enum tmtu_owner_by)o->by;
}

/* What nearly all packets are: whole, with ports, and neither AH nor a tunnel
 * can be about. */
static int owner_is_plain(const struct tmtu_pkt *pkt, unsigned how)
{
    return !(pkt->flags & TMTU_PKT_FRAGMENT) &&
           (pkt->flow.flags & TMTU_FLOW_PORTS) &&
           (pkt->flow.ipver == 4 || pkt->l4 == W_IP6_SIZE) &&
           (!(how & TMTU_OWNER_TUNNELS) || pkt->flow.proto != W_PROTO_UDP);
}

enum tmtu_owner_by tmtu_owner_of(const struct tmtu_pkt *pkt, unsigned how,
                                 struct tmtu_owner *out)
{
    if (!owner_is_plain(pkt, how))
        return owner_walk(pkt, 0, how, out);
    owner_name(&out->flow, &pkt->flow, 0);
    out->fragment.ipver = 0;
    out->by = TMTU_OWNER_PORTS;
    out->quoted = 0;
    out->tunnels = 0;
    return TMTU_OWNER_PORTS;
}

enum tmtu_owner_by tmtu_owner_of_error(const struct tmtu_icmp *icmp,
                                       unsigned how, struct tmtu_owner *out)
{
    return owner_walk(&icmp->quoted, 1, how, out);
}

/* SPDX-License-Identifier: MIT */
/* A real server's tunnel end without sockets and clock: tunnel packets become
 * packets for the host, and the host's replies are clamped. */
#include "rs.h"

#include <stdlib.h>
#include <string.h>

/* Packets in the making at a time: balancers fragment what does not fit, so
 * with a wrong MTU that may be all of the traffic. */
enum { REASS_PACKETS = 256, REASS_MAX = 65535 };

enum {
    PROTO_IPIP = 4,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_GRE = 47,
    PROTO_DSTOPTS = 60,
    PORT_GUE = 6080,
    PORT_GREUDP = 4754
};

/* 0.0.0.0, which means any host */
static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};

uint16_t rs_port(const struct rs_config *config, enum tmtu_encap_kind kind)
{
    const unsigned tunnels = config->tunnels != 0 ? config->tunnels : RS_ALL;
    if (!(tunnels & 1u << kind))
        return 0;
    if (kind == TMTU_ENCAP_GUE)
        return config->gue_port != 0 ? config->gue_port : PORT_GUE;
    return config->greudp_port != 0 ? config->greudp_port : PORT_GREUDP;
}

/* What is taken of each kind, and the most that the kinds that were asked for
 * take of the MTU. Nobody has asked for all of them. */
static void know_tunnels(struct rs *rs)
{
    const struct rs_config *c = rs->config;
    const bool v6 =
        args_addrs_family(&c->locals, 6) || args_addrs_family(&c->peers, 6);
    const unsigned asked = c->tunnels != 0 ? c->tunnels : (unsigned)RS_IPIP;
    const unsigned gre = c->has_key ? TMTU_ENCAP_KEY : 0;

    rs->tunnels = c->tunnels != 0 ? c->tunnels : (unsigned)RS_ALL;
    for (uint8_t kind = 0; kind <= TMTU_ENCAP_GREUDP; kind++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT; /* ends: :: means any */
        const bool key = kind == TMTU_ENCAP_GRE || kind == TMTU_ENCAP_GREUDP;
        e.kind = kind;
        e.flags = (uint8_t)((key ? gre : 0) |
                            (c->zero_csum6 ? (unsigned)TMTU_ENCAP_ZERO6 : 0));
        e.key = c->key;
        e.dport = rs_port(c, (enum tmtu_encap_kind)kind);
        rs->encap[kind] = e;
        e.flags |= TMTU_ENCAP_ZERO6; /* its length, whatever is accepted */
        if (!v6)
            tmtu_copy(e.dst, any4, 16);
        const uint16_t overhead = tmtu_encap_overhead(&e);
        if ((asked & 1u << kind) && overhead > rs->overhead)
            rs->overhead = overhead;
    }
}

bool rs_init(struct rs *rs, const struct rs_config *config)
{
    /* Who sends fragments to a real server is not out to collide them; the
     * number of buckets is bounded whatever the key. */
    static const struct tmtu_hash_key key = {0, 0};
    memset(rs, 0, sizeof *rs);
    rs->config = config;
    know_tunnels(rs);
    void *mem = malloc(tmtu_reass_sizeof(REASS_PACKETS, REASS_MAX));
    if (mem != NULL)
        rs->reass = tmtu_reass_init(mem, REASS_PACKETS, REASS_MAX, &key);
    return rs->reass != NULL;
}

void rs_free(struct rs *rs)
{
    free(rs->reass);
    rs->reass = NULL;
}

static bool in_end(struct rs *rs, enum rs_in fate)
{
    rs->counters.in_fate[fate]++;
    return fate == RS_IN_DELIVERED;
}

static bool in_drop(struct rs *rs, enum tmtu_reason reason)
{
    rs->counters.in_drop[reason]++;
    return in_end(rs, RS_IN_DROPPED);
}

/* The tunnel that a packet belongs to; NULL: to none, or, as a fragment without
 * ports, to one that is not known yet. */
static const struct tmtu_encap *tunnel_of(const struct rs *rs,
                                          const struct tmtu_pkt *pkt)
{
    const struct tmtu_flow *f = &pkt->flow;
    unsigned kind = TMTU_ENCAP_IPIP;
    if (f->proto == PROTO_GRE)
        kind = TMTU_ENCAP_GRE;
    else if (f->proto == PROTO_UDP && !(f->flags & TMTU_FLOW_PORTS))
        return NULL;
    else if (f->proto == PROTO_UDP)
        kind = f->dport == rs->encap[TMTU_ENCAP_GUE].dport ? TMTU_ENCAP_GUE
                                                           : TMTU_ENCAP_GREUDP;
    else if (f->proto != PROTO_IPIP && f->proto != PROTO_IPV6)
        return NULL;
    if (f->proto == PROTO_UDP && f->dport != rs->encap[kind].dport)
        return NULL;
    return rs->tunnels & 1u << kind ? &rs->encap[kind] : NULL;
}

/* Takes the tunnel off; who may send, and to whom, has been checked. */
static bool decapsulate(struct rs *rs, struct tmtu_buf *buf,
                        const struct tmtu_pkt *outer,
                        const struct tmtu_encap *tunnel)
{
    struct tmtu_encap encap = *tunnel;
    struct tmtu_pkt inner;

    if (outer->flow.ipver == 4) {
        tmtu_copy(encap.src, any4, 16);
        tmtu_copy(encap.dst, any4, 16);
    }
    struct tmtu_buf whole = *buf;
    const enum tmtu_reason reason =
        tmtu_encap_pull(&whole, outer, &encap, &inner);
    if (reason != TMTU_OK)
        return in_drop(rs, reason);
    if (!args_addrs_has(&rs->config->vips, inner.flow.dst) ||
        tmtu_addr_is4(inner.flow.dst) != (inner.flow.ipver == 4))
        return in_drop(rs, TMTU_R_INNER_DEST);
    /* The SYN goes through this tunnel before its SYN-ACK is clamped. Bounded:
     * no balancer writes more, and who does shall not make segments tiny. */
    size_t overhead = (size_t)(whole.data - buf->data);
    if (overhead > TMTU_ENCAP_HEADROOM)
        overhead = TMTU_ENCAP_HEADROOM;
    if (overhead > rs->overhead)
        rs->overhead = (uint16_t)overhead;
    *buf = whole;
    return in_end(rs, RS_IN_DELIVERED);
}

/* Whether a fragment may be one of a tunnel although it does not say so. All
 * but the first have no ports; and where the peer writes an encapsulation
 * limit, all that they name is destination options (RFC 2473 §4.1.1, RFC 8200
 * §4.5). */
static bool may_be_ours(const struct rs *rs, const struct tmtu_pkt *pkt)
{
    if (!(pkt->flags & TMTU_PKT_LATER))
        return false;
    if (pkt->flow.proto == PROTO_UDP)
        return rs->tunnels & (RS_GUE | RS_GREUDP);
    return pkt->flow.ipver == 6 && pkt->flow.proto == PROTO_DSTOPTS;
}

bool rs_in(struct rs *rs, const struct tmtu_io_packet *in, uint64_t now,
           struct tmtu_buf *out)
{
    const struct rs_config *c = rs->config;
    struct tmtu_buf buf = in->buf;
    struct tmtu_pkt pkt;

    rs->counters.in++;
    int rc = tmtu_ip_parse(tmtu_buf_view(&buf), TMTU_IP_VERIFY, &pkt);
    if (rc < 0)
        return in_drop(rs, tmtu_reason_of(rc));
    const struct tmtu_encap *tunnel = tunnel_of(rs, &pkt);
    if (tunnel == NULL && !may_be_ours(rs, &pkt))
        return in_end(rs, RS_IN_NOT_TUNNEL);
    /* Before fragments are kept: strangers get no memory. */
    const bool stranger =
        c->peers.n > 0 && !args_addrs_has(&c->peers, pkt.flow.src);
    const bool elsewhere =
        (in->flags & TMTU_IO_L2_GROUP) ||
        (c->locals.n > 0 && !args_addrs_has(&c->locals, pkt.flow.dst));
    if (tunnel == NULL && (stranger || elsewhere))
        return in_end(rs, RS_IN_NOT_TUNNEL); /* of somebody's own */
    if (stranger || elsewhere)
        return in_drop(rs, stranger ? TMTU_R_OUTER_SOURCE : TMTU_R_OUTER_DEST);
    if (pkt.flags & TMTU_PKT_FRAGMENT) {
        rc = tmtu_reass_add(rs->reass, &pkt, now, out);
        if (rc == 0)
            return in_end(rs, RS_IN_HELD);
        if (rc > 0) {
            buf = *out;
            rc = tmtu_ip_parse(tmtu_buf_view(&buf), 0, &pkt);
        }
        if (rc < 0)
            return in_drop(rs, tmtu_reason_of(rc));
        tunnel = tunnel_of(rs, &pkt);
        if (tunnel == NULL)
            return in_end(rs, RS_IN_NOT_TUNNEL);
    }
    if (!decapsulate(rs, &buf, &pkt, tunnel))
        return false;
    *out = buf;
    return true;
}

uint16_t rs_mss(const struct rs *rs, uint8_t ipver)
{
    const struct rs_config *c = rs->config;
    if (c->clamp == RS_CLAMP_NO)
        return 0;
    if (c->clamp == RS_CLAMP_FIXED)
        return c->mss;
    const uint32_t room = c->mtu > rs->overhead ? c->mtu - rs->overhead : 0;
    return tmtu_mss_for_mtu(room, ipver);
}

static bool out_end(struct rs *rs, enum rs_out fate)
{
    rs->counters.out_fate[fate]++;
    return fate == RS_OUT_SENT;
}

bool rs_out(struct rs *rs, const struct tmtu_io_packet *in,
            struct tmtu_buf *out)
{
    struct tmtu_buf buf = in->buf;
    struct tmtu_pkt pkt;

    rs->counters.out++;
    int rc = tmtu_ip_parse(tmtu_buf_view(&buf), TMTU_IP_VERIFY, &pkt);
    if (rc < 0) {
        rs->counters.out_drop[tmtu_reason_of(rc)]++;
        return out_end(rs, RS_OUT_DROPPED);
    }
    /* The kernel says things on a TUN device of its own accord (router
     * solicitations, MLD); they are nobody's replies. */
    if (!args_addrs_has(&rs->config->vips, pkt.flow.src) ||
        tmtu_addr_is4(pkt.flow.src) != (pkt.flow.ipver == 4))
        return out_end(rs, RS_OUT_NOT_VIP);
    const uint16_t mss = rs_mss(rs, pkt.flow.ipver);
    if (mss != 0) {
        rc = tmtu_mss_clamp(&buf, &pkt, mss, 0);
        if (rc == 1)
            rs->counters.clamped++;
        else if (rc < 0 && rc != TMTU_E_IGNORED)
            rs->counters.unclamped++;
    }
    *out = buf;
    return out_end(rs, RS_OUT_SENT);
}

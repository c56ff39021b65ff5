/* SPDX-License-Identifier: MIT */
/* A real server's tunnel end without sockets and clock: tunnel packets become
 * packets for the host, and the host's replies are clamped. */
#include "rs.h"

#include <stdlib.h>
#include <string.h>

/* Packets in the making at a time: balancers fragment what does not fit, so
 * with a wrong MTU that may be all of the traffic. */
enum { REASS_PACKETS = 256, REASS_MAX = 65535 };

enum { PROTO_IPIP = 4, PROTO_IPV6 = 41, OUTER4 = 20, OUTER6 = 40 };

bool rs_init(struct rs *rs, const struct rs_config *config)
{
    /* Who sends fragments to a real server is not out to collide them; the
     * number of buckets is bounded whatever the key. */
    static const struct tmtu_hash_key key = {0, 0};
    memset(rs, 0, sizeof *rs);
    rs->config = config;
    rs->overhead = args_addrs_family(&config->locals, 6) ||
                           args_addrs_family(&config->peers, 6)
                       ? OUTER6
                       : OUTER4;
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

/* Takes the tunnel off; who may send, and to whom, has been checked. */
static bool decapsulate(struct rs *rs, struct tmtu_buf *buf,
                        const struct tmtu_pkt *outer)
{
    static const uint8_t any4[4] = {0, 0, 0, 0};
    struct tmtu_encap encap = TMTU_ENCAP_INIT; /* ends: :: means any */
    struct tmtu_pkt inner;

    if (outer->flow.ipver == 4) {
        tmtu_addr_set4(encap.src, any4);
        tmtu_addr_set4(encap.dst, any4);
    }
    struct tmtu_buf whole = *buf;
    const enum tmtu_reason reason =
        tmtu_encap_pull(&whole, outer, &encap, &inner);
    if (reason != TMTU_OK)
        return in_drop(rs, reason);
    if (!args_addrs_has(&rs->config->vips, inner.flow.dst) ||
        tmtu_addr_is4(inner.flow.dst) != (inner.flow.ipver == 4))
        return in_drop(rs, TMTU_R_INNER_DEST);
    /* The SYN goes through this tunnel before its SYN-ACK is clamped. */
    if (outer->flow.ipver == 6)
        rs->overhead = OUTER6;
    *buf = whole;
    return in_end(rs, RS_IN_DELIVERED);
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
    if (pkt.flow.proto != PROTO_IPIP && pkt.flow.proto != PROTO_IPV6)
        return in_end(rs, RS_IN_NOT_TUNNEL);
    /* Before fragments are kept: strangers get no memory. */
    if (c->peers.n > 0 && !args_addrs_has(&c->peers, pkt.flow.src))
        return in_drop(rs, TMTU_R_OUTER_SOURCE);
    if ((in->flags & TMTU_IO_L2_GROUP) ||
        (c->locals.n > 0 && !args_addrs_has(&c->locals, pkt.flow.dst)))
        return in_drop(rs, TMTU_R_OUTER_DEST);
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
    }
    if (!decapsulate(rs, &buf, &pkt))
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

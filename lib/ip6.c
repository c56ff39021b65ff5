/* SPDX-License-Identifier: MIT */
/* An IPv6 packet, parsed once: extension headers walked in their order. */
#include <tunmtu/ip.h>

#include "ip_quick.h"
#include "wire.h"

/* Bytes of an IPv6 extension header that begins like this. */
static size_t ip6_ext_len(uint8_t type, const uint8_t p[2])
{
    if (type == W_PROTO_AH)
        return (p[1] + 2u) * 4u; /* RFC 4302 §2.2 */
    return type == W_PROTO_FRAGMENT ? (size_t)W_FRAG6_SIZE : (p[1] + 1u) * 8u;
}

/* Follows the extension headers of the `have` bytes at p. */
static int ip6_walk(const uint8_t *p, size_t have, int quoted,
                    struct ip6_chain *c)
{
    size_t at = W_IP6_SIZE, link = W_IP6_NEXT; /* where `next` was read */
    uint8_t next = c->next;
    for (unsigned n = 0; ip6_is_ext(next); n++) {
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

int tmtu_ip6_parse(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
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
    /* A quoted length of 0 tells nothing: Linux quotes so what its GRO has made
     * longer than 65,575 bytes (K30). No Next Header: there is nothing. */
    const int told = !quoted || len > W_IP6_SIZE || next == W_PROTO_NONE;
    if (told && have > len)
        have = len;

    struct ip6_chain c = {
        W_IP6_SIZE, 0, 0, W_IP6_NEXT, W_IP6_SIZE, 0, 0, next,
    };
    struct ip_ends ends = {0, 0, 0, 0, 0, 0};
    int rc = ip6_walk(p, have, quoted, &c);
    if (rc < 0)
        return rc;
    if (!(c.flags & (TMTU_PKT_LATER | TMTU_PKT_CUT))) {
        const struct tmtu_view l4 = {p + c.at, p + have};
        rc = ip_transport(l4, 6, c.next, how, c.flags & TMTU_PKT_FRAGMENT,
                          &ends);
        if (rc < 0)
            return rc;
    }
    ip_fill6(out, p, len, (uint32_t)have, &c, &ends);
    return 0;
}

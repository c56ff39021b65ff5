/* SPDX-License-Identifier: MIT */
/* One packet, parsed once: headers walked, lengths held against each other. */
#include <tunmtu/cksum.h>
#include <tunmtu/ip.h>

#include "hop.h"
#include "ip4_option.h"
#include "ip_quick.h"
#include "wire.h"

_Static_assert(sizeof(struct tmtu_flow) == 40, "flows are compared as bytes");

static int ip_check_options(const uint8_t *p, size_t n)
{
    struct tmtu_view v = {p, p + n};
    for (unsigned bound = 0; bound < W_IP4_OPTIONS; bound++) {
        const int size = ip4_option_size(v);
        if (size <= 0)
            return size;
        v.data += size;
    }
    return 0;
}

static __attribute__((noinline)) int ip_parse4(struct tmtu_view v, unsigned how,
                                               struct tmtu_pkt *out)
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

/* Out of line, so that the quick way need not save registers for it. */
static __attribute__((noinline)) int
ip_parse_any(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
{
    const uint8_t *p = tmtu_peek(v, 1);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    switch (p[0] >> 4) {
    case 4:
        return ip_quick4(v, how, 1, out) ? 0 : ip_parse4(v, how, out);
    case 6:
        return ip_quick6(v, how, out) ? 0 : tmtu_ip6_parse(v, how, out);
    default:
        return TMTU_E_MALFORMED;
    }
}

int tmtu_ip_parse(struct tmtu_view v, unsigned how, struct tmtu_pkt *out)
{
    return ip_quick4(v, how, 0, out) ? 0 : ip_parse_any(v, how, out);
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

/* SPDX-License-Identifier: MIT */
/* Tunnels looked through, with nothing taken off: for packets that are quoted.
 */
#include "encap_kinds.h"
#include "ip_ends.h"

/* The kind that a protocol number and a well-known port tell; -1: none. */
static int peek_kind(const struct tmtu_pkt *outer)
{
    switch (outer->flow.proto) {
    case W_PROTO_IPIP:
    case W_PROTO_IPV6:
        return TMTU_ENCAP_IPIP;
    case W_PROTO_GRE:
        return TMTU_ENCAP_GRE;
    case W_PROTO_UDP: /* dport is 0 where it was cut off */
        if (outer->flow.dport == W_PORT_GUE)
            return TMTU_ENCAP_GUE;
        return outer->flow.dport == W_PORT_GREUDP ? TMTU_ENCAP_GREUDP : -1;
    default:
        return -1;
    }
}

/* Whose packet it is, as far as the outer IP header tells. */
static int peek_named(const struct tmtu_pkt *outer,
                      const struct tmtu_encap *encap)
{
    if (encap->size != sizeof *encap || !encap_ends_are(encap, outer) ||
        encap_kind_proto(encap->kind, 4) == 0)
        return TMTU_E_IGNORED;
    if (encap_kind_is(encap->kind, outer->flow.proto))
        return 0;
    /* What would have come behind the extension headers nobody knows. */
    return (outer->flags & TMTU_PKT_CUT) && ip6_is_ext(outer->flow.proto)
               ? TMTU_E_TRUNCATED
               : TMTU_E_IGNORED;
}

int tmtu_encap_peek(const struct tmtu_pkt *outer,
                    const struct tmtu_encap *encap, struct tmtu_pkt *inner)
{
    if (outer->flags & TMTU_PKT_LATER)
        return TMTU_E_IGNORED;
    int rc = encap != NULL ? peek_named(outer, encap) : 0;
    if (rc < 0)
        return rc;
    const int kind = encap != NULL ? encap->kind : peek_kind(outer);
    if (kind < 0)
        return TMTU_E_IGNORED;

    struct tmtu_view v = {outer->data + outer->l4, outer->data + outer->have};
    uint8_t ipver;
    rc = encap_kind_peek(&v, outer, (uint8_t)kind, encap, &ipver);
    if (rc < 0)
        return rc;
    const uint8_t *ip = tmtu_peek(v, 1);
    if (ip == NULL)
        return TMTU_E_TRUNCATED;
    if (ipver != 0 && ip[0] >> 4 != ipver)
        return TMTU_E_MALFORMED;
    const uint8_t *data = outer->data; /* inner may be outer */
    rc = tmtu_ip_parse(v, TMTU_IP_QUOTED, inner);
    return rc < 0 ? rc : (int)(ip - data);
}

int tmtu_encap_innermost(const struct tmtu_pkt *outer, struct tmtu_pkt *inner)
{
    int n = 0;
    if (inner != outer)
        *inner = *outer;
    while (n < TMTU_ENCAP_NESTING && tmtu_encap_peek(inner, NULL, inner) > 0)
        n++;
    return n;
}

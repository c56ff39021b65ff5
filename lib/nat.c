/* SPDX-License-Identifier: MIT */
/* Packets and errors rewritten: everything looked at, then written. */
#include <tunmtu/nat.h>

#include "nat_plan.h"
#include "wire.h"

int tmtu_nat_packet(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                    const struct tmtu_nat *nat)
{
    int rc = tmtu_nat_check(nat);
    if (rc < 0)
        return rc;
    if (tmtu_ip_is_icmp_error(pkt) || !tmtu_nat_same_end(pkt, nat->side, nat))
        return TMTU_E_IGNORED;
    if (tmtu_buf_len(buf) < pkt->have || pkt->have < pkt->len ||
        (pkt->flags & TMTU_PKT_CUT))
        return TMTU_E_TRUNCATED;
    struct nat_plan plan = nat_plan(nat->side);
    rc = tmtu_nat_look(buf->data, pkt, nat, 0, &plan);
    if (rc < 0)
        return rc;
    tmtu_nat_write(buf->data, pkt, nat, &plan, 0);
    return 0;
}

/* Whether the message is one that was parsed from here. */
static int nat_check_error(const struct tmtu_buf *buf,
                           const struct tmtu_pkt *pkt,
                           const struct tmtu_icmp *icmp)
{
    const uint32_t quote = pkt->l4 + (uint32_t)W_ICMP_SIZE;
    if (!tmtu_ip_is_icmp_error(pkt))
        return TMTU_E_IGNORED;
    if (tmtu_buf_len(buf) < pkt->have || pkt->have < pkt->len)
        return TMTU_E_TRUNCATED;
    if (icmp->quoted.data != pkt->data + quote ||
        pkt->have < quote + icmp->quoted.have)
        return TMTU_E_MALFORMED;
    if (icmp->kind == TMTU_ICMP_REDIRECT)
        return TMTU_E_FORBIDDEN;
    return pkt->flags & TMTU_PKT_ROUTED ? TMTU_E_UNSUPPORTED : 0;
}

/* RFC 5508 REQ-3: never the quoted transport checksum. */
static int nat_verify(const struct tmtu_pkt *pkt, const struct tmtu_icmp *icmp)
{
    const int rc = tmtu_ip_transport_verify(pkt);
    if (rc < 0)
        return rc;
    return icmp->quoted.flow.ipver == 4 ? tmtu_icmp_quote_check(&icmp->quoted)
                                        : 0;
}

int tmtu_nat_error(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                   struct tmtu_icmp *icmp, const struct tmtu_nat *nat)
{
    int rc = tmtu_nat_check(nat);
    if (rc < 0)
        return rc;
    rc = nat_check_error(buf, pkt, icmp);
    if (rc < 0)
        return rc;
    const unsigned other =
        nat->side == TMTU_NAT_SRC ? TMTU_NAT_DST : TMTU_NAT_SRC;
    const int ours = nat_same_addr(pkt, nat->side, nat);
    if (!tmtu_nat_same_end(&icmp->quoted, other, nat) ||
        (!ours && nat->side == TMTU_NAT_DST))
        return TMTU_E_IGNORED;
    struct nat_plan plan = nat_plan(nat->side), quoted = nat_plan(other);
    uint8_t *quote = buf->data + pkt->l4 + W_ICMP_SIZE;
    rc = tmtu_nat_look(quote, &icmp->quoted, nat, 1, &quoted);
    if (rc < 0)
        return rc;
    rc = tmtu_nat_look(buf->data, pkt, nat, 0, &plan);
    if (rc < 0)
        return rc;
    if (!(nat->flags & TMTU_NAT_VERIFIED)) {
        rc = nat_verify(pkt, icmp);
        if (rc < 0)
            return rc;
    }
    if (!ours && (nat->flags & TMTU_NAT_KEEP_REPORTER))
        plan.addr = 0;
    const uint32_t inner =
        tmtu_nat_write(quote, &icmp->quoted, nat, &quoted, 0);
    tmtu_nat_write(buf->data, pkt, nat, &plan, inner);
    return 0;
}

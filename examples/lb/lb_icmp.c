/* SPDX-License-Identifier: MIT */
/* ICMP errors that come in: whose they are, and what is done with them. */
#include "lb_own.h"

/* Whether somebody forbids it (RFC 1812 §5.2.7.1, RFC 4443 §3.1): sessions that
 * lived long end so, and whoever looks for the reason looks here. */
static bool prohibited(uint8_t ipver, uint8_t code)
{
    return ipver == 4 ? code == 9 || code == 10 || code == 13
                      : code == 1 || code == 5 || code == 6;
}

static enum lb_icmp kind_of(const struct tmtu_icmp *icmp, uint8_t ipver)
{
    switch (icmp->kind) {
    case TMTU_ICMP_TOO_BIG:
        return LB_ICMP_TOO_BIG;
    case TMTU_ICMP_EXPIRED:
        return LB_ICMP_EXPIRED;
    case TMTU_ICMP_PARAM:
        return LB_ICMP_PARAMETER;
    default:
        return prohibited(ipver, icmp->code) ? LB_ICMP_PROHIBITED
                                             : LB_ICMP_UNREACHABLE;
    }
}

/* An ICMP error for a VIP belongs to the server that sent what it quotes. */
void lb_icmp_for_vip(struct lb *lb, const struct tmtu_icmp *icmp)
{
    const struct tmtu_pkt *pkt = &lb->work.pkt;
    const struct tmtu_flow flow = tmtu_flow_reverse(&icmp->quoted.flow);

    /* IPVS relays types 3, 4 and 11; a parameter problem is the sender's as
     * well. Redirects are for routers next to the sender, and source quench is
     * not to be acted on (RFC 6633). */
    if (icmp->kind > TMTU_ICMP_PARAM ||
        !tmtu_addr_equal(flow.dst, pkt->flow.dst)) {
        lb_end(lb, LB_NOT_SERVED);
        return;
    }
    const bool ports = flow.flags & TMTU_FLOW_PORTS;
    const struct service *s =
        services_find(lb->services, flow.dst, flow.proto, flow.dport, ports);
    if (s == NULL || (!ports && s->by_port)) {
        /* Without ports (a later fragment, a quote cut too short) only a
         * service for every port, placed by address, can be told. */
        lb_end(lb, ports ? LB_NOT_SERVED : LB_NO_PORTS);
        return;
    }
    /* Never forward what is broken; the checksum covers the quote that chose
     * the server. */
    if (tmtu_ip_transport_verify(pkt) == TMTU_E_CHECKSUM) {
        lb_drop(lb, TMTU_R_CHECKSUM);
        return;
    }
    lb->note.icmp = true;
    lb->note.icmp_kind = (uint8_t)kind_of(icmp, pkt->flow.ipver);
    lb_forward(lb, s, &flow);
}

/* An ICMP error about a packet that one of our tunnels sent. */
static bool about_tunnel(const struct lb *lb, const struct tmtu_pkt *pkt)
{
    struct tmtu_icmp icmp;
    const uint8_t *local = lb->local[pkt->flow.ipver == 6];
    return !tmtu_addr_is_unspecified(local) &&
           tmtu_addr_equal(pkt->flow.dst, local) &&
           tmtu_icmp_parse(pkt, &icmp) == 0 &&
           tmtu_addr_equal(icmp.quoted.flow.src, local) &&
           services_has_tunnel(lb->services, &icmp.quoted.flow);
}

void lb_icmp_for_us(struct lb *lb)
{
    lb_end(lb,
           about_tunnel(lb, &lb->work.pkt) ? LB_ICMP_TUNNEL : LB_NOT_SERVED);
}

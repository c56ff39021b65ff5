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

/* Whether it says of a tunnel packet that nobody takes it there. ICMPv6 has no
 * "protocol unreachable", which is what a host without the tunnel says: it is
 * a next header that the host does not know (RFC 4443 §3.4, RFC 7915 §5.2). */
static bool unreachable(const struct tmtu_icmp *icmp, uint8_t ipver)
{
    const enum lb_icmp kind = kind_of(icmp, ipver);
    return kind == LB_ICMP_UNREACHABLE || kind == LB_ICMP_PROHIBITED ||
           (kind == LB_ICMP_PARAMETER && ipver == 6 && icmp->code == 1);
}

void lb_icmp_note(struct lb *lb, const struct tmtu_icmp *icmp)
{
    lb->note.icmp = true;
    lb->note.icmp_kind = (uint8_t)kind_of(icmp, lb->work.pkt.flow.ipver);
}

/* An error for no service is the host's. An interface shows us what the host
 * gets as well; from a TUN device we have taken it away. */
static void not_served(struct lb *lb)
{
    lb_end(lb, LB_NOT_SERVED);
    lb->work.pass = lb->pass && (lb->work.pkt.flags & TMTU_PKT_ICMP) &&
                    tmtu_ip_is_icmp_error(&lb->work.pkt);
}

static void broken(struct lb *lb)
{
    lb_drop(lb, TMTU_R_CHECKSUM);
    lb->note.broken = true;
}

/* The service of the flow that an error is about, which is left in `owner`.
 * Without ports, in later fragments and quotes cut short, there is but one that
 * has a flow of this protocol and, it may be, another server. */
static struct service *service_of(struct lb *lb, const struct tmtu_icmp *icmp,
                                  unsigned how, struct tmtu_owner *owner)
{
    const struct tmtu_flow *f = &owner->flow;
    (void)tmtu_owner_of_error(icmp, how, owner);
    if (how != 0 && owner->tunnels == 0)
        return NULL; /* nothing else than without tunnels */
    (void)tmtu_follow_owner(lb->follow, owner, lb->now);
    const bool ports = f->flags & TMTU_FLOW_PORTS;
    struct service *s =
        services_find(lb->services, f->dst, f->proto, f->dport, ports);
    return s != NULL || ports ? s
                              : services_some(lb->services, f->dst, f->proto);
}

/* An ICMP error for a VIP belongs to the server that sent what it quotes; if
 * that is a tunnel of no service, the server that sent what is in it. */
void lb_icmp_for_vip(struct lb *lb, const struct tmtu_icmp *icmp)
{
    const struct tmtu_pkt *pkt = &lb->work.pkt;
    const struct service *s = NULL;
    struct tmtu_owner owner;

    /* IPVS relays types 3, 4 and 11; a parameter problem is the sender's as
     * well. Redirects are for routers next to the sender, and source quench is
     * not to be acted on (RFC 6633). */
    if (icmp->kind <= TMTU_ICMP_PARAM &&
        tmtu_addr_equal(icmp->quoted.flow.src, pkt->flow.dst)) {
        s = service_of(lb, icmp, 0, &owner);
        if (s == NULL)
            s = service_of(lb, icmp, TMTU_OWNER_TUNNELS, &owner);
    }
    if (s == NULL) { /* a service may have the address of our tunnels, too */
        lb_icmp_for_us(lb);
        return;
    }
    /* Never forward what is broken; the checksum covers the quote that chose
     * the server. */
    if (tmtu_ip_transport_verify(pkt) == TMTU_E_CHECKSUM) {
        broken(lb);
        return;
    }
    lb_icmp_note(lb, icmp);
    lb->note.by_address = s->by_port && owner.by != TMTU_OWNER_PORTS;
    lb_forward(lb, s, &owner.flow);
}

/* Whether we may have sent what is quoted: a packet for a service. Who makes up
 * such errors must not choose in whose name we speak. */
static enum tmtu_trust_ours sent(const struct services *t,
                                 const struct tmtu_relay *relay)
{
    const struct tmtu_flow *f = &relay->inner.flow;
    const bool ports = f->flags & TMTU_FLOW_PORTS;
    if (relay->overhead == 0)
        return TMTU_TRUST_OURS_UNKNOWN;
    if (services_find(t, f->dst, f->proto, f->dport, ports) != NULL)
        return TMTU_TRUST_OURS_YES;
    /* Cut short, a fragment, or an ICMP error that was for the VIP. */
    return services_has_vip(t, f->dst) &&
                   (!ports || (relay->inner.flags & TMTU_PKT_ICMP))
               ? TMTU_TRUST_OURS_UNKNOWN
               : TMTU_TRUST_OURS_NO;
}

/* What an error about a packet of our own tunnel is good for: the path to the
 * server is known better, and the client gets to know what it can do about it.
 * How such packets look is known to many, so what is learnt has bounds: never
 * less than a floor, and not for ever. */
static void about_tunnel(struct lb *lb, const struct tmtu_icmp *icmp,
                         struct server *server)
{
    static const struct tmtu_trust_options strict = TMTU_TRUST_INIT;
    struct tmtu_trust_facts facts = {.ours = TMTU_TRUST_OURS_UNKNOWN};
    struct lb_work *w = &lb->work;
    struct tmtu_trust trust;
    struct tmtu_relay relay;

    if (tmtu_relay_read(icmp, &server->tunnel, &lb->relay, &relay) < 0) {
        not_served(lb); /* GUE control messages, another key */
        return;
    }
    facts.ours = (uint8_t)sent(lb->services, &relay);
    if (tmtu_trust_decide(&w->pkt, icmp, &strict, &facts, &trust) < 0) {
        lb_drop(lb, TMTU_R_INTERNAL);
        return;
    }
    if (trust.against & TMTU_TRUST_CHECKSUM) {
        broken(lb);
        return;
    }
    lb_end(lb, LB_ICMP_TUNNEL);
    lb->note.server = server;
    lb->note.doubts = trust.against & strict.refuse;
    if (!trust.believed) {
        unsigned bit = 0;
        while (!(lb->note.doubts >> bit & 1))
            bit++;
        lb->counters.doubted[bit]++;
        return;
    }
    server->errors++;
    server->unreachable += unreachable(icmp, w->pkt.flow.ipver);
    if (relay.learns)
        lb_path_learn(lb, server, &relay.learn);
    if (relay.reason != TMTU_OK) {
        lb->note.reason = relay.reason;
        lb->counters.not_relayed[relay.reason]++;
        return;
    }
    w->pkt = relay.inner;
    w->error = relay.error;
    w->answer = LB_RELAYED;
}

void lb_icmp_for_us(struct lb *lb)
{
    const struct tmtu_pkt *pkt = &lb->work.pkt;
    const uint8_t *local = lb->local[pkt->flow.ipver == 6];
    struct tmtu_icmp icmp;
    struct server *server = NULL;

    if (tmtu_addr_equal(pkt->flow.dst, local) &&
        tmtu_icmp_parse(pkt, &icmp) == 0)
        server = services_find_tunnel(lb->services, &icmp.quoted.flow);
    if (server != NULL)
        about_tunnel(lb, &icmp, server);
    else
        not_served(lb);
}

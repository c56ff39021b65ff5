/* SPDX-License-Identifier: MIT */
/* Servers whose packets are readdressed (-m): client to VIP becomes client to
 * server, server to client becomes VIP to client, and so do ICMP errors about
 * either. */
#include <string.h>

#include <tunmtu/nat.h>

#include "lb_own.h"

/* TTL, then size, as for direct routing: the whole MTU (K7). False: dropped. Of
 * our addresses a server knows the VIP, and of the path no other. */
static bool may_pass(struct lb *lb, const struct conn *c)
{
    struct lb_work *w = &lb->work;
    struct tmtu_verdict v;
    lb_direct_decide(c->server, &w->pkt, &v);
    if (v.silent != TMTU_OK)
        lb_unanswered(lb, (enum tmtu_reason)v.silent);
    if (v.answer != 0) {
        lb_plan_answer(lb, (enum tmtu_icmp_kind)v.answer, 0, v.info);
        tmtu_copy(w->error.src, c->service->addr, 16);
    }
    w->cut = v.action == TMTU_TUNNEL_CUT;
    if (v.action == TMTU_TUNNEL_DROP)
        lb_drop(lb, (enum tmtu_reason)v.reason);
    return v.action != TMTU_TUNNEL_DROP;
}

/* The other addresses and ports. */
static int readdress(struct lb *lb, const struct conn *c)
{
    struct lb_work *w = &lb->work;
    struct tmtu_nat nat = TMTU_NAT_INIT;
    struct tmtu_icmp icmp;
    tmtu_copy(nat.from.addr, c->client.dst, 16);
    tmtu_copy(nat.to.addr, c->back.src, 16);
    nat.from.port = c->client.dport;
    nat.to.port = c->back.sport;
    if (w->back)
        nat = tmtu_nat_reverse(&nat);
    if (!lb->note.icmp)
        return tmtu_nat_packet(&w->buf, &w->pkt, &nat);
    const int rc = tmtu_icmp_parse(&w->pkt, &icmp);
    return rc < 0 ? rc : tmtu_nat_error(&w->buf, &w->pkt, &icmp, &nat);
}

/* A packet or an ICMP error of the connection. Errors make none, renew none and
 * end none (R-5508-07, R-5382-01). */
static void pass(struct lb *lb, struct conn *c)
{
    static const enum lb_fate fates[] = {
        [CONNS_FULL] = LB_TABLE_FULL, [CONNS_TAKEN] = LB_TAKEN};
    struct lb_work *w = &lb->work;
    lb->note.server = c->server;
    w->server = c->server;
    if (!may_pass(lb, c))
        return;
    const int rc = readdress(lb, c);
    if (rc < 0) {
        lb_drop(lb, tmtu_reason_of(rc));
        return;
    }
    if (!lb->note.icmp) {
        const enum conns_kept kept =
            conns_keep(&lb->conns, c, &w->pkt, w->back, lb->now);
        if (kept != CONNS_KEPT) {
            lb_end(lb, fates[kept]);
            return;
        }
    }
    if (w->pkt.gso_size != 0)
        lb_super(lb);
    else
        w->send = true;
}

bool lb_nat_known(struct lb *lb, const struct tmtu_flow *flow)
{
    struct conn c;
    if (!conns_find(&lb->conns, flow, lb->now, &c) ||
        (!lb->note.icmp && conns_again(&c, &lb->work.pkt)))
        return false;
    pass(lb, &c);
    return true;
}

void lb_nat_begin(struct lb *lb, const struct service *service,
                  struct server *server, const struct tmtu_flow *flow)
{
    /* An ICMP error is about a connection, or about nothing (R-5508-05). */
    if (lb->note.icmp || conns_ends(&lb->work.pkt)) {
        lb_end(lb, LB_NO_CONNECTION);
        return;
    }
    struct conn c = conns_plan(service, server, flow);
    pass(lb, &c);
}

/* Whether the packet of lb.work is an ICMP error about what was sent to a
 * server: to whom that came from, and nothing that only a neighbour
 * understands. */
static bool about_server(const struct lb *lb, const struct tmtu_icmp *icmp)
{
    const struct tmtu_flow *quoted = &icmp->quoted.flow;
    return icmp->kind <= TMTU_ICMP_PARAM &&
           tmtu_addr_equal(quoted->src, lb->work.pkt.flow.dst) &&
           services_has_nat(lb->services, quoted->dst);
}

bool lb_nat_back(struct lb *lb)
{
    struct lb_work *w = &lb->work;
    const struct tmtu_pkt *pkt = &w->pkt;
    struct tmtu_icmp icmp;
    struct conn c;
    if (lb->conns.flows == NULL)
        return false;
    const bool from_server = services_has_nat(lb->services, pkt->flow.src);
    if (from_server && (pkt->flags & TMTU_PKT_FRAGMENT) && !lb_gather(lb))
        return true;
    struct tmtu_flow flow = pkt->flow;
    const bool error = tmtu_icmp_parse(pkt, &icmp) == 0;
    if (error ? !about_server(lb, &icmp) : !from_server)
        return false;
    if (error)
        flow = tmtu_flow_reverse(&icmp.quoted.flow);
    if (!conns_find_back(&lb->conns, &flow, lb->now, &c)) {
        lb_end(lb, LB_STRAY);
        return true;
    }
    if (pkt->flags & TMTU_PKT_L2_GROUP) { /* RFC 1122 §3.3.6 */
        lb_drop(lb, TMTU_R_L2_GROUP);
        return true;
    }
    if (error)
        lb_icmp_note(lb, &icmp);
    w->back = true;
    pass(lb, &c);
    return true;
}

bool lb_nat_speaks(struct lb *lb, const struct tmtu_pkt *pkt,
                   struct tmtu_icmp_error *error)
{
    struct conn c;
    if (services_has_vip(lb->services, pkt->flow.dst))
        return true;
    if (lb->conns.flows == NULL ||
        !conns_find_back(&lb->conns, &pkt->flow, lb->now, &c))
        return false;
    tmtu_copy(error->src, c.service->addr, 16);
    return true;
}

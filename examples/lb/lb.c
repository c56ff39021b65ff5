/* SPDX-License-Identifier: MIT */
/* A load balancer without sockets and clock: a packet and the time go in,
 * packets to send come out. */
#include "lb_own.h"

#include <string.h>

enum { PROTO_TCP = 6 };

void lb_end(struct lb *lb, enum lb_fate fate)
{
    lb->note.fate = (uint8_t)fate;
    lb->counters.fate[fate]++;
}

void lb_drop(struct lb *lb, enum tmtu_reason reason)
{
    lb_end(lb, LB_DROPPED);
    lb->note.reason = (uint8_t)reason;
    lb->counters.drop[reason]++;
}

void lb_unanswered(struct lb *lb, enum tmtu_reason reason)
{
    lb->note.unanswered = (uint8_t)reason;
    lb->counters.unanswered[reason]++;
}

void lb_plan_answer(struct lb *lb, enum tmtu_icmp_kind kind, uint8_t code,
                    uint32_t info)
{
    static const uint8_t answers[] = {
        [TMTU_ICMP_UNREACH] = LB_PORT_UNREACHABLE,
        [TMTU_ICMP_TOO_BIG] = LB_TOO_BIG,
        [TMTU_ICMP_EXPIRED] = LB_TTL_EXPIRED,
        [TMTU_ICMP_PARAM] = LB_PARAMETER_PROBLEM,
    };
    struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
    e.kind = (uint8_t)kind;
    e.code = code;
    e.info = info;
    lb->work.error = e;
    lb->work.answer = answers[kind];
}

void lb_refuse(struct lb *lb)
{
    const struct tmtu_flow *f = &lb->work.pkt.flow;
    if (lb->note.icmp || lb->refuse == LB_REFUSE_DROP)
        return;
    lb_plan_answer(lb, TMTU_ICMP_UNREACH, f->ipver == 4 ? 3 : 4, 0);
    if (lb->refuse == LB_REFUSE_RESET && f->proto == PROTO_TCP)
        lb->work.answer = LB_RESET;
}

void lb_forward(struct lb *lb, const struct service *service,
                const struct tmtu_flow *flow)
{
    struct lb_work *w = &lb->work;
    if (service->nat && lb_nat_known(lb, flow))
        return; /* whatever its hash says now */
    const uint64_t hash = services_hash(lb->services, service, flow);
    struct server *server = lb_choose(lb, service, flow, hash);
    if (server == NULL) {
        lb_end(lb, LB_NO_SERVER);
        lb_refuse(lb);
        return;
    }
    if (server->forward == LB_NAT) {
        lb_nat_begin(lb, service, server, flow);
        return;
    }
    lb->note.server = server;
    w->server = server;
    if (lb->now >= server->ask)
        lb_path_ask(lb, server);
    w->hash = services_spread(lb->services, service, server, flow, hash);

    const struct tmtu_encap_each each = {lb_id(lb), w->hash};
    struct tmtu_verdict v;
    if (server->forward == LB_DIRECT) {
        lb_direct_decide(server, &w->pkt, &v);
    } else if (w->pkt.gso_size != 0) { /* judged by its segments: K29 */
        tmtu_tunnel_enter(&server->tunnel, &w->pkt, &v);
    } else if (tmtu_tunnel_send(&w->buf, &w->pkt, &server->tunnel, &each, &v) ==
               1) {
        w->send = w->entered = true;
        lb_entered(lb);
        return;
    }
    if (v.silent != TMTU_OK)
        lb_unanswered(lb, (enum tmtu_reason)v.silent);
    if (v.answer != 0)
        lb_plan_answer(lb, (enum tmtu_icmp_kind)v.answer, 0, v.info);
    if (v.action == TMTU_TUNNEL_DROP) {
        lb_drop(lb, (enum tmtu_reason)v.reason);
        return;
    }
    w->cut = v.action == TMTU_TUNNEL_CUT;
    if (w->pkt.gso_size != 0)
        lb_super(lb);
    else
        w->send = true;
}

/* A packet for a VIP, whole. */
static void for_vip(struct lb *lb)
{
    const struct tmtu_pkt *pkt = &lb->work.pkt;
    const struct tmtu_flow *f = &pkt->flow;
    struct tmtu_icmp icmp;

    const struct service *s = services_find(
        lb->services, f->dst, f->proto, f->dport, f->flags & TMTU_FLOW_PORTS);
    if (s != NULL) {
        lb_forward(lb, s, f);
        return;
    }
    const int rc = tmtu_icmp_parse(pkt, &icmp);
    if (rc == 0)
        lb_icmp_for_vip(lb, &icmp);
    else if (rc == TMTU_E_IGNORED)
        lb_end(lb, LB_NOT_SERVED);
    else
        lb_drop(lb, tmtu_reason_of(rc));
}

/* As IPVS has it done. */
bool lb_gather(struct lb *lb)
{
    struct lb_work *w = &lb->work;
    struct tmtu_buf whole =
        tmtu_buf(lb->memory, TMTU_IO_PACKET, TMTU_IO_HEADROOM);
    const int largest = tmtu_reass_add(lb->reass, &w->pkt, lb->now, &whole);
    if (largest == 0) {
        lb_end(lb, LB_HELD);
        return false;
    }
    const int rc = largest < 0
                       ? largest
                       : tmtu_ip_parse(tmtu_buf_view(&whole), 0, &w->pkt);
    if (rc < 0) {
        lb_drop(lb, tmtu_reason_of(rc));
        return false;
    }
    w->pkt.frag_max = (uint16_t)largest;
    w->buf = whole;
    w->own = true;
    return true;
}

/* Whether an address may stand in a header of this version: the IPv4-mapped
 * ones of IPv6 mean something inside of hosts only (RFC 4291 §2.5.5.2). */
static bool family(const uint8_t addr[16], uint8_t ipver)
{
    return tmtu_addr_is4(addr) == (ipver == 4);
}

void lb_take(struct lb *lb, const struct tmtu_io_packet *in, uint64_t now)
{
    struct lb_work *w = &lb->work;
    w->answer = LB_NO_ANSWER;
    w->pass = w->send = w->entered = w->cut = w->begun = w->own = w->super =
        w->back = false;
    w->cwr = in->flags & TMTU_IO_GSO_CWR;
    lb->now = now;
    w->buf = in->buf;
    memset(&lb->note, 0, sizeof lb->note);
    lb->counters.in++;
    lb->counters.in_bytes += tmtu_buf_len(&in->buf);

    const int rc =
        tmtu_ip_parse(tmtu_buf_view(&w->buf), TMTU_IP_VERIFY, &w->pkt);
    if (rc < 0) {
        lb_drop(lb, tmtu_reason_of(rc));
        return;
    }
    const struct tmtu_flow *f = &w->pkt.flow;
    w->pkt.gso_size = in->gso_size;
    if (in->flags & TMTU_IO_L2_GROUP)
        w->pkt.flags |= TMTU_PKT_L2_GROUP;
    if (!family(f->dst, f->ipver) || !services_has_vip(lb->services, f->dst)) {
        if (!lb_nat_back(lb))
            lb_icmp_for_us(lb);
    } else if (w->pkt.flags & TMTU_PKT_L2_GROUP) /* RFC 1122 §3.3.6 */
        lb_drop(lb, TMTU_R_L2_GROUP);
    else if (!family(f->src, f->ipver) || !tmtu_addr_is_host(f->src) ||
             tmtu_addr_equal(f->src, f->dst)) /* from ourselves to ourselves */
        lb_drop(lb, TMTU_R_SOURCE);
    else if (!(w->pkt.flags & TMTU_PKT_FRAGMENT) || lb_gather(lb))
        for_vip(lb);
}

/* SPDX-License-Identifier: MIT */
/* Direct routing: the packet itself goes on to the server's link-layer address,
 * with one hop less to live, as in IPVS. */
#include <string.h>

#include "lb_own.h"

static void drop(struct tmtu_verdict *v, enum tmtu_reason reason)
{
    v->action = TMTU_TUNNEL_DROP;
    v->reason = (uint8_t)reason;
}

static void answer(struct tmtu_verdict *v, const struct tmtu_pkt *pkt,
                   enum tmtu_icmp_kind kind, uint32_t info)
{
    struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
    e.kind = (uint8_t)kind;
    v->silent = (uint8_t)tmtu_icmp_may_send(pkt, &e);
    if (v->silent != TMTU_OK)
        return;
    v->answer = (uint8_t)kind;
    v->info = info;
}

void lb_direct_decide(const struct server *server, const struct tmtu_pkt *pkt,
                      struct tmtu_verdict *out)
{
    struct tmtu_mtu_decision size;
    memset(out, 0, sizeof *out);
    if (pkt->ttl <= 1) { /* before its size: K35 */
        drop(out, TMTU_R_TTL_EXPIRED);
        answer(out, pkt, TMTU_ICMP_EXPIRED, 0);
        return;
    }
    if (tmtu_mtu_decide(pkt, &server->tunnel.mtu, &size) < 0)
        drop(out, TMTU_R_INTERNAL);
    else if (size.action == TMTU_MTU_DROP)
        drop(out, (enum tmtu_reason)size.reason);
    else if (size.action == TMTU_MTU_OUTER_FRAG || pkt->frag_max != 0)
        out->action = TMTU_TUNNEL_CUT; /* what came in fragments leaves so */
    if (out->reason != TMTU_R_INTERNAL && size.notify)
        answer(out, pkt, TMTU_ICMP_TOO_BIG, size.mtu); /* K7 */
}

bool lb_direct_enter(struct lb *lb)
{
    struct lb_work *w = &lb->work;
    const uint32_t mtu = w->server->tunnel.mtu.path_mtu;
    tmtu_buf_trim(&w->buf, w->pkt.len); /* padding of the link it came by */
    if (tmtu_ip_hop(&w->buf, &w->pkt) < 0 ||
        (w->cut && tmtu_frag_init(&w->frag, &w->pkt, mtu, lb_id(lb),
                                  TMTU_FRAG_FORCE) < 0))
        return false;
    w->begun = w->cut;
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Flows that stay with their server while others come and go: a table beside
 * the hash. Without a place in it, a flow is placed as by a balancer that has
 * no table. */
#include "lb_own.h"

enum { PROTO_TCP = 6, TCP_FLAGS = 13 };
enum { FIN = 0x01, SYN = 0x02, RST = 0x04 };

/* Seconds that a flow is kept after its last packet: those of IPVS. We see what
 * the client sends, and nothing of the answers. */
enum { T_SYN = 60, T_FLOW = 900, T_END = 120, T_RESET = 10, T_OTHER = 300 };
#define SECOND UINT64_C(1000000000)

/* The value of a flow: its server's number, and whether its end has begun. */
#define ENDS (UINT64_C(1) << 32)

static uint8_t tcp_flags(const struct tmtu_pkt *pkt)
{
    return pkt->flow.proto == PROTO_TCP ? pkt->data[pkt->l4 + TCP_FLAGS] : 0;
}

/* How long a flow that is of this class is kept, counted from this packet;
 * `value` follows. */
static uint64_t lifetime(const struct tmtu_pkt *pkt, enum tmtu_flows_class is,
                         uint64_t *value)
{
    const uint8_t flags = tcp_flags(pkt);
    if (pkt->flow.proto != PROTO_TCP)
        return T_OTHER * SECOND;
    if (flags & RST) {
        *value |= ENDS;
        return T_RESET * SECOND;
    }
    if (flags & FIN)
        *value |= ENDS;
    if (flags & SYN && (is == TMTU_FLOWS_NEW || *value & ENDS)) {
        *value &= ~ENDS; /* the ports are used again */
        return T_SYN * SECOND;
    }
    return (*value & ENDS ? T_END : T_FLOW) * SECOND;
}

/* A first packet costs its sender nothing: what it begins gives way to others,
 * until there is a second one that is no SYN. */
static enum tmtu_flows_class worth(const struct tmtu_pkt *pkt,
                                   enum tmtu_flows_class is)
{
    return tcp_flags(pkt) & SYN ? is : TMTU_FLOWS_CONFIRMED;
}

void lb_hold(struct lb *lb)
{
    if (lb->peer != NULL)
        pthread_mutex_lock(&lb->flows_lock);
}

void lb_release(struct lb *lb)
{
    if (lb->peer != NULL)
        pthread_mutex_unlock(&lb->flows_lock);
}

/* The server of a flow that is in the table of `at`; NULL: it is not. */
static struct server *kept(struct lb *lb, struct lb *at,
                           const struct tmtu_flow *key)
{
    struct server *server = NULL;
    lb_hold(at);
    const int place = tmtu_flows_find(at->flows, key, lb->now);
    if (place >= 0) {
        uint64_t *value = tmtu_flows_value(at->flows, place);
        server = services_by_id(lb->services, *value & (ENDS - 1));
        if (server != NULL && !lb->note.icmp) {
            const struct tmtu_pkt *pkt = &lb->work.pkt;
            const enum tmtu_flows_class is = tmtu_flows_class(at->flows, place);
            const uint64_t time = lifetime(pkt, is, value);
            tmtu_flows_keep(at->flows, place, worth(pkt, is), time, lb->now);
        }
    }
    lb_release(at);
    return server;
}

/* The queue that a flow's packets come by is chosen by its addresses and ports.
 * An error has others, and fragments have none: they may come by another queue,
 * and their flow be known there. Others than those need not ask. */
static struct server *known(struct lb *lb, const struct tmtu_flow *key)
{
    struct server *server = kept(lb, lb, key);
    if (lb->note.icmp || lb->work.own) {
        for (struct lb *at = lb->peer; server == NULL && at != NULL && at != lb;
             at = at->peer)
            server = kept(lb, at, key);
    }
    return server;
}

static void begin(struct lb *lb, const struct tmtu_flow *key,
                  const struct server *server)
{
    uint64_t value = server->id;
    const uint64_t time = lifetime(&lb->work.pkt, TMTU_FLOWS_NEW, &value);
    lb_hold(lb);
    (void)!tmtu_flows_put(lb->flows, key, value, time, lb->now);
    lb_release(lb);
}

struct server *lb_choose(struct lb *lb, const struct service *service,
                         const struct tmtu_flow *flow, uint64_t hash)
{
    if (lb->flows == NULL)
        return services_pick(service, hash);
    const struct tmtu_flow key = services_key(service, flow);
    struct server *server = known(lb, &key);
    if (server != NULL)
        return server;
    server = services_pick(service, hash);
    /* An error begins nothing: R-5508-07. -m has a table of its own. */
    if (server != NULL && !lb->note.icmp && server->forward != LB_NAT)
        begin(lb, &key, server);
    return server;
}

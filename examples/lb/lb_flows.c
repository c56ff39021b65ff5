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

struct server *lb_choose(struct lb *lb, const struct service *service,
                         const struct tmtu_flow *flow, uint64_t hash)
{
    const struct tmtu_pkt *pkt = &lb->work.pkt;
    if (lb->flows == NULL)
        return services_pick(service, hash);
    const struct tmtu_flow key = services_key(service, flow);
    const int place = tmtu_flows_find(lb->flows, &key, lb->now);
    if (place >= 0) {
        uint64_t *value = tmtu_flows_value(lb->flows, place);
        struct server *server =
            services_by_id(lb->services, *value & (ENDS - 1));
        if (server != NULL && lb->note.icmp) /* changes nothing: RFC 5508 */
            return server;
        if (server != NULL) {
            const enum tmtu_flows_class is = tmtu_flows_class(lb->flows, place);
            const uint64_t time = lifetime(pkt, is, value);
            tmtu_flows_keep(lb->flows, place, worth(pkt, is), time, lb->now);
            return server;
        }
    }
    struct server *server = services_pick(service, hash);
    if (server == NULL || server->forward == LB_NAT || lb->note.icmp)
        return server; /* or has a table of its own */
    uint64_t value = server->id;
    const uint64_t time = lifetime(pkt, TMTU_FLOWS_NEW, &value);
    (void)!tmtu_flows_put(lb->flows, &key, value, time, lb->now);
    return server;
}

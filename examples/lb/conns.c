/* SPDX-License-Identifier: MIT */
/* Connections of servers whose packets are readdressed (-m): a flow each way
 * in a table, with what connects them and a small state. */
#include "conns.h"

#include <stdlib.h>
#include <string.h>

enum { TCP = 6, SCTP = 132 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 }; /* TCP's flags */
enum {                                        /* SCTP's chunks */
       INIT = 1,
       INIT_ACK = 2,
       ABORT = 6,
       SHUTDOWN = 7,
       SHUTDOWN_ACK = 8,
       COMPLETE = 14
};

/* What is known of a connection. OPEN and further is what the server has
 * confirmed: it sent what answers more than a first packet, whose source may be
 * forged. */
enum state {
    OPENING,  /* the client sent something */
    ANSWERED, /* TCP and SCTP: so did the server, as it would to anybody */
    WAITING,  /* TCP: and the client again; no word of the server about that */
    OPEN,
    CLOSING, /* one end has nothing more to say */
    CLOSED   /* reset */
};

/* Seconds, those of IPVS. RFC 5382 REQ-5 wants two hours for open TCP: for
 * NATs that clients do not know of. */
static const uint16_t seconds[] = {
    [OPENING] = 60, [ANSWERED] = 60, [WAITING] = 900,
    [OPEN] = 900,   [CLOSING] = 120, [CLOSED] = 10};
enum { SECONDS_OTHERS = 300 }; /* UDP has no states */

/* A value: the server's number, and the state. Both flows have it, but only the
 * client's state counts. */
static uint64_t value_of(const struct conn *c)
{
    return (uint64_t)c->server->id << 8 | c->state;
}

static bool same_ends(uint64_t a, uint64_t b)
{
    return a >> 8 == b >> 8;
}

/* False: the server is not there any more. */
static bool of_value(const struct conns *conns, uint64_t value,
                     struct conn *out)
{
    out->server = services_by_id(conns->services, value >> 8);
    if (out->server == NULL)
        return false;
    out->service = &conns->services->service[out->server->service];
    out->state = (uint8_t)value;
    return true;
}

bool conns_prepare(struct conns *conns, const struct services *services,
                   uint32_t n, const struct tmtu_hash_key *key)
{
    bool needed = false;
    for (size_t i = 0; i < services->n; i++)
        needed |= services->service[i].nat;
    if (!needed || conns->flows != NULL)
        return true;
    /* Two flows each, and a quarter more: see flows.h. */
    const size_t most = n != 0 ? n : CONNS_DEFAULT;
    conns->flows = conns_table(most * 5 / 2, key);
    return conns->flows != NULL;
}

struct tmtu_flows *conns_table(size_t flows, const struct tmtu_hash_key *key)
{
    size_t entries = 16;
    while (entries < TMTU_FLOWS_MAX && entries < flows)
        entries *= 2;
    void *mem = aligned_alloc(64, (tmtu_flows_sizeof(entries) + 63) / 64 * 64);
    return mem != NULL ? tmtu_flows_init(mem, entries, key) : NULL;
}

void conns_free(struct conns *conns)
{
    free(conns->flows);
    memset(conns, 0, sizeof *conns);
}

/* The flow of the server's answers: its ends without the VIP. */
static struct tmtu_flow back_of(const struct server *server,
                                const struct tmtu_flow *client)
{
    struct tmtu_flow f = tmtu_flow_reverse(client);
    tmtu_copy(f.src, server->tunnel.encap.dst, 16);
    if (server->port != 0)
        f.sport = server->port;
    return f;
}

bool conns_find(struct conns *conns, const struct tmtu_flow *client,
                uint64_t now, struct conn *out)
{
    const int place = tmtu_flows_find(conns->flows, client, now);
    if (place < 0 ||
        !of_value(conns, *tmtu_flows_value(conns->flows, place), out))
        return false;
    out->client = *client;
    out->back = back_of(out->server, client);
    out->place = place;
    return true;
}

bool conns_find_back(struct conns *conns, const struct tmtu_flow *back,
                     uint64_t now, struct conn *out)
{
    struct tmtu_flow client = tmtu_flow_reverse(back);
    struct conn c;
    const int place = tmtu_flows_find(conns->flows, back, now);
    if (place < 0)
        return false;
    const uint64_t value = *tmtu_flows_value(conns->flows, place);
    if (!of_value(conns, value, &c))
        return false;
    tmtu_copy(client.dst, c.service->addr, 16);
    if (c.service->port != 0)
        client.dport = c.service->port;
    /* The client's half may be gone, or another's by now. */
    if (!conns_find(conns, &client, now, &c) || !same_ends(value_of(&c), value))
        return false;
    *out = c;
    return true;
}

struct conn conns_plan(const struct service *service, struct server *server,
                       const struct tmtu_flow *client)
{
    struct conn c = {.service = service, .server = server, .place = -1};
    c.client = *client;
    c.back = back_of(server, client);
    return c;
}

static uint8_t tcp_flags(const struct tmtu_pkt *pkt)
{
    return pkt->have >= pkt->l4 + 20u ? pkt->data[pkt->l4 + 13] : 0;
}

static uint8_t sctp_chunk(const struct tmtu_pkt *pkt)
{
    return pkt->have >= pkt->l4 + 16u ? pkt->data[pkt->l4 + 12] : 0;
}

bool conns_ends(const struct tmtu_pkt *pkt)
{
    if (pkt->flow.proto == TCP)
        return tcp_flags(pkt) & RST;
    if (pkt->flow.proto == SCTP)
        return sctp_chunk(pkt) == ABORT || sctp_chunk(pkt) == COMPLETE;
    return false;
}

bool conns_again(const struct conn *conn, const struct tmtu_pkt *pkt)
{
    if (conn->state < CLOSING)
        return false;
    if (pkt->flow.proto == TCP)
        return (tcp_flags(pkt) & (SYN | ACK | RST)) == SYN;
    return sctp_chunk(pkt) == INIT;
}

static bool ends_soon(const struct tmtu_pkt *pkt)
{
    if (pkt->flow.proto == TCP)
        return tcp_flags(pkt) & FIN;
    return sctp_chunk(pkt) == SHUTDOWN || sctp_chunk(pkt) == SHUTDOWN_ACK;
}

/* What anybody gets for a first packet, forged or not. */
static bool answers_anybody(const struct tmtu_pkt *pkt)
{
    if (pkt->flow.proto == TCP)
        return tcp_flags(pkt) & SYN;
    return pkt->flow.proto == SCTP && sctp_chunk(pkt) == INIT_ACK;
}

static enum state next(enum state s, const struct tmtu_pkt *pkt,
                       bool from_server)
{
    const uint8_t proto = pkt->flow.proto;
    if (proto != TCP && proto != SCTP)
        return from_server ? OPEN : s;
    if (conns_ends(pkt))
        return CLOSED;
    if (from_server && answers_anybody(pkt))
        return s == OPENING ? ANSWERED : s;
    if (ends_soon(pkt) && s >= OPEN)
        return CLOSING;
    if (from_server && s != CLOSING) /* also after a forged reset */
        return ends_soon(pkt) ? CLOSING : OPEN;
    if (proto == TCP && s == ANSWERED && !(tcp_flags(pkt) & SYN))
        return WAITING;
    return s;
}

static uint64_t life_of(const struct conn *c)
{
    const uint8_t proto = c->client.proto;
    const bool states = proto == TCP || proto == SCTP;
    return 1000000000u *
           (uint64_t)(states ? seconds[c->state] : SECONDS_OTHERS);
}

/* Renews one of the two flows. */
static void renew(struct tmtu_flows *flows, int place, const struct conn *c,
                  uint64_t now)
{
    const bool confirmed = c->state == OPEN || c->state == CLOSING;
    tmtu_flows_keep(flows, place,
                    confirmed ? TMTU_FLOWS_CONFIRMED : TMTU_FLOWS_NEW,
                    life_of(c), now);
}

/* Whether the server has another connection of just these ends, and it is not
 * over. */
static bool taken(struct conns *conns, const struct conn *c, uint64_t now)
{
    struct conn other;
    return conns_find_back(conns, &c->back, now, &other) &&
           other.state < CLOSING;
}

/* Puts both flows, whichever is there. What the second takes may have been the
 * first's, if places are few. */
static enum conns_kept make(struct conns *conns, const struct conn *c,
                            uint64_t now)
{
    const uint64_t value = value_of(c), life = life_of(c);
    const int back = tmtu_flows_put(conns->flows, &c->back, value, life, now);
    if (back < 0)
        return CONNS_FULL;
    renew(conns->flows, back, c, now);
    const int client =
        tmtu_flows_put(conns->flows, &c->client, value, life, now);
    if (client < 0)
        tmtu_flows_remove(conns->flows, back);
    else
        renew(conns->flows, client, c, now);
    return client >= 0 && tmtu_flows_find(conns->flows, &c->back, now) >= 0
               ? CONNS_KEPT
               : CONNS_FULL;
}

enum conns_kept conns_keep(struct conns *conns, struct conn *conn,
                           const struct tmtu_pkt *pkt, bool from_server,
                           uint64_t now)
{
    int back = tmtu_flows_find(conns->flows, &conn->back, now);
    if (back >= 0 &&
        !same_ends(*tmtu_flows_value(conns->flows, back), value_of(conn))) {
        if (taken(conns, conn, now))
            return CONNS_TAKEN;
        back = -1;
    }
    conn->state = (uint8_t)next((enum state)conn->state, pkt, from_server);
    if (back < 0 || conn->place < 0)
        return make(conns, conn, now);
    *tmtu_flows_value(conns->flows, conn->place) = value_of(conn);
    renew(conns->flows, conn->place, conn, now);
    renew(conns->flows, back, conn, now);
    return CONNS_KEPT;
}

void conns_sweep(struct conns *conns, uint64_t now)
{
    if (conns->flows != NULL)
        tmtu_flows_sweep(conns->flows, 64, now);
}

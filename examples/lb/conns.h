/* SPDX-License-Identifier: MIT */
/* Connections of servers whose packets are readdressed (-m): found from both
 * ends, with their states and times. */
#ifndef LB_CONNS_H
#define LB_CONNS_H

#include <tunmtu/flows.h>
#include <tunmtu/ip.h>

#include "services.h"

struct conns {
    struct tmtu_flows *flows; /* NULL: no service needs one */
    const struct services *services;
};

/* A connection, as it was found or is to be made. */
struct conn {
    const struct service *service;
    struct server *server;
    struct tmtu_flow client; /* as its packets come: client to VIP */
    struct tmtu_flow back;   /* as they come back: server to client */
    int place;               /* of the client's flow; -1: not known yet */
    uint8_t state;           /* of conns.c */
};

/* Connections that there is room for without a word from the user. */
enum { CONNS_DEFAULT = 65536, CONNS_MOST = 50000000 };

/* The most flows that --flow-table can be given. */
enum { FLOW_TABLE_MAX = 100000000 };

/* Makes a table with room for `n` connections or more (0: CONNS_DEFAULT), if a
 * service needs one and there is none yet: `conns` is empty to begin with, or
 * gets other services. False: there is no memory. conns_free() in any case. */
bool conns_prepare(struct conns *conns, const struct services *services,
                   uint32_t n, const struct tmtu_hash_key *key);

/* A table of so many flows or more; free() ends it. NULL: there is no memory.
 */
struct tmtu_flows *conns_table(size_t flows, const struct tmtu_hash_key *key);

void conns_free(struct conns *conns);

/* Finds the connection of a packet that a client sends, or that a server does;
 * or of the packet that an ICMP error quotes. Its time is not touched. */
bool conns_find(struct conns *conns, const struct tmtu_flow *client,
                uint64_t now, struct conn *out);
bool conns_find_back(struct conns *conns, const struct tmtu_flow *back,
                     uint64_t now, struct conn *out);

/* What a connection that `pkt`, of this flow, begins would be. */
struct conn conns_plan(const struct service *service, struct server *server,
                       const struct tmtu_flow *client);

enum conns_kept {
    CONNS_KEPT,
    CONNS_FULL, /* no place for it */
    CONNS_TAKEN /* the server has a connection with just these addresses and
                   ports already, by another service */
};

/* A packet of the connection goes on its way: makes it, or renews its time, as
 * its state is from then on. */
enum conns_kept conns_keep(struct conns *conns, struct conn *conn,
                           const struct tmtu_pkt *pkt, bool from_server,
                           uint64_t now);

/* Whether a packet can belong to no new connection: it ends one. */
bool conns_ends(const struct tmtu_pkt *pkt);

/* Whether a packet of the client begins another connection between the same
 * ends, because the one that is known has ended. */
bool conns_again(const struct conn *conn, const struct tmtu_pkt *pkt);

/* Forgets some whose time is over. */
void conns_sweep(struct conns *conns, uint64_t now);

#endif

/* SPDX-License-Identifier: MIT */
/* Services with their servers and tunnels, and the server for a flow. */
#ifndef LB_SERVICES_H
#define LB_SERVICES_H

#include <stdbool.h>
#include <stdio.h>

#include <tunmtu/limit.h>
#include <tunmtu/steer.h>
#include <tunmtu/tunnel.h>

#include "rules.h"

/* How a client is told that there is no server for it. */
enum lb_refuse {
    LB_REFUSE_UNREACHABLE, /* port unreachable, as IPVS */
    LB_REFUSE_RESET,       /* TCP: a reset; others: port unreachable */
    LB_REFUSE_DROP,        /* nothing */
};

/* What the command line says about all services. */
struct services_config {
    struct tmtu_hash_key key;
    uint8_t local[2][16]; /* outer source, IPv4 and IPv6 */
    bool has_local[2];
    bool no_link;      /* nothing can be sent to a link-layer address */
    bool among;        /* this host may be one of the real servers */
    uint32_t mtu;      /* of the paths to the servers, and to clients */
    uint8_t policy[2]; /* enum tmtu_mtu_policy for IPv4 and IPv6 clients */
    uint32_t first_id; /* where IPv4 identifications begin */
    uint32_t id_step;  /* from one to the next; 0: 1 */
    struct tmtu_limit_options limit; /* of answers; size 0: none */
    uint8_t refuse;                  /* enum lb_refuse */
    bool pass;     /* ICMP errors for no service are to be given to the host */
    uint8_t relay; /* enum tmtu_relay_policy */
    uint32_t flow_table;  /* flows that there is room for; 0: none */
    uint32_t connections; /* that there is room for; 0: CONNS_DEFAULT */
};

struct server {
    struct tmtu_tunnel tunnel; /* encap.dst is its address; without a tunnel,
                                  mtu is what may go there */
    uint8_t forward;           /* enum lb_forward */
    bool inner6;               /* its service has an IPv6 address */
    uint16_t port;    /* LB_NAT: what packets' port becomes; 0: it stays */
    uint32_t id;      /* of this server in this service, for ever */
    uint32_t service; /* which one that is now */
    uint32_t weight;
    uint8_t path;    /* a hash of its address: which identifications it takes */
    uint64_t ask;    /* when to ask what its path carries; UINT64_MAX: never */
    uint64_t errors; /* about its tunnel, believed */
    uint64_t unreachable; /* of those: it cannot be reached */
    uint64_t packets;
    uint64_t bytes;    /* of inner packets */
    uint64_t returned; /* LB_NAT: packets that it sent, to clients */
    uint64_t returned_bytes;
};

struct service {
    uint8_t addr[16];
    uint16_t port;
    uint8_t proto;
    uint8_t prefix;
    bool by_port;
    struct tmtu_steer *steer;
    struct server *server;
    size_t servers;
    bool nat; /* some are LB_NAT */
};

/* Protocols that are none, for addresses alone. */
enum { SERVICES_VIP = 0, SERVICES_NAT = 255 };

/* Where services are found by address, protocol and port; and tunnels by the
 * server's address, which no service has. */
struct services_slot {
    uint8_t addr[16];
    uint16_t port;
    uint8_t proto; /* SERVICES_VIP: the address is a VIP, and with a protocol
                      for its port, one that has services of it; SERVICES_NAT:
                      a server's that packets are readdressed for */
    bool used;
    uint32_t index;
};

struct services {
    struct tmtu_hash_key key;
    struct service *service;
    size_t n;
    struct server **tunnel; /* by the index of a slot */
    uint32_t tunnels;
    struct server **by_id; /* NULL: that server is not there any more */
    uint32_t ids;
    struct services_slot *slot;
    bool copy;     /* steer belongs to another one */
    uint32_t mask; /* of slots, a power of two, less one */
    bool any_port; /* there are services for every port */
    /* Flows are placed equally where both are equal. The first does not tell
     * the key; the second is of services, servers and weights alone. */
    uint64_t key_fingerprint, rules_fingerprint;
};

/* Makes services of rules. What is wrong goes to `say`, `name:line: sentence`.
 * Returns how many errors there were; services_free() in any case. */
unsigned services_build(struct services *t, const struct rules *rules,
                        const struct services_config *config, const char *name,
                        FILE *say);

/* "fingerprint of the key 0123456789abcdef, of the rules 0123456789abcdef" */
enum { SERVICES_FINGERPRINTS = 80 };
const char *services_fingerprints(const struct services *t,
                                  char text[SERVICES_FINGERPRINTS]);

/* The services that take the place of others: who is in both keeps his number;
 * those of who has gone are not given away again. False: no memory. */
bool services_adopt(struct services *t, const struct services *before);

/* And their counters: to be called when nothing more is counted there. `t`, or
 * what it is a copy of, has adopted `before`, or what that is a copy of. */
void services_inherit(struct services *t, const struct services *before);

/* Services like others, for another balancer; they share the tables of where
 * flows go, so those that are copied are freed last. False: no memory. */
bool services_copy(struct services *t, const struct services *from);

/* The server of a number; NULL: it is not there any more. */
static inline struct server *services_by_id(const struct services *t,
                                            uint64_t id)
{
    return id < t->ids ? t->by_id[id] : NULL;
}

/* Sets what the path of a server's tunnel carries, and what DF is to be then;
 * `locked`: it may carry less. False, and no change: it is too little. */
bool services_tune(struct server *server, uint32_t mtu, bool locked);

/* Sets the MTU of the paths to the servers, once it is known. False: some
 * tunnel needs more, 68 bytes over IPv4 or 1280 over IPv6. */
bool services_set_mtu(struct services *t, uint32_t mtu);

void services_free(struct services *t);

/* Whether some service has this address. */
bool services_has_vip(const struct services *t, const uint8_t addr[16]);

/* Whether packets are readdressed (-m) for a server of this address. */
bool services_has_nat(const struct services *t, const uint8_t addr[16]);

/* The first server with the tunnel of a flow, named as it is sent; NULL: it is
 * that of none. */
struct server *services_find_tunnel(const struct services *t,
                                    const struct tmtu_flow *flow);

/* For services_build(): what is at an address, protocol and port from now on;
 * and a server with its tunnel. */
void services_put(struct services *t, const uint8_t addr[16], uint8_t proto,
                  uint16_t port, uint32_t index);
void services_put_tunnel(struct services *t, struct server *server);

/* The service at an address, protocol and port; without the port
 * (`has_port` false) only one for every port is found. */
struct service *services_find(const struct services *t, const uint8_t addr[16],
                              uint8_t proto, uint16_t port, bool has_port);

/* Some service of an address and protocol; NULL: there is none. */
struct service *services_some(const struct services *t, const uint8_t addr[16],
                              uint8_t proto);

/* What of a flow, named as its client sends it, places it. */
struct tmtu_flow services_key(const struct service *s,
                              const struct tmtu_flow *flow);

/* The hash that places a flow, named as its client sends it. */
uint64_t services_hash(const struct services *t, const struct service *s,
                       const struct tmtu_flow *flow);

/* What spreads the tunnels of flows over paths: outer flow label and UDP source
 * port (RFC 6438, RFC 8086 §3.2.1). Ports count for it even where they do not
 * for the choice of the server. `hash`: of services_hash. */
uint32_t services_spread(const struct services *t, const struct service *s,
                         const struct server *server,
                         const struct tmtu_flow *flow, uint64_t hash);

/* The server for a hash; NULL if none has a weight. */
struct server *services_pick(const struct service *s, uint64_t hash);

/* Name of a protocol that services have: "tcp", "udp" or "sctp". */
const char *services_proto_name(uint8_t proto);

#endif

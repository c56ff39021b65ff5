/* SPDX-License-Identifier: MIT */
/* A path MTU daemon without sockets and clock: a packet and the time go in,
 * copies for other hosts come out. */
#ifndef PMTUD_PMTUD_H
#define PMTUD_PMTUD_H

#include <tunmtu/owner.h>
#include <tunmtu/trust.h>

#include "args.h"
#include "rate.h"
#include "services.h"

enum pmtud_mode {
    PMTUD_BROADCAST, /* to all of the segment */
    PMTUD_STEER,     /* to the server that has the flow, in its tunnel */
    PMTUD_PEERS      /* to each of a list, in IP in IP */
};

/* What is known about how a packet came. */
enum {
    PMTUD_LINK = 0x1,       /* to and from are Ethernet addresses */
    PMTUD_GROUP = 0x2,      /* its link-layer destination is a group */
    PMTUD_OUTGOING = 0x4,   /* this host sends it */
    PMTUD_OTHER_HOST = 0x8, /* it is for another host of the segment */
    PMTUD_TUNNEL = 0x10,    /* the interface is the end of a tunnel */
    PMTUD_VLAN = 0x20       /* of a VLAN, which has an interface of its own */
};

/* A packet that came, from its IP header on. */
struct pmtud_in {
    const uint8_t *p;
    size_t n;
    uint32_t flags;
    uint8_t to[6], from[6];
};

/* What is to be sent. */
struct pmtud_out {
    const uint8_t *p;
    size_t n;
    bool frame; /* begins with an Ethernet header; else with an IP header */
};

/* What became of a packet: exactly one of these. */
enum pmtud_fate {
    PMTUD_SENT,
    PMTUD_NOT_TOO_BIG, /* another packet than "too big" */
    PMTUD_OWN,         /* the flow is of this host, whose kernel has it */
    PMTUD_COPY_GROUP,  /* a copy: the link layer's group address */
    PMTUD_COPY_TUNNEL, /* a copy: out of a tunnel */
    PMTUD_COPY_OUT,    /* this host's own */
    PMTUD_NOT_HOST,    /* for another host */
    PMTUD_NOT_VLAN,    /* for another interface */
    PMTUD_DROPPED,     /* for an enum tmtu_reason */
    PMTUD_DOUBTED,     /* for an enum tmtu_trust_doubt */
    PMTUD_FRAGMENT,    /* of an error: cannot be verified */
    PMTUD_BAD_MTU,     /* no link has it: below 68, 0 included, or over 16384 */
    PMTUD_NOT_STRICT,  /* --strict: not from 576 to 1499 */
    PMTUD_NOT_PORT,    /* --ports: not from one of them */
    PMTUD_NO_PORTS,    /* --ports: the quote ends before, or has none */
    PMTUD_NOT_SERVED,  /* steering: no service has the flow */
    PMTUD_NO_SERVER,   /* steering: no server of the service has a weight */
    PMTUD_DUPLICATE,   /* told a moment ago */
    PMTUD_SRC_RATE,    /* too many of this router */
    PMTUD_IFACE_RATE,  /* too many */
    PMTUD_FULL,        /* too many routers at a time to count each */
    PMTUD_FATES
};

/* Bits of enum tmtu_trust_doubt. */
enum { PMTUD_DOUBTS = 16 };
_Static_assert(TMTU_TRUST_ALL >> PMTUD_DOUBTS == 0, "a counter for each");

struct pmtud_config {
    uint8_t mode; /* enum pmtud_mode */
    bool strict;
    bool use_src;            /* frames come from the original's source */
    bool by_port;            /* `ports` counts */
    uint64_t ports[1024];    /* a bit for each */
    double src_rate;         /* errors a second, of one router */
    double iface_rate;       /* of all */
    uint64_t duplicate;      /* nanoseconds in which none is repeated */
    uint8_t mac[6];          /* of the interface, where the original has none */
    struct args_addrs vips;  /* whose packets can be quoted; none: any */
    struct args_addrs peers; /* PMTUD_PEERS */
    struct services *services;  /* PMTUD_STEER; they live as long as this */
    uint8_t local[2][16];       /* this end of tunnels, IPv4 and IPv6 */
    struct tmtu_hash_key table; /* nobody else's */
    uint32_t first_id;          /* where IPv4 identifications begin */
};

struct pmtud_counters {
    uint64_t in, in_bytes;
    uint64_t out, out_bytes;      /* copies */
    uint64_t fate[PMTUD_FATES];   /* their sum is `in` */
    uint64_t drop[TMTU_REASONS];  /* PMTUD_DROPPED, by reason */
    uint64_t doubt[PMTUD_DOUBTS]; /* PMTUD_DOUBTED, by the first doubt */
    uint64_t by_address; /* PMTUD_SENT to the server that is likely, see note */
    uint64_t left_out;   /* peers that a copy was too large for, or too old */
};

/* What became of the last packet, for who wants to tell. */
struct pmtud_note {
    uint8_t fate;                /* enum pmtud_fate */
    uint8_t reason;              /* of PMTUD_DROPPED */
    uint8_t doubt;               /* of PMTUD_DOUBTED: which bit */
    bool error;                  /* it is "too big"; what follows is set */
    uint32_t mtu;                /* that it claims */
    struct tmtu_flow quoted;     /* as it was sent */
    uint8_t reporter[16];        /* who says so */
    const struct server *server; /* PMTUD_STEER; NULL: none was chosen */
    bool by_address; /* the quote has no ports, and the service goes by them */
};

struct pmtud {
    const struct pmtud_config *config;
    struct tmtu_tunnel *peer;
    size_t peers;
    struct rate src, iface;
    uint64_t iface_since;
    struct rate_table sources, told;
    uint32_t id;
    uint8_t *memory; /* one copy */
    struct pmtud_note note;
    struct pmtud_counters counters;
    /* What pmtud_give has still to do. */
    struct tmtu_pkt pkt;
    struct pmtud_in in;
    uint32_t hash;
    size_t next, last; /* copies */
};

/* Makes one of a configuration that lives as long as it does. False: there is
 * no memory, or a peer cannot be reached from config.local, which `why` names:
 * it is NULL else. pmtud_free() in any case. */
bool pmtud_init(struct pmtud *d, const struct pmtud_config *config,
                const uint8_t **why);
void pmtud_free(struct pmtud *d);

/* Takes a packet and decides. Its bytes are referred to until pmtud_give has
 * returned 0. `now`: nanoseconds that do not go back. */
enum pmtud_fate pmtud_take(struct pmtud *d, const struct pmtud_in *in,
                           uint64_t now);

/* The next copy to send, good until the next call. Returns 1, or 0: there are
 * no more. */
int pmtud_give(struct pmtud *d, struct pmtud_out *out);

/* A fate's name, fit for a counter; NULL for PMTUD_DROPPED and PMTUD_DOUBTED,
 * whose reasons have names. */
const char *pmtud_fate_name(int fate);

#endif

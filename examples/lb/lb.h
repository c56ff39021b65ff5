/* SPDX-License-Identifier: MIT */
/* A load balancer without sockets and clock: a packet and the time go in,
 * packets to send come out. */
#ifndef LB_LB_H
#define LB_LB_H

#include <pthread.h>

#include <tunmtu/follow.h>
#include <tunmtu/frag.h>
#include <tunmtu/io.h>
#include <tunmtu/pmtu.h>
#include <tunmtu/reass.h>
#include <tunmtu/relay.h>
#include <tunmtu/segment.h>
#include <tunmtu/trust.h>

#include "conns.h"
#include "services.h"

/* What became of a packet that came in: exactly one of these. */
enum lb_fate {
    LB_FORWARDED,   /* to a server, whole or in outer fragments */
    LB_HELD,        /* a fragment, kept until the others are there */
    LB_NOT_SERVED,  /* for nobody here */
    LB_ICMP_TUNNEL, /* an ICMP error about one of our tunnels: ours */
    LB_DROPPED,     /* for an enum tmtu_reason */
    LB_NO_SERVER,   /* no server of the service has a weight */
    /* of servers that packets are readdressed for (-m) */
    LB_RETURNED,      /* from a server, to its client */
    LB_STRAY,         /* from a server, and of no connection: for the host */
    LB_NO_CONNECTION, /* about no connection, or the end of none */
    LB_TABLE_FULL,    /* a new connection, and no place for it */
    LB_TAKEN,         /* a new connection, which the server could not tell from
                         another one */
    LB_FATES
};

/* What was answered. */
enum lb_answer {
    LB_NO_ANSWER,
    LB_TOO_BIG,
    LB_TTL_EXPIRED,
    LB_REASSEMBLY_EXPIRED,
    LB_PORT_UNREACHABLE, /* the service has no server */
    LB_PARAMETER_PROBLEM,
    LB_RESET,   /* instead of port unreachable */
    LB_RELAYED, /* what an error about our tunnel means to the client */
    LB_ANSWERS
};

/* What ICMP errors about served flows say. */
enum lb_icmp {
    LB_ICMP_TOO_BIG,
    LB_ICMP_UNREACHABLE,
    LB_ICMP_PROHIBITED, /* the same, and somebody wants it so: codes 9, 10, 13;
                           ICMPv6 1, 5, 6 */
    LB_ICMP_EXPIRED,
    LB_ICMP_PARAMETER,
    LB_ICMP_KINDS
};

/* Bits of enum tmtu_trust_doubt. */
enum { LB_DOUBTS = 16 };
_Static_assert(TMTU_TRUST_ALL >> LB_DOUBTS == 0, "a counter for each doubt");

struct lb_counters {
    uint64_t in, in_bytes; /* packets, and bytes of them */
    uint64_t out, out_bytes;
    uint64_t fate[LB_FATES]; /* their sum is `in`, once lb_give returned 0 */
    uint64_t drop[TMTU_REASONS];  /* LB_DROPPED, by reason */
    uint64_t icmp[LB_ICMP_KINDS]; /* LB_FORWARDED ICMP errors */
    uint64_t passed;              /* LB_NOT_SERVED, given to the host */
    uint64_t icmp_returned;       /* LB_RETURNED ones */
    uint64_t by_address;          /* of these, chosen by addresses alone */
    uint64_t cut;                 /* LB_FORWARDED in fragments */
    uint64_t fragments;           /* how many of those */
    uint64_t answered[LB_ANSWERS];
    uint64_t doubted[LB_DOUBTS];        /* LB_ICMP_TUNNEL, not believed */
    uint64_t not_relayed[TMTU_REASONS]; /* LB_ICMP_TUNNEL, believed, but not
                                           told */
    uint64_t unanswered[TMTU_REASONS];  /* an answer was due, but forbidden
                                           or too much */
};

/* What became of the last packet, for who wants to tell. */
struct lb_note {
    uint8_t fate;   /* enum lb_fate */
    uint8_t reason; /* enum tmtu_reason of LB_DROPPED; of LB_ICMP_TUNNEL: why
                       it is not relayed */
    uint8_t unanswered; /* enum tmtu_reason; TMTU_OK: no answer was due, or it
                           was given */
    bool icmp;          /* an ICMP error about a served flow */
    uint8_t icmp_kind;  /* enum lb_icmp, if it is one */
    uint32_t doubts;    /* enum tmtu_trust_doubt of LB_ICMP_TUNNEL; 0: it is
                           believed */
    bool broken;        /* an ICMP error, dropped because of its checksum */
    bool by_address;    /* the server is chosen by addresses, but the flow's by
                           ports: it may be another one */
    bool answered;
    uint8_t answer; /* enum lb_answer, if it was */
    unsigned fragments;
    uint32_t mtu; /* told in the answer; 0 if it is another one */
    const struct server *server; /* NULL: none was chosen */
};

/* What lb_give has still to do with the packet that lb_take has got. */
struct lb_work {
    uint8_t answer; /* enum lb_answer: send `error` about it, or a reset */
    bool pass;      /* give it to the host */
    bool send;      /* send it to `server` */
    bool entered;   /* it is in its tunnel already */
    bool cut;       /* send it in fragments; `frag` says how far, once begun */
    bool begun;
    bool own;  /* it is in lb.memory, which is used again */
    bool back; /* it comes from `server` and goes to its client */
    struct tmtu_icmp_error error;
    struct server *server;
    uint32_t hash;       /* of its flow */
    struct tmtu_buf buf; /* the packet */
    struct tmtu_pkt pkt; /* as parsed from it */
    struct tmtu_frag frag;
    bool super; /* `segment` may have more to send; `pkt` is its last one */
    bool cwr;   /* see TMTU_IO_GSO_CWR */
    struct tmtu_segment segment;
};

/* What was learnt of a path, for other balancers of the same servers. */
struct lb_news {
    uint8_t addr[16]; /* of the server */
    uint64_t time;    /* when */
    struct tmtu_pmtu_error error;
};

/* News that one burst can bring; what is more than that, each finds out. */
enum { LB_NEWS = 8 };

/* Counters of identifications; destinations share them, as in Linux. */
enum { LB_IDS = 256 };

struct lb {
    struct services *services;
    uint8_t local[2][16]; /* our tunnels' ends; all zero: none */
    uint32_t mtu;         /* of the way back to clients */
    uint8_t refuse;       /* enum lb_refuse */
    bool pass;            /* the host gets what we do not give it: TUN */
    uint32_t id_step;     /* from one identification to the next */
    uint16_t answer_id;   /* IPv4 identification of the next answer */
    uint32_t id[LB_IDS];  /* identifications of outer packets: one sequence for
                             all services of a server, see server.path */
    struct tmtu_reass *reass;
    struct tmtu_follow *follow; /* of quoted fragments */
    struct tmtu_flows *flows;   /* and their servers; NULL: by hash alone */
    struct lb *peer;            /* the next of a ring of those that have other
                                   queues, on other threads; NULL: none */
    pthread_mutex_t flows_lock; /* if there is one, which asks */
    struct lb_news news[LB_NEWS];
    unsigned learnt;        /* news */
    struct tmtu_pmtu *pmtu; /* of the paths to servers */
    size_t paths;           /* that there is room for in it */
    struct tmtu_relay_options relay;
    struct tmtu_limit *limit; /* of answers; NULL: none */
    struct conns conns;
    uint64_t now;    /* of the last packet */
    uint8_t *memory; /* one reassembled packet */
    const uint8_t
        *via; /* of what lb_give gave: tmtu_io_packet.via; NULL: none */
    struct lb_work work;
    struct lb_note note;
    struct lb_counters counters;
};

/* Makes a balancer for services that live as long as it does. False: there is
 * no memory. lb_free() in any case. */
bool lb_init(struct lb *lb, struct services *services,
             const struct services_config *config);

/* Makes room for what other services need. False: there is no memory, and all
 * is as it was. */
bool lb_prepare(struct lb *lb, const struct services *services,
                const struct services_config *config);

/* Between two packets: these services, which it is prepared for, take the place
 * of those that there were, which they have adopted. */
void lb_adopt(struct lb *lb, struct services *services);

/* Between two packets: sets the MTU of the paths to servers and clients; what
 * was learnt of them still holds. False, and no change: some tunnel needs more.
 */
bool lb_set_mtu(struct lb *lb, uint32_t mtu);

void lb_free(struct lb *lb);

/* Nobody else touches its flows meanwhile. */
void lb_hold(struct lb *lb);
void lb_release(struct lb *lb);

/* Takes the news that there are; returns how many. */
unsigned lb_news(struct lb *lb, struct lb_news news[LB_NEWS]);

/* Learns what another one has learnt, by the same clock. */
void lb_hear(struct lb *lb, const struct lb_news *news);

/* Takes a packet and decides. It is referred to, and written to, until lb_give
 * has returned 0. `now`: nanoseconds that do not go back. */
void lb_take(struct lb *lb, const struct tmtu_io_packet *in, uint64_t now);

/* The next packet to send. `out` is empty, with room for headroom and a packet
 * of the path's MTU or of 1280 bytes, whichever is more; it becomes that
 * packet, there or, when it could be changed in place, where lb_take got it.
 * Returns 1, or 0 when there is nothing left to send. */
int lb_give(struct lb *lb, struct tmtu_buf *out);

/* Gives up one packet whose fragments did not come in time, and answers that,
 * as lb_give. Returns 1: something is in `out`; 0: none is due. */
int lb_expire(struct lb *lb, uint64_t now, struct tmtu_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
/* The near end of a tunnel without sockets and clock: packets go in, tunnel
 * packets come out, and what their paths carry is remembered. */
#ifndef TMTU_LAB_TUNNEL_H
#define TMTU_LAB_TUNNEL_H

#include <stdbool.h>
#include <tunmtu/frag.h>
#include <tunmtu/pmtu.h>
#include <tunmtu/tunnel.h>

/* The caller's number of the tunnel that packets enter here. */
enum { LAB_TUNNEL = 1 };

/* What became of a packet: exactly one of these. */
enum tunnel_fate {
    TUNNEL_SENT,     /* it is in `buf`, in the tunnel */
    TUNNEL_CUT,      /* the same, in fragments: see `frag` */
    TUNNEL_ANSWERED, /* dropped; the answer is in `buf` */
    TUNNEL_DROPPED,  /* dropped without an answer: see `reason` */
    TUNNEL_LEARNT,   /* an error about a tunnel packet: known from now on */
    TUNNEL_NOT_OURS, /* something else that came to the tunnel's end */
    TUNNEL_FATES
};

struct tunnel {
    struct tmtu_tunnel end;
    struct tmtu_pmtu *pmtu;
    uint32_t link_in, link_out; /* MTU of the device of the tunnel, and of what
                                   carries it */
    bool shared; /* paths are keyed by their destination alone, as they should
                    not be */
    uint32_t id; /* of the next tunnel packet */
    enum tmtu_reason reason;      /* of the last packet that was dropped */
    enum tmtu_pmtu_chain chain;   /* what was found wrong with the last packet's
                                     paths */
    struct tmtu_pmtu_path learnt; /* the path whose MTU fell with the last
                                     packet, if mtu is not 0 */
    uint32_t mtu;
    struct tmtu_frag frag; /* of the last packet that was cut */
    uint64_t fate[TUNNEL_FATES];
    uint64_t drop[TMTU_REASONS];
};

/* Where to begin, with `end` described by the caller. False: it makes no
 * tunnel, or there is no memory. */
bool tunnel_init(struct tunnel *t);

void tunnel_free(struct tunnel *t);

/* A packet that wants in; `now` in nanoseconds. */
enum tunnel_fate tunnel_enter(struct tunnel *t, struct tmtu_buf *buf,
                              uint64_t now);

/* A packet that came to the tunnel's end from what carries it. */
enum tunnel_fate tunnel_hear(struct tunnel *t, const struct tmtu_buf *buf,
                             uint64_t now);

#endif

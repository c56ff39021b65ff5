/* SPDX-License-Identifier: MIT */
/* A router without sockets and clock, whose next link can shrink, and who
 * quotes as little of a packet as it is told to. */
#ifndef TMTU_HOP_H
#define TMTU_HOP_H

#include <stdbool.h>
#include <tunmtu/frag.h>
#include <tunmtu/limit.h>

/* What became of a packet: exactly one of these. */
enum hop_fate {
    HOP_FORWARDED,  /* it is in `buf`, its TTL one less */
    HOP_CUT,        /* the same, in fragments: see `frag` */
    HOP_TOO_BIG,    /* dropped; the answer is in `buf` */
    HOP_EXPIRED,    /* the same, for its TTL */
    HOP_DROPPED,    /* dropped without an answer: see `reason` */
    HOP_NOT_ROUTED, /* of this host itself, of the link, or of a group */
    HOP_FATES
};

struct hop {
    uint8_t address[2][16];   /* its own, IPv4 and IPv6 */
    bool has[2];              /* which of them; no other family is routed */
    uint16_t quote[2];        /* bytes of an offender that it quotes; 0: as many
                                 as the RFCs ask for */
    uint16_t id;              /* of the next answer */
    uint32_t frag_id;         /* of the next packet that is cut and has none */
    struct tmtu_limit *limit; /* of answers, but "too big" */
    struct tmtu_frag frag;    /* of the last packet that was cut */
    enum tmtu_reason reason;  /* of the last packet that was dropped */
    uint64_t fate[HOP_FATES]; /* counted */
    uint64_t drop[TMTU_REASONS]; /* of HOP_DROPPED */
};

/* Where to begin: no address, and quotes as the RFCs want them. False: there
 * is no memory. */
bool hop_init(struct hop *hop);

void hop_free(struct hop *hop);

/* One packet on its way to a link of `mtu` bytes; `now` in nanoseconds. */
enum hop_fate hop_pass(struct hop *hop, struct tmtu_buf *buf, uint32_t mtu,
                       uint64_t now);

#endif

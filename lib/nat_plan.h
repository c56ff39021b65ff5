/* SPDX-License-Identifier: MIT */
/* What is rewritten in one IP packet, live or quoted. */
#ifndef TMTU_NAT_PLAN_H
#define TMTU_NAT_PLAN_H

#include <tunmtu/nat.h>

/* Offsets from its first byte; 0: there is nothing to write. */
struct nat_plan {
    uint32_t addr;
    uint32_t port;  /* or identifier */
    uint32_t check; /* the transport checksum, */
    uint32_t crc;   /* or SCTP's */
    uint8_t side;
    uint8_t pseudo; /* the checksum covers addresses */
    uint8_t none;   /* 0 means that there is no checksum */
};

static inline struct nat_plan nat_plan(unsigned side)
{
    const struct nat_plan none = {0, 0, 0, 0, (uint8_t)side, 0, 0};
    return none;
}

static inline int nat_same_addr(const struct tmtu_pkt *pkt, unsigned side,
                                const struct tmtu_nat *nat)
{
    return tmtu_addr_equal(side == TMTU_NAT_SRC ? pkt->flow.src : pkt->flow.dst,
                           nat->from.addr);
}

/* Whether the caller's value makes sense: 0 or TMTU_E_ARGUMENT. */
TMTU_LOCAL int tmtu_nat_check(const struct tmtu_nat *nat);

/* Whether that end of the packet is the one to be rewritten. */
TMTU_LOCAL int tmtu_nat_same_end(const struct tmtu_pkt *pkt, unsigned side,
                                 const struct tmtu_nat *nat);

/* Fills in the plan, of which the side is there, for the packet that is now at
 * `ip`; negative: it cannot be rewritten, see tmtu_nat_packet. */
TMTU_LOCAL int tmtu_nat_look(const uint8_t *ip, const struct tmtu_pkt *pkt,
                             const struct tmtu_nat *nat, int quoted,
                             struct nat_plan *plan);

/* Writes all that was planned, into a packet whose data has already grown by
 * `inner`; returns what all that adds to a sum over it. */
TMTU_LOCAL uint32_t tmtu_nat_write(uint8_t *ip, struct tmtu_pkt *pkt,
                                   const struct tmtu_nat *nat,
                                   const struct nat_plan *plan, uint32_t inner);

#endif

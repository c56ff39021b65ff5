/* SPDX-License-Identifier: MIT */
/* One off the TTL: inline, for who forwards and encapsulates in one step. */
#ifndef TMTU_HOP_H
#define TMTU_HOP_H

#include <tunmtu/ip.h>

#include "wire.h"

/* What tmtu_ip_hop does with a packet at `ip` whose TTL is more than 1. */
static inline void ip_hop(uint8_t *ip, struct tmtu_pkt *pkt)
{
    const uint8_t ttl = (uint8_t)(pkt->ttl - 1);
    pkt->ttl = ttl;
    if (pkt->flow.ipver == 6) {
        ip[W_IP6_HOPS] = ttl;
        return;
    }
    /* RFC 1624: the word of the TTL has become 0x100 less. */
    const uint32_t check = tmtu_get16(ip + W_IP4_CHECK) + 0x100u;
    ip[W_IP4_TTL] = ttl;
    tmtu_put16(ip + W_IP4_CHECK, (uint16_t)(check + (check >= 0xffffu)));
}

#endif

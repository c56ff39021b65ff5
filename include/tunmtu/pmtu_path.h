/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What can be said of a path and its MTU before any was learnt: its name, the
 * paths that one packet takes, and what a router means that tells no MTU.
 *
 * A path is named by its source, its destination and the tunnel that it enters.
 * So a tunnel, and what it rides on, never share an entry, even when both lead
 * to one host; sharing, each would take the other's MTU for its own, less its
 * headers, until nothing is left.
 */
#ifndef TUNMTU_PMTU_PATH_H
#define TUNMTU_PMTU_PATH_H

#include <tunmtu/flow.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A path: 36 bytes without padding. It is of the family of its destination. */
struct tmtu_pmtu_path {
    uint8_t src[16]; /**< who sends; all zero where that does not count */
    uint8_t dst[16]; /**< to whom; addresses as in struct tmtu_flow */
    uint32_t tunnel; /**< the tunnel it enters here, the caller's number; 0:
                          none, packets go out as they are */
};

/** The path of a packet, or of one that was quoted: ports, DSCP and ECN do not
 *  count (K101, K104). */
static inline struct tmtu_pmtu_path tmtu_pmtu_path(const struct tmtu_flow *flow,
                                                   uint32_t tunnel)
{
    struct tmtu_pmtu_path path;
    tmtu_copy(path.src, flow->src, 16);
    tmtu_copy(path.dst, flow->dst, 16);
    path.tunnel = tunnel;
    return path;
}

/**
 * The MTU to guess when an IPv4 router says "too big" and not how much: the
 * next plateau below the quoted packet's length, at least 68 (RFC 1191 §5, §7).
 * Routers of 4.2BSD's family add the header's length to it. When the length is
 * not below the current MTU it may be one of theirs, and it is taken off again.
 *
 * @param length  total length of the quoted packet
 * @param header  bytes of its header
 * @param current the path's MTU so far
 */
TMTU_API uint32_t tmtu_pmtu_plateau(uint32_t length, uint32_t header,
                                    uint32_t current);

/** The plateau above @p mtu, but not above @p link (RFC 1191 §7). */
TMTU_API uint32_t tmtu_pmtu_plateau_up(uint32_t mtu, uint32_t link);

/** What is wrong with a chain of paths. */
enum tmtu_pmtu_chain {
    TMTU_PMTU_CHAIN_OK = 0,     /**< nothing */
    TMTU_PMTU_CHAIN_SHARED = 1, /**< the same path twice, as its name says: one
                                     entry for a tunnel and what carries it;
                                     their MTU would fall without end */
    TMTU_PMTU_CHAIN_RECURSIVE = 2 /**< the same tunnel twice: its packets are
                                       routed into itself */
};

/**
 * Looks at the paths that one packet takes, one inside of the other: first that
 * of the packet as it was sent, then that of the tunnel packet it is in, and so
 * on, out to what is on the wire. To be asked when a route or a tunnel is set
 * up. A tunnel whose far end is reached through the tunnel itself by others,
 * while its own packets go another way, is in order.
 */
TMTU_API enum tmtu_pmtu_chain
tmtu_pmtu_chain(const struct tmtu_pmtu_path *paths, size_t n);

#ifdef __cplusplus
}
#endif
#endif

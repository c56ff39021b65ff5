/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An error about our own tunnel packet, turned into an error for the sender of
 * the packet inside, or into what to remember (RFC 2003 §4, RFC 2473 §8, RFC
 * 4213 §3.4).
 *
 * The inner packet is quoted as it went into the tunnel: its TTL is the one
 * that this end has lowered, and is not put back.
 */
#ifndef TUNMTU_RELAY_H
#define TUNMTU_RELAY_H

#include <tunmtu/pmtu.h>
#include <tunmtu/tunnel.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is done with an error about a tunnel packet. */
enum tmtu_relay_policy {
    TMTU_RELAY_BOTH = 0,  /**< learn from it, and tell the inner sender */
    TMTU_RELAY_STATE = 1, /**< learn alone: the inner sender hears of it when it
                               sends too much again (R-TUN-04) */
    TMTU_RELAY_TELL = 2   /**< tell the inner sender, learn nothing */
};

/** How the RFCs leave it open, or Linux differs: bits, to be ORed. */
enum tmtu_relay_flag {
    TMTU_RELAY_LOCAL = 0x01, /**< inner destinations are on this end's own
                                  network, as a VIP is: network unreachable
                                  becomes host unreachable (R-2003-15) */
    TMTU_RELAY_SAME = 0x02,  /**< IPv4 in IPv4: "unreachable" and "time
                                  exceeded" keep type and code, parameter
                                  problems are not relayed (K62, K80) */
    TMTU_RELAY_KNOWN = 0x04, /**< the MTU told is of what was known before,
                                  tunnel.mtu.path_mtu, alone: a stale first
                                  answer, or none (K74) */
    TMTU_RELAY_LOW = 0x08,   /**< an MTU of 68 and the overhead, or less, is
                                  told as it is, the overhead not taken off
                                  (K77) */
    TMTU_RELAY_4IN4 = 0x10   /**< other family pairs are neither relayed nor
                                  learnt from (K85, K86) */
};

/** The weaknesses of Linux's IPVS, all of them. */
#define TMTU_RELAY_IPVS                                                        \
    (TMTU_RELAY_SAME | TMTU_RELAY_KNOWN | TMTU_RELAY_LOW | TMTU_RELAY_4IN4)

/** How to relay; begin with TMTU_RELAY_INIT. */
struct tmtu_relay_options {
    size_t size;     /**< of this struct, for versions to come */
    uint32_t floor4; /**< what an IPv4 router says is taken for at least this
                          many bytes, at least 68: give what
                          tmtu_pmtu_options.floor4 has (R-4301-04) */
    uint8_t policy;  /**< enum tmtu_relay_policy */
    uint8_t flags;   /**< enum tmtu_relay_flag */
};

/** A floor of 552, learn and tell, as the RFCs say. */
#define TMTU_RELAY_INIT                                                        \
    {                                                                          \
        sizeof(struct tmtu_relay_options), 552, TMTU_RELAY_BOTH, 0             \
    }

/** What to do about an error. */
struct tmtu_relay {
    struct tmtu_pmtu_error learn; /**< with learns: what to give to
                                       tmtu_pmtu_learn, for the path of the
                                       quoted tunnel packet */
    uint8_t learns;               /**< nonzero: there is something to learn */
    uint8_t reason;        /**< enum tmtu_reason: why nothing is told; TMTU_OK:
                                send error */
    uint16_t overhead;     /**< bytes in front of the inner packet; 0: not read,
                                and inner means nothing */
    struct tmtu_pkt inner; /**< the inner packet, as quoted */
    struct tmtu_icmp_error error; /**< what to tell its sender, for
                                       tmtu_icmp_build about inner; kind 0:
                                       nothing */
};

/**
 * Reads an error about a packet of @p tunnel.
 *
 * A "too big" is learnt from, if it quotes this tunnel's headers as far as they
 * are there, and claims less than what it quotes (which was over 65,535 bytes
 * if it does not tell its length, see tmtu_pkt.have). It is told to the inner
 * sender when that can do something about it: the MTU is the router's, but not
 * more than mtu.path_mtu, less the overhead of the quoted packet, at least 68
 * (IPv4) or 1280 (IPv6); the inner packet tells that it is longer than that,
 * and IPv4 has DF. Else the tunnel, having learnt, answers or fragments what
 * comes next (tmtu_tunnel_enter). Where an IPv4 router does not tell the MTU,
 * it is guessed (tmtu_pmtu_plateau); an IPv6 router that tells less than 1280
 * is not believed (RFC 8201 §4, TMTU_R_MTU_FLOOR).
 *
 * Other errors say that the tunnel does not work, which the inner sender gets
 * to know as "unreachable", whoever of the families is inside:
 *
 *     outer ICMPv4                  inner IPv4               inner IPv6
 *     3/0 3/2 3/6 3/11              3/0 (LOCAL: 3/1)         1/3
 *     3/1 3/7-10 3/12-15            3/1                      1/3
 *     11/0                          3/1                      1/3
 *     12/0 12/2 in the inner packet 12, pointer into it      1/3
 *     12/0 12/2 at a copied TOS     12, pointer 1            1/3
 *     outer ICMPv6
 *     1, any code; 3/0              3/1                      1/3
 *     4/0 at an encapsulation
 *     limit of 0                    3/1                      1/3
 *
 * Never told: 3/3, 3/5, source quench, redirect (RFC 2003 §4.1 to §4.3), other
 * parameter problems, which are this end's own fault, and fragments that did
 * not come together in time (11/1, 3/1 of ICMPv6).
 *
 * Whether the error may be believed is another question (trust.h), to be asked
 * before. Who forges one chooses the inner packet, and who gets to hear of it
 * from whom: see that it is one that goes this way, by its destination at
 * least, before telling. How many are told is a third question (limit.h).
 *
 * @param icmp    the error, as tmtu_icmp_parse read it
 * @param tunnel  the tunnel end whose packet it seems to quote, checked;
 *                mtu.path_mtu is what is known of its path
 * @param options how to relay
 * @param out     receives what to do. Before error is built, id and src may be
 *                set: without src the inner destination speaks, such as a VIP
 *                (K56). Where from is TMTU_ICMP_FROM_SRC, the inner destination
 *                is one that cannot speak, and src must be set.
 * @retval 0               @p out is filled
 * @retval TMTU_E_IGNORED  what is quoted is not of this tunnel (K82, K83, K84)
 * @retval TMTU_E_ARGUMENT unknown size, policy or flags, or a floor below 68
 *
 * On failure @p out is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_relay_read(const struct tmtu_icmp *icmp, const struct tmtu_tunnel *tunnel,
                const struct tmtu_relay_options *options,
                struct tmtu_relay *out);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One tunnel end: what to do with a packet that wants in, or that came out.
 */
#ifndef TUNMTU_TUNNEL_H
#define TUNMTU_TUNNEL_H

#include <tunmtu/encap.h>
#include <tunmtu/icmp.h>
#include <tunmtu/mtu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What tmtu_tunnel_check works out, so that tmtu_tunnel_send need not for each
 *  packet. Not for the caller. */
struct tmtu_tunnel_quick {
    uint32_t sum;     /**< of the outer IPv4 header's constant words */
    uint32_t ports;   /**< UDP's, its source port 0 if the flow chooses it */
    uint32_t word[2]; /**< behind UDP's or the outer header, in front of IPv4
                           and IPv6; 0: nothing is */
    uint8_t head;     /**< overhead; 0: there is no quick way */
    uint8_t proto;    /**< in the outer header; 0: as the inner version says */
    uint8_t df_and;   /**< which of the packet's flags become the outer DF */
    uint8_t df_or;    /**< nonzero: DF is always set */
};

/** A tunnel end; begin with TMTU_TUNNEL_INIT. */
struct tmtu_tunnel {
    size_t size;             /**< of this struct, for versions to come */
    struct tmtu_encap encap; /**< its headers; src is this end */
    struct tmtu_mtu mtu;     /**< what it carries; overhead and outer version
                                  are filled in by tmtu_tunnel_check */
    uint8_t host;            /**< nonzero: packets come from this host itself,
                                  their TTL is not touched (RFC 2003 §3.1) */
    struct tmtu_tunnel_quick quick; /**< filled in by tmtu_tunnel_check */
};

/** Forwarding into IP in IP, a path of 1500 bytes, notify. */
#define TMTU_TUNNEL_INIT                                                       \
    {                                                                          \
        sizeof(struct tmtu_tunnel), TMTU_ENCAP_INIT, TMTU_MTU_INIT, 0,         \
        {                                                                      \
            0, 0, {0, 0}, 0, 0, 0, 0                                           \
        }                                                                      \
    }

/** What to do with a packet. */
enum tmtu_tunnel_action {
    TMTU_TUNNEL_SEND = 0, /**< tmtu_tunnel_push, then send it */
    TMTU_TUNNEL_CUT = 1,  /**< tmtu_tunnel_push, then send it in fragments of
                               path_mtu bytes (tmtu_frag_init, forced) */
    TMTU_TUNNEL_DROP = 2  /**< drop it, for the reason given */
};

/** What to do with a packet, and what to tell its sender. */
struct tmtu_verdict {
    uint32_t info;  /**< of the answer: the next-hop MTU, or 0 */
    uint8_t action; /**< enum tmtu_tunnel_action */
    uint8_t reason; /**< enum tmtu_reason: why it is dropped; TMTU_OK if not */
    uint8_t answer; /**< enum tmtu_icmp_kind of the error to send; 0: none */
    uint8_t silent; /**< enum tmtu_reason: why no answer although one was due;
                         TMTU_OK if none was */
};

/**
 * Checks a tunnel end that a user described, and fills in mtu.overhead,
 * mtu.outer and quick. Of a tunnel that has been checked, only mtu.path_mtu and
 * mtu.policy may change without checking it again.
 *
 * @retval 0               it can be used
 * @retval TMTU_E_ARGUMENT see tmtu_encap_check; or an unknown size or policy,
 *                         or a path MTU below 68 (IPv4) or 1280 (IPv6) or over
 *                         65535
 */
TMTU_API TMTU_MUST_CHECK int tmtu_tunnel_check(struct tmtu_tunnel *tunnel);

/**
 * A packet wants in: decides, and changes nothing.
 *
 * In this order: loop (RFC 2003 §3.3, RFC 2473 §4.1.2), TTL (a packet that dies
 * earns no "too big": K35, RFC 1812 §5.2.1), size (mtu.h). The answer is what
 * tmtu_icmp_may_send allows; sending it, from which address and how often, is
 * the caller's.
 *
 * What it says of a super-packet (gso_size) it says once for all of its
 * segments: cut it first (segment.h), then push each of them.
 *
 * @param tunnel a tunnel end that tmtu_tunnel_check accepted
 * @param pkt    the packet, parsed
 * @param out    receives what to do
 */
TMTU_API void tmtu_tunnel_enter(const struct tmtu_tunnel *tunnel,
                                const struct tmtu_pkt *pkt,
                                struct tmtu_verdict *out);

/**
 * Does what TMTU_TUNNEL_SEND and TMTU_TUNNEL_CUT ask for: takes one off the
 * inner TTL, unless the packet is this host's own, and pushes the tunnel's
 * headers.
 *
 * @param buf    the inner packet
 * @param pkt    as parsed from @p buf; its TTL follows
 * @param tunnel a tunnel end that tmtu_tunnel_check accepted
 * @param each   identification and hash, see encap.h
 * @retval 0 @p buf is the outer packet; else as tmtu_encap_push, or
 *         TMTU_E_FORBIDDEN: its TTL is used up. Then nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_tunnel_push(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                 const struct tmtu_tunnel *tunnel,
                 const struct tmtu_encap_each *each);

/**
 * A packet wants in, and nearly always just goes: tmtu_tunnel_enter, and when
 * all there is to do is TMTU_TUNNEL_SEND, tmtu_tunnel_push, in one step.
 *
 * @param buf    the inner packet
 * @param pkt    as parsed from @p buf, and no super-packet; its TTL follows
 * @param tunnel the tunnel end, checked
 * @param each   identification and hash, see encap.h
 * @param out    what to do, if it is anything else
 * @retval 1 @p buf is the outer packet: send it; @p out means nothing
 * @retval 0 nothing was done yet: @p out says what to do
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_tunnel_send(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                 const struct tmtu_tunnel *tunnel,
                 const struct tmtu_encap_each *each, struct tmtu_verdict *out);

#ifdef __cplusplus
}
#endif
#endif

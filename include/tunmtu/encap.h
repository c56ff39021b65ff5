/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tunnel headers: pushed and pulled, and how long they are.
 */
#ifndef TUNMTU_ENCAP_H
#define TUNMTU_ENCAP_H

#include <tunmtu/ip.h>
#include <tunmtu/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Headroom that every kind of tunnel is content with, in bytes. */
#define TMTU_ENCAP_HEADROOM 64

/** What stands between the outer IP header and the inner one. */
enum tmtu_encap_kind {
    TMTU_ENCAP_IPIP = 0 /**< nothing: protocol 4 or 41 (RFC 2003, 2473, 4213) */
};

/** Don't-fragment of an outer IPv4 header. */
enum tmtu_encap_df {
    TMTU_DF_COPY = 0, /**< as inner IPv4; clear over IPv6 (RFC 2003 §3.1; RFC
                           4213 §3.2 with a fixed tunnel MTU; K16, K20) */
    TMTU_DF_SET = 1,  /**< always (RFC 2003 §5: path MTU discovery); where 1280
                           bytes or less are left for IPv6, RFC 4213 §3.2.2
                           wants it clear */
    TMTU_DF_CLEAR = 2 /**< never (K18: IPVS with pmtu_disc=0) */
};

/** ECN field of the outer header. What leaving the tunnel makes of it does not
 *  depend on this: RFC 6040 §4.2. */
enum tmtu_encap_ecn {
    TMTU_ECN_NORMAL = 0, /**< copied (RFC 6040 §4.1 normal mode) */
    TMTU_ECN_COMPAT = 1, /**< 0 (RFC 6040 §4.1 compatibility mode) */
    TMTU_ECN_3168 = 2    /**< copied, but CE becomes ECT(0) (RFC 3168 §9.1.1
                              full functionality; Linux, K33) */
};

/** For tmtu_encap.dscp: the outer DSCP is the inner one (RFC 2983 uniform). */
#define TMTU_DSCP_COPY 0xff

/** One tunnel; begin with TMTU_ENCAP_INIT. */
struct tmtu_encap {
    size_t size;     /**< of this struct, for versions to come */
    uint8_t src[16]; /**< this end, outer source; its family is the outer one */
    uint8_t dst[16]; /**< the other end; same family */
    uint8_t kind;    /**< enum tmtu_encap_kind */
    uint8_t df;      /**< enum tmtu_encap_df */
    uint8_t ecn;     /**< enum tmtu_encap_ecn */
    uint8_t dscp;    /**< 0 to 63, or TMTU_DSCP_COPY */
    uint8_t ttl;     /**< outer TTL or hop limit; 0: the inner one (K34) */
};

/** IP in IP, DF and DSCP copied, ECN normal mode, TTL 64. */
#define TMTU_ENCAP_INIT                                                        \
    {                                                                          \
        sizeof(struct tmtu_encap), {0}, {0}, TMTU_ENCAP_IPIP, TMTU_DF_COPY,    \
            TMTU_ECN_NORMAL, TMTU_DSCP_COPY, 64                                \
    }

/** What differs from packet to packet in one tunnel. */
struct tmtu_encap_each {
    uint32_t id;   /**< its low 16 bits are the IPv4 identification when DF is
                        clear (RFC 6864); with DF that is 0 (K36) */
    uint32_t hash; /**< of the inner flow: its low 20 bits are the outer flow
                        label (RFC 6438); 0: no label (K39) */
};

/** Bytes that @p encap puts in front of a packet; 0 when its size or kind is
 *  unknown. */
TMTU_API uint16_t tmtu_encap_overhead(const struct tmtu_encap *encap);

/**
 * Checks a tunnel that a user described.
 *
 * @retval 0               it can be used
 * @retval TMTU_E_ARGUMENT unknown size or kind, ends of different families, an
 *                         end that is not a host, both ends the same, or an
 *                         option out of its range
 */
TMTU_API TMTU_MUST_CHECK int tmtu_encap_check(const struct tmtu_encap *encap);

/**
 * Pushes the tunnel's headers in front of the packet. The inner packet is not
 * changed (forwarding takes one off its TTL before: tmtu_ip_hop).
 *
 * @param buf   the inner packet; trimmed to its IP length
 * @param pkt   as parsed from @p buf
 * @param encap a tunnel that tmtu_encap_check accepts
 * @param each  identification and hash for this packet
 * @retval 0               @p buf is the outer packet
 * @retval TMTU_E_NOSPACE  too little headroom
 * @retval TMTU_E_LIMIT    over 65535 bytes in all (RFC 791); over IPv6, behind
 *                         the outer header (RFC 8200 §3)
 * @retval TMTU_E_FORBIDDEN the inner TTL or hop limit is 0 (RFC 2003 §3.1)
 * @retval TMTU_E_ARGUMENT unknown size or kind
 *
 * On failure nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_encap_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                const struct tmtu_encap *encap,
                const struct tmtu_encap_each *each);

/**
 * Pulls the tunnel's headers off the packet and parses what is inside.
 *
 * Names are those of the packet's sender: @p encap's src is the peer who must
 * have sent it, dst the local end; an end that is unspecified (0.0.0.0 or ::)
 * allows any host, and the family is that of dst. The other members, but for
 * size and kind, are not looked at. The inner packet is trimmed to its own
 * length (RFC 4213 §3.6), its IPv4 checksum is verified. Congestion marks move
 * from the outer to the inner header (RFC 6040 §4.2).
 *
 * @param buf   the outer packet
 * @param outer as parsed from @p buf
 * @param encap the tunnel, as above
 * @param inner receives the inner packet, parsed
 * @return TMTU_OK; or TMTU_R_NOT_TUNNEL, TMTU_R_OUTER_SOURCE,
 *         TMTU_R_OUTER_DEST, TMTU_R_OUTER_FRAGMENT, TMTU_R_INNER_VERSION,
 *         TMTU_R_INNER_MALFORMED, TMTU_R_INNER_SOURCE, TMTU_R_INNER_TTL,
 *         TMTU_R_ECN, TMTU_R_INTERNAL (@p buf is not what @p outer was parsed
 *         from): nothing is changed
 */
TMTU_API TMTU_MUST_CHECK enum tmtu_reason
tmtu_encap_pull(struct tmtu_buf *buf, const struct tmtu_pkt *outer,
                const struct tmtu_encap *encap, struct tmtu_pkt *inner);

#ifdef __cplusplus
}
#endif
#endif

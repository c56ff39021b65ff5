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
#define TMTU_ENCAP_HEADROOM 72

/** What stands between the outer IP header and the inner one. */
enum tmtu_encap_kind {
    TMTU_ENCAP_IPIP =
        0,              /**< nothing: protocol 4 or 41 (RFC 2003, 2473, 4213) */
    TMTU_ENCAP_GRE = 1, /**< GRE, protocol 47 (RFC 2784, 2890, 7676) */
    TMTU_ENCAP_GUE = 2, /**< UDP and GUE variant 0 (draft-ietf-intarea-gue) */
    TMTU_ENCAP_GUE1 = 3,   /**< UDP alone: GUE variant 1, direct IP */
    TMTU_ENCAP_GREUDP = 4, /**< UDP and GRE (RFC 8086) */

    TMTU_ENCAP_KINDS = 5 /**< how many there are */
};

/* tmtu_encap.flags */
#define TMTU_ENCAP_CSUM                                                         \
    0x1u                    /**< GRE checksum; in UDP: the UDP checksum, which  \
                                 RFC 8086 §6.1 wants unless it is known not to \
                                 be needed. Over the whole packet: it costs */
#define TMTU_ENCAP_KEY 0x2u /**< GRE key (RFC 2890) */
#define TMTU_ENCAP_SEQ 0x4u /**< GRE sequence number (RFC 2890) */
#define TMTU_ENCAP_ZERO6                                                       \
    0x8u /**< UDP over IPv6 may go without a checksum (RFC                     \
              6935, 6936); both ends must know */
#define TMTU_ENCAP_TEL                                                         \
    0x10u /**< outer IPv6: carry a tunnel encapsulation limit                  \
               (RFC 2473 §4.1.1), 8 bytes with every packet. Without          \
               it, a limit of 0 is heeded and others end here: set             \
               it where packets may come out of tunnels already */

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
    uint8_t flags;   /**< TMTU_ENCAP_* of enum tmtu_encap_kind */
    uint8_t tel;    /**< with TMTU_ENCAP_TEL: how many more tunnels, for packets
                         that bring no limit; one less than theirs for those
                         that do */
    uint16_t sport; /**< UDP source port; 0: 49152 to 65535 by each.hash */
    uint16_t dport; /**< UDP destination port; 0: 6080 (GUE), 4754 (GRE) */
    uint32_t key;   /**< with TMTU_ENCAP_KEY */
};

/** IP in IP, DF and DSCP copied, ECN normal mode, TTL 64, encapsulation limit 4
 *  where asked for. */
#define TMTU_ENCAP_INIT                                                        \
    {                                                                          \
        sizeof(struct tmtu_encap), {0}, {0}, TMTU_ENCAP_IPIP, TMTU_DF_COPY,    \
            TMTU_ECN_NORMAL, TMTU_DSCP_COPY, 64, 0, 4, 0, 0, 0                 \
    }

/** What IPVS writes, with net.ipv4.vs.pmtu_disc as it comes: TTL of the inner
 *  packet, CE as ECT(0), DF of inner IPv4 (K20, K33, K34, K36). */
#define TMTU_ENCAP_IPVS                                                        \
    {                                                                          \
        sizeof(struct tmtu_encap), {0}, {0}, TMTU_ENCAP_IPIP, TMTU_DF_COPY,    \
            TMTU_ECN_3168, TMTU_DSCP_COPY, 0, TMTU_ENCAP_ZERO6, 0, 0, 0, 0     \
    }

/** What differs from packet to packet in one tunnel. */
struct tmtu_encap_each {
    uint32_t id;   /**< one more for each packet. With TMTU_ENCAP_SEQ it is the
                        GRE sequence number; its low 16 bits are the IPv4
                        identification when DF is clear (RFC 6864), which with
                        DF is 0 (K36) */
    uint32_t hash; /**< of the inner flow: its low 20 bits are the outer flow
                        label (RFC 6438), the low 14 choose the UDP source port
                        (RFC 8086 §3.2.1); 0: no label (K39) */
};

/** Bytes that @p encap puts in front of a packet; 0 when its size or kind is
 *  unknown. */
TMTU_API uint16_t tmtu_encap_overhead(const struct tmtu_encap *encap);

/**
 * The tunnel encapsulation limit that an IPv6 packet brings with it (RFC 2473
 * §4.1.1): 0 to 255 from its option, to be looked for before any tunnel.
 *
 * @param pkt a packet
 * @param at  receives where the limit stands in it, for a parameter problem;
 *            may be NULL
 * @return the limit, or TMTU_E_IGNORED: it has none
 */
TMTU_API int tmtu_encap_limit(const struct tmtu_pkt *pkt, uint32_t *at);

/** The GRE sequence number of an outer packet, before it is pulled, into
 *  @p seq; believe it when tmtu_encap_pull has found nothing against the
 *  packet. Returns 0, or TMTU_E_IGNORED if there is none. */
TMTU_API TMTU_MUST_CHECK int tmtu_encap_sequence(const struct tmtu_pkt *outer,
                                                 uint32_t *seq);

/** Nonzero when GRE sequence number @p a comes after @p b, modulo 2^32 (RFC
 *  2890 §2.2): deliver the packet, else discard it as late or repeated. */
static inline int tmtu_encap_seq_after(uint32_t a, uint32_t b)
{
    return a != b && a - b < 0x80000000u;
}

/**
 * Checks a tunnel that a user described.
 *
 * @retval 0               it can be used
 * @retval TMTU_E_ARGUMENT unknown size or kind, ends of different families, an
 *                         end that is not a host, both ends the same, an
 *                         option out of its range or not of this kind, or UDP
 *                         over IPv6 with neither TMTU_ENCAP_CSUM nor _ZERO6
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
 * @retval TMTU_E_FORBIDDEN the inner TTL or hop limit is 0 (RFC 2003 §3.1), or
 *                         the packet's encapsulation limit is (RFC 2473 §4.1.1)
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
 * have sent it, dst the local end (a Routing header has no segments left); an
 * end that is unspecified (0.0.0.0 or ::) allows any host, and the family is
 * that of dst. With TMTU_ENCAP_KEY the key must be there and equal; UDP must be
 * for dport. Checksums that are there are verified; UDP over IPv6 without one
 * needs TMTU_ENCAP_ZERO6 (RFC 6936 §5), and then src should name the peer,
 * because nothing else protects the addresses. The other members are not looked
 * at. The inner packet is trimmed to its own length (RFC 4213 §3.6), its IPv4
 * checksum is verified. Congestion marks move from the outer to the inner
 * header (RFC 6040 §4.2).
 *
 * Put fragments together before: a later one that goes on with destination
 * options, as behind an encapsulation limit, does not say whose it is and is
 * TMTU_R_NOT_TUNNEL.
 *
 * @param buf   the outer packet
 * @param outer as parsed from @p buf
 * @param encap the tunnel, as above
 * @param inner receives the inner packet, parsed
 * @return TMTU_OK; or TMTU_R_NOT_TUNNEL, TMTU_R_OUTER_SOURCE,
 *         TMTU_R_OUTER_DEST, TMTU_R_OUTER_FRAGMENT, TMTU_R_OUTER_CHECKSUM,
 *         TMTU_R_TUNNEL_HEADER, TMTU_R_TUNNEL_KEY, TMTU_R_INNER_VERSION,
 *         TMTU_R_INNER_MALFORMED, TMTU_R_INNER_SOURCE, TMTU_R_INNER_TTL,
 *         TMTU_R_ECN, TMTU_R_INTERNAL (@p buf is not what @p outer was parsed
 *         from): nothing is changed
 */
TMTU_API TMTU_MUST_CHECK enum tmtu_reason
tmtu_encap_pull(struct tmtu_buf *buf, const struct tmtu_pkt *outer,
                const struct tmtu_encap *encap, struct tmtu_pkt *inner);

/** Tunnels in tunnels that tmtu_encap_innermost looks through. */
#define TMTU_ENCAP_NESTING 4

/**
 * Looks through one tunnel and takes nothing off, above all where an ICMP error
 * quotes a tunnel packet: parsed with TMTU_IP_QUOTED, and cut off anywhere.
 *
 * @p encap names the tunnel as its sender does, as for tmtu_encap_push: src is
 * who sent the packet, dst the far end; either may be unspecified (0.0.0.0 or
 * ::), the family is that of dst. Kind (GUE's two variants count as one),
 * dport, sport unless it is 0, TMTU_ENCAP_KEY and key must agree, as far as the
 * quote has them; nothing else is looked at. Without @p encap (NULL) it is any
 * tunnel that a protocol number or a well-known port tells: IP in IP of all
 * four family pairs, GRE, GUE at UDP port 6080, GRE at UDP port 4754.
 *
 * More is let through than tmtu_encap_pull lets through, because nothing is
 * delivered: checksums, which a quote is too short for, are not verified, the
 * options of GUE are passed over as its length tells, and GRE may have a
 * checksum and a sequence number, asked for or not. Nor is the inner packet's
 * length held against what is there: it is parsed as quoted.
 *
 * @param outer the tunnel packet; of a fragmented one, the first fragment
 * @param encap the tunnel, or NULL
 * @param inner receives the inner packet; may be @p outer
 * @retval >0               found: bytes in front of the inner packet, which is
 *                          the overhead that this packet has
 * @retval TMTU_E_IGNORED   not a packet of this tunnel, a later fragment, or a
 *                          tunnel header that carries something else or cannot
 *                          be understood: GUE control messages, a version or
 *                          routing bit of GRE (K84)
 * @retval TMTU_E_TRUNCATED of this tunnel as far as can be seen, but it ends
 *                          before the inner IP header does (K81)
 * @retval TMTU_E_MALFORMED what is inside is no IP header of the version that
 *                          was announced
 * @retval TMTU_E_LIMIT     the inner packet has too many extension headers
 *
 * On failure @p inner is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_encap_peek(const struct tmtu_pkt *outer,
                                             const struct tmtu_encap *encap,
                                             struct tmtu_pkt *inner);

/**
 * Looks through tunnels in tunnels, of any kind, to the innermost packet.
 *
 * Where one cannot be read to its end, because the quote ends or what is inside
 * is no IP packet, @p inner is the tunnel packet itself: the deepest that could
 * be read. tmtu_encap_peek(inner, NULL, ...) then tells why.
 *
 * @param outer a packet
 * @param inner receives the innermost packet, @p outer itself when it is no
 *              tunnel packet; may be @p outer
 * @return how many tunnels were looked through, 0 to TMTU_ENCAP_NESTING
 */
TMTU_API int tmtu_encap_innermost(const struct tmtu_pkt *outer,
                                  struct tmtu_pkt *inner);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/**
 * @file
 * ICMP errors, read and built: what one says, about which packet, and whether
 * one may be sent at all (RFC 792, 1122, 1191, 1812, 4443, 4884).
 */
#ifndef TUNMTU_ICMP_H
#define TUNMTU_ICMP_H

#include <tunmtu/ip.h>
#include <tunmtu/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Headroom that tmtu_icmp_wrap needs: an IPv6 and an ICMPv6 header. */
#define TMTU_ICMP_HEADROOM 48
/** Longest ICMPv4 error, RFC 1812 §4.3.2.3; its quote is 548 bytes. */
#define TMTU_ICMP4_MAX 576
/** Longest ICMPv6 error, RFC 4443 §2.4 c; its quote is 1232 bytes. */
#define TMTU_ICMP6_MAX 1280

/** What kind of error, the same for both families. */
enum tmtu_icmp_kind {
    TMTU_ICMP_UNREACH = 1,  /**< unreachable, other than "too big" */
    TMTU_ICMP_TOO_BIG = 2,  /**< "fragmentation needed", "packet too big" */
    TMTU_ICMP_EXPIRED = 3,  /**< TTL or reassembly time exceeded */
    TMTU_ICMP_PARAM = 4,    /**< parameter problem */
    TMTU_ICMP_REDIRECT = 5, /**< ICMPv4 redirect; not acted on */
    TMTU_ICMP_QUENCH = 6,   /**< source quench, obsolete (RFC 6633) */
    TMTU_ICMP_OTHER = 7     /**< an ICMPv6 error of an unknown type */
};

/** An error that was read. */
struct tmtu_icmp {
    uint32_t info; /**< its second word; too big: the next-hop MTU
                        alone, 0: not told (before RFC 1191); parameter
                        problem: the pointer */
    uint8_t kind;  /**< enum tmtu_icmp_kind */
    uint8_t type;  /**< as in the message */
    uint8_t code;  /**< as in the message */
    uint8_t ext;   /**< nonzero: RFC 4884 extensions follow the quote */
    struct tmtu_pkt quoted; /**< the packet it is about, as far as it is there;
                                 its flow's src is the one who sent it */
};

/**
 * Reads the ICMP or ICMPv6 error in @p pkt.
 *
 * The quote may be cut off anywhere after its IP header, options included; its
 * length, TTL and checksums are not held against it. How far it could be read:
 * TMTU_FLOW_PORTS in quoted.flow.flags when its ports, or the identifier of a
 * quoted ICMP query, are there, for which 4 (6) bytes behind its IP header are
 * enough; TMTU_PKT_CUT when it ends before them, or among IPv6 extension
 * headers, where flow.proto is the header that could not be read. A quoted
 * fragment other than the first (TMTU_PKT_LATER) has neither. quoted.have
 * counts what is there of the packet: without the zeros that RFC 4884 pads it
 * with, and without extensions, which are passed over where their length is
 * told (§5.5: not guessed where it is not).
 *
 * The checksum of the message is not looked at: tmtu_ip_transport_verify does
 * that, for who acts on it, and tmtu_icmp_quote_check is for the quoted one.
 * tmtu_encap_peek looks into a quoted tunnel packet.
 *
 * @retval 0                 @p out is filled
 * @retval TMTU_E_IGNORED    not an ICMP error that quotes a packet, or a
 *                           fragment (put it together before)
 * @retval TMTU_E_TRUNCATED  ends before the quoted IP header does, or before
 *                           the length that RFC 4884 gives the quote
 * @retval TMTU_E_MALFORMED  what is quoted is no IP header of this family
 * @retval TMTU_E_LIMIT      the quote has too many extension headers
 *
 * On failure @p out is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_icmp_parse(const struct tmtu_pkt *pkt,
                                             struct tmtu_icmp *out);

/** What RFC 792, 1122, 1812, 4443 and the IANA registry call an error, in a few
 *  words that are always there: "host unreachable", "source quench (obsolete)",
 *  "parameter problem, unknown code", "not an error". */
TMTU_API const char *tmtu_icmp_meaning(uint8_t ipver, uint8_t type,
                                       uint8_t code);

/**
 * The TCP sequence number of a quoted packet, which tells whether it can be in
 * flight (RFC 5927 §4.1): 8 bytes of the header, as RFC 792 wants, are enough.
 *
 * @param quoted of tmtu_icmp, or what tmtu_encap_peek found in it
 * @param seq    receives it
 * @retval 0                @p seq is filled
 * @retval TMTU_E_IGNORED   not TCP, or a fragment other than the first
 * @retval TMTU_E_TRUNCATED the quote ends before it
 */
TMTU_API TMTU_MUST_CHECK int tmtu_icmp_seq(const struct tmtu_pkt *quoted,
                                           uint32_t *seq);

/** Nonzero when @p seq is in flight: @p una <= @p seq < @p nxt, modulo 2^32
 *  (RFC 5927 §4.1). Nothing is when both are equal. */
static inline int tmtu_icmp_seq_in_window(uint32_t seq, uint32_t una,
                                          uint32_t nxt)
{
    return seq - una < nxt - una;
}

/**
 * Verifies the IPv4 header checksum of a quoted packet (RFC 5508 REQ-3). Some
 * routers quote with the TTL that they have lowered and the checksum that they
 * have not mended.
 *
 * @retval 0                right
 * @retval TMTU_E_IGNORED   IPv6, which has none
 * @retval TMTU_E_CHECKSUM  wrong
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_icmp_quote_check(const struct tmtu_pkt *quoted);

/** Where a packet came from and where it would go, for tmtu_icmp_may_redirect.
 */
struct tmtu_icmp_hop {
    uint8_t next[16]; /**< the next hop, a router or the destination itself;
                           over IPv6 by its address in that network, which a
                           link-local one is not */
    uint32_t in;      /**< interface that it came in on */
    uint32_t out;     /**< interface that it goes out on */
    uint8_t prefix;   /**< length of a network of that interface, in bits: 1 to
                           32, over IPv6 to 128. With several, ask for each */
};

/**
 * Whether a router may tell the sender of @p pkt of a better next hop.
 *
 * The three criteria of RFC 1812 §5.2.7.2, for IPv6 those of RFC 4861 §8.2: it
 * goes out where it came in; its source is on the same network as the next
 * hop; it is not source routed. And those for any error: tmtu_icmp_may_send.
 * What leaves through a tunnel never qualifies, since it came in elsewhere; a
 * balancer that forwards so must not ask. Redirects that come in change
 * nothing: those of ICMPv4 are read for who they are about, those of ICMPv6
 * are no errors.
 *
 * @return nonzero: one may be sent
 */
TMTU_API int tmtu_icmp_may_redirect(const struct tmtu_pkt *pkt,
                                    const struct tmtu_icmp_hop *hop);

/** The TOS of a built ICMPv4 error. */
enum tmtu_icmp_tos {
    TMTU_ICMP_TOS_LINUX = 0, /**< precedence 6 over the offender's four TOS
                                  bits: (tos & 0x1e) | 0xc0 (K55) */
    TMTU_ICMP_TOS_CS6 = 1    /**< 0xc0 (RFC 1812 §4.3.2.5) */
};

/** Whose address a built error comes from. Whichever it is, it must be one
 *  host's, and not the offender's source: Linux ignores an error that seems to
 *  come from the one who gets it. */
enum tmtu_icmp_from {
    TMTU_ICMP_FROM_AUTO = 0, /**< src if one is given, else as DEST */
    TMTU_ICMP_FROM_DEST = 1, /**< the offender's destination, such as a VIP
                                  (K56), whatever src is */
    TMTU_ICMP_FROM_SRC = 2   /**< src, which must be given: an address of this
                                  host (RFC 1812 §4.3.2.4), or the tunnel's
                                  peer on whose behalf it speaks */
};

/** An error to be built; begin with TMTU_ICMP_ERROR_INIT. */
struct tmtu_icmp_error {
    size_t size;     /**< of this struct, for versions to come */
    uint8_t src[16]; /**< who reports it, of the offender's family, or all zero:
                          see from */
    uint32_t info;   /**< too big: the next-hop MTU; parameter problem: the
                          pointer; else 0 */
    uint16_t max;    /**< longest message, at most 576 or 1280; 0: those; less
                          where the path back carries less (K52) */
    uint16_t id;     /**< IPv4 identification of the message */
    uint8_t kind; /**< enum tmtu_icmp_kind: UNREACH, TOO_BIG, EXPIRED, PARAM */
    uint8_t code; /**< of UNREACH, EXPIRED and PARAM */
    uint8_t ttl;  /**< TTL or hop limit of the message; 0: 64 */
    uint8_t tos;  /**< enum tmtu_icmp_tos; ICMPv6 has traffic class 0 */
    uint8_t from; /**< enum tmtu_icmp_from */
};

/** Nothing but the size: to be filled in. */
#define TMTU_ICMP_ERROR_INIT                                                   \
    {                                                                          \
        sizeof(struct tmtu_icmp_error), {0}, 0, 0, 0, 0, 0, 0, 0, 0            \
    }

/**
 * Whether @p error may be sent about @p pkt.
 *
 * RFC 1122 §3.2.2, RFC 1812 §4.3.2.7, RFC 4443 §2.4 e; K40-K48. The caller has
 * set TMTU_PKT_L2_GROUP where it applies, and knows directed broadcasts and
 * anycast addresses. Of @p error only kind, code and info (the pointer of a
 * parameter problem) are looked at.
 *
 * @return TMTU_OK, or TMTU_R_ABOUT_ERROR, TMTU_R_LATER_FRAGMENT (IPv4),
 *         TMTU_R_GROUP, TMTU_R_L2_GROUP, TMTU_R_SOURCE
 */
TMTU_API enum tmtu_reason
tmtu_icmp_may_send(const struct tmtu_pkt *pkt,
                   const struct tmtu_icmp_error *error);

/**
 * Builds the error around the offending packet, in place: cuts it to the
 * quote, pushes the headers in front, and copies nothing.
 *
 * The quote is as long as RFC 1812 §4.3.2.3 and RFC 4443 §2.4 c allow. DF is
 * clear, the unused words are zero (K57, K58). A next-hop MTU is carried as it
 * is told; 16 bits of it over IPv4.
 *
 * @param buf   the offender; TMTU_ICMP_HEADROOM bytes of headroom are enough
 * @param pkt   as parsed from @p buf; does not describe @p buf any more after
 * @param error what to say
 * @retval 0                @p buf is the message, whole, checksums right
 * @retval TMTU_E_NOSPACE   too little headroom
 * @retval TMTU_E_ARGUMENT  unknown size, kind or from; code 4 of UNREACH over
 *                          IPv4, which is TOO_BIG; info where the kind has
 *                          none, or a pointer over 255 (IPv4); a source that
 *                          is not a host of the right family, or that is the
 *                          offender's source too (Linux ignores those); an MTU
 *                          below 68 or over 65535 (IPv4), below 1280 (IPv6), or
 *                          one that the offender does not exceed (it would be a
 *                          lie)
 * @retval TMTU_E_FORBIDDEN tmtu_icmp_may_send says no, or less than the
 *                          offender's IP header and 8 bytes fit in max (K52)
 *
 * On failure nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_icmp_wrap(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
               const struct tmtu_icmp_error *error);

/**
 * Builds the same message into @p out, behind the headroom it has, and leaves
 * the offender alone, for who forwards it as well. One pass over the quote.
 *
 * Results are those of tmtu_icmp_wrap; TMTU_E_NOSPACE means that the message
 * does not fit between out->data and out->end.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_icmp_build(struct tmtu_buf *out, const struct tmtu_pkt *pkt,
                const struct tmtu_icmp_error *error);

#ifdef __cplusplus
}
#endif
#endif

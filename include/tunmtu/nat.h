/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Addresses and ports rewritten, in packets and in what ICMP errors quote.
 *
 * A value says which end of a packet becomes which. The same value serves the
 * errors that go the same way as those packets, since such an error quotes a
 * packet of the other direction:
 *
 *     client to VIP         tmtu_nat_packet  destination: VIP, now the server
 *     router to VIP, error  tmtu_nat_error   the same, and the quoted source
 *     server to client      tmtu_nat_packet  reverse: source is the VIP again
 *     server's side, error  tmtu_nat_error   the same, and the quoted
 *                                            destination
 *
 * Who rewrites both ends, as for hairpinning (RFC 5508 REQ-7), does one after
 * the other. No state is touched: an error does not refresh and does not end a
 * session (RFC 5508 REQ-6, RFC 5382 REQ-10).
 */
#ifndef TUNMTU_NAT_H
#define TUNMTU_NAT_H

#include <tunmtu/icmp.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which end of a packet is rewritten; of a quoted one it is the other. */
enum tmtu_nat_side {
    TMTU_NAT_SRC = 1, /**< its source, on the way out */
    TMTU_NAT_DST = 2  /**< its destination, on the way in */
};

/* tmtu_nat.flags */
#define TMTU_NAT_PORTS                                                         \
    0x1u /**< ports, and the identifiers of ICMP queries, are                  \
              compared and rewritten too, where they are; else                 \
              addresses alone (basic NAT) */
#define TMTU_NAT_KEEP_QUOTED_CHECK                                             \
    0x2u /**< leave the quoted transport checksum alone, as                    \
              IPVS does (K90) */
#define TMTU_NAT_KEEP_REPORTER                                                 \
    0x4u /**< TMTU_NAT_SRC: an error from neither end, but a                   \
              router behind us, keeps its source; else it                      \
              comes from our end (K89, RFC 5508 REQ-5) */
#define TMTU_NAT_VERIFIED                                                      \
    0x8u /**< the checksums of an error are not verified: the                  \
              caller has, or does not mind */

/** One end of a flow. */
struct tmtu_nat_end {
    uint8_t addr[16]; /**< IPv6, or IPv4 as ::ffff:a.b.c.d */
    uint16_t port;    /**< or identifier; with TMTU_NAT_PORTS */
};

/** What becomes what; begin with TMTU_NAT_INIT. */
struct tmtu_nat {
    size_t size;              /**< of this struct, for versions to come */
    struct tmtu_nat_end from; /**< as it is in the packet; others are ignored */
    struct tmtu_nat_end to;   /**< as it will be; of the same family */
    uint8_t side;             /**< enum tmtu_nat_side */
    uint8_t flags;            /**< TMTU_NAT_* */
};

/** The destination, with its port; the ends are to be filled in. */
#define TMTU_NAT_INIT                                                          \
    {                                                                          \
        sizeof(struct tmtu_nat), {{0}, 0}, {{0}, 0}, TMTU_NAT_DST,             \
            TMTU_NAT_PORTS                                                     \
    }

/** What undoes @p nat: for the packets of the other direction. */
static inline struct tmtu_nat tmtu_nat_reverse(const struct tmtu_nat *nat)
{
    struct tmtu_nat r = *nat;
    r.from = nat->to;
    r.to = nat->from;
    r.side = nat->side == TMTU_NAT_SRC ? TMTU_NAT_DST : TMTU_NAT_SRC;
    return r;
}

/**
 * Rewrites one end of a packet that is no ICMP error.
 *
 * The IPv4 header checksum and those of TCP, UDP, UDP-Lite, DCCP, ICMP and
 * ICMPv6 follow by increment (RFC 1624): what was wrong stays wrong, for the
 * receiver to see. One that was left to hardware must be completed before
 * (tmtu_ip_transport_fill). UDP's and UDP-Lite's 0 stays 0, and what comes out
 * as 0 is written as 0xffff (RFC 768, RFC 3828 §3.1). SCTP's CRC32c covers no
 * addresses; ports are taken into it by increment too, at the cost of a
 * microsecond; its 0 stays 0 (RFC 9653). Of other protocols, and of later
 * fragments, addresses alone are rewritten (K92); those that carry them under
 * a signature, as AH does, will be refused by their receiver.
 *
 * @param buf the packet; its data is @p pkt's
 * @param pkt as parsed from @p buf, whole; its flow follows
 * @param nat what becomes what
 * @retval 0                  done
 * @retval TMTU_E_IGNORED     not from that end, or an ICMP error
 * @retval TMTU_E_TRUNCATED   no whole packet, or its transport header ends
 *                            before the checksum (a tiny fragment: RFC 1858)
 * @retval TMTU_E_MALFORMED   not the packet that was parsed (K93)
 * @retval TMTU_E_UNSUPPORTED the port of an SCTP fragment, whose CRC needs the
 *                            length of the whole; or TMTU_NAT_DST while an
 *                            IPv6 routing header has segments left, so that the
 *                            destination is not the flow's
 * @retval TMTU_E_ARGUMENT    @p nat: unknown size, side or flag; families
 *                            differ; to.addr is a group or unspecified
 *
 * On failure nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_nat_packet(struct tmtu_buf *buf,
                                             struct tmtu_pkt *pkt,
                                             const struct tmtu_nat *nat);

/**
 * Rewrites one end of an ICMP error, and the other end of what it quotes.
 *
 * Outside, TMTU_NAT_DST wants the destination to be from.addr (K94), and
 * TMTU_NAT_SRC takes any source, see TMTU_NAT_KEEP_REPORTER. The quote's IPv4
 * header checksum stays valid, its transport checksum follows if it was quoted,
 * and the ICMP checksum takes all of it in; none can be told from a
 * recalculated one. What the quote no longer holds is not missed. Type, code,
 * MTU and RFC 4884 extensions stay as they are. TTL: tmtu_ip_hop.
 *
 * First verified are the ICMP checksum and the quoted IPv4 header's (RFC 5508
 * REQ-3), the quoted transport checksum never.
 *
 * @param buf  the packet; its data is @p pkt's
 * @param pkt  as parsed from @p buf; its flow follows
 * @param icmp as parsed from @p pkt; the quoted flow follows
 * @param nat  what becomes what, outside
 * @retval 0                  done
 * @retval TMTU_E_IGNORED     does not come or go there, or quotes another flow
 * @retval TMTU_E_CHECKSUM    wrong: drop it silently
 * @retval TMTU_E_FORBIDDEN   a redirect: to routers of the other side it means
 *                            nothing
 * @retval TMTU_E_TRUNCATED   @p buf is shorter than the packet was
 * @retval TMTU_E_MALFORMED   not the packet that was parsed (K93)
 * @retval TMTU_E_UNSUPPORTED as tmtu_nat_packet, of the error or its quote; not
 *                            SCTP: in a quoted fragment, or when the quoted
 *                            length ends before the CRC does, it is left alone
 * @retval TMTU_E_ARGUMENT    as tmtu_nat_packet
 *
 * On failure nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_nat_error(struct tmtu_buf *buf,
                                            struct tmtu_pkt *pkt,
                                            struct tmtu_icmp *icmp,
                                            const struct tmtu_nat *nat);

#ifdef __cplusplus
}
#endif
#endif

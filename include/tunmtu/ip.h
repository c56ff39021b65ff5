/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One IPv4 or IPv6 packet, parsed once into the value that all others take.
 */
#ifndef TUNMTU_IP_H
#define TUNMTU_IP_H

#include <tunmtu/buf.h>
#include <tunmtu/flow.h>

#ifdef __cplusplus
extern "C" {
#endif

/** IPv6 extension headers that are followed; more give TMTU_E_LIMIT. */
#define TMTU_IP6_EXT_MAX 8

/* How to parse. */
#define TMTU_IP_VERIFY 0x1u /**< verify the IPv4 header checksum */
#define TMTU_IP_QUOTED                                                         \
    0x2u /**< a quote out of an ICMP error: may be cut off,                    \
              its length and checksum are hearsay */

/* tmtu_pkt.flags */
#define TMTU_PKT_DF       0x01u /**< IPv4 "don't fragment" */
#define TMTU_PKT_FRAGMENT 0x02u /**< a fragment (IPv6: not an atomic one) */
#define TMTU_PKT_LATER    0x04u /**< a fragment other than the first */
#define TMTU_PKT_MF       0x08u /**< more fragments follow */
#define TMTU_PKT_ICMP     0x10u /**< tmtu_pkt.icmp_type was in the packet */
#define TMTU_PKT_CUT                                                           \
    0x20u /**< quoted only: ends before the ports or the                       \
               ICMP type, or among IPv6 extension headers,                     \
               where flow.proto is the one that is cut off */
#define TMTU_PKT_L2_GROUP                                                      \
    0x40u /**< set by the caller: the link layer's                             \
               destination was multicast or broadcast */
#define TMTU_PKT_ROUTED                                                        \
    0x80u /**< IPv6: a routing header has segments left, so                    \
               that the destination is not the last one, and                   \
               transport checksums cannot be looked at */

/**
 * A parsed packet. Offsets and lengths in bytes, from its first byte.
 *
 * It points into the packet and is good for as long as those bytes are.
 */
struct tmtu_pkt {
    const uint8_t *data;     /**< first byte of the IP header */
    uint32_t len;            /**< length that its header tells, whole packet */
    uint32_t have;           /**< bytes of it at data; less than len only in a
                                  quote, and more in one that does not tell its
                                  length: less than its IPv4 header, or an IPv6
                                  payload length of 0 with a next header (K30:
                                  Linux's super-packets over 65,535 bytes) */
    uint16_t l4;             /**< where the transport header begins, or the data
                                  of a later fragment */
    uint16_t unfragmentable; /**< length of the headers that each fragment must
                                  repeat; IPv4: header length */
    uint16_t flags;          /**< TMTU_PKT_* */
    uint8_t tclass;          /**< IPv4 TOS, IPv6 traffic class */
    uint8_t ttl;             /**< IPv4 TTL, IPv6 hop limit */
    uint16_t nexthdr_at;     /**< IPv6: the Next Header byte of the last header
                                  that each fragment must repeat */
    uint16_t frag_at;        /**< IPv6: where the Fragment header is; else 0 */
    uint16_t frag_max;       /**< set by the caller: the largest fragment, of a
                                  reassembled packet; 0: it is none */
    uint16_t gso_size;       /**< set by the caller: payload bytes of a segment
                                  of a GSO super-packet; 0: it is none */
    uint32_t id;             /**< IPv4 identification, IPv6 fragment's */
    uint16_t frag_offset;    /**< of a fragment's data, in bytes */
    uint8_t icmp_type;       /**< with TMTU_PKT_ICMP */
    uint8_t icmp_code;       /**< with TMTU_PKT_ICMP */
    struct tmtu_flow flow;   /**< its two ends */
};

/**
 * Parses the IP packet at the start of @p v into @p out.
 *
 * Bytes after the length that the header tells (Ethernet padding) are left
 * out. @p how is an OR of TMTU_IP_*; 0 for a whole packet whose IPv4 header
 * checksum somebody else has verified. Checked: version, header lengths, total
 * length, IPv4 options (RFC 791 §3.1), the order and number of IPv6 extension
 * headers (RFC 8200 §4.1), that a first IPv6 fragment has its transport header
 * (RFC 7112), and TCP's and UDP's own lengths. In a quote (TMTU_IP_QUOTED)
 * only what is there is checked.
 *
 * @retval 0                  @p out is filled; gso_size and frag_max are 0
 * @retval TMTU_E_TRUNCATED   the view ends before the packet does
 * @retval TMTU_E_MALFORMED   a field contradicts its RFC
 * @retval TMTU_E_CHECKSUM    TMTU_IP_VERIFY: the IPv4 header checksum is wrong
 * @retval TMTU_E_LIMIT       more than TMTU_IP6_EXT_MAX extension headers
 * @retval TMTU_E_UNSUPPORTED an IPv6 jumbogram (RFC 2675)
 *
 * On failure @p out is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_ip_parse(struct tmtu_view v, unsigned how,
                                           struct tmtu_pkt *out);

/** Nonzero when @p pkt is an ICMP error message, or an ICMP message that no
 *  error may be about: ICMPv4 types 3-5, 11, 12, those without a meaning, and
 *  those over 18 (K42); ICMPv6 types below 128 and Redirect (RFC 4443 §2.4 e).
 *  A message too short to have a type counts as one (K43). */
TMTU_API int tmtu_ip_is_icmp_error(const struct tmtu_pkt *pkt);

/**
 * Takes one off the TTL or hop limit, in the packet and in @p pkt, and updates
 * the IPv4 header checksum (RFC 1624).
 *
 * @param buf the packet; its data is @p pkt's
 * @param pkt as parsed from @p buf
 * @retval 0                done
 * @retval TMTU_E_FORBIDDEN it is 0 or 1: send "time exceeded"; no change
 */
TMTU_API TMTU_MUST_CHECK int tmtu_ip_hop(struct tmtu_buf *buf,
                                         struct tmtu_pkt *pkt);

/** The sum (see cksum.h) of @p pkt's transport packet with its pseudo-header;
 *  ICMPv4 has none. Finishes to 0 when the checksum in it is right. The packet
 *  must be whole and no fragment. */
TMTU_API uint16_t tmtu_ip_transport_sum(const struct tmtu_pkt *pkt);

/**
 * Verifies the checksum of TCP, UDP, ICMP or ICMPv6.
 *
 * @retval 0                 right, or UDP over IPv4 without one
 * @retval TMTU_E_IGNORED    a fragment, cut short, still routed by a routing
 *                           header, or another protocol
 * @retval TMTU_E_CHECKSUM   wrong, or zero in UDP over IPv6 (RFC 8200 §8.1)
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_ip_transport_verify(const struct tmtu_pkt *pkt);

/**
 * Computes and writes the checksum of TCP, UDP, ICMP or ICMPv6: completes one
 * that was left to hardware. UDP's 0 is sent as 0xffff (RFC 768).
 *
 * @param buf the packet; its data is @p pkt's
 * @param pkt as parsed from @p buf
 * @retval 0              written
 * @retval TMTU_E_IGNORED as tmtu_ip_transport_verify; no change
 */
TMTU_API TMTU_MUST_CHECK int tmtu_ip_transport_fill(struct tmtu_buf *buf,
                                                    const struct tmtu_pkt *pkt);

#ifdef __cplusplus
}
#endif
#endif

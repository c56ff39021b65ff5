/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The TCP maximum segment size: clamped, or put in where it is absent.
 */
#ifndef TUNMTU_MSS_H
#define TUNMTU_MSS_H

#include <tunmtu/ip.h>

#ifdef __cplusplus
extern "C" {
#endif

/** TCP options that are looked at: all, 40 bytes hold no more than 40. */
#define TMTU_TCP_OPTIONS_MAX 40

/** What a peer assumes without the option (RFC 9293 §3.7.1), and the least
 *  that tmtu_mss_for_mtu gives. */
#define TMTU_MSS_DEFAULT4 536
#define TMTU_MSS_DEFAULT6 1220 /**< the same for IPv6 */

/* How to clamp. */
#define TMTU_MSS_INSERT                                                        \
    0x1u /**< put the option into a SYN that has none and                      \
              carries no data (as Linux' TCPMSS, K118) */

/**
 * The MSS for packets of @p mtu bytes: less the fixed IP and TCP headers, never
 * less options (RFC 9293 §3.7.1), and at least the default of the family, so
 * that a wrong MTU does not stop TCP.
 *
 * @param mtu   longest IP packet in bytes
 * @param ipver 4 or 6
 */
TMTU_API uint16_t tmtu_mss_for_mtu(uint32_t mtu, uint8_t ipver);

/**
 * Lowers the MSS options of a TCP SYN or SYN-ACK to @p mss; never raises one.
 *
 * All MSS options are clamped, at odd offsets too; the TCP checksum is updated
 * (RFC 1624). A first fragment is clamped if its options are all there. An MSS
 * option that is not 4 bytes long is none: no receiver takes it.
 *
 * With TMTU_MSS_INSERT a missing option is put in, with the lower of @p mss
 * and the family's default, unless the SYN carries data, is a fragment, or has
 * a TCP header of 60 bytes already (K118). It goes where padding of four
 * bytes and more is, or else behind the header, which needs 4 bytes of tailroom
 * behind the IP packet; a shorter end-of-list padding then becomes NOPs,
 * because nothing behind it would be read (RFC 9293 §3.2).
 *
 * @param buf the packet; what follows its IP length is lost by an insertion
 * @param pkt as parsed from @p buf; len and have follow an insertion
 * @param mss in bytes
 * @param how 0 or TMTU_MSS_INSERT
 * @retval 1                changed
 * @retval 0                a SYN that needs no change, or must not have one
 * @retval TMTU_E_IGNORED   not TCP, no SYN, or a later fragment
 * @retval TMTU_E_TRUNCATED the TCP header is not all there
 * @retval TMTU_E_MALFORMED the header or an option is too short, or an option
 *                          runs past the header (RFC 9293 §3.1, §3.2)
 * @retval TMTU_E_NOSPACE   TMTU_MSS_INSERT: too little tailroom
 *
 * On failure nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_mss_clamp(struct tmtu_buf *buf,
                                            struct tmtu_pkt *pkt, uint16_t mss,
                                            unsigned how);

#ifdef __cplusplus
}
#endif
#endif

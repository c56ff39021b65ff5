/* SPDX-License-Identifier: MIT */
/**
 * @file
 * TCP resets: the quick "no" to a segment that nobody will answer, on behalf of
 * the host that it was for.
 */
#ifndef TUNMTU_RESET_H
#define TUNMTU_RESET_H

#include <tunmtu/ip.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest reset, in bytes: an IPv6 and a TCP header. */
#define TMTU_RESET_MAX 60

/**
 * Builds the reset that answers @p pkt, from its destination to its source
 * (RFC 9293 §3.10.7.1), behind the headroom that @p out has.
 *
 * As Linux sends it: IPv4 with DF and identification 0, TTL or hop limit 64,
 * the offender's DSCP, a window of 0, no options. The sender of the segment
 * takes it only from the address and port that it spoke to, so that is where it
 * comes from, whether this host owns the address or not.
 *
 * @param out receives the segment
 * @param pkt the segment that nobody wants, whole; a super-packet counts as one
 * @retval 0                  @p out is the reset, checksums right
 * @retval TMTU_E_IGNORED     not TCP, a fragment, or still routed by an IPv6
 *                            routing header
 * @retval TMTU_E_CHECKSUM    its checksum is wrong: drop it silently
 * @retval TMTU_E_FORBIDDEN   it is a reset itself; or it was for, or from, more
 *                            than one host: TMTU_PKT_L2_GROUP too, which the
 *                            caller sets
 * @retval TMTU_E_NOSPACE     no room in @p out
 *
 * On failure nothing is changed.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_reset_build(struct tmtu_buf *out,
                                              const struct tmtu_pkt *pkt);

#ifdef __cplusplus
}
#endif
#endif

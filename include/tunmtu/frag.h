/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A packet cut into fragments, one after the other (RFC 791 §3.2, 8200 §4.5).
 */
#ifndef TUNMTU_FRAG_H
#define TUNMTU_FRAG_H

#include <tunmtu/ip.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a cutting stands. Visible so that it can live on the caller's stack;
 *  its members are the module's own. */
struct tmtu_frag {
    struct tmtu_pkt pkt; /**< what is cut */
    uint32_t mtu;        /**< longest fragment in bytes */
    uint32_t id;         /**< identification of the fragments */
    uint32_t next;       /**< next byte of the data */
};

/* How to cut. */
#define TMTU_FRAG_FORCE                                                        \
    0x1u /**< IPv4 with DF too: DF is clear on the fragments                   \
              (K31); IPv6 by who is not its source */

/**
 * Begins to cut @p pkt into fragments of at most @p mtu bytes.
 *
 * An IPv4 fragment is cut again keeping its offset and MF (RFC 791); only
 * options with the copied bit go into later fragments. IPv6 repeats the headers
 * up to and with the Routing header, and inserts a Fragment header, which costs
 * 8 bytes a fragment; one that was there (an atomic fragment, RFC 6946) is
 * replaced. A packet that fits comes out once and unchanged.
 *
 * A reassembled packet (frag_max) that may be cut is cut into fragments no
 * longer than those it came in, though it may fit (K28).
 *
 * @param frag filled in
 * @param pkt  whole, as parsed; its bytes must stay until the last fragment
 * @param mtu  bytes
 * @param id   IPv6: identification, unique for a while (RFC 7739); IPv4: used
 *             instead of the packet's own where that need not be unique (RFC
 *             6864 §4.1): it is 0, or DF was set; a fragment keeps its own
 * @param how  0 or TMTU_FRAG_FORCE
 * @retval 0                begun
 * @retval TMTU_E_FORBIDDEN DF is set, or IPv6, without TMTU_FRAG_FORCE
 * @retval TMTU_E_ARGUMENT  @p mtu (or frag_max) has no room for 8 bytes of data
 *                          behind the headers (K32)
 * @retval TMTU_E_IGNORED   an IPv6 packet that is a fragment already
 * @retval TMTU_E_TRUNCATED the packet is not all there (a quote)
 *
 * On failure @p frag is as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_frag_init(struct tmtu_frag *frag,
                                            const struct tmtu_pkt *pkt,
                                            uint32_t mtu, uint32_t id,
                                            unsigned how);

/**
 * Writes the next fragment into @p out, behind the headroom it has; what was
 * there is overwritten. @p out is not where the packet is.
 *
 * @retval 1              a fragment was written
 * @retval 0              there are no more; @p out is as it was
 * @retval TMTU_E_NOSPACE it does not fit between out->data and out->end; ask
 *                        again with more room
 */
TMTU_API TMTU_MUST_CHECK int tmtu_frag_next(struct tmtu_frag *frag,
                                            struct tmtu_buf *out);

#ifdef __cplusplus
}
#endif
#endif

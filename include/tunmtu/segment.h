/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A GSO super-packet cut into the segments it stands for, one after the other.
 *
 * A sender with segmentation offload (TSO, USO) or a receiver that merges (GRO)
 * shows up to 64 KiB of TCP or UDP payload as one packet, and beside it the
 * payload of a segment: tmtu_pkt.gso_size. On a wire, or in a tunnel, it is
 * those segments. What a tunnel carries is asked with the whole (mtu.h); then
 * it is cut, and each segment pushed.
 */
#ifndef TUNMTU_SEGMENT_H
#define TUNMTU_SEGMENT_H

#include <tunmtu/ip.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How to cut. */
#define TMTU_SEGMENT_CWR                                                       \
    0x1u /**< TCP's CWR on every segment (Accurate ECN);                       \
              else on the first alone (RFC 3168 §6.1.2) */

/** Where a cutting stands. Visible so that it can live on the caller's stack;
 *  its members are the module's own. */
struct tmtu_segment {
    struct tmtu_pkt pkt; /**< what is cut; in a tunnel, the inside */
    uint32_t next;       /**< next byte of the payload */
    uint32_t head;       /**< bytes of headers that each segment repeats */
    uint16_t before;     /**< of them, those of the tunnel */
    uint16_t how;        /**< TMTU_SEGMENT_* */
};

/**
 * Begins to cut @p pkt into segments of gso_size bytes of payload, the last
 * one of what is left. Without a gso_size it comes out once and unchanged.
 *
 * Every segment repeats all headers. IPv4 identifications count up from the
 * packet's own. TCP: sequence numbers go on, FIN and PSH are the last
 * segment's, the urgent pointer keeps pointing at the same byte. Lengths and
 * checksums are computed: those of the super-packet, which offloading leaves
 * half done, are not looked at; UDP over IPv4 without one stays without.
 *
 * IP in IP (all four family pairs, one tunnel deep) is cut by the TCP or UDP
 * inside, for GRO merges that as well.
 *
 * @param segment filled in
 * @param pkt     whole, as parsed, with gso_size; its bytes must stay until the
 *                last segment
 * @param how     0 or TMTU_SEGMENT_CWR
 * @retval 0                  begun
 * @retval TMTU_E_UNSUPPORTED neither TCP nor UDP, nor IP in IP with one of
 *                            them; a routing header with segments left; SYN or
 *                            RST and more than one segment
 * @retval TMTU_E_MALFORMED   a fragment; UDP whose length is not that of the
 *                            packet; inside of a tunnel what does not parse or
 *                            is not as long as what is around it
 * @retval TMTU_E_TRUNCATED   the packet is not all there (a quote)
 *
 * On failure @p segment is as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_segment_init(struct tmtu_segment *segment,
                                               const struct tmtu_pkt *pkt,
                                               unsigned how);

/**
 * Writes the next segment into @p out, behind the headroom it has; what was
 * there is overwritten. @p out is not where the packet is. One pass over the
 * payload.
 *
 * @retval 1              a segment was written
 * @retval 0              there are no more; @p out is as it was
 * @retval TMTU_E_NOSPACE it does not fit between out->data and out->end; ask
 *                        again with more room
 */
TMTU_API TMTU_MUST_CHECK int tmtu_segment_next(struct tmtu_segment *segment,
                                               struct tmtu_buf *out);

#ifdef __cplusplus
}
#endif
#endif

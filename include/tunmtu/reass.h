/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Fragments put together again, in bounded memory of the caller.
 *
 * RFC 791 §3.2, RFC 8200 §4.5, RFC 5722 (overlap: the whole packet is dropped,
 * IPv4 too), RFC 6946 (atomic fragments are no fragments).
 */
#ifndef TUNMTU_REASS_H
#define TUNMTU_REASS_H

#include <tunmtu/hash.h>
#include <tunmtu/ip.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fragments of one packet; more drop it. */
#define TMTU_REASS_FRAGMENTS 64
/** Bytes of headers in front of a first fragment's data; more drop it. */
#define TMTU_REASS_HEADERS 256
/** Nanoseconds a packet waits for its fragments: 60 s (RFC 1122 §3.3.2, RFC
 *  8200 §4.5). */
#define TMTU_REASS_TIMEOUT 60000000000u

/** Counts of what became of fragments. */
struct tmtu_reass_counters {
    uint64_t fragments; /**< given to tmtu_reass_add */
    uint64_t packets;   /**< put together */
    uint64_t timeouts;  /**< packets given up, a fragment never came */
    uint64_t overlaps;  /**< packets dropped, fragments overlap (RFC 5722) or
                             do not agree where the packet ends */
    uint64_t limits;    /**< packets dropped, too long, too many fragments, or
                             no room for the whole */
    uint64_t malformed; /**< fragments dropped: no data, not a multiple of 8
                             bytes, past 65,535 bytes, or so small that they
                             take a TCP header apart (RFC 1858) */
    uint64_t ecn;       /**< packets dropped, CE and Not-ECT mixed (RFC 3168
                             §5.3) */
    uint64_t evicted;   /**< packets given up for newer ones, all slots used */
};

/** Packets in the making; opaque, in memory of the caller. */
struct tmtu_reass;

/** Bytes of memory for @p packets packets of at most @p max bytes in the
 *  making at a time; 0 if either is 0, @p max is over 65,535, or there is not
 *  that much memory in the world. */
TMTU_API size_t tmtu_reass_sizeof(size_t packets, size_t max);

/**
 * Begins with nothing, in @p mem (aligned to 8 bytes).
 *
 * @param mem     tmtu_reass_sizeof(packets, max) bytes; nothing to free
 * @param packets packets in the making at a time
 * @param max     longest packet in bytes
 * @param key     keeps others from choosing which packets collide
 * @return the state, at @p mem; NULL if an argument is out of range
 */
TMTU_API struct tmtu_reass *tmtu_reass_init(void *mem, size_t packets,
                                            size_t max,
                                            const struct tmtu_hash_key *key);

/**
 * Adds a fragment; when it was the last one missing, copies the whole packet to
 * @p out, behind the headroom it has, with its header mended: length, no
 * fragment, congestion mark of all fragments (RFC 3168 §5.3), checksum.
 *
 * Packets are told apart by addresses, identification and, for IPv4, protocol.
 * The same fragment once more is ignored (RFC 8200 §4.5). A packet that is
 * dropped is remembered until its time is over, and what still comes of it is
 * dropped too (RFC 5722 §4). When all slots are used, the oldest is given up.
 *
 * Ask tmtu_reass_expire first: a packet whose time is over is given up without
 * a word when one more fragment comes.
 *
 * @param reass the state
 * @param pkt   a whole fragment (TMTU_PKT_FRAGMENT), as parsed
 * @param now   nanoseconds of a clock that does not go back
 * @param out   an empty packet with room; not where @p pkt is
 * @return over 0: @p out is a whole packet, to be parsed; the number is the
 *         length of its largest fragment, for tmtu_pkt.frag_max
 * @retval 0                kept, the packet is not complete yet
 * @retval TMTU_E_IGNORED   @p pkt is no fragment
 * @retval TMTU_E_TRUNCATED @p pkt is not all there (a quote)
 * @retval TMTU_E_MALFORMED dropped: see tmtu_reass_counters
 * @retval TMTU_E_LIMIT     dropped: too long or too many fragments
 * @retval TMTU_E_NOSPACE   complete, but @p out is too small; dropped
 */
TMTU_API TMTU_MUST_CHECK int tmtu_reass_add(struct tmtu_reass *reass,
                                            const struct tmtu_pkt *pkt,
                                            uint64_t now, struct tmtu_buf *out);

/**
 * Gives up one packet whose time is over. One that was dropped before is
 * forgotten without a word (RFC 5722 §4).
 *
 * @param reass the state
 * @param now   as in tmtu_reass_add
 * @param first receives its first fragment as it came, for "time exceeded in
 *              reassembly" (ICMP 11/1, ICMPv6 3/1); empty if it never came, and
 *              then no error may be sent. Good until the next call.
 * @retval 1 one was given up: ask again
 * @retval 0 none is due; @p first is as it was
 */
TMTU_API int tmtu_reass_expire(struct tmtu_reass *reass, uint64_t now,
                               struct tmtu_view *first);

/** What became of all fragments so far. */
TMTU_API const struct tmtu_reass_counters *
tmtu_reass_counters(const struct tmtu_reass *reass);

#ifdef __cplusplus
}
#endif
#endif

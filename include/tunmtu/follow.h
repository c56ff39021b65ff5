/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Fragments go where their first one went: it has the ports and tells, those
 * that follow are looked up, in memory of the caller.
 *
 * For who steers packets and does not put them together (reass.h does that);
 * and for errors, whose quotes nobody can put together.
 */
#ifndef TUNMTU_FOLLOW_H
#define TUNMTU_FOLLOW_H

#include <tunmtu/hash.h>
#include <tunmtu/owner.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a table behaves; begin with TMTU_FOLLOW_INIT. */
struct tmtu_follow_options {
    size_t size;     /**< of this struct, for versions to come */
    uint64_t expiry; /**< nanoseconds that a first fragment is remembered, at
                          least 1 */
};

/** 30 s: as long as hosts wait for fragments, or longer; identifications of
 *  IPv4 come again (RFC 4963). */
#define TMTU_FOLLOW_INIT                                                       \
    {                                                                          \
        sizeof(struct tmtu_follow_options), 30000000000u                       \
    }

/** What became of a packet. Values are part of the ABI. */
enum tmtu_follow_outcome {
    TMTU_FOLLOW_NONE = 0,    /**< no fragment, or a protocol without ports: its
                                  owner is known anyway */
    TMTU_FOLLOW_LEARNT = 1,  /**< a first one: remembered */
    TMTU_FOLLOW_FOUND = 2,   /**< a later one: its owner is that of the first */
    TMTU_FOLLOW_MISSED = 3,  /**< a later one whose first is not known, which
                                  may be because it comes only now */
    TMTU_FOLLOW_FULL = 4,    /**< a first one that is quoted: all places are
                                  taken by such that came, or this one came
                                  itself; not remembered */
    TMTU_FOLLOW_OUTCOMES = 5 /**< how many there are */
};

/** Counts of what happened in a table. */
struct tmtu_follow_counters {
    uint64_t outcome[TMTU_FOLLOW_OUTCOMES]; /**< of tmtu_follow_owner */
    uint64_t evicted; /**< first fragments forgotten for newer ones before their
                           time, all places taken */
    uint64_t expired; /**< first fragments forgotten, their time being over */
};

/** A table; opaque, in memory of the caller. */
struct tmtu_follow;

/** Bytes of memory for @p entries packets; 0 if @p entries is not a power of
 *  two from 4 to 2^24. */
TMTU_API size_t tmtu_follow_sizeof(size_t entries);

/**
 * Begins with an empty table in @p mem, aligned to 8 bytes; better to 64.
 *
 * A packet may stand in four places. When all are taken, a first fragment takes
 * that of one whose time is over, else of one that was only quoted, else of the
 * oldest. So a flood of first fragments, n a second, leaves each of them about
 * entries / n seconds: fragments of one packet are sent together, and 65536
 * entries keep a packet for 65 ms at a million a second. What is quoted is
 * anybody's word: it takes one place of four, pushes nobody out but its like,
 * and is believed by other quotes only.
 *
 * Packets are told apart by 64 bits of a keyed hash. Not for two threads at a
 * time.
 *
 * @param mem     tmtu_follow_sizeof(entries) bytes; nothing to free
 * @param entries packets that are remembered
 * @param options how it behaves
 * @param key     keeps others from choosing who collides with whom
 * @return the table, at @p mem; NULL if an argument is out of range: entries,
 *         the options' size, expiry
 */
TMTU_API TMTU_MUST_CHECK struct tmtu_follow *
tmtu_follow_init(void *mem, size_t entries,
                 const struct tmtu_follow_options *options,
                 const struct tmtu_hash_key *key);

/**
 * Completes the owner of a later fragment by that of the first, and learns from
 * a first one. Packets that are no fragments pass through, it is cheap to give
 * it all.
 *
 * Of two packets with the same addresses, protocol and identification, the one
 * whose first fragment came last counts. A fragment that comes before the first
 * of its packet is missed.
 *
 * @param follow the table
 * @param owner  as tmtu_owner_of has filled it; where FOUND, its flow and by
 *               become those of the first fragment
 * @param now    nanoseconds of a monotonic clock; after a step back, an entry
 *               lives for one more expiry at most
 * @return what became of it
 */
TMTU_API enum tmtu_follow_outcome tmtu_follow_owner(struct tmtu_follow *follow,
                                                    struct tmtu_owner *owner,
                                                    uint64_t now);

/** What happened so far. */
TMTU_API const struct tmtu_follow_counters *
tmtu_follow_counters(const struct tmtu_follow *follow);

#ifdef __cplusplus
}
#endif
#endif

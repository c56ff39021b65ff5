/* SPDX-License-Identifier: MIT */
/**
 * @file
 * How many errors may be sent: token buckets, one for all and one for each
 * receiver, and no duplicates (RFC 4443 §2.4 f, RFC 1812 §4.3.2.8).
 */
#ifndef TUNMTU_LIMIT_H
#define TUNMTU_LIMIT_H

#include <tunmtu/hash.h>
#include <tunmtu/icmp.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A token bucket's measures. */
struct tmtu_limit_rate {
    uint64_t interval; /**< nanoseconds for one message; 0: no limit */
    uint32_t burst;    /**< messages at once after a silence; at least 1 */
};

/** What is limited, and how much; begin with one of the presets. */
struct tmtu_limit_options {
    size_t size;                 /**< of this struct, for versions to come */
    struct tmtu_limit_rate all;  /**< all messages together */
    struct tmtu_limit_rate host; /**< messages to one receiver */
    uint64_t duplicate; /**< nanoseconds in which the same message about the
                             same flow is not repeated; 0: it may be */
    uint8_t too_big;    /**< nonzero: "too big" is limited as well. Off, it
                             passes always, repeated or not, and takes nothing:
                             who starves it stops senders */
    uint8_t prefix6;    /**< bits of an IPv6 source that make a receiver; 0:
                             all 128. With 64 nobody has 2^64 receivers to
                             spend; IPv4 goes by the whole address */
};

/** As Linux has it: 1000 a second, 50 at once; 1 a second to each receiver, 6
 *  at once; "too big" exempt (K59). */
#define TMTU_LIMIT_LINUX                                                       \
    {                                                                          \
        sizeof(struct tmtu_limit_options), {1000000u, 50}, {1000000000u, 6},   \
            0, 0, 0                                                            \
    }

/** As RFC 4443 §2.4 f suggests: 10 a second, 10 at once, everything counted;
 *  no limit a receiver. */
#define TMTU_LIMIT_RFC4443                                                     \
    {                                                                          \
        sizeof(struct tmtu_limit_options), {100000000u, 10}, {0, 1}, 0, 1, 0   \
    }

/** Nanoseconds that Linux leaves between messages to one IPv6 receiver, when
 *  its route has a prefix of @p plen bits (K60): 1 s for /128, 250 ms for /64.
 *  More than 128 bits count as 128. */
TMTU_API uint64_t tmtu_limit_interval6(unsigned plen);

/** Buckets in the making; opaque, in memory of the caller. */
struct tmtu_limit;

/** Bytes of memory for @p entries receivers and as many flows at a time; 0 if
 *  @p entries is not a power of two from 4 to 2^24. */
TMTU_API size_t tmtu_limit_sizeof(size_t entries);

/**
 * Begins with full buckets, in @p mem (aligned to 8 bytes).
 *
 * A receiver may stand in four places of the table. When all of them are taken,
 * the one that has been silent longest is forgotten, and would begin with a
 * full bucket; the limit for all holds whoever sends. The same for flows: one
 * that is forgotten is told again.
 *
 * Not for two threads at a time; a thread with a limiter of its own needs its
 * share of the rates. Where traceroute must not use up what "too big" needs,
 * have two limiters, one of them for "too big" alone.
 *
 * @param mem     tmtu_limit_sizeof(entries) bytes; nothing to free
 * @param entries receivers that are told apart
 * @param options what is limited
 * @param key     keeps others from choosing who collides with whom
 * @return the state, at @p mem; NULL if an argument is out of range: entries,
 *         the options' size, a burst of 0, prefix6 over 128
 */
TMTU_API struct tmtu_limit *
tmtu_limit_init(void *mem, size_t entries,
                const struct tmtu_limit_options *options,
                const struct tmtu_hash_key *key);

/**
 * Whether an error may be sent now; if so, counts it as sent. Ask last, when
 * tmtu_icmp_may_send has no objection: what is not sent should not be counted.
 *
 * A clock that steps back refills nothing, and nothing more until it is back
 * where it was; unless that is further than a bucket needs to fill: then the
 * bucket keeps what is in it and goes on from there. So no step of the clock
 * gives more than one full bucket, or silences for longer than two take to
 * fill.
 *
 * @param limit the state
 * @param pkt   the offender: its source is the receiver, its flow the one that
 *              duplicates are told by
 * @param error what will be said of it: kind, code and info count
 * @param now   nanoseconds of a clock, better a monotonic one
 * @return TMTU_OK; or, asked in this order, TMTU_R_DUPLICATE, TMTU_R_LIMIT_ALL,
 *         TMTU_R_LIMIT_HOST: nothing is taken from any bucket, nobody forgotten
 */
TMTU_API TMTU_MUST_CHECK enum tmtu_reason
tmtu_limit_take(struct tmtu_limit *limit, const struct tmtu_pkt *pkt,
                const struct tmtu_icmp_error *error, uint64_t now);

#ifdef __cplusplus
}
#endif
#endif

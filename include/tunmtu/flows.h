/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Which value belongs to a flow: a bounded table that forgets the idle, in
 * memory of the caller.
 *
 * A flow is new until the caller confirms it, because its other end has
 * answered, say. When places are short, a new flow takes that of one whose time
 * is over or of another new one, and never that of a confirmed one: a flood of
 * first packets pushes out first packets.
 */
#ifndef TUNMTU_FLOWS_H
#define TUNMTU_FLOWS_H

#include <tunmtu/hash.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The most flows that one table may have: 2^27, or 2^26 where memory has
 *  addresses of 32 bits. */
#define TMTU_FLOWS_MAX ((size_t)1 << (SIZE_MAX > 0xffffffffu ? 27 : 26))

/** How much speaks for keeping a flow. */
enum tmtu_flows_class {
    TMTU_FLOWS_NEW = 1,      /**< until its time is over, or a newer one has no
                                  other place */
    TMTU_FLOWS_CONFIRMED = 2 /**< until its time is over */
};

/** Counts of what happened in a table, and what is in it. */
struct tmtu_flows_counters {
    uint64_t inserted;  /**< flows that got a place */
    uint64_t full;      /**< that got none: all theirs were confirmed ones' */
    uint64_t evicted;   /**< new ones, forgotten for newer ones */
    uint64_t expired;   /**< forgotten because their time was over */
    uint64_t removed;   /**< by tmtu_flows_remove() */
    uint64_t held;      /**< now in the table, some perhaps past their time */
    uint64_t confirmed; /**< of those */
    uint64_t places;    /**< that the table has, as it was made */
};

/** A table; opaque, in memory of the caller. */
struct tmtu_flows;

/** Bytes of memory for @p entries flows, 56 each and a little; 0 if @p entries
 *  is not a power of two from 16 to TMTU_FLOWS_MAX. */
TMTU_API size_t tmtu_flows_sizeof(size_t entries);

/**
 * Begins with an empty table in @p mem, aligned to 8 bytes; better to 64.
 *
 * A flow may stand in 16 places, and takes one where there are more free. As
 * long as four fifths of the table or less are taken by confirmed flows, not
 * one of a thousand finds no place; with as many of them as places, one of
 * twenty.
 *
 * Flows are compared whole: none is ever taken for another. Not for two threads
 * at a time.
 *
 * @param mem     tmtu_flows_sizeof(entries) bytes; nothing to free
 * @param entries flows that are remembered
 * @param key     keeps others from choosing who collides with whom
 * @return the table, at @p mem; NULL if @p entries is out of range
 */
TMTU_API TMTU_MUST_CHECK struct tmtu_flows *
tmtu_flows_init(void *mem, size_t entries, const struct tmtu_hash_key *key);

/**
 * Looks for a flow. That does not lengthen its time: see tmtu_flows_keep().
 *
 * @param flows the table
 * @param flow  the flow, direction included
 * @param now   nanoseconds of a clock that does not go back: if it does, flows
 *              last that much longer
 * @retval >=0            its place, until a flow is put or removed, or the
 *                        table swept
 * @retval TMTU_E_IGNORED not there, or not any more
 */
TMTU_API TMTU_MUST_CHECK int tmtu_flows_find(struct tmtu_flows *flows,
                                             const struct tmtu_flow *flow,
                                             uint64_t now);

/**
 * Puts a flow into the table, as a new one; or gives the one that is there
 * another value and another time, and leaves its class.
 *
 * @param flows    the table
 * @param flow     the flow
 * @param value    what it is to be remembered with
 * @param lifetime nanoseconds from now that it is kept, until the next multiple
 *                 of 65,536 of the clock
 * @param now      as for tmtu_flows_find()
 * @retval >=0            its place, as of tmtu_flows_find()
 * @retval TMTU_E_NOSPACE all its places are taken by confirmed flows; nothing
 *                        was changed
 */
TMTU_API TMTU_MUST_CHECK int tmtu_flows_put(struct tmtu_flows *flows,
                                            const struct tmtu_flow *flow,
                                            uint64_t value, uint64_t lifetime,
                                            uint64_t now);

/** The value at a place, to be read and written; see tmtu_flows_find(). */
TMTU_API uint64_t *tmtu_flows_value(struct tmtu_flows *flows, int place);

/** The flow at a place. */
TMTU_API const struct tmtu_flow *tmtu_flows_flow(const struct tmtu_flows *flows,
                                                 int place);

/** The class of the flow at a place. */
TMTU_API enum tmtu_flows_class tmtu_flows_class(const struct tmtu_flows *flows,
                                                int place);

/** Keeps the flow at a place for @p lifetime nanoseconds from now, longer or
 *  shorter than so far, in class @p as. */
TMTU_API void tmtu_flows_keep(struct tmtu_flows *flows, int place,
                              enum tmtu_flows_class as, uint64_t lifetime,
                              uint64_t now);

/** Forgets the flow at a place. */
TMTU_API void tmtu_flows_remove(struct tmtu_flows *flows, int place);

/** Forgets those of the next @p n places whose time is over, round and round,
 *  and returns how many. None needs it: a flow whose time is over is not found
 *  and keeps no place from another; but memory that others may count on, and
 *  counters.held, are truer with it. */
TMTU_API size_t tmtu_flows_sweep(struct tmtu_flows *flows, size_t n,
                                 uint64_t now);

/** What happened so far. */
TMTU_API const struct tmtu_flows_counters *
tmtu_flows_counters(const struct tmtu_flows *flows);

#ifdef __cplusplus
}
#endif
#endif

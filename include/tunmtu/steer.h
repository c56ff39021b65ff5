/* SPDX-License-Identifier: MIT */
/**
 * @file
 * From a flow to one of many servers, the same on every machine: Maglev
 * (Eisenbud et al., NSDI 2016), with weights, in memory of the caller.
 */
#ifndef TUNMTU_STEER_H
#define TUNMTU_STEER_H

#include <tunmtu/hash.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Slots of a table if nothing speaks against it: prime, and enough for 655
 *  servers within 1 % of each other. */
#define TMTU_STEER_SLOTS 65537u
/** The largest weight, as in IPVS. */
#define TMTU_STEER_WEIGHT_MAX 65535u
/** The largest value a server can have. */
#define TMTU_STEER_VALUE_MAX 65534u

/** One server, as the caller describes it. */
struct tmtu_steer_server {
    uint8_t addr[16]; /**< its address, as in struct tmtu_flow: its identity */
    uint16_t port;    /**< part of its identity; 0 where ports do not count */
    uint16_t value;   /**< what tmtu_steer_lookup returns for it */
    uint32_t weight;  /**< its share; 0: no flows at all */
    /** Working memory of tmtu_steer_build; no need to set it. */
    struct {
        uint64_t at;   /**< when its next turn is */
        uint64_t step; /**< from turn to turn */
        uint32_t pos;  /**< the next slot it wants */
        uint32_t skip; /**< from there to the one after */
        uint32_t rank; /**< its place among the servers, by identity */
        uint32_t heap; /**< at index k: the server at place k of a heap */
    } state;
};

/** A table; opaque, in memory of the caller. */
struct tmtu_steer;

/** Bytes of memory that a table of @p slots slots needs; 0 if @p slots is not
 *  a prime from 3 to 16,777,213. */
TMTU_API size_t tmtu_steer_sizeof(uint32_t slots);

/**
 * Makes an empty table in @p mem, aligned to 8 bytes.
 *
 * @param mem   tmtu_steer_sizeof(slots) bytes; there is nothing to free
 * @param slots a prime
 * @return the table, at @p mem; NULL if @p slots is not allowed
 */
TMTU_API TMTU_MUST_CHECK struct tmtu_steer *tmtu_steer_init(void *mem,
                                                            uint32_t slots);

/**
 * Fills the table. The order of @p servers does not matter to the result, only
 * who is in the list and with what weight.
 *
 * A server with a weight gets at least one slot; beyond that, slots are in
 * proportion to weights, rounded to the nearest. Servers of the same weight
 * differ by no more than one slot. Who is added, removed or given another
 * weight takes slots from the others or leaves his to them; few slots besides
 * change hands.
 *
 * No lookup may run meanwhile: to change a table in use, fill another and
 * exchange the pointers. Time: about slots × (log(slots) + log(n)) steps, a
 * few milliseconds for 65537.
 *
 * @param steer   the table
 * @param servers who there is; only their state is written, and it is not
 *                needed afterwards
 * @param n       how many there are
 * @param key     makes the table another one; shared by all machines that must
 *                agree, and may be the key that flows are hashed with
 * @retval 0               filled; with no server of a weight above 0 it is
 *                         empty, and every lookup fails
 * @retval TMTU_E_ARGUMENT the same identity twice, more servers than slots, a
 *                         weight or a value over its maximum
 *
 * On failure the table is as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_steer_build(struct tmtu_steer *steer,
                                              struct tmtu_steer_server *servers,
                                              size_t n,
                                              const struct tmtu_hash_key *key);

/** The value of the server for a flow of this @p hash (tmtu_hash_flow);
 *  negative (TMTU_E_IGNORED) if the table is empty. */
TMTU_API int tmtu_steer_lookup(const struct tmtu_steer *steer, uint64_t hash);

#ifdef __cplusplus
}
#endif
#endif

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

/** One server, as the caller describes it. */
struct tmtu_steer_server {
    uint8_t addr[16];  /**< its address, as in struct tmtu_flow: its identity */
    uint16_t port;     /**< part of its identity; 0 where ports do not count */
    uint16_t value;    /**< what tmtu_steer_lookup returns for it */
    uint32_t weight;   /**< its share; 0: no new flows */
    uint64_t state[2]; /**< working memory of tmtu_steer_build */
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
TMTU_API struct tmtu_steer *tmtu_steer_init(void *mem, uint32_t slots);

/**
 * Fills the table. The order of @p servers does not matter to the result, only
 * who is in the list and with what weight.
 *
 * @p servers is sorted, and its state members are used up; it is not needed
 * afterwards. Time: about slots × log(slots) steps, plus a turn a server.
 *
 * @retval 0               filled; with no server of a weight above 0 it is
 *                         empty, and every lookup fails
 * @retval TMTU_E_ARGUMENT the same identity twice, more servers with a weight
 *                         than slots, or weights that add up to 2^32 and more
 *
 * On failure the table is as it was.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_steer_build(struct tmtu_steer *steer, struct tmtu_steer_server *servers,
                 size_t n, const struct tmtu_hash_key *key);

/** The value of the server for a flow of this @p hash (tmtu_hash_flow);
 *  negative (TMTU_E_IGNORED) if the table is empty. */
TMTU_API int tmtu_steer_lookup(const struct tmtu_steer *steer, uint64_t hash);

#ifdef __cplusplus
}
#endif
#endif

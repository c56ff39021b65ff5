/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What paths carry: learnt from errors, forgotten after a while, in memory of
 * the caller (RFC 1191, RFC 8201).
 */
#ifndef TUNMTU_PMTU_H
#define TUNMTU_PMTU_H

#include <tunmtu/hash.h>
#include <tunmtu/pmtu_path.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The shortest life that a learnt MTU may have, in nanoseconds: 5 minutes
 *  (RFC 1191 §6.3, RFC 8201 §4). */
#define TMTU_PMTU_EXPIRY_MIN 300000000000u
/** The shortest time between two steps up: a minute (RFC 1191 §6.3). */
#define TMTU_PMTU_RAISE_MIN 60000000000u

/** What is done when a learnt MTU has had its time. */
enum tmtu_pmtu_up {
    TMTU_PMTU_UP_LINK = 0,   /**< it is forgotten: the link's counts again */
    TMTU_PMTU_UP_PLATEAU = 1 /**< it rises to the next plateau, and so on
                                  (RFC 1191 §7) */
};

/** What is done with an error that nobody could validate. */
enum tmtu_pmtu_unvalidated {
    TMTU_PMTU_UNVALIDATED_IGNORE = 0, /**< nothing (RFC 8201 §4) */
    TMTU_PMTU_UNVALIDATED_SHARE = 1   /**< it is believed where no other is
                                           known, in a quarter of the memory */
};

/** How a cache behaves; begin with TMTU_PMTU_INIT. */
struct tmtu_pmtu_options {
    size_t size;         /**< of this struct, for versions to come */
    uint64_t expiry;     /**< nanoseconds that a learnt MTU holds, at least
                              TMTU_PMTU_EXPIRY_MIN */
    uint64_t raise;      /**< nanoseconds from one step up to the next, from
                              TMTU_PMTU_RAISE_MIN to expiry */
    uint32_t floor4;     /**< at least 68: IPv4 paths are not believed to carry
                              less; who says so locks them there */
    uint32_t floor6;     /**< at least 1280: errors that say less about IPv6
                              paths are ignored (RFC 8201 §4) */
    uint8_t up;          /**< enum tmtu_pmtu_up */
    uint8_t unvalidated; /**< enum tmtu_pmtu_unvalidated */
    uint8_t repeat;      /**< how often the same error must come, with nothing
                              longer delivered in between, to lower an MTU that
                              was learnt (RFC 5927 §7.2); 0 or 1: once */
    uint8_t linux6;      /**< nonzero: the same error again never renews the
                              time of an IPv6 path, as in Linux (K103); else as
                              for IPv4, or it would be raised sooner than RFC
                              8201 §4 allows */
};

/** 600 s, 120 s between steps; floors of 552 and 1280, as Linux has them;
 *  straight to the link's MTU; validated errors only; the first one counts. */
#define TMTU_PMTU_INIT                                                         \
    {                                                                          \
        sizeof(struct tmtu_pmtu_options), 600000000000u, 120000000000u, 552,   \
            1280, TMTU_PMTU_UP_LINK, TMTU_PMTU_UNVALIDATED_IGNORE, 0, 0        \
    }

/** What a "too big" says. */
struct tmtu_pmtu_error {
    uint32_t mtu;      /**< next-hop MTU as told, in bytes; 0: not told */
    uint16_t length;   /**< total length of the quoted IPv4 packet, to guess by
                            when the MTU was not told; 0: not known, then the
                            path is locked at the floor, as in Linux */
    uint8_t header;    /**< bytes of the quoted IPv4 header, options included */
    uint8_t validated; /**< nonzero: it quotes what we may have sent */
};

/** What became of an error. Values are part of the ABI. */
enum tmtu_pmtu_outcome {
    TMTU_PMTU_LEARNT = 0,      /**< recorded: lower than before, or locked */
    TMTU_PMTU_REFRESHED = 1,   /**< the same again; its time begins anew */
    TMTU_PMTU_KNOWN = 2,       /**< the same again, and it has more than half
                                    of its time yet, five minutes at least
                                    (K95); or see linux6 */
    TMTU_PMTU_HIGHER = 3,      /**< ignored: not lower than what is known; an
                                    error never raises an MTU */
    TMTU_PMTU_LOCKED = 4,      /**< ignored: locked (K97) or pinned */
    TMTU_PMTU_BELOW = 5,       /**< ignored: below floor6 */
    TMTU_PMTU_UNVALIDATED = 6, /**< ignored: not validated, and what is known
                                    is, or the options say so */
    TMTU_PMTU_PENDING = 7,     /**< noted: must be repeated to count */
    TMTU_PMTU_FULL = 8,        /**< ignored: all places are taken by what must
                                    stay */
    TMTU_PMTU_OUTCOMES = 9     /**< how many there are */
};

/** Counts of what happened in a cache. */
struct tmtu_pmtu_counters {
    uint64_t errors[TMTU_PMTU_OUTCOMES]; /**< given to tmtu_pmtu_learn, by
                                              enum tmtu_pmtu_outcome */
    uint64_t locked;   /**< learnt ones that were locked at the floor */
    uint64_t raised;   /**< steps up to a plateau */
    uint64_t expired;  /**< entries whose time was over, forgotten */
    uint64_t followed; /**< entries that followed their link's MTU */
    uint64_t evicted;  /**< entries forgotten for newer ones before their time,
                            all places taken */
};

/** What is known about a path. */
struct tmtu_pmtu_answer {
    uint64_t expiry; /**< when to ask again: until then it holds, if neither an
                          error comes nor the link changes; UINT64_MAX: for
                          ever */
    uint32_t mtu;    /**< longest packet that it carries, in bytes */
    uint8_t locked;  /**< nonzero: it may carry less; packets must go without
                          DF (K98) */
};

/** A cache; opaque, in memory of the caller. */
struct tmtu_pmtu;

/** Bytes of memory for @p entries paths; 0 if @p entries is not a power of two
 *  from 4 to 2^24. */
TMTU_API size_t tmtu_pmtu_sizeof(size_t entries);

/**
 * Begins with an empty cache in @p mem, aligned to 8 bytes; better to 64.
 *
 * A path may stand in four places. When all are taken, a validated error takes
 * that of one whose time is over, else of one that was not validated, else of
 * the one that expires first; those that are pinned, or validated and locked,
 * stay. An error that was not validated takes the place of its like, or one
 * that is free; never more than one of four, so that a flood of them can use a
 * quarter of the memory and push nobody out.
 *
 * Paths are told apart by 64 bits of a keyed hash. Not for two threads at a
 * time.
 *
 * @param mem     tmtu_pmtu_sizeof(entries) bytes; nothing to free
 * @param entries paths that are remembered
 * @param options how it behaves
 * @param key     keeps others from choosing who collides with whom
 * @return the cache, at @p mem; NULL if an argument is out of range: entries,
 *         the options' size, times, floors, up, unvalidated
 */
TMTU_API TMTU_MUST_CHECK struct tmtu_pmtu *
tmtu_pmtu_init(void *mem, size_t entries,
               const struct tmtu_pmtu_options *options,
               const struct tmtu_hash_key *key);

/**
 * What @p path carries: what was learnt, or else what its link does.
 *
 * The link's MTU is given with every call; there is nothing to be done when it
 * changes. Where it falls below what was learnt, that follows, and is not
 * locked any more; where it rises, what was learnt stays, unless it had been
 * the link's MTU (K99). Of a path into a tunnel, the link is the tunnel: give
 * what the tunnel carries (tmtu_mtu_inner of its carrier's path MTU).
 *
 * @param pmtu the cache
 * @param path the path
 * @param link MTU of the path's first link in bytes
 * @param now  nanoseconds of a monotonic clock; after a step back, an entry
 *             lives for one more expiry at most
 * @param out  the answer, always filled
 * @retval 1 learnt, or pinned
 * @retval 0 nothing is known: @p out says what the link does
 */
TMTU_API int tmtu_pmtu_lookup(struct tmtu_pmtu *pmtu,
                              const struct tmtu_pmtu_path *path, uint32_t link,
                              uint64_t now, struct tmtu_pmtu_answer *out);

/**
 * Learns from an error about a packet that went along @p path.
 *
 * It lowers the path's MTU, or does nothing. An IPv4 error that says less than
 * floor4 sets the path to it, or to what is known if that is less, and locks it
 * until its time is over (K96). An IPv4 error that does not tell the MTU is
 * taken to mean tmtu_pmtu_plateau().
 *
 * @param pmtu  the cache
 * @param path  the path of the packet it quotes; see tmtu_pmtu_path()
 * @param error what it says
 * @param link  as for tmtu_pmtu_lookup
 * @param now   as for tmtu_pmtu_lookup
 * @return what became of it
 */
TMTU_API enum tmtu_pmtu_outcome
tmtu_pmtu_learn(struct tmtu_pmtu *pmtu, const struct tmtu_pmtu_path *path,
                const struct tmtu_pmtu_error *error, uint32_t link,
                uint64_t now);

/** Says that a packet of @p length bytes reached the end of @p path: an error
 *  that said it carries less, and must be repeated to count, begins anew. */
TMTU_API void tmtu_pmtu_delivered(struct tmtu_pmtu *pmtu,
                                  const struct tmtu_pmtu_path *path,
                                  uint32_t length);

/**
 * Sets what @p path carries, for ever: no error changes it, nothing evicts it.
 * A lower MTU of the link still holds.
 *
 * @param pmtu   the cache
 * @param path   the path
 * @param mtu    in bytes
 * @param locked nonzero: packets go without DF
 * @retval 0               pinned
 * @retval TMTU_E_ARGUMENT @p mtu is 0
 * @retval TMTU_E_NOSPACE  all places of this path are pinned already
 */
TMTU_API TMTU_MUST_CHECK int tmtu_pmtu_pin(struct tmtu_pmtu *pmtu,
                                           const struct tmtu_pmtu_path *path,
                                           uint32_t mtu, int locked);

/** Forgets what is known about @p path, pinned or not. */
TMTU_API void tmtu_pmtu_forget(struct tmtu_pmtu *pmtu,
                               const struct tmtu_pmtu_path *path);

/** Ages the next @p n entries, round and round: what lookups do for the paths
 *  that are asked for, for the others (RFC 1191 §6.3). None needs it: an entry
 *  whose time is over gives no answer and keeps no place from another. Returns
 *  how many were forgotten. */
TMTU_API size_t tmtu_pmtu_sweep(struct tmtu_pmtu *pmtu, size_t n, uint64_t now);

/** What happened so far. */
TMTU_API const struct tmtu_pmtu_counters *
tmtu_pmtu_counters(const struct tmtu_pmtu *pmtu);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/* Token buckets that hold exactly, in a table that does not grow. */
#ifndef PMTUD_RATE_H
#define PMTUD_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bucket holds time: a message costs so many nanoseconds, and no more than
 * `full` are saved up. */
struct rate {
    uint64_t cost;
    uint64_t full;
};

/* What pmtud gives each of its rates to begin with, in seconds' worth. */
#define RATE_BURST 1.9

/* The bucket of so many messages a second, and RATE_BURST seconds' worth of
 * them at once, but one at least. */
struct rate rate_of(double per_second);

/* Since when a bucket has been saving. All there is to know about one: a bucket
 * that has saved for `full` or longer is as good as a new one. */
static inline bool rate_may(const struct rate *r, uint64_t since, uint64_t now)
{
    return now - since >= r->cost;
}

/* The same after a message. */
static inline uint64_t rate_take(const struct rate *r, uint64_t since,
                                 uint64_t now)
{
    return (now - since > r->full ? now - r->full : since) + r->cost;
}

/* Names and when: a set-associative table, nothing allocated after init. */
struct rate_entry {
    uint64_t name; /* a keyed hash, never 0; 0: nobody yet */
    uint64_t when;
};

struct rate_table {
    struct rate_entry *entry;
    size_t mask; /* of sets */
};

/* `entries`: a power of two. False: there is no memory. */
bool rate_table_init(struct rate_table *t, size_t entries);
void rate_table_free(struct rate_table *t);

/* The entry of a name, and *known is true; else one that may be given to it,
 * because nobody has it or it has been of no use for `idle` nanoseconds. NULL:
 * there is none, and *oldest would be the one to do without. */
struct rate_entry *rate_find(const struct rate_table *t, uint64_t name,
                             uint64_t idle, uint64_t now, bool *known,
                             struct rate_entry **oldest);

#endif

/* SPDX-License-Identifier: MIT */
/* Token buckets that hold exactly, in a table that does not grow. */
#include "rate.h"

#include <stdlib.h>

enum { WAYS = 8 }; /* entries that a name may stand in */

struct rate rate_of(double per_second)
{
    struct rate r;
    r.cost = (uint64_t)(1e9 / per_second + 0.5);
    r.full = (uint64_t)(RATE_BURST * 1e9);
    if (r.full < r.cost) /* or no message would ever be let through */
        r.full = r.cost;
    return r;
}

bool rate_table_init(struct rate_table *t, size_t entries)
{
    t->entry = calloc(entries, sizeof *t->entry);
    t->mask = entries / WAYS - 1;
    return t->entry != NULL;
}

void rate_table_free(struct rate_table *t)
{
    free(t->entry);
    t->entry = NULL;
}

struct rate_entry *rate_find(const struct rate_table *t, uint64_t name,
                             uint64_t idle, uint64_t now, bool *known,
                             struct rate_entry **oldest)
{
    struct rate_entry *set = &t->entry[((size_t)(name >> 32) & t->mask) * WAYS];
    struct rate_entry *spare = NULL;
    *known = false;
    *oldest = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].name == name) {
            *known = true;
            return &set[i];
        }
        if (spare == NULL && (set[i].name == 0 || now - set[i].when >= idle))
            spare = &set[i];
        if (set[i].when < (*oldest)->when)
            *oldest = &set[i];
    }
    return spare;
}

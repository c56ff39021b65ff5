/* SPDX-License-Identifier: MIT */
/* Messages about what anybody on the network can cause, as often as he likes:
 * said now and then, and how often it happened meanwhile. */
#ifndef TMTU_SELDOM_H
#define TMTU_SELDOM_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds from one message to the next. */
#define SELDOM_INTERVAL UINT64_C(10000000000)

struct seldom {
    uint64_t next; /* when it may be said again */
    uint64_t held; /* how often it was not, since it was */
};

/* It happened. True: say so, and that it did `*held` times more since it was
 * said last. `now`: nanoseconds that do not go back. */
static inline bool seldom(struct seldom *s, uint64_t now, uint64_t *held)
{
    if (now < s->next) {
        s->held++;
        return false;
    }
    *held = s->held;
    s->held = 0;
    s->next = now + SELDOM_INTERVAL;
    return true;
}

#endif

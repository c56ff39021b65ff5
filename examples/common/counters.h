/* SPDX-License-Identifier: MIT */
/* Counters, told one by one to whoever prints them; and their way to a file:
 * whole, or not at all. */
#ifndef TMTU_COUNTERS_H
#define TMTU_COUNTERS_H

#include <stdbool.h>
#include <stdio.h>

#include <tunmtu/flows.h>
#include <tunmtu/io.h>
#include <tunmtu/reass.h>

/* Counters that are one thing in different cases: a metric of Prometheus. */
struct counters_family {
    const char *name; /* after the program's; with "_total" at its end, it never
                         falls */
    const char *label; /* what tells cases apart: it has the last word of a
                          counter's name; NULL: there is but one */
    const char *help;
};

struct counters_label {
    const char *name, *value;
};

/* Whoever takes counters. */
struct counters {
    void (*take)(struct counters *to, const struct counters_family *family,
                 const char *group, const char *name, uint64_t value);
    const struct counters_label *about; /* what the next ones are of, a last one
                                           without a name behind; NULL: all */
};

/* Tells a counter, `group.name`, or `name` in the group "". A family NULL: only
 * files have it. */
static inline void counters_line(struct counters *to,
                                 const struct counters_family *family,
                                 const char *group, const char *name,
                                 uint64_t value)
{
    to->take(to, family, group, name, value);
}

/* Tells the counters of reassembly. */
void counters_reass(struct counters *to, const struct tmtu_reass_counters *c);

/* Of interfaces. */
extern const struct counters_family counters_received, counters_sent,
    counters_send_errors, counters_skipped, counters_lost;

/* Tells the counters of a backend, in a group that is called as the option it
 * comes from. */
void counters_io(struct counters *to, const char *group,
                 const struct tmtu_io *io);

/* Tells the counters of a table of flows. */
void counters_flows(struct counters *to, const char *group,
                    const struct tmtu_flows_counters *c);

/* Writes what `print` tells to `file`, a line `group.name value` each: to a new
 * file beside it, which then takes its place, so that a reader never sees half
 * of it. NULL, or what is no regular file (/dev/stdout), is written to at once;
 * NULL is standard error. False, and a sentence on standard error, if it
 * failed. */
bool counters_write(const char *file,
                    void (*print)(struct counters *, const void *),
                    const void *arg);

#endif

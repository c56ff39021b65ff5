/* SPDX-License-Identifier: MIT */
/* What tunmtu-pmtud tells: its counters, its configuration, single packets. */
#ifndef PMTUD_REPORT_H
#define PMTUD_REPORT_H

#include <stdio.h>

#include "counters.h"
#include "options.h"

/* What counters are read from. */
struct report {
    const struct pmtud *d;
    uint64_t received, lost, skipped, sent, send_errors;
};

/* Tells all counters of the `struct report` at `arg`, in a fixed order. */
void report_counters(struct counters *to, const void *arg);

/* Tells what metrics have. */
void report_metrics(struct counters *to, const struct report *r);

/* Prints what will be done. */
void report_config(FILE *f, const struct options *o, const struct pmtud *d);

/* Prints what became of the last packet, if `o` wants to know. */
void report_packet(FILE *f, const struct options *o, const struct pmtud *d);

/* Prints that a copy of the last packet could not be sent, and why. */
void report_unsent(FILE *f, const struct pmtud *d, const struct pmtud_out *out,
                   int error);

#endif

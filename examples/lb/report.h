/* SPDX-License-Identifier: MIT */
/* What tunmtu-lb tells: its counters, its configuration, single packets. */
#ifndef LB_REPORT_H
#define LB_REPORT_H

#include "lb.h"
#include "options.h"

/* What counters are read from. */
struct report {
    const struct lb *lb;
    const struct tmtu_io *io;
};

/* Prints all counters of the `struct report` at `arg`, in a fixed order. */
void report_counters(FILE *f, const void *arg);

/* Prints services, servers and tunnels. */
void report_config(FILE *f, const struct options *o, const struct lb *lb);

/* Prints what became of packet number `n`. */
void report_packet(FILE *f, const struct lb *lb, uint64_t n);

/* Prints that the last packet was an ICMP error with a wrong checksum, and that
 * there were `more` since this was printed last. */
void report_broken(FILE *f, const struct lb *lb, uint64_t more);

#endif

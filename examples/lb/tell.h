/* SPDX-License-Identifier: MIT */
/* What tunmtu-lb tells while it runs: its configuration, single packets. */
#ifndef LB_TELL_H
#define LB_TELL_H

#include "lb.h"
#include "options.h"

/* Prints services, servers and tunnels. */
void tell_config(FILE *f, const struct options *o, const struct services *t);

/* Prints what became of packet number `n`. */
void tell_packet(FILE *f, const struct lb *lb, uint64_t n);

/* Prints that the last packet was an ICMP error with a wrong checksum, and that
 * there were `more` since this was printed last. */
void tell_broken(FILE *f, const struct lb *lb, uint64_t more);

#endif

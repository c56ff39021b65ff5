/* SPDX-License-Identifier: MIT */
/* What tunmtu-realserver tells: its counters and its configuration. */
#ifndef REALSERVER_REPORT_H
#define REALSERVER_REPORT_H

#include <stdio.h>

#include "counters.h"
#include "options.h"

/* What counters are read from. */
struct report {
    const struct rs *rs;
    const struct tmtu_io *io, *tun;
};

/* Tells all counters of the `struct report` at `arg`, in a fixed order. */
void report_counters(struct counters *to, const void *arg);

void report_config(FILE *f, const struct options *o, const struct rs *rs);

#endif

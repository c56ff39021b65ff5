/* SPDX-License-Identifier: MIT */
/* Counters over HTTP, for Prometheus, without a thread of its own. */
#ifndef TMTU_METRICS_H
#define TMTU_METRICS_H

#include "args.h"
#include "counters.h"

struct MHD_Daemon;

struct metrics {
    struct MHD_Daemon *daemon; /* NULL: nothing is served */
    int fd;                    /* to wait for: readable; -1: none */
    const char *program;       /* without "tunmtu-" */
    bool (*print)(struct counters *, void *);
    void *arg;
};

/* Listens at an address; with its `wanted` false, no more than metrics_close()
 * and metrics_run() may come to nothing. `print` tells `arg`'s counters; false:
 * it cannot now. False: a sentence on standard error says why. */
bool metrics_open(struct metrics *m, const char *program,
                  const struct args_listen *at,
                  bool (*print)(struct counters *, void *), void *arg);

/* How many milliseconds a wait may last, of at most `most`; -1: for ever. */
int metrics_timeout(const struct metrics *m, int most);

/* Does what there is to do, without waiting: to be called when `fd` is readable
 * or the time is over. */
void metrics_run(struct metrics *m);

void metrics_close(struct metrics *m);

/* Tells the metric `info`: the version, and what else `about` has, up to a
 * label without a name. */
void metrics_info(struct counters *to, const struct counters_label *about);

#endif

/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-lb. */
#ifndef LB_OPTIONS_H
#define LB_OPTIONS_H

#include "args.h"
#include "services.h"

struct options {
    const char *rules;
    const char *io;
    const char *counters; /* NULL: standard error */
    struct args_listen metrics;
    bool verbose;
    unsigned queues;               /* of io */
    struct services_config config; /* mtu 0: that of the interface */
};

/* Reads it. Returns -1: go on; else the exit status: 0 after --help or
 * --version, 2 after a sentence about what is wrong. */
int options_read(struct options *o, int argc, char **argv);

#endif

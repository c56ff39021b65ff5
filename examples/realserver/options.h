/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-realserver. */
#ifndef REALSERVER_OPTIONS_H
#define REALSERVER_OPTIONS_H

#include "rs.h"

struct options {
    const char *io;
    const char *tun;
    const char *counters; /* NULL: standard error */
    struct args_listen metrics;
    bool verbose;
    struct rs_config config; /* mtu 0: that of the interface */
};

/* Reads it. Returns -1: go on; else the exit status: 0 after --help or
 * --version, 2 after a sentence about what is wrong. */
int options_read(struct options *o, int argc, char **argv);

#endif

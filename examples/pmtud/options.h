/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-pmtud. */
#ifndef PMTUD_OPTIONS_H
#define PMTUD_OPTIONS_H

#include "pmtud.h"

struct options {
    const char *iface;
    const char *io; /* IN.pcap:OUT.pcap; NULL: the interface */
    const char *rules;
    const char *counters; /* NULL: standard error */
    struct args_listen metrics;
    const char *user; /* NULL: stays who it is */
    int nflog;        /* group; -1: none */
    int cpu;          /* -1: any */
    int verbose;      /* 1: what is sent; 2: everything; 3: with bytes */
    bool dry_run;
    struct pmtud_config config;
    struct services_config services;
};

/* Reads it. Returns -1: go on; else the exit status: 0 after --help or
 * --version, 2 after a sentence about what is wrong. */
int options_read(struct options *o, int argc, char **argv);

void options_free(struct options *o);

#endif

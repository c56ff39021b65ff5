/* SPDX-License-Identifier: MIT */
/* Signals as something to wait for and to read, between two bursts. */
#ifndef TMTU_SIGNALS_H
#define TMTU_SIGNALS_H

#include <stdbool.h>

struct signals {
    int fd;      /* readable when one has come */
    bool stop;   /* SIGINT or SIGTERM has come */
    bool dump;   /* SIGUSR1 has come; the caller clears it */
    bool reload; /* so has SIGHUP */
};

/* Keeps SIGUSR1 and SIGHUP, which would end the program, until they are read:
 * to be called before anything that takes time. */
void signals_hold(void);

/* From now on signals are read instead of acted on, and whoever reads what we
 * say may go away (SIGPIPE). False: errno says why. */
bool signals_open(struct signals *s);

/* Reads those that have come. */
void signals_read(struct signals *s);

#endif

/* SPDX-License-Identifier: MIT */
/* Bursts: packets to receive into, packets to send, and their memory. */
#ifndef TMTU_BURST_H
#define TMTU_BURST_H

#include <stdbool.h>

#include <tunmtu/io.h>

#include "signals.h"

/* Packets, each with memory for the longest one there is. */
struct burst {
    struct tmtu_io_packet pkt[TMTU_IO_BURST];
    uint8_t *memory;
    unsigned n; /* of them to be sent */
};

/* False: there is no memory. */
bool burst_init(struct burst *b);
void burst_free(struct burst *b);

/* Receives up to a burst; what came last time is overwritten. As recv. */
int burst_recv(struct tmtu_io *io, struct burst *b);

/* The place for the next packet to send, empty, with headroom. Sends first if
 * there is none left; a result below zero is put in *error then. */
struct tmtu_io_packet *burst_next(struct tmtu_io *io, struct burst *b,
                                  int *error);

/* Sends all there are. Returns 0, or the -errno that lost them. */
int burst_send(struct tmtu_io *io, struct burst *b);

/* A backend that could not go on: whether it may recover (an interface that is
 * down). A sentence goes to standard error; `said` keeps it from repeating. */
bool burst_recovers(const char *program, const struct tmtu_io *io, int error,
                    bool *said);

/* Waits until one of the backends (both may be NULL) has something, a signal
 * has come, `other` (-1: none) is readable, or the time is over. Does not wait
 * for a backend without a file descriptor. True: `other` is readable. */
bool burst_wait(const struct tmtu_io *a, const struct tmtu_io *b,
                const struct signals *signals, int other, int timeout_ms);

/* Nanoseconds for timeouts: those of the capture, which must not go back, or
 * those of the clock, also where there is no backend now (NULL). */
uint64_t burst_now(const struct tmtu_io *io, uint64_t before, uint64_t time);

#endif

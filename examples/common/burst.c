/* SPDX-License-Identifier: MIT */
/* Bursts: packets to receive into, packets to send, and their memory. */
#define _POSIX_C_SOURCE 200809L
#include "burst.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool burst_init(struct burst *b)
{
    b->n = 0;
    b->memory = malloc((size_t)TMTU_IO_BURST * TMTU_IO_PACKET);
    for (size_t i = 0; b->memory != NULL && i < TMTU_IO_BURST; i++) {
        b->pkt[i].buf = tmtu_buf(b->memory + i * TMTU_IO_PACKET, TMTU_IO_PACKET,
                                 TMTU_IO_HEADROOM);
        b->pkt[i].time = 0;
        b->pkt[i].flags = 0;
        memset(b->pkt[i].via, 0, sizeof b->pkt[i].via);
    }
    return b->memory != NULL;
}

void burst_free(struct burst *b)
{
    free(b->memory);
    b->memory = NULL;
}

int burst_recv(struct tmtu_io *io, struct burst *b)
{
    return tmtu_io_recv(io, b->pkt, TMTU_IO_BURST);
}

int burst_send(struct tmtu_io *io, struct burst *b)
{
    const unsigned n = b->n;
    b->n = 0;
    for (unsigned done = 0; done < n;) {
        const int rc = tmtu_io_send(io, b->pkt + done, n - done);
        if (rc <= 0)
            return rc < 0 ? rc : -EIO;
        done += (unsigned)rc;
    }
    return 0;
}

struct tmtu_io_packet *burst_next(struct tmtu_io *io, struct burst *b,
                                  int *error)
{
    if (b->n == TMTU_IO_BURST) {
        const int rc = burst_send(io, b);
        if (rc < 0)
            *error = rc;
    }
    struct tmtu_io_packet *p = &b->pkt[b->n];
    p->buf = tmtu_buf(b->memory + (size_t)b->n * TMTU_IO_PACKET, TMTU_IO_PACKET,
                      TMTU_IO_HEADROOM);
    p->flags = 0;
    memset(p->via, 0, sizeof p->via);
    return p;
}

bool burst_recovers(const char *program, const struct tmtu_io *io, int error,
                    bool *said)
{
    const bool down = error == -ENETDOWN;
    if (!*said)
        fprintf(stderr, "%s: %s%s\n", program, io->why,
                down ? "; waiting for it" : "");
    *said = true;
    return down;
}

bool burst_wait(const struct tmtu_io *a, const struct tmtu_io *b,
                const struct signals *signals, int other, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = signals->fd, .events = POLLIN},
                           {.fd = other, .events = POLLIN},
                           {.fd = a != NULL ? a->fd : -1, .events = POLLIN},
                           {.fd = b != NULL ? b->fd : -1, .events = POLLIN}};
    if ((a != NULL && a->fd < 0) || (b != NULL && b->fd < 0))
        timeout_ms = 0;
    /* Whatever it returns: look and try again. */
    return poll(fds, 4, timeout_ms) > 0 && fds[1].revents != 0;
}

uint64_t burst_now(const struct tmtu_io *io, uint64_t before, uint64_t time)
{
    if (io == NULL || io->fd >= 0) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    }
    return time > before ? time : before;
}

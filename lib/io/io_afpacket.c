/* SPDX-License-Identifier: MIT */
/* The backend that is a network interface: received from a packet socket's
 * ring, sent through raw IP sockets. */
#include <stdlib.h>

#include "io_own.h"

/* Milliseconds that a wait lasts at most. */
enum { AFPACKET_LOOK = 1000 };

struct afpacket_io {
    struct tmtu_io io;
    struct tmtu_io_link link;
    struct tmtu_io_ring ring;
    struct tmtu_io_rawip raw;
    uint8_t *gso; /* memory of tmtu_io_gso_send */
};

static int afpacket_recv(struct tmtu_io *io, struct tmtu_io_packet *pkts,
                         unsigned n)
{
    return tmtu_io_ring_recv(&((struct afpacket_io *)io)->ring, pkts, n);
}

static int afpacket_plain(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                          unsigned n)
{
    struct afpacket_io *a = (struct afpacket_io *)io;
    return tmtu_io_rawip_send(io, &a->raw, &a->link, pkts, n);
}

static int afpacket_send(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                         unsigned n)
{
    struct afpacket_io *a = (struct afpacket_io *)io;
    return tmtu_io_gso_send(io, &a->gso, afpacket_plain, NULL, pkts, n);
}

static int afpacket_wait(struct tmtu_io *io, int timeout_ms)
{
    if (((struct afpacket_io *)io)->ring.cut.on)
        return 0;
    /* A ring that is stuck wakes nobody: recv has to look, see io_ring.c. */
    if (timeout_ms < 0 || timeout_ms > AFPACKET_LOOK)
        timeout_ms = AFPACKET_LOOK;
    return tmtu_io_link_wait(io, timeout_ms);
}

static int afpacket_close(struct tmtu_io *io)
{
    struct afpacket_io *a = (struct afpacket_io *)io;
    tmtu_io_ring_close(&a->ring);
    tmtu_io_rawip_close(&a->raw);
    free(a->gso);
    free(a);
    return 0;
}

static const struct tmtu_io_ops afpacket_ops = {
    "afpacket", afpacket_recv, afpacket_send, afpacket_wait, afpacket_close,
};

static int afpacket_open(struct afpacket_io *a, const char *name, char *why)
{
    if (tmtu_io_link_name(&a->link, name, why) != 0 ||
        tmtu_io_link_find(&a->link, 0, &a->io.mtu, why) != 0 ||
        tmtu_io_ring_open(&a->ring, &a->io, &a->link, why) != 0)
        return -1;
    if (tmtu_io_rawip_open(&a->raw, &a->link, why) == 0)
        return 0;
    tmtu_io_ring_close(&a->ring);
    return -1;
}

struct tmtu_io *tmtu_io_afpacket(const char *name, char *why)
{
    struct afpacket_io *a = calloc(1, sizeof *a);
    if (a == NULL) {
        tmtu_io_why(why, "afpacket: out of memory");
        return NULL;
    }
    a->io.ops = &afpacket_ops;
    a->io.fd = -1;
    if (afpacket_open(a, name, why) != 0) {
        free(a);
        return NULL;
    }
    return &a->io;
}

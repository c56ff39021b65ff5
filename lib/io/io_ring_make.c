/* SPDX-License-Identifier: MIT */
/* The memory of a receive ring of AF_PACKET: made, and made anew. */
#include <errno.h>
#include <string.h>

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "io_own.h"

enum {
    RING_BYTES = 8 << 20,   /* 4096 packets of an Ethernet */
    RING_BLOCK = 128 << 10, /* what the kernel allocates at once */
    RING_FRAME_MIN = 2048,
    RING_FRAME_MAX = 65536,
    RING_OVERHEAD = 192 /* kernel's headers before a packet, at most */
};

int tmtu_io_ring_make(struct tmtu_io_ring *r)
{
    struct tpacket_req req;
    r->frame_len = RING_FRAME_MIN;
    while (r->frame_len < RING_FRAME_MAX &&
           r->frame_len < r->io->mtu + RING_OVERHEAD)
        r->frame_len *= 2;
    r->frames = RING_BYTES / r->frame_len;
    r->next = 0;
    req.tp_block_size = RING_BLOCK;
    req.tp_block_nr = RING_BYTES / RING_BLOCK;
    req.tp_frame_size = r->frame_len;
    req.tp_frame_nr = r->frames;
    if (setsockopt(r->io->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req) !=
        0)
        return -1;
    void *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                      r->io->fd, 0);
    if (ring == MAP_FAILED)
        return -1;
    r->bytes = ring;
    return 0;
}

void tmtu_io_ring_unmap(struct tmtu_io_ring *r)
{
    if (r->bytes != NULL)
        munmap(r->bytes, RING_BYTES);
    r->bytes = NULL;
}

int tmtu_io_ring_again(struct tmtu_io_ring *r)
{
    struct tpacket_req none;
    memset(&none, 0, sizeof none);
    tmtu_io_ring_unmap(r);
    if (setsockopt(r->io->fd, SOL_PACKET, PACKET_RX_RING, &none, sizeof none) ==
            0 &&
        tmtu_io_ring_make(r) == 0)
        return 0;
    const int error = errno;
    tmtu_io_why(r->io->why, "%s: cannot make the receive ring anew: %s",
                r->link->name, strerror(error));
    return -error;
}

/* SPDX-License-Identifier: MIT */
/* The backend for tests and embedding: two queues of packets in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io_own.h"

struct memory_node {
    struct memory_node *next;
    uint64_t time;
    uint8_t via[16];
    size_t n;
    uint8_t bytes[];
};

struct memory_queue {
    struct memory_node *first, **last;
};

struct memory_io {
    struct tmtu_io io;
    struct memory_queue in, out;
    uint8_t *gso; /* memory of tmtu_io_gso_send */
};

static int memory_add(struct memory_queue *q, const uint8_t *p, size_t n,
                      uint64_t time, const uint8_t via[16])
{
    struct memory_node *node = malloc(sizeof *node + n);
    if (node == NULL)
        return -ENOMEM;
    node->next = NULL;
    node->time = time;
    memcpy(node->via, via, sizeof node->via);
    node->n = n;
    if (n > 0)
        memcpy(node->bytes, p, n);
    *q->last = node;
    q->last = &node->next;
    return 0;
}

static int memory_remove(struct memory_queue *q, struct tmtu_io_packet *pkt)
{
    struct memory_node *node = q->first;
    if (node == NULL)
        return 0;
    if (pkt != NULL) {
        tmtu_io_fill(pkt, node->bytes, node->n, node->time, 0);
        memcpy(pkt->via, node->via, sizeof pkt->via);
    }
    q->first = node->next;
    if (q->first == NULL)
        q->last = &q->first;
    free(node);
    return 1;
}

static int memory_recv(struct tmtu_io *io, struct tmtu_io_packet *pkts,
                       unsigned n)
{
    struct memory_io *m = (struct memory_io *)io;
    unsigned got = 0;
    while (got < n && memory_remove(&m->in, &pkts[got]))
        got++;
    io->received += got;
    return (int)got;
}

static int memory_keep(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                       unsigned n)
{
    struct memory_io *m = (struct memory_io *)io;
    for (unsigned i = 0; i < n; i++) {
        const size_t len = tmtu_buf_len(&pkts[i].buf);
        if (len > io->mtu) { /* as an interface would */
            io->send_errors++;
            continue;
        }
        if (memory_add(&m->out, pkts[i].buf.data, len, pkts[i].time,
                       pkts[i].via) != 0) {
            tmtu_io_why(io->why, "memory: out of memory");
            return i > 0 ? (int)i : -ENOMEM;
        }
        io->sent++;
    }
    return (int)n;
}

static int memory_send(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                       unsigned n)
{
    struct memory_io *m = (struct memory_io *)io;
    return tmtu_io_gso_send(io, &m->gso, memory_keep, NULL, pkts, n);
}

static int memory_wait(struct tmtu_io *io, int timeout_ms)
{
    (void)io;
    (void)timeout_ms; /* nobody else feeds it: waiting would not help */
    return 0;
}

static int memory_close(struct tmtu_io *io)
{
    struct memory_io *m = (struct memory_io *)io;
    while (memory_remove(&m->in, NULL) || memory_remove(&m->out, NULL))
        ;
    free(m->gso);
    free(m);
    return 0;
}

static const struct tmtu_io_ops memory_ops = {
    "memory", memory_recv, memory_send, memory_wait, memory_close,
};

struct tmtu_io *tmtu_io_memory(uint32_t mtu)
{
    struct memory_io *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->io.ops = &memory_ops;
    m->io.fd = -1;
    m->io.mtu = mtu;
    m->in.last = &m->in.first;
    m->out.last = &m->out.first;
    return &m->io;
}

int tmtu_io_memory_feed(struct tmtu_io *io, const uint8_t *p, size_t n,
                        uint64_t time)
{
    static const uint8_t none[16];
    return memory_add(&((struct memory_io *)io)->in, p, n, time, none);
}

int tmtu_io_memory_take(struct tmtu_io *io, struct tmtu_io_packet *pkt)
{
    return memory_remove(&((struct memory_io *)io)->out, pkt);
}

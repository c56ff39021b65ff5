/* SPDX-License-Identifier: MIT */
/* Super-packets sent segment by segment, and received so. */
#include <stdlib.h>

#include <tunmtu/segment.h>

#include "io_own.h"

/* Room for one segment, however long, behind others. */
enum { GSO_MEMORY = 128 << 10 };

static int gso_begin(struct tmtu_segment *cut, const struct tmtu_io_packet *pkt)
{
    struct tmtu_pkt p;
    /* A wrong header checksum shall not become a right one on the way. */
    const int rc = tmtu_ip_parse(tmtu_buf_view(&pkt->buf), TMTU_IP_VERIFY, &p);
    if (rc < 0)
        return rc;
    p.gso_size = pkt->gso_size;
    return tmtu_segment_init(
        cut, &p, pkt->flags & TMTU_IO_GSO_CWR ? TMTU_SEGMENT_CWR : 0);
}

/* The next segments, as many as fit. Returns how many; 0: there are no more. */
static unsigned gso_fill(struct tmtu_segment *cut, uint8_t *mem,
                         const struct tmtu_io_packet *whole,
                         struct tmtu_io_packet *out)
{
    size_t used = 0;
    unsigned n = 0;
    for (; n < TMTU_IO_BURST; n++) {
        out[n] = *whole;
        out[n].gso_size = 0;
        out[n].flags &= ~TMTU_IO_GSO_CWR;
        out[n].buf = tmtu_buf(mem + used, GSO_MEMORY - used, 0);
        if (tmtu_segment_next(cut, &out[n].buf) != 1)
            break;
        used += tmtu_buf_len(&out[n].buf);
    }
    return n;
}

/* Returns 0 when all of it was sent or refused; or what `send` returned. */
static int gso_one(struct tmtu_io *io, uint8_t **mem, tmtu_io_send_fn *send,
                   const struct tmtu_io_packet *pkt)
{
    struct tmtu_io_packet out[TMTU_IO_BURST];
    struct tmtu_segment cut;
    if (*mem == NULL)
        *mem = malloc(GSO_MEMORY);
    if (*mem == NULL || gso_begin(&cut, pkt) < 0) {
        io->send_errors++;
        return 0;
    }
    for (unsigned n; (n = gso_fill(&cut, *mem, pkt, out)) > 0;) {
        for (unsigned done = 0; done < n;) {
            const int rc = send(io, out + done, n - done);
            if (rc < 0)
                return rc;
            done += (unsigned)rc;
        }
    }
    return 0;
}

int tmtu_io_gso_send(struct tmtu_io *io, uint8_t **mem, tmtu_io_send_fn *send,
                     tmtu_io_carries_fn *carries,
                     const struct tmtu_io_packet *pkts, unsigned n)
{
    unsigned i = 0;
    while (i < n) {
        unsigned k = i;
        while (k < n && (pkts[k].gso_size == 0 ||
                         (carries != NULL && carries(io, &pkts[k]))))
            k++;
        int rc = 1;
        if (k > i)
            rc = send(io, pkts + i, k - i);
        else if ((rc = gso_one(io, mem, send, &pkts[i])) == 0)
            rc = 1;
        if (rc < 0)
            return i > 0 ? (int)i : rc;
        i += (unsigned)rc;
    }
    return (int)n;
}

static int cut_memory(struct tmtu_io_packet *pkt)
{
    uint8_t *mem = malloc(TMTU_IO_PACKET);
    pkt->buf = tmtu_buf(mem, mem != NULL ? TMTU_IO_PACKET : 0, 0);
    return mem != NULL ? 0 : -1;
}

int tmtu_io_cut_init(struct tmtu_io_cut *cut)
{
    cut->on = 0;
    return cut_memory(&cut->whole) | cut_memory(&cut->one);
}

void tmtu_io_cut_free(struct tmtu_io_cut *cut)
{
    free(cut->whole.buf.head);
    free(cut->one.buf.head);
    cut->whole.buf.head = cut->one.buf.head = NULL;
}

int tmtu_io_cut_begin(struct tmtu_io_cut *cut)
{
    const int rc = gso_begin(&cut->segment, &cut->whole);
    cut->on = rc == 0;
    return rc;
}

/* Writes the next one behind the headroom that a packet is received with. */
static int cut_write(struct tmtu_io_cut *cut, struct tmtu_io_packet *pkt)
{
    struct tmtu_buf *b = &pkt->buf;
    *b = tmtu_buf(b->head, (size_t)(b->end - b->head), TMTU_IO_HEADROOM);
    const int rc = tmtu_segment_next(&cut->segment, b);
    if (rc == 1)
        tmtu_io_filled(pkt, tmtu_buf_len(b), cut->whole.time,
                       cut->whole.flags & ~TMTU_IO_GSO_CWR);
    return rc;
}

int tmtu_io_cut_next(struct tmtu_io_cut *cut, struct tmtu_io_packet *pkt)
{
    int rc = cut_write(cut, pkt);
    if (rc < 0) { /* too short, and gets as much of it as fits */
        const struct tmtu_io_packet *one = &cut->one;
        rc = cut_write(cut, &cut->one);
        tmtu_io_fill(pkt, one->buf.data, tmtu_buf_len(&one->buf), one->time,
                     one->flags);
    }
    cut->on = rc == 1;
    return cut->on;
}

void tmtu_io_cut_refused(const struct tmtu_io_cut *cut,
                         struct tmtu_io_packet *pkt)
{
    const struct tmtu_io_packet *w = &cut->whole;
    tmtu_io_fill(pkt, w->buf.data, tmtu_buf_len(&w->buf), w->time, w->flags);
    pkt->gso_size = w->gso_size;
}

/* SPDX-License-Identifier: MIT */
/* What the backends of libtunmtu-io share among themselves; not installed. */
#ifndef TMTU_IO_OWN_H
#define TMTU_IO_OWN_H

#include <string.h>

#include <tunmtu/io.h>
#include <tunmtu/segment.h>

/* Writes the sentence that tells the user what went wrong; `why` is TMTU_IO_WHY
 * bytes, or NULL. */
__attribute__((format(printf, 2, 3))) void tmtu_io_why(char *why,
                                                       const char *format, ...);

/* Where a received packet is written, and how much of it fits. */
static inline uint8_t *tmtu_io_room(const struct tmtu_io_packet *pkt,
                                    size_t *room)
{
    const size_t all = (size_t)(pkt->buf.end - pkt->buf.head);
    *room = all > TMTU_IO_HEADROOM ? all - TMTU_IO_HEADROOM : 0;
    return *room > 0 ? pkt->buf.head + TMTU_IO_HEADROOM : pkt->buf.end;
}

/* Says that `n` bytes were written where tmtu_io_room told. */
static inline void tmtu_io_filled(struct tmtu_io_packet *pkt, size_t n,
                                  uint64_t time, uint32_t flags)
{
    size_t room;
    pkt->buf.data = tmtu_io_room(pkt, &room);
    pkt->buf.tail = pkt->buf.data + n;
    pkt->time = time;
    pkt->flags = flags;
    pkt->gso_size = 0;
    memset(pkt->via, 0, sizeof pkt->via);
}

/* Nonzero when the packet is to go to a host that it does not name. */
static inline int tmtu_io_has_via(const struct tmtu_io_packet *pkt)
{
    return (tmtu_load64(pkt->via) | tmtu_load64(pkt->via + 8)) != 0;
}

/* Copies a packet in, as much as fits. */
static inline void tmtu_io_fill(struct tmtu_io_packet *pkt, const uint8_t *p,
                                size_t n, uint64_t time, uint32_t flags)
{
    size_t room;
    uint8_t *to = tmtu_io_room(pkt, &room);
    if (n > room) {
        n = room;
        flags |= TMTU_IO_CUT;
    }
    if (n > 0)
        tmtu_copy(to, p, n);
    tmtu_io_filled(pkt, n, time, flags);
}

/* Nonzero when the packet at `p` is of the other IP version than the link
 * layer's protocol number promised: no host takes it for either. A version
 * that does not exist is left to the parser, which has a reason for it. */
static inline int tmtu_io_contradicts(unsigned ethertype, const uint8_t *p,
                                      size_t n)
{
    return n > 0 && (ethertype == 0x0800 ? p[0] >> 4 == 6 : p[0] >> 4 == 4);
}

/* io_linktype.c: what stands before the IP header in a capture. */

/* Nonzero when tmtu_io_linktype_strip knows this DLT_ value. */
int tmtu_io_linktype_known(int dlt);

/* Takes the link-layer header off `v`. Returns TMTU_IO_* flags, or -1 when what
 * follows is not IP. */
int tmtu_io_linktype_strip(int dlt, struct tmtu_view *v);

/* io_link.c: network interfaces. */

struct tmtu_io_link {
    char name[16]; /* IFNAMSIZ */
    unsigned index;
    unsigned queues; /* that there will be, this one among them */
    int gso;         /* super-packets are welcome */
};

/* Takes apart NAME[,gso][,queues=N], with a name that can be an interface's.
 * Returns 0 or -EINVAL. */
int tmtu_io_link_name(struct tmtu_io_link *link, const char *spec, char *why);

/* Finds the named interface, reads its MTU, and brings it up if `up` says so.
 * Returns 0 or -errno. */
int tmtu_io_link_find(struct tmtu_io_link *link, int up, uint32_t *mtu,
                      char *why);

/* Returns 0 while it is up; else -ENODEV or -ENETDOWN. */
int tmtu_io_link_state(const struct tmtu_io_link *link, char *why);

/* tmtu_io_ops.wait of whatever has a file descriptor. */
int tmtu_io_link_wait(struct tmtu_io *io, int timeout_ms);

/* io_gso.c: super-packets as segments. */

/* tmtu_io_ops.send, and whether it can send this super-packet itself. */
typedef int tmtu_io_send_fn(struct tmtu_io *io,
                            const struct tmtu_io_packet *pkts, unsigned n);
typedef int tmtu_io_carries_fn(const struct tmtu_io *io,
                               const struct tmtu_io_packet *pkt);

/* tmtu_io_ops.send for super-packets too, through `send`. `carries` may be
 * NULL: none. `mem` points to NULL before the first call, is allocated when
 * needed, and to be freed. */
int tmtu_io_gso_send(struct tmtu_io *io, uint8_t **mem, tmtu_io_send_fn *send,
                     tmtu_io_carries_fn *carries,
                     const struct tmtu_io_packet *pkts, unsigned n);

/* A super-packet that was received, on its way out. */
struct tmtu_io_cut {
    int on;                           /* there may be more of it */
    struct tmtu_segment segment;      /* of `whole`, while `on` */
    struct tmtu_io_packet whole, one; /* in memory of their own */
};

/* Returns 0; or -1 and errno: there is no memory. tmtu_io_cut_free() in any
 * case. */
int tmtu_io_cut_init(struct tmtu_io_cut *cut);
void tmtu_io_cut_free(struct tmtu_io_cut *cut);

/* Begins with the super-packet in cut->whole. Returns 0; below zero: it cannot
 * be cut. */
int tmtu_io_cut_begin(struct tmtu_io_cut *cut);

/* The next segment. Returns 1, or 0: there are no more. */
int tmtu_io_cut_next(struct tmtu_io_cut *cut, struct tmtu_io_packet *pkt);

/* Delivers cut->whole as it is. */
void tmtu_io_cut_refused(const struct tmtu_io_cut *cut,
                         struct tmtu_io_packet *pkt);

/* io_ring.c: receiving from an interface. */

struct tmtu_io_ring {
    struct tmtu_io *io; /* whose fd, counters and sentence it uses */
    const struct tmtu_io_link *link;
    uint8_t *bytes;
    uint32_t frame_len, frames, next;
    int alarm;              /* an errno that is still to be told; 0: none */
    int down;               /* the interface was, when last asked */
    uint64_t taken;         /* frames since the ring was empty */
    uint64_t dropped;       /* since then, too: not yet in io->lost */
    int gso;                /* super-packets are delivered whole */
    struct tmtu_io_cut cut; /* else what is being cut */
};

/* Listens on the interface, or on a queue of it; io->mtu is known. Returns 0 or
 * -errno. */
int tmtu_io_ring_open(struct tmtu_io_ring *ring, struct tmtu_io *io,
                      const struct tmtu_io_link *link, char *why);

void tmtu_io_ring_close(struct tmtu_io_ring *ring);

/* io_ring_make.c: its memory. The socket is open; -1 and errno on failure. */
int tmtu_io_ring_make(struct tmtu_io_ring *ring);
void tmtu_io_ring_unmap(struct tmtu_io_ring *ring);

/* An empty ring for the one that there was. Returns 0 or -errno. */
int tmtu_io_ring_again(struct tmtu_io_ring *ring);

/* tmtu_io_ops.recv. */
int tmtu_io_ring_recv(struct tmtu_io_ring *ring, struct tmtu_io_packet *pkts,
                      unsigned n);

/* io_onlink.c: which hosts are on an interface's link. */

struct tmtu_io_onlink {
    int fd; /* of the kernel's routes */
    uint32_t seq;
    struct {
        uint8_t addr[16];
        uint64_t until; /* nanoseconds; 0: nothing is known */
        int error;
    } slot[64];
};

/* Opens; -1 and errno on failure. */
int tmtu_io_onlink_open(struct tmtu_io_onlink *o);

void tmtu_io_onlink_close(struct tmtu_io_onlink *o);

/* Whether the kernel would send packets for `addr` to that host itself, over
 * the interface. Returns 0; -EHOSTUNREACH: no, but to a router, to this host or
 * a group; or another -errno. */
int tmtu_io_onlink(struct tmtu_io_onlink *o, const struct tmtu_io_link *link,
                   const uint8_t addr[16]);

/* io_rawip.c: sending through raw IP sockets. */

struct tmtu_io_rawip {
    int fd4, fd6; /* fd6 is -1 on a host without IPv6 */
    struct tmtu_io_onlink onlink;
};

/* Opens sockets bound to the interface. Returns 0 or -errno. */
int tmtu_io_rawip_open(struct tmtu_io_rawip *raw,
                       const struct tmtu_io_link *link, char *why);

void tmtu_io_rawip_close(struct tmtu_io_rawip *raw);

/* tmtu_io_ops.send. */
int tmtu_io_rawip_send(struct tmtu_io *io, struct tmtu_io_rawip *raw,
                       const struct tmtu_io_link *link,
                       const struct tmtu_io_packet *pkts, unsigned n);

#endif

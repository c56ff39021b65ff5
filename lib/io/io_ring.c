/* SPDX-License-Identifier: MIT */
/* Receiving from a network interface: a ring of AF_PACKET.
 *
 * It is TPACKET_V2: a packet can be seen as soon as it is in. V3 hands out
 * blocks, one that is not full only after its timer. Measured for a lone packet
 * on Linux 6.18, over veth, from its time stamp to the end of poll: V3 with the
 * shortest timer 470 us (median) to 1060 us, V2 38 us to 62 us. Kernels before
 * count that timer in jiffies of up to 4 ms and more.
 *
 * SOCK_RAW, not SOCK_DGRAM, for only there PACKET_VNET_HDR tells where a
 * checksum was left undone; link-layer headers are skipped by the offsets that
 * the kernel gives. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include "io_own.h"
#include "io_vnet.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

enum {
    /* Longer packets (GRO) come over the socket, and wait in its buffer. */
    RCVBUF = 8 << 20,
    /* Frames looked at in one recv: other people's traffic shall not hold it.
     */
    LOOKS = 4 * TMTU_IO_BURST
};

/* One frame of the ring, in words. */
struct ring_frame {
    const uint8_t *data; /* the IP header */
    size_t len;          /* of it there */
    size_t all;          /* of it in the packet */
    size_t link_len;     /* link-layer header before it */
    uint64_t time;
    uint32_t flags;
};

/* Whether the frame is an IP packet for this host and this interface. */
static int ring_wanted(const struct sockaddr_ll *from, uint32_t status,
                       uint16_t tci, const struct ring_frame *f)
{
    const unsigned ethertype = ntohs(from->sll_protocol);
    if (from->sll_pkttype != PACKET_HOST &&
        from->sll_pkttype != PACKET_BROADCAST &&
        from->sll_pkttype != PACKET_MULTICAST)
        return 0;
    if (ethertype != ETHERTYPE_IP && ethertype != ETHERTYPE_IPV6)
        return 0;
    if ((status & TP_STATUS_VLAN_VALID) && (tci & 0xfff) != 0)
        return 0; /* VLAN 0 is a priority, and still ours */
    return !tmtu_io_contradicts(ethertype, f->data, f->len);
}

/* A packet longer than a frame also waits in the socket: fetches it. Returns
 * its length there; below zero when only the ring has it. */
static ssize_t ring_fetch(struct tmtu_io_ring *r, const struct ring_frame *f,
                          struct tmtu_io_packet *pkt)
{
    uint8_t before[sizeof(struct virtio_net_hdr) + 256];
    const size_t skip = sizeof(struct virtio_net_hdr) + f->link_len;
    if (skip > sizeof before)
        return -1;
    size_t room;
    uint8_t *to = tmtu_io_room(pkt, &room);
    struct iovec iov[2] = {{before, skip}, {to, room}};
    struct msghdr msg;
    memset(&msg, 0, sizeof msg);
    msg.msg_iov = iov;
    msg.msg_iovlen = 2;
    /* The first call may tell an error of the interface instead. */
    ssize_t n = recvmsg(r->io->fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno != EAGAIN) {
        r->alarm = errno;
        n = recvmsg(r->io->fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
    }
    return n < (ssize_t)skip ? -1 : n - (ssize_t)skip;
}

static void ring_copy(struct tmtu_io_ring *r, const struct ring_frame *f,
                      uint32_t status, struct tmtu_io_packet *pkt)
{
    size_t room;
    (void)tmtu_io_room(pkt, &room);
    const ssize_t n = status & TP_STATUS_COPY ? ring_fetch(r, f, pkt) : -1;
    if (n >= 0)
        tmtu_io_filled(pkt, (size_t)n < room ? (size_t)n : room, f->time,
                       f->flags | ((size_t)n > room ? TMTU_IO_CUT : 0));
    else
        tmtu_io_fill(pkt, f->data, f->len, f->time,
                     f->flags | (f->len < f->all ? TMTU_IO_CUT : 0));
}

/* Takes a frame that is ours to read. Returns 1, or 0 when it was skipped, or
 * is to be cut. */
static int ring_take(struct tmtu_io_ring *r, const uint8_t *frame,
                     uint32_t status, struct tmtu_io_packet *pkt)
{
    struct tpacket2_hdr h;
    struct sockaddr_ll from;
    struct virtio_net_hdr v;
    struct ring_frame f;
    memcpy(&h, frame, sizeof h);
    memcpy(&from, frame + TPACKET_ALIGN((int)sizeof h), sizeof from);
    memcpy(&v, frame + h.tp_mac - sizeof v, sizeof v);
    f.link_len = h.tp_net > h.tp_mac ? (size_t)(h.tp_net - h.tp_mac) : 0;
    f.data = frame + h.tp_mac + f.link_len;
    f.len = h.tp_snaplen > f.link_len ? h.tp_snaplen - f.link_len : 0;
    f.all = h.tp_len > f.link_len ? h.tp_len - f.link_len : 0;
    f.time = (uint64_t)h.tp_sec * 1000000000 + h.tp_nsec;
    f.flags = from.sll_pkttype == PACKET_HOST ? 0 : TMTU_IO_L2_GROUP;
    if (!ring_wanted(&from, status, h.tp_vlan_tci, &f)) {
        if (status & TP_STATUS_COPY)
            (void)ring_fetch(r, &f, pkt); /* out of the way */
        r->io->skipped++;
        return 0;
    }
    const uint16_t gso_size = tmtu_io_vnet_gso(&v, &f.flags);
    struct tmtu_io_packet *to = pkt;
    if (gso_size != 0 && !r->gso)
        to = &r->cut.whole;
    ring_copy(r, &f, status, to);
    to->gso_size = gso_size;
    if (to != pkt && tmtu_io_cut_begin(&r->cut) == 0)
        return 0;
    tmtu_io_vnet_finish(&v, f.link_len, to);
    if (to != pkt)
        tmtu_io_cut_refused(&r->cut, pkt);
    return 1;
}

/* Asking also resets the kernel's count. */
static void ring_count_lost(struct tmtu_io_ring *r)
{
    struct tpacket_stats stats;
    socklen_t n = sizeof stats;
    if (getsockopt(r->io->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) == 0)
        r->dropped += stats.tp_drops;
}

/* The ring is empty. A packet that the kernel cannot describe beside it (a
 * super-packet of SCTP, or of UFO) takes a place for ever, and nothing comes in
 * any more: Linux marks the place before it tries, and does not take the mark
 * back. That is how a ring drops packets that was not full since it was empty
 * before; it has to be made anew. */
static int ring_empty(struct tmtu_io_ring *r)
{
    ring_count_lost(r);
    const int stuck = r->dropped > 0 && r->taken < r->frames;
    r->io->lost += r->dropped;
    r->dropped = r->taken = 0;
    return stuck ? tmtu_io_ring_again(r) : 0;
}

/* Nothing is there: is the interface? And did a full ring, since emptied, turn
 * anything away? */
static int ring_idle(struct tmtu_io_ring *r)
{
    int error = r->alarm;
    socklen_t n = sizeof error;
    r->alarm = 0;
    const int empty = ring_empty(r);
    if (empty < 0)
        return empty;
    if (error == 0 &&
        getsockopt(r->io->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        error = errno;
    if (error == 0 && !r->down)
        return 0;
    /* Of an interface that is down the socket is not told that it is gone. */
    const int rc = tmtu_io_link_state(r->link, r->io->why);
    r->down = rc == -ENETDOWN;
    if (rc < 0 || error == 0 || error == ENETDOWN)
        return rc; /* or it was down for a moment */
    tmtu_io_why(r->io->why, "%s: cannot receive: %s", r->link->name,
                strerror(error));
    return -error;
}

int tmtu_io_ring_recv(struct tmtu_io_ring *r, struct tmtu_io_packet *pkts,
                      unsigned n)
{
    unsigned got = 0;
    /* 0 is not returned while there are segments: who waits would wait for
     * another frame. */
    for (int looks = 0; got < n && (looks < LOOKS || (got == 0 && r->cut.on));
         looks++) {
        while (r->cut.on && got < n)
            got += (unsigned)tmtu_io_cut_next(&r->cut, &pkts[got]);
        if (got == n)
            break;
        uint8_t *frame = r->bytes + (size_t)r->next * r->frame_len;
        uint32_t *status = (uint32_t *)(void *)frame; /* tp_status is first */
        const uint32_t now = __atomic_load_n(status, __ATOMIC_ACQUIRE);
        if (!(now & TP_STATUS_USER)) {
            if (got == 0 && looks == 0)
                return ring_idle(r);
            break;
        }
        got += (unsigned)ring_take(r, frame, now, &pkts[got]);
        __atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        r->taken++;
        r->next = r->next + 1 < r->frames ? r->next + 1 : 0;
        if (now & TP_STATUS_LOSING)
            ring_count_lost(r);
    }
    r->io->received += got;
    return (int)got;
}

static int ring_set(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value);
}

/* The queues of this process and interface share what arrives: a flow's packets
 * go to one, and fragments by their addresses. What each said for itself about
 * packets that leave does not count among several; kernels that do not know the
 * flag pass over it. -1 and errno on failure. */
static int ring_join(const struct tmtu_io_ring *r, int fd)
{
    const unsigned group = ((unsigned)getpid() * 31 + r->link->index) & 0xffff;
    const unsigned how =
        PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
    return ring_set(fd, PACKET_FANOUT, (int)(group | how << 16));
}

/* -1 and errno on failure. */
static int ring_listen(struct tmtu_io_ring *r)
{
    struct sockaddr_ll to;
    /* Protocol 0: nothing arrives before it is bound to the interface. */
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    const int rcvbuf = RCVBUF;
    r->io->fd = fd;
    if (fd < 0 || ring_set(fd, PACKET_VERSION, TPACKET_V2) != 0 ||
        ring_set(fd, PACKET_VNET_HDR, 1) != 0 ||
        ring_set(fd, PACKET_COPY_THRESH, 1) != 0)
        return -1;
    (void)ring_set(fd, PACKET_IGNORE_OUTGOING, 1); /* else skipped here */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    if (tmtu_io_ring_make(r) != 0)
        return -1;
    memset(&to, 0, sizeof to);
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ALL);
    to.sll_ifindex = (int)r->link->index;
    if (bind(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return -1;
    return r->link->queues > 1 ? ring_join(r, fd) : 0;
}

int tmtu_io_ring_open(struct tmtu_io_ring *r, struct tmtu_io *io,
                      const struct tmtu_io_link *link, char *why)
{
    memset(r, 0, sizeof *r);
    r->io = io;
    r->link = link;
    r->gso = link->gso;
    if (ring_listen(r) == 0 && (r->gso || tmtu_io_cut_init(&r->cut) == 0))
        return 0;
    const int error = errno;
    tmtu_io_why(why, "%s: cannot open a packet socket: %s%s", link->name,
                strerror(error), error == EPERM ? " (needs CAP_NET_RAW)" : "");
    tmtu_io_ring_close(r);
    return -error;
}

void tmtu_io_ring_close(struct tmtu_io_ring *r)
{
    tmtu_io_ring_unmap(r);
    if (r->io->fd >= 0)
        close(r->io->fd);
    tmtu_io_cut_free(&r->cut);
    r->io->fd = -1;
}

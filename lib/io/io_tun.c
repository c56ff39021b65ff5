/* SPDX-License-Identifier: MIT */
/* The backend that is a TUN device. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "io_own.h"
#include "io_vnet.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20 /* Linux 6.2 */
#define TUN_F_USO6 0x40
#endif

/* Milliseconds that one send waits for a full queue, in all. */
enum { TUN_PATIENCE = 10 };

struct tun_io {
    struct tmtu_io io;
    struct tmtu_io_link link;
    int uso;      /* a virtio_net_hdr may tell of UDP */
    uint8_t *mem; /* of tmtu_io_gso_send */
};

static uint64_t tun_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What read or write failed with, if that is the device's end; else 0. */
static int tun_state(struct tun_io *t, int error)
{
    if (error == EBADFD) { /* detached: somebody deleted the device */
        tmtu_io_why(t->io.why, "%s: the interface is gone", t->link.name);
        return -ENODEV;
    }
    return error == EIO ? tmtu_io_link_state(&t->link, t->io.why) : 0;
}

/* Reads a packet. Returns how much of it fits, or -errno. */
static int tun_read(struct tun_io *t, struct tmtu_io_packet *pkt, uint64_t *now)
{
    struct virtio_net_hdr v;
    const size_t before = t->link.gso ? sizeof v : 0;
    /* The kernel cuts without a word: one byte more tells. */
    uint8_t more;
    size_t room;
    uint8_t *to = tmtu_io_room(pkt, &room);
    struct iovec iov[3] = {{&v, before}, {to, room}, {&more, 1}};
    ssize_t len;
    do
        len = readv(t->io.fd, iov, 3);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return -errno;
    if (*now == 0)
        *now = tun_clock();
    const size_t n = (size_t)len > before ? (size_t)len - before : 0;
    tmtu_io_filled(pkt, n > room ? room : n, *now, n > room ? TMTU_IO_CUT : 0);
    if (t->link.gso && (size_t)len >= before) {
        pkt->gso_size = tmtu_io_vnet_gso(&v, &pkt->flags);
        tmtu_io_vnet_finish(&v, 0, pkt);
    }
    return 0;
}

static int tun_recv(struct tmtu_io *io, struct tmtu_io_packet *pkts, unsigned n)
{
    struct tun_io *t = (struct tun_io *)io;
    unsigned got = 0;
    uint64_t now = 0;
    for (; got < n; got++) {
        const int error = -tun_read(t, &pkts[got], &now);
        if (error == EAGAIN)
            break;
        if (error != 0 && got == 0) {
            const int rc = tun_state(t, error);
            if (rc < 0)
                return rc;
            tmtu_io_why(io->why, "%s: cannot read: %s", t->link.name,
                        strerror(error));
            return -error;
        }
        if (error != 0)
            break;
    }
    io->received += got;
    return (int)got;
}

/* Whether the kernel takes this super-packet as it is. */
static int tun_carries(const struct tmtu_io *io,
                       const struct tmtu_io_packet *pkt)
{
    const struct tun_io *t = (const struct tun_io *)io;
    struct virtio_net_hdr v;
    uint8_t check[2];
    return tmtu_io_vnet_make(pkt, t->uso, &v, check) == 0;
}

static ssize_t tun_write(const struct tun_io *t,
                         const struct tmtu_io_packet *pkt)
{
    const struct tmtu_buf *b = &pkt->buf;
    const size_t n = tmtu_buf_len(b);
    struct virtio_net_hdr v;
    uint8_t check[2];
    if (!t->link.gso)
        return write(t->io.fd, b->data, n);
    memset(&v, 0, sizeof v);
    if (pkt->gso_size == 0) {
        struct iovec iov[2] = {{&v, sizeof v}, {b->data, n}};
        return writev(t->io.fd, iov, 2);
    }
    /* The packet's own checksum is whole; here it is to be half done. */
    if (tmtu_io_vnet_make(pkt, t->uso, &v, check) != 0) {
        errno = EINVAL;
        return -1;
    }
    const size_t at = (size_t)v.csum_start + v.csum_offset;
    struct iovec iov[4] = {{&v, sizeof v},
                           {b->data, at},
                           {check, sizeof check},
                           {b->data + at + 2, n - at - 2}};
    return writev(t->io.fd, iov, 4);
}

static int tun_plain(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                     unsigned n)
{
    struct tun_io *t = (struct tun_io *)io;
    int patience = TUN_PATIENCE;
    for (unsigned i = 0; i < n;) {
        if (tmtu_io_has_via(&pkts[i])) {
            tmtu_io_why(io->why, "%s: a TUN device has no link with hosts",
                        t->link.name);
            io->off_link++;
            io->send_errors++;
            i++;
            continue;
        }
        if (tun_write(t, &pkts[i]) >= 0) {
            io->sent++;
            i++;
            continue;
        }
        const int error = errno;
        if (error == EINTR)
            continue;
        if ((error == EAGAIN || error == ENOBUFS) && patience-- > 0) {
            struct pollfd p = {io->fd, POLLOUT, 0};
            (void)poll(&p, 1, 1);
            continue;
        }
        const int rc = tun_state(t, error);
        if (rc < 0)
            return i > 0 ? (int)i : rc;
        io->send_errors++;
        i++;
    }
    return (int)n;
}

static int tun_send(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                    unsigned n)
{
    struct tun_io *t = (struct tun_io *)io;
    return tmtu_io_gso_send(io, &t->mem, tun_plain,
                            t->link.gso ? tun_carries : NULL, pkts, n);
}

static int tun_close(struct tmtu_io *io)
{
    close(io->fd);
    free(((struct tun_io *)io)->mem);
    free(io);
    return 0;
}

static const struct tmtu_io_ops tun_ops = {
    "tun", tun_recv, tun_send, tmtu_io_link_wait, tun_close,
};

static void tun_why(const struct tmtu_io_link *link, char *why)
{
    const char *hint = "";
    if (errno == EPERM)
        hint = " (needs CAP_NET_ADMIN, or a device that is yours)";
    else if (errno == EBUSY)
        hint = " (another program has it)";
    else if (errno == EINVAL)
        hint =
            link->queues > 1
                ? " (there is such an interface, but not a TUN device with "
                  "multi_queue)"
                : " (there is such an interface, but not a plain TUN device)";
    tmtu_io_why(why, "%s: cannot become a TUN device: %s%s", link->name,
                strerror(errno), hint);
}

/* Whole checksums and no super-packets, whoever had a persistent device before:
 * that is the default, so a refusal means nothing. Or both, as far as the
 * kernel goes. Returns 0; -1 and errno. */
static int tun_offload(struct tun_io *t)
{
    const unsigned long tcp =
        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    const int size = sizeof(struct virtio_net_hdr);
    if (!t->link.gso) {
        (void)ioctl(t->io.fd, TUNSETOFFLOAD, 0);
        return 0;
    }
    if (ioctl(t->io.fd, TUNSETVNETHDRSZ, &size) < 0)
        return -1;
    t->uso = ioctl(t->io.fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;
    return t->uso ? 0 : ioctl(t->io.fd, TUNSETOFFLOAD, tcp);
}

/* Attaches to the device, or makes it. */
static int tun_attach(struct tun_io *t, char *why)
{
    struct ifreq ifr;
    t->io.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->io.fd < 0) {
        const char *hint = "";
        if (errno == EPERM || errno == EACCES)
            hint = " (needs CAP_NET_ADMIN, and permission on that file)";
        else if (errno == ENOENT || errno == ENXIO)
            hint = " (is the module tun loaded?)";
        tmtu_io_why(why, "%s: cannot open /dev/net/tun: %s%s", t->link.name,
                    strerror(errno), hint);
        return -1;
    }
    memset(&ifr, 0, sizeof ifr);
    memcpy(ifr.ifr_name, t->link.name, IFNAMSIZ);
    ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (t->link.gso)
        ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_VNET_HDR);
    if (t->link.queues > 1)
        ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_MULTI_QUEUE);
    if (ioctl(t->io.fd, TUNSETIFF, &ifr) < 0) {
        tun_why(&t->link, why);
        return -1;
    }
    memcpy(t->link.name, ifr.ifr_name, IFNAMSIZ); /* "tun%d" has a number now */
    if (tun_offload(t) < 0) {
        tmtu_io_why(why, "%s: this kernel has no super-packets for TUN: %s",
                    t->link.name, strerror(errno));
        return -1;
    }
    return tmtu_io_link_find(&t->link, 1, &t->io.mtu, why);
}

struct tmtu_io *tmtu_io_tun(const char *name, char *why)
{
    struct tun_io *t = calloc(1, sizeof *t);
    if (t == NULL) {
        tmtu_io_why(why, "tun: out of memory");
        return NULL;
    }
    t->io.ops = &tun_ops;
    t->io.fd = -1;
    if (tmtu_io_link_name(&t->link, name, why) != 0 ||
        tun_attach(t, why) != 0) {
        if (t->io.fd >= 0)
            close(t->io.fd);
        free(t);
        return NULL;
    }
    return &t->io;
}

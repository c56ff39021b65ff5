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

/* Milliseconds that one send waits for a full queue, in all. */
enum { TUN_PATIENCE = 10 };

struct tun_io {
    struct tmtu_io io;
    struct tmtu_io_link link;
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

static int tun_recv(struct tmtu_io *io, struct tmtu_io_packet *pkts, unsigned n)
{
    struct tun_io *t = (struct tun_io *)io;
    unsigned got = 0;
    uint64_t now = 0;
    while (got < n) {
        /* The kernel cuts without a word: one byte more tells. */
        uint8_t more;
        size_t room;
        uint8_t *to = tmtu_io_room(&pkts[got], &room);
        struct iovec iov[2] = {{to, room}, {&more, 1}};
        const ssize_t len = readv(io->fd, iov, 2);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && errno != EAGAIN && got == 0) {
            const int error = errno, rc = tun_state(t, error);
            if (rc < 0)
                return rc;
            tmtu_io_why(io->why, "%s: cannot read: %s", t->link.name,
                        strerror(error));
            return -error;
        }
        if (len < 0)
            break;
        if (now == 0)
            now = tun_clock();
        const int cut = (size_t)len > room;
        tmtu_io_filled(&pkts[got++], cut ? room : (size_t)len, now,
                       cut ? TMTU_IO_CUT : 0);
    }
    io->received += got;
    return (int)got;
}

static int tun_send(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                    unsigned n)
{
    struct tun_io *t = (struct tun_io *)io;
    int patience = TUN_PATIENCE;
    for (unsigned i = 0; i < n;) {
        const struct tmtu_buf *b = &pkts[i].buf;
        if (write(io->fd, b->data, tmtu_buf_len(b)) >= 0) {
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

static int tun_close(struct tmtu_io *io)
{
    close(io->fd);
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
        hint = " (there is such an interface, but not a plain TUN device)";
    tmtu_io_why(why, "%s: cannot become a TUN device: %s%s", link->name,
                strerror(errno), hint);
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
    if (ioctl(t->io.fd, TUNSETIFF, &ifr) < 0) {
        tun_why(&t->link, why);
        return -1;
    }
    memcpy(t->link.name, ifr.ifr_name, IFNAMSIZ); /* "tun%d" has a number now */
    /* Whole checksums and no super-packets, whoever had a persistent device
     * before; that is the default, so a refusal means nothing. */
    (void)ioctl(t->io.fd, TUNSETOFFLOAD, 0);
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

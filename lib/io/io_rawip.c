/* SPDX-License-Identifier: MIT */
/* Sending through raw IP sockets: the kernel routes and finds the neighbour. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../wire.h"
#include "io_own.h"

/* Newer than some libc headers. */
#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif
#ifndef IP_NODEFRAG
#define IP_NODEFRAG 22
#endif

enum { RAWIP_SNDBUF = 8 << 20 };
/* Milliseconds that one send waits for a full queue, in all. */
enum { RAWIP_PATIENCE = 10 };

union rawip_to {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

static int rawip_on(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* What both families need; -1 and errno on failure. */
static int rawip_socket(int family, const struct tmtu_io_link *link)
{
    const int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name,
                   (socklen_t)strlen(link->name)) != 0) {
        const int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    if (rawip_on(fd, SOL_SOCKET, SO_SNDBUFFORCE, RAWIP_SNDBUF) != 0)
        (void)rawip_on(fd, SOL_SOCKET, SO_SNDBUF, RAWIP_SNDBUF);
    return fd;
}

/* PROBE: the interface's MTU counts, not what the kernel learnt of the path,
 * and DF stays as it is. NODEFRAG: connection tracking shall not put our
 * fragments together again. What goes to a group does not come back to us. */
static int rawip_open4(const struct tmtu_io_link *link)
{
    const int fd = rawip_socket(AF_INET, link);
    if (fd >= 0) {
        (void)rawip_on(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        (void)rawip_on(fd, IPPROTO_IP, IP_NODEFRAG, 1);
        (void)rawip_on(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
        (void)rawip_on(fd, SOL_SOCKET, SO_BROADCAST, 1);
    }
    return fd;
}

static int rawip_open6(const struct tmtu_io_link *link)
{
    const int fd = rawip_socket(AF_INET6, link);
    if (fd >= 0) {
        (void)rawip_on(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1);
        (void)rawip_on(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                       IPV6_PMTUDISC_PROBE);
        (void)rawip_on(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    }
    return fd;
}

int tmtu_io_rawip_open(struct tmtu_io_rawip *raw,
                       const struct tmtu_io_link *link, char *why)
{
    raw->fd4 = raw->fd6 = -1;
    if (tmtu_io_onlink_open(&raw->onlink) == 0) {
        raw->fd4 = rawip_open4(link);
        raw->fd6 = raw->fd4 >= 0 ? rawip_open6(link) : -1;
    }
    if (raw->fd4 >= 0 && (raw->fd6 >= 0 || errno == EAFNOSUPPORT))
        return 0;
    const int error = errno;
    tmtu_io_why(why, "%s: cannot open a raw IP socket: %s%s", link->name,
                strerror(error), error == EPERM ? " (needs CAP_NET_RAW)" : "");
    tmtu_io_rawip_close(raw);
    return -error;
}

void tmtu_io_rawip_close(struct tmtu_io_rawip *raw)
{
    if (raw->fd4 >= 0)
        close(raw->fd4);
    if (raw->fd6 >= 0)
        close(raw->fd6);
    tmtu_io_onlink_close(&raw->onlink);
    raw->fd4 = raw->fd6 = -1;
}

/* The socket for a packet, -1 if there is none. */
static int rawip_fd(const struct tmtu_io_rawip *raw, const struct tmtu_buf *b)
{
    const size_t n = tmtu_buf_len(b);
    if (n >= W_IP4_SIZE && b->data[0] >> 4 == 4)
        return raw->fd4;
    return n >= W_IP6_SIZE && b->data[0] >> 4 == 6 ? raw->fd6 : -1;
}

/* The next hop that a packet may have. Returns 0 when it is a host on the link,
 * or there is none; else -errno. */
static int rawip_hop(struct tmtu_io_rawip *raw, const struct tmtu_io_link *link,
                     const struct tmtu_io_packet *pkt)
{
    if (!tmtu_io_has_via(pkt))
        return 0;
    if ((pkt->buf.data[0] >> 4 == 4) != tmtu_addr_is4(pkt->via))
        return -EAFNOSUPPORT;
    return tmtu_io_onlink(&raw->onlink, link, pkt->via);
}

/* Where a packet goes: to its next hop, or what its header says. The kernel
 * finds the neighbour by this address, not by that in the header. Link-local
 * and group addresses mean nothing without the interface. */
static socklen_t rawip_address(union rawip_to *to,
                               const struct tmtu_io_packet *pkt, unsigned index)
{
    const uint8_t *p = pkt->buf.data;
    const int via = tmtu_io_has_via(pkt);
    memset(to, 0, sizeof *to);
    if (p[0] >> 4 == 4) {
        to->ip4.sin_family = AF_INET;
        memcpy(&to->ip4.sin_addr, via ? pkt->via + 12 : p + W_IP4_DST, 4);
        return sizeof to->ip4;
    }
    to->ip6.sin6_family = AF_INET6;
    to->ip6.sin6_scope_id = index;
    memcpy(&to->ip6.sin6_addr, via ? pkt->via : p + W_IP6_DST, 16);
    return sizeof to->ip6;
}

/* Sends packets of one family, as far as they follow each other and their next
 * hops are there, that of the first having been found. Returns how many the
 * kernel took, or -errno of the first. */
static int rawip_run(int fd, struct tmtu_io_rawip *raw,
                     const struct tmtu_io_link *link,
                     const struct tmtu_io_packet *pkts, unsigned n)
{
    struct mmsghdr msgs[TMTU_IO_BURST];
    struct iovec iov[TMTU_IO_BURST];
    union rawip_to to[TMTU_IO_BURST];
    unsigned k = 0;
    for (; k < n && k < TMTU_IO_BURST; k++) {
        const struct tmtu_buf *b = &pkts[k].buf;
        if (k > 0 &&
            (rawip_fd(raw, b) != fd || rawip_hop(raw, link, &pkts[k]) != 0))
            break;
        iov[k].iov_base = b->data;
        iov[k].iov_len = tmtu_buf_len(b);
        memset(&msgs[k], 0, sizeof msgs[k]);
        msgs[k].msg_hdr.msg_name = &to[k];
        msgs[k].msg_hdr.msg_namelen =
            rawip_address(&to[k], &pkts[k], link->index);
        msgs[k].msg_hdr.msg_iov = &iov[k];
        msgs[k].msg_hdr.msg_iovlen = 1;
    }
    const int rc = sendmmsg(fd, msgs, k, MSG_DONTWAIT);
    return rc < 0 ? -errno : rc;
}

/* Whether the interface may be the reason for this error. */
static int rawip_suspects_link(int error)
{
    return error == ENETDOWN || error == ENODEV || error == ENXIO ||
           error == ENETUNREACH || error == EADDRNOTAVAIL;
}

/* A packet was refused for its next hop. */
static void rawip_off_link(struct tmtu_io *io, const struct tmtu_io_link *link,
                           const struct tmtu_io_packet *pkt)
{
    char ip[INET6_ADDRSTRLEN] = "";
    const int v4 = tmtu_addr_is4(pkt->via);
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? pkt->via + 12 : pkt->via, ip,
                    sizeof ip);
    tmtu_io_why(io->why,
                "%s: %s is no host on this link, so packets for other "
                "addresses cannot be sent to it",
                link->name, ip);
    io->off_link++;
}

int tmtu_io_rawip_send(struct tmtu_io *io, struct tmtu_io_rawip *raw,
                       const struct tmtu_io_link *link,
                       const struct tmtu_io_packet *pkts, unsigned n)
{
    int patience = RAWIP_PATIENCE;
    unsigned i = 0;
    while (i < n) {
        const int fd = rawip_fd(raw, &pkts[i].buf);
        const int hop = fd >= 0 ? rawip_hop(raw, link, &pkts[i]) : 0;
        int rc = fd >= 0 ? hop : -EAFNOSUPPORT;
        if (rc == 0)
            rc = rawip_run(fd, raw, link, pkts + i, n - i);
        if (rc > 0) {
            io->sent += (unsigned)rc;
            i += (unsigned)rc;
            continue;
        }
        if (rc == -EINTR)
            continue;
        if ((rc == -EAGAIN || rc == -ENOBUFS) && patience-- > 0) {
            struct pollfd p = {fd, POLLOUT, 0};
            (void)poll(&p, 1, 1);
            continue;
        }
        if (rawip_suspects_link(-rc)) {
            rc = tmtu_io_link_state(link, io->why);
            if (rc < 0)
                return i > 0 ? (int)i : rc;
        }
        if (hop < 0)
            rawip_off_link(io, link, &pkts[i]);
        io->send_errors++; /* this one is refused; the next may not be */
        i++;
    }
    return (int)n;
}

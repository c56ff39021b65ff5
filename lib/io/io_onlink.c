/* SPDX-License-Identifier: MIT */
/* Which hosts are on an interface's link: the kernel's routes tell.
 *
 * Raw sockets have no way to ask for it: IPv6 ignores MSG_DONTROUTE, and IPv4
 * then takes the destination in the header for the neighbour. */
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "io_own.h"

/* For so long an answer is good, in nanoseconds. */
static const uint64_t onlink_second = 1000000000;

struct onlink_request {
    struct nlmsghdr head;
    struct rtmsg route;
    uint8_t attributes[64];
};

union onlink_answer {
    struct nlmsghdr head;
    uint8_t bytes[4096];
};

static uint64_t onlink_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * onlink_second + (uint64_t)t.tv_nsec;
}

int tmtu_io_onlink_open(struct tmtu_io_onlink *o)
{
    memset(o, 0, sizeof *o);
    o->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return o->fd >= 0 ? 0 : -1;
}

void tmtu_io_onlink_close(struct tmtu_io_onlink *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

static void onlink_attribute(struct onlink_request *q, unsigned short type,
                             const void *p, size_t n)
{
    struct rtattr a;
    uint8_t *to = (uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len);
    a.rta_type = type;
    a.rta_len = (unsigned short)RTA_LENGTH(n);
    memcpy(to, &a, sizeof a);
    memcpy(to + RTA_LENGTH(0), p, n);
    q->head.nlmsg_len =
        (uint32_t)(NLMSG_ALIGN(q->head.nlmsg_len) + RTA_LENGTH(n));
}

/* Which route the kernel would take: `ip route get ADDR oif IFNAME`. */
static int onlink_ask(struct tmtu_io_onlink *o, unsigned index,
                      const uint8_t addr[16])
{
    const int v4 = tmtu_addr_is4(addr);
    struct onlink_request q;
    memset(&q, 0, sizeof q);
    q.head.nlmsg_len = NLMSG_LENGTH(sizeof q.route);
    q.head.nlmsg_type = RTM_GETROUTE;
    q.head.nlmsg_flags = NLM_F_REQUEST;
    q.head.nlmsg_seq = ++o->seq;
    q.route.rtm_family = v4 ? AF_INET : AF_INET6;
    q.route.rtm_dst_len = v4 ? 32 : 128;
    q.route.rtm_flags = RTM_F_LOOKUP_TABLE;
    onlink_attribute(&q, RTA_DST, v4 ? addr + 12 : addr, v4 ? 4 : 16);
    onlink_attribute(&q, RTA_OIF, &index, sizeof index);
    const ssize_t n = send(o->fd, &q, q.head.nlmsg_len, 0);
    return n < 0 ? -errno : 0;
}

/* Reads a route: to the host itself, over this interface? */
static int onlink_route(const uint8_t *p, size_t n, unsigned index)
{
    struct rtmsg route;
    uint32_t out = 0;
    int router = 0;
    if (n < NLMSG_ALIGN(sizeof route))
        return -EPROTO;
    memcpy(&route, p, sizeof route);
    for (size_t at = NLMSG_ALIGN(sizeof route); n - at >= RTA_LENGTH(0);) {
        struct rtattr a;
        memcpy(&a, p + at, sizeof a);
        if (a.rta_len < RTA_LENGTH(0) || a.rta_len > n - at)
            return -EPROTO;
        const size_t len = a.rta_len - RTA_LENGTH(0);
        if (a.rta_type == RTA_OIF && len == sizeof out)
            memcpy(&out, p + at + RTA_LENGTH(0), sizeof out);
        router |= a.rta_type == RTA_GATEWAY || a.rta_type == RTA_VIA;
        const size_t step = RTA_ALIGN(a.rta_len);
        at = step < n - at ? at + step : n;
    }
    /* Who names an interface that no route leads to is told, for IPv4, that all
     * is on its link; only no table says so. */
    if (route.rtm_table == RT_TABLE_UNSPEC)
        return -EHOSTUNREACH;
    return route.rtm_type != RTN_UNICAST || router || out != index
               ? -EHOSTUNREACH
               : 0;
}

/* The answer to the question before: netlink gives it at once. */
static int onlink_read(const struct tmtu_io_onlink *o, unsigned index)
{
    union onlink_answer a;
    for (;;) {
        const ssize_t n = recv(o->fd, &a, sizeof a, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if ((size_t)n < sizeof a.head || a.head.nlmsg_len > (size_t)n ||
            a.head.nlmsg_len < NLMSG_LENGTH(0))
            return -EPROTO;
        if (a.head.nlmsg_seq != o->seq)
            continue; /* to another question, given up */
        const size_t len = a.head.nlmsg_len - NLMSG_LENGTH(0);
        if (a.head.nlmsg_type == RTM_NEWROUTE)
            return onlink_route(a.bytes + NLMSG_LENGTH(0), len, index);
        int error = 0;
        if (a.head.nlmsg_type == NLMSG_ERROR && len >= sizeof error)
            memcpy(&error, a.bytes + NLMSG_LENGTH(0), sizeof error);
        return error < 0 ? error : -EPROTO;
    }
}

int tmtu_io_onlink(struct tmtu_io_onlink *o, const struct tmtu_io_link *link,
                   const uint8_t addr[16])
{
    const size_t slots = sizeof o->slot / sizeof o->slot[0];
    const uint64_t now = onlink_clock();
    const size_t i = (addr[15] ^ addr[14] ^ addr[13]) % slots;
    if (now < o->slot[i].until && tmtu_addr_equal(o->slot[i].addr, addr))
        return o->slot[i].error;
    int rc = onlink_ask(o, link->index, addr);
    if (rc == 0)
        rc = onlink_read(o, link->index);
    memcpy(o->slot[i].addr, addr, 16);
    o->slot[i].until = now + onlink_second;
    o->slot[i].error = rc;
    return rc;
}

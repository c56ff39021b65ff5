/* SPDX-License-Identifier: MIT */
/* Network interfaces: found by name, asked how they are, waited for. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io_own.h"

_Static_assert(sizeof((struct tmtu_io_link *)0)->name == IFNAMSIZ,
               "an interface's name fits");

/* One option behind the name, up to the next comma or the end. */
static int link_option(struct tmtu_io_link *link, const char *o, size_t n)
{
    static const char queues[] = "queues=";
    const size_t key = sizeof queues - 1;
    unsigned value = 0;
    if (n == 3 && memcmp(o, "gso", 3) == 0) {
        link->gso = 1;
        return 0;
    }
    if (n <= key || n > key + 2 || memcmp(o, queues, key) != 0)
        return -1;
    for (size_t i = key; i < n; i++) {
        if (o[i] < '0' || o[i] > '9')
            return -1;
        value = value * 10 + (unsigned)(o[i] - '0');
    }
    link->queues = value;
    return value >= 1 && value <= TMTU_IO_QUEUES ? 0 : -1;
}

int tmtu_io_link_name(struct tmtu_io_link *link, const char *spec, char *why)
{
    const size_t n = strcspn(spec, ",");
    memset(link, 0, sizeof *link);
    link->queues = 1;
    for (size_t at = n; spec[at] != '\0';) {
        const size_t len = strcspn(spec + ++at, ",");
        if (link_option(link, spec + at, len) != 0) {
            tmtu_io_why(why,
                        "\"%.100s\": the only options are gso and queues=N, N "
                        "from 1 to %d",
                        spec, TMTU_IO_QUEUES);
            return -EINVAL;
        }
        at += len;
    }
    if (n == 0 || n >= IFNAMSIZ || strcspn(spec, "/: \t\n") < n) {
        tmtu_io_why(why,
                    "\"%.100s\": not the name of an interface (1 to 15 "
                    "characters, no blank, slash or colon)",
                    spec);
        return -EINVAL;
    }
    memcpy(link->name, spec, n);
    return 0;
}

/* One question; any socket will do to ask it. */
static int link_ask(const struct tmtu_io_link *link, unsigned long what,
                    struct ifreq *ifr)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(ifr->ifr_name, link->name, IFNAMSIZ);
    const int rc = ioctl(fd, what, ifr) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

static int link_up(const struct tmtu_io_link *link, int up, char *why)
{
    struct ifreq ifr;
    int rc = link_ask(link, SIOCGIFFLAGS, &ifr);
    if (rc == 0 && !(ifr.ifr_flags & IFF_UP)) {
        if (!up) {
            tmtu_io_why(why, "%s: the interface is down", link->name);
            return -ENETDOWN;
        }
        ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
        rc = link_ask(link, SIOCSIFFLAGS, &ifr);
    }
    if (rc != 0)
        tmtu_io_why(why, "%s: cannot bring it up: %s%s", link->name,
                    strerror(-rc),
                    rc == -EPERM ? " (needs CAP_NET_ADMIN)" : "");
    return rc;
}

int tmtu_io_link_find(struct tmtu_io_link *link, int up, uint32_t *mtu,
                      char *why)
{
    struct ifreq ifr;
    int rc = link_ask(link, SIOCGIFINDEX, &ifr);
    if (rc == 0) {
        link->index = (unsigned)ifr.ifr_ifindex;
        rc = link_ask(link, SIOCGIFMTU, &ifr);
    }
    if (rc != 0) {
        tmtu_io_why(why, "%s: no such interface: %s", link->name,
                    strerror(-rc));
        return rc;
    }
    *mtu = (uint32_t)ifr.ifr_mtu;
    return link_up(link, up, why);
}

int tmtu_io_link_state(const struct tmtu_io_link *link, char *why)
{
    struct tmtu_io_link now = *link;
    struct ifreq ifr;
    /* By its number: it may have got another name. */
    if (if_indextoname(link->index, now.name) == NULL ||
        link_ask(&now, SIOCGIFFLAGS, &ifr) != 0) {
        tmtu_io_why(why, "%s: the interface is gone", link->name);
        return -ENODEV;
    }
    if (!(ifr.ifr_flags & IFF_UP)) {
        tmtu_io_why(why, "%s: the interface is down", now.name);
        return -ENETDOWN;
    }
    return 0;
}

int tmtu_io_link_wait(struct tmtu_io *io, int timeout_ms)
{
    struct pollfd p = {io->fd, POLLIN, 0};
    if (poll(&p, 1, timeout_ms) >= 0)
        return 0; /* also for POLLERR: recv finds out what it is */
    if (errno != EINTR)
        tmtu_io_why(io->why, "%s: cannot wait: %s", io->ops->name,
                    strerror(errno));
    return -errno;
}

/* SPDX-License-Identifier: MIT */
/* An Ethernet interface: errors come in, frames go out, and it may go away and
 * return meanwhile.
 *
 * One packet socket, made while it is allowed; binding it again to an interface
 * that has returned needs no privileges. A filter in the kernel keeps all other
 * traffic away. */
#define _GNU_SOURCE
#include "iface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pcap/pcap.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif

enum { FRAME_MAX = 16384, RCVBUF = 16 << 20, ETHER = 14 };

/* "Too big", as far as a filter can tell: behind extension headers of IPv6
 * everything is let through, and looked at here. */
static const char wanted[] =
    "(icmp and icmp[0] = 3 and icmp[1] = 4) or "
    "(ip6 and ((ip6[6] = 58 and ip6[40] = 2) or ip6[6] = 0 or ip6[6] = 43 or "
    "ip6[6] = 44 or ip6[6] = 60))";

static bool fail(struct iface *f, const char *what)
{
    snprintf(f->why, sizeof f->why, "%s: %s: %s", f->name, what,
             strerror(errno));
    return false;
}

static int filter(struct iface *f)
{
    struct bpf_program program;
    pcap_t *p = pcap_open_dead(DLT_EN10MB, FRAME_MAX);
    int rc = -1;
    errno = ENOMEM;
    if (p != NULL &&
        pcap_compile(p, &program, wanted, 1, PCAP_NETMASK_UNKNOWN) == 0) {
        struct sock_fprog prog = {(unsigned short)program.bf_len,
                                  (struct sock_filter *)program.bf_insns};
        rc =
            setsockopt(f->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
        pcap_freecode(&program);
    }
    if (p != NULL)
        pcap_close(p);
    return rc;
}

/* Asks about it by name. */
static int ask(const struct iface *f, unsigned long question, struct ifreq *r)
{
    memset(r, 0, sizeof *r);
    memcpy(r->ifr_name, f->name, sizeof r->ifr_name);
    return ioctl(f->fd, question, r);
}

/* Binds to whatever has the name now. */
static bool attach(struct iface *f)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET};
    struct ifreq r;
    if (ask(f, SIOCGIFINDEX, &r) != 0)
        return fail(f, "no such interface");
    at.sll_ifindex = r.ifr_ifindex;
    if (ask(f, SIOCGIFHWADDR, &r) != 0)
        return fail(f, "no such interface");
    if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
        r.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK) {
        snprintf(f->why, sizeof f->why, "%s: expected an Ethernet interface",
                 f->name);
        return false;
    }
    memcpy(f->mac, r.ifr_hwaddr.sa_data, sizeof f->mac);
    at.sll_protocol = htons(f->receives ? ETH_P_ALL : 0);
    if (bind(f->fd, (struct sockaddr *)&at, sizeof at) != 0)
        return fail(f, "cannot bind");
    f->index = at.sll_ifindex;
    return true;
}

bool iface_open(struct iface *f, const char *name, bool receives)
{
    const int yes = 1, rcvbuf = RCVBUF;
    memset(f, 0, sizeof *f);
    f->fd = -1;
    f->receives = receives;
    if (strlen(name) >= sizeof f->name || *name == '\0') {
        snprintf(f->why, sizeof f->why, "%.20s: no name of an interface", name);
        return false;
    }
    strcpy(f->name, name);
    f->memory = malloc((size_t)IFACE_BURST * FRAME_MAX);
    f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->memory == NULL || f->fd < 0)
        return fail(f, "cannot open a packet socket");
    if (receives) {
        /* Before it is bound: nothing comes in that is not wanted. */
        if (filter(f) != 0)
            return fail(f, "cannot set a filter");
        if (setsockopt(f->fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof yes) !=
            0)
            return fail(f, "cannot hear of VLANs");
        (void)setsockopt(f->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes,
                         sizeof yes);
        if (setsockopt(f->fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf,
                       sizeof rcvbuf) != 0)
            (void)setsockopt(f->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf,
                             sizeof rcvbuf);
    }
    return attach(f);
}

void iface_close(struct iface *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    free(f->memory);
    f->memory = NULL;
}

static uint32_t flags_of(const struct sockaddr_ll *from, struct msghdr *h)
{
    uint32_t flags = PMTUD_LINK;
    if (from->sll_pkttype == PACKET_OUTGOING)
        flags |= PMTUD_OUTGOING;
    if (from->sll_pkttype == PACKET_OTHERHOST)
        flags |= PMTUD_OTHER_HOST;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
         c = CMSG_NXTHDR(h, c)) {
        struct tpacket_auxdata aux;
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if ((aux.tp_status & TP_STATUS_VLAN_VALID) &&
            (aux.tp_vlan_tci & 0xfff) != 0) /* 0 is a priority, and ours */
            flags |= PMTUD_VLAN;
    }
    return flags;
}

int iface_read(struct iface *f, iface_take *take, void *arg)
{
    struct mmsghdr m[IFACE_BURST];
    struct iovec iov[IFACE_BURST];
    struct sockaddr_ll from[IFACE_BURST];
    _Alignas(struct cmsghdr) uint8_t
        control[IFACE_BURST][CMSG_SPACE(sizeof(struct tpacket_auxdata))];

    memset(m, 0, sizeof m);
    for (size_t i = 0; i < IFACE_BURST; i++) {
        iov[i] = (struct iovec){f->memory + i * FRAME_MAX, FRAME_MAX};
        m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof from[i],
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1,
                                       .msg_control = control[i],
                                       .msg_controllen = sizeof control[i]};
    }
    const int n = recvmmsg(f->fd, m, IFACE_BURST, 0, NULL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            iface_look(f); /* ENETDOWN, told once */
        return 0;
    }
    for (int i = 0; i < n; i++) {
        const uint8_t *p = f->memory + (size_t)i * FRAME_MAX;
        const size_t len = m[i].msg_len;
        if (len < ETHER)
            continue;
        struct pmtud_in in = {.p = p + ETHER, .n = len - ETHER};
        in.flags = flags_of(&from[i], &m[i].msg_hdr);
        memcpy(in.to, p, 6);
        memcpy(in.from, p + 6, 6);
        if (in.to[0] & 1)
            in.flags |= PMTUD_GROUP;
        f->received++;
        take(arg, &in);
    }
    return n;
}

bool iface_send(struct iface *f, const uint8_t *p, size_t n)
{
    const bool ok = send(f->fd, p, n, 0) == (ssize_t)n;
    f->sent += ok;
    f->send_errors += !ok;
    return ok;
}

/* Whether the socket is still bound to this one. The system unbinds it from an
 * interface that is deleted or goes to another namespace, which may return
 * under its old number. */
static bool is_bound(const struct iface *f, int index)
{
    struct sockaddr_ll at;
    socklen_t n = sizeof at;
    return index == f->index &&
           getsockname(f->fd, (struct sockaddr *)&at, &n) == 0 &&
           at.sll_ifindex == index;
}

/* Whether it is there and up, bound to. */
static bool is_up(struct iface *f)
{
    struct ifreq r;
    if (ask(f, SIOCGIFINDEX, &r) != 0) {
        snprintf(f->why, sizeof f->why, "%s: the interface is gone", f->name);
        return false;
    }
    if (!is_bound(f, r.ifr_ifindex) && !attach(f))
        return false;
    if (ask(f, SIOCGIFFLAGS, &r) != 0 || !(r.ifr_flags & IFF_UP)) {
        snprintf(f->why, sizeof f->why, "%s: the interface is down", f->name);
        return false;
    }
    if (ask(f, SIOCGIFHWADDR, &r) == 0) /* which may change while it is there */
        memcpy(f->mac, r.ifr_hwaddr.sa_data, sizeof f->mac);
    return true;
}

void iface_look(struct iface *f)
{
    const bool away = !is_up(f);
    if (away && !f->away)
        fprintf(stderr, "tunmtu-pmtud: %s; waiting for it\n", f->why);
    if (!away && f->away)
        fprintf(stderr, "tunmtu-pmtud: %s: the interface is back\n", f->name);
    f->away = away;
}

void iface_count(struct iface *f)
{
    struct tpacket_stats stats;
    socklen_t n = sizeof stats;
    if (f->receives && f->fd >= 0 &&
        getsockopt(f->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) == 0)
        f->lost += stats.tp_drops;
}

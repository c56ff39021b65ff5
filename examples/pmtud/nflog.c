/* SPDX-License-Identifier: MIT */
/* Packets that a firewall's rule sends to an NFLOG group. */
#define _GNU_SOURCE
#include "nflog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libnetfilter_log/libnetfilter_log.h>
#include <libnfnetlink/libnfnetlink.h>

#include "privileges.h"

enum {
    MESSAGE = 1 << 18, /* what the kernel sends at once */
    RCVBUF = 16 << 20,
    ETHER = 14,
    BURST = 16
};

/* Interfaces whose packets come out of a tunnel that ends here; NONE is TUN. */
static bool is_tunnel(unsigned type)
{
    switch (type) {
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_IP6GRE:
    case ARPHRD_NONE:
        return true;
    default:
        return false;
    }
}

static int one(struct nflog_g_handle *group, struct nfgenmsg *message,
               struct nflog_data *data, void *arg)
{
    struct nflog *g = arg;
    struct pmtud_in in = {0};
    char *payload;
    uint32_t number;
    const int n = nflog_get_payload(data, &payload);
    const unsigned type = nflog_get_hwtype(data);
    const char *link = nflog_get_msg_packet_hwhdr(data);

    (void)group;
    (void)message;
    if (nflog_get_seq(data, &number) == 0) {
        g->lost += (uint32_t)(number - g->expected);
        g->expected = number + 1;
    }
    if (n < 0)
        return 0;
    in.p = (const uint8_t *)payload;
    in.n = (size_t)n;
    if (is_tunnel(type))
        in.flags |= PMTUD_TUNNEL;
    if ((type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK) && link != NULL &&
        nflog_get_msg_packet_hwhdrlen(data) >= ETHER) {
        memcpy(in.to, link, 6);
        memcpy(in.from, link + 6, 6);
        in.flags |= PMTUD_LINK | (in.to[0] & 1 ? PMTUD_GROUP : 0u);
    }
    g->received++;
    g->take(g->arg, &in);
    return 0;
}

static bool fail(struct nflog *g, uint16_t group, const char *what)
{
    snprintf(g->why, sizeof g->why, "NFLOG group %u: %s: %s", group, what,
             strerror(errno));
    return false;
}

/* Only one may have a group; who is second is told that it may not. */
static bool busy(struct nflog *g, uint16_t group)
{
    if ((errno != EPERM && errno != EBUSY && errno != EEXIST) ||
        !privileges_net_admin())
        return fail(g, group, "cannot join");
    snprintf(g->why, sizeof g->why,
             "NFLOG group %u: another program has it (see "
             "/proc/net/netfilter/nfnetlink_log); choose a free one for both "
             "the rule and --nflog",
             group);
    return false;
}

bool nflog_begin(struct nflog *g, uint16_t group)
{
    const int yes = 1;
    memset(g, 0, sizeof *g);
    g->fd = -1;
    g->memory = malloc(MESSAGE);
    g->handle = nflog_open();
    if (g->memory == NULL || g->handle == NULL)
        return fail(g, group, "cannot open netlink");
    errno = 0;
    g->group = nflog_bind_group(g->handle, group);
    if (g->group == NULL)
        return busy(g, group);
    g->fd = nflog_fd(g->handle);
    /* Numbered, so that gaps show; at once, and not when the kernel has a
     * hundred of them. */
    if (nflog_set_flags(g->group, NFULNL_CFG_F_SEQ) < 0 ||
        nflog_set_mode(g->group, NFULNL_COPY_PACKET, 0xffff) < 0 ||
        nflog_set_timeout(g->group, 1) < 0 ||
        nflog_set_nlbufsiz(g->group, MESSAGE / 2) < 0)
        return fail(g, group, "cannot be set up");
    (void)nfnl_rcvbufsiz(nflog_nfnlh(g->handle), RCVBUF);
    (void)setsockopt(g->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &yes, sizeof yes);
    if (fcntl(g->fd, F_SETFL, fcntl(g->fd, F_GETFL) | O_NONBLOCK) != 0)
        return fail(g, group, "cannot be set up");
    nflog_callback_register(g->group, one, g);
    return true;
}

void nflog_end(struct nflog *g)
{
    /* To leave a group takes the right that was needed to join it, and that is
     * given up; closing the socket does as well. Then nobody else frees this.
     */
    const bool left = g->group == NULL || nflog_unbind_group(g->group) == 0;
    if (g->handle != NULL)
        nflog_close(g->handle);
    if (!left)
        free(g->group);
    free(g->memory);
    g->group = NULL;
    g->handle = NULL;
    g->memory = NULL;
}

int nflog_read(struct nflog *g, iface_take *take, void *arg)
{
    int done = 0;
    g->take = take;
    g->arg = arg;
    for (; done < BURST; done++) {
        const ssize_t n = recv(g->fd, g->memory, MESSAGE, 0);
        if (n < 0)
            break;
        (void)nflog_handle_packet(g->handle, (char *)g->memory, (int)n);
    }
    return done;
}

/* SPDX-License-Identifier: MIT */
/* The interface's MTU, which somebody may change, or another interface of its
 * name may not have. */
#define _GNU_SOURCE
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "team.h"

/* Of the interface that --io names; 0: it is not there. */
static uint32_t interface_mtu(const char *io)
{
    struct ifreq ifr;
    const char *name = strchr(io, ':');
    const size_t n = name != NULL ? strcspn(++name, ",") : 0;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    memset(&ifr, 0, sizeof ifr);
    if (n < sizeof ifr.ifr_name)
        memcpy(ifr.ifr_name, name != NULL ? name : "", n);
    const int rc = ioctl(fd, SIOCGIFMTU, &ifr);
    close(fd);
    return rc == 0 && ifr.ifr_mtu > 0 ? (uint32_t)ifr.ifr_mtu : 0;
}

/* All of them, between two bursts of each. */
static bool set(struct team *team, uint32_t mtu)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < team->n; i++) { /* the first one judges */
        struct worker *w = &team->worker[i];
        team_enter(w);
        ok = lb_set_mtu(&w->lb, mtu);
        team_leave(w);
    }
    return ok;
}

void team_follow_mtu(struct team *team)
{
    uint32_t *now = &team->options->config.mtu;
    if (!team->follows_mtu)
        return;
    uint32_t mtu = interface_mtu(team->options->io);
    if (mtu > UINT16_MAX)
        mtu = UINT16_MAX;
    if (mtu == *now)
        team->refused_mtu = 0;
    if (mtu == 0 || mtu == *now || mtu == team->refused_mtu)
        return;
    if (set(team, mtu)) {
        fprintf(stderr, "tunmtu-lb: %s: the MTU is %u now, and was %u\n",
                team->options->io, (unsigned)mtu, (unsigned)*now);
        *now = mtu;
        team->refused_mtu = 0;
        return;
    }
    fprintf(stderr,
            "tunmtu-lb: %s: the MTU is %u now, less than tunnels need, 68 "
            "bytes over IPv4 and 1280 over IPv6; it is taken for %u, as "
            "before\n",
            team->options->io, (unsigned)mtu, (unsigned)*now);
    team->refused_mtu = mtu;
}

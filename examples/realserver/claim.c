/* SPDX-License-Identifier: MIT */
/* The tunnel protocols, claimed so that the kernel does not answer them. */
#define _GNU_SOURCE
#include "claim.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* UDP: for this port of any address of this host. */
static int take_port(int fd, int family, uint16_t port)
{
    const int on = 1;
    if (family == AF_INET) {
        struct sockaddr_in any = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
        return bind(fd, (const struct sockaddr *)&any, sizeof any);
    }
    struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                               .sin6_port = htons(port)};
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&any, sizeof any);
}

/* A socket for a protocol, or, for UDP, a port; it drops all it gets. */
static int claim_one(int family, int proto, uint16_t port)
{
    static struct sock_filter none[] = {{BPF_RET | BPF_K, 0, 0, 0}};
    static const struct sock_fprog prog = {1, none};
    const int type = proto == IPPROTO_UDP ? SOCK_DGRAM : SOCK_RAW;
    const int fd = socket(family, type | SOCK_CLOEXEC, proto);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
                               sizeof prog) != 0 ||
                    (port != 0 && take_port(fd, family, port) != 0))) {
        const int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

void claim_init(struct claim *c)
{
    for (int i = 0; i < CLAIM_SOCKETS; i++)
        c->fd[i] = -1;
}

bool claim_open(struct claim *c, const struct rs_config *config)
{
    const unsigned tunnels = config->tunnels ? config->tunnels : RS_ALL;
    const struct {
        unsigned tunnel;
        int proto;
        uint16_t port;
    } all[CLAIM_SOCKETS / 2] = {
        {RS_IPIP, IPPROTO_IPIP, 0},
        {RS_IPIP, IPPROTO_IPV6, 0},
        {RS_GRE, IPPROTO_GRE, 0},
        {RS_GUE, IPPROTO_UDP, rs_port(config, TMTU_ENCAP_GUE)},
        {RS_GREUDP, IPPROTO_UDP, rs_port(config, TMTU_ENCAP_GREUDP)},
    };
    claim_init(c);
    for (int i = 0; i < CLAIM_SOCKETS; i++) {
        const int family = i & 1 ? AF_INET6 : AF_INET;
        const int proto = all[i / 2].proto;
        const uint16_t port = all[i / 2].port;
        if (!(tunnels & all[i / 2].tunnel))
            continue;
        c->fd[i] = claim_one(family, proto, port);
        /* A kernel without IPv6 has no IPv6 tunnel packets to answer. */
        if (c->fd[i] < 0 && !(family == AF_INET6 && errno == EAFNOSUPPORT)) {
            snprintf(c->what, sizeof c->what, "%s %d",
                     port != 0 ? "UDP port" : "raw socket for protocol",
                     port != 0 ? port : proto);
            return false;
        }
    }
    return true;
}

void claim_close(struct claim *c)
{
    for (int i = 0; i < CLAIM_SOCKETS; i++) {
        if (c->fd[i] >= 0)
            close(c->fd[i]);
    }
}

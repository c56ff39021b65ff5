/* SPDX-License-Identifier: MIT */
/* The tunnel protocols, claimed so that the kernel does not answer them. */
#define _GNU_SOURCE
#include "claim.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int claim_one(int family, int proto)
{
    static struct sock_filter none[] = {{BPF_RET | BPF_K, 0, 0, 0}};
    static const struct sock_fprog prog = {1, none};
    const int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, proto);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) != 0) {
        const int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

bool claim_open(struct claim *c)
{
    static const struct {
        int family, proto;
    } all[CLAIM_SOCKETS] = {{AF_INET, IPPROTO_IPIP},
                            {AF_INET, IPPROTO_IPV6},
                            {AF_INET6, IPPROTO_IPIP},
                            {AF_INET6, IPPROTO_IPV6}};
    for (int i = 0; i < CLAIM_SOCKETS; i++)
        c->fd[i] = -1;
    for (int i = 0; i < CLAIM_SOCKETS; i++) {
        c->fd[i] = claim_one(all[i].family, all[i].proto);
        /* A kernel without IPv6 has no IPv6 tunnel packets to answer. */
        if (c->fd[i] < 0 &&
            !(all[i].family == AF_INET6 && errno == EAFNOSUPPORT))
            return false;
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

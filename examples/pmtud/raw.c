/* SPDX-License-Identifier: MIT */
/* IP packets out, wherever the host's routes lead. */
#define _GNU_SOURCE
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool raw_open(struct raw *r)
{
    const int type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
    memset(r, 0, sizeof *r);
    r->fd[1] = -1;
    r->fd[0] = socket(AF_INET, type, IPPROTO_RAW); /* the header is ours */
    if (r->fd[0] >= 0)
        r->fd[1] = socket(AF_INET6, type, IPPROTO_RAW);
    if (r->fd[0] >= 0 && (r->fd[1] >= 0 || errno == EAFNOSUPPORT))
        return true;
    snprintf(r->why, sizeof r->why, "cannot open a raw IP socket: %s",
             strerror(errno));
    return false;
}

void raw_close(struct raw *r)
{
    for (int i = 0; i < 2; i++) {
        if (r->fd[i] >= 0)
            close(r->fd[i]);
        r->fd[i] = -1;
    }
}

bool raw_send(struct raw *r, const uint8_t *p, size_t n)
{
    struct sockaddr_in to4 = {.sin_family = AF_INET};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
    const bool v6 = p[0] >> 4 == 6;
    memcpy(&to4.sin_addr, p + 16, 4);
    if (v6)
        memcpy(&to6.sin6_addr, p + 24, 16);
    const ssize_t rc =
        sendto(r->fd[v6], p, n, 0,
               v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4,
               v6 ? sizeof to6 : sizeof to4);
    const bool ok = rc == (ssize_t)n;
    r->sent += ok;
    r->send_errors += !ok;
    return ok;
}

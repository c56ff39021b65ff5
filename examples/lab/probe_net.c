/* SPDX-License-Identifier: MIT */
/* The probe's sockets: opened, read and written, or the probe fails. */
#define _DEFAULT_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct addrinfo *resolve(const struct probe_options *where)
{
    struct addrinfo hints, *found = NULL;
    int error;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    error = getaddrinfo(where->address, where->port, &hints, &found);
    if (error != 0)
        probe_fail("%s port %s is no address and port: %s", where->address,
                   where->port, gai_strerror(error));
    return found;
}

static void set(int fd, int level, int name, const void *value, socklen_t size)
{
    if (setsockopt(fd, level, name, value, size) != 0)
        probe_fail("a socket option is refused: %s", strerror(errno));
}

/* EAGAIN is how a socket with a time limit says that it is over. */
static const char *trouble(void)
{
    return errno == EAGAIN || errno == EINPROGRESS ? "nothing came in time"
                                                   : strerror(errno);
}

int probe_listen(const char *address, const char *port)
{
    struct probe_options where = {.address = address, .port = port};
    struct addrinfo *ai = resolve(&where);
    int fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
    int one = 1;

    if (fd < 0)
        probe_fail("no socket: %s", strerror(errno));
    set(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
        listen(fd, PROBE_CONNECTIONS) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        probe_fail("cannot listen on %s port %s: %s", address, port,
                   strerror(errno));
    freeaddrinfo(ai);
    return fd;
}

/* Binds to the address @p after addresses behind @p from. */
static void come_from(int fd, const char *from, unsigned after)
{
    struct probe_options where = {.address = from, .port = "0"};
    struct addrinfo *ai = resolve(&where);
    struct sockaddr_in *v4 = (void *)ai->ai_addr;
    struct sockaddr_in6 *v6 = (void *)ai->ai_addr;

    if (ai->ai_family == AF_INET)
        v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + after);
    else
        v6->sin6_addr.s6_addr[15] += (uint8_t)after;
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0)
        probe_fail("cannot come from %u after %s: %s", after, from,
                   strerror(errno));
    freeaddrinfo(ai);
}

static int open_to(const char *address, const char *port, unsigned timeout_s,
                   const char *from, unsigned after)
{
    struct probe_options where = {.address = address, .port = port};
    struct addrinfo *ai = resolve(&where);
    struct timeval limit = {(time_t)timeout_s, 0};
    int fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
    int one = 1;

    if (fd < 0)
        probe_fail("no socket: %s", strerror(errno));
    set(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    set(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    set(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (from != NULL)
        come_from(fd, from, after);
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0)
        probe_fail("cannot connect to %s port %s: %s", address, port,
                   trouble());
    freeaddrinfo(ai);
    return fd;
}

int probe_connect(const char *address, const char *port, unsigned timeout_s)
{
    return open_to(address, port, timeout_s, NULL, 0);
}

int probe_connect_from(const struct probe_options *options, unsigned i)
{
    const unsigned n = options->froms;

    return open_to(options->address, options->port, options->timeout_s,
                   n > 0 ? options->from[i % n] : NULL, n > 0 ? i / n : 0);
}

void probe_write(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = send(fd, at, n, 0);

        if (done < 0)
            probe_fail("cannot send: %s", trouble());
        at += done;
        n -= (size_t)done;
    }
}

size_t probe_read(int fd, void *p, size_t n)
{
    ssize_t done = recv(fd, p, n, 0);

    if (done < 0)
        probe_fail("cannot receive: %s", trouble());
    if (done == 0)
        probe_fail("the server closed the connection too early");
    return (size_t)done;
}

void probe_line(int fd, char *line)
{
    size_t have = 0;

    do {
        if (have == PROBE_LINE - 1)
            probe_fail("the server's answer is no line");
        have += probe_read(fd, line + have, PROBE_LINE - 1 - have);
    } while (line[have - 1] != '\n');
    line[have] = '\0';
}

struct probe_tcp probe_info(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    memset(&info, 0, sizeof(info));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        probe_fail("TCP_INFO is refused: %s", strerror(errno));
    return (struct probe_tcp){info.tcpi_snd_mss, info.tcpi_total_retrans};
}

uint64_t probe_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

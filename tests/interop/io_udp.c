/* SPDX-License-Identifier: MIT */
/* Talks UDP to an echo with a kernel's sockets: what io_veth.sh holds against
 * io_echo.
 *     io_udp ADDR COUNT      one after another, then in bursts; all must return
 *     io_udp ADDR super      one super-packet (UDP_SEGMENT) of 8 x 1000 bytes;
 *                            all must return
 *     io_udp ADDR flood      6000 datagrams, and nobody listens to the echo
 *     io_udp ADDR shout      one datagram to a broadcast or group address
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { LONGEST = 1452, BURST = 48, FLOOD = 6000, MAX_COUNT = 10000 };

static int dial(const char *addr)
{
    struct addrinfo hints, *to;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST;
    hints.ai_socktype = SOCK_DGRAM;
    if (getaddrinfo(addr, "7", &hints, &to) != 0)
        return -1;
    const int on = 1, fd = socket(to->ai_family, SOCK_DGRAM, 0);
    const struct timeval patience = {2, 0};
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
        if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
            close(fd);
            freeaddrinfo(to);
            return -1;
        }
    }
    freeaddrinfo(to);
    return fd;
}

/* The datagram number `i`: its own length, its own bytes. */
static size_t compose(uint8_t *p, unsigned i)
{
    const size_t n = i % 3 == 0 ? LONGEST : 1 + i * 37 % LONGEST;
    for (size_t k = 0; k < n; k++)
        p[k] = (uint8_t)(k * 7 + i);
    return n;
}

static int say(int fd, unsigned i)
{
    uint8_t p[LONGEST];
    const size_t n = compose(p, i);
    if (send(fd, p, n, 0) == (ssize_t)n)
        return 0;
    perror("io_udp: send");
    return -1;
}

static int hear(int fd, unsigned i)
{
    uint8_t want[LONGEST], got[LONGEST + 1];
    const size_t n = compose(want, i);
    const ssize_t len = recv(fd, got, sizeof got, 0);
    if (len == (ssize_t)n && memcmp(want, got, n) == 0)
        return 0;
    fprintf(stderr, "io_udp: datagram %u of %zu bytes: %s\n", i, n,
            len < 0 ? "no echo" : "the echo is another");
    return -1;
}

static double clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int converse(int fd, unsigned count)
{
    static double us[MAX_COUNT];
    for (unsigned i = 0; i < count; i++) {
        const double began = clock_us();
        if (say(fd, i) != 0 || hear(fd, i) != 0)
            return -1;
        us[i] = clock_us() - began;
    }
    for (unsigned i = 0; i < count; i += BURST) {
        for (unsigned k = i; k < i + BURST; k++)
            if (say(fd, k) != 0)
                return -1;
        for (unsigned k = i; k < i + BURST; k++) /* in order */
            if (hear(fd, k) != 0)
                return -1;
    }
    qsort(us, count, sizeof us[0], by_value);
    printf("%u there and back, a lone one in %.0f us (median), %.0f us "
           "(99th percentile)\n",
           count, us[count / 2], us[count * 99 / 100]);
    return 0;
}

static int super(int fd)
{
    uint8_t p[8000];
    const int segment = 1000;
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)(i * 7 + i / 251);
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) !=
            0 ||
        send(fd, p, sizeof p, 0) != sizeof p) {
        perror("io_udp: super-packet");
        return -1;
    }
    for (size_t i = 0; i < sizeof p; i += (size_t)segment) {
        uint8_t got[sizeof p];
        if (recv(fd, got, sizeof got, 0) != segment ||
            memcmp(got, p + i, (size_t)segment) != 0) {
            fprintf(stderr, "io_udp: of a super-packet, byte %zu\n", i);
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const int fd = argc == 3 ? dial(argv[1]) : -1;
    if (fd < 0) {
        fprintf(stderr, "io_udp: usage: io_udp ADDR COUNT|super|flood|shout\n");
        return 2;
    }
    int rc;
    if (strcmp(argv[2], "super") == 0) {
        rc = super(fd);
    } else if (strcmp(argv[2], "flood") == 0) {
        rc = 0;
        for (unsigned i = 0; i < FLOOD && rc == 0; i++)
            rc = say(fd, 1);
    } else if (strcmp(argv[2], "shout") == 0) {
        rc = say(fd, 1);
    } else {
        const unsigned long count = strtoul(argv[2], NULL, 10);
        rc = count > 0 && count <= MAX_COUNT ? converse(fd, (unsigned)count)
                                             : -1;
    }
    close(fd);
    return rc != 0;
}

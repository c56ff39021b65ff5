/* SPDX-License-Identifier: MIT */
/* Sends ICMP errors of many routers, about many flows, at a rate.
 *     pmtud_flood IFACE DST-MAC VIP RATE SECONDS */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <tunmtu/cksum.h>

enum { ETHER = 14, LEN = ETHER + 56, BATCH = 100 };

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sum(uint8_t *p, size_t n, size_t at)
{
    memset(p + at, 0, 2);
    tmtu_put16(p + at, tmtu_cksum_finish(tmtu_cksum_add(0, p, n)));
}

/* "Fragmentation needed" about TCP from the VIP, port 443. */
static void make(uint8_t *p, const uint8_t vip[4], uint64_t random)
{
    uint8_t *ip = p + ETHER, *icmp = ip + 20, *quote = icmp + 8;
    ip[0] = quote[0] = 0x45;
    ip[3] = 56;
    ip[8] = quote[8] = 60;
    ip[9] = 1;
    ip[12] = 100; /* 100.64.0.0/10 */
    ip[13] = (uint8_t)(64 | (random & 0x3f));
    tmtu_put16(ip + 14, (uint16_t)(random >> 6));
    memcpy(ip + 16, vip, 4);
    memcpy(quote + 12, vip, 4);
    icmp[0] = 3;
    icmp[1] = 4;
    tmtu_put16(icmp + 6, 1400);
    tmtu_put16(quote + 2, 1500);
    quote[6] = 0x40;
    quote[9] = 6;
    tmtu_put32(quote + 16, 0xc6336407); /* 198.51.100.7 */
    tmtu_put16(quote + 20, 443);
    tmtu_put16(quote + 22, (uint16_t)(random >> 22));
    sum(quote, 20, 10);
    sum(icmp, 36, 2);
    sum(ip, 20, 10);
}

static int flood(int fd, uint8_t frame[BATCH][LEN], const uint8_t vip[4],
                 uint64_t rate, uint64_t seconds)
{
    struct mmsghdr m[BATCH];
    struct iovec iov[BATCH];
    uint64_t random = 1, sent = 0, refused = 0;
    const uint64_t begin = now();
    memset(m, 0, sizeof m);
    for (size_t i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){frame[i], LEN};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    while (sent + refused < rate * seconds) {
        const uint64_t due = begin + (sent + refused) * 1000000000u / rate;
        while (now() < due)
            usleep(100);
        for (size_t i = 0; i < BATCH; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            make(frame[i], vip, random >> 20);
        }
        const int n = sendmmsg(fd, m, BATCH, 0);
        if (n < 0 && errno != ENOBUFS) {
            perror("pmtud_flood");
            return 1;
        }
        sent += n > 0 ? (uint64_t)n : 0;
        refused += n < 0;
    }
    const double took = (double)(now() - begin) / 1e9;
    printf("%.0f errors in %.1f s, %.0f a second\n", (double)sent, took,
           (double)sent / took);
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t frame[BATCH][LEN];
    struct sockaddr_ll at = {.sll_family = AF_PACKET};
    unsigned mac[6];
    uint8_t vip[4];
    if (argc != 6 ||
        sscanf(argv[2], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5]) != 6 ||
        inet_pton(AF_INET, argv[3], vip) != 1) {
        fputs("usage: pmtud_flood IFACE DST-MAC VIP RATE SECONDS\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < BATCH; i++) {
        for (size_t j = 0; j < 6; j++)
            frame[i][j] = (uint8_t)mac[j];
        frame[i][6] = 2;
        frame[i][12] = 8; /* IPv4 */
    }
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    at.sll_ifindex = (int)if_nametoindex(argv[1]);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        perror("pmtud_flood");
        return 1;
    }
    return flood(fd, frame, vip, strtoull(argv[4], NULL, 10),
                 strtoull(argv[5], NULL, 10));
}

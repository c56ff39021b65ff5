/* SPDX-License-Identifier: MIT */
/* Many UDP flows to a balancer and what comes out of it again, on the same
 * interface: each packet once, in order, and at its flow's server.
 *     lb_fleet_flows flows IFNAME VIP PORT FLOWS PACKETS-A-SECOND SECONDS
 *     lb_fleet_flows path IFNAME VIP PORT FLOWS LOCAL MTU
 *     lb_fleet_flows errors IFNAME VIP PORT FLOWS CLIENT MTU
 * `flows` prints how many were sent, lost, doubled, out of order, and how many
 * flows were seen at a second server. `path` lets a router say once, about one
 * flow's packet, that the path to its server carries MTU bytes, then sends full
 * packets of all flows, and prints how many of those for that server were
 * longer nevertheless. `errors` begins the flows, says so, and waits for a
 * line; then routers say that the way to the client carries MTU bytes, about
 * each flow once, and each flow sends a packet in fragments: it prints how many
 * errors came, and how many of them at another server than their flow is at. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <tunmtu/icmp.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif

enum { FLOWS = 1024, FULL = 1480, FIRST_PORT = 20000 };

static int seen_fd; /* all that comes in by the interface */
static int flow_fd[FLOWS];
static unsigned flows;
static uint32_t sent[FLOWS], next[FLOWS], server[FLOWS];
static uint64_t got, doubled, disordered, moved, errors, misplaced;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "lb_fleet_flows: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void listen_at(const char *ifname)
{
    const struct sockaddr_ll at = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETHERTYPE_IP),
                                   .sll_ifindex = (int)if_nametoindex(ifname)};
    const int one = 1, size = 64 << 20;
    seen_fd = socket(AF_PACKET, SOCK_DGRAM, 0);
    if (seen_fd < 0 || at.sll_ifindex == 0 ||
        bind(seen_fd, (const struct sockaddr *)&at, sizeof at) != 0)
        die(ifname);
    setsockopt(seen_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    if (setsockopt(seen_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(seen_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static void open_flows(const char *vip, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port))};
    const int df = IP_PMTUDISC_PROBE; /* whatever the kernel has heard */
    if (inet_pton(AF_INET, vip, &to.sin_addr) != 1)
        die(vip);
    for (unsigned i = 0; i < flows; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET,
                                   .sin_port =
                                       htons((uint16_t)(FIRST_PORT + i))};
        flow_fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
        setsockopt(flow_fd[i], IPPROTO_IP, IP_MTU_DISCOVER, &df, sizeof df);
        if (flow_fd[i] < 0 ||
            bind(flow_fd[i], (struct sockaddr *)&from, sizeof from) != 0 ||
            connect(flow_fd[i], (struct sockaddr *)&to, sizeof to) != 0)
            die("a flow");
    }
}

/* The next packet of a flow, of `len` bytes in all. */
static void send_one(unsigned i, size_t len)
{
    static uint8_t bytes[3000];
    tmtu_put32(bytes, i);
    tmtu_put32(bytes + 4, sent[i]++);
    for (int tries = 0; send(flow_fd[i], bytes, len - 28, 0) < 0; tries++) {
        /* What a router said of the packet before is told here. */
        if (tries == 3 || (errno != EMSGSIZE && errno != ECONNREFUSED))
            die("send");
    }
}

/* A tunnel packet that has an ICMP error about a flow. */
static void take_error(const uint8_t *ip, size_t n)
{
    if (n < 76 || ip[40] != 3)
        return;
    const unsigned i = tmtu_get16(ip + 70) - FIRST_PORT;
    if (i < flows) {
        errors++;
        misplaced += server[i] != tmtu_get32(ip + 16);
    }
}

/* Takes one tunnel packet in, if there is one. Returns its length and, if `p`
 * is not NULL, leaves it there; 0: there is none. */
static size_t take(uint8_t p[2000])
{
    static uint8_t own[2000];
    uint8_t *ip = p != NULL ? p : own;
    for (;;) {
        const ssize_t n = recv(seen_fd, ip, 2000, MSG_DONTWAIT);
        if (n < 0)
            return 0;
        /* IP in IP, and in that the flows' UDP */
        if (n < 56 || ip[9] != 4 || (tmtu_get16(ip + 6) & 0x1fff) != 0)
            continue;
        if (ip[29] == 1)
            take_error(ip, (size_t)n);
        if (ip[29] != 17 || tmtu_get16(ip + 40) < FIRST_PORT)
            continue;
        const uint32_t i = tmtu_get32(ip + 48), seq = tmtu_get32(ip + 52);
        const uint32_t at = tmtu_get32(ip + 16);
        if (i >= flows)
            continue;
        got++;
        doubled += seq + 1 == next[i];
        disordered += seq + 1 < next[i];
        if (seq >= next[i])
            next[i] = seq + 1;
        moved += server[i] != 0 && server[i] != at;
        server[i] = at;
        return (size_t)n;
    }
}

/* Until nothing has come for half a second. */
static void take_rest(void)
{
    for (double last = now(); now() - last < 0.5;) {
        if (take(NULL) > 0)
            last = now();
        else
            usleep(1000);
    }
}

static void run_flows(double rate, double seconds)
{
    const double start = now();
    uint64_t n = 0;
    while (now() - start < seconds) {
        for (uint64_t due = (uint64_t)((now() - start) * rate); n < due; n++) {
            send_one((unsigned)(n % flows), 60);
            if (n % 16 == 0)
                while (take(NULL) > 0)
                    ;
        }
        while (take(NULL) > 0)
            ;
        usleep(200);
    }
    take_rest();
    printf("sent %llu\nlost %lld\ndoubled %llu\ndisordered %llu\nmoved %llu\n",
           (unsigned long long)n, (long long)(n - got),
           (unsigned long long)doubled, (unsigned long long)disordered,
           (unsigned long long)moved);
}

/* As a router says it, the last number of whose address this is, quoting the
 * packet. */
static void complain(const uint8_t *p, size_t n, uint8_t who, const char *about,
                     int mtu)
{
    uint8_t bytes[TMTU_ICMP4_MAX];
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    struct tmtu_buf out = tmtu_buf(bytes, sizeof bytes, 0);
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct tmtu_pkt pkt;
    const int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    const uint8_t router[4] = {10, 7, 7, who};
    error.kind = TMTU_ICMP_TOO_BIG;
    error.info = (uint32_t)mtu;
    tmtu_addr_set4(error.src, router);
    if (raw < 0 || inet_pton(AF_INET, about, &to.sin_addr) != 1 ||
        tmtu_ip_parse(tmtu_view(p, n), 0, &pkt) < 0 ||
        tmtu_icmp_build(&out, &pkt, &error) < 0 ||
        sendto(raw, out.data, tmtu_buf_len(&out), 0, (struct sockaddr *)&to,
               sizeof to) < 0)
        die("the router");
    close(raw);
}

static void run_path(const char *local, int mtu)
{
    uint8_t p[2000];
    size_t n = 0;
    unsigned to = 0, longer = 0;
    for (unsigned i = 0; i < flows; i++) { /* who is where */
        send_one(i, 60);
        usleep(200);
    }
    take_rest();
    send_one(0, FULL);
    for (int i = 0; i < 1000 && (n = take(p)) == 0; i++)
        usleep(1000);
    if (n != FULL + 20)
        die("no full packet came");
    const uint32_t narrow = tmtu_get32(p + 16);
    complain(p, n, 7, local, mtu);
    usleep(200000);
    for (unsigned i = 0; i < flows; i++) {
        to += server[i] == narrow;
        send_one(i, FULL);
        usleep(200);
    }
    usleep(300000);
    while ((n = take(p)) > 0)
        longer += n > (size_t)mtu && tmtu_get32(p + 16) == narrow;
    printf("sent %u\nlonger %u\n", to, longer);
}

/* What the server of a flow sends to its client. */
static void answer_of(unsigned i, const char *vip, const char *client,
                      uint8_t p[1500])
{
    memset(p, 0, 1500);
    tmtu_put16(p, 0x4500);
    tmtu_put16(p + 2, 1500);
    tmtu_put16(p + 6, 0x4000);
    tmtu_put16(p + 8, 64 << 8 | 17);
    if (inet_pton(AF_INET, vip, p + 12) != 1 ||
        inet_pton(AF_INET, client, p + 16) != 1)
        die(client);
    tmtu_put16(p + 20, 53);
    tmtu_put16(p + 22, (uint16_t)(FIRST_PORT + i));
    tmtu_put16(p + 24, 1480);
}

static void run_errors(const char *vip, const char *client, int mtu)
{
    const int cut = IP_PMTUDISC_DONT;
    uint8_t p[1500];
    for (unsigned i = 0; i < 2 * flows; i++) {
        send_one(i % flows, 60);
        usleep(200);
    }
    take_rest();
    puts("begun");
    fflush(stdout);
    (void)!read(0, p, 1);
    for (unsigned i = 0; i < flows; i++) {
        answer_of(i, vip, client, p);
        complain(p, sizeof p, (uint8_t)(1 + i % 200), vip, mtu);
        usleep(200);
    }
    take_rest();
    const uint64_t whole = got;
    for (unsigned i = 0; i < flows; i++) {
        setsockopt(flow_fd[i], IPPROTO_IP, IP_MTU_DISCOVER, &cut, sizeof cut);
        send_one(i, 3000);
        usleep(400);
    }
    take_rest();
    printf("errors %llu\nmisplaced %llu\nfragmented %llu\nmoved %llu\n",
           (unsigned long long)errors, (unsigned long long)misplaced,
           (unsigned long long)(got - whole), (unsigned long long)moved);
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    flows = (unsigned)atoi(argv[5]);
    if (flows < 1 || flows > FLOWS)
        return 2;
    listen_at(argv[2]);
    open_flows(argv[3], argv[4]);
    if (strcmp(argv[1], "flows") == 0)
        run_flows(atof(argv[6]), atof(argv[7]));
    else if (strcmp(argv[1], "path") == 0)
        run_path(argv[6], atoi(argv[7]));
    else
        run_errors(argv[3], argv[6], atoi(argv[7]));
    return 0;
}

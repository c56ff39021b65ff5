/* SPDX-License-Identifier: MIT */
/* Echoes UDP port 7 on any backend of libtunmtu-io, and verifies the checksums
 * of whatever comes: what io_veth.sh holds against a kernel.
 *     io_echo tun:NAME | afpacket:IFNAME */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tunmtu/io.h>
#include <tunmtu/ip.h>

enum { ECHO_PORT = 7, PROTO_IPIP = 4, PROTO_UDP = 17, PROTO_IPV6 = 41 };

static struct {
    uint64_t echoed, group, cut, bad, tunnelled;
    size_t longest;
} seen;

static volatile sig_atomic_t over;

static void stop(int signo)
{
    (void)signo;
    over = 1;
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t was = a[i];
        a[i] = b[i];
        b[i] = was;
    }
}

/* The checksum of the innermost packet; a tunnel in a tunnel is too much. */
static int right(const struct tmtu_pkt *pkt)
{
    struct tmtu_pkt inner;
    if (pkt->flow.proto != PROTO_IPIP && pkt->flow.proto != PROTO_IPV6)
        return tmtu_ip_transport_verify(pkt) != TMTU_E_CHECKSUM;
    seen.tunnelled++;
    return tmtu_ip_parse(tmtu_view(pkt->data + pkt->l4, pkt->len - pkt->l4),
                         TMTU_IP_VERIFY, &inner) == 0 &&
           tmtu_ip_transport_verify(&inner) == 0;
}

/* Makes the answer in place; swapping leaves both checksums right. Returns 0
 * when the packet asks for none. */
static int answer(struct tmtu_io_packet *p)
{
    struct tmtu_pkt pkt;
    const size_t n = tmtu_buf_len(&p->buf);
    seen.longest = n > seen.longest ? n : seen.longest;
    seen.group += (p->flags & TMTU_IO_L2_GROUP) != 0;
    if (p->flags & TMTU_IO_CUT) {
        seen.cut++;
        return 0;
    }
    if (tmtu_ip_parse(tmtu_buf_view(&p->buf), TMTU_IP_VERIFY, &pkt) != 0 ||
        !right(&pkt)) {
        seen.bad++;
        return 0;
    }
    if ((p->flags & TMTU_IO_L2_GROUP) || pkt.flow.proto != PROTO_UDP ||
        !(pkt.flow.flags & TMTU_FLOW_PORTS) || pkt.flow.dport != ECHO_PORT)
        return 0;
    uint8_t *b = p->buf.data;
    if (pkt.flow.ipver == 4)
        swap(b + 12, b + 16, 4);
    else
        swap(b + 8, b + 24, 16);
    swap(b + pkt.l4, b + pkt.l4 + 2, 2);
    seen.echoed++;
    return 1;
}

static int echo(struct tmtu_io *io, struct tmtu_io_packet *pkts)
{
    struct tmtu_io_packet out[TMTU_IO_BURST];
    while (!over) {
        const int got = tmtu_io_recv(io, pkts, TMTU_IO_BURST);
        if (got < 0)
            return got;
        unsigned n = 0;
        for (int i = 0; i < got; i++)
            if (answer(&pkts[i]))
                out[n++] = pkts[i];
        for (unsigned done = 0; done < n;) {
            const int rc = tmtu_io_send(io, out + done, n - done);
            if (rc < 0)
                return rc;
            done += (unsigned)rc;
        }
        if (got == 0) {
            const int rc = tmtu_io_wait(io, 200);
            if (rc < 0 && rc != -EINTR)
                return rc;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct tmtu_io_packet pkts[TMTU_IO_BURST];
    char why[TMTU_IO_WHY];
    if (argc != 2) {
        fprintf(stderr, "usage: io_echo IO\n");
        return 2;
    }
    struct tmtu_io *io = tmtu_io_open(argv[1], why);
    if (io == NULL) {
        fprintf(stderr, "io_echo: %s\n", why);
        return 1;
    }
    const struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    for (unsigned i = 0; i < TMTU_IO_BURST; i++) {
        uint8_t *mem = malloc(TMTU_IO_PACKET);
        if (mem == NULL)
            return 1;
        pkts[i].buf = tmtu_buf(mem, TMTU_IO_PACKET, 0);
    }
    printf("ready %s mtu %" PRIu32 "\n", io->ops->name, io->mtu);
    fflush(stdout);
    const int rc = echo(io, pkts);
    if (rc < 0)
        fprintf(stderr, "io_echo: %s\n", io->why);
    printf("received %" PRIu64 "\nsent %" PRIu64 "\nsend_errors %" PRIu64
           "\nskipped %" PRIu64 "\nlost %" PRIu64 "\n",
           io->received, io->sent, io->send_errors, io->skipped, io->lost);
    printf("echoed %" PRIu64 "\ngroup %" PRIu64 "\ncut %" PRIu64
           "\nbad %" PRIu64 "\ntunnelled %" PRIu64 "\nlongest %zu\n",
           seen.echoed, seen.group, seen.cut, seen.bad, seen.tunnelled,
           seen.longest);
    (void)tmtu_io_close(io);
    for (unsigned i = 0; i < TMTU_IO_BURST; i++)
        free(pkts[i].buf.head);
    return rc < 0;
}

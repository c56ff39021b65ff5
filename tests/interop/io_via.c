/* SPDX-License-Identifier: MIT */
/* Sends echo requests to hosts on the link that their headers do not name, in
 * one burst, and tells which were answered: what io_veth.sh holds against a
 * kernel that has the address.
 *     io_via IO SRC DST VIA|- ...   "-": none, where DST leads */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>

#include <tunmtu/cksum.h>
#include <tunmtu/io.h>
#include <tunmtu/ip.h>

enum { PAYLOAD = 1000, IDENT = 0x7a7a, ICMP = 1, ICMP6 = 58 };
/* Seconds to wait for answers. */
enum { PATIENCE = 1 };

static int address(const char *text, uint8_t addr[16])
{
    uint8_t ip4[4];
    if (inet_pton(AF_INET6, text, addr) == 1)
        return 1;
    if (inet_pton(AF_INET, text, ip4) != 1)
        return 0;
    tmtu_addr_set4(addr, ip4);
    return 1;
}

/* An echo request; `id` of it is IDENT, its sequence number `seq`. */
static void compose(struct tmtu_io_packet *p, const uint8_t src[16],
                    const uint8_t dst[16], uint16_t seq)
{
    const int v4 = tmtu_addr_is4(src);
    const size_t head = v4 ? 20 : 40, n = 8 + PAYLOAD;
    uint8_t *ip = tmtu_buf_put(&p->buf, head + n), *l4 = ip + head;
    memset(ip, 0, head + n);
    memset(l4 + 8, seq, PAYLOAD);
    l4[0] = v4 ? 8 : 128;
    tmtu_put16(l4 + 4, IDENT);
    tmtu_put16(l4 + 6, seq);
    uint32_t sum = 0;
    if (v4) {
        ip[0] = 0x45;
        tmtu_put16(ip + 2, (uint16_t)(head + n));
        ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = ICMP;
        memcpy(ip + 12, src + 12, 4);
        memcpy(ip + 16, dst + 12, 4);
        tmtu_put16(ip + 10, tmtu_cksum_finish(tmtu_cksum_add(0, ip, head)));
    } else {
        ip[0] = 0x60;
        tmtu_put16(ip + 4, (uint16_t)n);
        ip[6] = ICMP6;
        ip[7] = 64;
        memcpy(ip + 8, src, 16);
        memcpy(ip + 24, dst, 16);
        sum = tmtu_cksum_pseudo(src, dst, 16, ICMP6, (uint32_t)n);
    }
    tmtu_put16(l4 + 2, tmtu_cksum_finish(tmtu_cksum_add(sum, l4, n)));
}

/* The sequence number of an echo reply of ours, from `dst`; -1: another one. */
static int answered(const struct tmtu_io_packet *p, const uint8_t dst[16])
{
    struct tmtu_pkt pkt;
    if (tmtu_ip_parse(tmtu_buf_view(&p->buf), TMTU_IP_VERIFY, &pkt) != 0 ||
        !tmtu_addr_equal(pkt.flow.src, dst) || pkt.have < pkt.l4 + 8u ||
        pkt.data[pkt.l4] != (pkt.flow.ipver == 4 ? 0 : 129) ||
        tmtu_get16(pkt.data + pkt.l4 + 4) != IDENT)
        return -1;
    return tmtu_get16(pkt.data + pkt.l4 + 6);
}

static void listen_for(struct tmtu_io *io, const uint8_t dst[16], int count)
{
    static uint8_t mem[TMTU_IO_PACKET];
    struct tmtu_io_packet in = {.buf = tmtu_buf(mem, sizeof mem, 0)};
    const time_t end = time(NULL) + PATIENCE + 1;
    char seen[TMTU_IO_BURST + 1] = "";
    while (time(NULL) < end) {
        int n = tmtu_io_recv(io, &in, 1);
        if (n < 0)
            break;
        if (n == 0) {
            (void)tmtu_io_wait(io, 50);
            continue;
        }
        n = answered(&in, dst);
        if (n >= 0 && n < count)
            seen[n] = 1;
    }
    printf("answered");
    for (int i = 0; i < count; i++) {
        if (seen[i])
            printf(" %d", i);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct tmtu_io_packet out[TMTU_IO_BURST];
    static uint8_t mem[TMTU_IO_BURST][2048];
    uint8_t src[16], dst[16];
    char why[TMTU_IO_WHY];
    const int n = argc - 4;
    if (n < 1 || n > TMTU_IO_BURST || !address(argv[2], src) ||
        !address(argv[3], dst)) {
        fprintf(stderr, "usage: io_via IO SRC DST VIA...\n");
        return 2;
    }
    struct tmtu_io *io = tmtu_io_open(argv[1], why);
    if (io == NULL) {
        fprintf(stderr, "io_via: %s\n", why);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        const char *via = argv[i + 4];
        out[i].buf = tmtu_buf(mem[i], sizeof mem[i], TMTU_IO_HEADROOM);
        compose(&out[i], src, dst, (uint16_t)i);
        if (strcmp(via, "-") != 0 && !address(via, out[i].via))
            return 2;
    }
    int done = 0;
    while (done < n) {
        const int rc = tmtu_io_send(io, out + done, (unsigned)(n - done));
        if (rc < 0) {
            fprintf(stderr, "io_via: %s\n", io->why);
            return 1;
        }
        done += rc;
    }
    printf("sent %" PRIu64 "\nsend_errors %" PRIu64 "\noff_link %" PRIu64
           "\nwhy %s\n",
           io->sent, io->send_errors, io->off_link, io->why);
    listen_for(io, dst, n);
    (void)tmtu_io_close(io);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Sends one UDP packet inside IP in IP, its checksum left to the hardware, as a
 * kernel's own tunnel does: for io_veth.sh.
 *     io_partial IFNAME MAC */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>

#include <tunmtu/cksum.h>

enum { ETHER = 14, IP = 20, UDP = 8, DATA = 11, CHECK = 6, PROTO_UDP = 17 };
enum { INNER = ETHER + IP, UDP_AT = INNER + IP, ALL = UDP_AT + UDP + DATA };

static void header(uint8_t *p, size_t len, uint8_t proto, const uint8_t *src,
                   const uint8_t *dst)
{
    memset(p, 0, IP);
    p[0] = 0x45;
    tmtu_put16(p + 2, (uint16_t)len);
    p[8] = 64;
    p[9] = proto;
    memcpy(p + 12, src, 4);
    memcpy(p + 16, dst, 4);
    tmtu_put16(p + 10, tmtu_cksum_finish(tmtu_cksum_add(0, p, IP)));
}

static void frame(uint8_t *p, const unsigned *mac)
{
    const uint8_t outer[2][4] = {{10, 8, 0, 2}, {10, 8, 0, 9}};
    const uint8_t inner[2][4] = {{10, 7, 0, 1}, {10, 7, 0, 2}};
    memset(p, 0, ALL);
    for (int i = 0; i < 6; i++)
        p[i] = (uint8_t)mac[i];
    p[6] = 2;
    tmtu_put16(p + 12, ETH_P_IP);
    header(p + ETHER, ALL - ETHER, 4, outer[0], outer[1]);
    header(p + INNER, ALL - INNER, PROTO_UDP, inner[0], inner[1]);
    tmtu_put16(p + UDP_AT, 1000);
    tmtu_put16(p + UDP_AT + 2, 7);
    tmtu_put16(p + UDP_AT + 4, UDP + DATA);
    memcpy(p + UDP_AT + UDP, "half a sum", DATA);
    tmtu_put16(p + UDP_AT + CHECK,
               tmtu_cksum_fold(tmtu_cksum_pseudo(inner[0], inner[1], 4,
                                                 PROTO_UDP, UDP + DATA)));
}

int main(int argc, char **argv)
{
    unsigned mac[6];
    uint8_t p[sizeof(struct virtio_net_hdr) + ALL];
    struct virtio_net_hdr v;
    struct sockaddr_ll to;
    const int on = 1;
    if (argc != 3 || sscanf(argv[2], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2,
                            mac + 3, mac + 4, mac + 5) != 6) {
        fprintf(stderr, "usage: io_partial IFNAME MAC\n");
        return 2;
    }
    memset(&v, 0, sizeof v);
    v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    v.csum_start = UDP_AT;
    v.csum_offset = CHECK;
    memcpy(p, &v, sizeof v);
    frame(p + sizeof v, mac);
    memset(&to, 0, sizeof to);
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_IP);
    to.sll_ifindex = (int)if_nametoindex(argv[1]);
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0 ||
        sendto(fd, p, sizeof p, 0, (const struct sockaddr *)&to, sizeof to) !=
            sizeof p) {
        perror("io_partial");
        return 1;
    }
    close(fd);
    return 0;
}

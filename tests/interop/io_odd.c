/* SPDX-License-Identifier: MIT */
/* Has a kernel receive, on a TUN device made for it, datagrams and among them
 * one that it cannot describe to a packet socket: for io_veth.sh, which looks
 * at what comes behind.
 *     io_odd IFNAME BEFORE AFTER   says "ready" when the device is up; then for
 *                                  each of two lines: BEFORE datagrams, the
 *                                  odd one, a pause, AFTER datagrams */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <tunmtu/bytes.h>
#include <tunmtu/cksum.h>

enum { HEADERS = 28, ODD = 4000, PLAIN = 100, ROUNDS = 2 };

/* 10.3.0.2 to port 9 of 10.3.0.9: nobody answers. */
static void compose(uint8_t *p, size_t payload)
{
    memset(p, 0, HEADERS);
    memset(p + HEADERS, 'x', payload);
    p[0] = 0x45;
    tmtu_put16(p + 2, (uint16_t)(HEADERS + payload));
    p[8] = 64;
    p[9] = 17;
    tmtu_put32(p + 12, 0x0a030002);
    tmtu_put32(p + 16, 0x0a030009);
    tmtu_put16(p + 10, tmtu_cksum_finish(tmtu_cksum_add(0, p, 20)));
    tmtu_put16(p + 20, 1000);
    tmtu_put16(p + 22, 9);
    tmtu_put16(p + 24, (uint16_t)(8 + payload));
}

/* False: the kernel did not take it. */
static int put(int fd, size_t payload, const struct virtio_net_hdr *v)
{
    static uint8_t p[HEADERS + ODD];
    struct virtio_net_hdr head = *v;
    struct iovec iov[2] = {{&head, sizeof head}, {p, HEADERS + payload}};
    compose(p, payload);
    return writev(fd, iov, 2) == (ssize_t)(sizeof head + HEADERS + payload);
}

static int up(const char *name)
{
    struct ifreq ifr;
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    const int s = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
    ifr.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
        return -1;
    ifr.ifr_flags = IFF_UP;
    if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
        return -1;
    close(s);
    return fd;
}

int main(int argc, char **argv)
{
    /* UDP in fragments to be (UFO), which virtio_net_hdr_from_skb refuses. */
    const struct virtio_net_hdr plain = {.flags = 0};
    const struct virtio_net_hdr odd = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                       .gso_type = VIRTIO_NET_HDR_GSO_UDP,
                                       .hdr_len = HEADERS,
                                       .gso_size = 1480,
                                       .csum_start = 20,
                                       .csum_offset = 6};
    const struct timespec pause = {1, 0};
    char line[16];
    int fd;
    if (argc != 4 || (fd = up(argv[1])) < 0) {
        perror("io_odd");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (int n = 0; n < ROUNDS && fgets(line, sizeof line, stdin); n++) {
        for (int i = atoi(argv[2]); i > 0; i--) {
            if (!put(fd, PLAIN, &plain))
                return 1;
        }
        if (!put(fd, ODD, &odd))
            return 1;
        nanosleep(&pause, NULL);
        for (int i = atoi(argv[3]); i > 0; i--) {
            if (!put(fd, PLAIN, &plain))
                return 1;
        }
    }
    puts("done"); /* the device goes with us: another line, and it may */
    fflush(stdout);
    (void)!fgets(line, sizeof line, stdin);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A stranger's program: both libraries, through what is installed, as C and as
 * C++. Sends one tunnel packet through memory. */
#include <stdio.h>
#include <string.h>
#include <tunmtu/tunnel.h>
#include <tunmtu/version.h>
#ifdef WITH_IO
#include <tunmtu/io.h>
#endif

int main(void)
{
    static uint8_t mem[256];
    static const uint8_t in[28] = {0x45, 0, 0,   28, 0, 1,  0,   0,  64,  253,
                                   0,    0, 192, 0,  2, 10, 198, 51, 100, 20};
    static const uint8_t ends[2][4] = {{203, 0, 113, 1}, {203, 0, 113, 2}};
    struct tmtu_buf buf = tmtu_buf(mem, sizeof mem, TMTU_ENCAP_HEADROOM);
    struct tmtu_tunnel tunnel = TMTU_TUNNEL_INIT;
    struct tmtu_encap_each each = {1, 0};
    struct tmtu_verdict verdict;
    struct tmtu_pkt pkt;

    memcpy(tmtu_buf_put(&buf, sizeof in), in, sizeof in);
    tmtu_addr_set4(tunnel.encap.src, ends[0]);
    tmtu_addr_set4(tunnel.encap.dst, ends[1]);
    if (tmtu_tunnel_check(&tunnel) < 0 ||
        tmtu_ip_parse(tmtu_buf_view(&buf), 0, &pkt) < 0)
        return 1;
    tmtu_tunnel_enter(&tunnel, &pkt, &verdict);
    if (verdict.action != TMTU_TUNNEL_SEND ||
        tmtu_tunnel_push(&buf, &pkt, &tunnel, &each) < 0)
        return 2;
    if (tmtu_buf_len(&buf) != 48 || memcmp(buf.data + 12, ends, 8) != 0)
        return 3;
#ifdef WITH_IO
    struct tmtu_io *io = tmtu_io_memory(1500);
    static uint8_t room[TMTU_IO_PACKET];
    struct tmtu_io_packet got;
    memset(&got, 0, sizeof got);
    got.buf = tmtu_buf(room, sizeof room, TMTU_IO_HEADROOM);
    if (io == NULL || tmtu_io_memory_feed(io, buf.data, 48, 0) < 0 ||
        tmtu_io_recv(io, &got, 1) != 1 || tmtu_buf_len(&got.buf) != 48 ||
        tmtu_io_close(io) < 0)
        return 4;
    char why[TMTU_IO_WHY];
    if (tmtu_io_open("pcap:/nowhere/in.pcap:/nowhere/out.pcap", why) != NULL)
        return 5; /* that libpcap is linked */
#endif
    printf("tunmtu %d.%d.%d\n", TMTU_VERSION_MAJOR, TMTU_VERSION_MINOR,
           TMTU_VERSION_PATCH);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The library in thirty lines: a packet does not fit into a tunnel, and its
 * sender is told so.
 *
 *     cc -Iinclude examples/minimal.c lib/all.c && ./a.out
 *
 * says: 1500 bytes into 1480: too_big
 * says: answer of 576 bytes, next-hop MTU 1480
 */
#include <stdio.h>
#include <tunmtu/tunnel.h>

int main(void)
{
    static uint8_t memory[2048] = {0};
    struct tmtu_buf buf = tmtu_buf(memory, sizeof memory, TMTU_ENCAP_HEADROOM);
    /* IPv4 with DF, from a client to the VIP, and TCP */
    const uint8_t head[40] = {0x45, 0,  1500 >> 8, 1500 & 255,  0,   1,   0x40,
                              0,    64, 6,         0,           0,   192, 0,
                              2,    10, 198,       51,          100, 20,  156,
                              64,   1,  187,       [32] = 0x50, 0x10};
    tmtu_copy(tmtu_buf_put(&buf, 1500), head, sizeof head);

    struct tmtu_tunnel tunnel = TMTU_TUNNEL_INIT; /* IP in IP, path 1500 */
    tmtu_addr_set4(tunnel.encap.src, (const uint8_t[]){203, 0, 113, 1});
    tmtu_addr_set4(tunnel.encap.dst, (const uint8_t[]){203, 0, 113, 2});
    struct tmtu_pkt pkt;
    struct tmtu_verdict todo;
    if (tmtu_tunnel_check(&tunnel) < 0 ||
        tmtu_ip_parse(tmtu_buf_view(&buf), 0, &pkt) < 0)
        return 1;
    tmtu_tunnel_enter(&tunnel, &pkt, &todo);
    printf("%u bytes into %u: %s\n", (unsigned)pkt.len,
           (unsigned)tmtu_mtu_inner(&tunnel.mtu),
           tmtu_reason_name(todo.reason));

    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT; /* from the VIP */
    error.kind = todo.answer;
    error.info = todo.info;
    if (todo.answer != 0 && tmtu_icmp_wrap(&buf, &pkt, &error) == 0)
        printf("answer of %zu bytes, next-hop MTU %u\n", tmtu_buf_len(&buf),
               (unsigned)error.info);
    return 0;
}

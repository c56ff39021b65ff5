/* SPDX-License-Identifier: MIT */
/* The library's core in an XDP program: drops packets that contradict their
 * RFC, and "too big" messages with an MTU that nobody should believe.
 *
 *     clang -target bpf -ffreestanding -O2 -g -Iinclude -c xdp_parse.bpf.c
 *
 * -idirafter /usr/include/$(uname -m)-linux-gnu finds <asm/types.h>. */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))
#define TMTU_API  static inline __attribute__((always_inline, unused))
#include "../lib/core.c"

enum { ETH_SIZE = 14, ETH_TYPE = 12 };
enum { BELIEVED = 552 }; /* as Linux' net.ipv4.route.min_pmtu */

SEC("xdp") int parse(struct xdp_md *ctx)
{
    struct tmtu_view v = {(const uint8_t *)(long)ctx->data,
                          (const uint8_t *)(long)ctx->data_end};
    const uint8_t *eth = tmtu_pull(&v, ETH_SIZE);
    if (eth == NULL)
        return XDP_DROP;
    const uint16_t type = tmtu_get16(eth + ETH_TYPE);
    if (type != 0x0800 && type != 0x86dd)
        return XDP_PASS;
    struct tmtu_pkt pkt = {0};
    if (tmtu_ip_parse(v, 0, &pkt) < 0)
        return XDP_DROP;
    struct tmtu_icmp icmp = {0};
    if (tmtu_icmp_parse(&pkt, &icmp) == 0 && icmp.kind == TMTU_ICMP_TOO_BIG &&
        icmp.info != 0 && icmp.info < BELIEVED)
        return XDP_DROP;
    return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";

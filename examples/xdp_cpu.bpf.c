/* SPDX-License-Identifier: MIT */
/* XDP: every flow gets a CPU by the library's hash, and an ICMP error gets the
 * CPU of the flow it quotes, which no NIC does. The verifier takes this.
 *
 *     clang -target bpf -mcpu=v3 -ffreestanding -O2 -g -Iinclude \
 *         -idirafter /usr/include/$(uname -m)-linux-gnu \
 *         -c examples/xdp_cpu.bpf.c -o xdp_cpu.o
 *
 * Who loads it fills `cpus` and sets `cpu_count` and `key`. IPv4 without
 * options; all else stays on the CPU where it arrived. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define TMTU_API static inline __attribute__((always_inline, unused))
#include "../lib/core.c"
#include "../lib/wire.h"

enum { ETH_SIZE = 14, ETH_TYPE = 12, ETH_IP4 = 0x0800 };

struct {
    __uint(type, BPF_MAP_TYPE_CPUMAP);
    __uint(max_entries, 256);
    __type(key, __u32);
    __type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

const volatile struct tmtu_hash_key key = {0, 0};
const volatile __u32 cpu_count = 1;

/* Takes an IPv4 header without options, of a packet that is no later fragment,
 * and returns its protocol; 0 for others. */
static __always_inline int take_ip4(struct tmtu_view *v, struct tmtu_flow *flow)
{
    const uint8_t *ip = tmtu_pull(v, W_IP4_SIZE);
    if (ip == NULL || ip[W_IP4_VHL] != 0x45 ||
        (tmtu_get16(ip + W_IP4_FRAG) & W_IP4_OFFSET))
        return 0;
    tmtu_addr_set4(flow->src, ip + W_IP4_SRC);
    tmtu_addr_set4(flow->dst, ip + W_IP4_DST);
    flow->ipver = 4;
    flow->proto = ip[W_IP4_PROTO];
    return flow->proto;
}

SEC("xdp") int xdp_cpu(struct xdp_md *ctx)
{
    struct tmtu_view v = {(const uint8_t *)(long)ctx->data,
                          (const uint8_t *)(long)ctx->data_end};
    struct tmtu_flow flow = {0};
    const uint8_t *eth = tmtu_pull(&v, ETH_SIZE);
    if (eth == NULL || tmtu_get16(eth + ETH_TYPE) != ETH_IP4)
        return XDP_PASS;
    int proto = take_ip4(&v, &flow);
    int quoted = 0;
    if (proto == W_PROTO_ICMP) { /* unreachable, too big, time exceeded */
        const uint8_t *icmp = tmtu_pull(&v, W_ICMP_SIZE);
        if (icmp == NULL || (icmp[W_ICMP_TYPE] != 3 && icmp[W_ICMP_TYPE] != 11))
            return XDP_PASS;
        proto = take_ip4(&v, &flow);
        quoted = 1;
    }
    const uint8_t *ports = tmtu_pull(&v, 4);
    if (ports == NULL || (proto != W_PROTO_TCP && proto != W_PROTO_UDP))
        return XDP_PASS;
    flow.sport = tmtu_get16(ports);
    flow.dport = tmtu_get16(ports + 2);
    flow.flags = TMTU_FLOW_PORTS;
    if (quoted) /* what it is about went the other way */
        flow = tmtu_flow_reverse(&flow);
    const struct tmtu_hash_key k = {key.k0, key.k1};
    const __u32 cpu = (__u32)(tmtu_hash_flow(&k, &flow) >> 32) % cpu_count;
    return (int)bpf_redirect_map(&cpus, cpu, XDP_PASS);
}

char _license[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT */
/* The core compiled for BPF: parse, read an error, decide, hash, put. That the
 * verifier takes what it becomes is not claimed: of the parsers it does not. */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))
#define TMTU_API  static inline __attribute__((always_inline, unused))
#include "../lib/core.c"

SEC("xdp") int core(struct xdp_md *ctx)
{
    struct tmtu_view v = {(const uint8_t *)(long)ctx->data,
                          (const uint8_t *)(long)ctx->data_end};
    struct tmtu_pkt pkt = {0};
    struct tmtu_icmp icmp = {0};
    if (tmtu_ip_parse(v, TMTU_IP_VERIFY, &pkt) < 0)
        return XDP_DROP;
    if (tmtu_icmp_parse(&pkt, &icmp) == 0)
        return XDP_PASS;
    const struct tmtu_mtu mtu = TMTU_MTU_INIT;
    struct tmtu_mtu_decision decision;
    if (tmtu_mtu_decide(&pkt, &mtu, &decision) < 0)
        return XDP_ABORTED;
    return decision.action == TMTU_MTU_DROP ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";

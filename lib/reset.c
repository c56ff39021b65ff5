/* SPDX-License-Identifier: MIT */
/* TCP resets, built from the segment that nobody wants. */
#include <tunmtu/cksum.h>
#include <tunmtu/reset.h>

#include "wire.h"

enum { RESET_TTL = 64, RESET_DOFF = 5 << 4 };

/* Whether one host asked another: neither end is a group, or nobody. */
static int reset_between_hosts(const struct tmtu_pkt *pkt)
{
    return !(pkt->flags & TMTU_PKT_L2_GROUP) &&
           tmtu_addr_is_host(pkt->flow.src) && tmtu_addr_is_host(pkt->flow.dst);
}

/* What it has in sequence space: its data, SYN and FIN (RFC 9293 §3.4). */
static uint32_t reset_seg_len(const struct tmtu_pkt *pkt, const uint8_t *tcp)
{
    const uint8_t flags = tcp[W_TCP_FLAGS];
    return pkt->len - pkt->l4 - (tcp[W_TCP_DOFF] >> 4) * 4u +
           !!(flags & W_TCP_SYN) + !!(flags & W_TCP_FIN);
}

static void reset_write_ip4(uint8_t *p, const struct tmtu_pkt *pkt)
{
    p[W_IP4_VHL] = 0x45;
    p[W_IP4_TOS] = pkt->tclass & 0xfcu; /* it is not capable of ECN */
    tmtu_put16(p + W_IP4_LEN, W_IP4_SIZE + W_TCP_SIZE);
    tmtu_put32(p + W_IP4_ID, W_IP4_DF); /* identification 0 */
    tmtu_put32(p + W_IP4_TTL, (uint32_t)RESET_TTL << 24 | W_PROTO_TCP << 16);
    tmtu_copy(p + W_IP4_SRC, pkt->flow.dst + 12, 4);
    tmtu_copy(p + W_IP4_DST, pkt->flow.src + 12, 4);
    tmtu_put16(p + W_IP4_CHECK,
               tmtu_cksum_finish(tmtu_cksum_add(0, p, W_IP4_SIZE)));
}

static void reset_write_ip6(uint8_t *p, const struct tmtu_pkt *pkt)
{
    tmtu_put32(p, 6u << 28 | (pkt->tclass & 0xfcu) << 20);
    tmtu_put16(p + W_IP6_LEN, W_TCP_SIZE);
    p[W_IP6_NEXT] = W_PROTO_TCP;
    p[W_IP6_HOPS] = RESET_TTL;
    tmtu_copy(p + W_IP6_SRC, pkt->flow.dst, 16);
    tmtu_copy(p + W_IP6_DST, pkt->flow.src, 16);
}

int tmtu_reset_build(struct tmtu_buf *out, const struct tmtu_pkt *pkt)
{
    const int v4 = pkt->flow.ipver == 4;
    const size_t head = v4 ? (size_t)W_IP4_SIZE : (size_t)W_IP6_SIZE;
    if (pkt->flow.proto != W_PROTO_TCP)
        return TMTU_E_IGNORED;
    const int rc = tmtu_ip_transport_verify(pkt); /* and a header is there */
    if (rc < 0)
        return rc;
    const uint8_t *tcp = pkt->data + pkt->l4;
    if ((tcp[W_TCP_FLAGS] & W_TCP_RST) || !reset_between_hosts(pkt))
        return TMTU_E_FORBIDDEN;
    if ((size_t)(out->end - out->data) < head + W_TCP_SIZE)
        return TMTU_E_NOSPACE;

    const int has_ack = tcp[W_TCP_FLAGS] & W_TCP_ACK;
    uint8_t *p = out->data, *rst = p + head;
    if (v4)
        reset_write_ip4(p, pkt);
    else
        reset_write_ip6(p, pkt);
    tmtu_put32(rst, (uint32_t)pkt->flow.dport << 16 | pkt->flow.sport);
    tmtu_put32(rst + W_TCP_SEQ, has_ack ? tmtu_get32(tcp + W_TCP_ACKNO) : 0);
    tmtu_put32(rst + W_TCP_ACKNO,
               has_ack ? 0
                       : tmtu_get32(tcp + W_TCP_SEQ) + reset_seg_len(pkt, tcp));
    tmtu_put32(rst + W_TCP_DOFF,
               (uint32_t)RESET_DOFF << 24 |
                   (W_TCP_RST | (has_ack ? 0u : (uint32_t)W_TCP_ACK)) << 16);
    tmtu_put32(rst + W_TCP_CHECK, 0); /* urgent pointer with it */
    const size_t n = v4 ? 4 : 16;
    const uint32_t sum =
        tmtu_cksum_pseudo(pkt->flow.dst + 16 - n, pkt->flow.src + 16 - n, n,
                          W_PROTO_TCP, W_TCP_SIZE);
    tmtu_put16(rst + W_TCP_CHECK,
               tmtu_cksum_finish(tmtu_cksum_add(sum, rst, W_TCP_SIZE)));
    out->tail = rst + W_TCP_SIZE;
    return 0;
}

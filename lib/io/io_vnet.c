/* SPDX-License-Identifier: MIT */
/* struct virtio_net_hdr: what the kernel tells beside a packet, in our words.
 */
#include <linux/virtio_net.h>

#include <tunmtu/cksum.h>

#include "../wire.h"
#include "io_vnet.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

/* UDP_MAX_SEGMENTS of the kernel, at its least. */
enum { VNET_UDP_SEGMENTS = 64 };

uint16_t tmtu_io_vnet_gso(const struct virtio_net_hdr *v, uint32_t *flags)
{
    switch (v->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
        if (!(v->gso_type & VIRTIO_NET_HDR_GSO_ECN))
            *flags |= TMTU_IO_GSO_CWR;
        return v->gso_size;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        return v->gso_size;
    default: /* UFO: no segments, but fragments */
        return 0;
    }
}

void tmtu_io_vnet_finish(const struct virtio_net_hdr *v, size_t before,
                         struct tmtu_io_packet *pkt)
{
    if (!(v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
        (pkt->flags & TMTU_IO_CUT) || v->csum_start < before)
        return;
    const size_t start = v->csum_start - before, field = v->csum_offset;
    const size_t n = tmtu_buf_len(&pkt->buf);
    if (start > n || field > n - start || n - start - field < 2)
        return;
    /* The field holds the sum of the pseudo-header. */
    uint8_t *p = pkt->buf.data + start;
    const uint16_t check = tmtu_cksum_finish(tmtu_cksum_add(0, p, n - start));
    /* 0 would mean "none" in UDP, and is the same number elsewhere. */
    tmtu_put16(p + field, check != 0 ? check : 0xffff);
}

/* Of a super-packet: what can be told of it in a virtio_net_hdr. */
static int vnet_type(const struct tmtu_io_packet *pkt, const struct tmtu_pkt *p,
                     int uso)
{
    const uint8_t *l4 = p->data + p->l4;
    if (p->flags & (TMTU_PKT_FRAGMENT | TMTU_PKT_ROUTED))
        return -1;
    if (p->flow.proto == W_PROTO_TCP) {
        const int type = p->flow.ipver == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                            : VIRTIO_NET_HDR_GSO_TCPV6;
        return (l4[W_TCP_FLAGS] & W_TCP_CWR) && !(pkt->flags & TMTU_IO_GSO_CWR)
                   ? type | VIRTIO_NET_HDR_GSO_ECN
                   : type;
    }
    if (p->flow.proto != W_PROTO_UDP || !uso ||
        tmtu_get16(l4 + W_UDP_CHECK) == 0 ||
        p->len - p->l4 > (uint32_t)VNET_UDP_SEGMENTS * pkt->gso_size)
        return -1;
    return VIRTIO_NET_HDR_GSO_UDP_L4;
}

int tmtu_io_vnet_make(const struct tmtu_io_packet *pkt, int uso,
                      struct virtio_net_hdr *v, uint8_t check[2])
{
    struct tmtu_pkt p;
    if (tmtu_ip_parse(tmtu_buf_view(&pkt->buf), 0, &p) != 0)
        return -1;
    const int type = vnet_type(pkt, &p, uso);
    if (type < 0)
        return -1;
    const int tcp = p.flow.proto == W_PROTO_TCP;
    const uint8_t *l4 = p.data + p.l4;
    const uint32_t len = p.len - p.l4;
    const uint32_t sum =
        p.flow.ipver == 4
            ? tmtu_cksum_pseudo(p.data + W_IP4_SRC, p.data + W_IP4_DST, 4,
                                p.flow.proto, len)
            : tmtu_cksum_pseudo(p.data + W_IP6_SRC, p.data + W_IP6_DST, 16,
                                p.flow.proto, len);
    v->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    v->gso_type = (uint8_t)type;
    v->gso_size = pkt->gso_size;
    v->hdr_len = (uint16_t)(p.l4 + (tcp ? (l4[W_TCP_DOFF] >> 4) * 4u
                                        : (unsigned)W_UDP_SIZE));
    v->csum_start = p.l4;
    v->csum_offset = tcp ? W_TCP_CHECK : W_UDP_CHECK;
    tmtu_put16(check, tmtu_cksum_fold(sum));
    return 0;
}

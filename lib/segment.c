/* SPDX-License-Identifier: MIT */
/* A super-packet cut into segments: each is written when it is asked for. */
#include <tunmtu/cksum.h>
#include <tunmtu/segment.h>

#include "wire.h"

#define SEGMENT_OVER 0xffffffffu /* tmtu_segment.next: all were written */

/* Bytes of the transport header; negative: it cannot be cut behind it. */
static int segment_l4_size(const struct tmtu_pkt *pkt)
{
    const uint8_t *l4 = pkt->data + pkt->l4;
    const uint32_t have = pkt->len - pkt->l4;
    if (pkt->flags & TMTU_PKT_FRAGMENT)
        return TMTU_E_MALFORMED;
    if (pkt->flags & TMTU_PKT_ROUTED) /* the last destination is summed up */
        return TMTU_E_UNSUPPORTED;
    if (pkt->flow.proto == W_PROTO_UDP && have >= W_UDP_SIZE)
        return tmtu_get16(l4 + W_UDP_LEN) == have ? W_UDP_SIZE
                                                  : TMTU_E_MALFORMED;
    if (pkt->flow.proto != W_PROTO_TCP || have < W_TCP_SIZE)
        return TMTU_E_UNSUPPORTED;
    const uint32_t size = (l4[W_TCP_DOFF] >> 4) * 4u;
    if (size < W_TCP_SIZE || size > have)
        return TMTU_E_MALFORMED;
    /* What opens or aborts a connection is not spread over several. */
    if ((l4[W_TCP_FLAGS] & (W_TCP_SYN | W_TCP_RST)) &&
        have - size > pkt->gso_size)
        return TMTU_E_UNSUPPORTED;
    return (int)size;
}

/* The packet inside of IP in IP. */
static int segment_inside(const struct tmtu_pkt *outer, struct tmtu_pkt *inner)
{
    const uint32_t n = outer->len - outer->l4;
    if (outer->flags & TMTU_PKT_FRAGMENT)
        return TMTU_E_MALFORMED;
    if (tmtu_ip_parse(tmtu_view(outer->data + outer->l4, n), TMTU_IP_VERIFY,
                      inner) < 0 ||
        inner->len != n ||
        inner->flow.ipver != (outer->flow.proto == W_PROTO_IPIP ? 4 : 6))
        return TMTU_E_MALFORMED;
    inner->gso_size = outer->gso_size;
    return 0;
}

int tmtu_segment_init(struct tmtu_segment *segment, const struct tmtu_pkt *pkt,
                      unsigned how)
{
    const struct tmtu_pkt *cut = pkt;
    struct tmtu_pkt inner;
    uint32_t before = 0;
    int size = 0;
    if (pkt->have != pkt->len)
        return TMTU_E_TRUNCATED;
    if (pkt->gso_size != 0) {
        if (pkt->flow.proto == W_PROTO_IPIP ||
            pkt->flow.proto == W_PROTO_IPV6) {
            const int rc = segment_inside(pkt, &inner);
            if (rc < 0)
                return rc;
            before = pkt->l4;
            cut = &inner;
        }
        size = segment_l4_size(cut);
        if (size < 0)
            return size;
    }
    segment->pkt = *cut;
    segment->next = 0;
    segment->before = (uint16_t)before;
    segment->head = before + cut->l4 + (uint32_t)size;
    segment->how = (uint16_t)how;
    return 0;
}

/* The IP header at `ip` becomes that of a packet of `len` bytes, the nth. */
static void segment_ip(uint8_t *ip, uint32_t len, uint32_t nth)
{
    if (ip[W_IP4_VHL] >> 4 == 6) {
        tmtu_put16(ip + W_IP6_LEN, (uint16_t)(len - W_IP6_SIZE));
        return;
    }
    const size_t size = (ip[W_IP4_VHL] & 0xfu) * 4u;
    tmtu_put16(ip + W_IP4_LEN, (uint16_t)len);
    tmtu_put16(ip + W_IP4_ID, (uint16_t)(tmtu_get16(ip + W_IP4_ID) + nth));
    tmtu_put16(ip + W_IP4_CHECK, 0);
    tmtu_put16(ip + W_IP4_CHECK,
               tmtu_cksum_finish(tmtu_cksum_add(0, ip, size)));
}

/* The TCP header of the bytes from segment->next on. */
static void segment_tcp(const struct tmtu_segment *segment, uint8_t *tcp,
                        int last)
{
    const uint32_t at = segment->next, urgent = tmtu_get16(tcp + W_TCP_URGENT);
    unsigned flags = tcp[W_TCP_FLAGS];
    if (!last)
        flags &= ~(unsigned)(W_TCP_FIN | W_TCP_PSH);
    if (at != 0 && !(segment->how & TMTU_SEGMENT_CWR))
        flags &= ~(unsigned)W_TCP_CWR;
    if (flags & W_TCP_URG) { /* relative to the sequence number (RFC 6093) */
        const uint32_t left = urgent > at ? urgent - at : 0;
        tmtu_put16(tcp + W_TCP_URGENT, (uint16_t)left);
        if (left == 0)
            flags &= ~(unsigned)W_TCP_URG;
    }
    tcp[W_TCP_FLAGS] = (uint8_t)flags;
    tmtu_put32(tcp + W_TCP_SEQ, tmtu_get32(tcp + W_TCP_SEQ) + at);
}

/* Copies the payload and sums up what the checksum covers. */
static void segment_finish(const struct tmtu_segment *segment, uint8_t *to,
                           uint32_t n)
{
    const struct tmtu_pkt *pkt = &segment->pkt;
    uint8_t *ip = to + segment->before, *l4 = ip + pkt->l4;
    const uint32_t size = segment->head - segment->before - (uint32_t)pkt->l4;
    const int udp = pkt->flow.proto == W_PROTO_UDP;
    uint8_t *field = l4 + (udp ? W_UDP_CHECK : W_TCP_CHECK);
    const int none = udp && pkt->flow.ipver == 4 && tmtu_get16(field) == 0;

    tmtu_put16(field, 0);
    uint32_t sum = pkt->flow.ipver == 4
                       ? tmtu_cksum_pseudo(ip + W_IP4_SRC, ip + W_IP4_DST, 4,
                                           pkt->flow.proto, size + n)
                       : tmtu_cksum_pseudo(ip + W_IP6_SRC, ip + W_IP6_DST, 16,
                                           pkt->flow.proto, size + n);
    sum = tmtu_cksum_add(sum, l4, size);
    sum = tmtu_cksum_copy(sum, l4 + size,
                          pkt->data + pkt->l4 + size + segment->next, n);
    const uint16_t check = tmtu_cksum_finish(sum);
    if (!none) /* RFC 768: a sum of 0 is sent as its other form */
        tmtu_put16(field, udp && check == 0 ? 0xffffu : check);
}

int tmtu_segment_next(struct tmtu_segment *segment, struct tmtu_buf *out)
{
    const struct tmtu_pkt *pkt = &segment->pkt;
    const uint32_t all = segment->before + pkt->len;
    if (segment->next == SEGMENT_OVER)
        return 0;

    const uint32_t head = segment->head;
    const uint32_t left = all - head - segment->next;
    const int last = pkt->gso_size == 0 || left <= pkt->gso_size;
    const uint32_t n = last ? left : pkt->gso_size;
    if ((size_t)(out->end - out->data) < (size_t)head + n)
        return TMTU_E_NOSPACE;

    uint8_t *to = out->data;
    out->tail = to + head + n;
    (void)tmtu_cksum_copy(0, to, pkt->data - segment->before, head);
    if (pkt->gso_size == 0) {
        (void)tmtu_cksum_copy(0, to + head, pkt->data + head, n);
        segment->next = SEGMENT_OVER;
        return 1;
    }
    const uint32_t nth = segment->next / pkt->gso_size;
    if (segment->before != 0)
        segment_ip(to, head + n, nth);
    segment_ip(to + segment->before, head + n - segment->before, nth);
    uint8_t *l4 = to + segment->before + pkt->l4;
    if (pkt->flow.proto == W_PROTO_UDP)
        tmtu_put16(l4 + W_UDP_LEN, (uint16_t)(W_UDP_SIZE + n));
    else
        segment_tcp(segment, l4, last);
    segment_finish(segment, to, n);
    segment->next = last ? SEGMENT_OVER : segment->next + n;
    return 1;
}

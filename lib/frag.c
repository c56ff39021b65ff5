/* SPDX-License-Identifier: MIT */
/* A packet cut into fragments: each is written when it is asked for. */
#include <tunmtu/cksum.h>
#include <tunmtu/frag.h>

#include "ip4_option.h"

#define FRAG_OVER 0xffffffffu    /* tmtu_frag.next: all were written */
enum { FRAG_IP4_MAX = 60 };      /* fifteen 32-bit words */
enum { FRAG_OPT_COPIED = 0x80 }; /* RFC 791 §3.1 */

/* Where the data begins that is shared out among the fragments. */
static uint32_t frag_data_at(const struct tmtu_pkt *pkt)
{
    if (pkt->frag_at != 0)
        return pkt->frag_at + (uint32_t)W_FRAG6_SIZE;
    return pkt->unfragmentable;
}

/* Copies those options that belong into all fragments (RFC 791 §3.1) to `to`,
 * which is all zeros: end-of-list. Returns their length, a multiple of 4. */
static uint32_t frag_options(const uint8_t *from, uint32_t n, uint8_t *to)
{
    struct tmtu_view v = {from, from + n};
    uint32_t len = 0;
    for (unsigned bound = 0; bound < W_IP4_OPTIONS; bound++) {
        const int size = ip4_option_size(v);
        if (size <= 0)
            break; /* what cannot be understood goes into the first one only */
        if (v.data[0] & FRAG_OPT_COPIED) {
            (void)tmtu_cksum_copy(0, to + len, v.data, (size_t)size);
            len += (uint32_t)size;
        }
        v.data += size;
    }
    return (len + 3) & ~3u;
}

/* The data in a fragment with `head` bytes of headers, and whether it is the
 * last one. */
static uint32_t frag_share(const struct tmtu_frag *frag, uint32_t head,
                           int *last)
{
    const uint32_t left = frag->pkt.len - frag_data_at(&frag->pkt) - frag->next;
    *last = left <= frag->mtu - head;
    return *last ? left : (frag->mtu - head) & ~7u;
}

static int frag_next4(struct tmtu_frag *frag, struct tmtu_buf *out)
{
    const uint8_t *ip = frag->pkt.data;
    const uint32_t ihl = frag->pkt.unfragmentable;
    uint8_t head[FRAG_IP4_MAX] = {0};
    uint32_t size = ihl;
    tmtu_copy(head, ip, W_IP4_SIZE);
    if (frag->next == 0) {
        (void)tmtu_cksum_copy(0, head + W_IP4_SIZE, ip + W_IP4_SIZE,
                              ihl - W_IP4_SIZE);
    } else {
        size = W_IP4_SIZE + frag_options(ip + W_IP4_SIZE, ihl - W_IP4_SIZE,
                                         head + W_IP4_SIZE);
        head[W_IP4_VHL] = (uint8_t)(0x40u | size / 4);
    }
    int last;
    const uint32_t n = frag_share(frag, size, &last);
    if ((size_t)(out->end - out->data) < (size_t)size + n)
        return TMTU_E_NOSPACE;

    uint32_t word = (frag->pkt.frag_offset + frag->next) / 8;
    if (!last || (frag->pkt.flags & TMTU_PKT_MF)) /* a fragment cut again */
        word |= W_IP4_MF;
    tmtu_put16(head + W_IP4_LEN, (uint16_t)(size + n));
    tmtu_put16(head + W_IP4_ID, (uint16_t)frag->id);
    tmtu_put16(head + W_IP4_FRAG, (uint16_t)word);
    tmtu_put16(head + W_IP4_CHECK, 0);
    tmtu_put16(head + W_IP4_CHECK,
               tmtu_cksum_finish(tmtu_cksum_add(0, head, size)));
    (void)tmtu_cksum_copy(0, out->data, head, size);
    (void)tmtu_cksum_copy(0, out->data + size, ip + ihl + frag->next, n);
    out->tail = out->data + size + n;
    frag->next = last ? FRAG_OVER : frag->next + n;
    return 1;
}

static int frag_next6(struct tmtu_frag *frag, struct tmtu_buf *out)
{
    const uint8_t *ip = frag->pkt.data;
    const uint32_t repeat = frag->pkt.unfragmentable;
    const uint32_t size = repeat + W_FRAG6_SIZE;
    int last;
    const uint32_t n = frag_share(frag, size, &last);
    if ((size_t)(out->end - out->data) < (size_t)size + n)
        return TMTU_E_NOSPACE;

    /* RFC 8200 §4.5: what comes first behind the Fragment header. */
    const uint8_t type = frag->pkt.frag_at != 0 ? ip[frag->pkt.frag_at]
                                                : ip[frag->pkt.nexthdr_at];
    uint8_t *to = out->data, *head = to + repeat;
    (void)tmtu_cksum_copy(0, to, ip, repeat);
    tmtu_put16(to + W_IP6_LEN, (uint16_t)(size - W_IP6_SIZE + n));
    to[frag->pkt.nexthdr_at] = W_PROTO_FRAGMENT;
    tmtu_put16(head, (uint16_t)(type << 8));
    tmtu_put16(head + W_FRAG6_OFFSET,
               (uint16_t)(frag->next | (last ? 0u : W_FRAG6_MF)));
    tmtu_put32(head + W_FRAG6_ID, frag->id);
    (void)tmtu_cksum_copy(0, to + size,
                          ip + frag_data_at(&frag->pkt) + frag->next, n);
    out->tail = to + size + n;
    frag->next = last ? FRAG_OVER : frag->next + n;
    return 1;
}

int tmtu_frag_init(struct tmtu_frag *frag, const struct tmtu_pkt *pkt,
                   uint32_t mtu, uint32_t id, unsigned how)
{
    const int ip4 = pkt->flow.ipver == 4;
    const int may =
        (how & TMTU_FRAG_FORCE) || (ip4 && !(pkt->flags & TMTU_PKT_DF));
    if (pkt->have != pkt->len)
        return TMTU_E_TRUNCATED;
    if (may && pkt->frag_max != 0 && pkt->frag_max < mtu)
        mtu = pkt->frag_max;
    if (pkt->len > mtu) {
        if (!ip4 && (pkt->flags & TMTU_PKT_FRAGMENT))
            return TMTU_E_IGNORED;
        if (!may)
            return TMTU_E_FORBIDDEN;
        if (mtu < pkt->unfragmentable + (ip4 ? 8u : W_FRAG6_SIZE + 8u))
            return TMTU_E_ARGUMENT;
    }
    const int own = (pkt->flags & TMTU_PKT_FRAGMENT) ||
                    (!(pkt->flags & TMTU_PKT_DF) && pkt->id != 0);
    frag->pkt = *pkt;
    frag->mtu = mtu;
    frag->id = ip4 && own ? pkt->id : id;
    frag->next = 0;
    return 0;
}

int tmtu_frag_next(struct tmtu_frag *frag, struct tmtu_buf *out)
{
    if (frag->next == FRAG_OVER)
        return 0;
    if (frag->pkt.len > frag->mtu)
        return frag->pkt.flow.ipver == 4 ? frag_next4(frag, out)
                                         : frag_next6(frag, out);
    if ((size_t)(out->end - out->data) < frag->pkt.len)
        return TMTU_E_NOSPACE;
    (void)tmtu_cksum_copy(0, out->data, frag->pkt.data, frag->pkt.len);
    out->tail = out->data + frag->pkt.len;
    frag->next = FRAG_OVER;
    return 1;
}

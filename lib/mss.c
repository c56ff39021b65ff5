/* SPDX-License-Identifier: MIT */
/* The MSS option of a SYN: found, lowered, or put in. */
#include <tunmtu/cksum.h>
#include <tunmtu/mss.h>

#include "wire.h"

enum { MSS_EOL = 0, MSS_NOP = 1, MSS_KIND = 2, MSS_SIZE = 4 };
enum { MSS_TCP_MAX = 60 }; /* fifteen 32-bit words (RFC 9293 §3.1) */

/* What the options of a TCP header are. Offsets from its first byte. */
struct mss_options {
    uint64_t at;   /* bit n: an MSS option begins at offset n */
    uint32_t pad;  /* from here on there is nothing but padding */
    uint32_t eol;  /* the end-of-list option; `size` if there is none */
    uint32_t size; /* length of the header */
};

uint16_t tmtu_mss_for_mtu(uint32_t mtu, uint8_t ipver)
{
    const uint32_t fixed =
        W_TCP_SIZE + (ipver == 4 ? (uint32_t)W_IP4_SIZE : W_IP6_SIZE);
    const uint16_t least = ipver == 4 ? TMTU_MSS_DEFAULT4 : TMTU_MSS_DEFAULT6;
    if (mtu < fixed + least)
        return least;
    return (uint16_t)(mtu - fixed < 0xffffu ? mtu - fixed : 0xffffu);
}

/* Writes one byte and brings the checksum after it (RFC 1624), at odd offsets
 * as at even ones: there the byte is the low half of its word. */
static inline void mss_put8(uint8_t *tcp, uint32_t at, uint8_t to)
{
    const unsigned half = at % 2 ? 0 : 8;
    const uint16_t check = tmtu_get16(tcp + W_TCP_CHECK);
    tmtu_put16(tcp + W_TCP_CHECK,
               tmtu_cksum_update16(check, (uint16_t)(tcp[at] << half),
                                   (uint16_t)(to << half)));
    tcp[at] = to;
}

/* Looks at all options and writes none. An MSS option whose length is not 4 is
 * one that no receiver takes (R-9293-02), so it does not count here either. */
static int mss_find(const uint8_t *tcp, struct mss_options *o)
{
    uint32_t at = W_TCP_SIZE;
    o->at = 0;
    o->pad = at;
    o->eol = o->size;
    for (unsigned n = 0; n < TMTU_TCP_OPTIONS_MAX; n++) {
        if (at >= o->size)
            break;
        if (tcp[at] == MSS_EOL) {
            o->eol = at;
            break;
        }
        if (tcp[at] == MSS_NOP) {
            at++;
            continue;
        }
        /* RFC 9293 §3.2: others tell their length, with both its bytes. */
        const uint32_t left = o->size - at;
        if (left < 2 || tcp[at + 1] < 2 || tcp[at + 1] > left)
            return TMTU_E_MALFORMED;
        if (tcp[at] == MSS_KIND && tcp[at + 1] == MSS_SIZE)
            o->at |= 1ull << at;
        at += tcp[at + 1];
        o->pad = at;
    }
    return 0;
}

static int mss_lower(uint8_t *tcp, const struct mss_options *o, uint16_t mss)
{
    int changed = 0;
    for (uint32_t at = W_TCP_SIZE; at < MSS_TCP_MAX; at++) {
        if (!(o->at >> at & 1) || tmtu_get16(tcp + at + 2) <= mss)
            continue;
        mss_put8(tcp, at + 2, (uint8_t)(mss >> 8));
        mss_put8(tcp, at + 3, (uint8_t)mss);
        changed = 1;
    }
    return changed;
}

/* Four bytes more at the end of the TCP header, which is the packet's end:
 * lengths and checksums follow; what the bytes are, the caller writes. */
static void mss_grow(uint8_t *ip, struct tmtu_pkt *pkt)
{
    uint8_t *tcp = ip + pkt->l4;
    const uint32_t segment = pkt->len - pkt->l4;
    pkt->len += MSS_SIZE;
    pkt->have += MSS_SIZE;
    if (pkt->flow.ipver == 4) {
        const uint16_t from = tmtu_get16(ip + W_IP4_LEN);
        const uint16_t check = tmtu_get16(ip + W_IP4_CHECK);
        tmtu_put16(ip + W_IP4_LEN, (uint16_t)pkt->len);
        tmtu_put16(ip + W_IP4_CHECK,
                   tmtu_cksum_update16(check, from, (uint16_t)pkt->len));
    } else {
        tmtu_put16(ip + W_IP6_LEN, (uint16_t)(pkt->len - W_IP6_SIZE));
    }
    /* The pseudo-header has the segment's length. */
    const uint16_t check = tmtu_get16(tcp + W_TCP_CHECK);
    tmtu_put16(tcp + W_TCP_CHECK,
               tmtu_cksum_update16(check, (uint16_t)segment,
                                   (uint16_t)(segment + MSS_SIZE)));
    tmtu_put32(tcp + segment, 0);
    mss_put8(tcp, W_TCP_DOFF, (uint8_t)(tcp[W_TCP_DOFF] + 0x10));
}

/* Puts the option where padding was, or else behind the header. Whatever
 * follows an end-of-list is not read (RFC 9293 §3.2), so none may stand before
 * the new option. */
static int mss_insert(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                      struct mss_options *o, uint16_t mss)
{
    uint8_t *tcp = buf->data + pkt->l4;
    if (o->size - o->pad < MSS_SIZE) {
        if ((size_t)(buf->end - buf->data) < (size_t)pkt->len + MSS_SIZE)
            return TMTU_E_NOSPACE;
        mss_grow(buf->data, pkt);
        buf->tail = buf->data + pkt->len;
        for (uint32_t at = o->pad; at < o->size; at++)
            mss_put8(tcp, at, MSS_NOP);
        o->pad = o->size;
        o->size += MSS_SIZE;
    }
    mss_put8(tcp, o->pad, MSS_KIND);
    mss_put8(tcp, o->pad + 1, MSS_SIZE);
    mss_put8(tcp, o->pad + 2, (uint8_t)(mss >> 8));
    mss_put8(tcp, o->pad + 3, (uint8_t)mss);
    if (o->eol < o->pad + MSS_SIZE && o->pad + MSS_SIZE < o->size)
        mss_put8(tcp, o->pad + MSS_SIZE, MSS_EOL); /* it was overwritten */
    return 1;
}

int tmtu_mss_clamp(struct tmtu_buf *buf, struct tmtu_pkt *pkt, uint16_t mss,
                   unsigned how)
{
    if (pkt->flow.proto != W_PROTO_TCP ||
        (pkt->flags & (TMTU_PKT_LATER | TMTU_PKT_CUT)))
        return TMTU_E_IGNORED;
    if (tmtu_buf_len(buf) < pkt->have ||
        pkt->have < pkt->l4 + (uint32_t)W_TCP_SIZE)
        return TMTU_E_TRUNCATED;
    uint8_t *tcp = buf->data + pkt->l4;
    if (!(tcp[W_TCP_FLAGS] & W_TCP_SYN))
        return TMTU_E_IGNORED;
    struct mss_options o;
    o.size = (tcp[W_TCP_DOFF] >> 4) * 4u;
    if (o.size < W_TCP_SIZE)
        return TMTU_E_MALFORMED;
    if (pkt->have - pkt->l4 < o.size)
        return TMTU_E_TRUNCATED;
    const int rc = mss_find(tcp, &o);
    if (rc < 0)
        return rc;
    if (o.at != 0)
        return mss_lower(tcp, &o, mss);

    /* K118: only with no data to move out of the way, and room for an option.
     * A first fragment has data somewhere, and so has a quote that was cut off.
     */
    if (!(how & TMTU_MSS_INSERT) || (pkt->flags & TMTU_PKT_FRAGMENT) ||
        pkt->len - pkt->l4 != o.size || o.size == MSS_TCP_MAX)
        return 0;
    const uint16_t assumed =
        pkt->flow.ipver == 4 ? TMTU_MSS_DEFAULT4 : TMTU_MSS_DEFAULT6;
    return mss_insert(buf, pkt, &o, mss < assumed ? mss : assumed);
}

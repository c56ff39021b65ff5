/* SPDX-License-Identifier: MIT */
/* The outer headers, written in front of a packet. */
#include <tunmtu/encap.h>

#include "encap_kinds.h"

/* The outer IP header with what RFC 2473 §4.1.1 puts behind it. */
static inline int encap_ip_size(const struct tmtu_encap *encap, int v4)
{
    if (v4)
        return W_IP4_SIZE;
    return W_IP6_SIZE + (encap->flags & TMTU_ENCAP_TEL ? W_TEL_SIZE : 0);
}

/* In front of a packet in all; negative: the tunnel is not valid. */
static int encap_head(const struct tmtu_encap *encap)
{
    if (encap->size != sizeof *encap)
        return TMTU_E_ARGUMENT;
    const int size = encap_kind_size(encap);
    return size < 0 ? size : size + encap_ip_size(encap, encap_outer4(encap));
}

/* Flags that are of no meaning to a kind are a misunderstanding. That zero UDP
 * checksums are allowed says nothing where there is no UDP. */
static int encap_flags_ok(const struct tmtu_encap *encap)
{
    unsigned allowed = encap_kind_flags(encap->kind) | TMTU_ENCAP_ZERO6;
    if (!encap_outer4(encap))
        allowed |= TMTU_ENCAP_TEL;
    return (encap->flags & ~allowed) == 0;
}

uint16_t tmtu_encap_overhead(const struct tmtu_encap *encap)
{
    const int head = encap_head(encap);
    return (uint16_t)(head < 0 ? 0 : head);
}

int tmtu_encap_check(const struct tmtu_encap *encap)
{
    if (encap_head(encap) < 0 || !encap_flags_ok(encap) ||
        encap->df > TMTU_DF_CLEAR || encap->ecn > TMTU_ECN_3168 ||
        (encap->dscp > 63 && encap->dscp != TMTU_DSCP_COPY) ||
        tmtu_addr_is4(encap->src) != tmtu_addr_is4(encap->dst) ||
        !tmtu_addr_is_host(encap->src) || !tmtu_addr_is_host(encap->dst) ||
        tmtu_addr_equal(encap->src, encap->dst))
        return TMTU_E_ARGUMENT;
    return 0;
}

int tmtu_encap_push6(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                     uint32_t ttl, const struct tmtu_encap *encap,
                     uint32_t hash, uint32_t size, uint32_t proto)
{
    const uint32_t ip = (uint32_t)encap_ip_size(encap, 0), head = ip + size;
    /* What the packet brings overrides what is configured (RFC 2473 §5.1). */
    const int brought = tmtu_encap_limit(pkt, NULL);
    if (brought == 0)
        return TMTU_E_FORBIDDEN;
    const uint32_t tel = brought > 0 ? (uint32_t)brought - 1 : encap->tel;
    const int rc = encap_open(buf, pkt, ttl, head, 65535u + W_IP6_SIZE);
    if (rc < 0)
        return rc;
    const uint32_t tclass = encap_tclass(encap, pkt->tclass);
    ttl = encap->ttl ? encap->ttl : ttl;
    const int limited = ip > W_IP6_SIZE;
    const uint32_t next = limited ? (uint32_t)W_PROTO_DSTOPTS : proto;
    uint8_t *p = buf->data;
    tmtu_put32(p, 6u << 28 | tclass << 20 | encap_label(hash));
    tmtu_put32(p + W_IP6_LEN,
               (pkt->len + head - W_IP6_SIZE) << 16 | next << 8 | ttl);
    tmtu_copy(p + W_IP6_SRC, encap->src, 16);
    tmtu_copy(p + W_IP6_DST, encap->dst, 16);
    if (limited) { /* the option, and PadN to fill 8 bytes */
        tmtu_put32(p + W_IP6_SIZE, proto << 24 | W_TEL_OPTION << 8 | 1);
        tmtu_put32(p + W_IP6_SIZE + 4, tel << 24 | 0x10100u);
    }
    return (int)ip;
}

int tmtu_encap_push_any(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                        uint32_t ttl, const struct tmtu_encap *encap,
                        const struct tmtu_encap_each *each)
{
    if (encap->size != sizeof *encap)
        return TMTU_E_ARGUMENT;
    return encap_kind_push(buf, pkt, ttl, encap, each);
}

int tmtu_encap_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                    const struct tmtu_encap *encap,
                    const struct tmtu_encap_each *each)
{
    return encap_push(buf, pkt, pkt->ttl, encap, each);
}

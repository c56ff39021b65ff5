/* SPDX-License-Identifier: MIT */
/* The outer headers, written in front of a packet. */
#include <tunmtu/encap.h>

#include "encap_kinds.h"
#include "outer.h"

/* The sizes that two headers have together, unless one is not possible. */
static int encap_sizes(int first, int second)
{
    return first < 0 ? first : second < 0 ? second : first + second;
}

/* Bytes that the other kinds put between the outer IP header and the inner
 * one. */
static __attribute__((noinline)) int
encap_shim_size(const struct tmtu_encap *encap)
{
    switch (encap->kind) {
    case TMTU_ENCAP_GRE:
        return tmtu_encap_gre_size(encap);
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        return encap_sizes(tmtu_encap_udp_size(encap),
                           tmtu_encap_gue_size(encap));
    case TMTU_ENCAP_GREUDP:
        return encap_sizes(tmtu_encap_udp_size(encap),
                           tmtu_encap_gre_size(encap));
    default:
        return TMTU_E_ARGUMENT;
    }
}

static __attribute__((noinline)) void
encap_shim_write(uint8_t *p, const struct encap_shim *shim)
{
    struct encap_shim inside = *shim;
    inside.len -= W_UDP_SIZE;
    switch (shim->encap->kind) {
    case TMTU_ENCAP_GRE:
        tmtu_encap_gre_write(p, shim);
        break;
    case TMTU_ENCAP_GUE:
    case TMTU_ENCAP_GUE1:
        tmtu_encap_gue_write(p + W_UDP_SIZE, &inside);
        tmtu_encap_udp_write(p, shim);
        break;
    default: /* TMTU_ENCAP_GREUDP: the size was asked for before */
        tmtu_encap_gre_write(p + W_UDP_SIZE, &inside);
        tmtu_encap_udp_write(p, shim);
        break;
    }
}

/* The outer IP header with what RFC 2473 §4.1.1 puts behind it. */
static inline int encap_ip_size(const struct tmtu_encap *encap, int v4)
{
    if (v4)
        return W_IP4_SIZE;
    return W_IP6_SIZE + (encap->flags & TMTU_ENCAP_TEL ? W_TEL_SIZE : 0);
}

/* In front of a packet in all; negative: the tunnel is not valid. */
static inline int encap_head(const struct tmtu_encap *encap, int v4)
{
    if (encap->size != sizeof *encap)
        return TMTU_E_ARGUMENT;
    const int ip = encap_ip_size(encap, v4);
    return encap->kind == TMTU_ENCAP_IPIP
               ? ip
               : encap_sizes(ip, encap_shim_size(encap));
}

/* Flags that are of no meaning to a kind are a misunderstanding. That zero UDP
 * checksums are allowed says nothing where there is no UDP. */
static int encap_flags_ok(const struct tmtu_encap *encap)
{
    const unsigned gre = TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ;
    unsigned allowed = TMTU_ENCAP_ZERO6;
    if (!encap_outer4(encap))
        allowed |= TMTU_ENCAP_TEL;
    if (encap->kind != TMTU_ENCAP_IPIP)
        allowed |= TMTU_ENCAP_CSUM;
    if (encap->kind == TMTU_ENCAP_GRE || encap->kind == TMTU_ENCAP_GREUDP)
        allowed |= gre;
    return (encap->flags & ~allowed) == 0;
}

uint16_t tmtu_encap_overhead(const struct tmtu_encap *encap)
{
    const int head = encap_head(encap, encap_outer4(encap));
    return (uint16_t)(head < 0 ? 0 : head);
}

int tmtu_encap_check(const struct tmtu_encap *encap)
{
    if (encap_head(encap, encap_outer4(encap)) < 0 || !encap_flags_ok(encap) ||
        encap->df > TMTU_DF_CLEAR || encap->ecn > TMTU_ECN_3168 ||
        (encap->dscp > 63 && encap->dscp != TMTU_DSCP_COPY) ||
        tmtu_addr_is4(encap->src) != tmtu_addr_is4(encap->dst) ||
        !tmtu_addr_is_host(encap->src) || !tmtu_addr_is_host(encap->dst) ||
        tmtu_addr_equal(encap->src, encap->dst))
        return TMTU_E_ARGUMENT;
    return 0;
}

static int encap_push6(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                       uint32_t ttl, const struct tmtu_encap *encap,
                       const struct encap_shim *in)
{
    /* What the packet brings overrides what is configured (RFC 2473 §5.1). */
    const int brought = tmtu_encap_limit(pkt, NULL);
    if (brought == 0)
        return TMTU_E_FORBIDDEN;
    const uint32_t tel = brought > 0 ? (uint32_t)brought - 1 : encap->tel;
    const int rc = encap_open(buf, pkt, ttl, in->head, 65535u + W_IP6_SIZE);
    if (rc < 0)
        return rc;
    const uint32_t tclass = encap_tclass(encap, pkt->tclass);
    ttl = encap->ttl ? encap->ttl : ttl;
    const int limited = (encap->flags & TMTU_ENCAP_TEL) != 0;
    const uint32_t next = limited ? (uint32_t)W_PROTO_DSTOPTS : in->proto;
    uint32_t label = in->each->hash & 0xfffffu;
    if (label == 0 && in->each->hash != 0)
        label = 1; /* RFC 6438 §2: 0 means that there is none */
    uint8_t *p = buf->data;
    tmtu_put32(p, 6u << 28 | tclass << 20 | label);
    tmtu_put32(p + W_IP6_LEN,
               (pkt->len + in->head - W_IP6_SIZE) << 16 | next << 8 | ttl);
    tmtu_copy(p + W_IP6_SRC, encap->src, 16);
    tmtu_copy(p + W_IP6_DST, encap->dst, 16);
    if (limited) { /* the option, and PadN to fill 8 bytes */
        tmtu_put32(p + W_IP6_SIZE, in->proto << 24 | W_TEL_OPTION << 8 | 1);
        tmtu_put32(p + W_IP6_SIZE + 4, tel << 24 | 0x10100u);
    }
    return 0;
}

int tmtu_encap_push_any(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                        uint32_t ttl, const struct tmtu_encap *encap,
                        const struct tmtu_encap_each *each)
{
    const int v4 = encap_outer4(encap), head = encap_head(encap, v4);
    if (head < 0)
        return head;
    struct encap_shim shim = {.encap = encap,
                              .each = each,
                              .head = (uint32_t)head,
                              .ipver = pkt->flow.ipver,
                              .proto = pkt->flow.ipver == 4 ? W_PROTO_IPIP
                                                            : W_PROTO_IPV6};
    if (encap->kind != TMTU_ENCAP_IPIP)
        shim.proto = encap->kind == TMTU_ENCAP_GRE ? W_PROTO_GRE : W_PROTO_UDP;
    const int rc =
        v4 ? encap_push4(buf, pkt, ttl, encap, each->id, shim.head, shim.proto)
           : encap_push6(buf, pkt, ttl, encap, &shim);
    if (rc < 0 || encap->kind == TMTU_ENCAP_IPIP)
        return rc;
    const uint32_t ip = (uint32_t)encap_ip_size(encap, v4);
    shim.len = pkt->len + shim.head - ip;
    encap_shim_write(buf->data + ip, &shim);
    return 0;
}

int tmtu_encap_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                    const struct tmtu_encap *encap,
                    const struct tmtu_encap_each *each)
{
    return encap_push(buf, pkt, pkt->ttl, encap, each);
}

/* SPDX-License-Identifier: MIT */
/* The quick way into a tunnel, which nearly all packets go: nothing to decide,
 * nothing to look up. What is not one of them goes the long way, from the
 * start; no packet comes out differently. */
#ifndef TMTU_TUNNEL_QUICK_H
#define TMTU_TUNNEL_QUICK_H

#include <tunmtu/tunnel.h>

#include "encap_kinds.h"
#include "hop.h"

/* The word that a kind's header has behind UDP's, or the outer one. */
static void tunnel_words(struct tmtu_tunnel_quick *q,
                         const struct tmtu_encap *e)
{
    q->word[0] = q->word[1] = 0;
    if (e->kind == TMTU_ENCAP_GRE || e->kind == TMTU_ENCAP_GREUDP) {
        const uint32_t gre = (e->flags & TMTU_ENCAP_KEY ? W_GRE_K : 0u) |
                             (e->flags & TMTU_ENCAP_SEQ ? W_GRE_S : 0u);
        q->word[0] = gre << 16 | W_ETHERTYPE_IP4;
        q->word[1] = gre << 16 | W_ETHERTYPE_IP6;
    } else if (e->kind == TMTU_ENCAP_GUE) {
        q->word[0] = (uint32_t)W_PROTO_IPIP << 16;
        q->word[1] = (uint32_t)W_PROTO_IPV6 << 16;
    }
}

/* It is for tunnels that take DSCP and ECN as they come, without a sum over the
 * packet or an encapsulation limit. */
static void tunnel_quicken(struct tmtu_tunnel *t)
{
    const struct tmtu_encap *e = &t->encap;
    struct tmtu_tunnel_quick *q = &t->quick;
    const int quick = !(e->flags & (TMTU_ENCAP_CSUM | TMTU_ENCAP_TEL)) &&
                      !t->host && e->dscp == TMTU_DSCP_COPY &&
                      e->ecn != TMTU_ECN_COMPAT &&
                      !(t->mtu.flags & TMTU_MTU_FLOOR_DROP);
    q->head = (uint8_t)(quick ? t->mtu.overhead : 0);
    tunnel_words(q, e);
    q->proto = 0;
    if (e->kind != TMTU_ENCAP_IPIP)
        q->proto = (uint8_t)encap_kind_proto(e->kind, 4);
    q->ports = (uint32_t)e->sport << 16 | encap_udp_port(e);
    q->df_and = e->df == TMTU_DF_COPY ? TMTU_PKT_DF : 0;
    q->df_or = e->df == TMTU_DF_SET;
    /* Folded, in this machine's order: headers are summed so (encap_write4). */
    q->sum = tmtu_order16(tmtu_cksum_wide((uint64_t)tmtu_load32(e->src + 12) +
                                          tmtu_load32(e->dst + 12)));
}

/* Whether a packet goes it. What may be a loop, an expired TTL, too long,
 * marked, or bring an encapsulation limit goes the long way and is told there.
 */
static inline int tunnel_quick_ok(const struct tmtu_buf *buf,
                                  const struct tmtu_pkt *pkt,
                                  const struct tmtu_tunnel *t, int outer)
{
    const size_t head = t->quick.head;
    if (head == 0 || pkt->len + (uint32_t)head > t->mtu.path_mtu ||
        pkt->ttl <= 1 || (~pkt->tclass & 3) == 0 ||
        tmtu_buf_headroom(buf) < head)
        return 0;
    if (outer == 6)
        return pkt->l4 <= W_IP6_SIZE &&
               !tmtu_addr_equal(pkt->flow.src, t->encap.src) &&
               !tmtu_addr_equal(pkt->flow.src, t->encap.dst);
    const uint32_t src = tmtu_load32(pkt->flow.src + 12);
    return src != tmtu_load32(t->encap.src + 12) &&
           src != tmtu_load32(t->encap.dst + 12);
}

static inline uint32_t tunnel_quick_proto(const struct tmtu_tunnel *t,
                                          const struct tmtu_pkt *pkt)
{
    if (t->quick.proto != 0)
        return t->quick.proto;
    return pkt->flow.ipver == 4 ? W_PROTO_IPIP : W_PROTO_IPV6;
}

/* What stands between the outer header and the inner packet, `len` bytes with
 * it. Last and out of line, so that IP in IP need not save registers for it;
 * hence it returns what tmtu_tunnel_send does. */
static __attribute__((noinline)) int
tunnel_quick_shim(uint8_t *p, const struct tmtu_pkt *pkt,
                  const struct tmtu_tunnel *t,
                  const struct tmtu_encap_each *each, uint32_t len)
{
    const struct tmtu_tunnel_quick *q = &t->quick;
    const uint32_t word = q->word[pkt->flow.ipver == 6];
    if (q->proto == W_PROTO_UDP) {
        uint32_t ports = q->ports;
        if (ports >> 16 == 0) /* RFC 8086 §3.2.1 */
            ports |= (0xc000u | (each->hash & 0x3fffu)) << 16;
        tmtu_put32(p, ports);
        tmtu_put32(p + W_UDP_LEN, len << 16);
        p += W_UDP_SIZE;
    }
    if (word == 0)
        return 1;
    tmtu_put32(p, word);
    p += 4;
    if (t->encap.flags & TMTU_ENCAP_KEY) {
        tmtu_put32(p, t->encap.key);
        p += 4;
    }
    if (t->encap.flags & TMTU_ENCAP_SEQ)
        tmtu_put32(p, each->id);
    return 1;
}

/* Makes room for the outer header, and takes one off the TTL: first, so that
 * less has to be kept while the header is made. */
static inline uint8_t *tunnel_quick_open(struct tmtu_buf *buf,
                                         struct tmtu_pkt *pkt, size_t head)
{
    uint8_t *ip = buf->data, *p = ip - head;
    buf->tail = ip + pkt->len;
    ip_hop(ip, pkt);
    buf->data = p;
    return p;
}

/* An outer TTL copied from the inner one is the new one: K34. */
static inline uint32_t tunnel_quick_ttl(const struct tmtu_tunnel *t,
                                        const struct tmtu_pkt *pkt)
{
    return t->encap.ttl ? t->encap.ttl : pkt->ttl;
}

static inline int tunnel_quick4(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                                const struct tmtu_tunnel *t,
                                const struct tmtu_encap_each *each)
{
    const struct tmtu_tunnel_quick *q = &t->quick;
    const uint32_t len = pkt->len + q->head;
    uint8_t *p = tunnel_quick_open(buf, pkt, q->head);
    const uint32_t df = (pkt->flags & q->df_and) | q->df_or;
    const uint32_t first = 0x45000000u | (uint32_t)pkt->tclass << 16 | len;
    const uint32_t second = df ? W_IP4_DF : each->id << 16;
    const uint32_t third =
        tunnel_quick_ttl(t, pkt) << 8 | tunnel_quick_proto(t, pkt);
    const uint64_t sum = (uint64_t)q->sum + tmtu_order32(first) +
                         tmtu_order32(second) + tmtu_order16((uint16_t)third);
    const uint32_t src = tmtu_load32(t->encap.src + 12);
    const uint32_t dst = tmtu_load32(t->encap.dst + 12);
    tmtu_put32(p, first);
    tmtu_put32(p + W_IP4_ID, second);
    tmtu_put16(p + W_IP4_TTL, (uint16_t)third);
    tmtu_put16(p + W_IP4_CHECK, (uint16_t)~tmtu_cksum_wide(sum));
    tmtu_store32x2(p + W_IP4_SRC, src, dst);
    if (q->proto == 0)
        return 1;
    return tunnel_quick_shim(p + W_IP4_SIZE, pkt, t, each, len - W_IP4_SIZE);
}

static inline int tunnel_quick6(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                                const struct tmtu_tunnel *t,
                                const struct tmtu_encap_each *each)
{
    const struct tmtu_tunnel_quick *q = &t->quick;
    const uint32_t len = pkt->len + q->head - W_IP6_SIZE;
    uint8_t *p = tunnel_quick_open(buf, pkt, q->head);
    tmtu_put32(p, 6u << 28 | (uint32_t)pkt->tclass << 20 |
                      encap_label(each->hash));
    tmtu_put32(p + W_IP6_LEN, len << 16 | tunnel_quick_proto(t, pkt) << 8 |
                                  tunnel_quick_ttl(t, pkt));
    tmtu_copy(p + W_IP6_SRC, t->encap.src, 16);
    tmtu_copy(p + W_IP6_DST, t->encap.dst, 16);
    if (q->proto == 0)
        return 1;
    return tunnel_quick_shim(p + W_IP6_SIZE, pkt, t, each, len);
}

#endif

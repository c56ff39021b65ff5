/* SPDX-License-Identifier: MIT */
/* One tunnel end: loop, TTL, size, in this order. */
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

/* The quick way is for tunnels over IPv4 that take DSCP and ECN as they come,
 * without a sum over the packet; what it cannot do it leaves to the long one.
 */
static void tunnel_quicken(struct tmtu_tunnel *t)
{
    const struct tmtu_encap *e = &t->encap;
    struct tmtu_tunnel_quick *q = &t->quick;
    const int quick = !(e->flags & TMTU_ENCAP_CSUM) && t->mtu.outer == 4 &&
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

int tmtu_tunnel_check(struct tmtu_tunnel *tunnel)
{
    if (tunnel->size != sizeof *tunnel ||
        tunnel->mtu.size != sizeof tunnel->mtu ||
        tunnel->mtu.policy > TMTU_MTU_BOTH)
        return TMTU_E_ARGUMENT;
    const int rc = tmtu_encap_check(&tunnel->encap);
    if (rc < 0)
        return rc;
    const int v4 = tmtu_addr_is4(tunnel->encap.dst);
    const uint32_t least = v4 ? TMTU_IP4_MIN_MTU : TMTU_IP6_MIN_MTU;
    if (tunnel->mtu.path_mtu < least || tunnel->mtu.path_mtu > 65535u)
        return TMTU_E_ARGUMENT;
    tunnel->mtu.overhead = tmtu_encap_overhead(&tunnel->encap);
    tunnel->mtu.outer = v4 ? 4 : 6;
    tunnel_quicken(tunnel);
    return 0;
}

/* RFC 2003 §3.3, RFC 2473 §4.1.2: what comes from an end of the tunnel would
 * come round again. A host's own packets do when they are the outer ones. */
static inline int tunnel_loops(const struct tmtu_tunnel *t,
                               const struct tmtu_pkt *pkt)
{
    return tmtu_addr_equal(pkt->flow.src, t->encap.dst) ||
           (tmtu_addr_equal(pkt->flow.src, t->encap.src) &&
            (!t->host || tmtu_addr_equal(pkt->flow.dst, t->encap.dst)));
}

/* RFC 2003 §3.1: nothing is encapsulated whose TTL is 0, or would be. */
static inline int tunnel_expires(const struct tmtu_tunnel *t,
                                 const struct tmtu_pkt *pkt)
{
    return pkt->ttl <= (t->host ? 0 : 1);
}

/* What tmtu_encap_push has no room for in the outer length field. */
static inline int tunnel_oversize(const struct tmtu_tunnel *t,
                                  const struct tmtu_pkt *pkt)
{
    const uint32_t head = t->mtu.outer == 6 ? 40 : 0; /* RFC 8200 §3 */
    /* Of a super-packet each segment, with at most so many bytes of TCP. */
    const uint32_t segment = pkt->l4 + 60u + pkt->gso_size;
    const uint32_t len =
        pkt->gso_size != 0 && segment < pkt->len ? segment : pkt->len;
    return len + t->mtu.overhead > 65535u + head;
}

static void tunnel_answer(const struct tmtu_pkt *pkt, enum tmtu_icmp_kind kind,
                          uint32_t info, struct tmtu_verdict *out)
{
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    error.kind = (uint8_t)kind;
    out->silent = (uint8_t)tmtu_icmp_may_send(pkt, &error);
    if (out->silent != TMTU_OK)
        return;
    out->answer = (uint8_t)kind;
    out->info = info;
}

static void tunnel_drop(struct tmtu_verdict *out, enum tmtu_reason reason)
{
    out->action = TMTU_TUNNEL_DROP;
    out->reason = (uint8_t)reason;
}

void tmtu_tunnel_enter(const struct tmtu_tunnel *tunnel,
                       const struct tmtu_pkt *pkt, struct tmtu_verdict *out)
{
    struct tmtu_mtu_decision size;
    uint32_t at;
    out->info = 0;
    out->action = TMTU_TUNNEL_SEND;
    out->reason = TMTU_OK;
    out->answer = 0;
    out->silent = TMTU_OK;

    if (tunnel_loops(tunnel, pkt)) {
        tunnel_drop(out, TMTU_R_LOOP);
        return;
    }
    if (tunnel_expires(tunnel, pkt)) {
        tunnel_drop(out, TMTU_R_TTL_EXPIRED);
        tunnel_answer(pkt, TMTU_ICMP_EXPIRED, 0, out);
        return;
    }
    if (pkt->l4 > 40 && tunnel->mtu.outer == 6 && pkt->flow.ipver == 6 &&
        tmtu_encap_limit(pkt, &at) == 0) {
        tunnel_drop(out, TMTU_R_ENCAP_LIMIT);
        tunnel_answer(pkt, TMTU_ICMP_PARAM, at, out); /* RFC 2473 §4.1.1 */
        return;
    }
    if (tmtu_mtu_fits(pkt, &tunnel->mtu))
        return; /* nothing to say: what nearly all packets are */

    if (tmtu_mtu_decide(pkt, &tunnel->mtu, &size) < 0)
        tunnel_drop(out, TMTU_R_INTERNAL);
    else if (size.action == TMTU_MTU_DROP)
        tunnel_drop(out, (enum tmtu_reason)size.reason);
    else if (tunnel_oversize(tunnel, pkt))
        tunnel_drop(out, TMTU_R_OVERSIZE);
    else if (size.action == TMTU_MTU_OUTER_FRAG)
        out->action = TMTU_TUNNEL_CUT;
    if (out->reason != TMTU_R_INTERNAL && size.notify)
        tunnel_answer(pkt, TMTU_ICMP_TOO_BIG, size.mtu, out);
}

int tmtu_tunnel_push(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                     const struct tmtu_tunnel *tunnel,
                     const struct tmtu_encap_each *each)
{
    uint8_t *ip = buf->data;
    if (tunnel_expires(tunnel, pkt))
        return TMTU_E_FORBIDDEN;
    if (tunnel->host)
        return tmtu_encap_push(buf, pkt, &tunnel->encap, each);
    /* An outer TTL copied from the inner one is the new one: K34. */
    const int rc = encap_push(buf, pkt, pkt->ttl - 1u, &tunnel->encap, each);
    if (rc == 0)
        ip_hop(ip, pkt);
    return rc;
}

/* Out of line, so that the quick way need not save registers for it. */
static __attribute__((noinline)) int
tunnel_send_long(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                 const struct tmtu_tunnel *tunnel,
                 const struct tmtu_encap_each *each, struct tmtu_verdict *out)
{
    tmtu_tunnel_enter(tunnel, pkt, out);
    if (out->action != TMTU_TUNNEL_SEND || out->answer != 0)
        return 0;
    if (tmtu_tunnel_push(buf, pkt, tunnel, each) == 0)
        return 1;
    tunnel_drop(out, TMTU_R_INTERNAL);
    return 0;
}

/* What stands between the outer header and the inner packet, if anything. */
static inline void tunnel_shim(uint8_t *p, const struct tmtu_tunnel *t,
                               const struct tmtu_pkt *pkt,
                               const struct tmtu_encap_each *each)
{
    const struct tmtu_tunnel_quick *q = &t->quick;
    const uint32_t word = q->word[pkt->flow.ipver == 6];
    if (q->proto == W_PROTO_UDP) {
        uint32_t ports = q->ports;
        if (ports >> 16 == 0) /* RFC 8086 §3.2.1 */
            ports |= (0xc000u | (each->hash & 0x3fffu)) << 16;
        tmtu_put32(p, ports);
        tmtu_put32(p + W_UDP_LEN, (pkt->len + q->head - W_IP4_SIZE) << 16);
        p += W_UDP_SIZE;
    }
    if (word == 0)
        return;
    tmtu_put32(p, word);
    p += 4;
    if (t->encap.flags & TMTU_ENCAP_KEY) {
        tmtu_put32(p, t->encap.key);
        p += 4;
    }
    if (t->encap.flags & TMTU_ENCAP_SEQ)
        tmtu_put32(p, each->id);
}

int tmtu_tunnel_send(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                     const struct tmtu_tunnel *tunnel,
                     const struct tmtu_encap_each *each,
                     struct tmtu_verdict *out)
{
    const struct tmtu_tunnel_quick *q = &tunnel->quick;
    const struct tmtu_encap *e = &tunnel->encap;
    uint8_t *ip = buf->data, *p = ip - q->head;
    const uint32_t src = tmtu_load32(pkt->flow.src + 12);
    const uint32_t from = tmtu_load32(e->src + 12);
    const uint32_t to = tmtu_load32(e->dst + 12);
    const uint32_t len = pkt->len + q->head;
    uint32_t ttl = pkt->ttl;
    /* What may be a loop, an expired TTL, too long or marked goes the long way
     * and is told there. */
    if (q->head == 0 || len > tunnel->mtu.path_mtu || ttl <= 1 || src == from ||
        src == to || (pkt->tclass & 3) == 3 ||
        (size_t)(ip - buf->head) < q->head)
        return tunnel_send_long(buf, pkt, tunnel, each, out);

    ttl = e->ttl ? e->ttl : ttl - 1;
    uint32_t proto = pkt->flow.ipver == 4 ? W_PROTO_IPIP : W_PROTO_IPV6;
    if (q->proto != 0) {
        proto = q->proto;
        tunnel_shim(p + W_IP4_SIZE, tunnel, pkt, each);
    }
    const uint32_t df = (pkt->flags & q->df_and) | q->df_or;
    const uint32_t first = 0x45000000u | (uint32_t)pkt->tclass << 16 | len;
    const uint32_t second = df ? W_IP4_DF : each->id << 16;
    const uint32_t third = ttl << 8 | proto;
    const uint64_t sum = (uint64_t)q->sum + tmtu_order32(first) +
                         tmtu_order32(second) + tmtu_order16((uint16_t)third);
    buf->tail = ip + pkt->len;
    tmtu_put32(p, first);
    tmtu_put32(p + W_IP4_ID, second);
    tmtu_put16(p + W_IP4_TTL, (uint16_t)third);
    tmtu_put16(p + W_IP4_CHECK, (uint16_t)~tmtu_cksum_wide(sum));
    tmtu_store32x2(p + W_IP4_SRC, from, to);
    ip_hop(ip, pkt);
    buf->data = p;
    return 1;
}

/* SPDX-License-Identifier: MIT */
/* One tunnel end: loop, TTL, size, in this order. */
#include <tunmtu/tunnel.h>

#include "hop.h"
#include "outer.h"
#include "tunnel_quick.h"

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

/* Out of line as well: each family has registers of its own. */
static __attribute__((noinline)) int
tunnel_send6(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
             const struct tmtu_tunnel *tunnel,
             const struct tmtu_encap_each *each, struct tmtu_verdict *out)
{
    if (!tunnel_quick_ok(buf, pkt, tunnel, 6))
        return tunnel_send_long(buf, pkt, tunnel, each, out);
    return tunnel_quick6(buf, pkt, tunnel, each);
}

int tmtu_tunnel_send(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                     const struct tmtu_tunnel *tunnel,
                     const struct tmtu_encap_each *each,
                     struct tmtu_verdict *out)
{
    if (tunnel->mtu.outer == 6)
        return tunnel_send6(buf, pkt, tunnel, each, out);
    if (!tunnel_quick_ok(buf, pkt, tunnel, 4))
        return tunnel_send_long(buf, pkt, tunnel, each, out);
    return tunnel_quick4(buf, pkt, tunnel, each);
}

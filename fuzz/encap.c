/* SPDX-License-Identifier: MIT */
/* What goes into a tunnel comes out of it, and never longer than the path, the
 * same on the quick way in as on the long one; and what is let out of one can
 * be put back in.
 *
 * Input: which (1 byte: bit 0 IPv6 outside, bit 1 the host's own, bit 2 source
 * left open, bit 3 destination left open), DF (1), ECN (1), DSCP (1), TTL (1),
 * policy and flags (1), path MTU (2), identification (2), segment size (2),
 * largest fragment (2), headroom (1), hash (1), kind (1), its flags (1),
 * encapsulation limit (1), GRE key and, in bits 0 and 1, ports of one's own
 * (1), then a packet. It is put into a tunnel, and also taken for one that
 * comes out.
 */
#include <string.h>

#include <tunmtu/frag.h>
#include <tunmtu/tunnel.h>

#include "harness.h"

enum { OPTIONS = 20 };
static const uint8_t ends[2][32] = {
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 1,
     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 2},
    {0x20, 1, 0x0d, 0xb8, 0, 0xa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
     0x20, 1, 0x0d, 0xb8, 0, 0xb, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
};

/* RFC 6040 §4.2, rows inside by columns outside; 9: not to come out. */
static const uint8_t ecn[4][4] = {
    {0, 0, 0, 9},
    {1, 1, 1, 3},
    {2, 1, 2, 3},
    {3, 3, 3, 3},
};

/* A copy that ends where its memory ends, behind `headroom` bytes. */
static struct tmtu_buf copy(const uint8_t *p, size_t n, size_t headroom)
{
    uint8_t *mem = malloc(headroom + n ? headroom + n : 1);
    must(mem != NULL);
    memset(mem, 0xa5, headroom);
    struct tmtu_buf b = tmtu_buf(mem, headroom + n, headroom);
    if (n > 0)
        memcpy(tmtu_buf_put(&b, n), p, n);
    return b;
}

/* In fragments, none is longer than the path, and all are parts of it. */
static void cut(const struct tmtu_pkt *outer, uint32_t path)
{
    struct tmtu_frag frag;
    must(tmtu_frag_init(&frag, outer, path, 1, TMTU_FRAG_FORCE) == 0);
    uint8_t *mem = malloc(path);
    must(mem != NULL);
    for (;;) {
        struct tmtu_buf out = tmtu_buf(mem, path, 0);
        struct tmtu_pkt piece;
        const int rc = tmtu_frag_next(&frag, &out);
        must(rc >= 0);
        if (rc == 0)
            break;
        must(tmtu_ip_parse(tmtu_buf_view(&out), TMTU_IP_VERIFY, &piece) == 0);
        must(!(piece.flags & TMTU_PKT_DF));
    }
    free(mem);
}

static void decided(const struct tmtu_tunnel *t, const struct tmtu_pkt *pkt)
{
    struct tmtu_mtu_decision d;
    must(tmtu_mtu_decide(pkt, &t->mtu, &d) == 0);
    must(d.mtu >= (pkt->flow.ipver == 6 ? 1280 : 68));
    must(!d.notify || d.mtu < pkt->len);
    must((d.action == TMTU_MTU_DROP) == (d.reason != TMTU_OK));
    must(!tmtu_mtu_fits(pkt, &t->mtu) || d.action == TMTU_MTU_FITS);
}

/* An error may quote as much as it likes of what was sent: the tunnel is known,
 * and what is inside as soon as its IP header is there. */
static void quoted(const struct tmtu_encap *e, const struct tmtu_pkt *outer,
                   const struct tmtu_pkt *was, size_t n)
{
    const size_t over = tmtu_encap_overhead(e);
    const size_t head = was->flow.ipver == 4 ? (was->data[0] & 15) * 4u : 40;
    struct tmtu_buf b = copy(outer->data, n, 0);
    struct tmtu_pkt quote, inner, any;
    if (tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_QUOTED, &quote) == 0) {
        const int rc = tmtu_encap_peek(&quote, e, &inner);
        must(rc == (n < over + head ? (int)TMTU_E_TRUNCATED : (int)over));
        if (rc > 0) {
            must(inner.data == b.data + over && inner.len == was->len);
            must(inner.have == n - over && inner.ttl + 1 >= was->ttl);
            must(memcmp(inner.flow.src, was->flow.src, 32) == 0);
            if (inner.flow.flags)
                must(tmtu_flow_equal(&inner.flow, &was->flow));
            if (e->sport == 0 && e->dport == 0) /* the well-known ones */
                must(tmtu_encap_peek(&quote, NULL, &any) == rc &&
                     memcmp(&any, &inner, sizeof any) == 0);
        }
    } else {
        must(n < outer->l4); /* not even that header is whole */
    }
    free(b.head);
}

/* The quick way in is the long one, whatever the packet: same result, same
 * verdict, same bytes. */
static void quick(const struct tmtu_tunnel *t,
                  const struct tmtu_encap_each *each,
                  const struct tmtu_buf *inner, const struct tmtu_pkt *pkt)
{
    const size_t room = tmtu_buf_headroom(inner), n = tmtu_buf_len(inner);
    struct tmtu_buf a = copy(inner->data, n, room), b = copy(a.data, n, room);
    struct tmtu_pkt pa = *pkt, pb = *pkt;
    struct tmtu_verdict va = {0}, vb = {0};
    pa.data = a.data;
    pb.data = b.data;
    pa.gso_size = pb.gso_size = 0; /* is for no super-packet */
    const int rc = tmtu_tunnel_send(&a, &pa, t, each, &va);
    tmtu_tunnel_enter(t, &pb, &vb);
    const int sent = vb.action == TMTU_TUNNEL_SEND && vb.answer == 0 &&
                     tmtu_tunnel_push(&b, &pb, t, each) == 0;
    must(rc == sent);
    if (!sent && vb.action == TMTU_TUNNEL_SEND && vb.answer == 0) {
        vb.action = TMTU_TUNNEL_DROP; /* what push refuses */
        vb.reason = TMTU_R_INTERNAL;
    }
    must(sent || memcmp(&va, &vb, sizeof va) == 0);
    must(pa.data == a.head + room && pb.data == b.head + room);
    pa.data = pb.data;
    must(memcmp(&pa, &pb, sizeof pa) == 0);
    must(a.data - a.head == b.data - b.head &&
         a.tail - a.head == b.tail - b.head);
    must(memcmp(a.head, b.head, (size_t)(a.end - a.head)) == 0);
    free(a.head);
    free(b.head);
}

static void in(const struct tmtu_tunnel *t, const struct tmtu_encap_each *each,
               struct tmtu_buf *buf, struct tmtu_pkt *pkt)
{
    struct tmtu_verdict v;
    const struct tmtu_pkt was = *pkt;
    decided(t, pkt);
    quick(t, each, buf, pkt);
    tmtu_tunnel_enter(t, pkt, &v);
    must((v.action == TMTU_TUNNEL_DROP) == (v.reason != TMTU_OK));
    must(v.answer == 0 || v.silent == TMTU_OK);
    must(v.answer != TMTU_ICMP_TOO_BIG || v.info < pkt->len);

    const struct tmtu_buf inner = *buf;
    struct tmtu_buf old = copy(buf->head, (size_t)(buf->end - buf->head), 0);
    const int rc = tmtu_tunnel_push(buf, pkt, t, each);
    if (rc < 0) {
        must(memcmp(buf, &inner, sizeof inner) == 0);
        must(memcmp(pkt, &was, sizeof was) == 0);
        must(memcmp(buf->head, old.head, tmtu_buf_len(&old)) == 0);
        must(v.action == TMTU_TUNNEL_DROP || rc == TMTU_E_NOSPACE);
        free(old.head);
        return;
    }
    struct tmtu_pkt outer, back;
    must(tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &outer) == 0);
    must(outer.len == tmtu_buf_len(buf));
    must(outer.len == was.len + tmtu_encap_overhead(&t->encap));
    if (v.action == TMTU_TUNNEL_SEND && was.gso_size == 0)
        must(outer.len <= t->mtu.path_mtu);
    if (v.action == TMTU_TUNNEL_CUT)
        cut(&outer, t->mtu.path_mtu);

    for (size_t n = outer.len; n > 0; n = n * 3 / 4)
        quoted(&t->encap, &outer, &was, n);
    for (size_t n = 0; n < 90 && n <= outer.len; n++)
        quoted(&t->encap, &outer, &was, n);

    uint32_t seq;
    if (t->encap.flags & TMTU_ENCAP_SEQ)
        must(tmtu_encap_sequence(&outer, &seq) == 0 && seq == each->id);
    if (t->encap.kind >= TMTU_ENCAP_GUE && (t->encap.flags & TMTU_ENCAP_CSUM))
        must(tmtu_ip_transport_verify(&outer) == 0);

    const enum tmtu_reason why = tmtu_encap_pull(buf, &outer, &t->encap, &back);
    if (why == TMTU_R_INNER_SOURCE) {
        free(old.head);
        return; /* the only thing that is looked at on the way out alone */
    }
    must(why == TMTU_OK);
    must(buf->data == inner.data && tmtu_buf_len(buf) == was.len);
    must(back.ttl == was.ttl - !t->host && back.tclass == was.tclass);
    must(tmtu_flow_equal(&back.flow, &was.flow));
    if (was.flow.ipver == 4) { /* TTL and checksum: the parser verified both */
        memcpy(buf->data + 8, old.head + (inner.data - inner.head) + 8, 1);
        memcpy(buf->data + 10, old.head + (inner.data - inner.head) + 10, 2);
    } else {
        buf->data[7] = was.ttl;
    }
    must(memcmp(buf->data, old.head + (inner.data - inner.head), was.len) == 0);
    free(old.head);
}

/* What cannot be told again of an outer IP header: ECN, the checksum over it,
 * an identification beside DF. */
static void forget(uint8_t *p)
{
    if (p[0] >> 4 == 6) {
        p[1] &= 0xcf;
        return;
    }
    p[1] &= 0xfc;
    p[6] &= 0x7f; /* the bit that nobody uses */
    p[10] = p[11] = 0;
    if (p[6] & 0x40)
        p[4] = p[5] = 0;
}

/* GRE's first 4 to 16 bytes, of a packet that was let out; 0: not as we write
 * them (reserved bits; a checksum within UDP's). */
static int told_gre(uint8_t *p, struct tmtu_encap *e,
                    struct tmtu_encap_each *each)
{
    const unsigned word = tmtu_get16(p);
    must((word & 0x4c07) == 0);
    if ((word & 0x03f8) != 0)
        return 0;
    p += 4;
    if (word & 0x8000) {
        if (e->kind != TMTU_ENCAP_GRE || tmtu_get16(p + 2) != 0)
            return 0;
        e->flags |= TMTU_ENCAP_CSUM;
        if (tmtu_get16(p) == 0xffff)
            tmtu_put16(p, 0); /* the same sum */
        p += 4;
    }
    if (word & 0x2000) {
        e->flags |= TMTU_ENCAP_KEY;
        e->key = tmtu_get32(p);
        p += 4;
    }
    if (word & 0x1000) {
        e->flags |= TMTU_ENCAP_SEQ;
        each->id = tmtu_get32(p);
    }
    return 1;
}

/* Tunnel options out of the outer headers at p; 0: push does not make such
 * headers, though pull has to take them. */
static int told(uint8_t *p, const struct tmtu_pkt *outer,
                const struct tmtu_pkt *inner, struct tmtu_encap *e,
                struct tmtu_encap_each *each)
{
    const size_t ip = outer->flow.ipver == 4 ? 20 : 40;
    memcpy(e->src, outer->flow.src, 16);
    memcpy(e->dst, outer->flow.dst, 16);
    e->df = outer->flags & TMTU_PKT_DF ? TMTU_DF_SET : TMTU_DF_CLEAR;
    e->dscp = outer->tclass >> 2;
    e->ttl = outer->ttl;
    each->id = outer->id;
    if (outer->ttl == 0 || (ip == 40 && tmtu_encap_limit(inner, NULL) >= 0))
        return 0;
    if (ip == 40)
        each->hash = tmtu_get32(p) & 0xfffff;
    if (outer->l4 == 48 && p[6] == 60 && p[41] == 0 && p[42] == 4 &&
        tmtu_get16(p + 46) == 0x100 && p[43] == 1 && p[45] == 1) {
        e->flags |= TMTU_ENCAP_TEL;
        e->tel = p[44];
    } else if (outer->l4 != ip) {
        return 0;
    }
    p += outer->l4;
    if (e->kind == TMTU_ENCAP_GRE)
        return told_gre(p, e, each);
    if (e->kind < TMTU_ENCAP_GUE)
        return 1;
    e->sport = outer->flow.sport;
    e->dport = outer->flow.dport;
    if (e->sport == 0 || tmtu_get16(p + 4) != outer->len - outer->l4)
        return 0;
    if (tmtu_get16(p + 6) != 0)
        e->flags |= TMTU_ENCAP_CSUM;
    else
        e->flags |= TMTU_ENCAP_ZERO6;
    if (e->kind == TMTU_ENCAP_GREUDP)
        return told_gre(p + 8, e, each);
    e->kind = p[8] >> 6 ? TMTU_ENCAP_GUE1 : TMTU_ENCAP_GUE;
    return 1;
}

/* Where a checksum over the inner packet stands behind the outer IP header;
 * 0: there is none. */
static size_t sum_at(const struct tmtu_encap *e)
{
    if (!(e->flags & TMTU_ENCAP_CSUM))
        return 0;
    return e->kind == TMTU_ENCAP_GRE ? 4 : 6;
}

/* What was let out goes back in behind the same `head` bytes as `first`. */
static void again(struct tmtu_buf *buf, const struct tmtu_pkt *inner,
                  const struct tmtu_pkt *outer, uint8_t kind, uint8_t *first,
                  size_t head, int marked)
{
    struct tmtu_encap e = TMTU_ENCAP_INIT;
    struct tmtu_encap_each each = {0, 0};
    struct tmtu_pkt pkt;
    e.kind = kind;
    if (!told(first, outer, inner, &e, &each))
        return;
    must(tmtu_encap_overhead(&e) == head);
    must(tmtu_encap_push(buf, inner, &e, &each) == 0);
    must(tmtu_buf_len(buf) == inner->len + head);
    must(tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &pkt) == 0);
    if (sum_at(&e) != 0 && marked) /* one bit has changed under it */
        memcpy(first + outer->l4 + sum_at(&e),
               buf->data + outer->l4 + sum_at(&e), 2);
    if ((e.flags & TMTU_ENCAP_SEQ) && outer->flow.ipver == 4) {
        memset(first + 4, 0, 2); /* is the sequence number's */
        memset(buf->data + 4, 0, 2);
    }
    forget(first);
    forget(buf->data);
    must(memcmp(buf->data, first, head) == 0);
}

/* Ends of any address: which bits 2 and 3. */
static void open_ends(struct tmtu_encap *e, unsigned which, unsigned ipver)
{
    const size_t at = ipver == 4 ? 12 : 0;
    if (which & 4)
        memset(e->src + at, 0, 16 - at);
    if (which & 8)
        memset(e->dst + at, 0, 16 - at);
}

static void out(unsigned which, const struct tmtu_encap *tunnel,
                struct tmtu_buf *buf)
{
    struct tmtu_encap e = *tunnel;
    struct tmtu_pkt outer, inner, same;
    if (tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &outer) < 0)
        return;
    memcpy(e.src, outer.flow.src, 16);
    memcpy(e.dst, outer.flow.dst, 16);
    open_ends(&e, which, outer.flow.ipver);
    struct tmtu_buf was = *buf;
    struct tmtu_buf old = copy(buf->head, (size_t)(buf->end - buf->head), 0);
    memset(&inner, 0xa5, sizeof inner);
    memcpy(&same, &inner, sizeof inner);
    struct tmtu_pkt seen = {0};
    e.sport = 0; /* which pull does not look at */
    const int over = tmtu_encap_peek(&outer, &e, &seen);
    const enum tmtu_reason why = tmtu_encap_pull(buf, &outer, &e, &inner);
    if (why != TMTU_OK) {
        must(why != TMTU_R_INTERNAL && tmtu_reason_name((int)why) != NULL);
        must(memcmp(buf, &was, sizeof was) == 0);
        must(memcmp(&inner, &same, sizeof same) == 0);
        must(memcmp(buf->head, old.head, tmtu_buf_len(&old)) == 0);
    } else {
        must(tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &same) == 0);
        must(memcmp(&inner, &same, sizeof same) == 0);
        must(tmtu_buf_len(buf) == inner.len && inner.ttl > 0);
        const size_t head = (size_t)(buf->data - was.data);
        must(over == (int)head && seen.len == inner.len);
        must(tmtu_flow_equal(&seen.flow, &inner.flow));
        uint8_t *first = old.head + (was.data - was.head);
        const uint8_t *ip = first + head;
        const unsigned in = (ip[0] >> 4 == 4 ? ip[1] : ip[1] >> 4) & 3u;
        must((inner.tclass & 3) == ecn[in][outer.tclass & 3]);
        must(inner.flow.ipver == 4 ? tmtu_addr_is_host(inner.flow.src)
                                   : !tmtu_addr_is4(inner.flow.src) &&
                                         !tmtu_addr_is_group(inner.flow.src));
        must(tmtu_addr_is_host(outer.flow.src));
        must(!(outer.flags & (TMTU_PKT_FRAGMENT | TMTU_PKT_ROUTED)));
        if (outer.flow.proto == 17)
            must(head + inner.len <=
                 outer.l4 + (size_t)tmtu_get16(first + outer.l4 + 4));
        if (outer.len == head + inner.len)
            again(buf, &inner, &outer, e.kind, first, head,
                  in != (inner.tclass & 3u));
    }
    free(old.head);
}

/* The same bytes as a quote: a caller's mistake, but nothing outside of them is
 * looked at. */
static void out_of_a_quote(unsigned which, const struct tmtu_encap *tunnel,
                           struct tmtu_buf *buf)
{
    struct tmtu_encap e = *tunnel;
    struct tmtu_pkt outer, inner;
    uint32_t seq, at;
    if (tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_QUOTED, &outer) < 0)
        return;
    memcpy(e.src, outer.flow.src, 16);
    memcpy(e.dst, outer.flow.dst, 16);
    open_ends(&e, which, outer.flow.ipver);
    struct tmtu_pkt deep, step = outer;
    const int levels = tmtu_encap_innermost(&outer, &deep);
    int rc = tmtu_encap_peek(&outer, &e, &inner);
    if (rc > 0)
        must(inner.data == outer.data + rc && inner.have > 0 &&
             inner.data + inner.have <= outer.data + outer.have);
    for (int i = 0; i < levels; i++) {
        const uint8_t *from = step.data, *to = from + step.have;
        rc = tmtu_encap_peek(&step, NULL, &step);
        must(rc > 0 && step.data == from + rc && step.data + step.have <= to);
    }
    must(memcmp(&step, &deep, sizeof deep) == 0);
    must(levels == TMTU_ENCAP_NESTING ||
         tmtu_encap_peek(&deep, NULL, &inner) < 0);
    must(tmtu_encap_limit(&outer, &at) < 256);
    must(tmtu_encap_sequence(&outer, &seq) <= 0);
    if (tmtu_encap_pull(buf, &outer, &e, &inner) == TMTU_OK)
        must(tmtu_buf_len(buf) == inner.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < OPTIONS)
        return 0;
    const unsigned which = data[0];
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
    memcpy(t.encap.src, ends[which & 1], 16);
    memcpy(t.encap.dst, ends[which & 1] + 16, 16);
    t.encap.df = data[1] % 3;
    t.encap.ecn = data[2] % 3;
    t.encap.dscp = data[3];
    t.encap.ttl = data[4];
    t.mtu.policy = data[5] % 4 % 3;
    t.mtu.flags = data[5] / 4 % 8;
    t.mtu.path_mtu = tmtu_get16(data + 6);
    t.host = which / 2 % 2;
    t.encap.kind = data[16];
    t.encap.flags = data[17];
    t.encap.tel = data[18];
    t.encap.key = data[19] * 0x01010101u;
    t.encap.sport = data[19] & 1 ? 4242 : 0;
    t.encap.dport = data[19] & 2 ? 5555 : 0;
    const struct tmtu_encap_each each = {tmtu_get16(data + 8),
                                         data[15] * 0x01010101u};
    const uint8_t *p = data + OPTIONS;
    const size_t n = size - OPTIONS;

    struct tmtu_buf buf = copy(p, n, data[14] % 80);
    struct tmtu_pkt pkt;
    if (tmtu_tunnel_check(&t) == 0 &&
        tmtu_ip_parse(tmtu_buf_view(&buf), TMTU_IP_VERIFY, &pkt) == 0) {
        pkt.gso_size = tmtu_get16(data + 10);
        pkt.frag_max = tmtu_get16(data + 12);
        in(&t, &each, &buf, &pkt);
    }
    free(buf.head);
    buf = copy(p, n, data[14] % 80);
    out(which, &t.encap, &buf);
    free(buf.head);
    buf = copy(p, n, 0);
    out_of_a_quote(which, &t.encap, &buf);
    free(buf.head);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A packet goes into a tunnel, a router complains about what it quotes of it:
 * what we tell the sender can be built, our own reader believes it, it is about
 * what the sender sent, and is what the tunnel says itself from then on.
 *
 * Input: which tunnel (1 byte: bit 0 IPv6 outside, bits 1 to 4 checksum, key,
 * sequence number, encapsulation limit, bits 5 to 7 kind), relay flags and, in
 * bits 6 and 7, policy (1), type and code of the error (2), its second word
 * (4), path MTU by then (2), bytes quoted (2), byte of the tunnel packet to
 * change (1), by how (1), floor (1, in eights), then the packet.
 */
#include <string.h>

#include <tunmtu/relay.h>
#include <tunmtu/trust.h>

#include "harness.h"

enum { OPTIONS = 15, MAX = 4096 };
static const uint8_t ends[2][32] = {
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 1,
     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 2},
    {0x20, 1, 0x0d, 0xb8, 0, 0xa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
     0x20, 1, 0x0d, 0xb8, 0, 0xb, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
};

static int tunnel_of(const uint8_t *data, struct tmtu_tunnel *t)
{
    const struct tmtu_tunnel fresh = TMTU_TUNNEL_INIT;
    static const uint8_t flags[4] = {TMTU_ENCAP_CSUM, TMTU_ENCAP_KEY,
                                     TMTU_ENCAP_SEQ, TMTU_ENCAP_TEL};
    *t = fresh;
    memcpy(t->encap.src, ends[data[0] & 1], 16);
    memcpy(t->encap.dst, ends[data[0] & 1] + 16, 16);
    t->encap.kind = data[0] >> 5;
    for (unsigned i = 0; i < 4; i++)
        if (data[0] >> (1 + i) & 1)
            t->encap.flags |= flags[i];
    if (t->encap.kind >= TMTU_ENCAP_GUE && (data[0] & 3) == 1)
        t->encap.flags |= TMTU_ENCAP_ZERO6;
    t->encap.tel = 0; /* so that it can be complained about */
    t->mtu.path_mtu = 65535;
    return tmtu_tunnel_check(t) == 0;
}

/* The error, in exactly its memory. */
static struct tmtu_buf error_of(const uint8_t *data,
                                const struct tmtu_buf *sent)
{
    const int v4 = sent->data[0] >> 4 == 4;
    const size_t head = v4 ? 20 : 40, all = tmtu_buf_len(sent);
    size_t n = tmtu_get16(data + 10);
    n = n < all ? n : all;
    uint8_t *p = calloc(1, head + 8 + n);
    must(p != NULL);
    p[0] = v4 ? 0x45 : 0x60;
    tmtu_put16(p + (v4 ? 2 : 4), (uint16_t)(v4 ? head + 8 + n : 8 + n));
    p[v4 ? 9 : 6] = v4 ? 1 : 58;
    p[v4 ? 8 : 7] = 64;
    memcpy(p + (v4 ? 16 : 24), sent->data + (v4 ? 12 : 8), v4 ? 4 : 16);
    memcpy(p + head, data + 2, 2);
    memcpy(p + head + 4, data + 4, 4);
    memcpy(p + head + 8, sent->data, n);
    struct tmtu_buf b = tmtu_buf(p, head + 8 + n, 0);
    (void)tmtu_buf_put(&b, head + 8 + n);
    return b;
}

/* Told: it can be built, read, believed, and is about the inner packet. */
static void told(const struct tmtu_relay *r)
{
    uint8_t mem[TMTU_ICMP6_MAX];
    struct tmtu_buf out = tmtu_buf(mem, sizeof mem, 0);
    struct tmtu_icmp_error error = r->error;
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    const struct tmtu_trust_options options = TMTU_TRUST_INIT;
    const struct tmtu_trust_facts ours = {0, 0, 0, TMTU_TRUST_OURS_YES, 0};
    struct tmtu_trust trust;
    must(r->inner.have == r->inner.len || r->inner.have >= r->inner.l4 + 8u);
    if (error.from == TMTU_ICMP_FROM_SRC)
        memcpy(error.src, ends[r->inner.flow.ipver == 6] + 16, 16);
    if (tmtu_addr_equal(error.src, r->inner.flow.src))
        error.src[15] ^= 1;
    must(tmtu_icmp_build(&out, &r->inner, &error) == 0);
    must(tmtu_ip_parse(tmtu_buf_view(&out), TMTU_IP_VERIFY, &pkt) == 0);
    must(tmtu_ip_transport_verify(&pkt) == 0);
    must(tmtu_icmp_parse(&pkt, &icmp) == 0);
    must(tmtu_addr_equal(pkt.flow.dst, r->inner.flow.src));
    must(tmtu_flow_equal(&icmp.quoted.flow, &r->inner.flow));
    must(icmp.kind == r->error.kind && icmp.info == r->error.info);
    must(tmtu_trust_decide(&pkt, &icmp, &options, &ours, &trust) == 0);
    must(trust.believed);
}

/* Once the path has learnt it, what does the tunnel say of the same packet? */
static void later(const struct tmtu_relay *r, const struct tmtu_icmp *icmp,
                  const struct tmtu_pkt *was, struct tmtu_tunnel *t,
                  const struct tmtu_relay_options *options)
{
    static uint64_t mem[4096];
    const struct tmtu_hash_key key = {1, 2};
    struct tmtu_pmtu_options how = TMTU_PMTU_INIT;
    struct tmtu_pmtu_answer answer;
    struct tmtu_verdict v;
    const struct tmtu_pmtu_path path = tmtu_pmtu_path(&icmp->quoted.flow, 0);
    const uint32_t link = t->mtu.path_mtu;
    how.floor4 = options->floor4;
    must(tmtu_pmtu_sizeof(4) <= sizeof mem);
    struct tmtu_pmtu *pmtu = tmtu_pmtu_init(mem, 4, &how, &key);
    must(pmtu != NULL);
    const enum tmtu_pmtu_outcome got =
        tmtu_pmtu_learn(pmtu, &path, &r->learn, link, 0);
    must(got == TMTU_PMTU_LEARNT || got == TMTU_PMTU_HIGHER);
    tmtu_pmtu_lookup(pmtu, &path, link, 0, &answer);
    must(answer.mtu <= link);
    t->mtu.path_mtu = answer.mtu;
    tmtu_tunnel_enter(t, was, &v);
    if (r->reason == TMTU_OK)
        must((v.answer == TMTU_ICMP_TOO_BIG && v.info == r->error.info) ||
             (was->flow.ipver == 6 && (was->flags & TMTU_PKT_LATER)));
    else if (r->reason == TMTU_R_FITS || r->reason == TMTU_R_MAY_CUT)
        must(v.answer == 0 && v.action != TMTU_TUNNEL_DROP);
}

/* The router's word: each doubt has a name, and refuses when it is to. */
static void judged(const struct tmtu_pkt *pkt, const struct tmtu_icmp *icmp,
                   const uint8_t *data)
{
    struct tmtu_trust_options options = TMTU_TRUST_INIT;
    const struct tmtu_trust_facts facts = {tmtu_get32(data + 4), 0x01020305u,
                                           tmtu_get16(data + 8), data[13] % 3,
                                           data[13] & 4};
    struct tmtu_trust trust;
    options.refuse = tmtu_get16(data + 10);
    must(tmtu_trust_decide(pkt, icmp, &options, &facts, &trust) == 0);
    must(trust.believed == !(trust.against & options.refuse));
    must((trust.against & ~TMTU_TRUST_ALL) == 0);
    must((tmtu_trust_name(trust.against) != NULL) == (trust.against != 0));
    must(
        !(trust.against & TMTU_TRUST_NOT_SMALLER) ||
        trust.mtu >=
            (icmp->quoted.have > icmp->quoted.len ? 65536u : icmp->quoted.len));
}

static void relayed(const uint8_t *data, const struct tmtu_buf *sent,
                    const struct tmtu_pkt *was, struct tmtu_tunnel *t)
{
    struct tmtu_relay_options options = TMTU_RELAY_INIT;
    struct tmtu_relay r;
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    const uint8_t by = data[13];
    sent->data[data[12] % tmtu_buf_len(sent)] ^= by;
    options.flags = data[1] & 0x1f;
    options.policy = (data[1] >> 6) % 3;
    options.floor4 = 68 + data[14] * 8u;
    struct tmtu_buf error = error_of(data, sent);
    if (tmtu_ip_parse(tmtu_buf_view(&error), 0, &pkt) == 0 &&
        tmtu_icmp_parse(&pkt, &icmp) == 0) {
        const struct tmtu_pkt *outer = &icmp.quoted;
        judged(&pkt, &icmp, data);
        const int rc = tmtu_relay_read(&icmp, t, &options, &r);
        must(rc == 0 || (rc == TMTU_E_IGNORED && by != 0));
        if (rc == 0) {
            must((r.reason == TMTU_OK) == (r.error.kind != 0));
            must(
                !r.learns ||
                (icmp.kind == TMTU_ICMP_TOO_BIG &&
                 icmp.info < (outer->have > outer->len ? 65536u : outer->len)));
            if (r.reason == TMTU_OK)
                told(&r);
            if (by == 0 && r.overhead != 0) {
                must(r.overhead == t->mtu.overhead);
                must(r.inner.len == was->len);
                must(tmtu_addr_equal(r.inner.flow.src, was->flow.src));
            }
            if (by == 0 && r.learns && r.learn.validated &&
                !(options.flags & (TMTU_RELAY_KNOWN | TMTU_RELAY_LOW)))
                later(&r, &icmp, was, t, &options);
        }
    }
    free(error.head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t mem[TMTU_ENCAP_HEADROOM + MAX];
    const struct tmtu_encap_each each = {0x1234, 0x56789};
    struct tmtu_tunnel t;
    struct tmtu_pkt pkt;
    struct tmtu_verdict v;
    if (size < OPTIONS || size - OPTIONS > MAX || !tunnel_of(data, &t))
        return 0;
    struct tmtu_buf buf = tmtu_buf(mem, sizeof mem, TMTU_ENCAP_HEADROOM);
    uint8_t *p = tmtu_buf_put(&buf, size - OPTIONS);
    memcpy(p, data + OPTIONS, size - OPTIONS);
    if (tmtu_ip_parse(tmtu_buf_view(&buf), 0, &pkt) < 0)
        return 0;
    const struct tmtu_pkt was = pkt;
    tmtu_tunnel_enter(&t, &pkt, &v);
    if (v.action == TMTU_TUNNEL_DROP ||
        tmtu_tunnel_push(&buf, &pkt, &t, &each) < 0)
        return 0;
    /* What was said of it before it went: its headers, but not its TTL. */
    uint8_t copy[MAX];
    struct tmtu_pkt before = was;
    memcpy(copy, data + OPTIONS, size - OPTIONS);
    before.data = copy;
    t.mtu.path_mtu = tmtu_get16(data + 8); /* it may have shrunk since */
    if (tmtu_tunnel_check(&t) < 0)
        return 0;
    relayed(data, &buf, &before, &t);
    return 0;
}

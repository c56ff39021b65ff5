/* SPDX-License-Identifier: MIT */
/* A tunnel, a packet that went into it, a router's error about that, and what
 * the relay makes of it, in a line of words. */
#ifndef TMTU_RELAY_BED_H
#define TMTU_RELAY_BED_H

#include "tmtu_error.h"

#include <tunmtu/relay.h>
#include <tunmtu/trust.h>

/* The kinds of tunnels, and what they put between the IP headers. */
static const struct {
    const char *name;
    uint8_t kind;
    uint16_t shim;
} bed_kinds[] = {
    {"IPIP", TMTU_ENCAP_IPIP, 0},      {"GRE", TMTU_ENCAP_GRE, 4},
    {"GUE", TMTU_ENCAP_GUE, 12},       {"GUE1", TMTU_ENCAP_GUE1, 8},
    {"GREUDP", TMTU_ENCAP_GREUDP, 12},
};

/* What happens. */
struct bed {
    struct tmtu_tunnel tunnel; /* that the packet went into */
    struct test_shape shape;   /* of the packet */
    struct test_says says;     /* the router */
    size_t quote;              /* bytes of the tunnel packet; more: all */
    struct tmtu_relay_options options;
    uint32_t path_mtu; /* when the error comes; 0: as it was */
};

/* A packet of 1500 bytes in IPv4 with DF or IPv6, in a tunnel over a path of
 * 1600, of which a router quotes all that there is. */
static inline struct bed bed(unsigned inner, unsigned outer, uint8_t kind)
{
    const struct tmtu_tunnel tunnel = TMTU_TUNNEL_INIT;
    const struct tmtu_relay_options options = TMTU_RELAY_INIT;
    struct bed b;
    memset(&b, 0, sizeof b);
    b.tunnel = tunnel;
    b.tunnel.encap = test_encap(outer);
    b.tunnel.encap.kind = kind;
    if (outer == 6 && kind >= TMTU_ENCAP_GUE)
        b.tunnel.encap.flags = TMTU_ENCAP_ZERO6;
    b.tunnel.mtu.path_mtu = 1600;
    b.shape = test_shape(inner, 1500);
    if (inner == 4)
        b.shape.frag = 0x4000;
    b.options = options;
    b.quote = SIZE_MAX;
    b.says.type = outer == 4 ? 3 : 2;
    b.says.code = outer == 4 ? 4 : 0;
    b.says.word = 1400;
    return b;
}

/* The tunnel packet, in exactly its memory. */
static inline struct tmtu_buf bed_outer(struct bed *b)
{
    const struct tmtu_encap_each each = {7, 0x12345};
    struct tmtu_buf buf = test_made(&b->shape, TMTU_ENCAP_HEADROOM);
    struct tmtu_pkt pkt = test_parsed(&buf);
    assert_int_equal(tmtu_tunnel_check(&b->tunnel), 0);
    assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &b->tunnel, &each), 0);
    struct tmtu_buf exact = test_buf(buf.data, tmtu_buf_len(&buf), 0, 0);
    free(buf.head);
    return exact;
}

/* What is told can be built, is summed right by another routine, and whoever
 * gets it knows it for an error about the packet that he sent. */
static inline void bed_told(const struct tmtu_relay *r)
{
    struct tmtu_icmp_error error = r->error;
    const int v4 = r->inner.flow.ipver == 4;
    struct tmtu_buf out = test_buf(NULL, 0, 0, TMTU_ICMP6_MAX);
    if (error.from == TMTU_ICMP_FROM_SRC)
        test_addr(v4 ? "203.0.113.1" : "2001:db8:a::1", error.src);
    assert_int_equal(tmtu_icmp_build(&out, &r->inner, &error), 0);
    const struct tmtu_pkt pkt = test_parsed(&out);
    const uint16_t sum = v4 ? test_cksum(out.data + 20, tmtu_buf_len(&out) - 20)
                            : test_cksum6(out.data, tmtu_buf_len(&out));
    assert_int_equal(sum, 0);
    assert_memory_equal(pkt.flow.dst, r->inner.flow.src, 16);

    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(icmp.kind, r->error.kind);
    assert_int_equal(icmp.info, r->error.info);
    assert_true(tmtu_flow_equal(&icmp.quoted.flow, &r->inner.flow));
    assert_int_equal(icmp.quoted.len, r->inner.len);

    const struct tmtu_trust_options strict = TMTU_TRUST_INIT;
    const struct tmtu_trust_facts facts = {0, 0, 0, TMTU_TRUST_OURS_YES, 0};
    struct tmtu_trust trust;
    assert_int_equal(tmtu_trust_decide(&pkt, &icmp, &strict, &facts, &trust),
                     0);
    assert_true(trust.believed);
    free(out.head);
}

/* "too big 1380", "unreachable 1", "expired 0", "parameter 8" or the reason for
 * nothing; then what is learnt, if anything: with a question mark when it was
 * not validated. */
static inline const char *bed_words(int rc, const struct tmtu_relay *r)
{
    static const char *const kinds[] = {"", "unreachable", "too big", "expired",
                                        "parameter"};
    static char line[120];
    if (rc == TMTU_E_IGNORED)
        return "ignored";
    assert_int_equal(rc, 0);
    const struct tmtu_icmp_error *e = &r->error;
    int n;
    assert_int_equal(r->reason == TMTU_OK, e->kind != 0);
    if (e->kind == 0)
        n = snprintf(line, sizeof line, "%s", tmtu_reason_name(r->reason));
    else if (e->kind == TMTU_ICMP_TOO_BIG)
        n = snprintf(line, sizeof line, "too big %u", e->info);
    else if (e->kind == TMTU_ICMP_PARAM)
        n = snprintf(line, sizeof line, "parameter %u at %u", e->code, e->info);
    else
        n = snprintf(line, sizeof line, "%s %u", kinds[e->kind], e->code);
    if (r->learns)
        snprintf(line + n, sizeof line - (size_t)n, ", learn%s %u",
                 r->learn.validated ? "" : "?", r->learn.mtu);
    if (e->kind != 0)
        bed_told(r);
    return line;
}

/* Reads the error about the tunnel packet, which ends where its memory does. */
static inline int bed_read(struct bed *b, const struct tmtu_buf *outer,
                           struct tmtu_buf *error, struct tmtu_relay *r)
{
    const size_t len = tmtu_buf_len(outer);
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    *error = test_error(&b->says, outer->data, b->quote < len ? b->quote : len);
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(error), TMTU_IP_VERIFY, &pkt),
                     0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    if (b->path_mtu != 0)
        b->tunnel.mtu.path_mtu = b->path_mtu;
    memset(r, 0xa5, sizeof *r);
    const struct tmtu_relay before = *r;
    const int rc = tmtu_relay_read(&icmp, &b->tunnel, &b->options, r);
    if (rc < 0)
        assert_memory_equal(r, &before, sizeof *r);
    return rc;
}

/* All of it, in words. */
static inline const char *bed_run(struct bed *b)
{
    struct tmtu_buf outer = bed_outer(b), error;
    struct tmtu_relay r;
    const int rc = bed_read(b, &outer, &error, &r);
    const char *words = bed_words(rc, &r);
    free(error.head);
    free(outer.head);
    return words;
}

#endif

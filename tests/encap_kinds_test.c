/* SPDX-License-Identifier: MIT */
/* Every kind of tunnel, every family pair, every flag: there and back. */
#include "tmtu_test.h"

#include <tunmtu/tunnel.h>

#include "vectors/vectors.h"

enum { HEADROOM = TMTU_ENCAP_HEADROOM, ROOM = 2048, K = TMTU_ENCAP_KINDS };

static size_t vector(const char *name, uint8_t *out)
{
    for (size_t i = 0; i < TEST_ROWS(vectors); i++) {
        if (strcmp(vectors[i].name, name) == 0)
            return test_hex(vectors[i].hex, out, ROOM);
    }
    fail_msg("no vector %s", name);
    return 0;
}

static void addr4(uint8_t a[16], uint8_t b, uint8_t c, uint8_t d, uint8_t e)
{
    const uint8_t ip[4] = {b, c, d, e};
    tmtu_addr_set4(a, ip);
}

static void ends(struct tmtu_encap *e, int v4)
{
    static const uint8_t six[2][16] = {
        {0x20, 0x01, 0x0d, 0xb8, 0, 0x0a, [15] = 1},
        {0x20, 0x01, 0x0d, 0xb8, 0, 0x0b, [15] = 1},
    };
    if (v4) {
        addr4(e->src, 203, 0, 113, 1);
        addr4(e->dst, 203, 0, 113, 2);
    } else {
        memcpy(e->src, six[0], 16);
        memcpy(e->dst, six[1], 16);
    }
}

static struct tmtu_pkt parsed(const struct tmtu_buf *b)
{
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(b), TMTU_IP_VERIFY, &pkt), 0);
    return pkt;
}

/* The vectors have an identification with DF; ours is 0 then (RFC 6864). */
static void without_id(uint8_t *ip)
{
    tmtu_put16(ip + 4, 0);
    tmtu_put16(ip + 10, 0);
    tmtu_put16(ip + 10, test_cksum(ip, 20));
}

static void v10_every_kind_byte_by_byte(void **state)
{
    static const struct {
        const char *name;
        uint8_t kind, flags;
    } rows[] = {
        {"V10.gre_plain", TMTU_ENCAP_GRE, 0},
        {"V10.gre_cks", TMTU_ENCAP_GRE,
         TMTU_ENCAP_CSUM | TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ},
        {"V10.gue_variant0", TMTU_ENCAP_GUE, TMTU_ENCAP_CSUM},
        {"V10.gue_variant1", TMTU_ENCAP_GUE1, TMTU_ENCAP_CSUM},
        {"V10.gre_in_udp", TMTU_ENCAP_GREUDP, TMTU_ENCAP_CSUM},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t in[ROOM], want[ROOM];
        print_message("  %s\n", rows[i].name);
        size_t n = vector("V1.encapsulated", in);
        struct tmtu_buf b = test_buf(in + 20, n - 20, HEADROOM, 0);
        const struct tmtu_pkt inner = parsed(&b);
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        ends(&e, 1);
        e.kind = rows[i].kind;
        e.flags = rows[i].flags;
        e.dscp = 0;
        e.key = 0x01020304;
        const struct tmtu_encap_each each = {1, 0x1234};
        n = vector(rows[i].name, want);
        without_id(want);
        assert_int_equal(tmtu_encap_check(&e), 0);
        assert_int_equal(tmtu_encap_push(&b, &inner, &e, &each), 0);
        assert_int_equal(tmtu_buf_len(&b), n);
        assert_memory_equal(b.data, want, n);
        assert_int_equal(n - inner.len, tmtu_encap_overhead(&e));
        free(b.head);
    }
}

static void v12_tel_as_a_destination_option(void **state)
{
    uint8_t want[ROOM];
    (void)state;
    size_t n = vector("V12.tunnelled_limit4", want);
    struct tmtu_buf b = test_buf(want + 48, n - 48, HEADROOM, 0);
    struct tmtu_pkt inner = parsed(&b), outer;
    struct tmtu_encap e = TMTU_ENCAP_INIT;
    ends(&e, 0);
    e.flags = TMTU_ENCAP_TEL;
    const struct tmtu_encap_each each = {0, 0x12345};
    assert_int_equal(tmtu_encap_push(&b, &inner, &e, &each), 0);
    assert_int_equal(tmtu_buf_len(&b), n);
    assert_memory_equal(b.data, want, n);

    /* R-2473-04: what a packet brings overrides what is configured. */
    outer = parsed(&b);
    uint32_t at = 0;
    assert_int_equal(tmtu_encap_limit(&outer, &at), 4);
    assert_int_equal(at, 44);
    struct tmtu_buf twice = test_buf(b.data, n, HEADROOM, 0);
    outer = parsed(&twice);
    e.tel = 10;
    assert_int_equal(tmtu_encap_push(&twice, &outer, &e, &each), 0);
    assert_int_equal(twice.data[44], 3);

    /* R-2473-03: limit 0 is the end, and its place is known. */
    n = vector("V12.arriving_limit0", want);
    struct tmtu_buf zero = test_buf(want, n, HEADROOM, 0);
    outer = parsed(&zero);
    assert_int_equal(tmtu_encap_limit(&outer, &at), 0);
    assert_int_equal(at, 44);
    assert_int_equal(tmtu_encap_push(&zero, &outer, &e, &each),
                     TMTU_E_FORBIDDEN);
    assert_int_equal(tmtu_buf_len(&zero), n);
    free(b.head);
    free(twice.head);
    free(zero.head);
}

/* An inner UDP packet of each family. */
static struct tmtu_buf inner_packet(int v4, size_t payload)
{
    uint8_t p[ROOM] = {0};
    const size_t head = v4 ? 20 : 40, len = head + 8 + payload;
    if (v4) {
        p[0] = 0x45;
        tmtu_put16(p + 2, (uint16_t)len);
        p[8] = 63;
        p[9] = 17;
        tmtu_put32(p + 12, 0xc000020a);
        tmtu_put32(p + 16, 0xc6336414);
        tmtu_put16(p + 10, test_cksum(p, 20));
    } else {
        p[0] = 0x60;
        tmtu_put16(p + 4, (uint16_t)(8 + payload));
        p[6] = 17;
        p[7] = 63;
        tmtu_put32(p + 8, 0x20010db8);
        p[23] = 1;
        tmtu_put32(p + 24, 0x20010db8);
        p[39] = 2;
    }
    tmtu_put16(p + head, 1000);
    tmtu_put16(p + head + 2, 2000);
    tmtu_put16(p + head + 4, (uint16_t)(8 + payload));
    tmtu_put16(p + head + 6, 1);
    for (size_t i = 0; i < payload; i++)
        p[head + 8 + i] = (uint8_t)(i * 7);
    return test_buf(p, len, HEADROOM, 0);
}

static void every_kind_flag_and_family_pair_comes_back(void **state)
{
    (void)state;
    unsigned pairs = 0;
    for (unsigned n = 0; n < K * 32u * 4 * 3; n++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        const int outer4 = (n & 1) != 0, inner4 = (n & 2) != 0;
        e.kind = (uint8_t)(n / 4 % K);
        e.flags = (uint8_t)(n / (4 * K) % 32);
        e.key = 0xdeadbeef;
        ends(&e, outer4);
        if (tmtu_encap_check(&e) < 0)
            continue;
        pairs++;
        struct tmtu_buf b = inner_packet(inner4, 700 + n / (128 * K));
        struct tmtu_pkt inner = parsed(&b), outer, back;
        const size_t len = tmtu_buf_len(&b);
        uint8_t *before = test_exact(b.data, len);
        const struct tmtu_encap_each each = {0xfffffff0u + n, n * 77u + 1};
        assert_int_equal(tmtu_encap_push(&b, &inner, &e, &each), 0);
        assert_int_equal(tmtu_buf_len(&b), len + tmtu_encap_overhead(&e));
        outer = parsed(&b);
        assert_int_equal(outer.len, tmtu_buf_len(&b));
        uint32_t seq = 1;
        if (e.flags & TMTU_ENCAP_SEQ) {
            assert_int_equal(tmtu_encap_sequence(&outer, &seq), 0);
            assert_int_equal(seq, each.id);
        }
        if (e.kind >= TMTU_ENCAP_GUE && (e.flags & TMTU_ENCAP_CSUM))
            assert_int_equal(tmtu_ip_transport_verify(&outer), 0);

        /* Every bit over the inner packet is seen where there is a sum. */
        if (e.kind != TMTU_ENCAP_IPIP && (e.flags & TMTU_ENCAP_CSUM)) {
            b.tail[-1] ^= 1;
            assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                             TMTU_R_OUTER_CHECKSUM);
            b.tail[-1] ^= 1;
        }
        if (e.flags & TMTU_ENCAP_KEY) {
            e.key++;
            assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                             TMTU_R_TUNNEL_KEY);
            e.key--;
        }
        if (e.kind == TMTU_ENCAP_GRE || e.kind == TMTU_ENCAP_GREUDP) {
            e.flags ^= TMTU_ENCAP_KEY; /* one that is there, or is not */
            assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                             TMTU_R_TUNNEL_KEY);
            e.flags ^= TMTU_ENCAP_KEY;
        }
        assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back), TMTU_OK);
        assert_int_equal(tmtu_buf_len(&b), len);
        assert_memory_equal(b.data, before, len);
        assert_true(tmtu_flow_equal(&back.flow, &inner.flow));
        free(before);
        free(b.head);
    }
    print_message("  %u tunnels\n", pairs);
    assert_true(pairs > 200);
}

static void flags_of_another_kind_are_refused(void **state)
{
    static const struct {
        const char *name;
        uint8_t kind, flags;
        int v4, rc;
    } rows[] = {
        {"IPIP has no checksum", TMTU_ENCAP_IPIP, TMTU_ENCAP_CSUM, 1, -5},
        {"IPIP has no key", TMTU_ENCAP_IPIP, TMTU_ENCAP_KEY, 1, -5},
        {"GUE has no key", TMTU_ENCAP_GUE, TMTU_ENCAP_KEY, 1, -5},
        {"GUE has no sequence", TMTU_ENCAP_GUE1, TMTU_ENCAP_SEQ, 1, -5},
        {"R-2473-05 no limit over IPv4", TMTU_ENCAP_IPIP, TMTU_ENCAP_TEL, 1,
         -5},
        {"limit over IPv6", TMTU_ENCAP_GRE, TMTU_ENCAP_TEL, 0, 0},
        {"R-6936-01 UDP over IPv6 needs a checksum", TMTU_ENCAP_GUE, 0, 0, -5},
        {"R-6935-01 or that zero is allowed", TMTU_ENCAP_GUE, TMTU_ENCAP_ZERO6,
         0, 0},
        {"UDP over IPv4 does not", TMTU_ENCAP_GUE, 0, 1, 0},
        {"no such kind", K, 0, 1, -5},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        print_message("  %s\n", rows[i].name);
        ends(&e, rows[i].v4);
        e.kind = rows[i].kind;
        e.flags = rows[i].flags;
        assert_int_equal(tmtu_encap_check(&e), rows[i].rc);
    }
}

/* A tunnel packet with one byte changed, at `off` from the outer IPv4. */
static void refusals_are_named(void **state)
{
    static const struct {
        const char *name;
        uint8_t kind;
        size_t off;
        uint8_t val;
        enum tmtu_reason want;
    } rows[] = {
        {"GRE as it is", TMTU_ENCAP_GRE, 21, 0, TMTU_OK},
        {"R-2784-01 GRE version 1", TMTU_ENCAP_GRE, 21, 1,
         TMTU_R_TUNNEL_HEADER},
        {"R-2784-02 routing bit", TMTU_ENCAP_GRE, 20, 0x40,
         TMTU_R_TUNNEL_HEADER},
        {"R-2784-02 strict source route bit", TMTU_ENCAP_GRE, 20, 0x08,
         TMTU_R_TUNNEL_HEADER},
        {"R-2784-02 recursion bit 5", TMTU_ENCAP_GRE, 20, 0x04,
         TMTU_R_TUNNEL_HEADER},
        {"R-2784-02 bits 6 to 12 are ignored", TMTU_ENCAP_GRE, 20, 0x03,
         TMTU_OK},
        {"R-2784-03 Ethernet inside", TMTU_ENCAP_GRE, 22, 0x65,
         TMTU_R_TUNNEL_HEADER},
        {"a key nobody asked for", TMTU_ENCAP_GRE, 20, 0x20, TMTU_R_TUNNEL_KEY},
        {"says IPv6, is IPv4", TMTU_ENCAP_GRE, 22, 0x86, TMTU_R_TUNNEL_HEADER},
        {"GUE as it is", TMTU_ENCAP_GUE, 28, 0, TMTU_OK},
        {"R-GUE-03 control message", TMTU_ENCAP_GUE, 28, 0x20,
         TMTU_R_TUNNEL_HEADER},
        {"R-GUE-02 version 2", TMTU_ENCAP_GUE, 28, 0x80, TMTU_R_TUNNEL_HEADER},
        {"R-GUE-03 flags nobody knows", TMTU_ENCAP_GUE, 31, 1,
         TMTU_R_TUNNEL_HEADER},
        {"R-GUE-03 another protocol inside", TMTU_ENCAP_GUE, 29, 17,
         TMTU_R_TUNNEL_HEADER},
        {"says IPv6, is IPv4", TMTU_ENCAP_GUE, 29, 41, TMTU_R_INNER_VERSION},
        {"R-GUE-01 longer than the packet", TMTU_ENCAP_GUE, 28, 0x1f,
         TMTU_R_TUNNEL_HEADER},
        {"R-GUE-03 private data nobody agreed on", TMTU_ENCAP_GUE, 28, 0x01,
         TMTU_R_TUNNEL_HEADER},
        {"R-GUE-02 variant 1 on the same port", TMTU_ENCAP_GUE1, 28, 0x45,
         TMTU_OK},
        {"R-GUE-02 first nibble 5", TMTU_ENCAP_GUE1, 28, 0x50,
         TMTU_R_INNER_VERSION},
        {"UDP shorter than what is inside", TMTU_ENCAP_GUE, 25, 79,
         TMTU_R_INNER_MALFORMED},
        {"UDP without a GUE header", TMTU_ENCAP_GUE, 25, 8,
         TMTU_R_TUNNEL_HEADER},
        {"UDP with half of one", TMTU_ENCAP_GUE, 25, 10, TMTU_R_TUNNEL_HEADER},
        {"UDP without a GRE header", TMTU_ENCAP_GREUDP, 25, 11,
         TMTU_R_TUNNEL_HEADER},
        {"GRE-in-UDP as it is", TMTU_ENCAP_GREUDP, 28, 0, TMTU_OK},
        {"R-8086-01 DTLS port", TMTU_ENCAP_GREUDP, 23, 0x93, TMTU_R_NOT_TUNNEL},
        {"another protocol", TMTU_ENCAP_GUE, 9, 136, TMTU_R_NOT_TUNNEL},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        struct tmtu_buf b = inner_packet(1, 40);
        struct tmtu_pkt inner = parsed(&b), outer, back;
        const struct tmtu_encap_each each = {1, 1};
        print_message("  %s\n", rows[i].name);
        ends(&e, 1);
        e.kind = rows[i].kind;
        assert_int_equal(tmtu_encap_push(&b, &inner, &e, &each), 0);
        b.data[rows[i].off] = rows[i].val;
        tmtu_put16(b.data + 10, 0);
        tmtu_put16(b.data + 10, test_cksum(b.data, 20));
        outer = parsed(&b);
        const struct tmtu_buf before = b;
        memset(&back, 0xa5, sizeof back);
        assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back), rows[i].want);
        if (rows[i].want != TMTU_OK) {
            assert_memory_equal(&b, &before, sizeof b);
            for (size_t k = 0; k < sizeof back; k++)
                assert_int_equal(((uint8_t *)&back)[k], 0xa5);
        }
        free(b.head);
    }
}

static void r_6936_02_zero_over_ipv6_only_where_enabled(void **state)
{
    struct tmtu_encap e = TMTU_ENCAP_INIT;
    struct tmtu_buf b = inner_packet(1, 40);
    struct tmtu_pkt inner = parsed(&b), outer, back;
    const struct tmtu_encap_each each = {1, 1};
    (void)state;
    ends(&e, 0);
    e.kind = TMTU_ENCAP_GUE;
    e.flags = TMTU_ENCAP_ZERO6;
    assert_int_equal(tmtu_encap_push(&b, &inner, &e, &each), 0);
    assert_int_equal(tmtu_get16(b.data + 46), 0); /* K37 */
    outer = parsed(&b);
    e.flags = 0;
    assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                     TMTU_R_OUTER_CHECKSUM);
    e.flags = TMTU_ENCAP_CSUM;
    assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                     TMTU_R_OUTER_CHECKSUM);
    /* R-6936-01: where zero is allowed, another value must still be right. */
    e.flags = TMTU_ENCAP_ZERO6;
    tmtu_put16(b.data + 46, 0x1234);
    assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                     TMTU_R_OUTER_CHECKSUM);
    tmtu_put16(b.data + 46, 0);
    assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &back), TMTU_OK);
    free(b.head);
}

/* What forwarding does to the inner header belongs under the sum as well. */
static void r_2784_04_sums_cover_the_packet_as_it_is_forwarded(void **state)
{
    (void)state;
    for (unsigned n = 0; n < (K - 1) * 4u; n++) {
        struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
        struct tmtu_pkt pkt, outer, back;
        struct tmtu_buf b = inner_packet(n % 2, 41);
        const struct tmtu_encap_each each = {n, n};
        ends(&t.encap, n / 2 % 2);
        t.encap.kind = (uint8_t)(TMTU_ENCAP_GRE + n / 4);
        t.encap.flags = TMTU_ENCAP_CSUM;
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        pkt = parsed(&b);
        assert_int_equal(tmtu_tunnel_push(&b, &pkt, &t, &each), 0);
        outer = parsed(&b);
        assert_int_equal(tmtu_encap_pull(&b, &outer, &t.encap, &back), TMTU_OK);
        assert_int_equal(back.ttl, 62);
        free(b.head);
    }
}

/* An outer IPv6 header, `ext` behind it, then what a tunnel has behind its
 * IPv6 header. */
static struct tmtu_buf with_extension(uint8_t type, const uint8_t ext[8])
{
    struct tmtu_encap e = TMTU_ENCAP_INIT;
    struct tmtu_buf b = inner_packet(1, 40);
    struct tmtu_pkt inner = parsed(&b);
    const struct tmtu_encap_each each = {1, 1};
    uint8_t p[ROOM];
    ends(&e, 0);
    e.kind = TMTU_ENCAP_GRE;
    assert_int_equal(tmtu_encap_push(&b, &inner, &e, &each), 0);
    const size_t n = tmtu_buf_len(&b);
    memcpy(p, b.data, 40);
    memcpy(p + 40, ext, 8);
    memcpy(p + 48, b.data + 40, n - 40);
    p[40] = p[6];
    p[6] = type;
    tmtu_put16(p + 4, (uint16_t)(n - 32));
    free(b.head);
    return test_buf(p, n + 8, 0, 0);
}

static void outer_extension_headers_are_passed_over(void **state)
{
    static const struct {
        const char *name;
        uint8_t type, ext[8];
        enum tmtu_reason want;
    } rows[] = {
        {"destination options", 60, {0, 0, 4, 1, 4, 1, 1, 0}, TMTU_OK},
        {"hop-by-hop options", 0, {0, 0, 1, 4, 0, 0, 0, 0}, TMTU_OK},
        {"routed to the end", 43, {0, 0, 253, 0, 0, 0, 0, 0}, TMTU_OK},
        {"to be routed on", 43, {0, 0, 253, 1, 0, 0, 0, 0}, TMTU_R_OUTER_DEST},
        {"an atomic fragment", 44, {0, 0, 0, 0, 1, 2, 3, 4}, TMTU_OK},
        {"a fragment", 44, {0, 0, 0, 1, 1, 2, 3, 4}, TMTU_R_OUTER_FRAGMENT},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        struct tmtu_pkt inner;
        struct tmtu_buf b = with_extension(rows[i].type, rows[i].ext);
        const struct tmtu_pkt outer = parsed(&b);
        print_message("  %s\n", rows[i].name);
        ends(&e, 0);
        e.kind = TMTU_ENCAP_GRE;
        assert_int_equal(tmtu_encap_pull(&b, &outer, &e, &inner), rows[i].want);
        free(b.head);
    }
}

/* A caller who pulls what was parsed as a quote gets a refusal. */
static void cut_short_it_is_refused_at_every_length(void **state)
{
    (void)state;
    for (unsigned n = 0; n < K * 4 * 2u; n++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        struct tmtu_buf whole = inner_packet(n % 2, 5);
        struct tmtu_pkt outer, back, inner = parsed(&whole);
        const struct tmtu_encap_each each = {n, n};
        ends(&e, n / 2 % 2);
        e.kind = (uint8_t)(n / 4 % K);
        e.flags = n < 4 * K || e.kind == TMTU_ENCAP_IPIP ? TMTU_ENCAP_ZERO6
                                                         : TMTU_ENCAP_CSUM;
        if (e.kind == TMTU_ENCAP_GRE)
            e.flags |= TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ;
        assert_int_equal(tmtu_encap_push(&whole, &inner, &e, &each), 0);
        const size_t len = tmtu_buf_len(&whole);
        for (size_t cut = 0; cut < len; cut++) {
            struct tmtu_buf b = test_buf(whole.data, cut, 0, 0);
            const struct tmtu_view v = tmtu_buf_view(&b);
            uint32_t seq;
            if (tmtu_ip_parse(v, TMTU_IP_QUOTED, &outer) == 0) {
                const struct tmtu_buf was = b;
                assert_true(tmtu_encap_sequence(&outer, &seq) <= 0);
                assert_int_not_equal(tmtu_encap_pull(&b, &outer, &e, &back),
                                     TMTU_OK);
                assert_memory_equal(&b, &was, sizeof b);
            }
            free(b.head);
        }
        free(whole.head);
    }
}

static void headroom_is_enough_or_nothing_changes(void **state)
{
    (void)state;
    for (unsigned n = 0; n < K * 2 * 32u; n++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        const struct tmtu_encap_each each = {n, n};
        ends(&e, n % 2);
        e.kind = (uint8_t)(n / 2 % K);
        e.flags = (uint8_t)(n / (2 * K));
        if (tmtu_encap_check(&e) < 0) {
            assert_true(n != 0);
            continue;
        }
        const size_t head = tmtu_encap_overhead(&e);
        assert_true(head <= HEADROOM);
        struct tmtu_buf made = inner_packet(n / 2 % 2, 9);
        for (size_t less = 0; less < 2; less++) {
            struct tmtu_buf b =
                test_buf(made.data, tmtu_buf_len(&made), head - less, 0);
            const struct tmtu_buf was = b;
            struct tmtu_pkt pkt = parsed(&b);
            assert_int_equal(tmtu_encap_push(&b, &pkt, &e, &each),
                             less ? TMTU_E_NOSPACE : 0);
            if (less) {
                assert_memory_equal(&b, &was, sizeof b);
                assert_memory_equal(b.data, made.data, tmtu_buf_len(&made));
                for (const uint8_t *p = b.head; p < b.data; p++)
                    assert_int_equal(*p, 0xa5);
            } else {
                assert_ptr_equal(b.data, b.head);
            }
            free(b.head);
        }
        free(made.head);
    }
}

static void udp_ports_and_sums(void **state)
{
    static const struct {
        const char *name;
        uint16_t sport, dport;
        uint32_t hash;
        uint16_t want;
    } rows[] = {
        {"R-8086-02 14 bits of the hash", 0, 0, 0xffffffff, 65535},
        {"R-8086-02 and no others", 0, 0, 0xffffc000, 49152},
        {"a port of one's own", 7, 0, 0xffffffff, 7},
        {"another destination", 0, 5555, 0x1234, 0xd234},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        struct tmtu_buf b = inner_packet(1, 40);
        struct tmtu_pkt pkt = parsed(&b);
        const struct tmtu_encap_each each = {1, rows[i].hash};
        print_message("  %s\n", rows[i].name);
        ends(&e, 1);
        e.kind = TMTU_ENCAP_GUE1;
        e.sport = rows[i].sport;
        e.dport = rows[i].dport;
        assert_int_equal(tmtu_encap_push(&b, &pkt, &e, &each), 0);
        assert_int_equal(tmtu_get16(b.data + 20), rows[i].want);
        assert_int_equal(tmtu_get16(b.data + 22),
                         rows[i].dport ? rows[i].dport : 6080);
        pkt = parsed(&b);
        assert_int_equal(tmtu_encap_pull(&b, &pkt, &e, &pkt), TMTU_OK);
        free(b.head);
    }

    /* RFC 768: a sum of 0 is sent as 0xffff, 0 means that there is none. */
    struct tmtu_encap e = TMTU_ENCAP_INIT;
    const struct tmtu_encap_each each = {1, 1};
    ends(&e, 1);
    e.kind = TMTU_ENCAP_GUE;
    e.flags = TMTU_ENCAP_CSUM;
    uint16_t word = 0;
    for (int turn = 0; turn < 2; turn++) {
        struct tmtu_buf b = inner_packet(1, 40);
        tmtu_put16(b.tail - 2, word);
        struct tmtu_pkt pkt = parsed(&b);
        assert_int_equal(tmtu_encap_push(&b, &pkt, &e, &each), 0);
        const uint16_t check = tmtu_get16(b.data + 26);
        if (turn == 1)
            assert_int_equal(check, 0xffff);
        word = check; /* what is missing to a sum of 0 */
        pkt = parsed(&b);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
        free(b.head);
    }
}

static void r_2473_06_where_a_limit_is_looked_for(void **state)
{
    static const struct {
        const char *name, *chain; /* first next header, then the headers */
        int want;
        uint32_t at;
    } rows[] = {
        {"no extension header", "11", TMTU_E_IGNORED, 0},
        {"first option", "3c 1100 040107 010100", 7, 44},
        {"behind Pad1", "3c 1100 000000 040109", 9, 47},
        {"behind PadN", "3c 1100 010100 040109", 9, 47},
        {"behind another option", "3c 1101 1e04 00000000 04010c 010300 0000",
         12, 50},
        {"two: the first", "3c 1100 040103 040104", 3, 44},
        {"behind hop-by-hop and routing headers",
         "00 2b00 010400000000 3c00 fd0000000000 1100 040105 010100", 5, 60},
        {"in the hop-by-hop header it is none", "00 1100 040107 010100",
         TMTU_E_IGNORED, 0},
        {"behind a fragment header", "2c 3c00 0000 00000001 1100 040107 010100",
         TMTU_E_IGNORED, 0},
        {"in front of one", "3c 2c00 040107 010100 1100 0000 00000001", 7, 44},
        {"behind authentication",
         "33 3c04 0000 00000001 00000001 000000000000"
         "000000000000 1100 040107 010100",
         TMTU_E_IGNORED, 0},
        {"of two bytes it is none", "3c 1100 04020707 0100", TMTU_E_IGNORED, 0},
        {"its value outside of the header", "3c 1100 01020000 0401",
         TMTU_E_IGNORED, 0},
        {"its length outside of the header", "3c 1100 0103000000 04",
         TMTU_E_IGNORED, 0},
        {"its length outside of the packet", "3c 3b00 0103000000 04",
         TMTU_E_IGNORED, 0},
        {"an option that runs out of the header", "3c 1100 1eff 04010700",
         TMTU_E_IGNORED, 0},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t chain[128], p[256] = {0x60};
        const size_t n = test_hex(rows[i].chain, chain, sizeof chain) - 1;
        p[6] = chain[0];
        p[7] = 64;
        memcpy(p + 40, chain + 1, n);
        p[8] = p[24] = 0x20;
        p[39] = 1;
        const size_t udp = chain[1] == 59 ? 0 : 8;
        tmtu_put16(p + 4, (uint16_t)(n + udp));
        tmtu_put16(p + 40 + n + 4, 8); /* UDP's length */
        struct tmtu_buf b = test_buf(p, 40 + n + udp, 0, 0);
        print_message("  %s\n", rows[i].name);
        const struct tmtu_pkt pkt = parsed(&b);
        uint32_t at = 0;
        assert_int_equal(tmtu_encap_limit(&pkt, &at), rows[i].want);
        assert_int_equal(at, rows[i].at);
        assert_int_equal(tmtu_encap_limit(&pkt, NULL), rows[i].want);
        free(b.head);
    }
}

static void a_sequence_number_is_read_where_there_is_one(void **state)
{
    static const struct {
        const char *name;
        size_t off;
        uint8_t kind, val;
        int rc;
    } rows[] = {
        {"behind a key", 9, TMTU_ENCAP_GRE, 47, 0},
        {"behind UDP and a key", 9, TMTU_ENCAP_GREUDP, 17, 0},
        {"in a later fragment", 7, TMTU_ENCAP_GRE, 1, TMTU_E_IGNORED},
        {"in version 1", 21, TMTU_ENCAP_GRE, 1, TMTU_E_IGNORED},
        {"none", 20, TMTU_ENCAP_GRE, 0x20, TMTU_E_IGNORED},
        {"in another protocol", 9, TMTU_ENCAP_GRE, 46, TMTU_E_IGNORED},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        struct tmtu_buf b = inner_packet(1, 40);
        struct tmtu_pkt pkt = parsed(&b);
        const struct tmtu_encap_each each = {0x01020304, 1};
        uint32_t seq = 0xa5a5a5a5;
        print_message("  %s\n", rows[i].name);
        ends(&e, 1);
        e.kind = rows[i].kind;
        e.flags = TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ;
        assert_int_equal(tmtu_encap_push(&b, &pkt, &e, &each), 0);
        b.data[rows[i].off] = rows[i].val;
        tmtu_put16(b.data + 10, 0);
        tmtu_put16(b.data + 10, test_cksum(b.data, 20));
        pkt = parsed(&b);
        assert_int_equal(tmtu_encap_sequence(&pkt, &seq), rows[i].rc);
        assert_int_equal(seq, rows[i].rc == 0 ? each.id : 0xa5a5a5a5);
        free(b.head);
    }
}

static void r_2890_02_sequence_numbers_wrap(void **state)
{
    (void)state;
    assert_true(tmtu_encap_seq_after(0, 0xffffffff));
    assert_false(tmtu_encap_seq_after(0xffffffff, 0));
    assert_false(tmtu_encap_seq_after(5, 5));
    assert_true(tmtu_encap_seq_after(6, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v10_every_kind_byte_by_byte),
        cmocka_unit_test(v12_tel_as_a_destination_option),
        cmocka_unit_test(every_kind_flag_and_family_pair_comes_back),
        cmocka_unit_test(flags_of_another_kind_are_refused),
        cmocka_unit_test(refusals_are_named),
        cmocka_unit_test(r_6936_02_zero_over_ipv6_only_where_enabled),
        cmocka_unit_test(r_2784_04_sums_cover_the_packet_as_it_is_forwarded),
        cmocka_unit_test(outer_extension_headers_are_passed_over),
        cmocka_unit_test(cut_short_it_is_refused_at_every_length),
        cmocka_unit_test(headroom_is_enough_or_nothing_changes),
        cmocka_unit_test(udp_ports_and_sums),
        cmocka_unit_test(r_2473_06_where_a_limit_is_looked_for),
        cmocka_unit_test(a_sequence_number_is_read_where_there_is_one),
        cmocka_unit_test(r_2890_02_sequence_numbers_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

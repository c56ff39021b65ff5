/* SPDX-License-Identifier: MIT */
/* Every kind of tunnel, every family pair, every flag: there and back. */
#include "tmtu_test.h"

#include <tunmtu/encap.h>

#include "vectors/vectors.h"

enum { HEADROOM = TMTU_ENCAP_HEADROOM, ROOM = 2048 };

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
    for (unsigned n = 0; n < 5u * 32 * 4 * 3; n++) {
        struct tmtu_encap e = TMTU_ENCAP_INIT;
        const int outer4 = (n & 1) != 0, inner4 = (n & 2) != 0;
        e.kind = (uint8_t)(n / 4 % 5);
        e.flags = (uint8_t)(n / 20 % 32);
        e.key = 0xdeadbeef;
        ends(&e, outer4);
        if (tmtu_encap_check(&e) < 0)
            continue;
        pairs++;
        struct tmtu_buf b = inner_packet(inner4, 700 + n / 640);
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
        {"no such kind", 5, 0, 1, -5},
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
        {"R-GUE-02 variant 1 on the same port", TMTU_ENCAP_GUE1, 28, 0x45,
         TMTU_OK},
        {"R-GUE-02 first nibble 5", TMTU_ENCAP_GUE1, 28, 0x50,
         TMTU_R_INNER_VERSION},
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
        cmocka_unit_test(r_2890_02_sequence_numbers_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

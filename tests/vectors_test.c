/* SPDX-License-Identifier: MIT */
/* The library against packets that another implementation computed, byte by
 * byte (tests/vectors).
 *
 * What is not held to here, and why: an outer IPv4 header with DF has ID 0
 * (RFC 6864 §4.1), and 0x1234 in V1; V10, and V12 on the way in, stand in
 * encap_kinds_test, the derived Maglev table in steer_test; V11 (NAT) has no
 * room yet. */
#include "tmtu_test.h"
#include "vectors/vectors.h"

#include <tunmtu/cksum.h>
#include <tunmtu/encap.h>
#include <tunmtu/frag.h>
#include <tunmtu/icmp.h>
#include <tunmtu/mss.h>
#include <tunmtu/reass.h>

/* The addresses all vectors use. */
static const uint8_t tunnel_in[4] = {203, 0, 113, 1};
static const uint8_t tunnel_out[4] = {203, 0, 113, 2};
static const uint8_t router6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0,
                                    0,    0,    0,    0,    0,    0,    0, 1};

static struct tmtu_buf vector(const char *name, size_t headroom,
                              size_t tailroom)
{
    static uint8_t bytes[2048];
    for (size_t i = 0; i < TEST_ROWS(vectors); i++)
        if (strcmp(vectors[i].name, name) == 0)
            return test_buf(bytes,
                            test_hex(vectors[i].hex, bytes, sizeof bytes),
                            headroom, tailroom);
    fail_msg("no vector %s", name);
    return tmtu_buf(bytes, 0, 0);
}

static void assert_vector(const struct tmtu_buf *buf, const char *name)
{
    struct tmtu_buf want = vector(name, 0, 0);
    const size_t n = tmtu_buf_len(&want);
    if (tmtu_buf_len(buf) != n)
        fail_msg("%s: %zu bytes, not %zu", name, tmtu_buf_len(buf), n);
    for (size_t i = 0; i < n; i++)
        if (buf->data[i] != want.data[i])
            fail_msg("%s: byte %zu is %02x, not %02x", name, i, buf->data[i],
                     want.data[i]);
    free(want.head);
}

static struct tmtu_pkt parsed(const struct tmtu_buf *buf)
{
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &pkt),
                     0);
    return pkt;
}

static struct tmtu_encap tunnel4(void)
{
    struct tmtu_encap encap = TMTU_ENCAP_INIT;
    tmtu_addr_set4(encap.src, tunnel_in);
    tmtu_addr_set4(encap.dst, tunnel_out);
    assert_int_equal(tmtu_encap_check(&encap), 0);
    return encap;
}

static void v1_4in4_forwarded_and_back(void **state)
{
    (void)state;
    struct tmtu_buf buf = vector("V1.inner_in", 20, 0);
    struct tmtu_pkt pkt = parsed(&buf);
    const struct tmtu_encap encap = tunnel4();
    const struct tmtu_encap_each each = {0x1234, 0};
    assert_int_equal(tmtu_ip_hop(&buf, &pkt), 0);
    assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each), 0);

    /* DF is set, so the ID is 0; with the vector's ID all bytes are its. */
    assert_int_equal(tmtu_get16(buf.data + 4), 0);
    const uint16_t check =
        tmtu_cksum_update16(tmtu_get16(buf.data + 10), 0, 0x1234);
    tmtu_put16(buf.data + 4, 0x1234);
    tmtu_put16(buf.data + 10, check);
    assert_vector(&buf, "V1.encapsulated");

    const struct tmtu_pkt outer = parsed(&buf);
    assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &pkt), TMTU_OK);
    assert_int_equal(tmtu_buf_len(&buf), 48);
    assert_int_equal(pkt.ttl, 63);
    free(buf.head);
}

/* The error about `offender`, built both ways, against `want`. */
static void error_both_ways(const char *offender,
                            const struct tmtu_icmp_error *error,
                            const char *want)
{
    struct tmtu_buf buf = vector(offender, TMTU_ICMP_HEADROOM, 0);
    const struct tmtu_pkt pkt = parsed(&buf);
    struct tmtu_buf out = test_buf(NULL, 0, 0, TMTU_ICMP6_MAX);
    assert_int_equal(tmtu_icmp_build(&out, &pkt, error), 0);
    assert_vector(&out, want);
    assert_vector(&buf, offender);
    assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, error), 0);
    assert_vector(&buf, want);
    free(out.head);
    free(buf.head);
}

static void v2_frag_needed_with_the_longest_quote_and_the_shortest(void **state)
{
    (void)state;
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    tmtu_addr_set4(error.src, tunnel_in);
    error.kind = TMTU_ICMP_TOO_BIG;
    error.info = 1480;
    error.id = 1;
    error_both_ways("V2.raw_trigger_1500", &error, "V2.frag_needed_576");
    error.id = 2;
    error.max = 56;
    error_both_ways("V2.raw_trigger_1500", &error, "V2.frag_needed_min_56");
}

static void v3_packet_too_big_of_1280_bytes(void **state)
{
    (void)state;
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    memcpy(error.src, router6, 16);
    error.kind = TMTU_ICMP_TOO_BIG;
    error.info = 1480;
    error_both_ways("V3.raw_trigger_1500", &error, "V3.ptb_1280");
}

static void v4_error_from_inside_the_tunnel_read_twice_and_relayed(void **state)
{
    (void)state;
    struct tmtu_buf buf = vector("V4.error_from_tunnel", 0, 0);
    const struct tmtu_pkt pkt = parsed(&buf);
    assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(icmp.kind, TMTU_ICMP_TOO_BIG);
    assert_int_equal(icmp.info, 1400);
    assert_int_equal(icmp.ext, 0);
    assert_int_equal(icmp.quoted.len, 1500);
    assert_int_equal(icmp.quoted.have, 128);
    assert_int_equal(icmp.quoted.flow.proto, 4);
    assert_memory_equal(icmp.quoted.flow.src + 12, tunnel_in, 4);
    assert_memory_equal(icmp.quoted.flow.dst + 12, tunnel_out, 4);

    struct tmtu_pkt inner;
    const struct tmtu_view v = tmtu_view(icmp.quoted.data + icmp.quoted.l4,
                                         icmp.quoted.have - icmp.quoted.l4);
    assert_int_equal(tmtu_ip_parse(v, TMTU_IP_QUOTED, &inner), 0);
    assert_int_equal(inner.flow.flags, TMTU_FLOW_PORTS);
    assert_int_equal(inner.flow.sport, 40000);
    assert_int_equal(inner.flow.dport, 443);

    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    tmtu_addr_set4(error.src, tunnel_in);
    error.kind = TMTU_ICMP_TOO_BIG;
    error.info = icmp.info - 20;
    error.id = 3;
    struct tmtu_buf out = test_buf(NULL, 0, 0, 136);
    assert_int_equal(tmtu_icmp_build(&out, &inner, &error), 0);
    assert_vector(&out, "V4.relayed_to_inner_source");
    free(out.head);
    free(buf.head);
}

static void v4_eight_quoted_bytes_do_not_name_the_inner_flow(void **state)
{
    (void)state;
    struct tmtu_buf buf = vector("V4.error_min_quote_no_relay", 0, 0);
    const struct tmtu_pkt pkt = parsed(&buf);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(icmp.info, 1400);
    assert_int_equal(icmp.quoted.have, 28);
    struct tmtu_pkt inner;
    const struct tmtu_view v = tmtu_view(icmp.quoted.data + icmp.quoted.l4, 8);
    assert_int_equal(tmtu_ip_parse(v, TMTU_IP_QUOTED, &inner),
                     TMTU_E_TRUNCATED);
    free(buf.head);
}

/* R-1624-06: at an odd offset both bytes are swapped before the update. */
static void v5_mss_clamped_at_even_and_odd_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        uint8_t ipver;
    } rows[] = {{"V5.v4_even_before", "V5.v4_even_after", 4},
                {"V5.v4_odd_before", "V5.v4_odd_after", 4},
                {"V5.v6_before", "V5.v6_after", 6}};
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_buf buf = vector(rows[i].before, 0, 0);
        struct tmtu_pkt pkt = parsed(&buf);
        const uint16_t mss = tmtu_mss_for_mtu(1480, rows[i].ipver);
        assert_int_equal(mss, rows[i].ipver == 4 ? 1440 : 1420);
        assert_int_equal(tmtu_mss_clamp(&buf, &pkt, mss, 0), 1);
        assert_vector(&buf, rows[i].after);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
        free(buf.head);
    }
}

/* Each way has an MTU of its own: the lower one counts, whichever comes first
 * (1480 there, 1400 back: 1360). */
static void r_2923_01_clamped_for_both_directions(void **state)
{
    (void)state;
    static const uint32_t mtu[2] = {1480, 1400};
    for (unsigned first = 0; first < 2; first++) {
        struct tmtu_buf buf = vector("V5.v4_even_before", 0, 0);
        struct tmtu_pkt pkt = parsed(&buf);
        for (unsigned i = 0; i < 2; i++) {
            const uint16_t mss = tmtu_mss_for_mtu(mtu[first ^ i], 4);
            assert_int_equal(tmtu_mss_clamp(&buf, &pkt, mss, 0),
                             first == 0 || i == 0);
        }
        assert_int_equal(tmtu_get16(buf.data + pkt.l4 + 22), 1360);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
        free(buf.head);
    }
}

static void v6_update_reaches_zero_as_rfc1624_has_it(void **state)
{
    (void)state;
    assert_int_equal(tmtu_cksum_update16(0xdd2f, 0x5555, 0x3285), 0);
    assert_int_equal(tmtu_cksum_update32(0xdd2f, 0x55550000, 0x32850000), 0);
    struct tmtu_buf buf = vector("V6.before", 0, 0);
    (void)parsed(&buf);
    const uint16_t check = tmtu_get16(buf.data + 10);
    tmtu_put16(buf.data + 10, tmtu_cksum_update16(check, 0x5555, 0x3285));
    tmtu_put16(buf.data + 4, 0x3285);
    assert_vector(&buf, "V6.after");
    (void)parsed(&buf);
    assert_int_equal(tmtu_cksum_sum20(buf.data), 0xffff);
    assert_int_equal(test_cksum(buf.data, 20), 0);
    free(buf.head);
}

static void v7_udp_checksums_of_zero(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int rc;
        int fill; /* zeroed, the same checksum is computed again */
    } rows[] = {
        {"V7.a_zero_before", 0, 0}, {"V7.a_zero_after_nat", 0, 0},
        {"V7.b_ffff", 0, 1},        {"V7.c_before", 0, 1},
        {"V7.c_after", 0, 1},       {"V7.d_ipv6_zero", TMTU_E_CHECKSUM, 0},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_buf buf = vector(rows[i].name, 0, 0);
        const struct tmtu_pkt pkt = parsed(&buf);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), rows[i].rc);
        if (rows[i].fill) {
            tmtu_put16(buf.data + pkt.l4 + 6, 0);
            assert_int_equal(tmtu_ip_transport_fill(&buf, &pkt), 0);
            assert_vector(&buf, rows[i].name);
        }
        free(buf.head);
    }
}

static void v8_cut_into_two_and_put_together_again(void **state)
{
    (void)state;
    static const struct {
        const char *whole, *piece[2];
        uint32_t mtu;
        unsigned how;
    } rows[] = {
        {"V8.v4_whole", {"V8.v4_frag1", "V8.v4_frag2"}, 68, 0},
        {"V8.v6_whole", {"V8.v6_frag1", "V8.v6_frag2"}, 64, TMTU_FRAG_FORCE},
    };
    const struct tmtu_hash_key key = {1, 2};
    void *mem = malloc(tmtu_reass_sizeof(1, 2000));
    struct tmtu_reass *reass = tmtu_reass_init(mem, 1, 2000, &key);
    assert_non_null(reass);
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_buf whole = vector(rows[i].whole, 0, 0);
        const struct tmtu_pkt pkt = parsed(&whole);
        struct tmtu_buf again = test_buf(NULL, 0, 0, tmtu_buf_len(&whole));
        struct tmtu_frag frag;
        assert_int_equal(
            tmtu_frag_init(&frag, &pkt, rows[i].mtu, 0xdeadbeef, rows[i].how),
            0);
        for (int j = 0; j < 2; j++) {
            struct tmtu_buf out = test_buf(NULL, 0, 0, rows[i].mtu);
            assert_int_equal(tmtu_frag_next(&frag, &out), 1);
            assert_vector(&out, rows[i].piece[j]);
            const struct tmtu_pkt piece = parsed(&out);
            assert_int_equal(tmtu_reass_add(reass, &piece, 0, &again),
                             j == 0 ? 0 : rows[i].mtu);
            free(out.head);
        }
        struct tmtu_buf none = test_buf(NULL, 0, 0, 100);
        assert_int_equal(tmtu_frag_next(&frag, &none), 0);
        assert_vector(&again, rows[i].whole);
        free(none.head);
        free(again.head);
        free(whole.head);
    }
    free(mem);
}

static void v8_rfc6946_atomic_fragment_is_no_fragment(void **state)
{
    (void)state;
    const struct tmtu_hash_key key = {1, 2};
    void *mem = malloc(tmtu_reass_sizeof(1, 2000));
    struct tmtu_reass *reass = tmtu_reass_init(mem, 1, 2000, &key);
    assert_non_null(reass);
    struct tmtu_buf first = vector("V8.v6_frag1", 0, 0);
    struct tmtu_buf atomic = vector("V8.v6_atomic", 0, 0);
    struct tmtu_buf second = vector("V8.v6_frag2", 0, 0);
    struct tmtu_buf out = test_buf(NULL, 0, 0, 72);
    struct tmtu_pkt pkt = parsed(&first);
    assert_int_equal(tmtu_reass_add(reass, &pkt, 0, &out), 0);

    pkt = parsed(&atomic); /* same ID: delivered alone, disturbs nothing */
    assert_int_equal(pkt.flags & (TMTU_PKT_FRAGMENT | TMTU_PKT_LATER), 0);
    assert_int_equal(pkt.flow.sport, 5000);
    assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
    assert_int_equal(tmtu_reass_add(reass, &pkt, 0, &out), TMTU_E_IGNORED);

    pkt = parsed(&second);
    assert_int_equal(tmtu_reass_add(reass, &pkt, 0, &out), 64);
    assert_vector(&out, "V8.v6_whole");
    free(out.head);
    free(second.head);
    free(atomic.head);
    free(first.head);
    free(mem);
}

static void v9_rfc4884_lengths_end_the_quote(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t kind;
        uint32_t info;
        uint8_t ext;
        uint32_t len, have;
        uint16_t dport;
    } rows[] = {
        {"V9.v4_frag_needed_ext", TMTU_ICMP_TOO_BIG, 1400, 1, 1500, 128, 443},
        {"V9.v4_time_exceeded_padded", TMTU_ICMP_EXPIRED, 0, 1, 40, 40, 33434},
        {"V9.v6_time_exceeded_ext", TMTU_ICMP_EXPIRED, 0, 1, 1500, 128, 443},
        /* no length: whatever follows the quoted packet is not looked at */
        {"V9.v4_legacy_length0", TMTU_ICMP_EXPIRED, 0, 0, 40, 40, 33434},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_buf buf = vector(rows[i].name, 0, 0);
        const struct tmtu_pkt pkt = parsed(&buf);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
        struct tmtu_icmp icmp;
        assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
        assert_int_equal(icmp.kind, rows[i].kind);
        assert_int_equal(icmp.info, rows[i].info);
        assert_int_equal(icmp.ext, rows[i].ext);
        assert_int_equal(icmp.quoted.len, rows[i].len);
        assert_int_equal(icmp.quoted.have, rows[i].have);
        assert_int_equal(icmp.quoted.flow.dport, rows[i].dport);
        free(buf.head);
    }
}

static void v12_encapsulation_limit_is_passed_over_and_reported(void **state)
{
    (void)state;
    struct tmtu_buf buf = vector("V12.tunnelled_limit4", 0, 0);
    const struct tmtu_pkt pkt = parsed(&buf);
    assert_int_equal(pkt.flow.proto, 41);
    assert_int_equal(pkt.l4, 48);
    struct tmtu_encap encap = TMTU_ENCAP_INIT;
    memcpy(encap.src, pkt.flow.src, 16);
    memcpy(encap.dst, pkt.flow.dst, 16);
    struct tmtu_pkt inner;
    assert_int_equal(tmtu_encap_pull(&buf, &pkt, &encap, &inner), TMTU_OK);
    assert_int_equal(tmtu_buf_len(&buf), 64);
    assert_int_equal(inner.flow.dport, 443);
    free(buf.head);

    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    memcpy(error.src, router6, 16);
    error.kind = TMTU_ICMP_PARAM;
    error.info = 44;
    error_both_ways("V12.arriving_limit0", &error, "V12.param_problem");
}

static void derived_overhead_and_mss_at_1500(void **state)
{
    (void)state;
    static const struct {
        uint8_t outer;
        uint16_t overhead, mss4, mss6;
    } rows[] = {{4, 20, 1440, 1420}, {6, 40, 1420, 1400}};
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap encap = tunnel4();
        if (rows[i].outer == 6) {
            memcpy(encap.src, router6, 16);
            memcpy(encap.dst, router6, 16);
            encap.dst[15] = 2;
        }
        const uint16_t overhead = tmtu_encap_overhead(&encap);
        assert_int_equal(overhead, rows[i].overhead);
        assert_int_equal(tmtu_mss_for_mtu(1500u - overhead, 4), rows[i].mss4);
        assert_int_equal(tmtu_mss_for_mtu(1500u - overhead, 6), rows[i].mss6);
    }
}

struct cut {
    uint32_t len, offset8, more;
};

static void derived_fragments_have_these_lengths(void **state)
{
    (void)state;
    static const struct {
        uint8_t ipver;
        uint16_t len;
        uint32_t mtu;
        struct cut cuts[4];
    } rows[] = {
        {4, 1500, 1480, {{1476, 0, 1}, {44, 182, 0}}},
        {4, 1520, 1500, {{1500, 0, 1}, {40, 185, 0}}},
        {4, 4000, 1500, {{1500, 0, 1}, {1500, 185, 1}, {1040, 370, 0}}},
        {4, 1500, 576, {{572, 0, 1}, {572, 69, 1}, {396, 138, 0}}},
        {4, 100, 68, {{68, 0, 1}, {52, 6, 0}}},
        {6, 1320, 1280, {{1280, 0, 1}, {96, 154, 0}}},
        {6, 1540, 1500, {{1496, 0, 1}, {100, 181, 0}}},
        {6,
         5000,
         1500,
         {{1496, 0, 1}, {1496, 181, 1}, {1496, 362, 1}, {664, 543, 0}}},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t *p = test_exact(NULL, rows[i].len);
        if (rows[i].ipver == 4) {
            test_hex("4500 0000 1234 0000 40 fd 0000 c0000201 c6336414", p, 20);
            tmtu_put16(p + 2, rows[i].len);
            tmtu_put16(p + 10, test_cksum(p, 20));
        } else {
            struct tmtu_buf six = vector("V8.v6_whole", 0, 0);
            memcpy(p, six.data, 40);
            tmtu_put16(p + 4, (uint16_t)(rows[i].len - 40));
            p[6] = 0xfd;
            free(six.head);
        }
        struct tmtu_pkt pkt;
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(p, rows[i].len), TMTU_IP_VERIFY, &pkt), 0);
        struct tmtu_frag frag;
        assert_int_equal(
            tmtu_frag_init(&frag, &pkt, rows[i].mtu, 7, TMTU_FRAG_FORCE), 0);
        size_t n = 0;
        for (int more = 1; more; n++) {
            struct tmtu_buf out = test_buf(NULL, 0, 0, rows[i].mtu);
            assert_true(n < TEST_ROWS(rows[i].cuts));
            assert_int_equal(tmtu_frag_next(&frag, &out), 1);
            const struct tmtu_pkt piece = parsed(&out);
            more = (piece.flags & TMTU_PKT_MF) != 0;
            assert_int_equal(piece.len, rows[i].cuts[n].len);
            assert_int_equal(piece.frag_offset, rows[i].cuts[n].offset8 * 8);
            assert_int_equal(more, rows[i].cuts[n].more);
            free(out.head);
        }
        struct tmtu_buf none = test_buf(NULL, 0, 0, 1500);
        assert_int_equal(tmtu_frag_next(&frag, &none), 0);
        free(none.head);
        free(p);
    }
}

static void derived_rfc6040_marks_on_leaving_the_tunnel(void **state)
{
    (void)state;
    enum { DROP = 4 };
    static const uint8_t want[4][4] = {/* inner Not-ECT, ECT(1), ECT(0), CE */
                                       {0, 0, 0, DROP},
                                       {1, 1, 1, 3},
                                       {2, 1, 2, 3},
                                       {3, 3, 3, 3}};
    const struct tmtu_encap encap = tunnel4();
    for (uint8_t in = 0; in < 4; in++) {
        for (uint8_t out = 0; out < 4; out++) {
            struct tmtu_buf buf = vector("V1.encapsulated", 0, 0);
            uint8_t *tos[2] = {buf.data + 1, buf.data + 21};
            *tos[0] = (uint8_t)(*tos[0] | out);
            *tos[1] = (uint8_t)(*tos[1] | in);
            for (int i = 0; i < 2; i++) {
                tmtu_put16(tos[i] + 9, 0);
                tmtu_put16(tos[i] + 9, test_cksum(tos[i] - 1, 20));
            }
            const struct tmtu_pkt outer = parsed(&buf);
            struct tmtu_pkt inner;
            const enum tmtu_reason rc =
                tmtu_encap_pull(&buf, &outer, &encap, &inner);
            if (want[in][out] == DROP) {
                assert_int_equal(rc, TMTU_R_ECN);
            } else {
                assert_int_equal(rc, TMTU_OK);
                assert_int_equal(buf.data[1], 0x28 | want[in][out]);
                (void)parsed(&buf);
            }
            free(buf.head);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_4in4_forwarded_and_back),
        cmocka_unit_test(
            v2_frag_needed_with_the_longest_quote_and_the_shortest),
        cmocka_unit_test(v3_packet_too_big_of_1280_bytes),
        cmocka_unit_test(
            v4_error_from_inside_the_tunnel_read_twice_and_relayed),
        cmocka_unit_test(v4_eight_quoted_bytes_do_not_name_the_inner_flow),
        cmocka_unit_test(v5_mss_clamped_at_even_and_odd_offsets),
        cmocka_unit_test(r_2923_01_clamped_for_both_directions),
        cmocka_unit_test(v6_update_reaches_zero_as_rfc1624_has_it),
        cmocka_unit_test(v7_udp_checksums_of_zero),
        cmocka_unit_test(v8_cut_into_two_and_put_together_again),
        cmocka_unit_test(v8_rfc6946_atomic_fragment_is_no_fragment),
        cmocka_unit_test(v9_rfc4884_lengths_end_the_quote),
        cmocka_unit_test(v12_encapsulation_limit_is_passed_over_and_reported),
        cmocka_unit_test(derived_overhead_and_mss_at_1500),
        cmocka_unit_test(derived_fragments_have_these_lengths),
        cmocka_unit_test(derived_rfc6040_marks_on_leaving_the_tunnel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

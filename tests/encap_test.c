/* SPDX-License-Identifier: MIT */
/* encap: outer headers byte by byte, in front of a packet and off it again. */
#include "tmtu_packet.h"
#include "vectors/vectors.h"

#include <tunmtu/cksum.h>

static const struct tmtu_encap_each each0 = {0, 0};

/* A packet that has been put into a tunnel of `encap`'s. */
static struct tmtu_buf pushed(const struct test_shape *s,
                              const struct tmtu_encap *encap)
{
    struct tmtu_buf buf = test_made(s, tmtu_encap_overhead(encap));
    const struct tmtu_pkt pkt = test_parsed(&buf);
    assert_int_equal(tmtu_encap_push(&buf, &pkt, encap, &each0), 0);
    return buf;
}

/* ---- the description of a tunnel ---- */

static void overheads_are_those_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs); i++) {
        const struct tmtu_encap encap = test_encap(test_pairs[i].outer);
        assert_int_equal(tmtu_encap_overhead(&encap), test_pairs[i].overhead);
        assert_true(test_pairs[i].overhead <= TMTU_ENCAP_HEADROOM);
    }
}

static void unknown_sizes_and_kinds_are_refused_everywhere(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t size;
        uint8_t kind;
    } rows[] = {
        {"no size", 0, TMTU_ENCAP_IPIP},
        {"a shorter struct", sizeof(struct tmtu_encap) - 1, TMTU_ENCAP_IPIP},
        {"a longer struct", sizeof(struct tmtu_encap) + 1, TMTU_ENCAP_IPIP},
        {"the first kind that is none", sizeof(struct tmtu_encap), 5},
        {"the last kind that is none", sizeof(struct tmtu_encap), 255},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        print_message("  %s\n", rows[i].name);
        struct tmtu_encap encap = test_encap(4);
        encap.size = rows[i].size;
        encap.kind = rows[i].kind;
        assert_int_equal(tmtu_encap_overhead(&encap), 0);
        assert_int_equal(tmtu_encap_check(&encap), TMTU_E_ARGUMENT);

        const struct test_shape s = test_shape(4, 60);
        struct tmtu_buf buf = test_made(&s, TMTU_ENCAP_HEADROOM);
        struct tmtu_pkt pkt = test_parsed(&buf);
        struct test_before before = test_before(&buf, &pkt);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each0),
                         TMTU_E_ARGUMENT);
        test_unchanged(&before, &buf, &pkt);
        free(buf.head);

        const struct tmtu_encap good = test_encap(4);
        buf = pushed(&s, &good);
        const struct tmtu_pkt outer = test_parsed(&buf);
        memset(&pkt, 0xa5, sizeof pkt);
        before = test_before(&buf, &pkt);
        assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &pkt),
                         TMTU_R_NOT_TUNNEL);
        test_unchanged(&before, &buf, &pkt);
        free(buf.head);
    }
}

static void check_reads_a_description(void **state)
{
    (void)state;
    static const struct {
        const char *name, *src, *dst;
        uint8_t df, ecn, dscp, ttl;
        int rc;
    } rows[] = {
        {"over IPv4", "203.0.113.1", "203.0.113.2", 0, 0, 0xff, 64, 0},
        {"over IPv6", "2001:db8::1", "2001:db8::2", 0, 0, 0xff, 64, 0},
        {"link-local ends", "fe80::1", "fe80::2", 0, 0, 0xff, 64, 0},
        {"DF never", "203.0.113.1", "203.0.113.2", 2, 0, 0xff, 64, 0},
        {"ECN as RFC 3168", "203.0.113.1", "203.0.113.2", 0, 2, 0xff, 64, 0},
        {"DSCP 0", "203.0.113.1", "203.0.113.2", 0, 0, 0, 64, 0},
        {"DSCP 63", "203.0.113.1", "203.0.113.2", 0, 0, 63, 64, 0},
        {"TTL of the inner one", "203.0.113.1", "203.0.113.2", 0, 0, 0xff, 0,
         0},
        {"TTL 255", "203.0.113.1", "203.0.113.2", 0, 0, 0xff, 255, 0},
        {"no such DF", "203.0.113.1", "203.0.113.2", 3, 0, 0xff, 64, -5},
        {"no such ECN", "203.0.113.1", "203.0.113.2", 0, 3, 0xff, 64, -5},
        {"DSCP 64", "203.0.113.1", "203.0.113.2", 0, 0, 64, 64, -5},
        {"DSCP 254", "203.0.113.1", "203.0.113.2", 0, 0, 254, 64, -5},
        {"4 to 6", "203.0.113.1", "2001:db8::2", 0, 0, 0xff, 64, -5},
        {"6 to 4", "2001:db8::2", "203.0.113.1", 0, 0, 0xff, 64, -5},
        {"to itself", "203.0.113.1", "203.0.113.1", 0, 0, 0xff, 64, -5},
        {"to itself over IPv6", "fe80::1", "fe80::1", 0, 0, 0xff, 64, -5},
        {"from nobody", "0.0.0.0", "203.0.113.1", 0, 0, 0xff, 64, -5},
        {"from nobody over IPv6", "::", "fe80::1", 0, 0, 0xff, 64, -5},
        {"to nobody", "203.0.113.1", "0.0.0.0", 0, 0, 0xff, 64, -5},
        {"to nobody over IPv6", "fe80::1", "::", 0, 0, 0xff, 64, -5},
        {"from loopback", "127.0.0.1", "203.0.113.1", 0, 0, 0xff, 64, -5},
        {"to loopback over IPv6", "fe80::1", "::1", 0, 0, 0xff, 64, -5},
        {"to a group", "203.0.113.1", "224.0.0.1", 0, 0, 0xff, 64, -5},
        {"to a group over IPv6", "fe80::1", "ff02::1", 0, 0, 0xff, 64, -5},
        {"to all", "203.0.113.1", "255.255.255.255", 0, 0, 0xff, 64, -5},
        {"from a group", "239.1.1.1", "203.0.113.2", 0, 0, 0xff, 64, -5},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap encap = TMTU_ENCAP_INIT;
        print_message("  %s\n", rows[i].name);
        test_addr(rows[i].src, encap.src);
        test_addr(rows[i].dst, encap.dst);
        encap.df = rows[i].df;
        encap.ecn = rows[i].ecn;
        encap.dscp = rows[i].dscp;
        encap.ttl = rows[i].ttl;
        assert_int_equal(tmtu_encap_check(&encap), rows[i].rc);
    }
    const struct tmtu_encap empty = TMTU_ENCAP_INIT; /* nobody to nobody */
    assert_int_equal(tmtu_encap_check(&empty), TMTU_E_ARGUMENT);
}

/* ---- in ---- */

/* R-2003-07, R-2473-01, R-4213-04: every byte of both outer headers. */
static void outer_headers_are_these_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner, outer;
        uint16_t frag;
        const char *want;
    } rows[] = {
        {"R-2003 4in4, DF: no ID", 4, 4, 0x4000,
         "452a0064 00004000 4004c267 cb007101 cb007102"},
        {"R-2003 4in4, no DF: the ID", 4, 4, 0,
         "452a0064 56780000 4004abef cb007101 cb007102"},
        {"R-4213 6in4: protocol 41, the ID", 6, 4, 0,
         "452a0064 56780000 4029abca cb007101 cb007102"},
        {"R-2473 4in6: next header 4, K39 length 80, R-6438 label", 4, 6,
         0x4000,
         "62a11234 00500440 20010db8000a00000000000000000001"
         "20010db8000b00000000000000000001"},
        {"R-2473 6in6: next header 41", 6, 6, 0,
         "62a11234 00502940 20010db8000a00000000000000000001"
         "20010db8000b00000000000000000001"},
    };
    const struct tmtu_encap_each each = {0x12345678, 0xfff11234};
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_encap encap = test_encap(rows[i].outer);
        struct test_shape s = test_shape(rows[i].inner, 80);
        s.tclass = 0x2a;
        s.frag = rows[i].frag;
        print_message("  %s\n", rows[i].name);
        struct tmtu_buf buf = test_made(&s, 40);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each), 0);

        uint8_t want[40];
        const size_t n = test_hex(rows[i].want, want, sizeof want);
        assert_int_equal(n, tmtu_encap_overhead(&encap));
        assert_memory_equal(buf.data, want, n);
        if (rows[i].outer == 4)
            assert_int_equal(test_cksum(buf.data, n), 0);
        free(buf.head);
    }
}

/* Headroom to the byte, the inner packet as it was, and back again. */
static void pull_is_the_inverse_of_push_in_all_pairs(void **state)
{
    (void)state;
    static const size_t lens[] = {60, 61, 1280, 1500};
    for (size_t i = 0; i < TEST_ROWS(test_pairs) * TEST_ROWS(lens); i++) {
        const size_t pair = i / TEST_ROWS(lens);
        const size_t over = test_pairs[pair].overhead;
        const struct tmtu_encap encap = test_encap(test_pairs[pair].outer);
        const struct test_shape s =
            test_shape(test_pairs[pair].inner, lens[i % TEST_ROWS(lens)]);
        struct tmtu_buf buf = test_made(&s, over);
        const struct tmtu_buf inner = buf;
        const struct tmtu_pkt pkt = test_parsed(&buf);
        uint8_t *copy = test_exact(buf.data, s.len);

        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each0), 0);
        assert_ptr_equal(buf.data, buf.head);
        assert_int_equal(tmtu_buf_len(&buf), s.len + over);
        assert_memory_equal(buf.data + over, copy, s.len);

        const struct tmtu_pkt outer = test_parsed(&buf);
        assert_int_equal(outer.len, s.len + over);
        assert_int_equal(outer.flow.ipver, test_pairs[pair].outer);
        assert_int_equal(outer.ttl, 64);
        assert_memory_equal(outer.flow.src, encap.src, 16);
        assert_memory_equal(outer.flow.dst, encap.dst, 16);

        struct tmtu_pkt back;
        memset(&back, 0, sizeof back);
        assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &back), TMTU_OK);
        assert_memory_equal(&buf, &inner, sizeof buf);
        assert_memory_equal(buf.data, copy, s.len);
        assert_ptr_equal(back.data, pkt.data);
        assert_int_equal(back.len, pkt.len);
        assert_int_equal(back.l4, pkt.l4);
        assert_true(tmtu_flow_equal(&back.flow, &pkt.flow));
        free(copy);
        free(buf.head);
    }
}

static void one_byte_of_headroom_too_few_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs); i++) {
        const struct tmtu_encap encap = test_encap(test_pairs[i].outer);
        const struct test_shape s = test_shape(test_pairs[i].inner, 99);
        struct tmtu_buf buf = test_made(&s, test_pairs[i].overhead - 1u);
        struct tmtu_pkt pkt = test_parsed(&buf);
        struct test_before before = test_before(&buf, &pkt);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each0),
                         TMTU_E_NOSPACE);
        test_unchanged(&before, &buf, &pkt);
        free(buf.head);
    }
}

/* Ethernet pads to 46 bytes; the padding does not go into the tunnel. */
static void bytes_behind_the_packet_stay_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs); i++) {
        const struct tmtu_encap encap = test_encap(test_pairs[i].outer);
        const struct test_shape s = test_shape(test_pairs[i].inner, 60);
        struct tmtu_buf buf = test_buf(NULL, 0, 40, s.len + 3);
        test_packet(&s, tmtu_buf_put(&buf, s.len + 3));
        const struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each0), 0);
        assert_int_equal(tmtu_buf_len(&buf), 60u + test_pairs[i].overhead);
        assert_int_equal(buf.end - buf.tail, 3);
        free(buf.head);
    }
}

static void df_and_id_of_the_outer_header(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t df;
        unsigned inner;
        uint16_t frag, want_frag, want_id;
    } rows[] = {
        {"R-2003-01 K16 DF is copied, K36 R-6864-01 with ID 0", TMTU_DF_COPY, 4,
         0x4000, 0x4000, 0},
        {"R-2003-02 K17 no DF is copied, R-6864-01 with the ID", TMTU_DF_COPY,
         4, 0, 0, 0x1234},
        {"K20 R-4213-03 IPv6 inside: no DF", TMTU_DF_COPY, 6, 0, 0, 0x1234},
        {"K21 MF is not copied", TMTU_DF_COPY, 4, 0x2000, 0, 0x1234},
        {"K21 an offset is not copied", TMTU_DF_COPY, 4, 0x00b9, 0, 0x1234},
        {"K21 DF is, MF and offset beside it are not", TMTU_DF_COPY, 4, 0x60b9,
         0x4000, 0},
        {"K21 IPv6 fragments leave no mark", TMTU_DF_COPY, 6, 0x00b9, 0,
         0x1234},
        {"R-4301-01 R-2003-02 set: over no DF", TMTU_DF_SET, 4, 0, 0x4000, 0},
        {"R-4301-01 set: over DF", TMTU_DF_SET, 4, 0x4000, 0x4000, 0},
        {"R-4301-01 set: over IPv6", TMTU_DF_SET, 6, 0, 0x4000, 0},
        {"R-4301-01 K18 clear: over DF", TMTU_DF_CLEAR, 4, 0x4000, 0, 0x1234},
        {"R-4301-01 clear: over no DF", TMTU_DF_CLEAR, 4, 0, 0, 0x1234},
        {"R-4301-01 clear: over IPv6", TMTU_DF_CLEAR, 6, 0, 0, 0x1234},
    };
    const struct tmtu_encap_each each = {0xabcd1234, 0};
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_encap encap = test_encap(4);
        struct test_shape s = test_shape(rows[i].inner, 100);
        encap.df = rows[i].df;
        s.frag = rows[i].frag;
        print_message("  %s\n", rows[i].name);
        struct tmtu_buf buf = test_made(&s, 20);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each), 0);
        assert_int_equal(tmtu_get16(buf.data + 6), rows[i].want_frag);
        assert_int_equal(tmtu_get16(buf.data + 4), rows[i].want_id);
        assert_int_equal(test_cksum(buf.data, 20), 0); /* peers G22 */
        free(buf.head);
    }
}

/* Low two bits: Not-ECT 0, ECT(1) 1, ECT(0) 2, CE 3. All four pairs. */
static void dscp_and_ecn_of_the_outer_header(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t ecn, dscp, inner, want;
    } rows[] = {
        {"R-6040-01 normal: Not-ECT", TMTU_ECN_NORMAL, 0xff, 0xb8, 0xb8},
        {"R-6040-01 normal: ECT(1)", TMTU_ECN_NORMAL, 0xff, 0xb9, 0xb9},
        {"R-6040-01 normal: ECT(0)", TMTU_ECN_NORMAL, 0xff, 0xba, 0xba},
        {"R-6040-01 normal: CE", TMTU_ECN_NORMAL, 0xff, 0xbb, 0xbb},
        {"R-6040-02 compatibility: Not-ECT", TMTU_ECN_COMPAT, 0xff, 0xb8, 0xb8},
        {"R-6040-02 compatibility: ECT(1)", TMTU_ECN_COMPAT, 0xff, 0xb9, 0xb8},
        {"R-6040-02 compatibility: ECT(0)", TMTU_ECN_COMPAT, 0xff, 0xba, 0xb8},
        {"R-6040-02 compatibility: CE", TMTU_ECN_COMPAT, 0xff, 0xbb, 0xb8},
        {"K33 RFC 3168: Not-ECT", TMTU_ECN_3168, 0xff, 0xb8, 0xb8},
        {"K33 RFC 3168: ECT(1)", TMTU_ECN_3168, 0xff, 0xb9, 0xb9},
        {"K33 RFC 3168: ECT(0)", TMTU_ECN_3168, 0xff, 0xba, 0xba},
        {"K33 RFC 3168: CE becomes ECT(0)", TMTU_ECN_3168, 0xff, 0xbb, 0xba},
        {"R-2003-05 AF11 is copied", TMTU_ECN_NORMAL, 0xff, 0x28, 0x28},
        {"all ones are copied", TMTU_ECN_NORMAL, 0xff, 0xff, 0xff},
        {"R-2983-01 pipe: 0, ECN is not of it", TMTU_ECN_NORMAL, 0, 0xbb, 0x03},
        {"R-2983-01 pipe: 63", TMTU_ECN_NORMAL, 63, 0x02, 0xfe},
        {"R-2983-01 pipe: 10, no ECN", TMTU_ECN_COMPAT, 10, 0xff, 0x28},
    };
    for (size_t i = 0; i < TEST_ROWS(rows) * TEST_ROWS(test_pairs); i++) {
        const size_t row = i / 4, pair = i % 4;
        struct tmtu_encap encap = test_encap(test_pairs[pair].outer);
        struct test_shape s = test_shape(test_pairs[pair].inner, 100);
        encap.ecn = rows[row].ecn;
        encap.dscp = rows[row].dscp;
        s.tclass = rows[row].inner;
        if (pair == 0)
            print_message("  %s\n", rows[row].name);
        struct tmtu_buf buf = pushed(&s, &encap);
        assert_int_equal(test_parsed(&buf).tclass, rows[row].want);
        tmtu_buf_pull(&buf, test_pairs[pair].overhead);
        assert_int_equal(test_parsed(&buf).tclass, rows[row].inner);
        free(buf.head);
    }
}

static void ttl_of_the_outer_header(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t ttl, inner, want;
    } rows[] = {
        {"R-2003-04 R-2473-01 configured, not inner", 64, 3, 64},
        {"the greatest", 255, 64, 255},
        {"the least", 1, 64, 1},
        {"K34 the inner one", 0, 63, 63},
        {"K34 the inner one, at its end", 0, 1, 1},
    };
    for (size_t i = 0; i < TEST_ROWS(rows) * TEST_ROWS(test_pairs); i++) {
        const size_t row = i / 4, pair = i % 4;
        struct tmtu_encap encap = test_encap(test_pairs[pair].outer);
        struct test_shape s = test_shape(test_pairs[pair].inner, 100);
        encap.ttl = rows[row].ttl;
        s.ttl = rows[row].inner;
        struct tmtu_buf buf = pushed(&s, &encap);
        assert_int_equal(test_parsed(&buf).ttl, rows[row].want);
        free(buf.head);
    }
}

/* R-2003-03: MUST NOT encapsulate a datagram with TTL 0. */
static void ttl_0_is_not_encapsulated(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs) * 2; i++) {
        struct tmtu_encap encap = test_encap(test_pairs[i / 2].outer);
        struct test_shape s = test_shape(test_pairs[i / 2].inner, 100);
        s.ttl = 0;
        encap.ttl = i % 2 ? 64 : 0;
        struct tmtu_buf buf = test_made(&s, 40);
        struct tmtu_pkt pkt = test_parsed(&buf);
        struct test_before before = test_before(&buf, &pkt);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each0),
                         TMTU_E_FORBIDDEN);
        test_unchanged(&before, &buf, &pkt);
        free(buf.head);
    }
}

static void flow_labels_of_the_outer_header(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t hash, want;
    } rows[] = {
        {"K39 none without a hash", 0, 0},
        {"R-6438-01 the low 20 bits", 0x12345678, 0x45678},
        {"R-6438-01 all of them", 0xffffffff, 0xfffff},
        {"R-6438-01 0 becomes 1", 0x00100000, 1},
        {"1 stays 1", 1, 1},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_encap_each each = {0xffffffff, rows[i].hash};
        const struct tmtu_encap encap = test_encap(6);
        for (unsigned inner = 4; inner <= 6; inner += 2) {
            struct test_shape s = test_shape(inner, 100);
            s.tclass = 0xff;
            struct tmtu_buf buf = test_made(&s, 40);
            const struct tmtu_pkt pkt = test_parsed(&buf);
            assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each), 0);
            assert_int_equal(tmtu_get32(buf.data), 0x6ff00000 | rows[i].want);
            free(buf.head);
        }
    }
}

/* K33 to K37 and K39, all from one preset and an `each` without a hash. */
static void the_ipvs_preset_is_what_ipvs_writes(void **state)
{
    static const struct {
        const char *name;
        unsigned inner, outer;
        uint16_t frag;
        uint8_t tclass, ttl, kind;
        const char *want; /* what the director put in front */
    } rows[] = {
        {"K33 K34 K36 DF: TOS 0xba, TTL, ID 0", 4, 4, 0x4000, 0xbb, 63,
         TMTU_ENCAP_IPIP, "45ba0078 00004000 3f04"},
        {"K36 without DF: an ID", 4, 4, 0, 1, 9, TMTU_ENCAP_IPIP,
         "45010078 12340000 0904"},
        {"K20 6in4: never DF", 6, 4, 0, 0, 63, TMTU_ENCAP_IPIP,
         "45000078 12340000 3f29"},
        {"K39 4in6: no label, K33 class", 4, 6, 0x4000, 3, 63, TMTU_ENCAP_IPIP,
         "60200000 0064043f"},
        {"K37 K39 GUE over IPv6: length, checksum 0", 6, 6, 0, 0, 63,
         TMTU_ENCAP_GUE, "60000000 0070113f"},
        {"GRE: no flags", 4, 4, 0x4000, 0, 63, TMTU_ENCAP_GRE,
         "4500007c 00004000 3f2f"},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_encap ends = test_encap(rows[i].outer);
        const struct tmtu_encap_each each = {0x1234, 0};
        struct tmtu_encap e = TMTU_ENCAP_IPVS;
        struct test_shape s = test_shape(rows[i].inner, 100);
        uint8_t want[16];
        const size_t n = test_hex(rows[i].want, want, sizeof want);
        print_message("  %s\n", rows[i].name);
        memcpy(e.src, ends.src, 16);
        memcpy(e.dst, ends.dst, 16);
        e.kind = rows[i].kind;
        s.frag = rows[i].frag;
        s.tclass = rows[i].tclass;
        s.ttl = rows[i].ttl;
        struct tmtu_buf buf = test_made(&s, TMTU_ENCAP_HEADROOM);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(tmtu_encap_check(&e), 0);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &e, &each), 0);
        assert_memory_equal(buf.data, want, n);
        if (e.kind == TMTU_ENCAP_GUE)
            assert_int_equal(tmtu_get16(buf.data + 46), 0);
        free(buf.head);
    }
}

/* R-2003-07: options stay inside. */
static void inner_options_are_not_copied(void **state)
{
    (void)state;
    for (unsigned outer = 4; outer <= 6; outer += 2) {
        const struct tmtu_encap encap = test_encap(outer);
        struct test_shape s = test_shape(4, 100);
        s.option = 40;
        struct tmtu_buf buf = pushed(&s, &encap);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(pkt.l4, outer == 4 ? 20 : 40);
        assert_int_equal(pkt.len, 100 + pkt.l4);
        assert_int_equal(buf.data[pkt.l4], 0x4f);
        free(buf.head);
    }
}

static void longest_packets_that_a_header_can_tell(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner, outer;
        size_t len;
        int rc;
    } rows[] = {
        {"R-2003-08 4in4 65515", 4, 4, 65515, 0},
        {"R-2003-08 4in4 65516", 4, 4, 65516, TMTU_E_LIMIT},
        {"4in4 65535", 4, 4, 65535, TMTU_E_LIMIT},
        {"6in4 65515", 6, 4, 65515, 0},
        {"6in4 65516", 6, 4, 65516, TMTU_E_LIMIT},
        {"6in4 65575", 6, 4, 65575, TMTU_E_LIMIT},
        {"4in6 65535: the payload is not over 65535", 4, 6, 65535, 0},
        {"6in6 65535", 6, 6, 65535, 0},
        {"6in6 65536", 6, 6, 65536, TMTU_E_LIMIT},
        {"6in6 65575", 6, 6, 65575, TMTU_E_LIMIT},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_encap encap = test_encap(rows[i].outer);
        const struct test_shape s = test_shape(rows[i].inner, rows[i].len);
        print_message("  %s\n", rows[i].name);
        struct tmtu_buf buf = test_made(&s, 40);
        struct tmtu_pkt pkt = test_parsed(&buf);
        struct test_before before = test_before(&buf, &pkt);
        const int rc = tmtu_encap_push(&buf, &pkt, &encap, &each0);
        assert_int_equal(rc, rows[i].rc);
        if (rc == 0) {
            const struct tmtu_pkt outer = test_parsed(&buf);
            assert_int_equal(outer.len, rows[i].len + outer.l4);
            free(before.mem);
        } else {
            test_unchanged(&before, &buf, &pkt);
        }
        free(buf.head);
    }
}

/* ---- out ---- */

/* Sums an outer or inner IPv4 header anew after a test has changed it. */
static void sum_again(uint8_t *ip)
{
    if (ip[0] >> 4 != 4)
        return;
    const size_t ihl = (ip[0] & 15u) * 4u;
    tmtu_put16(ip + 10, 0);
    tmtu_put16(ip + 10, test_cksum(ip, ihl));
}

/* Each row is a good tunnel packet with one byte of it changed: `at` counts
 * from the outer header, or from the inner one. IPv4 headers are summed anew.
 */
enum where { NOWHERE, OUTER, INNER, INNER_SUM };
static const struct {
    const char *name;
    unsigned inner, outer;
    enum where where;
    size_t at;
    uint8_t to;
    enum tmtu_reason want;
} refusals[] = {
    {"as it is, 4in4", 4, 4, NOWHERE, 0, 0, TMTU_OK},
    {"as it is, 6in4", 6, 4, NOWHERE, 0, 0, TMTU_OK},
    {"as it is, 4in6", 4, 6, NOWHERE, 0, 0, TMTU_OK},
    {"as it is, 6in6", 6, 6, NOWHERE, 0, 0, TMTU_OK},
    {"carries ESP", 4, 4, OUTER, 9, 50, TMTU_R_NOT_TUNNEL},
    {"carries GRE", 4, 4, OUTER, 9, 47, TMTU_R_NOT_TUNNEL},
    {"carries GRE over IPv6", 4, 6, OUTER, 6, 47, TMTU_R_NOT_TUNNEL},
    {"to somebody else", 4, 4, OUTER, 19, 3, TMTU_R_OUTER_DEST},
    {"to somebody else, 6in6", 6, 6, OUTER, 39, 3, TMTU_R_OUTER_DEST},
    {"R-4213-05 from somebody else", 6, 4, OUTER, 15, 3, TMTU_R_OUTER_SOURCE},
    {"R-2003-10 from somebody else", 4, 4, OUTER, 15, 3, TMTU_R_OUTER_SOURCE},
    {"from somebody else, 4in6", 4, 6, OUTER, 23, 3, TMTU_R_OUTER_SOURCE},
    {"from a group", 4, 4, OUTER, 12, 224, TMTU_R_OUTER_SOURCE},
    {"from a group, 6in6", 6, 6, OUTER, 8, 0xff, TMTU_R_OUTER_SOURCE},
    {"R-5722-00 the first fragment", 4, 4, OUTER, 6, 0x20,
     TMTU_R_OUTER_FRAGMENT},
    {"F19 the last fragment: MF is clear", 4, 4, OUTER, 7, 0xb9,
     TMTU_R_OUTER_FRAGMENT},
    {"F19 the last fragment, 6in4", 6, 4, OUTER, 7, 0xb9,
     TMTU_R_OUTER_FRAGMENT},
    {"an unused flag is no fragment", 4, 4, OUTER, 6, 0x80, TMTU_OK},
    {"protocol 41 with IPv4 inside", 4, 4, OUTER, 9, 41, TMTU_R_INNER_VERSION},
    {"protocol 4 with IPv6 inside", 6, 4, OUTER, 9, 4, TMTU_R_INNER_VERSION},
    {"next header 41 with IPv4 inside", 4, 6, OUTER, 6, 41,
     TMTU_R_INNER_VERSION},
    {"next header 4 with IPv6 inside", 6, 6, OUTER, 6, 4, TMTU_R_INNER_VERSION},
    {"inner version 5", 4, 4, INNER, 0, 0x55, TMTU_R_INNER_VERSION},
    {"inner version 0", 6, 6, INNER, 0, 0x00, TMTU_R_INNER_VERSION},
    {"inner header of 16 bytes", 4, 4, INNER, 0, 0x44, TMTU_R_INNER_MALFORMED},
    {"inner length below its header", 4, 4, INNER_SUM, 3, 19,
     TMTU_R_INNER_MALFORMED},
    {"inner length past the end", 4, 4, INNER_SUM, 3, 101,
     TMTU_R_INNER_MALFORMED},
    {"inner length past the end, 6in4", 6, 4, INNER, 5, 61,
     TMTU_R_INNER_MALFORMED},
    {"inner checksum", 4, 4, INNER, 11, 0, TMTU_R_INNER_MALFORMED},
    {"inner checksum, 4in6", 4, 6, INNER, 11, 0, TMTU_R_INNER_MALFORMED},
    {"inner TCP header of 16 bytes", 4, 4, INNER, 32, 0x40,
     TMTU_R_INNER_MALFORMED},
    {"inner source in 0.0.0.0/8", 4, 4, INNER_SUM, 12, 0, TMTU_R_INNER_SOURCE},
    {"inner source in 127.0.0.0/8", 4, 6, INNER_SUM, 12, 127,
     TMTU_R_INNER_SOURCE},
    {"inner source 224.0.2.10", 4, 4, INNER_SUM, 12, 224, TMTU_R_INNER_SOURCE},
    {"inner source 223.0.2.10 is a host", 4, 4, INNER_SUM, 12, 223, TMTU_OK},
    {"R-4213-07 inner source in ff00::/8", 6, 4, INNER, 8, 0xff,
     TMTU_R_INNER_SOURCE},
    {"R-4213-07 the same, 6in6", 6, 6, INNER, 8, 0xff, TMTU_R_INNER_SOURCE},
    {"R-2003-09 inner TTL 0", 4, 4, INNER_SUM, 8, 0, TMTU_R_INNER_TTL},
    {"R-2003-09 inner TTL 1", 4, 4, INNER_SUM, 8, 1, TMTU_OK},
    {"R-2003-09 inner hop limit 0", 6, 6, INNER, 7, 0, TMTU_R_INNER_TTL},
    {"R-2003-09 inner hop limit 1", 6, 4, INNER, 7, 1, TMTU_OK},
    {"R-6040-03 TRAP-13 CE over Not-ECT", 4, 4, OUTER, 1, 3, TMTU_R_ECN},
    {"R-6040-03 CE over Not-ECT, 6in6", 6, 6, OUTER, 1, 0x30, TMTU_R_ECN},
};

static void pull_refuses_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(refusals); i++) {
        const struct tmtu_encap encap = test_encap(refusals[i].outer);
        const struct test_shape s = test_shape(refusals[i].inner, 100);
        print_message("  %s\n", refusals[i].name);
        struct tmtu_buf buf = pushed(&s, &encap);
        uint8_t *in = buf.data + tmtu_encap_overhead(&encap);
        if (refusals[i].where == OUTER)
            buf.data[refusals[i].at] = refusals[i].to;
        else if (refusals[i].where != NOWHERE)
            in[refusals[i].at] = refusals[i].to;
        if (refusals[i].where == INNER_SUM)
            sum_again(in);
        sum_again(buf.data);

        struct tmtu_pkt outer = {0}, inner;
        if (tmtu_ip_parse(tmtu_buf_view(&buf), TMTU_IP_VERIFY, &outer) < 0)
            fail_msg("the outer packet does not parse");
        memset(&inner, 0xa5, sizeof inner);
        struct test_before before = test_before(&buf, &inner);
        assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner),
                         refusals[i].want);
        if (refusals[i].want != TMTU_OK)
            test_unchanged(&before, &buf, &inner);
        else
            free(before.mem);
        free(buf.head);
    }
}

/* R-4213-07, RFC 1122 §3.2.1.3. */
static void inner_sources_that_no_packet_may_have(void **state)
{
    (void)state;
    static const struct {
        const char *src;
        enum tmtu_reason want;
    } rows[] = {
        {"2001:db8::1", TMTU_OK},
        {"fe80::1", TMTU_OK},
        {"::", TMTU_OK}, /* duplicate address detection */
        {"::1", TMTU_R_INNER_SOURCE},
        {"::2", TMTU_R_INNER_SOURCE},
        {"::192.0.2.1", TMTU_R_INNER_SOURCE},
        {"::1:0:0:1", TMTU_OK},
        {"::1:ffff:192.0.2.1", TMTU_OK},
        {"::1:192.0.2.1", TMTU_OK},
        {"1::", TMTU_OK},
        {"0:0:0:1::", TMTU_OK},
        {"::fffe:192.0.2.1", TMTU_OK},
        {"::ffff:192.0.2.1", TMTU_R_INNER_SOURCE},
        {"::ffff:0.0.0.0", TMTU_R_INNER_SOURCE},
        {"ff02::1", TMTU_R_INNER_SOURCE},
        {"192.0.2.1", TMTU_OK},
        {"1.0.0.0", TMTU_OK},
        {"0.0.0.0", TMTU_R_INNER_SOURCE},
        {"0.0.0.1", TMTU_R_INNER_SOURCE},
        {"127.255.255.255", TMTU_R_INNER_SOURCE},
        {"224.0.0.1", TMTU_R_INNER_SOURCE},
        {"240.0.0.1", TMTU_R_INNER_SOURCE},
        {"255.255.255.255", TMTU_R_INNER_SOURCE},
    };
    for (size_t i = 0; i < TEST_ROWS(rows) * 2; i++) {
        const struct tmtu_encap encap = test_encap(i % 2 ? 6 : 4);
        const int v6 = strchr(rows[i / 2].src, ':') != NULL;
        const struct test_shape s = test_shape(v6 ? 6 : 4, 100);
        struct tmtu_buf buf = pushed(&s, &encap);
        const struct tmtu_pkt outer = test_parsed(&buf);
        uint8_t *in = buf.data + outer.l4, src[16];
        test_addr(rows[i / 2].src, src);
        memcpy(v6 ? in + 8 : in + 12, v6 ? src : src + 12, v6 ? 16 : 4);
        sum_again(in);
        struct tmtu_pkt inner;
        const enum tmtu_reason got =
            tmtu_encap_pull(&buf, &outer, &encap, &inner);
        if (got != rows[i / 2].want)
            fail_msg("%s: %d", rows[i / 2].src, got);
        free(buf.head);
    }
}

/* Who may have sent it: one peer, or any host of the family. */
static void ends_that_are_left_open(void **state)
{
    (void)state;
    static const struct {
        const char *name, *src, *dst, *from;
        enum tmtu_reason want;
    } rows[] = {
        {"any peer", "0.0.0.0", "203.0.113.2", "198.51.100.7", TMTU_OK},
        {"any peer, the other spelling", "::", "203.0.113.2", "198.51.100.7",
         TMTU_OK},
        {"any peer over IPv6", "::", "2001:db8:b::1", "2001:db8:c::7", TMTU_OK},
        {"any local end", "203.0.113.1", "0.0.0.0", "203.0.113.1", TMTU_OK},
        {"any local end over IPv6", "2001:db8:a::1", "::", "2001:db8:a::1",
         TMTU_OK},
        {"all open", "0.0.0.0", "0.0.0.0", "198.51.100.7", TMTU_OK},
        {"any local end, another peer", "203.0.113.1", "0.0.0.0",
         "198.51.100.7", TMTU_R_OUTER_SOURCE},
        {"any peer, another local end", "0.0.0.0", "203.0.113.9",
         "198.51.100.7", TMTU_R_OUTER_DEST},
        {"any peer but nobody", "0.0.0.0", "203.0.113.2", "0.0.0.0",
         TMTU_R_OUTER_SOURCE},
        {"any peer but loopback", "0.0.0.0", "203.0.113.2", "127.0.0.1",
         TMTU_R_OUTER_SOURCE},
        {"any peer but a group", "0.0.0.0", "203.0.113.2", "224.0.0.9",
         TMTU_R_OUTER_SOURCE},
        {"any peer but all", "0.0.0.0", "203.0.113.2", "255.255.255.255",
         TMTU_R_OUTER_SOURCE},
        {"any peer but nobody over IPv6", "::", "2001:db8:b::1",
         "::", TMTU_R_OUTER_SOURCE},
        {"any peer but loopback over IPv6", "::", "2001:db8:b::1", "::1",
         TMTU_R_OUTER_SOURCE},
        {"any peer but a group over IPv6", "::", "2001:db8:b::1", "ff02::1",
         TMTU_R_OUTER_SOURCE},
        {"any peer but an IPv4 one in IPv6", "::", "2001:db8:b::1",
         "::ffff:198.51.100.7", TMTU_R_OUTER_SOURCE},
        {"the other family", "::", "::", "198.51.100.7", TMTU_R_NOT_TUNNEL},
        {"the other family, IPv6", "0.0.0.0", "0.0.0.0", "2001:db8:a::1",
         TMTU_R_NOT_TUNNEL},
    };
    for (size_t i = 0; i < TEST_ROWS(rows) * 2; i++) {
        const size_t row = i / 2;
        const unsigned outer_v = strchr(rows[row].from, ':') ? 6 : 4;
        const struct tmtu_encap sender = test_encap(outer_v);
        const struct test_shape s = test_shape(i % 2 ? 6 : 4, 100);
        struct tmtu_buf buf = pushed(&s, &sender);
        uint8_t from[16];
        test_addr(rows[row].from, from);
        memcpy(buf.data + (outer_v == 6 ? 8 : 12),
               outer_v == 6 ? from : from + 12, outer_v == 6 ? 16 : 4);
        sum_again(buf.data);

        struct tmtu_encap encap = TMTU_ENCAP_INIT;
        test_addr(rows[row].src, encap.src);
        test_addr(rows[row].dst, encap.dst);
        const struct tmtu_pkt outer = test_parsed(&buf);
        struct tmtu_pkt inner;
        const enum tmtu_reason got =
            tmtu_encap_pull(&buf, &outer, &encap, &inner);
        if (got != rows[row].want)
            fail_msg("%s: %d", rows[row].name, got);
        free(buf.head);
    }
}

/* R-4213-06: the outer packet is longer than what it carries. */
static void padding_behind_the_inner_packet_is_cut_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs); i++) {
        const struct tmtu_encap encap = test_encap(test_pairs[i].outer);
        const struct test_shape s = test_shape(test_pairs[i].inner, 60);
        const size_t over = test_pairs[i].overhead;
        struct tmtu_buf buf = test_buf(NULL, 0, over, 80);
        test_packet(&s, tmtu_buf_put(&buf, 60));
        const struct tmtu_pkt pkt = test_parsed(&buf);
        uint8_t *copy = test_exact(buf.data, 60);
        assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each0), 0);
        memset(tmtu_buf_put(&buf, 20), 0x45, 20);
        if (test_pairs[i].outer == 4)
            tmtu_put16(buf.data + 2, 20 + 80);
        else
            tmtu_put16(buf.data + 4, 80);
        sum_again(buf.data);
        const struct tmtu_pkt outer = test_parsed(&buf);
        assert_int_equal(outer.len, 80 + over);
        struct tmtu_pkt inner;
        assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner),
                         TMTU_OK);
        assert_int_equal(tmtu_buf_len(&buf), 60);
        assert_int_equal(inner.len, 60);
        assert_int_equal(inner.have, 60);
        assert_memory_equal(buf.data, copy, 60);
        free(copy);
        free(buf.head);
    }
}

/* An outer packet that ends somewhere in the inner one; last, after one byte
 * that is enough to tell the version. */
static void every_cut_of_the_inner_packet_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs); i++) {
        const struct tmtu_encap encap = test_encap(test_pairs[i].outer);
        const struct test_shape s = test_shape(test_pairs[i].inner, 64);
        struct tmtu_buf whole = pushed(&s, &encap);
        for (size_t cut = 0; cut <= s.len; cut++) {
            const int last = cut == s.len;
            const size_t n = last ? 1 : cut;
            struct tmtu_buf buf =
                test_buf(whole.data, test_pairs[i].overhead + n, 0, 0);
            if (test_pairs[i].outer == 4)
                tmtu_put16(buf.data + 2, (uint16_t)(20 + n));
            else
                tmtu_put16(buf.data + 4, (uint16_t)n);
            if (last)
                buf.tail[-1] = 0x5f;
            sum_again(buf.data);
            const struct tmtu_pkt outer = test_parsed(&buf);
            struct tmtu_pkt inner;
            memset(&inner, 0xa5, sizeof inner);
            struct test_before before = test_before(&buf, &inner);
            assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner),
                             last ? TMTU_R_INNER_VERSION
                                  : TMTU_R_INNER_MALFORMED);
            test_unchanged(&before, &buf, &inner);
            free(buf.head);
        }
        free(whole.head);
    }
}

/* RFC 6040 §4.2, R-6040-03 to -06: rows by columns as in its figure 4, but in
 * the order of the codepoints 0 to 3; D: dropped. */
static void ecn_out_is_the_table_of_rfc_6040(void **state)
{
    (void)state;
    enum { D = 9 };
    static const uint8_t table[4][4] = {
        /* inner Not-ECT */ {0, 0, 0, D},
        /* inner ECT(1) */ {1, 1, 1, 3},
        /* inner ECT(0) */ {2, 1, 2, 3},
        /* inner CE */ {3, 3, 3, 3},
    };
    for (size_t i = 0; i < 3 * 16 * TEST_ROWS(test_pairs); i++) {
        const size_t pair = i / 48, in = i / 4 % 4, out = i % 4;
        const unsigned v = test_pairs[pair].outer;
        struct tmtu_encap encap = test_encap(v);
        struct test_shape s = test_shape(test_pairs[pair].inner, 100);
        encap.ecn = (uint8_t)(i / 16 % 3); /* makes no difference here */
        encap.dscp = 0x3f;
        s.tclass = (uint8_t)(0x28 | in);
        struct tmtu_buf buf = pushed(&s, &encap);
        uint8_t *ip = buf.data;
        if (v == 4)
            ip[1] = (uint8_t)((ip[1] & 0xfcu) | out);
        else
            ip[1] = (uint8_t)((ip[1] & 0xcfu) | out << 4);
        sum_again(ip);
        const struct tmtu_pkt outer = test_parsed(&buf);
        assert_int_equal(outer.tclass & 3, out);

        uint8_t *want = test_exact(ip + outer.l4, 100);
        struct tmtu_pkt inner;
        memset(&inner, 0xa5, sizeof inner);
        struct test_before before = test_before(&buf, &inner);
        const enum tmtu_reason got =
            tmtu_encap_pull(&buf, &outer, &encap, &inner);
        if (table[in][out] == D) {
            assert_int_equal(got, TMTU_R_ECN);
            test_unchanged(&before, &buf, &inner);
        } else {
            /* R-6040-07 the checksum follows, R-4213-09 R-6437-01 all other
             * bytes, DSCP, TTL and flow label too, stay. */
            const uint8_t ecn = table[in][out];
            assert_int_equal(got, TMTU_OK);
            if (test_pairs[pair].inner == 4)
                want[1] = (uint8_t)((want[1] & 0xfcu) | ecn);
            else
                want[1] = (uint8_t)((want[1] & 0xcfu) | (unsigned)ecn << 4);
            sum_again(want);
            assert_memory_equal(buf.data, want, 100);
            assert_int_equal(inner.tclass, 0x28 | ecn);
            assert_int_equal(test_parsed(&buf).tclass, inner.tclass);
            free(before.mem);
        }
        free(want);
        free(buf.head);
    }
}

/* V12: an outer IPv6 header with a tunnel encapsulation limit behind it. */
static void v12_a_destination_option_before_the_inner_packet(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t n = 0;
    for (size_t i = 0; i < TEST_ROWS(vectors); i++)
        if (strcmp(vectors[i].name, "V12.tunnelled_limit4") == 0)
            n = test_hex(vectors[i].hex, bytes, sizeof bytes);
    assert_int_equal(n, 112);
    struct tmtu_buf buf = test_buf(bytes, n, 0, 0);
    const struct tmtu_pkt outer = test_parsed(&buf);
    const struct tmtu_encap encap = test_encap(6);
    struct tmtu_pkt inner;
    assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner), TMTU_OK);
    assert_int_equal(buf.data - buf.head, 48);
    assert_memory_equal(buf.data, bytes + 48, 64);
    assert_ptr_equal(inner.data, buf.data);
    assert_int_equal(inner.len, 64);
    assert_int_equal(inner.flow.dport, 443);
    free(buf.head);
}

/* RFC 791: the inner header begins where the options end. */
static void outer_options_are_pulled_too(void **state)
{
    (void)state;
    uint8_t bytes[124];
    struct test_shape s = test_shape(4, 24 + 100);
    const struct tmtu_encap encap = test_encap(4);
    s.option = 4;
    s.proto = 4;
    test_packet(&s, bytes);
    memcpy(bytes + 12, encap.src + 12, 4);
    memcpy(bytes + 16, encap.dst + 12, 4);
    sum_again(bytes);
    s = test_shape(4, 100);
    test_packet(&s, bytes + 24);
    struct tmtu_buf buf = test_buf(bytes, sizeof bytes, 0, 0);
    const struct tmtu_pkt outer = test_parsed(&buf);
    struct tmtu_pkt inner;
    assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner), TMTU_OK);
    assert_int_equal(tmtu_buf_len(&buf), 100);
    assert_memory_equal(buf.data, bytes + 24, 100);
    free(buf.head);
}

/* RFC 6946: offset 0 and no more is a whole packet; else R-5722-00. */
static void outer_ipv6_fragments_wait_and_atomic_ones_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t word;
        enum tmtu_reason want;
    } rows[] = {
        {"atomic", 0x0000, TMTU_OK},
        {"atomic, reserved bits", 0x0006, TMTU_OK},
        {"the first", 0x0001, TMTU_R_OUTER_FRAGMENT},
        {"the last", 0x0008, TMTU_R_OUTER_FRAGMENT},
        {"one between", 0x0009, TMTU_R_OUTER_FRAGMENT},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_encap encap = test_encap(6);
        uint8_t bytes[48 + 100];
        struct test_shape s = test_shape(6, sizeof bytes);
        s.proto = 41;
        s.frag = 0xffff;
        test_packet(&s, bytes);
        memcpy(bytes + 8, encap.src, 16);
        memcpy(bytes + 24, encap.dst, 16);
        tmtu_put16(bytes + 42, rows[i].word);
        s = test_shape(6, 100);
        test_packet(&s, bytes + 48);
        print_message("  %s\n", rows[i].name);
        struct tmtu_buf buf = test_buf(bytes, sizeof bytes, 0, 0);
        const struct tmtu_pkt outer = test_parsed(&buf);
        struct tmtu_pkt inner;
        assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner),
                         rows[i].want);
        assert_int_equal(tmtu_buf_len(&buf),
                         rows[i].want == TMTU_OK ? 100u : 148u);
        free(buf.head);
    }
}

/* A buffer that is not what `outer` was parsed from. */
static void a_buffer_too_short_for_the_outer_header_is_left_alone(void **state)
{
    (void)state;
    const struct tmtu_encap encap = test_encap(4);
    const struct test_shape s = test_shape(4, 100);
    struct tmtu_buf buf = pushed(&s, &encap);
    const struct tmtu_pkt outer = test_parsed(&buf);
    struct tmtu_pkt inner;
    memset(&inner, 0xa5, sizeof inner);
    buf.tail = buf.data + 19;
    struct test_before before = test_before(&buf, &inner);
    assert_int_equal(tmtu_encap_pull(&buf, &outer, &encap, &inner),
                     TMTU_R_INTERNAL);
    test_unchanged(&before, &buf, &inner);
    free(buf.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overheads_are_those_of_the_table),
        cmocka_unit_test(unknown_sizes_and_kinds_are_refused_everywhere),
        cmocka_unit_test(check_reads_a_description),
        cmocka_unit_test(outer_headers_are_these_bytes),
        cmocka_unit_test(pull_is_the_inverse_of_push_in_all_pairs),
        cmocka_unit_test(one_byte_of_headroom_too_few_changes_nothing),
        cmocka_unit_test(bytes_behind_the_packet_stay_outside),
        cmocka_unit_test(df_and_id_of_the_outer_header),
        cmocka_unit_test(dscp_and_ecn_of_the_outer_header),
        cmocka_unit_test(ttl_of_the_outer_header),
        cmocka_unit_test(ttl_0_is_not_encapsulated),
        cmocka_unit_test(flow_labels_of_the_outer_header),
        cmocka_unit_test(the_ipvs_preset_is_what_ipvs_writes),
        cmocka_unit_test(inner_options_are_not_copied),
        cmocka_unit_test(longest_packets_that_a_header_can_tell),
        cmocka_unit_test(pull_refuses_by_name),
        cmocka_unit_test(inner_sources_that_no_packet_may_have),
        cmocka_unit_test(ends_that_are_left_open),
        cmocka_unit_test(padding_behind_the_inner_packet_is_cut_off),
        cmocka_unit_test(every_cut_of_the_inner_packet_is_malformed),
        cmocka_unit_test(ecn_out_is_the_table_of_rfc_6040),
        cmocka_unit_test(v12_a_destination_option_before_the_inner_packet),
        cmocka_unit_test(outer_options_are_pulled_too),
        cmocka_unit_test(outer_ipv6_fragments_wait_and_atomic_ones_do_not),
        cmocka_unit_test(a_buffer_too_short_for_the_outer_header_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

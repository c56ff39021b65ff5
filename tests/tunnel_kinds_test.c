/* SPDX-License-Identifier: MIT */
/* Every kind of tunnel beside the MTU: what it leaves, what it tells, and what
 * its headers look like. */
#include "tmtu_packet.h"

#include <tunmtu/frag.h>
#include <tunmtu/reass.h>
#include <tunmtu/tunnel.h>

enum { DF = 0x4000 };
enum { SEND = TMTU_TUNNEL_SEND, CUT = TMTU_TUNNEL_CUT };
enum { DROP = TMTU_TUNNEL_DROP, BIG = TMTU_ICMP_TOO_BIG };
enum {
    IPIP = TMTU_ENCAP_IPIP,
    GRE = TMTU_ENCAP_GRE,
    GUE = TMTU_ENCAP_GUE,
    GUE1 = TMTU_ENCAP_GUE1,
    GREUDP = TMTU_ENCAP_GREUDP
};
enum {
    CSUM = TMTU_ENCAP_CSUM,
    KEY = TMTU_ENCAP_KEY,
    SEQ = TMTU_ENCAP_SEQ,
    ZERO6 = TMTU_ENCAP_ZERO6,
    TEL = TMTU_ENCAP_TEL
};

/* What of 1500 bytes is left inside; 0: there is no such tunnel. */
static const struct {
    const char *name;
    uint8_t kind, flags;
    uint32_t over4, over6;
} kinds[] = {
    {"K1 K5 ipip", IPIP, 0, 1480, 1460},
    {"ipip with an encapsulation limit", IPIP, TEL, 0, 1452},
    {"K2 K5 gue", GUE, ZERO6, 1468, 1448},
    {"K6 gue with a checksum", GUE, CSUM, 1468, 1448},
    {"R-GUE-04 gue variant 1", GUE1, ZERO6, 1472, 1452},
    {"gue variant 1 with a checksum", GUE1, CSUM, 1472, 1452},
    {"K4 K5 gre", GRE, 0, 1476, 1456},
    {"K4 K5 gre with a checksum", GRE, CSUM, 1472, 1452},
    {"R-2890-01 gre with a key", GRE, KEY, 1472, 1452},
    {"R-2890-01 gre with all of it", GRE, CSUM | KEY | SEQ, 1464, 1444},
    {"gre with an encapsulation limit", GRE, TEL, 0, 1448},
    {"gre in udp", GREUDP, ZERO6, 1468, 1448},
    {"gre in udp with all of it", GREUDP, CSUM | KEY | SEQ, 1460, 1440},
    {"gre in udp with an encapsulation limit", GREUDP, CSUM | TEL, 0, 1440},
};

static uint32_t left(size_t k, unsigned outer)
{
    return outer == 4 ? kinds[k].over4 : kinds[k].over6;
}

static struct tmtu_tunnel tunnel(size_t k, unsigned outer, uint32_t path)
{
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
    t.encap = test_encap(outer);
    t.encap.kind = kinds[k].kind;
    t.encap.flags = kinds[k].flags;
    t.encap.key = 0x01020304;
    t.mtu.path_mtu = path;
    assert_int_equal(tmtu_tunnel_check(&t), 0);
    return t;
}

static const struct tmtu_encap_each each = {0x0a0b0c0d, 0x00101234};

/* What becomes of a TCP packet of `len` bytes. */
static struct tmtu_verdict enter(const struct tmtu_tunnel *t, unsigned inner,
                                 size_t len, uint16_t frag)
{
    struct test_shape s = test_shape(inner, len);
    struct tmtu_verdict v;
    s.frag = inner == 4 ? frag : 0;
    struct tmtu_buf buf = test_made(&s, 0);
    const struct tmtu_pkt pkt = test_parsed(&buf);
    tmtu_tunnel_enter(t, &pkt, &v);
    free(buf.head);
    return v;
}

/* The outer packet around one of `len` bytes; free(buf.head) ends it. */
static struct tmtu_buf pushed(const struct tmtu_tunnel *t, unsigned inner,
                              size_t len, uint16_t frag, uint8_t tclass)
{
    struct test_shape s = test_shape(inner, len);
    s.frag = inner == 4 ? frag : 0;
    s.tclass = tclass;
    struct tmtu_buf buf = test_made(&s, TMTU_ENCAP_HEADROOM);
    struct tmtu_pkt pkt = test_parsed(&buf);
    assert_int_equal(tmtu_tunnel_push(&buf, &pkt, t, &each), 0);
    return buf;
}

typedef void each_tunnel(size_t k, unsigned inner, unsigned outer);

static void for_each_tunnel(each_tunnel *check)
{
    for (size_t k = 0; k < TEST_ROWS(kinds); k++) {
        print_message("  %s\n", kinds[k].name);
        for (size_t p = 0; p < TEST_ROWS(test_pairs); p++)
            if (left(k, test_pairs[p].outer) != 0)
                check(k, test_pairs[p].inner, test_pairs[p].outer);
    }
}

/* R-1191-03: what is told is a whole packet, which then just fits. */
static void to_the_byte(size_t k, unsigned inner, unsigned outer)
{
    static const uint32_t paths[] = {1500, 1400, 9000, 65535};
    for (size_t i = 0; i < TEST_ROWS(paths); i++) {
        struct tmtu_tunnel t = tunnel(k, outer, paths[i]);
        const uint32_t fits = paths[i] - (1500 - left(k, outer));
        assert_int_equal(tmtu_mtu_inner(&t.mtu), fits);
        struct tmtu_verdict v = enter(&t, inner, fits, DF);
        assert_int_equal(v.action, SEND);
        assert_int_equal(v.answer, 0);
        struct tmtu_buf buf = pushed(&t, inner, fits, DF, 0);
        assert_int_equal(tmtu_buf_len(&buf), paths[i]);
        free(buf.head);
        if (paths[i] == 65535)
            continue;

        v = enter(&t, inner, fits + 1, DF);
        assert_int_equal(v.action, DROP);
        assert_int_equal(v.reason, TMTU_R_TOO_BIG);
        assert_int_equal(v.answer, BIG);
        assert_int_equal(v.info, fits);
        v = enter(&t, inner, fits + 1, 0);
        assert_int_equal(v.action, inner == 4 ? CUT : DROP);
        assert_int_equal(v.answer, inner == 4 ? 0 : BIG);
        for (uint8_t policy = TMTU_MTU_FRAGMENT; policy <= TMTU_MTU_BOTH;
             policy++) {
            t.mtu.policy = policy;
            v = enter(&t, inner, fits + 1, DF);
            assert_int_equal(v.action, CUT);
            assert_int_equal(v.answer, policy == TMTU_MTU_BOTH ? BIG : 0);
            assert_int_equal(v.info, policy == TMTU_MTU_BOTH ? fits : 0);
        }
    }
}

static void k2_k4_k5_k6_k11_k12_what_each_kind_leaves_and_tells(void **state)
{
    (void)state;
    for_each_tunnel(to_the_byte);
}

/* K8, K9 with each kind; and R-2473-08, R-7588-03: else 1280 is told. */
static void floors(size_t k, unsigned inner, unsigned outer)
{
    const uint32_t over = 1500 - left(k, outer);
    const uint32_t least = outer == 4 ? 68 : 1280;
    for (uint32_t less = 0; less < 2; less++) {
        struct tmtu_tunnel t = tunnel(k, outer, least + over - less);
        t.mtu.flags = TMTU_MTU_FLOOR_DROP;
        struct tmtu_verdict v = enter(&t, inner, 60, DF);
        assert_int_equal(v.action, less ? DROP : SEND);
        assert_int_equal(v.reason, less ? TMTU_R_MTU_FLOOR : TMTU_OK);
        assert_int_equal(v.answer, 0);
        t.mtu.flags = 0;
        v = enter(&t, inner, 60, DF);
        assert_int_equal(v.action, SEND);
    }
    if (inner != 6)
        return;
    for (uint32_t path = outer == 4 ? 576 : 1280; path <= 1280 + over; path++) {
        const struct tmtu_tunnel t = tunnel(k, outer, path);
        struct tmtu_verdict v = enter(&t, 6, 1280, 0);
        assert_int_equal(v.action, path == 1280 + over ? SEND : CUT);
        assert_int_equal(v.answer, 0);
        v = enter(&t, 6, 1281, 0);
        assert_int_equal(v.action, DROP);
        assert_int_equal(v.answer, BIG);
        assert_int_equal(v.info, 1280);
    }
}

static void k8_k9_k10_floors_of_each_kind(void **state)
{
    (void)state;
    for_each_tunnel(floors);
}

/* K29: what is held against the limit is a segment. */
static void segments(size_t k, unsigned inner, unsigned outer)
{
    const struct tmtu_tunnel t = tunnel(k, outer, 1500);
    struct test_shape s = test_shape(inner, 20000);
    const uint32_t head = inner == 4 ? 40 : 60;
    s.frag = inner == 4 ? DF : 0;
    struct tmtu_buf buf = test_made(&s, 0);
    struct tmtu_pkt pkt = test_parsed(&buf);
    for (uint32_t more = 0; more < 2; more++) {
        struct tmtu_verdict v;
        pkt.gso_size = (uint16_t)(left(k, outer) - head + more);
        tmtu_tunnel_enter(&t, &pkt, &v);
        assert_int_equal(v.action, more ? DROP : SEND);
        assert_int_equal(v.info, more ? left(k, outer) : 0);
    }
    free(buf.head);
}

static void k29_segments_in_each_kind(void **state)
{
    (void)state;
    for_each_tunnel(segments);
}

/* K35: who dies on the way is told so, and nothing about sizes. R-2784-06:
 * who does not is one hop older inside. */
static void hops(size_t k, unsigned inner, unsigned outer)
{
    const struct tmtu_tunnel t = tunnel(k, outer, 1500);
    struct test_shape s = test_shape(inner, 1500);
    struct tmtu_verdict v;
    s.frag = inner == 4 ? DF : 0;
    s.ttl = 1;
    struct tmtu_buf buf = test_made(&s, 0);
    struct tmtu_pkt pkt = test_parsed(&buf);
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.reason, TMTU_R_TTL_EXPIRED);
    assert_int_equal(v.answer, TMTU_ICMP_EXPIRED);
    free(buf.head);
    buf = pushed(&t, inner, 100, 0, 0);
    pkt = test_parsed(&buf);
    assert_int_equal(pkt.ttl, 64);
    assert_int_equal(tmtu_encap_pull(&buf, &pkt, &t.encap, &pkt), TMTU_OK);
    assert_int_equal(pkt.ttl, 63);
    assert_int_equal(pkt.len, 100);
    free(buf.head);
}

static void k35_r_2784_06_hops_in_each_kind(void **state)
{
    (void)state;
    for_each_tunnel(hops);
}

/* An outer packet with another ECN field, checksum and all. */
static void mark(uint8_t *ip, unsigned ecn)
{
    if (ip[0] >> 4 == 6) {
        ip[1] = (uint8_t)((ip[1] & 0xcf) | ecn << 4);
        return;
    }
    ip[1] = (uint8_t)((ip[1] & 0xfc) | ecn);
    tmtu_put16(ip + 10, 0);
    tmtu_put16(ip + 10, test_cksum(ip, 20));
}

static void marks(size_t k, unsigned inner, unsigned outer)
{
    /* RFC 6040 §4.2, figure 4, by the values of the fields; 9: drop. The two
     * rows R-6040-04 and R-6040-05 are the third and the second. */
    static const uint8_t leaving[4][4] = {
        {0, 0, 0, 9}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};
    for (unsigned n = 0; n < 16; n++) {
        struct tmtu_tunnel t = tunnel(k, outer, 1500);
        const uint8_t in = (uint8_t)(0xb8 | n % 4);
        struct tmtu_buf buf = pushed(&t, inner, 100, 0, in);
        struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(pkt.tclass, in); /* normal mode */
        free(buf.head);
        t.encap.ecn = TMTU_ECN_COMPAT;
        buf = pushed(&t, inner, 100, 0, in);
        pkt = test_parsed(&buf);
        assert_int_equal(pkt.tclass, 0xb8);

        mark(buf.data, n / 4);
        pkt = test_parsed(&buf);
        const unsigned want = leaving[n % 4][n / 4];
        /* UDP's sum has no TOS in it, nor has that of GRE. */
        assert_int_equal(tmtu_encap_pull(&buf, &pkt, &t.encap, &pkt),
                         want == 9 ? TMTU_R_ECN : TMTU_OK);
        if (want != 9)
            assert_int_equal(test_parsed(&buf).tclass, 0xb8 | want);
        free(buf.head);
    }
}

static void r_9601_01_r_6040_04_r_6040_05_ecn_in_each_kind(void **state)
{
    (void)state;
    for_each_tunnel(marks);
}

/* One bit of each byte that a sum covers, and of the sum itself. */
static void sums(size_t k, unsigned inner, unsigned outer)
{
    const struct tmtu_tunnel t = tunnel(k, outer, 1500);
    if (!(kinds[k].flags & CSUM))
        return;
    struct tmtu_buf buf = pushed(&t, inner, 101, 0, 0);
    const struct tmtu_pkt pkt = test_parsed(&buf);
    struct tmtu_pkt got;
    const size_t n = tmtu_buf_len(&buf);
    for (size_t i = n - 101; i < n; i++) {
        buf.data[i] ^= 0x10;
        assert_int_equal(tmtu_encap_pull(&buf, &pkt, &t.encap, &got),
                         TMTU_R_OUTER_CHECKSUM);
        buf.data[i] ^= 0x10;
    }
    const size_t at = pkt.l4 + (kinds[k].kind == GRE ? 4u : 6u);
    buf.data[at] ^= 0x10;
    assert_int_equal(tmtu_encap_pull(&buf, &pkt, &t.encap, &got),
                     TMTU_R_OUTER_CHECKSUM);
    buf.data[at] ^= 0x10;
    assert_int_equal(tmtu_encap_pull(&buf, &pkt, &t.encap, &got), TMTU_OK);
    free(buf.head);
}

static void r_2784_07_r_8086_05_wrong_sums_are_dropped(void **state)
{
    (void)state;
    for_each_tunnel(sums);
}

/* R-6936-02, R-2003-10, R-4213-05: the right headers from the wrong host, or to
 * it, are nobody's tunnel. An end that is not given is anybody. */
static void strangers(size_t k, unsigned inner, unsigned outer)
{
    const struct tmtu_tunnel t = tunnel(k, outer, 1500);
    for (unsigned n = 0; n < 2; n++) {
        struct tmtu_buf buf = pushed(&t, inner, 101, 0, 0);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        struct tmtu_encap e = t.encap;
        struct tmtu_pkt got;
        uint8_t *end = n ? e.dst : e.src;
        struct test_before before = test_before(&buf, &pkt);
        end[15] ^= 0x40;
        assert_int_equal(tmtu_encap_pull(&buf, &pkt, &e, &got),
                         n ? TMTU_R_OUTER_DEST : TMTU_R_OUTER_SOURCE);
        test_unchanged(&before, &buf, &pkt);
        test_addr(outer == 4 ? "0.0.0.0" : "::", end);
        assert_int_equal(tmtu_encap_pull(&buf, &pkt, &e, &got), TMTU_OK);
        free(buf.head);
    }
}

static void r_6936_02_r_2003_10_strangers_at_each_kind(void **state)
{
    (void)state;
    for_each_tunnel(strangers);
}

/* R-2784-02: bits 6 to 12 of the first word of GRE, one by one; 1, 4 and 5, and
 * the version, are refused. */
static void r_2784_02_each_bit_of_the_gre_header(void **state)
{
    (void)state;
    static const uint8_t in[] = {GRE, GREUDP};
    for (unsigned n = 0; n < 2 * 16; n++) {
        struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
        const unsigned bit = n / 2; /* 0 is the leftmost, as in the RFC */
        struct tmtu_pkt got;
        t.encap = test_encap(4);
        t.encap.kind = in[n % 2];
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        struct tmtu_buf buf = pushed(&t, 4, 101, 0, 0);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        uint8_t *gre = buf.data + (n % 2 ? 28 : 20);
        gre[bit / 8] = (uint8_t)(0x80 >> bit % 8);
        const enum tmtu_reason why =
            tmtu_encap_pull(&buf, &pkt, &t.encap, &got);
        if (bit >= 6 && bit <= 12)
            assert_int_equal(why, TMTU_OK);
        else if (bit == 1 || bit >= 4)
            assert_int_equal(why, TMTU_R_TUNNEL_HEADER);
        else /* a sum, key or number that is not there */
            assert_int_not_equal(why, TMTU_OK);
        free(buf.head);
    }
}

/* What stands between the outer header and the inner one, byte by byte; where
 * a sum is, it is taken as it comes. */
static void headers_byte_by_byte(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t kind, flags;
        unsigned inner, outer, proto;
        const char *hex;
        size_t sum; /* where; 0: there is none */
    } rows[] = {
        {"R-2784-05 GRE: nothing set", GRE, 0, 4, 4, 47, "00000800", 0},
        {"R-2784-05 Reserved1 behind the sum is zero", GRE, CSUM, 4, 4, 47,
         "80000800 00000000", 4},
        {"R-2890-01 sum, key, sequence number", GRE, CSUM | KEY | SEQ, 4, 4, 47,
         "b0000800 00000000 01020304 0a0b0c0d", 4},
        {"R-2890-01 key alone", GRE, KEY, 6, 4, 47, "200086dd 01020304", 0},
        {"R-2890-01 sequence number alone", GRE, SEQ, 6, 4, 47,
         "100086dd 0a0b0c0d", 0},
        {"R-7676-01 GRE over IPv6, IPv6 inside", GRE, 0, 6, 6, 47, "000086dd",
         0},
        {"R-7676-01 GRE over IPv6, IPv4 inside", GRE, 0, 4, 6, 47, "00000800",
         0},
        {"R-GUE-04 variant 0: 12 bytes", GUE, 0, 4, 4, 17,
         "d23417c0 00700000 00040000", 0},
        {"variant 0, IPv6 inside", GUE, 0, 6, 4, 17,
         "d23417c0 00700000 00290000", 0},
        {"R-GUE-04 variant 1: 8 bytes", GUE1, 0, 4, 4, 17, "d23417c0 006c0000",
         0},
        {"R-8086-02 port 0xc000 + 0x1234, 4754", GREUDP, 0, 4, 4, 17,
         "d2341292 00700000 00000800", 0},
        {"R-8086-03 with a checksum", GREUDP, CSUM, 6, 6, 17,
         "d2341292 00700000 000086dd", 6},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t want[64];
        struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
        const size_t n = test_hex(rows[i].hex, want, sizeof want);
        const size_t head = rows[i].outer == 4 ? 20 : 40;
        print_message("  %s\n", rows[i].name);
        t.encap = test_encap(rows[i].outer);
        t.encap.kind = rows[i].kind;
        t.encap.flags = rows[i].flags;
        t.encap.key = 0x01020304;
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        struct tmtu_buf buf = pushed(&t, rows[i].inner, 100, 0, 0);
        assert_int_equal(tmtu_buf_len(&buf), head + n + 100);
        assert_int_equal(buf.data[head == 20 ? 9 : 6], rows[i].proto);
        if (rows[i].sum != 0) {
            uint8_t *sum = buf.data + head + rows[i].sum;
            assert_int_not_equal(tmtu_get16(sum), 0);
            tmtu_put16(sum, 0);
        }
        assert_memory_equal(buf.data + head, want, n);
        free(buf.head);
    }
}

/* R-8086-02, R-8086-03: stable in a flow, within 49152 to 65535; over IPv6 no
 * packet goes without a checksum unless somebody says that it may. */
static void udp_ports_and_sums_by_default(void **state)
{
    (void)state;
    for (uint32_t hash = 0; hash < 1 << 18; hash += 4099) {
        struct tmtu_encap e = test_encap(4);
        const struct tmtu_encap_each one = {1, hash}, two = {2, hash};
        const struct test_shape s = test_shape(4, 100);
        uint8_t port[2][2];
        e.kind = GREUDP;
        for (int i = 0; i < 2; i++) {
            struct tmtu_buf buf = test_made(&s, TMTU_ENCAP_HEADROOM);
            const struct tmtu_pkt pkt = test_parsed(&buf);
            assert_int_equal(tmtu_encap_push(&buf, &pkt, &e, i ? &two : &one),
                             0);
            memcpy(port[i], buf.data + 20, 2);
            free(buf.head);
        }
        assert_int_equal(tmtu_get16(port[0]), 0xc000 | (hash & 0x3fff));
        assert_memory_equal(port[0], port[1], 2);
    }
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
    t.encap = test_encap(6);
    t.encap.kind = GREUDP;
    assert_int_equal(tmtu_tunnel_check(&t), TMTU_E_ARGUMENT);
    t.encap.flags = CSUM;
    assert_int_equal(tmtu_tunnel_check(&t), 0);
}

/* A size in a tunnel: what the documents of one kind ask for. */
static void each_kind_as_its_document_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t kind;
        unsigned inner, outer;
        uint32_t path;
        size_t len;
        uint16_t frag;
        unsigned action, info;
    } rows[] = {
        {"R-7588-02 GRE 1476 with DF", GRE, 4, 4, 1500, 1476, DF, SEND, 0},
        {"R-7588-02 GRE 1500 with DF", GRE, 4, 4, 1500, 1500, DF, DROP, 1476},
        {"R-7588-02 not so: without DF, outer fragments", GRE, 4, 4, 1500, 1500,
         0, CUT, 0},
        {"R-7588-03 GRE leaves 1476 of IPv6", GRE, 6, 4, 1500, 1477, 0, DROP,
         1476},
        {"R-7588-03 GRE leaves 1200: 1280", GRE, 6, 4, 1224, 1280, 0, CUT, 0},
        {"R-7588-03 GRE leaves 1200: 1281", GRE, 6, 4, 1224, 1281, 0, DROP,
         1280},
        {"R-7676-02 over 1303: 1280 in fragments", GRE, 6, 4, 1303, 1280, 0,
         CUT, 0},
        {"R-7676-02 over 1304: 1280", GRE, 6, 4, 1304, 1280, 0, SEND, 0},
        {"R-7676-02 over IPv6, 1323", GRE, 6, 6, 1323, 1280, 0, CUT, 0},
        {"R-7676-02 over IPv6, 1324", GRE, 6, 6, 1324, 1280, 0, SEND, 0},
        {"R-8086-04 1468 in GRE-in-UDP", GREUDP, 4, 4, 1500, 1468, DF, SEND, 0},
        {"R-8086-04 1469 is too big", GREUDP, 4, 4, 1500, 1469, DF, DROP, 1468},
        {"R-4213-02 6in4 by default: 1480", IPIP, 6, 4, 1500, 1480, 0, SEND, 0},
        {"R-4213-01 and no 64 KB", IPIP, 6, 4, 1500, 1481, 0, DROP, 1480},
        {"R-8900-01 by default it is told, not cut", IPIP, 4, 4, 1500, 1500, DF,
         DROP, 1480},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
        print_message("  %s\n", rows[i].name);
        t.encap = test_encap(rows[i].outer);
        t.encap.kind = rows[i].kind;
        if (rows[i].path != 1500) /* else as it comes */
            t.mtu.path_mtu = rows[i].path;
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        const struct tmtu_verdict v =
            enter(&t, rows[i].inner, rows[i].len, rows[i].frag);
        assert_int_equal(v.action, rows[i].action);
        assert_int_equal(v.answer, rows[i].info ? BIG : 0);
        assert_int_equal(v.info, rows[i].info);
    }
}

/* R-7588-01: with DF set whatever is inside, GRE fills the path. R-4459-01:
 * the ways out of a packet that is too long are a policy. */
static void options_that_documents_differ_in(void **state)
{
    (void)state;
    struct tmtu_tunnel t = tunnel(6, 4, 1500);
    assert_int_equal(t.encap.kind, GRE);
    t.encap.df = TMTU_DF_SET;
    struct tmtu_buf buf = pushed(&t, 4, 1476, 0, 0);
    assert_int_equal(tmtu_buf_len(&buf), 1500);
    assert_int_equal(tmtu_get16(buf.data + 6), DF);
    assert_int_equal(tmtu_get16(buf.data + 24 + 6), 0);
    free(buf.head);

    static const struct {
        uint8_t policy;
        unsigned action, answer;
    } ways[] = {
        {TMTU_MTU_NOTIFY, DROP, BIG}, /* 3.2: signalled; 3.3: only what fits */
        {TMTU_MTU_FRAGMENT, CUT, 0},  /* 3.1: fragments of the outer packet */
        {TMTU_MTU_BOTH, CUT, BIG},
    };
    for (size_t i = 0; i < TEST_ROWS(ways); i++)
        for (unsigned inner = 4; inner <= 6; inner += 2) {
            t.mtu.policy = ways[i].policy;
            const struct tmtu_verdict v = enter(&t, inner, 1477, DF);
            assert_int_equal(v.action, ways[i].action);
            assert_int_equal(v.answer, ways[i].answer);
        }
}

/* R-2473-15, R-4213-08: cut behind the outer header, so that the encapsulation
 * limit is in the first piece alone; put together before a look inside. */
static void there_and_back_in_fragments(size_t k, unsigned inner,
                                        unsigned outer)
{
    static const struct tmtu_hash_key key = {1, 2};
    const size_t need = tmtu_reass_sizeof(1, 2048);
    uint8_t *mem = test_exact(NULL, need);
    struct tmtu_reass *r = tmtu_reass_init(mem, 1, 2048, &key);
    struct tmtu_tunnel t = tunnel(k, outer, 1280);
    assert_non_null(r);
    t.mtu.policy = TMTU_MTU_FRAGMENT;
    assert_int_equal(enter(&t, inner, 1500, DF).action, CUT);
    struct tmtu_buf buf = pushed(&t, inner, 1500, DF, 0);
    struct test_shape s = test_shape(inner, 1500);
    s.frag = inner == 4 ? DF : 0;
    s.ttl = 63;
    struct tmtu_buf want = test_made(&s, 0);
    const struct tmtu_pkt whole = test_parsed(&buf);
    assert_int_equal(whole.len, 3000 - left(k, outer));
    struct tmtu_frag frag;
    assert_int_equal(tmtu_frag_init(&frag, &whole, 1280, 7, TMTU_FRAG_FORCE),
                     0);
    struct tmtu_buf back = test_buf(NULL, 0, 0, 2048);
    for (unsigned n = 0; n < 2; n++) {
        struct tmtu_buf piece = test_buf(NULL, 0, 0, 1280);
        struct tmtu_pkt got;
        assert_int_equal(tmtu_frag_next(&frag, &piece), 1);
        struct tmtu_pkt pkt = test_parsed(&piece);
        assert_true(pkt.len <= 1280);
        /* A later piece does not say what comes behind the options. */
        assert_int_equal(tmtu_encap_pull(&piece, &pkt, &t.encap, &got),
                         n == 1 && (kinds[k].flags & TEL)
                             ? TMTU_R_NOT_TUNNEL
                             : TMTU_R_OUTER_FRAGMENT);
        if (outer == 6) /* the Fragment header comes first */
            assert_int_equal(piece.data[6], 44);
        if (outer == 6 && n == 0 && (kinds[k].flags & TEL)) {
            assert_int_equal(piece.data[40], 60);
            assert_memory_equal(piece.data + 49, "\0\x04\x01\x04\x01\x01\0", 7);
        }
        const int rc = tmtu_reass_add(r, &pkt, n, &back);
        if (rc < 0 || (rc > 0) != (n == 1))
            fail_msg("piece %u: %d", n, rc);
        free(piece.head);
    }
    struct tmtu_buf none = test_buf(NULL, 0, 0, 1280);
    assert_int_equal(tmtu_frag_next(&frag, &none), 0);
    free(none.head);
    struct tmtu_pkt pkt = test_parsed(&back);
    assert_int_equal(tmtu_encap_pull(&back, &pkt, &t.encap, &pkt), TMTU_OK);
    assert_int_equal(tmtu_buf_len(&back), 1500);
    assert_memory_equal(back.data, want.data, 1500);
    free(want.head);
    free(back.head);
    free(buf.head);
    free(mem);
}

static void r_2473_15_r_4213_08_fragments_of_each_kind(void **state)
{
    (void)state;
    for_each_tunnel(there_and_back_in_fragments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k2_k4_k5_k6_k11_k12_what_each_kind_leaves_and_tells),
        cmocka_unit_test(k8_k9_k10_floors_of_each_kind),
        cmocka_unit_test(k29_segments_in_each_kind),
        cmocka_unit_test(k35_r_2784_06_hops_in_each_kind),
        cmocka_unit_test(r_9601_01_r_6040_04_r_6040_05_ecn_in_each_kind),
        cmocka_unit_test(r_2784_07_r_8086_05_wrong_sums_are_dropped),
        cmocka_unit_test(r_6936_02_r_2003_10_strangers_at_each_kind),
        cmocka_unit_test(r_2784_02_each_bit_of_the_gre_header),
        cmocka_unit_test(headers_byte_by_byte),
        cmocka_unit_test(udp_ports_and_sums_by_default),
        cmocka_unit_test(each_kind_as_its_document_has_it),
        cmocka_unit_test(options_that_documents_differ_in),
        cmocka_unit_test(r_2473_15_r_4213_08_fragments_of_each_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

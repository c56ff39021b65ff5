/* SPDX-License-Identifier: MIT */
/* icmp: what errors mean, what quotes hold for who judges them, and when a
 * redirect may be sent. */
#include "tmtu_packet.h"

#include <tunmtu/icmp.h>

enum { ROOM = 512 };

#define ADDRS4 "c000020a c6336414 "
#define ADDRS6                                                                 \
    "20010db8 00010000 00000000 00000010 20010db8 00020000 00000000 00000020 "
#define Q4(len, proto) "4500" len "00004000 40" proto "0000 " ADDRS4
#define Q6(len, next)  "60000000 " len next "40 " ADDRS6

/* ---- meanings ---- */

static const char *const unreach4[] = {
    "network unreachable",
    "host unreachable",
    "protocol unreachable",
    "port unreachable",
    "fragmentation needed and DF set",
    "source route failed",
    "destination network unknown",
    "destination host unknown",
    "source host isolated (obsolete)",
    "network administratively prohibited",
    "host administratively prohibited",
    "network unreachable for type of service",
    "host unreachable for type of service",
    "communication administratively prohibited",
    "host precedence violation",
    "precedence cutoff in effect",
    "unreachable, unknown code",
};
static const char *const quench4[] = {"source quench (obsolete)"};
static const char *const redirect4[] = {
    "redirect for the network",
    "redirect for the host",
    "redirect for the type of service and network",
    "redirect for the type of service and host",
    "redirect, unknown code",
};
static const char *const expired4[] = {
    "TTL exceeded in transit",
    "fragment reassembly time exceeded",
    "time exceeded, unknown code",
};
static const char *const param4[] = {
    "parameter problem, the pointer tells where",
    "parameter problem, required option missing",
    "parameter problem, bad length",
    "parameter problem, unknown code",
};
static const char *const unreach6[] = {
    "no route to destination",
    "communication administratively prohibited",
    "beyond scope of source address",
    "address unreachable",
    "port unreachable",
    "source address failed ingress/egress policy",
    "reject route to destination",
    "error in source routing header",
    "headers too long",
    "unreachable, unknown code",
};
static const char *const big6[] = {"packet too big"};
static const char *const expired6[] = {
    "hop limit exceeded in transit",
    "fragment reassembly time exceeded",
    "time exceeded, unknown code",
};
static const char *const param6[] = {
    "erroneous header field",
    "unrecognized next header",
    "unrecognized IPv6 option",
    "first fragment has incomplete header chain",
    "SR upper-layer header error",
    "unrecognized next header at an intermediate node",
    "extension header too big",
    "extension header chain too long",
    "too many extension headers",
    "too many options in extension header",
    "option too big",
    "parameter problem, unknown code",
};

/* The last meaning of each type is that of all codes behind. */
#define MEANINGS(ipver, type, names)                                           \
    {                                                                          \
        ipver, type, names, TEST_ROWS(names)                                   \
    }
static const struct {
    uint8_t ipver, type;
    const char *const *names;
    size_t n;
} meanings[] = {
    MEANINGS(4, 3, unreach4),  MEANINGS(4, 4, quench4),
    MEANINGS(4, 5, redirect4), MEANINGS(4, 11, expired4),
    MEANINGS(4, 12, param4),   MEANINGS(6, 1, unreach6),
    MEANINGS(6, 2, big6),      MEANINGS(6, 3, expired6),
    MEANINGS(6, 4, param6),
};

static const char *want_meaning(uint8_t ipver, uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < TEST_ROWS(meanings); i++) {
        if (meanings[i].ipver == ipver && meanings[i].type == type) {
            const size_t last = meanings[i].n - 1;
            return meanings[i].names[code < last ? code : last];
        }
    }
    return ipver == 6 && type < 128 ? "error of unknown type" : "not an error";
}

static void k62_every_type_and_code_has_a_meaning(void **state)
{
    (void)state;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        for (unsigned type = 0; type < 256; type++) {
            for (unsigned code = 0; code < 256; code++) {
                const uint8_t v = (uint8_t)ipver, t = (uint8_t)type,
                              c = (uint8_t)code;
                assert_string_equal(tmtu_icmp_meaning(v, t, c),
                                    want_meaning(v, t, c));
            }
        }
    }
}

/* An error has flags of its own, and quotes its own family alone. */
static void k64_an_error_and_its_family(void **state)
{
    uint8_t p[ROOM];
    struct tmtu_pkt pkt;
    struct tmtu_icmp got;
    (void)state;
    size_t n = test_hex("45000038 00004000 40010000 cb007181 c000020a "
                        "03040000 00000578 " Q4("05dc", "06") "9c4001bb "
                                                              "01020304",
                        p, sizeof p);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
    assert_int_equal(pkt.flags, TMTU_PKT_DF | TMTU_PKT_ICMP);
    assert_int_equal(tmtu_icmp_parse(&pkt, &got), 0);
    assert_int_equal(got.info, 1400);

    /* K64 differs: IPv4 in an ICMPv6 error, even where IPv6 could be read. */
    n = test_hex("60000000 00383a40 20010db8 ffff0000 00000000 00000001 "
                 "20010db8 00010000 00000000 00000010 02000000 00000578 "
                 "40000000 00200640 " ADDRS6 "9c4001bb 01020304",
                 p, sizeof p);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &got), TMTU_E_MALFORMED);
    p[48] = 0x60;
    assert_int_equal(tmtu_icmp_parse(&pkt, &got), 0);
}

/* What has a meaning is read, and what is none is not. */
static void errors_are_those_that_are_read(void **state)
{
    static const char *const quotes[] = {
        "4500003c 00000000 40010000 cb007181 c000020a 00000000 00000000 " Q4(
            "05dc", "06") "9c4001bb",
        "60000000 00343a40 20010db8 ffff0000 00000000 00000001 20010db8 "
        "00010000 00000000 00000010 00000000 00000000 " Q6("05b4", "06") "9c40"
                                                                         "01bb",
    };
    (void)state;
    for (unsigned v = 0; v < 2; v++) {
        uint8_t p[ROOM];
        const size_t n = test_hex(quotes[v], p, sizeof p);
        tmtu_put16(p + (v ? 4 : 2), (uint16_t)(v ? n - 40 : n));
        for (unsigned type = 0; type < 256; type++) {
            struct tmtu_pkt pkt;
            struct tmtu_icmp got;
            p[v ? 40 : 20] = (uint8_t)type;
            assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
            const int rc = tmtu_icmp_parse(&pkt, &got);
            const char *name = tmtu_icmp_meaning(v ? 6 : 4, (uint8_t)type, 0);
            if (strcmp(name, "not an error") == 0)
                assert_int_equal(rc, TMTU_E_IGNORED);
            else
                assert_int_equal(rc, 0);
            /* Redirects of IPv6 are no errors: they change nothing. */
            if (v == 1 && type == 137)
                assert_int_equal(rc, TMTU_E_IGNORED);
        }
    }
}

/* ---- the quoted packet ---- */

static struct tmtu_pkt quoted(const uint8_t *p, size_t n)
{
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), TMTU_IP_QUOTED, &pkt), 0);
    return pkt;
}

static const struct {
    const char *name, *hex;
    int want;
    uint32_t seq;
} seqs[] = {
    {"R-5927-01 R-792-02 eight bytes have it",
     Q4("05dc", "06") "9c4001bb ffffff10", 0, 0xffffff10u},
    {"seven have not", Q4("05dc", "06") "9c4001bb ffffff", TMTU_E_TRUNCATED, 0},
    {"ports alone have not", Q4("05dc", "06") "9c4001bb", TMTU_E_TRUNCATED, 0},
    {"nor have two bytes", Q4("05dc", "06") "9c40", TMTU_E_TRUNCATED, 0},
    {"nor has a header alone", Q4("05dc", "06"), TMTU_E_TRUNCATED, 0},
    {"K67 behind options",
     "460005dc 00004000 40060000 " ADDRS4 "01010101 9c4001bb 01020304", 0,
     0x01020304},
    {"a first fragment",
     "450005dc 00002000 40060000 " ADDRS4 "9c4001bb 01020304", 0, 0x01020304},
    {"K65 R-791-07 a later fragment is data",
     "450005dc 000000b9 40060000 " ADDRS4 "9c4001bb 01020304", TMTU_E_IGNORED,
     0},
    {"UDP has none", Q4("05dc", "11") "9c4001bb 01020304", TMTU_E_IGNORED, 0},
    {"ICMP has none", Q4("05dc", "01") "08000000 01020304", TMTU_E_IGNORED, 0},
    {"over IPv6", Q6("05b4", "06") "9c4001bb 01020304", 0, 0x01020304},
    {"R-4443-15 behind a chain",
     Q6("05b4", "00") "3c00010400000000 0600010400000000 9c4001bb 01020304", 0,
     0x01020304},
    {"R-4443-15 a later fragment over IPv6 is data",
     Q6("05b4", "2c") "0600058811223344 9c4001bb 01020304", TMTU_E_IGNORED, 0},
    {"the quote ends in the chain", Q6("05b4", "00") "06000104", TMTU_E_IGNORED,
     0},
    {"R-4884-08 a packet that ends before it, and zeros",
     Q4("001a", "06") "9c4001bb 0000 00000000", TMTU_E_TRUNCATED, 0},
};

static void r_5927_01_the_sequence_number_where_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(seqs); i++) {
        uint8_t p[ROOM];
        const size_t n = test_hex(seqs[i].hex, p, sizeof p);
        uint8_t *mem = test_exact(p, n);
        const struct tmtu_pkt pkt = quoted(mem, n);
        uint32_t seq = 0xa5a5a5a5u;
        const int rc = tmtu_icmp_seq(&pkt, &seq);
        if (rc != seqs[i].want)
            fail_msg("%s: is %d, not %d", seqs[i].name, rc, seqs[i].want);
        assert_int_equal(seq, rc < 0 ? 0xa5a5a5a5u : seqs[i].seq);
        free(mem);
    }
}

static void r_5927_01_a_window_may_wrap_around(void **state)
{
    static const struct {
        uint32_t una, nxt, seq;
        int in;
    } rows[] = {
        {0xffffff00u, 0x100, 0x10, 1},
        {0xffffff00u, 0x100, 0x200, 0},
        {0xffffff00u, 0x100, 0xffffff00u, 1},
        {0xffffff00u, 0x100, 0xfffffeffu, 0},
        {0xffffff00u, 0x100, 0xff, 1},
        {0xffffff00u, 0x100, 0x100, 0},
        {1000, 2000, 1000, 1},
        {1000, 2000, 1999, 1},
        {1000, 2000, 2000, 0},
        {1000, 2000, 999, 0},
        {1000, 1000, 1000, 0}, /* nothing is in flight */
        {1000, 1000, 5, 0},
        {0, 0xffffffffu, 0xfffffffeu, 1},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++)
        assert_int_equal(
            tmtu_icmp_seq_in_window(rows[i].seq, rows[i].una, rows[i].nxt) != 0,
            rows[i].in);
}

/* R-5508-03: both checksums can be asked for; neither keeps an error from
 * being read. */
static void r_5508_03_checksums_of_message_and_quote(void **state)
{
    (void)state;
    for (unsigned v = 4; v <= 6; v += 2) {
        struct test_shape shape = test_shape(v, 200);
        shape.option = v == 4 ? 8 : 0;
        struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
        error.kind = TMTU_ICMP_UNREACH;
        error.code = 1;
        struct tmtu_buf b = test_made(&shape, TMTU_ICMP_HEADROOM);
        struct tmtu_pkt pkt = test_parsed(&b);
        assert_int_equal(tmtu_icmp_wrap(&b, &pkt, &error), 0);
        struct tmtu_icmp got;
        pkt = test_parsed(&b);
        assert_int_equal(tmtu_icmp_parse(&pkt, &got), 0);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
        assert_int_equal(tmtu_icmp_quote_check(&got.quoted),
                         v == 4 ? 0 : (int)TMTU_E_IGNORED);

        const size_t quote = v == 4 ? 28 : 48, head = v == 4 ? 28 : 40;
        for (size_t i = 0; i < head; i++) { /* any bit of the quoted header */
            if (i == 0 || (v == 6 && i == 6))
                continue; /* which makes it another one */
            b.data[quote + i] ^= 0x10;
            pkt = test_parsed(&b);
            assert_int_equal(tmtu_icmp_parse(&pkt, &got), 0);
            assert_int_equal(tmtu_ip_transport_verify(&pkt), TMTU_E_CHECKSUM);
            assert_int_equal(tmtu_icmp_quote_check(&got.quoted),
                             v == 4 ? TMTU_E_CHECKSUM : TMTU_E_IGNORED);
            b.data[quote + i] ^= 0x10;
        }
        b.data[quote + head + 3] ^= 1; /* behind it: the message alone */
        pkt = test_parsed(&b);
        assert_int_equal(tmtu_icmp_parse(&pkt, &got), 0);
        assert_int_equal(tmtu_ip_transport_verify(&pkt), TMTU_E_CHECKSUM);
        assert_int_equal(tmtu_icmp_quote_check(&got.quoted),
                         v == 4 ? 0 : (int)TMTU_E_IGNORED);
        free(b.head);
    }
}

/* R-1122-08, R-8899-01: protocol, addresses and ports of who sent it, in its
 * direction. R-9000-01: and what is behind, such as a connection ID. */
static void r_8899_01_who_is_quoted_and_what_is_behind(void **state)
{
    static const struct {
        const char *name, *hex;
        uint8_t ipver, proto;
        size_t l4;
    } rows[] = {
        {"R-9000-01 QUIC over IPv4",
         Q4("0514", "11") "c00101bb 05000000 4311223344556677", 4, 17, 20},
        {"R-9000-01 QUIC over IPv6",
         Q6("0500", "11") "c00101bb 05000000 4311223344556677", 6, 17, 40},
        {"R-9000-01 behind options and padding",
         "470005dc 00004000 40110000 " ADDRS4
         "01010101 01010101 c00101bb 05000000 4311223344556677",
         4, 17, 28},
        {"R-1122-08 SCTP",
         Q4("05dc", "84") "c00101bb 05000000 4311223344556677", 4, 132, 20},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t p[ROOM], src[16], dst[16];
        const size_t n = test_hex(rows[i].hex, p, sizeof p);
        const struct tmtu_pkt pkt = quoted(p, n);
        test_addr(rows[i].ipver == 4 ? "192.0.2.10" : "2001:db8:1::10", src);
        test_addr(rows[i].ipver == 4 ? "198.51.100.20" : "2001:db8:2::20", dst);
        assert_memory_equal(pkt.flow.src, src, 16);
        assert_memory_equal(pkt.flow.dst, dst, 16);
        assert_int_equal(pkt.flow.proto, rows[i].proto);
        assert_int_equal(pkt.flow.sport, 0xc001);
        assert_int_equal(pkt.flow.dport, 443);
        assert_int_equal(pkt.l4, rows[i].l4);
        assert_int_equal(pkt.have - pkt.l4, 16);
        assert_memory_equal(pkt.data + pkt.l4 + 9,
                            "\x11\x22\x33\x44\x55\x66\x77", 7);

        /* Of another port it is another flow. */
        const struct tmtu_flow mine = pkt.flow;
        p[rows[i].l4 + 1] ^= 1;
        const struct tmtu_pkt forged = quoted(p, n);
        assert_false(tmtu_flow_equal(&forged.flow, &mine));
    }
}

/* ---- redirects ---- */

#define V4 "45000028 00000000 40060000 "
#define T  "9c4001bb 00000000 00000000 50000000 00000000"
#define V6 "60000000 00140640 "
#define A6                                                                     \
    "20010db8 00010000 00000000 00000010 20010db8 00090000 00000000 00000020 "

static const struct {
    const char *name, *hex, *next;
    uint32_t in, out;
    uint8_t prefix, may;
} hops[] = {
    {"RFC 1812 §5.2.7.2 all three hold", V4 ADDRS4 T, "192.0.2.1", 2, 2, 24, 1},
    {"it leaves elsewhere, as what enters a tunnel does", V4 ADDRS4 T,
     "192.0.2.1", 2, 3, 24, 0},
    {"the source is on another network", V4 "cb00710a c6336414 " T, "192.0.2.1",
     2, 2, 24, 0},
    {"of the last bit", V4 ADDRS4 T, "192.0.2.11", 2, 2, 31, 1},
    {"a network of 30 bits has both", V4 ADDRS4 T, "192.0.2.9", 2, 2, 30, 1},
    {"and one of 31 has not", V4 ADDRS4 T, "192.0.2.9", 2, 2, 31, 0},
    {"one of 8 has", V4 ADDRS4 T, "192.255.0.1", 2, 2, 8, 1},
    {"and one of 9 has not", V4 ADDRS4 T, "192.255.0.1", 2, 2, 9, 0},
    {"no network at all", V4 ADDRS4 T, "192.0.2.1", 2, 2, 0, 0},
    {"33 bits of IPv4", V4 ADDRS4 T, "192.0.2.1", 2, 2, 33, 0},
    {"the next hop is who sent it", V4 ADDRS4 T, "192.0.2.10", 2, 2, 32, 0},
    {"straight to the destination", V4 "c000020a c0000214 " T, "192.0.2.20", 2,
     2, 24, 1},
    {"the next hop is no host", V4 ADDRS4 T, "224.0.0.5", 2, 2, 1, 0},
    {"it is of the other family", V4 ADDRS4 T, "2001:db8::1", 2, 2, 24, 0},
    {"a loose source route",
     "4800003400000000 40060000 " ADDRS4 "83070400 00000000 00000000 " T,
     "192.0.2.1", 2, 2, 24, 0},
    {"a strict source route behind others",
     "4900003800000000 40060000 " ADDRS4
     "01070304 01010101 89070400 00000000 " T,
     "192.0.2.1", 2, 2, 24, 0},
    {"other options",
     "4700003000000000 40060000 " ADDRS4 "01070304 01010000 " T, "192.0.2.1", 2,
     2, 24, 1},
    {"what is behind their end is none",
     "4700003000000000 40060000 " ADDRS4 "01008307 04000000 " T, "192.0.2.1", 2,
     2, 24, 1},
    {"what another option holds is none",
     "4700003000000000 40060000 " ADDRS4 "44068900 83000000 " T, "192.0.2.1", 2,
     2, 24, 1},
    {"and a port is none, whatever it looks like",
     V4 ADDRS4 "830001bb 00000000 00000000 50000000 00000000", "192.0.2.1", 2,
     2, 24, 1},
    {"R-1122-03 about an error",
     "4500003800000000 40010000 " ADDRS4
     "03010000 00000000 " Q4("05dc", "06") "9c4001bb 00000000",
     "192.0.2.1", 2, 2, 24, 0},
    {"about a later fragment", "45000028 00000001 40060000 " ADDRS4 T,
     "192.0.2.1", 2, 2, 24, 0},
    {"to a group", V4 "c000020a e0000105 " T, "192.0.2.1", 2, 2, 24, 0},
    {"over IPv6", V6 A6 T, "2001:db8:1::1", 2, 2, 64, 1},
    {"another network over IPv6", V6 A6 T, "2001:db8:2::1", 2, 2, 64, 0},
    {"another in its first byte", V6 A6 T, "3001:db8:1::1", 2, 2, 64, 0},
    {"which 46 bits have in common", V6 A6 T, "2001:db8:2::1", 2, 2, 46, 1},
    {"and 47 have not", V6 A6 T, "2001:db8:2::1", 2, 2, 47, 0},
    {"an IPv4 router for IPv6",
     V6 "0064ff9b 00000000 00000000 00000001 20010db8 00090000 00000000 "
        "00000020 " T,
     "192.0.2.1", 2, 2, 8, 0},
    {"128 bits are one host", V6 A6 T, "2001:db8:1::11", 2, 2, 128, 0},
    {"129 bits", V6 A6 T, "2001:db8:1::1", 2, 2, 129, 0},
    {"a routing header that goes on",
     "60000000 002c2b40 " A6
     "0602000100000000 20010db8000c000000000000 00000001 " T,
     "2001:db8:1::1", 2, 2, 64, 0},
    {"a routing header that has ended",
     "60000000 002c2b40 " A6
     "0602000000000000 20010db8000c000000000000 00000001 " T,
     "2001:db8:1::1", 2, 2, 64, 1},
};

static void redirects_are_sent_when_all_three_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(hops); i++) {
        uint8_t p[ROOM];
        struct tmtu_pkt pkt;
        struct tmtu_icmp_hop hop = {
            {0}, hops[i].in, hops[i].out, hops[i].prefix};
        const size_t n = test_hex(hops[i].hex, p, sizeof p);
        uint8_t *mem = test_exact(p, n);
        test_addr(hops[i].next, hop.next);
        if (tmtu_ip_parse(tmtu_view(mem, n), 0, &pkt) != 0)
            fail_msg("%s: not parsed", hops[i].name);
        if ((tmtu_icmp_may_redirect(&pkt, &hop) != 0) != hops[i].may)
            fail_msg("%s", hops[i].name);
        pkt.flags |= TMTU_PKT_L2_GROUP; /* it was broadcast to us */
        assert_int_equal(tmtu_icmp_may_redirect(&pkt, &hop), 0);
        free(mem);
    }
}

/* A quote whose options are broken might have been source routed. */
static void broken_options_may_be_a_source_route(void **state)
{
    static const char *const broken[] = {
        "46000028 00000000 40060000 " ADDRS4 "44010000",
        "46000028 00000000 40060000 " ADDRS4 "44080000",
        "46000028 00000000 40060000 " ADDRS4 "01010144",
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(broken); i++) {
        uint8_t p[ROOM];
        struct tmtu_icmp_hop hop = {{0}, 2, 2, 24};
        const size_t n = test_hex(broken[i], p, sizeof p);
        uint8_t *mem = test_exact(p, n);
        const struct tmtu_pkt pkt = quoted(mem, n);
        test_addr("192.0.2.1", hop.next);
        assert_int_equal(tmtu_icmp_may_redirect(&pkt, &hop), 0);
        free(mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k62_every_type_and_code_has_a_meaning),
        cmocka_unit_test(k64_an_error_and_its_family),
        cmocka_unit_test(errors_are_those_that_are_read),
        cmocka_unit_test(r_5927_01_the_sequence_number_where_it_is),
        cmocka_unit_test(r_5927_01_a_window_may_wrap_around),
        cmocka_unit_test(r_5508_03_checksums_of_message_and_quote),
        cmocka_unit_test(r_8899_01_who_is_quoted_and_what_is_behind),
        cmocka_unit_test(redirects_are_sent_when_all_three_hold),
        cmocka_unit_test(broken_options_may_be_a_source_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

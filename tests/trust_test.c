/* SPDX-License-Identifier: MIT */
/* trust: each doubt alone, which of them refuse, and what is claimed. */
#include "tmtu_error.h"

#include <tunmtu/trust.h>

/* A "too big" about a packet of 1500 bytes that a client of ours sent, and what
 * is changed about it. */
struct story {
    unsigned ipver;
    struct test_says says;
    size_t quote; /* bytes of the packet */
    struct tmtu_trust_facts facts;
    uint8_t proto; /* 0: TCP */
    uint16_t frag; /* as in test_shape; 0: IPv4 has DF */
    size_t len;    /* of the packet; 0: 1500 */
    unsigned at;   /* byte of the error to change; 0: none */
    uint8_t by;    /* XORed to it */
    int resum;     /* with the ICMP checksum right again */
};

static struct tmtu_trust judged(const struct story *s,
                                const struct tmtu_trust_options *options)
{
    struct test_shape shape = test_shape(s->ipver, s->len ? s->len : 1500);
    struct tmtu_trust got, before;
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    if (s->ipver == 4)
        shape.frag = 0x4000;
    if (s->frag != 0)
        shape.frag = s->frag;
    if (s->proto != 0)
        shape.proto = s->proto;
    struct tmtu_buf packet = test_made(&shape, 0);
    struct tmtu_buf buf = test_error(&s->says, packet.data, s->quote);
    uint8_t *p = buf.data;
    const size_t n = tmtu_buf_len(&buf);
    p[s->at] ^= s->at != 0 ? s->by : 0;
    if (s->resum && s->ipver == 4) {
        tmtu_put16(p + 10, 0);
        tmtu_put16(p + 10, test_cksum(p, 20));
        tmtu_put16(p + 22, 0);
        tmtu_put16(p + 22, test_cksum(p + 20, n - 20));
    } else if (s->resum) {
        tmtu_put16(p + 42, 0);
        tmtu_put16(p + 42, test_cksum6(p, n));
    }
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&buf), 0, &pkt), 0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    memset(&got, 0xa5, sizeof got);
    before = got;
    const int rc = tmtu_trust_decide(&pkt, &icmp, options, &s->facts, &got);
    if (rc != 0) {
        assert_int_equal(rc, TMTU_E_ARGUMENT);
        assert_memory_equal(&got, &before, sizeof got);
        got.mtu = UINT32_MAX;
    }
    free(buf.head);
    free(packet.head);
    return got;
}

/* All doubts by their names, and what is claimed. */
static const char *say(const struct tmtu_trust *t)
{
    static char line[320];
    size_t n = 0;
    line[0] = 0;
    for (uint32_t left = t->against; left != 0; left &= left - 1)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s", n ? " " : "",
                              tmtu_trust_name(left));
    if (t->mtu != 0)
        snprintf(line + n, sizeof line - n, "%s%u", n ? " " : "", t->mtu);
    return line;
}

#define YES                                                                    \
    {                                                                          \
        0, 0, 0, TMTU_TRUST_OURS_YES, 0                                        \
    }
#define NO                                                                     \
    {                                                                          \
        0, 0, 0, TMTU_TRUST_OURS_NO, 0                                         \
    }
#define NOBODY                                                                 \
    {                                                                          \
        0, 0, 0, TMTU_TRUST_OURS_UNKNOWN, 0                                    \
    }
/* test_packet writes 7 i + 1 at byte i, which makes this sequence number. */
#define SEQ4 0xa9b0b7beu
#define SEQ6 0x353c434au
#define IN(una, nxt)                                                           \
    {                                                                          \
        una, nxt, 0, TMTU_TRUST_OURS_YES, 1                                    \
    }
#define BIG4(mtu)                                                              \
    {                                                                          \
        3, 4, mtu                                                              \
    }
#define BIG6(mtu)                                                              \
    {                                                                          \
        2, 0, mtu                                                              \
    }

static const struct {
    const char *name;
    struct story story;
    const char *want;
    int believed;
} rows[] = {
    {"nothing against it: a plain one of IPv4",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 0, 0, 0},
     "1400",
     1},
    {"and of IPv6", {6, BIG6(1400), 48, YES, 0, 0, 0, 0, 0, 0}, "1400", 1},
    {"quoted as far as it goes",
     {4, BIG4(1400), 548, YES, 0, 0, 0, 0, 0, 0},
     "1400",
     1},

    {"K70 K87 R-5508-03: a wrong ICMP checksum",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 22, 1, 0},
     "checksum 1400",
     0},
    {"K70: of ICMPv6",
     {6, BIG6(1400), 48, YES, 0, 0, 0, 42, 1, 0},
     "checksum 1400",
     0},
    {"K87: anything in it changed, such as the MTU",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 26, 1, 0},
     "checksum 1144",
     0},
    {"reported by a group: 235.0.113.254",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 12, 0x20, 1},
     "reporter 1400",
     0},
    {"reported by 240.0.113.129, which encap_pull refuses too",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 12, 0x3b, 1},
     "reporter 1400",
     0},
    {"reported by 239.0.113.129, a group",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 12, 0x24, 1},
     "reporter 1400",
     0},
    {"reported by 0.0.113.129",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 12, 0xcb, 1},
     "reporter 1400",
     0},
    {"reported by 127.0.113.129",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 12, 0xb4, 1},
     "reporter 1400",
     0},
    {"reported by ff01:db8:ffff::1",
     {6, BIG6(1400), 48, YES, 0, 0, 0, 8, 0xdf, 1},
     "reporter 1400",
     0},
    {"R-LIB-08 K82: not for the one whose packet it quotes",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 19, 1, 1},
     "dest 1400",
     0},
    {"R-LIB-08: the same of IPv6",
     {6, BIG6(1400), 48, YES, 0, 0, 0, 39, 1, 1},
     "dest 1400",
     0},
    {"R-8899-01: of no flow that there is",
     {4, BIG4(1400), 28, NO, 0, 0, 0, 0, 0, 0},
     "not_ours 1400",
     0},
    {"nobody can say whether it is",
     {4, BIG4(1400), 28, NOBODY, 0, 0, 0, 0, 0, 0},
     "unknown 1400",
     1},
    {"a source quench", {4, {4, 0, 0}, 28, YES, 0, 0, 0, 0, 0, 0}, "quench", 0},
    {"a redirect",
     {4, {5, 1, 0xcb007101}, 28, YES, 0, 0, 0, 0, 0, 0},
     "redirect",
     0},
    {"unreachable: has no MTU",
     {4, {3, 1, 1400}, 28, YES, 0, 0, 0, 0, 0, 0},
     "",
     1},

    {"R-5508-03: a quoted header with a wrong checksum",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 39, 1, 1},
     "quote_checksum 1400",
     1},
    {"R-5508-03: its TTL lowered, and nothing else",
     {4, BIG4(1400), 28, YES, 0, 0, 0, 36, 0x7f, 1},
     "quote_checksum 1400",
     1},
    {"K106: the quote ends in front of the ports",
     {4, BIG4(1400), 23, YES, 0, 0, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"both ports are there, and no more",
     {4, BIG4(1400), 24, YES, 0, 0, 0, 0, 0, 0},
     "1400",
     1},
    {"K106: IPv6, in front of the ports",
     {6, BIG6(1400), 43, YES, 0, 0, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"a later fragment has no ports",
     {4, BIG4(1400), 28, YES, 17, 0x4001, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"a later fragment of IPv6",
     {6, BIG6(1400), 60, YES, 17, 8, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"DCCP has ports",
     {4, BIG4(1400), 23, YES, 33, 0, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"a later fragment of SCTP",
     {4, BIG4(1400), 28, YES, 132, 0x4001, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"a later fragment of DCCP",
     {4, BIG4(1400), 28, YES, 33, 0x4001, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"a later fragment of UDP-Lite",
     {4, BIG4(1400), 28, YES, 136, 0x4001, 0, 0, 0, 0},
     "no_ports 1400",
     1},
    {"a later fragment of ESP",
     {4, BIG4(1400), 28, YES, 50, 0x4001, 0, 0, 0, 0},
     "1400",
     1},
    {"a protocol without ports needs none",
     {4, BIG4(1400), 20, YES, 47, 0, 0, 0, 0, 0},
     "1400",
     1},

    {"R-5927-01: oldest in flight",
     {4, BIG4(1400), 28, IN(SEQ4, SEQ4 + 1), 0, 0, 0, 0, 0, 0},
     "1400",
     1},
    {"R-5927-01: last in flight",
     {4, BIG4(1400), 28, IN(SEQ4 - 9, SEQ4 + 1), 0, 0, 0, 0, 0, 0},
     "1400",
     1},
    {"R-5927-01 K105: not sent yet",
     {4, BIG4(1400), 28, IN(SEQ4 - 9, SEQ4), 0, 0, 0, 0, 0, 0},
     "window 1400",
     0},
    {"R-5927-01 K105: acknowledged already",
     {4, BIG4(1400), 28, IN(SEQ4 + 1, SEQ4 + 9), 0, 0, 0, 0, 0, 0},
     "window 1400",
     0},
    {"R-5927-01: nothing is in flight",
     {4, BIG4(1400), 28, IN(SEQ4, SEQ4), 0, 0, 0, 0, 0, 0},
     "window 1400",
     0},
    {"R-5927-01: a window over the end of the numbers",
     {4, BIG4(1400), 28, IN(SEQ4 - 5, SEQ4 + 0x70000000u), 0, 0, 0, 0, 0, 0},
     "1400",
     1},
    {"R-5927-01: of IPv6",
     {6, BIG6(1400), 48, IN(SEQ6, SEQ6 + 1), 0, 0, 0, 0, 0, 0},
     "1400",
     1},
    {"R-5927-01: of IPv6, outside",
     {6, BIG6(1400), 48, IN(SEQ6 + 1, SEQ6 + 2), 0, 0, 0, 0, 0, 0},
     "window 1400",
     0},
    {"no sequence number: one byte short of it",
     {4, BIG4(1400), 27, IN(SEQ4, SEQ4 + 1), 0, 0, 0, 0, 0, 0},
     "no_seq 1400",
     1},
    {"no sequence number in UDP",
     {4, BIG4(1400), 28, IN(SEQ4, SEQ4 + 1), 17, 0, 0, 0, 0, 0},
     "no_seq 1400",
     1},
    {"what looks like one in a later fragment is none",
     {4, BIG4(1400), 28, IN(SEQ4 + 1, SEQ4 + 9), 0, 0x4001, 0, 0, 0, 0},
     "no_ports no_seq 1400",
     1},

    {"MTU not told: the plateau below", /* RFC 1191 §7 */
     {4, BIG4(0), 28, YES, 0, 0, 0, 0, 0, 0},
     "no_mtu 1492",
     1},
    {"MTU not told, of a path that carries no more than that",
     {4, BIG4(0), 28, {0, 0, 1492, TMTU_TRUST_OURS_YES, 0}, 0, 0, 0, 0, 0, 0},
     "no_mtu 1006",
     1},
    {"MTU not told, about the shortest packet",
     {4, BIG4(0), 28, YES, 0, 0, 68, 0, 0, 0},
     "no_mtu not_smaller floor4 68",
     0},
    {"IPv6 always tells it",
     {6, BIG6(0), 48, YES, 0, 0, 0, 0, 0, 0},
     "floor6",
     0},
    {"R-LIB-09: claims what the packet has",
     {4, BIG4(1500), 28, YES, 0, 0, 0, 0, 0, 0},
     "not_smaller 1500",
     0},
    {"R-LIB-09: claims one less",
     {4, BIG4(1499), 28, YES, 0, 0, 0, 0, 0, 0},
     "1499",
     1},
    {"K30: the packet that it quotes does not tell its length",
     {4, BIG4(1400), 28, YES, 0, 0, 256, 30, 1, 1},
     "quote_checksum 1400",
     1},
    {"K30: nor does that of IPv6",
     {6, BIG6(1400), 48, YES, 0, 0, 296, 52, 1, 1},
     "1400",
     1},
    {"K30: it was over 65,535 bytes, so that 65535 is less",
     {6, BIG6(65535), 48, YES, 0, 0, 296, 52, 1, 1},
     "65535",
     1},
    {"and 65536 perhaps is not",
     {6, BIG6(65536), 48, YES, 0, 0, 296, 52, 1, 1},
     "not_smaller 65536",
     0},
    {"nor is what no link has",
     {6, BIG6(0xffffffff), 48, YES, 0, 0, 296, 52, 1, 1},
     "not_smaller 4294967295",
     0},
    {"of IPv6, with nothing behind the header that would tell more",
     {6, BIG6(1400), 40, YES, 0, 0, 296, 52, 1, 1},
     "no_ports not_smaller 1400",
     0},
    {"R-LIB-09: IPv6, claims more",
     {6, BIG6(9000), 48, YES, 0, 0, 0, 0, 0, 0},
     "not_smaller 9000",
     0},
    {"at the floor of IPv4",
     {4, BIG4(552), 28, YES, 0, 0, 0, 0, 0, 0},
     "552",
     1},
    {"below the floor of IPv4: the path will be locked",
     {4, BIG4(551), 28, YES, 0, 0, 0, 0, 0, 0},
     "floor4 551",
     1},
    {"at the floor of IPv6",
     {6, BIG6(1280), 48, YES, 0, 0, 0, 0, 0, 0},
     "1280",
     1},
    {"K103: below the floor of IPv6",
     {6, BIG6(1279), 48, YES, 0, 0, 0, 0, 0, 0},
     "floor6 1279",
     0},
    {"about a packet that a router may cut",
     {4, BIG4(1400), 28, YES, 0, 0x8000, 0, 0, 0, 0},
     "may_cut 1400",
     1},

    {"everything at once, about a packet of nobody",
     {4,
      BIG4(400),
      23,
      {1, 2, 0, TMTU_TRUST_OURS_NO, 1},
      0,
      0x8000,
      300,
      23,
      1,
      0},
     "checksum not_ours no_ports no_seq not_smaller floor4 may_cut 400",
     0},
};

static void every_doubt_is_found_alone_and_named(void **state)
{
    (void)state;
    const struct tmtu_trust_options options = TMTU_TRUST_INIT;
    uint32_t seen = 0;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_trust got = judged(&rows[i].story, &options);
        if (strcmp(say(&got), rows[i].want) != 0 ||
            got.believed != rows[i].believed)
            fail_msg("%s: %s, %sbelieved", rows[i].name, say(&got),
                     got.believed ? "" : "not ");
        seen |= got.against;
    }
    assert_int_equal(seen, TMTU_TRUST_ALL);
}

/* What refuses is the caller's choice: each doubt refuses when it is asked to,
 * and never when it is not. */
static void what_refuses_is_an_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_trust_options options = TMTU_TRUST_INIT;
        const struct tmtu_trust all = judged(&rows[i].story, &options);
        for (uint32_t bit = 1; bit < TMTU_TRUST_ALL; bit <<= 1) {
            options.refuse = bit;
            const struct tmtu_trust got = judged(&rows[i].story, &options);
            assert_int_equal(got.against, all.against);
            assert_int_equal(got.believed, !(all.against & bit));
        }
        options.refuse = 0;
        assert_true(judged(&rows[i].story, &options).believed);
    }
}

static void floors_are_options(void **state)
{
    (void)state;
    struct tmtu_trust_options options = TMTU_TRUST_INIT;
    const struct story v4 = {4, BIG4(1000), 28, YES, 0, 0, 0, 0, 0, 0};
    const struct story v6 = {6, BIG6(1300), 48, YES, 0, 0, 0, 0, 0, 0};
    options.floor4 = 1001;
    options.floor6 = 1301;
    struct tmtu_trust got = judged(&v4, &options);
    assert_string_equal(say(&got), "floor4 1000");
    got = judged(&v6, &options);
    assert_string_equal(say(&got), "floor6 1300");
    options.floor4 = 1000;
    options.floor6 = 1300;
    got = judged(&v4, &options);
    assert_string_equal(say(&got), "1000");
    got = judged(&v6, &options);
    assert_string_equal(say(&got), "1300");
}

/* Without facts, nothing is known; options that make no sense are refused. */
static void arguments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t refuse, floor4, floor6;
        size_t size;
        uint8_t ours;
        int ok;
    } bad[] = {
        {"all at their least", 0, 68, 1280, 0, 0, 1},
        {"all at their most", 0xffff, UINT32_MAX, UINT32_MAX, 0, 2, 1},
        {"a floor that IPv4 does not have", 0, 67, 1280, 0, 0, 0},
        {"a floor that IPv6 does not have", 0, 68, 1279, 0, 0, 0},
        {"a doubt that there is not", 0x10000, 68, 1280, 0, 0, 0},
        {"an option struct of another version", 0, 68, 1280, 1, 0, 0},
        {"neither yes nor no", 0, 68, 1280, 0, 3, 0},
    };
    for (size_t i = 0; i < TEST_ROWS(bad); i++) {
        struct tmtu_trust_options options = TMTU_TRUST_INIT;
        struct story story = {4, BIG4(1400), 28, YES, 0, 0, 0, 0, 0, 0};
        options.size += bad[i].size;
        options.refuse = bad[i].refuse;
        options.floor4 = bad[i].floor4;
        options.floor6 = bad[i].floor6;
        story.facts.ours = bad[i].ours;
        if ((judged(&story, &options).mtu != UINT32_MAX) != bad[i].ok)
            fail_msg("%s", bad[i].name);
    }
    const struct tmtu_trust_options options = TMTU_TRUST_INIT;
    const struct test_shape shape = test_shape(4, 1500);
    const struct test_says says = BIG4(0);
    struct tmtu_buf packet = test_made(&shape, 0);
    struct tmtu_buf buf = test_error(&says, packet.data, 48);
    const struct tmtu_pkt pkt = test_parsed(&buf);
    struct tmtu_icmp icmp;
    struct tmtu_trust got;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(tmtu_trust_decide(&pkt, &icmp, &options, NULL, &got), 0);
    assert_string_equal(say(&got), "unknown no_mtu may_cut 1492");
    free(buf.head);
    free(packet.head);
}

/* A message that is still on its way cannot be summed, and is not believed. */
static void what_cannot_be_verified_is_not_right(void **state)
{
    (void)state;
    const struct tmtu_trust_options options = TMTU_TRUST_INIT;
    const struct tmtu_trust_facts facts = YES;
    const struct test_shape shape = test_shape(6, 1500);
    const struct test_says says = BIG6(1400);
    struct tmtu_buf packet = test_made(&shape, 0);
    struct tmtu_buf buf = test_error(&says, packet.data, 48);
    struct tmtu_pkt pkt = test_parsed(&buf);
    struct tmtu_icmp icmp;
    struct tmtu_trust got;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    pkt.flags |= TMTU_PKT_ROUTED;
    assert_int_equal(tmtu_trust_decide(&pkt, &icmp, &options, &facts, &got), 0);
    assert_string_equal(say(&got), "checksum 1400");
    free(buf.head);
    free(packet.head);
}

static void names_are_of_single_doubts(void **state)
{
    (void)state;
    assert_null(tmtu_trust_name(0));
    assert_null(tmtu_trust_name(0xffff0000u));
    assert_string_equal(tmtu_trust_name(TMTU_TRUST_ALL), "checksum");
    assert_string_equal(tmtu_trust_name(TMTU_TRUST_WINDOW), "window");
    assert_string_equal(tmtu_trust_name(TMTU_TRUST_MAY_CUT), "may_cut");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_doubt_is_found_alone_and_named),
        cmocka_unit_test(what_refuses_is_an_option),
        cmocka_unit_test(floors_are_options),
        cmocka_unit_test(arguments),
        cmocka_unit_test(what_cannot_be_verified_is_not_right),
        cmocka_unit_test(names_are_of_single_doubts),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}

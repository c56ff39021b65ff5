/* SPDX-License-Identifier: MIT */
/* mtu: what becomes of a packet of each size, family and kind. */
#include "tmtu_packet.h"

#include <tunmtu/mtu.h>

static struct tmtu_mtu tunnel_of(size_t pair, uint32_t path)
{
    struct tmtu_mtu mtu = TMTU_MTU_INIT;
    mtu.path_mtu = path;
    mtu.overhead = test_pairs[pair].overhead;
    mtu.outer = (uint8_t)test_pairs[pair].outer;
    return mtu;
}

enum { P44 = 0, P64 = 1, P46 = 2, P66 = 3 }; /* rows of test_pairs */
enum { DF = 0x4000, MF = 0x2000, LATER = 0x00b9 };
enum { FIT = TMTU_MTU_FITS, CUT = TMTU_MTU_OUTER_FRAG, DROP = TMTU_MTU_DROP };
enum { NOTIFY = TMTU_MTU_NOTIFY, FRAG = TMTU_MTU_FRAGMENT };
enum { BOTH = TMTU_MTU_BOTH };
enum { V6N = TMTU_MTU_IP6_NOTIFY, FLOOR = TMTU_MTU_FLOOR_DROP };
enum { ERRS = TMTU_MTU_ERRORS_DROP };

static const struct {
    const char *name;
    size_t pair;
    uint32_t path;
    unsigned policy;
    uint32_t flags;
    size_t len;
    uint16_t frag;
    uint8_t proto, type;
    unsigned action, notify, mtu, reason;
} rows[] = {
    /* K1, K5, K11, R-1191-01, R-2003-11, R-2473-08, R-2473-10 */
    {"K1 K11 4in4 1480 fits", P44, 1500, NOTIFY, 0, 1480, DF, 6, 0, FIT, 0,
     1480, 0},
    {"K1 K11 K16 4in4 1481 does not", P44, 1500, NOTIFY, 0, 1481, DF, 6, 0,
     DROP, 1, 1480, TMTU_R_TOO_BIG},
    {"V4 a path of 1400 carries 1380", P44, 1400, NOTIFY, 0, 1380, DF, 6, 0,
     FIT, 0, 1380, 0},
    {"V4 and not 1381", P44, 1400, NOTIFY, 0, 1381, DF, 6, 0, DROP, 1, 1380,
     TMTU_R_TOO_BIG},
    {"R-2473-10 4in6 1460 fits", P46, 1500, NOTIFY, 0, 1460, DF, 6, 0, FIT, 0,
     1460, 0},
    {"R-2473-10 4in6 1500 with DF", P46, 1500, NOTIFY, 0, 1500, DF, 6, 0, DROP,
     1, 1460, TMTU_R_TOO_BIG},
    {"R-2473-10 4in6 1500 without DF", P46, 1500, NOTIFY, 0, 1500, 0, 6, 0, CUT,
     0, 1460, 0},
    {"6in4 1480 fits", P64, 1500, NOTIFY, 0, 1480, 0, 6, 0, FIT, 0, 1480, 0},
    {"R-8200-06 6in4 1481", P64, 1500, NOTIFY, 0, 1481, 0, 6, 0, DROP, 1, 1480,
     TMTU_R_TOO_BIG},
    {"6in6 1460 fits", P66, 1500, NOTIFY, 0, 1460, 0, 6, 0, FIT, 0, 1460, 0},
    {"R-2473-08 6in6 1500", P66, 1500, NOTIFY, 0, 1500, 0, 6, 0, DROP, 1, 1460,
     TMTU_R_TOO_BIG},

    /* K16 to K19: the policies */
    {"K17 notify: without DF", P44, 1500, NOTIFY, 0, 1500, 0, 6, 0, CUT, 0,
     1480, 0},
    {"K18 fragment: with DF", P44, 1500, FRAG, 0, 1500, DF, 6, 0, CUT, 0, 1480,
     0},
    {"fragment: without DF", P44, 1500, FRAG, 0, 1500, 0, 6, 0, CUT, 0, 1480,
     0},
    {"fragment: fits", P44, 1500, FRAG, 0, 1480, DF, 6, 0, FIT, 0, 1480, 0},
    {"both: with DF", P44, 1500, BOTH, 0, 1500, DF, 6, 0, CUT, 1, 1480, 0},
    {"both: without DF", P44, 1500, BOTH, 0, 1500, 0, 6, 0, CUT, 0, 1480, 0},
    {"both: fits", P44, 1500, BOTH, 0, 1480, DF, 6, 0, FIT, 0, 1480, 0},
    {"fragment: 4in6", P46, 1500, FRAG, 0, 1461, DF, 6, 0, CUT, 0, 1460, 0},
    {"both: 4in6", P46, 1500, BOTH, 0, 1461, DF, 6, 0, CUT, 1, 1460, 0},
    {"fragment: 6in4", P64, 1500, FRAG, 0, 1500, 0, 6, 0, CUT, 0, 1480, 0},
    {"both: 6in4", P64, 1500, BOTH, 0, 1500, 0, 6, 0, CUT, 1, 1480, 0},
    {"fragment: 6in6", P66, 1500, FRAG, 0, 1500, 0, 6, 0, CUT, 0, 1460, 0},
    {"both: 6in6", P66, 1500, BOTH, 0, 1500, 0, 6, 0, CUT, 1, 1460, 0},
    {"K19 fragment, IPv6 as Linux", P64, 1500, FRAG, V6N, 1500, 0, 6, 0, DROP,
     1, 1480, TMTU_R_TOO_BIG},
    {"K19 both, IPv6 as Linux", P66, 1500, BOTH, V6N, 1500, 0, 6, 0, DROP, 1,
     1460, TMTU_R_TOO_BIG},
    {"K19 does not touch IPv4", P46, 1500, FRAG, V6N, 1500, DF, 6, 0, CUT, 0,
     1460, 0},
    {"K19 and what fits fits", P64, 1500, FRAG, V6N, 1480, 0, 6, 0, FIT, 0,
     1480, 0},

    /* K8 to K10, R-8200-07, R-2473-08, -09, R-4213-10, R-LIB-01: the floors */
    {"K8 4in4 with 67 left, as Linux", P44, 87, NOTIFY, FLOOR, 40, DF, 6, 0,
     DROP, 0, 68, TMTU_R_MTU_FLOOR},
    {"K8 4in4 with 68 left, as Linux", P44, 88, NOTIFY, FLOOR, 40, DF, 6, 0,
     FIT, 0, 68, 0},
    {"K9 4in6 with 1279 left, as Linux", P46, 1319, NOTIFY, FLOOR, 40, DF, 6, 0,
     DROP, 0, 1279, TMTU_R_MTU_FLOOR},
    {"K9 4in6 with 1280 left, as Linux", P46, 1320, NOTIFY, FLOOR, 40, DF, 6, 0,
     FIT, 0, 1280, 0},
    {"K9 6in6 with 1279 left, as Linux", P66, 1319, NOTIFY, FLOOR, 60, 0, 6, 0,
     DROP, 0, 1280, TMTU_R_MTU_FLOOR},
    {"K9 4in6 with 1279 left", P46, 1319, NOTIFY, 0, 40, DF, 6, 0, FIT, 0, 1279,
     0},
    {"K10 the floor of 6in4 is 68", P64, 1280, NOTIFY, FLOOR, 1260, 0, 6, 0,
     FIT, 0, 1280, 0},
    {"K10 6in4 over 1280 never tells less than 1280", P64, 1280, NOTIFY, 0,
     1281, 0, 6, 0, DROP, 1, 1280, TMTU_R_TOO_BIG},
    {"R-4213-10 6in4 over 1300: 1281", P64, 1300, NOTIFY, 0, 1281, 0, 6, 0,
     DROP, 1, 1280, TMTU_R_TOO_BIG},
    {"R-4213-10 6in4 over 1300: 1280", P64, 1300, NOTIFY, 0, 1280, 0, 6, 0, FIT,
     0, 1280, 0},
    {"R-4213-10 6in4 over 1301: 1281", P64, 1301, NOTIFY, 0, 1281, 0, 6, 0, FIT,
     0, 1281, 0},
    {"R-4213-10 6in4 over 1400: 1381", P64, 1400, NOTIFY, 0, 1381, 0, 6, 0,
     DROP, 1, 1380, TMTU_R_TOO_BIG},
    {"R-8200-07 6in4 over 1290: 1280 in outer fragments", P64, 1290, NOTIFY, 0,
     1280, 0, 6, 0, CUT, 0, 1280, 0},
    {"R-8200-07 6in4 over 1290: 1271 in outer fragments", P64, 1290, NOTIFY, 0,
     1271, 0, 6, 0, CUT, 0, 1280, 0},
    {"R-8200-07 6in4 over 1290: 1270 fits", P64, 1290, NOTIFY, 0, 1270, 0, 6, 0,
     FIT, 0, 1280, 0},
    {"TRAP-8 R-2473-08 6in6 over 1280: 1400", P66, 1280, NOTIFY, 0, 1400, 0, 6,
     0, DROP, 1, 1280, TMTU_R_TOO_BIG},
    {"TRAP-8 R-2473-09 6in6 over 1280: 1280", P66, 1280, NOTIFY, 0, 1280, 0, 6,
     0, CUT, 0, 1280, 0},
    {"R-2473-09 whatever the policy", P66, 1280, BOTH, V6N, 1280, 0, 6, 0, CUT,
     0, 1280, 0},
    {"4in4 over 68: 68 with DF in outer fragments", P44, 68, NOTIFY, 0, 68, DF,
     6, 0, CUT, 0, 68, 0},
    {"4in4 over 68: 69 with DF", P44, 68, NOTIFY, 0, 69, DF, 6, 0, DROP, 1, 68,
     TMTU_R_TOO_BIG},
    {"4in4 over 68: 48 fits", P44, 68, NOTIFY, 0, 48, DF, 6, 0, FIT, 0, 68, 0},
    {"peers G25 6in4 over 576 is looked at", P64, 576, NOTIFY, 0, 1500, 0, 6, 0,
     DROP, 1, 1280, TMTU_R_TOO_BIG},

    /* K22, K23, F14, F17: no error about an error */
    {"K22 F17 ICMPv4 error with DF", P44, 1500, NOTIFY, 0, 1500, DF, 1, 3, CUT,
     0, 1480, 0},
    {"K22 the same, policy both", P44, 1500, BOTH, 0, 1500, DF, 1, 11, CUT, 0,
     1480, 0},
    {"K22 Linux carries it too", P46, 1500, NOTIFY, ERRS, 1500, DF, 1, 3, CUT,
     0, 1460, 0},
    {"ICMPv4 echo is none", P44, 1500, NOTIFY, 0, 1500, DF, 1, 8, DROP, 1, 1480,
     TMTU_R_TOO_BIG},
    {"K23 ICMPv6 error is carried", P64, 1500, NOTIFY, 0, 1500, 0, 58, 1, CUT,
     0, 1480, 0},
    {"K23 as Linux: dropped", P64, 1500, NOTIFY, ERRS, 1500, 0, 58, 2, DROP, 0,
     1480, TMTU_R_TOO_BIG_ERROR},
    {"K23 as Linux: policy fragment", P66, 1500, FRAG, ERRS, 1500, 0, 58, 1,
     DROP, 0, 1460, TMTU_R_TOO_BIG_ERROR},
    {"K23 as Linux: one that fits", P64, 1500, NOTIFY, ERRS, 1480, 0, 58, 1,
     FIT, 0, 1480, 0},
    {"F14 ICMPv6 echo request is none", P64, 1500, NOTIFY, ERRS, 1500, 0, 58,
     128, DROP, 1, 1480, TMTU_R_TOO_BIG},

    /* K24: fragments */
    {"K24 later IPv6 fragment", P64, 1500, NOTIFY, 0, 1500, LATER & 0xfff8, 6,
     0, DROP, 0, 1480, TMTU_R_TOO_BIG_FRAGMENT},
    {"K24 policy fragment", P64, 1500, FRAG, 0, 1500, LATER & 0xfff8, 6, 0, CUT,
     0, 1480, 0},
    {"K24 policy fragment, as Linux", P64, 1500, FRAG, V6N, 1500,
     LATER & 0xfff8, 6, 0, DROP, 0, 1480, TMTU_R_TOO_BIG_FRAGMENT},
    {"K24 policy both says nothing", P66, 1500, BOTH, 0, 1500, LATER & 0xfff8,
     6, 0, CUT, 0, 1460, 0},
    {"K24 one that fits", P64, 1500, NOTIFY, 0, 1480, LATER & 0xfff8, 6, 0, FIT,
     0, 1480, 0},
    {"first IPv6 fragment", P64, 1500, NOTIFY, 0, 1500, 1, 6, 0, DROP, 1, 1480,
     TMTU_R_TOO_BIG},
    {"K24 a later fragment of an ICMPv6 error", P64, 1500, NOTIFY, ERRS, 1500,
     LATER & 0xfff8, 58, 1, DROP, 0, 1480, TMTU_R_TOO_BIG_FRAGMENT},
    {"later IPv4 fragment without DF", P44, 1500, NOTIFY, 0, 1500, LATER, 6, 0,
     CUT, 0, 1480, 0},
    {"later IPv4 fragment with DF", P44, 1500, NOTIFY, 0, 1500, DF | LATER, 6,
     0, DROP, 1, 1480, TMTU_R_TOO_BIG},
    {"first IPv4 fragment with DF", P44, 1500, NOTIFY, 0, 1500, DF | MF, 6, 0,
     DROP, 1, 1480, TMTU_R_TOO_BIG},
};

static void decides_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct test_shape s =
            test_shape(test_pairs[rows[i].pair].inner, rows[i].len);
        struct tmtu_mtu mtu = tunnel_of(rows[i].pair, rows[i].path);
        struct tmtu_mtu_decision d;
        s.frag = rows[i].frag;
        s.proto = rows[i].proto;
        s.type = rows[i].type;
        mtu.policy = (uint8_t)rows[i].policy;
        mtu.flags = rows[i].flags;
        print_message("  %s\n", rows[i].name);
        struct tmtu_buf buf = test_made(&s, 0);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        memset(&d, 0xa5, sizeof d);
        assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &d), 0);
        assert_int_equal(d.action, rows[i].action);
        assert_int_equal(d.notify, rows[i].notify);
        assert_int_equal(d.mtu, rows[i].mtu);
        assert_int_equal(d.reason, rows[i].reason);
        free(buf.head);
    }
}

/* K25 to K29, R-LIB-02, peers U9: sizes that are not those of the packet. */
static void super_packets_and_reassembled_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t pair, len;
        uint8_t proto;
        uint16_t frag, gso, largest;
        unsigned policy, action, notify;
    } cases[] = {
        {"K29 segments of 1480", P44, 64000, 6, DF, 1440, 0, NOTIFY, FIT, 0},
        {"K29 segments of 1481", P44, 64000, 6, DF, 1441, 0, NOTIFY, DROP, 1},
        {"K29 segments of 1480, 6in4", P64, 64000, 6, 0, 1420, 0, NOTIFY, FIT,
         0},
        {"K29 segments of 1481, 6in4", P64, 64000, 6, 0, 1421, 0, NOTIFY, DROP,
         1},
        {"segments of 1460, 4in6", P46, 64000, 6, DF, 1420, 0, NOTIFY, FIT, 0},
        {"segments of 1461, 4in6", P46, 64000, 6, DF, 1421, 0, NOTIFY, DROP, 1},
        {"segments of 1460, 6in6", P66, 64000, 6, 0, 1400, 0, NOTIFY, FIT, 0},
        {"segments of 1461, 6in6", P66, 64000, 6, 0, 1401, 0, NOTIFY, DROP, 1},
        {"UDP segments of 1480", P44, 64000, 17, DF, 1452, 0, NOTIFY, FIT, 0},
        {"UDP segments of 1481", P44, 64000, 17, DF, 1453, 0, NOTIFY, DROP, 1},
        {"UDP segments of 1480, 6in4", P64, 64000, 17, 0, 1432, 0, NOTIFY, FIT,
         0},
        {"UDP segments of 1481, 6in4", P64, 64000, 17, 0, 1433, 0, NOTIFY, DROP,
         1},
        {"segments of 1481 without DF", P44, 64000, 6, 0, 1441, 0, NOTIFY, CUT,
         0},
        {"segments of 1480 without DF", P44, 64000, 6, 0, 1440, 0, NOTIFY, FIT,
         0},
        {"segments of 1481, both", P44, 64000, 6, DF, 1441, 0, BOTH, CUT, 1},
        {"one short segment", P44, 1000, 6, DF, 1441, 0, NOTIFY, FIT, 0},
        {"one segment of 1480", P44, 1480, 6, DF, 65535, 0, NOTIFY, FIT, 0},
        {"one segment of 1481", P44, 1481, 6, DF, 65535, 0, NOTIFY, DROP, 1},
        {"K25 largest fragment 1280 of 4000", P64, 4000, 6, 0, 0, 1280, NOTIFY,
         CUT, 0},
        {"K25 largest fragment 1480", P64, 4000, 6, 0, 0, 1480, NOTIFY, CUT, 0},
        {"K26 largest fragment 1481", P64, 4000, 6, 0, 0, 1481, NOTIFY, DROP,
         1},
        {"K26 largest fragment 1500", P64, 4000, 6, 0, 0, 1500, NOTIFY, DROP,
         1},
        {"K27 not so: IPv4 fragments of 1480 with DF", P44, 4000, 6, DF, 0,
         1480, NOTIFY, CUT, 0},
        {"K26 IPv4 fragments of 1481 with DF", P44, 4000, 6, DF, 0, 1481,
         NOTIFY, DROP, 1},
        {"K28 IPv4 fragments without DF", P44, 4000, 6, 0, 0, 1500, NOTIFY, CUT,
         0},
        {"no fragment is longer than the whole", P64, 1480, 6, 0, 0, 1500,
         NOTIFY, FIT, 0},
    };
    for (size_t i = 0; i < TEST_ROWS(cases); i++) {
        struct test_shape s =
            test_shape(test_pairs[cases[i].pair].inner, cases[i].len);
        struct tmtu_mtu mtu = tunnel_of(cases[i].pair, 1500);
        struct tmtu_mtu_decision d;
        s.proto = cases[i].proto;
        s.frag = cases[i].frag;
        mtu.policy = (uint8_t)cases[i].policy;
        print_message("  %s\n", cases[i].name);
        struct tmtu_buf buf = test_made(&s, 0);
        struct tmtu_pkt pkt = test_parsed(&buf);
        pkt.gso_size = cases[i].gso;
        pkt.frag_max = cases[i].largest;
        assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &d), 0);
        assert_int_equal(d.action, cases[i].action);
        assert_int_equal(d.notify, cases[i].notify);
        assert_int_equal(d.mtu, mtu.path_mtu - mtu.overhead);
        free(buf.head);
    }
}

/* Options are in every segment: 1428 + 20 + 32 is 1480. */
static void tcp_options_count_in_each_segment(void **state)
{
    (void)state;
    for (uint16_t gso = 1428; gso <= 1429; gso++) {
        struct test_shape s = test_shape(4, 60000);
        const struct tmtu_mtu mtu = tunnel_of(P44, 1500);
        struct tmtu_mtu_decision d;
        s.frag = DF;
        struct tmtu_buf buf = test_made(&s, 0);
        buf.data[20 + 12] = 0x80;
        struct tmtu_pkt pkt = test_parsed(&buf);
        pkt.gso_size = gso;
        assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &d), 0);
        assert_int_equal(d.action, gso == 1428 ? FIT : DROP);
        free(buf.head);
    }
}

/* A value that was cut off before its TCP header counts at least UDP's. */
static void a_cut_tcp_header_is_not_read(void **state)
{
    (void)state;
    for (size_t have = 20; have <= 40; have++) {
        const struct test_shape s = test_shape(4, 1500);
        const struct tmtu_mtu mtu = tunnel_of(P44, 1500);
        struct tmtu_mtu_decision d;
        struct tmtu_buf whole = test_made(&s, 0);
        struct tmtu_buf buf = test_buf(whole.data, have, 0, 0);
        struct tmtu_pkt pkt;
        assert_int_equal(
            tmtu_ip_parse(tmtu_buf_view(&buf), TMTU_IP_QUOTED, &pkt), 0);
        pkt.gso_size = 1452;
        assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &d), 0);
        assert_int_equal(d.action, have < 40 ? FIT : CUT);
        free(buf.head);
        free(whole.head);
    }
}

/* R-LIB-01, F9: never negative, whatever was told. */
static void room_inside_is_never_negative(void **state)
{
    (void)state;
    static const struct {
        uint32_t path;
        uint16_t overhead;
        uint32_t want;
    } cases[] = {
        {1500, 20, 1480},   {1500, 40, 1460}, {1500, 48, 1452},
        {1400, 20, 1380},   {68, 48, 20},     {21, 20, 1},
        {20, 20, 0},        {19, 20, 0},      {0, 40, 0},
        {65535, 20, 65515}, {1, 65535, 0},    {0xffffffff, 20, 0xffffffeb},
    };
    for (size_t i = 0; i < TEST_ROWS(cases); i++) {
        struct tmtu_mtu mtu = TMTU_MTU_INIT;
        mtu.path_mtu = cases[i].path;
        mtu.overhead = cases[i].overhead;
        assert_int_equal(tmtu_mtu_inner(&mtu), cases[i].want);
    }
}

static void what_is_unknown_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t size;
        uint8_t outer, policy;
        int rc;
    } cases[] = {
        {"as it is", sizeof(struct tmtu_mtu), 4, NOTIFY, 0},
        {"over IPv6, both", sizeof(struct tmtu_mtu), 6, BOTH, 0},
        {"a shorter struct", sizeof(struct tmtu_mtu) - 1, 4, NOTIFY, -5},
        {"a longer struct", sizeof(struct tmtu_mtu) + 1, 4, NOTIFY, -5},
        {"no such policy", sizeof(struct tmtu_mtu), 4, 3, -5},
        {"IPv5", sizeof(struct tmtu_mtu), 5, NOTIFY, -5},
        {"no outer version", sizeof(struct tmtu_mtu), 0, NOTIFY, -5},
        {"IPv7", sizeof(struct tmtu_mtu), 7, NOTIFY, -5},
        {"IPv3", sizeof(struct tmtu_mtu), 3, NOTIFY, -5},
    };
    const struct test_shape s = test_shape(4, 100);
    struct tmtu_buf buf = test_made(&s, 0);
    const struct tmtu_pkt pkt = test_parsed(&buf);
    for (size_t i = 0; i < TEST_ROWS(cases); i++) {
        struct tmtu_mtu mtu = TMTU_MTU_INIT;
        struct tmtu_mtu_decision got, before;
        mtu.size = cases[i].size;
        mtu.outer = cases[i].outer;
        mtu.policy = cases[i].policy;
        memset(&got, 0xa5, sizeof got);
        memset(&before, 0xa5, sizeof before);
        print_message("  %s\n", cases[i].name);
        assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &got), cases[i].rc);
        if (cases[i].rc < 0)
            assert_memory_equal(&got, &before, sizeof got);
    }
    free(buf.head);
}

/* What TMTU_MTU_INIT stands for: 1500, 4in4, notify. */
static void defaults_are_those_of_the_header(void **state)
{
    (void)state;
    const struct tmtu_mtu mtu = TMTU_MTU_INIT, want = tunnel_of(P44, 1500);
    assert_int_equal(mtu.size, sizeof mtu);
    assert_int_equal(mtu.path_mtu, 1500);
    assert_int_equal(mtu.overhead, 20);
    assert_int_equal(mtu.outer, 4);
    assert_int_equal(mtu.policy, TMTU_MTU_NOTIFY);
    assert_int_equal(mtu.flags, 0);
    assert_int_equal(tmtu_mtu_inner(&mtu), tmtu_mtu_inner(&want));
}

/* No answer is a lie, no floor is broken, nothing is cut that fits; and the
 * quick way says the same as the long one. */
static void holds_for_every_size_path_and_policy(void **state)
{
    (void)state;
    static const uint32_t paths[] = {68,   88,   576,  1279, 1280,
                                     1300, 1319, 1320, 1500, 9000};
    for (size_t i = 0; i < TEST_ROWS(test_pairs) * TEST_ROWS(paths); i++) {
        const size_t pair = i / TEST_ROWS(paths);
        struct tmtu_mtu mtu = tunnel_of(pair, paths[i % TEST_ROWS(paths)]);
        const uint32_t least = test_pairs[pair].inner == 6 ? 1280 : 68;
        struct test_shape s = test_shape(test_pairs[pair].inner, 60);
        struct tmtu_buf buf = test_made(&s, 0);
        struct tmtu_pkt pkt = test_parsed(&buf);
        for (uint32_t k = 0; k < 1600u * 48; k++) {
            struct tmtu_mtu_decision d;
            pkt.len = 20 + k / 48;
            pkt.have = pkt.len < 60 ? pkt.len : 60;
            pkt.flags = k % 2 && pkt.flow.ipver == 4 ? TMTU_PKT_DF : 0;
            mtu.policy = (uint8_t)(k / 2 % 3);
            mtu.flags = k / 6 % 8;
            assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &d), 0);
            assert_true(d.mtu >= least);
            assert_true(!d.notify || pkt.len > d.mtu);
            assert_true((d.reason != TMTU_OK) == (d.action == DROP));
            assert_int_equal(d.action == FIT, pkt.len <= tmtu_mtu_inner(&mtu) &&
                                                  d.reason != TMTU_R_MTU_FLOOR);
            if (tmtu_mtu_fits(&pkt, &mtu))
                assert_int_equal(d.action, FIT);
            else
                assert_true(d.action != FIT || (mtu.flags & FLOOR));
        }
        free(buf.head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_each_row),
        cmocka_unit_test(super_packets_and_reassembled_ones),
        cmocka_unit_test(tcp_options_count_in_each_segment),
        cmocka_unit_test(a_cut_tcp_header_is_not_read),
        cmocka_unit_test(room_inside_is_never_negative),
        cmocka_unit_test(what_is_unknown_is_refused),
        cmocka_unit_test(defaults_are_those_of_the_header),
        cmocka_unit_test(holds_for_every_size_path_and_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

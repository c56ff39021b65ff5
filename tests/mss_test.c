/* SPDX-License-Identifier: MIT */
/* The MSS option lowered and put in, against vectors and a slow checksum. */
#include "tmtu_test.h"

#include <tunmtu/mss.h>

enum { V4 = 4, V6 = 6, SYN = 0x02, ACK = 0x10 };

/* V5 of the vectors: 192.0.2.10:40000 > 198.51.100.20:443 and its IPv6 twin. */
#define V5_IP4 "beef400040068f8ac000020ac63364149c4001bb0102030400000000"
#define V5_IP6                                                                 \
    "600000000018064020010db800010000000000000000001020010db800020000"         \
    "00000000000000209c4001bb0102030400000000"
static const struct {
    const char *name, *before, *after;
    uint16_t mss;
} vectors[] = {
    {"V5 even offset, 1460 to 1440",
     "4500002c" V5_IP4 "6002faf00ee20000020405b4",
     "4500002c" V5_IP4 "6002faf00ef60000020405a0", 1440},
    {"V5 K119 odd offset, 1460 to 1440",
     "45000030beef400040068f86c000020ac63364149c4001bb0102030400000000"
     "7002faf04c8c000001020405b4010101",
     "45000030beef400040068f86c000020ac63364149c4001bb0102030400000000"
     "7002faf0608c000001020405a0010101",
     1440},
    {"V5 IPv6, 1440 to 1420", V5_IP6 "6002faf09fa30000020405a0",
     V5_IP6 "6002faf09fb700000204058c", 1420},
};

static uint16_t tcp_check(const uint8_t *ip, size_t n)
{
    uint8_t all[256] = {0};
    const size_t addr = ip[0] >> 4 == 4 ? 12 : 8, l4 = addr == 12 ? 20 : 40;
    const size_t len = n - l4, pair = l4 - addr;
    assert_true(pair + 4 + len <= sizeof all);
    memcpy(all, ip + addr, pair);
    all[pair + 1] = 6;
    all[pair + 3] = (uint8_t)len;
    memcpy(all + pair + 4, ip + l4, len);
    return test_cksum(all, pair + 4 + len);
}

/* A TCP packet with these options (hexadecimal, a multiple of 4 bytes) and so
 * many bytes of data; its checksums are right. Returns its length. */
static size_t make(uint8_t *p, int ipver, uint8_t flags, const char *options,
                   size_t data)
{
    const size_t l4 = ipver == V4 ? 20 : 40;
    memset(p, 0, 200);
    uint8_t *tcp = p + l4;
    const size_t n = test_hex(options, tcp + 20, 40);
    assert_int_equal(n % 4, 0);
    const size_t len = 20 + n + data;
    for (size_t i = 0; i < data; i++)
        tcp[20 + n + i] = (uint8_t)(0x40 + i);
    tmtu_put32(tcp, 40000u << 16 | 443u);
    tcp[12] = (uint8_t)((20 + n) * 4);
    tcp[13] = flags;
    tmtu_put16(tcp + 14, 0xfaf0);
    if (ipver == V4) {
        p[0] = 0x45;
        tmtu_put16(p + 2, (uint16_t)(l4 + len));
        tmtu_put32(p + 4, 0x12344000);
        p[8] = 64;
        p[9] = 6;
        tmtu_put32(p + 12, 0xc000020a);
        tmtu_put32(p + 16, 0xc6336414);
        tmtu_put16(p + 10, test_cksum(p, 20));
    } else {
        p[0] = 0x60;
        tmtu_put16(p + 4, (uint16_t)len);
        p[6] = 6;
        p[7] = 64;
        tmtu_put32(p + 8, 0x20010db8);
        p[23] = 1;
        tmtu_put32(p + 24, 0x20010db8);
        p[39] = 2;
    }
    tmtu_put16(tcp + 16, tcp_check(p, l4 + len));
    return l4 + len;
}

static int clamp(struct tmtu_buf *b, struct tmtu_pkt *pkt, uint16_t mss,
                 unsigned how)
{
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(b), 0, pkt), 0);
    return tmtu_mss_clamp(b, pkt, mss, how);
}

static void clamps_the_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(vectors); i++) {
        uint8_t before[64], after[64];
        const size_t n = test_hex(vectors[i].before, before, sizeof before);
        assert_int_equal(test_hex(vectors[i].after, after, sizeof after), n);
        print_message("  %s\n", vectors[i].name);
        struct tmtu_buf b = test_buf(before, n, 0, 0);
        struct tmtu_pkt pkt;
        assert_int_equal(clamp(&b, &pkt, vectors[i].mss, 0), 1);
        assert_int_equal(tmtu_buf_len(&b), n);
        assert_memory_equal(b.data, after, n);
        assert_int_equal(tmtu_mss_clamp(&b, &pkt, vectors[i].mss, 0), 0);
        assert_memory_equal(b.data, after, n);
        free(b.head);
    }
}

/* Options before, and after; NULL: as they were. */
static const struct {
    const char *name;
    const char *before;
    int rc;
    const char *after;
    uint16_t mss;
    unsigned how;
    uint8_t flags;
    uint8_t data;
} rows[] = {
    {"SYN-ACK", "020405b4", 1, "020405a0", 1440, 0, SYN | ACK, 0},
    {"SYN with data", "020405b4", 1, "020405a0", 1440, 0, SYN, 9},
    {"R-LIB-19 K118 never raises", "02040578", 0, NULL, 1440, 0, SYN, 0},
    {"the same", "020405a0", 0, NULL, 1440, 0, SYN, 0},
    {"R-2675-01 65535", "0204ffff", 1, "0204058c", 1420, 0, SYN, 0},
    {"only the low byte", "020405b4", 1, "020405b3", 1459, 0, SYN, 0},
    {"only the high byte", "020405b4", 1, "020404b4", 1204, 0, SYN, 0},
    {"R-9293-03 two options", "020405b402040578", 1, "020405a002040578", 1440,
     0, SYN, 0},
    {"R-9293-03 two to clamp", "020405b401020405ac010101", 1,
     "020405a001020405a0010101", 1440, 0, SYN, 0},
    {"ten options, all clamped",
     "020405b4020405b4020405b4020405b4020405b4"
     "020405b4020405b4020405b4020405b4020405b4",
     1,
     "020405a0020405a0020405a0020405a0020405a0"
     "020405a0020405a0020405a0020405a0020405a0",
     1440, 0, SYN, 0},
    {"forty NOPs, none to clamp",
     "0101010101010101010101010101010101010101"
     "0101010101010101010101010101010101010101",
     0, NULL, 1440, 0, SYN, 0},
    {"at the very end, behind 36 bytes",
     "0101010101010101010101010101010101010101"
     "01010101010101010101010101010101020405b4",
     1,
     "0101010101010101010101010101010101010101"
     "01010101010101010101010101010101020405a0",
     1440, 0, SYN, 0},
    {"as Linux sends it", "020405b40402080a000000010000000001030307", 1,
     "020405a00402080a000000010000000001030307", 1440, 0, SYN, 0},
    {"behind timestamps", "080a0000000100000000020405b40000", 1,
     "080a0000000100000000020405a00000", 1440, 0, SYN, 0},
    {"inside another option is none", "fe08020405b40101", 0, NULL, 1440, 0, SYN,
     0},
    {"behind end-of-list is none", "00000000020405b4", 0, NULL, 1440, 0, SYN,
     0},
    {"R-9293-02 MSS of length 3 is none", "02030501", 0, NULL, 1440, 0, SYN, 0},
    {"MSS of length 6 is none", "020605b405b40101", 0, NULL, 1440, 0, SYN, 0},
    {"K118 ACK only", "020405b4", TMTU_E_IGNORED, NULL, 1440, 0, ACK, 0},
    {"K118 no flag, to be put in", "", TMTU_E_IGNORED, NULL, 1440,
     TMTU_MSS_INSERT, ACK, 0},
    {"K120 length 0", "01080001", TMTU_E_MALFORMED, NULL, 1440, 0, SYN, 0},
    {"R-9293-02 MSS of length 0", "02000101", TMTU_E_MALFORMED, NULL, 1440, 0,
     SYN, 0},
    {"length 1", "05010101", TMTU_E_MALFORMED, NULL, 1440, 0, SYN, 0},
    {"K120 length past the header", "01010805", TMTU_E_MALFORMED, NULL, 1440, 0,
     SYN, 0},
    {"past the header, though data follows", "08050101", TMTU_E_MALFORMED, NULL,
     1440, 0, SYN, 20},
    {"a kind without its length", "01010108", TMTU_E_MALFORMED, NULL, 1440, 0,
     SYN, 20},
    {"and the packet ends there", "01010108", TMTU_E_MALFORMED, NULL, 1440, 0,
     SYN, 0},
    {"malformed behind an MSS: not half done", "020405b405000101",
     TMTU_E_MALFORMED, NULL, 1440, 0, SYN, 0},
    {"R-1122-10 none, and none asked for", "", 0, NULL, 1440, 0, SYN, 0},

    {"K118 put in, 536 though 1440 fits", "", 1, "02040218", 1440,
     TMTU_MSS_INSERT, SYN, 0},
    {"put in, less than the default", "", 1, "020401f4", 500, TMTU_MSS_INSERT,
     SYN, 0},
    {"put in behind others", "0402080a0000000100000000", 1,
     "0402080a000000010000000002040218", 1440, TMTU_MSS_INSERT, SYN, 0},
    {"there is one already", "020405b4", 1, "020405a0", 1440, TMTU_MSS_INSERT,
     SYN, 0},
    {"there is a lower one already", "02040190", 0, NULL, 1440, TMTU_MSS_INSERT,
     SYN, 0},
    {"K118 not with data", "", 0, NULL, 1440, TMTU_MSS_INSERT, SYN, 1},
    {"padding of four NOPs", "01010101", 1, "02040218", 1440, TMTU_MSS_INSERT,
     SYN, 0},
    {"padding of four zeros", "00000000", 1, "02040218", 1440, TMTU_MSS_INSERT,
     SYN, 0},
    {"padding of eight NOPs: four stay", "0101010101010101", 1,
     "0204021801010101", 1440, TMTU_MSS_INSERT, SYN, 0},
    {"padding of five: end-of-list stays one", "0303070000000000", 1,
     "0303070204021800", 1440, TMTU_MSS_INSERT, SYN, 0},
    {"junk behind end-of-list stays unread", "0303070000000005", 1,
     "0303070204021800", 1440, TMTU_MSS_INSERT, SYN, 0},
    {"junk further behind it too", "00000000feff0101", 1, "0204021800ff0101",
     1440, TMTU_MSS_INSERT, SYN, 0},
    {"NOPs and then end-of-list", "010101010000feff", 1, "020402180000feff",
     1440, TMTU_MSS_INSERT, SYN, 0},
    {"three bytes of end-of-list become NOPs", "0402010103030700", 1,
     "040201010303070102040218", 1440, TMTU_MSS_INSERT, SYN, 0},
    {"NOP and end-of-list, junk behind", "0402010003030700", 1,
     "0402020402180000", 1440, TMTU_MSS_INSERT, SYN, 0},
    {"three NOPs are too few", "05020000", 1, "0502010102040218", 1440,
     TMTU_MSS_INSERT, SYN, 0},
    {"an MSS of length 3 does not count", "02030501", 1, "0203050102040218",
     1440, TMTU_MSS_INSERT, SYN, 0},
    {"K118 header full",
     "fe28000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000",
     0, NULL, 1440, TMTU_MSS_INSERT, SYN, 0},
    {"K118 header full of padding",
     "010101010101010101010101010101010101"
     "0101010101010101010101010101010101010101"
     "0101",
     0, NULL, 1440, TMTU_MSS_INSERT, SYN, 0},
    {"36 bytes of options, the last word free",
     "fe24000000000000000000000000000000000000"
     "00000000000000000000000000000000",
     1,
     "fe24000000000000000000000000000000000000"
     "0000000000000000000000000000000002040218",
     1440, TMTU_MSS_INSERT, SYN, 0},
    {"malformed: nothing put in", "05000101", TMTU_E_MALFORMED, NULL, 1440,
     TMTU_MSS_INSERT, SYN, 0},
};

static void changes_what_it_must_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        print_message("  %s\n", rows[i].name);
        uint8_t p[200], want[200];
        const char *after = rows[i].after ? rows[i].after : rows[i].before;
        const size_t n =
            make(p, V4, rows[i].flags, rows[i].before, rows[i].data);
        const size_t m = make(want, V4, rows[i].flags, after, rows[i].data);
        struct tmtu_buf b = test_buf(p, n, 3, m - n); /* exactly enough room */
        struct tmtu_pkt pkt;
        assert_int_equal(clamp(&b, &pkt, rows[i].mss, rows[i].how), rows[i].rc);
        assert_int_equal(tmtu_buf_len(&b), m);
        assert_int_equal(pkt.len, m);
        assert_int_equal(pkt.have, m);
        assert_memory_equal(b.data, want, m);
        assert_int_equal(test_cksum(b.data, 20), 0);
        assert_int_equal(tcp_check(b.data, m), 0);
        for (int k = 0; k < 3; k++)
            assert_int_equal(b.head[k], 0xa5);
        free(b.head);
    }
}

static void inserts_into_ipv6(void **state)
{
    (void)state;
    uint8_t p[200], want[200];
    const size_t n = make(p, V6, SYN, "04020101", 0);
    const size_t m = make(want, V6, SYN, "04020101020404c4", 0);
    struct tmtu_buf b = test_buf(p, n, 0, 4);
    struct tmtu_pkt pkt;
    assert_int_equal(clamp(&b, &pkt, 1420, TMTU_MSS_INSERT), 1); /* K118 1220 */
    assert_int_equal(tmtu_buf_len(&b), m);
    assert_memory_equal(b.data, want, m);
    assert_int_equal(tcp_check(b.data, m), 0);
    assert_int_equal(clamp(&b, &pkt, 1000, 0), 1);
    assert_int_equal(tmtu_get16(b.data + m - 2), 1000);
    assert_int_equal(tcp_check(b.data, m), 0);
    free(b.head);
}

static void one_byte_short_of_tailroom_changes_nothing(void **state)
{
    (void)state;
    uint8_t p[200];
    const size_t n = make(p, V4, SYN, "04020101", 0);
    for (size_t room = 0; room < 4; room++) {
        struct tmtu_buf b = test_buf(p, n, 0, room);
        struct tmtu_pkt pkt, before;
        assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), 0, &pkt), 0);
        before = pkt;
        assert_int_equal(tmtu_mss_clamp(&b, &pkt, 1440, TMTU_MSS_INSERT),
                         TMTU_E_NOSPACE);
        assert_int_equal(tmtu_buf_len(&b), n);
        assert_memory_equal(b.data, p, n);
        assert_memory_equal(&pkt, &before, sizeof pkt);
        free(b.head);
    }
}

/* Ethernet fills a 44-byte SYN up to 46 bytes: the option goes behind the IP
 * packet, not behind the filling. */
static void padding_of_the_link_is_overwritten(void **state)
{
    (void)state;
    uint8_t p[200], want[200];
    const size_t n = make(p, V4, SYN, "04020101", 0);
    const size_t m = make(want, V4, SYN, "0402010102040218", 0);
    memset(p + n, 0xee, 2);
    struct tmtu_buf b = test_buf(p, n + 2, 0, 2);
    struct tmtu_pkt pkt;
    assert_int_equal(clamp(&b, &pkt, 1440, TMTU_MSS_INSERT), 1);
    assert_int_equal(tmtu_buf_len(&b), m);
    assert_memory_equal(b.data, want, m);
    free(b.head);
}

static void fragments_are_left_alone_unless_the_options_are_there(void **state)
{
    (void)state;
    uint8_t p[200];
    struct tmtu_pkt pkt;
    size_t n = make(p, V4, SYN, "020405b4", 8);
    tmtu_put16(p + 6, 0x0001); /* K118 F16: a later one; its data is no TCP */
    struct tmtu_buf b = test_buf(p, n, 0, 4);
    assert_int_equal(clamp(&b, &pkt, 1440, 0), TMTU_E_IGNORED);
    assert_memory_equal(b.data, p, n);
    free(b.head);

    tmtu_put16(p + 6, 0x2000); /* R-LIB-20: the first one, options whole */
    b = test_buf(p, n, 0, 4);
    assert_int_equal(clamp(&b, &pkt, 1440, 0), 1);
    assert_int_equal(tmtu_get16(b.data + 42), 1440);
    tmtu_put16(b.data + 6, 0); /* the checksum is that of the whole packet */
    assert_int_equal(tcp_check(b.data, n), 0);
    free(b.head);

    tmtu_put16(p + 2, 42); /* the first one, options cut */
    b = test_buf(p, 42, 0, 4);
    assert_int_equal(clamp(&b, &pkt, 1440, 0), TMTU_E_TRUNCATED);
    assert_memory_equal(b.data, p, 42);
    free(b.head);

    n = make(p, V4, SYN, "", 0);
    tmtu_put16(p + 6, 0x2000); /* never made longer: MF, a multiple of 8 */
    b = test_buf(p, n, 0, 4);
    assert_int_equal(clamp(&b, &pkt, 1440, TMTU_MSS_INSERT), 0);
    assert_memory_equal(b.data, p, n);
    free(b.head);
}

static void other_protocols_are_not_for_it(void **state)
{
    (void)state;
    uint8_t p[200];
    const size_t n = make(p, V4, SYN, "020405b4", 0);
    p[9] = 50; /* R-4459-02 ESP */
    struct tmtu_buf b = test_buf(p, n, 0, 0);
    struct tmtu_pkt pkt;
    assert_int_equal(clamp(&b, &pkt, 1440, 0), TMTU_E_IGNORED);
    assert_memory_equal(b.data, p, n);
    free(b.head);
}

/* F16: a quote, or a short first fragment, ends anywhere. */
static void every_cut_length_is_refused(void **state)
{
    (void)state;
    uint8_t p[200];
    const size_t n = make(p, V4, SYN, "020405b401010101", 0);
    for (size_t cut = 20; cut <= n; cut++) {
        struct tmtu_buf b = test_buf(p, cut, 0, 0);
        struct tmtu_pkt pkt;
        assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_QUOTED, &pkt),
                         0);
        const int rc = tmtu_mss_clamp(&b, &pkt, 1440, TMTU_MSS_INSERT);
        if (cut < 24)
            assert_int_equal(rc, TMTU_E_IGNORED); /* TMTU_PKT_CUT */
        else
            assert_int_equal(rc, cut < n ? TMTU_E_TRUNCATED : 1);
        if (rc < 0)
            assert_memory_equal(b.data, p, cut);
        free(b.head);
    }
}

static void a_buffer_without_all_of_the_packet_is_refused(void **state)
{
    (void)state;
    uint8_t p[200];
    const size_t n = make(p, V4, SYN, "020405b4", 0);
    struct tmtu_buf b = test_buf(p, n, 0, 0);
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), 0, &pkt), 0);
    tmtu_buf_trim(&b, n - 1);
    assert_int_equal(tmtu_mss_clamp(&b, &pkt, 1440, 0), TMTU_E_TRUNCATED);
    assert_memory_equal(b.data, p, n);
    free(b.head);
}

static void a_quote_is_never_made_longer(void **state)
{
    (void)state;
    uint8_t p[200];
    size_t n = make(p, V4, SYN, "", 0);
    tmtu_put16(p + 2, 60); /* the packet that is quoted was longer */
    struct tmtu_buf b = test_buf(p, n, 0, 20);
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_QUOTED, &pkt), 0);
    assert_int_equal(tmtu_mss_clamp(&b, &pkt, 1440, TMTU_MSS_INSERT), 0);
    assert_memory_equal(b.data, p, n);
    free(b.head);
}

static void a_short_header_is_malformed(void **state)
{
    (void)state;
    uint8_t p[200];
    const size_t n = make(p, V4, SYN, "020405b4", 0);
    p[32] = 0x40;              /* 16 bytes */
    tmtu_put16(p + 6, 0x2000); /* or else the parser refuses it before */
    struct tmtu_buf b = test_buf(p, n, 0, 0);
    struct tmtu_pkt pkt;
    assert_int_equal(clamp(&b, &pkt, 1440, 0), TMTU_E_MALFORMED);
    free(b.head);
}

static void mss_follows_the_mtu(void **state)
{
    (void)state;
    static const struct {
        uint32_t mtu;
        uint8_t ipver;
        uint16_t mss;
    } of[] = {
        {1500, 4, 1460},
        {1500, 6, 1440},
        {1480, 4, 1440},
        {1480, 6, 1420},
        {1280, 6, 1220}, /* R-7690-05 */
        {576, 4, 536},   /* R-6691-01 */
        {300, 4, 536},
        {0, 4, 536},
        {1279, 6, 1220},
        {0, 6, 1220},
        {577, 4, 537},
        {1281, 6, 1221}, /* R-LIB-21 */
        {65535, 4, 65495},
        {65594, 6, 65534},
        {65595, 6, 65535},
        {65596, 6, 65535},
        {0xffffffffu, 4, 65535},
        {1480, 4, 1440},
        {1460, 4, 1420},
        {1460, 6, 1400}, /* derived: 4in4, 4in6, 6in6 at 1500 */
    };
    for (size_t i = 0; i < TEST_ROWS(of); i++)
        assert_int_equal(tmtu_mss_for_mtu(of[i].mtu, of[i].ipver), of[i].mss);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clamps_the_vectors),
        cmocka_unit_test(changes_what_it_must_and_no_more),
        cmocka_unit_test(inserts_into_ipv6),
        cmocka_unit_test(one_byte_short_of_tailroom_changes_nothing),
        cmocka_unit_test(padding_of_the_link_is_overwritten),
        cmocka_unit_test(fragments_are_left_alone_unless_the_options_are_there),
        cmocka_unit_test(other_protocols_are_not_for_it),
        cmocka_unit_test(every_cut_length_is_refused),
        cmocka_unit_test(a_buffer_without_all_of_the_packet_is_refused),
        cmocka_unit_test(a_quote_is_never_made_longer),
        cmocka_unit_test(a_short_header_is_malformed),
        cmocka_unit_test(mss_follows_the_mtu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

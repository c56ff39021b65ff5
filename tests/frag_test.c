/* SPDX-License-Identifier: MIT */
/* Packets cut into fragments: sizes and offsets against the derived tables,
 * bytes against the packet that was cut. */
#include "tmtu_test.h"

#include <tunmtu/frag.h>

enum { ID = 0x5eed1234, MF = 0x2000, DF = 0x4000 };

/* An IPv4 packet of `len` bytes, protocol 253 (RFC 3692: no transport header
 * in the way); its data is 0, 1, 2, ... */
static void make4(uint8_t *p, size_t len, const char *options, unsigned frag)
{
    memset(p, 0, 20);
    const size_t hl = 20 + test_hex(options, p + 20, 40);
    assert_int_equal(hl % 4, 0);
    p[0] = (uint8_t)(0x40 | hl / 4);
    p[1] = 0x29;
    tmtu_put16(p + 2, (uint16_t)len);
    tmtu_put16(p + 4, 0xcafe);
    tmtu_put16(p + 6, (uint16_t)frag);
    p[8] = 64;
    p[9] = 253;
    tmtu_put32(p + 12, 0xc000020a);
    tmtu_put32(p + 16, 0xc6336414);
    tmtu_put16(p + 10, test_cksum(p, hl));
    for (size_t i = hl; i < len; i++)
        p[i] = (uint8_t)(i - hl);
}

/* An IPv6 packet of `len` bytes with these extension headers; what its data is
 * they say (59 at once: no next header). */
static void make6(uint8_t *p, size_t len, uint8_t next, const char *exts)
{
    memset(p, 0, 40);
    p[0] = 0x61;
    p[3] = 0x45;
    tmtu_put16(p + 4, (uint16_t)(len - 40));
    p[6] = next;
    p[7] = 64;
    tmtu_put32(p + 8, 0x20010db8);
    tmtu_put32(p + 24, 0x20010db8);
    p[39] = 0x20;
    const size_t at = 40 + test_hex(exts, p + 40, 200);
    for (size_t i = at; i < len; i++)
        p[i] = (uint8_t)(i - at);
}

/* Begins to cut the packet, in a block of its exact size; free() the block. */
static uint8_t *begin(struct tmtu_frag *f, const uint8_t *p, size_t len,
                      uint32_t mtu, unsigned how, int want)
{
    uint8_t *block = test_exact(p, len);
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_view(block, len), TMTU_IP_VERIFY, &pkt),
                     0);
    assert_int_equal(tmtu_frag_init(f, &pkt, mtu, ID, how), want);
    return block;
}

/* The next fragment, in a block with exactly so much room; free(buf.head). */
static struct tmtu_buf next(struct tmtu_frag *f, size_t room, int want)
{
    struct tmtu_buf out = test_buf(NULL, 0, 7, room);
    assert_int_equal(tmtu_frag_next(f, &out), want);
    assert_ptr_equal(out.data, out.head + 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(out.head[i], 0xa5);
    return out;
}

static void is_over(struct tmtu_frag *f)
{
    for (int i = 0; i < 2; i++) {
        struct tmtu_buf out = next(f, 64, 0);
        assert_int_equal(tmtu_buf_len(&out), 0);
        assert_int_equal(out.data[0], 0xa5);
        free(out.head);
    }
}

struct piece {
    unsigned len, offset, mf; /* bytes, units of 8, 0 or 1 */
};

struct cut {
    const char *name;
    unsigned len, mtu;
    struct piece want[5]; /* the last one is all zero */
};

static const struct cut cuts4[] = {
    {"R-791-05 R-791-08 1500 at 1480",
     1500,
     1480,
     {{1476, 0, 1}, {44, 182, 0}}},
    {"R-1812-11 1520 at 1500", 1520, 1500, {{1500, 0, 1}, {40, 185, 0}}},
    {"R-791-08 4000 at 1500",
     4000,
     1500,
     {{1500, 0, 1}, {1500, 185, 1}, {1040, 370, 0}}},
    {"1500 at 576", 1500, 576, {{572, 0, 1}, {572, 69, 1}, {396, 138, 0}}},
    {"V8 100 at 68", 100, 68, {{68, 0, 1}, {52, 6, 0}}},
    {"fits", 100, 100, {{100, 0, 0}}},
    {"one byte too long", 101, 100, {{100, 0, 1}, {21, 10, 0}}},
    {"K32 room for 8 bytes",
     45,
     28,
     {{28, 0, 1}, {28, 1, 1}, {28, 2, 1}, {21, 3, 0}}},
    {"room for 15: 8 are used", 36, 35, {{28, 0, 1}, {28, 1, 0}}},
    {"no data at all", 20, 20, {{20, 0, 0}}},
};

static const struct cut cuts6[] = {
    {"R-8200-09 1320 at 1280", 1320, 1280, {{1280, 0, 1}, {96, 154, 0}}},
    {"R-8200-09 1540 at 1500", 1540, 1500, {{1496, 0, 1}, {100, 181, 0}}},
    {"R-8200-09 5000 at 1500",
     5000,
     1500,
     {{1496, 0, 1}, {1496, 181, 1}, {1496, 362, 1}, {664, 543, 0}}},
    {"fits: no Fragment header (R-8021-01)", 1280, 1280, {{1280, 0, 0}}},
    {"one byte too long", 1281, 1280, {{1280, 0, 1}, {57, 154, 0}}},
    {"room for 8 bytes", 57, 56, {{56, 0, 1}, {56, 1, 1}, {49, 2, 0}}},
};

static void cuts_ipv4_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(cuts4); i++) {
        print_message("  %s\n", cuts4[i].name);
        uint8_t p[4000];
        struct tmtu_frag f;
        make4(p, cuts4[i].len, "", 0);
        uint8_t *block = begin(&f, p, cuts4[i].len, cuts4[i].mtu, 0, 0);
        for (const struct piece *w = cuts4[i].want; w->len != 0; w++) {
            struct tmtu_buf out = next(&f, w->len, 1);
            const uint8_t *o = out.data;
            assert_int_equal(tmtu_buf_len(&out), w->len);
            assert_int_equal(tmtu_get16(o + 2), w->len);
            assert_int_equal(tmtu_get16(o + 4), 0xcafe); /* the source's */
            assert_int_equal(tmtu_get16(o + 6), w->offset | (w->mf ? MF : 0));
            assert_int_equal(test_cksum(o, 20), 0);
            assert_memory_equal(o, p, 2);
            assert_memory_equal(o + 8, p + 8, 2);
            assert_memory_equal(o + 12, p + 12, 8);
            assert_memory_equal(o + 20, p + 20 + w->offset * 8, w->len - 20);
            free(out.head);
        }
        is_over(&f);
        free(block);
    }
}

static void cuts_ipv6_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(cuts6); i++) {
        print_message("  %s\n", cuts6[i].name);
        uint8_t p[5000];
        struct tmtu_frag f;
        make6(p, cuts6[i].len, 59, "");
        uint8_t *block =
            begin(&f, p, cuts6[i].len, cuts6[i].mtu, TMTU_FRAG_FORCE, 0);
        for (const struct piece *w = cuts6[i].want; w->len != 0; w++) {
            struct tmtu_buf out = next(&f, w->len, 1);
            const uint8_t *o = out.data;
            assert_int_equal(tmtu_buf_len(&out), w->len);
            assert_int_equal(tmtu_get16(o + 4), w->len - 40);
            assert_memory_equal(o, p, 4);
            assert_memory_equal(o + 7, p + 7, 33);
            if (w->len == cuts6[i].len) {
                assert_memory_equal(o, p, w->len);
            } else { /* R-8200-10 */
                assert_int_equal(o[6], 44);
                assert_int_equal(tmtu_get16(o + 40), 59 << 8);
                assert_int_equal(tmtu_get16(o + 42), w->offset * 8 | w->mf);
                assert_int_equal(tmtu_get32(o + 44), ID);
                assert_memory_equal(o + 48, p + 40 + w->offset * 8,
                                    w->len - 48);
            }
            free(out.head);
        }
        is_over(&f);
        free(block);
    }
}

static const char v8_whole[] =
    "45000064cafe00004011c338c000020ac6336414138813890050fad500010203"
    "0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
    "2425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243"
    "44454647";
static const char *const v8_pieces[] = {
    "45000044cafe20004011a358c000020ac6336414138813890050fad500010203"
    "0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
    "24252627",
    "45000034cafe00064011c362c000020ac633641428292a2b2c2d2e2f30313233"
    "3435363738393a3b3c3d3e3f4041424344454647",
};

static void cuts_the_vector_v8(void **state)
{
    (void)state;
    uint8_t p[100], want[100];
    struct tmtu_frag f;
    assert_int_equal(test_hex(v8_whole, p, sizeof p), 100);
    uint8_t *block = begin(&f, p, 100, 68, 0, 0);
    for (int i = 0; i < 2; i++) {
        const size_t n = test_hex(v8_pieces[i], want, sizeof want);
        struct tmtu_buf out = next(&f, n, 1);
        assert_int_equal(tmtu_buf_len(&out), n);
        assert_memory_equal(out.data, want, n);
        free(out.head);
    }
    is_over(&f);
    free(block);
}

/* Header, offset and MF of each fragment of `p`, as hexadecimal. */
static void has_headers(const uint8_t *p, size_t len, uint32_t mtu,
                        unsigned how, const char *const *heads, size_t n)
{
    struct tmtu_frag f;
    uint8_t *block = begin(&f, p, len, mtu, how, 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t want[200];
        const size_t size = test_hex(heads[i], want, sizeof want);
        struct tmtu_buf out = next(&f, mtu, 1);
        if (out.data[0] >> 4 == 4) {
            assert_int_equal(test_cksum(out.data, size), 0);
            memset(out.data + 10, 0, 2);
        }
        assert_memory_equal(out.data, want, size);
        free(out.head);
    }
    is_over(&f);
    free(block);
}

#define NOPS "010101010101010101"
#define ENDS "c000020ac6336414"

static void later_fragments_have_copied_options_only(void **state)
{
    (void)state;
    /* R-791-09: record route (7) goes first only, loose source route (131) and
     * router alert (148) everywhere, NOP and what is behind EOL nowhere. */
    static const char options[] =
        "070304 01 8307040a000001 94040000 0002830304";
    static const char *const want[] = {
        "4a290048cafe200040fd0000" ENDS "070304018307040a00000194040000"
        "0002830304",
        "48290048cafe200440fd0000" ENDS "8307040a0000019404000000",
        "4829002ccafe000940fd0000" ENDS "8307040a0000019404000000",
    };
    uint8_t p[200];
    make4(p, 124, options, 0);
    has_headers(p, 124, 72, 0, want, 3);

    /* Data that looks like one more option is none. */
    static const char *const looks[] = {
        "46290020cafe200040fd0000" ENDS "94040000",
        "46290020cafe000140fd0000" ENDS "94040000",
    };
    make4(p, 40, "94040000", 0);
    tmtu_put32(p + 24, 0x01830405);
    has_headers(p, 40, 39, 0, looks, 2);

    static const char *const far[] = {
        "4f290044cafe200040fd0000" ENDS NOPS NOPS NOPS NOPS "94040000",
        "46290020cafe000140fd0000" ENDS "94040000",
    };
    make4(p, 76, NOPS NOPS NOPS NOPS "94040000", 0);
    has_headers(p, 76, 68, 0, far, 2);

    /* The first fragment of what is a later one keeps what it has. */
    static const char *const later[] = {
        "46290020cafe20b940fd0000" ENDS "94040000",
        "46290020cafe00ba40fd0000" ENDS "94040000",
    };
    make4(p, 40, "94040000", 185);
    has_headers(p, 40, 39, 0, later, 2);
}

/* R-791-10: 185 * 8 bytes in, and more to follow, or not. */
static void cuts_a_fragment_again(void **state)
{
    (void)state;
    uint8_t p[200];
    static const char *const more[] = {
        "4529002ccafe20b940fd0000" ENDS,
        "4529002ccafe20bc40fd0000" ENDS,
        "4529001ccafe20bf40fd0000" ENDS,
    };
    make4(p, 76, "", MF | 185);
    has_headers(p, 76, 44, 0, more, 3);
    static const char *const last[] = {
        "4529002ccafe20b940fd0000" ENDS,
        "4529002acafe00bc40fd0000" ENDS,
    };
    make4(p, 66, "", 185);
    has_headers(p, 66, 44, 0, last, 2);
    /* Its identification is what holds it together, whatever DF says. */
    make4(p, 66, "", DF | 185);
    has_headers(p, 66, 44, TMTU_FRAG_FORCE, last, 2);
    static const char *const zero[] = {
        "4529002c000020b940fd0000" ENDS,
        "4529002a000000bc40fd0000" ENDS,
    };
    make4(p, 66, "", 185);
    tmtu_put16(p + 4, 0);
    tmtu_put16(p + 10, 0);
    tmtu_put16(p + 10, test_cksum(p, 20));
    has_headers(p, 66, 44, 0, zero, 2);
}

static void df_is_clear_and_the_identification_fresh_when_forced(void **state)
{
    (void)state;
    uint8_t p[200];
    static const char *const fresh[] = {
        "4529002c1234200040fd0000" ENDS, /* K31 R-6864-04 */
        "4529002a1234000340fd0000" ENDS,
    };
    make4(p, 66, "", DF);
    has_headers(p, 66, 44, TMTU_FRAG_FORCE, fresh, 2);
    make4(p, 66, "", 0);
    tmtu_put16(p + 4, 0);
    tmtu_put16(p + 10, 0);
    tmtu_put16(p + 10, test_cksum(p, 20));
    has_headers(p, 66, 44, 0, fresh, 2);
    static const char *const own[] = {
        "4529002ccafe200040fd0000" ENDS,
        "4529002acafe000340fd0000" ENDS,
    };
    make4(p, 66, "", 0);
    has_headers(p, 66, 44, TMTU_FRAG_FORCE, own, 2);
    static const char *const whole[] = {"45290042cafe400040fd0000" ENDS};
    make4(p, 66, "", DF);
    has_headers(p, 66, 66, TMTU_FRAG_FORCE, whole, 1);
}

#define IP6(len, next)                                                         \
    "61000045" len next "4020010db8000000000000000000000000"                   \
    "20010db8000000000000000000000020"
#define HBH(next)          next "00010400000000"
#define RH(next)           next "00040000000000"
#define DST(next)          next "00010400000000"
#define FRAG(next, offset) next "00" offset "5eed1234"

/* R-8200-09: up to and with the Routing header, or the hop-by-hop options, or
 * neither; destination options behind that are data. */
static void ipv6_repeats_the_unfragmentable_part(void **state)
{
    (void)state;
    uint8_t p[400];
    static const char *const routed[] = {
        IP6("0030", "00") HBH("3c") DST("2b") RH("2c") FRAG("3c", "0001")
            DST("3b") "0001020304050607",
        IP6("002c", "00") HBH("3c") DST("2b") RH("2c")
            FRAG("3c", "0010") "08090a0b",
    };
    make6(p, 92, 0, HBH("3c") DST("2b") RH("3c") DST("3b"));
    has_headers(p, 92, 88, TMTU_FRAG_FORCE, routed, 2);
    static const char *const hopopt[] = {
        IP6("0020", "00") HBH("2c") FRAG("3c", "0001") DST("3b"),
        IP6("001c", "00") HBH("2c") FRAG("3c", "0010") "08090a0b",
    };
    make6(p, 76, 0, HBH("3c") DST("3b"));
    has_headers(p, 76, 72, TMTU_FRAG_FORCE, hopopt, 2);
    static const char *const neither[] = {
        IP6("0018", "2c") FRAG("3c", "0001") DST("3b"),
        IP6("0014", "2c") FRAG("3c", "0010") "08090a0b",
    };
    make6(p, 68, 60, DST("3b"));
    has_headers(p, 68, 64, TMTU_FRAG_FORCE, neither, 2);
}

static void an_atomic_fragment_gets_a_new_fragment_header(void **state)
{
    (void)state;
    uint8_t p[400];
    static const char *const plain[] = {
        IP6("0020", "2c") FRAG("3b", "0001") "00010203",
        IP6("000c", "2c") FRAG("3b", "0018") "18191a1b",
    };
    make6(p, 76, 44, "3b000000deadbeef");
    has_headers(p, 76, 72, TMTU_FRAG_FORCE, plain, 2);
    /* Whoever put it in has said where the repeated part ends. */
    static const char *const behind_options[] = {
        IP6("0020", "3c") DST("2c") FRAG("3b", "0001") "00010203",
        IP6("001c", "3c") DST("2c") FRAG("3b", "0010") "10111213",
    };
    make6(p, 84, 60, DST("2c") "3b000000deadbeef");
    has_headers(p, 84, 72, TMTU_FRAG_FORCE, behind_options, 2);
    static const char *const before_routing[] = {
        IP6("0018", "2c") FRAG("2b", "0001") RH("3b") "00010203",
        IP6("0014", "2c") FRAG("2b", "0010") "08090a0b",
    };
    make6(p, 76, 44, "2b000000deadbeef" RH("3b"));
    has_headers(p, 76, 64, TMTU_FRAG_FORCE, before_routing, 2);
}

/* K28: no longer than what it was reassembled from. */
static void frag_max_is_kept(void **state)
{
    (void)state;
    uint8_t p[400];
    static const struct {
        const char *name;
        unsigned df, mtu, max, how;
        int rc;
        unsigned first; /* length of the first fragment */
    } rows[] = {
        {"smaller than the MTU", 0, 300, 100, 0, 0, 100},
        {"it would have fitted", 0, 400, 100, 0, 0, 100},
        {"larger than the MTU", 0, 100, 200, 0, 0, 100},
        {"DF: goes whole, or not at all", DF, 400, 100, 0, 0, 400},
        {"DF and too long", DF, 300, 100, 0, TMTU_E_FORBIDDEN, 0},
        {"DF forced", DF, 400, 100, TMTU_FRAG_FORCE, 0, 100},
        {"no room", 0, 400, 27, 0, TMTU_E_ARGUMENT, 0},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        print_message("  %s\n", rows[i].name);
        struct tmtu_pkt pkt;
        struct tmtu_frag f;
        make4(p, 400, "", rows[i].df);
        assert_int_equal(tmtu_ip_parse(tmtu_view(p, 400), 0, &pkt), 0);
        pkt.frag_max = (uint16_t)rows[i].max;
        assert_int_equal(tmtu_frag_init(&f, &pkt, rows[i].mtu, ID, rows[i].how),
                         rows[i].rc);
        if (rows[i].rc < 0)
            continue;
        struct tmtu_buf out = next(&f, 400, 1);
        assert_int_equal(tmtu_buf_len(&out), rows[i].first);
        free(out.head);
    }
}

static void refuses_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned ipver, frag, mtu, how;
        int rc;
    } rows[] = {
        {"K16 R-6864-04 DF", 4, DF, 99, 0, TMTU_E_FORBIDDEN},
        {"R-8200-06 IPv6 that is not ours", 6, 0, 99, 0, TMTU_E_FORBIDDEN},
        {"K32 no room for 8 bytes", 4, 0, 27, 0, TMTU_E_ARGUMENT},
        {"K32 forced", 4, DF, 27, TMTU_FRAG_FORCE, TMTU_E_ARGUMENT},
        {"MTU 0", 4, 0, 0, 0, TMTU_E_ARGUMENT},
        {"IPv6: no room", 6, 0, 55, TMTU_FRAG_FORCE, TMTU_E_ARGUMENT},
        {"a first IPv6 fragment", 6, 0x0001, 99, TMTU_FRAG_FORCE,
         TMTU_E_IGNORED},
        {"a last IPv6 fragment", 6, 0x0008, 99, TMTU_FRAG_FORCE,
         TMTU_E_IGNORED},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        print_message("  %s\n", rows[i].name);
        uint8_t p[100];
        if (rows[i].ipver == 4) {
            make4(p, 100, "", rows[i].frag);
        } else if (rows[i].frag == 0) {
            make6(p, 100, 59, "");
        } else {
            make6(p, 100, 44, "3b000000deadbeef");
            tmtu_put16(p + 42, (uint16_t)rows[i].frag);
        }
        struct tmtu_frag f, before;
        memset(&f, 0xa5, sizeof f);
        before = f;
        free(begin(&f, p, 100, rows[i].mtu, rows[i].how, rows[i].rc));
        assert_memory_equal(&f, &before, sizeof f);
    }
    uint8_t p[100];
    struct tmtu_pkt quote;
    struct tmtu_frag f, before;
    make4(p, 100, "", 0);
    memset(&f, 0xa5, sizeof f);
    before = f;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, 99), TMTU_IP_QUOTED, &quote),
                     0);
    assert_int_equal(tmtu_frag_init(&f, &quote, 68, ID, 0), TMTU_E_TRUNCATED);
    assert_memory_equal(&f, &before, sizeof f);
}

/* What fits goes out as it is, whatever it is. */
static void what_fits_is_not_refused(void **state)
{
    (void)state;
    uint8_t p[100];
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            make4(p, 100, "", DF);
        else
            make6(p, 100, 44, i == 1 ? "3b000001deadbeef" : "3b000010deadbeef");
        struct tmtu_frag f;
        uint8_t *block = begin(&f, p, 100, 100, 0, 0);
        struct tmtu_buf out = next(&f, 100, 1);
        assert_int_equal(tmtu_buf_len(&out), 100);
        assert_memory_equal(out.data, p, 100);
        free(out.head);
        is_over(&f);
        free(block);
    }
}

/* Each piece is asked for with every room that is too small, then with enough:
 * nothing is written before, and nothing is lost. */
static void too_little_room_loses_nothing(void **state)
{
    (void)state;
    uint8_t p[140];
    for (int i = 0; i < 3; i++) {
        if (i < 2)
            make4(p, 140, "94040000", 0);
        else
            make6(p, 140, 59, "");
        struct tmtu_frag f;
        const uint32_t mtu = i == 0 ? 140 : 100;
        uint8_t *block = begin(&f, p, 140, mtu, TMTU_FRAG_FORCE, 0);
        for (size_t room = 0, n = 0; n < (i == 0 ? 1 : 2);) {
            struct tmtu_frag before = f;
            struct tmtu_buf out = test_buf(NULL, 0, 0, room);
            const int rc = tmtu_frag_next(&f, &out);
            if (rc == 1) {
                assert_int_equal(tmtu_buf_len(&out), room); /* exactly */
                room = 0;
                n++;
            } else {
                assert_int_equal(rc, TMTU_E_NOSPACE);
                assert_memory_equal(&f, &before, sizeof f);
                assert_int_equal(tmtu_buf_len(&out), 0);
                for (size_t k = 0; k < room; k++)
                    assert_int_equal(out.data[k], 0xa5);
                room++;
            }
            free(out.head);
            assert_true(room <= mtu);
        }
        is_over(&f);
        free(block);
    }
}

/* 65,535 bytes in pieces of 68: the largest offsets, nothing wraps around. */
static void the_longest_packet_comes_out_whole(void **state)
{
    (void)state;
    enum { LEN = 65535 };
    uint8_t *p = test_exact(NULL, LEN), *got = test_exact(NULL, LEN);
    struct tmtu_frag f;
    for (int ip6 = 0; ip6 < 2; ip6++) {
        const size_t data = ip6 ? 40 : 20, head = ip6 ? 48 : 20;
        if (ip6)
            make6(p, LEN, 59, "");
        else
            make4(p, LEN, "", 0);
        uint8_t *block = begin(&f, p, LEN, 68, TMTU_FRAG_FORCE, 0);
        size_t sum = 0;
        for (;;) {
            uint8_t mem[68];
            struct tmtu_buf out = tmtu_buf(mem, sizeof mem, 0);
            if (tmtu_frag_next(&f, &out) != 1)
                break;
            const size_t n = tmtu_buf_len(&out) - head;
            const size_t at = ip6 ? tmtu_get16(mem + 42) & 0xfff8u
                                  : (tmtu_get16(mem + 6) & 0x1fffu) * 8u;
            assert_int_equal(at, sum);
            memcpy(got + data + at, mem + head, n);
            sum += n;
        }
        assert_int_equal(sum, LEN - data);
        assert_memory_equal(got + data, p + data, LEN - data);
        free(block);
    }
    free(p);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_ipv4_as_the_table_says),
        cmocka_unit_test(cuts_ipv6_as_the_table_says),
        cmocka_unit_test(cuts_the_vector_v8),
        cmocka_unit_test(later_fragments_have_copied_options_only),
        cmocka_unit_test(cuts_a_fragment_again),
        cmocka_unit_test(df_is_clear_and_the_identification_fresh_when_forced),
        cmocka_unit_test(ipv6_repeats_the_unfragmentable_part),
        cmocka_unit_test(an_atomic_fragment_gets_a_new_fragment_header),
        cmocka_unit_test(frag_max_is_kept),
        cmocka_unit_test(refuses_and_changes_nothing),
        cmocka_unit_test(what_fits_is_not_refused),
        cmocka_unit_test(too_little_room_loses_nothing),
        cmocka_unit_test(the_longest_packet_comes_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

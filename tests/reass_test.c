/* SPDX-License-Identifier: MIT */
/* Fragments put together: scripts of fragments and times, and what comes of
 * each. */
#include "tmtu_test.h"

#include <tunmtu/reass.h>

enum { LAST = 0, MORE = 1, PACKETS = 3, MAX = 600 };

static const struct tmtu_hash_key key = {1, 2};

static struct tmtu_reass *start(size_t packets, size_t max)
{
    const size_t n = tmtu_reass_sizeof(packets, max);
    assert_true(n > 0);
    struct tmtu_reass *r =
        tmtu_reass_init(test_exact(NULL, n), packets, max, &key);
    assert_non_null(r);
    return r;
}

/* One fragment, as the tests describe it. */
struct part {
    unsigned from, len, mf; /* of its data, in bytes */
    unsigned id;
    uint8_t ipver, proto, ecn, salt; /* other salt, other data */
};

static uint8_t datum(size_t at, unsigned salt)
{
    return (uint8_t)(at * 7 + at / 256 + salt);
}

/* Its bytes; returns their number. */
static size_t make(uint8_t *p, const struct part *f)
{
    const size_t head = f->ipver == 4 ? 20 : 48, n = head + f->len;
    const uint8_t proto = f->proto ? f->proto : 253;
    memset(p, 0, head);
    if (f->ipver == 4) {
        p[0] = 0x45;
        p[1] = 0x28 | f->ecn;
        tmtu_put16(p + 2, (uint16_t)n);
        tmtu_put16(p + 4, (uint16_t)f->id);
        tmtu_put16(p + 6, (uint16_t)(f->from / 8 | (f->mf ? 0x2000 : 0)));
        p[8] = 64;
        p[9] = proto;
        tmtu_put32(p + 12, 0xc000020a);
        tmtu_put32(p + 16, 0xc6336414);
        tmtu_put16(p + 10, test_cksum(p, 20));
    } else {
        tmtu_put32(p, 0x62812345u | (uint32_t)f->ecn << 20);
        tmtu_put16(p + 4, (uint16_t)(8 + f->len));
        p[6] = 44;
        p[7] = 64;
        tmtu_put32(p + 8, 0x20010db8);
        p[23] = 1;
        tmtu_put32(p + 24, 0x20010db8);
        p[39] = 2;
        p[40] = proto;
        tmtu_put16(p + 42, (uint16_t)(f->from | f->mf));
        tmtu_put32(p + 44, f->id);
    }
    for (size_t i = 0; i < f->len; i++)
        p[head + i] = datum(f->from + i, f->salt);
    return n;
}

/* Gives these bytes in a block of their own that is gone afterwards. */
static int give(struct tmtu_reass *r, const uint8_t *p, size_t n, uint64_t now,
                struct tmtu_buf *out)
{
    uint8_t *block = test_exact(p, n);
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_view(block, n), TMTU_IP_VERIFY, &pkt),
                     0);
    const int rc = tmtu_reass_add(r, &pkt, now, out);
    free(block);
    return rc;
}

static int add(struct tmtu_reass *r, const struct part *f, uint64_t now,
               struct tmtu_buf *out)
{
    static uint8_t p[70000];
    return give(r, p, make(p, f), now, out);
}

/* What comes out is `n` bytes of data behind one header, rightly mended. */
static void is_whole(const struct tmtu_buf *out, const struct part *f, size_t n,
                     uint8_t ecn)
{
    const struct part want = {0,        (unsigned)n, 0,   f->id,
                              f->ipver, f->proto,    ecn, f->salt};
    static uint8_t p[70000];
    size_t len = make(p, &want);
    if (f->ipver == 6) { /* without the Fragment header */
        p[6] = p[40];
        len -= 8;
        memmove(p + 40, p + 48, n);
        tmtu_put16(p + 4, (uint16_t)n);
    }
    assert_int_equal(tmtu_buf_len(out), len);
    assert_memory_equal(out->data, p, len);
}

struct step {
    struct part part;
    int want; /* over 0: a whole packet, and this its largest fragment */
};

enum { STEPS = 6 };
static const struct script {
    const char *name;
    size_t whole; /* bytes of data that come out, if anything does */
    uint8_t ecn;
    struct tmtu_reass_counters count;
    struct step step[STEPS]; /* the first without data is the end */
} scripts[] = {
    {"R-815-01 in order",
     40,
     0,
     {.packets = 1},
     {{{0, 24, MORE, 1, 4, 0, 0, 0}, 0}, {{24, 16, LAST, 1, 4, 0, 0, 0}, 44}}},
    {"R-815-01 the last one first",
     40,
     0,
     {.packets = 1},
     {{{24, 16, LAST, 1, 4, 0, 0, 0}, 0}, {{0, 24, MORE, 1, 4, 0, 0, 0}, 44}}},
    {"the middle one last, IPv6",
     52,
     0,
     {.packets = 1},
     {{{40, 12, LAST, 1, 6, 0, 0, 0}, 0},
      {{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{24, 16, MORE, 1, 6, 0, 0, 0}, 72}}},
    {"R-8200-11 exact duplicates are ignored",
     40,
     0,
     {.packets = 1},
     {{{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{24, 16, LAST, 1, 6, 0, 0, 0}, 72}}},
    {"of the last fragment too",
     40,
     0,
     {.packets = 1},
     {{{24, 16, LAST, 1, 4, 0, 0, 0}, 0},
      {{24, 16, LAST, 1, 4, 0, 0, 0}, 0},
      {{0, 24, MORE, 1, 4, 0, 0, 0}, 44}}},
    {"R-5722-01 the same place, other data",
     0,
     0,
     {.overlaps = 1},
     {{{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{0, 24, MORE, 1, 6, 0, 0, 9}, TMTU_E_MALFORMED},
      {{24, 16, LAST, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"part of what is there, the same data",
     0,
     0,
     {.overlaps = 1},
     {{{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{0, 16, MORE, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"the end of what is there, the same data",
     0,
     0,
     {.overlaps = 1},
     {{{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{8, 16, MORE, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"R-5722-01 overlap drops all, and what comes later",
     0,
     0,
     {.overlaps = 1},
     {{{0, 16, MORE, 1, 6, 0, 0, 0}, 0},
      {{8, 16, MORE, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED},
      {{0, 16, MORE, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED},
      {{16, 16, LAST, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"overlap by the last 8 bytes of what is there",
     0,
     0,
     {.overlaps = 1},
     {{{8, 16, MORE, 1, 4, 0, 0, 0}, 0},
      {{16, 16, MORE, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"overlap by the first 8 bytes of what is there",
     0,
     0,
     {.overlaps = 1},
     {{{8, 16, MORE, 1, 4, 0, 0, 0}, 0},
      {{0, 16, MORE, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"R-5722-02 teardrop",
     0,
     0,
     {.overlaps = 1},
     {{{0, 40, MORE, 1, 4, 0, 0, 0}, 0},
      {{24, 4, LAST, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"past the end that is known",
     0,
     0,
     {.overlaps = 1},
     {{{8, 8, LAST, 1, 4, 0, 0, 0}, 0},
      {{16, 8, MORE, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED},
      {{0, 8, MORE, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"an end before what is there",
     0,
     0,
     {.overlaps = 1},
     {{{16, 8, MORE, 1, 4, 0, 0, 0}, 0},
      {{8, 8, LAST, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"two ends",
     0,
     0,
     {.overlaps = 1},
     {{{32, 8, LAST, 1, 4, 0, 0, 0}, 0},
      {{8, 8, LAST, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"the last one again, but more follow",
     0,
     0,
     {.overlaps = 1},
     {{{8, 8, LAST, 1, 4, 0, 0, 0}, 0},
      {{8, 8, MORE, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"one again, but now it is the last",
     0,
     0,
     {.overlaps = 1},
     {{{8, 8, MORE, 1, 4, 0, 0, 0}, 0},
      {{8, 8, LAST, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"R-8200-03 not a multiple of 8: this one is dropped, no more",
     40,
     0,
     {.packets = 1, .malformed = 1},
     {{{0, 13, MORE, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED},
      {{0, 24, MORE, 1, 6, 0, 0, 0}, 0},
      {{24, 16, LAST, 1, 6, 0, 0, 0}, 72}}},
    {"R-8200-04 past 65,535 bytes",
     0,
     0,
     {.malformed = 1},
     {{{65528, 16, LAST, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"R-8200-04 up to byte 65,536",
     0,
     0,
     {.malformed = 1},
     {{{65528, 8, LAST, 1, 6, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"R-1858-01 TCP from byte 8 on",
     0,
     0,
     {.malformed = 1},
     {{{0, 24, MORE, 1, 4, 6, 0, 0}, 0},
      {{8, 16, LAST, 1, 4, 6, 0, 0}, TMTU_E_MALFORMED}}},
    {"R-1858-01 TCP cut before its flags",
     0,
     0,
     {.malformed = 1},
     {{{0, 8, MORE, 1, 4, 6, 0, 0}, TMTU_E_MALFORMED}}},
    {"TCP cut behind its flags",
     40,
     0,
     {.packets = 1},
     {{{0, 16, MORE, 1, 4, 6, 0, 0}, 0}, {{16, 24, LAST, 1, 4, 6, 0, 0}, 44}}},
    {"not TCP: 8 bytes are enough",
     16,
     0,
     {.packets = 1},
     {{{0, 8, MORE, 1, 4, 0, 0, 0}, 0}, {{8, 8, LAST, 1, 4, 0, 0, 0}, 28}}},
    {"R-791-11 other identification",
     40,
     0,
     {.packets = 1},
     {{{0, 24, MORE, 1, 4, 0, 0, 0}, 0},
      {{24, 16, LAST, 2, 4, 0, 0, 0}, 0},
      {{24, 16, LAST, 1, 4, 0, 0, 0}, 44}}},
    {"R-791-11 other protocol: another packet in IPv4",
     40,
     0,
     {.packets = 1},
     {{{0, 24, MORE, 1, 4, 0, 0, 0}, 0},
      {{24, 16, LAST, 1, 4, 254, 0, 0}, 0},
      {{24, 16, LAST, 1, 4, 0, 0, 0}, 44}}},
    {"R-791-11 the same one in IPv6",
     40,
     0,
     {.packets = 1},
     {{{24, 16, LAST, 1, 6, 254, 0, 0}, 0},
      {{0, 24, MORE, 1, 6, 0, 0, 0}, 72}}},
    {"R-3168-01 ECT(0) and CE make CE",
     40,
     3,
     {.packets = 1},
     {{{0, 24, MORE, 1, 4, 0, 2, 0}, 0}, {{24, 16, LAST, 1, 4, 0, 3, 0}, 44}}},
    {"R-3168-01 CE first, IPv6",
     40,
     3,
     {.packets = 1},
     {{{24, 16, LAST, 1, 6, 0, 3, 0}, 0}, {{0, 24, MORE, 1, 6, 0, 1, 0}, 72}}},
    {"R-3168-01 Not-ECT and CE: dropped",
     0,
     0,
     {.ecn = 1},
     {{{0, 24, MORE, 1, 4, 0, 0, 0}, 0},
      {{24, 16, LAST, 1, 4, 0, 3, 0}, TMTU_E_MALFORMED},
      {{24, 16, LAST, 1, 4, 0, 0, 0}, TMTU_E_MALFORMED}}},
    {"Not-ECT and ECT(1) make Not-ECT",
     40,
     0,
     {.packets = 1},
     {{{0, 24, MORE, 1, 4, 0, 1, 0}, 0}, {{24, 16, LAST, 1, 4, 0, 0, 0}, 44}}},
    {"the same in IPv6",
     40,
     0,
     {.packets = 1},
     {{{0, 24, MORE, 1, 6, 0, 1, 0}, 0}, {{24, 16, LAST, 1, 6, 0, 0, 0}, 72}}},
    {"ECT(1) and ECT(0): as the first",
     40,
     1,
     {.packets = 1},
     {{{24, 16, LAST, 1, 4, 0, 2, 0}, 0}, {{0, 24, MORE, 1, 4, 0, 1, 0}, 44}}},
    {"the largest fragment is told",
     60,
     0,
     {.packets = 1},
     {{{0, 16, MORE, 1, 4, 0, 0, 0}, 0},
      {{16, 32, MORE, 1, 4, 0, 0, 0}, 0},
      {{48, 12, LAST, 1, 4, 0, 0, 0}, 52}}},
    {"as long as may be",
     580,
     0,
     {.packets = 1},
     {{{0, 16, MORE, 1, 4, 0, 0, 0}, 0},
      {{16, 564, LAST, 1, 4, 0, 0, 0}, 584}}},
    {"R-791-12 one byte too long",
     0,
     0,
     {.limits = 1},
     {{{0, 16, MORE, 1, 4, 0, 0, 0}, 0},
      {{16, 565, LAST, 1, 4, 0, 0, 0}, TMTU_E_LIMIT},
      {{16, 16, LAST, 1, 4, 0, 0, 0}, TMTU_E_LIMIT}}},
    {"one byte too long, the first one last",
     0,
     0,
     {.limits = 1},
     {{{16, 565, LAST, 1, 4, 0, 0, 0}, 0},
      {{0, 16, MORE, 1, 4, 0, 0, 0}, TMTU_E_LIMIT}}},
    {"too long before anything else is known",
     0,
     0,
     {.limits = 1},
     {{{592, 9, LAST, 1, 4, 0, 0, 0}, TMTU_E_LIMIT}}},
    {"R-791-12 ping of death",
     0,
     0,
     {.limits = 1},
     {{{65512, 3, LAST, 1, 4, 0, 0, 0}, TMTU_E_LIMIT}}},
};

static void same_counters(const struct tmtu_reass *r,
                          struct tmtu_reass_counters want, uint64_t fragments)
{
    want.fragments = fragments;
    assert_memory_equal(tmtu_reass_counters(r), &want, sizeof want);
}

static void follows_each_script(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(scripts); i++) {
        const struct script *s = &scripts[i];
        print_message("  %s\n", s->name);
        struct tmtu_reass *r = start(PACKETS, MAX);
        unsigned k = 0;
        for (; k < STEPS && s->step[k].part.len != 0; k++) {
            struct tmtu_buf out = test_buf(NULL, 0, 5, MAX);
            assert_int_equal(add(r, &s->step[k].part, k, &out),
                             s->step[k].want);
            if (s->step[k].want > 0)
                is_whole(&out, &s->step[k].part, s->whole, s->ecn);
            else
                assert_int_equal(tmtu_buf_len(&out), 0);
            free(out.head);
        }
        same_counters(r, s->count, k);
        free(r);
    }
}

/* V8 of the vectors. */
static const char v4_whole[] =
    "45000064cafe00004011c338c000020ac6336414138813890050fad500010203"
    "0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
    "2425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243"
    "44454647";
static const char v4_frag1[] =
    "45000044cafe20004011a358c000020ac6336414138813890050fad500010203"
    "0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
    "24252627";
static const char v4_frag2[] =
    "45000034cafe00064011c362c000020ac633641428292a2b2c2d2e2f30313233"
    "3435363738393a3b3c3d3e3f4041424344454647";
#define V6_ENDS                                                                \
    "4020010db800010000000000000000001020010db80002000000000000000000"         \
    "20"
static const char v6_whole[] =
    "60000000002011" V6_ENDS "138813890020f867000102030405060708090a0b0c0d0e0f"
    "1011121314151617";
static const char v6_frag1[] =
    "6000000000182c" V6_ENDS "11000001deadbeef138813890020f8670001020304050607";
static const char v6_frag2[] =
    "6000000000182c" V6_ENDS "11000010deadbeef08090a0b0c0d0e0f1011121314151617";
static const char v6_atomic[] =
    "6000000000282c" V6_ENDS "11000000deadbeef138813890020f867"
    "000102030405060708090a0b0c0d0e0f1011121314151617";

static int give_hex(struct tmtu_reass *r, const char *hex, struct tmtu_buf *out)
{
    uint8_t p[200];
    return give(r, p, test_hex(hex, p, sizeof p), 0, out);
}

static void is_hex(const struct tmtu_buf *out, const char *hex)
{
    uint8_t p[200];
    const size_t n = test_hex(hex, p, sizeof p);
    assert_int_equal(tmtu_buf_len(out), n);
    assert_memory_equal(out->data, p, n);
}

static void puts_the_vectors_v8_together(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, 100);
    assert_int_equal(give_hex(r, v4_frag2, &out), 0);
    assert_int_equal(give_hex(r, v6_frag1, &out), 0);
    /* R-6864-02: a whole packet's identification is nobody's. */
    assert_int_equal(give_hex(r, v4_whole, &out), TMTU_E_IGNORED);
    assert_int_equal(give_hex(r, v4_frag1, &out), 68);
    is_hex(&out, v4_whole);
    out.tail = out.data;
    assert_int_equal(give_hex(r, v6_frag1, &out), 0); /* R-8200-11 */
    /* R-6946-01: the same identification, but whole in itself. */
    assert_int_equal(give_hex(r, v6_atomic, &out), TMTU_E_IGNORED);
    assert_int_equal(give_hex(r, v4_whole, &out), TMTU_E_IGNORED);
    assert_int_equal(tmtu_buf_len(&out), 0);
    assert_int_equal(give_hex(r, v6_frag2, &out), 64);
    is_hex(&out, v6_whole);
    same_counters(r, (struct tmtu_reass_counters){.packets = 2}, 5);
    free(out.head);
    free(r);
}

/* Options and DF of the first IPv4 fragment stay; so do IPv6 headers before the
 * Fragment header. What later ones carry there does not count. */
static void headers_are_those_of_the_first(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, 100);
    assert_int_equal(give_hex(r,
                              "46000020cafe600040fdcd8bc000020ac633641494040000"
                              "0001020304050607",
                              &out),
                     0);
    assert_int_equal(give_hex(r,
                              "45000018cafe400107fdbb97c000020ac6336414"
                              "08090a0b",
                              &out),
                     32);
    is_hex(&out, "46000024cafe400040fded87c000020ac633641494040000"
                 "000102030405060708090a0b");
    assert_int_equal(give_hex(r,
                              "6000000000183c" V6_ENDS "2c00010400000000"
                              "3b000001deadbeef0001020304050607",
                              &out),
                     0);
    assert_int_equal(
        give_hex(r, "60000000000c2c" V6_ENDS "3b000008deadbeef08090a0b", &out),
        64);
    is_hex(&out, "6000000000143c" V6_ENDS "3b00010400000000"
                 "000102030405060708090a0b");
    /* A Routing header behind the Fragment header is data. */
    assert_int_equal(give_hex(r,
                              "6000000000182c" V6_ENDS "2b000001deadbeef"
                              "3b000400000000000001020304050607",
                              &out),
                     0);
    assert_int_equal(
        give_hex(r, "60000000000c2c" V6_ENDS "2b000010deadbeef08090a0b", &out),
        64);
    is_hex(&out, "6000000000142b" V6_ENDS "3b00040000000000"
                 "000102030405060708090a0b");
    free(out.head);
    free(r);
}

static const struct part first4 = {0, 24, MORE, 7, 4, 0, 0, 0};
static const struct part last4 = {24, 16, LAST, 7, 4, 0, 0, 0};
static const struct part first6 = {0, 24, MORE, 7, 6, 0, 0, 0};
static const struct part other6 = {0, 24, MORE, 7, 6, 0, 0, 9};
static const uint64_t minute = TMTU_REASS_TIMEOUT;

/* Gives up one packet; `part` is its first fragment, or NULL. */
static void expires(struct tmtu_reass *r, uint64_t now, const struct part *part)
{
    uint8_t p[200];
    struct tmtu_view first = {p, p + 1};
    assert_int_equal(tmtu_reass_expire(r, now, &first), 1);
    const size_t n = part ? make(p, part) : 0;
    assert_int_equal(tmtu_view_len(first), n);
    if (n > 0)
        assert_memory_equal(first.data, p, n);
}

static void expires_nothing(struct tmtu_reass *r, uint64_t now)
{
    static const uint8_t p[1];
    struct tmtu_view first = {p, p + 1};
    assert_int_equal(tmtu_reass_expire(r, now, &first), 0);
    assert_ptr_equal(first.data, p);
}

static void gives_up_after_a_minute(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    const uint64_t t = 5;
    expires_nothing(r, t + minute);
    /* R-8200-12: from the fragment that came first, not from the latest. */
    assert_int_equal(add(r, &last4, t, &out), 0);
    assert_int_equal(add(r, &first6, t + 1, &out), 0);
    assert_int_equal(add(r, &first4, t + 2, &out), 44);
    out.tail = out.data;
    assert_int_equal(add(r, &last4, t + 3, &out), 0);
    expires_nothing(r, t + minute);
    expires(r, t + 1 + minute, &first6); /* R-8200-12: 3/1 about this one */
    expires_nothing(r, t + 1 + minute);
    expires(r, t + 3 + minute, NULL); /* R-1122-11: no error */
    expires_nothing(r, UINT64_MAX);
    assert_int_equal(add(r, &first4, 10 * minute, &out), 0);
    assert_int_equal(add(r, &first6, 10 * minute, &out), 0);
    expires(r, 11 * minute, &first4); /* R-1122-11: 11/1 about this one */
    expires(r, UINT64_MAX, &first6);  /* a jump */
    same_counters(r, (struct tmtu_reass_counters){.packets = 1, .timeouts = 4},
                  6);
    free(out.head);
    free(r);
}

static void those_that_are_older_stay_in_order(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    struct part f = first4, l = last4;
    for (f.id = 1; f.id <= 3; f.id++)
        assert_int_equal(add(r, &f, f.id, &out), 0);
    l.id = 2; /* goes out of the middle */
    assert_int_equal(add(r, &l, 9, &out), 44);
    f.id = 1;
    expires(r, minute + 9, &f);
    f.id = 3;
    expires(r, minute + 9, &f);
    expires_nothing(r, minute + 9);
    free(out.head);
    free(r);
}

/* R-791-11: one address is another, the rest is the same. */
static void addresses_tell_packets_apart(void **state)
{
    (void)state;
    static const size_t at[] = {23, 39}; /* last byte of source, destination */
    for (size_t i = 0; i < TEST_ROWS(at); i++) {
        struct tmtu_reass *r = start(PACKETS, MAX);
        struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
        uint8_t p[200];
        struct part rest = first6;
        rest.from = 24;
        rest.mf = LAST;
        assert_int_equal(add(r, &first6, 0, &out), 0);
        const size_t n = make(p, &rest);
        p[at[i]] ^= 0x40;
        assert_int_equal(give(r, p, n, 0, &out), 0);
        assert_int_equal(add(r, &rest, 0, &out), 72);
        free(out.head);
        free(r);
    }
}

static void a_fragment_without_data_is_malformed(void **state)
{
    (void)state;
    for (unsigned mf = 0; mf < 2; mf++) {
        const struct part none = {24, 0, mf, 7, 4, 0, 0, 0};
        struct tmtu_reass *r = start(PACKETS, MAX);
        struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
        assert_int_equal(add(r, &first4, 0, &out), 0);
        assert_int_equal(add(r, &none, 0, &out), TMTU_E_MALFORMED);
        assert_int_equal(add(r, &last4, 0, &out), 44);
        same_counters(
            r, (struct tmtu_reass_counters){.packets = 1, .malformed = 1}, 3);
        free(out.head);
        free(r);
    }
}

static void a_late_fragment_begins_a_new_packet(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    assert_int_equal(add(r, &first4, 0, &out), 0);
    assert_int_equal(add(r, &last4, minute, &out), 0);
    assert_int_equal(add(r, &first4, 2 * minute - 1, &out), 44);
    same_counters(r, (struct tmtu_reass_counters){.packets = 1, .timeouts = 1},
                  3);
    free(out.head);
    free(r);
}

/* R-5722-01: for the minute, without an error, and then it is forgotten. */
static void a_dropped_packet_is_remembered_for_its_minute(void **state)
{
    (void)state;
    const struct part rest = {24, 16, LAST, 7, 6, 0, 0, 0};
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    assert_int_equal(add(r, &first6, 0, &out), 0);
    assert_int_equal(add(r, &other6, 1, &out), TMTU_E_MALFORMED);
    assert_int_equal(add(r, &first6, minute - 1, &out), TMTU_E_MALFORMED);
    assert_int_equal(add(r, &first4, minute - 1, &out), 0);
    expires_nothing(r, minute); /* the IPv4 one is not due */
    expires(r, 2 * minute - 1, &first4);
    assert_int_equal(add(r, &first6, 2 * minute, &out), 0);
    assert_int_equal(add(r, &other6, 2 * minute, &out), TMTU_E_MALFORMED);
    /* Over, and nobody asked: it is a new packet all the same. */
    assert_int_equal(add(r, &first6, 3 * minute, &out), 0);
    assert_int_equal(add(r, &rest, 3 * minute, &out), 72);
    same_counters(r,
                  (struct tmtu_reass_counters){
                      .packets = 1, .timeouts = 1, .overlaps = 2},
                  8);
    free(out.head);
    free(r);
}

static void a_clock_that_goes_back_loses_nothing(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    assert_int_equal(add(r, &first4, 5 * minute, &out), 0);
    expires_nothing(r, 0);
    assert_int_equal(add(r, &last4, minute, &out), 44);
    free(out.head);
    free(r);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    struct part f = first4, l = last4;
    for (f.id = 1; f.id <= PACKETS; f.id++)
        assert_int_equal(add(r, &f, f.id, &out), 0);
    l.id = 1; /* is complete; its slot is free, so nobody has to go */
    assert_int_equal(add(r, &l, 9, &out), 44);
    assert_int_equal(add(r, &f, 9, &out), 0); /* 4 */
    assert_int_equal(tmtu_reass_counters(r)->evicted, 0);
    f.id = 5;
    assert_int_equal(add(r, &f, 9, &out), 0); /* 2 goes */
    assert_int_equal(tmtu_reass_counters(r)->evicted, 1);
    for (l.id = 3; l.id <= 5; l.id++) {
        out.tail = out.data;
        assert_int_equal(add(r, &l, 9, &out), 44);
        is_whole(&out, &l, 40, 0);
    }
    l.id = 2;
    assert_int_equal(add(r, &l, 9, &out), 0);
    expires(r, 9 + minute, NULL);
    expires_nothing(r, 9 + minute);
    /* A dropped one that goes was counted when it was dropped. */
    assert_int_equal(add(r, &first6, 9, &out), 0);
    assert_int_equal(add(r, &other6, 9, &out), TMTU_E_MALFORMED);
    for (f.id = 1; f.id <= PACKETS; f.id++)
        assert_int_equal(add(r, &f, 9, &out), 0);
    assert_int_equal(tmtu_reass_counters(r)->evicted, 1);
    assert_int_equal(add(r, &first6, 9, &out), 0); /* 1 goes */
    assert_int_equal(tmtu_reass_counters(r)->evicted, 2);
    free(out.head);
    free(r);
}

/* Far more packets than slots: the newest are always there, and all memory is
 * used again and again. */
static void a_flood_leaves_the_newest(void **state)
{
    (void)state;
    enum { SLOTS = 37, FLOOD = 2000 };
    struct tmtu_reass *r = start(SLOTS, 61);
    struct tmtu_buf out = test_buf(NULL, 0, 0, 64);
    for (unsigned i = 0; i < FLOOD; i++) {
        struct part f = first4, l = last4;
        f.id = i;
        assert_int_equal(add(r, &f, i, &out), 0);
        if (i % 3 == 0 && i >= SLOTS) {
            l.id = i - SLOTS / 2;
            out.tail = out.data;
            const int rc = add(r, &l, i, &out);
            if (rc > 0)
                is_whole(&out, &l, 40, 0);
            else
                assert_int_equal(rc, 0);
        }
    }
    const struct tmtu_reass_counters *c = tmtu_reass_counters(r);
    print_message("  %u put together, %u given up\n", (unsigned)c->packets,
                  (unsigned)c->evicted);
    assert_true(c->packets > FLOOD / 4);
    assert_true(c->evicted > FLOOD / 4);
    unsigned left = 0;
    struct tmtu_view first;
    while (tmtu_reass_expire(r, FLOOD + minute, &first))
        left++;
    assert_true(left <= SLOTS);
    free(out.head);
    free(r);
}

static void no_more_than_64_fragments(void **state)
{
    (void)state;
    for (unsigned n = 64; n <= 65; n++) { /* R-815-02 */
        struct tmtu_reass *r = start(PACKETS, MAX);
        struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
        struct part f = {0, 8, MORE, 1, 4, 0, 0, 0};
        for (unsigned i = n; i-- > 1;) { /* the last one first */
            f.from = i * 8;
            f.mf = i + 1 == n ? LAST : MORE;
            assert_int_equal(add(r, &f, 0, &out), 0);
        }
        f.from = 0;
        assert_int_equal(add(r, &f, 0, &out), n == 64 ? 28 : TMTU_E_LIMIT);
        if (n == 64)
            is_whole(&out, &f, 512, 0);
        assert_int_equal(tmtu_reass_counters(r)->limits, n == 64 ? 0 : 1);
        free(out.head);
        free(r);
    }
}

/* Hop-by-hop options of 208 and of 216 bytes: 256 and 264 with the rest. */
static void no_more_headers_than_there_is_room_for(void **state)
{
    (void)state;
    for (uint8_t units = 25; units <= 26; units++) {
        uint8_t p[300] = {0x60, [5] = (uint8_t)(units * 8 + 24)};
        const size_t frag = 48 + units * 8u, n = frag + 16;
        p[41] = units;
        p[40] = 44; /* hop-by-hop options; Pad1 all of them */
        p[frag] = 59;
        p[frag + 3] = 1;
        p[n - 1] = 0x77;
        struct tmtu_reass *r = start(PACKETS, MAX);
        struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
        assert_int_equal(give(r, p, n, 0, &out),
                         units == 25 ? 0 : TMTU_E_LIMIT);
        struct tmtu_view first;
        if (units == 25) {
            assert_int_equal(tmtu_reass_expire(r, minute, &first), 1);
            assert_int_equal(tmtu_view_len(first), n);
            assert_memory_equal(first.data, p, n);
        }
        free(out.head);
        free(r);
    }
}

static void too_little_room_drops_the_packet(void **state)
{
    (void)state;
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, 59);
    assert_int_equal(add(r, &first4, 0, &out), 0);
    assert_int_equal(add(r, &last4, 0, &out), TMTU_E_NOSPACE);
    assert_int_equal(tmtu_buf_len(&out), 0);
    for (int i = 0; i < 59; i++)
        assert_int_equal(out.data[i], 0xa5);
    expires_nothing(r, minute);
    same_counters(r, (struct tmtu_reass_counters){.limits = 1}, 2);
    free(out.head);
    out = test_buf(NULL, 0, 3, 60);
    assert_int_equal(add(r, &first4, 0, &out), 0);
    assert_int_equal(add(r, &last4, 0, &out), 44);
    is_whole(&out, &first4, 40, 0);
    free(out.head);
    free(r);
}

static void a_quoted_fragment_is_refused(void **state)
{
    (void)state;
    uint8_t p[200];
    const size_t n = make(p, &first4);
    struct tmtu_reass *r = start(PACKETS, MAX);
    struct tmtu_buf out = test_buf(NULL, 0, 0, MAX);
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n - 1), TMTU_IP_QUOTED, &pkt),
                     0);
    assert_int_equal(tmtu_reass_add(r, &pkt, 0, &out), TMTU_E_TRUNCATED);
    same_counters(r, (struct tmtu_reass_counters){.packets = 0}, 0);
    free(out.head);
    free(r);
}

/* 65,535 bytes, and 1500 (R-8200-13), through memory of just that size. */
static void the_longest_packets(void **state)
{
    (void)state;
    static const size_t sizes[] = {65535, 1500};
    for (size_t i = 0; i < TEST_ROWS(sizes); i++) {
        for (uint8_t v = 4; v <= 6; v += 2) {
            struct tmtu_reass *r = start(1, sizes[i]);
            struct tmtu_buf out = test_buf(NULL, 0, 0, sizes[i]);
            const unsigned data = (unsigned)sizes[i] - (v == 4 ? 20 : 40);
            struct part f = {0, 1400, MORE, 1, v, 0, 0, 0};
            int rc = 0;
            for (; f.from < data && rc == 0; f.from += 1400) {
                if (data - f.from <= 1400) {
                    f.len = data - f.from;
                    f.mf = LAST;
                }
                rc = add(r, &f, 0, &out);
            }
            assert_int_equal(rc, v == 4 ? 1420 : 1448);
            is_whole(&out, &f, data, 0);
            free(out.head);
            free(r);
        }
    }
}

static void says_how_much_memory_it_needs(void **state)
{
    (void)state;
    uint64_t mem[8];
    assert_int_equal(tmtu_reass_sizeof(0, 1500), 0);
    assert_int_equal(tmtu_reass_sizeof(1, 0), 0);
    assert_int_equal(tmtu_reass_sizeof(1, 65536), 0);
    assert_int_equal(tmtu_reass_sizeof(SIZE_MAX, 1), 0);
    assert_int_equal(tmtu_reass_sizeof(SIZE_MAX / 1000, 1500), 0);
    assert_null(tmtu_reass_init(mem, 0, 1500, &key));
    assert_null(tmtu_reass_init(mem, 1, 65536, &key));
    /* No more than 1 KiB a packet over what is to be kept. */
    assert_true(tmtu_reass_sizeof(1000, 1500) < 1000 * (1500 + 1024));
    assert_true(tmtu_reass_sizeof(1, 65535) > 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_each_script),
        cmocka_unit_test(puts_the_vectors_v8_together),
        cmocka_unit_test(headers_are_those_of_the_first),
        cmocka_unit_test(gives_up_after_a_minute),
        cmocka_unit_test(those_that_are_older_stay_in_order),
        cmocka_unit_test(addresses_tell_packets_apart),
        cmocka_unit_test(a_fragment_without_data_is_malformed),
        cmocka_unit_test(a_late_fragment_begins_a_new_packet),
        cmocka_unit_test(a_dropped_packet_is_remembered_for_its_minute),
        cmocka_unit_test(a_clock_that_goes_back_loses_nothing),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(a_flood_leaves_the_newest),
        cmocka_unit_test(no_more_than_64_fragments),
        cmocka_unit_test(no_more_headers_than_there_is_room_for),
        cmocka_unit_test(too_little_room_drops_the_packet),
        cmocka_unit_test(a_quoted_fragment_is_refused),
        cmocka_unit_test(the_longest_packets),
        cmocka_unit_test(says_how_much_memory_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

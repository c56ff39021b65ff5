/* SPDX-License-Identifier: MIT */
/* hop: the lab's router, what it forwards, cuts, answers, and how much of a
 * packet it quotes. */
#include "hop.h"

#include <tunmtu/icmp.h>

#include "tmtu_packet.h"

static const char *const mine[2] = {"203.0.113.9", "2001:db8:9::9"};

static struct hop hop_of(unsigned quote4, unsigned quote6)
{
    struct hop hop;
    assert_true(hop_init(&hop));
    for (int v6 = 0; v6 < 2; v6++) {
        test_addr(mine[v6], hop.address[v6]);
        hop.has[v6] = true;
    }
    hop.quote[0] = (uint16_t)quote4;
    hop.quote[1] = (uint16_t)quote6;
    return hop;
}

/* The checksum of an ICMP message the slow way: 0 if it is right. */
static uint16_t icmp_sum(const struct tmtu_buf *buf, unsigned ipver)
{
    const size_t n = tmtu_buf_len(buf);
    if (ipver == 4)
        return test_cksum(buf->data + 20, n - 20);
    uint8_t *all = test_exact(buf->data, n);
    tmtu_put32(all, (uint32_t)(n - 40)); /* addresses stay where they are */
    tmtu_put32(all + 4, 58);
    const uint16_t sum = test_cksum(all, n);
    free(all);
    return sum;
}

/* The packet as it was, with its TTL one less. */
static void one_less(const uint8_t *was, const uint8_t *is, size_t n,
                     unsigned ipver)
{
    uint8_t *want = test_exact(was, n);
    want[ipver == 4 ? 8 : 7]--;
    if (ipver == 4) {
        tmtu_put16(want + 10, 0);
        tmtu_put16(want + 10, test_cksum(want, 20));
    }
    assert_memory_equal(is, want, n);
    free(want);
}

/* An answer from the hop, about the packet as it came in. */
static void answers(const struct tmtu_buf *buf, const uint8_t *was, size_t len,
                    unsigned ipver, uint32_t mtu, char *words)
{
    const struct tmtu_pkt pkt = test_parsed(buf);
    const size_t quote = pkt.len - (ipver == 4 ? 28u : 48u);
    struct tmtu_icmp icmp;
    uint8_t addr[16];

    assert_int_equal(icmp_sum(buf, ipver), 0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    test_addr(mine[ipver == 6], addr);
    assert_memory_equal(pkt.flow.src, addr, 16);
    test_addr(ipver == 4 ? "192.0.2.10" : "2001:db8:1::10", addr);
    assert_memory_equal(pkt.flow.dst, addr, 16);
    assert_int_equal(icmp.info, icmp.kind == TMTU_ICMP_TOO_BIG ? mtu : 0);
    assert_true(quote <= len);
    assert_memory_equal(buf->tail - quote, was, quote);
    snprintf(words, 80, "%s, quotes %zu",
             icmp.kind == TMTU_ICMP_TOO_BIG ? "too big" : "expired", quote);
}

/* All fragments fit, and hold what was in the packet. */
static void fragments(struct hop *hop, const uint8_t *was, size_t len,
                      uint32_t mtu, char *words)
{
    struct tmtu_buf out = test_buf(NULL, 0, 0, mtu);
    unsigned n = 0;
    size_t next = 20;
    while (tmtu_frag_next(&hop->frag, &out) == 1) {
        const struct tmtu_pkt pkt = test_parsed(&out);
        assert_int_equal(pkt.ttl, was[8] - 1);
        assert_int_equal(pkt.frag_offset, next - 20);
        assert_true(next + pkt.len - 20 <= len);
        assert_memory_equal(out.data + 20, was + next, pkt.len - 20);
        next += pkt.len - 20;
        n++;
        out.data = out.tail = out.head;
    }
    assert_int_equal(next, len);
    free(out.head);
    snprintf(words, 80, "cut in %u", n);
}

enum { DF = 0x4000 };

static const struct {
    const char *name;
    struct test_shape shape;
    unsigned mtu, quote;
    const char *dst; /* another one, or NULL */
    const char *want;
} rows[] = {
    {"fits", {4, 1400, 6, 0, 0, 64, DF, 0}, 1400, 0, NULL, "forwarded"},
    {"fits, IPv6", {6, 1400, 6, 0, 0, 64, 0, 0}, 1400, 0, NULL, "forwarded"},
    {"R-1812: a router's quote",
     {4, 1401, 6, 0, 0, 64, DF, 0},
     1400,
     0,
     NULL,
     "too big, quotes 548"},
    {"R-792: the shortest quote",
     {4, 1401, 6, 0, 0, 64, DF, 0},
     1400,
     28,
     NULL,
     "too big, quotes 28"},
    {"the shortest of a header with options does not hold 8 bytes more",
     {4, 1401, 6, 0, 0, 64, DF, 4},
     1400,
     28,
     NULL,
     "dropped: no_room"},
    {"R-4443: IPv6, as much as fits into 1280",
     {6, 1401, 6, 0, 0, 64, 0, 0},
     1400,
     0,
     NULL,
     "too big, quotes 1232"},
    {"IPv6, the shortest",
     {6, 1401, 6, 0, 0, 64, 0, 0},
     1400,
     48,
     NULL,
     "too big, quotes 48"},
    {"K35: TTL 1 dies, and is not told that it is too big",
     {4, 1500, 6, 0, 0, 1, DF, 0},
     1400,
     28,
     NULL,
     "expired, quotes 28"},
    {"hop limit 1",
     {6, 1300, 6, 0, 0, 1, 0, 0},
     1400,
     48,
     NULL,
     "expired, quotes 48"},
    {"TTL 2 goes on", {4, 100, 6, 0, 0, 2, DF, 0}, 1400, 0, NULL, "forwarded"},
    {"without DF", {4, 1500, 6, 0, 0, 64, 0, 0}, 1400, 0, NULL, "cut in 2"},
    {"without DF, into many",
     {4, 1500, 6, 0, 0, 64, 0, 0},
     576,
     0,
     NULL,
     "cut in 3"},
    {"a later fragment with DF is not answered",
     {4, 1500, 6, 0, 0, 64, DF | 100, 0},
     1400,
     0,
     NULL,
     "dropped: later_fragment"},
    {"an ICMP error with DF is not answered",
     {4, 1500, 1, 3, 0, 64, DF, 0},
     1400,
     0,
     NULL,
     "dropped: about_error"},
    {"no link for IPv6",
     {6, 1400, 6, 0, 0, 64, 0, 0},
     1279,
     0,
     NULL,
     "dropped: mtu_floor"},
    {"to the hop itself",
     {4, 100, 6, 0, 0, 64, DF, 0},
     1400,
     0,
     "203.0.113.9",
     "not routed"},
    {"to the hop itself, IPv6",
     {6, 100, 6, 0, 0, 64, 0, 0},
     1400,
     0,
     "2001:db8:9::9",
     "not routed"},
    {"to a group",
     {4, 100, 17, 0, 0, 64, 0, 0},
     1400,
     0,
     "224.0.0.1",
     "not routed"},
    {"to all on the link",
     {6, 100, 17, 0, 0, 64, 0, 0},
     1400,
     0,
     "ff02::1",
     "not routed"},
    {"to one on the link",
     {6, 100, 17, 0, 0, 64, 0, 0},
     1400,
     0,
     "fe80::1",
     "not routed"},
    {"to febf::1, the last of them",
     {6, 100, 17, 0, 0, 64, 0, 0},
     1400,
     0,
     "febf::1",
     "not routed"},
    {"to fec0::1, the first that is none",
     {6, 100, 17, 0, 0, 64, 0, 0},
     1400,
     0,
     "fec0::1",
     "forwarded"},
    {"RFC 3927: link-local",
     {4, 100, 17, 0, 0, 64, 0, 0},
     1400,
     0,
     "169.254.1.1",
     "not routed"},
};

static void each_packet_and_its_fate(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct test_shape *s = &rows[i].shape;
        struct hop hop = hop_of(rows[i].quote, rows[i].quote);
        struct tmtu_buf buf = test_made(s, TMTU_ICMP_HEADROOM);
        char words[80] = "?";
        if (rows[i].dst != NULL) {
            uint8_t addr[16];
            test_addr(rows[i].dst, addr);
            if (s->ipver == 6) {
                memcpy(buf.data + 24, addr, 16);
            } else {
                memcpy(buf.data + 16, addr + 12, 4);
                tmtu_put16(buf.data + 10, 0);
                tmtu_put16(buf.data + 10, test_cksum(buf.data, 20));
            }
        }
        uint8_t *was = test_exact(buf.data, s->len);
        uint64_t sum = 0;

        switch (hop_pass(&hop, &buf, rows[i].mtu, 0)) {
        case HOP_FORWARDED:
            assert_int_equal(tmtu_buf_len(&buf), s->len);
            one_less(was, buf.data, s->len, s->ipver);
            strcpy(words, "forwarded");
            break;
        case HOP_CUT:
            fragments(&hop, was, s->len, rows[i].mtu, words);
            break;
        case HOP_TOO_BIG:
        case HOP_EXPIRED:
            answers(&buf, was, s->len, s->ipver, rows[i].mtu, words);
            break;
        case HOP_DROPPED:
            snprintf(words, sizeof words, "dropped: %s",
                     tmtu_reason_name((int)hop.reason));
            break;
        default:
            strcpy(words, "not routed");
            break;
        }
        if (strcmp(words, rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, words, rows[i].want);
        for (int k = 0; k < HOP_FATES; k++)
            sum += hop.fate[k];
        assert_int_equal(sum, 1);
        free(was);
        free(buf.head);
        hop_free(&hop);
    }
}

/* A family without an address has nobody who could answer. */
static void a_family_that_is_not_routed(void **state)
{
    (void)state;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        const struct test_shape s = test_shape(ipver, 100);
        struct hop hop = hop_of(0, 0);
        struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
        hop.has[ipver == 6] = false;
        assert_int_equal(hop_pass(&hop, &buf, 1500, 0), HOP_NOT_ROUTED);
        free(buf.head);
        hop_free(&hop);
    }
}

/* "Time exceeded" is limited as in Linux, "too big" never (K59). */
static void k59_what_is_limited(void **state)
{
    (void)state;
    struct hop hop = hop_of(0, 0);
    for (int i = 0; i < 200; i++) {
        struct test_shape s = test_shape(4, 1500);
        s.frag = DF;
        s.ttl = i % 2 ? 64 : 1;
        struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
        hop_pass(&hop, &buf, 1400, 0);
        free(buf.head);
    }
    assert_int_equal(hop.fate[HOP_TOO_BIG], 100);
    assert_int_equal(hop.fate[HOP_EXPIRED], 6);
    assert_int_equal(hop.drop[TMTU_R_LIMIT_HOST], 94);
    hop_free(&hop);
}

/* Who sent it counts as well. */
static void sources_that_are_not_routed(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "203.0.113.9", "169.254.1.1", "0.0.0.0", "127.0.0.1",   "2001:db8:9::9",
        "fe80::1",     "::",          "::1",     "169.253.1.1",
    };
    for (size_t i = 0; i < TEST_ROWS(sources); i++) {
        const bool last = i == TEST_ROWS(sources) - 1;
        const unsigned ipver = strchr(sources[i], ':') != NULL ? 6 : 4;
        const struct test_shape s = test_shape(ipver, 100);
        struct hop hop = hop_of(0, 0);
        struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
        uint8_t addr[16];
        test_addr(sources[i], addr);
        if (ipver == 6) {
            memcpy(buf.data + 8, addr, 16);
        } else {
            memcpy(buf.data + 12, addr + 12, 4);
            tmtu_put16(buf.data + 10, 0);
            tmtu_put16(buf.data + 10, test_cksum(buf.data, 20));
        }
        assert_int_equal(hop_pass(&hop, &buf, 1500, 0),
                         last ? HOP_FORWARDED : HOP_NOT_ROUTED);
        free(buf.head);
        hop_free(&hop);
    }
}

/* Answers are told apart, a broken header goes nowhere, and what a link pads a
 * packet with stays behind. */
static void identifications_checksums_and_padding(void **state)
{
    (void)state;
    struct test_shape s = test_shape(4, 1500);
    struct hop hop = hop_of(0, 0);
    s.frag = DF;
    for (unsigned i = 0; i < 3; i++) {
        struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
        assert_int_equal(hop_pass(&hop, &buf, 1400, 0), HOP_TOO_BIG);
        assert_int_equal(tmtu_get16(buf.data + 4), i);
        free(buf.head);
    }
    struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
    buf.data[10] ^= 1;
    assert_int_equal(hop_pass(&hop, &buf, 1500, 0), HOP_DROPPED);
    assert_int_equal(hop.reason, TMTU_R_CHECKSUM);
    free(buf.head);
    s.len = 40;
    struct tmtu_buf small = test_made(&s, 0);
    buf = test_buf(small.data, 40, TMTU_ICMP_HEADROOM, 6);
    tmtu_buf_put(&buf, 6);
    assert_int_equal(hop_pass(&hop, &buf, 1500, 0), HOP_FORWARDED);
    assert_int_equal(tmtu_buf_len(&buf), 40);
    free(buf.head);
    free(small.head);
    hop_free(&hop);
}

static void what_does_not_parse_is_dropped(void **state)
{
    (void)state;
    const struct test_shape s = test_shape(4, 100);
    for (size_t n = 0; n < s.len; n++) {
        struct hop hop = hop_of(0, 0);
        struct tmtu_buf whole = test_made(&s, 0);
        struct tmtu_buf buf = test_buf(whole.data, n, TMTU_ICMP_HEADROOM, 0);
        assert_int_equal(hop_pass(&hop, &buf, 1500, 0), HOP_DROPPED);
        assert_int_equal(hop.reason, TMTU_R_TRUNCATED);
        free(buf.head);
        free(whole.head);
        hop_free(&hop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_and_its_fate),
        cmocka_unit_test(a_family_that_is_not_routed),
        cmocka_unit_test(k59_what_is_limited),
        cmocka_unit_test(sources_that_are_not_routed),
        cmocka_unit_test(identifications_checksums_and_padding),
        cmocka_unit_test(what_does_not_parse_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

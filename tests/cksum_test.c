/* SPDX-License-Identifier: MIT */
/* cksum: the fast sums against the slow one (test_cksum), RFC 1071, RFC 1624.
 */
#include "tmtu_test.h"

#include <tunmtu/cksum.h>

/* xorshift64: the same numbers on every machine. */
static uint64_t dice(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15u;
    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void r_1071_01_the_example_of_the_rfc(void **state)
{
    (void)state;
    const uint8_t p[8] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(tmtu_cksum_add(0, p, 8), 0xddf2);
    assert_int_equal(tmtu_cksum_finish(tmtu_cksum_add(0, p, 8)), 0x220d);
    assert_int_equal(test_cksum(p, 8), 0x220d);
    assert_int_equal(tmtu_cksum_add(0, p, 7), (0xddf2 - 0x00f7));
    assert_int_equal(tmtu_cksum_add(0, p, 0), 0);
    assert_int_equal(tmtu_cksum_add(0x1234, p, 0), 0x1234);
}

static void folding_keeps_every_carry(void **state)
{
    (void)state;
    static const struct {
        uint32_t sum;
        uint16_t folded;
    } rows[] = {
        {0, 0},
        {0xffff, 0xffff},
        {0x10000, 1},
        {0x1ffff, 1}, /* a carry out of the first fold */
        {0x1fffe, 0xffff},
        {0xfffeffff, 0xfffe},
        {0xffff0001, 1},
        {0xffffffff, 0xffff},
        {0x80008000, 1},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        assert_int_equal(tmtu_cksum_fold(rows[i].sum), rows[i].folded);
        assert_int_equal(tmtu_cksum_finish(rows[i].sum),
                         rows[i].folded ^ 0xffff);
        assert_int_equal(tmtu_cksum_add(rows[i].sum, (const uint8_t *)"", 0),
                         rows[i].folded);
    }
}

/* Sums `n` bytes at p in each way there is, and holds them to the slow one. */
static void hold(const uint8_t *p, size_t n, size_t skew)
{
    const uint16_t want = test_cksum(p, n);
    if (tmtu_cksum_finish(tmtu_cksum_add(0, p, n)) != want)
        fail_msg("sum of %zu bytes, %zu from aligned", n, skew);
    uint8_t *to = test_exact(NULL, n + 2 * 16);
    const uint16_t sum = tmtu_cksum_copy(0, to + 16, p, n);
    if (tmtu_cksum_finish(sum) != want)
        fail_msg("copied sum of %zu bytes, %zu from aligned", n, skew);
    assert_memory_equal(to + 16, p, n);
    for (size_t i = 0; i < 16; i++) /* nothing written beside */
        assert_true(to[i] == 0xa5 && to[16 + n + i] == 0xa5);
    free(to);
}

static void every_length_to_1600_at_every_alignment(void **state)
{
    (void)state;
    uint8_t data[1600];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)dice();
    for (size_t skew = 0; skew < 16; skew++)
        for (size_t n = 0; n <= sizeof data; n += n < 200 ? 1 : 1 + skew % 3) {
            uint8_t *mem = test_exact(NULL, skew + n);
            memcpy(mem + skew, data, n);
            hold(mem + skew, n, skew);
            free(mem);
        }
}

static void every_length_to_1600_ends_where_memory_does(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 1600; n++) {
        uint8_t *p = test_exact(NULL, n), *to = test_exact(NULL, n);
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)dice();
        const uint16_t want = test_cksum(p, n);
        assert_int_equal(tmtu_cksum_finish(tmtu_cksum_add(0, p, n)), want);
        assert_int_equal(tmtu_cksum_finish(tmtu_cksum_copy(0, to, p, n)), want);
        assert_memory_equal(to, p, n);
        free(p);
        free(to);
    }
}

static void the_most_there_can_be_of_ones(void **state)
{
    (void)state;
    uint8_t *p = test_exact(NULL, 65535);
    memset(p, 0xff, 65535);
    assert_int_equal(tmtu_cksum_add(0, p, 65534), 0xffff);
    assert_int_equal(tmtu_cksum_add(0xffffffffu, p, 65534), 0xffff);
    assert_int_equal(tmtu_cksum_add(0, p, 65535), 0xff00);
    memset(p, 0, 65535);
    assert_int_equal(tmtu_cksum_add(0, p, 65535), 0); /* never 0xffff */
    free(p);
}

static void a_sum_goes_on_where_another_ended(void **state)
{
    (void)state;
    uint8_t p[256], to[256];
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)dice();
    for (size_t cut = 0; cut <= 200; cut += 2) {
        const uint32_t sum = 0xabcd0000u + tmtu_cksum_add(0, p, cut);
        const uint16_t want = tmtu_cksum_add(0xabcd, p, 200);
        assert_int_equal(tmtu_cksum_add(sum, p + cut, 200 - cut), want);
        assert_int_equal(tmtu_cksum_copy(sum, to, p + cut, 200 - cut), want);
    }
}

static void twenty_bytes_at_every_alignment(void **state)
{
    (void)state;
    for (size_t round = 0; round < 5000; round++) {
        uint8_t *mem = test_exact(NULL, round % 16 + 20);
        uint8_t *p = mem + round % 16;
        for (size_t i = 0; i < 20; i++)
            p[i] = (uint8_t)(round % 5 ? dice() : (uint64_t)(dice() & 1) * 255);
        assert_int_equal(tmtu_cksum_finish(tmtu_cksum_sum20(p)),
                         test_cksum(p, 20));
        free(mem);
    }
    uint8_t same[20] = {0};
    assert_int_equal(tmtu_cksum_sum20(same), 0);
    memset(same, 0xff, sizeof same);
    assert_int_equal(tmtu_cksum_sum20(same), 0xffff);
}

static void r_1624_01_the_example_of_the_rfc_gives_zero(void **state)
{
    (void)state; /* V6; equation 2 would give 0xffff (R-1624-02) */
    assert_int_equal(tmtu_cksum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
    assert_int_equal(tmtu_cksum_update32(0xdd2f, 0x55550000u, 0x32850000u), 0);
    assert_int_equal(tmtu_cksum_update32(0xdd2f, 0x00005555u, 0x00003285u), 0);
}

static void r_1624_03_updates_equal_sums_from_the_start(void **state)
{
    (void)state;
    for (size_t round = 0; round < 200000; round++) {
        uint8_t p[12];
        for (size_t i = 0; i < sizeof p; i++) /* many zeros, many ones */
            p[i] = (uint8_t)(dice() % 3 ? dice() : (dice() & 1) * 255);
        p[0] |= 0x40; /* not all zero, as no IP header ever is */
        const uint16_t before = test_cksum(p, sizeof p);
        const uint32_t from = tmtu_get32(p + 4);
        const uint32_t to = dice() % 4 ? (uint32_t)dice()
                                       : (uint32_t)(dice() & 1) * 0xffffffffu;
        tmtu_put32(p + 4, to);
        assert_int_equal(tmtu_cksum_update32(before, from, to),
                         test_cksum(p, sizeof p));
        tmtu_put32(p + 4, (to & 0xffff0000u) | (from & 0xffffu));
        assert_int_equal(tmtu_cksum_update16(before, (uint16_t)(from >> 16),
                                             (uint16_t)(to >> 16)),
                         test_cksum(p, sizeof p));
    }
}

static void r_1624_05_at_an_odd_offset_both_are_swapped(void **state)
{
    (void)state;
    uint8_t p[9] = {0x45, 1, 2, 0x05, 0xb4, 5, 6, 7, 8};
    const uint16_t before = test_cksum(p, sizeof p);
    tmtu_put16(p + 3, 0x05a0);
    assert_int_equal(tmtu_cksum_update16(before, 0xb405, 0xa005),
                     test_cksum(p, sizeof p));
}

static void r_4443_02_the_pseudo_header_word_by_word(void **state)
{
    (void)state;
    uint8_t p[40];
    for (size_t i = 0; i < 32; i++)
        p[i] = (uint8_t)(255 - 3 * i);
    const uint32_t lens[] = {0, 8, 1440, 65535, 65536, 0x12345678};
    for (size_t i = 0; i < TEST_ROWS(lens); i++) {
        tmtu_put32(p + 32, lens[i]); /* RFC 8200 §8.1: 32 bits of it */
        tmtu_put32(p + 36, 58);
        assert_int_equal(
            tmtu_cksum_finish(tmtu_cksum_pseudo(p, p + 16, 16, 58, lens[i])),
            test_cksum(p, 40));
    }
    uint8_t q[12] = {192, 0, 2, 10, 198, 51, 100, 20, 0, 17, 0x12, 0x34};
    assert_int_equal(
        tmtu_cksum_finish(tmtu_cksum_pseudo(q, q + 4, 4, 17, 0x1234)),
        test_cksum(q, 12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r_1071_01_the_example_of_the_rfc),
        cmocka_unit_test(folding_keeps_every_carry),
        cmocka_unit_test(every_length_to_1600_at_every_alignment),
        cmocka_unit_test(every_length_to_1600_ends_where_memory_does),
        cmocka_unit_test(the_most_there_can_be_of_ones),
        cmocka_unit_test(a_sum_goes_on_where_another_ended),
        cmocka_unit_test(twenty_bytes_at_every_alignment),
        cmocka_unit_test(r_1624_01_the_example_of_the_rfc_gives_zero),
        cmocka_unit_test(r_1624_03_updates_equal_sums_from_the_start),
        cmocka_unit_test(r_1624_05_at_an_odd_offset_both_are_swapped),
        cmocka_unit_test(r_4443_02_the_pseudo_header_word_by_word),
    };
    return cmocka_run_group_tests_name("cksum", tests, NULL, NULL);
}

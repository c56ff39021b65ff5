/* SPDX-License-Identifier: MIT */
/* bytes: numbers at any address, and views that end where they end. */
#include "tmtu_test.h"

static const uint8_t digits[8] = {0x01, 0x23, 0x45, 0x67,
                                  0x89, 0xab, 0xcd, 0xef};

static void a_view_gives_what_it_has_and_no_more(void **state)
{
    (void)state;
    uint8_t *p = test_exact(digits, 8);
    struct tmtu_view v = tmtu_view(p, 8);
    assert_int_equal(tmtu_view_len(v), 8);
    assert_ptr_equal(tmtu_peek(v, 0), p);
    assert_ptr_equal(tmtu_peek(v, 8), p);
    assert_null(tmtu_peek(v, 9));
    assert_null(tmtu_peek(v, SIZE_MAX));
    assert_int_equal(tmtu_view_len(v), 8);
    free(p);
}

static void pulling_takes_off_the_front_or_nothing(void **state)
{
    (void)state;
    uint8_t *p = test_exact(digits, 8);
    struct tmtu_view v = tmtu_view(p, 8);
    assert_ptr_equal(tmtu_pull(&v, 3), p);
    assert_ptr_equal(v.data, p + 3);
    assert_null(tmtu_pull(&v, 6));
    assert_ptr_equal(v.data, p + 3);
    assert_ptr_equal(v.end, p + 8);
    assert_ptr_equal(tmtu_pull(&v, 5), p + 3);
    assert_int_equal(tmtu_view_len(v), 0);
    assert_ptr_equal(tmtu_pull(&v, 0), p + 8);
    assert_null(tmtu_pull(&v, 1));
    free(p);
}

static void numbers_are_read_at_every_alignment(void **state)
{
    (void)state;
    for (size_t skew = 0; skew < 8; skew++) {
        uint8_t *mem = test_exact(NULL, skew + 8);
        uint8_t *p = mem + skew;
        memcpy(p, digits, 8);
        assert_int_equal(tmtu_get16(p), 0x0123);
        assert_int_equal(tmtu_get16(p + 6), 0xcdef);
        assert_int_equal(tmtu_get32(p), 0x01234567u);
        assert_int_equal(tmtu_get32(p + 4), 0x89abcdefu);
        assert_int_equal(tmtu_get32le(p), 0x67452301u);
        assert_true(tmtu_get64le(p) == 0xefcdab8967452301u);
        /* In this machine's order, whichever that is. */
        uint32_t w32;
        uint64_t w64;
        memcpy(&w32, p, 4);
        memcpy(&w64, p, 8);
        assert_int_equal(tmtu_load32(p), w32);
        assert_true(tmtu_load64(p) == w64);
        free(mem);
    }
}

static void
numbers_are_written_at_every_alignment_and_nothing_beside(void **state)
{
    (void)state;
    for (size_t skew = 1; skew < 9; skew++) {
        uint8_t mem[24], want[24];
        memset(mem, 0xa5, sizeof mem);
        memset(want, 0xa5, sizeof want);
        tmtu_put16(mem + skew, 0xfedc);
        memcpy(want + skew, "\xfe\xdc", 2);
        assert_memory_equal(mem, want, sizeof mem);
        tmtu_put32(mem + skew + 3, 0x89abcdefu);
        memcpy(want + skew + 3, "\x89\xab\xcd\xef", 4);
        assert_memory_equal(mem, want, sizeof mem);
        tmtu_copy(mem + skew, digits, 7);
        memcpy(want + skew, digits, 7);
        assert_memory_equal(mem, want, sizeof mem);
    }
}

static void order_is_that_of_the_wire_on_any_machine(void **state)
{
    (void)state;
    uint16_t as_loaded;
    memcpy(&as_loaded, digits, 2);
    assert_int_equal(tmtu_order16(as_loaded), 0x0123);
    assert_int_equal(tmtu_order16(tmtu_order16(0xbeef)), 0xbeef);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_gives_what_it_has_and_no_more),
        cmocka_unit_test(pulling_takes_off_the_front_or_nothing),
        cmocka_unit_test(numbers_are_read_at_every_alignment),
        cmocka_unit_test(
            numbers_are_written_at_every_alignment_and_nothing_beside),
        cmocka_unit_test(order_is_that_of_the_wire_on_any_machine),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}

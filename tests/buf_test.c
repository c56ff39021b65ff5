/* SPDX-License-Identifier: MIT */
/* buf: four pointers that move by what there is room for, and bytes that stay.
 */
#include "tmtu_test.h"

/* head <= data <= tail <= end, at these distances. */
static void assert_buf(const struct tmtu_buf *b, const uint8_t *mem,
                       size_t headroom, size_t len, size_t tailroom)
{
    assert_ptr_equal(b->head, mem);
    assert_ptr_equal(b->data, mem + headroom);
    assert_ptr_equal(b->tail, mem + headroom + len);
    assert_ptr_equal(b->end, mem + headroom + len + tailroom);
    assert_int_equal(tmtu_buf_headroom(b), headroom);
    assert_int_equal(tmtu_buf_len(b), len);
    assert_int_equal(tmtu_buf_tailroom(b), tailroom);
}

static void a_new_one_is_empty_behind_its_headroom(void **state)
{
    (void)state;
    uint8_t mem[10] = {0};
    struct tmtu_buf b = tmtu_buf(mem, 10, 4);
    assert_buf(&b, mem, 4, 0, 6);
    b = tmtu_buf(mem, 10, 0);
    assert_buf(&b, mem, 0, 0, 10);
    b = tmtu_buf(mem, 10, 10);
    assert_buf(&b, mem, 10, 0, 0);
    b = tmtu_buf(mem, 10, 11); /* all of it is headroom */
    assert_buf(&b, mem, 10, 0, 0);
}

static void push_and_put_stop_at_the_ends_of_memory(void **state)
{
    (void)state;
    uint8_t mem[10] = {0};
    struct tmtu_buf b = tmtu_buf(mem, 10, 4);
    assert_ptr_equal(tmtu_buf_put(&b, 2), mem + 4);
    assert_buf(&b, mem, 4, 2, 4);
    assert_null(tmtu_buf_put(&b, 5));
    assert_null(tmtu_buf_push(&b, 5));
    assert_null(tmtu_buf_put(&b, SIZE_MAX));
    assert_null(tmtu_buf_push(&b, SIZE_MAX));
    assert_buf(&b, mem, 4, 2, 4);
    assert_ptr_equal(tmtu_buf_push(&b, 1), mem + 3);
    assert_buf(&b, mem, 3, 3, 4);
    assert_ptr_equal(tmtu_buf_push(&b, 3), mem);
    assert_ptr_equal(tmtu_buf_put(&b, 4), mem + 6);
    assert_buf(&b, mem, 0, 10, 0);
    assert_ptr_equal(tmtu_buf_push(&b, 0), mem);
    assert_ptr_equal(tmtu_buf_put(&b, 0), mem + 10);
    assert_null(tmtu_buf_push(&b, 1));
    assert_null(tmtu_buf_put(&b, 1));
    assert_buf(&b, mem, 0, 10, 0);
}

static void pull_stops_at_the_end_of_the_packet(void **state)
{
    (void)state;
    uint8_t mem[10] = {0};
    struct tmtu_buf b = tmtu_buf(mem, 10, 2);
    assert_non_null(tmtu_buf_put(&b, 5));
    assert_null(tmtu_buf_pull(&b, 6));
    assert_buf(&b, mem, 2, 5, 3);
    assert_ptr_equal(tmtu_buf_pull(&b, 2), mem + 2);
    assert_buf(&b, mem, 4, 3, 3);
    assert_ptr_equal(tmtu_buf_pull(&b, 3), mem + 4);
    assert_buf(&b, mem, 7, 0, 3);
    assert_null(tmtu_buf_pull(&b, 1));
}

static void trim_cuts_and_never_adds(void **state)
{
    (void)state;
    uint8_t mem[10] = {0};
    struct tmtu_buf b = tmtu_buf(mem, 10, 2);
    assert_non_null(tmtu_buf_put(&b, 5));
    tmtu_buf_trim(&b, 6);
    assert_buf(&b, mem, 2, 5, 3);
    tmtu_buf_trim(&b, 5);
    assert_buf(&b, mem, 2, 5, 3);
    tmtu_buf_trim(&b, 4);
    assert_buf(&b, mem, 2, 4, 4);
    tmtu_buf_trim(&b, 0);
    assert_buf(&b, mem, 2, 0, 8);
}

static void nothing_moves_or_touches_bytes(void **state)
{
    (void)state;
    uint8_t mem[10], want[10];
    memset(mem, 0xa5, sizeof mem);
    memset(want, 0xa5, sizeof want);
    struct tmtu_buf b = tmtu_buf(mem, 10, 5);
    assert_non_null(tmtu_buf_put(&b, 5));
    assert_non_null(tmtu_buf_push(&b, 5));
    assert_non_null(tmtu_buf_pull(&b, 1));
    tmtu_buf_trim(&b, 3);
    const struct tmtu_view v = tmtu_buf_view(&b);
    assert_ptr_equal(v.data, mem + 1);
    assert_ptr_equal(v.end, mem + 4);
    assert_memory_equal(mem, want, sizeof mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_empty_behind_its_headroom),
        cmocka_unit_test(push_and_put_stop_at_the_ends_of_memory),
        cmocka_unit_test(pull_stops_at_the_end_of_the_packet),
        cmocka_unit_test(trim_cuts_and_never_adds),
        cmocka_unit_test(nothing_moves_or_touches_bytes),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

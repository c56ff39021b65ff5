/* SPDX-License-Identifier: MIT */
/* Messages that are held back, and told about. */
#include "tmtu_test.h"

#include "seldom.h"

static void what_happens_often_is_said_now_and_then(void **state)
{
    struct seldom s = {0, 0};
    uint64_t more = 99;
    const uint64_t start = 5;
    (void)state;
    assert_true(seldom(&s, start, &more));
    assert_int_equal(more, 0);
    for (uint64_t i = 0; i < 7; i++)
        assert_false(seldom(&s, start + i, &more));
    assert_false(seldom(&s, start + SELDOM_INTERVAL - 1, &more));
    assert_true(seldom(&s, start + SELDOM_INTERVAL, &more));
    assert_int_equal(more, 8);
    assert_true(seldom(&s, start + 2 * SELDOM_INTERVAL, &more));
    assert_int_equal(more, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happens_often_is_said_now_and_then),
    };
    return cmocka_run_group_tests_name("seldom", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* api and reason: a sentence for every error, a name for every reason. */
#include "tmtu_test.h"

#include <tunmtu/reason.h>

static void every_error_has_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (int a = TMTU_E_FORBIDDEN; a <= TMTU_E_IGNORED; a++) {
        assert_string_not_equal(tmtu_strerror(a), "unknown error");
        for (int b = TMTU_E_FORBIDDEN; b < a; b++)
            assert_string_not_equal(tmtu_strerror(a), tmtu_strerror(b));
    }
    assert_string_equal(tmtu_strerror(TMTU_E_IGNORED), "not for this function");
    assert_string_equal(tmtu_strerror(TMTU_E_CHECKSUM), "wrong checksum");
    assert_string_equal(tmtu_strerror(TMTU_E_FORBIDDEN), "forbidden by an RFC");
    const int others[] = {0, 1, -10, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < TEST_ROWS(others); i++)
        assert_string_equal(tmtu_strerror(others[i]), "unknown error");
}

static void errors_keep_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(TMTU_E_IGNORED, -1);
    assert_int_equal(TMTU_E_TRUNCATED, -2);
    assert_int_equal(TMTU_E_MALFORMED, -3);
    assert_int_equal(TMTU_E_NOSPACE, -4);
    assert_int_equal(TMTU_E_ARGUMENT, -5);
    assert_int_equal(TMTU_E_CHECKSUM, -6);
    assert_int_equal(TMTU_E_LIMIT, -7);
    assert_int_equal(TMTU_E_UNSUPPORTED, -8);
    assert_int_equal(TMTU_E_FORBIDDEN, -9);
}

static void every_reason_has_a_name_fit_for_a_counter(void **state)
{
    (void)state;
    for (int a = 0; a < TMTU_REASONS; a++) {
        const char *name = tmtu_reason_name(a);
        assert_non_null(name);
        assert_in_range(strlen(name), 2, 24);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
                         strlen(name));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(name, tmtu_reason_name(b));
    }
    assert_null(tmtu_reason_name(-1));
    assert_null(tmtu_reason_name(TMTU_REASONS));
    assert_null(tmtu_reason_name(INT32_MAX));
}

static void reasons_and_names_have_not_slipped(void **state)
{
    (void)state;
    static const struct {
        int reason;
        const char *name;
    } rows[] = {
        {TMTU_OK, "ok"},
        {TMTU_R_TRUNCATED, "truncated"},
        {TMTU_R_MALFORMED, "malformed"},
        {TMTU_R_CHECKSUM, "checksum"},
        {TMTU_R_LIMIT, "limit"},
        {TMTU_R_UNSUPPORTED, "unsupported"},
        {TMTU_R_INTERNAL, "internal"},
        {TMTU_R_TTL_EXPIRED, "ttl_expired"},
        {TMTU_R_TOO_BIG, "too_big"},
        {TMTU_R_TOO_BIG_FRAGMENT, "too_big_fragment"},
        {TMTU_R_TOO_BIG_ERROR, "too_big_error"},
        {TMTU_R_MTU_FLOOR, "mtu_floor"},
        {TMTU_R_OVERSIZE, "oversize"},
        {TMTU_R_LOOP, "loop"},
        {TMTU_R_ABOUT_ERROR, "about_error"},
        {TMTU_R_LATER_FRAGMENT, "later_fragment"},
        {TMTU_R_GROUP, "group"},
        {TMTU_R_L2_GROUP, "l2_group"},
        {TMTU_R_SOURCE, "source"},
        {TMTU_R_NO_ROOM, "no_room"},
        {TMTU_R_NOT_TUNNEL, "not_tunnel"},
        {TMTU_R_OUTER_SOURCE, "outer_source"},
        {TMTU_R_OUTER_DEST, "outer_dest"},
        {TMTU_R_OUTER_FRAGMENT, "outer_fragment"},
        {TMTU_R_INNER_VERSION, "inner_version"},
        {TMTU_R_INNER_MALFORMED, "inner_malformed"},
        {TMTU_R_INNER_SOURCE, "inner_source"},
        {TMTU_R_INNER_DEST, "inner_dest"},
        {TMTU_R_INNER_TTL, "inner_ttl"},
        {TMTU_R_ECN, "ecn"},
        {TMTU_R_LIMIT_ALL, "limit_all"},
        {TMTU_R_LIMIT_HOST, "limit_host"},
        {TMTU_R_DUPLICATE, "duplicate"},
        {TMTU_R_OUTER_CHECKSUM, "outer_checksum"},
        {TMTU_R_TUNNEL_HEADER, "tunnel_header"},
        {TMTU_R_TUNNEL_KEY, "tunnel_key"},
        {TMTU_R_ENCAP_LIMIT, "encap_limit"},
        {TMTU_R_QUOTE_SHORT, "quote_short"},
        {TMTU_R_NOT_RELAYED, "not_relayed"},
        {TMTU_R_MTU_CLAIM, "mtu_claim"},
        {TMTU_R_FITS, "fits"},
        {TMTU_R_MAY_CUT, "may_cut"},
        {TMTU_R_POLICY, "policy"},
    };
    assert_true(TEST_ROWS(rows) <= TMTU_REASONS); /* new ones: at the end */
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        assert_int_equal(rows[i].reason, i);
        assert_string_equal(tmtu_reason_name(rows[i].reason), rows[i].name);
    }
}

static void a_parser_error_stands_for_a_reason(void **state)
{
    (void)state;
    assert_int_equal(tmtu_reason_of(TMTU_E_TRUNCATED), TMTU_R_TRUNCATED);
    assert_int_equal(tmtu_reason_of(TMTU_E_MALFORMED), TMTU_R_MALFORMED);
    assert_int_equal(tmtu_reason_of(TMTU_E_CHECKSUM), TMTU_R_CHECKSUM);
    assert_int_equal(tmtu_reason_of(TMTU_E_LIMIT), TMTU_R_LIMIT);
    assert_int_equal(tmtu_reason_of(TMTU_E_UNSUPPORTED), TMTU_R_UNSUPPORTED);
    assert_int_equal(tmtu_reason_of(TMTU_E_NOSPACE), TMTU_R_INTERNAL);
    assert_int_equal(tmtu_reason_of(-1000), TMTU_R_INTERNAL);
    assert_int_equal(tmtu_reason_of(0), TMTU_OK);
    assert_int_equal(tmtu_reason_of(7), TMTU_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_sentence_of_its_own),
        cmocka_unit_test(errors_keep_their_numbers),
        cmocka_unit_test(every_reason_has_a_name_fit_for_a_counter),
        cmocka_unit_test(reasons_and_names_have_not_slipped),
        cmocka_unit_test(a_parser_error_stands_for_a_reason),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}

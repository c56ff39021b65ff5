/* SPDX-License-Identifier: MIT */
/* The table of flows: who is found, for how long, and who makes room. */
#include "tmtu_test.h"

#include <tunmtu/flows.h>

static const struct tmtu_hash_key key = {0x0123456789abcdefu, 77};
static const uint64_t S = 15259u * 65536; /* a second, in whole steps */

/* A table in memory of exactly its size, full of 0xa5; free() ends it. */
static struct tmtu_flows *table(size_t n)
{
    uint8_t *mem = test_exact(NULL, tmtu_flows_sizeof(n));
    struct tmtu_flows *t = tmtu_flows_init(mem, n, &key);
    assert_ptr_equal(t, mem);
    return t;
}

/* The flow of the i-th client to one service. */
static struct tmtu_flow flow(uint32_t i)
{
    static const uint8_t vip[4] = {10, 0, 0, 2};
    uint8_t ip4[4];
    struct tmtu_flow f;
    tmtu_put32(ip4, 0x0b000000u + i / 50000);
    tmtu_addr_set4(f.src, ip4);
    tmtu_addr_set4(f.dst, vip);
    tmtu_flow_set_ports(&f, 4, 6, (uint16_t)(1024 + i % 50000), 443,
                        TMTU_FLOW_PORTS);
    return f;
}

static int put(struct tmtu_flows *t, uint32_t i, uint64_t lifetime,
               uint64_t now)
{
    const struct tmtu_flow f = flow(i);
    return tmtu_flows_put(t, &f, i, lifetime, now);
}

/* Puts the i-th flow and confirms it; 0: no place. */
static int confirm(struct tmtu_flows *t, uint32_t i, uint64_t lifetime,
                   uint64_t now)
{
    const int place = put(t, i, lifetime, now);
    if (place < 0) {
        assert_int_equal(place, TMTU_E_NOSPACE);
        return 0;
    }
    tmtu_flows_keep(t, place, TMTU_FLOWS_CONFIRMED, lifetime, now);
    return 1;
}

/* Whether the i-th flow is there, with the value that it was put with. */
static int there(struct tmtu_flows *t, uint32_t i, uint64_t now)
{
    const struct tmtu_flow f = flow(i);
    const int place = tmtu_flows_find(t, &f, now);
    if (place < 0) {
        assert_int_equal(place, TMTU_E_IGNORED);
        return 0;
    }
    assert_true(*tmtu_flows_value(t, place) == i);
    assert_memory_equal(tmtu_flows_flow(t, place), &f, sizeof f);
    return 1;
}

static void sizes_are_powers_of_two(void **state)
{
    uint64_t mem[8];
    (void)state;
    assert_int_equal(tmtu_flows_sizeof(16), 128 + 16 * 56);
    assert_int_equal(tmtu_flows_sizeof(1u << 20), 128 + 56u * 1048576);
    assert_true(tmtu_flows_sizeof(TMTU_FLOWS_MAX) == 128 + 56 * TMTU_FLOWS_MAX);
    static const size_t wrong[] = {
        0, 1, 8, 15, 17, 24, TMTU_FLOWS_MAX - 1, TMTU_FLOWS_MAX * 2, SIZE_MAX};
    for (size_t i = 0; i < TEST_ROWS(wrong); i++) {
        assert_int_equal(tmtu_flows_sizeof(wrong[i]), 0);
        assert_null(tmtu_flows_init(mem, wrong[i], &key));
    }
}

static void what_was_put_is_found_until_it_is_removed(void **state)
{
    struct tmtu_flows *t = table(16);
    const struct tmtu_flow f = flow(7);
    (void)state;
    assert_int_equal(tmtu_flows_find(t, &f, 0), TMTU_E_IGNORED);
    const int place = put(t, 7, S, 0);
    assert_true(place >= 0 && place < 16);
    assert_int_equal(tmtu_flows_find(t, &f, 0), place);
    assert_true(there(t, 7, 0));
    *tmtu_flows_value(t, place) = 0xfedcba9876543210u;
    assert_int_equal(tmtu_flows_find(t, &f, 0), place);
    assert_true(*tmtu_flows_value(t, place) == 0xfedcba9876543210u);
    tmtu_flows_remove(t, place);
    assert_int_equal(tmtu_flows_find(t, &f, 0), TMTU_E_IGNORED);
    const struct tmtu_flows_counters *n = tmtu_flows_counters(t);
    assert_int_equal(n->places, 16);
    assert_int_equal(n->inserted, 1);
    assert_int_equal(n->removed, 1);
    assert_int_equal(n->held, 0);
    free(t);
}

/* What is left of a flow in a free place does not look like one, whatever its
 * hash; one of 16384 has the tag that free places have. */
static void what_was_removed_leaves_nothing(void **state)
{
    struct tmtu_flows *t = table(16);
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        assert_true(put(t, i, S, 0) >= 0);
        const struct tmtu_flow f = flow(i);
        tmtu_flows_remove(t, tmtu_flows_find(t, &f, 0));
        assert_false(there(t, i, 0));
    }
    assert_int_equal(tmtu_flows_counters(t)->removed, 100000);
    assert_int_equal(tmtu_flows_counters(t)->expired, 0);
    assert_int_equal(tmtu_flows_counters(t)->held, 0);
    free(t);
}

/* Two flows that differ in a bit, hashed alike or not, are two. */
static void every_bit_of_a_flow_counts(void **state)
{
    const struct tmtu_flow f = flow(7);
    (void)state;
    for (unsigned bit = 0; bit < 8 * sizeof f; bit++) {
        struct tmtu_flows *t = table(16);
        uint8_t bytes[sizeof f];
        struct tmtu_flow other;
        memcpy(bytes, &f, sizeof f);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
        memcpy(&other, bytes, sizeof f);
        assert_true(tmtu_flows_put(t, &f, 1, S, 0) >= 0);
        assert_int_equal(tmtu_flows_find(t, &other, 0), TMTU_E_IGNORED);
        assert_true(tmtu_flows_put(t, &other, 2, S, 0) >= 0);
        assert_int_equal(*tmtu_flows_value(t, tmtu_flows_find(t, &f, 0)), 1);
        assert_int_equal(*tmtu_flows_value(t, tmtu_flows_find(t, &other, 0)),
                         2);
        free(t);
    }
}

static void a_flow_put_again_keeps_its_class_and_place(void **state)
{
    struct tmtu_flows *t = table(16);
    const struct tmtu_flow f = flow(7);
    (void)state;
    const int place = put(t, 7, S, 0);
    assert_int_equal(tmtu_flows_class(t, place), TMTU_FLOWS_NEW);
    assert_int_equal(tmtu_flows_put(t, &f, 8, 2 * S, S / 2), place);
    assert_int_equal(tmtu_flows_class(t, place), TMTU_FLOWS_NEW);
    tmtu_flows_keep(t, place, TMTU_FLOWS_CONFIRMED, 2 * S, S / 2);
    assert_int_equal(tmtu_flows_put(t, &f, 9, 5 * S, S), place);
    assert_int_equal(tmtu_flows_class(t, place), TMTU_FLOWS_CONFIRMED);
    assert_int_equal(*tmtu_flows_value(t, place), 9);
    assert_int_equal(tmtu_flows_find(t, &f, 6 * S - 1), place);
    assert_int_equal(tmtu_flows_counters(t)->inserted, 1);
    assert_int_equal(tmtu_flows_counters(t)->confirmed, 1);
    assert_int_equal(tmtu_flows_counters(t)->held, 1);
    /* its time over, it is a new one: what confirmed it is long ago */
    assert_true(tmtu_flows_put(t, &f, 9, S, 7 * S) >= 0);
    assert_int_equal(tmtu_flows_class(t, tmtu_flows_find(t, &f, 7 * S)),
                     TMTU_FLOWS_NEW);
    assert_int_equal(tmtu_flows_counters(t)->inserted, 2);
    assert_int_equal(tmtu_flows_counters(t)->expired, 1);
    assert_int_equal(tmtu_flows_counters(t)->confirmed, 0);
    assert_int_equal(tmtu_flows_counters(t)->held, 1);
    tmtu_flows_keep(t, tmtu_flows_find(t, &f, 7 * S), TMTU_FLOWS_CONFIRMED, S,
                    7 * S);
    tmtu_flows_keep(t, tmtu_flows_find(t, &f, 7 * S), TMTU_FLOWS_NEW, S, 7 * S);
    assert_int_equal(tmtu_flows_counters(t)->confirmed, 0);
    free(t);
}

/* now, lifetime, and the first moment at which it is over. */
static void time_is_no_shorter_than_said(void **state)
{
    static const struct {
        const char *name;
        uint64_t now, lifetime, end;
    } rows[] = {
        {"on the step", 0, 65536, 65536},
        {"a nanosecond more is a step more", 0, 65537, 131072},
        {"begun within a step", 1, 65536, 131072},
        {"15 minutes", 5, 900000000000u, 900000055296u},
        {"no time, on a step", 65536, 0, 65536},
        {"no time, within a step", 65537, 0, 131072},
        {"up to the last step", UINT64_MAX - 131071, 65536, UINT64_MAX - 65535},
        {"beyond the end of time", 1000, UINT64_MAX, UINT64_MAX - 65535},
        {"just to the end of time", 1000, UINT64_MAX - 1000,
         UINT64_MAX - 65535},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_flows *t = table(16);
        print_message("  %s\n", rows[i].name);
        assert_true(put(t, 7, rows[i].lifetime, rows[i].now) >= 0);
        assert_true(rows[i].end == rows[i].now || there(t, 7, rows[i].end - 1));
        assert_false(there(t, 7, rows[i].end));
        assert_int_equal(tmtu_flows_counters(t)->expired, 1);
        assert_int_equal(tmtu_flows_counters(t)->held, 0);
        assert_false(there(t, 7, 0)); /* forgotten for good */
        free(t);
    }
}

static void finding_lengthens_no_time_and_keeping_does(void **state)
{
    struct tmtu_flows *t = table(16);
    const struct tmtu_flow f = flow(7);
    (void)state;
    assert_true(put(t, 7, 2 * S, 0) >= 0);
    assert_true(there(t, 7, S));
    assert_true(there(t, 7, 2 * S - 1));
    tmtu_flows_keep(t, tmtu_flows_find(t, &f, S), TMTU_FLOWS_NEW, 2 * S, S);
    assert_true(there(t, 7, 3 * S - 1));
    /* shorter, too: a connection that was closed */
    tmtu_flows_keep(t, tmtu_flows_find(t, &f, S), TMTU_FLOWS_NEW, S / 2, S);
    assert_false(there(t, 7, 2 * S));
    free(t);
}

/* In a table of 16 everybody may stand anywhere. */
static void room_is_made_by_the_one_that_goes_first(void **state)
{
    struct tmtu_flows *t = table(16);
    const struct tmtu_flows_counters *n = tmtu_flows_counters(t);
    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        if (i % 4 == 0)
            assert_true(confirm(t, i, i == 0 ? S : 60 * S, 0));
        else
            assert_true(put(t, i, (20 - i) * S, 0) >= 0);
    }
    assert_int_equal(n->held, 16);
    assert_int_equal(n->confirmed, 4);
    assert_int_equal(n->evicted, 0);
    assert_true(put(t, 100, 50 * S, 0) >= 0); /* for the 15th: 5 s */
    assert_false(there(t, 15, 0));
    assert_true(put(t, 101, 50 * S, 0) >= 0);
    assert_false(there(t, 14, 0));
    assert_int_equal(n->evicted, 2);
    assert_true(put(t, 102, 50 * S, S) >= 0); /* a confirmed one's is over */
    assert_int_equal(n->evicted, 2);
    assert_int_equal(n->expired, 1);
    assert_int_equal(n->held, 16);
    assert_int_equal(n->confirmed, 3);
    assert_true(there(t, 13, S));
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(put(t, 200 + i, 50 * S, S) >= 0);
    for (uint32_t i = 4; i < 16; i += 4)
        assert_true(there(t, i, S));
    assert_int_equal(n->confirmed, 3);
    assert_int_equal(n->held, 16);
    free(t);
}

static void no_place_is_taken_from_the_confirmed(void **state)
{
    struct tmtu_flows *t = table(16);
    const struct tmtu_flow f = flow(3);
    (void)state;
    for (uint32_t i = 0; i < 16; i++)
        assert_true(confirm(t, i, i == 3 ? S : 60 * S, 0));
    uint8_t *before = test_exact((uint8_t *)t, tmtu_flows_sizeof(16));
    const struct tmtu_flows_counters was = *tmtu_flows_counters(t);
    assert_int_equal(put(t, 100, S, S - 1), TMTU_E_NOSPACE);
    assert_int_equal(tmtu_flows_counters(t)->full, was.full + 1);
    assert_memory_equal(before + 128, (uint8_t *)t + 128,
                        tmtu_flows_sizeof(16) - 128);
    free(before);
    /* one that is there needs no place */
    assert_true(tmtu_flows_put(t, &f, 3, S, S - 1) >= 0);
    assert_int_equal(put(t, 100, S, 2 * S - 1), TMTU_E_NOSPACE);
    assert_true(put(t, 100, S, 2 * S) >= 0);
    assert_false(there(t, 3, 2 * S));
    free(t);
    (void)state;
}

/* The header's promise: of four fifths of a table one of a thousand finds no
 * place at most, and of all of it one of fifteen. */
static void four_fifths_find_a_place(void **state)
{
    static const size_t sizes[] = {1u << 10, 1u << 13, 1u << 17};
    (void)state;
    for (size_t k = 0; k < TEST_ROWS(sizes); k++) {
        struct tmtu_flows *t = table(sizes[k]);
        const uint32_t most = (uint32_t)(sizes[k] / 5 * 4);
        uint32_t refused = 0;
        for (uint32_t i = 0; i < most; i++)
            refused += !confirm(t, i, 60 * S, 0);
        print_message("  %zu places, 80 %% wanted: %u refused\n", sizes[k],
                      (unsigned)refused);
        assert_true(refused <= most / 1000);
        assert_int_equal(tmtu_flows_counters(t)->full, refused);
        assert_int_equal(tmtu_flows_counters(t)->confirmed, most - refused);
        for (uint32_t i = most; i < sizes[k]; i++)
            refused += !confirm(t, i, 60 * S, 0);
        print_message("  %zu places, all wanted: %u refused\n", sizes[k],
                      (unsigned)refused);
        assert_true(refused <= sizes[k] / 15);
        free(t);
    }
}

/* Ten times as many first packets as there are places. */
static void a_flood_pushes_out_no_confirmed_flow(void **state)
{
    enum { N = 1 << 14 };
    struct tmtu_flows *t = table(N);
    (void)state;
    for (uint32_t i = 0; i < N / 2; i++)
        assert_true(confirm(t, i, 900 * S, 0));
    for (uint32_t i = 0; i < 10 * N; i++)
        assert_true(put(t, 1000000 + i, 60 * S, S) >= 0);
    for (uint32_t i = 0; i < N / 2; i++)
        assert_true(there(t, i, S));
    /* and who comes in the middle of it is there long enough to answer */
    assert_true(put(t, 999999, 60 * S, 2 * S) >= 0);
    for (uint32_t i = 0; i < N / 8; i++)
        assert_true(put(t, 2000000 + i, 60 * S, 2 * S + i * 65536) >= 0);
    assert_true(there(t, 999999, 3 * S));
    const struct tmtu_flows_counters *n = tmtu_flows_counters(t);
    assert_int_equal(n->full, 0);
    assert_int_equal(n->confirmed, N / 2);
    assert_true(n->held <= N);
    assert_int_equal(n->inserted, n->held + n->evicted);
    free(t);
}

static void sweeping_goes_round_and_round(void **state)
{
    struct tmtu_flows *t = table(64);
    size_t swept = 0;
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        assert_true(confirm(t, i, i % 4 ? S : 2 * S, 0));
    assert_int_equal(tmtu_flows_sweep(t, 64, S - 1), 0);
    assert_int_equal(tmtu_flows_sweep(t, 0, S), 0);
    for (unsigned i = 0; i < 64; i++) /* each place once */
        swept += tmtu_flows_sweep(t, 1, S);
    assert_int_equal(swept, 30);
    assert_int_equal(tmtu_flows_counters(t)->expired, 30);
    assert_int_equal(tmtu_flows_counters(t)->held, 10);
    assert_int_equal(tmtu_flows_counters(t)->confirmed, 10);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(there(t, i, S), i % 4 == 0);
    (void)tmtu_flows_sweep(t, 37, S); /* from the middle over the end */
    assert_int_equal(tmtu_flows_sweep(t, 64, 2 * S), 10);
    assert_int_equal(tmtu_flows_counters(t)->held, 0);
    free(t);
}

/* Who does not know the key cannot know who stands where. */
static void another_key_is_another_order(void **state)
{
    const struct tmtu_hash_key other = {1, 2};
    struct tmtu_flows *a = table(1024);
    uint8_t *mem = test_exact(NULL, tmtu_flows_sizeof(1024));
    struct tmtu_flows *b = tmtu_flows_init(mem, 1024, &other);
    unsigned same = 0;
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        same += put(a, i, S, 0) / 8 == put(b, i, S, 0) / 8;
    assert_in_range(same, 0, 10);
    free(a);
    free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_two),
        cmocka_unit_test(what_was_put_is_found_until_it_is_removed),
        cmocka_unit_test(what_was_removed_leaves_nothing),
        cmocka_unit_test(every_bit_of_a_flow_counts),
        cmocka_unit_test(a_flow_put_again_keeps_its_class_and_place),
        cmocka_unit_test(time_is_no_shorter_than_said),
        cmocka_unit_test(finding_lengthens_no_time_and_keeping_does),
        cmocka_unit_test(room_is_made_by_the_one_that_goes_first),
        cmocka_unit_test(no_place_is_taken_from_the_confirmed),
        cmocka_unit_test(four_fifths_find_a_place),
        cmocka_unit_test(a_flood_pushes_out_no_confirmed_flow),
        cmocka_unit_test(sweeping_goes_round_and_round),
        cmocka_unit_test(another_key_is_another_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* steer: the table of the paper's example, shares, and who moves when a server
 * comes or goes. Includes the source, to fill with permutations of its own. */
#include "tmtu_test.h"
#include "../lib/steer.c"

#define SERVERS 100u
#define FLOWS   100000u

static const struct tmtu_hash_key key = {0x0706050403020100u,
                                         0x0f0e0d0c0b0a0908u};

/* A table in exactly its memory. */
static struct tmtu_steer *make_table(uint32_t slots)
{
    struct tmtu_steer *t =
        tmtu_steer_init(test_exact(NULL, tmtu_steer_sizeof(slots)), slots);
    assert_non_null(t);
    return t;
}

/* Server i is 10.0.hi.lo, has the value i and the weight 1. */
static struct tmtu_steer_server make_server(uint32_t i)
{
    const uint8_t ip4[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
    struct tmtu_steer_server s;
    memset(&s, 0xa5, sizeof s); /* its state needs no value */
    tmtu_addr_set4(s.addr, ip4);
    s.port = 0;
    s.value = (uint16_t)i;
    s.weight = 1;
    return s;
}

static void make_servers(struct tmtu_steer_server *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        s[i] = make_server(i);
}

static void build(struct tmtu_steer *t, struct tmtu_steer_server *s, size_t n)
{
    assert_int_equal(tmtu_steer_build(t, s, n, &key), 0);
}

/* The value at a slot, the way users see it. */
static int at_slot(const struct tmtu_steer *t, uint32_t slot)
{
    const uint64_t hash = (((uint64_t)slot << 32) + t->slots - 1) / t->slots;
    return tmtu_steer_lookup(t, hash << 32);
}

static void count_slots(const struct tmtu_steer *t, uint32_t *count, uint32_t n)
{
    memset(count, 0, n * sizeof *count);
    for (uint32_t i = 0; i < t->slots; i++) {
        const int value = at_slot(t, i);
        assert_in_range(value, 0, n - 1);
        count[value]++;
    }
}

/* The number of slots that are not the same in both. */
static uint32_t count_changes(const struct tmtu_steer *a,
                              const struct tmtu_steer *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->slots; i++)
        n += at_slot(a, i) != at_slot(b, i);
    return n;
}

/* ---- the example: three servers, seven slots (R-MAGLEV-01, -02) ---- */

static void fill_example(const uint8_t *who, size_t n, const int *want)
{
    static const uint32_t pos[] = {3, 0, 3}, skip[] = {4, 2, 1};
    struct tmtu_steer *t = make_table(7);
    struct tmtu_steer_server s[3];
    for (size_t i = 0; i < n; i++)
        s[i] = make_server(who[i]);
    assert_int_equal(steer_rank(s, n), 0);
    for (size_t i = 0; i < n; i++) {
        s[i].state.pos = pos[who[i]];
        s[i].state.skip = skip[who[i]];
    }
    steer_fill(t, s, n);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(at_slot(t, i), want[i]);
    free(t);
}

static void example_of_three_servers(void **state)
{
    (void)state;
    const int want[] = {1, 0, 1, 0, 2, 2, 0};
    fill_example((const uint8_t[]){0, 1, 2}, 3, want);
    fill_example((const uint8_t[]){2, 0, 1}, 3, want);
}

static void example_without_the_second_server(void **state)
{
    (void)state;
    fill_example((const uint8_t[]){0, 2}, 2,
                 (const int[]){0, 0, 0, 0, 2, 2, 2});
}

/* ---- memory and arguments, no server and one (R-MAGLEV-04) ---- */

static void only_primes_in_range_make_a_table(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0,          1,        2,
                                   4,          9,        15,
                                   251 * 3,    65536,    65539 - 2 + 1,
                                   66049,      16777215, 16777216,
                                   16777259,   1u << 31, UINT32_MAX,
                                   4294967291u};
    static const uint32_t good[] = {3, 5, 7, 251, 65537, 655373, 16777213};
    uint64_t mem[8];
    memset(mem, 0xa5, sizeof mem);
    for (size_t i = 0; i < TEST_ROWS(bad); i++) {
        assert_int_equal(tmtu_steer_sizeof(bad[i]), 0);
        assert_null(tmtu_steer_init(mem, bad[i]));
    }
    for (size_t i = 0; i < sizeof mem; i++)
        assert_int_equal(((const uint8_t *)mem)[i], 0xa5);
    for (size_t i = 0; i < TEST_ROWS(good); i++) {
        assert_in_range(tmtu_steer_sizeof(good[i]), good[i] * 2,
                        good[i] * 2 + 16);
        assert_int_equal(tmtu_steer_sizeof(good[i]) % 8, 0);
    }
}

static void without_servers_every_lookup_fails(void **state)
{
    (void)state;
    struct tmtu_steer *t = make_table(251);
    struct tmtu_steer_server s[2] = {make_server(0), make_server(1)};
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 251; i++)
            assert_int_equal(at_slot(t, i), TMTU_E_IGNORED);
        s[0].weight = s[1].weight = 1; /* fill it, and empty it again: */
        build(t, s, 2);
        assert_in_range(at_slot(t, 0), 0, 1);
        s[0].weight = s[1].weight = 0;
        build(t, s, round == 0 ? 2 : 0); /* by weight 0, by nobody */
    }
    build(t, NULL, 0);
    assert_int_equal(at_slot(t, 250), TMTU_E_IGNORED);
    free(t);
}

static void one_server_has_all_slots(void **state)
{
    (void)state;
    struct tmtu_steer *t = make_table(TMTU_STEER_SLOTS);
    const uint32_t weights[] = {1, TMTU_STEER_WEIGHT_MAX};
    for (size_t i = 0; i < TEST_ROWS(weights); i++) {
        struct tmtu_steer_server s = make_server(7);
        s.weight = weights[i];
        s.value = TMTU_STEER_VALUE_MAX;
        build(t, &s, 1);
        for (uint32_t k = 0; k < t->slots; k++)
            assert_int_equal(at_slot(t, k), TMTU_STEER_VALUE_MAX);
    }
    free(t);

    /* So many turns of weight 1 that time nearly ends; the other has none. */
    struct tmtu_steer_server two[2] = {make_server(0), make_server(1)};
    two[0].weight = 0;
    t = make_table(STEER_SLOTS_MAX);
    build(t, two, 2);
    for (uint32_t k = 0; k < t->slots; k++)
        if (t->slot[k] != 1)
            fail_msg("slot %u", k);
    free(t);
}

static void as_many_servers_as_slots_have_one_each(void **state)
{
    (void)state;
    struct tmtu_steer *t = make_table(251);
    struct tmtu_steer_server s[252];
    uint32_t count[251];
    make_servers(s, 252);
    s[17].weight = TMTU_STEER_WEIGHT_MAX;
    build(t, s, 251);
    count_slots(t, count, 251);
    for (uint32_t i = 0; i < 251; i++)
        assert_int_equal(count[i], 1);
    assert_int_equal(tmtu_steer_build(t, s, 252, &key), TMTU_E_ARGUMENT);
    free(t);
}

static void failure_leaves_the_table_as_it_was(void **state)
{
    (void)state;
    struct tmtu_steer *t = make_table(251);
    struct tmtu_steer_server s[10], *big = malloc(252 * sizeof *big);
    assert_non_null(big);
    make_servers(s, 10);
    build(t, s, 10);
    const size_t size = tmtu_steer_sizeof(251);
    uint8_t *before = test_exact((const uint8_t *)t, size);
    const char *const rows[] = {"the first server again, at the end",
                                "the same, the copy without a weight",
                                "weight over the maximum",
                                "value over the maximum"};
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        print_message("  %s\n", rows[i]);
        make_servers(s, 10);
        s[3].port = 1; /* another table, if it were filled */
        if (i <= 1)
            s[9] = s[0];
        s[9].weight = i == 0 ? 5 : i == 1 ? 0 : i == 2 ? 65536 : 1;
        s[9].value = i == 3 ? 65535 : 9;
        assert_int_equal(tmtu_steer_build(t, s, 10, &key), TMTU_E_ARGUMENT);
        assert_memory_equal(t, before, size);
    }
    make_servers(big, 252);
    assert_int_equal(tmtu_steer_build(t, big, 252, &key), TMTU_E_ARGUMENT);
    assert_memory_equal(t, before, size);
    free(before);
    free(big);
    free(t);
}

/* ---- lookup ---- */

static void upper_half_of_the_hash_chooses_the_slot(void **state)
{
    (void)state;
    struct tmtu_steer *t = make_table(TMTU_STEER_SLOTS);
    for (uint32_t i = 0; i < t->slots; i++)
        t->slot[i] = (uint16_t)(i % 65535);
    assert_int_equal(tmtu_steer_lookup(t, 0), 0);
    assert_int_equal(tmtu_steer_lookup(t, UINT32_MAX), 0);
    assert_int_equal(tmtu_steer_lookup(t, UINT64_MAX), 65536 % 65535);
    assert_int_equal(tmtu_steer_lookup(t, (uint64_t)1 << 63), 32768);
    assert_int_equal(tmtu_steer_lookup(t, 0x123456789abcdef0u),
                     (int)(0x12345678ull * 65537 >> 32));
    free(t);
}

static void first_and_last_slot_of_each_size(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {3, 251, 65537, 655373, 16777213};
    for (size_t i = 0; i < TEST_ROWS(sizes); i++) {
        struct tmtu_steer *t = make_table(sizes[i]);
        t->slot[0] = 11;
        t->slot[sizes[i] - 1] = 22;
        assert_int_equal(tmtu_steer_lookup(t, 0), 11);
        assert_int_equal(tmtu_steer_lookup(t, UINT64_MAX), 22);
        free(t);
    }
}

/* ---- shares (R-MAGLEV-03; weights: R-MAGLEV-04) ---- */

static void equal_weights_differ_by_one_slot(void **state)
{
    (void)state;
    static const struct {
        uint32_t slots, n, weight;
    } rows[] = {{65537, 3, 1},   {65537, 100, 1}, {65537, 100, 65535},
                {65537, 655, 3}, {251, 3, 1},     {251, 100, 7},
                {3, 2, 1},       {655373, 100, 1}};
    uint32_t count[655];
    struct tmtu_steer_server s[655];
    for (size_t r = 0; r < TEST_ROWS(rows); r++) {
        const uint32_t each = rows[r].slots / rows[r].n;
        uint32_t more = 0;
        struct tmtu_steer *t = make_table(rows[r].slots);
        make_servers(s, rows[r].n);
        for (uint32_t i = 0; i < rows[r].n; i++)
            s[i].weight = rows[r].weight;
        build(t, s, rows[r].n);
        count_slots(t, count, rows[r].n);
        for (uint32_t i = 0; i < rows[r].n; i++) {
            assert_in_range(count[i], each, each + 1);
            more += count[i] - each;
        }
        assert_int_equal(more, rows[r].slots % rows[r].n);
        free(t);
    }
}

static void weights_are_honoured_to_a_slot(void **state)
{
    (void)state;
    static const uint32_t rows[][6] = {
        {1, 2, 3, 4, 5, 6},         {100, 100, 100, 100, 100, 50},
        {1, 1, 1, 1, 1, 65535},     {65535, 65534, 3, 2, 1, 1},
        {10, 0, 1000, 1, 0, 20000}, {7, 11, 13, 17, 19, 23}};
    static const uint32_t sizes[] = {251, 65537};
    for (size_t r = 0; r < TEST_ROWS(rows); r++)
        for (size_t z = 0; z < TEST_ROWS(sizes); z++) {
            struct tmtu_steer *t = make_table(sizes[z]);
            struct tmtu_steer_server s[6];
            uint32_t count[6], least = 0;
            double sum = 0;
            for (uint32_t i = 0; i < 6; i++) {
                s[i] = make_server(i);
                s[i].weight = rows[r][i];
                sum += rows[r][i];
            }
            /* Who is owed less than a slot has one; the others share the rest.
             */
            double slots = sizes[z];
            for (uint32_t i = 0; i < 6; i++)
                if (rows[r][i] > 0 && rows[r][i] * slots / sum < 1)
                    least += 1;
            build(t, s, 6);
            count_slots(t, count, 6);
            for (uint32_t i = 0; i < 6; i++) {
                const double owed = rows[r][i] * slots / sum;
                const double got = count[i];
                if (owed < 1)
                    assert_int_equal(count[i], owed > 0);
                else
                    assert_true(got > owed - 1 - least && got < owed + 1);
            }
            free(t);
        }
}

/* Katran's first ring and a plain loop over weights give a heavy server the
 * first choice of all slots; then his neighbours' shares, not only his, depend
 * on the unit that weights are counted in. */
static void unit_of_weights_does_not_matter(void **state)
{
    (void)state;
    struct tmtu_steer *a = make_table(65537), *b = make_table(65537);
    struct tmtu_steer_server s[SERVERS];
    make_servers(s, SERVERS);
    build(a, s, SERVERS);
    for (uint32_t i = 0; i < SERVERS; i++)
        s[i].weight = 65535;
    build(b, s, SERVERS);
    assert_int_equal(count_changes(a, b), 0);

    for (uint32_t i = 0; i < SERVERS; i++)
        s[i].weight = 1 + i % 4;
    build(a, s, SERVERS);
    for (uint32_t i = 0; i < SERVERS; i++)
        s[i].weight = (1 + i % 4) * 16384 - (i % 4 == 3);
    build(b, s, SERVERS);
    const uint32_t changes = count_changes(a, b);
    print_message("  weights times 16384: %u of 65537 slots differ\n", changes);
    assert_true(changes < 65537 / 100);
    free(a);
    free(b);
}

/* ---- the same for all who know the key ---- */

static void order_of_the_list_does_not_matter(void **state)
{
    (void)state;
    struct tmtu_steer *a = make_table(65537), *b = make_table(65537);
    struct tmtu_steer_server s[SERVERS];
    make_servers(s, SERVERS);
    for (uint32_t i = 0; i < SERVERS; i++) {
        s[i].weight = i % 5;
        s[i].addr[14] = 0; /* three servers an address, and a port each */
        s[i].addr[15] = (uint8_t)(i / 3);
        s[i].port = (uint16_t)(i % 3);
    }
    build(a, s, SERVERS);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < SERVERS; i++) { /* 37 is prime to 100 */
            const uint32_t k = (i * 37 + round) % SERVERS;
            const struct tmtu_steer_server swap = s[i];
            s[i] = s[k];
            s[k] = swap;
        }
        build(b, s, SERVERS);
        assert_int_equal(count_changes(a, b), 0);
    }
    free(a);
    free(b);
}

static void another_key_makes_another_table(void **state)
{
    (void)state;
    struct tmtu_steer *a = make_table(65537), *b = make_table(65537);
    struct tmtu_hash_key other = key;
    struct tmtu_steer_server s[SERVERS];
    make_servers(s, SERVERS);
    build(a, s, SERVERS);
    other.k1 ^= 1;
    assert_int_equal(tmtu_steer_build(b, s, SERVERS, &other), 0);
    assert_true(count_changes(a, b) > 65537 * 9 / 10);
    free(a);
    free(b);
}

static void port_is_part_of_the_identity(void **state)
{
    (void)state;
    struct tmtu_steer *a = make_table(65537), *b = make_table(65537);
    struct tmtu_steer_server s[SERVERS];
    make_servers(s, SERVERS);
    build(a, s, SERVERS);
    for (uint32_t i = 0; i < SERVERS; i++)
        s[i].port = 443;
    build(b, s, SERVERS);
    assert_true(count_changes(a, b) > 65537 * 9 / 10);
    free(a);
    free(b);
}

/* Machines of different versions stand side by side: what this table is may
 * not change without a change of the major version. Computed a second time with
 * exact fractions, by a program that shares no code with this one. */
static void table_is_the_same_in_every_version(void **state)
{
    (void)state;
    static const uint8_t want[31] = {4, 1, 1, 4, 2, 3, 4, 2, 4, 2, 4,
                                     4, 4, 3, 2, 4, 2, 0, 2, 4, 4, 1,
                                     4, 3, 4, 0, 3, 3, 4, 3, 0};
    struct tmtu_steer *t = make_table(31);
    struct tmtu_steer_server s[5];
    make_servers(s, 5);
    for (uint32_t i = 0; i < 5; i++) {
        s[i].addr[15] = (uint8_t)(i / 2);
        s[i].port = i % 2 ? 80 : 8080;
        s[i].weight = 1u << i / 2;
    }
    build(t, s, 5);
    for (uint32_t i = 0; i < 31; i++)
        assert_int_equal(at_slot(t, i), want[i]);
    free(t);
}

/* ---- who moves ---- */

/* Moves from one server that is in both tables to another that is, in percent
 * of those that need not have moved: slots, and flows. */
struct moved {
    double slots, flows;
};

static struct moved count_moved(const struct tmtu_steer *a,
                                const struct tmtu_steer *b, int who)
{
    uint32_t moved = 0, stay = 0;
    struct moved out;
    for (uint32_t i = 0; i < a->slots; i++) {
        const int from = at_slot(a, i), to = at_slot(b, i);
        if (from == who || to == who)
            continue;
        stay++;
        moved += from != to;
    }
    out.slots = 100.0 * moved / stay;
    moved = stay = 0;
    for (uint32_t i = 0; i < FLOWS; i++) {
        const uint8_t src[4] = {192, 0, 2, (uint8_t)(i >> 16)};
        const uint8_t dst[4] = {198, 51, 100, 1};
        struct tmtu_flow f = {{0}, {0}, (uint16_t)i,    443,
                              4,   6,   TMTU_FLOW_PORTS};
        tmtu_addr_set4(f.src, src);
        tmtu_addr_set4(f.dst, dst);
        const uint64_t hash = tmtu_hash_flow(&key, &f);
        const int from = tmtu_steer_lookup(a, hash);
        const int to = tmtu_steer_lookup(b, hash);
        if (from == who || to == who)
            continue;
        stay++;
        moved += from != to;
    }
    out.flows = 100.0 * moved / stay;
    return out;
}

static void measure(const char *what, const uint32_t *weights, int weight_to)
{
    struct tmtu_steer *all = make_table(65537), *less = make_table(65537);
    struct tmtu_steer_server s[SERVERS];
    struct moved worst = {0, 0}, sum = {0, 0};
    make_servers(s, SERVERS);
    for (uint32_t i = 0; i < SERVERS; i++)
        s[i].weight = weights[i % 4];
    build(all, s, SERVERS);
    for (uint32_t out = 0; out < 8; out++) {
        const uint32_t before = s[out].weight;
        s[out].weight = (uint32_t)weight_to;
        build(less, s, SERVERS);
        s[out].weight = before;
        const struct moved m = count_moved(all, less, (int)out);
        worst.slots = m.slots > worst.slots ? m.slots : worst.slots;
        worst.flows = m.flows > worst.flows ? m.flows : worst.flows;
        sum.slots += m.slots / 8;
        sum.flows += m.flows / 8;
    }
    print_message("  %s: %.2f %% of the others' slots (worst %.2f), %.2f %% of "
                  "their flows (worst %.2f) move\n",
                  what, sum.slots, worst.slots, sum.flows, worst.flows);
    assert_true(worst.slots < 1);
    assert_true(worst.flows < 1);
    free(all);
    free(less);
}

static void one_of_100_servers_goes_or_comes(void **state)
{
    (void)state;
    measure("one of 100 goes", (const uint32_t[]){1, 1, 1, 1}, 0);
    measure("one of 100 of weights 1 2 5 10 goes",
            (const uint32_t[]){1, 2, 5, 10}, 0);
    measure("one of 100 gets half its weight",
            (const uint32_t[]){10, 10, 10, 10}, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"R-MAGLEV-01 the example of three servers and seven slots",
         example_of_three_servers, NULL, NULL, NULL},
        {"R-MAGLEV-02 the example without its second server",
         example_without_the_second_server, NULL, NULL, NULL},
        {"R-MAGLEV-03 equal weights differ by at most one slot",
         equal_weights_differ_by_one_slot, NULL, NULL, NULL},
        {"R-MAGLEV-04 only primes in range make a table",
         only_primes_in_range_make_a_table, NULL, NULL, NULL},
        {"R-MAGLEV-04 without servers every lookup fails",
         without_servers_every_lookup_fails, NULL, NULL, NULL},
        {"R-MAGLEV-04 one server has all slots", one_server_has_all_slots, NULL,
         NULL, NULL},
        {"R-MAGLEV-04 weights are honoured to a slot",
         weights_are_honoured_to_a_slot, NULL, NULL, NULL},
        cmocka_unit_test(unit_of_weights_does_not_matter),
        cmocka_unit_test(as_many_servers_as_slots_have_one_each),
        cmocka_unit_test(failure_leaves_the_table_as_it_was),
        cmocka_unit_test(upper_half_of_the_hash_chooses_the_slot),
        cmocka_unit_test(first_and_last_slot_of_each_size),
        cmocka_unit_test(order_of_the_list_does_not_matter),
        cmocka_unit_test(another_key_makes_another_table),
        cmocka_unit_test(port_is_part_of_the_identity),
        cmocka_unit_test(table_is_the_same_in_every_version),
        {"R-MAGLEV-02 one of 100 servers goes or comes",
         one_of_100_servers_goes_or_comes, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

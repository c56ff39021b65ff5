/* SPDX-License-Identifier: MIT */
/* tunmtu-pmtud: its limits hold exactly, whoever sends, and its memory is what
 * it took at the start. */
#define _GNU_SOURCE
#include <malloc.h>
#include <sys/resource.h>

#include "pmtud_bed.h"

static const uint64_t second = 1000000000;

/* So many of a second's worth are let through at once, then one each. */
static void paced(double rate, unsigned burst, uint64_t each)
{
    const struct rate r = rate_of(rate);
    const uint64_t now = (uint64_t)1 << 60;
    uint64_t since = 0;
    unsigned n = 0;
    while (rate_may(&r, since, now)) {
        since = rate_take(&r, since, now);
        n++;
    }
    assert_int_equal(n, burst);
    uint64_t at = now;
    while (!rate_may(&r, since, at))
        at += second / 10000;
    since = rate_take(&r, since, at);
    for (unsigned i = 0; i < 20; i++) {
        const uint64_t before = at;
        assert_false(rate_may(&r, since, at));
        while (!rate_may(&r, since, at))
            at += second / 10000;
        since = rate_take(&r, since, at);
        assert_in_range(at - before, each - each / 500, each + each / 500);
    }
}

static void r_7690_01_a_rate_and_its_burst_are_pmtuds(void **state)
{
    (void)state;
    paced(10, 19, second / 10);
    paced(1, 1, second);
    paced(1.1, 2, second * 10 / 11);
    paced(0.1, 1, second * 10); /* pmtud would let none through at all */
    paced(1000, 1900, second / 1000);
}

static void r_7690_01_one_of_a_source_ten_of_all(void **state)
{
    struct pm b;
    struct pm_error e = PM_ERROR4;
    char router[32];
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.src_rate = 1;
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    e.dport++;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SRC_RATE);
    for (int i = 1; i < 19; i++) {
        snprintf(router, sizeof router, "192.0.2.%d", i);
        e.router = router;
        e.dport++;
        assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    }
    e.dport++;
    e.router = "192.0.2.99";
    assert_int_equal(pm_take_error(&b, &e), PMTUD_IFACE_RATE);
    /* What was refused took nothing: a tenth of a second later it goes. */
    b.now += second / 10;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    /* The first has saved 0.9 s and 0.1 s more, which is one more. */
    e.router = "203.0.113.254";
    e.dport++;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_IFACE_RATE);
    b.now += second / 10;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    e.dport++;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SRC_RATE);
    b.now += second * 9 / 10 - 1;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SRC_RATE);
    b.now++;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    pm_close(&b);
}

static void the_same_is_not_said_twice_in_a_while(void **state)
{
    struct pm b;
    struct pm_error e = PM_ERROR6;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.src_rate = b.config.iface_rate = 100;
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    b.now += second - 1;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_DUPLICATE);
    e.router = "2001:db8:ffff::2"; /* whoever says it */
    assert_int_equal(pm_take_error(&b, &e), PMTUD_DUPLICATE);
    e.mtu--; /* that is news */
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    e.mtu++;
    e.client = "2001:db8:1::8"; /* another flow */
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    e.client = "2001:db8:1::7";
    b.now++;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_DUPLICATE);
    pm_close(&b);

    pm_begin(&b, PMTUD_BROADCAST);
    b.config.duplicate = 0;
    b.config.src_rate = b.config.iface_rate = 100;
    pm_open(&b);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    pm_close(&b);
}

/* A full set holds who is owed something; nobody is forgotten too soon. */
static void nobody_is_forgotten_while_that_would_let_him_send_more(void **state)
{
    struct rate_table t;
    struct rate_entry *oldest, *e;
    bool known;
    (void)state;
    assert_true(rate_table_init(&t, 8)); /* one set */
    for (uint64_t i = 1; i <= 8; i++) {
        e = rate_find(&t, i, 100, 1000 + i, &known, &oldest);
        assert_non_null(e);
        assert_false(known);
        e->name = i;
        e->when = 1000 + i;
    }
    assert_null(rate_find(&t, 9, 100, 1100, &known, &oldest));
    assert_int_equal(oldest->name, 1);
    e = rate_find(&t, 5, 100, 1100, &known, &oldest);
    assert_true(known);
    assert_int_equal(e->name, 5);
    e = rate_find(&t, 9, 100, 1101, &known, &oldest); /* the first is free */
    assert_non_null(e);
    assert_int_equal(e->name, 1);
    rate_table_free(&t);
}

/* 10 s of 100,000 errors a second, each changed where routers, clients and
 * ports stand, its sums with it. */
enum { FLOOD_RATE = 100000, FLOOD_SECONDS = 10 };

static void flood_change(uint8_t *p, uint32_t router, uint32_t client)
{
    pk16(p + 12, 0x6440u + (router >> 16)); /* 100.64.0.0/10 */
    pk16(p + 14, router);
    memset(p + 10, 0, 2);
    pk16(p + 10, test_cksum(p, 20));
    pk16(p + 28 + 22, client); /* quoted destination port */
    memset(p + 22, 0, 2);
    pk16(p + 22, test_cksum(p + 20, 36));
}

/* When each router was let through, to hold its rate against. */
struct history {
    uint64_t at[512];
    unsigned n;
};

/* In no stretch of time are there more than it and the burst allow. */
static void allowed(const struct history *h, double rate)
{
    const double burst = rate * RATE_BURST > 1 ? RATE_BURST : 1 / rate;
    for (unsigned i = 0; i < h->n; i++) {
        for (unsigned j = i; j < h->n; j++) {
            const double passed = (double)(h->at[j] - h->at[i]) / 1e9;
            assert_true(j - i + 1 <= (passed + burst) * rate + 1e-6);
        }
    }
}

static double cpu(void)
{
    struct rusage r;
    assert_int_equal(getrusage(RUSAGE_SELF, &r), 0);
    return (double)r.ru_utime.tv_sec + (double)r.ru_utime.tv_usec / 1e6 +
           (double)r.ru_stime.tv_sec + (double)r.ru_stime.tv_usec / 1e6;
}

/* `routers`: how many there are; the errors of all come in turn. */
static void flood(double src_rate, double iface_rate, uint32_t routers)
{
    static struct history all, of[1 << 16];
    struct pm b;
    const struct pm_error e = PM_ERROR4;
    struct pmtud_out out;
    uint8_t p[PM_MAX];
    uint64_t state = 1;
    const size_t n = pm_error(p, &e);
    memset(&all, 0, sizeof all);
    memset(of, 0, sizeof of);
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.src_rate = src_rate;
    b.config.iface_rate = iface_rate;
    pm_open(&b);
    const size_t before = mallinfo2().uordblks;
    for (uint32_t i = 0; i < FLOOD_RATE * FLOOD_SECONDS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const uint32_t router = (uint32_t)(state >> 40) % routers;
        flood_change(p, router, (uint32_t)(state >> 20));
        const struct pmtud_in in = {.p = p, .n = n, .flags = PMTUD_LINK};
        b.now = second + (uint64_t)i * (second / FLOOD_RATE);
        if (pmtud_take(&b.d, &in, b.now) == PMTUD_SENT) {
            assert_int_equal(pmtud_give(&b.d, &out), 1);
            assert_true(all.n < TEST_ROWS(all.at));
            all.at[all.n++] = b.now;
            of[router].at[of[router].n++] = b.now;
        }
        assert_int_equal(pmtud_give(&b.d, &out), 0);
    }
    /* Allocated as before the flood; not a byte more. */
    assert_int_equal(mallinfo2().uordblks, before);
    allowed(&all, iface_rate);
    for (uint32_t i = 0; i < routers; i++)
        allowed(&of[i], src_rate);
    const struct pmtud_counters *c = &b.d.counters;
    assert_int_equal(c->in, FLOOD_RATE * FLOOD_SECONDS);
    assert_int_equal(c->fate[PMTUD_SENT], all.n);
    assert_int_equal(c->fate[PMTUD_SENT] + c->fate[PMTUD_SRC_RATE] +
                         c->fate[PMTUD_IFACE_RATE] + c->fate[PMTUD_DUPLICATE] +
                         c->fate[PMTUD_FULL],
                     c->in);
    /* And no less than it may be, where sources are many. */
    const double most = (FLOOD_SECONDS + RATE_BURST) * iface_rate;
    if (routers * src_rate > 100 * iface_rate)
        assert_in_range(all.n, (unsigned)most - 2, (unsigned)most);
    pm_close(&b);
}

static void limits_hold_exactly_at_100000_errors_a_second(void **state)
{
    (void)state;
    const double before = cpu();
    flood(1.1, 10, 1 << 16);
    print_message("%d errors from %d routers: %.0f ns each, sums for the test "
                  "included\n",
                  FLOOD_RATE * FLOOD_SECONDS, 1 << 16,
                  (cpu() - before) / (FLOOD_RATE * FLOOD_SECONDS) * 1e9);
    flood(1.1, 10, 1);
    flood(0.5, 40, 20);
}

/* More routers than there is room for: some wait, none gets too much. */
static void a_full_table_lets_nobody_through_twice(void **state)
{
    struct pm b;
    struct pm_error e = PM_ERROR4;
    static uint8_t seen[1 << 17];
    uint8_t p[PM_MAX];
    const size_t n = pm_error(p, &e);
    struct pmtud_out out;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.src_rate = 0.1;
    b.config.iface_rate = 1e6;
    b.config.duplicate = 0;
    pm_open(&b);
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < 2u << 17; i++) {
        const uint32_t router = i % (1u << 17);
        flood_change(p, router, 1);
        const struct pmtud_in in = {.p = p, .n = n, .flags = PMTUD_LINK};
        b.now += 10000; /* 2.6 s in all */
        if (pmtud_take(&b.d, &in, b.now) == PMTUD_SENT) {
            assert_int_equal(seen[router]++, 0);
            assert_int_equal(pmtud_give(&b.d, &out), 1);
        }
    }
    const struct pmtud_counters *c = &b.d.counters;
    assert_true(c->fate[PMTUD_FULL] > 0);
    assert_in_range(c->fate[PMTUD_SENT], 60000, 65536); /* nearly all of it */
    pm_close(&b);
}

/* More flows than there is room for: each is told, for nobody is to wait for
 * another flow's sake; who is forgotten may be told twice. */
static void a_full_memory_of_what_was_told_forgets_the_oldest(void **state)
{
    struct pm b;
    struct pm_error e = PM_ERROR4;
    uint8_t p[PM_MAX];
    const size_t n = pm_error(p, &e);
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.src_rate = b.config.iface_rate = 1e6;
    b.config.duplicate = 3600 * second;
    pm_open(&b);
    struct pmtud_in in = {.p = p, .n = n, .flags = PMTUD_LINK};
    for (uint32_t i = 0; i < 1u << 17; i++) {
        pk16(p + 28 + 20, 1000 + (i >> 16)); /* quoted ports */
        flood_change(p, 1, i);
        b.now += 10000;
        assert_int_equal(pmtud_take(&b.d, &in, b.now), PMTUD_SENT);
    }
    assert_int_equal(pmtud_take(&b.d, &in, b.now), PMTUD_DUPLICATE);
    pk16(p + 28 + 20, 1000); /* the first of them */
    flood_change(p, 1, 0);
    assert_int_equal(pmtud_take(&b.d, &in, b.now), PMTUD_SENT);
    pm_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r_7690_01_a_rate_and_its_burst_are_pmtuds),
        cmocka_unit_test(r_7690_01_one_of_a_source_ten_of_all),
        cmocka_unit_test(the_same_is_not_said_twice_in_a_while),
        cmocka_unit_test(
            nobody_is_forgotten_while_that_would_let_him_send_more),
        cmocka_unit_test(limits_hold_exactly_at_100000_errors_a_second),
        cmocka_unit_test(a_full_table_lets_nobody_through_twice),
        cmocka_unit_test(a_full_memory_of_what_was_told_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

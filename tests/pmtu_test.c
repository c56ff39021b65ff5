/* SPDX-License-Identifier: MIT */
/* The path-MTU cache as scripts of (now, event, expected); the figures are
 * those of Linux and of RFC 1191. */
#include "tmtu_test.h"

#include <tunmtu/ip.h>
#include <tunmtu/pmtu.h>

static const struct tmtu_hash_key key = {0x0123456789abcdefu, 77};
static const struct tmtu_pmtu_options defaults = TMTU_PMTU_INIT;
static const uint64_t S = 1000000000u;

enum { LINK = 1500 };

/* A cache in memory of exactly its size, full of 0xa5; free() ends it. */
static struct tmtu_pmtu *cache(size_t n, const struct tmtu_pmtu_options *o)
{
    uint8_t *mem = test_exact(NULL, tmtu_pmtu_sizeof(n));
    struct tmtu_pmtu *c = tmtu_pmtu_init(mem, n, o, &key);
    assert_ptr_equal(c, mem);
    return c;
}

/* The path from this host to the i-th other, of this family. */
static struct tmtu_pmtu_path path(int ipver, uint32_t i)
{
    struct tmtu_pmtu_path p = {{0}, {0}, 0};
    uint8_t ip4[4];
    if (ipver == 4) {
        tmtu_addr_set4(p.src, (const uint8_t[]){10, 0, 0, 1});
        tmtu_put32(ip4, 0x0b000000u + i);
        tmtu_addr_set4(p.dst, ip4);
    } else {
        tmtu_put32(p.src, 0xfd000000u);
        tmtu_put32(p.dst, 0xfd000001u);
        tmtu_put32(p.dst + 12, i);
    }
    return p;
}

static struct tmtu_pmtu_error says(uint32_t mtu)
{
    const struct tmtu_pmtu_error e = {mtu, 0, 20, 1};
    return e;
}

static enum tmtu_pmtu_outcome learn(struct tmtu_pmtu *c,
                                    const struct tmtu_pmtu_path *p,
                                    uint32_t mtu, uint64_t now)
{
    const struct tmtu_pmtu_error e = says(mtu);
    return tmtu_pmtu_learn(c, p, &e, LINK, now);
}

static enum tmtu_pmtu_outcome doubt(struct tmtu_pmtu *c,
                                    const struct tmtu_pmtu_path *p,
                                    uint32_t mtu, uint64_t now)
{
    struct tmtu_pmtu_error e = says(mtu);
    e.validated = 0;
    return tmtu_pmtu_learn(c, p, &e, LINK, now);
}

static uint32_t ask_link(struct tmtu_pmtu *c, const struct tmtu_pmtu_path *p,
                         uint32_t link, uint64_t now)
{
    struct tmtu_pmtu_answer a;
    memset(&a, 0xa5, sizeof a);
    if (tmtu_pmtu_lookup(c, p, link, now, &a) == 0) {
        assert_int_equal(a.mtu, link);
        assert_int_equal(a.locked, 0);
        assert_true(a.expiry == UINT64_MAX);
    } else if (a.expiry != UINT64_MAX) {
        assert_true(a.expiry > now);
    }
    return a.mtu;
}

static uint32_t ask(struct tmtu_pmtu *c, const struct tmtu_pmtu_path *p,
                    uint64_t now)
{
    return ask_link(c, p, LINK, now);
}

static int locked(struct tmtu_pmtu *c, const struct tmtu_pmtu_path *p,
                  uint64_t now)
{
    struct tmtu_pmtu_answer a;
    tmtu_pmtu_lookup(c, p, LINK, now, &a);
    return a.locked;
}

static uint64_t counted(struct tmtu_pmtu *c, enum tmtu_pmtu_outcome what)
{
    return tmtu_pmtu_counters(c)->errors[what];
}

/* One path, many events, in order. */
struct event {
    uint32_t at; /* seconds */
    int ipver;
    uint32_t link;
    uint32_t mtu; /* of an error; NONE: only a look */
    enum tmtu_pmtu_outcome outcome;
    uint32_t then; /* what the path carries afterwards; L: and is locked */
};
enum { NONE = 0x12345678, L = 0x10000 };

static void play(const struct tmtu_pmtu_options *o, const struct event *e,
                 size_t n)
{
    struct tmtu_pmtu *c = cache(4, o);
    for (size_t i = 0; i < n; i++, e++) {
        const struct tmtu_pmtu_path p = path(e->ipver, 1);
        const struct tmtu_pmtu_error error = says(e->mtu);
        struct tmtu_pmtu_answer a;
        if (e->mtu != NONE &&
            tmtu_pmtu_learn(c, &p, &error, e->link, e->at * S) != e->outcome)
            fail_msg("event %zu: another outcome", i);
        tmtu_pmtu_lookup(c, &p, e->link, e->at * S, &a);
        if (a.mtu + (a.locked ? L : 0) != e->then)
            fail_msg("event %zu: %u, locked %d", i, a.mtu, a.locked);
    }
    free(c);
}

static void k95_lower_is_recorded_and_equal_renews_in_the_second_half(void **s)
{
    (void)s;
    static const struct event events[] = {
        {0, 4, LINK, NONE, 0, 1500},
        {0, 4, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
        {1, 4, LINK, 1450, TMTU_PMTU_HIGHER, 1400},
        {299, 4, LINK, 1400, TMTU_PMTU_KNOWN, 1400},
        {300, 4, LINK, 1400, TMTU_PMTU_REFRESHED, 1400}, /* until 900 */
        {599, 4, LINK, 1400, TMTU_PMTU_KNOWN, 1400},
        {600, 4, LINK, NONE, 0, 1400},
        {601, 4, LINK, 1399, TMTU_PMTU_LEARNT, 1399}, /* until 1201 */
        {1200, 4, LINK, NONE, 0, 1399},
        {1201, 4, LINK, NONE, 0, 1500},
    };
    play(&defaults, events, TEST_ROWS(events));
}

static void k96_below_the_floor_is_the_floor_and_a_lock(void **s)
{
    (void)s;
    static const struct event below[] = {
        {0, 4, LINK, 551, TMTU_PMTU_LEARNT, 552 + L},
    };
    static const struct event at[] = {
        {0, 4, LINK, 552, TMTU_PMTU_LEARNT, 552},
        {1, 4, LINK, 551, TMTU_PMTU_LEARNT, 552 + L},
    };
    static const struct event narrow[] = {
        {0, 4, 500, 500, TMTU_PMTU_LEARNT, 500 + L},
        {0, 4, 500, 400, TMTU_PMTU_LOCKED, 500 + L},
    };
    static const struct event narrow_400[] = {
        {0, 4, 500, 400, TMTU_PMTU_LEARNT, 500 + L},
    };
    play(&defaults, below, TEST_ROWS(below));
    play(&defaults, at, TEST_ROWS(at));
    play(&defaults, narrow, TEST_ROWS(narrow));
    play(&defaults, narrow_400, TEST_ROWS(narrow_400));
}

static void k97_a_locked_path_learns_nothing_until_its_time_is_over(void **s)
{
    (void)s;
    static const struct event events[] = {
        {0, 4, LINK, 300, TMTU_PMTU_LEARNT, 552 + L},
        {1, 4, LINK, 200, TMTU_PMTU_LOCKED, 552 + L},
        {400, 4, LINK, 552, TMTU_PMTU_LOCKED, 552 + L},
        {599, 4, LINK, 100, TMTU_PMTU_LOCKED, 552 + L},
        {600, 4, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
    };
    play(&defaults, events, TEST_ROWS(events));
}

static void k98_the_answer_says_that_df_must_go(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(4, &defaults);
    const struct tmtu_pmtu_path p = path(4, 1), other = path(4, 2);
    learn(c, &other, 1450, 0);
    learn(c, &other, 1400, 0);
    learn(c, &p, 551, 0);
    assert_int_equal(locked(c, &other, 1), 0);
    assert_int_equal(locked(c, &p, 599 * S), 1);
    assert_int_equal(locked(c, &p, 600 * S), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->locked, 1);
    free(c);
}

static void k99_an_entry_follows_its_link(void **s)
{
    (void)s;
    static const struct event follows[] = {
        {0, 4, 1500, 1400, TMTU_PMTU_LEARNT, 1400},
        {1, 4, 1450, NONE, 0, 1400}, /* still above it */
        {2, 4, 1300, NONE, 0, 1300},
        {3, 4, 1700, NONE, 0, 1700}, /* it was the link's: pmtu.sh */
        {4, 4, 1700, 1400, TMTU_PMTU_LEARNT, 1400},
        {5, 4, 2000, NONE, 0, 1400}, /* it was not */
    };
    static const struct event unlocks[] = {
        {0, 4, 1500, 300, TMTU_PMTU_LEARNT, 552 + L},
        {1, 4, 553, NONE, 0, 552 + L},
        {2, 4, 552, NONE, 0, 552},
        {3, 4, 1500, NONE, 0, 1500},
    };
    static const struct event stays_locked[] = {
        {0, 4, 500, 400, TMTU_PMTU_LEARNT, 500 + L},
        {1, 4, 1500, NONE, 0, 500 + L}, /* a lock is not raised */
        {2, 4, 400, NONE, 0, 400},
    };
    static const struct event v6[] = {
        {0, 6, 1500, 1400, TMTU_PMTU_LEARNT, 1400},
        {1, 6, 1300, 1350, TMTU_PMTU_HIGHER, 1300},
        {2, 6, 1500, NONE, 0, 1500},
    };
    play(&defaults, follows, TEST_ROWS(follows));
    play(&defaults, unlocks, TEST_ROWS(unlocks));
    play(&defaults, stays_locked, TEST_ROWS(stays_locked));
    play(&defaults, v6, TEST_ROWS(v6));

    struct tmtu_pmtu *c = cache(4, &defaults);
    const struct tmtu_pmtu_path p = path(4, 1);
    learn(c, &p, 1400, 0);
    ask_link(c, &p, 1450, 1);
    ask_link(c, &p, 1400, 1);
    assert_int_equal(tmtu_pmtu_counters(c)->followed, 0);
    ask_link(c, &p, 1300, 1);
    assert_int_equal(tmtu_pmtu_counters(c)->followed, 1);
    assert_int_equal(ask_link(c, &p, 1300, 600 * S), 1300); /* its own time */
    assert_int_equal(tmtu_pmtu_counters(c)->expired, 1);
    free(c);
}

/* A quoted packet, out of the bytes on the wire. */
static struct tmtu_pmtu_path quoted(uint8_t tos, uint16_t sport, uint32_t tun)
{
    uint8_t b[28] = {0x45, 0, 0,  28, 0, 1, 0x40, 0, 64, 17,
                     0,    0, 10, 0,  0, 1, 11,   0, 0,  1};
    struct tmtu_pkt pkt;
    b[1] = tos;
    tmtu_put16(b + 20, sport);
    b[25] = 8;
    const struct tmtu_view v = {b, b + sizeof b};
    assert_int_equal(tmtu_ip_parse(v, 0, &pkt), 0);
    assert_int_equal(pkt.flow.sport, sport);
    return tmtu_pmtu_path(&pkt.flow, tun);
}

static void k100_an_entry_knows_no_next_hop(void **s)
{
    (void)s;
    /* Whichever next hop the flow's hash chose: one entry, one MTU. */
    struct tmtu_pmtu *c = cache(16, &defaults);
    for (uint16_t port = 1; port < 100; port++) {
        const struct tmtu_pmtu_path p = quoted(0, port, 0);
        const enum tmtu_pmtu_outcome was = learn(c, &p, 1400, 0);
        assert_int_equal(was, port == 1 ? TMTU_PMTU_LEARNT : TMTU_PMTU_KNOWN);
        assert_int_equal(ask(c, &p, 1), 1400);
    }
    free(c);
}

static void k101_r_8201_05_ports_do_not_count_and_sources_need_not(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(64, &defaults);
    struct tmtu_pmtu_path one = quoted(0, 1000, 0), other = quoted(0, 2000, 0);
    const struct tmtu_pmtu_path inside = quoted(0, 1000, 7);
    assert_int_equal(learn(c, &one, 1400, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &other, 1), 1400);

    other.src[15] = 2; /* paths from two addresses are two, */
    assert_int_equal(ask(c, &other, 1), LINK);
    memset(one.src, 0, 16); /* unless both leave theirs out */
    memset(other.src, 0, 16);
    assert_int_equal(ask(c, &one, 1), LINK);
    assert_int_equal(learn(c, &one, 1300, 1), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &other, 2), 1300);

    other = quoted(0, 1000, 0); /* another destination, or tunnel */
    other.dst[15] ^= 1;
    assert_int_equal(ask(c, &other, 2), LINK);
    assert_int_equal(ask(c, &inside, 2), LINK);
    assert_int_equal(learn(c, &inside, 1200, 2), TMTU_PMTU_LEARNT);
    one = quoted(0, 1000, 0);
    assert_int_equal(ask(c, &one, 3), 1400);
    one.tunnel = 7u << 8;
    assert_int_equal(ask(c, &one, 3), LINK);
    free(c);
}

static void k102_a_full_set_forgets_what_expires_first(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(4, &defaults);
    struct tmtu_pmtu_path p[6];
    for (uint32_t i = 0; i < 6; i++)
        p[i] = path(i % 2 ? 4 : 6, i);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(learn(c, &p[i], 1400 + i, (10 - i) * S), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->evicted, 0);
    assert_int_equal(learn(c, &p[4], 1404, 11 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[3], 12 * S), LINK);
    assert_int_equal(learn(c, &p[5], 1405, 12 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[2], 12 * S), LINK);
    assert_int_equal(ask(c, &p[0], 12 * S), 1400);
    assert_int_equal(ask(c, &p[1], 12 * S), 1401);
    assert_int_equal(ask(c, &p[4], 12 * S), 1404);
    assert_int_equal(ask(c, &p[5], 12 * S), 1405);
    assert_int_equal(tmtu_pmtu_counters(c)->evicted, 2);

    /* One whose time is over goes first, and nobody is counted as evicted. */
    assert_int_equal(learn(c, &p[4], 1300, 400 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(learn(c, &p[3], 1403, 609 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[0], 609 * S), 1400);
    assert_int_equal(ask(c, &p[5], 609 * S), 1405);
    assert_int_equal(tmtu_pmtu_counters(c)->evicted, 2);
    free(c);
}

static void k103_r_8201_01_ipv6_ignores_below_1280_and_never_locks(void **s)
{
    (void)s;
    static const struct event events[] = {
        {0, 6, LINK, 1279, TMTU_PMTU_BELOW, 1500},
        {0, 6, LINK, 0, TMTU_PMTU_BELOW, 1500},
        {0, 6, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
        {1, 6, LINK, 1279, TMTU_PMTU_BELOW, 1400},
        {1, 6, LINK, 0, TMTU_PMTU_BELOW, 1400},
        {1, 6, LINK, 1401, TMTU_PMTU_HIGHER, 1400},
        {1, 6, LINK, 0xffffffff, TMTU_PMTU_HIGHER, 1400},
        {1, 6, LINK, 0x80000000, TMTU_PMTU_HIGHER, 1400},
        {599, 6, LINK, 1400, TMTU_PMTU_KNOWN, 1400},
        {600, 6, LINK, NONE, 0, 1500},
        {600, 6, LINK, 1280, TMTU_PMTU_LEARNT, 1280},
    };
    struct tmtu_pmtu_options o = defaults;
    o.linux6 = 1;
    play(&o, events, TEST_ROWS(events));
}

static void r_8201_03_no_ipv6_path_is_raised_within_5_minutes(void **s)
{
    (void)s;
    static const struct event events[] = {
        {0, 6, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
        {299, 6, LINK, 1400, TMTU_PMTU_KNOWN, 1400},
        {599, 6, LINK, 1400, TMTU_PMTU_REFRESHED, 1400},
        {1198, 6, LINK, NONE, 0, 1400},
        {1199, 6, LINK, NONE, 0, 1500},
    };
    play(&defaults, events, TEST_ROWS(events));
}

static void k104_ecn_and_dscp_do_not_count(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(16, &defaults);
    const struct tmtu_pmtu_path plain = quoted(0, 1000, 0);
    learn(c, &plain, 1400, 0);
    for (unsigned tos = 0; tos < 256; tos++) {
        const struct tmtu_pmtu_path p = quoted((uint8_t)tos, 1000, 0);
        assert_memory_equal(&p, &plain, sizeof p);
        assert_int_equal(ask(c, &p, 1), 1400);
    }
    free(c);
}

static void r_1191_04_a_path_carries_no_more_than_its_first_hop(void **s)
{
    (void)s;
    static const struct event events[] = {
        {0, 4, 1500, NONE, 0, 1500},
        {0, 4, 1500, 1500, TMTU_PMTU_HIGHER, 1500},
        {0, 4, 1500, 9000, TMTU_PMTU_HIGHER, 1500},
        {0, 4, 9000, NONE, 0, 9000}, /* it was not learnt */
        {0, 4, 9000, 1500, TMTU_PMTU_LEARNT, 1500},
        {0, 4, 1400, NONE, 0, 1400},
        {0, 4, 0, NONE, 0, 0},
    };
    play(&defaults, events, TEST_ROWS(events));
}

static void r_1191_05_r_lib_15_floors_are_options(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    static const struct event at_68[] = {
        {0, 4, LINK, 68, TMTU_PMTU_LEARNT, 68},
        {0, 4, LINK, 40, TMTU_PMTU_LEARNT, 68 + L},
    };
    static const struct event untold[] = {
        {0, 4, LINK, 0, TMTU_PMTU_LEARNT, 68 + L}, /* no length to guess by */
    };
    static const struct event at_576[] = {
        {0, 4, LINK, 300, TMTU_PMTU_LEARNT, 576 + L},
    };
    static const struct event at_1400[] = {
        {0, 6, LINK, 1399, TMTU_PMTU_BELOW, 1500},
        {0, 6, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
    };
    o.floor4 = 68;
    play(&o, at_68, TEST_ROWS(at_68));
    play(&o, untold, TEST_ROWS(untold));
    o.floor4 = 576;
    o.floor6 = 1400;
    play(&o, at_576, TEST_ROWS(at_576));
    play(&o, at_1400, TEST_ROWS(at_1400));
}

/* Every MTU after every other: never up, never below the floor. */
static void r_1191_06_r_8201_02_r_lib_09_no_error_raises_an_mtu(void **s)
{
    (void)s;
    static const uint32_t odd[] = {
        0,    1,    67,   68,   551,   552,        1279,       1280,
        1400, 1499, 1500, 1501, 65535, 0x7fffffff, 0x80000000, 0xffffffff};
    for (int ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(odd); i++)
            for (size_t j = 0; j < TEST_ROWS(odd); j++) {
                struct tmtu_pmtu *c = cache(4, &defaults);
                const struct tmtu_pmtu_path p = path(ipver, 1);
                const uint32_t floor = ipver == 4 ? 552 : 1280;
                learn(c, &p, odd[i], 0);
                const uint32_t first = ask(c, &p, 0);
                learn(c, &p, odd[j], 400 * S);
                const uint32_t then = ask(c, &p, 400 * S);
                assert_in_range(first, floor, LINK);
                assert_in_range(then, floor, first);
                free(c);
            }
}

static void r_1191_07_a_router_that_does_not_tell_is_guessed(void **s)
{
    (void)s;
    static const struct {
        const char *name;
        uint32_t length, header, current, then;
    } rows[] = {
        {"as long as the MTU: 4.2BSD's sum is undone", 1500, 20, 1500, 1006},
        {"1512 of a BSD router is 1492 at least", 1512, 20, 1500, 1006},
        {"with options, more is taken off", 1052, 60, 1052, 508},
        {"longer than a plateau, shorter than the MTU", 1500, 20, 2002, 1492},
        {"a plateau itself", 1492, 20, 1500, 1006},
        {"one above", 1493, 20, 1500, 1492},
        {"short", 576, 20, 1500, 508},
        {"shorter", 508, 20, 1500, 296},
        {"at the least", 68, 20, 1500, 68},
        {"below it", 10, 20, 5, 68},
        {"nothing at all", 0, 0, 0, 68},
        {"the longest", 65535, 20, 65536, 32000},
        {"the longest, of BSD", 65535, 20, 65535, 32000},
        {"longer than any", 65555, 20, 65556, 65535},
        {"FDDI", 17914, 20, 20000, 8166},
        {"token ring", 17915, 20, 20000, 17914},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++)
        if (tmtu_pmtu_plateau(rows[i].length, rows[i].header,
                              rows[i].current) != rows[i].then)
            fail_msg("%s: not %u", rows[i].name, rows[i].then);

    struct tmtu_pmtu *c = cache(4, &defaults);
    const struct tmtu_pmtu_path p = path(4, 1), q = path(4, 2), r = path(6, 1);
    struct tmtu_pmtu_error error = {0, 1500, 20, 1};
    assert_int_equal(tmtu_pmtu_learn(c, &p, &error, LINK, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p, 0), 1006);
    error.length = 1200; /* on its way before that; the BSD rule holds it */
    assert_int_equal(tmtu_pmtu_learn(c, &p, &error, LINK, 1), TMTU_PMTU_KNOWN);
    error.length = 1006;
    assert_int_equal(tmtu_pmtu_learn(c, &p, &error, LINK, 2), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p, 2), 552); /* 508 is below the floor */
    assert_int_equal(locked(c, &p, 2), 1);

    error.length = 0; /* K78: nothing to guess by */
    assert_int_equal(tmtu_pmtu_learn(c, &q, &error, LINK, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &q, 0), 552);
    assert_int_equal(locked(c, &q, 0), 1);
    error.mtu = 1400; /* told: nothing to guess */
    error.length = 1500;
    tmtu_pmtu_forget(c, &q);
    assert_int_equal(tmtu_pmtu_learn(c, &q, &error, LINK, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &q, 0), 1400);
    error.mtu = 0; /* IPv6 routers always tell */
    assert_int_equal(tmtu_pmtu_learn(c, &r, &error, LINK, 0), TMTU_PMTU_BELOW);
    free(c);
}

static void r_1191_08_an_mtu_holds_for_600_s_and_5_minutes_at_least(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    static const struct event first[] = {
        {0, 4, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
        {599, 4, LINK, NONE, 0, 1400},
        {600, 4, LINK, NONE, 0, 1500},
    };
    static const struct event shortest[] = {
        {0, 4, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
        {1, 4, LINK, 1400, TMTU_PMTU_REFRESHED, 1400}, /* or it would rise
                                                           after 299 s */
        {300, 4, LINK, NONE, 0, 1400},
        {301, 4, LINK, NONE, 0, 1500},
    };
    static const struct event longer[] = {
        {0, 4, LINK, 1400, TMTU_PMTU_LEARNT, 1400},
        {100, 4, LINK, 1400, TMTU_PMTU_KNOWN, 1400}, /* 5 minutes are left */
        {101, 4, LINK, 1400, TMTU_PMTU_REFRESHED, 1400},
    };
    play(&defaults, first, TEST_ROWS(first));
    o.expiry = 300 * S;
    play(&o, shortest, TEST_ROWS(shortest));
    o.expiry = 400 * S;
    play(&o, longer, TEST_ROWS(longer));

    struct tmtu_pmtu *c = cache(4, &defaults);
    const struct tmtu_pmtu_path p = path(4, 1);
    struct tmtu_pmtu_answer a;
    learn(c, &p, 1400, 7);
    assert_int_equal(tmtu_pmtu_lookup(c, &p, LINK, 600 * S + 6, &a), 1);
    assert_true(a.expiry == 600 * S + 7);
    assert_int_equal(tmtu_pmtu_lookup(c, &p, LINK, 600 * S + 7, &a), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->expired, 1);
    free(c);
}

static void r_1191_09_what_is_pinned_never_expires_and_sweeps_age(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(16, &defaults);
    const struct tmtu_pmtu_path p = path(4, 1), q = path(4, 2), r = path(6, 3);
    struct tmtu_pmtu_answer a;
    learn(c, &q, 1400, 0);
    learn(c, &r, 1400, 100 * S);
    assert_int_equal(tmtu_pmtu_pin(c, &p, 1300, 0), 0);
    assert_int_equal(tmtu_pmtu_lookup(c, &p, LINK, UINT64_MAX, &a), 1);
    assert_int_equal(a.mtu, 1300);
    assert_true(a.expiry == UINT64_MAX);
    assert_int_equal(a.locked, 0);
    assert_int_equal(learn(c, &p, 1000, 0), TMTU_PMTU_LOCKED);
    assert_int_equal(ask_link(c, &p, 1200, 0), 1200);
    assert_int_equal(ask_link(c, &p, 1500, 0), 1300); /* pins do not follow */

    assert_int_equal(tmtu_pmtu_sweep(c, 16, 599 * S), 0);
    assert_int_equal(tmtu_pmtu_sweep(c, 16, 600 * S), 1);
    assert_int_equal(
        tmtu_pmtu_sweep(c, 15, 700 * S) + tmtu_pmtu_sweep(c, 1, 700 * S), 1);
    assert_int_equal(tmtu_pmtu_sweep(c, 1000, 700 * S), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->expired, 2);

    struct tmtu_pmtu *full = cache(4, &defaults);
    for (uint32_t i = 0; i < 4; i++) {
        const struct tmtu_pmtu_path each = path(4, i);
        learn(full, &each, 1400, i * S);
    }
    assert_int_equal(tmtu_pmtu_sweep(full, 4, 599 * S), 0); /* once round */
    for (uint32_t i = 0; i < 4; i++) /* they stand in order */
        assert_int_equal(tmtu_pmtu_sweep(full, 1, (600 + i) * S), 1);
    for (uint32_t i = 0; i < 4; i++) {
        const struct tmtu_pmtu_path each = path(4, i);
        learn(full, &each, 1400, 700 * S);
    }
    assert_int_equal(tmtu_pmtu_sweep(full, 0, 1300 * S), 0);
    assert_int_equal(tmtu_pmtu_sweep(full, 4, 1300 * S), 4);
    free(full);

    assert_int_equal(tmtu_pmtu_pin(c, &p, 1000, 1), 0); /* again, locked */
    assert_int_equal(ask(c, &p, 0), 1000);
    assert_int_equal(locked(c, &p, 0), 1);
    assert_int_equal(tmtu_pmtu_pin(c, &p, 0, 0), TMTU_E_ARGUMENT);
    assert_int_equal(ask(c, &p, 0), 1000);
    tmtu_pmtu_forget(c, &p);
    tmtu_pmtu_forget(c, &p);
    assert_int_equal(ask(c, &p, 0), LINK);
    free(c);
}

static void r_1191_10_an_mtu_may_rise_by_plateaus(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    static const struct event events[] = {
        {0, 4, 1500, 1000, TMTU_PMTU_LEARNT, 1000},
        {600, 4, 1500, NONE, 0, 1006},
        {719, 4, 1500, NONE, 0, 1006},
        {720, 4, 1500, NONE, 0, 1492},
        {800, 4, 1500, 1492, TMTU_PMTU_REFRESHED, 1492}, /* not yet */
        {1399, 4, 1500, NONE, 0, 1492},
        {1400, 4, 1500, NONE, 0, 1500},
        {1400, 4, 9000, NONE, 0, 9000}, /* and it is forgotten */
        {1401, 4, 9000, 300, TMTU_PMTU_LEARNT, 552 + L},
        {2001, 4, 9000, NONE, 0, 1006}, /* a step ends the lock */
        {2121, 4, 9000, NONE, 0, 1492},
        {2130, 4, 9000, 1006, TMTU_PMTU_LEARNT, 1006}, /* too far */
        {2729, 4, 9000, NONE, 0, 1006},
        {9999, 4, 9000, NONE, 0, 1492}, /* one step, however late */
        {10000, 4, 1006, NONE, 0, 1006},
        {20000, 4, 1006, NONE, 0, 1006},
        {20000, 4, 1500, NONE, 0, 1500},
        {30000, 6, 1492, 1280, TMTU_PMTU_LEARNT, 1280},
        {30600, 6, 1492, NONE, 0, 1492}, /* the plateau is the link */
    };
    o.up = TMTU_PMTU_UP_PLATEAU;
    play(&o, events, TEST_ROWS(events));

    static const uint32_t up[][3] = {
        {1006, 1500, 1492},    {1492, 1500, 1500}, {1492, 9000, 2002},
        {0, 1500, 68},         {68, 1500, 296},    {65534, 99999, 65535},
        {65535, 99999, 99999}, {1400, 1300, 1300}, {1491, 1492, 1492}};
    for (size_t i = 0; i < TEST_ROWS(up); i++)
        assert_int_equal(tmtu_pmtu_plateau_up(up[i][0], up[i][1]), up[i][2]);

    /* A look is what raises: the step up is tried, and then the next. */
    struct tmtu_pmtu *c = cache(4, &o);
    const struct tmtu_pmtu_path p = path(4, 1), other = path(4, 2);
    struct tmtu_pmtu_answer a;
    learn(c, &p, 552, 0);
    ask_link(c, &p, 9000, 1000 * S);
    learn(c, &other, 1400, 0);
    assert_int_equal(tmtu_pmtu_lookup(c, &other, 1492, 600 * S, &a), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->expired, 1);
    assert_int_equal(tmtu_pmtu_sweep(c, 4, 1119 * S), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->raised, 1);
    assert_int_equal(tmtu_pmtu_sweep(c, 4, 1120 * S), 0);
    assert_int_equal(tmtu_pmtu_counters(c)->raised, 2);
    assert_int_equal(ask_link(c, &p, 9000, 1120 * S), 1492);
    free(c);
}

static void r_8201_04_a_group_has_the_least_mtu_of_its_paths(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(4, &defaults);
    struct tmtu_pmtu_path p = path(6, 1);
    p.dst[0] = 0xff;
    assert_int_equal(learn(c, &p, 1400, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(learn(c, &p, 1480, 1), TMTU_PMTU_HIGHER);
    assert_int_equal(ask(c, &p, 1), 1400);
    free(c);
}

/* The estimate never falls below what needs no Fragment header, and no answer
 * asks for one. */
static void r_8021_01_no_atomic_fragments(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(4, &defaults);
    const struct tmtu_pmtu_path p = path(6, 1);
    learn(c, &p, 1280, 0);
    assert_int_equal(learn(c, &p, 1000, 0), TMTU_PMTU_BELOW);
    assert_int_equal(ask(c, &p, 0), 1280);
    assert_int_equal(locked(c, &p, 0), 0);
    free(c);
}

static void r_8201_06_what_is_not_validated_is_ignored(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    const struct tmtu_pmtu_path p = path(4, 1), q = path(4, 2);
    struct tmtu_pmtu *c = cache(4, &o);
    assert_int_equal(doubt(c, &p, 1400, 0), TMTU_PMTU_UNVALIDATED);
    assert_int_equal(ask(c, &p, 0), LINK);
    free(c);

    /* unless asked for; then it does not touch what is validated */
    o.unvalidated = TMTU_PMTU_UNVALIDATED_SHARE;
    c = cache(4, &o);
    assert_int_equal(learn(c, &p, 1400, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(doubt(c, &p, 1300, 1), TMTU_PMTU_UNVALIDATED);
    assert_int_equal(doubt(c, &p, 100, 1), TMTU_PMTU_UNVALIDATED);
    assert_int_equal(doubt(c, &p, 1400, 400 * S), TMTU_PMTU_UNVALIDATED);
    assert_int_equal(ask(c, &p, 599 * S), 1400);
    assert_int_equal(doubt(c, &p, 1300, 600 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p, 600 * S), 1300);

    assert_int_equal(doubt(c, &q, 1400, 700 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(doubt(c, &q, 1350, 700 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(learn(c, &q, 1350, 701 * S), TMTU_PMTU_KNOWN);
    assert_int_equal(doubt(c, &q, 1300, 702 * S), TMTU_PMTU_UNVALIDATED);
    assert_int_equal(learn(c, &q, 1250, 703 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(doubt(c, &q, 1200, 704 * S), TMTU_PMTU_UNVALIDATED);
    assert_int_equal(counted(c, TMTU_PMTU_UNVALIDATED), 5);
    free(c);
}

static void r_5927_02_a_decrease_may_have_to_be_repeated(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    o.repeat = 3;
    struct tmtu_pmtu *c = cache(4, &o);
    const struct tmtu_pmtu_path p = path(4, 1);
    assert_int_equal(learn(c, &p, 1400, 0), TMTU_PMTU_LEARNT); /* initial */
    assert_int_equal(learn(c, &p, 1300, 1), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 1300, 2), TMTU_PMTU_PENDING);
    assert_int_equal(ask(c, &p, 2), 1400);
    assert_int_equal(learn(c, &p, 1300, 3), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p, 3), 1300);

    assert_int_equal(learn(c, &p, 1200, 4), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 1200, 4), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 1201, 4), TMTU_PMTU_PENDING); /* another */
    assert_int_equal(learn(c, &p, 1201, 4), TMTU_PMTU_PENDING);
    tmtu_pmtu_delivered(c, &p, 1201); /* as it said */
    assert_int_equal(learn(c, &p, 1201, 4), TMTU_PMTU_LEARNT);

    assert_int_equal(learn(c, &p, 100, 5), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 100, 5), TMTU_PMTU_PENDING);
    tmtu_pmtu_delivered(c, &p, 553); /* it lied */
    assert_int_equal(learn(c, &p, 100, 5), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 1201, 5), TMTU_PMTU_KNOWN); /* nor so */
    assert_int_equal(learn(c, &p, 100, 5), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 100, 5), TMTU_PMTU_PENDING);
    assert_int_equal(locked(c, &p, 5), 0);
    assert_int_equal(learn(c, &p, 100, 5), TMTU_PMTU_LEARNT);
    assert_int_equal(locked(c, &p, 5), 1);
    assert_int_equal(learn(c, &p, 100, 600 * S + 5), TMTU_PMTU_LEARNT);
    const struct tmtu_pmtu_path other = path(4, 2);
    tmtu_pmtu_delivered(c, &other, 1500); /* nobody's: nothing */
    assert_int_equal(ask(c, &other, 600 * S + 5), LINK);

    /* What changes the MTU otherwise makes errors begin anew, too. */
    assert_int_equal(learn(c, &other, 1450, 600 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(learn(c, &other, 552, 600 * S), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &other, 552, 600 * S), TMTU_PMTU_PENDING);
    ask_link(c, &other, 1440, 600 * S); /* the link */
    ask_link(c, &other, 1500, 600 * S);
    assert_int_equal(learn(c, &other, 552, 600 * S), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &other, 552, 600 * S), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &other, 552, 600 * S), TMTU_PMTU_LEARNT);
    assert_int_equal(learn(c, &other, 300, 600 * S), TMTU_PMTU_PENDING);
    free(c);

    o.up = TMTU_PMTU_UP_PLATEAU; /* a step up */
    c = cache(4, &o);
    assert_int_equal(learn(c, &p, 1400, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(learn(c, &p, 1300, 0), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 1300, 0), TMTU_PMTU_PENDING);
    assert_int_equal(learn(c, &p, 1300, 600 * S), TMTU_PMTU_PENDING);
    assert_int_equal(ask(c, &p, 600 * S), 1492);
    free(c);
}

/* 10^6 destinations that nobody can validate, and as many that somebody can. */
static void r_lib_16_no_flood_takes_what_must_stay(void **s)
{
    (void)s;
    enum { ENTRIES = 4096, PINS = 64, KNOWN = 1024, FLOOD = 1000000 };
    struct tmtu_pmtu_options o = defaults;
    o.unvalidated = TMTU_PMTU_UNVALIDATED_SHARE;
    struct tmtu_pmtu *c = cache(ENTRIES, &o);
    for (uint32_t i = 0; i < PINS; i++) {
        const struct tmtu_pmtu_path p = path(4, i);
        assert_int_equal(tmtu_pmtu_pin(c, &p, 1400, 0), 0);
    }
    uint32_t held = 0, kept = 0, doubtful = 0;
    for (uint32_t i = PINS; i < KNOWN; i++) { /* every second one locked */
        const struct tmtu_pmtu_path p = path(4, i);
        held += learn(c, &p, i % 2 ? 1400 : 500, i) == TMTU_PMTU_LEARNT;
    }
    assert_true(held > KNOWN - PINS - 40); /* Poisson: 5 to a set are rare */
    for (uint32_t i = 0; i < FLOOD; i++) {
        const struct tmtu_pmtu_path p = path(4, 0x100000 + i);
        const enum tmtu_pmtu_outcome was = doubt(c, &p, i % 2 ? 600 : 1, S + i);
        assert_true(was == TMTU_PMTU_LEARNT || was == TMTU_PMTU_FULL);
    }
    for (uint32_t i = 0; i < FLOOD; i++) {
        const struct tmtu_pmtu_path p = path(4, 0x100000 + i);
        doubtful += ask(c, &p, 2 * S) != LINK;
    }
    assert_true(doubtful > ENTRIES / 8);
    assert_true(doubtful <= ENTRIES / 4);
    uint32_t evicted = 0;
    for (uint32_t i = 0; i < KNOWN; i++) {
        const struct tmtu_pmtu_path p = path(4, i);
        kept += ask(c, &p, 2 * S) != LINK;
    }
    /* What is missing, earlier validated ones had pushed out themselves. */
    evicted = KNOWN - PINS - held;
    assert_true(kept + evicted + 40 > KNOWN);
    const uint32_t before = kept;

    /* The validated, too, leave alone what is pinned or locked. */
    uint32_t locks = 0, locks_kept = 0;
    for (uint32_t i = PINS; i < KNOWN; i += 2) {
        const struct tmtu_pmtu_path p = path(4, i);
        locks += locked(c, &p, 2 * S) != 0;
    }
    for (uint32_t i = 0; i < FLOOD; i++) {
        const struct tmtu_pmtu_path p = path(4, 0x400000 + i);
        learn(c, &p, 1300, 3 * S + i);
    }
    for (uint32_t i = 0; i < KNOWN; i++) {
        const struct tmtu_pmtu_path p = path(4, i);
        if (i < PINS)
            assert_int_equal(ask(c, &p, 4 * S), 1400);
        else if (i % 2 == 0)
            locks_kept += locked(c, &p, 4 * S) != 0;
    }
    assert_int_equal(locks_kept, locks);
    assert_true(locks > 400 && before >= locks + PINS);
    free(c);
}

static void a_set_of_what_must_stay_is_full(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    o.unvalidated = TMTU_PMTU_UNVALIDATED_SHARE;
    struct tmtu_pmtu *c = cache(4, &o);
    struct tmtu_pmtu_path p[9];
    for (uint32_t i = 0; i < 9; i++)
        p[i] = path(4, i);
    assert_int_equal(learn(c, &p[0], 500, 0), 0); /* locked */
    assert_int_equal(learn(c, &p[1], 500, 1), 0);
    assert_int_equal(doubt(c, &p[2], 500, 2), 0); /* locked, but by whom? */
    assert_int_equal(tmtu_pmtu_pin(c, &p[3], 1400, 0), 0);
    assert_int_equal(doubt(c, &p[4], 1400, 3), 0); /* its like goes */
    assert_int_equal(ask(c, &p[2], 3), LINK);
    assert_int_equal(learn(c, &p[5], 500, 4), 0); /* and so does this */
    assert_int_equal(ask(c, &p[4], 4), LINK);
    assert_int_equal(learn(c, &p[6], 1400, 5), TMTU_PMTU_FULL);
    assert_int_equal(doubt(c, &p[6], 1400, 5), TMTU_PMTU_FULL);
    assert_int_equal(counted(c, TMTU_PMTU_FULL), 2);
    assert_int_equal(ask(c, &p[0], 5), 552);
    assert_int_equal(tmtu_pmtu_counters(c)->evicted, 2);

    /* A pin pushes out even the locked, but no other pin. */
    assert_int_equal(tmtu_pmtu_pin(c, &p[6], 1300, 0), 0);
    assert_int_equal(ask(c, &p[0], 5), LINK);
    assert_int_equal(ask(c, &p[1], 5), 552);
    assert_int_equal(tmtu_pmtu_pin(c, &p[7], 1300, 0), 0);
    assert_int_equal(tmtu_pmtu_pin(c, &p[8], 1300, 0), 0);
    assert_int_equal(tmtu_pmtu_pin(c, &p[0], 1300, 0), TMTU_E_NOSPACE);
    assert_int_equal(ask(c, &p[3], UINT64_MAX), 1400);
    assert_int_equal(learn(c, &p[0], 1300, 700 * S), TMTU_PMTU_FULL);
    free(c);
}

static void what_is_not_validated_takes_one_place_of_four(void **s)
{
    (void)s;
    struct tmtu_pmtu_options o = defaults;
    o.unvalidated = TMTU_PMTU_UNVALIDATED_SHARE;
    struct tmtu_pmtu *c = cache(4, &o);
    struct tmtu_pmtu_path p[5];
    for (uint32_t i = 0; i < 5; i++)
        p[i] = path(4, i);
    assert_int_equal(doubt(c, &p[0], 1400, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(doubt(c, &p[1], 1400, 1), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[0], 1), LINK); /* though three were free */
    for (uint32_t i = 2; i < 5; i++)
        assert_int_equal(learn(c, &p[i], 1300 + i, 2), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[1], 2), 1400);
    assert_int_equal(tmtu_pmtu_counters(c)->evicted, 1);
    learn(c, &p[0], 1300, 3); /* the validated push it out, not each other */
    assert_int_equal(ask(c, &p[1], 3), LINK);
    assert_int_equal(doubt(c, &p[1], 1400, 4), TMTU_PMTU_FULL);
    for (uint32_t i = 2; i < 5; i++)
        assert_int_equal(ask(c, &p[i], 4), 1300 + i);
    assert_int_equal(doubt(c, &p[1], 1400, 600 * S + 2), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[0], 600 * S + 2), 1300);
    free(c);

    c = cache(4, &o); /* nor does it take one that was left free before it */
    learn(c, &p[0], 1400, 0);
    assert_int_equal(doubt(c, &p[1], 1400, 0), TMTU_PMTU_LEARNT);
    tmtu_pmtu_forget(c, &p[0]);
    assert_int_equal(doubt(c, &p[2], 1400, 0), TMTU_PMTU_LEARNT);
    assert_int_equal(ask(c, &p[1], 0), LINK);
    free(c);
}

static void r_lib_17_no_time_is_too_late_and_no_step_back_too_far(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(4, &defaults);
    const struct tmtu_pmtu_path p = path(4, 1);
    struct tmtu_pmtu_answer a;
    learn(c, &p, 1400, (1ull << 32) * 1000000); /* 2^32 ms */
    assert_int_equal(ask(c, &p, (1ull << 32) * 1000000 + 599 * S), 1400);
    assert_int_equal(ask(c, &p, (1ull << 32) * 1000000 + 600 * S), LINK);

    learn(c, &p, 1400, UINT64_MAX - 5); /* the end of time */
    assert_int_equal(tmtu_pmtu_lookup(c, &p, LINK, UINT64_MAX - 1, &a), 1);
    assert_int_equal(a.mtu, 1400);
    assert_int_equal(ask(c, &p, 7 * S), 1400); /* back by centuries */
    assert_int_equal(ask(c, &p, 606 * S), 1400);
    assert_int_equal(ask(c, &p, 607 * S), LINK);
    free(c);
}

/* R-2003-12: what is known of a tunnel's path, and forgotten with time, is its
 * MTU. */
static void r_lib_18_a_tunnel_is_the_link_of_what_is_in_it(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(64, &defaults);
    const struct tmtu_pmtu_path carrier = path(4, 1);
    struct tmtu_pmtu_path inner = path(4, 2);
    inner.tunnel = 1;
    assert_int_equal(ask_link(c, &inner, ask(c, &carrier, 0) - 20, 0), 1480);
    learn(c, &carrier, 1400, 0);
    assert_int_equal(ask_link(c, &inner, ask(c, &carrier, 0) - 20, 0), 1380);
    learn(c, &inner, 1300, 0);
    assert_int_equal(ask_link(c, &inner, ask(c, &carrier, 0) - 20, 0), 1300);
    assert_int_equal(ask(c, &carrier, 0), 1400);
    const uint32_t later = ask(c, &carrier, 600 * S);
    assert_int_equal(ask_link(c, &inner, later - 20, 600 * S), 1480);
    free(c);
}

/* The story of the tunnel whose far end is routed through itself. I, a host's
 * inner address, talks to T through a GRE tunnel from O, its outer one, to T.
 * Returns how often an MTU went down in so many full packets. */
static unsigned talk(struct tmtu_pmtu *c, const struct tmtu_pmtu_path *inner,
                     const struct tmtu_pmtu_path *carrier, uint64_t now)
{
    enum { PACKETS = 100, GRE = 24 };
    unsigned fell = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        const uint32_t len = ask(c, inner, now + i);
        const uint32_t fits = ask(c, carrier, now + i) - GRE;
        if (len > fits) /* the tunnel says so to who sent it */
            fell += learn(c, inner, fits, now + i) == TMTU_PMTU_LEARNT;
    }
    return fell;
}

static void a_tunnel_to_a_host_behind_itself_costs_its_header_once(void **s)
{
    (void)s;
    struct tmtu_pmtu_path inner = path(4, 9), carrier = path(4, 9);
    inner.src[15] = 2;
    inner.tunnel = 1;

    struct tmtu_pmtu *c = cache(64, &defaults);
    assert_int_equal(talk(c, &inner, &carrier, 0), 1);
    assert_int_equal(ask(c, &inner, S), 1476);
    assert_int_equal(ask(c, &carrier, S), 1500);
    learn(c, &carrier, 1400, 2 * S); /* a real router, once more */
    assert_int_equal(talk(c, &inner, &carrier, 3 * S), 1);
    assert_int_equal(ask(c, &inner, 4 * S), 1376);
    assert_int_equal(ask(c, &carrier, 4 * S), 1400);
    free(c);

    /* Without a source, the tunnel alone keeps them apart. */
    memset(inner.src, 0, 16);
    memset(carrier.src, 0, 16);
    c = cache(64, &defaults);
    assert_int_equal(talk(c, &inner, &carrier, 0), 1);
    assert_int_equal(ask(c, &inner, S), 1476);
    assert_int_equal(ask(c, &carrier, S), 1500);
    free(c);

    /* One entry for both is what collapsed: 1500 - 24 * 39 = 564, and 540 is
     * the floor and a lock. */
    c = cache(64, &defaults);
    assert_int_equal(talk(c, &carrier, &carrier, 0), 40);
    assert_int_equal(ask(c, &carrier, S), 552);
    assert_int_equal(locked(c, &carrier, S), 1);
    free(c);
}

static void recursion_is_named(void **s)
{
    (void)s;
    struct tmtu_pmtu_path chain[4] = {path(4, 9), path(4, 9), path(4, 3),
                                      path(4, 4)};
    chain[0].src[15] = 2;
    chain[0].tunnel = 1; /* I to T through 1; O to T as it is */
    assert_int_equal(tmtu_pmtu_chain(chain, 0), TMTU_PMTU_CHAIN_OK);
    assert_int_equal(tmtu_pmtu_chain(chain, 1), TMTU_PMTU_CHAIN_OK);
    assert_int_equal(tmtu_pmtu_chain(chain, 2), TMTU_PMTU_CHAIN_OK);
    chain[0].tunnel = 0; /* two paths still, by their sources */
    assert_int_equal(tmtu_pmtu_chain(chain, 2), TMTU_PMTU_CHAIN_OK);
    chain[0].src[15] = 1; /* keyed as the kernel of 2011 did: one entry */
    assert_int_equal(tmtu_pmtu_chain(chain, 2), TMTU_PMTU_CHAIN_SHARED);
    assert_int_equal(tmtu_pmtu_chain(chain, 1), TMTU_PMTU_CHAIN_OK);

    chain[0].tunnel = 1; /* the tunnel's packets are routed into it */
    chain[1].tunnel = 1;
    assert_int_equal(tmtu_pmtu_chain(chain, 2), TMTU_PMTU_CHAIN_RECURSIVE);
    chain[1].tunnel = 2; /* two tunnels, one in the other */
    assert_int_equal(tmtu_pmtu_chain(chain, 4), TMTU_PMTU_CHAIN_OK);
    chain[2].tunnel = 1; /* by way of another tunnel */
    assert_int_equal(tmtu_pmtu_chain(chain, 3), TMTU_PMTU_CHAIN_RECURSIVE);
    chain[2] = chain[3]; /* the last two are one */
    assert_int_equal(tmtu_pmtu_chain(chain, 4), TMTU_PMTU_CHAIN_SHARED);
    chain[1].tunnel = 1; /* both: the worse is told */
    assert_int_equal(tmtu_pmtu_chain(chain, 4), TMTU_PMTU_CHAIN_RECURSIVE);
    chain[0].tunnel = 5;
    chain[1] = chain[2];
    chain[3].tunnel = 5;
    assert_int_equal(tmtu_pmtu_chain(chain, 4), TMTU_PMTU_CHAIN_RECURSIVE);
}

static void no_path_is_answered_for_another(void **s)
{
    (void)s;
    enum { ENTRIES = 1 << 14, PATHS = 1 << 12 };
    struct tmtu_pmtu *c = cache(ENTRIES, &defaults);
    unsigned known = 0;
    for (uint32_t i = 0; i < PATHS; i++) {
        struct tmtu_pmtu_path p = path(i & 1 ? 6 : 4, i >> 2);
        p.tunnel = i >> 1 & 1;
        assert_int_equal(learn(c, &p, 1280 + i % 200, 0), TMTU_PMTU_LEARNT);
    }
    for (uint32_t i = 0; i < 2 * PATHS; i++) {
        struct tmtu_pmtu_path p = path(i & 1 ? 6 : 4, i >> 2);
        p.tunnel = i >> 1 & 1;
        const uint32_t mtu = ask(c, &p, 1);
        known += mtu != LINK;
        assert_true(mtu == LINK || (i < PATHS && mtu == 1280 + i % 200));
    }
    print_message("  %u of %u forgotten\n", PATHS - known, PATHS);
    assert_true(known > PATHS - PATHS / 50); /* Poisson, 1 to a set: 0.4 % */
    free(c);
}

/* Who collides with whom is the key's secret. */
static void collisions_depend_on_the_key(void **s)
{
    (void)s;
    unsigned differ = 0;
    uint8_t seen[2][64];
    for (unsigned k = 0; k < 2; k++) {
        const struct tmtu_hash_key other = {k, 7};
        uint8_t *mem = test_exact(NULL, tmtu_pmtu_sizeof(16));
        struct tmtu_pmtu *c = tmtu_pmtu_init(mem, 16, &defaults, &other);
        assert_non_null(c);
        for (uint32_t i = 0; i < 64; i++) {
            const struct tmtu_pmtu_path p = path(4, i);
            learn(c, &p, 1400, i);
        }
        for (uint32_t i = 0; i < 64; i++) {
            const struct tmtu_pmtu_path p = path(4, i);
            seen[k][i] = ask(c, &p, 64) == 1400;
        }
        free(mem);
    }
    for (unsigned i = 0; i < 64; i++)
        differ += seen[0][i] != seen[1][i];
    assert_true(differ > 0);
}

static void every_error_is_counted_once(void **s)
{
    (void)s;
    struct tmtu_pmtu *c = cache(4, &defaults);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        const struct tmtu_pmtu_path p = path(i % 2 ? 4 : 6, i % 7);
        const uint64_t was = counted(c, TMTU_PMTU_LEARNT);
        const enum tmtu_pmtu_outcome outcome =
            learn(c, &p, 1600 - i * 5 % 1200, i * 7 * S);
        assert_int_equal(counted(c, TMTU_PMTU_LEARNT) - was,
                         outcome == TMTU_PMTU_LEARNT);
    }
    for (int i = 0; i < TMTU_PMTU_OUTCOMES; i++)
        sum += counted(c, (enum tmtu_pmtu_outcome)i);
    assert_int_equal(sum, 1000);
    free(c);
}

static void what_is_out_of_range_is_refused(void **s)
{
    (void)s;
    static const size_t sizes[] = {
        0,       1, 2, 3, 5, 12, 255, ((size_t)1 << 24) + 4, (size_t)1 << 25,
        SIZE_MAX};
    uint8_t *mem = test_exact(NULL, tmtu_pmtu_sizeof(4));
    for (size_t i = 0; i < TEST_ROWS(sizes); i++) {
        assert_int_equal(tmtu_pmtu_sizeof(sizes[i]), 0);
        assert_null(tmtu_pmtu_init(mem, sizes[i], &defaults, &key));
    }
    for (size_t n = 4; n <= (size_t)1 << 24; n *= 2)
        assert_true(tmtu_pmtu_sizeof(n) >= n * 32);
    for (unsigned i = 0; i < 9; i++) {
        struct tmtu_pmtu_options o = defaults;
        o.size += i == 0;
        o.size -= i == 1;
        if (i == 2) { /* R-1191-08: 5 minutes, 1 minute */
            o.expiry = 300 * S - 1;
            o.raise = 60 * S;
        }
        if (i == 3)
            o.raise = 60 * S - 1;
        if (i == 4)
            o.raise = o.expiry + 1;
        o.floor4 = i == 5 ? 67 : 68;
        o.floor6 = i == 6 ? 1279 : 1280;
        o.up = i == 7 ? 2 : 1;
        o.unvalidated = i == 8 ? 2 : 1;
        assert_null(tmtu_pmtu_init(mem, 4, &o, &key));
    }
    for (size_t i = 0; i < tmtu_pmtu_sizeof(4); i++)
        assert_int_equal(mem[i], 0xa5); /* nothing was written */
    struct tmtu_pmtu_options o = defaults;
    o.expiry = 300 * S;
    o.raise = 60 * S;
    assert_non_null(tmtu_pmtu_init(mem, 4, &o, &key));
    o.raise = o.expiry;
    assert_non_null(tmtu_pmtu_init(mem, 4, &o, &key));
    free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k95_lower_is_recorded_and_equal_renews_in_the_second_half),
        cmocka_unit_test(k96_below_the_floor_is_the_floor_and_a_lock),
        cmocka_unit_test(
            k97_a_locked_path_learns_nothing_until_its_time_is_over),
        cmocka_unit_test(k98_the_answer_says_that_df_must_go),
        cmocka_unit_test(k99_an_entry_follows_its_link),
        cmocka_unit_test(k100_an_entry_knows_no_next_hop),
        cmocka_unit_test(
            k101_r_8201_05_ports_do_not_count_and_sources_need_not),
        cmocka_unit_test(k102_a_full_set_forgets_what_expires_first),
        cmocka_unit_test(
            k103_r_8201_01_ipv6_ignores_below_1280_and_never_locks),
        cmocka_unit_test(r_8201_03_no_ipv6_path_is_raised_within_5_minutes),
        cmocka_unit_test(k104_ecn_and_dscp_do_not_count),
        cmocka_unit_test(r_1191_04_a_path_carries_no_more_than_its_first_hop),
        cmocka_unit_test(r_1191_05_r_lib_15_floors_are_options),
        cmocka_unit_test(r_1191_06_r_8201_02_r_lib_09_no_error_raises_an_mtu),
        cmocka_unit_test(r_1191_07_a_router_that_does_not_tell_is_guessed),
        cmocka_unit_test(
            r_1191_08_an_mtu_holds_for_600_s_and_5_minutes_at_least),
        cmocka_unit_test(r_1191_09_what_is_pinned_never_expires_and_sweeps_age),
        cmocka_unit_test(r_1191_10_an_mtu_may_rise_by_plateaus),
        cmocka_unit_test(r_8201_04_a_group_has_the_least_mtu_of_its_paths),
        cmocka_unit_test(r_8021_01_no_atomic_fragments),
        cmocka_unit_test(r_8201_06_what_is_not_validated_is_ignored),
        cmocka_unit_test(r_5927_02_a_decrease_may_have_to_be_repeated),
        cmocka_unit_test(r_lib_16_no_flood_takes_what_must_stay),
        cmocka_unit_test(a_set_of_what_must_stay_is_full),
        cmocka_unit_test(what_is_not_validated_takes_one_place_of_four),
        cmocka_unit_test(r_lib_17_no_time_is_too_late_and_no_step_back_too_far),
        cmocka_unit_test(r_lib_18_a_tunnel_is_the_link_of_what_is_in_it),
        cmocka_unit_test(
            a_tunnel_to_a_host_behind_itself_costs_its_header_once),
        cmocka_unit_test(recursion_is_named),
        cmocka_unit_test(no_path_is_answered_for_another),
        cmocka_unit_test(collisions_depend_on_the_key),
        cmocka_unit_test(every_error_is_counted_once),
        cmocka_unit_test(what_is_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

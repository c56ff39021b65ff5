/* SPDX-License-Identifier: MIT */
/* limit: scripts of moments and messages, and which of them may be sent. */
#include "tmtu_packet.h"

#include <tunmtu/limit.h>

#define MS 1000000ull
#define S  1000000000ull

enum { OK = TMTU_OK, ALL = TMTU_R_LIMIT_ALL, HOST = TMTU_R_LIMIT_HOST };
enum { DUP = TMTU_R_DUPLICATE };
enum { UNREACH = TMTU_ICMP_UNREACH, BIG = TMTU_ICMP_TOO_BIG };
enum { EXPIRED = TMTU_ICMP_EXPIRED };

static const struct tmtu_hash_key key = {0x0123456789abcdefu,
                                         0xfedcba9876543210u};

/* A limiter in exactly its memory, which was not clean; free() ends it. */
static struct tmtu_limit *limiter(size_t entries,
                                  const struct tmtu_limit_options *o)
{
    uint8_t *mem = test_exact(NULL, tmtu_limit_sizeof(entries));
    struct tmtu_limit *limit = tmtu_limit_init(mem, entries, o, &key);
    assert_ptr_equal(limit, mem);
    return limit;
}

/* Nothing limited. */
static struct tmtu_limit_options unlimited(void)
{
    struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    o.all.interval = 0;
    o.host.interval = 0;
    return o;
}

/* A packet of host number `host` in its flow number `port`. */
static struct tmtu_pkt from(unsigned ipver, uint32_t host, uint16_t port)
{
    struct tmtu_pkt pkt;
    memset(&pkt, 0, sizeof pkt);
    test_addr(ipver == 4 ? "10.0.0.0" : "2001:db8::", pkt.flow.src);
    test_addr(ipver == 4 ? "198.51.100.20" : "2001:db8:2::20", pkt.flow.dst);
    tmtu_put32(pkt.flow.src + 12, tmtu_get32(pkt.flow.src + 12) + host);
    pkt.flow.ipver = (uint8_t)ipver;
    pkt.flow.proto = 6;
    pkt.flow.sport = port;
    pkt.flow.dport = 443;
    pkt.flow.flags = TMTU_FLOW_PORTS;
    return pkt;
}

static unsigned ask(struct tmtu_limit *limit, uint32_t host, unsigned kind,
                    uint64_t now)
{
    const struct tmtu_pkt pkt = from(4, host, 1);
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    error.kind = (uint8_t)kind;
    return tmtu_limit_take(limit, &pkt, &error, now);
}

/* How many of `n` messages at one moment may be sent. */
static unsigned sent(struct tmtu_limit *limit, uint32_t host, unsigned kind,
                     uint64_t now, unsigned n)
{
    unsigned ok = 0;
    for (unsigned i = 0; i < n; i++)
        ok += ask(limit, host, kind, now) == OK;
    return ok;
}

/* At `now`, `n` messages of a kind to a host: `ok` may be sent, the next may
 * not for the reason given. */
struct step {
    uint64_t now;
    uint32_t host;
    unsigned kind, n, ok, then;
};

static void play(const char *name, const struct tmtu_limit_options *o,
                 const struct step *steps, size_t n)
{
    struct tmtu_limit *limit = limiter(16, o);
    print_message("  %s\n", name);
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &steps[i];
        for (unsigned k = 0; k < s->n; k++) {
            const unsigned got = ask(limit, s->host, s->kind, s->now);
            if (got != (k < s->ok ? OK : s->then))
                fail_msg("step %zu, message %u: reason %u", i, k, got);
        }
    }
    free(limit);
}

#define PLAY(name, o, steps) play(name, o, steps, TEST_ROWS(steps))

/* Figures of the two documents. */
static void presets_do_what_their_documents_say(void **state)
{
    (void)state;
    static const struct tmtu_limit_options linux_like = TMTU_LIMIT_LINUX;
    static const struct tmtu_limit_options rfc4443 = TMTU_LIMIT_RFC4443;

    static const struct step one[] = {
        {0, 1, UNREACH, 7, 6, HOST},
        {999 * MS, 1, UNREACH, 1, 0, HOST},
        {S, 1, UNREACH, 2, 1, HOST},
        {2 * S, 1, EXPIRED, 2, 1, HOST}, /* all kinds share the bucket */
        {100 * S, 1, UNREACH, 7, 6, HOST},
    };
    PLAY("K59 3/1 to a host: 6 at once, then 1 a second", &linux_like, one);
    static const struct step big[] = {
        {0, 1, UNREACH, 7, 6, HOST},
        {0, 1, BIG, 100, 100, 0},
        {0, 2, BIG, 100000, 100000, 0},
        {0, 3, EXPIRED, 7, 6, HOST}, /* and took nothing */
    };
    PLAY("K59 too big passes all limits", &linux_like, big);

    static const struct step ten[] = {
        {0, 1, EXPIRED, 11, 10, ALL},       {100 * MS, 1, EXPIRED, 2, 1, ALL},
        {199 * MS, 1, EXPIRED, 1, 0, ALL},  {200 * MS, 1, BIG, 2, 1, ALL},
        {10 * S, 1, EXPIRED, 100, 10, ALL}, /* not 100 */
    };
    PLAY("R-4443-13 10 at once, then 10 a second", &rfc4443, ten);
    static const struct step traceroute[] = {
        {S, 1, EXPIRED, 3, 3, 0},
        {S + 1, 1, EXPIRED, 3, 3, 0},
    };
    PLAY("R-4443-14 a burst of three is no flood", &rfc4443, traceroute);

    struct tmtu_limit_options o = unlimited();
    o.all = (struct tmtu_limit_rate){S / 100, 50};
    static const struct step hundred[] = {
        {0, 1, UNREACH, 51, 50, ALL},
        {S, 1, UNREACH, 51, 50, ALL},
        {S + 500 * MS, 2, UNREACH, 51, 50, ALL},
        {S + 600 * MS, 2, UNREACH, 11, 10, ALL},
    };
    PLAY("R-1812-10 N=100 a second, B=50", &o, hundred);
}

static void linux_lets_1000_a_second_through_50_at_once(void **state)
{
    (void)state;
    static const struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    struct tmtu_limit *limit = limiter(1024, &o);
    for (uint32_t host = 0; host < 60; host++) /* K59: the bucket for all */
        assert_int_equal(ask(limit, host, UNREACH, 0), host < 50 ? OK : ALL);
    unsigned n = 0;
    for (uint32_t i = 1; i <= 100000; i++)
        n += ask(limit, i % 500, UNREACH, i * 10000ull) == OK;
    assert_int_equal(n, 1000);
    free(limit);
}

/* R-7690-01: what pmtud does, in its figures. */
static void replication_at_one_and_ten_a_second(void **state)
{
    (void)state;
    struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    o.host = (struct tmtu_limit_rate){S, 1};
    o.all = (struct tmtu_limit_rate){S / 10, 10};
    o.too_big = 1;
    static const struct step twice[] = {
        {S, 1, BIG, 1, 1, 0},
        {S + 500 * MS, 1, BIG, 1, 0, HOST},
        {2 * S, 1, BIG, 2, 1, HOST},
    };
    PLAY("R-7690-01 two of one source in a second: one", &o, twice);
    struct tmtu_limit *limit = limiter(16, &o);
    for (uint32_t host = 0; host < 11; host++)
        assert_int_equal(ask(limit, host, BIG, S), host < 10 ? OK : ALL);
    free(limit);
}

/* R-LIB-05: a receiver's flood is its own, and "too big" need not share. */
static void one_receiver_does_not_starve_another(void **state)
{
    (void)state;
    struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    static const struct step steps[] = {
        {0, 1, UNREACH, 100, 6, HOST}, /* 94 denials take nothing from all */
        {0, 2, UNREACH, 7, 6, HOST},      {0, 3, UNREACH, 7, 6, HOST},
        {0, 4, UNREACH, 7, 6, HOST},      {0, 5, UNREACH, 7, 6, HOST},
        {0, 6, UNREACH, 7, 6, HOST},      {0, 7, UNREACH, 7, 6, HOST},
        {0, 8, UNREACH, 7, 6, HOST},      {0, 9, UNREACH, 3, 2, ALL},
        {6 * MS, 9, UNREACH, 5, 4, HOST}, /* ALL took nothing from it */
    };
    PLAY("R-LIB-05 the others pass", &o, steps);

    o = unlimited();
    o.all = (struct tmtu_limit_rate){S, 5};
    o.too_big = 1;
    struct tmtu_limit *rest = limiter(4, &o), *big = limiter(4, &o);
    assert_int_equal(sent(rest, 1, EXPIRED, 0, 1000), 5); /* traceroute */
    assert_int_equal(sent(big, 1, BIG, 0, 1000), 5);
    free(rest);
    free(big);
}

/* R-5927-00, peers F11, F18: the clock is not ours. */
static void no_step_of_the_clock_gives_more_than_a_burst(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.all = (struct tmtu_limit_rate){S, 3};
    static const struct step back[] = {
        {10 * S, 1, UNREACH, 4, 3, ALL}, {9 * S, 1, UNREACH, 1, 0, ALL},
        {10 * S, 1, UNREACH, 1, 0, ALL}, {9 * S, 1, UNREACH, 1, 0, ALL},
        {10 * S, 1, UNREACH, 1, 0, ALL}, {11 * S, 1, UNREACH, 2, 1, ALL},
        {8 * S, 1, UNREACH, 1, 0, ALL}, /* as far as it takes to fill */
        {12 * S, 1, UNREACH, 2, 1, ALL},
    };
    PLAY("F11 to and fro refills nothing", &o, back);
    static const struct step reset[] = {
        {1000000 * S, 1, UNREACH, 4, 3, ALL}, {5, 1, UNREACH, 1, 0, ALL},
        {S + 4, 1, UNREACH, 1, 0, ALL},       {S + 5, 1, UNREACH, 2, 1, ALL},
        {100 * S, 1, UNREACH, 4, 3, ALL},
    };
    PLAY("R-5927-00 a clock set back by days goes on from there", &o, reset);
    static const struct step kept[] = {
        {1000000 * S, 1, UNREACH, 1, 1, 0},
        {5, 1, UNREACH, 3, 2, ALL},
    };
    PLAY("R-5927-00 and what was in the bucket stays", &o, kept);
    static const struct step forward[] = {
        {0, 1, UNREACH, 4, 3, ALL},
        {(1ull << 32) * MS, 1, UNREACH, 4, 3, ALL},
        {UINT64_MAX, 1, UNREACH, 4, 3, ALL},
        {0, 1, UNREACH, 1, 0, ALL},
        {S, 1, UNREACH, 2, 1, ALL},
    };
    PLAY("R-5927-00 a jump of 2^32 ms, and to the end of time", &o, forward);

    o = unlimited();
    o.host = (struct tmtu_limit_rate){S, 3};
    static const struct step host[] = {
        {10 * S, 1, UNREACH, 4, 3, HOST}, {8 * S, 1, UNREACH, 1, 0, HOST},
        {10 * S, 1, UNREACH, 1, 0, HOST}, {11 * S, 1, UNREACH, 2, 1, HOST},
        {2 * S, 1, UNREACH, 1, 0, HOST},  {3 * S, 1, UNREACH, 2, 1, HOST},
    };
    PLAY("F11 the same for a receiver", &o, host);
}

/* Parts of a message's worth are not lost, however often one asks. */
static void asking_often_neither_gains_nor_loses(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.all = (struct tmtu_limit_rate){1000003, 1};
    o.host = (struct tmtu_limit_rate){999983, 2};
    struct tmtu_limit *limit = limiter(4, &o);
    unsigned n = 0;
    for (uint64_t now = 0; now < S; now += 997)
        n += ask(limit, 1, UNREACH, now) == OK;
    assert_int_equal(n, 1000); /* 1 + (S - 1) / 1000003 */
    free(limit);
}

static void the_largest_figures_do_not_overflow(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.all = (struct tmtu_limit_rate){1ull << 33, UINT32_MAX};
    struct tmtu_limit *limit = limiter(4, &o);
    assert_int_equal(sent(limit, 1, UNREACH, 0, 100000), 100000);
    assert_int_equal(sent(limit, 1, UNREACH, UINT64_MAX, 100000), 100000);
    free(limit);

    o.all = (struct tmtu_limit_rate){UINT64_MAX, UINT32_MAX};
    limit = limiter(4, &o);
    assert_int_equal(sent(limit, 1, UNREACH, 5, 10), 1);
    assert_int_equal(sent(limit, 1, UNREACH, UINT64_MAX, 10), 0);
    free(limit);

    o.all = (struct tmtu_limit_rate){1, 1};
    limit = limiter(4, &o);
    assert_int_equal(sent(limit, 1, UNREACH, 5, 10), 1);
    assert_int_equal(sent(limit, 1, UNREACH, 6, 10), 1);
    free(limit);
}

/* One thing of a message changed: is it another one? */
static void duplicates_are_told_by_flow_and_message(void **state)
{
    (void)state;
    enum {
        SAME,
        SRC,
        DST,
        SPORT,
        DPORT,
        PROTO,
        VERSION,
        KIND,
        CODE,
        INFO,
        LEN,
        FROM
    };
    static const struct {
        const char *name;
        unsigned what, want;
    } rows[] = {
        {"the same", SAME, DUP},
        {"another sender", SRC, OK},
        {"another destination", DST, OK},
        {"another source port", SPORT, OK},
        {"another destination port", DPORT, OK},
        {"another protocol", PROTO, OK},
        {"another version", VERSION, OK},
        {"another kind", KIND, OK},
        {"another code", CODE, OK},
        {"another MTU", INFO, OK},
        {"another length of the packet", LEN, DUP},
        {"another one who reports", FROM, DUP},
    };
    struct tmtu_limit_options o = unlimited();
    o.duplicate = S;
    o.too_big = 1;
    for (size_t i = 0; i < TEST_ROWS(rows) * 2; i++) {
        struct tmtu_pkt pkt = from(i % 2 ? 6 : 4, 1, 1);
        struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
        struct tmtu_limit *limit = limiter(16, &o);
        const unsigned what = rows[i / 2].what;
        e.kind = BIG;
        e.info = 1480;
        assert_int_equal(tmtu_limit_take(limit, &pkt, &e, S), OK);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &e, S), DUP);
        const struct tmtu_pkt first = pkt;
        const struct tmtu_icmp_error said = e;
        pkt.flow.src[15] ^= what == SRC;
        pkt.flow.dst[12] ^= what == DST;
        pkt.flow.sport ^= what == SPORT;
        pkt.flow.dport ^= what == DPORT ? 0x100 : 0;
        pkt.flow.proto ^= what == PROTO;
        pkt.flow.ipver ^= what == VERSION ? 2 : 0;
        e.kind = what == KIND ? UNREACH : BIG;
        e.code = what == CODE;
        e.info += what == INFO ? 0x10000 : 0;
        pkt.len += what == LEN;
        e.src[3] ^= what == FROM;
        print_message("  %s\n", rows[i / 2].name);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &e, S + 1),
                         rows[i / 2].want);
        assert_int_equal(tmtu_limit_take(limit, &first, &said, S + 2), DUP);
        free(limit);
    }
}

static void a_duplicate_is_one_for_so_long(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.duplicate = S;
    static const struct step steps[] = {
        {5 * S, 1, UNREACH, 2, 1, DUP},
        {6 * S - 1, 1, UNREACH, 1, 0, DUP}, /* does not begin anew */
        {6 * S, 1, UNREACH, 2, 1, DUP},
        {5 * S + 1, 1, UNREACH, 1, 0, DUP}, /* the clock steps back */
        {5 * S, 1, UNREACH, 2, 1, DUP},     /* and far back */
        {0, 1, UNREACH, 2, 1, DUP},
    };
    PLAY("one second", &o, steps);
    static const struct step exempt[] = {{S, 1, BIG, 5, 5, 0}};
    PLAY("too big is exempt from this too", &o, exempt);
    o.too_big = 1;
    static const struct step counted[] = {{S, 1, BIG, 5, 1, DUP}};
    PLAY("unless it is limited", &o, counted);

    /* Denied for another reason, it was not said; and it takes nothing. */
    o.all = (struct tmtu_limit_rate){2 * S, 2};
    o.host = (struct tmtu_limit_rate){S, 1};
    static const struct step denied[] = {
        {10 * S, 1, UNREACH, 9, 1, DUP}, {10 * S, 2, UNREACH, 9, 1, DUP},
        {10 * S, 3, UNREACH, 3, 0, ALL}, {12 * S, 3, UNREACH, 2, 1, DUP},
        {12 * S, 3, EXPIRED, 1, 0, ALL}, {14 * S, 3, EXPIRED, 1, 1, 0},
        {14 * S, 3, UNREACH, 1, 0, ALL}, {15 * S, 1, UNREACH, 1, 0, ALL},
        {16 * S, 1, UNREACH, 2, 1, DUP},
    };
    PLAY("what was denied is no duplicate", &o, denied);
}

/* K60: the interval by the length of the receiver's route. */
static void ipv6_intervals_follow_the_route(void **state)
{
    (void)state;
    static const struct {
        unsigned plen;
        uint64_t want;
    } rows[] = {{128, S},    {97, S},       {96, S / 2}, {65, S / 2},
                {64, S / 4}, {48, S / 4},   {33, S / 4}, {32, S / 8},
                {1, S / 8},  {0, 62500000}, {129, S},    {UINT32_MAX, S}};
    for (size_t i = 0; i < TEST_ROWS(rows); i++)
        assert_int_equal(tmtu_limit_interval6(rows[i].plen), rows[i].want);

    struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    o.host.interval = tmtu_limit_interval6(64);
    static const struct step steps[] = {
        {S, 1, UNREACH, 7, 6, HOST},
        {S + 249 * MS, 1, UNREACH, 1, 0, HOST},
        {S + 250 * MS, 1, UNREACH, 2, 1, HOST},
        {2 * S, 1, UNREACH, 4, 3, HOST},
    };
    PLAY("K60 a /64: every 250 ms", &o, steps);
}

/* The bits of an IPv6 source that count; IPv4 has all of them. */
static void a_prefix_is_one_receiver(void **state)
{
    (void)state;
    static const unsigned prefixes[] = {0, 1, 7, 8, 48, 63, 64, 65, 127, 128};
    for (size_t i = 0; i < TEST_ROWS(prefixes) * 129; i++) {
        const unsigned bits = prefixes[i / 129], flip = (unsigned)i % 129;
        struct tmtu_limit_options o = unlimited();
        struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
        struct tmtu_pkt pkt = from(6, 1, 1);
        o.host = (struct tmtu_limit_rate){S, 1};
        o.prefix6 = (uint8_t)bits;
        struct tmtu_limit *limit = limiter(4, &o);
        error.kind = UNREACH;
        assert_int_equal(tmtu_limit_take(limit, &pkt, &error, 0), OK);
        if (flip < 128)
            pkt.flow.src[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
        const int same = flip >= (bits ? bits : 128);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &error, 0),
                         same ? HOST : OK);
        free(limit);
    }
    struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    o.prefix6 = 8;
    static const struct step steps[] = {
        {0, 1, UNREACH, 7, 6, HOST},
        {0, 2, UNREACH, 7, 6, HOST},
    };
    PLAY("IPv4 goes by the whole address", &o, steps);
}

/* The smallest table has four places, and everybody may stand in any. */
static void a_full_table_forgets_who_was_silent_longest(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.host = (struct tmtu_limit_rate){1000 * S, 1};
    for (unsigned order = 0; order < 24; order++) {
        struct tmtu_limit *limit = limiter(4, &o);
        uint32_t host[4] = {0, 1, 2, 3};
        for (unsigned i = 0, left = order; i < 4; i++) {
            const unsigned k = i + left % (4 - i);
            const uint32_t swap = host[i];
            left /= 4 - i;
            host[i] = host[k];
            host[k] = swap;
        }
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(ask(limit, i, UNREACH, i), OK);
        for (uint32_t i = 0; i < 4; i++) /* last heard in this order */
            assert_int_equal(ask(limit, host[i], UNREACH, 10 + i), HOST);
        assert_int_equal(ask(limit, 100, UNREACH, 20), OK);
        for (uint32_t i = 1; i < 4; i++)
            assert_int_equal(ask(limit, host[i], UNREACH, 30 + i), HOST);
        assert_int_equal(ask(limit, 100, UNREACH, 34), HOST);
        assert_int_equal(ask(limit, host[0], UNREACH, 40), OK);
        free(limit);
    }
}

/* After the clock was set back, those of the future are the stale ones. */
static void a_step_back_leaves_no_squatters(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.host = (struct tmtu_limit_rate){S, 1};
    struct tmtu_limit *limit = limiter(4, &o);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask(limit, i, UNREACH, 1000000 * S + i), OK);
    for (uint32_t i = 10; i < 14; i++)
        assert_int_equal(ask(limit, i, UNREACH, i), OK);
    for (uint32_t i = 10; i < 14; i++)
        assert_int_equal(ask(limit, i, UNREACH, 20), HOST);
    free(limit);

    /* nor does their successor wait for their clock */
    o.host = (struct tmtu_limit_rate){S, 1000};
    limit = limiter(4, &o);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask(limit, i, UNREACH, 500 * S), OK);
    assert_int_equal(sent(limit, 10, UNREACH, 0, 2000), 1000);
    assert_int_equal(sent(limit, 10, UNREACH, S, 2000), 1);
    free(limit);
}

/* limiter() gives memory full of 0xa5. */
static void what_was_in_the_memory_does_not_matter(void **state)
{
    (void)state;
    const uint64_t then = 0xa5a5a5a5a5a5a5a5u;
    struct tmtu_limit_options o = unlimited();
    o.all = (struct tmtu_limit_rate){S, 4};
    struct tmtu_limit *limit = limiter(4, &o);
    assert_int_equal(sent(limit, 1, UNREACH, then - S, 5), 4);
    assert_int_equal(sent(limit, 1, UNREACH, then, 5), 1);
    free(limit);

    o = unlimited();
    o.duplicate = 10 * S;
    limit = limiter(4, &o);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask(limit, i, UNREACH, then), OK);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask(limit, i, UNREACH, then), DUP);
    free(limit);
}

/* Hosts that come round in order are the worst a table can meet: nobody is
 * remembered. The bucket for all holds, and the memory (ASan) too. */
static void a_flood_of_receivers_is_held_by_the_limit_for_all(void **state)
{
    (void)state;
    static const struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    for (size_t entries = 4; entries <= 64; entries *= 4) {
        struct tmtu_limit *limit = limiter(entries, &o);
        unsigned n = 0;
        for (uint32_t i = 0; i < 200000; i++)
            n += ask(limit, i, UNREACH, i * 5000ull) == OK;
        assert_int_equal(n, 50 + 999); /* one second */
        free(limit);
    }
}

/* Eviction of flows, and that a denial evicts nobody. */
static void who_is_denied_takes_nobodys_place(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    o.duplicate = 1000 * S;
    o.all = (struct tmtu_limit_rate){1000 * S, 4};
    error.kind = UNREACH;
    struct tmtu_limit *limit = limiter(4, &o);
    struct tmtu_pkt pkt;
    for (uint16_t i = 0; i < 4; i++) {
        pkt = from(4, 1, i);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &error, i), OK);
    }
    for (uint16_t i = 4; i < 100; i++) {
        pkt = from(4, 1, i);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &error, i), ALL);
    }
    for (uint16_t i = 0; i < 4; i++) {
        pkt = from(4, 1, i);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &error, 100), DUP);
    }
    pkt = from(4, 1, 4); /* with a message to spend, the oldest goes */
    const uint64_t later = 1000 * S;
    assert_int_equal(tmtu_limit_take(limit, &pkt, &error, later - 1), ALL);
    assert_int_equal(tmtu_limit_take(limit, &pkt, &error, later), OK);
    for (uint16_t i = 1; i < 5; i++) {
        pkt = from(4, 1, i);
        assert_int_equal(tmtu_limit_take(limit, &pkt, &error, later), DUP);
    }
    pkt = from(4, 1, 0);
    assert_int_equal(tmtu_limit_take(limit, &pkt, &error, later), ALL);
    free(limit);

    o = unlimited(); /* the same of receivers */
    o.all = (struct tmtu_limit_rate){1000 * S, 4};
    o.host = (struct tmtu_limit_rate){2000 * S, 1};
    limit = limiter(4, &o);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(ask(limit, i, UNREACH, i), i < 4 ? OK : ALL);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask(limit, i, UNREACH, later), HOST);
    free(limit);
}

/* As many receivers as a large table has sets are told apart. */
static void a_large_table_tells_receivers_apart(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    o.host = (struct tmtu_limit_rate){1000 * S, 1};
    struct tmtu_limit *limit = limiter(1 << 16, &o);
    unsigned forgotten = 0;
    for (uint32_t i = 0; i < 1 << 14; i++)
        assert_int_equal(ask(limit, i, UNREACH, i), OK);
    for (uint32_t i = 0; i < 1 << 14; i++)
        forgotten += ask(limit, i, UNREACH, 1 << 20) == OK;
    print_message("  %u of %u forgotten\n", forgotten, 1u << 14);
    /* Four places a set, one taken on average: Poisson says 311, as asking
     * in order drives out all of a set that is too small. */
    assert_true(forgotten < 500);
    free(limit);
}

/* Who collides with whom is the key's secret. */
static void collisions_depend_on_the_key(void **state)
{
    (void)state;
    struct tmtu_limit_options o = unlimited();
    unsigned differ = 0;
    uint8_t seen[2][64];
    o.host = (struct tmtu_limit_rate){1000 * S, 1};
    for (unsigned k = 0; k < 2; k++) {
        const struct tmtu_hash_key other = {k, 7};
        uint8_t *mem = test_exact(NULL, tmtu_limit_sizeof(16));
        struct tmtu_limit *limit = tmtu_limit_init(mem, 16, &o, &other);
        assert_non_null(limit);
        for (uint32_t i = 0; i < 64; i++)
            assert_int_equal(ask(limit, i, UNREACH, i), OK);
        for (uint32_t i = 0; i < 64; i++) /* asked backwards: who is left */
            seen[k][i] = ask(limit, 63 - i, UNREACH, 63) == HOST;
        free(mem);
    }
    for (unsigned i = 0; i < 64; i++)
        differ += seen[0][i] != seen[1][i];
    assert_true(differ > 0);
}

static void what_is_out_of_range_is_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,
                                   1,
                                   2,
                                   3,
                                   5,
                                   12,
                                   15,
                                   17,
                                   255,
                                   ((size_t)1 << 24) + 4,
                                   (size_t)1 << 25,
                                   SIZE_MAX};
    static const struct tmtu_limit_options good = TMTU_LIMIT_LINUX;
    uint8_t *mem = test_exact(NULL, tmtu_limit_sizeof(4));
    for (size_t i = 0; i < TEST_ROWS(sizes); i++) {
        assert_int_equal(tmtu_limit_sizeof(sizes[i]), 0);
        assert_null(tmtu_limit_init(mem, sizes[i], &good, &key));
    }
    for (size_t n = 4; n <= (size_t)1 << 24; n *= 2)
        assert_true(tmtu_limit_sizeof(n) >= 2 * n * 16);
    for (unsigned i = 0; i < 5; i++) {
        struct tmtu_limit_options o = good;
        o.size -= i == 0;
        o.size += i == 1;
        o.all.burst = i == 2 ? 0 : 1;
        o.host.burst = i == 3 ? 0 : 1;
        o.prefix6 = i == 4 ? 129 : 128;
        assert_null(tmtu_limit_init(mem, 4, &o, &key));
    }
    for (size_t i = 0; i < tmtu_limit_sizeof(4); i++)
        assert_int_equal(mem[i], 0xa5); /* nothing was written */
    free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_do_what_their_documents_say),
        cmocka_unit_test(linux_lets_1000_a_second_through_50_at_once),
        cmocka_unit_test(replication_at_one_and_ten_a_second),
        cmocka_unit_test(one_receiver_does_not_starve_another),
        cmocka_unit_test(no_step_of_the_clock_gives_more_than_a_burst),
        cmocka_unit_test(asking_often_neither_gains_nor_loses),
        cmocka_unit_test(the_largest_figures_do_not_overflow),
        cmocka_unit_test(duplicates_are_told_by_flow_and_message),
        cmocka_unit_test(a_duplicate_is_one_for_so_long),
        cmocka_unit_test(ipv6_intervals_follow_the_route),
        cmocka_unit_test(a_prefix_is_one_receiver),
        cmocka_unit_test(a_full_table_forgets_who_was_silent_longest),
        cmocka_unit_test(a_step_back_leaves_no_squatters),
        cmocka_unit_test(what_was_in_the_memory_does_not_matter),
        cmocka_unit_test(a_flood_of_receivers_is_held_by_the_limit_for_all),
        cmocka_unit_test(who_is_denied_takes_nobodys_place),
        cmocka_unit_test(a_large_table_tells_receivers_apart),
        cmocka_unit_test(collisions_depend_on_the_key),
        cmocka_unit_test(what_is_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

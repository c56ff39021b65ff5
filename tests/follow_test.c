/* SPDX-License-Identifier: MIT */
/* follow: later fragments find the flow of the first one; a bounded table with
 * a clock that may go back, and what floods do to it. */
#include "tmtu_packet.h"

#include <tunmtu/follow.h>

static const struct tmtu_hash_key key = {0x0706050403020100u,
                                         0x0f0e0d0c0b0a0908u};
static const struct tmtu_follow_options defaults = TMTU_FOLLOW_INIT;
static const uint64_t S = 1000000000u;

/* A table in memory of exactly its size, full of 0xa5; free() ends it. */
static struct tmtu_follow *table(size_t n)
{
    uint8_t *mem = test_exact(NULL, tmtu_follow_sizeof(n));
    struct tmtu_follow *t = tmtu_follow_init(mem, n, &defaults, &key);
    assert_ptr_equal(t, mem);
    return t;
}

static uint64_t counted(const struct tmtu_follow *t,
                        enum tmtu_follow_outcome what)
{
    return tmtu_follow_counters(t)->outcome[what];
}

/* ---- real fragments ---- */

static struct tmtu_owner owner_of(const uint8_t *p, size_t n, unsigned how)
{
    struct tmtu_pkt pkt;
    struct tmtu_owner o;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
    tmtu_owner_of(&pkt, how, &o);
    return o;
}

static struct test_shape piece(unsigned ipver, uint8_t proto, int later)
{
    struct test_shape s = test_shape(ipver, ipver == 4 ? 820 : 848);
    s.proto = proto;
    s.type = proto == 1 ? 8 : 128;
    if (ipver == 4)
        s.frag = later ? 100 : 0x2000;
    else
        s.frag = later ? 800 : 1;
    return s;
}

/* What `s` is about, or an error that quotes it. */
static struct tmtu_owner made(const struct test_shape *s, int quoted)
{
    uint8_t p[1500];
    const size_t head = s->ipver == 4 ? 28 : 48, quote = 120;
    if (!quoted) {
        test_packet(s, p);
        return owner_of(p, s->len, 0);
    }
    test_packet(s, p + head);
    memset(p, 0, head);
    if (s->ipver == 4) {
        tmtu_put32(p, 0x45000000u | (uint32_t)(head + quote));
        p[9] = 1;
        p[8] = 64;
        p[12] = 9;
        memcpy(p + 16, p + head + 12, 4);
        p[20] = 3;
    } else {
        tmtu_put32(p, 0x60000000u);
        tmtu_put16(p + 4, (uint16_t)(8 + quote));
        p[6] = 58;
        p[8] = 0xfd;
        memcpy(p + 24, p + head + 8, 16);
        p[40] = 2;
    }
    return owner_of(p, head + quote, 0);
}

static void r_8900_02_later_fragments_find_the_ports_of_the_first(void **s)
{
    (void)s;
    static const uint8_t protos[] = {6, 17, 33, 132, 136, 1};
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(protos); i++)
            for (int quoted = 0; quoted < 2; quoted++) {
                struct tmtu_follow *t = table(16);
                const uint8_t proto =
                    protos[i] == 1 && ipver == 6 ? 58 : protos[i];
                const struct test_shape one = piece(ipver, proto, 0),
                                        two = piece(ipver, proto, 1);
                struct tmtu_owner first = made(&one, quoted),
                                  later = made(&two, quoted);
                const struct tmtu_owner as_it_was = first, alone = later;
                assert_int_equal(first.by, TMTU_OWNER_PORTS);
                assert_int_equal(first.quoted, quoted);

                /* Before its first: missed, and left as it was. */
                assert_int_equal(tmtu_follow_owner(t, &later, 0),
                                 TMTU_FOLLOW_MISSED);
                assert_memory_equal(&later, &alone, sizeof later);
                assert_int_equal(tmtu_follow_owner(t, &first, 0),
                                 TMTU_FOLLOW_LEARNT);
                assert_memory_equal(&first, &as_it_was, sizeof first);
                assert_int_equal(tmtu_follow_owner(t, &later, 1),
                                 TMTU_FOLLOW_FOUND);
                assert_memory_equal(&later.flow, &first.flow,
                                    sizeof first.flow);
                assert_int_equal(later.by, TMTU_OWNER_PORTS);
                assert_int_equal(tmtu_follow_owner(t, &later, 1),
                                 TMTU_FOLLOW_NONE); /* it is complete */
                assert_int_equal(counted(t, TMTU_FOLLOW_MISSED), 1);
                assert_int_equal(counted(t, TMTU_FOLLOW_FOUND), 1);
                assert_int_equal(counted(t, TMTU_FOLLOW_LEARNT), 1);
                free(t);
            }
}

/* A server's fragments that pass here, and an error about a later one: the
 * owner of it is the flow as the client sends it. What only a quote says is not
 * believed about what comes. */
static void quotes_believe_packets_and_packets_no_quotes(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        const struct test_shape one = piece(ipver, 17, 0),
                                two = piece(ipver, 17, 1);
        struct tmtu_follow *t = table(16);
        struct tmtu_owner came = made(&one, 0), quote = made(&one, 1);
        struct tmtu_owner error = made(&two, 1), later = made(&two, 0);
        assert_int_equal(tmtu_follow_owner(t, &came, 0), TMTU_FOLLOW_LEARNT);
        assert_int_equal(tmtu_follow_owner(t, &error, 0), TMTU_FOLLOW_FOUND);
        assert_memory_equal(&error.flow, &quote.flow, sizeof quote.flow);
        const struct tmtu_flow back = tmtu_flow_reverse(&came.flow);
        assert_memory_equal(&error.flow, &back, sizeof back);

        /* It speaks for itself: a quote that says otherwise is not heard. */
        quote.flow.sport = 1;
        assert_int_equal(tmtu_follow_owner(t, &quote, 0), TMTU_FOLLOW_FULL);
        assert_int_equal(tmtu_follow_owner(t, &later, 0), TMTU_FOLLOW_FOUND);
        assert_memory_equal(&later.flow, &came.flow, sizeof came.flow);
        free(t);

        t = table(16);
        later = made(&two, 0);
        error = made(&two, 1);
        assert_int_equal(tmtu_follow_owner(t, &quote, 0), TMTU_FOLLOW_LEARNT);
        assert_int_equal(tmtu_follow_owner(t, &later, 0), TMTU_FOLLOW_MISSED);
        assert_int_equal(tmtu_follow_owner(t, &error, 0), TMTU_FOLLOW_FOUND);
        assert_memory_equal(&error.flow, &quote.flow, sizeof quote.flow);
        assert_int_equal(tmtu_follow_owner(t, &came, 0), TMTU_FOLLOW_LEARNT);
        assert_int_equal(tmtu_follow_owner(t, &later, 0), TMTU_FOLLOW_FOUND);
        assert_memory_equal(&later.flow, &came.flow, sizeof came.flow);
        assert_int_equal(tmtu_follow_counters(t)->evicted, 0);
        free(t);
    }
}

/* An IP in IP packet in two pieces: the inner flow is in the first. */
static void a_tunnel_packets_fragments_belong_to_what_is_in_it(void **s)
{
    (void)s;
    static const uint8_t protos[] = {17, 50};
    for (size_t i = 0; i < TEST_ROWS(protos); i++) {
        struct tmtu_follow *t = table(16);
        uint8_t p[820];
        const struct test_shape outer = piece(4, 4, 0);
        struct test_shape in = test_shape(6, 1400);
        uint8_t inner[1400];
        in.proto = protos[i];
        test_packet(&in, inner);
        test_packet(&outer, p);
        memcpy(p + 20, inner, 800);
        p[9] = 41;
        struct tmtu_owner first = owner_of(p, 820, TMTU_OWNER_TUNNELS);
        tmtu_put16(p + 6, 100);
        struct tmtu_owner later = owner_of(p, 820, TMTU_OWNER_TUNNELS);
        assert_int_equal(tmtu_follow_owner(t, &first, 0), TMTU_FOLLOW_LEARNT);
        assert_int_equal(tmtu_follow_owner(t, &later, 0), TMTU_FOLLOW_FOUND);
        assert_memory_equal(&later.flow, &first.flow, sizeof first.flow);
        assert_int_equal(later.flow.ipver, 6);
        assert_int_equal(later.flow.proto, protos[i]);
        assert_int_equal(later.by,
                         i == 0 ? TMTU_OWNER_PORTS : TMTU_OWNER_PROTO);
        free(t);
    }
}

static void what_is_no_fragment_passes_through(void **s)
{
    (void)s;
    struct tmtu_follow *t = table(4);
    struct test_shape sh = test_shape(4, 400);
    struct tmtu_owner o = made(&sh, 0);
    const struct tmtu_owner was = o;
    assert_int_equal(tmtu_follow_owner(t, &o, 0), TMTU_FOLLOW_NONE);
    assert_memory_equal(&o, &was, sizeof o);
    for (int later = 0; later < 2; later++) { /* ESP: nothing to learn */
        sh = piece(4, 50, later);
        o = made(&sh, 0);
        assert_int_equal(o.by, TMTU_OWNER_PROTO);
        assert_int_equal(tmtu_follow_owner(t, &o, 0), TMTU_FOLLOW_NONE);
    }
    sh = piece(4, 17, 0); /* a first one that is cut: it has nothing to say */
    o = made(&sh, 1);
    o.by = TMTU_OWNER_CUT;
    assert_int_equal(tmtu_follow_owner(t, &o, 0), TMTU_FOLLOW_NONE);
    sh = piece(4, 17, 1);
    o = made(&sh, 0);
    assert_int_equal(tmtu_follow_owner(t, &o, 0), TMTU_FOLLOW_MISSED);
    assert_int_equal(counted(t, TMTU_FOLLOW_NONE), 4);
    memset(&o.fragment, 0, sizeof o.fragment); /* as one, but for its name */
    o.by = TMTU_OWNER_PORTS;
    assert_int_equal(tmtu_follow_owner(t, &o, 0), TMTU_FOLLOW_NONE);
    free(t);
}

/* ---- fragments made up ---- */

/* A fragment of the i-th packet, of a flow with this port. */
static struct tmtu_owner frag(uint32_t i, int later, uint16_t port)
{
    struct tmtu_owner o;
    memset(&o, 0, sizeof o);
    tmtu_addr_set4(o.fragment.src, (const uint8_t[]){192, 0, 2, 10});
    tmtu_addr_set4(o.fragment.dst, (const uint8_t[]){198, 51, 100, 20});
    o.fragment.ipver = 4;
    o.fragment.proto = 17;
    o.fragment.id = i;
    o.fragment.later = (uint8_t)later;
    memcpy(o.flow.src, o.fragment.src, 32);
    o.flow.ipver = 4;
    o.flow.proto = 17;
    o.by = later ? TMTU_OWNER_FRAGMENT : TMTU_OWNER_PORTS;
    if (!later) {
        o.flow.sport = port;
        o.flow.flags = TMTU_FLOW_PORTS;
    }
    return o;
}

static enum tmtu_follow_outcome first(struct tmtu_follow *t, uint32_t i,
                                      uint16_t port, uint64_t now)
{
    struct tmtu_owner o = frag(i, 0, port);
    return tmtu_follow_owner(t, &o, now);
}

static enum tmtu_follow_outcome hearsay(struct tmtu_follow *t, uint32_t i,
                                        uint16_t port, uint64_t now)
{
    struct tmtu_owner o = frag(i, 0, port);
    o.fragment.quoted = 1;
    return tmtu_follow_owner(t, &o, now);
}

/* The port that a later fragment finds; 0: missed. */
static uint16_t find(struct tmtu_follow *t, uint32_t i, uint64_t now)
{
    struct tmtu_owner o = frag(i, 1, 0);
    return tmtu_follow_owner(t, &o, now) == TMTU_FOLLOW_FOUND ? o.flow.sport
                                                              : 0;
}

/* The same for one that is quoted: its flow is the other way round. */
static uint16_t find_quoted(struct tmtu_follow *t, uint32_t i, uint64_t now)
{
    struct tmtu_owner o = frag(i, 1, 0);
    o.fragment.quoted = 1;
    return tmtu_follow_owner(t, &o, now) == TMTU_FOLLOW_FOUND
               ? (uint16_t)(o.flow.sport | o.flow.dport)
               : 0;
}

/* Every byte that tells packets apart does (R-791-11, R-8200-11): a change of
 * any bit of it is another packet. */
static void r_791_11_no_fragment_is_taken_for_anothers(void **s)
{
    (void)s;
    struct tmtu_follow *t = table(4096);
    for (size_t i = 0; i < 38; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct tmtu_owner o = frag(7, 0, 1000);
            struct tmtu_owner l = frag(7, 1, 0);
            uint8_t *b = (uint8_t *)&l.fragment;
            assert_int_equal(tmtu_follow_owner(t, &o, 0), TMTU_FOLLOW_LEARNT);
            b[i] ^= (uint8_t)(1u << bit);
            if (l.fragment.ipver != 0)
                assert_int_equal(tmtu_follow_owner(t, &l, 0),
                                 TMTU_FOLLOW_MISSED);
            b[i] ^= (uint8_t)(1u << bit);
            assert_int_equal(tmtu_follow_owner(t, &l, 0), TMTU_FOLLOW_FOUND);
        }
    free(t);
    assert_int_equal(offsetof(struct tmtu_fragment, later), 38);
}

static void r_4963_01_a_first_fragment_is_known_for_30_seconds(void **s)
{
    (void)s;
    struct tmtu_follow *t = table(4);
    first(t, 1, 1000, 5 * S);
    assert_int_equal(find(t, 1, 35 * S - 1), 1000);
    assert_int_equal(tmtu_follow_counters(t)->expired, 0);
    assert_int_equal(find(t, 1, 35 * S), 0);
    assert_int_equal(tmtu_follow_counters(t)->expired, 1);
    assert_int_equal(find(t, 1, 35 * S), 0);
    assert_int_equal(tmtu_follow_counters(t)->expired, 1);

    first(t, 1, 1000, 40 * S); /* the identification comes again: */
    first(t, 1, 2000, 41 * S); /* the last one counts, and its time */
    assert_int_equal(find(t, 1, 71 * S - 1), 2000);
    assert_int_equal(find(t, 1, 71 * S), 0);
    free(t);

    struct tmtu_follow_options o = defaults; /* as long as the caller likes */
    o.expiry = 1;
    uint8_t *mem = test_exact(NULL, tmtu_follow_sizeof(4));
    t = tmtu_follow_init(mem, 4, &o, &key);
    assert_non_null(t);
    first(t, 1, 1000, 5);
    assert_int_equal(find(t, 1, 5), 1000);
    assert_int_equal(find(t, 1, 6), 0);
    free(mem);
}

static void a_clock_that_goes_back_keeps_nothing_for_longer(void **s)
{
    (void)s;
    struct tmtu_follow *t = table(4);
    first(t, 1, 1000, 1000000 * S);
    assert_int_equal(find(t, 1, 10 * S), 1000);
    assert_int_equal(find(t, 1, 40 * S - 2), 1000);
    assert_int_equal(find(t, 1, 40 * S - 1), 0);

    /* A full set out of the future: those that come now are no worse off. */
    for (uint32_t i = 1; i <= 4; i++)
        first(t, i, (uint16_t)i, 1000000 * S + i);
    for (uint32_t i = 5; i <= 8; i++)
        first(t, i, (uint16_t)i, 50 * S + i);
    for (uint32_t i = 5; i <= 8; i++)
        assert_int_equal(find(t, i, 50 * S + 8), i);

    first(t, 9, 9, UINT64_MAX - 1); /* the end of time */
    assert_int_equal(find(t, 9, UINT64_MAX - 1), 9);
    assert_int_equal(find(t, 9, UINT64_MAX), 0);
    free(t);
}

static void a_full_set_forgets_the_oldest(void **s)
{
    (void)s;
    struct tmtu_follow *t = table(4);
    for (uint32_t i = 1; i <= 4; i++)
        first(t, i, (uint16_t)i, i * S);
    first(t, 1, 1, 5 * S); /* now 2 is the oldest, */
    assert_int_equal(tmtu_follow_counters(t)->evicted, 0);
    first(t, 5, 5, 10 * S);
    assert_int_equal(find(t, 2, 10 * S), 0);
    for (uint32_t i = 3; i <= 4; i++)
        assert_int_equal(find(t, i, 10 * S), i);
    assert_int_equal(find(t, 1, 10 * S), 1);
    assert_int_equal(find(t, 5, 10 * S), 5);
    first(t, 3, 33, 11 * S); /* again: its place is its own, and it is young */
    first(t, 6, 6, 11 * S);
    assert_int_equal(find(t, 4, 11 * S), 0);
    assert_int_equal(find(t, 3, 11 * S), 33);
    assert_int_equal(tmtu_follow_counters(t)->evicted, 2);
    first(t, 7, 7, 45 * S); /* all others are over: nobody is pushed out */
    assert_int_equal(tmtu_follow_counters(t)->evicted, 2);
    assert_int_equal(tmtu_follow_counters(t)->expired, 4);
    free(t);
}

static void hearsay_takes_one_place_of_four_and_pushes_nobody_out(void **s)
{
    (void)s;
    struct tmtu_follow *t = table(4);
    assert_int_equal(hearsay(t, 1, 1, 0), TMTU_FOLLOW_LEARNT);
    assert_int_equal(hearsay(t, 2, 2, 1), TMTU_FOLLOW_LEARNT);
    assert_int_equal(find_quoted(t, 1, 1), 0); /* though three were free */
    assert_int_equal(find_quoted(t, 2, 1), 2);
    assert_int_equal(find(t, 2, 1), 0);
    assert_int_equal(hearsay(t, 2, 22, 2), TMTU_FOLLOW_LEARNT);
    assert_int_equal(find_quoted(t, 2, 2), 22);
    for (uint32_t i = 11; i <= 13; i++)
        first(t, i, (uint16_t)i, 3);
    assert_int_equal(find_quoted(t, 2, 3), 22);
    assert_int_equal(tmtu_follow_counters(t)->evicted, 1);
    first(t, 14, 14, 4); /* pushes out the hearsay, though it is the latest */
    assert_int_equal(find_quoted(t, 2, 4), 0);
    assert_int_equal(find_quoted(t, 11, 4), 11); /* what came is believed */
    assert_int_equal(hearsay(t, 3, 3, 5), TMTU_FOLLOW_FULL);
    assert_int_equal(hearsay(t, 11, 3, 5), TMTU_FOLLOW_FULL);
    for (uint32_t i = 11; i <= 14; i++)
        assert_int_equal(find(t, i, 5), i);
    assert_int_equal(counted(t, TMTU_FOLLOW_FULL), 2);

    /* One that came and is over leaves its place, but not a second one. */
    assert_int_equal(hearsay(t, 3, 3, 30 * S + 4), TMTU_FOLLOW_LEARNT);
    assert_int_equal(hearsay(t, 11, 4, 30 * S + 4), TMTU_FOLLOW_LEARNT);
    assert_int_equal(find_quoted(t, 3, 30 * S + 4), 0);
    assert_int_equal(find_quoted(t, 11, 30 * S + 4), 4);
    free(t);

    t = table(4); /* wherever it stands, the place is that of its like */
    first(t, 11, 11, 0);
    assert_int_equal(hearsay(t, 1, 1, 1), TMTU_FOLLOW_LEARNT);
    assert_int_equal(hearsay(t, 2, 2, 2), TMTU_FOLLOW_LEARNT);
    assert_int_equal(find(t, 11, 2), 11);
    assert_int_equal(find_quoted(t, 1, 2), 0);
    assert_int_equal(find_quoted(t, 2, 2), 2);
    free(t);
}

/* A flood of first fragments: what it costs is what the header says. Fragments
 * that come close behind their first are found, whatever else comes. */
static void r_lib_16_a_flood_costs_what_is_said_of_it(void **s)
{
    (void)s;
    enum { ENTRIES = 4096, FLOOD = 200000, GAP = 400 };
    struct tmtu_follow *t = table(ENTRIES);
    unsigned good = 0, all = 0, late = 0;
    for (uint32_t i = 0; i < FLOOD; i++) {
        first(t, i, (uint16_t)(i | 1), i);
        if (i % 100 == 0 && i >= 2 * ENTRIES) {
            good += find(t, i - GAP, i) == (uint16_t)((i - GAP) | 1);
            late += find(t, i - 2 * ENTRIES, i) != 0;
            all++;
        }
    }
    print_message("  %u of %u found after a tenth of the table, %u after two\n",
                  good, all, late);
    assert_true(good > all - all / 20);
    assert_true(late < all / 4);
    const struct tmtu_follow_counters *c = tmtu_follow_counters(t);
    assert_int_equal(c->outcome[TMTU_FOLLOW_LEARNT], FLOOD);
    assert_in_range(c->evicted, FLOOD - ENTRIES, FLOOD - ENTRIES + ENTRIES / 5);

    for (uint32_t i = 0; i < FLOOD; i++) /* of quotes: nobody is pushed out */
        hearsay(t, FLOOD + i, 1, FLOOD);
    good = 0;
    for (uint32_t i = FLOOD - GAP; i < FLOOD; i++)
        good += find(t, i, FLOOD) == (uint16_t)(i | 1);
    assert_true(good > GAP - GAP / 20);
    free(t);
}

/* Who collides with whom is the key's secret. */
static void collisions_depend_on_the_key(void **s)
{
    (void)s;
    unsigned differ = 0;
    uint16_t seen[2][64];
    for (unsigned k = 0; k < 2; k++) {
        const struct tmtu_hash_key other = {k, 7};
        uint8_t *mem = test_exact(NULL, tmtu_follow_sizeof(16));
        struct tmtu_follow *t = tmtu_follow_init(mem, 16, &defaults, &other);
        assert_non_null(t);
        for (uint32_t i = 0; i < 64; i++)
            first(t, i, 1, i);
        for (uint32_t i = 0; i < 64; i++)
            seen[k][i] = find(t, i, 64);
        free(mem);
    }
    for (unsigned i = 0; i < 64; i++)
        differ += seen[0][i] != seen[1][i];
    assert_true(differ > 0);
}

static void what_is_out_of_range_is_refused(void **s)
{
    (void)s;
    static const size_t bad[] = {
        0,       1, 2, 3, 5, 12, 255, ((size_t)1 << 24) + 4, (size_t)1 << 25,
        SIZE_MAX};
    uint8_t *mem = test_exact(NULL, tmtu_follow_sizeof(4));
    for (size_t i = 0; i < TEST_ROWS(bad); i++) {
        assert_int_equal(tmtu_follow_sizeof(bad[i]), 0);
        assert_null(tmtu_follow_init(mem, bad[i], &defaults, &key));
    }
    for (size_t n = 4; n <= (size_t)1 << 24; n *= 2)
        assert_in_range(tmtu_follow_sizeof(n), n * 57, n * 64 + 256);
    for (unsigned i = 0; i < 3; i++) {
        struct tmtu_follow_options o = defaults;
        o.size += i == 0;
        o.size -= i == 1;
        o.expiry = i == 2 ? 0 : 1;
        assert_null(tmtu_follow_init(mem, 4, &o, &key));
    }
    for (size_t i = 0; i < tmtu_follow_sizeof(4); i++)
        assert_int_equal(mem[i], 0xa5); /* nothing was written */
    free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r_8900_02_later_fragments_find_the_ports_of_the_first),
        cmocka_unit_test(quotes_believe_packets_and_packets_no_quotes),
        cmocka_unit_test(a_tunnel_packets_fragments_belong_to_what_is_in_it),
        cmocka_unit_test(what_is_no_fragment_passes_through),
        cmocka_unit_test(r_791_11_no_fragment_is_taken_for_anothers),
        cmocka_unit_test(r_4963_01_a_first_fragment_is_known_for_30_seconds),
        cmocka_unit_test(a_clock_that_goes_back_keeps_nothing_for_longer),
        cmocka_unit_test(a_full_set_forgets_the_oldest),
        cmocka_unit_test(hearsay_takes_one_place_of_four_and_pushes_nobody_out),
        cmocka_unit_test(r_lib_16_a_flood_costs_what_is_said_of_it),
        cmocka_unit_test(collisions_depend_on_the_key),
        cmocka_unit_test(what_is_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

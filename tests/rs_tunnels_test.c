/* SPDX-License-Identifier: MIT */
/* tunmtu-realserver and every kind of tunnel: which it takes apart, and what it
 * then clamps to. */
#define _POSIX_C_SOURCE 200809L
#include "rs_bed.h"

static const struct pk_ip outer4 = {.src = "10.0.0.3", .dst = "10.0.0.6"};
static const struct pk_ip outer6 = {.src = "2001:db8::a", .dst = "2001:db8::6"};
static const struct pk_ip client4 = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1};
static const struct pk_ip client6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6};

/* A tunnel, written byte by byte. */
struct form {
    const char *name;
    uint8_t proto;  /* 4 stands for 41 as well */
    uint16_t dport; /* UDP */
    bool csum;      /* of UDP, or of GRE */
    bool key;       /* of GRE: 7 */
    size_t shim;    /* bytes behind the outer IP header */
    unsigned bit;   /* of rs_config.tunnels */
};

static const struct form forms[] = {
    {"ipip", 4, 0, false, false, 0, RS_IPIP},
    {"gre", 47, 0, false, false, 4, RS_GRE},
    {"gre, checksum", 47, 0, true, false, 8, RS_GRE},
    {"gue", 17, 6080, true, false, 12, RS_GUE},
    {"gue 1", 17, 6080, true, false, 8, RS_GUE},
    {"gre-udp", 17, 4754, true, false, 12, RS_GREUDP},
};

enum { IPIP, GRE, GRE_CSUM, GUE, GUE1, GREUDP };

static uint8_t inner[65536], shim[65536], msg[65536];

/* The GRE header at `p`; `n`: bytes from there to the end, all written but it.
 */
static void gre(uint8_t *p, const struct form *f, bool csum, bool v6, size_t n)
{
    uint8_t *at = p + 4;
    memset(p, 0, 4);
    p[0] = (uint8_t)((csum ? 0x80 : 0) | (f->key ? 0x20 : 0));
    pk16(p + 2, v6 ? 0x86dd : 0x0800);
    if (csum) {
        memset(at, 0, 4);
        at += 4;
    }
    if (f->key) {
        memset(at, 0, 4);
        at[3] = 7;
    }
    if (csum)
        pk16(p + 4, test_cksum(p, n));
}

/* What stands behind the outer IP header, with this client's packet of `len`
 * bytes in it, into `shim`; its length. */
static size_t in_form(const struct form *f, const struct pk_ip *outer,
                      const struct pk_ip *client, size_t len)
{
    const bool v6 = pk_is6(client);
    const size_t n = f->shim + len;
    pk_flow(inner, client, 1000, 443, len);
    memcpy(shim + f->shim, inner, len);
    if (f->proto == 47)
        gre(shim, f, f->csum, v6, n);
    if (f->proto != 17)
        return n;
    memset(shim, 0, 8);
    pk16(shim, 50000);
    pk16(shim + 2, f->dport);
    pk16(shim + 4, n);
    if (f->dport == 4754)
        gre(shim + 8, f, false, v6, n - 8);
    else if (f->shim == 12) {
        memset(shim + 8, 0, 4);
        shim[9] = v6 ? 41 : 4;
    }
    if (f->csum) {
        struct pk_ip udp = *outer;
        udp.proto = 17;
        pk16(shim + 6, pk_sum(&udp, shim, n));
    }
    return n;
}

static bool deliver(struct bed *b, const struct form *f, struct pk_ip outer,
                    const struct pk_ip *client, size_t len)
{
    const size_t n = in_form(f, &outer, client, len);
    outer.proto = f->proto == 4 && pk_is6(client) ? 41 : f->proto;
    const bool some = bed_take(b, true, msg, pk_ip(msg, &outer, shim, n), 0);
    if (some) {
        assert_int_equal(b->n, len);
        assert_memory_equal(b->out, inner, len);
    }
    return some;
}

static void reopen(struct bed *b)
{
    rs_free(&b->rs);
    assert_true(rs_init(&b->rs, &b->config));
}

static void all_kinds_are_delivered_at_once_in_all_pairs(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    for (size_t i = 0; i < TEST_ROWS(forms); i++) {
        print_message("  %s\n", forms[i].name);
        assert_true(deliver(&b, &forms[i], outer4, &client4, 1000));
        assert_true(deliver(&b, &forms[i], outer4, &client6, 1000));
        assert_true(deliver(&b, &forms[i], outer6, &client4, 1000));
        assert_true(deliver(&b, &forms[i], outer6, &client6, 1000));
    }
    bed_close(&b);
}

static void what_was_not_asked_for_is_the_hosts(void **state)
{
    static const unsigned bits[] = {RS_IPIP, RS_GRE, RS_GUE, RS_GREUDP};
    struct bed b;
    (void)state;
    for (size_t k = 0; k < TEST_ROWS(bits); k++) {
        bed_open(&b, RS_CLAMP_NO);
        b.config.tunnels = bits[k];
        reopen(&b);
        for (size_t i = 0; i < TEST_ROWS(forms); i++) {
            const bool asked = forms[i].bit == bits[k];
            const uint64_t passed = b.rs.counters.in_fate[RS_IN_NOT_TUNNEL];
            assert_int_equal(deliver(&b, &forms[i], outer4, &client4, 100),
                             asked);
            assert_int_equal(b.rs.counters.in_fate[RS_IN_NOT_TUNNEL] - passed,
                             !asked);
        }
        bed_close(&b);
    }
}

static void ports_are_those_that_were_given(void **state)
{
    struct form gue = forms[GUE], greudp = forms[GREUDP];
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    b.config.gue_port = 5555;
    b.config.greudp_port = 6080; /* the other one's */
    reopen(&b);
    assert_false(deliver(&b, &greudp, outer4, &client4, 100));
    assert_int_equal(b.rs.counters.in_fate[RS_IN_NOT_TUNNEL], 1);
    assert_false(deliver(&b, &gue, outer4, &client4, 100));
    assert_int_equal(b.rs.counters.in_drop[TMTU_R_TUNNEL_HEADER], 1);
    gue.dport = 5555;
    assert_true(deliver(&b, &gue, outer4, &client4, 100));
    bed_close(&b);
}

static void rfc6936_no_udp_over_ipv6_without_a_checksum(void **state)
{
    struct form none = forms[GUE], wrong = forms[GUE];
    struct bed b;
    (void)state;
    none.csum = false;
    bed_open(&b, RS_CLAMP_NO);
    assert_true(deliver(&b, &none, outer4, &client4, 100)); /* IPv4 may */
    assert_false(deliver(&b, &none, outer6, &client4, 100));
    assert_int_equal(b.rs.counters.in_drop[TMTU_R_OUTER_CHECKSUM], 1);
    b.config.zero_csum6 = true;
    reopen(&b);
    assert_true(deliver(&b, &none, outer6, &client4, 100));
    /* One that is there is verified all the same (R-6936-01). */
    struct pk_ip ip = outer6;
    ip.proto = 17;
    const size_t n = in_form(&wrong, &ip, &client4, 100);
    shim[7] ^= 1;
    assert_false(bed_take(&b, true, msg, pk_ip(msg, &ip, shim, n), 0));
    assert_int_equal(b.rs.counters.in_drop[TMTU_R_OUTER_CHECKSUM], 1);
    bed_close(&b);
}

static void gre_has_the_key_that_was_given_or_none(void **state)
{
    const size_t kinds[] = {GRE, GRE_CSUM, GREUDP};
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    for (size_t i = 0; i < TEST_ROWS(kinds); i++) {
        struct form keyed = forms[kinds[i]];
        keyed.key = true;
        keyed.shim += 4;
        b.config.has_key = false;
        reopen(&b);
        memset(&b.rs.counters, 0, sizeof b.rs.counters);
        assert_false(deliver(&b, &keyed, outer4, &client4, 100));
        assert_int_equal(b.rs.counters.in_drop[TMTU_R_TUNNEL_KEY], 1);
        b.config.has_key = true;
        b.config.key = 7;
        reopen(&b);
        assert_true(deliver(&b, &keyed, outer4, &client4, 100));
        assert_false(deliver(&b, &forms[kinds[i]], outer4, &client4, 100));
        assert_true(deliver(&b, &forms[IPIP], outer4, &client4, 100));
        b.config.key = 8;
        reopen(&b);
        assert_false(deliver(&b, &keyed, outer4, &client4, 100));
    }
    bed_close(&b);
}

/* All but the first fragment have no ports, so it is not known yet whose they
 * are. */
static void fragments_of_each_kind_are_put_together(void **state)
{
    const struct pk_ip *const outers[] = {&outer4, &outer6};
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    for (size_t i = 0; i < 4 * TEST_ROWS(forms); i++) {
        const struct form *f = &forms[i / 4];
        struct pk_ip ip = *outers[i & 1];
        const size_t n = in_form(f, &ip, &client4, 1500);
        const bool last_first = i & 2;
        ip.proto = f->proto;
        ip.frag = 1;
        ip.id = (uint32_t)i + 7;
        for (int k = 0; k < 2; k++) {
            const bool last = last_first != (k == 1);
            ip.mf = !last;
            ip.off = last ? 1448 : 0;
            const size_t len =
                pk_ip(msg, &ip, shim + ip.off, last ? n - 1448 : 1448);
            assert_int_equal(bed_take(&b, true, msg, len, 0), k == 1);
        }
        assert_int_equal(b.n, 1500);
        assert_memory_equal(b.out, inner, 1500);
    }
    bed_close(&b);
}

/* R-2473-15: the peer's encapsulation limit is in the first fragment alone; all
 * that the others say is that they go on with options. */
static void fragments_behind_an_encapsulation_limit(void **state)
{
    static const uint8_t limit[8] = {0, 0, 4, 1, 4, 1, 1, 0};
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    for (size_t i = 0; i < 2 * TEST_ROWS(forms); i++) {
        const struct form *f = &forms[i / 2];
        static uint8_t data[2000];
        struct pk_ip ip = outer6;
        const size_t n = 8 + in_form(f, &ip, &client4, 1500);
        memcpy(data, limit, 8);
        data[0] = f->proto;
        memcpy(data + 8, shim, n - 8);
        ip.proto = 60;
        ip.frag = 1;
        ip.id = (uint32_t)i + 7;
        for (int k = 0; k < 2; k++) {
            const bool last = (i & 1) != (k == 1);
            ip.mf = !last;
            ip.off = last ? 1448 : 0;
            const size_t len =
                pk_ip(msg, &ip, data + ip.off, last ? n - 1448 : 1448);
            assert_int_equal(bed_take(&b, true, msg, len, 0), k == 1);
        }
        assert_int_equal(b.n, 1500);
        assert_memory_equal(b.out, inner, 1500);
    }
    bed_close(&b);
}

static void udp_of_others_is_left_alone(void **state)
{
    struct form other = forms[GUE];
    struct pk_ip ip = outer4;
    struct bed b;
    (void)state;
    other.dport = 53;
    bed_open(&b, RS_CLAMP_NO);
    const struct rs_counters *c = &b.rs.counters;
    assert_false(deliver(&b, &other, outer4, &client4, 100));
    assert_int_equal(c->in_fate[RS_IN_NOT_TUNNEL], 1);
    /* Its first fragment tells; without it, it is known when all are there. */
    const size_t n = in_form(&other, &ip, &client4, 1500);
    ip.proto = 17;
    ip.mf = 1;
    assert_false(bed_take(&b, true, msg, pk_ip(msg, &ip, shim, 800), 0));
    assert_int_equal(c->in_fate[RS_IN_NOT_TUNNEL], 2);
    assert_int_equal(c->in_fate[RS_IN_HELD], 0);
    ip.mf = 0;
    ip.off = 800;
    const size_t len = pk_ip(msg, &ip, shim + 800, n - 800);
    assert_false(bed_take(&b, true, msg, len, 0));
    assert_int_equal(c->in_fate[RS_IN_HELD], 1);
    /* A stranger's get no memory, and are no fault of his. */
    add(&b.config.peers, "10.0.0.33");
    assert_false(bed_take(&b, true, msg, len, 0));
    assert_int_equal(c->in_fate[RS_IN_NOT_TUNNEL], 3);
    assert_false(deliver(&b, &other, outer4, &client4, 100));
    assert_int_equal(c->in_fate[RS_IN_NOT_TUNNEL], 4);
    assert_false(deliver(&b, &forms[GUE], outer4, &client4, 100));
    assert_int_equal(c->in_drop[TMTU_R_OUTER_SOURCE], 1);
    /* And none at all where no tunnel is over UDP. */
    b.config.tunnels = RS_IPIP | RS_GRE;
    b.config.peers.n = 0;
    reopen(&b);
    pk_ip(msg, &ip, shim + 800, n - 800);
    assert_false(bed_take(&b, true, msg, len, 0));
    assert_int_equal(c->in_fate[RS_IN_NOT_TUNNEL], 1);
    bed_close(&b);
}

/* What the kinds that were named take of 1500 bytes, before any packet. */
static void auto_begins_with_the_kinds_that_were_named(void **state)
{
    static const struct {
        unsigned tunnels;
        bool v6, key;
        uint16_t mss; /* IPv4; IPv6: 20 less */
    } rows[] = {
        {0, false, false, 1440}, /* none was named: IP in IP */
        {RS_IPIP, false, false, 1440},
        {RS_GRE, false, false, 1436},
        {RS_GRE, false, true, 1432},
        {RS_GUE, false, false, 1428},
        {RS_GREUDP, false, false, 1428},
        {RS_GREUDP, false, true, 1424},
        {RS_IPIP | RS_GUE, false, false, 1428},
        {RS_GUE, true, false, 1408},
    };
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        bed_open(&b, RS_CLAMP_AUTO);
        b.config.tunnels = rows[i].tunnels;
        b.config.has_key = rows[i].key;
        if (rows[i].v6)
            add(&b.config.peers, "2001:db8::a");
        reopen(&b);
        assert_int_equal(rs_mss(&b.rs, 4), rows[i].mss);
        assert_int_equal(rs_mss(&b.rs, 6), rows[i].mss - 20);
        bed_close(&b);
    }
}

static void auto_follows_what_comes_through(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < 2 * TEST_ROWS(forms); i++) {
        const struct form *f = &forms[i / 2];
        const size_t head = (i & 1 ? 40 : 20) + f->shim;
        bed_open(&b, RS_CLAMP_AUTO);
        assert_true(deliver(&b, f, i & 1 ? outer6 : outer4, &client4, 100));
        assert_int_equal(rs_mss(&b.rs, 4), 1500 - head - 40);
        assert_true(deliver(&b, &forms[IPIP], outer4, &client4, 100));
        assert_int_equal(rs_mss(&b.rs, 4), 1500 - head - 40); /* the most */
        bed_close(&b);
    }
    /* Long outer headers (here 64 bytes of options) make nobody's segments
     * tiny. */
    struct pk_ip ip = outer6;
    ip.proto = 60;
    bed_open(&b, RS_CLAMP_AUTO);
    memset(shim, 0, 64);
    shim[0] = 4;
    shim[1] = 7;
    shim[2] = 1; /* PadN */
    shim[3] = 60;
    pk_flow(shim + 64, &client4, 1000, 443, 100);
    assert_true(bed_take(&b, true, msg, pk_ip(msg, &ip, shim, 164), 0));
    assert_int_equal(rs_mss(&b.rs, 4), 1500 - TMTU_ENCAP_HEADROOM - 40);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_are_delivered_at_once_in_all_pairs),
        cmocka_unit_test(what_was_not_asked_for_is_the_hosts),
        cmocka_unit_test(ports_are_those_that_were_given),
        cmocka_unit_test(rfc6936_no_udp_over_ipv6_without_a_checksum),
        cmocka_unit_test(gre_has_the_key_that_was_given_or_none),
        cmocka_unit_test(fragments_of_each_kind_are_put_together),
        cmocka_unit_test(fragments_behind_an_encapsulation_limit),
        cmocka_unit_test(udp_of_others_is_left_alone),
        cmocka_unit_test(auto_begins_with_the_kinds_that_were_named),
        cmocka_unit_test(auto_follows_what_comes_through),
    };
    return cmocka_run_group_tests_name("rs_tunnels", tests, NULL, NULL);
}

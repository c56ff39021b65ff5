/* SPDX-License-Identifier: MIT */
/* What tunmtu-realserver takes out of tunnels, and what it lets out. */
#define _POSIX_C_SOURCE 200809L
#include "rs_bed.h"

static const struct pk_ip outer4 = {
    .src = "10.0.0.3", .dst = "10.0.0.6", .proto = 4};
static const struct pk_ip outer6 = {
    .src = "2001:db8::a", .dst = "2001:db8::6", .proto = 4};
static const struct pk_ip client4 = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1};
static const struct pk_ip client6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6};

static uint8_t inner[65536], msg[65536];

static bool tunnelled(struct bed *b, struct pk_ip outer,
                      const struct pk_ip *client, size_t len)
{
    outer.proto = pk_is6(client) ? 41 : 4;
    pk_flow(inner, client, 1000, 443, len);
    return bed_take(b, true, msg, pk_ip(msg, &outer, inner, len), 0);
}

static void all_four_pairs_are_delivered_as_they_were(void **state)
{
    const struct pk_ip *const outers[] = {&outer4, &outer6};
    const struct pk_ip *const clients[] = {&client4, &client6};
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    for (size_t i = 0; i < 4; i++) {
        assert_true(tunnelled(&b, *outers[i / 2], clients[i % 2], 1000));
        assert_int_equal(b.n, 1000);
        assert_memory_equal(b.out, inner, 1000);
    }
    assert_int_equal(b.rs.counters.in_fate[RS_IN_DELIVERED], 4);
    bed_close(&b);
}

static void outer_fragments_are_put_together(void **state)
{
    const struct pk_ip *const outers[] = {&outer4, &outer6};
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    pk_flow(inner, &client4, 1000, 443, 1500);
    for (size_t i = 0; i < 2; i++) {
        struct pk_ip ip = *outers[i];
        ip.frag = ip.mf = 1;
        ip.id = 7;
        assert_false(bed_take(&b, true, msg, pk_ip(msg, &ip, inner, 1448), 0));
        ip.mf = 0;
        ip.off = 1448;
        assert_true(
            bed_take(&b, true, msg, pk_ip(msg, &ip, inner + 1448, 52), 0));
        assert_int_equal(b.n, 1500);
        assert_memory_equal(b.out, inner, 1500);
    }
    assert_int_equal(b.rs.counters.in_fate[RS_IN_HELD], 2);
    bed_close(&b);
}

/* One thing wrong in each, and what is counted. */
static void what_is_not_delivered(void **state)
{
    static const struct {
        const char *name;
        const char *src, *dst; /* outer */
        const char *from, *to; /* inner */
        uint8_t proto;         /* outer */
        size_t at;             /* byte to change, outer packet */
        uint8_t val;
        uint32_t flags;
        int reason; /* -1: delivered; TMTU_OK: passed by */
    } rows[] = {
        {"as it should be", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.2", 4,
         0, 0x45, 0, -1},
        {"from a stranger", "10.0.0.33", "10.0.0.6", "10.0.1.1", "10.0.0.2", 4,
         0, 0x45, 0, TMTU_R_OUTER_SOURCE},
        {"to somebody else", "10.0.0.3", "10.0.0.66", "10.0.1.1", "10.0.0.2", 4,
         0, 0x45, 0, TMTU_R_OUTER_DEST},
        {"broadcast by the link", "10.0.0.3", "10.0.0.6", "10.0.1.1",
         "10.0.0.2", 4, 0, 0x45, TMTU_IO_L2_GROUP, TMTU_R_OUTER_DEST},
        {"for no service", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.22", 4,
         0, 0x45, 0, TMTU_R_INNER_DEST},
        {"for this host itself", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.6",
         4, 0, 0x45, 0, TMTU_R_INNER_DEST},
        {"from a loopback address", "10.0.0.3", "10.0.0.6", "127.0.0.1",
         "10.0.0.2", 4, 0, 0x45, 0, TMTU_R_INNER_SOURCE},
        {"IPv6 said, IPv4 inside", "10.0.0.3", "10.0.0.6", "10.0.1.1",
         "10.0.0.2", 41, 0, 0x45, 0, TMTU_R_INNER_VERSION},
        {"inner checksum", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.2", 4,
         30, 0, 0, TMTU_R_INNER_MALFORMED},
        {"inner length", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.2", 4, 22,
         0x40, 0, TMTU_R_INNER_MALFORMED},
        {"outer checksum", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.2", 4,
         10, 0, 0, TMTU_R_CHECKSUM},
        {"no tunnel", "10.0.0.3", "10.0.0.6", "10.0.1.1", "10.0.0.2", 50, 0,
         0x45, 0, TMTU_OK},
    };
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    add(&b.config.peers, "10.0.0.3");
    add(&b.config.locals, "10.0.0.6");
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct pk_ip in = {
            .src = rows[i].from, .dst = rows[i].to, .proto = 6};
        const struct pk_ip out = {
            .src = rows[i].src, .dst = rows[i].dst, .proto = rows[i].proto};
        const struct rs_counters *c = &b.rs.counters;
        const uint64_t passed = c->in_fate[RS_IN_NOT_TUNNEL];
        const int reason = rows[i].reason;
        const uint64_t before = reason > 0 ? c->in_drop[reason] : 0;
        print_message("  %s\n", rows[i].name);
        const size_t n =
            pk_ip(msg, &out, inner, pk_flow(inner, &in, 1000, 443, 100));
        msg[rows[i].at] = rows[i].val;
        assert_int_equal(bed_take(&b, true, msg, n, rows[i].flags), reason < 0);
        if (reason > 0)
            assert_int_equal(c->in_drop[reason], before + 1);
        assert_int_equal(c->in_fate[RS_IN_NOT_TUNNEL] - passed,
                         reason == TMTU_OK);
    }
    bed_close(&b);
}

static void strangers_fragments_are_not_kept(void **state)
{
    struct pk_ip ip = outer4;
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    add(&b.config.peers, "10.0.0.33");
    ip.mf = 1;
    assert_false(bed_take(&b, true, msg, pk_ip(msg, &ip, inner, 800), 0));
    assert_int_equal(b.rs.counters.in_drop[TMTU_R_OUTER_SOURCE], 1);
    assert_int_equal(tmtu_reass_counters(b.rs.reass)->fragments, 0);
    bed_close(&b);
}

static void every_cut_is_dropped(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_AUTO);
    pk_flow(inner, &client4, 1000, 443, 100);
    const size_t n = pk_ip(msg, &outer4, inner, 100);
    for (size_t cut = 0; cut < n; cut++)
        assert_false(bed_take(&b, true, msg, cut, 0));
    assert_int_equal(b.rs.counters.in_drop[TMTU_R_TRUNCATED], n);
    for (size_t cut = 0; cut < 100; cut++)
        assert_false(bed_take(&b, false, inner, cut, 0));
    assert_int_equal(b.rs.counters.out_drop[TMTU_R_TRUNCATED], 100);
    bed_close(&b);
}

/* A SYN-ACK of a service that announces this MSS; the length of the packet. */
static size_t syn_ack(uint8_t *p, const char *src, const char *dst,
                      uint16_t mss)
{
    const struct pk_ip ip = {.src = src, .dst = dst, .proto = 6, .df = 1};
    uint8_t tcp[24];
    pk_l4(tcp, &ip, 443, 1000, 4);
    tcp[12] = 0x60;
    tcp[13] = 0x12;
    tcp[20] = 2;
    tcp[21] = 4;
    pk16(tcp + 22, mss);
    pk16(tcp + 16, 0);
    pk16(tcp + 16, pk_sum(&ip, tcp, sizeof tcp));
    return pk_ip(p, &ip, tcp, sizeof tcp);
}

/* The MSS that a SYN-ACK leaves with; its checksum is right. */
static unsigned mss_out(struct bed *b, uint16_t mss, bool v6)
{
    const struct pk_ip ip = {.src = v6 ? "2001:db8::2" : "10.0.0.2",
                             .dst = v6 ? "2001:db8:1::1" : "10.0.1.1",
                             .proto = 6};
    const size_t head = v6 ? 40 : 20;
    const size_t n = syn_ack(msg, ip.src, ip.dst, mss);
    assert_true(bed_take(b, false, msg, n, 0));
    assert_int_equal(b->n, n);
    assert_int_equal(pk_sum(&ip, b->out + head, n - head), 0);
    assert_memory_equal(b->out, msg, head + 16);
    return tmtu_get16(b->out + head + 22);
}

static void mss_is_clamped_to_what_the_tunnel_carries(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_AUTO);
    assert_int_equal(mss_out(&b, 1460, false), 1440); /* 1500 - 20 - 40 */
    assert_int_equal(mss_out(&b, 1440, true), 1420);
    assert_int_equal(mss_out(&b, 536, false), 536); /* never raised */
    assert_int_equal(b.rs.counters.clamped, 2);
    /* The SYN came over IPv6: its tunnel carries 20 bytes less. */
    assert_true(tunnelled(&b, outer6, &client4, 100));
    assert_int_equal(mss_out(&b, 1460, false), 1420);
    assert_int_equal(mss_out(&b, 1440, true), 1400);
    assert_true(tunnelled(&b, outer4, &client4, 100));
    assert_int_equal(mss_out(&b, 1460, false), 1420); /* the least of all */
    bed_close(&b);
}

static void ends_over_ipv6_are_known_from_the_start(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_AUTO);
    rs_free(&b.rs);
    add(&b.config.peers, "2001:db8::a");
    assert_true(rs_init(&b.rs, &b.config));
    assert_int_equal(mss_out(&b, 1460, false), 1420);
    bed_close(&b);
}

static void mss_stays_or_is_what_was_asked_for(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_NO);
    assert_int_equal(mss_out(&b, 1460, false), 1460);
    b.config.clamp = RS_CLAMP_FIXED;
    b.config.mss = 1300;
    assert_int_equal(mss_out(&b, 1460, false), 1300);
    assert_int_equal(mss_out(&b, 1440, true), 1300);
    bed_close(&b);
}

static void what_has_no_mss_or_a_broken_one_is_sent_as_it_is(void **state)
{
    const struct pk_ip ip = {.src = "10.0.0.2", .dst = "10.0.1.1", .proto = 6};
    struct bed b;
    (void)state;
    bed_open(&b, RS_CLAMP_AUTO);
    size_t n = pk_flow(msg, &ip, 443, 1000, 1500); /* no SYN */
    assert_true(bed_take(&b, false, msg, n, 0));
    assert_memory_equal(b.out, msg, n);
    n = pk_flow(msg, &ip, 443, 1000, 40);
    msg[33] = 0x12; /* a SYN-ACK without options */
    assert_true(bed_take(&b, false, msg, n, 0));
    assert_int_equal(b.n, n);
    assert_memory_equal(b.out, msg, n);
    assert_int_equal(b.rs.counters.clamped, 0);
    assert_int_equal(b.rs.counters.unclamped, 0);
    n = syn_ack(msg, ip.src, ip.dst, 1460);
    msg[41] = 9; /* an option that runs out of the header */
    assert_true(bed_take(&b, false, msg, n, 0));
    assert_memory_equal(b.out, msg, n);
    assert_int_equal(b.rs.counters.unclamped, 1);
    bed_close(&b);
}

static void what_is_no_reply_of_a_service_is_not_sent(void **state)
{
    struct bed b;
    struct pk_ip ip = {.src = "10.0.0.6", .dst = "10.0.1.1", .proto = 6};
    static const uint8_t solicit[8] = {133};
    (void)state;
    bed_open(&b, RS_CLAMP_AUTO);
    size_t n = pk_flow(msg, &ip, 443, 1000, 100);
    assert_false(bed_take(&b, false, msg, n, 0));
    ip = (struct pk_ip){.src = "fe80::1", .dst = "ff02::2", .proto = 58};
    n = pk_ip(msg, &ip, solicit, sizeof solicit);
    assert_false(bed_take(&b, false, msg, n, 0));
    assert_int_equal(b.rs.counters.out_fate[RS_OUT_NOT_VIP], 2);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_four_pairs_are_delivered_as_they_were),
        cmocka_unit_test(outer_fragments_are_put_together),
        cmocka_unit_test(what_is_not_delivered),
        cmocka_unit_test(strangers_fragments_are_not_kept),
        cmocka_unit_test(every_cut_is_dropped),
        cmocka_unit_test(mss_is_clamped_to_what_the_tunnel_carries),
        cmocka_unit_test(ends_over_ipv6_are_known_from_the_start),
        cmocka_unit_test(mss_stays_or_is_what_was_asked_for),
        cmocka_unit_test(what_has_no_mss_or_a_broken_one_is_sent_as_it_is),
        cmocka_unit_test(what_is_no_reply_of_a_service_is_not_sent),
    };
    return cmocka_run_group_tests_name("rs", tests, NULL, NULL);
}

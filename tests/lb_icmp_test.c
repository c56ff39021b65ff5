/* SPDX-License-Identifier: MIT */
/* How tunmtu-lb finds the server that an ICMP error is for, and what it makes
 * of fragments: of packets that do not carry their ports where others do. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

enum { MS = 1000000 };

static const struct pk_ip client4 = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1};
static const struct pk_ip reply4 = {
    .src = "10.0.0.2", .dst = "10.0.1.1", .proto = 6, .df = 1};
static const struct pk_ip client6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6};
static const struct pk_ip reply6 = {
    .src = "2001:db8::2", .dst = "2001:db8:1::1", .proto = 6};
/* From a router on the way to the client. */
static const struct pk_ip error4 = {
    .src = "10.5.5.5", .dst = "10.0.0.2", .proto = 1, .tos = 0xc0};
static const struct pk_ip error6 = {
    .src = "2001:db8:5::5", .dst = "2001:db8::2", .proto = 58};

static uint8_t quote[65536], msg[65536];

/* The balancer takes an error that quotes `n` bytes of a reply of the flow
 * `client` has from `port`, and it goes where the flow goes, unchanged but for
 * its TTL. */
static void follows(struct bed *b, const struct pk_ip *client,
                    const struct pk_ip *reply, const struct pk_ip *error,
                    uint16_t port, const uint8_t type_code[2], size_t n)
{
    char server[ARGS_ADDR];
    const size_t head = pk_is6(error) ? 40 : 20;
    bed_flow(b, *client, port, 443, 100);
    snprintf(server, sizeof server, "%s", bed_dst(b, 0));

    pk_flow(quote, reply, 443, port, 1500);
    const size_t len =
        pk_icmp(msg, error, type_code[0], type_code[1], 1400, quote, n);
    assert_int_equal(bed_take(b, msg, len, 0), LB_FORWARDED);
    assert_int_equal(b->n, 1);
    assert_string_equal(bed_dst(b, 0), server);
    assert_int_equal(b->out[0].n, head + len);
    assert_memory_equal(b->out[0].p + 2 * head, msg + head, len - head);
    assert_true(b->lb.note.icmp);
}

static const uint8_t options[12] = {7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0};

static void errors_follow_the_flow_they_quote(void **state)
{
    static const uint8_t kinds4[][2] = {{3, 4}, {3, 1}, {11, 0}, {12, 0}};
    static const uint8_t kinds6[][2] = {{2, 0}, {1, 4}, {3, 0}, {4, 1}};
    static const size_t l4[] = {4, 8, 20, 508};
    struct pk_ip with_options = reply4;
    struct bed b;
    (void)state;
    with_options.opt = options;
    with_options.nopt = sizeof options;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (uint16_t port = 1000; port < 1064; port++) {
        for (size_t k = 0; k < TEST_ROWS(kinds4); k++) {
            for (size_t i = 0; i < TEST_ROWS(l4); i++) {
                follows(&b, &client4, &reply4, &error4, port, kinds4[k],
                        20 + l4[i]);
                follows(&b, &client4, &with_options, &error4, port, kinds4[k],
                        32 + l4[i]);
                follows(&b, &client6, &reply6, &error6, port, kinds6[k],
                        40 + l4[i]);
            }
        }
    }
    const uint64_t *icmp = b.lb.counters.icmp;
    assert_int_equal(icmp[LB_ICMP_TOO_BIG], 64 * 4 * 3);
    assert_int_equal(icmp[LB_ICMP_UNREACHABLE], 64 * 4 * 3);
    assert_int_equal(icmp[LB_ICMP_EXPIRED], 64 * 4 * 3);
    assert_int_equal(icmp[LB_ICMP_PARAMETER], 64 * 4 * 3);
    bed_close(&b);
}

/* A long session that ends by 3/10 or 3/13 is one that somebody ended. */
static void prohibitions_reach_the_server_and_are_counted_apart(void **state)
{
    static const uint8_t kinds4[][2] = {{3, 9}, {3, 10}, {3, 13}};
    static const uint8_t kinds6[][2] = {{1, 1}, {1, 5}, {1, 6}};
    static const uint8_t others4[][2] = {{3, 0}, {3, 1}, {3, 5}, {3, 14}};
    static const uint8_t others6[][2] = {{1, 0}, {1, 3}, {1, 9}};
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    const uint64_t *icmp = b.lb.counters.icmp;
    for (size_t i = 0; i < 3; i++) {
        follows(&b, &client4, &reply4, &error4, 1000, kinds4[i], 28);
        follows(&b, &client6, &reply6, &error6, 1000, kinds6[i], 48);
    }
    assert_int_equal(icmp[LB_ICMP_PROHIBITED], 6);
    for (size_t i = 0; i < TEST_ROWS(others4); i++)
        follows(&b, &client4, &reply4, &error4, 1000, others4[i], 28);
    for (size_t i = 0; i < TEST_ROWS(others6); i++)
        follows(&b, &client6, &reply6, &error6, 1000, others6[i], 48);
    assert_int_equal(icmp[LB_ICMP_PROHIBITED], 6);
    assert_int_equal(icmp[LB_ICMP_UNREACHABLE], 7);
    bed_close(&b);
}

static void errors_follow_where_only_the_address_counts(void **state)
{
    struct bed b;
    struct pk_ip client = client4, reply = reply4;
    char src[32];
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    client.proto = reply.proto = 17;
    client.src = reply.dst = src;
    for (int i = 1; i < 64; i++) {
        char server[ARGS_ADDR];
        snprintf(src, sizeof src, "10.0.1.%d", i);
        bed_flow(&b, client, 5000, 53, 100);
        snprintf(server, sizeof server, "%s", bed_dst(&b, 0));
        pk_flow(quote, &reply, 53, 5001, 1500); /* another port, even */
        const size_t n = pk_icmp(msg, &error4, 3, 3, 0, quote, 28);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_FORWARDED);
        assert_string_equal(bed_dst(&b, 0), server);
    }
    bed_close(&b);
}

static void K22_oversize_errors_go_in_outer_fragments(void **state)
{
    struct pk_ip ip = error4;
    struct bed b;
    (void)state;
    for (uint8_t policy = 0; policy <= TMTU_MTU_BOTH; policy++) {
        bed_open(&b, policy);
        ip.df = 1;
        pk_flow(quote, &reply4, 443, 1000, 1472);
        size_t n = pk_icmp(msg, &ip, 3, 4, 1400, quote, 1472);
        assert_int_equal(n, 1500);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_FORWARDED);
        assert_int_equal(b.n, 2);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(b.out[i].p[9], 4); /* tunnel, not ICMP */
            assert_int_equal(tmtu_get16(b.out[i].p + 6) & 0x4000, 0);
        }
        assert_memory_equal(b.out[0].p + 40, msg + 20, 1460);
        pk_flow(quote, &reply6, 443, 1000, 1452); /* and ICMPv6 */
        n = pk_icmp(msg, &error6, 2, 0, 1400, quote, 1452);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_FORWARDED);
        assert_int_equal(b.n, 2);
        assert_int_equal(b.lb.counters.answered[LB_TOO_BIG], 0);
        bed_close(&b);
    }
}

static void K42_an_error_with_ttl_1_earns_no_error(void **state)
{
    struct pk_ip ip = error4;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.ttl = 1;
    pk_flow(quote, &reply4, 443, 1000, 100);
    bed_take(&b, msg, pk_icmp(msg, &ip, 3, 4, 1400, quote, 28), 0);
    bed_dropped(&b, TMTU_R_TTL_EXPIRED);
    assert_int_equal(b.lb.note.unanswered, TMTU_R_ABOUT_ERROR);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_ABOUT_ERROR], 1);
    bed_close(&b);
}

static void a_wrong_icmp_checksum_is_not_forwarded(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    pk_flow(quote, &reply4, 443, 1000, 100);
    size_t n = pk_icmp(msg, &error4, 3, 4, 1400, quote, 28);
    msg[n - 1] ^= 1;
    bed_take(&b, msg, n, 0);
    bed_dropped(&b, TMTU_R_CHECKSUM);
    assert_true(b.lb.note.broken); /* and the operator is told */
    bed_flow(&b, client4, 1000, 443, 100);
    assert_false(b.lb.note.broken);
    pk_flow(quote, &reply6, 443, 1000, 100);
    n = pk_icmp(msg, &error6, 2, 0, 1400, quote, 48);
    msg[n - 1] ^= 1;
    bed_take(&b, msg, n, 0);
    bed_dropped(&b, TMTU_R_CHECKSUM);
    bed_close(&b);
}

/* What each error that is not for a server comes to; the IPv4 header in the
 * quote may be changed at one byte. */
static void errors_that_are_for_no_server(void **state)
{
    static const struct {
        const char *name;
        const char *src, *dst; /* of the quoted packet */
        uint8_t proto, type;
        uint16_t sport;
        size_t quoted;
        size_t off;
        uint8_t val;
        enum lb_fate fate;
    } rows[] = {
        {"as it should be", "10.0.0.2", "10.0.1.1", 6, 3, 443, 28, 8, 64,
         LB_FORWARDED},
        {"a later fragment of a protocol that is not served", "10.0.0.2",
         "10.0.1.1", 132, 3, 443, 28, 7, 1, LB_NOT_SERVED},
        {"cut before the ports of one", "10.0.0.2", "10.0.1.1", 132, 3, 443, 23,
         8, 64, LB_NOT_SERVED},
        {"a port that is not served", "10.0.0.2", "10.0.1.1", 6, 3, 444, 28, 8,
         64, LB_NOT_SERVED},
        {"a protocol that is not served", "10.0.0.2", "10.0.1.1", 132, 3, 443,
         28, 8, 64, LB_NOT_SERVED},
        {"not from who it is sent to", "10.0.0.4", "10.0.1.1", 6, 3, 443, 28, 8,
         64, LB_NOT_SERVED},
        {"a packet to the VIP, not from it", "10.0.1.1", "10.0.0.2", 6, 3, 443,
         28, 8, 64, LB_NOT_SERVED},
        {"redirect", "10.0.0.2", "10.0.1.1", 6, 5, 443, 28, 8, 64,
         LB_NOT_SERVED},
        {"source quench", "10.0.0.2", "10.0.1.1", 6, 4, 443, 28, 8, 64,
         LB_NOT_SERVED},
        {"echo request", "10.0.0.2", "10.0.1.1", 6, 8, 443, 28, 8, 64,
         LB_NOT_SERVED},
        {"quotes half a header", "10.0.0.2", "10.0.1.1", 6, 3, 443, 19, 8, 64,
         LB_DROPPED},
        {"quotes IPv6", "10.0.0.2", "10.0.1.1", 6, 3, 443, 28, 0, 0x65,
         LB_DROPPED},
        {"quotes a header of 16 bytes", "10.0.0.2", "10.0.1.1", 6, 3, 443, 28,
         0, 0x44, LB_DROPPED},
    };
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct pk_ip ip = {
            .src = rows[i].src, .dst = rows[i].dst, .proto = rows[i].proto};
        print_message("  %s\n", rows[i].name);
        pk_flow(quote, &ip, rows[i].sport, 1000, 100);
        quote[rows[i].off] = rows[i].val;
        const size_t n =
            pk_icmp(msg, &error4, rows[i].type, rows[i].type == 3 ? 4 : 0, 1400,
                    quote, rows[i].quoted);
        assert_int_equal(bed_take(&b, msg, n, 0), rows[i].fate);
        assert_int_equal(b.n, rows[i].fate == LB_FORWARDED ? 1 : 0);
    }
    bed_close(&b);
}

/* On a TUN device the host has seen nothing of it: it gets it back, for the
 * last hop, so that it does not come a second time. */
static void errors_for_no_service_are_given_to_the_host_of_a_tun(void **state)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    struct pk_ip other6 = error6;
    struct bed b;
    (void)state;
    other6.dst = "2001:db8::a"; /* our end of tunnels */
    for (int tun = 0; tun < 2; tun++) {
        config.pass = tun;
        bed_open_with(&b, BED_RULES, config);
        for (size_t i = 0; i < 3; i++) {
            const struct pk_ip *error = i < 2 ? &error4 : &other6;
            /* a port that is not served, a redirect, and no tunnel of ours */
            pk_flow(quote, i < 2 ? &reply4 : &reply6, i == 0 ? 444 : 443, 1000,
                    1200);
            size_t n = pk_icmp(msg, error, i < 2 ? (i == 0 ? 3 : 5) : 1, 1, 0,
                               quote, 100);
            assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
            assert_int_equal(b.n, tun);
            if (!tun)
                continue;
            msg[i < 2 ? 8 : 7] = 1;
            if (i < 2) {
                pk16(msg + 10, 0);
                pk16(msg + 10, test_cksum(msg, 20));
            }
            assert_int_equal(b.out[0].n, n);
            assert_memory_equal(b.out[0].p, msg, n);
        }
        assert_int_equal(b.lb.counters.passed, tun ? 3 : 0);
        /* What is no error, the host of a VIP would answer. */
        size_t n = pk_icmp(msg, &error4, 8, 0, 1, quote, 20);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
        assert_int_equal(b.n, 0);
        n = pk_flow(msg, &client4, 1000, 444, 100);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
        assert_int_equal(b.n, 0);
        bed_close(&b);
    }
}

static void
K43_icmp_without_a_type_is_neither_forwarded_nor_answered(void **state)
{
    struct pk_ip ip = error4;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    ip.ttl = 1;
    for (size_t n = 0; n < 8; n++) {
        static const uint8_t head[8] = {3, 4};
        bed_take(&b, msg, pk_ip(msg, &ip, head, n), 0);
        assert_int_equal(b.n, 0);
        assert_int_not_equal(b.lb.note.fate, LB_FORWARDED);
    }
    bed_close(&b);
}

static void without_ports_a_service_for_every_port_is_found(void **state)
{
    struct pk_ip client = client4, reply = reply4, error = error4;
    char server[ARGS_ADDR];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    client.dst = reply.src = error.dst = "10.0.0.9";
    bed_flow(&b, client, 1000, 8080, 100);
    snprintf(server, sizeof server, "%s", bed_dst(&b, 0));
    pk_flow(quote, &reply, 8080, 1000, 100);
    quote[7] = 1; /* a later fragment */
    const size_t n = pk_icmp(msg, &error, 11, 1, 0, quote, 28);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_FORWARDED);
    assert_string_equal(bed_dst(&b, 0), server);
    assert_false(b.lb.note.by_address); /* as all its flows are */
    bed_close(&b);
}

/* Takes an error that quotes the first `n` bytes of `quote`; the server that it
 * goes to. */
static const char *error_goes_to(struct bed *b, size_t n)
{
    const size_t len = pk_icmp(msg, &error4, 3, 4, 1400, quote, n);
    assert_int_equal(bed_take(b, msg, len, 0), LB_FORWARDED);
    assert_int_equal(b->n, 1);
    return bed_dst(b, 0);
}

/* R-7690-09: the first fragment that is quoted tells for the others. */
static void a_later_fragment_that_is_quoted_follows_its_first(void **state)
{
    struct pk_ip first = reply4, later = reply4;
    char server[ARGS_ADDR];
    struct bed b;
    unsigned strays = 0;
    (void)state;
    first.df = later.df = 0;
    first.mf = 1;
    later.off = 1480;
    bed_open(&b, TMTU_MTU_NOTIFY);
    const uint64_t *by_address = &b.lb.counters.by_address;
    for (uint16_t port = 1000; port < 1032; port++) {
        bed_flow(&b, client4, port, 443, 100);
        snprintf(server, sizeof server, "%s", bed_dst(&b, 0));
        first.id = later.id = port;
        /* Before it is known: by addresses, which is as good as chance. */
        const uint64_t before = *by_address;
        pk_ip(quote, &later, msg, 500);
        strays += strcmp(error_goes_to(&b, 28), server) != 0;
        assert_int_equal(*by_address, before + 1);

        pk_flow(quote, &first, 443, port, 1500);
        assert_string_equal(error_goes_to(&b, 28), server);
        pk_ip(quote, &later, msg, 500);
        assert_string_equal(error_goes_to(&b, 28), server);
        assert_false(b.lb.note.by_address);
        assert_int_equal(*by_address, before + 1);
    }
    assert_true(strays > 10 && strays < 32);
    assert_true(b.lb.note.icmp);
    bed_close(&b);
}

static void what_is_cut_before_the_ports_goes_by_addresses(void **state)
{
    struct bed b;
    char server[ARGS_ADDR];
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    pk_flow(quote, &reply4, 443, 1000, 1500);
    snprintf(server, sizeof server, "%s", error_goes_to(&b, 20));
    assert_true(b.lb.note.by_address);
    for (size_t n = 21; n < 24; n++)
        assert_string_equal(error_goes_to(&b, n), server);
    error_goes_to(&b, 24);
    assert_false(b.lb.note.by_address);
    assert_int_equal(b.lb.counters.by_address, 4);
    bed_close(&b);
}

/* Of two services it is the same one on each balancer. */
static void
which_service_it_is_does_not_depend_on_the_order_of_rules(void **state)
{
    static const char *const rules[] = {"-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                                        "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n",
                                        "-A -t 10.0.0.2:80 -s mh -b mh-port\n"
                                        "-a -t 10.0.0.2:80 -r 10.0.0.7 -i\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char text[400];
        struct bed b;
        snprintf(text, sizeof text, "%s%s", rules[i], rules[1 - i]);
        bed_open_with(&b, text, bed_config(TMTU_MTU_NOTIFY));
        pk_flow(quote, &reply4, 443, 1000, 1500);
        assert_string_equal(error_goes_to(&b, 20), "10.0.0.7");
        bed_close(&b);
    }
}

/* A server that answers through a tunnel of its own, from the VIP. */
static void the_flow_in_a_quoted_tunnel_counts(void **state)
{
    const struct pk_ip tunnel = {
        .src = "10.0.0.2", .dst = "10.0.9.9", .proto = 4};
    struct pk_ip other = reply4;
    char server[ARGS_ADDR];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (uint16_t port = 1000; port < 1032; port++) {
        bed_flow(&b, client4, port, 443, 100);
        snprintf(server, sizeof server, "%s", bed_dst(&b, 0));
        const size_t n = pk_flow(msg, &reply4, 443, port, 1480);
        pk_ip(quote, &tunnel, msg, n);
        assert_string_equal(error_goes_to(&b, 48), server);
    }
    other.src = "10.0.0.77"; /* the tunnel is from the VIP, the flow is not */
    const size_t n = pk_flow(msg, &other, 443, 1000, 1480);
    pk_ip(quote, &tunnel, msg, n);
    const size_t len = pk_icmp(msg, &error4, 3, 4, 1400, quote, 48);
    assert_int_equal(bed_take(&b, msg, len, 0), LB_NOT_SERVED);
    bed_close(&b);
}

/* Sends `n` bytes of transport packet in fragments of `size` bytes of data, all
 * but the one at `skip`; true when the last one led to something. */
static enum lb_fate fragments(struct bed *b, struct pk_ip ip, const uint8_t *l4,
                              size_t n, size_t size, size_t skip)
{
    enum lb_fate fate = LB_HELD;
    ip.frag = 1;
    for (size_t off = 0; off < n; off += size) {
        const size_t len = n - off < size ? n - off : size;
        if (off == skip)
            continue;
        assert_int_equal(fate, LB_HELD);
        ip.off = (uint16_t)off;
        ip.mf = off + len < n;
        fate = bed_take(b, msg, pk_ip(msg, &ip, l4 + off, len), 0);
    }
    return fate;
}

static const size_t none = (size_t)-1;

static void K24_K25_K26_ipv6_is_judged_by_its_largest_fragment(void **state)
{
    static uint8_t l4[8000];
    struct pk_ip ip = client6;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.id = 0x12345678;
    const size_t n = pk_l4(l4, &ip, 1000, 443, 3940);
    /* 1280 bytes each, 4000 in all: too long, but no fragment was. */
    assert_int_equal(fragments(&b, ip, l4, n, 1232, none), LB_FORWARDED);
    assert_int_equal(b.n, 3);
    assert_int_equal(b.lb.counters.answered[LB_TOO_BIG], 0);
    size_t at = 0;
    for (size_t i = 0; i < b.n; i++) { /* the inner packet is whole again */
        const size_t from = i == 0 ? 88 : 48;
        assert_int_equal(b.out[i].p[6], 44);
        assert_memory_equal(b.out[i].p + from, l4 + at, b.out[i].n - from);
        at += b.out[i].n - from;
    }
    assert_int_equal(at, n);
    ip.id++; /* 1496 bytes: over 1460 */
    assert_int_equal(fragments(&b, ip, l4, n, 1448, none), LB_DROPPED);
    assert_int_equal(b.lb.note.reason, TMTU_R_TOO_BIG);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.out[0].p[40], 2);
    assert_int_equal(tmtu_get32(b.out[0].p + 44), 1460);
    bed_close(&b);
}

/* R-8900-02: whether they stay fragments or not. */
static void fragments_of_a_flow_go_where_the_flow_goes(void **state)
{
    static uint8_t l4[8000];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (uint16_t port = 1000; port < 1032; port++) {
        struct pk_ip ip = client4;
        char server[ARGS_ADDR];
        bed_flow(&b, ip, port, 443, 100);
        snprintf(server, sizeof server, "%s", bed_dst(&b, 0));
        ip.df = 0;
        ip.id = port;
        const size_t n = pk_l4(l4, &ip, port, 443, 2980);
        assert_int_equal(fragments(&b, ip, l4, n, 1480, none), LB_FORWARDED);
        assert_int_equal(b.n, 3);
        for (size_t i = 0; i < b.n; i++)
            assert_string_equal(bed_dst(&b, i), server);
        const size_t small = pk_l4(l4, &ip, port, 443, 480);
        assert_int_equal(fragments(&b, ip, l4, small, 256, none), LB_FORWARDED);
        assert_int_equal(b.n, 1); /* small enough to go in one piece */
        assert_memory_equal(b.out[0].p + 40, l4, small);
    }
    bed_close(&b);
}

/* What is to be sent must outlive the next reassembly: bursts are sent later.
 */
static void a_reassembled_packet_is_handed_over(void **state)
{
    static uint8_t l4[1000];
    struct pk_ip ip = client4;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.df = 0;
    const size_t n = pk_l4(l4, &ip, 1000, 443, 480);
    ip.mf = 1;
    assert_int_equal(bed_take(&b, msg, pk_ip(msg, &ip, l4, 256), 0), LB_HELD);
    ip.mf = 0;
    ip.off = 256;
    const size_t last = pk_ip(msg, &ip, l4 + 256, n - 256);
    const struct tmtu_io_packet in = {
        .buf = test_buf(msg, last, TMTU_IO_HEADROOM, 0)};
    struct tmtu_buf out = test_buf(NULL, 0, TMTU_IO_HEADROOM, 1500);
    const uint8_t *head = out.head, *end = out.end;
    lb_take(&b.lb, &in, 0);
    assert_int_equal(lb_give(&b.lb, &out), 1);
    assert_true(out.data >= head && out.tail <= end);
    assert_int_equal(tmtu_buf_len(&out), 40 + n);
    assert_int_equal(lb_give(&b.lb, &out), 0);
    free(in.buf.head);
    free(out.head);
    bed_close(&b);
}

/* IPVS answers these (K27): their sum is too long. But each of them fits, and
 * the sender has nothing to make smaller. */
static void K27_fragments_with_df_that_fit_are_not_answered(void **state)
{
    static uint8_t l4[8000];
    struct pk_ip ip = client4;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.id = 9;
    const size_t n = pk_l4(l4, &ip, 1000, 443, 2980);
    assert_int_equal(fragments(&b, ip, l4, n, 1400, none), LB_FORWARDED);
    assert_int_equal(b.lb.counters.answered[LB_TOO_BIG], 0);
    ip.id++;
    assert_int_equal(fragments(&b, ip, l4, n, 1480, none), LB_DROPPED);
    assert_int_equal(b.lb.counters.answered[LB_TOO_BIG], 1);
    bed_close(&b);
}

/* Gives up what is due; true when an answer came of it. */
static bool expire(struct bed *b)
{
    struct tmtu_buf buf = test_buf(NULL, 0, TMTU_IO_HEADROOM, 2000);
    bed_forget(b);
    const bool answered = lb_expire(&b->lb, b->now, &buf);
    if (answered)
        bed_keep(b, &buf);
    free(buf.head);
    return answered;
}

static void
K40_K41_reassembly_time_exceeded_needs_the_first_fragment(void **state)
{
    static uint8_t l4[8000];
    struct pk_ip ip = client4, v6 = client6;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.df = 0;
    ip.id = v6.id = 5;
    const size_t n = pk_l4(l4, &ip, 1000, 443, 2980);
    assert_int_equal(fragments(&b, ip, l4, n, 1480, 1480), LB_HELD);
    b.now = UINT64_C(59000) * MS;
    assert_false(expire(&b));
    b.now = UINT64_C(60000) * MS;
    assert_true(expire(&b)); /* K41: the first has MF, and is quoted */
    assert_int_equal(b.out[0].p[20], 11);
    assert_int_equal(b.out[0].p[21], 1);
    assert_int_equal(b.out[0].n, 576);
    assert_int_equal(tmtu_get16(b.out[0].p + 28 + 6), 0x2000);
    assert_int_equal(test_cksum(b.out[0].p + 20, 556), 0);
    assert_false(expire(&b));
    ip.id++;
    assert_int_equal(fragments(&b, ip, l4, n, 1480, 0), LB_HELD);
    b.now *= 2;
    assert_false(expire(&b)); /* K40: only later ones came */
    ip.id++;
    assert_int_equal(fragments(&b, ip, l4, n, 1480, 0), LB_HELD);
    ip.id++;
    assert_int_equal(fragments(&b, ip, l4, n, 1480, 1480), LB_HELD);
    b.now *= 2;
    assert_true(expire(&b)); /* the second one of both */
    ip.id++;
    ip.proto = 1; /* K42: an error is not answered, as a fragment neither */
    l4[0] = 3;
    assert_int_equal(fragments(&b, ip, l4, n, 1480, 1480), LB_HELD);
    b.now *= 2;
    assert_false(expire(&b));
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_ABOUT_ERROR], 1);
    assert_int_equal(fragments(&b, v6, l4, n, 1232, 1232), LB_HELD);
    b.now *= 2;
    assert_true(expire(&b));
    assert_int_equal(b.out[0].p[40], 3);
    assert_int_equal(b.out[0].p[41], 1);
    assert_int_equal(b.lb.counters.answered[LB_REASSEMBLY_EXPIRED], 3);
    bed_close(&b);
}

static void fragments_for_others_are_not_kept(void **state)
{
    static uint8_t l4[8000];
    struct pk_ip ip = client4;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.dst = "10.0.0.77";
    ip.off = 1480;
    const size_t n = pk_l4(l4, &ip, 1000, 443, 500);
    assert_int_equal(bed_take(&b, msg, pk_ip(msg, &ip, l4, n), 0),
                     LB_NOT_SERVED);
    assert_int_equal(tmtu_reass_counters(b.lb.reass)->fragments, 0);
    bed_close(&b);
}

static void overlapping_fragments_are_dropped(void **state)
{
    static uint8_t l4[8000];
    struct pk_ip ip = client4;
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.df = 0;
    const size_t n = pk_l4(l4, &ip, 1000, 443, 2980);
    ip.mf = 1;
    assert_int_equal(bed_take(&b, msg, pk_ip(msg, &ip, l4, 1480), 0), LB_HELD);
    ip.off = 1472;
    ip.mf = 0;
    bed_take(&b, msg, pk_ip(msg, &ip, l4, n - 1472), 0);
    bed_dropped(&b, TMTU_R_MALFORMED);
    bed_close(&b);
}

static void fragments_of_an_error_are_put_together_as_well(void **state)
{
    struct pk_ip ip = error4;
    static uint8_t icmp[2000];
    char server[ARGS_ADDR];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    bed_flow(&b, client4, 1000, 443, 100);
    snprintf(server, sizeof server, "%s", bed_dst(&b, 0));
    pk_flow(quote, &reply4, 443, 1000, 1000);
    const size_t n = pk_icmp(icmp, &ip, 3, 4, 1400, quote, 1000);
    ip.id = 3;
    assert_int_equal(fragments(&b, ip, icmp + 20, n - 20, 504, none),
                     LB_FORWARDED);
    assert_string_equal(bed_dst(&b, 0), server);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_follow_the_flow_they_quote),
        cmocka_unit_test(prohibitions_reach_the_server_and_are_counted_apart),
        cmocka_unit_test(errors_follow_where_only_the_address_counts),
        cmocka_unit_test(K22_oversize_errors_go_in_outer_fragments),
        cmocka_unit_test(K42_an_error_with_ttl_1_earns_no_error),
        cmocka_unit_test(a_wrong_icmp_checksum_is_not_forwarded),
        cmocka_unit_test(errors_that_are_for_no_server),
        cmocka_unit_test(
            K43_icmp_without_a_type_is_neither_forwarded_nor_answered),
        cmocka_unit_test(without_ports_a_service_for_every_port_is_found),
        cmocka_unit_test(a_later_fragment_that_is_quoted_follows_its_first),
        cmocka_unit_test(what_is_cut_before_the_ports_goes_by_addresses),
        cmocka_unit_test(errors_for_no_service_are_given_to_the_host_of_a_tun),
        cmocka_unit_test(
            which_service_it_is_does_not_depend_on_the_order_of_rules),
        cmocka_unit_test(the_flow_in_a_quoted_tunnel_counts),
        cmocka_unit_test(K24_K25_K26_ipv6_is_judged_by_its_largest_fragment),
        cmocka_unit_test(fragments_of_a_flow_go_where_the_flow_goes),
        cmocka_unit_test(a_reassembled_packet_is_handed_over),
        cmocka_unit_test(K27_fragments_with_df_that_fit_are_not_answered),
        cmocka_unit_test(
            K40_K41_reassembly_time_exceeded_needs_the_first_fragment),
        cmocka_unit_test(fragments_for_others_are_not_kept),
        cmocka_unit_test(overlapping_fragments_are_dropped),
        cmocka_unit_test(fragments_of_an_error_are_put_together_as_well),
    };
    return cmocka_run_group_tests_name("lb_icmp", tests, NULL, NULL);
}

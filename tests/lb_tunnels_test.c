/* SPDX-License-Identifier: MIT */
/* tunmtu-lb with every kind of tunnel: what each carries, and what it is made
 * of, held against single bytes. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

static const struct pk_ip client4 = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1, .id = 77};
static const struct pk_ip client6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6};

enum { GUE_PORT = 6080 };

/* A kind of tunnel: its option, and bytes more than the outer IP header. */
static const struct kind {
    const char *name;
    const char *option;
    uint8_t proto;
    uint8_t shim;
    bool csum;
} kinds[] = {
    {"ipip", "--tun-type ipip", 4, 0, false},
    {"gue", "--tun-type gue --tun-port 6080 --tun-nocsum", 17, 12, false},
    {"gue, checksum", "--tun-type gue --tun-port 6080 --tun-csum", 17, 12,
     true},
    {"gre", "--tun-type gre --tun-nocsum", 47, 4, false},
    {"gre, checksum", "--tun-type gre --tun-csum", 47, 8, true},
};

static void open_kind(struct bed *b, const struct kind *k, int outer,
                      uint8_t policy)
{
    static const char *const servers[] = {"10.0.0.6", "[2001:db8::6]"};
    char text[512];
    const char *server = servers[outer == 6];
    snprintf(text, sizeof text,
             "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
             "-a -t 10.0.0.2:443 -r %s -i %s\n"
             "-A -t [2001:db8::2]:443 -s mh -b mh-port\n"
             "-a -t [2001:db8::2]:443 -r %s -i %s\n",
             server, k->option, server, k->option);
    bed_open_with(b, text, bed_config(policy));
}

/* The headers of the packet at `p`, each byte; returns what is behind them. */
static const uint8_t *is_outer(const struct kind *k, int outer, int inner,
                               const uint8_t *p, size_t n)
{
    const size_t ip = outer == 4 ? 20 : 40, addr = outer == 4 ? 4 : 16;
    const uint8_t *ends = p + (outer == 4 ? 12 : 8), *s = p + ip;
    const uint8_t proto = k->proto == 4 && inner == 6 ? 41 : k->proto;
    uint8_t end[16];
    assert_int_equal(p[0] >> 4, outer);
    assert_int_equal(p[outer == 4 ? 8 : 7], 63); /* K34 */
    assert_int_equal(p[outer == 4 ? 9 : 6], proto);
    assert_int_equal(pk_addr(end, outer == 4 ? "10.0.0.3" : "2001:db8::a"),
                     addr);
    assert_memory_equal(ends, end, addr);
    pk_addr(end, outer == 4 ? "10.0.0.6" : "2001:db8::6");
    assert_memory_equal(ends + addr, end, addr);
    assert_int_equal(tmtu_get16(p + (outer == 4 ? 2 : 4)),
                     outer == 4 ? n : n - 40);
    if (k->proto == 17) {
        const struct pk_ip pseudo = {
            .src = outer == 4 ? "10.0.0.3" : "2001:db8::a",
            .dst = outer == 4 ? "10.0.0.6" : "2001:db8::6",
            .proto = 17};
        assert_true(tmtu_get16(s) >= 49152); /* RFC 6335 §6: dynamic */
        assert_int_equal(tmtu_get16(s + 2), GUE_PORT);
        assert_int_equal(tmtu_get16(s + 4), n - ip);
        assert_int_equal(tmtu_get16(s + 6) != 0, k->csum); /* K37 */
        if (k->csum) /* sums to zero where its own field stands in it */
            assert_int_equal(pk_sum(&pseudo, s, n - ip), 0);
        assert_int_equal(tmtu_get32(s + 8), inner == 4 ? 0x40000 : 0x290000);
    } else if (k->proto == 47) {
        assert_int_equal(tmtu_get16(s), k->csum ? 0x8000 : 0);
        assert_int_equal(tmtu_get16(s + 2), inner == 4 ? 0x0800 : 0x86dd);
        if (k->csum)
            assert_int_equal(test_cksum(s, n - ip), 0);
    }
    return s + k->shim;
}

/* Each kind in each pair of families. */
typedef void (*each_pair)(const struct kind *k, int outer, int inner);

static void all_pairs(each_pair check)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (int pair = 0; pair < 4; pair++) {
            print_message("  %s, %din%d\n", kinds[i].name, pair & 1 ? 6 : 4,
                          pair & 2 ? 6 : 4);
            check(&kinds[i], pair & 2 ? 6 : 4, pair & 1 ? 6 : 4);
        }
    }
}

static void carries(const struct kind *k, int outer, int inner)
{
    const struct pk_ip ip = inner == 4 ? client4 : client6;
    const size_t limit = 1500u - (outer == 4 ? 20u : 40u) - k->shim;
    static uint8_t was[2000];
    struct bed b;
    open_kind(&b, k, outer, TMTU_MTU_NOTIFY);
    assert_int_equal(bed_flow(&b, ip, 4000, 443, limit), LB_FORWARDED);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.out[0].n, 1500);
    const uint8_t *in = is_outer(k, outer, inner, b.out[0].p, 1500);
    assert_int_equal(pk_flow(was, &ip, 4000, 443, limit), limit);
    const size_t ttl = inner == 4 ? 8 : 7;
    assert_int_equal(in[ttl], 63);
    assert_memory_equal(in, was, ttl);
    assert_memory_equal(in + 12, was + 12, limit - 12);

    /* One byte more is answered, with the number that would have fitted. */
    assert_int_equal(bed_flow(&b, ip, 4000, 443, limit + 1), LB_DROPPED);
    assert_int_equal(b.lb.note.reason, TMTU_R_TOO_BIG);
    assert_int_equal(b.lb.note.mtu, limit);
    assert_int_equal(b.n, 1);
    bed_close(&b);
}

static void K1_K2_K4_K5_K6_K37_what_each_kind_carries(void **state)
{
    (void)state;
    all_pairs(carries);
}

static void cut(const struct kind *k, int outer, int inner)
{
    const struct pk_ip ip = inner == 4 ? client4 : client6;
    const size_t head = outer == 4 ? 20 : 48; /* with a Fragment header */
    static uint8_t whole[3000];
    struct bed b;
    open_kind(&b, k, outer, TMTU_MTU_FRAGMENT);
    assert_int_equal(bed_flow(&b, ip, 4000, 443, 1500), LB_FORWARDED);
    assert_int_equal(b.n, 2);
    /* Put together without the library, under the header of the first. */
    size_t n = outer == 4 ? 20 : 40;
    memcpy(whole, b.out[0].p, n);
    for (size_t i = 0; i < 2; i++) {
        assert_true(b.out[i].n <= 1500);
        memcpy(whole + n, b.out[i].p + head, b.out[i].n - head);
        n += b.out[i].n - head;
    }
    assert_int_equal(n, 1500u + (outer == 4 ? 20u : 40u) + k->shim);
    pk16(whole + (outer == 4 ? 2 : 4), outer == 4 ? n : n - 40);
    if (outer == 6)
        whole[6] = b.out[0].p[40];
    const uint8_t *in = is_outer(k, outer, inner, whole, n);
    assert_int_equal(in[inner == 4 ? 8 : 7], 63);
    assert_int_equal(b.lb.counters.fragments, 2);
    bed_close(&b);
}

/* A checksum is of the whole packet, which is cut after it. */
static void what_does_not_fit_goes_in_fragments_of_each_kind(void **state)
{
    (void)state;
    all_pairs(cut);
}

static void errors(const struct kind *k, int outer, int inner)
{
    static uint8_t quote[2000], msg[2000];
    const struct pk_ip ip = inner == 4 ? client4 : client6;
    const struct pk_ip error = {.src = outer == 4 ? "10.9.9.9" : "2001:db8::99",
                                .dst = outer == 4 ? "10.0.0.3" : "2001:db8::a",
                                .proto = outer == 4 ? 1 : 58};
    const size_t head = outer == 4 ? 20 : 40;
    struct bed b;
    open_kind(&b, k, outer, TMTU_MTU_NOTIFY);
    assert_int_equal(bed_flow(&b, ip, 4000, 443, 1200), LB_FORWARDED);
    memcpy(quote, b.out[0].p, head + 8);
    for (int i = 0; i < 4; i++) {
        enum lb_fate fate = LB_ICMP_TUNNEL;
        if (i == 1) { /* to a host that is no server of ours */
            quote[head - 1] ^= 0x40;
            fate = LB_NOT_SERVED;
        } else if (i == 2) { /* from another port than a tunnel's: no matter */
            quote[head - 1] ^= 0x40;
            if (k->proto != 17)
                continue;
            quote[head] ^= 1;
        } else if (i == 3) { /* to another port: none of our tunnels */
            if (k->proto != 17)
                continue;
            quote[head + 3] ^= 1;
            fate = LB_NOT_SERVED;
        }
        const size_t n =
            outer == 4 ? pk_icmp(msg, &error, 3, 4, 1400, quote, head + 8)
                       : pk_icmp(msg, &error, 2, 0, 1400, quote, head + 8);
        assert_int_equal(bed_take(&b, msg, n, 0), fate);
        assert_int_equal(b.n, 0);
    }
    bed_close(&b);
}

static void icmp_errors_about_tunnels_of_each_kind_are_known(void **state)
{
    (void)state;
    all_pairs(errors);
}

static void K20_K36_the_outer_header_does_not_depend_on_the_kind(void **state)
{
    struct bed b;
    struct pk_ip ip = client4;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        open_kind(&b, &kinds[i], 4, TMTU_MTU_NOTIFY);
        ip.df = 1;
        assert_int_equal(bed_flow(&b, ip, 1, 443, 100), LB_FORWARDED);
        assert_int_equal(tmtu_get32(b.out[0].p + 4), 0x4000); /* DF, no ID */
        ip.df = 0;
        for (unsigned id = 1; id < 3; id++) {
            assert_int_equal(bed_flow(&b, ip, 1, 443, 100), LB_FORWARDED);
            assert_int_equal(tmtu_get32(b.out[0].p + 4), id << 16);
        }
        assert_int_equal(bed_flow(&b, client6, 1, 443, 100), LB_FORWARDED);
        assert_int_equal(tmtu_get32(b.out[0].p + 4), 0x4000); /* R-4213-10 */
        bed_close(&b);
    }
}

static void source_ports_are_of_the_flow_and_of_nothing_else(void **state)
{
    struct bed b;
    unsigned others = 0;
    (void)state;
    open_kind(&b, &kinds[1], 4, TMTU_MTU_NOTIFY);
    for (uint16_t sport = 1; sport < 33; sport++) {
        assert_int_equal(bed_flow(&b, client4, sport, 443, 100), LB_FORWARDED);
        const uint16_t first = tmtu_get16(b.out[0].p + 20);
        assert_int_equal(bed_flow(&b, client4, sport, 443, 900), LB_FORWARDED);
        assert_int_equal(tmtu_get16(b.out[0].p + 20), first);
        assert_int_equal(bed_flow(&b, client4, (uint16_t)(sport + 1), 443, 900),
                         LB_FORWARDED);
        others += tmtu_get16(b.out[0].p + 20) != first;
    }
    assert_true(others > 30); /* of 32, each alike once in 16384 */
    bed_close(&b);
}

/* 14 servers, a service and its address would fill a table of 16. */
static void what_is_not_in_the_table_is_not_found(void **state)
{
    const struct pk_ip other = {
        .src = "10.0.1.1", .dst = "10.0.0.99", .proto = 6};
    char text[2048];
    struct bed b;
    (void)state;
    int n = snprintf(text, sizeof text, "-A -t 10.0.0.2:443 -s mh\n");
    for (int i = 0; i < 14; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "-a -t 10.0.0.2:443 -r 10.0.3.%d -i\n", i + 1);
    bed_open_with(&b, text, bed_config(TMTU_MTU_NOTIFY));
    assert_int_equal(bed_flow(&b, other, 1, 443, 100), LB_NOT_SERVED);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(K1_K2_K4_K5_K6_K37_what_each_kind_carries),
        cmocka_unit_test(what_does_not_fit_goes_in_fragments_of_each_kind),
        cmocka_unit_test(icmp_errors_about_tunnels_of_each_kind_are_known),
        cmocka_unit_test(K20_K36_the_outer_header_does_not_depend_on_the_kind),
        cmocka_unit_test(what_is_not_in_the_table_is_not_found),
        cmocka_unit_test(source_ports_are_of_the_flow_and_of_nothing_else),
    };
    return cmocka_run_group_tests_name("lb_tunnels", tests, NULL, NULL);
}

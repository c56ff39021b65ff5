/* SPDX-License-Identifier: MIT */
/* What tunmtu-lb makes of a client's packets, held against what IPVS does
 * (statements K...) and against single bytes. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

static const struct pk_ip tcp4 = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1, .id = 77};
static const struct pk_ip tcp6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6};
static const struct pk_ip in4 = {/* IPv6 client, server behind IPv4 */
                                 .src = "2001:db8:1::1",
                                 .dst = "2001:db8::3",
                                 .proto = 6};

/* The packet that was put in, for comparisons. */
static uint8_t orig[65536];

static enum lb_fate take(struct bed *b, struct pk_ip ip, size_t len)
{
    const size_t n = pk_flow(orig, &ip, 4000, 443, len);
    return bed_take(b, orig, n, 0);
}

/* An ICMPv4 error from the VIP to the client, whole and right. */
static void is_error4(const struct bed *b, size_t i, uint8_t type, uint8_t code)
{
    const uint8_t *p = b->out[i].p;
    const size_t n = b->out[i].n;
    assert_true(n >= 28 && n <= 576);
    assert_int_equal(p[0], 0x45);
    assert_int_equal(tmtu_get16(p + 2), n);
    assert_int_equal(tmtu_get16(p + 6), 0); /* K58: no DF */
    assert_int_equal(p[8], 64);
    assert_int_equal(p[9], 1);
    assert_int_equal(test_cksum(p, 20), 0);
    assert_memory_equal(p + 12, orig + 16, 4); /* from the VIP */
    assert_memory_equal(p + 16, orig + 12, 4); /* to the client */
    assert_int_equal(p[20], type);
    assert_int_equal(p[21], code);
    assert_int_equal(test_cksum(p + 20, n - 20), 0);
    assert_memory_equal(p + 28, orig, n - 28);
}

/* R-1812-07: DF in the way is always code 4. */
static void K1_K16_K51_K56_K57_full_size_with_df_is_answered(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_int_equal(take(&b, tcp4, 1500), LB_DROPPED);
    assert_int_equal(b.lb.note.reason, TMTU_R_TOO_BIG);
    assert_int_equal(b.n, 1); /* exactly one ICMP */
    is_error4(&b, 0, 3, 4);
    assert_int_equal(b.out[0].n, 576);                   /* K51: 548 quoted */
    assert_int_equal(tmtu_get16(b.out[0].p + 24), 0);    /* K57 */
    assert_int_equal(tmtu_get16(b.out[0].p + 26), 1480); /* K1 */
    assert_int_equal(b.lb.counters.answered[LB_TOO_BIG], 1);
    assert_true(b.lb.note.answered);
    assert_int_equal(b.lb.note.mtu, 1480);
    bed_close(&b);
}

static void K11_1480_fits_and_1481_does_not(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_int_equal(take(&b, tcp4, 1480), LB_FORWARDED);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.out[0].n, 1500);
    assert_int_equal(take(&b, tcp4, 1481), LB_DROPPED);
    is_error4(&b, 0, 3, 4);
    bed_close(&b);
}

/* The data of outer IPv4 fragments, put together without the library. */
static size_t join4(const struct bed *b, size_t from, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = from; i < b->n; i++) {
        const uint8_t *p = b->out[i].p;
        const unsigned frag = tmtu_get16(p + 6);
        const int last = i + 1 == b->n;
        assert_int_equal(p[0], 0x45);
        assert_int_equal(test_cksum(p, 20), 0);
        assert_true(b->out[i].n <= 1500);
        assert_int_equal(tmtu_get16(p + 2), b->out[i].n);
        assert_int_equal(tmtu_get16(p + 4), tmtu_get16(b->out[from].p + 4));
        assert_int_equal(frag, n / 8 | (last ? 0 : 0x2000)); /* no DF */
        memcpy(out + n, p + 20, b->out[i].n - 20);
        n += b->out[i].n - 20;
    }
    return n;
}

/* Inner packets are as they were, but for one off the TTL. */
static void is_inner4(const uint8_t *inner, size_t n)
{
    assert_int_equal(n, tmtu_get16(orig + 2));
    assert_int_equal(inner[8], orig[8] - 1);
    assert_int_equal(test_cksum(inner, 20), 0); /* K38 */
    assert_memory_equal(inner, orig, 8);
    assert_int_equal(inner[9], orig[9]);
    assert_memory_equal(inner + 12, orig + 12, n - 12);
}

static void K17_K38_without_df_it_goes_in_outer_fragments(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    uint8_t inner[2000];
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.df = 0;
    assert_int_equal(take(&b, ip, 1500), LB_FORWARDED);
    assert_int_equal(b.n, 2);
    is_inner4(inner, join4(&b, 0, inner));
    assert_int_equal(b.lb.counters.cut, 1);
    assert_int_equal(b.lb.counters.fragments, 2);
    assert_int_equal(b.lb.note.fragments, 2);
    bed_close(&b);
}

static void K18_policy_fragment_never_answers_and_clears_df(void **state)
{
    struct bed b;
    uint8_t inner[2000];
    (void)state;
    bed_open(&b, TMTU_MTU_FRAGMENT);
    assert_int_equal(take(&b, tcp4, 1500), LB_FORWARDED);
    assert_int_equal(b.n, 2);
    is_inner4(inner, join4(&b, 0, inner));
    assert_int_equal(take(&b, tcp4, 1480), LB_FORWARDED);
    assert_int_equal(b.n, 1);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0);
    bed_close(&b);
}

static void policy_both_answers_first_and_forwards_as_well(void **state)
{
    struct bed b;
    uint8_t inner[2000];
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    assert_int_equal(take(&b, tcp4, 1500), LB_FORWARDED);
    assert_int_equal(b.n, 3);
    is_error4(&b, 0, 3, 4); /* quotes what came, not what went */
    assert_int_equal(tmtu_get16(b.out[0].p + 26), 1480);
    is_inner4(inner, join4(&b, 1, inner));
    const uint16_t id = tmtu_get16(b.out[1].p + 4);
    take(&b, tcp4, 1500); /* DF or not, fragments need a number of their own */
    assert_int_equal(tmtu_get16(b.out[1].p + 4), id + 1);
    bed_close(&b);
}

/* A super-packet of this size, and segments of that payload. */
static enum lb_fate take_super(struct bed *b, struct pk_ip ip, size_t len,
                               uint16_t gso_size)
{
    b->gso_size = gso_size;
    const enum lb_fate fate = take(b, ip, len);
    b->gso_size = 0;
    return fate;
}

/* What came out between `from` and `to` is outer packets with the segments of
 * `orig` inside, in order, each of them right. */
static void are_segments(const struct bed *b, size_t from, size_t to,
                         size_t overhead, size_t head, size_t gso_size)
{
    size_t sum = head;
    for (size_t i = from; i < to; i++) {
        struct tmtu_pkt in;
        const uint8_t *p = b->out[i].p + overhead;
        const size_t n = b->out[i].n - overhead - head;
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(p, n + head), TMTU_IP_VERIFY, &in), 0);
        assert_int_equal(tmtu_ip_transport_verify(&in), 0);
        assert_int_equal(in.ttl, 63);
        assert_true(n == gso_size || i + 1 == to);
        assert_memory_equal(p + head, orig + sum, n);
        sum += n;
    }
    assert_int_equal(sum, 64000);
}

static void K29_a_super_packet_is_judged_by_its_segments(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_int_equal(take_super(&b, tcp4, 64000, 1440), LB_FORWARDED);
    assert_int_equal(b.n, 45); /* 63960 / 1440 */
    assert_int_equal(b.out[0].n, 1500);
    are_segments(&b, 0, 45, 20, 40, 1440);
    assert_int_equal(b.lb.counters.out, 45);
    assert_int_equal(b.lb.counters.fate[LB_FORWARDED], 1);
    assert_int_equal(b.lb.note.server->bytes, 64000);

    assert_int_equal(take_super(&b, tcp4, 64000, 1441), LB_DROPPED);
    is_error4(&b, 0, 3, 4); /* one answer, and K30: about the whole */
    assert_int_equal(b.n, 1);
    assert_int_equal(tmtu_get16(b.out[0].p + 26), 1480);
    assert_int_equal(tmtu_get16(b.out[0].p + 28 + 2), 64000);

    assert_int_equal(take_super(&b, tcp6, 64000, 1400), LB_FORWARDED);
    assert_int_equal(b.n, 46); /* 63940 / 1400 */
    are_segments(&b, 0, 46, 40, 60, 1400);
    assert_int_equal(take_super(&b, tcp6, 64000, 1401), LB_DROPPED);
    assert_int_equal(b.n, 1);
    bed_close(&b);
}

static void super_packets_without_df_have_a_number_each(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.df = 0;
    assert_int_equal(take_super(&b, ip, 64000, 1440), LB_FORWARDED);
    assert_int_equal(b.n, 45);
    for (size_t i = 0; i < 45; i++)
        assert_int_equal(tmtu_get16(b.out[i].p + 4), 1 + i);
    bed_close(&b);
}

static void segments_that_do_not_fit_are_cut_each(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    assert_int_equal(take_super(&b, tcp4, 4420, 1460), LB_FORWARDED);
    assert_int_equal(b.n, 1 + 3 * 2); /* 4380 bytes */
    is_error4(&b, 0, 3, 4);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *first = b.out[1 + 2 * i].p, *last = b.out[2 + 2 * i].p;
        uint8_t inner[1500];
        struct tmtu_pkt in;
        const size_t n = b.out[1 + 2 * i].n - 20, m = b.out[2 + 2 * i].n - 20;
        assert_int_equal(n + m, 1500);
        assert_int_equal(tmtu_get16(first + 6), 0x2000);
        assert_int_equal(tmtu_get16(last + 6), n / 8);
        assert_int_equal(tmtu_get16(first + 4), tmtu_get16(last + 4));
        memcpy(inner, first + 20, n);
        memcpy(inner + n, last + 20, m);
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(inner, 1500), TMTU_IP_VERIFY, &in), 0);
        assert_int_equal(tmtu_ip_transport_verify(&in), 0);
        assert_memory_equal(inner + 40, orig + 40 + i * 1460, 1460);
        if (i > 0)
            assert_int_not_equal(tmtu_get16(first + 4),
                                 tmtu_get16(b.out[1].p + 4));
    }
    assert_int_equal(b.lb.counters.cut, 1);
    assert_int_equal(b.lb.counters.fragments, 6);
    bed_close(&b);
}

static void accurate_ecn_has_cwr_on_every_segment(void **state)
{
    static uint8_t p[4000];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    const size_t n = pk_flow(p, &tcp4, 40000, 443, 3040);
    p[33] |= 0x80;
    b.gso_size = 1000;
    for (uint32_t each = 0; each < 2; each++) {
        assert_int_equal(bed_take(&b, p, n, each ? TMTU_IO_GSO_CWR : 0),
                         LB_FORWARDED);
        assert_int_equal(b.n, 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(b.out[i].p[20 + 33] >> 7, i == 0 || each);
    }
    bed_close(&b);
}

static void a_super_packet_that_cannot_be_cut_is_dropped(void **state)
{
    static uint8_t p[4000];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    const size_t n = pk_flow(p, &tcp4, 40000, 443, 4000);
    p[33] = 0x02; /* SYN */
    b.gso_size = 1000;
    assert_int_equal(bed_take(&b, p, n, 0), LB_DROPPED);
    bed_dropped(&b, TMTU_R_UNSUPPORTED);
    bed_close(&b);
}

/* An ICMPv6 error from the VIP to the client, whole and right. */
static void is_error6(const struct bed *b, uint8_t type, uint32_t info,
                      const struct pk_ip *ip)
{
    const struct pk_ip back = {.src = ip->dst, .dst = ip->src, .proto = 58};
    const uint8_t *p = b->out[0].p;
    const size_t n = b->out[0].n;
    assert_int_equal(p[0] >> 4, 6);
    assert_int_equal(tmtu_get16(p + 4), n - 40);
    assert_int_equal(p[6], 58);
    assert_memory_equal(p + 8, orig + 24, 16);
    assert_memory_equal(p + 24, orig + 8, 16);
    assert_int_equal(p[40], type);
    assert_int_equal(p[41], type == 1 ? 4 : 0); /* unreachable: a port */
    assert_int_equal(tmtu_get32(p + 44), info);
    assert_int_equal(pk_sum(&back, p + 40, n - 40), 0);
    assert_memory_equal(p + 48, orig, n - 48);
}

static void K19_K53_K57_ipv6_gets_packet_too_big(void **state)
{
    struct services_config c = bed_config(TMTU_MTU_FRAGMENT);
    struct bed b;
    (void)state;
    c.policy[1] = TMTU_MTU_NOTIFY; /* as tunmtu-lb --policy fragment has it */
    bed_open_with(&b, BED_RULES, c);
    assert_int_equal(take(&b, tcp6, 1500), LB_DROPPED);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.out[0].n, 1280); /* K53: 1232 quoted */
    is_error6(&b, 2, 1460, &tcp6);
    assert_int_equal(take(&b, in4, 1500), LB_DROPPED);
    is_error6(&b, 2, 1480, &in4);
    assert_int_equal(take(&b, tcp6, 1460), LB_FORWARDED);
    assert_int_equal(take(&b, in4, 1480), LB_FORWARDED);
    bed_close(&b);
}

static void policy6_fragment_cuts_the_outer_ipv6_packet(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_FRAGMENT);
    assert_int_equal(take(&b, tcp6, 1500), LB_FORWARDED);
    assert_int_equal(b.n, 2);
    const size_t first = b.out[0].n - 48; /* behind the Fragment header */
    assert_int_equal(b.out[0].p[6], 44);
    assert_int_equal(b.out[0].p[40], 41);
    assert_int_equal(tmtu_get16(b.out[0].p + 42), 1);
    assert_int_equal(tmtu_get16(b.out[1].p + 42), first);
    assert_memory_equal(b.out[0].p + 44, b.out[1].p + 44, 4);
    assert_int_equal(first + b.out[1].n - 48, 1500);
    assert_memory_equal(b.out[1].p + 48, orig + first, 1500 - first);
    bed_close(&b);
}

/* R-4213-10: IPv6 over IPv4 has DF for as long as more than 1280 bytes are left
 * of the path, whatever the packet; K20: Linux never sets it. */
static void R_4213_10_K20_df_over_ipv4_of_what_ipv6_can_be_told(void **state)
{
    static const struct {
        uint32_t mtu;
        uint8_t policy;
        uint16_t df;
    } rows[] = {
        {1500, TMTU_MTU_NOTIFY, 0x4000}, {1301, TMTU_MTU_NOTIFY, 0x4000},
        {1300, TMTU_MTU_NOTIFY, 0},      {1290, TMTU_MTU_NOTIFY, 0},
        {1500, TMTU_MTU_BOTH, 0x4000},   {1500, TMTU_MTU_FRAGMENT, 0}};
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct services_config c = bed_config(rows[i].policy);
        struct bed b;
        c.mtu = rows[i].mtu;
        bed_open_with(&b, BED_RULES, c);
        assert_int_equal(take(&b, in4, 100), LB_FORWARDED);
        assert_int_equal(tmtu_get16(b.out[0].p + 6), rows[i].df);
        assert_int_equal(tmtu_get16(b.out[0].p + 4), rows[i].df ? 0 : 1);
        assert_true(services_set_mtu(&b.services, 1300)); /* known later */
        assert_int_equal(take(&b, in4, 100), LB_FORWARDED);
        assert_int_equal(tmtu_get16(b.out[0].p + 6), 0);
        bed_close(&b);
    }
}

static void K20_K36_identification_and_df_of_the_outer_header(void **state)
{
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    c.mtu = 1300;
    bed_open_with(&b, BED_RULES, c);
    bed_flow(&b, tcp4, 4000, 80, 100);
    assert_string_equal(bed_dst(&b, 0), "10.0.0.6");
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 0);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0x4000);
    take(&b, in4, 100); /* no DF, and a number */
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 1);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0);
    ip.df = 0; /* another service of the same server: the same sequence */
    assert_int_equal(bed_flow(&b, ip, 4000, 80, 100), LB_FORWARDED);
    assert_string_equal(bed_dst(&b, 0), "10.0.0.6");
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 2);
    for (int i = 0; i < 65535; i++) /* 0 is left out */
        assert_int_not_equal(
            (bed_flow(&b, ip, 4000, 80, 100), tmtu_get16(b.out[0].p + 4)), 0);
    bed_close(&b);
}

static void identifications_begin_where_they_are_told_to(void **state)
{
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    struct bed b;
    (void)state;
    c.first_id = 0x12345;
    c.mtu = 1300;
    bed_open_with(&b, BED_RULES, c);
    take(&b, in4, 100);
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 0x2345);
    take(&b, tcp4, 1500); /* answers have their own sequence */
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 0x2345);
    take(&b, tcp4, 1500);
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 0x2346);
    bed_close(&b);
}

/* RFC 6438: routers that spread by flow label keep a flow together. */
static void outer_ipv6_has_a_flow_label_for_each_flow(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    take(&b, tcp6, 100);
    const uint32_t label = tmtu_get32(b.out[0].p) & 0xfffff;
    assert_int_not_equal(label, 0);
    take(&b, tcp6, 200);
    assert_int_equal(tmtu_get32(b.out[0].p) & 0xfffff, label);
    bed_flow(&b, tcp6, 4001, 443, 100);
    assert_int_not_equal(tmtu_get32(b.out[0].p) & 0xfffff, label);
    bed_close(&b);
}

/* The same where the client's address alone chooses the server, as with -s mh;
 * RFC 8086 §3.2.1: and the source port of a tunnel in UDP. */
static void flows_of_one_client_are_spread_over_paths(void **state)
{
    static const char rules[] =
        "-A -t [2001:db8::2]:443 -s mh\n"
        "-a -t [2001:db8::2]:443 -r [2001:db8::6]:443 -i -w 1\n"
        "-A -t 10.0.0.2:443 -s mh\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -i -w 1 --tun-type gue "
        "--tun-port 6080 --tun-nocsum\n";
    struct bed b;
    (void)state;
    bed_open_with(&b, rules, bed_config(TMTU_MTU_NOTIFY));
    bed_flow(&b, tcp6, 4000, 443, 100);
    const uint32_t label = tmtu_get32(b.out[0].p) & 0xfffff;
    bed_flow(&b, tcp6, 4001, 443, 100);
    assert_int_not_equal(tmtu_get32(b.out[0].p) & 0xfffff, label);
    bed_flow(&b, tcp6, 4000, 443, 200);
    assert_int_equal(tmtu_get32(b.out[0].p) & 0xfffff, label);

    bed_flow(&b, tcp4, 4000, 443, 100);
    const uint16_t port = tmtu_get16(b.out[0].p + 20);
    bed_flow(&b, tcp4, 4001, 443, 100);
    assert_int_not_equal(tmtu_get16(b.out[0].p + 20), port);
    bed_flow(&b, tcp4, 4000, 443, 200);
    assert_int_equal(tmtu_get16(b.out[0].p + 20), port);
    bed_close(&b);
}

static void bytes_are_counted_and_the_server_is_noted(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_int_equal(bed_flow(&b, ip, 4000, 80, 100), LB_FORWARDED);
    assert_ptr_equal(b.lb.note.server, &b.services.service[1].server[0]);
    assert_int_equal(b.services.service[1].server[0].packets, 1);
    assert_int_equal(b.services.service[1].server[0].bytes, 100);
    assert_int_equal(b.lb.counters.in_bytes, 100);
    assert_int_equal(b.lb.counters.out, 1);
    assert_int_equal(b.lb.counters.out_bytes, 120);
    assert_int_equal(bed_flow(&b, ip, 4000, 81, 100), LB_NOT_SERVED);
    assert_null(b.lb.note.server);
    bed_close(&b);
}

static void K33_K34_tos_and_ttl_of_the_outer_header(void **state)
{
    static const struct {
        const char *name;
        uint8_t in, out;
    } rows[] = {
        {"CE becomes ECT(0)", 0xbb, 0xba},
        {"ECT(0) is copied", 0xba, 0xba},
        {"ECT(1) is copied", 0xb9, 0xb9},
        {"Not-ECT is copied", 0xb8, 0xb8},
    };
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct pk_ip ip = tcp4, v6 = tcp6;
        print_message("  %s\n", rows[i].name);
        ip.tos = v6.tos = rows[i].in;
        take(&b, ip, 100);
        assert_int_equal(b.out[0].p[1], rows[i].out);
        assert_int_equal(b.out[0].p[20 + 1], rows[i].in);
        assert_int_equal(b.out[0].p[8], 63); /* K34 */
        assert_int_equal(b.out[0].p[20 + 8], 63);
        take(&b, v6, 100);
        assert_int_equal(tmtu_get16(b.out[0].p) >> 4 & 0xff, rows[i].out);
        assert_int_equal(tmtu_get16(b.out[0].p + 40) >> 4 & 0xff, rows[i].in);
        assert_int_equal(b.out[0].p[7], 63);
        assert_int_equal(b.out[0].p[40 + 7], 63);
    }
    bed_close(&b);
}

static void K35_ttl_1_earns_time_exceeded_whatever_the_size(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4, v6 = tcp6;
    (void)state;
    for (uint8_t policy = 0; policy <= TMTU_MTU_BOTH; policy++) {
        bed_open(&b, policy);
        ip.ttl = v6.ttl = 1;
        assert_int_equal(take(&b, ip, 1500), LB_DROPPED);
        assert_int_equal(b.lb.note.reason, TMTU_R_TTL_EXPIRED);
        assert_int_equal(b.n, 1);
        is_error4(&b, 0, 11, 0);
        assert_int_equal(tmtu_get32(b.out[0].p + 24), 0);
        assert_int_equal(take(&b, ip, 60), LB_DROPPED);
        is_error4(&b, 0, 11, 0);
        assert_int_equal(b.out[0].n, 28 + 60); /* K54: quoted whole */
        assert_int_equal(take(&b, v6, 1500), LB_DROPPED);
        is_error6(&b, 3, 0, &v6);
        assert_int_equal(b.lb.counters.answered[LB_TTL_EXPIRED], 3);
        bed_close(&b);
    }
}

static void K46_no_answer_to_who_is_no_host_and_no_forwarding(void **state)
{
    static const char *const sources[] = {
        "0.0.0.0",   "127.0.0.1",       "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "::",
        "::1",       "ff02::1",         "::ffff:10.0.1.1",
    };
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    struct pk_ip self = tcp4;
    self.src = self.dst; /* Linux would ignore the error */
    take(&b, self, 1500);
    bed_dropped(&b, TMTU_R_SOURCE);
    for (size_t i = 0; i < TEST_ROWS(sources); i++) {
        struct pk_ip ip = strchr(sources[i], ':') ? tcp6 : tcp4;
        print_message("  %s\n", sources[i]);
        ip.src = sources[i];
        ip.ttl = 1;
        take(&b, ip, 1500);
        bed_dropped(&b, TMTU_R_SOURCE);
        ip.ttl = 64;
        take(&b, ip, 100);
        bed_dropped(&b, TMTU_R_SOURCE);
    }
    bed_close(&b);
}

static void K52_no_longer_than_the_way_back_carries(void **state)
{
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    struct bed b;
    static const char rules[] = "-A -t 10.0.0.2:443 -s mh\n"
                                "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n";
    (void)state;
    c.mtu = 296;
    bed_open_with(&b, rules, c);
    assert_int_equal(take(&b, tcp4, 1500), LB_DROPPED);
    is_error4(&b, 0, 3, 4);
    assert_int_equal(b.out[0].n, 296); /* 268 quoted */
    assert_int_equal(tmtu_get16(b.out[0].p + 26), 276);
    bed_close(&b);
}

static void an_answer_that_may_not_be_sent_is_counted(void **state)
{
    static const uint8_t nop[40] = {1};
    struct services_config c = bed_config(TMTU_MTU_BOTH);
    struct pk_ip ip = tcp4;
    struct bed b;
    static const char rules[] = "-A -t 10.0.0.2:443 -s mh\n"
                                "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n";
    (void)state;
    c.mtu = 68; /* 40 bytes of quote; the header alone has 60 */
    bed_open_with(&b, rules, c);
    ip.opt = nop;
    ip.nopt = sizeof nop;
    assert_int_equal(take(&b, ip, 100), LB_FORWARDED);
    assert_int_equal(b.lb.note.unanswered, TMTU_R_NO_ROOM);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_NO_ROOM], 1);
    assert_int_equal(b.out[0].p[9], 4); /* forwarded all the same */
    assert_false(b.lb.note.answered);
    bed_close(&b);
}

static void K55_tos_of_the_answer(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    take(&b, ip, 1500);
    assert_int_equal(b.out[0].p[1], 0xc0);
    ip.tos = 0xb8;
    take(&b, ip, 1500);
    assert_int_equal(b.out[0].p[1], 0xd8);
    bed_close(&b);
}

/* R-1812-09: nobody is told about what does not parse or sum up. */
static void what_is_broken_is_counted_and_nothing_else(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    ip.ttl = 1; /* would be answered */
    const size_t n = pk_flow(orig, &ip, 4000, 443, 1500);
    orig[10] ^= 1;
    bed_take(&b, orig, n, 0);
    bed_dropped(&b, TMTU_R_CHECKSUM);
    orig[10] ^= 1;
    for (size_t cut = 0; cut < n; cut++) {
        bed_take(&b, orig, cut, 0);
        bed_dropped(&b, TMTU_R_TRUNCATED);
    }
    orig[0] = 0x44;
    bed_take(&b, orig, n, 0);
    bed_dropped(&b, TMTU_R_MALFORMED);
    orig[0] = 0x55;
    bed_take(&b, orig, n, 0);
    bed_dropped(&b, TMTU_R_MALFORMED);
    assert_int_equal(b.lb.counters.out, 0);
    bed_close(&b);
}

static void padding_of_the_link_stays_behind(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    const size_t n = pk_flow(orig, &tcp4, 4000, 443, 41);
    memset(orig + n, 0xee, 6);
    assert_int_equal(bed_take(&b, orig, n + 6, 0), LB_FORWARDED);
    assert_int_equal(b.out[0].n, 61);
    bed_close(&b);
}

static void options_of_the_inner_header_are_carried(void **state)
{
    static const uint8_t nop[8] = {1, 1, 1, 1, 1, 1, 1, 0};
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    ip.opt = nop;
    ip.nopt = sizeof nop;
    assert_int_equal(take(&b, ip, 1480), LB_FORWARDED);
    assert_int_equal(b.out[0].p[0], 0x45);
    assert_memory_equal(b.out[0].p + 20 + 12, orig + 12, 1480 - 12);
    bed_close(&b);
}

static void what_is_not_served_is_left_alone(void **state)
{
    static const struct {
        const char *name;
        const char *src, *dst;
        uint8_t proto;
        uint16_t dport;
    } rows[] = {
        {"another port", "10.0.1.1", "10.0.0.2", 6, 444},
        {"another protocol", "10.0.1.1", "10.0.0.2", 17, 443},
        {"another address", "10.0.1.1", "10.0.0.22", 6, 443},
        {"SCTP", "10.0.1.1", "10.0.0.2", 132, 443},
        {"our tunnels' end", "10.0.1.1", "10.0.0.3", 6, 443},
        {"a VIP written as IPv4-mapped", "2001:db8:1::1", "::ffff:10.0.0.2", 6,
         443},
    };
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct pk_ip ip = {.src = rows[i].src,
                                 .dst = rows[i].dst,
                                 .proto = rows[i].proto,
                                 .df = 1,
                                 .ttl = 1};
        print_message("  %s\n", rows[i].name);
        assert_int_equal(bed_flow(&b, ip, 4000, rows[i].dport, 1500),
                         LB_NOT_SERVED);
        assert_int_equal(b.n, 0);
    }
    bed_close(&b);
}

static void link_layer_broadcasts_are_not_forwarded(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    const size_t n = pk_flow(orig, &tcp4, 4000, 443, 1500);
    bed_take(&b, orig, n, TMTU_IO_L2_GROUP);
    bed_dropped(&b, TMTU_R_L2_GROUP);
    bed_close(&b);
}

/* K14: nobody to send to, so nothing is sent. */
static void a_service_without_weights_has_no_server(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    ip.dst = "10.0.0.5";
    assert_int_equal(take(&b, ip, 1500), LB_NO_SERVER);
    assert_int_equal(b.n, 1); /* as IPVS says it: port unreachable */
    is_error4(&b, 0, 3, 3);
    assert_int_equal(tmtu_get32(b.out[0].p + 24), 0);
    assert_int_equal(b.lb.counters.answered[LB_PORT_UNREACHABLE], 1);
    assert_int_equal(b.lb.note.answer, LB_PORT_UNREACHABLE);
    bed_close(&b);

    bed_open_with(&b, "-A -t [2001:db8::2]:443 -s mh\n",
                  bed_config(TMTU_MTU_NOTIFY));
    assert_int_equal(take(&b, tcp6, 1400), LB_NO_SERVER);
    assert_int_equal(b.n, 1);
    is_error6(&b, 1, 0, &tcp6);
    bed_close(&b);
}

/* K72: what has no server is not answered when it is an ICMP error itself. */
static void K72_no_port_unreachable_about_an_icmp_error(void **state)
{
    const struct pk_ip error = {
        .src = "10.9.9.9", .dst = "10.0.0.5", .proto = 1};
    const struct pk_ip reply = {
        .src = "10.0.0.5", .dst = "10.0.1.1", .proto = 6, .df = 1};
    static uint8_t quote[100], msg[200];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    pk_flow(quote, &reply, 443, 4000, 100);
    const size_t n = pk_icmp(msg, &error, 3, 4, 1400, quote, 28);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_NO_SERVER);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_ABOUT_ERROR], 0);
    bed_close(&b);
}

static void open_limited(struct bed *b, struct tmtu_limit_options limit)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    config.limit = limit;
    bed_open_with(b, BED_RULES, config);
    b->now = 1000000000;
}

static void K59_answers_but_too_big_are_limited_as_in_linux(void **state)
{
    const struct tmtu_limit_options linux_has = TMTU_LIMIT_LINUX;
    struct pk_ip dies = tcp4, other = tcp4;
    struct bed b;
    (void)state;
    open_limited(&b, linux_has);
    const uint64_t *silent = b.lb.counters.unanswered;
    dies.ttl = other.ttl = 1;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(take(&b, dies, 100), LB_DROPPED);
        assert_int_equal(b.n, i < 6); /* a burst of 6 to a host */
    }
    assert_int_equal(silent[TMTU_R_LIMIT_HOST], 2);
    assert_int_equal(b.lb.note.unanswered, TMTU_R_LIMIT_HOST);
    assert_false(b.lb.note.answered);
    /* Who has no server is told within the same bounds. */
    dies.ttl = 64;
    dies.dst = "10.0.0.5";
    assert_int_equal(take(&b, dies, 100), LB_NO_SERVER);
    assert_int_equal(b.n, 0);
    assert_int_equal(silent[TMTU_R_LIMIT_HOST], 3);
    for (int i = 0; i < 200; i++) { /* "too big" is exempt */
        assert_int_equal(take(&b, tcp4, 1500), LB_DROPPED);
        assert_int_equal(b.n, 1);
    }
    other.src = "10.0.1.2"; /* has a bucket of his own */
    assert_int_equal(take(&b, other, 100), LB_DROPPED);
    assert_int_equal(b.n, 1);
    b.now += 1000000000; /* 1 a second */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(take(&b, dies, 100), LB_NO_SERVER);
        assert_int_equal(b.n, i < 1);
    }
    assert_int_equal(b.lb.counters.answered[LB_TTL_EXPIRED], 7);
    bed_close(&b);
}

static void expired_reassemblies_are_limited_as_well(void **state)
{
    const struct tmtu_limit_options linux_has = TMTU_LIMIT_LINUX;
    uint8_t room[TMTU_IO_HEADROOM + 1500];
    struct pk_ip ip = tcp4;
    struct bed b;
    int answers = 0;
    (void)state;
    open_limited(&b, linux_has);
    ip.df = 0;
    ip.mf = 1;
    for (ip.id = 1; ip.id <= 8; ip.id++)
        assert_int_equal(take(&b, ip, 100), LB_HELD);
    b.now += 61000000000;
    struct tmtu_buf out;
    do
        out = tmtu_buf(room, sizeof room, TMTU_IO_HEADROOM);
    while (lb_expire(&b.lb, b.now, &out) == 1 && ++answers);
    assert_int_equal(answers, 6);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_LIMIT_HOST], 2);
    /* It was that time: a moment later there is nothing left yet. */
    b.now += 100000000;
    ip = tcp4;
    ip.ttl = 1;
    assert_int_equal(take(&b, ip, 100), LB_DROPPED);
    assert_int_equal(b.n, 0);
    bed_close(&b);
}

static void rfc4443_counts_too_big_as_well(void **state)
{
    const struct tmtu_limit_options rfc_has = TMTU_LIMIT_RFC4443;
    struct bed b;
    (void)state;
    open_limited(&b, rfc_has);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(take(&b, tcp6, 1500), LB_DROPPED);
        assert_int_equal(b.n, i < 10);
    }
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_LIMIT_ALL], 2);
    b.now += 100000000;
    assert_int_equal(take(&b, tcp6, 1500), LB_DROPPED);
    assert_int_equal(b.n, 1);
    bed_close(&b);
}

/* RFC 2473 §4.1.1: a packet that may be in no more tunnels. */
static void an_encapsulation_limit_of_0_is_a_parameter_problem(void **state)
{
    static const uint8_t tail[8] = {0x0f, 0xa0, 1, 0xbb}; /* 4000 to 443 */
    static const uint8_t limit[8] = {17, 0, 4, 1, 0, 1, 0, 0};
    uint8_t payload[16];
    struct pk_ip ip = {
        .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 60};
    struct bed b;
    (void)state;
    bed_open_with(&b,
                  "-A -u [2001:db8::2]:443 -s mh\n"
                  "-a -u [2001:db8::2]:443 -r [2001:db8::6] -i\n",
                  bed_config(TMTU_MTU_NOTIFY));
    memcpy(payload, limit, 8);
    memcpy(payload + 8, tail, 8);
    payload[13] = 8; /* the length of UDP */
    const size_t n = pk_ip(orig, &ip, payload, 16);
    assert_int_equal(bed_take(&b, orig, n, 0), LB_DROPPED);
    assert_int_equal(b.lb.note.reason, TMTU_R_ENCAP_LIMIT);
    assert_int_equal(b.n, 1);
    is_error6(&b, 4, 44, &ip); /* where the limit stands */
    assert_int_equal(b.lb.counters.answered[LB_PARAMETER_PROBLEM], 1);
    assert_int_equal(b.lb.counters.answered[LB_TTL_EXPIRED], 0);
    bed_close(&b);
}

static void packets_of_the_server_itself_do_not_go_round(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4;
    (void)state;
    bed_open(&b, TMTU_MTU_BOTH);
    ip.src = "10.0.0.6";
    bed_flow(&b, ip, 4000, 80, 100); /* port 80 has that server only */
    bed_dropped(&b, TMTU_R_LOOP);
    bed_close(&b);
}

static void all_four_pairs_of_families(void **state)
{
    static const struct {
        const char *src, *dst, *server;
        uint8_t proto;
    } rows[] = {
        {"10.0.1.1", "10.0.0.4", "2001:db8::6", 4},
        {"2001:db8:1::1", "2001:db8::3", "10.0.0.6", 41},
    };
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct pk_ip ip = {
            .src = rows[i].src, .dst = rows[i].dst, .proto = 6, .df = 1};
        assert_int_equal(take(&b, ip, 100), LB_FORWARDED);
        assert_string_equal(bed_dst(&b, 0), rows[i].server);
        assert_int_equal(b.out[0].p[b.out[0].p[0] >> 4 == 6 ? 6 : 9],
                         rows[i].proto);
    }
    assert_int_equal(take(&b, tcp6, 100), LB_FORWARDED);
    assert_int_equal(b.out[0].p[6], 41);
    assert_int_equal(take(&b, tcp4, 100), LB_FORWARDED);
    assert_int_equal(b.out[0].p[9], 4);
    bed_close(&b);
}

static void ports_count_only_with_mh_port_and_masks_count(void **state)
{
    struct bed b;
    struct pk_ip ip = tcp4, udp = tcp4;
    char src[32], first[ARGS_ADDR];
    unsigned moved = 0;
    (void)state;
    bed_open_with(&b,
                  BED_RULES "-A -t 10.0.0.11:443 -s mh -p 3 -M 255.255.254.0\n"
                            "-a -t 10.0.0.11:443 -r 10.0.0.6 -i\n"
                            "-a -t 10.0.0.11:443 -r 10.0.0.7 -i\n",
                  bed_config(TMTU_MTU_NOTIFY));
    udp.proto = 17;
    bed_flow(&b, udp, 1, 53, 100);
    snprintf(first, sizeof first, "%s", bed_dst(&b, 0));
    for (uint16_t port = 2; port < 100; port++) {
        bed_flow(&b, udp, port, 53, 100);
        assert_string_equal(bed_dst(&b, 0), first);
    }
    bed_flow(&b, ip, 1, 443, 100);
    snprintf(first, sizeof first, "%s", bed_dst(&b, 0));
    for (uint16_t port = 2; port < 100; port++) {
        bed_flow(&b, ip, port, 443, 100);
        moved += strcmp(bed_dst(&b, 0), first) != 0;
    }
    assert_in_range(moved, 40, 90); /* two of three */
    ip.dst = "10.0.0.11";
    moved = 0;
    for (int net = 0; net < 128; net++) {
        for (int host = 1; host < 64; host++) {
            snprintf(src, sizeof src, "10.9.%d.%d", net, host);
            ip.src = src;
            bed_flow(&b, ip, (uint16_t)host, 443, 100);
            if (net % 2 == 0 && host == 1) {
                moved += strcmp(bed_dst(&b, 0), first) != 0;
                snprintf(first, sizeof first, "%s", bed_dst(&b, 0));
            }
            assert_string_equal(bed_dst(&b, 0), first);
        }
    }
    assert_in_range(moved, 16, 48); /* networks are spread */
    bed_close(&b);
}

static void weights_are_shares_and_order_does_not_matter(void **state)
{
    static const char one[] = "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                              "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w 1\n"
                              "-a -t 10.0.0.2:443 -r 10.0.0.7 -i -w 3\n";
    static const char other[] = "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                                "-a -t 10.0.0.2:443 -r 10.0.0.7 -i -w 3\n"
                                "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w 1\n";
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    struct bed a, b, c;
    unsigned share = 0, moved = 0;
    (void)state;
    bed_open_with(&a, one, config);
    bed_open_with(&b, other, config);
    config.key.k0 = 1;
    bed_open_with(&c, one, config);
    for (uint16_t port = 1000; port < 5000; port++) {
        char to[ARGS_ADDR];
        bed_flow(&a, tcp4, port, 443, 100);
        snprintf(to, sizeof to, "%s", bed_dst(&a, 0));
        bed_flow(&b, tcp4, port, 443, 100);
        assert_string_equal(to, bed_dst(&b, 0));
        bed_flow(&c, tcp4, port, 443, 100);
        moved += strcmp(to, bed_dst(&c, 0)) != 0;
        share += strcmp(to, "10.0.0.6") == 0;
    }
    print_message("  weight 1 of 4 has %u of 4000 flows\n", share);
    assert_in_range(share, 900, 1100);
    assert_in_range(moved, 1300, 1700); /* another key: 2 * 1/4 * 3/4 */
    assert_int_equal(a.services.key_fingerprint, b.services.key_fingerprint);
    assert_int_equal(a.services.rules_fingerprint,
                     b.services.rules_fingerprint);
    /* Which of the two differs is seen. */
    assert_int_not_equal(a.services.key_fingerprint,
                         c.services.key_fingerprint);
    assert_int_equal(a.services.rules_fingerprint,
                     c.services.rules_fingerprint);
    bed_close(&a);
    bed_close(&b);
    bed_close(&c);
}

static void fingerprints_differ_where_placement_does(void **state)
{
    static const char *const rows[][2] = {
        {"-A -t 10.0.0.2:443 -s mh", "-a -t 10.0.0.2:443 -r 10.0.0.6 -i"},
        {"-A -t 10.0.0.3:443 -s mh", "-a -t 10.0.0.3:443 -r 10.0.0.6 -i"},
        {"-A -t 10.0.0.2:442 -s mh", "-a -t 10.0.0.2:442 -r 10.0.0.6 -i"},
        {"-A -u 10.0.0.2:443 -s mh", "-a -u 10.0.0.2:443 -r 10.0.0.6 -i"},
        {"-A -t 10.0.0.2:443 -s rr", "-a -t 10.0.0.2:443 -r 10.0.0.6 -i"},
        {"-A -t 10.0.0.2:443 -s mh -p -M 255.0.0.0",
         "-a -t 10.0.0.2:443 -r 10.0.0.6 -i"},
        {"-A -t 10.0.0.2:443 -s mh", "-a -t 10.0.0.2:443 -r 10.0.0.7 -i"},
        {"-A -t 10.0.0.2:443 -s mh", "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w 2"},
        {"-A -t [2001:db8::2]:443 -s mh",
         "-a -t [2001:db8::2]:443 -r 10.0.0.6 -i"},
        {"-A -t 10.0.0.2:443 -s mh", ""},
        {"-A -t 10.0.0.3:443 -s mh", ""},
    };
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    uint64_t seen[TEST_ROWS(rows)];
    (void)state;
    assert_true(args_addr("10.1.1.1", c.local[0]));
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        char text[200];
        struct bed b;
        snprintf(text, sizeof text, "%s\n%s\n", rows[i][0], rows[i][1]);
        bed_open_with(&b, text, c);
        seen[i] = b.services.rules_fingerprint;
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
        bed_close(&b);
    }
}

static void the_mtu_of_an_interface_reaches_every_tunnel(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_false(services_set_mtu(&b.services, 1279)); /* some are IPv6 */
    assert_true(services_set_mtu(&b.services, 1280));
    for (size_t i = 0; i < b.services.n; i++) {
        for (size_t j = 0; j < b.services.service[i].servers; j++)
            assert_int_equal(
                b.services.service[i].server[j].tunnel.mtu.path_mtu, 1280);
    }
    bed_close(&b);
    assert_string_equal(services_proto_name(6), "tcp");
    assert_string_equal(services_proto_name(17), "udp");
    assert_string_equal(services_proto_name(132), "sctp");
}

static void what_is_wrong_with_tunnels_is_told_by_line(void **state)
{
    static const char text[] = "-A -t 10.0.0.2:443 -s mh\n"
                               "-a -t 10.0.0.2:443 -r [2001:db8::6] -i\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.3 -i\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.2 -i\n";
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    struct services services;
    struct rules rules;
    char *said = NULL;
    size_t size;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    FILE *say = open_memstream(&said, &size);
    (void)state;
    assert_int_equal(rules_read(&rules, in, "r", say), 0);
    c.has_local[1] = false;
    assert_int_equal(services_build(&services, &rules, &c, "r", say), 3);
    fclose(in);
    fclose(say);
    assert_string_equal(
        said,
        "r:2: a real server with an IPv6 address, expected --local with an "
        "IPv6 address\n"
        "r:3: the real server has the address that --local gives\n"
        "r:4: the real server has the address of a service: its packets would "
        "come back\n");
    services_free(&services);
    rules_free(&rules);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(K1_K16_K51_K56_K57_full_size_with_df_is_answered),
        cmocka_unit_test(K11_1480_fits_and_1481_does_not),
        cmocka_unit_test(K17_K38_without_df_it_goes_in_outer_fragments),
        cmocka_unit_test(K18_policy_fragment_never_answers_and_clears_df),
        cmocka_unit_test(policy_both_answers_first_and_forwards_as_well),
        cmocka_unit_test(K29_a_super_packet_is_judged_by_its_segments),
        cmocka_unit_test(super_packets_without_df_have_a_number_each),
        cmocka_unit_test(segments_that_do_not_fit_are_cut_each),
        cmocka_unit_test(accurate_ecn_has_cwr_on_every_segment),
        cmocka_unit_test(a_super_packet_that_cannot_be_cut_is_dropped),
        cmocka_unit_test(K19_K53_K57_ipv6_gets_packet_too_big),
        cmocka_unit_test(policy6_fragment_cuts_the_outer_ipv6_packet),
        cmocka_unit_test(R_4213_10_K20_df_over_ipv4_of_what_ipv6_can_be_told),
        cmocka_unit_test(K20_K36_identification_and_df_of_the_outer_header),
        cmocka_unit_test(identifications_begin_where_they_are_told_to),
        cmocka_unit_test(outer_ipv6_has_a_flow_label_for_each_flow),
        cmocka_unit_test(flows_of_one_client_are_spread_over_paths),
        cmocka_unit_test(bytes_are_counted_and_the_server_is_noted),
        cmocka_unit_test(K33_K34_tos_and_ttl_of_the_outer_header),
        cmocka_unit_test(K35_ttl_1_earns_time_exceeded_whatever_the_size),
        cmocka_unit_test(K46_no_answer_to_who_is_no_host_and_no_forwarding),
        cmocka_unit_test(K52_no_longer_than_the_way_back_carries),
        cmocka_unit_test(an_answer_that_may_not_be_sent_is_counted),
        cmocka_unit_test(K55_tos_of_the_answer),
        cmocka_unit_test(what_is_broken_is_counted_and_nothing_else),
        cmocka_unit_test(padding_of_the_link_stays_behind),
        cmocka_unit_test(options_of_the_inner_header_are_carried),
        cmocka_unit_test(what_is_not_served_is_left_alone),
        cmocka_unit_test(link_layer_broadcasts_are_not_forwarded),
        cmocka_unit_test(a_service_without_weights_has_no_server),
        cmocka_unit_test(K72_no_port_unreachable_about_an_icmp_error),
        cmocka_unit_test(K59_answers_but_too_big_are_limited_as_in_linux),
        cmocka_unit_test(expired_reassemblies_are_limited_as_well),
        cmocka_unit_test(rfc4443_counts_too_big_as_well),
        cmocka_unit_test(an_encapsulation_limit_of_0_is_a_parameter_problem),
        cmocka_unit_test(packets_of_the_server_itself_do_not_go_round),
        cmocka_unit_test(all_four_pairs_of_families),
        cmocka_unit_test(ports_count_only_with_mh_port_and_masks_count),
        cmocka_unit_test(weights_are_shares_and_order_does_not_matter),
        cmocka_unit_test(fingerprints_differ_where_placement_does),
        cmocka_unit_test(the_mtu_of_an_interface_reaches_every_tunnel),
        cmocka_unit_test(what_is_wrong_with_tunnels_is_told_by_line),
    };
    return cmocka_run_group_tests_name("lb", tests, NULL, NULL);
}

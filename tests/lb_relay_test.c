/* SPDX-License-Identifier: MIT */
/* Errors about the balancer's own tunnel packets: told to the client, and
 * remembered for the server. The path shrinks, and no client is left in the
 * dark. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

static const uint64_t second = 1000000000;

/* Clients of all family pairs of BED_RULES, and a router on the way to the
 * server. */
static const struct pair {
    const char *name;
    struct pk_ip client;
    const char *local, *router;
    uint32_t overhead;
    uint32_t told; /* of a path of 1400 */
} pairs[] = {
    {"4in4",
     {.src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1},
     "10.0.0.3",
     "10.7.7.7",
     20,
     1380},
    {"6in6",
     {.src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6},
     "2001:db8::a",
     "2001:db8:7::7",
     40,
     1360},
    {"6in4",
     {.src = "2001:db8:1::1", .dst = "2001:db8::3", .proto = 6},
     "10.0.0.3",
     "10.7.7.7",
     20,
     1380},
    {"4in6",
     {.src = "10.0.1.1", .dst = "10.0.0.4", .proto = 6, .df = 1},
     "2001:db8::a",
     "2001:db8:7::7",
     40,
     1360},
};

static int is6(const char *addr)
{
    return strchr(addr, ':') != NULL;
}

/* The balancer takes an error about the packet that it sent last: `n` bytes of
 * it quoted. */
static enum lb_fate complain(struct bed *b, const struct pair *p, uint8_t type,
                             uint8_t code, uint32_t info, size_t n)
{
    static uint8_t msg[2000], quote[2000];
    const struct pk_ip error = {
        .src = p->router, .dst = p->local, .proto = is6(p->local) ? 58 : 1};
    assert_true(b->n > 0 && b->out[0].n <= sizeof quote);
    memcpy(quote, b->out[0].p, b->out[0].n);
    if (n > b->out[0].n)
        n = b->out[0].n;
    return bed_take(b, msg, pk_icmp(msg, &error, type, code, info, quote, n),
                    0);
}

static enum lb_fate too_big(struct bed *b, const struct pair *p, uint32_t mtu,
                            size_t n)
{
    return is6(p->local) ? complain(b, p, 2, 0, mtu, n)
                         : complain(b, p, 3, 4, mtu, n);
}

/* A packet of `len` bytes from the client, which goes to its server. */
static void sends(struct bed *b, const struct pair *p, size_t len)
{
    assert_int_equal(bed_flow(b, p->client, 4000, 443, len), LB_FORWARDED);
}

/* The one thing that was sent is a "too big" from the VIP to the client, with
 * this MTU, about a packet of the client's. */
static void told(const struct bed *b, const struct pair *p, uint32_t mtu)
{
    uint8_t src[16], dst[16];
    const int v6 = pk_is6(&p->client);
    const size_t head = v6 ? 40 : 20, n = v6 ? 16 : 4;
    assert_int_equal(b->n, 1);
    const uint8_t *e = b->out[0].p;
    pk_addr(src, p->client.dst);
    pk_addr(dst, p->client.src);
    assert_int_equal(e[v6 ? 6 : 9], v6 ? 58 : 1);
    assert_memory_equal(e + head - 2 * n, src, n);
    assert_memory_equal(e + head - n, dst, n);
    assert_int_equal(tmtu_get16(e + head), v6 ? 0x0200 : 0x0304);
    assert_int_equal(tmtu_get32(e + head + 4), mtu);
    const uint8_t *q = e + head + 8; /* from the client, to its port */
    assert_memory_equal(q + head - 2 * n, dst, n);
    assert_memory_equal(q + head - n, src, n);
    assert_int_equal(tmtu_get32(q + head), 4000u << 16 | 443u);
}

static void server_carries(const struct bed *b, const struct pair *p,
                           uint32_t mtu)
{
    const struct tmtu_mtu *m = &b->lb.note.server->tunnel.mtu;
    assert_int_equal(m->path_mtu, mtu);
    assert_int_equal(m->overhead, p->overhead);
}

static void K12_K73_K74_the_first_error_tells_the_client_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(pairs); i++) {
        const struct pair *p = &pairs[i];
        struct bed b;
        print_message("  %s\n", p->name);
        bed_open(&b, TMTU_MTU_NOTIFY);
        sends(&b, p, 1500 - p->overhead);
        assert_int_equal(too_big(&b, p, 1400, 548), LB_ICMP_TUNNEL);
        told(&b, p, p->told);
        assert_int_equal(b.lb.note.answer, LB_RELAYED);
        assert_int_equal(b.lb.counters.answered[LB_RELAYED], 1);
        server_carries(&b, p, 1400);
        /* And whoever does not know yet is answered here. */
        bed_flow(&b, p->client, 4000, 443, 1500 - p->overhead);
        told(&b, p, p->told);
        sends(&b, p, p->told);
        assert_int_equal(b.n, 1);
        assert_int_equal(b.out[0].n, 1400);
        bed_close(&b);
    }
}

/* K81, R-2003-24: RFC 792's 8 bytes do not show the inner ports. */
static void
K81_a_short_quote_is_remembered_and_the_next_one_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(pairs); i++) {
        const struct pair *p = &pairs[i];
        struct bed b;
        print_message("  %s\n", p->name);
        bed_open(&b, TMTU_MTU_NOTIFY);
        sends(&b, p, 1500 - p->overhead);
        assert_int_equal(too_big(&b, p, 1400, is6(p->local) ? 48 : 28),
                         LB_ICMP_TUNNEL);
        assert_int_equal(b.n, 0);
        assert_int_equal(b.lb.note.reason, TMTU_R_QUOTE_SHORT);
        assert_int_equal(b.lb.counters.not_relayed[TMTU_R_QUOTE_SHORT], 1);
        bed_flow(&b, p->client, 4000, 443, 1500 - p->overhead);
        told(&b, p, p->told);
        bed_close(&b);
    }
}

static void all_services_of_a_server_know_and_no_other_server(void **state)
{
    const struct pair *p = &pairs[0];
    struct pk_ip http = p->client;
    struct bed b;
    size_t knows = 0, others = 0;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_int_equal(bed_flow(&b, http, 4000, 80, 1480), LB_FORWARDED);
    const struct server *server = b.lb.note.server; /* the only one: .6 */
    assert_int_equal(too_big(&b, p, 1400, 548), LB_ICMP_TUNNEL);
    for (size_t i = 0; i < b.services.n; i++) {
        for (size_t j = 0; j < b.services.service[i].servers; j++) {
            const struct server *s = &b.services.service[i].server[j];
            const bool same =
                tmtu_addr_equal(s->tunnel.encap.dst, server->tunnel.encap.dst);
            assert_int_equal(s->tunnel.mtu.path_mtu, same ? 1400 : 1500);
            same ? knows++ : others++;
        }
    }
    assert_int_equal(knows, 6);
    assert_true(others > 5);
    bed_close(&b);
}

static void R_1191_08_after_ten_minutes_the_path_is_tried_again(void **state)
{
    const struct pair *p = &pairs[0];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    b.now = second;
    sends(&b, p, 1480);
    too_big(&b, p, 1400, 548);
    b.now = 600 * second;
    assert_int_equal(bed_flow(&b, p->client, 4000, 443, 1480), LB_DROPPED);
    b.now = 601 * second;
    sends(&b, p, 1480);
    server_carries(&b, p, 1500);
    /* It has not changed: one more is lost. */
    too_big(&b, p, 1400, 548);
    told(&b, p, 1380);
    bed_close(&b);
}

/* Who says that a path carries less than the floor is believed that far, and
 * from there on routers may cut (K78, K96, K98). */
static void K78_K98_below_the_floor_packets_go_without_df(void **state)
{
    const struct pair *p = &pairs[0];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    b.now = second;
    sends(&b, p, 1480);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0x4000);
    too_big(&b, p, 400, 548);
    told(&b, p, 532);
    sends(&b, p, 532);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.out[0].n, 552);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0);
    b.now = 601 * second;
    sends(&b, p, 1480);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0x4000);
    bed_close(&b);
}

/* An IPv6 client cannot be told less than 1280: the tunnel's packets are cut.
 */
static void R_2473_14_what_must_be_carried_is_carried_in_fragments(void **state)
{
    const struct pair *p = &pairs[2];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    sends(&b, p, 1480);
    too_big(&b, p, 1000, 548);
    told(&b, p, 1280);
    sends(&b, p, 1280);
    assert_int_equal(b.n, 2);
    assert_true(b.out[0].n <= 1000 && b.out[1].n <= 1000);
    bed_close(&b);
}

static void what_is_not_believed_changes_nothing(void **state)
{
    const struct pair *p = &pairs[0];
    static uint8_t msg[2000];
    const struct pk_ip error = {.src = p->router, .dst = p->local, .proto = 1};
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    sends(&b, p, 1480);
    assert_int_equal(too_big(&b, p, 1500, 548), LB_ICMP_TUNNEL);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.note.doubts, TMTU_TRUST_NOT_SMALLER);
    assert_int_equal(b.lb.counters.doubted[12], 1);
    assert_string_equal(tmtu_trust_name(1u << 12), "not_smaller");
    server_carries(&b, p, 1500);

    sends(&b, p, 1480);
    b.out[0].p[10] ^= 1; /* nothing that refuses, and not what is counted */
    assert_int_equal(too_big(&b, p, 1500, 548), LB_ICMP_TUNNEL);
    assert_int_equal(b.lb.counters.doubted[12], 2);
    assert_int_equal(b.lb.note.server->errors, 0);

    sends(&b, p, 1480); /* K87 */
    const size_t n = pk_icmp(msg, &error, 3, 4, 1400, b.out[0].p, 548);
    msg[30] ^= 1;
    assert_int_equal(bed_take(&b, msg, n, 0), LB_DROPPED);
    bed_dropped(&b, TMTU_R_CHECKSUM);
    sends(&b, p, 1480);
    server_carries(&b, p, 1500);
    bed_close(&b);
}

/* K79, K80, and the table of relay.h: what else becomes of errors. */
static void other_errors_become_what_a_client_understands(void **state)
{
    struct bed b;
    struct pair may_cut = pairs[0];
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (size_t i = 0; i < TEST_ROWS(pairs); i++) {
        const struct pair *p = &pairs[i];
        const size_t head = pk_is6(&p->client) ? 40 : 20;
        const uint16_t unreachable = pk_is6(&p->client) ? 0x0103 : 0x0301;
        sends(&b, p, 1000);
        if (is6(p->local))
            complain(&b, p, 3, 0, 0, 1000); /* hop limit */
        else
            complain(&b, p, 11, 0, 0, 500);
        assert_int_equal(b.n, 1);
        assert_int_equal(tmtu_get16(b.out[0].p + head), unreachable);
        sends(&b, p, 1000);
        complain(&b, p, is6(p->local) ? 1 : 3, 1, 0, 500);
        assert_int_equal(b.n, 1);
        assert_int_equal(tmtu_get16(b.out[0].p + head), unreachable);
        assert_true(b.lb.note.server->errors >= 2);
        /* Too far or too big is not unreachable. */
        assert_int_equal(b.lb.note.server->unreachable, 1);
    }
    sends(&b, &pairs[0], 1000);
    complain(&b, &pairs[0], 3, 3, 0, 500); /* port unreachable */
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.note.reason, TMTU_R_NOT_RELAYED);

    may_cut.client.df = 0;
    sends(&b, &may_cut, 1480);
    too_big(&b, &may_cut, 1400, 548);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.note.reason, TMTU_R_MAY_CUT);
    server_carries(&b, &may_cut, 1400); /* for who does set it */
    sends(&b, &may_cut, 1480);
    assert_int_equal(b.n, 2);
    bed_close(&b);
}

/* What a host says that has not got the tunnel: protocol unreachable, which
 * ICMPv6 calls an unrecognized next header. */
static void a_server_without_the_tunnel_is_counted(void **state)
{
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    for (size_t i = 0; i < TEST_ROWS(pairs); i++) {
        const struct pair *p = &pairs[i];
        sends(&b, p, 1000);
        if (is6(p->local)) {
            complain(&b, p, 4, 0, 6, 1000); /* something else about it */
            assert_int_equal(b.lb.note.server->unreachable, 0);
            sends(&b, p, 1000);
            complain(&b, p, 4, 1, 6, 1000);
        } else {
            complain(&b, p, 3, 2, 0, 548);
        }
        assert_int_equal(b.lb.note.server->unreachable, 1);
    }
    bed_close(&b);
}

/* Who fragments without a word has no DF to begin with, and not because of what
 * it learnt either. */
static void df_stays_clear_where_the_policy_is_to_fragment(void **state)
{
    const struct pair *p = &pairs[0];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_FRAGMENT);
    sends(&b, p, 1480);
    too_big(&b, p, 1400, 548);
    sends(&b, p, 1000);
    server_carries(&b, p, 1400);
    assert_int_equal(tmtu_get16(b.out[0].p + 6), 0);
    bed_close(&b);
}

static void the_policy_of_relaying_is_an_option(void **state)
{
    const struct pair *p = &pairs[0];
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    struct bed b;
    (void)state;
    config.relay = TMTU_RELAY_STATE;
    bed_open_with(&b, BED_RULES, config);
    sends(&b, p, 1480);
    too_big(&b, p, 1400, 548);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.note.reason, TMTU_R_POLICY);
    bed_flow(&b, p->client, 4000, 443, 1480);
    told(&b, p, 1380);
    bed_close(&b);

    config.relay = TMTU_RELAY_TELL;
    bed_open_with(&b, BED_RULES, config);
    sends(&b, p, 1480);
    too_big(&b, p, 1400, 548);
    told(&b, p, 1380);
    sends(&b, p, 1480); /* it has not learnt */
    bed_close(&b);
}

static void what_is_relayed_is_limited_as_all_answers(void **state)
{
    const struct tmtu_limit_options rfc = TMTU_LIMIT_RFC4443;
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    const struct pair *p = &pairs[0];
    struct bed b;
    (void)state;
    config.limit = rfc;
    bed_open_with(&b, BED_RULES, config);
    b.now = second;
    for (int i = 0; i < 12; i++) {
        sends(&b, p, 1000);
        complain(&b, p, 3, 1, 0, 548);
        assert_int_equal(b.n, i < 10);
    }
    assert_int_equal(b.lb.counters.answered[LB_RELAYED], 10);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_LIMIT_ALL], 2);
    bed_close(&b);
}

/* Who makes up errors about tunnels chooses the packet inside. */
static void nobody_hears_of_what_we_cannot_have_sent(void **state)
{
    const struct pair *p = &pairs[0];
    const struct pk_ip tunnel = {.src = "10.0.0.3", .dst = NULL, .proto = 4};
    const struct pk_ip error = {.src = p->router, .dst = p->local, .proto = 1};
    static uint8_t inner[1480], quote[2000], msg[2000];
    static const struct {
        const char *name, *dst, *server;
        uint16_t port;
        enum lb_fate fate;
        bool told;
    } rows[] = {
        {"as it was sent", "10.0.0.2", "10.0.0.6", 80, LB_ICMP_TUNNEL, true},
        {"to no service", "10.9.9.9", "10.0.0.6", 80, LB_ICMP_TUNNEL, false},
        {"to another port", "10.0.0.2", "10.0.0.6", 81, LB_ICMP_TUNNEL, false},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct pk_ip in = p->client, outer = tunnel;
        struct bed b;
        print_message("  %s\n", rows[i].name);
        bed_open(&b, TMTU_MTU_NOTIFY);
        in.dst = rows[i].dst;
        outer.dst = rows[i].server;
        pk_flow(inner, &in, 4000, rows[i].port, 1480);
        pk_ip(quote, &outer, inner, 1480);
        const size_t n = pk_icmp(msg, &error, 3, 4, 1400, quote, 548);
        assert_int_equal(bed_take(&b, msg, n, 0), rows[i].fate);
        assert_int_equal(b.n, rows[i].told);
        assert_int_equal(b.lb.note.doubts,
                         rows[i].told ? 0 : TMTU_TRUST_NOT_OURS);
        assert_int_equal(b.lb.note.server->tunnel.mtu.path_mtu,
                         rows[i].told ? 1400 : 1500);
        bed_close(&b);
    }
}

/* What one balancer has learnt, another one of the same servers need not. */
static void news_of_a_path_can_be_told_to_another_balancer(void **state)
{
    const struct pair *p = &pairs[0];
    struct lb_news news[LB_NEWS];
    struct bed a, b;
    (void)state;
    bed_open(&a, TMTU_MTU_NOTIFY);
    bed_open(&b, TMTU_MTU_NOTIFY);
    a.now = 3600 * UINT64_C(1000000000); /* and b had no packet so far */
    assert_int_equal(lb_news(&a.lb, news), 0);
    for (int i = 0; i < 2; i++) { /* the second time it is no news */
        assert_int_equal(bed_flow(&b, p->client, 4000, 443, 1480),
                         i ? LB_DROPPED : LB_FORWARDED);
        if (i == 0) {
            sends(&a, p, 1480);
            too_big(&a, p, 1400, 548);
        }
        assert_int_equal(lb_news(&a.lb, news), i == 0);
        for (unsigned k = 0; i == 0 && k < 1; k++)
            lb_hear(&b.lb, &news[k]);
        b.now = a.now;
        assert_int_equal(lb_news(&b.lb, news), 0); /* and not passed on */
    }
    assert_int_equal(b.lb.note.mtu, 1380);
    bed_close(&a);
    bed_close(&b);
}

/* Somebody sets the interface to another MTU: no packet may be lost to that
 * without a word, and what was learnt of a path is known as before. */
static void the_mtu_of_the_link_may_change(void **state)
{
    const struct pair *p = &pairs[0];
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    assert_int_equal(bed_flow(&b, p->client, 4000, 443, 1480), LB_FORWARDED);
    assert_true(lb_set_mtu(&b.lb, 1450));
    assert_int_equal(bed_flow(&b, p->client, 4000, 443, 1431), LB_DROPPED);
    assert_int_equal(b.lb.note.mtu, 1430);
    sends(&b, p, 1430);
    too_big(&b, p, 1400, 548);
    assert_true(lb_set_mtu(&b.lb, 1500));
    assert_int_equal(bed_flow(&b, p->client, 4000, 443, 1381), LB_DROPPED);
    assert_int_equal(b.lb.note.mtu, 1380);
    /* Too little for tunnels over IPv6, of which others are no less. */
    assert_false(lb_set_mtu(&b.lb, 1279));
    for (size_t i = 0; i < b.services.n; i++) {
        const struct server *server = &b.services.service[i].server[0];
        assert_in_range(server->tunnel.mtu.path_mtu, 1400, 1500);
    }
    assert_int_equal(bed_flow(&b, p->client, 4000, 443, 1380), LB_FORWARDED);
    bed_close(&b);
}

/* Who has but one address gives it to both; what a router says about the tunnel
 * is about the tunnel. */
static void a_service_may_have_the_address_of_the_tunnels(void **state)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    struct pair p = pairs[0];
    struct bed b;
    (void)state;
    assert_true(args_addr("10.0.0.2", config.local[0]));
    p.local = "10.0.0.2";
    bed_open_with(&b, BED_RULES, config);
    sends(&b, &p, 1480);
    assert_int_equal(too_big(&b, &p, 1400, 548), LB_ICMP_TUNNEL);
    told(&b, &p, 1380);
    server_carries(&b, &p, 1400);
    assert_int_equal(bed_flow(&b, p.client, 4000, 443, 1381), LB_DROPPED);
    /* And what is about neither is still the host's. */
    sends(&b, &p, 1380);
    b.out[0].p[19] = 99; /* a tunnel to nobody */
    assert_int_equal(too_big(&b, &p, 1300, 548), LB_NOT_SERVED);
    bed_close(&b);
}

static void quotes_of_no_tunnel_are_the_hosts(void **state)
{
    struct pk_ip tunnel = {.src = "10.0.0.3", .dst = "10.0.0.6", .proto = 6};
    static uint8_t msg[2000], quote[200];
    const struct pk_ip error = {
        .src = "10.7.7.7", .dst = "10.0.0.3", .proto = 1};
    struct bed b;
    (void)state;
    bed_open(&b, TMTU_MTU_NOTIFY);
    pk_flow(quote, &tunnel, 1000, 443, 100); /* the host's own connection */
    size_t n = pk_icmp(msg, &error, 3, 4, 1400, quote, 28);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
    tunnel.proto = 17; /* the host as a client: no tunnel leads to a service */
    tunnel.dst = "10.0.0.2";
    pk_flow(quote, &tunnel, 1000, 53, 100);
    n = pk_icmp(msg, &error, 3, 4, 1400, quote, 28);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
    tunnel.proto = 4; /* K83: to a host that is no server */
    tunnel.dst = "10.0.0.66";
    pk_ip(quote, &tunnel, msg, 100);
    n = pk_icmp(msg, &error, 3, 4, 1400, quote, 100);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
    struct pk_ip other = error; /* K82: sent to somebody else */
    other.dst = "10.0.0.33";
    tunnel.dst = "10.0.0.6";
    pk_ip(quote, &tunnel, msg, 100);
    n = pk_icmp(msg, &other, 3, 4, 100, quote, 100);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_NOT_SERVED);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(K12_K73_K74_the_first_error_tells_the_client_at_once),
        cmocka_unit_test(
            K81_a_short_quote_is_remembered_and_the_next_one_answered),
        cmocka_unit_test(all_services_of_a_server_know_and_no_other_server),
        cmocka_unit_test(R_1191_08_after_ten_minutes_the_path_is_tried_again),
        cmocka_unit_test(K78_K98_below_the_floor_packets_go_without_df),
        cmocka_unit_test(
            R_2473_14_what_must_be_carried_is_carried_in_fragments),
        cmocka_unit_test(what_is_not_believed_changes_nothing),
        cmocka_unit_test(other_errors_become_what_a_client_understands),
        cmocka_unit_test(a_server_without_the_tunnel_is_counted),
        cmocka_unit_test(df_stays_clear_where_the_policy_is_to_fragment),
        cmocka_unit_test(the_policy_of_relaying_is_an_option),
        cmocka_unit_test(what_is_relayed_is_limited_as_all_answers),
        cmocka_unit_test(nobody_hears_of_what_we_cannot_have_sent),
        cmocka_unit_test(news_of_a_path_can_be_told_to_another_balancer),
        cmocka_unit_test(the_mtu_of_the_link_may_change),
        cmocka_unit_test(a_service_may_have_the_address_of_the_tunnels),
        cmocka_unit_test(quotes_of_no_tunnel_are_the_hosts),
    };
    return cmocka_run_group_tests_name("lb_relay", tests, NULL, NULL);
}

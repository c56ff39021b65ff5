/* SPDX-License-Identifier: MIT */
/* Real servers come, go and drain under flows that live on: with a table of
 * flows they stay where they are, without one a few move. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

enum { SYN = 2, FIN = 1, RST = 4, ACK = 16, FLOWS = 200 };
static const uint64_t second = 1000000000;

static const struct pk_ip client = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1};

/* Rules with the servers 10.0.0.N of this list, "6:1 7:0" with their weights.
 */
static char *rules(const char *options, const char *servers)
{
    static char text[8000];
    size_t n =
        (size_t)snprintf(text, sizeof text, "-A -t 10.0.0.2:443 %s\n", options);
    int host, weight, read;
    while (sscanf(servers, " %d:%d%n", &host, &weight, &read) == 2) {
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "-a -t 10.0.0.2:443 -r 10.0.0.%d -i -w %d\n",
                              host, weight);
        servers += read;
    }
    return text;
}

static void open_flows(struct bed *b, const char *servers, uint32_t flows)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    config.flow_table = flows;
    bed_open_with(b, rules("-s mh -b mh-port", servers), config);
    b->now = second;
}

/* Other rules take the place of those that there are. */
static void reload_text(struct bed *b, const char *text)
{
    struct services before = b->services;
    struct rules r;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(in);
    assert_int_equal(rules_read(&r, in, "r", stderr), 0);
    assert_int_equal(services_build(&b->services, &r, &b->config, "r", stderr),
                     0);
    assert_true(services_adopt(&b->services, &before));
    assert_true(lb_prepare(&b->lb, &b->services, &b->config));
    services_inherit(&b->services, &before);
    lb_adopt(&b->lb, &b->services);
    services_free(&before);
    rules_free(&r);
    fclose(in);
}

static void reload(struct bed *b, const char *options, const char *servers)
{
    reload_text(b, rules(options, servers));
}

/* The cache of paths grows with the servers, and forgets nothing by that. */
static void what_paths_carry_is_known_among_many_more_servers(void **state)
{
    static const uint32_t told[] = {1400, 500}; /* the other one locks it */
    char many[1000] = "6:1";
    for (int host = 7; host < 107; host++)
        snprintf(many + strlen(many), sizeof many - strlen(many), " %d:0",
                 host);
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(told); i++) {
        struct lb_news news = {.time = second, .error = {.validated = 1}};
        struct bed b;
        open_flows(&b, "6:1", 0);
        assert_true(args_addr("10.0.0.6", news.addr));
        news.error.mtu = told[i];
        lb_hear(&b.lb, &news);
        b.now = 599 * second;
        for (int reloads = 0; reloads < 2; reloads++) {
            const struct tmtu_tunnel *tunnel =
                &b.services.service[0].server[0].tunnel;
            bed_flow(&b, client, 4000, 443, 1480);
            assert_int_equal(b.lb.paths, reloads ? 512 : 64);
            assert_int_equal(tunnel->mtu.path_mtu, i == 0 ? 1400 : 552);
            assert_int_equal(tunnel->encap.df == TMTU_DF_CLEAR, i == 1);
            reload(&b, "-s mh -b mh-port", many);
        }
        b.now = 602 * second; /* 600 after it was told */
        assert_int_equal(bed_flow(&b, client, 4000, 443, 1480), LB_FORWARDED);
        assert_int_equal(b.services.service[0].server[0].tunnel.mtu.path_mtu,
                         1500);
        bed_close(&b);
    }
}

/* A segment of flow `port` with these TCP flags; the last number of its
 * server's address. */
static int goes_to(struct bed *b, uint16_t port, uint8_t flags)
{
    static uint8_t p[100];
    const size_t n = pk_flow(p, &client, port, 443, 60);
    p[33] = flags;
    assert_int_equal(bed_take(b, p, n, 0), LB_FORWARDED);
    return b->out[0].p[19];
}

static void begin(struct bed *b, int where[FLOWS])
{
    for (uint16_t i = 0; i < FLOWS; i++) {
        where[i] = goes_to(b, (uint16_t)(1000 + i), SYN);
        assert_int_equal(goes_to(b, (uint16_t)(1000 + i), ACK), where[i]);
    }
}

/* How many are not where they were. */
static int moved(struct bed *b, const int where[FLOWS])
{
    int n = 0;
    for (uint16_t i = 0; i < FLOWS; i++)
        n += goes_to(b, (uint16_t)(1000 + i), ACK) != where[i];
    return n;
}

static const char *const three = "6:1 7:1 8:1";
static const char *const mh = "-s mh -b mh-port";

static void with_a_table_flows_stay_whoever_comes_or_drains(void **state)
{
    struct bed b;
    int where[FLOWS], first = 0;
    (void)state;
    open_flows(&b, three, 1000);
    begin(&b, where);
    for (int i = 0; i < FLOWS; i++)
        first += where[i] == 6;
    assert_true(first > 40);
    reload(&b, mh, "6:1 7:1 8:1 9:1 10:1");
    assert_int_equal(moved(&b, where), 0);
    reload(&b, mh, "10:1 9:1 8:1 7:1 6:0"); /* 6 drains */
    assert_int_equal(moved(&b, where), 0);
    for (uint16_t i = 0; i < FLOWS; i++) /* but gets nothing new */
        assert_int_not_equal(goes_to(&b, (uint16_t)(5000 + i), SYN), 6);
    reload(&b, mh, "7:1 8:1 9:1 10:1"); /* 6 is gone, and who was there moves */
    assert_int_equal(moved(&b, where), first);
    reload(&b, mh, "7:0 8:0 9:0 10:0"); /* all drain */
    assert_int_equal(bed_flow(&b, client, 1, 443, 60), LB_NO_SERVER);
    assert_int_equal(moved(&b, where), first);
    bed_close(&b);
}

static void without_a_table_few_move(void **state)
{
    struct bed b;
    int where[FLOWS];
    (void)state;
    open_flows(&b, three, 0);
    begin(&b, where);
    reload(&b, mh, "6:1 7:1 8:1 9:1");
    const int n = moved(&b, where); /* a quarter, if none moves needlessly */
    assert_true(n > FLOWS / 8 && n < FLOWS / 2);
    reload(&b, mh, three);
    assert_int_equal(moved(&b, where), 0);
    bed_close(&b);
}

static void errors_go_where_the_flow_is_kept(void **state)
{
    const struct pk_ip reply = {
        .src = "10.0.0.2", .dst = "10.0.1.1", .proto = 6, .df = 1};
    const struct pk_ip error = {
        .src = "10.5.5.5", .dst = "10.0.0.2", .proto = 1};
    static uint8_t quote[1500], msg[200];
    struct bed b;
    int where[FLOWS];
    (void)state;
    open_flows(&b, three, 1000);
    begin(&b, where);
    reload(&b, mh, "6:0 9:1 7:0 8:0");
    const uint64_t held = tmtu_flows_counters(b.lb.flows)->held;
    for (uint16_t i = 0; i < FLOWS; i++) {
        pk_flow(quote, &reply, 443, (uint16_t)(1000 + i), 1500);
        size_t n = pk_icmp(msg, &error, 3, 4, 1400, quote, 28);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_FORWARDED);
        assert_int_equal(b.out[0].p[19], where[i]);
        /* And one about a flow that nobody has begins none. */
        pk_flow(quote, &reply, 443, (uint16_t)(2000 + i), 1500);
        n = pk_icmp(msg, &error, 3, 4, 1400, quote, 28);
        assert_int_equal(bed_take(&b, msg, n, 0), LB_FORWARDED);
        assert_int_equal(b.out[0].p[19], 9);
    }
    assert_int_equal(tmtu_flows_counters(b.lb.flows)->held, held);
    /* Errors lengthen no time: R-5508-07. */
    pk_flow(quote, &reply, 443, 1000, 1500);
    const size_t n = pk_icmp(msg, &error, 3, 4, 1400, quote, 28);
    for (int i = 0; i < 3; i++) {
        bed_take(&b, msg, n, 0);
        assert_int_equal(b.out[0].p[19], i < 2 ? where[0] : 9);
        b.now += 451 * second;
    }
    bed_close(&b);
}

/* What becomes of flow 1000 when its server drains, so many seconds after these
 * packets. */
static const struct {
    const char *name;
    uint8_t flags[4]; /* 0: no more */
    unsigned seconds;
    bool stays;
} times[] = {
    {"a connection", {SYN, ACK}, 899, true},
    {"a connection that is idle", {SYN, ACK}, 901, false},
    {"a SYN", {SYN}, 59, true},
    {"a SYN that nobody answers", {SYN}, 61, false},
    {"a connection that ends", {SYN, ACK, FIN | ACK}, 119, true},
    {"a connection that has ended", {SYN, ACK, FIN | ACK, ACK}, 121, false},
    {"a reset", {SYN, ACK, RST}, 9, true},
    {"a reset, later", {SYN, ACK, RST}, 11, false},
    {"a SYN into a connection", {SYN, ACK, SYN}, 899, true},
    {"the ports again", {SYN, FIN | ACK, SYN}, 61, false},
    {"the ports again, and open", {SYN, FIN | ACK, SYN, ACK}, 899, true},
};

static void flows_age_as_in_ipvs(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(times); i++) {
        struct bed b;
        print_message("  %s\n", times[i].name);
        open_flows(&b, "6:1", 100);
        for (size_t k = 0; k < 4 && times[i].flags[k] != 0; k++)
            goes_to(&b, 1000, times[i].flags[k]);
        reload(&b, mh, "6:0 7:1");
        b.now += times[i].seconds * second;
        assert_int_equal(goes_to(&b, 1000, ACK), times[i].stays ? 6 : 7);
        bed_close(&b);
    }
}

/* A flood of first packets pushes out first packets, and no connection. */
static void syns_do_not_push_connections_out(void **state)
{
    struct bed b;
    int where[FLOWS];
    (void)state;
    open_flows(&b, three, 400);
    begin(&b, where);
    for (uint16_t i = 0; i < FLOWS; i++) /* nor does it make one of them */
        goes_to(&b, (uint16_t)(1000 + i), SYN);
    for (uint16_t i = 0; i < 20000; i++) {
        goes_to(&b, (uint16_t)(3000 + i), SYN);
        goes_to(&b, (uint16_t)(3000 + i), SYN);
    }
    reload(&b, mh, "6:0 7:0 8:0 9:1");
    assert_int_equal(moved(&b, where), 0);
    assert_true(tmtu_flows_counters(b.lb.flows)->evicted > 10000);
    bed_close(&b);
}

/* Where only the client's address places it, all its flows are one. */
static void persistence_survives_a_change_too(void **state)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    struct bed b;
    (void)state;
    config.flow_table = 100;
    bed_open_with(&b, rules("-s mh", "6:1"), config);
    b.now = second;
    goes_to(&b, 1000, SYN);
    goes_to(&b, 1000, ACK);
    reload(&b, "-s mh", "6:0 7:1");
    assert_int_equal(goes_to(&b, 2000, SYN), 6);
    assert_int_equal(tmtu_flows_counters(b.lb.flows)->held, 1);
    bed_close(&b);
}

static void counters_and_what_is_known_of_paths_survive(void **state)
{
    const struct pk_ip router = {
        .src = "10.7.7.7", .dst = "10.0.0.3", .proto = 1};
    static uint8_t msg[1000];
    struct bed b;
    (void)state;
    open_flows(&b, "6:1", 0);
    assert_int_equal(bed_flow(&b, client, 1000, 443, 1480), LB_FORWARDED);
    const size_t n = pk_icmp(msg, &router, 3, 4, 1400, b.out[0].p, 548);
    assert_int_equal(bed_take(&b, msg, n, 0), LB_ICMP_TUNNEL);
    reload(&b, mh, "7:0 6:1");
    const struct service *s = &b.services.service[0];
    assert_int_equal(s->server[1].packets, 1);
    assert_int_equal(s->server[1].bytes, 1480);
    assert_int_equal(s->server[1].errors, 1);
    assert_int_equal(s->server[0].packets, 0);
    assert_int_equal(bed_flow(&b, client, 1000, 443, 1480), LB_DROPPED);
    assert_int_equal(b.lb.note.mtu, 1380);
    /* Who comes again after he was gone is another one. */
    const uint32_t id = s->server[1].id;
    reload(&b, mh, "7:1");
    reload(&b, mh, "6:1 7:1");
    assert_int_not_equal(b.services.service[0].server[0].id, id);
    assert_int_equal(b.services.service[0].server[0].packets, 0);
    bed_close(&b);
}

/* Connections of -m have a table anyway, and it survives as well. */
static void connections_of_readdressed_servers_survive(void **state)
{
    static const char *const orders[] = {
        "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -m\n"
        "-A -t 10.0.0.4:443 -s mh -b mh-port\n"
        "-a -t 10.0.0.4:443 -r 10.0.0.7:8443 -m\n",
        "-A -t 10.0.0.4:443 -s mh -b mh-port\n"
        "-a -t 10.0.0.4:443 -r 10.0.0.8:8443 -m\n"
        "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.9:8443 -m\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -m -w 0\n"};
    const struct pk_ip reply = {
        .src = "10.0.0.6", .dst = "10.0.1.1", .proto = 6, .df = 1};
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    struct bed b;
    (void)state;
    config.flow_table = 100;
    bed_open_with(&b, orders[0], config);
    b.now = second;
    assert_int_equal(goes_to(&b, 1000, SYN), 6);
    assert_int_equal(tmtu_flows_counters(b.lb.flows)->held, 0);
    assert_int_equal(bed_flow(&b, reply, 8443, 1000, 60), LB_RETURNED);
    reload_text(&b, orders[1]);
    assert_int_equal(goes_to(&b, 1000, ACK), 6);
    assert_int_equal(bed_flow(&b, reply, 8443, 1000, 60), LB_RETURNED);
    assert_int_equal(b.out[0].p[15], 2); /* from the VIP */
    assert_int_equal(goes_to(&b, 1001, SYN), 9);
    /* The same server in another way is another one. */
    reload_text(&b, "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                    "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n");
    assert_int_equal(b.services.service[0].server[0].packets, 0);
    assert_int_equal(bed_flow(&b, reply, 8443, 1000, 60), LB_NOT_SERVED);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_table_flows_stay_whoever_comes_or_drains),
        cmocka_unit_test(without_a_table_few_move),
        cmocka_unit_test(errors_go_where_the_flow_is_kept),
        cmocka_unit_test(flows_age_as_in_ipvs),
        cmocka_unit_test(syns_do_not_push_connections_out),
        cmocka_unit_test(persistence_survives_a_change_too),
        cmocka_unit_test(counters_and_what_is_known_of_paths_survive),
        cmocka_unit_test(what_paths_carry_is_known_among_many_more_servers),
        cmocka_unit_test(connections_of_readdressed_servers_survive),
    };
    return cmocka_run_group_tests_name("lb_churn", tests, NULL, NULL);
}

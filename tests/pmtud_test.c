/* SPDX-License-Identifier: MIT */
/* tunmtu-pmtud: which errors are passed on, to whom, and as which bytes. */
#include "pmtud_bed.h"

static const struct pm_error error4 = PM_ERROR4, error6 = PM_ERROR6;

/* The frame is the packet behind a header to all, byte for byte. */
static void is_broadcast(const struct pm *b, const uint8_t src[6])
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(b->n, 1);
    assert_true(b->out[0].frame);
    assert_int_equal(b->out[0].n, 14 + b->sent_n);
    assert_memory_equal(b->out[0].p, all, 6);
    assert_memory_equal(b->out[0].p + 6, src, 6);
    assert_int_equal(b->out[0].p[12] << 8 | b->out[0].p[13],
                     b->sent[0] >> 4 == 4 ? 0x0800 : 0x86dd);
    assert_memory_equal(b->out[0].p + 14, b->sent, b->sent_n);
}

static void r_7690_04_the_copy_for_all_is_the_packet_as_it_came(void **state)
{
    struct pm b;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &error4), PMTUD_SENT);
    is_broadcast(&b, pm_host); /* from the address that it came to */
    assert_int_equal(pm_take_error(&b, &error6), PMTUD_SENT);
    is_broadcast(&b, pm_host);
    pm_close(&b);
}

static void use_src_keeps_the_ethernet_source(void **state)
{
    struct pm b;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.use_src = true;
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &error4), PMTUD_SENT);
    is_broadcast(&b, pm_router);
    pm_close(&b);
}

static void without_ethernet_addresses_the_interface_has_one(void **state)
{
    struct pm b;
    (void)state;
    for (int i = 0; i < 2; i++) {
        pm_begin(&b, PMTUD_BROADCAST);
        pm_open(&b);
        if (i == 0)
            b.in.flags = 0; /* out of NFLOG */
        else
            memset(b.in.to, 0, 6); /* of the loopback */
        assert_int_equal(pm_take_error(&b, &error6), PMTUD_SENT);
        is_broadcast(&b, b.config.mac);
        pm_close(&b);
    }
}

static void padding_behind_the_packet_stays_behind(void **state)
{
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    pm_open(&b);
    const size_t n = pm_error(b.sent, &e);
    memset(b.sent + n, 0xee, 4);
    assert_int_equal(pm_take(&b, n + 4), PMTUD_SENT);
    b.sent_n = n;
    is_broadcast(&b, pm_host);
    pm_close(&b);
}

static void r_7690_06_copies_are_known_by_how_they_come(void **state)
{
    static const struct {
        uint32_t flags;
        const char *said;
    } rows[] = {
        {PMTUD_GROUP, "copy.group"},
        {PMTUD_TUNNEL, "copy.tunnel"},
        {PMTUD_OUTGOING, "copy.outgoing"},
        {PMTUD_OUTGOING | PMTUD_GROUP, "copy.outgoing"},
        {PMTUD_OTHER_HOST, "pass.other_host"},
        {PMTUD_VLAN, "pass.vlan"},
    };
    struct pm b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        pm_begin(&b, PMTUD_BROADCAST);
        pm_open(&b);
        b.in.flags = PMTUD_LINK | rows[i].flags;
        pm_take_error(&b, &error4);
        assert_string_equal(pm_said(&b), rows[i].said);
        pm_close(&b);
    }
}

/* One good error, and one thing changed. */
static const struct {
    const char *name;
    const struct pm_error *base;
    struct pm_error with; /* what is not 0 */
    const char *said;
} rows[] = {
    {"R-7690-07 type 3 code 3 says nothing of size",
     &error4,
     {.code = 3},
     "pass.not_too_big"},
    {"nor does a time exceeded", &error4, {.type = 11}, "pass.not_too_big"},
    {"nor an ICMPv6 unreachable", &error6, {.type = 1}, "pass.not_too_big"},
    {"G1 below 68 no link can be", &error4, {.mtu = 67}, "drop.mtu"},
    {"68 it can", &error4, {.mtu = 68}, "sent"},
    {"16384 is the most that pmtud believed",
     &error6,
     {.mtu = 16384, .len = 20000},
     "sent"},
    {"and 16385 too much", &error6, {.mtu = 16385, .len = 20000}, "drop.mtu"},
    {"0xffffffff no link has", &error6, {.mtu = 0xffffffff}, "drop.mtu"},
    {"G1 over IPv6 1280 is the least",
     &error6,
     {.mtu = 1279},
     "doubted.floor6"},
    {"and 1280 possible", &error6, {.mtu = 1280}, "sent"},
    {"claims what the quoted packet has",
     &error4,
     {.mtu = 1500},
     "doubted.not_smaller"},
    {"one byte less is a reason", &error4, {.mtu = 1499}, "sent"},
    {"the reporter is a group",
     &error4,
     {.router = "224.0.0.1"},
     "doubted.reporter"},
    {"the reporter is everybody",
     &error4,
     {.router = "255.255.255.255"},
     "doubted.reporter"},
    {"the reporter is in 240.0.0.0/4, and no tunnel's end would let it out",
     &error4,
     {.router = "240.0.0.1"},
     "doubted.reporter"},
    {"quotes 8 bytes of transport", &error6, {.quote = 48}, "sent"},
    {"quotes the IP header alone", &error4, {.quote = 20}, "sent"},
    {"quotes less than that", &error4, {.quote = 19}, "drop.truncated"},
    {"quotes all there is",
     &error4,
     {.len = 600, .quote = 600, .mtu = 576},
     "sent"},
};

static struct pm_error changed(const struct pm_error *base,
                               const struct pm_error *with)
{
    struct pm_error e = *base;
    if (with->router != NULL)
        e.router = with->router;
    e.type = with->type ? with->type : e.type;
    e.code = with->code ? with->code : e.code;
    e.mtu = with->mtu ? with->mtu : e.mtu;
    e.len = with->len ? with->len : e.len;
    e.quote = with->quote ? with->quote : e.quote;
    return e;
}

static void r_7690_07_one_thing_changed(void **state)
{
    struct pm b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct pm_error e = changed(rows[i].base, &rows[i].with);
        pm_begin(&b, PMTUD_BROADCAST);
        pm_open(&b);
        pm_take_error(&b, &e);
        if (strcmp(pm_said(&b), rows[i].said) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, pm_said(&b), rows[i].said);
        pm_close(&b);
    }
}

static void an_mtu_of_0_was_never_passed_on(void **state)
{
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    e.mtu = 0;
    pm_begin(&b, PMTUD_BROADCAST);
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_BAD_MTU);
    pm_close(&b);
}

static void strict_believes_576_to_1499(void **state)
{
    static const uint32_t in[] = {576, 1499}, out[] = {68, 575, 1500, 9000};
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    e.len = 20000;
    for (int strict = 0; strict < 2; strict++) {
        pm_begin(&b, PMTUD_BROADCAST);
        b.config.strict = strict;
        b.config.src_rate = b.config.iface_rate = 100;
        pm_open(&b);
        for (size_t i = 0; i < TEST_ROWS(in); i++) {
            e.mtu = in[i];
            assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
        }
        for (size_t i = 0; i < TEST_ROWS(out); i++) {
            e.mtu = out[i];
            assert_int_equal(pm_take_error(&b, &e),
                             strict ? PMTUD_NOT_STRICT : PMTUD_SENT);
        }
        pm_close(&b);
    }
}

static void r_7690_07_ports_are_those_of_the_quoted_source(void **state)
{
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.by_port = true;
    b.config.ports[443 / 64] |= (uint64_t)1 << 443 % 64;
    b.config.ports[65535 / 64] |= (uint64_t)1 << 65535 % 64;
    b.config.src_rate = 100;
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &error4), PMTUD_SENT);
    assert_int_equal(pm_take_error(&b, &error6), PMTUD_SENT);
    e.sport = 65535;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    e.sport = 40000;
    e.dport = 443; /* the client's counts not */
    assert_int_equal(pm_take_error(&b, &e), PMTUD_NOT_PORT);
    e.sport = 442;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_NOT_PORT);
    e.quote = 23;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_NO_PORTS);
    pm_close(&b);
}

/* A packet of PM_ERROR4 with a byte of another value. */
static const char *with_byte(struct pm *b, size_t at, uint8_t value)
{
    const size_t n = pm_error(b->sent, &error4);
    b->sent[at] = value;
    pm_take(b, n);
    return pm_said(b);
}

static void what_is_broken_is_named(void **state)
{
    struct pm b;
    uint8_t quote[600];
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    pm_open(&b);
    assert_string_equal(with_byte(&b, 10, 0), "drop.checksum");
    assert_string_equal(with_byte(&b, 22, 0), "doubted.checksum");
    assert_string_equal(with_byte(&b, 0, 0x15), "drop.malformed");
    assert_string_equal(with_byte(&b, 28, 0x65), "drop.malformed");
    /* About a packet of somebody else than who gets it. */
    const struct pk_ip outer = {
        .src = error4.router, .dst = "10.0.0.9", .proto = 1};
    const struct pk_ip quoted = {
        .src = error4.vip, .dst = error4.client, .proto = 6, .df = 1};
    pk_flow(quote, &quoted, 443, 40000, 600);
    pm_take(&b, pk_icmp(b.sent, &outer, 3, 4, 500, quote, 28));
    assert_string_equal(pm_said(&b), "doubted.dest");
    /* In fragments: nobody can verify it. */
    const struct pk_ip first = {
        .src = error4.router, .dst = error4.vip, .proto = 1, .mf = 1};
    pm_take(&b, pk_icmp(b.sent, &first, 3, 4, 500, quote, 28));
    assert_string_equal(pm_said(&b), "drop.fragment");
    pm_close(&b);
}

static void every_cut_of_an_error_is_refused(void **state)
{
    struct pm b;
    const struct pm_error *both[] = {&error4, &error6};
    (void)state;
    for (int i = 0; i < 2; i++) {
        pm_begin(&b, PMTUD_BROADCAST);
        pm_open(&b);
        const size_t n = pm_error(b.sent, both[i]);
        for (size_t cut = 0; cut < n; cut++) {
            pm_take(&b, cut);
            assert_string_equal(pm_said(&b), "drop.truncated");
        }
        assert_int_equal(pm_take(&b, n), PMTUD_SENT);
        pm_close(&b);
    }
}

static void with_vip_only_its_packets_can_be_quoted(void **state)
{
    struct pm b;
    struct pm_error e = error4;
    uint8_t vip[16];
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    assert_true(args_addr("10.0.0.2", vip));
    assert_true(args_addrs_add(&b.config.vips, vip));
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    e.vip = "10.0.0.22";
    pm_take_error(&b, &e);
    assert_string_equal(pm_said(&b), "doubted.not_ours");
    pm_take_error(&b, &error6);
    assert_string_equal(pm_said(&b), "doubted.not_ours");
    pm_close(&b);
}

/* What a host at the far end takes out of a copy: the packet that came, one hop
 * older. */
static void is_inside(const struct pm *b, size_t i, const char *from,
                      const char *to)
{
    struct tmtu_encap e = TMTU_ENCAP_INIT;
    struct tmtu_buf buf = test_buf(b->out[i].p, b->out[i].n, 0, 0);
    struct tmtu_pkt outer, inner;
    uint8_t want[PM_MAX];
    assert_false(b->out[i].frame);
    assert_true(args_addr(from, e.src));
    assert_true(args_addr(to, e.dst));
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&buf), TMTU_IP_VERIFY, &outer),
                     0);
    assert_int_equal(tmtu_encap_pull(&buf, &outer, &e, &inner), TMTU_OK);
    memcpy(want, b->sent, b->sent_n);
    if (want[0] >> 4 == 4) {
        want[8]--;
        memset(want + 10, 0, 2);
        pk16(want + 10, test_cksum(want, (size_t)(want[0] & 15) * 4));
    } else {
        want[7]--;
    }
    assert_int_equal(tmtu_buf_len(&buf), b->sent_n);
    assert_memory_equal(buf.data, want, b->sent_n);
    free(buf.head);
}

static void peers_get_it_each_in_ip_in_ip_and_this_host_none(void **state)
{
    struct pm b;
    (void)state;
    pm_begin(&b, PMTUD_PEERS);
    pm_peer(&b, "10.0.0.6");
    pm_peer(&b, "10.0.0.3"); /* this host: one list will do for all */
    pm_peer(&b, "2001:db8::6");
    pm_open(&b);
    const struct pm_error *both[] = {&error4, &error6};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pm_take_error(&b, both[i]), PMTUD_SENT);
        assert_int_equal(b.n, 2);
        is_inside(&b, 0, "10.0.0.3", "10.0.0.6");
        is_inside(&b, 1, "2001:db8::a", "2001:db8::6");
    }
    pm_close(&b);
}

static void a_peer_that_is_named_twice_gets_one_copy(void **state)
{
    struct pm b;
    (void)state;
    pm_begin(&b, PMTUD_PEERS);
    pm_peer(&b, "10.0.0.6");
    pm_peer(&b, "10.0.0.7");
    pm_peer(&b, "10.0.0.6");
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &error4), PMTUD_SENT);
    assert_int_equal(b.n, 2);
    is_inside(&b, 0, "10.0.0.3", "10.0.0.6");
    is_inside(&b, 1, "10.0.0.3", "10.0.0.7");
    pm_close(&b);
}

static void a_peer_that_no_tunnel_leads_to_is_named(void **state)
{
    struct pm b;
    const uint8_t *why;
    (void)state;
    pm_begin(&b, PMTUD_PEERS);
    pm_peer(&b, "10.0.0.6");
    memset(b.config.local[0], 0, 16); /* of no family */
    assert_false(pmtud_init(&b.d, &b.config, &why));
    assert_ptr_equal(why, b.config.peers.addr[0]);
    pm_close(&b);
}

static void an_error_at_the_end_of_its_way_enters_no_tunnel(void **state)
{
    struct pm b;
    (void)state;
    pm_begin(&b, PMTUD_PEERS);
    pm_peer(&b, "10.0.0.6");
    pm_open(&b);
    const size_t n = pm_error(b.sent, &error6);
    b.sent[7] = 1;
    assert_int_equal(pm_take(&b, n), PMTUD_DROPPED);
    assert_string_equal(pm_said(&b), "drop.ttl_expired");
    b.sent[7] = 2;
    assert_int_equal(pm_take(&b, n), PMTUD_SENT); /* and no token was lost */
    pm_close(&b);
}

/* What no honest router sends (RFC 1812 §4.3.2.3), and a tunnel has no room
 * for, is for the segment alone. */
static void an_error_as_long_as_the_path_enters_no_tunnel(void **state)
{
    static const size_t quotes[] = {1480 - 28, 1480 - 27};
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        pm_begin(&b, mode ? PMTUD_PEERS : PMTUD_BROADCAST);
        pm_peer(&b, "10.0.0.6");
        pm_open(&b);
        for (int i = 0; i < 2; i++) {
            e.quote = quotes[i];
            e.dport++;
            pm_take_error(&b, &e);
            assert_string_equal(pm_said(&b),
                                mode && i ? "drop.too_big" : "sent");
        }
        pm_close(&b);
    }
}

/* The server that a balancer of the same rules sends a client's packet to. */
static const char *balanced(struct bed *lb, const struct pm_error *e)
{
    const struct pk_ip ip = {
        .src = e->client, .dst = e->vip, .proto = e->proto};
    assert_int_equal(bed_flow(lb, ip, e->dport, e->sport, 100), LB_FORWARDED);
    return bed_dst(lb, 0);
}

static void r_7690_08_steering_finds_the_server_of_the_balancer(void **state)
{
    static const struct {
        const char *vip, *client, *router;
        uint16_t port;
        uint8_t proto;
    } kinds[] = {
        {"10.0.0.2", "198.51.100.7", "203.0.113.254", 443, 6},
        {"10.0.0.2", "198.51.100.7", "203.0.113.254", 53, 17},
        {"2001:db8::2", "2001:db8:1::7", "2001:db8:ffff::1", 443, 6},
        {"2001:db8::3", "2001:db8:1::7", "2001:db8:ffff::1", 443, 6},
        {"10.0.0.4", "198.51.100.7", "203.0.113.254", 443, 6},
    };
    struct bed lb;
    struct pm b;
    char want[ARGS_ADDR], server[ARGS_ADDR];
    unsigned servers = 0;
    (void)state;
    bed_open(&lb, TMTU_MTU_NOTIFY);
    pm_begin(&b, PMTUD_STEER);
    pm_rules(&b, BED_RULES);
    b.config.src_rate = b.config.iface_rate = 1000;
    pm_open(&b);
    for (size_t i = 0; i < TEST_ROWS(kinds) * 64; i++) {
        const size_t k = i / 64;
        struct pm_error e = k == 2 || k == 3 ? error6 : error4;
        e.vip = kinds[k].vip;
        e.client = kinds[k].client;
        e.router = kinds[k].router;
        e.proto = kinds[k].proto;
        e.sport = kinds[k].port;
        e.dport = (uint16_t)(40000 + i);
        e.quote = (k == 2 || k == 3 ? 40u : 20u) + 4; /* ports, no more */
        snprintf(want, sizeof want, "%s", balanced(&lb, &e));
        servers |= 1u << (want[strlen(want) - 1] - '0');
        assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
        assert_int_equal(b.n, 1); /* one copy */
        args_addr_text(b.d.note.server->tunnel.encap.dst, server);
        assert_string_equal(server, want);
        is_inside(&b, 0,
                  strchr(server, ':') != NULL ? "2001:db8::a" : "10.0.0.3",
                  server);
    }
    assert_int_equal(servers, 1u << 6 | 1u << 7 | 1u << 8); /* all of them */
    pm_close(&b);
    bed_close(&lb);
}

static void r_7690_09_without_ports_steering_says_so(void **state)
{
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    pm_begin(&b, PMTUD_STEER);
    pm_rules(&b, BED_RULES);
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    assert_false(b.d.note.by_address);
    e.quote = 23;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    assert_true(b.d.note.by_address);
    assert_int_equal(b.d.counters.by_address, 1);
    e.vip = "10.0.0.9"; /* a service that goes by address alone */
    e.router = "203.0.113.1";
    assert_int_equal(pm_take_error(&b, &e), PMTUD_SENT);
    assert_int_equal(b.d.counters.by_address, 1);
    pm_close(&b);
}

static void steering_says_why_it_does_not(void **state)
{
    struct pm b;
    struct pm_error e = error4;
    (void)state;
    pm_begin(&b, PMTUD_STEER);
    pm_rules(&b, "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                 "-a -t 10.0.0.2:443 -r 10.0.0.3 -i\n" /* this host */
                 "-A -t 10.0.0.5:443 -s mh\n"
                 "-a -t 10.0.0.5:443 -r 10.0.0.6 -i -w 0\n");
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &e), PMTUD_OWN);
    e.sport = 80;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_NOT_SERVED);
    e.vip = "10.0.0.5";
    e.sport = 443;
    assert_int_equal(pm_take_error(&b, &e), PMTUD_NO_SERVER);
    e.vip = "10.0.0.99"; /* of no service: we never sent that */
    pm_take_error(&b, &e);
    assert_string_equal(pm_said(&b), "doubted.not_ours");
    pm_close(&b);
}

/* What a daemon sends, it gets back on the ways there are, and sends no more.
 */
static void r_7690_06_no_copy_is_copied(void **state)
{
    struct pm b;
    (void)state;
    pm_begin(&b, PMTUD_BROADCAST);
    b.config.duplicate = 0; /* it is not that which helps */
    b.config.src_rate = b.config.iface_rate = 1000;
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &error4), PMTUD_SENT);
    const size_t n = b.out[0].n - 14;
    memcpy(b.in.to, b.out[0].p, 6);
    memcpy(b.sent, b.out[0].p + 14, n);
    b.in.flags |= b.in.to[0] & 1 ? PMTUD_GROUP : 0;
    assert_int_equal(pm_take(&b, n), PMTUD_COPY_GROUP);
    pm_close(&b);

    pm_begin(&b, PMTUD_PEERS);
    pm_peer(&b, "10.0.0.6");
    pm_open(&b);
    assert_int_equal(pm_take_error(&b, &error4), PMTUD_SENT);
    const size_t outer = b.out[0].n;
    memcpy(b.sent, b.out[0].p, outer);
    assert_int_equal(pm_take(&b, outer), PMTUD_NOT_TOO_BIG);
    pm_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r_7690_04_the_copy_for_all_is_the_packet_as_it_came),
        cmocka_unit_test(use_src_keeps_the_ethernet_source),
        cmocka_unit_test(without_ethernet_addresses_the_interface_has_one),
        cmocka_unit_test(padding_behind_the_packet_stays_behind),
        cmocka_unit_test(r_7690_06_copies_are_known_by_how_they_come),
        cmocka_unit_test(r_7690_07_one_thing_changed),
        cmocka_unit_test(an_mtu_of_0_was_never_passed_on),
        cmocka_unit_test(strict_believes_576_to_1499),
        cmocka_unit_test(r_7690_07_ports_are_those_of_the_quoted_source),
        cmocka_unit_test(what_is_broken_is_named),
        cmocka_unit_test(every_cut_of_an_error_is_refused),
        cmocka_unit_test(with_vip_only_its_packets_can_be_quoted),
        cmocka_unit_test(peers_get_it_each_in_ip_in_ip_and_this_host_none),
        cmocka_unit_test(a_peer_that_is_named_twice_gets_one_copy),
        cmocka_unit_test(a_peer_that_no_tunnel_leads_to_is_named),
        cmocka_unit_test(an_error_at_the_end_of_its_way_enters_no_tunnel),
        cmocka_unit_test(an_error_as_long_as_the_path_enters_no_tunnel),
        cmocka_unit_test(r_7690_08_steering_finds_the_server_of_the_balancer),
        cmocka_unit_test(r_7690_09_without_ports_steering_says_so),
        cmocka_unit_test(steering_says_why_it_does_not),
        cmocka_unit_test(r_7690_06_no_copy_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tunmtu-lb -g: packets that go on as they are, by link-layer address, held
 * against what IPVS does (statements K...). */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

static const struct pk_ip tcp4 = {
    .src = "10.0.1.1", .dst = "10.0.0.2", .proto = 6, .df = 1, .id = 77};
static const struct pk_ip tcp6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6};

#define RULES                                                                  \
    "-A -t 10.0.0.2:443 -s mh -b mh-port\n"                                    \
    "-a -t 10.0.0.2:443 -r 10.0.0.6 -g\n"                                      \
    "-A -t [2001:db8::2]:443 -s mh -b mh-port\n"                               \
    "-a -t [2001:db8::2]:443 -r [2001:db8::6]\n"

/* The packet that was put in, for comparisons. */
static uint8_t orig[65536];

/* No --local: nothing is sent from an address of our own. */
static void open_mtu(struct bed *b, uint8_t policy, uint32_t mtu)
{
    struct services_config c = bed_config(policy);
    c.has_local[0] = c.has_local[1] = false;
    c.mtu = mtu;
    bed_open_with(b, RULES, c);
}

static enum lb_fate take(struct bed *b, struct pk_ip ip, size_t len)
{
    const size_t n = pk_flow(orig, &ip, 4000, 443, len);
    return bed_take(b, orig, n, 0);
}

/* What was sent last goes to the server, from the `from`th packet on. */
static void is_via(const struct bed *b, size_t from, const char *server)
{
    uint8_t addr[16];
    assert_true(args_addr(server, addr));
    assert_true(from < b->n);
    for (size_t i = from; i < b->n; i++)
        assert_memory_equal(b->out[i].via, addr, 16);
}

/* What was sent goes where its header says. */
static void is_answer(const struct bed *b, size_t i)
{
    static const uint8_t none[16];
    assert_true(i < b->n);
    assert_memory_equal(b->out[i].via, none, 16);
}

/* One packet, as `orig` but for one off the TTL. */
static void is_hop(const uint8_t *p, size_t n)
{
    const int v6 = p[0] >> 4 == 6;
    const size_t ttl = v6 ? 7 : 8, sum = v6 ? 8 : 10, next = v6 ? 8 : 12;
    assert_int_equal(n, tmtu_get16(orig + (v6 ? 4 : 2)) + (v6 ? 40u : 0));
    assert_memory_equal(p, orig, ttl);
    assert_int_equal(p[ttl], orig[ttl] - 1);
    assert_memory_equal(p + ttl + 1, orig + ttl + 1, sum - ttl - 1);
    assert_memory_equal(p + next, orig + next, n - next);
    if (!v6)
        assert_int_equal(test_cksum(p, 20), 0); /* K38 */
}

/* Data of fragments of at most `longest` bytes, behind `head` of each, put
 * together without the library. */
static size_t join(const struct bed *b, size_t from, size_t head, size_t most,
                   uint8_t *out)
{
    size_t n = 0;
    for (size_t i = from; i < b->n; i++) {
        const uint8_t *p = b->out[i].p;
        const int last = i + 1 == b->n;
        assert_true(b->out[i].n <= most);
        if (head == 20) { /* K31: no DF */
            assert_int_equal(test_cksum(p, 20), 0);
            assert_int_equal(tmtu_get16(p + 6), n / 8 | (last ? 0 : 0x2000));
            assert_int_equal(tmtu_get16(p + 4), tmtu_get16(b->out[from].p + 4));
        } else {
            assert_int_equal(p[6], 44);
            assert_int_equal(tmtu_get16(p + 42), n | !last);
            assert_memory_equal(p + 44, b->out[from].p + 44, 4);
        }
        memcpy(out + n, p + head, b->out[i].n - head);
        n += b->out[i].n - head;
    }
    return n;
}

static void the_packet_itself_goes_on_with_one_hop_less(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    assert_int_equal(take(&b, tcp4, 1000), LB_FORWARDED);
    assert_int_equal(b.n, 1);
    is_via(&b, 0, "10.0.0.6");
    is_hop(b.out[0].p, b.out[0].n);
    assert_int_equal(b.out[0].p[8], 63);
    assert_int_equal(b.lb.note.server->packets, 1);
    assert_int_equal(b.lb.note.server->bytes, 1000);
    assert_int_equal(b.lb.counters.out_bytes, 1000);

    assert_int_equal(take(&b, tcp6, 1000), LB_FORWARDED);
    assert_int_equal(b.n, 1);
    is_via(&b, 0, "2001:db8::6");
    is_hop(b.out[0].p, b.out[0].n);
    assert_int_equal(b.out[0].p[7], 63);
    bed_close(&b);
}

static void padding_of_the_link_stays_behind(void **state)
{
    static const struct pk_ip *const ips[] = {&tcp4, &tcp6};
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (size_t i = 0; i < 2; i++) {
        const size_t n = pk_flow(orig, ips[i], 4000, 443, 61);
        memset(orig + n, 0xee, 900);
        assert_int_equal(bed_take(&b, orig, n + 900, 0), LB_FORWARDED);
        assert_int_equal(b.n, 1);
        is_hop(b.out[0].p, b.out[0].n);
    }
    bed_close(&b);
}

static void K7_K11_the_mtu_of_the_link_and_no_less_is_told(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1400);
    assert_int_equal(take(&b, tcp4, 1400), LB_FORWARDED);
    assert_int_equal(take(&b, tcp4, 1401), LB_DROPPED);
    assert_int_equal(b.lb.note.reason, TMTU_R_TOO_BIG);
    assert_int_equal(b.n, 1);
    is_answer(&b, 0);
    assert_int_equal(tmtu_get16(b.out[0].p + 20), 3 << 8 | 4);
    assert_int_equal(tmtu_get16(b.out[0].p + 26), 1400);
    assert_memory_equal(b.out[0].p + 28, orig, 548); /* the TTL it came with */

    assert_int_equal(take(&b, tcp6, 1400), LB_FORWARDED);
    assert_int_equal(take(&b, tcp6, 1401), LB_DROPPED);
    assert_int_equal(b.n, 1);
    is_answer(&b, 0);
    assert_int_equal(tmtu_get16(b.out[0].p + 40), 2 << 8);
    assert_int_equal(tmtu_get32(b.out[0].p + 44), 1400);
    bed_close(&b);
}

static void K19_no_policy_has_a_say(void **state)
{
    struct bed b;
    (void)state;
    for (uint8_t policy = TMTU_MTU_FRAGMENT; policy <= TMTU_MTU_BOTH;
         policy++) {
        open_mtu(&b, policy, 1500);
        assert_int_equal(take(&b, tcp4, 1501), LB_DROPPED);
        assert_int_equal(b.n, 1);
        assert_int_equal(take(&b, tcp6, 1501), LB_DROPPED);
        assert_int_equal(b.n, 1);
        bed_close(&b);
    }
}

static void without_df_the_packet_itself_is_cut(void **state)
{
    struct pk_ip ip = tcp4;
    static uint8_t data[3000];
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    ip.df = 0;
    assert_int_equal(take(&b, ip, 2900), LB_FORWARDED);
    assert_int_equal(b.n, 2);
    is_via(&b, 0, "10.0.0.6");
    assert_int_equal(join(&b, 0, 20, 1500, data), 2880);
    assert_memory_equal(data, orig + 20, 2880);
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 77); /* its own number */
    assert_int_equal(b.out[1].p[8], 63);
    assert_int_equal(b.lb.counters.cut, 1);
    assert_int_equal(b.lb.counters.fragments, 2);
    assert_int_equal(b.lb.note.fragments, 2);
    bed_close(&b);
}

/* Takes `orig`, of `head` bytes and data behind them, in two fragments, the
 * first with `first` bytes of data. */
static void take_fragments(struct bed *b, struct pk_ip ip, size_t first)
{
    static uint8_t p[3000];
    const size_t head = pk_is6(&ip) ? 40 : 20;
    const size_t all =
        tmtu_get16(orig + (head == 40 ? 4 : 2)) - (head == 40 ? 0 : head);
    ip.frag = ip.mf = 1;
    ip.id = 99;
    size_t n = pk_ip(p, &ip, orig + head, first);
    assert_int_equal(bed_take(b, p, n, 0), LB_HELD);
    ip.mf = 0;
    ip.off = (uint16_t)first;
    n = pk_ip(p, &ip, orig + head + first, all - first);
    assert_int_equal(bed_take(b, p, n, 0), LB_FORWARDED);
}

/* Both fit the link as a whole, and yet: a host on the way may have told its
 * sender of less. DF in fragments means that they fit, not that they must not
 * be sent: kinder than K27. */
static void K25_K27_K28_what_came_in_fragments_leaves_so(void **state)
{
    static uint8_t data[3000];
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (int df = 0; df < 2; df++) {
        struct pk_ip ip = tcp4;
        ip.df = (uint8_t)df;
        for (size_t len = 1400; len <= 1600; len += 200) {
            pk_flow(orig, &ip, 4000, 443, len);
            take_fragments(&b, ip, 800);
            assert_int_equal(b.n, 2);
            is_via(&b, 0, "10.0.0.6");
            assert_int_equal(b.out[0].n, 820);
            assert_int_equal(join(&b, 0, 20, 820, data), len - 20);
            assert_memory_equal(data, orig + 20, len - 20);
        }
    }
    for (size_t len = 1400; len <= 2400; len += 1000) {
        pk_flow(orig, &tcp6, 4000, 443, len);
        take_fragments(&b, tcp6, 1232);
        assert_int_equal(b.n, 2);
        is_via(&b, 0, "2001:db8::6");
        assert_int_equal(b.out[0].n, 1280);
        assert_int_equal(join(&b, 0, 48, 1280, data), len - 40);
        assert_memory_equal(data, orig + 40, len - 40);
        assert_int_equal(b.out[1].p[7], 63);
    }
    bed_close(&b);
}

static void K26_fragments_that_do_not_fit_are_told(void **state)
{
    struct pk_ip ip = tcp6;
    static uint8_t p[3000];
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1400);
    pk_flow(orig, &tcp6, 4000, 443, 2000);
    ip.frag = ip.mf = 1;
    size_t n = pk_ip(p, &ip, orig + 40, 1448);
    assert_int_equal(bed_take(&b, p, n, 0), LB_HELD);
    ip.mf = 0;
    ip.off = 1448;
    n = pk_ip(p, &ip, orig + 40 + 1448, 1960 - 1448);
    assert_int_equal(bed_take(&b, p, n, 0), LB_DROPPED);
    assert_int_equal(b.n, 1);
    is_answer(&b, 0);
    assert_int_equal(tmtu_get32(b.out[0].p + 44), 1400);
    bed_close(&b);
}

static void K35_ttl_1_earns_time_exceeded_whatever_the_size(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (size_t len = 1500; len <= 1501; len++) {
        struct pk_ip ip4 = tcp4, ip6 = tcp6;
        ip4.ttl = ip6.ttl = 1;
        assert_int_equal(take(&b, ip4, len), LB_DROPPED);
        assert_int_equal(b.lb.note.reason, TMTU_R_TTL_EXPIRED);
        assert_int_equal(b.n, 1);
        is_answer(&b, 0);
        assert_int_equal(tmtu_get16(b.out[0].p + 20), 11 << 8);
        assert_int_equal(take(&b, ip6, len), LB_DROPPED);
        assert_int_equal(b.n, 1);
        assert_int_equal(tmtu_get16(b.out[0].p + 40), 3 << 8);
        ip4.ttl = ip6.ttl = 2;
        assert_int_equal(take(&b, ip4, 1500), LB_FORWARDED);
        assert_int_equal(b.out[0].p[8], 1);
        assert_int_equal(take(&b, ip6, 1500), LB_FORWARDED);
        assert_int_equal(b.out[0].p[7], 1);
    }
    bed_close(&b);
}

/* An ICMP error for the VIP about what the server sent to the client. */
static size_t error_for_vip(uint8_t *p, int v6, uint8_t ttl, size_t quoted)
{
    static uint8_t quote[2000];
    struct pk_ip router = {
        .src = "10.9.9.9", .dst = "10.0.0.2", .df = 1, .proto = 1, .ttl = ttl};
    struct pk_ip sent = {.src = "10.0.0.2", .dst = "10.0.1.1", .proto = 6};
    if (v6) {
        router.src = "2001:db8:9::9";
        router.dst = sent.src = "2001:db8::2";
        sent.dst = "2001:db8:1::1";
        router.proto = 58;
    }
    pk_flow(quote, &sent, 443, 4000, quoted);
    return pk_icmp(p, &router, v6 ? 2 : 3, v6 ? 0 : 4, 1300, quote, quoted);
}

static void K42_K47_no_error_about_an_error(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (int v6 = 0; v6 < 2; v6++) {
        const size_t n = error_for_vip(orig, v6, 1, 100);
        assert_int_equal(bed_take(&b, orig, n, 0), LB_DROPPED);
        bed_dropped(&b, TMTU_R_TTL_EXPIRED);
        assert_int_equal(b.lb.note.unanswered, TMTU_R_ABOUT_ERROR);
    }
    bed_close(&b);
}

static enum lb_fate take_super(struct bed *b, struct pk_ip ip, size_t len,
                               uint16_t gso_size)
{
    b->gso_size = gso_size;
    const enum lb_fate fate = take(b, ip, len);
    b->gso_size = 0;
    return fate;
}

static void K29_a_super_packet_is_judged_and_sent_by_its_segments(void **state)
{
    struct pk_ip ip = tcp4;
    struct tmtu_pkt pkt;
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (int v6 = 0; v6 < 2; v6++) {
        const size_t head = v6 ? 60 : 40;
        const uint16_t size = (uint16_t)(1500 - head);
        assert_int_equal(take_super(&b, v6 ? tcp6 : tcp4, 64000, size),
                         LB_FORWARDED);
        assert_int_equal(b.n, v6 ? 45 : 44);
        is_via(&b, 0, v6 ? "2001:db8::6" : "10.0.0.6");
        size_t at = head;
        for (size_t i = 0; i < b.n; i++) {
            const size_t n = b.out[i].n;
            assert_true(n == 1500 || i + 1 == b.n);
            assert_int_equal(
                tmtu_ip_parse(tmtu_view(b.out[i].p, n), TMTU_IP_VERIFY, &pkt),
                0);
            assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
            assert_int_equal(pkt.ttl, 63);
            assert_memory_equal(b.out[i].p + head, orig + at, n - head);
            at += n - head;
        }
        assert_int_equal(at, 64000);
        assert_int_equal(
            take_super(&b, v6 ? tcp6 : tcp4, 64000, (uint16_t)(size + 1)),
            LB_DROPPED);
        assert_int_equal(b.n, 1);
        is_answer(&b, 0);
    }
    ip.df = 0; /* each segment is cut */
    assert_int_equal(take_super(&b, ip, 3040, 1500), LB_FORWARDED);
    assert_int_equal(b.n, 4);
    is_via(&b, 0, "10.0.0.6");
    assert_int_equal(b.out[0].n, 1500);
    assert_int_equal(b.out[1].n, 20 + 40);
    assert_int_equal(tmtu_get16(b.out[0].p + 4), 77);
    assert_int_equal(tmtu_get16(b.out[2].p + 4), 78);
    bed_close(&b);
}

static void errors_go_to_the_server_of_the_flow_as_they_are(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (int v6 = 0; v6 < 2; v6++) {
        const size_t n = error_for_vip(orig, v6, 64, v6 ? 1000 : 500);
        assert_int_equal(bed_take(&b, orig, n, 0), LB_FORWARDED);
        assert_int_equal(b.n, 1);
        assert_true(b.lb.note.icmp);
        is_via(&b, 0, v6 ? "2001:db8::6" : "10.0.0.6");
        is_hop(b.out[0].p, b.out[0].n);
    }
    bed_close(&b);
}

static void K22_K23_errors_that_do_not_fit(void **state)
{
    static uint8_t data[3000];
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1280);
    size_t n = error_for_vip(orig, 0, 64, 1400);
    assert_int_equal(bed_take(&b, orig, n, 0), LB_FORWARDED);
    assert_int_equal(b.n, 2); /* cut in spite of DF, and nothing is said */
    is_via(&b, 0, "10.0.0.6");
    assert_int_equal(join(&b, 0, 20, 1280, data), n - 20);
    assert_memory_equal(data, orig + 20, n - 20);

    n = error_for_vip(orig, 1, 64, 1400); /* nobody on the way may cut it */
    assert_int_equal(bed_take(&b, orig, n, 0), LB_DROPPED);
    bed_dropped(&b, TMTU_R_TOO_BIG_ERROR);
    bed_close(&b);
}

/* IPVS carries them on, and leaves it to the server to drop them. */
static void K70_errors_with_a_wrong_checksum_are_dropped(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    for (int v6 = 0; v6 < 2; v6++) {
        const size_t n = error_for_vip(orig, v6, 64, 100);
        orig[v6 ? 42 : 22] ^= 1;
        assert_int_equal(bed_take(&b, orig, n, 0), LB_DROPPED);
        bed_dropped(&b, TMTU_R_CHECKSUM);
    }
    bed_close(&b);
}

/* One service, two ways: only what goes by link-layer address has a next hop.
 */
static void tunnels_and_direct_routing_side_by_side(void **state)
{
    static const char text[] = "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.6 -g\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.7 -i\n";
    unsigned direct = 0, tunnel = 0;
    struct bed b;
    (void)state;
    bed_open_with(&b, text, bed_config(TMTU_MTU_NOTIFY));
    for (uint16_t port = 1; port <= 200; port++) {
        assert_int_equal(bed_flow(&b, tcp4, port, 443, 100), LB_FORWARDED);
        assert_int_equal(b.n, 1);
        if (b.out[0].n == 100) {
            direct++;
            is_via(&b, 0, "10.0.0.6");
            assert_string_equal(bed_dst(&b, 0), "10.0.0.2");
        } else {
            tunnel++;
            is_answer(&b, 0);
            assert_string_equal(bed_dst(&b, 0), "10.0.0.7");
        }
        /* An answer about it, too. */
        assert_int_equal(bed_flow(&b, tcp4, port, 443, 1501), LB_DROPPED);
        assert_int_equal(b.n, 1);
        is_answer(&b, 0);
    }
    assert_true(direct > 60 && tunnel > 60);
    bed_close(&b);
}

/* What is said about `text`, with these options. */
static void refused(const char *text, const struct services_config *c,
                    const char *what)
{
    struct services services;
    struct rules rules;
    char *said = NULL;
    size_t size;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    FILE *say = open_memstream(&said, &size);
    assert_int_equal(rules_read(&rules, in, "r", say), 0);
    assert_int_equal(services_build(&services, &rules, c, "r", say), 1);
    fclose(in);
    fclose(say);
    assert_string_equal(said, what);
    services_free(&services);
    rules_free(&rules);
    free(said);
}

static void what_cannot_be_sent_directly_is_told_by_line(void **state)
{
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        refused(v6 ? "-A -t [2001:db8::2]:443 -s mh\n"
                     "-a -t [2001:db8::2]:443 -r 10.0.0.6 -g\n"
                   : "-A -t 10.0.0.2:443 -s mh\n"
                     "-a -t 10.0.0.2:443 -r [2001:db8::6]\n",
                &c,
                "r:2: direct routing (-g) leaves the packet as it is, expected "
                "a real server with an address of the service's family, or "
                "-i\n");
    refused("-A -t 10.0.0.2:443 -s mh\n"
            "-a -t 10.0.0.2:443 -r 10.0.0.2 -g\n",
            &c,
            "r:2: the real server has the address of a service: its packets "
            "would come back\n");
    c.no_link = true;
    refused("-A -t 10.0.0.2:443 -s mh\n\n"
            "-a -t 10.0.0.2:443 -r 10.0.0.6\n",
            &c,
            "r:3: direct routing (-g) sends to link-layer addresses, which a "
            "TUN device does not have, expected --io afpacket:IFNAME\n");
}

static void an_interface_must_carry_what_ip_needs(void **state)
{
    struct bed b;
    (void)state;
    open_mtu(&b, TMTU_MTU_NOTIFY, 1500);
    assert_false(services_set_mtu(&b.services, 1279)); /* one is IPv6 */
    assert_true(services_set_mtu(&b.services, 1280));
    assert_int_equal(take(&b, tcp4, 1280), LB_FORWARDED);
    assert_int_equal(take(&b, tcp4, 1281), LB_DROPPED);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packet_itself_goes_on_with_one_hop_less),
        cmocka_unit_test(padding_of_the_link_stays_behind),
        cmocka_unit_test(K7_K11_the_mtu_of_the_link_and_no_less_is_told),
        cmocka_unit_test(K19_no_policy_has_a_say),
        cmocka_unit_test(without_df_the_packet_itself_is_cut),
        cmocka_unit_test(K25_K27_K28_what_came_in_fragments_leaves_so),
        cmocka_unit_test(K26_fragments_that_do_not_fit_are_told),
        cmocka_unit_test(K35_ttl_1_earns_time_exceeded_whatever_the_size),
        cmocka_unit_test(K42_K47_no_error_about_an_error),
        cmocka_unit_test(K29_a_super_packet_is_judged_and_sent_by_its_segments),
        cmocka_unit_test(errors_go_to_the_server_of_the_flow_as_they_are),
        cmocka_unit_test(K22_K23_errors_that_do_not_fit),
        cmocka_unit_test(K70_errors_with_a_wrong_checksum_are_dropped),
        cmocka_unit_test(tunnels_and_direct_routing_side_by_side),
        cmocka_unit_test(what_cannot_be_sent_directly_is_told_by_line),
        cmocka_unit_test(an_interface_must_carry_what_ip_needs),
    };
    return cmocka_run_group_tests_name("lb_direct", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tunmtu-lb -m: packets readdressed both ways, their ICMP errors too, and the
 * connections behind that (statements K..., R-...). What should come out is
 * built anew for the other addresses, and compared byte by byte. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { INIT = 1, INIT_ACK = 2, ABORT = 6, SHUTDOWN = 7, COOKIE_ACK = 11 };

static const uint64_t S = 1000000000u;

#define RULES                                                                  \
    "-A -t 10.0.0.2:443 -s mh -b mh-port\n"                                    \
    "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -m\n"                                 \
    "-A -u 10.0.0.2:443 -s mh -b mh-port\n"                                    \
    "-a -u 10.0.0.2:443 -r 10.0.0.6:8443 -m\n"                                 \
    "-A --sctp-service 10.0.0.2:443 -s mh -b mh-port\n"                        \
    "-a --sctp-service 10.0.0.2:443 -r 10.0.0.6:8443 -m\n"                     \
    "-A -t [2001:db8::2]:443 -s mh -b mh-port\n"                               \
    "-a -t [2001:db8::2]:443 -r [2001:db8::6]:8443 -m\n"                       \
    "-A -u [2001:db8::2]:443 -s mh -b mh-port\n"                               \
    "-a -u [2001:db8::2]:443 -r [2001:db8::6]:8443 -m\n"                       \
    "-A -t 10.0.0.4:80 -s mh -b mh-port\n"                                     \
    "-a -t 10.0.0.4:80 -r 10.0.0.6:8443 -m\n"                                  \
    "-A -t 10.0.0.9:0 -s mh -p 300\n"                                          \
    "-a -t 10.0.0.9:0 -r 10.0.0.7 -m\n"                                        \
    "-A -t 10.0.0.5:443 -s mh -b mh-port\n"                                    \
    "-a -t 10.0.0.5:443 -r 10.0.0.7:8443 -m\n"                                 \
    "-a -t 10.0.0.5:443 -r 10.0.0.8:8443 -m\n"

/* One packet: its ends, and what else tells one from another. */
struct flow {
    const char *src;
    uint16_t sport;
    const char *dst;
    uint16_t dport;
    uint8_t proto;
};

/* The four packets there are, as they come and as they go. */
static const struct {
    const char *name;
    struct flow to_vip, to_server, to_balancer, to_client;
} ways[] = {
#define WAY(name, proto, client, vip, server)                                  \
    {                                                                          \
        name " K89", {client, 4000, vip, 443, proto},                          \
            {client, 4000, server, 8443, proto},                               \
            {server, 8443, client, 4000, proto},                               \
        {                                                                      \
            vip, 443, client, 4000, proto                                      \
        }                                                                      \
    }
    WAY("TCP", 6, "192.0.2.1", "10.0.0.2", "10.0.0.6"),
    WAY("UDP", 17, "192.0.2.1", "10.0.0.2", "10.0.0.6"),
    WAY("SCTP", 132, "192.0.2.1", "10.0.0.2", "10.0.0.6"),
    WAY("TCP over IPv6", 6, "2001:db8:1::1", "2001:db8::2", "2001:db8::6"),
    WAY("UDP over IPv6", 17, "2001:db8:1::1", "2001:db8::2", "2001:db8::6"),
};

/* What is the same on both sides of the balancer. */
struct rest {
    uint8_t ttl; /* as it comes */
    uint8_t df;
    uint8_t say; /* TCP's flags, SCTP's chunk; 0: those of a first packet */
    size_t len;
};

static struct pk_ip ip_of(const struct flow *f, const struct rest *r, int hops)
{
    const struct pk_ip ip = {.src = f->src,
                             .dst = f->dst,
                             .proto = f->proto,
                             .tos = 0x28,
                             .ttl = (uint8_t)((r->ttl ? r->ttl : 64) - hops),
                             .df = r->df,
                             .id = 77};
    return ip;
}

/* The transport packet of `n` bytes of data. */
static size_t l4_of(uint8_t *p, const struct pk_ip *ip, const struct flow *f,
                    const struct rest *r, size_t n)
{
    const size_t len = pk_l4(p, ip, f->sport, f->dport, n);
    if (f->proto == 6) {
        p[13] = r->say ? r->say : SYN;
        pk16(p + 16, 0);
        pk16(p + 16, pk_sum(ip, p, len));
    } else if (f->proto == 132) {
        p[12] = r->say ? r->say : INIT;
    }
    return len;
}

/* A whole packet, `hops` on. */
static size_t make(uint8_t *p, const struct flow *f, const struct rest *r,
                   int hops)
{
    static uint8_t l4[65536];
    const struct pk_ip ip = ip_of(f, r, hops);
    const size_t head = (pk_is6(&ip) ? 40 : 20) + (f->proto == 6    ? 20u
                                                   : f->proto == 17 ? 8u
                                                                    : 12u);
    assert_true(r->len >= head);
    return pk_ip(p, &ip, l4, l4_of(l4, &ip, f, r, r->len - head));
}

static uint8_t packet[65536]; /* that was put in last */

static enum lb_fate take(struct bed *b, const struct flow *f, struct rest r)
{
    return bed_take(b, packet, make(packet, f, &r, 0), 0);
}

/* What came out is this packet, with one hop less, and nothing else did. */
static void is(const struct bed *b, const struct flow *f, struct rest r)
{
    static uint8_t want[65536];
    const size_t n = make(want, f, &r, 1);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->out[0].n, n);
    assert_memory_equal(b->out[0].p, want, n);
}

static const struct rest syn = {.df = 1, .len = 100};
static const struct rest ack = {.df = 1, .len = 100, .say = ACK};
static const struct rest synack = {.df = 1, .len = 100, .say = SYN | ACK};
static const struct rest fin = {.df = 1, .len = 100, .say = FIN | ACK};
static const struct rest rst = {.df = 1, .len = 100, .say = RST};

static void open_with(struct bed *b, const char *rules, uint32_t mtu,
                      uint32_t connections)
{
    struct services_config c = bed_config(TMTU_MTU_NOTIFY);
    c.has_local[0] = c.has_local[1] = false; /* no tunnels */
    c.mtu = mtu;
    c.connections = connections;
    bed_open_with(b, rules, c);
    b->now = 1000 * S;
}

static void open_bed(struct bed *b)
{
    open_with(b, RULES, 1500, 64);
}

/* A first packet and the answer to it. */
static void connect_way(struct bed *b, size_t i)
{
    const struct rest first = {.len = 100, .df = 1};
    struct rest then = first;
    then.say = ways[i].to_vip.proto == 6 ? ACK : COOKIE_ACK;
    assert_int_equal(take(b, &ways[i].to_vip, first), LB_FORWARDED);
    is(b, &ways[i].to_server, first);
    assert_int_equal(take(b, &ways[i].to_balancer, then), LB_RETURNED);
    is(b, &ways[i].to_client, then);
}

static uint64_t held(const struct bed *b)
{
    return tmtu_flows_counters(b->lb.conns.flows)->held;
}

static void K89_there_and_back_with_other_addresses_and_ports(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i++) {
        print_message("  %s\n", ways[i].name);
        open_bed(&b);
        connect_way(&b, i);
        struct rest r = {.df = 1, .ttl = 2, .len = 1499, .say = ACK};
        assert_int_equal(take(&b, &ways[i].to_vip, r), LB_FORWARDED);
        is(&b, &ways[i].to_server, r);
        r.len = 1500;
        assert_int_equal(take(&b, &ways[i].to_balancer, r), LB_RETURNED);
        is(&b, &ways[i].to_client, r);
        const struct server *server = b.lb.note.server;
        assert_int_equal(server->packets, 2);
        assert_int_equal(server->bytes, 1599);
        assert_int_equal(server->returned, 2);
        assert_int_equal(server->returned_bytes, 1600);
        assert_int_equal(b.lb.counters.fate[LB_FORWARDED], 2);
        assert_int_equal(b.lb.counters.fate[LB_RETURNED], 2);
        assert_int_equal(held(&b), 2); /* a flow each way */
        bed_close(&b);
    }
}

static void a_udp_checksum_of_zero_stays_zero(void **state)
{
    struct bed b;
    uint8_t p[100], want[100];
    const struct rest r = {.df = 1, .len = 100};
    (void)state;
    open_bed(&b);
    const size_t n = make(p, &ways[1].to_vip, &r, 0);
    pk16(p + 26, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_FORWARDED);
    assert_int_equal(make(want, &ways[1].to_server, &r, 1), n);
    pk16(want + 26, 0);
    assert_memory_equal(b.out[0].p, want, n);
    bed_close(&b);
}

/* From the VIP, to `to`, about the packet that was put in. */
static void is_answer(const struct bed *b, const char *vip, const char *to,
                      uint8_t type, uint8_t code, uint32_t info)
{
    uint8_t addr[16];
    const uint8_t *p = b->out[0].p;
    const size_t v6 = p[0] >> 4 == 6, n = pk_addr(addr, vip);
    assert_int_equal(b->n, 1);
    assert_memory_equal(p + (v6 ? 8 : 12), addr, n);
    pk_addr(addr, to);
    assert_memory_equal(p + (v6 ? 24 : 16), addr, n);
    const uint8_t *m = p + (v6 ? 40 : 20);
    assert_int_equal(m[0], type);
    assert_int_equal(m[1], code);
    assert_int_equal(tmtu_get32(m + 4), info);
    const size_t quoted = b->out[0].n - (v6 ? 48 : 28);
    assert_true(quoted >= 60);
    assert_memory_equal(m + 8, packet, quoted);
}

static void K7_K61_too_big_is_told_on_both_sides(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i++) {
        const int v6 = strchr(ways[i].to_vip.src, ':') != NULL;
        const uint8_t type = v6 ? 2 : 3, code = v6 ? 0 : 4;
        print_message("  %s\n", ways[i].name);
        open_with(&b, RULES, 1400, 64);
        const struct rest r = {.df = 1, .len = 1401, .say = ACK};
        assert_int_equal(take(&b, &ways[i].to_vip, r), LB_DROPPED);
        assert_int_equal(b.lb.note.reason, TMTU_R_TOO_BIG);
        is_answer(&b, ways[i].to_vip.dst, ways[i].to_vip.src, type, code, 1400);
        assert_int_equal(held(&b), 0); /* what is not sent begins nothing */
        connect_way(&b, i);
        assert_int_equal(take(&b, &ways[i].to_balancer, r), LB_DROPPED);
        /* K61: to the server, about what it sent, as it sent it */
        is_answer(&b, ways[i].to_vip.dst, ways[i].to_balancer.src, type, code,
                  1400);
        bed_close(&b);
    }
}

static void K35_time_exceeded_is_told_on_both_sides(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i++) {
        const int v6 = strchr(ways[i].to_vip.src, ':') != NULL;
        const struct rest r = {.df = 1, .ttl = 1, .len = 2000, .say = ACK};
        open_bed(&b);
        assert_int_equal(take(&b, &ways[i].to_vip, r), LB_DROPPED);
        assert_int_equal(b.lb.note.reason, TMTU_R_TTL_EXPIRED);
        is_answer(&b, ways[i].to_vip.dst, ways[i].to_vip.src, v6 ? 3 : 11, 0,
                  0);
        assert_int_equal(held(&b), 0);
        connect_way(&b, i);
        assert_int_equal(take(&b, &ways[i].to_balancer, r), LB_DROPPED);
        is_answer(&b, ways[i].to_vip.dst, ways[i].to_balancer.src, v6 ? 3 : 11,
                  0, 0);
        bed_close(&b);
    }
}

/* The packet of all fragments that came out, none longer than `most`. */
static void is_cut(const struct bed *b, const struct flow *f, struct rest r,
                   size_t most)
{
    static uint8_t want[65536], got[65536];
    const size_t n = make(want, f, &r, 1), v6 = want[0] >> 4 == 6;
    const size_t head = v6 ? 40 : 20;
    size_t at = 0;
    for (size_t i = 0; i < b->n; i++) {
        const uint8_t *p = b->out[i].p, *data = p + head + (v6 ? 8 : 0);
        const size_t len = b->out[i].n - (size_t)(data - p);
        const uint16_t off = tmtu_get16(p + (v6 ? 42 : 6));
        assert_true(b->out[i].n <= most);
        assert_int_equal(v6 ? off & 0xfff8u : 8u * (off & 0x1fffu), at);
        assert_int_equal(v6 ? off & 1 : off >> 13, i + 1 < b->n);
        if (v6)
            assert_int_equal(p[6], 44);
        else
            assert_int_equal(test_cksum(p, 20), 0);
        assert_memory_equal(p + (v6 ? 8 : 12), want + (v6 ? 8 : 12),
                            v6 ? 32 : 8);
        assert_int_equal(p[v6 ? 7 : 8], want[v6 ? 7 : 8]);
        memcpy(got + at, data, len);
        at += len;
    }
    assert_int_equal(at, n - head);
    assert_memory_equal(got, want + head, at);
}

static void what_may_be_cut_is_cut_on_both_sides(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < 3; i++) { /* IPv4 */
        const struct rest r = {.len = 3000, .say = ACK};
        open_bed(&b);
        connect_way(&b, i);
        assert_int_equal(take(&b, &ways[i].to_vip, r), LB_FORWARDED);
        assert_int_equal(b.n, 3);
        is_cut(&b, &ways[i].to_server, r, 1500);
        assert_int_equal(take(&b, &ways[i].to_balancer, r), LB_RETURNED);
        assert_int_equal(b.n, 3);
        is_cut(&b, &ways[i].to_client, r, 1500);
        assert_int_equal(b.lb.counters.cut, 2);
        assert_int_equal(b.lb.counters.fragments, 6);
        bed_close(&b);
    }
}

/* The packet comes in fragments, of `size` bytes of data, the last one first.
 */
static enum lb_fate take_cut(struct bed *b, const struct flow *f, struct rest r,
                             size_t size)
{
    static uint8_t l4[65536];
    struct pk_ip ip = ip_of(f, &r, 0);
    const size_t head = pk_is6(&ip) ? 40 : 20;
    const size_t n = make(packet, f, &r, 0) - head;
    enum lb_fate fate = LB_FATES;
    memcpy(l4, packet + head, n);
    ip.frag = pk_is6(&ip) ? 1 : 0;
    for (size_t at = (n - 1) / size * size;; at -= size) {
        uint8_t p[2000];
        ip.off = (uint16_t)at;
        ip.mf = at + size < n;
        fate = bed_take(
            b, p, pk_ip(p, &ip, l4 + at, at + size < n ? size : n - at), 0);
        if (at == 0)
            return fate;
        assert_int_equal(fate, LB_HELD);
    }
}

static void K28_fragments_are_put_together_and_leave_no_longer(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i++) {
        const size_t head = strchr(ways[i].to_vip.src, ':') != NULL ? 48 : 20;
        struct rest r = {.len = 1400, .say = ACK};
        print_message("  %s\n", ways[i].name);
        open_bed(&b);
        assert_int_equal(take_cut(&b, &ways[i].to_vip, r, 600), LB_FORWARDED);
        assert_int_equal(b.n, 3);
        is_cut(&b, &ways[i].to_server, r, head + 600);
        assert_int_equal(take_cut(&b, &ways[i].to_balancer, r, 800),
                         LB_RETURNED);
        assert_int_equal(b.n, 2);
        is_cut(&b, &ways[i].to_client, r, head + 800);
        /* what does not fit in fragments is told, where it may not be cut */
        r.len = 3000;
        r.df = 1;
        assert_int_equal(take_cut(&b, &ways[i].to_balancer, r, 1496),
                         LB_DROPPED);
        assert_int_equal(b.lb.note.reason, TMTU_R_TOO_BIG);
        bed_close(&b);
    }
}

static void fragments_that_wait_in_vain_are_told_of_by_the_vip(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i += 3) {
        const int v6 = i == 3;
        const struct flow *const from[] = {
            &ways[i].to_vip, &ways[i].to_balancer, &ways[i].to_balancer};
        open_bed(&b);
        for (size_t k = 0; k < 3; k++) {
            uint8_t p[2000], room[3000];
            const struct rest r = {.len = 800, .say = ACK};
            struct pk_ip ip = ip_of(from[k], &r, 0);
            const size_t head = v6 ? 40 : 20;
            struct tmtu_buf out;
            if (k == 1)
                connect_way(&b, i);
            if (k == 2) /* and of no connection: not ours to say */
                b.now += 2000 * S;
            make(packet, from[k], &r, 0);
            uint8_t l4[800];
            memcpy(l4, packet + head, 800 - head);
            ip.mf = 1;
            ip.frag = (uint8_t)v6;
            ip.id = 100 + (uint32_t)k;
            const size_t n = pk_ip(p, &ip, l4, 400);
            assert_int_equal(bed_take(&b, p, n, 0), LB_HELD);
            b.now += 60 * S;
            out = tmtu_buf(room, sizeof room, TMTU_IO_HEADROOM);
            assert_int_equal(lb_expire(&b.lb, b.now, &out), k < 2);
            if (k == 2)
                break;
            bed_forget(&b);
            bed_keep(&b, &out);
            memcpy(packet, p, n);
            is_answer(&b, ways[i].to_vip.dst, from[k]->src, v6 ? 3 : 11, 1, 0);
        }
        bed_close(&b);
    }
}

/* An error of a router: its header, and a quote of `n` bytes. */
static size_t make_error(uint8_t *p, const char *src, const char *dst,
                         const struct flow *quoted, struct rest r, size_t n,
                         uint8_t type, uint8_t code, int hops)
{
    uint8_t quote[2000];
    const int v6 = strchr(src, ':') != NULL;
    const struct pk_ip ip = {.src = src,
                             .dst = dst,
                             .proto = v6 ? 58 : 1,
                             .tos = 0xc0,
                             .ttl = (uint8_t)(60 - hops)};
    const size_t len = make(quote, quoted, &r, 7);
    return pk_icmp(p, &ip, type, code, 1400, quote, n < len ? n : len);
}

static const size_t quotes[] = {8, 20, 28, 528, 5000}; /* behind the header */

/* R-LIB-11: byte 6 and 7 of the message, the MTU, are in the comparison. */
static void K89_R_5508_05_errors_for_the_vip_become_the_servers(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i++) {
        const int v6 = strchr(ways[i].to_vip.src, ':') != NULL;
        const char *router = v6 ? "2001:db8:9::1" : "192.0.2.99";
        const struct rest big = {.df = 1, .len = 1480, .say = ACK};
        print_message("  %s R-LIB-11 R-LIB-12 R-LIB-14\n", ways[i].name);
        open_bed(&b);
        connect_way(&b, i);
        for (size_t k = 0; k < TEST_ROWS(quotes); k++) {
            static uint8_t p[2000], want[2000];
            size_t n = quotes[k] + (v6 ? 40 : 20);
            if (n > 1200)
                n = v6 ? 1200 : 528;
            n = make_error(p, router, ways[i].to_client.src, &ways[i].to_client,
                           big, n, v6 ? 2 : 3, v6 ? 0 : 4, 0);
            assert_int_equal(bed_take(&b, p, n, 0), LB_FORWARDED);
            n = quotes[k] + (v6 ? 40 : 20);
            if (n > 1200)
                n = v6 ? 1200 : 528;
            n = make_error(want, router, ways[i].to_server.dst,
                           &ways[i].to_balancer, big, n, v6 ? 2 : 3, v6 ? 0 : 4,
                           1);
            assert_int_equal(b.n, 1);
            assert_int_equal(b.out[0].n, n);
            assert_memory_equal(b.out[0].p, want, n);
        }
        assert_int_equal(b.lb.counters.icmp[LB_ICMP_TOO_BIG],
                         TEST_ROWS(quotes));
        bed_close(&b);
    }
}

static void R_5508_06_errors_for_a_client_come_from_the_vip(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i++) {
        const int v6 = strchr(ways[i].to_vip.src, ':') != NULL;
        /* the server itself, and a router in front of it */
        const char *const from[] = {ways[i].to_server.dst,
                                    v6 ? "2001:db8:5::1" : "10.5.0.1"};
        const struct rest big = {.df = 1, .len = 1480, .say = ACK};
        open_bed(&b);
        connect_way(&b, i);
        for (size_t k = 0; k < 2 * TEST_ROWS(quotes); k++) {
            static uint8_t p[2000], want[2000];
            const uint8_t type = k % 2 == 0 && !v6 ? 3 : v6 ? 1 : 11;
            const uint8_t code = type == 3 ? 3 : v6 ? 4 : 0;
            size_t n = quotes[k / 2] + (v6 ? 40 : 20);
            if (n > 1200)
                n = v6 ? 1200 : 528;
            size_t len = make_error(p, from[k % 2], ways[i].to_server.src,
                                    &ways[i].to_server, big, n, type, code, 0);
            assert_int_equal(bed_take(&b, p, len, 0), LB_RETURNED);
            len = make_error(want, ways[i].to_vip.dst, ways[i].to_vip.src,
                             &ways[i].to_vip, big, n, type, code, 1);
            assert_int_equal(b.n, 1);
            assert_int_equal(b.out[0].n, len);
            assert_memory_equal(b.out[0].p, want, len);
        }
        assert_int_equal(b.lb.counters.icmp_returned, 2 * TEST_ROWS(quotes));
        bed_close(&b);
    }
}

/* Fills the hash table of a service anew: weights of one or two servers. */
static void reweigh(struct bed *b, size_t service, uint32_t w0, uint32_t w1)
{
    struct service *s = &b->services.service[service];
    struct tmtu_steer_server list[2] = {{.value = 0, .weight = w0},
                                        {.value = 1, .weight = w1}};
    assert_in_range(s->servers, 1, 2);
    for (size_t i = 0; i < s->servers; i++)
        tmtu_copy(list[i].addr, s->server[i].tunnel.encap.dst, 16);
    assert_int_equal(
        tmtu_steer_build(s->steer, list, s->servers, &b->services.key), 0);
}

/* Open TCP is known for 900 s of silence, whatever errors say meanwhile:
 * R-5508-07, R-5382-01. */
static void R_5508_07_R_5382_01_errors_begin_renew_and_end_nothing(void **state)
{
    struct bed b;
    uint8_t p[2000];
    (void)state;
    open_bed(&b);
    size_t n = make_error(p, "192.0.2.99", "10.0.0.2", &ways[0].to_client, ack,
                          60, 3, 3, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_NO_CONNECTION);
    assert_int_equal(b.n, 0);
    n = make_error(p, "10.0.0.6", "192.0.2.1", &ways[0].to_server, ack, 60, 3,
                   3, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_STRAY);
    assert_int_equal(b.n, 0);
    assert_int_equal(held(&b), 0);

    connect_way(&b, 0);
    const uint64_t begin = b.now;
    for (uint64_t t = 0; t < 900; t += 50) {
        b.now = begin + t * S;
        n = make_error(p, "192.0.2.99", "10.0.0.2", &ways[0].to_client, ack, 60,
                       3, (uint8_t)(t / 50 % 16), 0);
        assert_int_equal(bed_take(&b, p, n, 0), LB_FORWARDED);
        n = make_error(p, "10.0.0.6", "192.0.2.1", &ways[0].to_server, ack, 60,
                       3, (uint8_t)(t / 50 % 16), 0);
        assert_int_equal(bed_take(&b, p, n, 0), LB_RETURNED);
    }
    /* nor is what they quote, an INIT by its looks, the begin of another one */
    assert_int_equal(take(&b, &ways[0].to_vip, fin), LB_FORWARDED);
    reweigh(&b, 0, 0, 0);
    n = make_error(p, "192.0.2.99", "10.0.0.2", &ways[0].to_client, ack, 60, 3,
                   3, 0);
    pk16(p + 20 + 8 + 4, 0x0100);
    pk16(p + 20 + 8 + 10, 0);
    pk16(p + 20 + 8 + 10, test_cksum(p + 28, 20));
    pk16(p + 22, 0);
    pk16(p + 22, test_cksum(p + 20, n - 20));
    assert_int_equal(bed_take(&b, p, n, 0), LB_FORWARDED);
    bed_close(&b);

    open_bed(&b);
    connect_way(&b, 0);
    n = make_error(p, "10.0.0.6", "192.0.2.1", &ways[0].to_server, ack, 60, 3,
                   3, 0);
    b.now += 901 * S;
    assert_int_equal(bed_take(&b, p, n, 0), LB_STRAY);
    n = make_error(p, "192.0.2.99", "10.0.0.2", &ways[0].to_client, ack, 60, 3,
                   3, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_NO_CONNECTION);
    bed_close(&b);
}

static void errors_that_are_not_altered(void **state)
{
    static const struct {
        const char *name;
        const char *src, *dst;
        int out; /* quotes what goes to the server, else to the client */
        uint8_t type, code;
        size_t flip; /* a byte of it that is wrong */
        enum lb_fate fate;
    } rows[] = {
        {"R-5508-04 a wrong ICMP checksum, in", "192.0.2.99", "10.0.0.2", 0, 3,
         3, 22, LB_DROPPED},
        {"R-5508-04 a wrong ICMP checksum, out", "10.0.0.6", "192.0.2.1", 1, 3,
         3, 22, LB_DROPPED},
        {"a redirect, in", "192.0.2.99", "10.0.0.2", 0, 5, 1, 0, LB_NOT_SERVED},
        {"a redirect, out", "10.0.0.6", "192.0.2.1", 1, 5, 1, 0, LB_NOT_SERVED},
        {"source quench (RFC 6633)", "10.0.0.6", "192.0.2.1", 1, 4, 0, 0,
         LB_NOT_SERVED},
        {"K94 for another VIP than it quotes", "192.0.2.99", "10.0.0.4", 0, 3,
         3, 0, LB_NOT_SERVED},
        {"K94 for another client than it quotes", "10.0.0.6", "192.0.2.9", 1, 3,
         3, 0, LB_NOT_SERVED},
    };
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t p[2000];
        print_message("  %s\n", rows[i].name);
        open_bed(&b);
        connect_way(&b, 0);
        const size_t n =
            make_error(p, rows[i].src, rows[i].dst,
                       rows[i].out ? &ways[0].to_server : &ways[0].to_client,
                       ack, 60, rows[i].type, rows[i].code, 0);
        if (rows[i].flip != 0)
            p[rows[i].flip] ^= 1;
        assert_int_equal(bed_take(&b, p, n, 0), rows[i].fate);
        assert_int_equal(b.n, 0);
        if (rows[i].fate == LB_DROPPED)
            assert_int_equal(b.lb.note.reason, TMTU_R_CHECKSUM);
        bed_close(&b);
    }
}

/* What a connection lives through: who sends what, and how many seconds after
 * that it is known still, and is not any more one later. */
static void states_have_their_times(void **state)
{
    static const struct {
        const char *name;
        size_t way;
        struct {
            int server;
            uint8_t say;
        } step[8];
        unsigned seconds;
        int confirmed;
    } rows[] = {
        {"SYN", 0, {{0, SYN}}, 60, 0},
        {"SYN, SYN ACK: what anybody gets",
         0,
         {{0, SYN}, {1, SYN | ACK}},
         60,
         0},
        {"SYN, SYN ACK, ACK: open, as far as the client says",
         0,
         {{0, SYN}, {1, SYN | ACK}, {0, ACK}},
         900,
         0},
        {"SYN, SYN ACK, SYN again",
         0,
         {{0, SYN}, {1, SYN | ACK}, {0, SYN}},
         60,
         0},
        {"SYN, ACK: a server has said nothing", 0, {{0, SYN}, {0, ACK}}, 60, 0},
        {"open", 0, {{0, SYN}, {1, SYN | ACK}, {0, ACK}, {1, ACK}}, 900, 1},
        {"open, SYN ACK again",
         0,
         {{0, SYN}, {1, ACK}, {1, SYN | ACK}},
         900,
         1},
        {"the client ends", 0, {{0, SYN}, {1, ACK}, {0, FIN | ACK}}, 120, 1},
        {"the server ends", 0, {{0, SYN}, {1, ACK}, {1, FIN | ACK}}, 120, 1},
        {"the server ends at once",
         0,
         {{0, SYN}, {1, SYN | ACK}, {1, FIN | ACK}},
         120,
         1},
        {"one end, and data still",
         0,
         {{0, SYN}, {1, ACK}, {0, FIN | ACK}, {1, ACK}, {0, ACK}},
         120,
         1},
        {"the client resets", 0, {{0, SYN}, {1, ACK}, {0, RST}}, 10, 0},
        {"the server resets", 0, {{0, SYN}, {1, RST | ACK}}, 10, 0},
        {"reset, and the client goes on",
         0,
         {{0, SYN}, {1, ACK}, {0, RST}, {0, ACK}},
         10,
         0},
        {"a forged reset, and the server goes on",
         0,
         {{0, SYN}, {1, ACK}, {0, RST}, {1, ACK}},
         900,
         1},
        {"ended, and begun anew",
         0,
         {{0, SYN}, {1, ACK}, {0, FIN | ACK}, {0, SYN}},
         60,
         0},
        {"reset, and begun anew",
         0,
         {{0, SYN}, {1, ACK}, {1, RST}, {0, SYN}},
         60,
         0},
        {"ended, and a SYN ACK begins nothing",
         0,
         {{0, SYN}, {1, ACK}, {0, FIN | ACK}, {0, SYN | ACK}},
         120,
         1},
        {"in the midst of it", 0, {{0, ACK}}, 60, 0},
        {"in the midst of it, and the server knows",
         0,
         {{0, ACK}, {1, ACK}},
         900,
         1},
        {"the end of what is not known, and the server knows",
         0,
         {{0, FIN | ACK}, {1, ACK}},
         900,
         1},
        {"UDP", 1, {{0, 1}}, 300, 0},
        {"UDP, answered", 1, {{0, 1}, {1, 1}}, 300, 1},
        {"SCTP: INIT", 2, {{0, INIT}}, 60, 0},
        {"SCTP: INIT ACK is for anybody", 2, {{0, INIT}, {1, INIT_ACK}}, 60, 0},
        {"SCTP: a cookie proves nothing to us",
         2,
         {{0, INIT}, {1, INIT_ACK}, {0, 10}},
         60,
         0},
        {"SCTP: open",
         2,
         {{0, INIT}, {1, INIT_ACK}, {0, 10}, {1, COOKIE_ACK}},
         900,
         1},
        {"SCTP: shutdown",
         2,
         {{0, INIT}, {1, COOKIE_ACK}, {0, SHUTDOWN}},
         120,
         1},
        {"SCTP: shutdown ack", 2, {{0, INIT}, {1, COOKIE_ACK}, {1, 8}}, 120, 1},
        {"SCTP: shutdown complete",
         2,
         {{0, INIT}, {1, COOKIE_ACK}, {1, 8}, {0, 14}},
         10,
         0},
        {"SCTP: abort", 2, {{0, INIT}, {1, COOKIE_ACK}, {0, ABORT}}, 10, 0},
        {"SCTP: begun anew",
         2,
         {{0, INIT}, {1, COOKIE_ACK}, {0, SHUTDOWN}, {0, INIT}},
         60,
         0},
        {"TCP over IPv6", 3, {{0, SYN}, {1, ACK}}, 900, 1},
        {"UDP over IPv6", 4, {{0, 1}}, 300, 0},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const size_t w = rows[i].way;
        print_message("  %s\n", rows[i].name);
        for (unsigned late = 0; late < 2; late++) {
            struct bed b;
            open_bed(&b);
            for (size_t k = 0; rows[i].step[k].say != 0; k++) {
                const struct rest r = {
                    .df = 1, .len = 100, .say = rows[i].step[k].say};
                assert_int_equal(
                    take(&b,
                         rows[i].step[k].server ? &ways[w].to_balancer
                                                : &ways[w].to_vip,
                         r),
                    rows[i].step[k].server ? LB_RETURNED : LB_FORWARDED);
                b.now += 5 * S;
            }
            assert_int_equal(tmtu_flows_counters(b.lb.conns.flows)->confirmed,
                             rows[i].confirmed ? 2 : 0);
            b.now += (rows[i].seconds - 5) * S - S / 2 + late * S;
            assert_int_equal(take(&b, &ways[w].to_balancer, ack),
                             late ? LB_STRAY : LB_RETURNED);
            bed_close(&b);
        }
    }
}

/* One half of a connection may be gone, if places are few. */
static void half_a_connection_is_made_whole(void **state)
{
    struct bed b;
    struct tmtu_flow key;
    (void)state;
    open_bed(&b);
    struct tmtu_flows *flows = b.lb.conns.flows;
    for (int half = 0; half < 2; half++) {
        const struct flow *f = half ? &ways[0].to_vip : &ways[0].to_balancer;
        assert_true(args_addr(f->src, key.src));
        assert_true(args_addr(f->dst, key.dst));
        tmtu_flow_set_ports(&key, 4, 6, f->sport, f->dport, TMTU_FLOW_PORTS);
        connect_way(&b, 0);
        tmtu_flows_remove(flows, tmtu_flows_find(flows, &key, b.now));
        assert_int_equal(take(&b, &ways[0].to_balancer, ack), LB_STRAY);
        assert_int_equal(take(&b, &ways[0].to_vip, ack), LB_FORWARDED);
        is(&b, &ways[0].to_server, ack);
        assert_int_equal(take(&b, &ways[0].to_balancer, ack), LB_RETURNED);
        is(&b, &ways[0].to_client, ack);
        assert_int_equal(held(&b), 2);
    }
    bed_close(&b);
}

/* Nobody's packets: left to the host, and nothing is sent or remembered. */
static void strays_are_left_alone(void **state)
{
    static const struct flow echo = {"10.0.0.6", 0, "192.0.2.1", 0, 1};
    struct bed b;
    uint8_t p[200];
    (void)state;
    open_bed(&b);
    assert_int_equal(take(&b, &ways[0].to_balancer, ack), LB_STRAY);
    connect_way(&b, 0);
    struct flow f = ways[0].to_balancer;
    f.dport = 4001;
    assert_int_equal(take(&b, &f, ack), LB_STRAY);
    f = ways[0].to_balancer;
    f.sport = 443;
    assert_int_equal(take(&b, &f, ack), LB_STRAY);
    f = ways[0].to_balancer;
    f.dst = "192.0.2.9";
    assert_int_equal(take(&b, &f, ack), LB_STRAY);
    f = ways[0].to_balancer;
    f.src = "10.0.0.66"; /* no server of ours */
    assert_int_equal(take(&b, &f, ack), LB_NOT_SERVED);
    const struct pk_ip part = {
        .src = "10.0.0.66", .dst = "192.0.2.1", .proto = 6, .mf = 1};
    assert_int_equal(bed_take(&b, p, pk_ip(p, &part, packet, 80), 0),
                     LB_NOT_SERVED);
    f = ways[0].to_server;
    f.dst = "10.0.0.66";
    size_t n = make_error(p, "192.0.2.99", "192.0.2.1", &f, ack, 28, 3, 3, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_NOT_SERVED);
    const struct pk_ip ping = {
        .src = echo.src, .dst = echo.dst, .proto = 1, .df = 1};
    assert_int_equal(
        bed_take(&b, p, pk_icmp(p, &ping, 8, 0, 7, (const uint8_t *)"ping", 4),
                 0),
        LB_STRAY);
    assert_int_equal(b.n, 0);
    assert_int_equal(held(&b), 2);
    /* what was sent to everybody on the link is for nobody in particular */
    n = make(packet, &ways[0].to_balancer, &ack, 0);
    assert_int_equal(bed_take(&b, packet, n, TMTU_IO_L2_GROUP), LB_DROPPED);
    bed_dropped(&b, TMTU_R_L2_GROUP);
    bed_close(&b);
}

static void the_end_of_no_connection_begins_none(void **state)
{
    const struct rest stop = {.len = 100, .say = ABORT};
    const struct rest complete = {.len = 100, .say = 14};
    struct bed b;
    (void)state;
    open_bed(&b);
    assert_int_equal(take(&b, &ways[0].to_vip, rst), LB_NO_CONNECTION);
    assert_int_equal(take(&b, &ways[2].to_vip, stop), LB_NO_CONNECTION);
    assert_int_equal(take(&b, &ways[2].to_vip, complete), LB_NO_CONNECTION);
    assert_int_equal(b.n, 0);
    assert_int_equal(held(&b), 0);
    bed_close(&b);
}

static struct flow to_two_servers(uint16_t sport)
{
    const struct flow f = {"192.0.2.1", sport, "10.0.0.5", 443, 6};
    return f;
}

static void a_connection_keeps_its_server_whatever_the_weights(void **state)
{
    enum { N = 40, SERVICE = 7 };
    struct bed b;
    uint8_t first[N];
    unsigned got[2] = {0, 0};
    (void)state;
    open_with(&b, RULES, 1500, 256);
    for (uint16_t i = 0; i < N; i++) {
        const struct flow f = to_two_servers(i);
        assert_int_equal(take(&b, &f, syn), LB_FORWARDED);
        first[i] = b.out[0].p[19];
        got[first[i] - 7]++;
    }
    assert_true(got[0] > N / 4 && got[1] > N / 4);
    for (int all = 0; all < 2; all++) {
        reweigh(&b, SERVICE, 0, all ? 0 : 1);
        for (uint16_t i = 0; i < N; i++) {
            const struct flow f = to_two_servers(i);
            assert_int_equal(take(&b, &f, ack), LB_FORWARDED);
            assert_int_equal(b.out[0].p[19], first[i]);
        }
        for (uint16_t i = 0; i < N; i++) { /* new ones do not go there */
            const struct flow f =
                to_two_servers((uint16_t)(1000 + 1000 * all + i));
            assert_int_equal(take(&b, &f, syn),
                             all ? LB_NO_SERVER : LB_FORWARDED);
            if (!all)
                assert_int_equal(b.out[0].p[19], 8);
        }
    }
    /* begun anew: one of those that take some */
    reweigh(&b, SERVICE, 0, 1);
    uint16_t i = 0;
    while (first[i] != 7)
        i++;
    const struct flow f = to_two_servers(i);
    const struct flow old = {"10.0.0.7", 8443, "192.0.2.1", i, 6};
    const struct flow back = {"10.0.0.8", 8443, "192.0.2.1", i, 6};
    assert_int_equal(take(&b, &f, rst), LB_FORWARDED);
    assert_int_equal(b.out[0].p[19], 7);
    assert_int_equal(take(&b, &old, rst), LB_RETURNED);
    assert_int_equal(take(&b, &f, syn), LB_FORWARDED);
    assert_int_equal(b.out[0].p[19], 8);
    assert_int_equal(take(&b, &back, synack), LB_RETURNED);
    assert_int_equal(take(&b, &old, ack), LB_STRAY); /* its time is over */
    bed_close(&b);
}

static void a_service_of_every_port_keeps_the_port(void **state)
{
    const struct flow in = {"192.0.2.1", 4000, "10.0.0.9", 81, 6};
    const struct flow on = {"192.0.2.1", 4000, "10.0.0.7", 81, 6};
    const struct flow back = {"10.0.0.7", 81, "192.0.2.1", 4000, 6};
    const struct flow out = {"10.0.0.9", 81, "192.0.2.1", 4000, 6};
    struct bed b;
    uint8_t p[200], want[200];
    (void)state;
    open_bed(&b);
    assert_int_equal(take(&b, &in, syn), LB_FORWARDED);
    is(&b, &on, syn);
    assert_int_equal(take(&b, &back, ack), LB_RETURNED);
    is(&b, &out, ack);
    size_t n = make_error(p, "192.0.2.99", "10.0.0.9", &out, ack, 28, 3, 4, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_FORWARDED);
    n = make_error(want, "192.0.2.99", "10.0.0.7", &back, ack, 28, 3, 4, 1);
    assert_memory_equal(b.out[0].p, want, n);
    bed_close(&b);
}

/* Two services, one port of one server: the server could not tell them apart,
 * and its answers would be anybody's guess. */
static void the_same_client_by_two_services_to_one_port(void **state)
{
    const struct flow other = {"192.0.2.1", 4000, "10.0.0.4", 80, 6};
    const struct flow out = {"10.0.0.4", 80, "192.0.2.1", 4000, 6};
    struct bed b;
    (void)state;
    open_bed(&b);
    connect_way(&b, 0);
    assert_int_equal(take(&b, &other, syn), LB_TAKEN);
    assert_int_equal(b.n, 0);
    assert_int_equal(held(&b), 2);
    assert_int_equal(take(&b, &ways[0].to_balancer, ack), LB_RETURNED);
    is(&b, &ways[0].to_client, ack);
    /* the first one has ended: its ports may be used again */
    assert_int_equal(take(&b, &ways[0].to_vip, fin), LB_FORWARDED);
    assert_int_equal(take(&b, &other, syn), LB_FORWARDED);
    is(&b, &ways[0].to_server, syn);
    assert_int_equal(take(&b, &ways[0].to_balancer, synack), LB_RETURNED);
    is(&b, &out, synack);
    /* and what comes late of it does not take them back */
    assert_int_equal(take(&b, &ways[0].to_vip, ack), LB_TAKEN);
    assert_int_equal(take(&b, &ways[0].to_balancer, ack), LB_RETURNED);
    is(&b, &out, ack);
    bed_close(&b);
}

static struct flow client(uint32_t i, char text[INET_ADDRSTRLEN])
{
    const struct flow f = {text, (uint16_t)(1024 + i % 60000), "10.0.0.2", 443,
                           6};
    snprintf(text, INET_ADDRSTRLEN, "192.0.%u.%u", (unsigned)(i / 60000) + 3,
             (unsigned)(i % 250) + 1);
    return f;
}

/* The server's answer to that. */
static struct flow answer(const struct flow *f)
{
    const struct flow back = {"10.0.0.6", 8443, f->src, f->sport, 6};
    return back;
}

static void a_flood_of_syn_pushes_out_no_open_connection(void **state)
{
    enum { OPEN = 100, FLOOD = 20000 };
    struct bed b;
    char text[INET_ADDRSTRLEN];
    (void)state;
    open_with(&b, RULES, 1500, 2 * OPEN);
    const struct rest small = {.df = 1, .len = 40};
    const struct rest data = {.df = 1, .len = 40, .say = ACK};
    const struct rest reply = {.df = 1, .len = 40, .say = SYN | ACK};
    for (uint32_t i = 0; i < OPEN; i++) {
        const struct flow f = client(i, text), back = answer(&f);
        assert_int_equal(take(&b, &f, small), LB_FORWARDED);
        assert_int_equal(take(&b, &back, data), LB_RETURNED);
    }
    for (uint32_t i = 0; i < FLOOD; i++) { /* and the server answers each */
        const struct flow f = client(1000 + i, text), back = answer(&f);
        b.now += S / 10000;
        assert_int_equal(take(&b, &f, small), LB_FORWARDED);
        (void)take(&b, &back, reply);
    }
    for (uint32_t i = 0; i < OPEN; i++) {
        const struct flow f = client(i, text), back = answer(&f);
        assert_int_equal(take(&b, &back, data), LB_RETURNED);
        assert_int_equal(take(&b, &f, data), LB_FORWARDED);
    }
    const struct tmtu_flows_counters *n = tmtu_flows_counters(b.lb.conns.flows);
    assert_int_equal(n->confirmed, 2 * OPEN);
    assert_true(n->evicted > FLOOD);
    assert_int_equal(b.lb.counters.fate[LB_TABLE_FULL], 0);
    bed_close(&b);
}

/* As many open connections as asked for have room; more than there are places
 * have not, and what is refused leaves nothing behind. */
static void a_full_table_has_a_name(void **state)
{
    enum { N = 1000, MORE = 3000 };
    struct bed b;
    char text[INET_ADDRSTRLEN];
    unsigned full = 0;
    (void)state;
    open_with(&b, RULES, 1500, N);
    const struct rest small = {.df = 1, .len = 40};
    const struct rest data = {.df = 1, .len = 40, .say = ACK};
    for (uint32_t i = 0; i < MORE; i++) {
        const struct flow f = client(i, text), back = answer(&f);
        if (take(&b, &f, small) == LB_TABLE_FULL) {
            assert_true(i >= N);
            assert_int_equal(b.n, 0);
            assert_int_equal(take(&b, &back, data), LB_STRAY);
            full++;
            continue;
        }
        assert_int_equal(b.lb.note.fate, LB_FORWARDED);
        assert_int_equal(take(&b, &back, data), LB_RETURNED);
    }
    assert_true(full > 0);
    assert_int_equal(b.lb.counters.fate[LB_TABLE_FULL], full);
    const struct tmtu_flows_counters *n = tmtu_flows_counters(b.lb.conns.flows);
    assert_int_equal(n->confirmed, n->held);
    assert_int_equal(n->held, 2 * (MORE - full));
    /* time makes room, and what is swept is gone */
    b.now += 901 * S;
    uint8_t room[TMTU_IO_PACKET];
    for (unsigned i = 0; i < 100; i++) {
        struct tmtu_buf out = tmtu_buf(room, sizeof room, TMTU_IO_HEADROOM);
        assert_int_equal(lb_expire(&b.lb, b.now, &out), 0);
    }
    assert_int_equal(held(&b), 0);
    bed_close(&b);
}

static void K29_super_packets_are_readdressed_segment_by_segment(void **state)
{
    struct bed b;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(ways); i += 3) {
        const size_t head = i == 3 ? 60 : 40;
        open_bed(&b);
        connect_way(&b, i);
        for (int out = 0; out < 2; out++) {
            const struct flow *const from =
                out ? &ways[i].to_balancer : &ways[i].to_vip;
            const struct flow *const to =
                out ? &ways[i].to_client : &ways[i].to_server;
            const struct rest r = {.df = 1, .len = head + 3000, .say = ACK};
            uint8_t addrs[32];
            b.gso_size = 1400;
            assert_int_equal(take(&b, from, r),
                             out ? LB_RETURNED : LB_FORWARDED);
            assert_int_equal(b.n, 3);
            const size_t n = pk_addr(addrs, to->src);
            pk_addr(addrs + n, to->dst);
            for (size_t k = 0; k < 3; k++) {
                const uint8_t *p = b.out[k].p, *l4 = p + head - 20;
                const struct pk_ip ip = {
                    .src = to->src, .dst = to->dst, .proto = 6};
                assert_int_equal(b.out[k].n, head + (k < 2 ? 1400 : 200));
                assert_memory_equal(p + (i == 3 ? 8 : 12), addrs, 2 * n);
                assert_int_equal(tmtu_get16(l4), to->sport);
                assert_int_equal(tmtu_get16(l4 + 2), to->dport);
                assert_int_equal(pk_sum(&ip, l4, b.out[k].n - head + 20), 0);
                assert_int_equal(p[i == 3 ? 7 : 8], 63);
                assert_memory_equal(p + head, packet + head + 1400 * k,
                                    b.out[k].n - head);
            }
            b.gso_size = 1461; /* longer than the link is, each of them */
            assert_int_equal(take(&b, from, r), LB_DROPPED);
            assert_int_equal(b.n, 1);
            b.gso_size = 0;
        }
        bed_close(&b);
    }
}

/* An IPv6 error that does not fit is no packet to be cut, nor to be answered;
 * an IPv4 one is cut. */
static void errors_that_do_not_fit(void **state)
{
    struct bed b;
    uint8_t p[2000];
    const struct rest big = {.len = 1480, .say = ACK};
    (void)state;
    open_with(&b, RULES, 1280, 64);
    connect_way(&b, 0);
    connect_way(&b, 3);
    size_t n = make_error(p, "192.0.2.99", "10.0.0.2", &ways[0].to_client, big,
                          1400, 3, 3, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_FORWARDED);
    assert_int_equal(b.n, 2);
    n = make_error(p, "2001:db8:9::1", "2001:db8::2", &ways[3].to_client, big,
                   1400, 1, 4, 0);
    assert_int_equal(bed_take(&b, p, n, 0), LB_DROPPED);
    bed_dropped(&b, TMTU_R_TOO_BIG_ERROR);
    p[7] = 1;
    assert_int_equal(bed_take(&b, p, n, 0), LB_DROPPED);
    bed_dropped(&b, TMTU_R_TTL_EXPIRED);
    assert_int_equal(b.lb.note.unanswered, TMTU_R_ABOUT_ERROR);
    bed_close(&b);
}

static void what_cannot_be_readdressed_is_named(void **state)
{
    struct bed b;
    uint8_t p[200];
    const struct rest r = {.len = 100};
    (void)state;
    open_bed(&b);
    /* a TCP packet behind a routing header that has a segment left */
    const size_t n = make(p, &ways[3].to_vip, &r, 0);
    memmove(p + 64, p + 40, n - 40);
    memset(p + 40, 0, 24);
    p[6] = 43;
    p[40] = 6;
    p[41] = 2;
    p[43] = 1;
    pk16(p + 4, n - 40 + 24);
    assert_int_equal(bed_take(&b, p, n + 24, 0), LB_DROPPED);
    bed_dropped(&b, TMTU_R_UNSUPPORTED);
    assert_int_equal(held(&b), 0);
    bed_close(&b);
}

/* Tunnels and readdressing, side by side in one service. */
static void a_service_may_have_both(void **state)
{
    static const char rules[] = "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                                "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -m\n"
                                "-a -t 10.0.0.2:443 -r 10.0.0.7 -i\n";
    struct bed b;
    unsigned got[2] = {0, 0};
    (void)state;
    bed_open_with(&b, rules, bed_config(TMTU_MTU_NOTIFY));
    for (uint16_t i = 0; i < 64; i++) {
        struct flow f = ways[0].to_vip;
        f.sport = (uint16_t)(5000 + i);
        assert_int_equal(take(&b, &f, syn), LB_FORWARDED);
        const int tunnel = b.out[0].p[9] == 4;
        got[tunnel]++;
        assert_string_equal(bed_dst(&b, 0), tunnel ? "10.0.0.7" : "10.0.0.6");
        assert_int_equal(b.out[0].n, tunnel ? 120 : 100);
        f = ways[0].to_balancer;
        f.dport = (uint16_t)(5000 + i);
        assert_int_equal(take(&b, &f, synack), tunnel ? LB_STRAY : LB_RETURNED);
    }
    assert_true(got[0] > 16 && got[1] > 16);
    bed_close(&b);
}

static void what_is_wrong_is_told_by_line(void **state)
{
    static const struct {
        const char *text, *said;
        uint32_t mtu;
    } rows[] = {
        {"-A -t 10.0.0.2:443 -s mh\n-a -t 10.0.0.2:443 -r [2001:db8::6] -m\n",
         "r:2: masquerading (-m) keeps the family, expected a real server with "
         "an address of the service's family, or -i\n",
         1500},
        {"-A -t [2001:db8::2]:443 -s mh\n"
         "-a -t [2001:db8::2]:443 -r 10.0.0.6 -m\n",
         "r:2: masquerading (-m) keeps the family, expected a real server with "
         "an address of the service's family, or -i\n",
         1500},
        {"-A -t 10.0.0.2:443 -s mh\n-a -t 10.0.0.2:443 -r 10.0.0.2 -m\n",
         "r:2: the real server has the address of a service: its packets would "
         "come back\n",
         1500},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct services_config c = bed_config(TMTU_MTU_NOTIFY);
        struct rules rules;
        struct services services;
        char *said = NULL;
        size_t size;
        FILE *in = fmemopen((void *)(uintptr_t)rows[i].text,
                            strlen(rows[i].text), "r");
        FILE *say = open_memstream(&said, &size);
        assert_int_equal(rules_read(&rules, in, "r", say), 0);
        assert_int_equal(services_build(&services, &rules, &c, "r", say), 1);
        fclose(in);
        fclose(say);
        assert_string_equal(said, rows[i].said);
        free(said);
        rules_free(&rules);
        services_free(&services);
    }
}

static uint64_t fingerprint_of(const char *rules)
{
    struct bed b;
    bed_open_with(&b, rules, bed_config(TMTU_MTU_NOTIFY));
    const uint64_t fingerprint = b.services.rules_fingerprint;
    bed_close(&b);
    return fingerprint;
}

/* Placed as in tunnels; only another port than the service's makes another
 * server. */
static void ports_of_a_host_are_servers_of_their_own(void **state)
{
#define A "-A -t 10.0.0.2:443 -s mh -b mh-port\n-a -t 10.0.0.2:443 -r 10.0.0.6"
#define B "-a -t 10.0.0.2:443 -r 10.0.0.6"
    struct bed b;
    unsigned got[2] = {0, 0};
    (void)state;
    assert_true(fingerprint_of(A " -m\n") == fingerprint_of(A " -i\n"));
    assert_true(fingerprint_of(A ":443 -m\n") == fingerprint_of(A " -i\n"));
    assert_false(fingerprint_of(A ":444 -m\n") == fingerprint_of(A " -i\n"));
    assert_false(fingerprint_of(A ":444 -m\n") ==
                 fingerprint_of(A ":445 -m\n"));

    bed_open_with(&b, A ":8443 -m\n" B ":8444 -m\n" B " -i\n",
                  bed_config(TMTU_MTU_NOTIFY));
    for (uint16_t i = 0; i < 60; i++) {
        struct flow f = ways[0].to_vip;
        f.sport = (uint16_t)(5000 + i);
        assert_int_equal(take(&b, &f, syn), LB_FORWARDED);
        const uint8_t *p = b.out[0].p;
        if (p[9] == 4)
            continue;
        const uint16_t port = tmtu_get16(p + 22);
        assert_in_range(port, 8443, 8444);
        got[port - 8443]++;
        const struct flow back = {"10.0.0.6", port, "192.0.2.1", f.sport, 6};
        const struct flow out = {"10.0.0.2", 443, "192.0.2.1", f.sport, 6};
        assert_int_equal(take(&b, &back, synack), LB_RETURNED);
        is(&b, &out, synack);
    }
    assert_true(got[0] > 8 && got[1] > 8 && got[0] + got[1] < 52);
    bed_close(&b);
#undef A
#undef B
}

static void the_mtu_has_a_floor_for_each_family(void **state)
{
    struct bed b;
    (void)state;
    open_bed(&b);
    assert_true(services_set_mtu(&b.services, 1280));
    assert_false(services_set_mtu(&b.services, 1279));
    bed_close(&b);
    open_with(&b,
              "-A -t 10.0.0.2:443 -s mh\n-a -t 10.0.0.2:443 -r 10.0.0.6 -m\n",
              1500, 1);
    assert_true(services_set_mtu(&b.services, 68));
    assert_false(services_set_mtu(&b.services, 67));
    bed_close(&b);
}

/* Bytes of an open connection, one after the other another one, or gone. */
static void every_byte_and_every_cut_is_survived(void **state)
{
    struct bed b;
    uint8_t p[2000];
    (void)state;
    open_bed(&b);
    for (size_t i = 0; i < TEST_ROWS(ways); i++)
        connect_way(&b, i);
    for (size_t i = 0; i < 4 * TEST_ROWS(ways); i++) {
        const size_t w = i / 4;
        const int v6 = w >= 3;
        const char *router = v6 ? "2001:db8:9::1" : "192.0.2.99";
        const struct rest r = {.len = 120, .say = ACK};
        size_t n;
        if (i % 4 == 0)
            n = make(p, &ways[w].to_vip, &r, 0);
        else if (i % 4 == 1)
            n = make(p, &ways[w].to_balancer, &r, 0);
        else if (i % 4 == 2)
            n = make_error(p, router, ways[w].to_vip.dst, &ways[w].to_client, r,
                           100, v6 ? 2 : 3, v6 ? 0 : 4, 0);
        else
            n = make_error(p, router, ways[w].to_vip.src, &ways[w].to_server, r,
                           100, v6 ? 2 : 3, v6 ? 0 : 4, 0);
        for (size_t k = 0; k < n; k++) {
            static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
            const uint8_t was = p[k];
            for (size_t v = 0; v < TEST_ROWS(values); v++) {
                p[k] = values[v];
                (void)bed_take(&b, p, n, 0);
            }
            p[k] = was;
            (void)bed_take(&b, p, k, 0);
        }
    }
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(K89_there_and_back_with_other_addresses_and_ports),
        cmocka_unit_test(a_udp_checksum_of_zero_stays_zero),
        cmocka_unit_test(K7_K61_too_big_is_told_on_both_sides),
        cmocka_unit_test(K35_time_exceeded_is_told_on_both_sides),
        cmocka_unit_test(what_may_be_cut_is_cut_on_both_sides),
        cmocka_unit_test(K28_fragments_are_put_together_and_leave_no_longer),
        cmocka_unit_test(fragments_that_wait_in_vain_are_told_of_by_the_vip),
        cmocka_unit_test(K89_R_5508_05_errors_for_the_vip_become_the_servers),
        cmocka_unit_test(R_5508_06_errors_for_a_client_come_from_the_vip),
        cmocka_unit_test(
            R_5508_07_R_5382_01_errors_begin_renew_and_end_nothing),
        cmocka_unit_test(errors_that_are_not_altered),
        cmocka_unit_test(states_have_their_times),
        cmocka_unit_test(half_a_connection_is_made_whole),
        cmocka_unit_test(strays_are_left_alone),
        cmocka_unit_test(the_end_of_no_connection_begins_none),
        cmocka_unit_test(a_connection_keeps_its_server_whatever_the_weights),
        cmocka_unit_test(a_service_of_every_port_keeps_the_port),
        cmocka_unit_test(the_same_client_by_two_services_to_one_port),
        cmocka_unit_test(a_flood_of_syn_pushes_out_no_open_connection),
        cmocka_unit_test(a_full_table_has_a_name),
        cmocka_unit_test(K29_super_packets_are_readdressed_segment_by_segment),
        cmocka_unit_test(errors_that_do_not_fit),
        cmocka_unit_test(what_cannot_be_readdressed_is_named),
        cmocka_unit_test(a_service_may_have_both),
        cmocka_unit_test(what_is_wrong_is_told_by_line),
        cmocka_unit_test(ports_of_a_host_are_servers_of_their_own),
        cmocka_unit_test(the_mtu_has_a_floor_for_each_family),
        cmocka_unit_test(every_byte_and_every_cut_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

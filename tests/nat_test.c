/* SPDX-License-Identifier: MIT */
/* Addresses and ports rewritten, against vectors, and against packets that are
 * made anew for the other ends with slow checksums. */
#include "tmtu_packet.h"

#include <tunmtu/nat.h>

#include "vectors/vectors.h"

enum { TCP = 6, UDP = 17, DCCP = 33, SCTP = 132, LITE = 136, ESP = 50 };
enum { ECHO = 1, ECHO6 = 58, ROOM = 2048, LONG = 65535 };

/* ---- made to measure ---- */

/* One end of a flow, in words. */
struct end {
    const char *addr;
    uint16_t port;
};

/* Client, virtual address, server; a router of either side. */
static const struct end client[] = {{"192.0.2.10", 40000},
                                    {"2001:db8:1::10", 40000}};
static const struct end vip[] = {{"198.51.100.20", 443},
                                 {"2001:db8:2::20", 443}};
static const struct end rs[] = {{"10.0.0.6", 8443}, {"fd00::6", 8443}};
static const struct end router[] = {{"203.0.113.129", 0},
                                    {"2001:db8:ffff::1", 0}};

/* What a packet is like besides its ends. */
struct like {
    const char *name;
    const char *options;        /* IPv4: hexadecimal; IPv6: extension headers */
    uint8_t ipver, proto, next; /* next: IPv6's first, 0: proto */
    uint16_t frag;              /* IPv4 flags and offset */
    size_t data;                /* bytes behind the transport header */
    int no_check;               /* 0 in place of a checksum */
};

/* CRC32c a bit at a time (RFC 9260 Appendix A). */
static uint32_t crc32c(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n * 8; i++) {
        crc ^= (uint32_t)p[i / 8] >> i % 8 & 1u;
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

static int is_echo(const struct like *like)
{
    return like->proto == (like->ipver == 4 ? ECHO : ECHO6);
}

static size_t l4_size(uint8_t proto)
{
    return proto == TCP ? 20 : proto == SCTP ? 12 : proto == DCCP ? 16 : 8;
}

static size_t check_at(uint8_t proto)
{
    return proto == TCP ? 16 : proto == ECHO || proto == ECHO6 ? 2 : 6;
}

static uint16_t l4_check(const uint8_t *ip, size_t at, size_t n, uint8_t proto)
{
    uint8_t all[ROOM + 64] = {0};
    const size_t addr = ip[0] >> 4 == 4 ? 12 : 8,
                 pair = ip[0] >> 4 == 4 ? 8 : 32;
    const size_t front = proto == ECHO ? 0 : pair + 8;
    if (front != 0) {
        memcpy(all, ip + addr, pair);
        tmtu_put32(all + pair, (uint32_t)(n - at));
        all[pair + 7] = proto;
    }
    memcpy(all + front, ip + at, n - at);
    return test_cksum(all, front + n - at);
}

/* Writes the packet at `p`, all checksums right; returns its length. */
static size_t make(uint8_t *p, const struct like *like, struct end src,
                   struct end dst)
{
    uint8_t a[16], b[16];
    const size_t fixed = like->ipver == 4 ? 20 : 40;
    test_addr(src.addr, a);
    test_addr(dst.addr, b);
    memset(p, 0, fixed);
    const size_t l4 =
        fixed + (like->options ? test_hex(like->options, p + fixed, 64) : 0);
    const size_t n = l4 + l4_size(like->proto) + like->data;
    assert_true(n <= LONG && (like->proto == SCTP || n <= ROOM));
    for (size_t i = l4; i < n; i++)
        p[i] = (uint8_t)(i * 7 + 1);
    if (like->ipver == 4) {
        tmtu_put32(p, 0x40000000u | (uint32_t)l4 << 22 | (uint32_t)n);
        tmtu_put32(p + 4, 0xbeef0000u | like->frag);
        p[8] = 61;
        p[9] = like->proto;
        memcpy(p + 12, a + 12, 4);
        memcpy(p + 16, b + 12, 4);
        tmtu_put16(p + 10, test_cksum(p, l4));
    } else {
        tmtu_put32(p, 0x600abcdeu);
        tmtu_put16(p + 4, (uint16_t)(n - 40));
        p[6] = like->next ? like->next : like->proto;
        p[7] = 61;
        memcpy(p + 8, a, 16);
        memcpy(p + 24, b, 16);
    }
    uint8_t *t = p + l4;
    if (like->proto == ESP || (like->frag & 0x1fff) ||
        like->proto == (like->ipver == 4 ? ECHO6 : ECHO))
        return n;
    if (is_echo(like)) {
        tmtu_put32(t, like->proto == ECHO ? 0x08000000u : 0x80000000u);
        tmtu_put16(t + 4, src.port);
    } else {
        tmtu_put16(t, src.port);
        tmtu_put16(t + 2, dst.port);
    }
    if (like->proto == TCP)
        t[12] = 0x50;
    if (like->proto == UDP || like->proto == LITE)
        tmtu_put16(t + 4, (uint16_t)(n - l4)); /* LITE: all is covered */
    if (like->proto == SCTP) {
        tmtu_put32(t + 8, 0);
        const uint32_t crc = crc32c(t, n - l4);
        for (int i = 0; i < 4 && !like->no_check; i++)
            t[8 + i] = (uint8_t)(crc >> 8 * i);
        return n;
    }
    uint8_t *check = t + check_at(like->proto);
    tmtu_put16(check, 0);
    uint16_t sum = l4_check(p, l4, n, like->proto);
    if (sum == 0 && (like->proto == UDP || like->proto == LITE))
        sum = 0xffff;
    tmtu_put16(check, like->no_check ? 0 : sum);
    return n;
}

/* An error about the packet at `quote`, of which `n` bytes are quoted. */
static size_t make_error(uint8_t *p, uint8_t ipver, struct end src,
                         struct end dst, const uint8_t *quote, size_t n)
{
    struct like like = {0};
    like.ipver = ipver;
    like.proto = ipver == 4 ? ECHO : ECHO6;
    like.data = n;
    const size_t l4 = ipver == 4 ? 20 : 40;
    const size_t len = make(p, &like, src, dst);
    tmtu_put32(p + l4, ipver == 4 ? 0x03040000u : 0x02000000u);
    tmtu_put32(p + l4 + 4, 1400);
    memcpy(p + l4 + 8, quote, n);
    tmtu_put16(p + l4 + 2, l4_check(p, l4, len, like.proto));
    return len;
}

static struct tmtu_nat nat_of(struct end from, struct end to, int side)
{
    struct tmtu_nat nat = TMTU_NAT_INIT;
    test_addr(from.addr, nat.from.addr);
    test_addr(to.addr, nat.to.addr);
    nat.from.port = from.port;
    nat.to.port = to.port;
    nat.side = (uint8_t)side;
    return nat;
}

static struct tmtu_pkt parsed(const struct tmtu_buf *b)
{
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(b), 0, &pkt), 0);
    return pkt;
}

/* The value that follows is what parsing anew gives. */
static void follows(const struct tmtu_buf *b, const struct tmtu_pkt *pkt)
{
    const struct tmtu_pkt again = parsed(b);
    assert_true(tmtu_flow_equal(&pkt->flow, &again.flow));
}

/* Rewrites `before`, and wants `after`; then there and back. */
static void packet_becomes(const uint8_t *before, const uint8_t *after,
                           size_t n, const struct tmtu_nat *nat)
{
    struct tmtu_buf b = test_buf(before, n, 0, 0);
    struct tmtu_pkt pkt = parsed(&b);
    assert_int_equal(tmtu_nat_packet(&b, &pkt, nat), 0);
    assert_memory_equal(b.data, after, n);
    follows(&b, &pkt);
    const struct tmtu_nat back = tmtu_nat_reverse(nat);
    struct tmtu_nat there = tmtu_nat_reverse(&back);
    assert_memory_equal(&there.from, &nat->from, sizeof there.from);
    there = back;
    there.side = nat->side; /* the same packet again, not its answer */
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &there), 0);
    assert_memory_equal(b.data, before, n);
    free(b.head);
}

static size_t vector(const char *name, uint8_t *out, size_t room)
{
    for (size_t i = 0; i < TEST_ROWS(vectors); i++)
        if (strcmp(vectors[i].name, name) == 0)
            return test_hex(vectors[i].hex, out, room);
    fail_msg("no vector %s", name);
    return 0;
}

/* ---- packets ---- */

static void r_768_03_v7_zero_stays_and_computed_zero_is_ffff(void **state)
{
    (void)state;
    uint8_t before[64], after[64];
    size_t n = vector("V7.a_zero_before", before, sizeof before);
    assert_int_equal(vector("V7.a_zero_after_nat", after, sizeof after), n);
    const struct end inside = {"192.0.2.10", 5000},
                     outside = {"203.0.113.77", 61000};
    struct tmtu_nat nat = nat_of(inside, outside, TMTU_NAT_SRC);
    packet_becomes(before, after, n, &nat);

    n = vector("V7.c_before", before, sizeof before);
    assert_int_equal(vector("V7.c_after", after, sizeof after), n);
    const struct end other = {"192.0.2.10", 39172};
    nat = nat_of(inside, other, TMTU_NAT_SRC);
    packet_becomes(before, after, n, &nat);

    n = vector("V7.d_ipv6_zero", before, sizeof before); /* RFC 6935 */
    memcpy(after, before, n);
    after[8] = 0xfd;
    const struct end six = {"2001:db8:ffff::1", 0},
                     its = {"fd01:db8:ffff::1", 0};
    nat = nat_of(six, its, TMTU_NAT_SRC);
    nat.flags = 0;
    packet_becomes(before, after, n, &nat);
}

#define V4(name, options, proto, frag, data, none)                             \
    {                                                                          \
        name, options, 4, proto, 0, frag, data, none                           \
    }
#define V6(name, headers, next, proto, data)                                   \
    {                                                                          \
        name, headers, 6, proto, next, 0, data, 0                              \
    }
static const struct like packets[] = {
    V4("TCP", NULL, TCP, 0x4000, 40, 0),
    V4("TCP without data", NULL, TCP, 0, 0, 0),
    V4("K91 TCP of odd length", NULL, TCP, 0, 41, 0),
    V4("TCP behind IP options", "0101010183040401", TCP, 0, 9, 0),
    V4("UDP", NULL, UDP, 0, 13, 0),
    V4("R-768-03 R-LIB-13 UDP without a checksum", NULL, UDP, 0, 13, 1),
    V4("UDP-Lite", NULL, LITE, 0, 8, 0),
    V4("DCCP", NULL, DCCP, 0, 4, 0),
    V4("echo", NULL, ECHO, 0, 56, 0),
    V4("SCTP", NULL, SCTP, 0, 20, 0),
    V4("SCTP of 1473 bytes", NULL, SCTP, 0, 1461, 0),
    V4("SCTP, one byte of data", NULL, SCTP, 0, 1, 0),
    V4("SCTP of nothing", NULL, SCTP, 0, 0, 0),
    V4("RFC 9653 SCTP without a checksum", NULL, SCTP, 0, 20, 1),
    V4("K92 ESP: addresses only", NULL, ESP, 0, 40, 0),
    V4("ICMPv6 over IPv4, which is nothing", NULL, ECHO6, 0, 40, 0),
    V4("first fragment of TCP", NULL, TCP, 0x2000, 28, 0),
    V4("first fragment of UDP", NULL, UDP, 0x2000, 16, 0),
    V4("later fragment of TCP", NULL, TCP, 0x00b9, 40, 0),
    V4("later fragment of SCTP", NULL, SCTP, 0x00b9, 20, 0),
    V4("middle fragment of echo", NULL, ECHO, 0x20b9, 16, 0),
    V6("TCP over IPv6", NULL, 0, TCP, 40),
    V6("UDP over IPv6, odd", NULL, 0, UDP, 13),
    V6("UDP-Lite over IPv6", NULL, 0, LITE, 13),
    V6("DCCP over IPv6", NULL, 0, DCCP, 0),
    V6("SCTP over IPv6", NULL, 0, SCTP, 33),
    V6("ICMPv6 echo", NULL, 0, ECHO6, 57),
    V6("ICMPv4 over IPv6, which is nothing", NULL, 0, ECHO, 9),
    V6("ESP over IPv6", NULL, 0, ESP, 8),
    V6("TCP behind hop-by-hop of 16 bytes", "06010104000000000000000000000000",
       0xff, TCP, 1),
    V6("TCP behind destination options", "0600010400000000", 60, TCP, 1),
    V6("UDP behind a routing header at its end", "1100040000000000", 43, UDP,
       1),
    V6("UDP in an atomic fragment", "11000000deadbeef", 44, UDP, 5),
    V6("TCP in a first fragment", "06000001deadbeef", 44, TCP, 4),
    V6("UDP in a first fragment", "11000001deadbeef", 44, UDP, 8),
};

static void packets_are_as_if_made_for_the_other_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(packets); i++) {
        struct like like = packets[i];
        const unsigned v = like.ipver == 6;
        uint8_t before[ROOM], after[ROOM];
        print_message("  %s\n", like.name);
        if (like.next == 0xff)
            like.next = 0; /* hop-by-hop is 0: patched below */
        const int hop = packets[i].next == 0xff;
        const int echo = is_echo(&like);
        for (int back = 0; back < 2; back++) {
            /* An echo has one identifier, which both ends share. */
            struct end from = back ? rs[v] : vip[v], to = back ? vip[v] : rs[v];
            struct end peer = client[v], peer2 = client[v];
            if (echo) {
                peer.port = from.port;
                peer2.port = to.port;
            }
            size_t n, m;
            if (back) {
                n = make(before, &like, from, peer);
                m = make(after, &like, to, peer2);
            } else {
                n = make(before, &like, peer, from);
                m = make(after, &like, peer2, to);
            }
            assert_int_equal(n, m);
            if (hop)
                before[6] = after[6] = 0;
            const struct tmtu_nat nat =
                nat_of(from, to, back ? TMTU_NAT_SRC : TMTU_NAT_DST);
            packet_becomes(before, after, n, &nat);
        }
    }
}

/* Each of 65536 ports, one of which makes the sum zero. */
static void r_1624_01_every_port_gives_the_checksum_made_anew(void **state)
{
    (void)state;
    static const uint8_t protos[] = {TCP, UDP};
    for (size_t k = 0; k < 2; k++) {
        struct like like = {"", NULL, 4, protos[k], 0, 0, 3, 0};
        uint8_t p[64], want[64];
        const size_t n = make(p, &like, client[0], vip[0]);
        struct tmtu_buf b = test_buf(p, n, 0, 0);
        struct tmtu_pkt pkt = parsed(&b);
        struct end at = vip[0];
        unsigned zeros = 0;
        for (unsigned port = 1; port < 65536; port++) {
            struct end to = {"10.0.0.6", (uint16_t)port};
            const struct tmtu_nat nat = nat_of(at, to, TMTU_NAT_DST);
            assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), 0);
            make(want, &like, client[0], to);
            if (memcmp(b.data, want, n) != 0)
                fail_msg("protocol %u, port %u", protos[k], port);
            zeros += tmtu_get16(want + 20 + check_at(protos[k])) ==
                     (protos[k] == UDP ? 0xffff : 0);
            at = to;
        }
        assert_int_equal(zeros, 1);
        free(b.head);
    }
}

/* 65515 bytes, over which the ports are carried into the CRC. */
static void crcs_of_the_longest_packets_follow(void **state)
{
    (void)state;
    static uint8_t p[LONG], want[LONG];
    const struct like like = V4("", NULL, SCTP, 0, LONG - 32, 0);
    assert_int_equal(make(p, &like, client[0], vip[0]), LONG);
    make(want, &like, client[0], rs[0]);
    const struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
    packet_becomes(p, want, LONG, &nat);
}

static void basic_nat_leaves_ports_alone(void **state)
{
    (void)state;
    const struct like like = {"", NULL, 4, TCP, 0, 0, 3, 0};
    uint8_t p[64], want[64];
    struct end to = rs[0];
    to.port = vip[0].port;
    const size_t n = make(p, &like, client[0], vip[0]);
    make(want, &like, client[0], to);
    to.port = 9;
    struct tmtu_nat nat = nat_of(vip[0], to, TMTU_NAT_DST);
    nat.from.port = 7; /* not looked at */
    nat.flags = 0;
    packet_becomes(p, want, n, &nat);
}

/* A wrong checksum is for the receiver to see. */
static void what_was_wrong_stays_wrong(void **state)
{
    (void)state;
    static const uint8_t protos[] = {TCP, UDP, SCTP};
    for (size_t k = 0; k < 3; k++) {
        const struct like like = {"", NULL, 4, protos[k], 0, 0, 3, 0};
        uint8_t p[64], want[64];
        const size_t n = make(p, &like, client[0], vip[0]);
        make(want, &like, client[0], rs[0]);
        p[n - 1] ^= 1;
        want[n - 1] ^= 1;
        const struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
        packet_becomes(p, want, n, &nat);
    }
}

/* ---- errors ---- */

static void error_becomes(const uint8_t *before, const uint8_t *after, size_t n,
                          const struct tmtu_nat *nat)
{
    struct tmtu_buf b = test_buf(before, n, 0, 0);
    struct tmtu_pkt pkt = parsed(&b), pkt2;
    struct tmtu_icmp icmp, again;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, nat), 0);
    assert_memory_equal(b.data, after, n);
    follows(&b, &pkt);
    pkt2 = parsed(&b);
    assert_int_equal(tmtu_icmp_parse(&pkt2, &again), 0);
    assert_true(tmtu_flow_equal(&icmp.quoted.flow, &again.quoted.flow));
    free(b.head);
}

static void r_5508_05_v11_comes_out_byte_by_byte(void **state)
{
    (void)state;
    uint8_t before[80], after[80];
    const size_t n = vector("V11.before", before, sizeof before);
    assert_int_equal(vector("V11.after", after, sizeof after), n);
    const struct end outside = {"203.0.113.77", 61000},
                     inside = {"192.0.2.10", 40000};
    const struct tmtu_nat nat = nat_of(outside, inside, TMTU_NAT_DST);
    struct tmtu_buf b = test_buf(before, n, 0, 0);
    struct tmtu_pkt pkt = parsed(&b);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &nat), 0);
    assert_int_equal(tmtu_ip_hop(&b, &pkt), 0);
    assert_memory_equal(b.data, after, n);
    assert_int_equal(icmp.info, 1400);                   /* R-LIB-11 */
    assert_int_equal(tmtu_ip_transport_verify(&pkt), 0); /* R-LIB-14 */
    free(b.head);
}

/* The packet that an error quotes: coming in it is the server's, going out the
 * client's. */
static size_t make_quoted(uint8_t *p, const struct like *like, int out,
                          struct end end, struct end peer)
{
    return out ? make(p, like, peer, end) : make(p, like, end, peer);
}

static size_t make_about(uint8_t *p, uint8_t ipver, int out, struct end end,
                         const uint8_t *quote, size_t n)
{
    const unsigned v = ipver == 6;
    return out ? make_error(p, ipver, end, client[v], quote, n)
               : make_error(p, ipver, router[v], end, quote, n);
}

/* Both directions, with every length of quote from the IP header on: what is
 * there of a packet that is made anew for the other ends. */
static void k89_r_lib_12_errors_quote_what_was_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * TEST_ROWS(packets); i++) {
        const struct like like = packets[i / 2];
        const int out = i % 2, echo = is_echo(&like);
        const unsigned v = like.ipver == 6;
        if (like.next == 0xff || like.data > 100)
            continue;
        const struct end from = out ? rs[v] : vip[v], to = out ? vip[v] : rs[v];
        struct end old = to, peer = client[v], peer2 = client[v];
        old.port = from.port;
        if (echo) { /* one identifier, which both ends share */
            peer.port = from.port;
            peer2.port = to.port;
        }
        uint8_t q[ROOM], q2[ROOM], q3[ROOM], want[ROOM];
        uint8_t before[ROOM], after[ROOM];
        const size_t n = make_quoted(q, &like, out, from, peer);
        make_quoted(q2, &like, out, to, peer2);
        make_quoted(q3, &like, out, old, peer); /* addresses alone */
        struct tmtu_pkt whole;
        assert_int_equal(tmtu_ip_parse(tmtu_view(q, n), 0, &whole), 0);
        const struct tmtu_nat nat =
            nat_of(from, to, out ? TMTU_NAT_SRC : TMTU_NAT_DST);
        const size_t check =
            whole.l4 + (like.proto == SCTP ? 8u : check_at(like.proto));
        for (size_t cut = v ? 40 : whole.l4; cut <= n; cut++) {
            const int ports = cut >= whole.l4 + (echo ? 6u : 4u);
            memcpy(want, ports ? q2 : q3, n);
            if (cut > check && cut < check + (like.proto == SCTP ? 4u : 2u))
                memcpy(want + check, q + check, cut - check); /* a piece */
            const size_t len =
                make_about(before, like.ipver, out, from, q, cut);
            make_about(after, like.ipver, out, to, want, cut);
            error_becomes(before, after, len, &nat);
        }
    }
}

/* RFC 4884 §5: a quote of 128 bytes, and an extension behind it. */
static void extensions_and_their_length_stay(void **state)
{
    (void)state;
    const struct like like = {"", NULL, 4, TCP, 0, 0, 88, 0};
    uint8_t q[ROOM], q2[ROOM], before[ROOM], after[ROOM];
    make(q, &like, vip[0], client[0]);
    make(q2, &like, rs[0], client[0]);
    for (size_t i = 128; i < 139; i++)
        q[i] = q2[i] = (uint8_t)i;
    const size_t n = make_error(before, 4, router[0], vip[0], q, 139);
    make_error(after, 4, router[0], rs[0], q2, 139);
    before[25] = after[25] = 32;
    before[28 + 139 - 1] ^= 1; /* K91 an odd end */
    after[28 + 139 - 1] ^= 1;
    tmtu_put16(before + 22, 0);
    tmtu_put16(before + 22, test_cksum(before + 20, n - 20));
    tmtu_put16(after + 22, 0);
    tmtu_put16(after + 22, test_cksum(after + 20, n - 20));
    const struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
    error_becomes(before, after, n, &nat);
}

static void k90_the_quoted_transport_checksum_is_left_if_asked(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 2; v++) {
        const struct like like = {"", NULL, v ? 6 : 4, UDP, 0, 0, 5, 0};
        const size_t at = v ? 46 : 26;
        uint8_t q[ROOM], q2[ROOM], before[ROOM], after[ROOM];
        const size_t n = make(q, &like, vip[v], client[v]);
        make(q2, &like, rs[v], client[v]);
        assert_memory_not_equal(q + at, q2 + at, 2);
        memcpy(q2 + at, q + at, 2);
        const size_t len =
            make_error(before, like.ipver, router[v], vip[v], q, n);
        make_error(after, like.ipver, router[v], rs[v], q2, n);
        struct tmtu_nat nat = nat_of(vip[v], rs[v], TMTU_NAT_DST);
        nat.flags |= TMTU_NAT_KEEP_QUOTED_CHECK;
        error_becomes(before, after, len, &nat);
    }
}

/* Nobody can tell the CRC of the whole. */
static void quoted_sctp_fragments_keep_their_crc(void **state)
{
    (void)state;
    const struct like like = V4("", NULL, SCTP, 0x2000, 20, 0);
    uint8_t q[ROOM], q2[ROOM], before[ROOM], after[ROOM];
    const size_t n = make(q, &like, vip[0], client[0]);
    make(q2, &like, rs[0], client[0]);
    memcpy(q2 + 28, q + 28, 4);
    const size_t len = make_error(before, 4, router[0], vip[0], q, n);
    make_error(after, 4, router[0], rs[0], q2, n);
    const struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
    error_becomes(before, after, len, &nat);

    for (uint8_t *p = q;; p = q2) { /* nor of one without a length */
        tmtu_put32(p, 0x45000000u);
        tmtu_put16(p + 6, 0);
        tmtu_put16(p + 10, 0);
        tmtu_put16(p + 10, test_cksum(p, 20));
        if (p == q2)
            break;
    }
    make_error(before, 4, router[0], vip[0], q, n);
    make_error(after, 4, router[0], rs[0], q2, n);
    error_becomes(before, after, len, &nat);
}

/* A router behind us has no mapping: it is hidden, unless it is to be seen. */
static void r_5508_06_reporters_are_hidden(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 2; v++) {
        const struct like like = {"", NULL, v ? 6 : 4, TCP, 0, 0, 5, 0};
        const uint8_t ver = like.ipver;
        const struct end hop = {v ? "fd00::1" : "10.0.0.1", 0};
        uint8_t q[ROOM], q2[ROOM], before[ROOM], after[ROOM];
        const size_t n = make(q, &like, client[v], rs[v]);
        make(q2, &like, client[v], vip[v]);
        const size_t len = make_error(before, ver, hop, client[v], q, n);
        make_error(after, ver, vip[v], client[v], q2, n);
        struct tmtu_nat nat = nat_of(rs[v], vip[v], TMTU_NAT_SRC);
        error_becomes(before, after, len, &nat);

        make_error(after, ver, hop, client[v], q2, n);
        nat.flags |= TMTU_NAT_KEEP_REPORTER;
        error_becomes(before, after, len, &nat);

        make_error(before, ver, rs[v], client[v], q, n); /* not the server */
        make_error(after, ver, vip[v], client[v], q2, n);
        error_becomes(before, after, len, &nat);
    }
}

/* A host behind us talks to another one's outer address: both ends of its
 * packets are rewritten, and both of the errors about them. */
static void r_5508_08_hairpinned_errors_compose(void **state)
{
    (void)state;
    static const struct end a = {"192.0.2.10", 40000},
                            a_out = {"203.0.113.77", 61000},
                            b_out = {"203.0.113.77", 61001},
                            b_in = {"192.0.2.11", 40001};
    const struct like like = {"", NULL, 4, UDP, 0, 0, 5, 0};
    uint8_t q[ROOM], q2[ROOM], before[ROOM], after[ROOM];
    const size_t n = make(q, &like, a_out, b_in); /* as b got it */
    make(q2, &like, a, b_out);                    /* as a sent it */
    const size_t len = make_error(before, 4, b_in, a_out, q, n);
    make_error(after, 4, b_out, a, q2, n);
    struct tmtu_buf b = test_buf(before, len, 0, 0);
    struct tmtu_pkt pkt = parsed(&b);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    const struct tmtu_nat src = nat_of(b_in, b_out, TMTU_NAT_SRC),
                          dst = nat_of(a_out, a, TMTU_NAT_DST);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &src), 0);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &dst), 0);
    assert_memory_equal(b.data, after, len);
    free(b.head);
}

/* ---- refused ---- */

/* What is done to a good error, or to how it is to be rewritten. */
enum what {
    NOTHING,
    OTHER_PORT,
    OTHER_ADDR,
    OTHER_OUTSIDE,
    ICMP_SUM,
    QUOTED_SUM,
    QUOTED_SUM_VERIFIED,
    QUOTED_L4_SUM,
    REDIRECT,
    QUOTED_IHL,
    SHORT_BUF,
    STALE,
    STALE_LENGTH,
    SIZE,
    SIDE,
    FLAGS,
    FAMILY,
    GROUP,
    NOWHERE
};
static const struct {
    const char *name;
    enum what what;
    int rc;
} refused[] = {
    {"the good one", NOTHING, 0},
    {"quotes another port", OTHER_PORT, TMTU_E_IGNORED},
    {"R-5508-05 quotes another address: no mapping", OTHER_ADDR,
     TMTU_E_IGNORED},
    {"K94 sent to another address than it quotes", OTHER_OUTSIDE,
     TMTU_E_IGNORED},
    {"R-5508-04 a wrong ICMP checksum", ICMP_SUM, TMTU_E_CHECKSUM},
    {"R-5508-04 a wrong checksum in the quoted header", QUOTED_SUM,
     TMTU_E_CHECKSUM},
    {"the same, and nobody minds", QUOTED_SUM_VERIFIED, 0},
    {"R-5508-01 a wrong quoted transport checksum", QUOTED_L4_SUM, 0},
    {"a redirect", REDIRECT, TMTU_E_FORBIDDEN},
    {"K93 the quoted header has another length now", QUOTED_IHL,
     TMTU_E_MALFORMED},
    {"a buffer shorter than the packet", SHORT_BUF, TMTU_E_TRUNCATED},
    {"a quote of another packet", STALE, TMTU_E_MALFORMED},
    {"a longer quote than there is", STALE_LENGTH, TMTU_E_MALFORMED},
    {"another size of struct", SIZE, TMTU_E_ARGUMENT},
    {"no side", SIDE, TMTU_E_ARGUMENT},
    {"an unknown flag", FLAGS, TMTU_E_ARGUMENT},
    {"another family", FAMILY, TMTU_E_ARGUMENT},
    {"to a group", GROUP, TMTU_E_ARGUMENT},
    {"to 0.0.0.0", NOWHERE, TMTU_E_ARGUMENT},
};

static void refusals_change_nothing(void **state)
{
    (void)state;
    const struct like like = {"", NULL, 4, TCP, 0, 0, 5, 0};
    for (size_t i = 0; i < TEST_ROWS(refused); i++) {
        const enum what what = refused[i].what;
        uint8_t q[ROOM], p[ROOM];
        print_message("  %s\n", refused[i].name);
        size_t n = make(q, &like, vip[0], client[0]);
        if (what == QUOTED_SUM || what == QUOTED_SUM_VERIFIED)
            q[10] ^= 1;
        if (what == QUOTED_L4_SUM)
            q[36] ^= 1;
        n = make_error(p, 4, router[0], what == OTHER_OUTSIDE ? rs[0] : vip[0],
                       q, n);
        if (what == REDIRECT) {
            p[20] = 5;
            tmtu_put16(p + 22, 0);
            tmtu_put16(p + 22, test_cksum(p + 20, n - 20));
        }
        p[22] ^= what == ICMP_SUM;
        struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
        nat.from.port ^= what == OTHER_PORT;
        if (what == OTHER_ADDR)
            nat.from = nat.to;
        nat.size += what == SIZE;
        if (what == SIDE)
            nat.side = 3;
        if (what == FLAGS)
            nat.flags |= 0x10;
        if (what == QUOTED_SUM_VERIFIED)
            nat.flags |= TMTU_NAT_VERIFIED;
        if (what == FAMILY || what == GROUP || what == NOWHERE)
            test_addr(what == FAMILY  ? "fd00::6"
                      : what == GROUP ? "224.0.0.1"
                                      : "0.0.0.0",
                      nat.to.addr);
        struct tmtu_buf b = test_buf(p, n, 3, 2);
        struct tmtu_pkt pkt = parsed(&b);
        struct tmtu_icmp icmp, icmp_before;
        assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
        if (what == QUOTED_IHL)
            b.data[28] = 0x46;
        if (what == SHORT_BUF)
            b.tail--;
        if (what == STALE)
            icmp.quoted.data++;
        icmp.quoted.have += what == STALE_LENGTH;
        memcpy(&icmp_before, &icmp, sizeof icmp);
        struct test_before before = test_before(&b, &pkt);
        const int rc = tmtu_nat_error(&b, &pkt, &icmp, &nat);
        assert_int_equal(rc, refused[i].rc);
        if (rc < 0) {
            test_unchanged(&before, &b, &pkt);
            assert_memory_equal(&icmp, &icmp_before, sizeof icmp);
        } else {
            free(before.mem);
        }
        free(b.head);
    }
}

static const struct {
    struct like like;
    int rc;
    int side;
    size_t cut; /* bytes taken off the end of a fragment */
} not_packets[] = {
    {V4("a tiny fragment of TCP", NULL, TCP, 0x2000, 4, 0), TMTU_E_TRUNCATED,
     TMTU_NAT_DST, 8},
    {V4("a fragment of SCTP", NULL, SCTP, 0x2000, 20, 0), TMTU_E_UNSUPPORTED,
     TMTU_NAT_DST, 0},
    {V4("a tiny fragment of SCTP", NULL, SCTP, 0x2000, 4, 0), TMTU_E_TRUNCATED,
     TMTU_NAT_DST, 8},
    {V4("SCTP's source port stays", NULL, SCTP, 0x2000, 20, 0), TMTU_E_IGNORED,
     TMTU_NAT_SRC, 0},
    {V6("a segment of a routing header left", "1100040100000000", 43, UDP, 1),
     TMTU_E_UNSUPPORTED, TMTU_NAT_DST, 0},
};

static void packets_that_cannot_be_rewritten_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(not_packets); i++) {
        const struct like *like = &not_packets[i].like;
        const unsigned v = like->ipver == 6;
        uint8_t p[ROOM];
        print_message("  %s\n", like->name);
        size_t n = make(p, like, client[v], vip[v]);
        if (not_packets[i].cut != 0) {
            n -= not_packets[i].cut;
            tmtu_put16(p + 2, (uint16_t)n);
        }
        const struct tmtu_nat nat = nat_of(vip[v], rs[v], not_packets[i].side);
        struct tmtu_buf b = test_buf(p, n, 0, 0);
        struct tmtu_pkt pkt = parsed(&b);
        struct test_before before = test_before(&b, &pkt);
        assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), not_packets[i].rc);
        test_unchanged(&before, &b, &pkt);
        free(b.head);
    }
}

/* While it has segments left, the source is the flow's all the same. */
static void sources_of_routed_packets_are_rewritten(void **state)
{
    (void)state;
    const struct like like = V6("", "1100040100000000", 43, UDP, 1);
    uint8_t p[ROOM], want[ROOM];
    const size_t n = make(p, &like, rs[1], client[1]);
    make(want, &like, vip[1], client[1]);
    const struct tmtu_nat nat = nat_of(rs[1], vip[1], TMTU_NAT_SRC);
    packet_becomes(p, want, n, &nat);
}

/* The CRC of SCTP is not touched where its ports are not. */
static void sctp_fragments_keep_their_port(void **state)
{
    (void)state;
    const struct like like = V4("", NULL, SCTP, 0x2000, 20, 0);
    struct end to = rs[0];
    to.port = vip[0].port;
    uint8_t p[ROOM], want[ROOM];
    const size_t n = make(p, &like, client[0], vip[0]);
    make(want, &like, client[0], to);
    const struct tmtu_nat nat = nat_of(vip[0], to, TMTU_NAT_DST);
    packet_becomes(p, want, n, &nat);
}

static void each_has_its_own_function(void **state)
{
    (void)state;
    const struct like six = V6("", NULL, 0, TCP, 5);
    const struct like like = {"", NULL, 4, TCP, 0, 0, 5, 0};
    uint8_t q[ROOM], p[ROOM];
    size_t n = make(q, &like, vip[0], client[0]);
    n = make_error(p, 4, router[0], vip[0], q, n);
    struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
    struct tmtu_buf b = test_buf(p, n, 0, 0);
    struct tmtu_pkt pkt = parsed(&b);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    struct test_before before = test_before(&b, &pkt);
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_IGNORED);
    test_unchanged(&before, &b, &pkt);
    pkt.icmp_type = 8; /* as of an echo */
    before = test_before(&b, &pkt);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &nat), TMTU_E_IGNORED);
    test_unchanged(&before, &b, &pkt);
    free(b.head);

    /* Another flow's packets, and a buffer that has been cut. */
    n = make(p, &like, client[0], vip[0]);
    b = test_buf(p, n, 0, 0);
    pkt = parsed(&b);
    nat.from.port++;
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_IGNORED);
    nat.from.port--;
    nat.size--;
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_ARGUMENT);
    nat.size++;
    b.tail--;
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_TRUNCATED);
    b.tail++;
    assert_memory_equal(b.data, p, n);
    b.data[0] = 0x46; /* K93 */
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_MALFORMED);
    b.data[0] = 0x45;
    assert_memory_equal(b.data, p, n);
    free(b.head);

    n = make(p, &six, client[1], vip[1]);
    b = test_buf(p, n, 0, 0);
    pkt = parsed(&b);
    b.data[0] = 0x45; /* K93 */
    nat = nat_of(vip[1], rs[1], TMTU_NAT_DST);
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_MALFORMED);
    b.data[0] = 0x60;
    assert_memory_equal(b.data, p, n);
    free(b.head);
}

static void what_was_cut_off_is_not_rewritten(void **state)
{
    (void)state;
    const struct like like = {"", NULL, 4, TCP, 0, 0, 5, 0};
    const struct tmtu_nat nat = nat_of(vip[0], rs[0], TMTU_NAT_DST);
    uint8_t q[ROOM], p[ROOM];
    size_t n = make(p, &like, client[0], vip[0]);
    struct tmtu_buf b;
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;

    /* A packet that was quoted only is no packet, */
    b = test_buf(p, n - 1, 0, 0);
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_QUOTED, &pkt), 0);
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_TRUNCATED);
    assert_memory_equal(b.data, p, n - 1);
    free(b.head);

    /* nor one that ends before its ports, */
    tmtu_put16(p + 2, 22);
    p[9] = SCTP;
    b = test_buf(p, 22, 0, 0);
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_QUOTED, &pkt), 0);
    assert_int_equal(tmtu_nat_packet(&b, &pkt, &nat), TMTU_E_TRUNCATED);
    assert_memory_equal(b.data, p, 22);
    free(b.head);

    /* and an error is whole, too. */
    n = make(q, &like, vip[0], client[0]);
    n = make_error(p, 4, router[0], vip[0], q, n);
    b = test_buf(p, n - 1, 0, 0);
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_QUOTED, &pkt), 0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &nat), TMTU_E_TRUNCATED);
    assert_memory_equal(b.data, p, n - 1);
    free(b.head);
}

/* Nobody knows what its checksum covers before it is there. */
static void errors_on_a_route_are_left_alone(void **state)
{
    (void)state;
    const struct like like = {"", NULL, 6, TCP, 0, 0, 5, 0};
    uint8_t q[ROOM], p[ROOM];
    size_t n = make(q, &like, vip[1], client[1]);
    const struct like outer = {"", "3a00040100000000", 6, ECHO6, 43, 0, n, 0};
    n = make(p, &outer, router[1], vip[1]);
    tmtu_put32(p + 48, 0x02000000u);
    memcpy(p + 56, q, n - 56);
    struct tmtu_nat nat = nat_of(vip[1], rs[1], TMTU_NAT_DST);
    nat.flags |= TMTU_NAT_VERIFIED;
    struct tmtu_buf b = test_buf(p, n, 0, 0);
    struct tmtu_pkt pkt = parsed(&b);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &nat), TMTU_E_UNSUPPORTED);
    const struct tmtu_nat back = tmtu_nat_reverse(&nat);
    struct test_before before = test_before(&b, &pkt);
    assert_int_equal(tmtu_nat_error(&b, &pkt, &icmp, &back),
                     TMTU_E_UNSUPPORTED);
    test_unchanged(&before, &b, &pkt);
    free(b.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r_768_03_v7_zero_stays_and_computed_zero_is_ffff),
        cmocka_unit_test(packets_are_as_if_made_for_the_other_ends),
        cmocka_unit_test(r_1624_01_every_port_gives_the_checksum_made_anew),
        cmocka_unit_test(crcs_of_the_longest_packets_follow),
        cmocka_unit_test(basic_nat_leaves_ports_alone),
        cmocka_unit_test(what_was_wrong_stays_wrong),
        cmocka_unit_test(r_5508_05_v11_comes_out_byte_by_byte),
        cmocka_unit_test(k89_r_lib_12_errors_quote_what_was_sent),
        cmocka_unit_test(extensions_and_their_length_stay),
        cmocka_unit_test(k90_the_quoted_transport_checksum_is_left_if_asked),
        cmocka_unit_test(quoted_sctp_fragments_keep_their_crc),
        cmocka_unit_test(r_5508_06_reporters_are_hidden),
        cmocka_unit_test(r_5508_08_hairpinned_errors_compose),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(packets_that_cannot_be_rewritten_stay),
        cmocka_unit_test(sources_of_routed_packets_are_rewritten),
        cmocka_unit_test(sctp_fragments_keep_their_port),
        cmocka_unit_test(each_has_its_own_function),
        cmocka_unit_test(what_was_cut_off_is_not_rewritten),
        cmocka_unit_test(errors_on_a_route_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

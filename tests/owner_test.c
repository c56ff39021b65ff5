/* SPDX-License-Identifier: MIT */
/* owner: a packet, the answer to it, the error about the answer, through
 * tunnels and in fragments: all of them have one owner. */
#include "tmtu_packet.h"

#include <tunmtu/mtu.h>
#include <tunmtu/owner.h>
#include <tunmtu/steer.h>

enum { TUNNELS = TMTU_OWNER_TUNNELS };

/* Bytes of a packet, with room for what quotes or carries it. */
struct packet {
    size_t len;
    uint8_t p[2048];
};

static struct tmtu_pkt parse(const struct packet *k, unsigned how)
{
    struct tmtu_pkt pkt;
    if (tmtu_ip_parse(tmtu_view(k->p, k->len), how, &pkt) != 0)
        fail_msg("does not parse");
    return pkt;
}

/* What every answer holds to, whatever the packet is. */
static void sane(const struct tmtu_owner *o, enum tmtu_owner_by by)
{
    assert_int_equal(o->by, by);
    assert_non_null(tmtu_owner_by_name(o->by));
    assert_int_equal(o->flow.flags,
                     o->by == TMTU_OWNER_PORTS ? TMTU_FLOW_PORTS : 0);
    if (o->by != TMTU_OWNER_PORTS)
        assert_int_equal(o->flow.sport | o->flow.dport, 0);
    assert_in_range(o->tunnels, 0, TMTU_ENCAP_NESTING);
    if (o->fragment.ipver != 0)
        assert_in_range(o->fragment.quoted, 0, o->quoted);
}

static struct tmtu_owner owner(const struct packet *k, unsigned how)
{
    const struct tmtu_pkt pkt = parse(k, TMTU_IP_VERIFY);
    uint8_t *mem = test_exact(k->p, k->len);
    struct tmtu_pkt exact;
    struct tmtu_owner o;
    memset(&o, 0xa5, sizeof o);
    assert_int_equal(tmtu_ip_parse(tmtu_view(mem, pkt.len), 0, &exact), 0);
    sane(&o, tmtu_owner_of(&exact, how, &o));
    free(mem);
    return o;
}

static int is_later(const struct packet *k)
{
    return parse(k, 0).flags & TMTU_PKT_LATER ? 1 : 0;
}

/* What the client sends. */
static struct packet asks(const struct test_shape *s)
{
    struct packet k;
    k.len = s->len;
    test_packet(s, k.p);
    if (s->proto == 1 || s->proto == 58) {
        const size_t at = parse(&k, TMTU_IP_QUOTED).l4 + 4u;
        if (at + 2 <= k.len && !is_later(&k))
            tmtu_put16(k.p + at, 0x1d1d);
    }
    return k;
}

static void mend4(uint8_t *p)
{
    tmtu_put16(p + 10, 0);
    tmtu_put16(p + 10, test_cksum(p, (p[0] & 15u) * 4u));
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

/* What the server sends: the other way round. */
static struct packet answers(const struct packet *k)
{
    struct packet r = *k;
    const struct tmtu_pkt pkt = parse(k, TMTU_IP_QUOTED);
    uint8_t *l4 = r.p + pkt.l4;
    if (pkt.flow.ipver == 4)
        swap(r.p + 12, r.p + 16, 4);
    else
        swap(r.p + 8, r.p + 24, 16);
    if (pkt.flags & (TMTU_PKT_LATER | TMTU_PKT_CUT))
        return r;
    if (pkt.flags & TMTU_PKT_ICMP) { /* echo: a reply */
        if (l4[0] == 8)
            l4[0] = 0;
        if (l4[0] == 128)
            l4[0] = 129;
    } else if (pkt.flow.flags & TMTU_FLOW_PORTS) {
        swap(l4, l4 + 2, 2);
    }
    return r;
}

/* A router's error about a packet, of which it quotes `quote` bytes. */
static struct packet about(const struct packet *k, size_t quote, uint8_t type)
{
    struct packet e;
    uint8_t from[16];
    const int v4 = k->p[0] >> 4 == 4;
    const size_t head = v4 ? 28 : 48;
    assert_true(quote <= k->len && head + quote <= sizeof e.p);
    memset(e.p, 0, head);
    e.len = head + quote;
    memcpy(e.p + head, k->p, quote);
    test_addr(v4 ? "203.0.113.9" : "2001:db8:f::9", from);
    if (v4) {
        tmtu_put32(e.p, 0x45000000u | (uint32_t)e.len);
        e.p[8] = 64;
        e.p[9] = 1;
        memcpy(e.p + 12, from + 12, 4);
        memcpy(e.p + 16, k->p + 12, 4);
        mend4(e.p);
        e.p[20] = type;
        e.p[21] = type == 3 ? 4 : 0;
        tmtu_put16(e.p + 26, 1400);
    } else {
        tmtu_put32(e.p, 0x60000000u);
        tmtu_put16(e.p + 4, (uint16_t)(e.len - 40));
        e.p[6] = 58;
        e.p[7] = 64;
        memcpy(e.p + 8, from, 16);
        memcpy(e.p + 24, k->p + 8, 16);
        e.p[40] = type;
        tmtu_put32(e.p + 44, 1400);
    }
    return e;
}

static uint8_t too_big(const struct packet *k)
{
    return k->p[0] >> 4 == 4 ? 3 : 2;
}

/* The error with the most that may be quoted. */
static struct packet told(const struct packet *k)
{
    const size_t most = k->p[0] >> 4 == 4 ? 548 : 1232;
    return about(k, k->len < most ? k->len : most, too_big(k));
}

static void same(const struct tmtu_owner *a, const struct tmtu_owner *b)
{
    assert_memory_equal(&a->flow, &b->flow, sizeof a->flow);
    assert_int_equal(a->by, b->by);
}

/* By hand: addresses from their text. */
static void is_flow(const struct tmtu_flow *f, const char *src, uint16_t sport,
                    const char *dst, uint16_t dport, uint8_t proto)
{
    uint8_t addr[16];
    test_addr(src, addr);
    assert_memory_equal(f->src, addr, 16);
    test_addr(dst, addr);
    assert_memory_equal(f->dst, addr, 16);
    assert_int_equal(f->sport, sport);
    assert_int_equal(f->dport, dport);
    assert_int_equal(f->proto, proto);
}

static void is_client(const struct tmtu_flow *f, unsigned ipver, uint8_t proto,
                      uint16_t sport, uint16_t dport)
{
    assert_int_equal(f->ipver, ipver);
    is_flow(f, ipver == 4 ? "192.0.2.10" : "2001:db8:1::10", sport,
            ipver == 4 ? "198.51.100.20" : "2001:db8:2::20", dport, proto);
}

static struct test_shape shape(unsigned ipver, uint8_t proto)
{
    struct test_shape s = test_shape(ipver, 1500);
    s.proto = proto;
    if (proto == 1)
        s.type = 8;
    if (proto == 58)
        s.type = 128;
    return s;
}

/* TCP, UDP, DCCP, SCTP, UDP-Lite; echo. */
static const uint8_t with_ports[] = {6, 17, 33, 132, 136, 1};
/* ESP, AH, OSPF, GRE and IP in IP as they are. */
static const uint8_t without[] = {50, 51, 89, 47, 4, 41};

static uint8_t icmp_of(unsigned ipver, uint8_t proto)
{
    return proto == 1 && ipver == 6 ? 58 : proto;
}

/* ---- ports ---- */

static void
r_7690_03_r_7690_08_an_error_belongs_to_the_flow_it_is_about(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(with_ports); i++) {
            const uint8_t proto = icmp_of(ipver, with_ports[i]);
            const struct test_shape sh = shape(ipver, proto);
            const struct packet ask = asks(&sh), answer = answers(&ask);
            const struct tmtu_owner flow = owner(&ask, 0);
            const int echo = proto == 1 || proto == 58;
            is_client(&flow.flow, ipver, proto, echo ? 0x1d1d : 40000,
                      echo ? 0x1d1d : 443);
            assert_int_equal(flow.by, TMTU_OWNER_PORTS);
            assert_int_equal(flow.quoted, 0);
            const size_t head = ipver == 4 ? 20 : 40;
            const size_t most = ipver == 4 ? 548 : 1232;
            for (size_t quote = head + 8; quote <= most; quote++) {
                const struct packet e = about(&answer, quote, too_big(&answer));
                const struct tmtu_owner o = owner(&e, 0);
                same(&o, &flow);
                assert_int_equal(o.quoted, 1);
            }
        }
}

static void every_kind_of_error_does(void **s)
{
    (void)s;
    static const uint8_t v4[] = {3, 4, 5, 11, 12}, v6[] = {1, 2, 3, 4, 127};
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(v4); i++) {
            const struct test_shape sh = shape(ipver, 6);
            const struct packet ask = asks(&sh), answer = answers(&ask);
            const struct packet e =
                about(&answer, 80, ipver == 4 ? v4[i] : v6[i]);
            const struct tmtu_owner flow = owner(&ask, 0), o = owner(&e, 0);
            same(&o, &flow);
        }
}

/* K68: one that goes the client's way has the client's own direction: an error
 * about what the client sent is of the server's. */
static void an_error_about_the_clients_packet_is_of_the_reverse(void **s)
{
    (void)s;
    const struct test_shape sh = shape(4, 17);
    const struct packet ask = asks(&sh), e = told(&ask);
    const struct tmtu_owner o = owner(&e, 0);
    is_flow(&o.flow, "198.51.100.20", 443, "192.0.2.10", 40000, 17);
    const struct tmtu_owner flow = owner(&ask, 0);
    const struct tmtu_flow a = tmtu_flow_canonical(&o.flow),
                           b = tmtu_flow_canonical(&flow.flow);
    assert_memory_equal(&a, &b, sizeof a);
}

static void r_7690_10_echo_request_and_reply_are_one_flow(void **s)
{
    (void)s;
    static const uint8_t v4[] = {8, 0, 13, 14, 17}, v6[] = {128, 129};
    for (size_t i = 0; i < TEST_ROWS(v4) + TEST_ROWS(v6); i++) {
        const unsigned ipver = i < TEST_ROWS(v4) ? 4 : 6;
        struct test_shape sh = shape(ipver, ipver == 4 ? 1 : 58);
        sh.type = ipver == 4 ? v4[i] : v6[i - TEST_ROWS(v4)];
        const struct packet k = asks(&sh);
        const struct tmtu_owner o = owner(&k, 0);
        is_client(&o.flow, ipver, ipver == 4 ? 1 : 58, 0x1d1d, 0x1d1d);
        assert_int_equal(o.by, TMTU_OWNER_PORTS);
    }
    struct test_shape sh = shape(6, 58); /* a neighbour's: no identifier */
    sh.type = 135;
    const struct packet k = asks(&sh);
    const struct tmtu_owner o = owner(&k, 0);
    is_client(&o.flow, 6, 58, 0, 0);
    assert_int_equal(o.by, TMTU_OWNER_PROTO);
}

static void r_6437_03_flow_labels_and_traffic_classes_do_not_count(void **s)
{
    (void)s;
    const struct test_shape sh = shape(6, 6);
    struct packet k = asks(&sh);
    const struct tmtu_owner o = owner(&k, 0);
    tmtu_put32(k.p, 0x61234567u);
    const struct tmtu_owner other = owner(&k, 0);
    same(&o, &other);
    k = answers(&k);
    const struct packet e = told(&k);
    const struct tmtu_owner error = owner(&e, 0);
    same(&o, &error);
}

/* ---- addresses only ---- */

static void protocols_without_ports_go_by_addresses(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(without); i++) {
            struct test_shape sh = shape(ipver, without[i]);
            if (ipver == 6 && without[i] == 51)
                continue; /* an extension header there: see below */
            struct packet ask = asks(&sh), answer = answers(&ask);
            const struct tmtu_owner flow = owner(&ask, 0);
            const size_t at = ipver == 4 ? 20 : 40;
            is_client(&flow.flow, ipver, without[i], 0, 0);
            assert_int_equal(flow.by, TMTU_OWNER_PROTO);
            for (size_t quote = at; quote <= at + 40; quote++) {
                tmtu_put32(answer.p + at, 0xdeadbeef); /* another SPI */
                const struct packet e = about(&answer, quote, too_big(&answer));
                const struct tmtu_owner o = owner(&e, 0);
                same(&o, &flow);
            }
        }
}

/* AH in front of TCP: 40 + 24 + 20 bytes and some. */
static struct packet with_ah(void)
{
    const struct test_shape sh = shape(6, 6);
    struct packet k = asks(&sh);
    memmove(k.p + 64, k.p + 40, 200);
    k.len = 264;
    tmtu_put16(k.p + 4, (uint16_t)(k.len - 40));
    k.p[6] = 51;
    memset(k.p + 40, 0x77, 24);
    k.p[40] = 6;
    k.p[41] = 4; /* (4 + 2) * 4 bytes */
    return k;
}

static void ah_over_ipv6_goes_by_addresses_whatever_is_behind_it(void **s)
{
    (void)s;
    const struct packet k = with_ah();
    const struct tmtu_pkt pkt = parse(&k, 0);
    assert_int_equal(pkt.flow.sport, 40000); /* which the parser sees */
    const struct tmtu_owner flow = owner(&k, 0);
    is_client(&flow.flow, 6, 51, 0, 0);
    assert_int_equal(flow.by, TMTU_OWNER_PROTO);
    const struct packet answer = answers(&k);
    for (size_t quote = 40; quote <= answer.len; quote++) {
        const struct packet e = about(&answer, quote, 2);
        const struct tmtu_owner o = owner(&e, 0);
        same(&o, &flow);
    }
    /* Behind other extension headers: hop-by-hop, fragment, destination. */
    struct packet deep = k;
    memmove(deep.p + 64, k.p + 40, k.len - 40);
    memset(deep.p + 40, 0, 24);
    deep.len = k.len + 24;
    tmtu_put16(deep.p + 4, (uint16_t)(deep.len - 40));
    deep.p[6] = 0;
    deep.p[40] = 44; /* hop-by-hop, with one Pad6 of four zeros */
    deep.p[42] = 1;
    deep.p[43] = 4;
    deep.p[48] = 60; /* an atomic fragment; what is reserved, is ignored */
    deep.p[49] = 0xff;
    deep.p[56] = 51;
    deep.p[58] = 1;
    deep.p[59] = 4;
    const struct tmtu_owner o = owner(&deep, 0);
    same(&o, &flow);
    /* Something else instead, behind options of 24 bytes: a 51 in them is no
     * AH. */
    deep.p[40] = 60;
    deep.p[41] = 2;
    deep.p[43] = 20;
    deep.p[48] = 51;
    deep.p[64] = 6;
    deep.p[65] = 2;
    const struct tmtu_owner no = owner(&deep, 0);
    assert_int_equal(no.by, TMTU_OWNER_PORTS);
    is_client(&no.flow, 6, 6, 40000, 443);
}

/* 8 bytes are enough, 4 are, fewer are not; the header is always there. */
static void
r_7690_09_every_cut_is_by_ports_or_by_addresses_and_says_so(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(with_ports); i++) {
            const uint8_t proto = icmp_of(ipver, with_ports[i]);
            const struct test_shape sh = shape(ipver, proto);
            const struct packet ask = asks(&sh), answer = answers(&ask);
            const size_t head = ipver == 4 ? 20 : 40;
            const int echo = proto == 1 || proto == 58;
            for (size_t n = 0; n <= 8; n++) {
                const struct packet e =
                    about(&answer, head + n, too_big(&answer));
                const struct tmtu_owner o = owner(&e, 0);
                enum tmtu_owner_by by = TMTU_OWNER_PORTS;
                if (n < (echo ? 2 : 4))
                    by = TMTU_OWNER_CUT;
                else if (echo && n < 6) /* the type, and no identifier yet */
                    by = TMTU_OWNER_CUT;
                assert_int_equal(o.by, by);
                is_client(&o.flow, ipver, proto,
                          by ? 0 : (echo ? 0x1d1d : 40000),
                          by ? 0 : (echo ? 0x1d1d : 443));
            }
        }
}

/* Options, and extension headers, as far as 15 words and eight headers. */
static void
r_5508_02_r_4443_15_options_and_extension_headers_are_passed(void **s)
{
    (void)s;
    for (uint8_t option = 0; option <= 40; option += 4) {
        struct test_shape sh = shape(4, 6);
        sh.option = option;
        const struct packet ask = asks(&sh), answer = answers(&ask);
        const struct packet e = about(&answer, 28u + option, 3);
        const struct tmtu_owner flow = owner(&ask, 0), o = owner(&e, 0);
        same(&o, &flow);
        assert_int_equal(o.flow.sport, 40000);
        if (option == 40) { /* what looks like AH to who takes it for IPv6 */
            struct packet k = answer;
            memcpy(k.p + 39, "\0\63\0", 3);
            mend4(k.p);
            const struct packet f = about(&k, 68, 3);
            const struct tmtu_owner no = owner(&f, 0);
            same(&no, &flow);
        }
    }
    for (size_t n = 0; n <= TMTU_IP6_EXT_MAX; n++) {
        const struct test_shape sh = shape(6, 17);
        const struct packet plain = asks(&sh);
        struct packet k = plain;
        k.len = 400;
        tmtu_put16(k.p + 4, (uint16_t)(k.len - 40));
        memcpy(k.p + 40 + 8 * n, plain.p + 40, 100);
        tmtu_put16(k.p + 40 + 8 * n + 4, (uint16_t)(360 - 8 * n));
        for (size_t i = 0; i < n; i++) {
            memcpy(k.p + 40 + 8 * i, "\x3c\0\1\4\0\0\0\0", 8);
            k.p[i == 0 ? 6 : 32 + 8 * i] = 60;
            k.p[40 + 8 * i] = 17;
        }
        const struct packet answer = answers(&k);
        const struct packet e = about(&answer, 40 + 8 * n + 8, 2);
        const struct tmtu_owner flow = owner(&k, 0), o = owner(&e, 0);
        is_client(&flow.flow, 6, 17, 40000, 443);
        same(&o, &flow);
        if (n > 0) { /* cut among them */
            const struct packet cut = about(&answer, 40 + 8 * n - 1, 2);
            const struct tmtu_owner c = owner(&cut, 0);
            assert_int_equal(c.by, TMTU_OWNER_CUT);
            assert_memory_equal(c.flow.src, flow.flow.src, 32);
        }
    }
}

/* ---- fragments ---- */

static struct test_shape piece(unsigned ipver, uint8_t proto, uint16_t frag)
{
    struct test_shape s = shape(ipver, proto);
    s.len = ipver == 4 ? 20 + 800 : 48 + 800;
    s.frag = frag;
    return s;
}

static uint16_t first_of(unsigned ipver)
{
    return ipver == 4 ? 0x2000 : 1;
}
static uint16_t later_of(unsigned ipver)
{
    return ipver == 4 ? 100 : 800;
}

static void r_791_07_r_8900_02_a_later_fragment_goes_by_addresses(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(with_ports); i++) {
            const uint8_t proto = icmp_of(ipver, with_ports[i]);
            struct test_shape sh = piece(ipver, proto, first_of(ipver));
            const struct packet first = asks(&sh);
            const struct tmtu_owner o = owner(&first, 0);
            assert_int_equal(o.by, TMTU_OWNER_PORTS);
            assert_int_equal(o.fragment.ipver, ipver);
            assert_int_equal(o.fragment.later, 0);
            sh.frag = later_of(ipver);
            const struct packet later = asks(&sh);
            const struct tmtu_owner l = owner(&later, 0);
            assert_int_equal(l.by, TMTU_OWNER_FRAGMENT);
            is_client(&l.flow, ipver, proto, 0, 0);
            assert_int_equal(l.fragment.later, 1);
            /* Which says whose it is: of the same packet. */
            assert_int_equal(l.fragment.id, o.fragment.id);
            assert_int_equal(l.fragment.id, parse(&later, 0).id);
            assert_memory_equal(l.fragment.src, o.fragment.src, 32);
            assert_int_equal(l.fragment.proto, o.fragment.proto);
            assert_int_equal(l.fragment.proto, ipver == 4 ? proto : 0);
            assert_int_equal(l.fragment.quoted, 0);

            const struct packet answer = answers(&later), e = told(&answer);
            const struct tmtu_owner q = owner(&e, 0);
            same(&q, &l);
            assert_int_equal(q.fragment.quoted, 1);
            assert_int_equal(q.fragment.later, 1);
            /* As it was sent, not as the owner is named. */
            assert_memory_equal(q.fragment.src, l.flow.dst, 16);
            assert_memory_equal(q.fragment.dst, l.flow.src, 16);
        }
}

static void fragments_of_what_has_no_ports_are_as_good_as_the_first(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(without); i++)
            for (unsigned k = 0; k < 2; k++) {
                struct test_shape sh = piece(ipver, without[i], 0);
                sh.frag = k ? later_of(ipver) : first_of(ipver);
                struct packet p = asks(&sh);
                if (ipver == 6 && without[i] == 51 && k == 0) {
                    p.p[48] = 6; /* AH, followed by what could be TCP */
                    p.p[49] = 4;
                }
                const struct tmtu_owner o = owner(&p, 0);
                assert_int_equal(o.by, TMTU_OWNER_PROTO);
                assert_int_equal(o.fragment.ipver, 0);
                is_client(&o.flow, ipver, without[i], 0, 0);
            }
}

static void an_atomic_fragment_is_none(void **s)
{
    (void)s;
    const struct test_shape sh = piece(6, 6, 2); /* a reserved bit, no more */
    const struct packet k = asks(&sh);
    const struct tmtu_owner o = owner(&k, 0);
    assert_int_equal(o.by, TMTU_OWNER_PORTS);
    assert_int_equal(o.fragment.ipver, 0);
}

/* Behind the Fragment header of IPv6, destination options: their number is all
 * that a later fragment has. */
static void ipv6_fragments_that_go_on_with_options_ask_for_the_first(void **s)
{
    (void)s;
    struct test_shape sh = piece(6, 17, 1);
    struct packet first = asks(&sh);
    memmove(first.p + 56, first.p + 48, 100);
    memcpy(first.p + 48, "\x11\0\1\4\0\0\0\0", 8);
    first.p[40] = 60;
    const struct tmtu_owner o = owner(&first, 0);
    is_client(&o.flow, 6, 17, 40000, 443);
    assert_int_equal(o.fragment.ipver, 6);
    sh.frag = 800;
    struct packet later = asks(&sh);
    later.p[40] = 60;
    const struct tmtu_owner l = owner(&later, 0);
    assert_int_equal(l.by, TMTU_OWNER_FRAGMENT);
    static const uint8_t more[] = {0, 43, 60, 135, 139, 140};
    for (size_t i = 0; i < TEST_ROWS(more); i++) { /* which nobody looks at */
        later.p[40] = more[i];
        const struct tmtu_owner any = owner(&later, 0);
        assert_int_equal(any.by, TMTU_OWNER_FRAGMENT);
        assert_int_equal(any.fragment.later, 1);
    }
    first.p[48] = 50; /* ESP behind them */
    const struct tmtu_owner esp = owner(&first, 0);
    assert_int_equal(esp.by, TMTU_OWNER_PROTO);
    assert_int_equal(esp.fragment.ipver, 6); /* it is of use, too */
}

/* Numbers of extension headers: over IPv4, other protocols without ports. */
static void over_ipv4_nothing_is_an_extension_header(void **s)
{
    static const uint8_t protos[] = {0, 43, 44, 60, 135, 139, 140};
    const uint16_t frags[] = {first_of(4), later_of(4)};
    (void)s;
    for (size_t i = 0; i < TEST_ROWS(protos) * TEST_ROWS(frags); i++) {
        struct test_shape sh = piece(4, 17, frags[i % TEST_ROWS(frags)]);
        struct packet one = asks(&sh);
        one.p[9] = protos[i / TEST_ROWS(frags)];
        mend4(one.p);
        const struct tmtu_owner o = owner(&one, 0);
        assert_int_equal(o.by, TMTU_OWNER_PROTO);
        assert_int_equal(o.fragment.ipver, 0);
    }
}

/* Cuts an error in two: what comes after `at` bytes of its message. */
static struct packet second_half(const struct packet *e, size_t at)
{
    struct packet k = *e;
    if (e->p[0] >> 4 == 4) {
        memmove(k.p + 20, e->p + 20 + at, e->len - 20 - at);
        k.len = e->len - at;
        tmtu_put16(k.p + 2, (uint16_t)k.len);
        tmtu_put16(k.p + 6, (uint16_t)(at / 8));
        mend4(k.p);
        return k;
    }
    memmove(k.p + 48, e->p + 40 + at, e->len - 40 - at);
    memcpy(k.p + 40, "\x3a\0\0\0\1\2\3\4", 8);
    tmtu_put16(k.p + 42, (uint16_t)at);
    k.p[6] = 44;
    k.len = e->len + 8 - at;
    tmtu_put16(k.p + 4, (uint16_t)(k.len - 40));
    return k;
}

static struct packet first_half(const struct packet *e, size_t at)
{
    struct packet k = *e;
    if (e->p[0] >> 4 == 4) {
        k.len = 20 + at;
        tmtu_put16(k.p + 2, (uint16_t)k.len);
        tmtu_put16(k.p + 6, 0x2000);
        mend4(k.p);
        return k;
    }
    memmove(k.p + 48, e->p + 40, at);
    memcpy(k.p + 40, "\x3a\0\0\1\1\2\3\4", 8);
    k.p[6] = 44;
    k.len = 48 + at;
    tmtu_put16(k.p + 4, (uint16_t)(k.len - 40));
    return k;
}

static void k114_of_an_error_in_fragments_the_first_is_read(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        const struct test_shape sh = shape(ipver, 6);
        const struct packet ask = asks(&sh), answer = answers(&ask);
        const struct packet e = told(&answer);
        const struct packet one = first_half(&e, 64);
        const struct packet two = second_half(&e, 64);
        const struct tmtu_owner flow = owner(&ask, 0), a = owner(&one, 0),
                                b = owner(&two, 0);
        same(&a, &flow);
        assert_int_equal(a.quoted, 1);
        assert_int_equal(a.fragment.ipver, ipver);
        assert_int_equal(a.fragment.quoted, 0); /* it came itself */
        assert_int_equal(b.by, TMTU_OWNER_FRAGMENT);
        assert_int_equal(b.quoted, 0);
        is_flow(&b.flow, ipver == 4 ? "203.0.113.9" : "2001:db8:f::9", 0,
                ipver == 4 ? "198.51.100.20" : "2001:db8:2::20", 0,
                ipver == 4 ? 1 : 58);
        assert_int_equal(a.fragment.id, b.fragment.id);
        assert_memory_equal(a.fragment.src, b.fragment.src, 32);
        /* So little of it that the quote is not all there. */
        const struct packet tiny = first_half(&e, 24);
        const struct tmtu_owner t = owner(&tiny, 0);
        assert_int_equal(t.by, TMTU_OWNER_UNREAD);
    }
}

/* ---- what cannot be read ---- */

static void r_8900_03_an_error_that_quotes_nonsense_has_an_owner_too(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        const struct test_shape sh = shape(ipver, 6);
        const struct packet ask = asks(&sh), answer = answers(&ask);
        const struct packet good = told(&answer);
        const size_t head = ipver == 4 ? 28 : 48;
        for (unsigned i = 0; i < 3; i++) {
            struct packet e = good;
            if (i == 0)
                e.p[head] ^= 0x20; /* another version, or none */
            else
                e = about(&answer, i == 1 ? 0 : (ipver == 4 ? 19 : 39),
                          too_big(&answer));
            const struct tmtu_owner o = owner(&e, 0);
            assert_int_equal(o.by, TMTU_OWNER_UNREAD);
            assert_int_equal(o.quoted, 0);
            is_flow(&o.flow, ipver == 4 ? "203.0.113.9" : "2001:db8:f::9", 0,
                    ipver == 4 ? "198.51.100.20" : "2001:db8:2::20", 0,
                    ipver == 4 ? 1 : 58);
        }
    }
}

static void an_error_about_an_error_is_not_looked_into(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (unsigned how = 0; how <= TUNNELS; how++) {
            const struct test_shape sh = shape(ipver, 6);
            const struct packet ask = asks(&sh), error = about(&ask, 80, 3),
                                e = told(&error);
            const struct tmtu_owner o = owner(&e, how);
            assert_int_equal(o.by, TMTU_OWNER_PROTO);
            assert_int_equal(o.quoted, 1);
            is_flow(&o.flow, ipver == 4 ? "192.0.2.10" : "2001:db8:1::10", 0,
                    ipver == 4 ? "203.0.113.9" : "2001:db8:f::9", 0,
                    ipver == 4 ? 1 : 58);
        }
}

static void what_was_read_already_gives_the_same(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(with_ports); i++)
            for (unsigned k = 0; k < 3; k++) {
                const uint8_t proto = icmp_of(ipver, with_ports[i]);
                struct test_shape sh = piece(ipver, proto, 0);
                sh.frag = k == 0   ? 0
                          : k == 1 ? first_of(ipver)
                                   : later_of(ipver);
                const struct packet ask = asks(&sh), answer = answers(&ask),
                                    e = told(&answer);
                const struct tmtu_pkt pkt = parse(&e, 0);
                struct tmtu_icmp icmp;
                struct tmtu_owner a, b;
                memset(&a, 0xa5, sizeof a);
                memset(&b, 0xa5, sizeof b);
                assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
                sane(&a, tmtu_owner_of(&pkt, TUNNELS, &a));
                sane(&b, tmtu_owner_of_error(&icmp, TUNNELS, &b));
                assert_memory_equal(&a, &b, sizeof a);
            }
}

/* ---- tunnels ---- */

static struct tmtu_encap tunnel(uint8_t kind, unsigned outer)
{
    struct tmtu_encap encap = test_encap(outer);
    encap.kind = kind;
    if (kind != TMTU_ENCAP_IPIP && kind != TMTU_ENCAP_GRE)
        encap.flags = TMTU_ENCAP_ZERO6;
    assert_int_equal(tmtu_encap_check(&encap), 0);
    return encap;
}

static size_t overhead(uint8_t kind, unsigned outer)
{
    const struct tmtu_encap encap = tunnel(kind, outer);
    return tmtu_encap_overhead(&encap);
}

/* In a tunnel of this kind, from one end to the other, or back. */
static struct packet carried(const struct packet *k, uint8_t kind,
                             unsigned outer, int back)
{
    struct tmtu_buf buf = test_buf(k->p, k->len, TMTU_ENCAP_HEADROOM, 0);
    const struct tmtu_pkt pkt = parse(k, TMTU_IP_QUOTED);
    struct tmtu_encap encap = tunnel(kind, outer);
    const struct tmtu_encap_each each = {1, 0x1234};
    struct packet out;
    if (back)
        swap(encap.src, encap.dst, 16);
    assert_int_equal(tmtu_encap_push(&buf, &pkt, &encap, &each), 0);
    out.len = tmtu_buf_len(&buf);
    assert_true(out.len <= sizeof out.p);
    memcpy(out.p, buf.data, out.len);
    free(buf.head);
    return out;
}

static void r_lib_06_a_tunnel_packet_belongs_to_the_flow_that_is_in_it(void **s)
{
    (void)s;
    for (size_t t = 0; t < TEST_ROWS(test_pairs); t++)
        for (uint8_t kind = 0; kind < TMTU_ENCAP_KINDS; kind++)
            for (size_t i = 0; i < TEST_ROWS(with_ports); i++) {
                const unsigned inner = test_pairs[t].inner,
                               outer = test_pairs[t].outer;
                const uint8_t proto = icmp_of(inner, with_ports[i]);
                struct test_shape sh = shape(inner, proto);
                sh.len = 400;
                const struct packet ask = asks(&sh), answer = answers(&ask);
                const struct packet in = carried(&ask, kind, outer, 0),
                                    back = carried(&answer, kind, outer, 1);
                const struct tmtu_owner flow = owner(&ask, 0),
                                        o = owner(&in, TUNNELS);
                same(&o, &flow);
                assert_int_equal(o.tunnels, 1);
                const size_t head = inner == 4 ? 20 : 40;
                const size_t over = overhead(kind, outer);
                for (size_t quote = outer == 4 ? 20 : 40; quote <= back.len;
                     quote += quote < over + head + 16 ? 1 : 37) {
                    const struct packet e = about(&back, quote, too_big(&back));
                    const struct tmtu_owner q = owner(&e, TUNNELS);
                    assert_int_equal(q.quoted, 1);
                    if (quote >= over + head + 8) {
                        same(&q, &flow);
                        assert_int_equal(q.tunnels, 1);
                        continue;
                    }
                    if (quote >= over + head + 4) /* ports, no identifier */
                        continue;
                    assert_int_equal(q.by, TMTU_OWNER_CUT);
                    assert_int_equal(q.tunnels, quote >= over + head);
                    if (quote >= over + head)
                        is_client(&q.flow, inner, proto, 0, 0);
                    else
                        is_flow(&q.flow,
                                outer == 4 ? "203.0.113.1" : "2001:db8:a::1", 0,
                                outer == 4 ? "203.0.113.2" : "2001:db8:b::1", 0,
                                back.p[outer == 4 ? 9 : 6]);
                }
            }
}

static void tunnels_are_left_alone_unless_asked_for(void **s)
{
    (void)s;
    for (uint8_t kind = 0; kind < TMTU_ENCAP_KINDS; kind++) {
        struct test_shape sh = shape(4, 6);
        sh.len = 400;
        const struct packet ask = asks(&sh), in = carried(&ask, kind, 4, 0);
        const struct tmtu_owner o = owner(&in, 0);
        const int udp = kind >= TMTU_ENCAP_GUE;
        assert_int_equal(o.by, udp ? TMTU_OWNER_PORTS : TMTU_OWNER_PROTO);
        assert_int_equal(o.tunnels, 0);
        const struct tmtu_pkt pkt = parse(&in, 0);
        assert_memory_equal(&o.flow, &pkt.flow, sizeof o.flow);
    }
}

/* The error about the tunnel packet of a balancer: who looks at the tunnel
 * alone sees that it is for an address of its own, and keeps it. */
static void
r_lib_23_an_error_about_ones_own_tunnel_is_told_by_its_ends(void **s)
{
    (void)s;
    struct test_shape sh = shape(4, 6);
    sh.len = 400;
    const struct packet ask = asks(&sh), in = carried(&ask, 0, 4, 0),
                        e = told(&in);
    const struct tmtu_owner o = owner(&e, 0);
    is_flow(&o.flow, "203.0.113.2", 0, "203.0.113.1", 0, 4);
    const struct tmtu_owner through = owner(&e, TUNNELS);
    is_flow(&through.flow, "198.51.100.20", 443, "192.0.2.10", 40000, 6);
}

/* An error that travels in a tunnel, as a balancer sends it to a real server;
 * and the error about that tunnel packet. */
static void errors_in_tunnels_belong_to_the_flow_that_they_quote(void **s)
{
    (void)s;
    for (size_t t = 0; t < TEST_ROWS(test_pairs); t++)
        for (uint8_t kind = 0; kind < TMTU_ENCAP_KINDS; kind++) {
            struct test_shape sh = shape(test_pairs[t].inner, 17);
            sh.len = 200;
            const struct packet ask = asks(&sh), answer = answers(&ask);
            const struct packet error = told(&answer);
            const struct packet in =
                carried(&error, kind, test_pairs[t].outer, 0);
            const struct tmtu_owner flow = owner(&ask, 0),
                                    o = owner(&in, TUNNELS);
            same(&o, &flow);
            assert_int_equal(o.quoted, 1);
            assert_int_equal(o.tunnels, 1);
            /* Turned round twice: the direction of what was in the tunnel is
             * the client's, and this one goes back. */
            const struct packet e = told(&in);
            const struct tmtu_owner q = owner(&e, TUNNELS);
            const struct tmtu_flow back = tmtu_flow_reverse(&flow.flow);
            assert_int_equal(q.quoted, 2);
            assert_memory_equal(&q.flow, &back, sizeof back);
            if (test_pairs[t].inner != test_pairs[t].outer)
                continue;
            /* The other way, and the error that comes of it is the client's. */
            const struct packet about_ask = told(&ask);
            const struct packet out =
                carried(&about_ask, kind, test_pairs[t].outer, 1);
            const struct packet f = told(&out);
            const struct tmtu_owner r = owner(&f, TUNNELS);
            same(&r, &flow);
        }
}

/* As deep as it goes: five errors, four tunnels, by turns. */
static void errors_and_tunnels_by_turns_are_looked_through(void **s)
{
    (void)s;
    struct test_shape sh = shape(4, 6);
    sh.len = 60;
    const struct packet ask = asks(&sh);
    struct packet k = ask;
    for (unsigned n = 1; n <= 5; n++) {
        k = told(&k);
        const struct tmtu_owner o = owner(&k, TUNNELS);
        assert_int_equal(o.by, TMTU_OWNER_PORTS);
        assert_int_equal(o.quoted, n);
        assert_int_equal(o.tunnels, n - 1);
        if (n % 2)
            is_flow(&o.flow, "198.51.100.20", 443, "192.0.2.10", 40000, 6);
        else
            is_client(&o.flow, 4, 6, 40000, 443);
        k = carried(&k, 0, 4, 0);
    }
    const struct tmtu_owner o = owner(&k, TUNNELS); /* the fifth */
    assert_int_equal(o.by, TMTU_OWNER_DEEP);
}

static void four_tunnels_are_looked_through_and_not_five(void **s)
{
    (void)s;
    struct test_shape sh = shape(4, 6);
    sh.len = 100;
    const struct packet ask = asks(&sh), answer = answers(&ask);
    const struct tmtu_owner flow = owner(&ask, 0);
    struct packet in = ask, back = answer;
    for (unsigned n = 1; n <= 6; n++) {
        const uint8_t kind = (uint8_t)(n % 3);
        in = carried(&in, kind, n % 2 ? 4 : 6, 0);
        back = carried(&back, kind, n % 2 ? 4 : 6, 1);
        const struct packet e = told(&back);
        const struct tmtu_owner o = owner(&in, TUNNELS), q = owner(&e, TUNNELS);
        assert_int_equal(o.tunnels, n > 4 ? 4 : n);
        same(&o, &q); /* whichever way, to the same place */
        if (n <= 4)
            same(&o, &flow);
        else
            assert_int_equal(o.by, TMTU_OWNER_DEEP);
        if (n == 5) /* the first one that was made */
            is_flow(&o.flow, "203.0.113.1", 0, "203.0.113.2", 0, 47);
    }
}

static void fragments_of_tunnel_packets_ask_for_the_first(void **s)
{
    (void)s;
    struct test_shape sh = shape(4, 6);
    sh.len = 600;
    const struct packet ask = asks(&sh);
    for (uint8_t kind = 0; kind < TMTU_ENCAP_KINDS; kind++) {
        struct packet k = carried(&ask, kind, 4, 0);
        const struct packet whole = k;
        tmtu_put16(k.p + 2, 420);
        tmtu_put16(k.p + 4, 0x7777);
        tmtu_put16(k.p + 6, 0x2000);
        mend4(k.p);
        k.len = 420;
        const struct tmtu_owner o = owner(&k, TUNNELS);
        is_client(&o.flow, 4, 6, 40000, 443);
        assert_int_equal(o.fragment.id, 0x7777);
        assert_int_equal(o.fragment.later, 0);
        tmtu_put16(k.p + 6, 50);
        mend4(k.p);
        const struct tmtu_owner l = owner(&k, TUNNELS);
        assert_int_equal(l.by, TMTU_OWNER_FRAGMENT);
        assert_int_equal(l.fragment.later, 1);
        assert_memory_equal(l.fragment.src, o.fragment.src, 32);
        /* Not looked through, those of IP in IP and GRE say all there is. */
        const struct tmtu_owner plain = owner(&k, 0);
        assert_int_equal(plain.by, kind >= TMTU_ENCAP_GUE ? TMTU_OWNER_FRAGMENT
                                                          : TMTU_OWNER_PROTO);
        assert_true(whole.len > k.len);
    }
    /* A fragment in a tunnel: the inner one is what matters. */
    struct test_shape later = piece(4, 17, later_of(4));
    const struct packet f = asks(&later), in = carried(&f, 0, 6, 0);
    const struct tmtu_owner o = owner(&in, TUNNELS);
    assert_int_equal(o.by, TMTU_OWNER_FRAGMENT);
    is_client(&o.flow, 4, 17, 0, 0);
    assert_int_equal(o.fragment.id, 0xbeef);
    assert_int_equal(o.fragment.ipver, 4);
}

/* ---- all of it, to servers ---- */

static struct tmtu_steer *table(int order)
{
    enum { SERVERS = 40 };
    static const struct tmtu_hash_key key = {0x1111, 0x2222};
    struct tmtu_steer_server servers[SERVERS];
    for (uint16_t i = 0; i < SERVERS; i++) {
        const uint16_t n = (uint16_t)((i * 7 + order * 13) % SERVERS);
        const uint8_t ip4[4] = {10, 0, 0, (uint8_t)n};
        memset(&servers[i], 0, sizeof servers[i]);
        tmtu_addr_set4(servers[i].addr, ip4);
        servers[i].value = n;
        servers[i].weight = 1;
    }
    struct tmtu_steer *t =
        tmtu_steer_init(test_exact(NULL, tmtu_steer_sizeof(65537)), 65537);
    assert_int_equal(tmtu_steer_build(t, servers, SERVERS, &key), 0);
    return t;
}

static int server_of(const struct tmtu_steer *t, const struct packet *k,
                     unsigned how)
{
    static const struct tmtu_hash_key key = {0x1111, 0x2222};
    const struct tmtu_owner o = owner(k, how);
    return tmtu_steer_lookup(t, tmtu_hash_flow(&key, &o.flow));
}

/* Two machines that share a key and a list, and nothing else. A router's error
 * may come to either of them (K111); policies of the routers in front do not
 * matter. */
static void k110_k111_both_machines_send_an_error_where_the_flow_goes(void **s)
{
    (void)s;
    struct tmtu_steer *one = table(0), *other = table(5);
    unsigned seen[40] = {0}, servers = 0, wrong = 0, all = 0;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t i = 0; i < TEST_ROWS(with_ports) + TEST_ROWS(without); i++)
            for (uint16_t client = 0; client < 20; client++) {
                const int ports = i < TEST_ROWS(with_ports);
                const uint8_t proto = ports
                                          ? icmp_of(ipver, with_ports[i])
                                          : without[i - TEST_ROWS(with_ports)];
                struct test_shape sh = shape(ipver, proto);
                if (ipver == 6 && proto == 51)
                    continue;
                sh.len = 300;
                struct packet ask = asks(&sh);
                const size_t head = ipver == 4 ? 20 : 40;
                ask.p[ipver == 4 ? 15 : 23] = (uint8_t)client;
                if (ipver == 4)
                    mend4(ask.p);
                if (ports)
                    tmtu_put16(ask.p + head + (i == 5 ? 4 : 0),
                               (uint16_t)(1024 + client * 977));
                const struct packet answer = answers(&ask);
                const int goes = server_of(one, &ask, 0);
                assert_in_range(goes, 0, 39);
                servers += seen[goes]++ == 0;
                assert_int_equal(server_of(other, &ask, 0), goes);
                for (size_t quote = head + 8; quote <= 300; quote += 29) {
                    const struct packet e =
                        about(&answer, quote, too_big(&answer));
                    assert_int_equal(server_of(one, &e, 0), goes);
                    assert_int_equal(server_of(other, &e, 0), goes);
                }
                /* What the mistakes of others would do: the quote as it is,
                 * and the error's own addresses. */
                const struct packet e = told(&answer);
                const struct tmtu_pkt pkt = parse(&e, 0);
                const struct tmtu_hash_key key = {0x1111, 0x2222};
                wrong += tmtu_steer_lookup(
                             one, tmtu_hash_flow(&key, &pkt.flow)) != goes;
                all++;
                for (unsigned outer = 4; outer <= 6; outer += 2)
                    for (uint8_t kind = 0; ports && kind < TMTU_ENCAP_KINDS;
                         kind++) {
                        const struct packet in = carried(&ask, kind, outer, 0);
                        const struct packet out =
                            carried(&answer, kind, outer, 1);
                        const size_t enough = overhead(kind, outer) + head + 8;
                        const struct packet f =
                            about(&out, enough, too_big(&out));
                        assert_int_equal(server_of(one, &in, TUNNELS), goes);
                        assert_int_equal(server_of(other, &f, TUNNELS), goes);
                    }
            }
    print_message("  %u servers of 40; by the router's address %u of %u would "
                  "go wrong\n",
                  servers, wrong, all);
    assert_int_equal(servers, 40);
    assert_true(wrong > all / 2);
    free(one);
    free(other);
}

/* The longest that ICMPv6 sends, to its server, through 1280 bytes. */
static void r_lib_22_an_error_reaches_its_server_in_outer_fragments(void **s)
{
    (void)s;
    const struct test_shape sh = shape(6, 6);
    const struct packet ask = asks(&sh), answer = answers(&ask);
    const struct packet e = told(&answer);
    const struct tmtu_pkt pkt = parse(&e, 0);
    struct tmtu_mtu mtu = TMTU_MTU_INIT;
    struct tmtu_mtu_decision d;
    assert_int_equal(pkt.len, 1280);
    mtu.path_mtu = 1280;
    mtu.outer = 6;
    mtu.overhead = 40;
    assert_int_equal(tmtu_mtu_decide(&pkt, &mtu, &d), 0);
    assert_int_equal(d.action, TMTU_MTU_OUTER_FRAG);
    assert_int_equal(d.notify, 0);
}

static void names_are_what_is_counted(void **s)
{
    (void)s;
    for (int i = 0; i < TMTU_OWNER_BYS; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(tmtu_owner_by_name(i),
                                    tmtu_owner_by_name(k));
    assert_string_equal(tmtu_owner_by_name(TMTU_OWNER_FRAGMENT), "fragment");
    assert_null(tmtu_owner_by_name(-1));
    assert_null(tmtu_owner_by_name(TMTU_OWNER_BYS));
    assert_int_equal(sizeof(struct tmtu_fragment), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            r_7690_03_r_7690_08_an_error_belongs_to_the_flow_it_is_about),
        cmocka_unit_test(every_kind_of_error_does),
        cmocka_unit_test(an_error_about_the_clients_packet_is_of_the_reverse),
        cmocka_unit_test(r_7690_10_echo_request_and_reply_are_one_flow),
        cmocka_unit_test(
            r_6437_03_flow_labels_and_traffic_classes_do_not_count),
        cmocka_unit_test(protocols_without_ports_go_by_addresses),
        cmocka_unit_test(ah_over_ipv6_goes_by_addresses_whatever_is_behind_it),
        cmocka_unit_test(
            r_7690_09_every_cut_is_by_ports_or_by_addresses_and_says_so),
        cmocka_unit_test(
            r_5508_02_r_4443_15_options_and_extension_headers_are_passed),
        cmocka_unit_test(r_791_07_r_8900_02_a_later_fragment_goes_by_addresses),
        cmocka_unit_test(
            fragments_of_what_has_no_ports_are_as_good_as_the_first),
        cmocka_unit_test(an_atomic_fragment_is_none),
        cmocka_unit_test(
            ipv6_fragments_that_go_on_with_options_ask_for_the_first),
        cmocka_unit_test(over_ipv4_nothing_is_an_extension_header),
        cmocka_unit_test(k114_of_an_error_in_fragments_the_first_is_read),
        cmocka_unit_test(
            r_8900_03_an_error_that_quotes_nonsense_has_an_owner_too),
        cmocka_unit_test(an_error_about_an_error_is_not_looked_into),
        cmocka_unit_test(what_was_read_already_gives_the_same),
        cmocka_unit_test(
            r_lib_06_a_tunnel_packet_belongs_to_the_flow_that_is_in_it),
        cmocka_unit_test(tunnels_are_left_alone_unless_asked_for),
        cmocka_unit_test(
            r_lib_23_an_error_about_ones_own_tunnel_is_told_by_its_ends),
        cmocka_unit_test(errors_in_tunnels_belong_to_the_flow_that_they_quote),
        cmocka_unit_test(errors_and_tunnels_by_turns_are_looked_through),
        cmocka_unit_test(four_tunnels_are_looked_through_and_not_five),
        cmocka_unit_test(fragments_of_tunnel_packets_ask_for_the_first),
        cmocka_unit_test(
            k110_k111_both_machines_send_an_error_where_the_flow_goes),
        cmocka_unit_test(
            r_lib_22_an_error_reaches_its_server_in_outer_fragments),
        cmocka_unit_test(names_are_what_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Super-packets cut into segments, byte for byte against a slow model. */
#include "tmtu_test.h"

#include <tunmtu/segment.h>

enum { TCP = 6, UDP = 17, IPIP = 4, IPV6 = 41 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, CWR = 128 };
#define SEQ 0xfffffff0u /* wraps around */
enum { ID = 0xfffe };   /* also */
enum { CASE_MAX = 65536 };

/* A super-packet to be made. */
struct super {
    const char *name;
    unsigned ipver;
    const char *extra; /* IPv4 options, or IPv6 extension headers */
    uint8_t first;     /* of those extension headers; 0: there are none */
    uint8_t proto;
    const char *options; /* of TCP */
    uint8_t flags;       /* of TCP */
    uint16_t urgent;
    unsigned payload, gso_size;
    unsigned outer; /* 4 or 6: it is inside of a tunnel; 0: it is not */
    unsigned how;
};

/* Twelve bytes, as Linux sends them: NOP, NOP, time stamps. */
#define STAMPS "0101080a 01020304 05060708"

static const struct super supers[] = {
    {"TCP over IPv4, three segments and a bit", 4, "", 0, TCP, "", ACK | PSH, 0,
     4500, 1448, 0, 0},
    {"TCP over IPv6", 6, "", 0, TCP, STAMPS, ACK | PSH, 0, 4500, 1428, 0, 0},
    {"the last segment is full", 4, "", 0, TCP, STAMPS, ACK, 0, 4344, 1448, 0,
     0},
    {"the last segment has one byte", 6, "", 0, TCP, STAMPS, ACK, 0, 2897, 1448,
     0, 0},
    {"64 KiB", 4, "", 0, TCP, STAMPS, ACK | PSH, 0, 65483, 1448, 0, 0},
    {"segments of odd length", 4, "", 0, TCP, "", ACK, 0, 777, 101, 0, 0},
    {"segments of one byte", 6, "", 0, TCP, "", ACK | PSH | FIN, 0, 70, 1, 0,
     0},
    {"FIN, PSH are the last's, CWR the first's (RFC 3168)", 4, "", 0, TCP, "",
     ACK | PSH | FIN | CWR | 0x40, 0, 3000, 1000, 0, 0},
    {"CWR is everyone's (Accurate ECN)", 6, "", 0, TCP, "", ACK | CWR | 0x40, 0,
     3000, 1000, 0, TMTU_SEGMENT_CWR},
    {"urgent data ends in the second segment", 4, "", 0, TCP, "", ACK | URG,
     1500, 4000, 1000, 0, 0},
    {"urgent data ends with the first segment", 4, "", 0, TCP, "", ACK | URG,
     1000, 4000, 1000, 0, 0},
    {"an urgent pointer without URG is noise", 4, "", 0, TCP, "", ACK, 1500,
     4000, 1000, 0, 0},
    {"forty bytes of TCP options", 6, "", 0, TCP,
     STAMPS STAMPS STAMPS "01010101", ACK, 0, 3000, 1000, 0, 0},
    {"IPv4 options go into all", 4, "01010101 94040000", 0, TCP, STAMPS, ACK, 0,
     3000, 1000, 0, 0},
    {"hop-by-hop and destination options", 6,
     "3c00010400000000" /* padding; destination options */
     "0601010c00000000 0000000000000000",
     0, TCP, STAMPS, ACK, 0, 3000, 1000, 0, 0},
    {"one segment: no more than its checksum is finished", 4, "", 0, TCP, "",
     ACK | PSH | FIN | CWR, 0, 1000, 1448, 0, 0},
    {"a SYN in one segment", 6, "", 0, TCP, "", SYN, 0, 1000, 1000, 0, 0},
    {"no payload at all", 4, "", 0, TCP, "", ACK, 0, 0, 1448, 0, 0},
    {"UDP over IPv4", 4, "", 0, UDP, "", 0, 0, 8000, 1000, 0, 0},
    {"UDP over IPv6", 6, "", 0, UDP, "", 0, 0, 8001, 1000, 0, 0},
    {"UDP with options and odd length", 4, "01010101", 0, UDP, "", 0, 0, 65000,
     1471, 0, 0},
    {"4in4", 4, "", 0, TCP, STAMPS, ACK | PSH, 0, 5000, 1428, 4, 0},
    {"6in4", 6, "", 0, TCP, STAMPS, ACK | PSH, 0, 5000, 1408, 4, 0},
    {"4in6", 4, "", 0, UDP, "", 0, 0, 5000, 1408, 6, 0},
    {"6in6", 6, "", 0, UDP, "", 0, 0, 5000, 1392, 6, 0},
};

/* Where what is in a made packet. */
struct made {
    uint8_t p[CASE_MAX];
    size_t len, inside, l4, head; /* head: bytes before the payload */
    unsigned ipver, outer;
    uint8_t proto;
};

static size_t make_ip(uint8_t *p, unsigned ipver, const char *extra,
                      uint8_t next, uint8_t last)
{
    size_t n = ipver == 4 ? 20 : 40;
    memset(p, 0, n);
    const size_t more = test_hex(extra, p + n, 64);
    if (ipver == 4) {
        p[0] = (uint8_t)(0x45 + more / 4);
        p[1] = 0xb8;
        tmtu_put16(p + 4, ID);
        tmtu_put16(p + 6, 0x4000);
        p[8] = 63;
        p[9] = last;
        tmtu_put32(p + 12, 0xc000020a);
        tmtu_put32(p + 16, 0xc6336414);
    } else {
        tmtu_put32(p, 0x6b8abcde);
        p[6] = more > 0 ? next : last;
        p[7] = 63;
        tmtu_put32(p + 8, 0x20010db8);
        p[23] = 0x10;
        tmtu_put32(p + 24, 0x20010db8);
        p[39] = 0x20;
    }
    return n + more;
}

/* Lengths and IPv4 checksum of the header at `p`, of a packet of `len`. */
static void finish_ip(uint8_t *p, size_t len)
{
    if (p[0] >> 4 == 6) {
        tmtu_put16(p + 4, (uint16_t)(len - 40));
        return;
    }
    tmtu_put16(p + 2, (uint16_t)len);
    tmtu_put16(p + 10, 0);
    tmtu_put16(p + 10, test_cksum(p, (p[0] & 15u) * 4u));
}

/* The transport checksum by hand: a pseudo-header in front of a copy. */
static uint16_t transport_sum(const struct made *m, const uint8_t *p, size_t n)
{
    static uint8_t all[CASE_MAX + 40];
    const uint8_t *ip = p + m->inside;
    const size_t addr = m->ipver == 4 ? 12 : 8, size = m->ipver == 4 ? 8 : 32;
    const size_t len = n - m->l4;
    memset(all, 0, 40);
    memcpy(all, ip + addr, size);
    tmtu_put32(all + 32, (uint32_t)len);
    all[39] = m->proto;
    memcpy(all + 40, p + m->l4, len);
    return test_cksum(all, 40 + len);
}

static struct made *make(const struct super *s)
{
    static struct made m;
    const uint8_t inner_proto = s->ipver == 4 ? IPIP : IPV6;
    memset(&m, 0, sizeof m);
    m.ipver = s->ipver;
    m.outer = s->outer;
    m.proto = s->proto;
    if (s->outer != 0)
        m.inside = make_ip(m.p, s->outer, "", 0, inner_proto);
    m.l4 = m.inside +
           make_ip(m.p + m.inside, s->ipver, s->extra, s->first, s->proto);
    uint8_t *l4 = m.p + m.l4;
    tmtu_put16(l4, 40000);
    tmtu_put16(l4 + 2, 443);
    m.head = m.l4 + 8;
    if (s->proto == TCP) {
        const size_t options = test_hex(s->options, l4 + 20, 40);
        tmtu_put32(l4 + 4, SEQ);
        tmtu_put32(l4 + 8, 0x01020304);
        l4[12] = (uint8_t)((5 + options / 4) << 4);
        l4[13] = s->flags;
        tmtu_put16(l4 + 14, 500);
        tmtu_put16(l4 + 18, s->urgent);
        m.head = m.l4 + 20 + options;
    }
    m.len = m.head + s->payload;
    for (size_t i = m.head; i < m.len; i++)
        m.p[i] = (uint8_t)(i * 7 + i / 251);
    if (s->proto == UDP)
        tmtu_put16(l4 + 4, (uint16_t)(m.len - m.l4));
    tmtu_put16(l4 + (s->proto == UDP ? 6 : 16), 0xdead); /* not finished */
    finish_ip(m.p + m.inside, m.len - m.inside);
    if (s->outer != 0)
        finish_ip(m.p, m.len);
    return &m;
}

/* What the nth segment must be, at `p`. Returns its length; 0: there is none.
 */
static size_t model(const struct super *s, const struct made *m, unsigned nth,
                    uint8_t *p)
{
    const size_t from = (size_t)nth * s->gso_size;
    if (from >= s->payload && nth > 0)
        return 0;
    const size_t left = s->payload - from;
    const size_t n = left < s->gso_size ? left : s->gso_size;
    const int last = from + n == s->payload;
    memcpy(p, m->p, m->head);
    memcpy(p + m->head, m->p + m->head + from, n);
    const size_t len = m->head + n;
    if (m->ipver == 4)
        tmtu_put16(p + m->inside + 4, (uint16_t)(ID + nth));
    finish_ip(p + m->inside, len - m->inside);
    if (m->outer == 4)
        tmtu_put16(p + 4, (uint16_t)(ID + nth));
    if (m->outer != 0)
        finish_ip(p, len);
    uint8_t *l4 = p + m->l4, *check = l4 + 16;
    if (m->proto == UDP) {
        tmtu_put16(l4 + 4, (uint16_t)(len - m->l4));
        check = l4 + 6;
    } else {
        tmtu_put32(l4 + 4, SEQ + (uint32_t)from);
        if (!last)
            l4[13] &= (uint8_t) ~(FIN | PSH);
        if (nth > 0 && !(s->how & TMTU_SEGMENT_CWR))
            l4[13] &= (uint8_t)~CWR;
        if (l4[13] & URG) {
            if (s->urgent <= from)
                l4[13] &= (uint8_t)~URG;
            tmtu_put16(l4 + 18,
                       s->urgent > from ? (uint16_t)(s->urgent - from) : 0);
        }
    }
    tmtu_put16(check, 0);
    const uint16_t sum = transport_sum(m, p, len);
    tmtu_put16(check, m->proto == UDP && sum == 0 ? 0xffff : sum);
    return len;
}

static struct tmtu_pkt parsed(const uint8_t *p, size_t n, unsigned gso_size)
{
    struct tmtu_pkt pkt;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), TMTU_IP_VERIFY, &pkt), 0);
    pkt.gso_size = (uint16_t)gso_size;
    return pkt;
}

static void segments_are_the_models(void **state)
{
    static uint8_t want[CASE_MAX];
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(supers); i++) {
        const struct super *s = &supers[i];
        print_message("  %s\n", s->name);
        struct made *m = make(s);
        uint8_t *block = test_exact(m->p, m->len);
        const struct tmtu_pkt pkt = parsed(block, m->len, s->gso_size);
        struct tmtu_segment cut;
        assert_int_equal(tmtu_segment_init(&cut, &pkt, s->how), 0);
        unsigned n = 0;
        for (size_t len; (len = model(s, m, n, want)) > 0; n++) {
            /* one byte short: nothing happens, and it can be asked again */
            struct tmtu_buf none = test_buf(NULL, 0, 7, len - 1);
            const struct tmtu_buf before = none;
            assert_int_equal(tmtu_segment_next(&cut, &none), TMTU_E_NOSPACE);
            assert_memory_equal(&none, &before, sizeof none);
            for (size_t k = 0; k < 7 + len - 1; k++)
                assert_int_equal(none.head[k], 0xa5);
            free(none.head);

            struct tmtu_buf out = test_buf(NULL, 0, 7, len);
            assert_int_equal(tmtu_segment_next(&cut, &out), 1);
            assert_ptr_equal(out.data, out.head + 7);
            for (size_t k = 0; k < 7; k++)
                assert_int_equal(out.head[k], 0xa5);
            assert_int_equal(tmtu_buf_len(&out), len);
            assert_memory_equal(out.data, want, len);
            if (s->outer == 0) {
                const struct tmtu_pkt piece = parsed(out.data, len, 0);
                assert_int_equal(tmtu_ip_transport_verify(&piece), 0);
            }
            free(out.head);
        }
        assert_int_equal(n, s->payload == 0
                                ? 1
                                : (s->payload + s->gso_size - 1) / s->gso_size);
        for (int again = 0; again < 2; again++) {
            struct tmtu_buf out = test_buf(NULL, 0, 7, 64);
            assert_int_equal(tmtu_segment_next(&cut, &out), 0);
            assert_int_equal(tmtu_buf_len(&out), 0);
            assert_int_equal(out.data[0], 0xa5);
            free(out.head);
        }
        assert_memory_equal(block, m->p, m->len);
        free(block);
    }
}

static void without_a_gso_size_it_comes_out_unchanged(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(supers); i++) {
        struct made *m = make(&supers[i]);
        const struct tmtu_pkt pkt = parsed(m->p, m->len, 0);
        struct tmtu_segment cut;
        struct tmtu_buf out = test_buf(NULL, 0, 0, m->len);
        assert_int_equal(tmtu_segment_init(&cut, &pkt, 0), 0);
        assert_int_equal(tmtu_segment_next(&cut, &out), 1);
        assert_int_equal(tmtu_buf_len(&out), m->len);
        assert_memory_equal(out.data, m->p, m->len);
        assert_int_equal(tmtu_segment_next(&cut, &out), 0);
        free(out.head);
    }
}

static void udp_without_a_checksum(void **state)
{
    (void)state;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        const struct super s = {"", ipver, "", 0, UDP, "", 0, 0, 99, 50, 0, 0};
        struct made *m = make(&s);
        tmtu_put16(m->p + m->l4 + 6, 0);
        const struct tmtu_pkt pkt = parsed(m->p, m->len, s.gso_size);
        struct tmtu_segment cut;
        assert_int_equal(tmtu_segment_init(&cut, &pkt, 0), 0);
        for (int n = 0; n < 2; n++) {
            struct tmtu_buf out = test_buf(NULL, 0, 0, 200);
            assert_int_equal(tmtu_segment_next(&cut, &out), 1);
            const uint16_t check = tmtu_get16(out.data + m->l4 + 6);
            if (ipver == 4)
                assert_int_equal(check, 0);
            else /* there is always one (RFC 8200 §8.1) */
                assert_int_not_equal(check, 0);
            free(out.head);
        }
    }
}

static void udp_whose_sum_is_zero_says_ffff(void **state)
{
    const struct super s = {"", 4, "", 0, UDP, "", 0, 0, 4, 2, 0, 0};
    (void)state;
    struct made *m = make(&s);
    /* Two segments; the first one's data makes up for all the rest. */
    uint8_t first[64];
    memset(m->p + m->head, 0, 4);
    const size_t n = model(&s, m, 0, first);
    memcpy(m->p + m->head, first + m->l4 + 6, 2); /* its checksum */
    const struct tmtu_pkt pkt = parsed(m->p, m->len, s.gso_size);
    struct tmtu_segment cut;
    struct tmtu_buf out = test_buf(NULL, 0, 0, n);
    assert_int_equal(tmtu_segment_init(&cut, &pkt, 0), 0);
    assert_int_equal(tmtu_segment_next(&cut, &out), 1);
    assert_int_equal(tmtu_get16(out.data + m->l4 + 6), 0xffff);
    free(out.head);
}

/* A super-packet, with one byte changed; parsed as a quote, for a whole packet
 * would be refused before. */
static const struct refusal {
    const char *name;
    struct super super;
    int at; /* from the innermost IP header; -1: none */
    uint8_t to;
    int want;
} refusals[] = {
    {"good", {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 0, 0}, -1, 0, 0},
    {"SYN and more than one segment",
     {"", 4, "", 0, TCP, "", SYN, 0, 1001, 1000, 0, 0},
     -1,
     0,
     TMTU_E_UNSUPPORTED},
    {"RST and more than one segment",
     {"", 6, "", 0, TCP, "", RST | ACK, 0, 1001, 1000, 0, 0},
     -1,
     0,
     TMTU_E_UNSUPPORTED},
    {"an IPv4 fragment",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 0, 0},
     6,
     0x20,
     TMTU_E_MALFORMED},
    {"SCTP",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 0, 0},
     9,
     132,
     TMTU_E_UNSUPPORTED},
    {"TCP header of 16 bytes",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 0, 0},
     32,
     0x40,
     TMTU_E_MALFORMED},
    {"TCP header longer than the packet",
     {"", 4, "", 0, TCP, "", ACK, 0, 30, 10, 0, 0},
     32,
     0xf0,
     TMTU_E_MALFORMED},
    {"UDP shorter than its packet",
     {"", 4, "", 0, UDP, "", 0, 0, 3000, 1000, 0, 0},
     25,
     0xb0,
     TMTU_E_MALFORMED},
    {"a routing header with a segment left",
     {"", 6, "0600020100000000", 43, TCP, "", ACK, 0, 3000, 1000, 0, 0},
     -1,
     0,
     TMTU_E_UNSUPPORTED},
    {"inside: of the other version",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 4, 0},
     -11,
     IPV6,
     TMTU_E_MALFORMED},
    {"inside: a header length of 4",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 4, 0},
     0,
     0x41,
     TMTU_E_MALFORMED},
    {"inside: a wrong header checksum",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 6, 0},
     11,
     0x77,
     TMTU_E_MALFORMED},
    {"inside: shorter than what is around it",
     {"", 6, "", 0, TCP, "", ACK, 0, 3000, 1000, 4, 0},
     5,
     8,
     TMTU_E_MALFORMED},
    {"inside: a tunnel again",
     {"", 6, "", 0, UDP, "", 0, 0, 3000, 1000, 4, 0},
     6,
     IPV6,
     TMTU_E_UNSUPPORTED},
    {"the tunnel packet is a fragment",
     {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 4, 0},
     -14,
     0x20,
     TMTU_E_MALFORMED},
};

static void refuses_what_cannot_be_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(refusals); i++) {
        const struct refusal *r = &refusals[i];
        print_message("  %s\n", r->name);
        struct made *m = make(&r->super);
        if (r->at != -1)
            m->p[(int)m->inside + r->at] = r->to;
        struct tmtu_pkt pkt;
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(m->p, m->len), TMTU_IP_QUOTED, &pkt), 0);
        pkt.gso_size = (uint16_t)r->super.gso_size;
        struct tmtu_segment cut, before;
        memset(&cut, 0xa5, sizeof cut);
        memcpy(&before, &cut, sizeof cut);
        assert_int_equal(tmtu_segment_init(&cut, &pkt, 0), r->want);
        if (r->want < 0)
            assert_memory_equal(&cut, &before, sizeof cut);
    }
}

static void refuses_what_is_not_all_there(void **state)
{
    const struct super s = {"", 4, "", 0, TCP, "", ACK, 0, 3000, 1000, 0, 0};
    (void)state;
    struct made *m = make(&s);
    for (size_t n = 28; n < m->len; n++) {
        struct tmtu_pkt pkt;
        struct tmtu_segment cut;
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(m->p, n), TMTU_IP_QUOTED, &pkt), 0);
        pkt.gso_size = 1000;
        assert_int_equal(tmtu_segment_init(&cut, &pkt, 0), TMTU_E_TRUNCATED);
        pkt.gso_size = 0;
        assert_int_equal(tmtu_segment_init(&cut, &pkt, 0), TMTU_E_TRUNCATED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_the_models),
        cmocka_unit_test(without_a_gso_size_it_comes_out_unchanged),
        cmocka_unit_test(udp_without_a_checksum),
        cmocka_unit_test(udp_whose_sum_is_zero_says_ffff),
        cmocka_unit_test(refuses_what_cannot_be_cut),
        cmocka_unit_test(refuses_what_is_not_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

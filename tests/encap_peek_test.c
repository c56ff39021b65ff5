/* SPDX-License-Identifier: MIT */
/* encap: tunnels looked through, above all where they are quoted. */
#include "tmtu_packet.h"

enum { ROOM = 512, KEY = 0x01020304 };

/* 203.0.113.1 > 203.0.113.2 with a protocol; 2001:db8:a::1 > 2001:db8:b::1 with
 * a next header. Their lengths tell of a packet of 1500 bytes. */
#define OUT4(proto) "450005dc 00004000 40" proto "0000 cb007101 cb007102 "
#define ADDRS6                                                                 \
    "20010db8 000a0000 00000000 00000001 20010db8 000b0000 00000000 00000001 "
#define OUT6(next) "60000000 05b4" next "40 " ADDRS6
/* Inside: TCP and its sequence number over IPv4, ports alone over IPv6. */
#define IN4 "450005c8 00004000 3f060000 c000020a c6336414 9c4001bb 01020304 "
#define IN6                                                                    \
    "60000000 058c063f 20010db8 00010000 00000000 00000010 "                   \
    "20010db8 00020000 00000000 00000020 9c4001bb "
#define UDP(port) "c1d2" port "05c80000 "
#define GUE       "17c0"
#define GREUDP    "1292"

/* The tunnel of a row: a letter for its kind. */
static int tunnel(struct tmtu_encap *e, char kind, unsigned outer)
{
    static const char letters[] = "pgu1r"; /* as in enum tmtu_encap_kind */
    *e = test_encap(outer);
    e->key = KEY;
    if (kind == 'k') { /* GRE with that key */
        e->kind = TMTU_ENCAP_GRE;
        e->flags = TMTU_ENCAP_KEY;
        return 1;
    }
    if (kind == '*')
        return 0;
    e->kind = (uint8_t)(strchr(letters, kind) - letters);
    return 1;
}

static const struct {
    const char *name;
    char tunnel; /* p, g, k, u, 1, r: as above; *: any */
    int want;
    const char *hex;
} rows[] = {
    {"4in4", 'p', 20, OUT4("04") IN4},
    {"K86 6in4", 'p', 20, OUT4("29") IN6},
    {"4in6", 'p', 40, OUT6("04") IN4},
    {"K85 6in6", 'p', 40, OUT6("29") IN6},
    {"any 4in4", '*', 20, OUT4("04") IN4},
    {"any 6in4", '*', 20, OUT4("29") IN6},
    {"any 4in6", '*', 40, OUT6("04") IN4},
    {"any 6in6", '*', 40, OUT6("29") IN6},
    {"K75 24 bytes with four of options", 'p', 24,
     "460005dc 00004000 40040000 cb007101 cb007102 01010101 " IN4},
    {"K75 60 bytes with forty of them", '*', 60,
     "4f0005dc 00004000 40040000 cb007101 cb007102 01010101 01010101 01010101"
     "01010101 01010101 01010101 01010101 01010101 01010101 01010101 " IN4},

    /* GRE */
    {"GRE", 'g', 24, OUT4("2f") "00000800 " IN4},
    {"GRE over IPv6", 'g', 44, OUT6("2f") "000086dd " IN6},
    {"K76 GRE with a checksum, which nobody verifies", 'g', 28,
     OUT4("2f") "80000800 ffff0000 " IN4},
    {"GRE with a sequence number", 'g', 28,
     OUT4("2f") "10000800 00000007 " IN4},
    {"GRE with its key", 'k', 28, OUT4("2f") "20000800 01020304 " IN4},
    {"GRE with all three", 'k', 36,
     OUT4("2f") "b0000800 ffff0000 01020304 00000007 " IN4},
    {"any GRE with all three", '*', 36,
     OUT4("2f") "b0000800 ffff0000 01020304 00000007 " IN4},
    {"RFC 2784 §2.3: bits 6 to 12 say nothing", 'g', 24,
     OUT4("2f") "03f80800 " IN4},
    {"K84 another key", 'k', TMTU_E_IGNORED,
     OUT4("2f") "20000800 01020305 " IN4},
    {"another key behind a checksum", 'k', TMTU_E_IGNORED,
     OUT4("2f") "a0000800 01020304 01020305 " IN4},
    {"a key that is not wanted", 'g', TMTU_E_IGNORED,
     OUT4("2f") "20000800 01020304 " IN4},
    {"a key that is missing", 'k', TMTU_E_IGNORED, OUT4("2f") "00000800 " IN4},
    {"K84 routing", '*', TMTU_E_IGNORED, OUT4("2f") "40000800 00000000 " IN4},
    {"strict source route", 'g', TMTU_E_IGNORED, OUT4("2f") "08000800 " IN4},
    {"recursion control", 'g', TMTU_E_IGNORED, OUT4("2f") "04000800 " IN4},
    {"K84 version 1", 'g', TMTU_E_IGNORED, OUT4("2f") "0001880b " IN4},
    {"Ethernet inside", '*', TMTU_E_IGNORED, OUT4("2f") "00006558 " IN4},
    {"R-LIB-07 eight bytes tell the key", 'k', TMTU_E_TRUNCATED,
     OUT4("2f") "20000800 01020304"},
    {"R-LIB-07 eight bytes tell another key", 'k', TMTU_E_IGNORED,
     OUT4("2f") "20000800 01020305"},
    {"R-LIB-07 eight bytes end before a key behind a checksum", 'k',
     TMTU_E_TRUNCATED, OUT4("2f") "a0000800 01020305"},
    {"R-LIB-07 eight bytes without a key are enough for whose", 'k',
     TMTU_E_IGNORED, OUT4("2f") "00000800 45000000"},
    {"K81 GRE, of which eight bytes are there", 'g', TMTU_E_TRUNCATED,
     OUT4("2f") "00000800 450005c4"},
    {"three bytes of GRE", 'g', TMTU_E_TRUNCATED, OUT4("2f") "000008"},

    /* UDP */
    {"GUE variant 0", 'u', 32, OUT4("11") UDP(GUE) "00040000 " IN4},
    {"K84 differs: GUE that carries IPv6 is 6in4", 'u', 32,
     OUT4("11") UDP(GUE) "00290000 " IN6},
    {"K76 GUE with eight bytes of options", 'u', 40,
     OUT4("11") UDP(GUE) "02040000 0000000000000000 " IN4},
    {"GUE with flags and what they stand for", '*', 36,
     OUT4("11") UDP(GUE) "01040100 00000000 " IN4},
    {"GUE variant 1", '1', 28, OUT4("11") UDP(GUE) IN4},
    {"both variants come to one port", 'u', 48, OUT6("11") UDP(GUE) IN6},
    {"GRE in UDP", 'r', 32, OUT4("11") UDP(GREUDP) "00000800 " IN4},
    {"any GUE", '*', 32, OUT4("11") UDP(GUE) "00040000 " IN4},
    {"any GRE in UDP", '*', 36,
     OUT4("11") UDP(GREUDP) "20000800 01020304 " IN4},
    {"UDP's length and checksum are hearsay", 'u', 32,
     OUT4("11") "c1d217c0 0000ffff 00040000 " IN4},
    {"K84 control message", 'u', TMTU_E_IGNORED,
     OUT4("11") UDP(GUE) "20040000 " IN4},
    {"K84 variant 2", '*', TMTU_E_IGNORED, OUT4("11") UDP(GUE) "80040000 " IN4},
    {"GUE that carries TCP", 'u', TMTU_E_IGNORED,
     OUT4("11") UDP(GUE) "00060000 " IN4},
    {"another port", 'u', TMTU_E_IGNORED,
     OUT4("11") UDP("17c1") "00040000 " IN4},
    {"a port that nobody knows", '*', TMTU_E_IGNORED,
     OUT4("11") UDP("0035") IN4},
    {"K81 UDP, of which eight bytes are there", 'u', TMTU_E_TRUNCATED,
     OUT4("11") UDP(GUE)},
    {"UDP, of which four bytes are there", 'u', TMTU_E_TRUNCATED,
     OUT4("11") "c1d217c0"},
    {"four bytes are enough for another port", 'u', TMTU_E_IGNORED,
     OUT4("11") "c1d20035"},
    {"UDP, of which two bytes are there", 'u', TMTU_E_TRUNCATED,
     OUT4("11") "c1d2"},
    {"two bytes tell nothing about any tunnel", '*', TMTU_E_IGNORED,
     OUT4("11") "c1d2"},
    {"GUE ends in its options", 'u', TMTU_E_TRUNCATED,
     OUT4("11") UDP(GUE) "02040000 00000000"},

    /* what is inside */
    {"K81 R-LIB-06 IP in IP, of which eight bytes are there", 'p',
     TMTU_E_TRUNCATED, OUT4("04") "450005c8 00004000"},
    {"nothing is there", 'p', TMTU_E_TRUNCATED, OUT4("04")},
    {"nothing is there, of any tunnel", '*', TMTU_E_TRUNCATED, OUT4("29")},
    {"protocol 4 carries IPv6", 'p', TMTU_E_MALFORMED, OUT4("04") IN6},
    {"protocol 41 carries IPv4", '*', TMTU_E_MALFORMED, OUT4("29") IN4},
    {"one byte is enough for a wrong version", 'p', TMTU_E_MALFORMED,
     OUT4("04") "60"},
    {"EtherType 86dd carries IPv4", 'g', TMTU_E_MALFORMED,
     OUT4("2f") "000086dd " IN4},
    {"GUE says IPv4 and carries IPv6", 'u', TMTU_E_MALFORMED,
     OUT4("11") UDP(GUE) "00040000 " IN6},
    {"GUE variant 1 with version 5", '1', TMTU_E_MALFORMED,
     OUT4("11") UDP(GUE) "55000000 " IN4},
    {"inner header length 16", 'p', TMTU_E_MALFORMED,
     OUT4("04") "440005c8 00004000 3f060000 c000020a c6336414"},
    {"inner options are cut off", 'p', TMTU_E_TRUNCATED,
     OUT4("04") "460005c8 00004000 3f060000 c000020a c6336414 0101"},
    {"nine inner extension headers", 'p', TMTU_E_LIMIT,
     OUT4("29") "60000000 05b43c40 " ADDRS6
                "3c00000000000000 3c00000000000000 3c00000000000000"
                "3c00000000000000 3c00000000000000 3c00000000000000"
                "3c00000000000000 3c00000000000000 0600000000000000"},

    /* outside */
    {"an encapsulation limit counts", 'p', 48,
     OUT6("3c") "0400040104010000 " IN4},
    {"a hop-by-hop header counts", '*', 48, OUT6("00") "2900010400000000 " IN6},
    {"the quote ends in an extension header", 'p', TMTU_E_TRUNCATED,
     OUT6("3c") "04000401"},
    {"in one for mobility", 'p', TMTU_E_TRUNCATED, OUT6("87") "04000401"},
    {"which tells nothing about any tunnel", '*', TMTU_E_IGNORED,
     OUT6("3c") "04000401"},
    {"and nothing about a tunnel when TCP is named", 'u', TMTU_E_IGNORED,
     OUT6("06") "c1d2"},
    {"AH over IPv4 is no extension header", 'p', TMTU_E_IGNORED,
     OUT4("33") "04040000 00000001 00000001 00000000 " IN4},
    {"a first fragment over IPv4", 'p', 20,
     "450005dc 00012000 40040000 cb007101 cb007102 " IN4},
    {"a later one", 'p', TMTU_E_IGNORED,
     "450005dc 000120b9 40040000 cb007101 cb007102 " IN4},
    {"a first fragment over IPv6 has a header more", '*', 48,
     OUT6("2c") "0400000112345678 " IN4},
    {"a later one over IPv6", '*', TMTU_E_IGNORED,
     OUT6("2c") "0400058812345678 " IN4},
    {"an atomic fragment", 'p', 48, OUT6("2c") "0400000012345678 " IN4},
    {"K83 somebody else's source", 'p', TMTU_E_IGNORED,
     "450005dc 00004000 40040000 cb007103 cb007102 " IN4},
    {"K83 to somebody else", 'p', TMTU_E_IGNORED,
     "450005dc 00004000 40040000 cb007101 cb007103 " IN4},
    {"K83 it comes back: ends the other way round", 'p', TMTU_E_IGNORED,
     "450005dc 00004000 40040000 cb007102 cb007101 " IN4},
    {"K83 of another kind", 'g', TMTU_E_IGNORED, OUT4("04") IN4},
    {"no tunnel at all", '*', TMTU_E_IGNORED, IN4},
    {"still on its way through a routing header", 'p', TMTU_E_IGNORED,
     OUT6("2b") "0402000100000000 20010db8000c000000000000 00000001 " IN4},
};

/* `n` bytes of it, quoted, out of memory that ends with them. */
static int peek(const uint8_t *p, size_t n, const struct tmtu_encap *encap,
                struct tmtu_pkt *inner, uint8_t **mem)
{
    struct tmtu_pkt outer;
    *mem = test_exact(p, n);
    int rc = tmtu_ip_parse(tmtu_view(*mem, n), TMTU_IP_QUOTED, &outer);
    assert_int_equal(rc, 0);
    struct tmtu_pkt before;
    memset(inner, 0xa5, sizeof *inner);
    memset(&before, 0xa5, sizeof before);
    rc = tmtu_encap_peek(&outer, encap, inner);
    if (rc < 0) {
        assert_memory_equal(inner, &before, sizeof before);
        /* The same when the value is replaced, which then is not. */
        before = outer;
        assert_int_equal(tmtu_encap_peek(&outer, encap, &outer), rc);
        assert_memory_equal(&outer, &before, sizeof before);
    } else {
        assert_int_equal(tmtu_encap_peek(&outer, encap, &outer), rc);
        assert_memory_equal(&outer, inner, sizeof outer);
        assert_ptr_equal(inner->data, *mem + rc);
        assert_ptr_equal(inner->data + inner->have, *mem + n);
    }
    return rc;
}

static void looks_into_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t p[ROOM], *mem;
        struct tmtu_encap encap;
        struct tmtu_pkt inner;
        const size_t n = test_hex(rows[i].hex, p, sizeof p);
        const int named = tunnel(&encap, rows[i].tunnel, p[0] >> 4);
        const int rc = peek(p, n, named ? &encap : NULL, &inner, &mem);
        if (rc != rows[i].want)
            fail_msg("%s: is %d, not %d", rows[i].name, rc, rows[i].want);
        if (rc > 0) {
            assert_int_equal(inner.flow.proto, 6);
            assert_int_equal(inner.flow.sport, 40000);
            assert_int_equal(inner.flow.dport, 443);
        }
        free(mem);
    }
}

/* A tunnel packet of this kind, with these flags, in exactly its memory. */
static struct tmtu_buf made(const struct tmtu_encap *e, unsigned inner,
                            struct tmtu_pkt *pkt)
{
    const struct test_shape shape = test_shape(inner, 100);
    const struct tmtu_encap_each each = {7, 0x1234};
    struct tmtu_buf b = test_made(&shape, TMTU_ENCAP_HEADROOM);
    *pkt = test_parsed(&b);
    assert_int_equal(tmtu_encap_check(e), 0);
    assert_int_equal(tmtu_encap_push(&b, pkt, e, &each), 0);
    return b;
}

/* R-LIB-06: whatever is pushed is known again, cut at every length; and not as
 * a packet of a tunnel that is named differently. */
static void cut_anywhere(struct tmtu_encap *e, unsigned inner)
{
    struct tmtu_pkt pkt, got;
    struct tmtu_buf b = made(e, inner, &pkt);
    const unsigned outer = b.data[0] >> 4;
    const size_t n = tmtu_buf_len(&b), over = tmtu_encap_overhead(e);
    const size_t need = over + (inner == 4 ? 20 : 40);
    assert_int_equal(n, over + 100);
    for (size_t cut = outer == 4 ? 20 : 40; cut <= n; cut++) {
        uint8_t *mem;
        int rc = peek(b.data, cut, e, &got, &mem);
        assert_int_equal(rc, cut < need ? (int)TMTU_E_TRUNCATED : (int)over);
        free(mem);
        if (cut >= need) {
            assert_int_equal(got.len, 100);
            assert_int_equal(got.have, cut - over);
            if (cut >= need + 4)
                assert_true(tmtu_flow_equal(&got.flow, &pkt.flow));
            else
                assert_true(got.flags & TMTU_PKT_CUT);
        }
        rc = peek(b.data, cut, NULL, &got, &mem);
        if (cut >= need)
            assert_int_equal(rc, over);
        else
            assert_true(rc == TMTU_E_TRUNCATED || rc == TMTU_E_IGNORED);
        free(mem);
    }

    /* K83: of other tunnels it is not. */
    struct tmtu_encap other[6];
    for (size_t i = 0; i < TEST_ROWS(other); i++)
        other[i] = *e;
    other[0].src[15] ^= 1;
    other[1].dst[15] ^= 1;
    other[2].flags ^= TMTU_ENCAP_KEY; /* GRE */
    other[3].key ^= 0x80000000u;
    other[4].dport = 9999; /* UDP */
    other[5].sport = 9999;
    const int gre = e->kind == TMTU_ENCAP_GRE || e->kind == TMTU_ENCAP_GREUDP;
    const int udp = e->kind >= TMTU_ENCAP_GUE;
    const int told[] = {1,   1,  gre, gre && (e->flags & TMTU_ENCAP_KEY),
                        udp, udp};
    for (size_t i = 0; i < TEST_ROWS(other); i++) {
        uint8_t *mem;
        const int rc = peek(b.data, n, &other[i], &got, &mem);
        if (rc != (told[i] ? (int)TMTU_E_IGNORED : (int)over))
            fail_msg("kind %u, other %zu: %d", e->kind, i, rc);
        free(mem);
    }
    free(b.head);
}

static void r_lib_06_what_push_made_is_known_at_every_length(void **state)
{
    static const uint8_t flags[] = {
        0,
        TMTU_ENCAP_CSUM,
        TMTU_ENCAP_KEY,
        TMTU_ENCAP_SEQ,
        TMTU_ENCAP_CSUM | TMTU_ENCAP_KEY,
        TMTU_ENCAP_CSUM | TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ,
    };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (uint8_t kind = 0; kind < TMTU_ENCAP_KINDS; kind++) {
            for (size_t f = 0; f < TEST_ROWS(flags); f++) {
                struct tmtu_encap e = test_encap(test_pairs[i].outer);
                e.kind = kind;
                e.flags = flags[f];
                if (e.flags & TMTU_ENCAP_KEY)
                    e.key = KEY;
                if (kind >= TMTU_ENCAP_GUE && test_pairs[i].outer == 6)
                    e.flags |= TMTU_ENCAP_ZERO6;
                if (tmtu_encap_check(&e) < 0)
                    continue; /* not a flag of this kind */
                cut_anywhere(&e, test_pairs[i].inner);
                if (test_pairs[i].outer == 6) {
                    e.flags |= TMTU_ENCAP_TEL;
                    cut_anywhere(&e, test_pairs[i].inner);
                }
            }
        }
    }
}

static void ports_of_its_own_have_to_be_named(void **state)
{
    struct tmtu_encap e = test_encap(4);
    struct tmtu_pkt pkt, got;
    (void)state;
    e.kind = TMTU_ENCAP_GUE;
    e.sport = 4000;
    e.dport = 5000;
    struct tmtu_buf b = made(&e, 4, &pkt), again;
    uint8_t *mem;
    assert_int_equal(peek(b.data, tmtu_buf_len(&b), &e, &got, &mem), 32);
    free(mem);
    assert_int_equal(peek(b.data, tmtu_buf_len(&b), NULL, &got, &mem),
                     TMTU_E_IGNORED);
    free(mem);
    e.sport = 0; /* any: it is chosen by the flow */
    assert_int_equal(peek(b.data, tmtu_buf_len(&b), &e, &got, &mem), 32);
    free(mem);
    again = made(&e, 4, &pkt);
    assert_int_equal(peek(again.data, tmtu_buf_len(&again), &e, &got, &mem),
                     32);
    free(mem);
    free(b.head);
    free(again.head);
}

/* An end that is not told allows any, of the family of dst. */
static void ends_that_are_not_told_are_any(void **state)
{
    static const char *const any[] = {"0.0.0.0", "::"};
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tmtu_encap e = test_encap(v == 0 ? 4 : 6);
        struct tmtu_pkt pkt, got;
        struct tmtu_buf b = made(&e, 4, &pkt);
        const int over = v == 0 ? 20 : 40;
        uint8_t *mem;
        test_addr(any[v], e.src);
        assert_int_equal(peek(b.data, 100, &e, &got, &mem), over);
        free(mem);
        test_addr(any[v], e.dst);
        assert_int_equal(peek(b.data, 100, &e, &got, &mem), over);
        free(mem);
        test_addr(any[1 - v], e.dst);
        assert_int_equal(peek(b.data, 100, &e, &got, &mem), TMTU_E_IGNORED);
        free(mem);
        e = test_encap(v == 0 ? 4 : 6);
        e.size--;
        assert_int_equal(peek(b.data, 100, &e, &got, &mem), TMTU_E_IGNORED);
        free(mem);
        e.size++;
        e.kind = TMTU_ENCAP_KINDS;
        assert_int_equal(peek(b.data, 100, &e, &got, &mem), TMTU_E_IGNORED);
        free(mem);
        if (v == 1) { /* not even where nobody can tell */
            b.data[6] = 60;
            assert_int_equal(peek(b.data, 44, &e, &got, &mem), TMTU_E_IGNORED);
            free(mem);
        }
        free(b.head);
    }
}

/* A whole packet can be looked into as well, and keeps its padding to itself.
 */
static void whole_packets_can_be_looked_into(void **state)
{
    struct tmtu_encap e = test_encap(4);
    struct tmtu_pkt pkt, got;
    (void)state;
    struct tmtu_buf b = made(&e, 6, &pkt);
    const struct tmtu_pkt outer = test_parsed(&b);
    assert_int_equal(tmtu_encap_peek(&outer, &e, &got), 20);
    assert_int_equal(got.have, 100);
    assert_int_equal(got.len, 100);
    assert_true(tmtu_flow_equal(&got.flow, &pkt.flow));
    free(b.head);
}

/* Six IPv4 headers, one in another, around TCP. */
static size_t nested(uint8_t *p)
{
    size_t n = 0;
    for (; n < 6 * 20; n += 20)
        test_hex(OUT4("04"), p + n, 20);
    return n + test_hex(IN4, p + n, ROOM - n);
}

static void r_lib_06_no_more_than_four_tunnels(void **state)
{
    uint8_t p[ROOM];
    const size_t n = nested(p);
    (void)state;
    for (size_t at = 0; at <= 120; at += 20) {
        uint8_t *mem = test_exact(p + at, n - at);
        struct tmtu_pkt outer, inner, more;
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(mem, n - at), TMTU_IP_QUOTED, &outer), 0);
        const int there = (int)(120 - at) / 20, want = there > 4 ? 4 : there;
        memset(&inner, 0xa5, sizeof inner);
        assert_int_equal(tmtu_encap_innermost(&outer, &inner), want);
        assert_ptr_equal(inner.data, mem + want * 20);
        assert_int_equal(inner.flow.proto, there > 4 ? 4 : 6);
        assert_int_equal(tmtu_encap_peek(&inner, NULL, &more),
                         there > 4 ? 20 : TMTU_E_IGNORED);
        assert_int_equal(tmtu_encap_innermost(&outer, &outer), want);
        assert_memory_equal(&outer, &inner, sizeof inner);
        free(mem);
    }
}

/* What is cut off in the middle is told as deep as it can be read. */
static void r_lib_06_the_deepest_that_is_there(void **state)
{
    uint8_t p[ROOM];
    (void)state;
    /* IPv6, destination options, GRE, IPv4, GUE, IPv6. */
    const size_t n = test_hex(OUT6("3c") "2f00040104010000 00000800 " OUT4("11")
                                  UDP(GUE) "00290000 " IN6,
                              p, sizeof p);
    const size_t first = 52, second = first + 32;
    for (size_t cut = 40; cut <= n; cut++) {
        uint8_t *mem = test_exact(p, cut);
        struct tmtu_pkt outer, inner, more;
        assert_int_equal(
            tmtu_ip_parse(tmtu_view(mem, cut), TMTU_IP_QUOTED, &outer), 0);
        const int want = (cut >= first + 20) + (cut >= second + 40);
        const size_t at[] = {0, first, second};
        assert_int_equal(tmtu_encap_innermost(&outer, &inner), want);
        assert_ptr_equal(inner.data, mem + at[want]);
        assert_int_equal(inner.have, cut - at[want]);
        if (want == 1 && cut >= first + 24) /* its ports are there */
            assert_int_equal(tmtu_encap_peek(&inner, NULL, &more),
                             TMTU_E_TRUNCATED);
        if (want == 2 && cut == n)
            assert_int_equal(inner.flow.dport, 443);
        free(mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_into_each_row),
        cmocka_unit_test(r_lib_06_what_push_made_is_known_at_every_length),
        cmocka_unit_test(ports_of_its_own_have_to_be_named),
        cmocka_unit_test(ends_that_are_not_told_are_any),
        cmocka_unit_test(whole_packets_can_be_looked_into),
        cmocka_unit_test(r_lib_06_no_more_than_four_tunnels),
        cmocka_unit_test(r_lib_06_the_deepest_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

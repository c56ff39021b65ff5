/* SPDX-License-Identifier: MIT */
/* icmp: errors read, row by row and cut at every length; errors built, with
 * just enough room and one byte less; errors that may not be sent. */
#include "tmtu_packet.h"

#include <tunmtu/icmp.h>

/* Quotes: 192.0.2.10:40000 > 198.51.100.20:443, and the same over IPv6. */
#define Q4 "450005dc 00004000 40060000 c000020a c6336414 9c4001bb 01020304 "
#define ADDRS6                                                                 \
    "20010db8 00010000 00000000 00000010 20010db8 00020000 00000000 00000020 "
#define Q6 "60000000 05b40640 " ADDRS6 "9c4001bb 01020304 "
#define ZERO32                                                                 \
    "0000000000000000 0000000000000000 0000000000000000 0000000000000000 "
/* A packet of 28 bytes padded to 128, RFC 4884 §4; and one of 48. */
#define SHORT4 "4500001c 00004000 40110000 c000020a c6336414 12340035 00080000 "
#define PAD4   SHORT4 ZERO32 ZERO32 ZERO32 "00000000 "
#define SHORT6 "60000000 00081140 " ADDRS6 "12340035 00080000 "
#define PAD6   SHORT6 ZERO32 ZERO32 "0000000000000000 0000000000000000 "
#define MPLS   "2000da0d 00080101 03e80101 "

static const char *const kinds[] = {"?",     "UNREACH",  "TOO_BIG", "EXPIRED",
                                    "PARAM", "REDIRECT", "QUENCH",  "OTHER"};
static const char *const errors[] = {
    "ok",       "IGNORED",  "TRUNCATED", "MALFORMED",   "NOSPACE",
    "ARGUMENT", "CHECKSUM", "LIMIT",     "UNSUPPORTED", "FORBIDDEN"};

static const char *say(int rc, const struct tmtu_icmp *e)
{
    static char line[160];
    if (rc < 0)
        return errors[-rc];
    const struct tmtu_pkt *q = &e->quoted;
    int n = snprintf(line, sizeof line, "%s %u/%u", kinds[e->kind], e->type,
                     e->code);
#define ADD(...) n += snprintf(line + n, sizeof line - (size_t)n, __VA_ARGS__)
    if (e->info)
        ADD(" %u", e->info);
    if (e->ext)
        ADD(" ext");
    ADD(" | %u", q->flow.proto);
    if (q->flow.flags & TMTU_FLOW_PORTS)
        ADD(" %u>%u", q->flow.sport, q->flow.dport);
    ADD(" %u/%u", q->have, q->len);
    ADD("%s%s", q->flags & TMTU_PKT_LATER ? " LATER" : "",
        q->flags & TMTU_PKT_CUT ? " CUT" : "");
#undef ADD
    return line;
}

/* An IP header in front of the `n` bytes of ICMP at p + 40; the packet begins
 * at the address returned. */
static uint8_t *put_header(uint8_t *p, unsigned ipver, size_t n)
{
    static const uint8_t h4[20] = {0x45, 0, 0,   0, 0,   0,   0,   0, 64, 1,
                                   0,    0, 203, 0, 113, 129, 192, 0, 2,  10};
    if (ipver == 4) {
        memcpy(p + 20, h4, 20);
        tmtu_put16(p + 22, (uint16_t)(20 + n));
        return p + 20;
    }
    memset(p, 0, 40);
    p[0] = 0x60;
    tmtu_put16(p + 4, (uint16_t)n);
    p[6] = 58;
    test_addr("2001:db8:ffff::1", p + 8);
    test_addr("2001:db8:1::10", p + 24);
    return p;
}

/* Reads `n` bytes of ICMP out of memory that ends with them. */
static const char *read_icmp(const uint8_t *msg, unsigned ipver, size_t n)
{
    const size_t head = ipver == 4 ? 20 : 40;
    uint8_t *mem = test_exact(NULL, 40 + n);
    memcpy(mem + 40, msg, n);
    uint8_t *p = test_exact(put_header(mem, ipver, n), head + n);
    struct tmtu_pkt pkt;
    struct tmtu_icmp got, before;
    memset(&got, 0xa5, sizeof got);
    memset(&before, 0xa5, sizeof before);
    int rc = tmtu_ip_parse(tmtu_view(p, head + n), 0, &pkt);
    if (rc == 0)
        rc = tmtu_icmp_parse(&pkt, &got);
    if (rc < 0)
        assert_memory_equal(&got, &before, sizeof got);
    else
        assert_ptr_equal(got.quoted.data, p + head + 8);
    const char *line = say(rc, &got);
    free(mem);
    free(p);
    return line;
}

static const struct {
    const char *name;
    unsigned ipver;
    const char *hex, *want;
} rows[] = {
    {"fragmentation needed", 4, "03040000 000005c8 " Q4,
     "TOO_BIG 3/4 1480 | 6 40000>443 28/1500"},
    {"K62 before RFC 1191 the MTU is not told", 4, "03040000 00000000 " Q4,
     "TOO_BIG 3/4 | 6 40000>443 28/1500"},
    {"TRAP-2 what stands before the MTU is none of it", 4,
     "03040000 ff0005c8 " Q4, "TOO_BIG 3/4 1480 | 6 40000>443 28/1500"},
    {"F9 MTU 65535", 4, "03040000 0000ffff " Q4,
     "TOO_BIG 3/4 65535 | 6 40000>443 28/1500"},
    {"K62 port unreachable has no MTU", 4, "03030000 000005c8 " Q4,
     "UNREACH 3/3 | 6 40000>443 28/1500"},
    {"code 5 is unreachable", 4, "03050000 000005c8 " Q4,
     "UNREACH 3/5 | 6 40000>443 28/1500"},
    {"source quench", 4, "04000000 01020304 " Q4,
     "QUENCH 4/0 | 6 40000>443 28/1500"},
    {"K30 a super-packet's length is no lie", 4,
     "03040000 000005c8 4500fa00 00004000 40060000 c000020a c6336414 9c4001bb "
     "01020304",
     "TOO_BIG 3/4 1480 | 6 40000>443 28/64000"},
    {"K30 of one over 65,535 bytes Linux has 0 there", 4,
     "03040000 000005c8 45000000 00004000 40060000 c000020a c6336414 9c4001bb "
     "01020304",
     "TOO_BIG 3/4 1480 | 6 40000>443 28/0"},
    {"redirect: the gateway", 4, "05010000 0a000001 " Q4,
     "REDIRECT 5/1 167772161 | 6 40000>443 28/1500"},
    {"a redirect's gateway is no RFC 4884 length", 4, "05010000 0a2a0001 " Q4,
     "REDIRECT 5/1 170524673 | 6 40000>443 28/1500"},
    {"time exceeded", 4, "0b010000 00000000 " Q4,
     "EXPIRED 11/1 | 6 40000>443 28/1500"},
    {"parameter problem: a pointer of 8 bits", 4, "0c000000 14000000 " Q4,
     "PARAM 12/0 20 | 6 40000>443 28/1500"},
    {"echo request", 4, "08000000 00000000 " Q4, "IGNORED"},
    {"echo reply", 4, "00000000 00000000 " Q4, "IGNORED"},
    {"R-1122-01 type 44", 4, "2c000000 00000000 " Q4, "IGNORED"},
    {"type 2 is an error over IPv6 alone", 4, "02000000 000005c8 " Q4,
     "IGNORED"},
    {"K64 quotes IPv6", 4, "03040000 000005c8 " Q6, "MALFORMED"},
    {"K64 F10 quoted header length 16", 4,
     "03040000 000005c8 440005dc 00004000 40060000 c000020a c6336414 9c4001bb",
     "MALFORMED"},
    {"F7 K66 four bytes of transport are enough", 4,
     "03040000 000005c8 450005dc 00004000 40060000 c000020a c6336414 9c4001bb",
     "TOO_BIG 3/4 1480 | 6 40000>443 24/1500"},
    {"three are not", 4,
     "03040000 000005c8 450005dc 00004000 40060000 c000020a c6336414 9c4001",
     "TOO_BIG 3/4 1480 | 6 23/1500 CUT"},
    {"K64 19 bytes of header", 4,
     "03040000 000005c8 450005dc 00004000 40060000 c000020a c63364",
     "TRUNCATED"},
    {"no quote", 4, "03040000 000005c8", "TRUNCATED"},
    {"7 bytes", 4, "03040000 000005", "TRUNCATED"},
    {"K65 F8 quoted offset 185", 4,
     "03040000 000005c8 450005dc 000000b9 40060000 c000020a c6336414 9c4001bb",
     "TOO_BIG 3/4 1480 | 6 24/1500 LATER"},
    {"K67 R-5508-02 quoted header length 60", 4,
     "03040000 000005c8 4f0005dc 00004000 40060000 c000020a c6336414 01010101"
     "01010101 01010101 01010101 01010101 01010101 01010101 01010101 01010101"
     "01010101 9c4001bb",
     "TOO_BIG 3/4 1480 | 6 40000>443 64/1500"},
    {"R-5508-01 a wrong checksum in the quote matters to nobody", 4,
     "03040000 000005c8 450005dc 00004000 4006dead c000020a c6336414 9c4001bb",
     "TOO_BIG 3/4 1480 | 6 40000>443 24/1500"},
    {"F10 quoted ICMP has no ports", 4,
     "03010000 00000000 45000054 00000000 40010000 c000020a c6336414 0301ffff"
     "9c4001bb",
     "UNREACH 3/1 | 1 28/84"},
    {"a quoted tunnel packet", 4,
     "03040000 00000578 450005dc 00004000 3c040000 cb007101 cb007102" Q4,
     "TOO_BIG 3/4 1400 | 4 48/1500"},

    /* RFC 4884 over IPv4: octet 5, words of 32 bits */
    {"R-4884-07 TRAP-2 32 words, then an extension", 4,
     "03040000 00200578 " PAD4 MPLS, "TOO_BIG 3/4 1400 ext | 17 4660>53 28/28"},
    {"R-4884-07 32 words and nothing more", 4, "03040000 00200578 " PAD4,
     "TOO_BIG 3/4 1400 | 17 4660>53 28/28"},
    {"R-4884-07 one byte less than told", 4,
     "03040000 00200578 " SHORT4 ZERO32 ZERO32 ZERO32 "000000", "TRUNCATED"},
    {"R-4884-07 200 words of 140 bytes", 4, "03040000 00c80578 " PAD4 MPLS,
     "TRUNCATED"},
    {"R-4884-07 31 words are below the least and mean nothing", 4,
     "03040000 001f0578 " PAD4 MPLS, "TOO_BIG 3/4 1400 | 17 4660>53 28/28"},
    {"R-4884-07 1 word means nothing", 4, "03040000 00010578 " Q4,
     "TOO_BIG 3/4 1400 | 6 40000>443 28/1500"},
    {"unreachable has the length too", 4, "03010000 00200000 " PAD4 MPLS,
     "UNREACH 3/1 ext | 17 4660>53 28/28"},
    {"time exceeded has it", 4, "0b000000 00200000 " PAD4 MPLS,
     "EXPIRED 11/0 ext | 17 4660>53 28/28"},
    {"parameter problem has it", 4, "0c000000 01200000 " PAD4 MPLS,
     "PARAM 12/0 1 ext | 17 4660>53 28/28"},
    {"source quench has not", 4, "04000000 00200000 " PAD4 MPLS,
     "QUENCH 4/0 | 17 4660>53 28/28"},
    {"R-4884-08 an extension at 128 without a length is behind the packet", 4,
     "0b000000 00000000 " PAD4 MPLS, "EXPIRED 11/0 | 17 4660>53 28/28"},
    {"the length ends what a longer packet has there", 4,
     "03040000 00200578 " Q4 ZERO32 ZERO32 ZERO32 "00000000 " MPLS,
     "TOO_BIG 3/4 1400 ext | 6 40000>443 128/1500"},

    /* IPv6 */
    {"packet too big", 6, "02000000 000005c8 " Q6,
     "TOO_BIG 2/0 1480 | 6 40000>443 48/1500"},
    {"R-6936-03 a tunnel's UDP without a checksum names its flow", 6,
     "02000000 000005c8 60000000 05b41140 " ADDRS6 "d23417c0 05b40000",
     "TOO_BIG 2/0 1480 | 17 53812>6080 48/1500"},
    {"R-4443-05 of any code", 6, "02070000 000005c8 " Q6,
     "TOO_BIG 2/7 1480 | 6 40000>443 48/1500"},
    {"F9 MTU 0", 6, "02000000 00000000 " Q6,
     "TOO_BIG 2/0 | 6 40000>443 48/1500"},
    {"F9 MTU 67", 6, "02000000 00000043 " Q6,
     "TOO_BIG 2/0 67 | 6 40000>443 48/1500"},
    {"F9 MTU 1279", 6, "02000000 000004ff " Q6,
     "TOO_BIG 2/0 1279 | 6 40000>443 48/1500"},
    {"F9 MTU 65536", 6, "02000000 00010000 " Q6,
     "TOO_BIG 2/0 65536 | 6 40000>443 48/1500"},
    {"F9 MTU 0x7fffffff", 6, "02000000 7fffffff " Q6,
     "TOO_BIG 2/0 2147483647 | 6 40000>443 48/1500"},
    {"F9 MTU 0x80000000", 6, "02000000 80000000 " Q6,
     "TOO_BIG 2/0 2147483648 | 6 40000>443 48/1500"},
    {"F9 TRAP-1 MTU 0xffffffff: a number, and no length", 6,
     "02000000 ffffffff " Q6, "TOO_BIG 2/0 4294967295 | 6 40000>443 48/1500"},
    {"TRAP-1 MTU 0x10000578 is no length of 16", 6,
     "02000000 10000578 " PAD6 MPLS,
     "TOO_BIG 2/0 268436856 | 17 4660>53 48/48"},
    {"unreachable", 6, "01040000 00000000 " Q6,
     "UNREACH 1/4 | 6 40000>443 48/1500"},
    {"time exceeded", 6, "03000000 00000000 " Q6,
     "EXPIRED 3/0 | 6 40000>443 48/1500"},
    {"parameter problem: a pointer of 32 bits", 6, "04010000 0000002c " Q6,
     "PARAM 4/1 44 | 6 40000>443 48/1500"},
    {"parameter problem: its pointer is no length", 6, "04010000 ff00002c " Q6,
     "PARAM 4/1 4278190124 | 6 40000>443 48/1500"},
    {"R-4443-01 type 0 is an unknown error", 6, "00000000 00000000 " Q6,
     "OTHER 0/0 | 6 40000>443 48/1500"},
    {"R-4443-01 type 5 is one", 6, "05000000 12345678 " Q6,
     "OTHER 5/0 | 6 40000>443 48/1500"},
    {"R-4443-01 type 127 is one", 6, "7f000000 00000000 " Q6,
     "OTHER 127/0 | 6 40000>443 48/1500"},
    {"R-4443-01 type 128 is none", 6, "80000000 00000000 " Q6, "IGNORED"},
    {"a redirect is none", 6, "89000000 00000000 " Q6, "IGNORED"},
    {"type 200", 6, "c8000000 00000000 " Q6, "IGNORED"},
    {"quotes IPv4", 6, "02000000 000005c8 " Q4, "MALFORMED"},
    {"the header alone", 6, "02000000 000005c8 60000000 05b40640 " ADDRS6,
     "TOO_BIG 2/0 1480 | 6 40/1500 CUT"},
    {"R-4443-15 ports behind a quoted chain", 6,
     "02000000 000005c8 60000000 05b43c40 " ADDRS6 "06000104 00000000 9c4001bb",
     "TOO_BIG 2/0 1480 | 6 40000>443 52/1500"},
    {"K30 of a super-packet Linux quotes its jumbo option", 6,
     "02000000 000005c8 60000000 00000040 " ADDRS6
     "0600c204 00028dc8 9c4001bb 01020304",
     "TOO_BIG 2/0 1480 | 6 40000>443 56/40"},
    {"K30 or, without that, no length at all", 6,
     "02000000 000005c8 60000000 00000640 " ADDRS6 "9c4001bb 01020304",
     "TOO_BIG 2/0 1480 | 6 40000>443 48/40"},
    {"what is behind no next header is padding", 6,
     "01000000 00000000 60000000 00003b40 " ADDRS6 "00000000 00000000",
     "UNREACH 1/0 | 59 40/40"},
    {"R-4443-15 a quoted later fragment", 6,
     "02000000 000005c8 60000000 05b42c40 " ADDRS6 "06000008 deadbeef 9c4001bb",
     "TOO_BIG 2/0 1480 | 6 52/1500 LATER"},
    {"F1 a quoted fragment of a fragment", 6,
     "02000000 000005c8 60000000 05b42c40 " ADDRS6 "2c000000 00000000"
     "2c000000 00000000",
     "MALFORMED"},
    {"a quote of nine extension headers", 6,
     "02000000 000005c8 60000000 05b43c40 " ADDRS6
     "3c000104 00000000 3c000104 00000000 3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 3c000104 00000000 3c000104 00000000 3c000104 00000000"
     "3c000104 00000000",
     "LIMIT"},
    {"R-4884-05 octet 4, words of 64 bits: 16 of them", 6,
     "03000000 10000000 " PAD6 MPLS, "EXPIRED 3/0 ext | 17 4660>53 48/48"},
    {"unreachable has the length too", 6, "01000000 10000000 " PAD6 MPLS,
     "UNREACH 1/0 ext | 17 4660>53 48/48"},
    {"17 words of 140 bytes", 6, "03000000 12000000 " PAD6 MPLS, "TRUNCATED"},
    {"15 words mean nothing", 6, "03000000 0f000000 " PAD6 MPLS,
     "EXPIRED 3/0 | 17 4660>53 48/48"},
    {"octet 5 is no length over IPv6", 6, "03000000 00200000 " Q6,
     "EXPIRED 3/0 | 6 40000>443 48/1500"},
};

static void reads_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t msg[256];
        const size_t n = test_hex(rows[i].hex, msg, sizeof msg);
        const char *got = read_icmp(msg, rows[i].ipver, n);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s:\n  is     %s\n  not    %s", rows[i].name, got,
                     rows[i].want);
    }
}

/* F23: any message of 0 to 255 bytes; truncated until the quoted header is
 * there, or the whole of what RFC 4884 tells. */
static void f23_every_cut_length_of_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t msg[256];
        const size_t n = test_hex(rows[i].hex, msg, sizeof msg);
        const char *whole = read_icmp(msg, rows[i].ipver, n);
        if (strchr(whole, '|') == NULL)
            continue;
        const int told = strstr(whole, "ext") != NULL;
        size_t need = 8u + (rows[i].ipver == 4 ? (msg[8] & 15) * 4u : 40u);
        for (size_t cut = 0; cut < n; cut++) {
            const char *got = read_icmp(msg, rows[i].ipver, cut);
            if (told)
                need = 8 + 128;
            else if (strstr(rows[i].name, "and nothing more"))
                need = n;
            if ((strcmp(got, "TRUNCATED") == 0) != (cut < need))
                fail_msg("%s: %zu bytes: %s", rows[i].name, cut, got);
        }
    }
}

static void only_whole_icmp_of_its_own_family_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
    } others[] = {
        {"TCP", "45000028 00000000 40060000 c000020a c6336414 9c4001bb"
                "01020304 00000000 50100200 00000000"},
        {"UDP over IPv6 that carries what could be a quote",
         "60000000 00381140 " ADDRS6 "00000000 00380000" Q6},
        {"K63 a first fragment", "45000038 00002000 40010000 cb007181 c000020a"
                                 "03040000 000005c8 " Q4},
        {"K63 a later fragment", "45000038 00000001 40010000 cb007181 c000020a"
                                 "03040000 000005c8 " Q4},
        {"K63 a fragment of ICMPv6",
         "60000000 00402c40 " ADDRS6 "3a000001 00000000 02000000 000005c8" Q6},
        {"ICMPv6 in IPv4", "45000038 00000000 403a0000 cb007181 c000020a"
                           "02000000 000005c8 " Q4},
    };
    for (size_t i = 0; i < TEST_ROWS(others); i++) {
        uint8_t p[256];
        const size_t n = test_hex(others[i].hex, p, sizeof p);
        struct tmtu_pkt pkt;
        struct tmtu_icmp got;
        assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
        if (tmtu_icmp_parse(&pkt, &got) != TMTU_E_IGNORED)
            fail_msg("%s", others[i].name);
    }
}

static void every_field_of_an_error(void **state)
{
    (void)state;
    uint8_t p[128];
    const size_t n =
        test_hex("45c00038 00010000 40010000 cb007101 c000020a"
                 "03040000 000005c8 45b805dc 5a5a4000 3f060000 c000020a"
                 "c6336414 9c4001bb 01020304",
                 p, sizeof p);
    struct tmtu_pkt pkt;
    struct tmtu_icmp got;
    memset(&got, 0xa5, sizeof got);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &got), 0);
    assert_int_equal(got.info, 1480);
    assert_int_equal(got.kind, TMTU_ICMP_TOO_BIG);
    assert_int_equal(got.type, 3);
    assert_int_equal(got.code, 4);
    assert_int_equal(got.ext, 0);
    assert_ptr_equal(got.quoted.data, p + 28);
    assert_int_equal(got.quoted.id, 0x5a5a);
    assert_int_equal(got.quoted.tclass, 0xb8);
    assert_int_equal(got.quoted.ttl, 63);
    assert_int_equal(got.quoted.l4, 20);
    assert_int_equal(got.quoted.flags, TMTU_PKT_DF);
    assert_int_equal(got.quoted.flow.ipver, 4);
    assert_memory_equal(got.quoted.flow.src + 12, "\xc0\x00\x02\x0a", 4);
    assert_memory_equal(got.quoted.flow.dst + 12, "\xc6\x33\x64\x14", 4);
}

/* ---- built ----------------------------------------------------------------
 */

static struct tmtu_icmp_error too_big(unsigned ipver, uint32_t mtu)
{
    struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
    test_addr(ipver == 4 ? "203.0.113.1" : "2001:db8:ffff::1", e.src);
    e.kind = TMTU_ICMP_TOO_BIG;
    e.info = mtu;
    return e;
}

/* The ICMP checksum of the whole packet at p, the slow way; 0: right. */
static uint16_t slow_icmp(const uint8_t *p, size_t n)
{
    uint8_t flat[1600];
    size_t at = 0;
    const size_t head = p[0] >> 4 == 4 ? 20 : 40;
    if (head == 40) {
        memcpy(flat, p + 8, 32);
        tmtu_put32(flat + 32, (uint32_t)(n - 40));
        tmtu_put32(flat + 36, 58);
        at = 40;
    }
    memcpy(flat + at, p + head, n - head);
    return test_cksum(flat, at + n - head);
}

/* Builds the error about `s` with just the room that is needed, both ways, and
 * holds whatever can be said of any error. The message is in `out`. */
static void build(const struct test_shape *s, const struct tmtu_icmp_error *e,
                  struct tmtu_buf *out)
{
    const size_t head = s->ipver == 4 ? 28 : 48;
    struct tmtu_buf buf = test_made(s, head);
    const struct tmtu_pkt pkt = test_parsed(&buf);
    struct test_before before = test_before(&buf, &pkt);

    /* Once to learn how long it is, then in exactly that, then in one less. */
    *out = test_buf(NULL, 0, 0, TMTU_ICMP6_MAX);
    assert_int_equal(tmtu_icmp_build(out, &pkt, e), 0);
    const size_t n = tmtu_buf_len(out);
    free(out->head);
    *out = test_buf(NULL, 0, 3, n - 1);
    uint8_t *untouched = test_exact(out->head, n + 2);
    assert_int_equal(tmtu_icmp_build(out, &pkt, e), TMTU_E_NOSPACE);
    assert_memory_equal(out->head, untouched, n + 2);
    assert_int_equal(tmtu_buf_len(out), 0);
    free(untouched);
    free(out->head);
    *out = test_buf(NULL, 0, 3, n);
    assert_int_equal(tmtu_icmp_build(out, &pkt, e), 0);
    assert_int_equal(tmtu_buf_len(out), n);
    assert_int_equal(tmtu_buf_headroom(out), 3);
    assert_memory_equal(out->head, "\xa5\xa5\xa5", 3);
    /* R-1122-02: quoted as it came. R-1812-03, R-4443-07: who says it to whom.
     * R-1812-06: no fragment, and no need to become one. */
    assert_memory_equal(out->data + head, buf.data, n - head);
    if (!tmtu_addr_is_unspecified(e->src))
        assert_memory_equal(out->data + head - 8 - (head == 28 ? 8 : 32),
                            e->src + (head == 28 ? 12 : 0),
                            head == 28 ? 4 : 16);
    assert_memory_equal(out->data + head - 8 - (head == 28 ? 4 : 16),
                        pkt.flow.src + (head == 28 ? 12 : 0),
                        head == 28 ? 4 : 16);
    assert_true(head == 48 || (tmtu_get16(out->data + 6) == 0 && n <= 576));
    test_unchanged(&before, &buf, &pkt); /* the offender is left alone */

    /* In place: one byte of headroom too few, then just enough. */
    buf.head++;
    before = test_before(&buf, &pkt);
    assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, e), TMTU_E_NOSPACE);
    test_unchanged(&before, &buf, &pkt);
    buf.head--;
    assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, e), 0);
    assert_int_equal(tmtu_buf_len(&buf), n);
    assert_memory_equal(buf.data, out->data, n);
    free(buf.head);

    /* What comes out reads as what went in. */
    struct tmtu_pkt msg;
    struct tmtu_icmp got;
    assert_int_equal(tmtu_ip_parse(tmtu_buf_view(out), TMTU_IP_VERIFY, &msg),
                     0);
    assert_int_equal(msg.len, n);
    if (s->ipver == 4)
        assert_int_equal(test_cksum(out->data, 20), 0);
    assert_int_equal(slow_icmp(out->data, n), 0);
    assert_int_equal(tmtu_ip_transport_verify(&msg), 0);
    assert_int_equal(tmtu_icmp_parse(&msg, &got), 0);
    assert_int_equal(got.kind, e->kind);
    assert_int_equal(got.info, e->info);
    assert_memory_equal(&got.quoted.flow, &pkt.flow, 40);
    assert_memory_equal(msg.flow.dst, pkt.flow.src, 16);
    assert_memory_equal(got.quoted.data, out->data + head, n - head);
}

/* R-1812-02, R-4443-04: up to 576 and 1280 bytes in all. */
static void k51_k53_k54_the_quote_is_as_long_as_may_be(void **state)
{
    (void)state;
    static const struct {
        unsigned ipver;
        size_t len, total;
    } lens[] = {{4, 69, 97},    {4, 100, 128},   {4, 547, 575},
                {4, 548, 576},  {4, 549, 576},   {4, 1500, 576},
                {4, 9000, 576}, {6, 1281, 1280}, {6, 1500, 1280},
                {6, 9000, 1280}};
    for (size_t i = 0; i < TEST_ROWS(lens); i++) {
        struct test_shape s = test_shape(lens[i].ipver, lens[i].len);
        struct tmtu_buf out;
        const struct tmtu_icmp_error e =
            too_big(lens[i].ipver, lens[i].ipver == 4 ? 68 : 1280);
        build(&s, &e, &out);
        assert_int_equal(tmtu_buf_len(&out), lens[i].total);
        free(out.head);
    }
    /* Shorter than the least MTU: quoted whole by other errors. */
    for (unsigned ipver = 4; ipver <= 6; ipver += 2)
        for (size_t len = 60; len < 64; len++) {
            struct test_shape s = test_shape(ipver, len);
            struct tmtu_icmp_error e = too_big(ipver, 0);
            struct tmtu_buf out;
            e.kind = TMTU_ICMP_EXPIRED;
            build(&s, &e, &out);
            assert_int_equal(tmtu_buf_len(&out), len + (ipver == 4 ? 28 : 48));
            free(out.head);
        }
    /* K54 even with fewer than 8 bytes behind its header. */
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        struct test_shape s = test_shape(ipver, ipver == 4 ? 24 : 44);
        struct tmtu_icmp_error e = too_big(ipver, 0);
        struct tmtu_buf out;
        s.proto = 132;
        e.kind = TMTU_ICMP_EXPIRED;
        build(&s, &e, &out);
        assert_int_equal(tmtu_buf_len(&out), ipver == 4 ? 52 : 92);
        free(out.head);
    }
}

static void k52_r_792_01_a_narrow_path_back(void **state)
{
    (void)state;
    struct test_shape s = test_shape(4, 1500);
    struct tmtu_icmp_error e = too_big(4, 1480);
    struct tmtu_buf out;
    e.max = 296;
    build(&s, &e, &out);
    assert_int_equal(tmtu_buf_len(&out), 296); /* the quote is 268 */
    free(out.head);
    e.max = 56;
    build(&s, &e, &out);
    assert_int_equal(tmtu_buf_len(&out), 56);
    free(out.head);
    e.max = 577; /* more than the RFC allows is not taken */
    build(&s, &e, &out);
    assert_int_equal(tmtu_buf_len(&out), 576);
    free(out.head);
    s.option = 40;
    e.max = 96;
    build(&s, &e, &out);
    assert_int_equal(tmtu_buf_len(&out), 96);
    free(out.head);

    struct tmtu_icmp_error e6 = too_big(6, 1280);
    s = test_shape(6, 1500);
    e6.max = 96;
    build(&s, &e6, &out);
    assert_int_equal(tmtu_buf_len(&out), 96);
    free(out.head);
}

/* Rows that must be refused, and leave everything as it was. */
static void refused(const struct test_shape *s, const struct tmtu_icmp_error *e,
                    uint16_t flags, int want, const char *name)
{
    struct tmtu_buf buf = test_made(s, TMTU_ICMP_HEADROOM);
    struct tmtu_pkt pkt = test_parsed(&buf);
    pkt.flags |= flags;
    struct test_before before = test_before(&buf, &pkt);
    struct tmtu_buf out = test_buf(NULL, 0, 0, TMTU_ICMP6_MAX);
    uint8_t *fill = test_exact(NULL, TMTU_ICMP6_MAX);
    const int wrap = tmtu_icmp_wrap(&buf, &pkt, e);
    const int rc = tmtu_icmp_build(&out, &pkt, e);
    if (rc != want || wrap != want)
        fail_msg("%s: build %d, wrap %d", name, rc, wrap);
    test_unchanged(&before, &buf, &pkt);
    assert_int_equal(tmtu_buf_len(&out), 0);
    assert_memory_equal(out.head, fill, TMTU_ICMP6_MAX);
    free(fill);
    free(out.head);
    free(buf.head);
}

static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned ipver;
        uint8_t kind, code;
        uint32_t info;
        uint16_t max;
        const char *src;
        int rc;
    } bad[] = {
        {"no kind", 4, 0, 0, 0, 0, "203.0.113.1", TMTU_E_ARGUMENT},
        {"redirect", 4, 5, 0, 0, 0, "203.0.113.1", TMTU_E_ARGUMENT},
        {"source quench", 4, 6, 0, 0, 0, "203.0.113.1", TMTU_E_ARGUMENT},
        {"an unknown error", 6, 7, 0, 0, 0, "2001:db8:ffff::1",
         TMTU_E_ARGUMENT},
        {"kind 255", 6, 255, 0, 0, 0, "2001:db8:ffff::1", TMTU_E_ARGUMENT},
        {"unreachable with the code of too big", 4, 1, 4, 0, 0, "203.0.113.1",
         TMTU_E_ARGUMENT},
        {"R-791-06 MTU 67", 4, 2, 0, 67, 0, "203.0.113.1", TMTU_E_ARGUMENT},
        {"R-791-06 an MTU that fits", 4, 2, 0, 1500, 0, "203.0.113.1",
         TMTU_E_ARGUMENT},
        {"an MTU of 17 bits", 4, 2, 0, 65536 + 1480, 0, "203.0.113.1",
         TMTU_E_ARGUMENT},
        {"R-8200-08 MTU 1279", 6, 2, 0, 1279, 0, "2001:db8:ffff::1",
         TMTU_E_ARGUMENT},
        {"an IPv6 MTU that fits", 6, 2, 0, 1500, 0, "2001:db8:ffff::1",
         TMTU_E_ARGUMENT},
        {"a pointer of 9 bits", 4, 4, 0, 256, 0, "203.0.113.1",
         TMTU_E_ARGUMENT},
        {"time exceeded with a second word", 4, 3, 0, 1, 0, "203.0.113.1",
         TMTU_E_ARGUMENT},
        {"unreachable with a second word", 6, 1, 0, 1, 0, "2001:db8:ffff::1",
         TMTU_E_ARGUMENT},
        {"an IPv6 source for IPv4", 4, 2, 0, 1480, 0, "2001:db8:ffff::1",
         TMTU_E_ARGUMENT},
        {"an IPv4 source for IPv6", 6, 2, 0, 1480, 0, "203.0.113.1",
         TMTU_E_ARGUMENT},
        {"R-4443-06 a multicast source", 6, 2, 0, 1480, 0, "ff02::1",
         TMTU_E_ARGUMENT},
        {"a loopback source", 4, 2, 0, 1480, 0, "127.0.0.1", TMTU_E_ARGUMENT},
        {"the offender's source as source: Linux ignores that", 4, 2, 0, 1480,
         0, "192.0.2.10", TMTU_E_ARGUMENT},
        {"the same over IPv6", 6, 2, 0, 1480, 0, "2001:db8:1::10",
         TMTU_E_ARGUMENT},
        {"K52 room for 20 bytes", 4, 2, 0, 1480, 48, "203.0.113.1",
         TMTU_E_FORBIDDEN},
        {"R-792-01 room for 27 bytes", 4, 2, 0, 1480, 55, "203.0.113.1",
         TMTU_E_FORBIDDEN},
        {"room for no quote", 4, 2, 0, 1480, 28, "203.0.113.1",
         TMTU_E_FORBIDDEN},
        {"room for less than a header", 4, 2, 0, 1480, 1, "203.0.113.1",
         TMTU_E_FORBIDDEN},
        {"room for 47 bytes of IPv6", 6, 2, 0, 1480, 95, "2001:db8:ffff::1",
         TMTU_E_FORBIDDEN},
    };
    for (size_t i = 0; i < TEST_ROWS(bad); i++) {
        struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
        e.kind = bad[i].kind;
        e.code = bad[i].code;
        e.info = bad[i].info;
        e.max = bad[i].max;
        test_addr(bad[i].src, e.src);
        const struct test_shape s = test_shape(bad[i].ipver, 1500);
        refused(&s, &e, 0, bad[i].rc, bad[i].name);
    }
    struct tmtu_icmp_error e = too_big(4, 1480);
    const struct test_shape s = test_shape(4, 1500);
    e.size = 0;
    refused(&s, &e, 0, TMTU_E_ARGUMENT, "no size");
    e.size = sizeof e + 1;
    refused(&s, &e, 0, TMTU_E_ARGUMENT, "a size of the future");
    struct test_shape options = s;
    options.option = 40;
    e = too_big(4, 1480);
    e.max = 95;
    refused(&options, &e, 0, TMTU_E_FORBIDDEN, "60 bytes of header and 7");
}

/* R-1191-02: 00 00 and 16 bits of MTU. R-4884-04: no length without an
 * extension. R-1812-04: precedence 6. */
static void every_field_of_a_built_icmpv4_error(void **state)
{
    (void)state;
    struct test_shape s = test_shape(4, 1500);
    struct tmtu_icmp_error e = too_big(4, 1480);
    struct tmtu_buf out;
    e.id = 0x1234;
    e.ttl = 33;
    e.code = 9; /* too big has a code of its own */
    build(&s, &e, &out);
    uint8_t want[28];
    test_hex("45c00240 12340000 21010000 cb007101 c000020a 03040000 000005c8",
             want, sizeof want);
    memcpy(want + 10, out.data + 10, 2); /* checksums: build() has judged */
    memcpy(want + 22, out.data + 22, 2);
    assert_memory_equal(out.data, want, 28);
    free(out.head);

    static const struct {
        uint8_t kind, code, type;
        uint32_t info, word;
    } each[] = {
        {TMTU_ICMP_UNREACH, 3, 3, 0, 0},
        {TMTU_ICMP_UNREACH, 13, 3, 0, 0},
        {TMTU_ICMP_EXPIRED, 1, 11, 0, 0},
        {TMTU_ICMP_PARAM, 0, 12, 20, 20u << 24},
        {TMTU_ICMP_PARAM, 1, 12, 255, 255u << 24},
    };
    for (size_t i = 0; i < TEST_ROWS(each); i++) {
        e = too_big(4, each[i].info);
        e.kind = each[i].kind;
        e.code = each[i].code;
        build(&s, &e, &out);
        assert_int_equal(out.data[8], 64); /* R-1812-05 */
        assert_int_equal(out.data[20], each[i].type);
        assert_int_equal(out.data[21], each[i].code);
        assert_int_equal(tmtu_get32(out.data + 24), each[i].word); /* K57 */
        free(out.head);
    }
}

/* R-4443-03: type 2, code 0, 32 bits of MTU. R-4443-08: hop limit 64 unless
 * told, and a checksum that build() verifies. R-6437-02: flow label 0. */
static void every_field_of_a_built_icmpv6_error(void **state)
{
    (void)state;
    struct test_shape s = test_shape(6, 1500);
    struct tmtu_icmp_error e = too_big(6, 1480);
    struct tmtu_buf out;
    s.tclass = 0xb9; /* not taken over */
    e.ttl = 255;
    e.code = 9;
    e.id = 0x1234;
    build(&s, &e, &out);
    uint8_t want[48];
    test_hex("60000000 04d83aff 20010db8 ffff0000 00000000 00000001"
             "20010db8 00010000 00000000 00000010 02000000 000005c8",
             want, sizeof want);
    memcpy(want + 42, out.data + 42, 2);
    assert_memory_equal(out.data, want, 48);
    free(out.head);

    static const struct {
        uint8_t kind, code, type;
        uint32_t info;
    } each[] = {
        {TMTU_ICMP_UNREACH, 4, 1, 0},
        {TMTU_ICMP_EXPIRED, 0, 3, 0},
        {TMTU_ICMP_PARAM, 0, 4, 0x12345679}, /* R-2473-11 */
    };
    for (size_t i = 0; i < TEST_ROWS(each); i++) {
        e = too_big(6, each[i].info);
        e.kind = each[i].kind;
        e.code = each[i].code;
        build(&s, &e, &out);
        assert_int_equal(out.data[7], 64);
        assert_int_equal(out.data[40], each[i].type);
        assert_int_equal(out.data[41], each[i].code);
        assert_int_equal(tmtu_get32(out.data + 44), each[i].info);
        free(out.head);
    }
}

/* R-1812-08, K51: a source route of the offender is not gone back, no option is
 * echoed: 548 bytes are quoted, options and all. */
static void options_of_the_offender_are_quoted_and_no_more(void **state)
{
    (void)state;
    static const uint8_t lsrr[8] = {131, 7, 8, 203, 0, 113, 77, 0};
    struct test_shape s = test_shape(4, 1500);
    const struct tmtu_icmp_error e = too_big(4, 1480);
    s.option = 8;
    struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
    memcpy(buf.data + 20, lsrr, 8);
    tmtu_put16(buf.data + 10, 0);
    tmtu_put16(buf.data + 10, test_cksum(buf.data, 28));
    const struct tmtu_pkt pkt = test_parsed(&buf);
    assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, &e), 0);
    assert_int_equal(tmtu_buf_len(&buf), 576);
    assert_int_equal(buf.data[0], 0x45);
    assert_memory_equal(buf.data + 16, pkt.flow.src + 12, 4);
    assert_memory_equal(buf.data + 28 + 20, lsrr, 8);
    free(buf.head);
}

static void k55_r_1812_04_the_tos_of_an_error(void **state)
{
    (void)state;
    static const struct {
        uint8_t offender, policy, tos;
    } each[] = {
        {0x00, TMTU_ICMP_TOS_LINUX, 0xc0}, {0xb8, TMTU_ICMP_TOS_LINUX, 0xd8},
        {0xb9, TMTU_ICMP_TOS_LINUX, 0xd8}, {0xff, TMTU_ICMP_TOS_LINUX, 0xde},
        {0x02, TMTU_ICMP_TOS_LINUX, 0xc2}, {0xff, TMTU_ICMP_TOS_CS6, 0xc0},
    };
    for (size_t i = 0; i < TEST_ROWS(each); i++) {
        struct test_shape s = test_shape(4, 1500);
        struct tmtu_icmp_error e = too_big(4, 1480);
        struct tmtu_buf out;
        s.tclass = each[i].offender;
        e.tos = each[i].policy;
        build(&s, &e, &out);
        assert_int_equal(out.data[1], each[i].tos);
        free(out.head);
    }
}

static void k56_without_a_source_it_is_the_vip(void **state)
{
    (void)state;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        struct test_shape s = test_shape(ipver, 1500);
        struct tmtu_icmp_error e = too_big(ipver, 1480);
        struct tmtu_buf out;
        memset(e.src, 0, 16);
        build(&s, &e, &out);
        if (ipver == 4)
            assert_memory_equal(out.data + 12, "\xc6\x33\x64\x14", 4);
        else
            assert_memory_equal(out.data + 8, "\x20\x01\x0d\xb8\x00\x02", 6);
        free(out.head);
    }
}

/* R-1812-03, R-4443-06: whose address, when it is said. */
static void the_source_is_whose_it_is_said_to_be(void **state)
{
    static const struct {
        const char *name, *src;
        uint8_t from;
        int rc;
        const char *want;
    } each[] = {
        {"not said, none given", NULL, TMTU_ICMP_FROM_AUTO, 0, "198.51.100.20"},
        {"not said, one given", "203.0.113.1", TMTU_ICMP_FROM_AUTO, 0,
         "203.0.113.1"},
        {"the VIP, none given", NULL, TMTU_ICMP_FROM_DEST, 0, "198.51.100.20"},
        {"the VIP, one given", "203.0.113.1", TMTU_ICMP_FROM_DEST, 0,
         "198.51.100.20"},
        {"a given one", "203.0.113.1", TMTU_ICMP_FROM_SRC, 0, "203.0.113.1"},
        {"a given one that is missing", NULL, TMTU_ICMP_FROM_SRC,
         TMTU_E_ARGUMENT, NULL},
        {"the receiver's own", "192.0.2.10", TMTU_ICMP_FROM_SRC,
         TMTU_E_ARGUMENT, NULL},
        {"a group's", "224.0.0.1", TMTU_ICMP_FROM_SRC, TMTU_E_ARGUMENT, NULL},
        {"nobody's", "203.0.113.1", 3, TMTU_E_ARGUMENT, NULL},
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(each); i++) {
        const struct test_shape s = test_shape(4, 1500);
        struct tmtu_icmp_error e = too_big(4, 1480);
        uint8_t want[16];
        print_message("  %s\n", each[i].name);
        e.from = each[i].from;
        memset(e.src, 0, 16);
        if (each[i].src != NULL)
            test_addr(each[i].src, e.src);
        if (each[i].rc < 0) {
            refused(&s, &e, 0, each[i].rc, each[i].name);
            continue;
        }
        struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, &e), 0);
        test_addr(each[i].want, want);
        assert_memory_equal(buf.data + 12, want + 12, 4);
        free(buf.head);
    }
}

/* K45: what was sent to a group may earn a "too big", but not from the group.
 */
static void k45_a_group_is_never_the_source(void **state)
{
    (void)state;
    const struct test_shape s = test_shape(6, 1500);
    struct tmtu_icmp_error e = too_big(6, 1480);
    struct tmtu_buf buf = test_made(&s, TMTU_ICMP_HEADROOM);
    test_addr("ff0e::1", buf.data + 24);
    const struct tmtu_pkt pkt = test_parsed(&buf);
    memset(e.src, 0, 16);
    assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, &e), TMTU_E_ARGUMENT);
    test_addr("2001:db8:ffff::1", e.src);
    assert_int_equal(tmtu_icmp_wrap(&buf, &pkt, &e), 0);
    assert_memory_equal(buf.data + 8, e.src, 16);
    free(buf.head);
}

/* ---- may it be sent -------------------------------------------------------
 */

#define V4 "4500001c 00000000 40110000 "
#define U  "12340035 00080000"
#define V6 "60000000 00081140 20010db8 00010000 00000000 00000010 "

enum { BIG = TMTU_ICMP_TOO_BIG, GONE = TMTU_ICMP_EXPIRED };
enum { PP = TMTU_ICMP_PARAM, L2 = TMTU_PKT_L2_GROUP };

static const struct {
    const char *name, *hex;
    uint8_t kind, code;
    uint32_t info;
    uint16_t flags;
    int want;
} sends[] = {
    {"UDP", V4 "c000020a c6336414" U, BIG, 0, 0, 0, TMTU_OK},
    {"R-1122-03 F17 ICMP 3/3",
     "4500001c 00004000 40010000 c000020a c6336414 0303fcfc 00000000", BIG, 0,
     0, 0, TMTU_R_ABOUT_ERROR},
    {"K42 echo request",
     "4500001c 00000000 40010000 c000020a c6336414 0800f7ff 00000000", BIG, 0,
     0, 0, TMTU_OK},
    {"K41 a first fragment", "4500001c 00002000 40110000 c000020a c6336414" U,
     BIG, 0, 0, 0, TMTU_OK},
    {"K40 R-1122-06 F17 a later one",
     "4500001c 00000001 40110000 c000020a c6336414" U, BIG, 0, 0, 0,
     TMTU_R_LATER_FRAGMENT},
    {"K44 R-1122-04 F17 to 224.0.0.1", V4 "c000020a e0000001" U, BIG, 0, 0, 0,
     TMTU_R_GROUP},
    {"K44 R-1122-04 to 255.255.255.255", V4 "c000020a ffffffff" U, BIG, 0, 0, 0,
     TMTU_R_GROUP},
    {"K44 R-1122-05 link-layer broadcast", V4 "c000020a c6336414" U, BIG, 0, 0,
     L2, TMTU_R_L2_GROUP},
    {"R-1122-07 from 0.0.0.0", V4 "00000000 c6336414" U, BIG, 0, 0, 0,
     TMTU_R_SOURCE},
    {"R-1122-07 from 127.0.0.1", V4 "7f000001 c6336414" U, BIG, 0, 0, 0,
     TMTU_R_SOURCE},
    {"R-1122-07 from 224.1.1.1", V4 "e0010101 c6336414" U, BIG, 0, 0, 0,
     TMTU_R_SOURCE},
    {"R-1122-07 from 255.255.255.255", V4 "ffffffff c6336414" U, BIG, 0, 0, 0,
     TMTU_R_SOURCE},
    {"R-1122-07 from 240.0.0.1", V4 "f0000001 c6336414" U, GONE, 0, 0, 0,
     TMTU_R_SOURCE},
    {"K45 the exceptions are not for IPv4", V4 "c000020a e0000001" U, PP, 2, 20,
     0, TMTU_R_GROUP},

    {"UDP over IPv6", V6 "20010db8 00020000 00000000 00000020" U, BIG, 0, 0, 0,
     TMTU_OK},
    {"F14 R-4443-09 an echo request",
     "60000000 00083a40 " ADDRS6 "80000000 002a0001", BIG, 0, 0, 0, TMTU_OK},
    {"F14 R-4443-09 an error", "60000000 00083a40 " ADDRS6 "01000000 00000000",
     BIG, 0, 0, 0, TMTU_R_ABOUT_ERROR},
    {"R-4443-09 a redirect", "60000000 00083a40 " ADDRS6 "89000000 00000000",
     BIG, 0, 0, 0, TMTU_R_ABOUT_ERROR},
    {"K47 an error behind extension headers",
     "60000000 00103c40 " ADDRS6 "3a000104 00000000 02000000 000005c8", BIG, 0,
     0, 0, TMTU_R_ABOUT_ERROR},
    {"K47 an echo behind extension headers",
     "60000000 00103c40 " ADDRS6 "3a000104 00000000 80000000 00000000", BIG, 0,
     0, 0, TMTU_OK},
    {"K48 R-4443-12 a later fragment of ICMPv6",
     "60000000 00102c40 " ADDRS6 "3a000008 deadbeef 01000000 00000000", BIG, 0,
     0, 0, TMTU_OK},
    {"K45 R-4443-10 too big, to multicast",
     V6 "ff0e0000 00000000 00000000 00000001" U, BIG, 0, 0, 0, TMTU_OK},
    {"K45 R-4443-10 time exceeded, to multicast",
     V6 "ff0e0000 00000000 00000000 00000001" U, GONE, 0, 0, 0, TMTU_R_GROUP},
    {"K45 link-layer multicast and too big",
     V6 "20010db8 00020000 00000000 00000020" U, BIG, 0, 0, L2, TMTU_OK},
    {"K45 link-layer multicast and time exceeded",
     V6 "20010db8 00020000 00000000 00000020" U, GONE, 0, 0, L2,
     TMTU_R_L2_GROUP},
    {"K45 R-4443-10 an option 0x8a that asks for an answer",
     "60000000 00103c40 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 11008a04 00000000" U,
     PP, 2, 42, 0, TMTU_OK},
    {"the same on link-layer multicast",
     "60000000 00103c40 " ADDRS6 "11008a04 00000000" U, PP, 2, 42, L2, TMTU_OK},
    {"K45 R-4443-10 an option 0xc2 that asks for none to multicast",
     "60000000 00103c40 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 1100c204 00000000" U,
     PP, 2, 42, 0, TMTU_R_GROUP},
    {"K45 an option 0x4a",
     "60000000 00103c40 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 11004a04 00000000" U,
     PP, 2, 42, 0, TMTU_R_GROUP},
    {"K45 code 1 of the same",
     "60000000 00103c40 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 11008a04 00000000" U,
     PP, 1, 42, 0, TMTU_R_GROUP},
    {"K45 time exceeded, code 2, of the same",
     "60000000 00103c40 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 11008a04 00000000" U,
     GONE, 2, 42, 0, TMTU_R_GROUP},
    {"K45 a pointer at the last byte",
     "60000000 00093240 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 12340035 00080000 8a",
     PP, 2, 48, 0, TMTU_OK},
    {"K45 a pointer one past it",
     "60000000 00093240 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 12340035 00080000 8a",
     PP, 2, 49, 0, TMTU_R_GROUP},
    {"K45 a pointer far away",
     "60000000 00093240 20010db8 00010000 00000000 00000010"
     "ff0e0000 00000000 00000000 00000001 12340035 00080000 8a",
     PP, 2, 0xffffffff, 0, TMTU_R_GROUP},
    {"K46 R-4443-11 from ::",
     "60000000 00081140 00000000 00000000 00000000 00000000"
     "20010db8 00020000 00000000 00000020" U,
     BIG, 0, 0, 0, TMTU_R_SOURCE},
    {"K46 from multicast",
     "60000000 00081140 ff020000 00000000 00000000 00000001"
     "20010db8 00020000 00000000 00000020" U,
     BIG, 0, 0, 0, TMTU_R_SOURCE},
    {"from ::1",
     "60000000 00081140 00000000 00000000 00000000 00000001"
     "20010db8 00020000 00000000 00000020" U,
     BIG, 0, 0, 0, TMTU_R_SOURCE},
};

static void when_an_error_may_be_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(sends); i++) {
        uint8_t mem[128];
        const size_t n = test_hex(sends[i].hex, mem, sizeof mem);
        uint8_t *p = test_exact(mem, n);
        struct tmtu_pkt pkt;
        struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
        assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &pkt), 0);
        pkt.flags |= sends[i].flags;
        e.kind = sends[i].kind;
        e.code = sends[i].code;
        e.info = sends[i].info;
        const int got = (int)tmtu_icmp_may_send(&pkt, &e);
        if (got != sends[i].want)
            fail_msg("%s: %s", sends[i].name, tmtu_reason_name(got));
        free(p);
    }
}

static void what_may_not_be_sent_is_not_built(void **state)
{
    (void)state;
    struct tmtu_icmp_error e = too_big(4, 1480);
    struct test_shape s = test_shape(4, 1500);
    refused(&s, &e, TMTU_PKT_L2_GROUP, TMTU_E_FORBIDDEN, "link-layer group");
    s.frag = 0x4001;
    refused(&s, &e, 0, TMTU_E_FORBIDDEN, "a later fragment");
    s.frag = 0x4000;
    s.proto = 1;
    s.type = 3;
    refused(&s, &e, 0, TMTU_E_FORBIDDEN, "R-LIB-04 about an error");
    e = too_big(6, 1480);
    s = test_shape(6, 1500);
    s.proto = 58;
    s.type = 1;
    refused(&s, &e, 0, TMTU_E_FORBIDDEN, "F14 about an ICMPv6 error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_row),
        cmocka_unit_test(f23_every_cut_length_of_each_row),
        cmocka_unit_test(only_whole_icmp_of_its_own_family_is_read),
        cmocka_unit_test(every_field_of_an_error),
        cmocka_unit_test(k51_k53_k54_the_quote_is_as_long_as_may_be),
        cmocka_unit_test(k52_r_792_01_a_narrow_path_back),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(every_field_of_a_built_icmpv4_error),
        cmocka_unit_test(every_field_of_a_built_icmpv6_error),
        cmocka_unit_test(options_of_the_offender_are_quoted_and_no_more),
        cmocka_unit_test(k55_r_1812_04_the_tos_of_an_error),
        cmocka_unit_test(k56_without_a_source_it_is_the_vip),
        cmocka_unit_test(the_source_is_whose_it_is_said_to_be),
        cmocka_unit_test(k45_a_group_is_never_the_source),
        cmocka_unit_test(when_an_error_may_be_sent),
        cmocka_unit_test(what_may_not_be_sent_is_not_built),
    };
    return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* ip: every field against a literal, every row of mistakes, every cut length.
 * What a packet was read as is compared as text, see say(). */
#include "tmtu_test.h"

#include <tunmtu/ip.h>

/* 192.0.2.10 > 198.51.100.20, 2001:db8:1::10 > 2001:db8:2::20 */
#define A4 "c000020a c6336414 "
#define A6                                                                     \
    "20010db8 00010000 00000000 00000010 20010db8 00020000 00000000 00000020 "
#define TCP   "9c4001bb 01020304 00000000 50100200 00000000 " /* 40000 > 443 */
#define UDP   "12340035 000c0000 61626364 "                   /* 4660 > 53 */
#define SCTP  "12340035 00000000 00000000 "
#define BEGIN "12340035 "
#define ECHO  "0800f7ff 002a0001 "
#define ECHO6 "80000000 002a0001 "

/* Everything but addresses, ID, TOS and TTL, in one line. */
static const char *say(const struct tmtu_pkt *k)
{
    static char line[160];
    int n = snprintf(line, sizeof line, "%u", k->flow.proto);
    const size_t room = sizeof line;
#define ADD(...) n += snprintf(line + n, room - (size_t)n, __VA_ARGS__)
    if (k->flow.flags & TMTU_FLOW_PORTS)
        ADD(" %u>%u", k->flow.sport, k->flow.dport);
    ADD(" len %u/%u l4 %u rep %u", k->have, k->len, k->l4, k->unfragmentable);
    if (k->nexthdr_at)
        ADD(" next %u", k->nexthdr_at);
    if (k->frag_at)
        ADD(" frag %u", k->frag_at);
    if (k->frag_offset)
        ADD(" off %u", k->frag_offset);
    if (k->flags & TMTU_PKT_ICMP)
        ADD(" icmp %u/%u", k->icmp_type, k->icmp_code);
    static const char *const names[] = {"DF", "FRAG", "LATER",   "MF",
                                        "",   "CUT",  "L2GROUP", "ROUTED"};
    for (unsigned i = 0; i < 16; i++)
        if (k->flags >> i & 1 && 1u << i != TMTU_PKT_ICMP)
            ADD(" %s", i < 8 ? names[i] : "?");
#undef ADD
    return line;
}

static const char *error_name(int rc)
{
    static const char *const names[] = {
        "ok",       "IGNORED",  "TRUNCATED", "MALFORMED",   "NOSPACE",
        "ARGUMENT", "CHECKSUM", "LIMIT",     "UNSUPPORTED", "FORBIDDEN"};
    return rc <= 0 && rc >= -9 ? names[-rc] : "?";
}

/* Reads the `n` bytes at p out of memory that ends with them. On failure the
 * output must be as it was. Returns what they are, or the error's name. */
static const char *read_exact(const uint8_t *p, size_t n, unsigned how)
{
    uint8_t *copy = test_exact(p, n);
    struct tmtu_pkt got, before;
    memset(&got, 0xa5, sizeof got);
    memset(&before, 0xa5, sizeof before);
    const int rc = tmtu_ip_parse(tmtu_view(copy, n), how, &got);
    if (rc < 0)
        assert_memory_equal(&got, &before, sizeof got);
    else
        assert_ptr_equal(got.data, copy);
    free(copy);
    return rc < 0 ? error_name(rc) : say(&got);
}

enum { Q = TMTU_IP_QUOTED, VERIFY = TMTU_IP_VERIFY };

static const struct {
    const char *name;
    unsigned how;
    const char *hex, *want;
} rows[] = {
    /* IPv4 */
    {"TCP over IPv4", 0, "45000028 00000000 40060000 " A4 TCP,
     "6 40000>443 len 40/40 l4 20 rep 20"},
    {"UDP over IPv4", 0, "45000020 00000000 40110000 " A4 UDP,
     "17 4660>53 len 32/32 l4 20 rep 20"},
    {"SCTP over IPv4", 0, "45000020 00000000 40840000 " A4 SCTP,
     "132 4660>53 len 32/32 l4 20 rep 20"},
    {"DCCP over IPv4", 0, "45000020 00000000 40210000 " A4 SCTP,
     "33 4660>53 len 32/32 l4 20 rep 20"},
    {"UDP-Lite has a coverage where UDP has a length", 0,
     "45000020 00000000 40880000 " A4 SCTP,
     "136 4660>53 len 32/32 l4 20 rep 20"},
    {"four bytes are enough for ports alone", 0,
     "45000018 00000000 40840000 " A4 BEGIN,
     "132 4660>53 len 24/24 l4 20 rep 20"},
    {"ESP has no ports", 0, "45000020 00000000 40320000 " A4 UDP,
     "50 len 32/32 l4 20 rep 20"},
    {"IP in IP has no ports", 0, "45000020 00000000 40040000 " A4 UDP,
     "4 len 32/32 l4 20 rep 20"},
    {"nothing behind the header", 0, "45000014 00000000 40fd0000 " A4,
     "253 len 20/20 l4 20 rep 20"},
    {"R-791-03 DF", 0, "45000028 00004000 40060000 " A4 TCP,
     "6 40000>443 len 40/40 l4 20 rep 20 DF"},
    {"R-791-04 the reserved bit is looked over", 0,
     "45000028 0000c000 40060000 " A4 TCP,
     "6 40000>443 len 40/40 l4 20 rep 20 DF"},
    {"R-791-01 padding behind the total length is left out", 0,
     "4500002e 00000000 40fd0000 " A4 TCP "0000000000000000000000000000"
     "0000000000000000000000000000",
     "253 len 46/46 l4 20 rep 20"},
    {"R-791-01 header length 16", 0, "44000028 00000000 40060000 " A4 TCP,
     "MALFORMED"},
    {"R-791-01 header length 0", 0, "40000028 00000000 40060000 " A4 TCP,
     "MALFORMED"},
    {"R-791-01 total length below the header's", 0,
     "45000013 00000000 40060000 " A4 TCP, "MALFORMED"},
    {"total length 0", 0, "45000000 00000000 40060000 " A4 TCP, "MALFORMED"},
    {"R-791-01 total length one more than there is", 0,
     "45000029 00000000 40060000 " A4 TCP, "TRUNCATED"},
    {"version 5", 0, "55000028 00000000 40060000 " A4 TCP, "MALFORMED"},
    {"version 0", 0, "05000028 00000000 40060000 " A4 TCP, "MALFORMED"},
    {"no byte at all", 0, "", "TRUNCATED"},
    {"F2 21 bytes with a header of 60", 0,
     "4f000015 00000000 40010000 " A4 "08", "MALFORMED"},
    {"F2 21 bytes with a header of 60, long enough by its own account", 0,
     "4f00003c 00000000 40010000 " A4 "08", "TRUNCATED"},

    /* IPv4 options */
    {"R-791-02 NOP, NOP, EOL", 0,
     "4600002c 00000000 40060000 " A4 "01010000 " TCP,
     "6 40000>443 len 44/44 l4 24 rep 24"},
    {"R-791-02 what follows EOL is not looked at", 0,
     "4600002c 00000000 40060000 " A4 "00070000 " TCP,
     "6 40000>443 len 44/44 l4 24 rep 24"},
    {"R-791-02 record route of length 0", 0,
     "4600002c 00000000 40060000 " A4 "07000000 " TCP, "MALFORMED"},
    {"R-791-02 an option of length 1", 0,
     "4600002c 00000000 40060000 " A4 "07010000 " TCP, "MALFORMED"},
    {"R-791-02 an option of length 2", 0,
     "4600002c 00000000 40060000 " A4 "07020101 " TCP,
     "6 40000>443 len 44/44 l4 24 rep 24"},
    {"R-791-02 an option that fills the header", 0,
     "4600002c 00000000 40060000 " A4 "94040000 " TCP,
     "6 40000>443 len 44/44 l4 24 rep 24"},
    {"R-791-02 an option one byte too long", 0,
     "4600002c 00000000 40060000 " A4 "94050000 " TCP, "MALFORMED"},
    {"R-791-02 an option without its length", 0,
     "4600002c 00000000 40060000 " A4 "01010194 " TCP, "MALFORMED"},
    {"R-791-02 behind others, one byte too long", 0,
     "4600002c 00000000 40060000 " A4 "01019403 " TCP, "MALFORMED"},
    {"R-791-02 behind others, up to the end", 0,
     "4600002c 00000000 40060000 " A4 "01019402 " TCP,
     "6 40000>443 len 44/44 l4 24 rep 24"},
    {"R-791-02 without its length, at the end of the packet", 0,
     "46000018 00000000 40fd0000 " A4 "01010194", "MALFORMED"},
    {"R-791-02 a bad option behind a good one", 0,
     "4700002c 00000000 40fd0000 " A4 "94040000 07030409 "
     "0000000000000000"
     "00000000 00000000",
     "MALFORMED"},
    {"R-791-02 forty NOPs", 0,
     "4f000040 00000000 40840000 " A4 "01010101 01010101 01010101 01010101"
     "01010101 01010101 01010101 01010101 01010101 01010101" BEGIN,
     "132 4660>53 len 64/64 l4 60 rep 60"},
    {"R-791-02 the 40th byte is an option without its length", 0,
     "4f000040 00000000 40840000 " A4 "01010101 01010101 01010101 01010101"
     "01010101 01010101 01010101 01010101 01010101 01010107" BEGIN,
     "MALFORMED"},

    /* IPv4 header checksum */
    {"R-1812-01 the checksum is right", VERIFY,
     "45000028 0000 0000 4006 8e7e " A4 TCP,
     "6 40000>443 len 40/40 l4 20 rep 20"},
    {"R-1812-01 one bit of it is wrong", VERIFY,
     "45000028 0000 0000 4006 8e7f " A4 TCP, "CHECKSUM"},
    {"R-1812-01 wrong, but nobody asked", 0,
     "45000028 0000 0000 4006 8e7f " A4 TCP,
     "6 40000>443 len 40/40 l4 20 rep 20"},
    {"R-1812-01 right over options", VERIFY,
     "4600002c 0000 0000 4006 8c79 " A4 "01010000 " TCP,
     "6 40000>443 len 44/44 l4 24 rep 24"},
    {"R-1812-01 options changed", VERIFY,
     "4600002c 0000 0000 4006 8c79 " A4 "01000000 " TCP, "CHECKSUM"},
    {"hearsay in a quote", Q | VERIFY, "45000028 0000 0000 4006 8e7f " A4 TCP,
     "6 40000>443 len 40/40 l4 20 rep 20"},

    /* TCP, UDP, ICMP of their own */
    {"R-9293-01 data offset 4", 0,
     "45000028 00000000 40060000 " A4 "9c4001bb 01020304 00000000 40100200"
     "00000000",
     "MALFORMED"},
    {"R-9293-01 data offset 6 of 5", 0,
     "45000028 00000000 40060000 " A4 "9c4001bb 01020304 00000000 60100200"
     "00000000",
     "MALFORMED"},
    {"R-9293-01 data offset 15 of 15", 0,
     "45000050 00000000 40060000 " A4 "9c4001bb 01020304 00000000 f0100200"
     "00000000 01010101 01010101 01010101 01010101 01010101 01010101 01010101"
     "01010101 01010101 01010101",
     "6 40000>443 len 80/80 l4 20 rep 20"},
    {"R-9293-01 19 bytes of TCP", 0,
     "45000027 00000000 40060000 " A4 "9c4001bb 01020304 00000000 50100200"
     "000000",
     "TRUNCATED"},
    {"R-768-01 UDP length 7", 0,
     "45000020 00000000 40110000 " A4 "12340035 00070000 61626364",
     "MALFORMED"},
    {"R-768-01 UDP length 8, padding behind it", 0,
     "45000020 00000000 40110000 " A4 "12340035 00080000 61626364",
     "17 4660>53 len 32/32 l4 20 rep 20"},
    {"R-768-01 UDP length 13 of 12", 0,
     "45000020 00000000 40110000 " A4 "12340035 000d0000 61626364",
     "MALFORMED"},
    {"R-768-01 UDP length 0", 0,
     "45000020 00000000 40110000 " A4 "12340035 00000000 61626364",
     "MALFORMED"},
    {"7 bytes of UDP", 0, "4500001b 00000000 40110000 " A4 "12340035 000700",
     "TRUNCATED"},
    {"an empty datagram", 0,
     "4500001c 00000000 40110000 " A4 "12340035 00080000",
     "17 4660>53 len 28/28 l4 20 rep 20"},
    {"echo request: its identifier in both ports", 0,
     "4500001c 00000000 40010000 " A4 ECHO,
     "1 42>42 len 28/28 l4 20 rep 20 icmp 8/0"},
    {"echo reply: the same", 0,
     "4500001c 00000000 40010000 " A4 "0000ffff 002a0001",
     "1 42>42 len 28/28 l4 20 rep 20 icmp 0/0"},
    {"type 12 has a pointer where queries have the identifier", 0,
     "4500001c 00000000 40010000 " A4 "0c010000 002a0001",
     "1 len 28/28 l4 20 rep 20 icmp 12/1"},
    {"type 13 has an identifier", 0,
     "4500001c 00000000 40010000 " A4 "0d000000 002a0001",
     "1 42>42 len 28/28 l4 20 rep 20 icmp 13/0"},
    {"type 18 has an identifier", 0,
     "4500001c 00000000 40010000 " A4 "12000000 002a0001",
     "1 42>42 len 28/28 l4 20 rep 20 icmp 18/0"},
    {"type 19 is nobody's", 0,
     "4500001c 00000000 40010000 " A4 "13000000 002a0001",
     "1 len 28/28 l4 20 rep 20 icmp 19/0"},
    {"an echo of 6 bytes has its identifier", 0,
     "4500001a 00000000 40010000 " A4 "08000000 002a",
     "1 42>42 len 26/26 l4 20 rep 20 icmp 8/0"},
    {"an echo of 5 bytes has none", 0,
     "45000019 00000000 40010000 " A4 "08000000 00",
     "1 len 25/25 l4 20 rep 20 icmp 8/0"},
    {"ICMP has a checksum at least", 0,
     "45000017 00000000 40010000 " A4 "080000", "TRUNCATED"},
    {"K43 ICMP without its type", 0, "45000014 00000000 40010000 " A4,
     "TRUNCATED"},
    {"ICMPv6 in IPv4 is just a protocol", 0,
     "4500001c 00000000 403a0000 " A4 ECHO6, "58 len 28/28 l4 20 rep 20"},
    {"ICMPv4 in IPv6 is just a protocol", 0, "60000000 00080140 " A6 ECHO,
     "1 len 48/48 l4 40 rep 40 next 6"},

    /* IPv4 fragments */
    {"R-791-03 MF alone: the first, with ports", 0,
     "45000020 00002000 40110000 " A4 "12340035 05dc0000 61626364",
     "17 4660>53 len 32/32 l4 20 rep 20 FRAG MF"},
    {"F8 F19 offset alone: the last, without", 0,
     "45000020 000000b9 40110000 " A4 UDP,
     "17 len 32/32 l4 20 rep 20 off 1480 FRAG LATER"},
    {"R-791-03 both: in the middle", 0, "45000020 00002005 40110000 " A4 UDP,
     "17 len 32/32 l4 20 rep 20 off 40 FRAG LATER MF"},
    {"offset 8 is a later one", 0, "45000020 00000001 40110000 " A4 UDP,
     "17 len 32/32 l4 20 rep 20 off 8 FRAG LATER"},
    {"DF and a later fragment", 0, "45000020 00004001 40110000 " A4 UDP,
     "17 len 32/32 l4 20 rep 20 off 8 DF FRAG LATER"},
    {"a later fragment of ICMP has no type", 0,
     "4500001c 00000001 40010000 " A4 ECHO,
     "1 len 28/28 l4 20 rep 20 off 8 FRAG LATER"},
    {"a later fragment of TCP is not looked into", 0,
     "45000018 00000001 40060000 " A4 "00000000",
     "6 len 24/24 l4 20 rep 20 off 8 FRAG LATER"},
    {"a first fragment of 8 bytes of TCP has ports", 0,
     "4500001c 00002000 40060000 " A4 "9c4001bb 01020304",
     "6 40000>443 len 28/28 l4 20 rep 20 FRAG MF"},
    {"a first fragment too short for ports", 0,
     "45000017 00002000 40060000 " A4 "9c4001", "MALFORMED"},
    {"a first fragment too short for a type", 0,
     "45000015 00002000 40010000 " A4 "08", "MALFORMED"},
    {"a first fragment of ESP without data", 0,
     "45000014 00002000 40320000 " A4, "50 len 20/20 l4 20 rep 20 FRAG MF"},
    {"R-791-03 three bytes at 65512: 65535 in all", 0,
     "45000017 00003ffd 40fd0000 " A4 "000000",
     "253 len 23/23 l4 20 rep 20 off 65512 FRAG LATER MF"},
    {"R-791-03 four bytes there", 0,
     "45000018 00001ffd 40fd0000 " A4 "00000000", "MALFORMED"},
    {"R-791-03 the last offset, and nothing", 0,
     "45000014 00001fff 40fd0000 " A4, "MALFORMED"},

    /* IPv6 */
    {"TCP over IPv6", 0, "60000000 00140640 " A6 TCP,
     "6 40000>443 len 60/60 l4 40 rep 40 next 6"},
    {"UDP over IPv6", 0, "60000000 000c1140 " A6 UDP,
     "17 4660>53 len 52/52 l4 40 rep 40 next 6"},
    {"echo over IPv6", 0, "60000000 00083a40 " A6 ECHO6,
     "58 42>42 len 48/48 l4 40 rep 40 next 6 icmp 128/0"},
    {"echo reply over IPv6", 0, "60000000 00083a40 " A6 "81000000 002a0001",
     "58 42>42 len 48/48 l4 40 rep 40 next 6 icmp 129/0"},
    {"neighbours have no identifier", 0,
     "60000000 00083a40 " A6 "87000000 002a0001",
     "58 len 48/48 l4 40 rep 40 next 6 icmp 135/0"},
    {"multicast listeners have none", 0,
     "60000000 00083a40 " A6 "82000000 002a0001",
     "58 len 48/48 l4 40 rep 40 next 6 icmp 130/0"},
    {"type 127 has none", 0, "60000000 00083a40 " A6 "7f000000 002a0001",
     "58 len 48/48 l4 40 rep 40 next 6 icmp 127/0"},
    {"padding behind the payload length is left out", 0,
     "60000000 000c1140 " A6 UDP "0000",
     "17 4660>53 len 52/52 l4 40 rep 40 next 6"},
    {"payload length one more than there is", 0, "60000000 000d1140 " A6 UDP,
     "TRUNCATED"},
    {"no next header", 0, "60000000 00003b40 " A6,
     "59 len 40/40 l4 40 rep 40 next 6"},
    {"R-8200-02 payload length 0 before hop-by-hop: a jumbogram", 0,
     "60000000 00000040 " A6 "1100c204 00010000 " UDP, "UNSUPPORTED"},
    {"payload length 0 before UDP is no jumbogram", 0,
     "60000000 00001140 " A6 UDP, "TRUNCATED"},
    {"R-768-01 UDP length 7 over IPv6", 0,
     "60000000 000c1140 " A6 "12340035 00070000 61626364", "MALFORMED"},
    {"R-9293-01 data offset 4 over IPv6", 0,
     "60000000 00140640 " A6 "9c4001bb 01020304 00000000 40100200 00000000",
     "MALFORMED"},

    {"R-768-01 UDP length 8 over IPv6, padding behind it", 0,
     "60000000 000c1140 " A6 "12340035 00080000 61626364",
     "17 4660>53 len 52/52 l4 40 rep 40 next 6"},
    {"R-768-01 UDP length 13 of 12 over IPv6", 0,
     "60000000 000c1140 " A6 "12340035 000d0000 61626364", "MALFORMED"},
    {"7 bytes of UDP over IPv6", 0, "60000000 00071140 " A6 "12340035 000700",
     "TRUNCATED"},
    {"R-9293-01 data offset 6 of 5 over IPv6", 0,
     "60000000 00140640 " A6 "9c4001bb 01020304 00000000 60100200 00000000",
     "MALFORMED"},
    {"R-9293-01 data offset 6 of 6 over IPv6", 0,
     "60000000 00180640 " A6 "9c4001bb 01020304 00000000 60100200 00000000"
     "01010101",
     "6 40000>443 len 64/64 l4 40 rep 40 next 6"},
    {"R-9293-01 19 bytes of TCP over IPv6", 0,
     "60000000 00130640 " A6 "9c4001bb 01020304 00000000 50100200 000000",
     "TRUNCATED"},

    /* IPv6 extension headers */
    {"F4 a hop-by-hop of 16 bytes", 0,
     "60000000 001c0040 " A6 "1101 010c 00000000 00000000 00000000 " UDP,
     "17 4660>53 len 68/68 l4 56 rep 56 next 40"},
    {"F5 destination options of 8 bytes", 0,
     "60000000 00143c40 " A6 "1100 0104 00000000 " UDP,
     "17 4660>53 len 60/60 l4 48 rep 40 next 6"},
    {"a routing header is for each fragment", 0,
     "60000000 00142b40 " A6 "1100 0000 00000000 " UDP,
     "17 4660>53 len 60/60 l4 48 rep 48 next 40"},
    {"a routing header with segments left", 0,
     "60000000 00142b40 " A6 "1100 0401 00000000 " UDP,
     "17 4660>53 len 60/60 l4 48 rep 48 next 40 ROUTED"},
    {"R-8504-01 destination, routing, destination", 0,
     "60000000 00243c40 " A6 "2b00 0104 00000000 3c00 0000 00000000"
     "1100 0104 00000000 " UDP,
     "17 4660>53 len 76/76 l4 64 rep 56 next 48"},
    {"R-8200-01 AH counts words of four", 0,
     "60000000 00243340 " A6 "1104 0000 00000000 00000000 00000000 00000000"
     "00000000 " UDP,
     "17 4660>53 len 76/76 l4 64 rep 40 next 6"},
    {"mobility", 0, "60000000 00088740 " A6 "3b00 0000 00000000",
     "59 len 48/48 l4 48 rep 40 next 6"},
    {"host identity", 0, "60000000 00088b40 " A6 "3b00 0000 00000000",
     "59 len 48/48 l4 48 rep 40 next 6"},
    {"shim6", 0, "60000000 00148c40 " A6 "1100 0000 00000000 " UDP,
     "17 4660>53 len 60/60 l4 48 rep 40 next 6"},
    {"ESP ends the chain", 0, "60000000 00083240 " A6 "3c00 0000 00000000",
     "50 len 48/48 l4 40 rep 40 next 6"},
    {"K47 ICMPv6 behind options", 0,
     "60000000 00103c40 " A6 "3a00 0104 00000000 0100 0000 00000000",
     "58 len 56/56 l4 48 rep 40 next 6 icmp 1/0"},
    {"R-8200-01 hop-by-hop is only ever first", 0,
     "60000000 00143c40 " A6 "0000 0104 00000000 " UDP, "MALFORMED"},
    {"F1 hop-by-hop names itself", 0,
     "60000000 00100040 " A6 "0000 0104 00000000 0000 0104 00000000",
     "MALFORMED"},
    {"F3 a header one byte longer than the packet", 0,
     "60000000 00073c40 " A6 "1100 0104 000000", "TRUNCATED"},
    {"F3 a header of 16 bytes in 8", 0,
     "60000000 00083c40 " A6 "1101 0104 00000000", "TRUNCATED"},
    {"AH of 12 bytes in 8", 0, "60000000 00083340 " A6 "1101 0000 00000000",
     "TRUNCATED"},
    {"eight headers", 0,
     "60000000 004c3c40 " A6 "3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 3c000104 00000000 3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 11000104 00000000 " UDP,
     "17 4660>53 len 116/116 l4 104 rep 40 next 6"},
    {"nine headers", 0,
     "60000000 00543c40 " A6 "3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 3c000104 00000000 3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 3c000104 00000000 11000104 00000000 " UDP,
     "LIMIT"},
    {"R-8200-01 nine in a quote", Q,
     "60000000 00543c40 " A6 "3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 3c000104 00000000 3c000104 00000000 3c000104 00000000"
     "3c000104 00000000 3c000104 00000000 11000104 00000000 " UDP,
     "LIMIT"},

    /* IPv6 fragments */
    {"F6 a first fragment has ports", 0,
     "60000000 00142c40 " A6 "1100 0001 deadbeef " UDP,
     "17 4660>53 len 60/60 l4 48 rep 40 next 6 frag 40 FRAG MF"},
    {"its UDP length is that of the whole", 0,
     "60000000 00142c40 " A6 "1100 0001 deadbeef 12340035 05dc0000 61626364",
     "17 4660>53 len 60/60 l4 48 rep 40 next 6 frag 40 FRAG MF"},
    {"F19 a last fragment has none", 0,
     "60000000 00142c40 " A6 "1100 05c8 deadbeef " UDP,
     "17 len 60/60 l4 48 rep 40 next 6 frag 40 off 1480 FRAG LATER"},
    {"the two reserved bits are no offset", 0,
     "60000000 00142c40 " A6 "11ff 0006 deadbeef " UDP,
     "17 4660>53 len 60/60 l4 48 rep 40 next 6 frag 40"},
    {"TRAP-5 an atomic fragment is whole", 0,
     "60000000 00142c40 " A6 "1100 0000 deadbeef " UDP,
     "17 4660>53 len 60/60 l4 48 rep 40 next 6 frag 40"},
    {"an atomic fragment's UDP length must be right", 0,
     "60000000 00142c40 " A6 "1100 0000 deadbeef 12340035 05dc0000 61626364",
     "MALFORMED"},
    {"the last offset there is", 0,
     "60000000 00142c40 " A6 "1100 fff9 deadbeef " UDP,
     "17 len 60/60 l4 48 rep 40 next 6 frag 40 off 65528 FRAG LATER MF"},
    {"F1 a fragment header names itself", 0,
     "60000000 00102c40 " A6 "2c00 0000 00000000 2c00 0000 00000000",
     "MALFORMED"},
    {"what a later fragment begins with is data", 0,
     "60000000 00102c40 " A6 "3c00 0008 deadbeef ffff ffff ffffffff",
     "60 len 56/56 l4 48 rep 40 next 6 frag 40 off 8 FRAG LATER"},
    {"a later fragment without data", 0,
     "60000000 00082c40 " A6 "1100 0008 deadbeef",
     "17 len 48/48 l4 48 rep 40 next 6 frag 40 off 8 FRAG LATER"},
    {"R-7112-01 R-7112-02 a first fragment without ports", 0,
     "60000000 000b2c40 " A6 "1100 0001 deadbeef 123400", "MALFORMED"},
    {"R-7112-01 a first fragment that ends inside the chain", 0,
     "60000000 00102c40 " A6 "3c00 0001 deadbeef 1101 0104 00000000",
     "MALFORMED"},
    {"R-7112-01 or before its next header", 0,
     "60000000 000f2c40 " A6 "3c00 0001 deadbeef 1101 0104 000000",
     "MALFORMED"},
    {"R-7112-01 a first fragment without its ICMPv6 type", 0,
     "60000000 00092c40 " A6 "3a00 0001 deadbeef 80", "MALFORMED"},
    {"routing, fragment, destination options", 0,
     "60000000 00242b40 " A6 "2c00 0000 00000000 3c00 0001 deadbeef"
     "1100 0104 00000000 " UDP,
     "17 4660>53 len 76/76 l4 64 rep 48 next 40 frag 48 FRAG MF"},
    {"destination options, fragment: whoever cut it repeats them", 0,
     "60000000 001c3c40 " A6 "2c00 0104 00000000 1100 0001 deadbeef " UDP,
     "17 4660>53 len 68/68 l4 56 rep 48 next 40 frag 48 FRAG MF"},
    {"fragment, routing: what follows is no part of what is repeated", 0,
     "60000000 001c2c40 " A6 "2b00 0001 deadbeef 1100 0000 00000000 " UDP,
     "17 4660>53 len 68/68 l4 56 rep 40 next 6 frag 40 FRAG MF"},

    /* quotes */
    {"F7 K66 a quote of a header and four bytes", Q,
     "450005dc 00004000 40060000 " A4 "9c4001bb",
     "6 40000>443 len 24/1500 l4 20 rep 20 DF"},
    {"R-792-02 of a header and eight", Q,
     "450005dc 00004000 40060000 " A4 "9c4001bb 01020304",
     "6 40000>443 len 28/1500 l4 20 rep 20 DF"},
    {"three bytes are no ports", Q, "450005dc 00004000 40060000 " A4 "9c4001",
     "6 len 23/1500 l4 20 rep 20 DF CUT"},
    {"the header alone", Q, "450005dc 00004000 40060000 " A4,
     "6 len 20/1500 l4 20 rep 20 DF CUT"},
    {"a protocol without ports is not cut", Q, "450005dc 00004000 40320000 " A4,
     "50 len 20/1500 l4 20 rep 20 DF"},
    {"R-1122-09 data offset and UDP length are not looked at", Q,
     "450005dc 00000000 40110000 " A4 "12340035 00000000",
     "17 4660>53 len 28/1500 l4 20 rep 20"},
    {"K67 header length 60", Q,
     "4f0005dc 00000000 40110000 " A4 "01010101 01010101 01010101 01010101"
     "01010101 01010101 01010101 01010101 01010101 01010101" BEGIN,
     "17 4660>53 len 64/1500 l4 60 rep 60"},
    {"bad options in a quote are not looked at", Q,
     "460005dc 00000000 40110000 " A4 "07000000 " BEGIN,
     "17 4660>53 len 28/1500 l4 24 rep 24"},
    {"F10 header length 0 in a quote", Q, "400005dc 00000000 40110000 " A4 UDP,
     "MALFORMED"},
    {"F10 K64 header length 16 in a quote", Q,
     "440005dc 00000000 40110000 " A4 UDP, "MALFORMED"},
    {"K64 19 bytes of header", Q, "450005dc 00000000 40110000 c000020a c63364",
     "TRUNCATED"},
    {"options cut off", Q, "460005dc 00000000 40110000 " A4 "010101",
     "TRUNCATED"},
    {"F8 R-791-07 a quoted later fragment has no ports", Q,
     "450005dc 000020b9 40110000 " A4 UDP,
     "17 len 32/1500 l4 20 rep 20 off 1480 FRAG LATER MF"},
    {"a quoted first fragment has ports", Q,
     "450005dc 00002000 40110000 " A4 BEGIN,
     "17 4660>53 len 24/1500 l4 20 rep 20 FRAG MF"},
    {"R-4884-08 zeros behind a short packet are no part of it", Q,
     "4500001c 00000000 40110000 " A4 "12340035 00080000 00000000 00000000",
     "17 4660>53 len 28/28 l4 20 rep 20"},
    {"R-4884-08 nor behind one without data", Q,
     "45000014 00000000 40fd0000 " A4 "00000000 00000000",
     "253 len 20/20 l4 20 rep 20"},
    {"a total length that the reporter has spoilt is hearsay", Q,
     "45000008 00000000 40110000 " A4 "12340035 00080000",
     "17 4660>53 len 28/8 l4 20 rep 20"},
    {"offset and length may overflow in a quote", Q,
     "450005dc 00001fff 40110000 " A4 UDP,
     "17 len 32/1500 l4 20 rep 20 off 65528 FRAG LATER"},
    {"F10 quoted ICMP has no ports but an identifier", Q,
     "450005dc 00000000 40010000 " A4 ECHO,
     "1 42>42 len 28/1500 l4 20 rep 20 icmp 8/0"},
    {"quoted ICMP of 2 bytes has a type", Q,
     "450005dc 00000000 40010000 " A4 "0301",
     "1 len 22/1500 l4 20 rep 20 icmp 3/1"},
    {"quoted ICMP of 1 byte is cut", Q, "450005dc 00000000 40010000 " A4 "03",
     "1 len 21/1500 l4 20 rep 20 CUT"},
    {"quoted IPv6 with 4 bytes behind it", Q,
     "60000000 05b40640 " A6 "9c4001bb",
     "6 40000>443 len 44/1500 l4 40 rep 40 next 6"},
    {"quoted IPv6 header alone", Q, "60000000 05b40640 " A6,
     "6 len 40/1500 l4 40 rep 40 next 6 CUT"},
    {"39 bytes of a quoted IPv6 header", Q,
     "60000000 05b40640 20010db8 00010000 00000000 00000010 20010db8 00020000"
     "00000000 000000",
     "TRUNCATED"},
    {"R-4443-15 a quoted chain", Q,
     "60000000 05b43c40 " A6 "1100 0104 00000000 " BEGIN,
     "17 4660>53 len 52/1500 l4 48 rep 40 next 6"},
    {"F3 a quoted chain cut inside a header", Q,
     "60000000 05b43c40 " A6 "1100 0104 000000",
     "60 len 47/1500 l4 40 rep 40 next 6 CUT"},
    {"a quoted chain cut inside a longer header", Q,
     "60000000 05b43c40 " A6 "1101 0104 00000000",
     "60 len 48/1500 l4 40 rep 40 next 6 CUT"},
    {"R-4443-15 a quoted later fragment", Q,
     "60000000 05b42c40 " A6 "1100 05c9 deadbeef " BEGIN,
     "17 len 52/1500 l4 48 rep 40 next 6 frag 40 off 1480 FRAG LATER MF"},
    {"a quoted first fragment cut before its ports", Q,
     "60000000 05b42c40 " A6 "1100 0001 deadbeef 1234",
     "17 len 50/1500 l4 48 rep 40 next 6 frag 40 FRAG MF CUT"},
    {"K30 a quoted jumbogram is as long as what is there of it", Q,
     "60000000 00000040 " A6 "1100c204 00010000 " UDP,
     "17 4660>53 len 60/40 l4 48 rep 48 next 40"},
    {"K30 and ends where the quote does", Q, "60000000 00000040 " A6 "1100c204",
     "0 len 44/40 l4 40 rep 40 next 6 CUT"},
    {"behind no next header nothing is, but padding", Q,
     "60000000 00003b40 " A6 "00000000 00000000",
     "59 len 40/40 l4 40 rep 40 next 6"},
    {"zeros behind a short IPv6 packet", Q,
     "60000000 00081140 " A6 "12340035 00080000 00000000",
     "17 4660>53 len 48/48 l4 40 rep 40 next 6"},
};

static void reads_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t p[256];
        const size_t n = test_hex(rows[i].hex, p, sizeof p);
        const char *got = read_exact(p, n, rows[i].how);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s:\n  is     %s\n  not    %s", rows[i].name, got,
                     rows[i].want);
    }
}

/* A row that reads as a whole packet is truncated at every shorter length; one
 * that reads as a quote too, as soon as its header is there, and without ports
 * it says so. */
static void every_cut_length_of_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        uint8_t p[256];
        const size_t n = test_hex(rows[i].hex, p, sizeof p);
        struct tmtu_pkt whole;
        if (tmtu_ip_parse(tmtu_view(p, n), 0, &whole) < 0)
            continue;
        for (size_t cut = 0; cut < whole.len; cut++) {
            if (strcmp(read_exact(p, cut, 0), "TRUNCATED") != 0)
                fail_msg("%s: %zu bytes of it", rows[i].name, cut);
            uint8_t *copy = test_exact(p, cut);
            struct tmtu_pkt q;
            memset(&q, 0xa5, sizeof q);
            const int rc = tmtu_ip_parse(tmtu_view(copy, cut), Q, &q);
            const size_t head = whole.flow.ipver == 4 ? whole.l4 : 40;
            if (rc != (cut < head ? TMTU_E_TRUNCATED : 0))
                fail_msg("%s: a quote of %zu", rows[i].name, cut);
            if (rc == 0) {
                assert_int_equal(q.have, cut);
                assert_int_equal(q.len, whole.len);
                assert_in_range(q.l4, head, cut);
                assert_memory_equal(q.flow.src, whole.flow.src, 32);
                if (q.flow.flags & TMTU_FLOW_PORTS)
                    assert_memory_equal(&q.flow, &whole.flow, 40);
                else
                    assert_true(q.flow.sport == 0 && q.flow.dport == 0);
                const int ports = (whole.flow.flags & TMTU_FLOW_PORTS) != 0;
                if (ports && !(whole.flags & TMTU_PKT_ICMP))
                    assert_int_equal(!(q.flags & TMTU_PKT_CUT),
                                     cut >= whole.l4 + 4u);
            }
            free(copy);
        }
    }
}

/* F3: 0 to 7 bytes of each extension header, whole and as a quote. F1: each
 * names itself for as long as there are bytes. */
static void f3_f1_headers_cut_short_and_headers_without_end(void **state)
{
    (void)state;
    static const uint8_t types[] = {0, 43, 44, 51, 60, 135, 139, 140};
    for (size_t i = 0; i < sizeof types; i++) {
        uint8_t p[40 + 512] = {0x60, 0, 0, 0, 0, 0, 0, 64};
        p[6] = types[i];
        for (uint8_t n = 1; n < 8; n++) {
            p[5] = n;
            assert_string_equal(read_exact(p, 40u + n, 0), "TRUNCATED");
            assert_non_null(strstr(read_exact(p, 40u + n, Q), "CUT"));
        }
        tmtu_put16(p + 4, 512);
        for (size_t at = 40; at < sizeof p; at += 8)
            p[at] = types[i];
        assert_string_equal(read_exact(p, sizeof p, 0),
                            types[i] == 0 || types[i] == 44 ? "MALFORMED"
                                                            : "LIMIT");
    }
}

static void every_field_of_ipv4(void **state)
{
    (void)state;
    uint8_t p[64];
    const size_t n = test_hex("47b90034 beef4000 3f060000 " A4
                              "01010101 00000000 " TCP "6162",
                              p, 64);
    p[3] = 50;
    struct tmtu_pkt k;
    memset(&k, 0xa5, sizeof k);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_ptr_equal(k.data, p);
    assert_int_equal(k.len, 50);
    assert_int_equal(k.have, 50);
    assert_int_equal(k.l4, 28);
    assert_int_equal(k.nexthdr_at, 0);
    assert_int_equal(k.unfragmentable, 28);
    assert_int_equal(k.frag_at, 0);
    assert_int_equal(k.frag_offset, 0);
    assert_int_equal(k.id, 0xbeef);
    assert_int_equal(k.flags, TMTU_PKT_DF);
    assert_int_equal(k.tclass, 0xb9);
    assert_int_equal(k.ttl, 63);
    assert_int_equal(k.icmp_type, 0);
    assert_int_equal(k.icmp_code, 0);
    assert_int_equal(k.gso_size, 0);
    assert_int_equal(k.frag_max, 0);
    const struct tmtu_flow flow = {.src = {[10] = 0xff, 0xff, 192, 0, 2, 10},
                                   .dst = {[10] = 0xff, 0xff, 198, 51, 100, 20},
                                   .sport = 40000,
                                   .dport = 443,
                                   .ipver = 4,
                                   .proto = 6,
                                   .flags = TMTU_FLOW_PORTS};
    assert_memory_equal(&k.flow, &flow, sizeof flow);

    /* The same without options: the quick way fills in the same. */
    struct tmtu_pkt q;
    memset(&q, 0x5a, sizeof q);
    memmove(p + 8, p, 20);
    p[8] = 0x45;
    p[11] = 42;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p + 8, n - 8), 0, &q), 0);
    k.data = p + 8;
    k.len = k.have = 42;
    k.l4 = k.unfragmentable = 20;
    assert_string_equal(say(&q), say(&k));
    assert_ptr_equal(q.data, k.data);
    assert_true(q.id == k.id && q.tclass == k.tclass && q.ttl == k.ttl);
    assert_true(q.icmp_type == 0 && q.icmp_code == 0);
    assert_true(q.gso_size == 0 && q.frag_max == 0);
    assert_memory_equal(&q.flow, &flow, sizeof flow);
}

static void every_field_of_ipv6(void **state)
{
    (void)state;
    uint8_t p[128];
    const size_t n = test_hex("6b9abcde 001c0033 " A6
                              "2c00 0104 00000000 3a00 0009 deadbeef "
                              "0203 0405 002a0001 00000000",
                              p, sizeof p);
    struct tmtu_pkt k;
    memset(&k, 0xa5, sizeof k);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_ptr_equal(k.data, p);
    assert_int_equal(k.len, 68);
    assert_int_equal(k.have, 68);
    assert_int_equal(k.l4, 56);
    assert_int_equal(k.nexthdr_at, 40);
    assert_int_equal(k.unfragmentable, 48);
    assert_int_equal(k.frag_at, 48);
    assert_int_equal(k.frag_offset, 8);
    assert_int_equal(k.id, 0xdeadbeefu);
    assert_int_equal(k.flags, TMTU_PKT_FRAGMENT | TMTU_PKT_LATER | TMTU_PKT_MF);
    assert_int_equal(k.tclass, 0xb9);
    assert_int_equal(k.ttl, 0x33);
    assert_int_equal(k.icmp_type, 0);
    assert_int_equal(k.icmp_code, 0);
    assert_int_equal(k.gso_size, 0);
    assert_int_equal(k.frag_max, 0);
    const struct tmtu_flow flow = {
        .src = {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 0x10},
        .dst = {0x20, 1, 0x0d, 0xb8, 0, 2, [15] = 0x20},
        .ipver = 6,
        .proto = 58};
    assert_memory_equal(&k.flow, &flow, sizeof flow);

    p[51] = 1; /* the first fragment: now the type is there */
    memset(&k, 0xa5, sizeof k);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_int_equal(k.flags, TMTU_PKT_FRAGMENT | TMTU_PKT_MF | TMTU_PKT_ICMP);
    assert_int_equal(k.icmp_type, 2);
    assert_int_equal(k.icmp_code, 3);
    assert_int_equal(k.frag_offset, 0);

    p[6] = 58; /* no Fragment header: no ID */
    memset(&k, 0xa5, sizeof k);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_int_equal(k.id, 0);
    assert_int_equal(k.frag_at, 0);
}

static int is_error(const char *hex, unsigned how, size_t at, uint8_t type)
{
    uint8_t p[128];
    const size_t n = test_hex(hex, p, sizeof p);
    struct tmtu_pkt k;
    p[at] = type;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), how, &k), 0);
    return tmtu_ip_is_icmp_error(&k) != 0;
}

static void k42_r_4443_09_types_no_error_may_be_about(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const int query = type == 0 || type == 8 || (type >= 13 && type <= 18);
        const uint8_t t = (uint8_t)type;
        assert_int_equal(
            is_error("4500001c 00000000 40010000 " A4 ECHO, 0, 20, t), !query);
        /* K41: as a first fragment too */
        assert_int_equal(
            is_error("4500001c 00002000 40010000 " A4 ECHO, 0, 20, t), !query);
        assert_int_equal(is_error("60000000 00083a40 " A6 ECHO6, 0, 40, t),
                         type < 128 || type == 137);
        assert_int_equal(is_error("60000000 00103c40 " A6 /* K47 */
                                  "3a000104 00000000 " ECHO6,
                                  0, 48, t),
                         type < 128 || type == 137);
        /* K48: of a later fragment nobody knows */
        assert_int_equal(is_error("60000000 00102c40 " A6
                                  "3a000008 00000000 " ECHO6,
                                  0, 48, t),
                         0);
        /* type-like bytes of other protocols */
        assert_int_equal(
            is_error("4500001c 00000000 40fd0000 " A4 ECHO, 0, 20, t), 0);
        assert_int_equal(
            is_error("4500001c 00000000 403a0000 " A4 ECHO, 0, 20, t), 0);
        assert_int_equal(is_error("60000000 00080140 " A6 ECHO6, 0, 40, t), 0);
    }
    /* K43: without a type it counts as one; only a quote can be so short. */
    assert_int_equal(is_error("4500001c 00000000 40010000 " A4, Q, 3, 28), 1);
    assert_int_equal(is_error("60000000 00083a40 " A6, Q, 5, 8), 1);
}

static void k38_r_1624_04_a_hop_and_the_checksum_still_right(void **state)
{
    (void)state;
    for (unsigned ttl = 0; ttl < 256; ttl++)
        for (unsigned tos = 0; tos < 256; tos++) {
            uint8_t p[40], before[40];
            const size_t n =
                test_hex("45000020 00000000 40110000 " A4 UDP, p, 40);
            p[1] = (uint8_t)tos;
            p[8] = (uint8_t)ttl;
            tmtu_put16(p + 10, test_cksum(p, 20));
            memcpy(before, p, sizeof p);
            struct tmtu_buf buf = {p, p, p + n, p + n};
            struct tmtu_pkt k;
            assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), VERIFY, &k), 0);
            const int rc = tmtu_ip_hop(&buf, &k);
            if (ttl > 1) {
                assert_int_equal(rc, 0);
                assert_int_equal(test_cksum(p, 20), 0);
                assert_int_equal(p[8], ttl - 1);
                assert_int_equal(k.ttl, ttl - 1);
                before[8]--;
                memset(before + 10, 0, 2); /* equal to one from the start */
                tmtu_put16(before + 10, test_cksum(before, 20));
            } else {
                assert_int_equal(rc, TMTU_E_FORBIDDEN);
                assert_int_equal(k.ttl, ttl);
            }
            assert_memory_equal(p, before, sizeof p);
        }
}

static void a_hop_of_ipv6_changes_one_byte(void **state)
{
    (void)state;
    uint8_t p[64], before[64];
    const size_t n = test_hex("60000000 000c1102 " A6 UDP, p, sizeof p);
    memcpy(before, p, n);
    struct tmtu_buf buf = {p, p, p + n, p + n};
    struct tmtu_pkt k;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_int_equal(tmtu_ip_hop(&buf, &k), 0);
    assert_int_equal(k.ttl, 1);
    before[7] = 1;
    assert_memory_equal(p, before, n);
    assert_int_equal(tmtu_ip_hop(&buf, &k), TMTU_E_FORBIDDEN);
    assert_memory_equal(p, before, n);
    assert_int_equal(k.ttl, 1);
}

/* Where the checksum is, and what verify says to the packet as it comes out of
 * fill; `rc` other than 0: neither wants it, and nothing is written. */
static const struct {
    const char *name, *hex;
    int rc;
    size_t at;
} sums[] = {
    {"TCP over IPv4", "45000028 00000000 40060000 " A4 TCP, 0, 36},
    {"UDP over IPv4", "45000020 00000000 40110000 " A4 UDP, 0, 26},
    {"UDP of an odd length",
     "4500001f 00000000 40110000 " A4 "12340035 000b0000 616263", 0, 26},
    {"UDP with padding behind it",
     "45000020 00000000 40110000 " A4 "12340035 00090000 616263ff", 0, 26},
    {"UDP without data", "4500001c 00000000 40110000 " A4 "12340035 00080000",
     0, 26},
    {"ICMP", "4500001c 00000000 40010000 " A4 ECHO, 0, 22},
    {"ICMP of 4 bytes", "45000018 00000000 40010000 " A4 "08000000", 0, 22},
    {"ICMP behind options", "46000020 00000000 40010000 " A4 "01010101 " ECHO,
     0, 26},
    {"TCP over IPv6", "60000000 00140640 " A6 TCP, 0, 56},
    {"UDP over IPv6", "60000000 000c1140 " A6 UDP, 0, 46},
    {"ICMPv6", "60000000 00083a40 " A6 ECHO6, 0, 42},
    {"ICMPv6 of 4 bytes", "60000000 00043a40 " A6 "80000000", 0, 42},
    {"ICMPv6 behind options",
     "60000000 00103c40 " A6 "3a000104 00000000 " ECHO6, 0, 50},
    {"TRAP-5 an atomic fragment",
     "60000000 00142c40 " A6 "11000000 deadbeef " UDP, 0, 54},
    {"a routing header at its end",
     "60000000 00142b40 " A6 "11000400 00000000 " UDP, 0, 54},
    {"R-4443-02 a routing header that goes on: the destination of the sum is "
     "another",
     "60000000 00142b40 " A6 "11000401 00000000 " UDP, TMTU_E_IGNORED, 0},
    {"a first fragment", "45000020 00002000 40110000 " A4 UDP, TMTU_E_IGNORED,
     0},
    {"a later fragment", "45000020 00000001 40110000 " A4 UDP, TMTU_E_IGNORED,
     0},
    {"a fragment of IPv6", "60000000 00142c40 " A6 "11000001 deadbeef " UDP,
     TMTU_E_IGNORED, 0},
    {"SCTP has another sum", "45000020 00000000 40840000 " A4 SCTP,
     TMTU_E_IGNORED, 0},
    {"ICMPv6 in IPv4", "4500001c 00000000 403a0000 " A4 ECHO, TMTU_E_IGNORED,
     0},
    {"ICMPv4 in IPv6", "60000000 00080140 " A6 ECHO, TMTU_E_IGNORED, 0},
};

/* The transport checksum, a word at a time, over a pseudo-header written out.
 * 0 when all is well. */
static uint16_t slow_transport(const uint8_t *p, const struct tmtu_pkt *k)
{
    uint8_t flat[256] = {0};
    size_t n = 0, len = k->len - k->l4;
    const int v6 = k->flow.ipver == 6;
    if (k->flow.proto == 17)
        len = tmtu_get16(p + k->l4 + 4);
    if (v6 || k->flow.proto != 1) {
        memcpy(flat, v6 ? p + 8 : p + 12, v6 ? 32 : 8);
        n = v6 ? 32 : 8;
        tmtu_put32(flat + n, (uint32_t)len);
        tmtu_put32(flat + n + 4, k->flow.proto);
        n += 8;
    }
    memcpy(flat + n, p + k->l4, len);
    return test_cksum(flat, n + len);
}

static void transport_checksums_are_filled_in_and_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(sums); i++) {
        uint8_t p[128], before[128];
        const size_t n = test_hex(sums[i].hex, p, sizeof p);
        if (sums[i].rc == 0) /* what stands there does not matter */
            memset(p + sums[i].at, 0xee, 2);
        memcpy(before, p, n);
        struct tmtu_buf buf = {p, p, p + n, p + n};
        struct tmtu_pkt k;
        assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
        const int rc = tmtu_ip_transport_fill(&buf, &k);
        if (rc != sums[i].rc)
            fail_msg("%s: %d", sums[i].name, rc);
        if (rc < 0) {
            assert_memory_equal(p, before, n);
            assert_int_equal(tmtu_ip_transport_verify(&k), rc);
            continue;
        }
        memcpy(before + sums[i].at, p + sums[i].at, 2);
        assert_memory_equal(p, before, n); /* nothing else was written */
        if (slow_transport(p, &k) != 0)
            fail_msg("%s: wrong", sums[i].name);
        assert_int_equal(tmtu_ip_transport_verify(&k), 0);
        assert_int_equal(tmtu_ip_transport_sum(&k), 0xffff);
        for (unsigned bit = 0; bit < 16; bit++) {
            p[sums[i].at + bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(tmtu_ip_transport_verify(&k), TMTU_E_CHECKSUM);
            p[sums[i].at + bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void r_768_02_a_sum_of_zero_is_sent_as_ones(void **state)
{
    (void)state; /* V7 b: the data make the sum come out as 0 */
    uint8_t p[64];
    size_t n =
        test_hex("4500001e 0008 0000 40118e75 " A4 "13880009 000a0000 fff6", p,
                 sizeof p);
    struct tmtu_buf buf = {p, p, p + n, p + n};
    struct tmtu_pkt k;
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), VERIFY, &k), 0);
    assert_int_equal(tmtu_ip_transport_fill(&buf, &k), 0);
    assert_int_equal(tmtu_get16(p + 26), 0xffff);
    assert_int_equal(tmtu_ip_transport_verify(&k), 0);

    /* TCP's and ICMP's zero stays one. */
    n = test_hex("4500001c 00000000 40010000 " A4 "0800ffff f7ff0000", p, 64);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_int_equal(tmtu_ip_transport_fill(&buf, &k), 0);
    assert_int_equal(tmtu_get16(p + 22), 0);
    assert_int_equal(tmtu_ip_transport_verify(&k), 0);
}

static void r_8200_05_udp_without_a_checksum_only_over_ipv4(void **state)
{
    (void)state; /* V7 a and d */
    uint8_t p[64];
    struct tmtu_pkt k;
    size_t n = test_hex("45000020 00000000 40110000 " A4 UDP, p, sizeof p);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_int_equal(tmtu_ip_transport_verify(&k), 0);
    n = test_hex("60000000 000c1140 " A6 UDP, p, sizeof p);
    assert_int_equal(tmtu_ip_parse(tmtu_view(p, n), 0, &k), 0);
    assert_int_equal(tmtu_ip_transport_verify(&k), TMTU_E_CHECKSUM);
}

/* A quote is not whole: nothing of it is verified, whatever its length. */
static void a_cut_packet_is_neither_filled_nor_verified(void **state)
{
    (void)state;
    uint8_t p[64], before[64];
    const size_t n = test_hex("45000028 00000000 40060000 " A4 TCP, p, 64);
    memcpy(before, p, n);
    for (size_t cut = 20; cut < n; cut++) {
        struct tmtu_buf buf = {p, p, p + cut, p + cut};
        struct tmtu_pkt k;
        assert_int_equal(tmtu_ip_parse(tmtu_view(p, cut), Q, &k), 0);
        assert_int_equal(tmtu_ip_transport_verify(&k), TMTU_E_IGNORED);
        assert_int_equal(tmtu_ip_transport_fill(&buf, &k), TMTU_E_IGNORED);
        assert_memory_equal(p, before, n);
    }
    /* A reporter may have spoilt the length: shorter than any transport. */
    static const struct {
        uint8_t proto;
        size_t least;
    } protos[] = {{1, 4}, {6, 20}, {17, 8}};
    for (size_t i = 0; i < TEST_ROWS(protos); i++)
        for (size_t have = 20; have <= 40; have++) {
            uint8_t *q = test_exact(p, have);
            tmtu_put16(q + 2, 0);
            q[9] = protos[i].proto;
            struct tmtu_buf buf = {q, q, q + have, q + have};
            struct tmtu_pkt k;
            assert_int_equal(tmtu_ip_parse(tmtu_view(q, have), Q, &k), 0);
            const int rc = tmtu_ip_transport_fill(&buf, &k);
            assert_int_equal(rc,
                             have < 20 + protos[i].least ? TMTU_E_IGNORED : 0);
            free(q);
        }
    uint8_t *q = test_exact(NULL, 43); /* ICMPv6 of 3 bytes */
    assert_int_equal(test_hex("60000000 00033a40 " A6 "800000", q, 44), 43);
    struct tmtu_buf buf = {q, q, q + 43, q + 43};
    struct tmtu_pkt k;
    assert_int_equal(tmtu_ip_parse(tmtu_view(q, 43), Q, &k), 0);
    assert_int_equal(tmtu_ip_transport_fill(&buf, &k), TMTU_E_IGNORED);
    free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_row),
        cmocka_unit_test(every_cut_length_of_each_row),
        cmocka_unit_test(f3_f1_headers_cut_short_and_headers_without_end),
        cmocka_unit_test(every_field_of_ipv4),
        cmocka_unit_test(every_field_of_ipv6),
        cmocka_unit_test(k42_r_4443_09_types_no_error_may_be_about),
        cmocka_unit_test(k38_r_1624_04_a_hop_and_the_checksum_still_right),
        cmocka_unit_test(a_hop_of_ipv6_changes_one_byte),
        cmocka_unit_test(transport_checksums_are_filled_in_and_verified),
        cmocka_unit_test(r_768_02_a_sum_of_zero_is_sent_as_ones),
        cmocka_unit_test(r_8200_05_udp_without_a_checksum_only_over_ipv4),
        cmocka_unit_test(a_cut_packet_is_neither_filled_nor_verified),
    };
    return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}

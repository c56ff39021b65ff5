/* SPDX-License-Identifier: MIT */
/* relay: errors about tunnel packets, of every kind and family pair, told to
 * the inner sender or remembered; and what is neither. */
#include "relay_bed.h"
#include "vectors/vectors.h"

/* ---- too big ---- */

/* R-2003-13 R-2003-14 R-2473-12, R-2003-24, R-4213-11: told as soon as the
 * quote holds the inner header and 8 bytes; learnt in any case, and for sure
 * from 8 bytes behind the outer header on. */
static void k73_k81_every_pair_kind_and_length_of_the_quote(void **state)
{
    (void)state;
    for (size_t p = 0; p < TEST_ROWS(test_pairs); p++)
        for (size_t k = 0; k < TEST_ROWS(bed_kinds); k++) {
            const unsigned in = test_pairs[p].inner, out = test_pairs[p].outer;
            const size_t head = out == 4 ? 20 : 40;
            const size_t over = head + bed_kinds[k].shim;
            const size_t need = over + (in == 4 ? 20 : 40) + 8;
            struct bed b = bed(in, out, bed_kinds[k].kind);
            struct tmtu_buf outer = bed_outer(&b), error;
            const size_t len = tmtu_buf_len(&outer);
            assert_int_equal(len, 1500 + over);
            for (size_t n = head; n <= len; n += n < 200 ? 1 : 61) {
                struct tmtu_relay r;
                char want[80];
                b.quote = n;
                const int rc = bed_read(&b, &outer, &error, &r);
                const char *got = bed_words(rc, &r);
                if (n < need)
                    snprintf(want, sizeof want, "quote_short, learn%s 1400",
                             n < head + 8 ? "?" : "");
                else
                    snprintf(want, sizeof want, "too big %zu, learn 1400",
                             1400 - over);
                if (strcmp(got, want) != 0)
                    fail_msg("%s %s, %zu bytes: %s, not %s", test_pairs[p].name,
                             bed_kinds[k].name, n, got, want);
                free(error.head);
            }
            free(outer.head);
        }
}

/* How long, how much, what is known. */
static const struct {
    const char *name;
    unsigned inner, outer;
    size_t len;
    uint32_t mtu, path_mtu, floor4;
    const char *want;
} sizes[] = {
    {"K73 R-2003-13: the router's MTU, less the overhead", 4, 4, 1480, 1400,
     1500, 552, "too big 1380, learn 1400"},
    {"K74: known before or not, the first answer is right", 4, 4, 1480, 1400,
     1400, 552, "too big 1380, learn 1400"},
    {"what is known, if that is less", 4, 4, 1480, 1400, 1300, 552,
     "too big 1280, learn 1400"},
    {"R-LIB-09: claims as much as the tunnel packet has", 4, 4, 1480, 1500,
     1500, 552, "mtu_claim"},
    {"R-LIB-09: claims more", 6, 6, 1460, 9000, 1500, 552, "mtu_claim"},
    {"R-LIB-09: claims one less", 4, 4, 1480, 1499, 1500, 552,
     "too big 1479, learn 1499"},
    {"R-LIB-09: more than is known already", 4, 4, 1480, 1450, 1400, 552,
     "too big 1380, learn 1450"},
    {"K78: an MTU below the floor is taken for the floor", 4, 4, 1480, 400,
     1500, 552, "too big 532, learn 400"},
    {"K78: with another floor", 4, 4, 1480, 400, 1500, 68,
     "too big 380, learn 400"},
    {"R-4301-04: 68, with a floor of 576", 4, 4, 1480, 68, 1500, 576,
     "too big 556, learn 68"},
    {"K78: MTU not told: the plateau below what is known", 4, 4, 1480, 0, 1500,
     552, "too big 986, learn 0"}, /* 1006 */
    {"MTU not told, of a path that carries more", 4, 4, 1480, 0, 1600, 552,
     "too big 1472, learn 0"}, /* 1492 */
    {"K77 R-2003-14: the overhead goes off a small MTU as well", 4, 4, 80, 89,
     89, 68, "too big 69, learn 89"},
    {"K77: 68 is the least that IPv4 is told", 4, 4, 80, 88, 88, 68,
     "too big 68, learn 88"},
    {"68 is the least, whatever is left", 4, 4, 80, 70, 70, 68,
     "too big 68, learn 70"},
    {"not longer than 68: nothing is told", 4, 4, 68, 70, 70, 68,
     "fits, learn 70"},
    {"inner IPv4 over IPv6", 4, 6, 1460, 1400, 1500, 552,
     "too big 1360, learn 1400"},
    {"R-2473-12: 1360 of 1400", 6, 6, 1460, 1400, 1500, 552,
     "too big 1360, learn 1400"},
    {"R-2473-12: 1280 at the least", 6, 6, 1460, 1300, 1500, 552,
     "too big 1280, learn 1300"},
    {"R-2473-14: an inner packet of 1280 goes in fragments from now on", 6, 6,
     1280, 1310, 1500, 552, "fits, learn 1310"},
    {"R-2473-14: of 1260", 6, 6, 1260, 1280, 1500, 552, "fits, learn 1280"},
    {"R-2473-14: of 1281", 6, 6, 1281, 1280, 1500, 552,
     "too big 1280, learn 1280"},
    {"IPv6 over IPv4, at the least", 6, 4, 1281, 600, 1500, 552,
     "too big 1280, learn 600"},
    {"IPv6 over IPv4, 1280: fragments", 6, 4, 1280, 600, 1500, 552,
     "fits, learn 600"},
    {"K103: an IPv6 router says less than there is", 6, 6, 1460, 1279, 1500,
     552, "mtu_floor"},
    {"K103: or nothing", 4, 6, 1460, 0, 1500, 552, "mtu_floor"},
    {"an IPv6 router says the least", 4, 6, 1460, 1280, 1500, 552,
     "too big 1240, learn 1280"},
    {"short already: the packet that went before", 4, 4, 1380, 1399, 1400, 552,
     "too big 1379, learn 1399"},
    {"longer than the router wants, but what is told already allows it", 4, 4,
     80, 90, 1500, 552, "fits, learn 90"},
};

static void k73_to_k78_sizes_that_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(sizes); i++) {
        struct bed b = bed(sizes[i].inner, sizes[i].outer, TMTU_ENCAP_IPIP);
        b.shape.len = sizes[i].len;
        b.says.word = sizes[i].mtu;
        b.path_mtu = sizes[i].path_mtu;
        b.options.floor4 = sizes[i].floor4;
        const char *got = bed_run(&b);
        if (strcmp(got, sizes[i].want) != 0)
            fail_msg("%s: %s, not %s", sizes[i].name, got, sizes[i].want);
    }
}

/* The overhead is that of the packet that is quoted, not what the tunnel adds
 * today. */
static void k75_k76_the_overhead_is_that_of_the_quoted_packet(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t kind, quoted, now; /* flags then, and now */
        unsigned options;          /* bytes of outer options */
        unsigned hlen;             /* words in GUE's header */
        const char *want;
    } rows[] = {
        {"K75: an outer header with options", TMTU_ENCAP_IPIP, 0, 0, 4, 0,
         "too big 1376, learn 1400"},
        {"K75: the longest outer header", TMTU_ENCAP_GRE, 0, 0, 40, 0,
         "too big 1336, learn 1400"},
        {"K76: GUE with two words of options", TMTU_ENCAP_GUE, 0, 0, 0, 2,
         "too big 1360, learn 1400"},
        {"K76: GRE with a checksum", TMTU_ENCAP_GRE, TMTU_ENCAP_CSUM, 0, 0, 0,
         "too big 1372, learn 1400"},
        {"K76: GRE without, where it is asked for now", TMTU_ENCAP_GRE, 0,
         TMTU_ENCAP_CSUM, 0, 0, "too big 1376, learn 1400"},
        {"GRE with a sequence number", TMTU_ENCAP_GREUDP, TMTU_ENCAP_SEQ, 0, 0,
         0, "too big 1364, learn 1400"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(4, 4, rows[i].kind);
        b.tunnel.encap.flags = rows[i].quoted;
        struct tmtu_buf outer = bed_outer(&b), error;
        const size_t n = tmtu_buf_len(&outer);
        const size_t more = rows[i].options + 4 * rows[i].hlen;
        const size_t at = rows[i].options ? 20 : 32; /* or behind GUE's */
        struct tmtu_buf longer = test_buf(NULL, 0, 0, n + more);
        uint8_t *p = tmtu_buf_put(&longer, n + more);
        memcpy(p, outer.data, at < n ? at : n);
        memset(p + at, 1, more); /* NOP; GUE's mean nothing here */
        memcpy(p + at + more, outer.data + at, n - at);
        p[0] = (uint8_t)(0x45 + rows[i].options / 4);
        if (rows[i].hlen != 0)
            p[28] |= (uint8_t)rows[i].hlen;
        tmtu_put16(p + 2, (uint16_t)(n + more));
        b.tunnel.encap.flags = rows[i].now;
        struct tmtu_relay r;
        const int rc = bed_read(&b, &longer, &error, &r);
        const char *got = bed_words(rc, &r);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, got, rows[i].want);
        free(error.head);
        free(longer.head);
        free(outer.head);
    }
}

/* ---- everything else ---- */

static const struct {
    const char *name;
    unsigned outer;
    struct test_says says;
    const char *want4, *want6; /* inner IPv4, IPv6 */
} codes[] = {
    {"R-2003-15: network unreachable",
     4,
     {3, 0, 0},
     "unreachable 0",
     "unreachable 3"},
    {"R-2003-16: host unreachable",
     4,
     {3, 1, 0},
     "unreachable 1",
     "unreachable 3"},
    {"R-2003-17: protocol unreachable",
     4,
     {3, 2, 0},
     "unreachable 0",
     "unreachable 3"},
    {"R-2003-18: port unreachable", 4, {3, 3, 0}, "not_relayed", "not_relayed"},
    {"R-2003-19: source route failed",
     4,
     {3, 5, 0},
     "not_relayed",
     "not_relayed"},
    {"network unknown", 4, {3, 6, 0}, "unreachable 0", "unreachable 3"},
    {"host unknown", 4, {3, 7, 0}, "unreachable 1", "unreachable 3"},
    {"isolated", 4, {3, 8, 0}, "unreachable 1", "unreachable 3"},
    {"network prohibited", 4, {3, 9, 0}, "unreachable 1", "unreachable 3"},
    {"host prohibited", 4, {3, 10, 0}, "unreachable 1", "unreachable 3"},
    {"network, for this TOS", 4, {3, 11, 0}, "unreachable 0", "unreachable 3"},
    {"host, for this TOS", 4, {3, 12, 0}, "unreachable 1", "unreachable 3"},
    {"prohibited", 4, {3, 13, 0}, "unreachable 1", "unreachable 3"},
    {"precedence violation", 4, {3, 14, 0}, "unreachable 1", "unreachable 3"},
    {"precedence cutoff", 4, {3, 15, 0}, "unreachable 1", "unreachable 3"},
    {"a code that there is not", 4, {3, 16, 0}, "not_relayed", "not_relayed"},
    {"a code as high as 32", 4, {3, 32, 0}, "not_relayed", "not_relayed"},
    {"a code as high as 35", 4, {3, 35, 0}, "not_relayed", "not_relayed"},
    {"R-2003-20: source quench", 4, {4, 0, 0}, "not_relayed", "not_relayed"},
    {"R-2003-21: redirect",
     4,
     {5, 1, 0x0a000001},
     "not_relayed",
     "not_relayed"},
    {"R-2003-22: TTL expired in the tunnel",
     4,
     {11, 0, 0},
     "unreachable 1",
     "unreachable 3"},
    {"fragments that did not come together",
     4,
     {11, 1, 0},
     "not_relayed",
     "not_relayed"},
    {"R-2473-13: no route", 6, {1, 0, 0}, "unreachable 1", "unreachable 3"},
    {"R-2473-13: prohibited", 6, {1, 1, 0}, "unreachable 1", "unreachable 3"},
    {"R-2473-13: beyond the scope",
     6,
     {1, 2, 0},
     "unreachable 1",
     "unreachable 3"},
    {"R-2473-13: address", 6, {1, 3, 0}, "unreachable 1", "unreachable 3"},
    {"R-2473-13: port", 6, {1, 4, 0}, "unreachable 1", "unreachable 3"},
    {"R-2473-13: source policy",
     6,
     {1, 5, 0},
     "unreachable 1",
     "unreachable 3"},
    {"R-2473-13: rejected route",
     6,
     {1, 6, 0},
     "unreachable 1",
     "unreachable 3"},
    {"R-2473-13: hop limit exceeded in the tunnel",
     6,
     {3, 0, 0},
     "unreachable 1",
     "unreachable 3"},
    {"fragments, IPv6", 6, {3, 1, 0}, "not_relayed", "not_relayed"},
    {"parameter problem of our own making",
     6,
     {4, 0, 7},
     "not_relayed",
     "not_relayed"},
    {"unknown next header", 6, {4, 1, 6}, "not_relayed", "not_relayed"},
    {"an error of a type to come",
     6,
     {100, 0, 0},
     "not_relayed",
     "not_relayed"},
};

static void r_2003_15_to_22_every_code_in_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(codes); i++)
        for (size_t k = 0; k < TEST_ROWS(bed_kinds); k++)
            for (unsigned inner = 4; inner <= 6; inner += 2) {
                struct bed b = bed(inner, codes[i].outer, bed_kinds[k].kind);
                const char *want = inner == 4 ? codes[i].want4 : codes[i].want6;
                b.says = codes[i].says;
                const char *got = bed_run(&b);
                if (strcmp(got, want) != 0)
                    fail_msg("%s, IPv%u in %s: %s, not %s", codes[i].name,
                             inner, bed_kinds[k].name, got, want);
            }
}

/* Parameter problems of IPv4: whose byte it is. */
static void r_2003_23_pointers_into_the_inner_packet(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner;
        uint8_t kind, code, pointer, dscp;
        const char *want;
    } rows[] = {
        {"R-2003-23: octet 8 of the inner header", 4, TMTU_ENCAP_IPIP, 0, 28,
         TMTU_DSCP_COPY, "parameter 0 at 8"},
        {"the first octet of it", 4, TMTU_ENCAP_IPIP, 0, 20, TMTU_DSCP_COPY,
         "parameter 0 at 0"},
        {"R-2003-23: the last of the outer header", 4, TMTU_ENCAP_IPIP, 0, 19,
         TMTU_DSCP_COPY, "not_relayed"},
        {"R-2003-23: an option of the outer header, if it had one", 4,
         TMTU_ENCAP_GRE, 0, 21, TMTU_DSCP_COPY, "not_relayed"},
        {"GRE: octet 8", 4, TMTU_ENCAP_GRE, 0, 32, TMTU_DSCP_COPY,
         "parameter 0 at 8"},
        {"GUE: its last octet is ours", 4, TMTU_ENCAP_GUE, 0, 31,
         TMTU_DSCP_COPY, "not_relayed"},
        {"a bad length keeps its code", 4, TMTU_ENCAP_IPIP, 2, 22,
         TMTU_DSCP_COPY, "parameter 2 at 2"},
        {"a missing option has no place", 4, TMTU_ENCAP_IPIP, 1, 28,
         TMTU_DSCP_COPY, "not_relayed"},
        {"a code that nobody knows", 4, TMTU_ENCAP_IPIP, 3, 28, TMTU_DSCP_COPY,
         "not_relayed"},
        {"the last code there is, about IPv6", 6, TMTU_ENCAP_IPIP, 255, 28,
         TMTU_DSCP_COPY, "not_relayed"},
        {"R-2003-23: the TOS, which was copied", 4, TMTU_ENCAP_GUE, 0, 1,
         TMTU_DSCP_COPY, "parameter 0 at 1"},
        {"the TOS, which was not", 4, TMTU_ENCAP_GUE, 0, 1, 10, "not_relayed"},
        {"R-4213-11: the inner packet is IPv6", 6, TMTU_ENCAP_IPIP, 0, 28,
         TMTU_DSCP_COPY, "unreachable 3"},
        {"R-4213-11: the outer header of one", 6, TMTU_ENCAP_IPIP, 0, 10,
         TMTU_DSCP_COPY, "not_relayed"},
        {"behind the end of the inner packet", 4, TMTU_ENCAP_IPIP, 0, 120,
         TMTU_DSCP_COPY, "not_relayed"},
        {"at its last octet", 4, TMTU_ENCAP_IPIP, 0, 119, TMTU_DSCP_COPY,
         "parameter 0 at 99"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(rows[i].inner, 4, rows[i].kind);
        b.tunnel.encap.dscp = rows[i].dscp;
        b.shape.len = 100;
        b.says.type = 12;
        b.says.code = rows[i].code;
        b.says.word = (uint32_t)rows[i].pointer << 24;
        const char *got = bed_run(&b);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, got, rows[i].want);
    }
}

/* R-2473-13: in too many tunnels, says a tunnel that we go through. */
static void r_2473_13_encapsulation_limit_becomes_unreachable(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t limit, code;
        uint32_t pointer;
        const char *want4, *want6;
    } rows[] = {
        {"the limit, which is 0", 0, 0, 44, "unreachable 1", "unreachable 3"},
        {"the limit, which is not", 1, 0, 44, "not_relayed", "not_relayed"},
        {"its option's length", 0, 0, 43, "not_relayed", "not_relayed"},
        {"an unknown option", 0, 2, 44, "not_relayed", "not_relayed"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++)
        for (unsigned inner = 4; inner <= 6; inner += 2) {
            struct bed b = bed(inner, 6, TMTU_ENCAP_IPIP);
            b.tunnel.encap.flags = TMTU_ENCAP_TEL;
            b.tunnel.encap.tel = rows[i].limit;
            b.says.type = 4;
            b.says.code = rows[i].code;
            b.says.word = rows[i].pointer;
            const char *want = inner == 4 ? rows[i].want4 : rows[i].want6;
            const char *got = bed_run(&b);
            if (strcmp(got, want) != 0)
                fail_msg("%s, IPv%u: %s, not %s", rows[i].name, inner, got,
                         want);
        }
}

/* ---- what is not told, whatever it is ---- */

static void r_7690_02_the_inner_packet_must_allow_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner;
        uint8_t proto, type;
        uint16_t frag;
        const char *src, *dst; /* of the inner packet, once quoted */
        const char *big, *other;
    } rows[] = {
        {"an ordinary one", 4, 6, 0, 0x4000, NULL, NULL,
         "too big 1380, learn 1400", "unreachable 1"},
        {"K79: DF clear: the tunnel cuts it", 4, 6, 0, 0, NULL, NULL,
         "may_cut, learn 1400", "unreachable 1"},
        {"R-7690-02: an ICMP error", 4, 1, 3, 0x4000, NULL, NULL,
         "about_error, learn 1400", "about_error"},
        {"an echo request", 4, 1, 8, 0x4000, NULL, NULL,
         "too big 1380, learn 1400", "unreachable 1"},
        {"R-7690-02: an ICMPv6 error", 6, 58, 2, 0, NULL, NULL,
         "about_error, learn 1400", "about_error"},
        {"ICMPv6 echo", 6, 58, 128, 0, NULL, NULL, "too big 1380, learn 1400",
         "unreachable 3"},
        {"a later fragment of IPv4", 4, 17, 0, 0x4001, NULL, NULL,
         "later_fragment, learn 1400", "later_fragment"},
        {"the first fragment of IPv4", 4, 17, 0, 0x6000, NULL, NULL,
         "too big 1380, learn 1400", "unreachable 1"},
        {"a later fragment of IPv6", 6, 17, 0, 8, NULL, NULL,
         "too big 1380, learn 1400", "unreachable 3"},
        {"to a group", 4, 17, 0, 0x4000, NULL, "232.1.1.1", "group, learn 1400",
         "group"},
        {"to an IPv6 group: too big is allowed, and we say it", 6, 17, 0, 0,
         NULL, "ff3e::1", "too big 1380, learn 1400", "group"},
        {"from a group", 4, 17, 0, 0x4000, "232.1.1.1", NULL,
         "source, learn 1400", "source"},
        {"from nobody", 6, 17, 0, 0, "::", NULL, "source, learn 1400",
         "source"},
        {"from itself to itself: it cannot be who says it", 4, 6, 0, 0x4000,
         "198.51.100.20", NULL, "too big 1380, learn 1400", "unreachable 1"},
        {"IPv6 to what stands for an IPv4 address", 6, 17, 0, 0, NULL,
         "::ffff:192.0.2.1", "too big 1380, learn 1400", "unreachable 3"},
        {"to what is no host", 4, 6, 0, 0x4000, NULL, "127.0.0.1",
         "too big 1380, learn 1400", "unreachable 1"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++)
        for (int big = 0; big < 2; big++) {
            struct bed b = bed(rows[i].inner, 4, TMTU_ENCAP_IPIP);
            const struct test_says host = {3, 1, 0};
            const char *want = big ? rows[i].big : rows[i].other;
            uint8_t addr[16];
            struct tmtu_relay r;
            b.shape.proto = rows[i].proto;
            b.shape.type = rows[i].type;
            b.shape.frag = rows[i].frag;
            if (!big)
                b.says = host;
            struct tmtu_buf outer = bed_outer(&b), error;
            uint8_t *ip = outer.data + 20;
            const size_t from = rows[i].inner == 4 ? 12 : 8;
            const size_t n = rows[i].inner == 4 ? 4 : 16;
            if (rows[i].src != NULL) {
                test_addr(rows[i].src, addr);
                memcpy(ip + from, addr + 16 - n, n);
            }
            if (rows[i].dst != NULL) {
                test_addr(rows[i].dst, addr);
                memcpy(ip + from + n, addr + 16 - n, n);
            }
            const int rc = bed_read(&b, &outer, &error, &r);
            const char *got = bed_words(rc, &r);
            if (strcmp(got, want) != 0)
                fail_msg("%s: %s, not %s", rows[i].name, got, want);
            free(error.head);
            free(outer.head);
        }
}

/* K30: a router that had put packets of ours together quotes one that is over
 * 65,535 bytes, and says 0 where its length would be. */
static void k30_a_tunnel_packet_that_does_not_tell_its_length(void **state)
{
    (void)state;
    for (size_t p = 0; p < TEST_ROWS(test_pairs); p++)
        for (int both = 0; both < 2; both++) {
            const unsigned in = test_pairs[p].inner, out = test_pairs[p].outer;
            struct bed b = bed(in, out, TMTU_ENCAP_IPIP);
            struct tmtu_buf outer = bed_outer(&b), error;
            struct tmtu_relay r;
            char want[40];
            const size_t over = out == 4 ? 20 : 40;
            tmtu_put16(outer.data + (out == 4 ? 2 : 4), 0);
            if (both)
                tmtu_put16(outer.data + over + (in == 4 ? 2 : 4), 0);
            const int rc = bed_read(&b, &outer, &error, &r);
            /* Who sent the inner one is told when he sends again. */
            if (both)
                snprintf(want, sizeof want, "fits, learn 1400");
            else
                snprintf(want, sizeof want, "too big %zu, learn 1400",
                         1400 - over);
            assert_string_equal(bed_words(rc, &r), want);
            assert_true(r.learn.validated);
            assert_int_equal(r.learn.length, 0);
            free(error.head);
            free(outer.head);
        }
}

/* R-LIB-10: what is said of a fragment of a tunnel packet is about fragments.
 */
static void r_lib_10_about_outer_fragments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned outer;
        uint16_t frag; /* as in test_shape */
        const char *big, *other;
        size_t quote; /* 0: all of it */
    } rows[] = {
        {"R-LIB-10: the first fragment", 4, 0x2000,
         "outer_fragment, learn 1400", "unreachable 1", 0},
        {"R-LIB-10: a later one", 4, 0x0010, "outer_fragment, learn 1400",
         "outer_fragment", 0},
        {"R-LIB-10: the first of IPv6", 6, 1, "outer_fragment, learn 1400",
         "unreachable 1", 0},
        {"R-LIB-10: a later one of IPv6", 6, 0x80, "outer_fragment, learn 1400",
         "outer_fragment", 0},
        {"R-LIB-10: the first of IPv6, and no more than that it is", 6, 1,
         "outer_fragment, learn 1400", "quote_short", 48},
        {"R-LIB-10: the first of IPv6, and not even that", 6, 1,
         "quote_short, learn? 1400", "quote_short", 47},
        {"R-LIB-10: a later one of IPv6, by its Fragment header", 6, 0x80,
         "outer_fragment, learn 1400", "outer_fragment", 48},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++)
        for (size_t k = 0; k < TEST_ROWS(bed_kinds); k++)
            for (int big = 0; big < 2; big++) {
                struct bed b = bed(4, rows[i].outer, bed_kinds[k].kind);
                const struct test_says no4 = {3, 1, 0}, no6 = {1, 3, 0};
                const char *want = big ? rows[i].big : rows[i].other;
                struct tmtu_relay r;
                b.quote = rows[i].quote != 0 ? rows[i].quote : SIZE_MAX;
                if (!big)
                    b.says = rows[i].outer == 4 ? no4 : no6;
                struct tmtu_buf whole = bed_outer(&b), error;
                const size_t n = tmtu_buf_len(&whole);
                struct tmtu_buf outer = test_buf(NULL, 0, 0, n + 8);
                uint8_t *p = tmtu_buf_put(&outer, n);
                memcpy(p, whole.data, n);
                if (rows[i].outer == 4) {
                    tmtu_put16(p + 6, rows[i].frag);
                } else { /* a Fragment header in between */
                    tmtu_buf_put(&outer, 8);
                    memmove(p + 48, p + 40, n - 40);
                    tmtu_put16(p + 4, (uint16_t)(n + 8 - 40));
                    memset(p + 40, 0, 8);
                    p[40] = p[6];
                    p[6] = 44;
                    tmtu_put16(p + 42, rows[i].frag);
                }
                const int rc = bed_read(&b, &outer, &error, &r);
                const char *got = bed_words(rc, &r);
                if (strcmp(got, want) != 0)
                    fail_msg("%s, %s: %s, not %s", rows[i].name,
                             bed_kinds[k].name, got, want);
                free(error.head);
                free(outer.head);
                free(whole.head);
            }
}

/* K82 K83 K84: what this tunnel has not sent. */
static void k82_k83_k84_of_another_tunnel(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t kind;
        unsigned at;   /* byte of the tunnel packet */
        uint8_t value; /* to be XORed */
        const char *want;
    } rows[] = {
        {"nothing is changed", TMTU_ENCAP_IPIP, 0, 0,
         "too big 1380, learn 1400"},
        {"K82: not sent from here", TMTU_ENCAP_IPIP, 15, 1, "ignored"},
        {"K83: sent to another end", TMTU_ENCAP_IPIP, 19, 1, "ignored"},
        {"K83: another kind of tunnel", TMTU_ENCAP_IPIP, 9, 4 ^ 47, "ignored"},
        {"K83: UDP to another port", TMTU_ENCAP_GUE, 23, 1, "ignored"},
        {"K84: GUE control", TMTU_ENCAP_GUE, 28, 0x20, "ignored"},
        {"K84: GUE version 2", TMTU_ENCAP_GUE, 28, 0x80, "ignored"},
        {"K84: GRE version 1", TMTU_ENCAP_GRE, 21, 1, "ignored"},
        {"K84: GRE routing", TMTU_ENCAP_GRE, 20, 0x40, "ignored"},
        {"K84: GRE with something else", TMTU_ENCAP_GRE, 23, 1, "ignored"},
        {"what is inside is no IP", TMTU_ENCAP_IPIP, 20, 0x10, "ignored"},
        {"a later fragment from another", TMTU_ENCAP_IPIP, 15, 1, "ignored"},
        {"a later fragment to another", TMTU_ENCAP_IPIP, 19, 1, "ignored"},
        {"a later fragment of another kind", TMTU_ENCAP_IPIP, 9, 4 ^ 17,
         "ignored"},
        {"a later fragment of IPv6 inside", TMTU_ENCAP_IPIP, 9, 4 ^ 41,
         "outer_fragment, learn 1400"},
        {"a later fragment with options", TMTU_ENCAP_IPIP, 9, 4 ^ 60,
         "ignored"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(4, 4, rows[i].kind);
        struct tmtu_buf outer = bed_outer(&b), error;
        struct tmtu_relay r;
        outer.data[rows[i].at] ^= rows[i].value;
        if (strstr(rows[i].name, "later") != NULL)
            tmtu_put16(outer.data + 6, 0x0010);
        const int rc = bed_read(&b, &outer, &error, &r);
        const char *got = bed_words(rc, &r);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, got, rows[i].want);
        free(error.head);
        free(outer.head);
    }
}

/* Later fragments of a tunnel that brings its limit with it begin with
 * destination options, as far as their header tells. */
static void later_fragments_with_an_encapsulation_limit(void **state)
{
    (void)state;
    for (int limit = 0; limit < 2; limit++) {
        struct bed b = bed(6, 6, TMTU_ENCAP_GRE);
        uint8_t p[68] = {0x60, 0, 0, 0, 0, 28, 44, 64};
        struct tmtu_buf error;
        struct tmtu_relay r;
        memcpy(p + 8, b.tunnel.encap.src, 16);
        memcpy(p + 24, b.tunnel.encap.dst, 16);
        p[40] = 60;
        tmtu_put16(p + 42, 0x80);
        tmtu_put16(p + 4, 1460 - 40);
        if (limit)
            b.tunnel.encap.flags = TMTU_ENCAP_TEL;
        assert_int_equal(tmtu_tunnel_check(&b.tunnel), 0);
        struct tmtu_buf outer = test_buf(p, sizeof p, 0, 0);
        const int rc = bed_read(&b, &outer, &error, &r);
        assert_string_equal(bed_words(rc, &r),
                            limit ? "outer_fragment, learn 1400" : "ignored");
        free(error.head);
        free(outer.head);
    }
}

/* IPv6 whose addresses look like the IPv4 ends: nothing that this tunnel sent,
 * and what it says is not of its path. */
static void a_later_fragment_of_the_other_family(void **state)
{
    (void)state;
    struct bed b = bed(4, 4, TMTU_ENCAP_IPIP);
    uint8_t p[68] = {0x60, 0, 0, 0, 0, 28, 44, 64};
    struct tmtu_buf error;
    struct tmtu_relay r;
    memcpy(p + 8, b.tunnel.encap.src, 16);
    memcpy(p + 24, b.tunnel.encap.dst, 16);
    p[40] = 4;
    tmtu_put16(p + 42, 0x80);
    tmtu_put16(p + 4, 1460 - 40);
    b.says.type = 2;
    b.says.code = 0;
    assert_int_equal(tmtu_tunnel_check(&b.tunnel), 0);
    struct tmtu_buf outer = test_buf(p, sizeof p, 0, 0);
    assert_int_equal(bed_read(&b, &outer, &error, &r), TMTU_E_IGNORED);
    free(error.head);
    free(outer.head);
}

/* ---- options ---- */

/* K81, K85, K86: which family is inside, a short quote does not tell. */
static void short_quotes_of_a_pair_that_linux_knows(void **state)
{
    (void)state;
    struct bed b = bed(4, 4, TMTU_ENCAP_GRE);
    b.options.flags = TMTU_RELAY_4IN4;
    b.quote = 28;
    assert_string_equal(bed_run(&b), "quote_short, learn 1400");
    b = bed(4, 6, TMTU_ENCAP_GRE);
    b.options.flags = TMTU_RELAY_4IN4;
    b.quote = 48;
    assert_string_equal(bed_run(&b), "not_relayed");
}

static void r_tun_04_policies(void **state)
{
    (void)state;
    static const struct {
        uint8_t policy;
        const char *big, *other, *lie;
    } rows[] = {
        {TMTU_RELAY_BOTH, "too big 1380, learn 1400", "unreachable 1",
         "mtu_claim"},
        {TMTU_RELAY_STATE, "policy, learn 1400", "policy", "mtu_claim"},
        {TMTU_RELAY_TELL, "too big 1380", "unreachable 1", "mtu_claim"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(4, 4, TMTU_ENCAP_IPIP);
        b.options.policy = rows[i].policy;
        assert_string_equal(bed_run(&b), rows[i].big);
        b.says.word = 1520;
        assert_string_equal(bed_run(&b), rows[i].lie);
        b.says.code = 1;
        assert_string_equal(bed_run(&b), rows[i].other);
    }
}

/* Where Linux is weaker, it is an option. */
static void what_linux_does_is_an_option(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner, outer;
        uint8_t flags;
        struct test_says says;
        uint32_t path_mtu;
        size_t len;
        const char *want;
    } rows[] = {
        {"K80: time exceeded stays what it is",
         4,
         4,
         TMTU_RELAY_SAME,
         {11, 0, 0},
         1500,
         1480,
         "expired 0"},
        {"K80: with its code",
         4,
         4,
         TMTU_RELAY_SAME,
         {11, 1, 0},
         1500,
         1480,
         "expired 1"},
        {"K62: port unreachable as it came",
         4,
         4,
         TMTU_RELAY_SAME,
         {3, 3, 0},
         1500,
         1480,
         "unreachable 3"},
        {"K62: parameter problems never",
         4,
         4,
         TMTU_RELAY_SAME,
         {12, 0, 28u << 24},
         1500,
         1480,
         "not_relayed"},
        {"redirects never",
         4,
         4,
         TMTU_RELAY_SAME,
         {5, 0, 0},
         1500,
         1480,
         "not_relayed"},
        {"inner IPv6 has no other word for it",
         6,
         4,
         TMTU_RELAY_SAME,
         {11, 0, 0},
         1500,
         1480,
         "unreachable 3"},
        {"nor for prohibited",
         6,
         4,
         TMTU_RELAY_SAME,
         {3, 13, 0},
         1500,
         1480,
         "unreachable 3"},
        {"outer IPv6 is mapped",
         4,
         6,
         TMTU_RELAY_SAME,
         {3, 0, 0},
         1500,
         1460,
         "unreachable 1"},
        {"K74: told is what was known: nothing, as it fits",
         4,
         4,
         TMTU_RELAY_KNOWN,
         {3, 4, 1400},
         1500,
         1480,
         "fits, learn 1400"},
        {"K74: a stale answer",
         4,
         4,
         TMTU_RELAY_KNOWN,
         {3, 4, 1300},
         1400,
         1480,
         "too big 1380, learn 1300"},
        {"K74: once known, the right one",
         4,
         4,
         TMTU_RELAY_KNOWN,
         {3, 4, 1400},
         1400,
         1480,
         "too big 1380, learn 1400"},
        {"K77: 88 is told as it is",
         4,
         4,
         TMTU_RELAY_LOW,
         {3, 4, 600},
         88,
         1480,
         "too big 88, learn 600"},
        {"K77: 89 is told as 69",
         4,
         4,
         TMTU_RELAY_LOW,
         {3, 4, 600},
         89,
         1480,
         "too big 69, learn 600"},
        {"K77: of IPv6 1280 is told all the same",
         6,
         4,
         TMTU_RELAY_LOW,
         {3, 4, 1290},
         1500,
         1480,
         "too big 1280, learn 1290"},
        {"K85: IPv6 in IPv6 is not for it",
         6,
         6,
         TMTU_RELAY_4IN4,
         {2, 0, 1400},
         1500,
         1460,
         "not_relayed"},
        {"K85: IPv4 in IPv6",
         4,
         6,
         TMTU_RELAY_4IN4,
         {1, 3, 0},
         1500,
         1460,
         "not_relayed"},
        {"K86: IPv6 in IPv4",
         6,
         4,
         TMTU_RELAY_4IN4,
         {3, 4, 1400},
         1500,
         1480,
         "not_relayed"},
        {"K86: IPv4 in IPv4 is",
         4,
         4,
         TMTU_RELAY_4IN4,
         {3, 4, 1400},
         1500,
         1480,
         "too big 1380, learn 1400"},
        {"all weaknesses together",
         4,
         4,
         TMTU_RELAY_IPVS,
         {11, 0, 0},
         1500,
         1480,
         "expired 0"},
        {"R-2003-15: the destination is on our own network",
         4,
         4,
         TMTU_RELAY_LOCAL,
         {3, 0, 0},
         1500,
         1480,
         "unreachable 1"},
        {"R-2003-17: the same for protocol unreachable",
         4,
         4,
         TMTU_RELAY_LOCAL,
         {3, 2, 0},
         1500,
         1480,
         "unreachable 1"},
        {"R-2003-18: but not for port unreachable",
         4,
         4,
         TMTU_RELAY_LOCAL,
         {3, 3, 0},
         1500,
         1480,
         "not_relayed"},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(rows[i].inner, rows[i].outer, TMTU_ENCAP_IPIP);
        b.options.flags = rows[i].flags;
        b.says = rows[i].says;
        b.path_mtu = rows[i].path_mtu;
        b.shape.len = rows[i].len;
        const char *got = bed_run(&b);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, got, rows[i].want);
    }
}

static void arguments(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint32_t floor4;
        uint8_t policy, flags;
        int rc;
    } rows[] = {
        {0, 68, 2, 0x1f, 0},
        {0, 67, 0, 0, TMTU_E_ARGUMENT},
        {0, 552, 3, 0, TMTU_E_ARGUMENT},
        {0, 552, 0, 0x20, TMTU_E_ARGUMENT},
        {8, 552, 0, 0, TMTU_E_ARGUMENT},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(4, 4, TMTU_ENCAP_IPIP);
        struct tmtu_buf outer = bed_outer(&b), error;
        struct tmtu_relay r;
        b.options.size += rows[i].size;
        b.options.floor4 = rows[i].floor4;
        b.options.policy = rows[i].policy;
        b.options.flags = rows[i].flags;
        assert_int_equal(bed_read(&b, &outer, &error, &r), rows[i].rc);
        free(error.head);
        free(outer.head);
    }
}

/* ---- to the byte ---- */

static size_t vector(const char *name, uint8_t *out, size_t room)
{
    for (size_t i = 0; i < TEST_ROWS(vectors); i++)
        if (strcmp(vectors[i].name, name) == 0)
            return test_hex(vectors[i].hex, out, room);
    fail_msg("no vector %s", name);
    return 0;
}

/* V4: what another implementation computed. The tunnel's end speaks, as the
 * vector has it, and not the inner destination. */
static void r_2003_13_r_2003_14_vector_4_byte_by_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"V4.error_from_tunnel",
                                        "V4.error_min_quote_no_relay"};
    struct bed b = bed(4, 4, TMTU_ENCAP_IPIP);
    assert_int_equal(tmtu_tunnel_check(&b.tunnel), 0);
    for (size_t i = 0; i < TEST_ROWS(names); i++) {
        uint8_t bytes[256], want[256];
        const size_t n = vector(names[i], bytes, sizeof bytes);
        struct tmtu_buf error = test_buf(bytes, n, 0, 0);
        const struct tmtu_pkt pkt = test_parsed(&error);
        struct tmtu_icmp icmp;
        struct tmtu_relay r;
        assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
        const int rc = tmtu_relay_read(&icmp, &b.tunnel, &b.options, &r);
        assert_string_equal(bed_words(rc, &r), i == 0
                                                   ? "too big 1380, learn 1400"
                                                   : "quote_short, learn 1400");
        assert_int_equal(r.learn.length, 1500);
        assert_int_equal(r.learn.header, 20);
        if (i == 0) { /* R-2003-24: the other has nobody to be sent to */
            const size_t all =
                vector("V4.relayed_to_inner_source", want, sizeof want);
            struct tmtu_buf out = test_buf(NULL, 0, 0, all);
            assert_int_equal(r.overhead, 20);
            memcpy(r.error.src, b.tunnel.encap.src, 16);
            r.error.id = 3;
            assert_int_equal(tmtu_icmp_build(&out, &r.inner, &r.error), 0);
            assert_int_equal(tmtu_buf_len(&out), all);
            assert_memory_equal(out.data, want, all);
            free(out.head);
        } else {
            assert_int_equal(r.overhead, 0);
        }
        free(error.head);
    }
}

/* K56: left alone, the inner destination speaks, and the TTL quoted is the one
 * that the tunnel's entry has lowered. */
static void k56_the_inner_destination_speaks(void **state)
{
    (void)state;
    struct bed b = bed(4, 6, TMTU_ENCAP_GUE);
    struct tmtu_buf outer = bed_outer(&b), error;
    struct tmtu_buf out = test_buf(NULL, 0, 0, TMTU_ICMP4_MAX);
    struct tmtu_relay r;
    assert_int_equal(bed_read(&b, &outer, &error, &r), 0);
    assert_int_equal(tmtu_icmp_build(&out, &r.inner, &r.error), 0);
    const struct tmtu_pkt pkt = test_parsed(&out);
    assert_memory_equal(pkt.flow.src, r.inner.flow.dst, 16);
    assert_int_equal(out.data[28 + 8], 63);
    free(out.head);
    free(error.head);
    free(outer.head);
}

/* A packet that is all there is told about, however short it is. */
static void what_is_whole_is_not_too_short(void **state)
{
    (void)state;
    for (unsigned inner = 4; inner <= 6; inner += 2)
        for (size_t n = 0; n <= 8; n += 4) {
            struct bed b = bed(inner, 4, TMTU_ENCAP_IPIP);
            b.shape.proto = 50;
            b.shape.len = (inner == 4 ? 20 : 40) + n;
            b.says.code = 1;
            assert_string_equal(bed_run(&b),
                                inner == 4 ? "unreachable 1" : "unreachable 3");
        }
}

/* A length that contradicts what is there makes nothing whole. */
static void a_length_below_the_header_is_no_excuse(void **state)
{
    (void)state;
    for (size_t n = 27; n <= 28; n++) {
        struct bed b = bed(4, 4, TMTU_ENCAP_IPIP);
        struct tmtu_buf outer = bed_outer(&b), error;
        struct tmtu_relay r;
        tmtu_put16(outer.data + 20 + 2, 16);
        b.says.code = 1;
        b.quote = 20 + n;
        const int rc = bed_read(&b, &outer, &error, &r);
        assert_string_equal(bed_words(rc, &r),
                            n == 27 ? "quote_short" : "unreachable 1");
        free(error.head);
        free(outer.head);
    }
}

/* Headers in front of the inner transport that are longer than an error can
 * quote leave nothing that could be told. */
static void no_error_holds_so_long_an_inner_header(void **state)
{
    (void)state;
    static const struct {
        size_t options; /* bytes of hop-by-hop options */
        size_t len;     /* of the inner packet */
        const char *want;
    } rows[] = {
        {1176, 1500, "unreachable 3"}, {1184, 1500, "unreachable 3"},
        {1192, 1500, "no_room"},       {1192, 1233, "no_room"},
        {1192, 1232, "unreachable 3"}, /* all of it fits */
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct bed b = bed(6, 4, TMTU_ENCAP_IPIP);
        b.shape.len = rows[i].len;
        b.shape.proto = 50;
        b.says.code = 1;
        struct tmtu_buf outer = bed_outer(&b), error;
        struct tmtu_relay r;
        uint8_t *ip = outer.data + 20;
        memset(ip + 40, 0, rows[i].options); /* Pad1 */
        ip[40] = ip[6];
        ip[6] = 0;
        ip[41] = (uint8_t)(rows[i].options / 8 - 1);
        const int rc = bed_read(&b, &outer, &error, &r);
        assert_string_equal(bed_words(rc, &r), rows[i].want);
        free(error.head);
        free(outer.head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k73_k81_every_pair_kind_and_length_of_the_quote),
        cmocka_unit_test(k73_to_k78_sizes_that_are_told),
        cmocka_unit_test(k75_k76_the_overhead_is_that_of_the_quoted_packet),
        cmocka_unit_test(r_2003_15_to_22_every_code_in_every_kind),
        cmocka_unit_test(r_2003_23_pointers_into_the_inner_packet),
        cmocka_unit_test(r_2473_13_encapsulation_limit_becomes_unreachable),
        cmocka_unit_test(r_7690_02_the_inner_packet_must_allow_an_error),
        cmocka_unit_test(k30_a_tunnel_packet_that_does_not_tell_its_length),
        cmocka_unit_test(r_lib_10_about_outer_fragments),
        cmocka_unit_test(k82_k83_k84_of_another_tunnel),
        cmocka_unit_test(later_fragments_with_an_encapsulation_limit),
        cmocka_unit_test(a_later_fragment_of_the_other_family),
        cmocka_unit_test(short_quotes_of_a_pair_that_linux_knows),
        cmocka_unit_test(r_tun_04_policies),
        cmocka_unit_test(what_linux_does_is_an_option),
        cmocka_unit_test(arguments),
        cmocka_unit_test(r_2003_13_r_2003_14_vector_4_byte_by_byte),
        cmocka_unit_test(k56_the_inner_destination_speaks),
        cmocka_unit_test(what_is_whole_is_not_too_short),
        cmocka_unit_test(a_length_below_the_header_is_no_excuse),
        cmocka_unit_test(no_error_holds_so_long_an_inner_header),
    };
    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}

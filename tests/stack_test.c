/* SPDX-License-Identifier: MIT */
/* Stacks of headers: figures that are known, and words that make no sense. */
#include <tunmtu/encap.h>
#include <tunmtu/stack.h>

#include "tmtu_test.h"

static struct tmtu_stack parsed(const char *text, uint32_t mtu)
{
    struct tmtu_stack s;
    size_t at = 0;
    /* The text ends where its memory does. */
    char *copy = (char *)test_exact((const uint8_t *)text, strlen(text) + 1);
    const int rc = tmtu_stack_parse(copy, mtu, &at, &s);
    if (rc != 0)
        print_error("%s: %d at %zu\n", text, rc, at);
    assert_int_equal(rc, 0);
    free(copy);
    return s;
}

static void derived_overheads_at_1500(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text; /* vectors.json, derived.overhead */
        uint32_t overhead, inner, mss4, mss6;
    } rows[] = {
        {"4in4", "ipv4+ipv4", 20, 1480, 1440, 1420},
        {"6in4", "ipv4+ipv6", 20, 1480, 1440, 1420},
        {"4in6", "ipv6+ipv4", 40, 1460, 1420, 1400},
        {"6in6", "ipv6+ipv6", 40, 1460, 1420, 1400},
        {"6in6+TEL", "ipv6+tel+ipv6", 48, 1452, 1412, 1392},
        {"gre4", "ipv4+gre+ipv4", 24, 1476, 1436, 1416},
        {"gre4+K", "ipv4+gre+key+ipv4", 28, 1472, 1432, 1412},
        {"gre4+C+K+S", "ipv4+gre+csum+key+seq+ipv4", 36, 1464, 1424, 1404},
        {"gre6", "ipv6+gre+ipv4", 44, 1456, 1416, 1396},
        {"gue0/4", "ipv4+udp+gue+ipv4", 32, 1468, 1428, 1408},
        {"gue1/4", "ipv4+udp+gue1+ipv4", 28, 1472, 1432, 1412},
        {"gue0/6", "ipv6+udp+gue+ipv4", 52, 1448, 1408, 1388},
        {"gue1/6", "ipv6+udp+gue1+ipv4", 48, 1452, 1412, 1392},
        {"greudp/4", "ipv4+udp+gre+ipv4", 32, 1468, 1428, 1408},
        {"greudp/6", "ipv6+udp+gre+ipv4", 52, 1448, 1408, 1388},
        {"tel4in6", "ipv6+tel+ipv4", 48, 1452, 1412, 1392},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_stack s = parsed(rows[i].text, 1500);
        print_message("%s\n", rows[i].name);
        assert_int_equal(s.overhead, rows[i].overhead);
        assert_int_equal(s.inner_mtu, rows[i].inner);
        assert_int_equal(s.mss4, rows[i].mss4);
        assert_int_equal(s.mss6, rows[i].mss6);
        assert_int_equal(s.link, 0);
        assert_int_equal(s.ip6, 1);
    }
}

static void figures_that_people_know(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t mtu, overhead, link, inner;
    } rows[] = {
        {"ipv4", 1500, 0, 0, 1500}, /* it is the inner packet */
        {"eth+ipv6", 1500, 0, 14, 1500},
        {"eth+vlan+vlan+ipv4+ipv4", 1500, 20, 22, 1480},
        {"eth+pppoe+ipv4", 1500, 8, 14, 1492}, /* RFC 2516 §7 */
        {"vlan+pppoe+ipv4+gre+ipv6", 1500, 32, 4, 1468},
        {"eth+mpls+mpls+ipv4", 1500, 8, 14, 1492},
        {"mpls+eth+ipv4", 1500, 18, 0, 1482}, /* a pseudowire */
        {"ipv4+udp+vxlan+eth+ipv4", 1500, 50, 0, 1450},
        {"ipv6+udp+vxlan+eth+ipv4", 1500, 70, 0, 1430},
        {"eth+ipv6+udp+vxlan+eth+vlan+ipv4", 1500, 74, 14, 1426},
        {"ipv4+udp+vxlan-gpe+ipv4", 1500, 36, 0, 1464},
        {"ipv4+udp+geneve+eth", 1500, 50, 0, 1450},
        {"ipv6+udp+geneve+eth", 1500, 70, 0, 1430},
        {"ipv6+udp+geneve+8+eth+ipv4", 1500, 78, 0, 1422},
        {"ipv4+gre+key+eth+ipv4", 1500, 42, 0, 1458}, /* NVGRE */
        {"ipv4+udp+wireguard+ipv4", 1500, 60, 0, 1440},
        {"ipv6+udp+wireguard+ipv4", 1500, 80, 0, 1420}, /* its default */
        {"pppoe+ipv6+udp+wireguard+ipv6", 1500, 88, 0, 1412},
        {"ipv4+udp+l2tp+ppp+ipv4", 1500, 38, 0, 1462},
        {"ipv4+udp+l2tpv3+eth+ipv4", 1500, 50, 0, 1450},
        {"ipv4+l2tpv3-ip+8+eth+ipv4", 1500, 46, 0, 1454},
        {"ipv4+udp+gtpu+ipv4", 1500, 36, 0, 1464},
        {"ipv4+udp+gtpu+8+ipv4", 1500, 44, 0, 1456},
        {"ipv6+frag6+ipv4", 1500, 48, 0, 1452},
        {"ipv4+udp+mpls+ipv4", 1500, 32, 0, 1468},
        /* AES-GCM, tunnel mode: 1446 fills its block to the byte. */
        {"ipv4+esp-gcm+ipv4", 1500, 54, 0, 1446},
        {"ipv6+esp-gcm+ipv4", 1500, 74, 0, 1426},
        {"ipv4+esp-gcm+ipv4", 1499, 54, 0, 1442},
        {"ipv4+udp+esp-gcm+ipv4", 1500, 62, 0, 1438}, /* RFC 3948 */
        {"ipv4+esp-cbc+ipv4", 1500, 62, 0, 1438},
        {"ipv4+esp-cbc+ipv4", 1499, 62, 0, 1422},
        {"ipv4+esp-gcm+gre+ipv4", 1500, 58, 0, 1442}, /* transport mode */
        {"ipv4+esp-gcm+gre+key+2+ipv4", 1500, 64, 0, 1436},
        {"ipv4+tcp", 1500, 40, 0, 1460},
        {"ipv4+ipv4", 9000, 20, 0, 8980},
        {"ipv4+ipv4", 65535, 20, 0, 65515},
        {"IPv6+UDP+GUE+IPv4", 1500, 52, 0, 1448},
        {"VLAN+IPV4+IPV6", 1500, 20, 4, 1480},
        {"ipv4+65535+ipv4", 1500, 65555, 0, 0},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_stack s = parsed(rows[i].text, rows[i].mtu);
        print_message("%s\n", rows[i].text);
        assert_int_equal(s.overhead, rows[i].overhead);
        assert_int_equal(s.link, rows[i].link);
        assert_int_equal(s.inner_mtu, rows[i].inner);
    }
}

static void little_room_is_never_negative(void **state)
{
    (void)state;
    static const struct {
        uint32_t mtu, inner, mss4, mss6;
        int ip6;
    } rows[] = {
        {1, 0, 0, 0, 0},
        {19, 0, 0, 0, 0},
        {20, 0, 0, 0, 0},
        {21, 1, 0, 0, 0},
        {60, 40, 0, 0, 0},
        {61, 41, 1, 0, 0},
        {80, 60, 20, 0, 0},
        {81, 61, 21, 1, 0},
        {1299, 1279, 1239, 1219, 0},
        {1300, 1280, 1240, 1220, 1},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        const struct tmtu_stack s = parsed("ipv4+ipv6", rows[i].mtu);
        assert_int_equal(s.inner_mtu, rows[i].inner);
        assert_int_equal(s.mss4, rows[i].mss4);
        assert_int_equal(s.mss6, rows[i].mss6);
        assert_int_equal(s.ip6, rows[i].ip6);
    }
    for (uint32_t mtu = 1; mtu < 60; mtu++) /* 20 + 32, a block */
        assert_int_equal(parsed("ipv4+esp-gcm+ipv4", mtu).inner_mtu,
                         mtu < 56 ? 0 : 2);
}

static void items_tell_what_each_header_is(void **state)
{
    (void)state;
    const struct tmtu_stack s =
        parsed("eth+pppoe+ipv6+UDP+12+gue+eth+ipv4", 1500);
    static const struct {
        const char *name;
        unsigned at, bytes, role;
    } rows[] = {
        {"eth", 0, 14, TMTU_STACK_LINK},
        {"pppoe", 4, 8, TMTU_STACK_OVERHEAD},
        {"ipv6", 10, 40, TMTU_STACK_OVERHEAD},
        {"udp", 15, 8, TMTU_STACK_OVERHEAD},
        {"N", 19, 12, TMTU_STACK_OVERHEAD},
        {"gue", 22, 4, TMTU_STACK_OVERHEAD},
        {"eth", 26, 14, TMTU_STACK_OVERHEAD},
        {"ipv4", 30, 0, TMTU_STACK_INNER},
    };
    assert_int_equal(s.count, TEST_ROWS(rows));
    assert_int_equal(s.outer, 6);
    assert_int_equal(s.inner, 4);
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        assert_string_equal(tmtu_stack_header(s.item[i].header)->name,
                            rows[i].name);
        assert_int_equal(s.item[i].at, rows[i].at);
        assert_int_equal(s.item[i].bytes, rows[i].bytes);
        assert_int_equal(s.item[i].role, rows[i].role);
    }
    const struct tmtu_stack plain = parsed("ipv6", 1500);
    assert_int_equal(plain.outer, 0);
    assert_int_equal(plain.inner, 6);
    const struct tmtu_stack open = parsed("pppoe+ipv4+gre", 1500);
    assert_int_equal(open.outer, 4);
    assert_int_equal(open.inner, 0);
    assert_int_equal(parsed("ipv6+tel", 1500).inner, 0);
}

static void refusals_point_at_the_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        size_t at;
    } rows[] = {
        {"", TMTU_E_MALFORMED, 0},
        {"+", TMTU_E_MALFORMED, 0},
        {"ipv4+", TMTU_E_MALFORMED, 5},
        {"ipv4++udp", TMTU_E_MALFORMED, 5},
        {"+ipv4", TMTU_E_MALFORMED, 0},
        {"ipv", TMTU_E_MALFORMED, 0},
        {"ipv44", TMTU_E_MALFORMED, 0},
        {"ipv4 +ipv4", TMTU_E_MALFORMED, 0},
        {"ipv4+greg+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+gre\x0d+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+n+ipv4", TMTU_E_MALFORMED, 5}, /* the name of a number is none */
        {"ipv4+N+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+0+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+65536+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+000001+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+-1+ipv4", TMTU_E_MALFORMED, 5},
        {"ipv4+1a+ipv4", TMTU_E_MALFORMED, 5},
        {"udp+ipv4", TMTU_E_FORBIDDEN, 0},
        {"vxlan", TMTU_E_FORBIDDEN, 0},
        {"ipv4+vxlan+eth", TMTU_E_FORBIDDEN, 5},
        {"ipv4+udp+vxlan+ipv4", TMTU_E_FORBIDDEN, 15},
        {"ipv4+udp+vxlan", TMTU_E_FORBIDDEN, 14},
        {"ipv4+udp+l2tp+ipv4", TMTU_E_FORBIDDEN, 14},
        {"ipv4+udp+l2tp", TMTU_E_FORBIDDEN, 13},
        {"ipv4+udp+l2tpv3", TMTU_E_FORBIDDEN, 15},
        {"ipv4+udp+wireguard+eth", TMTU_E_FORBIDDEN, 19},
        {"ipv4+key+ipv4", TMTU_E_FORBIDDEN, 5},
        {"ipv4+tel+ipv4", TMTU_E_FORBIDDEN, 5},
        {"ipv4+frag6+ipv4", TMTU_E_FORBIDDEN, 5},
        {"ipv4+tcp+ipv4", TMTU_E_FORBIDDEN, 9},
        {"ipv4+pppoe+ipv4", TMTU_E_FORBIDDEN, 5},
        {"eth+eth", TMTU_E_FORBIDDEN, 4},
        {"1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+ipv4+ipv4", TMTU_E_LIMIT, 35},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_stack out, as_was;
        size_t at = 999;
        memset(&out, 0xa5, sizeof out);
        memset(&as_was, 0xa5, sizeof as_was);
        print_message("%s\n", rows[i].text);
        assert_int_equal(tmtu_stack_parse(rows[i].text, 1500, &at, &out),
                         rows[i].rc);
        assert_int_equal(at, rows[i].at);
        assert_memory_equal(&out, &as_was, sizeof out);
        assert_int_equal(tmtu_stack_parse(rows[i].text, 1500, NULL, &out),
                         rows[i].rc);
    }
    assert_int_equal(
        parsed("1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+ipv4", 1500).overhead, 15);
}

static void text_is_read_up_to_its_limit(void **state)
{
    (void)state;
    char text[600];
    struct tmtu_stack s;
    size_t at = 0;
    memset(text, 'x', sizeof text);
    text[TMTU_STACK_TEXT - 1] = '\0';
    assert_int_equal(tmtu_stack_parse(text, 1500, &at, &s), TMTU_E_MALFORMED);
    char *copy = (char *)test_exact(NULL, TMTU_STACK_TEXT); /* with no end */
    assert_int_equal(tmtu_stack_parse(copy, 1500, &at, &s), TMTU_E_LIMIT);
    assert_int_equal(at, 0);
    memcpy(copy, "ipv4+", 5);
    assert_int_equal(tmtu_stack_parse(copy, 1500, &at, &s), TMTU_E_LIMIT);
    assert_int_equal(at, 5);
    free(copy);
}

static void an_mtu_out_of_range_is_refused(void **state)
{
    (void)state;
    static const uint32_t mtus[] = {0, 65536, 0xffffffffu};
    struct tmtu_stack s;
    size_t at = 999;
    for (size_t i = 0; i < TEST_ROWS(mtus); i++)
        assert_int_equal(tmtu_stack_parse("ipv4", mtus[i], &at, &s),
                         TMTU_E_ARGUMENT);
    assert_int_equal(at, 999);
}

static void outer_is_the_inverse_of_inner(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "ipv4+ipv4",
        "eth+ipv6+udp+vxlan+eth+vlan+ipv4",
        "ipv4+esp-gcm+ipv4",
        "ipv6+udp+esp-cbc+gre+key+ipv6",
        "ipv4+esp-cbc+3+ipv6+esp-gcm+ipv4",
    };
    for (size_t i = 0; i < TEST_ROWS(texts); i++) {
        for (uint32_t mtu = 300; mtu < 1600; mtu++) {
            const struct tmtu_stack s = parsed(texts[i], mtu);
            assert_true(tmtu_stack_outer(&s, s.inner_mtu) <= mtu);
            assert_true(tmtu_stack_outer(&s, s.inner_mtu + 1) > mtu);
        }
    }
    const struct tmtu_stack s = parsed("ipv4+esp-gcm+ipv4", 1500);
    assert_int_equal(tmtu_stack_outer(&s, 1446), 1500);
    assert_int_equal(tmtu_stack_outer(&s, 1443), 1500);
    assert_int_equal(tmtu_stack_outer(&s, 1442), 1496);
    assert_int_equal(tmtu_stack_outer(&s, 1447), 1504);
}

static void tunnels_that_are_built_cost_as_much(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind, flags;
        const char *text[2]; /* over IPv4, over IPv6 */
    } rows[] = {
        {TMTU_ENCAP_IPIP, 0, {"ipv4+ipv4", "ipv6+ipv6"}},
        {TMTU_ENCAP_GRE, 0, {"ipv4+gre", "ipv6+gre"}},
        {TMTU_ENCAP_GRE, TMTU_ENCAP_KEY, {"ipv4+gre+key", "ipv6+gre+key"}},
        {TMTU_ENCAP_GRE,
         TMTU_ENCAP_CSUM | TMTU_ENCAP_KEY | TMTU_ENCAP_SEQ,
         {"ipv4+gre+csum+key+seq", "ipv6+gre+csum+key+seq"}},
        {TMTU_ENCAP_GUE, TMTU_ENCAP_CSUM, {"ipv4+udp+gue", "ipv6+udp+gue"}},
        {TMTU_ENCAP_GUE1, TMTU_ENCAP_CSUM, {"ipv4+udp+gue1", "ipv6+udp+gue1"}},
        {TMTU_ENCAP_GREUDP, TMTU_ENCAP_CSUM, {"ipv4+udp+gre", "ipv6+udp+gre"}},
        {TMTU_ENCAP_GREUDP,
         TMTU_ENCAP_CSUM | TMTU_ENCAP_KEY,
         {"ipv4+udp+gre+key", "ipv6+udp+gre+key"}},
        {TMTU_ENCAP_IPIP, TMTU_ENCAP_TEL, {NULL, "ipv6+tel+ipv4"}},
        {TMTU_ENCAP_GRE, TMTU_ENCAP_TEL, {NULL, "ipv6+tel+gre"}},
    };
    static const uint8_t ends4[2][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        for (int v6 = 0; v6 < 2; v6++) {
            struct tmtu_encap e = TMTU_ENCAP_INIT;
            if (rows[i].text[v6] == NULL)
                continue;
            e.kind = rows[i].kind;
            e.flags = rows[i].flags;
            tmtu_addr_set4(e.src, ends4[0]);
            tmtu_addr_set4(e.dst, ends4[1]);
            if (v6)
                e.src[0] = e.dst[0] = 0x20;
            print_message("%s\n", rows[i].text[v6]);
            assert_int_equal(parsed(rows[i].text[v6], 1500).overhead,
                             tmtu_encap_overhead(&e));
        }
    }
}

static void every_header_is_listed_and_can_be_used(void **state)
{
    (void)state;
    const struct tmtu_stack_header *h;
    size_t n = 0;
    assert_string_equal(tmtu_stack_header(0)->name, "N");
    for (; (h = tmtu_stack_header(n)) != NULL; n++) {
        assert_true(h->group != 0 && (h->group & (h->group - 1)) == 0);
        assert_true(h->behind != 0 && strlen(h->what) < 68);
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(tmtu_stack_header(i)->name, h->name);
    }
    assert_int_equal(n, 28);
    assert_null(tmtu_stack_header(n));
    assert_null(tmtu_stack_header((size_t)-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derived_overheads_at_1500),
        cmocka_unit_test(figures_that_people_know),
        cmocka_unit_test(little_room_is_never_negative),
        cmocka_unit_test(items_tell_what_each_header_is),
        cmocka_unit_test(refusals_point_at_the_word),
        cmocka_unit_test(text_is_read_up_to_its_limit),
        cmocka_unit_test(an_mtu_out_of_range_is_refused),
        cmocka_unit_test(outer_is_the_inverse_of_inner),
        cmocka_unit_test(tunnels_that_are_built_cost_as_much),
        cmocka_unit_test(every_header_is_listed_and_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

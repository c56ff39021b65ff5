/* SPDX-License-Identifier: MIT */
/* flow: kinds of addresses, equality, and the way back. */
#include "tmtu_test.h"

#include <arpa/inet.h>
#include <tunmtu/hash.h>

enum { IS4 = 1, NONE = 2, GROUP = 4, HOST = 8 };

static const struct {
    const char *name, *addr;
    int is;
} addrs[] = {
    {"an IPv4 host", "192.0.2.10", IS4 | HOST},
    {"the lowest IPv4 host", "1.0.0.0", IS4 | HOST},
    {"the highest IPv4 host", "223.255.255.255", IS4 | HOST},
    {"a private one", "10.0.0.1", IS4 | HOST},
    {"the neighbour of loopback", "126.255.255.255", IS4 | HOST},
    {"the other neighbour", "128.0.0.0", IS4 | HOST},
    {"R-1122-07 unspecified", "0.0.0.0", IS4 | NONE},
    {"R-1122-07 this network", "0.1.2.3", IS4},
    {"R-1122-07 loopback", "127.0.0.1", IS4},
    {"R-1122-07 the end of loopback", "127.255.255.255", IS4},
    {"R-1122-04 lowest multicast", "224.0.0.1", IS4 | GROUP},
    {"R-1122-04 highest multicast", "239.255.255.255", IS4 | GROUP},
    {"R-1122-07 class E", "240.0.0.0", IS4},
    {"class E, one below broadcast", "255.255.255.254", IS4},
    {"R-1122-04 limited broadcast", "255.255.255.255", IS4 | GROUP},
    {"an IPv6 host", "2001:db8::1", HOST},
    {"link-local", "fe80::1", HOST},
    {"R-4443-11 unspecified", "::", NONE},
    {"R-4443-11 loopback", "::1", 0},
    {"no longer loopback", "::2", HOST},
    {"nor is this", "::100", HOST},
    {"nor this", "::1:0", HOST},
    {"nor this", "::100:0", HOST},
    {"nor this", "::1:0:0", HOST},
    {"nor this", "1::1", HOST},
    {"R-4443-11 lowest multicast", "ff00::", GROUP},
    {"multicast to all nodes", "ff02::1", GROUP},
    {"one below multicast", "fe00::", HOST},
    {"0xff in the second byte", "ff::", HOST},
    {"nearly mapped, a bit too high", "0:0:0:1::ffff:c000:020a", HOST},
    {"nearly mapped, fffe", "::fffe:c000:020a", HOST},
    {"nearly mapped, 1:ffff", "0:0:0:0:1:ffff:c000:020a", HOST},
    {"nearly mapped multicast", "::fffe:e000:0001", HOST},
    {"nearly unspecified", "::fffe:0:0", HOST},
    {"nearly unspecified, upper half", "1::", HOST},
};

static void kinds_of_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(addrs); i++) {
        uint8_t bin[16], addr[16];
        if (strchr(addrs[i].addr, ':') == NULL) {
            assert_int_equal(inet_pton(AF_INET, addrs[i].addr, bin), 1);
            tmtu_addr_set4(addr, bin);
        } else {
            assert_int_equal(inet_pton(AF_INET6, addrs[i].addr, addr), 1);
        }
        uint8_t *a = test_exact(addr, 16);
        const int is = (tmtu_addr_is4(a) ? IS4 : 0) |
                       (tmtu_addr_is_unspecified(a) ? NONE : 0) |
                       (tmtu_addr_is_group(a) ? GROUP : 0) |
                       (tmtu_addr_is_host(a) ? HOST : 0);
        free(a);
        if (is != addrs[i].is)
            fail_msg("%s (%s): %d, not %d", addrs[i].name, addrs[i].addr, is,
                     addrs[i].is);
    }
}

static void ipv4_stands_in_ipv6_as_mapped(void **state)
{
    (void)state;
    const uint8_t ip4[4] = {192, 0, 2, 10};
    const uint8_t want[18] = {0xa5, 0, 0,    0,    0,   0, 0, 0,  0,
                              0,    0, 0xff, 0xff, 192, 0, 2, 10, 0xa5};
    uint8_t got[18];
    memset(got, 0xa5, sizeof got);
    tmtu_addr_set4(got + 1, ip4);
    assert_memory_equal(got, want, sizeof got);
}

static struct tmtu_flow sample(void)
{
    struct tmtu_flow f = {.sport = 40000,
                          .dport = 443,
                          .ipver = 6,
                          .proto = 6,
                          .flags = TMTU_FLOW_PORTS};
    for (uint8_t i = 0; i < 16; i++) {
        f.src[i] = (uint8_t)(0x20 + i);
        f.dst[i] = (uint8_t)(0x40 + i);
    }
    return f;
}

static void flows_are_equal_only_when_every_byte_is(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct tmtu_flow), 40);
    const struct tmtu_flow a = sample();
    struct tmtu_flow b = a;
    assert_true(tmtu_flow_equal(&a, &b));
    for (size_t i = 0; i < 40; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            b = a;
            ((uint8_t *)&b)[i] ^= (uint8_t)(1u << bit);
            if (tmtu_flow_equal(&a, &b) || tmtu_flow_equal(&b, &a))
                fail_msg("bit %u of byte %zu is overlooked", bit, i);
        }
}

static void addresses_are_equal_only_when_every_byte_is(void **state)
{
    (void)state;
    const struct tmtu_flow f = sample();
    for (size_t i = 0; i < 16; i++) {
        uint8_t other[16];
        memcpy(other, f.src, 16);
        assert_true(tmtu_addr_equal(f.src, other));
        other[i] ^= 0x80;
        assert_false(tmtu_addr_equal(f.src, other));
    }
}

static void the_reverse_swaps_ends_and_nothing_else(void **state)
{
    (void)state;
    const struct tmtu_flow f = sample();
    const struct tmtu_flow r = tmtu_flow_reverse(&f);
    assert_memory_equal(r.src, f.dst, 16);
    assert_memory_equal(r.dst, f.src, 16);
    assert_int_equal(r.sport, 443);
    assert_int_equal(r.dport, 40000);
    assert_int_equal(r.ipver, 6);
    assert_int_equal(r.proto, 6);
    assert_int_equal(r.flags, TMTU_FLOW_PORTS);
    assert_false(tmtu_flow_equal(&f, &r));
    const struct tmtu_flow again = tmtu_flow_reverse(&r);
    assert_memory_equal(&again, &f, sizeof f);
}

/* Every byte of an address, and either port, may be the one that differs. */
static void k113_the_canonical_flow_is_the_same_both_ways(void **state)
{
    (void)state;
    const struct tmtu_hash_key key = {1, 2};
    for (unsigned i = 0; i < 2 * 18; i++) {
        struct tmtu_flow f = sample();
        memcpy(f.dst, f.src, 16);
        f.dport = f.sport;
        if (i / 2 < 16)
            (i % 2 ? f.src : f.dst)[i / 2] ^= 0x80;
        else if (i / 2 == 16)
            *(i % 2 ? &f.sport : &f.dport) = 65535;
        if (i / 2 < 16) /* ports are not asked then */
            *(i % 2 ? &f.dport : &f.sport) = 65535;
        const struct tmtu_flow r = tmtu_flow_reverse(&f);
        const struct tmtu_flow a = tmtu_flow_canonical(&f),
                               b = tmtu_flow_canonical(&r);
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(tmtu_flow_equal(&a, &f) || tmtu_flow_equal(&a, &r));
        assert_true(memcmp(a.src, a.dst, 16) <= 0);
        assert_true(tmtu_hash_flow(&key, &a) == tmtu_hash_flow(&key, &b));
        if (i / 2 < 17) /* without it, another: f is not its own reverse */
            assert_true(tmtu_hash_flow(&key, &f) != tmtu_hash_flow(&key, &r));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_addresses),
        cmocka_unit_test(ipv4_stands_in_ipv6_as_mapped),
        cmocka_unit_test(flows_are_equal_only_when_every_byte_is),
        cmocka_unit_test(addresses_are_equal_only_when_every_byte_is),
        cmocka_unit_test(the_reverse_swaps_ends_and_nothing_else),
        cmocka_unit_test(k113_the_canonical_flow_is_the_same_both_ways),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}

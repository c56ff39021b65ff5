/* SPDX-License-Identifier: MIT */
/* hash: SipHash-1-3 against a second one that is held to the published vectors
 * of SipHash-2-4; the flow hash against its definition in long hand. */
#include "tmtu_test.h"

#include <tunmtu/hash.h>

/* SipHash-c-d out of the paper, §2.1 to 2.3, a byte and a step at a time. */
static uint64_t left(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1], v[1] = left(v[1], 13), v[1] ^= v[0],
                      v[0] = left(v[0], 32);
        v[2] += v[3], v[3] = left(v[3], 16), v[3] ^= v[2];
        v[0] += v[3], v[3] = left(v[3], 21), v[3] ^= v[0];
        v[2] += v[1], v[1] = left(v[1], 17), v[1] ^= v[2],
                      v[2] = left(v[2], 32);
    }
}

static uint64_t sip(int c, int d, const uint8_t key[16], const uint8_t *p,
                    size_t n)
{
    static const char constant[] = "somepseudorandomlygeneratedbytes";
    uint64_t v[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < 32; i++) /* these are words big-endian */
        v[i / 8] = v[i / 8] << 8 | (uint8_t)constant[i];
    for (size_t i = 0; i < 16; i++) {
        v[i / 8] ^= (uint64_t)key[i] << i % 8 * 8;
        v[i / 8 + 2] ^= (uint64_t)key[i] << i % 8 * 8;
    }
    const size_t padded = n / 8 * 8 + 8;
    uint64_t m = 0;
    for (size_t i = 0; i < padded; i++) {
        const uint8_t byte = i < n             ? p[i]
                             : i == padded - 1 ? (uint8_t)n
                                               : (uint8_t)0;
        m |= (uint64_t)byte << i % 8 * 8;
        if (i % 8 < 7)
            continue;
        v[3] ^= m;
        sip_rounds(v, c);
        v[0] ^= m;
        m = 0;
    }
    v[2] ^= 0xff;
    sip_rounds(v, d);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void bytes_hash_as_siphash_1_3(void **state)
{
    (void)state;
    uint8_t key[16], data[80];
    for (uint8_t i = 0; i < 80; i++)
        data[i] = i;
    memcpy(key, data, 16);
    /* The paper's appendix A, and the reference code's first vector. */
    assert_true(sip(2, 4, key, data, 15) == 0xa129ca6149be45e5u);
    assert_true(sip(2, 4, key, data, 0) == 0x726fdb47dd0e0e31u);

    for (size_t n = 0; n <= sizeof data; n++)
        for (uint8_t round = 0; round < 4; round++) {
            uint8_t *p = test_exact(data, n);
            for (size_t i = 0; i < 16; i++)
                key[i] = (uint8_t)(i * (round + 1) + 31 * round);
            const struct tmtu_hash_key k = tmtu_hash_key(key);
            if (tmtu_hash_bytes(&k, p, n) != sip(1, 3, key, p, n))
                fail_msg("%zu bytes", n);
            free(p);
        }
    /* Nailed down, so that both cannot drift together. */
    memcpy(key, data, 16);
    const struct tmtu_hash_key k = tmtu_hash_key(key);
    assert_true(tmtu_hash_bytes(&k, data, 0) == 0xabac0158050fc4dcu);
}

static void a_key_is_read_little_endian(void **state)
{
    (void)state;
    const uint8_t bytes[16] = {1, 2,  3,  4,  5,  6,  7,  8,
                               9, 10, 11, 12, 13, 14, 15, 16};
    const struct tmtu_hash_key k = tmtu_hash_key(bytes);
    assert_true(k.k0 == 0x0807060504030201u);
    assert_true(k.k1 == 0x100f0e0d0c0b0a09u);
}

/* Both halves of x * y, by hand: 64 additions of a shifted x. */
static uint64_t fold(uint64_t x, uint64_t y)
{
    uint64_t high = 0, low = 0;
    for (int bit = 0; bit < 64; bit++) {
        if (!(y >> bit & 1))
            continue;
        const uint64_t add = x << bit;
        low += add;
        high += (bit ? x >> (64 - bit) : 0) + (low < add);
    }
    return low ^ high;
}

static uint64_t little(const uint8_t *p, int n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* As the header defines it for IPv4. */
static uint64_t define4(const struct tmtu_hash_key *k,
                        const struct tmtu_flow *f)
{
    const uint64_t a = little(f->src + 12, 4) + (little(f->dst + 12, 4) << 32);
    const uint64_t b = f->sport + ((uint64_t)f->dport << 16) +
                       ((uint64_t)f->proto << 32) + ((uint64_t)4 << 40);
    return fold(fold(a ^ k->k0, b ^ k->k1) ^ k->k1, 0x9e3779b97f4a7c15u);
}

/* IPv6: each address is folded to a word; the rest is the same. */
static uint64_t define6(const struct tmtu_hash_key *k,
                        const struct tmtu_flow *f)
{
    const uint64_t src =
        fold(little(f->src, 8) ^ k->k1, little(f->src + 8, 8) ^ k->k0);
    const uint64_t dst =
        fold(little(f->dst, 8) ^ ~k->k0, little(f->dst + 8, 8) ^ ~k->k1);
    const uint64_t b = f->sport + ((uint64_t)f->dport << 16) +
                       ((uint64_t)f->proto << 32) + ((uint64_t)6 << 40);
    return fold(fold(src ^ left(dst, 32) ^ k->k0, b ^ k->k1) ^ k->k1,
                0x9e3779b97f4a7c15u);
}

static struct tmtu_flow flow(uint8_t ipver)
{
    struct tmtu_flow f = {.sport = 40000,
                          .dport = 443,
                          .ipver = ipver,
                          .proto = 6,
                          .flags = TMTU_FLOW_PORTS};
    const uint8_t src[4] = {192, 0, 2, 10}, dst[4] = {198, 51, 100, 20};
    tmtu_addr_set4(f.src, src);
    tmtu_addr_set4(f.dst, dst);
    for (uint8_t i = 0; ipver == 6 && i < 16; i++) {
        f.src[i] = (uint8_t)(0x20 + 5 * i);
        f.dst[i] = (uint8_t)(0x9f + 7 * i);
    }
    return f;
}

static const struct tmtu_hash_key key = {0x0706050403020100u,
                                         0x0f0e0d0c0b0a0908u};

static void flows_hash_as_defined(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        struct tmtu_flow f4 = flow(4), f6 = flow(6);
        struct tmtu_hash_key k;
        uint64_t r[8];
        for (int i = 0; i < 8; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            r[i] = x;
        }
        k.k0 = r[0];
        k.k1 = r[1];
        memcpy(f4.src + 12, &r[2], 4);
        memcpy(f4.dst + 12, &r[3], 4);
        memcpy(f6.src, &r[2], 16);
        memcpy(f6.dst, &r[4], 16);
        f4.sport = f6.sport = (uint16_t)r[6];
        f4.dport = f6.dport = (uint16_t)r[7];
        f4.proto = f6.proto = (uint8_t)(r[7] >> 32);
        assert_true(tmtu_hash_flow(&k, &f4) == define4(&k, &f4));
        assert_true(tmtu_hash_flow(&k, &f6) == define6(&k, &f6));
    }
}

static void every_bit_of_a_flow_counts_but_not_its_flags(void **state)
{
    (void)state;
    for (uint8_t ipver = 4; ipver <= 6; ipver += 2) {
        const struct tmtu_flow f = flow(ipver);
        const uint64_t hash = tmtu_hash_flow(&key, &f);
        struct tmtu_flow g = f;
        g.flags = 0;
        assert_true(tmtu_hash_flow(&key, &g) == hash);
        for (size_t i = 0; i < offsetof(struct tmtu_flow, flags); i++) {
            const int mapped = ipver == 4 && i < 32 && i % 16 < 12;
            if (mapped || i == offsetof(struct tmtu_flow, ipver))
                continue;
            for (unsigned bit = 0; bit < 8; bit++) {
                g = f;
                ((uint8_t *)&g)[i] ^= (uint8_t)(1u << bit);
                if (tmtu_hash_flow(&key, &g) == hash)
                    fail_msg("IPv%u: bit %u of byte %zu", ipver, bit, i);
            }
        }
        g = tmtu_flow_reverse(&f);
        assert_true(tmtu_hash_flow(&key, &g) != hash);
        struct tmtu_hash_key other = key;
        other.k0 ^= 1;
        assert_true(tmtu_hash_flow(&other, &f) != hash);
        other = key;
        other.k1 ^= 1;
        assert_true(tmtu_hash_flow(&other, &f) != hash);
    }
    /* A mapped address in IPv6 is not the IPv4 flow. */
    struct tmtu_flow f = flow(4), g = f;
    g.ipver = 6;
    assert_true(tmtu_hash_flow(&key, &f) != tmtu_hash_flow(&key, &g));
}

/* Ports and addresses that differ by one bit, as a client's do, spread over
 * the upper bits: the fullest of 64 shares is near the mean of 1024. */
static void neighbours_spread(void **state)
{
    (void)state;
    for (uint8_t ipver = 4; ipver <= 6; ipver += 2) {
        unsigned by_port[64] = {0}, by_addr[64] = {0};
        for (unsigned i = 0; i < 65536; i++) {
            struct tmtu_flow f = flow(ipver);
            f.sport = (uint16_t)i;
            by_port[tmtu_hash_flow(&key, &f) >> 58]++;
            f = flow(ipver);
            f.src[14] = (uint8_t)(i >> 8);
            f.src[15] = (uint8_t)i;
            by_addr[tmtu_hash_flow(&key, &f) >> 58]++;
        }
        for (unsigned i = 0; i < 64; i++) { /* 32 is one deviation */
            assert_in_range(by_port[i], 1024 - 192, 1024 + 192);
            assert_in_range(by_addr[i], 1024 - 192, 1024 + 192);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_hash_as_siphash_1_3),
        cmocka_unit_test(a_key_is_read_little_endian),
        cmocka_unit_test(flows_hash_as_defined),
        cmocka_unit_test(every_bit_of_a_flow_counts_but_not_its_flags),
        cmocka_unit_test(neighbours_spread),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}

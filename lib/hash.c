/* SPDX-License-Identifier: MIT */
/* SipHash-1-3: one round a word, three at the end. */
#include <tunmtu/hash.h>

struct hash_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t hash_rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void hash_round(struct hash_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = hash_rotl(s->v1, 13) ^ s->v0;
    s->v3 = hash_rotl(s->v3, 16) ^ s->v2;
    s->v0 = hash_rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = hash_rotl(s->v1, 17) ^ s->v2;
    s->v3 = hash_rotl(s->v3, 21) ^ s->v0;
    s->v2 = hash_rotl(s->v2, 32);
}

static inline struct hash_state hash_begin(const struct tmtu_hash_key *key)
{
    const struct hash_state s = {
        key->k0 ^ 0x736f6d6570736575u, /* "somepseudorandomlygeneratedbytes" */
        key->k1 ^ 0x646f72616e646f6du,
        key->k0 ^ 0x6c7967656e657261u,
        key->k1 ^ 0x7465646279746573u,
    };
    return s;
}

static inline void hash_word(struct hash_state *s, uint64_t m)
{
    s->v3 ^= m;
    hash_round(s);
    s->v0 ^= m;
}

static inline uint64_t hash_end(struct hash_state *s)
{
    s->v2 ^= 0xff;
    hash_round(s);
    hash_round(s);
    hash_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t tmtu_hash_bytes(const struct tmtu_hash_key *key, const uint8_t *p,
                         size_t n)
{
    struct hash_state s = hash_begin(key);
    uint64_t last = (uint64_t)n << 56;
    size_t i = 0;
    for (; n - i >= 8; i += 8)
        hash_word(&s, tmtu_get64le(p + i));
    for (unsigned shift = 0; i < n; i++, shift += 8)
        last |= (uint64_t)p[i] << shift;
    hash_word(&s, last);
    return hash_end(&s);
}

/* The 128 bits of a product, folded to 64. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__) && !defined(__bpf__)
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    const uint64_t al = (uint32_t)a, ah = a >> 32;
    const uint64_t bl = (uint32_t)b, bh = b >> 32;
    const uint64_t mid = ah * bl + ((al * bl) >> 32);
    const uint64_t low = al * bh + (uint32_t)mid;
    return (a * b) ^ (ah * bh + (mid >> 32) + (low >> 32));
#endif
}

uint64_t tmtu_hash_flow(const struct tmtu_hash_key *key,
                        const struct tmtu_flow *flow)
{
    const uint64_t last = (uint64_t)flow->sport | (uint64_t)flow->dport << 16 |
                          (uint64_t)flow->proto << 32 |
                          (uint64_t)flow->ipver << 40;
    uint64_t h = tmtu_get32le(flow->src + 12) |
                 (uint64_t)tmtu_get32le(flow->dst + 12) << 32;
    if (flow->ipver != 4) {
        const uint64_t src = hash_fold(tmtu_get64le(flow->src) ^ key->k1,
                                       tmtu_get64le(flow->src + 8) ^ key->k0);
        const uint64_t dst = hash_fold(tmtu_get64le(flow->dst) ^ ~key->k0,
                                       tmtu_get64le(flow->dst + 8) ^ ~key->k1);
        h = src ^ hash_rotl(dst, 32);
    }
    h = hash_fold(h ^ key->k0, last ^ key->k1);
    return hash_fold(h ^ key->k1, 0x9e3779b97f4a7c15u); /* 2^64 / phi, odd */
}

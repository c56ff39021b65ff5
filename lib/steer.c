/* SPDX-License-Identifier: MIT */
/* Maglev: every server has a permutation of the slots of its own, and takes,
 * turn by turn, the first slot of it that is still free. */
#include <tunmtu/steer.h>

/* Virtual time between two turns of a server of weight 1. The quotient by the
 * largest weight still has 24 bits, and 2^24 turns of weight 1 do not overflow:
 * no need to scale by the weights of others, which would make the order of
 * turns between two servers depend on a third. */
#define STEER_TURN      ((uint64_t)1 << 40)
#define STEER_NEVER     UINT64_MAX
#define STEER_SLOTS_MAX 16777213u /* the largest prime below 2^24 */
#define STEER_FREE      0xffffu   /* a slot that nobody has */

_Static_assert(STEER_FREE > TMTU_STEER_VALUE_MAX, "no value means free");
_Static_assert(STEER_SLOTS_MAX + 1 < STEER_NEVER / STEER_TURN, "time ends");

struct tmtu_steer {
    uint32_t slots;
    uint16_t slot[];
};

static int steer_is_prime(uint32_t n)
{
    if (n < 2 || n % 2 == 0)
        return n == 2;
    for (uint32_t i = 3; i <= n / i; i += 2)
        if (n % i == 0)
            return 0;
    return 1;
}

size_t tmtu_steer_sizeof(uint32_t slots)
{
    if (slots < 3 || slots > STEER_SLOTS_MAX || !steer_is_prime(slots))
        return 0;
    const size_t n = sizeof(struct tmtu_steer) + slots * sizeof(uint16_t);
    return (n + 7) & ~(size_t)7; /* tables may stand one after another */
}

struct tmtu_steer *tmtu_steer_init(void *mem, uint32_t slots)
{
    if (tmtu_steer_sizeof(slots) == 0)
        return NULL;
    struct tmtu_steer *steer = (struct tmtu_steer *)mem;
    steer->slots = slots;
    __builtin_memset(steer->slot, 0xff, slots * sizeof steer->slot[0]);
    return steer;
}

/* Whose turn is first; at the same time, by identity. The rank says the same
 * as the identity, faster; before there are ranks, all are 0. */
static int steer_before(const struct tmtu_steer_server *a,
                        const struct tmtu_steer_server *b)
{
    if (a->state.at != b->state.at)
        return a->state.at < b->state.at;
    if (a->state.rank != b->state.rank)
        return a->state.rank < b->state.rank;
    const int order = __builtin_memcmp(a->addr, b->addr, sizeof a->addr);
    return order != 0 ? order < 0 : a->port < b->port;
}

/* Mends the heap after the server at place k was put off. Only indices move. */
static void steer_sink(struct tmtu_steer_server *s, size_t n, size_t k)
{
    const uint32_t moved = s[k].state.heap;
    for (size_t child; (child = 2 * k + 1) < n; k = child) {
        if (child + 1 < n &&
            steer_before(&s[s[child + 1].state.heap], &s[s[child].state.heap]))
            child++;
        if (!steer_before(&s[s[child].state.heap], &s[moved]))
            break;
        s[k].state.heap = s[child].state.heap;
    }
    s[k].state.heap = moved;
}

static void steer_heap(struct tmtu_steer_server *s, size_t n)
{
    for (size_t k = 0; k < n; k++)
        s[k].state.heap = (uint32_t)k;
    for (size_t k = n / 2; k-- > 0;)
        steer_sink(s, n, k);
}

/* Gives everybody a rank: one turn each, all at the same time, come in the
 * order of identities. Fails if two are the same. */
static int steer_rank(struct tmtu_steer_server *s, size_t n)
{
    const struct tmtu_steer_server *last = NULL;
    for (size_t k = 0; k < n; k++) {
        s[k].state.at = 0;
        s[k].state.rank = 0;
    }
    steer_heap(s, n);
    for (size_t k = 0; k < n; k++) {
        struct tmtu_steer_server *next = &s[s[0].state.heap];
        if (last != NULL && tmtu_addr_equal(last->addr, next->addr) &&
            last->port == next->port)
            return TMTU_E_ARGUMENT;
        last = next;
        next->state.at = STEER_NEVER;
        next->state.rank = (uint32_t)k;
        steer_sink(s, n, 0);
    }
    return 0;
}

/* Offset and skip of the permutation, (pos + i × skip) mod slots. Each comes
 * from half of the hash: what is hashed, 18 bytes, is as long as no flow. */
static void steer_permute(struct tmtu_steer_server *s, uint32_t slots,
                          const struct tmtu_hash_key *key)
{
    uint8_t id[sizeof s->addr + 2];
    tmtu_copy(id, s->addr, sizeof s->addr);
    tmtu_put16(id + sizeof s->addr, s->port);
    const uint64_t hash = tmtu_hash_bytes(key, id, sizeof id);
    s->state.pos = (uint32_t)((hash >> 32) * slots >> 32);
    s->state.skip = (uint32_t)((hash & UINT32_MAX) * (slots - 1) >> 32) + 1;
}

/* The first slot of the server's permutation that is free; there is one, and
 * as slots is a prime, the permutation comes by. */
static uint32_t steer_claim(const struct tmtu_steer *steer,
                            struct tmtu_steer_server *s)
{
    uint32_t pos = s->state.pos;
    while (steer->slot[pos] != STEER_FREE) {
        pos += s->state.skip;
        if (pos >= steer->slots)
            pos -= steer->slots;
    }
    s->state.pos = pos;
    return pos;
}

/* Hands out all slots, to servers that have rank, pos and skip. Turn k of a
 * server, from 0, is at time (k + 1/2) / weight (Webster, or Sainte-Laguë: each
 * gets his quota, rounded), but his first at 0, so that everybody has one. */
static void steer_fill(struct tmtu_steer *steer, struct tmtu_steer_server *s,
                       size_t n)
{
    uint32_t left = 0;
    for (size_t k = 0; k < n; k++) {
        s[k].state.at = STEER_NEVER;
        if (s[k].weight > 0) {
            s[k].state.at = 0;
            s[k].state.step = STEER_TURN / s[k].weight;
            left = steer->slots;
        }
    }
    steer_heap(s, n);
    __builtin_memset(steer->slot, 0xff, steer->slots * sizeof steer->slot[0]);
    for (; left > 0; left--) {
        struct tmtu_steer_server *next = &s[s[0].state.heap];
        steer->slot[steer_claim(steer, next)] = next->value;
        if (next->state.at == 0)
            next->state.at = next->state.step / 2;
        next->state.at += next->state.step;
        steer_sink(s, n, 0);
    }
}

int tmtu_steer_build(struct tmtu_steer *steer,
                     struct tmtu_steer_server *servers, size_t n,
                     const struct tmtu_hash_key *key)
{
    if (n > steer->slots)
        return TMTU_E_ARGUMENT;
    for (size_t k = 0; k < n; k++)
        if (servers[k].weight > TMTU_STEER_WEIGHT_MAX ||
            servers[k].value > TMTU_STEER_VALUE_MAX)
            return TMTU_E_ARGUMENT;
    const int error = n > 0 ? steer_rank(servers, n) : 0;
    if (error < 0)
        return error;
    for (size_t k = 0; k < n; k++)
        steer_permute(&servers[k], steer->slots, key);
    steer_fill(steer, servers, n);
    return 0;
}

int tmtu_steer_lookup(const struct tmtu_steer *steer, uint64_t hash)
{
    /* The upper half of the hash as a fraction of 1, times slots. */
    const uint16_t value = steer->slot[(hash >> 32) * steer->slots >> 32];
    return value == STEER_FREE ? TMTU_E_IGNORED : value;
}

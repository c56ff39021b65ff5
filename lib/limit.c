/* SPDX-License-Identifier: MIT */
/* Token buckets that hold time: an interval's worth is one message. */
#include <tunmtu/limit.h>

enum { LIMIT_WAYS = 4 }; /* entries that a key may stand in */

struct limit_bucket {
    uint64_t credit; /* nanoseconds saved up */
    uint64_t last;   /* when it was looked at */
};

struct limit_entry {
    uint64_t key;               /* hash of who it is about; 0: nobody */
    struct limit_bucket bucket; /* of a flow: last alone, when it was sent */
};

struct tmtu_limit {
    struct tmtu_limit_options options;
    struct tmtu_hash_key key;
    struct limit_bucket all;
    size_t mask;                  /* sets of LIMIT_WAYS, less one */
    struct limit_entry entries[]; /* receivers, then flows */
};

uint64_t tmtu_limit_interval6(unsigned plen)
{
    return 1000000000u >> ((128 - (plen < 128 ? plen : 128)) >> 5);
}

size_t tmtu_limit_sizeof(size_t entries)
{
    if (entries < LIMIT_WAYS || entries > (size_t)1 << 24 ||
        (entries & (entries - 1)) != 0)
        return 0;
    return sizeof(struct tmtu_limit) + 2 * entries * sizeof(struct limit_entry);
}

/* What a full bucket has saved up. A burst of 2^32 centuries is as good as
 * none. */
static uint64_t limit_full(const struct tmtu_limit_rate *rate)
{
    return rate->interval > UINT64_MAX / rate->burst
               ? UINT64_MAX
               : rate->interval * rate->burst;
}

struct tmtu_limit *tmtu_limit_init(void *mem, size_t entries,
                                   const struct tmtu_limit_options *options,
                                   const struct tmtu_hash_key *key)
{
    if (tmtu_limit_sizeof(entries) == 0 || options->size != sizeof *options ||
        options->all.burst == 0 || options->host.burst == 0)
        return NULL;
    struct tmtu_limit *limit = mem;
    limit->options = *options;
    limit->key = *key;
    limit->all.credit = limit_full(&options->all);
    limit->all.last = 0;
    limit->mask = entries / LIMIT_WAYS - 1;
    for (size_t i = 0; i < 2 * entries; i++)
        limit->entries[i] = (struct limit_entry){0, {0, 0}};
    return limit;
}

static void limit_refill(struct limit_bucket *b,
                         const struct tmtu_limit_rate *rate, uint64_t now)
{
    const uint64_t full = limit_full(rate);
    const uint64_t passed = now > b->last ? now - b->last : 0;
    b->credit = passed > full - b->credit ? full : b->credit + passed;
    b->last = now;
}

/* The entry of a key among `sets` of them, or the one that has been silent
 * longest; nonzero in *fresh when it was somebody else's. */
static struct limit_entry *limit_find(struct tmtu_limit *limit, size_t first,
                                      uint64_t key, int *fresh)
{
    struct limit_entry *set =
        &limit->entries[first +
                        ((size_t)(key >> 32) & limit->mask) * LIMIT_WAYS];
    struct limit_entry *oldest = set;
    for (unsigned i = 0; i < LIMIT_WAYS; i++) {
        if (set[i].key == key) {
            *fresh = 0;
            return &set[i];
        }
        if (set[i].key == 0 || set[i].bucket.last < oldest->bucket.last)
            oldest = &set[i];
        if (oldest->key == 0)
            break;
    }
    *fresh = 1;
    return oldest;
}

/* What makes two messages the same: who, about which flow, saying what. */
static uint64_t limit_flow_key(const struct tmtu_limit *limit,
                               const struct tmtu_pkt *pkt,
                               const struct tmtu_icmp_error *error)
{
    uint8_t bytes[48];
    tmtu_copy(bytes, pkt->flow.src, 16);
    tmtu_copy(bytes + 16, pkt->flow.dst, 16);
    tmtu_put16(bytes + 32, pkt->flow.sport);
    tmtu_put16(bytes + 34, pkt->flow.dport);
    bytes[36] = pkt->flow.ipver;
    bytes[37] = pkt->flow.proto;
    bytes[38] = error->kind;
    bytes[39] = error->code;
    tmtu_put32(bytes + 40, error->info);
    tmtu_put32(bytes + 44, 0);
    return tmtu_hash_bytes(&limit->key, bytes, sizeof bytes) | 1;
}

enum tmtu_reason tmtu_limit_take(struct tmtu_limit *limit,
                                 const struct tmtu_pkt *pkt,
                                 const struct tmtu_icmp_error *error,
                                 uint64_t now)
{
    const struct tmtu_limit_options *o = &limit->options;
    struct limit_entry *flow = NULL, *host = NULL;
    uint64_t flow_key = 0, host_key = 0;
    int fresh;

    if (error->kind == TMTU_ICMP_TOO_BIG && !o->too_big)
        return TMTU_OK;
    /* Everything is looked at before anything is taken. */
    if (o->duplicate != 0) {
        const size_t first = (limit->mask + 1) * LIMIT_WAYS;
        flow_key = limit_flow_key(limit, pkt, error);
        flow = limit_find(limit, first, flow_key, &fresh);
        if (!fresh && now - flow->bucket.last < o->duplicate)
            return TMTU_R_DUPLICATE;
    }
    if (o->all.interval != 0) {
        limit_refill(&limit->all, &o->all, now);
        if (limit->all.credit < o->all.interval)
            return TMTU_R_LIMIT_ALL;
    }
    if (o->host.interval != 0) {
        host_key = tmtu_hash_bytes(&limit->key, pkt->flow.src, 16) | 1;
        host = limit_find(limit, 0, host_key, &fresh);
        if (fresh) {
            host->key = host_key;
            host->bucket.credit = limit_full(&o->host);
            host->bucket.last = now;
        }
        limit_refill(&host->bucket, &o->host, now);
        if (host->bucket.credit < o->host.interval)
            return TMTU_R_LIMIT_HOST;
        host->bucket.credit -= o->host.interval;
    }
    if (o->all.interval != 0)
        limit->all.credit -= o->all.interval;
    if (flow != NULL) {
        flow->key = flow_key;
        flow->bucket.last = now;
    }
    return TMTU_OK;
}

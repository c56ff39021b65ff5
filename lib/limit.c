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

/* What a full bucket has saved up. Where that is over 2^64 ns, 584 years, it is
 * as many messages as fit. */
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
        options->all.burst == 0 || options->host.burst == 0 ||
        options->prefix6 > 128)
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

/* A clock that stepped back is waited for, so that going to and fro gains
 * nothing; but no longer than the bucket takes to fill, or a step of a year
 * would silence it for a year (R-5927-00). */
static void limit_refill(struct limit_bucket *b,
                         const struct tmtu_limit_rate *rate, uint64_t now)
{
    const uint64_t full = limit_full(rate);
    if (now >= b->last) {
        const uint64_t passed = now - b->last;
        b->credit = passed > full - b->credit ? full : b->credit + passed;
    } else if (b->last - now <= full) {
        return;
    }
    b->last = now;
}

/* How far away a time is. One that is to come, because the clock stepped back,
 * is as stale as one gone by. */
static uint64_t limit_distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* The entry of a key in the table that begins at `first`; or the one to be
 * given to it, and *fresh is nonzero: an empty one, or the one that has been
 * silent longest. */
static struct limit_entry *limit_find(struct tmtu_limit *limit, size_t first,
                                      uint64_t key, uint64_t now, int *fresh)
{
    struct limit_entry *set =
        &limit->entries[first +
                        ((size_t)(key >> 32) & limit->mask) * LIMIT_WAYS];
    struct limit_entry *oldest = set;
    *fresh = 0;
    for (unsigned i = 0; i < LIMIT_WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0) { /* taken in order: the rest is empty too */
            oldest = &set[i];
            break;
        }
        if (limit_distance(now, set[i].bucket.last) >
            limit_distance(now, oldest->bucket.last))
            oldest = &set[i];
    }
    *fresh = 1;
    return oldest;
}

/* Who is to receive it. */
static uint64_t limit_host_key(const struct tmtu_limit *limit,
                               const struct tmtu_pkt *pkt)
{
    const unsigned bits = limit->options.prefix6;
    uint8_t src[16];
    tmtu_copy(src, pkt->flow.src, sizeof src);
    if (bits != 0 && bits != 128 && pkt->flow.ipver == 6) {
        src[bits / 8] = (uint8_t)(src[bits / 8] & (0xff00u >> bits % 8));
        for (size_t i = bits / 8 + 1; i < sizeof src; i++)
            src[i] = 0;
    }
    return tmtu_hash_bytes(&limit->key, src, sizeof src) | 1;
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
    struct limit_entry *flow = NULL;
    uint64_t flow_key = 0;
    int fresh;

    if (error->kind == TMTU_ICMP_TOO_BIG && !o->too_big)
        return TMTU_OK;
    /* Everything is looked at before anything is taken. */
    if (o->duplicate != 0) {
        const size_t first = (limit->mask + 1) * LIMIT_WAYS;
        flow_key = limit_flow_key(limit, pkt, error);
        flow = limit_find(limit, first, flow_key, now, &fresh);
        if (!fresh && limit_distance(now, flow->bucket.last) < o->duplicate)
            return TMTU_R_DUPLICATE;
    }
    if (o->all.interval != 0) {
        limit_refill(&limit->all, &o->all, now);
        if (limit->all.credit < o->all.interval)
            return TMTU_R_LIMIT_ALL;
    }
    if (o->host.interval != 0) {
        const uint64_t host_key = limit_host_key(limit, pkt);
        struct limit_entry *host = limit_find(limit, 0, host_key, now, &fresh);
        if (fresh) { /* a full bucket: it will not say no */
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

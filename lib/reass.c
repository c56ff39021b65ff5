/* SPDX-License-Identifier: MIT */
/* Fragments put together: one slot a packet, in memory of the caller. */
#include <tunmtu/cksum.h>
#include <tunmtu/reass.h>

#include "wire.h"

#define REASS_NONE 0xffffffffu /* no slot; no end known */
enum { REASS_KEY = 40, REASS_TCP_FLAGS_END = 16 };

/* What RFC 791 §3.2 and RFC 8200 §4.5 tell packets apart by. */
struct reass_key {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint8_t ipver, proto;
    uint16_t zero;
};
_Static_assert(sizeof(struct reass_key) == REASS_KEY, "compared as bytes");

/* Data that is there: the bytes from `from` up to `to`. No two overlap. */
struct reass_piece {
    uint16_t from, to;
};

/* One packet in the making. Behind it in memory: TMTU_REASS_HEADERS bytes that
 * end with the headers of the first fragment, then the data. So the first
 * fragment stays in one piece, as it came. */
struct reass_slot {
    _Alignas(8) uint64_t born;
    struct reass_key key;
    uint32_t chain;        /* the next in this bucket, or the next free one */
    uint32_t older, newer; /* in order of birth: of eviction and expiry too */
    uint32_t bucket;
    int32_t dropped;     /* nonzero: an error for all that still comes */
    uint32_t end;        /* length of all data; REASS_NONE: not known yet */
    uint32_t top;        /* the most that `to` is */
    uint32_t have;       /* bytes of data that are there */
    uint32_t largest;    /* fragment, in bytes */
    uint32_t first;      /* length of the first fragment; 0: not there */
    uint16_t first_data; /* where its data begins */
    uint16_t header;     /* length of the whole packet's header */
    uint16_t nexthdr_at; /* IPv6: the byte that says "Fragment header" */
    uint8_t tclass;      /* the first one's */
    uint8_t marks;       /* bit n: there was ECN field n */
    uint32_t pieces;
    struct reass_piece piece[TMTU_REASS_FRAGMENTS];
};

struct tmtu_reass {
    _Alignas(8) struct tmtu_hash_key key;
    struct tmtu_reass_counters count;
    size_t stride; /* from slot to slot */
    uint32_t mask; /* buckets less one */
    uint32_t max;
    uint32_t free, oldest, newest;
};
_Static_assert(sizeof(struct tmtu_reass) % 8 == 0, "buckets follow");
_Static_assert(sizeof(struct reass_slot) % 8 == 0, "bytes follow");

static size_t reass_stride(size_t max)
{
    const size_t n = sizeof(struct reass_slot) + TMTU_REASS_HEADERS + max;
    return (n + 7) & ~(size_t)7;
}

/* A power of two, not below the number of packets, and at least 2. */
static size_t reass_buckets(size_t packets)
{
    size_t n = 2;
    while (n < packets)
        n *= 2;
    return n;
}

static uint32_t *reass_bucket(struct tmtu_reass *r, uint32_t n)
{
    return (uint32_t *)(void *)(r + 1) + n;
}

static struct reass_slot *reass_slot(struct tmtu_reass *r, uint32_t n)
{
    uint8_t *slots = (uint8_t *)reass_bucket(r, r->mask + 1);
    return (struct reass_slot *)(void *)(slots + n * r->stride);
}

static uint8_t *reass_data(struct reass_slot *s)
{
    return (uint8_t *)(s + 1) + TMTU_REASS_HEADERS;
}

size_t tmtu_reass_sizeof(size_t packets, size_t max)
{
    if (packets == 0 || max == 0 || max > 65535u ||
        packets > REASS_NONE / 2 / sizeof(uint32_t))
        return 0;
    const size_t fixed =
        sizeof(struct tmtu_reass) + reass_buckets(packets) * sizeof(uint32_t);
    if (packets > (SIZE_MAX - fixed) / reass_stride(max))
        return 0;
    return fixed + packets * reass_stride(max);
}

struct tmtu_reass *tmtu_reass_init(void *mem, size_t packets, size_t max,
                                   const struct tmtu_hash_key *key)
{
    struct tmtu_reass *r = (struct tmtu_reass *)mem;
    if (tmtu_reass_sizeof(packets, max) == 0)
        return NULL;
    __builtin_memset(r, 0, sizeof *r);
    r->key = *key;
    r->stride = reass_stride(max);
    r->mask = (uint32_t)reass_buckets(packets) - 1;
    r->max = (uint32_t)max;
    r->free = r->oldest = r->newest = REASS_NONE;
    for (uint32_t n = 0; n <= r->mask; n++)
        *reass_bucket(r, n) = REASS_NONE;
    for (uint32_t n = (uint32_t)packets; n-- > 0; r->free = n)
        reass_slot(r, n)->chain = r->free;
    return r;
}

/* Takes a slot out of its bucket and out of the age list. Its bytes stay until
 * it is used again. */
static void reass_release(struct tmtu_reass *r, uint32_t n)
{
    struct reass_slot *s = reass_slot(r, n);
    uint32_t *link = reass_bucket(r, s->bucket);
    while (*link != n)
        link = &reass_slot(r, *link)->chain;
    *link = s->chain;
    *(s->older == REASS_NONE ? &r->oldest : &reass_slot(r, s->older)->newer) =
        s->newer;
    *(s->newer == REASS_NONE ? &r->newest : &reass_slot(r, s->newer)->older) =
        s->older;
    s->chain = r->free;
    r->free = n;
}

static int reass_over(const struct reass_slot *s, uint64_t now)
{
    return now >= s->born && now - s->born >= TMTU_REASS_TIMEOUT;
}

static uint32_t reass_new(struct tmtu_reass *r, const struct reass_key *key,
                          uint32_t bucket, uint64_t now)
{
    if (r->free == REASS_NONE) {
        r->count.evicted += reass_slot(r, r->oldest)->dropped == 0;
        reass_release(r, r->oldest);
    }
    const uint32_t n = r->free;
    struct reass_slot *s = reass_slot(r, n);
    r->free = s->chain;
    __builtin_memset(s, 0, sizeof *s);
    s->born = now;
    s->key = *key;
    s->end = REASS_NONE;
    s->bucket = bucket;
    s->chain = *reass_bucket(r, bucket);
    *reass_bucket(r, bucket) = n;
    s->older = r->newest;
    s->newer = REASS_NONE;
    *(r->newest == REASS_NONE ? &r->oldest : &reass_slot(r, r->newest)->newer) =
        n;
    r->newest = n;
    return n;
}

/* The slot of this packet; a new one if it has none. */
static uint32_t reass_find(struct tmtu_reass *r, const struct tmtu_pkt *pkt,
                           uint64_t now)
{
    const int ip4 = pkt->flow.ipver == 4;
    struct reass_key key = {.id = pkt->id, .ipver = pkt->flow.ipver};
    tmtu_copy(key.src, pkt->flow.src, 16);
    tmtu_copy(key.dst, pkt->flow.dst, 16);
    key.proto = ip4 ? pkt->flow.proto : 0;
    const uint32_t bucket =
        r->mask & (uint32_t)tmtu_hash_bytes(&r->key, key.src, sizeof key);
    uint32_t n = *reass_bucket(r, bucket);
    while (n != REASS_NONE &&
           __builtin_memcmp(&reass_slot(r, n)->key, &key, sizeof key) != 0)
        n = reass_slot(r, n)->chain;
    if (n != REASS_NONE && reass_over(reass_slot(r, n), now)) {
        r->count.timeouts += reass_slot(r, n)->dropped == 0;
        reass_release(r, n);
        n = REASS_NONE;
    }
    return n != REASS_NONE ? n : reass_new(r, &key, bucket, now);
}

/* Drops a packet, and remembers it so that its other fragments do not begin
 * another one (RFC 5722 §4). */
static int reass_drop(struct reass_slot *s, uint64_t *count, int why)
{
    ++*count;
    s->dropped = why;
    return why;
}

/* Adds a fragment, whose data begins at `data_at`, to its packet. */
static int reass_keep(struct tmtu_reass *r, struct reass_slot *s,
                      const struct tmtu_pkt *pkt, uint32_t data_at)
{
    const uint32_t n = pkt->len - data_at;
    const uint32_t from = pkt->frag_offset, to = from + n;
    const int last = !(pkt->flags & TMTU_PKT_MF);
    uint8_t *data = reass_data(s);
    for (uint32_t i = 0; i < s->pieces; i++) {
        const struct reass_piece p = s->piece[i];
        if (from >= p.to || to <= p.from)
            continue;
        if (from == p.from && to == p.to && last == (to == s->end) &&
            __builtin_memcmp(data + from, pkt->data + data_at, n) == 0)
            return 0;
        return reass_drop(s, &r->count.overlaps, TMTU_E_MALFORMED);
    }
    if (to > s->end || (last && s->top > to))
        return reass_drop(s, &r->count.overlaps, TMTU_E_MALFORMED);

    const uint32_t top = to > s->top ? to : s->top;
    const uint32_t header =
        from == 0 ? pkt->unfragmentable : (uint32_t)s->header;
    if (s->pieces == TMTU_REASS_FRAGMENTS || header + top > r->max ||
        data_at > TMTU_REASS_HEADERS)
        return reass_drop(s, &r->count.limits, TMTU_E_LIMIT);
    s->marks |= (uint8_t)(1u << (pkt->tclass & 3));
    if ((s->marks & 1) && (s->marks & 8))
        return reass_drop(s, &r->count.ecn, TMTU_E_MALFORMED);

    if (from == 0) {
        s->first = pkt->len;
        s->first_data = (uint16_t)data_at;
        s->header = pkt->unfragmentable;
        s->nexthdr_at = pkt->nexthdr_at;
        s->tclass = pkt->tclass;
        tmtu_copy(data - data_at, pkt->data, data_at);
    }
    tmtu_copy(data + from, pkt->data + data_at, n);
    s->piece[s->pieces].from = (uint16_t)from;
    s->piece[s->pieces++].to = (uint16_t)to;
    s->have += n;
    s->top = top;
    if (last)
        s->end = to;
    if (pkt->len > s->largest)
        s->largest = pkt->len;
    return 0;
}

/* Writes the whole packet; there is room. */
static void reass_write(struct reass_slot *s, struct tmtu_buf *out)
{
    const uint8_t *first = reass_data(s) - s->first_data;
    uint8_t *ip = out->data;
    uint8_t tclass = s->tclass;
    /* RFC 3168 §5.3: CE stays (Not-ECT beside it was dropped). One that is
     * Not-ECT makes all Not-ECT: then a router drops where it would mark. */
    if (s->marks & 8)
        tclass |= 3;
    else if (s->marks & 1)
        tclass &= 0xfc;
    tmtu_copy(ip, first, s->header);
    tmtu_copy(ip + s->header, reass_data(s), s->end);
    out->tail = ip + s->header + s->end;
    if (s->key.ipver == 6) {
        tmtu_put16(
            ip, (uint16_t)((tmtu_get16(ip) & 0xf00fu) | (unsigned)tclass << 4));
        tmtu_put16(ip + W_IP6_LEN,
                   (uint16_t)(s->header - W_IP6_SIZE + (int)s->end));
        ip[s->nexthdr_at] = first[s->header + W_FRAG6_NEXT];
        return;
    }
    ip[W_IP4_TOS] = tclass;
    tmtu_put16(ip + W_IP4_LEN, (uint16_t)(s->header + s->end));
    tmtu_put16(ip + W_IP4_FRAG, tmtu_get16(ip + W_IP4_FRAG) & W_IP4_DF);
    tmtu_put16(ip + W_IP4_CHECK, 0);
    tmtu_put16(ip + W_IP4_CHECK,
               tmtu_cksum_finish(tmtu_cksum_add(0, ip, s->header)));
}

/* What is wrong with a fragment by itself. */
static int reass_malformed(const struct tmtu_pkt *pkt, uint32_t data_at)
{
    const uint32_t n = pkt->len - data_at;
    if (n == 0 || ((pkt->flags & TMTU_PKT_MF) && n % 8 != 0) ||
        pkt->frag_offset + n > 65535u) /* RFC 8200 §4.5, RFC 791 §3.2 */
        return 1;
    /* RFC 1858 §3.2.2: the ports in one fragment, the flags in another. */
    return pkt->flow.proto == W_PROTO_TCP &&
           (pkt->frag_offset == 8 ||
            (pkt->frag_offset == 0 &&
             pkt->len - pkt->l4 < REASS_TCP_FLAGS_END));
}

int tmtu_reass_add(struct tmtu_reass *reass, const struct tmtu_pkt *pkt,
                   uint64_t now, struct tmtu_buf *out)
{
    if (!(pkt->flags & TMTU_PKT_FRAGMENT))
        return TMTU_E_IGNORED;
    if (pkt->have != pkt->len)
        return TMTU_E_TRUNCATED;
    reass->count.fragments++;
    const uint32_t data_at = pkt->flow.ipver == 4
                                 ? pkt->unfragmentable
                                 : pkt->frag_at + (uint32_t)W_FRAG6_SIZE;
    if (reass_malformed(pkt, data_at)) {
        reass->count.malformed++;
        return TMTU_E_MALFORMED;
    }
    const uint32_t n = reass_find(reass, pkt, now);
    struct reass_slot *s = reass_slot(reass, n);
    if (s->dropped)
        return s->dropped;
    const int rc = reass_keep(reass, s, pkt, data_at);
    if (s->have != s->end) /* so it is when it was dropped, too */
        return rc;

    const int fits = (size_t)(out->end - out->data) >= s->header + s->end;
    if (fits)
        reass_write(s, out);
    ++*(fits ? &reass->count.packets : &reass->count.limits);
    reass_release(reass, n);
    return fits ? (int)s->largest : TMTU_E_NOSPACE;
}

int tmtu_reass_expire(struct tmtu_reass *reass, uint64_t now,
                      struct tmtu_view *first)
{
    while (reass->oldest != REASS_NONE) {
        struct reass_slot *s = reass_slot(reass, reass->oldest);
        if (!reass_over(s, now))
            return 0;
        reass_release(reass, reass->oldest);
        if (s->dropped)
            continue;
        reass->count.timeouts++;
        *first = tmtu_view(reass_data(s) - s->first_data, s->first);
        return 1;
    }
    return 0;
}

const struct tmtu_reass_counters *
tmtu_reass_counters(const struct tmtu_reass *reass)
{
    return &reass->count;
}

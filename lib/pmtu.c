/* SPDX-License-Identifier: MIT */
/* The path-MTU cache: sets of four places, and who may take one. */
#include <tunmtu/pmtu.h>

enum { PMTU_WAYS = 4 }; /* places that a path may stand in */

enum { PMTU_PINNED = 1, PMTU_LOCKED = 2, PMTU_VALIDATED = 4 };

struct pmtu_entry {
    uint64_t tag;     /* hash of the path; 0: nobody's */
    uint64_t expiry;  /* when it is raised or forgotten, unless pinned */
    uint32_t mtu;     /* what the path carries */
    uint32_t link;    /* what its link did when it was looked at last */
    uint32_t pending; /* an MTU that was claimed, and must be again */
    uint8_t claims;   /* how often it was, so far */
    uint8_t flags;    /* PMTU_* */
    uint16_t unused;
};

static const struct pmtu_entry pmtu_nobody;

struct tmtu_pmtu {
    struct tmtu_pmtu_options options;
    struct tmtu_hash_key key;
    struct tmtu_pmtu_counters counters;
    size_t mask; /* sets of PMTU_WAYS, less one */
    size_t hand; /* where the sweep goes on */
    struct pmtu_entry entries[];
};

static uint32_t pmtu_min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

size_t tmtu_pmtu_sizeof(size_t entries)
{
    if (entries < PMTU_WAYS || entries > (size_t)1 << 24 ||
        (entries & (entries - 1)) != 0)
        return 0;
    return sizeof(struct tmtu_pmtu) + entries * sizeof(struct pmtu_entry);
}

struct tmtu_pmtu *tmtu_pmtu_init(void *mem, size_t entries,
                                 const struct tmtu_pmtu_options *options,
                                 const struct tmtu_hash_key *key)
{
    static const struct tmtu_pmtu_counters none;
    if (tmtu_pmtu_sizeof(entries) == 0 || options->size != sizeof *options ||
        options->expiry < TMTU_PMTU_EXPIRY_MIN ||
        options->raise < TMTU_PMTU_RAISE_MIN ||
        options->raise > options->expiry || options->floor4 < 68 ||
        options->floor6 < 1280 || options->up > TMTU_PMTU_UP_PLATEAU ||
        options->unvalidated > TMTU_PMTU_UNVALIDATED_SHARE)
        return NULL;
    struct tmtu_pmtu *pmtu = mem;
    pmtu->options = *options;
    pmtu->key = *key;
    pmtu->counters = none;
    pmtu->mask = entries / PMTU_WAYS - 1;
    pmtu->hand = 0;
    for (size_t i = 0; i < entries; i++)
        pmtu->entries[i] = pmtu_nobody;
    return pmtu;
}

static uint64_t pmtu_tag(const struct tmtu_pmtu *pmtu,
                         const struct tmtu_pmtu_path *path)
{
    uint8_t bytes[36];
    tmtu_copy(bytes, path->src, 16);
    tmtu_copy(bytes + 16, path->dst, 16);
    tmtu_put32(bytes + 32, path->tunnel);
    return tmtu_hash_bytes(&pmtu->key, bytes, sizeof bytes) | 1;
}

static struct pmtu_entry *pmtu_set(struct tmtu_pmtu *pmtu, uint64_t tag)
{
    return &pmtu->entries[((size_t)(tag >> 32) & pmtu->mask) * PMTU_WAYS];
}

static struct pmtu_entry *pmtu_find(struct tmtu_pmtu *pmtu, uint64_t tag)
{
    struct pmtu_entry *set = pmtu_set(pmtu, tag);
    for (unsigned i = 0; i < PMTU_WAYS; i++)
        if (set[i].tag == tag)
            return &set[i];
    return NULL;
}

/* No time is later than the end of time. */
static uint64_t pmtu_after(uint64_t now, uint64_t span)
{
    return now > UINT64_MAX - span ? UINT64_MAX : now + span;
}

/* What the link's new MTU does to what was learnt (K99). */
static void pmtu_follow(struct tmtu_pmtu *pmtu, struct pmtu_entry *e,
                        uint32_t link)
{
    const int locked = e->flags & PMTU_LOCKED;
    if (locked ? link <= e->mtu : link < e->mtu || e->mtu == e->link) {
        e->mtu = link;
        e->flags = (uint8_t)(e->flags & ~PMTU_LOCKED);
        e->pending = 0;
        pmtu->counters.followed++;
    }
    e->link = link;
}

/* What time and the link's MTU have done to an entry; NULL: it is no more. */
static struct pmtu_entry *pmtu_age(struct tmtu_pmtu *pmtu, struct pmtu_entry *e,
                                   uint32_t link, uint64_t now)
{
    const struct tmtu_pmtu_options *o = &pmtu->options;
    if (e == NULL || e->flags & PMTU_PINNED)
        return e;
    if (link != e->link)
        pmtu_follow(pmtu, e, link);
    if (now < e->expiry) {
        if (e->expiry - now > o->expiry) /* the clock was set back */
            e->expiry = pmtu_after(now, o->expiry);
        return e;
    }
    const uint32_t next = tmtu_pmtu_plateau_up(e->mtu, link);
    if (o->up == TMTU_PMTU_UP_PLATEAU && next < link) {
        e->mtu = next;
        e->expiry = pmtu_after(now, o->raise);
        e->flags = (uint8_t)(e->flags & ~PMTU_LOCKED);
        e->pending = 0;
        pmtu->counters.raised++;
        return e;
    }
    *e = pmtu_nobody;
    pmtu->counters.expired++;
    return NULL;
}

int tmtu_pmtu_lookup(struct tmtu_pmtu *pmtu, const struct tmtu_pmtu_path *path,
                     uint32_t link, uint64_t now, struct tmtu_pmtu_answer *out)
{
    const struct pmtu_entry *e =
        pmtu_age(pmtu, pmtu_find(pmtu, pmtu_tag(pmtu, path)), link, now);
    const int forever = e == NULL || e->flags & PMTU_PINNED;
    out->expiry = forever ? UINT64_MAX : e->expiry;
    out->mtu = e == NULL ? link : pmtu_min(e->mtu, link);
    out->locked = e != NULL && e->flags & PMTU_LOCKED;
    return e != NULL;
}

/* How much speaks for keeping an entry. */
enum pmtu_worth {
    PMTU_OVER, /* its time is; nobody's always */
    PMTU_DOUBTFUL,
    PMTU_SURE,
    PMTU_STAYS,
    PMTU_STAYS_EVER
};

static enum pmtu_worth pmtu_worth(const struct pmtu_entry *e, uint64_t now)
{
    if (e->flags & PMTU_PINNED)
        return PMTU_STAYS_EVER;
    if (now >= e->expiry)
        return PMTU_OVER;
    if (!(e->flags & PMTU_VALIDATED))
        return PMTU_DOUBTFUL;
    return e->flags & PMTU_LOCKED ? PMTU_STAYS : PMTU_SURE;
}

/* The place with the least worth; among equals, what expires first. */
static struct pmtu_entry *pmtu_least(struct pmtu_entry *set, uint64_t now)
{
    struct pmtu_entry *out = set;
    for (unsigned i = 1; i < PMTU_WAYS; i++) {
        const enum pmtu_worth worth = pmtu_worth(&set[i], now);
        const enum pmtu_worth least = pmtu_worth(out, now);
        if (worth < least || (worth == least && set[i].expiry < out->expiry))
            out = &set[i];
    }
    return out;
}

/* A place for what was learnt, or NULL. What was not validated takes that of
 * its like, so that there is one in a set at most; or one that is free. */
static struct pmtu_entry *pmtu_place(struct pmtu_entry *set, int validated,
                                     uint64_t now)
{
    struct pmtu_entry *least = pmtu_least(set, now);
    if (validated)
        return pmtu_worth(least, now) < PMTU_STAYS ? least : NULL;
    for (unsigned i = 0; i < PMTU_WAYS; i++)
        if (set[i].tag != 0 && !(set[i].flags & (PMTU_VALIDATED | PMTU_PINNED)))
            return &set[i];
    return pmtu_worth(least, now) < PMTU_DOUBTFUL ? least : NULL;
}

/* Gives a place to a path that has none yet; the caller fills it. */
static void pmtu_take(struct tmtu_pmtu *pmtu, struct pmtu_entry *e,
                      uint64_t tag, uint64_t now)
{
    pmtu->counters.evicted += pmtu_worth(e, now) >= PMTU_DOUBTFUL;
    e->tag = tag;
}

/* The same MTU once more. The time is left alone in the first half of it (K95),
 * but no path is raised sooner than five minutes after an error (RFC 1191
 * §6.3, RFC 8201 §4). */
static enum tmtu_pmtu_outcome pmtu_again(const struct tmtu_pmtu *pmtu,
                                         struct pmtu_entry *e, int is4,
                                         uint64_t now)
{
    const uint64_t left = e->expiry - now;
    e->pending = 0;
    if ((!is4 && pmtu->options.linux6) ||
        (left > pmtu->options.expiry / 2 && left >= TMTU_PMTU_EXPIRY_MIN))
        return TMTU_PMTU_KNOWN;
    e->expiry = pmtu_after(now, pmtu->options.expiry);
    return TMTU_PMTU_REFRESHED;
}

/* Whether a lower MTU must be claimed once more to be believed. The first one
 * about a path, RFC 5927's initial phase, is believed at once. */
static int pmtu_pending(const struct tmtu_pmtu *pmtu, struct pmtu_entry *e,
                        uint32_t mtu)
{
    if (e->pending != mtu) {
        e->pending = mtu;
        e->claims = 0;
    }
    e->claims++;
    return e->claims < pmtu->options.repeat;
}

static enum tmtu_pmtu_outcome pmtu_learn(struct tmtu_pmtu *pmtu,
                                         const struct tmtu_pmtu_path *path,
                                         const struct tmtu_pmtu_error *error,
                                         uint32_t link, uint64_t now)
{
    const struct tmtu_pmtu_options *o = &pmtu->options;
    const int is4 = tmtu_addr_is4(path->dst);
    const uint64_t tag = pmtu_tag(pmtu, path);
    uint32_t mtu = error->mtu;
    int lock = 0;

    struct pmtu_entry *e = pmtu_age(pmtu, pmtu_find(pmtu, tag), link, now);
    const uint32_t current = e == NULL ? link : pmtu_min(e->mtu, link);
    if (e != NULL && e->flags & (PMTU_PINNED | PMTU_LOCKED))
        return TMTU_PMTU_LOCKED;
    if (!error->validated && (o->unvalidated == TMTU_PMTU_UNVALIDATED_IGNORE ||
                              (e != NULL && e->flags & PMTU_VALIDATED)))
        return TMTU_PMTU_UNVALIDATED;
    if (!is4 && mtu < o->floor6)
        return TMTU_PMTU_BELOW;
    if (is4) {
        if (mtu == 0 && error->length != 0)
            mtu = tmtu_pmtu_plateau(error->length, error->header, current);
        lock = mtu < o->floor4;
        if (lock)
            mtu = pmtu_min(o->floor4, current);
    }
    if (mtu > current || (mtu == current && e == NULL && !lock))
        return TMTU_PMTU_HIGHER;
    if (e != NULL && error->validated)
        e->flags |= PMTU_VALIDATED;
    if (mtu == current && !lock)
        return pmtu_again(pmtu, e, is4, now);
    if (e != NULL && pmtu_pending(pmtu, e, mtu))
        return TMTU_PMTU_PENDING;
    if (e == NULL) {
        e = pmtu_place(pmtu_set(pmtu, tag), error->validated, now);
        if (e == NULL)
            return TMTU_PMTU_FULL;
        pmtu_take(pmtu, e, tag, now);
    }
    e->mtu = mtu;
    e->link = link;
    e->expiry = pmtu_after(now, o->expiry);
    e->flags = (uint8_t)((error->validated ? PMTU_VALIDATED : 0) |
                         (lock ? PMTU_LOCKED : 0));
    e->pending = 0;
    pmtu->counters.locked += lock != 0;
    return TMTU_PMTU_LEARNT;
}

enum tmtu_pmtu_outcome tmtu_pmtu_learn(struct tmtu_pmtu *pmtu,
                                       const struct tmtu_pmtu_path *path,
                                       const struct tmtu_pmtu_error *error,
                                       uint32_t link, uint64_t now)
{
    const enum tmtu_pmtu_outcome outcome =
        pmtu_learn(pmtu, path, error, link, now);
    pmtu->counters.errors[outcome]++;
    return outcome;
}

void tmtu_pmtu_delivered(struct tmtu_pmtu *pmtu,
                         const struct tmtu_pmtu_path *path, uint32_t length)
{
    struct pmtu_entry *e = pmtu_find(pmtu, pmtu_tag(pmtu, path));
    if (e != NULL && length > e->pending)
        e->pending = 0;
}

int tmtu_pmtu_pin(struct tmtu_pmtu *pmtu, const struct tmtu_pmtu_path *path,
                  uint32_t mtu, int locked)
{
    const uint64_t tag = pmtu_tag(pmtu, path);
    if (mtu == 0)
        return TMTU_E_ARGUMENT;
    struct pmtu_entry *e = pmtu_find(pmtu, tag);
    if (e == NULL) {
        e = pmtu_least(pmtu_set(pmtu, tag), 0);
        if (e->flags & PMTU_PINNED)
            return TMTU_E_NOSPACE;
        pmtu_take(pmtu, e, tag, 0);
    }
    e->mtu = mtu;
    e->flags = PMTU_PINNED;
    if (locked)
        e->flags |= PMTU_LOCKED;
    return 0;
}

void tmtu_pmtu_forget(struct tmtu_pmtu *pmtu, const struct tmtu_pmtu_path *path)
{
    struct pmtu_entry *e = pmtu_find(pmtu, pmtu_tag(pmtu, path));
    if (e != NULL)
        *e = pmtu_nobody;
}

size_t tmtu_pmtu_sweep(struct tmtu_pmtu *pmtu, size_t n, uint64_t now)
{
    const size_t last = (pmtu->mask + 1) * PMTU_WAYS - 1;
    size_t forgotten = 0;
    for (; n > 0; n--) {
        struct pmtu_entry *e = &pmtu->entries[pmtu->hand];
        pmtu->hand = pmtu->hand == last ? 0 : pmtu->hand + 1;
        if (e->tag != 0)
            forgotten += pmtu_age(pmtu, e, e->link, now) == NULL;
    }
    return forgotten;
}

const struct tmtu_pmtu_counters *
tmtu_pmtu_counters(const struct tmtu_pmtu *pmtu)
{
    return &pmtu->counters;
}

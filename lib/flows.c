/* SPDX-License-Identifier: MIT */
/* The table of flows: sets of eight places, two for each flow. */
#include <tunmtu/flows.h>

enum { FLOWS_WAYS = 8 }; /* places of a set: its marks fill a cache line */

/* What a mark says of a place, all that ageing, evicting and most of searching
 * need: a tag (14 bits), the class (2), and when its time is over, in steps of
 * 65,536 ns (48). 0: nobody's. */
enum { FLOWS_TAG = 0x3fff, FLOWS_CLASS_AT = 14, FLOWS_STEP = 16 };

struct flows_entry {
    struct tmtu_flow flow;
    uint64_t value;
};

struct flows_set {
    uint64_t mark[FLOWS_WAYS];
    struct flows_entry entry[FLOWS_WAYS];
};

_Static_assert(sizeof(struct flows_set) == 448, "whole cache lines, no gaps");

struct tmtu_flows {
    struct tmtu_hash_key key;
    struct tmtu_flows_counters counters;
    uint64_t mask;         /* sets, less one */
    uint64_t hand;         /* the place where the sweep goes on */
    uint8_t gap[128 - 96]; /* so that sets are aligned as all of it is */
    struct flows_set sets[];
};

_Static_assert(offsetof(struct tmtu_flows, sets) == 128, "whole cache lines");
_Static_assert(TMTU_FLOWS_MAX / FLOWS_WAYS <
                   SIZE_MAX / sizeof(struct flows_set),
               "what sizeof says is no more than memory can be");

size_t tmtu_flows_sizeof(size_t entries)
{
    if (entries < 2 * FLOWS_WAYS || entries > TMTU_FLOWS_MAX ||
        (entries & (entries - 1)) != 0)
        return 0;
    return sizeof(struct tmtu_flows) +
           entries / FLOWS_WAYS * sizeof(struct flows_set);
}

struct tmtu_flows *tmtu_flows_init(void *mem, size_t entries,
                                   const struct tmtu_hash_key *key)
{
    static const struct tmtu_flows_counters none;
    if (tmtu_flows_sizeof(entries) == 0)
        return NULL;
    struct tmtu_flows *flows = mem;
    flows->key = *key;
    flows->counters = none;
    flows->counters.places = entries;
    flows->mask = entries / FLOWS_WAYS - 1;
    flows->hand = 0;
    for (size_t i = 0; i <= flows->mask; i++)
        for (unsigned k = 0; k < FLOWS_WAYS; k++)
            flows->sets[i].mark[k] = 0;
    return flows;
}

/* Where a flow may stand, and how it is marked there. */
struct flows_where {
    size_t set[2];
    uint64_t tag;
};

static struct flows_where flows_where(const struct tmtu_flows *flows,
                                      const struct tmtu_flow *flow)
{
    const uint64_t h = tmtu_hash_flow(&flows->key, flow);
    struct flows_where w;
    w.set[0] = (size_t)(h >> 40 & flows->mask); /* 24 bits, for 2^27 places */
    w.set[1] = (size_t)(h >> 16 & flows->mask);
    if (w.set[1] == w.set[0])
        w.set[1] ^= 1;
    w.tag = h & FLOWS_TAG;
    /* Both at once, rather than one after the other. */
    __builtin_prefetch(flows->sets[w.set[0]].mark);
    __builtin_prefetch(flows->sets[w.set[1]].mark);
    return w;
}

static enum tmtu_flows_class flows_class(uint64_t mark)
{
    return (enum tmtu_flows_class)(mark >> FLOWS_CLASS_AT & 3);
}

static int flows_over(uint64_t mark, uint64_t now)
{
    return mark >> FLOWS_STEP <= now >> FLOWS_STEP;
}

static uint64_t flows_mark(uint64_t tag, enum tmtu_flows_class as,
                           uint64_t lifetime, uint64_t now)
{
    const uint64_t last = UINT64_MAX >> FLOWS_STEP; /* the end of time */
    const uint64_t end =
        now > UINT64_MAX - lifetime ? UINT64_MAX : now + lifetime;
    uint64_t step = end >> FLOWS_STEP;
    if (end % (1u << FLOWS_STEP) != 0 && step != last) /* no less than said */
        step++;
    return step << FLOWS_STEP | (uint64_t)as << FLOWS_CLASS_AT | tag;
}

static int flows_place(size_t set, unsigned way)
{
    return (int)(set * FLOWS_WAYS + way);
}

static uint64_t *flows_at(struct tmtu_flows *flows, int place)
{
    const size_t i = (size_t)place;
    return &flows->sets[i / FLOWS_WAYS].mark[i % FLOWS_WAYS];
}

static struct flows_entry *flows_entry(struct tmtu_flows *flows, int place)
{
    const size_t i = (size_t)place;
    return &flows->sets[i / FLOWS_WAYS].entry[i % FLOWS_WAYS];
}

/* Frees a place. */
static void flows_free(struct tmtu_flows *flows, uint64_t *mark)
{
    flows->counters.held--;
    flows->counters.confirmed -= flows_class(*mark) == TMTU_FLOWS_CONFIRMED;
    *mark = 0;
}

/* The place where a flow stands, whether its time is over or not; or -1. */
static int flows_search(const struct tmtu_flows *flows,
                        const struct flows_where *w,
                        const struct tmtu_flow *flow)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct flows_set *s = &flows->sets[w->set[i]];
        for (unsigned k = 0; k < FLOWS_WAYS; k++)
            if ((s->mark[k] & FLOWS_TAG) == w->tag && s->mark[k] != 0 &&
                tmtu_flow_equal(&s->entry[k].flow, flow))
                return flows_place(w->set[i], k);
    }
    return -1;
}

int tmtu_flows_find(struct tmtu_flows *flows, const struct tmtu_flow *flow,
                    uint64_t now)
{
    const struct flows_where w = flows_where(flows, flow);
    const int place = flows_search(flows, &w, flow);
    if (place < 0)
        return TMTU_E_IGNORED;
    uint64_t *mark = flows_at(flows, place);
    if (!flows_over(*mark, now))
        return place;
    flows->counters.expired++;
    flows_free(flows, mark);
    return TMTU_E_IGNORED;
}

/* A free place, in the set that has more of them; or, if there is none, that of
 * the new flow whose time is over first, when it is not the confirmed who have
 * all. -1: they have. */
static int flows_room(struct tmtu_flows *flows, const struct flows_where *w,
                      uint64_t now)
{
    uint64_t least = UINT64_MAX; /* a mark, whose highest bits are the time */
    int place = -1, evict = -1;
    unsigned most = 0;
    for (unsigned i = 0; i < 2; i++) {
        unsigned unused = 0, way = 0;
        for (unsigned k = 0; k < FLOWS_WAYS; k++) {
            const uint64_t mark = flows->sets[w->set[i]].mark[k];
            if (mark == 0 || flows_over(mark, now)) {
                unused++;
                way = k;
            } else if (flows_class(mark) == TMTU_FLOWS_NEW && mark < least) {
                least = mark;
                evict = flows_place(w->set[i], k);
            }
        }
        if (unused > most) {
            most = unused;
            place = flows_place(w->set[i], way);
        }
    }
    return place >= 0 ? place : evict;
}

/* Frees a place whose time is over, or that is needed for another. */
static void flows_clear(struct tmtu_flows *flows, uint64_t *mark, uint64_t now)
{
    if (*mark == 0)
        return;
    if (flows_over(*mark, now))
        flows->counters.expired++;
    else
        flows->counters.evicted++;
    flows_free(flows, mark);
}

int tmtu_flows_put(struct tmtu_flows *flows, const struct tmtu_flow *flow,
                   uint64_t value, uint64_t lifetime, uint64_t now)
{
    const struct flows_where w = flows_where(flows, flow);
    int place = flows_search(flows, &w, flow);
    if (place >= 0 && !flows_over(*flows_at(flows, place), now)) {
        tmtu_flows_keep(flows, place, tmtu_flows_class(flows, place), lifetime,
                        now);
        *tmtu_flows_value(flows, place) = value;
        return place;
    }
    if (place < 0)
        place = flows_room(flows, &w, now);
    if (place < 0) {
        flows->counters.full++;
        return TMTU_E_NOSPACE;
    }
    uint64_t *mark = flows_at(flows, place);
    struct flows_entry *e = flows_entry(flows, place);
    flows_clear(flows, mark, now);
    *mark = flows_mark(w.tag, TMTU_FLOWS_NEW, lifetime, now);
    e->flow = *flow;
    e->value = value;
    flows->counters.held++;
    flows->counters.inserted++;
    return place;
}

uint64_t *tmtu_flows_value(struct tmtu_flows *flows, int place)
{
    return &flows_entry(flows, place)->value;
}

const struct tmtu_flow *tmtu_flows_flow(const struct tmtu_flows *flows,
                                        int place)
{
    const size_t i = (size_t)place;
    return &flows->sets[i / FLOWS_WAYS].entry[i % FLOWS_WAYS].flow;
}

enum tmtu_flows_class tmtu_flows_class(const struct tmtu_flows *flows,
                                       int place)
{
    const size_t i = (size_t)place;
    return flows_class(flows->sets[i / FLOWS_WAYS].mark[i % FLOWS_WAYS]);
}

void tmtu_flows_keep(struct tmtu_flows *flows, int place,
                     enum tmtu_flows_class as, uint64_t lifetime, uint64_t now)
{
    uint64_t *mark = flows_at(flows, place);
    flows->counters.confirmed -= flows_class(*mark) == TMTU_FLOWS_CONFIRMED;
    flows->counters.confirmed += as == TMTU_FLOWS_CONFIRMED;
    *mark = flows_mark(*mark & FLOWS_TAG, as, lifetime, now);
}

void tmtu_flows_remove(struct tmtu_flows *flows, int place)
{
    flows->counters.removed++;
    flows_free(flows, flows_at(flows, place));
}

size_t tmtu_flows_sweep(struct tmtu_flows *flows, size_t n, uint64_t now)
{
    const uint64_t last = (flows->mask + 1) * FLOWS_WAYS - 1;
    size_t forgotten = 0;
    for (; n > 0; n--) {
        uint64_t *mark = &flows->sets[flows->hand / FLOWS_WAYS]
                              .mark[flows->hand % FLOWS_WAYS];
        flows->hand = flows->hand == last ? 0 : flows->hand + 1;
        if (*mark != 0 && flows_over(*mark, now)) {
            flows_free(flows, mark);
            forgotten++;
        }
    }
    flows->counters.expired += forgotten;
    return forgotten;
}

const struct tmtu_flows_counters *
tmtu_flows_counters(const struct tmtu_flows *flows)
{
    return &flows->counters;
}

/* SPDX-License-Identifier: MIT */
/* Sets of four first fragments, each with the flow that it belongs to. */
#include <tunmtu/follow.h>

enum { FOLLOW_WAYS = 4 }; /* places that a packet may stand in */

/* Four lines of a cache; in the first one, what is looked through. */
struct follow_set {
    uint64_t tag[FOLLOW_WAYS];          /* hash of whose; 0: nobody's */
    uint64_t expiry[FOLLOW_WAYS];       /* when it is forgotten */
    struct tmtu_flow flow[FOLLOW_WAYS]; /* as its fragments travel */
    uint8_t quoted[FOLLOW_WAYS];        /* nonzero: hearsay */
    uint8_t unused[28];
};

struct tmtu_follow {
    struct tmtu_follow_options options;
    struct tmtu_hash_key key;
    struct tmtu_follow_counters counters;
    size_t mask; /* sets, less one */
    uint64_t unused[4];
    struct follow_set sets[];
};

_Static_assert(sizeof(struct follow_set) == 256, "sets are lines of a cache");

size_t tmtu_follow_sizeof(size_t entries)
{
    if (entries < FOLLOW_WAYS || entries > (size_t)1 << 24 ||
        (entries & (entries - 1)) != 0)
        return 0;
    return sizeof(struct tmtu_follow) +
           entries / FOLLOW_WAYS * sizeof(struct follow_set);
}

struct tmtu_follow *tmtu_follow_init(void *mem, size_t entries,
                                     const struct tmtu_follow_options *options,
                                     const struct tmtu_hash_key *key)
{
    static const struct tmtu_follow_counters none;
    static const struct follow_set nobody;
    if (tmtu_follow_sizeof(entries) == 0 || options->size != sizeof *options ||
        options->expiry == 0)
        return NULL;
    struct tmtu_follow *follow = mem;
    follow->options = *options;
    follow->key = *key;
    follow->counters = none;
    follow->mask = entries / FOLLOW_WAYS - 1;
    for (size_t i = 0; i <= follow->mask; i++)
        follow->sets[i] = nobody;
    return follow;
}

static uint64_t follow_tag(const struct tmtu_follow *follow,
                           const struct tmtu_fragment *fragment)
{
    uint8_t bytes[38];
    tmtu_copy(bytes, fragment->src, 16);
    tmtu_copy(bytes + 16, fragment->dst, 16);
    tmtu_put32(bytes + 32, fragment->id);
    bytes[36] = fragment->proto;
    bytes[37] = fragment->ipver;
    return tmtu_hash_bytes(&follow->key, bytes, sizeof bytes) | 1;
}

/* When what is learnt now is forgotten. */
static uint64_t follow_expiry(const struct tmtu_follow *follow, uint64_t now)
{
    const uint64_t span = follow->options.expiry;
    return now > UINT64_MAX - span ? UINT64_MAX : now + span;
}

/* Forgets what has had its time. What would stay longer than what is learnt now
 * was learnt before the clock was set back: it is older, and counts as such. */
static void follow_age(struct tmtu_follow *follow, struct follow_set *set,
                       uint64_t now)
{
    const uint64_t latest = follow_expiry(follow, now);
    for (unsigned i = 0; i < FOLLOW_WAYS; i++) {
        if (set->expiry[i] > latest)
            set->expiry[i] = latest - 1;
        if (set->tag[i] != 0 && now >= set->expiry[i]) {
            set->tag[i] = 0;
            set->expiry[i] = 0;
            follow->counters.expired++;
        }
    }
}

/* How much speaks for keeping it: nothing, a quote, a packet that came. */
static unsigned follow_worth(const struct follow_set *set, unsigned i)
{
    return set->tag[i] == 0 ? 0 : set->quoted[i] ? 1 : 2;
}

/* The place for a first fragment: its own, else that of the least worth, and
 * of those the oldest. For a quote its own, else that of its like, else one
 * that is free; FOLLOW_WAYS: none. */
static unsigned follow_place(const struct follow_set *set, uint64_t tag,
                             int quoted)
{
    unsigned least = 0, like = FOLLOW_WAYS;
    for (unsigned i = 0; i < FOLLOW_WAYS; i++) {
        const unsigned worth = follow_worth(set, i);
        const unsigned low = follow_worth(set, least);
        if (set->tag[i] == tag) /* a quote does not speak against a packet */
            return quoted && worth == 2 ? FOLLOW_WAYS : i;
        if (worth == 1)
            like = i;
        if (worth < low ||
            (worth == low && set->expiry[i] < set->expiry[least]))
            least = i;
    }
    if (!quoted)
        return least;
    if (like < FOLLOW_WAYS)
        return like;
    return follow_worth(set, least) == 0 ? least : FOLLOW_WAYS;
}

/* Errors above the fragment turn the owner round; below it, that is part of
 * what is remembered. */
static struct tmtu_flow follow_turn(const struct tmtu_flow *flow,
                                    const struct tmtu_fragment *fragment)
{
    return fragment->quoted & 1 ? tmtu_flow_reverse(flow) : *flow;
}

static enum tmtu_follow_outcome
follow_learn(struct tmtu_follow *follow, struct follow_set *set, uint64_t tag,
             const struct tmtu_owner *owner, uint64_t now)
{
    const int quoted = owner->fragment.quoted != 0;
    const unsigned i = follow_place(set, tag, quoted);
    if (i == FOLLOW_WAYS)
        return TMTU_FOLLOW_FULL;
    follow->counters.evicted += set->tag[i] != tag && set->tag[i] != 0;
    set->tag[i] = tag;
    set->expiry[i] = follow_expiry(follow, now);
    set->flow[i] = follow_turn(&owner->flow, &owner->fragment);
    set->quoted[i] = (uint8_t)quoted;
    return TMTU_FOLLOW_LEARNT;
}

static enum tmtu_follow_outcome follow_find(const struct follow_set *set,
                                            uint64_t tag,
                                            struct tmtu_owner *owner)
{
    unsigned i = 0;
    while (i < FOLLOW_WAYS && set->tag[i] != tag)
        i++;
    if (i == FOLLOW_WAYS || (set->quoted[i] && owner->fragment.quoted == 0))
        return TMTU_FOLLOW_MISSED; /* unknown, or hearsay */
    owner->flow = follow_turn(&set->flow[i], &owner->fragment);
    owner->by = owner->flow.flags & TMTU_FLOW_PORTS ? TMTU_OWNER_PORTS
                                                    : TMTU_OWNER_PROTO;
    return TMTU_FOLLOW_FOUND;
}

/* Whether there is something to learn or to find: nothing from what was cut
 * off, nothing for what is known. */
static int follow_concerns(const struct tmtu_owner *owner)
{
    if (owner->fragment.ipver == 0)
        return 0;
    if (owner->fragment.later)
        return owner->by == TMTU_OWNER_FRAGMENT;
    return owner->by == TMTU_OWNER_PORTS || owner->by == TMTU_OWNER_PROTO;
}

enum tmtu_follow_outcome tmtu_follow_owner(struct tmtu_follow *follow,
                                           struct tmtu_owner *owner,
                                           uint64_t now)
{
    enum tmtu_follow_outcome outcome = TMTU_FOLLOW_NONE;
    if (follow_concerns(owner)) {
        const uint64_t tag = follow_tag(follow, &owner->fragment);
        struct follow_set *set =
            &follow->sets[(size_t)(tag >> 32) & follow->mask];
        follow_age(follow, set, now);
        outcome = owner->fragment.later
                      ? follow_find(set, tag, owner)
                      : follow_learn(follow, set, tag, owner, now);
    }
    follow->counters.outcome[outcome]++;
    return outcome;
}

const struct tmtu_follow_counters *
tmtu_follow_counters(const struct tmtu_follow *follow)
{
    return &follow->counters;
}

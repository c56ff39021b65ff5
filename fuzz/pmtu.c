/* SPDX-License-Identifier: MIT */
/* A cache of one set beside a slow one that writes down, for each path, when
 * what was believed of it: no path is answered for another. Whatever they agree
 * on: no answer is above the link; none is below the floor, unless the link was
 * or somebody pinned it there; no error raises one, and none takes one below
 * the floor.
 *
 * Input: flags (1 byte: 1 up by plateaus, 2 not validated errors share, 4 as
 * Linux over IPv6, 8 a floor of 68, repeat in 2 bits, 64 the shortest times),
 * then events of 6 bytes: what and which path (3 + 3 bits), not validated and
 * MTU not told (1 + 1); a step of the clock (2; the highest bit: back); which
 * link (1); an MTU or length (2). */
#include <string.h>

#include <tunmtu/pmtu.h>

#include "harness.h"

enum { MOST = 512, PLACES = 4, PATHS = 8 };

/* What is believed of a path, and since when. */
struct belief {
    int path; /* -1: of none */
    int pinned, locked, sure;
    uint64_t since, lasts; /* a clock set back sets `since` back */
    uint32_t mtu, link;
    uint32_t claimed[4]; /* the same MTU, once for each time it came */
    unsigned claims;
};

struct model {
    struct tmtu_pmtu_options o;
    struct belief at[PLACES];
    uint32_t least[PATHS]; /* of all links and pins of a path so far */
};

static int is4(int path)
{
    return path % 2;
}

static void forget(struct belief *b)
{
    memset(b, 0, sizeof *b);
    b->path = -1;
}

static struct belief *model_find(struct model *m, int path)
{
    for (int i = 0; i < PLACES; i++)
        if (m->at[i].path == path)
            return &m->at[i];
    return NULL;
}

static int over(const struct belief *b, uint64_t now)
{
    return now >= b->since && now - b->since >= b->lasts;
}

/* A path with its link and the time as they are now. */
static struct belief *model_look(struct model *m, int path, uint32_t link,
                                 uint64_t now)
{
    static const uint32_t plateaus[] = {68,   296,  508,   1006,  1492, 2002,
                                        4352, 8166, 17914, 32000, 65535};
    struct belief *b = model_find(m, path);
    if (b == NULL || b->pinned)
        return b;
    if (b->locked && link != b->link && b->mtu >= link) {
        b->locked = 0;
        b->mtu = link;
        b->claims = 0;
    } else if (!b->locked && link != b->link &&
               (b->mtu > link || b->mtu == b->link)) {
        b->mtu = link;
        b->claims = 0;
    }
    b->link = link;
    if (now < b->since && b->since - now + b->lasts > m->o.expiry) {
        b->since = now;
        b->lasts = m->o.expiry;
    }
    if (!over(b, now))
        return b;
    for (size_t i = 0; m->o.up && i < sizeof plateaus / sizeof *plateaus; i++)
        if (plateaus[i] > b->mtu && plateaus[i] < link) {
            b->mtu = plateaus[i];
            b->since = now;
            b->lasts = m->o.raise;
            b->locked = 0;
            b->claims = 0;
            return b;
        }
    forget(b);
    return NULL;
}

/* Who goes first? Nobody, those whose time is over, the doubtful, the sure, the
 * sure that are locked, the pinned; in between by time. */
static int goes_before(const struct belief *a, const struct belief *b,
                       uint64_t now)
{
    int rank[2];
    const struct belief *const both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        rank[i] = 2 + both[i]->sure * (1 + both[i]->locked);
        if (over(both[i], now))
            rank[i] = 1;
        if (both[i]->pinned)
            rank[i] = 5;
        if (both[i]->path < 0)
            rank[i] = 0;
    }
    if (rank[0] != rank[1])
        return rank[0] < rank[1];
    return a->since + a->lasts < b->since + b->lasts;
}

static struct belief *model_room(struct model *m, int sure, uint64_t now)
{
    struct belief *first = &m->at[0];
    for (int i = 1; i < PLACES; i++)
        if (goes_before(&m->at[i], first, now))
            first = &m->at[i];
    if (!sure) {
        for (int i = 0; i < PLACES; i++)
            if (m->at[i].path >= 0 && !m->at[i].pinned && !m->at[i].sure)
                return &m->at[i];
        return first->path < 0 || (!first->pinned && over(first, now)) ? first
                                                                       : NULL;
    }
    if (first->path >= 0 &&
        (first->pinned || (first->locked && first->sure && !over(first, now))))
        return NULL;
    return first;
}

static enum tmtu_pmtu_outcome model_learn(struct model *m, int path,
                                          const struct tmtu_pmtu_error *error,
                                          uint32_t link, uint64_t now)
{
    struct belief *b = model_look(m, path, link, now);
    const uint32_t known = b != NULL && b->mtu < link ? b->mtu : link;
    uint32_t mtu = error->mtu;
    int lock = 0;
    if (b != NULL && (b->pinned || b->locked))
        return TMTU_PMTU_LOCKED;
    if (!error->validated && (!m->o.unvalidated || (b != NULL && b->sure)))
        return TMTU_PMTU_UNVALIDATED;
    if (!is4(path) && mtu < m->o.floor6)
        return TMTU_PMTU_BELOW;
    if (is4(path) && mtu == 0 && error->length > 0)
        mtu = tmtu_pmtu_plateau(error->length, error->header, known);
    if (is4(path) && mtu < m->o.floor4) {
        mtu = known < m->o.floor4 ? known : m->o.floor4;
        lock = 1;
    }
    if (mtu > known || (mtu == known && !lock && b == NULL))
        return TMTU_PMTU_HIGHER;
    if (b != NULL && error->validated)
        b->sure = 1;
    if (mtu == known && !lock) {
        const uint64_t left = b->since + b->lasts - now;
        b->claims = 0;
        if ((m->o.linux6 && !is4(path)) ||
            (left >= TMTU_PMTU_EXPIRY_MIN && left > m->o.expiry / 2))
            return TMTU_PMTU_KNOWN;
        b->since = now;
        b->lasts = m->o.expiry;
        return TMTU_PMTU_REFRESHED;
    }
    if (b != NULL && m->o.repeat > 1) {
        if (b->claims > 0 && b->claimed[0] != mtu)
            b->claims = 0;
        b->claimed[b->claims++] = mtu;
        if (b->claims < m->o.repeat)
            return TMTU_PMTU_PENDING;
    }
    if (b == NULL)
        b = model_room(m, error->validated, now);
    if (b == NULL)
        return TMTU_PMTU_FULL;
    memset(b, 0, sizeof *b);
    b->path = path;
    b->locked = lock;
    b->sure = error->validated;
    b->since = now;
    b->lasts = m->o.expiry;
    b->mtu = mtu;
    b->link = link;
    return TMTU_PMTU_LEARNT;
}

static int model_pin(struct model *m, int path, uint32_t mtu, int locked)
{
    struct belief *b = model_find(m, path);
    if (mtu == 0)
        return TMTU_E_ARGUMENT;
    if (b == NULL) { /* the least of those that are not pinned, time apart */
        b = &m->at[0];
        for (int i = 1; i < PLACES; i++)
            if (goes_before(&m->at[i], b, 0))
                b = &m->at[i];
        if (b->path >= 0 && b->pinned)
            return TMTU_E_NOSPACE;
        memset(b, 0, sizeof *b);
        b->path = path;
    }
    b->pinned = 1;
    b->locked = locked;
    b->mtu = mtu;
    return 0;
}

/* Even ones IPv6, odd ones IPv4; two differ by their tunnel alone, others by
 * the source (in a tunnel) or the destination (in none) alone. */
static struct tmtu_pmtu_path make_path(int i)
{
    struct tmtu_pmtu_path p;
    const uint8_t ip4[4] = {10, 0, 0, 0};
    memset(&p, 0, sizeof p);
    p.tunnel = (uint32_t)i / 2 % 2;
    if (is4(i))
        tmtu_addr_set4(p.dst, ip4);
    else
        p.dst[0] = 0xfd;
    (p.tunnel ? p.src : p.dst)[15] = (uint8_t)(i / 4);
    return p;
}

static uint32_t floor_of(const struct model *m, int path)
{
    return is4(path) ? m->o.floor4 : m->o.floor6;
}

/* The answers of both, and what must be true of any. */
static uint32_t look(struct tmtu_pmtu *c, struct model *m, int i, uint32_t link,
                     uint64_t now)
{
    const struct tmtu_pmtu_path p = make_path(i);
    struct tmtu_pmtu_answer a;
    const int known = tmtu_pmtu_lookup(c, &p, link, now, &a);
    const struct belief *b = model_look(m, i, link, now);
    must(known == (b != NULL));
    must(a.mtu <= link);
    if (link < m->least[i])
        m->least[i] = link;
    must(a.mtu >= floor_of(m, i) || a.mtu >= m->least[i]);
    if (b == NULL) {
        must(a.mtu == link && !a.locked && a.expiry == UINT64_MAX);
        return a.mtu;
    }
    must(a.mtu == (b->mtu < link ? b->mtu : link));
    must(a.locked == (b->locked != 0));
    must(a.expiry == (b->pinned ? UINT64_MAX : b->since + b->lasts));
    return a.mtu;
}

static void event(struct tmtu_pmtu *c, struct model *m, const uint8_t *data,
                  uint64_t now)
{
    static const uint32_t links[] = {1500, 1280, 9000,  500,
                                     1492, 1400, 65535, 70000};
    const int i = data[0] >> 3 & 7;
    const uint32_t link = links[data[3] & 7], mtu = tmtu_get16(data + 4);
    const struct tmtu_pmtu_path p = make_path(i);
    const int not_told = data[0] >> 7;
    const struct tmtu_pmtu_error error = {not_told ? 0 : mtu,
                                          (uint16_t)(not_told ? mtu : 0), 20,
                                          !(data[0] & 0x40)};
    uint32_t before, after, count = 0;
    struct belief *b;

    switch (data[0] & 7) {
    case 0:
    case 1:
    case 2:
    case 3:
        before = look(c, m, i, link, now);
        must(tmtu_pmtu_learn(c, &p, &error, link, now) ==
             model_learn(m, i, &error, link, now));
        after = look(c, m, i, link, now);
        must(after <= before);
        must(after == before || after >= floor_of(m, i));
        break;
    case 4:
        look(c, m, i, link, now);
        break;
    case 5: /* some of these are rare, or all would be pinned */
        if (data[3] & 0x10) {
            must(tmtu_pmtu_pin(c, &p, mtu, data[3] & 0x20) ==
                 model_pin(m, i, mtu, (data[3] & 0x20) != 0));
            if (mtu != 0 && mtu < m->least[i])
                m->least[i] = mtu;
        } else {
            tmtu_pmtu_delivered(c, &p, mtu);
            b = model_find(m, i);
            if (b != NULL && b->claims > 0 && mtu > b->claimed[0])
                b->claims = 0;
        }
        break;
    case 6:
        tmtu_pmtu_forget(c, &p);
        b = model_find(m, i);
        if (b != NULL)
            forget(b);
        break;
    default:
        for (int k = 0; k < PLACES; k++)
            if (m->at[k].path >= 0)
                count +=
                    model_look(m, m->at[k].path, m->at[k].link, now) == NULL;
        must(tmtu_pmtu_sweep(c, PLACES, now) == count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct tmtu_hash_key key = {data[0], 1};
    struct tmtu_pmtu_options o = TMTU_PMTU_INIT;
    o.up = data[0] & 1;
    o.unvalidated = data[0] >> 1 & 1;
    o.linux6 = data[0] >> 2 & 1;
    o.floor4 = data[0] & 8 ? 68 : 552;
    o.repeat = data[0] >> 4 & 3;
    if (data[0] & 64) {
        o.expiry = TMTU_PMTU_EXPIRY_MIN;
        o.raise = TMTU_PMTU_RAISE_MIN;
    }

    uint8_t *mem = malloc(tmtu_pmtu_sizeof(PLACES));
    must(mem != NULL);
    memset(mem, 0xa5, tmtu_pmtu_sizeof(PLACES));
    struct tmtu_pmtu *c = tmtu_pmtu_init(mem, PLACES, &o, &key);
    must(c != NULL);
    struct model m;
    memset(&m, 0, sizeof m);
    m.o = o;
    for (int i = 0; i < PATHS; i++)
        m.least[i] = UINT32_MAX;
    for (int i = 0; i < PLACES; i++)
        forget(&m.at[i]);

    uint64_t now = 1000000000000000u, events = 0, errors = 0;
    const uint8_t *end = data + size;
    for (data++; end - data >= 6 && events < MOST; data += 6, events++) {
        const uint64_t step = 100000000u * (tmtu_get16(data + 1) & 0x3fff);
        now = data[1] & 0x80 ? now - step : now + step;
        event(c, &m, data, now);
        errors += (data[0] & 7) < 4;
    }
    for (int i = 0; i < TMTU_PMTU_OUTCOMES; i++)
        errors -= tmtu_pmtu_counters(c)->errors[i];
    must(errors == 0);
    for (int i = 0; i < PATHS; i++)
        look(c, &m, i, 1500, now);
    free(mem);
    return 0;
}

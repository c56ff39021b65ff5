/* SPDX-License-Identifier: MIT */
/* A table of one set beside four places that are written down plainly, and
 * beside what every first fragment ever said: whatever is found is the last
 * that was said of that packet, by a packet if it is found for one.
 *
 * Input: events of 4 bytes: later, quoted, which packet (1 + 2 + 3 bits; a
 * quote in a quote is one), protocol without ports (1); a step of the clock (2;
 * the highest bit: back); a port (1). */
#include <string.h>

#include <tunmtu/follow.h>

#include "harness.h"

enum { MOST = 512, PLACES = 4, PACKETS = 8 };

/* What is remembered of a packet, and since when. */
struct memory {
    int packet; /* -1: nothing */
    int hearsay;
    uint64_t since;
    uint16_t port; /* 0: it has none */
};

static const uint64_t lasts = 30000000000u;

/* The time has come this far: what is over goes, and what is of a time to come
 * was learnt just before now. */
static uint64_t pass(struct memory *at, uint64_t now)
{
    uint64_t over = 0;
    for (int i = 0; i < PLACES; i++) {
        if (at[i].packet < 0)
            continue;
        if (at[i].since > now)
            at[i].since = now - 1;
        if (now - at[i].since < lasts)
            continue;
        at[i].packet = -1;
        over++;
    }
    return over;
}

static struct memory *find(struct memory *at, int packet)
{
    for (int i = 0; i < PLACES; i++)
        if (at[i].packet == packet)
            return &at[i];
    return NULL;
}

/* Who has to go: the oldest of these. */
static struct memory *oldest(struct memory *at, int hearsay)
{
    struct memory *out = NULL;
    for (int i = 0; i < PLACES; i++)
        if (at[i].packet >= 0 && at[i].hearsay == hearsay &&
            (out == NULL || at[i].since < out->since))
            out = &at[i];
    return out;
}

static struct memory *room(struct memory *at, int packet, int hearsay)
{
    struct memory *own = find(at, packet);
    if (own != NULL)
        return hearsay && !own->hearsay ? NULL : own;
    struct memory *rumour = oldest(at, 1);
    if (hearsay && rumour != NULL)
        return rumour;
    if (find(at, -1) != NULL)
        return find(at, -1);
    if (hearsay)
        return NULL;
    return rumour != NULL ? rumour : oldest(at, 0);
}

/* The i-th packet; they differ in one thing each. Its flow as it travels. */
static struct tmtu_owner make(int i, int later, unsigned quoted, uint16_t port)
{
    struct tmtu_owner o;
    memset(&o, 0, sizeof o);
    o.fragment.src[3] = i == 1;
    o.fragment.dst[15] = i == 2;
    o.fragment.id = i == 3 ? 0x80000000u : 1;
    o.fragment.proto = i == 4 ? 17 : 6;
    o.fragment.ipver = i == 5 ? 6 : 4;
    o.fragment.id += i == 6;
    o.fragment.src[15] = i == 7;
    o.fragment.later = (uint8_t)later;
    o.fragment.quoted = (uint8_t)quoted;
    o.quoted = (uint8_t)quoted;
    o.by = TMTU_OWNER_FRAGMENT;
    if (later)
        return o;
    o.by = port ? TMTU_OWNER_PORTS : TMTU_OWNER_PROTO;
    o.flow.src[0] = 1;
    o.flow.dst[0] = 2;
    o.flow.sport = port;
    o.flow.flags = port ? TMTU_FLOW_PORTS : 0;
    if (quoted & 1)
        o.flow = tmtu_flow_reverse(&o.flow);
    return o;
}

static void event(struct tmtu_follow *t, struct memory *at, const uint8_t *data,
                  uint64_t now, uint64_t *over)
{
    const int packet = data[0] & 7, later = data[0] >> 3 & 1;
    const unsigned quoted = data[0] >> 4 & 3;
    const int hearsay = quoted != 0;
    const uint16_t port = data[0] >> 6 & 1 ? 0 : data[3] + 1u;
    struct tmtu_owner o = make(packet, later, quoted, port);
    const struct tmtu_owner was = o;
    const uint64_t evicted = tmtu_follow_counters(t)->evicted;
    const enum tmtu_follow_outcome outcome = tmtu_follow_owner(t, &o, now);

    *over += pass(at, now);
    struct memory *m = later ? find(at, packet) : room(at, packet, hearsay);
    must(tmtu_follow_counters(t)->expired == *over);
    if (later) {
        const int known = m != NULL && (!m->hearsay || hearsay);
        must(outcome == (known ? TMTU_FOLLOW_FOUND : TMTU_FOLLOW_MISSED));
        if (known) {
            const struct tmtu_owner first = make(packet, 0, quoted, m->port);
            must(memcmp(&o.flow, &first.flow, sizeof o.flow) == 0);
            must(o.by == first.by);
        } else {
            must(memcmp(&o, &was, sizeof o) == 0);
        }
        must(tmtu_follow_counters(t)->evicted == evicted);
        return;
    }
    must(memcmp(&o, &was, sizeof o) == 0);
    must(outcome == (m ? TMTU_FOLLOW_LEARNT : TMTU_FOLLOW_FULL));
    const int pushed = m != NULL && m->packet >= 0 && m->packet != packet;
    must(tmtu_follow_counters(t)->evicted == evicted + (uint64_t)pushed);
    if (m != NULL)
        *m = (struct memory){packet, hearsay, now, port};
    int rumours = 0;
    for (int i = 0; i < PLACES; i++)
        rumours += at[i].packet >= 0 && at[i].hearsay;
    must(rumours <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tmtu_hash_key key = {size, 1};
    const struct tmtu_follow_options o = TMTU_FOLLOW_INIT;
    uint8_t *mem = malloc(tmtu_follow_sizeof(PLACES));
    must(mem != NULL);
    memset(mem, 0xa5, tmtu_follow_sizeof(PLACES));
    struct tmtu_follow *t = tmtu_follow_init(mem, PLACES, &o, &key);
    must(t != NULL);

    struct memory at[PLACES];
    memset(at, 0, sizeof at);
    for (int i = 0; i < PLACES; i++)
        at[i].packet = -1;
    uint64_t now = 1000000000000000u, events = 0, over = 0;
    for (; size >= 4 && events < MOST; data += 4, size -= 4, events++) {
        const uint64_t step = 1000000u * (tmtu_get16(data + 1) & 0x7fffu);
        now = data[1] & 0x80 ? now - step : now + step;
        event(t, at, data, now, &over);
    }
    for (int i = 0; i < TMTU_FOLLOW_OUTCOMES; i++)
        events -= tmtu_follow_counters(t)->outcome[i];
    must(events == 0);
    free(mem);
    return 0;
}

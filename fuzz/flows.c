/* SPDX-License-Identifier: MIT */
/* A table of 16 places beside a list: each flow has one line in it, with its
 * value, its class and when its time is over. Whatever happens, the table finds
 * exactly the flows of the list; a flow goes only when it is removed, when its
 * time is over, or, as a new one that would go first anyway, for a newer one
 * that has no other place.
 *
 * Input: key (1 byte), then events of 5 bytes: what (3 bits) and which flow
 * (5 bits); a step of the clock (2, in units that grow with the highest 2
 * bits); a lifetime or a number of places (1); a value (1). */
#include <string.h>

#include <tunmtu/flows.h>

#include "harness.h"

enum { MOST = 1024, PLACES = 16, FLOWS = 32 };

struct line {
    int there, confirmed;
    uint64_t value, end;
};

struct model {
    struct line line[FLOWS];
    struct tmtu_flows_counters n;
};

/* The table's clock goes in steps, and never short of what was said. */
static uint64_t end_of(uint64_t now, uint64_t lifetime)
{
    uint64_t end = now + lifetime < now ? UINT64_MAX : now + lifetime;
    while (end % 65536 != 0 && end != UINT64_MAX)
        end +=
            end > UINT64_MAX - 65535 ? UINT64_MAX - end : 65536 - end % 65536;
    return end;
}

static int over(const struct line *l, uint64_t now)
{
    return now >= l->end;
}

static void forget(struct model *m, struct line *l)
{
    m->n.held--;
    m->n.confirmed -= (uint64_t)l->confirmed;
    memset(l, 0, sizeof *l);
}

/* No two differ in more than one field from some other. */
static struct tmtu_flow make_flow(int i)
{
    static const uint8_t ip4[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
    struct tmtu_flow f;
    memset(&f, 0, sizeof f);
    tmtu_addr_set4(f.src, ip4[i & 1]);
    tmtu_addr_set4(f.dst, ip4[i >> 1 & 1]);
    f.ipver = i & 4 ? 6 : 4;
    f.proto = i & 8 ? 17 : 6;
    f.sport = i & 16 ? 1000 : 1001;
    f.dport = 443;
    f.flags = TMTU_FLOW_PORTS;
    if ((i & 28) == 28) /* these as if they had no ports */
        f.sport = 1001, f.flags = 0;
    return f;
}

static int find(struct tmtu_flows *t, struct model *m, int i, uint64_t now)
{
    const struct tmtu_flow flow = make_flow(i);
    struct line *l = &m->line[i];
    const int place = tmtu_flows_find(t, &flow, now);
    if (l->there && over(l, now)) {
        m->n.expired++;
        forget(m, l);
    }
    must(place == TMTU_E_IGNORED || (place >= 0 && place < PLACES));
    must((place >= 0) == l->there);
    if (place < 0)
        return place;
    must(tmtu_flow_equal(tmtu_flows_flow(t, place), &flow));
    must(*tmtu_flows_value(t, place) == l->value);
    must(tmtu_flows_class(t, place) ==
         (l->confirmed ? TMTU_FLOWS_CONFIRMED : TMTU_FLOWS_NEW));
    return place;
}

/* Who had to go so that flow `in` has a place: not a confirmed one before its
 * time, and no new one if others' time is over sooner. */
static void somebody_went(struct tmtu_flows *t, struct model *m, int in,
                          uint64_t now)
{
    struct line *gone = NULL;
    int overdue = 0, there = 0;
    for (int i = 0; i < FLOWS; i++) {
        const struct tmtu_flow flow = make_flow(i);
        if (i == in || !m->line[i].there)
            continue;
        there++;
        overdue += over(&m->line[i], now);
        /* asked at time 0, to see those that are overdue, too */
        if (tmtu_flows_find(t, &flow, 0) < 0) {
            must(gone == NULL);
            gone = &m->line[i];
        }
    }
    if (gone == NULL) {
        must(there < PLACES);
        return;
    }
    if (over(gone, now)) {
        m->n.expired++;
    } else {
        must(there == PLACES && overdue == 0 && !gone->confirmed);
        for (int i = 0; i < FLOWS; i++)
            must(i == in || !m->line[i].there || m->line[i].confirmed ||
                 m->line[i].end >= gone->end);
        m->n.evicted++;
    }
    forget(m, gone);
}

static void put(struct tmtu_flows *t, struct model *m, int i, uint64_t value,
                uint64_t lifetime, uint64_t now)
{
    const struct tmtu_flow flow = make_flow(i);
    struct line *l = &m->line[i];
    const int place = tmtu_flows_put(t, &flow, value, lifetime, now);
    if (place < 0) {
        int confirmed = 0;
        must(place == TMTU_E_NOSPACE && !(l->there && !over(l, now)));
        for (int k = 0; k < FLOWS; k++)
            confirmed += m->line[k].there && !over(&m->line[k], now) &&
                         m->line[k].confirmed;
        must(confirmed == PLACES);
        m->n.full++;
        return;
    }
    if (l->there && over(l, now)) {
        m->n.expired++;
        forget(m, l);
    }
    if (!l->there) {
        somebody_went(t, m, i, now);
        m->n.inserted++;
        m->n.held++;
        l->there = 1;
    }
    l->value = value;
    l->end = end_of(now, lifetime);
    must(tmtu_flow_equal(tmtu_flows_flow(t, place), &flow));
}

static void event(struct tmtu_flows *t, struct model *m, const uint8_t *data,
                  uint64_t now)
{
    const int i = data[0] & 31;
    const uint64_t lifetime =
        data[3] == 255 ? UINT64_MAX : (uint64_t)(data[3] & 63) * 10000000000u;
    struct line *l = &m->line[i];
    uint64_t before;
    int place;

    switch (data[0] >> 5) {
    case 0:
    case 1:
    case 2:
        put(t, m, i, data[4] * 0x0102040810204081u, lifetime, now);
        break;
    case 3:
    case 4:
        place = find(t, m, i, now);
        if (place < 0)
            break;
        l->confirmed = data[3] >> 6 != 0;
        m->n.confirmed += (uint64_t)l->confirmed -
                          (tmtu_flows_class(t, place) == TMTU_FLOWS_CONFIRMED);
        tmtu_flows_keep(t, place,
                        l->confirmed ? TMTU_FLOWS_CONFIRMED : TMTU_FLOWS_NEW,
                        lifetime, now);
        l->end = end_of(now, lifetime);
        break;
    case 5:
        place = find(t, m, i, now);
        if (place < 0)
            break;
        l->value = *tmtu_flows_value(t, place) = data[4];
        break;
    case 6:
        place = find(t, m, i, now);
        if (place < 0)
            break;
        tmtu_flows_remove(t, place);
        m->n.removed++;
        forget(m, l);
        break;
    default:
        before = m->n.expired;
        for (int k = 0; k < FLOWS; k++)
            if (m->line[k].there && over(&m->line[k], now)) {
                m->n.expired++;
                forget(m, &m->line[k]);
            }
        place = (int)tmtu_flows_sweep(t, data[3] % PLACES, now);
        place += (int)tmtu_flows_sweep(t, PLACES - data[3] % PLACES, now);
        must((uint64_t)place == m->n.expired - before);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct tmtu_hash_key key = {data[0], 1};
    uint8_t *mem = malloc(tmtu_flows_sizeof(PLACES));
    must(mem != NULL);
    memset(mem, 0xa5, tmtu_flows_sizeof(PLACES));
    struct tmtu_flows *t = tmtu_flows_init(mem, PLACES, &key);
    must(t != NULL);
    struct model m;
    memset(&m, 0, sizeof m);

    uint64_t now = 1000000000000000u;
    const uint8_t *end = data + size;
    int events = 0;
    for (data++; end - data >= 5 && events < MOST; data += 5, events++) {
        static const uint64_t units[] = {1, 1000, 1000000, 1000000000};
        now += units[data[1] >> 6] * (tmtu_get16(data + 1) & 0x3fff);
        event(t, &m, data, now);
        const struct tmtu_flows_counters *n = tmtu_flows_counters(t);
        must(n->inserted == m.n.inserted && n->full == m.n.full &&
             n->evicted == m.n.evicted && n->expired == m.n.expired &&
             n->removed == m.n.removed && n->held == m.n.held &&
             n->confirmed == m.n.confirmed);
    }
    for (int i = 0; i < FLOWS; i++)
        (void)find(t, &m, i, now);
    free(mem);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A limiter beside a slow one that keeps all it ever sent and looks whether one
 * more would put over burst + rate * time into any window.
 *
 * Input: flags (1 byte: 1 limits "too big", 2 a limit for all, 4 one for a
 * receiver, 8 no duplicates), then 2 bytes each: interval and burst (4 bits)
 * of the two limits, the time of duplicates. Then messages of 4 bytes: receiver
 * (4 bits) and flow (2) and kind (2), and a step of the clock: how (2 bits),
 * how far (6 + 16). */
#include <string.h>

#include <tunmtu/limit.h>

#include "harness.h"

enum { MOST = 512, PLACES = 4 };

/* A bucket's whole story. Its time goes on when the clock does; steps that fill
 * any bucket are all the same, so that it never runs over. */
struct story {
    uint64_t time, clock, sent[MOST];
    size_t count;
};

static void story_look(struct story *s, const struct tmtu_limit_rate *rate,
                       uint64_t now)
{
    const uint64_t full = rate->interval * rate->burst;
    if (now > s->clock)
        s->time += now - s->clock < full ? now - s->clock : full;
    else if (s->clock - now <= full)
        return; /* it will be there again soon */
    s->clock = now;
}

/* Whether one more keeps to the rate in each window that ends now. */
static int story_allows(const struct story *s,
                        const struct tmtu_limit_rate *rate)
{
    for (size_t i = s->count, n = 2; i-- > 0; n++)
        if (n > rate->burst &&
            (n - rate->burst) * rate->interval > s->time - s->sent[i])
            return 0;
    return 1;
}

/* Who is remembered: as many as there are places, the one whose clock is
 * furthest away goes. */
struct place {
    uint32_t who; /* 0: nobody */
    struct story story;
};

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static struct place *find(struct place *p, uint32_t who)
{
    for (size_t i = 0; i < PLACES; i++)
        if (p[i].who == who)
            return &p[i];
    return NULL;
}

static struct place *find_room(struct place *p, uint64_t now)
{
    struct place *out = &p[0];
    for (size_t i = 0; i < PLACES; i++) {
        if (p[i].who == 0)
            return &p[i];
        if (apart(p[i].story.clock, now) > apart(out->story.clock, now))
            out = &p[i];
    }
    return out;
}

struct model {
    struct story all;
    struct place host[PLACES], flow[PLACES];
};

static enum tmtu_reason model_take(struct model *m,
                                   const struct tmtu_limit_options *o,
                                   const uint32_t who[2], int too_big,
                                   uint64_t now)
{
    struct place *host = find(m->host, who[0]), *flow = find(m->flow, who[1]);
    if (too_big && !o->too_big)
        return TMTU_OK;
    if (flow && apart(flow->story.clock, now) < o->duplicate)
        return TMTU_R_DUPLICATE;
    if (o->all.interval != 0) {
        story_look(&m->all, &o->all, now);
        if (!story_allows(&m->all, &o->all))
            return TMTU_R_LIMIT_ALL;
    }
    if (o->host.interval != 0) {
        if (host == NULL) {
            host = find_room(m->host, now);
            memset(host, 0, sizeof *host);
            host->who = who[0];
            host->story.clock = now;
        }
        story_look(&host->story, &o->host, now);
        if (!story_allows(&host->story, &o->host))
            return TMTU_R_LIMIT_HOST;
        host->story.sent[host->story.count++] = host->story.time;
    }
    if (o->duplicate != 0) {
        flow = flow ? flow : find_room(m->flow, now);
        flow->who = who[1];
        flow->story.clock = now;
    }
    m->all.sent[m->all.count++] = m->all.time;
    return TMTU_OK;
}

/* A little, somewhat, a lot, or back. */
static uint64_t step(uint64_t now, const uint8_t *p)
{
    const uint64_t far = tmtu_get16(p + 1);
    switch (p[0] & 3) {
    case 0:
        return now + far;
    case 1:
        return now + (far << (p[0] >> 2 & 31));
    case 2:
        return now - far;
    default:
        return now - (far << (p[0] >> 2)); /* round the end of time, too */
    }
}

static struct tmtu_limit_rate rate(unsigned given, int on)
{
    const struct tmtu_limit_rate r = {on ? (given >> 4) + 1 : 0,
                                      (given & 15) + 1};
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 7)
        return 0;
    const struct tmtu_hash_key key = {data[0], 1};
    struct tmtu_limit_options o = TMTU_LIMIT_LINUX;
    o.too_big = data[0] & 1;
    o.all = rate(tmtu_get16(data + 1), data[0] & 2);
    o.host = rate(tmtu_get16(data + 3), data[0] & 4);
    o.duplicate = data[0] & 8 ? tmtu_get16(data + 5) : 0;

    uint8_t *mem = malloc(tmtu_limit_sizeof(PLACES));
    struct model *model = calloc(1, sizeof *model);
    must(mem != NULL && model != NULL);
    memset(mem, 0xa5, tmtu_limit_sizeof(PLACES));
    struct tmtu_limit *limit = tmtu_limit_init(mem, PLACES, &o, &key);
    must(limit != NULL);

    uint64_t now = 1u << 20;
    const uint8_t *end = data + size;
    data += 7;
    for (size_t i = 0; end - data >= 4 && i < MOST; i++, data += 4) {
        static const uint8_t kinds[] = {TMTU_ICMP_UNREACH, TMTU_ICMP_TOO_BIG,
                                        TMTU_ICMP_EXPIRED, TMTU_ICMP_PARAM};
        struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
        struct tmtu_pkt pkt;
        memset(&pkt, 0, sizeof pkt);
        pkt.flow.ipver = 4;
        pkt.flow.src[15] = data[0] >> 4;
        pkt.flow.sport = data[0] >> 2 & 3;
        error.kind = kinds[data[0] & 3];
        const uint32_t who[2] = {1u + (data[0] >> 4), 1u + data[0]};
        now = step(now, data + 1);
        must(tmtu_limit_take(limit, &pkt, &error, now) ==
             model_take(model, &o, who, error.kind == TMTU_ICMP_TOO_BIG, now));
    }
    free(mem);
    free(model);
    return 0;
}

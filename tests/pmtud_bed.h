/* SPDX-License-Identifier: MIT */
/* A path MTU daemon to be tested: errors in, copies out, and after each packet
 * the check that it was accounted for exactly once. */
#ifndef TMTU_TEST_PMTUD_BED_H
#define TMTU_TEST_PMTUD_BED_H

#include "pmtud.h"
#include "lb_bed.h"

enum { PM_OUT = 16, PM_MAX = 2048 };

/* An error that a router sends about a server's packet; what is 0 or NULL is
 * as PM_ERROR4 or PM_ERROR6 have it. */
struct pm_error {
    const char *router, *vip, *client;
    uint8_t type, code, proto;
    uint16_t sport, dport;
    uint32_t mtu;
    size_t len;   /* of the packet that is quoted */
    size_t quote; /* how much of it is there */
};

struct pm {
    struct pmtud_config config;
    struct services services;
    struct pmtud d;
    uint64_t now;
    struct pmtud_in in; /* how the next packet comes */
    struct {
        uint8_t *p;
        size_t n;
        bool frame;
    } out[PM_OUT]; /* what the last packet led to */
    size_t n;
    uint8_t sent[PM_MAX]; /* the last packet */
    size_t sent_n;
};

#define PM_ERROR4                                                              \
    {                                                                          \
        "203.0.113.254", "10.0.0.2", "198.51.100.7", 3, 4, 6, 443, 40000,      \
            1400, 1500, 28                                                     \
    }
#define PM_ERROR6                                                              \
    {                                                                          \
        "2001:db8:ffff::1", "2001:db8::2", "2001:db8:1::7", 2, 0, 6, 443,      \
            40000, 1400, 1500, 1232                                            \
    }

/* Writes it to `p` (PM_MAX bytes); returns its length. */
static inline size_t pm_error(uint8_t *p, const struct pm_error *e)
{
    static uint8_t packet[65536];
    const bool v6 = strchr(e->vip, ':') != NULL;
    const struct pk_ip quoted = {
        .src = e->vip, .dst = e->client, .proto = e->proto, .df = 1, .ttl = 61};
    const struct pk_ip outer = {.src = e->router,
                                .dst = e->vip,
                                .proto = v6 ? 58 : 1,
                                .id = 7,
                                .ttl = 59};
    pk_flow(packet, &quoted, e->sport, e->dport, e->len);
    return pk_icmp(p, &outer, e->type, e->code, e->mtu, packet, e->quote);
}

static inline void pm_forget(struct pm *b)
{
    while (b->n > 0)
        free(b->out[--b->n].p);
}

static const uint8_t pm_host[6] = {2, 0, 0, 0, 0, 0x11};   /* the daemon's */
static const uint8_t pm_router[6] = {2, 0, 0, 0, 0, 0xfe}; /* the next hop's */

/* As the program's defaults are, on a host of 10.0.0.3 and 2001:db8::a. */
static inline void pm_begin(struct pm *b, enum pmtud_mode mode)
{
    const struct services_config local = bed_config(0);
    memset(b, 0, sizeof *b);
    b->config.mode = (uint8_t)mode;
    b->config.src_rate = 1.1;
    b->config.iface_rate = 10;
    b->config.duplicate = 1000000000;
    b->config.first_id = 1;
    b->config.table.k0 = 5;
    memset(b->config.mac, 0x22, 6);
    memcpy(b->config.local, local.local, sizeof b->config.local);
    b->in.flags = PMTUD_LINK;
    memcpy(b->in.to, pm_host, 6);
    memcpy(b->in.from, pm_router, 6);
    b->now = 1000000000;
}

static inline void pm_peer(struct pm *b, const char *text)
{
    uint8_t addr[16];
    assert_true(args_addr(text, addr));
    assert_true(args_addrs_add(&b->config.peers, addr));
}

static inline void pm_rules(struct pm *b, const char *text)
{
    struct services_config config = bed_config(0);
    struct rules rules;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    FILE *say = tmpfile();
    assert_non_null(in);
    assert_non_null(say);
    config.among = true;
    assert_int_equal(rules_read(&rules, in, "r", say), 0);
    assert_int_equal(services_build(&b->services, &rules, &config, "r", say),
                     0);
    rules_free(&rules);
    fclose(in);
    fclose(say);
    b->config.services = &b->services;
}

static inline void pm_open(struct pm *b)
{
    const uint8_t *why;
    assert_true(pmtud_init(&b->d, &b->config, &why));
    assert_null(why);
}

static inline void pm_close(struct pm *b)
{
    pm_forget(b);
    pmtud_free(&b->d);
    services_free(&b->services);
    free(b->config.peers.addr);
    free(b->config.vips.addr);
}

/* The daemon takes the bytes in b->sent, from a heap block of just their size,
 * which it does not change; then all copies are kept. */
static inline enum pmtud_fate pm_take(struct pm *b, size_t n)
{
    struct pmtud_in in = b->in;
    struct pmtud_out out;
    uint8_t *exact = test_exact(b->sent, n);
    uint64_t sum = 0;
    const struct pmtud_counters *c = &b->d.counters;
    const uint64_t before = c->out;

    pm_forget(b);
    b->sent_n = n;
    in.p = exact;
    in.n = n;
    const enum pmtud_fate fate = pmtud_take(&b->d, &in, b->now);
    while (pmtud_give(&b->d, &out)) {
        assert_true(b->n < PM_OUT);
        b->out[b->n].p = test_exact(out.p, out.n);
        b->out[b->n].n = out.n;
        b->out[b->n++].frame = out.frame;
    }
    assert_int_equal(pmtud_give(&b->d, &out), 0); /* and no more */
    assert_memory_equal(exact, b->sent, n);
    free(exact);
    assert_int_equal(fate, b->d.note.fate);
    assert_int_equal(c->out, before + b->n);
    assert_true(fate == PMTUD_SENT ? b->n > 0 : b->n == 0);
    for (size_t i = 0; i < PMTUD_FATES; i++)
        sum += c->fate[i];
    assert_int_equal(sum, c->in); /* each packet exactly once */
    sum = 0;
    for (size_t i = 0; i < TMTU_REASONS; i++)
        sum += c->drop[i];
    assert_int_equal(sum, c->fate[PMTUD_DROPPED]);
    sum = 0;
    for (size_t i = 0; i < PMTUD_DOUBTS; i++)
        sum += c->doubt[i];
    assert_int_equal(sum, c->fate[PMTUD_DOUBTED]);
    return fate;
}

static inline enum pmtud_fate pm_take_error(struct pm *b,
                                            const struct pm_error *e)
{
    return pm_take(b, pm_error(b->sent, e));
}

/* What became of the last packet, as the program says it. */
static inline const char *pm_said(const struct pm *b)
{
    static char text[64];
    const struct pmtud_note *n = &b->d.note;
    if (n->fate == PMTUD_DROPPED)
        snprintf(text, sizeof text, "drop.%s", tmtu_reason_name(n->reason));
    else if (n->fate == PMTUD_DOUBTED)
        snprintf(text, sizeof text, "doubted.%s",
                 tmtu_trust_name(1u << n->doubt));
    else
        snprintf(text, sizeof text, "%s", pmtud_fate_name(n->fate));
    return text;
}

#endif

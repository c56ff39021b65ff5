/* SPDX-License-Identifier: MIT */
/* A balancer to be tested: rules in, packets in, packets out, and after each
 * packet the check that it was accounted for exactly once. */
#ifndef TMTU_TEST_LB_BED_H
#define TMTU_TEST_LB_BED_H

#include "lb.h"
#include "lb_packet.h"

#include "args.h"

enum { BED_OUT = 256 };

struct bed {
    struct services_config config;
    struct services services;
    struct lb lb;
    uint64_t now;
    uint16_t gso_size; /* of the packets that it takes */
    struct {
        uint8_t *p;
        size_t n;
        uint8_t via[16];
    } out[BED_OUT]; /* what the last packet led to */
    size_t n;
};

#define BED_RULES                                                              \
    "-A -t 10.0.0.2:443 -s mh -b mh-port\n"                                    \
    "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n"                                      \
    "-a -t 10.0.0.2:443 -r 10.0.0.7 -i\n"                                      \
    "-a -t 10.0.0.2:443 -r 10.0.0.8 -i\n"                                      \
    "-A -t 10.0.0.2:80 -s mh -b mh-port\n"                                     \
    "-a -t 10.0.0.2:80 -r 10.0.0.6 -i\n"                                       \
    "-A -u 10.0.0.2:53 -s sh\n"                                                \
    "-a -u 10.0.0.2:53 -r 10.0.0.6 -i\n"                                       \
    "-a -u 10.0.0.2:53 -r 10.0.0.7 -i\n"                                       \
    "-a -u 10.0.0.2:53 -r 10.0.0.8 -i\n"                                       \
    "-A -t [2001:db8::2]:443 -s mh -b mh-port\n"                               \
    "-a -t [2001:db8::2]:443 -r [2001:db8::6] -i\n"                            \
    "-a -t [2001:db8::2]:443 -r [2001:db8::7] -i\n"                            \
    "-A -t [2001:db8::3]:443 -s mh -b mh-port\n"                               \
    "-a -t [2001:db8::3]:443 -r 10.0.0.6 -i\n"                                 \
    "-A -t 10.0.0.4:443 -s mh -b mh-port\n"                                    \
    "-a -t 10.0.0.4:443 -r [2001:db8::6] -i\n"                                 \
    "-A -t 10.0.0.5:443 -s mh\n"                                               \
    "-a -t 10.0.0.5:443 -r 10.0.0.6 -i -w 0\n"                                 \
    "-A -t 10.0.0.9:0 -s mh -p 300\n"                                          \
    "-a -t 10.0.0.9:0 -r 10.0.0.6 -i\n"                                        \
    "-a -t 10.0.0.9:0 -r 10.0.0.7 -i\n"

/* Both local addresses, MTU 1500, this policy for both families. */
static inline struct services_config bed_config(uint8_t policy)
{
    struct services_config c = {.mtu = 1500, .first_id = 1};
    assert_true(args_addr("10.0.0.3", c.local[0]));
    assert_true(args_addr("2001:db8::a", c.local[1]));
    c.has_local[0] = c.has_local[1] = true;
    c.policy[0] = c.policy[1] = policy;
    return c;
}

static inline void bed_open_with(struct bed *b, const char *text,
                                 struct services_config config)
{
    struct rules rules;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    FILE *say = tmpfile();
    assert_non_null(in);
    assert_non_null(say);
    memset(b, 0, sizeof *b);
    b->config = config;
    assert_int_equal(rules_read(&rules, in, "r", say), 0);
    assert_int_equal(services_build(&b->services, &rules, &b->config, "r", say),
                     0);
    rules_free(&rules);
    fclose(in);
    fclose(say);
    assert_true(lb_init(&b->lb, &b->services, &b->config));
}

static inline void bed_open(struct bed *b, uint8_t policy)
{
    bed_open_with(b, BED_RULES, bed_config(policy));
}

static inline void bed_forget(struct bed *b)
{
    while (b->n > 0)
        free(b->out[--b->n].p);
}

static inline void bed_close(struct bed *b)
{
    bed_forget(b);
    lb_free(&b->lb);
    services_free(&b->services);
}

static inline void bed_keep(struct bed *b, const struct tmtu_buf *buf)
{
    assert_true(b->n < BED_OUT);
    b->out[b->n].n = tmtu_buf_len(buf);
    b->out[b->n].p = test_exact(buf->data, b->out[b->n].n);
    memset(b->out[b->n].via, 0, 16);
    if (b->lb.via != NULL)
        memcpy(b->out[b->n].via, b->lb.via, 16);
    b->n++;
}

/* The balancer takes one packet, in a heap block of just its size; then all it
 * sends is kept. */
static inline enum lb_fate bed_take(struct bed *b, const uint8_t *p, size_t n,
                                    uint32_t flags)
{
    struct tmtu_io_packet in = {.buf = test_buf(p, n, TMTU_IO_HEADROOM, 0),
                                .flags = flags,
                                .gso_size = b->gso_size};
    uint8_t *head = in.buf.head;
    uint8_t *room = test_exact(NULL, TMTU_IO_PACKET);
    struct tmtu_buf out;
    uint64_t sum = 0;

    bed_forget(b);
    lb_take(&b->lb, &in, b->now);
    for (;;) {
        out = tmtu_buf(room, TMTU_IO_PACKET, TMTU_IO_HEADROOM);
        if (!lb_give(&b->lb, &out))
            break;
        bed_keep(b, &out);
    }
    assert_int_equal(lb_give(&b->lb, &out), 0); /* and no more */
    free(head);
    free(room);

    const struct lb_counters *c = &b->lb.counters;
    for (size_t i = 0; i < LB_FATES; i++)
        sum += c->fate[i];
    assert_int_equal(sum, c->in); /* each packet exactly once */
    sum = 0;
    for (size_t i = 0; i < TMTU_REASONS; i++)
        sum += c->drop[i];
    assert_int_equal(sum, c->fate[LB_DROPPED]);
    return (enum lb_fate)b->lb.note.fate;
}

/* A packet of a flow from a client to a service, of `len` bytes in all. */
static inline enum lb_fate bed_flow(struct bed *b, struct pk_ip ip,
                                    uint16_t sport, uint16_t dport, size_t len)
{
    static uint8_t p[65536];
    return bed_take(b, p, pk_flow(p, &ip, sport, dport, len), 0);
}

/* Whether the only thing that happened was this drop. */
static inline void bed_dropped(const struct bed *b, enum tmtu_reason reason)
{
    assert_int_equal(b->lb.note.fate, LB_DROPPED);
    assert_string_equal(tmtu_reason_name(b->lb.note.reason),
                        tmtu_reason_name((int)reason));
    assert_int_equal(b->n, 0);
}

/* The address an outer packet goes to, as text. */
static inline const char *bed_dst(const struct bed *b, size_t i)
{
    static char text[ARGS_ADDR];
    const uint8_t *p = b->out[i].p;
    const int v6 = p[0] >> 4 == 6;
    assert_non_null(inet_ntop(v6 ? AF_INET6 : AF_INET, p + (v6 ? 24 : 16), text,
                              sizeof text));
    return text;
}

#endif

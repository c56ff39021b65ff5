/* SPDX-License-Identifier: MIT */
/* A real server's tunnel end to be tested, and after each packet the check that
 * it was accounted for exactly once. */
#ifndef TMTU_TEST_RS_BED_H
#define TMTU_TEST_RS_BED_H

#include "lb_packet.h"
#include "rs.h"

struct bed {
    struct rs_config config;
    struct rs rs;
    uint64_t now;
    uint8_t *out; /* what the last packet became; NULL: nothing */
    size_t n;
};

static inline void add(struct args_addrs *list, const char *text)
{
    uint8_t addr[16];
    assert_true(args_addr(text, addr));
    assert_true(args_addrs_add(list, addr));
}

static inline void bed_open(struct bed *b, enum rs_clamp clamp)
{
    memset(b, 0, sizeof *b);
    add(&b->config.vips, "10.0.0.2");
    add(&b->config.vips, "2001:db8::2");
    b->config.mtu = 1500;
    b->config.clamp = clamp;
    assert_true(rs_init(&b->rs, &b->config));
}

static inline void bed_close(struct bed *b)
{
    free(b->out);
    rs_free(&b->rs);
    free(b->config.vips.addr);
    free(b->config.locals.addr);
    free(b->config.peers.addr);
}

/* One packet in; keeps what comes of it, and checks that it was counted
 * exactly once. */
static inline bool bed_take(struct bed *b, bool inward, const uint8_t *p,
                            size_t n, uint32_t flags)
{
    const struct tmtu_io_packet in = {
        .buf = test_buf(p, n, TMTU_IO_HEADROOM, 0), .flags = flags};
    uint8_t *room = test_exact(NULL, TMTU_IO_PACKET);
    struct tmtu_buf out = tmtu_buf(room, TMTU_IO_PACKET, TMTU_IO_HEADROOM);
    const bool some =
        inward ? rs_in(&b->rs, &in, b->now, &out) : rs_out(&b->rs, &in, &out);
    const struct rs_counters *c = &b->rs.counters;
    uint64_t ins = 0, outs = 0, in_drops = 0, out_drops = 0;
    free(b->out);
    b->n = some ? tmtu_buf_len(&out) : 0;
    b->out = some ? test_exact(out.data, b->n) : NULL;
    free(in.buf.head);
    free(room);

    for (size_t i = 0; i < RS_INS; i++)
        ins += c->in_fate[i];
    for (size_t i = 0; i < RS_OUTS; i++)
        outs += c->out_fate[i];
    for (size_t i = 0; i < TMTU_REASONS; i++) {
        in_drops += c->in_drop[i];
        out_drops += c->out_drop[i];
    }
    assert_int_equal(ins, c->in);
    assert_int_equal(outs, c->out);
    assert_int_equal(in_drops, c->in_fate[RS_IN_DROPPED]);
    assert_int_equal(out_drops, c->out_fate[RS_OUT_DROPPED]);
    return some;
}

#endif

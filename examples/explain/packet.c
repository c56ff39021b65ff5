/* SPDX-License-Identifier: MIT */
/* What becomes of a packet: asked of the library, with a packet of that size.
 */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include <tunmtu/bytes.h>
#include <tunmtu/cksum.h>
#include <tunmtu/frag.h>

/* A protocol that nobody looks into (RFC 3692). */
enum { OPAQUE = 253 };

/* A packet of `size` bytes; the memory is the caller's. */
static uint8_t *made(unsigned ipver, bool df, uint32_t size,
                     struct tmtu_pkt *pkt)
{
    uint8_t *p = calloc(1, size);
    if (p == NULL)
        return NULL;
    if (ipver == 4) {
        const uint8_t ends[8] = {192, 0, 2, 1, 198, 51, 100, 1};
        tmtu_put32(p, 0x45000000u | size);
        tmtu_put16(p + 6, df ? 0x4000 : 0);
        tmtu_put16(p + 8, 64 << 8 | OPAQUE);
        memcpy(p + 12, ends, sizeof ends);
    } else {
        const uint8_t net[4] = {0x20, 0x01, 0x0d, 0xb8};
        tmtu_put32(p, 6u << 28);
        tmtu_put32(p + 4, (size - 40) << 16 | OPAQUE << 8 | 64);
        memcpy(p + 8, net, sizeof net);
        memcpy(p + 24, net, sizeof net);
        p[23] = 1;
        p[39] = 2;
    }
    const struct tmtu_view v = {p, p + size};
    if (tmtu_ip_parse(v, 0, pkt) == 0)
        return p;
    free(p);
    return NULL;
}

/* Cuts a packet of `size` bytes and counts; false if there is no memory. */
static bool cut(unsigned ipver, uint32_t size, uint32_t mtu, struct fate *fate)
{
    struct tmtu_pkt pkt;
    struct tmtu_frag frag;
    uint8_t *p = made(ipver, false, size, &pkt), *room = malloc(size + 8);
    const bool ok = p != NULL && room != NULL;
    fate->pieces = 0;
    if (ok && tmtu_frag_init(&frag, &pkt, mtu, 1, TMTU_FRAG_FORCE) == 0) {
        for (;;) {
            struct tmtu_buf out = tmtu_buf(room, size + 8, 0);
            if (tmtu_frag_next(&frag, &out) != 1)
                break;
            fate->last = (uint32_t)tmtu_buf_len(&out);
            if (fate->pieces++ == 0)
                fate->first = fate->last;
        }
    }
    free(p);
    free(room);
    return ok;
}

/* Bytes of the MTU in front of the outer IP header. Replaced: those of a
 * Fragment header, which are written again when the packet is cut. */
static uint32_t in_front(const struct tmtu_stack *s, uint32_t *replaced)
{
    uint32_t before = 0;
    unsigned i = 0;
    for (*replaced = 0; i < s->count; i++) {
        const struct tmtu_stack_item *item = &s->item[i];
        const char *name = tmtu_stack_header(item->header)->name;
        if (strcmp(name, "ipv4") == 0 || strcmp(name, "ipv6") == 0)
            break;
        before += item->role == TMTU_STACK_OVERHEAD ? item->bytes : 0;
    }
    for (i++; i < s->count; i++) {
        const char *name = tmtu_stack_header(s->item[i].header)->name;
        if (strcmp(name, "frag6") == 0)
            *replaced = 8;
        else if (strcmp(name, "tel") != 0)
            break;
    }
    return before;
}

bool packet_fate(const struct explained *e, unsigned which, uint32_t size,
                 uint8_t policy, struct fate *fate)
{
    const unsigned ipver = which == EXPLAIN_V6 ? 6 : 4;
    const struct tmtu_stack *s = &e->stack;
    uint32_t replaced, before = in_front(s, &replaced);
    struct tmtu_mtu mtu = TMTU_MTU_INIT;
    struct tmtu_pkt pkt;

    if (s->outer == 0)
        before = 0;
    memset(fate, 0, sizeof *fate);
    uint8_t *p = made(ipver, which == EXPLAIN_V4_DF, size, &pkt);
    if (p == NULL)
        return false;
    mtu.path_mtu = e->mtu > before ? e->mtu - before : 0;
    mtu.overhead = (uint16_t)(mtu.path_mtu - s->inner_mtu);
    mtu.outer = s->outer ? s->outer : 4;
    mtu.policy = policy;
    const int rc = tmtu_mtu_decide(&pkt, &mtu, &fate->decision);
    free(p);
    if (rc < 0)
        return false;

    fate->outer = tmtu_stack_outer(s, size);
    if (fate->decision.action != TMTU_MTU_OUTER_FRAG)
        return true;
    if (s->outer == 0) { /* only what is inside can be cut */
        fate->cut = CUT_INNER;
        return which != EXPLAIN_V4 || cut(4, size, s->inner_mtu, fate);
    }
    const uint32_t len = fate->outer - before - replaced;
    fate->cut = CUT_OUTER;
    return len > (s->outer == 4 ? 65535u : 65575u) || /* no such packet */
           cut(s->outer, len, mtu.path_mtu, fate);
}

/* SPDX-License-Identifier: MIT */
/* Whatever fragments come in whatever order: what comes out is a packet made
 * of bytes that came in, and every packet is counted once.
 *
 * Input: slots (1 byte), longest packet (2); then again and again the length of
 * a packet (2), seconds that pass before it (1), and the packet. */
#include <string.h>

#include <tunmtu/reass.h>

#include "harness.h"

static void give_up(struct tmtu_reass *r, uint64_t now, size_t max)
{
    struct tmtu_view first;
    while (tmtu_reass_expire(r, now, &first)) {
        struct tmtu_pkt pkt;
        must(tmtu_view_len(first) <= max + TMTU_REASS_HEADERS);
        if (tmtu_view_len(first) == 0)
            continue;
        must(tmtu_ip_parse(first, 0, &pkt) == 0); /* as it came */
        must((pkt.flags & TMTU_PKT_FRAGMENT) && pkt.frag_offset == 0);
        must(pkt.len == tmtu_view_len(first));
    }
}

/* What came out, and of how many bytes its largest fragment was. */
static void check(const struct tmtu_buf *out, const struct tmtu_pkt *last,
                  uint32_t largest, size_t given)
{
    const uint8_t *p = out->data;
    struct tmtu_pkt pkt;
    const size_t n = tmtu_buf_len(out);
    must(n <= given && p[0] >> 4 == last->flow.ipver);
    must(largest >= last->len && largest <= given);
    const int rc = tmtu_ip_parse(tmtu_buf_view(out), TMTU_IP_VERIFY, &pkt);
    must(rc != TMTU_E_CHECKSUM);
    if (rc < 0) /* what is inside may be anything */
        must(tmtu_ip_parse(tmtu_buf_view(out), TMTU_IP_QUOTED, &pkt) == 0);
    must(pkt.len == n && pkt.have == n);
    must(tmtu_addr_equal(pkt.flow.src, last->flow.src));
    must(tmtu_addr_equal(pkt.flow.dst, last->flow.dst));
    if (pkt.flow.ipver == 4)
        must(!(pkt.flags & TMTU_PKT_FRAGMENT) && pkt.id == last->id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const struct tmtu_hash_key key = {data[0], data[1]};
    const size_t slots = data[0] % 9u, max = tmtu_get16(data + 1);
    const size_t need = tmtu_reass_sizeof(slots, max);
    must((need == 0) == (slots == 0 || max == 0));
    if (need == 0)
        return 0;
    data += 3;
    size -= 3;
    uint8_t *mem = malloc(need), *room = malloc(max);
    must(mem != NULL && room != NULL);
    memset(mem, 0xa5, need);
    struct tmtu_reass *r = tmtu_reass_init(mem, slots, max, &key);
    must(r != NULL);
    uint64_t now = 0, whole = 0;
    size_t given = 0;
    while (size >= 3) {
        size_t n = tmtu_get16(data);
        now += data[2] * 1000000000ull;
        data += 3;
        size -= 3;
        if (n > size)
            n = size;
        uint8_t *packet = malloc(n ? n : 1);
        must(packet != NULL);
        memcpy(packet, data, n);
        data += n;
        size -= n;
        given += n;
        struct tmtu_pkt pkt;
        if (now % 2 == 0)
            give_up(r, now, max);
        if (tmtu_ip_parse(tmtu_view(packet, n), 0, &pkt) == 0) {
            struct tmtu_buf out = tmtu_buf(room, max, 0);
            const int rc = tmtu_reass_add(r, &pkt, now, &out);
            must((rc == TMTU_E_IGNORED) == !(pkt.flags & TMTU_PKT_FRAGMENT));
            must(rc > 0 || tmtu_buf_len(&out) == 0);
            must(rc != TMTU_E_NOSPACE); /* `max` is always enough */
            if (rc > 0)
                check(&out, &pkt, (uint32_t)rc, given);
            whole += rc > 0;
        }
        free(packet);
    }
    give_up(r, UINT64_MAX, max);
    give_up(r, 0, max);
    const struct tmtu_reass_counters *c = tmtu_reass_counters(r);
    must(c->packets == whole);
    must(c->packets + c->timeouts + c->overlaps + c->limits + c->malformed +
             c->ecn + c->evicted <=
         c->fragments);
    free(mem);
    free(room);
    return 0;
}

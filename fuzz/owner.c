/* SPDX-License-Identifier: MIT */
/* Whatever a packet is: an error that quotes it belongs to the same flow, the
 * other way round; and a quote that is cut off says the same, or that it is not
 * sure.
 *
 * Input: how (1 byte), how much of it is quoted (2), and the packet. */
#include <string.h>

#include <tunmtu/owner.h>

#include "harness.h"

static void sane(const struct tmtu_owner *o, enum tmtu_owner_by by)
{
    const struct tmtu_flow *f = &o->flow;
    must(o->by == by && tmtu_owner_by_name(o->by) != NULL);
    must(f->flags == (by == TMTU_OWNER_PORTS ? TMTU_FLOW_PORTS : 0));
    must(by == TMTU_OWNER_PORTS || (f->sport == 0 && f->dport == 0));
    must(f->ipver == 4 || f->ipver == 6);
    must(tmtu_addr_is4(f->src) || f->ipver == 6);
    must(o->tunnels <= TMTU_ENCAP_NESTING && o->quoted <= o->tunnels + 1);
    must(o->by != TMTU_OWNER_DEEP || o->tunnels == TMTU_ENCAP_NESTING);
    if (o->fragment.ipver == 0) {
        must(by != TMTU_OWNER_FRAGMENT);
        return;
    }
    must(o->fragment.quoted <= o->quoted);
    must(o->fragment.later == (by == TMTU_OWNER_FRAGMENT));
    must(o->fragment.proto == 0 || o->fragment.ipver == 4);
}

/* Whether it is an error that can be read. */
static int is_error(const struct tmtu_pkt *pkt)
{
    struct tmtu_owner o;
    tmtu_owner_of(pkt, 0, &o);
    return o.quoted > 0 || o.by == TMTU_OWNER_UNREAD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const unsigned how = data[0] & TMTU_OWNER_TUNNELS;
    const size_t cut = tmtu_get16(data + 1);
    data += 3;
    size -= 3;
    uint8_t *mem = malloc(size ? size : 1); /* exactly, for ASan */
    must(mem != NULL);
    memcpy(mem, data, size);

    struct tmtu_pkt pkt;
    struct tmtu_owner whole, o;
    struct tmtu_icmp icmp;
    memset(&icmp, 0, sizeof icmp);
    if (tmtu_ip_parse(tmtu_view(mem, size), 0, &pkt) == 0) {
        const struct tmtu_pkt before = pkt;
        memset(&o, 0xa5, sizeof o);
        sane(&o, tmtu_owner_of(&pkt, how, &o));
        must(memcmp(&pkt, &before, sizeof pkt) == 0);
        must(tmtu_ip_parse(tmtu_view(mem, pkt.len), TMTU_IP_QUOTED,
                           &icmp.quoted) == 0);
        sane(&whole, tmtu_owner_of_error(&icmp, how, &whole));
        if (!is_error(&pkt)) {
            const struct tmtu_flow back = tmtu_flow_reverse(&whole.flow);
            must(whole.by == o.by && whole.tunnels == o.tunnels);
            must(memcmp(&back, &o.flow, sizeof back) == 0);
            must(whole.quoted == o.quoted + 1);
        } else {
            must(whole.quoted == 1 && whole.tunnels == 0);
        }
    }
    if (tmtu_ip_parse(tmtu_view(mem, size), TMTU_IP_QUOTED, &icmp.quoted) ==
        0) {
        sane(&whole, tmtu_owner_of_error(&icmp, how, &whole));
        const size_t n = cut < size ? cut : size;
        uint8_t *less = malloc(n ? n : 1);
        must(less != NULL);
        memcpy(less, data, n);
        if (tmtu_ip_parse(tmtu_view(less, n), TMTU_IP_QUOTED, &icmp.quoted) ==
            0) {
            sane(&o, tmtu_owner_of_error(&icmp, how, &o));
            /* What is broken further on, a part of it does not show. */
            if ((o.by == TMTU_OWNER_PORTS || o.by == TMTU_OWNER_PROTO) &&
                o.tunnels <= whole.tunnels && o.quoted <= whole.quoted)
                must(memcmp(&o.flow, &whole.flow, sizeof o.flow) == 0 &&
                     o.by == whole.by && o.tunnels == whole.tunnels);
        }
        free(less);
    }
    free(mem);
    return 0;
}

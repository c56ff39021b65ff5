/* SPDX-License-Identifier: MIT */
/* ip: what parses lies inside its bytes, reads the same as a quote and when
 * cut, and keeps right checksums when it is changed. */
#include <string.h>

#include <tunmtu/cksum.h>
#include <tunmtu/ip.h>

#include "harness.h"

static uint8_t *exact(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    must(copy != NULL);
    memcpy(copy, p, n);
    return copy;
}

/* What holds of every parsed packet, whole or quoted. */
static void inside(const struct tmtu_pkt *k, const uint8_t *data, size_t size)
{
    const size_t head = k->flow.ipver == 4 ? 20 : 40;
    const int later = (k->flags & TMTU_PKT_LATER) != 0;
    must(k->data == data && k->have <= size);
    must(k->flow.ipver == data[0] >> 4);
    must(k->unfragmentable >= head && k->unfragmentable <= k->l4);
    must(k->l4 <= k->have && k->nexthdr_at < k->l4);
    must(k->frag_at == 0 || k->frag_at + 8u <= k->l4);
    must(later == (k->frag_offset != 0));
    must(!(k->flags & (TMTU_PKT_LATER | TMTU_PKT_MF)) ==
         !(k->flags & TMTU_PKT_FRAGMENT));
    if (later)
        must(!(k->flags & TMTU_PKT_ICMP) && !k->flow.flags);
    if (!(k->flow.flags & TMTU_FLOW_PORTS))
        must(k->flow.sport == 0 && k->flow.dport == 0);
    must(tmtu_addr_is4(k->flow.src) || k->flow.ipver == 6);

    const struct tmtu_flow r = tmtu_flow_reverse(&k->flow);
    const struct tmtu_flow again = tmtu_flow_reverse(&r);
    must(tmtu_flow_equal(&again, &k->flow));
}

/* The parts of a packet that every change must keep. */
static void changed(const uint8_t *data, size_t size, unsigned how)
{
    struct tmtu_pkt k;
    uint8_t *p = exact(data, size);
    struct tmtu_buf buf = {p, p, p + size, p + size};
    must(tmtu_ip_parse(tmtu_buf_view(&buf), how, &k) == 0);
    const int rc = tmtu_ip_transport_fill(&buf, &k);
    must(rc == 0 || rc == TMTU_E_IGNORED);
    must(rc == 0 || memcmp(p, data, size) == 0);
    if (!(how & TMTU_IP_QUOTED))
        must(tmtu_ip_transport_verify(&k) == rc);
    const uint8_t ttl = k.ttl;
    if (tmtu_ip_hop(&buf, &k) == 0) {
        struct tmtu_pkt hop;
        must(ttl > 1 && k.ttl == ttl - 1);
        must(tmtu_ip_parse(tmtu_buf_view(&buf), how, &hop) == 0);
        must(hop.ttl == k.ttl && tmtu_flow_equal(&hop.flow, &k.flow));
    } else {
        must(ttl <= 1 && k.ttl == ttl);
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tmtu_view v = tmtu_view(data, size);
    struct tmtu_pkt k, q, cut, before;
    memset(&k, 0xa5, sizeof k);
    memset(&before, 0xa5, sizeof before);
    memset(&q, 0x5a, sizeof q);
    const int rc = tmtu_ip_parse(v, 0, &k);
    const int quoted = tmtu_ip_parse(v, TMTU_IP_QUOTED, &q);
    must(rc == 0 || memcmp(&k, &before, sizeof k) == 0);
    if (quoted == 0) {
        inside(&q, data, size);
        changed(data, size, TMTU_IP_QUOTED);
    }
    if (rc < 0)
        return 0;
    inside(&k, data, size);
    must(k.have == k.len && !(k.flags & TMTU_PKT_CUT));
    /* Quoted, an IPv6 payload length of 0 tells nothing (K30). */
    if (k.flow.ipver == 6 && k.len == 40 && k.flow.proto != 59) {
        must(q.have == size);
        q.have = k.have;
    }
    must(quoted == 0 && memcmp(&k, &q, sizeof k) == 0);
    changed(data, size, 0);
    if (tmtu_ip_parse(v, TMTU_IP_VERIFY, &q) == 0) {
        must(memcmp(&k, &q, sizeof k) == 0);
        changed(data, size, TMTU_IP_VERIFY); /* still right after a hop */
    }
    /* One byte less is truncated; as a quote it is the same flow, or a part. */
    must(tmtu_ip_parse(tmtu_view(data, k.len - 1), 0, &cut) ==
         TMTU_E_TRUNCATED);
    const size_t n = k.l4 + (k.len - k.l4) / 2;
    must(tmtu_ip_parse(tmtu_view(data, n), TMTU_IP_QUOTED, &cut) == 0);
    must(cut.l4 == k.l4 && cut.len == k.len && cut.have == n);
    must(memcmp(cut.flow.src, k.flow.src, 32) == 0);
    if (cut.flow.flags)
        must(tmtu_flow_equal(&cut.flow, &k.flow));
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* All segments together are the super-packet that was cut: each byte of its
 * payload once, in order, none with more of it than was asked for; and each
 * is a packet whose checksums are right.
 *
 * Input: gso_size (2 bytes), how (1), bytes that follow the packet's last one
 * as if they had been there (2), then a packet: its lengths and header
 * checksum are made right, so that long payloads need no long input. */
#include <string.h>

#include <tunmtu/cksum.h>
#include <tunmtu/segment.h>

#include "harness.h"

enum { PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41 };
enum { HEADS = 5, FIN = 1, PSH = 8, URG = 32, CWR = 128 };

/* What is cut: the packet itself, or what is in its tunnel. */
static struct tmtu_pkt innermost(const struct tmtu_pkt *pkt, unsigned how)
{
    struct tmtu_pkt in = *pkt;
    if (pkt->flow.proto == PROTO_IPIP || pkt->flow.proto == PROTO_IPV6)
        must(tmtu_ip_parse(tmtu_view(pkt->data + pkt->l4, pkt->len - pkt->l4),
                           how, &in) == 0);
    return in;
}

/* Where the payload begins. */
static uint32_t payload_at(const struct tmtu_pkt *pkt)
{
    return pkt->flow.proto == PROTO_UDP
               ? pkt->l4 + 8u
               : pkt->l4 + (pkt->data[pkt->l4 + 12] >> 4) * 4u;
}

static void check_tcp(const uint8_t *tcp, const uint8_t *was, uint32_t sum,
                      int last, unsigned how)
{
    unsigned want = was[13];
    if (!last)
        want &= ~(unsigned)(FIN | PSH);
    if (sum > 0 && !(how & TMTU_SEGMENT_CWR))
        want &= ~(unsigned)CWR;
    must(((tcp[13] ^ want) & ~(unsigned)URG) == 0);
    must(tmtu_get32(tcp + 4) == tmtu_get32(was + 4) + sum);
    if (tcp[13] & URG)
        must(tmtu_get16(tcp + 18) + sum == tmtu_get16(was + 18));
    must(memcmp(tcp + 8, was + 8, 4) == 0 &&
         tmtu_get16(tcp + 14) == tmtu_get16(was + 14));
}

/* The segment that takes up at `sum` bytes of the payload. Returns how many it
 * has. */
static uint32_t check(const struct tmtu_buf *out, const struct tmtu_pkt *whole,
                      uint32_t sum, unsigned how)
{
    struct tmtu_pkt outer;
    const struct tmtu_pkt was = innermost(whole, 0);
    must(tmtu_ip_parse(tmtu_buf_view(out), TMTU_IP_VERIFY, &outer) == 0);
    must(outer.len == tmtu_buf_len(out));
    const struct tmtu_pkt piece = innermost(&outer, TMTU_IP_VERIFY);
    must(tmtu_ip_transport_verify(&piece) == 0);
    const uint32_t at = payload_at(&piece), n = piece.len - at;
    const uint32_t all = was.len - payload_at(&was);
    must(at == payload_at(&was) && piece.l4 == was.l4);
    must(n <= whole->gso_size && n <= all - sum);
    must(n == whole->gso_size || sum + n == all);
    must(memcmp(piece.data + at, was.data + at + sum, n) == 0);
    must(memcmp(&piece.flow, &was.flow, sizeof was.flow) == 0);
    must(piece.ttl == was.ttl && piece.tclass == was.tclass);
    if (was.flow.ipver == 4)
        must(piece.id == ((was.id + sum / whole->gso_size) & 0xffff));
    if (was.flow.proto == PROTO_TCP)
        check_tcp(piece.data + piece.l4, was.data + was.l4, sum, sum + n == all,
                  how);
    return n;
}

static void cut(const struct tmtu_pkt *pkt, unsigned how)
{
    struct tmtu_segment s;
    if (tmtu_segment_init(&s, pkt, how) != 0)
        return;
    /* room for a segment, and not a byte more */
    const struct tmtu_pkt in = innermost(pkt, 0);
    const uint32_t head = pkt->len - in.len + payload_at(&in);
    const uint32_t all = in.len - payload_at(&in);
    const size_t most = head + (all < pkt->gso_size ? all : pkt->gso_size);
    uint8_t *mem = malloc(most);
    must(mem != NULL);
    struct tmtu_buf out = tmtu_buf(mem, most, 0);
    uint32_t sum = 0;
    unsigned n = 0;
    for (; tmtu_segment_next(&s, &out) == 1; n++) {
        must(n <= all);
        sum += check(&out, pkt, sum, how);
    }
    must(n > 0 && sum == all && tmtu_segment_next(&s, &out) == 0);
    free(mem);
}

/* Makes the IP header at `p` that of `len` bytes. */
static void finish(uint8_t *p, size_t len)
{
    if (p[0] >> 4 == 6 && len >= 40 && len <= 40 + 65535) {
        tmtu_put16(p + 4, (uint16_t)(len - 40));
    } else if (p[0] >> 4 == 4 && len >= 20 && len <= 65535) {
        const size_t size = (p[0] & 15u) * 4u;
        tmtu_put16(p + 2, (uint16_t)len);
        tmtu_put16(p + 10, 0);
        if (size <= len)
            tmtu_put16(p + 10, tmtu_cksum_finish(tmtu_cksum_add(0, p, size)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADS + 20)
        return 0;
    const uint16_t gso_size = tmtu_get16(data);
    const unsigned how = data[2] & TMTU_SEGMENT_CWR;
    const size_t more = tmtu_get16(data + 3), n = size - HEADS + more;
    if (gso_size == 0)
        return 0;

    uint8_t *packet = malloc(n), *before = malloc(n);
    must(packet != NULL && before != NULL);
    memcpy(packet, data + HEADS, size - HEADS);
    for (size_t i = size - HEADS; i < n; i++)
        packet[i] = (uint8_t)(i * 7 + i / 251);
    struct tmtu_pkt pkt;
    finish(packet, n);
    if (tmtu_ip_parse(tmtu_view(packet, n), TMTU_IP_QUOTED, &pkt) == 0 &&
        pkt.len == n && !(pkt.flags & TMTU_PKT_CUT)) {
        if (n - pkt.l4 >= 20 &&
            (pkt.flow.proto == PROTO_IPIP || pkt.flow.proto == PROTO_IPV6))
            finish(packet + pkt.l4, n - pkt.l4);
        else if (n - pkt.l4 >= 8 && pkt.flow.proto == PROTO_UDP)
            tmtu_put16(packet + pkt.l4 + 4, (uint16_t)(n - pkt.l4));
        if (tmtu_ip_parse(tmtu_view(packet, n), TMTU_IP_VERIFY, &pkt) == 0) {
            memcpy(before, packet, n);
            pkt.gso_size = gso_size;
            cut(&pkt, how);
            must(memcmp(packet, before, n) == 0);
        }
    }
    free(before);
    free(packet);
    return 0;
}

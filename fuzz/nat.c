/* SPDX-License-Identifier: MIT */
/* There and back is where it began, but for the two ways to write zero; on the
 * way, a checksum is right where it was right and nowhere else.
 *
 * Input: flags, side and headroom (1 byte), port (2), address (16, of which
 * IPv4 takes the last four), then a packet or an error. What is rewritten is
 * what is in it. */
#include <string.h>

#include <tunmtu/nat.h>

#include "harness.h"

enum { HEAD = 19, FLAGS = 0xf, SOURCE = 0x10, HEADROOM = 0x20 };

/* All ones, or nothing but zeros was added up. */
static int is_zero(uint32_t sum)
{
    return sum == 0xffff || sum == 0;
}

/* RFC 9260 Appendix A, a bit at a time; the checksum itself counts as zeros. */
static uint32_t crc_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= i >= 8 && i < 12 ? 0 : p[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

/* Where the transport checksum is; 0: nowhere. */
static size_t check_at(const struct tmtu_pkt *pkt)
{
    const uint8_t proto = pkt->flow.proto;
    size_t at = 0;
    if (pkt->flags & (TMTU_PKT_LATER | TMTU_PKT_CUT))
        return 0;
    if (proto == 6)
        at = 16;
    else if (proto == 17 || proto == 33 || proto == 136)
        at = 6;
    else if (proto == (pkt->flow.ipver == 4 ? 1 : 58))
        at = 2;
    return at != 0 && pkt->have >= pkt->l4 + at + 2 ? pkt->l4 + at : 0;
}

static int no_check(const uint8_t *ip, const struct tmtu_pkt *pkt)
{
    const size_t at = check_at(pkt);
    return at != 0 && tmtu_get16(ip + at) == 0 &&
           (pkt->flow.proto == 17 || pkt->flow.proto == 136);
}

/* What is right about a packet: bit 0 its IPv4 header, bit 1 its transport, as
 * far as that can be told: UDP-Lite's and DCCP's coverage is left aside, and
 * SCTP's when a quote's length field ends before the header does. */
static unsigned rights(const uint8_t *ip, const struct tmtu_pkt *pkt)
{
    const int ip4 = pkt->flow.ipver == 4;
    const uint8_t *l4 = ip + pkt->l4;
    const size_t n = pkt->have - pkt->l4;
    unsigned all = 0;
    if (ip4 && is_zero(sum_up(0, ip, pkt->l4)))
        all |= 1;
    if (pkt->have < pkt->len || (pkt->flags & TMTU_PKT_FRAGMENT))
        return all;
    if (pkt->flow.proto == 132 && pkt->len >= pkt->l4 + 12u &&
        tmtu_get32le(l4 + 8) != 0)
        return all |
               (crc_of(l4, pkt->len - pkt->l4) == tmtu_get32le(l4 + 8) ? 2u
                                                                       : 0);
    if (check_at(pkt) == 0 || no_check(ip, pkt) ||
        (pkt->flags & TMTU_PKT_ROUTED))
        return all;
    uint32_t sum = 0;
    if (pkt->flow.proto != 1) {
        sum = sum_up(pkt->flow.proto, ip + (ip4 ? 12 : 8), ip4 ? 8 : 32);
        sum += (uint32_t)n;
    }
    return all | (is_zero(sum_up(sum, l4, n)) ? 2u : 0);
}

/* 0xffff says the same as 0 (RFC 1624 §3). */
static void one_zero(uint8_t *p)
{
    if (tmtu_get16(p) == 0xffff)
        tmtu_put16(p, 0);
}

static void one_zero_each(uint8_t *ip, const struct tmtu_pkt *pkt)
{
    if (pkt->flow.ipver == 4)
        one_zero(ip + 10);
    if (check_at(pkt) != 0)
        one_zero(ip + check_at(pkt));
}

static void same(const struct tmtu_pkt *now, const struct tmtu_pkt *parsed)
{
    must(now->len == parsed->len && now->have == parsed->have);
    must(now->l4 == parsed->l4 && now->flags == parsed->flags);
    must(tmtu_flow_equal(&now->flow, &parsed->flow));
}

static int can_be(const uint8_t addr[16])
{
    return !tmtu_addr_is_unspecified(addr) && !tmtu_addr_is_group(addr);
}

/* An input with its memory. */
struct at {
    struct tmtu_buf b;
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    int error; /* it is one */
};

static int rewrite(struct at *at, const struct tmtu_nat *nat)
{
    return at->error ? tmtu_nat_error(&at->b, &at->pkt, &at->icmp, nat)
                     : tmtu_nat_packet(&at->b, &at->pkt, nat);
}

/* Everything that may be said once it is rewritten. */
static void rewritten(struct at *at, const struct at *was, const uint8_t *data,
                      const struct tmtu_nat *nat)
{
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    must(tmtu_ip_parse(tmtu_buf_view(&at->b), 0, &pkt) == 0);
    same(&at->pkt, &pkt);
    must(rights(at->b.data, &pkt) == rights(data, &was->pkt));
    must(no_check(at->b.data, &pkt) == no_check(data, &was->pkt));
    if (!at->error)
        return;
    must(tmtu_icmp_parse(&pkt, &icmp) == 0);
    same(&at->icmp.quoted, &icmp.quoted);
    must(icmp.info == was->icmp.info && icmp.type == was->icmp.type &&
         icmp.code == was->icmp.code && icmp.ext == was->icmp.ext);
    const uint8_t *quote = data + pkt.l4 + 8;
    must(no_check(icmp.quoted.data, &icmp.quoted) ==
         no_check(quote, &was->icmp.quoted));
    if (!(nat->flags & TMTU_NAT_KEEP_QUOTED_CHECK))
        must(rights(icmp.quoted.data, &icmp.quoted) ==
             rights(quote, &was->icmp.quoted));
}

static void back_again(struct at *at, const uint8_t *data, size_t size,
                       const struct tmtu_nat *nat)
{
    struct tmtu_nat back = tmtu_nat_reverse(nat);
    const int lost = !tmtu_addr_equal(
        nat->side == TMTU_NAT_SRC ? at->pkt.flow.src : at->pkt.flow.dst,
        nat->to.addr); /* a reporter that kept its address */
    back.side = nat->side;
    if (lost)
        back.flags |= TMTU_NAT_KEEP_REPORTER;
    must(rewrite(at, &back) == 0);
    uint8_t *want = malloc(size ? size : 1);
    must(want != NULL);
    memcpy(want, data, size);
    one_zero_each(want, &at->pkt);
    one_zero_each(at->b.data, &at->pkt);
    if (at->error) {
        const size_t quote = at->pkt.l4 + 8u;
        one_zero_each(want + quote, &at->icmp.quoted);
        one_zero_each(at->b.data + quote, &at->icmp.quoted);
    }
    must(memcmp(at->b.data, want, size) == 0);
    free(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    struct at at, was;
    struct tmtu_nat nat = TMTU_NAT_INIT;
    const size_t headroom = data[0] & HEADROOM ? 2 : 0;
    nat.flags = data[0] & FLAGS;
    nat.side = data[0] & SOURCE ? TMTU_NAT_SRC : TMTU_NAT_DST;
    nat.to.port = tmtu_get16(data + 1);
    memcpy(nat.to.addr, data + 3, 16);
    const uint8_t *p = data + HEAD;
    const size_t n = size - HEAD;

    memset(&at, 0, sizeof at);
    uint8_t *mem = malloc(headroom + n + 1);
    must(mem != NULL);
    at.b = tmtu_buf(mem, headroom + n, headroom);
    memcpy(tmtu_buf_put(&at.b, n), p, n);
    if (tmtu_ip_parse(tmtu_buf_view(&at.b), 0, &at.pkt) == 0) {
        at.error = tmtu_icmp_parse(&at.pkt, &at.icmp) == 0;
        struct tmtu_flow end = at.pkt.flow;
        if (at.error) /* what it quotes goes the other way */
            end = tmtu_flow_reverse(&at.icmp.quoted.flow);
        const int src = nat.side == TMTU_NAT_SRC;
        memcpy(nat.from.addr, src ? end.src : end.dst, 16);
        nat.from.port = src ? end.sport : end.dport;
        if (at.pkt.flow.ipver == 4)
            tmtu_addr_set4(nat.to.addr, data + 15);
        was = at;
        const int rc = rewrite(&at, &nat);
        /* A reporter that is neither end: gone, or not to be told from one. */
        const uint8_t *reporter = was.pkt.flow.src;
        const int hidden = at.error && src &&
                           !tmtu_addr_equal(reporter, nat.from.addr) &&
                           (!(nat.flags & TMTU_NAT_KEEP_REPORTER) ||
                            tmtu_addr_equal(reporter, nat.to.addr));
        if (rc < 0) {
            must(memcmp(at.b.data, p, n) == 0);
            must(memcmp(&at, &was, sizeof at) == 0);
        } else {
            rewritten(&at, &was, p, &nat);
            if (!hidden && can_be(nat.from.addr))
                back_again(&at, p, n, &nat);
        }
    }
    free(mem);
    return 0;
}

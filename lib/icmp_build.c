/* SPDX-License-Identifier: MIT */
/* ICMP errors built around the packet they are about. */
#include <tunmtu/cksum.h>
#include <tunmtu/icmp.h>

#include "wire.h"

enum { ICMP_HEAD4 = W_IP4_SIZE + W_ICMP_SIZE };
enum { ICMP_HEAD6 = W_IP6_SIZE + W_ICMP_SIZE };
_Static_assert(TMTU_ICMP_HEADROOM == ICMP_HEAD6, "the longer of both");

/* A message whose every value has been checked. */
struct icmp_plan {
    const uint8_t *src; /* 16 bytes, as in a flow */
    const uint8_t *dst;
    size_t head;  /* bytes in front of the quote */
    size_t quote; /* bytes of the offender */
    uint32_t info;
    uint8_t type;
    uint8_t code;
    uint8_t tos;
    uint8_t ttl;
    uint16_t id;
};

/* RFC 4443 §2.4 e.3: an option that asks, by its two upper bits, to be
 * answered even when the packet was multicast has 10 there. */
static int icmp_option_answers_group(const struct tmtu_pkt *pkt, uint32_t at)
{
    return at < pkt->have && pkt->data[at] >> 6 == 2;
}

enum tmtu_reason tmtu_icmp_may_send(const struct tmtu_pkt *pkt,
                                    const struct tmtu_icmp_error *error)
{
    if (tmtu_ip_is_icmp_error(pkt))
        return TMTU_R_ABOUT_ERROR;
    if (pkt->flow.ipver == 4 && (pkt->flags & TMTU_PKT_LATER))
        return TMTU_R_LATER_FRAGMENT;
    const int group_too =
        pkt->flow.ipver == 6 &&
        (error->kind == TMTU_ICMP_TOO_BIG ||
         (error->kind == TMTU_ICMP_PARAM && error->code == 2 &&
          icmp_option_answers_group(pkt, error->info)));
    if (!group_too && tmtu_addr_is_group(pkt->flow.dst))
        return TMTU_R_GROUP;
    if (!group_too && (pkt->flags & TMTU_PKT_L2_GROUP))
        return TMTU_R_L2_GROUP;
    if (!tmtu_addr_is_host(pkt->flow.src))
        return TMTU_R_SOURCE;
    return TMTU_OK;
}

static int icmp_type(uint8_t ipver, const struct tmtu_icmp_error *error)
{
    switch (error->kind) {
    case TMTU_ICMP_TOO_BIG:
        return ipver == 4 ? 3 : 2;
    case TMTU_ICMP_UNREACH: /* 3/4 has a kind of its own */
        if (ipver == 4)
            return error->code == 4 ? (int)TMTU_E_ARGUMENT : 3;
        return 1;
    case TMTU_ICMP_EXPIRED:
        return ipver == 4 ? 11 : 3;
    case TMTU_ICMP_PARAM:
        return ipver == 4 ? 12 : 4;
    default:
        return TMTU_E_ARGUMENT;
    }
}

static int icmp_plan(const struct tmtu_pkt *pkt,
                     const struct tmtu_icmp_error *error,
                     struct icmp_plan *plan)
{
    if (error->size != sizeof *error)
        return TMTU_E_ARGUMENT;
    const uint8_t ipver = pkt->flow.ipver;
    const int v4 = ipver == 4;
    const int type = icmp_type(ipver, error);
    if (type < 0)
        return type;
    uint32_t info = error->info;
    if (error->kind == TMTU_ICMP_TOO_BIG) {
        /* R-791-06, RFC 8201 §4: a value that receivers ignore, or that the
         * packet does not exceed, would be a lie. */
        if (info < (v4 ? 68u : 1280u) || (v4 && info > 65535u) ||
            info >= pkt->len)
            return TMTU_E_ARGUMENT;
    } else if (error->kind == TMTU_ICMP_PARAM) {
        if (v4 && info > 255u)
            return TMTU_E_ARGUMENT;
        info = v4 ? info << 24 : info;
    } else if (info != 0) {
        return TMTU_E_ARGUMENT;
    }
    const int given = !tmtu_addr_is_unspecified(error->src);
    if (error->from > TMTU_ICMP_FROM_SRC ||
        (error->from == TMTU_ICMP_FROM_SRC && !given))
        return TMTU_E_ARGUMENT;
    const uint8_t *src = given && error->from != TMTU_ICMP_FROM_DEST
                             ? error->src
                             : pkt->flow.dst;
    if (tmtu_icmp_may_send(pkt, error) != TMTU_OK)
        return TMTU_E_FORBIDDEN;
    if (!tmtu_addr_is_host(src) || tmtu_addr_is4(src) != v4 ||
        tmtu_addr_equal(src, pkt->flow.src))
        return TMTU_E_ARGUMENT;

    const size_t head = v4 ? ICMP_HEAD4 : ICMP_HEAD6;
    size_t max = v4 ? TMTU_ICMP4_MAX : TMTU_ICMP6_MAX;
    if (error->max != 0 && error->max < max)
        max = error->max;
    const size_t room = max < head ? 0 : max - head;
    const size_t quote = pkt->have < room ? pkt->have : room;
    /* RFC 792: the IP header and 64 bits, unless the offender is shorter. */
    if (quote < pkt->have && quote < (size_t)pkt->unfragmentable + 8)
        return TMTU_E_FORBIDDEN;

    plan->src = src;
    plan->dst = pkt->flow.src;
    plan->head = head;
    plan->quote = quote;
    plan->info = info;
    plan->type = (uint8_t)type;
    plan->code = error->code;
    if (error->kind == TMTU_ICMP_TOO_BIG)
        plan->code = v4 ? 4 : 0;
    plan->tos = 0xc0;
    if (error->tos == TMTU_ICMP_TOS_LINUX)
        plan->tos |= pkt->tclass & 0x1eu;
    plan->ttl = error->ttl ? error->ttl : 64;
    plan->id = error->id;
    return 0;
}

/* Writes the headers at p; `sum` is that of the quote. Sums are taken from the
 * values, not read back from memory just written. */
static void icmp_write(uint8_t *p, const struct icmp_plan *plan, uint16_t sum)
{
    const size_t len = plan->head + plan->quote;
    const uint16_t what = (uint16_t)(plan->type << 8 | plan->code);
    uint32_t icmp_sum =
        (uint32_t)sum + what + (plan->info >> 16) + (plan->info & 0xffffu);
    uint8_t *icmp = p + plan->head - W_ICMP_SIZE;

    if (plan->head == ICMP_HEAD4) {
        const uint32_t src = tmtu_get32(plan->src + 12);
        const uint32_t dst = tmtu_get32(plan->dst + 12);
        const uint32_t w0 =
            0x45000000u | (uint32_t)plan->tos << 16 | (uint32_t)len;
        const uint16_t w2 = (uint16_t)(plan->ttl << 8 | W_PROTO_ICMP);
        const uint32_t ip_sum = (w0 >> 16) + (w0 & 0xffffu) + plan->id + w2 +
                                (src >> 16) + (src & 0xffffu) + (dst >> 16) +
                                (dst & 0xffffu);
        tmtu_put32(p, w0);
        tmtu_put32(p + W_IP4_ID, (uint32_t)plan->id << 16); /* DF clear: K58 */
        tmtu_put16(p + W_IP4_TTL, w2);
        tmtu_put16(p + W_IP4_CHECK, tmtu_cksum_finish(ip_sum));
        tmtu_put32(p + W_IP4_SRC, src);
        tmtu_put32(p + W_IP4_DST, dst);
    } else {
        const uint32_t body = (uint32_t)(len - W_IP6_SIZE);
        icmp_sum +=
            tmtu_cksum_pseudo(plan->src, plan->dst, 16, W_PROTO_ICMPV6, body);
        tmtu_put32(p, 6u << 28); /* traffic class and flow label 0 */
        tmtu_put16(p + W_IP6_LEN, (uint16_t)body);
        p[W_IP6_NEXT] = W_PROTO_ICMPV6;
        p[W_IP6_HOPS] = plan->ttl;
        tmtu_copy(p + W_IP6_SRC, plan->src, 16);
        tmtu_copy(p + W_IP6_DST, plan->dst, 16);
    }
    tmtu_put16(icmp, what);
    tmtu_put16(icmp + W_ICMP_CHECK, tmtu_cksum_finish(icmp_sum));
    tmtu_put32(icmp + W_ICMP_INFO, plan->info);
}

int tmtu_icmp_wrap(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                   const struct tmtu_icmp_error *error)
{
    struct icmp_plan plan;
    const int rc = icmp_plan(pkt, error, &plan);
    if (rc < 0)
        return rc;
    uint8_t *p = tmtu_buf_push(buf, plan.head);
    if (p == NULL)
        return TMTU_E_NOSPACE;
    tmtu_buf_trim(buf, plan.head + plan.quote);
    icmp_write(p, &plan, tmtu_cksum_add(0, p + plan.head, plan.quote));
    return 0;
}

int tmtu_icmp_build(struct tmtu_buf *out, const struct tmtu_pkt *pkt,
                    const struct tmtu_icmp_error *error)
{
    struct icmp_plan plan;
    const int rc = icmp_plan(pkt, error, &plan);
    if (rc < 0)
        return rc;
    uint8_t *p = out->data;
    if ((size_t)(out->end - p) < plan.head + plan.quote)
        return TMTU_E_NOSPACE;
    icmp_write(p, &plan,
               tmtu_cksum_copy(0, p + plan.head, pkt->data, plan.quote));
    out->tail = p + plan.head + plan.quote;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* ICMP errors read: the kind, and the packet they quote. */
#include <tunmtu/icmp.h>

#include "wire.h"

static int icmp_kind4(uint8_t type, uint8_t code)
{
    switch (type) {
    case 3:
        return code == 4 ? TMTU_ICMP_TOO_BIG : TMTU_ICMP_UNREACH;
    case 4:
        return TMTU_ICMP_QUENCH;
    case 5:
        return TMTU_ICMP_REDIRECT;
    case 11:
        return TMTU_ICMP_EXPIRED;
    case 12:
        return TMTU_ICMP_PARAM;
    default:
        return TMTU_E_IGNORED;
    }
}

static int icmp_kind6(uint8_t type)
{
    switch (type) { /* RFC 4443 §2.1: errors are below 128 */
    case 1:
        return TMTU_ICMP_UNREACH;
    case 2:
        return TMTU_ICMP_TOO_BIG; /* any code: §3.2 */
    case 3:
        return TMTU_ICMP_EXPIRED;
    case 4:
        return TMTU_ICMP_PARAM;
    default:
        return type < 128 ? (int)TMTU_ICMP_OTHER : (int)TMTU_E_IGNORED;
    }
}

/* The second word, as far as it means something. */
static uint32_t icmp_info(int kind, int ipver, const uint8_t *p)
{
    switch (kind) {
    case TMTU_ICMP_TOO_BIG: /* 16 bits of it, or 32 */
        return ipver == 4 ? tmtu_get16(p + W_ICMP_INFO + 2)
                          : tmtu_get32(p + W_ICMP_INFO);
    case TMTU_ICMP_PARAM: /* a pointer of 8 bits, or 32 */
        return ipver == 4 ? p[W_ICMP_INFO] : tmtu_get32(p + W_ICMP_INFO);
    case TMTU_ICMP_REDIRECT: /* the gateway */
        return tmtu_get32(p + W_ICMP_INFO);
    default:
        return 0;
    }
}

/* RFC 4884 §4: how long the quote is; 0: it is what is left. Lengths below the
 * 128 bytes that §4.6 asks for were put there by somebody who did not know of
 * RFC 4884, and mean nothing. */
static size_t icmp_quote_len(int kind, int ipver, const uint8_t *p)
{
    size_t n = 0;
    if (ipver == 4 && (kind == TMTU_ICMP_UNREACH || kind == TMTU_ICMP_TOO_BIG ||
                       kind == TMTU_ICMP_EXPIRED || kind == TMTU_ICMP_PARAM))
        n = p[W_ICMP_INFO + 1] * 4u;
    else if (ipver == 6 &&
             (kind == TMTU_ICMP_UNREACH || kind == TMTU_ICMP_EXPIRED))
        n = p[W_ICMP_INFO] * 8u; /* never "too big": its MTU is there */
    return n < 128 ? 0 : n;
}

int tmtu_icmp_parse(const struct tmtu_pkt *pkt, struct tmtu_icmp *out)
{
    const int ipver = pkt->flow.ipver;
    if (!(pkt->flags & TMTU_PKT_ICMP) || (pkt->flags & TMTU_PKT_FRAGMENT))
        return TMTU_E_IGNORED;
    const int kind = ipver == 4 ? icmp_kind4(pkt->icmp_type, pkt->icmp_code)
                                : icmp_kind6(pkt->icmp_type);
    if (kind < 0)
        return kind;
    struct tmtu_view v = {pkt->data + pkt->l4, pkt->data + pkt->have};
    const uint8_t *icmp = tmtu_pull(&v, W_ICMP_SIZE);
    if (icmp == NULL)
        return TMTU_E_TRUNCATED;
    const size_t quote = icmp_quote_len(kind, ipver, icmp);
    const size_t all = tmtu_view_len(v);
    if (quote > all)
        return TMTU_E_TRUNCATED;
    if (quote > 0)
        v.end = v.data + quote;
    const uint8_t *ip = tmtu_peek(v, 1);
    if (ip == NULL)
        return TMTU_E_TRUNCATED;
    if (ip[0] >> 4 != ipver)
        return TMTU_E_MALFORMED;
    const int rc = tmtu_ip_parse(v, TMTU_IP_QUOTED, &out->quoted);
    if (rc < 0)
        return rc;
    out->info = icmp_info(kind, ipver, icmp);
    out->kind = (uint8_t)kind;
    out->type = pkt->icmp_type;
    out->code = pkt->icmp_code;
    out->ext = quote > 0 && quote < all;
    return 0;
}

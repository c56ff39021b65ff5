/* SPDX-License-Identifier: MIT */
/* ICMP errors read: the kind, and the packet they quote. */
#include <tunmtu/icmp.h>

#include "ip_quick.h"

enum { ICMP_QUOTE_MIN = 128 }; /* RFC 4884 §4, where extensions follow */

static inline int icmp_kind4(uint8_t type, uint8_t code)
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

static inline int icmp_kind6(uint8_t type)
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
static inline uint32_t icmp_info(int kind, int ipver, uint32_t word)
{
    switch (kind) {
    case TMTU_ICMP_TOO_BIG: /* 16 bits of it, or 32 */
        return ipver == 4 ? word & 0xffffu : word;
    case TMTU_ICMP_PARAM: /* a pointer of 8 bits, or 32 */
        return ipver == 4 ? word >> 24 : word;
    case TMTU_ICMP_REDIRECT: /* the gateway */
        return word;
    default:
        return 0;
    }
}

/* RFC 4884 §4: how long the quote is; 0: it is what is left. Lengths below the
 * 128 bytes that it asks for were put there by somebody who did not know of RFC
 * 4884, and mean nothing. */
static inline size_t icmp_quote_len(int kind, int ipver, uint32_t word)
{
    size_t n = 0;
    if (ipver == 4 && kind <= TMTU_ICMP_PARAM)
        n = (word >> 16 & 0xffu) * 4u;
    else if (ipver == 6 &&
             (kind == TMTU_ICMP_UNREACH || kind == TMTU_ICMP_EXPIRED))
        n = (word >> 24) * 8u; /* never "too big": its MTU is there */
    return n < ICMP_QUOTE_MIN ? 0 : n;
}

/* The quote: the quick way, or the long one. */
static inline int icmp_quote(struct tmtu_view v, int ipver,
                             struct tmtu_pkt *quoted)
{
    if (ipver == 4 ? ip_quick4(v, TMTU_IP_QUOTED, 0, quoted)
                   : ip_quick6(v, TMTU_IP_QUOTED, quoted))
        return 0;
    const uint8_t *ip = tmtu_peek(v, 1);
    if (ip == NULL)
        return TMTU_E_TRUNCATED;
    if (ip[0] >> 4 != ipver)
        return TMTU_E_MALFORMED;
    return tmtu_ip_parse(v, TMTU_IP_QUOTED, quoted);
}

static inline __attribute__((always_inline)) int
icmp_read(const struct tmtu_pkt *pkt, int ipver, struct tmtu_icmp *out)
{
    const uint8_t type = pkt->icmp_type, code = pkt->icmp_code;
    const int kind = ipver == 4 ? icmp_kind4(type, code) : icmp_kind6(type);
    if (kind < 0)
        return kind;
    struct tmtu_view v = {pkt->data + pkt->l4, pkt->data + pkt->have};
    const uint8_t *icmp = tmtu_pull(&v, W_ICMP_SIZE);
    if (icmp == NULL)
        return TMTU_E_TRUNCATED;
    const uint32_t word = tmtu_get32(icmp + W_ICMP_INFO);
    const size_t quote = icmp_quote_len(kind, ipver, word);
    const size_t all = tmtu_view_len(v);
    if (quote > all)
        return TMTU_E_TRUNCATED;
    if (quote > 0)
        v.end = v.data + quote;
    const int rc = icmp_quote(v, ipver, &out->quoted);
    if (rc < 0)
        return rc;
    out->info = icmp_info(kind, ipver, word);
    out->kind = (uint8_t)kind;
    out->type = type;
    out->code = code;
    out->ext = quote > 0 && quote < all;
    return 0;
}

/* A copy for each family, which knows it. */
int tmtu_icmp_parse(const struct tmtu_pkt *pkt, struct tmtu_icmp *out)
{
    if ((pkt->flags & (TMTU_PKT_ICMP | TMTU_PKT_FRAGMENT)) != TMTU_PKT_ICMP)
        return TMTU_E_IGNORED;
    return pkt->flow.ipver == 4 ? icmp_read(pkt, 4, out)
                                : icmp_read(pkt, 6, out);
}

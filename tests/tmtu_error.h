/* SPDX-License-Identifier: MIT */
/* ICMP errors of a router on the way, about packets that were cut to a quote.
 */
#ifndef TMTU_ERROR_H
#define TMTU_ERROR_H

#include "tmtu_packet.h"

#include <tunmtu/icmp.h>

/* What a router says. */
struct test_says {
    uint8_t type, code;
    uint32_t word; /* the second of the message */
};

/* The sum over IPv6's pseudo-header, which is as long as its header, and the
 * `n` - 40 bytes behind it. */
static inline uint16_t test_cksum6(const uint8_t *ip, size_t n)
{
    uint8_t *all = test_exact(NULL, n);
    memcpy(all, ip + 8, 32);
    tmtu_put32(all + 32, (uint32_t)(n - 40));
    tmtu_put32(all + 36, ip[6]);
    memcpy(all + 40, ip + 40, n - 40);
    const uint16_t sum = test_cksum(all, n);
    free(all);
    return sum;
}

/* The error about the first `n` bytes of `quoted`, sent by 203.0.113.254 or
 * 2001:db8:ffff::1 to who sent that; in exactly its memory. */
static inline struct tmtu_buf test_error(const struct test_says *says,
                                         const uint8_t *quoted, size_t n)
{
    const int v4 = quoted[0] >> 4 == 4;
    const size_t head = v4 ? 20 : 40, len = head + 8 + n;
    struct tmtu_buf buf = test_buf(NULL, 0, 0, len);
    uint8_t *p = tmtu_buf_put(&buf, len), *icmp = p + head;
    uint8_t router[16];
    memset(p, 0, head + 8);
    icmp[0] = says->type;
    icmp[1] = says->code;
    tmtu_put32(icmp + 4, says->word);
    if (n > 0)
        memcpy(icmp + 8, quoted, n);
    if (v4) {
        test_addr("203.0.113.254", router);
        tmtu_put16(p, 0x45c0);
        tmtu_put16(p + 2, (uint16_t)len);
        tmtu_put16(p + 8, 61 << 8 | 1);
        memcpy(p + 12, router + 12, 4);
        memcpy(p + 16, quoted + 12, 4);
        tmtu_put16(p + 10, test_cksum(p, 20));
        tmtu_put16(icmp + 2, test_cksum(icmp, len - head));
    } else {
        test_addr("2001:db8:ffff::1", router);
        p[0] = 0x60;
        tmtu_put16(p + 4, (uint16_t)(len - head));
        tmtu_put16(p + 6, 58 << 8 | 61);
        memcpy(p + 8, router, 16);
        memcpy(p + 24, quoted + 8, 16);
        tmtu_put16(icmp + 2, test_cksum6(p, len));
    }
    return buf;
}

#endif

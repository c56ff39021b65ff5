/* SPDX-License-Identifier: MIT */
/* IPv4 options, one after the other (RFC 791 §3.1). */
#ifndef TMTU_IP4_OPTION_H
#define TMTU_IP4_OPTION_H

#include <tunmtu/api.h>
#include <tunmtu/bytes.h>

#include "wire.h"

/* Bytes of the option that `v` begins with; 0: it was the last one. There are
 * at most W_IP4_OPTIONS of them. */
static inline int ip4_option_size(struct tmtu_view v)
{
    const uint8_t *p = tmtu_peek(v, 1);
    if (p == NULL || p[0] == W_IP4_OPT_END)
        return 0;
    if (p[0] == W_IP4_OPT_NOP)
        return 1;
    p = tmtu_peek(v, 2);
    if (p == NULL || p[1] < 2 || tmtu_peek(v, p[1]) == NULL)
        return TMTU_E_MALFORMED;
    return p[1];
}

#endif

/* SPDX-License-Identifier: MIT */
/* What a quoted packet has for those who would believe the error about it. */
#include <tunmtu/cksum.h>
#include <tunmtu/icmp.h>

#include "wire.h"

int tmtu_icmp_seq(const struct tmtu_pkt *quoted, uint32_t *seq)
{
    if (quoted->flow.proto != W_PROTO_TCP || (quoted->flags & TMTU_PKT_LATER))
        return TMTU_E_IGNORED;
    struct tmtu_view v = {quoted->data + quoted->l4,
                          quoted->data + quoted->have};
    const uint8_t *tcp = tmtu_peek(v, W_TCP_SEQ + 4);
    if (tcp == NULL)
        return TMTU_E_TRUNCATED;
    *seq = tmtu_get32(tcp + W_TCP_SEQ);
    return 0;
}

int tmtu_icmp_quote_check(const struct tmtu_pkt *quoted)
{
    if (quoted->flow.ipver != 4)
        return TMTU_E_IGNORED;
    const uint16_t sum =
        tmtu_cksum_add(0, quoted->data, quoted->unfragmentable);
    return sum == 0xffffu ? 0 : TMTU_E_CHECKSUM;
}

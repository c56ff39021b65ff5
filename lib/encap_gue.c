/* SPDX-License-Identifier: MIT */
/* GUE behind its UDP header: variant 0 with four bytes, variant 1 with none
 * (draft-ietf-intarea-gue-09 §3). */
#include "encap_kinds.h"
#include "wire.h"

int tmtu_encap_gue_size(const struct tmtu_encap *encap)
{
    return encap->kind == TMTU_ENCAP_GUE ? W_GUE_SIZE : 0;
}

void tmtu_encap_gue_write(uint8_t *p, const struct encap_shim *shim)
{
    if (shim->encap->kind ==
        TMTU_ENCAP_GUE) /* no control, length 0, no flags */
        tmtu_put32(
            p,
            (shim->ipver == 4 ? (uint32_t)W_PROTO_IPIP : (uint32_t)W_PROTO_IPV6)
                << 16);
}

/* Both variants come to the same port; the first two bits tell them apart, and
 * variant 1 is where an IP header has its version. */
enum tmtu_reason tmtu_encap_gue_read(struct tmtu_view *v, uint8_t *ipver)
{
    const uint8_t *p = tmtu_peek(*v, 1);
    *ipver = 0;
    if (p == NULL)
        return TMTU_R_TUNNEL_HEADER;
    if (p[0] >> 6 == 1)
        return TMTU_OK;
    p = tmtu_peek(*v, W_GUE_SIZE);
    if (p == NULL || p[0] >> 6 != 0 || (p[0] & W_GUE_CONTROL) ||
        tmtu_get16(p + 2) != 0 ||
        (p[1] != W_PROTO_IPIP && p[1] != W_PROTO_IPV6))
        return TMTU_R_TUNNEL_HEADER;
    const size_t size = W_GUE_SIZE + (size_t)(p[0] & W_GUE_HLEN) * 4;
    if (tmtu_pull(v, size) == NULL)
        return TMTU_R_TUNNEL_HEADER;
    *ipver = p[1] == W_PROTO_IPIP ? 4 : 6;
    return TMTU_OK;
}

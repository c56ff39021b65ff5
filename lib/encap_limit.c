/* SPDX-License-Identifier: MIT */
/* The tunnel encapsulation limit that a packet brings with it (RFC 2473
 * §4.1.1). */
#include <tunmtu/encap.h>

#include "wire.h"

/* Options of one Destination Options header that are looked at. */
enum { ENCAP_OPTIONS_MAX = 32 };

int tmtu_encap_limit(const struct tmtu_pkt *pkt, uint32_t *at)
{
    if (pkt->flow.ipver != 6 || pkt->l4 == W_IP6_SIZE)
        return TMTU_E_IGNORED;
    struct tmtu_view v = {pkt->data + W_IP6_SIZE, pkt->data + pkt->l4};
    uint8_t next = pkt->data[W_IP6_NEXT];
    /* Strictly left to right, and no further than headers that may stand in
     * front of the option; a Fragment header ends the search (§4.1.1). */
    for (unsigned n = 0; n < TMTU_IP6_EXT_MAX; n++) {
        if (next != W_PROTO_HOPOPT && next != W_PROTO_ROUTING &&
            next != W_PROTO_DSTOPTS)
            return TMTU_E_IGNORED;
        const uint8_t *p = tmtu_peek(v, 8);
        const size_t size = p == NULL ? 0 : (p[1] + 1u) * 8u;
        if (size == 0 || tmtu_pull(&v, size) == NULL)
            return TMTU_E_IGNORED;
        size_t i = 2;
        for (unsigned k = 0; next == W_PROTO_DSTOPTS && k < ENCAP_OPTIONS_MAX;
             k++) {
            if (i + 1 >= size)
                break;
            if (p[i] == W_TEL_OPTION && p[i + 1] == 1 && i + 2 < size) {
                if (at != NULL)
                    *at = (uint32_t)(p + i + 2 - pkt->data);
                return p[i + 2];
            }
            i += p[i] == 0 ? 1 : p[i + 1] + 2u; /* Pad1 has no length */
        }
        next = p[0];
    }
    return TMTU_E_IGNORED;
}

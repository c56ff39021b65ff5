/* SPDX-License-Identifier: MIT */
/* GRE: checksum, key and sequence number, each if asked for (RFC 2784, 2890).
 */
#include <tunmtu/cksum.h>

#include "encap_kinds.h"
#include "wire.h"

static int encap_gre_length(unsigned word)
{
    return W_GRE_SIZE + (word & W_GRE_C ? 4 : 0) + (word & W_GRE_K ? 4 : 0) +
           (word & W_GRE_S ? 4 : 0);
}

/* The first word that these options make. In UDP, the checksum is UDP's. */
static unsigned encap_gre_word(const struct tmtu_encap *encap)
{
    const int csum =
        encap->kind == TMTU_ENCAP_GRE && (encap->flags & TMTU_ENCAP_CSUM);
    return (csum ? (unsigned)W_GRE_C : 0) |
           (encap->flags & TMTU_ENCAP_KEY ? (unsigned)W_GRE_K : 0) |
           (encap->flags & TMTU_ENCAP_SEQ ? (unsigned)W_GRE_S : 0);
}

int tmtu_encap_gre_size(const struct tmtu_encap *encap)
{
    return encap_gre_length(encap_gre_word(encap));
}

void tmtu_encap_gre_write(uint8_t *p, const struct encap_shim *shim)
{
    const unsigned word = encap_gre_word(shim->encap);
    uint8_t *at = p + W_GRE_SIZE;
    tmtu_put32(p, word << 16 |
                      (shim->ipver == 4 ? W_ETHERTYPE_IP4 : W_ETHERTYPE_IP6));
    if (word & W_GRE_C) {
        tmtu_put32(at, 0); /* Reserved1 as well (RFC 2784 §2.4) */
        at += 4;
    }
    if (word & W_GRE_K) {
        tmtu_put32(at, shim->encap->key);
        at += 4;
    }
    if (word & W_GRE_S)
        tmtu_put32(at, shim->each->id);
    if (word & W_GRE_C)
        tmtu_put16(p + W_GRE_SIZE, (uint16_t)~tmtu_cksum_add(0, p, shim->len));
}

enum tmtu_reason tmtu_encap_gre_read(struct tmtu_view *v,
                                     const struct tmtu_encap *encap,
                                     uint8_t *ipver)
{
    const uint8_t *p = tmtu_peek(*v, W_GRE_SIZE);
    if (p == NULL)
        return TMTU_R_TUNNEL_HEADER;
    const unsigned word = tmtu_get16(p), type = tmtu_get16(p + 2);
    /* RFC 2784 §2.3: bits 1, 4 and 5 are refused, 6 to 12 ignored. */
    if (word & (W_GRE_VERSION | W_GRE_ROUTING | W_GRE_STRICT | W_GRE_RECUR))
        return TMTU_R_TUNNEL_HEADER;
    if (type != W_ETHERTYPE_IP4 && type != W_ETHERTYPE_IP6)
        return TMTU_R_TUNNEL_HEADER;
    const size_t size = (size_t)encap_gre_length(word);
    if (tmtu_peek(*v, size) == NULL)
        return TMTU_R_TUNNEL_HEADER;
    if ((word & W_GRE_C) && tmtu_cksum_add(0, p, tmtu_view_len(*v)) != 0xffffu)
        return TMTU_R_OUTER_CHECKSUM;
    const int has_key = (word & W_GRE_K) != 0;
    if (has_key != ((encap->flags & TMTU_ENCAP_KEY) != 0) ||
        (has_key && tmtu_get32(p + (word & W_GRE_C ? 8 : 4)) != encap->key))
        return TMTU_R_TUNNEL_KEY;
    v->data += size;
    *ipver = type == W_ETHERTYPE_IP4 ? 4 : 6;
    return TMTU_OK;
}

int tmtu_encap_sequence(const struct tmtu_pkt *outer, uint32_t *seq)
{
    struct tmtu_view v = {outer->data + outer->l4, outer->data + outer->have};
    if (outer->flags & (TMTU_PKT_LATER | TMTU_PKT_CUT))
        return TMTU_E_IGNORED;
    if (outer->flow.proto == W_PROTO_UDP && tmtu_pull(&v, W_UDP_SIZE) == NULL)
        return TMTU_E_IGNORED;
    if (outer->flow.proto != W_PROTO_UDP && outer->flow.proto != W_PROTO_GRE)
        return TMTU_E_IGNORED;
    const uint8_t *p = tmtu_peek(v, W_GRE_SIZE);
    if (p == NULL)
        return TMTU_E_IGNORED;
    const unsigned word = tmtu_get16(p);
    if ((word & W_GRE_VERSION) || !(word & W_GRE_S))
        return TMTU_E_IGNORED;
    const size_t size = (size_t)encap_gre_length(word);
    p = tmtu_peek(v, size);
    if (p == NULL)
        return TMTU_E_IGNORED;
    *seq = tmtu_get32(p + size - 4); /* always last */
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* GRE, straight behind IP or in UDP: checksum, key and sequence number, each if
 * asked for (RFC 2784, 2890, 7676, 8086). */
#include <tunmtu/cksum.h>

#include "encap_kinds.h"

static inline int encap_gre_length(unsigned word)
{
    return W_GRE_SIZE + (word & W_GRE_C ? 4 : 0) + (word & W_GRE_K ? 4 : 0) +
           (word & W_GRE_S ? 4 : 0);
}

/* The first word that these options make. In UDP, the checksum is UDP's. */
static inline unsigned encap_gre_word(const struct tmtu_encap *encap)
{
    const unsigned flags = encap->flags;
    const int csum = encap->kind == TMTU_ENCAP_GRE && (flags & TMTU_ENCAP_CSUM);
    return (csum ? (unsigned)W_GRE_C : 0) |
           (flags & TMTU_ENCAP_KEY ? (unsigned)W_GRE_K : 0) |
           (flags & TMTU_ENCAP_SEQ ? (unsigned)W_GRE_S : 0);
}

static inline int encap_gre_shim(const struct tmtu_encap *encap, unsigned word)
{
    const int udp =
        encap->kind == TMTU_ENCAP_GREUDP ? tmtu_encap_udp_size(encap) : 0;
    return udp < 0 ? udp : udp + encap_gre_length(word);
}

int tmtu_encap_gre_size(const struct tmtu_encap *encap)
{
    return encap_gre_shim(encap, encap_gre_word(encap));
}

/* What the word says there is, at p; the checksum over `len` bytes in all. */
static inline void encap_gre_options(uint8_t *p, const struct tmtu_encap *encap,
                                     unsigned word, uint32_t seq, uint32_t len)
{
    uint8_t *at = p + W_GRE_SIZE;
    if (word & W_GRE_C) {
        tmtu_put32(at, 0); /* Reserved1 as well (RFC 2784 §2.4) */
        at += 4;
    }
    if (word & W_GRE_K) {
        tmtu_put32(at, encap->key);
        at += 4;
    }
    if (word & W_GRE_S)
        tmtu_put32(at, seq);
    if (word & W_GRE_C)
        tmtu_put16(p + W_GRE_SIZE, (uint16_t)~tmtu_cksum_add(0, p, len));
}

int tmtu_encap_gre_push(struct tmtu_buf *buf, const struct tmtu_pkt *pkt,
                        uint32_t ttl, const struct tmtu_encap *encap,
                        const struct tmtu_encap_each *each)
{
    const int udp = encap->kind == TMTU_ENCAP_GREUDP;
    const unsigned word = encap_gre_word(encap);
    const int size = encap_gre_shim(encap, word);
    const int at = encap_outer(buf, pkt, ttl, encap, each, size,
                               udp ? W_PROTO_UDP : W_PROTO_GRE);
    if (at < 0)
        return at;
    uint8_t *p = buf->data + at, *gre = udp ? p + W_UDP_SIZE : p;
    const uint32_t len = pkt->len + (uint32_t)size;
    tmtu_put32(gre, word << 16 | (pkt->flow.ipver == 4 ? W_ETHERTYPE_IP4
                                                       : W_ETHERTYPE_IP6));
    if (word != 0) /* its checksum and UDP are never there at once */
        encap_gre_options(gre, encap, word, each->id, len);
    if (udp)
        encap_udp_write(p, encap, each->hash, len);
    return 0;
}

/* RFC 2784 §2.3: bits 1, 4 and 5 are refused, 6 to 12 ignored. */
static inline int encap_gre_known(unsigned word, unsigned type)
{
    return !(word &
             (W_GRE_VERSION | W_GRE_ROUTING | W_GRE_STRICT | W_GRE_RECUR)) &&
           (type == W_ETHERTYPE_IP4 || type == W_ETHERTYPE_IP6);
}

/* Where the key is, behind the checksum. */
static inline uint32_t encap_gre_key(const uint8_t *p, unsigned word)
{
    return tmtu_get32(p + (word & W_GRE_C ? 8 : 4));
}

enum tmtu_reason tmtu_encap_gre_read(struct tmtu_view *v,
                                     const struct tmtu_pkt *outer,
                                     const struct tmtu_encap *encap,
                                     uint8_t *ipver)
{
    if (encap->kind == TMTU_ENCAP_GREUDP) {
        const enum tmtu_reason why =
            tmtu_encap_udp_read(v, outer, encap, ipver);
        if (why != TMTU_OK)
            return why;
    }
    const uint8_t *p = tmtu_peek(*v, W_GRE_SIZE);
    if (p == NULL)
        return TMTU_R_TUNNEL_HEADER;
    const unsigned word = tmtu_get16(p), type = tmtu_get16(p + 2);
    if (!encap_gre_known(word, type))
        return TMTU_R_TUNNEL_HEADER;
    const size_t size = (size_t)encap_gre_length(word);
    if (tmtu_peek(*v, size) == NULL)
        return TMTU_R_TUNNEL_HEADER;
    if ((word & W_GRE_C) && tmtu_cksum_add(0, p, tmtu_view_len(*v)) != 0xffffu)
        return TMTU_R_OUTER_CHECKSUM;
    const int has_key = (word & W_GRE_K) != 0;
    if (has_key != ((encap->flags & TMTU_ENCAP_KEY) != 0) ||
        (has_key && encap_gre_key(p, word) != encap->key))
        return TMTU_R_TUNNEL_KEY;
    v->data += size;
    *ipver = type == W_ETHERTYPE_IP4 ? 4 : 6;
    return TMTU_OK;
}

/* Eight bytes of it are enough for whose it is: the key is the last of them, or
 * the first that are not there (RFC 792: 64 bits are quoted). */
int tmtu_encap_gre_peek(struct tmtu_view *v, const struct tmtu_pkt *outer,
                        const struct tmtu_encap *encap, uint8_t *ipver)
{
    if (outer->flow.proto == W_PROTO_UDP) {
        const int rc = tmtu_encap_udp_peek(v, outer, encap, ipver);
        if (rc < 0)
            return rc;
    }
    const uint8_t *p = tmtu_peek(*v, W_GRE_SIZE);
    if (p == NULL)
        return TMTU_E_TRUNCATED;
    const unsigned word = tmtu_get16(p), type = tmtu_get16(p + 2);
    if (!encap_gre_known(word, type))
        return TMTU_E_IGNORED;
    const int has_key = (word & W_GRE_K) != 0;
    if (encap != NULL) {
        if (has_key != ((encap->flags & TMTU_ENCAP_KEY) != 0))
            return TMTU_E_IGNORED;
        if (has_key && tmtu_peek(*v, word & W_GRE_C ? 12 : 8) != NULL &&
            encap_gre_key(p, word) != encap->key)
            return TMTU_E_IGNORED;
    }
    *ipver = type == W_ETHERTYPE_IP4 ? 4 : 6;
    if (tmtu_pull(v, (size_t)encap_gre_length(word)) == NULL)
        return TMTU_E_TRUNCATED;
    return 0;
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

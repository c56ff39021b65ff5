/* SPDX-License-Identifier: MIT */
/* All fragments together are the packet that was cut: each byte of its data
 * once, in order, none longer than the MTU.
 *
 * Input: MTU (2 bytes), frag_max (2), identification (4), how (1), then a
 * packet. */
#include <string.h>

#include <tunmtu/cksum.h>
#include <tunmtu/frag.h>

#include "harness.h"

/* Where the data of a fragment, or of what is cut, begins. */
static size_t data_at(const struct tmtu_pkt *pkt)
{
    return pkt->frag_at ? pkt->frag_at + 8u : pkt->unfragmentable;
}

/* A piece of `whole` that takes up at `sum` bytes of its data. Returns how many
 * it has. */
static size_t check(const struct tmtu_buf *out, const struct tmtu_pkt *whole,
                    const struct tmtu_frag *frag, size_t sum)
{
    struct tmtu_pkt piece;
    const size_t all = whole->len - data_at(whole);
    const int rc = tmtu_ip_parse(tmtu_buf_view(out), TMTU_IP_VERIFY, &piece);
    if (rc < 0) { /* only for the transport header that was cut */
        must(sum == 0 && rc != TMTU_E_CHECKSUM);
        must(tmtu_ip_parse(tmtu_buf_view(out), TMTU_IP_QUOTED, &piece) == 0);
    }
    const size_t n = piece.len - data_at(&piece);
    must(tmtu_buf_len(out) == piece.len && n <= all - sum);
    must(piece.flags & TMTU_PKT_FRAGMENT);
    must(!(piece.flags & TMTU_PKT_DF));
    must(piece.frag_offset == whole->frag_offset + sum);
    must(memcmp(piece.data + data_at(&piece),
                whole->data + data_at(whole) + sum, n) == 0);
    const int more = sum + n < all || (whole->flags & TMTU_PKT_MF);
    must(!(piece.flags & TMTU_PKT_MF) == !more);
    must(sum + n == all || (n > 0 && n % 8 == 0));
    must(piece.tclass == whole->tclass && piece.ttl == whole->ttl);
    must(piece.id == (piece.flow.ipver == 4 ? frag->id & 0xffff : frag->id));
    must(tmtu_addr_equal(piece.flow.src, whole->flow.src));
    must(tmtu_addr_equal(piece.flow.dst, whole->flow.dst));
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9)
        return 0;
    const uint32_t mtu = tmtu_get16(data), id = tmtu_get32(data + 4);
    const uint16_t frag_max = tmtu_get16(data + 2);
    const unsigned how = data[8] & TMTU_FRAG_FORCE;
    data += 9;
    size -= 9;

    uint8_t *packet = malloc(size ? size : 1);
    must(packet != NULL);
    memcpy(packet, data, size);
    struct tmtu_pkt pkt;
    struct tmtu_frag frag;
    if (tmtu_ip_parse(tmtu_view(packet, size), 0, &pkt) == 0) {
        pkt.frag_max = frag_max;
        if (tmtu_frag_init(&frag, &pkt, mtu, id, how) == 0) {
            const uint32_t most = frag.mtu;
            must(most <= mtu);
            uint8_t *mem = malloc(most ? most : 1); /* and not a byte more */
            must(mem != NULL);
            size_t sum = 0;
            struct tmtu_buf out = tmtu_buf(mem, most, 0);
            unsigned n = 0;
            for (; tmtu_frag_next(&frag, &out) == 1; n++) {
                must(n <= 65535 / 8);
                if (n == 0 && tmtu_buf_len(&out) == pkt.len &&
                    memcmp(mem, packet, pkt.len) == 0)
                    sum = pkt.len - data_at(&pkt);
                else
                    sum += check(&out, &pkt, &frag, sum);
            }
            must(n > 0 && sum == pkt.len - data_at(&pkt));
            must(tmtu_frag_next(&frag, &out) == 0);
            free(mem);
        }
    }
    must(memcmp(packet, data, size) == 0);
    free(packet);
    return 0;
}

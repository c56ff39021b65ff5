/* SPDX-License-Identifier: MIT */
/* Clamping keeps what was right about a packet, and leaves no MSS above the
 * one asked for.
 *
 * Input: MSS (2 bytes), how (1), headroom and tailroom (1), then a packet. */
#include <string.h>

#include <tunmtu/mss.h>

#include "harness.h"

/* The highest MSS that a receiver takes from these options; -1: none. */
static int highest(const uint8_t *tcp, size_t size)
{
    int most = -1;
    for (size_t at = 20; at < size && tcp[at] != 0;) {
        if (tcp[at] == 1) {
            at++;
            continue;
        }
        if (size - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > size - at)
            break;
        if (tcp[at] == 2 && tcp[at + 1] == 4 && tmtu_get16(tcp + at + 2) > most)
            most = tmtu_get16(tcp + at + 2);
        at += tcp[at + 1];
    }
    return most;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    const uint16_t mss = tmtu_get16(data);
    const unsigned how = data[2] & TMTU_MSS_INSERT;
    const unsigned quoted = data[2] & TMTU_IP_QUOTED;
    const size_t headroom = data[3] & 15, tailroom = data[3] >> 4;
    data += 4;
    size -= 4;

    const size_t room = headroom + size + tailroom;
    uint8_t *mem = malloc(room ? room : 1);
    must(mem != NULL);
    memset(mem, 0xa5, room);
    struct tmtu_buf b = tmtu_buf(mem, room, headroom);
    if (size > 0)
        memcpy(tmtu_buf_put(&b, size), data, size);
    struct tmtu_pkt pkt, again;
    if (tmtu_ip_parse(tmtu_buf_view(&b), quoted, &pkt) == 0) {
        const struct tmtu_pkt before = pkt;
        const int right = tmtu_ip_transport_verify(&pkt) == 0;
        const int rc = tmtu_mss_clamp(&b, &pkt, mss, how);
        if (rc <= 0) {
            must(tmtu_buf_len(&b) == size && memcmp(b.data, data, size) == 0);
            must(memcmp(&pkt, &before, sizeof pkt) == 0);
        } else {
            must(pkt.have - before.have <= (how ? 4u : 0u));
            must(tmtu_ip_parse(tmtu_buf_view(&b), quoted, &again) == 0);
            must(again.len == pkt.len && again.have == pkt.have);
            if (!quoted && !(pkt.flags & TMTU_PKT_FRAGMENT))
                must((tmtu_ip_transport_verify(&pkt) == 0) == right);
        }
        if (rc >= 0) {
            const uint8_t *tcp = b.data + pkt.l4;
            const int most = highest(tcp, (tcp[12] >> 4) * 4u);
            must(most <= mss);
            must(rc == 0 || most >= 0);
            must(tmtu_mss_clamp(&b, &pkt, mss, how) == 0);
        }
    }
    for (size_t i = 0; i < headroom; i++)
        must(mem[i] == 0xa5);
    free(mem);
    return 0;
}

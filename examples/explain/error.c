/* SPDX-License-Identifier: MIT */
/* An ICMP error, as it was captured: what it says, and about whose packet. */
#include "explain.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { ROOM = 65535 };

/* Bytes out of hexadecimal digits with blanks in between; 0: none, or
 * something else is there as well. */
static size_t bytes(const char *hex, uint8_t *out)
{
    size_t n = 0, digits = 0;
    for (; *hex != '\0'; hex++) {
        if (isspace((unsigned char)*hex))
            continue;
        if (!isxdigit((unsigned char)*hex) || n == ROOM)
            return 0;
        const int c = tolower((unsigned char)*hex);
        const int value = isdigit(c) ? c - '0' : c - 'a' + 10;
        out[n] = (uint8_t)(out[n] << 4 | value);
        if (++digits % 2 == 0)
            n++;
    }
    return digits % 2 == 0 ? n : 0;
}

/* From the packet that is quoted to the innermost of its tunnels. */
static void levels(struct read_error *e)
{
    e->level[0] = e->icmp.quoted;
    for (e->levels = 1;; e->levels++) {
        const struct tmtu_pkt *at = &e->level[e->levels - 1];
        struct tmtu_pkt inner;
        e->inside = tmtu_encap_peek(at, NULL, &inner);
        if (e->inside < 0 || e->levels == ERROR_LEVELS)
            return;
        e->overhead[e->levels - 1] = (uint32_t)e->inside;
        e->level[e->levels] = inner;
    }
}

int error_read(const char *hex, struct read_error *e)
{
    static uint8_t packet[ROOM + 1];
    const size_t n = bytes(hex, packet);
    memset(e, 0, sizeof *e);
    if (n == 0 || (packet[0] >> 4 != 4 && packet[0] >> 4 != 6))
        return TMTU_E_ARGUMENT;
    int rc = tmtu_ip_parse(tmtu_view(packet, n), 0, &e->pkt);
    if (rc == 0)
        rc = tmtu_icmp_parse(&e->pkt, &e->icmp);
    if (rc < 0)
        return rc;
    levels(e);
    e->checksum = tmtu_ip_transport_verify(&e->pkt) == 0;
    e->has_seq = tmtu_icmp_seq(&e->level[e->levels - 1], &e->seq) == 0;
    return 0;
}

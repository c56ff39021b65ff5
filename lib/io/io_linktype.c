/* SPDX-License-Identifier: MIT */
/* What stands before the IP header in a capture, by link type
 * (https://www.tcpdump.org/linktypes.html). */
#include "io_own.h"

/* As libpcap names them on Linux (DLT_), and as some files hold them. */
enum {
    LINK_NULL = 0, /* BSD loopback, address family in any byte order */
    LINK_ETHERNET = 1,
    LINK_RAW = 12,     /* DLT_RAW here; libpcap turns 101 into it */
    LINK_RAW_BSD = 14, /* DLT_RAW on OpenBSD */
    LINK_RAW_FILE = 101,
    LINK_LOOP = 108,   /* OpenBSD loopback */
    LINK_COOKED = 113, /* Linux "any", version 1 */
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_COOKED2 = 276
};

enum { ETHER_IP4 = 0x0800, ETHER_IP6 = 0x86dd };
/* IEEE 802.1Q, 802.1ad, and what was sent before 802.1ad had a number */
enum { ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8, ETHER_QINQ_OLD = 0x9100 };
enum { VLAN_TAGS_MAX = 4 };

/* sll_pkttype of <linux/if_packet.h>; 3 is "for another host", 4 "outgoing" */
enum { COOKED_BROADCAST = 1, COOKED_MULTICAST = 2 };

int tmtu_io_linktype_known(int dlt)
{
    switch (dlt) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_FILE:
    case LINK_LOOP:
    case LINK_COOKED:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_COOKED2:
        return 1;
    default:
        return 0;
    }
}

/* Past any VLAN tags; 0 when it is IP of the version promised. */
static int linktype_ip(struct tmtu_view *v, unsigned ethertype)
{
    for (int tags = 0; tags < VLAN_TAGS_MAX; tags++) {
        if (ethertype != ETHER_VLAN && ethertype != ETHER_QINQ &&
            ethertype != ETHER_QINQ_OLD)
            break;
        const uint8_t *tag = tmtu_pull(v, 4);
        if (tag == NULL)
            return -1;
        ethertype = tmtu_get16(tag + 2);
    }
    if (ethertype != ETHER_IP4 && ethertype != ETHER_IP6)
        return -1;
    return tmtu_io_contradicts(ethertype, v->data, tmtu_view_len(*v)) ? -1 : 0;
}

/* An address family of the BSDs, written in the byte order of who knows whom:
 * the numbers are small, so one of both readings is. */
static unsigned linktype_family(const uint8_t *p)
{
    const uint32_t big = tmtu_get32(p), little = tmtu_get32le(p);
    switch (big < little ? big : little) {
    case 2: /* everywhere */
        return ETHER_IP4;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return ETHER_IP6;
    default:
        return 0;
    }
}

static int linktype_cooked(struct tmtu_view *v, unsigned kind,
                           unsigned ethertype)
{
    if (linktype_ip(v, ethertype) != 0)
        return -1;
    return kind == COOKED_BROADCAST || kind == COOKED_MULTICAST
               ? (int)TMTU_IO_L2_GROUP
               : 0;
}

int tmtu_io_linktype_strip(int dlt, struct tmtu_view *v)
{
    const uint8_t *p;
    switch (dlt) {
    case LINK_ETHERNET:
        if ((p = tmtu_pull(v, 14)) == NULL ||
            linktype_ip(v, tmtu_get16(p + 12)) != 0)
            return -1;
        return p[0] & 1 ? (int)TMTU_IO_L2_GROUP : 0;
    case LINK_COOKED:
        if ((p = tmtu_pull(v, 16)) == NULL)
            return -1;
        return linktype_cooked(v, tmtu_get16(p), tmtu_get16(p + 14));
    case LINK_COOKED2:
        if ((p = tmtu_pull(v, 20)) == NULL)
            return -1;
        return linktype_cooked(v, p[10], tmtu_get16(p));
    case LINK_NULL:
    case LINK_LOOP:
        if ((p = tmtu_pull(v, 4)) == NULL)
            return -1;
        return linktype_ip(v, linktype_family(p));
    case LINK_IPV4:
        return linktype_ip(v, ETHER_IP4);
    case LINK_IPV6:
        return linktype_ip(v, ETHER_IP6);
    default: /* raw IP: whatever it is, the parser has a word for it */
        return 0;
    }
}

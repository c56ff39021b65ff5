/* SPDX-License-Identifier: MIT */
/* What a stack of headers costs. */
#include <tunmtu/stack.h>

#include "wire.h"

/* Headers in groups, by what they say of what follows them. */
enum {
    STACK_FRAME = 0x2,     /* Ethernet, by EtherType */
    STACK_PPP = 0x4,       /* by PPP protocol */
    STACK_MPLS = 0x8,      /* by label */
    STACK_IP4 = 0x10,      /* by IP protocol */
    STACK_IP6 = 0x20,      /* by next header, extension headers too */
    STACK_PROTO = 0x40,    /* by IP protocol, in something that is not IP */
    STACK_UDP = 0x80,      /* by port */
    STACK_TCP = 0x100,     /* a stream */
    STACK_GRE = 0x200,     /* by EtherType; its own options follow it */
    STACK_ETYPE = 0x400,   /* by EtherType */
    STACK_IP_IN = 0x800,   /* IP alone */
    STACK_ETH_IN = 0x1000, /* a frame, nothing else */
    STACK_PPP_IN = 0x2000, /* PPP, nothing else */
    STACK_L2_IN = 0x4000,  /* whatever was agreed on */
    STACK_BYTES = 0x8000,  /* a number: whatever */
    STACK_IP = STACK_IP4 | STACK_IP6 | STACK_BYTES,
    STACK_IP_LIKE = STACK_IP | STACK_PROTO,
    STACK_OPEN = STACK_ETH_IN | STACK_PPP_IN | STACK_L2_IN, /* never the last */
    /* Where an IP packet may stand. */
    STACK_ANY_IP = 0xffff & ~(STACK_OPEN | STACK_TCP)
};

/* Padding ends in its length and the next header (RFC 4303 §2.4). */
enum { STACK_ESP_TAIL = 2 };
/* RFC 4303 §2: SPI and sequence number. */
enum { STACK_ESP_HEAD = 8 };

static const struct tmtu_stack_header stack_headers[] = {
    {"N", "so many bytes of anything: options, extensions, a cookie", 0, 0,
     STACK_BYTES, 0xffff},
    {"eth", "Ethernet header (IEEE 802.3); in front: no part of the MTU", 14, 0,
     STACK_FRAME,
     TMTU_STACK_FRONT | STACK_GRE | STACK_ETYPE | STACK_ETH_IN | STACK_L2_IN |
         STACK_MPLS | STACK_IP_LIKE},
    {"vlan", "802.1Q tag; in front: no part of the MTU", 4, 0, STACK_FRAME,
     TMTU_STACK_FRONT | STACK_FRAME | STACK_L2_IN | STACK_BYTES},
    {"pppoe", "PPPoE and PPP protocol (RFC 2516 §4, §7)", 8, 0, STACK_PPP,
     TMTU_STACK_FRONT | STACK_FRAME | STACK_BYTES},
    {"ppp", "PPP address, control, protocol (RFC 1661 §2, 1662 §3.1)", 4, 0,
     STACK_PPP,
     TMTU_STACK_FRONT | STACK_PPP_IN | STACK_L2_IN | STACK_GRE | STACK_BYTES},
    {"mpls", "one label (RFC 3032 §2.1)", 4, 0, STACK_MPLS,
     TMTU_STACK_FRONT | STACK_FRAME | STACK_PPP | STACK_MPLS | STACK_GRE |
         STACK_ETYPE | STACK_UDP | STACK_IP_LIKE},
    {"ipv4", "IPv4 header without options (RFC 791 §3.1)", W_IP4_SIZE, 0,
     STACK_IP4, STACK_ANY_IP},
    {"ipv6", "IPv6 header (RFC 8200 §3)", W_IP6_SIZE, 0, STACK_IP6,
     STACK_ANY_IP},
    {"tel", "tunnel encapsulation limit (RFC 2473 §4.1.1)", 8, 0, STACK_IP6,
     STACK_IP6 | STACK_BYTES},
    {"frag6", "IPv6 Fragment header (RFC 8200 §4.5)", W_FRAG6_SIZE, 0,
     STACK_IP6, STACK_IP6 | STACK_BYTES},
    {"udp", "UDP header (RFC 768)", W_UDP_SIZE, 0, STACK_UDP, STACK_IP_LIKE},
    {"tcp", "TCP header without options (RFC 9293 §3.1)", W_TCP_SIZE, 0,
     STACK_TCP, STACK_IP_LIKE},
    {"gre", "GRE header (RFC 2784 §2; behind udp RFC 8086 §3)", 4, 0, STACK_GRE,
     STACK_IP_LIKE | STACK_UDP},
    {"csum", "GRE checksum and Reserved1 (RFC 2784 §2.5)", 4, 0, STACK_GRE,
     STACK_GRE},
    {"key", "GRE key (RFC 2890 §2.1)", 4, 0, STACK_GRE, STACK_GRE},
    {"seq", "GRE sequence number (RFC 2890 §2.2)", 4, 0, STACK_GRE, STACK_GRE},
    {"gue", "GUE variant 0 without extensions (draft-ietf-intarea-gue-09)", 4,
     0, STACK_PROTO, STACK_UDP | STACK_BYTES},
    {"gue1", "GUE variant 1: IP straight in UDP (the same draft)", 0, 0,
     STACK_IP_IN, STACK_UDP | STACK_BYTES},
    {"vxlan", "VXLAN header; a frame follows (RFC 7348 §5)", 8, 0, STACK_ETH_IN,
     STACK_UDP | STACK_BYTES},
    {"vxlan-gpe", "VXLAN-GPE header (draft-ietf-nvo3-vxlan-gpe-12)", 8, 0,
     STACK_ETYPE, STACK_UDP | STACK_BYTES},
    {"geneve", "Geneve header without options (RFC 8926 §3.4)", 8, 0,
     STACK_ETYPE, STACK_UDP | STACK_BYTES},
    {"wireguard", "WireGuard data, header 16 and tag 16 (its paper, §5.4.6)",
     32, 0, STACK_IP_IN, STACK_UDP | STACK_BYTES},
    {"esp-gcm", "ESP, AES-GCM or ChaCha20 (RFC 4303, 4106, 7634)",
     STACK_ESP_HEAD + 8 + STACK_ESP_TAIL + 16, 4, STACK_PROTO,
     STACK_IP | STACK_UDP},
    {"esp-cbc", "ESP, AES-CBC, HMAC-SHA-256-128 (RFC 4303, 3602, 4868)",
     STACK_ESP_HEAD + 16 + STACK_ESP_TAIL + 16, 16, STACK_PROTO,
     STACK_IP | STACK_UDP},
    {"l2tp", "L2TPv2 data without options; PPP follows (RFC 2661 §3.1)", 6, 0,
     STACK_PPP_IN, STACK_UDP | STACK_BYTES},
    {"l2tpv3", "L2TPv3 over UDP without cookie (RFC 3931 §4.1.2.1)", 8, 0,
     STACK_L2_IN, STACK_UDP | STACK_BYTES},
    {"l2tpv3-ip", "L2TPv3 over IP without cookie (RFC 3931 §4.1.1.1)", 4, 0,
     STACK_L2_IN, STACK_IP_LIKE},
    {"gtpu", "GTP-U without optional fields (3GPP TS 29.281 §5.1)", 8, 0,
     STACK_IP_IN, STACK_UDP | STACK_BYTES},
};
enum { STACK_HEADERS = sizeof stack_headers / sizeof stack_headers[0] };

const struct tmtu_stack_header *tmtu_stack_header(size_t index)
{
    return index < STACK_HEADERS ? &stack_headers[index] : NULL;
}

static int stack_is(const char *word, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++) {
        const char c = word[i];
        const char low = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        if (low != name[i]) /* the 0 of a shorter name differs, too */
            return 0;
    }
    return name[len] == '\0';
}

/* 0: the word is no number from 1 to 65535. */
static uint16_t stack_number(const char *word, size_t len)
{
    uint32_t n = 0;
    if (len > 5)
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9')
            return 0;
        n = n * 10 + (uint32_t)(word[i] - '0');
    }
    return (uint16_t)(n <= 65535 ? n : 0);
}

/* Fills in header and bytes; nonzero: there is such a name. */
static int stack_find(const char *word, size_t len,
                      struct tmtu_stack_item *item)
{
    item->header = 0;
    item->bytes = stack_number(word, len);
    if (item->bytes != 0)
        return 1;
    for (uint8_t i = 1; i < STACK_HEADERS; i++) {
        if (stack_is(word, len, stack_headers[i].name)) {
            item->header = i;
            item->bytes = stack_headers[i].bytes;
            return 1;
        }
    }
    return 0;
}

/* The text as items, and where it stopped. */
static int stack_read(const char *text, size_t *at, struct tmtu_stack *s)
{
    uint32_t before = TMTU_STACK_FRONT;
    for (;; ++*at) {
        size_t len = 0;
        if (s->count == TMTU_STACK_MAX)
            return TMTU_E_LIMIT;
        struct tmtu_stack_item *item = &s->item[s->count];
        while (text[*at + len] != '\0' && text[*at + len] != '+') {
            if (*at + ++len >= TMTU_STACK_TEXT)
                return TMTU_E_LIMIT;
        }
        if (!stack_find(text + *at, len, item))
            return TMTU_E_MALFORMED;
        if (!(stack_headers[item->header].behind & before))
            return TMTU_E_FORBIDDEN;
        before = stack_headers[item->header].group;
        item->at = (uint16_t)*at;
        item->role = TMTU_STACK_OVERHEAD;
        s->count++;
        *at += len;
        if (text[*at] == '\0')
            return before & STACK_OPEN ? TMTU_E_FORBIDDEN : 0;
    }
}

/* 4 or 6; 0: no IP header (an extension header is none). */
static uint8_t stack_version(const struct tmtu_stack_item *item)
{
    const struct tmtu_stack_header *h = &stack_headers[item->header];
    if (h->bytes == W_IP4_SIZE && h->group == STACK_IP4)
        return 4;
    return h->bytes == W_IP6_SIZE && h->group == STACK_IP6 ? 6 : 0;
}

/* What each item is. */
static void stack_roles(struct tmtu_stack *s)
{
    struct tmtu_stack_item *last = &s->item[s->count - 1];
    s->inner = stack_version(last);
    if (s->inner != 0) {
        last->role = TMTU_STACK_INNER;
        last->bytes = 0;
    }
    for (unsigned i = 0; i < s->count; i++) {
        if (stack_headers[s->item[i].header].group != STACK_FRAME)
            break;
        s->item[i].role = TMTU_STACK_LINK;
    }
    for (unsigned i = 0; i < s->count; i++) {
        const struct tmtu_stack_item *item = &s->item[i];
        if (item->role == TMTU_STACK_LINK)
            s->link += item->bytes;
        if (item->role != TMTU_STACK_OVERHEAD)
            continue;
        s->overhead += item->bytes;
        if (s->outer == 0)
            s->outer = stack_version(item);
    }
}

static uint32_t stack_less(uint32_t from, uint32_t bytes)
{
    return from > bytes ? from - bytes : 0;
}

/* From the outside in: each header takes its bytes, encryption rounds down what
 * it has left for the packet and the end of its padding. */
static uint32_t stack_inner(const struct tmtu_stack *s, uint32_t mtu)
{
    for (unsigned i = 0; i < s->count; i++) {
        const struct tmtu_stack_item *item = &s->item[i];
        const uint32_t block = stack_headers[item->header].block;
        if (item->role != TMTU_STACK_OVERHEAD)
            continue;
        if (block == 0) {
            mtu = stack_less(mtu, item->bytes);
            continue;
        }
        mtu = stack_less(mtu, item->bytes - (uint32_t)STACK_ESP_TAIL);
        mtu = stack_less(mtu - mtu % block, STACK_ESP_TAIL);
    }
    return mtu;
}

uint32_t tmtu_stack_outer(const struct tmtu_stack *stack, uint32_t inner)
{
    for (unsigned i = stack->count; i-- > 0;) {
        const struct tmtu_stack_item *item = &stack->item[i];
        const uint32_t block = stack_headers[item->header].block;
        if (item->role != TMTU_STACK_OVERHEAD)
            continue;
        inner += item->bytes;
        if (block != 0) {
            const uint32_t fixed = item->bytes - (uint32_t)STACK_ESP_TAIL;
            inner += (block - (inner - fixed) % block) % block;
        }
    }
    return inner;
}

int tmtu_stack_parse(const char *text, uint32_t mtu, size_t *at,
                     struct tmtu_stack *out)
{
    struct tmtu_stack s = {0};
    size_t stop = 0;
    if (mtu < 1 || mtu > 65535)
        return TMTU_E_ARGUMENT;
    const int rc = stack_read(text, &stop, &s);
    if (rc < 0) {
        if (at != NULL)
            *at = stop;
        return rc;
    }
    stack_roles(&s);
    s.inner_mtu = stack_inner(&s, mtu);
    s.mss4 = (uint16_t)stack_less(s.inner_mtu, W_IP4_SIZE + W_TCP_SIZE);
    s.mss6 = (uint16_t)stack_less(s.inner_mtu, W_IP6_SIZE + W_TCP_SIZE);
    s.ip6 = s.inner_mtu >= 1280;
    *out = s;
    return 0;
}

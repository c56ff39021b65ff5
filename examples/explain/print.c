/* SPDX-License-Identifier: MIT */
/* Output for people. */
#include "explain.h"

#include <stdio.h>
#include <string.h>

void print_list(void)
{
    const struct tmtu_stack_header *h;
    puts("  header     bytes  what it is");
    for (size_t i = 0; (h = tmtu_stack_header(i)) != NULL; i++) {
        printf("  %-10s ", h->name);
        if (i == 0)
            printf("%5s", "N");
        else
            printf("%5u", h->bytes);
        printf("  %s", h->what);
        if (h->block != 0)
            printf("; pads to %u", h->block);
        putchar('\n');
    }
}

static void print_headers(const struct tmtu_stack *s)
{
    puts("  header     bytes  what it is");
    for (unsigned i = 0; i < s->count; i++) {
        const struct tmtu_stack_item *item = &s->item[i];
        const struct tmtu_stack_header *h = tmtu_stack_header(item->header);
        printf("  %-10s ", h->name);
        if (item->role == TMTU_STACK_INNER)
            puts("    -  the inner packet");
        else if (item->role == TMTU_STACK_LINK)
            printf("(%3u)  the link's own: no part of the MTU\n", item->bytes);
        else
            printf("%5u  %s\n", item->bytes, h->what);
    }
    putchar('\n');
}

/* What a too big packet's sender hears, and how nobody sends one. */
static void print_hints(const struct tmtu_stack *s)
{
    const uint32_t inner = s->inner_mtu;
    const bool v4 = s->inner != 6, v6 = s->inner != 4;
    puts("\n  A longer packet that may not be fragmented is answered:");
    if (v4)
        printf("    IPv4 with DF  ICMP type 3 code 4, next-hop MTU %u\n",
               inner < TMTU_IP4_MIN_MTU ? TMTU_IP4_MIN_MTU : inner);
    if (v6)
        printf("    IPv6          ICMPv6 type 2, MTU %u\n",
               inner < TMTU_IP6_MIN_MTU ? TMTU_IP6_MIN_MTU : inner);
    /* Linux takes no MSS below 48 seriously (tcp_min_snd_mss). */
    const bool tcp4 = v4 && s->mss4 >= 48, tcp6 = v6 && s->mss6 >= 48;
    if (!tcp4 && !tcp6)
        return;

    puts("\n  So that nobody sends one, any of these:");
    /* Linux has no IPv6 on an interface below 1280 (RFC 8200 §5). */
    if (s->overhead > 0 && (s->ip6 || v4))
        printf("    ip link set dev TUNNEL mtu %u%s\n", inner,
               v6 && !s->ip6 ? "   (turns IPv6 off)" : "");
    if (tcp4)
        printf("    ip route replace PREFIX via ROUTER advmss %u\n", s->mss4);
    if (tcp6)
        printf("    ip -6 route replace PREFIX via ROUTER advmss %u\n",
               s->mss6);
    printf("    tunmtu-realserver --clamp-mss %u%s\n",
           tcp6 ? s->mss6 : s->mss4, /* the smaller one suits both */
           tcp4 && tcp6 ? "   (for both families)" : "");
}

void print_one(const struct explained *e)
{
    const struct tmtu_stack *s = &e->stack;
    const uint32_t lost = e->mtu > s->overhead + s->inner_mtu
                              ? e->mtu - s->overhead - s->inner_mtu
                              : 0;
    uint32_t block = 0;
    for (unsigned i = 0; i < s->count; i++) {
        const struct tmtu_stack_header *h =
            tmtu_stack_header(s->item[i].header);
        block = h->block > block ? h->block : block;
    }
    print_headers(s);
    printf("  MTU of the link      %5u%s\n", e->mtu,
           s->outer == 6 && e->mtu < TMTU_IP6_MIN_MTU
               ? "  no link for IPv6, which needs 1280 (RFC 8200 §5)"
               : "");
    printf("  overhead             %5u", s->overhead);
    if (block != 0)
        printf("  and padding to a multiple of %u", block);
    printf("\n  inner MTU            %5u", s->inner_mtu);
    if (s->inner_mtu == 0)
        printf("  no room for any packet");
    else if (lost > 0)
        printf("  %u more would go over the MTU with their padding", lost);
    printf("\n  TCP MSS over IPv4    %5u\n  TCP MSS over IPv6    %5u\n",
           s->mss4, s->mss6);
    if (s->ip6)
        printf("  IPv6's minimum MTU    1280  fits\n");
    else
        printf("  IPv6's minimum MTU    1280  does not fit%s\n",
               s->outer ? ": outer fragments (RFC 2473 §7.1)" : "");
    if (s->inner_mtu > 0)
        print_hints(s);
}

void print_table(const struct explained *e, size_t n)
{
    int width = 5;
    for (size_t i = 0; i < n; i++)
        width = (int)strlen(e[i].text) > width ? (int)strlen(e[i].text) : width;
    printf("  %-*s  overhead  inner MTU  MSS IPv4  MSS IPv6  IPv6's 1280\n",
           width, "stack");
    for (size_t i = 0; i < n; i++) {
        const struct tmtu_stack *s = &e[i].stack;
        printf("  %-*s  %8u  %9u  %8u  %8u  %s\n", width, e[i].text,
               s->overhead, s->inner_mtu, s->mss4, s->mss6,
               s->ip6 ? "fits" : "does not fit");
    }
}

static void print_pieces(const struct fate *fate)
{
    if (fate->pieces == 0)
        printf("lost: no fragments can carry it");
    else if (fate->pieces <= 2)
        printf("sent in %s fragments of %u and %u bytes",
               fate->cut == CUT_OUTER ? "outer" : "its own", fate->first,
               fate->last);
    else
        printf("sent in %s fragments, %u of %u bytes and one of %u",
               fate->cut == CUT_OUTER ? "outer" : "its own", fate->pieces - 1,
               fate->first, fate->last);
}

void print_fate(unsigned which, uint32_t size, const struct fate *fate)
{
    static const char *const names[] = {"IPv4, DF", "IPv4, no DF", "IPv6"};
    const struct tmtu_mtu_decision *d = &fate->decision;
    printf("  %5u bytes, %-11s  ", size, names[which]);
    if (d->action == TMTU_MTU_FITS)
        printf("fits: %u bytes outside", fate->outer);
    else if (d->action == TMTU_MTU_DROP)
        printf("dropped");
    else
        print_pieces(fate);
    if (d->notify)
        printf("; answer: %s %u",
               which == EXPLAIN_V6 ? "ICMPv6 packet too big, MTU"
                                   : "ICMP fragmentation needed, MTU",
               d->mtu);
    putchar('\n');
}

/* SPDX-License-Identifier: MIT */
/* An ICMP error told, to people and to programs. */
#include "explain.h"

#include <stdio.h>

#include "args.h"

/* IPv6 has no header checksum. */
static const char *header_sum(const struct tmtu_pkt *quoted)
{
    switch (tmtu_icmp_quote_check(quoted)) {
    case 0:
        return "right";
    case TMTU_E_CHECKSUM:
        return "wrong";
    default:
        return "none";
    }
}

static const char *protocol(uint8_t proto)
{
    switch (proto) {
    case 1:
        return "ICMP";
    case 4:
        return "IPv4";
    case 6:
        return "TCP";
    case 17:
        return "UDP";
    case 41:
        return "IPv6";
    case 47:
        return "GRE";
    case 50:
        return "ESP";
    case 58:
        return "ICMPv6";
    case 132:
        return "SCTP";
    default:
        return NULL;
    }
}

static void end(const struct tmtu_flow *f, const uint8_t addr[16],
                uint16_t port)
{
    char text[ARGS_ENDPOINT];
    fputs(f->flags & TMTU_FLOW_PORTS ? args_endpoint_text(addr, port, text)
                                     : args_addr_text(addr, text),
          stdout);
}

/* Why what is inside of the last one is not told. */
static const char *inside(int rc)
{
    switch (rc) {
    case TMTU_E_IGNORED:
        return "";
    case TMTU_E_TRUNCATED:
        return ", ends before the packet in this tunnel";
    default:
        return rc < 0 ? ", and no IP packet in this tunnel"
                      : ", a tunnel in too many others";
    }
}

static void print_level(const struct read_error *e, unsigned i)
{
    const struct tmtu_pkt *q = &e->level[i];
    const bool tunnel = i + 1 < e->levels;
    const char *name = protocol(q->flow.proto);
    printf("  %-16s ", tunnel ? "in a tunnel" : "about");
    end(&q->flow, q->flow.src, q->flow.sport);
    fputs(" > ", stdout);
    end(&q->flow, q->flow.dst, q->flow.dport);
    if (name != NULL)
        printf(", %s", name);
    else
        printf(", protocol %u", q->flow.proto);
    if (tunnel)
        printf(", %u bytes in front", e->overhead[i]);
    if (!tunnel && e->has_seq)
        printf(", sequence number %u", e->seq);
    if (q->flags & TMTU_PKT_LATER)
        printf(", a later fragment: no ports");
    else if (q->flags & TMTU_PKT_FRAGMENT)
        printf(", a first fragment");
    if (q->have <= q->len)
        printf("\n  %-16s %u of %u bytes", "", q->have, q->len);
    else
        printf("\n  %-16s %u bytes, its length is not told", "", q->have);
    if (q->flow.ipver == 4)
        printf(", header checksum %s", header_sum(q));
    if (q->flags & TMTU_PKT_CUT)
        printf(", ends before the transport header");
    else if (!tunnel)
        fputs(inside(e->inside), stdout);
    putchar('\n');
}

void error_print(const struct read_error *e)
{
    const struct tmtu_icmp *icmp = &e->icmp;
    char from[ARGS_ADDR], to[ARGS_ADDR];
    printf("  %-16s %s type %u code %u: %s\n", "error",
           e->pkt.flow.ipver == 4 ? "ICMP" : "ICMPv6", icmp->type, icmp->code,
           tmtu_icmp_meaning(e->pkt.flow.ipver, icmp->type, icmp->code));
    printf("  %-16s %s, to %s\n", "from", args_addr_text(e->pkt.flow.src, from),
           args_addr_text(e->pkt.flow.dst, to));
    if (icmp->kind == TMTU_ICMP_TOO_BIG && icmp->info == 0 &&
        e->pkt.flow.ipver == 4) /* RFC 4443 §3.2: IPv6 always tells */
        printf("  %-16s not told\n", "next-hop MTU");
    else if (icmp->kind == TMTU_ICMP_TOO_BIG)
        printf("  %-16s %u\n", "next-hop MTU", icmp->info);
    else if (icmp->kind == TMTU_ICMP_PARAM)
        printf("  %-16s byte %u\n", "pointer", icmp->info);
    else if (icmp->kind == TMTU_ICMP_REDIRECT)
        printf("  %-16s %u.%u.%u.%u\n", "gateway", icmp->info >> 24,
               icmp->info >> 16 & 255, icmp->info >> 8 & 255, icmp->info & 255);
    printf("  %-16s %s\n", "checksum", e->checksum ? "right" : "wrong");
    for (unsigned i = 0; i < e->levels; i++)
        print_level(e, i);
    if (icmp->ext)
        printf("  %-16s behind the quote (RFC 4884)\n", "extensions");
}

static const char *yes(bool b)
{
    return b ? "true" : "false";
}

static void json_level(const struct read_error *e, unsigned i)
{
    const struct tmtu_pkt *q = &e->level[i];
    char src[ARGS_ADDR], dst[ARGS_ADDR];
    printf("%s{\"src\":\"%s\",\"dst\":\"%s\",\"protocol\":%u,\"length\":%u,"
           "\"there\":%u,\"header_checksum\":\"%s\",\"fragment\":%s,"
           "\"cut\":%s",
           i ? "," : "", args_addr_text(q->flow.src, src),
           args_addr_text(q->flow.dst, dst), q->flow.proto, q->len, q->have,
           header_sum(q), yes(q->flags & TMTU_PKT_FRAGMENT),
           yes(q->flags & TMTU_PKT_CUT));
    if (q->flow.flags & TMTU_FLOW_PORTS)
        printf(",\"sport\":%u,\"dport\":%u", q->flow.sport, q->flow.dport);
    if (i + 1 < e->levels)
        printf(",\"overhead\":%u", e->overhead[i]);
    putchar('}');
}

void error_json(const struct read_error *e)
{
    const struct tmtu_icmp *icmp = &e->icmp;
    char from[ARGS_ADDR], to[ARGS_ADDR];
    printf("{\"ipver\":%u,\"type\":%u,\"code\":%u,\"meaning\":\"%s\","
           "\"from\":\"%s\",\"to\":\"%s\",\"info\":%u,\"checksum\":%s,"
           "\"extensions\":%s,\"quoted\":[",
           e->pkt.flow.ipver, icmp->type, icmp->code,
           tmtu_icmp_meaning(e->pkt.flow.ipver, icmp->type, icmp->code),
           args_addr_text(e->pkt.flow.src, from),
           args_addr_text(e->pkt.flow.dst, to), icmp->info, yes(e->checksum),
           yes(icmp->ext));
    for (unsigned i = 0; i < e->levels; i++)
        json_level(e, i);
    printf("],\"ends_in_tunnel\":%s", yes(e->inside != TMTU_E_IGNORED));
    if (e->has_seq)
        printf(",\"sequence\":%u", e->seq);
    puts("}");
}

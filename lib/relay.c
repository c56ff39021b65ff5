/* SPDX-License-Identifier: MIT */
/* Errors about our own tunnel packets, in terms of the packet inside. */
#include <tunmtu/relay.h>

#include "encap_kinds.h"
#include "ip_ends.h"

/* Codes of ICMPv4 "unreachable": those that RFC 2003 §4.1 returns as network
 * unreachable, and as host unreachable. What it does not know is of the one
 * sort or the other. A filter in the tunnel's way is none for what is inside,
 * and 9, 10 and 13 would end the sender's connections. */
enum {
    RELAY_NET = 1 << 0 | 1 << 2 | 1 << 6 | 1 << 11,
    RELAY_HOST = 1 << 1 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 |
                 1 << 13 | 1 << 14 | 1 << 15
};

enum { RELAY_UNREACH_NET = 0, RELAY_UNREACH_HOST = 1 }; /* ICMPv4 */
enum { RELAY_UNREACH_ADDR = 3 };                        /* ICMPv6 */

/* The longest outer packet that the error leaves; 0: it says nothing that may
 * be acted on, for *why. */
static uint32_t relay_outer(const struct tmtu_icmp *icmp, uint32_t path_mtu,
                            uint32_t floor4, uint8_t *why)
{
    const struct tmtu_pkt *outer = &icmp->quoted;
    uint32_t mtu = icmp->info, least = floor4;
    if (outer->flow.ipver == 6) {
        least = TMTU_IP6_MIN_MTU;
        if (mtu < least) { /* RFC 8201 §4: discard it */
            *why = TMTU_R_MTU_FLOOR;
            return 0;
        }
    } else if (mtu == 0) {
        mtu = tmtu_pmtu_plateau(outer->len, outer->unfragmentable, path_mtu);
    }
    if (mtu >= ip_quoted_len(outer)) {
        *why = TMTU_R_MTU_CLAIM;
        return 0;
    }
    mtu = mtu > least ? mtu : least;
    return mtu < path_mtu ? mtu : path_mtu;
}

/* "Too big": what the tunnel's sender can do about it (RFC 2003 §5, RFC 2473
 * §7). mtu: of the outer packet. */
static enum tmtu_reason relay_size(struct tmtu_relay *r, uint32_t mtu,
                                   uint8_t flags)
{
    const struct tmtu_pkt *inner = &r->inner;
    const int v4 = inner->flow.ipver == 4;
    const uint32_t least = v4 ? TMTU_IP4_MIN_MTU : TMTU_IP6_MIN_MTU;
    if (v4 && !(inner->flags & TMTU_PKT_DF))
        return TMTU_R_MAY_CUT; /* K79 */
    if (mtu > least + r->overhead)
        mtu -= r->overhead;
    else if (!v4 || !(flags & TMTU_RELAY_LOW))
        mtu = least;
    if (mtu >= inner->len)
        return TMTU_R_FITS; /* R-2473-14 */
    r->error.kind = TMTU_ICMP_TOO_BIG;
    r->error.info = mtu;
    return TMTU_OK;
}

/* RFC 2003 §4.5: a pointer into the inner packet, or at what was copied out of
 * it. */
static enum tmtu_reason relay_param(struct tmtu_relay *r,
                                    const struct tmtu_icmp *icmp,
                                    const struct tmtu_encap *encap)
{
    uint32_t at = icmp->info;
    /* Of 1, an option that is missing, there is no pointer; of codes above 2
     * nobody knows what they say. */
    if (icmp->code != 0 && icmp->code != 2)
        return TMTU_R_NOT_RELAYED;
    if (at >= r->overhead)
        at -= r->overhead;
    else if (at != W_IP4_TOS || encap->dscp != TMTU_DSCP_COPY)
        return TMTU_R_NOT_RELAYED;
    if (at >= r->inner.len)
        return TMTU_R_NOT_RELAYED;
    r->error.kind = TMTU_ICMP_PARAM;
    r->error.code = icmp->code;
    r->error.info = at;
    return TMTU_OK;
}

/* The kind and code for an inner IPv4 packet of an error from IPv4 (RFC 2003
 * §4); IPv6 has but one way to say it. */
static enum tmtu_reason relay_from4(struct tmtu_relay *r,
                                    const struct tmtu_icmp *icmp,
                                    const struct tmtu_encap *encap,
                                    uint8_t flags)
{
    const uint32_t bit = icmp->code < 32 ? 1u << icmp->code : 0;
    const int same = (flags & TMTU_RELAY_SAME) != 0 && r->inner.flow.ipver == 4;
    r->error.kind = TMTU_ICMP_UNREACH;
    r->error.code = RELAY_UNREACH_HOST;
    switch (icmp->kind) {
    case TMTU_ICMP_UNREACH:
        if (same)
            r->error.code = icmp->code;
        else if ((bit & RELAY_NET) && !(flags & TMTU_RELAY_LOCAL))
            r->error.code = RELAY_UNREACH_NET;
        else if (!(bit & (RELAY_NET | RELAY_HOST)))
            return TMTU_R_NOT_RELAYED;
        return TMTU_OK;
    case TMTU_ICMP_EXPIRED:
        if (same) {
            r->error.kind = TMTU_ICMP_EXPIRED;
            r->error.code = icmp->code;
        } else if (icmp->code != 0) {
            return TMTU_R_NOT_RELAYED; /* fragments: the path is there */
        }
        return TMTU_OK;
    case TMTU_ICMP_PARAM:
        return same ? TMTU_R_NOT_RELAYED : relay_param(r, icmp, encap);
    default:
        return TMTU_R_NOT_RELAYED;
    }
}

/* The same of an error from IPv6 (RFC 2473 §8.1): three problems, one word. */
static enum tmtu_reason relay_from6(struct tmtu_relay *r,
                                    const struct tmtu_icmp *icmp)
{
    uint32_t at;
    r->error.kind = TMTU_ICMP_UNREACH;
    r->error.code = RELAY_UNREACH_HOST;
    switch (icmp->kind) {
    case TMTU_ICMP_UNREACH:
        return TMTU_OK;
    case TMTU_ICMP_EXPIRED:
        return icmp->code == 0 ? TMTU_OK : TMTU_R_NOT_RELAYED;
    case TMTU_ICMP_PARAM:
        if (icmp->code == 0 && tmtu_encap_limit(&icmp->quoted, &at) == 0 &&
            at == icmp->info)
            return TMTU_OK;
        return TMTU_R_NOT_RELAYED;
    default:
        return TMTU_R_NOT_RELAYED;
    }
}

static enum tmtu_reason relay_other(struct tmtu_relay *r,
                                    const struct tmtu_icmp *icmp,
                                    const struct tmtu_encap *encap,
                                    uint8_t flags)
{
    const enum tmtu_reason why = icmp->quoted.flow.ipver == 4
                                     ? relay_from4(r, icmp, encap, flags)
                                     : relay_from6(r, icmp);
    if (why == TMTU_OK && r->inner.flow.ipver == 6) {
        r->error.kind = TMTU_ICMP_UNREACH; /* R-2473-13, R-4213-11 */
        r->error.code = RELAY_UNREACH_ADDR;
        r->error.info = 0;
    }
    return why;
}

/* Whether an error about the inner packet can be built, and by whom. */
static enum tmtu_reason relay_may_send(struct tmtu_relay *r)
{
    const struct tmtu_pkt *inner = &r->inner;
    const enum tmtu_reason why = tmtu_icmp_may_send(inner, &r->error);
    if (why != TMTU_OK)
        return why;
    if (inner->have > TMTU_ICMP6_MAX - TMTU_ICMP_HEADROOM &&
        inner->l4 + 8 > TMTU_ICMP6_MAX - TMTU_ICMP_HEADROOM)
        return TMTU_R_NO_ROOM;
    if (!tmtu_addr_is_host(inner->flow.dst) ||
        tmtu_addr_is4(inner->flow.dst) != (inner->flow.ipver == 4) ||
        tmtu_addr_equal(inner->flow.dst, inner->flow.src))
        r->error.from = TMTU_ICMP_FROM_SRC;
    return TMTU_OK;
}

/* As much as who gets the error needs to know whose it is: RFC 792's 8 bytes,
 * behind whatever IPv6 has in front of them (R-4213-11). */
static int relay_short(const struct tmtu_pkt *inner)
{
    return (inner->flags & TMTU_PKT_CUT) ||
           (inner->have != inner->len && inner->have < inner->l4 + 8u);
}

/* Finds the inner packet. A later fragment has none, and names its tunnel by
 * its ends and protocol alone; with an encapsulation limit, by the header that
 * the limit is in. */
static int relay_peek(const struct tmtu_pkt *outer,
                      const struct tmtu_encap *encap, struct tmtu_relay *r)
{
    if (outer->flags & TMTU_PKT_LATER) {
        const uint8_t proto = outer->flow.proto;
        const int limit =
            proto == W_PROTO_DSTOPTS && (encap->flags & TMTU_ENCAP_TEL);
        return (limit || encap_kind_is(encap->kind, proto)) &&
                       encap_ends_are(encap, outer)
                   ? 0
                   : TMTU_E_IGNORED;
    }
    const int rc = tmtu_encap_peek(outer, encap, &r->inner);
    if (rc < 0)
        return rc == TMTU_E_TRUNCATED ? 0 : TMTU_E_IGNORED;
    r->overhead = (uint16_t)rc;
    return 0;
}

static enum tmtu_reason relay_tell(struct tmtu_relay *r,
                                   const struct tmtu_icmp *icmp,
                                   const struct tmtu_tunnel *tunnel,
                                   uint32_t mtu, uint8_t flags)
{
    const struct tmtu_pkt *outer = &icmp->quoted;
    const int too_big = icmp->kind == TMTU_ICMP_TOO_BIG;
    if ((outer->flags & TMTU_PKT_LATER) ||
        (too_big && (outer->flags & TMTU_PKT_FRAGMENT)))
        return TMTU_R_OUTER_FRAGMENT; /* R-LIB-10 */
    if (r->overhead == 0 || relay_short(&r->inner))
        return TMTU_R_QUOTE_SHORT; /* R-2003-24 */
    const enum tmtu_reason why =
        too_big
            ? relay_size(r,
                         flags & TMTU_RELAY_KNOWN ? tunnel->mtu.path_mtu : mtu,
                         flags)
            : relay_other(r, icmp, &tunnel->encap, flags);
    return why == TMTU_OK ? relay_may_send(r) : why;
}

/* TMTU_RELAY_4IN4: Linux knows no other pair. */
static int relay_pair(const struct tmtu_relay *r, const struct tmtu_pkt *outer,
                      uint8_t flags)
{
    return !(flags & TMTU_RELAY_4IN4) ||
           (outer->flow.ipver == 4 &&
            (r->overhead == 0 || r->inner.flow.ipver == 4));
}

static void relay_learn(struct tmtu_relay *r, const struct tmtu_icmp *icmp)
{
    const struct tmtu_pkt *outer = &icmp->quoted;
    r->learns = 1;
    r->learn.mtu = icmp->info;
    if (outer->flow.ipver == 4) {
        r->learn.length = (uint16_t)outer->len;
        r->learn.header = (uint8_t)outer->unfragmentable;
    }
    /* RFC 792 has 8 bytes quoted: with less, it may be about anything. Of an
     * IPv6 fragment they are its Fragment header. */
    const uint32_t head =
        outer->flow.ipver == 4 ? outer->unfragmentable : (uint32_t)W_IP6_SIZE;
    r->learn.validated =
        outer->have == outer->len || outer->have >= head + 8; /* K106 */
}

int tmtu_relay_read(const struct tmtu_icmp *icmp,
                    const struct tmtu_tunnel *tunnel,
                    const struct tmtu_relay_options *options,
                    struct tmtu_relay *out)
{
    const struct tmtu_icmp_error none = TMTU_ICMP_ERROR_INIT;
    struct tmtu_relay r = {0};
    uint32_t mtu = 0;
    if (options->size != sizeof *options ||
        options->floor4 < TMTU_IP4_MIN_MTU ||
        options->policy > TMTU_RELAY_TELL ||
        (options->flags & ~(TMTU_RELAY_LOCAL | TMTU_RELAY_IPVS)) != 0)
        return TMTU_E_ARGUMENT;
    if (relay_peek(&icmp->quoted, &tunnel->encap, &r) < 0)
        return TMTU_E_IGNORED;
    if (!relay_pair(&r, &icmp->quoted, options->flags))
        r.reason = TMTU_R_NOT_RELAYED;
    else if (icmp->kind == TMTU_ICMP_TOO_BIG)
        mtu =
            relay_outer(icmp, tunnel->mtu.path_mtu, options->floor4, &r.reason);
    if (mtu != 0 && options->policy != TMTU_RELAY_TELL)
        relay_learn(&r, icmp);
    r.error = none;
    if (r.reason == TMTU_OK && options->policy == TMTU_RELAY_STATE)
        r.reason = TMTU_R_POLICY;
    if (r.reason == TMTU_OK)
        r.reason = (uint8_t)relay_tell(&r, icmp, tunnel, mtu, options->flags);
    if (r.reason != TMTU_OK)
        r.error = none;
    *out = r;
    return 0;
}

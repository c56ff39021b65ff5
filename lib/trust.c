/* SPDX-License-Identifier: MIT */
/* What speaks against an ICMP error. */
#include <tunmtu/mtu.h>
#include <tunmtu/pmtu_path.h>
#include <tunmtu/trust.h>

#include "ip_ends.h"

static int trust_argument(const struct tmtu_trust_options *options,
                          const struct tmtu_trust_facts *facts)
{
    return options->size != sizeof *options ||
           (options->refuse & ~TMTU_TRUST_ALL) != 0 ||
           options->floor4 < TMTU_IP4_MIN_MTU ||
           options->floor6 < TMTU_IP6_MIN_MTU ||
           (facts != NULL && facts->ours > TMTU_TRUST_OURS_NO);
}

/* Who says it, and to whom. */
static uint32_t trust_message(const struct tmtu_pkt *pkt,
                              const struct tmtu_icmp *icmp)
{
    uint32_t against = 0;
    if (tmtu_ip_transport_verify(pkt) != 0)
        against |= TMTU_TRUST_CHECKSUM;
    if (!tmtu_addr_is_host(pkt->flow.src))
        against |= TMTU_TRUST_REPORTER;
    if (!tmtu_addr_equal(pkt->flow.dst, icmp->quoted.flow.src))
        against |= TMTU_TRUST_DEST;
    if (icmp->kind == TMTU_ICMP_QUENCH)
        against |= TMTU_TRUST_QUENCH;
    if (icmp->kind == TMTU_ICMP_REDIRECT)
        against |= TMTU_TRUST_REDIRECT;
    return against;
}

/* Only the sender, and who is on the path, know what is in flight. */
static uint32_t trust_window(const struct tmtu_pkt *quoted,
                             const struct tmtu_trust_facts *facts)
{
    uint32_t seq;
    if (tmtu_icmp_seq(quoted, &seq) < 0)
        return TMTU_TRUST_NO_SEQ;
    return tmtu_icmp_seq_in_window(seq, facts->una, facts->nxt)
               ? 0
               : TMTU_TRUST_WINDOW;
}

static uint32_t trust_quote(const struct tmtu_pkt *quoted)
{
    uint32_t against = 0;
    if (tmtu_icmp_quote_check(quoted) == TMTU_E_CHECKSUM)
        against |= TMTU_TRUST_QUOTE_CHECKSUM;
    if ((quoted->flags & TMTU_PKT_CUT) ||
        (ip_has_ports(quoted->flow.proto) &&
         !(quoted->flow.flags & TMTU_FLOW_PORTS)))
        against |= TMTU_TRUST_NO_PORTS;
    return against;
}

static uint32_t trust_facts(const struct tmtu_pkt *quoted,
                            const struct tmtu_trust_facts *facts)
{
    uint32_t against = 0;
    if (facts == NULL || facts->ours == TMTU_TRUST_OURS_UNKNOWN)
        against |= TMTU_TRUST_UNKNOWN;
    else if (facts->ours == TMTU_TRUST_OURS_NO)
        against |= TMTU_TRUST_NOT_OURS;
    if (facts != NULL && facts->window)
        against |= trust_window(quoted, facts);
    return against;
}

/* A "too big"; *mtu: what it claims, replaced by a guess where it is none. */
static uint32_t trust_size(const struct tmtu_pkt *quoted,
                           const struct tmtu_trust_options *options,
                           const struct tmtu_trust_facts *facts, uint32_t *mtu)
{
    uint32_t against = 0;
    if (quoted->flow.ipver == 4) {
        if (*mtu == 0) {
            uint32_t path = facts != NULL ? facts->path_mtu : 0;
            if (path == 0)
                path = UINT32_MAX;
            *mtu = tmtu_pmtu_plateau(quoted->len, quoted->unfragmentable, path);
            against |= TMTU_TRUST_NO_MTU;
        }
        if (*mtu < options->floor4)
            against |= TMTU_TRUST_FLOOR4;
        if (!(quoted->flags & TMTU_PKT_DF))
            against |= TMTU_TRUST_MAY_CUT;
    } else if (*mtu < options->floor6) {
        against |= TMTU_TRUST_FLOOR6;
    }
    if (*mtu >= ip_quoted_len(quoted))
        against |= TMTU_TRUST_NOT_SMALLER;
    return against;
}

int tmtu_trust_decide(const struct tmtu_pkt *pkt, const struct tmtu_icmp *icmp,
                      const struct tmtu_trust_options *options,
                      const struct tmtu_trust_facts *facts,
                      struct tmtu_trust *out)
{
    if (trust_argument(options, facts))
        return TMTU_E_ARGUMENT;
    const struct tmtu_pkt *quoted = &icmp->quoted;
    const int size = icmp->kind == TMTU_ICMP_TOO_BIG;
    uint32_t mtu = size ? icmp->info : 0;
    uint32_t against = trust_message(pkt, icmp) | trust_quote(quoted) |
                       trust_facts(quoted, facts);
    if (size)
        against |= trust_size(quoted, options, facts, &mtu);
    out->against = against;
    out->mtu = mtu;
    out->believed = (against & options->refuse) == 0;
    return 0;
}

const char *tmtu_trust_name(uint32_t against)
{
    static const char *const names[] = {
        "checksum",    "reporter", "dest",     "not_ours",
        "unknown",     "quench",   "redirect", "quote_checksum",
        "no_ports",    "no_seq",   "window",   "no_mtu",
        "not_smaller", "floor4",   "floor6",   "may_cut",
    };
    enum { TRUST_NAMES = sizeof names / sizeof names[0] };
    _Static_assert((1u << TRUST_NAMES) - 1 == TMTU_TRUST_ALL,
                   "a name for every doubt");
    for (unsigned i = 0; i < TRUST_NAMES; i++)
        if (against >> i & 1)
            return names[i];
    return NULL;
}

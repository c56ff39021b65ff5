/* SPDX-License-Identifier: MIT */
/* Reasons in words that fit a counter. */
#include <tunmtu/reason.h>

#include <stddef.h>

const char *tmtu_reason_name(int reason)
{
    static const char *const names[] = {
        "ok",
        "truncated",
        "malformed",
        "checksum",
        "limit",
        "unsupported",
        "internal",
        "ttl_expired",
        "too_big",
        "too_big_fragment",
        "too_big_error",
        "mtu_floor",
        "oversize",
        "loop",
        "about_error",
        "later_fragment",
        "group",
        "l2_group",
        "source",
        "no_room",
        "not_tunnel",
        "outer_source",
        "outer_dest",
        "outer_fragment",
        "inner_version",
        "inner_malformed",
        "inner_source",
        "inner_dest",
        "inner_ttl",
        "ecn",
        "limit_all",
        "limit_host",
        "duplicate",
        "outer_checksum",
        "tunnel_header",
        "tunnel_key",
        "encap_limit",
        "quote_short",
        "not_relayed",
        "mtu_claim",
        "fits",
        "may_cut",
        "policy",
    };
    _Static_assert(sizeof names / sizeof names[0] == TMTU_REASONS,
                   "a name for every reason");
    return reason < 0 || reason >= TMTU_REASONS ? NULL : names[reason];
}

/* SPDX-License-Identifier: MIT */
/* Everything about one packet (floors L0 to L2) as one translation unit that
 * also compiles freestanding and for BPF. */
#ifdef __bpf__ /* no views by value and no six arguments: all is inlined */
#pragma clang attribute push(__attribute__((always_inline)),                   \
                             apply_to = function)
#define noinline unused
#endif

#include "api.c"
#include "reason.c"
#include "cksum.c"
#include "hash.c"
#include "ip6.c"
#include "ip.c"
#include "ip_transport.c"
#include "icmp.c"
#include "icmp_build.c"
#include "icmp_meaning.c"
#include "icmp_quote.c"
#include "icmp_redirect.c"
#include "encap_gre.c"
#include "encap_gue.c"
#include "encap_limit.c"
#include "encap_udp.c"
#include "encap.c"
#include "encap_peek.c"
#include "encap_pull.c"
#include "mtu.c"
#include "mss.c"
#include "reset.c"
#include "nat_rewrite.c"
#include "nat.c"
#include "owner.c"
#include "pmtu_path.c"
#include "frag.c"
#include "segment.c"

#ifdef __bpf__
#pragma clang attribute pop
#undef noinline
#endif

/* SPDX-License-Identifier: MIT */
/* Does it fit, and if not, what then. */
#include <tunmtu/mtu.h>

#include "wire.h"

uint32_t tmtu_mtu_inner(const struct tmtu_mtu *mtu)
{
    return mtu->path_mtu > mtu->overhead ? mtu->path_mtu - mtu->overhead : 0;
}

/* The size that is held against the limit: of a GSO super-packet that of its
 * segments, of a reassembled packet that of its largest fragment (K25, K29). */
static uint32_t mtu_size(const struct tmtu_pkt *pkt)
{
    if (pkt->gso_size != 0) {
        uint32_t head = pkt->l4 + (uint32_t)W_UDP_SIZE;
        if (pkt->flow.proto == W_PROTO_TCP && pkt->have >= pkt->l4 + 20u)
            head = pkt->l4 + (pkt->data[pkt->l4 + W_TCP_DOFF] >> 4) * 4u;
        const uint32_t segment = head + pkt->gso_size;
        return segment < pkt->len ? segment : pkt->len;
    }
    return pkt->frag_max != 0 && pkt->frag_max < pkt->len ? pkt->frag_max
                                                          : pkt->len;
}

/* A packet over the limit that no router may cut. */
static void mtu_too_big(const struct tmtu_pkt *pkt, const struct tmtu_mtu *mtu,
                        struct tmtu_mtu_decision *out)
{
    const int v6 = pkt->flow.ipver == 6;
    unsigned policy = mtu->policy;
    if (v6 && (mtu->flags & TMTU_MTU_IP6_NOTIFY))
        policy = TMTU_MTU_NOTIFY;

    out->action = TMTU_MTU_OUTER_FRAG;
    if (tmtu_ip_is_icmp_error(pkt)) { /* no error about an error: K22, K23 */
        if (v6 && (mtu->flags & TMTU_MTU_ERRORS_DROP)) {
            out->action = TMTU_MTU_DROP;
            out->reason = TMTU_R_TOO_BIG_ERROR;
        }
        return;
    }
    if (v6 && (pkt->flags & TMTU_PKT_LATER)) { /* K24 */
        if (policy == TMTU_MTU_NOTIFY) {
            out->action = TMTU_MTU_DROP;
            out->reason = TMTU_R_TOO_BIG_FRAGMENT;
        }
        return;
    }
    if (policy == TMTU_MTU_FRAGMENT)
        return;
    out->notify = 1;
    if (policy == TMTU_MTU_NOTIFY) {
        out->action = TMTU_MTU_DROP;
        out->reason = TMTU_R_TOO_BIG;
    }
}

int tmtu_mtu_decide(const struct tmtu_pkt *pkt, const struct tmtu_mtu *mtu,
                    struct tmtu_mtu_decision *out)
{
    if (mtu->size != sizeof *mtu || mtu->policy > TMTU_MTU_BOTH ||
        (mtu->outer != 4 && mtu->outer != 6))
        return TMTU_E_ARGUMENT;
    const uint32_t inner = tmtu_mtu_inner(mtu), size = mtu_size(pkt);
    const uint32_t least =
        pkt->flow.ipver == 6 ? TMTU_IP6_MIN_MTU : TMTU_IP4_MIN_MTU;
    const uint32_t told = inner > least ? inner : least;
    struct tmtu_mtu_decision d = {told, TMTU_MTU_FITS, 0, TMTU_OK};

    if ((mtu->flags & TMTU_MTU_FLOOR_DROP) &&
        inner < (mtu->outer == 6 ? TMTU_IP6_MIN_MTU : TMTU_IP4_MIN_MTU)) {
        d.action = TMTU_MTU_DROP; /* K8, K9: all packets, however small */
        d.reason = TMTU_R_MTU_FLOOR;
    } else if (size > told &&
               (pkt->flow.ipver == 6 || (pkt->flags & TMTU_PKT_DF))) {
        mtu_too_big(pkt, mtu, &d);
    } else if (size > inner || (pkt->len > inner && pkt->gso_size == 0)) {
        /* What every link must carry (RFC 2473 §7.1 b), IPv4 without DF, and
         * reassembled packets whose fragments fitted. */
        d.action = TMTU_MTU_OUTER_FRAG;
    }
    *out = d;
    return 0;
}

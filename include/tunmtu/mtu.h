/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The decision: does a packet fit into a tunnel, and if not, what then.
 */
#ifndef TUNMTU_MTU_H
#define TUNMTU_MTU_H

#include <tunmtu/ip.h>
#include <tunmtu/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TMTU_IP4_MIN_MTU 68   /**< RFC 791: no IPv4 link carries less */
#define TMTU_IP6_MIN_MTU 1280 /**< RFC 8200 §5: no IPv6 link carries less */

/** What becomes of a packet that does not fit and must not be fragmented by
 *  a router: IPv4 with DF, IPv6. */
enum tmtu_mtu_policy {
    TMTU_MTU_NOTIFY = 0,   /**< answer "too big" and drop (K16) */
    TMTU_MTU_FRAGMENT = 1, /**< forward in outer fragments, say nothing (K18) */
    TMTU_MTU_BOTH = 2      /**< forward in outer fragments and answer */
};

/* tmtu_mtu.flags */
#define TMTU_MTU_IP6_NOTIFY                                                    \
    0x1u /**< IPv6 is answered and dropped whatever the                        \
              policy (RFC 2473 §7.1 a; Linux, K19) */
#define TMTU_MTU_FLOOR_DROP                                                    \
    0x2u /**< drop all when less than 68 (outer IPv4) or                       \
              1280 (outer IPv6) is left, as Linux does                         \
              (K8, K9); else carry in outer fragments */
#define TMTU_MTU_ERRORS_DROP                                                   \
    0x4u /**< drop ICMPv6 errors that do not fit, as                           \
              Linux does (K23); else carry them in                             \
              outer fragments */

/** How much a tunnel carries, and what to do with more; begin with
 *  TMTU_MTU_INIT. */
struct tmtu_mtu {
    size_t size;       /**< of this struct, for versions to come */
    uint32_t path_mtu; /**< longest outer packet to the far end, in bytes */
    uint16_t overhead; /**< tmtu_encap_overhead() */
    uint8_t outer;     /**< 4 or 6: version of the outer header */
    uint8_t policy;    /**< enum tmtu_mtu_policy */
    uint32_t flags;    /**< TMTU_MTU_* */
};

/** A path of 1500 bytes, IP in IPv4, notify. */
#define TMTU_MTU_INIT                                                          \
    {                                                                          \
        sizeof(struct tmtu_mtu), 1500, 20, 4, TMTU_MTU_NOTIFY, 0               \
    }

/** What to do with a packet. */
enum tmtu_mtu_action {
    TMTU_MTU_FITS = 0,       /**< encapsulate */
    TMTU_MTU_OUTER_FRAG = 1, /**< encapsulate, then cut into fragments; outer DF
                                 is clear on them */
    TMTU_MTU_DROP = 2        /**< drop, for the reason given */
};

/** The decision about one packet. */
struct tmtu_mtu_decision {
    uint32_t mtu;   /**< what an error says, in bytes: longest inner packet,
                         at least 68 (IPv4) or 1280 (IPv6) */
    uint8_t action; /**< enum tmtu_mtu_action */
    uint8_t notify; /**< nonzero: answer "too big" with mtu, if
                         tmtu_icmp_may_send allows */
    uint8_t reason; /**< enum tmtu_reason; TMTU_OK unless dropped */
};

/** Nonzero when @p pkt fits whatever the policy: the quick way, and never a
 *  different answer from tmtu_mtu_decide. */
static inline int tmtu_mtu_fits(const struct tmtu_pkt *pkt,
                                const struct tmtu_mtu *mtu)
{
    return pkt->len + mtu->overhead <= mtu->path_mtu &&
           !(mtu->flags & TMTU_MTU_FLOOR_DROP);
}

/** The longest inner packet of @p mtu's tunnel in bytes, 0 if there is no room
 *  for any: path MTU less overhead, never negative. */
TMTU_API uint32_t tmtu_mtu_inner(const struct tmtu_mtu *mtu);

/**
 * Decides about @p pkt.
 *
 * A GSO super-packet (gso_size) is judged by its segments (K29), a reassembled
 * packet (frag_max) by its largest fragment (K25, K26; for IPv4 with DF that is
 * kinder than K27). IPv4 without DF, and ICMP errors, go in outer fragments and
 * are never answered (K17, K22). Later IPv6 fragments are not answered either:
 * where TMTU_MTU_NOTIFY holds they are dropped in silence (K24). IPv6 packets
 * of 1280 bytes or less, and IPv4 ones of 68 or less, are always carried, in
 * outer fragments if need be (RFC 2473 §7.1 b; for Linux, K8 and K9, see
 * TMTU_MTU_FLOOR_DROP). The inner TTL comes first and is not looked at here.
 *
 * @retval 0               @p out is filled
 * @retval TMTU_E_ARGUMENT unknown size, policy or outer version
 *
 * On failure @p out is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_mtu_decide(const struct tmtu_pkt *pkt,
                                             const struct tmtu_mtu *mtu,
                                             struct tmtu_mtu_decision *out);

#ifdef __cplusplus
}
#endif
#endif

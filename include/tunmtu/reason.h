/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Why a packet was dropped, answered or left alone: one name for each reason,
 * so that all of them can be counted.
 */
#ifndef TUNMTU_REASON_H
#define TUNMTU_REASON_H

#include <tunmtu/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Values are part of the ABI; new ones go to the end. */
enum tmtu_reason {
    TMTU_OK = 0, /**< nothing against it */

    /* what tmtu_ip_parse refused; see tmtu_reason_of() */
    TMTU_R_TRUNCATED = 1,   /**< the packet ends too early */
    TMTU_R_MALFORMED = 2,   /**< the packet contradicts its RFC */
    TMTU_R_CHECKSUM = 3,    /**< a verified checksum is wrong */
    TMTU_R_LIMIT = 4,       /**< more headers or options than the bound */
    TMTU_R_UNSUPPORTED = 5, /**< an IPv6 jumbogram */
    TMTU_R_INTERNAL = 6,    /**< no room, or values that contradict */

    /* forwarding into a tunnel */
    TMTU_R_TTL_EXPIRED = 7,      /**< TTL or hop limit 1 or 0 on arrival */
    TMTU_R_TOO_BIG = 8,          /**< does not fit, may not be fragmented */
    TMTU_R_TOO_BIG_FRAGMENT = 9, /**< the same, an IPv6 later fragment (K24) */
    TMTU_R_TOO_BIG_ERROR = 10,   /**< the same, an ICMP error (K23) */
    TMTU_R_MTU_FLOOR = 11,       /**< the tunnel carries less than the floor */
    TMTU_R_OVERSIZE = 12,        /**< over 65,535 bytes once encapsulated */
    TMTU_R_LOOP = 13,            /**< from or to the tunnel's own end */

    /* why an ICMP error may not be sent (RFC 1122 §3.2.2, RFC 4443 §2.4 e) */
    TMTU_R_ABOUT_ERROR = 14,    /**< it would be about an ICMP error */
    TMTU_R_LATER_FRAGMENT = 15, /**< about a fragment other than the first */
    TMTU_R_GROUP = 16,          /**< the destination is multicast/broadcast */
    TMTU_R_L2_GROUP = 17,       /**< so was the link-layer destination */
    TMTU_R_SOURCE = 18,         /**< the source does not name one host */
    TMTU_R_NO_ROOM = 19,        /**< the path back has no room for a quote */

    /* leaving a tunnel */
    TMTU_R_NOT_TUNNEL = 20,      /**< not this kind of tunnel packet */
    TMTU_R_OUTER_SOURCE = 21,    /**< from somebody who is no peer */
    TMTU_R_OUTER_DEST = 22,      /**< not addressed to this tunnel end */
    TMTU_R_OUTER_FRAGMENT = 23,  /**< to be reassembled first */
    TMTU_R_INNER_VERSION = 24,   /**< what is inside is not the IP expected */
    TMTU_R_INNER_MALFORMED = 25, /**< what is inside does not parse */
    TMTU_R_INNER_SOURCE = 26,    /**< inner source no host may have */
    TMTU_R_INNER_DEST = 27,      /**< inner destination is not served here */
    TMTU_R_INNER_TTL = 28,       /**< inner TTL or hop limit 0 */
    TMTU_R_ECN = 29,             /**< congestion mark that cannot be carried
                                      on (RFC 6040 §4.2) */

    /* why an error that may be sent is not sent now */
    TMTU_R_LIMIT_ALL = 30,  /**< too many errors, all receivers together */
    TMTU_R_LIMIT_HOST = 31, /**< too many errors to this receiver */
    TMTU_R_DUPLICATE = 32,  /**< said about this flow a moment ago */

    /* more about tunnels */
    TMTU_R_OUTER_CHECKSUM = 33, /**< GRE's or UDP's is wrong or missing */
    TMTU_R_TUNNEL_HEADER = 34,  /**< GRE or GUE of a version, or with flags,
                                     that are not understood */
    TMTU_R_TUNNEL_KEY = 35,     /**< another GRE key, or none */
    TMTU_R_ENCAP_LIMIT = 36,    /**< in too many tunnels already (RFC 2473
                                     §4.1.1) */

    /* why an error about a tunnel packet is not told to the inner sender */
    TMTU_R_QUOTE_SHORT = 37, /**< the quote ends before it tells whose it is */
    TMTU_R_NOT_RELAYED = 38, /**< nothing that the inner sender could use */
    TMTU_R_MTU_CLAIM = 39, /**< "too big", and claims no less than it quotes */
    TMTU_R_FITS = 40,      /**< the inner packet is no longer than what would
                                be told: the tunnel takes care of it */
    TMTU_R_MAY_CUT = 41,   /**< inner IPv4 without DF: the same */
    TMTU_R_POLICY = 42,    /**< not wanted */

    TMTU_REASONS = 43 /**< how many there are */
};

/** A name in lower case, fit for a counter: "ttl_expired". NULL outside the
 *  range of enum tmtu_reason. */
TMTU_API const char *tmtu_reason_name(int reason);

/** The reason that a negative enum tmtu_error of a parser stands for. */
static inline enum tmtu_reason tmtu_reason_of(int error)
{
    switch (error) {
    case TMTU_E_TRUNCATED:
        return TMTU_R_TRUNCATED;
    case TMTU_E_MALFORMED:
        return TMTU_R_MALFORMED;
    case TMTU_E_CHECKSUM:
        return TMTU_R_CHECKSUM;
    case TMTU_E_LIMIT:
        return TMTU_R_LIMIT;
    case TMTU_E_UNSUPPORTED:
        return TMTU_R_UNSUPPORTED;
    default:
        return error < 0 ? TMTU_R_INTERNAL : TMTU_OK;
    }
}

#ifdef __cplusplus
}
#endif
#endif

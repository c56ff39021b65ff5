/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The arithmetic of a stack of headers, as people write it down:
 * "ipv6+udp+gue+ipv4" leaves how much of 1500 bytes?
 */
#ifndef TUNMTU_STACK_H
#define TUNMTU_STACK_H

#include <tunmtu/api.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TMTU_STACK_MAX  16  /**< headers that a stack may have */
#define TMTU_STACK_TEXT 256 /**< bytes of a description, with the last 0 */

/** Bit of tmtu_stack_header.behind: nothing has to stand in front. */
#define TMTU_STACK_FRONT 0x1u

/** A header that a stack may have. */
struct tmtu_stack_header {
    const char *name; /**< in lower case; that of index 0, "N", stands for any
                           number of bytes from 1 to 65535 */
    const char *what; /**< what it is, and who says how long it is */
    uint16_t bytes;   /**< what it costs at least, trailers with it */
    uint16_t block;  /**< what is inside and its last two bytes (RFC 4303 §2.4)
                          are padded to a multiple of this; 0: no padding */
    uint32_t group;  /**< one bit */
    uint32_t behind; /**< the groups it may stand behind */
};

/** What a header is in a stack. */
enum tmtu_stack_role {
    TMTU_STACK_LINK = 0,     /**< the frame's own: no part of the MTU */
    TMTU_STACK_OVERHEAD = 1, /**< takes from the MTU */
    TMTU_STACK_INNER = 2     /**< the inner packet: costs nothing */
};

/** A header of a stack. */
struct tmtu_stack_item {
    uint16_t at;    /**< where in the text it begins */
    uint16_t bytes; /**< what it takes from the MTU, or from the link */
    uint8_t header; /**< for tmtu_stack_header() */
    uint8_t role;   /**< enum tmtu_stack_role */
};

/** A stack of headers, and what is left inside of it. All in bytes. */
struct tmtu_stack {
    uint32_t overhead;  /**< taken from the MTU, without padding */
    uint32_t link;      /**< frame headers in front, which are no part of it */
    uint32_t inner_mtu; /**< longest inner packet: the MTU less overhead, and
                             less what rounding to a block loses; 0: no room */
    uint16_t mss4; /**< TCP MSS for IPv4 inside: 40 less (RFC 9293 §3.7.1);
                        0: no room */
    uint16_t mss6; /**< TCP MSS for IPv6 inside: 60 less; 0: no room */
    uint8_t ip6;   /**< nonzero: 1280 bytes fit, as IPv6 asks for (RFC
                        8200 §5), without fragments underneath */
    uint8_t outer; /**< 4 or 6: the outermost IP header; 0: there is none */
    uint8_t inner; /**< 4 or 6, if the text says so; 0: either */
    uint8_t count; /**< how many items there are */
    struct tmtu_stack_item item[TMTU_STACK_MAX]; /**< from the outside in */
};

/**
 * Reads a description and works out what is left of @p mtu bytes.
 *
 * Names of headers from the outside in, in either case, with "+" between them;
 * tmtu_stack_header() lists them. A number is so many bytes of something else
 * (options, a cookie) and may stand anywhere, in front of anything.
 *
 * @p mtu is what the outermost link carries in a frame: 1500 for Ethernet. So
 * eth and vlan in front are the frame's own and cost nothing (IEEE 802.3 lets
 * a frame grow by its tag); pppoe and mpls travel in the frame and cost (RFC
 * 2516 §7, RFC 3032 §3), as do eth and vlan inside of a tunnel. A last ipv4
 * or ipv6 is the inner packet; without one, it begins behind the last header.
 * Sizes are those of headers without options or extensions.
 *
 * Names must make sense together: vxlan stands behind udp and in front of eth.
 *
 * @param text ends with 0
 * @param mtu  in bytes, 1 to 65535
 * @param at   receives where in @p text reading stopped, after a failure other
 *             than TMTU_E_ARGUMENT; may be NULL
 * @param out  receives the result
 * @retval 0                @p out is filled
 * @retval TMTU_E_MALFORMED no name that is known stands there
 * @retval TMTU_E_FORBIDDEN this header does not stand behind that one; or, at
 *                          the end of the text, something has to follow
 * @retval TMTU_E_LIMIT     over TMTU_STACK_MAX headers or TMTU_STACK_TEXT bytes
 * @retval TMTU_E_ARGUMENT  @p mtu is out of range
 *
 * On failure @p out is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int tmtu_stack_parse(const char *text, uint32_t mtu,
                                              size_t *at,
                                              struct tmtu_stack *out);

/** How long an inner packet of @p inner bytes (at most 65535) becomes, padding
 *  and trailers with it, but not the link's headers. */
TMTU_API uint32_t tmtu_stack_outer(const struct tmtu_stack *stack,
                                   uint32_t inner);

/** The headers that tmtu_stack_parse knows, one after the other; NULL past the
 *  last. */
TMTU_API const struct tmtu_stack_header *tmtu_stack_header(size_t index);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Whose a packet is: the flow that it belongs to, named as the client sends it.
 *
 * Who steers by this, and not by a packet's own addresses, sends an ICMP error
 * where the flow goes that it is about, on every machine that sees it (RFC 7690
 * §2): of an ordinary packet it is its own flow, of an error the flow of the
 * packet that it quotes, reversed. A client's packet, an error about it that
 * reaches the client's side, the server's answer and an error about the answer
 * are told apart by direction alone; tmtu_flow_canonical makes them one.
 */
#ifndef TUNMTU_OWNER_H
#define TUNMTU_OWNER_H

#include <tunmtu/encap.h>
#include <tunmtu/icmp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How to look. */
#define TMTU_OWNER_TUNNELS                                                     \
    0x1u /**< through tunnels that a protocol number or a                      \
              well-known port tells, TMTU_ENCAP_NESTING deep:                  \
              a tunnel packet belongs to the flow that is in it */

/** What the owner is told by. Values are part of the ABI. */
enum tmtu_owner_by {
    TMTU_OWNER_PORTS = 0,    /**< addresses and ports, or the identifier of an
                                  ICMP query */
    TMTU_OWNER_PROTO = 1,    /**< addresses: its protocol has no ports. ESP and
                                  AH are among them; their SPI is not looked
                                  at, it is another one in each direction */
    TMTU_OWNER_FRAGMENT = 2, /**< addresses: a later fragment; follow.h may
                                  know more */
    TMTU_OWNER_CUT = 3,      /**< addresses: the quote ends too early, or what
                                  is there of a fragment */
    TMTU_OWNER_UNREAD = 4,   /**< addresses of an ICMP error itself: what it
                                  quotes cannot be read */
    TMTU_OWNER_DEEP = 5,     /**< addresses of a tunnel: too many of them */
    TMTU_OWNER_BYS = 6       /**< how many there are */
};

/** Which packet a fragment is of: 40 bytes without padding. */
struct tmtu_fragment {
    uint8_t src[16]; /**< who sent it; addresses as in struct tmtu_flow */
    uint8_t dst[16]; /**< to whom */
    uint32_t id;     /**< 16 bits over IPv4, 32 over IPv6 */
    uint8_t proto;   /**< over IPv6 0: there it is not part of the name */
    uint8_t ipver;   /**< 4 or 6; 0: no fragment, nothing else is set */
    uint8_t later;   /**< nonzero: not the first one */
    uint8_t quoted;  /**< by how many errors, one in the other; 0: it came */
};

/** Whose a packet is. */
struct tmtu_owner {
    struct tmtu_flow flow; /**< without TMTU_FLOW_PORTS unless by says PORTS */
    struct tmtu_fragment fragment; /**< the innermost fragment that was met, of
                                        those whose first one says more */
    uint8_t by;      /**< enum tmtu_owner_by; to be counted, others than PORTS
                          and PROTO may be wrong */
    uint8_t quoted;  /**< errors that were read: 0: the packet is none; more
                          than 1: one was in a tunnel that another quotes */
    uint8_t tunnels; /**< tunnels that were looked through */
};

/**
 * Finds whose @p pkt is.
 *
 * Nothing is verified that is not needed to find out; an error's checksum is
 * tmtu_ip_transport_verify's. Errors about tunnel packets of one's own are to
 * be given to relay.h before: they end here and belong to no server.
 *
 * @param pkt a packet, a fragment of one, or a quote
 * @param how TMTU_OWNER_TUNNELS or 0
 * @param out always filled
 * @return what it is told by, as in @p out
 */
TMTU_API enum tmtu_owner_by tmtu_owner_of(const struct tmtu_pkt *pkt,
                                          unsigned how, struct tmtu_owner *out);

/** The same for an error that has been read already. */
TMTU_API enum tmtu_owner_by tmtu_owner_of_error(const struct tmtu_icmp *icmp,
                                                unsigned how,
                                                struct tmtu_owner *out);

/** What @p by means, in lower case, fit for a counter: "fragment". NULL outside
 *  the range of enum tmtu_owner_by. */
TMTU_API const char *tmtu_owner_by_name(int by);

#ifdef __cplusplus
}
#endif
#endif

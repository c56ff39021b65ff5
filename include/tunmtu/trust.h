/* SPDX-License-Identifier: MIT */
/**
 * @file
 * How far an ICMP error may be believed: what speaks against it, each doubt a
 * bit, and whether that is enough to refuse it (RFC 5927, RFC 8899 §4.6.1).
 *
 * Anybody can write an ICMP error; what is quoted in it is the only witness.
 * What may be acted on is another matter than whom it belongs to: an error that
 * is handed on to who sent the quoted packet is judged there.
 */
#ifndef TUNMTU_TRUST_H
#define TUNMTU_TRUST_H

#include <tunmtu/icmp.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Doubts: bits, to be ORed. */
enum tmtu_trust_doubt {
    /* about any error */
    TMTU_TRUST_CHECKSUM =
        0x0001, /**< the ICMP checksum is wrong (R-5508-03, K70, K87) */
    TMTU_TRUST_REPORTER =
        0x0002, /**< whoever reports it is no host: a group, loopback,
                   unspecified, of 0.0.0.0/8 or 240.0.0.0/4 (RFC 1122
                   §3.2.1.3; Linux believes the last) */
    TMTU_TRUST_DEST =
        0x0004, /**< not sent to the one whose packet it quotes (R-LIB-08); in
                   order only where addresses are translated on the way */
    TMTU_TRUST_NOT_OURS =
        0x0008, /**< the caller says that no such packet was sent (R-8899-01) */
    TMTU_TRUST_UNKNOWN =
        0x0010, /**< the caller cannot say whether such a packet was sent */
    TMTU_TRUST_QUENCH =
        0x0020, /**< a source quench: obsolete, discard it (RFC 6633) */
    TMTU_TRUST_REDIRECT = 0x0040, /**< a redirect: believed, it would let
                                     anybody on the path choose the path */

    /* about what is quoted */
    TMTU_TRUST_QUOTE_CHECKSUM =
        0x0080, /**< the quoted IPv4 header, whole, has a wrong checksum
                   (R-5508-03); some routers quote it so, with the TTL that they
                   have lowered */
    TMTU_TRUST_NO_PORTS =
        0x0100, /**< a protocol with ports, and the quote ends before them, or
                   is of a later fragment (K106); or it ends before the type of
                   ICMP, or before what it is could be seen */
    TMTU_TRUST_NO_SEQ = 0x0200, /**< a window was given, and the quote has no
                                   TCP sequence number to compare */
    TMTU_TRUST_WINDOW =
        0x0400, /**< the quoted TCP sequence number is not in flight: SND.UNA <=
                   SEG.SEQ < SND.NXT does not hold (R-5927-01, K105) */

    /* about a "too big" */
    TMTU_TRUST_NO_MTU = 0x0800, /**< IPv4: says not how much; the MTU is a guess
                                   (RFC 1191 §5) */
    TMTU_TRUST_NOT_SMALLER =
        0x1000, /**< the packet that it quotes is no longer than the MTU that it
                   claims (R-LIB-09, RFC 5927 §7.2); one that does not tell
                   its length was over 65,535 bytes, see tmtu_pkt.have */
    TMTU_TRUST_FLOOR4 =
        0x2000, /**< IPv4: claims less than options.floor4; tmtu_pmtu_learn
                   makes a locked floor of it (K96) */
    TMTU_TRUST_FLOOR6 = 0x4000,  /**< IPv6: claims less than options.floor6:
                                    discard it (RFC 8201 §4, K103) */
    TMTU_TRUST_MAY_CUT = 0x8000, /**< IPv4: the packet that it quotes has no DF,
                                    and no router had a reason to complain */
};

/** All of them. */
#define TMTU_TRUST_ALL 0xffffu

/** What refuses an error, unless the caller wants it otherwise: what no honest
 *  error can have, and what an RFC says to discard. */
#define TMTU_TRUST_REFUSE                                                      \
    (TMTU_TRUST_CHECKSUM | TMTU_TRUST_REPORTER | TMTU_TRUST_DEST |             \
     TMTU_TRUST_NOT_OURS | TMTU_TRUST_QUENCH | TMTU_TRUST_REDIRECT |           \
     TMTU_TRUST_WINDOW | TMTU_TRUST_NOT_SMALLER | TMTU_TRUST_FLOOR6)

/** How strict to be; begin with TMTU_TRUST_INIT. */
struct tmtu_trust_options {
    size_t size;     /**< of this struct, for versions to come */
    uint32_t refuse; /**< TMTU_TRUST_*: each of them is enough to refuse */
    uint32_t floor4; /**< see TMTU_TRUST_FLOOR4; at least 68 */
    uint32_t floor6; /**< see TMTU_TRUST_FLOOR6; at least 1280 */
};

/** TMTU_TRUST_REFUSE, and floors of 552 and 1280 as in pmtu.h. */
#define TMTU_TRUST_INIT                                                        \
    {                                                                          \
        sizeof(struct tmtu_trust_options), TMTU_TRUST_REFUSE, 552, 1280        \
    }

/** Whether the quoted packet could be one that was sent. */
enum tmtu_trust_ours {
    TMTU_TRUST_OURS_UNKNOWN = 0, /**< the caller keeps no record of that */
    TMTU_TRUST_OURS_YES = 1,     /**< of a flow or a tunnel that there is */
    TMTU_TRUST_OURS_NO = 2       /**< of none that there is */
};

/** What the caller knows and the error does not show; all zero: nothing. */
struct tmtu_trust_facts {
    uint32_t una;      /**< with window: oldest TCP sequence number in flight */
    uint32_t nxt;      /**< with window: the one to be sent next */
    uint32_t path_mtu; /**< of the path so far, for the guess of an MTU that is
                            not told (tmtu_pmtu_plateau); 0: not known */
    uint8_t ours;      /**< enum tmtu_trust_ours */
    uint8_t window;    /**< nonzero: una and nxt are known */
};

/** What was found. */
struct tmtu_trust {
    uint32_t against; /**< TMTU_TRUST_*: all that speaks against it */
    uint32_t mtu;     /**< of a "too big": what it says, or the guess where IPv4
                           says nothing; else 0 */
    uint8_t believed; /**< nonzero: nothing of it is in options.refuse */
};

/**
 * Looks for all that speaks against an error.
 *
 * @param pkt     the message, whole, as parsed
 * @param icmp    as tmtu_icmp_parse read it from @p pkt
 * @param options how strict to be
 * @param facts   what the caller knows; NULL: nothing
 * @param out     receives what was found
 * @retval 0               @p out is filled
 * @retval TMTU_E_ARGUMENT unknown size, a bit that there is not, a floor below
 *                         the least one, or an unknown value of facts.ours
 *
 * On failure @p out is left as it was.
 */
TMTU_API TMTU_MUST_CHECK int
tmtu_trust_decide(const struct tmtu_pkt *pkt, const struct tmtu_icmp *icmp,
                  const struct tmtu_trust_options *options,
                  const struct tmtu_trust_facts *facts, struct tmtu_trust *out);

/** The name of the lowest doubt in @p against, in lower case, fit for a counter
 *  or a message: "not_smaller". NULL if there is none. Take it off with
 *  against &= against - 1 for the next. */
TMTU_API const char *tmtu_trust_name(uint32_t against);

#ifdef __cplusplus
}
#endif
#endif

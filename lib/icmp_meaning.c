/* SPDX-License-Identifier: MIT */
/* What errors are called: RFC 792, 1122 §3.2.2.1, 1812 §5.2.7 and 4443, and for
 * what came later the registry of ICMP parameters that IANA keeps. */
#include <tunmtu/icmp.h>

#define MEANING_COUNT(names) (sizeof(names) / sizeof(names)[0])

static const char *meaning_unreach4(uint8_t code)
{
    static const char *const names[] = {
        "network unreachable",
        "host unreachable",
        "protocol unreachable",
        "port unreachable",
        "fragmentation needed and DF set",
        "source route failed",
        "destination network unknown",
        "destination host unknown",
        "source host isolated (obsolete)",
        "network administratively prohibited",
        "host administratively prohibited",
        "network unreachable for type of service",
        "host unreachable for type of service",
        "communication administratively prohibited",
        "host precedence violation",
        "precedence cutoff in effect",
    };
    return code < MEANING_COUNT(names) ? names[code]
                                       : "unreachable, unknown code";
}

static const char *meaning_redirect4(uint8_t code)
{
    static const char *const names[] = {
        "redirect for the network",
        "redirect for the host",
        "redirect for the type of service and network",
        "redirect for the type of service and host",
    };
    return code < MEANING_COUNT(names) ? names[code] : "redirect, unknown code";
}

static const char *meaning_expired(uint8_t ipver, uint8_t code)
{
    switch (code) {
    case 0:
        return ipver == 4 ? "TTL exceeded in transit"
                          : "hop limit exceeded in transit";
    case 1:
        return "fragment reassembly time exceeded";
    default:
        return "time exceeded, unknown code";
    }
}

static const char *meaning_param4(uint8_t code)
{
    static const char *const names[] = {
        "parameter problem, the pointer tells where",
        "parameter problem, required option missing", /* RFC 1108 */
        "parameter problem, bad length",
    };
    return code < MEANING_COUNT(names) ? names[code]
                                       : "parameter problem, unknown code";
}

static const char *meaning_unreach6(uint8_t code)
{
    static const char *const names[] = {
        "no route to destination",
        "communication administratively prohibited",
        "beyond scope of source address",
        "address unreachable",
        "port unreachable",
        "source address failed ingress/egress policy",
        "reject route to destination",
        "error in source routing header", /* RFC 6554 */
        "headers too long",               /* RFC 8883 */
    };
    return code < MEANING_COUNT(names) ? names[code]
                                       : "unreachable, unknown code";
}

static const char *meaning_param6(uint8_t code)
{
    static const char *const names[] = {
        "erroneous header field",
        "unrecognized next header",
        "unrecognized IPv6 option",
        "first fragment has incomplete header chain",       /* RFC 7112 */
        "SR upper-layer header error",                      /* RFC 8754 */
        "unrecognized next header at an intermediate node", /* RFC 8883 */
        "extension header too big",
        "extension header chain too long",
        "too many extension headers",
        "too many options in extension header",
        "option too big",
    };
    return code < MEANING_COUNT(names) ? names[code]
                                       : "parameter problem, unknown code";
}

static const char *meaning4(uint8_t type, uint8_t code)
{
    switch (type) {
    case 3:
        return meaning_unreach4(code);
    case 4:
        return "source quench (obsolete)"; /* RFC 6633 */
    case 5:
        return meaning_redirect4(code);
    case 11:
        return meaning_expired(4, code);
    case 12:
        return meaning_param4(code);
    default:
        return "not an error";
    }
}

const char *tmtu_icmp_meaning(uint8_t ipver, uint8_t type, uint8_t code)
{
    if (ipver == 4)
        return meaning4(type, code);
    switch (type) {
    case 1:
        return meaning_unreach6(code);
    case 2:
        return "packet too big"; /* RFC 4443 §3.2: whatever the code */
    case 3:
        return meaning_expired(6, code);
    case 4:
        return meaning_param6(code);
    default: /* RFC 4443 §2.1: below 128 are errors */
        return type < 128 ? "error of unknown type" : "not an error";
    }
}

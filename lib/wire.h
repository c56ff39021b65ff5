/* SPDX-License-Identifier: MIT */
/* Where things are in a packet, named as in the RFCs. */
#ifndef TMTU_WIRE_H
#define TMTU_WIRE_H

/* RFC 791 */
enum { W_IP4_VHL = 0, W_IP4_TOS = 1, W_IP4_LEN = 2, W_IP4_ID = 4 };
enum { W_IP4_FRAG = 6, W_IP4_TTL = 8, W_IP4_PROTO = 9, W_IP4_CHECK = 10 };
enum { W_IP4_SRC = 12, W_IP4_DST = 16, W_IP4_SIZE = 20 };
enum { W_IP4_OPTIONS = 40, W_IP4_OPT_END = 0, W_IP4_OPT_NOP = 1 };
enum { W_IP4_OPT_LSRR = 131, W_IP4_OPT_SSRR = 137 };
enum { W_IP4_DF = 0x4000, W_IP4_MF = 0x2000, W_IP4_OFFSET = 0x1fff };

/* RFC 8200 */
enum { W_IP6_VTC = 0, W_IP6_LEN = 4, W_IP6_NEXT = 6, W_IP6_HOPS = 7 };
enum { W_IP6_SRC = 8, W_IP6_DST = 24, W_IP6_SIZE = 40 };
enum { W_FRAG6_NEXT = 0, W_FRAG6_OFFSET = 2, W_FRAG6_ID = 4, W_FRAG6_SIZE = 8 };
enum { W_FRAG6_MF = 1, W_FRAG6_MASK = 0xfff8 };
enum { W_ROUTING_LEFT = 3 };

/* RFC 9293, 768, 792, 4443 */
enum { W_TCP_SEQ = 4, W_TCP_ACKNO = 8, W_TCP_DOFF = 12, W_TCP_FLAGS = 13 };
enum { W_TCP_CHECK = 16, W_TCP_URGENT = 18, W_TCP_SIZE = 20 };
enum { W_TCP_FIN = 0x01, W_TCP_SYN = 0x02, W_TCP_RST = 0x04, W_TCP_PSH = 0x08 };
enum { W_TCP_ACK = 0x10, W_TCP_URG = 0x20, W_TCP_CWR = 0x80 };
enum { W_UDP_LEN = 4, W_UDP_CHECK = 6, W_UDP_SIZE = 8 };
enum { W_ICMP_TYPE = 0, W_ICMP_CODE = 1, W_ICMP_CHECK = 2, W_ICMP_INFO = 4 };
enum { W_ICMP_SIZE = 8 };

/* RFC 2784, 2890: the bits of GRE's first word, and EtherTypes */
enum { W_GRE_C = 0x8000, W_GRE_K = 0x2000, W_GRE_S = 0x1000 };
enum { W_GRE_VERSION = 0x0007, W_GRE_ROUTING = 0x4000, W_GRE_STRICT = 0x0800 };
enum { W_GRE_RECUR = 0x0400, W_GRE_SIZE = 4 };
enum { W_ETHERTYPE_IP4 = 0x0800, W_ETHERTYPE_IP6 = 0x86dd };

/* draft-ietf-intarea-gue-09 §3 */
enum { W_GUE_CONTROL = 0x20, W_GUE_HLEN = 0x1f, W_GUE_SIZE = 4 };
enum { W_PORT_GUE = 6080, W_PORT_GREUDP = 4754 };

/* RFC 2473 §4.1.1: a Destination Options header with one option */
enum { W_TEL_OPTION = 4, W_TEL_SIZE = 8 };

/* IANA protocol numbers */
enum {
    W_PROTO_HOPOPT = 0,
    W_PROTO_ICMP = 1,
    W_PROTO_IPIP = 4,
    W_PROTO_TCP = 6,
    W_PROTO_UDP = 17,
    W_PROTO_DCCP = 33,
    W_PROTO_IPV6 = 41,
    W_PROTO_ROUTING = 43,
    W_PROTO_FRAGMENT = 44,
    W_PROTO_GRE = 47,
    W_PROTO_ESP = 50,
    W_PROTO_AH = 51,
    W_PROTO_ICMPV6 = 58,
    W_PROTO_NONE = 59,
    W_PROTO_DSTOPTS = 60,
    W_PROTO_SCTP = 132,
    W_PROTO_MOBILITY = 135,
    W_PROTO_UDPLITE = 136,
    W_PROTO_HIP = 139,
    W_PROTO_SHIM6 = 140
};

#endif

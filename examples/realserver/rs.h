/* SPDX-License-Identifier: MIT */
/* A real server's tunnel end without sockets and clock: tunnel packets become
 * packets for the host, and the host's replies are clamped. */
#ifndef REALSERVER_RS_H
#define REALSERVER_RS_H

#include <tunmtu/encap.h>
#include <tunmtu/io.h>
#include <tunmtu/mss.h>
#include <tunmtu/reass.h>

#include "args.h"

/* Kinds of tunnels that are taken apart; bits of rs_config.tunnels. */
enum rs_tunnels {
    RS_IPIP = 1u << TMTU_ENCAP_IPIP,
    RS_GRE = 1u << TMTU_ENCAP_GRE,
    RS_GUE = 1u << TMTU_ENCAP_GUE, /* both variants */
    RS_GREUDP = 1u << TMTU_ENCAP_GREUDP,
    RS_ALL = RS_IPIP | RS_GRE | RS_GUE | RS_GREUDP
};

enum rs_clamp { RS_CLAMP_NO, RS_CLAMP_AUTO, RS_CLAMP_FIXED };

struct rs_config {
    struct args_addrs vips;
    struct args_addrs locals; /* outer destinations; none: any host */
    struct args_addrs peers;  /* outer sources; none: any host */
    unsigned tunnels;         /* RS_*; 0: all of them */
    uint16_t gue_port;        /* 0: 6080 */
    uint16_t greudp_port;     /* 0: 4754 */
    bool zero_csum6;          /* UDP over IPv6 may go without a checksum */
    bool has_key;             /* GRE must have this key; else it has none */
    uint32_t key;
    uint32_t mtu; /* of the paths from the balancers */
    enum rs_clamp clamp;
    uint16_t mss; /* RS_CLAMP_FIXED */
};

/* What became of a packet that came from the network: one of these. */
enum rs_in {
    RS_IN_DELIVERED,  /* its inner packet is for the host */
    RS_IN_HELD,       /* a fragment, kept until the others are there */
    RS_IN_NOT_TUNNEL, /* none of our tunnels: the host has it */
    RS_IN_DROPPED,    /* for an enum tmtu_reason */
    RS_INS
};

/* What became of a packet that the host sent: one of these. */
enum rs_out {
    RS_OUT_SENT,
    RS_OUT_NOT_VIP, /* not from a VIP: no reply, not sent */
    RS_OUT_DROPPED, /* for an enum tmtu_reason */
    RS_OUTS
};

struct rs_counters {
    uint64_t in, out; /* packets from the network, and from the host */
    uint64_t in_fate[RS_INS];
    uint64_t out_fate[RS_OUTS];
    uint64_t in_drop[TMTU_REASONS];
    uint64_t out_drop[TMTU_REASONS];
    uint64_t clamped;   /* SYNs whose MSS was lowered */
    uint64_t unclamped; /* SYNs that could not be read: sent as they are */
};

struct rs {
    const struct rs_config *config;
    struct tmtu_encap encap[TMTU_ENCAP_GREUDP + 1]; /* by kind: what is taken */
    unsigned tunnels;                               /* RS_*: those that are */
    uint16_t overhead; /* the most of all tunnels that are known */
    struct tmtu_reass *reass;
    struct rs_counters counters;
};

/* False: there is no memory. The configuration must live as long. */
bool rs_init(struct rs *rs, const struct rs_config *config);
void rs_free(struct rs *rs);

/* A packet from the network. True: `out` is the inner packet for the host, in
 * its own memory, which is empty before, or where it came in. */
bool rs_in(struct rs *rs, const struct tmtu_io_packet *in, uint64_t now,
           struct tmtu_buf *out);

/* A packet from the host. True: `out` is what to send, where it came in. */
bool rs_out(struct rs *rs, const struct tmtu_io_packet *in,
            struct tmtu_buf *out);

/* The UDP ports of tunnels; 0: none of this kind is accepted. */
uint16_t rs_port(const struct rs_config *config, enum tmtu_encap_kind kind);

/* The MSS that SYNs of this version (4 or 6) are clamped to; 0: they are not.
 */
uint16_t rs_mss(const struct rs *rs, uint8_t ipver);

#endif

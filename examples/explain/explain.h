/* SPDX-License-Identifier: MIT */
/* What the parts of tunmtu-explain share. */
#ifndef TMTU_EXPLAIN_H
#define TMTU_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <tunmtu/encap.h>
#include <tunmtu/icmp.h>
#include <tunmtu/mtu.h>
#include <tunmtu/stack.h>

/* One stack of the command line. */
struct explained {
    const char *text;
    uint32_t mtu;
    struct tmtu_stack stack;
};

/* The packets whose fate is told. */
enum { EXPLAIN_V4_DF = 0, EXPLAIN_V4 = 1, EXPLAIN_V6 = 2, EXPLAIN_PACKETS = 3 };

/* Who is cut into fragments. */
enum explain_cut { CUT_NONE = 0, CUT_OUTER = 1, CUT_INNER = 2 };

/* What becomes of a packet. */
struct fate {
    struct tmtu_mtu_decision decision;
    enum explain_cut cut;
    uint32_t outer;  /* length of the tunnel packet if it is sent whole */
    uint32_t pieces; /* fragments: all are as long as the first but the last */
    uint32_t first;
    uint32_t last;
};

/* An ICMP error, and the packet that it quotes with the tunnels in it. */
enum { ERROR_LEVELS = TMTU_ENCAP_NESTING + 1 };
struct read_error {
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    struct tmtu_pkt level[ERROR_LEVELS]; /* the last is no tunnel packet */
    uint32_t overhead[ERROR_LEVELS];     /* in front of what is inside */
    unsigned levels;
    uint32_t seq;
    bool has_seq, checksum; /* the message's is right */
    int inside; /* of the last: TMTU_E_IGNORED, or it is a tunnel packet that is
                   not looked into, see tmtu_encap_peek */
};

/* complain.c: what is wrong with a stack, to standard error. */
void complain_stack(const char *text, size_t at, int error);

/* packet.c: the fate of a packet of `size` bytes; false if there is no memory.
 */
bool packet_fate(const struct explained *e, unsigned which, uint32_t size,
                 uint8_t policy, struct fate *fate);

/* print.c: for people. */
void print_list(void);
void print_one(const struct explained *e);
void print_table(const struct explained *e, size_t n);
void print_fate(unsigned which, uint32_t size, const struct fate *fate);

/* json.c: for programs. */
void json_stack(const struct explained *e);
void json_fate(unsigned which, uint32_t size, const struct fate *fate);

/* error.c: reads an IP packet, given as hexadecimal digits; enum tmtu_error. */
int error_read(const char *hex, struct read_error *e);

/* error_print.c: the same for people and for programs. */
void error_print(const struct read_error *e);
void error_json(const struct read_error *e);

#endif

/* SPDX-License-Identifier: MIT */
/* Services and their real servers, as `ipvsadm-save -n` writes them. */
#ifndef LB_RULES_H
#define LB_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How packets get to a server. */
enum lb_forward {
    LB_TUNNEL, /* -i: inside of packets to its address */
    LB_NAT,    /* -m: readdressed, and so is what it answers */
    LB_DIRECT  /* -g: as they are, to its link-layer address */
};

struct rules_server {
    uint8_t addr[16]; /* as in struct tmtu_flow; its family is the tunnel's */
    uint32_t weight;  /* 0: no flows */
    uint8_t forward;  /* enum lb_forward */
    uint8_t kind;     /* enum tmtu_encap_kind of the tunnel */
    bool csum;        /* the tunnel has a checksum */
    uint16_t port;    /* of TMTU_ENCAP_GUE: where it goes to; of LB_NAT: what
                         the service's port becomes, 0: it stays */
    unsigned line;
};

struct rules_service {
    uint8_t addr[16]; /* the VIP */
    uint16_t port;    /* 0: every port */
    uint8_t proto;    /* 6, 17 or 132 */
    uint8_t prefix;   /* leading bits of the client's address that count */
    bool by_port;     /* the client's port counts, too */
    unsigned line;
    struct rules_server *server;
    size_t servers;
};

struct rules {
    struct rules_service *service;
    size_t services;
};

/* Reads all of `in`. Errors and warnings go to `say`, a line each, as
 * `name:line: sentence`. Returns how many errors there were; rules_free() in
 * any case. */
unsigned rules_read(struct rules *rules, FILE *in, const char *name, FILE *say);

void rules_free(struct rules *rules);

#endif

/* SPDX-License-Identifier: MIT */
/* Packets that a firewall's rule sends to an NFLOG group. */
#ifndef PMTUD_NFLOG_H
#define PMTUD_NFLOG_H

#include "iface.h"

struct nflog {
    int fd;
    struct nflog_handle *handle;
    struct nflog_g_handle *group;
    uint8_t *memory;
    iface_take *take; /* while nflog_read() runs */
    void *arg;
    uint64_t received, lost;
    uint32_t expected; /* the number of the next packet */
    char why[IFACE_WHY];
};

/* Joins the group. False: `why` says why. nflog_end() in any case. */
bool nflog_begin(struct nflog *g, uint16_t group);
void nflog_end(struct nflog *g);

/* Gives what there is to `take`. Returns how many messages of the kernel; 0:
 * none. */
int nflog_read(struct nflog *g, iface_take *take, void *arg);

#endif

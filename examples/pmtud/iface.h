/* SPDX-License-Identifier: MIT */
/* An Ethernet interface: errors come in, frames go out, and it may go away and
 * return meanwhile. */
#ifndef PMTUD_IFACE_H
#define PMTUD_IFACE_H

#include <stdbool.h>

#include "pmtud.h"

enum { IFACE_WHY = 256, IFACE_BURST = 64 };

/* Somebody who takes packets. */
typedef void iface_take(void *arg, const struct pmtud_in *in);

struct iface {
    int fd;
    int index; /* of the interface that it is bound to */
    char name[16];
    uint8_t mac[6];
    bool receives;
    bool away; /* and that has been said */
    uint8_t *memory;
    uint64_t received, lost, sent, send_errors;
    char why[IFACE_WHY];
};

/* Opens; to send only, unless it `receives`. False: `why` says why. */
bool iface_open(struct iface *f, const char *name, bool receives);
void iface_close(struct iface *f);

/* Gives what there is to `take`, a burst at most. Returns how many; 0: none, or
 * it is away. */
int iface_read(struct iface *f, iface_take *take, void *arg);

/* Sends a frame. What the system refuses is counted, and errno says why. */
bool iface_send(struct iface *f, const uint8_t *p, size_t n);

/* Looks whether it has gone or is back, and says so; to be called now and then,
 * as it needs no privileges. */
void iface_look(struct iface *f);

/* The kernel's own counter of packets that came too fast. */
void iface_count(struct iface *f);

#endif

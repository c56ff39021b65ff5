/* SPDX-License-Identifier: MIT */
/* Capture files in place of an interface. */
#ifndef PMTUD_CAPTURE_H
#define PMTUD_CAPTURE_H

#include <stdio.h>

#include "iface.h"

struct capture {
    struct pcap *in, *form;
    struct pcap_dumper *out;
    uint64_t received, skipped, sent;
    char why[IFACE_WHY];
};

/* `names`: IN.pcap:OUT.pcap, with link type Ethernet. False: `why` says why.
 * capture_close() in any case. */
bool capture_open(struct capture *c, const char *names);

/* Returns 0, or -1: what was written is not there, as `why` says. */
int capture_close(struct capture *c);

/* The next IP packet and its time in nanoseconds. Returns 1; 0: there are no
 * more; -1: `why` says what is wrong. */
int capture_next(struct capture *c, struct pmtud_in *in, uint64_t *time);

/* Writes what would be sent. What would go through a tunnel has no link-layer
 * addresses yet: they are zeros. */
void capture_send(struct capture *c, const struct pmtud_out *out,
                  uint64_t time);

#endif

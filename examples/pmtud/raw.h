/* SPDX-License-Identifier: MIT */
/* IP packets out, wherever the host's routes lead. */
#ifndef PMTUD_RAW_H
#define PMTUD_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw {
    int fd[2]; /* IPv4, IPv6; the second is -1 on a host without IPv6 */
    uint64_t sent, send_errors;
    char why[80];
};

/* False: `why` says why. raw_close() in any case. */
bool raw_open(struct raw *r);
void raw_close(struct raw *r);

/* Sends an IPv4 or IPv6 packet. What the system refuses is counted, and errno
 * says why. */
bool raw_send(struct raw *r, const uint8_t *p, size_t n);

#endif

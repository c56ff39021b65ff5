/* SPDX-License-Identifier: MIT */
/* The tunnel protocols, claimed so that the kernel does not answer them. */
#ifndef REALSERVER_CLAIM_H
#define REALSERVER_CLAIM_H

#include <stdbool.h>

enum { CLAIM_SOCKETS = 4 };

/* Raw sockets for protocols 4 and 41 over IPv4 and IPv6. */
struct claim {
    int fd[CLAIM_SOCKETS];
};

/* Opens them. Without, the kernel answers each tunnel packet that it sees, too,
 * with "protocol unreachable". Nothing is read from them, and a filter drops
 * what would be queued. False: errno says why; claim_close() in any case. */
bool claim_open(struct claim *c);
void claim_close(struct claim *c);

#endif

/* SPDX-License-Identifier: MIT */
/* The tunnel protocols, claimed so that the kernel does not answer them. */
#ifndef REALSERVER_CLAIM_H
#define REALSERVER_CLAIM_H

#include "rs.h"

/* Protocols 4, 41 and 47, and two UDP ports, over IPv4 and IPv6. */
enum { CLAIM_SOCKETS = 10 };

/* Raw sockets, and UDP sockets; closed ones are -1. */
struct claim {
    int fd[CLAIM_SOCKETS];
    char what[32]; /* could not be claimed, for a message */
};

/* Not open yet: what claim_close() may be called on. */
void claim_init(struct claim *c);

/* Opens those of the tunnels that are accepted. Without, the kernel answers
 * each tunnel packet that it sees, too, with "protocol unreachable" or "port
 * unreachable". Nothing is read from them, and a filter drops what would be
 * queued. False: errno says why, c->what what. */
bool claim_open(struct claim *c, const struct rs_config *config);
void claim_close(struct claim *c);

#endif

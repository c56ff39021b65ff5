/* SPDX-License-Identifier: MIT */
/* Reading rules: what rules.c and rules_service.c share. */
#ifndef LB_RULES_READER_H
#define LB_RULES_READER_H

#include "rules.h"
#include "words.h"

/* Where the reading stands. */
struct rules_reader {
    struct rules *rules;
    const char *name;
    FILE *say;
    unsigned line;
    unsigned errors;
    bool said_scheduler;
    bool said_persistent;
    bool said_zero6;
};

/* Says `name:line: sentence` and counts it. */
__attribute__((format(printf, 2, 3))) void rules_error(struct rules_reader *r,
                                                       const char *what, ...);

/* Says `name:line: warning: sentence`. */
__attribute__((format(printf, 2, 3))) void rules_warn(struct rules_reader *r,
                                                      const char *what, ...);

/* -s, -b, -p and -M: which numbers of a client choose its server. */
void rules_placing(struct rules_reader *r, const struct words *w,
                   struct rules_service *s);

/* -i, -m or -g: how packets get to a server, whose address is known. */
void rules_forward(struct rules_reader *r, const struct words *w,
                   struct rules_server *server);

/* --tun-…: what carries packets to a server, whose address is known. */
void rules_tunnel(struct rules_reader *r, const struct words *w,
                  struct rules_server *server);

#endif

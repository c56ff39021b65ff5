/* SPDX-License-Identifier: MIT */
/* One line of rules taken apart into options, as ipvsadm names them. */
#ifndef LB_WORDS_H
#define LB_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Options that are understood; the long names are in words.c. */
enum word {
    W_ADD_SERVICE, /* -A */
    W_ADD_SERVER,  /* -a */
    W_TCP,         /* -t */
    W_UDP,         /* -u */
    W_SCTP,        /* --sctp-service */
    W_SCHEDULER,   /* -s */
    W_FLAGS,       /* -b */
    W_PERSISTENT,  /* -p */
    W_NETMASK,     /* -M */
    W_OPS,         /* -o */
    W_SERVER,      /* -r */
    W_IPIP,        /* -i */
    W_NAT,         /* -m */
    W_DIRECT,      /* -g */
    W_WEIGHT,      /* -w */
    W_TUN_TYPE,    /* --tun-type */
    W_TUN_PORT,    /* --tun-port */
    W_TUN_NOCSUM,  /* --tun-nocsum */
    W_TUN_CSUM,    /* --tun-csum */
    W_TUN_REMCSUM, /* --tun-remcsum */
    W_WORDS
};

/* A line, taken apart. */
struct words {
    const char *arg[W_WORDS]; /* of an option that is there, "" if it has none;
                                 NULL: not there */
};

/* Room for a sentence that tells what is wrong. */
enum { WORDS_WHY = 256 };

/* Takes `line` apart, which is written to and referred to. False: `why` says
 * what is wrong. A blank line, or one that begins with #, has no options. */
bool words_split(char *line, struct words *words, char why[WORDS_WHY]);

#endif

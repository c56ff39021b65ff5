/* SPDX-License-Identifier: MIT */
/* What the program may do no more once its sockets are open. */
#ifndef PMTUD_PRIVILEGES_H
#define PMTUD_PRIVILEGES_H

#include <stdbool.h>

/* Whether it has CAP_NET_ADMIN, which NFLOG wants. */
bool privileges_net_admin(void);

/* Becomes `user`, unless it is NULL, and gives up all capabilities for ever.
 * False, after a sentence on standard error. */
bool privileges_drop(const char *user);

/* From now on the kernel refuses all calls but those of the loop; with `files`
 * those that read and replace files, too, with `http` those that answer on a
 * socket that listens already. False, after a sentence. */
bool privileges_filter(bool files, bool http);

/* Whether privileges_filter() does anything: not under a sanitizer, which makes
 * calls of its own. */
bool privileges_filters(void);

#endif

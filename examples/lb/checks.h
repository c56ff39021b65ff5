/* SPDX-License-Identifier: MIT */
/* What in this host's configuration is likely to be in a balancer's way. */
#ifndef LB_CHECKS_H
#define LB_CHECKS_H

#include "options.h"

/* Warns on standard error; never fails. For backends with real interfaces. */
void checks_warn(const struct options *o, const struct services *t);

#endif

/* SPDX-License-Identifier: MIT */
/* From the file that --rules names to services. */
#ifndef LB_LOAD_H
#define LB_LOAD_H

#include "options.h"

/* Reads the rules and makes services of them. What is wrong goes to standard
 * error; false then, and there is nothing to free. */
bool load_services(struct services *t, const struct options *o);

#endif

/* SPDX-License-Identifier: MIT */
/* Counters as text for Prometheus (exposition format 0.0.4). */
#ifndef TMTU_PROMETHEUS_H
#define TMTU_PROMETHEUS_H

#include "counters.h"

/* The text of what `print` tells: families named `tunmtu_program_name`, each
 * with its help, its type and all that is of it. NULL: there was no memory, or
 * `print` returned false. free() it; it has *n bytes, and one more that is 0.
 */
char *prometheus_text(const char *program,
                      bool (*print)(struct counters *, void *), void *arg,
                      size_t *n);

#endif

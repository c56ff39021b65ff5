/* SPDX-License-Identifier: MIT */
/* An interface that goes away: it is waited for, and what it counted stays. */
#ifndef TMTU_ABSENCE_H
#define TMTU_ABSENCE_H

#include <stdbool.h>

#include <tunmtu/io.h>

/* The interface of *io is gone: says so, closes it, adds what it counted to
 * `before`, and makes it NULL. */
void absence_begin(const char *program, struct tmtu_io **io,
                   struct tmtu_io *before);

/* Whether there is one, still or, which is said, again: opened as `spec`. */
bool absence_over(const char *program, const char *spec, struct tmtu_io **io);

/* Adds the counters of a backend (NULL: none) to those of others. */
void absence_add(struct tmtu_io *to, const struct tmtu_io *io);

#endif

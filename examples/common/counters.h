/* SPDX-License-Identifier: MIT */
/* Counters on their way to a file: whole, or not at all. */
#ifndef TMTU_COUNTERS_H
#define TMTU_COUNTERS_H

#include <stdbool.h>
#include <stdio.h>

#include <tunmtu/io.h>
#include <tunmtu/reass.h>

/* Writes what `print` prints to `file`: to a new file beside it, which then
 * takes its place, so that a reader never sees half of it. NULL, or what is no
 * regular file (/dev/stdout), is written to at once; NULL is standard error.
 * False, and a sentence on standard error, if it failed. */
bool counters_write(const char *file, void (*print)(FILE *, const void *),
                    const void *arg);

/* Prints a line of counters. */
void counters_line(FILE *f, const char *group, const char *name,
                   unsigned long long value);

/* Prints the counters of reassembly. */
void counters_reass(FILE *f, const struct tmtu_reass_counters *c);

/* Prints the counters of a backend; `group` goes in front of their names. */
void counters_io(FILE *f, const char *group, const struct tmtu_io *io);

#endif

/* SPDX-License-Identifier: MIT */
/* An interface that goes away: it is waited for, and what it counted stays. */
#include "absence.h"

#include <stdio.h>

void absence_begin(const char *program, struct tmtu_io **io,
                   struct tmtu_io *before)
{
    fprintf(stderr, "%s: %s; waiting for it\n", program, (*io)->why);
    absence_add(before, *io);
    (void)tmtu_io_close(*io);
    *io = NULL;
}

bool absence_over(const char *program, const char *spec, struct tmtu_io **io)
{
    if (*io != NULL)
        return true;
    *io = tmtu_io_open(spec, NULL);
    if (*io != NULL)
        fprintf(stderr, "%s: %s: the interface is back\n", program, spec);
    return *io != NULL;
}

void absence_add(struct tmtu_io *to, const struct tmtu_io *io)
{
    if (io == NULL)
        return;
    to->received += io->received;
    to->sent += io->sent;
    to->send_errors += io->send_errors;
    to->off_link += io->off_link;
    to->skipped += io->skipped;
    to->lost += io->lost;
}

/* SPDX-License-Identifier: MIT */
/* Counters on their way to a file: whole, or not at all. */
#define _POSIX_C_SOURCE 200809L
#include "counters.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(const char *file)
{
    fprintf(stderr, "counters: %s: cannot write: %s\n", file, strerror(errno));
    return false;
}

bool counters_write(const char *file, void (*print)(FILE *, const void *),
                    const void *arg)
{
    char temp[4096];
    struct stat st;

    if (file == NULL) {
        print(stderr, arg);
        return fflush(stderr) == 0;
    }
    const bool in_place = stat(file, &st) == 0 && !S_ISREG(st.st_mode);
    const int n = snprintf(temp, sizeof temp, in_place ? "%s" : "%s.new", file);
    if (n < 0 || (size_t)n >= sizeof temp) {
        errno = ENAMETOOLONG;
        return complain(file);
    }
    FILE *f = fopen(temp, "w");
    if (f == NULL)
        return complain(temp);
    print(f, arg);
    const bool written = fflush(f) == 0 && !ferror(f);
    if (fclose(f) != 0 || !written) {
        complain(temp);
        if (!in_place)
            unlink(temp);
        return false;
    }
    if (!in_place && rename(temp, file) != 0)
        return complain(file);
    return true;
}

void counters_line(FILE *f, const char *group, const char *name,
                   unsigned long long value)
{
    fprintf(f, "%s%s%s %llu\n", group, *group != '\0' ? "." : "", name, value);
}

void counters_reass(FILE *f, const struct tmtu_reass_counters *c)
{
    counters_line(f, "reass", "fragments", c->fragments);
    counters_line(f, "reass", "packets", c->packets);
    counters_line(f, "reass", "timeouts", c->timeouts);
    counters_line(f, "reass", "overlaps", c->overlaps);
    counters_line(f, "reass", "limits", c->limits);
    counters_line(f, "reass", "malformed", c->malformed);
    counters_line(f, "reass", "ecn", c->ecn);
    counters_line(f, "reass", "evicted", c->evicted);
}

void counters_io(FILE *f, const char *group, const struct tmtu_io *io)
{
    counters_line(f, group, "received", io->received);
    counters_line(f, group, "sent", io->sent);
    counters_line(f, group, "send_errors", io->send_errors);
    counters_line(f, group, "off_link", io->off_link);
    counters_line(f, group, "skipped", io->skipped);
    counters_line(f, group, "lost", io->lost);
}

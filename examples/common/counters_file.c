/* SPDX-License-Identifier: MIT */
/* Counters on their way to a file: whole, or not at all. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"

struct lines {
    struct counters to;
    FILE *f;
};

static void line(struct counters *to, const struct counters_family *family,
                 const char *group, const char *name, uint64_t value)
{
    (void)family;
    fprintf(((struct lines *)to)->f, "%s%s%s %" PRIu64 "\n", group,
            *group != '\0' ? "." : "", name, value);
}

static bool complain(const char *file)
{
    fprintf(stderr, "counters: %s: cannot write: %s\n", file, strerror(errno));
    return false;
}

bool counters_write(const char *file,
                    void (*print)(struct counters *, const void *),
                    const void *arg)
{
    struct lines lines = {.to = {.take = line}, .f = stderr};
    char temp[4096];
    struct stat st;

    if (file == NULL) {
        print(&lines.to, arg);
        return fflush(stderr) == 0;
    }
    const bool in_place = stat(file, &st) == 0 && !S_ISREG(st.st_mode);
    const int n = snprintf(temp, sizeof temp, in_place ? "%s" : "%s.new", file);
    if (n < 0 || (size_t)n >= sizeof temp) {
        errno = ENAMETOOLONG;
        return complain(file);
    }
    FILE *f = lines.f = fopen(temp, "w");
    if (f == NULL)
        return complain(temp);
    print(&lines.to, arg);
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

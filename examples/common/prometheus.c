/* SPDX-License-Identifier: MIT */
/* Counters as text for Prometheus (exposition format 0.0.4). */
#define _POSIX_C_SOURCE 200809L
#include "prometheus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Families that a program may have. */
enum { FAMILIES = 96 };

/* Counters come in the order of the file; here a family stays together. */
struct family {
    const struct counters_family *is;
    FILE *f;
    char *text;
    size_t n;
};

struct text {
    struct counters to;
    const char *program;
    struct family family[FAMILIES];
    size_t n;
    bool failed;
};

/* A counter has a name that says so; what else there is may fall. */
static const char *type_of(const struct counters_family *family)
{
    const size_t n = strlen(family->name);
    return n > 6 && strcmp(family->name + n - 6, "_total") == 0 ? "counter"
                                                                : "gauge";
}

static struct family *family_of(struct text *t,
                                const struct counters_family *is)
{
    struct family *family = t->family;
    while (family < t->family + t->n && family->is != is)
        family++;
    if (family < t->family + t->n)
        return family;
    if (t->n == FAMILIES ||
        (family->f = open_memstream(&family->text, &family->n)) == NULL)
        return NULL;
    family->is = is;
    t->n++;
    fprintf(family->f, "# HELP tunmtu_%s_%s %s\n", t->program, is->name,
            is->help);
    fprintf(family->f, "# TYPE tunmtu_%s_%s %s\n", t->program, is->name,
            type_of(is));
    return family;
}

static void label(FILE *f, char before, const char *name, const char *value)
{
    fprintf(f, "%c%s=\"", before, name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            fputs("\\n", f);
            continue;
        }
        if (*value == '\\' || *value == '"')
            fputc('\\', f);
        fputc(*value, f);
    }
    fputc('"', f);
}

static const char *last_word(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

static void sample(struct counters *to, const struct counters_family *is,
                   const char *group, const char *name, uint64_t value)
{
    struct text *t = (struct text *)to;
    struct family *family = is != NULL ? family_of(t, is) : NULL;
    char before = '{';
    (void)group;
    if (family == NULL) {
        t->failed |= is != NULL;
        return;
    }
    fprintf(family->f, "tunmtu_%s_%s", t->program, is->name);
    for (const struct counters_label *l = to->about; l != NULL && l->name;
         l++) {
        label(family->f, before, l->name, l->value);
        before = ',';
    }
    if (is->label != NULL) {
        label(family->f, before, is->label, last_word(name));
        before = ',';
    }
    fprintf(family->f, "%s %" PRIu64 "\n", before == ',' ? "}" : "", value);
}

/* One family after the other. NULL: something has failed. */
static char *join(struct text *t, size_t *n)
{
    size_t length = 0;
    for (size_t i = 0; i < t->n; i++) {
        t->failed |= ferror(t->family[i].f) != 0;
        t->failed |= fclose(t->family[i].f) != 0;
        length += t->family[i].n;
    }
    char *all = t->failed ? NULL : malloc(length + 1);
    *n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (all != NULL)
            memcpy(all + *n, t->family[i].text, t->family[i].n);
        *n += t->family[i].n;
        free(t->family[i].text);
    }
    if (all != NULL)
        all[*n] = '\0';
    return all;
}

char *prometheus_text(const char *program,
                      bool (*print)(struct counters *, void *), void *arg,
                      size_t *n)
{
    struct text *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->to.take = sample;
    t->program = program;
    if (!print(&t->to, arg))
        t->failed = true;
    char *all = join(t, n);
    free(t);
    return all;
}

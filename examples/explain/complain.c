/* SPDX-License-Identifier: MIT */
/* What is wrong with a stack: where, and what was expected there. */
#include "explain.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The header that a word names, NULL if none. */
static const struct tmtu_stack_header *named(const char *word, size_t len)
{
    const struct tmtu_stack_header *h;
    if (len > 0 && strspn(word, "0123456789") >= len)
        return tmtu_stack_header(0);
    for (size_t i = 1; (h = tmtu_stack_header(i)) != NULL; i++) {
        if (strlen(h->name) == len && strncasecmp(h->name, word, len) == 0)
            return h;
    }
    return NULL;
}

static void list_behind(uint32_t group)
{
    const struct tmtu_stack_header *h;
    for (size_t i = 0; (h = tmtu_stack_header(i)) != NULL; i++) {
        if (h->behind & group)
            fprintf(stderr, " %s", h->name);
    }
    fputs(" (N is a number of bytes)\n", stderr);
}

static void list_before(uint32_t groups)
{
    const struct tmtu_stack_header *h;
    for (size_t i = 0; (h = tmtu_stack_header(i)) != NULL; i++) {
        if (h->group & groups)
            fprintf(stderr, " %s", h->name);
    }
    fputc('\n', stderr);
}

void complain_stack(const char *text, size_t at, int error)
{
    static const char program[] = "tunmtu-explain: ";
    const size_t len = strcspn(text + at, "+");
    const struct tmtu_stack_header *here = named(text + at, len), *front = NULL;
    const bool end = error == TMTU_E_FORBIDDEN && text[at] == '\0';

    if (at > 0) { /* at the end there is no "+" in between */
        const size_t stop = end ? at : at - 1;
        size_t from = stop;
        while (from > 0 && text[from - 1] != '+')
            from--;
        front = named(text + from, stop - from);
    }
    fprintf(stderr, "%s%.*s\n%*s", program, TMTU_STACK_TEXT, text,
            (int)(sizeof program - 1 + at), "");
    for (size_t i = 0; i < len || i == 0; i++)
        fputc('^', stderr);
    fputc('\n', stderr);

    if (error == TMTU_E_LIMIT) {
        fprintf(stderr,
                "%stoo long; expected at most %d headers and %d "
                "characters\n",
                program, TMTU_STACK_MAX, TMTU_STACK_TEXT - 1);
        return;
    }
    if (here != NULL && error == TMTU_E_FORBIDDEN && !end) {
        fprintf(stderr, "%s%s does not stand %s%s; it stands behind", program,
                here->name, front ? "behind " : "in front",
                front ? front->name : "");
        list_before(here->behind);
    } else if (end) {
        fprintf(stderr, "%ssomething has to follow %s\n", program,
                front ? front->name : "");
    } else {
        fprintf(stderr, "%sno header has this name\n", program);
    }
    fprintf(stderr, "%sexpected here:", program);
    list_behind(front ? front->group : TMTU_STACK_FRONT);
}

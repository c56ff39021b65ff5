/* SPDX-License-Identifier: MIT */
/* tunmtu-shares: how many of all flows a change of the servers moves, by
 * Maglev's tables before and after, and how many it has to move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tunmtu/steer.h>

#include "args.h"

enum { MOST = 1000 };

static const char usage[] =
    "usage: tunmtu-shares BEFORE AFTER\n"
    "\n"
    "Each is a list of servers in one word: \"10.0.0.6:1 10.0.0.7:2\", with "
    "weights.\n"
    "Prints `moved`, the share of flows that are at another server after than\n"
    "before, and `least`, how many those are that have to move: the sum of "
    "what\n"
    "some have more of than before. In thousandths.\n";

struct table {
    struct tmtu_steer_server server[MOST];
    size_t n;
    struct tmtu_steer *steer;
    double sum; /* of weights */
};

static _Noreturn void misused(const char *what)
{
    fprintf(stderr, "tunmtu-shares: %s; see --help\n", what);
    exit(2);
}

/* ADDR:WEIGHT, IPv6 as well: the weight is behind the last colon. */
static void add(struct table *t, char *word)
{
    struct tmtu_steer_server *s = &t->server[t->n];
    char *colon = strrchr(word, ':');

    if (t->n == MOST || colon == NULL)
        misused("expected up to 1000 times ADDRESS:WEIGHT");
    *colon = '\0';
    if (!args_addr(word, s->addr) ||
        !args_number(colon + 1, 0, TMTU_STEER_WEIGHT_MAX, &s->weight))
        misused("expected ADDRESS:WEIGHT");
    s->value = (uint16_t)t->n++;
    t->sum += s->weight;
}

static void make(struct table *t, const char *list)
{
    static const struct tmtu_hash_key key = {0, 0};
    char *words = strdup(list);
    void *mem = malloc(tmtu_steer_sizeof(TMTU_STEER_SLOTS));

    if (words == NULL || mem == NULL)
        misused("there is no memory");
    for (char *w = strtok(words, " "); w != NULL; w = strtok(NULL, " "))
        add(t, w);
    free(words);
    t->steer = tmtu_steer_init(mem, TMTU_STEER_SLOTS);
    if (t->steer == NULL || tmtu_steer_build(t->steer, t->server, t->n, &key))
        misused("the same server twice");
    /* Building has sorted nothing: values are still indices. */
}

static const uint8_t *owner(const struct table *t, uint64_t hash)
{
    static const uint8_t nobody[16];
    const int i = tmtu_steer_lookup(t->steer, hash);

    return i < 0 ? nobody : t->server[i].addr;
}

static double share(const struct table *t, const uint8_t addr[16])
{
    for (size_t i = 0; i < t->n; i++) {
        if (tmtu_addr_equal(t->server[i].addr, addr))
            return t->sum > 0 ? t->server[i].weight / t->sum : 0;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct table before, after;
    enum { HASHES = 1 << 20 };
    unsigned moved = 0;
    double least = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc != 3)
        misused("expected two lists");
    make(&before, argv[1]);
    make(&after, argv[2]);
    /* One hash after the other, as far apart as they can be. */
    for (uint64_t i = 0; i < HASHES; i++) {
        const uint64_t hash = (i << 44) + i;
        moved += !tmtu_addr_equal(owner(&before, hash), owner(&after, hash));
    }
    for (size_t i = 0; i < after.n; i++) {
        const uint8_t *addr = after.server[i].addr;
        const double more = share(&after, addr) - share(&before, addr);
        least += more > 0 ? more : 0;
    }
    printf("moved %.1f\nleast %.1f\n", 1000.0 * moved / HASHES, 1000 * least);
    free(before.steer);
    free(after.steer);
    return 0;
}

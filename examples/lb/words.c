/* SPDX-License-Identifier: MIT */
/* One line of rules taken apart into options, as ipvsadm names them. */
#include "words.h"

#include <stdio.h>
#include <string.h>

enum arity { NONE, ONE, MAYBE };

/* What ipvsadm understands (ipvsadm(8)), and why some of it is refused here. */
static const struct option {
    const char *name;
    char letter;
    char arity;
    char word;
    const char *refused;
} options[] = {
    {"add-service", 'A', NONE, W_ADD_SERVICE, NULL},
    {"add-server", 'a', NONE, W_ADD_SERVER, NULL},
    {"tcp-service", 't', ONE, W_TCP, NULL},
    {"udp-service", 'u', ONE, W_UDP, NULL},
    {"sctp-service", 0, ONE, W_SCTP, NULL},
    {"scheduler", 's', ONE, W_SCHEDULER, NULL},
    {"sched-flags", 'b', ONE, W_FLAGS, NULL},
    {"persistent", 'p', MAYBE, W_PERSISTENT, NULL},
    {"netmask", 'M', ONE, W_NETMASK, NULL},
    {"ops", 'o', NONE, W_OPS, NULL},
    {"real-server", 'r', ONE, W_SERVER, NULL},
    {"ipip", 'i', NONE, W_IPIP, NULL},
    {"masquerading", 'm', NONE, W_NAT, NULL},
    {"gatewaying", 'g', NONE, W_DIRECT, NULL},
    {"weight", 'w', ONE, W_WEIGHT, NULL},
    {"tun-type", 0, ONE, W_TUN_TYPE, NULL},
    {"tun-port", 0, ONE, W_TUN_PORT, NULL},
    {"tun-nocsum", 0, NONE, W_TUN_NOCSUM, NULL},
    {"tun-csum", 0, NONE, W_TUN_CSUM, NULL},
    {"tun-remcsum", 0, NONE, W_TUN_REMCSUM, NULL},
    {"fwmark-service", 'f', ONE, 0,
     "services by firewall mark are not supported, expected -t, -u or "
     "--sctp-service"},
    {"ipv6", '6', NONE, 0,
     "-6 belongs to services by firewall mark, which are not supported"},
    {"pe", 0, ONE, 0, "persistence engines are not supported"},
    {"u-threshold", 'x', ONE, 0,
     "connections are not counted, so they cannot be limited"},
    {"l-threshold", 'y', ONE, 0,
     "connections are not counted, so they cannot be limited"},
    {"edit-service", 'E', NONE, 0, "expected -A or -a, as ipvsadm-save writes"},
    {"delete-service", 'D', NONE, 0,
     "expected -A or -a, as ipvsadm-save writes"},
    {"edit-server", 'e', NONE, 0, "expected -A or -a, as ipvsadm-save writes"},
    {"delete-server", 'd', NONE, 0,
     "expected -A or -a, as ipvsadm-save writes"},
    {"clear", 'C', NONE, 0, "expected -A or -a, as ipvsadm-save writes"},
};

static const struct option *find(const char *word, size_t n)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const struct option *o = &options[i];
        if (n == 2 && word[1] == o->letter)
            return o;
        if (n > 2 && word[1] == '-' && strlen(o->name) == n - 2 &&
            memcmp(o->name, word + 2, n - 2) == 0)
            return o;
    }
    return NULL;
}

/* The next word, ended by a zero; NULL at the end of the line. */
static char *next(char **rest)
{
    static const char blank[] = " \t\r\n\v\f";
    char *word = *rest + strspn(*rest, blank);
    *rest = word + strcspn(word, blank);
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return *word != '\0' ? word : NULL;
}

static bool number_ahead(const char *rest)
{
    const char *p = rest + strspn(rest, " \t");
    return *p >= '0' && *p <= '9';
}

/* What stands behind an option: its argument, "", or NULL if that is wrong. */
static const char *argument(const struct option *o, char *equals, char **rest)
{
    if (o->arity == NONE)
        return equals == NULL ? "" : NULL;
    if (equals != NULL)
        return equals + 1;
    if (o->arity == MAYBE && !number_ahead(*rest))
        return "";
    return next(rest);
}

bool words_split(char *line, struct words *words, char why[WORDS_WHY])
{
    char *rest = line;
    memset(words, 0, sizeof *words);
    if (line[strspn(line, " \t")] == '#')
        return true;

    for (char *word; (word = next(&rest)) != NULL;) {
        char *equals = word[0] == '-' && word[1] == '-' ? strchr(word, '=') : 0;
        const size_t n =
            equals != NULL ? (size_t)(equals - word) : strlen(word);
        const struct option *o = word[0] == '-' ? find(word, n) : NULL;
        if (o == NULL) {
            snprintf(why, WORDS_WHY,
                     "'%.60s' is not understood, expected an option of "
                     "ipvsadm-save, such as -A, -a, -t or -r",
                     word);
            return false;
        }
        if (o->refused != NULL) {
            snprintf(why, WORDS_WHY, "%.*s: %s", (int)n, word, o->refused);
            return false;
        }
        const char *arg = argument(o, equals, &rest);
        if (arg == NULL) {
            snprintf(why, WORDS_WHY, "%.*s: expected %s", (int)n, word,
                     o->arity == NONE ? "no argument" : "an argument");
            return false;
        }
        /* ipvsadm, too, takes no option twice. */
        if (words->arg[(int)o->word] != NULL) {
            snprintf(why, WORDS_WHY, "%.*s: expected only once", (int)n, word);
            return false;
        }
        words->arg[(int)o->word] = arg;
    }
    return true;
}

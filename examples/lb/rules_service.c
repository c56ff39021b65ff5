/* SPDX-License-Identifier: MIT */
/* The options of a service that say how flows are placed on its servers. */
#include <string.h>

#include <tunmtu/flow.h>

#include "args.h"
#include "rules_reader.h"

/* -b: does the client's port count? Without a flag mh and sh look at its
 * address alone, as in IPVS. */
static void flags(struct rules_reader *r, const struct words *w,
                  const char *sched, struct rules_service *s)
{
    const char *flag = w->arg[W_FLAGS] != NULL ? w->arg[W_FLAGS] : "";
    while (*flag != '\0') {
        const size_t n = strcspn(flag, ",");
        const bool port = n == 7 && memcmp(flag + 2, "-port", 5) == 0;
        const bool fallback = n == 11 && memcmp(flag + 2, "-fallback", 9) == 0;
        if ((!port && !fallback) || memcmp(flag, sched, 2) != 0)
            rules_error(r,
                        "'%.*s' is no flag of scheduler %.16s, expected -b %s",
                        (int)(n < 60 ? n : 60), flag, sched,
                        sched[0] == 's' ? "sh-port or sh-fallback"
                                        : "mh-port or mh-fallback, with -s mh");
        s->by_port |= port;
        flag += n + (flag[n] == ',');
    }
}

static bool prefix(const char *mask, int ipver, uint8_t *bits)
{
    uint8_t m[16];
    uint32_t n = 0;
    if (ipver == 6) { /* ipvsadm takes a prefix length here */
        if (!args_number(mask, 1, 128, &n))
            return false;
    } else {
        if (!args_addr(mask, m) || !tmtu_addr_is4(m))
            return false;
        const uint32_t v = tmtu_get32(m + 12);
        while (n < 32 && v & 0x80000000u >> n)
            n++;
        if (n == 0 || (n < 32 && v << n != 0))
            return false;
    }
    *bits = (uint8_t)n;
    return true;
}

/* -p: the same client, the same server, which is what hashing its address
 * alone does, with no table and for as long as the list of servers stays. */
static void persistence(struct rules_reader *r, const struct words *w,
                        struct rules_service *s)
{
    const char *mask = w->arg[W_NETMASK];
    const int ipver = tmtu_addr_is4(s->addr) ? 4 : 6;
    uint32_t seconds;
    if (w->arg[W_PERSISTENT] == NULL) {
        if (mask != NULL)
            rules_error(r, "-M: expected together with -p");
        if (s->port == 0)
            rules_error(r, "every port (0): expected together with -p");
        return;
    }
    if (*w->arg[W_PERSISTENT] != '\0' &&
        !args_number(w->arg[W_PERSISTENT], 1, 31 * 86400, &seconds))
        rules_error(r, "'%.60s' is no timeout, expected 1 to 2678400 seconds",
                    w->arg[W_PERSISTENT]);
    if (mask != NULL && !prefix(mask, ipver, &s->prefix))
        rules_error(r, "'%.60s' is no netmask, expected %s", mask,
                    ipver == 4 ? "one such as 255.255.255.0" : "1 to 128");
    s->by_port = false;
    if (!r->said_persistent)
        rules_warn(r,
                   "persistence has no timeout here: a client stays with its "
                   "server for as long as the list of servers stays");
    r->said_persistent = true;
}

void rules_placing(struct rules_reader *r, const struct words *w,
                   struct rules_service *s)
{
    const char *sched =
        w->arg[W_SCHEDULER] != NULL ? w->arg[W_SCHEDULER] : "wlc";
    const bool hashed = strcmp(sched, "mh") == 0 || strcmp(sched, "sh") == 0;

    s->prefix = tmtu_addr_is4(s->addr) ? 32 : 128;
    s->by_port = !hashed;
    if (!hashed && !r->said_scheduler) {
        rules_warn(r,
                   "scheduler %.16s: flows are placed by consistent hashing, "
                   "whatever the scheduler; mh and sh say so",
                   sched);
        r->said_scheduler = true;
    }
    flags(r, w, sched, s);
    persistence(r, w, s);
}

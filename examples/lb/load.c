/* SPDX-License-Identifier: MIT */
/* From the file that --rules names to services. */
#include "load.h"

#include <errno.h>
#include <string.h>

static bool read_rules(const char *name, struct rules *rules)
{
    FILE *f = fopen(name, "re");
    memset(rules, 0, sizeof *rules);
    if (f == NULL) {
        fprintf(stderr, "tunmtu-lb: %s: cannot open: %s\n", name,
                strerror(errno));
        return false;
    }
    const unsigned errors = rules_read(rules, f, name, stderr);
    fclose(f);
    return errors == 0;
}

static bool has(const struct rules *rules, enum lb_forward forward)
{
    for (size_t i = 0; i < rules->services; i++) {
        for (size_t j = 0; j < rules->service[i].servers; j++) {
            if (rules->service[i].server[j].forward == forward)
                return true;
        }
    }
    return false;
}

/* What the rules need and the command line does not give. */
static bool possible(const struct rules *rules, const struct options *o)
{
    const struct services_config *c = &o->config;
    if (!c->has_local[0] && !c->has_local[1] && has(rules, LB_TUNNEL)) {
        fputs("tunmtu-lb: tunnels (-i): expected --local ADDR\n", stderr);
        return false;
    }
    if (o->queues > 1 && has(rules, LB_NAT)) {
        /* Its two directions come in by different queues. */
        fputs("tunmtu-lb: masquerading (-m): expected an --io of one queue\n",
              stderr);
        return false;
    }
    return true;
}

bool load_services(struct services *t, const struct options *o)
{
    struct rules rules;
    const bool readable = read_rules(o->rules, &rules) && possible(&rules, o);
    bool ok = readable &&
              services_build(t, &rules, &o->config, o->rules, stderr) == 0;
    if (ok && o->config.mtu != 0 && !services_set_mtu(t, o->config.mtu)) {
        fprintf(stderr,
                "tunmtu-lb: %s: an MTU of %u is less than tunnels need, 68 "
                "bytes over IPv4 and 1280 over IPv6\n",
                o->io, (unsigned)o->config.mtu);
        ok = false;
    }
    if (readable && !ok)
        services_free(t);
    rules_free(&rules);
    return ok;
}

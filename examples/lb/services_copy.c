/* SPDX-License-Identifier: MIT */
/* Services like others, for another balancer. */
#include <stdlib.h>
#include <string.h>

#include "services.h"

/* A copy of n members; NULL: no memory. */
static void *copy(const void *from, size_t n, size_t size)
{
    void *to = malloc((n + 1) * size);
    if (to != NULL)
        memcpy(to, from, n * size);
    return to;
}

static struct server *same(const struct services *t,
                           const struct services *from,
                           const struct server *server)
{
    const struct service *was = &from->service[server->service];
    return &t->service[server->service].server[server - was->server];
}

bool services_copy(struct services *t, const struct services *from)
{
    *t = *from;
    t->copy = true;
    t->service = copy(from->service, from->n, sizeof *t->service);
    t->tunnel = copy(from->tunnel, from->tunnels, sizeof *t->tunnel);
    t->by_id = copy(from->by_id, from->ids, sizeof *t->by_id);
    t->slot = copy(from->slot, (size_t)from->mask + 1, sizeof *t->slot);
    bool ok = t->service != NULL && t->tunnel != NULL && t->by_id != NULL &&
              t->slot != NULL;
    for (size_t i = 0; t->service != NULL && i < t->n; i++) {
        struct service *s = &t->service[i];
        s->server = copy(s->server, s->servers, sizeof *s->server);
        ok = ok && s->server != NULL;
    }
    if (!ok) {
        services_free(t);
        return false;
    }
    for (uint32_t i = 0; i < t->tunnels; i++)
        t->tunnel[i] = same(t, from, from->tunnel[i]);
    for (uint32_t i = 0; i < t->ids; i++) {
        if (from->by_id[i] != NULL)
            t->by_id[i] = same(t, from, from->by_id[i]);
    }
    return true;
}

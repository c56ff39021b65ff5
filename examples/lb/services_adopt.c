/* SPDX-License-Identifier: MIT */
/* Services in the place of others: who stays, who comes, who goes. */
#include <stdlib.h>

#include "services.h"

/* Both searches go on where the one before ended, so that of what is in the
 * same order nothing is looked at twice: there may be thousands of servers. */
static const struct service *same_service(const struct services *t,
                                          const struct service *s, size_t *next)
{
    for (size_t i = 0; i < t->n; i++) {
        const size_t at = (*next + i) % t->n;
        const struct service *other = &t->service[at];
        if (other->port == s->port && other->proto == s->proto &&
            tmtu_addr_equal(other->addr, s->addr)) {
            *next = at + 1;
            return other;
        }
    }
    return NULL;
}

static const struct server *
same_server(const struct service *s, const struct server *server, size_t *next)
{
    for (size_t i = 0; s != NULL && i < s->servers; i++) {
        const size_t at = (*next + i) % s->servers;
        const struct server *other = &s->server[at];
        if (other->forward == server->forward && other->port == server->port &&
            tmtu_addr_equal(other->tunnel.encap.dst,
                            server->tunnel.encap.dst)) {
            *next = at + 1;
            return other;
        }
    }
    return NULL;
}

bool services_adopt(struct services *t, const struct services *before)
{
    uint32_t ids = before->ids;
    for (size_t i = 0; i < t->n; i++)
        ids += (uint32_t)t->service[i].servers;
    struct server **by_id = calloc(ids + 1u, sizeof *by_id);
    if (by_id == NULL)
        return false;
    ids = before->ids;
    for (size_t i = 0, service = 0; i < t->n; i++) {
        struct service *s = &t->service[i];
        const struct service *was = same_service(before, s, &service);
        for (size_t j = 0, next = 0; j < s->servers; j++) {
            struct server *server = &s->server[j];
            const struct server *old = same_server(was, server, &next);
            server->id = old != NULL ? old->id : ids++;
            server->service = (uint32_t)i;
            by_id[server->id] = server;
        }
    }
    free(t->by_id);
    t->by_id = by_id;
    t->ids = ids;
    return true;
}

void services_inherit(struct services *t, const struct services *before)
{
    for (uint32_t id = 0; id < t->ids; id++) {
        struct server *server = t->by_id[id];
        const struct server *old = services_by_id(before, id);
        if (server == NULL || old == NULL)
            continue;
        server->packets = old->packets;
        server->bytes = old->bytes;
        server->errors = old->errors;
        server->unreachable = old->unreachable;
        server->returned = old->returned;
        server->returned_bytes = old->returned_bytes;
    }
}

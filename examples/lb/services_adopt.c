/* SPDX-License-Identifier: MIT */
/* Services in the place of others: who stays, who comes, who goes. */
#include <stdlib.h>

#include "services.h"

static struct service *same_service(const struct services *t,
                                    const struct service *s)
{
    for (size_t i = 0; i < t->n; i++) {
        struct service *other = &t->service[i];
        if (other->port == s->port && other->proto == s->proto &&
            tmtu_addr_equal(other->addr, s->addr))
            return other;
    }
    return NULL;
}

static const struct server *same_server(const struct service *s,
                                        const struct server *server)
{
    for (size_t i = 0; s != NULL && i < s->servers; i++) {
        const struct server *other = &s->server[i];
        if (other->forward == server->forward && other->port == server->port &&
            tmtu_addr_equal(other->tunnel.encap.dst, server->tunnel.encap.dst))
            return other;
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
    for (size_t i = 0; i < t->n; i++) {
        const struct service *was = same_service(before, &t->service[i]);
        for (size_t j = 0; j < t->service[i].servers; j++) {
            struct server *server = &t->service[i].server[j];
            const struct server *old = same_server(was, server);
            server->id = old != NULL ? old->id : ids++;
            by_id[server->id] = server;
            server->service = (uint32_t)i;
            if (old == NULL)
                continue;
            server->packets = old->packets;
            server->bytes = old->bytes;
            server->errors = old->errors;
            server->returned = old->returned;
            server->returned_bytes = old->returned_bytes;
        }
    }
    free(t->by_id);
    t->by_id = by_id;
    t->ids = ids;
    return true;
}

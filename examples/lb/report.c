/* SPDX-License-Identifier: MIT */
/* The counters of tunmtu-lb, of all its queues together. */
#include "report.h"

#include <string.h>

#include "absence.h"

/* Counters are all of one size, side by side. */
static void add(void *to, const void *from, size_t size)
{
    uint64_t *sum = to;
    const uint64_t *n = from;
    for (size_t i = 0; i < size / sizeof *sum; i++)
        sum[i] += n[i];
}

static void add_flows(struct tmtu_flows_counters *to, bool *has,
                      const struct tmtu_flows *table)
{
    if (table == NULL)
        return;
    add(to, tmtu_flows_counters(table), sizeof *to);
    *has = true;
}

/* Both have the same servers, in the same order. */
static void add_servers(struct services *to, const struct services *t)
{
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < t->service[i].servers; j++) {
            struct server *sum = &to->service[i].server[j];
            const struct server *s = &t->service[i].server[j];
            sum->packets += s->packets;
            sum->bytes += s->bytes;
            sum->errors += s->errors;
            sum->unreachable += s->unreachable;
            sum->returned += s->returned;
            sum->returned_bytes += s->returned_bytes;
            if (s->tunnel.mtu.path_mtu < sum->tunnel.mtu.path_mtu)
                sum->tunnel.mtu.path_mtu = s->tunnel.mtu.path_mtu;
        }
    }
}

bool report_take(struct report *r, struct team *team)
{
    bool ok = true;
    memset(r, 0, sizeof *r);
    for (unsigned i = 0; i < team->n; i++) {
        struct worker *w = &team->worker[i];
        team_enter(w);
        add(&r->lb, &w->lb.counters, sizeof r->lb);
        add(&r->reass, tmtu_reass_counters(w->lb.reass), sizeof r->reass);
        add_flows(&r->flows, &r->has_flows, w->lb.flows);
        add_flows(&r->conns, &r->has_conns, w->lb.conns.flows);
        absence_add(&r->io, &w->before);
        absence_add(&r->io, w->io);
        if (i == 0)
            ok = services_copy(&r->services, &w->services);
        else if (ok)
            add_servers(&r->services, &w->services);
        team_leave(w);
    }
    return ok;
}

void report_free(struct report *r)
{
    services_free(&r->services);
}

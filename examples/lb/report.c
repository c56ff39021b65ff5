/* SPDX-License-Identifier: MIT */
/* The counters of tunmtu-lb, of all its queues together. */
#include "report.h"

#include <string.h>

#include "args.h"
#include "counters.h"

static const char *const fates[LB_FATES] = {
    [LB_FORWARDED] = "forwarded",
    [LB_HELD] = "held.fragment",
    [LB_NOT_SERVED] = "pass.not_served",
    [LB_ICMP_TUNNEL] = "icmp_tunnel",
    [LB_DROPPED] = NULL, /* by reason */
    [LB_NO_SERVER] = "drop.no_server",
    [LB_RETURNED] = "returned",
    [LB_STRAY] = "pass.no_connection",
    [LB_NO_CONNECTION] = "drop.no_connection",
    [LB_TABLE_FULL] = "drop.table_full",
    [LB_TAKEN] = "drop.taken",
};

static const char *const answers[LB_ANSWERS] = {
    [LB_TOO_BIG] = "too_big",
    [LB_TTL_EXPIRED] = "ttl_expired",
    [LB_REASSEMBLY_EXPIRED] = "reassembly_expired",
    [LB_PORT_UNREACHABLE] = "port_unreachable",
    [LB_PARAMETER_PROBLEM] = "parameter_problem",
    [LB_RESET] = "reset",
    [LB_RELAYED] = "relayed",
};

static const char *const icmp_kinds[LB_ICMP_KINDS] = {
    [LB_ICMP_TOO_BIG] = "too_big",
    [LB_ICMP_UNREACHABLE] = "unreachable",
    [LB_ICMP_PROHIBITED] = "prohibited",
    [LB_ICMP_EXPIRED] = "ttl_expired",
    [LB_ICMP_PARAMETER] = "parameter_problem",
};

const char *report_fate(unsigned fate)
{
    return fates[fate];
}

const char *report_icmp(unsigned kind)
{
    return icmp_kinds[kind];
}

/* Why an error about a tunnel is not told to the client. */
static const uint8_t not_relayed[] = {
    TMTU_R_MTU_FLOOR,      TMTU_R_ABOUT_ERROR, TMTU_R_LATER_FRAGMENT,
    TMTU_R_GROUP,          TMTU_R_SOURCE,      TMTU_R_NO_ROOM,
    TMTU_R_OUTER_FRAGMENT, TMTU_R_QUOTE_SHORT, TMTU_R_NOT_RELAYED,
    TMTU_R_MTU_CLAIM,      TMTU_R_FITS,        TMTU_R_MAY_CUT,
    TMTU_R_POLICY,
};

void report_service(const struct service *s, char text[80])
{
    char endpoint[ARGS_ENDPOINT];
    snprintf(text, 80, "%s:%s", services_proto_name(s->proto),
             args_endpoint_text(s->addr, s->port, endpoint));
}

const char *report_server(const struct server *s, char text[ARGS_ENDPOINT])
{
    return s->port != 0 ? args_endpoint_text(s->tunnel.encap.dst, s->port, text)
                        : args_addr_text(s->tunnel.encap.dst, text);
}

static void servers(FILE *f, const struct services *t)
{
    for (size_t i = 0; i < t->n; i++) {
        char service[80], to[ARGS_ENDPOINT], group[160];
        report_service(&t->service[i], service);
        for (size_t j = 0; j < t->service[i].servers; j++) {
            const struct server *s = &t->service[i].server[j];
            snprintf(group, sizeof group, "server.%s.%s", service,
                     report_server(s, to));
            counters_line(f, group, "packets", s->packets);
            counters_line(f, group, "bytes", s->bytes);
            if (s->forward == LB_NAT) {
                counters_line(f, group, "returned", s->returned);
                counters_line(f, group, "returned.bytes", s->returned_bytes);
                continue;
            }
            counters_line(f, group, "errors", s->errors);
            counters_line(f, group, "path_mtu", s->tunnel.mtu.path_mtu);
        }
    }
}

static void flows(FILE *f, const char *group,
                  const struct tmtu_flows_counters *n)
{
    counters_line(f, group, "held", n->held);
    counters_line(f, group, "confirmed", n->confirmed);
    counters_line(f, group, "inserted", n->inserted);
    counters_line(f, group, "expired", n->expired);
    counters_line(f, group, "evicted", n->evicted);
    counters_line(f, group, "removed", n->removed);
    counters_line(f, group, "full", n->full);
}

/* Two flows are a connection: one each way. */
static void connections(FILE *f, const struct report *r)
{
    for (size_t i = LB_RETURNED; i < LB_FATES; i++)
        counters_line(f, "", fates[i], r->lb.fate[i]);
    counters_line(f, "returned", "icmp", r->lb.icmp_returned);
    flows(f, "flows", &r->conns);
}

void report_counters(FILE *f, const void *arg)
{
    const struct report *r = arg;
    const struct lb_counters *c = &r->lb;

    counters_line(f, "", "in", c->in);
    counters_line(f, "", "in.bytes", c->in_bytes);
    counters_line(f, "", "out", c->out);
    counters_line(f, "", "out.bytes", c->out_bytes);
    for (size_t i = 0; i < LB_RETURNED; i++) {
        if (fates[i] != NULL)
            counters_line(f, "", fates[i], c->fate[i]);
    }
    for (int i = 1; i < TMTU_REASONS; i++)
        counters_line(f, "drop", tmtu_reason_name(i), c->drop[i]);
    counters_line(f, "", "passed", c->passed);
    for (size_t i = 0; i < LB_ICMP_KINDS; i++)
        counters_line(f, "forwarded.icmp", icmp_kinds[i], c->icmp[i]);
    counters_line(f, "forwarded.icmp", "by_address", c->by_address);
    counters_line(f, "forwarded", "cut", c->cut);
    counters_line(f, "forwarded", "fragments", c->fragments);
    for (uint32_t i = 0; i < LB_DOUBTS; i++)
        counters_line(f, "icmp_tunnel.doubted", tmtu_trust_name(1u << i),
                      c->doubted[i]);
    for (size_t i = 0; i < sizeof not_relayed / sizeof not_relayed[0]; i++)
        counters_line(f, "icmp_tunnel.not_relayed",
                      tmtu_reason_name(not_relayed[i]),
                      c->not_relayed[not_relayed[i]]);
    for (size_t i = LB_TOO_BIG; i < LB_ANSWERS; i++)
        counters_line(f, "answered", answers[i], c->answered[i]);
    counters_line(f, "unanswered", tmtu_reason_name(TMTU_R_CHECKSUM),
                  c->unanswered[TMTU_R_CHECKSUM]);
    counters_line(f, "unanswered", tmtu_reason_name(TMTU_R_INTERNAL),
                  c->unanswered[TMTU_R_INTERNAL]);
    for (int i = TMTU_R_ABOUT_ERROR; i <= TMTU_R_NO_ROOM; i++)
        counters_line(f, "unanswered", tmtu_reason_name(i), c->unanswered[i]);
    for (int i = TMTU_R_LIMIT_ALL; i <= TMTU_R_DUPLICATE; i++)
        counters_line(f, "unanswered", tmtu_reason_name(i), c->unanswered[i]);
    counters_reass(f, &r->reass);
    counters_io(f, "io", &r->io);
    if (r->has_flows)
        flows(f, "flow_table", &r->flows);
    if (r->has_conns)
        connections(f, r);
    servers(f, &r->services);
}

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

void report_add_io(struct tmtu_io *to, const struct tmtu_io *io)
{
    to->received += io->received;
    to->sent += io->sent;
    to->send_errors += io->send_errors;
    to->off_link += io->off_link;
    to->skipped += io->skipped;
    to->lost += io->lost;
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
        report_add_io(&r->io, &w->before);
        if (w->io != NULL)
            report_add_io(&r->io, w->io);
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

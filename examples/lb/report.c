/* SPDX-License-Identifier: MIT */
/* What tunmtu-lb tells: its counters, its configuration, single packets. */
#include "report.h"

#include <inttypes.h>

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

/* Why an error about a tunnel is not told to the client. */
static const uint8_t not_relayed[] = {
    TMTU_R_MTU_FLOOR,      TMTU_R_ABOUT_ERROR, TMTU_R_LATER_FRAGMENT,
    TMTU_R_GROUP,          TMTU_R_SOURCE,      TMTU_R_NO_ROOM,
    TMTU_R_OUTER_FRAGMENT, TMTU_R_QUOTE_SHORT, TMTU_R_NOT_RELAYED,
    TMTU_R_MTU_CLAIM,      TMTU_R_FITS,        TMTU_R_MAY_CUT,
    TMTU_R_POLICY,
};

/* "tcp:10.0.0.2:443" */
static void service_text(const struct service *s, char text[80])
{
    char endpoint[ARGS_ENDPOINT];
    snprintf(text, 80, "%s:%s", services_proto_name(s->proto),
             args_endpoint_text(s->addr, s->port, endpoint));
}

/* "10.0.0.6", or "10.0.0.6:8443" where packets get another port. */
static const char *server_text(const struct server *s, char text[ARGS_ENDPOINT])
{
    return s->port != 0 ? args_endpoint_text(s->tunnel.encap.dst, s->port, text)
                        : args_addr_text(s->tunnel.encap.dst, text);
}

static void servers(FILE *f, const struct services *t)
{
    for (size_t i = 0; i < t->n; i++) {
        char service[80], to[ARGS_ENDPOINT], group[160];
        service_text(&t->service[i], service);
        for (size_t j = 0; j < t->service[i].servers; j++) {
            const struct server *s = &t->service[i].server[j];
            snprintf(group, sizeof group, "server.%s.%s", service,
                     server_text(s, to));
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

static void flows(FILE *f, const char *group, const struct tmtu_flows *table)
{
    if (table == NULL)
        return;
    const struct tmtu_flows_counters *n = tmtu_flows_counters(table);
    counters_line(f, group, "held", n->held);
    counters_line(f, group, "confirmed", n->confirmed);
    counters_line(f, group, "inserted", n->inserted);
    counters_line(f, group, "expired", n->expired);
    counters_line(f, group, "evicted", n->evicted);
    counters_line(f, group, "removed", n->removed);
    counters_line(f, group, "full", n->full);
}

/* Two flows are a connection: one each way. */
static void connections(FILE *f, const struct lb *lb)
{
    if (lb->conns.flows == NULL)
        return;
    for (size_t i = LB_RETURNED; i < LB_FATES; i++)
        counters_line(f, "", fates[i], lb->counters.fate[i]);
    counters_line(f, "returned", "icmp", lb->counters.icmp_returned);
    flows(f, "flows", lb->conns.flows);
}

void report_counters(FILE *f, const void *arg)
{
    const struct report *r = arg;
    const struct lb_counters *c = &r->lb->counters;

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
    counters_reass(f, tmtu_reass_counters(r->lb->reass));
    counters_io(f, "io", r->io);
    flows(f, "flow_table", r->lb->flows);
    connections(f, r->lb);
    servers(f, r->lb->services);
}

/* "GUE to port 6080 without checksum" */
static void tunnel_text(const struct tmtu_encap *e, char text[80])
{
    static const char *const kinds[] = {[TMTU_ENCAP_IPIP] = "IP in IP",
                                        [TMTU_ENCAP_GRE] = "GRE",
                                        [TMTU_ENCAP_GUE] = "GUE to port "};
    char port[8] = "";
    if (e->kind == TMTU_ENCAP_GUE)
        snprintf(port, sizeof port, "%u", e->dport);
    snprintf(text, 80, "%s%s%s", kinds[e->kind], port,
             e->kind == TMTU_ENCAP_IPIP   ? ""
             : e->flags & TMTU_ENCAP_CSUM ? " with checksum"
                                          : " without checksum");
}

void report_config(FILE *f, const struct options *o, const struct lb *lb)
{
    static const char *const policies[] = {"notify", "fragment", "both"};
    const struct services *t = lb->services;

    fprintf(f,
            "tunmtu-lb: io %s, path MTU %" PRIu32 ", policy %s, for IPv6 %s\n",
            o->io, o->config.mtu, policies[o->config.policy[0]],
            policies[o->config.policy[1]]);
    fprintf(f,
            "tunmtu-lb: flows are placed as on every balancer with fingerprint "
            "%016" PRIx64 "\n",
            t->fingerprint);
    for (size_t i = 0; i < t->n; i++) {
        const struct service *s = &t->service[i];
        char text[80], from[ARGS_ADDR], to[ARGS_ADDR];
        service_text(s, text);
        fprintf(f, "tunmtu-lb: service %s by client address%s\n", text,
                s->by_port ? " and port" : "");
        for (size_t j = 0; j < s->servers; j++) {
            const struct tmtu_tunnel *u = &s->server[j].tunnel;
            char tunnel[80], endpoint[ARGS_ENDPOINT];
            if (s->server[j].forward == LB_DIRECT) {
                fprintf(f,
                        "tunmtu-lb:   server %s weight %" PRIu32
                        ", by its link-layer address, carries %" PRIu32 "\n",
                        args_addr_text(u->encap.dst, to), s->server[j].weight,
                        tmtu_mtu_inner(&u->mtu));
                continue;
            }
            if (s->server[j].forward == LB_NAT) {
                fprintf(f,
                        "tunmtu-lb:   server %s weight %" PRIu32
                        ", readdressed both ways, carries %" PRIu32 "\n",
                        server_text(&s->server[j], endpoint),
                        s->server[j].weight, tmtu_mtu_inner(&u->mtu));
                continue;
            }
            tunnel_text(&u->encap, tunnel);
            fprintf(f,
                    "tunmtu-lb:   server %s weight %" PRIu32
                    ", %s from %s, %u bytes more, carries %" PRIu32 "\n",
                    args_addr_text(u->encap.dst, to), s->server[j].weight,
                    tunnel, args_addr_text(u->encap.src, from), u->mtu.overhead,
                    tmtu_mtu_inner(&u->mtu));
        }
    }
}

void report_packet(FILE *f, const struct lb *lb, uint64_t n)
{
    static const char *const said[LB_ANSWERS] = {
        [LB_TTL_EXPIRED] = "answered: time exceeded",
        [LB_REASSEMBLY_EXPIRED] = "answered: time exceeded",
        [LB_PORT_UNREACHABLE] = "answered: port unreachable",
        [LB_PARAMETER_PROBLEM] = "answered: parameter problem",
        [LB_RESET] = "answered: reset",
        [LB_RELAYED] = "relayed",
    };
    const struct lb_note *note = &lb->note;
    char server[ARGS_ENDPOINT];

    fprintf(f, "packet %" PRIu64 ": ", n);
    if (note->fate == LB_DROPPED)
        fprintf(f, "drop.%s", tmtu_reason_name(note->reason));
    else
        fputs(fates[note->fate], f);
    if (note->icmp)
        fprintf(f, ", an ICMP error (%s) about a served flow",
                icmp_kinds[note->icmp_kind]);
    if (note->by_address)
        fputs(", which quotes no ports", f);
    if (note->server != NULL)
        fprintf(f, ", server %s", server_text(note->server, server));
    if (note->fate == LB_ICMP_TUNNEL && note->doubts != 0)
        fprintf(f, ", doubted: %s", tmtu_trust_name(note->doubts));
    else if (note->fate == LB_ICMP_TUNNEL && note->reason != TMTU_OK)
        fprintf(f, ", not relayed: %s", tmtu_reason_name(note->reason));
    if (note->fragments > 0)
        fprintf(f, ", in %u fragments", note->fragments);
    if (note->answered && note->answer == LB_TOO_BIG)
        fprintf(f, ", answered: too big, MTU %" PRIu32, note->mtu);
    else if (note->answered && note->answer == LB_RELAYED && note->mtu > 0)
        fprintf(f, ", relayed: too big, MTU %" PRIu32, note->mtu);
    else if (note->answered)
        fprintf(f, ", %s", said[note->answer]);
    if (note->unanswered != TMTU_OK)
        fprintf(f, ", not answered: %s", tmtu_reason_name(note->unanswered));
    fputc('\n', f);
}

void report_broken(FILE *f, const struct lb *lb, uint64_t more)
{
    const struct tmtu_flow *flow = &lb->work.pkt.flow;
    char from[ARGS_ADDR], to[ARGS_ADDR], rest[60] = "";
    if (more > 0)
        snprintf(rest, sizeof rest, ", and %" PRIu64 " more before", more);
    fprintf(f,
            "tunmtu-lb: an ICMP error from %s to %s has a wrong checksum and "
            "is dropped%s\n",
            args_addr_text(flow->src, from), args_addr_text(flow->dst, to),
            rest);
}

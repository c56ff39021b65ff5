/* SPDX-License-Identifier: MIT */
/* The counters of tunmtu-lb in their order, and what they are called. */
#include <inttypes.h>

#include "metrics.h"
#include "report.h"

static const struct counters_family forwarded = {
    "forwarded_packets_total", NULL, "Packets forwarded to a server."};
static const struct counters_family held = {
    "held_fragments_total", NULL,
    "Fragments kept until the rest of their packet is there."};
static const struct counters_family ignored = {
    "ignored_packets_total", "reason", "Packets for nobody here, left alone."};
static const struct counters_family about_tunnel = {
    "tunnel_errors_total", NULL, "ICMP errors about the tunnels."};
static const struct counters_family dropped = {"dropped_packets_total",
                                               "reason", "Packets dropped."};
static const struct counters_family returned = {
    "returned_packets_total", NULL,
    "Packets from a server (-m), sent on to a client."};

/* Of each packet that came in, exactly one; LB_DROPPED has a reason instead. */
static const struct {
    const struct counters_family *family;
    const char *name;
} fates[LB_FATES] = {
    [LB_FORWARDED] = {&forwarded, "forwarded"},
    [LB_HELD] = {&held, "held.fragment"},
    [LB_NOT_SERVED] = {&ignored, "pass.not_served"},
    [LB_ICMP_TUNNEL] = {&about_tunnel, "icmp_tunnel"},
    [LB_NO_SERVER] = {&dropped, "drop.no_server"},
    [LB_RETURNED] = {&returned, "returned"},
    [LB_STRAY] = {&ignored, "pass.no_connection"},
    [LB_NO_CONNECTION] = {&dropped, "drop.no_connection"},
    [LB_TABLE_FULL] = {&dropped, "drop.table_full"},
    [LB_TAKEN] = {&dropped, "drop.taken"},
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
    return fates[fate].name;
}

const char *report_icmp(unsigned kind)
{
    return icmp_kinds[kind];
}

static void tell_fate(struct counters *to, const struct report *r, size_t fate)
{
    if (fates[fate].family != NULL)
        counters_line(to, fates[fate].family, "", fates[fate].name,
                      r->lb.fate[fate]);
}

/* Two flows are a connection: one each way. */
static void connections(struct counters *to, const struct report *r)
{
    static const struct counters_family errors = {
        "returned_errors_total", NULL,
        "ICMP errors from servers (-m), or about what they are sent, that went "
        "on to clients."};
    for (size_t i = LB_RETURNED; i < LB_FATES; i++)
        tell_fate(to, r, i);
    counters_line(to, &errors, "returned", "icmp", r->lb.icmp_returned);
    counters_flows(to, "flows", &r->conns);
}

static void amounts(struct counters *to, const struct lb_counters *c)
{
    static const struct counters_family in = {"packets_in_total", NULL,
                                              "Packets that came in."};
    static const struct counters_family in_bytes = {"bytes_in_total", NULL,
                                                    "Bytes of them."};
    static const struct counters_family out = {"packets_out_total", NULL,
                                               "Packets that were sent."};
    static const struct counters_family out_bytes = {"bytes_out_total", NULL,
                                                     "Bytes of them."};
    counters_line(to, &in, "", "in", c->in);
    counters_line(to, &in_bytes, "", "in.bytes", c->in_bytes);
    counters_line(to, &out, "", "out", c->out);
    counters_line(to, &out_bytes, "", "out.bytes", c->out_bytes);
}

/* Why an error about a tunnel is not told to the client. */
static const uint8_t not_told[] = {
    TMTU_R_MTU_FLOOR,      TMTU_R_ABOUT_ERROR, TMTU_R_LATER_FRAGMENT,
    TMTU_R_GROUP,          TMTU_R_SOURCE,      TMTU_R_NO_ROOM,
    TMTU_R_OUTER_FRAGMENT, TMTU_R_QUOTE_SHORT, TMTU_R_NOT_RELAYED,
    TMTU_R_MTU_CLAIM,      TMTU_R_FITS,        TMTU_R_MAY_CUT,
    TMTU_R_POLICY,
};

/* What went to servers: how, and which ICMP errors. */
static void forwards(struct counters *to, const struct lb_counters *c)
{
    static const struct counters_family errors = {
        "forwarded_errors_total", "kind",
        "ICMP errors forwarded to the server of the flow they quote."};
    static const struct counters_family by_address = {
        "forwarded_errors_by_address_total", NULL,
        "Of those, the ones that quote no ports: perhaps another server's."};
    static const struct counters_family cut = {
        "cut_packets_total", NULL, "Packets forwarded in fragments."};
    static const struct counters_family fragments = {
        "sent_fragments_total", NULL, "Fragments that these became."};

    for (size_t i = 0; i < LB_ICMP_KINDS; i++)
        counters_line(to, &errors, "forwarded.icmp", icmp_kinds[i], c->icmp[i]);
    counters_line(to, &by_address, "forwarded.icmp", "by_address",
                  c->by_address);
    counters_line(to, &cut, "forwarded", "cut", c->cut);
    counters_line(to, &fragments, "forwarded", "fragments", c->fragments);
}

/* ICMP errors about tunnels that clients were not told of. */
static void untold(struct counters *to, const struct lb_counters *c)
{
    static const struct counters_family doubted = {
        "doubted_errors_total", "reason",
        "ICMP errors about tunnels that were not believed."};
    static const struct counters_family not_relayed = {
        "not_relayed_errors_total", "reason",
        "ICMP errors about tunnels that were believed, but not told to the "
        "client."};

    for (uint32_t i = 0; i < LB_DOUBTS; i++)
        counters_line(to, &doubted, "icmp_tunnel.doubted",
                      tmtu_trust_name(1u << i), c->doubted[i]);
    for (size_t i = 0; i < sizeof not_told / sizeof not_told[0]; i++)
        counters_line(to, &not_relayed, "icmp_tunnel.not_relayed",
                      tmtu_reason_name(not_told[i]),
                      c->not_relayed[not_told[i]]);
}

static void answered(struct counters *to, const struct lb_counters *c)
{
    static const struct counters_family sent = {
        "answers_total", "kind",
        "ICMP errors, and TCP resets, sent to clients."};
    static const struct counters_family unanswered = {
        "withheld_answers_total", "reason",
        "ICMP errors that were due, but forbidden or too many."};
    static const struct {
        uint8_t first, last; /* enum tmtu_reason */
    } ranges[] = {{TMTU_R_CHECKSUM, TMTU_R_CHECKSUM},
                  {TMTU_R_INTERNAL, TMTU_R_INTERNAL},
                  {TMTU_R_ABOUT_ERROR, TMTU_R_NO_ROOM},
                  {TMTU_R_LIMIT_ALL, TMTU_R_DUPLICATE}};

    for (size_t i = LB_TOO_BIG; i < LB_ANSWERS; i++)
        counters_line(to, &sent, "answered", answers[i], c->answered[i]);
    for (size_t k = 0; k < sizeof ranges / sizeof ranges[0]; k++) {
        for (int i = ranges[k].first; i <= ranges[k].last; i++)
            counters_line(to, &unanswered, "unanswered", tmtu_reason_name(i),
                          c->unanswered[i]);
    }
}

void report_counters(struct counters *to, const void *arg)
{
    static const struct counters_family passed = {
        "passed_packets_total", NULL,
        "Packets for nobody here that were given to the host."};
    const struct report *r = arg;
    const struct lb_counters *c = &r->lb;

    amounts(to, c);
    for (size_t i = 0; i < LB_RETURNED; i++)
        tell_fate(to, r, i);
    for (int i = 1; i < TMTU_REASONS; i++)
        counters_line(to, &dropped, "drop", tmtu_reason_name(i), c->drop[i]);
    counters_line(to, &passed, "", "passed", c->passed);
    forwards(to, c);
    untold(to, c);
    answered(to, c);
    counters_reass(to, &r->reass);
    counters_io(to, "io", &r->io);
    if (r->has_flows)
        counters_flows(to, "flow_table", &r->flows);
    if (r->has_conns)
        connections(to, r);
    report_servers(to, &r->services);
}

bool report_metrics(struct counters *to, void *team)
{
    struct report r;
    char key[17], rules[17];
    const struct counters_label about[] = {
        {"key_fingerprint", key}, {"rules_fingerprint", rules}, {NULL, NULL}};
    if (!report_take(&r, team))
        return false;
    snprintf(key, sizeof key, "%016" PRIx64, r.services.key_fingerprint);
    snprintf(rules, sizeof rules, "%016" PRIx64, r.services.rules_fingerprint);
    metrics_info(to, about);
    report_counters(to, &r);
    report_free(&r);
    return true;
}

/* SPDX-License-Identifier: MIT */
/* What tunmtu-pmtud tells: its counters, its configuration, single packets. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "metrics.h"

/* What the parser, and a tunnel, can have against a packet. */
static const uint8_t reasons[] = {
    TMTU_R_TRUNCATED,     TMTU_R_MALFORMED, TMTU_R_CHECKSUM,    TMTU_R_LIMIT,
    TMTU_R_UNSUPPORTED,   TMTU_R_INTERNAL,  TMTU_R_TTL_EXPIRED, TMTU_R_TOO_BIG,
    TMTU_R_TOO_BIG_ERROR, TMTU_R_MTU_FLOOR, TMTU_R_OVERSIZE,    TMTU_R_LOOP,
    TMTU_R_ENCAP_LIMIT,
};

static const struct counters_family dropped = {"dropped_packets_total",
                                               "reason", "Packets dropped."};

/* The family that the first word of a fate's name stands for. */
static const struct counters_family *family_of(const char *fate)
{
    static const struct counters_family sent = {"relayed_errors_total", NULL,
                                                "Errors passed on."};
    static const struct counters_family ignored = {
        "ignored_packets_total", "reason", "Packets that are none of ours."};
    static const struct counters_family copies = {
        "ignored_copies_total", "reason",
        "Errors that somebody has passed on already."};
    return strncmp(fate, "pass.", 5) == 0   ? &ignored
           : strncmp(fate, "copy.", 5) == 0 ? &copies
           : strncmp(fate, "drop.", 5) == 0 ? &dropped
                                            : &sent;
}

/* What became of packets, each counted once. */
static void fates(struct counters *to, const struct pmtud_counters *c)
{
    static const struct tmtu_trust_options strict = TMTU_TRUST_INIT;
    static const struct counters_family doubted = {
        "doubted_errors_total", "reason", "Errors that were not believed."};

    for (int i = 0; i < PMTUD_FATES; i++) {
        const char *name = pmtud_fate_name(i);
        if (name != NULL)
            counters_line(to, family_of(name), "", name, c->fate[i]);
    }
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        counters_line(to, &dropped, "drop", tmtu_reason_name(reasons[i]),
                      c->drop[reasons[i]]);
    for (uint32_t i = 0; i < PMTUD_DOUBTS; i++) {
        if (strict.refuse >> i & 1)
            counters_line(to, &doubted, "doubted", tmtu_trust_name(1u << i),
                          c->doubt[i]);
    }
}

void report_counters(struct counters *to, const void *arg)
{
    static const struct counters_family in = {"packets_in_total", NULL,
                                              "Packets that came in."};
    static const struct counters_family in_bytes = {"bytes_in_total", NULL,
                                                    "Bytes of them."};
    static const struct counters_family out = {"packets_out_total", NULL,
                                               "Copies of errors, as sent."};
    static const struct counters_family out_bytes = {"bytes_out_total", NULL,
                                                     "Bytes of them."};
    static const struct counters_family by_address = {
        "relayed_errors_by_address_total", NULL,
        "Errors passed on that quote no ports: perhaps another server's."};
    static const struct counters_family left_out = {
        "left_out_peers_total", NULL,
        "Copies that a peer did not get: too large, or too many hops ago."};
    const struct report *r = arg;
    const struct pmtud_counters *c = &r->d->counters;

    counters_line(to, &in, "", "in", c->in);
    counters_line(to, &in_bytes, "", "in.bytes", c->in_bytes);
    counters_line(to, &out, "", "out", c->out);
    counters_line(to, &out_bytes, "", "out.bytes", c->out_bytes);
    fates(to, c);
    counters_line(to, &by_address, "", "by_address", c->by_address);
    counters_line(to, &left_out, "", "left_out", c->left_out);
    counters_line(to, &counters_received, "io", "received", r->received);
    counters_line(to, &counters_sent, "io", "sent", r->sent);
    counters_line(to, &counters_send_errors, "io", "send_errors",
                  r->send_errors);
    counters_line(to, &counters_skipped, "io", "skipped", r->skipped);
    counters_line(to, &counters_lost, "io", "lost", r->lost);
}

void report_metrics(struct counters *to, const struct report *r)
{
    const struct services *t = r->d->config->services;
    char key[17] = "", rules[17] = "";
    const struct counters_label about[] = {
        {"key_fingerprint", key}, {"rules_fingerprint", rules}, {NULL, NULL}};
    if (t != NULL) {
        snprintf(key, sizeof key, "%016" PRIx64, t->key_fingerprint);
        snprintf(rules, sizeof rules, "%016" PRIx64, t->rules_fingerprint);
    }
    metrics_info(to, t != NULL ? about : about + 2);
    report_counters(to, r);
}

static void where_to(FILE *f, const struct options *o, const struct pmtud *d)
{
    char ip[ARGS_ADDR];
    switch (o->config.mode) {
    case PMTUD_STEER:
        fputs("tunmtu-pmtud: to the server of each flow\n", f);
        break;
    case PMTUD_PEERS:
        for (size_t i = 0; i < d->peers; i++)
            fprintf(f, "tunmtu-pmtud: to peer %s, in IP in IP\n",
                    args_addr_text(d->peer[i].encap.dst, ip));
        break;
    default:
        fprintf(f, "tunmtu-pmtud: to ff:ff:ff:ff:ff:ff%s\n",
                o->config.use_src ? " from the original's source" : "");
    }
}

void report_config(FILE *f, const struct options *o, const struct pmtud *d)
{
    if (o->nflog >= 0)
        fprintf(f, "tunmtu-pmtud: errors from NFLOG group %d\n", o->nflog);
    else
        fprintf(f, "tunmtu-pmtud: errors from %s\n",
                o->io != NULL ? o->io : o->iface);
    where_to(f, o, d);
    fprintf(f,
            "tunmtu-pmtud: rates %.9g a second of one router, %.9g of all, "
            "none repeated within %.9g s%s\n",
            o->config.src_rate, o->config.iface_rate,
            (double)o->config.duplicate / 1e9,
            o->dry_run ? "; nothing is sent" : "");
}

static void flow(FILE *f, const struct pmtud_note *note)
{
    char from[ARGS_ENDPOINT], to[ARGS_ENDPOINT], ip[ARGS_ADDR];
    const struct tmtu_flow *q = &note->quoted;
    if (q->flags & TMTU_FLOW_PORTS)
        fprintf(f, "protocol %u from %s to %s", q->proto,
                args_endpoint_text(q->src, q->sport, from),
                args_endpoint_text(q->dst, q->dport, to));
    else
        fprintf(f, "protocol %u from %s to %s", q->proto,
                args_addr_text(q->src, from), args_addr_text(q->dst, to));
    fprintf(f, ", says %s", args_addr_text(note->reporter, ip));
}

void report_packet(FILE *f, const struct options *o, const struct pmtud *d)
{
    const struct pmtud_note *note = &d->note;
    char ip[ARGS_ADDR];
    if (o->verbose < (note->fate == PMTUD_SENT ? 1 : 2))
        return;
    fprintf(f, "packet %" PRIu64 ": ", d->counters.in);
    if (note->fate == PMTUD_DROPPED)
        fprintf(f, "drop.%s", tmtu_reason_name(note->reason));
    else if (note->fate == PMTUD_DOUBTED)
        fprintf(f, "doubted.%s", tmtu_trust_name(1u << note->doubt));
    else
        fputs(pmtud_fate_name(note->fate), f);
    if (note->server != NULL)
        fprintf(f, ", server %s",
                args_addr_text(note->server->tunnel.encap.dst, ip));
    if (note->by_address)
        fputs(", which is likely", f);
    if (note->error) {
        fprintf(f, ", MTU %" PRIu32 ", ", note->mtu);
        flow(f, note);
    }
    if (o->verbose > 2) {
        fputs(", ", f);
        for (size_t i = 0; i < d->in.n; i++)
            fprintf(f, "%02x", d->in.p[i]);
    }
    fputc('\n', f);
}

void report_unsent(FILE *f, const struct pmtud *d, const struct pmtud_out *out,
                   int error)
{
    uint8_t to[16];
    char ip[ARGS_ADDR];
    fprintf(f, "packet %" PRIu64 ": cannot send", d->counters.in);
    if (!out->frame) {
        if (out->p[0] >> 4 == 4)
            tmtu_addr_set4(to, out->p + 16);
        else
            memcpy(to, out->p + 24, sizeof to);
        fprintf(f, " to %s", args_addr_text(to, ip));
    }
    fprintf(f, ": %s\n", strerror(error));
}

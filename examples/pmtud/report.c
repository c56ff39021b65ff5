/* SPDX-License-Identifier: MIT */
/* What tunmtu-pmtud tells: its counters, its configuration, single packets. */
#include "report.h"

#include <inttypes.h>

#include "counters.h"

/* What the parser, and a tunnel, can have against a packet. */
static const uint8_t reasons[] = {
    TMTU_R_TRUNCATED,     TMTU_R_MALFORMED, TMTU_R_CHECKSUM,    TMTU_R_LIMIT,
    TMTU_R_UNSUPPORTED,   TMTU_R_INTERNAL,  TMTU_R_TTL_EXPIRED, TMTU_R_TOO_BIG,
    TMTU_R_TOO_BIG_ERROR, TMTU_R_MTU_FLOOR, TMTU_R_OVERSIZE,    TMTU_R_LOOP,
    TMTU_R_ENCAP_LIMIT,
};

void report_counters(FILE *f, const void *arg)
{
    const struct report *r = arg;
    const struct pmtud_counters *c = &r->d->counters;

    counters_line(f, "", "in", c->in);
    counters_line(f, "", "in.bytes", c->in_bytes);
    counters_line(f, "", "out", c->out);
    counters_line(f, "", "out.bytes", c->out_bytes);
    for (int i = 0; i < PMTUD_FATES; i++) {
        if (pmtud_fate_name(i) != NULL)
            counters_line(f, "", pmtud_fate_name(i), c->fate[i]);
    }
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        counters_line(f, "drop", tmtu_reason_name(reasons[i]),
                      c->drop[reasons[i]]);
    for (uint32_t i = 0; i < PMTUD_DOUBTS; i++) {
        const struct tmtu_trust_options strict = TMTU_TRUST_INIT;
        if (strict.refuse >> i & 1)
            counters_line(f, "doubted", tmtu_trust_name(1u << i), c->doubt[i]);
    }
    counters_line(f, "", "by_address", c->by_address);
    counters_line(f, "", "left_out", c->left_out);
    counters_line(f, "io", "received", r->received);
    counters_line(f, "io", "sent", r->sent);
    counters_line(f, "io", "send_errors", r->send_errors);
    counters_line(f, "io", "skipped", r->skipped);
    counters_line(f, "io", "lost", r->lost);
}

static void where_to(FILE *f, const struct options *o, const struct pmtud *d)
{
    char ip[ARGS_ADDR];
    switch (o->config.mode) {
    case PMTUD_STEER:
        fprintf(f,
                "tunmtu-pmtud: to the server of each flow; flows are placed as "
                "on every host with fingerprint %016" PRIx64 "\n",
                o->config.services->fingerprint);
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
            "tunmtu-pmtud: rates %.1f a second of one router, %.1f of all, "
            "none repeated within %.1f s%s\n",
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

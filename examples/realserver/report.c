/* SPDX-License-Identifier: MIT */
/* What tunmtu-realserver tells: its counters and its configuration. */
#include "report.h"

#include "counters.h"

void report_counters(FILE *f, const void *arg)
{
    static const char *const ins[RS_INS] = {
        [RS_IN_DELIVERED] = "delivered",
        [RS_IN_HELD] = "held.fragment",
        [RS_IN_NOT_TUNNEL] = "pass.not_tunnel",
        [RS_IN_DROPPED] = NULL, /* by reason */
    };
    const struct report *r = arg;
    const struct rs_counters *c = &r->rs->counters;
    const struct tmtu_reass_counters *reass = tmtu_reass_counters(r->rs->reass);

    counters_line(f, "", "in", c->in);
    for (size_t i = 0; i < RS_INS; i++) {
        if (ins[i] != NULL)
            counters_line(f, "in", ins[i], c->in_fate[i]);
    }
    for (int i = 1; i < TMTU_REASONS; i++)
        counters_line(f, "in.drop", tmtu_reason_name(i), c->in_drop[i]);
    counters_line(f, "", "out", c->out);
    counters_line(f, "out", "sent", c->out_fate[RS_OUT_SENT]);
    counters_line(f, "out", "not_vip", c->out_fate[RS_OUT_NOT_VIP]);
    for (int i = TMTU_R_TRUNCATED; i <= TMTU_R_INTERNAL; i++)
        counters_line(f, "out.drop", tmtu_reason_name(i), c->out_drop[i]);
    counters_line(f, "mss", "clamped", c->clamped);
    counters_line(f, "mss", "unreadable", c->unclamped);
    counters_reass(f, reass);
    counters_io(f, "io", r->io);
    counters_io(f, "tun", r->tun);
}

static void addresses(FILE *f, const char *what, const struct args_addrs *list,
                      const char *none)
{
    char ip[ARGS_ADDR];
    fprintf(f, "tunmtu-realserver: %s", what);
    for (size_t i = 0; i < list->n; i++)
        fprintf(f, " %s", args_addr_text(list->addr[i], ip));
    fprintf(f, "%s\n", list->n == 0 ? none : "");
}

/* "tunnels ipip, gre (key 7), gue (port 6080)" */
static void tunnels(FILE *f, const struct rs_config *c)
{
    static const struct {
        const char *name;
        unsigned bit;
        enum tmtu_encap_kind kind;
    } types[] = {{"ipip", RS_IPIP, TMTU_ENCAP_IPIP},
                 {"gre", RS_GRE, TMTU_ENCAP_GRE},
                 {"gue", RS_GUE, TMTU_ENCAP_GUE},
                 {"gre-udp", RS_GREUDP, TMTU_ENCAP_GREUDP}};
    const unsigned accepted = c->tunnels != 0 ? c->tunnels : RS_ALL;
    const char *between = "tunmtu-realserver: tunnels of";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!(accepted & types[i].bit))
            continue;
        fprintf(f, "%s %s", between, types[i].name);
        if (types[i].bit & (RS_GUE | RS_GREUDP))
            fprintf(f, " (port %u)", rs_port(c, types[i].kind));
        between = ",";
    }
    if (c->has_key)
        fprintf(f, "; GRE key %u", (unsigned)c->key);
    fprintf(f, "; UDP over IPv6 %s a checksum\n",
            c->zero_csum6 ? "also without" : "with");
}

void report_config(FILE *f, const struct options *o, const struct rs *rs)
{
    fprintf(f, "tunmtu-realserver: io %s, tun %s, path MTU %u\n", o->io, o->tun,
            (unsigned)o->config.mtu);
    tunnels(f, &o->config);
    addresses(f, "services", &o->config.vips, "");
    addresses(f, "tunnels to", &o->config.locals, " any address");
    addresses(f, "tunnels from", &o->config.peers, " any address");
    if (o->config.clamp == RS_CLAMP_NO)
        fputs("tunmtu-realserver: MSS as it is\n", f);
    else
        fprintf(f, "tunmtu-realserver: MSS at most %u, for IPv6 %u%s\n",
                rs_mss(rs, 4), rs_mss(rs, 6),
                o->config.clamp == RS_CLAMP_AUTO
                    ? "; less once a tunnel with more headers is seen"
                    : "");
}

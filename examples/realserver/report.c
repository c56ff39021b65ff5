/* SPDX-License-Identifier: MIT */
/* What tunmtu-realserver tells: its counters and its configuration. */
#include "report.h"

#include "counters.h"

static const struct counters_label from_network[] = {{"direction", "in"},
                                                     {NULL, NULL}};
static const struct counters_label from_host[] = {{"direction", "out"},
                                                  {NULL, NULL}};
static const struct counters_family ignored = {
    "ignored_packets_total", "reason",
    "Packets that are none of ours: not a tunnel's, or not from a VIP."};
static const struct counters_family dropped = {"dropped_packets_total",
                                               "reason", "Packets dropped."};

static void inward(struct counters *to, const struct rs_counters *c)
{
    static const struct counters_family in = {
        "packets_in_total", NULL, "Packets that came from the network."};
    static const struct counters_family delivered = {
        "delivered_packets_total", NULL,
        "Packets out of tunnels, given to the host."};
    static const struct counters_family held = {
        "held_fragments_total", NULL,
        "Fragments kept until the rest of their packet is there."};

    counters_line(to, &in, "", "in", c->in);
    counters_line(to, &delivered, "in", "delivered",
                  c->in_fate[RS_IN_DELIVERED]);
    counters_line(to, &held, "in", "held.fragment", c->in_fate[RS_IN_HELD]);
    to->about = from_network;
    counters_line(to, &ignored, "in", "pass.not_tunnel",
                  c->in_fate[RS_IN_NOT_TUNNEL]);
    for (int i = 1; i < TMTU_REASONS; i++)
        counters_line(to, &dropped, "in.drop", tmtu_reason_name(i),
                      c->in_drop[i]);
    to->about = NULL;
}

static void outward(struct counters *to, const struct rs_counters *c)
{
    static const struct counters_family out = {
        "packets_out_total", NULL, "Packets that came from the host."};
    static const struct counters_family sent = {"sent_packets_total", NULL,
                                                "Replies sent to clients."};

    counters_line(to, &out, "", "out", c->out);
    counters_line(to, &sent, "out", "sent", c->out_fate[RS_OUT_SENT]);
    to->about = from_host;
    counters_line(to, &ignored, "out", "not_vip", c->out_fate[RS_OUT_NOT_VIP]);
    for (int i = TMTU_R_TRUNCATED; i <= TMTU_R_INTERNAL; i++)
        counters_line(to, &dropped, "out.drop", tmtu_reason_name(i),
                      c->out_drop[i]);
    to->about = NULL;
}

void report_counters(struct counters *to, const void *arg)
{
    static const struct counters_family clamped = {
        "mss_clamped_packets_total", NULL, "SYNs whose MSS was lowered."};
    static const struct counters_family unreadable = {
        "mss_unreadable_packets_total", NULL,
        "SYNs whose options could not be read, sent as they are."};
    const struct report *r = arg;

    inward(to, &r->rs->counters);
    outward(to, &r->rs->counters);
    counters_line(to, &clamped, "mss", "clamped", r->rs->counters.clamped);
    counters_line(to, &unreadable, "mss", "unreadable",
                  r->rs->counters.unclamped);
    counters_reass(to, tmtu_reass_counters(r->rs->reass));
    counters_io(to, "io", r->io);
    counters_io(to, "tun", r->tun);
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

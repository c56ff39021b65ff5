/* SPDX-License-Identifier: MIT */
/* What tunmtu-lb tells while it runs: its configuration, single packets. */
#define _POSIX_C_SOURCE 200809L
#include "tell.h"

#include <inttypes.h>

#include "args.h"
#include "report.h"

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

void tell_config(FILE *f, const struct options *o, const struct services *t)
{
    static const char *const policies[] = {"notify", "fragment", "both"};

    fprintf(f,
            "tunmtu-lb: io %s, path MTU %" PRIu32 ", policy %s, for IPv6 %s\n",
            o->io, o->config.mtu, policies[o->config.policy[0]],
            policies[o->config.policy[1]]);
    for (size_t i = 0; i < t->n; i++) {
        const struct service *s = &t->service[i];
        char text[80], from[ARGS_ADDR], to[ARGS_ADDR];
        report_service(s, text);
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
                        report_server(&s->server[j], endpoint),
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

void tell_packet(FILE *f, const struct lb *lb, uint64_t n)
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

    flockfile(f); /* one line, whatever another thread has to say */
    fprintf(f, "packet %" PRIu64 ": ", n);
    if (note->fate == LB_DROPPED)
        fprintf(f, "drop.%s", tmtu_reason_name(note->reason));
    else
        fputs(report_fate(note->fate), f);
    if (note->icmp)
        fprintf(f, ", an ICMP error (%s) about a served flow",
                report_icmp(note->icmp_kind));
    if (note->by_address)
        fputs(", which quotes no ports", f);
    if (note->server != NULL)
        fprintf(f, ", server %s", report_server(note->server, server));
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
    funlockfile(f);
}

void tell_broken(FILE *f, const struct lb *lb, uint64_t more)
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

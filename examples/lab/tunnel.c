/* SPDX-License-Identifier: MIT */
/* The near end of a tunnel without sockets and clock: packets go in, tunnel
 * packets come out, and what their paths carry is remembered. */
#include "tunnel.h"

#include <stdlib.h>
#include <string.h>
#include <tunmtu/icmp.h>

/* Paths that are remembered. */
enum { PATHS = 64 };

bool tunnel_init(struct tunnel *t)
{
    static const struct tmtu_pmtu_options options = TMTU_PMTU_INIT;
    /* Who collides with whom does not matter among a few hosts of a lab. */
    static const struct tmtu_hash_key key = {1, 2};

    t->end.host = 1; /* packets of this host, who may be an end of the tunnel */
    t->end.mtu.path_mtu = t->link_out;
    if (tmtu_tunnel_check(&t->end) < 0)
        return false;
    void *memory = malloc(tmtu_pmtu_sizeof(PATHS));
    if (memory != NULL)
        t->pmtu = tmtu_pmtu_init(memory, PATHS, &options, &key);
    return t->pmtu != NULL;
}

void tunnel_free(struct tunnel *t)
{
    free(t->pmtu);
    t->pmtu = NULL;
}

static enum tunnel_fate end(struct tunnel *t, enum tunnel_fate fate)
{
    t->fate[fate]++;
    return fate;
}

static enum tunnel_fate drop(struct tunnel *t, enum tmtu_reason reason)
{
    t->reason = reason;
    t->drop[reason]++;
    return end(t, TUNNEL_DROPPED);
}

/* The name of a path. With `shared`, one for all that leads to a host, be it
 * through the tunnel or not: so it was in the kernels of the story. */
static struct tmtu_pmtu_path
path_of(const struct tunnel *t, const struct tmtu_flow *flow, uint32_t tunnel)
{
    struct tmtu_pmtu_path path = tmtu_pmtu_path(flow, tunnel);
    if (t->shared) {
        memset(path.src, 0, sizeof path.src);
        path.tunnel = 0;
    }
    return path;
}

/* The path of the tunnel's own packets, outside. */
static struct tmtu_pmtu_path carrier(const struct tunnel *t, uint32_t tunnel)
{
    struct tmtu_flow flow;
    tmtu_copy(flow.src, t->end.encap.src, 16);
    tmtu_copy(flow.dst, t->end.encap.dst, 16);
    return path_of(t, &flow, tunnel);
}

/* A host remembers what it was told about a path, be it by itself. */
static void learn(struct tunnel *t, const struct tmtu_pmtu_path *path,
                  struct tmtu_pmtu_error error, uint32_t link, uint64_t now)
{
    struct tmtu_pmtu_answer known;
    error.validated = 1;
    if (tmtu_pmtu_learn(t->pmtu, path, &error, link, now) != TMTU_PMTU_LEARNT)
        return;
    tmtu_pmtu_lookup(t->pmtu, path, link, now, &known);
    t->learnt = *path;
    t->mtu = known.mtu;
}

/* "Too big": to the host that sent it, who is this one. */
static enum tunnel_fate answer(struct tunnel *t, struct tmtu_buf *buf,
                               const struct tmtu_pkt *pkt,
                               const struct tmtu_verdict *todo, uint64_t now)
{
    const struct tmtu_pmtu_path paths[2] = {path_of(t, &pkt->flow, LAB_TUNNEL),
                                            carrier(t, 0)};
    struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;

    if (tmtu_addr_is4(t->end.encap.src) == (pkt->flow.ipver == 4))
        tmtu_copy(e.src, t->end.encap.src, 16);
    e.kind = todo->answer;
    e.info = todo->info;
    if (todo->answer == TMTU_ICMP_TOO_BIG) {
        t->chain = tmtu_pmtu_chain(paths, 2);
        learn(t, &paths[0], (struct tmtu_pmtu_error){.mtu = todo->info},
              t->link_in, now);
    }
    if (tmtu_icmp_wrap(buf, pkt, &e) < 0)
        return drop(t, TMTU_R_INTERNAL);
    return end(t, TUNNEL_ANSWERED);
}

/* A tunnel packet that wants into its own tunnel is dropped; it tells that
 * somebody has routed it there. */
static enum tunnel_fate loop(struct tunnel *t, struct tmtu_buf *buf,
                             const struct tmtu_pkt *outer)
{
    struct tmtu_pkt inner;
    struct tmtu_encap encap = t->end.encap;
    if (tmtu_encap_pull(buf, outer, &encap, &inner) == TMTU_OK) {
        const struct tmtu_pmtu_path paths[3] = {
            path_of(t, &inner.flow, LAB_TUNNEL), carrier(t, LAB_TUNNEL),
            carrier(t, 0)};
        t->chain = tmtu_pmtu_chain(paths, 3);
    }
    return drop(t, TMTU_R_LOOP);
}

enum tunnel_fate tunnel_enter(struct tunnel *t, struct tmtu_buf *buf,
                              uint64_t now)
{
    const struct tmtu_pmtu_path outside = carrier(t, 0);
    struct tmtu_encap_each each = {t->id++, 0};
    struct tmtu_pmtu_answer known;
    struct tmtu_verdict todo;
    struct tmtu_pkt pkt;

    t->mtu = 0;
    t->chain = TMTU_PMTU_CHAIN_OK;
    int rc = tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &pkt);
    if (rc < 0)
        return drop(t, tmtu_reason_of(rc));
    /* What the kernel says of its own accord, to the link. */
    if (!tmtu_addr_is_host(pkt.flow.src) || !tmtu_addr_is_host(pkt.flow.dst))
        return drop(t, TMTU_R_GROUP);
    tmtu_pmtu_lookup(t->pmtu, &outside, t->link_out, now, &known);
    t->end.mtu.path_mtu = known.mtu;
    tmtu_tunnel_enter(&t->end, &pkt, &todo);
    if (todo.reason == TMTU_R_LOOP)
        return loop(t, buf, &pkt);
    if (todo.answer != 0)
        return answer(t, buf, &pkt, &todo, now);
    if (todo.action == TMTU_TUNNEL_DROP)
        return drop(t, (enum tmtu_reason)todo.reason);

    rc = tmtu_tunnel_push(buf, &pkt, &t->end, &each);
    if (rc == 0 && todo.action == TMTU_TUNNEL_CUT)
        rc = tmtu_ip_parse(tmtu_buf_view(buf), 0, &pkt);
    if (rc == 0 && todo.action == TMTU_TUNNEL_CUT)
        rc =
            tmtu_frag_init(&t->frag, &pkt, known.mtu, each.id, TMTU_FRAG_FORCE);
    if (rc < 0)
        return drop(t, tmtu_reason_of(rc));
    return end(t, todo.action == TMTU_TUNNEL_CUT ? TUNNEL_CUT : TUNNEL_SENT);
}

enum tunnel_fate tunnel_hear(struct tunnel *t, const struct tmtu_buf *buf,
                             uint64_t now)
{
    const struct tmtu_pmtu_path outside = carrier(t, 0);
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;

    t->mtu = 0;
    t->chain = TMTU_PMTU_CHAIN_OK;
    if (tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &pkt) < 0 ||
        tmtu_ip_transport_verify(&pkt) < 0 ||
        tmtu_icmp_parse(&pkt, &icmp) < 0 || icmp.kind != TMTU_ICMP_TOO_BIG ||
        !tmtu_addr_equal(icmp.quoted.flow.src, t->end.encap.src) ||
        !tmtu_addr_equal(icmp.quoted.flow.dst, t->end.encap.dst))
        return end(t, TUNNEL_NOT_OURS);
    learn(
        t, &outside,
        (struct tmtu_pmtu_error){.mtu = icmp.info,
                                 .length = (uint16_t)icmp.quoted.len,
                                 .header = (uint8_t)icmp.quoted.unfragmentable},
        t->link_out, now);
    return end(t, TUNNEL_LEARNT);
}

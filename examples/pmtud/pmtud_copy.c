/* SPDX-License-Identifier: MIT */
/* Whom an error is for, and the copies that get there. */
#include <stdlib.h>
#include <string.h>

#include <tunmtu/io.h>

#include "pmtud_own.h"

enum { ETHER = 14, MEMORY = TMTU_IO_HEADROOM + 65535 };

/* The tunnel to a peer: nothing but a header in front. */
static bool make_peer(struct tmtu_tunnel *t, const uint8_t from[16],
                      const uint8_t to[16])
{
    const struct tmtu_tunnel plain = TMTU_TUNNEL_INIT;
    *t = plain;
    tmtu_copy(t->encap.src, from, 16);
    tmtu_copy(t->encap.dst, to, 16);
    return tmtu_tunnel_check(t) == 0;
}

static bool has_peer(const struct pmtud *d, const uint8_t to[16])
{
    for (size_t i = 0; i < d->peers; i++) {
        if (tmtu_addr_equal(d->peer[i].encap.dst, to))
            return true;
    }
    return false;
}

bool pmtud_init(struct pmtud *d, const struct pmtud_config *config,
                const uint8_t **why)
{
    memset(d, 0, sizeof *d);
    *why = NULL;
    d->config = config;
    d->src = rate_of(config->src_rate);
    d->iface = rate_of(config->iface_rate);
    d->id = config->first_id;
    d->memory = malloc(MEMORY);
    d->peer = calloc(config->peers.n + 1, sizeof *d->peer);
    if (d->memory == NULL || d->peer == NULL ||
        !rate_table_init(&d->sources, 1 << 16) ||
        !rate_table_init(&d->told, 1 << 16))
        return false;
    for (size_t i = 0; i < config->peers.n; i++) {
        const uint8_t *to = config->peers.addr[i];
        const uint8_t *from = config->local[!tmtu_addr_is4(to)];
        if (tmtu_addr_equal(from, to)) /* one list will do for all hosts */
            continue;
        if (has_peer(d, to)) /* told twice is a copy, not two */
            continue;
        if (!make_peer(&d->peer[d->peers++], from, to)) {
            *why = to;
            return false;
        }
    }
    return true;
}

void pmtud_free(struct pmtud *d)
{
    free(d->memory);
    free(d->peer);
    rate_table_free(&d->sources);
    rate_table_free(&d->told);
    memset(d, 0, sizeof *d);
}

/* Why a packet cannot go into a tunnel; TMTU_OK: it can. */
static enum tmtu_reason refused(const struct tmtu_tunnel *tunnel,
                                const struct tmtu_pkt *pkt)
{
    struct tmtu_verdict v;
    tmtu_tunnel_enter(tunnel, pkt, &v);
    if (v.action == TMTU_TUNNEL_CUT) /* no honest error is that long */
        return TMTU_R_TOO_BIG;
    return (enum tmtu_reason)v.reason;
}

/* The service of the flow that is quoted, or is inside what is quoted; without
 * ports, the one that has flows of this protocol. As tunmtu-lb. */
static struct service *service_of(const struct pmtud *d,
                                  const struct tmtu_icmp *icmp, unsigned how,
                                  struct tmtu_owner *owner)
{
    const struct services *t = d->config->services;
    const struct tmtu_flow *f = &owner->flow;
    (void)tmtu_owner_of_error(icmp, how, owner);
    const bool ports = f->flags & TMTU_FLOW_PORTS;
    struct service *s = services_find(t, f->dst, f->proto, f->dport, ports);
    return s != NULL || ports ? s : services_some(t, f->dst, f->proto);
}

static enum pmtud_fate steer(struct pmtud *d, const struct tmtu_icmp *icmp)
{
    const struct services *t = d->config->services;
    struct tmtu_owner owner;
    const struct service *s = service_of(d, icmp, 0, &owner);
    if (s == NULL)
        s = service_of(d, icmp, TMTU_OWNER_TUNNELS, &owner);
    if (s == NULL)
        return PMTUD_NOT_SERVED;
    const uint64_t hash = services_hash(t, s, &owner.flow);
    const struct server *server = services_pick(s, hash);
    if (server == NULL)
        return PMTUD_NO_SERVER;
    d->note.server = server;
    d->note.by_address = s->by_port && owner.by != TMTU_OWNER_PORTS;
    d->hash = services_spread(t, s, server, &owner.flow, hash);
    const struct tmtu_encap *e = &server->tunnel.encap;
    if (tmtu_addr_equal(e->src, e->dst))
        return PMTUD_OWN;
    const enum tmtu_reason reason = refused(&server->tunnel, &d->pkt);
    return reason == TMTU_OK ? PMTUD_SENT : pmtud_drop(d, reason);
}

/* Some peer at least can be sent it. */
static enum pmtud_fate peers(struct pmtud *d)
{
    enum tmtu_reason reason = TMTU_R_INTERNAL;
    d->hash = (uint32_t)tmtu_hash_flow(&d->config->table, &d->note.quoted);
    for (size_t i = 0; i < d->peers; i++) {
        reason = refused(&d->peer[i], &d->pkt);
        if (reason == TMTU_OK)
            return PMTUD_SENT;
    }
    return pmtud_drop(d, reason);
}

enum pmtud_fate pmtud_plan(struct pmtud *d, const struct tmtu_icmp *icmp)
{
    d->next = 0;
    d->last = d->config->mode == PMTUD_PEERS ? d->peers : 1;
    switch (d->config->mode) {
    case PMTUD_STEER:
        return steer(d, icmp);
    case PMTUD_PEERS:
        return peers(d);
    default:
        return PMTUD_SENT;
    }
}

/* The packet as it came, to all; from the address it came to, which is this
 * host's, or from where it came from. */
static struct tmtu_buf frame(const struct pmtud *d)
{
    const struct pmtud_config *c = d->config;
    static const uint8_t none[6];
    const uint8_t *src = c->use_src ? d->in.from : d->in.to;
    struct tmtu_buf b = tmtu_buf(d->memory, MEMORY, ETHER);
    if (!(d->in.flags & PMTUD_LINK) || memcmp(src, none, sizeof none) == 0)
        src = c->mac;
    memset(d->memory, 0xff, 6);
    memcpy(d->memory + 6, src, 6);
    tmtu_put16(d->memory + 12, d->pkt.flow.ipver == 4 ? 0x0800 : 0x86dd);
    tmtu_copy(b.data, d->pkt.data, d->pkt.len);
    b.data = d->memory;
    b.tail += d->pkt.len;
    return b;
}

static bool tunnelled(struct pmtud *d, const struct tmtu_tunnel *tunnel,
                      struct tmtu_buf *b)
{
    const struct tmtu_encap_each each = {d->id, d->hash};
    struct tmtu_pkt pkt = d->pkt;
    if (refused(tunnel, &pkt) != TMTU_OK)
        return false;
    *b = tmtu_buf(d->memory, MEMORY, TMTU_IO_HEADROOM);
    tmtu_copy(b->data, pkt.data, pkt.len);
    pkt.data = b->data;
    b->tail += pkt.len;
    if (tmtu_tunnel_push(b, &pkt, tunnel, &each) < 0)
        return false;
    d->id++;
    return true;
}

int pmtud_give(struct pmtud *d, struct pmtud_out *out)
{
    struct tmtu_buf b;
    while (d->next < d->last) {
        const size_t i = d->next++;
        if (d->config->mode == PMTUD_BROADCAST) {
            b = frame(d);
        } else if (!tunnelled(d,
                              d->config->mode == PMTUD_STEER
                                  ? &d->note.server->tunnel
                                  : &d->peer[i],
                              &b)) {
            d->counters.left_out++;
            continue;
        }
        out->p = b.data;
        out->n = tmtu_buf_len(&b);
        out->frame = d->config->mode == PMTUD_BROADCAST;
        d->counters.out++;
        d->counters.out_bytes += out->n;
        return 1;
    }
    return 0;
}

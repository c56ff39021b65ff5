/* SPDX-License-Identifier: MIT */
/* Services found by address, and the server for a flow. */
#include "services.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROTO_IPIP = 4, PROTO_UDP = 17, PROTO_IPV6 = 41, PROTO_GRE = 47 };

static struct services_slot *slot(const struct services *t,
                                  const uint8_t addr[16], uint8_t proto,
                                  uint16_t port)
{
    /* Odd constants out of the golden ratio: keys come from the operator, so
     * nobody chooses what collides. */
    const uint64_t a = tmtu_load64(addr) * 0x9e3779b97f4a7c15u;
    const uint64_t b = (tmtu_load64(addr + 8) ^ a) * 0xbf58476d1ce4e5b9u;
    const uint64_t c =
        (b ^ ((uint64_t)proto << 16 | port)) * 0x9e3779b97f4a7c15u;
    for (uint32_t i = (uint32_t)(c >> 32);; i++) { /* half of it is free */
        struct services_slot *s = &t->slot[i & t->mask];
        if (!s->used || (s->port == port && s->proto == proto &&
                         tmtu_addr_equal(s->addr, addr)))
            return s;
    }
}

void services_put(struct services *t, const uint8_t addr[16], uint8_t proto,
                  uint16_t port, uint32_t index)
{
    struct services_slot *s = slot(t, addr, proto, port);
    tmtu_copy(s->addr, addr, 16);
    s->port = port;
    s->proto = proto;
    s->used = true;
    s->index = index;
}

bool services_has_vip(const struct services *t, const uint8_t addr[16])
{
    return slot(t, addr, SERVICES_VIP, 0)->used;
}

bool services_has_nat(const struct services *t, const uint8_t addr[16])
{
    return slot(t, addr, SERVICES_NAT, 0)->used;
}

struct service *services_find(const struct services *t, const uint8_t addr[16],
                              uint8_t proto, uint16_t port, bool has_port)
{
    const struct services_slot *s = NULL;
    if (has_port && port != 0)
        s = slot(t, addr, proto, port);
    if ((s == NULL || !s->used) && t->any_port)
        s = slot(t, addr, proto, 0);
    return s != NULL && s->used && proto != 0 ? &t->service[s->index] : NULL;
}

struct service *services_some(const struct services *t, const uint8_t addr[16],
                              uint8_t proto)
{
    const struct services_slot *s = slot(t, addr, SERVICES_VIP, proto);
    return s->used && proto != 0 ? &t->service[s->index] : NULL;
}

/* The protocol and port by which a tunnel's packets are told. */
static uint8_t tunnel_key(uint8_t proto, uint16_t dport, uint16_t *port)
{
    *port = proto == PROTO_UDP ? dport : 0;
    return proto == PROTO_IPV6 ? PROTO_IPIP : proto;
}

void services_put_tunnel(struct services *t, struct server *server)
{
    static const uint8_t protos[] = {[TMTU_ENCAP_IPIP] = PROTO_IPIP,
                                     [TMTU_ENCAP_GRE] = PROTO_GRE,
                                     [TMTU_ENCAP_GUE] = PROTO_UDP};
    const struct tmtu_encap *encap = &server->tunnel.encap;
    uint16_t port;
    const uint8_t proto = tunnel_key(protos[encap->kind], encap->dport, &port);
    if (slot(t, encap->dst, proto, port)->used)
        return; /* of another service */
    t->tunnel[t->tunnels] = server;
    services_put(t, encap->dst, proto, port, t->tunnels++);
}

struct server *services_find_tunnel(const struct services *t,
                                    const struct tmtu_flow *flow)
{
    uint16_t port;
    const uint8_t proto = tunnel_key(flow->proto, flow->dport, &port);
    if ((proto != PROTO_IPIP && proto != PROTO_GRE && proto != PROTO_UDP) ||
        services_has_vip(t, flow->dst))
        return NULL;
    const struct services_slot *s = slot(t, flow->dst, proto, port);
    return s->used ? t->tunnel[s->index] : NULL;
}

struct tmtu_flow services_key(const struct service *s,
                              const struct tmtu_flow *flow)
{
    struct tmtu_flow client = *flow;
    if (s->by_port)
        return client;
    client.sport = client.dport = 0;
    unsigned bits = s->prefix + (client.ipver == 4 ? 96u : 0u);
    for (unsigned i = bits / 8; i < 16; i++, bits = 8 * i)
        client.src[i] = (uint8_t)(client.src[i] & ~(0xffu >> bits % 8));
    return client;
}

uint64_t services_hash(const struct services *t, const struct service *s,
                       const struct tmtu_flow *flow)
{
    if (s->by_port)
        return tmtu_hash_flow(&t->key, flow);
    const struct tmtu_flow client = services_key(s, flow);
    return tmtu_hash_flow(&t->key, &client);
}

uint32_t services_spread(const struct services *t, const struct service *s,
                         const struct server *server,
                         const struct tmtu_flow *flow, uint64_t hash)
{
    const struct tmtu_encap *e = &server->tunnel.encap;
    const bool shows = !tmtu_addr_is4(e->dst) || e->kind == TMTU_ENCAP_GUE;
    return (uint32_t)(s->by_port || !shows ? hash
                                           : tmtu_hash_flow(&t->key, flow));
}

struct server *services_pick(const struct service *s, uint64_t hash)
{
    const int i = tmtu_steer_lookup(s->steer, hash);
    return i >= 0 ? &s->server[i] : NULL;
}

const char *services_proto_name(uint8_t proto)
{
    return proto == 6 ? "tcp" : proto == 17 ? "udp" : "sctp";
}

const char *services_fingerprints(const struct services *t,
                                  char text[SERVICES_FINGERPRINTS])
{
    snprintf(text, SERVICES_FINGERPRINTS,
             "fingerprint of the key %016" PRIx64 ", of the rules %016" PRIx64,
             t->key_fingerprint, t->rules_fingerprint);
    return text;
}

/* Outer DF. Who fragments without a word does not want to hear of small paths
 * either, and where a path may carry less than is known, routers must be able
 * to cut (K98). Over IPv4, IPv6 has DF while there is something to learn that
 * its sender could be told: more than 1280 bytes are left (RFC 4213 §3.2.2). */
static uint8_t df_of(const struct server *s, uint32_t mtu, bool locked)
{
    const struct tmtu_encap *e = &s->tunnel.encap;
    if (locked || s->tunnel.mtu.policy == TMTU_MTU_FRAGMENT)
        return TMTU_DF_CLEAR;
    if (!s->inner6 || !tmtu_addr_is4(e->dst))
        return TMTU_DF_COPY;
    return mtu > (uint32_t)TMTU_IP6_MIN_MTU + tmtu_encap_overhead(e)
               ? TMTU_DF_SET
               : TMTU_DF_CLEAR;
}

bool services_tune(struct server *s, uint32_t mtu, bool locked)
{
    struct tmtu_tunnel t = s->tunnel;
    t.mtu.path_mtu = mtu;
    t.encap.df = df_of(s, mtu, locked);
    if (tmtu_tunnel_check(&t) < 0)
        return false;
    s->tunnel = t;
    return true;
}

static bool set_mtu(struct server *s, uint32_t mtu)
{
    const bool v4 = tmtu_addr_is4(s->tunnel.encap.dst);
    if (s->forward == LB_TUNNEL)
        return services_tune(s, mtu, false);
    s->tunnel.mtu.path_mtu = mtu;
    return mtu >= (v4 ? TMTU_IP4_MIN_MTU : TMTU_IP6_MIN_MTU);
}

bool services_set_mtu(struct services *t, uint32_t mtu)
{
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < t->service[i].servers; j++) {
            if (!set_mtu(&t->service[i].server[j], mtu))
                return false;
        }
    }
    return true;
}

void services_free(struct services *t)
{
    for (size_t i = 0; t->service != NULL && i < t->n; i++) {
        if (!t->copy)
            free(t->service[i].steer);
        free(t->service[i].server);
    }
    free(t->service);
    free(t->tunnel);
    free(t->by_id);
    free(t->slot);
    memset(t, 0, sizeof *t);
}

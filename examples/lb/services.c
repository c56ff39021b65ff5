/* SPDX-License-Identifier: MIT */
/* Services with their servers and tunnels, and the server for a flow. */
#include "services.h"

#include <stdlib.h>
#include <string.h>

#include "args.h"

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

static void put(struct services *t, const uint8_t addr[16], uint8_t proto,
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
    return slot(t, addr, 0, 0)->used;
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

uint64_t services_hash(const struct services *t, const struct service *s,
                       const struct tmtu_flow *flow)
{
    if (s->by_port)
        return tmtu_hash_flow(&t->key, flow);
    struct tmtu_flow client = *flow;
    client.sport = client.dport = 0;
    unsigned bits = s->prefix + (client.ipver == 4 ? 96u : 0u);
    for (unsigned i = bits / 8; i < 16; i++, bits = 8 * i)
        client.src[i] = (uint8_t)(client.src[i] & ~(0xffu >> bits % 8));
    return tmtu_hash_flow(&t->key, &client);
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

bool services_set_mtu(struct services *t, uint32_t mtu)
{
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < t->service[i].servers; j++) {
            struct tmtu_tunnel *tunnel = &t->service[i].server[j].tunnel;
            tunnel->mtu.path_mtu = mtu;
            if (tmtu_tunnel_check(tunnel) < 0)
                return false;
        }
    }
    return true;
}

void services_free(struct services *t)
{
    for (size_t i = 0; t->service != NULL && i < t->n; i++) {
        free(t->service[i].steer);
        free(t->service[i].server);
    }
    free(t->service);
    free(t->slot);
    memset(t, 0, sizeof *t);
}

/* --- out of rules --- */

struct build {
    const struct services_config *config;
    const char *name;
    FILE *say;
    unsigned errors;
};

static void error(struct build *b, unsigned line, const char *what)
{
    fprintf(b->say, "%s:%u: %s\n", b->name, line, what);
    b->errors++;
}

/* The tunnel to one server: outer header and size as K16 to K19, K33 to K36. */
static void make_tunnel(struct build *b, const struct service *s,
                        const struct rules_server *rule, struct server *out)
{
    const struct services_config *c = b->config;
    const int outer6 = !tmtu_addr_is4(rule->addr);
    const int inner6 = !tmtu_addr_is4(s->addr);
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;

    if (!c->has_local[outer6]) {
        error(b, rule->line,
              outer6 ? "a real server with an IPv6 address, expected --local "
                       "with an IPv6 address, too"
                     : "a real server with an IPv4 address, expected --local "
                       "with an IPv4 address, too");
        return;
    }
    tmtu_copy(t.encap.src, c->local[outer6], 16);
    tmtu_copy(t.encap.dst, rule->addr, 16);
    t.encap.ttl = 0;
    t.encap.ecn = TMTU_ECN_3168;
    if (c->mtu != 0)
        t.mtu.path_mtu = c->mtu;
    t.mtu.policy = c->policy[inner6];
    /* Who fragments without a word does not want to hear of small paths on the
     * way either. */
    if (t.mtu.policy == TMTU_MTU_FRAGMENT)
        t.encap.df = TMTU_DF_CLEAR;
    if (tmtu_tunnel_check(&t) < 0) {
        error(b, rule->line,
              tmtu_addr_equal(t.encap.src, t.encap.dst)
                  ? "the real server has the address that --local gives"
                  : "no tunnel to this real server, expected an --mtu of at "
                    "least 68 (IPv4) or 1280 (IPv6)");
        return;
    }
    out->tunnel = t;
    out->weight = rule->weight;
    out->path = (uint8_t)tmtu_hash_bytes(&c->key, rule->addr, 16);
}

/* Placement depends on the key, the service, and who serves with what weight;
 * not on the order. */
static uint64_t fingerprint(const struct services *t, const struct service *s,
                            const struct rules_server *server)
{
    uint8_t b[41];
    tmtu_copy(b, s->addr, 16);
    tmtu_put16(b + 16, s->port);
    b[18] = s->proto;
    b[19] = s->prefix;
    b[20] = s->by_port;
    tmtu_copy(b + 21, server->addr, 16);
    tmtu_put32(b + 37, server->weight);
    return tmtu_hash_bytes(&t->key, b, sizeof b);
}

static void make_service(struct build *b, struct services *t, struct service *s,
                         const struct rules_service *rule)
{
    struct tmtu_steer_server *list = calloc(rule->servers + 1, sizeof *list);
    void *steer = malloc(tmtu_steer_sizeof(TMTU_STEER_SLOTS));

    tmtu_copy(s->addr, rule->addr, 16);
    s->port = rule->port;
    s->proto = rule->proto;
    s->prefix = rule->prefix;
    s->by_port = rule->by_port;
    s->server = calloc(rule->servers + 1, sizeof *s->server);
    s->servers = rule->servers;
    s->steer = steer != NULL ? tmtu_steer_init(steer, TMTU_STEER_SLOTS) : NULL;
    if (list == NULL || s->server == NULL || s->steer == NULL) {
        error(b, rule->line, "no memory for this service");
    } else if (rule->servers > UINT16_MAX) {
        error(b, rule->line, "more than 65535 real servers");
    } else {
        for (size_t i = 0; i < rule->servers; i++) {
            make_tunnel(b, s, &rule->server[i], &s->server[i]);
            tmtu_copy(list[i].addr, rule->server[i].addr, 16);
            list[i].value = (uint16_t)i;
            list[i].weight = rule->server[i].weight;
            t->fingerprint ^= fingerprint(t, s, &rule->server[i]);
        }
        if (tmtu_steer_build(s->steer, list, rule->servers, &t->key) < 0)
            error(b, rule->line, "more real servers than slots in a table");
    }
    free(list);
}

unsigned services_build(struct services *t, const struct rules *rules,
                        const struct services_config *config, const char *name,
                        FILE *say)
{
    struct build b = {.config = config, .name = name, .say = say};
    uint32_t slots = 16;

    memset(t, 0, sizeof *t);
    t->key = config->key;
    while (slots < 4 * rules->services) /* a service takes one or two */
        slots *= 2;
    t->service = calloc(rules->services + 1, sizeof *t->service);
    t->slot = calloc(slots, sizeof *t->slot);
    if (t->service == NULL || t->slot == NULL) {
        error(&b, 0, "no memory for services");
        return b.errors;
    }
    t->n = rules->services;
    t->mask = slots - 1;
    for (size_t i = 0; i < t->n; i++) {
        struct service *s = &t->service[i];
        make_service(&b, t, s, &rules->service[i]);
        put(t, s->addr, s->proto, s->port, (uint32_t)i);
        put(t, s->addr, 0, 0, (uint32_t)i);
        t->any_port |= s->port == 0;
    }
    for (size_t i = 0; i < rules->services; i++) {
        for (size_t j = 0; j < rules->service[i].servers; j++) {
            if (services_has_vip(t, rules->service[i].server[j].addr))
                error(&b, rules->service[i].server[j].line,
                      "the real server has the address of a service: its "
                      "packets would come back");
        }
    }
    return b.errors;
}

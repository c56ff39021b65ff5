/* SPDX-License-Identifier: MIT */
/* Services with their servers and tunnels, made of rules. */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "services.h"

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

/* The tunnel to one server: headers and size as K1 to K6, K16 to K19, K33 to
 * K37. */
static bool make_tunnel(struct build *b, const struct service *s,
                        const struct rules_server *rule, struct server *out)
{
    const struct services_config *c = b->config;
    const int outer6 = !tmtu_addr_is4(rule->addr);
    const int inner6 = !tmtu_addr_is4(s->addr);
    const struct tmtu_encap ipvs = TMTU_ENCAP_IPVS;
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;

    if (!c->has_local[outer6]) {
        error(b, rule->line,
              outer6 ? "a real server with an IPv6 address, expected --local "
                       "with an IPv6 address"
                     : "a real server with an IPv4 address, expected --local "
                       "with an IPv4 address");
        return false;
    }
    t.encap = ipvs; /* K33 to K37; without a checksum the rules warn */
    tmtu_copy(t.encap.src, c->local[outer6], 16);
    tmtu_copy(t.encap.dst, rule->addr, 16);
    t.encap.kind = rule->kind;
    t.encap.dport = rule->port;
    if (rule->csum)
        t.encap.flags = TMTU_ENCAP_CSUM;
    if (c->mtu != 0)
        t.mtu.path_mtu = c->mtu;
    t.mtu.policy = c->policy[inner6];
    const bool here = tmtu_addr_equal(t.encap.src, t.encap.dst);
    out->tunnel = t;
    out->inner6 = inner6;
    if (!services_tune(out, t.mtu.path_mtu, false) && !(here && c->among)) {
        error(b, rule->line,
              here ? "the real server has the address that --local gives"
                   : "no tunnel to this real server, expected an --mtu of at "
                     "least 68 (IPv4) or 1280 (IPv6)");
        return false;
    }
    out->weight = rule->weight;
    out->ask = UINT64_MAX;
    out->path = (uint8_t)tmtu_hash_bytes(&c->key, rule->addr, 16);
    return true;
}

/* Without a tunnel: what may go to the server is what its link carries, and who
 * is told what does not is not for us to choose (K7, K19). Only their sender
 * fragments IPv6 packets. */
static bool make_plain(struct build *b, const struct service *s,
                       const struct rules_server *rule, struct server *out)
{
    const struct services_config *c = b->config;
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
    const bool v4 = tmtu_addr_is4(rule->addr);

    if (c->no_link && rule->forward == LB_DIRECT) {
        error(b, rule->line,
              "direct routing (-g) sends to link-layer addresses, which a TUN "
              "device does not have, expected --io afpacket:IFNAME");
        return false;
    }
    if (v4 != tmtu_addr_is4(s->addr)) {
        error(
            b, rule->line,
            rule->forward == LB_DIRECT
                ? "direct routing (-g) leaves the packet as it is, expected a "
                  "real server with an address of the service's family, or -i"
                : "masquerading (-m) keeps the family, expected a real server "
                  "with an address of the service's family, or -i");
        return false;
    }
    tmtu_copy(t.encap.dst, rule->addr, 16);
    t.mtu.overhead = 0;
    t.mtu.outer = v4 ? 4 : 6;
    t.mtu.flags = TMTU_MTU_ERRORS_DROP;
    if (c->mtu != 0)
        t.mtu.path_mtu = c->mtu;
    out->tunnel = t;
    out->forward = rule->forward;
    out->port = rule->port;
    out->weight = rule->weight;
    out->ask = UINT64_MAX;
    out->path = (uint8_t)tmtu_hash_bytes(&c->key, rule->addr, 16);
    return true;
}

static void make_server(struct build *b, struct services *t, struct service *s,
                        const struct rules_server *rule, struct server *out)
{
    if (rule->forward == LB_TUNNEL) {
        if (make_tunnel(b, s, rule, out))
            services_put_tunnel(t, out);
    } else if (make_plain(b, s, rule, out) && rule->forward == LB_NAT) {
        services_put(t, rule->addr, SERVICES_NAT, 0, 0);
        s->nat = true;
    }
}

/* What tells servers of one address apart: a port that is not the service's. */
static uint16_t port_of(const struct service *s,
                        const struct rules_server *rule)
{
    return rule->forward == LB_NAT && rule->port != s->port ? rule->port : 0;
}

/* Which hash of nothing secret the key makes: nobody finds the key in it. */
static uint64_t key_fingerprint(const struct tmtu_hash_key *key)
{
    static const uint8_t text[] = "tunmtu key fingerprint";
    return tmtu_hash_bytes(key, text, sizeof text - 1);
}

/* Besides the key, placement depends on the service, and on who serves with
 * what weight; not on the order. A service without servers (NULL) counts too:
 * its clients are told so. */
static uint64_t rules_fingerprint(const struct service *s,
                                  const struct rules_server *server)
{
    static const struct tmtu_hash_key nobodys = {0, 0};
    uint8_t b[43];
    tmtu_copy(b, s->addr, 16);
    tmtu_put16(b + 16, s->port);
    b[18] = s->proto;
    b[19] = s->prefix;
    b[20] = s->by_port;
    if (server == NULL)
        return tmtu_hash_bytes(&nobodys, b, 21);
    tmtu_copy(b + 21, server->addr, 16);
    tmtu_put32(b + 37, server->weight);
    tmtu_put16(b + 41, port_of(s, server));
    return tmtu_hash_bytes(&nobodys, b, sizeof b);
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
    t->rules_fingerprint ^= rules_fingerprint(s, NULL);
    if (list == NULL || s->server == NULL || s->steer == NULL) {
        error(b, rule->line, "no memory for this service");
    } else if (rule->servers > UINT16_MAX) {
        error(b, rule->line, "more than 65535 real servers");
    } else {
        for (size_t i = 0; i < rule->servers; i++) {
            make_server(b, t, s, &rule->server[i], &s->server[i]);
            tmtu_copy(list[i].addr, rule->server[i].addr, 16);
            list[i].port = port_of(s, &rule->server[i]);
            list[i].value = (uint16_t)i;
            list[i].weight = rule->server[i].weight;
            t->rules_fingerprint ^= rules_fingerprint(s, &rule->server[i]);
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
    t->key_fingerprint = key_fingerprint(&config->key);
    size_t most = 0; /* a service takes up to three, a server up to one */
    for (size_t i = 0; i < rules->services; i++)
        most += 3 + rules->service[i].servers;
    while (slots < 2 * most)
        slots *= 2;
    t->service = calloc(rules->services + 1, sizeof *t->service);
    t->tunnel = calloc(most + 1, sizeof *t->tunnel);
    t->slot = calloc(slots, sizeof *t->slot);
    if (t->service == NULL || t->tunnel == NULL || t->slot == NULL) {
        error(&b, 0, "no memory for services");
        return b.errors;
    }
    t->n = rules->services;
    t->mask = slots - 1;
    for (size_t i = 0; i < t->n; i++) {
        struct service *s = &t->service[i];
        make_service(&b, t, s, &rules->service[i]);
        services_put(t, s->addr, s->proto, s->port, (uint32_t)i);
        services_put(t, s->addr, SERVICES_VIP, 0, (uint32_t)i);
        const struct service *some = services_some(t, s->addr, s->proto);
        if (some == NULL || s->port < some->port) /* whatever the order */
            services_put(t, s->addr, SERVICES_VIP, s->proto, (uint32_t)i);
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
    static const struct services none;
    if (!services_adopt(t, &none))
        error(&b, 0, "no memory for services");
    return b.errors;
}

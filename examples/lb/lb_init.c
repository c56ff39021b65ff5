/* SPDX-License-Identifier: MIT */
/* A load balancer's memory: all that it will ever have. */
#include <stdlib.h>
#include <string.h>

#include "lb.h"

/* Packets in the making at a time: as many as keep 16 MiB, and 60 s of them
 * are far more than fragments that arrive in any order need. */
enum { REASS_PACKETS = 256, REASS_MAX = 65535 };

/* Receivers of answers that are told apart. More of them at a time are limited
 * by what is sent in all. */
enum { LIMIT_HOSTS = 4096 };

/* False: there is no memory. */
static bool make_limit(struct lb *lb, const struct services_config *config)
{
    struct tmtu_hash_key key = config->key;
    if (config->limit.size == 0)
        return true;
    key.k0 ^= config->first_id; /* the key may be known, or none */
    void *mem = malloc(tmtu_limit_sizeof(LIMIT_HOSTS));
    if (mem == NULL)
        return false;
    lb->limit = tmtu_limit_init(mem, LIMIT_HOSTS, &config->limit, &key);
    return lb->limit != NULL;
}

/* What is known of the paths to all servers; four times the places, so that
 * none has to make room for another. False: there is no memory. */
static bool make_pmtu(struct lb *lb, const struct services_config *config)
{
    const struct tmtu_pmtu_options options = TMTU_PMTU_INIT;
    size_t entries = 64;
    while (entries < 4 * (size_t)lb->services->tunnels)
        entries *= 2;
    void *mem = malloc(tmtu_pmtu_sizeof(entries));
    if (mem == NULL)
        return false;
    lb->pmtu = tmtu_pmtu_init(mem, entries, &options, &config->key);
    return lb->pmtu != NULL;
}

/* Packets whose first fragment was quoted, remembered for the others. */
enum { FOLLOW_PACKETS = 4096 };

static bool make_follow(struct lb *lb, const struct services_config *config)
{
    const struct tmtu_follow_options options = TMTU_FOLLOW_INIT;
    void *mem = malloc(tmtu_follow_sizeof(FOLLOW_PACKETS));
    if (mem == NULL)
        return false;
    lb->follow = tmtu_follow_init(mem, FOLLOW_PACKETS, &options, &config->key);
    return lb->follow != NULL;
}

bool lb_init(struct lb *lb, struct services *services,
             const struct services_config *config)
{
    memset(lb, 0, sizeof *lb);
    void *reass = malloc(tmtu_reass_sizeof(REASS_PACKETS, REASS_MAX));
    if (reass != NULL)
        lb->reass =
            tmtu_reass_init(reass, REASS_PACKETS, REASS_MAX, &config->key);
    lb->memory = malloc(TMTU_IO_PACKET);
    lb->services = services;
    for (int i = 0; i < 2; i++) {
        if (config->has_local[i])
            tmtu_copy(lb->local[i], config->local[i], 16);
    }
    lb->mtu = config->mtu;
    lb->refuse = config->refuse;
    lb->pass = config->pass;
    lb->answer_id = (uint16_t)config->first_id;
    lb->id_step = config->id_step != 0 ? config->id_step : 1;
    for (size_t i = 0; i < LB_IDS; i++)
        lb->id[i] = config->first_id;
    const struct tmtu_relay_options relay = TMTU_RELAY_INIT;
    lb->relay = relay;
    lb->relay.policy = config->relay;
    lb->relay.flags = TMTU_RELAY_LOCAL; /* a VIP is on our own network */
    struct tmtu_hash_key key = config->key;
    key.k0 ^= config->first_id; /* the key may be known, or none */
    if (!conns_init(&lb->conns, services, config->connections, &key))
        return false;
    if (config->flow_table != 0) { /* a quarter more: see flows.h */
        lb->flows = conns_table((size_t)config->flow_table * 5 / 4, &key);
        if (lb->flows == NULL)
            return false;
    }
    return make_limit(lb, config) && make_pmtu(lb, config) &&
           make_follow(lb, config) && lb->reass != NULL && lb->memory != NULL;
}

bool lb_adopt(struct lb *lb, struct services *services,
              const struct services_config *config)
{
    struct tmtu_hash_key key = config->key;
    key.k0 ^= config->first_id;
    lb->services = services;
    lb->work.server = NULL;
    for (uint32_t i = 0; i < services->ids; i++) {
        struct server *server = services_by_id(services, i);
        if (server != NULL)
            server->ask = 0; /* what is known of its path still holds */
    }
    return conns_init(&lb->conns, services, config->connections, &key);
}

void lb_free(struct lb *lb)
{
    free(lb->reass);
    free(lb->limit);
    conns_free(&lb->conns);
    free(lb->pmtu);
    free(lb->follow);
    free(lb->flows);
    free(lb->memory);
    memset(lb, 0, sizeof *lb);
}

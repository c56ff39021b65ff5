/* SPDX-License-Identifier: MIT */
/* A load balancer's memory: all that it will ever have. */
#include <stdlib.h>
#include <string.h>

#include "lb_own.h"

/* Packets in the making at a time: as many as keep 16 MiB, and 60 s of them
 * are far more than fragments that arrive in any order need. */
enum { REASS_PACKETS = 256, REASS_MAX = 65535 };

/* Receivers of answers that are told apart. More of them at a time are limited
 * by what is sent in all. */
enum { LIMIT_HOSTS = 4096 };

/* For tables that nobody needs to agree about: the balancers' key may be known,
 * or none. */
static struct tmtu_hash_key secret(const struct services_config *config)
{
    struct tmtu_hash_key key = config->key;
    key.k0 ^= config->first_id;
    return key;
}

/* False: there is no memory. */
static bool make_limit(struct lb *lb, const struct services_config *config)
{
    const struct tmtu_hash_key key = secret(config);
    if (config->limit.size == 0)
        return true;
    void *mem = malloc(tmtu_limit_sizeof(LIMIT_HOSTS));
    if (mem == NULL)
        return false;
    lb->limit = tmtu_limit_init(mem, LIMIT_HOSTS, &config->limit, &key);
    return lb->limit != NULL;
}

/* What is known of the paths to all servers; four times the places, so that
 * none has to make room for another. False: there is no memory. */
static bool make_pmtu(struct lb *lb, const struct services *services,
                      const struct services_config *config)
{
    const struct tmtu_pmtu_options options = TMTU_PMTU_INIT;
    size_t paths = 64;
    while (paths < 4 * (size_t)services->tunnels)
        paths *= 2;
    if (paths <= lb->paths)
        return true;
    void *mem = malloc(tmtu_pmtu_sizeof(paths));
    if (mem == NULL)
        return false;
    struct tmtu_pmtu *pmtu = tmtu_pmtu_init(mem, paths, &options, &config->key);
    if (pmtu == NULL) { /* more paths than there may be */
        free(mem);
        return false;
    }
    if (lb->pmtu != NULL)
        lb_path_move(lb, pmtu, &options);
    free(lb->pmtu);
    lb->pmtu = pmtu;
    lb->paths = paths;
    return true;
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
    pthread_mutex_init(&lb->flows_lock, NULL);
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
    if (config->flow_table != 0) {      /* a quarter more: see flows.h */
        const struct tmtu_hash_key key = secret(config);
        lb->flows = conns_table((size_t)config->flow_table * 5 / 4, &key);
        if (lb->flows == NULL)
            return false;
    }
    lb->conns.services = services;
    return make_limit(lb, config) && make_follow(lb, config) &&
           lb_prepare(lb, services, config) && lb->reass != NULL &&
           lb->memory != NULL;
}

bool lb_prepare(struct lb *lb, const struct services *services,
                const struct services_config *config)
{
    const struct tmtu_hash_key key = secret(config);
    return conns_prepare(&lb->conns, services, config->connections, &key) &&
           make_pmtu(lb, services, config);
}

/* What is known of the paths still holds. */
static void ask_again(struct lb *lb)
{
    for (uint32_t i = 0; i < lb->services->ids; i++) {
        struct server *server = services_by_id(lb->services, i);
        if (server != NULL)
            server->ask = 0;
    }
}

void lb_adopt(struct lb *lb, struct services *services)
{
    lb->services = services;
    lb->conns.services = services;
    lb->work.server = NULL; /* these were of the others */
    lb->note.server = NULL;
    lb->via = NULL;
    ask_again(lb);
}

bool lb_set_mtu(struct lb *lb, uint32_t mtu)
{
    const uint32_t before = lb->mtu;
    const bool ok = services_set_mtu(lb->services, mtu);
    if (ok)
        lb->mtu = mtu;
    else /* some have it already */
        (void)services_set_mtu(lb->services, before);
    ask_again(lb);
    return ok;
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
    pthread_mutex_destroy(&lb->flows_lock);
    memset(lb, 0, sizeof *lb);
}

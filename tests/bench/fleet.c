/* SPDX-License-Identifier: MIT */
/* One balancer of many: its way with a table of flows, beside the way without;
 * and how many errors a second it sends to their servers on one core and two.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tunmtu/flows.h>

#include "bench.h"

enum { FEW = 64, MANY = 65536, ROOM = 2048, ERROR_ROOM = 1856 };

/* Packets in rooms of their own. */
static struct bench_set set_of(size_t n, size_t room)
{
    struct bench_set set = {calloc(n, sizeof *set.p), n, n > FEW ? 16 : 0};
    uint8_t *mem = aligned_alloc(64, n * room);
    if (set.p == NULL || mem == NULL)
        bench_die("no memory");
    for (size_t i = 0; i < n; i++) {
        set.p[i].pkt = (struct tmtu_pkt *)(void *)(mem + i * room);
        set.p[i].ip = mem + i * room + BENCH_AT;
    }
    return set;
}

static void set_free(struct bench_set *set)
{
    free(set->p[0].pkt); /* the first room */
    free(set->p);
}

/* ---- the table ---- */

static struct tmtu_flows *table;
static uint64_t now;

static size_t kept(const struct bench_set *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->n; i++) {
        bench_prefetch(set, i);
        now += 1000;
        good += (size_t)ways_balance_kept(table, &set->p[i], (uint32_t)i, now);
    }
    return good;
}

static void with_table(int ipver, size_t n)
{
    const struct tmtu_hash_key key = {1, 2};
    struct bench_set set = set_of(n, n > FEW ? ROOM : 320);
    void *mem = aligned_alloc(64, (tmtu_flows_sizeof(2 * n) + 63) / 64 * 64);
    table = mem == NULL ? NULL : tmtu_flows_init(mem, 2 * n, &key);
    if (table == NULL)
        bench_die("no table");
    now = 0;
    bench_make(&set, BENCH_SMALL, ipver);
    for (size_t i = 0; i < n; i++)
        if (!ways_keep(table, &set.p[i].pkt->flow))
            bench_die("no place for a flow");
    if (kept(&set) != n)
        bench_die("a flow is not known");
    check_balance(&set, ipver, 1);
    bench_compare("balance, flows", ipver,
                  n == FEW ? "64 in cache" : "65536 x 2 KiB", kept, &set,
                  ways_balance, &set);
    set_free(&set);
    free(mem);
}

/* ---- errors a second ---- */

struct core {
    pthread_t thread;
    int cpu, ipver;
    uint64_t done;
    double took; /* seconds of its own time */
};

/* Others that want the CPU do not count. */
static double own_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static atomic_int go, end; /* how many are ready; they all are */

/* Each goes to the server of the flow that it is about. */
static void check(const struct bench_set *set, int ipver)
{
    const size_t n = ipver == 4 ? 4 : 16; /* of the outer destination */
    for (size_t i = 0; i < set->n; i++) {
        struct tmtu_flow flow;
        bench_flow(&flow, i, ipver);
        const uint8_t *to = ways_server_addr(ways_server(&flow), ipver);
        if (!ways_steer_error(&set->p[i], 1) ||
            memcmp(set->p[i].ip - n, to + 16 - n, n) != 0)
            bench_die("an error was steered wrong");
    }
}

static void *steer(void *arg)
{
    struct core *core = arg;
    struct bench_set set = set_of(FEW, ERROR_ROOM);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)core->cpu, &cpus);
    if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) != 0)
        bench_die("a CPU is not to be had");
    bench_make(&set, BENCH_ERROR, core->ipver);
    check(&set, core->ipver);
    atomic_fetch_sub(&go, 1);
    while (atomic_load(&go) > 0)
        sched_yield();
    const double start = own_time();
    for (uint64_t n = 0; !atomic_load(&end); n++) {
        if (n % 200 == 0)
            bench_refresh(&set); /* before their TTL is used up */
        for (size_t i = 0; i < set.n; i++)
            core->done += (uint64_t)ways_steer_error(&set.p[i], (uint32_t)i);
    }
    core->took = own_time() - start;
    set_free(&set);
    return NULL;
}

/* Millions a second of all these cores together. */
static double together(const int *cpus, int n, int ipver, int quick)
{
    struct core core[2];
    const struct timespec time = {quick ? 0 : 2, quick ? 20000000 : 0};
    double rate = 0;
    atomic_store(&go, n);
    atomic_store(&end, 0);
    for (int i = 0; i < n; i++) {
        core[i] = (struct core){.cpu = cpus[i], .ipver = ipver};
        if (pthread_create(&core[i].thread, NULL, steer, &core[i]) != 0)
            bench_die("no thread");
    }
    while (atomic_load(&go) > 0)
        sched_yield();
    nanosleep(&time, NULL);
    atomic_store(&end, 1);
    for (int i = 0; i < n; i++) {
        pthread_join(core[i].thread, NULL);
        if (core[i].done == 0)
            bench_die("no error was steered");
        rate += (double)core[i].done / core[i].took / 1e6;
    }
    return rate;
}

/* Up to two that this process may have. It has pinned itself; see pin(). */
static int find_cpus(int cpus[2])
{
    cpu_set_t before, all;
    int n = 0;
    sched_getaffinity(0, sizeof before, &before);
    memset(&all, 0xff, sizeof all);
    if (sched_setaffinity(0, sizeof all, &all) == 0 &&
        sched_getaffinity(0, sizeof all, &all) == 0)
        for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
            if (CPU_ISSET((size_t)i, &all))
                cpus[n++] = i;
    sched_setaffinity(0, sizeof before, &before);
    return n;
}

static void on_cores(int quick)
{
    int cpus[2];
    const int n = find_cpus(cpus);
    printf("millions a second of the threads' own time\n");
    for (int ipver = 4; ipver <= 6; ipver += 2)
        for (int k = 1; k <= n; k++)
            printf("%-16s IPv%d  %-16s %7.2f\n", "errors steered", ipver,
                   k == 1 ? "one core" : "two cores",
                   together(cpus, k, ipver, quick));
    if (n < 2)
        puts("# there is one CPU here: nothing to say about two");
}

void fleet_run(const char *only, int quick)
{
    if (only != NULL && strstr("fleet", only) == NULL)
        return;
    bench_head("no table");
    for (int ipver = 4; ipver <= 6; ipver += 2) {
        with_table(ipver, FEW);
        with_table(ipver, MANY);
    }
    on_cores(quick);
}

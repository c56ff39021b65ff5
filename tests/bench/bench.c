/* SPDX-License-Identifier: MIT */
/* What the library costs a packet, beside what it must cost at least. */
#define _GNU_SOURCE
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <tunmtu/version.h>

#include "bench.h"

#ifndef BENCH_BUILD
#define BENCH_BUILD __VERSION__ ", unknown flags"
#endif

enum { FEW = 64, MANY = 65536, ROOM = 2048, AHEAD = 16, MOST = 15 };

/* How one row is measured. */
struct row {
    const char *name;
    enum bench_kind kind;
    bench_way *way;
    bench_way *floor4;
    bench_way *floor6;
};

static const struct row rows[] = {
    {"parse", BENCH_SMALL, ways_parse, floor_parse4, floor_parse6},
    {"hash", BENCH_SMALL, ways_hash, floor_hash4, floor_hash6},
    {"hash, server", BENCH_SMALL, ways_steer, floor_steer4, floor_steer6},
    {"balance", BENCH_SMALL, ways_balance, floor_balance4, floor_balance6},
    {"error in place", BENCH_BIG, ways_wrap, floor_wrap4, floor_wrap6},
    {"error as a copy", BENCH_BIG, ways_build, floor_build4, floor_build6},
    {"read an error", BENCH_ERROR, ways_read, floor_read4, floor_read6},
};

static struct {
    int repeats, cpu, quick;
    double ns; /* of one repeat */
    const char *only;
} opt = {9, -1, 0, 1e7, NULL};

/* Of this thread's own time: others that want the CPU do not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *t, int n)
{
    qsort(t, (size_t)n, sizeof *t, compare);
    return t[n / 2];
}

/* One measurement: ns a packet, of as many passes as take opt.ns. Packets are
 * refreshed before their TTL is used up, while the clock stands still. */
static double measure(bench_way *way, const struct bench_set *set)
{
    const size_t limit = set->n > 4096 ? 4 : 200;
    double spent = 0;
    size_t passes = 0;
    while (spent < opt.ns) {
        size_t good = 0;
        bench_refresh(set);
        way(set); /* the caches are as they will be */
        const double start = now();
        for (size_t i = 0; i < limit; i++)
            good += way(set);
        spent += now() - start;
        passes += limit;
        if (good != limit * set->n)
            bench_die("a measured packet failed");
    }
    return spent / ((double)passes * (double)set->n);
}

/* One pass of each, and a look at all that came of it. */
static void check(const struct row *row, const struct bench_set *set, int ipver)
{
    bench_way *const both[] = {row->way,
                               ipver == 4 ? row->floor4 : row->floor6};
    check_values(set, row->kind, ipver);
    for (int k = 0; k < 2; k++) {
        bench_refresh(set);
        if (both[k](set) != set->n)
            bench_die("a packet failed");
        if (row->way == ways_balance)
            check_balance(set, ipver, k == 0);
        const size_t head = ipver == 4 ? 28 : 48;
        for (size_t i = 0; row->way == ways_wrap && i < set->n; i++)
            check_error(set, ipver, set->p[i].ip - head, i);
        if (row->way == ways_build) /* of the last ones there are copies */
            for (size_t i = set->n - FEW; i < set->n; i++)
                check_error(set, ipver, k == 0 ? ways_copy(i) : floor_copy(i),
                            i);
    }
    bench_refresh(set);
}

void bench_head(const char *other)
{
    printf("%-16s %-4s  %-16s %15s  %15s  %6s\n%-16s %-4s  %-16s %7s %7s  %7s "
           "%7s\n",
           "ns a packet", "", "", "tunmtu", other, "ratio", "", "", "",
           "median", "least", "median", "least");
}

void bench_compare(const char *name, int ipver, const char *what,
                   bench_way *way, const struct bench_set *set,
                   bench_way *other, const struct bench_set *other_set)
{
    double t[MOST], f[MOST], ratio[MOST];
    for (int r = 0; r < opt.repeats; r++) { /* in turns: noise hits both */
        t[r] = measure(way, set);
        f[r] = measure(other, other_set);
        ratio[r] = t[r] / f[r];
    }
    const double tm = median(t, opt.repeats), fm = median(f, opt.repeats);
    printf("%-16s IPv%d  %-16s %7.2f %7.2f  %7.2f %7.2f  %6.2f\n", name, ipver,
           what, tm, t[0], fm, f[0], median(ratio, opt.repeats));
    fflush(stdout);
}

static void measure_row(const struct row *row, const struct bench_set *set,
                        int ipver)
{
    check(row, set, ipver);
    bench_compare(row->name, ipver,
                  set->n == FEW ? "64 in cache" : "65536 x 2 KiB", row->way,
                  set, ipver == 4 ? row->floor4 : row->floor6, set);
    check(row, set, ipver);
}

/* Few packets lie so that they spread over all sets of the cache: an odd
 * number of lines apart. */
static struct bench_set few, many;

static void place(struct bench_set *set, size_t n, uint8_t *mem, size_t room,
                  size_t ahead)
{
    set->p = (struct bench_packet *)calloc(n, sizeof *set->p);
    if (set->p == NULL)
        bench_die("no memory");
    set->n = n;
    set->ahead = ahead;
    for (size_t i = 0; i < n; i++) {
        set->p[i].pkt = (struct tmtu_pkt *)(void *)(mem + i * room);
        set->p[i].ip = mem + i * room + BENCH_AT;
    }
}

static void run(void)
{
    const size_t size = (size_t)MANY * ROOM;
    uint8_t *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static uint64_t small[FEW * 320 / 8], big[FEW * 1856 / 8];
    if (mem == MAP_FAILED)
        bench_die("no memory");
    ways_init();
    floor_init();
    place(&many, MANY, mem, ROOM, AHEAD);
    if (opt.only == NULL || strcmp(opt.only, "tunnel") != 0)
        bench_head("floor");
    enum bench_kind last = BENCH_ERROR;
    int last_ipver = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int ipver = 4; ipver <= 6; ipver += 2) {
            const struct row *row = &rows[i];
            if (opt.only != NULL && strstr(row->name, opt.only) == NULL)
                continue;
            const int fits = row->kind == BENCH_SMALL;
            place(&few, FEW, (uint8_t *)(fits ? small : big), fits ? 320 : 1856,
                  0);
            bench_make(&few, row->kind, ipver);
            measure_row(row, &few, ipver);
            free(few.p);
            if (last != row->kind || last_ipver != ipver)
                bench_make(&many, row->kind, ipver);
            last = row->kind;
            last_ipver = ipver;
            measure_row(row, &many, ipver);
        }
    free(many.p);
    munmap(mem, size);
}

/* Pins to a CPU: the one asked for, or the last that is allowed. */
static int pin(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) < 0)
        return -1;
    for (int i = CPU_SETSIZE; opt.cpu < 0 && i-- > 0;)
        if (CPU_ISSET((size_t)i, &cpus))
            opt.cpu = i;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)opt.cpu, &cpus);
    return sched_setaffinity(0, sizeof cpus, &cpus);
}

static double clock_rate(void)
{
    enum { ADDS = 100000000 };
    uint64_t x = 1;
    const double start = now();
    for (int i = 0; i < ADDS; i++)
        __asm__ volatile("" : "+r"(x) : "r"(x += 1));
    return ADDS / (now() - start);
}

static const char usage[] =
    "Usage: tunmtu-bench [--quick] [--only NAME] [--cpu N]\n"
    "Prints what the library costs a packet, in ns, beside a floor: code that\n"
    "does the least, for packets it knows. Ratio: median over pairs of "
    "runs.\n\n"
    "  --quick      few and short repeats\n"
    "  --only NAME  only rows whose name contains NAME\n"
    "  --cpu N      the CPU to run on; else the last one that is allowed\n"
    "  --help       this text\n\n"
    "balance: parse with the header checksum verified, keyed hash, server out\n"
    "of 100 in a table of 65537 slots, decision, TTL, outer header in the\n"
    "headroom. 64-byte TCP over IPv4 in IPv4, 84-byte over IPv6 in IPv6.\n"
    "error: \"too big\" out of 1500 bytes: 576 (IPv4), 1280 (IPv6).\n"
    "65536 x 2 KiB: streaming through memory, prefetched 16 packets ahead.\n\n"
    "Tunnels, beside IP in IP of the same family (--only tunnel: they alone):\n"
    "push: headers alone; in: parse, hash, decision, TTL, headers; out: "
    "parse,\n"
    "pull, with all that is verified on the way.\n"
    "sum: with a checksum over the whole packet; of 1500 bytes where it says\n"
    "so, else packets are the short ones.\n"
    "nat: beside reading alone; of errors, verified: by somebody else.\n\n"
    "pmtu: the path-MTU cache, asked for paths that are known or not, told of\n"
    "the same MTU again, or of new paths; in turns, in random places. Beside\n"
    "it, what it costs to parse a packet.\n"
    "owner: parsed, whose it is, hash, server: of a packet, of an error, of "
    "an\n"
    "error that quotes a tunnel packet. follow: later fragments whose first "
    "is\n"
    "known or not, and first ones; in turns, in random places.\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {{"quick", 0, NULL, 'q'},
                                            {"only", 1, NULL, 'o'},
                                            {"cpu", 1, NULL, 'c'},
                                            {"help", 0, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'q':
            opt.quick = 1;
            opt.repeats = 3;
            opt.ns = 1e6;
            break;
        case 'o':
            opt.only = optarg;
            break;
        case 'c':
            opt.cpu = atoi(optarg);
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return 2;
        }
    }
    if (optind < argc || opt.cpu >= CPU_SETSIZE) {
        fputs(usage, stderr);
        return 2;
    }
    const int pinned = pin();
    printf("# tunmtu %d.%d.%d, " BENCH_BUILD "\n", TMTU_VERSION_MAJOR,
           TMTU_VERSION_MINOR, TMTU_VERSION_PATCH);
#ifndef __OPTIMIZE__
    puts("# NOT OPTIMISED: these figures mean nothing "
         "(-DCMAKE_BUILD_TYPE=RelWithDebInfo)");
#endif
    printf("# CPU %d%s, about %.2f GHz, %d repeats\n", opt.cpu,
           pinned < 0 ? " (not pinned)" : "", clock_rate(), opt.repeats);
    run();
    tunnels_run(opt.only);
    nat_run(opt.only);
    paths_run(opt.only);
    flows_run(opt.only, opt.quick);
    fleet_run(opt.only, opt.quick);
    errors_run(opt.only);
    state_run(opt.only);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* How long does the first full-size segment of each connection take? */
#define _DEFAULT_SOURCE
#include "probe.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A wait that no network of the lab explains: half of TCP's shortest timer. */
#define SLOW_US 100000

/* One write of @p size bytes: a request and as much data as makes it full. */
static void ask(int fd, size_t size)
{
    static char message[PROBE_CHUNK];
    char got[PROBE_LINE], expected[PROBE_LINE];
    size_t data = size - strlen("put 00000\n");
    int n = snprintf(message, sizeof(message), "put %05zu\n", data);

    memset(message + n, '.', data);
    probe_write(fd, message, size);
    probe_line(fd, got);
    snprintf(expected, sizeof(expected), "got %zu %016" PRIx64 "\n", data,
             probe_sum(PROBE_SUM_INIT, (const uint8_t *)message + n, data));
    if (strcmp(got, expected) != 0)
        probe_fail("the server received something else than was sent: %s", got);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Nearest rank: the smallest that @p percent of the sorted are not above. */
static uint64_t percentile(const uint64_t *sorted, size_t n, size_t percent)
{
    return sorted[(n * percent + 99) / 100 - 1];
}

/* What the path carries so far is known to all connections, before it may
 * change. */
static void hold(const int *fds, size_t n)
{
    sigset_t set;
    int got;

    for (size_t i = 0; i < n; i++)
        ask(fds[i], probe_info(fds[i]).mss);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    printf("held\n");
    fflush(stdout);
    sigwait(&set, &got);
}

void probe_stall(const struct probe_options *options)
{
    static int fds[PROBE_CONNECTIONS];
    static uint64_t took[PROBE_CONNECTIONS];
    static struct probe_tcp opened[PROBE_CONNECTIONS];
    size_t n = options->connections, slow = 0;
    uint32_t retransmits = 0;

    for (size_t i = 0; i < n; i++) {
        fds[i] =
            probe_connect(options->address, options->port, options->timeout_s);
        ask(fds[i], 16);
    }
    if (options->hold)
        hold(fds, n);
    /* All are asked before the first full-size segment is sent: what it makes
     * the network say must not help those that come after it. */
    for (size_t i = 0; i < n; i++) {
        opened[i] = probe_info(fds[i]);
        if (opened[i].mss < 64 || opened[i].mss >= PROBE_CHUNK)
            probe_fail("a segment of %" PRIu32 " bytes is none to measure",
                       opened[i].mss);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t start = probe_now();

        ask(fds[i], opened[i].mss);
        took[i] = probe_now() - start;
    }
    for (size_t i = 0; i < n; i++) {
        retransmits += probe_info(fds[i]).retransmits - opened[i].retransmits;
        slow += i > 0 && took[i] >= SLOW_US;
        close(fds[i]);
    }
    qsort(took + 1, n - 1, sizeof(took[0]), by_size);
    printf("connections %zu\nsegment %" PRIu32 "\n", n, opened[0].mss);
    printf("first_us %" PRIu64 "\n", took[0]);
    printf("median_us %" PRIu64 "\n", percentile(took + 1, n - 1, 50));
    printf("p99_us %" PRIu64 "\n", percentile(took + 1, n - 1, 99));
    printf("max_us %" PRIu64 "\n", took[n - 1]);
    printf("stalled %zu\n", slow);
    printf("retransmissions %" PRIu32 "\n", retransmits);
}

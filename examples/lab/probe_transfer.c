/* SPDX-License-Identifier: MIT */
/* Is what arrives what was sent, a long stream in each direction? */
#include "probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A seed for each direction: a stream that came back would be noticed. */
enum { SEED_UP = 1, SEED_DOWN = 2 };

static uint8_t chunk[PROBE_CHUNK];

static size_t least(uint64_t left)
{
    return left < PROBE_CHUNK ? (size_t)left : PROBE_CHUNK;
}

static void report(const char *way, uint64_t sent, uint64_t received,
                   uint64_t us, uint64_t bytes)
{
    printf("%s_sent %016" PRIx64 "\n%s_received %016" PRIx64 "\n", way, sent,
           way, received);
    printf("%s_mbit_s %" PRIu64 "\n", way, bytes * 8 / (us != 0 ? us : 1));
    if (sent != received)
        probe_fail("%s: the checksum of what was sent is not that of what was "
                   "received",
                   way);
}

static void up(int fd, uint64_t bytes)
{
    uint64_t seed = SEED_UP, sum = PROBE_SUM_INIT, count = 0, there = 0;
    uint64_t start = probe_now();
    char line[PROBE_LINE];
    int n = snprintf(line, sizeof(line), "put %" PRIu64 "\n", bytes);

    probe_write(fd, line, (size_t)n);
    for (uint64_t left = bytes; left > 0; left -= least(left)) {
        probe_stream(&seed, chunk, least(left));
        sum = probe_sum(sum, chunk, least(left));
        probe_write(fd, chunk, least(left));
    }
    probe_line(fd, line);
    if (sscanf(line, "got %" SCNu64 " %" SCNx64, &count, &there) != 2 ||
        count != bytes)
        probe_fail("up: not every byte arrived: %s", line);
    report("up", sum, there, probe_now() - start, bytes);
}

static void down(int fd, uint64_t bytes)
{
    uint64_t sum = PROBE_SUM_INIT, there = 0;
    uint64_t start = probe_now();
    char line[PROBE_LINE];
    int n =
        snprintf(line, sizeof(line), "get %" PRIu64 " %d\n", bytes, SEED_DOWN);
    size_t got;

    probe_write(fd, line, (size_t)n);
    for (uint64_t left = bytes; left > 0; left -= got) {
        got = probe_read(fd, chunk, least(left));
        sum = probe_sum(sum, chunk, got);
    }
    probe_line(fd, line);
    if (sscanf(line, "sum %" SCNx64, &there) != 1)
        probe_fail("down: the server ended without its checksum: %s", line);
    report("down", there, sum, probe_now() - start, bytes);
}

void probe_transfer(const struct probe_options *options)
{
    int fd = probe_connect(options->address, options->port, options->timeout_s);

    printf("bytes %" PRIu64 "\n", options->bytes);
    up(fd, options->bytes);
    down(fd, options->bytes);
    close(fd);
}

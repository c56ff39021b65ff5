/* SPDX-License-Identifier: MIT */
/* How evenly does a long stream get there? */
#define _DEFAULT_SOURCE
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often is looked, in milliseconds. */
enum { LOOK = 1 };

struct upload {
    int fd;
    FILE *timeline;         /* or NULL */
    uint64_t sent, acked;   /* bytes */
    uint64_t at;            /* when the last of those were */
    uint64_t pause, paused; /* the longest time without, and its beginning */
    uint64_t limit;         /* microseconds without that are a failure */
};

/* What the server's kernel has is what this one does not keep any more. */
static void look(struct upload *u)
{
    int kept = 0;
    const uint64_t now = probe_now();

    if (ioctl(u->fd, SIOCOUTQ, &kept) != 0)
        probe_fail("SIOCOUTQ is refused: %s", strerror(errno));
    if (now - u->at > u->pause) {
        u->pause = now - u->at;
        u->paused = u->at;
    }
    if (u->sent - (uint64_t)kept == u->acked) {
        if (now - u->at > u->limit)
            probe_fail("nothing has got there for %" PRIu64 " ms, %" PRIu64
                       " bytes had",
                       (now - u->at) / 1000, u->acked);
        return;
    }
    u->acked = u->sent - (uint64_t)kept;
    u->at = now;
    if (u->timeline != NULL)
        fprintf(u->timeline, "%" PRIu64 " %" PRIu64 "\n", now, u->acked);
}

/* Sends some of what is at @p p; never waits long. */
static size_t send_some(struct upload *u, const uint8_t *p, size_t n)
{
    struct pollfd fds = {u->fd, POLLOUT, 0};
    ssize_t done = 0;

    if (poll(&fds, 1, LOOK) > 0)
        done = send(u->fd, p, n, MSG_DONTWAIT);
    if (done < 0 && errno != EAGAIN)
        probe_fail("cannot send: %s", strerror(errno));
    u->sent += done > 0 ? (uint64_t)done : 0;
    look(u);
    return done > 0 ? (size_t)done : 0;
}

static uint64_t send_all(struct upload *u, uint64_t bytes)
{
    static uint8_t chunk[PROBE_CHUNK];
    uint64_t seed = 1, sum = PROBE_SUM_INIT;

    for (uint64_t left = bytes; left > 0;) {
        size_t n = left < PROBE_CHUNK ? (size_t)left : PROBE_CHUNK;

        probe_stream(&seed, chunk, n);
        sum = probe_sum(sum, chunk, n);
        left -= n;
        for (size_t done = 0; done < n;)
            done += send_some(u, chunk + done, n - done);
    }
    while (u->acked < u->sent) {
        poll(NULL, 0, LOOK);
        look(u);
    }
    return sum;
}

void probe_upload(const struct probe_options *options)
{
    struct upload u = {0};
    char line[PROBE_LINE];
    uint64_t count = 0, there = 0, start;

    if (options->timeline != NULL) {
        u.timeline = fopen(options->timeline, "w");
        if (u.timeline == NULL)
            probe_fail("%s: %s", options->timeline, strerror(errno));
    }
    u.fd = probe_connect(options->address, options->port, options->timeout_s);
    u.limit = options->timeout_s * UINT64_C(1000000);
    probe_write(u.fd, line,
                (size_t)snprintf(line, sizeof(line), "put %" PRIu64 "\n",
                                 options->bytes));
    start = u.at = probe_now();
    uint64_t sum = send_all(&u, options->bytes);
    probe_line(u.fd, line);
    if (sscanf(line, "got %" SCNu64 " %" SCNx64, &count, &there) != 2 ||
        count != options->bytes)
        probe_fail("not every byte arrived: %s", line);
    if (sum != there)
        probe_fail("the checksum of what was sent is not that of what was "
                   "received");
    printf("bytes %" PRIu64 "\nsum %016" PRIx64 "\n", count, there);
    printf("mbit_s %" PRIu64 "\n", count * 8 / (probe_now() - start + 1));
    printf("pause_us %" PRIu64 "\npause_at_us %" PRIu64 "\n", u.pause,
           u.paused);
    printf("retransmissions %" PRIu32 "\n", probe_info(u.fd).retransmits);
    if (u.timeline != NULL && fclose(u.timeline) != 0)
        probe_fail("%s: %s", options->timeline, strerror(errno));
    close(u.fd);
}

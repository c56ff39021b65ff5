/* SPDX-License-Identifier: MIT */
/* What many clients at once receive from the servers, and when they do not. */
#define _DEFAULT_SOURCE
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between the questions of two connections: their answers do not compete. */
#define APART_US 10000
/* As in probe_stall.c. */
#define SLOW_US 100000
#define NEVER   UINT64_MAX
/* Milliseconds until connections are closed: errors that are on their way to
 * the servers still find theirs. */
#define LINGER 500

struct fetch {
    enum { IDLE, MOVING, DONE, LOST } is;
    uint64_t left, sum; /* of this round, in bytes, and of those that came */
    char line[PROBE_LINE];
    size_t line_len;
    uint64_t at;    /* when it was asked, or the last byte came */
    uint64_t pause; /* the longest in this phase */
    uint64_t moved; /* bytes in this phase */
};

struct fetches {
    const struct probe_options *options;
    struct fetch all[PROBE_CONNECTIONS];
    struct pollfd fds[PROBE_CONNECTIONS];
    size_t n, asked;
    unsigned phase; /* 0: there are none */
};

static volatile sig_atomic_t marks, ended;

static void noted(int number)
{
    if (number == SIGUSR1)
        ++marks;
    else
        ended = 1;
}

static void lose(struct fetches *f, size_t i)
{
    f->all[i].is = LOST;
    close(f->fds[i].fd);
    f->fds[i].fd = -1; /* poll passes it over */
}

static void ask(struct fetches *f, size_t i)
{
    struct fetch *one = &f->all[i];
    char line[PROBE_LINE];
    const int n = snprintf(line, sizeof(line), "get %" PRIu64 " %zu\n",
                           f->options->bytes, i);

    one->is = MOVING;
    one->left = f->options->bytes;
    one->sum = PROBE_SUM_INIT;
    one->line_len = 0;
    one->at = probe_now();
    if (send(f->fds[i].fd, line, (size_t)n, 0) != n)
        lose(f, i);
}

static void note_gap(struct fetch *one, uint64_t now)
{
    if (now - one->at > one->pause)
        one->pause = now - one->at;
}

/* The server's last word on this round is there. */
static void settle(struct fetches *f, size_t i)
{
    uint64_t there;

    if (sscanf(f->all[i].line, "sum %" SCNx64, &there) != 1 ||
        there != f->all[i].sum)
        probe_fail("not what the server sent: %s", f->all[i].line);
    f->all[i].is = DONE;
    if (f->options->hold && !ended)
        ask(f, i);
}

static void take(struct fetches *f, size_t i)
{
    static uint8_t chunk[PROBE_CHUNK];
    struct fetch *one = &f->all[i];
    void *to = one->line + one->line_len;
    size_t room = PROBE_LINE - 1 - one->line_len;
    ssize_t got;

    if (one->left > 0) {
        to = chunk;
        room = one->left < PROBE_CHUNK ? (size_t)one->left : PROBE_CHUNK;
    }
    got = recv(f->fds[i].fd, to, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || one->is != MOVING) {
        lose(f, i);
        return;
    }
    const uint64_t now = probe_now();
    note_gap(one, now);
    one->at = now;
    one->moved += (uint64_t)got;
    if (one->left > 0) {
        one->sum = probe_sum(one->sum, chunk, (size_t)got);
        one->left -= (uint64_t)got;
        return;
    }
    one->line_len += (size_t)got;
    one->line[one->line_len] = '\0';
    if (one->line[one->line_len - 1] == '\n')
        settle(f, i);
    else if (one->line_len == PROBE_LINE - 1)
        probe_fail("the server's answer is no line");
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void say(unsigned phase, const char *name, uint64_t value)
{
    if (phase > 0)
        printf("%u.", phase);
    if (value == NEVER)
        printf("%s never\n", name);
    else
        printf("%s %" PRIu64 "\n", name, value);
}

/* Ends a phase: the pauses of it, those that last included. */
static void tell(struct fetches *f)
{
    uint64_t pauses[PROBE_CONNECTIONS];
    const uint64_t now = probe_now();
    size_t moved = 0, slow = 0;

    for (size_t i = 0; i < f->n; i++) {
        struct fetch *one = &f->all[i];

        if (one->is == MOVING)
            note_gap(one, now);
        /* Without phases, what is still to come will not. */
        pauses[i] = one->is == LOST || (f->phase == 0 && one->is != DONE)
                        ? NEVER
                        : one->pause;
        moved += one->moved > 0;
        slow += pauses[i] >= SLOW_US;
        one->pause = one->moved = 0;
    }
    qsort(pauses, f->n, sizeof(pauses[0]), by_size);
    say(f->phase, "moved", moved);
    say(f->phase, "stalled", slow);
    say(f->phase, "median_us", pauses[(f->n + 1) / 2 - 1]);
    say(f->phase, "max_us", pauses[f->n - 1]);
    fflush(stdout);
}

static size_t count(const struct fetches *f, int is)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += f->all[i].is == (unsigned)is;
    return n;
}

static void run(struct fetches *f)
{
    const uint64_t limit = f->options->timeout_s * UINT64_C(1000000);
    uint64_t asked = 0; /* the last was, or told to come to an end */
    int told = 0, ending = 0;

    do {
        if (f->asked < f->n && probe_now() - asked >= APART_US) {
            ask(f, f->asked++);
            asked = probe_now();
        }
        poll(f->fds, f->n, f->asked < f->n ? 1 : 10);
        for (size_t i = 0; i < f->n; i++)
            if (f->fds[i].fd >= 0 && f->fds[i].revents != 0)
                take(f, i);
        for (; told < marks; told++) {
            tell(f);
            f->phase++;
        }
        if (ended && !ending) {
            ending = 1;
            asked = probe_now();
        }
    } while ((f->options->hold && !ended) || f->asked < f->n ||
             (count(f, MOVING) > 0 && probe_now() - asked < limit));
}

void probe_fetch(const struct probe_options *options)
{
    static struct fetches f;
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = noted;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    f.options = options;
    f.n = options->connections;
    f.phase = options->hold != 0;
    for (size_t i = 0; i < f.n; i++) {
        f.fds[i].fd = probe_connect_from(options, (unsigned)i);
        f.fds[i].events = POLLIN;
    }
    if (options->hold) {
        printf("held\n");
        fflush(stdout);
    }
    run(&f);
    printf("connections %zu\nfinished %zu\nlost %zu\n", f.n, count(&f, DONE),
           count(&f, LOST));
    tell(&f);
    poll(NULL, 0, LINGER);
}

/* SPDX-License-Identifier: MIT */
/* Long connections on which little happens, and how many of them break. */
#define _DEFAULT_SOURCE
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* From one question to the next on a connection. */
#define PERIOD_US 200000
#define QUESTION  "put 4\nbusy"

struct busy {
    uint64_t at; /* when it is to be asked; or, once that was, when it was */
    int asked;
    char line[PROBE_LINE];
    size_t line_len;
};

struct busies {
    const struct probe_options *options;
    struct busy all[PROBE_CONNECTIONS];
    struct pollfd fds[PROBE_CONNECTIONS]; /* fd -1: it is broken */
    size_t n;
    unsigned phase;
    char answer[PROBE_LINE];
};

static volatile sig_atomic_t marks, renewals, ended;

static void noted(int number)
{
    if (number == SIGUSR1)
        ++marks;
    else if (number == SIGUSR2)
        ++renewals;
    else
        ended = 1;
}

static void break_off(struct busies *b, size_t i)
{
    close(b->fds[i].fd);
    b->fds[i].fd = -1; /* poll passes it over */
}

/* Asked at moments of their own, so that they do not come all at once. */
static void open_one(struct busies *b, size_t i)
{
    const struct probe_options *o = b->options;

    b->fds[i].fd = probe_connect(o->address, o->port, o->timeout_s);
    b->fds[i].events = POLLIN;
    b->all[i].asked = 0;
    b->all[i].at = probe_now() + i * PERIOD_US / b->n;
}

static void ask(struct busies *b, size_t i, uint64_t now)
{
    struct busy *one = &b->all[i];
    const size_t n = strlen(QUESTION);

    one->asked = 1;
    one->at = now;
    one->line_len = 0;
    if (send(b->fds[i].fd, QUESTION, n, MSG_DONTWAIT) != (ssize_t)n)
        break_off(b, i);
}

static void take(struct busies *b, size_t i)
{
    struct busy *one = &b->all[i];
    const size_t room = PROBE_LINE - 1 - one->line_len;
    const ssize_t got =
        recv(b->fds[i].fd, one->line + one->line_len, room, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        break_off(b, i);
        return;
    }
    one->line_len += (size_t)got;
    one->line[one->line_len] = '\0';
    if (one->line[one->line_len - 1] != '\n' && one->line_len < PROBE_LINE - 1)
        return;
    if (!one->asked || strcmp(one->line, b->answer) != 0)
        probe_fail("not what the server should answer: %s", one->line);
    one->asked = 0;
    one->at += PERIOD_US;
}

static void look(struct busies *b, size_t i)
{
    struct busy *one = &b->all[i];
    const uint64_t now = probe_now();

    if (b->fds[i].revents != 0)
        take(b, i);
    if (b->fds[i].fd < 0)
        return;
    if (!one->asked && now >= one->at)
        ask(b, i, now);
    else if (one->asked &&
             now - one->at >= b->options->timeout_s * UINT64_C(1000000))
        break_off(b, i); /* no word is no better */
}

/* Ends a phase; who is broken begins anew. */
static void tell(struct busies *b)
{
    unsigned broken = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (b->fds[i].fd >= 0)
            continue;
        broken++;
        open_one(b, i);
    }
    printf("%u.broken %u\n", b->phase++, broken);
    fflush(stdout);
}

static void renew(struct busies *b, int times)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->fds[i].fd >= 0)
            close(b->fds[i].fd);
        open_one(b, i);
    }
    printf("renewed %d\n", times);
    fflush(stdout);
}

void probe_busy(const struct probe_options *options)
{
    static struct busies b;
    struct sigaction act = {.sa_handler = noted};
    int told = 0, renewed = 0;

    b.options = options;
    b.n = options->connections;
    snprintf(b.answer, sizeof(b.answer), "got 4 %016" PRIx64 "\n",
             probe_sum(PROBE_SUM_INIT, (const uint8_t *)"busy", 4));
    sigaction(SIGUSR1, &act, NULL);
    sigaction(SIGUSR2, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    for (size_t i = 0; i < b.n; i++)
        open_one(&b, i);
    printf("open %zu\n", b.n);
    fflush(stdout);
    while (!ended) {
        poll(b.fds, b.n, 1);
        for (size_t i = 0; i < b.n; i++) {
            if (b.fds[i].fd >= 0)
                look(&b, i);
        }
        for (; told < marks; told++)
            tell(&b);
        while (renewed < renewals)
            renew(&b, ++renewed);
    }
}

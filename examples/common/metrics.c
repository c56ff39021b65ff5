/* SPDX-License-Identifier: MIT */
/* Counters over HTTP, for Prometheus, without a thread of its own. */
#define _GNU_SOURCE
#include "metrics.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <tunmtu/version.h>

#include "prometheus.h"

/* Whoever may connect can keep these busy, and no more: connections, seconds
 * of silence on each, bytes for its request and for the head of its answer. */
enum { CONNECTIONS = 8, SILENCE = 5, MEMORY = 8192 };

/* Milliseconds until it is called at the latest. */
enum { SOON = 1000 };

static const char front[] = "See /metrics\n";
static const char no_memory[] = "Not now: no memory\n";
static const char not_found[] = "Not found: there is /metrics\n";
static const char not_allowed[] = "Not allowed: GET and HEAD are\n";

/* Sends a text, which is the response's from now on if `take`. */
static enum MHD_Result respond(struct MHD_Connection *connection,
                               unsigned status, const char *type, char *text,
                               size_t n, bool take)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        n, text, take ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (r == NULL) {
        if (take)
            free(text);
        return MHD_NO;
    }
    /* A connection for each scrape: an idle one would keep its place. */
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const enum MHD_Result rc = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status,
                           const char *text)
{
    union {
        const char *text;
        char *unchanged; /* MHD does not write to what is persistent */
    } u = {text};
    return respond(connection, status, "text/plain; charset=utf-8", u.unchanged,
                   strlen(text), false);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection,
                              const char *path, const char *method,
                              const char *version, const char *body,
                              size_t *body_size, void **state)
{
    const struct metrics *m = arg;
    const bool metrics = strcmp(path, "/metrics") == 0;
    (void)version, (void)body, (void)body_size, (void)state;
    if (!metrics && strcmp(path, "/") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, not_found);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, not_allowed);
    if (!metrics)
        return say(connection, MHD_HTTP_OK, front);
    size_t n;
    char *text = prometheus_text(m->program, m->print, m->arg, &n);
    if (text == NULL)
        return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, no_memory);
    return respond(connection, MHD_HTTP_OK,
                   "text/plain; version=0.0.4; charset=utf-8", text, n, true);
}

/* Fills in an address; returns its length. */
static socklen_t to_sockaddr(const struct args_listen *at,
                             struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    uint8_t port[2];
    tmtu_put16(port, at->port);
    memset(out, 0, sizeof *out);
    if (tmtu_addr_is4(at->addr)) {
        memcpy(&v4.sin_addr, at->addr + 12, 4);
        memcpy(&v4.sin_port, port, 2);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    memcpy(&v6.sin6_addr, at->addr, 16);
    memcpy(&v6.sin6_port, port, 2);
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

/* A socket that listens; *port becomes the one that it has got. -1: errno. */
static int listen_at(const struct args_listen *at, uint16_t *port)
{
    struct sockaddr_storage addr;
    socklen_t n = to_sockaddr(at, &addr);
    const int on = 1;
    const int fd =
        socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Connections of the run before may still be ending. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (addr.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&addr, n) != 0 ||
        listen(fd, SOMAXCONN) != 0 || /* whoever waits costs us nothing */
        getsockname(fd, (struct sockaddr *)&addr, &n) != 0) {
        const int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    uint8_t bytes[2];
    memcpy(bytes,
           addr.ss_family == AF_INET6
               ? (void *)&((struct sockaddr_in6 *)&addr)->sin6_port
               : (void *)&((struct sockaddr_in *)&addr)->sin_port,
           2);
    *port = tmtu_get16(bytes);
    return fd;
}

static const char *why(int error)
{
    return error == EADDRINUSE      ? "another program has this port"
           : error == EADDRNOTAVAIL ? "this host has no such address"
                                    : strerror(error);
}

bool metrics_open(struct metrics *m, const char *program,
                  const struct args_listen *at,
                  bool (*print)(struct counters *, void *), void *arg)
{
    char text[ARGS_ENDPOINT];
    uint16_t port = 0;
    *m = (struct metrics){NULL, -1, program, print, arg};
    if (!at->wanted)
        return true;
    const int fd = listen_at(at, &port);
    if (fd < 0) {
        fprintf(stderr, "tunmtu-%s: --metrics %s: cannot listen: %s\n", program,
                args_endpoint_text(at->addr, at->port, text), why(errno));
        return false;
    }
    m->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | (tmtu_addr_is4(at->addr) ? 0u : MHD_USE_IPv6), 0, NULL,
        NULL, answer, m, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        m->daemon != NULL
            ? MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD)
            : NULL;
    if (info == NULL) {
        fprintf(stderr, "tunmtu-%s: --metrics: the HTTP server cannot start\n",
                program);
        return false;
    }
    m->fd = info->epoll_fd;
    fprintf(stderr, "tunmtu-%s: metrics at http://%s/metrics\n", program,
            args_endpoint_text(at->addr, port, text));
    return true;
}

int metrics_timeout(const struct metrics *m, int most)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (m->daemon == NULL)
        return most;
    /* It listens again after it had all its connections only when it is called
     * once more, and asks for no time to be called at. */
    if (most < 0 || most > SOON)
        most = SOON;
    return MHD_get_timeout(m->daemon, &ms) == MHD_YES && ms < (unsigned)most
               ? (int)ms
               : most;
}

/* How many there are now; those that have ended are forgotten by asking. */
static unsigned connections(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info != NULL ? info->num_connections : 0;
}

void metrics_run(struct metrics *m)
{
    unsigned before, after;
    if (m->daemon == NULL)
        return;
    /* Once more where one has ended: somebody may wait for its place. */
    after = connections(m->daemon);
    do {
        before = after;
        MHD_run(m->daemon);
        after = connections(m->daemon);
    } while (after < before);
}

void metrics_close(struct metrics *m)
{
    if (m->daemon != NULL)
        MHD_stop_daemon(m->daemon);
    m->daemon = NULL;
    m->fd = -1;
}

void metrics_info(struct counters *to, const struct counters_label *about)
{
    static const struct counters_family info = {
        "info", NULL, "What this program is and does, always 1."};
    struct counters_label all[8] = {{NULL, NULL}};
    char version[40];
    size_t n = 0;
    snprintf(version, sizeof version, "%d.%d.%d", TMTU_VERSION_MAJOR,
             TMTU_VERSION_MINOR, TMTU_VERSION_PATCH);
    all[n++] = (struct counters_label){"version", version};
    for (; about->name != NULL && n < 7; about++)
        all[n++] = *about;
    to->about = all;
    counters_line(to, &info, "", "info", 1);
    to->about = NULL;
}

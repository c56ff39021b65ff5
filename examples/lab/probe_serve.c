/* SPDX-License-Identifier: MIT */
/* The probe's server: many connections, one loop. */
#define _DEFAULT_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One connection: reads a request, takes what is put, gives what is got. */
struct peer {
    enum { ASKED, PUT, GET } doing;
    char line[PROBE_LINE]; /* of a request, as far as it has come */
    size_t line_len;
    uint64_t count, left; /* bytes of this request */
    uint64_t sum;
    uint64_t seed;
    uint8_t chunk[PROBE_CHUNK]; /* of the stream; sent from `from` to `to` */
    size_t from, to;
};

enum { WAIT, AGAIN, GONE }; /* what follows a step */

static int answer(int fd, const char *line)
{
    size_t n = strlen(line);

    /* The other end waits for it with empty hands: there is room. */
    return send(fd, line, n, 0) == (ssize_t)n ? AGAIN : GONE;
}

static int finish(struct peer *peer, int fd)
{
    char line[PROBE_LINE];

    if (peer->doing == PUT)
        snprintf(line, sizeof(line), "got %" PRIu64 " %016" PRIx64 "\n",
                 peer->count, peer->sum);
    else
        snprintf(line, sizeof(line), "sum %016" PRIx64 "\n", peer->sum);
    peer->doing = ASKED;
    peer->line_len = 0;
    return answer(fd, line);
}

static int receive(int fd, void *p, size_t n, size_t *got)
{
    ssize_t done = recv(fd, p, n, 0);

    if (done <= 0)
        return done < 0 && (errno == EAGAIN || errno == EINTR) ? WAIT : GONE;
    *got = (size_t)done;
    return AGAIN;
}

/* Requests are short and rare: byte by byte, so that no data is swallowed. */
static int step_asked(struct peer *peer, int fd)
{
    size_t got = 0;
    int next = receive(fd, &peer->line[peer->line_len], 1, &got);

    if (next != AGAIN)
        return next;
    if (peer->line[peer->line_len] != '\n')
        return ++peer->line_len < PROBE_LINE - 1 ? AGAIN : GONE;
    peer->line[peer->line_len] = '\0';
    peer->sum = PROBE_SUM_INIT;
    peer->from = peer->to = 0;
    if (sscanf(peer->line, "put %" SCNu64, &peer->count) == 1)
        peer->doing = PUT;
    else if (sscanf(peer->line, "get %" SCNu64 " %" SCNu64, &peer->count,
                    &peer->seed) == 2)
        peer->doing = GET;
    else
        return GONE;
    peer->left = peer->count;
    return AGAIN;
}

static int step_put(struct peer *peer, int fd)
{
    size_t want = peer->left < PROBE_CHUNK ? (size_t)peer->left : PROBE_CHUNK;
    size_t got = 0;
    int next, one = 1;

    if (want == 0)
        return finish(peer, fd);
    next = receive(fd, peer->chunk, want, &got);
    if (next != AGAIN)
        return next;
    peer->sum = probe_sum(peer->sum, peer->chunk, got);
    peer->left -= got;
    /* A segment that the sender cuts in two has its rest sent after the first
     * part's ACK: a delayed one would add its 40 ms to what is measured. The
     * kernel forgets this option, so it is set each time. */
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
    return AGAIN;
}

static int step_get(struct peer *peer, int fd)
{
    ssize_t done;

    if (peer->from == peer->to) {
        if (peer->left == 0)
            return finish(peer, fd);
        peer->from = 0;
        peer->to = peer->left < PROBE_CHUNK ? (size_t)peer->left : PROBE_CHUNK;
        peer->left -= peer->to;
        probe_stream(&peer->seed, peer->chunk, peer->to);
        peer->sum = probe_sum(peer->sum, peer->chunk, peer->to);
    }
    done = send(fd, peer->chunk + peer->from, peer->to - peer->from, 0);
    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? WAIT : GONE;
    peer->from += (size_t)done;
    return AGAIN;
}

/* Also when all of a stream is here, and only the answer is missing: nothing
 * more will come then. */
static int has_to_say(const struct peer *peer)
{
    return peer->doing == GET || (peer->doing == PUT && peer->left == 0);
}

/* Works until it would have to wait; false: the connection is over. */
static int serve_peer(struct peer *peer, int fd)
{
    int next = AGAIN;

    /* Bounded, so that a long transfer does not keep the others waiting. */
    for (int i = 0; i < 64 && next == AGAIN; i++) {
        switch (peer->doing) {
        case ASKED:
            next = step_asked(peer, fd);
            break;
        case PUT:
            next = step_put(peer, fd);
            break;
        default:
            next = step_get(peer, fd);
            break;
        }
    }
    return next != GONE;
}

static void take_in(int listener, uint64_t rate, struct pollfd *fds,
                    struct peer **peers, nfds_t *n)
{
    int one = 1;
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return;
    peers[*n] = calloc(1, sizeof(**peers));
    if (peers[*n] == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        (rate != 0 && setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
                                 sizeof(rate)) != 0))
        probe_fail("no room for one more connection");
    fds[*n].fd = fd;
    ++*n;
}

_Noreturn void probe_serve(const struct probe_options *options)
{
    static struct pollfd fds[1 + PROBE_CONNECTIONS];
    static struct peer *peers[1 + PROBE_CONNECTIONS];
    nfds_t n = 1;

    fds[0].fd = probe_listen(options->address, options->port);
    printf("listening\n");
    fflush(stdout);
    for (;;) {
        fds[0].events = n <= PROBE_CONNECTIONS ? POLLIN : 0;
        for (nfds_t i = 1; i < n; i++)
            fds[i].events = has_to_say(peers[i]) ? POLLOUT : POLLIN;
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            probe_fail("poll: %s", strerror(errno));
        for (nfds_t i = n - 1; i >= 1; i--) {
            if (fds[i].revents == 0 || serve_peer(peers[i], fds[i].fd))
                continue;
            close(fds[i].fd);
            free(peers[i]);
            peers[i] = peers[--n];
            fds[i] = fds[n];
        }
        if (fds[0].revents != 0)
            take_in(fds[0].fd, options->rate, fds, peers, &n);
    }
}

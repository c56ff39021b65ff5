/* SPDX-License-Identifier: MIT */
/* Carries packets between two backends of libtunmtu-io, both ways, and looks at
 * each: what io_gso.sh puts between the two ends of a TCP connection.
 *     io_relay IO IO */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <tunmtu/io.h>
#include <tunmtu/ip.h>

static struct {
    uint64_t bad, cut, super;
    size_t longest, longest_plain;
} seen;

static volatile sig_atomic_t over;

static void stop(int signo)
{
    (void)signo;
    over = 1;
}

static void look(const struct tmtu_io_packet *p)
{
    struct tmtu_pkt pkt;
    const size_t n = tmtu_buf_len(&p->buf);
    if (n > seen.longest)
        seen.longest = n;
    if (p->gso_size != 0)
        seen.super++;
    else if (n > seen.longest_plain)
        seen.longest_plain = n;
    seen.cut += (p->flags & TMTU_IO_CUT) != 0;
    if (tmtu_ip_parse(tmtu_buf_view(&p->buf), TMTU_IP_VERIFY, &pkt) != 0 ||
        tmtu_ip_transport_verify(&pkt) == TMTU_E_CHECKSUM)
        seen.bad++;
}

/* A device that is being moved to another namespace is down, then gone from
 * here, and comes up again there. */
static int fatal(int rc)
{
    return rc < 0 && rc != -ENETDOWN && rc != -ENODEV;
}

/* A burst. Returns how many packets, or -errno. */
static int carry(struct tmtu_io *from, struct tmtu_io *to,
                 struct tmtu_io_packet *pkts)
{
    const int n = tmtu_io_recv(from, pkts, TMTU_IO_BURST);
    for (int i = 0; i < n; i++)
        look(&pkts[i]);
    for (int done = 0; done < n;) {
        const int rc = tmtu_io_send(to, pkts + done, (unsigned)(n - done));
        if (fatal(rc)) {
            fprintf(stderr, "io_relay: %s\n", to->why);
            return rc;
        }
        if (rc < 0)
            return 0;
        done += rc;
    }
    if (fatal(n))
        fprintf(stderr, "io_relay: %s\n", from->why);
    return fatal(n) ? n : n > 0 ? n : 0;
}

static int relay(struct tmtu_io *io[2], struct tmtu_io_packet *pkts)
{
    while (!over) {
        const int there = carry(io[0], io[1], pkts);
        const int back = there < 0 ? there : carry(io[1], io[0], pkts);
        if (back < 0)
            return back;
        if (there + back == 0) {
            struct pollfd p[2] = {{io[0]->fd, POLLIN, 0},
                                  {io[1]->fd, POLLIN, 0}};
            (void)poll(p, 2, 100);
            if ((p[0].revents | p[1].revents) & POLLERR)
                (void)poll(NULL, 0, 10); /* down: would not wait */
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct tmtu_io_packet pkts[TMTU_IO_BURST];
    struct tmtu_io *io[2] = {NULL, NULL};
    char why[TMTU_IO_WHY];
    if (argc != 3) {
        fprintf(stderr, "usage: io_relay IO IO\n");
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        io[i] = tmtu_io_open(argv[i + 1], why);
        if (io[i] == NULL) {
            fprintf(stderr, "io_relay: %s\n", why);
            (void)tmtu_io_close(io[0]);
            return 1;
        }
    }
    const struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    uint8_t *mem = malloc((size_t)TMTU_IO_BURST * TMTU_IO_PACKET);
    if (mem == NULL)
        return 1;
    for (size_t i = 0; i < TMTU_IO_BURST; i++)
        pkts[i].buf = tmtu_buf(mem + i * TMTU_IO_PACKET, TMTU_IO_PACKET, 0);
    printf("ready\n");
    fflush(stdout);
    const int rc = relay(io, pkts);
    printf("received %" PRIu64 "\nsent %" PRIu64 "\nsend_errors %" PRIu64
           "\nlost %" PRIu64 "\n",
           io[0]->received + io[1]->received, io[0]->sent + io[1]->sent,
           io[0]->send_errors + io[1]->send_errors, io[0]->lost + io[1]->lost);
    printf("bad %" PRIu64 "\ncut %" PRIu64 "\nsuper %" PRIu64
           "\nlongest %zu\nlongest_plain %zu\n",
           seen.bad, seen.cut, seen.super, seen.longest, seen.longest_plain);
    (void)tmtu_io_close(io[0]);
    (void)tmtu_io_close(io[1]);
    free(mem);
    return rc < 0;
}

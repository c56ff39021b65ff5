/* SPDX-License-Identifier: MIT */
/* The backend that reads and writes capture files. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "io_own.h"

enum {
    CAPTURE_SNAPLEN = 262144
};                           /* what tcpdump writes; more than IP's 65535 */
enum { CAPTURE_NAME = 128 }; /* of a file name, in a sentence */
static const uint64_t capture_second = 1000000000;

struct capture_io {
    struct tmtu_io io;
    pcap_t *in;
    int dlt;      /* of `in` */
    int ended;    /* what recv says from now on; 0 before the end */
    FILE *file;   /* of `out` */
    pcap_t *form; /* libpcap wants one to write with */
    pcap_dumper_t *out;
    off_t whole;  /* length of the output that is whole packets */
    int failed;   /* -errno of the first write that failed */
    uint8_t *gso; /* memory of tmtu_io_gso_send */
    char in_name[CAPTURE_NAME], out_name[CAPTURE_NAME];
};

/* Takes what has been read of the file. Returns 1, or 0 when it was skipped. */
static int capture_take(struct capture_io *p, const struct pcap_pkthdr *hdr,
                        const uint8_t *bytes, struct tmtu_io_packet *pkt)
{
    struct tmtu_view v = tmtu_view(bytes, hdr->caplen);
    const int flags = tmtu_io_linktype_strip(p->dlt, &v);
    if (flags < 0) {
        p->io.skipped++;
        return 0;
    }
    /* tv_usec holds nanoseconds: the precision that was asked for. */
    const uint64_t time =
        (uint64_t)hdr->ts.tv_sec * capture_second + (uint64_t)hdr->ts.tv_usec;
    tmtu_io_fill(pkt, v.data, tmtu_view_len(v), time,
                 (uint32_t)flags | (hdr->caplen < hdr->len ? TMTU_IO_CUT : 0));
    return 1;
}

static int capture_recv(struct tmtu_io *io, struct tmtu_io_packet *pkts,
                        unsigned n)
{
    struct capture_io *p = (struct capture_io *)io;
    unsigned got = 0;
    while (got < n && p->ended == 0) {
        struct pcap_pkthdr *hdr;
        const u_char *bytes;
        const int rc = p->in != NULL ? pcap_next_ex(p->in, &hdr, &bytes)
                                     : PCAP_ERROR_BREAK;
        if (rc == 1) {
            got += (unsigned)capture_take(p, hdr, bytes, &pkts[got]);
        } else if (rc == PCAP_ERROR_BREAK) {
            tmtu_io_why(io->why, "%s: the capture is at its end", p->in_name);
            p->ended = -ENODATA;
        } else {
            tmtu_io_why(io->why, "%s: %s", p->in_name, pcap_geterr(p->in));
            p->ended = -EIO;
        }
    }
    io->received += got;
    return got > 0 || p->ended == 0 ? (int)got : p->ended;
}

/* A write failed: the file shall end with a whole packet. */
static int capture_fail(struct capture_io *p, int error)
{
    p->failed = error > 0 ? -error : -EIO;
    tmtu_io_why(p->io.why, "%s: cannot write: %s", p->out_name,
                strerror(-p->failed));
    if (p->whole >= 0 && ftruncate(fileno(p->file), p->whole) != 0)
        tmtu_io_why(p->io.why, "%s: cannot write: %s; its last packet is cut",
                    p->out_name, strerror(-p->failed));
    return p->failed;
}

static int capture_flush(struct capture_io *p)
{
    if (fflush(p->file) != 0 || ferror(p->file))
        return capture_fail(p, errno);
    p->whole = ftello(p->file); /* -1 in a pipe: there is nothing to mend */
    return 0;
}

static int capture_write(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                         unsigned n)
{
    struct capture_io *p = (struct capture_io *)io;
    if (p->failed != 0)
        return p->failed;
    errno = 0;
    for (unsigned i = 0; i < n && p->out != NULL; i++) {
        struct pcap_pkthdr hdr;
        memset(&hdr, 0, sizeof hdr);
        hdr.ts.tv_sec = (time_t)(pkts[i].time / capture_second);
        hdr.ts.tv_usec = (suseconds_t)(pkts[i].time % capture_second);
        hdr.caplen = hdr.len = (bpf_u_int32)tmtu_buf_len(&pkts[i].buf);
        pcap_dump((u_char *)p->out, &hdr, pkts[i].buf.data);
    }
    /* Each burst at once: whatever becomes of us, the file is whole. */
    if (p->out != NULL && capture_flush(p) != 0)
        return p->failed;
    io->sent += n;
    return (int)n;
}

static int capture_send(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                        unsigned n)
{
    struct capture_io *p = (struct capture_io *)io;
    return tmtu_io_gso_send(io, &p->gso, capture_write, NULL, pkts, n);
}

static int capture_wait(struct tmtu_io *io, int timeout_ms)
{
    (void)io;
    (void)timeout_ms; /* a file is always ready */
    return 0;
}

static int capture_end(struct tmtu_io *io)
{
    struct capture_io *p = (struct capture_io *)io;
    const int rc = p->failed;
    if (p->in != NULL)
        pcap_close(p->in);
    if (p->out != NULL)
        pcap_dump_close(p->out); /* and p->file */
    if (p->form != NULL)
        pcap_close(p->form);
    free(p->gso);
    free(p);
    return rc;
}

static const struct tmtu_io_ops capture_ops = {
    "pcap", capture_recv, capture_send, capture_wait, capture_end,
};

static int capture_open_in(struct capture_io *p, const char *name, char *why)
{
    char text[PCAP_ERRBUF_SIZE];
    FILE *file = strcmp(name, "-") != 0 ? fopen(name, "rbe") : stdin;
    if (file == NULL) {
        tmtu_io_why(why, "%.*s: cannot open: %s", CAPTURE_NAME, name,
                    strerror(errno));
        return -1;
    }
    p->in = pcap_fopen_offline_with_tstamp_precision(
        file, PCAP_TSTAMP_PRECISION_NANO, text);
    if (p->in == NULL) {
        tmtu_io_why(why, "%.*s: not a capture: %s", CAPTURE_NAME, name, text);
        if (file != stdin)
            fclose(file);
        return -1;
    }
    p->dlt = pcap_datalink(p->in);
    if (!tmtu_io_linktype_known(p->dlt)) {
        const char *dlt = pcap_datalink_val_to_name(p->dlt);
        tmtu_io_why(why,
                    "%.*s: link type %d (%s) cannot be read; Ethernet, raw IP, "
                    "Linux cooked and BSD loopback can",
                    CAPTURE_NAME, name, p->dlt, dlt != NULL ? dlt : "unknown");
        return -1;
    }
    return 0;
}

/* Opening the output empties it: not while it is the input, too. */
static int capture_is_input(const struct capture_io *p, const char *name)
{
    struct stat in, out;
    return p->in != NULL && stat(name, &out) == 0 &&
           fstat(fileno(pcap_file(p->in)), &in) == 0 && S_ISREG(in.st_mode) &&
           in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int capture_open_out(struct capture_io *p, const char *name, char *why)
{
    if (capture_is_input(p, name)) {
        tmtu_io_why(why, "%.*s: input and output are the same file",
                    CAPTURE_NAME, name);
        return -1;
    }
    p->file = strcmp(name, "-") != 0 ? fopen(name, "wbe") : stdout;
    if (p->file == NULL) {
        tmtu_io_why(why, "%.*s: cannot write: %s", CAPTURE_NAME, name,
                    strerror(errno));
        return -1;
    }
    p->form = pcap_open_dead_with_tstamp_precision(DLT_RAW, CAPTURE_SNAPLEN,
                                                   PCAP_TSTAMP_PRECISION_NANO);
    p->out = p->form != NULL ? pcap_dump_fopen(p->form, p->file) : NULL;
    if (p->out == NULL) {
        tmtu_io_why(why, "%.*s: cannot write: %s", CAPTURE_NAME, name,
                    p->form != NULL ? pcap_geterr(p->form) : "out of memory");
        if (p->file != stdout)
            fclose(p->file);
        return -1;
    }
    errno = 0;
    if (capture_flush(p) != 0) {
        tmtu_io_why(why, "%s", p->io.why);
        return -1;
    }
    return 0;
}

struct tmtu_io *tmtu_io_pcap(const char *in, const char *out, char *why)
{
    struct capture_io *p = calloc(1, sizeof *p);
    if (p == NULL) {
        tmtu_io_why(why, "pcap: out of memory");
        return NULL;
    }
    p->io.ops = &capture_ops;
    p->io.fd = -1;
    p->io.mtu = 65535;
    snprintf(p->in_name, CAPTURE_NAME, "%s", in != NULL ? in : "pcap");
    snprintf(p->out_name, CAPTURE_NAME, "%s", out != NULL ? out : "pcap");
    if ((in != NULL && capture_open_in(p, in, why) != 0) ||
        (out != NULL && capture_open_out(p, out, why) != 0)) {
        capture_end(&p->io);
        return NULL;
    }
    return &p->io;
}

/* SPDX-License-Identifier: MIT */
/*
 * The probe's parts, and the protocol that its two ends speak:
 *
 *     put N\n + N bytes      ->  got N CHECKSUM\n
 *     get N SEED\n           ->  N bytes of the stream + sum CHECKSUM\n
 *
 * Checksums are 16 hexadecimal digits, over the N bytes, by the side that
 * writes the line: what the server answers is what *it* received or sent.
 */
#ifndef TMTU_PROBE_H
#define TMTU_PROBE_H

#include <stddef.h>
#include <stdint.h>

/** A request or an answer, newline and terminating zero included. */
#define PROBE_LINE 64
/** Bytes that are written or read at once. */
#define PROBE_CHUNK 65536
/** Connections of one client, and of one server. */
#define PROBE_CONNECTIONS 500
/** Networks that one client comes from. */
#define PROBE_FROMS 16

/** Says why on standard error, one sentence, and exits with 1. */
_Noreturn void probe_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* --- probe_stream.c: bytes that can be told from others ----------------- */

/** FNV-1a, 64 bits; start with this. */
#define PROBE_SUM_INIT UINT64_C(0xcbf29ce484222325)

/** Continues the checksum @p sum over @p n bytes. */
uint64_t probe_sum(uint64_t sum, const uint8_t *p, size_t n);

/** Writes the next @p n bytes of the stream that @p state stands for. All but
 *  the last call of a stream: a multiple of 8. */
void probe_stream(uint64_t *state, uint8_t *p, size_t n);

/* --- probe_net.c: sockets ------------------------------------------------ */

/** What TCP says about a connection. */
struct probe_tcp {
    uint32_t mss;         /**< payload of a full-size segment, in bytes */
    uint32_t retransmits; /**< segments sent again, since it was opened */
};

/** A listening socket, not blocking. */
int probe_listen(const char *address, const char *port);

/** A connection without Nagle's delay; whatever takes longer than
 *  @p timeout_s on it fails. */
int probe_connect(const char *address, const char *port, unsigned timeout_s);

struct probe_options;

/** The same for the @p i th of many, from the networks of @p options. */
int probe_connect_from(const struct probe_options *options, unsigned i);

void probe_write(int fd, const void *p, size_t n);

/** Reads up to @p n bytes, at least one. */
size_t probe_read(int fd, void *p, size_t n);

/** Reads one line into @p line (PROBE_LINE bytes); nothing may follow it. */
void probe_line(int fd, char *line);

struct probe_tcp probe_info(int fd);

/** Microseconds of a clock that only goes forward. */
uint64_t probe_now(void);

/* --- what the probe does -------------------------------------------------- */

struct probe_options {
    const char *address;
    const char *port;
    unsigned connections;
    unsigned timeout_s;
    uint64_t bytes;
    int hold;             /**< stall, fetch: wait for signals, see there */
    const char *timeline; /**< upload: a file, or NULL */
    uint64_t rate;        /**< serve: bytes a second, a connection; 0: any */
    /** fetch: the connections come from these in turn, and from the addresses
     *  that follow them. */
    const char *from[PROBE_FROMS];
    unsigned froms;
};

/** Serves until it is stopped. */
_Noreturn void probe_serve(const struct probe_options *options);

/** Measures how long one full-size segment takes on each connection. */
void probe_stall(const struct probe_options *options);

/** Sends and receives a long stream and compares checksums. */
void probe_transfer(const struct probe_options *options);

/** Sends a long stream, compares checksums, and looks each millisecond how much
 *  of it has got there. */
void probe_upload(const struct probe_options *options);

/** Receives a stream on each of many connections at once, and tells the longest
 *  time in which nothing came: of each connection, or of each and each phase.
 */
void probe_fetch(const struct probe_options *options);

/** Has a few bytes answered on each of many connections now and then, and
 *  counts those that break. */
void probe_busy(const struct probe_options *options);

#endif

/* SPDX-License-Identifier: MIT */
/* Words of a command line or a file as numbers and addresses. */
#ifndef TMTU_ARGS_H
#define TMTU_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tunmtu/hash.h>

/* Room for an address as text, and for one with brackets and a port. */
enum { ARGS_ADDR = 46, ARGS_ENDPOINT = 56 };

/* Says on standard error what is wrong with a command line, and where options
 * are listed; returns the exit status, 2. */
__attribute__((format(printf, 2, 3))) int args_wrong(const char *program,
                                                     const char *what, ...);

/* Which of `n` names it is. */
bool args_name(const char *word, const char *const *names, size_t n,
               uint8_t *out);

/* A decimal number from min to max; nothing may stand around it. */
bool args_number(const char *word, uint32_t min, uint32_t max, uint32_t *out);

/* An IPv4 or IPv6 address in numbers. An IPv4-mapped one is refused: it would
 * be the same 16 bytes as the IPv4 address. */
bool args_addr(const char *word, uint8_t addr[16]);

/* `a.b.c.d`, `a.b.c.d:port`, `[v6]` or `[v6]:port`; without a port, *port is
 * left as it is. */
bool args_endpoint(const char *word, uint8_t addr[16], uint16_t *port);

/* Where to listen. */
struct args_listen {
    uint8_t addr[16];
    uint16_t port; /* 0: any */
    bool wanted;
};

/* `a.b.c.d:port`, `[v6]:port`, or `port` or `:port` of 127.0.0.1. Sets `wanted`
 * if it is right. */
bool args_listen(const char *word, struct args_listen *out);

/* --metrics and --local, of which there may be one of each family: -1, or the
 * exit status after having said what is wrong. */
int args_metrics(const char *program, const char *word,
                 struct args_listen *out);
int args_local(const char *program, const char *word, bool has[2],
               uint8_t local[2][16]);

/* 32 hexadecimal digits. */
bool args_key(const char *word, struct tmtu_hash_key *key);

/* An address as text; returns `text`. */
const char *args_addr_text(const uint8_t addr[16], char text[ARGS_ADDR]);

/* An address with its port as text; returns `text`. */
const char *args_endpoint_text(const uint8_t addr[16], uint16_t port,
                               char text[ARGS_ENDPOINT]);

/* A list of addresses from options that may be given more than once. */
struct args_addrs {
    uint8_t (*addr)[16];
    size_t n;
};

/* Puts one more on the list; false if there is no memory. */
bool args_addrs_add(struct args_addrs *list, const uint8_t addr[16]);

/* Whether it is on the list. */
bool args_addrs_has(const struct args_addrs *list, const uint8_t addr[16]);

/* Whether one of this family (4 or 6) is on the list. */
bool args_addrs_family(const struct args_addrs *list, int ipver);

#endif

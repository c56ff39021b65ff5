/* SPDX-License-Identifier: MIT */
/* Words of a command line or a file as numbers and addresses. */
#include "args.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int args_wrong(const char *program, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, what, args);
    fputs("; --help lists all options\n", stderr);
    va_end(args);
    return 2;
}

bool args_name(const char *word, const char *const *names, size_t n,
               uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool args_number(const char *word, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    size_t n = 0;
    for (; word[n] >= '0' && word[n] <= '9' && n < 11; n++)
        v = v * 10 + (uint64_t)(word[n] - '0');
    if (n == 0 || word[n] != '\0' || v < min || v > max)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool args_addr(const char *word, uint8_t addr[16])
{
    uint8_t ip[16];
    if (inet_pton(AF_INET, word, ip) == 1) {
        tmtu_addr_set4(addr, ip);
        return true;
    }
    if (inet_pton(AF_INET6, word, ip) != 1 || tmtu_addr_is4(ip))
        return false;
    tmtu_copy(addr, ip, 16);
    return true;
}

bool args_endpoint(const char *word, uint8_t addr[16], uint16_t *port)
{
    char text[ARGS_ADDR];
    const bool v6 = word[0] == '[';
    const char *from = word + v6;
    const size_t n = strcspn(from, v6 ? "]" : ":");
    const char *after = from + n;
    uint8_t parsed[16];
    uint32_t number = *port;

    if (n >= sizeof text || (v6 && *after++ != ']'))
        return false;
    memcpy(text, from, n);
    text[n] = '\0';
    if (!args_addr(text, parsed) || v6 == tmtu_addr_is4(parsed))
        return false;
    if (*after != '\0' &&
        (*after != ':' || !args_number(after + 1, 0, 65535, &number)))
        return false;
    tmtu_copy(addr, parsed, 16);
    *port = (uint16_t)number;
    return true;
}

bool args_listen(const char *word, struct args_listen *out)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    const char *colon = strrchr(word, ':');
    struct args_listen at = {.wanted = true};
    uint32_t port;

    if (!args_number(colon != NULL ? colon + 1 : word, 0, 65535, &port))
        return false;
    if (colon == NULL || colon == word)
        tmtu_addr_set4(at.addr, loopback);
    else if (!args_endpoint(word, at.addr, &at.port))
        return false;
    at.port = (uint16_t)port;
    *out = at;
    return true;
}

int args_metrics(const char *program, const char *word, struct args_listen *out)
{
    if (args_listen(word, out))
        return -1;
    return args_wrong(program,
                      "--metrics %.60s: expected ADDR:PORT, [ADDR]:PORT or "
                      "PORT",
                      word);
}

int args_local(const char *program, const char *word, bool has[2],
               uint8_t local[2][16])
{
    uint8_t addr[16];
    if (!args_addr(word, addr) || !tmtu_addr_is_host(addr))
        return args_wrong(program,
                          "--local %.60s: expected an IPv4 or IPv6 address of "
                          "this host",
                          word);
    const int v6 = !tmtu_addr_is4(addr);
    if (has[v6])
        return args_wrong(program,
                          "--local %.60s: expected at most one IPv%c address",
                          word, v6 ? '6' : '4');
    has[v6] = true;
    tmtu_copy(local[v6], addr, 16);
    return -1;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool args_key(const char *word, struct tmtu_hash_key *key)
{
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++) {
        const int high = digit(word[2 * i]);
        const int low = high < 0 ? -1 : digit(word[2 * i + 1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (word[2 * sizeof bytes] != '\0')
        return false;
    *key = tmtu_hash_key(bytes);
    return true;
}

const char *args_addr_text(const uint8_t addr[16], char text[ARGS_ADDR])
{
    const bool v4 = tmtu_addr_is4(addr);
    if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, text,
                  ARGS_ADDR) == NULL)
        text[0] = '\0'; /* cannot be: there is room, the families are known */
    return text;
}

const char *args_endpoint_text(const uint8_t addr[16], uint16_t port,
                               char text[ARGS_ENDPOINT])
{
    char ip[ARGS_ADDR];
    snprintf(text, ARGS_ENDPOINT, tmtu_addr_is4(addr) ? "%s:%u" : "[%s]:%u",
             args_addr_text(addr, ip), port);
    return text;
}

bool args_addrs_add(struct args_addrs *list, const uint8_t addr[16])
{
    void *more = realloc(list->addr, (list->n + 1) * sizeof list->addr[0]);
    if (more == NULL)
        return false;
    list->addr = more;
    tmtu_copy(list->addr[list->n++], addr, 16);
    return true;
}

bool args_addrs_has(const struct args_addrs *list, const uint8_t addr[16])
{
    for (size_t i = 0; i < list->n; i++) {
        if (tmtu_addr_equal(list->addr[i], addr))
            return true;
    }
    return false;
}

bool args_addrs_family(const struct args_addrs *list, int ipver)
{
    for (size_t i = 0; i < list->n; i++) {
        if (tmtu_addr_is4(list->addr[i]) == (ipver == 4))
            return true;
    }
    return false;
}

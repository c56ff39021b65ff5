/* SPDX-License-Identifier: MIT */
/* Services and their real servers, as `ipvsadm-save -n` writes them. */
#define _POSIX_C_SOURCE 200809L
#include "rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <tunmtu/flow.h>

#include "args.h"
#include "rules_reader.h"

enum { TCP = 6, UDP = 17, SCTP = 132 };

void rules_error(struct rules_reader *r, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    fprintf(r->say, "%s:%u: ", r->name, r->line);
    vfprintf(r->say, what, args);
    fputc('\n', r->say);
    va_end(args);
    r->errors++;
}

void rules_warn(struct rules_reader *r, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    fprintf(r->say, "%s:%u: warning: ", r->name, r->line);
    vfprintf(r->say, what, args);
    fputc('\n', r->say);
    va_end(args);
}

/* The service that -t, -u or --sctp-service names: its address, port and
 * protocol. */
static bool which_service(struct rules_reader *r, const struct words *w,
                          struct rules_service *s)
{
    static const struct {
        enum word word;
        uint8_t proto;
    } kinds[] = {{W_TCP, TCP}, {W_UDP, UDP}, {W_SCTP, SCTP}};
    const char *arg = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (w->arg[kinds[i].word] == NULL)
            continue;
        if (arg != NULL) {
            rules_error(r, "expected only one of -t, -u and --sctp-service");
            return false;
        }
        arg = w->arg[kinds[i].word];
        s->proto = kinds[i].proto;
    }
    if (arg == NULL) {
        rules_error(r, "no service, expected -t, -u or --sctp-service");
        return false;
    }
    if (!args_endpoint(arg, s->addr, &s->port)) {
        rules_error(
            r,
            "'%.60s' is no service, expected ADDRESS:PORT or [IPv6]:PORT in "
            "numbers (ipvsadm-save -n)",
            arg);
        return false;
    }
    if (!tmtu_addr_is_host(s->addr)) {
        rules_error(r, "'%.60s' cannot be the address of a service", arg);
        return false;
    }
    return true;
}

static struct rules_service *find(const struct rules *rules,
                                  const struct rules_service *s)
{
    for (size_t i = rules->services; i-- > 0;) {
        struct rules_service *t = &rules->service[i];
        if (t->port == s->port && t->proto == s->proto &&
            tmtu_addr_equal(t->addr, s->addr))
            return t;
    }
    return NULL;
}

static void add_service(struct rules_reader *r, const struct words *w)
{
    struct rules_service s = {.line = r->line};
    if (!which_service(r, w, &s))
        return;
    const struct rules_service *before = find(r->rules, &s);
    if (before != NULL) {
        rules_error(r, "this service is there already, since line %u",
                    before->line);
        return;
    }
    if (w->arg[W_SERVER] || w->arg[W_IPIP] || w->arg[W_NAT] ||
        w->arg[W_DIRECT] || w->arg[W_WEIGHT] || w->arg[W_TUN_TYPE] ||
        w->arg[W_TUN_PORT] || w->arg[W_TUN_NOCSUM] || w->arg[W_TUN_CSUM] ||
        w->arg[W_TUN_REMCSUM])
        rules_error(r, "-A: expected no options of a real server");
    rules_placing(r, w, &s);

    void *more =
        realloc(r->rules->service, (r->rules->services + 1) * sizeof s);
    if (more == NULL) {
        rules_error(r, "no memory for a service");
        return;
    }
    r->rules->service = more;
    r->rules->service[r->rules->services++] = s;
}

/* The port at which a server is reached. */
static uint16_t port_of(const struct rules_server *server,
                        const struct rules_service *s)
{
    return server->forward == LB_NAT ? server->port : s->port;
}

static void add_server(struct rules_reader *r, const struct words *w)
{
    struct rules_service key = {.port = 0};
    struct rules_server server = {.weight = 1, .line = r->line};
    const char *arg = w->arg[W_SERVER];

    if (!which_service(r, w, &key))
        return;
    struct rules_service *s = find(r->rules, &key);
    uint16_t port = key.port;
    if (s == NULL)
        rules_error(
            r, "there is no such service, expected its -A on a line before");
    if (w->arg[W_SCHEDULER] || w->arg[W_FLAGS] || w->arg[W_PERSISTENT] ||
        w->arg[W_NETMASK] || w->arg[W_OPS])
        rules_error(r, "-a: expected no options of a service");
    if (w->arg[W_WEIGHT] != NULL &&
        !args_number(w->arg[W_WEIGHT], 0, 65535, &server.weight))
        rules_error(r, "'%.60s' is no weight, expected 0 to 65535",
                    w->arg[W_WEIGHT]);
    if (arg == NULL) {
        rules_error(r, "no real server, expected -r");
        return;
    }
    if (!args_endpoint(arg, server.addr, &port)) {
        rules_error(
            r,
            "'%.60s' is no real server, expected IPv4, IPv4:PORT, [IPv6] or "
            "[IPv6]:PORT in numbers",
            arg);
        return;
    }
    if (!tmtu_addr_is_host(server.addr)) {
        rules_error(r, "'%.60s' cannot be the address of a real server", arg);
        return;
    }
    rules_forward(r, w, &server);
    if (server.forward == LB_NAT && key.port != 0)
        server.port = port;
    else if (port != key.port)
        rules_warn(
            r,
            "port %u of the real server is ignored, as in IPVS: the packet%s "
            "keeps port %u",
            port, server.forward == LB_TUNNEL ? " in the tunnel" : "",
            key.port);
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->servers; i++) {
        if (tmtu_addr_equal(s->server[i].addr, server.addr) &&
            port_of(&s->server[i], s) == port_of(&server, s)) {
            rules_error(r, "this real server is there already, since line %u",
                        s->server[i].line);
            return;
        }
    }
    void *more = realloc(s->server, (s->servers + 1) * sizeof server);
    if (more == NULL) {
        rules_error(r, "no memory for a real server");
        return;
    }
    s->server = more;
    s->server[s->servers++] = server;
}

static void read_line(struct rules_reader *r, char *line, size_t n)
{
    struct words w;
    char why[WORDS_WHY];
    bool any = false;

    if (strlen(line) != n) {
        rules_error(r, "a zero byte, expected text");
        return;
    }
    if (!words_split(line, &w, why)) {
        rules_error(r, "%s", why);
        return;
    }
    for (size_t i = 0; i < W_WORDS; i++)
        any |= w.arg[i] != NULL;
    if (!any)
        return;
    if ((w.arg[W_ADD_SERVICE] != NULL) == (w.arg[W_ADD_SERVER] != NULL))
        rules_error(r, "expected one of -A and -a");
    else if (w.arg[W_ADD_SERVICE] != NULL)
        add_service(r, &w);
    else
        add_server(r, &w);
}

unsigned rules_read(struct rules *rules, FILE *in, const char *name, FILE *say)
{
    struct rules_reader r = {.rules = rules, .name = name, .say = say};
    char *line = NULL;
    size_t room = 0;

    memset(rules, 0, sizeof *rules);
    for (ssize_t n; (n = getline(&line, &room, in)) >= 0;) {
        r.line++;
        read_line(&r, line, (size_t)n);
    }
    if (ferror(in)) /* a directory can be opened, and not be read */
        rules_error(&r, "cannot be read: %s", strerror(errno));
    else if (rules->services == 0 && r.errors == 0)
        rules_error(&r, "no service, expected at least one -A");
    free(line);
    return r.errors;
}

void rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->services; i++)
        free(rules->service[i].server);
    free(rules->service);
    memset(rules, 0, sizeof *rules);
}

/* SPDX-License-Identifier: MIT */
/* The options of a real server that say what tunnel leads to it. */
#include <string.h>

#include <tunmtu/encap.h>
#include <tunmtu/flow.h>

#include "args.h"
#include "rules_reader.h"

/* --tun-type; ipvsadm has these three. */
static bool kind(struct rules_reader *r, const char *type, uint8_t *out)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } kinds[] = {{"ipip", TMTU_ENCAP_IPIP},
                 {"gue", TMTU_ENCAP_GUE},
                 {"gre", TMTU_ENCAP_GRE}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (type == NULL || strcmp(type, kinds[i].name) == 0) {
            *out = kinds[i].kind;
            return true;
        }
    }
    rules_error(r, "--tun-type %.20s is not known, expected ipip, gue or gre",
                type);
    return false;
}

/* --tun-port: GUE must have one, the others have none, as ipvsadm wants it. */
static void port(struct rules_reader *r, const struct words *w,
                 struct rules_server *server)
{
    const char *arg = w->arg[W_TUN_PORT];
    uint32_t number;
    if (server->kind != TMTU_ENCAP_GUE) {
        if (arg != NULL)
            rules_error(r, "--tun-port: expected together with --tun-type gue");
    } else if (arg == NULL) {
        rules_error(r, "--tun-type gue: expected --tun-port, such as 6080");
    } else if (!args_number(arg, 1, 65535, &number)) {
        rules_error(r, "'%.60s' is no --tun-port, expected 1 to 65535", arg);
    } else {
        server->port = (uint16_t)number;
    }
}

static void checksum(struct rules_reader *r, const struct words *w,
                     struct rules_server *server)
{
    const bool no = w->arg[W_TUN_NOCSUM] != NULL;
    const bool yes = w->arg[W_TUN_CSUM] != NULL;
    const bool remote = w->arg[W_TUN_REMCSUM] != NULL;

    if (server->kind == TMTU_ENCAP_IPIP && (no || yes || remote))
        rules_error(r, "IP in IP has no checksum of its own, expected "
                       "--tun-type gue or gre with --tun-csum or --tun-nocsum");
    else if (no + yes + remote > 1)
        rules_error(r, "expected one of --tun-csum and --tun-nocsum");
    else if (remote) /* for the senders' offloads, which end before us */
        rules_error(r, "--tun-remcsum: remote checksum offload is not "
                       "supported, expected --tun-csum or --tun-nocsum");
    server->csum = yes;
    if (server->kind != TMTU_ENCAP_GUE || yes || tmtu_addr_is4(server->addr) ||
        r->said_zero6)
        return;
    rules_warn(r, "UDP over IPv6 without a checksum: RFC 6936 wants both ends "
                  "to agree on it (tunmtu-realserver --zero-csum6), or "
                  "--tun-csum");
    r->said_zero6 = true;
}

void rules_tunnel(struct rules_reader *r, const struct words *w,
                  struct rules_server *server)
{
    if (!kind(r, w->arg[W_TUN_TYPE], &server->kind))
        return;
    port(r, w, server);
    checksum(r, w, server);
}

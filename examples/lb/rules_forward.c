/* SPDX-License-Identifier: MIT */
/* The options of a real server that say how packets get to it. */
#include "rules_reader.h"

/* -i, -m or -g; none of them is -g, as for ipvsadm. */
void rules_forward(struct rules_reader *r, const struct words *w,
                   struct rules_server *server)
{
    const bool tunnel = w->arg[W_IPIP] != NULL;
    const bool nat = w->arg[W_NAT] != NULL;
    const bool direct = w->arg[W_DIRECT] != NULL;

    if (tunnel + nat + direct > 1)
        rules_error(r, "expected only one of -i, -m and -g");
    if (!tunnel &&
        (w->arg[W_TUN_TYPE] || w->arg[W_TUN_PORT] || w->arg[W_TUN_NOCSUM] ||
         w->arg[W_TUN_CSUM] || w->arg[W_TUN_REMCSUM]))
        rules_error(r, "--tun-...: expected together with -i (a tunnel)");
    server->forward = tunnel ? LB_TUNNEL : nat ? LB_NAT : LB_DIRECT;
    switch (server->forward) {
    case LB_NAT:
    case LB_DIRECT:
        break;
    default:
        rules_tunnel(r, w, server);
    }
}

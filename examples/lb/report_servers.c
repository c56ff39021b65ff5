/* SPDX-License-Identifier: MIT */
/* The counters of services and their servers, and what these are called. */
#include "report.h"

void report_service(const struct service *s, char text[80])
{
    char endpoint[ARGS_ENDPOINT];
    snprintf(text, 80, "%s:%s", services_proto_name(s->proto),
             args_endpoint_text(s->addr, s->port, endpoint));
}

const char *report_server(const struct server *s, char text[ARGS_ENDPOINT])
{
    return s->port != 0 ? args_endpoint_text(s->tunnel.encap.dst, s->port, text)
                        : args_addr_text(s->tunnel.encap.dst, text);
}

static void server(struct counters *to, const char *group,
                   const struct server *s)
{
    static const struct counters_family packets = {
        "server_packets_total", NULL, "Packets forwarded to each server."};
    static const struct counters_family bytes = {
        "server_bytes_total", NULL,
        "Bytes of them, without the headers of tunnels."};
    static const struct counters_family back = {
        "server_returned_packets_total", NULL,
        "Packets from each server (-m), sent on to clients."};
    static const struct counters_family back_bytes = {
        "server_returned_bytes_total", NULL, "Bytes of them."};
    static const struct counters_family errors = {
        "server_tunnel_errors_total", NULL,
        "ICMP errors about the tunnel to each server."};
    static const struct counters_family unreachable = {
        "server_tunnel_unreachable_total", NULL,
        "Those of them that say that it cannot be reached."};
    static const struct counters_family path_mtu = {
        "server_path_mtu_bytes", NULL,
        "What the path to each server carries, as far as is known."};

    counters_line(to, &packets, group, "packets", s->packets);
    counters_line(to, &bytes, group, "bytes", s->bytes);
    if (s->forward == LB_NAT) {
        counters_line(to, &back, group, "returned", s->returned);
        counters_line(to, &back_bytes, group, "returned.bytes",
                      s->returned_bytes);
        return;
    }
    counters_line(to, &errors, group, "errors", s->errors);
    counters_line(to, &unreachable, group, "unreachable", s->unreachable);
    counters_line(to, &path_mtu, group, "path_mtu", s->tunnel.mtu.path_mtu);
}

void report_servers(struct counters *to, const struct services *t)
{
    char service[80], address[ARGS_ENDPOINT], group[160];
    const struct counters_label about[] = {
        {"service", service}, {"server", address}, {NULL, NULL}};

    to->about = about;
    for (size_t i = 0; i < t->n; i++) {
        report_service(&t->service[i], service);
        for (size_t j = 0; j < t->service[i].servers; j++) {
            const struct server *s = &t->service[i].server[j];
            report_server(s, address);
            snprintf(group, sizeof group, "server.%s.%s", service, address);
            server(to, group, s);
        }
    }
    to->about = NULL;
}

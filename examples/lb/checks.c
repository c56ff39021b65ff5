/* SPDX-License-Identifier: MIT */
/* What in this host's configuration is likely to be in a balancer's way. */
#define _GNU_SOURCE
#include "checks.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "args.h"

__attribute__((format(printf, 1, 2))) static void warn(const char *what, ...)
{
    va_list args;
    va_start(args, what);
    fputs("tunmtu-lb: warning: ", stderr);
    vfprintf(stderr, what, args);
    fputc('\n', stderr);
    va_end(args);
}

/* A number under /proc/sys/net; -1 if it cannot be read. */
static int sysctl(const char *family, const char *dev, const char *name)
{
    char path[256];
    int value = -1;
    snprintf(path, sizeof path, "/proc/sys/net/%s/%s%s%s%s", family,
             dev != NULL ? "conf/" : "", dev != NULL ? dev : "",
             dev != NULL ? "/" : "", name);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    if (fscanf(f, "%d", &value) != 1)
        value = -1;
    fclose(f);
    return value;
}

static bool is_mine(const struct ifaddrs *all, const uint8_t addr[16])
{
    for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
        uint8_t mine[16];
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        if (a->ifa_addr == NULL)
            continue;
        if (a->ifa_addr->sa_family == AF_INET) {
            memcpy(&in4, a->ifa_addr, sizeof in4);
            tmtu_addr_set4(mine, (const uint8_t *)&in4.sin_addr);
        } else if (a->ifa_addr->sa_family == AF_INET6) {
            memcpy(&in6, a->ifa_addr, sizeof in6);
            memcpy(mine, &in6.sin6_addr, sizeof mine);
        } else {
            continue;
        }
        if (tmtu_addr_equal(mine, addr))
            return true;
    }
    return false;
}

static void addresses(const struct services *t, const struct ifaddrs *all)
{
    char ip[ARGS_ADDR];
    for (size_t i = 0; i < t->n; i++) {
        if (is_mine(all, t->service[i].addr))
            warn("%s is an address of this host: the kernel answers for the "
                 "service, too; take it off and route it here",
                 args_addr_text(t->service[i].addr, ip));
    }
}

/* AF_PACKET: the kernel gets every packet as well. It answers for the tunnels'
 * end, which is how their packets' ICMP errors find here; and nothing else. */
static void beside_the_kernel(const struct options *o, const struct services *t,
                              const struct ifaddrs *all)
{
    bool v4 = false, v6 = false;
    char ip[ARGS_ADDR];
    for (int i = 0; i < 2; i++) {
        if (o->config.has_local[i] && !is_mine(all, o->config.local[i]))
            warn("--local %s is no address of this host: ICMP errors about "
                 "tunnels come back only if it is routed here",
                 args_addr_text(o->config.local[i], ip));
    }
    for (size_t i = 0; i < t->n; i++) {
        v4 |= tmtu_addr_is4(t->service[i].addr);
        v6 |= !tmtu_addr_is4(t->service[i].addr);
    }
    if (v4 && sysctl("ipv4", NULL, "ip_forward") > 0)
        warn("net.ipv4.ip_forward is on: the kernel forwards packets for "
             "services as well, or answers them");
    if (v6 && sysctl("ipv6", "all", "forwarding") > 0)
        warn("net.ipv6.conf.all.forwarding is on: the kernel forwards packets "
             "for services as well, or answers them");
}

/* TUN: the kernel routes what goes in and what comes out. What is for an
 * address of its own it keeps, so the tunnels' end should be another one,
 * routed into the device. */
static void behind_the_kernel(const struct options *o, const struct services *t,
                              const char *tun, const struct ifaddrs *all)
{
    bool v4 = o->config.has_local[0], v6 = o->config.has_local[1];
    char ip[ARGS_ADDR];
    for (size_t i = 0; i < t->n; i++) {
        v4 |= tmtu_addr_is4(t->service[i].addr);
        v6 |= !tmtu_addr_is4(t->service[i].addr);
    }
    for (int i = 0; i < 2; i++) {
        if (o->config.has_local[i] && is_mine(all, o->config.local[i]))
            warn("--local %s is an address of this host: the kernel keeps ICMP "
                 "errors about tunnels; take another one and route it to %s",
                 args_addr_text(o->config.local[i], ip), tun);
    }
    if (v4 && sysctl("ipv4", NULL, "ip_forward") == 0)
        warn("net.ipv4.ip_forward is off: nothing gets through %s", tun);
    if (v6 && sysctl("ipv6", "all", "forwarding") == 0)
        warn("net.ipv6.conf.all.forwarding is off: nothing gets through %s",
             tun);
    if (o->config.has_local[0] && is_mine(all, o->config.local[0]) &&
        sysctl("ipv4", tun, "accept_local") == 0 &&
        sysctl("ipv4", "all", "accept_local") == 0)
        warn("net.ipv4.conf.%s.accept_local is off: tunnel packets, which have "
             "this host's address, will be dropped",
             tun);
    if (v4 && (sysctl("ipv4", tun, "rp_filter") == 1 ||
               sysctl("ipv4", "all", "rp_filter") == 1))
        warn("net.ipv4.conf.%s.rp_filter is strict: answers, which have the "
             "address of a service, may be dropped",
             tun);
}

void checks_warn(const struct options *o, const struct services *t)
{
    struct ifaddrs *all = NULL;
    char tun[64];
    if (getifaddrs(&all) != 0)
        return;
    addresses(t, all);
    if (strncmp(o->io, "afpacket:", 9) == 0) {
        beside_the_kernel(o, t, all);
    } else if (strncmp(o->io, "tun:", 4) == 0) {
        snprintf(tun, sizeof tun, "%.*s", (int)strcspn(o->io + 4, ","),
                 o->io + 4); /* the name without ",gso" */
        behind_the_kernel(o, t, tun, all);
    }
    freeifaddrs(all);
}

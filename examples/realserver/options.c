/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-realserver. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tunmtu/version.h>

static const char usage[] =
    "usage: tunmtu-realserver --vip ADDR... --io IO --tun NAME\n"
    "                         [--clamp-mss auto|N] [--mtu N]\n"
    "                         [--local ADDR...] [--peer ADDR...]\n"
    "                         [--counters FILE] [--verbose]\n"
    "\n"
    "Takes IP-in-IP packets of a load balancer apart, hands them to this "
    "host,\n"
    "and sends its replies straight to the clients, their MSS clamped so that\n"
    "clients never send what does not fit through the tunnel.\n"
    "\n"
    "  --vip ADDR       address of a service; may be repeated\n"
    "  --io IO          where tunnel packets come from and replies go to:\n"
    "                   tun:NAME, afpacket:IFNAME or pcap:IN.pcap:OUT.pcap;\n"
    "                   NAME,gso: super-packets (TSO, GRO) are not cut\n"
    "  --tun NAME       TUN device for the packets inside, and for replies, "
    "which\n"
    "                   are routed into it, NAME or NAME,gso; or an IO as "
    "above\n"
    "  --clamp-mss V    clamp the MSS of SYNs and SYN-ACKs to N bytes, or to\n"
    "                   what the tunnel carries (auto: --mtu less 20 for "
    "tunnels\n"
    "                   over IPv4, less 40 once one over IPv6 is known)\n"
    "  --mtu N          of the path from the balancers, in bytes (default: "
    "the\n"
    "                   interface's; 1500 for captures)\n"
    "  --local ADDR     outer destination that is accepted (default: any)\n"
    "  --peer ADDR      outer source that is accepted (default: any)\n"
    "  --counters FILE  where they are written on SIGUSR1 and at the end\n"
    "                   (default: standard error)\n"
    "  --verbose        tell the configuration\n"
    "  --help           this\n"
    "  --version        its version\n";

__attribute__((format(printf, 1, 2))) static int wrong(const char *what, ...)
{
    va_list args;
    va_start(args, what);
    fputs("tunmtu-realserver: ", stderr);
    vfprintf(stderr, what, args);
    fputs("; --help lists all options\n", stderr);
    va_end(args);
    return 2;
}

static int address(struct args_addrs *list, const char *name, const char *word)
{
    uint8_t addr[16];
    if (!args_addr(word, addr) || !tmtu_addr_is_host(addr))
        return wrong("%s %.60s: expected an IPv4 or IPv6 address of a host",
                     name, word);
    return args_addrs_add(list, addr) ? -1 : wrong("no memory");
}

static int clamp(struct rs_config *c, const char *word)
{
    uint32_t mss;
    if (strcmp(word, "auto") == 0) {
        c->clamp = RS_CLAMP_AUTO;
        return -1;
    }
    /* Linux takes nothing below 48 seriously (tcp_min_snd_mss). */
    if (!args_number(word, 48, 65495, &mss))
        return wrong("--clamp-mss %.60s: expected auto, or 48 to 65495 bytes",
                     word);
    c->clamp = RS_CLAMP_FIXED;
    c->mss = (uint16_t)mss;
    return -1;
}

enum { VIP = 256, LOCAL, PEER, IO, TUN, CLAMP, MTU, COUNTERS, VERSION };

static int option(struct options *o, int c, const char *arg)
{
    struct rs_config *config = &o->config;
    switch (c) {
    case VIP:
        return address(&config->vips, "--vip", arg);
    case LOCAL:
        return address(&config->locals, "--local", arg);
    case PEER:
        return address(&config->peers, "--peer", arg);
    case IO:
        o->io = arg;
        return -1;
    case TUN:
        o->tun = arg;
        return -1;
    case CLAMP:
        return clamp(config, arg);
    case MTU:
        if (!args_number(arg, 68, 65535, &config->mtu))
            return wrong("--mtu %.60s: expected 68 to 65535 bytes", arg);
        return -1;
    case COUNTERS:
        o->counters = arg;
        return -1;
    case 'v':
        o->verbose = true;
        return -1;
    case 'h':
        fputs(usage, stdout);
        return 0;
    case VERSION:
        printf("tunmtu-realserver %d.%d.%d\n", TMTU_VERSION_MAJOR,
               TMTU_VERSION_MINOR, TMTU_VERSION_PATCH);
        return 0;
    default: /* getopt has said what is wrong */
        return 2;
    }
}

int options_read(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"vip", required_argument, NULL, VIP},
        {"local", required_argument, NULL, LOCAL},
        {"peer", required_argument, NULL, PEER},
        {"io", required_argument, NULL, IO},
        {"tun", required_argument, NULL, TUN},
        {"clamp-mss", required_argument, NULL, CLAMP},
        {"mtu", required_argument, NULL, MTU},
        {"counters", required_argument, NULL, COUNTERS},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    memset(o, 0, sizeof *o);
    for (int c; (c = getopt_long(argc, argv, "hv", longs, NULL)) != -1;) {
        const int status = option(o, c, optarg);
        if (status >= 0)
            return status;
    }
    if (optind < argc)
        return wrong("%.60s: expected only options", argv[optind]);
    if (o->config.vips.n == 0)
        return wrong("expected --vip ADDR");
    if (o->io == NULL)
        return wrong("expected --io IO");
    if (o->tun == NULL)
        return wrong("expected --tun NAME");
    return -1;
}

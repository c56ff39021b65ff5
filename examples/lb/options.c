/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-lb. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <string.h>
#include <tunmtu/io.h>
#include <tunmtu/relay.h>
#include <tunmtu/version.h>

#include "args.h"
#include "conns.h"

static const char usage[] =
    "usage: tunmtu-lb --rules FILE [--local ADDR [--local ADDR]] --io IO\n"
    "                 [--mtu N] [--policy P] [--policy6 P] [--hash-key HEX]\n"
    "                 [--icmp-rate R] [--relay R] [--no-server A]\n"
    "                 [--connections N] [--flow-table N] [--counters FILE]\n"
    "                 [--metrics ADDR:PORT] [--verbose]\n"
    "\n"
    "Balances the services of `ipvsadm-save -n` over their real servers, in\n"
    "tunnels of IP in IP, GUE or GRE, or by direct routing, without a\n"
    "table of connections; or readdressed, with one.\n"
    "\n"
    "  --rules FILE     services and real servers, as ipvsadm-save -n writes\n"
    "  --local ADDR     outer source address of tunnels; one IPv4, one\n"
    "                   IPv6 or both\n"
    "  --io IO          tun:NAME, afpacket:IFNAME or pcap:IN.pcap:OUT.pcap;\n"
    "                   NAME,gso: super-packets (TSO, GRO) are not cut\n"
    "                   before; NAME,queues=N: N queues, a thread each\n"
    "  --mtu N          of the paths to the servers, in bytes (default: the\n"
    "                   interface's; 1500 for captures)\n"
    "  --policy P       IPv4 packets with DF that do not fit: notify (answer\n"
    "                   and drop), fragment (outer fragments, no answer) or\n"
    "                   both (default: notify)\n"
    "  --policy6 P      the same for IPv6 packets (default: notify, RFC 2473)\n"
    "  --icmp-rate R    how many errors are sent: linux (1000 a second, 1 to\n"
    "                   each host; \"too big\" always), rfc4443 (10 a second,\n"
    "                   all of them) or off (default: linux)\n"
    "  --no-server A    what a client is told that there is no server for:\n"
    "                   unreachable (ICMP port unreachable), reset (TCP; the\n"
    "                   others unreachable) or drop (default: unreachable)\n"
    "  --relay R        what is done with ICMP errors about tunnels: both\n"
    "                   (learn from them, and tell the clients), state (only\n"
    "                   learn) or tell (default: both)\n"
    "  --flow-table N   flows that stay with their server while others come\n"
    "                   and go; 0: placed by their hash alone (default: 0)\n"
    "  --connections N  of servers with -m that there is room for at least\n"
    "                   (default: 65536)\n"
    "  --hash-key HEX   32 digits; the same on all balancers of a service\n"
    "                   (default: all zeros, which anybody can guess)\n"
    "  --counters FILE  where they are written on SIGUSR1 and at the end\n"
    "                   (default: standard error)\n"
    "  --metrics ADDR:PORT  where Prometheus finds them, by HTTP; with PORT\n"
    "                   alone, on 127.0.0.1 (default: nowhere)\n"
    "  --verbose        tell the configuration; with captures, what becomes\n"
    "                   of each packet\n"
    "  --help           this\n"
    "  --version        its version\n";

#define wrong(...) args_wrong("tunmtu-lb", __VA_ARGS__)

static bool policy(const char *word, uint8_t *out)
{
    static const char *const names[] = {
        [TMTU_MTU_NOTIFY] = "notify",
        [TMTU_MTU_FRAGMENT] = "fragment",
        [TMTU_MTU_BOTH] = "both",
    };
    return args_name(word, names, sizeof names / sizeof names[0], out);
}

static bool icmp_rate(const char *word, struct tmtu_limit_options *out)
{
    static const struct tmtu_limit_options linux_has = TMTU_LIMIT_LINUX;
    static const struct tmtu_limit_options rfc_has = TMTU_LIMIT_RFC4443;
    if (strcmp(word, "linux") == 0)
        *out = linux_has;
    else if (strcmp(word, "rfc4443") == 0)
        *out = rfc_has;
    else if (strcmp(word, "off") == 0)
        out->size = 0;
    else
        return false;
    return true;
}

static bool relay(const char *word, uint8_t *out)
{
    static const char *const names[] = {
        [TMTU_RELAY_BOTH] = "both",
        [TMTU_RELAY_STATE] = "state",
        [TMTU_RELAY_TELL] = "tell",
    };
    return args_name(word, names, sizeof names / sizeof names[0], out);
}

static bool refuse(const char *word, uint8_t *out)
{
    static const char *const names[] = {
        [LB_REFUSE_UNREACHABLE] = "unreachable",
        [LB_REFUSE_RESET] = "reset",
        [LB_REFUSE_DROP] = "drop",
    };
    return args_name(word, names, sizeof names / sizeof names[0], out);
}

enum {
    RULES = 256,
    LOCAL,
    IO,
    MTU,
    POLICY,
    POLICY6,
    RATE,
    RELAY,
    CONNECTIONS,
    FLOW_TABLE,
    NO_SERVER,
    KEY,
    COUNTERS,
    METRICS,
    VERSION
};

static int option(struct options *o, int c, const char *arg)
{
    struct services_config *config = &o->config;
    switch (c) {
    case RULES:
        o->rules = arg;
        return -1;
    case IO:
        o->io = arg;
        return -1;
    case COUNTERS:
        o->counters = arg;
        return -1;
    case METRICS:
        return args_metrics("tunmtu-lb", arg, &o->metrics);
    case 'v':
        o->verbose = true;
        return -1;
    case LOCAL:
        return args_local("tunmtu-lb", arg, config->has_local, config->local);
    case MTU:
        if (!args_number(arg, 68, 65535, &config->mtu))
            return wrong("--mtu %.60s: expected 68 to 65535 bytes", arg);
        return -1;
    case POLICY:
    case POLICY6:
        if (!policy(arg, &config->policy[c == POLICY6]))
            return wrong("%s %.60s: expected notify, fragment or both",
                         c == POLICY ? "--policy" : "--policy6", arg);
        return -1;
    case RATE:
        if (!icmp_rate(arg, &config->limit))
            return wrong("--icmp-rate %.60s: expected linux, rfc4443 or off",
                         arg);
        return -1;
    case FLOW_TABLE:
        if (!args_number(arg, 0, FLOW_TABLE_MAX, &config->flow_table))
            return wrong("--flow-table %.60s: expected 0 to %u flows", arg,
                         (unsigned)FLOW_TABLE_MAX);
        return -1;
    case CONNECTIONS:
        if (!args_number(arg, 1, CONNS_MOST, &config->connections))
            return wrong("--connections %.60s: expected 1 to %u", arg,
                         (unsigned)CONNS_MOST);
        return -1;
    case RELAY:
        if (!relay(arg, &config->relay))
            return wrong("--relay %.60s: expected both, state or tell", arg);
        return -1;
    case NO_SERVER:
        if (!refuse(arg, &config->refuse))
            return wrong("--no-server %.60s: expected unreachable, reset or "
                         "drop",
                         arg);
        return -1;
    case KEY:
        if (!args_key(arg, &config->key))
            return wrong("--hash-key: expected 32 hexadecimal digits");
        return -1;
    case 'h':
        fputs(usage, stdout);
        return 0;
    case VERSION:
        printf("tunmtu-lb %d.%d.%d\n", TMTU_VERSION_MAJOR, TMTU_VERSION_MINOR,
               TMTU_VERSION_PATCH);
        return 0;
    default: /* getopt has said what is wrong */
        return 2;
    }
}

int options_read(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"rules", required_argument, NULL, RULES},
        {"local", required_argument, NULL, LOCAL},
        {"io", required_argument, NULL, IO},
        {"mtu", required_argument, NULL, MTU},
        {"policy", required_argument, NULL, POLICY},
        {"policy6", required_argument, NULL, POLICY6},
        {"icmp-rate", required_argument, NULL, RATE},
        {"relay", required_argument, NULL, RELAY},
        {"flow-table", required_argument, NULL, FLOW_TABLE},
        {"connections", required_argument, NULL, CONNECTIONS},
        {"no-server", required_argument, NULL, NO_SERVER},
        {"hash-key", required_argument, NULL, KEY},
        {"counters", required_argument, NULL, COUNTERS},
        {"metrics", required_argument, NULL, METRICS},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    memset(o, 0, sizeof *o);
    (void)icmp_rate("linux", &o->config.limit);
    for (int c; (c = getopt_long(argc, argv, "hv", longs, NULL)) != -1;) {
        const int status = option(o, c, optarg);
        if (status >= 0)
            return status;
    }
    if (optind < argc)
        return wrong("%.60s: expected only options", argv[optind]);
    if (o->rules == NULL)
        return wrong("expected --rules FILE");
    if (o->io == NULL)
        return wrong("expected --io IO");
    o->queues = tmtu_io_queues(o->io); /* 0: tmtu_io_open() says why */
    o->config.no_link = strncmp(o->io, "tun:", 4) == 0;
    return -1;
}

/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-realserver. */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tunmtu/version.h>

static const char usage[] =
    "usage: tunmtu-realserver --vip ADDR... --io IO --tun NAME\n"
    "                         [--clamp-mss auto|N] [--mtu N]\n"
    "                         [--local ADDR...] [--peer ADDR...]\n"
    "                         [--tun-type LIST] [--gue-port N]\n"
    "                         [--gre-udp-port N] [--gre-key N] [--zero-csum6]\n"
    "                         [--counters FILE] [--metrics ADDR:PORT]\n"
    "                         [--verbose]\n"
    "\n"
    "Takes a load balancer's tunnels apart (IP in IP, GRE, GUE, GRE in UDP),\n"
    "hands what is inside to this host, and sends its replies straight to the\n"
    "clients, their MSS clamped so that clients never send what does not fit\n"
    "through the tunnel.\n"
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
    "                   what the tunnel carries (auto: --mtu less the headers "
    "of\n"
    "                   the tunnels that were named or have been seen)\n"
    "  --mtu N          of the path from the balancers, in bytes (default: "
    "the\n"
    "                   interface's; 1500 for captures)\n"
    "  --local ADDR     outer destination that is accepted (default: any)\n"
    "  --peer ADDR      outer source that is accepted (default: any)\n"
    "  --tun-type LIST  tunnels that are accepted, of ipip, gre, gue and "
    "gre-udp,\n"
    "                   with commas between them (default: all)\n"
    "  --gue-port N     UDP port of GUE (default: 6080)\n"
    "  --gre-udp-port N UDP port of GRE in UDP (default: 4754)\n"
    "  --gre-key N      the key that GRE must have, 0x for hexadecimal "
    "(default:\n"
    "                   it must have none)\n"
    "  --zero-csum6     accept UDP over IPv6 without a checksum (RFC 6936)\n"
    "  --counters FILE  where they are written on SIGUSR1 and at the end\n"
    "                   (default: standard error)\n"
    "  --metrics ADDR:PORT  where Prometheus finds them, by HTTP; with PORT\n"
    "                   alone, on 127.0.0.1 (default: nowhere)\n"
    "  --verbose        tell the configuration\n"
    "  --help           this\n"
    "  --version        its version\n";

#define wrong(...) args_wrong("tunmtu-realserver", __VA_ARGS__)

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

/* Words with commas between them. */
static int tunnels(struct rs_config *c, const char *list)
{
    static const struct {
        const char *name;
        unsigned bit;
    } types[] = {{"ipip", RS_IPIP},
                 {"gre", RS_GRE},
                 {"gue", RS_GUE},
                 {"gre-udp", RS_GREUDP}};
    for (const char *word = list;; word++) {
        const size_t n = strcspn(word, ",");
        size_t i = 0;
        while (i < 4 && (strlen(types[i].name) != n ||
                         memcmp(types[i].name, word, n) != 0))
            i++;
        if (i == 4)
            return wrong(
                "--tun-type %.60s: expected some of ipip, gre, gue and "
                "gre-udp, with commas between them",
                list);
        c->tunnels |= types[i].bit;
        word += n;
        if (*word == '\0')
            return -1;
    }
}

static int port(const char *name, const char *word, uint16_t *out)
{
    uint32_t number;
    if (!args_number(word, 1, 65535, &number))
        return wrong("%s %.60s: expected 1 to 65535", name, word);
    *out = (uint16_t)number;
    return -1;
}

static int gre_key(struct rs_config *c, const char *word)
{
    char *end;
    errno = 0;
    const int base = word[0] == '0' && (word[1] | 0x20) == 'x' ? 16 : 10;
    const unsigned long long key = strtoull(word, &end, base);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || key > UINT32_MAX ||
        errno != 0)
        return wrong("--gre-key %.60s: expected 0 to 4294967295", word);
    c->key = (uint32_t)key;
    c->has_key = true;
    return -1;
}

enum {
    VIP = 256,
    LOCAL,
    PEER,
    IO,
    TUN,
    CLAMP,
    MTU,
    TYPE,
    GUE_PORT,
    GREUDP_PORT,
    GRE_KEY,
    ZERO_CSUM6,
    COUNTERS,
    METRICS,
    VERSION
};

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
    case TYPE:
        return tunnels(config, arg);
    case GUE_PORT:
        return port("--gue-port", arg, &config->gue_port);
    case GREUDP_PORT:
        return port("--gre-udp-port", arg, &config->greudp_port);
    case GRE_KEY:
        return gre_key(config, arg);
    case ZERO_CSUM6:
        config->zero_csum6 = true;
        return -1;
    case COUNTERS:
        o->counters = arg;
        return -1;
    case METRICS:
        return args_metrics("tunmtu-realserver", arg, &o->metrics);
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
        {"tun-type", required_argument, NULL, TYPE},
        {"gue-port", required_argument, NULL, GUE_PORT},
        {"gre-udp-port", required_argument, NULL, GREUDP_PORT},
        {"gre-key", required_argument, NULL, GRE_KEY},
        {"zero-csum6", no_argument, NULL, ZERO_CSUM6},
        {"counters", required_argument, NULL, COUNTERS},
        {"metrics", required_argument, NULL, METRICS},
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
    const uint16_t gue = rs_port(&o->config, TMTU_ENCAP_GUE);
    if (gue != 0 && gue == rs_port(&o->config, TMTU_ENCAP_GREUDP))
        return wrong("expected different ports for GUE and GRE in UDP");
    return -1;
}

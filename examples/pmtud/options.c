/* SPDX-License-Identifier: MIT */
/* The command line of tunmtu-pmtud. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <tunmtu/version.h>

#include "args.h"

static const char usage[] =
    "usage: tunmtu-pmtud --iface NAME [OPTION...]\n"
    "       tunmtu-pmtud --mode steer --rules FILE --local ADDR ...\n"
    "       tunmtu-pmtud --mode peers --peer ADDR... --local ADDR ...\n"
    "\n"
    "Passes on ICMP errors that say \"too big\" and have come to the wrong\n"
    "host: IPv4 type 3 code 4, ICMPv6 type 2. The options of Cloudflare's\n"
    "pmtud keep their meaning.\n"
    "\n"
    "  --iface NAME      the Ethernet interface to listen on, and to send to\n"
    "  --nflog GROUP     listen to this NFLOG group instead\n"
    "  --mode M          broadcast (to all of the segment), steer (to the\n"
    "                    server that has the flow, in its tunnel) or peers\n"
    "                    (to each of a list) (default: broadcast)\n"
    "  --src-rate R      errors a second of one router (default: 1.1)\n"
    "  --iface-rate R    errors a second of all (default: 10.0)\n"
    "  --duplicate-time S  seconds in which the same error is not repeated\n"
    "                    (default: 1.0; 0: it is)\n"
    "  --ports LIST      only errors about packets from these ports\n"
    "  --strict          only MTUs from 576 to 1499\n"
    "  --vip ADDR        only errors about packets from this address; may be\n"
    "                    given more than once\n"
    "  --use-src         frames keep the source address of the original\n"
    "  --rules FILE      steer: services and servers, as tunmtu-lb\n"
    "  --hash-key HEX    steer: as tunmtu-lb (default: all zeros)\n"
    "  --peer ADDR, --peers LIST  peers: hosts; this one is left out\n"
    "  --local ADDR      this end of tunnels; one IPv4, one IPv6 or both\n"
    "  --io pcap:IN:OUT  captures instead of an interface\n"
    "  --cpu N           run on this one\n"
    "  --user NAME       become this user once sockets are open\n"
    "  --counters FILE   where they are written on SIGUSR1 and at the end\n"
    "                    (default: standard error)\n"
    "  --metrics ADDR:PORT  where Prometheus finds them, by HTTP; with PORT\n"
    "                    alone, on 127.0.0.1 (default: nowhere)\n"
    "  --verbose         tell what is sent; twice: and what is not, and why;\n"
    "                    three times: with its bytes\n"
    "  --dry-run         send nothing, tell what would be\n"
    "  --help, --version\n";

#define wrong(...) args_wrong("tunmtu-pmtud", __VA_ARGS__)

enum {
    MODE = 256,
    DUPLICATE,
    VIP,
    USE_SRC,
    RULES,
    KEY,
    PEER,
    LOCAL,
    IO,
    USER,
    COUNTERS,
    METRICS,
    VERSION
};

static bool decimal(const char *word, double min, double max, double *out)
{
    char *end;
    const double v = strtod(word, &end);
    if (end == word || *end != '\0' || strspn(word, "0123456789.") == 0 ||
        !(v >= min && v <= max))
        return false;
    *out = v;
    return true;
}

static bool mode(const char *word, uint8_t *out)
{
    static const char *const names[] = {
        [PMTUD_BROADCAST] = "broadcast",
        [PMTUD_STEER] = "steer",
        [PMTUD_PEERS] = "peers",
    };
    return args_name(word, names, sizeof names / sizeof names[0], out);
}

/* Words between commas, of which each is taken; false: one is not. */
static bool each(const char *list, bool (*take)(struct options *, const char *),
                 struct options *o)
{
    char word[64];
    for (;;) {
        const size_t n = strcspn(list, ",");
        if (n == 0 || n >= sizeof word)
            return false;
        memcpy(word, list, n);
        word[n] = '\0';
        if (!take(o, word))
            return false;
        if (list[n] == '\0')
            return true;
        list += n + 1;
    }
}

static bool port(struct options *o, const char *word)
{
    uint32_t n;
    if (!args_number(word, 0, 65535, &n))
        return false;
    o->config.ports[n / 64] |= (uint64_t)1 << n % 64;
    o->config.by_port = true;
    return true;
}

static bool host(const char *word, uint8_t addr[16])
{
    return args_addr(word, addr) && tmtu_addr_is_host(addr);
}

static bool peer(struct options *o, const char *word)
{
    uint8_t addr[16];
    return host(word, addr) && args_addrs_add(&o->config.peers, addr);
}

static int number(const char *name, const char *word, uint32_t max, int *out)
{
    uint32_t n;
    if (!args_number(word, 0, max, &n))
        return wrong("%s %.60s: expected 0 to %u", name, word, (unsigned)max);
    *out = (int)n;
    return -1;
}

/* Options with a value that has to be understood. */
static int value(struct options *o, int c, const char *arg)
{
    struct pmtud_config *config = &o->config;
    uint8_t addr[16];
    double seconds;
    switch (c) {
    case 'n':
        return number("--nflog", arg, 65535, &o->nflog);
    case 'c':
        return number("--cpu", arg, 1023, &o->cpu);
    case 's':
    case 'r':
        if (!decimal(arg, 0.001, 1e6,
                     c == 's' ? &config->src_rate : &config->iface_rate))
            return wrong("%s %.60s: expected 0.001 to 1000000 a second",
                         c == 's' ? "--src-rate" : "--iface-rate", arg);
        return -1;
    case DUPLICATE:
        if (!decimal(arg, 0, 3600, &seconds))
            return wrong("--duplicate-time %.60s: expected 0 to 3600 seconds",
                         arg);
        config->duplicate = (uint64_t)(seconds * 1e9);
        return -1;
    case MODE:
        if (!mode(arg, &config->mode))
            return wrong("--mode %.60s: expected broadcast, steer or peers",
                         arg);
        return -1;
    case 'p':
        if (!each(arg, port, o))
            return wrong("--ports %.60s: expected ports from 0 to 65535, with "
                         "commas between",
                         arg);
        return -1;
    case VIP:
        if (!host(arg, addr) || !args_addrs_add(&config->vips, addr))
            return wrong("--vip %.60s: expected an IPv4 or IPv6 address", arg);
        return -1;
    case PEER:
        if (!each(arg, peer, o))
            return wrong("--peers %.60s: expected IPv4 or IPv6 addresses, with "
                         "commas between",
                         arg);
        return -1;
    case LOCAL:
        return args_local("tunmtu-pmtud", arg, o->services.has_local,
                          o->services.local);
    case IO:
        if (strncmp(arg, "pcap:", 5) != 0)
            return wrong("--io %.60s: expected pcap:IN.pcap:OUT.pcap; "
                         "interfaces are named by --iface",
                         arg);
        o->io = arg + 5;
        return -1;
    default: /* KEY */
        if (!args_key(arg, &o->services.key))
            return wrong("--hash-key: expected 32 hexadecimal digits");
        return -1;
    }
}

static int option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case 'i':
        o->iface = arg;
        return -1;
    case RULES:
        o->rules = arg;
        return -1;
    case METRICS:
        return args_metrics("tunmtu-pmtud", arg, &o->metrics);
    case COUNTERS:
        o->counters = arg;
        return -1;
    case USER:
        o->user = arg;
        return -1;
    case 'v':
        o->verbose++;
        return -1;
    case 'd':
        o->dry_run = true;
        return -1;
    case 't':
        o->config.strict = true;
        return -1;
    case USE_SRC:
        o->config.use_src = true;
        return -1;
    case 'h':
        fputs(usage, stdout);
        return 0;
    case VERSION:
        printf("tunmtu-pmtud %d.%d.%d\n", TMTU_VERSION_MAJOR,
               TMTU_VERSION_MINOR, TMTU_VERSION_PATCH);
        return 0;
    case '?': /* getopt has said what is wrong */
        return 2;
    default:
        return value(o, c, arg);
    }
}

/* What belongs together. */
static int together(const struct options *o)
{
    const struct pmtud_config *c = &o->config;
    const bool *has = o->services.has_local;
    if (o->io != NULL && (o->iface != NULL || o->nflog >= 0))
        return wrong("--io: expected neither --iface nor --nflog with it");
    if (o->io == NULL && o->iface == NULL &&
        (o->nflog < 0 || c->mode == PMTUD_BROADCAST))
        return wrong("expected --iface NAME");
    if (c->mode != PMTUD_STEER && o->rules != NULL)
        return wrong("--rules: expected --mode steer with it");
    if (c->mode != PMTUD_PEERS && c->peers.n > 0)
        return wrong("--peer: expected --mode peers with it");
    if (c->mode == PMTUD_BROADCAST)
        return -1;
    if (c->mode == PMTUD_STEER && o->rules == NULL)
        return wrong("--mode steer: expected --rules FILE");
    if (!has[0] && !has[1])
        return wrong("--mode %s: expected --local ADDR",
                     c->mode == PMTUD_STEER ? "steer" : "peers");
    if (c->mode == PMTUD_STEER)
        return -1;
    bool some = false;
    for (size_t i = 0; i < c->peers.n; i++) {
        const int v6 = !tmtu_addr_is4(c->peers.addr[i]);
        if (!has[v6])
            return wrong("--peer: expected --local with an IPv%c address, too",
                         v6 ? '6' : '4');
        some |= !tmtu_addr_equal(c->peers.addr[i], c->local[v6]);
    }
    return some ? -1
                : wrong("--mode peers: expected --peer ADDR, another host");
}

static void defaults(struct options *o)
{
    memset(o, 0, sizeof *o);
    o->nflog = o->cpu = -1;
    o->config.src_rate = 1.1;
    o->config.iface_rate = 10.0;
    o->config.duplicate = 1000000000;
    o->services.among = true;
}

int options_read(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"iface", required_argument, NULL, 'i'},
        {"nflog", required_argument, NULL, 'n'},
        {"mode", required_argument, NULL, MODE},
        {"src-rate", required_argument, NULL, 's'},
        {"iface-rate", required_argument, NULL, 'r'},
        {"duplicate-time", required_argument, NULL, DUPLICATE},
        {"ports", required_argument, NULL, 'p'},
        {"strict", no_argument, NULL, 't'},
        {"vip", required_argument, NULL, VIP},
        {"use-src", no_argument, NULL, USE_SRC},
        {"rules", required_argument, NULL, RULES},
        {"hash-key", required_argument, NULL, KEY},
        {"peer", required_argument, NULL, PEER},
        {"peers", required_argument, NULL, PEER},
        {"local", required_argument, NULL, LOCAL},
        {"io", required_argument, NULL, IO},
        {"cpu", required_argument, NULL, 'c'},
        {"user", required_argument, NULL, USER},
        {"counters", required_argument, NULL, COUNTERS},
        {"metrics", required_argument, NULL, METRICS},
        {"verbose", no_argument, NULL, 'v'},
        {"dry-run", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    defaults(o);
    for (int c; (c = getopt_long(argc, argv, "i:n:s:r:c:p:tvdh", longs,
                                 NULL)) != -1;) {
        const int status = option(o, c, optarg);
        if (status >= 0)
            return status;
    }
    if (optind < argc)
        return wrong("%.60s: expected only options", argv[optind]);
    if (o->dry_run && o->verbose < 2) /* it is asked for to be told */
        o->verbose = 2;
    memcpy(o->config.local, o->services.local, sizeof o->config.local);
    return together(o);
}

void options_free(struct options *o)
{
    free(o->config.vips.addr);
    free(o->config.peers.addr);
}

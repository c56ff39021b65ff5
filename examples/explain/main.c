/* SPDX-License-Identifier: MIT */
/* tunmtu-explain: what a stack of headers leaves of an MTU. */
#define _GNU_SOURCE
#include "explain.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tunmtu/version.h>

#include "args.h"

static const char usage[] =
    "usage: tunmtu-explain [--mtu N] [--packet-size N] [--policy P] [--json]\n"
    "                      STACK...\n"
    "       tunmtu-explain [--json] --error HEX\n"
    "       tunmtu-explain --list\n"
    "\n"
    "Tells what a stack of headers costs, and what is left inside. A STACK is\n"
    "written from the outside in: ipv6+udp+gue+ipv4. Several are compared.\n"
    "\n"
    "  --mtu N          what a frame of the link carries, in bytes (default:\n"
    "                   1500). eth and vlan in front are no part of it, pppoe\n"
    "                   and mpls are\n"
    "  --packet-size N  tell what becomes of a packet of N bytes\n"
    "  --policy P       for --packet-size, of packets that do not fit and may\n"
    "                   not be fragmented: notify (the default; answer and\n"
    "                   drop), fragment (outer fragments, no answer) or both\n"
    "  --error HEX      tell what an ICMP error says, and about whose packet:\n"
    "                   the IP packet that it came in, as hexadecimal digits\n"
    "  --json           output for programs\n"
    "  --list           the headers that are known\n"
    "  --help           this\n"
    "  --version        its version\n";

#define wrong(...) args_wrong("tunmtu-explain", __VA_ARGS__)

struct options {
    uint32_t mtu;
    uint32_t size; /* of a packet; 0: none is asked for */
    uint8_t policy;
    bool json;
    const char *error; /* an ICMP error to be read, NULL if there is none */
};

static bool policy(const char *word, uint8_t *out)
{
    static const char *const names[] = {
        [TMTU_MTU_NOTIFY] = "notify",
        [TMTU_MTU_FRAGMENT] = "fragment",
        [TMTU_MTU_BOTH] = "both",
    };
    for (uint8_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

enum { MTU = 256, SIZE, POLICY, ERROR, JSON, LIST, VERSION };

/* Negative: go on; else the exit status. */
static int option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case MTU:
        if (!args_number(arg, 68, 65535, &o->mtu))
            return wrong("--mtu %.60s: expected 68 to 65535 bytes", arg);
        return -1;
    case SIZE:
        if (!args_number(arg, 40, 65535, &o->size))
            return wrong("--packet-size %.60s: expected 40 to 65535 bytes",
                         arg);
        return -1;
    case POLICY:
        if (!policy(arg, &o->policy))
            return wrong("--policy %.60s: expected notify, fragment or both",
                         arg);
        return -1;
    case ERROR:
        o->error = arg;
        return -1;
    case JSON:
        o->json = true;
        return -1;
    case LIST:
        print_list();
        return 0;
    case 'h':
        fputs(usage, stdout);
        return 0;
    case VERSION:
        printf("tunmtu-explain %d.%d.%d\n", TMTU_VERSION_MAJOR,
               TMTU_VERSION_MINOR, TMTU_VERSION_PATCH);
        return 0;
    default: /* getopt has said what is wrong */
        return 2;
    }
}

/* The fates of the packets that can be inside. */
static bool fates(const struct explained *e, const struct options *o)
{
    bool some = false;
    for (unsigned which = 0; which < EXPLAIN_PACKETS; which++) {
        const unsigned ipver = which == EXPLAIN_V6 ? 6 : 4;
        struct fate fate;
        if (e->stack.inner != 0 && e->stack.inner != ipver)
            continue;
        if (!packet_fate(e, which, o->size, o->policy, &fate))
            return false;
        if (o->json) {
            fputs(some ? "," : "", stdout);
            json_fate(which, o->size, &fate);
        } else {
            print_fate(which, o->size, &fate);
        }
        some = true;
    }
    return true;
}

static bool print(const struct explained *e, size_t n, const struct options *o)
{
    if (n == 1)
        print_one(e);
    else
        print_table(e, n);
    for (size_t i = 0; i < n && o->size != 0; i++) {
        if (n == 1)
            putchar('\n');
        else
            printf("\n  %s\n", e[i].text);
        if (!fates(&e[i], o))
            return false;
    }
    return true;
}

static bool json(const struct explained *e, size_t n, const struct options *o)
{
    putchar('[');
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? ",\n" : "", stdout);
        json_stack(&e[i]);
        if (o->size != 0) {
            fputs(",\"packets\":[", stdout);
            if (!fates(&e[i], o))
                return false;
            putchar(']');
        }
        putchar('}');
    }
    puts("]");
    return true;
}

static int error(const struct options *o)
{
    struct read_error e;
    const int rc = error_read(o->error, &e);
    switch (rc) {
    case 0:
        break;
    case TMTU_E_ARGUMENT:
        return wrong("--error: expected an IP packet in hexadecimal digits, "
                     "without an Ethernet header");
    case TMTU_E_IGNORED:
        return wrong("--error: not an ICMP error, or a fragment of one");
    default:
        return wrong("--error: %s", tmtu_strerror(rc));
    }
    if (o->json)
        error_json(&e);
    else
        error_print(&e);
    if (fflush(stdout) == 0)
        return 0;
    fputs("tunmtu-explain: nobody to write to\n", stderr);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"mtu", required_argument, NULL, MTU},
        {"packet-size", required_argument, NULL, SIZE},
        {"policy", required_argument, NULL, POLICY},
        {"error", required_argument, NULL, ERROR},
        {"json", no_argument, NULL, JSON},
        {"list", no_argument, NULL, LIST},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    struct options o = {1500, 0, TMTU_MTU_NOTIFY, false, NULL};
    for (int c; (c = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        const int status = option(&o, c, optarg);
        if (status >= 0)
            return status;
    }
    if (o.error != NULL)
        return optind == argc ? error(&o) : wrong("--error: expected no STACK");
    if (optind == argc)
        return wrong("expected a STACK such as ipv6+udp+gue+ipv4");

    const size_t n = (size_t)(argc - optind);
    struct explained *all = calloc(n, sizeof all[0]);
    if (all == NULL)
        return 1;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        all[i].text = argv[(size_t)optind + i];
        all[i].mtu = o.mtu;
        const int rc = tmtu_stack_parse(all[i].text, o.mtu, &at, &all[i].stack);
        if (rc < 0) {
            complain_stack(all[i].text, at, rc);
            free(all);
            return 2;
        }
    }
    const bool ok = o.json ? json(all, n, &o) : print(all, n, &o);
    free(all);
    if (!ok || fflush(stdout) != 0) {
        fputs("tunmtu-explain: no memory, or nobody to write to\n", stderr);
        return 1;
    }
    return 0;
}

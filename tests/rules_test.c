/* SPDX-License-Identifier: MIT */
/* The rules of tunmtu-lb: what ipvsadm-save writes, and each mistake with its
 * line and sentence. */
#define _POSIX_C_SOURCE 200809L
#include "tmtu_test.h"

#include "args.h"
#include "rules.h"

#include <tunmtu/encap.h>

/* Reads `text`; what was said is malloc'ed in *said. */
static unsigned read_text(const char *text, size_t n, struct rules *rules,
                          char **said)
{
    size_t size;
    FILE *in = fmemopen((void *)(uintptr_t)text, n, "r");
    FILE *say = open_memstream(said, &size);
    assert_non_null(in);
    assert_non_null(say);
    const unsigned errors = rules_read(rules, in, "r", say);
    fclose(in);
    fclose(say);
    return errors;
}

#define SERVICE "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
#define SERVER  SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i "
#define NOSUM                                                                  \
    "IP in IP has no checksum of its own, expected --tun-type gue or gre "     \
    "with --tun-csum or --tun-nocsum"
#define WORDS "an option of ipvsadm-save, such as -A, -a, -t or -r"
#define SAVED "expected -A or -a, as ipvsadm-save writes"
#define ENDPOINT                                                               \
    "is no service, expected ADDRESS:PORT or [IPv6]:PORT in numbers "          \
    "(ipvsadm-save -n)"
#define TUN "--tun-...: expected together with -i (a tunnel)\n"
#define PLACED                                                                 \
    "flows are placed by consistent hashing, whatever the scheduler; mh and "  \
    "sh say so"
#define PERSISTS                                                               \
    "warning: persistence has no timeout here: a client stays with its "       \
    "server for as long as the list of servers stays\n"

/* What is said about a text: errors first counted, then word for word. */
static const struct {
    const char *name;
    const char *text;
    unsigned errors;
    const char *said;
} rows[] = {
    {"as ipvsadm-save writes it",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -i -w 1 --tun-type ipip\n", 0,
     ""},
    {"comments and blank lines are passed over", "# x\n\n \t\n  # -m\n" SERVICE,
     0, ""},
    {"the last line needs no end", "-A -u 10.0.0.2:53 -s sh", 0, ""},
    {"carriage returns are blanks", "-A -u 10.0.0.2:53 -s sh\r\n", 0, ""},
    {"long options",
     "--add-service --tcp-service [2001:db8::1]:443 --scheduler=mh "
     "--sched-flags mh-port,mh-fallback\n"
     "--add-server --tcp-service=[2001:db8::1]:443 --real-server "
     "[2001:db8::6]:443 --ipip --weight 3\n",
     0, ""},
    {"one-packet scheduling is what happens anyway",
     "-A -u 10.0.0.2:53 -s mh -o -b mh-port\n", 0, ""},
    {"nothing", "", 1, "r:0: no service, expected at least one -A\n"},

    {"other schedulers get one warning in all",
     "-A -t 10.0.0.2:80 -s wlc\n-A -t 10.0.0.2:81 -s rr\n", 0,
     "r:1: warning: scheduler wlc: " PLACED "\n"},
    {"no scheduler is wlc, as for ipvsadm", "-A -t 10.0.0.2:80\n", 0,
     "r:1: warning: scheduler wlc: " PLACED "\n"},
    {"flags of the other scheduler", "-A -t 10.0.0.2:80 -s sh -b mh-port\n", 1,
     "r:1: 'mh-port' is no flag of scheduler sh, expected -b sh-port or "
     "sh-fallback\n"},
    {"flags of no scheduler", "-A -t 10.0.0.2:80 -s mh -b flag-1,mh-port\n", 1,
     "r:1: 'flag-1' is no flag of scheduler mh, expected -b mh-port or "
     "mh-fallback, with -s mh\n"},

    {"flags that are nearly right",
     "-A -t 10.0.0.2:80 -s mh -b mx-port,mh-fallbacK\n", 2,
     "r:1: 'mx-port' is no flag of scheduler mh, expected -b mh-port or "
     "mh-fallback, with -s mh\n"
     "r:1: 'mh-fallbacK' is no flag of scheduler mh, expected -b mh-port or "
     "mh-fallback, with -s mh\n"},

    {"persistence gets one warning in all",
     "-A -t 10.0.0.2:80 -s mh -p 300\n-A -t 10.0.0.2:0 -s mh -p\n", 0,
     "r:1: " PERSISTS},
    {"every port needs persistence", "-A -t 10.0.0.2:0 -s mh\n", 1,
     "r:1: every port (0): expected together with -p\n"},
    {"no port is every port", "-A -t 10.0.0.2 -s mh\n", 1,
     "r:1: every port (0): expected together with -p\n"},
    {"netmask without persistence",
     "-A -t 10.0.0.2:80 -s mh -M 255.255.255.0\n", 1,
     "r:1: -M: expected together with -p\n"},
    {"netmask with a hole", "-A -t 10.0.0.2:80 -s mh -p 3 -M 255.0.255.0\n", 1,
     "r:1: '255.0.255.0' is no netmask, expected one such as 255.255.255.0\n"
     "r:1: " PERSISTS},
    {"netmask for IPv6 is a length",
     "-A -t [2001:db8::1]:80 -s mh -p 3 -M 129\n", 1,
     "r:1: '129' is no netmask, expected 1 to 128\nr:1: " PERSISTS},
    {"netmask of no bits", "-A -t 10.0.0.2:80 -s mh -p 3 -M 0.0.0.0\n", 1,
     "r:1: '0.0.0.0' is no netmask, expected one such as 255.255.255.0\n"
     "r:1: " PERSISTS},
    {"netmask with its last bit astray",
     "-A -t 10.0.0.2:80 -s mh -p 3 -M 255.255.255.253\n", 1,
     "r:1: '255.255.255.253' is no netmask, expected one such as "
     "255.255.255.0\nr:1: " PERSISTS},
    {"netmask that is an IPv6 address",
     "-A -t 10.0.0.2:80 -s mh -p 3 -M ffff::\n", 1,
     "r:1: 'ffff::' is no netmask, expected one such as 255.255.255.0\n"
     "r:1: " PERSISTS},
    {"persistence engines", "-A -t 10.0.0.2:80 -s mh -p 3 --pe sip\n", 1,
     "r:1: --pe: persistence engines are not supported\n"},
    {"timeout of nothing", "-A -t 10.0.0.2:80 -s mh -p 0\n", 1,
     "r:1: '0' is no timeout, expected 1 to 2678400 seconds\nr:1: " PERSISTS},

    {"masquerading, to any port and on the service's",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -m -w 1\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.7 --masquerading\n",
     0, ""},
    {"masquerading to two ports of one host is two servers",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -m\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.6:8444 -m\n",
     0, ""},
    {"masquerading to the same port twice",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -m\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -m\n",
     1, "r:3: this real server is there already, since line 2\n"},
    {"a tunnel and masquerading to one host's port",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -m\n",
     1, "r:3: this real server is there already, since line 2\n"},
    {"masquerading of every port",
     "-A -t 10.0.0.2:0 -s mh -p 3\n-a -t 10.0.0.2:0 -r 10.0.0.6 -m\n"
     "-a -t 10.0.0.2:0 -r 10.0.0.7:80 -m\n",
     0,
     "r:1: " PERSISTS
     "r:3: warning: port 80 of the real server is ignored, as in IPVS: the "
     "packet keeps port 0\n"},
    {"direct routing",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -g -w 1\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.7 --gatewaying\n",
     0, ""},
    {"direct routing by saying nothing",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6\n", 0, ""},
    {"direct routing in a tunnel",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -g -i\n", 1,
     "r:2: expected only one of -i, -m and -g\n"},
    {"a tunnel's options without one",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -g --tun-type gre\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.7 --tun-port 6080\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.8 --tun-csum\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.9 --tun-nocsum\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.10 --tun-remcsum\n",
     5, "r:2: " TUN "r:3: " TUN "r:4: " TUN "r:5: " TUN "r:6: " TUN},
    {"another port of a server that is sent to as it is",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -g\n", 0,
     "r:2: warning: port 8443 of the real server is ignored, as in IPVS: the "
     "packet keeps port 443\n"},
    {"two ways to a server", SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -m\n",
     1, "r:2: expected only one of -i, -m and -g\n"},
    {"a way to a server for a service", "-A -t 10.0.0.2:443 -s mh -m\n", 1,
     "r:1: -A: expected no options of a real server\n"},
    {"GUE",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w 1 --tun-type gue "
             "--tun-port 6080 --tun-nocsum\n",
     0, ""},
    {"GRE",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i --tun-type gre --tun-csum\n", 0,
     ""},
    {"a kind of tunnel that there is not", SERVER "--tun-type geneve\n", 1,
     "r:2: --tun-type geneve is not known, expected ipip, gue or gre\n"},
    {"a port of IP in IP", SERVER "--tun-port 1\n", 1,
     "r:2: --tun-port: expected together with --tun-type gue\n"},
    {"a port of GRE", SERVER "--tun-type gre --tun-port 1\n", 1,
     "r:2: --tun-port: expected together with --tun-type gue\n"},
    {"GUE without a port", SERVER "--tun-type gue\n", 1,
     "r:2: --tun-type gue: expected --tun-port, such as 6080\n"},
    {"GUE to port 0", SERVER "--tun-type gue --tun-port 0\n", 1,
     "r:2: '0' is no --tun-port, expected 1 to 65535\n"},
    {"GUE to port 65536", SERVER "--tun-type gue --tun-port 65536\n", 1,
     "r:2: '65536' is no --tun-port, expected 1 to 65535\n"},
    {"a checksum of IP in IP", SERVER "--tun-csum\n", 1, "r:2: " NOSUM "\n"},
    {"no checksum of IP in IP", SERVER "--tun-type ipip --tun-nocsum\n", 1,
     "r:2: " NOSUM "\n"},
    {"remote checksum of IP in IP", SERVER "--tun-remcsum\n", 1,
     "r:2: " NOSUM "\n"},
    {"a checksum and none", SERVER "--tun-type gre --tun-csum --tun-nocsum\n",
     1, "r:2: expected one of --tun-csum and --tun-nocsum\n"},
    {"a checksum and a remote one",
     SERVER "--tun-type gue --tun-port 6080 --tun-csum --tun-remcsum\n", 1,
     "r:2: expected one of --tun-csum and --tun-nocsum\n"},
    {"remote checksum offload",
     SERVER "--tun-type gue --tun-port 6080 --tun-remcsum\n", 1,
     "r:2: --tun-remcsum: remote checksum offload is not supported, expected "
     "--tun-csum or --tun-nocsum\n"},
    {"zero UDP checksums over IPv6 get one warning in all",
     SERVICE "-a -t 10.0.0.2:443 -r [2001:db8::6] -i --tun-type gue "
             "--tun-port 6080\n"
             "-a -t 10.0.0.2:443 -r [2001:db8::7] -i --tun-type gue "
             "--tun-port 6080 --tun-nocsum\n"
             "-a -t 10.0.0.2:443 -r [2001:db8::8] -i --tun-type gue "
             "--tun-port 6080 --tun-csum\n",
     0,
     "r:2: warning: UDP over IPv6 without a checksum: RFC 6936 wants both ends "
     "to agree on it (tunmtu-realserver --zero-csum6), or --tun-csum\n"},
    {"no warning where there is no UDP, or a checksum",
     SERVICE "-a -t 10.0.0.2:443 -r [2001:db8::6] -i --tun-type gre\n"
             "-a -t 10.0.0.2:443 -r [2001:db8::8] -i --tun-type gue "
             "--tun-port 6080 --tun-csum\n",
     0, ""},
    {"a tunnel for a service", "-A -t 10.0.0.2:80 -s mh --tun-csum\n", 1,
     "r:1: -A: expected no options of a real server\n"},
    {"firewall marks, both lines",
     SERVICE "-A -f 7 -s mh\n-a -f 7 -r 10.0.0.6:0 -i -w 1\n", 2,
     "r:2: -f: services by firewall mark are not supported, expected -t, -u "
     "or --sctp-service\n"
     "r:3: -f: services by firewall mark are not supported, expected -t, -u "
     "or --sctp-service\n"},
    {"limits of connections",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -x 9\n", 1,
     "r:2: -x: connections are not counted, so they cannot be limited\n"},
    {"other commands", "-C\n-D -t 10.0.0.2:443\n", 2,
     "r:1: -C: " SAVED "\nr:2: -D: " SAVED "\n"},

    {"no command", "-t 10.0.0.2:443\n", 1, "r:1: expected one of -A and -a\n"},
    {"two commands", "-A -a -t 10.0.0.2:443\n", 1,
     "r:1: expected one of -A and -a\n"},
    {"an unknown option", "-A -t 10.0.0.2:443 --foo\n", 1,
     "r:1: '--foo' is not understood, expected " WORDS "\n"},
    {"a dash too few", "-A -+tcp-service 10.0.0.2:443\n", 1,
     "r:1: '-+tcp-service' is not understood, expected " WORDS "\n"},
    {"a word that is no option", "service web\n", 1,
     "r:1: 'service' is not understood, expected " WORDS "\n"},
    {"an option without its argument", "-A -t\n", 1,
     "r:1: -t: expected an argument\n"},
    {"an argument too many", "-A --ipip=yes -t 10.0.0.2:443\n", 1,
     "r:1: --ipip: expected no argument\n"},
    {"an option twice", "-A -t 10.0.0.2:443 -t 10.0.0.2:444\n", 1,
     "r:1: -t: expected only once\n"},
    {"two protocols", "-A -t 10.0.0.2:443 -u 10.0.0.2:443\n", 1,
     "r:1: expected only one of -t, -u and --sctp-service\n"},
    {"no protocol", "-A -s mh\n", 1,
     "r:1: no service, expected -t, -u or --sctp-service\n"},

    {"a name for an address", "-A -t www.example.com:443 -s mh\n", 1,
     "r:1: 'www.example.com:443' " ENDPOINT "\n"},
    {"a name for a port", "-A -t 10.0.0.2:https -s mh\n", 1,
     "r:1: '10.0.0.2:https' " ENDPOINT "\n"},
    {"a port over 65535", "-A -t 10.0.0.2:65536 -s mh\n", 1,
     "r:1: '10.0.0.2:65536' " ENDPOINT "\n"},
    {"an address over 255", "-A -t 10.0.0.256:80 -s mh\n", 1,
     "r:1: '10.0.0.256:80' " ENDPOINT "\n"},
    {"IPv6 without brackets", "-A -t 2001:db8::1:80 -s mh\n", 1,
     "r:1: '2001:db8::1:80' " ENDPOINT "\n"},
    {"IPv4 in brackets", "-A -t [10.0.0.2]:80 -s mh\n", 1,
     "r:1: '[10.0.0.2]:80' " ENDPOINT "\n"},
    {"IPv4-mapped, which would be the IPv4 address again",
     "-A -t [::ffff:10.0.0.2]:80 -s mh\n", 1,
     "r:1: '[::ffff:10.0.0.2]:80' " ENDPOINT "\n"},
    {"multicast", "-A -t 224.0.0.1:80 -s mh\n", 1,
     "r:1: '224.0.0.1:80' cannot be the address of a service\n"},

    {"a service twice", SERVICE SERVICE, 1,
     "r:2: this service is there already, since line 1\n"},
    {"the same port of two protocols is two services",
     SERVICE "-A -u 10.0.0.2:443 -s mh\n", 0, ""},
    {"a server twice",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n"
             "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -i\n",
     1, "r:3: this real server is there already, since line 2\n"},
    {"a server without its service",
     SERVICE "-a -t 10.0.0.2:80 -r 10.0.0.6 -i\n", 1,
     "r:2: there is no such service, expected its -A on a line before\n"},
    {"a server before its service",
     "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n" SERVICE, 1,
     "r:1: there is no such service, expected its -A on a line before\n"},
    {"no server", SERVICE "-a -t 10.0.0.2:443 -i\n", 1,
     "r:2: no real server, expected -r\n"},
    {"a server by name", SERVICE "-a -t 10.0.0.2:443 -r web1 -i\n", 1,
     "r:2: 'web1' is no real server, expected IPv4, IPv4:PORT, [IPv6] or "
     "[IPv6]:PORT in numbers\n"},
    {"a real server of IPv6 without brackets",
     "-A -t 10.0.0.2:443 -s mh\n-a -t 10.0.0.2:443 -r 2001:db8::6 -i\n", 1,
     "r:2: '2001:db8::6' is no real server, expected IPv4, IPv4:PORT, [IPv6] "
     "or [IPv6]:PORT in numbers\n"},
    {"a server nobody is", SERVICE "-a -t 10.0.0.2:443 -r 127.0.0.1 -i\n", 1,
     "r:2: '127.0.0.1' cannot be the address of a real server\n"},
    {"another port than the service's, which a tunnel cannot change",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6:8443 -i\n", 0,
     "r:2: warning: port 8443 of the real server is ignored, as in IPVS: the "
     "packet in the tunnel keeps port 443\n"},
    {"a weight over 65535",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w 65536\n", 1,
     "r:2: '65536' is no weight, expected 0 to 65535\n"},
    {"a weight below 0", SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w -1\n", 1,
     "r:2: '-1' is no weight, expected 0 to 65535\n"},
    {"options of a server for a service",
     "-A -t 10.0.0.2:443 -s mh -r 10.0.0.6\n", 1,
     "r:1: -A: expected no options of a real server\n"},
    {"options of a service for a server",
     SERVICE "-a -t 10.0.0.2:443 -r 10.0.0.6 -i -s mh\n", 1,
     "r:2: -a: expected no options of a service\n"},
    {"a service with a mistake is still one for its servers",
     "-A -t 10.0.0.2:443 -s mh -M 1.1.1.1\n"
     "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n",
     1, "r:1: -M: expected together with -p\n"},
    {"all mistakes are told",
     "-A -t 10.0.0.2:x\n-E\n-a -t 10.0.0.2:443 -r 10.0.0.6 -x 1\n", 3,
     "r:1: '10.0.0.2:x' " ENDPOINT "\nr:2: -E: " SAVED "\n"
     "r:3: -x: connections are not counted, so they cannot be limited\n"},
};

static void each_row_says_what_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct rules rules;
        char *said = NULL;
        print_message("  %s\n", rows[i].name);
        const unsigned errors =
            read_text(rows[i].text, strlen(rows[i].text), &rules, &said);
        assert_string_equal(said, rows[i].said);
        assert_int_equal(errors, rows[i].errors);
        rules_free(&rules);
        free(said);
    }
}

static void every_field_arrives(void **state)
{
    static const char text[] =
        "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.6:443 -i -w 7 --tun-type ipip\n"
        "-a -t 10.0.0.2:443 -r [2001:db8::6] -i\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.7:443 -i -w 1 --tun-type gue --tun-port "
        "6081 --tun-csum\n"
        "-a -t 10.0.0.2:443 -r 10.0.0.8:443 -i -w 1 --tun-type gre "
        "--tun-nocsum\n"
        "-A -u [2001:db8::1]:53 -s sh -p 60 -M 56\n"
        "-A --sctp-service 10.0.0.3:0 -s rr -p 300 -M 255.255.254.0\n"
        "-A -t 10.0.0.2:80 -s mh\n"
        "-A -t 10.0.0.2:81 -s rr\n"
        "-a -t 10.0.0.2:81 -r 10.0.0.6:8081 -m\n"
        "-a -t 10.0.0.2:81 -r 10.0.0.7 -m\n";
    struct rules r;
    char *said = NULL;
    uint8_t addr[16];
    (void)state;
    assert_int_equal(read_text(text, strlen(text), &r, &said), 0);
    assert_int_equal(r.services, 5);

    assert_true(args_addr("10.0.0.2", addr));
    assert_memory_equal(r.service[0].addr, addr, 16);
    assert_int_equal(r.service[0].port, 443);
    assert_int_equal(r.service[0].proto, 6);
    assert_int_equal(r.service[0].prefix, 32);
    assert_true(r.service[0].by_port);
    assert_int_equal(r.service[0].line, 1);
    assert_int_equal(r.service[0].servers, 4);
    assert_true(args_addr("10.0.0.6", addr));
    assert_memory_equal(r.service[0].server[0].addr, addr, 16);
    assert_int_equal(r.service[0].server[0].weight, 7);
    assert_int_equal(r.service[0].server[0].line, 2);
    assert_true(args_addr("2001:db8::6", addr));
    assert_memory_equal(r.service[0].server[1].addr, addr, 16);
    assert_int_equal(r.service[0].server[1].weight, 1); /* ipvsadm's default */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(r.service[0].server[i].forward, LB_TUNNEL);
        assert_int_equal(r.service[0].server[i].kind, TMTU_ENCAP_IPIP);
        assert_false(r.service[0].server[i].csum);
        assert_int_equal(r.service[0].server[i].port, 0);
    }
    assert_int_equal(r.service[0].server[2].kind, TMTU_ENCAP_GUE);
    assert_true(r.service[0].server[2].csum);
    assert_int_equal(r.service[0].server[2].port, 6081);
    assert_int_equal(r.service[0].server[3].kind, TMTU_ENCAP_GRE);
    assert_false(r.service[0].server[3].csum);

    assert_int_equal(r.service[1].proto, 17);
    assert_int_equal(r.service[1].port, 53);
    assert_int_equal(r.service[1].prefix, 56);
    assert_false(r.service[1].by_port);
    assert_int_equal(r.service[2].proto, 132);
    assert_int_equal(r.service[2].port, 0);
    assert_int_equal(r.service[2].prefix, 23);
    assert_false(r.service[2].by_port); /* persistence: by address */
    assert_false(r.service[3].by_port); /* mh without mh-port: by address */
    assert_true(r.service[4].by_port);  /* others: each flow on its own */
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(r.service[4].server[i].forward, LB_NAT);
    assert_int_equal(r.service[4].server[0].port, 8081);
    assert_int_equal(r.service[4].server[1].port, 81);
    rules_free(&r);
    free(said);
}

static void what_carries_packets_to_a_server(void **state)
{
    static const char text[] = "-A -t 10.0.0.2:443 -s mh\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.7 -g\n"
                               "-a -t 10.0.0.2:443 -r 10.0.0.8\n";
    static const uint8_t ways[] = {LB_TUNNEL, LB_DIRECT, LB_DIRECT};
    struct rules r;
    char *said = NULL;
    (void)state;
    assert_int_equal(read_text(text, strlen(text), &r, &said), 0);
    assert_int_equal(r.service[0].servers, TEST_ROWS(ways));
    for (size_t i = 0; i < TEST_ROWS(ways); i++)
        assert_int_equal(r.service[0].server[i].forward, ways[i]);
    rules_free(&r);
    free(said);
}

static void what_cannot_be_read_says_why(void **state)
{
    struct rules r;
    char *said = NULL;
    size_t n = 0;
    FILE *in = fopen(".", "r");
    FILE *say = open_memstream(&said, &n);
    (void)state;
    assert_non_null(in);
    assert_non_null(say);
    assert_int_equal(rules_read(&r, in, "r", say), 1);
    fclose(say);
    fclose(in);
    assert_string_equal(said, "r:0: cannot be read: Is a directory\n");
    rules_free(&r);
    free(said);
}

static void netmasks_and_weights_up_to_their_ends(void **state)
{
    static const char text[] =
        "-A -t 10.0.0.2:1 -s mh -p 1 -M 128.0.0.0\n"
        "-A -t 10.0.0.2:2 -s mh -p 2678400 -M 255.255.255.254\n"
        "-A -t 10.0.0.2:3 -s mh -p -M 255.255.255.255\n"
        "-A -t [2001:db8::1]:4 -s mh -p -M 1\n"
        "-A -t [2001:db8::1]:5 -s mh -p -M 128\n"
        "-A -t [2001:db8::1]:65535 -s mh\n"
        "-a -t [2001:db8::1]:65535 -r 10.0.0.6 -i -w 0\n"
        "-a -t [2001:db8::1]:65535 -r 10.0.0.7 -i -w 65535\n";
    static const uint8_t prefixes[] = {1, 31, 32, 1, 128, 128};
    struct rules r;
    char *said = NULL;
    (void)state;
    assert_int_equal(read_text(text, strlen(text), &r, &said), 0);
    assert_int_equal(r.services, TEST_ROWS(prefixes));
    for (size_t i = 0; i < TEST_ROWS(prefixes); i++)
        assert_int_equal(r.service[i].prefix, prefixes[i]);
    assert_int_equal(r.service[5].server[0].weight, 0);
    assert_int_equal(r.service[5].server[1].weight, 65535);
    rules_free(&r);
    free(said);
}

static void numbers_keys_and_addresses_as_words(void **state)
{
    static const char *const no_number[] = {
        "",    "-1",         "+1",
        " 1",  "1 ",         "1x",
        "0x1", "4294967296", "99999999999999999999999",
        "101",
    };
    static const char *const no_key[] = {
        "",
        "00",
        "000102030405060708090a0b0c0d0e0",
        "000102030405060708090a0b0c0d0e0f0",
        "000102030405060708090a0b0c0d0e0g",
        "g00102030405060708090a0b0c0d0e0f",
    };
    struct tmtu_hash_key key = {5, 6};
    struct args_addrs list = {NULL, 0};
    uint8_t v4[16], v6[16];
    char text[ARGS_ADDR], endpoint[ARGS_ENDPOINT];
    uint32_t n = 7;
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(no_number); i++)
        assert_false(args_number(no_number[i], 0, 100, &n));
    assert_false(args_number("9", 10, 100, &n));
    assert_int_equal(n, 7); /* as it was */
    assert_true(args_number("4294967295", 0, 0xffffffff, &n));
    assert_int_equal(n, 0xffffffff);
    assert_true(args_number("0010", 10, 10, &n));

    for (size_t i = 0; i < TEST_ROWS(no_key); i++)
        assert_false(args_key(no_key[i], &key));
    assert_int_equal(key.k0, 5);
    assert_true(args_key("000102030405060708090A0b0c0d0e0f", &key));
    assert_true(key.k0 == UINT64_C(0x0706050403020100));
    assert_true(key.k1 == UINT64_C(0x0f0e0d0c0b0a0908));

    assert_true(args_addr("10.0.0.2", v4));
    assert_true(args_addr("2001:db8::2", v6));
    assert_string_equal(args_addr_text(v4, text), "10.0.0.2");
    assert_string_equal(args_addr_text(v6, text), "2001:db8::2");
    assert_string_equal(args_endpoint_text(v4, 80, endpoint), "10.0.0.2:80");
    assert_string_equal(args_endpoint_text(v6, 80, endpoint),
                        "[2001:db8::2]:80");

    assert_false(args_addrs_has(&list, v4));
    assert_false(args_addrs_family(&list, 4));
    assert_true(args_addrs_add(&list, v4));
    assert_true(args_addrs_has(&list, v4));
    assert_false(args_addrs_has(&list, v6));
    assert_true(args_addrs_family(&list, 4));
    assert_false(args_addrs_family(&list, 6));
    assert_true(args_addrs_add(&list, v6));
    assert_true(args_addrs_has(&list, v4));
    assert_true(args_addrs_has(&list, v6));
    assert_true(args_addrs_family(&list, 6));
    free(list.addr);
}

static void a_zero_byte_is_no_end_of_line(void **state)
{
    static const char text[] = "-A -t 10.0.0.2:443 -s mh\0 -p\n";
    struct rules r;
    char *said = NULL;
    (void)state;
    assert_int_equal(read_text(text, sizeof text - 1, &r, &said), 1);
    assert_string_equal(said, "r:1: a zero byte, expected text\n");
    rules_free(&r);
    free(said);
}

/* Whatever the bytes, all that is accepted is a service. */
static void every_cut_and_every_byte_is_survived(void **state)
{
    static const char text[] =
        "-A -t [2001:db8::1]:53 -s mh -b mh-port -p 60 -M 56\n"
        "-a -t [2001:db8::1]:53 -r [2001:db8::6]:53 -i -w 1 --tun-type gue "
        "--tun-port 6080 --tun-csum\n";
    (void)state;
    for (size_t n = 1; n < sizeof text; n++) {
        struct rules r;
        char *said = NULL;
        const unsigned errors = read_text(text, n, &r, &said);
        assert_true(errors > 0 || r.services == 1);
        rules_free(&r);
        free(said);
        for (unsigned c = 0; c < 256; c += 7) {
            char changed[sizeof text];
            memcpy(changed, text, sizeof text);
            changed[n - 1] = (char)c;
            said = NULL;
            (void)read_text(changed, sizeof text - 1, &r, &said);
            rules_free(&r);
            free(said);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_says_what_it_should),
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(what_carries_packets_to_a_server),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(netmasks_and_weights_up_to_their_ends),
        cmocka_unit_test(numbers_keys_and_addresses_as_words),
        cmocka_unit_test(a_zero_byte_is_no_end_of_line),
        cmocka_unit_test(every_cut_and_every_byte_is_survived),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Writes a capture of all that the library builds, for others to judge: every
 * tunnel, family and flag, tunnels in tunnels, ICMP errors, fragments, clamped
 * SYNs. The same seed gives the same capture.
 *     emit OUT.pcap COUNT [SEED] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tunmtu/cksum.h>
#include <tunmtu/frag.h>
#include <tunmtu/io.h>
#include <tunmtu/mss.h>
#include <tunmtu/tunnel.h>

enum { HEADROOM = 512, ROOM = 4096, TAILROOM = 8 };

static uint64_t state;
static uint32_t serial; /* no two packets with the same identification */
static struct tmtu_io *io;
static unsigned long sent;

static void must(int truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "emit: %s\n", what);
    exit(1);
}

/* splitmix64, below n */
static uint32_t any(uint32_t n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

static struct tmtu_pkt parsed(const struct tmtu_buf *b)
{
    struct tmtu_pkt pkt;
    must(tmtu_ip_parse(tmtu_buf_view(b), TMTU_IP_VERIFY, &pkt) == 0,
         "what was built does not parse");
    return pkt;
}

static void emit(const struct tmtu_buf *b)
{
    struct tmtu_io_packet p = {.buf = *b, .time = sent * 1000000u};
    must(tmtu_io_send(io, &p, 1) == 1, io->why);
    sent++;
}

/* An address of one of 200 hosts; `net` keeps the roles apart. */
static void host(uint8_t addr[16], int v4, uint8_t net)
{
    const uint8_t ip4[4] = {198, 18, net, (uint8_t)(1 + any(200))};
    if (v4) {
        tmtu_addr_set4(addr, ip4);
    } else {
        memset(addr, 0, 16);
        tmtu_put32(addr, 0x20010db8);
        addr[5] = net;
        addr[15] = ip4[3];
    }
}

/* IP header, and options or extension headers with one packet in eight;
 * returns the length of it. */
static size_t make_ip(uint8_t *p, int v4, uint8_t proto, size_t l4)
{
    static const uint8_t ext[8] = {0, 0, 1, 4}; /* PadN */
    const size_t more = any(8) == 0 ? (v4 ? 4 * (1 + any(10)) : 8) : 0;
    uint8_t src[16], dst[16];
    host(src, v4, 1);
    host(dst, v4, 2);
    if (v4) {
        const uint32_t df = any(2) ? 0x4000 : 0;
        memset(p + 20, 1, more); /* NOP */
        tmtu_put32(p, (uint32_t)(0x45 + more / 4) << 24 | any(256) << 16 |
                          (uint32_t)(20 + more + l4));
        tmtu_put32(p + 4, (++serial & 0xffff) << 16 | df);
        tmtu_put32(p + 8, (2 + any(254)) << 24 | (uint32_t)proto << 16);
        memcpy(p + 12, src + 12, 4);
        memcpy(p + 16, dst + 12, 4);
        tmtu_put16(p + 10, tmtu_cksum_finish(tmtu_cksum_add(0, p, 20 + more)));
        return 20 + more;
    }
    tmtu_put32(p, 6u << 28 | any(1u << 28));
    tmtu_put16(p + 4, (uint16_t)(more + l4));
    p[6] = more == 0 ? proto : any(2) ? 0 : 60;
    p[7] = (uint8_t)(2 + any(254));
    memcpy(p + 8, src, 16);
    memcpy(p + 24, dst, 16);
    memcpy(p + 40, ext, more);
    if (more != 0)
        p[40] = proto;
    return 40 + more;
}

/* TCP options of a SYN: an MSS at any offset, or none. */
static size_t make_options(uint8_t *p)
{
    static const uint8_t kinds[][4] = {
        {1}, {3, 3, 7}, {4, 2}, {2, 4, 0x05, 0xb4}};
    size_t n = 0;
    for (uint32_t i = any(6); i > 0; i--) {
        const uint8_t *opt = kinds[any(4)];
        const size_t len = opt[0] == 1 ? 1 : opt[1];
        memcpy(p + n, opt, len);
        n += len;
    }
    while (n % 4 != 0)
        p[n++] = 0;
    return n;
}

/* A packet with TCP, UDP or an echo request, checksums right. */
static void make(struct tmtu_buf *b, int v4, int syn)
{
    static const uint8_t protos4[] = {6, 17, 1}, protos6[] = {6, 17, 58};
    const uint8_t proto = syn ? 6 : (v4 ? protos4 : protos6)[any(3)];
    uint8_t l4[1600] = {0};
    size_t n = proto == 6 ? 20 : 8;
    tmtu_put16(l4, (uint16_t)(61000 + any(999)));
    tmtu_put16(l4 + 2, (uint16_t)(62000 + any(999)));
    if (proto == 6) {
        tmtu_put32(l4 + 4, any(0xffffffff));
        n += syn ? make_options(l4 + 20) : 0;
        tmtu_put16(l4 + 12, (uint16_t)(n / 4 << 12 | (syn ? 0x02 : 0x10)));
        tmtu_put16(l4 + 14, 0xffff);
    } else if (proto != 17) {
        tmtu_put32(l4, proto == 1 ? 8u << 24 : 128u << 24);
        tmtu_put32(l4 + 4, any(0xffffffff));
    }
    const size_t head = n; /* then nothing that a dissector takes for its own */
    for (size_t end = n + (syn ? 0 : any(any(3) ? 200 : 1450)); n < end; n++)
        l4[n] = n < head + 16 ? 'U' : (uint8_t)any(256);
    if (proto == 17)
        tmtu_put16(l4 + 4, (uint16_t)n);
    const size_t ip = make_ip(b->data, v4, proto, n);
    memcpy(b->data + ip, l4, n);
    b->tail = b->data + ip + n;
    const struct tmtu_pkt pkt = parsed(b);
    must(tmtu_ip_transport_fill(b, &pkt) == 0, "no checksum");
}

/* Any tunnel that tmtu_tunnel_check accepts. */
static void tunnel(struct tmtu_buf *b)
{
    const uint8_t kind = (uint8_t)any(TMTU_ENCAP_KINDS);
    struct tmtu_tunnel t;
    do {
        const int v4 = any(2) != 0;
        t = (struct tmtu_tunnel)TMTU_TUNNEL_INIT;
        host(t.encap.src, v4, 3);
        host(t.encap.dst, v4, 4);
        t.encap.kind = kind;
        t.encap.flags = (uint8_t)any(32);
        t.encap.df = (uint8_t)any(3);
        t.encap.ecn = (uint8_t)any(3);
        t.encap.dscp = (uint8_t)(any(2) ? TMTU_DSCP_COPY : any(64));
        t.encap.ttl = (uint8_t)(any(4) ? 64 : 0);
        t.encap.key = any(0xffffffff);
        t.mtu.path_mtu = 65535;
        t.host = (uint8_t)any(2);
    } while (tmtu_tunnel_check(&t) < 0);
    struct tmtu_pkt pkt = parsed(b);
    if (pkt.ttl < 2)
        return;
    const struct tmtu_encap_each each = {++serial, any(0xffffffff)};
    must(tmtu_tunnel_push(b, &pkt, &t, &each) == 0, "does not go in");
}

/* Becomes an error about itself, if there may be one: in place, or a copy. */
static void error(struct tmtu_buf *b)
{
    static const uint8_t codes4[] = {0, 1, 2, 3, 9, 10, 13};
    static const uint8_t codes6[] = {0, 1, 3, 4, 5, 6};
    static uint8_t copy[ROOM];
    struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
    const struct tmtu_pkt pkt = parsed(b);
    const int v4 = pkt.flow.ipver == 4;
    const uint32_t floor = v4 ? 68 : 1280;
    e.kind = (uint8_t)(TMTU_ICMP_UNREACH + any(4));
    if (pkt.len > floor && any(2))
        e.kind = TMTU_ICMP_TOO_BIG;
    if (e.kind == TMTU_ICMP_TOO_BIG) {
        if (pkt.len <= floor)
            return;
        e.info = floor + any(pkt.len - floor);
    } else if (e.kind == TMTU_ICMP_UNREACH) {
        e.code = v4 ? codes4[any(sizeof codes4)] : codes6[any(sizeof codes6)];
    } else if (e.kind == TMTU_ICMP_PARAM) {
        e.info = any(v4 ? 20 : 40);
    }
    e.id = (uint16_t)++serial;
    e.tos = (uint8_t)any(2);
    if (any(2))
        host(e.src, v4, 5);
    if (tmtu_icmp_may_send(&pkt, &e) != TMTU_OK)
        return;
    if (any(2)) {
        must(tmtu_icmp_wrap(b, &pkt, &e) == 0, "no error in place");
    } else {
        struct tmtu_buf to = tmtu_buf(copy, sizeof copy, HEADROOM);
        must(tmtu_icmp_build(&to, &pkt, &e) == 0, "no error as a copy");
        *b = to;
    }
}

/* Writes the packet in fragments no longer than mtu. */
static void fragments(const struct tmtu_buf *b, uint32_t mtu)
{
    static uint8_t mem[ROOM];
    struct tmtu_pkt pkt = parsed(b);
    struct tmtu_frag f;
    must(tmtu_frag_init(&f, &pkt, mtu, ++serial, TMTU_FRAG_FORCE) == 0,
         "cannot be cut");
    for (;;) {
        struct tmtu_buf out = tmtu_buf(mem, sizeof mem, 0);
        const int rc = tmtu_frag_next(&f, &out);
        must(rc >= 0, "a fragment does not fit");
        if (rc == 0)
            break;
        emit(&out);
    }
}

static void one(void)
{
    static uint8_t mem[ROOM];
    struct tmtu_buf b = tmtu_buf(mem, sizeof mem, HEADROOM);
    const int syn = any(10) == 0, v4 = any(2) != 0;
    make(&b, v4, syn);
    if (syn) {
        struct tmtu_pkt pkt = parsed(&b);
        const uint16_t mss = (uint16_t)(536 + any(1000));
        must(tmtu_mss_clamp(&b, &pkt, mss, any(2)) >= 0, "SYN not clamped");
    }
    for (uint32_t i = any(8) == 0 ? 0 : 1 + (any(6) == 0); i > 0; i--)
        tunnel(&b);
    if (any(8) == 0) {
        error(&b);
        if (any(4) == 0)
            tunnel(&b);
    }
    if (tmtu_buf_len(&b) > 1500 || any(12) == 0)
        fragments(&b, 576 + any(900));
    else
        emit(&b);
}

int main(int argc, char **argv)
{
    char why[TMTU_IO_WHY];
    if (argc < 3) {
        fprintf(stderr, "usage: %s OUT.pcap COUNT [SEED]\n", argv[0]);
        return 2;
    }
    const unsigned long count = strtoul(argv[2], NULL, 10);
    state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    io = tmtu_io_pcap(NULL, argv[1], why);
    must(io != NULL, why);
    while (sent < count)
        one();
    must(tmtu_io_close(io) == 0, "the capture could not be written");
    printf("%lu packets\n", sent);
    return 0;
}

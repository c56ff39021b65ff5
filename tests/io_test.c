/* SPDX-License-Identifier: MIT */
/* libtunmtu-io where it needs no privileges: memory, captures, bad wishes. */
#define _GNU_SOURCE
#include "tmtu_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tunmtu/io.h>

#define IN  "io_test.in.pcap"
#define OUT "io_test.out.pcap"

/* 10.0.0.1 > 10.0.0.2, and the same of the other family; no more than that. */
#define IP4 "4500 0014 0001 0000 40fd 66d3 0a000001 0a000002"
#define IP6                                                                    \
    "6000 0000 0000 3b40 fd00 0000 0000 0000 0000 0000 0000 0001"              \
    "fd00 0000 0000 0000 0000 0000 0000 0002"

/* A file that is being made. */
struct file {
    uint8_t bytes[65536];
    size_t n;
};

static void put32(struct file *f, uint32_t v) /* little-endian */
{
    for (int i = 0; i < 4; i++, v >>= 8)
        f->bytes[f->n++] = (uint8_t)v;
}

static void put_hex(struct file *f, const char *hex)
{
    f->n += test_hex(hex, f->bytes + f->n, sizeof f->bytes - f->n);
}

static const uint32_t usec = 0xa1b2c3d4, nsec = 0xa1b23c4d;

static void start(struct file *f, uint32_t magic, uint32_t linktype)
{
    f->n = 0;
    put32(f, magic);
    put32(f, 4u << 16 | 2u); /* version 2.4 */
    put32(f, 0);
    put32(f, 0);
    put32(f, 262144);
    put32(f, linktype);
}

/* A record at 1.000000002 (in the file's units); `missing` bytes were cut. */
static void record(struct file *f, const char *hex, uint32_t missing)
{
    put32(f, 1);
    put32(f, 2);
    const size_t at = f->n;
    f->n += 8;
    put_hex(f, hex);
    const uint32_t n = (uint32_t)(f->n - at - 8);
    f->n = at;
    put32(f, n);
    put32(f, n + missing);
    f->n += n;
}

static void save(const struct file *f, size_t n)
{
    FILE *out = fopen(IN, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f->bytes, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
}

static void load(struct file *f, const char *name)
{
    FILE *in = fopen(name, "rb");
    assert_non_null(in);
    f->n = fread(f->bytes, 1, sizeof f->bytes, in);
    assert_int_equal(fclose(in), 0);
}

/* A burst, each in memory that is exactly as long as it says. */
struct burst {
    struct tmtu_io_packet pkts[TMTU_IO_BURST];
};

static void burst_init(struct burst *b, size_t room)
{
    memset(b, 0, sizeof *b);
    for (unsigned i = 0; i < TMTU_IO_BURST; i++) {
        const size_t n = TMTU_IO_HEADROOM + room;
        b->pkts[i].buf = tmtu_buf(test_exact(NULL, n), n, 0);
    }
}

static void burst_free(struct burst *b)
{
    for (unsigned i = 0; i < TMTU_IO_BURST; i++)
        free(b->pkts[i].buf.head);
}

static void assert_packet(const struct tmtu_io_packet *pkt, const char *hex)
{
    uint8_t want[256];
    const size_t n = test_hex(hex, want, sizeof want);
    assert_int_equal(tmtu_buf_headroom(&pkt->buf), TMTU_IO_HEADROOM);
    assert_int_equal(tmtu_buf_len(&pkt->buf), n);
    assert_memory_equal(pkt->buf.data, want, n);
}

static struct tmtu_io *open_ok(const char *in, const char *out)
{
    char why[TMTU_IO_WHY] = "";
    struct tmtu_io *io = tmtu_io_pcap(in, out, why);
    if (io == NULL)
        fail_msg("%s", why);
    assert_string_equal(why, "");
    return io;
}

static void memory_gives_what_it_was_fed(void **state)
{
    struct tmtu_io *io = tmtu_io_memory(1500);
    struct burst b;
    (void)state;
    burst_init(&b, 20);
    assert_non_null(io);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), 0);
    for (uint8_t i = 0; i < 70; i++) {
        const uint8_t pkt[21] = {i};
        assert_int_equal(
            tmtu_io_memory_feed(io, pkt, i == 69 ? 21 : 20, 1000u + i), 0);
    }
    assert_int_equal(tmtu_io_recv(io, b.pkts, 1000), TMTU_IO_BURST);
    for (unsigned i = 0; i < TMTU_IO_BURST; i++) {
        assert_int_equal(tmtu_buf_headroom(&b.pkts[i].buf), TMTU_IO_HEADROOM);
        assert_int_equal(tmtu_buf_len(&b.pkts[i].buf), 20);
        assert_int_equal(b.pkts[i].buf.data[0], i);
        assert_int_equal(b.pkts[i].time, 1000 + i);
        assert_int_equal(b.pkts[i].flags, 0);
    }
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), 6);
    assert_int_equal(tmtu_buf_len(&b.pkts[5].buf), 20);
    assert_int_equal(b.pkts[5].flags, TMTU_IO_CUT);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), 0);
    assert_int_equal(io->received, 70);
    assert_int_equal(tmtu_io_memory_feed(io, b.pkts[0].buf.data, 20, 0), 0);
    assert_int_equal(tmtu_io_close(io), 0); /* the last one is given back */
    burst_free(&b);
}

static void memory_keeps_what_was_sent_up_to_its_mtu(void **state)
{
    struct tmtu_io *io = tmtu_io_memory(20);
    struct burst b, got;
    (void)state;
    burst_init(&b, 64);
    burst_init(&got, 64);
    assert_non_null(io);
    for (unsigned i = 0; i < 3; i++) {
        b.pkts[i].buf.data = b.pkts[i].buf.head + 30;
        b.pkts[i].buf.tail = b.pkts[i].buf.data + (i == 1 ? 21 : 20);
        b.pkts[i].buf.data[0] = (uint8_t)(0x45 + i);
        b.pkts[i].time = 7 + i;
    }
    assert_int_equal(tmtu_io_send(io, b.pkts, 3), 3);
    assert_int_equal(io->sent, 2);
    assert_int_equal(io->send_errors, 1);
    assert_int_equal(tmtu_io_memory_take(io, got.pkts), 1);
    assert_int_equal(got.pkts[0].buf.data[0], 0x45);
    assert_int_equal(got.pkts[0].time, 7);
    assert_int_equal(tmtu_io_memory_take(io, got.pkts), 1);
    assert_int_equal(got.pkts[0].buf.data[0], 0x47);
    assert_int_equal(tmtu_buf_headroom(&got.pkts[0].buf), TMTU_IO_HEADROOM);
    assert_int_equal(tmtu_io_memory_take(io, got.pkts), 0);
    assert_int_equal(tmtu_io_close(io), 0);
    burst_free(&b);
    burst_free(&got);
}

static const uint8_t nowhere[16],
    hop[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9};

static void what_is_received_goes_where_its_header_says(void **state)
{
    struct file f;
    struct burst b;
    (void)state;
    burst_init(&b, 64);
    memset(b.pkts[0].via, 0xa5, 16);
    struct tmtu_io *io = tmtu_io_memory(1500);
    assert_non_null(io);
    f.n = test_hex(IP4, f.bytes, sizeof f.bytes);
    assert_int_equal(tmtu_io_memory_feed(io, f.bytes, f.n, 1), 0);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 1), 1);
    assert_memory_equal(b.pkts[0].via, nowhere, 16);
    assert_int_equal(tmtu_io_close(io), 0);

    memset(b.pkts[0].via, 0xa5, 16);
    start(&f, nsec, 101);
    record(&f, IP4, 0);
    save(&f, f.n);
    io = open_ok(IN, NULL);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 1), 1);
    assert_memory_equal(b.pkts[0].via, nowhere, 16);
    assert_int_equal(tmtu_io_close(io), 0);
    burst_free(&b);
}

/* A TCP super-packet of `payload` bytes, 10.0.0.1 > 10.0.0.2; CWR is set. */
static void super_packet(struct tmtu_io_packet *pkt, unsigned payload,
                         uint16_t gso_size)
{
    const size_t n = 40 + payload;
    struct tmtu_buf *b = &pkt->buf;
    *b = tmtu_buf(b->head, (size_t)(b->end - b->head), 30);
    uint8_t *p = tmtu_buf_put(b, n);
    assert_non_null(p);
    (void)test_hex(IP4, p, 20);
    tmtu_put16(p + 2, (uint16_t)n);
    p[9] = 6;
    tmtu_put16(p + 10, 0);
    tmtu_put16(p + 10, test_cksum(p, 20));
    memset(p + 20, 0, 20);
    p[32] = 0x50;
    p[33] = 0x90;
    for (size_t i = 40; i < n; i++)
        p[i] = (uint8_t)(i * 7 + i / 251);
    pkt->gso_size = gso_size;
}

static void what_cannot_be_passed_on_is_sent_in_segments(void **state)
{
    struct tmtu_io *io = tmtu_io_memory(1040);
    struct burst b, got;
    (void)state;
    burst_init(&b, 65535);
    burst_init(&got, 1100);
    assert_non_null(io);
    /* A packet, a super-packet of more than one burst, one whose segments are
     * too long, one that says it is none, and a packet. */
    for (unsigned i = 0; i < 5; i++)
        super_packet(&b.pkts[i], 1000, 0);
    super_packet(&b.pkts[1], 64500, 1000);
    b.pkts[1].flags = TMTU_IO_GSO_CWR | TMTU_IO_L2_GROUP;
    b.pkts[1].time = 77;
    super_packet(&b.pkts[2], 3000, 1001);
    super_packet(&b.pkts[3], 3000, 1000);
    b.pkts[3].buf.data[11] ^= 1; /* a wrong checksum stays one */
    b.pkts[4].buf.data[5] = 9;
    assert_int_equal(tmtu_io_send(io, b.pkts, 5), 5);
    assert_int_equal(io->sent, 1 + 65 + 1 + 1); /* the last 998 bytes fit */
    assert_int_equal(io->send_errors, 2 + 1);
    for (unsigned i = 0; i < 68; i++) {
        const struct tmtu_io_packet *p = &got.pkts[0];
        assert_int_equal(tmtu_io_memory_take(io, got.pkts), 1);
        assert_int_equal(p->gso_size, 0);
        assert_int_equal(p->flags, 0);
        assert_int_equal(p->buf.data[33], i == 67 || i < 66 ? 0x90 : 0x10);
        if (i == 0 || i >= 66)
            continue;
        const size_t n = i < 65 ? 1000 : 500, from = 40 + (i - 1) * 1000;
        assert_int_equal(p->time, 77);
        assert_int_equal(tmtu_buf_len(&p->buf), 40 + n);
        assert_int_equal(tmtu_get32(p->buf.data + 24), from - 40);
        assert_memory_equal(p->buf.data + 40, b.pkts[1].buf.data + from, n);
    }
    assert_int_equal(got.pkts[0].buf.data[5], 9);
    assert_int_equal(tmtu_io_memory_take(io, got.pkts), 0);
    assert_int_equal(tmtu_io_close(io), 0);
    burst_free(&b);
    burst_free(&got);
}

static void a_capture_holds_segments(void **state)
{
    struct tmtu_io *io = open_ok(NULL, OUT);
    struct burst b;
    struct file f;
    (void)state;
    burst_init(&b, 65535);
    super_packet(&b.pkts[0], 2500, 1000);
    assert_int_equal(tmtu_io_send(io, b.pkts, 1), 1);
    assert_int_equal(io->sent, 3);
    assert_int_equal(tmtu_io_close(io), 0);
    load(&f, OUT);
    assert_int_equal(f.n, 24 + 3 * (16 + 40) + 2500);
    burst_free(&b);
}

#define MAC   "0200 0000 0001 0200 0000 0002 "
#define GROUP "0100 5e00 0001 0200 0000 0002 "
#define COOKED(type, ethertype)                                                \
    type " 0001 0006 0200 0000 0002 0000 " ethertype " "
#define COOKED2(type, ethertype)                                               \
    ethertype " 0000 0000 0003 0001 " type " 06 0200 0000 0002 0000 "

enum { SKIPPED = -1 };

/* Each row is a capture of one record; what comes out is IP4, IP6, or nothing.
 */
static const struct {
    const char *name;
    uint32_t linktype;
    const char *before, *packet;
    int flags;
} links[] = {
    {"Ethernet, IPv4", 1, MAC "0800", IP4, 0},
    {"Ethernet, IPv6", 1, MAC "86dd", IP6, 0},
    {"Ethernet to a group", 1, GROUP "0800", IP4, TMTU_IO_L2_GROUP},
    {"Ethernet, ARP is not IP", 1, MAC "0806", IP4, SKIPPED},
    {"Ethernet, 802.3 length is not IP", 1, MAC "0014", IP4, SKIPPED},
    {"Ethernet, one 802.1Q tag", 1, MAC "8100 0005 0800", IP4, 0},
    {"802.1ad around 802.1Q", 1, MAC "88a8 0005 8100 0006 86dd", IP6, 0},
    {"old QinQ around 802.1Q", 1, MAC "9100 0005 8100 0006 0800", IP4, 0},
    {"four tags", 1, MAC "8100 0001 8100 0002 8100 0003 8100 0004 0800", IP4,
     0},
    {"five tags are too many", 1,
     MAC "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800", IP4,
     SKIPPED},
    {"a tagged group", 1, GROUP "8100 0005 0800", IP4, TMTU_IO_L2_GROUP},
    {"the tag is cut off", 1, MAC "8100 00", "", SKIPPED},
    {"Ethernet header is cut off", 1, MAC "08", "", SKIPPED},
    {"Ethernet says IPv4 over IPv6", 1, MAC "0800", IP6, SKIPPED},
    {"Ethernet says IPv6 over IPv4", 1, MAC "86dd", IP4, SKIPPED},
    {"no version at all is the parser's affair", 1, MAC "0800", "00", 0},
    {"nor is nothing at all ours", 1, MAC "0800", "", 0},
    {"raw IP, IPv4", 101, "", IP4, 0},
    {"raw IP, IPv6", 101, "", IP6, 0},
    {"raw IP by BSD's own number", 14, "", IP4, 0},
    {"raw IP by Linux' own number", 12, "", IP4, 0},
    {"raw IPv4", 228, "", IP4, 0},
    {"raw IPv4 holding IPv6", 228, "", IP6, SKIPPED},
    {"raw IPv6", 229, "", IP6, 0},
    {"raw IPv6 holding IPv4", 229, "", IP4, SKIPPED},
    {"cooked, to us", 113, COOKED("0000", "0800"), IP4, 0},
    {"cooked, broadcast", 113, COOKED("0001", "0800"), IP4, TMTU_IO_L2_GROUP},
    {"cooked, multicast", 113, COOKED("0002", "86dd"), IP6, TMTU_IO_L2_GROUP},
    {"cooked, outgoing", 113, COOKED("0004", "86dd"), IP6, 0},
    {"cooked, ARP", 113, COOKED("0000", "0806"), IP4, SKIPPED},
    {"cooked, a tag", 113, COOKED("0000", "8100") "0005 0800", IP4, 0},
    {"cooked, cut off", 113, "0000 0001 0006 0200 0000 0002 0000 08", "",
     SKIPPED},
    {"cooked v2, to us", 276, COOKED2("00", "0800"), IP4, 0},
    {"cooked v2, broadcast", 276, COOKED2("01", "86dd"), IP6, TMTU_IO_L2_GROUP},
    {"cooked v2, multicast", 276, COOKED2("02", "0800"), IP4, TMTU_IO_L2_GROUP},
    {"cooked v2, ARP", 276, COOKED2("00", "0806"), IP4, SKIPPED},
    {"cooked v2, cut off", 276, "0800 0000 0000 0003 0001 00", "", SKIPPED},
    {"BSD loopback, IPv4, little-endian", 0, "0200 0000", IP4, 0},
    {"BSD loopback, IPv4, big-endian", 0, "0000 0002", IP4, 0},
    {"BSD loopback, IPv6 of NetBSD", 0, "1800 0000", IP6, 0},
    {"BSD loopback, IPv6 of FreeBSD", 0, "1c00 0000", IP6, 0},
    {"BSD loopback, IPv6 of Darwin", 0, "0000 001e", IP6, 0},
    {"BSD loopback, AppleTalk", 0, "1000 0000", IP4, SKIPPED},
    {"OpenBSD loopback", 108, "0000 0018", IP6, 0},
    {"OpenBSD loopback, cut off", 108, "0000 00", "", SKIPPED},
};

/* Of a super-packet all segments; and not what is sent behind it. */
static void memory_tells_the_next_hop_of_what_was_sent(void **state)
{
    struct tmtu_io *io = tmtu_io_memory(1500);
    struct burst b, got;
    (void)state;
    burst_init(&b, 4000);
    burst_init(&got, 2000);
    assert_non_null(io);
    super_packet(&b.pkts[0], 2500, 1000);
    super_packet(&b.pkts[1], 100, 0);
    memcpy(b.pkts[0].via, hop, 16);
    assert_int_equal(tmtu_io_send(io, b.pkts, 2), 2);
    assert_int_equal(io->sent, 4);
    for (int i = 0; i < 4; i++) {
        memset(got.pkts[0].via, 0xa5, 16);
        assert_int_equal(tmtu_io_memory_take(io, got.pkts), 1);
        assert_memory_equal(got.pkts[0].via, i < 3 ? hop : nowhere, 16);
    }
    assert_int_equal(tmtu_io_memory_take(io, got.pkts), 0);
    assert_int_equal(io->off_link, 0);
    assert_int_equal(tmtu_io_close(io), 0);
    burst_free(&b);
    burst_free(&got);
}

/* A capture shows packets, not links. */
static void a_capture_is_the_same_with_a_next_hop(void **state)
{
    struct file with, without;
    struct burst b;
    (void)state;
    burst_init(&b, 64);
    b.pkts[0].buf = tmtu_buf(b.pkts[0].buf.head, 192, 30);
    (void)test_hex(IP4, tmtu_buf_put(&b.pkts[0].buf, 20), 20);
    for (int i = 0; i < 2; i++) {
        struct tmtu_io *io = open_ok(NULL, OUT);
        memcpy(b.pkts[0].via, i == 0 ? nowhere : hop, 16);
        assert_int_equal(tmtu_io_send(io, b.pkts, 1), 1);
        assert_int_equal(io->sent, 1);
        assert_int_equal(tmtu_io_close(io), 0);
        load(i == 0 ? &without : &with, OUT);
    }
    assert_int_equal(with.n, without.n);
    assert_memory_equal(with.bytes, without.bytes, with.n);
    burst_free(&b);
}

static void captures_give_ip_whatever_the_link(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(links); i++) {
        struct file f;
        struct burst b;
        char hex[512];
        print_message("  %s\n", links[i].name);
        burst_init(&b, 1500);
        snprintf(hex, sizeof hex, "%s %s", links[i].before, links[i].packet);
        start(&f, nsec, links[i].linktype);
        record(&f, hex, 0);
        save(&f, f.n);
        struct tmtu_io *io = open_ok(IN, NULL);
        const int skipped = links[i].flags == SKIPPED;
        assert_int_equal(tmtu_io_recv(io, b.pkts, 64), skipped ? -ENODATA : 1);
        assert_int_equal(io->skipped, skipped);
        assert_int_equal(io->received, !skipped);
        if (!skipped) {
            assert_int_equal(b.pkts[0].flags, links[i].flags);
            assert_packet(&b.pkts[0], links[i].packet);
            assert_int_equal(tmtu_io_recv(io, b.pkts, 64), -ENODATA);
        }
        assert_int_equal(tmtu_io_close(io), 0);
        burst_free(&b);
    }
}

static void a_capture_tells_the_time_in_nanoseconds(void **state)
{
    (void)state;
    for (int micro = 0; micro <= 1; micro++) {
        struct file f;
        struct burst b;
        burst_init(&b, 100);
        start(&f, micro ? usec : nsec, 101);
        record(&f, IP4, 0);
        save(&f, f.n);
        struct tmtu_io *io = open_ok(IN, NULL);
        assert_int_equal(tmtu_io_recv(io, b.pkts, 1), 1);
        assert_int_equal(b.pkts[0].time, micro ? 1000002000 : 1000000002);
        assert_int_equal(tmtu_io_close(io), 0);
        burst_free(&b);
    }
}

static void a_record_that_was_cut_says_so(void **state)
{
    struct file f;
    struct burst b;
    (void)state;
    burst_init(&b, 20);
    start(&f, nsec, 1);
    record(&f, MAC "0800" IP4, 0);
    record(&f, MAC "0800" IP4, 1);   /* by the capture */
    record(&f, GROUP "86dd" IP6, 0); /* by our memory of 20 bytes */
    save(&f, f.n);
    struct tmtu_io *io = open_ok(IN, NULL);
    assert_int_equal(io->mtu, 65535);
    assert_int_equal(io->fd, -1);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), 3);
    assert_int_equal(b.pkts[0].flags, 0);
    assert_int_equal(b.pkts[1].flags, TMTU_IO_CUT);
    assert_packet(&b.pkts[1], IP4);
    assert_int_equal(b.pkts[2].flags, TMTU_IO_CUT | TMTU_IO_L2_GROUP);
    assert_int_equal(tmtu_buf_len(&b.pkts[2].buf), 20);
    assert_int_equal(tmtu_io_close(io), 0);
    burst_free(&b);
}

static void reads_pcapng(void **state)
{
    struct file f = {.n = 0};
    struct burst b;
    (void)state;
    burst_init(&b, 100);
    /* Section header, interface (Ethernet, nanoseconds), one packet. */
    put_hex(&f, "0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffff ffffffff "
                "1c000000");
    put_hex(&f, "01000000 20000000 01000000 00000400 0900 0100 09000000 "
                "00000000 20000000");
    put_hex(&f, "06000000 44000000 00000000 00000000 05000000 22000000 "
                "22000000 " MAC "0800" IP4 "0000 44000000");
    save(&f, f.n);
    struct tmtu_io *io = open_ok(IN, NULL);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), 1);
    assert_packet(&b.pkts[0], IP4);
    assert_int_equal(b.pkts[0].time, 5);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), -ENODATA);
    assert_int_equal(tmtu_io_close(io), 0);
    burst_free(&b);
}

/* Both packets of `f` as they are in a file, cut to every length: first what is
 * whole, then the sentence; and what was sent in between is a whole capture. */
static void
a_capture_that_ends_in_a_packet_gives_the_good_ones_first(void **state)
{
    struct file f, out;
    struct burst b;
    (void)state;
    burst_init(&b, 100);
    start(&f, nsec, 101);
    record(&f, IP4, 0);
    record(&f, IP6, 0);
    for (size_t n = 24; n <= f.n; n++) {
        const int whole = n >= 24 + 36 + 56 ? 2 : n >= 24 + 36;
        const int clean = n == 24 || n == 24 + 36 || n == f.n;
        save(&f, n);
        struct tmtu_io *io = open_ok(IN, OUT);
        if (whole > 0) {
            assert_int_equal(tmtu_io_recv(io, b.pkts, 64), whole);
            assert_int_equal(tmtu_io_send(io, b.pkts, (unsigned)whole), whole);
        }
        for (int again = 0; again < 2; again++) {
            assert_int_equal(tmtu_io_recv(io, b.pkts, 64),
                             clean ? -ENODATA : -EIO);
            assert_non_null(strstr(io->why, IN ": "));
            if (!clean)
                assert_non_null(strstr(io->why, "truncated"));
        }
        assert_int_equal(tmtu_io_close(io), 0);
        load(&out, OUT);
        assert_int_equal(out.n, 24 + (whole > 0) * 36 + (whole > 1) * 56);
        assert_memory_equal(out.bytes, f.bytes, out.n);
    }
    burst_free(&b);
}

static void what_is_sent_is_raw_ip_with_nanoseconds(void **state)
{
    struct file want, got;
    struct burst b;
    (void)state;
    burst_init(&b, 100);
    start(&want, usec, 1);
    record(&want, MAC "0800" IP4, 0);
    record(&want, MAC "86dd" IP6, 0);
    save(&want, want.n);
    struct tmtu_io *io = open_ok(IN, OUT);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), 2);
    b.pkts[1].time = 1000000002;
    b.pkts[0].time = 1000000002;
    assert_int_equal(tmtu_io_send(io, b.pkts, 1), 1);
    load(&got, OUT); /* each burst is there at once */
    assert_int_equal(got.n, 24 + 36);
    assert_int_equal(tmtu_io_send(io, b.pkts + 1, 1), 1);
    assert_int_equal(io->sent, 2);
    assert_int_equal(tmtu_io_close(io), 0);
    start(&want, nsec, 101);
    record(&want, IP4, 0);
    record(&want, IP6, 0);
    load(&got, OUT);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.bytes, want.bytes, want.n);
    burst_free(&b);
}

static void a_full_disk_leaves_whole_packets(void **state)
{
    struct file got;
    struct burst b;
    struct rlimit before, small;
    (void)state;
    burst_init(&b, 1000);
    for (unsigned i = 0; i < TMTU_IO_BURST; i++) {
        b.pkts[i].buf = tmtu_buf(b.pkts[i].buf.head, 1128, 128);
        assert_non_null(tmtu_buf_put(&b.pkts[i].buf, 984));
    }
    struct tmtu_io *io = open_ok(NULL, OUT);
    assert_int_equal(tmtu_io_recv(io, b.pkts, 64), -ENODATA);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    small = before;
    small.rlim_cur = 24 + 10 * 1000 + 500; /* ten records and a half */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(tmtu_io_send(io, b.pkts, 8), 8);
    assert_int_equal(tmtu_io_send(io, b.pkts, 8), -EFBIG);
    assert_non_null(strstr(io->why, OUT ": cannot write: "));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(tmtu_io_send(io, b.pkts, 1), -EFBIG); /* it stays so */
    assert_int_equal(io->sent, 8);
    assert_int_equal(tmtu_io_close(io), -EFBIG);
    load(&got, OUT);
    assert_int_equal(got.n, 24 + 8 * 1000);
    burst_free(&b);
}

static void the_output_may_not_be_the_input(void **state)
{
    struct file f, after;
    char why[TMTU_IO_WHY] = "";
    (void)state;
    start(&f, nsec, 101);
    record(&f, IP4, 0);
    save(&f, f.n);
    assert_null(tmtu_io_pcap(IN, "./" IN, why));
    assert_string_equal(why, "./" IN ": input and output are the same file");
    load(&after, IN);
    assert_int_equal(after.n, f.n);
}

/* Each is refused with this sentence in it; OUT is not even made. */
static const struct {
    const char *spec, *sentence;
} bad[] = {
    {"", "not one of tun:NAME"},
    {"eth0", "eth0: not one of tun:NAME"},
    {"xdp:eth0", "xdp:eth0: not one of tun:NAME"},
    {"tun:", "\"\": not the name of an interface"},
    {"tun:a/b", "\"a/b\": not the name of an interface"},
    {"tun:sixteen-letters-", "not the name of an interface"},
    {"afpacket:", "\"\": not the name of an interface"},
    {"afpacket:eth0:1", "\"eth0:1\": not the name of an interface"},
    {"tun:,gso", "\",gso\": not the name of an interface"},
    {"tun:t0,",
     "\"t0,\": the only options are gso and queues=N, N from 1 to 64"},
    {"afpacket:eth0,gsoo",
     "\"eth0,gsoo\": the only options are gso and queues=N, N from 1 to "
     "64"},
    {"afpacket:nosuch0,gso", "nosuch0: no such interface: No such device"},
    {"afpacket:nosuch0", "nosuch0: no such interface: No such device"},
    {"pcap:", "pcap:: two file names without colons are needed"},
    {"pcap:" IN, "two file names without colons are needed"},
    {"pcap:" IN ":", "two file names without colons are needed"},
    {"pcap::" OUT, "two file names without colons are needed"},
    {"pcap:" IN ":" OUT ":", "two file names without colons are needed"},
    {"pcap:nosuch.pcap:" OUT,
     "nosuch.pcap: cannot open: No such file or directory"},
    {"pcap:/dev/null:" OUT, "/dev/null: not a capture: "},
    {"pcap:" IN ":" OUT, IN ": link type 127 (IEEE802_11_RADIO) cannot be "
                            "read; Ethernet, raw IP, Linux cooked and BSD "
                            "loopback can"},
};

static void refuses_bad_wishes_with_a_sentence(void **state)
{
    struct file f;
    (void)state;
    start(&f, nsec, 127);
    save(&f, f.n);
    (void)unlink(OUT);
    for (size_t i = 0; i < TEST_ROWS(bad); i++) {
        char why[TMTU_IO_WHY] = "";
        print_message("  %s\n", bad[i].spec);
        assert_null(tmtu_io_open(bad[i].spec, why));
        if (strstr(why, bad[i].sentence) == NULL)
            fail_msg("it says: %s", why);
        assert_int_equal(access(OUT, F_OK), -1);
    }
}

static void refuses_an_output_that_cannot_be_written(void **state)
{
    struct file f;
    char why[TMTU_IO_WHY] = "";
    (void)state;
    start(&f, nsec, 101);
    save(&f, f.n);
    assert_null(tmtu_io_open("pcap:" IN ":nosuch/out.pcap", why));
    assert_string_equal(
        why, "nosuch/out.pcap: cannot write: No such file or directory");
    assert_null(tmtu_io_open("pcap:" IN ":/dev/full", why));
    assert_non_null(strstr(why, "/dev/full: cannot write: No space left"));
}

static void opens_what_was_asked_for(void **state)
{
    struct file f;
    char why[TMTU_IO_WHY] = "";
    (void)state;
    start(&f, nsec, 101);
    save(&f, f.n);
    struct tmtu_io *io = tmtu_io_open("pcap:" IN ":" OUT, why);
    assert_non_null(io);
    assert_string_equal(io->ops->name, "pcap");
    assert_int_equal(tmtu_io_wait(io, -1), 0);
    assert_int_equal(tmtu_io_close(io), 0);
    assert_int_equal(tmtu_io_close(NULL), 0);
}

static int clean_up(void **state)
{
    (void)state;
    (void)unlink(IN);
    (void)unlink(OUT);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_gives_what_it_was_fed),
        cmocka_unit_test(memory_keeps_what_was_sent_up_to_its_mtu),
        cmocka_unit_test(what_is_received_goes_where_its_header_says),
        cmocka_unit_test(memory_tells_the_next_hop_of_what_was_sent),
        cmocka_unit_test(a_capture_is_the_same_with_a_next_hop),
        cmocka_unit_test(what_cannot_be_passed_on_is_sent_in_segments),
        cmocka_unit_test(a_capture_holds_segments),
        cmocka_unit_test(captures_give_ip_whatever_the_link),
        cmocka_unit_test(a_capture_tells_the_time_in_nanoseconds),
        cmocka_unit_test(a_record_that_was_cut_says_so),
        cmocka_unit_test(reads_pcapng),
        cmocka_unit_test(
            a_capture_that_ends_in_a_packet_gives_the_good_ones_first),
        cmocka_unit_test(what_is_sent_is_raw_ip_with_nanoseconds),
        cmocka_unit_test(a_full_disk_leaves_whole_packets),
        cmocka_unit_test(the_output_may_not_be_the_input),
        cmocka_unit_test(refuses_bad_wishes_with_a_sentence),
        cmocka_unit_test(refuses_an_output_that_cannot_be_written),
        cmocka_unit_test(opens_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}

/* SPDX-License-Identifier: MIT */
/* Resets, byte for byte, and when none is due. */
#include "lb_packet.h"

#include <tunmtu/reset.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static const struct pk_ip v4 = {.src = "10.0.1.1",
                                .dst = "10.0.0.2",
                                .proto = 6,
                                .tos = 0x4b, /* DSCP 18, CE */
                                .df = 1,
                                .id = 77};
static const struct pk_ip v6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::2", .proto = 6, .tos = 0x4b};

static uint8_t in[2000], mem[TMTU_RESET_MAX];

/* A segment from port 4000 to 443 with these flags, sequence and
 * acknowledgement numbers and so many bytes of data. */
static struct tmtu_pkt segment(const struct pk_ip *ip, uint8_t flags,
                               uint32_t seq, uint32_t ack, size_t data)
{
    static uint8_t tcp[1500];
    struct tmtu_pkt pkt;
    const size_t n = pk_l4(tcp, ip, 4000, 443, data);
    tmtu_put32(tcp + 4, seq);
    tmtu_put32(tcp + 8, ack);
    tcp[13] = flags;
    tmtu_put16(tcp + 16, 0);
    tmtu_put16(tcp + 16, pk_sum(ip, tcp, n));
    const struct tmtu_view v = {in, in + pk_ip(in, ip, tcp, n)};
    assert_int_equal(tmtu_ip_parse(v, 0, &pkt), 0);
    return pkt;
}

static int reset(const struct tmtu_pkt *pkt, struct tmtu_buf *out)
{
    *out = tmtu_buf(mem, sizeof mem, 0);
    return tmtu_reset_build(out, pkt);
}

/* RFC 9293 §3.10.7.1: what the reset of a closed port is. */
static const struct {
    const char *name;
    uint8_t flags;
    size_t data;
    uint8_t reset;
    uint32_t seq, ack;
} rows[] = {
    {"a SYN", SYN, 0, RST | ACK, 0, 0x80000001},
    {"a SYN with data", SYN, 100, RST | ACK, 0, 0x80000065},
    {"a FIN alone", FIN, 3, RST | ACK, 0, 0x80000004},
    {"data alone", 0, 5, RST | ACK, 0, 0x80000005},
    {"an acknowledgement", ACK, 0, RST, 0x12345678, 0},
    {"data and FIN, acknowledging", ACK | FIN, 9, RST, 0x12345678, 0},
    {"a SYN that acknowledges", ACK | SYN, 0, RST, 0x12345678, 0},
};

static void says_no_as_rfc_9293_has_it(void **state)
{
    static const struct pk_ip *const families[] = {&v4, &v6};
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct pk_ip back = {.src = families[f]->dst,
                                   .dst = families[f]->src,
                                   .proto = 6,
                                   .tos = 0x48, /* the DSCP, not ECN */
                                   .df = 1};
        const size_t head = f ? 40 : 20;
        for (size_t i = 0; i < TEST_ROWS(rows); i++) {
            uint8_t tcp[20] = {0}, want[60];
            struct tmtu_buf out;
            const struct tmtu_pkt pkt =
                segment(families[f], rows[i].flags, 0x80000000, 0x12345678,
                        rows[i].data);
            assert_int_equal(reset(&pkt, &out), 0);
            tmtu_put32(tcp, 443u << 16 | 4000u);
            tmtu_put32(tcp + 4, rows[i].seq);
            tmtu_put32(tcp + 8, rows[i].ack);
            tcp[12] = 0x50;
            tcp[13] = rows[i].reset;
            tmtu_put16(tcp + 16, pk_sum(&back, tcp, 20));
            assert_int_equal(pk_ip(want, &back, tcp, 20), head + 20);
            assert_int_equal(tmtu_buf_len(&out), head + 20);
            if (memcmp(out.data, want, head + 20) != 0)
                fail_msg("IPv%d, %s", f ? 6 : 4, rows[i].name);
        }
    }
}

static void none_is_due(void **state)
{
    struct tmtu_buf out;
    struct tmtu_pkt pkt = segment(&v4, RST, 1, 1, 0);
    (void)state;
    assert_int_equal(reset(&pkt, &out), TMTU_E_FORBIDDEN);
    pkt = segment(&v4, RST | ACK, 1, 1, 0);
    assert_int_equal(reset(&pkt, &out), TMTU_E_FORBIDDEN);
    pkt = segment(&v4, SYN, 1, 1, 0);
    pkt.flags |= TMTU_PKT_L2_GROUP;
    assert_int_equal(reset(&pkt, &out), TMTU_E_FORBIDDEN);

    struct pk_ip ip = v4;
    ip.dst = "224.0.0.1";
    pkt = segment(&ip, SYN, 1, 1, 0);
    assert_int_equal(reset(&pkt, &out), TMTU_E_FORBIDDEN);
    ip = v4;
    ip.src = "0.0.0.0";
    pkt = segment(&ip, SYN, 1, 1, 0);
    assert_int_equal(reset(&pkt, &out), TMTU_E_FORBIDDEN);

    ip = v4;
    ip.mf = 1;
    ip.df = 0;
    pkt = segment(&ip, SYN, 1, 1, 4);
    assert_int_equal(reset(&pkt, &out), TMTU_E_IGNORED);
    ip = v4;
    ip.proto = 17;
    const size_t n = pk_flow(in, &ip, 4000, 443, 100);
    const struct tmtu_view v = {in, in + n};
    assert_int_equal(tmtu_ip_parse(v, 0, &pkt), 0);
    assert_int_equal(reset(&pkt, &out), TMTU_E_IGNORED);

    pkt = segment(&v6, SYN, 1, 1, 0);
    in[54] ^= 1; /* of the window */
    assert_int_equal(reset(&pkt, &out), TMTU_E_CHECKSUM);
}

static void a_quote_that_ends_early_is_not_answered(void **state)
{
    struct tmtu_buf out;
    struct tmtu_pkt pkt = segment(&v4, SYN, 1, 1, 100);
    (void)state;
    for (size_t n = 28; n < pkt.len; n++) {
        const struct tmtu_view v = {in, in + n};
        struct tmtu_pkt cut;
        assert_int_equal(tmtu_ip_parse(v, TMTU_IP_QUOTED, &cut), 0);
        assert_int_equal(reset(&cut, &out), TMTU_E_IGNORED);
    }
}

static void without_room_nothing_is_changed(void **state)
{
    static const struct pk_ip *const families[] = {&v4, &v6};
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct tmtu_pkt pkt = segment(families[f], SYN, 1, 1, 0);
        const size_t need = f ? 60 : 40;
        memset(mem, 0xaa, sizeof mem);
        struct tmtu_buf out = tmtu_buf(mem, need - 1, 0);
        assert_int_equal(tmtu_reset_build(&out, &pkt), TMTU_E_NOSPACE);
        assert_int_equal(tmtu_buf_len(&out), 0);
        for (size_t i = 0; i < sizeof mem; i++)
            assert_int_equal(mem[i], 0xaa);
        out = tmtu_buf(mem, need, 0);
        assert_int_equal(tmtu_reset_build(&out, &pkt), 0);
        assert_int_equal(tmtu_buf_len(&out), need);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_no_as_rfc_9293_has_it),
        cmocka_unit_test(none_is_due),
        cmocka_unit_test(a_quote_that_ends_early_is_not_answered),
        cmocka_unit_test(without_room_nothing_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

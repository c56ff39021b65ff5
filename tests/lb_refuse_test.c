/* SPDX-License-Identifier: MIT */
/* What a client is told that has no server, in the name of a VIP that this host
 * need not own. */
#define _POSIX_C_SOURCE 200809L
#include "lb_bed.h"

#define RULES                                                                  \
    "-A -t 10.0.0.5:443 -s mh\n"                                               \
    "-a -t 10.0.0.5:443 -r 10.0.0.6 -i -w 0\n"                                 \
    "-A -u 10.0.0.5:443 -s mh\n"                                               \
    "-A -t [2001:db8::5]:443 -s mh\n"

static const struct pk_ip tcp4 = {
    .src = "10.0.1.1", .dst = "10.0.0.5", .proto = 6, .df = 1};
static const struct pk_ip udp4 = {
    .src = "10.0.1.1", .dst = "10.0.0.5", .proto = 17};
static const struct pk_ip tcp6 = {
    .src = "2001:db8:1::1", .dst = "2001:db8::5", .proto = 6};

static void open_with(struct bed *b, uint8_t refuse)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    config.refuse = refuse;
    bed_open_with(b, RULES, config);
}

/* The one packet sent: its protocol, and the first two bytes of ICMP, or TCP's
 * flags. From whom the client asked, to the client. */
static void sent(const struct bed *b, const struct pk_ip *ip, uint8_t proto,
                 uint16_t says)
{
    uint8_t src[16], dst[16];
    const int v6 = pk_is6(ip);
    const size_t head = v6 ? 40 : 20, n = v6 ? 16 : 4;
    pk_addr(dst, ip->src);
    pk_addr(src, ip->dst);
    assert_int_equal(b->n, 1);
    const uint8_t *p = b->out[0].p;
    assert_int_equal(p[v6 ? 6 : 9], proto);
    assert_memory_equal(p + head - 2 * n, src, n);
    assert_memory_equal(p + head - n, dst, n);
    assert_int_equal(proto == 6 ? p[head + 13] : tmtu_get16(p + head), says);
}

static void a_client_without_a_server_is_told_so_as_asked_for(void **state)
{
    struct bed b;
    (void)state;
    open_with(&b, LB_REFUSE_UNREACHABLE);
    assert_int_equal(bed_flow(&b, tcp4, 4000, 443, 40), LB_NO_SERVER);
    sent(&b, &tcp4, 1, 0x0303);
    assert_int_equal(bed_flow(&b, tcp6, 4000, 443, 60), LB_NO_SERVER);
    sent(&b, &tcp6, 58, 0x0104);
    assert_int_equal(b.lb.counters.answered[LB_PORT_UNREACHABLE], 2);
    bed_close(&b);

    open_with(&b, LB_REFUSE_RESET);
    assert_int_equal(bed_flow(&b, tcp4, 4000, 443, 40), LB_NO_SERVER);
    sent(&b, &tcp4, 6, 4);
    assert_int_equal(b.lb.note.answer, LB_RESET);
    assert_int_equal(bed_flow(&b, tcp6, 4000, 443, 60), LB_NO_SERVER);
    sent(&b, &tcp6, 6, 4);
    assert_int_equal(bed_flow(&b, udp4, 4000, 443, 40), LB_NO_SERVER);
    sent(&b, &udp4, 1, 0x0303); /* UDP has no reset */
    assert_int_equal(b.lb.counters.answered[LB_RESET], 2);
    assert_int_equal(b.lb.counters.answered[LB_PORT_UNREACHABLE], 1);
    assert_int_equal(b.lb.counters.out, 3);
    bed_close(&b);

    open_with(&b, LB_REFUSE_DROP);
    assert_int_equal(bed_flow(&b, tcp4, 4000, 443, 40), LB_NO_SERVER);
    assert_int_equal(bed_flow(&b, udp4, 4000, 443, 40), LB_NO_SERVER);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.note.unanswered, TMTU_OK); /* as it was asked for */
    bed_close(&b);
}

static void what_is_broken_or_a_reset_itself_has_no_reset(void **state)
{
    static uint8_t p[100];
    struct bed b;
    (void)state;
    open_with(&b, LB_REFUSE_RESET);
    size_t n = pk_flow(p, &tcp4, 4000, 443, 60);
    p[59] ^= 1;
    assert_int_equal(bed_take(&b, p, n, 0), LB_NO_SERVER);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_CHECKSUM], 1);

    p[59] ^= 1;
    p[33] = 4; /* RST in the place of ACK, the sum after it */
    tmtu_put16(p + 36, (uint16_t)(tmtu_get16(p + 36) + 0x10 - 4));
    assert_int_equal(bed_take(&b, p, n, 0), LB_NO_SERVER);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_CHECKSUM], 1);
    assert_int_equal(b.lb.note.unanswered, TMTU_OK); /* none was due */
    bed_close(&b);
}

static void resets_are_limited_as_errors_are(void **state)
{
    struct services_config config = bed_config(TMTU_MTU_NOTIFY);
    const struct tmtu_limit_options linux_has = TMTU_LIMIT_LINUX;
    struct bed b;
    (void)state;
    config.refuse = LB_REFUSE_RESET;
    config.limit = linux_has;
    bed_open_with(&b, RULES, config);
    b.now = 1000000000;
    for (uint16_t i = 0; i < 8; i++) {
        bed_flow(&b, tcp4, (uint16_t)(4000 + i), 443, 40);
        assert_int_equal(b.n, i < 6); /* a burst of 6 to a host */
    }
    assert_int_equal(b.lb.counters.unanswered[TMTU_R_LIMIT_HOST], 2);
    assert_int_equal(b.lb.counters.answered[LB_RESET], 6);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_without_a_server_is_told_so_as_asked_for),
        cmocka_unit_test(what_is_broken_or_a_reset_itself_has_no_reset),
        cmocka_unit_test(resets_are_limited_as_errors_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

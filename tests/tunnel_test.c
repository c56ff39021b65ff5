/* SPDX-License-Identifier: MIT */
/* tunnel: what one end does with a packet, and in which order it asks. */
#include "tmtu_packet.h"

#include <tunmtu/frag.h>
#include <tunmtu/tunnel.h>

static const struct tmtu_encap_each each0 = {0x1234, 0};

static struct tmtu_tunnel tunnel_over(unsigned outer, uint32_t path)
{
    struct tmtu_tunnel t = TMTU_TUNNEL_INIT;
    t.encap = test_encap(outer);
    t.mtu.path_mtu = path;
    assert_int_equal(tmtu_tunnel_check(&t), 0);
    return t;
}

enum { DF = 0x4000, LATER = 0x00b8, LATER_DF = 0x4008 };
enum { SEND = TMTU_TUNNEL_SEND, CUT = TMTU_TUNNEL_CUT };
enum { DROP = TMTU_TUNNEL_DROP };
enum { NOTIFY = TMTU_MTU_NOTIFY, FRAG = TMTU_MTU_FRAGMENT };
enum { BOTH = TMTU_MTU_BOTH };
enum { BIG = TMTU_ICMP_TOO_BIG, EXPIRED = TMTU_ICMP_EXPIRED };

static void check_reads_a_description_and_completes_it(void **state)
{
    (void)state;
    static const struct {
        const char *name, *src, *dst;
        size_t size, mtu_size;
        uint32_t path;
        uint8_t policy, df;
        int rc;
    } rows[] = {
        {"4 over 1500", "203.0.113.1", "203.0.113.2", 0, 0, 1500, NOTIFY, 0, 0},
        {"6 over 1500", "2001:db8::1", "2001:db8::2", 0, 0, 1500, BOTH, 0, 0},
        {"4 over 68", "203.0.113.1", "203.0.113.2", 0, 0, 68, FRAG, 0, 0},
        {"4 over 67", "203.0.113.1", "203.0.113.2", 0, 0, 67, FRAG, 0, -5},
        {"6 over 1280", "2001:db8::1", "2001:db8::2", 0, 0, 1280, FRAG, 0, 0},
        {"6 over 1279", "2001:db8::1", "2001:db8::2", 0, 0, 1279, FRAG, 0, -5},
        {"over 65535", "203.0.113.1", "203.0.113.2", 0, 0, 65535, FRAG, 0, 0},
        {"over 65536", "203.0.113.1", "203.0.113.2", 0, 0, 65536, FRAG, 0, -5},
        {"a longer struct", "203.0.113.1", "203.0.113.2", 1, 0, 1500, FRAG, 0,
         -5},
        {"a longer mtu", "203.0.113.1", "203.0.113.2", 0, 1, 1500, FRAG, 0, -5},
        {"no such policy", "203.0.113.1", "203.0.113.2", 0, 0, 1500, 3, 0, -5},
        {"no such DF", "203.0.113.1", "203.0.113.2", 0, 0, 1500, FRAG, 3, -5},
        {"to itself", "203.0.113.1", "203.0.113.1", 0, 0, 1500, FRAG, 0, -5},
    };
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_tunnel t = TMTU_TUNNEL_INIT, before;
        print_message("  %s\n", rows[i].name);
        test_addr(rows[i].src, t.encap.src);
        test_addr(rows[i].dst, t.encap.dst);
        t.size += rows[i].size;
        t.mtu.size += rows[i].mtu_size;
        t.mtu.path_mtu = rows[i].path;
        t.mtu.policy = rows[i].policy;
        t.encap.df = rows[i].df;
        t.mtu.overhead = 0xa5a5;
        t.mtu.outer = 0xa5;
        memcpy(&before, &t, sizeof t);
        assert_int_equal(tmtu_tunnel_check(&t), rows[i].rc);
        if (rows[i].rc < 0) {
            assert_memory_equal(&t, &before, sizeof t);
        } else {
            const int v6 = strchr(rows[i].src, ':') != NULL;
            assert_int_equal(t.mtu.overhead, v6 ? 40 : 20);
            assert_int_equal(t.mtu.outer, v6 ? 6 : 4);
        }
    }
    struct tmtu_tunnel empty = TMTU_TUNNEL_INIT;
    assert_int_equal(tmtu_tunnel_check(&empty), TMTU_E_ARGUMENT);
    assert_int_equal(empty.host, 0);
}

/* Everything that can happen on the way in. `len` is over a path of 1500;
 * `src` and `dst` NULL: the client and the service. */
static const struct {
    const char *name;
    unsigned inner, outer;
    size_t len;
    uint16_t frag;
    uint8_t proto, type, ttl, host, policy;
    const char *src, *dst;
    unsigned action, reason, answer, info, silent;
} rows[] = {
    /* size: K1, K11, K16 to K19 */
    {"K11 4in4 1480", 4, 4, 1480, DF, 6, 0, 64, 0, NOTIFY, NULL, NULL, SEND, 0,
     0, 0, 0},
    {"K16 4in4 1481", 4, 4, 1481, DF, 6, 0, 64, 0, NOTIFY, NULL, NULL, DROP,
     TMTU_R_TOO_BIG, BIG, 1480, 0},
    {"K16 4in6 1461", 4, 6, 1461, DF, 6, 0, 64, 0, NOTIFY, NULL, NULL, DROP,
     TMTU_R_TOO_BIG, BIG, 1460, 0},
    {"6in4 1481", 6, 4, 1481, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL, DROP,
     TMTU_R_TOO_BIG, BIG, 1480, 0},
    {"6in6 1461", 6, 6, 1461, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL, DROP,
     TMTU_R_TOO_BIG, BIG, 1460, 0},
    {"6in6 1460", 6, 6, 1460, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL, SEND, 0, 0, 0,
     0},
    {"K17 4in4 without DF", 4, 4, 1500, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL, CUT,
     0, 0, 0, 0},
    {"K17 4in6 without DF", 4, 6, 1500, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL, CUT,
     0, 0, 0, 0},
    {"K18 4in4 fragment", 4, 4, 1500, DF, 6, 0, 64, 0, FRAG, NULL, NULL, CUT, 0,
     0, 0, 0},
    {"6in6 fragment", 6, 6, 1500, 0, 6, 0, 64, 0, FRAG, NULL, NULL, CUT, 0, 0,
     0, 0},
    {"4in4 both: the packet and the answer", 4, 4, 1500, DF, 6, 0, 64, 0, BOTH,
     NULL, NULL, CUT, 0, BIG, 1480, 0},
    {"6in6 both", 6, 6, 1500, 0, 6, 0, 64, 0, BOTH, NULL, NULL, CUT, 0, BIG,
     1460, 0},
    {"both: without DF no answer", 4, 4, 1500, 0, 6, 0, 64, 0, BOTH, NULL, NULL,
     CUT, 0, 0, 0, 0},
    {"both: fits", 4, 4, 1480, DF, 6, 0, 64, 0, BOTH, NULL, NULL, SEND, 0, 0, 0,
     0},

    /* nobody is answered: K22 to K24, K40, K44 to K46, F17 */
    {"K22 an ICMPv4 error, in outer fragments", 4, 4, 1500, DF, 1, 3, 64, 0,
     NOTIFY, NULL, NULL, CUT, 0, 0, 0, 0},
    {"K23 an ICMPv6 error, in outer fragments", 6, 6, 1500, 0, 58, 1, 64, 0,
     NOTIFY, NULL, NULL, CUT, 0, 0, 0, 0},
    {"K24 a later IPv6 fragment", 6, 4, 1500, LATER, 6, 0, 64, 0, NOTIFY, NULL,
     NULL, DROP, TMTU_R_TOO_BIG_FRAGMENT, 0, 0, 0},
    {"K40 a later IPv4 fragment with DF", 4, 4, 1500, LATER_DF, 6, 0, 64, 0,
     NOTIFY, NULL, NULL, DROP, TMTU_R_TOO_BIG, 0, 0, TMTU_R_LATER_FRAGMENT},
    {"K40 the same, both: it goes on", 4, 4, 1500, LATER_DF, 6, 0, 64, 0, BOTH,
     NULL, NULL, CUT, 0, 0, 0, TMTU_R_LATER_FRAGMENT},
    {"K44 F17 to a group", 4, 4, 1500, DF, 17, 0, 64, 0, NOTIFY, NULL,
     "224.0.0.1", DROP, TMTU_R_TOO_BIG, 0, 0, TMTU_R_GROUP},
    {"K45 to an IPv6 group: too big may be told", 6, 6, 1500, 0, 17, 0, 64, 0,
     NOTIFY, NULL, "ff0e::1", DROP, TMTU_R_TOO_BIG, BIG, 1460, 0},
    {"K45 but not that it expired", 6, 6, 100, 0, 17, 0, 1, 0, NOTIFY, NULL,
     "ff0e::1", DROP, TMTU_R_TTL_EXPIRED, 0, 0, TMTU_R_GROUP},
    {"K46 from nobody", 6, 4, 1500, 0, 6, 0, 64, 0, NOTIFY, "::", NULL, DROP,
     TMTU_R_TOO_BIG, 0, 0, TMTU_R_SOURCE},
    {"from loopback", 4, 4, 1500, DF, 6, 0, 64, 0, NOTIFY, "127.0.0.1", NULL,
     DROP, TMTU_R_TOO_BIG, 0, 0, TMTU_R_SOURCE},
    {"an ICMP error that dies", 4, 4, 100, DF, 1, 3, 1, 0, NOTIFY, NULL, NULL,
     DROP, TMTU_R_TTL_EXPIRED, 0, 0, TMTU_R_ABOUT_ERROR},
    {"a later fragment that dies", 4, 4, 100, LATER, 6, 0, 1, 0, NOTIFY, NULL,
     NULL, DROP, TMTU_R_TTL_EXPIRED, 0, 0, TMTU_R_LATER_FRAGMENT},

    /* TTL before size: K35, TRAP-14, R-LIB-03, R-2003-03 */
    {"K35 TRAP-14 TTL 1 and too big", 4, 4, 1500, DF, 6, 0, 1, 0, NOTIFY, NULL,
     NULL, DROP, TMTU_R_TTL_EXPIRED, EXPIRED, 0, 0},
    {"K35 hop limit 1 and too big", 6, 6, 1500, 0, 6, 0, 1, 0, BOTH, NULL, NULL,
     DROP, TMTU_R_TTL_EXPIRED, EXPIRED, 0, 0},
    {"TTL 1 and small", 4, 6, 100, DF, 6, 0, 1, 0, FRAG, NULL, NULL, DROP,
     TMTU_R_TTL_EXPIRED, EXPIRED, 0, 0},
    {"R-2003-03 TTL 0", 4, 4, 100, DF, 6, 0, 0, 0, NOTIFY, NULL, NULL, DROP,
     TMTU_R_TTL_EXPIRED, EXPIRED, 0, 0},
    {"TTL 2 goes on", 4, 4, 100, DF, 6, 0, 2, 0, NOTIFY, NULL, NULL, SEND, 0, 0,
     0, 0},
    {"R-2003-03 the host's own with TTL 1", 4, 4, 100, DF, 6, 0, 1, 1, NOTIFY,
     NULL, NULL, SEND, 0, 0, 0, 0},
    {"R-2003-03 the host's own with TTL 0", 4, 4, 100, DF, 6, 0, 0, 1, NOTIFY,
     NULL, NULL, DROP, TMTU_R_TTL_EXPIRED, EXPIRED, 0, 0},
    {"the host's own with hop limit 0", 6, 6, 100, 0, 6, 0, 0, 1, NOTIFY, NULL,
     NULL, DROP, TMTU_R_TTL_EXPIRED, EXPIRED, 0, 0},
    {"the host's own, too big", 4, 4, 1500, DF, 6, 0, 1, 1, NOTIFY, NULL, NULL,
     DROP, TMTU_R_TOO_BIG, BIG, 1480, 0},

    {"6in4 small", 6, 4, 100, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL, SEND, 0, 0, 0,
     0},
    {"4in4 tiny", 4, 4, 60, DF, 6, 0, 64, 0, NOTIFY, NULL, NULL, SEND, 0, 0, 0,
     0},

    /* loops before TTL: R-2003-06, R-2473-07 */
    {"R-2003-06 from the far end", 4, 4, 1500, DF, 6, 0, 1, 0, NOTIFY,
     "203.0.113.2", NULL, DROP, TMTU_R_LOOP, 0, 0, 0},
    {"R-2003-06 the same, and it would fit", 4, 4, 100, DF, 6, 0, 64, 0, NOTIFY,
     "203.0.113.2", NULL, DROP, TMTU_R_LOOP, 0, 0, 0},
    {"R-2003-06 from this end", 4, 4, 100, DF, 6, 0, 64, 0, NOTIFY,
     "203.0.113.1", NULL, DROP, TMTU_R_LOOP, 0, 0, 0},
    {"R-2473-07 from the far end", 6, 6, 100, 0, 6, 0, 64, 0, NOTIFY,
     "2001:db8:b::1", NULL, DROP, TMTU_R_LOOP, 0, 0, 0},
    {"R-2473-07 from this end", 6, 6, 100, 0, 6, 0, 64, 0, NOTIFY,
     "2001:db8:a::1", NULL, DROP, TMTU_R_LOOP, 0, 0, 0},
    {"from this end, and it is the host's own", 4, 4, 100, DF, 6, 0, 64, 1,
     NOTIFY, "203.0.113.1", NULL, SEND, 0, 0, 0, 0},
    {"R-2473-07 the host's own to the far end", 4, 4, 100, DF, 6, 0, 64, 1,
     NOTIFY, "203.0.113.1", "203.0.113.2", DROP, TMTU_R_LOOP, 0, 0, 0},
    {"R-2473-07 the same over IPv6", 6, 6, 100, 0, 6, 0, 64, 1, NOTIFY,
     "2001:db8:a::1", "2001:db8:b::1", DROP, TMTU_R_LOOP, 0, 0, 0},
    {"the host's own from the far end's address", 4, 4, 100, DF, 6, 0, 64, 1,
     NOTIFY, "203.0.113.2", NULL, DROP, TMTU_R_LOOP, 0, 0, 0},
    {"to the far end, from a client", 4, 4, 100, DF, 6, 0, 64, 0, NOTIFY, NULL,
     "203.0.113.2", SEND, 0, 0, 0, 0},
    {"6in6 from another network's ::1", 6, 6, 100, 0, 6, 0, 64, 0, NOTIFY,
     "2001:db8:c::1", NULL, SEND, 0, 0, 0, 0},
    {"6in6 from the far end's network", 6, 6, 100, 0, 6, 0, 64, 0, NOTIFY,
     "2001:db8:b::2", NULL, SEND, 0, 0, 0, 0},
    {"6in4, the source ends like the far end", 6, 4, 100, 0, 6, 0, 64, 0,
     NOTIFY, "2001:db8::cb00:7102", NULL, SEND, 0, 0, 0, 0},
    {"6in6 a later fragment that fits", 6, 6, 100, LATER, 6, 0, 64, 0, NOTIFY,
     NULL, NULL, SEND, 0, 0, 0, 0},
    {"IPv6 end, IPv4 packet", 4, 6, 100, DF, 6, 0, 64, 0, NOTIFY, "203.0.113.1",
     NULL, SEND, 0, 0, 0, 0},

    /* R-2003-08: more than a length field can tell */
    {"4in4 65515 without DF", 4, 4, 65515, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL,
     CUT, 0, 0, 0, 0},
    {"4in4 65516 without DF", 4, 4, 65516, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL,
     DROP, TMTU_R_OVERSIZE, 0, 0, 0},
    {"4in4 65516 with DF is too big first", 4, 4, 65516, DF, 6, 0, 64, 0,
     NOTIFY, NULL, NULL, DROP, TMTU_R_TOO_BIG, BIG, 1480, 0},
    {"4in4 65516, both", 4, 4, 65516, DF, 6, 0, 64, 0, BOTH, NULL, NULL, DROP,
     TMTU_R_OVERSIZE, BIG, 1480, 0},
    {"4in6 65535 without DF", 4, 6, 65535, 0, 6, 0, 64, 0, NOTIFY, NULL, NULL,
     CUT, 0, 0, 0, 0},
    {"6in4 65516, fragment", 6, 4, 65516, 0, 6, 0, 64, 0, FRAG, NULL, NULL,
     DROP, TMTU_R_OVERSIZE, 0, 0, 0},
    {"6in6 65535, fragment", 6, 6, 65535, 0, 6, 0, 64, 0, FRAG, NULL, NULL, CUT,
     0, 0, 0, 0},
    {"6in6 65536, both", 6, 6, 65536, 0, 6, 0, 64, 0, BOTH, NULL, NULL, DROP,
     TMTU_R_OVERSIZE, BIG, 1460, 0},
};

static struct tmtu_buf made_from(size_t row, size_t headroom)
{
    struct test_shape s = test_shape(rows[row].inner, rows[row].len);
    uint8_t src[16] = {0}, dst[16] = {0};
    s.frag = rows[row].frag;
    s.proto = rows[row].proto;
    s.type = rows[row].type;
    s.ttl = rows[row].ttl;
    struct tmtu_buf buf = test_made(&s, headroom);
    const size_t n = rows[row].inner == 4 ? 4 : 16;
    uint8_t *at = buf.data + (n == 4 ? 12 : 8);
    if (rows[row].src != NULL) {
        test_addr(rows[row].src, src);
        memcpy(at, src + 16 - n, n);
    }
    if (rows[row].dst != NULL) {
        test_addr(rows[row].dst, dst);
        memcpy(at + n, dst + 16 - n, n);
    }
    if (n == 4) {
        tmtu_put16(buf.data + 10, 0);
        tmtu_put16(buf.data + 10, test_cksum(buf.data, 20));
    }
    return buf;
}

static void enters_by_loop_then_ttl_then_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_tunnel t = tunnel_over(rows[i].outer, 1500);
        struct tmtu_verdict v;
        t.host = rows[i].host;
        t.mtu.policy = rows[i].policy;
        print_message("  %s\n", rows[i].name);
        struct tmtu_buf buf = made_from(i, 0);
        const struct tmtu_pkt pkt = test_parsed(&buf);
        struct test_before before = test_before(&buf, &pkt);
        memset(&v, 0xa5, sizeof v);
        tmtu_tunnel_enter(&t, &pkt, &v);
        assert_int_equal(v.action, rows[i].action);
        assert_int_equal(v.reason, rows[i].reason);
        assert_int_equal(v.answer, rows[i].answer);
        assert_int_equal(v.info, rows[i].info);
        assert_int_equal(v.silent, rows[i].silent);
        test_unchanged(&before, &buf, &pkt);
        free(buf.head);
    }
}

/* What is not to be dropped can be pushed, and what is pushed is what the
 * far end gets; what is answered can be built. */
static void does_what_the_verdict_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct tmtu_tunnel t = tunnel_over(rows[i].outer, 1500);
        t.host = rows[i].host;
        struct tmtu_buf buf = made_from(i, TMTU_ENCAP_HEADROOM);
        struct tmtu_pkt pkt = test_parsed(&buf), back;
        if (rows[i].answer != 0) {
            struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
            struct tmtu_buf out = test_buf(NULL, 0, 0, 1280);
            error.kind = (uint8_t)rows[i].answer;
            error.info = rows[i].info;
            test_addr(rows[i].inner == 4 ? "192.0.2.1" : "2001:db8::1",
                      error.src);
            assert_int_equal(tmtu_icmp_build(&out, &pkt, &error), 0);
            free(out.head);
        }
        const int rc = tmtu_tunnel_push(&buf, &pkt, &t, &each0);
        if (rows[i].action != DROP) {
            assert_int_equal(rc, 0);
            const struct tmtu_pkt outer = test_parsed(&buf);
            if (rows[i].action == SEND)
                assert_true(outer.len <= 1500);
            const enum tmtu_reason out =
                tmtu_encap_pull(&buf, &outer, &t.encap, &back);
            assert_int_equal(out, TMTU_OK);
            assert_int_equal(back.len, rows[i].len);
            assert_int_equal(back.ttl, rows[i].ttl - !rows[i].host);
        } else if (rows[i].reason == TMTU_R_OVERSIZE) {
            assert_int_equal(rc, TMTU_E_LIMIT);
        } else if (rows[i].reason == TMTU_R_TTL_EXPIRED) {
            assert_int_equal(rc, TMTU_E_FORBIDDEN);
        }
        free(buf.head);
    }
}

/* The same, in two steps: what tmtu_tunnel_send must come to. */
static int two_steps(struct tmtu_buf *buf, struct tmtu_pkt *pkt,
                     const struct tmtu_tunnel *t,
                     const struct tmtu_encap_each *each, struct tmtu_verdict *v)
{
    struct tmtu_verdict got;
    tmtu_tunnel_enter(t, pkt, &got);
    if (got.action == SEND && got.answer == 0) {
        if (tmtu_tunnel_push(buf, pkt, t, each) == 0)
            return 1;
        got.action = DROP;
        got.reason = TMTU_R_INTERNAL;
    }
    *v = got;
    return 0;
}

static void set_tclass(struct tmtu_buf *buf, uint8_t tclass)
{
    if (buf->data[0] >> 4 == 4) {
        buf->data[1] = tclass;
        tmtu_put16(buf->data + 10, 0);
        tmtu_put16(buf->data + 10, test_cksum(buf->data, 20));
    } else {
        tmtu_put16(buf->data, (uint16_t)(0x6000 | tclass << 4));
    }
}

/* Whether both ways come to the same, in packet, result and verdict; 1 when it
 * was sent. */
static int sent_the_same(const struct tmtu_tunnel *t,
                         const struct tmtu_encap_each *each,
                         const struct tmtu_buf *made, size_t room)
{
    const size_t len = tmtu_buf_len(made);
    struct tmtu_buf a = test_buf(made->data, len, room, 3);
    struct tmtu_buf b = test_buf(made->data, len, room, 3);
    a.tail = a.end; /* the link layer's padding */
    b.tail = b.end;
    struct tmtu_pkt pa = test_parsed(&a), pb = test_parsed(&b);
    struct tmtu_verdict va, vb;
    memset(&va, 0xa5, sizeof va);
    memset(&vb, 0xa5, sizeof vb);
    const int rc = tmtu_tunnel_send(&a, &pa, t, each, &va);
    assert_int_equal(rc, two_steps(&b, &pb, t, each, &vb));
    if (rc == 0)
        assert_memory_equal(&va, &vb, sizeof va);
    assert_int_equal(pa.data - a.head, pb.data - b.head);
    pa.data = pb.data;
    assert_memory_equal(&pa, &pb, sizeof pa);
    assert_int_equal(tmtu_buf_headroom(&a), tmtu_buf_headroom(&b));
    assert_int_equal(tmtu_buf_len(&a), tmtu_buf_len(&b));
    assert_memory_equal(a.head, b.head, (size_t)(a.end - a.head));
    free(a.head);
    free(b.head);
    return rc;
}

/* For every row, every option, and too little room: the quick way and the long
 * one cannot be told apart. */
static void send_is_enter_and_push(void **state)
{
    static const uint8_t tclasses[] = {0, 1, 2, 3, 0xb8, 0xbb};
    static const uint32_t hashes[] = {0x7777, 0, 0xabc00000, 0xffffffff};
    unsigned sent[2] = {0, 0};
    (void)state;
    for (size_t n = 0; n < TEST_ROWS(rows) * 3 * 3 * 2 * 2 * 2 * 6 * 10; n++) {
        size_t rest = n;
        const size_t row = rest % TEST_ROWS(rows);
        rest /= TEST_ROWS(rows);
        struct tmtu_tunnel t = tunnel_over(rows[row].outer, 1500);
        t.encap.df = (uint8_t)(rest % 3);
        t.encap.ecn = (uint8_t)(rest / 3 % 3);
        t.encap.dscp = rest / 9 % 2 ? TMTU_DSCP_COPY : 10;
        t.encap.ttl = rest / 18 % 2 ? 64 : 0;
        const size_t variant = rest / 72 / 6;
        t.host = rows[row].host || variant == 1;
        t.encap.kind = variant < 4 ? TMTU_ENCAP_IPIP : (uint8_t)(variant - 3);
        t.encap.flags = variant == 2 ? TMTU_ENCAP_ZERO6 : 0;
        if (variant >= 4 && rows[row].outer == 6)
            t.encap.flags = TMTU_ENCAP_ZERO6;
        if (variant == 8) { /* what differs from packet to packet */
            t.encap.kind = TMTU_ENCAP_GRE;
            t.encap.flags = (uint8_t)(n % 8);
        }
        if (variant == 9) { /* all kinds, as far as they can do without */
            t.encap.kind = (uint8_t)(rest % TMTU_ENCAP_KINDS);
            t.encap.flags = TMTU_ENCAP_ZERO6;
            if (rows[row].outer == 6)
                t.encap.flags |= TMTU_ENCAP_TEL;
        }
        if (variant == 5)
            t.encap.sport = 7;
        t.encap.key = 0x01020304;
        if (variant == 3) {
            t.mtu.flags = TMTU_MTU_FLOOR_DROP;
            t.mtu.path_mtu = rows[row].outer == 4 ? 87 : 1500;
        }
        t.mtu.policy = rows[row].policy;
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        const size_t room = t.mtu.overhead - (rest / 36 % 2 ? 0u : 1u);
        const struct tmtu_encap_each each = {0x12345 + (uint32_t)n,
                                             hashes[(row + rest) % 4]};

        struct tmtu_buf made = made_from(row, room);
        set_tclass(&made, tclasses[rest / 72 % 6]);
        const int rc = sent_the_same(&t, &each, &made, room);
        sent[rows[row].outer == 6] += (unsigned)rc;
        free(made.head);
    }
    print_message("  %u sent over IPv4, %u over IPv6\n", sent[0], sent[1]);
    assert_true(sent[0] > 1000 && sent[1] > 1000);
}

/* RFC 2473 §4.1.1: a limit of 0 is told of, another one comes out one less
 * where the tunnel carries limits; the quick way leaves all that to the long
 * one. */
static void an_encapsulation_limit_goes_the_long_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * 2 * 2; i++) {
        const unsigned outer = i % 2 ? 6 : 4, limit = i / 4;
        struct tmtu_tunnel t = tunnel_over(outer, 1500);
        if (outer == 6 && i / 2 % 2)
            t.encap.flags = TMTU_ENCAP_TEL;
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        const struct test_shape s = test_shape(6, 100);
        struct tmtu_buf made = test_made(&s, TMTU_ENCAP_HEADROOM), b;
        const uint8_t option[] = {made.data[6],   0, 4, 1,
                                  (uint8_t)limit, 1, 1, 0};
        memcpy(made.data + 40, option, sizeof option);
        made.data[6] = 60;
        made.data[60] = 0x50; /* TCP's header is eight bytes further */
        const int rc = sent_the_same(&t, &each0, &made, TMTU_ENCAP_HEADROOM);
        assert_int_equal(rc, outer == 4 || limit > 0);
        b = test_buf(made.data, tmtu_buf_len(&made), TMTU_ENCAP_HEADROOM, 0);
        struct tmtu_pkt pkt = test_parsed(&b);
        struct tmtu_verdict v;
        assert_int_equal(tmtu_tunnel_send(&b, &pkt, &t, &each0, &v), rc);
        if (rc == 0)
            assert_int_equal(v.reason, TMTU_R_ENCAP_LIMIT);
        else if (t.encap.flags & TMTU_ENCAP_TEL)
            assert_int_equal(b.data[44], limit - 1);
        free(made.head);
        free(b.head);
    }
}

/* V1, but for the ID, which is 0 with DF (K36, RFC 6864 §4.1). */
static void v1_a_syn_into_4in4(void **state)
{
    (void)state;
    static const char *inner =
        "45280030beef400040068f5ec000020ac63364149c4001bb0102030400000000"
        "7002faf0f9da0000020405b401010402";
    static const char *want =
        "45280044000040004004c289cb007101cb00710245280030beef40003f06905e"
        "c000020ac63364149c4001bb01020304000000007002faf0f9da0000020405b4"
        "01010402";
    uint8_t bytes[80];
    const struct tmtu_tunnel t = tunnel_over(4, 1500);
    size_t n = test_hex(inner, bytes, sizeof bytes);
    struct tmtu_buf buf = test_buf(bytes, n, 20, 0);
    struct tmtu_pkt pkt = test_parsed(&buf);
    struct tmtu_verdict v;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.action, SEND);
    assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &t, &each0), 0);
    n = test_hex(want, bytes, sizeof bytes);
    assert_int_equal(tmtu_buf_len(&buf), n);
    assert_memory_equal(buf.data, bytes, n);
    assert_int_equal(pkt.ttl, 63);
    free(buf.head);
}

/* R-2003-03, R-2473-02, K34, K38: one hop, in all pairs and both modes. */
static void push_takes_one_hop_unless_it_is_the_hosts_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(test_pairs) * 8; i++) {
        const size_t pair = i / 8, over = test_pairs[pair].overhead;
        struct tmtu_tunnel t = tunnel_over(test_pairs[pair].outer, 1500);
        struct test_shape s = test_shape(test_pairs[pair].inner, 90);
        t.host = i % 2;
        t.encap.ttl = i / 2 % 2 ? 64 : 0;
        s.ttl = i / 4 % 2 ? 2 : 255;
        const unsigned want = s.ttl - (t.host ? 0u : 1u);
        struct tmtu_buf buf = test_made(&s, over);
        struct tmtu_pkt pkt = test_parsed(&buf);
        const struct tmtu_pkt asked = pkt;
        s.ttl = (uint8_t)want;
        struct tmtu_buf inner = test_made(&s, 0);
        assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &t, &each0), 0);
        assert_int_equal(pkt.ttl, want);
        assert_int_equal(test_parsed(&buf).ttl, t.encap.ttl ? 64 : want);
        assert_memory_equal(buf.data + over, inner.data, 90); /* K38: summed */
        pkt.ttl = asked.ttl;
        assert_memory_equal(&pkt, &asked, sizeof pkt);
        free(inner.head);
        free(buf.head);
    }
}

/* What is summed up is what is sent: the hop has been taken. */
static void a_checksum_of_the_tunnels_is_right(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {TMTU_ENCAP_GRE, TMTU_ENCAP_GUE,
                                    TMTU_ENCAP_GUE1, TMTU_ENCAP_GREUDP};
    for (size_t i = 0; i < TEST_ROWS(test_pairs) * 8; i++) {
        const size_t pair = i / 8;
        const uint8_t kind = kinds[i / 2 % 4];
        struct tmtu_tunnel t = tunnel_over(test_pairs[pair].outer, 1500);
        t.encap.kind = kind;
        t.encap.flags = TMTU_ENCAP_CSUM;
        t.host = i % 2;
        assert_int_equal(tmtu_tunnel_check(&t), 0);
        const struct test_shape s = test_shape(test_pairs[pair].inner, 91);
        struct tmtu_buf buf = test_made(&s, TMTU_ENCAP_HEADROOM);
        struct tmtu_pkt pkt = test_parsed(&buf);
        assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &t, &each0), 0);
        const struct tmtu_pkt outer = test_parsed(&buf);
        const uint8_t *p = buf.data + outer.l4;
        const size_t n = outer.len - outer.l4;
        if (kind == TMTU_ENCAP_GRE) {
            assert_int_equal(p[0], 0x80);
            assert_int_equal(test_cksum(p, n), 0);
        } else {
            assert_int_not_equal(tmtu_get16(p + 6), 0);
            assert_int_equal(tmtu_ip_transport_verify(&outer), 0);
        }
        free(buf.head);
    }
}

static void a_failed_push_leaves_everything(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len, less;
        uint8_t ttl, host, kind;
        int rc;
    } cases[] = {
        {"one byte of headroom too few", 100, 1, 64, 0, 0, TMTU_E_NOSPACE},
        {"the same for the host's own", 100, 1, 64, 1, 0, TMTU_E_NOSPACE},
        {"TTL 1", 100, 0, 1, 0, 0, TMTU_E_FORBIDDEN},
        {"TTL 0", 100, 0, 0, 0, 0, TMTU_E_FORBIDDEN},
        {"TTL 0 of the host's own", 100, 0, 0, 1, 0, TMTU_E_FORBIDDEN},
        {"too long", 65535, 0, 64, 0, 0, TMTU_E_LIMIT},
        {"an unknown kind", 100, 0, 64, 0, 99, TMTU_E_ARGUMENT},
    };
    for (size_t i = 0; i < TEST_ROWS(cases) * TEST_ROWS(test_pairs); i++) {
        const size_t row = i / 4, pair = i % 4;
        struct tmtu_tunnel t = tunnel_over(test_pairs[pair].outer, 1500);
        struct test_shape s =
            test_shape(test_pairs[pair].inner, cases[row].len);
        if (pair == 0)
            print_message("  %s\n", cases[row].name);
        if (s.len == 65535 && test_pairs[pair].outer == 6) {
            if (s.ipver == 4)
                continue; /* it fits: see encap_test */
            s.len = 65536;
        }
        s.ttl = cases[row].ttl;
        t.host = cases[row].host;
        t.encap.kind = cases[row].kind;
        struct tmtu_buf buf =
            test_made(&s, test_pairs[pair].overhead - cases[row].less);
        struct tmtu_pkt pkt = test_parsed(&buf);
        struct test_before before = test_before(&buf, &pkt);
        assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &t, &each0),
                         cases[row].rc);
        test_unchanged(&before, &buf, &pkt);
        free(buf.head);
    }
}

/* K29: a super-packet is let in when its segments fit. That the outer length
 * field could not tell the whole does not matter, but for one segment. */
static void super_packets_enter_by_their_segments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner, outer;
        size_t len;
        uint16_t gso;
        unsigned policy, action, reason, info;
    } cases[] = {
        {"K29 4in4 64000", 4, 4, 64000, 1440, NOTIFY, SEND, 0, 0},
        {"K29 4in4 64000 in longer segments", 4, 4, 64000, 1441, NOTIFY, DROP,
         TMTU_R_TOO_BIG, 1480},
        {"6in6 64000", 6, 6, 64000, 1400, NOTIFY, SEND, 0, 0},
        {"6in6 64000 in longer segments, both", 6, 6, 64000, 1401, BOTH, CUT, 0,
         1460},
        {"4in4 65515", 4, 4, 65515, 1440, NOTIFY, SEND, 0, 0},
        {"4in4 65516", 4, 4, 65516, 1440, NOTIFY, SEND, 0, 0},
        {"4in4 65516 in one segment", 4, 4, 65516, 65480, FRAG, DROP,
         TMTU_R_OVERSIZE, 0},
        {"4in6 65535", 4, 6, 65535, 1420, NOTIFY, SEND, 0, 0},
        {"6in6 65536", 6, 6, 65536, 1400, NOTIFY, SEND, 0, 0},
    };
    for (size_t i = 0; i < TEST_ROWS(cases); i++) {
        struct tmtu_tunnel t = tunnel_over(cases[i].outer, 1500);
        struct test_shape s = test_shape(cases[i].inner, cases[i].len);
        struct tmtu_verdict v;
        s.frag = s.ipver == 4 ? DF : 0;
        t.mtu.policy = (uint8_t)cases[i].policy;
        print_message("  %s\n", cases[i].name);
        struct tmtu_buf buf = test_made(&s, 0);
        struct tmtu_pkt pkt = test_parsed(&buf);
        pkt.gso_size = cases[i].gso;
        tmtu_tunnel_enter(&t, &pkt, &v);
        assert_int_equal(v.action, cases[i].action);
        assert_int_equal(v.reason, cases[i].reason);
        assert_int_equal(v.info, cases[i].info);
        assert_int_equal(v.answer, cases[i].info ? BIG : 0);
        assert_int_equal(v.silent, TMTU_OK);
        free(buf.head);
    }
}

/* K8, K9, K23, and values that tmtu_tunnel_check would have refused. */
static void other_reasons_to_drop(void **state)
{
    (void)state;
    struct tmtu_verdict v;
    struct test_shape s = test_shape(4, 40);
    struct tmtu_buf buf = test_made(&s, 0);
    struct tmtu_pkt pkt = test_parsed(&buf);
    struct tmtu_tunnel t = tunnel_over(4, 87);
    t.mtu.flags = TMTU_MTU_FLOOR_DROP;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.action, DROP);
    assert_int_equal(v.reason, TMTU_R_MTU_FLOOR);
    assert_int_equal(v.answer, 0);
    t.mtu.path_mtu = 88;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.action, SEND);

    t = tunnel_over(6, 1319);
    t.mtu.flags = TMTU_MTU_FLOOR_DROP;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.reason, TMTU_R_MTU_FLOOR);
    t.mtu.policy = 3;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.action, DROP);
    assert_int_equal(v.reason, TMTU_R_INTERNAL);
    assert_int_equal(v.answer, 0);
    free(buf.head);

    s = test_shape(6, 1500);
    s.proto = 58;
    s.type = 1;
    buf = test_made(&s, 0);
    pkt = test_parsed(&buf);
    t = tunnel_over(6, 1500);
    t.mtu.flags = TMTU_MTU_ERRORS_DROP;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.action, DROP);
    assert_int_equal(v.reason, TMTU_R_TOO_BIG_ERROR);
    assert_int_equal(v.answer, 0);

    buf.data[40] = 128; /* an echo request, K47; to all on the link, K44 */
    pkt = test_parsed(&buf);
    pkt.flags |= TMTU_PKT_L2_GROUP;
    pkt.ttl = 1;
    tmtu_tunnel_enter(&t, &pkt, &v);
    assert_int_equal(v.reason, TMTU_R_TTL_EXPIRED);
    assert_int_equal(v.answer, 0);
    assert_int_equal(v.silent, TMTU_R_L2_GROUP);
    free(buf.head);
}

/* K31, R-2473-09, R-8200-07: what is to be cut can be cut to the path, with
 * no DF on the pieces; their sizes are those that the vectors derive. */
static void outer_fragments_fit_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned inner, outer;
        size_t len;
        uint32_t path;
        size_t first, last;
    } cases[] = {
        {"4in4 1500 DF over 1500", 4, 4, 1500, 1500, 1500, 40},
        {"R-2473-10 4in6 1500 over 1500", 4, 6, 1500, 1500, 1496, 100},
        {"R-2473-09 6in6 1280 over 1280", 6, 6, 1280, 1280, 1280, 96},
        {"R-8200-07 6in4 1280 over 1290", 6, 4, 1280, 1290, 1284, 36},
        {"4in4 100 over 68", 4, 4, 100, 68, 68, 24},
    };
    for (size_t i = 0; i < TEST_ROWS(cases); i++) {
        struct tmtu_tunnel t = tunnel_over(cases[i].outer, cases[i].path);
        struct test_shape s = test_shape(cases[i].inner, cases[i].len);
        struct tmtu_verdict v;
        struct tmtu_frag frag;
        s.frag = s.ipver == 4 ? DF : 0;
        t.mtu.policy = FRAG;
        print_message("  %s\n", cases[i].name);
        struct tmtu_buf buf = test_made(&s, 40);
        struct tmtu_pkt pkt = test_parsed(&buf);
        tmtu_tunnel_enter(&t, &pkt, &v);
        assert_int_equal(v.action, CUT);
        assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &t, &each0), 0);
        const struct tmtu_pkt outer = test_parsed(&buf);
        assert_int_equal(
            tmtu_frag_init(&frag, &outer, cases[i].path, 7, TMTU_FRAG_FORCE),
            0);
        size_t n = 0, last = 0;
        int rc = 1;
        while (rc == 1) {
            struct tmtu_buf out = test_buf(NULL, 0, 0, cases[i].path);
            rc = tmtu_frag_next(&frag, &out);
            if (rc == 1) {
                const struct tmtu_pkt piece = test_parsed(&out);
                last = piece.len;
                assert_false(piece.flags & TMTU_PKT_DF);
                if (n++ == 0)
                    assert_int_equal(last, cases[i].first);
            }
            free(out.head);
        }
        assert_int_equal(rc, 0);
        assert_true(n >= 2);
        assert_int_equal(last, cases[i].last);
        free(buf.head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_reads_a_description_and_completes_it),
        cmocka_unit_test(enters_by_loop_then_ttl_then_size),
        cmocka_unit_test(does_what_the_verdict_says),
        cmocka_unit_test(send_is_enter_and_push),
        cmocka_unit_test(an_encapsulation_limit_goes_the_long_way),
        cmocka_unit_test(v1_a_syn_into_4in4),
        cmocka_unit_test(push_takes_one_hop_unless_it_is_the_hosts_own),
        cmocka_unit_test(a_checksum_of_the_tunnels_is_right),
        cmocka_unit_test(a_failed_push_leaves_everything),
        cmocka_unit_test(super_packets_enter_by_their_segments),
        cmocka_unit_test(other_reasons_to_drop),
        cmocka_unit_test(outer_fragments_fit_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A GRE tunnel whose far end is routed through the tunnel itself, played with
 * real packets and errors: with one entry for the tunnel and its carrier the
 * path MTU collapses to the floor; with ours it goes down once a cause. */
#include "tmtu_packet.h"

#include <tunmtu/relay.h>

enum { LINK = 1500, ROOM = 128 + LINK };

/* A host with an inner address I and an outer one O, and a tunnel from O to T.
 * What I sends to T goes into the tunnel, which takes it to T. */
struct world {
    unsigned ipver;
    int shared;    /* paths are named by their destination alone */
    int by_target; /* so are routes: what O sends to T goes in, too */
    uint32_t hop;  /* MTU of a router behind the link */
    struct tmtu_pmtu *paths;
    struct tmtu_tunnel tunnel;
    uint8_t inside[16]; /* I */
    unsigned fell;      /* how often an MTU went down */
    unsigned refused;   /* packets that the tunnel had no room for */
    unsigned arrived, looped;
    uint32_t last_told; /* what the last refusal said */
    uint64_t now;
};

static void begin(struct world *w, unsigned ipver, int shared)
{
    static const struct tmtu_hash_key key = {1, 2};
    static const struct tmtu_pmtu_options options = TMTU_PMTU_INIT;
    const struct tmtu_tunnel tunnel = TMTU_TUNNEL_INIT;
    memset(w, 0, sizeof *w);
    w->ipver = ipver;
    w->shared = shared;
    w->hop = LINK;
    w->tunnel = tunnel;
    w->tunnel.encap = test_encap(ipver);
    w->tunnel.encap.kind = TMTU_ENCAP_GRE;
    w->tunnel.encap.df = TMTU_DF_SET;
    w->tunnel.host = 1;
    assert_int_equal(tmtu_tunnel_check(&w->tunnel), 0);
    test_addr(ipver == 4 ? "10.0.0.5" : "fd00::5", w->inside);
    w->paths = tmtu_pmtu_init(test_exact(NULL, tmtu_pmtu_sizeof(64)), 64,
                              &options, &key);
    assert_non_null(w->paths);
}

/* From I, or from O, to T. */
static struct tmtu_flow to_target(const struct world *w, int inside)
{
    struct tmtu_flow f;
    memset(&f, 0, sizeof f);
    memcpy(f.src, inside ? w->inside : w->tunnel.encap.src, 16);
    memcpy(f.dst, w->tunnel.encap.dst, 16);
    f.ipver = (uint8_t)w->ipver;
    return f;
}

/* Whether it is routed into the tunnel. */
static int goes_in(const struct world *w, const struct tmtu_flow *f)
{
    return tmtu_addr_equal(f->dst, w->tunnel.encap.dst) &&
           (w->by_target || !tmtu_addr_equal(f->src, w->tunnel.encap.src));
}

static struct tmtu_pmtu_path path_of(const struct world *w,
                                     const struct tmtu_flow *f)
{
    struct tmtu_pmtu_path p = tmtu_pmtu_path(f, goes_in(w, f) ? 1 : 0);
    if (w->shared) {
        memset(p.src, 0, sizeof p.src);
        p.tunnel = 0;
    }
    return p;
}

static struct tmtu_pmtu_answer carries(struct world *w, int inside)
{
    const struct tmtu_flow f = to_target(w, inside);
    const struct tmtu_pmtu_path p = path_of(w, &f);
    struct tmtu_pmtu_answer a;
    tmtu_pmtu_lookup(w->paths, &p, LINK, w->now, &a);
    return a;
}

static void learn(struct world *w, const struct tmtu_flow *f,
                  const struct tmtu_pmtu_error *error)
{
    const struct tmtu_pmtu_path p = path_of(w, f);
    w->fell +=
        tmtu_pmtu_learn(w->paths, &p, error, LINK, w->now) == TMTU_PMTU_LEARNT;
}

/* An error reaches this host: about what it sent itself, or about what its
 * tunnel sent, which it tells the one who sent what was in it. */
static void hear(struct world *w, struct tmtu_buf *msg)
{
    const struct tmtu_pkt pkt = test_parsed(msg);
    struct tmtu_icmp icmp;
    assert_int_equal(tmtu_ip_transport_verify(&pkt), 0);
    assert_int_equal(tmtu_icmp_parse(&pkt, &icmp), 0);
    assert_int_equal(icmp.kind, TMTU_ICMP_TOO_BIG);
    if (!tmtu_addr_equal(icmp.quoted.flow.src, w->tunnel.encap.src)) {
        const struct tmtu_pmtu_error error = {icmp.info,
                                              (uint16_t)icmp.quoted.len, 20, 1};
        learn(w, &icmp.quoted.flow, &error);
        return;
    }
    const struct tmtu_relay_options options = TMTU_RELAY_INIT;
    struct tmtu_relay relay;
    uint8_t room[ROOM];
    struct tmtu_buf told = tmtu_buf(room, sizeof room, 0);
    assert_int_equal(tmtu_relay_read(&icmp, &w->tunnel, &options, &relay), 0);
    assert_true(relay.learns);
    learn(w, &icmp.quoted.flow, &relay.learn);
    assert_int_equal(relay.reason, TMTU_OK);
    assert_int_equal(tmtu_icmp_build(&told, &relay.inner, &relay.error), 0);
    hear(w, &told);
}

/* "Too big" about `pkt`, from somebody. */
static void complain(struct world *w, const struct tmtu_pkt *pkt, uint32_t mtu,
                     int router)
{
    uint8_t room[ROOM];
    struct tmtu_buf msg = tmtu_buf(room, sizeof room, 0);
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    error.kind = TMTU_ICMP_TOO_BIG;
    error.info = mtu;
    if (router)
        test_addr(w->ipver == 4 ? "192.0.2.254" : "2001:db8::fe", error.src);
    assert_int_equal(tmtu_icmp_build(&msg, pkt, &error), 0);
    hear(w, &msg);
}

static void transmit(struct world *w, struct tmtu_buf *buf, unsigned depth)
{
    struct tmtu_pkt pkt = test_parsed(buf);
    assert_in_range(depth, 0, 2); /* whatever the routes say */
    if (!goes_in(w, &pkt.flow)) {
        assert_in_range(pkt.len, 1, LINK);
        if (pkt.len > w->hop)
            complain(w, &pkt, w->hop, 1);
        else
            w->arrived++;
        return;
    }
    const struct tmtu_encap_each each = {1, 0};
    struct tmtu_verdict v;
    w->tunnel.mtu.path_mtu = carries(w, 0).mtu;
    if (tmtu_tunnel_send(buf, &pkt, &w->tunnel, &each, &v) == 1) {
        transmit(w, buf, depth + 1);
    } else if (v.action == TMTU_TUNNEL_DROP && v.reason == TMTU_R_LOOP) {
        w->looped++;
    } else if (v.action == TMTU_TUNNEL_DROP) {
        assert_int_equal(v.reason, TMTU_R_TOO_BIG);
        assert_int_equal(v.answer, TMTU_ICMP_TOO_BIG);
        w->refused++;
        w->last_told = v.info;
        complain(w, &pkt, v.info, 0);
    } else {
        w->arrived++; /* in outer fragments */
    }
}

/* A TCP of I sends so many packets, as long as it is told that they may be. */
static void talk(struct world *w, unsigned packets)
{
    for (; packets > 0; packets--, w->now += 1000000) {
        struct test_shape s = test_shape(w->ipver, carries(w, 1).mtu);
        if (w->ipver == 4)
            s.frag = 0x4000;
        struct tmtu_buf buf = test_made(&s, ROOM);
        uint8_t *p = buf.data;
        if (w->ipver == 4) {
            memcpy(p + 12, w->inside + 12, 4);
            memcpy(p + 16, w->tunnel.encap.dst + 12, 4);
            tmtu_put16(p + 10, 0);
            tmtu_put16(p + 10, test_cksum(p, 20));
        } else {
            memcpy(p + 8, w->inside, 16);
            memcpy(p + 24, w->tunnel.encap.dst, 16);
        }
        transmit(w, &buf, 0);
        free(buf.head);
    }
}

/* The paths that a packet of I takes, one in the other, as routes have it. */
static enum tmtu_pmtu_chain chain(const struct world *w)
{
    struct tmtu_pmtu_path paths[4];
    struct tmtu_flow f = to_target(w, 1);
    size_t n = 0;
    do {
        paths[n++] = path_of(w, &f);
        if (!goes_in(w, &f))
            break;
        f = to_target(w, 0);
    } while (n < TEST_ROWS(paths));
    return tmtu_pmtu_chain(paths, n);
}

static void one_entry_for_both_collapses_to_the_floor(void **s)
{
    (void)s;
    struct world w;
    begin(&w, 4, 1);
    assert_int_equal(chain(&w), TMTU_PMTU_CHAIN_SHARED);
    talk(&w, 100);
    const struct tmtu_pmtu_answer a = carries(&w, 1);
    assert_int_equal(a.mtu, 552);
    assert_int_equal(a.locked, 1);
    assert_int_equal(carries(&w, 0).mtu, 552); /* the same */
    assert_int_equal(w.fell, 40);     /* 1500 - 24 * 39 = 564, and a lock */
    assert_int_equal(w.refused, 100); /* nothing ever got through: */
    assert_int_equal(w.arrived, 0);
    assert_int_equal(w.last_told, 528); /* less than the entry could hold */
    free(w.paths);

    begin(&w, 6, 1);
    talk(&w, 100);
    assert_int_equal(carries(&w, 1).mtu, 1280); /* where IPv6 stops */
    assert_int_equal(w.fell, 5);                /* 1500 - 44 * 5 = 1280 */
    free(w.paths);
}

static void ours_goes_down_once_a_cause(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        const uint32_t gre = ipver == 4 ? 24 : 44;
        struct world w;
        begin(&w, ipver, 0);
        assert_int_equal(chain(&w), TMTU_PMTU_CHAIN_OK);
        talk(&w, 100);
        assert_int_equal(w.fell, 1); /* the tunnel's headers */
        assert_int_equal(w.refused, 1);
        assert_int_equal(w.arrived, 99);
        assert_int_equal(carries(&w, 1).mtu, LINK - gre);
        assert_int_equal(carries(&w, 0).mtu, LINK);

        w.hop = 1400; /* the path shrinks: both paths do, once, at one loss */
        talk(&w, 100);
        assert_int_equal(w.fell, 3);
        assert_int_equal(w.refused, 1);
        assert_int_equal(w.arrived, 99 + 99);
        assert_int_equal(carries(&w, 1).mtu, 1400 - gre);
        assert_int_equal(carries(&w, 0).mtu, 1400);
        assert_int_equal(carries(&w, 1).locked, 0);

        w.hop = LINK; /* and comes back when its time is over */
        w.now += 601000000000u;
        talk(&w, 100);
        assert_int_equal(w.fell, 4);
        assert_int_equal(carries(&w, 1).mtu, LINK - gre);
        assert_int_equal(carries(&w, 0).mtu, LINK);
        assert_int_equal(w.looped, 0);
        free(w.paths);
    }
}

static void
a_tunnel_that_is_routed_into_itself_is_named_and_carries_nothing(void **s)
{
    (void)s;
    for (unsigned ipver = 4; ipver <= 6; ipver += 2) {
        struct world w;
        begin(&w, ipver, 0);
        w.by_target = 1;
        assert_int_equal(chain(&w), TMTU_PMTU_CHAIN_RECURSIVE);
        talk(&w, 50);
        assert_int_equal(w.refused, 1); /* too long at first, and then it is */
        assert_int_equal(w.looped, 49); /* said what it is */
        assert_int_equal(w.arrived, 0);
        assert_int_equal(w.fell, 1);
        free(w.paths);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_entry_for_both_collapses_to_the_floor),
        cmocka_unit_test(ours_goes_down_once_a_cause),
        cmocka_unit_test(
            a_tunnel_that_is_routed_into_itself_is_named_and_carries_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

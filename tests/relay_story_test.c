/* SPDX-License-Identifier: MIT */
/* relay, pmtu and tunnel together: the path shrinks under a tunnel, a router
 * says so once, and from then on every packet is treated right. */
#include "relay_bed.h"

#include <tunmtu/frag.h>

enum { SECOND = 1000000000 };

/* A tunnel, what is known of its path, and the time. */
struct end {
    struct bed bed;
    uint64_t mem[1024];
    struct tmtu_pmtu *pmtu;
    struct tmtu_pmtu_path path;
    uint64_t now;
    uint32_t overhead;
};

static void end_init(struct end *e, unsigned inner, unsigned outer,
                     uint8_t kind)
{
    const struct tmtu_pmtu_options options = TMTU_PMTU_INIT;
    const struct tmtu_hash_key key = {1, 2};
    memset(e, 0, sizeof *e);
    e->bed = bed(inner, outer, kind);
    e->bed.tunnel.mtu.path_mtu = 1500;
    assert_int_equal(tmtu_tunnel_check(&e->bed.tunnel), 0);
    e->overhead = e->bed.tunnel.mtu.overhead;
    assert_true(tmtu_pmtu_sizeof(16) <= sizeof e->mem);
    e->pmtu = tmtu_pmtu_init(e->mem, 16, &options, &key);
    assert_non_null(e->pmtu);
    e->now = SECOND;
}

/* As a program does before each packet: what the path carries now. */
static struct tmtu_pmtu_answer end_asks(struct end *e)
{
    struct tmtu_pmtu_answer answer;
    struct tmtu_flow flow;
    memset(&flow, 0, sizeof flow);
    memcpy(flow.src, e->bed.tunnel.encap.src, 16);
    memcpy(flow.dst, e->bed.tunnel.encap.dst, 16);
    e->path = tmtu_pmtu_path(&flow, 0);
    tmtu_pmtu_lookup(e->pmtu, &e->path, 1500, e->now, &answer);
    e->bed.tunnel.mtu.path_mtu = answer.mtu;
    return answer;
}

/* A packet of `len` bytes wants in: "sent", "cut", or what it is told. What
 * leaves is never longer than the path. */
static const char *end_enters(struct end *e, size_t len)
{
    static char line[80];
    const struct tmtu_encap_each each = {1, 2};
    struct test_shape shape = e->bed.shape;
    struct tmtu_verdict v;
    const uint32_t path = end_asks(e).mtu;
    shape.len = len;
    struct tmtu_buf buf = test_made(&shape, TMTU_ENCAP_HEADROOM);
    struct tmtu_pkt pkt = test_parsed(&buf);
    tmtu_tunnel_enter(&e->bed.tunnel, &pkt, &v);
    snprintf(line, sizeof line, "%s",
             v.action == TMTU_TUNNEL_SEND ? "sent" : "cut");
    if (v.action == TMTU_TUNNEL_DROP)
        snprintf(line, sizeof line, "%s, told %u", tmtu_reason_name(v.reason),
                 v.info);
    else
        assert_int_equal(v.answer, 0);
    if (v.action != TMTU_TUNNEL_DROP) {
        assert_int_equal(tmtu_tunnel_push(&buf, &pkt, &e->bed.tunnel, &each),
                         0);
        if (v.action == TMTU_TUNNEL_SEND)
            assert_true(tmtu_buf_len(&buf) <= path);
    }
    if (v.action == TMTU_TUNNEL_CUT) {
        struct tmtu_pkt outer = test_parsed(&buf);
        struct tmtu_frag frag;
        struct tmtu_buf piece = test_buf(NULL, 0, 0, path);
        assert_int_equal(
            tmtu_frag_init(&frag, &outer, path, 1, TMTU_FRAG_FORCE), 0);
        int n = 0, rc;
        while ((rc = tmtu_frag_next(&frag, &piece)) > 0) {
            assert_true(tmtu_buf_len(&piece) <= path);
            n++;
            piece.tail = piece.data;
        }
        assert_int_equal(rc, 0);
        assert_true(n >= 2);
        free(piece.head);
    }
    free(buf.head);
    return line;
}

/* The router's error about a packet of `len` bytes that went before the path
 * shrank; what it was told as, and what became of what it taught. */
static const char *end_hears(struct end *e, size_t len, uint32_t mtu,
                             size_t quote)
{
    static char line[160];
    struct bed old = e->bed;
    struct tmtu_buf error;
    struct tmtu_relay r;
    old.tunnel.mtu.path_mtu = 1500;
    old.shape.len = len;
    struct tmtu_buf outer = bed_outer(&old);
    end_asks(e);
    e->bed.says.word = mtu;
    e->bed.quote = quote;
    const int rc = bed_read(&e->bed, &outer, &error, &r);
    int n = snprintf(line, sizeof line, "%s", bed_words(rc, &r));
    if (r.learns)
        snprintf(
            line + n, sizeof line - (size_t)n, ": %d",
            (int)tmtu_pmtu_learn(e->pmtu, &e->path, &r.learn, 1500, e->now));
    free(error.head);
    free(outer.head);
    return line;
}

static void assert_says(const char *where, const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s: %s, not %s", where, got, want);
}

/* K73 K74 K81 R-2003-24: 1500 becomes 1400. A long quote is told at once, and
 * the right MTU; a short one is not, and the next packet is, before it leaves:
 * one packet lost either way. */
static void k73_k81_the_path_shrinks_under_every_pair_and_kind(void **state)
{
    (void)state;
    for (size_t p = 0; p < TEST_ROWS(test_pairs); p++)
        for (size_t k = 0; k < TEST_ROWS(bed_kinds); k++)
            for (int brief = 0; brief < 2; brief++) {
                struct end e;
                char where[80], want[80];
                const unsigned outer = test_pairs[p].outer;
                end_init(&e, test_pairs[p].inner, outer, bed_kinds[k].kind);
                const uint32_t full = 1500 - e.overhead;
                const uint32_t now = 1400 - e.overhead;
                snprintf(where, sizeof where, "%s %s %s", test_pairs[p].name,
                         bed_kinds[k].name, brief ? "short" : "long");
                assert_says(where, end_enters(&e, full), "sent");

                if (brief)
                    snprintf(want, sizeof want, "quote_short, learn 1400: 0");
                else
                    snprintf(want, sizeof want, "too big %u, learn 1400: 0",
                             now);
                assert_says(
                    where,
                    end_hears(&e, full, 1400,
                              brief ? (outer == 4 ? 28 : 48) : SIZE_MAX),
                    want);
                snprintf(want, sizeof want, "too_big, told %u", now);
                assert_says(where, end_enters(&e, full), want);
                assert_says(where, end_enters(&e, now + 1), want);
                assert_says(where, end_enters(&e, now), "sent");

                /* Errors about others that were on their way: known. */
                if (!brief) {
                    snprintf(want, sizeof want, "too big %u, learn 1400: 2",
                             now);
                    assert_says(where, end_hears(&e, full, 1400, SIZE_MAX),
                                want);
                }
                /* K95: ten minutes later it is tried again. */
                e.now += 601ull * SECOND;
                assert_says(where, end_enters(&e, full), "sent");
            }
}

/* R-2473-14, RFC 2473 §7.1: where less than 1280 is left for IPv6, it is
 * carried in outer fragments, and nobody is told less than 1280. */
static void r_2473_14_at_the_floor_of_ipv6(void **state)
{
    (void)state;
    for (size_t p = 0; p < TEST_ROWS(test_pairs); p++)
        for (size_t k = 0; k < TEST_ROWS(bed_kinds); k++) {
            struct end e;
            char where[80];
            if (test_pairs[p].inner != 6)
                continue;
            end_init(&e, 6, test_pairs[p].outer, bed_kinds[k].kind);
            snprintf(where, sizeof where, "%s %s", test_pairs[p].name,
                     bed_kinds[k].name);
            assert_says(where, end_hears(&e, 1280, 1290, SIZE_MAX),
                        "fits, learn 1290: 0");
            assert_says(where, end_enters(&e, 1280), "cut");
            assert_says(where, end_enters(&e, 1290 - e.overhead), "sent");
            assert_says(where, end_enters(&e, 1291 - e.overhead), "cut");
            assert_says(where, end_enters(&e, 1281), "too_big, told 1280");
            assert_says(where, end_hears(&e, 1400, 1290, SIZE_MAX),
                        "too big 1280, learn 1290: 2");
        }
}

/* K79: IPv4 that may be cut is carried on, in fragments, and nobody is told. */
static void k79_without_df_nothing_is_told_and_nothing_lost(void **state)
{
    (void)state;
    for (unsigned outer = 4; outer <= 6; outer += 2) {
        struct end e;
        end_init(&e, 4, outer, TMTU_ENCAP_IPIP);
        e.bed.shape.frag = 0;
        assert_string_equal(end_enters(&e, 1460), "sent");
        assert_string_equal(end_hears(&e, 1460, 1400, SIZE_MAX),
                            "may_cut, learn 1400: 0");
        assert_string_equal(end_enters(&e, 1460), "cut");
        assert_string_equal(end_enters(&e, 1400 - e.overhead), "sent");
    }
}

/* K78 K96 K97: below the floor, the path is locked there; what is told of it
 * then is the same, from the error and from the tunnel. */
static void k78_below_the_floor_of_ipv4(void **state)
{
    (void)state;
    struct end e;
    end_init(&e, 4, 4, TMTU_ENCAP_IPIP);
    assert_string_equal(end_hears(&e, 1480, 400, SIZE_MAX),
                        "too big 532, learn 400: 0");
    const struct tmtu_pmtu_answer answer = end_asks(&e);
    assert_int_equal(answer.mtu, 552);
    assert_true(answer.locked);
    assert_string_equal(end_enters(&e, 1480), "too_big, told 532");
    assert_string_equal(end_hears(&e, 1480, 300, SIZE_MAX),
                        "too big 532, learn 300: 4");
    assert_string_equal(end_enters(&e, 532), "sent");
}

/* K78: the router does not say how much. The guess is told, and kept. */
static void k78_an_mtu_that_is_not_told(void **state)
{
    (void)state;
    struct end e;
    end_init(&e, 4, 4, TMTU_ENCAP_GRE);
    assert_string_equal(end_hears(&e, 1476, 0, SIZE_MAX),
                        "too big 982, learn 0: 0"); /* 1006 */
    assert_string_equal(end_enters(&e, 1476), "too_big, told 982");
    assert_string_equal(end_enters(&e, 982), "sent");
}

/* R-4301-04, K106: what quotes less than 8 bytes of the tunnel packet teaches
 * nothing; what claims no less than it quotes neither. */
static void r_4301_04_what_could_be_about_anything(void **state)
{
    (void)state;
    struct end e;
    end_init(&e, 4, 4, TMTU_ENCAP_IPIP);
    assert_string_equal(end_hears(&e, 1480, 1400, 27),
                        "quote_short, learn? 1400: 6");
    assert_string_equal(end_hears(&e, 1480, 1500, SIZE_MAX), "mtu_claim");
    assert_string_equal(end_enters(&e, 1480), "sent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k73_k81_the_path_shrinks_under_every_pair_and_kind),
        cmocka_unit_test(r_2473_14_at_the_floor_of_ipv6),
        cmocka_unit_test(k79_without_df_nothing_is_told_and_nothing_lost),
        cmocka_unit_test(k78_below_the_floor_of_ipv4),
        cmocka_unit_test(k78_an_mtu_that_is_not_told),
        cmocka_unit_test(r_4301_04_what_could_be_about_anything),
    };
    return cmocka_run_group_tests_name("relay_story", tests, NULL, NULL);
}

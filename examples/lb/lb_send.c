/* SPDX-License-Identifier: MIT */
/* What a load balancer sends: packets to servers, whole or cut, and answers. */
#include <string.h>

#include <tunmtu/cksum.h>
#include <tunmtu/reset.h>

#include "lb_own.h"

/* Builds a reset into `out`. There is none for a reset. */
static bool reset(struct lb *lb, const struct tmtu_pkt *pkt,
                  struct tmtu_buf *out)
{
    const int rc = tmtu_reset_build(out, pkt);
    if (rc < 0 && rc != TMTU_E_FORBIDDEN)
        lb_unanswered(lb, tmtu_reason_of(rc));
    return rc == 0;
}

/* Builds an ICMP error into `out`. */
static bool error(struct lb *lb, const struct tmtu_pkt *pkt,
                  struct tmtu_icmp_error *e, struct tmtu_buf *out)
{
    e->id = lb->answer_id;
    if (pkt->flow.ipver == 4 && lb->mtu < TMTU_ICMP4_MAX)
        e->max = (uint16_t)lb->mtu; /* no more than the way back carries: K52 */
    const int rc = tmtu_icmp_build(out, pkt, e);
    if (rc < 0) {
        /* That it may be sent was asked before: there is no room for a quote.
         */
        lb_unanswered(lb, rc == TMTU_E_FORBIDDEN ? TMTU_R_NO_ROOM
                                                 : TMTU_R_INTERNAL);
        return false;
    }
    lb->answer_id = (uint16_t)(lb->answer_id + lb->id_step);
    return true;
}

/* Builds an answer into `out`; false, and counted, if it may not be sent. A
 * reset is limited as the error that it stands for. */
static bool answer(struct lb *lb, const struct tmtu_pkt *pkt,
                   struct tmtu_icmp_error *e, enum lb_answer kind,
                   struct tmtu_buf *out)
{
    if (kind == LB_RESET && !reset(lb, pkt, out))
        return false;
    const enum tmtu_reason silent =
        lb->limit != NULL ? tmtu_limit_take(lb->limit, pkt, e, lb->now)
                          : TMTU_OK;
    if (silent != TMTU_OK) {
        out->tail = out->data;
        lb_unanswered(lb, silent);
        return false;
    }
    if (kind != LB_RESET && !error(lb, pkt, e, out))
        return false;
    lb->counters.answered[kind]++;
    lb->note.answered = true;
    lb->note.answer = (uint8_t)kind;
    lb->note.mtu = e->info;
    return true;
}

static int sent(struct lb *lb, const struct tmtu_buf *out)
{
    lb->counters.out++;
    lb->counters.out_bytes += tmtu_buf_len(out);
    return 1;
}

uint32_t lb_id(struct lb *lb)
{
    uint32_t *id = &lb->id[lb->work.server->path];
    if ((uint16_t)*id == 0) /* looks like none */
        *id += lb->id_step;
    return *id;
}

/* The identification was taken: with DF, IPv4 has none (K36). */
static void spend_id(struct lb *lb)
{
    const struct lb_work *w = &lb->work;
    const struct tmtu_encap *e = &w->server->tunnel.encap;
    const bool df = e->df == TMTU_DF_SET ||
                    (e->df == TMTU_DF_COPY && (w->pkt.flags & TMTU_PKT_DF));
    if (!df || w->cut || !tmtu_addr_is4(e->dst))
        lb->id[w->server->path] += lb->id_step;
}

static void forwarded(struct lb *lb)
{
    struct lb_work *w = &lb->work;
    lb->counters.cut += w->cut;
    if (w->back) {
        lb_end(lb, LB_RETURNED);
        lb->counters.icmp_returned += lb->note.icmp;
        w->server->returned++;
        w->server->returned_bytes += w->pkt.len;
        return;
    }
    lb_end(lb, LB_FORWARDED);
    if (lb->note.icmp)
        lb->counters.icmp[lb->note.icmp_kind]++;
    lb->counters.by_address += lb->note.by_address;
    w->server->packets++;
    w->server->bytes += w->pkt.len;
}

void lb_entered(struct lb *lb)
{
    spend_id(lb);
    forwarded(lb);
}

void lb_super(struct lb *lb)
{
    struct lb_work *w = &lb->work;
    const int rc =
        tmtu_segment_init(&w->segment, &w->pkt, w->cwr ? TMTU_SEGMENT_CWR : 0);
    if (rc < 0) {
        lb_drop(lb, tmtu_reason_of(rc));
        return;
    }
    w->super = true;
    forwarded(lb);
}

/* Puts the packet into its tunnel, when there was more to do than that. */
static bool enter(struct lb *lb)
{
    struct lb_work *w = &lb->work;
    const uint32_t mtu = w->server->tunnel.mtu.path_mtu;
    const struct tmtu_encap_each each = {lb_id(lb), w->hash};
    struct tmtu_pkt outer;

    if (w->server->forward != LB_TUNNEL)
        return lb_direct_enter(lb);
    if (tmtu_tunnel_push(&w->buf, &w->pkt, &w->server->tunnel, &each) < 0 ||
        (w->cut &&
         (tmtu_ip_parse(tmtu_buf_view(&w->buf), 0, &outer) < 0 ||
          tmtu_frag_init(&w->frag, &outer, mtu, each.id, TMTU_FRAG_FORCE) < 0)))
        return false;
    w->begun = w->cut;
    return true;
}

/* Puts the next segment of a super-packet into its tunnel; it is in `out` then,
 * or to be cut. */
static bool enter_segment(struct lb *lb, struct tmtu_buf *out)
{
    struct lb_work *w = &lb->work;
    w->buf =
        w->cut ? tmtu_buf(lb->memory, TMTU_IO_PACKET, TMTU_IO_HEADROOM) : *out;
    /* Nothing but the end stops it: what may be said against a segment was held
     * against the super-packet. */
    if (tmtu_segment_next(&w->segment, &w->buf) != 1 ||
        tmtu_ip_parse(tmtu_buf_view(&w->buf), 0, &w->pkt) < 0 || !enter(lb))
        return false;
    spend_id(lb);
    if (!w->cut)
        *out = w->buf;
    return true;
}

/* The packet as it is. */
static int hand_over(struct lb *lb, struct tmtu_buf *out)
{
    const struct tmtu_buf *buf = &lb->work.buf;
    const size_t n = tmtu_buf_len(buf);
    if (!lb->work.own) {
        *out = *buf;
        return sent(lb, out);
    }
    uint8_t *to = tmtu_buf_put(out, n);
    if (to == NULL)
        return 0; /* cannot be: it fits the path, and so does out */
    tmtu_copy(to, buf->data, n);
    return sent(lb, out);
}

/* What the host gets from us it does not forward: to where it would, it had
 * come from there, and would come again. It answers no ICMP error. */
static void last_hop(struct tmtu_buf *buf, const struct tmtu_pkt *pkt)
{
    uint8_t *p = buf->data;
    if (pkt->flow.ipver == 6) {
        p[7] = 1;
        return;
    }
    const uint16_t from = tmtu_get16(p + 8), to = 0x100u | (from & 0xffu);
    tmtu_put16(p + 8, to);
    tmtu_put16(p + 10, tmtu_cksum_update16(tmtu_get16(p + 10), from, to));
}

int lb_give(struct lb *lb, struct tmtu_buf *out)
{
    struct lb_work *w = &lb->work;
    const enum lb_answer due = (enum lb_answer)w->answer;
    lb->via = NULL;
    if (due != LB_NO_ANSWER) {
        w->answer = LB_NO_ANSWER;
        /* Before the packet is changed: it is quoted. */
        if (answer(lb, &w->pkt, &w->error, due, out))
            return sent(lb, out);
    }
    if (w->pass) {
        w->pass = false;
        last_hop(&w->buf, &w->pkt);
        lb->counters.passed++;
        return hand_over(lb, out);
    }
    if (w->server != NULL && w->server->forward == LB_DIRECT)
        lb->via = w->server->tunnel.encap.dst;
    if (w->send) {
        w->send = false;
        if (!w->entered) {
            if (!enter(lb)) {
                lb_drop(lb, TMTU_R_INTERNAL);
                return 0;
            }
            lb_entered(lb);
        }
        if (!w->cut)
            return hand_over(lb, out);
    }
    do {
        if (w->begun && tmtu_frag_next(&w->frag, out) == 1) {
            lb->counters.fragments++;
            lb->note.fragments++;
            return sent(lb, out);
        }
        w->begun = false;
        w->super = w->super && enter_segment(lb, out);
        if (w->super && !w->cut)
            return sent(lb, out);
    } while (w->super);
    return 0;
}

int lb_expire(struct lb *lb, uint64_t now, struct tmtu_buf *out)
{
    struct tmtu_view first;
    lb->now = now;
    while (tmtu_reass_expire(lb->reass, now, &first) == 1) {
        struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
        struct tmtu_pkt pkt;
        e.kind = TMTU_ICMP_EXPIRED;
        e.code = 1; /* in reassembly: ICMP 11/1, ICMPv6 3/1 */
        if (tmtu_ip_parse(first, 0, &pkt) < 0)
            continue; /* the first fragment never came */
        memset(&lb->note, 0, sizeof lb->note);
        const enum tmtu_reason silent = tmtu_icmp_may_send(&pkt, &e);
        if (!lb_nat_speaks(lb, &pkt, &e))
            continue;
        if (silent != TMTU_OK)
            lb_unanswered(lb, silent);
        else if (answer(lb, &pkt, &e, LB_REASSEMBLY_EXPIRED, out))
            return sent(lb, out);
    }
    conns_sweep(&lb->conns, now);
    return 0;
}

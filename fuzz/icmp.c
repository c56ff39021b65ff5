/* SPDX-License-Identifier: MIT */
/* icmp: any packet, read as an error; and an error built about it, which must
 * read as what was asked for, however it was built. */
#include <string.h>

#include <tunmtu/encap.h>
#include <tunmtu/icmp.h>

#include "harness.h"

static void right_sums(const uint8_t *p, size_t n)
{
    if (p[0] >> 4 == 4) {
        must(sum_up(0, p, 20) == 0xffff);
        must(sum_up(0, p + 20, n - 20) == 0xffff);
    } else {
        const uint32_t sum = sum_up((uint32_t)(n - 40) + 58, p + 8, 32);
        must(sum_up(sum, p + 40, n - 40) == 0xffff);
    }
}

/* A message that was built: everything that may be said of it. */
static void right_message(const struct tmtu_buf *msg,
                          const struct tmtu_pkt *about,
                          const struct tmtu_icmp_error *error)
{
    const size_t n = tmtu_buf_len(msg);
    struct tmtu_pkt pkt;
    struct tmtu_icmp got;
    must(n <= (about->flow.ipver == 4 ? TMTU_ICMP4_MAX : TMTU_ICMP6_MAX));
    must(error->max == 0 || n <= error->max);
    right_sums(msg->data, n);
    must(tmtu_ip_parse(tmtu_buf_view(msg), TMTU_IP_VERIFY, &pkt) == 0);
    must(pkt.len == n && tmtu_ip_transport_verify(&pkt) == 0);
    must(memcmp(pkt.flow.dst, about->flow.src, 16) == 0);
    must(memcmp(pkt.flow.src, about->flow.src, 16) != 0);
    must(tmtu_icmp_parse(&pkt, &got) == 0);
    must(got.kind == error->kind && got.info == error->info && !got.ext);
    must(got.quoted.len == about->len);
    must(memcmp(got.quoted.flow.src, about->flow.src, 32) == 0);
    if (got.quoted.flow.flags) /* a long IPv6 chain leaves no room for ports */
        must(tmtu_flow_equal(&got.quoted.flow, &about->flow));
    else
        must(!about->flow.flags ||
             (got.quoted.flags & (TMTU_PKT_CUT | TMTU_PKT_ICMP)));

    /* What is quoted is what was there. */
    uint32_t seq = 0, sent = 0;
    const int rc = tmtu_icmp_seq(&got.quoted, &seq);
    must(tmtu_icmp_quote_check(&got.quoted) == tmtu_icmp_quote_check(about));
    if (rc == 0)
        must(tmtu_icmp_seq(about, &sent) == 0 && seq == sent);
    else if (rc == TMTU_E_TRUNCATED)
        must(got.quoted.have < got.quoted.l4 + 8u);

    /* Nobody may answer it with an error, or a redirect. */
    struct tmtu_icmp_hop hop = {{0}, 1, 1, 1};
    memcpy(hop.next, pkt.flow.src, 16);
    hop.next[15] ^= 1;
    must(!tmtu_icmp_may_redirect(&pkt, &hop));
    must(tmtu_ip_is_icmp_error(&pkt));
    must(tmtu_icmp_may_send(&pkt, error) == TMTU_R_ABOUT_ERROR);
}

/* The first 16 bytes say which error, and with how much room; the packet it is
 * about follows. */
static void build(const uint8_t *data, size_t size)
{
    struct tmtu_icmp_error error = TMTU_ICMP_ERROR_INIT;
    struct tmtu_pkt pkt;
    const uint8_t *p = data + 16;
    const size_t n = size - 16;
    if (tmtu_ip_parse(tmtu_view(p, n), 0, &pkt) < 0)
        return;
    error.kind = data[0] & 7;
    error.code = data[1];
    error.ttl = data[2];
    error.tos = data[3] & 1;
    error.info = data[3] & 2 ? tmtu_get32(data + 4) : tmtu_get16(data + 6);
    error.max = tmtu_get16(data + 8) & 0x7ff;
    error.id = tmtu_get16(data + 10);
    if (data[3] & 4) {
        const uint8_t ip4[4] = {203, 0, 113, data[12]};
        tmtu_addr_set4(error.src, ip4);
    } else if (data[3] & 8) {
        error.src[0] = 0x20;
        error.src[15] = data[12];
    }
    if (data[3] & 16)
        pkt.flags |= TMTU_PKT_L2_GROUP;

    const size_t headroom = data[13] % 64, room = TMTU_ICMP6_MAX;
    uint8_t *mem = malloc(headroom + n), *other = malloc(room);
    must(mem != NULL && other != NULL);
    struct tmtu_buf buf = tmtu_buf(mem, headroom + n, headroom);
    struct tmtu_buf out = tmtu_buf(other, room, 0);
    memcpy(tmtu_buf_put(&buf, n), p, n);
    pkt.data = buf.data;

    const int about_error = tmtu_ip_is_icmp_error(&pkt);
    const enum tmtu_reason reason = tmtu_icmp_may_send(&pkt, &error);
    const int rc = tmtu_icmp_build(&out, &pkt, &error);
    must(memcmp(buf.data, p, n) == 0); /* the offender is left alone */
    const struct tmtu_buf before = buf;
    const int wrap = tmtu_icmp_wrap(&buf, &pkt, &error);
    const size_t head = pkt.flow.ipver == 4 ? 28 : 48;
    must(wrap == (rc == 0 && headroom < head ? (int)TMTU_E_NOSPACE : rc));
    if (wrap < 0) {
        must(memcmp(&buf, &before, sizeof buf) == 0);
        must(memcmp(buf.data, p, n) == 0);
    }
    if (rc < 0) {
        must(tmtu_buf_len(&out) == 0);
    } else {
        must(!about_error && reason == TMTU_OK);
        right_message(&out, &pkt, &error);
        if (wrap == 0) {
            must(tmtu_buf_len(&buf) == tmtu_buf_len(&out));
            must(memcmp(buf.data, out.data, tmtu_buf_len(&out)) == 0);
        }
    }
    free(mem);
    free(other);
}

/* Reads what is there as an error. */
static void read_it(const uint8_t *data, size_t size)
{
    struct tmtu_pkt pkt;
    struct tmtu_icmp got, before;
    if (tmtu_ip_parse(tmtu_view(data, size), 0, &pkt) < 0)
        return;
    memset(&got, 0xa5, sizeof got);
    memset(&before, 0xa5, sizeof before);
    if (tmtu_icmp_parse(&pkt, &got) < 0) {
        must(memcmp(&got, &before, sizeof got) == 0);
        return;
    }
    must(got.kind >= TMTU_ICMP_UNREACH && got.kind <= TMTU_ICMP_OTHER);
    must(got.quoted.data == pkt.data + pkt.l4 + 8);
    must(got.quoted.data + got.quoted.have <= pkt.data + pkt.have);
    must(got.quoted.flow.ipver == pkt.flow.ipver);
    must(strcmp(tmtu_icmp_meaning(pkt.flow.ipver, got.type, got.code),
                "not an error") != 0);
    const size_t head = (got.quoted.data[0] & 15) * 4u;
    int sum = TMTU_E_IGNORED;
    if (pkt.flow.ipver == 4)
        sum = sum_up(0, got.quoted.data, head) == 0xffff ? 0 : TMTU_E_CHECKSUM;
    must(tmtu_icmp_quote_check(&got.quoted) == sum);

    /* Whatever is in it lies inside of it, and is at most what it says. */
    struct tmtu_pkt inner;
    uint32_t seq;
    const int levels = tmtu_encap_innermost(&got.quoted, &inner);
    must(levels >= 0 && levels <= TMTU_ENCAP_NESTING);
    must(inner.data >= got.quoted.data + levels * 20);
    must(inner.data + inner.have <= got.quoted.data + got.quoted.have);
    if (tmtu_icmp_seq(&inner, &seq) == 0)
        must(inner.flow.proto == 6 && !(inner.flags & TMTU_PKT_LATER) &&
             inner.have >= inner.l4 + 8u && (inner.flow.flags) != 0 &&
             seq == tmtu_get32(inner.data + inner.l4 + 4));
    must(tmtu_ip_is_icmp_error(&pkt));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 16)
        return 0;
    read_it(data + 16, size - 16);
    build(data, size);
    return 0;
}

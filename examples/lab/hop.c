/* SPDX-License-Identifier: MIT */
/* A router without sockets and clock, whose next link can shrink, and who
 * quotes as little of a packet as it is told to. */
#include "hop.h"

#include <stdlib.h>
#include <string.h>
#include <tunmtu/mtu.h>

/* Receivers of answers that are told apart. */
enum { LIMIT_HOSTS = 64 };

bool hop_init(struct hop *hop)
{
    static const struct tmtu_limit_options as_linux = TMTU_LIMIT_LINUX;
    /* Who collides with whom does not matter among a few hosts of a lab. */
    static const struct tmtu_hash_key key = {1, 2};

    memset(hop, 0, sizeof *hop);
    void *memory = malloc(tmtu_limit_sizeof(LIMIT_HOSTS));
    if (memory != NULL)
        hop->limit = tmtu_limit_init(memory, LIMIT_HOSTS, &as_linux, &key);
    return hop->limit != NULL;
}

void hop_free(struct hop *hop)
{
    free(hop->limit);
    hop->limit = NULL;
}

static enum hop_fate end(struct hop *hop, enum hop_fate fate)
{
    hop->fate[fate]++;
    return fate;
}

static enum hop_fate drop(struct hop *hop, enum tmtu_reason reason)
{
    hop->reason = reason;
    hop->drop[reason]++;
    return end(hop, HOP_DROPPED);
}

static bool link_local(const uint8_t addr[16])
{
    if (tmtu_addr_is4(addr))
        return addr[12] == 169 && addr[13] == 254;
    return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* Whether a packet is a router's business: from one host to another one, both
 * of them elsewhere (RFC 1812 §5.3.7, RFC 4291 §2.5.6). */
static bool routed(const struct hop *hop, const struct tmtu_flow *f)
{
    const bool v6 = f->ipver == 6;
    return hop->has[v6] && tmtu_addr_is_host(f->src) &&
           tmtu_addr_is_host(f->dst) && !link_local(f->src) &&
           !link_local(f->dst) && !tmtu_addr_equal(f->src, hop->address[v6]) &&
           !tmtu_addr_equal(f->dst, hop->address[v6]);
}

/* Makes the packet the answer to itself, as it came in: its TTL is quoted as it
 * was (RFC 1812 §4.3.2.3). */
static enum hop_fate answer(struct hop *hop, struct tmtu_buf *buf,
                            const struct tmtu_pkt *pkt, uint32_t mtu,
                            uint64_t now)
{
    const bool v6 = pkt->flow.ipver == 6;
    struct tmtu_icmp_error e = TMTU_ICMP_ERROR_INIT;
    e.kind = mtu != 0 ? TMTU_ICMP_TOO_BIG : TMTU_ICMP_EXPIRED;
    e.info = mtu;
    e.from = TMTU_ICMP_FROM_SRC;
    tmtu_copy(e.src, hop->address[v6], 16);
    e.id = hop->id;
    if (hop->quote[v6] != 0)
        e.max = (uint16_t)(hop->quote[v6] + (v6 ? 48 : 28));

    enum tmtu_reason silent = tmtu_icmp_may_send(pkt, &e);
    if (silent == TMTU_OK)
        silent = tmtu_limit_take(hop->limit, pkt, &e, now);
    if (silent != TMTU_OK)
        return drop(hop, silent);
    if (tmtu_icmp_wrap(buf, pkt, &e) < 0)
        return drop(hop, TMTU_R_NO_ROOM);
    hop->id++;
    return end(hop, mtu != 0 ? HOP_TOO_BIG : HOP_EXPIRED);
}

enum hop_fate hop_pass(struct hop *hop, struct tmtu_buf *buf, uint32_t mtu,
                       uint64_t now)
{
    struct tmtu_pkt pkt;

    int rc = tmtu_ip_parse(tmtu_buf_view(buf), TMTU_IP_VERIFY, &pkt);
    if (rc < 0)
        return drop(hop, tmtu_reason_of(rc));
    if (!routed(hop, &pkt.flow))
        return end(hop, HOP_NOT_ROUTED);
    /* A packet that dies here is not told that it is too big: K35. */
    if (pkt.ttl <= 1)
        return answer(hop, buf, &pkt, 0, now);
    const bool cut = pkt.len > mtu;
    if (cut && pkt.flow.ipver == 6 && mtu < TMTU_IP6_MIN_MTU)
        return drop(hop, TMTU_R_MTU_FLOOR); /* no link for IPv6 */
    if (cut && (pkt.flow.ipver == 6 || (pkt.flags & TMTU_PKT_DF)))
        return answer(hop, buf, &pkt, mtu, now);

    tmtu_buf_trim(buf, pkt.len);
    rc = tmtu_ip_hop(buf, &pkt);
    if (rc == 0 && cut)
        rc = tmtu_frag_init(&hop->frag, &pkt, mtu, hop->frag_id++, 0);
    if (rc < 0)
        return drop(hop, TMTU_R_INTERNAL);
    return end(hop, cut ? HOP_CUT : HOP_FORWARDED);
}

/* SPDX-License-Identifier: MIT */
/* Which errors are passed on: those that say "too big" to somebody else. */
#include "pmtud.h"

#include <string.h>

#include "pmtud_own.h"

/* What pmtud has always taken for an MTU, and what --strict does. */
enum { MTU_MIN = 68, MTU_MAX = 16384, STRICT_MIN = 576, STRICT_MAX = 1499 };

/* Times are counted from here, so that none is below zero. */
static const uint64_t epoch = (uint64_t)1 << 60;

const char *pmtud_fate_name(int fate)
{
    static const char *const names[PMTUD_FATES] = {
        [PMTUD_SENT] = "sent",
        [PMTUD_NOT_TOO_BIG] = "pass.not_too_big",
        [PMTUD_OWN] = "pass.own",
        [PMTUD_COPY_GROUP] = "copy.group",
        [PMTUD_COPY_TUNNEL] = "copy.tunnel",
        [PMTUD_COPY_OUT] = "copy.outgoing",
        [PMTUD_NOT_HOST] = "pass.other_host",
        [PMTUD_NOT_VLAN] = "pass.vlan",
        [PMTUD_FRAGMENT] = "drop.fragment",
        [PMTUD_BAD_MTU] = "drop.mtu",
        [PMTUD_NOT_STRICT] = "drop.strict",
        [PMTUD_NOT_PORT] = "drop.port",
        [PMTUD_NO_PORTS] = "drop.no_ports",
        [PMTUD_NOT_SERVED] = "drop.not_served",
        [PMTUD_NO_SERVER] = "drop.no_server",
        [PMTUD_DUPLICATE] = "drop.duplicate",
        [PMTUD_SRC_RATE] = "drop.src_rate",
        [PMTUD_IFACE_RATE] = "drop.iface_rate",
        [PMTUD_FULL] = "drop.full",
    };
    return fate < 0 || fate >= PMTUD_FATES ? NULL : names[fate];
}

enum pmtud_fate pmtud_drop(struct pmtud *d, enum tmtu_reason reason)
{
    d->note.reason = (uint8_t)reason;
    d->counters.drop[reason]++;
    return PMTUD_DROPPED;
}

/* Whether it is for this host, and comes from elsewhere. */
static enum pmtud_fate by_host(uint32_t flags)
{
    if (flags & PMTUD_OUTGOING)
        return PMTUD_COPY_OUT;
    if (flags & PMTUD_OTHER_HOST)
        return PMTUD_NOT_HOST;
    return flags & PMTUD_VLAN ? PMTUD_NOT_VLAN : PMTUD_SENT;
}

/* Copies are known by how they come: what was sent to all comes to a group
 * address, what was sent to one host in a tunnel, out of the tunnel
 * (R-7690-06).
 */
static enum pmtud_fate by_way(uint32_t flags)
{
    if (flags & PMTUD_GROUP)
        return PMTUD_COPY_GROUP;
    return flags & PMTUD_TUNNEL ? PMTUD_COPY_TUNNEL : PMTUD_SENT;
}

/* Whether a packet of this source can have been sent from here. */
static uint8_t ours(const struct pmtud *d, const uint8_t src[16])
{
    const struct pmtud_config *c = d->config;
    if (!tmtu_addr_is_host(src))
        return TMTU_TRUST_OURS_NO;
    if (c->mode == PMTUD_STEER && !services_has_vip(c->services, src))
        return TMTU_TRUST_OURS_NO;
    if (c->vips.n > 0 && !args_addrs_has(&c->vips, src))
        return TMTU_TRUST_OURS_NO;
    return c->mode == PMTUD_STEER || c->vips.n > 0 ? TMTU_TRUST_OURS_YES
                                                   : TMTU_TRUST_OURS_UNKNOWN;
}

/* What speaks against it. */
static enum pmtud_fate judged(struct pmtud *d, const struct tmtu_icmp *icmp)
{
    static const struct tmtu_trust_options strict = TMTU_TRUST_INIT;
    struct tmtu_trust_facts facts = {0};
    struct tmtu_trust trust;

    if (icmp->info < MTU_MIN || icmp->info > MTU_MAX)
        return PMTUD_BAD_MTU; /* 0xffffffff of broken IPv6 routers, too */
    if (d->config->strict &&
        (icmp->info < STRICT_MIN || icmp->info > STRICT_MAX))
        return PMTUD_NOT_STRICT;
    facts.ours = ours(d, icmp->quoted.flow.src);
    if (tmtu_trust_decide(&d->pkt, icmp, &strict, &facts, &trust) < 0)
        return pmtud_drop(d, TMTU_R_INTERNAL);
    if (trust.believed)
        return PMTUD_SENT;
    const uint32_t against = trust.against & strict.refuse;
    while (!(against >> d->note.doubt & 1))
        d->note.doubt++;
    d->counters.doubt[d->note.doubt]++;
    return PMTUD_DOUBTED;
}

static enum pmtud_fate by_port(const struct pmtud *d,
                               const struct tmtu_flow *quoted)
{
    if (!d->config->by_port)
        return PMTUD_SENT;
    if (!(quoted->flags & TMTU_FLOW_PORTS))
        return PMTUD_NO_PORTS;
    return d->config->ports[quoted->sport / 64] >> quoted->sport % 64 & 1
               ? PMTUD_SENT
               : PMTUD_NOT_PORT;
}

/* Tokens of both buckets, or of none; and one more name in the tables, which
 * are not touched for what is not sent: a flood only reads. */
static enum pmtud_fate limited(struct pmtud *d, uint64_t now)
{
    const struct tmtu_hash_key *key = &d->config->table;
    uint8_t bytes[sizeof(struct tmtu_flow) + 4];
    struct rate_entry *oldest, *unused;
    bool told, known;

    memcpy(bytes, &d->note.quoted, sizeof d->note.quoted);
    tmtu_put32(bytes + sizeof d->note.quoted, d->note.mtu);
    const uint64_t what = tmtu_hash_bytes(key, bytes, sizeof bytes) | 1;
    const uint64_t who =
        tmtu_hash_bytes(key, d->note.reporter, sizeof d->note.reporter) | 1;

    struct rate_entry *say =
        rate_find(&d->told, what, d->config->duplicate, now, &told, &oldest);
    if (told && now - say->when < d->config->duplicate)
        return PMTUD_DUPLICATE;
    struct rate_entry *src =
        rate_find(&d->sources, who, d->src.full, now, &known, &unused);
    if (known && !rate_may(&d->src, src->when, now))
        return PMTUD_SRC_RATE;
    if (!rate_may(&d->iface, d->iface_since, now))
        return PMTUD_IFACE_RATE;
    if (src == NULL) /* to forget one of them would let it send too much */
        return PMTUD_FULL;
    src->when = rate_take(&d->src, known ? src->when : now - d->src.full, now);
    src->name = who;
    d->iface_since = rate_take(&d->iface, d->iface_since, now);
    if (d->config->duplicate > 0) {
        if (say == NULL)
            say = oldest; /* and that may be told once more */
        say->name = what;
        say->when = now;
    }
    return PMTUD_SENT;
}

static enum pmtud_fate decide(struct pmtud *d, uint64_t now)
{
    struct tmtu_icmp icmp;
    enum pmtud_fate fate = by_host(d->in.flags);
    if (fate != PMTUD_SENT)
        return fate;
    const int rc =
        tmtu_ip_parse(tmtu_view(d->in.p, d->in.n), TMTU_IP_VERIFY, &d->pkt);
    if (rc < 0)
        return pmtud_drop(d, tmtu_reason_of(rc));
    const uint8_t proto = d->pkt.flow.ipver == 4 ? 1 : 58;
    if (d->pkt.flow.proto != proto)
        return PMTUD_NOT_TOO_BIG;
    if (d->pkt.flags & TMTU_PKT_FRAGMENT)
        return PMTUD_FRAGMENT;
    const int read = tmtu_icmp_parse(&d->pkt, &icmp);
    if (read == TMTU_E_IGNORED)
        return PMTUD_NOT_TOO_BIG;
    if (read < 0)
        return pmtud_drop(d, tmtu_reason_of(read));
    if (icmp.kind != TMTU_ICMP_TOO_BIG)
        return PMTUD_NOT_TOO_BIG;
    d->note.error = true;
    d->note.mtu = icmp.info;
    d->note.quoted = icmp.quoted.flow;
    tmtu_copy(d->note.reporter, d->pkt.flow.src, 16);
    fate = by_way(d->in.flags);
    if (fate == PMTUD_SENT)
        fate = judged(d, &icmp);
    if (fate == PMTUD_SENT)
        fate = by_port(d, &icmp.quoted.flow);
    if (fate == PMTUD_SENT)
        fate = pmtud_plan(d, &icmp);
    return fate == PMTUD_SENT ? limited(d, now) : fate;
}

enum pmtud_fate pmtud_take(struct pmtud *d, const struct pmtud_in *in,
                           uint64_t now)
{
    memset(&d->note, 0, sizeof d->note);
    d->in = *in;
    d->next = d->last = 0;
    d->counters.in++;
    d->counters.in_bytes += in->n;
    const enum pmtud_fate fate = decide(d, epoch + now);
    if (fate != PMTUD_SENT)
        d->last = 0;
    else
        d->counters.by_address += d->note.by_address;
    d->note.fate = (uint8_t)fate;
    d->counters.fate[fate]++;
    return fate;
}

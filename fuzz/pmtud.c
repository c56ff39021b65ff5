/* SPDX-License-Identifier: MIT */
/* Whatever comes in, tunmtu-pmtud passes on nothing but "too big", as it came,
 * to whom it was told; and nothing twice, no copy, and none of its own.
 *
 * Input: options (1 byte), how it comes (1), and the packet. */
#define _POSIX_C_SOURCE 200809L
#include <string.h>

#include "pmtud.h"
#include "harness.h"

static const char rules_text[] = "-A -t 10.0.0.2:443 -s mh -b mh-port\n"
                                 "-a -t 10.0.0.2:443 -r 10.0.0.6 -i\n"
                                 "-a -t 10.0.0.2:443 -r 10.0.0.3 -i\n"
                                 "-A -u [2001:db8::2]:0 -s mh -p 300\n"
                                 "-a -u [2001:db8::2]:0 -r 10.0.0.7 -i\n"
                                 "-a -u [2001:db8::2]:0 -r [2001:db8::6] -i\n";

/* One daemon for each mode, strict or not; they live as long as this. */
static struct pmtud daemons[6];
static struct pmtud_config configs[6];
static uint64_t now;

static void addr(const char *text, uint8_t out[16])
{
    must(args_addr(text, out));
}

static struct services *make_services(const struct pmtud_config *c)
{
    static struct services services;
    struct services_config config;
    struct rules rules;
    FILE *in =
        fmemopen((void *)(uintptr_t)rules_text, sizeof rules_text - 1, "r");
    FILE *say = fopen("/dev/null", "w"); /* persistence has no timeout here */
    must(in != NULL && say != NULL);
    memset(&config, 0, sizeof config);
    memcpy(config.local, c->local, sizeof config.local);
    config.has_local[0] = config.has_local[1] = config.among = true;
    must(rules_read(&rules, in, "r", say) == 0);
    must(services_build(&services, &rules, &config, "r", say) == 0);
    rules_free(&rules);
    fclose(in);
    fclose(say);
    return &services;
}

static void start(void)
{
    static struct services *services;
    const uint8_t *why;
    uint8_t peer[16];
    for (unsigned i = 0; i < 6; i++) {
        struct pmtud_config *c = &configs[i];
        c->mode = (uint8_t)(i % 3);
        c->strict = c->use_src = c->by_port = i / 3;
        c->ports[443 / 64] = (uint64_t)1 << 443 % 64;
        c->src_rate = c->iface_rate = 10;
        c->duplicate = 1000000000;
        addr("10.0.0.3", c->local[0]);
        addr("2001:db8::a", c->local[1]);
        if (services == NULL)
            services = make_services(c);
        c->services = services;
        addr("10.0.0.6", peer);
        must(args_addrs_add(&c->peers, peer));
        addr("2001:db8::6", peer);
        must(args_addrs_add(&c->peers, peer));
        must(pmtud_init(&daemons[i], c, &why));
    }
}

/* The frame is the packet; the tunnel gives it back, one hop older. */
static void copy(const struct pmtud *d, const struct pmtud_in *in,
                 const struct pmtud_out *out)
{
    struct tmtu_encap any = TMTU_ENCAP_INIT;
    struct tmtu_pkt pkt, outer, inner;
    must(tmtu_ip_parse(tmtu_view(in->p, in->n), 0, &pkt) == 0);
    must(out->frame == (d->config->mode == PMTUD_BROADCAST));
    if (out->frame) {
        must(out->n == 14 + pkt.len && (out->p[0] & 1));
        must(memcmp(out->p + 14, in->p, pkt.len) == 0);
        return;
    }
    struct tmtu_buf b;
    b.head = b.data = malloc(out->n);
    must(b.data != NULL);
    b.tail = b.end = b.data + out->n;
    memcpy(b.data, out->p, out->n);
    must(tmtu_ip_parse(tmtu_buf_view(&b), TMTU_IP_VERIFY, &outer) == 0);
    tmtu_copy(any.src, d->config->local[outer.flow.ipver == 6], 16);
    tmtu_copy(any.dst, outer.flow.dst, 16);
    must(tmtu_encap_pull(&b, &outer, &any, &inner) == TMTU_OK);
    must(inner.ttl == pkt.ttl - 1 && tmtu_buf_len(&b) == pkt.len);
    must(memcmp(inner.data + pkt.l4, in->p + pkt.l4, pkt.len - pkt.l4) == 0);
    must(tmtu_flow_equal(&inner.flow, &pkt.flow));
    free(b.head);
}

/* What may be passed on at all. */
static void fit(const struct pmtud *d, const struct pmtud_in *in)
{
    struct tmtu_pkt pkt;
    struct tmtu_icmp icmp;
    must(tmtu_ip_parse(tmtu_view(in->p, in->n), TMTU_IP_VERIFY, &pkt) == 0);
    must(tmtu_ip_transport_verify(&pkt) == 0);
    must(tmtu_icmp_parse(&pkt, &icmp) == 0);
    must(icmp.kind == TMTU_ICMP_TOO_BIG);
    must(icmp.info >= 68 && icmp.info <= 16384);
    must(icmp.info < icmp.quoted.len || icmp.quoted.have > icmp.quoted.len);
    must(pkt.flow.ipver == 4 || icmp.info >= 1280);
    must(tmtu_addr_equal(pkt.flow.dst, icmp.quoted.flow.src));
    must(!d->config->strict || (icmp.info >= 576 && icmp.info < 1500));
    must(!d->config->by_port || icmp.quoted.flow.sport == 443);
    must((in->flags & ~(uint32_t)PMTUD_LINK) == 0);
}

static enum pmtud_fate take(struct pmtud *d, const struct pmtud_in *in)
{
    struct pmtud_out out;
    unsigned n = 0;
    uint64_t sum = 0;
    const enum pmtud_fate fate = pmtud_take(d, in, now);
    if (fate == PMTUD_SENT)
        fit(d, in);
    while (pmtud_give(d, &out)) {
        copy(d, in, &out);
        n++;
    }
    must((n > 0) == (fate == PMTUD_SENT) && n <= 2);
    must(fate < PMTUD_FATES);
    must((pmtud_fate_name((int)fate) == NULL) ==
         (fate == PMTUD_DROPPED || fate == PMTUD_DOUBTED));
    for (size_t i = 0; i < PMTUD_FATES; i++)
        sum += d->counters.fate[i];
    must(sum == d->counters.in);
    return fate;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (now == 0)
        start();
    now += 10000000000u; /* all tokens are back */
    if (size < 2)
        return 0;
    struct pmtud *d = &daemons[data[0] % 6];
    struct pmtud_in in = {.n = size - 2, .flags = data[1] & 0x3f};
    uint8_t *mem = malloc(in.n ? in.n : 1); /* exactly, for ASan */
    must(mem != NULL);
    memcpy(mem, data + 2, in.n);
    in.p = mem;
    if (take(d, &in) == PMTUD_SENT) {
        must(take(d, &in) == PMTUD_DUPLICATE);
        in.flags |= PMTUD_GROUP;
        must(take(d, &in) == PMTUD_COPY_GROUP);
        in.flags = PMTUD_TUNNEL;
        must(take(d, &in) == PMTUD_COPY_TUNNEL);
    }
    must(memcmp(mem, data + 2, in.n) == 0);
    free(mem);
    return 0;
}

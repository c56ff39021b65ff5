/* SPDX-License-Identifier: MIT */
/* Output for programs. Text that was understood as a stack needs no escape. */
#include "explain.h"

#include <stdio.h>

void json_stack(const struct explained *e)
{
    const struct tmtu_stack *s = &e->stack;
    printf("{\"stack\":\"%s\",\"mtu\":%u,\"link\":%u,\"overhead\":%u,"
           "\"inner_mtu\":%u,\"mss4\":%u,\"mss6\":%u,\"ip6_fits\":%s,"
           "\"headers\":[",
           e->text, e->mtu, s->link, s->overhead, s->inner_mtu, s->mss4,
           s->mss6, s->ip6 ? "true" : "false");
    for (unsigned i = 0; i < s->count; i++) {
        static const char *const roles[] = {"link", "overhead", "inner"};
        printf("%s{\"name\":\"%s\",\"bytes\":%u,\"role\":\"%s\"}", i ? "," : "",
               tmtu_stack_header(s->item[i].header)->name, s->item[i].bytes,
               roles[s->item[i].role]);
    }
    putchar(']');
}

void json_fate(unsigned which, uint32_t size, const struct fate *fate)
{
    static const char *const names[] = {"ipv4-df", "ipv4", "ipv6"};
    static const char *const cuts[] = {"none", "outer", "inner"};
    const struct tmtu_mtu_decision *d = &fate->decision;
    const bool lost = fate->cut != CUT_NONE && fate->pieces == 0;
    printf("{\"packet\":\"%s\",\"size\":%u,\"sent\":%s,\"outer\":%u,"
           "\"answer_mtu\":%u,\"fragments\":\"%s\",\"count\":%u,\"first\":%u,"
           "\"last\":%u}",
           names[which], size,
           d->action == TMTU_MTU_DROP || lost ? "false" : "true", fate->outer,
           d->notify ? d->mtu : 0, cuts[fate->cut], fate->pieces, fate->first,
           fate->last);
}

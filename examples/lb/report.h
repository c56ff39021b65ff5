/* SPDX-License-Identifier: MIT */
/* The counters of tunmtu-lb, of all its queues together. */
#ifndef LB_REPORT_H
#define LB_REPORT_H

#include "args.h"
#include "counters.h"
#include "team.h"

struct report {
    struct lb_counters lb;
    struct tmtu_reass_counters reass;
    struct tmtu_io io; /* its counters alone */
    struct tmtu_flows_counters flows, conns;
    bool has_flows, has_conns;
    struct services services; /* with their counters */
};

/* Adds up what there is between two bursts. False: no memory. report_free() if
 * true. */
bool report_take(struct report *r, struct team *team);

void report_free(struct report *r);

/* Tells all counters of the `struct report` at `arg`, in a fixed order. */
void report_counters(struct counters *to, const void *arg);

/* Tells those of servers, a part of them. */
void report_servers(struct counters *to, const struct services *t);

/* Tells what metrics have, of a `struct team`. False: no memory. */
bool report_metrics(struct counters *to, void *team);

/* Names of an enum lb_fate other than LB_DROPPED, and of an enum lb_icmp. */
const char *report_fate(unsigned fate);
const char *report_icmp(unsigned kind);

/* "tcp:10.0.0.2:443" */
void report_service(const struct service *s, char text[80]);

/* "10.0.0.6", or "10.0.0.6:8443" where packets get another port. */
const char *report_server(const struct server *s, char text[ARGS_ENDPOINT]);

#endif

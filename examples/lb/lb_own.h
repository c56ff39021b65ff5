/* SPDX-License-Identifier: MIT */
/* What the files of the balancer have in common, and nobody else. */
#ifndef LB_LB_OWN_H
#define LB_LB_OWN_H

#include "lb.h"

/* Counts and notes what became of the packet. */
void lb_end(struct lb *lb, enum lb_fate fate);
void lb_drop(struct lb *lb, enum tmtu_reason reason);
void lb_unanswered(struct lb *lb, enum tmtu_reason reason);

/* An answer to come; its source is the offender's destination, the VIP: K56. */
void lb_plan_answer(struct lb *lb, enum tmtu_icmp_kind kind, uint8_t code,
                    uint32_t info);

/* Nobody will answer the packet of lb.work: tells its sender so, unless it is
 * an ICMP error itself (K72). */
void lb_refuse(struct lb *lb);

/* Sends the packet of lb.work, which is of this flow, named as its client sends
 * it, to the server that the flow's hash chooses. */
void lb_forward(struct lb *lb, const struct service *service,
                const struct tmtu_flow *flow);

/* The packet of lb.work is an ICMP error for a VIP, parsed. */
void lb_icmp_for_vip(struct lb *lb, const struct tmtu_icmp *icmp);

/* The packet of lb.work is for none: it may be an ICMP error about one of our
 * tunnels. */
void lb_icmp_for_us(struct lb *lb);

/* Notes that the packet of lb.work is an ICMP error about a served flow. */
void lb_icmp_note(struct lb *lb, const struct tmtu_icmp *icmp);

/* Puts the fragments of lb.work together: but the first they have no ports.
 * True: lb.work has a whole packet. */
bool lb_gather(struct lb *lb);

/* The server for a flow of the service: the one that it has, if flows are
 * remembered, else the one for its hash. NULL: there is none. */
struct server *lb_choose(struct lb *lb, const struct service *service,
                         const struct tmtu_flow *flow, uint64_t hash);

/* The packet of lb.work, to a VIP, is of this flow, named as its client sends
 * it. Forwards it if that has a connection; else false. */
bool lb_nat_known(struct lb *lb, const struct tmtu_flow *flow);

/* The same, and it goes to this server, for the first time. */
void lb_nat_begin(struct lb *lb, const struct service *service,
                  struct server *server, const struct tmtu_flow *flow);

/* The packet of lb.work is not to a VIP: forwards it if a server sent it, or if
 * it is an ICMP error about what was sent to one. False: neither. */
bool lb_nat_back(struct lb *lb);

/* Whose address an error about a packet has, other than that packet's own
 * destination; false: it is not for us to say. */
bool lb_nat_speaks(struct lb *lb, const struct tmtu_pkt *pkt,
                   struct tmtu_icmp_error *error);

/* Looks up what the path to a server carries; to be done at server.ask. */
void lb_path_ask(struct lb *lb, struct server *server);

/* What is known of the paths is known in this other cache, too, which has these
 * options, and no longer than in the first. */
void lb_path_move(struct lb *lb, struct tmtu_pmtu *to,
                  const struct tmtu_pmtu_options *options);

/* Learns from an error about a packet of this server's tunnel. */
void lb_path_learn(struct lb *lb, const struct server *server,
                   const struct tmtu_pmtu_error *error);

/* Direct routing: what to do with a packet for this server. It is said in the
 * words of tunnels, and nothing is changed. */
void lb_direct_decide(const struct server *server, const struct tmtu_pkt *pkt,
                      struct tmtu_verdict *out);

/* The same for the packet of lb.work, which may be sent: makes it what is sent,
 * or begins to cut it. False: that cannot be. */
bool lb_direct_enter(struct lb *lb);

/* The identification that the packet of lb.work would take in its tunnel. */
uint32_t lb_id(struct lb *lb);

/* The packet of lb.work is in its tunnel now: counts that. */
void lb_entered(struct lb *lb);

/* The packet of lb.work is a super-packet whose segments will be, each. */
void lb_super(struct lb *lb);

#endif

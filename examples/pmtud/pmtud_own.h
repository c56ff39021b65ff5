/* SPDX-License-Identifier: MIT */
/* What the files of the daemon's core have in common, and nobody else. */
#ifndef PMTUD_PMTUD_OWN_H
#define PMTUD_PMTUD_OWN_H

#include "pmtud.h"

/* Counts and notes a reason. Returns PMTUD_DROPPED. */
enum pmtud_fate pmtud_drop(struct pmtud *d, enum tmtu_reason reason);

/* Whom the error of d->pkt is for: sets next and last for pmtud_give. Returns
 * PMTUD_SENT, or why it is for nobody. */
enum pmtud_fate pmtud_plan(struct pmtud *d, const struct tmtu_icmp *icmp);

#endif

/* SPDX-License-Identifier: MIT */
/* The whole library as one translation unit, lowest floor first. */
#include "core.c"
#include "stack.c"
#include "flows.c"
#include "follow.c"
#include "limit.c"
#include "pmtu.c"
#include "reass.c"
#include "steer.c"
#include "tunnel.c"
#include "trust.c"
#include "relay.c"

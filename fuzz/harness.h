/* SPDX-License-Identifier: MIT */
/* What every harness has: its one function, and a way to say what must be so.
 */
#ifndef TMTU_FUZZ_HARNESS_H
#define TMTU_FUZZ_HARNESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding names its place: the frames of a trace may be inlined. */
#define must(...)                                                              \
    ((__VA_ARGS__) ? (void)0 : is_not(__FILE__, __LINE__, #__VA_ARGS__))

static inline void is_not(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: must be: %s\n", file, line, what);
    abort();
}

/* The Internet checksum the slow way (RFC 1071): 0xffff when all is added. */
static inline uint32_t sum_up(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return sum;
}

#endif

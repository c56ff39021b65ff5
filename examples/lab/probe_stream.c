/* SPDX-License-Identifier: MIT */
/* A stream in which no two places look alike, and its checksum. */
#include "probe.h"

uint64_t probe_sum(uint64_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static uint64_t next_word(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void probe_stream(uint64_t *state, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = next_word(state);

        for (size_t k = 0; k < 8 && i + k < n; k++)
            p[i + k] = (uint8_t)(word >> (8 * k));
    }
}

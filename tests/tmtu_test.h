/* SPDX-License-Identifier: MIT */
/* What every test program needs: cmocka, and packets that end exactly at the
 * end of their memory, so that ASan sees one byte too far. */
#ifndef TMTU_TEST_H
#define TMTU_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <tunmtu/buf.h>
#include <tunmtu/bytes.h>

#define TEST_ROWS(table) (sizeof(table) / sizeof(table)[0])

/* A heap block of exactly `n` bytes with a copy of `p` (0xa5 without one). */
static inline uint8_t *test_exact(const uint8_t *p, size_t n)
{
    uint8_t *copy = (uint8_t *)malloc(n ? n : 1);
    assert_non_null(copy);
    if (p != NULL)
        memcpy(copy, p, n);
    else
        memset(copy, 0xa5, n);
    return copy;
}

/* A packet in a heap block with exactly this headroom and tailroom, both
 * filled with 0xa5; free(buf.head) ends it. */
static inline struct tmtu_buf test_buf(const uint8_t *p, size_t n,
                                       size_t headroom, size_t tailroom)
{
    uint8_t *mem = test_exact(NULL, headroom + n + tailroom);
    struct tmtu_buf b = tmtu_buf(mem, headroom + n + tailroom, headroom);
    if (n > 0)
        memcpy(tmtu_buf_put(&b, n), p, n);
    return b;
}

/* The Internet checksum the slow way: a second opinion, a word at a time. */
static inline uint16_t test_cksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* Bytes out of hexadecimal digits; blanks are passed over. */
static inline size_t test_hex(const char *hex, uint8_t *out, size_t room)
{
    size_t n = 0;
    for (unsigned v; sscanf(hex, " %2x", &v) == 1; n++) {
        while (*hex == ' ' || *hex == '\n')
            hex++;
        hex += 2;
        assert_true(n < room);
        out[n] = (uint8_t)v;
    }
    return n;
}

#endif

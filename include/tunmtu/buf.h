/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A packet with headroom: four pointers, and bytes that never move.
 */
#ifndef TUNMTU_BUF_H
#define TUNMTU_BUF_H

#include <tunmtu/api.h>
#include <tunmtu/bytes.h>

/** Memory of the caller's with a packet in it: head <= data <= tail <= end. */
struct tmtu_buf {
    uint8_t *head; /**< first byte of the memory */
    uint8_t *data; /**< first byte of the packet */
    uint8_t *tail; /**< one past the packet */
    uint8_t *end;  /**< one past the memory */
};

/** An empty packet in the @p n bytes at @p mem, @p headroom bytes in; all of
 *  the memory is headroom when it is shorter than that. */
static inline struct tmtu_buf tmtu_buf(uint8_t *mem, size_t n, size_t headroom)
{
    struct tmtu_buf b;
    b.head = mem;
    b.end = mem + n;
    b.data = b.tail = mem + (headroom < n ? headroom : n);
    return b;
}

/** Length of the packet in bytes. */
static inline size_t tmtu_buf_len(const struct tmtu_buf *b)
{
    return (size_t)(b->tail - b->data);
}

/** Bytes that can be pushed in front. */
static inline size_t tmtu_buf_headroom(const struct tmtu_buf *b)
{
    return (size_t)(b->data - b->head);
}

/** Bytes that can be put at the end. */
static inline size_t tmtu_buf_tailroom(const struct tmtu_buf *b)
{
    return (size_t)(b->end - b->tail);
}

/** The packet as a view to read from. */
static inline struct tmtu_view tmtu_buf_view(const struct tmtu_buf *b)
{
    struct tmtu_view v;
    v.data = b->data;
    v.end = b->tail;
    return v;
}

/** Opens @p n bytes in front of the packet and returns where they begin;
 *  NULL, and no change, without that much headroom. */
static inline uint8_t *tmtu_buf_push(struct tmtu_buf *b, size_t n)
{
    return tmtu_buf_headroom(b) < n ? NULL : (b->data -= n);
}

/** Takes @p n bytes off the front and returns where they were; NULL, and no
 *  change, if the packet is shorter. */
static inline uint8_t *tmtu_buf_pull(struct tmtu_buf *b, size_t n)
{
    if (tmtu_buf_len(b) < n)
        return NULL;
    b->data += n;
    return b->data - n;
}

/** Opens @p n bytes behind the packet and returns where they begin; NULL, and
 *  no change, without that much tailroom. */
static inline uint8_t *tmtu_buf_put(struct tmtu_buf *b, size_t n)
{
    if (tmtu_buf_tailroom(b) < n)
        return NULL;
    b->tail += n;
    return b->tail - n;
}

/** Cuts the packet to its first @p n bytes; a shorter one stays as it is. */
static inline void tmtu_buf_trim(struct tmtu_buf *b, size_t n)
{
    if (tmtu_buf_len(b) > n)
        b->tail = b->data + n;
}

#endif

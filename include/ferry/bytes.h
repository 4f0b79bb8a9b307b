/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: spans, integers in both orders, arithmetic that cannot wrap. */
#ifndef FERRY_BYTES_H
#define FERRY_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns. data may be NULL when len is 0. */
struct ferry_bytes {
    const uint8_t *data;
    size_t len;
};

/* Integers of wire and flash, at any address. Each reads or writes exactly its width. */
static inline uint16_t ferry_load_be16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}

static inline uint32_t ferry_load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t ferry_load_be64(const uint8_t *p)
{
    return (uint64_t)ferry_load_be32(p) << 32 | ferry_load_be32(p + 4);
}

static inline uint16_t ferry_load_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (uint16_t)(p[1] << 8));
}

static inline uint32_t ferry_load_le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void ferry_store_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void ferry_store_be32(uint8_t *p, uint32_t v)
{
    ferry_store_be16(p, (uint16_t)(v >> 16));
    ferry_store_be16(p + 2, (uint16_t)v);
}

static inline void ferry_store_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void ferry_store_le32(uint8_t *p, uint32_t v)
{
    ferry_store_le16(p, (uint16_t)v);
    ferry_store_le16(p + 2, (uint16_t)(v >> 16));
}

static inline uint32_t ferry_min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t ferry_max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Round up to a multiple of step, a power of two. The caller knows that value + step - 1 fits. */
static inline uint32_t ferry_align_up(uint32_t value, uint32_t step)
{
    return (value + step - 1) & ~(step - 1);
}

/* *sum = a + b. Returns false, *sum untouched, when it does not fit 32 bits. */
static inline bool ferry_add32(uint32_t a, uint32_t b, uint32_t *sum)
{
    if (b > UINT32_MAX - a) {
        return false;
    }
    *sum = a + b;
    return true;
}

/* Whether [offset, offset + len) lies inside [0, size). */
static inline bool ferry_inside(uint32_t offset, size_t len, uint32_t size)
{
    return offset <= size && len <= size - offset;
}

/* Whether all len bytes at data equal value. True for len 0. */
bool ferry_all_equal(const uint8_t *data, size_t len, uint8_t value);

/* ---- Text --------------------------------------------------------------------- */

/* Characters in front of the NUL. */
size_t ferry_text_length(const char *text);

/* Write value in decimal, with zeroes in front up to width digits and no NUL behind it.
 *
 * out  room for 10 characters, or for width when that is more
 *
 * Returns how many were written. */
size_t ferry_text_decimal(char *out, uint32_t value, size_t width);

/* ---- Secrets ------------------------------------------------------------------ */

/* Overwrite a secret with zeroes; not left out where nobody reads the memory again. */
void ferry_wipe(void *secret, size_t len);

/* Whether two byte strings are the same, in a time that tells nothing of where they differ. */
bool ferry_same(const uint8_t *a, const uint8_t *b, size_t len);

#endif

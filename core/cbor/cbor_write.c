/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR writer: every item is a head (RFC 8949 §3) and, for strings, its content. */
#include "ferry/cbor.h"

#include <limits.h>
#include <string.h>

/* Major types, in their place in the first byte. */
#define MAJOR_UINT     0x00
#define MAJOR_NEGATIVE 0x20
#define MAJOR_BYTES    0x40
#define MAJOR_TEXT     0x60
#define MAJOR_LIST     0x80
#define MAJOR_MAP      0xa0

#define FALSE_BYTE 0xf4
#define TRUE_BYTE  0xf5
#define NULL_BYTE  0xf6
#define BREAK_BYTE 0xff
#define OPEN       0x1f /* indefinite length, in the low five bits */

/* Once something did not fit, len stands beyond cap and nothing more is written. */
static void put(struct ferry_cbor_writer *w, const void *data, size_t len)
{
    if (len > 0 && w->len <= w->cap && len <= w->cap - w->len) {
        memcpy(w->buf + w->len, data, len);
    }
    w->len = len > SIZE_MAX - w->len ? SIZE_MAX : w->len + len;
}

static void put_byte(struct ferry_cbor_writer *w, uint8_t byte)
{
    put(w, &byte, 1);
}

static void put_head(struct ferry_cbor_writer *w, uint8_t major, uint64_t value)
{
    uint8_t head[9];
    uint8_t info = value > UINT32_MAX ? 27 : value > UINT16_MAX ? 26 : value > UINT8_MAX ? 25 : 24;
    size_t width = (size_t)1 << (info - 24);

    if (value < 24) {
        put_byte(w, (uint8_t)(major | value));
        return;
    }
    head[0] = major | info;
    for (size_t i = width; i > 0; i--) {
        head[i] = (uint8_t)value;
        value >>= 8;
    }
    put(w, head, 1 + width);
}

void ferry_cbor_writer_init(struct ferry_cbor_writer *w, uint8_t *buf, size_t cap)
{
    w->buf = buf;
    w->cap = cap;
    w->len = 0;
}

int ferry_cbor_writer_result(const struct ferry_cbor_writer *w)
{
    if (w->len > w->cap || w->len > INT_MAX) {
        return FERRY_E_SPACE;
    }
    return (int)w->len;
}

void ferry_cbor_put_uint(struct ferry_cbor_writer *w, uint64_t value)
{
    put_head(w, MAJOR_UINT, value);
}

void ferry_cbor_put_int(struct ferry_cbor_writer *w, int64_t value)
{
    if (value >= 0) {
        put_head(w, MAJOR_UINT, (uint64_t)value);
        return;
    }
    /* -1 - value cannot overflow: it maps -1 to 0 and INT64_MIN to INT64_MAX. */
    put_head(w, MAJOR_NEGATIVE, (uint64_t)(-1 - value));
}

void ferry_cbor_put_bool(struct ferry_cbor_writer *w, bool value)
{
    put_byte(w, value ? TRUE_BYTE : FALSE_BYTE);
}

void ferry_cbor_put_null(struct ferry_cbor_writer *w)
{
    put_byte(w, NULL_BYTE);
}

void ferry_cbor_put_text(struct ferry_cbor_writer *w, const char *text)
{
    ferry_cbor_put_text_n(w, text, ferry_text_length(text));
}

void ferry_cbor_put_text_n(struct ferry_cbor_writer *w, const char *text, size_t len)
{
    put_head(w, MAJOR_TEXT, len);
    put(w, text, len);
}

void ferry_cbor_put_bytes(struct ferry_cbor_writer *w, const uint8_t *data, size_t len)
{
    put_head(w, MAJOR_BYTES, len);
    put(w, data, len);
}

void ferry_cbor_put_map(struct ferry_cbor_writer *w, size_t pairs)
{
    put_head(w, MAJOR_MAP, pairs);
}

void ferry_cbor_put_list(struct ferry_cbor_writer *w, size_t items)
{
    put_head(w, MAJOR_LIST, items);
}

void ferry_cbor_open_map(struct ferry_cbor_writer *w)
{
    put_byte(w, MAJOR_MAP | OPEN);
}

void ferry_cbor_open_list(struct ferry_cbor_writer *w)
{
    put_byte(w, MAJOR_LIST | OPEN);
}

void ferry_cbor_close(struct ferry_cbor_writer *w)
{
    put_byte(w, BREAK_BYTE);
}

void ferry_cbor_pair_uint(struct ferry_cbor_writer *w, const char *key, uint64_t value)
{
    ferry_cbor_put_text(w, key);
    ferry_cbor_put_uint(w, value);
}

void ferry_cbor_pair_int(struct ferry_cbor_writer *w, const char *key, int64_t value)
{
    ferry_cbor_put_text(w, key);
    ferry_cbor_put_int(w, value);
}

void ferry_cbor_pair_bool(struct ferry_cbor_writer *w, const char *key, bool value)
{
    ferry_cbor_put_text(w, key);
    ferry_cbor_put_bool(w, value);
}

void ferry_cbor_pair_text(struct ferry_cbor_writer *w, const char *key, const char *text)
{
    ferry_cbor_put_text(w, key);
    ferry_cbor_put_text(w, text);
}

void ferry_cbor_pair_bytes(struct ferry_cbor_writer *w, const char *key, const uint8_t *data,
                           size_t len)
{
    ferry_cbor_put_text(w, key);
    ferry_cbor_put_bytes(w, data, len);
}

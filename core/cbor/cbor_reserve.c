/* SPDX-License-Identifier: Apache-2.0 */
/* Strings that are made where they stand in the writer's buffer. */
#include "ferry/cbor.h"

#include <string.h>

/* The longest head: of a string with a length of 16 bits (RFC 8949 §3). */
#define HEAD_MAX 3

uint8_t *ferry_cbor_reserve(const struct ferry_cbor_writer *w, size_t behind, size_t *room)
{
    *room = 0;
    if (w->len > w->cap || HEAD_MAX > w->cap - w->len || behind > w->cap - w->len - HEAD_MAX) {
        return NULL;
    }
    *room = w->cap - w->len - HEAD_MAX - behind;
    if (*room > UINT16_MAX) {
        *room = UINT16_MAX;
    }
    return w->buf + w->len + HEAD_MAX;
}

void ferry_cbor_put_reserved(struct ferry_cbor_writer *w, enum ferry_cbor_kind kind, size_t len)
{
    uint8_t *at = w->buf + w->len;
    uint8_t major = kind == FERRY_CBOR_TEXT ? 0x60 : 0x40;
    size_t head = len < 24 ? 1 : len <= UINT8_MAX ? 2 : HEAD_MAX;

    memmove(at + head, at + HEAD_MAX, len);
    if (head == 1) {
        at[0] = (uint8_t)(major | len);
    } else if (head == 2) {
        at[0] = major | 24;
        at[1] = (uint8_t)len;
    } else {
        at[0] = major | 25;
        ferry_store_be16(at + 1, (uint16_t)len);
    }
    w->len += head + len;
}

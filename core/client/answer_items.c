/* SPDX-License-Identifier: Apache-2.0 */
#include "ferry/answer.h"

#include <limits.h>
#include <string.h>

static int open_container(struct ferry_bytes payload, const char *key, enum ferry_cbor_kind kind,
                          struct ferry_answer_items *items)
{
    struct ferry_cbor_field field = {.key = key, .kind = kind};
    int rc = ferry_cbor_read_map(payload, &field, 1);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!field.present) {
        return FERRY_E_NOT_FOUND;
    }
    items->reader = ferry_cbor_enter(&field.item);
    return FERRY_OK;
}

int ferry_answer_list(struct ferry_bytes payload, const char *key, struct ferry_answer_items *items)
{
    return open_container(payload, key, FERRY_CBOR_LIST, items);
}

int ferry_answer_map(struct ferry_bytes payload, const char *key, struct ferry_answer_items *items)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    if (key != NULL) {
        return open_container(payload, key, FERRY_CBOR_MAP, items);
    }
    ferry_cbor_reader_init(&reader, payload);
    int rc = ferry_cbor_read(&reader, &item);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (item.kind != FERRY_CBOR_MAP) {
        return FERRY_E_TYPE;
    }
    items->reader = ferry_cbor_enter(&item);
    return FERRY_OK;
}

int ferry_answer_next(struct ferry_answer_items *items, struct ferry_answer_element *element)
{
    if (ferry_cbor_at_end(&items->reader)) {
        return 0;
    }
    element->whole.data = items->reader.next;
    int rc = ferry_cbor_read(&items->reader, &element->item);

    if (rc != FERRY_OK) {
        return rc;
    }
    element->whole.len = (size_t)(items->reader.next - element->whole.data);
    return 1;
}

/* The bytes of all chunks that fit. Returns the length of all. */
static size_t copy_chunks(struct ferry_cbor_reader chunks, char *out, size_t cap)
{
    struct ferry_cbor_item chunk;
    size_t len = 0;
    size_t kept = 0;

    while (!ferry_cbor_at_end(&chunks) && ferry_cbor_read(&chunks, &chunk) == FERRY_OK) {
        size_t fit = chunk.bytes.len < cap - kept ? chunk.bytes.len : cap - kept;

        if (fit > 0) {
            memcpy(out + kept, chunk.bytes.data, fit);
        }
        kept += fit;
        len += chunk.bytes.len;
    }
    out[kept] = '\0';
    return len;
}

int ferry_answer_copy_text(const struct ferry_cbor_item *item, char *out, size_t cap)
{
    out[0] = '\0';
    if (item->kind != FERRY_CBOR_TEXT && item->kind != FERRY_CBOR_BYTES) {
        return FERRY_E_TYPE;
    }
    size_t len = item->bytes.len;

    if (item->chunked) {
        len = copy_chunks(
            (struct ferry_cbor_reader){item->bytes.data, item->bytes.data + item->bytes.len}, out,
            cap - 1);
    } else if (len > 0) {
        size_t fit = len < cap - 1 ? len : cap - 1;

        memcpy(out, item->bytes.data, fit);
        out[fit] = '\0';
    }
    return len > INT_MAX ? INT_MAX : (int)len;
}

int ferry_answer_next_text(struct ferry_answer_items *items, char *out, size_t cap)
{
    struct ferry_answer_element element;
    int rc = ferry_answer_next(items, &element);

    if (rc != 1) {
        return rc;
    }
    if (element.item.kind != FERRY_CBOR_TEXT) {
        return FERRY_E_TYPE;
    }
    rc = ferry_answer_copy_text(&element.item, out, cap);
    return rc < 0 ? rc : 1;
}

/* A key that is a number, in decimal. */
static int number_name(uint64_t number, char *out, size_t cap)
{
    char digits[10];

    if (number > UINT32_MAX) {
        return FERRY_E_RANGE;
    }
    size_t len = ferry_text_decimal(digits, (uint32_t)number, 1);

    len = len < cap - 1 ? len : cap - 1;
    memcpy(out, digits, len);
    out[len] = '\0';
    return 1;
}

int ferry_answer_next_pair(struct ferry_answer_items *items, char *name, size_t cap,
                           struct ferry_answer_element *value)
{
    struct ferry_answer_element key;
    int rc = ferry_answer_next(items, &key);

    if (rc == 1 && key.item.kind == FERRY_CBOR_UINT) {
        rc = number_name(key.item.value, name, cap);
    } else if (rc == 1 && key.item.kind == FERRY_CBOR_TEXT) {
        rc = ferry_answer_copy_text(&key.item, name, cap) < 0 ? FERRY_E_FORMAT : 1;
    } else if (rc == 1) {
        rc = FERRY_E_TYPE;
    }
    if (rc != 1) {
        return rc;
    }
    rc = ferry_answer_next(items, value);
    return rc == 0 ? FERRY_E_SHORT : rc;
}

int ferry_answer_number(struct ferry_bytes payload, const char *key, uint64_t *value)
{
    struct ferry_cbor_field field = {.key = key, .kind = FERRY_CBOR_UINT};
    int rc = ferry_cbor_read_map(payload, &field, 1);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!field.present) {
        return FERRY_E_NOT_FOUND;
    }
    *value = field.item.value;
    return FERRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR to JSON. */
#include "cbor_json.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below it a double prints as a whole number in cJSON. */
#define PLAIN_MAX 1000000000000000ull

static cJSON *item_json(const struct ferry_cbor_item *item, struct ferry_bytes all);

/* ---- Numbers --------------------------------------------------------------------------------- */

static cJSON *integer_json(bool negative, uint64_t value)
{
    char text[24];

    if (value < PLAIN_MAX - 1) {
        return cJSON_CreateNumber(negative ? -1.0 - (double)value : (double)value);
    }
    if (negative && value == UINT64_MAX) {
        return cJSON_CreateRaw("-18446744073709551616");
    }
    snprintf(text, sizeof text, "%s%" PRIu64, negative ? "-" : "", value + negative);
    return cJSON_CreateRaw(text);
}

/* RFC 8949, appendix D. */
static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1f;
    double fraction = bits & 0x3ff;
    double value;

    if (exponent == 0) {
        value = ldexp(fraction, -24);
    } else if (exponent < 31) {
        value = ldexp(fraction + 1024, exponent - 25);
    } else {
        value = fraction == 0 ? INFINITY : NAN;
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

/* head: the first byte behind the tags; it tells how wide the float is. */
static double float_value(uint8_t head, uint64_t bits)
{
    if (head == 0xf9) {
        return half_value((uint16_t)bits);
    }
    if (head == 0xfa) {
        uint32_t narrow = (uint32_t)bits;
        float single;

        memcpy(&single, &narrow, sizeof single);
        return (double)single;
    }

    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The first byte of an item behind its tags, all of which were read before. */
static uint8_t untagged_head(struct ferry_bytes all)
{
    const uint8_t *at = all.data;

    while (*at >> 5 == 6) {
        uint8_t info = *at & 0x1f;

        at += info < 24 ? 1 : 1 + (1u << (info - 24));
    }
    return *at;
}

static cJSON *float_json(double value)
{
    char text[40];

    if (isnan(value)) {
        return cJSON_CreateString("NaN");
    }
    if (isinf(value)) {
        return cJSON_CreateString(value > 0 ? "Infinity" : "-Infinity");
    }
    if (value != trunc(value)) {
        return cJSON_CreateNumber(value);
    }
    if (fabs(value) < (double)PLAIN_MAX) {
        snprintf(text, sizeof text, "%.1f", value);
    } else {
        snprintf(text, sizeof text, "%.17e", value);
    }
    return cJSON_CreateRaw(text);
}

/* ---- Strings --------------------------------------------------------------------------------- */

/* The content of a string on the heap, room for more bytes behind it; NULL without memory. */
static uint8_t *content_of(const struct ferry_cbor_item *item, size_t more, size_t *len)
{
    uint8_t *content = malloc(item->bytes.len + more);
    int copied = content != NULL ? ferry_cbor_copy(item, content, item->bytes.len) : -1;

    if (copied < 0) {
        free(content);
        return NULL;
    }
    *len = (size_t)copied;
    return content;
}

char *cbor_json_bytes(const uint8_t *data, size_t len)
{
    char *text = malloc(2 * len + 4);

    if (text != NULL) {
        text[0] = 'h';
        text[1] = '\'';
        cli_hex(data, len, text + 2);
        text[2 * len + 2] = '\'';
        text[2 * len + 3] = '\0';
    }
    return text;
}

static char *bytes_text(const struct ferry_cbor_item *item)
{
    size_t len;
    uint8_t *content = content_of(item, 1, &len);
    char *text = content != NULL ? cbor_json_bytes(content, len) : NULL;

    free(content);
    return text;
}

size_t cbor_json_character(const uint8_t *text, size_t left)
{
    uint8_t first = text[0];
    size_t len = first < 0x80   ? first != 0
                 : first < 0xc2 ? 0
                 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3
                 : first < 0xf5 ? 4
                                : 0;

    if (len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    bool surrogate = first == 0xed && text[1] > 0x9f;
    bool beyond = first == 0xf4 && text[1] > 0x8f;

    return len > 1 && (overlong || surrogate || beyond) ? 0 : len;
}

char *cbor_json_utf8(struct ferry_bytes bytes)
{
    static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
    char *text = malloc(3 * bytes.len + 1);
    size_t out = 0;

    for (size_t at = 0; text != NULL && at < bytes.len;) {
        size_t n = cbor_json_character(bytes.data + at, bytes.len - at);

        memcpy(text + out, n > 0 ? (const char *)bytes.data + at : unknown, n > 0 ? n : 3);
        out += n > 0 ? n : 3;
        at += n > 0 ? n : 1;
    }
    if (text != NULL) {
        text[out] = '\0';
    }
    return text;
}

static char *text_text(const struct ferry_cbor_item *item)
{
    size_t len;
    uint8_t *content = content_of(item, 1, &len);
    char *text = content != NULL ? cbor_json_utf8((struct ferry_bytes){content, len}) : NULL;

    free(content);
    return text;
}

/* ---- Containers ------------------------------------------------------------------------------ */

/* A key as text; free it. */
static char *key_text(const struct ferry_cbor_item *key, struct ferry_bytes all)
{
    if (key->kind == FERRY_CBOR_TEXT) {
        return text_text(key);
    }
    if (key->kind == FERRY_CBOR_BYTES) {
        return bytes_text(key);
    }

    cJSON *json = item_json(key, all);
    char *printed = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    char *text = printed != NULL ? strdup(printed) : NULL;

    cJSON_free(printed);
    cJSON_Delete(json);
    return text;
}

/* Read the next of a container's items, all of which were read before: that cannot fail. */
static void next_item(struct ferry_cbor_reader *in, struct ferry_cbor_item *item,
                      struct ferry_bytes *all)
{
    all->data = in->next;
    if (ferry_cbor_read(in, item) != FERRY_OK) {
        abort();
    }
    all->len = (size_t)(in->next - all->data);
}

static bool add_pair(cJSON *map, struct ferry_cbor_reader *in)
{
    struct ferry_cbor_item item;
    struct ferry_bytes all;

    next_item(in, &item, &all);
    char *key = key_text(&item, all);

    next_item(in, &item, &all);
    cJSON *value = item_json(&item, all);
    bool added = key != NULL && value != NULL && cJSON_AddItemToObject(map, key, value) != 0;

    if (!added) {
        cJSON_Delete(value);
    }
    free(key);
    return added;
}

static bool add_item(cJSON *list, struct ferry_cbor_reader *in)
{
    struct ferry_cbor_item item;
    struct ferry_bytes all;

    next_item(in, &item, &all);
    cJSON *value = item_json(&item, all);

    return value != NULL && cJSON_AddItemToArray(list, value) != 0;
}

static cJSON *container_json(const struct ferry_cbor_item *item)
{
    bool map = item->kind == FERRY_CBOR_MAP;
    cJSON *json = map ? cJSON_CreateObject() : cJSON_CreateArray();
    struct ferry_cbor_reader in = ferry_cbor_enter(item);
    bool good = json != NULL;

    while (good && !ferry_cbor_at_end(&in)) {
        good = map ? add_pair(json, &in) : add_item(json, &in);
    }
    if (!good) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* ---- Items ----------------------------------------------------------------------------------- */

static cJSON *string_json(char *text)
{
    cJSON *json = text != NULL ? cJSON_CreateString(text) : NULL;

    free(text);
    return json;
}

static cJSON *simple_json(uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "simple(%" PRIu64 ")", value);
    return cJSON_CreateString(text);
}

/* all: the item with its tags and its head. It nests no deeper than FERRY_CBOR_DEPTH. */
static cJSON *item_json(const struct ferry_cbor_item *item, struct ferry_bytes all)
{
    switch (item->kind) {
    case FERRY_CBOR_UINT:
    case FERRY_CBOR_NEGATIVE:
        return integer_json(item->kind == FERRY_CBOR_NEGATIVE, item->value);
    case FERRY_CBOR_BYTES:
        return string_json(bytes_text(item));
    case FERRY_CBOR_TEXT:
        return string_json(text_text(item));
    case FERRY_CBOR_LIST:
    case FERRY_CBOR_MAP:
        return container_json(item);
    case FERRY_CBOR_BOOL:
        return cJSON_CreateBool(item->value != 0);
    case FERRY_CBOR_FLOAT:
        return float_json(float_value(untagged_head(all), item->value));
    case FERRY_CBOR_SIMPLE:
        return simple_json(item->value);
    case FERRY_CBOR_NULL:
    case FERRY_CBOR_ANY:
        break;
    }
    return cJSON_CreateNull();
}

cJSON *cbor_json_next(struct ferry_cbor_reader *r, int *error)
{
    struct ferry_bytes all = {r->next, 0};
    struct ferry_cbor_item item;

    *error = ferry_cbor_read(r, &item);
    if (*error != FERRY_OK) {
        return NULL;
    }
    all.len = (size_t)(r->next - all.data);
    return item_json(&item, all);
}

cJSON *cbor_json_read(struct ferry_bytes cbor)
{
    struct ferry_cbor_reader reader;
    int error;

    ferry_cbor_reader_init(&reader, cbor);
    cJSON *json = cbor_json_next(&reader, &error);
    if (json != NULL && !ferry_cbor_at_end(&reader)) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* ---- Printing -------------------------------------------------------------------------------- */

/* DEL and the control characters U+0080 to U+009F, which JSON lets through. */
static bool moves_cursor(const unsigned char *at)
{
    return at[0] == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);
}

char *cbor_json_print(const cJSON *json, bool indented)
{
    char *text = indented ? cJSON_Print(json) : cJSON_PrintUnformatted(json);
    char *safe = text != NULL ? cJSON_malloc(6 * strlen(text) + 1) : NULL;
    char *out = safe;

    for (const unsigned char *at = (unsigned char *)text; safe != NULL && *at != '\0'; at++) {
        if (moves_cursor(at)) {
            at += at[0] == 0xc2;
            out += sprintf(out, "\\u%04x", (unsigned)*at);
        } else {
            *out++ = (char)*at;
        }
    }
    if (safe != NULL) {
        *out = '\0';
    }
    cJSON_free(text);
    return safe;
}

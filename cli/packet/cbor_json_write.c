/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to CBOR. */
#include "cbor_json.h"
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Parsing --------------------------------------------------------------------------------- */

/* cJSON makes a double of every number. Those which that changes are found in the text again: it
 * has as many numbers as the tree, in the same order. */

/* The next number at or behind text; *len is 0 at the end. */
static const char *next_number(const char *text, size_t *len)
{
    bool quoted = false;

    for (; *text != '\0'; text++) {
        if (quoted && *text == '\\') {
            text++;
        } else if (*text == '"') {
            quoted = !quoted;
        } else if (!quoted && (*text == '-' || (*text >= '0' && *text <= '9'))) {
            *len = strspn(text, "+-.eE0123456789");
            return text;
        }
    }
    *len = 0;
    return text;
}

/* Turn the node into the number as it was written, where a double says something else. */
static bool keep_number(cJSON *node, const char *text, size_t len)
{
    bool whole = memchr(text, '.', len) == NULL && memchr(text, 'e', len) == NULL &&
                 memchr(text, 'E', len) == NULL;

    if (whole == (node->valuedouble == trunc(node->valuedouble)) &&
        fabs(node->valuedouble) < 1e15) {
        return true;
    }
    node->valuestring = cJSON_malloc(len + 1);
    if (node->valuestring == NULL) {
        return false;
    }
    memcpy(node->valuestring, text, len);
    node->valuestring[len] = '\0';
    node->type = cJSON_Raw;
    return true;
}

/* Returns the text behind the last number in the tree, or NULL without memory. */
static const char *keep_numbers(cJSON *json, const char *text)
{
    for (cJSON *node = json; node != NULL && text != NULL; node = node->next) {
        if (cJSON_IsNumber(node)) {
            size_t len;

            text = next_number(text, &len);
            text = keep_number(node, text, len) ? text + len : NULL;
        } else if (node->child != NULL) {
            text = keep_numbers(node->child, text);
        }
    }
    return text;
}

cJSON *cbor_json_parse(const char *text, size_t *where)
{
    const char *end = text;
    cJSON *json = cJSON_ParseWithOpts(text, &end, 1);

    if (json == NULL || keep_numbers(json, text) == NULL) {
        *where = (size_t)(end - text);
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* -1 - value: the head of value with another major type. */
static void put_negative(struct ferry_cbor_writer *w, uint64_t value)
{
    size_t at = w->len;

    ferry_cbor_put_uint(w, value);
    if (w->len <= w->cap) {
        w->buf[at] |= 0x20;
    }
}

static int put_integer_text(struct ferry_cbor_writer *w, const char *text)
{
    bool negative = *text == '-';
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text + negative, &end, 10);
    if (*end != '\0') {
        return FERRY_E_FORMAT;
    }
    if (negative && errno == ERANGE && strcmp(text, "-18446744073709551616") == 0) {
        put_negative(w, UINT64_MAX);
        return FERRY_OK;
    }
    if (errno != 0) {
        return FERRY_E_RANGE;
    }
    if (negative && value > 0) {
        put_negative(w, value - 1);
    } else {
        ferry_cbor_put_uint(w, value);
    }
    return FERRY_OK;
}

/* As single where nothing is lost by it, else as double: the head of an unsigned number of that
 * width with another major type. */
static void put_float(struct ferry_cbor_writer *w, double value)
{
    uint8_t bytes[9] = {0xfa};
    float single = (float)value;
    bool narrow = (double)single == value;
    uint64_t bits = 0;

    if (narrow) {
        uint32_t low;

        memcpy(&low, &single, sizeof low);
        bits = (uint64_t)low << 32;
    } else {
        bytes[0] = 0xfb;
        memcpy(&bits, &value, sizeof bits);
    }
    for (size_t i = 0; i < 8; i++) {
        bytes[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    size_t len = narrow ? 5 : 9;
    if (w->len <= w->cap && len <= w->cap - w->len) {
        memcpy(w->buf + w->len, bytes, len);
    }
    w->len += len;
}

static int put_number_text(struct ferry_cbor_writer *w, const char *text)
{
    if (strpbrk(text, ".eE") == NULL) {
        return put_integer_text(w, text);
    }

    char *end;
    double value = strtod(text, &end);

    if (*end != '\0' || end == text) {
        return FERRY_E_FORMAT;
    }
    if (isinf(value)) {
        return FERRY_E_RANGE;
    }
    put_float(w, value);
    return FERRY_OK;
}

static void put_number(struct ferry_cbor_writer *w, double value)
{
    if (value == trunc(value) && value >= -9223372036854775808.0 && value < 9223372036854775808.0) {
        ferry_cbor_put_int(w, (int64_t)value);
    } else {
        put_float(w, value);
    }
}

/* ---- Strings --------------------------------------------------------------------------------- */

/* Bytes when the text is h'…', whose digits may have blanks between them. */
static int put_string(struct ferry_cbor_writer *w, const char *text)
{
    size_t len = strlen(text);

    if (len < 3 || strncmp(text, "h'", 2) != 0 || text[len - 1] != '\'') {
        ferry_cbor_put_text(w, text);
        return FERRY_OK;
    }

    char *digits = malloc(len);
    uint8_t *bytes = malloc(len);
    size_t n = 0;

    for (size_t i = 2; digits != NULL && i < len - 1; i++) {
        if (text[i] != ' ') {
            digits[n++] = text[i];
        }
    }
    if (digits != NULL) {
        digits[n] = '\0';
    }
    int count = digits != NULL && bytes != NULL ? cli_unhex(digits, bytes, len) : FERRY_E_SPACE;
    if (count >= 0) {
        ferry_cbor_put_bytes(w, bytes, (size_t)count);
    }
    free(digits);
    free(bytes);
    return count < 0 ? count : FERRY_OK;
}

/* ---- Items ----------------------------------------------------------------------------------- */

static int write_item(const cJSON *json, struct ferry_cbor_writer *w, unsigned depth);

static bool comes_twice(const cJSON *pair)
{
    for (const cJSON *other = pair->next; other != NULL; other = other->next) {
        if (strcmp(pair->string, other->string) == 0) {
            return true;
        }
    }
    return false;
}

static int write_container(const cJSON *json, struct ferry_cbor_writer *w, unsigned depth)
{
    size_t count = (size_t)cJSON_GetArraySize(json);
    bool map = cJSON_IsObject(json);
    int error = depth < FERRY_CBOR_DEPTH ? FERRY_OK : FERRY_E_DEPTH;

    if (map) {
        ferry_cbor_put_map(w, count);
    } else {
        ferry_cbor_put_list(w, count);
    }
    for (const cJSON *node = json->child; error == FERRY_OK && node != NULL; node = node->next) {
        if (map && comes_twice(node)) {
            return FERRY_E_FORMAT;
        }
        if (map) {
            ferry_cbor_put_text(w, node->string);
        }
        error = write_item(node, w, depth + 1);
    }
    return error;
}

static int write_item(const cJSON *json, struct ferry_cbor_writer *w, unsigned depth)
{
    if (cJSON_IsObject(json) || cJSON_IsArray(json)) {
        return write_container(json, w, depth);
    }
    if (cJSON_IsString(json)) {
        return put_string(w, json->valuestring);
    }
    if (cJSON_IsRaw(json)) {
        return put_number_text(w, json->valuestring);
    }
    if (cJSON_IsNumber(json)) {
        put_number(w, json->valuedouble);
    } else if (cJSON_IsBool(json)) {
        ferry_cbor_put_bool(w, cJSON_IsTrue(json));
    } else {
        ferry_cbor_put_null(w);
    }
    return FERRY_OK;
}

int cbor_json_write(const cJSON *json, struct ferry_cbor_writer *w)
{
    return write_item(json, w, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "setting_value.h"

#include "ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- From the command line -------------------------------------------------------------- */

static int copy(const struct cli *cli, const void *data, size_t len, struct cli_buffer *value)
{
    value->data = malloc(len + 1);
    if (value->data == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "no memory");
    }
    memcpy(value->data, data, len);
    value->len = len;
    return CLI_OK;
}

static int from_hex(struct cli *cli, const char *text, struct cli_buffer *value)
{
    text += strncmp(text, "0x", 2) == 0 ? 2 : 0;
    int code = copy(cli, text, strlen(text), value); /* half of it is used */
    int len = code == CLI_OK ? cli_unhex(text, value->data, value->len) : 0;
    if (len < 0) {
        cli_buffer_free(value);
        return cli_usage(cli, "the value is not in hexadecimal: pairs of digits");
    }
    value->len = (size_t)len;
    return code;
}

/* Whether text is a number that fits so many bytes; bits is filled. */
static bool parse(const char *text, bool is_signed, unsigned size, uint64_t *bits)
{
    char *end;
    errno = 0;
    *bits = is_signed ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || (!is_signed && strchr(text, '-') != NULL)) {
        return false;
    }
    if (size == 8) {
        return true;
    }
    int64_t half = (int64_t)1 << (8 * size - 1);
    return is_signed ? (int64_t)*bits >= -half && (int64_t)*bits < half
                     : *bits < (uint64_t)half * 2;
}

static int from_number(struct cli *cli, const char *type, const char *text,
                       struct cli_buffer *value)
{
    unsigned size = (unsigned)strtoul(type + 1, NULL, 10) / 8;
    uint8_t bytes[8];
    uint64_t bits;

    if (!parse(text, type[0] == 'i', size, &bits)) {
        return cli_usage(cli, "the value is no number of this type");
    }
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(bits >> (8 * i));
    }
    return copy(cli, bytes, size, value);
}

static int from_bool(struct cli *cli, const char *text, struct cli_buffer *value)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
        return cli_usage(cli, "a bool is true or false");
    }
    return copy(cli, yes ? "\1" : "\0", 1, value);
}

static bool is_number_type(const char *type)
{
    static const char *const sizes[] = {"8", "16", "32", "64"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if ((type[0] == 'u' || type[0] == 'i') && strcmp(type + 1, sizes[i]) == 0) {
            return true;
        }
    }
    return false;
}

int setting_value_read(struct cli *cli, const char *type, const char *text,
                       struct cli_buffer *value)
{
    *value = (struct cli_buffer){0};
    if (type == NULL && text[0] == '@') {
        return cli_read_file(cli, text + 1, value);
    }
    if (type == NULL ? strncmp(text, "0x", 2) == 0 : strcmp(type, "hex") == 0) {
        return from_hex(cli, text, value);
    }
    if (type == NULL || strcmp(type, "text") == 0) {
        return copy(cli, text, strlen(text), value);
    }
    if (strcmp(type, "bool") == 0) {
        return from_bool(cli, text, value);
    }
    if (is_number_type(type)) {
        return from_number(cli, type, text, value);
    }
    return cli_usage(cli, "--type is text, hex, bool, u8, u16, u32, u64, i8, i16, i32 or i64");
}

/* ---- On the screen ----------------------------------------------------------------------- */

static void print_number(struct ferry_bytes value)
{
    uint64_t bits = 0;
    for (size_t i = value.len; i > 0; i--) {
        bits = bits << 8 | value.data[i - 1];
    }
    printf("u%zu: %" PRIu64 "\n", 8 * value.len, bits);
    if (value.len < 8 ? bits >> (8 * value.len - 1) != 0 : bits >> 63 != 0) {
        uint64_t above = value.len < 8 ? UINT64_MAX << (8 * value.len) : 0;
        printf("i%zu: %" PRId64 "\n", 8 * value.len, (int64_t)(bits | above));
    }
}

void setting_value_print(struct ferry_bytes value)
{
    if (ask_is_text(value)) {
        printf("Value: %.*s\n", (int)value.len, (const char *)value.data);
    }
    fputs("hex: ", stdout);
    for (size_t i = 0; i < value.len; i++) {
        printf("%02x", value.data[i]);
    }
    puts("");
    if (value.len == 1 || value.len == 2 || value.len == 4 || value.len == 8) {
        print_number(value);
    }
}

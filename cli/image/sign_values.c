/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Numbers ------------------------------------------------------------------------- */

/* The base that a prefix names, and what is behind it. */
static int take_base(const char **text)
{
    static const char letters[] = "bBoOxX";
    static const int bases[] = {2, 8, 16};
    const char *letter = **text == '0' && (*text)[1] != '\0' ? strchr(letters, (*text)[1]) : NULL;
    if (letter == NULL) {
        return 10;
    }
    *text += (*text)[2] == '_' ? 3 : 2;
    return bases[(letter - letters) / 2];
}

/* The digits without the underscores that may stand between two of them, up to the end or trailing
 * blanks. Returns false for other characters, or no room. */
static bool plain_digits(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    for (; isxdigit((unsigned char)*text) && n + 1 < cap; n++) {
        out[n] = *text++;
        text += *text == '_' && isxdigit((unsigned char)text[1]) ? 1 : 0;
    }
    out[n] = '\0';
    return n > 0 && text[strspn(text, " \t\r\n")] == '\0';
}

int sign_number(const char *text, uint32_t max, uint32_t *value)
{
    char digits[64];
    char *end;
    text += strspn(text, " \t\r\n");
    text += *text == '+' ? 1 : 0;
    int base = take_base(&text);
    if (!plain_digits(text, digits, sizeof digits) ||
        (base == 10 && digits[0] == '0' && digits[strspn(digits, "0")] != '\0')) {
        return FERRY_E_RANGE;
    }
    errno = 0;
    unsigned long long n = strtoull(digits, &end, base);
    if (*end != '\0' || errno != 0 || n > max) {
        return FERRY_E_RANGE;
    }
    *value = (uint32_t)n;
    return FERRY_OK;
}

/* A number in decimal digits alone. Returns what is behind it, or NULL. */
static const char *take_decimal(const char *text, uint32_t max, uint32_t *value)
{
    unsigned long long n = 0;
    size_t len = strspn(text, "0123456789");
    for (size_t i = 0; i < len && n <= max; i++) {
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    *value = (uint32_t)n;
    return len > 0 && n <= max ? text + len : NULL;
}

bool sign_version(const char *text, struct ferry_version *version)
{
    static const uint32_t most[4] = {0xff, 0xff, 0xffff, UINT32_MAX};
    uint32_t part[4] = {0};
    int n = 0;

    for (;;) {
        if (text[0] == '0' && isdigit((unsigned char)text[1])) {
            return false;
        }
        text = take_decimal(text, most[n], &part[n]);
        if (text == NULL || *text == '\0') {
            break;
        }
        if (*text == '+' && n < 3) {
            n = 3;
        } else if (*text == '.' && n < 2) {
            n++;
        } else {
            return false;
        }
        text++;
    }
    *version =
        (struct ferry_version){(uint8_t)part[0], (uint8_t)part[1], (uint16_t)part[2], part[3]};
    return text != NULL;
}

/* ---- Dependencies -------------------------------------------------------------------- */

#define BLANKS  " \t\r\n"
#define BETWEEN BLANKS ",;"

static const char *skip(const char *text, const char *characters)
{
    return text + strspn(text, characters);
}

/* One "(image,version)". Returns what is behind it, or NULL. */
static const char *take_dependency(const char *text, struct image_dependency *dependency)
{
    char version[32];
    uint32_t number;

    text = *text == '(' ? take_decimal(skip(text + 1, BLANKS), 255, &number) : NULL;
    text = text != NULL && *skip(text, BLANKS) == ',' ? skip(skip(text, BLANKS) + 1, BLANKS) : NULL;
    size_t len = text != NULL ? strspn(text, "0123456789.+") : 0;
    if (len == 0 || len >= sizeof version || *skip(text + len, BLANKS) != ')') {
        return NULL;
    }
    memcpy(version, text, len);
    version[len] = '\0';
    dependency->image = (uint8_t)number;
    return sign_version(version, &dependency->least) ? skip(text + len, BLANKS) + 1 : NULL;
}

int sign_dependencies(const char *text, struct image_claims *claims)
{
    do {
        struct image_dependency dependency;
        text = take_dependency(skip(text, BETWEEN), &dependency);
        if (text == NULL) {
            return FERRY_E_FORMAT;
        }
        if (claims->dependency_count == IMAGE_DEPENDENCIES) {
            return FERRY_E_FULL;
        }
        claims->dependencies[claims->dependency_count++] = dependency;
    } while (*skip(text, BETWEEN) != '\0');
    return FERRY_OK;
}

/* ---- Vendors' TLVs ------------------------------------------------------------------- */

static int add_custom(const char *type, const struct cli_buffer *value, bool from_file,
                      struct image_claims *claims)
{
    uint32_t number;
    if (sign_number(type, 0xfffe, &number) != FERRY_OK || number < FERRY_TLV_VENDOR_FIRST) {
        return FERRY_E_RANGE;
    }
    for (size_t i = 0; i < claims->custom_count; i++) {
        if (claims->custom[i].type == number) {
            return FERRY_E_STATE;
        }
    }
    if (claims->custom_count == IMAGE_CUSTOM_TLVS) {
        return FERRY_E_FULL;
    }
    claims->custom[claims->custom_count++] = (struct image_custom_tlv){
        .type = (uint16_t)number, .value = *value, .from_file = from_file};
    return FERRY_OK;
}

static int add_or_free(const char *type, struct cli_buffer *value, bool from_file,
                       struct image_claims *claims)
{
    int rc = add_custom(type, value, from_file, claims);
    if (rc != FERRY_OK) {
        cli_buffer_free(value);
    }
    return rc;
}

int sign_custom_bytes(const char *type, struct cli_buffer *value, struct image_claims *claims)
{
    return add_or_free(type, value, true, claims);
}

int sign_custom_tlv(const char *type, const char *value, struct image_claims *claims)
{
    size_t len = strlen(value);
    struct cli_buffer buffer = {malloc(len + 1), len};
    if (buffer.data == NULL) {
        return FERRY_E_FULL;
    }
    if (strncmp(value, "0x", 2) != 0) {
        memcpy(buffer.data, value, len + 1);
        return add_or_free(type, &buffer, false, claims);
    }
    int bytes = cli_unhex(value + 2, buffer.data, len);
    if (bytes < 0) {
        cli_buffer_free(&buffer);
        return FERRY_E_FORMAT;
    }
    buffer.len = (size_t)bytes;
    return add_or_free(type, &buffer, false, claims);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_values.h"

#include <stdlib.h>
#include <string.h>

bool sign_version(const char *text, struct ferry_version *version)
{
    unsigned long part[4] = {0};
    static const unsigned long most[4] = {0xff, 0xff, 0xffff, 0xffffffff};
    int n = 0;

    for (;;) {
        char digits[12];
        size_t len = strspn(text, "0123456789");
        if (len == 0 || len >= sizeof digits) {
            return false;
        }
        memcpy(digits, text, len);
        digits[len] = '\0';
        uint32_t value;
        if (cli_number(digits[0] == '0' && len > 1 ? digits + 1 : digits, UINT32_MAX, &value) !=
                FERRY_OK ||
            value > most[n]) {
            return false;
        }
        part[n] = value;
        text += len;
        if (*text == '\0') {
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
    *version = (struct ferry_version){(uint8_t)part[0], (uint8_t)part[1], (uint16_t)part[2],
                                      (uint32_t)part[3]};
    return true;
}

/* ---- Dependencies -------------------------------------------------------------------- */

/* The text up to a character, as a string of its own. Returns what is behind it, or NULL. */
static const char *cut(const char *text, char end, char *out, size_t cap)
{
    const char *stop = strchr(text, end);
    if (stop == NULL || (size_t)(stop - text) >= cap) {
        return NULL;
    }
    memcpy(out, text, (size_t)(stop - text));
    out[stop - text] = '\0';
    return stop + 1;
}

static const char *skip(const char *text, const char *characters)
{
    return text + strspn(text, characters);
}

/* One "(image,version)". Returns what is behind it, or NULL. */
static const char *take_dependency(const char *text, struct image_dependency *dependency)
{
    char image[8];
    char version[32];
    uint32_t number;

    text = *text == '(' ? cut(text + 1, ',', image, sizeof image) : NULL;
    text = text != NULL ? cut(skip(text, " "), ')', version, sizeof version) : NULL;
    if (text == NULL || cli_number(image, 255, &number) != FERRY_OK ||
        !sign_version(version, &dependency->least)) {
        return NULL;
    }
    dependency->image = (uint8_t)number;
    return text;
}

int sign_dependencies(const char *text, struct image_claims *claims)
{
    do {
        struct image_dependency dependency;
        text = take_dependency(skip(text, ", "), &dependency);
        if (text == NULL) {
            return FERRY_E_FORMAT;
        }
        if (claims->dependency_count == IMAGE_DEPENDENCIES) {
            return FERRY_E_FULL;
        }
        claims->dependencies[claims->dependency_count++] = dependency;
    } while (*skip(text, ", ") != '\0');
    return FERRY_OK;
}

/* ---- Vendors' TLVs ------------------------------------------------------------------- */

static int add_custom(const char *type, const struct cli_buffer *value, struct image_claims *claims)
{
    uint32_t number;
    if (cli_number(type, 0xfffe, &number) != FERRY_OK || number < FERRY_TLV_VENDOR_FIRST) {
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
    claims->custom[claims->custom_count++] =
        (struct image_custom_tlv){.type = (uint16_t)number, .value = *value};
    return FERRY_OK;
}

int sign_custom_bytes(const char *type, struct cli_buffer *value, struct image_claims *claims)
{
    int rc = add_custom(type, value, claims);
    if (rc != FERRY_OK) {
        cli_buffer_free(value);
    }
    return rc;
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
        return sign_custom_bytes(type, &buffer, claims);
    }
    int bytes = cli_unhex(value + 2, buffer.data, len);
    if (bytes < 0) {
        cli_buffer_free(&buffer);
        return FERRY_E_FORMAT;
    }
    buffer.len = (size_t)bytes;
    return sign_custom_bytes(type, &buffer, claims);
}

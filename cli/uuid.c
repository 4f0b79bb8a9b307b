/* SPDX-License-Identifier: Apache-2.0 */
#include "uuid.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

const uint8_t uuid_dns[UUID_SIZE] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                     0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

/* The digits of 8-4-4-4-12 or of 32 in a row, NUL at the end. Returns whether it is one of them. */
static bool take_digits(const char *text, char digits[2 * UUID_SIZE + 1])
{
    bool dashes = strlen(text) == 2 * UUID_SIZE + 4;
    size_t n = 0;

    if (!dashes && strlen(text) != 2 * UUID_SIZE) {
        return false;
    }
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool dash = dashes && (i == 8 || i == 13 || i == 18 || i == 23);
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) {
            return false;
        }
        if (!dash) {
            digits[n++] = text[i];
        }
    }
    digits[n] = '\0';
    return true;
}

static bool is_name(const char *text)
{
    size_t len = 0;
    while (text[len] != '\0' && (isprint((unsigned char)text[len]) || (text[len] & 0x80) != 0)) {
        len++;
    }
    return len > 0 && text[len] == '\0';
}

static int of_name(const uint8_t *space, const char *name, uint8_t uuid[UUID_SIZE])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 &&
                EVP_DigestUpdate(ctx, space, UUID_SIZE) == 1 &&
                EVP_DigestUpdate(ctx, name, strlen(name)) == 1 &&
                EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good) {
        return FERRY_E_IO;
    }
    memcpy(uuid, hash, UUID_SIZE);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50); /* version 5 */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80); /* of this variant */
    return FERRY_OK;
}

int uuid_parse(const uint8_t *space, const char *text, uint8_t uuid[UUID_SIZE])
{
    char digits[2 * UUID_SIZE + 1];

    if (take_digits(text, digits)) {
        return cli_unhex(digits, uuid, UUID_SIZE) == UUID_SIZE ? FERRY_OK : FERRY_E_FORMAT;
    }
    return space != NULL && is_name(text) ? of_name(space, text, uuid) : FERRY_E_FORMAT;
}

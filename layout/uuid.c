/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs of vendors and classes. */
#include "uuid.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

const uint8_t uuid_dns[UUID_SIZE] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                     0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

static int value_of(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;

    return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* Whether a dash stands before byte number i, where there are dashes. */
static bool takes_dash(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

bool uuid_read(const char *text, uint8_t uuid[UUID_SIZE])
{
    uint8_t found[UUID_SIZE];
    bool dashes = strchr(text, '-') != NULL;

    for (size_t i = 0; i < UUID_SIZE; i++) {
        if (dashes && takes_dash(i) && *text++ != '-') {
            return false;
        }
        int high = value_of(text[0]);
        int low = high < 0 ? -1 : value_of(text[1]);
        if (low < 0) {
            return false;
        }
        found[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0') {
        return false;
    }
    memcpy(uuid, found, sizeof(found));
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

bool uuid_of_name(const uint8_t space[UUID_SIZE], const char *name, uint8_t uuid[UUID_SIZE])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = is_name(name) && context != NULL &&
                EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
                EVP_DigestUpdate(context, space, UUID_SIZE) == 1 &&
                EVP_DigestUpdate(context, name, strlen(name)) == 1 &&
                EVP_DigestFinal_ex(context, digest, NULL) == 1;

    EVP_MD_CTX_free(context);
    if (!done) {
        return false;
    }
    memcpy(uuid, digest, UUID_SIZE);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50); /* version 5 */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The form of Ed25519 keys. [mcuboot-format.md §2.4] */
#include "core/image/ed25519_key.h"

#include <string.h>

/* What every SubjectPublicKeyInfo of an Ed25519 key begins with. [RFC 8410 §4] */
static const uint8_t prefix[] = {
    0x30, 0x2a,                   /* SEQUENCE, 42 bytes */
    0x30, 0x05,                   /* SEQUENCE, 5 bytes */
    0x06, 0x03, 0x2b, 0x65, 0x70, /* id-Ed25519 */
    0x03, 0x21, 0x00              /* BIT STRING, 33 bytes */
};

bool ferry_ed25519_fits(const struct ferry_image_key *key)
{
    return key->len == sizeof prefix + FERRY_ED25519_KEY_SIZE &&
           memcmp(key->der, prefix, sizeof prefix) == 0;
}

const uint8_t *ferry_ed25519_key(const struct ferry_image_key *key)
{
    return key->der + sizeof prefix;
}

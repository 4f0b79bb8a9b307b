/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that decrypt: one with the secrets test images are encrypted for, and a stranger. */
#include "test_encrypt.h"

static const struct ferry_image_unwrapper *const unwrappers[] = {
    &ferry_unwrap_rsa2048, &ferry_unwrap_kw, &ferry_unwrap_ec256, &ferry_unwrap_x25519,
    &ferry_unwrap_x25519_sha512};

static const enum test_wrap kinds[] = {TEST_WRAP_RSA2048, TEST_WRAP_KW, TEST_WRAP_EC256,
                                       TEST_WRAP_X25519};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

const struct ferry_image_secrets *test_secrets(bool stranger)
{
    static struct ferry_image_secret secrets[2][KIND_COUNT];
    static struct ferry_image_secrets all[2];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        secrets[stranger][i] = stranger ? test_wraps[kinds[i]].other : test_wraps[kinds[i]].secret;
    }
    all[stranger] =
        (struct ferry_image_secrets){.secrets = secrets[stranger],
                                     .secret_count = KIND_COUNT,
                                     .unwrappers = unwrappers,
                                     .unwrapper_count = sizeof unwrappers / sizeof unwrappers[0]};
    return &all[stranger];
}

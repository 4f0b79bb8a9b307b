/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by Mbed TLS, whose rounds are a loop: 0.8 KB less of a Cortex-M0's flash. No heap. */
#include "ferry/crypto.h"

#include <mbedtls/sha256.h>
#include <string.h>

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct ferry_sha256),
               "the opaque state holds Mbed TLS's");

/* The state is copied out and in: it is not of Mbed TLS's type where the caller keeps it. Without
 * an accelerator behind it nothing here can fail. */
static void load(mbedtls_sha256_context *context, const struct ferry_sha256 *sha)
{
    memcpy(context, sha->opaque, sizeof *context);
}

static void store(struct ferry_sha256 *sha, const mbedtls_sha256_context *context)
{
    memcpy(sha->opaque, context, sizeof *context);
}

void ferry_crypto_sha256_init(struct ferry_sha256 *sha)
{
    mbedtls_sha256_context context;
    mbedtls_sha256_init(&context);
    (void)mbedtls_sha256_starts_ret(&context, 0);
    store(sha, &context);
}

void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len)
{
    mbedtls_sha256_context context;
    load(&context, sha);
    (void)mbedtls_sha256_update_ret(&context, data, len);
    store(sha, &context);
}

void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE])
{
    mbedtls_sha256_context context;
    load(&context, sha);
    (void)mbedtls_sha256_finish_ret(&context, digest);
    memset(sha, 0, sizeof *sha);
}

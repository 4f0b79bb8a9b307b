/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by BearSSL: a quarter faster than the other, and the one that HMAC works with. No heap
 * and no globals. */
#include "ferry/crypto.h"

#include <bearssl_hash.h>
#include <string.h>

_Static_assert(sizeof(br_sha256_context) <= sizeof(struct ferry_sha256),
               "the opaque state holds BearSSL's");

/* The state is copied out and in: it is not of BearSSL's type where the caller keeps it. */
static void load256(br_sha256_context *context, const struct ferry_sha256 *sha)
{
    memcpy(context, sha->opaque, sizeof *context);
}

static void store256(struct ferry_sha256 *sha, const br_sha256_context *context)
{
    memcpy(sha->opaque, context, sizeof *context);
}

void ferry_crypto_sha256_init(struct ferry_sha256 *sha)
{
    br_sha256_context context;
    memset(&context, 0, sizeof context);
    br_sha256_init(&context);
    store256(sha, &context);
}

void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len)
{
    br_sha256_context context;
    load256(&context, sha);
    br_sha256_update(&context, data, len);
    store256(sha, &context);
}

void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE])
{
    br_sha256_context context;
    load256(&context, sha);
    br_sha256_out(&context, digest);
    memset(sha, 0, sizeof *sha);
}

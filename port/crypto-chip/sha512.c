/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-384 and SHA-512 by BearSSL, for chips. No heap and no globals. */
#include "ferry/crypto.h"

#include <bearssl_hash.h>
#include <string.h>

_Static_assert(sizeof(br_sha384_context) <= sizeof(struct ferry_sha512) &&
                   sizeof(br_sha512_context) <= sizeof(struct ferry_sha512),
               "the opaque state holds BearSSL's");

static void load384(br_sha384_context *context, const struct ferry_sha512 *sha)
{
    memcpy(context, sha->opaque, sizeof *context);
}

static void store384(struct ferry_sha512 *sha, const br_sha384_context *context)
{
    memcpy(sha->opaque, context, sizeof *context);
}

void ferry_crypto_sha384_init(struct ferry_sha512 *sha)
{
    br_sha384_context context;
    memset(&context, 0, sizeof context);
    br_sha384_init(&context);
    store384(sha, &context);
}

void ferry_crypto_sha384_update(struct ferry_sha512 *sha, const void *data, size_t len)
{
    br_sha384_context context;
    load384(&context, sha);
    br_sha384_update(&context, data, len);
    store384(sha, &context);
}

void ferry_crypto_sha384_final(struct ferry_sha512 *sha, uint8_t digest[FERRY_SHA384_SIZE])
{
    br_sha384_context context;
    load384(&context, sha);
    br_sha384_out(&context, digest);
    memset(sha, 0, sizeof *sha);
}

static void load512(br_sha512_context *context, const struct ferry_sha512 *sha)
{
    memcpy(context, sha->opaque, sizeof *context);
}

static void store512(struct ferry_sha512 *sha, const br_sha512_context *context)
{
    memcpy(sha->opaque, context, sizeof *context);
}

void ferry_crypto_sha512_init(struct ferry_sha512 *sha)
{
    br_sha512_context context;
    memset(&context, 0, sizeof context);
    br_sha512_init(&context);
    store512(sha, &context);
}

void ferry_crypto_sha512_update(struct ferry_sha512 *sha, const void *data, size_t len)
{
    br_sha512_context context;
    load512(&context, sha);
    br_sha512_update(&context, data, len);
    store512(sha, &context);
}

void ferry_crypto_sha512_final(struct ferry_sha512 *sha, uint8_t digest[FERRY_SHA512_SIZE])
{
    br_sha512_context context;
    load512(&context, sha);
    br_sha512_out(&context, digest);
    memset(sha, 0, sizeof *sha);
}

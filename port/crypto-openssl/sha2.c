/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 by OpenSSL 3, for the host. */
#include "ferry/crypto.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(EVP_MD_CTX *) <= sizeof(struct ferry_sha256) &&
                   sizeof(EVP_MD_CTX *) <= sizeof(struct ferry_sha512),
               "the opaque states hold a pointer to OpenSSL's");

/* A digest has no way to say that it failed, and OpenSSL's fails only without memory or without
 * its own library: to go on would mean to compare against nothing. */
static void die(void)
{
    fputs("ferry: SHA-2 does not work: OpenSSL is out of memory or has no SHA-2 provider. "
          "Free memory, or repair the OpenSSL installation and its openssl.cnf.\n",
          stderr);
    abort();
}

/* ---- The state is a pointer ------------------------------------------------------------- */

static EVP_MD_CTX *load(const uint64_t *opaque)
{
    EVP_MD_CTX *context;
    memcpy(&context, opaque, sizeof context);
    return context;
}

static void begin(uint64_t *opaque, const EVP_MD *algorithm)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, algorithm, NULL) != 1) {
        die();
    }
    memcpy(opaque, &context, sizeof context);
}

static void update(const uint64_t *opaque, const void *data, size_t len)
{
    if (EVP_DigestUpdate(load(opaque), data, len) != 1) {
        die();
    }
}

static void finish(const uint64_t *opaque, uint8_t *digest)
{
    EVP_MD_CTX *context = load(opaque);
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1) {
        die();
    }
    EVP_MD_CTX_free(context);
}

/* ---- SHA-256, SHA-384, SHA-512 ---------------------------------------------------------- */

void ferry_crypto_sha256_init(struct ferry_sha256 *sha)
{
    memset(sha, 0, sizeof *sha);
    begin(sha->opaque, EVP_sha256());
}

void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len)
{
    update(sha->opaque, data, len);
}

void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE])
{
    finish(sha->opaque, digest);
    memset(sha, 0, sizeof *sha);
}

void ferry_crypto_sha384_init(struct ferry_sha512 *sha)
{
    memset(sha, 0, sizeof *sha);
    begin(sha->opaque, EVP_sha384());
}

void ferry_crypto_sha384_update(struct ferry_sha512 *sha, const void *data, size_t len)
{
    update(sha->opaque, data, len);
}

void ferry_crypto_sha384_final(struct ferry_sha512 *sha, uint8_t digest[FERRY_SHA384_SIZE])
{
    finish(sha->opaque, digest);
    memset(sha, 0, sizeof *sha);
}

void ferry_crypto_sha512_init(struct ferry_sha512 *sha)
{
    memset(sha, 0, sizeof *sha);
    begin(sha->opaque, EVP_sha512());
}

void ferry_crypto_sha512_update(struct ferry_sha512 *sha, const void *data, size_t len)
{
    update(sha->opaque, data, len);
}

void ferry_crypto_sha512_final(struct ferry_sha512 *sha, uint8_t digest[FERRY_SHA512_SIZE])
{
    finish(sha->opaque, digest);
    memset(sha, 0, sizeof *sha);
}

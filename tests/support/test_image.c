/* SPDX-License-Identifier: Apache-2.0 */
/* Builds signed MCUboot images in memory for tests. */
#include "test_image.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cursor that remembers that it ran out of space. */
struct writer {
    uint8_t *out;
    size_t len;
    size_t cap;
    bool full;
};

static void put(struct writer *w, const void *data, size_t len)
{
    if (w->full || len > w->cap - w->len) {
        w->full = true;
        return;
    }
    if (len > 0) {
        memcpy(w->out + w->len, data, len);
    }
    w->len += len;
}

static void put_int(struct writer *w, uint64_t value, size_t width)
{
    uint8_t raw[8];
    for (size_t i = 0; i < width; i++) {
        raw[i] = (uint8_t)(value >> (8 * i));
    }
    put(w, raw, width);
}

static void put_tlv(struct writer *w, uint16_t type, const void *data, size_t len)
{
    put_int(w, type, 2);
    put_int(w, len, 2);
    put(w, data, len);
}

/* Write an area of TLVs; its total is set when all of them stand. */
static void put_area(struct writer *w, uint16_t magic, const struct test_tlv *tlvs, size_t count)
{
    put_int(w, magic, 2);
    put_int(w, 4, 2);
    for (size_t i = 0; i < count; i++) {
        put_tlv(w, tlvs[i].type, tlvs[i].data, tlvs[i].len);
    }
}

static void close_area(struct writer *w, size_t start)
{
    if (w->full) {
        return;
    }
    size_t total = w->len - start;
    w->out[start + 2] = (uint8_t)total;
    w->out[start + 3] = (uint8_t)(total >> 8);
}

static void die(const char *what)
{
    fprintf(stderr, "test_image: %s failed in OpenSSL\n", what);
    abort();
}

void test_sha256(const void *data, size_t len, uint8_t digest[32])
{
    if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1) {
        die("SHA-256");
    }
}

size_t test_sha(enum test_sha sha, const void *data, size_t len, uint8_t digest[64])
{
    const EVP_MD *algorithm = sha == TEST_SHA_512   ? EVP_sha512()
                              : sha == TEST_SHA_384 ? EVP_sha384()
                                                    : EVP_sha256();
    if (EVP_Digest(data, len, digest, NULL, algorithm, NULL) != 1) {
        die("SHA-2");
    }
    return (size_t)EVP_MD_get_size(algorithm);
}

static EVP_PKEY *load_private(enum test_key_id key)
{
    const char *pem = test_keys[key].private_pem;
    BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return pkey;
}

static size_t sign_ecdsa(EVP_PKEY *pkey, const uint8_t *digest, size_t len, uint8_t *signature)
{
    size_t size = TEST_SIGNATURE_MAX_EC;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_sign(ctx, signature, &size, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good ? size : 0;
}

static size_t sign_ed25519(EVP_PKEY *pkey, const uint8_t *message, size_t len, uint8_t *signature)
{
    size_t size = TEST_SIGNATURE_MAX_EC;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(ctx, signature, &size, message, len) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? size : 0;
}

static size_t sign_rsa(EVP_PKEY *pkey, const uint8_t *digest, size_t len, uint8_t *signature)
{
    size_t size = TEST_SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) == 1 &&
                EVP_PKEY_sign(ctx, signature, &size, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good ? size : 0;
}

/* By pairs of enum test_key_id: what signs, and what the signature is called. */
static const struct {
    size_t (*sign)(EVP_PKEY *pkey, const uint8_t *data, size_t len, uint8_t *signature);
    uint16_t tlv;
} schemes[] = {{sign_ecdsa, 0x22},
               {sign_ed25519, 0x24},
               {sign_ecdsa, 0x22},
               {sign_rsa, 0x20},
               {sign_rsa, 0x23}};

uint16_t test_signature_tlv(enum test_key_id key)
{
    return schemes[key / 2].tlv;
}

enum test_sha test_sha_of(enum test_key_id key, bool pure)
{
    if (key == TEST_KEY_P384 || key == TEST_KEY_P384_OTHER) {
        return TEST_SHA_384;
    }
    return pure ? TEST_SHA_512 : TEST_SHA_256;
}

size_t test_sign(enum test_key_id key, const uint8_t *data, size_t len, uint8_t *signature)
{
    EVP_PKEY *pkey = load_private(key);
    if (pkey == NULL) {
        return 0;
    }
    size_t size = schemes[key / 2].sign(pkey, data, len, signature);
    EVP_PKEY_free(pkey);
    return size;
}

static size_t key_len_of(const struct test_image_spec *spec)
{
    return spec->key_len != 0 ? spec->key_len : 16U;
}

static uint32_t encryption_flag(const struct test_image_spec *spec)
{
    if (spec->wrap == TEST_WRAP_NONE) {
        return 0;
    }
    return key_len_of(spec) == 16 ? 0x4 : 0x8;
}

static void put_header(struct writer *w, const struct test_image_spec *spec, size_t header_size,
                       size_t payload_size)
{
    size_t protected_size = spec->protected_count > 0 ? 4 : 0;
    for (size_t i = 0; i < spec->protected_count; i++) {
        protected_size += 4U + spec->protected_tlvs[i].len;
    }
    put_int(w, 0x96f3b83d, 4);
    put_int(w, spec->load_address, 4);
    put_int(w, header_size, 2);
    put_int(w, protected_size, 2);
    put_int(w, payload_size, 4);
    put_int(w, spec->flags | encryption_flag(spec), 4);
    put_int(w, spec->version.major, 1);
    put_int(w, spec->version.minor, 1);
    put_int(w, spec->version.revision, 2);
    put_int(w, spec->version.build, 4);
    put_int(w, 0, 4);
    for (size_t i = 32; i < header_size; i++) {
        put_int(w, 0, 1);
    }
}

static void put_payload(struct writer *w, const struct test_image_spec *spec, size_t size)
{
    if (spec->payload != NULL) {
        put(w, spec->payload, spec->payload_size);
        for (size_t i = spec->payload_size; i < size; i++) {
            put_int(w, 0, 1);
        }
        return;
    }
    uint32_t x = spec->seed * 2654435761U + spec->version.major * 40503U +
                 spec->version.minor * 97U + spec->version.revision * 7U + spec->version.build + 1U;
    size_t made = spec->payload_size != 0 ? spec->payload_size : 4096;
    for (size_t i = 0; i < made; i++) {
        x = x * 1664525U + 1013904223U;
        put_int(w, x >> 24, 1);
    }
    for (size_t i = made; i < size; i++) {
        put_int(w, 0, 1);
    }
}

void test_content_key(const struct test_image_spec *spec, uint8_t key[32])
{
    const uint8_t from[] = {'k',
                            'e',
                            'y',
                            spec->seed,
                            spec->version.major,
                            spec->version.minor,
                            (uint8_t)spec->version.revision,
                            (uint8_t)spec->version.build};
    test_sha256(from, sizeof from, key);
}

/* The ENC TLV; and the payload, whose digest is taken, is encrypted. */
static void encrypt(struct writer *w, const struct test_image_spec *spec, uint8_t *payload,
                    size_t payload_size)
{
    uint8_t key[32];
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    if (spec->content_key != NULL) {
        memcpy(key, spec->content_key, key_len_of(spec));
    } else {
        test_content_key(spec, key);
    }
    size_t len = test_wrap_key(spec->wrap, key, key_len_of(spec), wrapped);
    put_tlv(w, test_wraps[spec->wrap].tlv, wrapped, len);
    if (!spec->clear) {
        test_encrypt_payload(key, key_len_of(spec), payload, payload_size);
    }
}

/* Name one key and sign with it; message is what is signed, and the hash of the key is of sha. */
static void put_signature(struct writer *w, const struct test_image_spec *spec,
                          enum test_key_id key, enum test_sha sha, const uint8_t *message,
                          size_t message_len)
{
    const struct test_key *k = &test_keys[key];
    uint8_t hash[64];
    uint8_t signature[TEST_SIGNATURE_MAX];
    if (spec->full_key) {
        put_tlv(w, 0x02, k->public_der, k->public_len);
    } else {
        put_tlv(w, 0x01, hash, test_sha(sha, k->public_der, k->public_len, hash));
    }
    size_t len = test_sign(key, message, message_len, signature);
    if (len == 0) {
        die("signing");
    }
    put_tlv(w, test_signature_tlv(key), signature, len);
}

static void put_signatures(struct writer *w, const struct test_image_spec *spec, enum test_sha sha,
                           const uint8_t *message, size_t len)
{
    if (spec->pure) {
        put_tlv(w, 0x25, "\1", 1);
    }
    if (spec->key != TEST_KEY_NONE) {
        put_signature(w, spec, spec->key, sha, message, len);
    }
    for (size_t i = 0; i < spec->more_key_count; i++) {
        put_signature(w, spec, spec->more_keys[i], sha, message, len);
    }
}

size_t test_image_build(const struct test_image_spec *spec, uint8_t *out, size_t cap)
{
    struct writer w = {.out = out, .cap = cap};
    size_t header_size = spec->header_size != 0 ? spec->header_size : 512U;
    size_t payload_size = spec->payload_size != 0 ? spec->payload_size : 4096;
    if (spec->wrap != TEST_WRAP_NONE) {
        payload_size = (payload_size + 15) / 16 * 16;
    }
    enum test_sha sha = spec->sha != TEST_SHA_AUTO ? spec->sha : test_sha_of(spec->key, spec->pure);
    put_header(&w, spec, header_size, payload_size);
    put_payload(&w, spec, payload_size);
    if (spec->protected_count > 0) {
        size_t start = w.len;
        put_area(&w, 0x6908, spec->protected_tlvs, spec->protected_count);
        close_area(&w, start);
    }
    if (w.full) {
        return 0;
    }
    uint8_t digest[64];
    size_t start = w.len;
    size_t digest_len = test_sha(sha, out, start, digest);
    put_area(&w, 0x6907, NULL, 0);
    if (!spec->no_digest) {
        put_tlv(&w, (uint16_t)(0x10 + (sha - TEST_SHA_256) / 128), digest, digest_len);
    }
    put_signatures(&w, spec, sha, spec->pure ? out : digest, spec->pure ? start : digest_len);
    if (spec->wrap != TEST_WRAP_NONE && !w.full) {
        encrypt(&w, spec, out + header_size, payload_size);
    }
    for (size_t i = 0; i < spec->unprotected_count; i++) {
        const struct test_tlv *tlv = &spec->unprotected_tlvs[i];
        put_tlv(&w, tlv->type, tlv->data, tlv->len);
    }
    close_area(&w, start);
    return w.full ? 0 : w.len;
}

size_t test_from_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

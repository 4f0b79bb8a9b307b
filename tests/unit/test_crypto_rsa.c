/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto port this program is linked with, RSA-PSS with 2048 and 3072 bits: what OpenSSL makes,
 * and what must not verify: numbers out of range, and encoded messages that a key's owner could
 * have signed though they are not of the form. Built once with each port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/crypto.h"
#include "test_image.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

/* Of the test that runs. */
static enum test_key_id key;
static size_t size;

static int choose_2048(void **state)
{
    (void)state;
    key = TEST_KEY_RSA2048;
    size = FERRY_RSA2048_SIZE;
    return 0;
}

static int choose_3072(void **state)
{
    (void)state;
    key = TEST_KEY_RSA3072;
    size = FERRY_RSA3072_SIZE;
    return 0;
}

static const uint8_t *modulus_of(enum test_key_id id)
{
    return test_keys[id].public_der + 9;
}

/* A digest, and a good signature of it by the test key. */
struct sample {
    uint8_t digest[32];
    uint8_t signature[TEST_SIGNATURE_MAX];
};

static struct sample sign_sample(const char *message)
{
    struct sample sample;
    test_sha256(message, strlen(message), sample.digest);
    assert_int_equal(test_sign(key, sample.digest, 32, sample.signature), size);
    return sample;
}

static int verify(const struct sample *sample, const uint8_t *signature)
{
    return ferry_crypto_rsa_pss_verify(modulus_of(key), size, sample->digest, signature);
}

/* Read once a key: it is used thousands of times. */
static EVP_PKEY *private_key(void)
{
    static EVP_PKEY *keys[TEST_KEY_COUNT];
    if (keys[key] == NULL) {
        const char *pem = test_keys[key].private_pem;
        BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
        keys[key] = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    return keys[key];
}

static EVP_PKEY_CTX *begin(int (*init)(EVP_PKEY_CTX *), int padding)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(private_key(), NULL);
    assert_non_null(ctx);
    assert_int_equal(init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    return ctx;
}

/* Sign an encoded message as it is. */
static void sign_raw(const uint8_t *encoded, uint8_t *signature)
{
    size_t len = TEST_SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx = begin(EVP_PKEY_sign_init, RSA_NO_PADDING);
    assert_int_equal(EVP_PKEY_sign(ctx, signature, &len, encoded, size), 1);
    assert_int_equal(len, size);
    EVP_PKEY_CTX_free(ctx);
}

/* The encoded message in a signature. */
static void open_raw(const uint8_t *signature, uint8_t *encoded)
{
    size_t len = TEST_SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx = begin(EVP_PKEY_verify_recover_init, RSA_NO_PADDING);
    assert_int_equal(EVP_PKEY_verify_recover(ctx, encoded, &len, signature, size), 1);
    assert_int_equal(len, size);
    EVP_PKEY_CTX_free(ctx);
}

/* Sign with another padding, digest, mask or length of salt. */
static void sign_as(const struct sample *sample, int padding, const EVP_MD *md, const EVP_MD *mgf,
                    int salt, uint8_t *signature)
{
    uint8_t digest[64];
    size_t len = TEST_SIGNATURE_MAX;
    size_t digest_len = (size_t)EVP_MD_get_size(md);
    EVP_PKEY_CTX *ctx = begin(EVP_PKEY_sign_init, padding);
    memset(digest, 0x11, sizeof digest);
    memcpy(digest, sample->digest, digest_len < 32 ? digest_len : 32);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md), 1);
    if (padding == RSA_PKCS1_PSS_PADDING) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
    }
    assert_int_equal(EVP_PKEY_sign(ctx, signature, &len, digest, digest_len), 1);
    EVP_PKEY_CTX_free(ctx);
}

static void rsa_verifies_what_openssl_signs(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char message[32];
        snprintf(message, sizeof message, "message %d", i);
        struct sample sample = sign_sample(message);
        assert_int_equal(verify(&sample, sample.signature), FERRY_OK);
        assert_int_equal(ferry_crypto_rsa_pss_verify(modulus_of((enum test_key_id)(key + 1)), size,
                                                     sample.digest, sample.signature),
                         FERRY_E_SIGNATURE);
        uint8_t again[TEST_SIGNATURE_MAX];
        sign_as(&sample, RSA_PKCS1_PSS_PADDING, EVP_sha256(), EVP_sha256(), 32, again);
        assert_int_equal(verify(&sample, again), FERRY_OK);
    }
}

/* Any bit of digest, signature or modulus; of the longer key every third. */
static void rsa_every_bit(void **state)
{
    (void)state;
    struct sample sample = sign_sample("bits");
    uint8_t modulus[TEST_SIGNATURE_MAX];
    size_t step = size == FERRY_RSA2048_SIZE ? 1 : 3;
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * (32 + size); bit += step) {
        struct sample bad = sample;
        uint8_t *byte = bit < 256 ? &bad.digest[bit / 8] : &bad.signature[bit / 8 - 32];
        *byte ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(verify(&bad, bad.signature), FERRY_E_SIGNATURE);
        refused++;
    }
    for (size_t bit = 0; bit < 8 * size; bit += step) {
        memcpy(modulus, modulus_of(key), size);
        modulus[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(
            ferry_crypto_rsa_pss_verify(modulus, size, sample.digest, sample.signature),
            FERRY_E_SIGNATURE);
        refused++;
    }
    printf("RSA-%zu: %zu bits\n", 8 * size, refused);
    assert_int_equal(refused, (8 * (32 + size) + step - 1) / step + (8 * size + step - 1) / step);
}

/* Any bit of what was signed: padding, the byte between it and the salt, salt, hash, trailer. The
 * highest bit alone cannot be signed: it would be above the modulus, or is it is refused as well.
 */
static void rsa_every_bit_of_the_encoded_message(void **state)
{
    (void)state;
    struct sample sample = sign_sample("encoded");
    uint8_t encoded[TEST_SIGNATURE_MAX];
    uint8_t signature[TEST_SIGNATURE_MAX];
    open_raw(sample.signature, encoded);
    assert_int_equal(encoded[size - 1], 0xbc);
    assert_int_equal(encoded[0] & 0x80, 0);
    sign_raw(encoded, signature);
    assert_int_equal(verify(&sample, signature), FERRY_OK);
    size_t step = size == FERRY_RSA2048_SIZE ? 1 : 3;
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * size; bit += step) {
        if (bit == 7) {
            continue; /* of the first byte the highest */
        }
        encoded[bit / 8] ^= (uint8_t)(1U << bit % 8);
        sign_raw(encoded, signature);
        assert_int_equal(verify(&sample, signature), FERRY_E_SIGNATURE);
        encoded[bit / 8] ^= (uint8_t)(1U << bit % 8);
        refused++;
    }
    assert_int_equal(refused, (8 * size + step - 1) / step - (step == 1));
}

/* Signed by the right key, in another way. */
static void rsa_other_forms(void **state)
{
    (void)state;
    struct sample sample = sign_sample("forms");
    uint8_t signature[TEST_SIGNATURE_MAX];
    for (int salt = 0; salt <= 64; salt++) {
        sign_as(&sample, RSA_PKCS1_PSS_PADDING, EVP_sha256(), EVP_sha256(), salt, signature);
        assert_int_equal(verify(&sample, signature), salt == 32 ? FERRY_OK : FERRY_E_SIGNATURE);
    }
    sign_as(&sample, RSA_PKCS1_PSS_PADDING, EVP_sha256(), EVP_sha256(), RSA_PSS_SALTLEN_MAX,
            signature);
    assert_int_equal(verify(&sample, signature), FERRY_E_SIGNATURE);
    sign_as(&sample, RSA_PKCS1_PSS_PADDING, EVP_sha256(), EVP_sha1(), 32, signature);
    assert_int_equal(verify(&sample, signature), FERRY_E_SIGNATURE);
    sign_as(&sample, RSA_PKCS1_PSS_PADDING, EVP_sha384(), EVP_sha384(), 32, signature);
    assert_int_equal(verify(&sample, signature), FERRY_E_SIGNATURE);
    sign_as(&sample, RSA_PKCS1_PSS_PADDING, EVP_sha512(), EVP_sha256(), 32, signature);
    assert_int_equal(verify(&sample, signature), FERRY_E_SIGNATURE);
    sign_as(&sample, RSA_PKCS1_PADDING, EVP_sha256(), NULL, 0, signature);
    assert_int_equal(verify(&sample, signature), FERRY_E_SIGNATURE);
}

/* a + b or a - b, modulo 2^(8 * size). Returns the carry. */
static int add(uint8_t *out, const uint8_t *a, const uint8_t *b, int sign)
{
    int carry = 0;
    for (size_t i = size; i-- > 0;) {
        int d = a[i] + sign * b[i] + carry;
        carry = d < 0 ? -1 : d >> 8;
        out[i] = (uint8_t)d;
    }
    return carry;
}

/* Signatures are below the modulus: what is equal to a good one modulo n is not it. */
static void rsa_ranges(void **state)
{
    (void)state;
    struct sample sample = sign_sample("ranges");
    uint8_t bad[TEST_SIGNATURE_MAX] = {0};
    uint8_t one[TEST_SIGNATURE_MAX] = {0};
    const uint8_t *n = modulus_of(key);
    one[size - 1] = 1;
    assert_int_equal(verify(&sample, bad), FERRY_E_SIGNATURE); /* 0 */
    assert_int_equal(verify(&sample, one), FERRY_E_SIGNATURE);
    assert_int_equal(verify(&sample, n), FERRY_E_SIGNATURE);
    add(bad, n, one, -1);
    assert_int_equal(verify(&sample, bad), FERRY_E_SIGNATURE);
    add(bad, n, one, 1);
    assert_int_equal(verify(&sample, bad), FERRY_E_SIGNATURE);
    memset(bad, 0xff, size);
    assert_int_equal(verify(&sample, bad), FERRY_E_SIGNATURE);
    add(bad, n, sample.signature, -1); /* the negative of a good one */
    assert_int_equal(verify(&sample, bad), FERRY_E_SIGNATURE);
    int found = 0;
    for (int i = 0; i < 64 && found == 0; i++) { /* a good one plus n, where it fits */
        char message[32];
        snprintf(message, sizeof message, "range %d", i);
        sample = sign_sample(message);
        if (add(bad, sample.signature, n, 1) == 0) {
            assert_int_equal(verify(&sample, bad), FERRY_E_SIGNATURE);
            found++;
        }
    }
    printf("s + n: %d\n", found);
}

/* Moduli that are none, and lengths that are not taken. */
static void rsa_bad_moduli(void **state)
{
    (void)state;
    struct sample sample = sign_sample("moduli");
    uint8_t modulus[TEST_SIGNATURE_MAX + 8] = {0};
    assert_int_equal(ferry_crypto_rsa_pss_verify(modulus, size, sample.digest, sample.signature),
                     FERRY_E_SIGNATURE);
    memset(modulus, 0xff, sizeof modulus);
    assert_int_equal(ferry_crypto_rsa_pss_verify(modulus, size, sample.digest, sample.signature),
                     FERRY_E_SIGNATURE);
    memcpy(modulus, modulus_of(key), size);
    modulus[0] &= 0x7f;
    assert_int_equal(ferry_crypto_rsa_pss_verify(modulus, size, sample.digest, sample.signature),
                     FERRY_E_SIGNATURE);
    memcpy(modulus, modulus_of(key), size);
    modulus[size - 1] &= 0xfe; /* even */
    assert_int_equal(ferry_crypto_rsa_pss_verify(modulus, size, sample.digest, sample.signature),
                     FERRY_E_SIGNATURE);
    static const size_t lengths[] = {0, 1, 16, 128, 255, 257, 383, 385};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_int_equal(ferry_crypto_rsa_pss_verify(modulus_of(key), lengths[i], sample.digest,
                                                     sample.signature),
                         FERRY_E_SIGNATURE);
    }
}

#define BOTH_SIZES(test)                                                                           \
    cmocka_unit_test_setup(test, choose_2048), cmocka_unit_test_setup(test, choose_3072)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_SIZES(rsa_verifies_what_openssl_signs),
        BOTH_SIZES(rsa_every_bit),
        BOTH_SIZES(rsa_every_bit_of_the_encoded_message),
        BOTH_SIZES(rsa_other_forms),
        BOTH_SIZES(rsa_ranges),
        BOTH_SIZES(rsa_bad_moduli),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* AES key wrap and RSA-OAEP in the crypto port this program is linked with: known answers, and what
 * must be refused. Built once with each port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/cipher.h"
#include "test_image.h"

#include <string.h>

/* ---- AES key wrap ----------------------------------------------------------------------- */

/* RFC 3394 §4.1 and §4.6; between them its keys in other lengths, by pyca/cryptography. */
static const struct {
    const char *kek, *key, *wrapped;
} kw_cases[] = {
    {"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
     "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
    {"000102030405060708090a0b0c0d0e0f",
     "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
     "11826840774d993ff9c2fa02cca3cea0e93b1e1cf96361f93ea6dc2f345194e7b30f964c79f9e61d"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
     "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
};

static void kw_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kw_cases / sizeof kw_cases[0]; i++) {
        uint8_t kek[32];
        uint8_t key[32];
        uint8_t wrapped[40];
        uint8_t out[33];
        size_t kek_len = test_from_hex(kw_cases[i].kek, kek);
        size_t key_len = test_from_hex(kw_cases[i].key, key);
        size_t len = test_from_hex(kw_cases[i].wrapped, wrapped);
        memset(out, 0xa5, sizeof out);
        assert_int_equal(len, key_len + FERRY_AES_KW_EXTRA);
        assert_int_equal(ferry_crypto_aes_kw(kek, kek_len, wrapped, len, out), FERRY_OK);
        assert_memory_equal(out, key, key_len);
        assert_int_equal(out[key_len], 0xa5);
    }
}

static void kw_refuses_every_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kw_cases / sizeof kw_cases[0]; i++) {
        uint8_t kek[32];
        uint8_t wrapped[40];
        uint8_t out[32];
        size_t kek_len = test_from_hex(kw_cases[i].kek, kek);
        size_t len = test_from_hex(kw_cases[i].wrapped, wrapped);
        for (size_t bit = 0; bit < 8 * (len + kek_len); bit++) {
            uint8_t *byte = bit / 8 < len ? &wrapped[bit / 8] : &kek[bit / 8 - len];
            *byte ^= (uint8_t)(1U << bit % 8);
            memset(out, 0xa5, sizeof out);
            assert_int_equal(ferry_crypto_aes_kw(kek, kek_len, wrapped, len, out), FERRY_E_SECRET);
            assert_true(ferry_all_equal(out, len - FERRY_AES_KW_EXTRA, 0));
            *byte ^= (uint8_t)(1U << bit % 8);
        }
    }
}

/* ---- RSA-OAEP ----------------------------------------------------------------------------- */

/* The numbers of test_secrets.c's key, where they stand in its RSAPrivateKey: SEQUENCE {0, n, e,
 * d, p, q, …}, each with a length in two bytes or one. */
static struct ferry_bytes next_number(const uint8_t **at)
{
    const uint8_t *p = *at;
    assert_int_equal(p[0], 0x02);
    size_t len = p[1];
    p += 2;
    if (len == 0x81) {
        len = *p++;
    } else if (len == 0x82) {
        len = ferry_load_be16(p);
        p += 2;
    }
    *at = p + len;
    return p[0] == 0 ? (struct ferry_bytes){p + 1, len - 1} : (struct ferry_bytes){p, len};
}

static struct ferry_rsa_private rsa_numbers(const struct ferry_image_secret *secret)
{
    const uint8_t *at = secret->bytes + 4 + 3;
    struct ferry_rsa_private key;
    key.n = next_number(&at);
    key.e = next_number(&at);
    key.d = next_number(&at);
    key.p = next_number(&at);
    key.q = next_number(&at);
    assert_int_equal(key.n.len, FERRY_RSA2048_SIZE);
    return key;
}

/* Messages of every length up to the room there is, which OpenSSL encrypted. */
static void oaep_opens_messages(void **state)
{
    (void)state;
    struct ferry_rsa_private key = rsa_numbers(&test_wraps[TEST_WRAP_RSA2048].secret);
    uint8_t message[40];
    memset(message, 0x3c, sizeof message);
    for (size_t len = 0; len <= sizeof message; len++) {
        uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
        uint8_t out[33];
        size_t out_len = 77;
        assert_int_equal(test_wrap_key(TEST_WRAP_RSA2048, message, len, wrapped), 256);
        memset(out, 0xa5, sizeof out);
        int rc = ferry_crypto_rsa2048_oaep(&key, wrapped, out, 32, &out_len);
        assert_int_equal(rc, len <= 32 ? FERRY_OK : FERRY_E_SECRET);
        assert_int_equal(out_len, len <= 32 ? len : 0);
        assert_memory_equal(out, message, out_len);
        assert_true(rc == FERRY_OK || ferry_all_equal(out, 32, 0));
        assert_int_equal(out[32], 0xa5);
    }
}

/* One bit of every byte, another key, and a number that is not below the modulus. */
static void oaep_refuses_changes(void **state)
{
    (void)state;
    struct ferry_rsa_private key = rsa_numbers(&test_wraps[TEST_WRAP_RSA2048].secret);
    struct ferry_rsa_private other = rsa_numbers(&test_wraps[TEST_WRAP_RSA2048].other);
    const uint8_t message[16] = {1};
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    uint8_t out[32];
    size_t out_len;
    test_wrap_key(TEST_WRAP_RSA2048, message, sizeof message, wrapped);
    for (size_t i = 0; i < FERRY_RSA2048_SIZE; i++) {
        uint8_t mask = (uint8_t)(1U << i % 8);
        wrapped[i] ^= mask;
        memset(out, 0xa5, sizeof out);
        assert_int_equal(ferry_crypto_rsa2048_oaep(&key, wrapped, out, 32, &out_len),
                         FERRY_E_SECRET);
        assert_true(ferry_all_equal(out, sizeof out, 0));
        wrapped[i] ^= mask;
    }
    assert_int_equal(ferry_crypto_rsa2048_oaep(&other, wrapped, out, 32, &out_len), FERRY_E_SECRET);
    assert_int_equal(ferry_crypto_rsa2048_oaep(&key, key.n.data, out, 32, &out_len),
                     FERRY_E_SECRET);
    memset(wrapped, 0xff, sizeof wrapped);
    assert_int_equal(ferry_crypto_rsa2048_oaep(&key, wrapped, out, 32, &out_len), FERRY_E_SECRET);
    memset(wrapped, 0, sizeof wrapped);
    assert_int_equal(ferry_crypto_rsa2048_oaep(&key, wrapped, out, 32, &out_len), FERRY_E_SECRET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kw_known_answers),
        cmocka_unit_test(kw_refuses_every_change),
        cmocka_unit_test(oaep_opens_messages),
        cmocka_unit_test(oaep_refuses_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

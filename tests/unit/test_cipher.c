/* SPDX-License-Identifier: Apache-2.0 */
/* The primitives of encryption in the crypto port this program is linked with: known answers, and
 * what must be refused. Built once with each port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/cipher.h"
#include "test_image.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* ---- AES-CTR ---------------------------------------------------------------------------- */

/* NIST's AESAVS, KeySbox: the encryption of a block of zeroes, which is counter block 0. */
static void ctr_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *key, *block;
    } cases[] = {
        {"10a58869d74be5a374cf867cfb473859", "6d251e6944b051e04eaa6fb4dbf78465"},
        {"c47b0294dbbbee0fec4757f22ffeee3587ca4730c3d33b691df38bab076bc558",
         "46f2fb342d6f0ab477476fc501242c5f"},
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t key[32];
        uint8_t expected[16];
        uint8_t data[16] = {0};
        struct ferry_aes_ctr aes;
        size_t key_len = test_from_hex(cases[i].key, key);
        test_from_hex(cases[i].block, expected);
        ferry_crypto_aes_ctr_init(&aes, key, key_len);
        ferry_crypto_aes_ctr(&aes, 0, data, sizeof data);
        assert_memory_equal(data, expected, sizeof expected);
    }
}

/* What counter block n encrypts to, by OpenSSL's ECB. */
static void ecb_block(const uint8_t *key, size_t key_len, uint32_t n, uint8_t out[16])
{
    uint8_t counter[16] = {0};
    uint8_t more[32];
    int done;
    ferry_store_be16(counter + 12, (uint16_t)(n >> 16));
    ferry_store_be16(counter + 14, (uint16_t)n);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context,
                                        key_len == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), NULL,
                                        key, NULL),
                     1);
    assert_int_equal(EVP_EncryptUpdate(context, more, &done, counter, 16), 1);
    memcpy(out, more, 16);
    EVP_CIPHER_CTX_free(context);
}

/* Every length up to several blocks, at counters whose bytes carry, against OpenSSL's ECB. */
static void ctr_counts_blocks(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 1, 0xfe, 0xff, 0xfffe, 0x00ffffff, 0x7fffffff, 0xfffffff0};
    uint8_t key[32];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)(i * 11 + 5);
    }
    for (size_t key_len = 16; key_len <= 32; key_len += 16) {
        struct ferry_aes_ctr aes;
        ferry_crypto_aes_ctr_init(&aes, key, key_len);
        for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
            uint8_t stream[80];
            for (uint32_t n = 0; n < 5; n++) {
                ecb_block(key, key_len, starts[s] + n, stream + 16 * n);
            }
            for (size_t len = 0; len <= sizeof stream; len++) {
                uint8_t data[sizeof stream + 1] = {0};
                ferry_crypto_aes_ctr(&aes, starts[s], data, len);
                assert_memory_equal(data, stream, len);
                assert_int_equal(data[len], 0);
            }
        }
    }
}

/* ---- HMAC and HKDF ------------------------------------------------------------------------ */

/* RFC 4231 §4.2 and §4.3. */
static void hmac_known_answers(void **state)
{
    (void)state;
    uint8_t key[20];
    uint8_t mac[64];
    uint8_t expected[64];
    memset(key, 0x0b, sizeof key);
    ferry_crypto_hmac(FERRY_MAC_SHA256, key, sizeof key, (const uint8_t *)"Hi There", 8, mac);
    test_from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", expected);
    assert_memory_equal(mac, expected, 32);
    ferry_crypto_hmac(FERRY_MAC_SHA512, key, sizeof key, (const uint8_t *)"Hi There", 8, mac);
    test_from_hex("87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
                  expected);
    assert_memory_equal(mac, expected, 64);
    const uint8_t *message = (const uint8_t *)"what do ya want for nothing?";
    ferry_crypto_hmac(FERRY_MAC_SHA256, (const uint8_t *)"Jefe", 4, message, 28, mac);
    test_from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected);
    assert_memory_equal(mac, expected, 32);
}

/* RFC 5869 A.3; and both hashes with MCUboot's info, which pyca/cryptography computed. */
static void hkdf_known_answers(void **state)
{
    (void)state;
    uint8_t secret[32];
    uint8_t out[96];
    uint8_t expected[96];
    const uint8_t *info = (const uint8_t *)"MCUBoot_ECIES_v1";
    memset(secret, 0x0b, sizeof secret);
    ferry_crypto_hkdf(FERRY_MAC_SHA256, secret, 22, info, 0, out, 42);
    test_from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                  "9d201395faa4b61a96c8",
                  expected);
    assert_memory_equal(out, expected, 42);
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)i;
    }
    ferry_crypto_hkdf(FERRY_MAC_SHA256, secret, 32, info, 16, out, 64);
    test_from_hex("e3e6acef57031db73f8aed437a88b9dc1e107f81109caf17ed08558366c7c33e"
                  "28dadf9cccd9951b952e10014dc5ccd31eca082d074a82bcb0180a2e84c6820e",
                  expected);
    assert_memory_equal(out, expected, 64);
    ferry_crypto_hkdf(FERRY_MAC_SHA512, secret, 32, info, 16, out, 96);
    test_from_hex("067f45b9aeed9eadbf5e5a00840888a010747f851bb211aa65bd203d154a225a"
                  "8c3d32ecfe600687375478d6e255956e6645dd4ebf16e9627195cbdffc91a826"
                  "d187606d26749711c7a949f2b734af13cb6f051a438afe57c65737d9b9e35c6c",
                  expected);
    assert_memory_equal(out, expected, 96);
    for (size_t len = 1; len < 96; len++) {
        uint8_t part[96] = {0};
        ferry_crypto_hkdf(FERRY_MAC_SHA512, secret, 32, info, 16, part, len);
        assert_memory_equal(part, expected, len);
        assert_int_equal(part[len], 0);
    }
}

/* ---- P-256 ------------------------------------------------------------------------------ */

/* NIST's CAVS 14.1, ECC CDH primitive, P-256, count 0. */
static const char ec_point[] = "04"
                               "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
                               "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac";
static const char ec_scalar[] = "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534";
static const char ec_shared[] = "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b";

/* The order of the group. [SEC 2 §2.4.2] */
static const char ec_order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static void p256_known_answer(void **state)
{
    (void)state;
    uint8_t point[65];
    uint8_t scalar[32];
    uint8_t shared[32];
    uint8_t expected[32];
    test_from_hex(ec_point, point);
    test_from_hex(ec_scalar, scalar);
    test_from_hex(ec_shared, expected);
    assert_int_equal(ferry_crypto_p256_ecdh(scalar, point, shared), FERRY_OK);
    assert_memory_equal(shared, expected, 32);
}

static void assert_p256_refused(const uint8_t scalar[32], const uint8_t point[65])
{
    uint8_t shared[32];
    memset(shared, 0xa5, sizeof shared);
    assert_int_equal(ferry_crypto_p256_ecdh(scalar, point, shared), FERRY_E_SECRET);
    assert_true(ferry_all_equal(shared, sizeof shared, 0));
}

/* Any change of one bit of a point leads off the curve, or to another form. */
static void p256_refuses_points(void **state)
{
    (void)state;
    uint8_t point[65];
    uint8_t scalar[32];
    test_from_hex(ec_point, point);
    test_from_hex(ec_scalar, scalar);
    for (size_t bit = 0; bit < 8 * sizeof point; bit++) {
        point[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_p256_refused(scalar, point);
        point[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    uint8_t zero[65] = {0x04};
    assert_p256_refused(scalar, zero);
    memset(zero, 0, sizeof zero);
    assert_p256_refused(scalar, zero);
}

static void p256_refuses_scalars(void **state)
{
    (void)state;
    uint8_t point[65];
    uint8_t scalar[32] = {0};
    uint8_t shared[32];
    test_from_hex(ec_point, point);
    assert_p256_refused(scalar, point);
    test_from_hex(ec_order, scalar);
    assert_p256_refused(scalar, point);
    scalar[31]++;
    assert_p256_refused(scalar, point);
    memset(scalar, 0xff, sizeof scalar);
    assert_p256_refused(scalar, point);
    /* The order less one: minus the point, so the same x. */
    test_from_hex(ec_order, scalar);
    scalar[31]--;
    assert_int_equal(ferry_crypto_p256_ecdh(scalar, point, shared), FERRY_OK);
    assert_memory_equal(shared, point + 1, 32);
}

/* ---- X25519 ----------------------------------------------------------------------------- */

/* RFC 7748 §5.2, both (the second point has the bit set that must be ignored), and §6.1. */
static void x25519_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *scalar, *point, *shared;
    } cases[] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
        {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
         "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t scalar[32];
        uint8_t point[32];
        uint8_t shared[32];
        uint8_t expected[32];
        test_from_hex(cases[i].scalar, scalar);
        test_from_hex(cases[i].point, point);
        test_from_hex(cases[i].shared, expected);
        assert_int_equal(ferry_crypto_x25519(scalar, point, shared), FERRY_OK);
        assert_memory_equal(shared, expected, 32);
    }
}

/* The points of small order, whose product with any scalar is zero. [RFC 7748 §6.1] */
static void x25519_refuses_small_order(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t scalar[32];
    memset(scalar, 0x77, sizeof scalar);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint8_t point[32];
        uint8_t shared[32];
        memset(shared, 0xa5, sizeof shared);
        test_from_hex(points[i], point);
        assert_int_equal(ferry_crypto_x25519(scalar, point, shared), FERRY_E_SECRET);
        assert_true(ferry_all_equal(shared, sizeof shared, 0));
        point[31] |= 0x80; /* the bit that is ignored */
        assert_int_equal(ferry_crypto_x25519(scalar, point, shared), FERRY_E_SECRET);
    }
}

/* ---- Secrets ---------------------------------------------------------------------------- */

static void same_and_wipe(void **state)
{
    (void)state;
    uint8_t a[64];
    uint8_t b[64];
    memset(a, 0x3c, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(ferry_same(a, b, sizeof a));
    assert_true(ferry_same(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(ferry_same(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    ferry_wipe(a, sizeof a - 1);
    assert_true(ferry_all_equal(a, sizeof a - 1, 0));
    assert_int_equal(a[sizeof a - 1], 0x3c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctr_known_answers),          cmocka_unit_test(ctr_counts_blocks),
        cmocka_unit_test(hmac_known_answers),         cmocka_unit_test(hkdf_known_answers),
        cmocka_unit_test(p256_known_answer),          cmocka_unit_test(p256_refuses_points),
        cmocka_unit_test(p256_refuses_scalars),       cmocka_unit_test(x25519_known_answers),
        cmocka_unit_test(x25519_refuses_small_order), cmocka_unit_test(same_and_wipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

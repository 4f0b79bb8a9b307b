/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto port this program is linked with, SHA-2 and Ed25519: known answers, what OpenSSL
 * makes, and what must not verify. Built once with each port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/image.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

/* ---- SHA-2 ----------------------------------------------------------------------------- */

static const struct ferry_image_digest_kind *const kinds[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};
static const enum test_sha shas[] = {TEST_SHA_256, TEST_SHA_384, TEST_SHA_512};

static void sha(size_t which, const void *data, size_t len, uint8_t *digest)
{
    union ferry_image_digest_state state;
    kinds[which]->init(&state);
    kinds[which]->update(&state, data, len);
    kinds[which]->final(&state, digest);
}

/* FIPS 180-4, NIST's examples. */
static void sha_known_answers(void **state)
{
    (void)state;
    static const struct {
        size_t which;
        const char *message;
        const char *digest;
    } cases[] = {
        {0, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {0, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {0, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {1, "abc",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7"},
        {2, "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    uint8_t digest[64];
    uint8_t expected[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sha(cases[i].which, cases[i].message, strlen(cases[i].message), digest);
        assert_int_equal(test_from_hex(cases[i].digest, expected), kinds[cases[i].which]->size);
        assert_memory_equal(digest, expected, kinds[cases[i].which]->size);
    }
    struct ferry_sha256 running;
    ferry_crypto_sha256_init(&running);
    uint8_t thousand[1000];
    memset(thousand, 'a', sizeof thousand);
    for (int i = 0; i < 1000; i++) {
        ferry_crypto_sha256_update(&running, thousand, sizeof thousand);
    }
    ferry_crypto_sha256_final(&running, digest);
    test_from_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", expected);
    assert_memory_equal(digest, expected, 32);
}

/* Every length up to several blocks, in two pieces cut anywhere, several running at once. */
static void sha_in_pieces(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + 3);
    }
    int checked = 0;
    for (size_t i = 0; i < 3 * (sizeof data + 1); i++) {
        const struct ferry_image_digest_kind *kind = kinds[i % 3];
        size_t len = i / 3;
        uint8_t expected[64];
        assert_int_equal(test_sha(shas[i % 3], data, len, expected), kind->size);
        for (size_t cut = 0; cut <= len; cut += 13) {
            union ferry_image_digest_state a;
            union ferry_image_digest_state b;
            uint8_t digest[64];
            kind->init(&a);
            kind->update(&a, data, cut);
            kind->init(&b);
            kind->update(&b, "something else", 14);
            kind->update(&a, data + cut, len - cut);
            kind->final(&b, digest);
            kind->final(&a, digest);
            assert_memory_equal(digest, expected, kind->size);
            checked++;
        }
    }
    printf("%d messages in two pieces\n", checked);
    assert_true(checked > 10000);
}

/* ---- Ed25519 ---------------------------------------------------------------------------- */

/* The order of the group, little endian. [RFC 8032 §5.1] */
static const uint8_t ed_order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

static const uint8_t *ed_key(void)
{
    return test_keys[TEST_KEY_ED25519].public_der + 12;
}

/* RFC 8032 §7.1, tests 1 to 3. */
static void ed25519_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *key, *message, *signature;
    } cases[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
         "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
         "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
         "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t key[32];
        uint8_t message[4] = {0};
        uint8_t signature[64];
        test_from_hex(cases[i].key, key);
        size_t len = test_from_hex(cases[i].message, message);
        assert_int_equal(test_from_hex(cases[i].signature, signature), 64);
        assert_int_equal(ferry_crypto_ed25519_verify(key, message, len, signature), FERRY_OK);
        assert_int_equal(ferry_crypto_ed25519_verify(key, message, len + 1, signature),
                         FERRY_E_SIGNATURE);
        assert_int_equal(ferry_crypto_ed25519_verify(ed_key(), message, len, signature),
                         FERRY_E_SIGNATURE);
    }
}

/* Every length of message, around the blocks of SHA-512 too. */
static void ed25519_verifies_what_openssl_signs(void **state)
{
    (void)state;
    uint8_t message[300];
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)(i * 5 + 1);
    }
    for (size_t len = 0; len < sizeof message; len++) {
        uint8_t signature[104];
        assert_int_equal(test_sign(TEST_KEY_ED25519, message, len, signature), 64);
        assert_int_equal(ferry_crypto_ed25519_verify(ed_key(), message, len, signature), FERRY_OK);
    }
}

/* A message that comes in pieces of `piece` bytes; at fail_at it cannot be read. */
struct pieces {
    const uint8_t *bytes;
    size_t size;
    size_t piece;
    size_t at;
    size_t fail_at;
    bool too_long; /* the last piece has a byte more */
};

static int next_piece(void *context, const uint8_t **data, size_t *len)
{
    struct pieces *p = context;
    if (p->at >= p->fail_at) {
        return FERRY_E_FLASH;
    }
    *data = p->bytes + p->at;
    *len = p->size - p->at < p->piece ? p->size - p->at : p->piece;
    p->at += *len;
    *len += p->too_long && p->at == p->size;
    return FERRY_OK;
}

static int verify_pieces(struct pieces *p, const uint8_t *signature)
{
    const struct ferry_crypto_message message = {(uint32_t)p->size, next_piece, p};
    p->at = 0;
    return ferry_crypto_ed25519_verify_message(ed_key(), &message, signature);
}

/* However a message is cut, it is the same; one that cannot be read whole does not verify. */
static void ed25519_in_pieces(void **state)
{
    (void)state;
    uint8_t bytes[301];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 11 + 5);
    }
    for (size_t size = 0; size <= 300; size += 25) {
        uint8_t signature[TEST_SIGNATURE_MAX_EC];
        assert_int_equal(test_sign(TEST_KEY_ED25519, bytes, size, signature), 64);
        for (size_t piece = 1; piece <= 300; piece += piece) {
            struct pieces p = {bytes, size, piece, 0, SIZE_MAX, false};
            assert_int_equal(verify_pieces(&p, signature), FERRY_OK);
            assert_int_equal(p.at, size);
            p.fail_at = size / 2;
            int rc = verify_pieces(&p, signature);
            assert_int_equal(rc, p.at == size ? FERRY_OK : FERRY_E_SIGNATURE);
            p.fail_at = SIZE_MAX;
            p.too_long = true;
            assert_int_equal(verify_pieces(&p, signature),
                             size == 0 ? FERRY_OK : FERRY_E_SIGNATURE);
            signature[40] ^= 1;
            p.too_long = false;
            assert_int_equal(verify_pieces(&p, signature), FERRY_E_SIGNATURE);
            signature[40] ^= 1;
        }
    }
}

/* A reader that hands out nothing does not keep the verification forever. */
static void ed25519_empty_pieces(void **state)
{
    (void)state;
    static const uint8_t bytes[8] = {0};
    uint8_t signature[TEST_SIGNATURE_MAX_EC];
    struct pieces p = {bytes, sizeof bytes, 0, 0, SIZE_MAX, false};
    assert_int_equal(test_sign(TEST_KEY_ED25519, bytes, sizeof bytes, signature), 64);
    assert_int_equal(verify_pieces(&p, signature), FERRY_E_SIGNATURE);
}

static void ed25519_every_bit(void **state)
{
    (void)state;
    uint8_t digest[32];
    uint8_t signature[104];
    test_sha256("bits", 4, digest);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 32, signature), 64);
    int refused = 0;
    for (unsigned bit = 0; bit < 8 * (64 + 32 + 32); bit++) {
        uint8_t bytes[128]; /* signature, message, key */
        memcpy(bytes, signature, 64);
        memcpy(bytes + 64, digest, 32);
        memcpy(bytes + 96, ed_key(), 32);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(ferry_crypto_ed25519_verify(bytes + 96, bytes + 64, 32, bytes),
                         FERRY_E_SIGNATURE);
        refused++;
    }
    printf("%d bits\n", refused);
    assert_int_equal(refused, 1024);
}

/* S + L, S + 2L, … as far as 256 bits hold: the same signature modulo L, and not it. */
static void ed25519_malleability(void **state)
{
    (void)state;
    int refused = 0;
    for (int m = 0; m < 20; m++) {
        uint8_t digest[32];
        uint8_t signature[104];
        test_sha256(&m, sizeof m, digest);
        assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 32, signature), 64);
        for (;;) {
            unsigned carry = 0;
            for (size_t i = 0; i < 32; i++) {
                carry += (unsigned)signature[32 + i] + ed_order[i];
                signature[32 + i] = (uint8_t)carry;
                carry >>= 8;
            }
            if (carry != 0) {
                break;
            }
            assert_int_equal(ferry_crypto_ed25519_verify(ed_key(), digest, 32, signature),
                             FERRY_E_SIGNATURE);
            refused++;
        }
    }
    printf("%d values of S above L\n", refused);
    assert_true(refused >= 20 * 14);
}

/* R and S of nothing, S = L, a key that is no point, the signature of another. */
static void ed25519_odd_values(void **state)
{
    (void)state;
    uint8_t digest[32];
    uint8_t good[104];
    uint8_t bad[64];
    test_sha256("odd", 3, digest);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 32, good), 64);
    for (int fill = 0; fill < 256; fill += 255) {
        for (int half = 0; half < 3; half++) {
            memcpy(bad, good, 64);
            memset(bad + (half == 1 ? 32 : 0), fill, half == 2 ? 64 : 32);
            assert_int_equal(ferry_crypto_ed25519_verify(ed_key(), digest, 32, bad),
                             FERRY_E_SIGNATURE);
        }
    }
    memcpy(bad, good, 64);
    memcpy(bad + 32, ed_order, 32);
    assert_int_equal(ferry_crypto_ed25519_verify(ed_key(), digest, 32, bad), FERRY_E_SIGNATURE);

    uint8_t none[32] = {2}; /* y = 2 has no x on the curve */
    assert_int_equal(ferry_crypto_ed25519_verify(none, digest, 32, good), FERRY_E_SIGNATURE);
    memset(bad, 0, sizeof bad);
    assert_int_equal(ferry_crypto_ed25519_verify(none, digest, 32, bad), FERRY_E_SIGNATURE);

    assert_int_equal(test_sign(TEST_KEY_ED25519_OTHER, digest, 32, good), 64);
    assert_int_equal(ferry_crypto_ed25519_verify(ed_key(), digest, 32, good), FERRY_E_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_known_answers),
        cmocka_unit_test(sha_in_pieces),
        cmocka_unit_test(ed25519_known_answers),
        cmocka_unit_test(ed25519_verifies_what_openssl_signs),
        cmocka_unit_test(ed25519_in_pieces),
        cmocka_unit_test(ed25519_empty_pieces),
        cmocka_unit_test(ed25519_every_bit),
        cmocka_unit_test(ed25519_malleability),
        cmocka_unit_test(ed25519_odd_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

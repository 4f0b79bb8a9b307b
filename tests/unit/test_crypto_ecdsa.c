/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto port this program is linked with, ECDSA on P-256 and P-384: known answers, what
 * OpenSSL makes, and what must not verify. Every test runs for both curves; built once with each
 * port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/crypto.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_MAX 48 /* bytes of a number on the larger curve */
#define POINT_MAX  (1 + 2 * NUMBER_MAX)

struct curve {
    const char *name;
    size_t size; /* bytes of a number, and of a digest */
    const char *order;
    const char *prime;
    enum test_key_id key, other;
    size_t prefix; /* bytes in front of the point in the key */
    enum test_sha sha;
    int (*verify)(const uint8_t *point, const uint8_t *digest, const uint8_t *signature,
                  size_t len);
    const char *q, *r, *s; /* RFC 6979 A.2.5 and A.2.6, message "sample" */
};

static const struct curve curves[] = {
    {"P-256", 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
     "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", TEST_KEY_P256,
     TEST_KEY_P256_OTHER, 26, TEST_SHA_256, ferry_crypto_p256_verify,
     "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {"P-384", 48,
     "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52"
     "973",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffff"
     "fff",
     TEST_KEY_P384, TEST_KEY_P384_OTHER, 23, TEST_SHA_384, ferry_crypto_p384_verify,
     "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480b"
     "c13"
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264"
     "720",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fab"
     "e46",
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628"
     "ac8"},
};

static const struct curve *curve; /* of the test that runs */

static int choose_p256(void **state)
{
    (void)state;
    curve = &curves[0];
    return 0;
}

static int choose_p384(void **state)
{
    (void)state;
    curve = &curves[1];
    return 0;
}

/* A big number of curve->size bytes, big endian. */
struct number {
    uint8_t bytes[NUMBER_MAX];
};

static struct number number_of(const char *hex)
{
    struct number n;
    assert_int_equal(test_from_hex(hex, n.bytes), curve->size);
    return n;
}

/* a - b, modulo 2^(8 * size). */
static struct number subtract(struct number a, struct number b)
{
    int borrow = 0;
    for (size_t i = curve->size; i-- > 0;) {
        int d = a.bytes[i] - b.bytes[i] - borrow;
        borrow = d < 0;
        a.bytes[i] = (uint8_t)d;
    }
    return a;
}

static struct number small(uint8_t value)
{
    struct number n = {{0}};
    n.bytes[curve->size - 1] = value;
    return n;
}

/* Write INTEGER, as short as DER asks for. Returns its length. */
static size_t put_integer(uint8_t *out, const struct number *n)
{
    size_t skip = 0;
    while (skip < curve->size - 1 && n->bytes[skip] == 0) {
        skip++;
    }
    size_t pad = n->bytes[skip] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(curve->size - skip + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, n->bytes + skip, curve->size - skip);
    return 2 + curve->size - skip + pad;
}

static size_t put_signature(uint8_t out[TEST_SIGNATURE_MAX_EC], const struct number *r,
                            const struct number *s)
{
    size_t len = put_integer(out + 2, r);
    len += put_integer(out + 2 + len, s);
    out[0] = 0x30;
    out[1] = (uint8_t)len;
    return 2 + len;
}

/* r and s of a signature as OpenSSL makes it. */
static void take_apart(const uint8_t *der, struct number *r, struct number *s)
{
    const uint8_t *p = der + 2;
    struct number *out[2] = {r, s};
    for (int i = 0; i < 2; i++) {
        size_t len = p[1];
        const uint8_t *digits = p + 2;
        p = digits + len;
        if (len == curve->size + 1) {
            digits++;
            len--;
        }
        memset(out[i]->bytes, 0, sizeof out[i]->bytes);
        memcpy(out[i]->bytes + curve->size - len, digits, len);
    }
}

static const uint8_t *point(void)
{
    return test_keys[curve->key].public_der + curve->prefix;
}

/* A digest, and a good signature of it by the test key. */
struct sample {
    uint8_t digest[64];
    uint8_t der[TEST_SIGNATURE_MAX_EC];
    size_t len;
    struct number r, s;
};

static struct sample sign_sample(const char *message)
{
    struct sample sample;
    test_sha(curve->sha, message, strlen(message), sample.digest);
    sample.len = test_sign(curve->key, sample.digest, curve->size, sample.der);
    assert_true(sample.len >= 2 * curve->size + 2 && sample.len <= 2 * curve->size + 8);
    take_apart(sample.der, &sample.r, &sample.s);
    uint8_t again[TEST_SIGNATURE_MAX_EC];
    assert_int_equal(put_signature(again, &sample.r, &sample.s), sample.len);
    assert_memory_equal(again, sample.der, sample.len);
    return sample;
}

static int ecdsa_verify(const struct sample *sample, const uint8_t *der, size_t len)
{
    return curve->verify(point(), sample->digest, der, len);
}

static int ecdsa_verify_numbers(const struct sample *sample, const struct number *r,
                                const struct number *s)
{
    uint8_t der[TEST_SIGNATURE_MAX_EC];
    size_t len = put_signature(der, r, s);
    return ecdsa_verify(sample, der, len);
}

static void ecdsa_known_answer(void **state)
{
    (void)state;
    uint8_t q[POINT_MAX] = {0x04};
    assert_int_equal(test_from_hex(curve->q, q + 1), 2 * curve->size);
    struct number r = number_of(curve->r);
    struct number s = number_of(curve->s);
    uint8_t digest[64];
    test_sha(curve->sha, "sample", 6, digest);
    uint8_t der[TEST_SIGNATURE_MAX_EC];
    size_t len = put_signature(der, &r, &s);
    assert_int_equal(curve->verify(q, digest, der, len), FERRY_OK);
    test_sha(curve->sha, "samplf", 6, digest);
    assert_int_equal(curve->verify(q, digest, der, len), FERRY_E_SIGNATURE);
}

static void ecdsa_verifies_what_openssl_signs(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        char message[32];
        snprintf(message, sizeof message, "message %d", i);
        struct sample sample = sign_sample(message);
        assert_int_equal(ecdsa_verify(&sample, sample.der, sample.len), FERRY_OK);
        const uint8_t *stranger = test_keys[curve->other].public_der + curve->prefix;
        assert_int_equal(curve->verify(stranger, sample.digest, sample.der, sample.len),
                         FERRY_E_SIGNATURE);
    }
}

/* Any bit of digest or signature; of the slower curve every third. */
static void ecdsa_every_bit(void **state)
{
    (void)state;
    struct sample sample = sign_sample("bits");
    size_t step = curve == &curves[0] ? 1 : 3;
    size_t bits = 8 * (curve->size + sample.len);
    size_t refused = 0;
    for (size_t bit = 0; bit < bits; bit += step) {
        struct sample bad = sample;
        size_t at = bit / 8;
        uint8_t *byte = at < curve->size ? &bad.digest[at] : &bad.der[at - curve->size];
        *byte ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(ecdsa_verify(&bad, bad.der, bad.len), FERRY_E_SIGNATURE);
        refused++;
    }
    printf("%s: %zu bits\n", curve->name, refused);
    assert_int_equal(refused, (bits + step - 1) / step);
}

/* r and s are from 1 to n - 1; what is equal to a good one modulo n is not it. */
static void ecdsa_ranges(void **state)
{
    (void)state;
    struct sample sample = sign_sample("ranges");
    const struct number n = number_of(curve->order);
    const struct number p = number_of(curve->prime);
    const struct number zero = small(0);
    const struct number one = small(1);
    struct number all_ones;
    memset(all_ones.bytes, 0xff, sizeof all_ones.bytes);
    const struct number bad[] = {zero,
                                 n,
                                 subtract(n, one),
                                 subtract(n, subtract(zero, one)),
                                 p,
                                 one,
                                 all_ones,
                                 subtract(p, n),
                                 small(2),
                                 small(3),
                                 subtract(n, small(2))};
    int refused = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ecdsa_verify_numbers(&sample, &bad[i], &sample.s), FERRY_E_SIGNATURE);
        assert_int_equal(ecdsa_verify_numbers(&sample, &sample.r, &bad[i]), FERRY_E_SIGNATURE);
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            assert_int_equal(ecdsa_verify_numbers(&sample, &bad[i], &bad[j]), FERRY_E_SIGNATURE);
            refused++;
        }
    }
    assert_int_equal(refused, 121);

    /* A digest of zero takes the other half of the equation away. */
    memset(sample.digest, 0, sizeof sample.digest);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            assert_int_equal(ecdsa_verify_numbers(&sample, &bad[i], &bad[j]), FERRY_E_SIGNATURE);
        }
    }
}

/* n - s is as good as s: FIPS 186-5 does not forbid it, and both ports agree. */
static void ecdsa_other_s(void **state)
{
    (void)state;
    struct sample sample = sign_sample("other s");
    struct number s = subtract(number_of(curve->order), sample.s);
    assert_int_equal(ecdsa_verify_numbers(&sample, &sample.r, &s), FERRY_OK);
}

/* s + n: r and s from a digest cannot be chosen, so the sum is written with a byte more. */
static void ecdsa_plus_order(void **state)
{
    (void)state;
    struct sample sample = sign_sample("plus n");
    const struct number n = number_of(curve->order);
    for (int which = 0; which < 2; which++) {
        struct number sum = which == 0 ? sample.r : sample.s;
        int carry = 0;
        for (size_t i = curve->size; i-- > 0;) {
            int d = sum.bytes[i] + n.bytes[i] + carry;
            carry = d >> 8;
            sum.bytes[i] = (uint8_t)d;
        }
        size_t len = 3 + curve->size;
        uint8_t integer[3 + NUMBER_MAX] = {0x02, (uint8_t)(len - 2), (uint8_t)carry};
        memcpy(integer + 3, sum.bytes, curve->size);
        uint8_t other[3 + NUMBER_MAX];
        size_t other_len = put_integer(other, which == 0 ? &sample.s : &sample.r);
        uint8_t der[TEST_SIGNATURE_MAX_EC] = {0x30, (uint8_t)(len + other_len)};
        memcpy(der + 2, which == 0 ? integer : other, which == 0 ? len : other_len);
        memcpy(der + 2 + (which == 0 ? len : other_len), which == 0 ? other : integer,
               which == 0 ? other_len : len);
        assert_int_equal(ecdsa_verify(&sample, der, 2 + len + other_len), FERRY_E_SIGNATURE);
    }
}

/* Cut anywhere, or with bytes behind it, inside and outside the sequence. */
static void ecdsa_lengths(void **state)
{
    (void)state;
    struct sample sample = sign_sample("lengths");
    for (size_t len = 0; len < sample.len; len++) {
        assert_int_equal(ecdsa_verify(&sample, sample.der, len), FERRY_E_SIGNATURE);
        uint8_t cut[TEST_SIGNATURE_MAX_EC]; /* cut, with a sequence that says so */
        memcpy(cut, sample.der, len);
        cut[1] = (uint8_t)(len - 2);
        assert_int_equal(ecdsa_verify(&sample, cut, len), FERRY_E_SIGNATURE);
    }
    for (size_t extra = 1; extra <= 22; extra++) {
        uint8_t longer[TEST_SIGNATURE_MAX_EC + 22] = {0};
        memcpy(longer, sample.der, sample.len);
        assert_int_equal(ecdsa_verify(&sample, longer, sample.len + extra), FERRY_E_SIGNATURE);
        longer[1] = (uint8_t)(longer[1] + extra);
        assert_int_equal(ecdsa_verify(&sample, longer, sample.len + extra), FERRY_E_SIGNATURE);
    }
}

/* Insert count bytes of value at offset at; every length in front of it grows. Returns the length.
 */
static size_t insert(uint8_t *out, const struct sample *sample, size_t at, uint8_t value)
{
    memcpy(out, sample->der, at);
    out[at] = value;
    memcpy(out + at + 1, sample->der + at, sample->len - at);
    out[1]++;
    return sample->len + 1;
}

/* Other encodings of the same numbers: one signature has one encoding. */
static void ecdsa_not_der(void **state)
{
    (void)state;
    struct sample sample = sign_sample("not DER");
    uint8_t bad[TEST_SIGNATURE_MAX_EC + 6];

    /* Another tag: sequence, integers. */
    size_t s_at = 4U + sample.der[3];
    const size_t tags[] = {0, 2, s_at};
    for (size_t i = 0; i < 3; i++) {
        memcpy(bad, sample.der, sample.len);
        for (int tag = 0; tag < 256; tag++) {
            bad[tags[i]] = (uint8_t)tag;
            assert_int_equal(ecdsa_verify(&sample, bad, sample.len),
                             tag == sample.der[tags[i]] ? FERRY_OK : FERRY_E_SIGNATURE);
        }
    }
    /* A zero in front that is not needed, or one missing that is: then it is negative. */
    const size_t integers[] = {2, s_at};
    for (size_t i = 0; i < 2; i++) {
        size_t at = integers[i];
        size_t len = insert(bad, &sample, at + 2, 0x00);
        bad[at + 1]++;
        assert_int_equal(ecdsa_verify(&sample, bad, len), FERRY_E_SIGNATURE);
    }
    for (int attempt = 0; attempt < 64 && sample.der[3] != curve->size + 1; attempt++) {
        sample = sign_sample("not DER");
    }
    assert_int_equal(sample.der[3], curve->size + 1);
    memcpy(bad, sample.der, 4);
    memcpy(bad + 4, sample.der + 5, sample.len - 5);
    bad[1]--;
    bad[3]--;
    assert_int_equal(ecdsa_verify(&sample, bad, sample.len - 1), FERRY_E_SIGNATURE);
    /* Lengths in the long form, and the indefinite one. */
    bad[0] = 0x30;
    bad[1] = 0x81;
    memcpy(bad + 2, sample.der + 1, sample.len - 1);
    assert_int_equal(ecdsa_verify(&sample, bad, sample.len + 1), FERRY_E_SIGNATURE);
    bad[1] = 0x82;
    bad[2] = 0x00;
    memcpy(bad + 3, sample.der + 1, sample.len - 1);
    assert_int_equal(ecdsa_verify(&sample, bad, sample.len + 2), FERRY_E_SIGNATURE);
    bad[1] = 0x80;
    memcpy(bad + 2, sample.der + 2, sample.len - 2);
    bad[sample.len] = 0;
    bad[sample.len + 1] = 0;
    assert_int_equal(ecdsa_verify(&sample, bad, sample.len + 2), FERRY_E_SIGNATURE);
    size_t len = insert(bad, &sample, 3, 0x81);
    assert_int_equal(ecdsa_verify(&sample, bad, len), FERRY_E_SIGNATURE);
    /* Integers without a byte. */
    static const uint8_t empty[] = {0x30, 0x04, 0x02, 0x00, 0x02, 0x00};
    assert_int_equal(ecdsa_verify(&sample, empty, sizeof empty), FERRY_E_SIGNATURE);
    static const uint8_t nothing[] = {0x30, 0x00};
    assert_int_equal(ecdsa_verify(&sample, nothing, sizeof nothing), FERRY_E_SIGNATURE);
}

/* Points that are none: off the curve, out of the field, compressed, hybrid, at infinity. */
static void ecdsa_bad_points(void **state)
{
    (void)state;
    struct sample sample = sign_sample("points");
    uint8_t q[POINT_MAX];
    size_t size = 1 + 2 * curve->size;
    int refused = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(q, point(), size);
        q[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(curve->verify(q, sample.digest, sample.der, sample.len),
                         FERRY_E_SIGNATURE);
        refused++;
    }
    assert_int_equal(refused, 8 * size);
    for (int first = 0; first < 256; first++) {
        memcpy(q, point(), size);
        q[0] = (uint8_t)first;
        assert_int_equal(curve->verify(q, sample.digest, sample.der, sample.len),
                         first == 4 ? FERRY_OK : FERRY_E_SIGNATURE);
    }
    const struct number fills[] = {small(0), number_of(curve->prime), number_of(curve->order)};
    for (size_t x = 0; x < 3; x++) {
        for (size_t y = 0; y < 3; y++) {
            q[0] = 4;
            memcpy(q + 1, fills[x].bytes, curve->size);
            memcpy(q + 1 + curve->size, fills[y].bytes, curve->size);
            assert_int_equal(curve->verify(q, sample.digest, sample.der, sample.len),
                             FERRY_E_SIGNATURE);
        }
    }
}

/* r | s as it is, for P-256: the same answers as for DER, and no encoding to be wrong. */
static int raw_verify(const struct sample *sample, const struct number *r, const struct number *s)
{
    uint8_t raw[64];
    memcpy(raw, r->bytes, 32);
    memcpy(raw + 32, s->bytes, 32);
    return ferry_crypto_p256_verify_raw(point(), sample->digest, raw);
}

static void p256_raw(void **state)
{
    (void)state;
    const struct number order = number_of(curve->order);
    const struct number zero = small(0);
    struct sample sample = sign_sample("raw");
    assert_int_equal(raw_verify(&sample, &sample.r, &sample.s), FERRY_OK);
    assert_int_equal(raw_verify(&sample, &sample.s, &sample.r), FERRY_E_SIGNATURE);
    for (unsigned bit = 0; bit < 256; bit++) {
        struct sample bad = sample;
        bad.r.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(raw_verify(&bad, &bad.r, &bad.s), FERRY_E_SIGNATURE);
        assert_int_equal(raw_verify(&bad, &sample.r, &bad.r), FERRY_E_SIGNATURE);
    }
    assert_int_equal(raw_verify(&sample, &zero, &sample.s), FERRY_E_SIGNATURE);
    assert_int_equal(raw_verify(&sample, &sample.r, &zero), FERRY_E_SIGNATURE);
    assert_int_equal(raw_verify(&sample, &order, &sample.s), FERRY_E_SIGNATURE);
    assert_int_equal(raw_verify(&sample, &sample.r, &order), FERRY_E_SIGNATURE);
    uint8_t bad_point[65];
    uint8_t raw[64] = {1};
    memcpy(bad_point, point(), sizeof bad_point);
    bad_point[0] = 0x02;
    assert_int_equal(ferry_crypto_p256_verify_raw(bad_point, sample.digest, raw),
                     FERRY_E_SIGNATURE);
}

#define BOTH_CURVES(test)                                                                          \
    cmocka_unit_test_setup(test, choose_p256), cmocka_unit_test_setup(test, choose_p384)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_CURVES(ecdsa_known_answer), BOTH_CURVES(ecdsa_verifies_what_openssl_signs),
        BOTH_CURVES(ecdsa_every_bit),    BOTH_CURVES(ecdsa_ranges),
        BOTH_CURVES(ecdsa_other_s),      BOTH_CURVES(ecdsa_plus_order),
        BOTH_CURVES(ecdsa_lengths),      BOTH_CURVES(ecdsa_not_der),
        BOTH_CURVES(ecdsa_bad_points),   cmocka_unit_test_setup(p256_raw, choose_p256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

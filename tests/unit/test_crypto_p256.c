/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto port this program is linked with, ECDSA on P-256: known answers, what OpenSSL makes,
 * and what must not verify. Built once with each port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/crypto.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define PRIME "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"

/* A big number of 32 bytes, big endian. */
struct number {
    uint8_t bytes[32];
};

static struct number number_of(const char *hex)
{
    struct number n;
    assert_int_equal(test_from_hex(hex, n.bytes), 32);
    return n;
}

/* a - b, modulo 2^256. */
static struct number subtract(struct number a, struct number b)
{
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int d = a.bytes[i] - b.bytes[i] - borrow;
        borrow = d < 0;
        a.bytes[i] = (uint8_t)d;
    }
    return a;
}

static struct number small(uint8_t value)
{
    struct number n = {{0}};
    n.bytes[31] = value;
    return n;
}

/* Write INTEGER, as short as DER asks for. Returns its length. */
static size_t put_integer(uint8_t *out, const struct number *n)
{
    size_t skip = 0;
    while (skip < 31 && n->bytes[skip] == 0) {
        skip++;
    }
    size_t pad = n->bytes[skip] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(32 - skip + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, n->bytes + skip, 32 - skip);
    return 2 + 32 - skip + pad;
}

static size_t put_signature(uint8_t out[72], const struct number *r, const struct number *s)
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
        if (len == 33) {
            digits++;
            len--;
        }
        memset(out[i]->bytes, 0, 32);
        memcpy(out[i]->bytes + 32 - len, digits, len);
    }
}

static const uint8_t *point(void)
{
    return test_keys[TEST_KEY_P256].public_der + 26;
}

/* A digest, and a good signature of it by the test key. */
struct sample {
    uint8_t digest[32];
    uint8_t der[104];
    size_t len;
    struct number r, s;
};

static struct sample sign_sample(const char *message)
{
    struct sample sample;
    test_sha256(message, strlen(message), sample.digest);
    sample.len = test_sign(TEST_KEY_P256, sample.digest, 32, sample.der);
    assert_true(sample.len >= 66 && sample.len <= 72);
    take_apart(sample.der, &sample.r, &sample.s);
    uint8_t again[72];
    assert_int_equal(put_signature(again, &sample.r, &sample.s), sample.len);
    assert_memory_equal(again, sample.der, sample.len);
    return sample;
}

static int p256_verify(const struct sample *sample, const uint8_t *der, size_t len)
{
    return ferry_crypto_p256_verify(point(), sample->digest, der, len);
}

static int p256_verify_numbers(const struct sample *sample, const struct number *r,
                               const struct number *s)
{
    uint8_t der[72];
    size_t len = put_signature(der, r, s);
    return p256_verify(sample, der, len);
}

/* RFC 6979 A.2.5, SHA-256, message "sample". */
static void p256_known_answer(void **state)
{
    (void)state;
    uint8_t q[65] = {0x04};
    test_from_hex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
                  q + 1);
    struct number r = number_of("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716");
    struct number s = number_of("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    uint8_t digest[32];
    test_sha256("sample", 6, digest);
    uint8_t der[72];
    size_t len = put_signature(der, &r, &s);
    assert_int_equal(ferry_crypto_p256_verify(q, digest, der, len), FERRY_OK);
    test_sha256("samplf", 6, digest);
    assert_int_equal(ferry_crypto_p256_verify(q, digest, der, len), FERRY_E_SIGNATURE);
}

static void p256_verifies_what_openssl_signs(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        char message[32];
        snprintf(message, sizeof message, "message %d", i);
        struct sample sample = sign_sample(message);
        assert_int_equal(p256_verify(&sample, sample.der, sample.len), FERRY_OK);
        assert_int_equal(ferry_crypto_p256_verify(test_keys[TEST_KEY_P256_OTHER].public_der + 26,
                                                  sample.digest, sample.der, sample.len),
                         FERRY_E_SIGNATURE);
    }
}

/* Any bit of digest or signature. */
static void p256_every_bit(void **state)
{
    (void)state;
    struct sample sample = sign_sample("bits");
    int refused = 0;
    for (unsigned bit = 0; bit < 8 * (32 + (unsigned)sample.len); bit++) {
        struct sample bad = sample;
        uint8_t *byte = bit < 256 ? &bad.digest[bit / 8] : &bad.der[bit / 8 - 32];
        *byte ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(p256_verify(&bad, bad.der, bad.len), FERRY_E_SIGNATURE);
        refused++;
    }
    printf("%d bits\n", refused);
    assert_int_equal(refused, 8 * (32 + sample.len));
}

/* r and s are from 1 to n - 1; what is equal to a good one modulo n is not it. */
static void p256_ranges(void **state)
{
    (void)state;
    struct sample sample = sign_sample("ranges");
    const struct number n = number_of(ORDER);
    const struct number p = number_of(PRIME);
    const struct number zero = small(0);
    const struct number one = small(1);
    struct number all_ones;
    memset(all_ones.bytes, 0xff, 32);
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
        assert_int_equal(p256_verify_numbers(&sample, &bad[i], &sample.s), FERRY_E_SIGNATURE);
        assert_int_equal(p256_verify_numbers(&sample, &sample.r, &bad[i]), FERRY_E_SIGNATURE);
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            assert_int_equal(p256_verify_numbers(&sample, &bad[i], &bad[j]), FERRY_E_SIGNATURE);
            refused++;
        }
    }
    assert_int_equal(refused, 121);

    /* A digest of zero takes the other half of the equation away. */
    memset(sample.digest, 0, 32);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            assert_int_equal(p256_verify_numbers(&sample, &bad[i], &bad[j]), FERRY_E_SIGNATURE);
        }
    }
}

/* n - s is as good as s: FIPS 186-5 does not forbid it, and both ports agree. */
static void p256_other_s(void **state)
{
    (void)state;
    struct sample sample = sign_sample("other s");
    struct number s = subtract(number_of(ORDER), sample.s);
    assert_int_equal(p256_verify_numbers(&sample, &sample.r, &s), FERRY_OK);
}

/* s + n where it fits 256 bits, with a small s made so: r and s from a digest cannot be chosen,
 * so the sum is written with 33 bytes. */
static void p256_plus_order(void **state)
{
    (void)state;
    struct sample sample = sign_sample("plus n");
    const struct number n = number_of(ORDER);
    for (int which = 0; which < 2; which++) {
        struct number sum = which == 0 ? sample.r : sample.s;
        int carry = 0;
        for (int i = 31; i >= 0; i--) {
            int d = sum.bytes[i] + n.bytes[i] + carry;
            carry = d >> 8;
            sum.bytes[i] = (uint8_t)d;
        }
        uint8_t integer[35] = {0x02, 33, (uint8_t)carry};
        memcpy(integer + 3, sum.bytes, 32);
        uint8_t other[35];
        size_t other_len = put_integer(other, which == 0 ? &sample.s : &sample.r);
        uint8_t der[72] = {0x30, (uint8_t)(35 + other_len)};
        memcpy(der + 2, which == 0 ? integer : other, which == 0 ? 35 : other_len);
        memcpy(der + 2 + (which == 0 ? 35 : other_len), which == 0 ? other : integer,
               which == 0 ? other_len : 35);
        assert_int_equal(p256_verify(&sample, der, 37 + other_len), FERRY_E_SIGNATURE);
    }
}

/* Cut anywhere, or with bytes behind it, inside and outside the sequence. */
static void p256_lengths(void **state)
{
    (void)state;
    struct sample sample = sign_sample("lengths");
    for (size_t len = 0; len < sample.len; len++) {
        assert_int_equal(p256_verify(&sample, sample.der, len), FERRY_E_SIGNATURE);
        uint8_t cut[104]; /* cut, with a sequence that says so */
        memcpy(cut, sample.der, len);
        cut[1] = (uint8_t)(len - 2);
        assert_int_equal(p256_verify(&sample, cut, len), FERRY_E_SIGNATURE);
    }
    for (size_t extra = 1; extra <= 32; extra++) {
        uint8_t longer[104] = {0};
        memcpy(longer, sample.der, sample.len);
        assert_int_equal(p256_verify(&sample, longer, sample.len + extra), FERRY_E_SIGNATURE);
        longer[1] = (uint8_t)(longer[1] + extra);
        assert_int_equal(p256_verify(&sample, longer, sample.len + extra), FERRY_E_SIGNATURE);
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
static void p256_not_der(void **state)
{
    (void)state;
    struct sample sample = sign_sample("not DER");
    uint8_t bad[110];

    /* Another tag: sequence, integers. */
    size_t s_at = 4U + sample.der[3];
    const size_t tags[] = {0, 2, s_at};
    for (size_t i = 0; i < 3; i++) {
        memcpy(bad, sample.der, sample.len);
        for (int tag = 0; tag < 256; tag++) {
            bad[tags[i]] = (uint8_t)tag;
            assert_int_equal(p256_verify(&sample, bad, sample.len),
                             tag == sample.der[tags[i]] ? FERRY_OK : FERRY_E_SIGNATURE);
        }
    }
    /* A zero in front that is not needed, or one missing that is: then it is negative. */
    const size_t integers[] = {2, s_at};
    for (size_t i = 0; i < 2; i++) {
        size_t at = integers[i];
        size_t len = insert(bad, &sample, at + 2, 0x00);
        bad[at + 1]++;
        assert_int_equal(p256_verify(&sample, bad, len), FERRY_E_SIGNATURE);
    }
    for (int attempt = 0; attempt < 64 && sample.der[3] != 33; attempt++) {
        sample = sign_sample("not DER");
    }
    assert_int_equal(sample.der[3], 33);
    memcpy(bad, sample.der, 4);
    memcpy(bad + 4, sample.der + 5, sample.len - 5);
    bad[1]--;
    bad[3]--;
    assert_int_equal(p256_verify(&sample, bad, sample.len - 1), FERRY_E_SIGNATURE);
    /* Lengths in the long form, and the indefinite one. */
    bad[0] = 0x30;
    bad[1] = 0x81;
    memcpy(bad + 2, sample.der + 1, sample.len - 1);
    assert_int_equal(p256_verify(&sample, bad, sample.len + 1), FERRY_E_SIGNATURE);
    bad[1] = 0x82;
    bad[2] = 0x00;
    memcpy(bad + 3, sample.der + 1, sample.len - 1);
    assert_int_equal(p256_verify(&sample, bad, sample.len + 2), FERRY_E_SIGNATURE);
    bad[1] = 0x80;
    memcpy(bad + 2, sample.der + 2, sample.len - 2);
    bad[sample.len] = 0;
    bad[sample.len + 1] = 0;
    assert_int_equal(p256_verify(&sample, bad, sample.len + 2), FERRY_E_SIGNATURE);
    size_t len = insert(bad, &sample, 3, 0x81);
    assert_int_equal(p256_verify(&sample, bad, len), FERRY_E_SIGNATURE);
    /* Integers without a byte. */
    static const uint8_t empty[] = {0x30, 0x04, 0x02, 0x00, 0x02, 0x00};
    assert_int_equal(p256_verify(&sample, empty, sizeof empty), FERRY_E_SIGNATURE);
    static const uint8_t nothing[] = {0x30, 0x00};
    assert_int_equal(p256_verify(&sample, nothing, sizeof nothing), FERRY_E_SIGNATURE);
}

/* Points that are none: off the curve, out of the field, compressed, hybrid, at infinity. */
static void p256_bad_points(void **state)
{
    (void)state;
    struct sample sample = sign_sample("points");
    uint8_t q[65];
    int refused = 0;
    for (unsigned bit = 0; bit < 8 * 65; bit++) {
        memcpy(q, point(), 65);
        q[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(ferry_crypto_p256_verify(q, sample.digest, sample.der, sample.len),
                         FERRY_E_SIGNATURE);
        refused++;
    }
    assert_int_equal(refused, 520);
    for (int first = 0; first < 256; first++) {
        memcpy(q, point(), 65);
        q[0] = (uint8_t)first;
        assert_int_equal(ferry_crypto_p256_verify(q, sample.digest, sample.der, sample.len),
                         first == 4 ? FERRY_OK : FERRY_E_SIGNATURE);
    }
    const struct number fills[] = {small(0), number_of(PRIME), number_of(ORDER)};
    for (size_t x = 0; x < 3; x++) {
        for (size_t y = 0; y < 3; y++) {
            q[0] = 4;
            memcpy(q + 1, fills[x].bytes, 32);
            memcpy(q + 33, fills[y].bytes, 32);
            assert_int_equal(ferry_crypto_p256_verify(q, sample.digest, sample.der, sample.len),
                             FERRY_E_SIGNATURE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p256_known_answer), cmocka_unit_test(p256_verifies_what_openssl_signs),
        cmocka_unit_test(p256_every_bit),    cmocka_unit_test(p256_ranges),
        cmocka_unit_test(p256_other_s),      cmocka_unit_test(p256_plus_order),
        cmocka_unit_test(p256_lengths),      cmocka_unit_test(p256_not_der),
        cmocka_unit_test(p256_bad_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

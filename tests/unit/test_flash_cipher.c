/* SPDX-License-Identifier: Apache-2.0 */
/* Flash whose payload is stored encrypted: any offset, any length, both directions, the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/encrypted.h"
#include "test_image.h"

#include <string.h>

#define SIZE   1024
#define SECTOR 256

/* A chip of SIZE bytes, and a cipher in front of [begin, end). */
struct rig {
    uint8_t memory[SIZE];
    struct ferry_flash_ram ram;
    struct ferry_flash_counter counter;
    struct ferry_flash_cipher cipher;
    struct ferry_content_key key;
};

static void rig_init(struct rig *rig, uint8_t write_size, uint32_t begin, uint32_t end,
                     uint8_t key_len)
{
    memset(rig, 0, sizeof *rig);
    memset(rig->memory, 0xff, sizeof rig->memory);
    rig->ram.flash = (struct ferry_flash){.size = SIZE,
                                          .write_size = write_size,
                                          .erased_value = 0xff,
                                          .run_count = 1,
                                          .runs = {{SIZE / SECTOR, SECTOR}}};
    assert_int_equal(ferry_flash_ram_init(&rig->ram, rig->memory), FERRY_OK);
    ferry_flash_counter_init(&rig->counter, &rig->ram.flash, NULL);
    rig->key.len = key_len;
    for (uint8_t i = 0; i < key_len; i++) {
        rig->key.bytes[i] = (uint8_t)(0xc0 + i * 3);
    }
    ferry_flash_cipher_init(&rig->cipher, &rig->counter.flash, begin, end, &rig->key);
    assert_int_equal(ferry_flash_check(&rig->cipher.flash), FERRY_OK);
}

static void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(i * 37 + (i >> 8) + 11);
    }
}

/* What must be stored for plain: [begin, end) encrypted by OpenSSL in one piece. */
static void encrypt(const struct rig *rig, uint32_t begin, uint32_t end, uint8_t plain[SIZE])
{
    if (rig->key.len != 0 && begin < end && begin < SIZE) {
        test_encrypt_payload(rig->key.bytes, rig->key.len, plain + begin,
                             (end < SIZE ? end : SIZE) - begin);
    }
}

static const struct range {
    uint32_t begin, end;
} ranges[] = {{0, SIZE},  {32, 512},    {0, 1},   {1, 2},           {33, 35},         {512, 513},
              {500, 900}, {SIZE, SIZE}, {64, 64}, {32, UINT32_MAX}, {SIZE - 1, SIZE}, {2000, 3000}};

#define RANGES (sizeof ranges / sizeof ranges[0])

/* Reads of every length from every offset near the edges and blocks. */
static void reads_anywhere(void **state)
{
    (void)state;
    for (size_t r = 0; r < RANGES; r++) {
        struct rig rig;
        uint8_t plain[SIZE];
        rig_init(&rig, 1, ranges[r].begin, ranges[r].end, r % 2 == 0 ? 16 : 32);
        fill(plain, SIZE);
        memcpy(rig.memory, plain, SIZE);
        encrypt(&rig, ranges[r].begin, ranges[r].end, rig.memory);
        for (uint32_t offset = 0; offset < SIZE; offset += offset < 70 ? 1 : 7) {
            for (uint32_t len = 1; len <= SIZE - offset; len += len < 40 ? 1 : 97) {
                uint8_t data[SIZE + 1];
                data[len] = 0x5a;
                assert_int_equal(ferry_flash_read(&rig.cipher.flash, offset, data, len), FERRY_OK);
                assert_memory_equal(data, plain + offset, len);
                assert_int_equal(data[len], 0x5a);
            }
        }
    }
}

/* Programs in pieces of every size, for every write size: what is stored is the same. */
static void programs_anywhere(void **state)
{
    (void)state;
    static const uint8_t units[] = {1, 2, 4, 8, 16, 32};
    for (size_t u = 0; u < sizeof units; u++) {
        for (size_t r = 0; r < RANGES; r++) {
            for (size_t piece = units[u]; piece <= SIZE; piece += piece < 80 ? units[u] : 160) {
                struct rig rig;
                uint8_t plain[SIZE];
                uint8_t given[SIZE];
                rig_init(&rig, units[u], ranges[r].begin, ranges[r].end, 16);
                fill(plain, SIZE);
                memcpy(given, plain, SIZE);
                for (uint32_t at = 0; at < SIZE; at += (uint32_t)piece) {
                    size_t len = SIZE - at < piece ? SIZE - at : piece;
                    assert_int_equal(ferry_flash_program(&rig.cipher.flash, at, given + at, len),
                                     FERRY_OK);
                }
                assert_memory_equal(given, plain, SIZE); /* the caller's bytes stay */
                encrypt(&rig, ranges[r].begin, ranges[r].end, plain);
                assert_memory_equal(rig.memory, plain, SIZE);
            }
        }
    }
}

static void programs_in_chunks(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t plain[SIZE];
    rig_init(&rig, 4, 0, SIZE, 16);
    fill(plain, SIZE);
    assert_int_equal(ferry_flash_program(&rig.cipher.flash, 0, plain, SIZE), FERRY_OK);
    assert_int_equal(rig.counter.counts.programs, SIZE / FERRY_CIPHER_CHUNK);
    /* Not erased: the error of the flash inside. */
    assert_int_equal(ferry_flash_program(&rig.cipher.flash, 0, plain, 4), FERRY_OK);
    plain[0] ^= 0xff;
    assert_int_equal(ferry_flash_program(&rig.cipher.flash, 0, plain, 4), FERRY_E_NOT_ERASED);
}

/* What is erased inside does not read so, and is never taken for it. */
static void erased_is_asked_inside(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t data[SECTOR];
    rig_init(&rig, 4, 0, SIZE, 16);
    assert_true(rig.cipher.flash.ciphered);
    assert_int_equal(ferry_flash_read(&rig.cipher.flash, 0, data, sizeof data), FERRY_OK);
    assert_false(ferry_all_equal(data, sizeof data, 0xff));
    assert_int_equal(ferry_flash_is_erased(&rig.cipher.flash, 0, SIZE), 0);
    assert_int_equal(ferry_flash_is_erased(&rig.ram.flash, 0, SIZE), 1);
    memset(rig.memory, 0, SIZE);
    assert_int_equal(ferry_flash_erase_dirty(&rig.cipher.flash, 0, 2 * SECTOR), FERRY_OK);
    assert_int_equal(ferry_flash_erase(&rig.cipher.flash, 2 * SECTOR, SECTOR), FERRY_OK);
    assert_true(ferry_all_equal(rig.memory, 3 * SECTOR, 0xff));
    assert_true(ferry_all_equal(rig.memory + 3 * SECTOR, SECTOR, 0));
    assert_int_equal(ferry_flash_is_erased(&rig.cipher.flash, 0, SIZE + 1), FERRY_E_BOUNDS);
}

/* A copy whose plaintext looks erased is programmed all the same where it is stored encrypted, and
 * need not be where it is not. */
static void copies_of_erased_bytes(void **state)
{
    (void)state;
    struct rig from;
    struct rig to;
    uint8_t buf[64];
    uint8_t expected[SIZE];
    uint8_t back[SIZE];
    rig_init(&from, 4, 0, 0, 0); /* all 0xff */
    rig_init(&to, 4, 32, 900, 32);
    assert_false(from.cipher.flash.ciphered);
    assert_int_equal(
        ferry_flash_copy(&from.cipher.flash, 0, &to.cipher.flash, 0, SIZE, buf, sizeof buf),
        FERRY_OK);
    memset(expected, 0xff, SIZE);
    encrypt(&to, 32, 900, expected);
    assert_memory_equal(to.memory, expected, SIZE);
    assert_int_equal(ferry_flash_read(&to.cipher.flash, 0, back, SIZE), FERRY_OK);
    assert_true(ferry_all_equal(back, SIZE, 0xff));
    uint32_t programs = from.counter.counts.programs;
    assert_int_equal(
        ferry_flash_copy(&to.cipher.flash, 0, &from.cipher.flash, 0, SIZE, buf, sizeof buf),
        FERRY_OK);
    assert_int_equal(from.counter.counts.programs, programs);
    assert_true(ferry_all_equal(from.memory, SIZE, 0xff));
}

/* A slice of a cipher counts from its own place in the payload, and knows that it is ciphered. */
static void slices_of_a_cipher(void **state)
{
    (void)state;
    struct rig rig;
    struct ferry_flash_slice slice;
    uint8_t plain[SIZE];
    uint8_t data[SECTOR];
    rig_init(&rig, 4, 32, SIZE, 16);
    fill(plain, SIZE);
    memcpy(rig.memory, plain, SIZE);
    encrypt(&rig, 32, SIZE, rig.memory);
    assert_int_equal(ferry_flash_slice_init(&slice, &rig.cipher.flash, SECTOR, 2 * SECTOR),
                     FERRY_OK);
    assert_true(slice.flash.ciphered);
    assert_int_equal(ferry_flash_read(&slice.flash, 5, data, 100), FERRY_OK);
    assert_memory_equal(data, plain + SECTOR + 5, 100);
}

/* Two ciphers on one flash: the secondary of a swap has one key going in and one coming out. */
static void two_ciphers_on_one_flash(void **state)
{
    (void)state;
    struct rig rig;
    struct ferry_flash_cipher other;
    struct ferry_content_key key = {.len = 32, .bytes = {1, 2, 3}};
    uint8_t plain[SECTOR];
    uint8_t data[SECTOR];
    rig_init(&rig, 4, 0, SECTOR, 16);
    ferry_flash_cipher_init(&other, &rig.ram.flash, SECTOR, 2 * SECTOR, &key);
    fill(plain, SECTOR);
    assert_int_equal(ferry_flash_program(&rig.cipher.flash, 0, plain, SECTOR), FERRY_OK);
    assert_int_equal(
        ferry_flash_copy(&rig.cipher.flash, 0, &other.flash, SECTOR, SECTOR, data, sizeof data),
        FERRY_OK);
    assert_memory_not_equal(rig.memory, rig.memory + SECTOR, SECTOR);
    assert_int_equal(ferry_flash_read(&other.flash, SECTOR, data, SECTOR), FERRY_OK);
    assert_memory_equal(data, plain, SECTOR);
}

static void errors_pass(void **state)
{
    (void)state;
    struct rig rig;
    struct ferry_power power = {.off = true};
    struct ferry_flash_cutter cutter;
    struct ferry_flash_cipher cipher;
    uint8_t data[16] = {0};
    rig_init(&rig, 4, 0, SIZE, 16);
    ferry_flash_cutter_init(&cutter, &rig.ram.flash, &power);
    ferry_flash_cipher_init(&cipher, &cutter.flash, 0, SIZE, &rig.key);
    assert_int_equal(ferry_flash_read(&cipher.flash, 0, data, 16), FERRY_E_POWER);
    assert_int_equal(ferry_flash_program(&cipher.flash, 0, data, 16), FERRY_E_POWER);
    assert_int_equal(ferry_flash_erase(&cipher.flash, 0, SECTOR), FERRY_E_POWER);
    assert_int_equal(ferry_flash_read(&rig.cipher.flash, SIZE - 8, data, 16), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_program(&rig.cipher.flash, 2, data, 4), FERRY_E_ALIGN);
}

/* Whether any four bytes of the key in a row stand in memory. */
static bool holds_key(const void *memory, size_t size, const struct ferry_content_key *key)
{
    const uint8_t *bytes = memory;
    for (size_t at = 0; at + 4 <= size; at++) {
        for (size_t k = 0; k + 4 <= key->len; k++) {
            if (memcmp(bytes + at, key->bytes + k, 4) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void wiped_leaves_nothing(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t data[16];
    rig_init(&rig, 4, 0, SIZE, 32);
    assert_true(holds_key(&rig.cipher, sizeof rig.cipher, &rig.key));
    ferry_flash_cipher_wipe(&rig.cipher);
    assert_true(ferry_all_equal((const uint8_t *)&rig.cipher, sizeof rig.cipher, 0));
    assert_int_equal(ferry_flash_read(&rig.cipher.flash, 0, data, sizeof data), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_program(&rig.cipher.flash, 0, data, sizeof data), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_erase(&rig.cipher.flash, 0, SECTOR), FERRY_E_BOUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_anywhere),           cmocka_unit_test(programs_anywhere),
        cmocka_unit_test(programs_in_chunks),       cmocka_unit_test(erased_is_asked_inside),
        cmocka_unit_test(copies_of_erased_bytes),   cmocka_unit_test(slices_of_a_cipher),
        cmocka_unit_test(two_ciphers_on_one_flash), cmocka_unit_test(errors_pass),
        cmocka_unit_test(wiped_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

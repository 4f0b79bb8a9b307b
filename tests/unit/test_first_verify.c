/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a bootloader may run: every rule of the first stage, and every bit of what it looks at.
 */
#include "first_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static uint8_t bytes[8192];
static uint8_t buf[512];

/* What the tests ask: a firmware in memory for S0. */
static int verify_at(uint8_t *firmware, size_t size, uint32_t address,
                     struct ferry_first_provision *provision, struct ferry_first_stage *stage,
                     const struct ferry_first_kind *kind)
{
    struct ferry_flash_ram rom;
    struct ferry_verdict verdict;
    const struct ferry_first first = {.kind = kind, .buf = buf, .buf_size = sizeof(buf)};

    assert_int_equal(ferry_flash_rom_init(&rom, firmware, (uint32_t)size), FERRY_OK);
    const struct ferry_first_place place = {
        .flash = &rom.flash, .size = (uint32_t)size, .address = address};
    int rc = ferry_first_verify(&first, provision, &place, stage, &verdict);
    assert_int_equal(ferry_verdict_is_valid(&verdict), rc == FERRY_OK);
    return rc;
}

static void provide(struct ferry_first_provision *provision)
{
    memset(provision, 0, sizeof(*provision));
    provision->key_count = 2;
    first_key_hash(TEST_KEY_P256_OTHER, provision->keys[0].hash);
    first_key_hash(TEST_KEY_P256, provision->keys[1].hash);
}

static int verify(const struct first_spec *spec)
{
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;

    provide(&provision);
    size_t size = first_build(spec, bytes, sizeof(bytes));
    return verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip);
}

/* ---- Rules ---------------------------------------------------------------------------------- */

static void put(uint8_t *at, uint32_t value)
{
    ferry_store_le32(at, value);
}

static void is_given_up(uint8_t *f, uint32_t info)
{
    put(f + info + 32, FERRY_FIRST_INVALID);
}
static void has_large_version(uint8_t *f, uint32_t info)
{
    put(f + info + 20, 0x8000);
}
static void is_larger_than_the_slot(uint8_t *f, uint32_t info)
{
    put(f + info + 16, 0xffffff00);
}
static void is_smaller_than_its_info(uint8_t *f, uint32_t info)
{
    put(f + info + 16, info + 59);
}
static void has_a_large_info(uint8_t *f, uint32_t info)
{
    put(f + info + 12, 2048 - info + 1);
}
static void boots_before(uint8_t *f, uint32_t info)
{
    put(f + info + 28, FIRST_RIG_S0 - 1);
}
static void boots_behind(uint8_t *f, uint32_t info)
{
    put(f + info + 28, FIRST_RIG_S0 + 2048);
}
static void has_no_info(uint8_t *f, uint32_t info)
{
    f[info] = 0;
}
static void loses_validation(uint8_t *f, uint32_t size)
{
    f[size] ^= 1;
}
static void is_validated_for_another_address(uint8_t *f, uint32_t size)
{
    f[size + 12] ^= 4;
}
static void has_a_changed_byte(uint8_t *f, uint32_t size)
{
    f[size - 1] ^= 1;
}
static void has_a_changed_hash(uint8_t *f, uint32_t size)
{
    f[size + 16] ^= 1;
}
static void has_a_changed_signature(uint8_t *f, uint32_t size)
{
    f[size + 112 + 40] ^= 1;
}
static void has_no_r(uint8_t *f, uint32_t size)
{
    memset(f + size + 112, 0, 32);
}
static void has_no_s(uint8_t *f, uint32_t size)
{
    memset(f + size + 144, 0, 32);
}

/* An API offered and a request behind fw_info. */
static void put_lists(uint8_t *f, uint32_t info, uint32_t required)
{
    uint8_t *at = f + info + 60;
    memset(at, 0, 28 + 40);
    put(at + 12, 28);
    put(at + 28 + 12, 40);
    put(at + 28 + 32, required);
    put(f + info + 12, 60 + 28 + 40);
    put(f + info + 52, 1);
    put(f + info + 56, 1);
}
static void asks_for_an_api(uint8_t *f, uint32_t info)
{
    put_lists(f, info, 0);
}
static void requires_an_api(uint8_t *f, uint32_t info)
{
    put_lists(f, info, 1);
}
static void has_short_lists(uint8_t *f, uint32_t info)
{
    put_lists(f, info, 0);
    put(f + info + 12, 60 + 28 + 39);
}
static void has_endless_lists(uint8_t *f, uint32_t info)
{
    put_lists(f, info, 0);
    put(f + info + 60 + 12, 0);
}
static void has_long_entries(uint8_t *f, uint32_t info)
{
    put_lists(f, info, 0);
    put(f + info + 60 + 12, 0xffffffff);
}
static void has_many_entries(uint8_t *f, uint32_t info)
{
    put_lists(f, info, 0);
    put(f + info + 52, 0x80000000);
    put(f + info + 56, 0x80000000);
}

static void every_rule_refuses(void **state)
{
    static const struct {
        const char *what;
        struct first_spec spec;
        int reason;
    } rows[] = {
        {"good", {.version = 1, .address = FIRST_RIG_S0}, FERRY_OK},
        {"good, info first", {.version = 1, .address = FIRST_RIG_S0, .info_offset = 1}, FERRY_OK},
        {"good, info at 0x400",
         {.version = 1, .address = FIRST_RIG_S0, .info_offset = 0x400},
         FERRY_OK},
        {"good, odd size", {.version = 1, .address = FIRST_RIG_S0, .size = 2047}, FERRY_OK},
        {"good, the other key",
         {.version = 1, .address = FIRST_RIG_S0, .key = TEST_KEY_P256_OTHER},
         FERRY_OK},
        {"good, highest version", {.version = 0x7fff, .address = FIRST_RIG_S0}, FERRY_OK},
        {"for S1", {.version = 1, .address = FIRST_RIG_S1}, FERRY_E_ADDRESS},
        {"given up",
         {.version = 1, .address = FIRST_RIG_S0, .before = is_given_up},
         FERRY_E_INVALIDATED},
        {"large version",
         {.version = 1, .address = FIRST_RIG_S0, .before = has_large_version},
         FERRY_E_RANGE},
        {"larger than the slot",
         {.version = 1, .address = FIRST_RIG_S0, .before = is_larger_than_the_slot},
         FERRY_E_IMAGE_SIZE},
        {"smaller than its info",
         {.version = 1, .address = FIRST_RIG_S0, .before = is_smaller_than_its_info},
         FERRY_E_IMAGE_SIZE},
        {"large info",
         {.version = 1, .address = FIRST_RIG_S0, .before = has_a_large_info},
         FERRY_E_IMAGE_SIZE},
        {"boots before",
         {.version = 1, .address = FIRST_RIG_S0, .before = boots_before},
         FERRY_E_ADDRESS},
        {"boots behind",
         {.version = 1, .address = FIRST_RIG_S0, .before = boots_behind},
         FERRY_E_ADDRESS},
        {"no info", {.version = 1, .address = FIRST_RIG_S0, .before = has_no_info}, FERRY_E_MAGIC},
        {"asks for an API",
         {.version = 1, .address = FIRST_RIG_S0, .before = asks_for_an_api},
         FERRY_OK},
        {"requires an API",
         {.version = 1, .address = FIRST_RIG_S0, .before = requires_an_api},
         FERRY_E_UNSUPPORTED},
        {"short lists",
         {.version = 1, .address = FIRST_RIG_S0, .before = has_short_lists},
         FERRY_E_FORMAT},
        {"endless lists",
         {.version = 1, .address = FIRST_RIG_S0, .before = has_endless_lists},
         FERRY_E_FORMAT},
        {"long entries",
         {.version = 1, .address = FIRST_RIG_S0, .before = has_long_entries},
         FERRY_E_FORMAT},
        {"many entries",
         {.version = 1, .address = FIRST_RIG_S0, .before = has_many_entries},
         FERRY_E_FORMAT},
        {"no validation",
         {.version = 1, .address = FIRST_RIG_S0, .after = loses_validation},
         FERRY_E_NO_SIGNATURE},
        {"validated for another address",
         {.version = 1, .address = FIRST_RIG_S0, .after = is_validated_for_another_address},
         FERRY_E_ADDRESS},
        {"changed byte",
         {.version = 1, .address = FIRST_RIG_S0, .after = has_a_changed_byte},
         FERRY_E_DIGEST},
        {"changed hash",
         {.version = 1, .address = FIRST_RIG_S0, .after = has_a_changed_hash},
         FERRY_E_DIGEST},
        {"changed signature",
         {.version = 1, .address = FIRST_RIG_S0, .after = has_a_changed_signature},
         FERRY_E_SIGNATURE},
        {"r = 0", {.version = 1, .address = FIRST_RIG_S0, .after = has_no_r}, FERRY_E_SIGNATURE},
        {"s = 0", {.version = 1, .address = FIRST_RIG_S0, .after = has_no_s}, FERRY_E_SIGNATURE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int rc = verify(&rows[i].spec);
        if (rc != rows[i].reason) {
            print_message("%s: %s\n", rows[i].what, ferry_error_name(rc));
        }
        assert_int_equal(rc, rows[i].reason);
    }
}

static void keys_and_counter_are_looked_at(void **state)
{
    const struct first_spec spec = {.version = 3, .address = FIRST_RIG_S0};
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;
    size_t size = first_build(&spec, bytes, sizeof(bytes));

    (void)state;
    provide(&provision);
    assert_int_equal(verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip),
                     FERRY_OK);
    assert_int_equal(stage.key, 1);
    provision.keys[1].revoked = true;
    assert_int_equal(verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip),
                     FERRY_E_REVOKED);
    /* The same key stands there a second time: that entry counts. */
    provision.keys[2] = provision.keys[1];
    provision.keys[2].revoked = false;
    provision.key_count = 3;
    assert_int_equal(verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip),
                     FERRY_OK);
    assert_int_equal(stage.key, 2);
    provision.key_count = 1;
    assert_int_equal(verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip),
                     FERRY_E_NO_KEY);
    for (uint32_t value = 0; value < 10; value++) {
        provide(&provision);
        provision.value = value;
        assert_int_equal(
            verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip),
            value >> 1 > 3 ? FERRY_E_OLD_STAGE : FERRY_OK);
    }
}

/* On a Cortex-M the reset vector is looked at, its lowest bit being Thumb's. */
static void put_vectors(uint8_t *f, uint32_t info)
{
    (void)info;
    put(f, 0x20001000);
    put(f + 4, FIRST_RIG_S0 + 0x101);
}
static void put_wild_vectors(uint8_t *f, uint32_t info)
{
    (void)info;
    put(f + 4, FIRST_RIG_S0 + 2048 + 1);
}
static void put_late_vectors(uint8_t *f, uint32_t info)
{
    put(f + info + 28, FIRST_RIG_S0 + 2044);
}

static void vectors_are_looked_at(void **state)
{
    struct first_spec spec = {.version = 1, .address = FIRST_RIG_S0, .before = put_vectors};
    static void (*const wrong[])(uint8_t *, uint32_t) = {put_wild_vectors, put_late_vectors};
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;
    size_t size = first_build(&spec, bytes, sizeof(bytes));

    (void)state;
    provide(&provision);
    assert_int_equal(verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_nrf52),
                     FERRY_OK);
    for (size_t i = 0; i < 2; i++) {
        spec.before = wrong[i];
        size = first_build(&spec, bytes, sizeof(bytes));
        assert_int_equal(
            verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_nrf52),
            FERRY_E_ADDRESS);
        assert_int_equal(
            verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip), FERRY_OK);
    }
}

/* ---- Bits ---------------------------------------------------------------------------------------
 */

/* Every bit of fw_info and validation info, and every byte of the firmware. */
static void every_changed_bit_is_refused(void **state)
{
    const struct first_spec spec = {.version = 1, .address = FIRST_RIG_S0};
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;
    size_t size = first_build(&spec, bytes, sizeof(bytes));
    uint32_t tried = 0;

    (void)state;
    provide(&provision);
    for (uint32_t bit = 0; bit < size * 8; bit++) {
        uint32_t byte = bit / 8;
        bool all = (byte >= 0x200 && byte < 0x200 + 60) || byte >= 2048;
        if (!all && bit % 8 != byte % 8) {
            continue;
        }
        bytes[byte] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(
            verify_at(bytes, size, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip), FERRY_OK);
        bytes[byte] ^= (uint8_t)(1U << bit % 8);
        tried++;
    }
    print_message("%u changed bits refused\n", tried);
    assert_true(tried > 3000);
}

/* What ends early has an end: no read behind the place. */
static void every_cut_file_is_refused(void **state)
{
    const struct first_spec spec = {.version = 1, .address = FIRST_RIG_S0};
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;
    size_t size = first_build(&spec, bytes, sizeof(bytes));

    (void)state;
    provide(&provision);
    for (size_t len = 1; len < size; len++) {
        assert_int_not_equal(
            verify_at(bytes, len, FIRST_RIG_S0, &provision, &stage, &ferry_first_vchip), FERRY_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_refuses),
        cmocka_unit_test(keys_and_counter_are_looked_at),
        cmocka_unit_test(vectors_are_looked_at),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(every_cut_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* NSIB's published layout, byte for byte: what stands here was written by hand from
 * nsib-format.md, and neither reader nor writer of core/first had a part in it. */
#include "ferry/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* ---- fw_info ------------------------------------------------------------------------------ */

static const uint8_t info_nrf52[60] = {
    0xde, 0xe6, 0x1e, 0x28, /*  0 magic: common */
    0x4c, 0xbb, 0xce, 0x8f, /*    firmware info */
    0x02, 0x34, 0x00, 0x00, /*    version 2, nRF52 (52) */
    0x3c, 0x00, 0x00, 0x00, /* 12 total_size */
    0x44, 0x33, 0x02, 0x00, /* 16 size */
    0x07, 0x00, 0x00, 0x00, /* 20 version */
    0x00, 0x90, 0x00, 0x00, /* 24 address */
    0x00, 0x92, 0x00, 0x00, /* 28 boot_address */
    0xff, 0xff, 0x02, 0x91, /* 32 valid */
    0x00, 0x00, 0x00, 0x00, /* 36 reserved */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 52 ext_api_num */
    0x00, 0x00, 0x00, 0x00,                         /* 56 ext_api_request_num */
};

static void fw_info_reads_and_writes(void **state)
{
    struct ferry_first_info info = {0};
    uint8_t raw[60];

    (void)state;
    assert_int_equal(ferry_first_info_parse(info_nrf52, &ferry_first_nrf52, &info), FERRY_OK);
    assert_int_equal(info.total_size, 60);
    assert_int_equal(info.size, 0x23344);
    assert_int_equal(info.version, 7);
    assert_int_equal(info.address, 0x9000);
    assert_int_equal(info.boot_address, 0x9200);
    assert_int_equal(info.valid, 0x9102ffff);
    assert_int_equal(info.ext_api_num, 0);
    assert_int_equal(info.ext_api_request_num, 0);
    memset(raw, 0x5a, sizeof(raw));
    ferry_first_info_write(&info, &ferry_first_nrf52, raw);
    assert_memory_equal(raw, info_nrf52, sizeof(raw));
}

static void fw_info_is_of_its_hardware(void **state)
{
    struct ferry_first_info info;
    uint8_t raw[60];

    (void)state;
    memcpy(raw, info_nrf52, sizeof(raw));
    assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf53, &info), FERRY_E_MAGIC);
    raw[9] = 0x35; /* nRF53 */
    assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf53, &info), FERRY_OK);
    assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf52, &info), FERRY_E_MAGIC);
    raw[9] = 0x34;
    raw[10] = 0x01; /* whatever crypto the firmware itself uses */
    assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf52, &info), FERRY_OK);
    raw[11] = 0x01; /* another compatibility id */
    assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf52, &info), FERRY_E_MAGIC);
    raw[11] = 0x00;
    raw[12] = 59;
    assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf52, &info), FERRY_E_FORMAT);
    for (size_t i = 0; i < 10; i++) {
        memcpy(raw, info_nrf52, sizeof(raw));
        raw[i] ^= 0x10;
        assert_int_equal(ferry_first_info_parse(raw, &ferry_first_nrf52, &info), FERRY_E_MAGIC);
    }
}

static void fw_info_is_found_at_its_five_offsets(void **state)
{
    static const uint32_t offsets[] = {0x0, 0x200, 0x400, 0x800, 0x1000};
    static uint8_t bytes[0x2000];
    struct ferry_flash_ram rom;
    struct ferry_first_info info;

    (void)state;
    for (uint32_t at = 0; at <= 0x1800; at += 0x200) {
        memset(bytes, 0xff, sizeof(bytes));
        memcpy(bytes + 0x100 + at, info_nrf52, sizeof(info_nrf52));
        assert_int_equal(ferry_flash_rom_init(&rom, bytes, sizeof(bytes)), FERRY_OK);
        const struct ferry_first_place place = {
            .flash = &rom.flash, .offset = 0x100, .size = sizeof(bytes) - 0x100};
        bool listed = false;
        for (size_t i = 0; i < 5; i++) {
            listed = listed || offsets[i] == at;
        }
        assert_int_equal(ferry_first_info_find(&place, &ferry_first_nrf52, &info),
                         listed ? FERRY_OK : FERRY_E_MAGIC);
        assert_int_equal(info.offset, listed ? at : 0);
    }
    const struct ferry_first_place tiny = {.flash = &rom.flash, .offset = 0x100, .size = 59};
    assert_int_equal(ferry_first_info_find(&tiny, &ferry_first_nrf52, &info), FERRY_E_MAGIC);
}

/* ---- Validation info ------------------------------------------------------------------------- */

/* hash, public key and signature: their offset is their content. */
static void make_validation(uint8_t raw[176])
{
    static const uint8_t head[16] = {
        0xde, 0xe6, 0x1e, 0x28, /*  0 magic: common */
        0x83, 0x84, 0x51, 0x86, /*    validation info */
        0x02, 0x34, 0x01, 0x00, /*    78850: version 2, nRF52, ECDSA-P256 */
        0x00, 0x90, 0x00, 0x00, /* 12 address */
    };
    memcpy(raw, head, sizeof(head));
    for (size_t i = sizeof(head); i < 176; i++) {
        raw[i] = (uint8_t)i;
    }
}

static void validation_info_reads_and_writes(void **state)
{
    struct ferry_first_validation validation;
    uint8_t golden[176];
    uint8_t raw[176] = {0};

    (void)state;
    make_validation(golden);
    assert_int_equal(ferry_first_validation_parse(golden, &ferry_first_nrf52, &validation),
                     FERRY_OK);
    assert_int_equal(validation.address, 0x9000);
    assert_int_equal(validation.hash[0], 16);
    assert_int_equal(validation.hash[31], 47);
    assert_int_equal(validation.key[0], 48);
    assert_int_equal(validation.key[63], 111);
    assert_int_equal(validation.signature[0], 112);
    assert_int_equal(validation.signature[63], 175);
    ferry_first_validation_write(&validation, &ferry_first_nrf52, raw);
    assert_memory_equal(raw, golden, sizeof(raw));
    assert_int_equal(ferry_first_validation_parse(golden, &ferry_first_nrf53, &validation),
                     FERRY_E_MAGIC);
    golden[8] = 0x02; /* 79106 */
    golden[9] = 0x35;
    assert_int_equal(ferry_first_validation_parse(golden, &ferry_first_nrf53, &validation),
                     FERRY_OK);
}

static void validation_info_is_found_within_four_bytes(void **state)
{
    static uint8_t bytes[1024];
    struct ferry_flash_ram rom;
    struct ferry_first_validation validation;
    const struct ferry_first_info info = {.size = 500};

    (void)state;
    for (uint32_t at = 498; at <= 506; at++) {
        memset(bytes, 0xff, sizeof(bytes));
        make_validation(bytes + at);
        assert_int_equal(ferry_flash_rom_init(&rom, bytes, sizeof(bytes)), FERRY_OK);
        const struct ferry_first_place place = {.flash = &rom.flash, .size = sizeof(bytes)};
        bool near = at >= 500 && at <= 504;
        assert_int_equal(
            ferry_first_validation_find(&place, &ferry_first_nrf52, &info, &validation),
            near ? FERRY_OK : FERRY_E_NO_SIGNATURE);
        if (near) {
            assert_int_equal(validation.offset, at);
        }
    }
    /* It ends with the slot, or there is no room for it. */
    memset(bytes, 0xff, sizeof(bytes));
    make_validation(bytes + 500);
    const struct ferry_first_place exact = {.flash = &rom.flash, .size = 676};
    assert_int_equal(ferry_first_validation_find(&exact, &ferry_first_nrf52, &info, &validation),
                     FERRY_OK);
    const struct ferry_first_place small = {.flash = &rom.flash, .size = 675};
    assert_int_equal(ferry_first_validation_find(&small, &ferry_first_nrf52, &info, &validation),
                     FERRY_E_IMAGE_SIZE);
}

/* ---- Provision data ----------------------------------------------------------------------------
 */

/* Two keys, a counter of the first stage with six slots of which four are used, as NSIB leaves it:
 * versions 1 (S0), 2 (S1), 5 (S0). */
static const uint8_t page[128] = {
    0x00, 0x00, /*  0 provisioning: entered */
    0x00, 0x00, /*  2 secure: entered */
    0xff, 0xff, /*  4 padding */
    0xff, 0xff, /*  6 decommissioned */
    /* 8 implementation id */
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, 0x00, 0x90, 0x00, 0x00, /* 40 s0_address */
    0x00, 0x20, 0x01, 0x00,                         /* 44 s1_address */
    0x02, 0x00, 0x00, 0x00,                         /* 48 number of keys */
    0x00, 0x00, 0xfa, 0x50,                         /* 52 token of key 0: revoked */
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
    0xff, 0xff, 0xfa, 0x51, /* 72 token of key 1 */
    0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf,
    0x01, 0x00,                         /* 92 collection of counters */
    0x01, 0x00,                         /* 94 one of them */
    0x01, 0x00,                         /* 96 the first stage's version */
    0x06, 0x00,                         /* 98 slots */
    0xfc, 0xff,                         /* 100 ~(1 << 1 | 1) */
    0xfb, 0xff,                         /* 102 ~(2 << 1 | 0) */
    0xf4, 0xff,                         /* 104 ~(5 << 1 | 1) */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* 106 free */
    0x12, 0x93, 0x00, 0x00,             /* 112 variable data, none */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void provision_data_read(void **state)
{
    struct ferry_flash_ram rom;
    struct ferry_first_provision provision;

    (void)state;
    assert_int_equal(ferry_flash_rom_init(&rom, page, sizeof(page)), FERRY_OK);
    assert_int_equal(ferry_first_provision_read(&rom.flash, &ferry_first_nrf52, &provision),
                     FERRY_OK);
    assert_int_equal(provision.life_cycle, FERRY_FIRST_SECURE);
    assert_int_equal(provision.implementation_id[0], 0);
    assert_int_equal(provision.implementation_id[31], 31);
    assert_int_equal(provision.addresses[0], 0x9000);
    assert_int_equal(provision.addresses[1], 0x12000);
    assert_int_equal(provision.key_count, 2);
    assert_true(provision.keys[0].revoked);
    assert_true(provision.keys[0].done);
    assert_int_equal(provision.keys[0].offset, 52);
    assert_memory_equal(provision.keys[0].hash, page + 56, 16);
    assert_false(provision.keys[1].revoked);
    assert_int_equal(provision.keys[1].offset, 72);
    assert_memory_equal(provision.keys[1].hash, page + 76, 16);
    assert_int_equal(provision.slots, 100);
    assert_int_equal(provision.slot_count, 6);
    assert_int_equal(provision.used, 3);
    assert_int_equal(provision.value, 11);
    assert_int_equal(ferry_first_lowest(&provision), 5);
}

static void life_cycles_read(void **state)
{
    static const struct {
        uint16_t words[4];
        enum ferry_first_life_cycle life_cycle;
    } rows[] = {
        {{0xffff, 0xffff, 0xffff, 0xffff}, FERRY_FIRST_ASSEMBLY},
        {{0x0000, 0xffff, 0xffff, 0xffff}, FERRY_FIRST_PROVISIONING},
        {{0x0000, 0x0000, 0xffff, 0xffff}, FERRY_FIRST_SECURE},
        {{0x0000, 0x0000, 0xffff, 0x0000}, FERRY_FIRST_DECOMMISSIONED},
        {{0xffff, 0x0000, 0xffff, 0xffff}, FERRY_FIRST_UNKNOWN},
        {{0x0000, 0x0000, 0x0000, 0xfbff}, FERRY_FIRST_SECURE},
    };
    struct ferry_flash_ram rom;
    struct ferry_first_provision provision;
    uint8_t bytes[128];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memcpy(bytes, page, sizeof(bytes));
        for (size_t j = 0; j < 4; j++) {
            ferry_store_le16(bytes + 2 * j, rows[i].words[j]);
        }
        assert_int_equal(ferry_flash_rom_init(&rom, bytes, sizeof(bytes)), FERRY_OK);
        assert_int_equal(ferry_first_provision_read(&rom.flash, &ferry_first_nrf52, &provision),
                         FERRY_OK);
        assert_int_equal(provision.life_cycle, rows[i].life_cycle);
    }
}

/* What Nordic's provision.py makes of the same keys, its counter unused. */
static void provision_data_write(void **state)
{
    static const uint32_t addresses[2] = {0x9000, 0x12000};
    uint8_t hashes[32];
    uint8_t golden[112];
    uint8_t made[112];

    (void)state;
    memcpy(golden, page, sizeof(golden));
    memset(golden, 0xff, 40);       /* life cycle and implementation id are written elsewhere */
    memset(golden + 52, 0xff, 2);   /* token of key 0: in use */
    memset(golden + 100, 0xff, 12); /* slots free */
    memcpy(hashes, page + 56, 16);
    memcpy(hashes + 16, page + 76, 16);
    memset(made, 0, sizeof(made));
    assert_int_equal(ferry_first_provision_write(&ferry_first_nrf52, addresses, hashes, 2, 6, made,
                                                 sizeof(made)),
                     112);
    assert_memory_equal(made, golden, sizeof(golden));
    assert_int_equal(
        ferry_first_provision_write(&ferry_first_nrf52, addresses, hashes, 2, 6, made, 111),
        FERRY_E_SPACE);
    assert_int_equal(
        ferry_first_provision_write(&ferry_first_nrf52, addresses, hashes, 2, 5, made, 112),
        FERRY_E_RANGE);
    hashes[18] = 0xff;
    hashes[19] = 0xff;
    assert_int_equal(
        ferry_first_provision_write(&ferry_first_nrf52, addresses, hashes, 2, 6, made, 112),
        FERRY_E_RANGE);
}

/* 0xffff0000 over a token, half words over free slots, each three times: nothing else changes. */
static void provision_data_change(void **state)
{
    static const uint8_t slots[12] = {0xfc, 0xff, 0xfb, 0xff, 0xf4, 0xff,
                                      0xf2, 0xff, 0xf2, 0xff, 0xf2, 0xff};
    struct ferry_flash_ram ram = {.flash = {.size = 128,
                                            .write_size = 4,
                                            .erased_value = 0xff,
                                            .run_count = 1,
                                            .runs = {{1, 128}}}};
    struct ferry_first_provision provision;
    uint8_t bytes[128];
    uint8_t golden[128];

    (void)state;
    memcpy(bytes, page, sizeof(bytes));
    bytes[52] = 0xff;
    bytes[53] = 0xff;
    assert_int_equal(ferry_flash_ram_init(&ram, bytes), FERRY_OK);
    assert_int_equal(ferry_first_provision_read(&ram.flash, &ferry_first_nrf52, &provision),
                     FERRY_OK);
    assert_false(provision.keys[0].revoked);
    assert_int_equal(ferry_first_revoke_below(&provision, 1), 1);
    assert_int_equal(ferry_first_revoke_below(&provision, 1), 0);
    assert_int_equal(ferry_first_raise(&provision, 6, 0), 1); /* 6 << 1 | 1 = 13 */
    assert_int_equal(ferry_first_raise(&provision, 6, 0), 0);
    assert_int_equal(ferry_first_raise(&provision, 6, 1), 0);
    assert_int_equal(ferry_first_raise(&provision, 5, 0), 0);
    assert_int_equal(ferry_first_raise(&provision, 7, 0), FERRY_E_USED_UP);
    memcpy(golden, page, sizeof(golden));
    memcpy(golden + 100, slots, sizeof(slots));
    assert_memory_equal(bytes, golden, sizeof(golden));
    assert_int_equal(ferry_first_provision_read(&ram.flash, &ferry_first_nrf52, &provision),
                     FERRY_OK);
    assert_int_equal(provision.value, 13);
    assert_int_equal(provision.copies, 3);
    assert_true(provision.keys[0].done);
    assert_int_equal(ferry_first_has_room(&provision, 6), FERRY_OK);
    assert_int_equal(ferry_first_has_room(&provision, 7), FERRY_E_USED_UP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fw_info_reads_and_writes),
        cmocka_unit_test(fw_info_is_of_its_hardware),
        cmocka_unit_test(fw_info_is_found_at_its_five_offsets),
        cmocka_unit_test(validation_info_reads_and_writes),
        cmocka_unit_test(validation_info_is_found_within_four_bytes),
        cmocka_unit_test(provision_data_read),
        cmocka_unit_test(life_cycles_read),
        cmocka_unit_test(provision_data_write),
        cmocka_unit_test(provision_data_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

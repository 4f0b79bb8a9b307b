/* SPDX-License-Identifier: Apache-2.0 */
/* Measured boot: the shared data area, held against bytes that were written by hand from the
 * format. [mcuboot-format.md §2.8] */
#include "ferry/measure.h"
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct place_rig rig;

/* A boot record as imgtool makes it: {1: "SPE", 4: "1.2.3", 5: signer, 6: "SHA256", 2: digest}.
 * The digest's place holds zeros. */
#define RECORD_HEAD                                                                                \
    0xa5, 0x01, 0x63, 'S', 'P', 'E', 0x04, 0x65, '1', '.', '2', '.', '3', 0x05, 0x58, 0x20
#define SIGNER                                                                                     \
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,      \
        0x11, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,  \
        0x22, 0x22
#define RECORD_TAIL 0x06, 0x66, 'S', 'H', 'A', '2', '5', '6', 0x02, 0x58, 0x20
#define ZEROS       0, 0, 0, 0, 0, 0, 0, 0

static const uint8_t record[] = {RECORD_HEAD, SIGNER, RECORD_TAIL, ZEROS, ZEROS, ZEROS, ZEROS};
_Static_assert(sizeof(record) == 91, "16 + 32 + 11 + 32");

static const struct ferry_boot_facts facts = {.signature = FERRY_BLINFO_ED25519,
                                              .recovery = FERRY_BLINFO_SERIAL_RECOVERY,
                                              .version = {1, 2, 0x0304, 0x05060708}};

/* Version 1.2.3, counter 0x0a0b0c0d, a boot record; loaded into a slot and booted. */
static void boot(const struct ferry_boot_strategy *strategy, uint32_t slot, bool with_tlvs)
{
    static struct place_image image;
    static const uint8_t counter[4] = {0x0d, 0x0c, 0x0b, 0x0a};
    const struct test_tlv tlvs[] = {{FERRY_TLV_SEC_CNT, 4, counter},
                                    {FERRY_TLV_BOOT_RECORD, sizeof(record), record}};
    bool ram = strategy->traits->mode == FERRY_MODE_RAM_LOAD;
    const struct test_image_spec spec = {.version = {1, 2, 3, 0},
                                         .key = TEST_KEY_NONE,
                                         .payload_size = 300,
                                         .header_size = 32,
                                         .flags = ram ? FERRY_IMAGE_RAM_LOAD : 0,
                                         .load_address = ram ? PLACE_RAM + 64 : 0,
                                         .protected_tlvs = tlvs,
                                         .protected_count = with_tlvs ? 2 : 0};

    place_init(&rig, strategy->traits, false);
    rig.image.strategy = strategy;
    image.size = (uint32_t)test_image_build(&spec, image.bytes, sizeof(image.bytes));
    assert_true(image.size > 0);
    place_load(&rig, slot, &image);
    place_power_up(&rig);
    assert_int_equal(ferry_boot_run(&rig.config, &rig.report), FERRY_OK);
}

/* header, record of image 0 (type 1 << 12 | 0 << 6 | 0x3f), its 59 bytes before the digest */
#define IAS                                                                                        \
    0x16, 0x20, 147, 0, /* magic, total */                                                         \
        0x3f, 0x10, 91, 0, RECORD_HEAD, SIGNER, RECORD_TAIL

static const uint8_t head[] = {IAS};
#define BLINFO(slot, mode)                                                                         \
    {                                                                                              \
        0x00, 0x20, 1, 0, mode,                                         /* mode */                 \
            0x01, 0x20, 1, 0, 3,                                        /* Ed25519 */              \
            0x02, 0x20, 1, 0, 1,                                        /* serial recovery */      \
            0x03, 0x20, 1, 0, slot,                                     /* running slot */         \
            0x04, 0x20, 8, 0, 1, 2, 0x04, 0x03, 0x08, 0x07, 0x06, 0x05, /* bootloader 1.2.772 */   \
            0x05, 0x20, 4, 0, 0xd8, 0x05, 0, 0,      /* largest image: 1536 less 40 */             \
            0x10, 0x20, 4, 0, 0x0d, 0x0c, 0x0b, 0x0a /* security counter */                        \
    }
static const uint8_t tail_xip[] = BLINFO(1, 4);
static const uint8_t tail_ram[] = BLINFO(1, 6);

static void expect_area(const uint8_t *area, const uint8_t *tail)
{
    assert_memory_equal(area, head, sizeof(head));
    assert_memory_equal(area + sizeof(head), rig.report.images[0].info.digest, 32);
    assert_memory_equal(area + sizeof(head) + 32, tail, sizeof(tail_xip));
    assert_int_equal(sizeof(head) + 32 + sizeof(tail_xip), 147);
    /* Nothing of what was there before is left behind it. */
    assert_int_equal(area[147], 0);
    assert_int_equal(area[199], 0);
}

static void test_the_area_is_the_formats_byte_for_byte(void **state)
{
    uint8_t area[200];

    (void)state;
    boot(&ferry_boot_direct_xip, 1, true);
    memset(area, 0xee, sizeof(area));
    assert_int_equal(ferry_boot_measure(&rig.config, &rig.report, &facts, area, sizeof(area)),
                     FERRY_OK);
    expect_area(area, tail_xip);
}

/* Of an image in RAM what is told is what was verified there. */
static void test_an_image_in_ram(void **state)
{
    uint8_t area[200];

    (void)state;
    boot(&ferry_boot_ram_load, 1, true);
    memset(rig.slot[1].memory, 0x5a, sizeof(rig.slot[1].memory));
    assert_int_equal(ferry_boot_measure(&rig.config, &rig.report, &facts, area, sizeof(area)),
                     FERRY_OK);
    expect_area(area, tail_ram);
}

/* An image without record and counter: BLINFO alone, as MCUboot does. */
static void test_an_image_without_a_record(void **state)
{
    uint8_t area[200];
    struct ferry_bytes found;
    uint32_t counter;

    (void)state;
    boot(&ferry_boot_single_slot, 0, false);
    assert_int_equal(ferry_boot_measure(&rig.config, &rig.report, &facts, area, sizeof(area)),
                     FERRY_OK);
    assert_int_equal(ferry_shared_data_find(area, sizeof(area), FERRY_SHARED_IAS,
                                            FERRY_SHARED_BOOT_RECORD, &found),
                     FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_shared_data_u32(area, sizeof(area), FERRY_BLINFO_COUNTER, &counter),
                     FERRY_E_NOT_FOUND);
    assert_memory_equal(area + 4, "\x00\x20\x01\x00\x00\x01\x20", 7);
}

/* In an area of any size what fits is there, whole, and nothing is written behind it. */
static void test_areas_of_every_size(void **state)
{
    (void)state;
    boot(&ferry_boot_direct_xip, 0, true);
    for (size_t cap = 0; cap < 200; cap++) {
        uint8_t area[201];
        struct ferry_bytes found;

        memset(area, 0xee, sizeof(area));
        int rc = ferry_boot_measure(&rig.config, &rig.report, &facts, area, cap);

        assert_int_equal(rc, cap < 147 ? FERRY_E_FULL : FERRY_OK);
        assert_true(ferry_all_equal(area + cap, sizeof(area) - cap, 0xee));
        if (cap >= FERRY_SHARED_HEADER) {
            assert_int_equal(ferry_shared_data_find(area, cap, 15, 0xfff, &found),
                             FERRY_E_NOT_FOUND);
        }
    }
}

/* ---- Entries --------------------------------------------------------------------------------- */

static void test_entries(void **state)
{
    uint8_t area[16];
    struct ferry_shared_data shared;
    struct ferry_bytes found;
    uint8_t value = 0;

    (void)state;
    assert_int_equal(ferry_shared_data_begin(&shared, area, 3), FERRY_E_FULL);
    assert_int_equal(ferry_shared_data_begin(&shared, area, sizeof(area)), FERRY_OK);
    assert_int_equal(ferry_shared_data_add(&shared, 2, 0, "\x03", 1), FERRY_OK);
    assert_int_equal(ferry_shared_data_add(&shared, 2, 0, "\x04", 1), FERRY_E_STATE);
    assert_int_equal(ferry_shared_data_add(&shared, 16, 0, "", 0), FERRY_E_RANGE);
    assert_int_equal(ferry_shared_data_add(&shared, 2, 0x1000, "", 0), FERRY_E_RANGE);
    assert_int_equal(ferry_shared_data_add(&shared, 2, 1, "abcd", 4), FERRY_E_FULL);
    assert_int_equal(ferry_shared_data_add(&shared, 1, 0x3f, "abc", 3), FERRY_OK);
    assert_int_equal(ferry_shared_data_u8(area, sizeof(area), 0, &value), FERRY_OK);
    assert_int_equal(value, 3);
    assert_int_equal(ferry_shared_data_find(area, sizeof(area), 1, 0x3f, &found), FERRY_OK);
    assert_int_equal(found.len, 3);
    assert_int_equal(ferry_shared_data_find(area, sizeof(area), 1, 0x3e, &found),
                     FERRY_E_NOT_FOUND);
}

/* Whatever stands in the area, the reader stays inside it. */
static void test_damaged_areas(void **state)
{
    uint8_t area[24] = {0x16, 0x20, 24, 0, 0x00, 0x20, 1,    0, 3, 0x05, 0x20, 4,
                        0,    1,    2,  3, 4,    0x10, 0x20, 3, 0, 1,    2,    3};
    struct ferry_bytes found;
    uint32_t value;

    (void)state;
    assert_int_equal(ferry_shared_data_u32(area, sizeof(area), 5, &value), FERRY_OK);
    assert_int_equal(value, 0x04030201);
    assert_int_equal(ferry_shared_data_u32(area, sizeof(area), 0x10, &value), FERRY_E_FORMAT);
    for (size_t i = 0; i < sizeof(area); i++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t was = area[i];

            area[i] = (uint8_t)byte;
            int rc = ferry_shared_data_find(area, sizeof(area), 2, 0x10, &found);
            if (rc == FERRY_OK) {
                assert_true(found.data >= area && found.len <= (size_t)(area + 24 - found.data));
            }
            area[i] = was;
        }
    }
    for (size_t cap = 0; cap < sizeof(area); cap++) {
        assert_int_not_equal(ferry_shared_data_find(area, cap, 2, 5, &found), FERRY_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_area_is_the_formats_byte_for_byte),
        cmocka_unit_test(test_an_image_in_ram),
        cmocka_unit_test(test_an_image_without_a_record),
        cmocka_unit_test(test_areas_of_every_size),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_damaged_areas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

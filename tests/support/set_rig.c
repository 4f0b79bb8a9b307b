/* SPDX-License-Identifier: Apache-2.0 */
/* A device with two images. */
#include "set_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR  256
#define SECTORS 8

static struct fault_area *area_of(struct set_rig *rig, uint32_t image, uint32_t slot)
{
    return &rig->chip.areas[(image == 0 ? FAULT_PRIMARY : FAULT_PRIMARY_2) + slot];
}

static void start_app(struct set_rig *rig)
{
    assert_int_equal(ferry_store_open(&rig->store, &rig->chip.areas[FAULT_STORE].flash), FERRY_OK);
    for (uint32_t i = 0; i < SET_IMAGES; i++) {
        rig->slots[i] = rig->images[i].slots;
    }
}

void set_rig_init(struct set_rig *rig, const struct ferry_boot_strategy *strategy)
{
    const struct fault_shape slot = {SECTORS, SECTOR, 8, 0xff};
    const struct fault_shape scratch = {1, SECTOR, 8, 0xff};
    const struct fault_shape store = {2, 1024, 8, 0xff};
    struct fault_shape shapes[FAULT_PLACES] = {
        [FAULT_PRIMARY] = slot,   [FAULT_SECONDARY] = slot,   [FAULT_SCRATCH] = scratch,
        [FAULT_PRIMARY_2] = slot, [FAULT_SECONDARY_2] = slot, [FAULT_STORE] = store};

    memset(rig, 0, sizeof(*rig));
    fault_chip_init(&rig->chip, shapes);
    for (uint8_t i = 0; i < SET_IMAGES; i++) {
        rig->images[i] =
            (struct ferry_boot_image){.slots = {.primary = &area_of(rig, i, 0)->flash,
                                                .secondary = &area_of(rig, i, 1)->flash,
                                                .scratch = &rig->chip.areas[FAULT_SCRATCH].flash,
                                                .strategy = strategy->traits,
                                                .state = ferry_slots_state_of(strategy->traits),
                                                .store = &rig->store,
                                                .max_align = 8,
                                                .max_sectors = SECTORS,
                                                .number = i},
                                      .strategy = strategy};
        set_rig_load(rig, i, 0, 1, (struct set_need){0, 0});
    }
    rig->config = (struct ferry_boot_config){.images = rig->images,
                                             .image_count = SET_IMAGES,
                                             .trust = test_trust_digest_only,
                                             .memory = &ferry_boot_in_store,
                                             .admission = &ferry_boot_by_policy,
                                             .set = &ferry_boot_as_one,
                                             .trials = 1,
                                             .buf = rig->buf,
                                             .buf_size = sizeof(rig->buf)};
    start_app(rig);
}

void set_rig_free(struct set_rig *rig)
{
    fault_chip_free(&rig->chip);
}

void set_rig_load(struct set_rig *rig, uint32_t image, uint32_t slot, uint8_t major,
                  struct set_need need)
{
    struct fault_area *area = area_of(rig, image, slot);
    const uint8_t dependency[12] = {need.image, 0, 0, 0, need.major};
    const struct test_tlv tlv = {FERRY_TLV_DEPENDENCY, sizeof(dependency), dependency};
    const struct test_image_spec spec = {.version = {.major = major},
                                         .key = TEST_KEY_NONE,
                                         .header_size = 32,
                                         .payload_size = 200 + 100 * image,
                                         .seed = (uint8_t)(17 * image + major),
                                         .protected_tlvs = &tlv,
                                         .protected_count = need.major > 0 ? 1 : 0};
    uint8_t bytes[1024];
    size_t size = test_image_build(&spec, bytes, sizeof(bytes));
    uint32_t at = slot == 0 ? 0 : ferry_slots_upload_offset(&rig->images[image].slots);

    assert_true(size > 0);
    fault_chip_erase(area, 0, area->flash.size);
    fault_chip_poke(area, at, bytes, (uint32_t)size);
}

void set_rig_upload(struct set_rig *rig)
{
    for (uint32_t i = 0; i < SET_IMAGES; i++) {
        set_rig_load(rig, i, 1, 2, (struct set_need){0, 0});
    }
}

void set_rig_spoil(struct set_rig *rig, uint32_t image, uint32_t slot)
{
    struct fault_area *area = area_of(rig, image, slot);
    struct ferry_flash_slice view;
    uint32_t offset = 0;
    uint8_t byte;

    assert_int_equal(ferry_slots_view(&rig->images[image].slots, slot, &view, &offset), FERRY_OK);
    byte = (uint8_t)(area->memory[offset + 100] ^ 1);
    fault_chip_poke(area, offset + 100, &byte, 1);
}

void set_rig_boot(struct set_rig *rig, int result, enum ferry_reset_cause cause)
{
    rig->chip.state.steps = 0;
    assert_int_equal(ferry_store_open(&rig->store, &rig->chip.areas[FAULT_STORE].flash), FERRY_OK);
    rig->config.cause = cause;
    assert_int_equal(ferry_boot_run(&rig->config, &rig->report), result);
    assert_int_equal(rig->chip.state.reprogrammed, 0);
    start_app(rig);
}

void set_rig_expect(const struct set_rig *rig, uint8_t first, uint8_t second, bool on_trial)
{
    const uint8_t majors[SET_IMAGES] = {first, second};

    for (uint32_t i = 0; i < SET_IMAGES; i++) {
        const struct ferry_boot_image_report *image = &rig->report.images[i];

        assert_int_equal(image->info.header.version.major, majors[i]);
        assert_int_equal(image->next, on_trial ? FERRY_SWAP_REVERT : FERRY_SWAP_NONE);
        assert_int_not_equal(image->action, FERRY_BOOT_STOPPED);
    }
}

void set_rig_expect_report(const struct set_rig *rig, uint32_t image, enum ferry_boot_action action,
                           int reason)
{
    assert_int_equal(rig->report.images[image].action, action);
    assert_int_equal(rig->report.images[image].reason, reason);
}

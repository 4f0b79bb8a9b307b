/* SPDX-License-Identifier: Apache-2.0 */
/* A device for the tests of what is on flash between updates. */
#include "rest_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void init_flash(struct rest_rig *rig, struct ferry_flash_ram *ram, uint8_t *bytes,
                       uint32_t sectors, uint32_t merged)
{
    uint32_t unit = merged != 0 ? merged : 1;

    memset(bytes, rig->format.erased, REST_BYTES);
    ram->flash = (struct ferry_flash){.size = sectors * REST_SECTOR,
                                      .write_size = (uint8_t)rig->format.write_size,
                                      .erased_value = rig->format.erased,
                                      .run_count = 1,
                                      .runs = {{sectors / unit, unit * REST_SECTOR}}};
    assert_int_equal(ferry_flash_ram_init(ram, bytes), FERRY_OK);
}

/* An image of about size bytes, at most; extra: bytes of one more unprotected TLV. */
void rest_make_image(struct rest_image *image, uint8_t major, uint32_t size, uint16_t extra)
{
    static const uint8_t filler[64] = {0x5a};
    const struct test_tlv tlv = {0x0f, extra, filler}; /* a type nobody knows: ignored */

    image->tlvs = 4 + 36 + (extra != 0 ? 4U + extra : 0);

    /* The flag says nothing to the strategies that do not load into RAM. */
    struct test_image_spec spec = {.version = {.major = major},
                                   .flags = FERRY_IMAGE_RAM_LOAD,
                                   .load_address = REST_RAM,
                                   .key = TEST_KEY_NONE,
                                   .header_size = 32,
                                   .payload_size = size - 32 - image->tlvs,
                                   .unprotected_tlvs = &tlv,
                                   .unprotected_count = extra != 0 ? 1 : 0};

    image->size = (uint32_t)test_image_build(&spec, image->bytes, sizeof(image->bytes));
    assert_int_equal(image->size, size);
}

struct rest_rig *rest_rig_new(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->subject = subject;
    rig->format = *format;
    rig->format.status = subject->status;
    rig->format.tlv_sizes = subject->offset;
    rig->format.max_sectors = REST_N;
    init_flash(rig, &rig->primary, rig->primary_bytes, REST_PRIMARY, 0);
    init_flash(rig, &rig->secondary, rig->secondary_bytes, subject->secondary, subject->merged);
    if (subject->scratch != 0) {
        init_flash(rig, &rig->scratch, rig->scratch_bytes, subject->scratch, 0);
    }
    rig->boot = (struct ferry_boot_image){
        .slots = {.primary = &rig->primary.flash,
                  .secondary =
                      subject->strategy->traits->slot_count == 2 ? &rig->secondary.flash : NULL,
                  .strategy = subject->strategy->traits,
                  .state = ferry_slots_state_of(subject->strategy->traits),
                  .max_align = format->max_align,
                  .max_sectors = REST_N,
                  .scratch = subject->scratch != 0 ? &rig->scratch.flash : NULL},
        .strategy = subject->strategy,
        .ram = &rig->ram};
    rig->ram = (struct ferry_boot_ram){rig->ram_bytes, REST_RAM, sizeof(rig->ram_bytes)};
    rest_make_image(&rig->old, 1, 1000, 0);
    rest_make_image(&rig->new, 2, 1900, 10);
    return rig;
}

/* ---- Every format -------------------------------------------------------------------- */

/* Call walk for each subject in each alignment, write size and erased value. */
void rest_everywhere(const struct rest_subject *subjects, size_t count,
                     void (*walk)(const struct rest_subject *, const struct rest_format *))
{
    static const uint8_t erased[] = {0xff, 0x00};
    uint32_t formats = 0;

    for (uint32_t align = 8; align <= 32; align *= 2) {
        for (uint32_t write_size = 1; write_size <= align; write_size *= 2) {
            for (size_t e = 0; e < REST_COUNT(erased); e++) {
                const struct rest_format format = {
                    .max_align = align, .write_size = write_size, .erased = erased[e]};

                for (size_t i = 0; i < count; i++) {
                    walk(&subjects[i], &format);
                }
                formats++;
            }
        }
    }
    assert_int_equal(formats, 2 * (4 + 5 + 6));
}

/* ---- Steps --------------------------------------------------------------------------- */

void rest_put_images(struct rest_rig *rig, const struct rest_image *primary,
                     const struct rest_image *secondary, uint32_t secondary_at)
{
    memset(rig->primary_bytes, rig->format.erased, REST_BYTES);
    memset(rig->secondary_bytes, rig->format.erased, REST_BYTES);
    memcpy(rig->primary_bytes, primary->bytes, primary->size);
    memcpy(rig->secondary_bytes + secondary_at, secondary->bytes, secondary->size);
}

void rest_put_fields(const struct rest_rig *rig, const struct ferry_flash_ram *slot,
                     const struct rest_fields *fields)
{
    uint32_t size = rest_fields_size(&rig->format);

    rest_write(&rig->format, fields, slot->memory + slot->flash.size - size, size);
}

void rest_set_pending(struct rest_rig *rig, bool permanent)
{
    assert_int_equal(ferry_slots_set_pending(&rig->boot.slots, permanent), FERRY_OK);
}

void rest_boot_any(struct rest_rig *rig)
{
    uint8_t buf[256];
    const struct ferry_boot_config config = {.images = &rig->boot,
                                             .memory = &ferry_boot_in_store,
                                             .admission = &ferry_boot_by_policy,
                                             .image_count = 1,
                                             .trust = test_trust_digest_only,
                                             .buf = buf,
                                             .buf_size = sizeof(buf)};

    assert_int_equal(ferry_boot_run(&config, &rig->report), FERRY_OK);
    rig->boot.slots.active = rig->report.images[0].slot;
}

void rest_boot(struct rest_rig *rig, enum ferry_boot_action action)
{
    rest_boot_any(rig);
    assert_string_equal(ferry_boot_action_name(rig->report.images[0].action),
                        ferry_boot_action_name(action));
}

void rest_save(struct rest_rig *rig)
{
    memcpy(rig->saved[0], rig->primary_bytes, REST_BYTES);
    memcpy(rig->saved[1], rig->secondary_bytes, REST_BYTES);
}

void rest_restore(struct rest_rig *rig)
{
    memcpy(rig->primary_bytes, rig->saved[0], REST_BYTES);
    memcpy(rig->secondary_bytes, rig->saved[1], REST_BYTES);
}

/* ---- Expectations -------------------------------------------------------------------- */

void rest_expect_saved(const struct rest_rig *rig)
{
    assert_memory_equal(rig->primary_bytes, rig->saved[0], REST_BYTES);
    assert_memory_equal(rig->secondary_bytes, rig->saved[1], REST_BYTES);
}

void rest_expect_image(const uint8_t *slot, uint32_t at, const struct rest_image *image)
{
    assert_memory_equal(slot + at, image->bytes, image->size);
}

/* The fields at the end of a slot, but for those an image reaches into. */
void rest_expect_fields(const struct rest_rig *rig, const struct ferry_flash_ram *slot,
                        const struct rest_fields *fields, uint32_t image_end)
{
    uint8_t expected[REST_BYTES];
    uint32_t size = rest_fields_size(&rig->format);

    if (image_end + size > slot->flash.size) {
        size = slot->flash.size - image_end;
    }
    rest_write(&rig->format, fields, expected, size);
    assert_memory_equal(slot->bytes + slot->flash.size - size, expected, size);
}

void rest_expect_erased(const struct rest_rig *rig, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        assert_int_equal(bytes[i], rig->format.erased);
    }
}

const struct rest_fields rest_untouched = {.magic = false};

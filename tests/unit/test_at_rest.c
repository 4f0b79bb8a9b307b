/* SPDX-License-Identifier: Apache-2.0 */
/* At rest Ferry and MCUboot agree, byte for byte: trailers, and where the images are. A device
 * may go from one bootloader to the other between updates. [mcuboot-format.md §2.6]
 *
 * What is expected is computed by support/mcuboot_rest.c, which also says what is exempt. */
#include "mcuboot_rest.h"
#include "test_image.h"

#include "ferry/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR  512U
#define PRIMARY 12U /* sectors */
#define MOST    13U
#define N       16U
#define BYTES   (MOST * SECTOR)

/* ---- What is tested --------------------------------------------------------------------- */

struct subject {
    const struct ferry_boot_strategy *strategy;
    enum rest_status status;
    uint32_t secondary; /* sectors */
    uint32_t scratch;   /* sectors, or 0 */
    bool offset;        /* the format of swap-offset builds, uploads go to sector 1 */
};

static const struct subject swaps[] = {
    {&ferry_boot_swap_move, REST_STATUS_MOVE, PRIMARY, 0, false},
};

static const struct subject overwrites[] = {
    {&ferry_boot_overwrite, REST_STATUS_NONE, PRIMARY, 0, false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct image {
    uint8_t bytes[BYTES];
    uint32_t size;
    uint32_t tlvs; /* bytes of the unprotected area */
};

struct rig {
    const struct subject *subject;
    struct rest_format format;
    struct ferry_flash_ram primary, secondary, scratch;
    uint8_t primary_bytes[BYTES], secondary_bytes[BYTES], scratch_bytes[BYTES];
    uint8_t saved[2][BYTES];
    struct ferry_boot_image boot;
    struct ferry_boot_report report;
    struct image old, new;
};

static void init_flash(struct rig *rig, struct ferry_flash_ram *ram, uint8_t *bytes,
                       uint32_t sectors)
{
    memset(bytes, rig->format.erased, BYTES);
    ram->flash = (struct ferry_flash){.size = sectors * SECTOR,
                                      .write_size = (uint8_t)rig->format.write_size,
                                      .erased_value = rig->format.erased,
                                      .run_count = 1,
                                      .runs = {{sectors, SECTOR}}};
    assert_int_equal(ferry_flash_ram_init(ram, bytes), FERRY_OK);
}

/* An image of about size bytes, at most; extra: bytes of one more unprotected TLV. */
static void make_image(struct image *image, uint8_t major, uint32_t size, uint16_t extra)
{
    static const uint8_t filler[64] = {0x5a};
    const struct test_tlv tlv = {0x0f, extra, filler}; /* a type nobody knows: ignored */

    image->tlvs = 4 + 36 + (extra != 0 ? 4U + extra : 0);

    struct test_image_spec spec = {.version = {.major = major},
                                   .key = TEST_KEY_NONE,
                                   .header_size = 32,
                                   .payload_size = size - 32 - image->tlvs,
                                   .unprotected_tlvs = &tlv,
                                   .unprotected_count = extra != 0 ? 1 : 0};

    image->size = (uint32_t)test_image_build(&spec, image->bytes, sizeof(image->bytes));
    assert_int_equal(image->size, size);
}

static struct rig *rig_new(const struct subject *subject, const struct rest_format *format)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->subject = subject;
    rig->format = *format;
    rig->format.status = subject->status;
    rig->format.tlv_sizes = subject->offset;
    rig->format.max_sectors = N;
    init_flash(rig, &rig->primary, rig->primary_bytes, PRIMARY);
    init_flash(rig, &rig->secondary, rig->secondary_bytes, subject->secondary);
    if (subject->scratch != 0) {
        init_flash(rig, &rig->scratch, rig->scratch_bytes, subject->scratch);
    }
    rig->boot = (struct ferry_boot_image){
        .slots = {.primary = &rig->primary.flash,
                  .secondary = &rig->secondary.flash,
                  .strategy = subject->strategy->traits,
                  .max_align = format->max_align,
                  .max_sectors = N,
                  .scratch = subject->scratch != 0 ? &rig->scratch.flash : NULL},
        .strategy = subject->strategy};
    make_image(&rig->old, 1, 1000, 0);
    make_image(&rig->new, 2, 1900, 10);
    return rig;
}

/* ---- Every format -------------------------------------------------------------------------- */

/* Call walk for each subject in each alignment, write size and erased value. */
static void everywhere(const struct subject *subjects, size_t count,
                       void (*walk)(const struct subject *, const struct rest_format *))
{
    static const uint8_t erased[] = {0xff, 0x00};
    uint32_t formats = 0;

    for (uint32_t align = 8; align <= 32; align *= 2) {
        for (uint32_t write_size = 1; write_size <= align; write_size *= 2) {
            for (size_t e = 0; e < COUNT(erased); e++) {
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

/* ---- Steps ------------------------------------------------------------------------------------
 */

/* Offset of an uploaded image in the secondary. */
static uint32_t upload_at(const struct rig *rig)
{
    return rig->subject->offset ? SECTOR : 0;
}

static void put_images(struct rig *rig, const struct image *primary, const struct image *secondary,
                       uint32_t secondary_at)
{
    memset(rig->primary_bytes, rig->format.erased, BYTES);
    memset(rig->secondary_bytes, rig->format.erased, BYTES);
    memcpy(rig->primary_bytes, primary->bytes, primary->size);
    memcpy(rig->secondary_bytes + secondary_at, secondary->bytes, secondary->size);
}

static void put_fields(const struct rig *rig, const struct ferry_flash_ram *slot,
                       const struct rest_fields *fields)
{
    uint32_t size = rest_fields_size(&rig->format);

    rest_write(&rig->format, fields, slot->memory + slot->flash.size - size, size);
}

static void set_pending(struct rig *rig, bool permanent)
{
    assert_int_equal(ferry_slots_set_pending(&rig->boot.slots, permanent), FERRY_OK);
}

static void boot(struct rig *rig, enum ferry_boot_action action)
{
    uint8_t buf[256];
    const struct ferry_boot_config config = {.images = &rig->boot,
                                             .image_count = 1,
                                             .trust = test_trust_digest_only,
                                             .buf = buf,
                                             .buf_size = sizeof(buf)};

    assert_int_equal(ferry_boot_run(&config, &rig->report), FERRY_OK);
    assert_string_equal(ferry_boot_action_name(rig->report.images[0].action),
                        ferry_boot_action_name(action));
}

static void save(struct rig *rig)
{
    memcpy(rig->saved[0], rig->primary_bytes, BYTES);
    memcpy(rig->saved[1], rig->secondary_bytes, BYTES);
}

static void restore(struct rig *rig)
{
    memcpy(rig->primary_bytes, rig->saved[0], BYTES);
    memcpy(rig->secondary_bytes, rig->saved[1], BYTES);
}

/* ---- Expectations --------------------------------------------------------------------------- */

static void expect_image(const uint8_t *slot, uint32_t at, const struct image *image)
{
    assert_memory_equal(slot + at, image->bytes, image->size);
}

/* The fields at the end of a slot, but for those an image reaches into. */
static void expect_fields(const struct rig *rig, const struct ferry_flash_ram *slot,
                          const struct rest_fields *fields, uint32_t image_end)
{
    uint8_t expected[BYTES];
    uint32_t size = rest_fields_size(&rig->format);

    if (image_end + size > slot->flash.size) {
        size = slot->flash.size - image_end;
    }
    rest_write(&rig->format, fields, expected, size);
    assert_memory_equal(slot->bytes + slot->flash.size - size, expected, size);
}

static void expect_erased(const struct rig *rig, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        assert_int_equal(bytes[i], rig->format.erased);
    }
}

static const struct rest_fields untouched = {.magic = false};

/* Both trailers and both images, the secondary's at an offset. */
static void expect_rest(const struct rig *rig, const struct rest_fields *primary,
                        const struct rest_fields *secondary, const struct image *in_primary,
                        const struct image *in_secondary, uint32_t secondary_at)
{
    expect_image(rig->primary_bytes, 0, in_primary);
    expect_fields(rig, &rig->primary, primary, in_primary->size);
    expect_image(rig->secondary_bytes, secondary_at, in_secondary);
    expect_fields(rig, &rig->secondary, secondary, secondary_at + in_secondary->size);
    /* What MCUboot takes for an interrupted swap. */
    if (rig->subject->scratch != 0) {
        uint8_t magic[16];
        uint32_t size = rig->subject->scratch * SECTOR;

        rest_write(&rig->format, &(struct rest_fields){.magic = true}, magic, 16);
        assert_memory_not_equal(rig->scratch_bytes + size - 16, magic, 16);
    }
}

/* What MCUboot writes for a request, and at a swap's end: its sizes count what is swapped. */
static struct rest_fields request(bool permanent)
{
    return (struct rest_fields){
        .magic = true, .image_ok = permanent, .swap_info = permanent ? REST_PERM : REST_TEST};
}

static struct rest_fields swapped(const struct rig *rig, enum rest_type type,
                                  const struct image *was_primary,
                                  const struct image *was_secondary)
{
    bool larger = was_primary->size > was_secondary->size;

    return (struct rest_fields){
        .magic = true,
        .image_ok = type != REST_TEST,
        .copy_done = true,
        .swap_info = (uint8_t)type,
        .swap_size = larger ? was_primary->size : was_secondary->size,
        .tlv_sizes = rig->subject->offset ? was_secondary->tlvs << 16 | was_primary->tlvs : 0};
}

/* ---- Strategies that swap ------------------------------------------------------------------- */

/* Every rest of an update's life, from the factory on. */
static void walk_life(struct rig *rig)
{
    uint32_t upload = upload_at(rig);
    struct rest_fields asked = request(false);
    struct rest_fields done = swapped(rig, REST_TEST, &rig->old, &rig->new);

    put_images(rig, &rig->old, &rig->new, upload);
    set_pending(rig, false);
    expect_rest(rig, &untouched, &asked, &rig->old, &rig->new, upload);
    boot(rig, FERRY_BOOT_TESTING);
    expect_rest(rig, &done, &untouched, &rig->new, &rig->old, 0);
    save(rig);

    /* Confirmed. */
    assert_int_equal(ferry_slots_confirm(&rig->boot.slots), FERRY_OK);
    done.image_ok = true;
    expect_rest(rig, &done, &untouched, &rig->new, &rig->old, 0);
    boot(rig, FERRY_BOOT_RAN);
    expect_rest(rig, &done, &untouched, &rig->new, &rig->old, 0);

    /* Reverted instead. */
    restore(rig);
    boot(rig, FERRY_BOOT_REVERTED);
    done = swapped(rig, REST_REVERT, &rig->new, &rig->old);
    expect_rest(rig, &done, &untouched, &rig->old, &rig->new, upload);
    if (upload != 0) {
        expect_erased(rig, rig->secondary_bytes, upload);
    }
    boot(rig, FERRY_BOOT_RAN);
    expect_rest(rig, &done, &untouched, &rig->old, &rig->new, upload);

    /* The same image once more, for good. */
    set_pending(rig, true);
    asked = request(true);
    expect_rest(rig, &done, &asked, &rig->old, &rig->new, upload);
    boot(rig, FERRY_BOOT_UPGRADED);
    done = swapped(rig, REST_PERM, &rig->old, &rig->new);
    expect_rest(rig, &done, &untouched, &rig->new, &rig->old, 0);
}

static void walk_swap(const struct subject *subject, const struct rest_format *format)
{
    struct rig *rig = rig_new(subject, format);

    walk_life(rig);
    free(rig);
}

static void swaps_at_rest(void **state)
{
    (void)state;
    everywhere(swaps, COUNT(swaps), walk_swap);
}

/* Images as large as they may be: the new one, then the old one. */
static void walk_largest(const struct subject *subject, const struct rest_format *format)
{
    struct rig *rig = rig_new(subject, format);
    uint32_t largest = ferry_slots_max_image(&rig->boot.slots);

    make_image(&rig->new, 2, largest, 10);
    walk_life(rig);
    memset(rig->scratch_bytes, rig->format.erased, BYTES);
    make_image(&rig->new, 2, 1900, 10);
    make_image(&rig->old, 1, largest, 0);
    walk_life(rig);
    free(rig);
}

static void largest_images_at_rest(void **state)
{
    (void)state;
    everywhere(swaps, COUNT(swaps), walk_largest);
}

/* ---- overwrite ---------------------------------------------------------------------------------
 */

/* MCUboot's own two builds differ: OVERWRITE_ONLY copies the whole slot, the request's trailer with
 * it, the FAST one writes a magic alone. Both mean nothing to the next boot. Ferry leaves no
 * trailer, which means the same and saves an erase; it takes over what either has left. */
static void walk_overwrite(const struct subject *subject, const struct rest_format *format)
{
    for (int permanent = 0; permanent < 2; permanent++) {
        struct rig *rig = rig_new(subject, format);
        const struct rest_fields asked = request(permanent != 0);

        put_images(rig, &rig->old, &rig->new, 0);
        set_pending(rig, permanent != 0);
        expect_rest(rig, &untouched, &asked, &rig->old, &rig->new, 0);
        boot(rig, FERRY_BOOT_UPGRADED);
        expect_image(rig->primary_bytes, 0, &rig->new);
        expect_fields(rig, &rig->primary, &untouched, rig->new.size);
        /* Header and trailer of the secondary are erased. */
        expect_fields(rig, &rig->secondary, &untouched, 0);
        expect_erased(rig, rig->secondary_bytes, SECTOR);
        free(rig);
    }
}

static void overwrite_at_rest(void **state)
{
    (void)state;
    everywhere(overwrites, COUNT(overwrites), walk_overwrite);
}

static void walk_overwritten(const struct subject *subject, const struct rest_format *format)
{
    const struct rest_fields left[] = {request(false), request(true), {.magic = true}};

    for (size_t i = 0; i < COUNT(left); i++) {
        struct rig *rig = rig_new(subject, format);
        const struct image nothing = {.size = 0};

        put_images(rig, &rig->new, &nothing, 0);
        put_fields(rig, &rig->primary, &left[i]);
        save(rig);
        boot(rig, FERRY_BOOT_RAN);
        assert_memory_equal(rig->primary_bytes, rig->saved[0], BYTES);
        assert_memory_equal(rig->secondary_bytes, rig->saved[1], BYTES);
        /* And the next update. */
        memcpy(rig->secondary_bytes, rig->old.bytes, rig->old.size);
        set_pending(rig, false);
        boot(rig, FERRY_BOOT_UPGRADED);
        expect_image(rig->primary_bytes, 0, &rig->old);
        expect_fields(rig, &rig->primary, &untouched, rig->old.size);
        free(rig);
    }
}

static void overwrites_of_mcuboot_are_taken_over(void **state)
{
    (void)state;
    everywhere(overwrites, COUNT(overwrites), walk_overwritten);
}

/* ---- The other way: what MCUboot wrote is understood ------------------------------------------
 */

static struct rest_fields fields_of(uint32_t bits)
{
    return (struct rest_fields){
        .magic = (bits & 1) != 0, .image_ok = (bits & 2) != 0, .copy_done = (bits & 4) != 0};
}

/* Every row of the table of swap types, its wildcards written out: each field erased or set. A
 * half-written one is no rest. */
static void walk_types(const struct subject *subject, const struct rest_format *format)
{
    struct rig *rig = rig_new(subject, format);
    uint32_t found[5] = {0};

    for (uint32_t bits = 0; bits < 64; bits++) {
        const struct rest_fields primary = fields_of(bits & 7);
        const struct rest_fields secondary = fields_of(bits >> 3);
        enum rest_type expected = rest_type_of(&primary, &secondary, subject->offset);
        enum ferry_swap_type type;

        if (expected == REST_REVERT && !subject->strategy->traits->reverts) {
            expected = REST_NONE;
        }
        put_images(rig, &rig->old, &rig->new, upload_at(rig));
        put_fields(rig, &rig->primary, &primary);
        put_fields(rig, &rig->secondary, &secondary);
        assert_int_equal(ferry_slots_swap_type(&rig->boot.slots, &type), FERRY_OK);
        assert_int_equal((int)type, (int)expected);
        found[expected]++;
    }
    assert_true(found[REST_NONE] > 0 && found[REST_TEST] > 0 && found[REST_PERM] > 0);
    assert_true((found[REST_REVERT] > 0) == subject->strategy->traits->reverts);
    free(rig);
}

static void swap_types_of_mcuboot(void **state)
{
    (void)state;
    everywhere(swaps, COUNT(swaps), walk_types);
    everywhere(overwrites, COUNT(overwrites), walk_types);
}

/* A device on which MCUboot did the update, its status entries included, gets Ferry. */
static void put_swapped(struct rig *rig, const struct rest_fields *fields)
{
    uint32_t size = rest_trailer_size(&rig->format);
    uint8_t *trailer = rig->primary_bytes + rig->primary.flash.size - size;

    put_images(rig, &rig->new, &rig->old, 0);
    rest_write(&rig->format, fields, trailer, size);
    rest_write_status(&rig->format, (rig->new.size + SECTOR - 1) / SECTOR, trailer);
}

static void walk_handover(const struct subject *subject, const struct rest_format *format)
{
    struct rig *rig = rig_new(subject, format);
    struct rest_fields done = swapped(rig, REST_TEST, &rig->old, &rig->new);

    /* On trial: Ferry reverts. */
    put_swapped(rig, &done);
    boot(rig, FERRY_BOOT_REVERTED);
    done = swapped(rig, REST_REVERT, &rig->new, &rig->old);
    expect_rest(rig, &done, &untouched, &rig->old, &rig->new, upload_at(rig));

    /* Confirmed, for good, reverted: Ferry leaves every byte alone. */
    for (enum rest_type type = REST_TEST; type <= REST_REVERT; type++) {
        done = swapped(rig, type, &rig->old, &rig->new);
        done.image_ok = true;
        put_swapped(rig, &done);
        save(rig);
        boot(rig, FERRY_BOOT_RAN);
        assert_memory_equal(rig->primary_bytes, rig->saved[0], BYTES);
        assert_memory_equal(rig->secondary_bytes, rig->saved[1], BYTES);
    }
    free(rig);
}

static void updates_of_mcuboot_are_taken_over(void **state)
{
    (void)state;
    everywhere(swaps, COUNT(swaps), walk_handover);
}

/* A slot that imgtool padded has the magic, and image_ok with --confirm, but no swap_info. */
static void walk_padded(const struct subject *subject, const struct rest_format *format)
{
    for (int permanent = 0; permanent < 2; permanent++) {
        struct rig *rig = rig_new(subject, format);
        const struct rest_fields fields = {.magic = true, .image_ok = permanent != 0};
        bool test = permanent == 0 && subject->strategy->traits->reverts;

        put_images(rig, &rig->old, &rig->new, upload_at(rig));
        put_fields(rig, &rig->secondary, &fields);
        boot(rig, test ? FERRY_BOOT_TESTING : FERRY_BOOT_UPGRADED);
        if (subject->strategy->traits->keeps_old) {
            const struct rest_fields done =
                swapped(rig, test ? REST_TEST : REST_PERM, &rig->old, &rig->new);

            expect_rest(rig, &done, &untouched, &rig->new, &rig->old, 0);
        }
        free(rig);
    }
}

static void padded_images_are_requests(void **state)
{
    (void)state;
    everywhere(swaps, COUNT(swaps), walk_padded);
    everywhere(overwrites, COUNT(overwrites), walk_padded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swaps_at_rest),
        cmocka_unit_test(largest_images_at_rest),
        cmocka_unit_test(overwrite_at_rest),
        cmocka_unit_test(overwrites_of_mcuboot_are_taken_over),
        cmocka_unit_test(swap_types_of_mcuboot),
        cmocka_unit_test(updates_of_mcuboot_are_taken_over),
        cmocka_unit_test(padded_images_are_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

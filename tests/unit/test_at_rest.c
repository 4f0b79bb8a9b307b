/* SPDX-License-Identifier: Apache-2.0 */
/* At rest Ferry and MCUboot agree, byte for byte: trailers, and where the images are. A device
 * may go from one bootloader to the other between updates. [mcuboot-format.md §2.6]
 *
 * What is expected is computed by support/mcuboot_rest.c, which also says what is exempt. */
#include "rest_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* swap-shift is not MCUboot's, but speaks of itself as swap-move: its trailers are that one's. */
static const struct rest_subject swaps[] = {
    {&ferry_boot_swap_scratch, REST_STATUS_SCRATCH, REST_PRIMARY, 0, 1, false, 0, 0},
    {&ferry_boot_swap_scratch, REST_STATUS_SCRATCH, REST_PRIMARY, 0, 2, false, 0, 0},
    {&ferry_boot_swap_scratch, REST_STATUS_SCRATCH, REST_PRIMARY, 2, 3, false, 0, 0},
    {&ferry_boot_swap_move, REST_STATUS_MOVE, REST_PRIMARY, 0, 0, false, 0, 0},
    {&ferry_boot_swap_move, REST_STATUS_MOVE, REST_PRIMARY - 1, 0, 0, false, 0, 0},
    {&ferry_boot_swap_offset, REST_STATUS_OFFSET, REST_PRIMARY, 0, 0, true, REST_SECTOR, 0},
    {&ferry_boot_swap_offset, REST_STATUS_OFFSET, REST_PRIMARY + 1, 0, 0, true, REST_SECTOR, 0},
    {&ferry_boot_swap_shift, REST_STATUS_OFFSET, REST_PRIMARY, 0, 0, false, 0, REST_SECTOR},
    {&ferry_boot_swap_shift, REST_STATUS_OFFSET, REST_PRIMARY + 1, 0, 0, false, 0, REST_SECTOR},
};

static const struct rest_subject overwrites[] = {
    {&ferry_boot_overwrite, REST_STATUS_NONE, REST_PRIMARY, 0, 0, false, 0, 0},
};

/* ---- Expectations -------------------------------------------------------------------- */

/* Both trailers and both images, the secondary's at an offset. */
static void expect_rest(const struct rest_rig *rig, const struct rest_fields *primary,
                        const struct rest_fields *secondary, const struct rest_image *in_primary,
                        const struct rest_image *in_secondary, uint32_t secondary_at)
{
    rest_expect_image(rig->primary_bytes, 0, in_primary);
    rest_expect_fields(rig, &rig->primary, primary, in_primary->size);
    rest_expect_image(rig->secondary_bytes, secondary_at, in_secondary);
    rest_expect_fields(rig, &rig->secondary, secondary, secondary_at + in_secondary->size);
    /* What MCUboot takes for an interrupted swap. */
    if (rig->subject->scratch != 0) {
        uint8_t magic[16];
        uint32_t size = rig->subject->scratch * REST_SECTOR;

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

static struct rest_fields swapped(const struct rest_rig *rig, enum rest_type type,
                                  const struct rest_image *was_primary,
                                  const struct rest_image *was_secondary)
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
static void walk_life(struct rest_rig *rig)
{
    uint32_t upload = rig->subject->upload;
    uint32_t old = rig->subject->old;
    struct rest_fields asked = request(false);
    struct rest_fields done = swapped(rig, REST_TEST, &rig->old, &rig->new);

    rest_put_images(rig, &rig->old, &rig->new, upload);
    rest_set_pending(rig, false);
    expect_rest(rig, &rest_untouched, &asked, &rig->old, &rig->new, upload);
    rest_boot(rig, FERRY_BOOT_TESTING);
    expect_rest(rig, &done, &rest_untouched, &rig->new, &rig->old, old);
    /* No header stands where an upload begins, or the other way round. */
    rest_expect_erased(rig, rig->secondary_bytes, old);
    rest_save(rig);

    /* Confirmed. */
    assert_int_equal(ferry_slots_confirm(&rig->boot.slots), FERRY_OK);
    done.image_ok = true;
    expect_rest(rig, &done, &rest_untouched, &rig->new, &rig->old, old);
    rest_boot(rig, FERRY_BOOT_RAN);
    expect_rest(rig, &done, &rest_untouched, &rig->new, &rig->old, old);

    /* Reverted instead. */
    rest_restore(rig);
    rest_boot(rig, FERRY_BOOT_REVERTED);
    done = swapped(rig, REST_REVERT, &rig->new, &rig->old);
    expect_rest(rig, &done, &rest_untouched, &rig->old, &rig->new, upload);
    if (upload != 0) {
        rest_expect_erased(rig, rig->secondary_bytes, upload);
    }
    rest_boot(rig, FERRY_BOOT_RAN);
    expect_rest(rig, &done, &rest_untouched, &rig->old, &rig->new, upload);

    /* The same image once more, for good. */
    rest_set_pending(rig, true);
    asked = request(true);
    expect_rest(rig, &done, &asked, &rig->old, &rig->new, upload);
    rest_boot(rig, FERRY_BOOT_UPGRADED);
    done = swapped(rig, REST_PERM, &rig->old, &rig->new);
    expect_rest(rig, &done, &rest_untouched, &rig->new, &rig->old, old);
}

static void walk_swap(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = rest_rig_new(subject, format);

    walk_life(rig);
    free(rig);
}

static void swaps_at_rest(void **state)
{
    (void)state;
    rest_everywhere(swaps, REST_COUNT(swaps), walk_swap);
}

/* Images as large as they may be: the new one, then the old one. */
static void walk_largest(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = rest_rig_new(subject, format);
    uint32_t largest = ferry_slots_max_image(&rig->boot.slots);

    rest_make_image(&rig->new, 2, largest, 10);
    walk_life(rig);
    memset(rig->scratch_bytes, rig->format.erased, REST_BYTES);
    rest_make_image(&rig->new, 2, 1900, 10);
    rest_make_image(&rig->old, 1, largest, 0);
    walk_life(rig);
    free(rig);
}

static void largest_images_at_rest(void **state)
{
    (void)state;
    rest_everywhere(swaps, REST_COUNT(swaps), walk_largest);
}

/* ---- overwrite ---------------------------------------------------------------------- */

/* MCUboot's own two builds differ: OVERWRITE_ONLY copies the whole slot, the request's trailer with
 * it, the FAST one writes a magic alone. Both mean nothing to the next boot. Ferry leaves no
 * trailer, which means the same and saves an erase; it takes over what either has left. */
static void walk_overwrite(const struct rest_subject *subject, const struct rest_format *format)
{
    for (int permanent = 0; permanent < 2; permanent++) {
        struct rest_rig *rig = rest_rig_new(subject, format);
        const struct rest_fields asked = request(permanent != 0);

        rest_put_images(rig, &rig->old, &rig->new, 0);
        rest_set_pending(rig, permanent != 0);
        expect_rest(rig, &rest_untouched, &asked, &rig->old, &rig->new, 0);
        rest_boot(rig, FERRY_BOOT_UPGRADED);
        rest_expect_image(rig->primary_bytes, 0, &rig->new);
        rest_expect_fields(rig, &rig->primary, &rest_untouched, rig->new.size);
        /* Header and trailer of the secondary are erased. */
        rest_expect_fields(rig, &rig->secondary, &rest_untouched, 0);
        rest_expect_erased(rig, rig->secondary_bytes, REST_SECTOR);
        free(rig);
    }
}

static void overwrite_at_rest(void **state)
{
    (void)state;
    rest_everywhere(overwrites, REST_COUNT(overwrites), walk_overwrite);
}

static void walk_overwritten(const struct rest_subject *subject, const struct rest_format *format)
{
    const struct rest_fields left[] = {request(false), request(true), {.magic = true}};

    for (size_t i = 0; i < REST_COUNT(left); i++) {
        struct rest_rig *rig = rest_rig_new(subject, format);
        const struct rest_image nothing = {.size = 0};

        rest_put_images(rig, &rig->new, &nothing, 0);
        rest_put_fields(rig, &rig->primary, &left[i]);
        rest_save(rig);
        rest_boot(rig, FERRY_BOOT_RAN);
        rest_expect_saved(rig);
        /* And the next update. */
        memcpy(rig->secondary_bytes, rig->old.bytes, rig->old.size);
        rest_set_pending(rig, false);
        rest_boot(rig, FERRY_BOOT_UPGRADED);
        rest_expect_image(rig->primary_bytes, 0, &rig->old);
        rest_expect_fields(rig, &rig->primary, &rest_untouched, rig->old.size);
        free(rig);
    }
}

static void overwrites_of_mcuboot_are_taken_over(void **state)
{
    (void)state;
    rest_everywhere(overwrites, REST_COUNT(overwrites), walk_overwritten);
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
static void walk_types(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = rest_rig_new(subject, format);
    uint32_t found[5] = {0};

    for (uint32_t bits = 0; bits < 64; bits++) {
        const struct rest_fields primary = fields_of(bits & 7);
        const struct rest_fields secondary = fields_of(bits >> 3);
        enum rest_type expected = rest_type_of(&primary, &secondary, subject->offset);
        enum ferry_swap_type type;

        if (expected == REST_REVERT && !subject->strategy->traits->reverts) {
            expected = REST_NONE;
        }
        rest_put_images(rig, &rig->old, &rig->new, rig->subject->upload);
        rest_put_fields(rig, &rig->primary, &primary);
        rest_put_fields(rig, &rig->secondary, &secondary);
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
    rest_everywhere(swaps, REST_COUNT(swaps), walk_types);
    rest_everywhere(overwrites, REST_COUNT(overwrites), walk_types);
}

/* A device on which MCUboot did the update, its status entries included, gets Ferry. */
static void put_swapped(struct rest_rig *rig, const struct rest_fields *fields)
{
    uint32_t size = rest_trailer_size(&rig->format);
    uint8_t *trailer = rig->primary_bytes + rig->primary.flash.size - size;

    rest_put_images(rig, &rig->new, &rig->old, rig->subject->old);
    rest_write(&rig->format, fields, trailer, size);
    rest_write_status(&rig->format, (rig->new.size + REST_SECTOR - 1) / REST_SECTOR, trailer);
}

static void walk_handover(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = rest_rig_new(subject, format);
    struct rest_fields done = swapped(rig, REST_TEST, &rig->old, &rig->new);

    /* On trial: Ferry reverts. */
    put_swapped(rig, &done);
    rest_boot(rig, FERRY_BOOT_REVERTED);
    done = swapped(rig, REST_REVERT, &rig->new, &rig->old);
    expect_rest(rig, &done, &rest_untouched, &rig->old, &rig->new, rig->subject->upload);

    /* Confirmed, for good, reverted: Ferry leaves every byte alone. */
    for (enum rest_type type = REST_TEST; type <= REST_REVERT; type++) {
        done = swapped(rig, type, &rig->old, &rig->new);
        done.image_ok = true;
        put_swapped(rig, &done);
        rest_save(rig);
        rest_boot(rig, FERRY_BOOT_RAN);
        rest_expect_saved(rig);
    }
    free(rig);
}

static void updates_of_mcuboot_are_taken_over(void **state)
{
    (void)state;
    rest_everywhere(swaps, REST_COUNT(swaps), walk_handover);
}

/* A slot that imgtool padded has the magic, and image_ok with --confirm, but no swap_info. */
static void walk_padded(const struct rest_subject *subject, const struct rest_format *format)
{
    for (int permanent = 0; permanent < 2; permanent++) {
        struct rest_rig *rig = rest_rig_new(subject, format);
        const struct rest_fields fields = {.magic = true, .image_ok = permanent != 0};
        bool test = permanent == 0 && subject->strategy->traits->reverts;

        rest_put_images(rig, &rig->old, &rig->new, rig->subject->upload);
        rest_put_fields(rig, &rig->secondary, &fields);
        rest_boot(rig, test ? FERRY_BOOT_TESTING : FERRY_BOOT_UPGRADED);
        if (subject->strategy->traits->keeps_old) {
            const struct rest_fields done =
                swapped(rig, test ? REST_TEST : REST_PERM, &rig->old, &rig->new);

            expect_rest(rig, &done, &rest_untouched, &rig->new, &rig->old, subject->old);
        }
        free(rig);
    }
}

static void padded_images_are_requests(void **state)
{
    (void)state;
    rest_everywhere(swaps, REST_COUNT(swaps), walk_padded);
    rest_everywhere(overwrites, REST_COUNT(overwrites), walk_padded);
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

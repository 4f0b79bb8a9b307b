/* SPDX-License-Identifier: Apache-2.0 */
/* At rest Ferry and MCUboot agree, for the strategies whose images run where they were uploaded,
 * or from RAM: a slot's trailer has magic, copy_done and image_ok, and speaks for its own image.
 * [mcuboot-format.md §2.6 "App API"] */
#include "rest_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW(strategy)                                                                              \
    {                                                                                              \
        strategy, REST_STATUS_NONE, REST_PRIMARY, 0, 0, false, 0, 0                                \
    }

static const struct rest_subject reverting[] = {ROW(&ferry_boot_direct_xip_revert),
                                                ROW(&ferry_boot_ram_load_revert)};

static const struct rest_subject plain[] = {ROW(&ferry_boot_direct_xip), ROW(&ferry_boot_ram_load)};

static const struct rest_subject single[] = {ROW(&ferry_boot_single_slot)};

static const struct rest_fields asked = {.magic = true};
static const struct rest_fields on_trial = {.magic = true, .copy_done = true};
static const struct rest_fields confirmed = {.magic = true, .copy_done = true, .image_ok = true};
/* What imgtool sign --pad --confirm makes for the factory. */
static const struct rest_fields padded = {.magic = true, .image_ok = true};

/* Both slots keep their images, whatever happens. */
static void expect_rest(const struct rest_rig *rig, const struct rest_fields *primary,
                        const struct rest_fields *secondary, uint32_t active)
{
    rest_expect_image(rig->primary_bytes, 0, &rig->old);
    rest_expect_fields(rig, &rig->primary, primary, rig->old.size);
    rest_expect_image(rig->secondary_bytes, 0, &rig->new);
    rest_expect_fields(rig, &rig->secondary, secondary, rig->new.size);
    assert_int_equal(rig->boot.slots.active, active);
}

/* ---- With reverts ------------------------------------------------------------------------- */

/* A factory's image that has started once, and an upload. */
static struct rest_rig *start(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = rest_rig_new(subject, format);
    const struct rest_image nothing = {.size = 0};

    rest_put_images(rig, &rig->old, &nothing, 0);
    rest_put_fields(rig, &rig->primary, &padded);
    rest_boot_any(rig);
    rest_expect_fields(rig, &rig->primary, &confirmed, rig->old.size);
    memcpy(rig->secondary_bytes, rig->new.bytes, rig->new.size);
    return rig;
}

static void walk_test(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = start(subject, format);

    assert_int_equal(ferry_slots_set_pending(&rig->boot.slots, false), FERRY_OK);
    expect_rest(rig, &confirmed, &asked, 0);
    rest_boot_any(rig);
    expect_rest(rig, &confirmed, &on_trial, 1);
    rest_save(rig);

    /* Confirmed. */
    assert_int_equal(ferry_slots_confirm(&rig->boot.slots), FERRY_OK);
    expect_rest(rig, &confirmed, &confirmed, 1);
    rest_boot_any(rig);
    expect_rest(rig, &confirmed, &confirmed, 1);

    /* Reverted instead: MCUboot erases the slot, of which header and trailer must be gone. */
    rest_restore(rig);
    rest_boot_any(rig);
    assert_int_equal(rig->boot.slots.active, 0);
    rest_expect_image(rig->primary_bytes, 0, &rig->old);
    rest_expect_fields(rig, &rig->primary, &confirmed, rig->old.size);
    rest_expect_erased(rig, rig->secondary_bytes, REST_SECTOR);
    rest_expect_fields(rig, &rig->secondary, &rest_untouched, 0);
    free(rig);
}

static void walk_permanent(const struct rest_subject *subject, const struct rest_format *format)
{
    struct rest_rig *rig = start(subject, format);

    assert_int_equal(ferry_slots_set_pending(&rig->boot.slots, true), FERRY_OK);
    expect_rest(rig, &confirmed, &confirmed, 0);
    rest_boot_any(rig);
    expect_rest(rig, &confirmed, &confirmed, 1);
    rest_boot_any(rig);
    expect_rest(rig, &confirmed, &confirmed, 1);
    free(rig);
}

static void reverting_at_rest(void **state)
{
    (void)state;
    rest_everywhere(reverting, REST_COUNT(reverting), walk_test);
    rest_everywhere(reverting, REST_COUNT(reverting), walk_permanent);
}

/* Every state of the newer image's flags: it runs if it has a magic, unless it ran unconfirmed. */
static void walk_flags(const struct rest_subject *subject, const struct rest_format *format)
{
    for (uint32_t bits = 0; bits < 8; bits++) {
        struct rest_rig *rig = rest_rig_new(subject, format);
        const struct rest_fields fields = {
            .magic = (bits & 1) != 0, .image_ok = (bits & 2) != 0, .copy_done = (bits & 4) != 0};
        bool runs = fields.magic && (!fields.copy_done || fields.image_ok);
        struct ferry_slots_next next;

        rest_put_images(rig, &rig->old, &rig->new, 0);
        rest_put_fields(rig, &rig->primary, &confirmed);
        rest_put_fields(rig, &rig->secondary, &fields);
        assert_int_equal(ferry_slots_next_boot(&rig->boot.slots, &next), FERRY_OK);
        assert_int_equal(next.slot, runs ? 1 : 0);
        rest_boot_any(rig);
        assert_int_equal(rig->boot.slots.active, runs ? 1 : 0);
        free(rig);
    }
}

static void flags_of_mcuboot(void **state)
{
    (void)state;
    rest_everywhere(reverting, REST_COUNT(reverting), walk_flags);
}

/* ---- Without -------------------------------------------------------------------------------- */

/* The newer image runs, whatever the trailers say; the boot leaves them alone. */
static void walk_plain(const struct rest_subject *subject, const struct rest_format *format)
{
    for (uint32_t bits = 0; bits < 64; bits++) {
        struct rest_rig *rig = rest_rig_new(subject, format);
        const struct rest_fields primary = {
            .magic = (bits & 1) != 0, .image_ok = (bits & 2) != 0, .copy_done = (bits & 4) != 0};
        const struct rest_fields secondary = {
            .magic = (bits & 8) != 0, .image_ok = (bits & 16) != 0, .copy_done = (bits & 32) != 0};

        rest_put_images(rig, &rig->old, &rig->new, 0);
        rest_put_fields(rig, &rig->primary, &primary);
        rest_put_fields(rig, &rig->secondary, &secondary);
        rest_save(rig);
        rest_boot_any(rig);
        assert_int_equal(rig->boot.slots.active, 1);
        rest_expect_saved(rig);
        free(rig);
    }
}

/* The application's side writes what MCUboot's does: an image may be asked for and confirmed. */
static void walk_plain_update(const struct rest_subject *subject, const struct rest_format *format)
{
    for (int permanent = 0; permanent < 2; permanent++) {
        struct rest_rig *rig = rest_rig_new(subject, format);

        rest_put_images(rig, &rig->old, &rig->new, 0);
        assert_int_equal(ferry_slots_set_pending(&rig->boot.slots, permanent != 0), FERRY_OK);
        expect_rest(rig, &rest_untouched, permanent != 0 ? &confirmed : &asked, 0);
        rest_boot_any(rig);
        expect_rest(rig, &rest_untouched, permanent != 0 ? &confirmed : &asked, 1);
        assert_int_equal(ferry_slots_confirm(&rig->boot.slots), FERRY_OK);
        expect_rest(rig, &rest_untouched, &confirmed, 1);
        free(rig);
    }
}

static void plain_at_rest(void **state)
{
    (void)state;
    rest_everywhere(plain, REST_COUNT(plain), walk_plain);
    rest_everywhere(plain, REST_COUNT(plain), walk_plain_update);
}

static void walk_single(const struct rest_subject *subject, const struct rest_format *format)
{
    for (uint32_t bits = 0; bits < 8; bits++) {
        struct rest_rig *rig = rest_rig_new(subject, format);
        const struct rest_image nothing = {.size = 0};
        const struct rest_fields fields = {
            .magic = (bits & 1) != 0, .image_ok = (bits & 2) != 0, .copy_done = (bits & 4) != 0};

        rest_put_images(rig, &rig->old, &nothing, 0);
        rest_put_fields(rig, &rig->primary, &fields);
        rest_save(rig);
        rest_boot_any(rig);
        assert_int_equal(ferry_slots_confirm(&rig->boot.slots), FERRY_OK);
        rest_expect_saved(rig);
        free(rig);
    }
}

static void single_slot_at_rest(void **state)
{
    (void)state;
    rest_everywhere(single, REST_COUNT(single), walk_single);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reverting_at_rest),
        cmocka_unit_test(flags_of_mcuboot),
        cmocka_unit_test(plain_at_rest),
        cmocka_unit_test(single_slot_at_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of the bootloader that are run under power cuts. */
#include "boot_flows.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR FLOW_SECTOR

/* What setup() of a flow takes. */
static const struct flow_images *images;

void flow_use(const struct flow_images *set)
{
    images = set;
}

static struct fault_image build(uint8_t *bytes, uint8_t major, size_t size, enum test_key_id key)
{
    /* Header, area and digest TLV take 72 bytes; a signature makes the image larger. */
    struct test_image_spec spec = {.version = {.major = major},
                                   .key = key,
                                   .payload_size = size - 72,
                                   .header_size = 32,
                                   .seed = major};
    size_t built = test_image_build(&spec, bytes, FLOW_IMAGE_MAX);

    assert_true(built >= size);
    return (struct fault_image){bytes, (uint32_t)built};
}

void flow_make_images(struct flow_images *set, size_t old_size, size_t new_size,
                      enum test_key_id key)
{
    set->old = build(set->old_bytes, 1, old_size, key);
    set->new = build(set->new_bytes, 2, new_size, key);
    memcpy(set->bad_bytes, set->new_bytes, sizeof(set->bad_bytes));
    set->bad_bytes[100] ^= 0x01;
    set->bad = (struct fault_image){set->bad_bytes, set->new.size};
}

/* ---- Setups -------------------------------------------------------------------------------- */

static void request(struct fault_device *device, bool permanent)
{
    assert_int_equal(ferry_slots_set_pending(&device->image.slots, permanent), FERRY_OK);
}

static void setup_upload(struct fault_device *device)
{
    device->old = images->old;
    device->new = images->new;
    fault_device_load(&device->primary, &images->old);
    fault_device_load(&device->secondary, &images->new);
}

static void setup_test(struct fault_device *device)
{
    setup_upload(device);
    request(device, false);
}

static void setup_permanent(struct fault_device *device)
{
    setup_upload(device);
    request(device, true);
}

static void setup_refused(struct fault_device *device)
{
    setup_upload(device);
    device->new = (struct fault_image){NULL, 0};
    fault_device_load(&device->secondary, &images->bad);
    request(device, false);
}

/* On trial: the next boot goes back. */
static void setup_trial(struct fault_device *device)
{
    struct ferry_boot_report report;

    setup_test(device);
    assert_int_equal(fault_device_boot(device, &report), FERRY_OK);
    assert_int_equal(report.images[0].action, FERRY_BOOT_TESTING);
}

static void setup_trial_old_damaged(struct fault_device *device)
{
    setup_trial(device);
    device->secondary.memory[200] ^= 0x10;
    device->old = (struct fault_image){NULL, 0};
}

/* A trial with the next update asked for already, which is damaged. */
static void setup_trial_next_refused(struct fault_device *device)
{
    setup_trial(device);
    device->old = (struct fault_image){NULL, 0};
    fault_device_load(&device->secondary, &images->bad);
    request(device, false);
}

/* The whole life of a device: an update before this one left its trailer. */
static void setup_second_update(struct fault_device *device)
{
    struct ferry_boot_report report;

    setup_permanent(device);
    assert_int_equal(fault_device_boot(device, &report), FERRY_OK);
    device->old = images->new;
    device->new = images->old;
    fault_device_load(&device->secondary, &images->old);
    request(device, false);
}

static void setup_empty_primary(struct fault_device *device)
{
    const struct fault_image nothing = {NULL, 0};

    setup_upload(device);
    device->old = nothing;
    fault_device_load(&device->primary, &nothing);
}

static void setup_damaged_primary(struct fault_device *device)
{
    setup_upload(device);
    device->old = (struct fault_image){NULL, 0};
    device->primary.memory[40] ^= 0x80;
}

/* ---- Applications -----------------------------------------------------------------------------
 */

static int app_confirms(struct fault_device *device, const struct ferry_boot_report *report)
{
    if (report->images[0].next != FERRY_SWAP_REVERT) {
        return FAULT_APP_RESTS;
    }

    int rc = ferry_slots_confirm(&device->image.slots);

    return rc == FERRY_OK ? FAULT_APP_RESETS : rc;
}

/* Uploads the new image until it runs, asks for a test, confirms. */
static int app_updates(struct fault_device *device, const struct ferry_boot_report *report)
{
    const struct ferry_flash *secondary = device->image.slots.secondary;

    if (fault_device_holds(&device->primary, &device->new)) {
        return app_confirms(device, report);
    }

    int rc = ferry_flash_erase_dirty(secondary, 0, secondary->size);

    if (rc == FERRY_OK) {
        uint32_t whole = device->new.size / device->geometry.write_size;

        whole *= device->geometry.write_size;
        rc = ferry_flash_program(secondary, 0, device->new.bytes, whole);
        if (rc == FERRY_OK && whole < device->new.size) {
            rc = ferry_flash_program_padded(secondary, whole, device->new.bytes + whole,
                                            device->new.size - whole);
        }
    }
    if (rc == FERRY_OK) {
        rc = ferry_slots_set_pending(&device->image.slots, false);
    }
    return rc == FERRY_OK ? FAULT_APP_RESETS : rc;
}

/* ---- Ends ----------------------------------------------------------------------------------- */

static struct ferry_trailer trailer_of(const struct ferry_flash *slot, uint32_t max_align)
{
    struct ferry_trailer trailer;

    if (ferry_trailer_read(slot, max_align, &trailer) != FERRY_OK) {
        return (struct ferry_trailer){FERRY_BAD, FERRY_BAD, FERRY_BAD, 0, 0};
    }
    return trailer;
}

/* NULL when nothing in the secondary asks for anything. */
static const char *check_no_request(const struct fault_device *device)
{
    const struct ferry_slots *slots = &device->image.slots;
    struct ferry_trailer trailer = trailer_of(slots->secondary, slots->max_align);

    return trailer.magic == FERRY_UNSET && trailer.image_ok == FERRY_UNSET &&
                   trailer.copy_done == FERRY_UNSET
               ? NULL
               : "the secondary's trailer is not erased";
}

/* At rest with an image for good. */
static const char *check_for_good(struct fault_device *device,
                                  const struct ferry_boot_report *report,
                                  const struct fault_image *image)
{
    const struct ferry_slots *slots = &device->image.slots;
    struct ferry_trailer trailer = trailer_of(slots->primary, slots->max_align);

    if (!fault_device_holds(&device->primary, image)) {
        return "another image than it should be";
    }
    if (report->images[0].next != FERRY_SWAP_NONE) {
        return "not at rest";
    }
    if (trailer.magic == FERRY_SET && trailer.image_ok != FERRY_SET) {
        return "not confirmed";
    }
    return check_no_request(device);
}

static const char *check_new(struct fault_device *device, const struct ferry_boot_report *report)
{
    return check_for_good(device, report, &device->new);
}

static const char *check_old(struct fault_device *device, const struct ferry_boot_report *report)
{
    return check_for_good(device, report, &device->old);
}

/* Confirmed, or reverted because the power failed between the end of the swap and the confirm. */
static const char *check_either(struct fault_device *device, const struct ferry_boot_report *report)
{
    bool is_new = fault_device_holds(&device->primary, &device->new);

    return check_for_good(device, report, is_new ? &device->new : &device->old);
}

static const char *check_test(struct fault_device *device, const struct ferry_boot_report *report)
{
    if (!device->image.slots.strategy->reverts) {
        return check_new(device, report);
    }
    if (report->images[0].next == FERRY_SWAP_REVERT) {
        return fault_device_holds(&device->primary, &device->new) ? check_no_request(device)
                                                                  : "the old image is on trial";
    }
    return check_for_good(device, report, &device->old);
}

static const char *check_refused(struct fault_device *device,
                                 const struct ferry_boot_report *report)
{
    if (ferry_flash_is_erased(device->image.slots.secondary, 0, SECTOR) != 1) {
        return "the refused image still has its header";
    }
    return check_old(device, report);
}

static const char *check_revert_refused(struct fault_device *device,
                                        const struct ferry_boot_report *report)
{
    if (ferry_flash_is_erased(device->image.slots.secondary, 0, SECTOR) != 1) {
        return "the damaged old image still has its header";
    }
    return check_new(device, report);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* The first two in the order of the enum. */
const struct flow flows[] = {
    {{"test", setup_test, NULL, check_test}, false},
    {{"permanent", setup_permanent, NULL, check_new}, false},
    {{"revert", setup_trial, NULL, check_old}, true},
    {{"confirm", setup_test, app_confirms, check_either}, true},
    {{"refused", setup_refused, NULL, check_refused}, false},
    {{"second", setup_second_update, NULL, check_test}, false},
    {{"revert-refused", setup_trial_old_damaged, NULL, check_revert_refused}, true},
    {{"next-refused", setup_trial_next_refused, NULL, check_revert_refused}, true},
    {{"empty-primary", setup_empty_primary, NULL, check_new}, false},
    {{"bad-primary", setup_damaged_primary, NULL, check_new}, false},
    {{"life", setup_upload, app_updates, check_new}, false},
};

const struct fault_flow flow_idle = {"idle", setup_upload, NULL, check_old};

const size_t flow_count = sizeof(flows) / sizeof(flows[0]);

/* ---- Devices ------------------------------------------------------------------------------ */

/* The alignments a write size goes with, as on real parts. */
static uint32_t max_align_of(uint8_t write_size)
{
    return write_size < 8 ? 8 : write_size;
}

struct fault_geometry flow_geometry(uint32_t sectors, uint8_t write_size, uint8_t erased)
{
    return (struct fault_geometry){.sector_size = SECTOR,
                                   .primary_sectors = sectors,
                                   .secondary_sectors = sectors,
                                   .max_sectors = sectors,
                                   .max_align = max_align_of(write_size),
                                   .write_size = write_size,
                                   .erased_value = erased};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What an image must satisfy beyond its signature: every rule, for itself and as a bootloader with
 * it records a refusal; and what the store demands: raised when an image is confirmed and not
 * before. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t vendor[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t stranger[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17};

/* ---- Images -------------------------------------------------------------------------------- */

/* An image as the rules see it. */
struct facts {
    struct ferry_version version;
    int64_t counter;       /* below 0: it has none */
    const uint8_t *vendor; /* NULL: it has none */
    const uint8_t *class_id;
    uint32_t fixed; /* 0: runs anywhere */
};

static void build(struct place_image *image, const struct facts *facts, size_t payload)
{
    uint8_t counter[4];
    struct test_tlv tlvs[3];
    size_t count = 0;

    if (facts->counter >= 0) {
        ferry_store_le32(counter, (uint32_t)facts->counter);
        tlvs[count++] = (struct test_tlv){FERRY_TLV_SEC_CNT, 4, counter};
    }
    if (facts->vendor != NULL) {
        tlvs[count++] = (struct test_tlv){FERRY_TLV_UUID_VID, 16, facts->vendor};
    }
    if (facts->class_id != NULL) {
        tlvs[count++] = (struct test_tlv){FERRY_TLV_UUID_CID, 16, facts->class_id};
    }
    const struct test_image_spec spec = {.version = facts->version,
                                         .key = TEST_KEY_NONE,
                                         .payload_size = payload,
                                         .header_size = 32,
                                         .flags = facts->fixed != 0 ? FERRY_IMAGE_ROM_FIXED : 0,
                                         .load_address = facts->fixed,
                                         .protected_tlvs = tlvs,
                                         .protected_count = count};
    image->size = (uint32_t)test_image_build(&spec, image->bytes, sizeof(image->bytes));
    assert_true(image->size > 0);
}

/* ---- Each rule for itself ------------------------------------------------------------------- */

struct row {
    const char *name;
    const struct ferry_policy_rule *rule;
    int expected;
    struct facts image;
    bool asked;
    bool with_build;
    struct ferry_version running; /* all 0: there is none */
    struct ferry_policy_least least;
};

#define NONE -1

#define VERSION(a, b, c, d) .image.version = {a, b, c, d}
#define PLAIN               VERSION(1, 0, 0, 0), .image.counter = NONE
#define COUNTS(n)           VERSION(1, 0, 0, 0), .image.counter = (n)
#define RUNNING             .image.counter = NONE, .asked = true, .running = {1, 2, 3, 4}

static const struct row rows[] = {
    {"newer", &ferry_policy_version, FERRY_OK, VERSION(1, 2, 4, 0), RUNNING},
    {"equal", &ferry_policy_version, FERRY_E_DOWNGRADE, VERSION(1, 2, 3, 4), RUNNING},
    {"older", &ferry_policy_version, FERRY_E_DOWNGRADE, VERSION(1, 2, 2, 9), RUNNING},
    {"a build does not count", &ferry_policy_version, FERRY_E_DOWNGRADE, VERSION(1, 2, 3, 5),
     RUNNING},
    {"a build counts", &ferry_policy_version, FERRY_OK, VERSION(1, 2, 3, 5), RUNNING,
     .with_build = true},
    {"an older build", &ferry_policy_version, FERRY_E_DOWNGRADE, VERSION(1, 2, 3, 3), RUNNING,
     .with_build = true},
    {"an old one comes back", &ferry_policy_version, FERRY_OK, PLAIN, .running = {1, 2, 3, 4}},
    {"nothing runs", &ferry_policy_version, FERRY_OK, PLAIN, .asked = true},
    {"the least", &ferry_policy_version, FERRY_OK, PLAIN, .least.version = {1, 0, 0, 0}},
    {"below the least", &ferry_policy_version, FERRY_E_DOWNGRADE, PLAIN,
     .least.version = {1, 0, 1, 0}},
    {"below it by the build", &ferry_policy_version, FERRY_E_DOWNGRADE, PLAIN,
     .least.version = {1, 0, 0, 1}, .with_build = true},
    {"where that does not count", &ferry_policy_version, FERRY_OK, PLAIN,
     .least.version = {1, 0, 0, 1}},
    {"counter alike", &ferry_policy_counter, FERRY_OK, COUNTS(5), .asked = true,
     .least.counter = 5},
    {"counter higher", &ferry_policy_counter, FERRY_OK, COUNTS(UINT32_MAX), .asked = true,
     .least.counter = 5},
    {"counter lower", &ferry_policy_counter, FERRY_E_COUNTER, COUNTS(4), .asked = true,
     .least.counter = 5},
    {"counter lower, and there", &ferry_policy_counter, FERRY_E_COUNTER, COUNTS(4),
     .least.counter = 5},
    {"no counter", &ferry_policy_counter, FERRY_E_COUNTER, PLAIN, .asked = true},
    {"no counter, and there", &ferry_policy_counter, FERRY_OK, PLAIN},
    {"no counter where one is demanded", &ferry_policy_counter, FERRY_E_COUNTER, PLAIN,
     .least.counter = 1},
    {"our vendor", &ferry_policy_vendor, FERRY_OK, PLAIN, .image.vendor = vendor},
    {"another vendor", &ferry_policy_vendor, FERRY_E_VENDOR, PLAIN, .image.vendor = stranger},
    {"no vendor", &ferry_policy_vendor, FERRY_E_VENDOR, PLAIN, .image.class_id = vendor},
    {"our class", &ferry_policy_class, FERRY_OK, PLAIN, .image.class_id = vendor},
    {"another class", &ferry_policy_class, FERRY_E_CLASS, PLAIN, .image.class_id = stranger},
    {"no class", &ferry_policy_class, FERRY_E_CLASS, PLAIN, .image.vendor = vendor},
    {"anywhere", &ferry_policy_address, FERRY_OK, PLAIN},
    {"fixed here", &ferry_policy_address, FERRY_OK, PLAIN, .image.fixed = 0x1000},
    {"fixed elsewhere", &ferry_policy_address, FERRY_E_ADDRESS, PLAIN, .image.fixed = 0x2000},
};

static int judge(const struct row *row, struct ferry_policy_counters *counters)
{
    static struct place_image image;
    struct ferry_flash_ram rom;
    struct ferry_image_info info;
    struct ferry_image_info running = {.header = {.version = row->running}, .digest_len = 32};
    const struct ferry_version none = {0};
    bool runs = ferry_version_compare(&row->running, &none, true) != 0;
    const struct ferry_image_policy policy = {.rules = &row->rule,
                                              .rule_count = 1,
                                              .with_build = row->with_build,
                                              .vendor = vendor,
                                              .class_id = vendor};
    const struct ferry_slots slots = {.policy = &policy};
    struct ferry_policy_case subject = {.address = 0x1000,
                                        .asked = row->asked,
                                        .running = runs ? &running : NULL,
                                        .least = row->least};

    build(&image, &row->image, 100);
    assert_int_equal(ferry_flash_rom_init(&rom, image.bytes, image.size), FERRY_OK);
    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    subject.image = &rom.flash;
    subject.info = &info;
    return ferry_policy_judge(&slots, &subject, counters);
}

static void test_every_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ferry_policy_counters counters;
        int rc = judge(&rows[i], &counters);

        if (rc != rows[i].expected) {
            print_message("%s: %s\n", rows[i].name, ferry_error_name(rc));
        }
        assert_int_equal(rc, rows[i].expected);
        assert_int_equal(counters.known, rc == FERRY_E_COUNTER);
        if (counters.known) {
            assert_int_equal(counters.image, rows[i].image.counter < 0 ? 0 : rows[i].image.counter);
            assert_int_equal(counters.least, rows[i].least.counter);
        }
    }
}

/* The very image that runs may be asked for again. */
static void test_the_same_image_is_no_downgrade(void **state)
{
    static struct place_image image;
    const struct facts facts = {.version = {1, 0, 0, 0}, .counter = NONE};
    const struct ferry_slots slots = {.policy = &test_policy_newer};
    struct ferry_policy_counters counters;
    struct ferry_image_info info;
    struct ferry_flash_ram rom;

    (void)state;
    build(&image, &facts, 100);
    assert_int_equal(ferry_flash_rom_init(&rom, image.bytes, image.size), FERRY_OK);
    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    struct ferry_image_info running = info;
    const struct ferry_policy_case subject = {
        .image = &rom.flash, .info = &info, .asked = true, .running = &running};
    assert_int_equal(ferry_policy_judge(&slots, &subject, &counters), FERRY_OK);
    running.digest[5] ^= 1;
    assert_int_equal(ferry_policy_judge(&slots, &subject, &counters), FERRY_E_DOWNGRADE);
}

/* An id that is to be compared and was not given lets nothing pass. */
static void test_an_id_that_is_missing_in_the_policy(void **state)
{
    const struct ferry_policy_rule *const rules[] = {&ferry_policy_vendor};
    const struct ferry_image_policy policy = {.rules = rules, .rule_count = 1};
    const struct ferry_slots slots = {.policy = &policy};
    const struct ferry_policy_case subject = {.asked = true};
    struct ferry_policy_counters counters;

    (void)state;
    assert_int_equal(ferry_policy_judge(&slots, &subject, &counters), FERRY_E_CONFIG);
}

/* ---- What the store demands ----------------------------------------------------------------- */

static struct place_rig rig;
static struct place_image low, high, next; /* counters 4, 5, 5; versions 1, 2, 3 */

static const struct ferry_boot_strategy *const strategies[] = {
    &ferry_boot_swap_move,       &ferry_boot_swap_scratch, &ferry_boot_swap_offset,
    &ferry_boot_swap_shift,      &ferry_boot_overwrite,    &ferry_boot_direct_xip_revert,
    &ferry_boot_ram_load_revert, &ferry_boot_direct_xip,   &ferry_boot_ram_load,
};

static bool in_place(void)
{
    return rig.image.strategy->traits->in_place;
}

static bool reverts(void)
{
    return rig.image.strategy->traits->reverts;
}

static void build_for_rig(struct place_image *image, uint8_t major, uint32_t counter)
{
    uint8_t raw[4];
    const struct test_tlv tlv = {FERRY_TLV_SEC_CNT, 4, raw};
    bool ram = rig.image.strategy->traits->mode == FERRY_MODE_RAM_LOAD;
    const struct test_image_spec spec = {.version = {.major = major},
                                         .key = TEST_KEY_NONE,
                                         .payload_size = 300,
                                         .header_size = 32,
                                         .flags = ram ? FERRY_IMAGE_RAM_LOAD : 0,
                                         .load_address = ram ? PLACE_RAM : 0,
                                         .protected_tlvs = &tlv,
                                         .protected_count = 1};

    ferry_store_le32(raw, counter);
    image->size = (uint32_t)test_image_build(&spec, image->bytes, sizeof(image->bytes));
    assert_true(image->size > 0);
}

static void upload(uint32_t slot, const struct place_image *image)
{
    uint32_t at = slot == 0 || in_place() ? 0 : ferry_slots_upload_offset(&rig.image.slots);

    place_load(&rig, slot, NULL);
    memcpy(rig.slot[slot].memory + at, image->bytes, image->size);
}

/* The image of counter 4 runs, with a policy and a store. */
static void begin(const struct ferry_boot_strategy *strategy)
{
    const struct ferry_flash_run run = {8, 256};

    place_init(&rig, strategy->traits, true);
    place_geometry(&rig.slot[0], &run, 1, 8, 0xff);
    place_geometry(&rig.slot[1], &run, 1, 8, 0xff);
    rig.image.strategy = strategy;
    rig.image.slots.max_sectors = 8;
    rig.image.slots.number = 3;
    rig.image.slots.policy = &test_policy_kept;
    rig.config.trials = 1;
    build_for_rig(&low, 1, 4);
    build_for_rig(&high, 2, 5);
    build_for_rig(&next, 3, 5);
    upload(0, &low);
    if (in_place() && reverts()) {
        place_trailer(&rig, 0, "mdk");
    }
}

static const struct ferry_boot_image_report *boot(void)
{
    rig.config.cause = rig.off ? FERRY_CAUSE_POWER : FERRY_CAUSE_OTHER;
    place_power_up(&rig);
    int rc = ferry_boot_run(&rig.config, &rig.report);

    assert_int_not_equal(rc, FERRY_E_CONFIG);
    place_power_up(&rig);
    rig.image.slots.active = rig.report.images[0].slot;
    return &rig.report.images[0];
}

static void ask(const struct place_image *image)
{
    upload(1, image);
    rig.image.slots.active = 0;
    int rc = ferry_slots_set_pending(&rig.image.slots, false);

    assert_true(rc == FERRY_OK || rc == FERRY_E_UNSUPPORTED);
}

static struct ferry_policy_least demanded(void)
{
    struct ferry_policy_least least;

    assert_int_equal(ferry_policy_in_store.read(&rig.image.slots, &least), FERRY_OK);
    return least;
}

static void expect_demanded(uint32_t counter, uint8_t major)
{
    assert_int_equal(demanded().counter, counter);
    assert_int_equal(demanded().version.major, major);
}

static void expect_runs(uint8_t major)
{
    assert_int_not_equal(rig.report.images[0].action, FERRY_BOOT_STOPPED);
    assert_int_equal(rig.report.images[0].info.header.version.major, major);
}

/* The first boot demands what is there; a trial changes nothing; its confirm does. */
static void test_the_confirm_raises(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        begin(strategies[i]);
        (void)boot();
        expect_demanded(4, 1);
        ask(&high);
        (void)boot();
        expect_runs(2);
        expect_demanded(reverts() ? 4 : 5, reverts() ? 1 : 2);
        assert_int_equal(ferry_slots_confirm(&rig.image.slots), FERRY_OK);
        expect_demanded(5, 2);
        /* Once what was counted is forgotten an idle boot writes nothing. */
        (void)boot();
        place_power_up(&rig);
        assert_int_equal(ferry_boot_run(&rig.config, &rig.report), FERRY_OK);
        assert_int_equal(rig.operations, 0);
        expect_runs(2);
    }
}

/* A revert goes back to an image with a lower counter, as long as nothing was confirmed. */
static void test_a_revert_keeps_the_old_demand(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        begin(strategies[i]);
        if (!reverts()) {
            continue;
        }
        (void)boot();
        ask(&high);
        (void)boot();
        expect_runs(2);
        assert_int_equal(boot()->action, FERRY_BOOT_REVERTED);
        expect_runs(1);
        expect_demanded(4, 1);
    }
}

/* The application confirms as MCUboot's do: the next boot sees it. */
static void test_the_boot_after_an_unaware_confirm_raises(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        begin(strategies[i]);
        (void)boot();
        ask(&high);
        (void)boot();
        rig.image.slots.policy = NULL;
        assert_int_equal(ferry_slots_confirm(&rig.image.slots), FERRY_OK);
        rig.image.slots.policy = &test_policy_kept;
        expect_demanded(reverts() ? 4 : 5, reverts() ? 1 : 2);
        (void)boot();
        expect_runs(2);
        expect_demanded(5, 2);
    }
}

/* Whoever put it there: an image below what was confirmed does not run. */
static void test_an_older_image_in_the_running_slot(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        begin(strategies[i]);
        upload(0, &high);
        if (in_place() && reverts()) {
            place_trailer(&rig, 0, "mdk");
        }
        (void)boot();
        expect_demanded(5, 2);
        upload(0, &low);
        if (in_place() && reverts()) {
            place_trailer(&rig, 0, "mdk");
        }
        const struct ferry_boot_image_report *report = boot();
        assert_int_equal(report->action, FERRY_BOOT_STOPPED);
        assert_int_equal(report->reason, FERRY_E_DOWNGRADE);
    }
}

/* A primary that fails is replaced by nothing that was left behind. */
static void test_no_fall_back_below_the_demand(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        begin(strategies[i]);
        (void)boot();
        if (!rig.image.strategy->traits->keeps_old || !reverts()) {
            continue;
        }
        ask(&high);
        (void)boot();
        assert_int_equal(ferry_slots_confirm(&rig.image.slots), FERRY_OK);
        rig.slot[rig.image.slots.active].memory[100] ^= 1;
        const struct ferry_boot_image_report *report = boot();
        assert_int_equal(report->action, FERRY_BOOT_STOPPED);
        assert_int_equal(report->reason, FERRY_E_DIGEST);
    }
}

/* The demand is in the store twice; with one of both it holds, and is made whole again. */
static void test_one_of_both_records_is_enough(void **state)
{
    static const uint16_t keys[] = {FERRY_STORE_KEY_COUNTER + 3, FERRY_STORE_KEY_COUNTER_TWIN + 3};
    uint8_t record[32];

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        begin(&ferry_boot_swap_move);
        upload(0, &high);
        (void)boot();
        assert_int_equal(ferry_store_put(&rig.store, keys[i], NULL, 0), FERRY_OK);
        expect_demanded(5, 2);
        (void)boot();
        assert_true(ferry_store_get(&rig.store, keys[i], record, sizeof(record)) > 0);
    }
}

/* Without a store the image that runs is the measure; a store that is lost is filled again. */
static void test_without_a_store(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    rig.with_store = false;
    upload(0, &high);
    (void)boot();
    ask(&low);
    assert_int_equal(boot()->action, FERRY_BOOT_REFUSED);
    expect_runs(2);
    rig.with_store = true;
    (void)boot();
    expect_demanded(5, 2);
}

/* An application that does not know Ferry confirms, and the next request comes before any boot. */
static void test_a_confirm_and_a_request_without_a_boot_between(void **state)
{
    struct place_image lower;

    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        begin(strategies[i]);
        if (!reverts()) {
            continue;
        }
        /* Newer by its version, and below by its counter. */
        build_for_rig(&lower, 9, 4);
        (void)boot();
        ask(&high);
        (void)boot();
        rig.image.slots.policy = NULL;
        assert_int_equal(ferry_slots_confirm(&rig.image.slots), FERRY_OK);
        upload(1 - rig.image.slots.active, &lower);
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        rig.image.slots.policy = &test_policy_kept;
        const struct ferry_boot_image_report *report = boot();
        assert_int_equal(report->action, FERRY_BOOT_REFUSED);
        assert_int_equal(report->reason, FERRY_E_COUNTER);
        assert_int_equal(report->counters.image, 4);
        assert_int_equal(report->counters.least, 5);
        expect_runs(2);
        expect_demanded(5, 2);
    }
}

/* A single slot has no trial: what verifies is there for good. */
static void test_a_single_slot(void **state)
{
    (void)state;
    begin(&ferry_boot_single_slot);
    upload(0, &high);
    (void)boot();
    expect_demanded(5, 2);
    upload(0, &low);
    assert_int_equal(boot()->action, FERRY_BOOT_STOPPED);
    assert_int_equal(rig.report.images[0].reason, FERRY_E_DOWNGRADE);
    upload(0, &next);
    (void)boot();
    expect_runs(3);
    expect_demanded(5, 3);
}

/* The update and its confirm, with a fault to come; the power comes back when it failed. */
static void update_and_confirm(void)
{
    int rc = ferry_boot_run(&rig.config, &rig.report);

    assert_true(rc == FERRY_OK || rc == FERRY_E_POWER);
    for (int i = 0; i < 4; i++) {
        if (rig.off) {
            (void)boot();
        }
        rig.image.slots.active = rig.report.images[0].slot;
        if (rig.report.images[0].info.header.version.major == 2) {
            rc = ferry_slots_confirm(&rig.image.slots);
            assert_true(rc == FERRY_OK || rig.off);
        }
    }
}

/* A fault at every operation of an update that is confirmed: afterwards nothing lower is taken,
 * and what was confirmed runs. */
static void confirm_with_fault(const struct ferry_boot_strategy *strategy, enum place_way way)
{
    bool struck = true;

    for (uint32_t at = 1; struck; at++) {
        begin(strategy);
        (void)boot();
        ask(&high);
        place_power_on(&rig, at, way);
        update_and_confirm();
        struck = rig.struck > 0;
        place_power_on(&rig, 0, PLACE_BEFORE);
        expect_runs(2);
        expect_demanded(5, 2);
        upload(1 - rig.image.slots.active, &low);
        int rc = ferry_slots_set_pending(&rig.image.slots, true);
        assert_true(rc == FERRY_OK || rc == FERRY_E_UNSUPPORTED);
        (void)boot();
        expect_runs(2);
    }
}

static void test_faults_around_the_confirm(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strategies); i++) {
        confirm_with_fault(strategies[i], PLACE_BEFORE);
        confirm_with_fault(strategies[i], PLACE_AFTER);
        confirm_with_fault(strategies[i], PLACE_HALF);
        confirm_with_fault(strategies[i], PLACE_TORN);
        confirm_with_fault(strategies[i], PLACE_ECC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule),
        cmocka_unit_test(test_the_same_image_is_no_downgrade),
        cmocka_unit_test(test_an_id_that_is_missing_in_the_policy),
        cmocka_unit_test(test_the_confirm_raises),
        cmocka_unit_test(test_a_revert_keeps_the_old_demand),
        cmocka_unit_test(test_the_boot_after_an_unaware_confirm_raises),
        cmocka_unit_test(test_an_older_image_in_the_running_slot),
        cmocka_unit_test(test_no_fall_back_below_the_demand),
        cmocka_unit_test(test_one_of_both_records_is_enough),
        cmocka_unit_test(test_without_a_store),
        cmocka_unit_test(test_a_confirm_and_a_request_without_a_boot_between),
        cmocka_unit_test(test_a_single_slot),
        cmocka_unit_test(test_faults_around_the_confirm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: where uploads go, what is refused, what runs afterwards. */
#include "recovery_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum { IMAGE = FERRY_SMP_GROUP_IMAGE };
enum { AUTO = -1, PRIMARY = 1, SECONDARY = 2 }; /* numbers of an upload */

#define ERR(n) "{\"err\":{\"group\":1,\"rc\":" #n "}}"

static struct recovery_rig rig;

#define OLD   (&rig.bench.device.old)
#define NEW   (&rig.bench.device.new)
#define FIRST (&rig.bench.device.primary)
#define OTHER (&rig.bench.device.secondary)

static int tear_down(void **state)
{
    (void)state;
    recovery_rig_free(&rig);
    return 0;
}

static void begin(const struct ferry_boot_strategy *strategy, bool good)
{
    recovery_rig_set_up(&rig, strategy);
    if (good) {
        fault_device_load(FIRST, OLD);
    }
}

static void enter(void)
{
    recovery_rig_enter(&rig, FERRY_RECOVERY_BUTTON);
}

/* All of an image; the answer must be this, "" for the offset at its end. */
static void upload(int number, const struct fault_image *image, const char *expected)
{
    char end[32];

    (void)snprintf(end, sizeof(end), "{\"off\":%u}", image->size);
    assert_string_equal(recovery_rig_upload(&rig, number, image, image->size),
                        expected[0] != '\0' ? expected : end);
}

/* The boot that follows. */
static void boots(int result, enum ferry_boot_action action, uint8_t major)
{
    fault_device_power_on(&rig.bench.device, 0, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&rig.bench.device, &rig.bench.report), result);
    assert_string_equal(ferry_boot_action_name(rig.bench.report.images[0].action),
                        ferry_boot_action_name(action));
    if (result == FERRY_OK) {
        assert_int_equal(rig.bench.report.images[0].info.header.version.major, major);
        assert_int_equal(rig.bench.report.images[0].next, FERRY_SWAP_NONE); /* for good */
    }
}

static void erase(const char *json, const char *expected)
{
    assert_string_equal(recovery_rig_ask(&rig, WRITE, IMAGE, FERRY_SMP_IMAGE_ERASE, json),
                        expected);
}

/* ---- Where no good image is lost --------------------------------------------------------------
 */

static void test_a_good_primary_is_kept_until_the_new_image_is_whole(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, true);
    enter();
    upload(AUTO, NEW, "");
    assert_int_equal(rig.settled, 1);
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:pP");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
    assert_true(fault_device_holds(OTHER, OLD));
}

static void test_an_aborted_upload_costs_nothing(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, true);
    enter();
    recovery_rig_upload(&rig, AUTO, NEW, 1200);
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);
    enter();
    upload(AUTO, NEW, "");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
}

static void test_without_a_good_image_it_goes_to_the_primary(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, false);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    recovery_rig_upload(&rig, AUTO, NEW, 1200); /* given up by its client */
    assert_string_equal(recovery_rig_list(&rig), "");
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    upload(AUTO, NEW, "");
    assert_string_equal(recovery_rig_list(&rig), "0:2.0.0:c");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
}

/* On trial, and the power failed before its firmware came up: it may start again. */
static void test_of_a_trial_and_a_confirmed_image_the_trial_goes(void **state)
{
    struct fault_image next;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    next = bench_image(&rig.bench, 3, 1500);
    rig.bench.device.config.cause = FERRY_CAUSE_POWER;
    fault_device_load(OTHER, NEW);
    bench_request(&rig.bench, false);
    assert_int_equal(fault_device_boot(&rig.bench.device, &rig.bench.report), FERRY_OK);
    assert_int_equal(rig.bench.report.images[0].next, FERRY_SWAP_REVERT);
    enter();
    recovery_rig_upload(&rig, AUTO, &next, 600);
    assert_true(fault_device_holds(OTHER, OLD));
    upload(AUTO, &next, "");
    assert_true(fault_device_holds(FIRST, &next));
    boots(FERRY_OK, FERRY_BOOT_RAN, 3);
}

static void test_the_same_number_may_be_said(void **state)
{
    (void)state;
    begin(&ferry_boot_overwrite, true);
    enter();
    upload(0, NEW, "");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
}

/* Each place a cut swap can be in: it is finished before the upload takes a slot. */
static void test_an_unfinished_swap_is_finished_first(void **state)
{
    struct fault_image next;
    (void)state;

    for (uint64_t cut = 1; cut < 40; cut += 3) {
        begin(&ferry_boot_swap_move, true);
        next = bench_image(&rig.bench, 3, 1500);
        fault_device_load(OTHER, NEW);
        bench_request(&rig.bench, true);
        fault_device_power_on(&rig.bench.device, cut, FAULT_INSIDE);
        assert_int_equal(fault_device_boot(&rig.bench.device, &rig.bench.report), FERRY_E_POWER);
        enter();
        recovery_rig_upload(&rig, AUTO, &next, 600);
        assert_int_equal(rig.settled, 1);
        assert_true(fault_device_holds(FIRST, NEW));
        upload(AUTO, &next, "");
        boots(FERRY_OK, FERRY_BOOT_UPGRADED, 3);
        recovery_rig_free(&rig);
    }
    begin(&ferry_boot_swap_move, true); /* for the tear down */
}

/* ---- Slots by number ----------------------------------------------------------------------------
 */

static void test_the_primary_by_its_number_runs_at_once(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, true);
    enter();
    upload(PRIMARY, NEW, "");
    assert_string_equal(recovery_rig_list(&rig), "0:2.0.0:c");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
}

static void test_half_a_primary_strands_nobody(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, true);
    enter();
    recovery_rig_upload(&rig, PRIMARY, NEW, 1200);
    assert_int_equal(recovery_rig_wait(&rig, 0), FERRY_RECOVERY_STAY);
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_IDLE_MS), FERRY_RECOVERY_LEAVE);
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    assert_int_equal(recovery_rig_wait(&rig, 1000000), FERRY_RECOVERY_STAY);
    upload(PRIMARY, OLD, "");
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);
}

static void test_the_secondary_by_its_number_waits_to_be_asked_for(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, true);
    enter();
    upload(SECONDARY, NEW, "");
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:");
    recovery_rig_state(&rig, NEW, false);
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:p");
    recovery_rig_state(&rig, NEW, false); /* once more is fine */
    recovery_rig_state(&rig, OLD, false); /* and back: that one is to be next */
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:");
    recovery_rig_state(&rig, NEW, true);
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:pP");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
}

/* A request stands, the flash failed it so far, and now the primary is replaced. */
static void test_what_is_uploaded_last_runs(void **state)
{
    struct fault_image next;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    next = bench_image(&rig.bench, 3, 1500);
    enter();
    upload(AUTO, NEW, ""); /* to the secondary, and asked for */
    upload(PRIMARY, &next, "");
    assert_string_equal(recovery_rig_list(&rig), "0:3.0.0:c 1:2.0.0:");
    boots(FERRY_OK, FERRY_BOOT_RAN, 3);
}

static void test_slot_info_has_the_numbers(void **state)
{
    const char *json;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    enter();
    json = recovery_rig_ask(&rig, READ, IMAGE, FERRY_SMP_IMAGE_SLOT_INFO, "{}");
    assert_non_null(strstr(json, "{\"slot\":0,\"size\":4096,\"upload_image_id\":1}"));
    assert_non_null(strstr(json, "{\"slot\":1,\"size\":4096,\"upload_image_id\":2}"));
    assert_string_equal(recovery_rig_upload(&rig, 3, NEW, 200), ERR(9));
    assert_string_equal(recovery_rig_upload(&rig, 5, NEW, 200), ERR(9));
}

/* Of three images: 0 to 2 are images, 3 to 6 slots, and the slots 1 and 2 are found at 7 and 8. */
static void test_numbers_of_several_images(void **state)
{
    static const struct {
        uint32_t slot, number;
    } rows[] = {{0, 7}, {1, 8}, {2, 3}, {3, 4}, {4, 5}, {5, 6}};
    struct ferry_boot_image images[3];
    char expected[64];
    const char *json;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    for (uint8_t i = 0; i < 3; i++) { /* the same flash thrice: nothing is written */
        images[i] = rig.bench.device.image;
        images[i].slots.number = i;
    }
    rig.bench.device.config.images = images;
    rig.bench.device.config.image_count = 3;
    enter();
    json = recovery_rig_ask(&rig, READ, IMAGE, FERRY_SMP_IMAGE_SLOT_INFO, "{}");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(expected, sizeof(expected),
                       "\"slot\":%u,\"size\":4096,\"upload_image_id\":%u}", rows[i].slot % 2,
                       rows[i].number);
        json = strstr(json, expected);
        assert_non_null(json);
    }
    assert_string_equal(recovery_rig_upload(&rig, 9, NEW, 200), ERR(9));
    assert_string_equal(recovery_rig_upload(&rig, 100, NEW, 200), ERR(9));
}

/* ---- In place ----------------------------------------------------------------------------------
 */

static void test_in_place_the_other_slot_is_taken_and_asked_for(void **state)
{
    (void)state;
    begin(&ferry_boot_direct_xip_revert, false);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    upload(AUTO, OLD, "");
    assert_true(fault_device_holds(FIRST, OLD));
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);
    enter();
    upload(AUTO, NEW, "");
    assert_true(fault_device_holds(FIRST, OLD) && fault_device_holds(OTHER, NEW));
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
    assert_int_equal(rig.bench.report.images[0].slot, 1);
}

static void test_an_image_goes_to_the_slot_it_is_linked_to(void **state)
{
    struct test_image_spec spec = {.version = {.major = 4},
                                   .key = TEST_KEY_NONE,
                                   .flags = FERRY_IMAGE_ROM_FIXED,
                                   .load_address = 0x5000,
                                   .header_size = 32,
                                   .payload_size = 600};
    struct fault_image image;
    (void)state;

    begin(&ferry_boot_direct_xip, false);
    rig.bench.device.image.addresses[0] = 0x4000;
    rig.bench.device.image.addresses[1] = 0x5000;
    image = bench_build(&rig.bench, &spec);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    assert_string_equal(recovery_rig_upload(&rig, PRIMARY, &image, 200), ERR(25));
    upload(AUTO, &image, "");
    assert_true(fault_device_holds(OTHER, &image));
    boots(FERRY_OK, FERRY_BOOT_RAN, 4);
}

/* As of a first stage: what is in the primary is the program that serves. */
static void test_a_primary_of_its_own_is_left_alone(void **state)
{
    static struct ferry_strategy_traits traits;
    static struct ferry_boot_strategy strategy;
    (void)state;

    traits = ferry_traits_overwrite;
    traits.own_primary = true;
    strategy = ferry_boot_overwrite;
    strategy.traits = &traits;
    begin(&strategy, false);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    upload(AUTO, NEW, "");
    assert_true(fault_device_holds(OTHER, NEW));
    assert_string_equal(recovery_rig_upload(&rig, PRIMARY, OLD, 200), ERR(9));
    erase("{\"slot\":0}", ERR(9));
}

/* Encrypted images are judged in the clear, and go to where the boot decrypts them from. */
static void test_an_encrypted_image_is_judged_in_the_clear(void **state)
{
    struct test_image_spec spec = {.version = {.major = 2},
                                   .key = TEST_KEY_NONE,
                                   .payload_size = 608,
                                   .header_size = 32,
                                   .wrap = TEST_WRAP_EC256};
    struct fault_image image;
    (void)state;

    begin(&ferry_boot_overwrite, true);
    image = bench_build(&rig.bench, &spec);
    enter();
    assert_non_null(strstr(recovery_rig_upload(&rig, AUTO, &image, image.size), "err"));
    assert_string_equal(ferry_error_name(recovery_rig_why(&rig).reason), "FERRY_E_UNSUPPORTED");

    rig.config.encryption = &ferry_recovery_encrypted;
    rig.config.secrets = test_secrets(true);
    enter();
    assert_non_null(strstr(recovery_rig_upload(&rig, AUTO, &image, image.size), "err"));
    assert_string_equal(ferry_error_name(recovery_rig_why(&rig).reason), "FERRY_E_SECRET");

    rig.config.secrets = test_secrets(false);
    enter();
    upload(AUTO, &image, "");
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:pP");

    recovery_rig_free(&rig); /* with nothing that runs as well */
    begin(&ferry_boot_overwrite, false);
    image = bench_build(&rig.bench, &spec);
    rig.config.encryption = &ferry_recovery_encrypted;
    rig.config.secrets = test_secrets(false);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    upload(AUTO, &image, "");
    assert_true(fault_device_holds(OTHER, &image));
}

static void test_a_single_slot_is_replaced(void **state)
{
    (void)state;
    begin(&ferry_boot_single_slot, true);
    enter();
    upload(AUTO, NEW, "");
    assert_string_equal(recovery_rig_upload(&rig, SECONDARY, NEW, 200), ERR(9));
    assert_string_equal(recovery_rig_ask(&rig, WRITE, IMAGE, FERRY_SMP_IMAGE_STATE, "{}"),
                        "{\"rc\":8}");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
}

/* ---- What is refused
 * ----------------------------------------------------------------------------- */

static void expect_refused(const struct fault_image *image, const char *error, int reason)
{
    enter();
    upload(AUTO, image, error);
    assert_int_equal(recovery_rig_why(&rig).action, FERRY_BOOT_REFUSED);
    assert_string_equal(ferry_error_name(recovery_rig_why(&rig).reason), ferry_error_name(reason));
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);
}

static void test_a_wrong_signature_is_refused_before_the_boot(void **state)
{
    struct test_image_spec spec = {.version = {.major = 1}, .payload_size = 600, .header_size = 32};
    struct fault_image image;
    (void)state;

    begin(&ferry_boot_swap_move, false);
    rig.bench.device.config.trust = *test_trust(TEST_KEY_P256);
    image = bench_build(&rig.bench, &spec);
    fault_device_load(FIRST, &image);
    spec.version.major = 2;
    spec.key = TEST_KEY_P256_OTHER;
    image = bench_build(&rig.bench, &spec);
    expect_refused(&image, ERR(24), FERRY_E_NO_KEY);
    spec.key = TEST_KEY_NONE;
    image = bench_build(&rig.bench, &spec);
    expect_refused(&image, ERR(24), FERRY_E_NO_SIGNATURE);
    enter();
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:!");
    assert_string_equal(recovery_rig_state(&rig, &image, false), ERR(24));
    spec.key = TEST_KEY_P256;
    image = bench_build(&rig.bench, &spec);
    upload(AUTO, &image, "");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
}

/* At its first chunk: nothing of it is written. */
static void test_a_compressed_image_is_refused_at_once(void **state)
{
    struct test_image_spec spec = {.version = {.major = 2},
                                   .key = TEST_KEY_NONE,
                                   .payload_size = 600,
                                   .header_size = 32,
                                   .flags = FERRY_IMAGE_LZMA2};
    struct fault_image image;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    image = bench_build(&rig.bench, &spec);
    enter();
    assert_string_equal(recovery_rig_upload(&rig, AUTO, &image, 200),
                        "{\"err\":{\"group\":1,\"rc\":22},\"off\":0}");
    assert_string_equal(ferry_error_name(recovery_rig_why(&rig).reason), "FERRY_E_COMPRESSED");
    assert_int_equal(recovery_rig_why(&rig).version.major, 2);
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c");
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);

    fault_device_load(OTHER, &image); /* it came another way */
    enter();
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c 1:2.0.0:!");
    assert_string_equal(recovery_rig_state(&rig, &image, false), ERR(22));
}

static void test_a_damaged_image_is_refused(void **state)
{
    uint8_t bytes[2048];
    struct fault_image image = {bytes, 0};
    (void)state;

    begin(&ferry_boot_swap_move, true);
    memcpy(bytes, NEW->bytes, NEW->size);
    image.size = NEW->size;
    bytes[500] ^= 1;
    expect_refused(&image, ERR(24), FERRY_E_DIGEST);
    bytes[500] ^= 1;
    bytes[NEW->size - 36 - 4] ^= 1; /* magic of the TLV area */
    expect_refused(&image, ERR(5), FERRY_E_TLV);
}

static void test_a_downgrade_is_refused(void **state)
{
    static const struct ferry_policy_rule *const rules[] = {&ferry_policy_version};
    static const struct ferry_image_policy policy = {
        .rules = rules, .rule_count = 1, .memory = &ferry_policy_in_store, .with_build = true};
    struct fault_image same;
    (void)state;

    begin(&ferry_boot_swap_move, false);
    rig.bench.device.image.slots.policy = &policy;
    fault_device_load(FIRST, NEW);
    same = bench_image(&rig.bench, 2, 1300);
    enter();
    upload(AUTO, OLD, ERR(27));
    assert_int_equal(recovery_rig_why(&rig).reason, FERRY_E_DOWNGRADE);
    upload(AUTO, &same, ERR(27)); /* nothing is left of it that could run */
    assert_string_equal(recovery_rig_list(&rig), "0:2.0.0:c");
    upload(AUTO, NEW, ""); /* itself is none */
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);

    /* With nothing left that runs, the store still knows what was confirmed. */
    enter();
    recovery_rig_upload(&rig, PRIMARY, NEW, 600);
    erase("{\"slot\":1}", "{}");
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    upload(PRIMARY, OLD, ERR(27));
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:!c");
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    upload(PRIMARY, NEW, "");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
}

static void test_what_cannot_be_an_image_is_refused_at_its_first_chunk(void **state)
{
    uint8_t bytes[8192] = {0};
    struct fault_image image = {bytes, 1000};
    (void)state;

    begin(&ferry_boot_swap_move, true);
    enter();
    assert_string_equal(recovery_rig_upload(&rig, AUTO, &image, 200), ERR(23));
    memcpy(bytes, NEW->bytes, NEW->size);
    bytes[8] = 8; /* header size */
    assert_string_equal(recovery_rig_upload(&rig, AUTO, &image, 200), ERR(22));
    bytes[8] = 32;
    image.size = sizeof(bytes);
    assert_string_equal(recovery_rig_upload(&rig, AUTO, &image, 200), ERR(30));
    assert_int_equal(rig.bench.device.power.operations, 0);
}

/* Told before anything is erased; and over the primary, what is refused does not run either, though
 * nobody remembers what was there. */
static void test_a_downgrade_over_the_primary_is_refused(void **state)
{
    static const struct ferry_policy_rule *const rules[] = {&ferry_policy_version};
    static const struct ferry_image_policy policy = {
        .rules = rules, .rule_count = 1, .with_build = true};
    struct fault_image same;
    (void)state;

    begin(&ferry_boot_swap_move, false);
    rig.bench.device.image.slots.policy = &policy;
    fault_device_load(FIRST, NEW);
    same = bench_image(&rig.bench, 2, 1300);
    rig.config.no_downgrade = true;
    enter();
    assert_string_equal(recovery_rig_chunk(&rig, PRIMARY, OLD, 0, 200),
                        "{\"err\":{\"group\":1,\"rc\":27},\"off\":0}");
    assert_true(fault_device_holds(FIRST, NEW));
    upload(PRIMARY, &same, ERR(27));
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
}

/* ---- Erase
 * ---------------------------------------------------------------------------------------- */

static void test_any_slot_may_be_erased(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move, true);
    fault_device_load(OTHER, NEW);
    enter();
    erase("{}", "{}");
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c");
    erase("{\"slot\":0}", "{}");
    assert_string_equal(recovery_rig_list(&rig), "");
    erase("{\"slot\":2}", ERR(10));
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
}

/* Texts are the configuration's choice: they are many bytes. */
static void test_a_refusal_has_a_text_where_one_is_chosen(void **state)
{
    char request[128] = "{\"hash\":\"h'";
    struct ferry_image_info info;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    assert_int_equal(ferry_image_inspect(&FIRST->ram.flash, &info), FERRY_OK);
    for (size_t i = 0; i < info.digest_len; i++) {
        (void)snprintf(request + strlen(request), 3, "%02x", info.digest[i]);
    }
    (void)strcat(request, "'\"}");
    FIRST->memory[500] ^= 1; /* it does not verify any more */
    rig.config.verbose = true;
    enter();
    assert_string_equal(recovery_rig_ask_v1(&rig, WRITE, IMAGE, FERRY_SMP_IMAGE_STATE, request),
                        "{\"rc\":3}");
    rig.config.text = ferry_error_text;
    enter();
    assert_string_equal(recovery_rig_ask_v1(&rig, WRITE, IMAGE, FERRY_SMP_IMAGE_STATE, request),
                        "{\"rc\":3,\"rsn\":\"the digest does not match: the image is damaged\"}");
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_good_primary_is_kept_until_the_new_image_is_whole),
        CASE(test_an_aborted_upload_costs_nothing),
        CASE(test_a_refusal_has_a_text_where_one_is_chosen),
        CASE(test_without_a_good_image_it_goes_to_the_primary),
        CASE(test_of_a_trial_and_a_confirmed_image_the_trial_goes),
        CASE(test_the_same_number_may_be_said),
        CASE(test_an_unfinished_swap_is_finished_first),
        CASE(test_the_primary_by_its_number_runs_at_once),
        CASE(test_half_a_primary_strands_nobody),
        CASE(test_the_secondary_by_its_number_waits_to_be_asked_for),
        CASE(test_what_is_uploaded_last_runs),
        CASE(test_slot_info_has_the_numbers),
        CASE(test_numbers_of_several_images),
        CASE(test_in_place_the_other_slot_is_taken_and_asked_for),
        CASE(test_an_image_goes_to_the_slot_it_is_linked_to),
        CASE(test_a_single_slot_is_replaced),
        CASE(test_a_primary_of_its_own_is_left_alone),
        CASE(test_an_encrypted_image_is_judged_in_the_clear),
        CASE(test_a_wrong_signature_is_refused_before_the_boot),
        CASE(test_a_compressed_image_is_refused_at_once),
        CASE(test_a_damaged_image_is_refused),
        CASE(test_a_downgrade_is_refused),
        CASE(test_a_downgrade_over_the_primary_is_refused),
        CASE(test_what_cannot_be_an_image_is_refused_at_its_first_chunk),
        CASE(test_any_slot_may_be_erased),
    };

    return cmocka_run_group_tests_name("recovery upload", tests, NULL, NULL);
}

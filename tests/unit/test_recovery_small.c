/* SPDX-License-Identifier: Apache-2.0 */
/* Small recovery: where uploads go, what is refused, what runs afterwards, how long it stays. */
#include "boot_bench.h"
#include "ferry/recovery_small.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum { OS = FERRY_SMP_GROUP_OS, IMAGE = FERRY_SMP_GROUP_IMAGE };
enum { STAY = FERRY_RECOVERY_STAY, LEAVE = FERRY_RECOVERY_LEAVE, RESET = FERRY_RECOVERY_RESET };
enum { AUTO = -1, PRIMARY = 1, SECONDARY = 2 }; /* numbers of an upload */

#define ERR(n)    "{\"err\":{\"group\":1,\"rc\":" #n "}}"
#define IDLE_MS   1000
#define WINDOW_MS 200
#define CHUNK     200

static struct bench bench;
static struct ferry_recovery_small_config config;
static struct ferry_recovery_small recovery;
static uint64_t now;

#define OLD    (&bench.device.old)
#define NEW    (&bench.device.new)
#define FIRST  (&bench.device.primary)
#define OTHER  (&bench.device.secondary)
#define SLOTS  (&bench.device.image.slots)
#define REPORT (&bench.report.images[0])

/* ---- The rig --------------------------------------------------------------------------------- */

static int tear_down(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

/* A device of a strategy with the images 1.0.0 and 2.0.0, the first in its primary when good. */
static void begin(const struct ferry_boot_strategy *strategy, bool good)
{
    bench_init(&bench, &bench_geometry, strategy);
    if (strategy->traits->slot_count == 1) {
        SLOTS->secondary = NULL;
    }
    *OLD = bench_image(&bench, 1, 1000);
    *NEW = bench_image(&bench, 2, 1900);
    config = (struct ferry_recovery_small_config){.boot = &bench.device.config,
                                                  .buf_size = 512,
                                                  .buf_count = 2,
                                                  .window_ms = WINDOW_MS,
                                                  .idle_ms = IDLE_MS};
    now = 5000;
    if (good) {
        fault_device_load(FIRST, OLD);
    }
}

/* For NO_IMAGE a boot runs first, which must find none. */
static void enter_by(enum ferry_recovery_way way)
{
    fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
    memset(&bench.report, 0xa5, sizeof(bench.report));
    memset(&recovery, 0xa5, sizeof(recovery));
    if (way == FERRY_RECOVERY_NO_IMAGE) {
        assert_int_not_equal(fault_device_boot(&bench.device, &bench.report), FERRY_OK);
    }
    ferry_recovery_small_init(&recovery, &config, way, &bench.report, now);
}

static void enter(void)
{
    enter_by(FERRY_RECOVERY_BUTTON);
}

static const char *send(const uint8_t *request, size_t len)
{
    static struct rig_answer answer;
    struct ferry_bytes pending = {request, len};
    struct ferry_smp_header header;
    struct ferry_bytes payload;
    struct ferry_bytes rest;

    len = ferry_recovery_small_handle(&recovery, &pending, answer.bytes, 512);
    assert_int_equal(
        ferry_smp_packet_read((struct ferry_bytes){answer.bytes, len}, &header, &payload, &rest),
        FERRY_OK);
    rig_json(payload, answer.json, sizeof(answer.json));
    return answer.json;
}

static const char *ask(uint8_t op, uint16_t group, uint8_t id, const char *json)
{
    uint8_t request[RIG_MAX];

    return send(request,
                rig_request(op, FERRY_SMP_VERSION_2, group, id, json, request, sizeof(request)));
}

static const char *chunk(int number, const struct fault_image *image, uint32_t from, uint32_t to)
{
    uint8_t request[RIG_MAX];

    return send(request, rig_chunk(number, (struct ferry_bytes){image->bytes, image->size}, from,
                                   to, request, sizeof(request)));
}

/* The bytes up to `to`; the last answer. */
static const char *upload_to(int number, const struct fault_image *image, uint32_t to)
{
    const char *json = "";

    for (uint32_t from = 0; from < to; from += CHUNK) {
        json = chunk(number, image, from, ferry_min32(from + CHUNK, to));
    }
    return json;
}

/* All of an image; the answer must be this, "" for the offset at its end. */
static void upload(int number, const struct fault_image *image, const char *expected)
{
    char end[32];

    (void)snprintf(end, sizeof(end), "{\"off\":%u}", image->size);
    assert_string_equal(upload_to(number, image, image->size),
                        expected[0] != '\0' ? expected : end);
}

/* The list as "0:1.0.0: 1:2.0.0:pP". All in it is bootable, and nothing runs. */
static const char *list(void)
{
    static char text[128];
    const char *json = ask(READ, IMAGE, FERRY_SMP_IMAGE_STATE, "{}");
    size_t len = 0;

    text[0] = '\0';
    assert_null(strstr(json, "active"));
    assert_null(strstr(json, "false"));
    for (const char *at = strstr(json, "\"slot\":"); at != NULL; at = strstr(at + 1, "\"slot\":")) {
        const char *version = strstr(at, "\"version\":\"") + 11;
        const char *end = strchr(at, '}');
        const char *pending = strstr(at, "\"pending\":true");
        const char *permanent = strstr(at, "\"permanent\":true");

        assert_true(strstr(at, "\"bootable\":true") < end);
        assert_true(strstr(at, "\"hash\":") < end);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c:%.*s:%s%s",
                                len > 0 ? " " : "", at[7], (int)strcspn(version, "\""), version,
                                pending != NULL && pending < end ? "p" : "",
                                permanent != NULL && permanent < end ? "P" : "");
    }
    return text;
}

/* The boot that follows. */
static void boots(int result, enum ferry_boot_action action, uint8_t major)
{
    fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), result);
    assert_string_equal(ferry_boot_action_name(REPORT->action), ferry_boot_action_name(action));
    if (result == FERRY_OK) {
        assert_int_equal(REPORT->info.header.version.major, major);
        assert_int_equal(REPORT->next, FERRY_SWAP_NONE); /* for good */
    }
}

static enum ferry_recovery_wish wait(uint32_t ms)
{
    uint64_t deadline = 0;
    enum ferry_recovery_wish wish;

    now += ms;
    wish = ferry_recovery_small_next(&recovery, now, &deadline);
    assert_true(wish != FERRY_RECOVERY_STAY || deadline > now);
    return wish;
}

static void echo(void)
{
    assert_string_equal(ask(WRITE, OS, FERRY_SMP_OS_ECHO, "{\"d\":\"hi\"}"), "{\"r\":\"hi\"}");
}

/* ---- Where no good image is lost ----------------------------------------------------------------
 */

static void test_a_good_primary_is_kept_until_the_new_image_is_whole(void **state)
{
    static const struct ferry_boot_strategy *const strategies[] = {
        &ferry_boot_swap_move, &ferry_boot_swap_shift, &ferry_boot_swap_offset,
        &ferry_boot_overwrite};
    (void)state;

    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        begin(strategies[i], true);
        enter();
        assert_string_equal(list(), "0:1.0.0:");
        upload_to(AUTO, NEW, 1200); /* given up by its client */
        assert_string_equal(list(), "0:1.0.0:");
        boots(FERRY_OK, FERRY_BOOT_RAN, 1);
        enter();
        upload(AUTO, NEW, "");
        assert_string_equal(list(), "0:1.0.0: 1:2.0.0:pP");
        boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
        assert_int_equal(bench.device.primary.reprogrammed + bench.device.secondary.reprogrammed,
                         0);
        bench_free(&bench);
    }
    begin(&ferry_boot_swap_move, false);
}

static void test_without_a_good_image_it_goes_to_the_primary(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_shift, false);
    enter_by(FERRY_RECOVERY_NO_IMAGE);
    upload_to(0, NEW, 1200);
    assert_string_equal(list(), "");
    boots(FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, 0);
    enter(); /* the boot is run in here */
    upload(0, NEW, "");
    assert_string_equal(list(), "0:2.0.0:");
    upload(0, OLD, ""); /* and beside it, once it has a good one */
    assert_string_equal(list(), "0:2.0.0: 1:1.0.0:pP");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 1);
}

static void test_of_a_trial_and_a_confirmed_image_the_trial_goes(void **state)
{
    struct fault_image next;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    next = bench_image(&bench, 3, 1500);
    fault_device_load(OTHER, NEW);
    bench_request(&bench, false);
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_OK);
    assert_int_equal(REPORT->next, FERRY_SWAP_REVERT);
    enter(); /* and goes back when the boot runs in here: it did not confirm */
    upload(AUTO, &next, "");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 3);
}

/* A swap that was cut is finished before anything is written, and not by looking. */
static void test_what_was_interrupted_is_finished_first(void **state)
{
    struct fault_image next;
    (void)state;

    begin(&ferry_boot_swap_shift, true);
    next = bench_image(&bench, 3, 1500);
    fault_device_load(OTHER, NEW);
    bench_request(&bench, true);
    fault_device_power_on(&bench.device, 9, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_POWER);
    enter();
    (void)list();
    assert_int_equal(bench.device.power.operations, 0);
    upload_to(AUTO, &next, CHUNK);
    assert_true(fault_device_holds(FIRST, NEW));
    assert_int_equal(REPORT->action, FERRY_BOOT_UPGRADED);
    assert_string_equal(list(), "0:2.0.0:");
    upload(AUTO, &next, "");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 3);
}

static void test_numbers_name_a_slot(void **state)
{
    struct fault_image next;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    next = bench_image(&bench, 3, 1500);
    enter();
    upload(SECONDARY, NEW, "");
    assert_string_equal(list(), "0:1.0.0: 1:2.0.0:"); /* it is not asked for */
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);
    enter();
    upload(PRIMARY, &next, "");
    assert_string_equal(list(), "0:3.0.0: 1:2.0.0:");
    boots(FERRY_OK, FERRY_BOOT_RAN, 3);
    enter();
    assert_string_equal(chunk(3, NEW, 0, CHUNK), ERR(9));
    assert_string_equal(chunk(0x7fffffff, NEW, 0, CHUNK), ERR(9));
}

/* What was asked for stays asked for: the primary is only what it would be swapped with. */
static void test_an_upload_to_the_primary_leaves_a_request_alone(void **state)
{
    struct fault_image next;
    (void)state;

    begin(&ferry_boot_swap_move, true);
    next = bench_image(&bench, 3, 1500);
    enter();
    upload(AUTO, NEW, "");
    upload(PRIMARY, &next, "");
    assert_string_equal(list(), "0:3.0.0: 1:2.0.0:pP");
    boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
    assert_true(fault_device_holds(OTHER, &next));
}

static void test_a_device_with_one_slot(void **state)
{
    (void)state;
    begin(&ferry_boot_single_slot, true);
    enter();
    assert_string_equal(list(), "0:1.0.0:");
    assert_string_equal(chunk(SECONDARY, NEW, 0, CHUNK), ERR(9));
    upload(AUTO, NEW, "");
    assert_string_equal(list(), "0:2.0.0:");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
}

/* ---- What is refused ---------------------------------------------------------------------------
 */

static void test_an_image_that_does_not_verify_is_taken_away(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_shift, true);
    bench.images[1][500] ^= 1;
    enter();
    upload(AUTO, NEW, ERR(24));
    assert_int_equal(OTHER->memory[0], 0xff);
    assert_string_equal(list(), "0:1.0.0:");
    boots(FERRY_OK, FERRY_BOOT_RAN, 1);
    enter();
    upload(PRIMARY, NEW, ERR(24));
    assert_string_equal(list(), "");
    bench.images[1][500] ^= 1;
    upload(PRIMARY, NEW, "");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
}

static void test_a_wrong_key_is_refused(void **state)
{
    const struct test_image_spec wrong = {.key = TEST_KEY_ED25519, .payload_size = 500};
    const struct test_image_spec right = {.version = {7}, .payload_size = 500};
    struct fault_image image;
    (void)state;

    begin(&ferry_boot_swap_shift, false);
    bench.device.config.trust = *test_trust(TEST_KEY_P256);
    enter();
    image = bench_build(&bench, &wrong);
    upload(AUTO, &image, ERR(24));
    upload(AUTO, NEW, ERR(24)); /* without any signature */
    image = bench_build(&bench, &right);
    upload(AUTO, &image, "");
    boots(FERRY_OK, FERRY_BOOT_RAN, 7);
}

/* TLVs that are not of the file would be whatever the flash has behind it. */
static void test_a_file_that_ends_before_its_image_is_refused(void **state)
{
    struct fault_image cut;
    (void)state;

    begin(&ferry_boot_swap_shift, true);
    enter();
    cut = *NEW;
    cut.size -= 4;
    upload(AUTO, &cut, ERR(24));
    assert_string_equal(list(), "0:1.0.0:");
}

static void test_the_boots_policy_is_asked(void **state)
{
    static const struct ferry_policy_rule *const rules[] = {&ferry_policy_version};
    static const struct ferry_image_policy policy = {.rules = rules, .rule_count = 1};
    (void)state;

    begin(&ferry_boot_swap_shift, true);
    SLOTS->policy = &policy;
    fault_device_load(FIRST, NEW);
    enter();
    upload(AUTO, OLD, ERR(27));
    assert_string_equal(list(), "0:2.0.0:");
    boots(FERRY_OK, FERRY_BOOT_RAN, 2);
    enter();
    upload(AUTO, NEW, ""); /* the same is no downgrade */
}

static void test_requests_are_checked_as_an_applications_are(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_shift, true);
    enter();
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_UPLOAD, "{}"), ERR(20));
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_UPLOAD, "{\"off\":5}"), "{\"off\":0}");
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_UPLOAD, "{\"off\":0,\"len\":100}"),
                        ERR(22));
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_UPLOAD, NULL), "{\"rc\":3}");
    assert_int_equal(bench.device.power.operations, 0);
    struct fault_image large = bench_image(&bench, 4, 4096);

    assert_string_equal(chunk(AUTO, &large, 0, CHUNK), ERR(30));
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_STATE, "{\"confirm\":true}"),
                        "{\"rc\":8}");
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_ERASE, "{}"), "{\"rc\":8}");
    assert_string_equal(ask(READ, OS, FERRY_SMP_OS_BOOTLOADER_INFO, "{}"), "{\"rc\":8}");
    assert_string_equal(ask(READ, OS, FERRY_SMP_OS_PARAMS, "{}"),
                        "{\"buf_size\":512,\"buf_count\":2}");
}

/* As with MCUboot: who sends the first chunk begins anew, whatever file it is. */
static void test_a_first_chunk_begins_anew(void **state)
{
    char request[256] = "{\"off\":0,\"len\":1900,\"sha\":\"h'0102'\",\"data\":\"h'";
    (void)state;

    begin(&ferry_boot_swap_shift, true);
    enter();
    for (size_t i = 0; i < 40; i++) {
        (void)snprintf(request + strlen(request), 3, "%02x", NEW->bytes[i]);
    }
    (void)strcat(request, "'\"}");
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_UPLOAD, request), "{\"off\":40}");
    assert_string_equal(chunk(AUTO, NEW, 40, 100), "{\"off\":100}");
    assert_string_equal(ask(WRITE, IMAGE, FERRY_SMP_IMAGE_UPLOAD, request), "{\"off\":40}");
}

/* ---- Power cuts --------------------------------------------------------------------------------
 */

/* At every operation of an upload: the boot that follows runs the old image or the new one, and a
 * second upload succeeds. */
static void sweep(const struct ferry_boot_strategy *strategy, enum fault_way how)
{
    bool whole = false;

    for (uint64_t cut = 1; !whole; cut++) {
        begin(strategy, true);
        enter();
        fault_device_power_on(&bench.device, cut, how);
        (void)upload_to(AUTO, NEW, NEW->size);
        whole = !bench.device.power.off;
        fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_OK);
        assert_int_equal(REPORT->next, FERRY_SWAP_NONE); /* never a test */
        if (whole) {
            assert_int_equal(REPORT->info.header.version.major, 2);
        }
        enter();
        upload(AUTO, NEW, "");
        boots(FERRY_OK, FERRY_BOOT_UPGRADED, 2);
        assert_int_equal(bench.device.primary.reprogrammed + bench.device.secondary.reprogrammed,
                         0);
        bench_free(&bench);
    }
}

static void test_a_cut_at_every_operation_leaves_an_image_that_runs(void **state)
{
    static const struct ferry_boot_strategy *const strategies[] = {
        &ferry_boot_swap_move, &ferry_boot_swap_shift, &ferry_boot_overwrite};
    (void)state;

    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        for (int how = FAULT_BEFORE; how < FAULT_WAYS; how++) {
            sweep(strategies[i], (enum fault_way)how);
        }
    }
    begin(&ferry_boot_swap_move, false);
}

/* ---- How long it stays --------------------------------------------------------------------------
 */

static void test_it_is_left_when_it_is_idle(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_shift, true);
    enter();
    assert_int_equal(wait(IDLE_MS - 1), STAY);
    echo();
    assert_int_equal(wait(IDLE_MS), STAY); /* counts from here */
    assert_int_equal(wait(IDLE_MS - 1), STAY);
    assert_int_equal(wait(1), LEAVE);
    assert_int_equal(bench.device.power.operations, 0);
    config.idle_ms = 0;
    enter_by(FERRY_RECOVERY_BOOT_MODE);
    assert_int_equal(wait(1000000000), STAY);
}

static void test_a_window_closes_unless_a_command_comes(void **state)
{
    struct ferry_bytes noise = {(const uint8_t *)"1234567", 7};
    uint8_t out[64];
    (void)state;

    begin(&ferry_boot_swap_shift, true);
    enter_by(FERRY_RECOVERY_WINDOW);
    assert_int_equal(wait(WINDOW_MS - 1), STAY);
    assert_int_equal(ferry_recovery_small_handle(&recovery, &noise, out, sizeof(out)), 0);
    assert_int_equal(wait(1), LEAVE);

    enter_by(FERRY_RECOVERY_WINDOW);
    assert_int_equal(wait(WINDOW_MS - 1), STAY);
    echo();
    assert_int_equal(wait(1), STAY);
    assert_int_equal(wait(IDLE_MS - 1), STAY);
    assert_int_equal(wait(1), LEAVE);
}

static void test_without_an_image_it_waits_until_something_was_changed(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_shift, false);
    enter_by(FERRY_RECOVERY_NO_IMAGE);
    assert_int_equal(wait(1000000000), STAY);
    upload_to(AUTO, NEW, CHUNK);
    assert_int_equal(wait(0), STAY);
    assert_int_equal(wait(IDLE_MS), LEAVE);
}

static void test_a_reset_comes_with_its_answer(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_shift, true);
    enter();
    assert_string_equal(ask(WRITE, OS, FERRY_SMP_OS_RESET, "{\"boot_mode\":1}"), "{}");
    assert_int_equal(wait(0), RESET);
    assert_int_equal(ferry_recovery_small_boot_mode(&recovery), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_good_primary_is_kept_until_the_new_image_is_whole,
                                  tear_down),
        cmocka_unit_test_teardown(test_without_a_good_image_it_goes_to_the_primary, tear_down),
        cmocka_unit_test_teardown(test_of_a_trial_and_a_confirmed_image_the_trial_goes, tear_down),
        cmocka_unit_test_teardown(test_what_was_interrupted_is_finished_first, tear_down),
        cmocka_unit_test_teardown(test_numbers_name_a_slot, tear_down),
        cmocka_unit_test_teardown(test_an_upload_to_the_primary_leaves_a_request_alone, tear_down),
        cmocka_unit_test_teardown(test_a_device_with_one_slot, tear_down),
        cmocka_unit_test_teardown(test_an_image_that_does_not_verify_is_taken_away, tear_down),
        cmocka_unit_test_teardown(test_a_wrong_key_is_refused, tear_down),
        cmocka_unit_test_teardown(test_a_file_that_ends_before_its_image_is_refused, tear_down),
        cmocka_unit_test_teardown(test_the_boots_policy_is_asked, tear_down),
        cmocka_unit_test_teardown(test_requests_are_checked_as_an_applications_are, tear_down),
        cmocka_unit_test_teardown(test_a_first_chunk_begins_anew, tear_down),
        cmocka_unit_test_teardown(test_a_cut_at_every_operation_leaves_an_image_that_runs,
                                  tear_down),
        cmocka_unit_test_teardown(test_it_is_left_when_it_is_idle, tear_down),
        cmocka_unit_test_teardown(test_a_window_closes_unless_a_command_comes, tear_down),
        cmocka_unit_test_teardown(test_without_an_image_it_waits_until_something_was_changed,
                                  tear_down),
        cmocka_unit_test_teardown(test_a_reset_comes_with_its_answer, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

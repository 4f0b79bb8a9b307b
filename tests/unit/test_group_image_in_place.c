/* SPDX-License-Identifier: Apache-2.0 */
/* The image group where images run from the slot they were uploaded to (direct-xip, ram-load). What
 * is recorded for test and confirm is another matter: here the strategy's state is a stand-in that
 * answers what it is told and counts what it is asked. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { STATE = FERRY_SMP_IMAGE_STATE, ERASE = FERRY_SMP_IMAGE_ERASE };
enum { SLOTS = FERRY_SMP_IMAGE_SLOT_INFO };
enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };

#define ERR(n) "{\"err\":{\"group\":1,\"rc\":" #n "}}"

static struct image_rig rig; /* a quarter of a megabyte */
static uint8_t file[4096];
static size_t file_len;

/* ---- The stand-in ------------------------------------------------------------- */

static struct ferry_slots_next answer_next;
static int answer_rc;  /* of what writes */
static char asked[16]; /* t test, p permanent, c confirm */

static void note(char what)
{
    size_t len = strlen(asked);

    assert_true(len + 1 < sizeof(asked));
    asked[len] = what;
    asked[len + 1] = '\0';
}

static int next(const struct ferry_slots *slots, struct ferry_slots_next *out)
{
    (void)slots;
    *out = answer_next;
    return FERRY_OK;
}

static int set_pending(const struct ferry_slots *slots, bool permanent)
{
    (void)slots;
    note(permanent ? 'p' : 't');
    return answer_rc;
}

static int confirm(const struct ferry_slots *slots)
{
    (void)slots;
    note('c');
    return answer_rc;
}

static int cancel(const struct ferry_slots *slots)
{
    (void)slots;
    fail_msg("nobody asks for this over SMP");
    return FERRY_E_UNSUPPORTED;
}

static const struct ferry_slots_state stand_in = {next, set_pending, confirm, cancel};
static struct ferry_strategy_traits traits;

/* v1 in slot 0, v2 in slot 1; `active` runs. */
static void set_up(uint8_t active, bool reverts)
{
    traits = ferry_traits_overwrite;
    traits.mode = reverts ? FERRY_MODE_DIRECT_XIP_REVERT : FERRY_MODE_DIRECT_XIP;
    traits.in_place = true;
    traits.reverts = reverts;
    answer_next = (struct ferry_slots_next){active, FERRY_SWAP_NONE};
    answer_rc = FERRY_OK;
    asked[0] = '\0';
    image_rig_set_up(&rig, 8, 1);
    rig.slots[0].strategy = &traits;
    rig.slots[0].state = &stand_in;
    rig.slots[0].active = active;
    image_rig_restart(&rig);
    image_rig_install(&rig, 0, 1, 0);
    image_rig_install(&rig, 1, 2, 0);
    file_len = image_rig_build(3, 0, file, sizeof(file));
}

/* ---- The slot that runs ---------------------------------------------------------- */

static void test_the_active_slot_is_what_the_application_says(void **context)
{
    (void)context;
    set_up(0, true);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
    set_up(1, true);
    assert_string_equal(image_rig_flags(&rig), "0: 1:ac");
}

static void test_flags_follow_the_next_boot(void **context)
{
    static const struct {
        uint8_t active;
        struct ferry_slots_next next;
        const char *flags;
    } rows[] = {
        {0, {0, FERRY_SWAP_NONE}, "0:ac 1:"},   {0, {1, FERRY_SWAP_TEST}, "0:ac 1:p"},
        {0, {1, FERRY_SWAP_PERM}, "0:ac 1:pP"}, {0, {1, FERRY_SWAP_REVERT}, "0:a 1:c"},
        {1, {1, FERRY_SWAP_NONE}, "0: 1:ac"},   {1, {0, FERRY_SWAP_TEST}, "0:p 1:ac"},
        {1, {0, FERRY_SWAP_PERM}, "0:pP 1:ac"}, {1, {0, FERRY_SWAP_REVERT}, "0:c 1:a"},
    };
    (void)context;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up(rows[i].active, true);
        answer_next = rows[i].next;
        assert_string_equal(image_rig_flags(&rig), rows[i].flags);
    }
}

static void test_uploads_go_to_the_other_slot(void **context)
{
    static uint8_t before[RIG_SLOT];
    (void)context;

    for (uint8_t active = 0; active <= 1; active++) {
        set_up(active, active == 0);
        memcpy(before, rig.memory[active], RIG_SLOT);
        image_rig_upload_all(&rig, 0, file, file_len, 100, 200);
        assert_memory_equal(rig.memory[1 - active], file, file_len);
        assert_memory_equal(rig.memory[active], before, RIG_SLOT);
    }
}

static void test_an_upload_clears_the_trailer_of_its_slot(void **context)
{
    (void)context;
    set_up(1, true);
    assert_int_equal(ferry_trailer_write_magic(rig.slots[0].primary, 8), FERRY_OK);
    assert_int_equal(ferry_trailer_write_magic(rig.slots[0].secondary, 8), FERRY_OK);
    image_rig_upload_all(&rig, 0, file, file_len, 100, 200);
    assert_true(ferry_all_equal(rig.memory[0] + RIG_SLOT - 16, 16, 0xff));
    assert_false(ferry_all_equal(rig.memory[1] + RIG_SLOT - 16, 16, 0xff));
}

static void test_slots_in_use_take_no_upload(void **context)
{
    struct rig_upload first = RIG_UPLOAD;
    (void)context;

    set_up(1, true);
    first.off = 0;
    first.len = (int64_t)file_len;
    first.data = file;
    first.data_len = 100;
    answer_next = (struct ferry_slots_next){0, FERRY_SWAP_REVERT};
    assert_string_equal(image_rig_upload(&rig, 1, &first), ERR(9));
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(9));
    answer_next = (struct ferry_slots_next){0, FERRY_SWAP_TEST};
    rig.options.erase_pending = false;
    assert_string_equal(image_rig_upload(&rig, 1, &first), ERR(9));
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(9));
    rig.options.erase_pending = true;
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":100}");
}

/* The version in its torn header made it the one to go back to; rc 9 was for ever. */
static void test_half_an_upload_is_not_in_use(void **context)
{
    struct rig_upload first = RIG_UPLOAD;
    (void)context;

    set_up(1, true);
    first.off = 0;
    first.len = (int64_t)file_len;
    first.data = file;
    first.data_len = 100;
    memset(rig.memory[0] + 100, 0xff, 3000);
    answer_next = (struct ferry_slots_next){0, FERRY_SWAP_REVERT};
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":100}");
    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}");
}

static void test_upgrade_compares_with_the_slot_that_runs(void **context)
{
    struct rig_upload first = RIG_UPLOAD;
    (void)context;

    first.off = 0;
    first.data = file;
    first.data_len = 100;
    first.upgrade = 1;
    set_up(0, true); /* v1 runs */
    file_len = image_rig_build(2, 0, file, sizeof(file));
    first.len = (int64_t)file_len;
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":100}");
    set_up(1, true); /* v2 runs */
    file_len = image_rig_build(2, 0, file, sizeof(file));
    assert_string_equal(image_rig_upload(&rig, 1, &first), ERR(27));
}

static void test_an_image_linked_elsewhere_is_refused(void **context)
{
    static const uint32_t addresses[] = {0x8000, 0x20000};
    struct test_image_spec spec = {.version = {.major = 3},
                                   .key = TEST_KEY_NONE,
                                   .payload_size = 1000,
                                   .flags = FERRY_IMAGE_ROM_FIXED,
                                   .load_address = 0x8000};
    struct rig_upload first = RIG_UPLOAD;
    (void)context;

    set_up(0, false);
    rig.group_config.addresses = addresses;
    first.off = 0;
    first.len = (int64_t)test_image_build(&spec, file, sizeof(file));
    first.data = file;
    first.data_len = 100;
    assert_string_equal(image_rig_upload(&rig, 1, &first), ERR(25));
    rig.slots[0].active = 1;
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":100}");
    rig.slots[0].active = 0;
    rig.group_config.addresses = NULL;
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":100}");
    rig.group_config.addresses = addresses;
    spec.flags = 0; /* runs anywhere */
    first.len = (int64_t)test_image_build(&spec, file, sizeof(file));
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":100}");
}

static void test_erase_knows_the_slot_that_runs(void **context)
{
    (void)context;
    set_up(1, false);
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":1}", ERR(9));
    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}"); /* by default the other one */
    assert_true(ferry_all_equal(rig.memory[0], RIG_SLOT, 0xff));
    assert_false(ferry_all_equal(rig.memory[1], RIG_SLOT, 0xff));
    assert_string_equal(image_rig_events(&rig), "erased 0 0");
}

static void test_slot_info_says_where_uploads_go(void **context)
{
    char json[256];
    (void)context;

    set_up(1, false);
    rig.options.slot_info_always = true;
    (void)snprintf(json, sizeof(json),
                   "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":65536,"
                   "\"upload_image_id\":0},{\"slot\":1,\"size\":65536}],\"max_image_size\":%u}]}",
                   ferry_slots_max_image(&rig.slots[0]));
    image_rig_expect(&rig, READ, SLOTS, "{}", json);
}

static void test_a_slot_that_cannot_run_is_a_wrong_configuration(void **context)
{
    struct ferry_image_group group;
    (void)context;

    set_up(0, true);
    rig.slots[0].active = 2;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
    rig.slots[0].active = 1;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_OK);
    rig.slots[0].strategy = &ferry_traits_swap_move;
    rig.slots[0].state = ferry_slots_state_of(rig.slots[0].strategy);
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
}

/* ---- Test and confirm ------------------------------------------------------------- */

static void test_state_without_reverts_is_rc_8(void **context)
{
    (void)context;
    set_up(1, false);
    image_rig_expect(&rig, WRITE, STATE, "{\"confirm\":true}", "{\"rc\":8}");
    image_rig_expect(&rig, WRITE, STATE, "{}", "{\"rc\":8}");
    assert_string_equal(asked, "");
}

/* Send a wish for the image in a slot; NULL: the list is the answer. */
static void wish(uint32_t slot, bool permanent, const char *json)
{
    static struct rig_answer answer;
    char hash[65];
    char request[128];

    image_rig_hash(&rig, slot, hash);
    (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\",\"confirm\":%s}", hash,
                   permanent ? "true" : "false");
    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, request, &answer);
    if (json != NULL) {
        assert_string_equal(answer.json, json);
    } else {
        assert_non_null(strstr(answer.json, "\"images\":["));
    }
}

static void test_the_rules_go_by_the_slot_that_runs(void **context)
{
    (void)context;
    for (uint8_t active = 0; active <= 1; active++) {
        uint8_t other = 1 - active;

        set_up(active, true);
        wish(other, false, NULL); /* h */
        wish(other, true, NULL);  /* h */
        assert_string_equal(asked, "tp");
        wish(active, false, ERR(33)); /* c */
        wish(active, true, NULL);     /* e: it stays anyway */
        image_rig_expect(&rig, WRITE, STATE, "{}", ERR(24));
        assert_string_equal(asked, "tp");

        set_up(active, true);
        answer_next = (struct ferry_slots_next){other, FERRY_SWAP_REVERT};
        wish(other, false, ERR(28)); /* g */
        wish(active, true, NULL);    /* g */
        assert_string_equal(asked, "c");

        set_up(active, true);
        answer_next = (struct ferry_slots_next){other, FERRY_SWAP_TEST};
        wish(active, true, ERR(28)); /* d */
        wish(other, false, NULL);    /* d */
        answer_next.type = FERRY_SWAP_PERM;
        wish(active, true, ERR(28)); /* f */
        wish(other, true, NULL);     /* e */
        assert_string_equal(asked, "");
    }
}

static void test_confirm_without_a_hash_is_the_slot_that_runs(void **context)
{
    static struct rig_answer answer;
    (void)context;

    set_up(1, true);
    answer_next = (struct ferry_slots_next){0, FERRY_SWAP_REVERT};
    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, "{\"confirm\":true}", &answer);
    assert_non_null(strstr(answer.json, "\"images\":["));
    assert_string_equal(asked, "c");
    assert_string_equal(image_rig_events(&rig), "confirmed 0 0");
}

static void test_what_cannot_be_written_is_told(void **context)
{
    static const struct {
        int rc;
        const char *pending;
        const char *confirm;
    } rows[] = {
        {FERRY_E_STATE, ERR(23), ERR(29)},
        {FERRY_E_FLASH, ERR(12), ERR(12)},
        {FERRY_E_NOT_ERASED, ERR(12), ERR(12)},
        {FERRY_E_UNSUPPORTED, "{\"rc\":8}", "{\"rc\":8}"},
    };
    (void)context;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up(0, true);
        answer_rc = rows[i].rc;
        wish(1, false, rows[i].pending);
        answer_next = (struct ferry_slots_next){1, FERRY_SWAP_REVERT};
        wish(0, true, rows[i].confirm);
        assert_string_equal(image_rig_events(&rig), "");
    }
}

/* One image that reverts beside one that does not: each by its own rules. */
static void test_every_image_has_its_own_strategy(void **context)
{
    (void)context;
    set_up(0, false);
    image_rig_set_up(&rig, 8, 2);
    rig.slots[1].strategy = &ferry_traits_overwrite;
    rig.slots[1].state = ferry_slots_state_of(rig.slots[1].strategy);

    struct ferry_strategy_traits fixed = ferry_traits_overwrite;

    fixed.in_place = true;
    rig.slots[1].strategy = &fixed;
    rig.slots[1].state = ferry_slots_state_of(rig.slots[1].strategy);
    image_rig_restart(&rig);
    for (uint8_t slot = 0; slot < 4; slot++) {
        image_rig_install(&rig, slot, 1, slot);
    }
    wish(3, false, "{\"rc\":8}");
    wish(1, false, NULL);
}

/* ---- The real strategies ---------------------------------------------------------- */

/* v1 runs from `active`; the other slot is empty until v3 is uploaded. */
static void set_up_real(const struct ferry_strategy_traits *strategy, uint8_t active)
{
    image_rig_set_up(&rig, 8, 1);
    rig.slots[0].strategy = strategy;
    rig.slots[0].state = ferry_slots_state_of(rig.slots[0].strategy);
    rig.slots[0].active = active;
    image_rig_restart(&rig);
    image_rig_install(&rig, active, 1, 0);
    assert_int_equal(ferry_slots_confirm(&rig.slots[0]), FERRY_OK);
    file_len = image_rig_build(3, 0, file, sizeof(file));
    image_rig_upload_all(&rig, 0, file, file_len, 100, 200);
}

static void test_the_newest_is_next_where_nothing_is_asked(void **context)
{
    static const struct ferry_strategy_traits *const strategies[] = {&ferry_traits_direct_xip,
                                                                     &ferry_traits_ram_load};
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        set_up_real(strategies[i], 0);
        assert_string_equal(image_rig_flags(&rig), "0:ac 1:pP");
        set_up_real(strategies[i], 1);
        assert_string_equal(image_rig_flags(&rig), "0:pP 1:ac");
        wish(0, false, "{\"rc\":8}");
        image_rig_expect(&rig, WRITE, ERASE, "{}", "{}"); /* takes it back */
        assert_string_equal(image_rig_flags(&rig), "1:ac");
    }
}

static void test_a_test_is_asked_for_where_it_can_revert(void **context)
{
    static const struct ferry_strategy_traits *const strategies[] = {
        &ferry_traits_direct_xip_revert, &ferry_traits_ram_load_revert};
    (void)context;

    for (size_t i = 0; i < 4; i++) {
        uint8_t active = i % 2;

        set_up_real(strategies[i / 2], active);
        assert_string_equal(image_rig_flags(&rig), active == 0 ? "0:ac 1:" : "0: 1:ac");
        wish(1 - active, false, NULL);
        assert_string_equal(image_rig_flags(&rig), active == 0 ? "0:ac 1:p" : "0:p 1:ac");
        /* after the reset it runs, unconfirmed */
        assert_int_equal(
            ferry_trailer_write_copy_done(ferry_slots_slot(&rig.slots[0], 1 - active), 8),
            FERRY_OK);
        rig.slots[0].active = 1 - active;
        assert_string_equal(image_rig_flags(&rig), active == 0 ? "0:c 1:a" : "0:a 1:c");
        image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(9));
        wish(1 - active, true, NULL);
        assert_string_equal(image_rig_flags(&rig), active == 0 ? "0: 1:ac" : "0:ac 1:");

        set_up_real(strategies[i / 2], active);
        wish(1 - active, true, NULL);
        assert_string_equal(image_rig_flags(&rig), active == 0 ? "0:ac 1:pP" : "0:pP 1:ac");
    }
}

/* The option is for devices with one slot: it never sends an upload over what runs elsewhere. */
static void test_the_option_changes_nothing_with_two_slots(void **context)
{
    (void)context;
    set_up(0, false);
    rig.options.upload_running = true;
    image_rig_upload_all(&rig, 0, file, file_len, 100, 200);
    assert_memory_equal(rig.memory[1], file, file_len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_active_slot_is_what_the_application_says),
        cmocka_unit_test(test_flags_follow_the_next_boot),
        cmocka_unit_test(test_uploads_go_to_the_other_slot),
        cmocka_unit_test(test_an_upload_clears_the_trailer_of_its_slot),
        cmocka_unit_test(test_slots_in_use_take_no_upload),
        cmocka_unit_test(test_half_an_upload_is_not_in_use),
        cmocka_unit_test(test_upgrade_compares_with_the_slot_that_runs),
        cmocka_unit_test(test_an_image_linked_elsewhere_is_refused),
        cmocka_unit_test(test_erase_knows_the_slot_that_runs),
        cmocka_unit_test(test_slot_info_says_where_uploads_go),
        cmocka_unit_test(test_a_slot_that_cannot_run_is_a_wrong_configuration),
        cmocka_unit_test(test_state_without_reverts_is_rc_8),
        cmocka_unit_test(test_the_rules_go_by_the_slot_that_runs),
        cmocka_unit_test(test_confirm_without_a_hash_is_the_slot_that_runs),
        cmocka_unit_test(test_what_cannot_be_written_is_told),
        cmocka_unit_test(test_every_image_has_its_own_strategy),
        cmocka_unit_test(test_the_newest_is_next_where_nothing_is_asked),
        cmocka_unit_test(test_a_test_is_asked_for_where_it_can_revert),
        cmocka_unit_test(test_the_option_changes_nothing_with_two_slots),
    };

    return cmocka_run_group_tests_name("image group in place", tests, NULL, NULL);
}

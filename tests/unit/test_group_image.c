/* SPDX-License-Identifier: Apache-2.0 */
/* The image group: the list, and test and confirm by the rule table. */
#include "core/server/image_group.h"
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { STATE = FERRY_SMP_IMAGE_STATE };
enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };

static struct image_rig rig; /* a quarter of a megabyte */

/* ---- The list ---------------------------------------------------------------- */

/* The image the vectors list, byte by byte as far as the list shows it. */
static void install_listed(uint32_t slot, struct ferry_version version, const char *hex)
{
    uint8_t hash[32];
    const struct test_tlv tlv = {FERRY_TLV_SHA256, 32, hash};
    const struct test_image_spec spec = {.version = version,
                                         .key = TEST_KEY_NONE,
                                         .payload_size = 100,
                                         .header_size = 32,
                                         .unprotected_tlvs = &tlv,
                                         .unprotected_count = 1,
                                         .no_digest = true};

    for (size_t i = 0; i < 32; i++) {
        unsigned byte;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        hash[i] = (uint8_t)byte;
    }
    assert_true(test_image_build(&spec, rig.memory[slot], RIG_SLOT) > 0);
}

#define HASH_1 "4c4b4a1f341a258db6343a420e19828162acc54084240949aca5a919c9100378"
#define HASH_2 "8352128acb721b802ee140bfb7800bc96e8ded6aee172e12d825ed110504a4b5"

static void test_list_and_state_are_zephyrs_byte_for_byte(void **context)
{
    (void)context;
    image_rig_set_up(&rig, 8, 1);
    install_listed(0, (struct ferry_version){1, 0, 0, 0}, HASH_1);
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_state_confirm_hash_req",
                      "img_state_hash_not_found_v2");
    install_listed(1, (struct ferry_version){1, 2, 3, 4}, HASH_2);
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_list_req", "img_list_rsp_two_slots");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_state_test_req", "img_state_test_rsp");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_state_test_req", "img_state_test_rsp");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_state_confirm_hash_req",
                      "img_state_already_pending_v2");
}

static void test_list_of_two_images_is_zephyrs_byte_for_byte(void **context)
{
    (void)context;
    image_rig_set_up(&rig, 8, 2);
    install_listed(0, (struct ferry_version){1, 0, 0, 0}, HASH_1);
    install_listed(2, (struct ferry_version){2, 0, 0, 0}, HASH_2);
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_list_req", "img_list_rsp_multi_image");
}

static void test_flags_in_every_state(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:p");

    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:pP");

    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    image_rig_make_revert(&rig, 0);
    assert_string_equal(image_rig_flags(&rig), "0:a 1:c");
    assert_int_equal(ferry_slots_confirm(&rig.slots[0]), FERRY_OK);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
}

static void test_slots_without_an_image_are_left_out(void **context)
{
    static const char empty[] = "{\"images\":[],\"splitStatus\":0}";
    (void)context;

    image_rig_set_up(&rig, 8, 1);
    image_rig_expect(&rig, READ, STATE, "{}", empty);
    image_rig_expect(&rig, READ, STATE, NULL, empty); /* no body needed */
    image_rig_install(&rig, 1, 2, 0);
    assert_string_equal(image_rig_flags(&rig), "1:");
    rig.memory[1][0] = 0; /* the magic */
    image_rig_expect(&rig, READ, STATE, "{}", empty);
    image_rig_install(&rig, 1, 2, 0);
    rig.memory[1][32 + 1000] = 0; /* the TLV magic */
    image_rig_expect(&rig, READ, STATE, "{}", empty);
    image_rig_install(&rig, 0, 1, 0);
    rig.power.off = true; /* nothing can be read */
    image_rig_expect(&rig, READ, STATE, "{}", empty);
}

static void test_frugal_lists_leave_out_what_is_false(void **context)
{
    char hash[65];
    char json[256];
    (void)context;

    image_rig_set_up(&rig, 8, 1);
    rig.options.frugal = true;
    image_rig_install(&rig, 1, 2, 7);
    image_rig_hash(&rig, 1, hash);
    (void)snprintf(json, sizeof(json),
                   "{\"images\":[{\"slot\":1,\"version\":\"2.0.0.7\",\"hash\":\"h'%s'\","
                   "\"bootable\":true}]}",
                   hash);
    image_rig_expect(&rig, READ, STATE, "{}", json);
}

static void test_an_image_that_must_not_boot_is_listed_so(void **context)
{
    const struct test_image_spec spec = {.key = TEST_KEY_NONE, .flags = FERRY_IMAGE_NON_BOOTABLE};
    struct rig_answer answer;
    (void)context;

    image_rig_set_up(&rig, 8, 1);
    assert_true(test_image_build(&spec, rig.memory[1], RIG_SLOT) > 0);
    rig_ask(&rig.server, READ, FERRY_SMP_GROUP_IMAGE, STATE, "{}", &answer);
    assert_non_null(strstr(answer.json, "\"bootable\":false"));
}

/* ---- The rules --------------------------------------------------------------- */

/* The table of smp.md §3.1 once more, row by row, as a list of what fits each row. */
static int expected_rule(const struct ferry_image_wish *w, char *row)
{
    bool other_installed = w->type == FERRY_NEXT_NORMAL && w->active != w->next; /* N is not A */

    *row = 'a';
    if (w->confirm && !w->running && !w->options->confirm_any &&
        !(w->options->confirm_secondary && !w->active)) {
        return 32;
    }
    *row = 'b';
    if (w->confirm && !w->active && !w->confirm_non_active_slot) {
        return 32;
    }
    *row = 'c';
    if (!w->confirm && w->active) {
        return 33;
    }
    *row = 'd';
    if (w->type == FERRY_NEXT_TEST) {
        return !w->confirm && w->next ? 0 : 28;
    }
    *row = 'e';
    if (w->type == FERRY_NEXT_NORMAL && w->confirm && w->next) {
        return 0;
    }
    *row = 'f';
    if (other_installed && (w->active || (!w->confirm && w->next))) {
        return 28;
    }
    *row = 'g';
    if (w->type == FERRY_NEXT_REVERT && w->confirm && w->next) {
        return 0;
    }
    if (w->type == FERRY_NEXT_REVERT && !w->confirm) {
        return 28;
    }
    *row = 'h';
    return FERRY_IMAGE_RULE_WRITE;
}

/* A state that can be: TEST and REVERT start the other slot. */
static bool can_be(const struct ferry_image_wish *wish)
{
    return wish->type == FERRY_NEXT_NORMAL || wish->next == !wish->active;
}

static void test_every_combination_follows_the_rule_table(void **context)
{
    unsigned rows[8] = {0};
    unsigned checked = 0;
    (void)context;

    for (unsigned i = 0; i < 3 * 128; i++) {
        const struct ferry_image_options options = {.confirm_any = (i & 1) != 0,
                                                    .confirm_secondary = (i & 2) != 0};
        const struct ferry_image_wish wish = {.confirm = (i & 4) != 0,
                                              .running = (i & 8) != 0,
                                              .active = (i & 16) != 0,
                                              .next = (i & 32) != 0,
                                              .confirm_non_active_slot = (i & 64) != 0,
                                              .type = (enum ferry_image_next_type)(i / 128),
                                              .options = &options};
        char row;
        int expected = expected_rule(&wish, &row);

        if (!can_be(&wish)) {
            continue;
        }
        assert_int_equal(ferry_image_rule(&wish), expected);
        rows[row - 'a']++;
        checked++;
    }
    for (size_t i = 0; i < 8; i++) {
        assert_true(rows[i] > 0);
    }
    print_message("%u combinations, all 8 rows met\n", checked);
    assert_int_equal(checked, 256);
}

/* ---- State write ------------------------------------------------------------- */

/* Write the state of a slot's image; expect an error ("" = success) and then these flags. */
static void set_state(uint32_t slot, bool confirm, const char *error, const char *then)
{
    static struct rig_answer answer;
    char hash[65];
    char request[128];

    image_rig_hash(&rig, slot, hash);
    (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\",\"confirm\":%s}", hash,
                   confirm ? "true" : "false");
    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, request, &answer);
    if (error[0] != '\0') {
        assert_string_equal(answer.json, error);
    } else {
        assert_non_null(strstr(answer.json, "{\"images\":["));
    }
    assert_string_equal(image_rig_flags(&rig), then);
}

#define ERR(n) "{\"err\":{\"group\":1,\"rc\":" #n "}}"

static void test_test_then_anything_else(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    set_state(0, false, ERR(33), "0:ac 1:"); /* c */
    set_state(1, false, "", "0:ac 1:p");     /* h */
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_TEST);
    assert_string_equal(image_rig_events(&rig), "pending 0 0");
    set_state(1, false, "", "0:ac 1:p");      /* d, same slot */
    set_state(1, true, ERR(28), "0:ac 1:p");  /* d */
    set_state(0, true, ERR(28), "0:ac 1:p");  /* d */
    set_state(0, false, ERR(33), "0:ac 1:p"); /* c before d */
    assert_string_equal(image_rig_events(&rig), "");
}

static void test_confirm_of_the_other_slot_installs_for_good(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    set_state(0, true, "", "0:ac 1:"); /* e */
    assert_string_equal(image_rig_events(&rig), "");
    set_state(1, true, "", "0:ac 1:pP"); /* h */
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_PERM);
    assert_string_equal(image_rig_events(&rig), "pending 0 1");
    set_state(1, true, "", "0:ac 1:pP");       /* e */
    set_state(0, true, ERR(28), "0:ac 1:pP");  /* f */
    set_state(1, false, ERR(28), "0:ac 1:pP"); /* f */
}

static void test_a_trial_run_may_only_be_confirmed(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    image_rig_make_revert(&rig, 0);
    set_state(1, true, "", "0:a 1:c");       /* g: that is what would happen */
    set_state(1, false, ERR(28), "0:a 1:c"); /* g */
    set_state(0, false, ERR(33), "0:a 1:c"); /* c */
    assert_string_equal(image_rig_events(&rig), "");
    set_state(0, true, "", "0:ac 1:"); /* g: confirm */
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
    assert_string_equal(image_rig_events(&rig), "confirmed 0 0");
}

static void test_confirm_without_a_hash_is_the_running_image(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    image_rig_make_revert(&rig, 0);
    image_rig_expect(&rig, WRITE, STATE, "{}", ERR(24));
    image_rig_expect(&rig, WRITE, STATE, "{\"hash\":\"h''\"}", ERR(24));
    image_rig_expect(&rig, WRITE, STATE, "{\"confirm\":false}", ERR(24));
    assert_string_equal(image_rig_flags(&rig), "0:a 1:c");

    uint8_t request[64];
    struct ferry_bytes packet = {
        request, rig_vector(FERRY_TEST_DATA, "img_state_confirm_running_req", request, 64)};
    struct rig_answer answer;

    (void)rig_send(&rig.server, packet, &answer);
    assert_non_null(strstr(answer.json, "{\"images\":["));
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
}

/* Images of SHA-384 and SHA-512: listed by all of their digest, and asked for by it. */
static void test_hashes_of_every_length(void **context)
{
    static const enum test_sha shas[] = {TEST_SHA_384, TEST_SHA_512};
    (void)context;
    for (size_t i = 0; i < 2; i++) {
        const struct test_image_spec spec = {
            .version = {2, 0, 0, 0}, .key = TEST_KEY_NONE, .sha = shas[i], .payload_size = 500};
        struct ferry_image_info info;
        char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
        char request[256];
        char listed[512];
        static struct rig_answer answer;

        image_rig_set_up(&rig, 8, 1);
        rig.options.frugal = true;
        assert_true(test_image_build(&spec, rig.memory[1], RIG_SLOT) > 0);
        assert_int_equal(ferry_image_inspect(&rig.ram[1].flash, &info), FERRY_OK);
        assert_int_equal(8U * info.digest_len, shas[i]);
        for (size_t k = 0; k < info.digest_len; k++) {
            (void)snprintf(hash + 2 * k, 3, "%02x", info.digest[k]);
        }
        (void)snprintf(listed, sizeof(listed),
                       "{\"images\":[{\"slot\":1,\"version\":\"2.0.0\",\"hash\":\"h'%s'\","
                       "\"bootable\":true}]}",
                       hash);
        image_rig_expect(&rig, READ, STATE, "{}", listed);

        (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%.64s'\"}", hash);
        image_rig_expect(&rig, WRITE, STATE, request, ERR(8)); /* the beginning of it is another */
        assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
        (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\"}", hash);
        rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, request, &answer);
        assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_TEST);
    }
}

static void test_hashes_that_are_wrong(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    image_rig_expect(&rig, WRITE, STATE, "{\"hash\":\"h'00'\",\"confirm\":true}", ERR(24));
    image_rig_expect(&rig, WRITE, STATE, "{\"hash\":\"h'" HASH_1 "00'\"}", ERR(24));
    image_rig_expect(&rig, WRITE, STATE, "{\"hash\":\"h'" HASH_1 "'\"}", ERR(8));
    image_rig_expect_v1(&rig, WRITE, STATE, "{\"hash\":\"h'" HASH_1 "'\"}", "{\"rc\":1}");
    image_rig_expect_v1(&rig, WRITE, STATE, "{\"hash\":\"h'00'\"}", "{\"rc\":3}");
    image_rig_expect(&rig, WRITE, STATE, "{\"hash\":\"" HASH_1 "\"}", "{\"rc\":3}");
    image_rig_expect(&rig, WRITE, STATE, "{\"confirm\":1}", "{\"rc\":3}");
    image_rig_expect(&rig, WRITE, STATE, NULL, "{\"rc\":3}");
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
}

static void test_overwrite_knows_no_confirm_of_the_other_slot(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_overwrite);
    set_state(1, true, ERR(32), "0:ac 1:"); /* b */
    set_state(1, false, "", "0:ac 1:p");
}

static void test_options_of_confirm(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    rig.options.confirm_non_active_slot = false;
    set_state(1, true, ERR(32), "0:ac 1:"); /* b */

    image_rig_set_up(&rig, 8, 2);
    for (uint8_t i = 0; i < 4; i++) {
        image_rig_install(&rig, i, (uint8_t)(i + 1), 0);
    }
    set_state(2, true, ERR(32), "0:ac 1: 0:ac 1:"); /* a: the active slot of another image */
    set_state(3, true, "", "0:ac 1: 0:ac 1:pP");
    assert_string_equal(image_rig_events(&rig), "pending 1 1");
    image_rig_install(&rig, 3, 4, 0);
    rig.options.confirm_secondary = false;
    set_state(3, true, ERR(32), "0:ac 1: 0:ac 1:"); /* a */
    rig.options.confirm_any = true;
    set_state(3, true, "", "0:ac 1: 0:ac 1:pP");
    image_rig_install(&rig, 3, 4, 0);
    image_rig_make_revert(&rig, 1);
    set_state(2, true, "", "0:ac 1: 0:ac 1:");
    assert_string_equal(image_rig_events(&rig), "pending 1 1, confirmed 1 0");
    set_state(3, false, "", "0:ac 1: 0:ac 1:p");
}

static void test_failures_of_the_trailer(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    rig.memory[1][RIG_SLOT - 1] = 0x12; /* a damaged magic is repaired … */
    set_state(1, false, "", "0:ac 1:p");
    assert_string_equal(image_rig_events(&rig), "pending 0 0");

    const struct test_image_spec large = {.key = TEST_KEY_NONE,
                                          .payload_size = RIG_SLOT - RIG_SECTOR};

    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    assert_true(test_image_build(&large, rig.memory[1], RIG_SLOT) > 0);
    rig.memory[1][RIG_SLOT - 1] = 0x12; /* … unless the image reaches into its sector */
    set_state(1, false, ERR(23), "0:ac 1:");

    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    rig.power.cut_at = 1;
    rig.power.how = FERRY_CUT_BEFORE;

    char hash[65];
    char request[128];

    image_rig_hash(&rig, 1, hash);
    (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\"}", hash);
    image_rig_expect(&rig, WRITE, STATE, request, ERR(12));
    rig.power = (struct ferry_power){.off = true};
    image_rig_expect(&rig, WRITE, STATE, "{\"confirm\":true}", ERR(11));
    assert_string_equal(image_rig_events(&rig), "");
}

/* Bootloaders that take the highest version have nothing to write. */
static void test_state_write_is_rc_8_where_the_version_decides(void **context)
{
    static const uint8_t modes[] = {FERRY_MODE_DIRECT_XIP, FERRY_MODE_RAM_LOAD,
                                    FERRY_MODE_FIRMWARE_LOADER};
    struct ferry_strategy_traits traits = ferry_traits_overwrite;
    (void)context;

    traits.in_place = true;
    for (size_t i = 0; i < sizeof(modes); i++) {
        traits.mode = modes[i];
        image_rig_set_up_pair(&rig, &traits);
        image_rig_expect(&rig, WRITE, STATE, "{\"confirm\":true}", "{\"rc\":8}");
        image_rig_expect(&rig, WRITE, STATE, "{}", "{\"rc\":8}");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_and_state_are_zephyrs_byte_for_byte),
        cmocka_unit_test(test_list_of_two_images_is_zephyrs_byte_for_byte),
        cmocka_unit_test(test_flags_in_every_state),
        cmocka_unit_test(test_slots_without_an_image_are_left_out),
        cmocka_unit_test(test_frugal_lists_leave_out_what_is_false),
        cmocka_unit_test(test_an_image_that_must_not_boot_is_listed_so),
        cmocka_unit_test(test_every_combination_follows_the_rule_table),
        cmocka_unit_test(test_test_then_anything_else),
        cmocka_unit_test(test_confirm_of_the_other_slot_installs_for_good),
        cmocka_unit_test(test_a_trial_run_may_only_be_confirmed),
        cmocka_unit_test(test_confirm_without_a_hash_is_the_running_image),
        cmocka_unit_test(test_hashes_of_every_length),
        cmocka_unit_test(test_hashes_that_are_wrong),
        cmocka_unit_test(test_overwrite_knows_no_confirm_of_the_other_slot),
        cmocka_unit_test(test_options_of_confirm),
        cmocka_unit_test(test_failures_of_the_trailer),
        cmocka_unit_test(test_state_write_is_rc_8_where_the_version_decides),
    };

    return cmocka_run_group_tests_name("image group", tests, NULL, NULL);
}

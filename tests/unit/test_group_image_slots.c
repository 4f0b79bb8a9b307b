/* SPDX-License-Identifier: Apache-2.0 */
/* The image group: erase, slot info, and what holds for the group as a whole. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = FERRY_SMP_IMAGE_SLOT_INFO, UPLOAD = FERRY_SMP_IMAGE_UPLOAD };
enum { ERASE = FERRY_SMP_IMAGE_ERASE };
enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };

#define ERR(n) "{\"err\":{\"group\":1,\"rc\":" #n "}}"

static struct image_rig rig; /* a quarter of a megabyte */

/* ---- Erase ------------------------------------------------------------------- */

static bool is_erased(uint32_t slot)
{
    return ferry_all_equal(rig.memory[slot], RIG_SLOT, 0xff);
}

static void test_erase(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":0}", ERR(9));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":2}", ERR(10));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":7}", ERR(10));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":4294967297}", ERR(10));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":-1}", "{\"rc\":3}");
    image_rig_expect(&rig, WRITE, ERASE, NULL, "{\"rc\":3}");
    image_rig_expect_v1(&rig, WRITE, ERASE, "{\"slot\":0}", "{\"rc\":6}");
    image_rig_expect_v1(&rig, WRITE, ERASE, "{\"slot\":7}", "{\"rc\":1}");
    assert_string_equal(image_rig_events(&rig), "");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_erase_req", "img_erase_rsp");
    assert_true(is_erased(1));
    assert_string_equal(image_rig_events(&rig), "erased 0 1");
    assert_true(rig.fed >= RIG_SECTORS);

    uint64_t operations = rig.power.operations;

    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}"); /* blank already: no flash work */
    assert_int_equal(rig.power.operations, operations);
    assert_string_equal(image_rig_flags(&rig), "0:ac");
}

static void test_erase_takes_a_request_back(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
    rig.options.erase_pending = false;
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(9));
    rig.options.erase_pending = true;
    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}");
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
}

static void test_erase_of_the_way_back_is_refused(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    image_rig_make_revert(&rig, 0);
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(9));
    rig.memory[1][0] = 0; /* no image: nothing to go back to */
    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}");
    /* the running slot stays, whatever stands in it */
    rig.memory[0][0] = 0;
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":0}", ERR(9));
}

static void test_erase_of_another_image(void **context)
{
    (void)context;
    image_rig_set_up(&rig, 8, 2);
    for (uint8_t i = 0; i < 4; i++) {
        image_rig_install(&rig, i, 1, i);
    }
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":3}", "{}");
    assert_true(is_erased(3) && !is_erased(1));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":2}", ERR(9));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":4}", ERR(10));
    rig.group_config.running_image = 1;
    image_rig_install(&rig, 3, 1, 3);
    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}"); /* the default goes by what runs */
    assert_true(is_erased(3) && !is_erased(1));
}

static void test_erase_that_fails(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    rig.power.cut_at = 1;
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(13));
    assert_string_equal(image_rig_events(&rig), "");
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(34)); /* nothing can be read any more */
}

/* A cut anywhere in an erase never leaves a request for an image that is damaged. */
static void test_a_cut_erase_leaves_no_request_for_half_an_image(void **context)
{
    unsigned cuts = 0;
    bool finished = false;
    (void)context;

    for (uint64_t cut = 1; !finished; cut++) {
        for (int how = FERRY_CUT_BEFORE; how <= FERRY_CUT_INSIDE; how++) {
            struct rig_answer answer;

            image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
            assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
            memset(rig.memory[1] + 2048, 0x55, 20000); /* work for many sectors */
            rig.power.cut_at = rig.power.operations + cut;
            rig.power.how = (enum ferry_cut)how;
            rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, ERASE, "{}", &answer);
            finished = !rig.power.off;
            cuts += rig.power.off;
            rig.power = (struct ferry_power){0};
            if (image_rig_next(&rig, 0) != FERRY_SWAP_NONE) {
                struct ferry_image_info info;

                assert_int_equal(ferry_image_inspect(rig.slots[0].secondary, &info), FERRY_OK);
                assert_int_equal(rig.memory[1][2048], 0x55);
            }
        }
    }
    print_message("%u cuts of an erase\n", cuts);
    assert_true(cuts >= 15);
}

/* ---- Slot info --------------------------------------------------------------- */

static uint32_t vector_max_image(const struct ferry_slots *slots)
{
    (void)slots;
    return 487424;
}

static void test_slot_info_is_zephyrs_byte_for_byte(void **context)
{
    struct ferry_strategy_traits traits = ferry_traits_swap_move;
    struct ferry_flash slot;
    (void)context;

    image_rig_set_up(&rig, 8, 1);
    traits.max_image = vector_max_image;
    slot = rig.flash[0].flash;
    slot.size = 491520;
    slot.runs[0].count = 120;
    rig.slots[0] = (struct ferry_slots){.primary = &slot,
                                        .secondary = &slot,
                                        .strategy = &traits,
                                        .state = &ferry_slots_by_swap,
                                        .max_align = 8,
                                        .max_sectors = 128};
    rig.options.slot_info_always = true;
    image_rig_restart(&rig);
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_slot_info_req", "img_slot_info_rsp");
}

static void test_slot_info(void **context)
{
    char json[512];
    (void)context;

    image_rig_set_up(&rig, 8, 1);
    image_rig_expect(&rig, READ, SLOTS, "{}", "{\"rc\":8}"); /* Zephyr: built in with two images */
    image_rig_set_up(&rig, 8, 2);
    (void)snprintf(json, sizeof(json),
                   "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":65536},"
                   "{\"slot\":1,\"size\":65536,\"upload_image_id\":0}],\"max_image_size\":%u},"
                   "{\"image\":1,\"slots\":[{\"slot\":0,\"size\":65536},"
                   "{\"slot\":1,\"size\":65536,\"upload_image_id\":1}],\"max_image_size\":%u}]}",
                   ferry_slots_max_image(&rig.slots[0]), ferry_slots_max_image(&rig.slots[1]));
    image_rig_expect(&rig, READ, SLOTS, "{}", json);
    image_rig_expect(&rig, WRITE, SLOTS, "{}", "{\"rc\":8}");
}

/* ---- The rest ---------------------------------------------------------------- */

static void test_commands_that_are_not_there(void **context)
{
    (void)context;
    image_rig_set_up(&rig, 8, 1);
    image_rig_expect(&rig, READ, UPLOAD, "{}", "{\"rc\":8}");
    image_rig_expect(&rig, READ, ERASE, "{}", "{\"rc\":8}");
    image_rig_expect(&rig, WRITE, 2, "{}", "{\"rc\":8}");
    image_rig_expect(&rig, READ, 3, "{}", "{\"rc\":8}");
    image_rig_expect(&rig, WRITE, 4, "{}", "{\"rc\":8}");
    image_rig_expect(&rig, READ, 7, "{}", "{\"rc\":8}");
}

/* [smp.md §1.7] */
static void test_translation_to_version_1(void **context)
{
    (void)context;
    for (unsigned error = 1; error <= 34; error++) {
        uint8_t expected = 1;
        uint8_t got =
            error < ferry_image_group_table.v1_rc_count ? ferry_image_group_table.v1_rc[error] : 0;

        if (error == 3 || error == 4) {
            expected = 5;
        } else if (error == 9 || error == 27 || error == 28) {
            expected = 6;
        } else if (error == 15) {
            expected = 2;
        } else if (error == 14 || (error >= 19 && error <= 25 && error != 23)) {
            expected = 3;
        }
        assert_int_equal(got == 0 ? 1 : got, expected);
    }
}

static void test_wrong_configurations_are_refused(void **context)
{
    struct ferry_image_group group;
    (void)context;

    image_rig_set_up(&rig, 8, 2);
    rig.group_config.running_image = 2;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
    rig.group_config.running_image = 0;
    rig.group_config.image_count = 0;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
    rig.group_config.image_count = 17;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
    rig.group_config.image_count = 2;
    rig.slots[1].secondary = NULL;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
    rig.group_config.images = NULL;
    assert_int_equal(ferry_image_group_init(&group, &rig.group_config), FERRY_E_CONFIG);
}

/* ---- Whatever comes over the wire -------------------------------------------- */

/* Send a packet from memory of just its size; every answer is checked by rig_send(). */
static unsigned send_changed(const uint8_t *packet, size_t len)
{
    static struct rig_answer answer;
    uint8_t *exact = malloc(len + 1);
    struct ferry_bytes pending = {exact + 1, len};
    unsigned sent = 0;

    assert_non_null(exact);
    memcpy(exact + 1, packet, len);
    while (pending.len > 0) {
        size_t before = pending.len;

        pending = rig_send(&rig.server, pending, &answer);
        assert_true(pending.len < before);
        sent++;
    }
    free(exact);
    return sent;
}

/* Every packet of the vectors whole, cut at every length, and with every byte changed: nothing is
 * read or written out of bounds (the sanitizers watch), and the running slot stays as it is. */
static void test_damaged_packets_do_no_harm(void **context)
{
    static uint8_t primary[RIG_SLOT];
    uint8_t packet[RIG_MAX];
    size_t len = 0;
    unsigned sent = 0;
    (void)context;

    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    rig.config.observe = NULL;
    memcpy(primary, rig.memory[0], RIG_SLOT);
    for (size_t i = 0; rig_vector_at(FERRY_TEST_DATA, i, packet, sizeof(packet), &len); i++) {
        for (size_t at = 0; at < len; at++) {
            uint8_t kept = packet[at];

            sent += send_changed(packet, at);
            packet[at] = (uint8_t)(kept ^ (1U << at % 8));
            sent += send_changed(packet, len);
            packet[at] = 0xff;
            sent += send_changed(packet, len);
            packet[at] = kept;
        }
        sent += send_changed(packet, len);
    }
    print_message("%u requests\n", sent);
    assert_true(sent > 5000);
    assert_memory_equal(primary, rig.memory[0], RIG_SLOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_erase_takes_a_request_back),
        cmocka_unit_test(test_erase_of_the_way_back_is_refused),
        cmocka_unit_test(test_erase_of_another_image),
        cmocka_unit_test(test_erase_that_fails),
        cmocka_unit_test(test_a_cut_erase_leaves_no_request_for_half_an_image),
        cmocka_unit_test(test_slot_info_is_zephyrs_byte_for_byte),
        cmocka_unit_test(test_slot_info),
        cmocka_unit_test(test_commands_that_are_not_there),
        cmocka_unit_test(test_translation_to_version_1),
        cmocka_unit_test(test_wrong_configurations_are_refused),
        cmocka_unit_test(test_damaged_packets_do_no_harm),
    };

    return cmocka_run_group_tests_name("image group slots", tests, NULL, NULL);
}

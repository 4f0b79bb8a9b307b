/* SPDX-License-Identifier: Apache-2.0 */
/* The image group where an image has one slot only. */
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
static void set_up_single(bool upload_running)
{
    image_rig_set_up(&rig, 8, 1);
    image_rig_install(&rig, 0, 1, 0);
    file_len = image_rig_build(3, 0, file, sizeof(file));
    rig.slots[0].strategy = &ferry_traits_single_slot;
    rig.slots[0].state = ferry_slots_state_of(rig.slots[0].strategy);
    rig.slots[0].secondary = NULL;
    rig.options.upload_running = upload_running;
    rig.options.slot_info_always = true;
    image_rig_restart(&rig);
}

static void test_a_single_slot_takes_no_upload_while_it_runs(void **context)
{
    struct rig_upload first = RIG_UPLOAD;
    char json[256];
    (void)context;

    set_up_single(false);
    first.off = 0;
    first.len = (int64_t)file_len;
    first.data = file;
    first.data_len = 100;
    assert_string_equal(image_rig_upload(&rig, 1, &first), ERR(9));
    assert_string_equal(image_rig_upload(&rig, 0, &first), "{\"rc\":6}");
    rig.config.verbose = true;
    assert_string_equal(image_rig_upload(&rig, 0, &first), "{\"rc\":6,\"rsn\":\"the slot runs\"}");
    assert_string_equal(image_rig_flags(&rig), "0:ac");
    image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(10));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":1}", ERR(10));
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":0}", ERR(9));
    (void)snprintf(json, sizeof(json),
                   "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":65536}],"
                   "\"max_image_size\":%u}]}",
                   ferry_slots_max_image(&rig.slots[0]));
    image_rig_expect(&rig, READ, SLOTS, "{}", json);
}

static void test_a_single_slot_takes_uploads_of_a_firmware_in_ram(void **context)
{
    char json[256];
    (void)context;

    set_up_single(true);
    image_rig_upload_all(&rig, 0, file, file_len, 100, 200);
    assert_memory_equal(rig.memory[0], file, file_len);
    image_rig_upload_all(&rig, 0, file, file_len, 50, 300); /* and again */
    (void)snprintf(json, sizeof(json),
                   "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":65536,"
                   "\"upload_image_id\":0}],\"max_image_size\":%u}]}",
                   ferry_slots_max_image(&rig.slots[0]));
    image_rig_expect(&rig, READ, SLOTS, "{}", json);
    rig.options.erase_pending = false; /* what runs is in RAM: this is no request */
    image_rig_upload_all(&rig, 0, file, file_len, 100, 200);
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":0}", ERR(9));
}

/* There is nothing to ask for: it stays for good anyway. */
static void test_state_of_a_single_slot_is_rc_8(void **context)
{
    (void)context;
    set_up_single(false);
    image_rig_expect(&rig, WRITE, STATE, "{\"confirm\":true}", "{\"rc\":8}");
}

/* Everything but slot info is there; that is rc 8, as of one image by the whole table. */
static void test_the_minimal_table_has_three_commands(void **context)
{
    (void)context;
    image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
    rig.options.slot_info_always = true;
    image_rig_restart(&rig);
    rig.mounts[1].group = &ferry_image_minimal_table;
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
    image_rig_expect(&rig, READ, SLOTS, "{}", "{\"rc\":8}");
    image_rig_expect(&rig, WRITE, ERASE, "{}", "{}");
    image_rig_expect(&rig, WRITE, ERASE, "{\"slot\":0}", ERR(9));
    image_rig_expect_v1(&rig, WRITE, ERASE, "{\"slot\":0}", "{\"rc\":6}");
    assert_string_equal(image_rig_flags(&rig), "0:ac");
    file_len = image_rig_build(3, 0, file, sizeof(file));
    image_rig_upload_all(&rig, 0, file, file_len, 200, 200);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_single_slot_takes_no_upload_while_it_runs),
        cmocka_unit_test(test_a_single_slot_takes_uploads_of_a_firmware_in_ram),
        cmocka_unit_test(test_state_of_a_single_slot_is_rc_8),
        cmocka_unit_test(test_the_minimal_table_has_three_commands),
    };

    return cmocka_run_group_tests_name("image group single slot", tests, NULL, NULL);
}

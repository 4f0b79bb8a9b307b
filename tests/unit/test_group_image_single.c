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
static struct ferry_strategy_traits traits;

static int stays(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    (void)slots;
    *next = (struct ferry_slots_next){0, FERRY_SWAP_NONE};
    return FERRY_OK;
}

static int no_request(const struct ferry_slots *slots, bool permanent)
{
    (void)slots;
    (void)permanent;
    return FERRY_E_UNSUPPORTED;
}

static int confirmed(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

static const struct ferry_slots_state nothing_to_record = {stays, no_request, confirmed, confirmed};

static int any_layout(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

static uint32_t max_image(const struct ferry_slots *slots)
{
    return slots->primary->size - RIG_SECTOR;
}

static void set_up_single(bool upload_running)
{
    traits = ferry_traits_overwrite;
    traits.mode = FERRY_MODE_SINGLE;
    traits.slot_count = 1;
    traits.reverts = false;
    traits.state = &nothing_to_record;
    traits.check = any_layout;
    traits.max_image = max_image;
    image_rig_set_up(&rig, 8, 1);
    image_rig_install(&rig, 0, 1, 0);
    file_len = image_rig_build(3, 0, file, sizeof(file));
    rig.slots[0].strategy = &traits;
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
    assert_string_equal(image_rig_upload(&rig, 0, &first),
                        "{\"rc\":6,\"rsn\":\"the only slot runs\"}");
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

/* Confirm is granted, since it stays for good anyway; there is nothing to test. */
static void test_state_of_a_single_slot(void **context)
{
    static struct rig_answer answer;
    char hash[65];
    char request[128];
    (void)context;

    set_up_single(false);
    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, "{\"confirm\":true}", &answer);
    assert_non_null(strstr(answer.json, "\"confirmed\":true"));
    image_rig_hash(&rig, 0, hash);
    (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\"}", hash);
    image_rig_expect(&rig, WRITE, STATE, request, ERR(33));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_single_slot_takes_no_upload_while_it_runs),
        cmocka_unit_test(test_a_single_slot_takes_uploads_of_a_firmware_in_ram),
        cmocka_unit_test(test_state_of_a_single_slot),
    };

    return cmocka_run_group_tests_name("image group single slot", tests, NULL, NULL);
}

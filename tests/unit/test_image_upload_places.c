/* SPDX-License-Identifier: Apache-2.0 */
/* Where an upload goes by the number of a slot, and erasing ahead of it. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ERR(n)    "{\"err\":{\"group\":1,\"rc\":" #n "}}"
#define SLOT_INFO FERRY_SMP_IMAGE_SLOT_INFO

static struct image_rig rig;
static uint8_t file[RIG_SLOT];
static size_t file_len;

/* A first chunk of 128 bytes for `number`; the answer. */
static const char *begin(int64_t number)
{
    struct rig_upload upload = RIG_UPLOAD;

    upload.image = number;
    upload.len = (int64_t)file_len;
    upload.off = 0;
    upload.data = file;
    upload.data_len = 128;
    return image_rig_upload(&rig, 1, &upload);
}

static const char *send(size_t off, size_t len)
{
    struct rig_upload upload = RIG_UPLOAD;

    upload.off = (int64_t)off;
    upload.data = file + off;
    upload.data_len = len;
    return image_rig_upload(&rig, 1, &upload);
}

/* ---- Direct upload ------------------------------------------------------------------------- */

static void set_up_direct(void)
{
    image_rig_set_up(&rig, 8, 2);
    rig.group_config.direct = &ferry_image_direct_upload;
    image_rig_install(&rig, 0, 1, 0);
    image_rig_install(&rig, 2, 1, 0);
    file_len = image_rig_build(2, 0, file, sizeof(file));
}

static void test_a_number_names_a_slot(void **context)
{
    static const struct {
        int64_t number;
        const char *json;
        uint8_t slot; /* where it went */
    } rows[] = {
        {-1, "{\"off\":128}", 1}, {0, "{\"off\":128}", 1}, {1, ERR(9), 0}, {2, "{\"off\":128}", 1},
        {3, ERR(9), 0},           {4, "{\"off\":128}", 3}, {5, ERR(9), 0}, {512, ERR(9), 0},
        {513, ERR(9), 0},         {INT64_MAX, ERR(9), 0},
    };
    (void)context;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up_direct();
        assert_string_equal(begin(rows[i].number), rows[i].json);
        for (uint32_t slot = 1; slot < 4; slot += 2) {
            bool here = rows[i].slot == slot;

            assert_int_equal(memcmp(rig.memory[slot], file, 128) == 0, here);
        }
    }
}

static void test_the_running_slot_is_protected_unless_the_product_says_so(void **context)
{
    (void)context;
    set_up_direct();
    rig.config.verbose = true;
    assert_string_equal(begin(1), ERR(9));
    rig.options.upload_running = true;
    assert_string_equal(begin(1), "{\"off\":128}");
    assert_memory_equal(rig.memory[0], file, 128);
    assert_string_equal(begin(0), "{\"off\":128}"); /* still the other one by itself */
    assert_memory_equal(rig.memory[1], file, 128);
}

static void test_a_named_slot_is_protected_as_any_other(void **context)
{
    (void)context;
    set_up_direct();
    image_rig_install(&rig, 3, 1, 0);
    image_rig_make_revert(&rig, 1);
    assert_string_equal(begin(4), ERR(9)); /* the way back */
    assert_string_equal(begin(2), "{\"off\":128}");
    set_up_direct();
    image_rig_install(&rig, 1, 1, 0);
    rig.options.erase_pending = false;
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
    assert_string_equal(begin(2), ERR(9));
}

static void test_a_named_slot_that_is_not_there(void **context)
{
    (void)context;
    set_up_direct();
    rig.slots[0].secondary = NULL;
    rig.slots[0].strategy = &ferry_traits_single_slot;
    rig.slots[0].state = &ferry_slots_single;
    image_rig_restart(&rig);
    assert_string_equal(begin(2), ERR(9));
    assert_string_equal(begin(0), ERR(9));
    rig.options.upload_running = true;
    assert_string_equal(begin(2), ERR(9));
    assert_string_equal(begin(0), "{\"off\":128}");
}

static void test_an_upload_is_resumed_by_its_number(void **context)
{
    uint8_t sha[32] = {1};
    struct rig_upload first = RIG_UPLOAD;
    (void)context;

    set_up_direct();
    first.image = 2;
    first.len = (int64_t)file_len;
    first.off = 0;
    first.data = file;
    first.data_len = 128;
    first.sha = sha;
    first.sha_len = sizeof(sha);
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":128}");
    assert_string_equal(send(128, 128), "{\"off\":256}");
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":256}");
    first.image = 4;
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":128}");
}

static void test_slot_info_names_every_slot_that_takes_an_upload(void **context)
{
    (void)context;
    set_up_direct();
    image_rig_expect(&rig, FERRY_SMP_READ, SLOT_INFO, "{}",
                     "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":65536},"
                     "{\"slot\":1,\"size\":65536,\"upload_image_id\":2}],\"max_image_size\":57344},"
                     "{\"image\":1,\"slots\":[{\"slot\":0,\"size\":65536},"
                     "{\"slot\":1,\"size\":65536,\"upload_image_id\":4}],\"max_image_size\":57344}"
                     "]}");
    rig.options.upload_running = true;
    image_rig_expect(&rig, FERRY_SMP_READ, SLOT_INFO, "{}",
                     "{\"images\":[{\"image\":0,\"slots\":"
                     "[{\"slot\":0,\"size\":65536,\"upload_image_id\":1},"
                     "{\"slot\":1,\"size\":65536,\"upload_image_id\":2}],\"max_image_size\":57344},"
                     "{\"image\":1,\"slots\":[{\"slot\":0,\"size\":65536,\"upload_image_id\":3},"
                     "{\"slot\":1,\"size\":65536,\"upload_image_id\":4}],\"max_image_size\":57344}"
                     "]}");
}

/* ---- Erase ahead --------------------------------------------------------------------------- */

/* Slot 1 full of an old image that is asked for, erase ahead on, a file of nearly eight sectors. */
static void set_up_ahead(const struct ferry_strategy_traits *strategy)
{
    const struct test_image_spec spec = {.version = {.major = 2},
                                         .key = TEST_KEY_NONE,
                                         .payload_size = 7 * RIG_SECTOR,
                                         .header_size = 32};

    image_rig_set_up_pair(&rig, strategy);
    rig.group_config.ahead = &ferry_image_erase_ahead;
    memset(rig.memory[1] + RIG_SECTOR, 0x33, 14 * RIG_SECTOR);
    file_len = test_image_build(&spec, file, sizeof(file));
    assert_in_range(file_len, 7 * RIG_SECTOR, 8 * RIG_SECTOR);
}

/* How many sectors of slot 1 are as they were, from the front. */
static uint32_t first_kept(uint32_t from)
{
    while (rig.memory[1][from * RIG_SECTOR] != 0x33) {
        from++;
    }
    return from;
}

static void test_the_first_chunk_erases_what_it_must_and_no_more(void **context)
{
    (void)context;
    set_up_ahead(&ferry_traits_swap_move);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
    rig.power.operations = 0;
    assert_string_equal(begin(-1), "{\"off\":128}");
    /* Trailer, header, and where the new TLVs will be. */
    assert_int_equal(rig.power.operations, 3 + 1);
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
    assert_memory_equal(rig.memory[1], file, 128);
    assert_int_equal(first_kept(1), 1);
    assert_true(ferry_all_equal(rig.memory[1] + 7 * RIG_SECTOR, RIG_SECTOR, 0xff));
    assert_int_equal(rig.memory[1][8 * RIG_SECTOR], 0x33);
}

static void test_each_chunk_waits_for_its_own_sector_at_most(void **context)
{
    size_t off = 128;
    (void)context;

    set_up_ahead(&ferry_traits_swap_move);
    assert_string_equal(begin(-1), "{\"off\":128}");
    while (off < file_len) {
        size_t len = file_len - off < 500 ? file_len - off : 500;
        char expected[32];

        off += len;
        (void)snprintf(expected, sizeof(expected), "{\"off\":%zu}", off);
        assert_string_equal(send(off - len, len), expected);
        for (uint32_t sector = 1; sector < 7; sector++) { /* what it reached, and no other */
            assert_int_equal(rig.memory[1][(sector + 1) * RIG_SECTOR - 1] == 0x33,
                             off <= sector * RIG_SECTOR);
        }
    }
    assert_memory_equal(rig.memory[1], file, file_len);
    assert_int_equal(rig.memory[1][8 * RIG_SECTOR], 0x33);
    assert_false(ferry_image_group_erase_next(&rig.group));
}

/* In idle time the next sector is made ready: the chunk that reaches it erases nothing. */
static void test_idle_time_makes_one_sector_ready(void **context)
{
    (void)context;
    set_up_ahead(&ferry_traits_swap_move);
    assert_false(ferry_image_group_erase_next(&rig.group)); /* no upload */
    assert_string_equal(begin(-1), "{\"off\":128}");
    assert_true(ferry_image_group_erase_next(&rig.group));
    assert_int_equal(first_kept(1), 2);
    assert_false(ferry_image_group_erase_next(&rig.group)); /* one is enough */
    assert_string_equal(send(128, 3840), "{\"off\":3968}");
    rig.power.operations = 0;
    assert_string_equal(send(3968, 256), "{\"off\":4224}");
    assert_int_equal(rig.power.operations, 1); /* the write alone */
    assert_true(ferry_image_group_erase_next(&rig.group));
    assert_int_equal(first_kept(1), 3);
    rig.power.off = true;
    assert_string_equal(send(4224, 8), ERR(12));
    assert_false(ferry_image_group_erase_next(&rig.group));
}

static void test_a_sector_that_does_not_erase_ends_the_upload(void **context)
{
    (void)context;
    set_up_ahead(&ferry_traits_swap_move);
    assert_string_equal(begin(-1), "{\"off\":128}");
    assert_string_equal(send(128, 3840), "{\"off\":3968}");
    rig.power.cut_at = rig.power.operations + 1;
    assert_string_equal(send(3968, 256), ERR(13));
    assert_false(rig.group.open);
}

/* Half of an image over an old one of the same size: no list takes it for one. */
static void test_half_an_image_is_in_no_list(void **context)
{
    static struct rig_answer answer;
    (void)context;

    set_up_ahead(&ferry_traits_swap_move);
    memcpy(rig.memory[1], file, file_len); /* the very image that comes again */
    for (size_t off = 128; off < file_len; off += 1000) {
        assert_string_equal(begin(-1), "{\"off\":128}");
        if (off > 128) {
            (void)send(128, 1000);
        }
        rig_ask(&rig.server, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, "{}",
                &answer);
        assert_null(strstr(answer.json, "\"slot\":1"));
        memcpy(rig.memory[1], file, file_len);
        rig.event_count = 0;
    }
}

/* A strategy that keeps the old image in another place than the uploaded one. */
static void test_an_old_header_goes_first(void **context)
{
    (void)context;
    set_up_ahead(&ferry_traits_swap_offset);
    assert_int_equal(ferry_load_le32(rig.memory[1]), FERRY_IMAGE_MAGIC);
    assert_string_equal(begin(-1), "{\"off\":128}");
    assert_true(ferry_all_equal(rig.memory[1], RIG_SECTOR, 0xff));
    assert_memory_equal(rig.memory[1] + RIG_SECTOR, file, 128);
}

/* A cut anywhere leaves no request but for a whole image, and no image but a whole one. */
static void test_cuts_leave_no_request_for_half_an_image(void **context)
{
    unsigned cuts = 0;
    bool finished = false;
    (void)context;

    for (uint64_t cut = 1; !finished; cut++) {
        for (int how = FERRY_CUT_BEFORE; how <= FERRY_CUT_INSIDE; how++) {
            struct ferry_image_info info;

            set_up_ahead(&ferry_traits_swap_move);
            assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
            rig.power = (struct ferry_power){.cut_at = cut, .how = (enum ferry_cut)how};
            (void)begin(-1);
            for (size_t off = 128; off < file_len && rig.group.open; off += 2000) {
                (void)send(off, file_len - off < 2000 ? file_len - off : 2000);
                (void)ferry_image_group_erase_next(&rig.group);
            }
            finished = !rig.power.off;
            cuts += rig.power.off;
            rig.power = (struct ferry_power){0};
            if (image_rig_next(&rig, 0) != FERRY_SWAP_NONE) { /* the old one, untouched */
                assert_int_equal(ferry_image_inspect(rig.slots[0].secondary, &info), FERRY_OK);
                assert_int_equal(info.size, 1072);
            } else if (ferry_image_inspect(rig.slots[0].secondary, &info) == FERRY_OK &&
                       info.size == file_len) {
                assert_memory_equal(rig.memory[1], file, file_len);
            }
        }
    }
    print_message("%u cuts of an upload that erases ahead\n", cuts);
    assert_true(cuts >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_names_a_slot),
        cmocka_unit_test(test_the_running_slot_is_protected_unless_the_product_says_so),
        cmocka_unit_test(test_a_named_slot_is_protected_as_any_other),
        cmocka_unit_test(test_a_named_slot_that_is_not_there),
        cmocka_unit_test(test_an_upload_is_resumed_by_its_number),
        cmocka_unit_test(test_slot_info_names_every_slot_that_takes_an_upload),
        cmocka_unit_test(test_the_first_chunk_erases_what_it_must_and_no_more),
        cmocka_unit_test(test_each_chunk_waits_for_its_own_sector_at_most),
        cmocka_unit_test(test_idle_time_makes_one_sector_ready),
        cmocka_unit_test(test_a_sector_that_does_not_erase_ends_the_upload),
        cmocka_unit_test(test_half_an_image_is_in_no_list),
        cmocka_unit_test(test_an_old_header_goes_first),
        cmocka_unit_test(test_cuts_leave_no_request_for_half_an_image),
    };

    return cmocka_run_group_tests_name("image upload: places", tests, NULL, NULL);
}

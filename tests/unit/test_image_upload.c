/* SPDX-License-Identifier: Apache-2.0 */
/* Image upload: the checks of smp.md §3.1 in their order, resume, hooks, failing flash. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ERR(n)  "{\"err\":{\"group\":1,\"rc\":" #n "}}"
#define MB_256  (INT64_C(256) << 20)
#define UPLOAD  FERRY_SMP_IMAGE_UPLOAD
#define SHA_LEN 32

static struct image_rig rig; /* a quarter of a megabyte */
static uint8_t file[RIG_SLOT + 64];
static size_t file_len;
static uint8_t sha[SHA_LEN + 1];

static void set_up(void)
{
    image_rig_set_up(&rig, 8, 1);
    image_rig_install(&rig, 0, 1, 0);
    file_len = image_rig_build(2, 0, file, sizeof(file));
    test_sha256(file, file_len, sha);
}

/* A first chunk as a client sends it, 128 bytes of file. */
static struct rig_upload first_chunk(void)
{
    struct rig_upload upload = RIG_UPLOAD;

    upload.len = (int64_t)file_len;
    upload.off = 0;
    upload.data = file;
    upload.data_len = 128;
    upload.sha = sha;
    upload.sha_len = SHA_LEN;
    return upload;
}

static struct rig_upload chunk_at(size_t off, size_t len)
{
    struct rig_upload upload = RIG_UPLOAD;

    upload.off = (int64_t)off;
    upload.data = file + off;
    upload.data_len = len;
    return upload;
}

static void send(const struct rig_upload *upload, const char *json)
{
    assert_string_equal(image_rig_upload(&rig, 1, upload), json);
}

/* Open an upload: 128 bytes are taken. */
static void open_upload(void)
{
    struct rig_upload first = first_chunk();

    send(&first, "{\"off\":128}");
}

/* ---- 1 and 2 ----------------------------------------------------------------- */

static void test_payloads_that_cannot_be_read_keep_the_upload(void **context)
{
    struct rig_upload again = chunk_at(128, 8);
    (void)context;

    set_up();
    open_upload();
    image_rig_expect(&rig, 2, UPLOAD, NULL, "{\"rc\":3}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":-1}", "{\"rc\":3}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":128,\"data\":\"text\"}", "{\"rc\":3}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":128,\"upgrade\":1}", "{\"rc\":3}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":128,\"sha\":\"text\"}", "{\"rc\":3}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":128,\"len\":\"h''\"}", "{\"rc\":3}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":128,\"off\":128}", "{\"rc\":3}");
    send(&again, "{\"off\":136}");
}

static void test_no_offset_is_err_20_and_ends_the_upload(void **context)
{
    struct rig_upload again = chunk_at(128, 8);
    (void)context;

    set_up();
    open_upload();
    image_rig_expect(&rig, 2, UPLOAD, "{\"data\":\"h'00'\"}", ERR(20));
    assert_string_equal(image_rig_events(&rig), "started 0 1072, stopped 0 128");
    send(&again, "{\"off\":0}");
    image_rig_expect_v1(&rig, 2, UPLOAD, "{}", "{\"rc\":3}");
}

/* ---- 3 to 11: the first chunk ------------------------------------------------ */

/* Send a first chunk that is refused: error in version 2, rc in version 1, and the text a verbose
 * server gives. An open upload ends with it. */
static void expect_refusal(const struct rig_upload *upload, const char *v2, const char *v1)
{
    struct rig_upload next = chunk_at(128, 8);

    rig.config.verbose = false;
    open_upload();
    send(upload, v2);
    assert_false(rig.group.open);
    send(&next, "{\"off\":0}");
    rig.config.verbose = true;
    assert_string_equal(image_rig_upload(&rig, 0, upload), v1);
    rig.event_count = 0;
}

static void test_first_chunks_that_are_refused(void **context)
{
    static uint8_t other[128];
    struct rig_upload upload;
    (void)context;

    set_up();
    upload = first_chunk(); /* 3 comes before 4 and 5 */
    upload.data_len = 31;
    upload.len = -1;
    expect_refusal(&upload, ERR(22), "{\"rc\":3,\"rsn\":\"header malformed\"}");
    upload.data = NULL;
    expect_refusal(&upload, ERR(22), "{\"rc\":3,\"rsn\":\"header malformed\"}");

    upload = first_chunk(); /* 4 before 5 */
    upload.len = -1;
    upload.data = other;
    expect_refusal(&upload, ERR(21), "{\"rc\":3,\"rsn\":\"header malformed\"}");

    upload.len = 1000; /* 5 before 6 */
    upload.sha_len = SHA_LEN + 1;
    expect_refusal(&upload, ERR(23), "{\"rc\":1,\"rsn\":\"magic mismatch\"}");

    upload = first_chunk(); /* 6 before 8 */
    upload.sha_len = SHA_LEN + 1;
    upload.image = 1;
    expect_refusal(&upload, ERR(24), "{\"rc\":3}");

    upload = first_chunk(); /* 8 before 9 */
    upload.image = 1;
    upload.len = MB_256;
    expect_refusal(&upload, ERR(9), "{\"rc\":6,\"rsn\":\"no slot\"}");

    upload.image = 0; /* 9 before 11 */
    upload.upgrade = 1;
    upload.sha_len = 31;
    image_rig_install(&rig, 0, 9, 0);
    expect_refusal(&upload, ERR(30), "{\"rc\":1,\"rsn\":\"img too large\"}");
    upload.len = INT64_C(1) << 40;
    expect_refusal(&upload, ERR(30), "{\"rc\":1,\"rsn\":\"img too large\"}");

    upload.len = (int64_t)file_len; /* 11 */
    expect_refusal(&upload, ERR(27), "{\"rc\":6,\"rsn\":\"downgrade\"}");

    upload = first_chunk(); /* more data than the file has */
    upload.len = 127;
    upload.sha_len = 31;
    expect_refusal(&upload, ERR(31), "{\"rc\":1,\"rsn\":\"data overrun\"}");
}

static void test_a_refused_first_chunk_leaves_the_slot_alone(void **context)
{
    struct rig_upload upload;
    uint64_t operations;
    (void)context;

    set_up();
    image_rig_install(&rig, 1, 1, 0);
    operations = rig.power.operations;
    upload = first_chunk();
    upload.len = MB_256;
    send(&upload, ERR(30));
    upload.len = 100;
    send(&upload, ERR(31));
    assert_int_equal(rig.power.operations, operations);
    assert_string_equal(image_rig_events(&rig), "");
}

static void test_upgrade_wants_a_newer_version(void **context)
{
    static const struct {
        uint8_t major;
        uint32_t build;
        bool build_number;
        const char *json;
    } rows[] = {
        {2, 6, false, "{\"off\":128}"}, {1, 6, false, ERR(27)},        {0, 6, false, ERR(27)},
        {1, 7, false, ERR(27)},         {1, 7, true, "{\"off\":128}"}, {1, 6, true, ERR(27)},
        {1, 5, true, ERR(27)},
    };
    (void)context;

    set_up();
    image_rig_install(&rig, 0, 1, 6);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig_upload upload;

        file_len = image_rig_build(rows[i].major, rows[i].build, file, sizeof(file));
        rig.options.build_number = rows[i].build_number;
        upload = first_chunk();
        upload.sha = NULL;
        upload.upgrade = 1;
        send(&upload, rows[i].json);
        upload.upgrade = 0;
        send(&upload, "{\"off\":128}");
        rig.event_count = 0;
    }
    struct rig_upload upload = first_chunk();

    upload.upgrade = 1;
    upload.sha = NULL;
    rig.memory[0][0] = 0; /* the running version cannot be read */
    send(&upload, ERR(26));
    assert_string_equal(image_rig_upload(&rig, 0, &upload), "{\"rc\":1}");
}

static void test_slots_that_may_not_be_overwritten(void **context)
{
    struct rig_upload upload;
    (void)context;

    set_up();
    image_rig_install(&rig, 1, 1, 0);
    upload = first_chunk();
    image_rig_make_revert(&rig, 0);
    send(&upload, ERR(9)); /* the way back */
    set_up();
    image_rig_install(&rig, 1, 1, 0);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
    rig.options.erase_pending = false;
    send(&upload, ERR(9));
    rig.options.erase_pending = true;
    send(&upload, "{\"off\":128}");
    rig.power.off = true;
    upload.sha = NULL;
    send(&upload, ERR(34)); /* nothing can be read: what runs is not known */
}

/* ---- 7, 12, 13: resume and offsets ------------------------------------------- */

static void test_an_upload_resumes_by_its_sha(void **context)
{
    struct rig_upload first;
    struct rig_upload next = chunk_at(128, 128);
    (void)context;

    set_up();
    open_upload();
    send(&next, "{\"off\":256}");

    uint64_t operations = rig.power.operations;

    first = first_chunk();
    first.data_len = 32;
    send(&first, "{\"off\":256}");
    assert_int_equal(rig.power.operations, operations); /* nothing erased, nothing written */
    assert_string_equal(image_rig_events(&rig), "started 0 1072");
    first.sha_len = 31; /* another length is another sha */
    send(&first, "{\"off\":32}");
    send(&first, "{\"off\":32}"); /* a short one works as well */
    assert_string_equal(image_rig_events(&rig), "stopped 0 256, started 0 1072");
    first.sha = NULL;
    send(&first, "{\"off\":32}");
    first.data_len = 40;
    send(&first, "{\"off\":40}"); /* without one it starts over */
    assert_string_equal(image_rig_events(&rig),
                        "stopped 0 32, started 0 1072, stopped 0 32, started 0 1072");
}

static void test_the_resume_vectors_byte_for_byte(void **context)
{
    (void)context;
    set_up();
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_upload_first_req", "img_upload_rsp_128");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_upload_resume_req",
                      "img_upload_rsp_128"); /* its seq is set by the rig */
    memcpy(file, rig.memory[1], 128);

    struct rig_upload next = chunk_at(128, 128);

    send(&next, "{\"off\":256}");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_upload_resume_req",
                      "img_upload_resume_rsp");
    next = chunk_at(256, 128);
    send(&next, "{\"off\":384}");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_upload_last_req", "img_upload_last_rsp");
    assert_string_equal(image_rig_events(&rig), "started 0 428, finished 0 428");
}

static void test_a_wrong_offset_is_answered_with_the_right_one(void **context)
{
    static const size_t wrong[] = {1, 127, 129, 256, 1000, 60000};
    (void)context;

    set_up();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rig_upload upload = chunk_at(wrong[i], 16);

        send(&upload, "{\"off\":0}"); /* nothing is open */
    }
    open_upload();

    uint64_t operations = rig.power.operations;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rig_upload upload = chunk_at(wrong[i], 16);

        send(&upload, "{\"off\":128}");
    }
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":1099511627904}", "{\"off\":128}"); /* 2^40 + 128 */
    assert_int_equal(rig.power.operations, operations);

    struct rig_upload empty = chunk_at(128, 0);

    send(&empty, "{\"off\":128}");
    image_rig_expect(&rig, 2, UPLOAD, "{\"off\":128}", "{\"off\":128}"); /* no data at all */
    assert_string_equal(image_rig_events(&rig), "started 0 1072");
}

static void test_data_beyond_the_length_is_err_31(void **context)
{
    struct rig_upload upload;
    (void)context;

    set_up();
    open_upload();
    upload = chunk_at(128, file_len - 128 + 1);
    upload.len = 60000; /* counts in the first chunk only */
    send(&upload, ERR(31));
    assert_string_equal(image_rig_events(&rig), "started 0 1072, stopped 0 128");
    open_upload();
    upload.data_len--;
    send(&upload, "{\"off\":1072}");
    upload = chunk_at(file_len, 1); /* finished: nothing is open */
    send(&upload, "{\"off\":0}");
}

/* ---- 14: the application ----------------------------------------------------- */

static void test_the_application_may_refuse(void **context)
{
    struct rig_upload next = chunk_at(128, 128);
    (void)context;

    set_up();
    open_upload();
    rig.hook_error = 2;
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "img_upload_next_req", "img_upload_hook_err");
    rig.hook_error = 0;
    send(&next, "{\"off\":256}");
    assert_int_equal(rig.chunk.offset, 128);
    assert_int_equal(rig.chunk.size, file_len);
    assert_int_equal(rig.chunk.data.len, 128);
    rig.hook_error = 2;
    next = chunk_at(256, 128);
    send(&next, "{\"err\":{\"group\":64,\"rc\":2},\"off\":256}");
    assert_string_equal(image_rig_upload(&rig, 0, &next), "{\"rc\":1}");
    rig.hook_error = 0;
    send(&next, "{\"off\":384}"); /* the upload was kept */
    rig.hook_rc = FERRY_RC_BUSY;
    next = chunk_at(384, 128);
    send(&next, "{\"rc\":10}");
    rig.hook_rc = 0;
    send(&next, "{\"off\":0}"); /* it was not */
    assert_string_equal(image_rig_events(&rig), "started 0 1072, stopped 0 384");
}

static void test_the_application_sees_the_first_chunk(void **context)
{
    struct rig_upload first;
    (void)context;

    set_up();
    image_rig_install(&rig, 1, 3, 0);
    rig.hook_rc = FERRY_RC_ACCESS_DENIED;
    first = first_chunk();
    send(&first, "{\"rc\":11}");
    assert_int_equal(rig.chunk.offset, 0);
    assert_int_equal(rig.chunk.size, file_len);
    assert_int_equal(rig.power.operations, 0);
    rig.hook_error = 2;
    send(&first, "{\"err\":{\"group\":64,\"rc\":2},\"off\":0}");
    assert_int_equal(rig.power.operations, 0);
}

static void test_a_compressed_image_is_refused_at_once(void **context)
{
    static const uint32_t kinds[] = {FERRY_IMAGE_LZMA1, FERRY_IMAGE_LZMA2, FERRY_IMAGE_ARM_THUMB};
    struct rig_upload first;
    (void)context;

    set_up();
    rig.group_config.upload = ferry_image_refuse_compressed;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ferry_store_le32(file + 16, kinds[i]);
        first = first_chunk();
        send(&first, "{\"err\":{\"group\":1,\"rc\":22},\"off\":0}");
        assert_int_equal(rig.power.operations, 0);
    }
    ferry_store_le32(file + 16, FERRY_IMAGE_ROM_FIXED);
    first = first_chunk();
    send(&first, "{\"off\":128}");
    first = chunk_at(128, 128);
    send(&first, "{\"off\":256}");
}

/* ---- 15: the check ----------------------------------------------------------- */

static void test_match_is_told_where_the_check_is_built_in(void **context)
{
    struct rig_upload first;
    struct rig_upload rest;
    (void)context;

    set_up();
    rig.group_config.check = &ferry_image_check_sha256;
    open_upload();
    rest = chunk_at(128, file_len - 128);
    send(&rest, "{\"off\":1072,\"match\":true}");
    first = first_chunk(); /* it is there already */
    send(&first, "{\"off\":1072,\"match\":true}");
    assert_string_equal(image_rig_events(&rig),
                        "started 0 1072, finished 0 1072, started 0 1072, finished 0 1072");
    first.sha_len = 31; /* no whole sha: nothing to compare with */
    send(&first, "{\"off\":128}");
    send(&rest, "{\"off\":1072}");
    sha[0] ^= 1;
    first.sha_len = SHA_LEN;
    send(&first, "{\"off\":128}");
    send(&rest, "{\"off\":1072,\"match\":false}");
    first.sha = NULL;
    send(&first, "{\"off\":128}");
    send(&rest, "{\"off\":1072}");
}

/* ---- 16, 17: flash ----------------------------------------------------------- */

static void test_a_slot_is_erased_as_far_as_needed_and_its_trailer_too(void **context)
{
    (void)context;
    set_up();
    memset(rig.memory[1], 0, RIG_SLOT);
    image_rig_install(&rig, 1, 3, 0);
    memset(rig.memory[1] + RIG_SECTOR, 0x33, RIG_SECTOR); /* sector 1: not needed */
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
    open_upload();
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
    assert_memory_equal(rig.memory[1], file, 128);
    assert_true(ferry_all_equal(rig.memory[1] + 128, RIG_SECTOR - 128, 0xff));
    assert_int_equal(rig.memory[1][RIG_SECTOR], 0x33);
    assert_true(ferry_all_equal(rig.memory[1] + 15 * RIG_SECTOR, RIG_SECTOR, 0xff));
    assert_true(rig.fed >= 2);
}

static void test_flash_that_fails_ends_the_upload(void **context)
{
    struct rig_upload upload;
    (void)context;

    set_up();
    image_rig_install(&rig, 1, 3, 0);
    rig.power.cut_at = 1;
    upload = first_chunk();
    send(&upload, ERR(13));
    assert_string_equal(image_rig_events(&rig), "started 0 1072, stopped 0 0");
    set_up();
    open_upload();
    rig.power.cut_at = rig.power.operations + 1;
    upload = chunk_at(128, 128);
    send(&upload, ERR(12));
    rig.power = (struct ferry_power){0};
    send(&upload, "{\"off\":0}");
    open_upload();
    rig.power.cut_at = rig.power.operations + 1;
    assert_string_equal(image_rig_upload(&rig, 0, &upload), "{\"rc\":1}");
}

/* A cut anywhere in the first chunk never leaves a request for an image that is damaged. */
static void test_a_cut_first_chunk_leaves_no_request_for_half_an_image(void **context)
{
    unsigned cuts = 0;
    bool finished = false;
    (void)context;

    for (uint64_t cut = 1; !finished; cut++) {
        for (int how = FERRY_CUT_BEFORE; how <= FERRY_CUT_INSIDE; how++) {
            struct rig_upload first;
            struct ferry_image_info info;

            set_up();
            image_rig_install(&rig, 1, 3, 0);
            assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
            rig.power = (struct ferry_power){.cut_at = cut, .how = (enum ferry_cut)how};
            first = first_chunk();
            (void)image_rig_upload(&rig, 1, &first);
            finished = !rig.power.off;
            cuts += rig.power.off;
            rig.power = (struct ferry_power){0};
            if (image_rig_next(&rig, 0) != FERRY_SWAP_NONE) {
                assert_int_equal(ferry_image_inspect(rig.slots[0].secondary, &info), FERRY_OK);
            }
        }
    }
    print_message("%u cuts of a first chunk\n", cuts);
    assert_true(cuts >= 9);
}

static void test_a_file_in_one_chunk(void **context)
{
    struct rig_upload upload;
    (void)context;

    set_up();
    upload = first_chunk();
    upload.data_len = file_len;
    send(&upload, "{\"off\":1072}");
    assert_memory_equal(rig.memory[1], file, file_len);
    assert_string_equal(image_rig_events(&rig), "started 0 1072, finished 0 1072");
}

/* ---- The end ----------------------------------------------------------------- */

static void test_erase_and_drop_end_an_upload(void **context)
{
    struct rig_upload next = chunk_at(128, 8);
    (void)context;

    set_up();
    open_upload();
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_ERASE, "{}", "{}");
    assert_string_equal(image_rig_events(&rig), "started 0 1072, stopped 0 128, erased 0 1");
    send(&next, "{\"off\":0}");
    open_upload();
    ferry_image_group_drop_upload(&rig.group);
    send(&next, "{\"off\":0}");
    open_upload();
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_ERASE, "{\"slot\":0}", ERR(9)); /* refused: kept */
    send(&next, "{\"off\":136}");
}

static void test_the_observer_sees_every_chunk(void **context)
{
    struct rig_upload next = chunk_at(128, 8);
    (void)context;

    set_up();
    rig.config.observe_all = true;
    open_upload();
    assert_string_equal(image_rig_events(&rig),
                        "received 0 0, started 0 1072, written 0 128, done 0 0");
    send(&next, "{\"off\":136}");
    assert_string_equal(image_rig_events(&rig), "received 0 0, written 0 136, done 0 0");
    send(&next, "{\"off\":136}"); /* again: nothing is written */
    assert_string_equal(image_rig_events(&rig), "received 0 0, done 0 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payloads_that_cannot_be_read_keep_the_upload),
        cmocka_unit_test(test_no_offset_is_err_20_and_ends_the_upload),
        cmocka_unit_test(test_first_chunks_that_are_refused),
        cmocka_unit_test(test_a_refused_first_chunk_leaves_the_slot_alone),
        cmocka_unit_test(test_upgrade_wants_a_newer_version),
        cmocka_unit_test(test_slots_that_may_not_be_overwritten),
        cmocka_unit_test(test_an_upload_resumes_by_its_sha),
        cmocka_unit_test(test_the_resume_vectors_byte_for_byte),
        cmocka_unit_test(test_a_wrong_offset_is_answered_with_the_right_one),
        cmocka_unit_test(test_data_beyond_the_length_is_err_31),
        cmocka_unit_test(test_the_application_may_refuse),
        cmocka_unit_test(test_the_application_sees_the_first_chunk),
        cmocka_unit_test(test_a_compressed_image_is_refused_at_once),
        cmocka_unit_test(test_match_is_told_where_the_check_is_built_in),
        cmocka_unit_test(test_a_slot_is_erased_as_far_as_needed_and_its_trailer_too),
        cmocka_unit_test(test_flash_that_fails_ends_the_upload),
        cmocka_unit_test(test_a_cut_first_chunk_leaves_no_request_for_half_an_image),
        cmocka_unit_test(test_a_file_in_one_chunk),
        cmocka_unit_test(test_erase_and_drop_end_an_upload),
        cmocka_unit_test(test_the_observer_sees_every_chunk),
    };

    return cmocka_run_group_tests_name("image upload", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The small image and os groups: what clients see of the whole ones. [smp.md §3.0, §3.1] */
#include "ferry/group_image_small.h"
#include "ferry/group_os_small.h"
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum {
    STATE = FERRY_SMP_IMAGE_STATE,
    UPLOAD = FERRY_SMP_IMAGE_UPLOAD,
    ERASE = FERRY_SMP_IMAGE_ERASE,
    SLOT_INFO = FERRY_SMP_IMAGE_SLOT_INFO
};

#define ERR(n)  "{\"err\":{\"group\":1,\"rc\":" #n "}}"
#define SHA_LEN 32

static struct image_rig rig; /* a quarter of a megabyte */
static struct ferry_image_small group;
static struct ferry_os_small os;
static unsigned fed;
static uint8_t file[RIG_SLOT + 64];
static size_t file_len;
static uint8_t sha[SHA_LEN + 1];

static void feed(void *context)
{
    assert_ptr_equal(context, &fed);
    fed++;
}

/* The rig's server with the small groups. */
static void set_up(const struct ferry_strategy_traits *strategy, uint8_t write_size)
{
    image_rig_set_up(&rig, write_size, 1);
    rig.slots[0].strategy = strategy;
    rig.slots[0].state = &ferry_slots_by_swap_small;
    fed = 0;
    os = (struct ferry_os_small){.strategy = strategy};
    memset(&group, 0xa5, sizeof(group));
    ferry_image_small_init(&group, &rig.slots[0], feed, &fed);
    rig.mounts[0] = (struct ferry_server_mount){&ferry_os_small_table, &os};
    rig.mounts[1] = (struct ferry_server_mount){&ferry_image_small_table, &group};
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_OK);
    file_len = image_rig_build(2, 0, file, sizeof(file));
    test_sha256(file, file_len, sha);
}

static void set_up_running(void)
{
    set_up(&ferry_traits_swap_shift_small, 4);
    image_rig_install(&rig, 0, 1, 0);
}

static void set_up_pair(const struct ferry_strategy_traits *strategy)
{
    set_up(strategy, 8);
    image_rig_install(&rig, 0, 1, 0);
    image_rig_install(&rig, 1, 2, 0);
}

static void expect(uint8_t op, uint8_t id, const char *request, const char *json)
{
    image_rig_expect(&rig, op, id, request, json);
}

/* ---- os -------------------------------------------------------------------------------------- */

static const char *ask_os(uint8_t op, uint8_t id, const char *json)
{
    static struct rig_answer answer;

    rig_ask(&rig.server, op, FERRY_SMP_GROUP_OS, id, json, &answer);
    return answer.json;
}

static void test_echo_and_parameters(void **state)
{
    (void)state;
    set_up_running();
    assert_string_equal(ask_os(WRITE, FERRY_SMP_OS_ECHO, "{\"d\":\"hi\"}"), "{\"r\":\"hi\"}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_ECHO, "{\"d\":\"hi\"}"), "{\"r\":\"hi\"}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_PARAMS, NULL),
                        "{\"buf_size\":512,\"buf_count\":4}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_BOOTLOADER_INFO, "{}"),
                        "{\"bootloader\":\"MCUboot\"}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_BOOTLOADER_INFO, "{\"query\":\"mode\"}"),
                        "{\"mode\":3}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_BOOTLOADER_INFO, "{\"query\":\"why\"}"),
                        "{\"err\":{\"group\":0,\"rc\":3}}");
    os.strategy = NULL;
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_BOOTLOADER_INFO, "{\"query\":\"mode\"}"),
                        "{\"err\":{\"group\":0,\"rc\":3}}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_BOOTLOADER_INFO, NULL), "{\"rc\":3}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_TASKS, "{}"), "{\"rc\":8}");
    assert_false(os.reset_due);
}

static void test_a_reset_is_due_whatever_its_payload_is(void **state)
{
    static const struct {
        const char *json;
        uint8_t mode;
    } rows[] = {{NULL, 0},
                {"{}", 0},
                {"[1]", 0},
                {"{\"force\":1}", 0},
                {"{\"force\":true,\"boot_mode\":1}", 1},
                {"{\"boot_mode\":255}", 255},
                {"{\"boot_mode\":\"1\"}", 0}};
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up_running();
        assert_string_equal(ask_os(WRITE, FERRY_SMP_OS_RESET, rows[i].json), "{}");
        assert_true(os.reset_due);
        assert_int_equal(os.boot_mode, rows[i].mode);
    }
    set_up_running();
    assert_string_equal(ask_os(WRITE, FERRY_SMP_OS_RESET, "{\"boot_mode\":256}"), "{\"rc\":3}");
    assert_string_equal(ask_os(READ, FERRY_SMP_OS_RESET, "{}"), "{\"rc\":8}");
    assert_false(os.reset_due);
}

/* ---- The list -------------------------------------------------------------------------------- */

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

    assert_int_equal(test_from_hex(hex, hash), 32);
    assert_true(test_image_build(&spec, rig.memory[slot], RIG_SLOT) > 0);
}

#define HASH_1 "4c4b4a1f341a258db6343a420e19828162acc54084240949aca5a919c9100378"
#define HASH_2 "8352128acb721b802ee140bfb7800bc96e8ded6aee172e12d825ed110504a4b5"

static void test_list_and_state_are_zephyrs_byte_for_byte(void **state)
{
    (void)state;
    set_up(&ferry_traits_swap_move_small, 8);
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

static void test_flags_in_every_state(void **state)
{
    (void)state;
    set_up_pair(&ferry_traits_swap_move_small);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:p");
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:pP");

    set_up_pair(&ferry_traits_swap_move_small);
    image_rig_make_revert(&rig, 0);
    assert_string_equal(image_rig_flags(&rig), "0:a 1:c");
    assert_int_equal(ferry_slots_confirm(&rig.slots[0]), FERRY_OK);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
}

static void test_slots_without_an_image_are_left_out(void **state)
{
    static const char empty[] = "{\"images\":[],\"splitStatus\":0}";
    (void)state;

    set_up(&ferry_traits_swap_move_small, 8);
    expect(READ, STATE, "{}", empty);
    expect(READ, STATE, NULL, empty); /* no body needed */
    image_rig_install(&rig, 1, 2, 0);
    assert_string_equal(image_rig_flags(&rig), "1:");
    rig.memory[1][0] = 0; /* the magic */
    expect(READ, STATE, "{}", empty);
    image_rig_install(&rig, 1, 2, 0);
    rig.memory[1][32 + 1000] = 0; /* the TLV magic */
    expect(READ, STATE, "{}", empty);
    image_rig_install(&rig, 0, 1, 0);
    rig.power.off = true; /* nothing can be read */
    expect(READ, STATE, "{}", empty);
}

static void test_an_image_that_must_not_boot_is_listed_so(void **state)
{
    const struct test_image_spec spec = {.key = TEST_KEY_NONE, .flags = FERRY_IMAGE_NON_BOOTABLE};
    struct rig_answer answer;
    (void)state;

    set_up(&ferry_traits_swap_move_small, 8);
    assert_true(test_image_build(&spec, rig.memory[1], RIG_SLOT) > 0);
    rig_ask(&rig.server, READ, FERRY_SMP_GROUP_IMAGE, STATE, "{}", &answer);
    assert_non_null(strstr(answer.json, "\"bootable\":false"));
}

static void test_the_old_image_is_found_a_sector_up(void **state)
{
    (void)state;
    set_up(&ferry_traits_swap_shift_small, 8);
    image_rig_install(&rig, 0, 2, 0);
    (void)image_rig_build(1, 0, rig.memory[1] + RIG_SECTOR, RIG_SLOT - RIG_SECTOR);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
    rig.slots[0].strategy = &ferry_traits_swap_move_small; /* which has it at the beginning only */
    assert_string_equal(image_rig_flags(&rig), "0:ac");
}

static void test_the_longest_list_fits_the_packet_asked_for(void **state)
{
    static const struct ferry_version longest = {255, 255, 65535, 4294967295U};
    struct ferry_bytes pending;
    uint8_t request[16];
    uint8_t answer[FERRY_IMAGE_SMALL_LIST];
    (void)state;

    set_up(&ferry_traits_swap_move_small, 8);
    install_listed(0, longest, HASH_1);
    install_listed(1, longest, HASH_2);
    pending = (struct ferry_bytes){
        request, rig_request(READ, FERRY_SMP_VERSION_2, 1, STATE, "{}", request, sizeof(request))};
    assert_int_equal(ferry_server_handle(&rig.server, &pending, 0, answer, sizeof(answer)),
                     sizeof(answer));
}

/* ---- Test and confirm ------------------------------------------------------------------------ */

enum { TEST_0, TEST_1, CONFIRM_0, CONFIRM_1, CONFIRM_NONE, WISHES };

static void wish_json(int wish, char json[128])
{
    char hash[65];

    if (wish == CONFIRM_NONE) {
        (void)snprintf(json, 128, "{\"confirm\":true}");
        return;
    }
    image_rig_hash(&rig, wish == TEST_1 || wish == CONFIRM_1 ? 1 : 0, hash);
    (void)snprintf(json, 128, "{\"hash\":\"h'%s'\",\"confirm\":%s}", hash,
                   wish >= CONFIRM_0 ? "true" : "false");
}

/* 0: the list. Else an error of the group. */
static int answer_to(int wish)
{
    struct rig_answer answer;
    char json[128];
    int error = -1;

    wish_json(wish, json);
    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, json, &answer);
    if (strncmp(answer.json, "{\"images\":[{", 12) == 0) {
        return 0;
    }
    assert_int_equal(sscanf(answer.json, "{\"err\":{\"group\":1,\"rc\":%d}}", &error), 1);
    return error;
}

static void make_normal(void)
{
}

static void make_test(void)
{
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
}

static void make_permanent(void)
{
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
}

static void make_revert(void)
{
    image_rig_make_revert(&rig, 0);
}

/* Rows a … h of smp.md §3.1, each as the whole group answers it. */
static void test_rules_in_every_state(void **state)
{
    static const struct {
        void (*make)(void);
        int answers[WISHES];
        const char *flags[WISHES]; /* afterwards */
    } rows[] = {
        {make_normal, {33, 0, 0, 0, 0}, {"0:ac 1:", "0:ac 1:p", "0:ac 1:", "0:ac 1:pP", "0:ac 1:"}},
        {make_test,
         {33, 0, 28, 28, 28},
         {"0:ac 1:p", "0:ac 1:p", "0:ac 1:p", "0:ac 1:p", "0:ac 1:p"}},
        {make_permanent,
         {33, 28, 28, 0, 28},
         {"0:ac 1:pP", "0:ac 1:pP", "0:ac 1:pP", "0:ac 1:pP", "0:ac 1:pP"}},
        {make_revert, {33, 28, 0, 0, 0}, {"0:a 1:c", "0:a 1:c", "0:ac 1:", "0:a 1:c", "0:ac 1:"}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int wish = 0; wish < WISHES; wish++) {
            image_rig_set_up_pair(&rig,
                                  &ferry_traits_swap_move); /* the whole group says the same */
            rows[i].make();
            assert_int_equal(answer_to(wish), rows[i].answers[wish]);
            assert_string_equal(image_rig_flags(&rig), rows[i].flags[wish]);

            set_up_pair(&ferry_traits_swap_move_small);
            rows[i].make();
            assert_int_equal(answer_to(wish), rows[i].answers[wish]);
            assert_string_equal(image_rig_flags(&rig), rows[i].flags[wish]);
        }
    }
}

static void test_overwrite_confirms_nothing_beforehand(void **state)
{
    (void)state;
    set_up_pair(&ferry_traits_overwrite_small);
    assert_int_equal(answer_to(CONFIRM_1), 32);
    assert_int_equal(answer_to(CONFIRM_0), 0);
    assert_int_equal(answer_to(TEST_1), 0);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:p");
}

static void test_hashes_that_mean_no_slot(void **state)
{
    (void)state;
    set_up_pair(&ferry_traits_swap_move_small);
    expect(WRITE, STATE, "{}", ERR(24));
    expect(WRITE, STATE, "{\"hash\":\"h''\"}", ERR(24));
    expect(WRITE, STATE, "{\"hash\":\"h'00'\",\"confirm\":true}", ERR(24));
    expect(WRITE, STATE, "{\"hash\":\"h'" HASH_1 "'\"}", ERR(8));
    expect(WRITE, STATE, "{\"hash\":\"text\"}", "{\"rc\":3}");
    expect(WRITE, STATE, "{\"confirm\":1}", "{\"rc\":3}");
    expect(WRITE, STATE, NULL, "{\"rc\":3}");
    image_rig_expect_v1(&rig, WRITE, STATE, "{}", "{\"rc\":3}");
    image_rig_expect_v1(&rig, WRITE, STATE, "{\"hash\":\"h'" HASH_1 "'\"}", "{\"rc\":1}");
}

static void test_a_trailer_that_cannot_be_written_is_told(void **state)
{
    char json[128];
    (void)state;

    set_up_pair(&ferry_traits_swap_move_small);
    wish_json(TEST_1, json);
    rig.power.cut_at = rig.power.operations + 1; /* the request */
    expect(WRITE, STATE, json, ERR(12));

    set_up_pair(&ferry_traits_overwrite_small); /* where an image may share the trailer's sector */
    file_len = ferry_slots_max_image(&rig.slots[0]);
    const struct test_image_spec spec = {
        .key = TEST_KEY_NONE, .header_size = 32, .payload_size = file_len - 32 - 40};
    assert_int_equal(test_image_build(&spec, rig.memory[1], RIG_SLOT), file_len);
    rig.memory[1][RIG_SLOT - 24] = 2;
    wish_json(TEST_1, json);
    expect(WRITE, STATE, json, ERR(23));
}

/* ---- Upload ---------------------------------------------------------------------------------- */

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

static void open_upload(void)
{
    struct rig_upload first = first_chunk();

    send(&first, "{\"off\":128}");
}

static void expect_stored(uint32_t at)
{
    assert_memory_equal(rig.memory[1] + at, file, file_len);
    for (size_t i = at + file_len; i < RIG_SLOT; i++) {
        assert_int_equal(rig.memory[1][i], 0xff);
    }
    for (size_t i = 0; i < at; i++) {
        assert_int_equal(rig.memory[1][i], 0xff);
    }
}

static void test_chunks_of_every_size_end_up_in_the_slot(void **state)
{
    static const uint8_t write_sizes[] = {1, 4, 8, 16, 32};
    static const size_t chunks[] = {1, 7, 31, 32, 33, 100, 512, 1072};
    (void)state;

    for (size_t w = 0; w < sizeof(write_sizes); w++) {
        for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
            for (size_t first = 32; first < 36; first++) {
                set_up(&ferry_traits_swap_move_small, write_sizes[w]);
                image_rig_install(&rig, 1, 9, 0);
                image_rig_upload_all(&rig, 0, file, file_len, first, chunks[c]);
                expect_stored(0);
                assert_true(fed > 0);
            }
        }
    }
}

static void test_an_image_goes_where_the_strategy_wants_it(void **state)
{
    (void)state;
    set_up(&ferry_traits_swap_offset_small, 8);
    image_rig_install(&rig, 1, 9, 0); /* an old image, whose header must go */
    image_rig_upload_all(&rig, 0, file, file_len, 100, 100);
    expect_stored(RIG_SECTOR);
    assert_string_equal(image_rig_flags(&rig), "1:");

    set_up(&ferry_traits_swap_shift_small, 8);
    (void)image_rig_build(9, 0, rig.memory[1] + RIG_SECTOR, RIG_SLOT - RIG_SECTOR);
    image_rig_upload_all(&rig, 0, file, file_len, 100, 100);
    assert_memory_equal(rig.memory[1], file, file_len);
    assert_int_equal(rig.memory[1][RIG_SECTOR], 0xff);
}

static void test_payloads_that_cannot_be_read_keep_the_upload(void **state)
{
    struct rig_upload again = chunk_at(128, 8);
    (void)state;

    set_up_running();
    open_upload();
    expect(WRITE, UPLOAD, NULL, "{\"rc\":3}");
    expect(WRITE, UPLOAD, "{\"off\":-1}", "{\"rc\":3}");
    expect(WRITE, UPLOAD, "{\"off\":128,\"data\":\"text\"}", "{\"rc\":3}");
    expect(WRITE, UPLOAD, "{\"off\":128,\"upgrade\":1}", "{\"rc\":3}");
    expect(WRITE, UPLOAD, "{\"off\":128,\"off\":128}", "{\"rc\":3}");
    send(&again, "{\"off\":136}");
    expect(READ, UPLOAD, "{\"off\":136}", "{\"rc\":8}");
}

static void test_an_offset_that_is_not_expected_is_answered_with_the_expected_one(void **state)
{
    struct rig_upload early = chunk_at(256, 8);
    struct rig_upload late = chunk_at(64, 8);
    struct rig_upload huge = chunk_at(0, 8);
    struct rig_upload empty = chunk_at(128, 0);
    (void)state;

    set_up_running();
    send(&early, "{\"off\":0}"); /* none is open */
    open_upload();
    send(&early, "{\"off\":128}");
    send(&late, "{\"off\":128}");
    huge.off = INT64_C(1) << 40;
    send(&huge, "{\"off\":128}");
    send(&empty, "{\"off\":128}");
    expect(WRITE, UPLOAD, "{\"off\":128}", "{\"off\":128}"); /* no data at all */
}

/* Send a first chunk that is refused: error in version 2, rc in version 1. An open upload ends. */
static void expect_refusal(const struct rig_upload *upload, const char *v2, const char *v1)
{
    struct rig_upload next = chunk_at(128, 8);

    open_upload();
    send(upload, v2);
    send(&next, "{\"off\":0}");
    assert_string_equal(image_rig_upload(&rig, 0, upload), v1);
}

static void test_first_chunks_that_are_refused(void **state)
{
    static uint8_t other[128];
    struct rig_upload upload;
    (void)state;

    set_up_running();
    upload = first_chunk();
    upload.off = -1;
    expect_refusal(&upload, ERR(20), "{\"rc\":3}");

    upload = first_chunk();
    upload.data_len = 31;
    upload.len = -1;
    expect_refusal(&upload, ERR(22), "{\"rc\":3}");
    upload.data = NULL;
    expect_refusal(&upload, ERR(22), "{\"rc\":3}");

    upload = first_chunk();
    upload.len = -1;
    upload.data = other;
    expect_refusal(&upload, ERR(21), "{\"rc\":3}");
    upload.len = 1000;
    expect_refusal(&upload, ERR(23), "{\"rc\":1}");

    upload = first_chunk();
    upload.sha_len = SHA_LEN + 1;
    expect_refusal(&upload, ERR(24), "{\"rc\":3}");

    upload = first_chunk();
    upload.sha_len = 31;
    upload.image = 1;
    expect_refusal(&upload, ERR(9), "{\"rc\":6}");

    upload.image = 0;
    upload.len = (int64_t)ferry_slots_max_image(&rig.slots[0]) + 1;
    expect_refusal(&upload, ERR(30), "{\"rc\":1}");
    upload.len = INT64_C(1) << 40;
    expect_refusal(&upload, ERR(30), "{\"rc\":1}");

    upload.len = (int64_t)file_len;
    upload.upgrade = 1;
    image_rig_install(&rig, 0, 2, 0);
    expect_refusal(&upload, ERR(27), "{\"rc\":6}");
    memset(rig.memory[0], 0xff, 32);
    expect_refusal(&upload, ERR(26), "{\"rc\":1}");

    upload = first_chunk();
    upload.len = 127;
    upload.sha_len = 31;
    expect_refusal(&upload, ERR(31), "{\"rc\":1}");
}

static void test_a_refused_first_chunk_leaves_the_slot_alone(void **state)
{
    struct rig_upload upload;
    uint64_t operations;
    (void)state;

    set_up_running();
    image_rig_install(&rig, 1, 1, 0);
    operations = rig.power.operations;
    upload = first_chunk();
    upload.len = 100;
    send(&upload, ERR(31));
    upload.len = INT64_C(256) << 20;
    send(&upload, ERR(30));
    assert_int_equal(rig.power.operations, operations);
}

static void test_upgrade_wants_a_newer_version(void **state)
{
    struct rig_upload upload;
    (void)state;

    set_up_running(); /* 1 runs, 2 is offered */
    upload = first_chunk();
    upload.upgrade = 1;
    send(&upload, "{\"off\":128}");
    upload.upgrade = 0;
    image_rig_install(&rig, 0, 9, 0);
    upload.sha_len = 0;
    send(&upload, "{\"off\":128}"); /* nobody asks for an upgrade */
}

static void test_the_same_upload_goes_on_where_it_was(void **state)
{
    struct rig_upload upload;
    struct rig_upload next = chunk_at(128, 100);
    (void)state;

    set_up_running();
    open_upload();
    send(&next, "{\"off\":228}");
    upload = first_chunk();
    send(&upload, "{\"off\":228}");
    upload.sha_len = 31; /* another one begins anew */
    send(&upload, "{\"off\":128}");
    send(&upload, "{\"off\":128}"); /* the same short one again */
    upload.sha_len = 0;
    send(&upload, "{\"off\":128}");
    send(&next, "{\"off\":228}");
    send(&upload, "{\"off\":128}"); /* without one there is nothing to go by */
}

static void test_data_behind_the_end_are_refused(void **state)
{
    struct rig_upload upload;
    (void)state;

    set_up_running();
    open_upload();
    upload = chunk_at(128, file_len - 128 + 1);
    send(&upload, ERR(31));
    upload = chunk_at(128, 8);
    send(&upload, "{\"off\":0}");
}

static void test_what_the_revert_needs_is_not_overwritten(void **state)
{
    struct rig_upload upload;
    (void)state;

    set_up_pair(&ferry_traits_swap_move_small);
    image_rig_make_revert(&rig, 0);
    upload = first_chunk();
    send(&upload, ERR(9));
    expect(WRITE, ERASE, "{}", ERR(9));
    memset(rig.memory[1], 0xff, 32); /* nothing is there to go back to */
    send(&upload, "{\"off\":128}");
}

/* What was asked for is withdrawn before its image is touched. */
static void test_a_pending_slot_may_be_overwritten(void **state)
{
    (void)state;
    set_up_pair(&ferry_traits_swap_move_small);
    make_permanent();
    image_rig_upload_all(&rig, 0, file, file_len, 100, 100);
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:");
    expect_stored(0);
}

static void test_flash_that_fails_ends_the_upload(void **state)
{
    struct rig_upload upload;
    (void)state;

    set_up_running();
    rig.power.cut_at = rig.power.operations + 1;
    upload = first_chunk();
    send(&upload, ERR(13));
    set_up_running();
    open_upload();
    rig.power.cut_at = rig.power.operations + 1;
    upload = chunk_at(128, 32);
    send(&upload, ERR(12));
    rig.power = (struct ferry_power){0};
    send(&upload, "{\"off\":0}");
    open_upload(); /* from the beginning it works */
}

/* ---- Erase ----------------------------------------------------------------------------------- */

static void test_erase_takes_the_slot_that_does_not_run(void **state)
{
    (void)state;
    set_up_pair(&ferry_traits_swap_move_small);
    make_permanent();
    expect(WRITE, ERASE, "{\"slot\":0}", ERR(9));
    expect(WRITE, ERASE, "{\"slot\":2}", ERR(10));
    expect(WRITE, ERASE, "{\"slot\":1152921504606846976}", ERR(10));
    expect(WRITE, ERASE, "{\"slot\":\"1\"}", "{\"rc\":3}");
    expect(WRITE, ERASE, NULL, "{\"rc\":3}");
    assert_string_equal(image_rig_flags(&rig), "0:ac 1:pP");
    expect(WRITE, ERASE, "{}", "{}");
    assert_string_equal(image_rig_flags(&rig), "0:ac");
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
    assert_true(fed >= RIG_SECTORS);
    for (size_t i = 0; i < RIG_SLOT; i++) {
        assert_int_equal(rig.memory[1][i], 0xff);
    }
    expect(WRITE, ERASE, "{\"slot\":1}", "{}");
}

static void test_erase_ends_an_upload(void **state)
{
    struct rig_upload upload = chunk_at(128, 8);
    (void)state;

    set_up_running();
    open_upload();
    expect(WRITE, ERASE, "{}", "{}");
    send(&upload, "{\"off\":0}");
    rig.power.cut_at = rig.power.operations + 1;
    expect(WRITE, ERASE, "{}", ERR(13));
}

static void test_what_it_has_not_is_not_supported(void **state)
{
    (void)state;
    set_up_running();
    expect(READ, SLOT_INFO, "{}", "{\"rc\":8}");
    expect(READ, ERASE, "{}", "{\"rc\":8}");
    expect(WRITE, 3, "{}", "{\"rc\":8}");
    expect(WRITE, 200, "{}", "{\"rc\":8}");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_and_parameters),
        cmocka_unit_test(test_a_reset_is_due_whatever_its_payload_is),
        cmocka_unit_test(test_list_and_state_are_zephyrs_byte_for_byte),
        cmocka_unit_test(test_flags_in_every_state),
        cmocka_unit_test(test_slots_without_an_image_are_left_out),
        cmocka_unit_test(test_an_image_that_must_not_boot_is_listed_so),
        cmocka_unit_test(test_the_old_image_is_found_a_sector_up),
        cmocka_unit_test(test_the_longest_list_fits_the_packet_asked_for),
        cmocka_unit_test(test_rules_in_every_state),
        cmocka_unit_test(test_overwrite_confirms_nothing_beforehand),
        cmocka_unit_test(test_hashes_that_mean_no_slot),
        cmocka_unit_test(test_a_trailer_that_cannot_be_written_is_told),
        cmocka_unit_test(test_chunks_of_every_size_end_up_in_the_slot),
        cmocka_unit_test(test_an_image_goes_where_the_strategy_wants_it),
        cmocka_unit_test(test_payloads_that_cannot_be_read_keep_the_upload),
        cmocka_unit_test(test_an_offset_that_is_not_expected_is_answered_with_the_expected_one),
        cmocka_unit_test(test_first_chunks_that_are_refused),
        cmocka_unit_test(test_a_refused_first_chunk_leaves_the_slot_alone),
        cmocka_unit_test(test_upgrade_wants_a_newer_version),
        cmocka_unit_test(test_the_same_upload_goes_on_where_it_was),
        cmocka_unit_test(test_data_behind_the_end_are_refused),
        cmocka_unit_test(test_what_the_revert_needs_is_not_overwritten),
        cmocka_unit_test(test_a_pending_slot_may_be_overwritten),
        cmocka_unit_test(test_flash_that_fails_ends_the_upload),
        cmocka_unit_test(test_erase_takes_the_slot_that_does_not_run),
        cmocka_unit_test(test_erase_ends_an_upload),
        cmocka_unit_test(test_what_it_has_not_is_not_supported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

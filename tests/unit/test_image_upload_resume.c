/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that go on after a reset: when they do, when they do not, and what is left in flash.
 * tests/powercut/test_upload_powercut.c cuts them. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERR(n)  "{\"err\":{\"group\":1,\"rc\":" #n "}}"
#define SHA_LEN 32
#define SENT    (9 * RIG_SECTOR + 1000) /* before the reset */
#define CHUNK   1000

static struct image_rig rig;
static uint8_t store_memory[2 * RIG_SECTOR];
static struct ferry_flash_ram store_ram;
static struct ferry_flash_cutter store_flash;
static struct ferry_power store_power;
static struct ferry_store store;
static uint8_t file[RIG_SLOT];
static size_t file_len;
static uint8_t sha[SHA_LEN];

static void build_file(uint8_t major)
{
    const struct test_image_spec spec = {.version = {.major = major},
                                         .key = TEST_KEY_NONE,
                                         .payload_size = 12 * RIG_SECTOR,
                                         .header_size = 32};

    file_len = test_image_build(&spec, file, sizeof(file));
    assert_true(file_len > 0);
    test_sha256(file, file_len, sha);
}

/* The device restarts: RAM is gone. */
static void reset(void)
{
    rig.event_count = 0;
    assert_int_equal(ferry_store_open(&store, &store_flash.flash), FERRY_OK);
    image_rig_restart(&rig);
}

static void set_up(bool ahead)
{
    image_rig_set_up(&rig, 8, 2);
    image_rig_install(&rig, 0, 1, 0);
    memset(rig.memory[1], 0x33, RIG_SLOT);
    memset(store_memory, 0xff, sizeof(store_memory));
    store_ram.flash = (struct ferry_flash){.size = sizeof(store_memory),
                                           .write_size = 8,
                                           .erased_value = 0xff,
                                           .run_count = 1,
                                           .runs = {{2, RIG_SECTOR}}};
    assert_int_equal(ferry_flash_ram_init(&store_ram, store_memory), FERRY_OK);
    store_power = (struct ferry_power){0};
    ferry_flash_cutter_init(&store_flash, &store_ram.flash, &store_power);
    rig.slots[0].store = &store;
    rig.slots[1].store = &store;
    rig.group_config.resume = &ferry_image_resume_in_store;
    rig.group_config.ahead = ahead ? &ferry_image_erase_ahead : NULL;
    build_file(2);
    reset();
}

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

static const char *begin(void)
{
    struct rig_upload first = first_chunk();

    return image_rig_upload(&rig, 1, &first);
}

static const char *send(size_t off, size_t len)
{
    struct rig_upload upload = RIG_UPLOAD;

    upload.off = (int64_t)off;
    upload.data = file + off;
    upload.data_len = len;
    return image_rig_upload(&rig, 1, &upload);
}

/* Send [off, end) in chunks. */
static void send_up_to(size_t off, size_t end)
{
    while (off < end) {
        size_t len = end - off < CHUNK ? end - off : CHUNK;
        char expected[32];

        off += len;
        (void)snprintf(expected, sizeof(expected), "{\"off\":%zu}", off);
        assert_string_equal(send(off - len, len), expected);
    }
}

/* An upload that has SENT bytes, and a reset. */
static void set_up_cut(bool ahead)
{
    set_up(ahead);
    assert_string_equal(begin(), "{\"off\":128}");
    send_up_to(128, SENT);
    reset();
}

static bool has_record(void)
{
    uint8_t record[FERRY_STORE_MAX];

    return ferry_store_get(&store, FERRY_STORE_KEY_UPLOAD, record, sizeof(record)) > 0;
}

/* The first chunk goes on; the offset it is answered. */
static size_t go_on(void)
{
    unsigned long off = 0;
    const char *json = begin();

    assert_int_equal(sscanf(json, "{\"off\":%lu}", &off), 1);
    return off;
}

/* ---- It goes on ------------------------------------------------------------------------- */

static void test_it_goes_on_near_where_it_was(void **context)
{
    (void)context;
    for (int ahead = 0; ahead < 2; ahead++) {
        set_up_cut(ahead != 0);

        uint64_t operations = rig.power.operations;
        size_t off = go_on();

        assert_int_equal(rig.power.operations, operations); /* who asks changes nothing */
        assert_in_range(off, SENT - RIG_SECTOR - CHUNK, SENT);
        assert_int_equal(off % RIG_SECTOR, 0);
        assert_string_equal(image_rig_events(&rig), "started 0 49224");
        assert_int_equal(go_on(), off);
        send_up_to(off, file_len);
        assert_memory_equal(rig.memory[1], file, file_len);
        assert_string_equal(image_rig_events(&rig), "finished 0 49224");
        assert_false(has_record());
        assert_int_equal(rig.memory[1][14 * RIG_SECTOR], 0x33); /* not needed, not touched */
    }
}

/* A client that knows of no reset: its next chunk is answered with the offset. */
static void test_the_next_chunk_is_answered_with_the_offset(void **context)
{
    char expected[32];
    (void)context;

    set_up_cut(false);

    const char *json = send(SENT, CHUNK);
    size_t off = strtoul(json + 7, NULL, 10);

    assert_in_range(off, SENT - RIG_SECTOR - CHUNK, SENT);
    (void)snprintf(expected, sizeof(expected), "{\"off\":%zu}", off + CHUNK);
    assert_string_equal(send(off, CHUNK), expected);
}

static void test_the_check_is_over_what_is_in_flash(void **context)
{
    (void)context;
    set_up_cut(true);
    rig.group_config.check = &ferry_image_check_sha256;

    size_t off = go_on();

    send_up_to(off, file_len - 8);
    rig.memory[1][5] ^= 1; /* rots after it was recognised */
    assert_string_equal(send(file_len - 8, 8), "{\"off\":49224,\"match\":false}");
    set_up_cut(true);
    rig.group_config.check = &ferry_image_check_sha256;
    rig.fed = 0;
    off = go_on();
    assert_in_range(rig.fed, 8, 10); /* while what is there is read */
    send_up_to(off, file_len - 8);
    rig.fed = 0;
    assert_string_equal(send(file_len - 8, 8), "{\"off\":49224,\"match\":true}");
    assert_in_range(rig.fed, 12, 14);
}

static void test_it_goes_on_after_every_reset(void **context)
{
    size_t off = 0;
    unsigned resets = 0;
    (void)context;

    set_up(true);
    while (off < file_len) {
        size_t now = off > 0 ? off : 128;
        size_t end = now + 2 * RIG_SECTOR < file_len ? now + 2 * RIG_SECTOR : file_len;

        if (off == 0) {
            assert_string_equal(begin(), "{\"off\":128}");
        }
        send_up_to(now, end);
        if (end == file_len) {
            break;
        }
        reset();
        resets++;
        now = go_on();
        assert_true(now > off);
        off = now;
    }
    assert_true(resets > 5);
    assert_memory_equal(rig.memory[1], file, file_len);
}

static void test_records_are_few(void **context)
{
    (void)context;
    for (int ahead = 0; ahead < 2; ahead++) {
        set_up(ahead != 0);
        assert_string_equal(begin(), "{\"off\":128}");
        assert_int_equal(store_power.operations, 0); /* in the first sector there is none */
        send_up_to(128, file_len);
        /* One in each sector behind the first, the removal, and moves to another sector. */
        assert_in_range(store_power.operations, 5, 13 + 1 + 4);
    }
}

/* ---- It is forgotten ----------------------------------------------------------------------- */

/* The next first chunk begins at the beginning, and leaves the whole file after all. */
static void expect_forgotten(void)
{
    assert_string_equal(begin(), "{\"off\":128}");
    send_up_to(128, file_len);
    assert_memory_equal(rig.memory[1], file, file_len);
    rig.event_count = 0;
}

static void test_an_erase_forgets(void **context)
{
    (void)context;
    set_up_cut(false);
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_ERASE, "{}", "{}");
    assert_false(has_record());
    assert_string_equal(send(SENT, CHUNK), "{\"off\":0}");
    expect_forgotten();
    set_up_cut(true);
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_ERASE, "{}", "{}");
    reset();
    expect_forgotten();
    set_up_cut(true);
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_ERASE, "{\"slot\":0}", ERR(9)); /* refused */
    assert_true(go_on() > 0);
}

static void test_dropping_forgets(void **context)
{
    (void)context;
    set_up_cut(false);
    ferry_image_group_drop_upload(&rig.group);
    assert_false(has_record());
    expect_forgotten();
}

static void test_another_upload_forgets(void **context)
{
    (void)context;
    set_up_cut(false);
    build_file(3);
    assert_string_equal(begin(), "{\"off\":128}");
    assert_string_equal(image_rig_events(&rig),
                        "started 0 49224, stopped 0 36864, started 0 49224");
    assert_false(has_record());
    build_file(2);
    reset();
    expect_forgotten();
}

static void test_a_file_without_a_whole_digest_is_not_kept(void **context)
{
    static const size_t lens[] = {0, 1, 31};
    (void)context;

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct rig_upload first;

        set_up(false);
        first = first_chunk();
        first.sha_len = lens[i];
        assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":128}");
        send_up_to(128, SENT);
        assert_int_equal(store_power.operations, 0);
        reset();
        assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":128}");
    }
}

static void test_another_image_is_another_upload(void **context)
{
    struct rig_upload first;
    (void)context;

    set_up_cut(false);
    first = first_chunk();
    first.image = 1;
    assert_string_equal(image_rig_upload(&rig, 1, &first), "{\"off\":128}");
    assert_false(has_record());
}

static void test_a_refused_first_chunk_forgets_as_it_does_without_a_reset(void **context)
{
    (void)context;
    set_up_cut(false);
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_UPLOAD, "{}", ERR(20));
    assert_false(has_record());
    expect_forgotten();
    set_up_cut(false);
    image_rig_expect(&rig, 2, FERRY_SMP_IMAGE_UPLOAD, NULL, "{\"rc\":3}"); /* does not */
    assert_true(go_on() > 128);
}

/* ---- The slot was touched -------------------------------------------------------------------- */

static void flash_another(void)
{
    image_rig_install(&rig, 1, 7, 0);
}

static void change_one_byte(void)
{
    rig.memory[1][2 * RIG_SECTOR + 77] ^= 0x10;
}

static void erase_the_header(void)
{
    memset(rig.memory[1], 0xff, RIG_SECTOR);
}

static void ask_for_it(void)
{
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
}

static void write_behind(void)
{
    rig.memory[1][12 * RIG_SECTOR + 5] = 0;
}

static void damage_the_record(void)
{
    const uint8_t raw[56] = {2};

    assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_UPLOAD, raw, sizeof(raw)), FERRY_OK);
}

static void shorten_the_record(void)
{
    assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_UPLOAD, "\1", 1), FERRY_OK);
}

static void swap_was_made(void)
{
    image_rig_make_revert(&rig, 0);
    flash_another(); /* the way back */
}

static void test_a_slot_that_was_touched_begins_anew(void **context)
{
    static void (*const touches[])(void) = {flash_another,     change_one_byte, erase_the_header,
                                            ask_for_it,        write_behind,    damage_the_record,
                                            shorten_the_record};
    (void)context;

    for (size_t i = 0; i < sizeof(touches) / sizeof(touches[0]); i++) {
        set_up_cut(false);
        touches[i]();
        assert_string_equal(send(SENT, CHUNK), "{\"off\":0}");
        assert_false(has_record());
        expect_forgotten();
    }
}

static void test_the_way_back_is_not_written_to(void **context)
{
    (void)context;
    set_up_cut(false);
    swap_was_made();
    assert_string_equal(begin(), ERR(9));
    assert_false(has_record());
}

/* With erase ahead old bytes stand behind the part: what changed there does not matter. */
static void test_behind_the_part_anything_may_stand_with_erase_ahead(void **context)
{
    (void)context;
    set_up_cut(true);
    write_behind();

    size_t off = go_on();

    assert_true(off > 128);
    send_up_to(off, file_len);
    assert_memory_equal(rig.memory[1], file, file_len);
}

/* A firmware without erase ahead does not take what one with it left, and the other way round. */
static void test_options_may_change_in_between(void **context)
{
    (void)context;
    set_up_cut(true);
    rig.group_config.ahead = NULL;
    expect_forgotten();
    set_up_cut(false);
    rig.group_config.ahead = &ferry_image_erase_ahead;

    size_t off = go_on();

    assert_true(off > 128);
    send_up_to(off, file_len);
    assert_memory_equal(rig.memory[1], file, file_len);
}

/* Every value of every field of the record: bounded, and never a wrong image. */
static void test_a_record_of_any_bytes_is_harmless(void **context)
{
    static uint8_t before[RIG_SLOT];
    uint8_t raw[56];
    unsigned taken = 0;
    (void)context;

    set_up_cut(true);
    memcpy(before, rig.memory[1], RIG_SLOT);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_UPLOAD, raw, sizeof(raw)), 56);
    for (size_t at = 0; at < 24; at++) {
        static const uint8_t masks[] = {0x01, 0x10, 0x80, 0xff};

        for (size_t i = 0; i < sizeof(masks); i++) {
            raw[at] ^= masks[i];
            assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_UPLOAD, raw, sizeof(raw)),
                             FERRY_OK);
            raw[at] ^= masks[i];
            memcpy(rig.memory[1], before, RIG_SLOT);
            reset();

            const char *json = send(SENT, CHUNK);

            if (strcmp(json, "{\"off\":0}") != 0) { /* `to`, a smaller size, what is 0 */
                assert_true(at == 3 || (at >= 8 && at < 20));
                taken++;
            }
        }
    }
    print_message("%u of 96 changed records were taken\n", taken);
}

/* ---- Flash and store fail ------------------------------------------------------------------ */

static void test_a_store_that_fails_does_not_stop_an_upload(void **context)
{
    (void)context;
    for (int ahead = 0; ahead < 2; ahead++) {
        for (uint64_t at = 1; at < 8; at++) {
            set_up(ahead != 0);
            store_power.cut_at = at;
            assert_string_equal(begin(), "{\"off\":128}");
            send_up_to(128, file_len);
            assert_memory_equal(rig.memory[1], file, file_len);
        }
    }
}

/* It went on without a record: what stands in the store then must not be believed. */
static void test_a_store_that_fails_for_a_while(void **context)
{
    (void)context;
    for (uint64_t at = 1; at < 8; at++) {
        set_up(false);
        store_power.cut_at = at;
        assert_string_equal(begin(), "{\"off\":128}");
        send_up_to(128, SENT);
        store_power = (struct ferry_power){0};
        reset();

        size_t off = go_on();

        send_up_to(off, file_len);
        assert_memory_equal(rig.memory[1], file, file_len);
    }
}

static void test_what_is_in_doubt_and_does_not_erase_ends_it(void **context)
{
    size_t off;
    (void)context;

    set_up_cut(false);
    off = go_on();
    rig.power.cut_at = rig.power.operations + 1;
    assert_string_equal(send(off, CHUNK), ERR(13));
    assert_false(has_record());
    rig.power = (struct ferry_power){0};
    expect_forgotten();
}

static void test_it_needs_a_store(void **context)
{
    (void)context;
    set_up(false);
    rig.slots[0].store = NULL;
    assert_int_equal(ferry_image_group_init(&rig.group, &rig.group_config), FERRY_E_CONFIG);
}

/* Idle time does not touch what only was asked about. */
static void test_idle_time_waits_for_the_client(void **context)
{
    uint64_t operations;
    (void)context;

    set_up_cut(true);
    (void)go_on();
    operations = rig.power.operations;
    assert_false(ferry_image_group_erase_next(&rig.group));
    assert_int_equal(rig.power.operations, operations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_on_near_where_it_was),
        cmocka_unit_test(test_the_next_chunk_is_answered_with_the_offset),
        cmocka_unit_test(test_the_check_is_over_what_is_in_flash),
        cmocka_unit_test(test_it_goes_on_after_every_reset),
        cmocka_unit_test(test_records_are_few),
        cmocka_unit_test(test_an_erase_forgets),
        cmocka_unit_test(test_dropping_forgets),
        cmocka_unit_test(test_another_upload_forgets),
        cmocka_unit_test(test_a_file_without_a_whole_digest_is_not_kept),
        cmocka_unit_test(test_another_image_is_another_upload),
        cmocka_unit_test(test_a_refused_first_chunk_forgets_as_it_does_without_a_reset),
        cmocka_unit_test(test_a_slot_that_was_touched_begins_anew),
        cmocka_unit_test(test_the_way_back_is_not_written_to),
        cmocka_unit_test(test_behind_the_part_anything_may_stand_with_erase_ahead),
        cmocka_unit_test(test_options_may_change_in_between),
        cmocka_unit_test(test_a_record_of_any_bytes_is_harmless),
        cmocka_unit_test(test_a_store_that_fails_does_not_stop_an_upload),
        cmocka_unit_test(test_a_store_that_fails_for_a_while),
        cmocka_unit_test(test_what_is_in_doubt_and_does_not_erase_ends_it),
        cmocka_unit_test(test_it_needs_a_store),
        cmocka_unit_test(test_idle_time_waits_for_the_client),
    };

    return cmocka_run_group_tests_name("image upload: resume", tests, NULL, NULL);
}

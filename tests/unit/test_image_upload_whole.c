/* SPDX-License-Identifier: Apache-2.0 */
/* Whole uploads: every chunk size and write size, the largest file, several images and servers. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ERR(n) "{\"err\":{\"group\":1,\"rc\":" #n "}}"

static struct image_rig rig; /* a quarter of a megabyte */
static uint8_t file[RIG_SLOT + 64];
static size_t file_len;

static void set_up(void)
{
    image_rig_set_up(&rig, 8, 1);
    image_rig_install(&rig, 0, 1, 0);
    file_len = image_rig_build(2, 0, file, sizeof(file));
}

/* The chunk at an offset; the first one with the length of the file. */
static struct rig_upload chunk_at(size_t off, size_t len)
{
    struct rig_upload upload = RIG_UPLOAD;

    upload.off = (int64_t)off;
    upload.len = off == 0 ? (int64_t)file_len : -1;
    upload.data = file + off;
    upload.data_len = len;
    return upload;
}

static void send(const struct rig_upload *upload, const char *json)
{
    assert_string_equal(image_rig_upload(&rig, 1, upload), json);
}

static void test_the_largest_image_fits_and_one_byte_more_does_not(void **context)
{
    static const struct ferry_strategy_traits *const strategies[] = {&ferry_traits_swap_move,
                                                                     &ferry_traits_overwrite};
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        uint32_t largest;

        set_up();
        rig.slots[0].strategy = strategies[i];
        rig.slots[0].state = ferry_slots_state_of(rig.slots[0].strategy);
        image_rig_restart(&rig);
        largest = ferry_slots_max_image(&rig.slots[0]);
        assert_in_range(largest, RIG_SLOT / 2, RIG_SLOT - 1);
        memset(file + file_len, 0x5a, sizeof(file) - file_len);

        struct rig_upload upload = chunk_at(0, 128);

        upload.len = (int64_t)largest + 1;
        send(&upload, ERR(30));
        image_rig_upload_all(&rig, 0, file, largest, 200, 311);
        assert_memory_equal(rig.memory[1], file, largest);
        assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
    }
}

static void test_every_chunk_size_at_every_write_size(void **context)
{
    static const uint8_t write_sizes[] = {1, 2, 4, 8, 16, 32};
    unsigned uploads = 0;
    (void)context;

    for (size_t i = 0; i < sizeof(write_sizes); i++) {
        for (size_t chunk = 1; chunk <= 130; chunk++) {
            size_t first = 32 + chunk % 37;

            image_rig_set_up(&rig, write_sizes[i], 1);
            rig.config.observe = NULL;
            file_len = image_rig_build(2, 0, file, sizeof(file)) - chunk % 3;
            image_rig_upload_all(&rig, 0, file, file_len, first, chunk);
            assert_memory_equal(rig.memory[1], file, file_len);
            assert_true(ferry_all_equal(rig.memory[1] + file_len, RIG_SLOT - file_len, 0xff));
            assert_false(rig.group.open);
            uploads++;
        }
    }
    print_message("%u uploads\n", uploads);
    assert_int_equal(uploads, 6 * 130);
}

static void test_the_image_number_chooses_the_slot(void **context)
{
    (void)context;
    image_rig_set_up(&rig, 8, 2);
    image_rig_install(&rig, 1, 7, 0);
    file_len = image_rig_build(2, 0, file, sizeof(file));
    image_rig_upload_all(&rig, 1, file, file_len, 100, 100);
    assert_memory_equal(rig.memory[3], file, file_len);
    assert_int_not_equal(memcmp(rig.memory[1], file, file_len), 0);
    assert_string_equal(image_rig_events(&rig), "started 1 1072, finished 1 1072");

    /* the same file for another image is another upload */
    struct rig_upload upload = chunk_at(0, 128);

    uint8_t sha[32];

    test_sha256(file, file_len, sha);
    upload.sha = sha;
    upload.sha_len = sizeof(sha);
    upload.image = 1;
    send(&upload, "{\"off\":128}");
    upload.image = 0;
    upload.data_len = 64;
    send(&upload, "{\"off\":64}");
    assert_int_equal(rig.group.image, 0);
    upload.image = 2;
    send(&upload, ERR(9));
    upload.image = INT64_C(1) << 32;
    send(&upload, ERR(9));
}

static void test_two_servers_upload_beside_each_other(void **context)
{
    static struct image_rig other;
    (void)context;

    set_up();
    image_rig_set_up(&other, 4, 1);
    for (size_t off = 0; off < file_len; off += 67) {
        struct rig_upload upload = chunk_at(off, file_len - off < 67 ? file_len - off : 67);
        char expected[32];

        (void)snprintf(expected, sizeof(expected), "{\"off\":%zu}", off + upload.data_len);
        send(&upload, expected);
        assert_string_equal(image_rig_upload(&other, 1, &upload), expected);
    }
    assert_memory_equal(rig.memory[1], file, file_len);
    assert_memory_equal(other.memory[1], file, file_len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_largest_image_fits_and_one_byte_more_does_not),
        cmocka_unit_test(test_every_chunk_size_at_every_write_size),
        cmocka_unit_test(test_the_image_number_chooses_the_slot),
        cmocka_unit_test(test_two_servers_upload_beside_each_other),
    };

    return cmocka_run_group_tests_name("whole image uploads", tests, NULL, NULL);
}

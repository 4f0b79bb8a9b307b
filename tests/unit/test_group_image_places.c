/* SPDX-License-Identifier: Apache-2.0 */
/* The image group with strategies that keep uploads and old images in different places of the
 * secondary: swap-offset (uploads one sector up) and swap-shift (old images one sector up). */
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
static uint8_t file[RIG_SLOT];
static size_t file_len;

/* Where uploads and old images begin, in sectors. */
struct place {
    const struct ferry_strategy_traits *strategy;
    uint8_t upload;
    uint8_t old;
};

static const struct place places[] = {{&ferry_traits_swap_move, 0, 0},
                                      {&ferry_traits_swap_offset, 1, 0},
                                      {&ferry_traits_swap_shift, 0, 1}};

#define PLACES (sizeof(places) / sizeof(places[0]))

/* An image of this many bytes of payload. Returns its size. */
static size_t build(uint8_t major, size_t payload, uint8_t *out, size_t cap)
{
    const struct test_image_spec spec = {.version = {.major = major},
                                         .key = TEST_KEY_NONE,
                                         .payload_size = payload,
                                         .header_size = 32};
    size_t size = test_image_build(&spec, out, cap);

    assert_true(size > 0);
    return size;
}

/* v2 runs, v1 is kept as the way back, and v3 waits in the file. */
static void set_up(struct place place, size_t old_payload, size_t new_payload)
{
    image_rig_set_up(&rig, 8, 1);
    rig.config.observe = NULL;
    rig.slots[0].strategy = place.strategy;
    rig.slots[0].state = ferry_slots_state_of(rig.slots[0].strategy);
    image_rig_restart(&rig);
    image_rig_install(&rig, 0, 2, 0);
    (void)build(1, old_payload, rig.memory[1] + place.old * RIG_SECTOR, RIG_SLOT - RIG_SECTOR);
    file_len = build(3, new_payload, file, sizeof(file));
}

/* The version of what slot 1 shows, 0 for nothing. */
static unsigned shown(void)
{
    static struct rig_answer answer;
    const char *slot;
    unsigned major = 0;

    rig_ask(&rig.server, READ, FERRY_SMP_GROUP_IMAGE, STATE, "{}", &answer);
    slot = strstr(answer.json, "\"slot\":1,\"version\":\"");
    if (slot != NULL) {
        major = (unsigned)(slot[20] - '0');
    }
    return major;
}

/* ---- Uploads ----------------------------------------------------------------- */

static void test_an_upload_goes_where_the_strategy_wants_it(void **context)
{
    static const size_t sizes[] = {100, RIG_SECTOR - 100, 3 * RIG_SECTOR, 12 * RIG_SECTOR};
    (void)context;

    for (size_t p = 0; p < PLACES; p++) {
        for (size_t old = 0; old < 4; old++) {
            for (size_t new = 0; new < 4; new ++) {
                uint32_t base = places[p].upload * RIG_SECTOR;
                uint32_t other = places[p].old * RIG_SECTOR;

                set_up(places[p], sizes[old], sizes[new]);
                assert_int_equal(shown(), 1);
                image_rig_upload_all(&rig, 0, file, file_len, 100, 333);
                assert_memory_equal(rig.memory[1] + base, file, file_len);
                assert_int_equal(shown(), 3);
                /* no other header is left beside it */
                assert_true(other == base ||
                            ferry_load_le32(rig.memory[1] + other) != FERRY_IMAGE_MAGIC);
                assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_NONE);
            }
        }
    }
}

/* The other place is left alone when it holds no header: no sector is erased for nothing. */
static void test_only_a_header_is_cleared_away(void **context)
{
    (void)context;
    set_up(places[1], 100, 100);
    memset(rig.memory[1], 0x12, RIG_SECTOR);
    image_rig_upload_all(&rig, 0, file, file_len, 100, 333);
    assert_true(ferry_all_equal(rig.memory[1], RIG_SECTOR, 0x12));
    assert_int_equal(shown(), 3);
}

/* Whatever is listed after a cut is whole: never the rest of an image that is being erased. */
static void test_a_cut_upload_shows_no_half_image(void **context)
{
    static const size_t sizes[] = {100, 3 * RIG_SECTOR};
    unsigned cuts = 0;
    unsigned old_seen = 0;
    (void)context;

    for (size_t at = 0; at < PLACES * 12; at++) {
        struct place place = places[at / 12];
        bool finished = false;

        for (uint64_t cut = 1; !finished; cut++) {
            struct ferry_flash_slice view;
            struct ferry_image_info info;
            struct rig_upload first = RIG_UPLOAD;
            uint32_t offset;

            set_up(place, sizes[at % 2], sizes[at / 2 % 2]);
            first.off = 0;
            first.len = (int64_t)file_len;
            first.data = file;
            first.data_len = 100;
            rig.power.how = FERRY_CUT_BEFORE + (int)(at / 4 % 3);
            rig.power.cut_at = cut;
            (void)image_rig_upload(&rig, 1, &first);
            finished = !rig.power.off;
            cuts += !finished;
            rig.power = (struct ferry_power){0};
            assert_int_equal(ferry_slots_view(&rig.slots[0], 1, &view, &offset), FERRY_OK);
            if (ferry_image_inspect(&view.flash, &info) == FERRY_OK) {
                assert_int_equal(info.header.version.major, 1);
                assert_int_equal(
                    test_verify(rig.memory[1] + offset, RIG_SLOT - offset, &test_trust_digest_only),
                    FERRY_OK);
                old_seen++;
            }
        }
    }
    print_message("%u cuts of a first chunk, %u with the old image still whole\n", cuts, old_seen);
    assert_true(cuts > 20 && old_seen > 0);
}

static void test_the_digest_is_of_what_stands_at_the_place_of_uploads(void **context)
{
    (void)context;
    for (size_t p = 0; p < PLACES; p++) {
        struct rig_upload again = RIG_UPLOAD;
        uint8_t sha[32];
        uint64_t operations;
        char json[64];

        set_up(places[p], 100, 2 * RIG_SECTOR);
        rig.group_config.check = &ferry_image_check_sha256;
        image_rig_restart(&rig);
        image_rig_upload_all(&rig, 0, file, file_len, 100, 400);
        test_sha256(file, file_len, sha);
        again.off = 0;
        again.len = (int64_t)file_len;
        again.data = file;
        again.data_len = 100;
        again.sha = sha;
        again.sha_len = 32;
        operations = rig.power.operations;
        (void)snprintf(json, sizeof(json), "{\"off\":%zu,\"match\":true}", file_len);
        assert_string_equal(image_rig_upload(&rig, 1, &again), json);
        assert_int_equal(rig.power.operations, operations);
    }
}

static void test_the_largest_image_fits_its_place(void **context)
{
    (void)context;
    for (size_t p = 0; p < PLACES; p++) {
        uint32_t largest;

        set_up(places[p], 100, 100);
        largest = ferry_slots_max_image(&rig.slots[0]);
        memset(file + file_len, 0x5a, sizeof(file) - file_len);
        image_rig_upload_all(&rig, 0, file, largest, 400, 2000);
        assert_memory_equal(rig.memory[1] + places[p].upload * RIG_SECTOR, file, largest);
    }
}

/* ---- List, test, confirm ------------------------------------------------------- */

static void expect_state(const char *hash, bool confirm)
{
    static struct rig_answer answer;
    char request[128];

    (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\",\"confirm\":%s}", hash,
                   confirm ? "true" : "false");
    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, request, &answer);
    assert_non_null(strstr(answer.json, "\"images\":["));
}

static void hash_at(uint32_t offset, char hex[65])
{
    struct ferry_image_info info;
    TEST_ROM(rom, rig.memory[1] + offset, RIG_SLOT - offset);

    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", info.digest[i]);
    }
}

/* The image kept as the way back may be asked for like any other, wherever it stands. */
static void test_an_old_image_can_be_asked_for(void **context)
{
    char hash[65];
    (void)context;

    for (size_t p = 0; p < PLACES; p++) {
        for (int confirm = 0; confirm <= 1; confirm++) {
            set_up(places[p], 2 * RIG_SECTOR, 100);
            hash_at(places[p].old * RIG_SECTOR, hash);
            expect_state(hash, confirm != 0);
            assert_int_equal(image_rig_next(&rig, 0), confirm ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
        }
    }
}

static void test_an_uploaded_image_can(void **context)
{
    char hash[65];
    (void)context;

    for (size_t p = 0; p < PLACES; p++) {
        for (int confirm = 0; confirm <= 1; confirm++) {
            set_up(places[p], 2 * RIG_SECTOR, 2 * RIG_SECTOR);
            image_rig_upload_all(&rig, 0, file, file_len, 100, 400);
            hash_at(places[p].upload * RIG_SECTOR, hash);
            expect_state(hash, confirm != 0);
            assert_string_equal(image_rig_flags(&rig), confirm ? "0:ac 1:pP" : "0:ac 1:p");
        }
    }
}

/* ---- Erase, slot info ---------------------------------------------------------- */

static void test_erase_takes_both_places(void **context)
{
    (void)context;
    for (size_t p = 0; p < PLACES; p++) {
        set_up(places[p], 2 * RIG_SECTOR, 2 * RIG_SECTOR);
        image_rig_expect(&rig, WRITE, ERASE, "{}", "{}");
        assert_true(ferry_all_equal(rig.memory[1], RIG_SLOT, 0xff));
        /* the way back of a trial stays */
        set_up(places[p], 2 * RIG_SECTOR, 2 * RIG_SECTOR);
        image_rig_make_revert(&rig, 0);
        image_rig_expect(&rig, WRITE, ERASE, "{}", ERR(9));
        assert_int_equal(shown(), 1);
    }
}

static void test_slot_info_says_whole_slots(void **context)
{
    char json[256];
    (void)context;

    set_up(places[1], 100, 100);
    rig.options.slot_info_always = true;
    (void)snprintf(json, sizeof(json),
                   "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":65536},"
                   "{\"slot\":1,\"size\":65536,\"upload_image_id\":0}],\"max_image_size\":%u}]}",
                   ferry_slots_max_image(&rig.slots[0]));
    image_rig_expect(&rig, READ, SLOTS, "{}", json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_upload_goes_where_the_strategy_wants_it),
        cmocka_unit_test(test_only_a_header_is_cleared_away),
        cmocka_unit_test(test_a_cut_upload_shows_no_half_image),
        cmocka_unit_test(test_the_digest_is_of_what_stands_at_the_place_of_uploads),
        cmocka_unit_test(test_the_largest_image_fits_its_place),
        cmocka_unit_test(test_an_old_image_can_be_asked_for),
        cmocka_unit_test(test_an_uploaded_image_can),
        cmocka_unit_test(test_erase_takes_both_places),
        cmocka_unit_test(test_slot_info_says_whole_slots),
    };

    return cmocka_run_group_tests_name("image group places", tests, NULL, NULL);
}

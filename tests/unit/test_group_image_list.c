/* SPDX-License-Identifier: Apache-2.0 */
/* The list of images in buffers of every size: whole, frugal, or an error that says it is too
 * small, and never a part of it. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define STATE FERRY_SMP_IMAGE_STATE

static struct image_rig rig;

/* Ask with room for cap bytes of answer; the packet behind them stays as it is. Returns its size.
 */
static size_t ask(uint8_t op, const char *json, size_t cap, uint8_t *out)
{
    uint8_t packet[256];
    struct ferry_bytes pending = {packet,
                                  rig_request(op, FERRY_SMP_VERSION_2, FERRY_SMP_GROUP_IMAGE, STATE,
                                              json, packet, sizeof(packet))};

    memset(out, 0xa5, RIG_MAX);

    size_t size = ferry_server_handle(&rig.server, &pending, 0, out, cap);

    assert_true(size <= cap);
    assert_true(ferry_all_equal(out + cap, RIG_MAX - cap, 0xa5));
    return size;
}

static const char *json_of(const uint8_t *packet, size_t size)
{
    static char json[2 * RIG_MAX];

    rig_json((struct ferry_bytes){packet + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE},
             json, sizeof(json));
    return json;
}

/* Images with the longest versions, every secondary asked for for good: nothing makes a longer
 * list. */
static void set_up_longest(uint8_t images)
{
    image_rig_set_up(&rig, 8, images);
    for (uint32_t slot = 0; slot < 2U * images; slot++) {
        const struct test_image_spec spec = {.version = {255, 255, UINT16_MAX, UINT32_MAX - slot},
                                             .key = TEST_KEY_NONE,
                                             .payload_size = 1000,
                                             .header_size = 32};

        assert_true(test_image_build(&spec, rig.memory[slot], RIG_SLOT) > 0);
    }
    for (uint32_t i = 0; i < images; i++) {
        assert_int_equal(ferry_slots_set_pending(&rig.slots[i], true), FERRY_OK);
    }
}

/* Whole above a size, frugal above another, then rc 7. Returns the least that takes a list. */
static size_t walk(uint8_t images)
{
    static uint8_t out[RIG_MAX];
    static char whole[2 * RIG_MAX];
    static char frugal[2 * RIG_MAX];
    size_t whole_size;
    size_t frugal_size;

    rig.options.frugal = false;
    whole_size = ask(FERRY_SMP_READ, "{}", sizeof(out), out);
    memcpy(whole, json_of(out, whole_size), sizeof(whole));
    rig.options.frugal = true;
    frugal_size = ask(FERRY_SMP_READ, "{}", sizeof(out), out);
    memcpy(frugal, json_of(out, frugal_size), sizeof(frugal));
    rig.options.frugal = false;
    assert_true(frugal_size < whole_size);
    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap <= whole_size + 1; cap++) {
        size_t size = ask(FERRY_SMP_READ, "{}", cap, out);
        const char *expected = cap >= whole_size    ? whole
                               : cap >= frugal_size ? frugal
                                                    : "{\"rc\":7}";

        assert_string_equal(json_of(out, size), expected);
    }
    print_message("%u images: the whole list takes %zu bytes, the frugal one %zu\n", images,
                  whole_size, frugal_size);
    return frugal_size;
}

static void test_a_list_is_whole_or_frugal_or_refused(void **context)
{
    (void)context;
    for (uint8_t images = 1; images <= RIG_IMAGES; images++) {
        set_up_longest(images);
        assert_int_equal(walk(images), FERRY_IMAGE_LIST_MAX(images));
        image_rig_set_up(&rig, 8, images);
        for (uint32_t slot = 0; slot < 2U * images; slot++) {
            image_rig_install(&rig, slot, 1, 0);
        }
        assert_true(walk(images) < FERRY_IMAGE_LIST_MAX(images));
    }
}

/* No state has a longer list than the one that the header promises room for. */
static void test_no_state_has_a_longer_list(void **context)
{
    static uint8_t out[RIG_MAX];
    (void)context;

    set_up_longest(2);
    rig.options.frugal = true;
    memset(rig.memory[1] + RIG_SLOT - RIG_SECTOR, 0xff, RIG_SECTOR);
    memset(rig.memory[3] + RIG_SLOT - RIG_SECTOR, 0xff, RIG_SECTOR);
    assert_true(ask(FERRY_SMP_READ, "{}", sizeof(out), out) < FERRY_IMAGE_LIST_MAX(2));
    image_rig_make_revert(&rig, 0);
    image_rig_make_revert(&rig, 1);
    assert_true(ask(FERRY_SMP_READ, "{}", sizeof(out), out) < FERRY_IMAGE_LIST_MAX(2));
}

/* A state write that was done says so, whatever the buffer takes. */
static void test_a_state_write_is_never_called_failed_for_its_list(void **context)
{
    static uint8_t out[RIG_MAX];
    static char request[128];
    char hash[65];
    (void)context;

    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap <= 512; cap++) {
        image_rig_set_up_pair(&rig, &ferry_traits_swap_move);
        image_rig_hash(&rig, 1, hash);
        (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\"}", hash);

        size_t size = ask(FERRY_SMP_WRITE, request, cap, out);
        const char *json = json_of(out, size);

        assert_true(strcmp(json, "{}") == 0 || strncmp(json, "{\"images\":[", 11) == 0);
        assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_TEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_is_whole_or_frugal_or_refused),
        cmocka_unit_test(test_no_state_has_a_longer_list),
        cmocka_unit_test(test_a_state_write_is_never_called_failed_for_its_list),
    };

    return cmocka_run_group_tests_name("image list", tests, NULL, NULL);
}

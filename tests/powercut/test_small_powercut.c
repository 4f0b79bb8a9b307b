/* SPDX-License-Identifier: Apache-2.0 */
/* The small image group over the small slots, cut at every program and erase of an update, in every
 * way the power can fail: whatever was being done, the boot that follows finds an image that
 * verifies, and the update that comes again ends. */
#include "boot_bench.h"
#include "ferry/group_image_small.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 300

static const struct {
    const struct ferry_strategy_traits *small;
    const struct ferry_boot_strategy *whole;
} strategies[] = {
    {&ferry_traits_swap_move_small, &ferry_boot_swap_move},
    {&ferry_traits_swap_shift_small, &ferry_boot_swap_shift},
    {&ferry_traits_swap_offset_small, &ferry_boot_swap_offset},
    {&ferry_traits_overwrite_small, &ferry_boot_overwrite},
};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

static struct bench bench;
static size_t strategy;
static struct ferry_slots slots; /* the application's */
static struct ferry_image_small group;
static struct ferry_server_mount mount;
static struct ferry_server_config config;
static struct ferry_server server;

#define REPORT (&bench.report.images[0])

/* ---- The device ------------------------------------------------------------------------------ */

static void set_up(size_t number)
{
    strategy = number;
    bench_init(&bench, &bench_geometry, strategies[strategy].whole);
    bench.device.old = bench_image(&bench, 1, 1000);
    bench.device.new = bench_image(&bench, 2, 1900);
    fault_device_load(&bench.device.primary, &bench.device.old);
    slots = bench.device.image.slots;
    slots.strategy = strategies[strategy].small;
    slots.state = &ferry_slots_by_swap_small;
}

/* A start without a cut: an image runs, and its server begins. Returns its version. */
static unsigned start(void)
{
    fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_OK);
    assert_true(ferry_boot_may_start(&bench.report));
    ferry_image_small_init(&group, &slots, NULL, NULL);
    mount = (struct ferry_server_mount){&ferry_image_small_table, &group};
    config = (struct ferry_server_config){
        .groups = &mount, .group_count = 1, .buf_size = 512, .buf_count = 1};
    assert_int_equal(ferry_server_init(&server, &config), FERRY_OK);
    return REPORT->info.header.version.major;
}

/* ---- The client ------------------------------------------------------------------------------ */

static bool is_good(const struct rig_answer *answer)
{
    return strstr(answer->json, "\"rc\"") == NULL;
}

static bool upload(const struct fault_image *image)
{
    const struct ferry_bytes file = {image->bytes, image->size};
    static struct rig_answer answer;
    uint8_t request[RIG_MAX];

    for (uint32_t from = 0; from < image->size; from += CHUNK) {
        uint32_t to = ferry_min32(from + CHUNK, image->size);
        size_t len = rig_chunk(-1, file, from, to, request, sizeof(request));

        rig_send(&server, (struct ferry_bytes){request, len}, &answer);
        if (!is_good(&answer)) {
            return false;
        }
    }
    return true;
}

/* A state write of the image's hash. */
static bool state(const struct fault_image *image, bool confirm)
{
    static struct rig_answer answer;
    char json[RIG_STATE_MAX];

    rig_state_json((struct ferry_bytes){image->bytes, image->size}, confirm, json);
    rig_ask(&server, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, json, &answer);
    return is_good(&answer);
}

static bool erase(void)
{
    static struct rig_answer answer;

    rig_ask(&server, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_ERASE, "{}", &answer);
    return is_good(&answer);
}

/* ---- What is cut -------------------------------------------------------------------------------
 */

static bool confirm_new(void)
{
    return state(&bench.device.new, true);
}

static bool upload_for_test(void)
{
    return upload(&bench.device.new) && state(&bench.device.new, false);
}

static bool upload_for_good(void)
{
    return upload(&bench.device.new) && state(&bench.device.new, true);
}

static bool erase_and_upload(void)
{
    return erase() && upload_for_test();
}

/* The new image runs in the end, for good, whatever there is now. A trial that is under way is
 * confirmed; where nothing reverts there is none. */
static void finish(unsigned runs)
{
    bool reverts = slots.strategy->reverts;

    if (runs != 2) {
        assert_true(upload_for_test());
        assert_int_equal(start(), 2);
    }
    assert_int_equal(REPORT->info.header.version.major, 2);
    if (reverts) {
        assert_true(confirm_new());
    }
    assert_int_equal(start(), 2);
    assert_int_equal(REPORT->next, FERRY_SWAP_NONE);
    assert_int_equal(bench.device.primary.reprogrammed + bench.device.secondary.reprogrammed, 0);
}

/* Cut a life at each of its operations. from: what runs before. Returns how many there are. */
static unsigned sweep(bool (*life)(void), unsigned from, enum fault_way way)
{
    uint8_t *saved = fault_device_save(&bench.device);
    unsigned cuts = 0;
    bool whole = false;

    while (!whole) {
        unsigned runs;

        fault_device_restore(&bench.device, saved);
        runs = start();
        assert_int_equal(runs, from);
        fault_device_power_on(&bench.device, ++cuts, way);
        whole = life() && !bench.device.power.off;
        assert_true(whole || bench.device.power.off);
        runs = start();
        assert_true(runs == from || runs == 2);
        if (life == upload_for_good) { /* never a test in its place */
            assert_int_equal(REPORT->next, FERRY_SWAP_NONE);
        }
        if (whole) {
            assert_int_equal(runs, 2);
        }
        finish(runs);
    }
    fault_device_restore(&bench.device, saved);
    free(saved);
    return cuts - 1;
}

/* ---- The lives
 * ----------------------------------------------------------------------------------- */

static void test_an_upload_and_its_request(void **context)
{
    unsigned cuts = 0;
    (void)context;

    for (size_t s = 0; s < STRATEGIES; s++) {
        for (int way = 0; way < FAULT_WAYS; way++) {
            set_up(s);
            cuts += sweep(upload_for_test, 1, (enum fault_way)way);
            if (slots.strategy->reverts) {
                cuts += sweep(upload_for_good, 1, (enum fault_way)way);
            }
            cuts += sweep(erase_and_upload, 1, (enum fault_way)way);
            bench_free(&bench);
        }
    }
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 1000);
}

/* Another update, whose slot holds the image before and the records of the swap. */
static void test_a_second_update(void **context)
{
    (void)context;
    for (size_t s = 0; s < STRATEGIES; s++) {
        for (int way = 0; way < FAULT_WAYS; way++) {
            struct fault_image first;

            set_up(s);
            first = bench_image(&bench, 7, 1500);
            assert_int_equal(start(), 1);
            assert_true(upload(&first) && state(&first, false));
            assert_int_equal(start(), 7);
            assert_true(state(&first, true) || !slots.strategy->reverts);
            sweep(upload_for_test, 7, (enum fault_way)way);
            bench_free(&bench);
        }
    }
}

/* A confirm that was not answered may have been done or not; one that was is done. */
static void test_a_confirm(void **context)
{
    (void)context;
    for (size_t s = 0; s < STRATEGIES; s++) {
        for (int way = 0; way < FAULT_WAYS && strategies[s].small->reverts; way++) {
            bool whole = false;

            for (uint64_t cut = 1; !whole; cut++) {
                unsigned runs;

                set_up(s);
                assert_int_equal(start(), 1);
                assert_true(upload_for_test());
                assert_int_equal(start(), 2);
                fault_device_power_on(&bench.device, cut, (enum fault_way)way);
                whole = confirm_new() && !bench.device.power.off;
                runs = start();
                assert_true(runs == 1 || runs == 2);
                assert_true(!whole || runs == 2);
                finish(runs);
                bench_free(&bench);
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_upload_and_its_request),
        cmocka_unit_test(test_a_second_update),
        cmocka_unit_test(test_a_confirm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: how it is entered, how long it stays, what it says of itself. */
#include "recovery_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum { OS = FERRY_SMP_GROUP_OS, IMAGE = FERRY_SMP_GROUP_IMAGE };
enum { STAY = FERRY_RECOVERY_STAY, LEAVE = FERRY_RECOVERY_LEAVE, RESET = FERRY_RECOVERY_RESET };

static struct recovery_rig rig;

/* A device with a good image. */
static int set_up(void **state)
{
    (void)state;
    recovery_rig_set_up(&rig, &ferry_boot_swap_move);
    fault_device_load(&rig.bench.device.primary, &rig.bench.device.old);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    recovery_rig_free(&rig);
    return 0;
}

static void echo(void)
{
    assert_string_equal(recovery_rig_ask(&rig, WRITE, OS, FERRY_SMP_OS_ECHO, "{\"d\":\"hi\"}"),
                        "{\"r\":\"hi\"}");
}

/* ---- How long it stays ---------------------------------------------------------------------- */

static void test_it_is_left_when_it_is_idle(void **state)
{
    (void)state;
    recovery_rig_enter(&rig, FERRY_RECOVERY_BUTTON);
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_IDLE_MS - 1), STAY);
    echo();
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_IDLE_MS), STAY); /* counts from here */
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_IDLE_MS - 1), STAY);
    assert_int_equal(recovery_rig_wait(&rig, 1), LEAVE);
    assert_int_equal(rig.settled, 0); /* nobody changed anything */
    assert_int_equal(rig.bench.device.power.operations, 0);
}

static void test_without_an_idle_time_it_waits_for_ever(void **state)
{
    (void)state;
    rig.config.idle_ms = 0;
    recovery_rig_enter(&rig, FERRY_RECOVERY_BOOT_MODE);
    assert_int_equal(recovery_rig_wait(&rig, 1000000000), STAY);
}

static void test_a_window_closes_unless_a_command_comes(void **state)
{
    (void)state;
    recovery_rig_enter(&rig, FERRY_RECOVERY_WINDOW);
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_WINDOW_MS - 1), STAY);
    assert_false(ferry_recovery_is_used(&rig.recovery));
    assert_int_equal(recovery_rig_wait(&rig, 1), LEAVE);

    recovery_rig_enter(&rig, FERRY_RECOVERY_WINDOW);
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_WINDOW_MS - 1), STAY);
    echo();
    assert_true(ferry_recovery_is_used(&rig.recovery));
    assert_int_equal(recovery_rig_wait(&rig, 1), STAY);
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_IDLE_MS - 1), STAY);
    assert_int_equal(recovery_rig_wait(&rig, 1), LEAVE);
}

/* What is no command of this server keeps no window open. */
static void test_noise_is_no_command(void **state)
{
    uint8_t packet[12] = {0x0a, 0, 0, 200, 0, 0, 0, 0, 0xa0, 0, 0, 0};
    uint8_t out[64];
    struct ferry_bytes pending = {packet, sizeof(packet)};
    (void)state;

    recovery_rig_enter(&rig, FERRY_RECOVERY_WINDOW);
    assert_true(ferry_recovery_handle(&rig.recovery, &pending, 0, out, sizeof(out)) > 0); /* rc 9 */
    assert_string_equal(recovery_rig_ask(&rig, READ, 77, 0, "{}"), "{\"rc\":8}");
    assert_string_equal(recovery_rig_ask(&rig, READ, OS, 2, "{}"), "{\"rc\":8}");
    assert_false(ferry_recovery_is_used(&rig.recovery));
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_WINDOW_MS), LEAVE);
}

static void test_with_nothing_to_run_it_stays_until_something_changed(void **state)
{
    (void)state;
    memset(rig.bench.device.primary.memory, 0xff, 600);
    recovery_rig_enter(&rig, FERRY_RECOVERY_NO_IMAGE);
    echo();
    assert_int_equal(recovery_rig_wait(&rig, 1000000000), STAY);
    recovery_rig_upload(&rig, -1, &rig.bench.device.new, rig.bench.device.new.size);
    assert_int_equal(recovery_rig_wait(&rig, 0), STAY);
    assert_int_equal(recovery_rig_wait(&rig, RECOVERY_IDLE_MS), LEAVE);
    assert_int_equal(rig.settled, 0); /* the boot before was the one */
}

static void test_a_reset_happens_after_the_answer(void **state)
{
    (void)state;
    recovery_rig_enter(&rig, FERRY_RECOVERY_BUTTON);
    assert_int_equal(recovery_rig_wait(&rig, 1), STAY);
    assert_string_equal(recovery_rig_ask(&rig, WRITE, OS, FERRY_SMP_OS_RESET, "{\"boot_mode\":1}"),
                        "{}");
    assert_int_equal(recovery_rig_wait(&rig, 0), STAY);
    assert_int_equal(recovery_rig_wait(&rig, FERRY_RECOVERY_RESET_MS - 1), STAY);
    assert_int_equal(recovery_rig_wait(&rig, 1), RESET);
    assert_int_equal(ferry_recovery_boot_mode(&rig.recovery), 1);
}

/* ---- What it says of itself ---------------------------------------------------------------------
 */

static void test_it_says_that_it_is_a_bootloader(void **state)
{
    (void)state;
    recovery_rig_enter(&rig, FERRY_RECOVERY_BOOT_MODE);
    assert_string_equal(recovery_rig_ask(&rig, READ, OS, FERRY_SMP_OS_BOOTLOADER_INFO, "{}"),
                        "{\"bootloader\":\"MCUboot\"}");
    assert_string_equal(
        recovery_rig_ask(&rig, READ, OS, FERRY_SMP_OS_BOOTLOADER_INFO, "{\"query\":\"mode\"}"),
        "{\"mode\":3,\"recovery\":\"boot-mode\"}");
    assert_string_equal(recovery_rig_ask_v1(&rig, READ, OS, FERRY_SMP_OS_PARAMS, "{}"),
                        "{\"buf_size\":1024,\"buf_count\":2}");
    assert_string_equal(recovery_rig_ask(&rig, READ, OS, FERRY_SMP_OS_INFO, "{}"), "{\"rc\":8}");
    assert_string_equal(
        recovery_rig_ask(&rig, READ, OS, FERRY_SMP_OS_BOOTLOADER_INFO, "{\"query\":\"why\"}"),
        "{\"action\":\"none\"}");
    assert_string_equal(recovery_rig_list(&rig), "0:1.0.0:c");
    assert_int_equal(rig.settled, 0);
}

static void test_ways_have_names(void **state)
{
    (void)state;
    assert_string_equal(ferry_recovery_way_name(FERRY_RECOVERY_BUTTON), "button");
    assert_string_equal(ferry_recovery_way_name(FERRY_RECOVERY_BOOT_MODE), "boot-mode");
    assert_string_equal(ferry_recovery_way_name(FERRY_RECOVERY_WINDOW), "window");
    assert_string_equal(ferry_recovery_way_name(FERRY_RECOVERY_NO_IMAGE), "no-image");
    assert_string_equal(ferry_recovery_way_name((enum ferry_recovery_way)9), "?");
}

static int init(enum ferry_recovery_way way)
{
    return ferry_recovery_init(&rig.recovery, &rig.config, way, NULL, 0);
}

static void test_a_configuration_that_cannot_be_is_refused(void **state)
{
    struct ferry_boot_config *boot = &rig.bench.device.config;
    (void)state;

    assert_int_equal(init(FERRY_RECOVERY_NO_IMAGE), FERRY_E_CONFIG); /* of which boot? */
    rig.config.window_ms = 0;
    assert_int_equal(init(FERRY_RECOVERY_WINDOW), FERRY_E_CONFIG);
    assert_int_equal(init(FERRY_RECOVERY_BUTTON), FERRY_OK);
    rig.config.buf_size = 10;
    assert_int_equal(init(FERRY_RECOVERY_BUTTON), FERRY_E_CONFIG);
    rig.config.buf_size = 256;
    boot->image_count = FERRY_BOOT_IMAGES + 1;
    assert_int_equal(init(FERRY_RECOVERY_BUTTON), FERRY_E_CONFIG);
    boot->image_count = 0;
    assert_int_equal(init(FERRY_RECOVERY_BUTTON), FERRY_E_CONFIG);
    boot->image_count = 1;
    rig.bench.device.image.slots.state = NULL;
    assert_int_equal(init(FERRY_RECOVERY_BUTTON), FERRY_E_CONFIG);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_it_is_left_when_it_is_idle),
        CASE(test_without_an_idle_time_it_waits_for_ever),
        CASE(test_a_window_closes_unless_a_command_comes),
        CASE(test_noise_is_no_command),
        CASE(test_with_nothing_to_run_it_stays_until_something_changed),
        CASE(test_a_reset_happens_after_the_answer),
        CASE(test_it_says_that_it_is_a_bootloader),
        CASE(test_ways_have_names),
        CASE(test_a_configuration_that_cannot_be_is_refused),
    };

    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}

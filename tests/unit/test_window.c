/* SPDX-License-Identifier: Apache-2.0 */
/* The adaptive window, alone: what a loss and a clean answer make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/window.h"

static void answers(struct ferry_window *window, uint32_t count)
{
    while (count-- > 0) {
        ferry_window_clean(window);
    }
}

static void test_it_begins_with_all_and_stays_there(void **state)
{
    struct ferry_window window;

    (void)state;
    for (uint32_t limit = 0; limit <= 8; limit++) {
        uint32_t size = limit == 0 ? 1 : limit;

        ferry_window_init(&window, limit);
        assert_int_equal(window.size, size);
        answers(&window, 1000);
        assert_int_equal(window.size, size);
    }
}

static void test_a_window_of_one_stays_one(void **state)
{
    struct ferry_window window;

    (void)state;
    ferry_window_init(&window, 1);
    for (int i = 0; i < 100; i++) {
        ferry_window_lost(&window);
        answers(&window, 10000);
        assert_int_equal(window.size, 1);
    }
}

/* One loss in a long clean transfer: a quarter less, then one more every five answers. */
static void test_a_rare_loss_is_made_good(void **state)
{
    struct ferry_window window;

    (void)state;
    ferry_window_init(&window, 8);
    answers(&window, 100);
    ferry_window_lost(&window);
    assert_int_equal(window.size, 6);
    for (uint32_t size = 7; size <= 8; size++) {
        answers(&window, 4);
        assert_int_equal(window.size, size - 1);
        answers(&window, 1);
        assert_int_equal(window.size, size);
    }
}

/* Every size above 1 loses packets: it is 1 soon, and the attempts get rare. */
static void test_a_device_that_takes_one_is_served_one_at_a_time(void **state)
{
    struct ferry_window window;
    uint32_t lost = 0;
    uint32_t single = 0;

    (void)state;
    ferry_window_init(&window, 8);
    for (uint32_t i = 0; i < 5000; i++) {
        if (window.size > 1) {
            lost++;
            ferry_window_lost(&window);
        } else {
            single++;
            ferry_window_clean(&window);
        }
    }
    assert_in_range(lost, 5, 7);
    assert_in_range(single, 4980, 5000);
}

/* Two are fine, three are not. */
static void test_it_settles_at_what_works(void **state)
{
    struct ferry_window window;
    uint32_t lost = 0;
    uint32_t at_two = 0;

    (void)state;
    ferry_window_init(&window, 3);
    for (uint32_t i = 0; i < 5000; i++) {
        at_two += window.size == 2;
        if (window.size > 2) {
            lost++;
            ferry_window_lost(&window);
        } else {
            ferry_window_clean(&window);
        }
    }
    assert_in_range(lost, 2, 7);
    assert_true(at_two > 4950);
}

/* Losses that have nothing to do with the window, one in a hundred: it is large most of the time.
 */
static void test_chance_losses_do_not_keep_it_small(void **state)
{
    struct ferry_window window;
    uint32_t random = 1;
    uint32_t sum = 0;

    (void)state;
    ferry_window_init(&window, 8);
    for (uint32_t i = 0; i < 100000; i++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        if (random % 100 == 0) {
            ferry_window_lost(&window);
        } else {
            ferry_window_clean(&window);
        }
        sum += window.size;
    }
    assert_true(sum / 100000 >= 7);
}

/* However often it fails, another attempt comes. */
static void test_the_waits_have_an_end(void **state)
{
    struct ferry_window window;

    (void)state;
    ferry_window_init(&window, 2);
    for (int i = 0; i < 40; i++) {
        ferry_window_lost(&window);
        assert_int_equal(window.size, 1);
        answers(&window, 2000);
        assert_int_equal(window.size, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_begins_with_all_and_stays_there),
        cmocka_unit_test(test_a_window_of_one_stays_one),
        cmocka_unit_test(test_a_rare_loss_is_made_good),
        cmocka_unit_test(test_a_device_that_takes_one_is_served_one_at_a_time),
        cmocka_unit_test(test_it_settles_at_what_works),
        cmocka_unit_test(test_chance_losses_do_not_keep_it_small),
        cmocka_unit_test(test_the_waits_have_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The image group where the images change as one: state write marks the image whose hash is named,
 * and a confirm of any running image confirms all. */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { STATE = FERRY_SMP_IMAGE_STATE };
enum { WRITE = 2 };

static struct image_rig rig;

/* Two images, v1 and v2 of each. */
static void begin(bool set)
{
    image_rig_set_up(&rig, 8, 2);
    rig.group_config.set = set ? &ferry_set_in_store : NULL;
    image_rig_restart(&rig);
    for (uint32_t slot = 0; slot < 4; slot++) {
        /* Each has a build number of its own: no two hashes are alike. */
        image_rig_install(&rig, slot, (uint8_t)(1 + slot % 2), slot);
    }
}

static void make_trial(void)
{
    image_rig_make_revert(&rig, 0);
    image_rig_make_revert(&rig, 1);
    assert_int_equal(image_rig_next(&rig, 0), FERRY_SWAP_REVERT);
    assert_int_equal(image_rig_next(&rig, 1), FERRY_SWAP_REVERT);
}

static const char *ask(const char *request)
{
    static struct rig_answer answer;

    rig_ask(&rig.server, WRITE, FERRY_SMP_GROUP_IMAGE, STATE, request, &answer);
    return answer.json;
}

static const char *name(uint32_t slot, bool confirm)
{
    static char request[128];
    char hash[65];

    image_rig_hash(&rig, slot, hash);
    (void)snprintf(request, sizeof(request), "{\"hash\":\"h'%s'\",\"confirm\":%s}", hash,
                   confirm ? "true" : "false");
    return request;
}

static void expect_next(enum ferry_swap_type first, enum ferry_swap_type second)
{
    assert_int_equal(image_rig_next(&rig, 0), first);
    assert_int_equal(image_rig_next(&rig, 1), second);
}

static void test_a_hash_marks_its_image(void **state)
{
    (void)state;
    begin(true);
    assert_non_null(strstr(ask(name(3, false)), "{\"images\":["));
    expect_next(FERRY_SWAP_NONE, FERRY_SWAP_TEST);
    assert_non_null(strstr(ask(name(1, false)), "{\"images\":["));
    expect_next(FERRY_SWAP_TEST, FERRY_SWAP_TEST);
    assert_string_equal(image_rig_events(&rig), "pending 1 0, pending 0 0");
}

/* Without a set only the image that this program is part of may be confirmed. */
static void test_any_running_image_confirms_all(void **state)
{
    (void)state;
    for (uint32_t slot = 0; slot < 4; slot += 2) {
        begin(true);
        make_trial();
        assert_non_null(strstr(ask(name(slot, true)), "{\"images\":["));
        expect_next(FERRY_SWAP_NONE, FERRY_SWAP_NONE);
    }
    begin(false);
    make_trial();
    assert_string_equal(ask(name(2, true)), "{\"err\":{\"group\":1,\"rc\":32}}");
    assert_non_null(strstr(ask("{\"confirm\":true}"), "{\"images\":["));
    expect_next(FERRY_SWAP_NONE, FERRY_SWAP_REVERT);
}

/* Image 0 is confirmed; the one on trial is the other. */
static void test_confirm_without_a_hash_confirms_the_set(void **state)
{
    (void)state;
    begin(true);
    image_rig_make_revert(&rig, 1);
    expect_next(FERRY_SWAP_NONE, FERRY_SWAP_REVERT);
    assert_non_null(strstr(ask("{\"confirm\":true}"), "{\"images\":["));
    expect_next(FERRY_SWAP_NONE, FERRY_SWAP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hash_marks_its_image),
        cmocka_unit_test(test_any_running_image_confirms_all),
        cmocka_unit_test(test_confirm_without_a_hash_confirms_the_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

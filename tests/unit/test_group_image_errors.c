/* SPDX-License-Identifier: Apache-2.0 */
/* Every error of group image in version 2, and what version 1 makes of it, whether or not a request
 * can bring it about. [smp.md §1.7] */
#include "test_image_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct image_rig rig;
static uint16_t error;

static int refuse_all(void *context, struct ferry_server_call *call,
                      const struct ferry_image_chunk *chunk)
{
    (void)context;
    (void)chunk;
    return ferry_server_fail(call, error, NULL);
}

/* The table of the specification. */
static unsigned v1_of(unsigned number)
{
    switch (number) {
    case 3:
    case 4:
        return FERRY_RC_NO_ENTRY;
    case 9:
    case 27:
    case 28:
        return FERRY_RC_BAD_STATE;
    case 15:
        return FERRY_RC_NO_MEMORY;
    case 14:
    case 19:
    case 20:
    case 21:
    case 22:
    case 24:
    case 25:
        return FERRY_RC_INVALID;
    default:
        return FERRY_RC_UNKNOWN;
    }
}

static void test_every_error_in_both_versions(void **context)
{
    static uint8_t file[RIG_SLOT];
    struct rig_upload first = RIG_UPLOAD;
    (void)context;

    image_rig_set_up(&rig, 8, 1);
    rig.group_config.upload = refuse_all;
    first.len = (int64_t)image_rig_build(2, 0, file, sizeof(file));
    first.off = 0;
    first.data = file;
    first.data_len = 128;
    for (error = 1; error <= 40; error++) {
        char v1[32];
        char v2[64];

        (void)snprintf(v2, sizeof(v2), "{\"err\":{\"group\":1,\"rc\":%u},\"off\":0}", error);
        (void)snprintf(v1, sizeof(v1), "{\"rc\":%u}", v1_of(error));
        assert_string_equal(image_rig_upload(&rig, 1, &first), v2);
        assert_string_equal(image_rig_upload(&rig, 0, &first), v1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_in_both_versions),
    };

    return cmocka_run_group_tests_name("image errors", tests, NULL, NULL);
}

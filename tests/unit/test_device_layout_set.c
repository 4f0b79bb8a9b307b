/* SPDX-License-Identifier: Apache-2.0 */
/* "set" in a layout file: handed over, and refused where the images cannot change as one. */
#include "layout/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two images by these strategies, with a store or without one. */
static int parse(const char *set, const char *first, const char *second, bool store,
                 struct layout *layout, char why[LAYOUT_WHY_MAX])
{
    static const char format[] =
        "{\"flash\":[{\"name\":\"f\",\"sectors\":[{\"count\":64,\"size\":\"4K\"}],"
        "\"write_size\":8,\"erased_value\":255}],"
        "\"areas\":[{\"name\":\"bootloader\",\"device\":\"f\",\"offset\":0,\"size\":\"4K\"},"
        "{\"name\":\"%s\",\"device\":\"f\",\"offset\":\"4K\",\"size\":\"8K\"},"
        "{\"name\":\"a0\",\"device\":\"f\",\"offset\":\"64K\",\"size\":\"32K\"},"
        "{\"name\":\"a1\",\"device\":\"f\",\"offset\":\"96K\",\"size\":\"32K\"},"
        "{\"name\":\"b0\",\"device\":\"f\",\"offset\":\"128K\",\"size\":\"32K\"},"
        "{\"name\":\"b1\",\"device\":\"f\",\"offset\":\"160K\",\"size\":\"32K\"}],"
        "\"images\":[{\"primary\":\"a0\",\"secondary\":\"a1\",\"strategy\":\"%s\"}%s%s%s],"
        "\"max_align\":8,\"max_sectors\":64,\"keys\":[]%s}";
    char text[2048];

    (void)snprintf(text, sizeof(text), format, store ? "store" : "other", first,
                   second != NULL ? ",{\"primary\":\"b0\",\"secondary\":\"b1\",\"strategy\":\""
                                  : "",
                   second != NULL ? second : "", second != NULL ? "\"}" : "", set);
    return layout_parse(text, layout, why);
}

#define SET ",\"set\":true"

static void it_is_handed_over(void **state)
{
    struct ferry_vchip_start start;
    struct layout layout;
    char why[LAYOUT_WHY_MAX];

    (void)state;
    for (int set = 0; set < 2; set++) {
        assert_int_equal(parse(set == 1 ? SET : "", "swap-move", "swap-shift", true, &layout, why),
                         FERRY_OK);
        memset(&start, 0, sizeof(start));
        layout_describe(&layout, &start);
        assert_int_equal((start.flags & FERRY_VCHIP_SET) != 0, set);
    }
    assert_int_equal(parse(SET, "overwrite", "overwrite", true, &layout, why), FERRY_OK);
    assert_int_equal(parse(",\"set\":false", "direct-xip", "overwrite", false, &layout, why),
                     FERRY_OK);
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *set, *first, *second;
        bool store;
        const char *words;
    } rows[] = {
        {SET, "swap-move", NULL, true, "one image only"},
        {SET, "swap-move", "swap-move", false, "add one"},
        {SET, "swap-move", "overwrite", true, "all can, or all cannot"},
        {SET, "overwrite", "swap-move", true, "all can, or all cannot"},
        {SET, "swap-move", "direct-xip-revert", true, "which moves nothing"},
        {SET, "direct-xip", "overwrite", true, "image 0 has the strategy direct-xip"},
        {",\"set\":1", "swap-move", "swap-move", true, "set"},
    };
    struct layout layout;
    char why[LAYOUT_WHY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            parse(rows[i].set, rows[i].first, rows[i].second, rows[i].store, &layout, why),
            FERRY_E_CONFIG);
        if (strstr(why, rows[i].words) == NULL || strstr(why, "set") == NULL) {
            fail_msg("row %zu: %s", i, why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_handed_over),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The first stage in a layout: device/layout-first.json, what it tells programs, and what is wrong
 * with others. */
#include "layout/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[16384];
static struct layout layout;
static char why[LAYOUT_WHY_MAX];

/* The file, and one area more for images that are wrong there. */
static int read_text(void **state)
{
    static const char extra[] = "{ \"name\": \"extra\", \"device\": \"internal\", \"offset\": "
                                "\"0x140000\", \"size\": \"64K\" },\n    ";
    static char raw[sizeof(text) / 2];
    FILE *file = fopen(FERRY_ROOT "/device/layout-first.json", "rb");

    (void)state;
    assert_non_null(file);
    size_t len = fread(raw, 1, sizeof(raw) - 1, file);
    (void)fclose(file);
    raw[len] = '\0';
    const char *at = strstr(raw, "{ \"name\": \"b0\"");
    assert_non_null(at);
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - raw), raw, extra, at);
    return 0;
}

static void the_example_is_good_and_told(void **state)
{
    struct ferry_vchip_start start;

    (void)state;
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    assert_true(layout.has_first);
    assert_string_equal(layout_start_area(&layout)->name, "b0");
    memset(&start, 0x5a, sizeof(start));
    layout_describe(&layout, &start);
    assert_string_equal(start.areas[start.first_slots[0]].name, "s0");
    assert_string_equal(start.areas[start.first_slots[1]].name, "s1");
    assert_string_equal(start.areas[start.first_provision].name, "provision");
    assert_string_equal(start.images[1].strategy, "first-stage");
    assert_int_equal(start.images[1].primary, start.first_slots[0]);
}

static void a_layout_without_one_starts_the_bootloader(void **state)
{
    struct ferry_vchip_start start;

    (void)state;
    assert_int_equal(layout_parse(layout_default_text, &layout, why), FERRY_OK);
    assert_false(layout.has_first);
    assert_string_equal(layout_start_area(&layout)->name, "bootloader");
    layout_describe(&layout, &start);
    assert_int_equal(start.first_provision, FERRY_VCHIP_NO_AREA);
    assert_int_equal(start.first_slots[0], FERRY_VCHIP_NO_AREA);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *find, *replace, *words;
    } bads[] = {
        {"\"program\": \"b0\"", "\"program\": \"b9\"", "first_stage.program"},
        {"\"s1\": \"s1\"", "\"s1\": \"s0\"", "named twice"},
        {"\"provision\": \"provision\"", "\"provision\": \"store\"", "bit by bit"},
        {"\"provision\": \"provision\" }", "\"provision\": \"provision\", \"x\": 1 }",
         "no field \"x\""},
        {", \"provision\": \"provision\" }", " }", "first_stage.provision"},
        {"\"size\": \"192K\" },\n    { \"name\": \"keys\"",
         "\"size\": \"188K\" },\n    { \"name\": \"keys\"", "one size"},
        {"\"secondary\": \"secondary\"", "\"secondary\": \"s1\"", "the first stage's"},
        {"\"primary\": \"primary\"", "\"primary\": \"s0\"", "the first stage's"},
        {"\"primary\": \"s0\",", "\"primary\": \"primary\",", "belongs to image 0"},
        {"\"secondary\": \"staging\"", "\"secondary\": \"b0\"", "the first stage's"},
        {"\"images\": [", "\"images\": [{ \"primary\": \"store\", \"strategy\": \"single-slot\" },",
         "store"},
        {"\"strategy\": \"first-stage\" }",
         "\"strategy\": \"first-stage\" }, { \"primary\": \"extra\", \"strategy\": "
         "\"single-slot\" }",
         "move that to the end"},
        {"\"write_size\": 4", "\"write_size\": 8", "bit by bit"},
        {"\"first_stage\": {", "\"first_stages\": {", "first_stages"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        char *at = strstr(text, bads[i].find);
        assert_non_null(at);
        size_t size = strlen(text) + strlen(bads[i].replace) + 1;
        char *bad = malloc(size);
        assert_non_null(bad);
        (void)snprintf(bad, size, "%.*s%s%s", (int)(at - text), text, bads[i].replace,
                       at + strlen(bads[i].find));
        assert_int_not_equal(layout_parse(bad, &layout, why), FERRY_OK);
        if (strstr(why, bads[i].words) == NULL) {
            print_message("%s: %s\n", bads[i].replace, why);
        }
        assert_non_null(strstr(why, bads[i].words));
        free(bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_good_and_told),
        cmocka_unit_test(a_layout_without_one_starts_the_bootloader),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, read_text, NULL);
}

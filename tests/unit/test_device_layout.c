/* SPDX-License-Identifier: Apache-2.0 */
/* Layout files: the good ones, and that every error names its field and what to do. */
#include "layout/layout.h"
#include "ferry/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct layout layout;
static char why[LAYOUT_WHY_MAX];

/* text with its first find replaced; the caller frees it. */
static char *changed(const char *text, const char *find, const char *replace)
{
    const char *at = strstr(text, find);
    size_t size = strlen(text) + strlen(replace) + 1;
    char *out = malloc(size);

    assert_non_null(at);
    assert_non_null(out);
    (void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, replace, at + strlen(find));
    return out;
}

/* ---- Good ones ----------------------------------------------------------------------------- */

static void the_built_in_one_is_the_file(void **state)
{
    static char text[65536];
    FILE *file = fopen(FERRY_ROOT "/device/layout.json", "rb");

    (void)state;
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    assert_string_equal(text, layout_default_text);
}

static void the_built_in_one_is_good(void **state)
{
    (void)state;
    assert_int_equal(layout_parse(layout_default_text, &layout, why), FERRY_OK);
    assert_int_equal(layout.device_count, 1);
    assert_int_equal(layout.devices[0].geometry.size, 1024 * 1024);
    assert_int_equal(layout.devices[0].geometry.write_size, 8);
    assert_true(layout.devices[0].no_second_write);
    assert_int_equal(layout.area_count, 5);
    assert_int_equal(layout_area(&layout, "primary")->offset, 0x30000);
    assert_int_equal(layout_area(&layout, "secondary")->size, 256 * 1024);
    assert_int_equal(layout_area(&layout, "store")->size, 8192);
    assert_null(layout_area(&layout, "scratch"));
    assert_int_equal(layout.image_count, 1);
    assert_string_equal(layout.images[0].strategy, "swap-move");
    assert_int_equal(layout.images[0].scratch, FERRY_VCHIP_NO_AREA);
    assert_int_equal(layout.trials, 1);
    assert_int_equal(layout.ram_size, 0);
    assert_int_equal(layout.max_align, 8);
    assert_int_equal(layout.max_sectors, 128);
}

static const char two_devices[] =
    "{\"flash\": ["
    "{\"name\": \"in\", \"sectors\": [{\"count\": 4, \"size\": \"16K\"}, {\"count\": 1, \"size\": "
    "\"64K\"}, {\"count\": 6, \"size\": \"128K\"}], \"write_size\": 4, \"erased_value\": 255},"
    "{\"name\": \"ext\", \"sectors\": [{\"count\": 512, \"size\": 4096}], \"write_size\": 1,"
    " \"erased_value\": 255}],"
    "\"areas\": ["
    "{\"name\": \"bootloader\", \"device\": \"in\", \"offset\": 0, \"size\": \"128K\"},"
    "{\"name\": \"keys\", \"device\": \"ext\", \"offset\": \"0x0\", \"size\": \"4K\"},"
    "{\"name\": \"primary\", \"device\": \"in\", \"offset\": \"128K\", \"size\": \"256K\"},"
    "{\"name\": \"secondary\", \"device\": \"ext\", \"offset\": \"1M\", \"size\": \"256K\"}],"
    "\"images\": [{\"primary\": \"primary\", \"secondary\": \"secondary\", \"strategy\": "
    "\"overwrite\"}],"
    "\"max_align\": 8, \"max_sectors\": 128, \"no_downgrade\": true, \"keys\": [\"a.pem\", "
    "\"sub/b.der\"]}";

/* The default layout with a field more. */
static void read_with(const char *field, struct ferry_vchip_start *start)
{
    char with[256];
    char *text;

    (void)snprintf(with, sizeof(with), "\"max_align\": 8, %s", field);
    text = changed(layout_default_text, "\"max_align\": 8", with);
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    layout_describe(&layout, start);
    free(text);
}

static void several_devices_and_runs(void **state)
{
    struct ferry_vchip_start start;

    (void)state;
    int result = layout_parse(two_devices, &layout, why);
    assert_string_equal(why, "");
    assert_int_equal(result, FERRY_OK);
    assert_int_equal(layout.device_count, 2);
    assert_int_equal(layout.devices[0].geometry.run_count, 3);
    assert_int_equal(layout.devices[0].geometry.size, (64 + 64 + 768) * 1024);
    assert_int_equal(layout_area(&layout, "secondary")->device, 1);
    assert_int_equal(layout_area(&layout, "secondary")->offset, 1024 * 1024);
    assert_int_equal(layout.key_count, 2);
    assert_string_equal(layout.keys[1], "sub/b.der");
    memset(&start, 0, sizeof(start));
    layout_describe(&layout, &start);
    assert_int_equal(start.flags,
                     FERRY_VCHIP_NO_DOWNGRADE | FERRY_VCHIP_RECOVERY | FERRY_VCHIP_RECOVERY_BUTTON);
    assert_int_equal(start.recovery_wait_ms, 0);
    assert_int_equal(start.recovery_idle_ms, 30000);
    assert_int_equal(start.device_count, 2);
    assert_int_equal(start.devices[0].run_count, 3);
    assert_int_equal(start.devices[0].runs[2].size, 128 * 1024);
    assert_string_equal(start.areas[start.images[0].secondary].name, "secondary");
    read_with("\"recovery\": {\"button\": false, \"wait_ms\": 500, \"idle_ms\": 0}", &start);
    assert_int_equal(start.flags, FERRY_VCHIP_RECOVERY);
    assert_int_equal(start.recovery_wait_ms, 500);
    assert_int_equal(start.recovery_idle_ms, 0);
    read_with("\"recovery\": {\"idle_ms\": 5}", &start);
    assert_int_equal(start.flags, FERRY_VCHIP_RECOVERY | FERRY_VCHIP_RECOVERY_BUTTON);
    read_with("\"recovery\": false", &start);
    assert_int_equal(start.flags, 0);
}

/* Limits on UDP go with the lock, unless told otherwise; peers are listed in their order. */
static void what_the_server_has(void **state)
{
    struct ferry_vchip_start start = {0};

    (void)state;
    read_with("\"server\": {}", &start);
    assert_int_equal(start.flags & FERRY_VCHIP_UDP_LIMITS, 0);
    read_with("\"server\": {\"udp_limits\": true}", &start);
    assert_int_not_equal(start.flags & FERRY_VCHIP_UDP_LIMITS, 0);
    read_with("\"server\": {\"lock\": \"update\", \"udp_limits\": false}", &start);
    assert_int_equal(start.flags & FERRY_VCHIP_UDP_LIMITS, 0);
    read_with("\"server\": {\"lock\": \"update\"}", &start);
    assert_int_not_equal(start.flags & FERRY_VCHIP_UDP_LIMITS, 0);
    assert_string_equal(start.grants[0].identity, "");
    read_with("\"server\": {\"lock\": \"locked\", \"peers\": ["
              "{\"identity\": \"psk:factory\", \"level\": \"service\"}, "
              "{\"identity\": \"cert:station\", \"level\": \"update\"}]}",
              &start);
    assert_string_equal(start.grants[0].identity, "psk:factory");
    assert_int_equal(start.grants[0].level, 2);
    assert_string_equal(start.grants[1].identity, "cert:station");
    assert_int_equal(start.grants[1].level, 1);
    assert_string_equal(start.grants[2].identity, "");
}

static void times_of_flash_are_told(void **state)
{
    char *text = changed(layout_default_text, "\"write_size\": 8",
                         "\"write_size\": 8, \"erase_ms\": 20, \"program_us\": 9, "
                         "\"endurance\": \"100K\"");

    (void)state;
    assert_int_equal(layout_parse(layout_default_text, &layout, why), FERRY_OK);
    assert_int_equal(layout.devices[0].erase_ms, 0);
    assert_int_equal(layout.devices[0].program_us, 0);
    assert_int_equal(layout.devices[0].endurance, 0);
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    assert_int_equal(layout.devices[0].erase_ms, 20);
    assert_int_equal(layout.devices[0].program_us, 9);
    assert_int_equal(layout.devices[0].endurance, 100 * 1024);
    free(text);
}

static void trials_and_ram_are_told(void **state)
{
    struct ferry_vchip_start start;
    char *text = changed(layout_default_text, "\"max_align\"",
                         "\"trials\": 0, \"ram\": {\"address\": \"0x20000000\", \"size\": "
                         "\"256K\"}, \"max_align\"");

    (void)state;
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    memset(&start, 0x5a, sizeof(start));
    layout_describe(&layout, &start);
    assert_int_equal(start.trials, 0);
    assert_int_equal(start.ram_address, 0x20000000);
    assert_int_equal(start.ram_size, 256 * 1024);
    free(text);
}

/* Ids as such and by name: those of imgtool, [mcuboot-format.md §2.2]. */
static void a_policy_is_told(void **state)
{
    static const uint8_t vendor[16] = {0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85,
                                       0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17};
    static const uint8_t board[16] = {0xd9, 0xc0, 0x3f, 0x90, 0x56, 0x8d, 0x55, 0x53,
                                      0xb0, 0xaa, 0x28, 0xb2, 0x4d, 0xf9, 0x0f, 0xcc};
    struct ferry_vchip_start start;
    char *text = changed(layout_default_text, "\"max_align\"",
                         "\"policy\": {\"no_downgrade\": true, \"compare_build\": true, "
                         "\"security_counter\": true, \"vendor_id\": \"example.com\", "
                         "\"class_id\": \"00112233-4455-6677-8899-AABBCCDDEEFF\"}, \"max_align\"");

    (void)state;
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    layout_describe(&layout, &start);
    assert_int_equal(start.flags, FERRY_VCHIP_NO_DOWNGRADE | FERRY_VCHIP_COMPARE_BUILD |
                                      FERRY_VCHIP_SECURITY_COUNTER | FERRY_VCHIP_VENDOR |
                                      FERRY_VCHIP_CLASS | FERRY_VCHIP_RECOVERY |
                                      FERRY_VCHIP_RECOVERY_BUTTON);
    assert_memory_equal(start.vendor_id, vendor, sizeof(vendor));
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(start.class_id[i], i * 0x11);
    }
    free(text);
    text = changed(layout_default_text, "\"max_align\"",
                   "\"policy\": {\"vendor_id\": \"cfbff0d1-9375-5685-968c-48ce8b15ae17\", "
                   "\"class_id\": \"board\"}, \"max_align\"");
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    assert_memory_equal(layout.vendor_id, vendor, sizeof(vendor));
    assert_memory_equal(layout.class_id, board, sizeof(board));
    free(text);
}

/* Whatever the library knows can be named, and each with what it needs. */
static void every_strategy_can_be_named(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct ferry_strategy_traits *traits; (traits = ferry_strategy_traits_at(count));
         count++) {
        if (traits == &ferry_traits_first_stage) {
            continue; /* needs a first stage: test_device_first.c */
        }
        char image[192];
        (void)snprintf(image, sizeof(image), "\"primary\"%s%s, \"strategy\": \"%s\" }",
                       traits->slot_count == 2 ? ", \"secondary\": \"secondary\"" : "",
                       traits->scratch ? ", \"scratch\": \"scratch\"" : "", traits->name);
        char *named = changed(layout_default_text,
                              "\"primary\", \"secondary\": \"secondary\", \"strategy\": "
                              "\"swap-move\" }",
                              image);
        char *text = changed(named, "  \"areas\": [",
                             "\"ram\": {\"address\": \"0x20000000\", \"size\": \"256K\"}, "
                             "\"areas\": [{\"name\": \"scratch\", \"device\": \"internal\", "
                             "\"offset\": \"0xc0000\", \"size\": \"16K\"},");
        int result = layout_parse(text, &layout, why);
        if (result != FERRY_OK) {
            print_message("%s: %s\n", traits->name, why);
        }
        assert_int_equal(result, FERRY_OK);
        assert_int_equal(layout.images[0].secondary != FERRY_VCHIP_NO_AREA,
                         traits->slot_count == 2);
        assert_int_equal(layout.images[0].scratch != FERRY_VCHIP_NO_AREA, traits->scratch);
        free(named);
        free(text);
    }
    print_message("%zu strategies\n", count);
    assert_true(count >= 2);
}

/* ---- Bad ones ------------------------------------------------------------------------------- */

/* A change of the built-in layout (or of two_devices), the field named, what to do. */
struct bad {
    const char *find, *replace, *field, *remedy;
};

static const struct bad bads[] = {
    {"\"name\": \"internal\"", "\"nam\": \"internal\"", "flash[0]: there is no field \"nam\"",
     "the fields are: name sectors"},
    {"\"name\": \"internal\"", "\"name\": \"\"", "flash[0].name", "1 to 15 characters"},
    {"\"name\": \"internal\"", "\"name\": \"a name longer than it\"", "flash[0].name",
     "at most 15"},
    {"\"name\": \"internal\"", "\"name\": \"in ternal\"", "flash[0].name", "use letters"},
    {"\"name\": \"internal\"", "\"name\": 5", "flash[0].name", "give a text"},
    {"\"count\": 256", "\"count\": 0", "flash[0].sectors[0].count", "from 1 to"},
    {"\"count\": 256", "\"count\": 2.5", "flash[0].sectors[0].count", "whole number"},
    {"\"count\": 256", "\"count\": -1", "flash[0].sectors[0].count", "from 1 to"},
    {"\"count\": 256", "\"count\": 1e99", "flash[0].sectors[0].count", "from 1 to"},
    {"\"count\": 256", "\"count\": 65536", "flash[0].sectors", "smaller device"},
    {"\"size\": \"4K\" }", "\"size\": \"4k\" }", "flash[0].sectors[0].size", "\"4K\""},
    {"\"size\": \"4K\" }", "\"size\": \"-4\" }", "flash[0].sectors[0].size", "\"4K\""},
    {"\"size\": \"4K\" }", "\"size\": 4097 }", "flash[0].sectors[0].size", "give one of 8"},
    {"\"size\": \"4K\" }", "\"sise\": 4096 }", "flash[0].sectors[0]", "count size"},
    {"\"size\": \"4K\" }", "\"size\": null }", "flash[0].sectors[0].size", "write 4096"},
    {"[{ \"count\": 256, \"size\": \"4K\" }]", "[]", "flash[0].sectors", "give 1 to 4"},
    {"[{ \"count\": 256, \"size\": \"4K\" }]", "4096", "flash[0].sectors", "give a list"},
    {"[{ \"count\": 256, \"size\": \"4K\" }]", "[7]", "flash[0].sectors[0]", "an object is needed"},
    {"\"max_align\": 8", "\"max_align\": 8, \"server\": {\"udp_limits\": 1}", "server.udp_limits",
     "give true or false"},
    {"\"max_align\": 8",
     "\"max_align\": 8, \"server\": {\"peers\": [{\"identity\": \"psk:a\", \"level\": "
     "\"update\"}]}",
     "server.peers", "open device"},
    {"\"max_align\": 8",
     "\"max_align\": 8, \"server\": {\"lock\": \"locked\", \"peers\": [{\"identity\": \"ble:a\", "
     "\"level\": \"locked\"}]}",
     "server.peers[0].level", "\"update\" or \"service\""},
    {"\"max_align\": 8",
     "\"max_align\": 8, \"server\": {\"lock\": \"locked\", \"peers\": [{\"identity\": \"factory\", "
     "\"level\": \"update\"}]}",
     "server.peers[0].identity", "\"psk:NAME\", \"cert:NAME\" (common name) or \"ble:"},
    {"\"max_align\": 8",
     "\"max_align\": 8, \"server\": {\"lock\": \"locked\", \"peers\": [{\"identity\": \"cert:\", "
     "\"level\": \"update\"}]}",
     "server.peers[0].identity", "is \"cert:\""},
    {"\"max_align\": 8",
     "\"max_align\": 8, \"server\": {\"lock\": \"locked\", \"peers\": [{\"level\": \"update\"}]}",
     "server.peers[0].identity", ""},
    {"\"max_align\": 8",
     "\"max_align\": 8, \"server\": {\"lock\": \"locked\", \"peers\": [1, 2, 3, 4, 5]}",
     "server.peers", ""},
    {"\"max_align\": 8", "\"max_align\": 8, \"recovery\": 1", "recovery", "an object is needed"},
    {"\"max_align\": 8", "\"max_align\": 8, \"recovery\": {\"idle\": 1}", "recovery",
     "button wait_ms idle_ms"},
    {"\"max_align\": 8", "\"max_align\": 8, \"recovery\": {\"wait_ms\": 60001}", "recovery.wait_ms",
     "from 0 to 60000"},
    {"\"max_align\": 8", "\"max_align\": 8, \"recovery\": {\"idle_ms\": -1}", "recovery.idle_ms",
     "from 0 to 3600000"},
    {"\"max_align\": 8", "\"max_align\": 8, \"recovery\": {\"button\": 1}", "recovery.button",
     "true or false"},
    {"\"write_size\": 8", "\"write_size\": 8, \"erase_ms\": 0", "flash[0].erase_ms",
     "from 1 to 10000"},
    {"\"write_size\": 8", "\"write_size\": 8, \"program_us\": \"x\"", "flash[0].program_us", ""},
    {"\"write_size\": 8", "\"write_size\": 8, \"endurance\": 0", "flash[0].endurance",
     "from 1 to 100000000"},
    {"\"write_size\": 8", "\"write_size\": 3", "flash[0].write_size", "1, 2, 4, 8, 16 or 32"},
    {"\"write_size\": 8", "\"write_size\": 64", "flash[0].write_size", "from 1 to 32"},
    {"\"write_size\": 8", "\"write_size\": 16", "images[0]", "max_align"},
    {"\"erased_value\": 255", "\"erased_value\": 127", "flash[0].erased_value", "255 or 0"},
    {"\"erased_value\": 255,", "", "flash[0].erased_value", "is missing"},
    {"\"no_second_write\": true", "\"no_second_write\": 1", "flash[0].no_second_write",
     "true or false"},
    {"\"no_second_write\": true", "\"write_size\": 8", "flash[0].write_size", "keep one"},
    {"\"name\": \"store\"", "\"name\": \"keys\"", "areas[2].name", "another name"},
    {"\"name\": \"bootloader\"", "\"name\": \"boot\"", "areas", "no \"bootloader\""},
    {"\"device\": \"internal\", \"offset\": \"0x2c000\"",
     "\"device\": \"external\", \"offset\": \"0x2c000\"", "areas[1].device", "name one of"},
    {"\"0x2c000\"", "\"0x2c800\"", "areas[1].offset", "0x2c000 or 0x2d000"},
    {"\"0x2c000\"", "\"0x2b000\"", "areas[1].offset", "overlaps \"bootloader\""},
    {"\"0x2c000\"", "\"0xfff000000\"", "areas[1].offset", "from 0 to"},
    {"\"0x70000\"", "\"0xd0000\"", "areas[4].size", "make it smaller"},
    {"\"size\": \"8K\"", "\"size\": \"6K\"", "areas[2].size", "0x2f000 or 0x30000"},
    {"\"size\": \"8K\"", "\"size\": 0", "areas[2].size", "from 1 to"},
    {"\"primary\": \"primary\"", "\"primary\": \"first\"", "images[0].primary", "name one of"},
    {"\"secondary\": \"secondary\"", "\"secondary\": \"primary\"", "images[0].secondary",
     "name another"},
    {"\"secondary\": \"secondary\"", "\"secondary\": \"store\"", "images[0].secondary",
     "not for images"},
    {"\"primary\": \"primary\"", "\"primary\": \"bootloader\"", "images[0].primary",
     "not for images"},
    {"\"secondary\": \"secondary\", ", "", "images[0].secondary", "swap-move needs one"},
    {"\"strategy\"", "\"scratch\": \"store\", \"strategy\"", "images[0].scratch", "leave it out"},
    {"\"swap-move\" }",
     "\"swap-move\" }, {\"primary\": \"primary\", \"secondary\": \"secondary\", \"strategy\": "
     "\"overwrite\"}",
     "images[1].primary", "belongs to image 0"},
    {"\"swap-move\"", "\"swap-mov\"", "images[0].strategy", "use one of: swap"},
    {"\"size\": \"8K\"", "\"size\": \"4K\"", "areas[2].size", "at least two sectors"},
    {"\"offset\": \"0x70000\", \"size\": \"256K\"", "\"offset\": \"0x70000\", \"size\": \"64K\"",
     "images[0]", "as many of them as the secondary or one more"},
    {"\"offset\": \"0x70000\", \"size\": \"256K\"", "\"offset\": \"0x70000\", \"size\": \"288K\"",
     "images[0]", "as many of them as the secondary or one more"},
    {"\"max_sectors\": 128", "\"max_sectors\": 16", "images[0]", "have 64 sectors"},
    {"\"max_sectors\": 128", "\"max_sectors\": 16384", "images[0]", "too small for swap-move"},
    {"\"max_align\"", "\"trials\": 101, \"max_align\"", "trials", "from 0 to 100"},
    {"\"max_align\"", "\"trials\": \"one\", \"max_align\"", "trials", "no number"},
    {"\"max_align\"", "\"ram\": 5, \"max_align\"", "ram", "address size"},
    {"\"max_align\"", "\"ram\": {\"size\": 4096}, \"max_align\"", "ram.address", "is missing"},
    {"\"max_align\"", "\"ram\": {\"address\": \"0xf0000001\", \"size\": 4096}, \"max_align\"",
     "ram.address", "to 4026531840"},
    {"\"max_align\"", "\"ram\": {\"address\": \"0x20000000\", \"size\": \"17M\"}, \"max_align\"",
     "ram.size", "to 16777216"},
    {"\"max_sectors\": 128,", "", "max_sectors", "is missing"},
    {"\"max_align\": 8", "\"max_align\": 7", "max_align", "from 8 to 32"},
    {"\"max_align\": 8", "\"max_align\": 12", "max_align", "8, 16 or 32"},
    {"\"no_downgrade\": false", "\"no_downgrade\": \"no\"", "no_downgrade", "true or false"},
    {"\"max_align\"", "\"policy\": 5, \"max_align\"", "policy", "security_counter"},
    {"\"max_align\"", "\"policy\": {\"counter\": true}, \"max_align\"",
     "policy: there is no field \"counter\"", "the fields are: no_downgrade"},
    {"\"max_align\"", "\"policy\": {\"compare_build\": 1}, \"max_align\"", "policy.compare_build",
     "true or false"},
    {"\"max_align\"", "\"policy\": {\"vendor_id\": 1}, \"max_align\"", "policy.vendor_id",
     "give a text"},
    {"\"max_align\"", "\"policy\": {\"class_id\": \"board\"}, \"max_align\"", "policy.class_id",
     "give vendor_id too"},
    {"\"keys\": []", "\"keys\": [5]", "keys[0]", "give a text"},
    {"\"keys\": []", "\"keys\": \"k.pem\"", "keys", "give a list"},
    {"\"keys\": []", "\"keys\": [], \"kees\": []", "there is no field \"kees\"", "the fields are"},
    {"\"images\": [", "\"images\": [5, ", "images[0]", "an object is needed"},
    {"\"max_align\": 8,", "\"max_align\": 8", "line 22", "comma"},
    {"{\n  \"flash\"", "\n  \"flash\"", "line 2", "JSON"},
};

static void every_error_names_field_and_remedy(void **state)
{
    size_t count = sizeof(bads) / sizeof(bads[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char *text = changed(layout_default_text, bads[i].find, bads[i].replace);
        memset(&layout, 0x5a, sizeof(layout));
        int result = layout_parse(text, &layout, why);
        if (result == FERRY_OK || strstr(why, bads[i].field) != why ||
            strstr(why, bads[i].remedy) == NULL) {
            print_message("%s -> %s\n  gave %d \"%s\"\n  wanted \"%s\" and \"%s\"\n", bads[i].find,
                          bads[i].replace, result, why, bads[i].field, bads[i].remedy);
            fail();
        }
        assert_int_equal(layout.area_count, 0x5a5a5a5a); /* untouched */
        free(text);
    }
    print_message("%zu bad layouts\n", count);
    assert_true(count > 40);
}

/* Flash "a" of 4 KiB sectors, "b" of 64 KiB ones that erases to 0; areas of both. */
static const char mixed[] =
    "{\"flash\": ["
    "{\"name\": \"a\", \"sectors\": [{\"count\": 256, \"size\": 4096}], \"write_size\": 8,"
    " \"erased_value\": 255},"
    "{\"name\": \"b\", \"sectors\": [{\"count\": 8, \"size\": \"64K\"}], \"write_size\": 1,"
    " \"erased_value\": 0}],"
    "\"areas\": ["
    "{\"name\": \"bootloader\", \"device\": \"a\", \"offset\": 0, \"size\": \"160K\"},"
    "{\"name\": \"a256\", \"device\": \"a\", \"offset\": \"160K\", \"size\": \"256K\"},"
    "{\"name\": \"a260\", \"device\": \"a\", \"offset\": \"416K\", \"size\": \"260K\"},"
    "{\"name\": \"a16\", \"device\": \"a\", \"offset\": \"676K\", \"size\": \"16K\"},"
    "{\"name\": \"a64\", \"device\": \"a\", \"offset\": \"692K\", \"size\": \"64K\"},"
    "{\"name\": \"b256\", \"device\": \"b\", \"offset\": \"64K\", \"size\": \"256K\"}],"
    "\"images\": [%s], %s \"max_align\": 8, \"max_sectors\": 128}";

#define RAM "\"ram\": {\"address\": \"0x20000000\", \"size\": \"64K\"},"

/* An image, what the layout has besides, and the error: none when it is to be good. */
static const struct {
    const char *image, *besides, *field, *remedy;
} pairs[] = {
    {"\"swap-scratch\", \"primary\": \"a256\", \"secondary\": \"b256\", \"scratch\": \"a64\"", "",
     NULL, NULL},
    {"\"swap-scratch\", \"primary\": \"a256\", \"secondary\": \"b256\", \"scratch\": \"a16\"", "",
     "images[0]: the slots", "largest sector"},
    {"\"swap-scratch\", \"primary\": \"a256\", \"secondary\": \"a260\", \"scratch\": \"a16\"", "",
     "images[0]: the slots", "one size"},
    {"\"swap-scratch\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", "images[0].scratch",
     "needs one"},
    {"\"swap-scratch\", \"primary\": \"a256\", \"secondary\": \"b256\", \"scratch\": \"b256\"", "",
     "images[0].scratch", "already; name another"},
    {"\"swap-move\", \"primary\": \"a260\", \"secondary\": \"a256\"", "", NULL, NULL},
    {"\"swap-move\", \"primary\": \"a256\", \"secondary\": \"a260\"", "", "images[0]: the slots",
     "the primary as many"},
    {"\"swap-move\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", "images[0]: the slots",
     "one size"},
    {"\"swap-offset\", \"primary\": \"a256\", \"secondary\": \"a260\"", "", NULL, NULL},
    {"\"swap-offset\", \"primary\": \"a260\", \"secondary\": \"a256\"", "", "images[0]: the slots",
     "the secondary as many"},
    {"\"swap-offset\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", "images[0]: the slots",
     "one size"},
    {"\"swap-shift\", \"primary\": \"a256\", \"secondary\": \"a260\"", "", NULL, NULL},
    {"\"swap-shift\", \"primary\": \"a260\", \"secondary\": \"a256\"", "", "images[0]: the slots",
     "the secondary as many"},
    {"\"overwrite\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", NULL, NULL},
    {"\"direct-xip\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", NULL, NULL},
    {"\"direct-xip-revert\", \"primary\": \"a256\"", "", "images[0].secondary", "needs one"},
    {"\"ram-load\", \"primary\": \"a256\", \"secondary\": \"b256\"", RAM, NULL, NULL},
    {"\"ram-load\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", "images[0].strategy",
     "add its address and size"},
    {"\"ram-load\", \"primary\": \"a256\", \"secondary\": \"b256\"}, {\"strategy\": "
     "\"ram-load-revert\", \"primary\": \"a16\", \"secondary\": \"a64\"",
     RAM, "images[1].strategy", "use another one"},
    {"\"single-slot\", \"primary\": \"a256\"", "", NULL, NULL},
    {"\"single-slot\", \"primary\": \"a256\", \"secondary\": \"b256\"", "", "images[0].secondary",
     "leave it out"},
};

static void areas_suit_their_strategy_or_why_not(void **state)
{
    char image[256];
    char text[2048];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        (void)snprintf(image, sizeof(image), "{\"strategy\": %s}", pairs[i].image);
        (void)snprintf(text, sizeof(text), mixed, image, pairs[i].besides);
        int result = layout_parse(text, &layout, why);
        bool good = pairs[i].field == NULL
                        ? result == FERRY_OK
                        : result != FERRY_OK && strstr(why, pairs[i].field) == why &&
                              strstr(why, pairs[i].remedy) != NULL;
        if (!good) {
            print_message("%s\n  gave %d \"%s\"\n", image, result, why);
            fail();
        }
    }
}

static void keys_need_an_area(void **state)
{
    char *text = changed(two_devices, "{\"name\": \"keys\"", "{\"name\": \"kees\"");

    (void)state;
    assert_int_equal(layout_parse(text, &layout, why), FERRY_E_CONFIG);
    assert_non_null(strstr(why, "no area \"keys\""));
    free(text);
}

/* Encrypted images need something to decrypt them with, and room for their ENC TLVs. */
static void encrypted_images_need_an_area(void **state)
{
    struct ferry_vchip_start start;
    char *with = changed(two_devices, "{\"name\": \"primary\"",
                         "{\"name\": \"secrets\", \"device\": \"ext\", \"offset\": \"4K\", "
                         "\"size\": \"4K\"}, {\"name\": \"primary\"");
    char *text =
        changed(with, "\"max_align\"", "\"enc_tlv\": 113, \"secrets\": [\"s.pem\"], \"max_align\"");

    (void)state;
    assert_int_equal(layout_parse(text, &layout, why), FERRY_OK);
    assert_int_equal(layout.enc_tlv, 113);
    assert_int_equal(layout.secret_count, 1);
    assert_string_equal(layout.secrets[0], "s.pem");
    memset(&start, 0, sizeof(start));
    layout_describe(&layout, &start);
    assert_int_equal(start.enc_tlv, 113);
    free(text);
    free(with);
    text = changed(two_devices, "\"max_align\"", "\"enc_tlv\": 24, \"max_align\"");
    assert_int_equal(layout_parse(text, &layout, why), FERRY_E_CONFIG);
    assert_non_null(strstr(why, "no area \"secrets\""));
    free(text);
    text = changed(two_devices, "\"max_align\"", "\"secrets\": [\"s\"], \"max_align\"");
    assert_int_equal(layout_parse(text, &layout, why), FERRY_E_CONFIG);
    free(text);
    text = changed(two_devices, "\"max_align\"", "\"enc_tlv\": 257, \"max_align\"");
    assert_int_equal(layout_parse(text, &layout, why), FERRY_E_CONFIG);
    assert_non_null(strstr(why, "enc_tlv"));
    free(text);
}

static void other_json_is_refused(void **state)
{
    static const char *const texts[] = {"",   "[]", "null",          "5",   "\"text\"",
                                        "{}", "{",  "{\"flash\":1}", "{} x"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(layout_parse(texts[i], &layout, why) < 0);
        assert_true(strlen(why) > 10);
    }
}

/* Every field removed, and every value replaced by every kind: refused or read, never a crash. */
static void spoil(cJSON *item, const char *kind, cJSON *root, size_t *count)
{
    for (cJSON *child = item->child; child != NULL; child = child->next) {
        cJSON saved = *child;
        cJSON *other = cJSON_Parse(kind);
        assert_non_null(other);
        child->type = (child->type & cJSON_StringIsConst) | other->type;
        child->valuestring = other->valuestring;
        child->valuedouble = other->valuedouble;
        child->child = other->child;
        char *text = cJSON_Print(root);
        int result = layout_parse(text, &layout, why);
        assert_true(result == FERRY_OK || strlen(why) > 10);
        (*count)++;
        cJSON_free(text);
        child->type = saved.type;
        child->valuestring = saved.valuestring;
        child->valuedouble = saved.valuedouble;
        child->child = saved.child;
        cJSON_Delete(other);
        spoil(child, kind, root, count);
    }
}

static void every_value_may_be_of_any_kind(void **state)
{
    static const char *const kinds[] = {
        "null", "true", "5",     "-1",         "1e300",          "\"x\"",
        "[]",   "{}",   "[[1]]", "4294967295", "\"0xffffffff\"", "\"99999999M\""};
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        cJSON *root = cJSON_Parse(two_devices);
        spoil(root, kinds[i], root, &count);
        cJSON_Delete(root);
    }
    print_message("%zu spoiled layouts\n", count);
    assert_true(count > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_one_is_the_file),
        cmocka_unit_test(the_built_in_one_is_good),
        cmocka_unit_test(several_devices_and_runs),
        cmocka_unit_test(a_policy_is_told),
        cmocka_unit_test(what_the_server_has),
        cmocka_unit_test(times_of_flash_are_told),
        cmocka_unit_test(trials_and_ram_are_told),
        cmocka_unit_test(every_strategy_can_be_named),
        cmocka_unit_test(every_error_names_field_and_remedy),
        cmocka_unit_test(areas_suit_their_strategy_or_why_not),
        cmocka_unit_test(keys_need_an_area),
        cmocka_unit_test(encrypted_images_need_an_area),
        cmocka_unit_test(other_json_is_refused),
        cmocka_unit_test(every_value_may_be_of_any_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

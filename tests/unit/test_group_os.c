/* SPDX-License-Identifier: Apache-2.0 */
/* The os group: smp.md §3.0 and the answers of a running Zephyr in §8. */
#include "ferry/group_os.h"
#include "ferry/why.h"
#include "store_chip.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct rig {
    struct ferry_server server;
    struct ferry_server_config config;
    struct ferry_server_mount mount;
    struct ferry_os_group os;
    struct ferry_os_group_config os_config;
    const char *node;
    int reset_rc;
    uint16_t reset_error;
    struct ferry_os_reset asked;
    int events;
    struct ferry_server_event event;
};

static const char *info(void *context, char letter)
{
    const struct rig *rig = context;

    switch (letter) {
    case 's':
        return "Ferry";
    case 'n':
        return rig->node;
    case 'r':
        return "0.1.0";
    case 'v':
        return "v0.1.0-7";
    case 'm':
        return "x86_64";
    case 'p':
        return "amd64";
    case 'i':
        return "ferry-device";
    case 'o':
        return "Ferry OS";
    default: /* b: no build time in this build */
        return NULL;
    }
}

static int reset(void *context, struct ferry_server_call *call, const struct ferry_os_reset *wish)
{
    struct rig *rig = context;

    rig->asked = *wish;
    if (rig->reset_error != 0) {
        return ferry_server_error(call, 64, rig->reset_error);
    }
    return wish->force ? FERRY_RC_OK : rig->reset_rc;
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    struct rig *rig = context;
    (void)call;

    rig->events++;
    rig->event = *event;
}

static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->node = "node-1";
    rig->os_config = (struct ferry_os_group_config){.bootloader_mode = 3,
                                                    .no_downgrade = true,
                                                    .boot_modes = true,
                                                    .info = info,
                                                    .reset = reset,
                                                    .context = rig};
    ferry_os_group_init(&rig->os, &rig->os_config);
    rig->mount = (struct ferry_server_mount){&ferry_os_group_table, &rig->os};
    rig->config = (struct ferry_server_config){.groups = &rig->mount,
                                               .group_count = 1,
                                               .buf_size = 384,
                                               .buf_count = 4,
                                               .observe = observe,
                                               .observe_context = rig};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

static void expect(struct rig *rig, uint8_t op, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&rig->server, op, 0, id, request, &answer);
    assert_string_equal(answer.json, json);
}

static void expect_v1(struct rig *rig, uint8_t op, uint8_t id, const char *request,
                      const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&rig->server, op, 0, id, request, &answer);
    assert_string_equal(answer.json, json);
}

/* ---- Vectors ----------------------------------------------------------------- */

static void test_answers_are_zephyrs_byte_for_byte(void **context)
{
    static const char *const pairs[][2] = {
        {"os_echo_req_v2", "os_echo_rsp_v2"},
        {"os_echo_req_v1", "os_echo_rsp_v1"},
        {"os_params_req", "os_params_rsp"},
        {"os_reset_req", "os_reset_rsp"},
        {"os_reset_force_req", "os_reset_rsp"},
        {"os_reset_bootloader_req", "os_reset_rsp"},
        {"os_bootloader_req", "os_bootloader_rsp"},
        {"os_bootloader_mode_req", "os_bootloader_mode_rsp"},
        {"generic_too_new_req", "generic_too_new_rsp"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        rig_expect_vector(&rig.server, FERRY_TEST_DATA, pairs[i][0], pairs[i][1]);
    }
    rig.os_config.bootloader_mode = -1;
    rig.os_config.no_downgrade = false;
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "os_bootloader_mode_req",
                      "os_bootloader_mode_unknown_rsp");
    rig.reset_rc = FERRY_RC_BUSY;
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "os_reset_req", "os_reset_busy_rsp");
}

/* ---- Echo -------------------------------------------------------------------- */

static void test_echo(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, FERRY_SMP_READ, 0, "{\"d\":\"hello\"}", "{\"r\":\"hello\"}");
    expect(&rig, FERRY_SMP_WRITE, 0, "{\"d\":\"\"}", "{\"r\":\"\"}");
    expect(&rig, FERRY_SMP_WRITE, 0, "{}", "{\"r\":\"\"}");
    expect(&rig, FERRY_SMP_WRITE, 0, NULL, "{\"rc\":3}");
    expect(&rig, FERRY_SMP_WRITE, 0, "{\"d\":\"h'6869'\"}", "{\"rc\":3}");
    expect(&rig, FERRY_SMP_WRITE, 0, "{\"d\":\"a\",\"d\":\"b\"}", "{\"rc\":3}");
    expect(&rig, FERRY_SMP_WRITE, 0, "{\"x\":{\"d\":[1,{}]},\"d\":\"y\"}", "{\"r\":\"y\"}");
}

static void test_echo_ignores_bytes_behind_the_map(void **context)
{
    static const uint8_t packet[] = {0x0a, 0, 0, 6, 0, 0, 1, 0, 0xa1, 0x61, 'd', 0x61, 'x', 0xff};
    struct ferry_bytes pending = {packet, sizeof(packet)};
    struct rig rig;
    struct rig_answer answer;
    (void)context;

    set_up(&rig);
    (void)rig_send(&rig.server, pending, &answer);
    assert_string_equal(answer.json, "{\"r\":\"x\"}");
}

static void test_echo_of_every_length_up_to_the_buffer(void **context)
{
    uint8_t request[512];
    uint8_t out[384];
    char json[400];
    struct rig rig;
    unsigned fitted = 0;
    (void)context;

    set_up(&rig);
    for (int len = 0; len < 384; len++) {
        (void)snprintf(json, sizeof(json), "{\"d\":\"%.*s\"}", len,
                       (const char *)memset(out, 'x', sizeof(out)));

        size_t size = rig_request(FERRY_SMP_WRITE, 1, 0, 0, json, request, sizeof(request));
        struct ferry_bytes pending = {request, size};
        size_t answered = ferry_server_handle(&rig.server, &pending, 0, out, sizeof(out));
        bool fits = size + 1 <= sizeof(out); /* the open map's break is one byte more */

        assert_int_equal(answered, fits ? size + 1 : 14);
        fitted += fits;
    }
    print_message("%u lengths fit 384 bytes\n", fitted);
    assert_int_equal(fitted, 370);
}

static void test_commands_that_are_not_there(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, FERRY_SMP_READ, 2, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_READ, 3, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_READ, 4, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_WRITE, 4, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_READ, 5, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_WRITE, 6, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_WRITE, 7, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_READ, 9, "{}", "{\"rc\":8}");
    /* switching the console's echo off is granted: there is none */
    expect_v1(&rig, FERRY_SMP_WRITE, 1, "{\"echo\":0}", "{\"rc\":0}");
    expect(&rig, FERRY_SMP_READ, 1, "{}", "{\"rc\":8}");
    /* params needs no body */
    expect(&rig, FERRY_SMP_READ, 6, NULL, "{\"buf_size\":384,\"buf_count\":4}");
}

static void test_the_minimal_table_has_three_commands(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.mount.group = &ferry_os_minimal_table;
    expect(&rig, FERRY_SMP_WRITE, 0, "{\"d\":\"hello\"}", "{\"r\":\"hello\"}");
    expect(&rig, FERRY_SMP_READ, 6, "{}", "{\"buf_size\":384,\"buf_count\":4}");
    for (uint8_t id = 1; id < 9; id++) {
        if (id != FERRY_SMP_OS_RESET && id != FERRY_SMP_OS_PARAMS) {
            expect(&rig, FERRY_SMP_READ, id, "{}", "{\"rc\":8}");
            expect(&rig, FERRY_SMP_WRITE, id, "{}", "{\"rc\":8}");
        }
    }
    expect(&rig, FERRY_SMP_WRITE, 5, "{}", "{}");
    assert_true(ferry_os_group_reset_due(&rig.os, NULL));
}

/* ---- Reset ------------------------------------------------------------------- */

static void expect_reset(const char *request, const char *json, bool due, bool force,
                         uint8_t boot_mode)
{
    struct rig rig;
    struct ferry_os_reset wish = {0};

    set_up(&rig);
    assert_false(ferry_os_group_reset_due(&rig.os, NULL));
    expect(&rig, FERRY_SMP_WRITE, 5, request, json);
    assert_int_equal(ferry_os_group_reset_due(&rig.os, &wish), due);
    assert_int_equal(wish.force, force);
    assert_int_equal(wish.boot_mode, boot_mode);
    assert_int_equal(rig.events, due ? 1 : 0);
    if (due) {
        assert_int_equal(rig.event.kind, FERRY_EVENT_RESET_ASKED);
        assert_int_equal(rig.event.value, boot_mode);
    }
}

static void test_reset(void **context)
{
    (void)context;
    expect_reset("{}", "{}", true, false, 0);
    expect_reset(NULL, "{}", true, false, 0);
    expect_reset("{\"force\":true}", "{}", true, true, 0);
    expect_reset("{\"force\":1}", "{}", true, false, 0); /* not a bool: not heard */
    expect_reset("{\"boot_mode\":1}", "{}", true, false, 1);
    expect_reset("{\"boot_mode\":255,\"force\":true}", "{}", true, true, 255);
    expect_reset("{\"boot_mode\":256}", "{\"rc\":3}", false, false, 0);
    expect_reset("{\"boot_mode\":300}", "{\"rc\":3}", false, false, 0);
    expect_reset("{\"boot_mode\":-1}", "{}", true, false, 0);
    expect_reset("[1]", "{}", true, false, 0); /* undecodable: reset all the same */
}

static void test_reset_without_boot_modes_takes_any_number(void **context)
{
    struct rig rig;
    struct ferry_os_reset wish;
    (void)context;

    set_up(&rig);
    rig.os_config.boot_modes = false;
    rig.os_config.reset = NULL;
    expect(&rig, FERRY_SMP_WRITE, 5, "{\"boot_mode\":300}", "{}");
    assert_true(ferry_os_group_reset_due(&rig.os, &wish));
    assert_int_equal(wish.boot_mode, 0);
}

static void test_reset_may_be_refused(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.reset_rc = FERRY_RC_BUSY;
    expect(&rig, FERRY_SMP_WRITE, 5, "{\"boot_mode\":1}", "{\"rc\":10}");
    assert_int_equal(rig.asked.boot_mode, 1);
    assert_false(ferry_os_group_reset_due(&rig.os, NULL));
    assert_int_equal(rig.events, 0);
    expect(&rig, FERRY_SMP_WRITE, 5, "{\"force\":true}", "{}");
    assert_true(ferry_os_group_reset_due(&rig.os, NULL));

    set_up(&rig);
    rig.reset_error = 2;
    expect(&rig, FERRY_SMP_WRITE, 5, "{}", "{\"err\":{\"group\":64,\"rc\":2}}");
    expect_v1(&rig, FERRY_SMP_WRITE, 5, "{}", "{\"rc\":1}");
    assert_false(ferry_os_group_reset_due(&rig.os, NULL));
}

/* ---- Information ------------------------------------------------------------- */

static void test_info(void **context)
{
    static const char *const rows[][2] = {
        {"{}", "{\"output\":\"Ferry\"}"},
        {"{\"format\":\"s\"}", "{\"output\":\"Ferry\"}"},
        {"{\"format\":\"sv\"}", "{\"output\":\"Ferry v0.1.0-7\"}"},
        {"{\"format\":\"vs\"}", "{\"output\":\"Ferry v0.1.0-7\"}"},
        {"{\"format\":\"ssss\"}", "{\"output\":\"Ferry\"}"},
        {"{\"format\":\"a\"}",
         "{\"output\":\"Ferry node-1 0.1.0 v0.1.0-7 x86_64 amd64 ferry-device Ferry OS\"}"},
        {"{\"format\":\"oipmvrns\"}",
         "{\"output\":\"Ferry node-1 0.1.0 v0.1.0-7 x86_64 amd64 ferry-device Ferry OS\"}"},
        {"{\"format\":\"\"}", "{\"output\":\"\"}"},
        {"{\"format\":\"b\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":\"z\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":\"sz\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":\"az\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":1}", "{\"rc\":3}"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(&rig, FERRY_SMP_READ, 7, rows[i][0], rows[i][1]);
    }
    expect(&rig, FERRY_SMP_READ, 7, NULL, "{\"rc\":3}");
    rig.node = ""; /* no second blank for it */
    expect(&rig, FERRY_SMP_READ, 7, "{\"format\":\"snr\"}", "{\"output\":\"Ferry 0.1.0\"}");
    expect_v1(&rig, FERRY_SMP_READ, 7, "{\"format\":\"z\"}", "{\"rc\":3}");
    rig.os_config.info = NULL;
    expect(&rig, FERRY_SMP_READ, 7, "{}", "{\"rc\":8}");
}

static void test_info_of_more_than_256_bytes_is_rc_7(void **context)
{
    char node[300];
    struct rig rig;
    struct rig_answer answer;
    (void)context;

    set_up(&rig);
    rig.node = node;
    for (size_t len = 240; len < sizeof(node); len++) {
        memset(node, 'n', sizeof(node));
        node[len] = '\0';
        rig_ask(&rig.server, FERRY_SMP_READ, 0, 7, "{\"format\":\"sn\"}", &answer);
        assert_int_equal(strcmp(answer.json, "{\"rc\":7}") == 0, len + 6 > 256);
    }
}

static void test_bootloader_info(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, FERRY_SMP_READ, 8, "{}", "{\"bootloader\":\"MCUboot\"}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"mode\"}", "{\"mode\":3,\"no-downgrade\":true}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"moder\"}", "{\"err\":{\"group\":0,\"rc\":3}}");
    expect_v1(&rig, FERRY_SMP_READ, 8, "{\"query\":\"\"}", "{\"rc\":5}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":1}", "{\"rc\":3}");
    rig.os_config.bootloader = "Other";
    expect(&rig, FERRY_SMP_READ, 8, "{}", "{\"bootloader\":\"Other\"}");
}

/* As sdk-nrf answers it: only where there is a first stage. */
static void test_active_b0_slot(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"active_b0_slot\"}",
           "{\"err\":{\"group\":0,\"rc\":3}}");
    rig.os_config.has_b0 = true;
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"active_b0_slot\"}", "{\"active\":0}");
    rig.os_config.b0_slot = 1;
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"active_b0_slot\"}", "{\"active\":1}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"active_b0_slots\"}",
           "{\"err\":{\"group\":0,\"rc\":3}}");
}

/* ---- Why --------------------------------------------------------------------- */

static void with_store(struct rig *rig, struct chip *chip, struct ferry_store *store)
{
    set_up(rig);
    fresh(store, chip);
    rig->os_config.why = &ferry_os_why_in_store;
    rig->os_config.store = store;
}

static void test_why_without_a_store_is_an_unknown_query(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"err\":{\"group\":0,\"rc\":3}}");
    expect_v1(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"rc\":5}");
    rig.os_config.why = &ferry_os_why_in_store;
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"err\":{\"group\":0,\"rc\":3}}");
}

static void test_why_before_anything_happened(void **context)
{
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    (void)context;

    with_store(&rig, &chip, &store);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"action\":\"none\"}");
    expect_v1(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"action\":\"none\"}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\",\"image\":4294967296}",
           "{\"action\":\"none\"}");
    /* the other queries are as before, and so is an image beside them */
    expect(&rig, FERRY_SMP_READ, 8, "{}", "{\"bootloader\":\"MCUboot\"}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"mode\",\"image\":\"x\"}",
           "{\"mode\":3,\"no-downgrade\":true}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"whY\"}", "{\"err\":{\"group\":0,\"rc\":3}}");
}

static void test_why_says_what_happened(void **context)
{
    const struct ferry_why refused = {.action = FERRY_BOOT_REFUSED,
                                      .reason = FERRY_E_SIGNATURE,
                                      .version = {2, 0, 0, 0},
                                      .running = {1, 2, 3, 4}};
    const struct ferry_why stopped = {.action = FERRY_BOOT_STOPPED,
                                      .reason = FERRY_E_FLASH,
                                      .resumed = true,
                                      .failure = {FERRY_AREA_PRIMARY, 7}};
    static const char *const first =
        "{\"action\":\"refused\",\"reason\":-22,\"version\":\"2.0.0\",\"running\":\"1.2.3.4\","
        "\"resumed\":false,\"upgrades\":0,\"reverts\":0,\"refusals\":1,\"resumes\":0,\"stops\":0}";
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    (void)context;

    with_store(&rig, &chip, &store);
    assert_int_equal(ferry_why_write(&store, 0, &refused), FERRY_OK);
    assert_int_equal(ferry_why_write(&store, 2, &stopped), FERRY_OK);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", first);
    expect(&rig, FERRY_SMP_READ, 8, "{\"image\":0,\"query\":\"why\"}", first);
    expect_v1(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", first);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\",\"image\":1}", "{\"action\":\"none\"}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\",\"image\":2}",
           "{\"action\":\"stopped\",\"reason\":-11,\"resumed\":true,\"area\":\"primary\","
           "\"sector\":7,\"upgrades\":0,\"reverts\":0,\"refusals\":0,\"resumes\":1,\"stops\":1}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\",\"image\":-1}", "{\"rc\":3}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\",\"image\":\"0\"}", "{\"rc\":3}");
}

static void test_why_of_a_report_that_cannot_be_read(void **context)
{
    static const uint8_t newer[48] = {2};
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    (void)context;

    with_store(&rig, &chip, &store);
    assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_WHY, newer, sizeof(newer)), FERRY_OK);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"err\":{\"group\":0,\"rc\":6}}");
    expect_v1(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"rc\":5}");
    chip.dead = true;
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"err\":{\"group\":0,\"rc\":1}}");
    expect_v1(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}", "{\"rc\":1}");
}

/* A console of 256 bytes has 252 for the packet. */
static void test_the_longest_why_fits_the_smallest_buffer(void **context)
{
    const struct ferry_why why = {.action = FERRY_BOOT_UPGRADED,
                                  .reason = INT32_MIN,
                                  .resumed = true,
                                  .version = {255, 255, 65535, UINT32_MAX},
                                  .running = {255, 255, 65535, UINT32_MAX},
                                  .failure = {FERRY_AREA_SECONDARY, UINT32_MAX}};
    uint8_t counters[48];
    uint8_t needy[57];
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    struct rig_answer answer;
    (void)context;

    with_store(&rig, &chip, &store);
    assert_int_equal(ferry_why_write(&store, 0, &why), FERRY_OK);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, counters, sizeof(counters)), 48);
    memset(counters + 28, 0xff, 20);
    memset(needy, 0xff, sizeof(needy));
    memcpy(needy, counters, 4);
    assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_WHY, counters, 48), FERRY_OK);
    rig_ask(&rig.server, FERRY_SMP_READ, 0, 8, "{\"query\":\"why\"}", &answer);
    assert_non_null(strstr(answer.json, "\"stops\":4294967295"));
    assert_non_null(strstr(answer.json, "\"sector\":4294967295"));
    assert_true(answer.size <= 252);
    /* What a dependency needs is the longest that may stand in place of the sector. */
    needy[3] = FERRY_AREA_NONE;
    memcpy(needy + 4, counters + 4, 44);
    assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_WHY, needy, sizeof(needy)), FERRY_OK);
    rig_ask(&rig.server, FERRY_SMP_READ, 0, 8, "{\"query\":\"why\"}", &answer);
    assert_non_null(strstr(answer.json, "\"least\":\"255.255.65535.4294967295\""));
    assert_true(answer.size <= 252);
}

/* With both sides of a counter it is no longer than with a sector. */
static void test_why_has_both_sides_of_a_counter(void **context)
{
    const struct ferry_why why = {.action = FERRY_BOOT_REFUSED,
                                  .reason = FERRY_E_COUNTER,
                                  .version = {2, 0, 0, 0},
                                  .running = {1, 0, 0, 0},
                                  .counters = {true, 4, UINT32_MAX}};
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    (void)context;

    with_store(&rig, &chip, &store);
    assert_int_equal(ferry_why_write(&store, 0, &why), FERRY_OK);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}",
           "{\"action\":\"refused\",\"reason\":-41,\"version\":\"2.0.0\",\"running\":\"1.0.0\","
           "\"resumed\":false,\"counter\":4,\"demanded\":4294967295,\"upgrades\":0,\"reverts\":0,"
           "\"refusals\":1,\"resumes\":0,\"stops\":0}");
}

/* Nor is it much longer with what a dependency needs. */
static void test_why_has_what_a_dependency_needs(void **context)
{
    struct ferry_why why = {.action = FERRY_BOOT_REFUSED,
                            .reason = FERRY_E_DEPENDENCY,
                            .version = {2, 0, 0, 0},
                            .running = {1, 0, 0, 0},
                            .need = {1, {3, 1, 4, 1}, true}};
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    (void)context;

    with_store(&rig, &chip, &store);
    assert_int_equal(ferry_why_write(&store, 0, &why), FERRY_OK);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"why\"}",
           "{\"action\":\"refused\",\"reason\":-42,\"version\":\"2.0.0\",\"running\":\"1.0.0\","
           "\"resumed\":false,\"needs\":1,\"least\":\"3.1.4.1\",\"upgrades\":0,\"reverts\":0,"
           "\"refusals\":1,\"resumes\":0,\"stops\":0}");
}

/* What the bootloader left, and what the store demands; a damaged area is none. */
static void test_what_was_measured(void **context)
{
    static uint8_t area[] = {0x16, 0x20, 46, 0, 0x3f, 0x10, 2, 0, 0xa1, 0xa2, 0, 0x20, 1, 0, 9, 3,
                             0x20, 1,    0,  0, 4,    0x20, 8, 0, 1,    2,    3, 0,    0, 0, 0, 0,
                             5,    0x20, 4,  0, 0,    0x10, 0, 0, 0x10, 0x20, 4, 0,    7, 0, 0, 0};
    static const struct ferry_policy_rule *const rules[] = {&ferry_policy_counter};
    static const struct ferry_image_policy policy = {
        .rules = rules, .rule_count = 1, .memory = &ferry_policy_in_store};
    const struct ferry_policy_least least = {{1, 0, 0, 0}, 6};
    struct ferry_slots slots = {.policy = &policy};
    struct rig rig;
    struct chip chip;
    struct ferry_store store;
    (void)context;

    area[2] = sizeof(area);
    with_store(&rig, &chip, &store);
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"measured\"}", "{\"err\":{\"group\":0,\"rc\":3}}");
    slots.store = &store;
    assert_int_equal(ferry_policy_in_store.raise(&slots, &least), FERRY_OK);
    rig.os_config.measured = &ferry_os_measured_in_memory;
    rig.os_config.shared = (struct ferry_bytes){area, sizeof(area)};
    rig.os_config.images = &slots;
    rig.os_config.image_count = 1;
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"measured\"}",
           "{\"mode\":9,\"slot\":0,\"version\":\"1.2.3\",\"max\":4096,\"counter\":7,"
           "\"record\":\"h'a1a2'\",\"demanded\":6,\"least\":\"1.0.0\"}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"measured\",\"image\":1}",
           "{\"err\":{\"group\":0,\"rc\":3}}");
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"measured\",\"image\":-1}", "{\"rc\":3}");
    area[2] = sizeof(area) + 1;
    expect(&rig, FERRY_SMP_READ, 8, "{\"query\":\"measured\"}", "{\"err\":{\"group\":0,\"rc\":3}}");
}

/* [smp.md §1.7] */
static void test_translation_to_version_1(void **context)
{
    static const uint8_t expected[] = {0, 1, 3, 5, 5, 1, 5, 5};
    (void)context;

    assert_int_equal(ferry_os_group_table.v1_rc_count, sizeof(expected));
    assert_memory_equal(ferry_os_group_table.v1_rc, expected, sizeof(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_zephyrs_byte_for_byte),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_echo_ignores_bytes_behind_the_map),
        cmocka_unit_test(test_echo_of_every_length_up_to_the_buffer),
        cmocka_unit_test(test_commands_that_are_not_there),
        cmocka_unit_test(test_the_minimal_table_has_three_commands),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_reset_without_boot_modes_takes_any_number),
        cmocka_unit_test(test_reset_may_be_refused),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_info_of_more_than_256_bytes_is_rc_7),
        cmocka_unit_test(test_bootloader_info),
        cmocka_unit_test(test_active_b0_slot),
        cmocka_unit_test(test_why_without_a_store_is_an_unknown_query),
        cmocka_unit_test(test_why_before_anything_happened),
        cmocka_unit_test(test_why_says_what_happened),
        cmocka_unit_test(test_why_of_a_report_that_cannot_be_read),
        cmocka_unit_test(test_the_longest_why_fits_the_smallest_buffer),
        cmocka_unit_test(test_why_has_both_sides_of_a_counter),
        cmocka_unit_test(test_what_was_measured),
        cmocka_unit_test(test_why_has_what_a_dependency_needs),
        cmocka_unit_test(test_translation_to_version_1),
    };

    return cmocka_run_group_tests_name("os group", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of all groups, the client's side: requests as the protocol's vectors have them, and
 * answers, odd ones too. */
#include "ferry/commands_enum.h"
#include "ferry/commands_log.h"
#include "ferry/commands_mynewt.h"
#include "ferry/commands_os.h"
#include "ferry/commands_settings.h"
#include "ferry/commands_shell.h"
#include "ferry/commands_stat.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- Requests ------------------------------------------------------------------------------ */

static struct ferry_client client;
static struct ferry_client_request requests[1];
static uint8_t buffer[256];

static int set_up(void **state)
{
    const struct ferry_client_config config = {
        .requests = requests, .request_count = 1, .buffers = buffer, .buffer_size = sizeof(buffer)};

    (void)state;
    assert_int_equal(ferry_client_init(&client, &config), FERRY_OK);
    return 0;
}

/* Take the request that was submitted off the window. */
static struct ferry_bytes sent(int32_t ticket)
{
    struct ferry_bytes packet;
    uint64_t deadline;

    assert_true(ticket > 0);
    assert_true(ferry_client_poll(&client, 1, &packet, &deadline));
    ferry_client_cancel_all(&client);
    return packet;
}

/* It is the vector of this name, byte for byte, but for the sequence number and the version. */
static void expect_vector(int32_t ticket, const char *name)
{
    uint8_t wanted[256];
    size_t size = rig_vector(FERRY_TEST_DATA, name, wanted, sizeof(wanted));
    struct ferry_bytes packet = sent(ticket);

    assert_int_equal(wanted[0] & 7, packet.data[0] & 7);
    wanted[0] = packet.data[0];
    wanted[6] = packet.data[6];
    assert_int_equal(packet.len, size);
    assert_memory_equal(packet.data, wanted, size);
}

static void expect_sent(int32_t ticket, uint8_t op, uint16_t group, uint8_t id, const char *json)
{
    struct ferry_smp_header header;
    struct ferry_bytes payload;
    char text[512];

    assert_int_equal(ferry_smp_packet_read(sent(ticket), &header, &payload, NULL), FERRY_OK);
    rig_json(payload, text, sizeof(text));
    assert_string_equal(text, json);
    assert_true(header.op == op && header.group == group && header.id == id);
}

static void requests_are_the_vectors(void **state)
{
    (void)state;
    static const uint8_t one[] = {1, 0, 0, 0};
    static const char *const uptime[] = {"kernel", "uptime"};
    const struct ferry_log_question all = {"reboot_log", 0, 0};

    expect_vector(ferry_command_pools(&client, NULL), "os_mpstat_req");
    expect_vector(ferry_command_stat_list(&client, NULL), "stat_list_req");
    expect_vector(ferry_command_stat(&client, "smp_svr_stats", NULL), "stat_read_req");
    expect_vector(ferry_command_setting_read(&client, "id/serial", 32, NULL), "settings_read_req");
    expect_vector(
        ferry_command_setting_write(&client, "id/serial", (struct ferry_bytes){one, 4}, NULL),
        "settings_write_req");
    expect_vector(ferry_command_setting_delete(&client, "id/serial", NULL), "settings_delete_req");
    expect_vector(ferry_command_settings_commit(&client, NULL), "settings_commit_req");
    expect_vector(ferry_command_settings_load(&client, NULL), "settings_load_req");
    expect_vector(ferry_command_settings_save(&client, NULL, NULL), "settings_save_req");
    expect_vector(ferry_command_log_show(&client, &all, NULL), "log_show_req");
    expect_vector(ferry_command_shell(&client, uptime, 2, 0, NULL), "shell_exec_req");
    expect_vector(ferry_command_enum_single(&client, 3, NULL), "enum_single_req");
    expect_vector(ferry_command_erase_storage(&client, 0, NULL), "basic_erase_storage_req");
}

static void requests_without_a_vector(void **state)
{
    (void)state;
    static const uint16_t groups[] = {0, 300};
    const struct ferry_log_question last = {NULL, -1, 7};

    expect_sent(ferry_command_console_echo(&client, false, NULL), 2, 0, 1, "{\"echo\":0}");
    expect_sent(ferry_command_tasks(&client, NULL), 0, 0, 2, "{}");
    expect_sent(ferry_command_datetime(&client, NULL), 0, 0, 4, "{}");
    expect_sent(ferry_command_set_datetime(&client, "2026-11-26T07:35:00", NULL), 2, 0, 4,
                "{\"datetime\":\"2026-11-26T07:35:00\"}");
    expect_sent(ferry_command_setting_read(&client, "a", 0, NULL), 0, 3, 0, "{\"name\":\"a\"}");
    expect_sent(ferry_command_setting_write_text(&client, "a", "b", NULL), 2, 3, 0,
                "{\"name\":\"a\",\"val\":\"b\"}");
    expect_sent(ferry_command_settings_save(&client, "a", NULL), 2, 3, 3, "{\"name\":\"a\"}");
    expect_sent(ferry_command_log_show(&client, &last, NULL), 0, 4, 0, "{\"ts\":-1,\"index\":7}");
    expect_sent(ferry_command_log_clear(&client, NULL, NULL), 2, 4, 1, "{}");
    expect_sent(ferry_command_log_clear(&client, "a", NULL), 2, 4, 1, "{\"log_name\":\"a\"}");
    expect_sent(ferry_command_log_modules(&client, NULL), 0, 4, 3, "{}");
    expect_sent(ferry_command_log_levels(&client, NULL), 0, 4, 4, "{}");
    expect_sent(ferry_command_log_list(&client, NULL), 0, 4, 5, "{}");
    expect_sent(ferry_command_enum_count(&client, NULL), 0, 10, 0, "{}");
    expect_sent(ferry_command_enum_list(&client, NULL), 0, 10, 1, "{}");
    expect_sent(ferry_command_enum_details(&client, NULL, 0, NULL), 0, 10, 3, "{}");
    expect_sent(ferry_command_enum_details(&client, groups, 2, NULL), 0, 10, 3,
                "{\"groups\":[0,300]}");
    expect_sent(ferry_command_crash(&client, "div0", NULL), 2, 5, 0, "{\"t\":\"div0\"}");
    expect_sent(ferry_command_run_test(&client, "all", "x", NULL), 2, 7, 0,
                "{\"testname\":\"all\",\"token\":\"x\"}");
    expect_sent(ferry_command_run_list(&client, NULL), 0, 7, 1, "{}");
    expect_sent(ferry_command_core_list(&client, NULL), 0, 1, 3, "{}");
    expect_sent(ferry_command_core_load(&client, 512, NULL), 0, 1, 4, "{\"off\":512}");
    expect_sent(ferry_command_core_erase(&client, NULL), 2, 1, 4, "{}");
}

static void a_full_window_is_busy_and_a_long_name_is_no_request(void **state)
{
    (void)state;
    static const char *const words[] = {"a"};
    const struct ferry_log_question all = {NULL, 0, 0};
    char name[400];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(ferry_command_stat(&client, name, NULL), FERRY_E_SPACE);
    assert_true(ferry_command_stat_list(&client, NULL) > 0);
    assert_int_equal(ferry_command_stat(&client, "a", NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_console_echo(&client, true, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_setting_read(&client, "a", 1, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_setting_write(&client, "a", (struct ferry_bytes){NULL, 0}, NULL),
                     FERRY_E_BUSY);
    assert_int_equal(ferry_command_setting_write_text(&client, "a", "", NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_erase_storage(&client, 0, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_log_show(&client, &all, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_shell(&client, words, 1, 0, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_enum_single(&client, 0, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_enum_details(&client, NULL, 0, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_crash(&client, "a", NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_run_test(&client, "a", "", NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_core_load(&client, 0, NULL), FERRY_E_BUSY);
    assert_int_equal(ferry_command_core_erase(&client, NULL), FERRY_E_BUSY);
}

/* What may not be done twice is not sent twice. */
static void sent_once(int32_t ticket)
{
    struct ferry_client_answer answer;
    struct ferry_bytes packet;
    uint64_t deadline;

    assert_true(ticket > 0);
    assert_true(ferry_client_poll(&client, 1, &packet, &deadline));
    assert_false(ferry_client_poll(&client, 10000000, &packet, &deadline));
    assert_true(ferry_client_expire(&client, 10000000, &answer));
    assert_int_equal(answer.error, FERRY_E_TIMEOUT);
    assert_int_equal(answer.tries, 1);
}

static void nothing_runs_twice(void **state)
{
    (void)state;
    static const char *const words[] = {"reboot"};

    sent_once(ferry_command_shell(&client, words, 1, 0, NULL));
    sent_once(ferry_command_crash(&client, "wdog", NULL));
    sent_once(ferry_command_run_test(&client, "all", "", NULL));
    sent_once(ferry_command_erase_storage(&client, 0, NULL));
    sent_once(ferry_command_core_erase(&client, NULL));
}

/* ---- Answers --------------------------------------------------------------------------------- */

static uint8_t packet[1024];

/* The payload of a vector. */
static struct ferry_bytes vector(const char *name)
{
    size_t size = rig_vector(FERRY_TEST_DATA, name, packet, sizeof(packet));

    return (struct ferry_bytes){packet + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE};
}

/* A payload by JSON. */
static struct ferry_bytes payload_of(const char *json)
{
    size_t size =
        rig_request(FERRY_SMP_READ_RSP, FERRY_SMP_VERSION_2, 0, 0, json, packet, sizeof(packet));

    return (struct ferry_bytes){packet + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE};
}

static void tasks(void **state)
{
    (void)state;
    struct ferry_answer_items items;
    struct ferry_task task;

    assert_int_equal(ferry_answer_map(vector("os_taskstat_rsp"), "tasks", &items), FERRY_OK);
    assert_int_equal(ferry_answer_next_task(&items, &task), 1);
    assert_true(task.name[0] != '\0' && (task.known & 1u << FERRY_TASK_PRIORITY) != 0);

    /* a negative priority, what is missing, and what is no number */
    assert_int_equal(
        ferry_answer_map(payload_of("{\"tasks\":{\"idle\":{\"prio\":-1,\"tid\":\"x\",\"new\":[]},"
                                    "\"main\":{}}}"),
                         "tasks", &items),
        FERRY_OK);
    assert_int_equal(ferry_answer_next_task(&items, &task), 1);
    assert_string_equal(task.name, "idle");
    assert_int_equal(task.known, 1u << FERRY_TASK_PRIORITY);
    assert_int_equal(task.values[FERRY_TASK_PRIORITY], -1);
    assert_int_equal(ferry_answer_next_task(&items, &task), 1);
    assert_int_equal(task.known, 0);
    assert_int_equal(ferry_answer_next_task(&items, &task), 0);
    assert_string_equal(ferry_task_key(FERRY_TASK_STACK_SIZE), "stksiz");

    assert_int_equal(ferry_answer_map(payload_of("{\"tasks\":{\"a\":7}}"), "tasks", &items),
                     FERRY_OK);
    assert_int_equal(ferry_answer_next_task(&items, &task), FERRY_E_TYPE);
    assert_int_equal(ferry_answer_map(payload_of("{}"), "tasks", &items), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_map(payload_of("{\"tasks\":[]}"), "tasks", &items), FERRY_E_TYPE);
}

static void pools(void **state)
{
    (void)state;
    struct ferry_answer_items items;
    struct ferry_pool pool;

    assert_int_equal(ferry_answer_pools(vector("os_mpstat_rsp_zephyr"), &items), FERRY_OK);
    assert_int_equal(ferry_answer_next_pool(&items, &pool), 1);
    assert_string_equal(pool.name, "0");

    /* Mynewt's */
    assert_int_equal(ferry_answer_pools(payload_of("{\"rc\":0,\"mpools\":{\"msys\":{\"nblks\":12,"
                                                   "\"min\":3}}}"),
                                        &items),
                     FERRY_OK);
    assert_int_equal(ferry_answer_next_pool(&items, &pool), 1);
    assert_string_equal(pool.name, "msys");
    assert_int_equal(pool.known, 1u << FERRY_POOL_BLOCKS | 1u << FERRY_POOL_LEAST_FREE);
    assert_int_equal(ferry_answer_next_pool(&items, &pool), 0);

    /* what is no pool */
    assert_int_equal(ferry_answer_pools(payload_of("{\"rc\":0}"), &items), FERRY_OK);
    assert_int_equal(ferry_answer_next_pool(&items, &pool), 0);
    assert_string_equal(ferry_pool_key(FERRY_POOL_FREE), "nfree");
}

static void statistics(void **state)
{
    (void)state;
    struct ferry_answer_element value;
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];

    assert_int_equal(ferry_answer_map(vector("stat_read_rsp"), "fields", &items), FERRY_OK);
    assert_int_equal(ferry_answer_next_pair(&items, name, sizeof(name), &value), 1);
    assert_string_equal(name, "ticks");
    assert_int_equal(value.item.value, 1234);
    assert_int_equal(ferry_answer_next_pair(&items, name, sizeof(name), &value), 0);

    assert_int_equal(ferry_answer_list(payload_of("{\"rc\":0,\"stat_list\":[\"a\",\"\",\"bc\"]}"),
                                       "stat_list", &items),
                     FERRY_OK);
    assert_int_equal(ferry_answer_next_text(&items, name, sizeof(name)), 1);
    assert_int_equal(ferry_answer_next_text(&items, name, sizeof(name)), 1);
    assert_string_equal(name, "");
    assert_int_equal(ferry_answer_next_text(&items, name, 2), 1);
    assert_string_equal(name, "b"); /* cut */
    assert_int_equal(ferry_answer_next_text(&items, name, sizeof(name)), 0);

    assert_int_equal(ferry_answer_list(payload_of("{\"stat_list\":[7]}"), "stat_list", &items),
                     FERRY_OK);
    assert_int_equal(ferry_answer_next_text(&items, name, sizeof(name)), FERRY_E_TYPE);
}

/* All 64 bits; keys that are numbers, and texts in chunks. */
static void odd_maps(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xbf, 0x1b, 0,    0,    0,    0,    0xff, 0xff,
                                    0xff, 0xff, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0x7f, 0x61, 'a',  0x62, 'b',
                                    'c',  0xff, 0x01, 0x81, 0x00, 0x00, 0xff};
    struct ferry_answer_element value;
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];

    assert_int_equal(ferry_answer_map((struct ferry_bytes){bytes, sizeof(bytes)}, NULL, &items),
                     FERRY_OK);
    assert_int_equal(ferry_answer_next_pair(&items, name, sizeof(name), &value), 1);
    assert_string_equal(name, "4294967295");
    assert_true(value.item.value == UINT64_MAX);
    assert_int_equal(ferry_answer_next_pair(&items, name, 3, &value), 1);
    assert_string_equal(name, "ab"); /* cut, over two chunks */
    assert_int_equal(ferry_answer_next_pair(&items, name, sizeof(name), &value), FERRY_E_TYPE);
    assert_int_equal(ferry_answer_map((struct ferry_bytes){bytes, 5}, NULL, &items), FERRY_E_SHORT);
    assert_int_equal(ferry_answer_map((struct ferry_bytes){bytes + 26, 1}, NULL, &items),
                     FERRY_E_TYPE);
}

static void settings(void **state)
{
    (void)state;
    struct ferry_setting_value value;
    uint8_t bytes[8];

    assert_int_equal(ferry_answer_setting(vector("settings_read_rsp"), &value), FERRY_OK);
    assert_int_equal(ferry_cbor_copy(&value.value, bytes, sizeof(bytes)), 4);
    assert_memory_equal(bytes, "\x78\x56\x34\x12", 4);
    assert_false(value.limited);
    assert_int_equal(
        ferry_answer_setting(payload_of("{\"val\":\"text\",\"max_size\":4,\"rc\":0}"), &value),
        FERRY_OK);
    assert_true(value.limited && value.max_size == 4 && value.value.kind == FERRY_CBOR_TEXT);
    assert_int_equal(ferry_answer_setting(payload_of("{}"), &value), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_setting(payload_of("{\"val\":7}"), &value), FERRY_E_TYPE);
}

static void logs(void **state)
{
    (void)state;
    struct ferry_log_reader reader;
    struct ferry_log_entry entry;
    uint64_t next = 1;

    assert_int_equal(
        ferry_answer_log(payload_of("{\"rc\":0,\"next_index\":9,\"logs\":["
                                    "{\"name\":\"none\",\"type\":1},"
                                    "{\"name\":\"empty\",\"type\":1,\"entries\":[]},"
                                    "{\"name\":\"a\",\"type\":2,\"entries\":["
                                    "{\"type\":\"str\",\"ts\":-5,\"level\":3,\"index\":7,"
                                    "\"module\":64,\"msg\":\"h'6162'\",\"imghash\":\"h'0a0b'\"},"
                                    "{\"msg\":\"text\",\"new\":{}}]},"
                                    "{\"entries\":[{\"index\":8}]}]}"),
                         &reader, &next),
        FERRY_OK);
    assert_int_equal(next, 9);
    assert_int_equal(ferry_answer_next_entry(&reader, &entry), 1);
    assert_string_equal(entry.log, "a");
    assert_string_equal(entry.type, "str");
    assert_true(entry.log_type == 2 && entry.ts == -5 && entry.level == 3 && entry.index == 7);
    assert_true(entry.module == 64 && entry.msg.bytes.len == 2 && entry.image_hash.len == 2);
    assert_int_equal(ferry_answer_next_entry(&reader, &entry), 1);
    assert_true(entry.type[0] == '\0' && entry.msg.kind == FERRY_CBOR_TEXT && entry.index == 0);
    assert_int_equal(ferry_answer_next_entry(&reader, &entry), FERRY_E_NOT_FOUND);

    assert_int_equal(ferry_answer_log(payload_of("{\"rc\":0}"), &reader, &next), FERRY_OK);
    assert_int_equal(next, 0);
    assert_int_equal(ferry_answer_next_entry(&reader, &entry), 0);
    assert_int_equal(ferry_answer_log(payload_of("{\"logs\":[7]}"), &reader, NULL), FERRY_OK);
    assert_int_equal(ferry_answer_next_entry(&reader, &entry), FERRY_E_TYPE);
    assert_int_equal(ferry_answer_log(payload_of("{\"logs\":{}}"), &reader, NULL), FERRY_E_TYPE);
}

static void shell(void **state)
{
    (void)state;
    struct ferry_shell_result result;

    assert_int_equal(ferry_answer_shell(vector("shell_exec_rsp"), &result), FERRY_OK);
    assert_true(result.has_ret && result.ret == 0);
    assert_int_equal(ferry_answer_shell(vector("shell_exec_rsp_neg"), &result), FERRY_OK);
    assert_true(result.has_ret && result.ret < 0);
    /* older servers: rc is the command's result; ret wins */
    assert_int_equal(ferry_answer_shell(payload_of("{\"o\":\"x\",\"rc\":2}"), &result), FERRY_OK);
    assert_true(result.has_ret && result.ret == 2);
    assert_int_equal(ferry_answer_shell(payload_of("{\"o\":\"x\",\"rc\":0,\"ret\":3}"), &result),
                     FERRY_OK);
    assert_int_equal(result.ret, 3);
    assert_int_equal(ferry_answer_shell(payload_of("{\"o\":\"\"}"), &result), FERRY_OK);
    assert_true(!result.has_ret && result.ret == 0);
    assert_int_equal(ferry_answer_shell(payload_of("{\"rc\":8}"), &result), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_shell(payload_of("{\"o\":7}"), &result), FERRY_E_TYPE);
}

static void enumeration(void **state)
{
    (void)state;
    struct ferry_group_details group;
    struct ferry_answer_items items;
    uint64_t number = 0;

    assert_int_equal(ferry_answer_number(vector("enum_count_rsp"), "count", &number), FERRY_OK);
    assert_int_equal(number, 4);
    assert_true(ferry_answer_enum_end(vector("enum_single_rsp_end")));
    assert_false(ferry_answer_enum_end(payload_of("{\"group\":1}")));
    assert_int_equal(ferry_answer_number(payload_of("{\"count\":-1}"), "count", &number),
                     FERRY_E_TYPE);
    assert_int_equal(ferry_answer_number(payload_of("{}"), "count", &number), FERRY_E_NOT_FOUND);

    assert_int_equal(ferry_answer_list(vector("enum_details_rsp"), "groups", &items), FERRY_OK);
    assert_int_equal(ferry_answer_next_group(&items, &group), 1);
    assert_true(group.group == 0 && group.has_handlers && group.handlers == 9);
    assert_string_equal(group.name, "os mgmt");
    assert_int_equal(
        ferry_answer_list(payload_of("{\"groups\":[{\"group\":64},{}]}"), "groups", &items),
        FERRY_OK);
    assert_int_equal(ferry_answer_next_group(&items, &group), 1);
    assert_true(group.group == 64 && !group.has_handlers && group.name[0] == '\0');
    assert_int_equal(ferry_answer_next_group(&items, &group), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_next_group(&items, &group), 0);
}

static void core_files(void **state)
{
    (void)state;
    struct ferry_core_piece piece;

    assert_int_equal(ferry_answer_core(payload_of("{\"rc\":0,\"off\":0,\"len\":9,"
                                                  "\"data\":\"h'0102'\"}"),
                                       &piece),
                     FERRY_OK);
    assert_true(piece.off == 0 && piece.has_len && piece.len == 9 && piece.data.len == 2);
    assert_int_equal(ferry_answer_core(payload_of("{\"off\":2,\"data\":\"h''\"}"), &piece),
                     FERRY_OK);
    assert_true(piece.off == 2 && !piece.has_len && piece.data.len == 0);
    assert_int_equal(ferry_answer_core(payload_of("{\"off\":2}"), &piece), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_answer_core(payload_of("{\"off\":4294967296,\"data\":\"h''\"}"), &piece),
                     FERRY_E_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests_are_the_vectors, set_up),
        cmocka_unit_test_setup(requests_without_a_vector, set_up),
        cmocka_unit_test_setup(a_full_window_is_busy_and_a_long_name_is_no_request, set_up),
        cmocka_unit_test_setup(nothing_runs_twice, set_up),
        cmocka_unit_test(tasks),
        cmocka_unit_test(pools),
        cmocka_unit_test(statistics),
        cmocka_unit_test(odd_maps),
        cmocka_unit_test(settings),
        cmocka_unit_test(logs),
        cmocka_unit_test(shell),
        cmocka_unit_test(enumeration),
        cmocka_unit_test(core_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Settings in the record store. Power cuts are tests/powercut/test_settings_powercut.c. */
#include "store_chip.h"

#include "ferry/settings_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FIRST_KEY 0x0100
#define KEY_COUNT 16

struct bench {
    struct chip chip;
    struct ferry_store store;
    struct ferry_settings_store settings;
    uint8_t port[2];
    uint8_t host[8];
    uint16_t host_len;
    uint8_t serial[4];
    uint8_t secret[4];
    int applied;
    int apply_result;
};

static struct bench bench;

static const uint8_t port_initial[] = {0x5b, 0x07};
static const char host_initial[] = "gateways";

static bool is_odd(const struct ferry_setting *setting, const uint8_t *data, size_t len)
{
    assert_int_equal(setting->number, 0);
    assert_int_equal(len, 2);
    return data[0] % 2 == 1;
}

enum { PORT, HOST, SERIAL, PASSWORD, SETTINGS };

static const struct ferry_setting table[SETTINGS] = {
    {.name = "net/port",
     .number = 0,
     .value = bench.port,
     .min = 2,
     .max = 2,
     .initial = port_initial,
     .takes = is_odd},
    {.name = "net/host",
     .number = 1,
     .value = bench.host,
     .min = 1,
     .max = sizeof(bench.host),
     .len = &bench.host_len,
     .initial = host_initial,
     .initial_len = 8},
    {.name = "serial",
     .number = 7,
     .flags = FERRY_SETTING_READ_ONLY,
     .value = bench.serial,
     .min = 4,
     .max = 4},
    {.name = "net/secret/key",
     .number = 15,
     .flags = FERRY_SETTING_WRITE_ONLY,
     .value = bench.secret,
     .min = 4,
     .max = 4},
};

static int apply(void *context)
{
    assert_ptr_equal(context, &bench);
    bench.applied++;
    return bench.apply_result;
}

static int set_up(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof(bench));
    fresh(&bench.store, &bench.chip);
    bench.settings = (struct ferry_settings_store){.settings = table,
                                                   .count = SETTINGS,
                                                   .store = &bench.store,
                                                   .first_key = FIRST_KEY,
                                                   .key_count = KEY_COUNT,
                                                   .apply = apply,
                                                   .context = &bench};
    return ferry_settings_store_init(&bench.settings);
}

static struct ferry_bytes bytes(const char *text)
{
    return (struct ferry_bytes){(const uint8_t *)text, strlen(text)};
}

static int write_value(const char *name, const char *value, size_t len)
{
    return ferry_settings_in_store.write(&bench.settings, bytes(name),
                                         (struct ferry_bytes){(const uint8_t *)value, len});
}

static int save(const char *name)
{
    return ferry_settings_store_save(&bench.settings, bytes(name));
}

static int load(void)
{
    return ferry_settings_store_load(&bench.settings);
}

/* Bytes of the record of a setting's number, crc included; 0 when there is none. */
static int record_len(uint16_t number)
{
    uint8_t data[FERRY_STORE_MAX];
    int len = ferry_store_get(&bench.store, (uint16_t)(FIRST_KEY + number), data, sizeof(data));

    assert_true(len > 0 || len == FERRY_E_NOT_FOUND);
    return len > 0 ? len : 0;
}

/* ---- The table -------------------------------------------------------------------------- */

/* Change a copy of the table, and set up with it. */
static int init_with(size_t i, const struct ferry_setting *changed)
{
    struct ferry_setting copy[SETTINGS];
    struct ferry_settings_store settings = bench.settings;

    memcpy(copy, table, sizeof(copy));
    copy[i] = *changed;
    settings.settings = copy;
    return ferry_settings_store_init(&settings);
}

static void names_of_a_table(void **state)
{
    static const char *const wrong[] = {NULL, "", "/", "/a", "a/", "a//b", "net/port"};
    static const char *const right[] = {"a", "a/b/c", "net", "net/por", "net/port/x"};
    struct ferry_setting setting = table[HOST];

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        setting.name = wrong[i];
        assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    }
    for (size_t i = 0; i < COUNT(right); i++) {
        setting.name = right[i];
        assert_int_equal(init_with(HOST, &setting), FERRY_OK);
    }
}

static void numbers_and_sizes_of_a_table(void **state)
{
    struct ferry_setting setting = table[HOST];

    (void)state;
    setting.number = 0; /* the port's */
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting.number = KEY_COUNT;
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting = table[HOST];
    setting.max = FERRY_SETTING_MAX + 1;
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting.max = 0;
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting = table[HOST];
    setting.value = NULL;
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting = table[HOST];
    setting.len = NULL; /* and min is not max */
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting = table[HOST];
    setting.initial_len = 9;
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting.initial_len = 0; /* below min */
    assert_int_equal(init_with(HOST, &setting), FERRY_E_CONFIG);
    setting = table[PORT];
    setting.initial = NULL; /* zero is not odd */
    assert_int_equal(init_with(PORT, &setting), FERRY_E_CONFIG);
}

static void keys_of_a_table(void **state)
{
    static const struct {
        uint16_t first, count;
        int result;
    } rows[] = {
        {0x00ff, KEY_COUNT, FERRY_E_CONFIG}, {FIRST_KEY, 0, FERRY_E_CONFIG},
        {FIRST_KEY, 15, FERRY_E_CONFIG},     {0xffef, KEY_COUNT, FERRY_OK},
        {0xfff0, KEY_COUNT, FERRY_E_CONFIG}, {0xffff, KEY_COUNT, FERRY_E_CONFIG},
        {FIRST_KEY, 0xfeff, FERRY_OK},       {FIRST_KEY, 0xff00, FERRY_E_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ferry_settings_store settings = bench.settings;

        settings.first_key = rows[i].first;
        settings.key_count = rows[i].count;
        assert_int_equal(ferry_settings_store_init(&settings), rows[i].result);
    }
}

/* ---- Values ------------------------------------------------------------------------------ */

static void defaults(void **state)
{
    uint8_t data[16];

    (void)state;
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(ferry_settings_in_store.read(&bench.settings, bytes("net/host"), data, 16), 8);
    assert_memory_equal(data, "gateways", 8);
    assert_int_equal(ferry_settings_in_store.read(&bench.settings, bytes("net/host"), data, 3), 8);
    assert_int_equal(load(), FERRY_OK);
    assert_int_equal(save(""), FERRY_OK);
    assert_int_equal(bench.chip.operations, 0); /* they need no records */
}

static void a_value_outlives_a_reset_once_saved(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(write_value("net/host", "b", 1), FERRY_OK);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(write_value("net/host", "b", 1), FERRY_OK);
    assert_int_equal(save(""), FERRY_OK);

    uint32_t operations = bench.chip.operations;

    assert_int_equal(save(""), FERRY_OK); /* what is saved is not written again */
    assert_int_equal(bench.chip.operations, operations);
    assert_int_equal(record_len(0), 4);
    assert_int_equal(record_len(1), 3);
    assert_int_equal(record_len(7), 0);
    assert_int_equal(ferry_settings_store_init(&bench.settings), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, "\x01\x02", 2);
    assert_int_equal(bench.host_len, 1);
    assert_int_equal(bench.host[0], 'b');
    /* The default again: its record goes. */
    assert_int_equal(write_value("net/host", "gateways", 8), FERRY_OK);
    assert_int_equal(save("net/host"), FERRY_OK);
    assert_int_equal(record_len(1), 0);
}

static void what_a_setting_does_not_take(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x02\x02", 2), FERRY_E_RANGE);
    assert_int_equal(write_value("net/port", "\x01", 1), FERRY_E_RANGE);
    assert_int_equal(write_value("net/host", "", 0), FERRY_E_RANGE);
    assert_int_equal(write_value("net/host", "123456789", 9), FERRY_E_RANGE);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(bench.host_len, 8);
}

static void names_and_flags(void **state)
{
    const struct ferry_settings_provider *p = &ferry_settings_in_store;
    uint8_t data[16];

    (void)state;
    assert_int_equal(p->read(&bench.settings, bytes("net"), data, 16), FERRY_E_NOT_FOUND);
    assert_int_equal(p->read(&bench.settings, bytes("net/hos"), data, 16), FERRY_E_NOT_FOUND);
    assert_int_equal(p->read(&bench.settings, bytes("net/host/"), data, 16), FERRY_E_NOT_FOUND);
    assert_int_equal(p->read(&bench.settings, bytes("serial/x"), data, 16), FERRY_E_NOT_FOUND);
    assert_int_equal(p->read(&bench.settings, bytes("ne/host"), data, 16), FERRY_E_NO_OWNER);
    assert_int_equal(p->read(&bench.settings, bytes("/net"), data, 16), FERRY_E_NO_OWNER);
    assert_int_equal(p->read(&bench.settings, bytes("net/secret/key"), data, 16),
                     FERRY_E_UNSUPPORTED);
    assert_int_equal(write_value("net/secret/key", "1234", 4), FERRY_OK);
    assert_int_equal(write_value("serial", "1234", 4), FERRY_E_UNSUPPORTED);
    assert_int_equal(p->remove(&bench.settings, bytes("serial")), FERRY_E_UNSUPPORTED);
    assert_int_equal(p->remove(&bench.settings, bytes("x")), FERRY_E_NO_OWNER);
    assert_int_equal(save("serial"), FERRY_E_UNSUPPORTED);
    assert_int_equal(save("x"), FERRY_E_NO_OWNER);
    assert_int_equal(save("net/x"), FERRY_E_NOT_FOUND);
}

static void a_part_of_the_tree(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(write_value("net/secret/key", "1234", 4), FERRY_OK);
    assert_int_equal(save("net/secret"), FERRY_OK);
    assert_int_equal(record_len(0), 0);
    assert_int_equal(record_len(15), 6);
    assert_int_equal(save("net"), FERRY_OK);
    assert_int_equal(record_len(0), 4);
}

static void deleting(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(save(""), FERRY_OK);
    assert_int_equal(ferry_settings_in_store.remove(&bench.settings, bytes("net/port")), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(record_len(0), 0);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
}

static void committing(void **state)
{
    (void)state;
    assert_int_equal(ferry_settings_in_store.commit(&bench.settings), FERRY_OK);
    bench.apply_result = FERRY_E_BUSY;
    assert_int_equal(ferry_settings_in_store.commit(&bench.settings), FERRY_E_BUSY);
    assert_int_equal(bench.applied, 2);
    bench.settings.apply = NULL;
    assert_int_equal(ferry_settings_in_store.commit(&bench.settings), FERRY_OK);
}

/* ---- Records ----------------------------------------------------------------------------- */

/* What is left of another firmware's settings: of other sizes, values, or names. */
static void records_that_are_not_of_this_table(void **state)
{
    uint8_t data[FERRY_STORE_MAX];

    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(write_value("net/host", "abc", 3), FERRY_OK);
    assert_int_equal(save(""), FERRY_OK);
    assert_int_equal(ferry_store_get(&bench.store, FIRST_KEY, data, sizeof(data)), 4);
    /* A value that is not odd; a longer one; a record without a value; none at all. */
    data[2] = 2;
    assert_int_equal(ferry_store_put(&bench.store, FIRST_KEY, data, 4), FERRY_OK);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    data[2] = 1;
    assert_int_equal(ferry_store_put(&bench.store, FIRST_KEY, data, 5), FERRY_OK);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(ferry_store_put(&bench.store, FIRST_KEY, data, 1), FERRY_OK);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    /* Another setting's under this number. */
    assert_int_equal(ferry_store_get(&bench.store, FIRST_KEY + 1, data, sizeof(data)), 5);
    assert_int_equal(ferry_store_put(&bench.store, FIRST_KEY, data, 4), FERRY_OK);
    assert_int_equal(load(), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(bench.host_len, 3);
}

/* All of the range, whoever knows it, and nothing else. */
static void erasing(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(save(""), FERRY_OK);
    put_text(&bench.store, FIRST_KEY + 5, "of an older firmware");
    put_text(&bench.store, FIRST_KEY + KEY_COUNT, "behind");
    put_text(&bench.store, FIRST_KEY - 1, "before");
    put_text(&bench.store, FERRY_STORE_KEY_CONFIRMED, "Ferry's own");
    assert_int_equal(ferry_settings_store_erase(&bench.settings), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    expect_text(&bench.store, FIRST_KEY, NULL);
    expect_text(&bench.store, FIRST_KEY + 5, NULL);
    expect_text(&bench.store, FIRST_KEY + KEY_COUNT, "behind");
    expect_text(&bench.store, FIRST_KEY - 1, "before");
    expect_text(&bench.store, FERRY_STORE_KEY_CONFIRMED, "Ferry's own");
}

static void without_a_store(void **state)
{
    (void)state;
    bench.settings.store = NULL;
    assert_int_equal(load(), FERRY_OK);
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(save(""), FERRY_E_UNSUPPORTED);
    assert_int_equal(save("net/port"), FERRY_E_UNSUPPORTED);
    assert_memory_equal(bench.port, "\x01\x02", 2);
    assert_int_equal(ferry_settings_in_store.remove(&bench.settings, bytes("net/port")), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(ferry_settings_store_erase(&bench.settings), FERRY_OK);
    assert_memory_equal(bench.port, port_initial, 2);
}

/* ---- Flash that fails ---------------------------------------------------------------------- */

static void one_write_that_fails_leaves_the_others(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(write_value("net/host", "abc", 3), FERRY_OK);
    bench.chip.fail_at = 1; /* the store's first sector is not erased */
    bench.chip.fault = FAULT_REFUSES;
    assert_int_equal(save(""), FERRY_E_FLASH);
    assert_int_equal(record_len(0), 0);
    assert_int_equal(record_len(1), 5);
    assert_memory_equal(bench.port, "\x01\x02", 2); /* and can be saved again */
    assert_int_equal(save(""), FERRY_OK);
    assert_int_equal(record_len(0), 4);
    /* A delete that fails leaves the value, too. */
    bench.chip.dead = true;
    assert_int_equal(ferry_settings_in_store.remove(&bench.settings, bytes("net/port")),
                     FERRY_E_FLASH);
    assert_memory_equal(bench.port, "\x01\x02", 2);
}

static void flash_that_does_not_answer(void **state)
{
    (void)state;
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(save(""), FERRY_OK);
    bench.chip.dead = true;
    assert_int_equal(load(), FERRY_E_FLASH);
    assert_memory_equal(bench.port, "\x01\x02", 2);
    assert_int_equal(ferry_settings_store_erase(&bench.settings), FERRY_E_FLASH);
}

static void a_store_that_is_full(void **state)
{
    char filling[FERRY_STORE_MAX] = {1};
    int result = FERRY_OK;

    (void)state;
    for (uint16_t key = 0x200; result == FERRY_OK; key++) {
        result = ferry_store_put(&bench.store, key, filling, sizeof(filling));
    }
    result = FERRY_OK;
    for (uint16_t key = 0x300; result == FERRY_OK; key++) { /* and the rest of the sector */
        result = ferry_store_put(&bench.store, key, filling, 4);
    }
    assert_int_equal(write_value("net/port", "\x01\x02", 2), FERRY_OK);
    assert_int_equal(save("net/port"), FERRY_E_FULL);
    assert_memory_equal(bench.port, "\x01\x02", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_of_a_table, set_up),
        cmocka_unit_test_setup(numbers_and_sizes_of_a_table, set_up),
        cmocka_unit_test_setup(keys_of_a_table, set_up),
        cmocka_unit_test_setup(defaults, set_up),
        cmocka_unit_test_setup(a_value_outlives_a_reset_once_saved, set_up),
        cmocka_unit_test_setup(what_a_setting_does_not_take, set_up),
        cmocka_unit_test_setup(names_and_flags, set_up),
        cmocka_unit_test_setup(a_part_of_the_tree, set_up),
        cmocka_unit_test_setup(deleting, set_up),
        cmocka_unit_test_setup(committing, set_up),
        cmocka_unit_test_setup(records_that_are_not_of_this_table, set_up),
        cmocka_unit_test_setup(erasing, set_up),
        cmocka_unit_test_setup(without_a_store, set_up),
        cmocka_unit_test_setup(one_write_that_fails_leaves_the_others, set_up),
        cmocka_unit_test_setup(flash_that_does_not_answer, set_up),
        cmocka_unit_test_setup(a_store_that_is_full, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Group log, and the log in memory. */
#include "ferry/log_ring.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOG = FERRY_SMP_GROUP_LOG, READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum { SHOW = FERRY_SMP_LOG_SHOW, CLEAR = FERRY_SMP_LOG_CLEAR };

#define MEMORY 400

struct bench {
    struct ferry_log_ring rings[2];
    uint8_t memory[2][MEMORY];
    struct ferry_log_ops stubborn; /* of the second log: cannot be cleared */
    struct ferry_log logs[3];
    struct ferry_log_group_config config;
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
};

static struct bench bench;

static const struct ferry_log_module modules[] = {{"app", 64}, {"net", 65}};

static int set_up(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof(bench));
    bench.stubborn = ferry_log_in_ring;
    bench.stubborn.clear = NULL;
    for (size_t i = 0; i < 2; i++) {
        ferry_log_ring_init(&bench.rings[i], bench.memory[i], MEMORY);
    }
    bench.logs[0] =
        (struct ferry_log){"main", FERRY_LOG_MEMORY, &ferry_log_in_ring, &bench.rings[0]};
    bench.logs[1] = (struct ferry_log){"console", FERRY_LOG_STREAM, NULL, NULL};
    bench.logs[2] = (struct ferry_log){"boot", FERRY_LOG_STORAGE, &bench.stubborn, &bench.rings[1]};
    bench.config = (struct ferry_log_group_config){bench.logs, 3, modules, 2};
    bench.mount = (struct ferry_server_mount){&ferry_log_group_table, &bench.config};
    bench.server_config = (struct ferry_server_config){
        .groups = &bench.mount, .group_count = 1, .buf_size = 512, .buf_count = 1};
    return ferry_server_init(&bench.server, &bench.server_config);
}

/* An entry 1 ms after the one before. */
static void add(size_t ring, const char *message)
{
    const struct ferry_log_entry entry = {.ts_us = bench.rings[ring].next_index * 1000 + 1000,
                                          .level = FERRY_LOG_WARN,
                                          .module = 64,
                                          .kind = FERRY_LOG_TEXT};

    ferry_log_ring_add(&bench.rings[ring], &entry, message, strlen(message));
}

static void expect(uint8_t op, uint8_t id, const char *json, const char *answer)
{
    struct rig_answer got;

    rig_ask(&bench.server, op, LOG, id, json, &got);
    assert_string_equal(got.json, answer);
    rig_ask_v1(&bench.server, op, LOG, id, json, &got);
    assert_string_equal(got.json, answer);
}

#define ENTRY(ts, index, msg)                                                                      \
    "{\"type\":\"str\",\"ts\":" #ts ",\"level\":2,\"index\":" #index                               \
    ",\"module\":64,\"msg\":\"h'" msg "'\"}"
#define MAIN(entries)    "{\"name\":\"main\",\"type\":1,\"entries\":[" entries "]}"
#define BOOT(entries)    "{\"name\":\"boot\",\"type\":2,\"entries\":[" entries "]}"
#define LOGS(next, logs) "{\"rc\":0,\"next_index\":" #next ",\"logs\":[" logs "]}"

static void lists(void **state)
{
    (void)state;
    expect(READ, FERRY_SMP_LOG_MODULES, "{}", "{\"rc\":0,\"module_map\":{\"app\":64,\"net\":65}}");
    expect(READ, FERRY_SMP_LOG_LEVELS, "{}",
           "{\"rc\":0,\"level_map\":{\"DEBUG\":0,\"INFO\":1,\"WARN\":2,\"ERROR\":3,"
           "\"CRITICAL\":4}}");
    expect(READ, FERRY_SMP_LOG_LOGS, "{}", "{\"rc\":0,\"log_list\":[\"main\",\"boot\"]}");
    expect(READ, FERRY_SMP_LOG_APPEND, "{}", "{\"rc\":8}");
    expect(WRITE, FERRY_SMP_LOG_APPEND, "{}", "{\"rc\":8}");
}

static void showing(void **state)
{
    (void)state;
    expect(READ, SHOW, "{}", LOGS(0, MAIN("") "," BOOT("")));
    add(0, "a");
    add(0, "");
    add(1, "b");
    expect(
        READ, SHOW, "{}",
        LOGS(2, MAIN(ENTRY(1000, 0, "61") "," ENTRY(2000, 1, "")) "," BOOT(ENTRY(1000, 0, "62"))));
    expect(
        READ, SHOW, "{\"log_name\":\"\"}",
        LOGS(2, MAIN(ENTRY(1000, 0, "61") "," ENTRY(2000, 1, "")) "," BOOT(ENTRY(1000, 0, "62"))));
    expect(READ, SHOW, "{\"log_name\":\"boot\"}", LOGS(2, BOOT(ENTRY(1000, 0, "62"))));
    expect(READ, SHOW, "{\"log_name\":\"main\",\"index\":1}", LOGS(2, MAIN(ENTRY(2000, 1, ""))));
    expect(READ, SHOW, "{\"log_name\":\"main\",\"index\":2}", LOGS(2, MAIN("")));
    expect(READ, SHOW, "{\"log_name\":\"main\",\"index\":9e15}", LOGS(2, MAIN("")));
}

static void showing_by_time(void **state)
{
    (void)state;
    add(0, "a");
    add(0, "b");
    add(0, "c");
    expect(READ, SHOW, "{\"log_name\":\"main\",\"ts\":1000}",
           LOGS(3, MAIN(ENTRY(2000, 1, "62") "," ENTRY(3000, 2, "63"))));
    expect(READ, SHOW, "{\"log_name\":\"main\",\"ts\":1000,\"index\":2}",
           LOGS(3, MAIN(ENTRY(3000, 2, "63"))));
    expect(READ, SHOW, "{\"log_name\":\"main\",\"ts\":3000}", LOGS(3, MAIN("")));
    expect(READ, SHOW, "{\"ts\":-1}", LOGS(3, MAIN(ENTRY(3000, 2, "63")) "," BOOT("")));
    expect(READ, SHOW, "{\"ts\":-1,\"index\":3}", LOGS(3, MAIN("") "," BOOT("")));
}

static void what_is_no_request(void **state)
{
    (void)state;
    expect(READ, SHOW, NULL, "{\"rc\":3}");
    expect(READ, SHOW, "{\"log_name\":1}", "{\"rc\":3}");
    expect(READ, SHOW, "{\"ts\":\"x\"}", "{\"rc\":3}");
    expect(READ, SHOW, "{\"index\":-1}", "{\"rc\":3}");
    expect(READ, SHOW, "{\"log_name\":\"none\"}", "{\"rc\":5}");
    expect(READ, SHOW, "{\"log_name\":\"mai\"}", "{\"rc\":5}");
    expect(READ, SHOW, "{\"log_name\":\"console\"}", "{\"rc\":5}");
    expect(WRITE, SHOW, "{}", "{\"rc\":8}");
    expect(READ, CLEAR, "{}", "{\"rc\":8}");
    expect(WRITE, CLEAR, "{\"log_name\":1}", "{\"rc\":3}");
    expect(WRITE, CLEAR, "{\"log_name\":\"none\"}", "{\"rc\":5}");
}

static int refuse(void *context)
{
    (void)context;
    return FERRY_E_FLASH;
}

static void clearing(void **state)
{
    (void)state;
    add(0, "a");
    add(1, "b");
    expect(WRITE, CLEAR, "{\"log_name\":\"boot\"}", "{\"rc\":8}");
    expect(WRITE, CLEAR, "{\"log_name\":\"main\"}", "{\"rc\":0}");
    expect(READ, SHOW, "{}", LOGS(1, MAIN("") "," BOOT(ENTRY(1000, 0, "62"))));
    expect(READ, SHOW, "{\"ts\":-1,\"log_name\":\"main\"}", LOGS(1, MAIN("")));
    add(0, "c");
    expect(READ, SHOW, "{\"log_name\":\"main\"}", LOGS(2, MAIN(ENTRY(2000, 1, "63"))));
    /* All that can be. */
    expect(WRITE, CLEAR, "{}", "{\"rc\":8}");
    expect(READ, SHOW, "{\"log_name\":\"main\"}", LOGS(2, MAIN("")));
    bench.stubborn.clear = refuse;
    expect(WRITE, CLEAR, "{}", "{\"rc\":1}");
    bench.stubborn.clear = ferry_log_in_ring.clear;
    expect(WRITE, CLEAR, NULL, "{\"rc\":0}");
    expect(READ, SHOW, "{}", LOGS(2, MAIN("") "," BOOT("")));
}

static void kinds(void **state)
{
    static const char *const words[] = {"str", "cbor", "bin", "bin"};
    struct rig_answer got;

    (void)state;
    for (uint8_t kind = 0; kind < 4; kind++) {
        const struct ferry_log_entry entry = {.kind = kind, .ts_us = -1};
        char wanted[32];

        ferry_log_ring_add(&bench.rings[0], &entry, NULL, 0);
        rig_ask(&bench.server, READ, LOG, SHOW, "{\"ts\":-1,\"log_name\":\"main\"}", &got);
        (void)snprintf(wanted, sizeof(wanted), "{\"type\":\"%s\",\"ts\":-1,", words[kind]);
        assert_non_null(strstr(got.json, wanted));
    }
}

/* ---- Answers that do not take everything ------------------------------------------ */

/* Ask with room for cap bytes. Returns the payload's JSON. */
static const char *ask_within(size_t cap, const char *request_json)
{
    static char json[8192];
    uint8_t request[128];
    uint8_t answer[RIG_MAX];
    struct ferry_bytes packet = {request, 0};

    packet.len =
        rig_request(READ, FERRY_SMP_VERSION_2, LOG, SHOW, request_json, request, sizeof(request));
    memset(answer, 0xaa, sizeof(answer));

    size_t size = ferry_server_handle(&bench.server, &packet, 0, answer, cap);

    assert_true(size > FERRY_SMP_HEADER_SIZE && size <= cap && answer[cap] == 0xaa);
    rig_json((struct ferry_bytes){answer + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE},
             json, sizeof(json));
    return json;
}

/* The index behind the highest in an answer; -1 when no entry is in it. *count of entries. */
static long last_index(const char *json, unsigned *count)
{
    long last = -1;

    for (const char *at = strstr(json, "\"level\""); at != NULL; at = strstr(at + 1, "\"level\"")) {
        long index;

        assert_int_equal(sscanf(at, "\"level\":2,\"index\":%ld", &index), 1);
        last = index > last ? index : last;
        (*count)++;
    }
    return last;
}

/* A client that goes on behind the last index gets every entry of every log once, whole. */
static void going_on_behind_the_last_index(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        add(0, "one of the first log");
    }
    for (int i = 0; i < 9; i++) {
        add(1, "second");
    }
    assert_true(bench.rings[0].index == 0 && bench.rings[1].index == 0);
    for (size_t cap = 250; cap < 1700; cap += 7) {
        unsigned count = 0;
        unsigned asked = 0;
        long index = 0;

        for (;;) {
            char request[64];

            (void)snprintf(request, sizeof(request), "{\"index\":%ld}", index);

            const char *json = ask_within(cap, request);
            long last = last_index(json, &count);

            assert_null(strstr(json, "6f6e65206f6620746865206669727374206c6f'")); /* a cut one */
            asked++;
            if (last < 0) {
                break;
            }
            assert_true(last >= index);
            index = last + 1;
        }
        assert_int_equal(count, 21);
        assert_true(asked >= 2 && asked <= 14);
    }
}

/* An entry too long for any answer is cut, so that what is behind it can be had. */
static void an_entry_too_long_is_cut(void **state)
{
    char long_message[301];
    unsigned count = 0;

    (void)state;
    memset(long_message, 'x', sizeof(long_message) - 1);
    long_message[sizeof(long_message) - 1] = '\0';
    add(0, long_message);
    add(0, "behind");
    for (size_t cap = 120; cap < 400; cap++) {
        const char *json = ask_within(cap, "{\"log_name\":\"main\"}");
        const char *message = strstr(json, "\"msg\":\"h'");

        assert_int_equal(last_index(json, &count), 0);
        assert_non_null(message);

        size_t digits = strspn(message + 9, "78");

        assert_true(digits / 2 >= cap - 120 && digits / 2 <= 300);
        assert_string_equal(strstr(ask_within(cap, "{\"log_name\":\"main\",\"index\":1}"), "6265"),
                            "626568696e64'\"}]}]}");
    }
}

static void answers_too_small_for_anything(void **state)
{
    (void)state;
    add(0, "message");
    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap < 200; cap++) {
        const char *json = ask_within(cap, "{}");

        assert_true(strcmp(json, "{\"rc\":7}") == 0 || strstr(json, "\"msg\":\"h'") != NULL);
    }
}

/* ---- The ring ---------------------------------------------------------------------- */

/* Every size of memory: the newest entries are there, whole and in order. */
static void the_oldest_make_room(void **state)
{
    uint8_t memory[130];
    struct ferry_log_ring ring;

    (void)state;
    for (size_t size = 0; size < 128; size++) {
        memset(memory, 0x55, sizeof(memory));
        ferry_log_ring_init(&ring, memory, size);
        for (uint32_t n = 0; n < 60; n++) {
            uint8_t message[10];
            const struct ferry_log_entry entry = {.ts_us = (int64_t)n << 33,
                                                  .level = (uint8_t)(n % 5)};
            struct ferry_log_entry found;
            uint32_t from = 0;
            size_t bytes = 0;

            memset(message, (int)n, sizeof(message));
            ferry_log_ring_add(&ring, &entry, message, n % 11);
            for (; ferry_log_in_ring.next(&ring, from, &found) == 1; from = found.index + 1) {
                uint8_t back[10];

                assert_int_equal(found.ts_us, (int64_t)found.index << 33);
                assert_int_equal(found.level, found.index % 5);
                assert_true(found.len == found.index % 11 || found.len == size - 13);
                ferry_log_in_ring.read(&ring, &found, back, found.len);
                for (size_t i = 0; i < found.len; i++) {
                    assert_int_equal(back[i], found.index);
                }
                bytes += 13U + found.len;
            }
            assert_int_equal(from, size > 13 ? n + 1 : 0);
            assert_true(bytes <= size && bytes == ring.used);
        }
        assert_int_equal(memory[size], 0x55);
        assert_int_equal(ferry_log_in_ring.next_index(&ring), size > 13 ? 60 : 0);
    }
}

/* What the run before left is taken over whole, or not at all. */
static void a_log_that_outlives_a_reset(void **state)
{
    struct ferry_log_entry found;
    struct ferry_log_ring *ring = &bench.rings[0];

    (void)state;
    for (int i = 0; i < 40; i++) {
        add(0, "an entry");
        if (i == 30) {
            assert_int_equal(ferry_log_in_ring.clear(ring), FERRY_OK);
        }

        struct ferry_log_ring kept = *ring;

        assert_true(ferry_log_ring_resume(ring, bench.memory[0], MEMORY));
        assert_true(ring->first == kept.first && ring->used == kept.used);
        assert_true(ring->index == kept.index && ring->next_index == kept.next_index);
    }
    assert_int_equal(ferry_log_in_ring.next(ring, 0, &found), 1);
    assert_int_equal(found.index, 31);
    /* Elsewhere, or of another size. */
    assert_false(ferry_log_ring_resume(&(struct ferry_log_ring){0}, bench.memory[0], MEMORY));

    struct ferry_log_ring other = *ring;

    assert_false(ferry_log_ring_resume(&other, bench.memory[1], MEMORY));
    other = *ring;
    assert_false(ferry_log_ring_resume(&other, bench.memory[0], MEMORY - 1));
    assert_int_equal(ferry_log_in_ring.next(&other, 0, &found), 0);
}

/* Memory that lost bits, or was in the middle of something: never read outside of it. */
static void a_log_that_is_damaged(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        add(0, "an entry");
    }
    for (size_t bit = 0; bit < 8 * sizeof(bench.rings[0]); bit++) {
        struct ferry_log_ring ring = bench.rings[0];

        ((uint8_t *)&ring)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (ferry_log_ring_resume(&ring, bench.memory[0], MEMORY)) {
            assert_true(ring.next_index == 30 && ring.used == bench.rings[0].used); /* padding */
        }
    }
    for (size_t bit = 0; bit < 8 * sizeof(bench.memory[0]); bit++) {
        struct ferry_log_ring ring = bench.rings[0];
        struct ferry_log_entry found = {0};
        uint32_t from = 0;

        bench.memory[0][bit / 8] ^= (uint8_t)(1U << bit % 8);
        (void)ferry_log_ring_resume(&ring, bench.memory[0], MEMORY);
        while (ferry_log_in_ring.next(&ring, from, &found) == 1) {
            uint8_t message[MEMORY];

            assert_true(found.len <= MEMORY);
            ferry_log_in_ring.read(&ring, &found, message, found.len);
            from = found.index + 1;
        }
        bench.memory[0][bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lists, set_up),
        cmocka_unit_test_setup(showing, set_up),
        cmocka_unit_test_setup(showing_by_time, set_up),
        cmocka_unit_test_setup(what_is_no_request, set_up),
        cmocka_unit_test_setup(clearing, set_up),
        cmocka_unit_test_setup(kinds, set_up),
        cmocka_unit_test_setup(going_on_behind_the_last_index, set_up),
        cmocka_unit_test_setup(an_entry_too_long_is_cut, set_up),
        cmocka_unit_test_setup(answers_too_small_for_anything, set_up),
        cmocka_unit_test(the_oldest_make_room),
        cmocka_unit_test_setup(a_log_that_outlives_a_reset, set_up),
        cmocka_unit_test_setup(a_log_that_is_damaged, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: tasks, memory pools and the letters of the information. [smp.md §3.0] */
#include "ferry/group_os.h"
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
    const struct ferry_os_task *tasks;
    const struct ferry_os_pool *pools;
    uint32_t count; /* of tasks or pools */
    uint32_t bad;   /* the one that fails; count and above: none */
    const char *node;
};

static int task(void *context, uint32_t number, struct ferry_os_task *out)
{
    const struct rig *rig = context;

    assert_int_equal(out->knows, 0);
    if (number == rig->bad && number < rig->count) {
        return FERRY_E_IO;
    }
    if (number >= rig->count) {
        return FERRY_E_NOT_FOUND;
    }
    *out = rig->tasks[number];
    return FERRY_OK;
}

static int pool(void *context, uint32_t number, struct ferry_os_pool *out)
{
    const struct rig *rig = context;

    if (number == rig->bad && number < rig->count) {
        return FERRY_E_IO;
    }
    if (number >= rig->count) {
        return FERRY_E_NOT_FOUND;
    }
    *out = rig->pools[number];
    return FERRY_OK;
}

/* As many as there are numbers. */
static int endless_task(void *context, uint32_t number, struct ferry_os_task *out)
{
    (void)context;
    (void)number;
    out->state = FERRY_OS_TASK_QUEUED;
    return FERRY_OK;
}

static int endless_pool(void *context, uint32_t number, struct ferry_os_pool *out)
{
    (void)context;
    (void)number;
    out->block_size = 1;
    return FERRY_OK;
}

static const char *info(void *context, char letter)
{
    const struct rig *rig = context;

    switch (letter) {
    case 's':
    case 'o':
        return "Ferry";
    case 'n':
        return rig->node;
    case 'b':
        return NULL; /* this build does not know */
    case 'u':
        return "up 5 s";
    case 'q':
        return "";
    case 'x':
        return NULL;
    default:
        return "-";
    }
}

static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->bad = UINT32_MAX;
    rig->node = "node";
    rig->os_config =
        (struct ferry_os_group_config){.task = task, .pool = pool, .info = info, .context = rig};
    ferry_os_group_init(&rig->os, &rig->os_config);
    rig->mount = (struct ferry_server_mount){&ferry_os_group_table, &rig->os};
    rig->config = (struct ferry_server_config){
        .groups = &rig->mount, .group_count = 1, .buf_size = 384, .buf_count = 4};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

static void expect(struct rig *rig, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&rig->server, FERRY_SMP_READ, 0, id, request, &answer);
    assert_string_equal(answer.json, json);
}

static void expect_v1(struct rig *rig, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&rig->server, FERRY_SMP_READ, 0, id, request, &answer);
    assert_string_equal(answer.json, json);
}

/* Ask with a buffer of this size. Returns the size of the answer. */
static size_t ask_with(struct rig *rig, uint8_t id, size_t cap)
{
    uint8_t request[16];
    uint8_t out[RIG_MAX];
    size_t size = rig_request(FERRY_SMP_READ, 1, 0, id, "{}", request, sizeof(request));
    struct ferry_bytes pending = {request, size};

    return ferry_server_handle(&rig->server, &pending, 0, out, cap);
}

/* The answer of a vector, without the request: byte for byte. */
static void expect_vector(struct rig *rig, uint8_t id, const char *name)
{
    uint8_t wanted[RIG_MAX];
    uint8_t request[16];
    size_t size = rig_vector(FERRY_TEST_DATA, name, wanted, sizeof(wanted));
    size_t asked = rig_request(FERRY_SMP_READ, 1, 0, id, "{}", request, sizeof(request));
    struct rig_answer answer;

    request[6] = wanted[6]; /* the sequence number */
    (void)rig_send(&rig->server, (struct ferry_bytes){request, asked}, &answer);
    assert_int_equal(answer.size, size);
    assert_memory_equal(answer.bytes, wanted, size);
}

/* ---- Tasks ------------------------------------------------------------------- */

static void test_tasks(void **context)
{
    static const struct ferry_os_task tasks[] = {
        {.name = "main",
         .priority = -1,
         .state = FERRY_OS_TASK_QUEUED,
         .knows = FERRY_OS_TASK_STACK | FERRY_OS_TASK_RUNTIME | FERRY_OS_TASK_SWITCHES |
                  FERRY_OS_TASK_CHECKINS,
         .stack_size = 4096,
         .stack_used = 1023,
         .runtime = 5000000000U,
         .switches = 7,
         .last_checkin = 8,
         .next_checkin = 9},
        {.name = "idle", .priority = 15, .knows = FERRY_OS_TASK_STACK, .stack_size = 320},
        {.name = "io", .priority = 127, .state = FERRY_OS_TASK_PENDING},
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.tasks = tasks;
    rig.count = 3;
    expect(&rig, 2, "{}",
           "{\"tasks\":{"
           "\"main\":{\"prio\":-1,\"tid\":0,\"state\":128,\"stksiz\":1024,\"stkuse\":255,"
           "\"runtime\":5000000000,\"cswcnt\":7,\"last_checkin\":8,\"next_checkin\":9},"
           "\"idle\":{\"prio\":15,\"tid\":1,\"state\":0,\"stksiz\":80,\"stkuse\":0},"
           "\"io\":{\"prio\":127,\"tid\":2,\"state\":2}}}");
    rig.count = 1;
    rig.tasks = tasks + 2;
    expect(&rig, 2, NULL, "{\"tasks\":{\"io\":{\"prio\":127,\"tid\":0,\"state\":2}}}");
    expect_v1(&rig, 2, NULL, "{\"tasks\":{\"io\":{\"prio\":127,\"tid\":0,\"state\":2}}}");
    rig.count = 0;
    expect(&rig, 2, "{}", "{\"tasks\":{}}");
}

/* No key comes twice, whatever the names are. */
static void test_tasks_without_a_name_of_their_own_have_their_numbers(void **context)
{
    static const struct ferry_os_task tasks[] = {{.name = "a"}, {.name = NULL}, {.name = "a"},
                                                 {.name = ""},  {.name = "ab"}, {.name = "a"}};
    struct rig rig;
    struct rig_answer answer;
    (void)context;

    set_up(&rig);
    rig.tasks = tasks;
    rig.count = 6;
    rig_ask(&rig.server, FERRY_SMP_READ, 0, 2, "{}", &answer);
    assert_string_equal(answer.json, "{\"tasks\":{\"a\":{\"prio\":0,\"tid\":0,\"state\":0},"
                                     "\"1\":{\"prio\":0,\"tid\":1,\"state\":0},"
                                     "\"2\":{\"prio\":0,\"tid\":2,\"state\":0},"
                                     "\"3\":{\"prio\":0,\"tid\":3,\"state\":0},"
                                     "\"ab\":{\"prio\":0,\"tid\":4,\"state\":0},"
                                     "\"5\":{\"prio\":0,\"tid\":5,\"state\":0}}}");
}

static void test_a_task_that_cannot_be_told(void **context)
{
    static const struct ferry_os_task tasks[2] = {{.name = "a"}, {.name = "b"}};
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.tasks = tasks;
    rig.count = 2;
    rig.bad = 1;
    expect(&rig, 2, "{}", "{\"err\":{\"group\":0,\"rc\":1}}");
    expect_v1(&rig, 2, "{}", "{\"rc\":1}");
}

static void test_more_than_fits_is_rc_7(void **context)
{
    static const struct ferry_os_task tasks[2] = {{.name = "a"}, {.name = "b"}};
    struct rig rig;
    size_t whole;
    (void)context;

    set_up(&rig);
    rig.tasks = tasks;
    rig.count = 2;
    whole = ask_with(&rig, 2, RIG_MAX);
    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap < whole; cap++) {
        assert_int_equal(ask_with(&rig, 2, cap), 14);
    }
    assert_int_equal(ask_with(&rig, 2, whole), whole);

    rig.os_config.task = endless_task;
    rig.os_config.pool = endless_pool;
    expect(&rig, 2, "{}", "{\"rc\":7}");
    expect(&rig, 3, "{}", "{\"rc\":7}");
}

/* ---- Memory pools ------------------------------------------------------------ */

static void test_pools(void **context)
{
    static const struct ferry_os_pool pools[] = {{1, 4096, 3000, 2800}, {384, 4, 3, 0}};
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.pools = pools;
    rig.count = 1;
    expect(&rig, 3, "{}", "{\"0\":{\"blksiz\":1,\"nblks\":4096,\"nfree\":3000,\"min\":2800}}");
    rig.count = 2;
    expect(&rig, 3, NULL,
           "{\"0\":{\"blksiz\":1,\"nblks\":4096,\"nfree\":3000,\"min\":2800},"
           "\"1\":{\"blksiz\":384,\"nblks\":4,\"nfree\":3,\"min\":0}}");
    rig.bad = 1;
    expect(&rig, 3, "{}", "{\"err\":{\"group\":0,\"rc\":7}}");
    expect_v1(&rig, 3, "{}", "{\"rc\":5}");
    rig.count = 0;
    expect(&rig, 3, "{}", "{}");
}

static void test_answers_are_zephyrs_byte_for_byte(void **context)
{
    static const struct ferry_os_task tasks[] = {{.name = "idle",
                                                  .priority = 15,
                                                  .knows = FERRY_OS_TASK_STACK,
                                                  .stack_size = 320,
                                                  .stack_used = 104},
                                                 {.name = "main",
                                                  .priority = -1,
                                                  .state = FERRY_OS_TASK_PENDING,
                                                  .knows = FERRY_OS_TASK_STACK,
                                                  .stack_size = 1024,
                                                  .stack_used = 492}};
    static const struct ferry_os_pool heap = {1, 4096, 3000, 2800};
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.tasks = tasks;
    rig.count = 2;
    expect_vector(&rig, 2, "os_taskstat_rsp");
    rig.pools = &heap;
    rig.count = 1;
    expect_vector(&rig, 3, "os_mpstat_rsp_zephyr");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "os_mpstat_req", "os_mpstat_rsp_zephyr");
}

static void test_what_no_product_tells_is_not_supported(void **context)
{
    struct rig rig;
    struct rig_answer answer;
    (void)context;

    set_up(&rig);
    for (uint8_t id = 2; id < 4; id++) {
        rig_ask(&rig.server, FERRY_SMP_WRITE, 0, id, "{}", &answer);
        assert_string_equal(answer.json, "{\"rc\":8}");
    }
    rig.os_config.task = NULL;
    rig.os_config.pool = NULL;
    expect(&rig, 2, "{}", "{\"rc\":8}");
    expect(&rig, 3, "{}", "{\"rc\":8}");
}

/* ---- Letters ----------------------------------------------------------------- */

static void test_letters_of_a_product(void **context)
{
    static const char *const rows[][2] = {
        {"{\"format\":\"u\"}", "{\"output\":\"up 5 s\"}"},
        {"{\"format\":\"us\"}", "{\"output\":\"Ferry up 5 s\"}"},
        {"{\"format\":\"quo\"}", "{\"output\":\"Ferry up 5 s\"}"},
        {"{\"format\":\"q\"}", "{\"output\":\"\"}"},
        {"{\"format\":\"a\"}", "{\"output\":\"Ferry node - - - - - Ferry up 5 s\"}"},
        {"{\"format\":\"x\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":\"y\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":\"uy\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
        {"{\"format\":\"b\"}", "{\"err\":{\"group\":0,\"rc\":2}}"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, 7, "{\"format\":\"u\"}", "{\"err\":{\"group\":0,\"rc\":2}}");
    expect(&rig, 7, "{\"format\":\"a\"}", "{\"output\":\"Ferry node - - - - - Ferry\"}");
    rig.os_config.info_letters = "qux";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(&rig, 7, rows[i][0], rows[i][1]);
    }
}

/* The head of the text is as long as the length makes it; what does not fit is rc 7. */
static void test_information_of_every_length(void **context)
{
    char node[300];
    char json[400];
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.node = node;
    rig.config.buf_size = 384;
    for (size_t len = 0; len < sizeof(node); len++) {
        memset(node, 'n', sizeof(node));
        node[len] = '\0';
        (void)snprintf(json, sizeof(json), "{\"output\":\"%s\"}", node);
        expect(&rig, 7, "{\"format\":\"n\"}", len <= 256 ? json : "{\"rc\":7}");
    }
    node[100] = '\0';

    uint8_t request[32];
    uint8_t out[128];
    size_t size =
        rig_request(FERRY_SMP_READ, 1, 0, 7, "{\"format\":\"n\"}", request, sizeof(request));

    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap <= sizeof(out); cap++) {
        struct ferry_bytes pending = {request, size};
        size_t answered = ferry_server_handle(&rig.server, &pending, 0, out, cap);

        assert_int_equal(answered, cap < 120 ? 14 : 119);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_tasks_without_a_name_of_their_own_have_their_numbers),
        cmocka_unit_test(test_a_task_that_cannot_be_told),
        cmocka_unit_test(test_more_than_fits_is_rc_7),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_answers_are_zephyrs_byte_for_byte),
        cmocka_unit_test(test_what_no_product_tells_is_not_supported),
        cmocka_unit_test(test_letters_of_a_product),
        cmocka_unit_test(test_information_of_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

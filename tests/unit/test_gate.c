/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: every transport, level, group, command and operation, against the table that
 * docs/SERVER.md has; and that it fails closed. */
#include "ferry/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIRES = 5, COMMANDS = 16, PAYLOAD_MAX = 40, ROWS_MAX = 64, NO_SUCH = 200 };

static const uint16_t groups[] = {0,  1,  2,  3,  4,   5,   6,   7,   8,    9,
                                  10, 11, 63, 64, 100, 102, 103, 104, 4096, 65535};
#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

static struct {
    struct ferry_gate gate;
    struct ferry_gate_wire wires[WIRES];
    struct ferry_gate_config config;
    struct ferry_server server;
    struct ferry_server_config server_config;
    uint64_t now;
    unsigned ran;
} bench;

static uint64_t now_ms(void *context)
{
    (void)context;
    return bench.now;
}

/* The only peer of a transport. */
static const struct ferry_server_peer *on(int transport)
{
    static struct ferry_server_peer peer;

    peer = (struct ferry_server_peer){.transport = (uint8_t)transport};
    return &peer;
}

/* ---- A server that has everything --------------------------------------------------------- */

static int run(struct ferry_server_call *call)
{
    (void)call;
    bench.ran++;
    return FERRY_RC_OK;
}

static struct ferry_command commands[COMMANDS];
static struct ferry_group tables[GROUP_COUNT];
static struct ferry_server_mount mounts[GROUP_COUNT];

static void set_up(const struct ferry_gate_policy *policy)
{
    memset(&bench, 0, sizeof(bench));
    for (size_t i = 0; i < COMMANDS; i++) {
        commands[i] = (struct ferry_command){run, run};
    }
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        tables[i] = (struct ferry_group){
            .id = groups[i], .name = "all", .commands = commands, .command_count = COMMANDS};
        mounts[i].group = &tables[i];
    }
    bench.config = (struct ferry_gate_config){.policy = policy, .now_ms = now_ms};
    bench.server_config = (struct ferry_server_config){.groups = mounts,
                                                       .group_count = GROUP_COUNT,
                                                       .buf_size = 64,
                                                       .buf_count = 1,
                                                       .gate = ferry_gate_ask,
                                                       .gate_context = &bench.gate};
    assert_int_equal(ferry_server_init(&bench.server, &bench.server_config), FERRY_OK);
}

static void start(const struct ferry_gate_policy *policy)
{
    set_up(policy);
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
}

/* Send a request with a payload. Returns whether its handler ran; else the answer is rc 11. */
static bool runs_with(uint8_t transport, uint16_t group, unsigned id, unsigned op,
                      struct ferry_bytes payload)
{
    static const uint8_t denied[] = {0xbf, 0x62, 'r', 'c', 0x0b, 0xff};
    const struct ferry_smp_header header = {.op = (uint8_t)op,
                                            .version = FERRY_SMP_VERSION_2,
                                            .group = group,
                                            .id = (uint8_t)id,
                                            .length = (uint16_t)payload.len};
    uint8_t packet[FERRY_SMP_HEADER_SIZE + PAYLOAD_MAX] = {0};
    struct ferry_bytes pending = {packet, FERRY_SMP_HEADER_SIZE + payload.len};
    uint8_t out[64];
    unsigned before = bench.ran;

    ferry_smp_header_write(&header, packet);
    assert_true(payload.len <= PAYLOAD_MAX);
    memcpy(packet + FERRY_SMP_HEADER_SIZE, payload.data, payload.len);

    size_t size = ferry_server_handle(&bench.server, &pending, transport, out, sizeof(out));

    if (bench.ran != before) {
        return true;
    }
    assert_int_equal(size, FERRY_SMP_HEADER_SIZE + sizeof(denied));
    assert_memory_equal(out + FERRY_SMP_HEADER_SIZE, denied, sizeof(denied));
    return false;
}

/* The same with an empty map. */
static bool runs(uint8_t transport, uint16_t group, unsigned id, unsigned op)
{
    static const uint8_t nothing[] = {0xa0};

    return runs_with(transport, group, id, op, (struct ferry_bytes){nothing, sizeof(nothing)});
}

/* ---- The document's table ------------------------------------------------------------------ */

struct row {
    int group, command; /* command -1: any */
    int level[2];       /* of read, of write */
};

static struct row rows[ROWS_MAX];
static size_t row_count;

static int level_of(const char *word)
{
    static const char *const words[] = {"locked", "update", "service"};

    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) == 0) {
            return i;
        }
    }
    fail_msg("docs/SERVER.md: \"%s\" is no level", word);
    return 0;
}

/* "| 0 | 5 | os reset | service | update |" */
static bool read_row(const char *line, struct row *row)
{
    char command[8];
    char read[16];
    char write[16];

    if (sscanf(line, "| %d | %7s | %*[^|]| %15s | %15s |", &row->group, command, read, write) !=
        4) {
        return false;
    }
    row->command = strcmp(command, "any") == 0 ? -1 : atoi(command);
    row->level[0] = level_of(read);
    row->level[1] = level_of(write);
    return true;
}

static void read_document(void)
{
    FILE *file = fopen(FERRY_ROOT "/docs/SERVER.md", "r");
    char line[1024];
    bool here = false;

    assert_non_null(file);
    row_count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        here = strncmp(line, "#", 1) == 0 ? strcmp(line, "### Levels\n") == 0 : here;
        if (here && row_count < ROWS_MAX && read_row(line, &rows[row_count])) {
            row_count++;
        }
    }
    fclose(file);
    assert_true(row_count > 10 && row_count < ROWS_MAX);
}

/* The level that the document asks for: of the lowest row that fits. */
static int documented(uint16_t group, unsigned id, unsigned op)
{
    int level = FERRY_ACCESS_SERVICE;

    for (size_t i = 0; i < row_count; i++) {
        int here = rows[i].level[op == FERRY_SMP_WRITE];

        if (rows[i].group == group && (rows[i].command == -1 || rows[i].command == (int)id) &&
            here < level) {
            level = here;
        }
    }
    return level;
}

/* ---- The walk ------------------------------------------------------------------------------- */

/* Everything on one transport at the level where it stands. limit: what else the row says, or
 * NULL. Returns how much was tried. */
static unsigned walk(uint8_t transport, int level, bool (*limit)(uint16_t group, unsigned id))
{
    unsigned tried = 0;

    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (unsigned id = 0; id < COMMANDS; id++) {
            for (unsigned op = FERRY_SMP_READ; op <= FERRY_SMP_WRITE; op += FERRY_SMP_WRITE) {
                bool expected = level >= documented(groups[g], id, op) &&
                                (limit == NULL || limit(groups[g], id));

                if (runs(transport, groups[g], id, op) != expected) {
                    fail_msg("transport %u, level %d, group %u, command %u, op %u: %s", transport,
                             level, groups[g], id, op, expected ? "refused" : "ran");
                }
                tried++;
            }
        }
    }
    return tried;
}

/* A transport at each level it can have: lowest to highest, and back by time. */
static unsigned walk_levels(uint8_t transport, int lowest, int highest,
                            bool (*limit)(uint16_t group, unsigned id))
{
    unsigned tried = walk(transport, lowest, limit);

    for (int level = 0; level <= FERRY_ACCESS_LEVELS; level++) {
        int result =
            ferry_gate_grant(&bench.gate, on(transport), (enum ferry_access_level)level, 10);

        if (lowest == highest) {
            assert_int_equal(result, FERRY_E_UNSUPPORTED);
        } else if (level <= lowest || level > highest) {
            assert_int_equal(result, FERRY_E_RANGE);
        } else {
            assert_int_equal(result, FERRY_OK);
            tried += walk(transport, level, limit);
            bench.now += 9999;
            tried += walk(transport, level, limit);
            bench.now += 1;
        }
        tried += walk(transport, lowest, limit);
    }
    return tried;
}

static void every_command_of_the_default_policies(void **state)
{
    (void)state;
    static const struct {
        const struct ferry_gate_policy *policy;
        int lowest;
    } cases[] = {{&ferry_gate_open, FERRY_ACCESS_SERVICE},
                 {&ferry_gate_locked, FERRY_ACCESS_LOCKED},
                 {&ferry_gate_update, FERRY_ACCESS_UPDATE}};
    unsigned tried = 0;

    read_document();
    for (size_t i = 0; i < 3; i++) {
        start(cases[i].policy);
        for (unsigned transport = 0; transport < WIRES; transport++) {
            tried += walk_levels((uint8_t)transport, cases[i].lowest, FERRY_ACCESS_SERVICE, NULL);
        }
        /* Behind the caller's states nothing is known. */
        tried += walk_levels(WIRES, FERRY_ACCESS_LOCKED, FERRY_ACCESS_LOCKED, NULL);
        tried += walk_levels(255, FERRY_ACCESS_LOCKED, FERRY_ACCESS_LOCKED, NULL);
    }
    printf("%u commands tried\n", tried);
}

/* A product's rows: each transport with limits of its own. */
static const struct ferry_gate_rule shell_rules[] = {{9, FERRY_GATE_ANY, FERRY_GATE_BOTH}};
static const struct ferry_gate_list shell = {shell_rules, 1};
static const struct ferry_gate_rule image_rules[] = {{1, FERRY_GATE_ANY, FERRY_GATE_BOTH},
                                                     {0, 0, FERRY_GATE_BOTH}};
static const struct ferry_gate_list images = {image_rules, 2};
static const struct ferry_gate_list nothing = {NULL, 0};

static const struct ferry_gate_transport product_rows[] = {
    {.number = 0, .lowest = FERRY_ACCESS_SERVICE, .highest = FERRY_ACCESS_SERVICE},
    {.number = 1, .lowest = FERRY_ACCESS_LOCKED, .highest = FERRY_ACCESS_SERVICE, .never = &shell},
    {.number = 2, .lowest = FERRY_ACCESS_LOCKED, .highest = FERRY_ACCESS_UPDATE, .only = &images},
    {.number = 3,
     .lowest = FERRY_ACCESS_SERVICE,
     .highest = FERRY_ACCESS_SERVICE,
     .only = &nothing},
};

static const struct ferry_gate_policy product = {
    {&ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service}, product_rows, 4};

static bool no_shell(uint16_t group, unsigned id)
{
    (void)id;
    return group != 9;
}

static bool images_only(uint16_t group, unsigned id)
{
    return group == 1 || (group == 0 && id == 0);
}

static bool none(uint16_t group, unsigned id)
{
    (void)group;
    (void)id;
    return false;
}

static void every_command_of_a_product(void **state)
{
    (void)state;
    unsigned tried = 0;

    read_document();
    start(&product);
    tried += walk_levels(0, FERRY_ACCESS_SERVICE, FERRY_ACCESS_SERVICE, NULL);
    tried += walk_levels(1, FERRY_ACCESS_LOCKED, FERRY_ACCESS_SERVICE, no_shell);
    tried += walk_levels(2, FERRY_ACCESS_LOCKED, FERRY_ACCESS_UPDATE, images_only);
    tried += walk_levels(3, FERRY_ACCESS_SERVICE, FERRY_ACCESS_SERVICE, none);
    tried += walk_levels(4, FERRY_ACCESS_LOCKED, FERRY_ACCESS_LOCKED, NULL); /* no row */
    printf("%u commands tried\n", tried);
}

/* What is unlocked on one transport is not on another. */
static void transports_are_apart(void **state)
{
    (void)state;

    start(&ferry_gate_locked);
    assert_int_equal(ferry_gate_grant(&bench.gate, on(1), FERRY_ACCESS_SERVICE, 60), FERRY_OK);
    assert_true(runs(1, 9, 0, FERRY_SMP_WRITE));
    assert_false(runs(0, 9, 0, FERRY_SMP_WRITE));
    assert_false(runs(2, 9, 0, FERRY_SMP_WRITE));
    ferry_gate_lock(&bench.gate, on(0));
    assert_true(runs(1, 9, 0, FERRY_SMP_WRITE));
    ferry_gate_lock(&bench.gate, on(1));
    assert_false(runs(1, 9, 0, FERRY_SMP_WRITE));
}

/* A command that is not there is unknown at every level: the gate is not asked. */
static void unknown_commands_are_unknown(void **state)
{
    (void)state;
    const struct ferry_smp_header header = {
        .op = FERRY_SMP_READ, .version = FERRY_SMP_VERSION_2, .group = 0, .id = NO_SUCH};
    uint8_t packet[FERRY_SMP_HEADER_SIZE];
    struct ferry_bytes pending = {packet, sizeof(packet)};
    uint8_t out[64];

    start(&ferry_gate_locked);
    ferry_smp_header_write(&header, packet);
    assert_int_equal(ferry_server_handle(&bench.server, &pending, 0, out, sizeof(out)), 14);
    assert_int_equal(out[12], FERRY_RC_NOT_SUPPORTED);
    assert_int_equal(ferry_gate_audit(&bench.gate, 0)->refused, 0);
}

/* ---- Failing closed ---------------------------------------------------------------------------
 */

static void expect_refuses_everything(void)
{
    for (int transport = 0; transport < 256; transport++) {
        for (unsigned id = 0; id < COMMANDS; id++) {
            assert_false(runs((uint8_t)transport, 0, id, FERRY_SMP_READ));
            assert_false(runs((uint8_t)transport, 103, id, FERRY_SMP_WRITE));
        }
        assert_int_equal(ferry_gate_grant(&bench.gate, on(transport), FERRY_ACCESS_SERVICE, 9),
                         FERRY_E_UNSUPPORTED);
        assert_null(ferry_gate_audit(&bench.gate, (uint8_t)transport));
    }
}

static void never_set_up(void **state)
{
    (void)state;

    set_up(&ferry_gate_open);
    expect_refuses_everything();
}

static void expect_bad(const struct ferry_gate_policy *policy)
{
    set_up(policy);
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES),
                     FERRY_E_CONFIG);
    expect_refuses_everything();
}

#define LEVELS                                                                                     \
    {                                                                                              \
        &ferry_gate_list_locked, &ferry_gate_list_update, &ferry_gate_list_service                 \
    }

static void wrong_policies(void **state)
{
    (void)state;
    static const struct ferry_gate_list empty = {NULL, 3};
    const struct ferry_gate_transport row[] = {
        {.number = 0, .lowest = FERRY_ACCESS_LEVELS, .highest = FERRY_ACCESS_LEVELS},
        {.number = 0, .lowest = FERRY_ACCESS_UPDATE, .highest = FERRY_ACCESS_LOCKED},
        {.number = 0, .highest = 255},
        {.number = 0, .only = &empty},
        {.number = 0, .never = &empty}};

    expect_bad(NULL);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct ferry_gate_policy policy = {LEVELS, &row[i], 1};
        expect_bad(&policy);
    }
    const struct ferry_gate_policy no_rows = {LEVELS, NULL, 1};
    expect_bad(&no_rows);
    for (size_t i = 0; i < FERRY_ACCESS_LEVELS; i++) {
        struct ferry_gate_policy policy = ferry_gate_open;
        policy.levels[i] = NULL;
        expect_bad(&policy);
        policy.levels[i] = &empty;
        expect_bad(&policy);
    }
}

static void wrong_keys_and_names(void **state)
{
    (void)state;
    static const uint8_t id[FERRY_ACCESS_ID_MAX + 1] = {1};
    const struct ferry_gate_key keys[] = {{.level = FERRY_ACCESS_LOCKED, .seconds = 1},
                                          {.level = FERRY_ACCESS_LEVELS, .seconds = 1},
                                          {.level = FERRY_ACCESS_SERVICE, .seconds = 0}};

    for (size_t i = 0; i < 3; i++) {
        set_up(&ferry_gate_open);
        bench.config.keys = &keys[i];
        bench.config.key_count = 1;
        assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES),
                         FERRY_E_CONFIG);
        expect_refuses_everything();
    }
    set_up(&ferry_gate_open);
    bench.config.key_count = 1;
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES),
                     FERRY_E_CONFIG);
    set_up(&ferry_gate_open);
    bench.config.device_id = (struct ferry_bytes){id, sizeof(id)};
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES),
                     FERRY_E_CONFIG);
    bench.config.device_id.len--;
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
}

static void without_states_all_is_locked(void **state)
{
    (void)state;

    read_document();
    set_up(&ferry_gate_open);
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, NULL, WIRES), FERRY_OK);
    (void)walk_levels(0, FERRY_ACCESS_LOCKED, FERRY_ACCESS_LOCKED, NULL);
}

static void without_a_clock_it_stays_at_its_lowest(void **state)
{
    (void)state;

    read_document();
    set_up(&ferry_gate_update);
    bench.config.now_ms = NULL;
    assert_int_equal(ferry_gate_init(&bench.gate, &bench.config, bench.wires, WIRES), FERRY_OK);
    (void)walk_levels(0, FERRY_ACCESS_UPDATE, FERRY_ACCESS_UPDATE, NULL);
}

/* ---- Clocks and counters ------------------------------------------------------------------------
 */

static void clock_goes_backwards(void **state)
{
    (void)state;

    start(&ferry_gate_locked);
    bench.now = 1000;
    assert_int_equal(ferry_gate_grant(&bench.gate, on(0), FERRY_ACCESS_SERVICE, 3600), FERRY_OK);
    assert_true(runs(0, 9, 0, FERRY_SMP_WRITE));
    bench.now = 999;
    assert_false(runs(0, 9, 0, FERRY_SMP_WRITE));
    bench.now = 5000;
    assert_false(runs(0, 9, 0, FERRY_SMP_WRITE));
}

/* At the end of the clock's range nothing lasts longer, and the longest unlock lasts its time. */
static void clock_at_its_end(void **state)
{
    (void)state;

    start(&ferry_gate_locked);
    bench.now = UINT64_MAX - 500;
    assert_int_equal(ferry_gate_grant(&bench.gate, on(0), FERRY_ACCESS_SERVICE, 1), FERRY_OK);
    assert_true(runs(0, 9, 0, FERRY_SMP_WRITE));
    bench.now = 100; /* it wrapped: backwards */
    assert_false(runs(0, 9, 0, FERRY_SMP_WRITE));
    assert_int_equal(ferry_gate_grant(&bench.gate, on(0), FERRY_ACCESS_SERVICE, UINT32_MAX),
                     FERRY_OK);
    bench.now += (uint64_t)UINT32_MAX * 1000 - 1;
    assert_true(runs(0, 9, 0, FERRY_SMP_WRITE));
    bench.now++;
    assert_false(runs(0, 9, 0, FERRY_SMP_WRITE));
    assert_int_equal(ferry_gate_grant(&bench.gate, on(0), FERRY_ACCESS_SERVICE, 0), FERRY_E_RANGE);
}

static void refusals_are_counted(void **state)
{
    (void)state;
    const struct ferry_gate_audit *audit;

    start(&ferry_gate_locked);
    audit = ferry_gate_audit(&bench.gate, 2);
    assert_non_null(audit);
    assert_false(runs(2, 1, 5, FERRY_SMP_WRITE));
    assert_false(runs(2, 9, 3, FERRY_SMP_READ));
    assert_true(runs(2, 0, 0, FERRY_SMP_READ));
    assert_int_equal(audit->refused, 2);
    assert_int_equal(audit->last_group, 9);
    assert_int_equal(audit->last_command, 3);
    assert_int_equal(audit->last_op, FERRY_SMP_READ);
    assert_int_equal(ferry_gate_audit(&bench.gate, 1)->refused, 0);
    bench.wires[2].audit.refused = UINT32_MAX; /* they stop, and do not begin anew */
    bench.wires[2].audit.unlocks = UINT32_MAX;
    assert_false(runs(2, 1, 5, FERRY_SMP_WRITE));
    assert_int_equal(ferry_gate_grant(&bench.gate, on(2), FERRY_ACCESS_SERVICE, 1), FERRY_OK);
    assert_int_equal(audit->refused, UINT32_MAX);
    assert_int_equal(audit->unlocks, UINT32_MAX);
    assert_int_equal(audit->last_group, 1);
}

static void standing_is_told(void **state)
{
    (void)state;
    struct ferry_gate_standing standing;

    start(&ferry_gate_locked);
    bench.now = 7;
    assert_int_equal(ferry_gate_grant(&bench.gate, on(0), FERRY_ACCESS_UPDATE, 2), FERRY_OK);
    ferry_gate_look(&bench.gate, on(0), &standing);
    assert_int_equal(standing.level, FERRY_ACCESS_UPDATE);
    assert_int_equal(standing.lowest, FERRY_ACCESS_LOCKED);
    assert_int_equal(standing.highest, FERRY_ACCESS_SERVICE);
    assert_int_equal(standing.left_s, 2);
    bench.now += 1999;
    ferry_gate_look(&bench.gate, on(0), &standing);
    assert_int_equal(standing.left_s, 1);
    bench.now++;
    ferry_gate_look(&bench.gate, on(0), &standing);
    assert_int_equal(standing.level, FERRY_ACCESS_LOCKED);
    assert_int_equal(standing.left_s, 0);
}

/* Payloads of a reset: what they ask for is what group os would read. */
static const struct {
    const char *name;
    bool leads_out;
    size_t len;
    const char *payload;
} resets[] = {
    {"no payload", false, 0, ""},
    {"mode 0", false, 12,
     "\xa1\x69"
     "boot_mode\x00"},
    {"mode 1", true, 12,
     "\xa1\x69"
     "boot_mode\x01"},
    {"mode 1, long form", true, 13,
     "\xa1\x69"
     "boot_mode\x18\x01"},
    {"mode 255", true, 13,
     "\xa1\x69"
     "boot_mode\x18\xff"},
    {"mode 256, no byte", true, 14,
     "\xa1\x69"
     "boot_mode\x19\x01\x00"},
    {"mode 1 << 32", true, 20,
     "\xa1\x69"
     "boot_mode\x1b\x00\x00\x00\x01\x00\x00\x00\x00"},
    {"map without end given", true, 13,
     "\xbf\x69"
     "boot_mode\x01\xff"},
    {"behind force", true, 19,
     "\xa2\x65"
     "force\xf5\x69"
     "boot_mode\x01"},
    {"no number", false, 12,
     "\xa1\x69"
     "boot_mode\xf5"},
    {"cut", false, 11,
     "\xa1\x69"
     "boot_mode"},
};

/* Below service, whatever the lists allow; the same payload is nothing to other commands. */
static void boot_modes_need_service(void **state)
{
    (void)state;
    static const struct ferry_gate_rule any[] = {{FERRY_GATE_ANY, FERRY_GATE_ANY, FERRY_GATE_BOTH}};
    static const struct ferry_gate_list all = {any, 1};
    static const struct ferry_gate_transport row = {.number = FERRY_GATE_ANY,
                                                    .highest = FERRY_ACCESS_SERVICE};
    static const struct ferry_gate_policy generous = {{&all, &all, &all}, &row, 1};

    start(&generous);
    for (int level = FERRY_ACCESS_LOCKED; level <= FERRY_ACCESS_SERVICE; level++) {
        if (level > FERRY_ACCESS_LOCKED) {
            assert_int_equal(
                ferry_gate_grant(&bench.gate, on(1), (enum ferry_access_level)level, 1), FERRY_OK);
        }
        for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
            const struct ferry_bytes payload = {(const uint8_t *)resets[i].payload, resets[i].len};
            bool expected = level == FERRY_ACCESS_SERVICE || !resets[i].leads_out;

            if (runs_with(1, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET, FERRY_SMP_WRITE, payload) !=
                expected) {
                fail_msg("level %d, %s: %s", level, resets[i].name, expected ? "refused" : "ran");
            }
            assert_true(
                runs_with(1, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_ECHO, FERRY_SMP_WRITE, payload));
            assert_true(
                runs_with(1, FERRY_SMP_GROUP_USER, FERRY_SMP_OS_RESET, FERRY_SMP_WRITE, payload));
        }
    }
    start(&ferry_gate_update);
    assert_true(runs(1, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET, FERRY_SMP_WRITE));
    start(&ferry_gate_open);
    assert_true(runs_with(1, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET, FERRY_SMP_WRITE,
                          (struct ferry_bytes){(const uint8_t *)resets[2].payload, 12}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_of_the_default_policies),
        cmocka_unit_test(every_command_of_a_product),
        cmocka_unit_test(transports_are_apart),
        cmocka_unit_test(unknown_commands_are_unknown),
        cmocka_unit_test(never_set_up),
        cmocka_unit_test(wrong_policies),
        cmocka_unit_test(wrong_keys_and_names),
        cmocka_unit_test(without_states_all_is_locked),
        cmocka_unit_test(without_a_clock_it_stays_at_its_lowest),
        cmocka_unit_test(clock_goes_backwards),
        cmocka_unit_test(clock_at_its_end),
        cmocka_unit_test(refusals_are_counted),
        cmocka_unit_test(standing_is_told),
        cmocka_unit_test(boot_modes_need_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance test: every port of ours passes it, and each rule fails for a port that breaks
 * it. */
#include "ferry/conformance.h"
#include "port/posix/nor_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- What was reported ------------------------------------------------------------------ */

static char failures[1000]; /* rules that failed, each with a line feed */

static void report(void *context, const char *rule, const char *why)
{
    int *rules = context;

    (*rules)++;
    if (why != NULL) {
        strncat(failures, rule, sizeof failures - strlen(failures) - 2);
        strcat(failures, "\n");
        assert_true(strlen(why) > 10);
    }
}

static int rules;

static struct ferry_conformance new_run(void)
{
    failures[0] = '\0';
    rules = 0;
    return (struct ferry_conformance){.report = report, .context = &rules};
}

static void expect_all_pass(const struct ferry_conformance *run, uint32_t wanted)
{
    char text[FERRY_CONFORMANCE_SUMMARY_MAX];
    char expected[FERRY_CONFORMANCE_SUMMARY_MAX];

    assert_string_equal(failures, "");
    assert_true(ferry_conformance_summary(run, text));
    snprintf(expected, sizeof expected, "%u passed, 0 failed", wanted);
    assert_string_equal(text, expected);
    assert_int_equal(rules, wanted);
}

/* ---- Flash that keeps the rules ---------------------------------------------------------- */

#define FLASH_RULES  11
#define FIRST_ERASES 28 /* of the first sector, where most is tried */
#define OTHER_ERASES 8  /* of any other; one more of the middle and the last */

static uint8_t memory[0x4000];

static void set_geometry(struct ferry_flash *flash, uint8_t write_size, uint8_t erased_value)
{
    flash->size = 0x3000;
    flash->write_size = write_size;
    flash->erased_value = erased_value;
    flash->run_count = 2;
    flash->runs[0] = (struct ferry_flash_run){8, 0x200};
    flash->runs[1] = (struct ferry_flash_run){2, 0x1000};
}

static void make_ram(struct ferry_flash_ram *ram, uint8_t write_size, uint8_t erased_value)
{
    set_geometry(&ram->flash, write_size, erased_value);
    memset(memory, 0x42, sizeof memory); /* not erased at first */
    assert_int_equal(ferry_flash_ram_init(ram, memory), FERRY_OK);
}

static void ram_flash_passes(void **state)
{
    (void)state;
    for (uint8_t write_size = 1; write_size <= FERRY_FLASH_WRITE_MAX; write_size *= 2) {
        for (int erased = 0; erased <= 0xff; erased += 0xff) {
            struct ferry_flash_ram ram;
            struct ferry_conformance run = new_run();

            make_ram(&ram, write_size, (uint8_t)erased);
            ferry_conformance_flash(&run, &ram.flash);
            expect_all_pass(&run, FLASH_RULES);
            assert_true(ferry_all_equal(memory, ram.flash.size, (uint8_t)erased));
            assert_int_equal(memory[ram.flash.size], 0x42);
        }
    }
}

static void a_slice_passes(void **state)
{
    struct ferry_flash_ram ram;
    struct ferry_flash_slice slice;
    struct ferry_conformance run = new_run();

    (void)state;
    make_ram(&ram, 8, 0xff);
    assert_int_equal(ferry_flash_slice_init(&slice, &ram.flash, 0x400, 0x1c00), FERRY_OK);
    ferry_conformance_flash(&run, &slice.flash);
    expect_all_pass(&run, FLASH_RULES);
    assert_true(ferry_all_equal(memory, 0x400, 0x42));
    assert_true(ferry_all_equal(memory + 0x2000, 0x1000, 0x42));
}

static void nor_file_passes(void **state)
{
    (void)state;
    for (int no_second_write = 0; no_second_write < 2; no_second_write++) {
        char path[] = "/tmp/conformance-XXXXXX";
        struct ferry_nor_file nor = {.no_second_write = no_second_write != 0};
        struct ferry_conformance run = new_run();
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        close(fd);
        set_geometry(&nor.flash, 8, 0xff);
        assert_int_equal(ferry_nor_file_create(path, &nor.flash), FERRY_OK);
        assert_int_equal(ferry_nor_file_open(&nor, path, 0), FERRY_OK);
        ferry_conformance_flash(&run, &nor.flash);
        ferry_nor_file_close(&nor);
        unlink(path);
        expect_all_pass(&run, FLASH_RULES);
    }
}

/* Counts what each sector of a flash is erased. */
struct worn {
    struct ferry_flash flash; /* use this */
    struct ferry_flash_ram inner;
    uint32_t erases[10];
};

static int worn_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    return ferry_flash_read(&((struct worn *)flash->context)->inner.flash, offset, data, len);
}

static int worn_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                        size_t len)
{
    return ferry_flash_program(&((struct worn *)flash->context)->inner.flash, offset, data, len);
}

static int worn_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct worn *worn = flash->context;
    struct ferry_flash_sector sector;

    for (uint32_t i = 0; i < COUNT(worn->erases); i++) {
        assert_int_equal(ferry_flash_sector(flash, i, &sector), FERRY_OK);
        worn->erases[i] += sector.offset >= offset && sector.offset < offset + len;
    }
    return ferry_flash_erase(&worn->inner.flash, offset, len);
}

/* What docs/PORTING.md says the test costs. */
static void a_run_wears_flash_little(void **state)
{
    static const struct ferry_flash_ops ops = {
        .read = worn_read, .program = worn_program, .erase = worn_erase};
    struct worn worn = {0};
    struct ferry_conformance run = new_run();

    (void)state;
    make_ram(&worn.inner, 8, 0xff);
    worn.flash = worn.inner.flash;
    worn.flash.ops = &ops;
    worn.flash.context = &worn;
    ferry_conformance_flash(&run, &worn.flash);
    expect_all_pass(&run, FLASH_RULES);
    assert_int_equal(worn.erases[0], FIRST_ERASES);
    for (uint32_t i = 1; i < COUNT(worn.erases); i++) {
        assert_in_range(worn.erases[i], OTHER_ERASES, OTHER_ERASES + 1);
    }
}

/* ---- Flash that breaks one rule ---------------------------------------------------------- */

enum defect {
    ERASES_TO_ANOTHER_VALUE,
    ERASES_ONE_SECTOR_OF_MANY,
    LEAVES_THE_LAST_BYTE,
    ERASES_DIRTY_ONLY,
    TAKES_THE_NEXT_SECTOR,
    TAKES_THE_SECTOR_BEFORE,
    WRITES_ONE_UNIT_OF_MANY,
    WRITES_THE_NEXT_UNIT,
    ENDS_AT_THE_EDGE,
    LOSES_THE_LAST_UNIT,
    SETS_BITS_BACK,
    REFUSES_AND_WRITES,
    READS_WORDS,
    READS_SO_AND_SO,
    HAS_A_MIRROR,
    DEFECTS
};

struct broken {
    struct ferry_flash flash; /* use this */
    struct ferry_flash_ram inner;
    enum defect defect;
    uint32_t reads;
};

/* Sectors of the small run; what the defects concern. */
#define SECTOR 0x200U

static uint8_t *bytes(struct broken *broken, uint32_t offset)
{
    if (broken->defect == HAS_A_MIRROR && offset >= broken->flash.size / 2) {
        offset -= broken->flash.size / 2;
    }
    return broken->inner.memory + offset;
}

static int broken_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct broken *broken = flash->context;

    if (broken->defect == READS_WORDS) {
        offset &= ~3U;
    }
    for (size_t i = 0; i < len; i++) {
        data[i] = *bytes(broken, offset + (uint32_t)i);
    }
    if (broken->defect == READS_SO_AND_SO && len == 128 && ++broken->reads % 16 == 0) {
        data[7] ^= 0x10;
    }
    return FERRY_OK;
}

static int broken_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                          size_t len)
{
    struct broken *broken = flash->context;
    uint32_t unit = flash->write_size;
    bool second = *bytes(broken, offset) != flash->erased_value;

    if (broken->defect == WRITES_ONE_UNIT_OF_MANY && len > unit) {
        len = unit;
    }
    if (broken->defect == ENDS_AT_THE_EDGE && offset < SECTOR && offset + len > SECTOR) {
        len = SECTOR - offset;
    }
    if (broken->defect == LOSES_THE_LAST_UNIT && offset + len == flash->size) {
        len -= unit;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t *target = bytes(broken, offset + (uint32_t)i);

        *target = broken->defect == SETS_BITS_BACK       ? data[i]
                  : broken->defect == REFUSES_AND_WRITES ? data[i]
                                                         : (uint8_t)(*target & data[i]);
    }
    if (broken->defect == WRITES_THE_NEXT_UNIT && offset + len < flash->size) {
        *bytes(broken, offset + (uint32_t)len) &= 0x7f;
    }
    return broken->defect == REFUSES_AND_WRITES && second ? FERRY_E_NOT_ERASED : FERRY_OK;
}

static int broken_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct broken *broken = flash->context;
    uint32_t end = offset + (uint32_t)len;

    if (broken->defect == ERASES_DIRTY_ONLY && ferry_flash_is_erased(flash, offset, len) == 1) {
        return FERRY_E_FLASH;
    }
    if (broken->defect == ERASES_ONE_SECTOR_OF_MANY) {
        end = offset + SECTOR;
    }
    if (broken->defect == TAKES_THE_NEXT_SECTOR && end < flash->size) {
        end += SECTOR;
    }
    if (broken->defect == TAKES_THE_SECTOR_BEFORE && offset > 0) {
        offset -= SECTOR;
    }
    for (uint32_t at = offset; at < end; at++) {
        *bytes(broken, at) = broken->defect == ERASES_TO_ANOTHER_VALUE ? 0xfe : 0xff;
    }
    if (broken->defect == LEAVES_THE_LAST_BYTE) {
        *bytes(broken, end - 1) = 0x42;
    }
    return FERRY_OK;
}

static const struct ferry_flash_ops broken_ops = {
    .read = broken_read, .program = broken_program, .erase = broken_erase};

static void run_broken(enum defect defect)
{
    struct broken broken = {.defect = defect};
    struct ferry_conformance run = new_run();

    make_ram(&broken.inner, 8, 0xff);
    broken.flash = broken.inner.flash;
    broken.flash.ops = &broken_ops;
    broken.flash.context = &broken;
    ferry_conformance_flash(&run, &broken.flash);
}

/* The rule that names the defect is among those that fail. */
static void each_rule_of_flash_fails(void **state)
{
    static const char *const rules_broken[DEFECTS] = {
        [ERASES_TO_ANOTHER_VALUE] = "flash: erase makes every byte erased_value\n",
        [ERASES_ONE_SECTOR_OF_MANY] = "flash: erase makes every byte erased_value\n",
        [LEAVES_THE_LAST_BYTE] = "flash: erase makes every byte erased_value\n",
        [ERASES_DIRTY_ONLY] = "flash: what is erased can be erased again\n",
        [TAKES_THE_NEXT_SECTOR] = "flash: erase leaves the neighbours alone\n",
        [TAKES_THE_SECTOR_BEFORE] = "flash: erase leaves the neighbours alone\n",
        [WRITES_ONE_UNIT_OF_MANY] = "flash: program writes whole units and nothing beside them\n",
        [WRITES_THE_NEXT_UNIT] = "flash: program writes whole units and nothing beside them\n",
        [ENDS_AT_THE_EDGE] = "flash: program reaches both ends, and over the edge of a sector\n",
        [LOSES_THE_LAST_UNIT] = "flash: program reaches both ends, and over the edge of a sector\n",
        [SETS_BITS_BACK] = "flash: program does not set bits back\n",
        [REFUSES_AND_WRITES] = "flash: program does not set bits back\n",
        [READS_WORDS] = "flash: read takes any offset and length\n",
        [READS_SO_AND_SO] = "flash: the same bytes read the same\n",
        [HAS_A_MIRROR] = "flash: no sector is another one's mirror\n",
    };

    (void)state;
    for (int defect = 0; defect < DEFECTS; defect++) {
        run_broken((enum defect)defect);
        if (strstr(failures, rules_broken[defect]) == NULL) {
            fail_msg("defect %d: not found, but\n%s", defect, failures);
        }
    }
}

/* Where nothing else is touched by a defect, nothing else fails. */
static void a_failure_is_told_alone(void **state)
{
    static const enum defect lone[] = {TAKES_THE_SECTOR_BEFORE, ENDS_AT_THE_EDGE, SETS_BITS_BACK,
                                       REFUSES_AND_WRITES};

    (void)state;
    for (size_t i = 0; i < COUNT(lone); i++) {
        run_broken(lone[i]);
        assert_int_equal(strchr(failures, '\n') - failures + 1, strlen(failures));
    }
}

static void a_geometry_that_cannot_be_is_told(void **state)
{
    struct ferry_flash_ram ram;
    struct ferry_conformance run = new_run();
    char text[FERRY_CONFORMANCE_SUMMARY_MAX];

    (void)state;
    make_ram(&ram, 8, 0xff);
    ram.flash.write_size = 3;
    ferry_conformance_flash(&run, &ram.flash);
    ram.flash.write_size = 8;
    ram.flash.erased_value = 0xfe;
    ferry_conformance_flash(&run, &ram.flash);
    ram.flash.erased_value = 0xff;
    ram.flash.runs[0] = (struct ferry_flash_run){1, 0x2000};
    ram.flash.runs[1] = (struct ferry_flash_run){1, 0x1000}; /* two sectors */
    ferry_conformance_flash(&run, &ram.flash);
    assert_false(ferry_conformance_summary(&run, text));
    assert_string_equal(text, "0 passed, 3 failed");
    assert_int_equal(memory[0], 0x42); /* nothing was tried on it */
}

/* ---- Lines ------------------------------------------------------------------------------- */

#define LINE_RULES 5

enum line_defect {
    SOUND,
    SEVEN_BITS,
    CR_BEFORE_LF,
    XON_XOFF,
    ECHOES_TWICE,
    LOSES_BYTES, /* more at once than its FIFO has */
    FORGETS_THE_REST,
    LINE_DEFECTS
};

struct loop {
    uint8_t fifo[2048];
    size_t len;
    size_t keeps; /* bytes, of the FIFO */
    enum line_defect defect;
    uint32_t sent;
};

static void put(struct loop *loop, uint8_t byte)
{
    if (loop->len < loop->keeps) {
        loop->fifo[loop->len++] = byte;
    }
}

static void loop_send(void *context, const uint8_t *data, size_t len)
{
    struct loop *loop = context;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = loop->defect == SEVEN_BITS ? data[i] & 0x7f : data[i];

        if (loop->defect == CR_BEFORE_LF && byte == '\n') {
            put(loop, '\r');
        }
        if (loop->defect == XON_XOFF && (byte == 0x11 || byte == 0x13)) {
            continue;
        }
        put(loop, byte);
        if (loop->defect == ECHOES_TWICE && ++loop->sent % 300 == 0) {
            put(loop, byte);
        }
    }
}

static size_t loop_receive(void *context, uint8_t *data, size_t cap)
{
    struct loop *loop = context;
    size_t len = loop->len < cap ? loop->len : cap;

    memcpy(data, loop->fifo, len);
    loop->len -= len;
    memmove(loop->fifo, loop->fifo + len, loop->len);
    if (loop->defect == FORGETS_THE_REST) {
        loop->len = 0;
    }
    return len;
}

static void run_line(struct ferry_conformance *run, enum line_defect defect, size_t in_flight,
                     size_t keeps)
{
    struct loop loop = {.defect = defect, .keeps = keeps};
    const struct ferry_conformance_line line = {
        .send = loop_send, .receive = loop_receive, .context = &loop, .in_flight = in_flight};

    *run = new_run();
    put(&loop, 'x'); /* noise from before */
    ferry_conformance_line(run, &line);
}

static void a_sound_line_passes(void **state)
{
    static const size_t sizes[] = {1, 2, 63, 64, 65, 127, 1000};
    struct ferry_conformance run;

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        run_line(&run, SOUND, sizes[i], sizes[i]);
        expect_all_pass(&run, LINE_RULES);
    }
}

static void each_fault_of_a_line_is_found(void **state)
{
    struct ferry_conformance run;

    (void)state;
    for (int defect = SOUND + 1; defect < LINE_DEFECTS; defect++) {
        size_t keeps = defect == LOSES_BYTES ? 100 : 2000;

        run_line(&run, (enum line_defect)defect, 150, keeps);
        assert_true(run.failed > 0);
        assert_int_equal(run.passed + run.failed, LINE_RULES);
    }
    run_line(&run, SOUND, 0, 100);
    assert_int_equal(run.failed, 1);
}

/* The rules about packets fail by themselves where every byte comes back alone. */
static void a_line_that_drops_what_is_left(void **state)
{
    struct ferry_conformance run;

    (void)state;
    run_line(&run, FORGETS_THE_REST, 150, 2000);
    assert_non_null(strstr(failures, "line: packets of 1 to 381 bytes, cut at 124 characters\n"));
    assert_non_null(strstr(failures, "line: packets of 1 to 381 bytes, cut as Zephyr does\n"));
    assert_non_null(strstr(failures, "line: two packets back to back\n"));
    assert_non_null(strstr(failures, "line: a packet behind a line that is too long\n"));
}

/* ---- Clocks ------------------------------------------------------------------------------ */

struct clock {
    uint64_t now;
    uint32_t reads;
    uint32_t waits;
    uint64_t step;    /* a reading */
    uint32_t still;   /* readings before the first step */
    uint32_t back_at; /* reading that goes back; 0 = none */
    uint32_t jump_at;
    bool stopped; /* waiting does not help */
};

static uint64_t now_ms(void *context)
{
    struct clock *clock = context;

    clock->reads++;
    clock->now += clock->reads > clock->still ? clock->step : 0;
    if (clock->reads == clock->back_at) {
        clock->now -= 2;
    }
    if (clock->reads == clock->jump_at) {
        clock->now += 1000000;
    }
    return clock->now;
}

static void wait_a_little(void *context)
{
    struct clock *clock = context;

    clock->waits++;
    clock->now += clock->stopped ? 0 : 3;
}

static void clocks(void **state)
{
    static const struct {
        struct clock clock;
        bool waits;
        const char *failures;
    } cases[] = {
        {{.now = 5, .step = 1}, false, ""},
        {{.now = UINT32_MAX - 100, .step = 1}, false, ""},
        {{.now = 5}, true, ""},
        {{.now = 5}, false, "clock: it goes on\n"},
        {{.now = 5, .still = FERRY_CONFORMANCE_READINGS - 1, .step = 1}, false, ""},
        {{.now = 5, .step = 1, .back_at = 700}, false, "clock: it does not go back\n"},
        {{.now = 5, .step = 1, .jump_at = 1900}, false, "clock: it does not jump\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct clock clock = cases[i].clock;
        struct ferry_conformance run = new_run();

        ferry_conformance_clock(&run, now_ms, cases[i].waits ? wait_a_little : NULL, &clock);
        assert_string_equal(failures, cases[i].failures);
        assert_int_equal(rules, 3);
        assert_int_equal(clock.waits > 0, cases[i].waits);
        assert_true(clock.reads <= FERRY_CONFORMANCE_READINGS + 1);
    }
}

/* Waiting is the port's, and long: a clock that stands still is not waited for so often. */
static void a_clock_that_stands_still_in_spite_of_waiting(void **state)
{
    struct clock clock = {.now = 5, .stopped = true};
    struct ferry_conformance run = new_run();

    (void)state;
    ferry_conformance_clock(&run, now_ms, wait_a_little, &clock);
    assert_string_equal(failures, "clock: it goes on\n");
    assert_true(clock.waits > 0 && clock.waits <= 20);
}

static uint64_t monotonic_ms(void *context)
{
    struct timespec now;

    (void)context;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* As docs/PORTING.md calls it. */
static void a_real_clock_passes(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct ferry_conformance run = new_run();

        ferry_conformance_clock(&run, monotonic_ms, NULL, NULL);
        expect_all_pass(&run, 3);
    }
}

/* ---- Resets ------------------------------------------------------------------------------ */

struct board {
    struct ferry_flash_ram ram;
    uint8_t mode;
    bool comes_back;
    bool loses_mode;
    bool loses_flash;
    uint32_t resets;
    jmp_buf start;
};

static void retain(void *context, uint8_t boot_mode)
{
    ((struct board *)context)->mode = boot_mode;
}

static uint8_t retained(void *context)
{
    return ((struct board *)context)->mode;
}

static void reset(void *context)
{
    struct board *board = context;

    board->resets++;
    if (board->loses_mode) {
        board->mode = 0;
    }
    if (board->loses_flash) {
        memset(memory, 0xff, sizeof memory);
    }
    if (!board->comes_back) {
        longjmp(board->start, 1);
    }
}

static bool run_board(struct board *board)
{
    const struct ferry_conformance_reset port = {.area = &board->ram.flash,
                                                 .retain = retain,
                                                 .retained = retained,
                                                 .reset = reset,
                                                 .context = board};
    static struct ferry_conformance run;

    make_ram(&board->ram, 8, 0xff);
    (void)setjmp(board->start);
    run = new_run();
    return ferry_conformance_reset(&run, &port);
}

static void resets(void **state)
{
    static struct board board;

    (void)state;
    board = (struct board){.mode = 0};
    assert_true(run_board(&board));
    assert_string_equal(failures, "");
    assert_int_equal(rules, 4);
    assert_int_equal(board.resets, 1);
    assert_int_equal(board.mode, 0);

    board = (struct board){.loses_mode = true};
    assert_true(run_board(&board));
    assert_string_equal(failures, "reset: the boot mode is kept\n");

    board = (struct board){.loses_flash = true};
    assert_true(run_board(&board));
    assert_string_equal(failures, "reset: flash keeps what was written\n");

    board = (struct board){.comes_back = true};
    assert_false(run_board(&board));
    assert_string_equal(failures, "reset: the program begins anew\n");
    assert_int_equal(board.mode, 0);
}

static int read_well(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    (void)flash;
    (void)offset;
    memset(data, 0xff, len);
    return FERRY_OK;
}

static int refuse_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                          size_t len)
{
    (void)flash;
    (void)offset;
    (void)data;
    (void)len;
    return FERRY_E_FLASH;
}

static void a_marker_that_cannot_be_written(void **state)
{
    static const struct ferry_flash_ops ops = {.read = read_well, .program = refuse_program};
    struct board board = {.mode = 0};
    struct ferry_flash flash = {.ops = &ops};
    const struct ferry_conformance_reset port = {
        .area = &flash, .retain = retain, .retained = retained, .reset = reset, .context = &board};
    struct ferry_conformance run = new_run();

    (void)state;
    set_geometry(&flash, 8, 0xff);
    assert_false(ferry_conformance_reset(&run, &port));
    assert_string_equal(failures, "reset: a marker can be written\n");
    assert_int_equal(board.resets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ram_flash_passes),
        cmocka_unit_test(a_slice_passes),
        cmocka_unit_test(nor_file_passes),
        cmocka_unit_test(a_run_wears_flash_little),
        cmocka_unit_test(each_rule_of_flash_fails),
        cmocka_unit_test(a_failure_is_told_alone),
        cmocka_unit_test(a_geometry_that_cannot_be_is_told),
        cmocka_unit_test(a_sound_line_passes),
        cmocka_unit_test(each_fault_of_a_line_is_found),
        cmocka_unit_test(a_line_that_drops_what_is_left),
        cmocka_unit_test(clocks),
        cmocka_unit_test(a_clock_that_stands_still_in_spite_of_waiting),
        cmocka_unit_test(a_real_clock_passes),
        cmocka_unit_test(resets),
        cmocka_unit_test(a_marker_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

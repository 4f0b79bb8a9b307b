/* SPDX-License-Identifier: Apache-2.0 */
/* Power that fails at an exact flash operation: a plugin of QEMU.
 *
 *   qemu-system-arm ... -plugin powercut.so[,cut=N][,wait=MS][,out=FILE][,trace=FILE][,op=LO-HI]...
 *
 * A store into one of the windows op=LO-HI (hexadecimal, half open; at most 8) is a flash
 * operation. Without any they are the nRF51's: its flash, where each store programs a word, and
 * NVMC.ERASEPAGE.
 *
 *   cut=N       the process is killed (SIGKILL) right after operation N; 0: never
 *   wait=MS     so long before, for a flash that QEMU writes from another thread
 *   out=FILE    one line is appended at the end or the cut: "EXIT" or "CUT", insns= (up to the end
 *               of the block that is cut), ops=, and the operations of each window
 *   trace=FILE  a line for each operation: its window, from 0 on, and the address */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- QEMU's plugin interface, version 1, as far as it is used; Debian packages no header
 * --------*/

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void qemu_plugin_tb_fn(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void qemu_plugin_mem_fn(unsigned, qemu_plugin_meminfo_t, uint64_t, void *);
typedef void qemu_plugin_exit_fn(qemu_plugin_id_t, void *);

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, qemu_plugin_tb_fn *);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op,
                                                     void *, uint64_t);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, qemu_plugin_mem_fn *,
                                             enum qemu_plugin_cb_flags, enum qemu_plugin_mem_rw,
                                             void *);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, qemu_plugin_exit_fn *, void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED extern int qemu_plugin_version;
EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                 char **argv);

/* ---- What is counted --------------------------------------------------------------------------*/

#define WINDOWS_MAX 8

struct window {
    uint64_t low;
    uint64_t high;
    uint64_t operations;
};

static struct powercut {
    struct window windows[WINDOWS_MAX];
    size_t window_count;
    uint64_t cut;
    uint64_t wait_ms;
    uint64_t instructions;
    uint64_t operations;
    FILE *out;
    FILE *trace;
} powercut;

static const struct window nrf51[] = {
    {.low = 0x00000000, .high = 0x00040000}, /* flash */
    {.low = 0x4001e508, .high = 0x4001e50c}, /* NVMC.ERASEPAGE */
};

static void report(const char *why)
{
    FILE *out = powercut.out != NULL ? powercut.out : stderr;

    fprintf(out, "%s insns=%" PRIu64 " ops=%" PRIu64, why, powercut.instructions,
            powercut.operations);
    for (size_t i = 0; i < powercut.window_count; i++) {
        const struct window *window = &powercut.windows[i];

        fprintf(out, " [%" PRIx64 "-%" PRIx64 "]=%" PRIu64, window->low, window->high,
                window->operations);
    }
    fputc('\n', out);
    fflush(out);
}

/* SIGKILL, as power gives no notice: no handler runs, and nothing is flushed but what the chip
 * wrote. */
static _Noreturn void cut_power(void)
{
    report("CUT");
    if (powercut.trace != NULL) {
        fflush(powercut.trace);
    }
    if (powercut.wait_ms > 0) {
        usleep((useconds_t)powercut.wait_ms * 1000);
    }
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

static struct window *window_of(uint64_t address)
{
    for (size_t i = 0; i < powercut.window_count; i++) {
        struct window *window = &powercut.windows[i];

        if (address >= window->low && address < window->high) {
            return window;
        }
    }
    return NULL;
}

static void on_memory(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *context)
{
    struct window *window;

    (void)cpu;
    (void)context;
    if (!qemu_plugin_mem_is_store(info)) { /* QEMU 7.2 reports loads, too */
        return;
    }
    window = window_of(address);
    if (window == NULL) {
        return;
    }
    window->operations++;
    powercut.operations++;
    if (powercut.trace != NULL) {
        fprintf(powercut.trace, "%td %" PRIx64 "\n", window - powercut.windows, address);
    }
    if (powercut.operations == powercut.cut) {
        cut_power();
    }
}

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    size_t count = qemu_plugin_tb_n_insns(block);

    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64,
                                             &powercut.instructions, count);
    for (size_t i = 0; i < count; i++) {
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(block, i), on_memory,
                                         QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, NULL);
    }
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *context)
{
    (void)id;
    (void)context;
    report("EXIT");
    if (powercut.trace != NULL) {
        fflush(powercut.trace);
    }
}

/* ---- Arguments --------------------------------------------------------------------------------*/

static bool refuse(const char *name, const char *value, const char *why, const char *next)
{
    fprintf(stderr, "powercut: %s=%s: %s\n  next: %s\n", name, value, why, next);
    return false;
}

static bool read_number(const char *name, const char *value, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0) {
        return refuse(name, value, "this is no number", "give a decimal number");
    }
    return true;
}

static bool parse_window(const char *text, struct window *window)
{
    char *end;

    window->low = strtoull(text, &end, 16);
    if (end == text || *end != '-') {
        return false;
    }
    text = end + 1;
    window->high = strtoull(text, &end, 16);
    return end != text && *end == '\0' && window->high > window->low;
}

static bool read_window(const char *value)
{
    struct window window = {0};

    if (powercut.window_count == WINDOWS_MAX) {
        return refuse("op", value, "there are 8 windows already", "join some of them");
    }
    if (!parse_window(value, &window)) {
        return refuse("op", value, "this is no range of addresses",
                      "give the first and the one behind the last, hexadecimal, as op=0-40000");
    }
    powercut.windows[powercut.window_count++] = window;
    return true;
}

static bool open_file(const char *name, const char *value, const char *mode, FILE **file)
{
    *file = fopen(value, mode);
    return *file != NULL || refuse(name, value, strerror(errno), "give a file that can be written");
}

static bool read_argument(const char *name, const char *value)
{
    if (strcmp(name, "cut") == 0) {
        return read_number(name, value, &powercut.cut);
    }
    if (strcmp(name, "wait") == 0) {
        return read_number(name, value, &powercut.wait_ms);
    }
    if (strcmp(name, "out") == 0) {
        return open_file(name, value, "a", &powercut.out);
    }
    if (strcmp(name, "trace") == 0) {
        return open_file(name, value, "w", &powercut.trace);
    }
    if (strcmp(name, "op") == 0) {
        return read_window(value);
    }
    return refuse(name, value, "there is no such argument",
                  "give cut=N, wait=MS, out=FILE, trace=FILE, op=LO-HI");
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        if (value == NULL) {
            refuse(argv[i], "", "it has no value", "give each argument as NAME=VALUE");
            return -1;
        }
        *value++ = '\0';
        if (!read_argument(argv[i], value)) {
            return -1;
        }
    }
    if (powercut.window_count == 0) {
        memcpy(powercut.windows, nrf51, sizeof nrf51);
        powercut.window_count = sizeof nrf51 / sizeof nrf51[0];
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}

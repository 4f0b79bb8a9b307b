/* SPDX-License-Identifier: Apache-2.0 */
/* What a person, or a program, says to the carrier's shell, and is told. */
#include "firmware/chips/carrier/carrier.h"
#include "port/chip/chip.h"

#include <string.h>

/* Results beside those of ferry/group_shell.h: errno's. */
#define FAILED (-5)  /* EIO */
#define BUSY   (-16) /* EBUSY */

typedef const struct ferry_shell_output writer;

/* ---- Words ------------------------------------------------------------------------------------
 */

static void say(writer *out, const char *words)
{
    out->write(out, words, ferry_text_length(words));
}

static void say_number(writer *out, uint32_t number)
{
    char digits[11];

    digits[ferry_text_decimal(digits, number, 1)] = '\0';
    say(out, digits);
}

static void say_hash(writer *out, const uint8_t *hash, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        const char pair[] = {digits[hash[i] >> 4], digits[hash[i] & 15], '\0'};

        say(out, pair);
    }
}

static void say_version(writer *out, const struct ferry_version *version)
{
    char text[FERRY_VERSION_TEXT_MAX];

    (void)ferry_version_text(version, text);
    say(out, text);
}

static void say_next(writer *out, const char *remedy)
{
    if (remedy[0] != '\0') {
        say(out, "next: ");
        say(out, remedy);
        say(out, "\n");
    }
}

/* ---- What it has come to ----------------------------------------------------------------------
 */

static void tell_busy(const struct carry_report *report, writer *out)
{
    say(out, "busy: ");
    say_version(out, &report->version);
    say(out, ", step ");
    say(out, ferry_update_step_name(report->step));
    say(out, ", ");
    say_number(out, (uint32_t)((uint64_t)report->acked * 100 / report->total));
    say(out, " % (");
    say_number(out, report->acked);
    say(out, " of ");
    say_number(out, report->total);
    say(out, " bytes)\n");
    say(out, report->text);
    say(out, "\n");
    say_next(out, report->remedy);
}

static void tell_done(const struct carry_report *report, writer *out)
{
    say(out, "done: the other chip runs ");
    say(out, report->proof.version);
    say(out, report->already ? ", confirmed; it did already\nhash: " : ", confirmed\nhash: ");
    say_hash(out, report->proof.hash, report->proof.hash_len);
    say(out, "\n");
}

static void tell_failed(const struct carry_report *report, writer *out)
{
    say(out, "failed");
    if (report->started) {
        say(out, " at step ");
        say(out, ferry_update_step_name(report->step));
    }
    say(out, ": ");
    say(out, report->text);
    say(out, " (");
    say(out, ferry_error_name(report->error));
    say(out, ")\n");
    say_next(out, report->remedy);
}

static int status(struct carry *carry, writer *out)
{
    const struct carry_report *report = &carry->report;

    switch (report->state) {
    case CARRY_IDLE:
        say(out, "idle: nothing was carried since the start\n");
        say_next(out, "upload an image with number 1, then `carry`");
        break;
    case CARRY_BUSY:
        tell_busy(report, out);
        break;
    case CARRY_DONE:
        tell_done(report, out);
        break;
    case CARRY_FAILED:
        tell_failed(report, out);
        return FAILED;
    }
    return FERRY_SHELL_DONE;
}

/* ---- Commands ---------------------------------------------------------------------------------
 */

static int start(struct carry *carry, writer *out)
{
    if (carry->report.state == CARRY_BUSY) {
        say(out, "it carries already\n");
        say_next(out, "`carry status`, or `carry stop`");
        return BUSY;
    }
    carry_start(carry, &chip_store, chip_now_ms());
    return status(carry, out);
}

static int stop(struct carry *carry, writer *out)
{
    carry_stop(carry, chip_now_ms());
    (void)status(carry, out); /* that it failed is what was asked for */
    return FERRY_SHELL_DONE;
}

static const struct {
    const char *line;
    int (*run)(struct carry *carry, writer *out);
} commands[] = {{"carry", start}, {"carry status", status}, {"carry stop", stop}};

int carrier_command(void *context, const char *line, size_t len, writer *output)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (ferry_text_length(commands[i].line) == len &&
            memcmp(commands[i].line, line, len) == 0) {
            return commands[i].run(context, output);
        }
    }
    say(output, "no such command\n");
    say_next(output, "`carry`, `carry status` or `carry stop`");
    return FERRY_SHELL_NO_COMMAND;
}

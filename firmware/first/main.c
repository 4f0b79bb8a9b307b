/* SPDX-License-Identifier: Apache-2.0 */
/* The immutable first stage of the virtual device ("B0"): lets the engine choose one of two
 * bootloaders, says on the serial line what it did, and starts it. Nobody updates it. */
#include "firmware/common/first.h"
#include "firmware/common/text.h"

/* Bites when this program hangs, and a bootloader that does not arm it anew. */
#define WATCHDOG_MS 10000

struct b0 {
    struct vchip chip;
    struct first first;
    uint8_t buf[4096];
};

static struct b0 b0;

static void feed(void *context)
{
    (void)context;
    vchip_feed(&b0.chip);
}

/* ---- Words ---------------------------------------------------------------------------------- */

static struct text begin_line(void)
{
    struct text line = {0};

    (void)text_add(&line, "b0: ");
    return line;
}

static void print_line(struct text *line)
{
    vchip_print(&b0.chip, text_add(line, "\n")->chars);
}

static const char *slot_name(uint32_t slot)
{
    return slot == 0 ? "S0" : "S1";
}

static void print_refusal(uint32_t slot, const struct ferry_first_report *report)
{
    struct text line = begin_line();

    if (report->reasons[slot] == FERRY_OK) {
        return;
    }
    text_add(text_add(&line, slot_name(slot)), " may not run: ");
    text_add(&line, ferry_error_text(report->reasons[slot]));
    print_line(text_add(&line, report->invalidated[slot] ? "; given up for good" : ""));
}

static void print_settled(const struct ferry_first_report *report)
{
    struct text line = begin_line();

    if (report->revoked > 0) {
        text_number(text_add(&line, "older keys revoked: "), (uint32_t)report->revoked);
        print_line(&line);
        line = begin_line();
    }
    if (report->raised == 1) {
        text_number(text_add(&line, "no bootloader below "), report->stage.info.version);
        print_line(text_add(&line, " runs from now on"));
        line = begin_line();
    }
    int failed = report->revoked < 0 ? report->revoked : report->raised < 0 ? report->raised : 0;
    if (failed != 0) {
        text_add(text_add(&line, "provision data not written: "), ferry_error_text(failed));
        print_line(&line);
    }
}

/* ---- The boot -------------------------------------------------------------------------------- */

/* Nothing can be done here but to wait for a person. */
static _Noreturn void halt(int why)
{
    struct text line = begin_line();

    text_add(text_add(&line, "stopped: "), ferry_error_text(why));
    print_line(text_add(&line, "; program S0 and the provision data by debugger: end ferry-device, "
                               "start it with --reflash AREA=FILE (docs/FIRST.md)"));
    for (;;) {
        vchip_feed(&b0.chip);
        vchip_wait(&b0.chip, WATCHDOG_MS / 4);
    }
}

static _Noreturn void start(const struct ferry_first_report *report)
{
    const struct ferry_first_info *info = &report->stage.info;
    const struct ferry_first_place *place = &b0.first.first.slots[report->slot];
    uint32_t skip = info->boot_address - info->address;
    struct vchip_program program = {
        .memory = place->address / FERRY_VCHIP_SPAN,
        .offset = place->address % FERRY_VCHIP_SPAN + skip,
        .size = info->size - skip,
        .slots = {report->slot},
    };
    struct text line = begin_line();

    text_add(text_add(&line, "starting "), slot_name(report->slot));
    text_number(text_add(&line, ", version "), info->version);
    print_line(&line);
    vchip_feed(&b0.chip);
    vchip_boot(&b0.chip, &program);
}

int main(void)
{
    struct ferry_first_report report;
    int result = vchip_open(&b0.chip, NULL, NULL);

    if (result != FERRY_OK) {
        return 1;
    }
    vchip_watchdog(&b0.chip, WATCHDOG_MS);
    result = first_read(&b0.first, &b0.chip);
    if (result == FERRY_OK && !b0.first.there) {
        result = FERRY_E_CONFIG;
    }
    if (result != FERRY_OK) {
        halt(result);
    }
    b0.first.first.buf = b0.buf;
    b0.first.first.buf_size = sizeof(b0.buf);
    b0.first.first.feed = feed;
    result = ferry_first_select(&b0.first.first, &report);
    for (uint32_t slot = 0; slot < 2; slot++) {
        print_refusal(slot, &report);
    }
    if (result != FERRY_OK) {
        halt(result);
    }
    print_settled(&report);
    start(&report);
}

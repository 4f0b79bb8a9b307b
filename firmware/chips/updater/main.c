/* SPDX-License-Identifier: Apache-2.0 */
/* A chip that updates another one of its kind, over its only wire: the image to be carried lies in
 * its secondary, the button begins, and the light tells how it went:
 *
 *   dark                             not begun
 *   blinks                           under way
 *   on                               done: the other chip runs the image, confirmed
 *   n flashes and a pause            failed at step n, counted as in docs/CHIPS.md
 *
 * The button begins again. A debugger finds the whole story in updater_result. */
#include "firmware/chips/common/carry.h"
#include "port/chip/chip.h"

#define FEED_MS  1000 /* the bootloader's watchdog bites after 8 s */
#define BLINK_MS 100
#define PAUSE    8 /* blinks */

#define LINK_BYTES_PER_SECOND 11520

static struct carry carry;

/* What the light cannot tell, for a debugger, which finds it by its name. */
volatile struct {
    uint32_t begun; /* so often, since the start */
    uint32_t state; /* of the last: enum carry_state */
    uint32_t step;  /* enum ferry_update_step */
    uint32_t acked; /* bytes, of total */
    uint32_t total;
    int32_t error;
    const char *text; /* what, and why; what to do next */
    const char *remedy;
    uint8_t hash[FERRY_SHA256_SIZE]; /* of DONE: what the other chip runs, as it lists it */
} updater_result;

static size_t read_link(void *context, uint8_t *data, size_t cap)
{
    (void)context;
    return chip_read(CHIP_WIRE_HOST, data, cap); /* there is no host */
}

static void write_link(void *context, const uint8_t *data, size_t len)
{
    (void)context;
    chip_write(CHIP_WIRE_HOST, data, len);
}

static const struct carry_link wire = {.read = read_link,
                                       .write = write_link,
                                       .feed = chip_feed,
                                       .bytes_per_second = LINK_BYTES_PER_SECOND};

/* A press begins, holding does not. */
static void begin_if_asked(void)
{
    static bool was_down;
    bool down = chip_button();

    if (down && !was_down && carry.report.state != CARRY_BUSY) {
        updater_result.begun++;
        carry_start(&carry, &chip_secondary, chip_now_ms());
    }
    was_down = down;
}

static bool is_lit(const struct carry_report *report, uint32_t blink)
{
    uint32_t flashes = (uint32_t)report->step + 1;

    switch (report->state) {
    case CARRY_IDLE:
        return false;
    case CARRY_BUSY:
        return blink % 2 == 0;
    case CARRY_DONE:
        return true;
    case CARRY_FAILED:
        break;
    }
    blink = blink / 2 % (2 * flashes + PAUSE); /* slower */
    return blink < 2 * flashes && blink % 2 == 0;
}

static void tell(const struct carry_report *report)
{
    updater_result.step = report->step;
    updater_result.acked = report->acked;
    updater_result.total = report->total;
    updater_result.error = report->error;
    updater_result.text = report->text;
    updater_result.remedy = report->remedy;
    for (size_t i = 0; i < sizeof(updater_result.hash); i++) {
        updater_result.hash[i] = report->proof.hash[i];
    }
    updater_result.state = report->state; /* the last, so that the rest is complete */
}

int main(void)
{
    chip_init();
    carry_init(&carry, &wire);
    for (;;) {
        uint64_t now = chip_now_ms();
        uint64_t due = carry_due(&carry);

        chip_wait(due < now + BLINK_MS ? due : now + BLINK_MS);
        chip_feed(NULL);
        begin_if_asked();
        carry_turn(&carry, chip_now_ms());
        tell(&carry.report);
        chip_light(is_lit(&carry.report, (uint32_t)(chip_now_ms() / BLINK_MS)));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The boot report in words, one line an image. */
#include "report.h"

struct text report_begin(uint32_t number)
{
    struct text line = {0};

    text_add(text_number(text_add(&line, "boot: image "), number), ": ");
    return line;
}

/* With both sides of a security counter. */
static void add_reason(struct text *line, const struct ferry_boot_image_report *image)
{
    text_add(line, ferry_error_text(image->reason));
    if (image->reason == FERRY_E_COUNTER && image->counters.known) {
        text_number(text_add(line, " ("), image->counters.image);
        text_number(text_add(line, ", and it demands "), image->counters.least);
        text_add(line, ")");
    }
    if (image->reason == FERRY_E_DEPENDENCY && image->need.known) {
        text_number(text_add(line, ": image "), image->need.image);
        text_version(text_add(line, " in version "), &image->need.version);
        text_add(line, " or newer");
    }
    text_add(text_add(line, "; "), ferry_error_remedy(image->reason));
}

static const char *slot_name(uint32_t slot)
{
    return slot == 0 ? "primary" : "secondary";
}

/* The slot counts where images run in it. */
static void add_running(struct text *line, const struct ferry_strategy_traits *traits,
                        const struct ferry_boot_image_report *image)
{
    text_version(line, &image->info.header.version);
    if (traits->in_place && traits->slot_count > 1) {
        text_add(text_add(line, " of the "), slot_name(image->slot));
        text_add(line, " slot");
    }
}

static void add_refusal(struct text *line, const struct ferry_strategy_traits *traits,
                        const struct ferry_boot_image_report *image)
{
    uint32_t slot = traits->in_place && image->slot == 1 ? 0 : 1;

    text_version(line, &image->refused);
    text_add(text_add(line, " in the "), slot_name(slot));
    add_reason(text_add(line, " slot refused: "), image);
    add_running(text_add(line, "; "), traits, image);
    text_add(line, " still runs");
}

/* Why an old image is back: nobody confirmed the new one, or it was damaged. */
static void add_revert(struct text *line, const struct ferry_strategy_traits *traits,
                       const struct ferry_boot_image_report *image, uint32_t cause)
{
    add_running(text_add(line, "reverted to "), traits, image);
    if (image->reason != FERRY_OK) {
        text_add(text_add(line, ", for the new image could not run: "),
                 ferry_error_text(image->reason));
    } else if (cause == FERRY_VCHIP_EXPIRED) {
        text_add(line, ": the new image was not confirmed, and the watchdog bit");
    } else if (cause == FERRY_VCHIP_FAULT) {
        text_add(line, ": the new image was not confirmed, and crashed");
    } else {
        text_add(line, ": the new image was not confirmed");
    }
}

static void add_action(struct text *line, const struct ferry_strategy_traits *traits,
                       const struct ferry_boot_image_report *image, uint32_t cause)
{
    switch (image->action) {
    case FERRY_BOOT_RAN:
        add_running(line, traits, image);
        text_add(line, " runs");
        break;
    case FERRY_BOOT_UPGRADED:
        add_running(text_add(line, "upgraded to "), traits, image);
        text_add(line, ", for good");
        break;
    case FERRY_BOOT_TESTING:
        add_running(text_add(line, "upgraded for a test to "), traits, image);
        break;
    case FERRY_BOOT_REVERTED:
        add_revert(line, traits, image, cause);
        break;
    case FERRY_BOOT_REFUSED:
        add_refusal(line, traits, image);
        break;
    case FERRY_BOOT_STOPPED:
        add_reason(text_add(line, "nothing may run: "), image);
        break;
    }
}

static void add_failure(struct text *line, const struct ferry_boot_failure *failure)
{
    static const char *const areas[] = {"", "primary slot", "secondary slot", "scratch area"};

    if (failure->area == FERRY_AREA_NONE || failure->area > FERRY_AREA_SCRATCH) {
        return;
    }
    text_number(text_add(line, "; the flash failed in sector "), failure->sector);
    text_add(text_add(line, " of the "), areas[failure->area]);
}

/* The image runs unconfirmed: how much longer it may. */
static void add_trial(struct text *line, const struct ferry_slots *slots,
                      const struct ferry_boot_image_report *image,
                      const struct ferry_vchip_start *start)
{
    struct ferry_trial trial;

    if (slots->store == NULL || start->trials == 0 ||
        ferry_trial_read(slots, image->info.digest, &trial) != FERRY_OK) {
        text_add(line, "; unconfirmed: the next reset reverts it");
        return;
    }
    text_number(text_add(line, "; unconfirmed: trial "), trial.used + 1U);
    text_number(text_add(line, " of "), start->trials);
    if (trial.power > 0 && start->cause == FERRY_VCHIP_POWER_ON) {
        text_add(line, "; the power failed before the firmware marked its start: not counted");
    }
}

struct text report_image(const struct board *board, const struct vchip *chip, uint32_t number,
                         const struct ferry_boot_image_report *image)
{
    const struct ferry_slots *slots = &board->images.slots[number];
    struct text line = report_begin(number);

    if (image->resumed) {
        text_add(&line, "an interrupted swap was finished; ");
    }
    add_action(&line, slots->strategy, image, chip->start.cause);
    add_failure(&line, &image->failure);
    if (image->action != FERRY_BOOT_STOPPED && image->next == FERRY_SWAP_REVERT) {
        add_trial(&line, slots, image, &chip->start);
    }
    return line;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the bootloader keeps beyond a boot, in the store: trials, confirms and the report. */
#include "core/boot/swap.h"
#include "core/image/image_record.h"

static int forget_confirmed(const struct ferry_slots *slots)
{
    return ferry_store_put(slots->store, (uint16_t)(FERRY_STORE_KEY_CONFIRMED + slots->number),
                           NULL, 0);
}

static int forget(const struct ferry_boot_swap *swap)
{
    int rc = ferry_trial_forget(swap->slots);

    if (rc != FERRY_E_POWER) {
        rc = forget_confirmed(swap->slots);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

static int has_trials_left(const struct ferry_boot_swap *swap)
{
    const struct ferry_boot_config *config = swap->config;
    struct ferry_image_info info;

    if (config->trials == 0) {
        return 0;
    }

    int rc = ferry_image_inspect(swap->primary, &info);

    if (rc == FERRY_OK) {
        rc = ferry_trial_next(swap->slots, info.digest, config->cause, config->trials);
    }
    return rc == 1 || rc == FERRY_E_POWER ? rc : 0;
}

static int record(const struct ferry_boot_swap *swap, const struct ferry_boot_image_report *report)
{
    struct ferry_why why = {.action = report->action,
                            .reason = report->reason,
                            .resumed = report->resumed,
                            .failure = report->failure};

    if (report->action == FERRY_BOOT_RAN) {
        return FERRY_OK;
    }
    if (report->reason == FERRY_E_COUNTER) {
        why.counters = report->counters;
    }
    if (report->reason == FERRY_E_DEPENDENCY) {
        why.need = report->need;
    }
    if (report->action != FERRY_BOOT_STOPPED) {
        why.running = report->info.header.version;
    }
    why.version = report->action == FERRY_BOOT_REFUSED ? report->refused : why.running;

    int rc = ferry_why_write(swap->slots->store, swap->slots->number, &why);

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

const struct ferry_boot_memory ferry_boot_in_store = {.trial_next = ferry_trial_next,
                                                      .trial_forget = ferry_trial_forget,
                                                      .is_confirmed = ferry_confirmed_read,
                                                      .why = ferry_why_write,
                                                      .forget = forget,
                                                      .has_trials_left = has_trials_left,
                                                      .record = record};

/* SPDX-License-Identifier: Apache-2.0 */
/* What the bootloader keeps beyond a boot, in the store: trials, confirms and the report. */
#include "core/image/image_record.h"
#include "ferry/boot.h"

static int forget_confirmed(const struct ferry_slots *slots)
{
    return ferry_store_put(slots->store, (uint16_t)(FERRY_STORE_KEY_CONFIRMED + slots->number),
                           NULL, 0);
}

const struct ferry_boot_memory ferry_boot_in_store = {.trial_next = ferry_trial_next,
                                                      .trial_forget = ferry_trial_forget,
                                                      .is_confirmed = ferry_confirmed_read,
                                                      .forget_confirmed = forget_confirmed,
                                                      .why = ferry_why_write};

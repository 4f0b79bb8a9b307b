/* SPDX-License-Identifier: Apache-2.0 */
/* One slot: the image in it runs, and there is nothing to ask for or to record. */
#include "ferry/slots.h"

static int next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    (void)slots;
    *next = (struct ferry_slots_next){0, FERRY_SWAP_NONE};
    return FERRY_OK;
}

static int set_pending(const struct ferry_slots *slots, bool permanent)
{
    (void)slots;
    (void)permanent;
    return FERRY_E_UNSUPPORTED;
}

static int confirm(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

static int cancel(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_E_UNSUPPORTED;
}

const struct ferry_slots_state ferry_slots_single = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm, .cancel = cancel};

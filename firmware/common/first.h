/* SPDX-License-Identifier: Apache-2.0 */
/* The board's first stage: its slots, its provision data. */
#ifndef FIRMWARE_COMMON_FIRST_H
#define FIRMWARE_COMMON_FIRST_H

#include "ferry/first.h"
#include "port/vchip/vchip.h"

struct first {
    bool there; /* the board has one */
    struct ferry_first first;
    struct ferry_flash_slice slots[2];
    struct ferry_flash_slice provision;
};

/* Fill first, which stays where it is afterwards; workspace and hooks are the caller's to set.
 * Returns FERRY_OK, also for a board without a first stage, or an error. */
FERRY_MUST_CHECK
int first_read(struct first *first, const struct vchip *chip);

#endif

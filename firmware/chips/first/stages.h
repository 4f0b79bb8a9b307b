/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's first stage: its two slots for bootloaders, its provision data. */
#ifndef FIRMWARE_CHIPS_FIRST_STAGES_H
#define FIRMWARE_CHIPS_FIRST_STAGES_H

#include "ferry/first.h"

/* Fill first with what the chip has. active: the slot that runs; 0 in the first stage itself. */
void stages_read(struct ferry_first *first, uint8_t active);

#endif

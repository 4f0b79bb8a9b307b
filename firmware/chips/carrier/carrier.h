/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the carrier: what it stores, and what people type. */
#ifndef FIRMWARE_CHIPS_CARRIER_CARRIER_H
#define FIRMWARE_CHIPS_CARRIER_CARRIER_H

#include "firmware/chips/common/carry.h"

#include "ferry/group_shell.h"
#include "ferry/slots.h"

/* Image 0 is this firmware, image 1 the one for the other chip. */
#define CARRIER_IMAGES 2
#define CARRIER_STORED 1

/* The slots of both; active says which one this firmware was loaded from. */
const struct ferry_slots *carrier_slots(uint8_t active);

/* A line of the shell: `carry`, `carry status`, `carry stop`. context is the struct carry. Returns
 * as run of struct ferry_shell_group_config. */
int carrier_command(void *context, const char *line, size_t len,
                    const struct ferry_shell_output *output);

#endif

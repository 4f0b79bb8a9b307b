/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os, for chips with little flash: echo, reset, parameters, the bootloader's name
 * and mode. [smp.md §3.0] */
#ifndef FERRY_GROUP_OS_SMALL_H
#define FERRY_GROUP_OS_SMALL_H

#include "ferry/server.h"
#include "ferry/slots.h"

/* The state of the group: set the strategy, zero the rest, and look at it after every answer. */
struct ferry_os_small {
    const struct ferry_strategy_traits *strategy; /* whose mode is told; NULL = it is not known */
    bool reset_due;    /* a reset was asked for: do it once the answer has left */
    uint8_t boot_mode; /* that it was asked with: 0 normal, 1 stay in the bootloader (recovery) */
};

/* Mount it with a struct ferry_os_small * as context. A reset can be neither refused nor forced,
 * and the observer is not told of it. */
extern const struct ferry_group ferry_os_small_table;

#endif

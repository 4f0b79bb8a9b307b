/* SPDX-License-Identifier: Apache-2.0 */
/* What the libraries leave on the stack. */
#include "burn.h"

#include "ferry/bytes.h"

/* More than the deepest of the libraries' calls, which tests/unit/chip_secrets.c sees to. */
#define DEEP    3584
#define SHALLOW 1024

__attribute__((noinline)) void ferry_burn_deep(void)
{
    uint8_t frame[DEEP];

    ferry_wipe(frame, sizeof frame);
}

__attribute__((noinline)) void ferry_burn_shallow(void)
{
    uint8_t frame[SHALLOW];

    ferry_wipe(frame, sizeof frame);
}

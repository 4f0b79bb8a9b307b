/* SPDX-License-Identifier: Apache-2.0 */
/* The boot mode in RAM, which a reset leaves alone: the mode, and the same inverted, since RAM has
 * anything in it after power-on. */
#include "port/chip/parts.h"

void chip_keep_boot_mode(uint8_t mode)
{
    ram_boot_mode[0] = mode;
    ram_boot_mode[1] = ~(uint32_t)mode;
}

static bool is_kept(void)
{
    return ram_boot_mode[0] == ~ram_boot_mode[1];
}

uint8_t chip_take_boot_mode(void)
{
    uint8_t mode = is_kept() ? (uint8_t)ram_boot_mode[0] : 0;

    chip_keep_boot_mode(0);
    return mode;
}

bool chip_was_powered_on(void)
{
    return !is_kept();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of a port that several chips take from this folder, and a chip's own files. */
#ifndef PORT_CHIP_PARTS_H
#define PORT_CHIP_PARTS_H

#include "port/chip/chip.h"

/* clock.c. A millisecond has passed: the chip's timer says so, from its interrupt. */
void chip_tick(void);

/* … and asks the chip, with interrupts off: whether bytes wait on any wire. */
bool chip_has_bytes(void);

/* kept_in_ram.c. Two words of RAM that no program uses, of the linker script. */
extern volatile uint32_t ram_boot_mode[2];

#endif

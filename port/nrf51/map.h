/* SPDX-License-Identifier: Apache-2.0 */
/* What is where in an nRF51822 with 256 KiB of flash and 16 KiB of RAM, for C and linker scripts.
 * firmware/chips/nrf51/layout.json says the same of flash. MAP_WITH_FIRST_STAGE: in one with an
 * immutable first stage. */
#ifndef PORT_NRF51_MAP_H
#define PORT_NRF51_MAP_H

#define MAP_PAGE 0x400 /* bytes that one erase takes */

#ifdef MAP_WITH_FIRST_STAGE
#include "port/nrf51/map_first.h"
#else
#define MAP_BOOTLOADER      0x00000
#define MAP_BOOTLOADER_SIZE 0x08000
#define MAP_PRIMARY         0x08000
#define MAP_SECONDARY       0x21000
#define MAP_SLOT_SIZE       0x19000 /* 100 KiB */
#endif

/* The image header in front of a program. */
#define MAP_HEADER_SIZE 0x20

/* The first words of RAM outlive a reset, and belong to no program: where the running program's
 * vectors are, the boot mode, and which bootloader the first stage started. */
#define MAP_RAM           0x20000000
#define MAP_RAM_SIZE      0x4000
#define MAP_RAM_VECTORS   0x20000000
#define MAP_RAM_BOOT_MODE 0x20000004
#define MAP_RAM_STAGE     0x2000000c
#define MAP_RAM_KEPT      0x10 /* bytes */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What is where in an nRF52840, with 1 MiB of flash and 256 KiB of RAM, for C and linker scripts.
 * firmware/chips/nrf52/layout.json says the same of flash. Behind the slots 48 KiB are the
 * product's, for settings. */
#ifndef PORT_NRF52_MAP_H
#define PORT_NRF52_MAP_H

#define MAP_PAGE 0x1000 /* bytes that one erase takes */

#define MAP_BOOTLOADER      0x00000
#define MAP_BOOTLOADER_SIZE 0x0c000 /* 48 KiB */
#define MAP_PRIMARY         0x0c000
#define MAP_SECONDARY       0x80000
#define MAP_SLOT_SIZE       0x74000 /* 464 KiB */

/* The image header in front of a program, whose vectors must begin at a multiple of their size:
 * 64 words. */
#define MAP_HEADER_SIZE 0x200

#define MAP_RAM      0x20000000
#define MAP_RAM_SIZE 0x40000

#endif

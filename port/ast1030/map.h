/* SPDX-License-Identifier: Apache-2.0 */
/* What is where in an AST1030 with 768 KiB of SRAM and 4 MiB of SPI flash, for C and linker
 * scripts. firmware/chips/ast1030/layout.json says the same of flash. */
#ifndef PORT_AST1030_MAP_H
#define PORT_AST1030_MAP_H

/* ---- Flash, offsets in the part ---------------------------------------------------------------
 */

#define MAP_SECTOR 0x1000 /* bytes that one erase takes */
#define MAP_PAGE   0x100  /* bytes that one program takes at most */

/* The first 64 KiB are the bootloader's: the boot ROM loads it from there. */
#define MAP_PRIMARY    0x010000
#define MAP_SECONDARY  0x090000
#define MAP_SLOT_SIZE  0x080000 /* 512 KiB */
#define MAP_STORE      0x110000
#define MAP_STORE_SIZE 0x100000 /* 1 MiB */

/* ---- SRAM -------------------------------------------------------------------------------------
 */

#define MAP_BOOTLOADER      0x00000
#define MAP_BOOTLOADER_SIZE 0x10000

/* Where an image is loaded to, header first, and runs. The header has the room that the vectors
 * behind it need to be where the processor takes them. */
#define MAP_LOAD        0x10000
#define MAP_LOAD_SIZE   0x80000 /* 512 KiB */
#define MAP_HEADER_SIZE 0x200

/* Its first bytes outlive a reset, and belong to no program: the boot mode, and what the bootloader
 * tells the image. */
#define MAP_RAM           0x90000
#define MAP_RAM_SIZE      0x30000 /* 192 KiB */
#define MAP_RAM_BOOT_MODE 0x90000
#define MAP_RAM_SHARED    0x90010
#define MAP_RAM_KEPT      0x400 /* bytes */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What is where with an immutable first stage, in a member of the family with 512 KiB of flash:
 * firmware/chips/nrf51/layout-first.json says the same. */
#ifndef PORT_NRF51_MAP_FIRST_H
#define PORT_NRF51_MAP_FIRST_H

#define MAP_FIRST      0x00000
#define MAP_FIRST_SIZE 0x07c00
#define MAP_PROVISION  0x07c00 /* a page */
#define MAP_S0         0x08000
#define MAP_S1         0x1c000
#define MAP_STAGING    0x30000 /* an image for S0 or S1 */
#define MAP_STAGE_SIZE 0x14000 /* 80 KiB */
#define MAP_PRIMARY    0x44000
#define MAP_SECONDARY  0x5d000
#define MAP_SLOT_SIZE  0x19000 /* 100 KiB */

/* The image header in front of a bootloader, and where behind its vectors fw_info is. */
#define MAP_STAGE_HEADER_SIZE 0x200
#define MAP_STAGE_INFO        0x200

#endif

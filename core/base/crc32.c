/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 with a table of 16 words. */
#include "ferry/crc.h"

/* What four bits that leave the register feed back: 0xedb88320 is the polynomial 0x04c11db7, its
 * bits in reverse. A table for whole bytes would be twice as fast and take 1 KiB. */
static const uint32_t feedback[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t ferry_crc32(uint32_t crc, const uint8_t *data, size_t len)
{
    uint32_t sum = ~crc;

    for (size_t i = 0; i < len; i++) {
        sum ^= data[i];
        sum = (sum >> 4) ^ feedback[sum & 0xf];
        sum = (sum >> 4) ^ feedback[sum & 0xf];
    }
    return ~sum;
}

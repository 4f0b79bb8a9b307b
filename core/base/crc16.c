/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-16/XMODEM without a table. */
#include "ferry/crc.h"

/* One byte at a time. With x the byte that leaves the register, the eight steps by
 * 0x1021 = x^12 + x^5 + 1 fold to x ^ x << 5 ^ x << 12, once x holds what its own upper
 * half feeds back (x ^= x >> 4). Twenty instructions and no table: flash is dearer than cycles. */
uint16_t ferry_crc16(uint16_t crc, const uint8_t *data, size_t len)
{
    uint32_t sum = crc;

    for (size_t i = 0; i < len; i++) {
        uint32_t x = (sum >> 8) ^ data[i];

        x ^= x >> 4;
        sum = ((sum << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
    }
    return (uint16_t)sum;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FERRY_CRC_H
#define FERRY_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-16/XMODEM: polynomial 0x1021, not reflected, no final xor.
 *
 * crc   0 to begin, or the result of the bytes before
 * data  len bytes, not kept; may be NULL when len is 0
 *
 * Returns the CRC; over bytes followed by their CRC (big-endian) it is 0.
 * [SMP over console; check value of "123456789" is 0x31C3] */
uint16_t ferry_crc16(uint16_t crc, const uint8_t *data, size_t len);

/* CRC-32 of IEEE 802.3, as zlib's crc32(): polynomial 0x04c11db7, reflected, complemented before
 * and after. The parameters are those of ferry_crc16().
 * Returns the CRC.               [SMP fs hash "crc32"; check value of "123456789" is 0xCBF43926] */
uint32_t ferry_crc32(uint32_t crc, const uint8_t *data, size_t len);

#endif

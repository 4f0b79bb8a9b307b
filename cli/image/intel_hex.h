/* SPDX-License-Identifier: Apache-2.0 */
/* Intel HEX files, as "Hexadecimal Object File Format Specification", Intel 1988, has them. */
#ifndef CLI_IMAGE_INTEL_HEX_H
#define CLI_IMAGE_INTEL_HEX_H

#include "memory_map.h"

/* Whether the bytes begin as such a file: blanks, a colon and 8 hexadecimal digits; or blanks and a
 * colon when all of them are text. An editor's mark of UTF-8 may stand in front; reading refuses
 * it. A binary that does so by chance is one of about 10^12. */
bool intel_hex_begins(const uint8_t *data, size_t len);

/* Read a whole file: records 00 to 05, lines ended by LF, CR LF or CR, digits of either case.
 * Addresses are as the last record 02 or 04 says: behind 02 (and before any) data wrap at the end
 * of their 64 KiB, behind 04 at 4 GiB. Start addresses (03, 05) are checked and left out.
 *
 * map  empty; free it in any case. Sorted after FERRY_OK; it owns its bytes
 *
 * Returns FERRY_OK; FERRY_E_FORMAT for a wrong record, data for one address twice, anything behind
 * the end record, or no end record: fault says where and what; or FERRY_E_SPACE for no memory. */
FERRY_MUST_CHECK
int intel_hex_read(const uint8_t *data, size_t len, struct memory_map *map,
                   struct memory_fault *fault);

/* Write a sorted map: records of 16 bytes that end at 64 KiB and where the data do, a record 04
 * before each 64 KiB when there is anything above the first, LF. Byte for byte what Python's
 * intelhex writes. Returns the text on the heap, *len characters, or NULL for no memory. */
char *intel_hex_write(const struct memory_map *map, size_t *len);

#endif

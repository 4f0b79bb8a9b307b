/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files of 32 and 64 bits, of either byte order: what a programmer would put into flash. */
#ifndef CLI_IMAGE_ELF_FILE_H
#define CLI_IMAGE_ELF_FILE_H

#include "memory_map.h"

/* Whether the bytes begin with the magic of ELF. */
bool elf_file_begins(const uint8_t *data, size_t len);

/* Read the loadable segments that have bytes in the file, at their physical address. A linker
 * may let the first one begin with the ELF's own headers: those are left out, as objcopy does, when
 * the file has a section table that tells where the program begins.
 *
 * data  must outlive the map, which points into it
 * map   empty; free it in any case. Sorted after FERRY_OK
 *
 * Returns FERRY_OK; FERRY_E_FORMAT for a damaged file, one without such a segment, an address above
 * 32 bits or segments that overlap: fault says which; or FERRY_E_SPACE for no memory. */
FERRY_MUST_CHECK
int elf_file_read(const uint8_t *data, size_t len, struct memory_map *map,
                  struct memory_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* NOR flash in a file: mapped and shared, so that what is programmed survives the death of the
 * process at any instruction. A write cut short by that is what a power cut leaves, too. */
#ifndef PORT_POSIX_NOR_FILE_H
#define PORT_POSIX_NOR_FILE_H

#include "ferry/flash.h"

struct ferry_nor_file {
    struct ferry_flash flash; /* use this; geometry filled by the caller, then open */
    bool no_second_write;     /* filled by the caller; the part has ECC: a write unit that is not
                                 erased cannot be programmed (FERRY_E_NOT_ERASED) */
    uint8_t *memory;          /* the contents; for reading only */
    int fd;
};

/* Make a file of the geometry's size, all erased. An existing file is replaced.
 *
 * geometry  size and erased value count
 *
 * Returns FERRY_OK, or FERRY_E_IO with the cause in errno (the file is then removed). */
FERRY_MUST_CHECK
int ferry_nor_file_create(const char *path, const struct ferry_flash *geometry);

/* Open the file and take it for this process alone. nor may not be moved afterwards.
 *
 * wait_ms  how long to wait for a process that is just ending to let it go
 *
 * Returns FERRY_OK; FERRY_E_CONFIG for the geometry; FERRY_E_NOT_FOUND; FERRY_E_BUSY when another
 * process has it; FERRY_E_MISMATCH when its size is not the geometry's; FERRY_E_IO (errno). */
FERRY_MUST_CHECK
int ferry_nor_file_open(struct ferry_nor_file *nor, const char *path, uint32_t wait_ms);

/* Another descriptor of the open file that can only read: for a process that shall look at it.
 * Returns the descriptor, the caller's and closed on exec, or FERRY_E_IO (errno). */
FERRY_MUST_CHECK
int ferry_nor_file_reader(const struct ferry_nor_file *nor);

/* Close it; harmless on one that did not open. */
void ferry_nor_file_close(struct ferry_nor_file *nor);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Memory as the file that minizip reads and writes. */
#ifndef CLI_BUNDLE_ARCHIVE_MEMORY_H
#define CLI_BUNDLE_ARCHIVE_MEMORY_H

#include <minizip/ioapi.h>
#include <stddef.h>
#include <stdint.h>

struct archive_memory {
    const uint8_t *bytes; /* what is read */
    uint8_t *written;     /* what was written, on the heap; NULL = read only */
    size_t len, cap;
    size_t at;
};

/* minizip's functions over one memory, which must outlive their use. */
void archive_memory_functions(struct archive_memory *memory, zlib_filefunc64_def *functions);

#endif

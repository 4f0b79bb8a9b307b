/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include "archive_memory.h"

#include <minizip/zip.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_DATE (1U << 21 | 1U << 16) /* 1980-01-01 00:00:00 */
#define LAST_DATE  (127U << 25 | 12U << 21 | 31U << 16 | 23U << 11 | 59U << 5 | 29U) /* of 2107 */

/* The date of a zip entry: local time to others, and here always UTC. */
static uLong zip_date(int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&when, &tm) == NULL || tm.tm_year > 207) {
        return LAST_DATE;
    }
    if (tm.tm_year < 80) {
        return FIRST_DATE;
    }
    return (uLong)(tm.tm_year - 80) << 25 | (uLong)(tm.tm_mon + 1) << 21 | (uLong)tm.tm_mday << 16 |
           (uLong)tm.tm_hour << 11 | (uLong)tm.tm_min << 5 | (uLong)(tm.tm_sec / 2);
}

static bool put(zipFile zip, const struct archive_entry *entry, const zip_fileinfo *info)
{
    if (zipOpenNewFileInZip64(zip, entry->name, info, NULL, 0, NULL, 0, NULL, Z_DEFLATED,
                              Z_BEST_COMPRESSION, 0) != ZIP_OK) {
        return false;
    }
    bool good = zipWriteInFileInZip(zip, entry->data, (unsigned)entry->len) == ZIP_OK;
    return zipCloseFileInZip(zip) == ZIP_OK && good;
}

int archive_write(const struct archive_entry *entries, size_t count, int64_t seconds, uint8_t **out,
                  size_t *out_len)
{
    const zip_fileinfo info = {.dosDate = zip_date(seconds)};
    struct archive_memory memory = {0};
    zlib_filefunc64_def functions;
    archive_memory_functions(&memory, &functions);
    zipFile zip = zipOpen2_64("", APPEND_STATUS_CREATE, NULL, &functions);
    bool good = zip != NULL;
    for (size_t i = 0; i < count && good; i++) {
        good = put(zip, &entries[i], &info);
    }
    good = (zip == NULL || zipClose(zip, NULL) == ZIP_OK) && good;
    if (!good) {
        free(memory.written);
        return FERRY_E_SPACE;
    }
    *out = memory.written;
    *out_len = memory.len;
    return FERRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A file system behind group fs, as ferry/group_fs.h wants its provider. */
#include "conformance_run.h"

#include <string.h>

/* Bytes of the file that is tried, in pieces that fit no block. */
#define FILE_SIZE 1000
#define PIECE     77

static uint8_t file_byte(uint32_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 31 + 1);
}

/* ---- Steps: each returns an enum ferry_fs_error ------------------------------------------ */

static int close_after(const struct ferry_conformance_files *files, int error)
{
    int closed = files->provider->close(files->context);

    return error != FERRY_FS_OK ? error : closed;
}

/* Write the bytes from an offset on, up to another. The file is open. */
static int write_part(const struct ferry_conformance_files *files, uint32_t from, uint32_t to)
{
    uint8_t piece[PIECE];

    while (from < to) {
        uint32_t len = ferry_min32(to - from, PIECE);

        for (uint32_t i = 0; i < len; i++) {
            piece[i] = file_byte(from + i);
        }

        int error = files->provider->write(files->context, from, piece, len);

        if (error != FERRY_FS_OK) {
            return error;
        }
        from += len;
    }
    return FERRY_FS_OK;
}

/* Open it for writing, empty it or find its end where the part begins, write the part. */
static int put(const struct ferry_conformance_files *files, bool empty, uint32_t from, uint32_t to)
{
    uint32_t size = 0;
    int error = files->provider->open(files->context, files->name, true, &size);

    if (error != FERRY_FS_OK) {
        return error;
    }
    if (empty) {
        error = files->provider->truncate(files->context);
    } else if (size != from) {
        error = FERRY_FS_ERR_INVALID_OFFSET; /* it is never written to beyond its end */
    }
    if (error == FERRY_FS_OK) {
        error = write_part(files, from, to);
    }
    return close_after(files, error);
}

/* Whether len bytes at an offset of the open file are those that were written. */
static bool reads_back(const struct ferry_conformance_files *files, uint32_t offset, uint32_t len)
{
    uint8_t piece[PIECE];

    memset(piece, 0, sizeof piece);
    if (files->provider->read(files->context, offset, piece, len) != FERRY_FS_OK) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        if (piece[i] != file_byte(offset + i)) {
            return false;
        }
    }
    return true;
}

/* Whether the file has so many bytes, and all of them are those that were written: read from its
 * end to its beginning, which a file system that minds no offset would not notice otherwise. */
static bool holds(const struct ferry_conformance_files *files, uint32_t size)
{
    uint32_t told = size + 1;
    bool good = files->provider->size(files->context, files->name, &told) == FERRY_FS_OK;

    good = good && told == size;
    told = size + 1;
    if (!good || files->provider->open(files->context, files->name, false, &told) != FERRY_FS_OK) {
        return false;
    }
    good = told == size;
    for (uint32_t end = size; good && end > 0;) {
        uint32_t len = ferry_min32(end, PIECE);

        end -= len;
        good = reads_back(files, end, len);
    }
    return files->provider->close(files->context) == FERRY_FS_OK && good;
}

/* ---- Rules ------------------------------------------------------------------------------ */

/* Whether a name leads nowhere, with this error if one is wanted. What was opened is closed. */
static bool is_refused(const struct ferry_conformance_files *files, const char *name, bool writing,
                       int wanted)
{
    uint32_t size;
    int error = files->provider->open(files->context, name, writing, &size);

    if (error == FERRY_FS_OK) {
        (void)files->provider->close(files->context);
        return false;
    }
    return wanted == FERRY_FS_OK || error == wanted;
}

static bool has_no_size(const struct ferry_conformance_files *files, const char *name, int wanted)
{
    uint32_t size;
    int error = files->provider->size(files->context, name, &size);

    return error != FERRY_FS_OK && (wanted == FERRY_FS_OK || error == wanted);
}

static bool ends_where_it_ends(const struct ferry_conformance_files *files)
{
    uint8_t bytes[2];
    uint32_t size;

    if (files->provider->open(files->context, files->name, false, &size) != FERRY_FS_OK) {
        return false;
    }

    int error = files->provider->read(files->context, size - 1, bytes, sizeof bytes);

    return files->provider->close(files->context) == FERRY_FS_OK && error != FERRY_FS_OK;
}

static void try_names(struct ferry_conformance *run, const struct ferry_conformance_files *files)
{
    conformance_say(run, "files: a name of nothing is err 3",
                    has_no_size(files, files->missing, FERRY_FS_ERR_NOT_FOUND) &&
                            is_refused(files, files->missing, false, FERRY_FS_ERR_NOT_FOUND)
                        ? NULL
                        : "another answer: clients ask whether a file is there by that number");
    if (files->folder != NULL) {
        conformance_say(run, "files: a folder is err 4",
                        has_no_size(files, files->folder, FERRY_FS_ERR_IS_DIRECTORY) &&
                                is_refused(files, files->folder, false, FERRY_FS_ERR_IS_DIRECTORY)
                            ? NULL
                            : "another answer: does size() or open() take it for a file?");
    }
    if (files->outside != NULL) {
        conformance_say(run, "files: a name that leads out is refused",
                        has_no_size(files, files->outside, FERRY_FS_OK) &&
                                is_refused(files, files->outside, false, FERRY_FS_OK) &&
                                is_refused(files, files->outside, true, FERRY_FS_OK)
                            ? NULL
                            : "it was taken: whoever reaches the wire reaches that file, too");
    }
}

void ferry_conformance_files(struct ferry_conformance *run,
                             const struct ferry_conformance_files *files)
{
    try_names(run, files);
    conformance_say(run, "files: what is opened for writing is made, and can be emptied",
                    put(files, true, 0, 0) == FERRY_FS_OK && holds(files, 0)
                        ? NULL
                        : "open() for writing, truncate(), close() or size() of the empty file");
    conformance_say(run, "files: what was written is read, at any offset",
                    put(files, true, 0, FILE_SIZE) == FERRY_FS_OK && holds(files, FILE_SIZE)
                        ? NULL
                        : "bytes differ: do write() and read() go to their offset, for all of len? "
                          "is the size stored by close()?");
    conformance_say(run, "files: opening for writing keeps what is there, and tells its size",
                    put(files, false, FILE_SIZE, FILE_SIZE + PIECE) == FERRY_FS_OK &&
                            holds(files, FILE_SIZE + PIECE)
                        ? NULL
                        : "an upload that was cut could not go on: open without truncating");
    conformance_say(run, "files: reading beyond the end fails",
                    ends_where_it_ends(files) ? NULL : "fewer bytes than asked for are no success");
    conformance_say(run, "files: emptying leaves nothing",
                    put(files, true, 0, PIECE / 2) == FERRY_FS_OK && holds(files, PIECE / 2)
                        ? NULL
                        : "the old end shows: truncate() cuts to 0 bytes");
    conformance_say(run, "files: the file is given back empty",
                    put(files, true, 0, 0) == FERRY_FS_OK && holds(files, 0)
                        ? NULL
                        : "it could not be emptied a second time");
}

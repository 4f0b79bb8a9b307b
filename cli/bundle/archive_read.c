/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include "archive_memory.h"

#include <minizip/unzip.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAG_ENCRYPTED 1U

__attribute__((format(printf, 3, 4))) static int refuse(char why[ARCHIVE_WHY_MAX], int error,
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, ARCHIVE_WHY_MAX, format, args);
    va_end(args);
    return error;
}

/* ---- Names -------------------------------------------------------------------------- */

/* Make a name harmless for a terminal. */
static void make_printable(char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] < ' ' || name[i] > '~') {
            name[i] = '.';
        }
    }
    name[len] = '\0';
}

/* A name that goes wherever it is written: printable ASCII, no folder, no drive, no hidden file. */
static bool is_plain(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] < ' ' || name[i] > '~' || strchr("/\\:", name[i]) != NULL) {
            return false;
        }
    }
    return len > 0 && name[0] != '.';
}

static int check_name(struct archive *archive, struct archive_file *file, size_t len,
                      char why[ARCHIVE_WHY_MAX])
{
    bool is_long = len >= sizeof file->name;
    size_t kept = is_long ? sizeof file->name - 1 : len;
    bool plain = is_plain(file->name, kept);
    make_printable(file->name, kept);
    if (is_long) {
        return refuse(why, FERRY_E_FORMAT, "a name in it is longer than %u characters: %.40s...",
                      ARCHIVE_NAME_MAX - 1, file->name);
    }
    if (!plain) {
        return refuse(why, FERRY_E_FORMAT,
                      "a name in it has a folder, or is no plain file name: '%s'", file->name);
    }
    if (archive_find(archive, file->name) != NULL) {
        return refuse(why, FERRY_E_FORMAT, "two files in it are called %s", file->name);
    }
    return FERRY_OK;
}

/* ---- One file ----------------------------------------------------------------------- */

static int check_kind(const struct archive_file *file, const unz_file_info64 *info, size_t *room,
                      char why[ARCHIVE_WHY_MAX])
{
    if ((info->flag & FLAG_ENCRYPTED) != 0) {
        return refuse(why, FERRY_E_UNSUPPORTED, "%s in it is encrypted with a password",
                      file->name);
    }
    if (info->compression_method != 0 && info->compression_method != Z_DEFLATED) {
        return refuse(why, FERRY_E_UNSUPPORTED,
                      "%s in it is compressed by method %lu, and bundles are deflated or stored",
                      file->name, info->compression_method);
    }
    if (info->uncompressed_size > ARCHIVE_FILE_MAX || info->uncompressed_size > *room) {
        return refuse(why, FERRY_E_TOO_LARGE,
                      "%s in it has %llu bytes; a file may have 64 MiB, and all 128 MiB",
                      file->name, (unsigned long long)info->uncompressed_size);
    }
    *room -= (size_t)info->uncompressed_size;
    return FERRY_OK;
}

/* Its bytes: no more than its entry says. */
static void read_bytes(unzFile zip, struct archive_file *file, size_t size)
{
    if (unzOpenCurrentFile(zip) != UNZ_OK) {
        file->damaged = true;
        return;
    }
    int n = 1;
    while (n > 0 && file->len < size) {
        n = unzReadCurrentFile(zip, file->data + file->len, (unsigned)(size - file->len));
        file->len += n > 0 ? (size_t)n : 0;
    }
    bool whole = file->len == size;
    /* The checksum is looked at when the file is closed, if all of it was read. */
    file->damaged = unzCloseCurrentFile(zip) != UNZ_OK || !whole;
}

static int read_current(unzFile zip, struct archive *archive, size_t *room,
                        char why[ARCHIVE_WHY_MAX])
{
    unz_file_info64 info;
    if (archive->count == ARCHIVE_FILES) {
        return refuse(why, FERRY_E_TOO_LARGE, "it has more than %u files", ARCHIVE_FILES);
    }
    struct archive_file *file = &archive->files[archive->count];
    *file = (struct archive_file){0};
    if (unzGetCurrentFileInfo64(zip, &info, file->name, sizeof file->name, NULL, 0, NULL, 0) !=
        UNZ_OK) {
        return refuse(why, FERRY_E_FORMAT, "its directory is damaged");
    }
    int error = check_name(archive, file, info.size_filename, why);
    error = error == FERRY_OK ? check_kind(file, &info, room, why) : error;
    if (error != FERRY_OK) {
        return error;
    }
    size_t size = (size_t)info.uncompressed_size;
    file->data = malloc(size > 0 ? size : 1);
    if (file->data == NULL) {
        return refuse(why, FERRY_E_SPACE, "there is no memory for %s", file->name);
    }
    archive->count++;
    read_bytes(zip, file, size);
    return FERRY_OK;
}

/* ---- All of them -------------------------------------------------------------------- */

static int read_all(unzFile zip, struct archive *archive, char why[ARCHIVE_WHY_MAX])
{
    size_t room = ARCHIVE_MAX;
    unz_global_info64 global;
    if (unzGetGlobalInfo64(zip, &global) != UNZ_OK) {
        return refuse(why, FERRY_E_FORMAT, "its directory is damaged");
    }
    if (global.number_entry == 0) {
        return FERRY_OK;
    }
    int at = unzGoToFirstFile(zip);
    for (; at == UNZ_OK; at = unzGoToNextFile(zip)) {
        int error = read_current(zip, archive, &room, why);
        if (error != FERRY_OK) {
            return error;
        }
    }
    return at == UNZ_END_OF_LIST_OF_FILE ? FERRY_OK
                                         : refuse(why, FERRY_E_FORMAT, "its directory is damaged");
}

static bool begins_as_zip(const uint8_t *data, size_t len)
{
    return len >= 4 && data[0] == 'P' && data[1] == 'K';
}

int archive_read(const uint8_t *data, size_t len, struct archive *archive,
                 char why[ARCHIVE_WHY_MAX])
{
    struct archive_memory memory = {.bytes = data, .len = len};
    zlib_filefunc64_def functions;
    archive->count = 0;
    archive_memory_functions(&memory, &functions);
    unzFile zip = begins_as_zip(data, len) ? unzOpen2_64(NULL, &functions) : NULL;
    if (zip == NULL) {
        return begins_as_zip(data, len)
                   ? refuse(why, FERRY_E_MAGIC, "its directory is missing: it was cut, or is empty")
                   : refuse(why, FERRY_E_MAGIC, "it is no zip archive");
    }
    int error = read_all(zip, archive, why);
    unzClose(zip);
    if (error != FERRY_OK) {
        archive_free(archive);
    }
    return error;
}

struct archive_file *archive_find(struct archive *archive, const char *name)
{
    for (size_t i = 0; i < archive->count; i++) {
        if (strcmp(archive->files[i].name, name) == 0) {
            return &archive->files[i];
        }
    }
    return NULL;
}

void archive_free(struct archive *archive)
{
    for (size_t i = 0; i < archive->count; i++) {
        free(archive->files[i].data);
    }
    archive->count = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as what a bundle is made of. Byte 0 of the input is the mode: modulo 3, the
 * rest is a manifest, an archive, or edits (offset in two bytes, exclusive or) of a good archive.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them, and nothing is left behind (the sanitizers see to it).
 *   2. What is refused has a reason that can be printed.
 *   3. A manifest that is accepted has 1 to MANIFEST_FILES files; each has a name, texts without
 *      control characters, and slot 0 or 1.
 *   4. Written and read again, it says the same.
 *   5. An archive that is accepted has at most ARCHIVE_FILES files, whose names are plain and
 *      differ, and whose bytes are not above ARCHIVE_MAX in all.
 *   6. Written and read again, it has the same files, none of them damaged. */
#include "cli/bundle/archive.h"
#include "cli/bundle/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void check_text(const char *text)
{
    CHECK(text != NULL);
    for (; *text != '\0'; text++) {
        CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
    }
}

/* ---- Manifests ------------------------------------------------------------------------------ */

static void check_same_file(const struct manifest_file *a, const struct manifest_file *b)
{
    CHECK(strcmp(a->file, b->file) == 0 && strcmp(a->type, b->type) == 0);
    CHECK(strcmp(a->board, b->board) == 0 && strcmp(a->soc, b->soc) == 0);
    CHECK(strcmp(a->version_mcuboot, b->version_mcuboot) == 0);
    CHECK(a->image == b->image && a->has_slot == b->has_slot && a->slot == b->slot);
    CHECK(a->has_address == b->has_address && a->load_address == b->load_address);
    CHECK(a->size == b->size);
}

static void write_again(const struct manifest *manifest)
{
    char why[MANIFEST_WHY_MAX];
    struct manifest again;
    char *text = manifest_write(manifest);
    CHECK(text != NULL);
    if (strlen(text) <= MANIFEST_MAX) {
        CHECK(manifest_read((const uint8_t *)text, strlen(text), &again, why) == FERRY_OK);
        CHECK(again.count == manifest->count && strcmp(again.name, manifest->name) == 0);
        CHECK(again.time == manifest->time);
        for (size_t i = 0; i < again.count; i++) {
            check_same_file(&manifest->files[i], &again.files[i]);
        }
        manifest_free(&again);
    }
    cJSON_free(text);
}

static void fuzz_manifest(const uint8_t *data, size_t size)
{
    char why[MANIFEST_WHY_MAX] = "";
    struct manifest manifest;
    int error = manifest_read(data, size, &manifest, why);
    if (error != FERRY_OK) {
        CHECK(why[0] != '\0' && manifest.root == NULL);
        check_text(why);
        return;
    }
    CHECK(manifest.count >= 1 && manifest.count <= MANIFEST_FILES);
    check_text(manifest.name);
    for (size_t i = 0; i < manifest.count; i++) {
        const struct manifest_file *file = &manifest.files[i];
        CHECK(file->file[0] != '\0' && file->slot < MANIFEST_SLOTS);
        check_text(file->file);
        check_text(file->type);
        check_text(file->board);
        check_text(file->soc);
        check_text(file->version);
        check_text(file->version_mcuboot);
    }
    write_again(&manifest);
    manifest_free(&manifest);
}

/* ---- Archives ------------------------------------------------------------------------------- */

static void check_archive(struct archive *archive)
{
    size_t sum = 0;
    CHECK(archive->count <= ARCHIVE_FILES);
    for (size_t i = 0; i < archive->count; i++) {
        struct archive_file *file = &archive->files[i];
        CHECK(file->data != NULL && file->len <= ARCHIVE_FILE_MAX);
        CHECK(file->name[0] != '\0' && file->name[0] != '.' && strpbrk(file->name, "/\\:") == NULL);
        CHECK(memchr(file->name, '\0', sizeof file->name) != NULL);
        CHECK(archive_find(archive, file->name) == file);
        check_text(file->name);
        sum += file->len;
    }
    CHECK(sum <= ARCHIVE_MAX);
}

static void pack_again(const struct archive *archive)
{
    static struct archive again;
    char why[ARCHIVE_WHY_MAX];
    struct archive_entry entries[ARCHIVE_FILES];
    uint8_t *out;
    size_t out_len;
    for (size_t i = 0; i < archive->count; i++) {
        const struct archive_file *file = &archive->files[i];
        entries[i] = (struct archive_entry){file->name, file->data, file->len};
    }
    CHECK(archive_write(entries, archive->count, 0, &out, &out_len) == FERRY_OK);
    CHECK(archive_read(out, out_len, &again, why) == FERRY_OK && again.count == archive->count);
    for (size_t i = 0; i < again.count; i++) {
        const struct archive_file *a = &archive->files[i];
        const struct archive_file *b = &again.files[i];
        CHECK(strcmp(a->name, b->name) == 0 && a->len == b->len && !b->damaged);
        CHECK(memcmp(a->data, b->data, a->len) == 0);
    }
    archive_free(&again);
    free(out);
}

static void fuzz_archive(const uint8_t *data, size_t size)
{
    static struct archive archive;
    char why[ARCHIVE_WHY_MAX] = "";
    int error = archive_read(data, size, &archive, why);
    if (error != FERRY_OK) {
        CHECK(why[0] != '\0' && archive.count == 0);
        check_text(why);
        return;
    }
    check_archive(&archive);
    if (archive.count > 0) {
        pack_again(&archive);
    }
    archive_free(&archive);
}

/* Edits of an archive of three files. */
static void fuzz_edits(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[300];
    static const struct archive_entry entries[] = {
        {MANIFEST_NAME, (const uint8_t *)"{\"files\": [{\"file\": \"a.bin\"}]}", 30},
        {"a.bin", zeros, sizeof zeros},
        {"b.bin", (const uint8_t *)"0123456789abcdef", 16},
    };
    uint8_t *archive;
    size_t len;
    CHECK(archive_write(entries, 3, 1700000000, &archive, &len) == FERRY_OK);
    for (; size >= 3; data += 3, size -= 3) {
        size_t offset = (size_t)data[0] | (size_t)data[1] << 8;
        archive[offset % len] ^= data[2];
    }
    fuzz_archive(archive, len);
    free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const modes[])(const uint8_t *, size_t) = {fuzz_manifest, fuzz_archive,
                                                             fuzz_edits};
    if (size > 0) {
        modes[data[0] % 3](data + 1, size - 1);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: ELF files of any bytes. Byte 0 of the input is the mode. Bit 0 set: the rest is such
 * a file. Bit 0 clear: the rest makes segments, each of 10 bytes (type, address, offset, length),
 * of which the same program is built in all four forms.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them (the sanitizers see to it).
 *   2. What is accepted gives at least one piece; they lie in the file, are sorted, not empty, do
 *      not overlap and end inside 32 bits.
 *   3. What is refused is refused with a text.
 *   4. The same program with 32 and 64 bits, little and big endian, is the same memory, or refused
 *      in all four.
 *   5. Only loadable segments count: with all others made empty the result is the same. */
#include "cli/image/elf_file.h"
#include "ferry/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_LIMIT 0x4000
#define SEGMENTS   8
#define PAYLOAD    256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static int check_read(const uint8_t *file, size_t len, struct memory_map *map)
{
    struct memory_fault fault = {""};
    uint64_t end = 0;
    int rc = elf_file_read(file, len, map, &fault);
    if (rc != FERRY_OK) {
        CHECK(rc == FERRY_E_FORMAT && fault.text[0] != '\0');
        return rc;
    }
    CHECK(map->count > 0 && elf_file_begins(file, len));
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_piece *piece = &map->pieces[i];
        CHECK(piece->len > 0 && piece->address >= end);
        end = (uint64_t)piece->address + piece->len;
        CHECK(end <= 1ull << 32);
        CHECK(piece->data >= file && piece->len <= len &&
              (size_t)(piece->data - file) <= len - piece->len);
    }
    return rc;
}

/* ---- Built files ---------------------------------------------------------------------------- */

struct segment {
    uint32_t type;
    uint32_t address;
    uint32_t offset; /* in the payload behind the headers */
    uint32_t len;
};

static void put(uint8_t *at, uint64_t value, unsigned width, bool big)
{
    for (unsigned i = 0; i < width; i++) {
        at[big ? width - 1 - i : i] = (uint8_t)(value >> (8 * i));
    }
}

/* Build a file of one form. Returns its length. */
static size_t build(const struct segment *segments, size_t count, bool wide, bool big,
                    bool loads_only, uint8_t *file)
{
    size_t header = wide ? 64 : 52;
    size_t entry = wide ? 56 : 32;
    unsigned word = wide ? 8 : 4;
    size_t payload = header + SEGMENTS * entry;
    memset(file, 0, payload);
    memcpy(file, "\177ELF", 4);
    file[4] = wide ? 2 : 1;
    file[5] = big ? 2 : 1;
    put(file + (wide ? 32 : 28), header, word, big);
    put(file + (wide ? 54 : 42), entry, 2, big);
    put(file + (wide ? 56 : 44), count, 2, big);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = file + header + i * entry;
        bool empty = loads_only && segments[i].type != 1;
        put(at, segments[i].type, 4, big);
        put(at + (wide ? 8 : 4), payload + segments[i].offset, word, big);
        put(at + (wide ? 24 : 12), segments[i].address, word, big);
        put(at + (wide ? 32 : 16), empty ? 0 : segments[i].len, word, big);
    }
    for (size_t i = 0; i < PAYLOAD; i++) {
        file[payload + i] = (uint8_t)(i * 7);
    }
    return payload + PAYLOAD;
}

static bool same(const struct memory_map *a, const struct memory_map *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++) {
        equal = a->pieces[i].address == b->pieces[i].address &&
                a->pieces[i].len == b->pieces[i].len &&
                memcmp(a->pieces[i].data, b->pieces[i].data, a->pieces[i].len) == 0;
    }
    return equal;
}

static void check_forms(const struct segment *segments, size_t count)
{
    uint8_t files[2][64 + SEGMENTS * 56 + PAYLOAD];
    for (unsigned form = 0; form < 8; form++) {
        struct memory_map maps[2] = {{0}, {0}};
        size_t first = build(segments, count, false, false, false, files[0]);
        size_t len = build(segments, count, form & 1, form & 2, form & 4, files[1]);
        int rc = check_read(files[0], first, &maps[0]);
        CHECK(check_read(files[1], len, &maps[1]) == rc);
        CHECK(rc != FERRY_OK || same(&maps[0], &maps[1]));
        memory_map_free(&maps[0]);
        memory_map_free(&maps[1]);
    }
}

static void check_built(const uint8_t *data, size_t size)
{
    struct segment segments[SEGMENTS];
    size_t count = 0;
    for (; size >= 10 && count < SEGMENTS; data += 10, size -= 10) {
        segments[count++] = (struct segment){data[0] & 3u, ferry_load_be32(data + 1), data[5],
                                             ferry_load_be16(data + 6) % (PAYLOAD + 8)};
        /* Mostly inside, and often one behind another. */
        struct segment *s = &segments[count - 1];
        s->offset = s->offset % PAYLOAD;
        s->len = (data[8] & 1) != 0 ? s->len : s->len % (PAYLOAD - s->offset + 1);
        if (count > 1 && (data[9] & 1) != 0) {
            s->address = segments[count - 2].address + segments[count - 2].len;
        }
    }
    check_forms(segments, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > SIZE_LIMIT) {
        return 0;
    }
    if ((data[0] & 1) == 0) {
        check_built(data + 1, size - 1);
        return 0;
    }
    /* Of exactly the size, so that the sanitizer sees the first byte behind it. */
    struct memory_map map = {0};
    uint8_t *file = malloc(size - 1);
    CHECK(file != NULL);
    memcpy(file, data + 1, size - 1);
    (void)check_read(file, size - 1, &map);
    memory_map_free(&map);
    free(file);
    return 0;
}

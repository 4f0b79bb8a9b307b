/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: Intel HEX files of any bytes. Byte 0 of the input is the mode. Bit 0 set: the rest
 * is such a file. Bit 0 clear: the rest makes pieces of memory, each of an address (4 bytes), a
 * length (1 byte) and data, which are written and read again.
 *
 * Whatever the bytes are:
 *   1. Nothing is read outside of them (the sanitizers see to it).
 *   2. What is accepted begins as HEX and gives pieces that are sorted, not empty, do not overlap
 *      and end inside 32 bits; no more bytes than half the text's length.
 *   3. What is refused is refused with a text.
 *   4. Written and read again it is the same memory, and written once more the same text.
 *   5. With any one hexadecimal digit changed an accepted file is refused.
 *   6. Cut at any two addresses, both parts together are the whole.
 *   7. Pieces that do not overlap can be written and read, wherever they are; those that overlap
 *      are refused. */
#include "cli/image/intel_hex.h"
#include "ferry/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_LIMIT 0x4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), in every build type. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The bytes and their places in one number: equal memory has equal ones, however it is cut. */
struct sum {
    uint64_t bytes;
    uint64_t mixed;
};

static struct sum sum_of(const struct memory_map *map)
{
    struct sum sum = {0, 0};
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_piece *piece = &map->pieces[i];
        for (uint32_t n = 0; n < piece->len; n++) {
            uint64_t x = ((uint64_t)piece->address + n) << 8 | piece->data[n];
            x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
            sum.mixed += x ^ x >> 29;
            sum.bytes++;
        }
    }
    return sum;
}

static void check_sorted(const struct memory_map *map)
{
    uint64_t end = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_piece *piece = &map->pieces[i];
        CHECK(piece->len > 0 && piece->address >= end);
        end = (uint64_t)piece->address + piece->len;
        CHECK(end <= 1ull << 32);
    }
}

static bool same(struct sum a, struct sum b)
{
    return a.bytes == b.bytes && a.mixed == b.mixed;
}

/* Write a map, read that, and write it once more. */
static void check_written(const struct memory_map *map)
{
    struct memory_map again = {0};
    struct memory_fault fault;
    size_t len = 0;
    size_t len_again = 0;
    char *text = intel_hex_write(map, &len);
    CHECK(text != NULL);
    CHECK(intel_hex_begins((const uint8_t *)text, len));
    CHECK(intel_hex_read((const uint8_t *)text, len, &again, &fault) == FERRY_OK);
    CHECK(same(sum_of(map), sum_of(&again)));
    char *text_again = intel_hex_write(&again, &len_again);
    CHECK(text_again != NULL && len_again == len && memcmp(text, text_again, len) == 0);
    memory_map_free(&again);
    free(text_again);
    free(text);
}

static void check_cut(struct memory_map *map, uint32_t first, uint32_t last)
{
    struct memory_map outside = {0};
    struct sum whole = sum_of(map);
    CHECK(memory_map_cut(map, first, last, &outside) == FERRY_OK);
    check_sorted(map);
    check_sorted(&outside);
    struct sum inside = sum_of(map);
    struct sum rest = sum_of(&outside);
    CHECK(whole.bytes == inside.bytes + rest.bytes && whole.mixed == inside.mixed + rest.mixed);
    for (size_t i = 0; i < map->count; i++) {
        CHECK(map->pieces[i].address >= first &&
              map->pieces[i].address + (map->pieces[i].len - 1) <= last);
    }
    char text[MEMORY_RANGES_MAX];
    CHECK(strlen(memory_map_text(map, text)) < sizeof text);
    CHECK(memory_map_ranges(map) <= map->count);
    memory_map_free(&outside);
}

/* One digit of an accepted file changed to another. */
static void check_damage(uint8_t *text, size_t len, size_t at, uint8_t by)
{
    static const char digits[] = "0123456789ABCDEF";
    struct memory_map map = {0};
    struct memory_fault fault;
    for (size_t i = 0; i < len && !isxdigit(text[at % len]); i++) {
        at++;
    }
    uint8_t *c = &text[at % len];
    int value = isdigit(*c) ? *c - '0' : tolower(*c) - 'a' + 10;
    *c = (uint8_t)digits[(value + 1 + by % 15) % 16];
    CHECK(intel_hex_read(text, len, &map, &fault) == FERRY_E_FORMAT);
    memory_map_free(&map);
}

static void check_file(uint8_t *text, size_t len, const uint8_t seed[9])
{
    struct memory_map map = {0};
    struct memory_fault fault = {""};
    int rc = intel_hex_read(text, len, &map, &fault);
    if (rc != FERRY_OK) {
        CHECK(rc == FERRY_E_FORMAT && fault.text[0] != '\0');
        memory_map_free(&map);
        return;
    }
    CHECK(intel_hex_begins(text, len));
    check_sorted(&map);
    CHECK(sum_of(&map).bytes <= len / 2);
    check_written(&map);
    check_cut(&map, ferry_load_be32(seed), ferry_load_be32(seed + 4));
    memory_map_free(&map);
    check_damage(text, len, ferry_load_be32(seed), seed[8]);
}

/* Whether a piece shares an address with one of the map. */
static bool touches(const struct memory_map *map, uint32_t address, uint32_t len)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_piece *piece = &map->pieces[i];
        if (address < (uint64_t)piece->address + piece->len &&
            piece->address < (uint64_t)address + len) {
            return true;
        }
    }
    return false;
}

static void check_pieces(const uint8_t *data, size_t size)
{
    struct memory_map map = {0};
    struct memory_fault fault = {""};
    bool overlap = false;
    while (size >= 5) {
        uint32_t address = ferry_load_be32(data);
        uint32_t len = data[4];
        data += 5;
        size -= 5;
        len = len < size ? len : (uint32_t)size;
        if (len == 0 || len - 1 > UINT32_MAX - address) {
            continue;
        }
        overlap = overlap || touches(&map, address, len);
        CHECK(memory_map_add(&map, address, data, len, map.count) == FERRY_OK);
        data += len;
        size -= len;
    }
    CHECK((memory_map_sort(&map, "piece", &fault) == FERRY_OK) == !overlap);
    CHECK(overlap == (fault.text[0] != '\0'));
    if (!overlap) {
        check_sorted(&map);
        check_written(&map);
    }
    memory_map_free(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > SIZE_LIMIT) {
        return 0;
    }
    if ((data[0] & 1) == 0) {
        check_pieces(data + 1, size - 1);
        return 0;
    }
    /* Of exactly the size, so that the sanitizer sees the first byte behind it. */
    uint8_t *text = malloc(size - 1);
    uint8_t seed[9];
    CHECK(text != NULL);
    memcpy(text, data + 1, size - 1);
    for (size_t i = 0; i < sizeof seed; i++) {
        seed[i] = (uint8_t)(data[size - 1 - i % size] * 31U + data[0]);
    }
    check_file(text, size - 1, seed);
    free(text);
    return 0;
}

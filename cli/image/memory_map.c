/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_map.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ranges that a message names. */
#define TOLD 6

int memory_fault(struct memory_fault *fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return FERRY_E_FORMAT;
}

int memory_map_add(struct memory_map *map, uint32_t address, const uint8_t *data, uint32_t len,
                   size_t origin)
{
    if (len == 0) {
        return FERRY_OK;
    }
    if (map->count == map->cap) {
        size_t cap = map->cap == 0 ? 64 : map->cap * 2;
        struct memory_piece *larger = realloc(map->pieces, cap * sizeof *larger);
        if (larger == NULL) {
            return FERRY_E_SPACE;
        }
        map->pieces = larger;
        map->cap = cap;
    }
    map->pieces[map->count++] = (struct memory_piece){data, address, len, origin};
    return FERRY_OK;
}

static uint64_t end_of(const struct memory_piece *piece)
{
    return (uint64_t)piece->address + piece->len;
}

/* By address; pieces at the same one by origin, so that the result does not depend on qsort(). */
static int compare(const void *left, const void *right)
{
    const struct memory_piece *a = left;
    const struct memory_piece *b = right;
    if (a->address != b->address) {
        return a->address < b->address ? -1 : 1;
    }
    return (a->origin > b->origin) - (a->origin < b->origin);
}

static bool is_sorted(const struct memory_map *map)
{
    for (size_t i = 1; i < map->count; i++) {
        if (compare(&map->pieces[i - 1], &map->pieces[i]) > 0) {
            return false;
        }
    }
    return true;
}

int memory_map_sort(struct memory_map *map, const char *what, struct memory_fault *fault)
{
    if (!is_sorted(map)) { /* most files are */
        qsort(map->pieces, map->count, sizeof *map->pieces, compare);
    }
    for (size_t i = 1; i < map->count; i++) {
        const struct memory_piece *a = &map->pieces[i - 1];
        const struct memory_piece *b = &map->pieces[i];
        if (b->address < end_of(a)) {
            bool ordered = a->origin < b->origin;
            return memory_fault(fault, "%s %zu and %s %zu both have data for address 0x%x", what,
                                ordered ? a->origin : b->origin, what,
                                ordered ? b->origin : a->origin, (unsigned)b->address);
        }
    }
    return FERRY_OK;
}

/* Add the part of a piece that lies from first to last; first is above last for nothing. */
static int add_part(struct memory_map *map, const struct memory_piece *piece, uint64_t first,
                    uint64_t last)
{
    uint64_t begin = piece->address > first ? piece->address : first;
    uint64_t end = end_of(piece) <= last ? end_of(piece) : last + 1;
    return begin < end
               ? memory_map_add(map, (uint32_t)begin, piece->data + (begin - piece->address),
                                (uint32_t)(end - begin), piece->origin)
               : FERRY_OK;
}

int memory_map_cut(struct memory_map *map, uint32_t first, uint32_t last,
                   struct memory_map *outside)
{
    struct memory_map inside = {0};
    int rc = FERRY_OK;
    for (size_t i = 0; rc == FERRY_OK && i < map->count; i++) {
        const struct memory_piece *piece = &map->pieces[i];
        rc = first > 0 ? add_part(outside, piece, 0, (uint64_t)first - 1) : FERRY_OK;
        rc = rc == FERRY_OK ? add_part(&inside, piece, first, last) : rc;
        rc = rc == FERRY_OK ? add_part(outside, piece, (uint64_t)last + 1, UINT32_MAX) : rc;
    }
    free(map->pieces);
    map->pieces = inside.pieces;
    map->count = inside.count;
    map->cap = inside.cap;
    return rc;
}

uint64_t memory_map_span(const struct memory_map *map)
{
    return map->count == 0 ? 0 : end_of(&map->pieces[map->count - 1]) - map->pieces[0].address;
}

uint64_t memory_map_bytes(const struct memory_map *map)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < map->count; i++) {
        bytes += map->pieces[i].len;
    }
    return bytes;
}

/* The range that begins with piece i. Returns the first piece behind it. */
static size_t range_at(const struct memory_map *map, size_t i, uint64_t *end)
{
    *end = end_of(&map->pieces[i]);
    for (i++; i < map->count && map->pieces[i].address == *end; i++) {
        *end = end_of(&map->pieces[i]);
    }
    return i;
}

size_t memory_map_ranges(const struct memory_map *map)
{
    size_t count = 0;
    uint64_t end;
    for (size_t i = 0; i < map->count; count++) {
        i = range_at(map, i, &end);
    }
    return count;
}

const char *memory_map_text(const struct memory_map *map, char text[MEMORY_RANGES_MAX])
{
    size_t len = 0;
    size_t told = 0;
    uint64_t end;
    text[0] = '\0';
    for (size_t i = 0, next; i < map->count && told < TOLD; i = next, told++) {
        next = range_at(map, i, &end);
        len +=
            (size_t)snprintf(text + len, MEMORY_RANGES_MAX - len, "%s0x%x-0x%x", i > 0 ? ", " : "",
                             (unsigned)map->pieces[i].address, (unsigned)(end - 1));
    }
    size_t all = memory_map_ranges(map);
    if (all > told) {
        snprintf(text + len, MEMORY_RANGES_MAX - len, " and %zu more", all - told);
    }
    return text;
}

void memory_map_flatten(const struct memory_map *map, uint8_t fill, uint8_t *block)
{
    uint32_t base = map->pieces[0].address;
    memset(block, fill, (size_t)memory_map_span(map));
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_piece *piece = &map->pieces[i];
        memcpy(block + (piece->address - base), piece->data, piece->len);
    }
}

void memory_map_free(struct memory_map *map)
{
    free(map->pieces);
    free(map->decoded);
    *map = (struct memory_map){0};
}

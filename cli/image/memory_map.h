/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where in a device's memory, as Intel HEX and ELF files say it: pieces with addresses of
 * 32 bits. These are functions on bytes; nothing is printed. */
#ifndef CLI_IMAGE_MEMORY_MAP_H
#define CLI_IMAGE_MEMORY_MAP_H

#include "ferry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_piece {
    const uint8_t *data; /* somebody else's */
    uint32_t address;    /* of its first byte */
    uint32_t len;        /* above 0; the last byte is at 0xffffffff or below */
    size_t origin;       /* line of a HEX file, number of an ELF's program header */
};

struct memory_map {
    struct memory_piece *pieces;
    size_t count;
    size_t cap;
    uint8_t *decoded; /* bytes that pieces point to, where they are not the file's own */
};

/* What is wrong with a file, for people: "line 7: …". */
#define MEMORY_FAULT_MAX 192
struct memory_fault {
    char text[MEMORY_FAULT_MAX];
};

/* Write the text of a fault. Returns FERRY_E_FORMAT. */
int memory_fault(struct memory_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Add len bytes (0 adds nothing) at an address; address + len is 2^32 at most. The data stay the
 * caller's and must outlive the map. Returns FERRY_OK or FERRY_E_SPACE. */
FERRY_MUST_CHECK
int memory_map_add(struct memory_map *map, uint32_t address, const uint8_t *data, uint32_t len,
                   size_t origin);

/* Sort the pieces by address. Returns FERRY_OK; or FERRY_E_FORMAT when two overlap, of which fault
 * names the address and both origins; what is the word for those: "line". */
FERRY_MUST_CHECK
int memory_map_sort(struct memory_map *map, const char *what, struct memory_fault *fault);

/* Keep what lies from first to last, both inclusive; the rest goes to outside, which begins empty.
 * The map is sorted and so are both results. Returns FERRY_OK or FERRY_E_SPACE. */
FERRY_MUST_CHECK
int memory_map_cut(struct memory_map *map, uint32_t first, uint32_t last,
                   struct memory_map *outside);

/* Bytes from the first to the last of a sorted map; 0 for an empty one. */
uint64_t memory_map_span(const struct memory_map *map);

/* How many bytes there are, gaps not counted. */
uint64_t memory_map_bytes(const struct memory_map *map);

/* How many ranges without a gap a sorted map has. */
size_t memory_map_ranges(const struct memory_map *map);

/* "0x8000-0x9fff, 0x10001000-0x10001007", both inclusive: the ranges of a sorted map, the first
 * ones of many ("and 3 more"). Returns text. */
#define MEMORY_RANGES_MAX 256
const char *memory_map_text(const struct memory_map *map, char text[MEMORY_RANGES_MAX]);

/* All of a sorted map that is not empty as one block of memory_map_span() bytes, which the caller
 * has; gaps get the value fill. */
void memory_map_flatten(const struct memory_map *map, uint8_t fill, uint8_t *block);

void memory_map_free(struct memory_map *map);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Who is due next, among many: a heap, so that a packet of one device costs the same however many
 * there are. */
#ifndef CLI_STATION_HEAP_H
#define CLI_STATION_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Never due. */
#define HEAP_NEVER UINT64_MAX

/* Lies in what is due; its owner's. Zero it once. */
struct heap_entry {
    uint64_t due;
    size_t at; /* in the heap, from 1; 0 = it is not there */
};

struct heap {
    struct heap_entry **entries;
    size_t count;
    size_t cap;
};

/* Put an entry into the heap, move it, or take it out where due is HEAP_NEVER.
 * Returns false when memory is out: it is then not in the heap. */
bool heap_set(struct heap *heap, struct heap_entry *entry, uint64_t due);

/* The entry that is due first, or NULL. */
struct heap_entry *heap_first(const struct heap *heap);

void heap_free(struct heap *heap);

#endif

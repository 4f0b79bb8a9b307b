/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include <stdlib.h>

static void put(struct heap *heap, size_t at, struct heap_entry *entry)
{
    heap->entries[at - 1] = entry;
    entry->at = at;
}

static void rise(struct heap *heap, struct heap_entry *entry)
{
    size_t at = entry->at;

    while (at > 1 && heap->entries[at / 2 - 1]->due > entry->due) {
        put(heap, at, heap->entries[at / 2 - 1]);
        at /= 2;
    }
    put(heap, at, entry);
}

static void sink(struct heap *heap, struct heap_entry *entry)
{
    size_t at = entry->at;

    for (size_t child = 2 * at; child <= heap->count; child = 2 * at) {
        if (child < heap->count && heap->entries[child]->due < heap->entries[child - 1]->due) {
            child++;
        }
        if (heap->entries[child - 1]->due >= entry->due) {
            break;
        }
        put(heap, at, heap->entries[child - 1]);
        at = child;
    }
    put(heap, at, entry);
}

static void take_out(struct heap *heap, struct heap_entry *entry)
{
    struct heap_entry *last = heap->entries[heap->count - 1];
    size_t at = entry->at;

    heap->count--;
    entry->at = 0;
    if (last != entry) {
        put(heap, at, last);
        rise(heap, last);
        sink(heap, last);
    }
}

static bool make_room(struct heap *heap)
{
    size_t cap = heap->cap != 0 ? 2 * heap->cap : 64;
    struct heap_entry **larger;

    if (heap->count < heap->cap) {
        return true;
    }
    larger = realloc(heap->entries, cap * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    heap->entries = larger;
    heap->cap = cap;
    return true;
}

bool heap_set(struct heap *heap, struct heap_entry *entry, uint64_t due)
{
    entry->due = due;
    if (due == HEAP_NEVER) {
        if (entry->at != 0) {
            take_out(heap, entry);
        }
        return true;
    }
    if (entry->at == 0) {
        if (!make_room(heap)) {
            return false;
        }
        put(heap, ++heap->count, entry);
    }
    rise(heap, entry);
    sink(heap, entry);
    return true;
}

struct heap_entry *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->entries[0] : NULL;
}

void heap_free(struct heap *heap)
{
    free(heap->entries);
    *heap = (struct heap){0};
}

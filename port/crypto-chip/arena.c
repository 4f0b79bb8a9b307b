/* SPDX-License-Identifier: Apache-2.0 */
/* A first-fit allocator over a static arena: blocks stand one behind the other, each with its size
 * in front; free neighbours become one when a block is looked for. */
#include "arena.h"

#include "mbedtls_config.h"

#include <mbedtls/platform_util.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* In front of every block. Sizes are in units of a head, so that all are aligned. */
union head {
    struct {
        uint32_t units; /* of this block, its head included; 0 ends the arena */
        uint32_t used;
    } block;
    uint64_t align[2];
};

#define UNITS (ARENA_SIZE / sizeof(union head))

static union head arena[UNITS + 1]; /* and the end */
static bool is_open;
static size_t in_use;
static size_t peak;

void arena_open(void)
{
    memset(arena, 0, sizeof arena);
    arena[0].block.units = UNITS;
    in_use = 0;
    is_open = true;
}

void arena_close(void)
{
    is_open = false;
    mbedtls_platform_zeroize(arena, sizeof arena);
}

size_t arena_peak(void)
{
    return peak * sizeof(union head);
}

/* Take in the free blocks behind a free one. */
static void join(union head *head)
{
    for (union head *next = head + head->block.units; next->block.units != 0 && !next->block.used;
         next = head + head->block.units) {
        head->block.units += next->block.units;
    }
}

/* The first free block of so many units, or NULL. */
static union head *find(uint32_t units)
{
    for (union head *head = arena; head->block.units != 0; head += head->block.units) {
        if (head->block.used) {
            continue;
        }
        join(head);
        if (head->block.units >= units) {
            return head;
        }
    }
    return NULL;
}

void *ferry_arena_calloc(size_t count, size_t size)
{
    if (!is_open || (count != 0 && size > ARENA_SIZE / count)) {
        return NULL;
    }
    uint32_t units = (uint32_t)(1 + (count * size + sizeof(union head) - 1) / sizeof(union head));
    union head *head = find(units);
    if (head == NULL) {
        return NULL;
    }
    if (head->block.units > units) {
        head[units].block.units = head->block.units - units;
        head[units].block.used = 0;
    }
    head->block.units = units;
    head->block.used = 1;
    in_use += units;
    peak = in_use > peak ? in_use : peak;
    return memset(head + 1, 0, (units - 1) * sizeof *head);
}

void ferry_arena_free(void *memory)
{
    if (memory == NULL || !is_open) {
        return;
    }
    union head *head = (union head *)memory - 1;
    head->block.used = 0;
    in_use -= head->block.units;
}

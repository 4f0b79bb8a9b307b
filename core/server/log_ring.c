/* SPDX-License-Identifier: Apache-2.0 */
/* A log in memory.
 *
 * An entry, little-endian: len u16, level u8, module u8, kind u8, ts i64, then the message. Entries
 * stand one behind the other and go on at the beginning of the memory where it ends. */
#include "ferry/log_ring.h"

#include "ferry/crc.h"

#include <string.h>

/* ---- Bytes that go around ------------------------------------------------------ */

static void copy_in(struct ferry_log_ring *ring, size_t at, const uint8_t *data, size_t len)
{
    at %= ring->size;

    size_t part = len < ring->size - at ? len : ring->size - at;

    memcpy(ring->memory + at, data, part);
    if (part < len) {
        memcpy(ring->memory, data + part, len - part);
    }
}

static void copy_out(const struct ferry_log_ring *ring, size_t at, uint8_t *data, size_t len)
{
    at %= ring->size;

    size_t part = len < ring->size - at ? len : ring->size - at;

    memcpy(data, ring->memory + at, part);
    if (part < len) {
        memcpy(data + part, ring->memory, len - part);
    }
}

/* ---- Entries ------------------------------------------------------------------- */

static void read_head(const struct ferry_log_ring *ring, size_t at, struct ferry_log_entry *entry)
{
    uint8_t head[FERRY_LOG_RING_HEAD];

    copy_out(ring, at, head, sizeof(head));
    entry->len = ferry_load_le16(head);
    entry->level = head[2];
    entry->module = head[3];
    entry->kind = head[4];
    entry->ts_us = (int64_t)((uint64_t)ferry_load_le32(head + 9) << 32 | ferry_load_le32(head + 5));
}

static void drop_oldest(struct ferry_log_ring *ring)
{
    struct ferry_log_entry oldest;

    read_head(ring, ring->first, &oldest);
    ring->first = (ring->first + FERRY_LOG_RING_HEAD + oldest.len) % ring->size;
    ring->used -= FERRY_LOG_RING_HEAD + (size_t)oldest.len;
    ring->index++;
}

static uint16_t crc_of(const struct ferry_log_ring *ring)
{
    uint8_t numbers[16];

    ferry_store_le32(numbers, (uint32_t)ring->first);
    ferry_store_le32(numbers + 4, (uint32_t)ring->used);
    ferry_store_le32(numbers + 8, ring->index);
    ferry_store_le32(numbers + 12, ring->next_index);
    return ferry_crc16(UINT16_MAX, numbers, sizeof(numbers)); /* so that zeroes are no log */
}

void ferry_log_ring_init(struct ferry_log_ring *ring, void *memory, size_t size)
{
    *ring = (struct ferry_log_ring){.memory = memory, .size = size};
    ring->crc = crc_of(ring);
}

/* Whether the entries are as many, and as long, as the numbers say. */
static bool is_whole(const struct ferry_log_ring *ring)
{
    size_t at = ring->first;
    size_t left = ring->used;
    uint32_t index = ring->index;

    if (ring->first >= ring->size || ring->used > ring->size) {
        return false;
    }
    for (; left > FERRY_LOG_RING_HEAD - 1 && index != ring->next_index; index++) {
        struct ferry_log_entry entry;

        read_head(ring, at, &entry);
        if (entry.len > left - FERRY_LOG_RING_HEAD) {
            return false;
        }
        at += FERRY_LOG_RING_HEAD + (size_t)entry.len;
        left -= FERRY_LOG_RING_HEAD + (size_t)entry.len;
    }
    return left == 0 && index == ring->next_index;
}

bool ferry_log_ring_resume(struct ferry_log_ring *ring, void *memory, size_t size)
{
    if (ring->memory == memory && ring->size == size && ring->crc == crc_of(ring) &&
        is_whole(ring)) {
        return true;
    }
    ferry_log_ring_init(ring, memory, size);
    return false;
}

void ferry_log_ring_add(struct ferry_log_ring *ring, const struct ferry_log_entry *entry,
                        const void *message, size_t len)
{
    uint8_t head[FERRY_LOG_RING_HEAD];

    if (ring->size <= sizeof(head)) {
        return;
    }
    len = len < ring->size - sizeof(head) ? len : ring->size - sizeof(head);
    len = len < UINT16_MAX ? len : UINT16_MAX;
    while (ring->size - ring->used < sizeof(head) + len) {
        drop_oldest(ring);
    }
    ferry_store_le16(head, (uint16_t)len);
    head[2] = entry->level;
    head[3] = entry->module;
    head[4] = entry->kind;
    ferry_store_le32(head + 5, (uint32_t)entry->ts_us);
    ferry_store_le32(head + 9, (uint32_t)((uint64_t)entry->ts_us >> 32));
    copy_in(ring, ring->first + ring->used, head, sizeof(head));
    if (len > 0) {
        copy_in(ring, ring->first + ring->used + sizeof(head), message, len);
    }
    ring->used += sizeof(head) + len;
    ring->next_index++;
    ring->crc = crc_of(ring);
}

/* ---- The log ------------------------------------------------------------------- */

/* Where the entry of an index begins, from the oldest on; at is the end behind the last. */
static size_t place_of(const struct ferry_log_ring *ring, uint32_t index,
                       struct ferry_log_entry *entry)
{
    size_t at = ring->first;

    for (uint32_t i = ring->index;; i++) {
        read_head(ring, at, entry);
        if (i == index) {
            entry->index = index;
            return at;
        }
        at += FERRY_LOG_RING_HEAD + (size_t)entry->len;
    }
}

static int next(void *context, uint32_t from, struct ferry_log_entry *entry)
{
    const struct ferry_log_ring *ring = context;

    if (ring->index == ring->next_index || from >= ring->next_index) {
        return 0;
    }
    (void)place_of(ring, from > ring->index ? from : ring->index, entry);
    return 1;
}

static void read(void *context, const struct ferry_log_entry *entry, uint8_t *message, size_t len)
{
    const struct ferry_log_ring *ring = context;
    struct ferry_log_entry found;

    if (len > 0) {
        copy_out(ring, place_of(ring, entry->index, &found) + FERRY_LOG_RING_HEAD, message, len);
    }
}

static uint32_t next_index(void *context)
{
    return ((const struct ferry_log_ring *)context)->next_index;
}

static int clear(void *context)
{
    struct ferry_log_ring *ring = context;

    ring->used = 0;
    ring->index = ring->next_index;
    ring->crc = crc_of(ring);
    return FERRY_OK;
}

const struct ferry_log_ops ferry_log_in_ring = {
    .next = next, .read = read, .next_index = next_index, .clear = clear};

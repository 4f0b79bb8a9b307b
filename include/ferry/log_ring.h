/* SPDX-License-Identifier: Apache-2.0 */
/* A log in memory: the oldest entries make room for new ones. */
#ifndef FERRY_LOG_RING_H
#define FERRY_LOG_RING_H

#include "ferry/group_log.h"

/* Bytes an entry takes beside its message. */
#define FERRY_LOG_RING_HEAD 13

/* Do not rely on the contents. */
struct ferry_log_ring {
    uint8_t *memory;
    size_t size;
    size_t first;        /* where the oldest entry begins */
    size_t used;         /* bytes of all entries */
    uint32_t index;      /* of the oldest */
    uint32_t next_index; /* of the next */
    uint16_t crc;        /* of the numbers above */
};

/* Make an empty log in size bytes of the caller's, which must outlive it. The first entry gets
 * index 0. */
void ferry_log_ring_init(struct ferry_log_ring *ring, void *memory, size_t size);

/* Take over the log of the run before, for a device that wants to know what led to a reset: ring
 * and memory stand where nothing clears them at the start (.noinit) and may hold anything. The
 * clock of the older entries is that run's. A reset in the middle of an addition loses all.
 * Returns whether there was one; else the log is empty, as from ferry_log_ring_init(). */
bool ferry_log_ring_resume(struct ferry_log_ring *ring, void *memory, size_t size);

/* Add an entry. A message that is longer than the memory is cut; in memory for no message at all
 * nothing happens. Not to be called while the server handles a request, but by what it calls.
 *
 * entry    all but index and len, which are the ring's to know
 * message  len bytes, not kept */
void ferry_log_ring_add(struct ferry_log_ring *ring, const struct ferry_log_entry *entry,
                        const void *message, size_t len);

/* A log of type FERRY_LOG_MEMORY, with a struct ferry_log_ring * as context. */
extern const struct ferry_log_ops ferry_log_in_ring;

#endif

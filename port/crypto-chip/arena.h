/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of Mbed TLS on a chip: one static arena instead of a heap. One operation of the
 * library at a time may use it, between open and close. */
#ifndef CRYPTO_CHIP_ARENA_H
#define CRYPTO_CHIP_ARENA_H

#include <stddef.h>

/* Bytes: what the largest operation needs, with room for the blocks' heads. */
#define ARENA_SIZE 8192

/* Make the arena empty; before the first call of the library. */
void arena_open(void);

/* Wipe all of it, since numbers may have been secret, and take it out of use: until the next open
 * nothing can be allocated. */
void arena_close(void);

/* The most bytes that were in use at a time since the start, heads included: for tests. */
size_t arena_peak(void);

#endif

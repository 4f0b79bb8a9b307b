/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's RAM, as far as programs share it: one leaves bytes there that the next one finds. */
#ifndef DEVICE_RAM_H
#define DEVICE_RAM_H

#include "ferry/bytes.h"
#include "ferry/error.h"

struct ram {
    int fd;          /* for programs to map; -1 = the chip has none */
    uint8_t *memory; /* the contents */
    uint32_t size;
};

/* Power up RAM of size bytes: nobody knows what is in it. Size 0 is a chip without.
 *
 * seed  the same one makes the same junk
 *
 * Returns FERRY_OK or FERRY_E_IO (errno). */
FERRY_MUST_CHECK
int ram_open(struct ram *ram, uint32_t size, uint32_t seed);

/* Power down; harmless on one that did not open. */
void ram_close(struct ram *ram);

#endif

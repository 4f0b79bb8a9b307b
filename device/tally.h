/* SPDX-License-Identifier: Apache-2.0 */
/* What was done to the flash since the power came, area by area. */
#ifndef DEVICE_TALLY_H
#define DEVICE_TALLY_H

#include "layout/layout.h"

struct tally {
    uint32_t erases[FERRY_VCHIP_AREAS];  /* sectors */
    uint64_t written[FERRY_VCHIP_AREAS]; /* bytes */
};

/* Count an erase or a program that succeeded, of len bytes at offset of a flash device. What lies
 * in no area is not counted. */
void tally_erase(struct tally *tally, const struct layout *layout, uint32_t device, uint32_t offset,
                 uint32_t len);
void tally_program(struct tally *tally, const struct layout *layout, uint32_t device,
                   uint32_t offset, uint32_t len);

/* "primary: 63 sectors erased, 253976 bytes written" for an area with a number. Returns false when
 * nothing happened there. */
bool tally_text(const struct tally *tally, const struct layout *layout, uint32_t area, char *text,
                size_t cap);

#endif

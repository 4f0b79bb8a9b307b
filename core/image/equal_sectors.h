/* SPDX-License-Identifier: Apache-2.0 */
/* What the strategies share that need sectors of one size in both slots. Internal to core/image. */
#ifndef FERRY_CORE_IMAGE_EQUAL_SECTORS_H
#define FERRY_CORE_IMAGE_EQUAL_SECTORS_H

#include "ferry/slots.h"

/* The size of all sectors of both slots, 0 when they differ. */
uint32_t ferry_equal_sectors_size(const struct ferry_slots *slots);

/* The check of a pair of slots of which longer has as many sectors as the other one, or one more;
 * both at most max_sectors. Returns FERRY_OK or FERRY_E_LAYOUT. */
FERRY_MUST_CHECK
int ferry_equal_sectors_check(const struct ferry_slots *slots, const struct ferry_flash *longer,
                              const struct ferry_flash *other);

/* That of strategies that keep a sector free in the secondary. */
FERRY_MUST_CHECK
int ferry_equal_sectors_check_longer_secondary(const struct ferry_slots *slots);

/* Largest image of those: the primary, and the secondary less a sector, each less its trailer's
 * sectors. */
uint32_t ferry_equal_sectors_max_shifted(const struct ferry_slots *slots);

/* The smaller of both rooms less the sectors of the trailer; 0 when nothing is left. */
uint32_t ferry_equal_sectors_less_trailer(const struct ferry_slots *slots, uint32_t primary_room,
                                          uint32_t secondary_room);

#endif

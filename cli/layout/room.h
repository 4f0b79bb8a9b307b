/* SPDX-License-Identifier: Apache-2.0 */
/* What the slots of an image have room for, and what takes the rest. The numbers are those of
 * ferry_slots_max_image() and ferry_slots_trailer(): bootloader, server and client ask the same. */
#ifndef CLI_LAYOUT_ROOM_H
#define CLI_LAYOUT_ROOM_H

#include "layout/layout_slots.h"

#define ROOM_TEXT_MAX 320

struct room {
    const struct ferry_strategy_traits *strategy;
    uint32_t slot;          /* bytes of the smaller slot */
    uint32_t max_image;     /* the largest image, header and TLVs included */
    uint32_t limit;         /* the same; or less, where it must fit elsewhere too */
    const char *limited_by; /* "ram", "s0"; NULL: nothing else */
    uint32_t trailer;       /* bytes of a trailer */
    uint32_t sectors;       /* bytes of the sectors that it touches, in that slot */
    bool shared;            /* an image may reach into those sectors */
    uint32_t spare;         /* bytes an image may not use, that are no trailer's */
};

/* Fill in what an image of a layout has. Returns FERRY_OK, or an error for areas that cannot be:
 * never for a layout that was parsed. */
FERRY_MUST_CHECK
int room_of(const struct layout *layout, uint32_t image, struct room *room);

/* "of the 262144 bytes of its slot the trailer's sectors are 4096, and 4096 stay free for the
 * exchange". */
void room_text(const struct room *room, char text[ROOM_TEXT_MAX]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "room.h"

#include <stdio.h>

/* The smaller slot: it is what limits an image. */
static const struct ferry_flash *smaller(const struct ferry_slots *slots)
{
    return slots->secondary != NULL && slots->secondary->size < slots->primary->size
               ? slots->secondary
               : slots->primary;
}

static void limit(struct room *room, uint32_t bytes, const char *by)
{
    if (bytes < room->limit) {
        room->limit = bytes;
        room->limited_by = by;
    }
}

/* What is no matter of the slots: where images are copied to. */
static void limit_elsewhere(const struct layout *layout, struct room *room)
{
    room->limit = room->max_image;
    if (room->strategy->mode == FERRY_MODE_RAM_LOAD) {
        limit(room, layout->ram_size, "ram");
    }
    if (room->strategy == &ferry_traits_first_stage) {
        limit(room, layout->areas[layout->first_slots[0]].size, "s0");
        limit(room, layout->areas[layout->first_slots[1]].size, "s1");
    }
}

int room_of(const struct layout *layout, uint32_t image, struct room *room)
{
    struct layout_slots slots;
    struct ferry_trailer_layout trailer;
    uint32_t start = 0;

    *room = (struct room){.slot = 0};
    int rc = layout_slots_open(layout, image, NULL, &slots);
    if (rc == FERRY_OK) {
        rc = ferry_slots_trailer(&slots.slots, &trailer);
    }
    if (rc == FERRY_OK) {
        rc = ferry_slots_trailer_start(&slots.slots, smaller(&slots.slots), &start);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    room->strategy = slots.slots.strategy;
    room->slot = smaller(&slots.slots)->size;
    room->max_image = ferry_slots_max_image(&slots.slots);
    room->trailer = trailer.size;
    room->sectors = room->slot - start;
    room->shared = room->max_image > start;
    room->spare = room->shared ? 0 : start - room->max_image;
    limit_elsewhere(layout, room);
    return FERRY_OK;
}

void room_text(const struct room *room, char text[ROOM_TEXT_MAX])
{
    int len = 0;
    if (room->limited_by != NULL) {
        (void)snprintf(text, ROOM_TEXT_MAX, "the slot takes %u, but it must fit %s as well",
                       (unsigned)room->max_image, room->limited_by);
        return;
    }
    if (room->shared) {
        (void)snprintf(text, ROOM_TEXT_MAX,
                       "of the %u bytes of its slot %u at the end are kept free",
                       (unsigned)room->slot, (unsigned)(room->slot - room->max_image));
        return;
    }
    len = snprintf(text, ROOM_TEXT_MAX, "of the %u bytes of its slot the trailer's sectors are %u",
                   (unsigned)room->slot, (unsigned)room->sectors);
    if (room->spare > 0 && len > 0 && len < ROOM_TEXT_MAX) {
        (void)snprintf(text + len, ROOM_TEXT_MAX - (size_t)len,
                       ", and %u stay free for the exchange", (unsigned)room->spare);
    }
}

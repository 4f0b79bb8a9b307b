/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of slots: checks, the largest image, and the application's side of test and confirm. */
#include "ferry/slots.h"

/* ---- Geometry --------------------------------------------------------------------------- */

static struct ferry_trailer_format trailer_format(const struct ferry_slots *slots)
{
    return (struct ferry_trailer_format){
        .max_align = slots->max_align,
        .write_size = ferry_max32(slots->primary->write_size, slots->secondary->write_size),
        .max_sectors = slots->max_sectors,
        .sector_states = slots->strategy->sector_states,
        .tlv_sizes = slots->strategy->tlv_sizes};
}

int ferry_slots_trailer(const struct ferry_slots *slots, struct ferry_trailer_layout *layout)
{
    struct ferry_trailer_format format = trailer_format(slots);
    return ferry_trailer_layout(&format, layout);
}

/* Whether the trailer can be written field by field: slots end on a boundary of its fields. */
static bool ends_aligned(const struct ferry_slots *slots, const struct ferry_flash *slot)
{
    return slot->size % slots->max_align == 0;
}

int ferry_slots_check(const struct ferry_slots *slots)
{
    if (slots->primary == NULL || slots->secondary == NULL || slots->strategy == NULL ||
        slots->max_sectors == 0) {
        return FERRY_E_CONFIG;
    }
    int rc = ferry_flash_check(slots->primary);
    if (rc == FERRY_OK) {
        rc = ferry_flash_check(slots->secondary);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    struct ferry_trailer_layout layout;
    rc = ferry_slots_trailer(slots, &layout);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (!ends_aligned(slots, slots->primary) || !ends_aligned(slots, slots->secondary) ||
        layout.size > slots->primary->size || layout.size > slots->secondary->size) {
        return FERRY_E_LAYOUT;
    }
    rc = slots->strategy->check(slots);
    if (rc != FERRY_OK) {
        return rc;
    }
    return ferry_slots_max_image(slots) == 0 ? FERRY_E_LAYOUT : FERRY_OK;
}

uint32_t ferry_slots_max_image(const struct ferry_slots *slots)
{
    return slots->strategy->max_image(slots);
}

/* ---- State ------------------------------------------------------------------------------ */

int ferry_slots_swap_type(const struct ferry_slots *slots, enum ferry_swap_type *type)
{
    struct ferry_trailer primary;
    int rc = ferry_trailer_read(slots->primary, slots->max_align, &primary);
    if (rc != FERRY_OK) {
        return rc;
    }
    struct ferry_trailer secondary = {FERRY_UNSET, FERRY_UNSET, FERRY_UNSET, FERRY_SWAP_NONE, 0};
    /* An error leaves secondary as it is: unset. */
    rc = ferry_trailer_read(slots->secondary, slots->max_align, &secondary);
    (void)rc;
    bool offset_rows = slots->strategy->mode == FERRY_MODE_SWAP_OFFSET;
    *type = ferry_swap_type_of(&primary, &secondary, offset_rows);
    if (*type == FERRY_SWAP_REVERT && !slots->strategy->reverts) {
        *type = FERRY_SWAP_NONE;
    }
    return FERRY_OK;
}

/* Write swap_info behind a request, as MCUboot's own application code does. The magic made the
 * request already; where the field is not erased any more, it is left alone. */
static int note_request(const struct ferry_slots *slots, enum ferry_swap_type type)
{
    struct ferry_trailer_layout layout;
    int rc = ferry_slots_trailer(slots, &layout);
    if (rc != FERRY_OK) {
        return rc;
    }
    const struct ferry_flash *slot = slots->secondary;
    rc = ferry_flash_is_erased(slot, slot->size - layout.swap_info, slot->write_size);
    if (rc <= 0) {
        return rc;
    }
    return ferry_trailer_write_swap_info(slot, slots->max_align, 0, type);
}

int ferry_slots_set_pending(const struct ferry_slots *slots, bool permanent)
{
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(slots->secondary, slots->max_align, &trailer);
    if (rc != FERRY_OK) {
        return rc;
    }
    enum ferry_trailer_field wanted = permanent ? FERRY_SET : FERRY_UNSET;
    if (trailer.magic == FERRY_SET) {
        return trailer.image_ok == wanted ? FERRY_OK : FERRY_E_STATE;
    }
    /* A flag cannot be taken back: with image_ok set already, a magic would ask for good. */
    if (trailer.magic == FERRY_BAD || trailer.image_ok == FERRY_BAD ||
        (trailer.image_ok == FERRY_SET && !permanent)) {
        return FERRY_E_STATE;
    }
    if (trailer.image_ok != wanted) {
        rc = ferry_trailer_write_image_ok(slots->secondary, slots->max_align);
        if (rc != FERRY_OK) {
            return rc;
        }
    }
    rc = ferry_trailer_write_magic(slots->secondary, slots->max_align);
    if (rc != FERRY_OK) {
        return rc;
    }
    return note_request(slots, permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
}

int ferry_slots_confirm(const struct ferry_slots *slots)
{
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(slots->primary, slots->max_align, &trailer);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (trailer.magic == FERRY_BAD) {
        return FERRY_E_STATE;
    }
    /* Without a magic there was no swap: whatever runs is for good. */
    if (trailer.magic == FERRY_UNSET || trailer.image_ok == FERRY_SET) {
        return FERRY_OK;
    }
    if (trailer.image_ok == FERRY_BAD) {
        return FERRY_E_STATE;
    }
    return ferry_trailer_write_image_ok(slots->primary, slots->max_align);
}

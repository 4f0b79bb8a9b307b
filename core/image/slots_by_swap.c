/* SPDX-License-Identifier: Apache-2.0 */
/* Test, confirm and revert of the strategies that move images: the trailers of both slots.
 * [mcuboot-format.md §2.6 "Swap type", "App API"] */
#include "ferry/slots.h"

static int next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
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
    enum ferry_swap_type type =
        ferry_swap_type_of(&primary, &secondary, slots->strategy->tlv_sizes);
    if (type == FERRY_SWAP_REVERT && !slots->strategy->reverts) {
        type = FERRY_SWAP_NONE;
    }
    *next = (struct ferry_slots_next){type == FERRY_SWAP_NONE ? 0 : 1, type};
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

static int set_pending(const struct ferry_slots *slots, bool permanent)
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

static int confirm(const struct ferry_slots *slots)
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

static int cancel(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_E_UNSUPPORTED;
}

const struct ferry_slots_state ferry_slots_by_swap = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm, .cancel = cancel};

/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of slots: checks, the largest image, and the application's side of test and confirm. */
#include "core/image/journal.h"

/* ---- Geometry --------------------------------------------------------------------------- */

/* The larger write size; a secondary that is not there has none. */
static uint32_t write_size(const struct ferry_slots *slots)
{
    uint32_t size = slots->primary->write_size;
    return slots->secondary == NULL ? size : ferry_max32(size, slots->secondary->write_size);
}

/* Whether images are in pieces while they are exchanged: the others have their ENC TLVs always. */
static bool moves(const struct ferry_slots *slots)
{
    return slots->strategy->keeps_old && !slots->strategy->in_place &&
           slots->strategy->sector_states > 0;
}

static struct ferry_trailer_format trailer_format(const struct ferry_slots *slots)
{
    return (struct ferry_trailer_format){.max_align = slots->max_align,
                                         .write_size = write_size(slots),
                                         .max_sectors = slots->max_sectors,
                                         .sector_states = slots->strategy->sector_states,
                                         .tlv_sizes = slots->strategy->tlv_sizes,
                                         .enc_tlv = moves(slots) ? slots->enc_tlv : 0};
}

int ferry_slots_trailer(const struct ferry_slots *slots, struct ferry_trailer_layout *layout)
{
    struct ferry_trailer_format format = trailer_format(slots);
    return ferry_trailer_layout(&format, layout);
}

/* Check one slot and its trailer. Returns FERRY_OK, FERRY_E_CONFIG or FERRY_E_LAYOUT. */
static int check_slot(const struct ferry_slots *slots, const struct ferry_flash *slot,
                      struct ferry_trailer_layout *layout)
{
    int rc = ferry_flash_check(slot);
    if (rc == FERRY_OK) {
        rc = ferry_slots_trailer(slots, layout);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    /* The trailer is written field by field: slots end on a boundary of them. */
    bool ends_aligned = (slot->size & (slots->max_align - 1)) == 0;
    return ends_aligned && layout->size <= slot->size ? FERRY_OK : FERRY_E_LAYOUT;
}

/* Whether the status area holds the journal of a swap (journal.h): with a write size of 1 it takes
 * more sectors in the trailer than the slots may have. */
static bool has_journal(const struct ferry_slots *slots, const struct ferry_trailer_layout *layout)
{
    uint32_t place = ferry_align_up(FERRY_JOURNAL_RECORD, write_size(slots));
    return !slots->strategy->keeps_old || slots->strategy->in_place ||
           layout->size - layout->keys >= FERRY_JOURNAL_PLACES * place;
}

int ferry_slots_check(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    int rc = FERRY_OK;
    if (slots->primary == NULL || slots->strategy == NULL || slots->max_sectors == 0 ||
        (slots->secondary == NULL) != (slots->strategy->slot_count == 1)) {
        return FERRY_E_CONFIG;
    }
    for (uint32_t slot = 0; rc == FERRY_OK && slot < slots->strategy->slot_count; slot++) {
        rc = check_slot(slots, ferry_slots_slot(slots, slot), &layout);
    }
    if (rc == FERRY_OK) {
        rc = slots->strategy->check(slots);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    return has_journal(slots, &layout) && ferry_slots_max_image(slots) != 0 ? FERRY_OK
                                                                            : FERRY_E_LAYOUT;
}

uint32_t ferry_slots_max_image(const struct ferry_slots *slots)
{
    return slots->strategy->max_image(slots);
}

/* ---- Where images are ------------------------------------------------------------------- */

const struct ferry_flash *ferry_slots_slot(const struct ferry_slots *slots, uint32_t slot)
{
    return slot == 0 ? slots->primary : slots->secondary;
}

/* Offset of a sector of the secondary; 0 when it has no such sector. */
static uint32_t sector_offset(const struct ferry_slots *slots, uint32_t index)
{
    struct ferry_flash_sector sector;
    if (index == 0 || slots->secondary == NULL ||
        ferry_flash_sector(slots->secondary, index, &sector) != FERRY_OK) {
        return 0;
    }
    return sector.offset;
}

uint32_t ferry_slots_upload_offset(const struct ferry_slots *slots)
{
    return sector_offset(slots, slots->strategy->upload_sector);
}

uint32_t ferry_slots_old_offset(const struct ferry_slots *slots)
{
    return sector_offset(slots, slots->strategy->old_sector);
}

int ferry_slots_secondary_at(const struct ferry_slots *slots, uint32_t offset,
                             struct ferry_flash_slice *view)
{
    const struct ferry_flash *slot = slots->secondary;
    if (slot == NULL || offset > slot->size) {
        return FERRY_E_NOT_FOUND;
    }
    return ferry_flash_slice_init(view, slot, offset, slot->size - offset);
}

/* Where the image of the secondary begins. A header at sector 0 decides: the strategies that use
 * two places erase it when what is there no longer counts. */
static int find_image(const struct ferry_slots *slots, uint32_t *offset)
{
    uint32_t places[2] = {ferry_slots_upload_offset(slots), ferry_slots_old_offset(slots)};
    *offset = places[0];
    uint32_t first = places[0] <= places[1] ? 0 : 1;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t magic[4];
        uint32_t place = places[(first + i) % 2];
        int rc = ferry_flash_read(slots->secondary, place, magic, sizeof magic);
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == FERRY_OK && ferry_load_le32(magic) == FERRY_IMAGE_MAGIC) {
            *offset = place;
            return FERRY_OK;
        }
    }
    return FERRY_OK;
}

int ferry_slots_view(const struct ferry_slots *slots, uint32_t slot, struct ferry_flash_slice *view,
                     uint32_t *offset)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    uint32_t at = 0;
    if (slot > 1 || flash == NULL) {
        return FERRY_E_NOT_FOUND;
    }
    int rc = slot == 0 ? FERRY_OK : find_image(slots, &at);
    if (rc == FERRY_OK) {
        rc = ferry_flash_slice_init(view, flash, at, flash->size - at);
    }
    if (offset != NULL) {
        *offset = at;
    }
    return rc;
}

/* ---- State ------------------------------------------------------------------------------ */

int ferry_slots_next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    return slots->state != NULL ? slots->state->next(slots, next) : FERRY_E_CONFIG;
}

int ferry_slots_swap_type(const struct ferry_slots *slots, enum ferry_swap_type *type)
{
    struct ferry_slots_next next;
    int rc = ferry_slots_next_boot(slots, &next);
    if (rc == FERRY_OK) {
        *type = next.type;
    }
    return rc;
}

int ferry_slots_set_pending(const struct ferry_slots *slots, bool permanent)
{
    return slots->state != NULL ? slots->state->set_pending(slots, permanent) : FERRY_E_CONFIG;
}

int ferry_slots_cancel(const struct ferry_slots *slots)
{
    return slots->state != NULL ? slots->state->cancel(slots) : FERRY_E_CONFIG;
}

int ferry_slots_confirm(const struct ferry_slots *slots)
{
    const struct ferry_image_policy *policy = slots->policy;
    int rc = slots->state != NULL ? slots->state->confirm(slots) : FERRY_E_CONFIG;
    if (rc == FERRY_OK && policy != NULL && policy->memory != NULL) {
        rc = policy->memory->confirmed(slots, slots->active);
        rc = rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    return rc;
}

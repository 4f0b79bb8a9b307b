/* SPDX-License-Identifier: Apache-2.0 */
/* Test, confirm and revert of the strategies that move images: the trailers of both slots.
 * [mcuboot-format.md §2.6 "Swap type", "App API"] */
#include "core/image/image_record.h"

/* ---- Reading the trailers ----------------------------------------------------------------- */

static const struct ferry_trailer unset_trailer = {FERRY_UNSET, FERRY_UNSET, FERRY_UNSET,
                                                   FERRY_SWAP_NONE, 0};
static const struct ferry_trailer bad_trailer = {FERRY_BAD, FERRY_BAD, FERRY_BAD, FERRY_SWAP_NONE,
                                                 0};

/* A trailer of the secondary of which nothing could be read. */
static int look_elsewhere(const struct ferry_flash *secondary, struct ferry_trailers *trailers)
{
    uint8_t first[4];
    int rc = ferry_flash_read(secondary, 0, first, sizeof first);
    trailers->secondary = unset_trailer;
    trailers->secondary_answers = rc == FERRY_OK;
    if (trailers->secondary_answers) {
        trailers->secondary.magic = FERRY_BAD;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_slots_read_trailers(const struct ferry_slots *slots, struct ferry_trailers *trailers)
{
    int rc = ferry_trailer_read(slots->primary, slots->max_align, &trailers->primary);
    if (rc == FERRY_E_FLASH) {
        trailers->primary = bad_trailer;
    } else if (rc != FERRY_OK) {
        return rc;
    }
    trailers->secondary = unset_trailer;
    trailers->secondary_answers = slots->secondary != NULL;
    if (slots->secondary == NULL) {
        return FERRY_OK;
    }
    rc = ferry_trailer_read(slots->secondary, slots->max_align, &trailers->secondary);
    if (rc == FERRY_E_FLASH) {
        rc = look_elsewhere(slots->secondary, trailers);
    }
    if (rc == FERRY_OK && slots->strategy->read_end != NULL) {
        rc = slots->strategy->read_end(slots, trailers);
    }
    return rc;
}

int ferry_slots_trailer_start(const struct ferry_slots *slots, const struct ferry_flash *slot,
                              uint32_t *start)
{
    struct ferry_trailer_layout layout;
    struct ferry_flash_sector sector;
    int rc = ferry_slots_trailer(slots, &layout);
    if (rc == FERRY_OK && layout.size > slot->size) {
        rc = FERRY_E_BOUNDS;
    }
    if (rc == FERRY_OK) {
        rc = ferry_flash_sector_at(slot, slot->size - layout.size, &sector);
    }
    if (rc == FERRY_OK) {
        *start = sector.offset;
    }
    return rc;
}

/* ---- Deciding ------------------------------------------------------------------------------- */

/* Fields that cannot be read count on the safe side:
 * - secondary image_ok: a permanent request that was cut short is a test;
 * - primary copy_done: it is written when everything else is, so the copy is done, and an image
 *   that did not confirm itself is reverted.
 * Such an image_ok of the primary stays as the table has it, no revert: only somebody who wanted
 * to confirm has written there. */
static void settle_damage(struct ferry_trailers *trailers)
{
    if (trailers->secondary.image_ok == FERRY_BAD) {
        trailers->secondary.image_ok = FERRY_UNSET;
    }
    if (trailers->primary.copy_done == FERRY_BAD) {
        trailers->primary.copy_done = FERRY_SET;
    }
}

/* A request of the bootloader itself, a revert that was cut before it began: with swap_size, which
 * no application writes. Returns 1, 0 or FERRY_E_POWER. */
static int is_revert_request(const struct ferry_slots *slots, const struct ferry_trailer *secondary)
{
    const struct ferry_flash *slot = slots->secondary;
    struct ferry_trailer_layout layout;
    uint32_t bits = 0;
    if (secondary->swap_type != FERRY_SWAP_REVERT || secondary->image_ok != FERRY_SET) {
        return 0;
    }
    int rc = ferry_slots_trailer(slots, &layout);
    if (rc == FERRY_OK) {
        rc = ferry_trailer_read_size(slot, &layout, &bits);
    }
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    bits ^= slot->erased_value == 0 ? 0 : UINT32_MAX;
    return (bits & (bits - 1)) != 0;
}

int ferry_slots_decide(const struct ferry_slots *slots, struct ferry_trailers *trailers,
                       ferry_slots_confirmed *confirmed, enum ferry_swap_type *type)
{
    int rc = FERRY_OK;
    settle_damage(trailers);
    *type =
        ferry_swap_type_of(&trailers->primary, &trailers->secondary, slots->strategy->tlv_sizes);
    if (*type == FERRY_SWAP_PERM) {
        rc = is_revert_request(slots, &trailers->secondary);
        *type = rc == 1 ? FERRY_SWAP_REVERT : *type;
    } else if (*type == FERRY_SWAP_REVERT && trailers->secondary.magic != FERRY_SET &&
               confirmed != NULL) {
        rc = confirmed(slots, 0);
        *type = rc == 1 ? FERRY_SWAP_NONE : *type;
    }
    if (*type == FERRY_SWAP_REVERT && !slots->strategy->reverts) {
        *type = FERRY_SWAP_NONE;
    }
    return rc < 0 ? rc : FERRY_OK;
}

static int decide_next(const struct ferry_slots *slots, ferry_slots_confirmed *confirmed,
                       struct ferry_slots_next *next)
{
    struct ferry_trailers trailers;
    enum ferry_swap_type type = FERRY_SWAP_NONE;
    uint8_t first;
    int rc = ferry_flash_read(slots->primary, slots->primary->size - 1, &first, 1);
    if (rc == FERRY_OK) {
        rc = ferry_slots_read_trailers(slots, &trailers);
    }
    if (rc == FERRY_OK) {
        rc = ferry_slots_decide(slots, &trailers, confirmed, &type);
    }
    *next = (struct ferry_slots_next){type == FERRY_SWAP_NONE ? 0 : 1, type};
    return rc;
}

static int next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    return decide_next(slots, ferry_confirmed_read, next);
}

static int next_boot_no_store(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    return decide_next(slots, NULL, next);
}

/* ---- The application's side ------------------------------------------------------------------ */

/* Where a field of a slot's trailer begins. The slots were checked: it is inside. */
static uint32_t field_at(const struct ferry_slots *slots, const struct ferry_flash *slot,
                         enum ferry_trailer_place place)
{
    return slot->size - ferry_trailer_distance(slots->max_align, place);
}

/* The first sector of the secondary's trailer that its image leaves alone: of all of it, or of the
 * fields at least. An image whose size cannot be read does not count.
 * Returns FERRY_OK, FERRY_E_STATE when there is none, or an error. */
static int find_clear_start(const struct ferry_slots *slots, uint32_t *start)
{
    const struct ferry_flash *slot = slots->secondary;
    struct ferry_flash_sector fields = {0, 0, 0};
    struct ferry_flash_slice view;
    uint32_t size = 0;
    uint32_t offset = 0;
    int rc = ferry_slots_trailer_start(slots, slot, start);
    if (rc == FERRY_OK) {
        rc = ferry_flash_sector_at(slot, field_at(slots, slot, FERRY_TRAILER_SWAP_INFO), &fields);
    }
    if (rc == FERRY_OK) {
        rc = ferry_slots_view(slots, 1, &view, &offset);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = ferry_image_size(&view.flash, &size);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc == FERRY_OK && size > *start - offset) {
        *start = fields.offset;
    }
    return rc == FERRY_OK && size > *start - offset ? FERRY_E_STATE : FERRY_OK;
}

/* Erase the secondary's trailer for a request that is damaged, also where it reads as erased: it
 * may not take a program.
 * Returns FERRY_OK, FERRY_E_STATE when the image would go with it, or a flash error. */
static int clear_request(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->secondary;
    uint32_t start = 0;
    int rc = find_clear_start(slots, &start);
    return rc != FERRY_OK ? rc : ferry_flash_erase(slot, start, slot->size - start);
}

/* Write swap_info behind a request, as MCUboot's own application code does. The magic made the
 * request already: where the field does not take it, it stays as it is.
 * Returns FERRY_OK or FERRY_E_POWER. */
static int note_request(const struct ferry_slots *slots, enum ferry_swap_type type)
{
    const struct ferry_flash *slot = slots->secondary;
    int rc = ferry_flash_is_erased(slot, field_at(slots, slot, FERRY_TRAILER_SWAP_INFO),
                                   slot->write_size);
    if (rc == 1) {
        rc = ferry_trailer_write_swap_info(slot, slots->max_align, slots->number, type);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* A request where none stands yet. */
static int write_request(const struct ferry_slots *slots, bool permanent)
{
    int rc = FERRY_OK;
    if (permanent) {
        rc = ferry_trailer_write_image_ok(slots->secondary, slots->max_align);
    }
    return rc != FERRY_OK ? rc : ferry_trailer_write_magic(slots->secondary, slots->max_align);
}

static int request(const struct ferry_slots *slots, bool permanent)
{
    int rc = write_request(slots, permanent);
    if (rc == FERRY_E_NOT_ERASED) {
        rc = clear_request(slots);
        if (rc == FERRY_OK) {
            rc = write_request(slots, permanent);
        }
    }
    return rc != FERRY_OK ? rc : note_request(slots, permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
}

/* Whether nothing was ever written from `distance` to `to` bytes before the secondary's end.
 * Returns 1, 0 or an error. */
static int is_blank(const struct ferry_slots *slots, uint32_t distance, uint32_t to)
{
    const struct ferry_flash *slot = slots->secondary;
    int rc = ferry_flash_is_erased(slot, slot->size - distance, distance - to);
    return rc == FERRY_E_FLASH ? 0 : rc;
}

/* Whether the units that a request writes are blank. Returns 1, 0 or an error. */
static int takes_request(const struct ferry_slots *slots, const struct ferry_trailer *trailer,
                         bool permanent)
{
    uint32_t from = permanent ? ferry_trailer_distance(slots->max_align, FERRY_TRAILER_IMAGE_OK)
                              : FERRY_TRAILER_MAGIC_SIZE;
    if (trailer->image_ok != FERRY_UNSET || trailer->copy_done != FERRY_UNSET) {
        return 0;
    }
    return is_blank(slots, ferry_align_up(from, slots->secondary->write_size), 0);
}

/* Erase what is left of a journal, which the swap to come could take for its own. Where the image
 * would go with it the journal stays: the bootloader looks for it, too. */
static int clear_journal(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    uint32_t whole = 0;
    uint32_t start = 0;
    int rc = ferry_slots_trailer(slots, &layout);
    if (rc == FERRY_OK) {
        rc = layout.size > layout.swap_size ? is_blank(slots, layout.size, layout.swap_size) : 1;
    }
    if (rc != 0) {
        return rc == 1 ? FERRY_OK : rc;
    }
    rc = find_clear_start(slots, &start);
    if (rc == FERRY_OK) {
        rc = ferry_slots_trailer_start(slots, slots->secondary, &whole);
    }
    if (rc != FERRY_OK || start != whole) {
        return rc == FERRY_E_STATE ? FERRY_OK : rc;
    }
    return clear_request(slots);
}

/* Make room for a request: a flag cannot be taken back, and one without a magic would ask for
 * something else. Where the image would go with it, what does not matter to the request stays. */
static int make_blank(const struct ferry_slots *slots, const struct ferry_trailer *trailer,
                      bool permanent)
{
    int rc = is_blank(slots, ferry_trailer_distance(slots->max_align, FERRY_TRAILER_SWAP_INFO), 0);
    if (rc != 0) {
        return rc == 1 ? clear_journal(slots) : rc;
    }
    rc = clear_request(slots);
    if (rc == FERRY_E_STATE) {
        rc = takes_request(slots, trailer, permanent);
        rc = rc == 0 ? FERRY_E_STATE : rc;
    }
    return rc == 1 ? FERRY_OK : rc;
}

/* Make a test that is pending permanent. */
static int raise(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->secondary;
    int rc = ferry_flash_is_erased(slot, field_at(slots, slot, FERRY_TRAILER_IMAGE_OK),
                                   slot->write_size);
    if (rc != 0) {
        return rc < 0 ? rc : ferry_trailer_write_image_ok(slots->secondary, slots->max_align);
    }
    /* A bit has flipped there. */
    rc = clear_request(slots);
    return rc != FERRY_OK ? rc : request(slots, true);
}

/* What a request that stands becomes. */
static int ask_again(const struct ferry_slots *slots, const struct ferry_trailer *trailer,
                     bool permanent)
{
    if (permanent && trailer->image_ok == FERRY_UNSET) {
        return raise(slots);
    }
    return permanent || trailer->image_ok == FERRY_UNSET ? FERRY_OK : FERRY_E_STATE;
}

static int set_pending(const struct ferry_slots *slots, bool permanent)
{
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(slots->secondary, slots->max_align, &trailer);
    if (rc != FERRY_OK) {
        return rc;
    }
    bool stands = trailer.magic == FERRY_SET && trailer.image_ok != FERRY_BAD;
    rc = stands ? ferry_trailer_magic_is_firm(slots->secondary, slots->max_align) : 0;
    if (rc != 0) {
        return rc == 1 ? ask_again(slots, &trailer, permanent) : rc;
    }
    rc = make_blank(slots, &trailer, permanent);
    if (rc == FERRY_E_STATE && stands) {
        return ask_again(slots, &trailer, permanent);
    }
    return rc != FERRY_OK ? rc : request(slots, permanent);
}

static int cancel(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->secondary;
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(slot, slots->max_align, &trailer);
    if (rc != FERRY_OK || (trailer.magic == FERRY_UNSET && trailer.image_ok == FERRY_UNSET)) {
        return rc;
    }
    rc = clear_request(slots);
    if (rc != FERRY_E_STATE) {
        return rc;
    }
    /* The header goes first: without it the request is for nothing. */
    uint32_t start = 0;
    rc = ferry_flash_erase_dirty(slot, ferry_slots_upload_offset(slots), 1);
    if (rc == FERRY_OK) {
        rc = ferry_slots_trailer_start(slots, slot, &start);
    }
    return rc != FERRY_OK ? rc : ferry_flash_erase_dirty(slot, start, slot->size - start);
}

/* Make the primary's trailer one of an image without a test, which counts as confirmed: erase it,
 * the magic's sector first. Returns FERRY_OK, FERRY_E_STATE when the image reaches into it or
 * cannot be measured, or a flash error. */
static int clear_trial(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->primary;
    struct ferry_flash_sector sector = {0, slot->size, 0};
    uint32_t size = 0;
    uint32_t start = 0;
    int rc = ferry_slots_trailer_start(slots, slot, &start);
    if (rc == FERRY_OK) {
        rc = ferry_image_size(slot, &size);
        /* One that cannot be measured may be anywhere. */
        if (rc != FERRY_E_POWER && rc != FERRY_E_FLASH && (rc != FERRY_OK || size > start)) {
            rc = FERRY_E_STATE;
        }
    }
    while (rc == FERRY_OK && sector.offset > start) {
        rc = ferry_flash_sector_at(slot, sector.offset - 1, &sector);
        if (rc == FERRY_OK) {
            rc = ferry_flash_erase_dirty(slot, sector.offset, sector.size);
        }
    }
    return rc;
}

/* Set image_ok and read it back. A unit that a cut or a flipped bit has spoilt is not written
 * again. Returns FERRY_OK, FERRY_E_STATE when the flag cannot be set, or FERRY_E_POWER. */
static int set_image_ok(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->primary;
    struct ferry_trailer trailer;
    int rc = ferry_flash_is_erased(slot, field_at(slots, slot, FERRY_TRAILER_IMAGE_OK),
                                   slot->write_size);
    if (rc == 1) {
        rc = ferry_trailer_write_image_ok(slot, slots->max_align);
    }
    if (rc == FERRY_OK) {
        rc = ferry_trailer_read(slot, slots->max_align, &trailer);
    }
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc == FERRY_OK && trailer.image_ok == FERRY_SET ? FERRY_OK : FERRY_E_STATE;
}

/* What the trailer does not take. */
typedef int write_confirmed(const struct ferry_slots *slots, uint32_t slot);

static int confirm_by(const struct ferry_slots *slots, write_confirmed *elsewhere)
{
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(slots->primary, slots->max_align, &trailer);
    /* Without a magic there was no swap: whatever runs is for good. */
    if (rc != FERRY_OK || trailer.magic == FERRY_UNSET || trailer.image_ok == FERRY_SET) {
        return rc;
    }
    rc = trailer.magic == FERRY_SET ? set_image_ok(slots) : FERRY_E_STATE;
    if (rc == FERRY_E_STATE && elsewhere != NULL) {
        rc = elsewhere(slots, 0);
    }
    return rc == FERRY_E_STATE ? clear_trial(slots) : rc;
}

static int confirm(const struct ferry_slots *slots)
{
    return confirm_by(slots, ferry_confirmed_write);
}

static int confirm_no_store(const struct ferry_slots *slots)
{
    return confirm_by(slots, NULL);
}

const struct ferry_slots_state ferry_slots_by_swap = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm, .cancel = cancel};

const struct ferry_slots_state ferry_slots_by_swap_no_store = {.next = next_boot_no_store,
                                                               .set_pending = set_pending,
                                                               .confirm = confirm_no_store,
                                                               .cancel = cancel};

/* The bootloader that runs is for good, and nobody writes into its slot. */
static int confirm_nothing(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

const struct ferry_slots_state ferry_slots_first_stage = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm_nothing, .cancel = cancel};

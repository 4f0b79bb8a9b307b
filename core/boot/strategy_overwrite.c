/* SPDX-License-Identifier: Apache-2.0 */
/* Overwrite: the secondary image is copied over the primary one; there is no way back.
 *
 * Copy the sectors the image uses, verify the copy, record it as copy_done in the *secondary's*
 * trailer, empty the secondary. The secondary is whole until the copy is verified, so a cut before
 * that starts the copy again; the record makes a cut after it end the cleaning. At rest both
 * trailers are erased. MCUboot leaves the request's copy in the primary, its FAST build the magic
 * alone; to the next boot all three mean the same. */
#include "core/boot/swap.h"

/* A word that reads now so and now so does not read right so often in a row. */
#define LOOKS 24

static int resume(struct ferry_boot_swap *swap)
{
    struct ferry_trailers trailers;
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (trailers.secondary.magic != FERRY_SET || trailers.secondary.copy_done != FERRY_SET) {
        return 0;
    }
    /* The record is not believed alone: what it would erase may be the only image. */
    rc = ferry_boot_verify(swap, swap->primary, &info, &verdict);
    if (rc != FERRY_OK || !ferry_verdict_is_valid(&verdict)) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    swap->type = FERRY_SWAP_PERM;
    swap->asked = true;
    swap->moved = true;
    return 1;
}

/* ---- Copying ------------------------------------------------------------------------------- */

/* Whether the field swap_size of the secondary's trailer can say that a copy has begun: the image
 * may reach over it. */
static bool has_note(const struct ferry_boot_swap *swap)
{
    return swap->size <= swap->secondary->size - swap->layout.swap_size;
}

/* Note that the copy begins. When it may have begun before, a sector that was cut may read right
 * now and not later: then it must read right again and again to be left out. */
static int note_begin(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->secondary;
    uint32_t at = secondary->size - swap->layout.swap_size;
    uint8_t note[4];
    uint32_t len = ferry_align_up(sizeof(note), secondary->write_size);
    int rc = has_note(swap) ? ferry_flash_is_erased(secondary, at, len) : 0;

    if (rc == 1) {
        ferry_store_le32(note, swap->size);
        rc = ferry_flash_program_padded(secondary, at, note, sizeof(note));
    } else if (rc == 0) {
        rc = FERRY_E_NOT_ERASED;
    }
    swap->looks = rc == FERRY_OK ? 1 : LOOKS;
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* The request stays in the secondary until the end; and where there is none, a primary that does
 * not verify asks again by itself. */
static int begin(struct ferry_boot_swap *swap)
{
    int rc = note_begin(swap);

    return rc == FERRY_OK ? 1 : rc;
}

/* Copy sector after sector of the primary; only the image's own bytes, because the last sector may
 * hold the secondary's trailer too. */
static int copy_image(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *primary = swap->primary;
    int rc = FERRY_OK;

    for (uint32_t offset = 0; rc == FERRY_OK && offset < swap->size;) {
        struct ferry_flash_sector sector;

        rc = ferry_flash_sector_at(primary, offset, &sector);
        if (rc == FERRY_OK) {
            uint32_t len = ferry_min32(sector.size, swap->size - offset);

            rc = ferry_boot_move(swap, swap->incoming, offset, primary, offset, len);
            offset += len;
            ferry_boot_progress(swap, offset, swap->size);
        }
    }
    return rc;
}

static int verify_copy(const struct ferry_boot_swap *swap)
{
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    int rc = ferry_boot_verify(swap, swap->primary, &info, &verdict);

    if (rc == FERRY_OK && !ferry_verdict_is_valid(&verdict)) {
        rc = FERRY_E_DIGEST;
    }
    return rc;
}

/* Without a request there is nothing the record could belong to. Where it does not take, a cut has
 * the copy made once more. Returns FERRY_OK or FERRY_E_POWER. */
static int record_copy(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->secondary;
    uint32_t at = secondary->size - swap->layout.copy_done;

    if (!swap->asked) {
        return FERRY_OK;
    }

    int rc = ferry_flash_is_erased(secondary, at, secondary->write_size);

    if (rc == 1) {
        rc = ferry_trailer_write_copy_done(secondary, swap->slots->max_align);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Copy, verify, record. */
static int install(struct ferry_boot_swap *swap)
{
    int rc = ferry_boot_erase_trailer(swap, swap->primary);

    if (rc == FERRY_OK) {
        rc = copy_image(swap);
    }
    if (rc == FERRY_OK) {
        rc = verify_copy(swap);
    }
    return rc != FERRY_OK ? rc : record_copy(swap);
}

/* A secondary that cannot be emptied is tried again at the next boot; only that is then refused. */
static int run(struct ferry_boot_swap *swap)
{
    bool installed = swap->moved;
    int rc = installed ? FERRY_OK : install(swap);

    if (rc != FERRY_OK) {
        return rc;
    }
    swap->looks = 1;
    rc = ferry_boot_empty_secondary(swap);
    return rc == FERRY_E_POWER || installed ? rc : FERRY_OK;
}

static const struct ferry_boot_plan plan = {.resume = resume, .begin = begin, .run = run};

const struct ferry_boot_strategy ferry_boot_overwrite = {
    .traits = &ferry_traits_overwrite, .boot = ferry_boot_by_swap, .plan = &plan};

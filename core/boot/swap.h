/* SPDX-License-Identifier: Apache-2.0 */
/* The swap under way and the steps that strategies share. Internal to core/boot.
 *
 * A strategy is a list of steps. Each may be done again at any time, and each is followed by a
 * record of one write in the trailer; resuming is counting the records. */
#ifndef FERRY_CORE_BOOT_SWAP_H
#define FERRY_CORE_BOOT_SWAP_H

#include "ferry/boot.h"

/* The steps of a strategy that moves images. */
struct ferry_boot_plan {
    int (*resume)(struct ferry_boot_swap *swap);
    int (*begin)(struct ferry_boot_swap *swap);
    int (*run)(struct ferry_boot_swap *swap);
};

FERRY_MUST_CHECK
int ferry_boot_by_swap(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                       struct ferry_verdict *verdict);

struct ferry_boot_swap {
    const struct ferry_boot_config *config;
    const struct ferry_boot_strategy *strategy;
    const struct ferry_slots *slots;
    struct ferry_trailer_layout layout;
    uint32_t image;            /* index in config->images */
    enum ferry_swap_type type; /* what is asked for, or being done */
    bool asked;                /* the secondary's trailer holds the request */
    uint32_t size;             /* bytes to move: the larger of the images that are kept */
    uint32_t done;             /* steps that have their record */
};

/* Both trailers of a pair. */
struct ferry_boot_trailers {
    struct ferry_trailer primary;
    struct ferry_trailer secondary;
    bool secondary_answers; /* its flash can be read, be it damaged here and there */
};

/* ---- Hooks (swap.c) ----------------------------------------------------------------- */

void ferry_boot_feed(const struct ferry_boot_swap *swap);
void ferry_boot_progress(const struct ferry_boot_swap *swap, uint32_t done, uint32_t total);

/* ---- Steps (swap.c) ------------------------------------------------------------------- */

/* Verify the image in a slot of the pair. info is cleared first; verdict is always set.
 * Returns as ferry_image_verify(); FERRY_OK only with a valid verdict. */
FERRY_MUST_CHECK
int ferry_boot_verify(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                      struct ferry_image_info *info, struct ferry_verdict *verdict);

/* Offset of the first sector that the trailer of a slot touches.
 * Returns FERRY_OK or FERRY_E_BOUNDS. */
FERRY_MUST_CHECK
int ferry_boot_trailer_start(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                             uint32_t *start);

/* Erase the sectors of a slot that touch [offset, offset + len) and are not erased, in ascending
 * order, so that a trailer's magic is what goes last. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_erase(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                     uint32_t offset, uint32_t len);

/* Erase all sectors of a slot's trailer. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_erase_trailer(const struct ferry_boot_swap *swap, const struct ferry_flash *slot);

/* Make a slot empty for everyone who looks: its first sector, then its trailer. The request goes
 * last, so that a cut before the end asks again. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_erase_ends(const struct ferry_boot_swap *swap, const struct ferry_flash *slot);

/* One data step: erase the sectors of [to_offset, to_offset + len) and copy into them; to_offset
 * is a sector's, len a multiple of the target's write size. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_move(const struct ferry_boot_swap *swap, const struct ferry_flash *from,
                    uint32_t from_offset, const struct ferry_flash *to, uint32_t to_offset,
                    uint32_t len);

/* ---- Records (swap_status.c) ---------------------------------------------------------- */

/* Whether status unit number unit of the primary's trailer was written. A unit that cannot be
 * read counts as written: its step was complete before the write began.
 * Returns 1, 0 or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_status_is_written(const struct ferry_boot_swap *swap, uint32_t unit);

/* Write a status unit, which is erased. state: 1 .. 3. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_status_write(const struct ferry_boot_swap *swap, uint32_t unit, uint8_t state);

/* Read swap_size of the primary's trailer. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_read_size(const struct ferry_boot_swap *swap, uint32_t *size);

/* Ask for swap->type in the secondary's trailer on behalf of the bootloader, for a revert and for
 * a fallback: with image_ok, so that after a cut it counts as permanent. The magic goes last.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_ask(const struct ferry_boot_swap *swap);

/* Begin the records of a swap in the primary's trailer, magic last. Until the secondary's magic
 * is erased this counts for nothing. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_status_begin(const struct ferry_boot_swap *swap);

/* End them: image_ok unless it is a test, then copy_done; each only when it is still erased.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_status_end(const struct ferry_boot_swap *swap);

/* ---- Decisions (decide.c) ------------------------------------------------------------- */

/* Read the primary's trailer. A field that cannot be read is FERRY_BAD, as half a write is: an ECC
 * answers so after a cut. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_read_primary_trailer(const struct ferry_boot_swap *swap,
                                    struct ferry_trailer *trailer);

/* Read both trailers. A secondary whose trailer cannot be read asks for nothing: it counts as
 * damaged if the flash answers elsewhere; else as unset, because that flash may be late or gone.
 * Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_read_trailers(const struct ferry_boot_swap *swap,
                             struct ferry_boot_trailers *trailers);

/* Set swap->type and swap->asked from the trailers.
 * Returns FERRY_OK or the errors of ferry_boot_read_trailers(). */
FERRY_MUST_CHECK
int ferry_boot_decide(struct ferry_boot_swap *swap);

/* Whether the image in the secondary may be installed as swap->type asks; sets swap->size unless
 * resumed.
 *
 * refused  gets the version of the image when its header could be read
 *
 * Returns FERRY_OK; why it may not: the errors of ferry_image_verify(), FERRY_E_TOO_LARGE,
 * FERRY_E_DOWNGRADE; or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_judge(struct ferry_boot_swap *swap, bool resumed, struct ferry_version *refused);

/* ---- Leaving no trap behind (clean.c) ------------------------------------------------- */

/* Withdraw the request for an image that was refused because of why, so that the next boot does
 * not ask again and an upload is not blocked. May be repeated after a cut.
 * Returns FERRY_OK, FERRY_E_POWER, or the flash error of the primary. */
FERRY_MUST_CHECK
int ferry_boot_refuse(const struct ferry_boot_swap *swap, int why);

/* Clear damaged trailer fields that would block a request or a confirmation for ever. The primary
 * was verified and running describes it; nothing is asked for.
 * Returns FERRY_OK, also when the flash would not take it, or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_repair(const struct ferry_boot_swap *swap, const struct ferry_image_info *running);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of slots: how large an image they take, what the next boot does with them, and the
 * application's side of test and confirm. Used alike by signer, client, server and bootloader. */
#ifndef FERRY_SLOTS_H
#define FERRY_SLOTS_H

#include "ferry/image.h"
#include "ferry/trailer.h"

struct ferry_slots;

/* MCUboot's number for a strategy, as the os group reports it. */
enum ferry_boot_mode {
    FERRY_MODE_SINGLE = 0,
    FERRY_MODE_SWAP_SCRATCH = 1,
    FERRY_MODE_OVERWRITE = 2,
    FERRY_MODE_SWAP_MOVE = 3,
    FERRY_MODE_DIRECT_XIP = 4,
    FERRY_MODE_DIRECT_XIP_REVERT = 5,
    FERRY_MODE_RAM_LOAD = 6,
    FERRY_MODE_FIRMWARE_LOADER = 7,
    FERRY_MODE_SINGLE_RAM_LOAD = 8,
    FERRY_MODE_SWAP_OFFSET = 9
};

/* What everyone must know of a strategy; how it moves images is core/boot's. */
struct ferry_strategy_traits {
    const char *name;      /* "swap-move", as in the layout file */
    uint8_t mode;          /* enum ferry_boot_mode */
    uint8_t sector_states; /* status entries a sector takes in the trailer; 0 = keeps none */
    bool tlv_sizes;        /* the trailer has swap-offset's extra field */
    bool reverts;          /* an image that does not confirm is taken back */
    bool keeps_old;        /* the old image stays somewhere until the next update */
    bool needs_recovery;   /* a cut at the wrong moment leaves nothing to run */
    /* Whether the slots suit it: FERRY_OK or FERRY_E_LAYOUT. */
    int (*check)(const struct ferry_slots *slots);
    /* Largest image, header and TLVs included, bytes; 0 when none fits. */
    uint32_t (*max_image)(const struct ferry_slots *slots);
};

extern const struct ferry_strategy_traits ferry_traits_swap_move;
extern const struct ferry_strategy_traits ferry_traits_overwrite;

/* The traits with a name, or NULL. */
const struct ferry_strategy_traits *ferry_strategy_traits_find(const char *name);

/* One updatable image: where it runs, where the next one is uploaded. Constant after set-up. */
struct ferry_slots {
    const struct ferry_flash *primary;
    const struct ferry_flash *secondary;
    const struct ferry_strategy_traits *strategy;
    uint32_t max_align;   /* 8, 16 or 32 */
    uint32_t max_sectors; /* N of the trailer; MCUboot's default is 128 */
};

/* Check geometry and strategy once. Returns FERRY_OK, FERRY_E_CONFIG or FERRY_E_LAYOUT. */
FERRY_MUST_CHECK
int ferry_slots_check(const struct ferry_slots *slots);

/* The trailer of these slots. Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_slots_trailer(const struct ferry_slots *slots, struct ferry_trailer_layout *layout);

/* Largest image the pair can take and swap, header and TLVs included, in bytes; 0 = none.
 * The one place where this is computed. */
uint32_t ferry_slots_max_image(const struct ferry_slots *slots);

/* What the next boot would do, from the trailers alone; never FERRY_SWAP_REVERT for a strategy
 * that does not revert. A secondary that cannot be read counts as unset.
 * Returns FERRY_OK, or the flash error of the primary. */
FERRY_MUST_CHECK
int ferry_slots_swap_type(const struct ferry_slots *slots, enum ferry_swap_type *type);

/* Ask for the image in the secondary slot at the next boot.
 *
 * permanent  false: a test, reverted unless confirmed; true: for good
 *
 * For a permanent request image_ok is written before the magic, so that a cut between them
 * leaves no request instead of a test. Asking again for the same is FERRY_OK and writes nothing.
 * Whether there is an image is not looked at.
 * Returns FERRY_OK; FERRY_E_STATE when a request of the other kind stands, or when magic or
 * image_ok are damaged or left over from a cut so that they would say something else than asked
 * (erase the slot); or a flash error. */
FERRY_MUST_CHECK
int ferry_slots_set_pending(const struct ferry_slots *slots, bool permanent);

/* Confirm the running image. Writes nothing when it is confirmed already.
 * Returns FERRY_OK; FERRY_E_STATE when the trailer is damaged; or a flash error. */
FERRY_MUST_CHECK
int ferry_slots_confirm(const struct ferry_slots *slots);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of slots: how large an image they take, what the next boot does with them, and the
 * application's side of test and confirm. Used alike by signer, client, server and bootloader. */
#ifndef FERRY_SLOTS_H
#define FERRY_SLOTS_H

#include "ferry/image.h"
#include "ferry/policy.h"
#include "ferry/store.h"
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

struct ferry_slots_next;
struct ferry_trailers;
struct ferry_blocks;

/* How test, confirm and the next boot are recorded: one const table a family of strategies. */
struct ferry_slots_state {
    int (*next)(const struct ferry_slots *slots, struct ferry_slots_next *next);
    int (*set_pending)(const struct ferry_slots *slots, bool permanent);
    int (*confirm)(const struct ferry_slots *slots);
    int (*cancel)(const struct ferry_slots *slots);
};

extern const struct ferry_slots_state ferry_slots_by_swap;     /* swap_*, overwrite */
extern const struct ferry_slots_state ferry_slots_in_place;    /* direct_xip*, ram_load* */
extern const struct ferry_slots_state ferry_slots_single;      /* single_slot: nothing to record */
extern const struct ferry_slots_state ferry_slots_first_stage; /* first_stage: requests only */

/* ferry_slots_by_swap for a device that has no store: nothing of one is linked. */
extern const struct ferry_slots_state ferry_slots_by_swap_no_store;

/* What everyone must know of a strategy; how it moves images is core/boot's. */
struct ferry_strategy_traits {
    const char *name;      /* "swap-move", as in the layout file */
    uint8_t mode;          /* enum ferry_boot_mode */
    uint8_t sector_states; /* status entries a sector takes in the trailer; 0 = keeps none */
    uint8_t slot_count;    /* 2, or 1: no secondary */
    uint8_t upload_sector; /* of the secondary, where an uploaded image begins: 0, or 1 */
    uint8_t old_sector;    /* of the secondary, where the old image begins after an upgrade */
    uint8_t erases;        /* most erases of one sector of a slot in an update without a fault */
    bool tlv_sizes;        /* the trailer has swap-offset's extra field */
    bool scratch;          /* needs a scratch area */
    bool in_place;         /* an image runs from the slot it was uploaded to (or from RAM) */
    bool reverts;          /* an image that does not confirm is taken back */
    bool keeps_old;        /* the old image stays somewhere until the next update */
    bool needs_recovery;   /* a cut at the wrong moment leaves nothing to run */
    bool own_primary;      /* the primary is the bootloader itself: no upload and no erase */
    /* Blocks of slots whose sectors may differ (core/image/blocks.h); NULL where they are alike. */
    const struct ferry_blocks *blocks;
    /* Whether the slots suit it: FERRY_OK or FERRY_E_LAYOUT. */
    int (*check)(const struct ferry_slots *slots);
    /* Largest image, header and TLVs included, bytes; 0 when none fits. */
    uint32_t (*max_image)(const struct ferry_slots *slots);
    /* Find out whether a swap ended whose trailer does not say so, and say it in trailers. Returns
     * FERRY_OK or FERRY_E_POWER. NULL where nothing is swapped. */
    int (*read_end)(const struct ferry_slots *slots, struct ferry_trailers *trailers);
};

extern const struct ferry_strategy_traits ferry_traits_swap_scratch;
extern const struct ferry_strategy_traits ferry_traits_swap_move;
extern const struct ferry_strategy_traits ferry_traits_swap_offset;
extern const struct ferry_strategy_traits ferry_traits_swap_shift;
extern const struct ferry_strategy_traits ferry_traits_overwrite;
extern const struct ferry_strategy_traits ferry_traits_direct_xip;
extern const struct ferry_strategy_traits ferry_traits_direct_xip_revert;
extern const struct ferry_strategy_traits ferry_traits_ram_load;
extern const struct ferry_strategy_traits ferry_traits_ram_load_revert;
extern const struct ferry_strategy_traits ferry_traits_single_slot;
extern const struct ferry_strategy_traits ferry_traits_first_stage;

/* The traits with a name, or NULL. */
const struct ferry_strategy_traits *ferry_strategy_traits_find(const char *name);

/* The state that goes with a strategy. Whoever calls this links them all, too. */
const struct ferry_slots_state *ferry_slots_state_of(const struct ferry_strategy_traits *traits);

/* The traits number i, or NULL behind the last: for lists of names. */
const struct ferry_strategy_traits *ferry_strategy_traits_at(size_t i);

/* One updatable image: where it runs, where the next one is uploaded. Constant after set-up. */
struct ferry_slots {
    const struct ferry_flash *primary;
    const struct ferry_flash *secondary; /* NULL where the strategy has one slot */
    const struct ferry_strategy_traits *strategy;
    uint32_t max_align;                      /* 8, 16 or 32 */
    uint32_t max_sectors;                    /* N of the trailer; MCUboot's default is 128 */
    const struct ferry_flash *scratch;       /* for swap-scratch; else NULL */
    const struct ferry_slots_state *state;   /* for the application's side (below); the bootloader
                                                needs none */
    struct ferry_store *store;               /* the device's store, open; NULL = it has none */
    uint8_t number;                          /* of the image: names its records in the store */
    uint8_t active;                          /* the slot whose image runs: 0 but for in_place */
    const struct ferry_image_policy *policy; /* what images must satisfy beyond their signature; the
                                                application's confirm raises what the store demands;
                                                NULL = nothing */
    uint16_t enc_tlv; /* bytes of the longest ENC TLV of an encrypted image, which the trailers of
                         swap_* keep (24 .. 256, see FERRY_TLVS); 0 = images are not encrypted */
};

/* Check geometry and strategy once. The status area of max_sectors must hold 6 records of 8 bytes
 * (swap_*): with a write size of 1 that takes 24 sectors, or 16 for swap-scratch and swap-move.
 * Returns FERRY_OK, FERRY_E_CONFIG or FERRY_E_LAYOUT. */
FERRY_MUST_CHECK
int ferry_slots_check(const struct ferry_slots *slots);

/* The trailer of these slots. Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_slots_trailer(const struct ferry_slots *slots, struct ferry_trailer_layout *layout);

/* Largest image the pair can take and swap, header and TLVs included, in bytes; 0 = none.
 * The one place where this is computed. */
uint32_t ferry_slots_max_image(const struct ferry_slots *slots);

/* Slot 0 (primary) or 1 (secondary); NULL for a secondary that is not there. */
const struct ferry_flash *ferry_slots_slot(const struct ferry_slots *slots, uint32_t slot);

/* Offset in the secondary at which an uploaded image begins, and the old one after an upgrade. */
uint32_t ferry_slots_upload_offset(const struct ferry_slots *slots);
uint32_t ferry_slots_old_offset(const struct ferry_slots *slots);

/* Make view the image in a slot, from its header on to the end of the slot: in the secondary it
 * begins where the strategy keeps uploads or old images, whichever has a header. Without any
 * header, and in the primary, the view is where an upload begins.
 *
 * offset  of the view in the slot; may be NULL
 *
 * Returns FERRY_OK, FERRY_E_NOT_FOUND when there is no such slot, or a flash error. */
FERRY_MUST_CHECK
int ferry_slots_view(const struct ferry_slots *slots, uint32_t slot, struct ferry_flash_slice *view,
                     uint32_t *offset);

/* Make view a part of the secondary that begins at offset (a sector's): for images there.
 * Returns as ferry_flash_slice_init(). */
FERRY_MUST_CHECK
int ferry_slots_secondary_at(const struct ferry_slots *slots, uint32_t offset,
                             struct ferry_flash_slice *view);

/* ---- State ------------------------------------------------------------------------------ */

struct ferry_slots_next {
    uint8_t slot;              /* whose image runs after the next boot */
    enum ferry_swap_type type; /* NONE: as now; TEST, PERM: the other slot's; REVERT: taken back */
};

/* Both trailers of a pair, read tolerantly. */
struct ferry_trailers {
    struct ferry_trailer primary;
    struct ferry_trailer secondary;
    bool secondary_answers; /* its flash can be read, be it damaged here and there */
};

/* Read both trailers. A primary that cannot be read has BAD fields. A secondary whose trailer
 * cannot be read asks for nothing: its magic is BAD if the flash answers elsewhere; else all of it
 * is unset, because that flash may be late or gone. Without a secondary it is unset.
 * Returns FERRY_OK, FERRY_E_BOUNDS or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_slots_read_trailers(const struct ferry_slots *slots, struct ferry_trailers *trailers);

/* Whether the store says that the image in a slot is confirmed. Returns 1, 0 or an error. */
typedef int ferry_slots_confirmed(const struct ferry_slots *slots, uint32_t slot);

/* The type of the next swap by the table of the format, with damaged fields on the safe side, for a
 * strategy that moves images. May set the fields of trailers that damage made unclear.
 *
 * confirmed  asked before an image is taken back; may be NULL
 *
 * Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_slots_decide(const struct ferry_slots *slots, struct ferry_trailers *trailers,
                       ferry_slots_confirmed *confirmed, enum ferry_swap_type *type);

/* Offset of the first sector that the trailer of a slot touches.
 * Returns FERRY_OK, FERRY_E_CONFIG or FERRY_E_BOUNDS. */
FERRY_MUST_CHECK
int ferry_slots_trailer_start(const struct ferry_slots *slots, const struct ferry_flash *slot,
                              uint32_t *start);

/* The functions from here to ferry_slots_confirm() are slots->state's, which must be set, to that
 * of the strategy's family; without it they return FERRY_E_CONFIG.
 *
 * What the next boot would do, from trailers and store; images are not verified. With a trial
 * policy (ferry/trial.h) a REVERT is what happens once the trials are used up.
 * Returns FERRY_OK, or the flash error of the primary. */
FERRY_MUST_CHECK
int ferry_slots_next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next);

/* The type alone. Returns as ferry_slots_next_boot(). */
FERRY_MUST_CHECK
int ferry_slots_swap_type(const struct ferry_slots *slots, enum ferry_swap_type *type);

/* Ask for the image in the slot that does not run at the next boot.
 *
 * permanent  false: a test, reverted unless confirmed; true: for good
 *
 * For a permanent request image_ok is written before the magic, so that a cut between them
 * leaves no request instead of a test. Asking again for the same is FERRY_OK and writes nothing;
 * a test that is pending may be raised to permanent. A damaged magic or flag is repaired where
 * the image does not reach into the trailer's sectors. Whether there is an image is not looked at.
 * Returns FERRY_OK; FERRY_E_STATE when a permanent request stands and a test is asked for (cancel
 * it first), or when the damage cannot be repaired (erase the slot); FERRY_E_UNSUPPORTED for a
 * strategy without requests; or a flash error. */
FERRY_MUST_CHECK
int ferry_slots_set_pending(const struct ferry_slots *slots, bool permanent);

/* Withdraw a request that has not been carried out. Where the image shares the trailer's sector,
 * it goes with it and must be uploaded again; so it does in place without reverts, where a newer
 * image is the request itself. Nothing pending is FERRY_OK and writes nothing.
 * Returns FERRY_OK, FERRY_E_UNSUPPORTED, or a flash error. */
FERRY_MUST_CHECK
int ferry_slots_cancel(const struct ferry_slots *slots);

/* Confirm the running image, and read it back. Writes nothing when it is confirmed already. Where
 * the trailer's unit is bad a record in the store says it instead. With a policy that remembers,
 * the store demands from then on what this image has; if it does not take that, the next boot
 * tries again, and the confirm holds all the same.
 * Returns FERRY_OK; FERRY_E_STATE when the trailer is damaged and there is no store; or a flash
 * error. */
FERRY_MUST_CHECK
int ferry_slots_confirm(const struct ferry_slots *slots);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The swap under way and what strategies share. Internal to core/boot.
 *
 * A strategy that moves images is a plan: a number of steps, each of which may be done again at
 * any time, and each followed by a mark of one write in the primary's trailer. Resuming is counting
 * the marks. docs/BOOT.md tells why that survives every cut. */
#ifndef FERRY_CORE_BOOT_SWAP_H
#define FERRY_CORE_BOOT_SWAP_H

#include "core/image/journal.h"
#include "ferry/boot.h"

struct ferry_boot_swap {
    /* Bytes first: compact code reaches only the first 32 of a struct in one instruction. */
    enum ferry_swap_type type; /* what is asked for, or being done */
    bool asked;                /* the secondary's trailer holds the request */
    bool backwards; /* the image comes from where old ones are kept, not from where uploads go */
    bool begun;     /* an earlier boot began it, and this one goes on */
    bool follows;   /* another image counts the trials of both */
    bool placed;    /* backwards is known: the swap has begun */
    bool moved;     /* parts of the images have changed places already */
    bool unsure;    /* a cut may have left the target of the next step half done */
    uint8_t looks;  /* how often flash must read right to be believed, where a cut may have been */
    bool mapped;    /* the journal has a map of the blocks that differ */
    const struct ferry_boot_config *config;
    const struct ferry_boot_image *image;
    const struct ferry_boot_strategy *strategy;
    const struct ferry_slots *slots;
    const struct ferry_flash *primary; /* of slots, and its secondary */
    const struct ferry_flash *secondary;
    const struct ferry_boot_memory *memory; /* NULL: nothing is kept beyond the boot */
    /* The secondary as the image that comes, and as the one that leaves, are stored there: where
     * they are encrypted, through their content keys. The primary as what scratch holds of the
     * image that comes is: that is stored as in the secondary. Move data through these only; ask
     * what is erased, and erase, by ferry_boot_erase(). */
    const struct ferry_flash *incoming;
    const struct ferry_flash *outgoing;
    const struct ferry_flash *unpacked;
    struct ferry_boot_views *views; /* NULL: nothing is encrypted, and these are the slots */
    /* What the set it belongs to knows of an unconfirmed image that nobody asked for beyond its
     * trailer: it may change type. NULL: the trailer decides. */
    void (*heed)(struct ferry_boot_swap *swap);
    uint32_t primary_size;   /* bytes of the image that leaves the primary … */
    uint32_t secondary_size; /* … and of the one that leaves the secondary */
    uint32_t size;           /* the larger of both */
    uint32_t differing;      /* blocks that differ, where the plan asks */
    uint32_t done;           /* steps that have their mark */
    uint32_t journal;        /* where the next record goes, offset in the secondary */
    struct ferry_trailer_layout layout;
    uint32_t tlv_sizes; /* swap-offset's field */
    /* Of this image; with the failure of the last erase or program, the counters of the last
     * refusal for one, and what the image demands that was last admitted to run. */
    struct ferry_boot_image_report *report;
};

/* Leaving out the blocks that are alike in both slots (differ.c). */
struct ferry_boot_differ {
    /* ferry_boot_differ_find(), ferry_boot_differ_resume(): for all blocks of the swap. */
    int (*find)(struct ferry_boot_swap *swap, uint32_t limit);
    int (*resume)(struct ferry_boot_swap *swap, uint32_t limit);
};
extern const struct ferry_boot_differ ferry_boot_differ;

/* How a strategy moves images. */
struct ferry_boot_plan {
    /* &ferry_boot_differ, or NULL: all blocks move. */
    const struct ferry_boot_differ *differ;
    /* Steps of the swap. */
    uint32_t (*count)(const struct ferry_boot_swap *swap);
    /* Do step n, 0 .. count - 1; its mark is the caller's. May be repeated after a cut.
     * Returns FERRY_OK or a flash error. */
    int (*step)(const struct ferry_boot_swap *swap, uint32_t n);
    /* The strategy's own ways to resume and to begin, or NULL. Each returns 1 = done, 0 = do it the
     * ordinary way, or a flash error. */
    int (*resume)(struct ferry_boot_swap *swap);
    int (*begin)(struct ferry_boot_swap *swap);
    /* Its own way to do what is left, in place of steps and marks, or NULL. */
    int (*run)(struct ferry_boot_swap *swap);
};

/* The boot of strategies with a plan, and of overwrite. As ferry_boot_strategy.boot. */
FERRY_MUST_CHECK
int ferry_boot_by_swap(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                       struct ferry_verdict *verdict);

/* ---- For every boot (boot.c) -------------------------------------------------------------- */

/* Begin the boot of image number. Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_boot_swap_init(struct ferry_boot_swap *swap, const struct ferry_boot_config *config,
                         uint32_t number, struct ferry_boot_image_report *report);

/* As ferry_boot_memory.record, where anything is kept. */
FERRY_MUST_CHECK
int ferry_boot_record_why(const struct ferry_boot_swap *swap,
                          const struct ferry_boot_image_report *report);

/* ---- The phases of that boot (by_swap.c) ------------------------------------------------
 *
 * ferry_boot_by_swap() does them one after the other. Where images depend on each other each
 * phase is done for all of them before the next (group.c, set.c). */

/* How often an image must verify that a swap stopped half way has left. */
#define FERRY_BOOT_LOOKS 5

/* Finish a swap whose steps had begun: swap->moved tells. One that had only begun, which is to be
 * judged anew, sets swap->begun alone. Returns FERRY_OK, or the error that stopped it. */
FERRY_MUST_CHECK
int ferry_boot_finish(struct ferry_boot_swap *swap);

/* As ferry_boot_memory.has_trials_left, where one is about to be taken back. */
FERRY_MUST_CHECK
int ferry_boot_has_trials_left(const struct ferry_boot_swap *swap);

/* Refuse the image that is asked for, and say so. Returns as ferry_boot_refuse(). */
FERRY_MUST_CHECK
int ferry_boot_refuse_image(struct ferry_boot_swap *swap, int why,
                            const struct ferry_version *version);

/* Make the image come that was judged. Returns FERRY_OK, or the error that stopped it. */
FERRY_MUST_CHECK
int ferry_boot_install(struct ferry_boot_swap *swap);

/* Make ready for another installation in the same boot, which nobody asked for. */
void ferry_boot_anew(struct ferry_boot_swap *swap, enum ferry_swap_type type);

/* Say that a move was stopped, unless the report says more. */
void ferry_boot_stopped_at(const struct ferry_boot_swap *swap, int moved);

/* Verify the primary; several times where a move was stopped, for a word that was cut may have
 * read right this once. Returns FERRY_OK with a valid verdict, or why it may not run. */
FERRY_MUST_CHECK
int ferry_boot_look(struct ferry_boot_swap *swap, int moved, struct ferry_verdict *verdict);

/* The same, and when it fails, fall back once, unless a swap is unfinished: its records are the
 * only way to its images. */
FERRY_MUST_CHECK
int ferry_boot_secure(struct ferry_boot_swap *swap, int moved, struct ferry_verdict *verdict);

/* The end: leave the trailers sane and look ahead, or say why (from ferry_boot_secure()) the image
 * may not run. Returns as ferry_boot_strategy.boot. */
FERRY_MUST_CHECK
int ferry_boot_conclude(struct ferry_boot_swap *swap, int moved, int why);

/* Whether trials are counted. */
static inline bool ferry_boot_counts_trials(const struct ferry_boot_swap *swap)
{
    return swap->memory != NULL && swap->config->trials > 0;
}

/* ---- Encrypted images (encrypted.c, kept.c) ---------------------------------------------- */

/* What a boot adds where images may be encrypted. Where swap->views is NULL none of it is called,
 * but begin. Each returns FERRY_OK or FERRY_E_POWER, and what is said there. */
struct ferry_boot_encryption {
    /* Give a swap its views, which let everything pass; none where its strategy cannot decrypt. */
    void (*begin)(struct ferry_boot_swap *swap, struct ferry_boot_views *views);
    /* The image in the secondary at an offset may come: find its content key. What does not read
     * as an image passes as it is. FERRY_E_SECRET, FERRY_E_UNSUPPORTED for an ENC TLV that the
     * trailers have no room for, TLV and flash errors. */
    int (*come)(const struct ferry_boot_swap *swap, uint32_t offset);
    /* The primary's image, info, leaves after the one of come: find its content key. Clears info
     * where there is nothing that could be put away. Errors as come: the image is in the way. */
    int (*leave)(const struct ferry_boot_swap *swap, struct ferry_image_info *info);
    /* The image of a slot is to be read: *view gets how. Errors as come. */
    int (*read)(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                const struct ferry_image_header *header, const struct ferry_flash **view);
    /* Keep the ENC TLVs, and what they are, in the erased trailer of the primary or of the scratch
     * area. Flash errors. */
    int (*keep)(const struct ferry_boot_swap *swap, const struct ferry_flash *area);
    /* Keep them in the erased trailer of the secondary as well, before the journal is begun; what
     * is kept is read back. FERRY_E_SECRET. */
    int (*keep_twice)(const struct ferry_boot_swap *swap);
    /* Set the views from what was kept, for the images are in pieces: in the trailers of both
     * slots, or in the scratch area's. Takes the size of the image that leaves. FERRY_E_SECRET. */
    int (*resume)(struct ferry_boot_swap *swap);
    int (*resume_scratch)(struct ferry_boot_swap *swap);
};

/* The slot that a view is of; other areas are themselves. */
const struct ferry_flash *ferry_boot_raw(const struct ferry_boot_swap *swap,
                                         const struct ferry_flash *area);

/* ---- Hooks (steps.c) ---------------------------------------------------------------- */

void ferry_boot_feed(const struct ferry_boot_swap *swap);
void ferry_boot_progress(const struct ferry_boot_swap *swap, uint32_t done, uint32_t total);

/* ---- Steps (steps.c) ---------------------------------------------------------------- */

/* Verify an image. info is cleared first; verdict is always set.
 * Returns as ferry_image_verify(); FERRY_OK only with a valid verdict. */
FERRY_MUST_CHECK
int ferry_boot_verify(const struct ferry_boot_swap *swap, const struct ferry_flash *image,
                      struct ferry_image_info *info, struct ferry_verdict *verdict);

/* As that for the image in the secondary, where swap->backwards says. */
FERRY_MUST_CHECK
int ferry_boot_verify_secondary(const struct ferry_boot_swap *swap, struct ferry_image_info *info,
                                struct ferry_verdict *verdict);

/* Make view the secondary from where its image begins, as swap->backwards says.
 * Returns as ferry_slots_secondary_at(). */
FERRY_MUST_CHECK
int ferry_boot_view_secondary(const struct ferry_boot_swap *swap, struct ferry_flash_slice *view);

/* Erase the sectors of an area that touch [offset, offset + len) and are not erased (while the
 * swap is unsure: all of them), in ascending order, so that a trailer's magic goes last. One that
 * fails is tried twice more. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_erase(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                     uint32_t offset, uint32_t len);

/* Erase all sectors of a slot's trailer. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_erase_trailer(const struct ferry_boot_swap *swap, const struct ferry_flash *slot);

/* Make the secondary empty for everyone who looks: the sector of the image's header,
 * then the trailer. The request goes last, so that a cut before the end asks again.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_empty_secondary(const struct ferry_boot_swap *swap);

/* One move: erase the sectors of [to_offset, to_offset + len) and copy into them, unless they hold
 * the same already. to_offset is a sector's; len is rounded up to write units. One that fails is
 * tried twice more. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_move(const struct ferry_boot_swap *swap, const struct ferry_flash *from,
                    uint32_t from_offset, const struct ferry_flash *to, uint32_t to_offset,
                    uint32_t len);

/* Whether two ranges read the same. Returns 1, 0 (also when one cannot be read) or
 * FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_same(const struct ferry_boot_swap *swap, const struct ferry_flash *a,
                    uint32_t a_offset, const struct ferry_flash *b, uint32_t b_offset,
                    uint32_t len);

/* Note rc as the failure of an erase or program of an area at an offset, if it is one.
 * Returns rc. */
int ferry_boot_noted(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                     uint32_t offset, int rc);

/* ---- Policies (admit.c) -------------------------------------------------------------- */

/* The functions of the configuration's admission; without it everything passes. */
static inline int ferry_boot_admit(const struct ferry_boot_swap *swap,
                                   const struct ferry_flash *image,
                                   const struct ferry_image_info *info, uint32_t slot, bool asked)
{
    const struct ferry_boot_admission *admission = swap->config->admission;

    return admission != NULL ? admission->run(swap, image, info, slot, asked) : FERRY_OK;
}

static inline int ferry_boot_admit_beside(const struct ferry_boot_swap *swap, uint32_t slot,
                                          const struct ferry_image_info *info)
{
    const struct ferry_boot_admission *admission = swap->config->admission;

    return admission != NULL ? admission->beside(swap, slot, info) : FERRY_OK;
}

static inline int ferry_boot_admit_next(const struct ferry_boot_swap *swap,
                                        const struct ferry_image_info *next)
{
    const struct ferry_boot_admission *admission = swap->config->admission;

    return admission != NULL ? admission->next(swap, next) : FERRY_OK;
}

static inline int ferry_boot_keep_least(const struct ferry_boot_swap *swap,
                                        const struct ferry_image_info *info, bool confirmed)
{
    const struct ferry_boot_admission *admission = swap->config->admission;

    return admission != NULL ? admission->keep(swap, info, confirmed) : FERRY_OK;
}

/* ---- Records (records.c) ------------------------------------------------------------- */

/* Size of a mark, and what it is: a unit of which any two bits are programmed is one. */
uint32_t ferry_boot_unit(const struct ferry_boot_swap *swap);

/* Whether there is a mark at an offset. One that cannot be read, or reads now so and now so,
 * counts: its step was complete before the write began. Returns 1, 0 or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_is_marked(const struct ferry_flash *area, uint32_t offset);

/* Write a mark. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_mark(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                    uint32_t offset);

/* Set swap->done to the steps that have their mark in the primary's trailer.
 * Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_count_marks(struct ferry_boot_swap *swap);

/* Count the marks, and read the journal of the swap that primary, its trailer, tells of; it may
 * know of more steps. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_read_records(struct ferry_boot_swap *swap, const struct ferry_trailer *primary,
                            struct ferry_journal *journal);

/* Mark step number swap->done as done, in the journal where the unit does not take it, and count
 * it. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_step_done(struct ferry_boot_swap *swap);

/* Fill an erased trailer at the end of area: everything else first, then the magic that makes it
 * count. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_write_fields(const struct ferry_boot_swap *swap, const struct ferry_flash *area);

/* Take the sizes of a swap under way: as many whole blocks as its journal has. That is more than
 * the images have, and does no harm; swap_size may have lost a bit. */
void ferry_boot_take_blocks(struct ferry_boot_swap *swap, const struct ferry_journal *journal);

/* Begin the records: ask in the secondary's trailer on behalf of a revert or a fallback (with
 * image_ok, so that after a cut it counts as permanent); then the primary's trailer, magic last.
 * Until the secondary's magic is erased this counts for nothing. Returns FERRY_OK or a flash
 * error. */
FERRY_MUST_CHECK
int ferry_boot_begin(const struct ferry_boot_swap *swap);

/* Erase the secondary's trailer and begin its journal: from here on the primary's trailer rules.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_take_over(struct ferry_boot_swap *swap);

/* Set a flag of the primary, unless it was found to be written. Returns FERRY_OK,
 * FERRY_E_NOT_ERASED when a cut or a flipped bit has spoilt its unit, or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_set_flag(const struct ferry_boot_swap *swap, enum ferry_trailer_field found,
                        enum ferry_trailer_place place);

/* End them: image_ok unless it is a test, then copy_done; each only when it is still erased, and
 * copy_done in the journal where its unit does not take it.
 * Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_end(struct ferry_boot_swap *swap);

/* ---- Journal (journal.c) -------------------------------------------------------------- */

/* Append the state: swap->type, the blocks of swap->size and done, or that it is finished. A record
 * that does not take is tried in the next place. Returns FERRY_OK; FERRY_E_FULL; or a flash
 * error. */
FERRY_MUST_CHECK
int ferry_boot_journal_state(struct ferry_boot_swap *swap, uint32_t done);
FERRY_MUST_CHECK
int ferry_boot_journal_finished(struct ferry_boot_swap *swap);

/* Append bits of the map of blocks, number index of 32 bits each. Returns as that. */
FERRY_MUST_CHECK
int ferry_boot_journal_map(struct ferry_boot_swap *swap, uint32_t index, uint32_t bits);

/* Read bits back. Returns FERRY_OK, FERRY_E_NOT_FOUND or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_journal_map_read(const struct ferry_boot_swap *swap, uint32_t index, uint32_t *bits);

/* Records that still fit. */
uint32_t ferry_boot_journal_room(const struct ferry_boot_swap *swap);

/* Blocks that swap->size covers. */
uint32_t ferry_boot_blocks(const struct ferry_boot_swap *swap);

/* ---- Which blocks differ (differ.c) ------------------------------------------------------ */

/* Compare the blocks 0 .. limit - 1 and put the map of those that differ into the journal; sets
 * swap->differing. Where the map does not fit, or not pay, all of them count.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_differ_find(struct ferry_boot_swap *swap, uint32_t limit);

/* Set swap->differing from the journal. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_differ_resume(struct ferry_boot_swap *swap, uint32_t limit);

/* The index of differing block number n, 0 .. swap->differing - 1, from the lowest on.
 * Returns FERRY_OK or FERRY_E_FLASH when the journal lost it, FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_differ_at(const struct ferry_boot_swap *swap, uint32_t n, uint32_t *index);

/* ---- Decisions (decide.c) ------------------------------------------------------------- */

/* Set swap->type and swap->asked from the trailers. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_decide(struct ferry_boot_swap *swap);

/* Whether the image in the secondary may be installed as swap->type asks; sets the sizes, and
 * swap->backwards by where the header stands unless that is known.
 *
 * refused  gets the version of the image when its header could be read
 *
 * Returns FERRY_OK; why it may not: the errors of ferry_image_verify(), FERRY_E_TOO_LARGE, those of
 * ferry_policy_judge(); or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_judge(struct ferry_boot_swap *swap, struct ferry_version *refused);

/* ---- Leaving no trap behind (clean.c) ------------------------------------------------- */

/* Withdraw the request for an image that was refused because of why, so that the next boot does
 * not ask again and an upload is not blocked. May be repeated after a cut.
 * Returns FERRY_OK, FERRY_E_POWER, or the flash error of the primary. */
FERRY_MUST_CHECK
int ferry_boot_refuse(const struct ferry_boot_swap *swap, int why);

/* As that, but the image stays, where its request can be taken away alone: nothing is wrong with
 * it. Returns as ferry_boot_refuse(). */
FERRY_MUST_CHECK
int ferry_boot_withdraw(const struct ferry_boot_swap *swap, int why);

/* Clear damaged trailer fields that would block a request or a confirmation for ever. The primary
 * was verified and running describes it; nothing is asked for.
 * Returns FERRY_OK, also when the flash would not take it, or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_repair(const struct ferry_boot_swap *swap, const struct ferry_image_info *running);

#endif

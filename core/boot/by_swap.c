/* SPDX-License-Identifier: Apache-2.0 */
/* The boot of an image whose strategy moves images: finish, decide, judge, move, verify, and look
 * ahead. Each is a phase that set.c does for several images before the next. */
#include "core/boot/swap.h"

/* ---- What was interrupted ----------------------------------------------------------------- */

/* What is being done. swap_info is one unit that may have lost a bit; image_ok stands since the
 * begin unless it is a test. */
static enum ferry_swap_type type_under_way(const struct ferry_trailer *primary,
                                           const struct ferry_journal *journal)
{
    if (journal->found) {
        return journal->type;
    }
    if (primary->image_ok == FERRY_UNSET) {
        return FERRY_SWAP_TEST;
    }
    return primary->swap_type == FERRY_SWAP_REVERT ? FERRY_SWAP_REVERT : FERRY_SWAP_PERM;
}

/* Whether the primary's trailer was filled for a swap. A magic alone is none: so does an image look
 * that was padded for the primary slot. One bit may have flipped: of swap_info, of swap_size, or of
 * either where it is erased. Returns 1, 0 or FERRY_E_POWER. */
static int has_begun(const struct ferry_boot_swap *swap, const struct ferry_trailer *primary)
{
    const struct ferry_flash *slot = swap->primary;
    uint32_t bits = 0;
    int rc = ferry_trailer_read_size(slot, &swap->layout, &bits);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    bits ^= slot->erased_value == 0 ? 0 : UINT32_MAX;
    return (bits & (bits - 1)) != 0 || (bits != 0 && primary->swap_type != FERRY_SWAP_NONE);
}

/* A swap whose journal was not begun: it is judged and begun again. With steps that are done, the
 * secondary was erased by somebody since; it is no part of this any more. Returns 1, 0 or an
 * error. */
static int resume_begin(struct ferry_boot_swap *swap, const struct ferry_trailer *primary)
{
    int rc = swap->done == 0 ? has_begun(swap, primary) : 0;

    swap->unsure = rc == 1;
    return rc;
}

/* A swap with a journal. Returns 1 or an error. */
static int resume_steps(struct ferry_boot_swap *swap, const struct ferry_journal *journal)
{
    const struct ferry_boot_differ *differ = swap->strategy->plan->differ;
    int rc = FERRY_OK;

    swap->backwards = journal->backwards;
    swap->placed = true;
    swap->mapped = journal->mapped;
    swap->moved = swap->done > 0;
    swap->unsure = true;
    ferry_boot_take_blocks(swap, journal);
    if (differ != NULL) {
        rc = differ->resume(swap, ferry_boot_blocks(swap));
    }
    if (rc == FERRY_OK && swap->moved && swap->views != NULL) {
        rc = swap->config->encryption->resume(swap);
    }
    return rc == FERRY_OK ? 1 : rc;
}

/* The ordinary way: the primary's trailer rules once the secondary's magic is gone. Returns 1, 0 or
 * an error. */
static int resume_marks(struct ferry_boot_swap *swap)
{
    struct ferry_trailers trailers;
    struct ferry_journal journal;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    if (rc != FERRY_OK || trailers.primary.magic != FERRY_SET ||
        trailers.primary.copy_done != FERRY_UNSET || trailers.secondary.magic == FERRY_SET) {
        return rc;
    }
    rc = ferry_boot_read_records(swap, &trailers.primary, &journal);
    if (rc != FERRY_OK) {
        return rc;
    }
    swap->type = type_under_way(&trailers.primary, &journal);
    return journal.found ? resume_steps(swap, &journal) : resume_begin(swap, &trailers.primary);
}

static int resume(struct ferry_boot_swap *swap)
{
    const struct ferry_boot_plan *plan = swap->strategy->plan;
    int rc = plan->resume != NULL ? plan->resume(swap) : 0;

    return rc != 0 || plan->run != NULL ? rc : resume_marks(swap);
}

/* ---- Moving ------------------------------------------------------------------------------- */

static enum ferry_boot_action action_of(const struct ferry_boot_swap *swap)
{
    if (swap->type == FERRY_SWAP_REVERT) {
        return FERRY_BOOT_REVERTED;
    }
    if (swap->type == FERRY_SWAP_TEST && swap->slots->strategy->reverts) {
        return FERRY_BOOT_TESTING;
    }
    return FERRY_BOOT_UPGRADED;
}

static int run_steps(struct ferry_boot_swap *swap)
{
    uint32_t count = swap->strategy->plan->count(swap);

    /* What the records say may not hold at the next boot; what this boot writes does. */
    if (swap->placed && swap->unsure && swap->done < count) {
        int rc = ferry_boot_journal_state(swap, swap->done);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
    }
    while (swap->done < count) {
        int rc = swap->strategy->plan->step(swap, swap->done);

        if (rc == FERRY_OK) {
            rc = ferry_boot_step_done(swap);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
        swap->unsure = false;
        ferry_boot_progress(swap, swap->done, count);
    }
    return ferry_boot_end(swap);
}

/* Do what is left of the swap. */
static int carry_out(struct ferry_boot_swap *swap)
{
    const struct ferry_boot_plan *plan = swap->strategy->plan;
    int rc = plan->run != NULL ? plan->run(swap) : run_steps(swap);

    if (rc == FERRY_OK) {
        swap->report->action = action_of(swap);
    }
    return rc;
}

/* Make the swap durable. */
static int begin(struct ferry_boot_swap *swap)
{
    const struct ferry_boot_plan *plan = swap->strategy->plan;
    bool forgets = swap->memory != NULL && swap->type == FERRY_SWAP_TEST;
    int rc = forgets ? swap->memory->forget(swap) : FERRY_OK;

    if (rc == FERRY_OK) {
        rc = plan->begin != NULL ? plan->begin(swap) : 0;
    }
    if (rc != 0) {
        return rc == 1 ? FERRY_OK : rc;
    }
    rc = ferry_boot_begin(swap);
    return rc != FERRY_OK ? rc : ferry_boot_take_over(swap);
}

/* ---- Settling ------------------------------------------------------------------------------ */

int ferry_boot_refuse_image(struct ferry_boot_swap *swap, int why,
                            const struct ferry_version *version)
{
    swap->report->action = FERRY_BOOT_REFUSED;
    swap->report->reason = why;
    swap->report->refused = *version;
    return ferry_boot_refuse(swap, why);
}

int ferry_boot_has_trials_left(const struct ferry_boot_swap *swap)
{
    bool reverts = swap->type == FERRY_SWAP_REVERT && !swap->asked;

    return swap->memory != NULL && reverts ? swap->memory->has_trials_left(swap) : 0;
}

int ferry_boot_install(struct ferry_boot_swap *swap)
{
    int rc = FERRY_OK;

    /* Once its journal is begun a swap goes on with it: the first step may be under way. */
    if (!swap->begun) {
        rc = begin(swap);
    } else if (!swap->placed) {
        rc = ferry_boot_take_over(swap);
    }
    return rc != FERRY_OK ? rc : carry_out(swap);
}

int ferry_boot_finish(struct ferry_boot_swap *swap)
{
    int rc = resume(swap);

    if (rc < 0) {
        return rc;
    }
    swap->begun = rc == 1;
    swap->report->resumed = swap->begun;
    return swap->moved ? carry_out(swap) : FERRY_OK;
}

/* Finish what was interrupted, or do what is asked for: judge the image to come, while the old one
 * still stands, and make it come.
 * Returns FERRY_OK also for a refusal; else the error that stopped a move. */
static int settle(struct ferry_boot_swap *swap)
{
    struct ferry_version version;
    int rc = ferry_boot_finish(swap);

    if (rc == FERRY_OK && !swap->begun) {
        rc = ferry_boot_decide(swap);
        if (rc == FERRY_OK) {
            rc = ferry_boot_has_trials_left(swap);
        }
    }
    if (rc != 0 || swap->moved || swap->type == FERRY_SWAP_NONE) {
        return rc < 0 ? rc : FERRY_OK;
    }
    rc = ferry_boot_judge(swap, &version);
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : ferry_boot_refuse_image(swap, rc, &version);
    }
    return ferry_boot_install(swap);
}

/* ---- When the primary does not verify ---------------------------------------------------- */

/* Whether the image in the secondary is an old one, or older than what the primary's header still
 * says. */
static int fallback_type(const struct ferry_boot_swap *swap, enum ferry_swap_type *type)
{
    const struct ferry_slots *slots = swap->slots;
    struct ferry_flash_slice view;
    struct ferry_image_header lost;
    struct ferry_image_header found;
    int rc = ferry_slots_view(slots, 1, &view, NULL);

    if (rc == FERRY_OK) {
        rc = ferry_image_read_header(&view.flash, &found);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    *type = swap->backwards ? FERRY_SWAP_REVERT : FERRY_SWAP_PERM;
    rc = ferry_image_read_header(slots->primary, &lost);
    if (rc == FERRY_OK && slots->strategy->reverts &&
        ferry_version_compare(&found.version, &lost.version, true) < 0) {
        *type = FERRY_SWAP_REVERT;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

void ferry_boot_anew(struct ferry_boot_swap *swap, enum ferry_swap_type type)
{
    swap->type = type;
    swap->asked = false;
    swap->begun = false;
    swap->placed = false;
    swap->moved = false;
    swap->unsure = false;
    swap->done = 0;
}

/* Install a verified secondary, for good, in place of a primary that failed because of why. It need
 * be no newer than that, but nothing that the store does not let run.
 * Returns FERRY_OK, or why nothing was installed. */
static int fall_back(struct ferry_boot_swap *swap, int why)
{
    struct ferry_boot_image_report *report = swap->report;
    const struct ferry_policy_counters counters = report->counters;
    struct ferry_version version;

    ferry_boot_anew(swap, FERRY_SWAP_REVERT); /* this boot may have swapped already */

    int rc = ferry_boot_judge(swap, &version);

    report->counters = counters; /* what is reported is why the primary failed */
    if (rc == FERRY_OK) {
        rc = fallback_type(swap, &swap->type);
    }
    if (rc == FERRY_OK) {
        rc = begin(swap);
    }
    if (rc == FERRY_OK) {
        rc = carry_out(swap);
    }
    if (rc == FERRY_OK) {
        report->reason = why;
    }
    return rc;
}

/* Verify the primary, and ask the policy. Returns FERRY_OK with a valid verdict, or why it may not
 * run. */
static int verify_primary(const struct ferry_boot_swap *swap, struct ferry_verdict *verdict)
{
    struct ferry_image_info *info = &swap->report->info;
    const struct ferry_flash *primary = swap->primary;
    int rc = ferry_boot_verify(swap, primary, info, verdict);

    if (rc == FERRY_OK) {
        rc = ferry_boot_admit(swap, primary, info, 0, false);
    }
    if (rc != FERRY_OK) {
        *verdict = (struct ferry_verdict){0, 0};
    }
    return rc;
}

int ferry_boot_look(struct ferry_boot_swap *swap, int moved, struct ferry_verdict *verdict)
{
    int looks = moved == FERRY_OK ? 1 : FERRY_BOOT_LOOKS;
    int why = FERRY_OK;

    for (int look = 0; why == FERRY_OK && look < looks; look++) {
        why = verify_primary(swap, verdict);
    }
    return why;
}

int ferry_boot_secure(struct ferry_boot_swap *swap, int moved, struct ferry_verdict *verdict)
{
    int why = ferry_boot_look(swap, moved, verdict);

    if (why == FERRY_OK || why == FERRY_E_POWER || moved != FERRY_OK) {
        return why;
    }

    int rc = fall_back(swap, why);

    if (rc == FERRY_OK) {
        return ferry_boot_look(swap, FERRY_OK, verdict);
    }
    return rc == FERRY_E_POWER ? rc : why;
}

/* ---- The boot ------------------------------------------------------------------------------ */

static int stop(const struct ferry_boot_swap *swap, int why, int result)
{
    struct ferry_boot_image_report *report = swap->report;

    /* The reason of a refusal is what began it. */
    if (report->action != FERRY_BOOT_REFUSED) {
        report->reason = why;
    }
    report->action = FERRY_BOOT_STOPPED;
    return result;
}

/* The first start of an image for a test is its first trial. A store that fails costs it the
 * others. */
static int note_first_start(const struct ferry_boot_swap *swap)
{
    const struct ferry_boot_image_report *report = swap->report;

    if (report->action != FERRY_BOOT_TESTING || report->next != FERRY_SWAP_REVERT ||
        swap->follows) {
        return FERRY_OK;
    }

    int rc = ferry_boot_has_trials_left(swap);

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* What is there for good is the least that runs from now on; what is on trial is noted for its
 * confirm. Of a set the confirm of the image that speaks for it decides: for the others the next
 * boot does it. */
static int keep_least(const struct ferry_boot_swap *swap)
{
    const struct ferry_image_info *info = &swap->report->info;

    if (swap->type == FERRY_SWAP_NONE) {
        return ferry_boot_keep_least(swap, info, true);
    }
    return swap->type == FERRY_SWAP_REVERT && !swap->follows
               ? ferry_boot_keep_least(swap, info, false)
               : FERRY_OK;
}

/* The primary verifies: leave the trailers sane and look ahead. Where a swap is stopped half way
 * its records stay, for they are the way on. */
static int look_ahead(struct ferry_boot_swap *swap, bool stopped)
{
    int rc = stopped ? FERRY_OK : ferry_boot_decide(swap);

    if (rc == FERRY_OK && swap->type == FERRY_SWAP_NONE) {
        rc = ferry_boot_repair(swap, &swap->report->info);
    }
    swap->report->next = rc == FERRY_OK ? swap->type : FERRY_SWAP_NONE;
    if (rc == FERRY_OK) {
        rc = note_first_start(swap);
    }
    if (rc == FERRY_OK && !stopped) {
        rc = keep_least(swap);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

void ferry_boot_stopped_at(const struct ferry_boot_swap *swap, int moved)
{
    struct ferry_boot_image_report *report = swap->report;

    if (moved != FERRY_OK && report->action == FERRY_BOOT_RAN) {
        report->action = FERRY_BOOT_REFUSED;
        report->reason = moved;
    }
}

int ferry_boot_conclude(struct ferry_boot_swap *swap, int moved, int why)
{
    if (why == FERRY_E_POWER || why == FERRY_E_FLASH) {
        return stop(swap, why, why);
    }
    if (why != FERRY_OK) {
        return stop(swap, why, moved == FERRY_E_FLASH ? FERRY_E_FLASH : FERRY_E_NO_IMAGE);
    }
    return look_ahead(swap, moved != FERRY_OK);
}

int ferry_boot_by_swap(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                       struct ferry_verdict *verdict)
{
    report->action = FERRY_BOOT_RAN;

    int moved = settle(swap);

    if (moved == FERRY_E_POWER) {
        return stop(swap, moved, moved);
    }
    ferry_boot_stopped_at(swap, moved);
    return ferry_boot_conclude(swap, moved, ferry_boot_secure(swap, moved, verdict));
}

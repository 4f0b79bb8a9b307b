/* SPDX-License-Identifier: Apache-2.0 */
/* The boot: for every image finish, decide, judge, move, verify; then say what may run. */
#include "core/boot/swap.h"

#include <string.h>

/* Smallest workspace, bytes. */
#define BUF_MIN 256

/* ---- Configuration -------------------------------------------------------------------- */

static bool buf_suits(const struct ferry_boot_config *config, const struct ferry_flash *flash)
{
    return flash != NULL && flash->write_size != 0 && config->buf_size % flash->write_size == 0;
}

static int check_image(const struct ferry_boot_config *config, const struct ferry_boot_image *image)
{
    const struct ferry_boot_strategy *strategy = image->strategy;

    if (strategy == NULL || strategy->traits == NULL || strategy->traits != image->slots.strategy) {
        return FERRY_E_CONFIG;
    }
    if (!buf_suits(config, image->slots.primary) || !buf_suits(config, image->slots.secondary)) {
        return FERRY_E_CONFIG;
    }
    return ferry_slots_check(&image->slots);
}

static bool trust_is_sound(const struct ferry_image_trust *trust)
{
    return (trust->key_count == 0 || trust->keys != NULL) &&
           (trust->verifier_count == 0 || trust->verifiers != NULL);
}

static int check_config(const struct ferry_boot_config *config)
{
    if (config == NULL || config->images == NULL || config->image_count == 0 ||
        config->image_count > FERRY_BOOT_IMAGES) {
        return FERRY_E_CONFIG;
    }
    if (config->buf == NULL || config->buf_size < BUF_MIN || !trust_is_sound(&config->trust)) {
        return FERRY_E_CONFIG;
    }
    for (uint32_t i = 0; i < config->image_count; i++) {
        int rc = check_image(config, &config->images[i]);

        if (rc != FERRY_OK) {
            return rc;
        }
    }
    return FERRY_OK;
}

/* ---- Moving ------------------------------------------------------------------------------ */

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

/* Do what is left of the swap. */
static int carry_out(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report)
{
    int rc = swap->strategy->plan->run(swap);

    if (rc == FERRY_OK) {
        report->action = action_of(swap);
    }
    return rc;
}

static int refuse(struct ferry_boot_swap *swap, int why, const struct ferry_version *version,
                  struct ferry_boot_image_report *report)
{
    report->action = FERRY_BOOT_REFUSED;
    report->reason = why;
    report->refused = *version;
    return ferry_boot_refuse(swap, why);
}

/* Finish what was interrupted, or do what is asked for.
 * Returns FERRY_OK also for a refusal; else the error that stopped a move. */
static int settle(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report)
{
    struct ferry_version version;
    int rc = swap->strategy->plan->resume(swap);

    if (rc < 0) {
        return rc;
    }
    report->resumed = rc == 1;
    if (report->resumed && swap->done > 0) {
        return carry_out(swap, report);
    }
    if (!report->resumed) {
        rc = ferry_boot_decide(swap);
        if (rc != FERRY_OK || swap->type == FERRY_SWAP_NONE) {
            return rc;
        }
    }
    /* No image has moved yet: this is the last moment to look at the one that is to come. */
    rc = ferry_boot_judge(swap, report->resumed, &version);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc != FERRY_OK) {
        return refuse(swap, rc, &version, report);
    }
    if (!report->resumed) {
        rc = swap->strategy->plan->begin(swap);
    }
    return rc != FERRY_OK ? rc : carry_out(swap, report);
}

/* ---- When the primary does not verify ---------------------------------------------------- */

/* Whether the image in the secondary is older than what the primary's header still says. */
static int fallback_type(const struct ferry_boot_swap *swap, enum ferry_swap_type *type)
{
    const struct ferry_slots *slots = swap->slots;
    struct ferry_image_header lost;
    struct ferry_image_header found;
    int rc = ferry_image_read_header(slots->secondary, &found);

    if (rc != FERRY_OK) {
        return rc;
    }
    *type = FERRY_SWAP_PERM;
    rc = ferry_image_read_header(slots->primary, &lost);
    if (rc == FERRY_OK && slots->strategy->reverts &&
        ferry_version_compare(&found.version, &lost.version, true) < 0) {
        *type = FERRY_SWAP_REVERT;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Install a verified secondary, for good, in place of a primary that failed because of why.
 * No downgrade policy: there is nothing to downgrade from.
 * Returns FERRY_OK, or why nothing was installed. */
static int fall_back(struct ferry_boot_swap *swap, int why, struct ferry_boot_image_report *report)
{
    struct ferry_version version;

    swap->type = FERRY_SWAP_REVERT;
    swap->asked = false;

    int rc = ferry_boot_judge(swap, false, &version);

    if (rc == FERRY_OK) {
        rc = fallback_type(swap, &swap->type);
    }
    if (rc == FERRY_OK) {
        rc = swap->strategy->plan->begin(swap);
    }
    if (rc == FERRY_OK) {
        rc = carry_out(swap, report);
    }
    if (rc == FERRY_OK) {
        report->reason = why;
    }
    return rc;
}

/* ---- One image ------------------------------------------------------------------------------ */

static void start_swap(struct ferry_boot_swap *swap, const struct ferry_boot_config *config,
                       uint32_t image)
{
    memset(swap, 0, sizeof(*swap));
    swap->config = config;
    swap->strategy = config->images[image].strategy;
    swap->slots = &config->images[image].slots;
    swap->image = image;
    swap->type = FERRY_SWAP_NONE;
}

/* Verify the primary; when it fails, fall back once, unless a swap is unfinished: its records are
 * the only way to its images.
 * Returns FERRY_OK with a valid verdict, FERRY_E_POWER, or why the primary may not run. */
static int secure_primary(struct ferry_boot_swap *swap, bool may_fall_back,
                          struct ferry_boot_image_report *report, struct ferry_verdict *verdict)
{
    const struct ferry_flash *primary = swap->slots->primary;
    int why = ferry_boot_verify(swap, primary, &report->info, verdict);

    if (why == FERRY_OK || why == FERRY_E_POWER || !may_fall_back) {
        return why;
    }

    int rc = fall_back(swap, why, report);

    if (rc == FERRY_OK) {
        return ferry_boot_verify(swap, primary, &report->info, verdict);
    }
    return rc == FERRY_E_POWER ? rc : why;
}

static int stop(struct ferry_boot_image_report *report, int why, int result)
{
    /* The reason of a refusal is what began it. */
    if (report->action != FERRY_BOOT_REFUSED) {
        report->reason = why;
    }
    report->action = FERRY_BOOT_STOPPED;
    return result;
}

/* The primary verifies: leave the trailers sane and look ahead. */
static int look_ahead(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report)
{
    int rc = ferry_boot_decide(swap);

    if (rc == FERRY_OK && swap->type == FERRY_SWAP_NONE) {
        rc = ferry_boot_repair(swap, &report->info);
    }
    report->next = rc == FERRY_OK ? swap->type : FERRY_SWAP_NONE;
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Returns FERRY_OK with a valid verdict, FERRY_E_NO_IMAGE, FERRY_E_FLASH or FERRY_E_POWER. */
int ferry_boot_by_swap(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                       struct ferry_verdict *verdict)
{
    int rc = ferry_slots_trailer(swap->slots, &swap->layout);

    if (rc != FERRY_OK) {
        return stop(report, rc, FERRY_E_NO_IMAGE);
    }
    report->action = FERRY_BOOT_RAN;

    int moved = settle(swap, report);

    if (moved == FERRY_E_POWER) {
        return stop(report, moved, moved);
    }
    if (moved != FERRY_OK && report->action == FERRY_BOOT_RAN) {
        report->action = FERRY_BOOT_REFUSED;
        report->reason = moved;
    }
    rc = secure_primary(swap, moved == FERRY_OK, report, verdict);
    if (rc == FERRY_E_POWER || rc == FERRY_E_FLASH) {
        return stop(report, rc, rc);
    }
    if (rc != FERRY_OK) {
        return stop(report, rc, moved == FERRY_E_FLASH ? FERRY_E_FLASH : FERRY_E_NO_IMAGE);
    }
    return look_ahead(swap, report);
}

/* ---- All images ----------------------------------------------------------------------------- */

static void clear_report(struct ferry_boot_report *report, int reason)
{
    memset(report, 0, sizeof(*report));
    for (uint32_t i = 0; i < FERRY_BOOT_IMAGES; i++) {
        report->images[i].action = FERRY_BOOT_STOPPED;
        report->images[i].reason = reason;
        report->images[i].next = FERRY_SWAP_NONE;
    }
}

static void tell_nothing_runs(const struct ferry_boot_config *config,
                              const struct ferry_boot_report *report)
{
    const struct ferry_boot_hooks *hooks = config->hooks;

    if (hooks != NULL && hooks->nothing_runs != NULL) {
        hooks->nothing_runs(hooks->context, report);
    }
}

/* The second look at every verdict, far from the first. */
static bool all_valid(const struct ferry_verdict *verdicts, uint32_t count)
{
    uint32_t valid = 0;

    for (uint32_t i = 0; i < count; i++) {
        valid += ferry_verdict_is_valid(&verdicts[i]) ? 1 : 0;
    }
    return count != 0 && valid == count;
}

int ferry_boot_run(const struct ferry_boot_config *config, struct ferry_boot_report *report)
{
    struct ferry_verdict verdicts[FERRY_BOOT_IMAGES];
    int result = check_config(config);

    clear_report(report, result);
    memset(verdicts, 0, sizeof(verdicts));
    if (result != FERRY_OK) {
        return result;
    }
    report->image_count = config->image_count;
    for (uint32_t i = 0; i < config->image_count; i++) {
        struct ferry_boot_swap swap;

        start_swap(&swap, config, i);
        report->images[i].reason = FERRY_OK;

        int rc = swap.strategy->boot(&swap, &report->images[i], &verdicts[i]);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (result == FERRY_OK) {
            result = rc;
        }
    }
    if (result == FERRY_OK && !all_valid(verdicts, config->image_count)) {
        result = FERRY_E_NO_IMAGE;
    }
    if (result != FERRY_OK) {
        tell_nothing_runs(config, report);
    }
    return result;
}

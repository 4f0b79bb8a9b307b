/* SPDX-License-Identifier: Apache-2.0 */
/* What the policy says of a verified image: whether it may be installed, whether it may run, and
 * what the store is to demand afterwards. Without a policy everything passes. */
#include "core/boot/swap.h"

/* Judge, and keep the numbers of a refusal for the report. */
static int judge(const struct ferry_boot_swap *swap, const struct ferry_policy_case *subject)
{
    struct ferry_policy_counters counters;
    int rc = ferry_policy_judge(swap->slots, subject, &counters);

    if (counters.known) {
        swap->report->counters = counters;
    }
    return rc;
}

static int admit(const struct ferry_boot_swap *swap, const struct ferry_flash *image,
                 const struct ferry_image_info *info, uint32_t slot, bool asked)
{
    const struct ferry_policy_case subject = {
        .image = image, .info = info, .address = swap->image->addresses[slot], .asked = asked};
    struct ferry_policy_least least = {.counter = 0};
    int rc = judge(swap, &subject);

    if (rc == FERRY_OK) {
        rc = ferry_policy_learn(swap->slots->policy, image, info, &least);
    }
    if (rc == FERRY_OK) {
        swap->report->least = least;
    }
    return rc;
}

/* ---- Where both images stay ------------------------------------------------------------------ */

static int beside(const struct ferry_boot_swap *swap, uint32_t slot,
                  const struct ferry_image_info *info)
{
    const struct ferry_flash *other_slot = ferry_slots_slot(swap->slots, 1 - slot);
    struct ferry_policy_case subject = {.image = ferry_slots_slot(swap->slots, slot),
                                        .info = info,
                                        .address = swap->image->addresses[slot]};
    struct ferry_image_info other;
    int rc = FERRY_OK;

    if (swap->slots->policy == NULL) {
        return FERRY_OK;
    }
    rc = ferry_image_inspect(other_slot, &other);
    if (rc == FERRY_OK) {
        rc = ferry_policy_learn(swap->slots->policy, other_slot, &other, &subject.least);
    }
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    return judge(swap, &subject);
}

/* ---- Before an image is moved --------------------------------------------------------------- */

/* Whether the image in the primary is there for good, as far as its trailer and the store say so
 * without doubt. Returns 1, 0 or FERRY_E_POWER. */
static int is_confirmed(const struct ferry_boot_swap *swap)
{
    struct ferry_trailers trailers;
    const struct ferry_trailer *primary = &trailers.primary;

    if (!swap->slots->strategy->reverts) {
        return 1;
    }

    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    /* A swap that was begun has overwritten what was said of the image. */
    if (primary->magic != FERRY_SET || primary->copy_done == FERRY_UNSET) {
        return primary->magic == FERRY_UNSET;
    }
    if (primary->image_ok == FERRY_SET || swap->memory == NULL) {
        return primary->image_ok == FERRY_SET;
    }
    rc = swap->memory->is_confirmed(swap->slots, 0);
    return rc == FERRY_E_POWER ? rc : rc == 1;
}

/* A confirmed image is the measure of what replaces it, also where the application did not raise
 * what the store demands: that is done now, since a moment later it is only an old image.
 * Returns FERRY_OK or FERRY_E_POWER. */
static int measure_confirmed(const struct ferry_boot_swap *swap,
                             const struct ferry_image_info *running,
                             struct ferry_policy_least *least)
{
    const struct ferry_image_policy *policy = swap->slots->policy;
    int rc = is_confirmed(swap);

    if (rc != 1) {
        return rc < 0 ? rc : FERRY_OK;
    }
    rc = ferry_policy_learn(policy, swap->primary, running, least);
    if (rc == FERRY_OK && policy->memory != NULL) {
        rc = policy->memory->raise(swap->slots, least);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Only a primary that verifies can be downgraded: half a copy has the new version already. */
static int admit_next(const struct ferry_boot_swap *swap, const struct ferry_image_info *next)
{
    struct ferry_flash_slice view;
    struct ferry_image_info running;
    struct ferry_verdict verdict;
    struct ferry_policy_case subject = {.image = &view.flash,
                                        .info = next,
                                        .address = swap->image->addresses[0],
                                        .asked = swap->type != FERRY_SWAP_REVERT};
    int rc = FERRY_OK;

    if (swap->slots->policy == NULL) {
        return FERRY_OK;
    }
    rc = ferry_boot_view_secondary(swap, &view);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (subject.asked) {
        rc = ferry_boot_verify(swap, swap->primary, &running, &verdict);
    }
    if (subject.asked && rc == FERRY_OK) {
        subject.running = &running;
        rc = measure_confirmed(swap, &running, &subject.least);
    }
    return rc == FERRY_E_POWER ? rc : judge(swap, &subject);
}

/* ---- Once it is clear what runs ------------------------------------------------------------- */

static int keep(const struct ferry_boot_swap *swap, const struct ferry_image_info *info,
                bool confirmed)
{
    const struct ferry_image_policy *policy = swap->slots->policy;
    int rc = FERRY_OK;

    if (policy == NULL || policy->memory == NULL) {
        return FERRY_OK;
    }
    rc = confirmed ? policy->memory->raise(swap->slots, &swap->report->least)
                   : policy->memory->note(swap->slots, info->digest, &swap->report->least);
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* ---- Beside the boot --------------------------------------------------------------------------
 */

/* What a trial would demand counts once it is confirmed. */
static int judge_upload(const struct ferry_slots *slots,
                        const struct ferry_boot_image_report *report,
                        const struct ferry_flash *image, const struct ferry_image_info *info,
                        uint32_t address)
{
    struct ferry_policy_counters counters;
    struct ferry_policy_case subject = {
        .image = image, .info = info, .address = address, .asked = report != NULL};

    if (report != NULL && report->action != FERRY_BOOT_STOPPED) {
        subject.running = &report->info;
        if (report->next != FERRY_SWAP_REVERT) {
            subject.least = report->least;
        }
    }
    return ferry_policy_judge(slots, &subject, &counters);
}

const struct ferry_boot_admission ferry_boot_by_policy = {
    .judge = judge_upload, .run = admit, .beside = beside, .next = admit_next, .keep = keep};

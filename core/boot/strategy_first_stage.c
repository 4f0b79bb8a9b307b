/* SPDX-License-Identifier: Apache-2.0 */
/* first-stage: an update of the bootloader itself. The one that runs judges it as MCUboot would and
 * as the first stage will, installs it into the slot that does not run, and asks for a reset; the
 * first stage chooses. The request stays until the new one runs and takes it away.
 *
 * copy_done in the secondary's trailer says that it was installed: a bootloader that runs again in
 * spite of it was preferred by the first stage. */
#include "core/boot/swap.h"

#include <string.h>

/* Whether the image asked for is the one that runs. */
static bool runs_already(const struct ferry_boot_swap *swap)
{
    struct ferry_image_info running;
    struct ferry_image_info staged;

    return ferry_image_inspect(swap->primary, &running) == FERRY_OK &&
           ferry_image_inspect(swap->secondary, &staged) == FERRY_OK &&
           running.size == staged.size && running.digest_len != 0 &&
           running.digest_len == staged.digest_len &&
           memcmp(running.digest, staged.digest, running.digest_len) == 0;
}

/* Where the firmware of the staged image is: behind its MCUboot header, which must have the size
 * that the slots provide for. The first stage decrypts nothing. */
static int find_staged(const struct ferry_boot_swap *swap, struct ferry_first_place *place)
{
    const struct ferry_first *first = swap->image->first;
    const struct ferry_flash *secondary = swap->secondary;
    struct ferry_image_header header;
    int rc = ferry_image_read_header(secondary, &header);

    *place = (struct ferry_first_place){
        .flash = secondary, .offset = first->slots[0].offset, .size = header.payload_size};
    if (rc == FERRY_OK &&
        (header.flags & (FERRY_IMAGE_ENCRYPTED_AES128 | FERRY_IMAGE_ENCRYPTED_AES256)) != 0) {
        return FERRY_E_UNSUPPORTED;
    }
    return rc == FERRY_OK && header.header_size != place->offset ? FERRY_E_ADDRESS : rc;
}

static int judge_stage(const struct ferry_boot_swap *swap)
{
    struct ferry_first_place place;
    struct ferry_first_stage stage;
    struct ferry_verdict verdict = {0, 0};
    int rc = find_staged(swap, &place);

    if (rc == FERRY_OK) {
        rc = ferry_first_judge(swap->image->first, &place, &stage, &verdict);
    }
    return rc == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_SIGNATURE : rc;
}

/* Install it, and note that. What cannot be noted is installed again, should the first stage not
 * take it: no harm is done. */
static int install(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->secondary;
    uint32_t at = secondary->size - swap->layout.copy_done;
    int rc = ferry_first_install(swap->image->first, secondary, swap->secondary_size);

    if (rc == FERRY_OK) {
        rc = ferry_flash_is_erased(secondary, at, secondary->write_size);
        rc = rc == 1 ? ferry_trailer_write_copy_done(secondary, swap->slots->max_align) : rc;
        rc = rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    return rc;
}

/* Refuse the request. What was installed must not start some day after all. */
static int refuse(struct ferry_boot_swap *swap, int why, bool installed,
                  struct ferry_boot_image_report *report)
{
    int rc = installed ? ferry_first_discard(swap->image->first) : FERRY_OK;

    report->action = FERRY_BOOT_REFUSED;
    report->reason = why;
    return rc == FERRY_E_POWER ? rc : ferry_boot_refuse(swap, why);
}

/* Do what the secondary asks for. Returns FERRY_OK, also for a refusal, or an error. */
static int settle(struct ferry_boot_swap *swap, const struct ferry_trailer *request,
                  struct ferry_boot_image_report *report)
{
    swap->type = FERRY_SWAP_PERM;
    swap->asked = true;
    if (runs_already(swap)) {
        report->action = FERRY_BOOT_UPGRADED;
        return ferry_boot_empty_secondary(swap);
    }
    int rc = ferry_boot_judge(swap, &report->refused);
    if (rc == FERRY_E_MAGIC && request->copy_done == FERRY_SET) {
        return ferry_boot_empty_secondary(swap); /* the power failed while that was done */
    }
    if (rc == FERRY_OK) {
        rc = judge_stage(swap);
    }
    if (rc == FERRY_OK && request->copy_done == FERRY_SET) {
        return refuse(swap, FERRY_E_NOT_CHOSEN, true, report);
    }
    if (rc == FERRY_OK) {
        rc = install(swap);
        report->restart = rc == FERRY_OK;
    }
    if (rc == FERRY_OK || rc == FERRY_E_POWER) {
        return rc;
    }
    return refuse(swap, rc, request->copy_done == FERRY_SET, report);
}

/* How often the bootloader that runs may fail to verify: what heals is no reason to stop. */
#define TRIES 3

/* The bootloader that runs: the first stage verified it, and here it is verified once more. */
static int secure_running(const struct ferry_boot_swap *swap,
                          struct ferry_boot_image_report *report, struct ferry_verdict *verdict)
{
    const struct ferry_first *first = swap->image->first;
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;
    int rc = FERRY_E_FLASH;

    for (int i = 0; i < TRIES && rc != FERRY_OK && rc != FERRY_E_POWER; i++) {
        rc = ferry_first_provision_read(first->provision, first->kind, &provision);
        if (rc == FERRY_OK) {
            rc = ferry_first_verify(first, &provision, &first->slots[first->active], &stage,
                                    verdict);
        }
    }
    /* One that a programmer put there may have no MCUboot header. */
    int inspected = ferry_image_inspect(swap->primary, &report->info);
    return rc == FERRY_OK && inspected == FERRY_E_POWER ? inspected : rc;
}

static int boot(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict)
{
    struct ferry_trailers trailers;

    report->action = FERRY_BOOT_RAN;
    if (swap->image->first == NULL) {
        return FERRY_E_CONFIG;
    }
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);
    if (rc == FERRY_OK && trailers.secondary.magic == FERRY_SET) {
        rc = settle(swap, &trailers.secondary, report);
    }
    if (rc != FERRY_E_POWER) {
        rc = secure_running(swap, report, verdict);
    }
    if (rc != FERRY_OK) {
        report->action = FERRY_BOOT_STOPPED;
        report->reason = rc;
        return rc == FERRY_E_POWER || rc == FERRY_E_FLASH ? rc : FERRY_E_NO_IMAGE;
    }
    return rc;
}

const struct ferry_boot_strategy ferry_boot_first_stage = {
    .traits = &ferry_traits_first_stage, .boot = boot, .plan = NULL};

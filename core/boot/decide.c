/* SPDX-License-Identifier: Apache-2.0 */
/* What a boot is to do: the trailers' word, and whether the image asked for may be installed. */
#include "core/boot/swap.h"

#include <string.h>

/* ---- What the trailers ask for -------------------------------------------------------- */

static const struct ferry_trailer unset_trailer = {
    .magic = FERRY_UNSET,
    .image_ok = FERRY_UNSET,
    .copy_done = FERRY_UNSET,
    .swap_type = FERRY_SWAP_NONE,
    .swap_image = 0,
};

/* A flash that reads as neither erased nor set where it cannot be read. */
struct patient {
    struct ferry_flash flash;
    const struct ferry_flash *inner;
};

#define UNREADABLE 0x5a

static int patient_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct patient *patient = flash->context;
    int rc = ferry_flash_read(patient->inner, offset, data, len);

    if (rc == FERRY_E_FLASH) {
        memset(data, UNREADABLE, len);
        return FERRY_OK;
    }
    return rc;
}

int ferry_boot_read_primary_trailer(const struct ferry_boot_swap *swap,
                                    struct ferry_trailer *trailer)
{
    static const struct ferry_flash_ops ops = {.read = patient_read};
    struct patient patient = {.flash = *swap->slots->primary, .inner = swap->slots->primary};

    patient.flash.ops = &ops;
    patient.flash.context = &patient;
    return ferry_trailer_read(&patient.flash, swap->slots->max_align, trailer);
}

/* A trailer that could not be read. */
static int look_elsewhere(const struct ferry_flash *secondary, struct ferry_boot_trailers *trailers)
{
    uint8_t first[4];
    int rc = ferry_flash_read(secondary, 0, first, sizeof(first));

    trailers->secondary = unset_trailer;
    trailers->secondary_answers = rc == FERRY_OK;
    if (trailers->secondary_answers) {
        trailers->secondary.magic = FERRY_BAD;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_boot_read_trailers(const struct ferry_boot_swap *swap,
                             struct ferry_boot_trailers *trailers)
{
    const struct ferry_slots *slots = swap->slots;
    int rc = ferry_boot_read_primary_trailer(swap, &trailers->primary);

    if (rc != FERRY_OK) {
        return rc;
    }
    trailers->secondary_answers = true;
    rc = ferry_trailer_read(slots->secondary, slots->max_align, &trailers->secondary);
    if (rc == FERRY_OK || rc == FERRY_E_POWER) {
        return rc;
    }
    return look_elsewhere(slots->secondary, trailers);
}

/* Half-programmed flags, which the table knows nothing of, count on the safe side:
 * - secondary image_ok: a permanent request that was cut short is a test;
 * - primary copy_done: it is written when everything else is, so the copy is done, and an image
 *   that did not confirm itself is reverted.
 * A half-programmed image_ok of the primary stays as the table has it, no revert: only somebody
 * who wanted to confirm has written there. */
static void settle_damage(struct ferry_boot_trailers *trailers)
{
    if (trailers->secondary.image_ok == FERRY_BAD) {
        trailers->secondary.image_ok = FERRY_UNSET;
    }
    if (trailers->primary.copy_done == FERRY_BAD) {
        trailers->primary.copy_done = FERRY_SET;
    }
}

int ferry_boot_decide(struct ferry_boot_swap *swap)
{
    const struct ferry_strategy_traits *traits = swap->slots->strategy;
    struct ferry_boot_trailers trailers;
    int rc = ferry_boot_read_trailers(swap, &trailers);

    if (rc != FERRY_OK) {
        return rc;
    }
    settle_damage(&trailers);
    swap->asked = trailers.secondary.magic == FERRY_SET;
    swap->type = ferry_swap_type_of(&trailers.primary, &trailers.secondary, traits->tlv_sizes);
    /* A revert that was cut right after ferry_boot_ask(). */
    if (swap->type == FERRY_SWAP_PERM && trailers.secondary.swap_type == FERRY_SWAP_REVERT) {
        swap->type = FERRY_SWAP_REVERT;
    }
    if (swap->type == FERRY_SWAP_REVERT && !traits->reverts) {
        swap->type = FERRY_SWAP_NONE;
    }
    return FERRY_OK;
}

/* ---- Whether it may be done -------------------------------------------------------------- */

static bool is_same_image(const struct ferry_image_info *a, const struct ferry_image_info *b)
{
    return a->size == b->size && a->digest_len != 0 && a->digest_len == b->digest_len &&
           memcmp(a->digest, b->digest, a->digest_len) == 0;
}

/* Only a primary that verifies can be downgraded: half a copy has the new version already. */
static int check_downgrade(const struct ferry_boot_swap *swap, const struct ferry_image_info *next)
{
    struct ferry_image_info running;
    struct ferry_verdict verdict;

    if (!swap->config->no_downgrade || swap->type == FERRY_SWAP_REVERT) {
        return FERRY_OK;
    }

    int rc = ferry_boot_verify(swap, swap->slots->primary, &running, &verdict);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    if (is_same_image(&running, next)) {
        return FERRY_OK;
    }
    return ferry_version_compare(&next->header.version, &running.header.version, true) > 0
               ? FERRY_OK
               : FERRY_E_DOWNGRADE;
}

/* How much is to be moved. A primary too large to be moved is an obstacle only if it verifies. */
static int measure(struct ferry_boot_swap *swap, const struct ferry_image_info *next)
{
    const struct ferry_flash *primary = swap->slots->primary;
    struct ferry_image_info running;
    struct ferry_verdict verdict;

    swap->size = next->size;
    if (!swap->slots->strategy->keeps_old) {
        return FERRY_OK;
    }

    int rc = ferry_image_inspect(primary, &running);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc != FERRY_OK || running.size <= next->size) {
        return FERRY_OK;
    }
    if (running.size <= ferry_slots_max_image(swap->slots)) {
        swap->size = running.size;
        return FERRY_OK;
    }
    rc = ferry_boot_verify(swap, primary, &running, &verdict);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc == FERRY_OK ? FERRY_E_TOO_LARGE : FERRY_OK;
}

int ferry_boot_judge(struct ferry_boot_swap *swap, bool resumed, struct ferry_version *refused)
{
    struct ferry_image_info next;
    struct ferry_verdict verdict;
    int rc = ferry_boot_verify(swap, swap->slots->secondary, &next, &verdict);

    *refused = next.header.version;
    if (rc != FERRY_OK) {
        return rc;
    }
    if (!ferry_verdict_is_valid(&verdict)) {
        return FERRY_E_SIGNATURE;
    }
    if (next.size > ferry_slots_max_image(swap->slots)) {
        return FERRY_E_TOO_LARGE;
    }
    rc = check_downgrade(swap, &next);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (resumed) {
        /* The size was recorded at the begin; an image beyond it is not the one judged then. */
        return next.size <= swap->size ? FERRY_OK : FERRY_E_IMAGE_SIZE;
    }
    return measure(swap, &next);
}

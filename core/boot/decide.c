/* SPDX-License-Identifier: Apache-2.0 */
/* What a boot is to do: the trailers' word, and whether the image asked for may be installed. */
#include "core/boot/swap.h"

/* ---- What the trailers ask for -------------------------------------------------------- */

int ferry_boot_decide(struct ferry_boot_swap *swap)
{
    struct ferry_trailers trailers;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    if (rc == FERRY_OK) {
        rc = ferry_slots_decide(swap->slots, &trailers,
                                swap->memory != NULL ? swap->memory->is_confirmed : NULL,
                                &swap->type);
    }
    swap->asked = trailers.secondary.magic == FERRY_SET;
    if (swap->heed != NULL && !swap->asked) {
        swap->heed(swap);
    }
    return rc;
}

/* The image to install comes from where old ones are kept when its header stands there only. */
static int look_where(struct ferry_boot_swap *swap)
{
    const struct ferry_slots *slots = swap->slots;
    struct ferry_flash_slice view;
    uint32_t offset = 0;
    int rc = ferry_slots_view(slots, 1, &view, &offset);

    swap->backwards = rc == FERRY_OK && offset != ferry_slots_upload_offset(slots);
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* ---- Whether it may be done -------------------------------------------------------------- */

/* swap-offset's field: the size of both unprotected areas. */
static uint32_t unprotected_size(const struct ferry_image_info *info)
{
    const struct ferry_image_header *header = &info->header;

    return (info->size - header->header_size - header->payload_size - header->protected_size) &
           0xffffU;
}

/* How much is to be moved. A primary too large to be moved is an obstacle only if it verifies. */
static int measure(struct ferry_boot_swap *swap, const struct ferry_image_info *next)
{
    const struct ferry_flash *primary = swap->primary;
    struct ferry_image_info running;
    struct ferry_verdict verdict;

    swap->secondary_size = next->size;
    swap->primary_size = 0;
    swap->size = next->size;
    swap->tlv_sizes = unprotected_size(next) << 16;
    if (!swap->slots->strategy->keeps_old) {
        return FERRY_OK;
    }

    int rc = ferry_image_inspect(primary, &running);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    if (running.size > ferry_slots_max_image(swap->slots)) {
        rc = ferry_boot_verify(swap, primary, &running, &verdict);
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        return rc == FERRY_OK ? FERRY_E_TOO_LARGE : FERRY_OK;
    }
    if (swap->views != NULL) {
        rc = swap->config->encryption->leave(swap, &running);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    swap->primary_size = running.size;
    swap->size = ferry_max32(next->size, running.size);
    swap->tlv_sizes |= unprotected_size(&running);
    return FERRY_OK;
}

int ferry_boot_judge(struct ferry_boot_swap *swap, struct ferry_version *refused)
{
    struct ferry_image_info next;
    struct ferry_verdict verdict;
    int rc = swap->placed ? FERRY_OK : look_where(swap);

    if (rc != FERRY_OK) {
        return rc;
    }
    rc = ferry_boot_verify_secondary(swap, &next, &verdict);
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
    rc = ferry_boot_admit_next(swap, &next);
    return rc != FERRY_OK ? rc : measure(swap, &next);
}

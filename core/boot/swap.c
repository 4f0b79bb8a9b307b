/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that strategies share: verify, erase, move, and the hooks between. */
#include "core/boot/swap.h"

#include <string.h>

void ferry_boot_feed(const struct ferry_boot_swap *swap)
{
    const struct ferry_boot_hooks *hooks = swap->config->hooks;

    if (hooks != NULL && hooks->feed != NULL) {
        hooks->feed(hooks->context);
    }
}

void ferry_boot_progress(const struct ferry_boot_swap *swap, uint32_t done, uint32_t total)
{
    const struct ferry_boot_hooks *hooks = swap->config->hooks;

    if (hooks != NULL && hooks->progress != NULL) {
        hooks->progress(hooks->context, swap->image, done, total);
    }
}

int ferry_boot_verify(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                      struct ferry_image_info *info, struct ferry_verdict *verdict)
{
    const struct ferry_boot_config *config = swap->config;
    const struct ferry_boot_hooks *hooks = config->hooks;
    void (*feed)(void *) = hooks != NULL ? hooks->feed : NULL;
    void *context = hooks != NULL ? hooks->context : NULL;

    memset(info, 0, sizeof(*info));
    verdict->valid = 0;
    verdict->check = 0;

    int rc = ferry_image_verify(slot, &config->trust, config->buf, config->buf_size, feed, context,
                                info, verdict);

    if (rc != FERRY_OK) {
        return rc;
    }
    return ferry_verdict_is_valid(verdict) ? FERRY_OK : FERRY_E_SIGNATURE;
}

int ferry_boot_trailer_start(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                             uint32_t *start)
{
    struct ferry_flash_sector sector;

    if (swap->layout.size > slot->size) {
        return FERRY_E_BOUNDS;
    }

    int rc = ferry_flash_sector_at(slot, slot->size - swap->layout.size, &sector);

    if (rc == FERRY_OK) {
        *start = sector.offset;
    }
    return rc;
}

/* Erase a sector that is not erased; also one that cannot be read, as it is with an ECC after a
 * cut: the erase is what heals it. */
static int erase_sector(const struct ferry_flash *slot, const struct ferry_flash_sector *sector)
{
    int rc = ferry_flash_is_erased(slot, sector->offset, sector->size);

    if (rc == FERRY_E_POWER || rc == 1) {
        return rc == 1 ? FERRY_OK : rc;
    }
    return ferry_flash_erase(slot, sector->offset, sector->size);
}

int ferry_boot_erase(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                     uint32_t offset, uint32_t len)
{
    uint32_t end = 0;

    if (!ferry_add32(offset, len, &end)) {
        return FERRY_E_BOUNDS;
    }
    while (offset < end) {
        struct ferry_flash_sector sector;
        int rc = ferry_flash_sector_at(slot, offset, &sector);

        if (rc == FERRY_OK) {
            rc = erase_sector(slot, &sector);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
        ferry_boot_feed(swap);
        offset = sector.offset + sector.size;
    }
    return FERRY_OK;
}

int ferry_boot_erase_trailer(const struct ferry_boot_swap *swap, const struct ferry_flash *slot)
{
    uint32_t start = 0;
    int rc = ferry_boot_trailer_start(swap, slot, &start);

    return rc != FERRY_OK ? rc : ferry_boot_erase(swap, slot, start, slot->size - start);
}

int ferry_boot_erase_ends(const struct ferry_boot_swap *swap, const struct ferry_flash *slot)
{
    int rc = ferry_boot_erase(swap, slot, 0, 1);

    return rc != FERRY_OK ? rc : ferry_boot_erase_trailer(swap, slot);
}

int ferry_boot_move(const struct ferry_boot_swap *swap, const struct ferry_flash *from,
                    uint32_t from_offset, const struct ferry_flash *to, uint32_t to_offset,
                    uint32_t len)
{
    const struct ferry_boot_config *config = swap->config;
    int rc = ferry_boot_erase(swap, to, to_offset, len);

    if (rc == FERRY_OK) {
        rc = ferry_flash_copy(from, from_offset, to, to_offset, len, config->buf, config->buf_size);
    }
    ferry_boot_feed(swap);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that strategies share: verify, erase, move, and the hooks between. */
#include "core/boot/swap.h"

#include <string.h>

/* An erase or a move that fails is tried so often. */
#define TRIES 3

/* Bytes compared at first: what differs mostly differs at once. */
#define FIRST_LOOK 16

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
        hooks->progress(hooks->context, swap->slots->number, done, total);
    }
}

/* ---- Views -------------------------------------------------------------------------------- */

const struct ferry_flash *ferry_boot_raw(const struct ferry_boot_swap *swap,
                                         const struct ferry_flash *area)
{
    if (area == swap->incoming || area == swap->outgoing) {
        return swap->secondary;
    }
    return area == swap->unpacked ? swap->primary : area;
}

/* ---- Verify ------------------------------------------------------------------------------- */

int ferry_boot_verify(const struct ferry_boot_swap *swap, const struct ferry_flash *image,
                      struct ferry_image_info *info, struct ferry_verdict *verdict)
{
    const struct ferry_boot_config *config = swap->config;
    const struct ferry_boot_hooks *hooks = config->hooks;
    void (*feed)(void *) = hooks != NULL ? hooks->feed : NULL;
    void *context = hooks != NULL ? hooks->context : NULL;

    memset(info, 0, sizeof(*info));
    verdict->valid = 0;
    verdict->check = 0;

    int rc = ferry_image_verify(image, &config->trust, config->buf, config->buf_size, feed, context,
                                info, verdict);

    /* Said by its name, and not by the digest that it fails. */
    if (rc != FERRY_E_POWER && swap->views == NULL && ferry_image_encrypted(&info->header) != 0) {
        verdict->valid = 0;
        verdict->check = 0;
        return FERRY_E_UNSUPPORTED;
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    return ferry_verdict_is_valid(verdict) ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* Where the image in the secondary begins. */
static uint32_t secondary_offset(const struct ferry_boot_swap *swap)
{
    return swap->backwards ? ferry_slots_old_offset(swap->slots)
                           : ferry_slots_upload_offset(swap->slots);
}

int ferry_boot_view_secondary(const struct ferry_boot_swap *swap, struct ferry_flash_slice *view)
{
    return ferry_slots_secondary_at(swap->slots, secondary_offset(swap), view);
}

int ferry_boot_verify_secondary(const struct ferry_boot_swap *swap, struct ferry_image_info *info,
                                struct ferry_verdict *verdict)
{
    const struct ferry_flash *secondary = swap->secondary;
    uint32_t offset = secondary_offset(swap);
    struct ferry_flash_slice view;
    int why = swap->views != NULL ? swap->config->encryption->come(swap, offset) : FERRY_OK;
    int rc = ferry_flash_slice_init(&view, swap->incoming, offset, secondary->size - offset);

    memset(info, 0, sizeof(*info));
    *verdict = (struct ferry_verdict){0, 0};
    if (why == FERRY_OK && rc == FERRY_OK) {
        return ferry_boot_verify(swap, &view.flash, info, verdict);
    }
    /* Which image it is can be said all the same. */
    if (why != FERRY_OK && rc == FERRY_OK) {
        rc = ferry_image_read_header(&view.flash, &info->header);
    }
    return why == FERRY_OK || rc == FERRY_E_POWER ? rc : why;
}

/* ---- Erase -------------------------------------------------------------------------------- */

int ferry_boot_noted(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                     uint32_t offset, int rc)
{
    struct ferry_flash_sector sector = {0, 0, 0};

    area = ferry_boot_raw(swap, area);
    if (rc != FERRY_E_FLASH) {
        return rc;
    }
    if (ferry_flash_sector_at(area, offset, &sector) == FERRY_OK) {
        swap->report->failure.sector = sector.index;
    }
    swap->report->failure.area = area == swap->primary     ? FERRY_AREA_PRIMARY
                                 : area == swap->secondary ? FERRY_AREA_SECONDARY
                                                           : FERRY_AREA_SCRATCH;
    return rc;
}

/* Erase a sector that is not erased; also one that cannot be read, as it is with an ECC after a
 * cut: the erase is what heals it. And one that a cut may have left in between: it may read as
 * erased and not last. */
static int erase_sector(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                        const struct ferry_flash_sector *sector)
{
    int rc = swap->unsure ? 0 : 1;

    for (int look = 0; rc == 1 && look < swap->looks; look++) {
        rc = ferry_flash_is_erased(area, sector->offset, sector->size);
    }
    if (rc == FERRY_E_POWER || rc == 1) {
        return rc == 1 ? FERRY_OK : rc;
    }
    for (int i = 0; i < TRIES; i++) {
        rc = ferry_flash_erase(area, sector->offset, sector->size);
        if (rc == FERRY_OK || rc == FERRY_E_POWER) {
            return rc;
        }
    }
    return ferry_boot_noted(swap, area, sector->offset, rc);
}

int ferry_boot_erase(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                     uint32_t offset, uint32_t len)
{
    uint32_t end = offset + len;

    area = ferry_boot_raw(swap, area);
    while (offset < end) {
        struct ferry_flash_sector sector;
        int rc = ferry_flash_sector_at(area, offset, &sector);

        if (rc == FERRY_OK) {
            rc = erase_sector(swap, area, &sector);
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
    int rc = ferry_slots_trailer_start(swap->slots, slot, &start);

    return rc != FERRY_OK ? rc : ferry_boot_erase(swap, slot, start, slot->size - start);
}

int ferry_boot_empty_secondary(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->secondary;
    int rc = ferry_boot_erase(swap, secondary, secondary_offset(swap), 1);

    return rc != FERRY_OK ? rc : ferry_boot_erase_trailer(swap, secondary);
}

/* ---- Move ----------------------------------------------------------------------------------- */

/* Compare len bytes that both fit half the workspace. */
static int same_part(const struct ferry_boot_swap *swap, const struct ferry_flash *a,
                     uint32_t a_offset, const struct ferry_flash *b, uint32_t b_offset, size_t len)
{
    uint8_t *other = swap->config->buf + swap->config->buf_size / 2;
    int rc = ferry_flash_read(a, a_offset, swap->config->buf, len);

    if (rc == FERRY_OK) {
        rc = ferry_flash_read(b, b_offset, other, len);
    }
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    return memcmp(swap->config->buf, other, len) == 0;
}

int ferry_boot_same(const struct ferry_boot_swap *swap, const struct ferry_flash *a,
                    uint32_t a_offset, const struct ferry_flash *b, uint32_t b_offset, uint32_t len)
{
    size_t part = FIRST_LOOK;
    int rc = 1;

    for (uint32_t at = 0; rc == 1 && at < len; at += (uint32_t)part) {
        part = at == 0 ? FIRST_LOOK : swap->config->buf_size / 2;
        part = part < len - at ? part : len - at;
        rc = same_part(swap, a, a_offset + at, b, b_offset + at, part);
    }
    return rc;
}

/* Erase and copy, sector by sector of the target. An erase has had its tries: *again tells whether
 * the copy is worth another. */
static int copy(const struct ferry_boot_swap *swap, const struct ferry_flash *from,
                uint32_t from_offset, const struct ferry_flash *to, uint32_t to_offset,
                uint32_t len, bool *again)
{
    const struct ferry_boot_config *config = swap->config;
    int rc = FERRY_OK;

    for (uint32_t at = 0; rc == FERRY_OK && at < len;) {
        struct ferry_flash_sector sector = {0, 0, 0};

        *again = false;
        rc = ferry_flash_sector_at(to, to_offset + at, &sector);
        if (rc == FERRY_OK) {
            rc = ferry_boot_erase(swap, to, sector.offset, sector.size);
        }
        if (rc == FERRY_OK) {
            uint32_t part = ferry_min32(sector.offset + sector.size - to_offset - at, len - at);

            *again = true;
            rc = ferry_flash_copy(from, from_offset + at, to, to_offset + at, part, config->buf,
                                  config->buf_size);
            at += part;
        }
        rc = ferry_boot_noted(swap, to, sector.offset, rc);
    }
    return rc;
}

int ferry_boot_move(const struct ferry_boot_swap *swap, const struct ferry_flash *from,
                    uint32_t from_offset, const struct ferry_flash *to, uint32_t to_offset,
                    uint32_t len)
{
    struct ferry_boot_swap careful = *swap;
    bool again = true;
    int rc = swap->unsure ? 0 : 1;

    for (int look = 0; rc == 1 && look < swap->looks; look++) {
        rc = ferry_boot_same(swap, from, from_offset, to, to_offset, len);
    }
    if (rc == FERRY_E_POWER || rc == 1) {
        return rc == 1 ? FERRY_OK : rc;
    }
    len = ferry_align_up(len, to->write_size);
    rc = FERRY_E_FLASH;
    for (int i = 0; i < TRIES && again && rc != FERRY_OK && rc != FERRY_E_POWER; i++) {
        rc = copy(&careful, from, from_offset, to, to_offset, len, &again);
        ferry_boot_feed(swap);
        careful.unsure = true; /* what reads as erased may not take a program */
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Another bootloader into the slot that does not run. The slot counts by the magic of fw_info: its
 * write unit is written when everything else is there and compared, so that half a copy is nothing
 * to the first stage, whatever a cut left of it. */
#include "ferry/first.h"

#include <string.h>

/* An installation that fails is tried so often. */
#define TRIES 3

struct install {
    const struct ferry_first *first;
    const struct ferry_flash *image;
    const struct ferry_first_place *slot;
    uint32_t size;  /* of the image */
    uint32_t unit;  /* offset of the unit that counts */
    bool with_unit; /* it is to be written and compared, too */
};

static const struct ferry_first_place *inactive(const struct ferry_first *first)
{
    return &first->slots[first->active == 0 ? 1 : 0];
}

static void feed(const struct ferry_first *first)
{
    if (first->feed != NULL) {
        first->feed(first->context);
    }
}

/* ---- Whether it may be installed ---------------------------------------------------------------
 */

/* Whether the first stage would prefer it to the one that runs. */
static int check_preferred(const struct ferry_first *first, const struct ferry_first_info *info)
{
    struct ferry_first_info running;
    int rc = ferry_first_info_find(&first->slots[first->active], first->kind, &running);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_MAGIC ? FERRY_E_STATE : rc;
    }
    return info->version > running.version ||
                   (info->version == running.version && first->active == 1)
               ? FERRY_OK
               : FERRY_E_OLD_STAGE;
}

int ferry_first_judge(const struct ferry_first *first, const struct ferry_first_place *place,
                      struct ferry_first_stage *stage, struct ferry_verdict *verdict)
{
    struct ferry_first_provision provision;
    struct ferry_first_place staged = *place;
    int rc = ferry_first_provision_read(first->provision, first->kind, &provision);

    memset(stage, 0, sizeof(*stage));
    *verdict = (struct ferry_verdict){0, 0};
    staged.address = inactive(first)->address;
    staged.size = ferry_min32(staged.size, inactive(first)->size);
    if (rc == FERRY_OK) {
        rc = ferry_first_verify(first, &provision, &staged, stage, verdict);
    }
    if (rc == FERRY_OK) {
        rc = check_preferred(first, &stage->info);
    }
    return rc != FERRY_OK ? rc : ferry_first_has_room(&provision, stage->info.version);
}

/* ---- Copying ------------------------------------------------------------------------------------
 */

/* Erase the whole slot, the sectors that make the old firmware count first; also those that read as
 * erased, for a cut may have left them so. */
static int erase(const struct install *install)
{
    const struct ferry_flash *flash = install->slot->flash;
    int rc = FERRY_OK;

    for (uint32_t at = 0; at < flash->size && rc == FERRY_OK;) {
        struct ferry_flash_sector sector = {0, 0, 0};

        rc = ferry_flash_sector_at(flash, at, &sector);
        if (rc == FERRY_OK) {
            rc = ferry_flash_erase(flash, sector.offset, sector.size);
        }
        feed(install->first);
        at = sector.offset + sector.size;
    }
    return rc;
}

/* The bytes of the image from an offset on, behind its end the erased value, into the workspace;
 * the unit that counts erased unless it is its turn. */
static int read_part(const struct install *install, uint32_t at, uint32_t len)
{
    uint8_t *buf = install->first->buf;
    uint32_t there = at < install->size ? ferry_min32(install->size - at, len) : 0;
    uint32_t unit_len = install->slot->flash->write_size;

    memset(buf, install->slot->flash->erased_value, len);
    int rc = ferry_flash_read(install->image, at, buf, there);
    if (rc == FERRY_OK && !install->with_unit && install->unit >= at && install->unit - at < len) {
        memset(buf + (install->unit - at), install->slot->flash->erased_value, unit_len);
    }
    return rc;
}

/* Bytes of one turn: whole units, half the workspace. */
static uint32_t turn(const struct install *install)
{
    return (uint32_t)(install->first->buf_size / 2) / FERRY_FLASH_WRITE_MAX * FERRY_FLASH_WRITE_MAX;
}

static uint32_t padded_size(const struct install *install)
{
    return ferry_align_up(install->size, install->slot->flash->write_size);
}

static int copy(const struct install *install)
{
    const struct ferry_flash *flash = install->slot->flash;
    uint32_t end = padded_size(install);
    int rc = FERRY_OK;

    for (uint32_t at = 0; at < end && rc == FERRY_OK;) {
        uint32_t len = ferry_min32(end - at, turn(install));
        uint32_t before =
            install->unit >= at && install->unit - at < len ? install->unit - at : len;
        uint32_t behind = before < len ? before + flash->write_size : len;

        rc = read_part(install, at, len);
        if (rc == FERRY_OK) {
            rc = ferry_flash_program(flash, at, install->first->buf, before);
        }
        if (rc == FERRY_OK) {
            rc =
                ferry_flash_program(flash, at + behind, install->first->buf + behind, len - behind);
        }
        feed(install->first);
        at += len;
    }
    return rc;
}

/* Whether the slot holds what it should. Returns FERRY_OK, FERRY_E_MISMATCH or a flash error. */
static int compare(const struct install *install)
{
    uint32_t end = padded_size(install);
    int rc = FERRY_OK;

    for (uint32_t at = 0; at < end && rc == FERRY_OK;) {
        uint32_t len = ferry_min32(end - at, turn(install));
        uint8_t *other = install->first->buf + install->first->buf_size / 2;

        rc = read_part(install, at, len);
        if (rc == FERRY_OK) {
            rc = ferry_flash_read(install->slot->flash, at, other, len);
        }
        if (rc == FERRY_OK && memcmp(install->first->buf, other, len) != 0) {
            rc = FERRY_E_MISMATCH;
        }
        feed(install->first);
        at += len;
    }
    return rc;
}

static int write_unit(struct install *install)
{
    uint32_t len = install->slot->flash->write_size;

    install->with_unit = true;
    int rc = read_part(install, install->unit, len);
    return rc != FERRY_OK
               ? rc
               : ferry_flash_program(install->slot->flash, install->unit, install->first->buf, len);
}

/* ---- The whole ---------------------------------------------------------------------------------
 */

static int verify(const struct install *install)
{
    struct ferry_first_provision provision;
    struct ferry_first_stage stage;
    struct ferry_verdict verdict;
    const struct ferry_first *first = install->first;
    int rc = ferry_first_provision_read(first->provision, first->kind, &provision);

    if (rc == FERRY_OK) {
        rc = ferry_first_verify(first, &provision, install->slot, &stage, &verdict);
    }
    return rc == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_SIGNATURE : rc;
}

static int install_once(struct install *install)
{
    install->with_unit = false;
    int rc = erase(install);
    if (rc == FERRY_OK) {
        rc = copy(install);
    }
    if (rc == FERRY_OK) {
        rc = compare(install);
    }
    if (rc == FERRY_OK) {
        rc = write_unit(install);
    }
    if (rc == FERRY_OK) {
        rc = compare(install);
    }
    return rc == FERRY_OK ? verify(install) : rc;
}

int ferry_first_discard(const struct ferry_first *first)
{
    const struct install install = {.first = first, .slot = inactive(first)};
    int rc = FERRY_E_FLASH;

    for (int i = 0; i < TRIES && rc == FERRY_E_FLASH; i++) {
        rc = erase(&install);
    }
    return rc;
}

int ferry_first_install(const struct ferry_first *first, const struct ferry_flash *image,
                        uint32_t size)
{
    struct install install = {
        .first = first, .image = image, .slot = inactive(first), .size = size};
    struct ferry_first_place staged = *install.slot;
    struct ferry_first_info info;
    int failed = FERRY_E_FLASH;

    if (size > install.slot->flash->size || size > image->size || size <= staged.offset) {
        return FERRY_E_TOO_LARGE;
    }
    staged.flash = image;
    staged.size = size - staged.offset;
    int rc = ferry_first_info_find(&staged, first->kind, &info);
    if (rc != FERRY_OK) {
        return rc;
    }
    install.unit = staged.offset + info.offset;
    install.unit -= install.unit % install.slot->flash->write_size;
    for (int i = 0; i < TRIES; i++) {
        failed = install_once(&install);
        if (failed == FERRY_OK || failed == FERRY_E_POWER) {
            return failed;
        }
    }
    rc = ferry_first_discard(first);
    return rc == FERRY_E_POWER ? rc : failed;
}

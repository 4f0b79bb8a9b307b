/* SPDX-License-Identifier: Apache-2.0 */
/* Images that run from RAM: what was verified there is what runs; the slot is not asked again. */
#include "core/boot/select.h"

#include <string.h>

bool ferry_boot_ram_is_sound(const struct ferry_boot_ram *ram)
{
    uint32_t end = 0;

    return ram != NULL && ram->memory != NULL && ram->size > 0 &&
           ferry_add32(ram->address, ram->size - 1, &end);
}

/* Where in ram an image goes. Returns FERRY_OK, FERRY_E_ADDRESS or FERRY_E_TOO_LARGE. */
static int place(const struct ferry_boot_ram *ram, const struct ferry_image_info *info,
                 uint32_t *offset)
{
    const struct ferry_image_header *header = &info->header;

    if ((header->flags & FERRY_IMAGE_RAM_LOAD) == 0 || header->load_address < ram->address ||
        header->load_address - ram->address >= ram->size) {
        return FERRY_E_ADDRESS;
    }
    *offset = header->load_address - ram->address;
    return info->size > ram->size - *offset ? FERRY_E_TOO_LARGE : FERRY_OK;
}

static int load(const struct ferry_boot_swap *swap, const struct ferry_flash *slot, uint8_t *to,
                uint32_t size)
{
    uint32_t chunk = (uint32_t)swap->config->buf_size;
    int rc = FERRY_OK;

    for (uint32_t at = 0; rc == FERRY_OK && at < size; at += chunk) {
        rc = ferry_flash_read(slot, at, to + at, ferry_min32(chunk, size - at));
        ferry_boot_feed(swap);
    }
    return rc;
}

/* Verify what was loaded. Its header is read anew: it must still be the one it was placed by. */
static int verify(const struct ferry_boot_swap *swap, const uint8_t *loaded, uint32_t slot,
                  bool asked, const struct ferry_image_info *expected,
                  struct ferry_image_info *info, struct ferry_verdict *verdict)
{
    struct ferry_flash_ram rom;
    int rc = ferry_flash_rom_init(&rom, loaded, expected->size);

    if (rc == FERRY_OK) {
        rc = ferry_boot_verify(swap, &rom.flash, info, verdict);
    }
    if (rc == FERRY_OK &&
        (info->header.load_address != expected->header.load_address ||
         info->header.flags != expected->header.flags || info->size != expected->size)) {
        rc = FERRY_E_ADDRESS;
    }
    return rc == FERRY_OK ? ferry_boot_admit(swap, &rom.flash, info, slot, asked) : rc;
}

int ferry_boot_examine_ram(const struct ferry_boot_swap *swap, uint32_t slot, bool asked,
                           struct ferry_image_info *info, struct ferry_verdict *verdict)
{
    const struct ferry_boot_ram *ram = swap->image->ram;
    const struct ferry_flash *flash = ferry_slots_slot(swap->slots, slot);
    struct ferry_image_info found;
    uint32_t offset = 0;
    int rc = ferry_image_inspect(flash, &found);

    memset(info, 0, sizeof(*info));
    *verdict = (struct ferry_verdict){0, 0};
    if (rc == FERRY_OK && found.size > ferry_in_place_room(swap->slots, slot)) {
        rc = FERRY_E_TOO_LARGE;
    }
    if (rc == FERRY_OK) {
        rc = place(ram, &found, &offset);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    if (swap->views != NULL) {
        rc = swap->config->encryption->read(swap, flash, &found.header, &flash);
    }
    if (rc == FERRY_OK) {
        rc = load(swap, flash, ram->memory + offset, found.size);
    }
    if (rc == FERRY_OK) {
        rc = verify(swap, ram->memory + offset, slot, asked, &found, info, verdict);
    }
    /* Nothing unverified is left where code runs. */
    if (rc != FERRY_OK) {
        memset(ram->memory + offset, 0, found.size);
        *verdict = (struct ferry_verdict){0, 0};
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a firmware says of itself to the first stage, and what its signer said. [nsib-format.md] */
#include "ferry/first.h"

#include <string.h>

#define MAGIC_COMMON     0x281ee6deU
#define MAGIC_INFO       0x8fcebb4cU
#define MAGIC_VALIDATION 0x86518483U

/* The validation info begins at most so far behind the firmware. */
#define SEARCH 4

/* A word that was cut does not read the same so often in a row. */
#define LOOKS 24

const uint32_t ferry_first_offsets[FERRY_FIRST_OFFSETS] = {0, 0x200, 0x400, 0x800, 0x1000};

const struct ferry_first_kind ferry_first_nrf52 = {.name = "nrf52",
                                                   .info = 0x00003402,
                                                   .info_mask = 0xff00ffff,
                                                   .validation = 78850,
                                                   .word = 2,
                                                   .vectors = true};
const struct ferry_first_kind ferry_first_nrf53 = {.name = "nrf53",
                                                   .info = 0x00003502,
                                                   .info_mask = 0xff00ffff,
                                                   .validation = 79106,
                                                   .word = 2,
                                                   .vectors = true};
const struct ferry_first_kind ferry_first_vchip = {
    .name = "vchip", .info = 0x00003402, .info_mask = 0xff00ffff, .validation = 78850, .word = 2};

/* ---- Bytes ---------------------------------------------------------------------------------- */

static bool has_magic(const uint8_t *raw, uint32_t second, uint32_t third, uint32_t mask)
{
    return ferry_load_le32(raw) == MAGIC_COMMON && ferry_load_le32(raw + 4) == second &&
           (ferry_load_le32(raw + 8) & mask) == (third & mask);
}

static void write_magic(uint8_t *raw, uint32_t second, uint32_t third)
{
    ferry_store_le32(raw, MAGIC_COMMON);
    ferry_store_le32(raw + 4, second);
    ferry_store_le32(raw + 8, third);
}

int ferry_first_info_parse(const uint8_t raw[FERRY_FIRST_INFO_SIZE],
                           const struct ferry_first_kind *kind, struct ferry_first_info *info)
{
    if (!has_magic(raw, MAGIC_INFO, kind->info, kind->info_mask)) {
        return FERRY_E_MAGIC;
    }
    info->total_size = ferry_load_le32(raw + 12);
    info->size = ferry_load_le32(raw + 16);
    info->version = ferry_load_le32(raw + 20);
    info->address = ferry_load_le32(raw + 24);
    info->boot_address = ferry_load_le32(raw + 28);
    info->valid = ferry_load_le32(raw + 32);
    info->ext_api_num = ferry_load_le32(raw + 52);
    info->ext_api_request_num = ferry_load_le32(raw + 56);
    return info->total_size >= FERRY_FIRST_INFO_SIZE ? FERRY_OK : FERRY_E_FORMAT;
}

void ferry_first_info_write(const struct ferry_first_info *info,
                            const struct ferry_first_kind *kind, uint8_t raw[FERRY_FIRST_INFO_SIZE])
{
    memset(raw, 0, FERRY_FIRST_INFO_SIZE);
    write_magic(raw, MAGIC_INFO, kind->info);
    ferry_store_le32(raw + 12, info->total_size);
    ferry_store_le32(raw + 16, info->size);
    ferry_store_le32(raw + 20, info->version);
    ferry_store_le32(raw + 24, info->address);
    ferry_store_le32(raw + 28, info->boot_address);
    ferry_store_le32(raw + 32, info->valid);
    ferry_store_le32(raw + 52, info->ext_api_num);
    ferry_store_le32(raw + 56, info->ext_api_request_num);
}

int ferry_first_validation_parse(const uint8_t raw[FERRY_FIRST_VALIDATION_SIZE],
                                 const struct ferry_first_kind *kind,
                                 struct ferry_first_validation *validation)
{
    if (!has_magic(raw, MAGIC_VALIDATION, kind->validation, UINT32_MAX)) {
        return FERRY_E_MAGIC;
    }
    validation->address = ferry_load_le32(raw + 12);
    memcpy(validation->hash, raw + 16, sizeof(validation->hash));
    memcpy(validation->key, raw + 48, sizeof(validation->key));
    memcpy(validation->signature, raw + 112, sizeof(validation->signature));
    return FERRY_OK;
}

void ferry_first_validation_write(const struct ferry_first_validation *validation,
                                  const struct ferry_first_kind *kind,
                                  uint8_t raw[FERRY_FIRST_VALIDATION_SIZE])
{
    write_magic(raw, MAGIC_VALIDATION, kind->validation);
    ferry_store_le32(raw + 12, validation->address);
    memcpy(raw + 16, validation->hash, sizeof(validation->hash));
    memcpy(raw + 48, validation->key, sizeof(validation->key));
    memcpy(raw + 112, validation->signature, sizeof(validation->signature));
}

/* ---- In flash ---------------------------------------------------------------------------------
 */

/* Whether a range reads the same each time. Returns FERRY_OK, FERRY_E_FLASH or another error. */
static int read_steady(const struct ferry_first_place *place, uint32_t at, uint8_t *raw, size_t len)
{
    uint8_t again[FERRY_FIRST_INFO_SIZE];
    int rc = ferry_flash_read(place->flash, place->offset + at, raw, len);

    for (int look = 1; rc == FERRY_OK && look < LOOKS; look++) {
        rc = ferry_flash_read(place->flash, place->offset + at, again, len);
        if (rc == FERRY_OK && memcmp(raw, again, len) != 0) {
            rc = FERRY_E_FLASH;
        }
    }
    return rc;
}

int ferry_first_info_find(const struct ferry_first_place *place,
                          const struct ferry_first_kind *kind, struct ferry_first_info *info)
{
    uint8_t raw[FERRY_FIRST_INFO_SIZE];
    int found = FERRY_E_MAGIC;

    memset(info, 0, sizeof(*info));
    for (size_t i = 0; i < FERRY_FIRST_OFFSETS; i++) {
        uint32_t at = ferry_first_offsets[i];

        if (!ferry_inside(at, sizeof(raw), place->size)) {
            break;
        }
        int rc = ferry_flash_read(place->flash, place->offset + at, raw, sizeof(raw));
        if (rc == FERRY_OK && has_magic(raw, MAGIC_INFO, kind->info, kind->info_mask)) {
            rc = read_steady(place, at, raw, sizeof(raw));
            info->offset = at;
            return rc != FERRY_OK ? rc : ferry_first_info_parse(raw, kind, info);
        }
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        found = rc != FERRY_OK ? rc : found;
    }
    return found;
}

int ferry_first_validation_find(const struct ferry_first_place *place,
                                const struct ferry_first_kind *kind,
                                const struct ferry_first_info *info,
                                struct ferry_first_validation *validation)
{
    uint8_t raw[FERRY_FIRST_VALIDATION_SIZE + SEARCH];
    uint32_t room = info->size <= place->size ? place->size - info->size : 0;

    if (room < FERRY_FIRST_VALIDATION_SIZE) {
        return FERRY_E_IMAGE_SIZE;
    }
    room = ferry_min32(room, sizeof(raw));
    int rc = ferry_flash_read(place->flash, place->offset + info->size, raw, room);
    for (uint32_t i = 0; rc == FERRY_OK && i <= room - FERRY_FIRST_VALIDATION_SIZE; i++) {
        if (ferry_first_validation_parse(raw + i, kind, validation) == FERRY_OK) {
            validation->offset = info->size + i;
            return FERRY_OK;
        }
    }
    return rc != FERRY_OK ? rc : FERRY_E_NO_SIGNATURE;
}

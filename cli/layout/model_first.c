/* SPDX-License-Identifier: Apache-2.0 */
#include "model_first.h"

#include "cli/first/b0.h"
#include "layout/layout_slots.h"

#include <string.h>

static const struct cli cli; /* for messages of OpenSSL's failures */

static int provide(struct model_first *first)
{
    const uint32_t addresses[2] = {first->first.slots[0].address, first->first.slots[1].address};
    const struct ferry_flash *flash = first->first.provision;
    uint8_t page[512];
    uint8_t point[64];
    uint8_t hash[FERRY_FIRST_KEY_HASH];

    if (!b0_public_key(&first->key, point, hash)) {
        return FERRY_E_CONFIG;
    }
    memset(page, flash->erased_value, sizeof page);
    int len =
        ferry_first_provision_write(first->first.kind, addresses, hash, 1, 0, page, sizeof page);
    return len < 0 ? len
                   : ferry_flash_program(flash, 0, page,
                                         ferry_align_up((uint32_t)len, flash->write_size));
}

int model_first_open(struct model_first *first, const struct layout *layout,
                     const struct ferry_flash *const slots[2], const struct ferry_flash *provision,
                     uint8_t *buf, size_t buf_size)
{
    *first = (struct model_first){
        .first = {
            .kind = &ferry_first_vchip, .provision = provision, .buf = buf, .buf_size = buf_size}};
    for (size_t i = 0; i < 2; i++) {
        if (slots[i]->size <= FERRY_VCHIP_FIRST_HEADER) {
            return FERRY_E_LAYOUT;
        }
        first->first.slots[i] = (struct ferry_first_place){
            .flash = slots[i],
            .offset = FERRY_VCHIP_FIRST_HEADER,
            .size = slots[i]->size - FERRY_VCHIP_FIRST_HEADER,
            .address = layout_address(layout, layout->first_slots[i]) + FERRY_VCHIP_FIRST_HEADER,
        };
    }
    if (key_generate(&cli, key_type_find("ecdsa-p256"), &first->key) != CLI_OK) {
        return FERRY_E_SIGNATURE;
    }
    return provide(first);
}

void model_first_close(struct model_first *first)
{
    if (first->key.pkey != NULL) {
        key_free(&first->key);
    }
}

int model_first_fill(const struct model_first *first, uint32_t version, uint8_t *bytes, size_t len)
{
    const struct b0_build build = {
        .kind = first->first.kind, .key = &first->key, .has_version = true, .version = version};
    const uint32_t address = first->first.slots[first->first.active == 0 ? 1 : 0].address;
    const struct ferry_first_info info = {.total_size = FERRY_FIRST_INFO_SIZE,
                                          .version = version,
                                          .address = address,
                                          .boot_address = address + FERRY_FIRST_INFO_SIZE};
    struct ferry_first_info made;
    struct cli_buffer out;

    if (len < MODEL_FIRST_MIN) {
        return FERRY_E_IMAGE_SIZE;
    }
    ferry_first_info_write(&info, build.kind, bytes);
    const struct cli_buffer firmware = {bytes, (len - FERRY_FIRST_VALIDATION_SIZE) / 4 * 4};
    if (b0_build(&cli, &build, "a bootloader", &firmware, &out, &made) != CLI_OK) {
        return FERRY_E_SIGNATURE;
    }
    memcpy(bytes, out.data, out.len);
    cli_buffer_free(&out);
    return FERRY_OK;
}

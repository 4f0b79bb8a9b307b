/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a swap in the trailers: status units, the request of the bootloader itself, the
 * begin and the end. [mcuboot-format.md §2.6 "Status entries", "Begin of swap", "End of swap"] */
#include "core/boot/swap.h"

#include <string.h>

/* ---- Status units ------------------------------------------------------------------- */

static uint32_t unit_size(const struct ferry_slots *slots)
{
    return ferry_max32(slots->primary->write_size, slots->secondary->write_size);
}

static uint32_t unit_offset(const struct ferry_boot_swap *swap, uint32_t unit)
{
    const struct ferry_slots *slots = swap->slots;

    return slots->primary->size - swap->layout.size + unit * unit_size(slots);
}

int ferry_boot_status_is_written(const struct ferry_boot_swap *swap, uint32_t unit)
{
    const struct ferry_flash *primary = swap->slots->primary;
    int rc = ferry_flash_is_erased(primary, unit_offset(swap, unit), primary->write_size);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc == 1 ? 0 : 1;
}

int ferry_boot_status_write(const struct ferry_boot_swap *swap, uint32_t unit, uint8_t state)
{
    return ferry_flash_program_padded(swap->slots->primary, unit_offset(swap, unit), &state, 1);
}

/* ---- swap_size -------------------------------------------------------------------------- */

int ferry_boot_read_size(const struct ferry_boot_swap *swap, uint32_t *size)
{
    const struct ferry_flash *primary = swap->slots->primary;
    uint8_t raw[4];
    int rc = ferry_flash_read(primary, primary->size - swap->layout.swap_size, raw, sizeof(raw));

    if (rc == FERRY_OK) {
        *size = ferry_load_le32(raw);
    }
    return rc;
}

/* ---- Begin and end ------------------------------------------------------------------------ */

/* Fill an erased trailer: everything else first, then the magic that makes it count. */
static int write_fields(const struct ferry_boot_swap *swap, const struct ferry_flash *slot)
{
    uint32_t align = swap->slots->max_align;
    uint8_t size[4];
    int rc = ferry_trailer_write_swap_info(slot, align, (uint8_t)swap->image, swap->type);

    if (rc == FERRY_OK && swap->type != FERRY_SWAP_TEST) {
        rc = ferry_trailer_write_image_ok(slot, align);
    }
    if (rc == FERRY_OK) {
        ferry_store_le32(size, swap->size);
        rc = ferry_flash_program_padded(slot, slot->size - swap->layout.swap_size, size,
                                        sizeof(size));
    }
    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_magic(slot, align);
    }
    return rc;
}

int ferry_boot_ask(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->slots->secondary;
    int rc = ferry_boot_erase_trailer(swap, secondary);

    return rc != FERRY_OK ? rc : write_fields(swap, secondary);
}

int ferry_boot_status_begin(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *primary = swap->slots->primary;
    int rc = ferry_boot_erase_trailer(swap, primary);

    return rc != FERRY_OK ? rc : write_fields(swap, primary);
}

int ferry_boot_status_end(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *primary = swap->slots->primary;
    uint32_t align = swap->slots->max_align;
    struct ferry_trailer trailer;
    int rc = ferry_boot_read_primary_trailer(swap, &trailer);

    if (rc == FERRY_OK && swap->type != FERRY_SWAP_TEST && trailer.image_ok == FERRY_UNSET) {
        rc = ferry_trailer_write_image_ok(primary, align);
    }
    if (rc == FERRY_OK && trailer.copy_done == FERRY_UNSET) {
        rc = ferry_trailer_write_copy_done(primary, align);
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the board's layout means to the bootloader. */
#include "board.h"

static const struct ferry_boot_strategy *const strategies[] = {
    &ferry_boot_swap_scratch,      &ferry_boot_swap_move,   &ferry_boot_swap_offset,
    &ferry_boot_swap_shift,        &ferry_boot_overwrite,   &ferry_boot_direct_xip,
    &ferry_boot_direct_xip_revert, &ferry_boot_ram_load,    &ferry_boot_ram_load_revert,
    &ferry_boot_single_slot,       &ferry_boot_first_stage,
};

static const struct ferry_boot_strategy *find_strategy(const struct ferry_strategy_traits *traits)
{
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        if (strategies[i]->traits == traits) {
            return strategies[i];
        }
    }
    return NULL;
}

static int read_image(struct board *board, uint32_t i, const char **why)
{
    const struct ferry_slots *slots = &board->images.slots[i];
    const struct ferry_boot_strategy *strategy = find_strategy(slots->strategy);

    if (strategy == NULL) {
        *why = "a strategy that this bootloader does not have";
        return FERRY_E_CONFIG;
    }
    board->boot_images[i] = (struct ferry_boot_image){
        .slots = *slots,
        .strategy = strategy,
        .ram = board->ram.size > 0 ? &board->ram : NULL,
        .addresses = {board->images.addresses[i][0], board->images.addresses[i][1]},
        .first = strategy == &ferry_boot_first_stage ? &board->first.first : NULL,
    };
    return FERRY_OK;
}

int board_read(struct board *board, const struct vchip *chip, const char **why)
{
    int result = images_read(&board->images, chip, why);

    if (result == FERRY_OK) {
        *why = "a first stage that is no part of the flash";
        result = first_read(&board->first, chip);
    }
    board->ram = (struct ferry_boot_ram){chip->ram, chip->start.ram_address, chip->start.ram_size};
    for (uint32_t i = 0; result == FERRY_OK && i < chip->start.image_count; i++) {
        result = read_image(board, i, why);
    }
    keys_read(&board->keys, chip,
              board->images.store_result == FERRY_OK ? &board->images.store : NULL);
    return result;
}

const struct ferry_boot_set *board_set(const struct board *board, const struct vchip *chip)
{
    if ((chip->start.flags & FERRY_VCHIP_SET) != 0) {
        return &ferry_boot_as_one;
    }
    /* Strategies that choose a slot know no dependencies; the bootloader's own image has none. */
    uint32_t count = 0;
    for (uint32_t i = 0; i < chip->start.image_count; i++) {
        const struct ferry_boot_image *image = &board->boot_images[i];
        if (image->first == NULL && image->strategy->plan == NULL) {
            return NULL;
        }
        count += image->first == NULL ? 1 : 0;
    }
    return count > 1 ? &ferry_boot_dependent : NULL;
}

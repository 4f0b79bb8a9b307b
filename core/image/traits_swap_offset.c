/* SPDX-License-Identifier: Apache-2.0 */
/* swap-offset, as everyone must know it: images are uploaded one sector up in the secondary; the
 * old image ends at its beginning. [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/equal_sectors.h"
#include "core/image/journal.h"

const struct ferry_strategy_traits ferry_traits_swap_offset = {
    .name = "swap-offset",
    .mode = FERRY_MODE_SWAP_OFFSET,
    .sector_states = 2,
    .slot_count = 2,
    .upload_sector = 1,
    .old_sector = 0,
    .erases = 2,
    .tlv_sizes = true,
    .reverts = true,
    .keeps_old = true,
    .check = ferry_equal_sectors_check_longer_secondary,
    .max_image = ferry_equal_sectors_max_shifted,
    .read_end = ferry_journal_read_end};

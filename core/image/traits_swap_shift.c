/* SPDX-License-Identifier: Apache-2.0 */
/* swap-shift, as everyone must know it: images are uploaded to the beginning of the secondary; the
 * old image ends one sector up. A header at sector 0 means "uploaded", one at sector 1 "old".
 * To everyone outside it is swap-move: uploads look the same. */
#include "core/image/equal_sectors.h"
#include "core/image/journal.h"

const struct ferry_strategy_traits ferry_traits_swap_shift = {
    .name = "swap-shift",
    .mode = FERRY_MODE_SWAP_MOVE,
    .sector_states = 2,
    .slot_count = 2,
    .upload_sector = 0,
    .old_sector = 1,
    .erases = 2,
    .reverts = true,
    .keeps_old = true,
    .check = ferry_equal_sectors_check_longer_secondary,
    .max_image = ferry_equal_sectors_max_shifted,
    .read_end = ferry_journal_read_end};

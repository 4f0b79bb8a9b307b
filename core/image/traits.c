/* SPDX-License-Identifier: Apache-2.0 */
/* Strategies by name. Whoever calls this links them all; a bootloader names its own instead. */
#include "ferry/slots.h"

static const struct ferry_strategy_traits *const all[] = {
    &ferry_traits_swap_move,         &ferry_traits_swap_scratch, &ferry_traits_swap_offset,
    &ferry_traits_swap_shift,        &ferry_traits_overwrite,    &ferry_traits_direct_xip,
    &ferry_traits_direct_xip_revert, &ferry_traits_ram_load,     &ferry_traits_ram_load_revert,
    &ferry_traits_single_slot,       &ferry_traits_first_stage};

static bool equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

const struct ferry_strategy_traits *ferry_strategy_traits_find(const char *name)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (equal(all[i]->name, name)) {
            return all[i];
        }
    }
    return NULL;
}

const struct ferry_strategy_traits *ferry_strategy_traits_at(size_t i)
{
    return i < sizeof all / sizeof all[0] ? all[i] : NULL;
}

const struct ferry_slots_state *ferry_slots_state_of(const struct ferry_strategy_traits *traits)
{
    if (traits->slot_count == 1) {
        return &ferry_slots_single;
    }
    if (traits == &ferry_traits_first_stage) {
        return &ferry_slots_first_stage;
    }
    return traits->in_place ? &ferry_slots_in_place : &ferry_slots_by_swap;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The areas of the flash inside the chip. */
#include "port/chip/chip.h"
#include "port/nrf52/map.h"
#include "port/nrf5/nvmc.h"

const struct ferry_flash chip_primary = NVMC_AREA(MAP_PRIMARY, MAP_SLOT_SIZE);
const struct ferry_flash chip_secondary = NVMC_AREA(MAP_SECONDARY, MAP_SLOT_SIZE);
const uintptr_t chip_primary_address = MAP_PRIMARY;

/* SPDX-License-Identifier: Apache-2.0 */
/* The areas of the flash inside the chip. */
#include "port/chip/chip.h"
#include "port/nrf51/map.h"
#include "port/nrf5/nvmc.h"

const struct ferry_flash chip_primary = NVMC_AREA(MAP_PRIMARY, MAP_SLOT_SIZE);
const struct ferry_flash chip_secondary = NVMC_AREA(MAP_SECONDARY, MAP_SLOT_SIZE);
const uintptr_t chip_primary_address = MAP_PRIMARY;

#ifdef MAP_WITH_FIRST_STAGE
const struct ferry_flash chip_stages[2] = {NVMC_AREA(MAP_S0, MAP_STAGE_SIZE),
                                           NVMC_AREA(MAP_S1, MAP_STAGE_SIZE)};
const uint32_t chip_stage_addresses[2] = {MAP_S0, MAP_S1};
const struct ferry_flash chip_staging = NVMC_AREA(MAP_STAGING, MAP_STAGE_SIZE);
const struct ferry_flash chip_provision = NVMC_AREA(MAP_PROVISION, MAP_PAGE);
#endif

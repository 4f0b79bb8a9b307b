/* SPDX-License-Identifier: Apache-2.0 */
/* The flash inside nRF51 and nRF52, by its controller: words of 4 bytes, pages of one size. Its
 * registers are the same in both. [nRF51 Series Reference Manual 3.0 and nRF52840 Product
 * Specification 1.1, NVMC] */
#ifndef PORT_NRF5_NVMC_H
#define PORT_NRF5_NVMC_H

#include "ferry/flash.h"

extern const struct ferry_flash_ops nvmc_ops;

/* A struct ferry_flash: bytes from an address on, whole pages of MAP_PAGE bytes. */
#define NVMC_AREA(address, bytes)                                                                  \
    {                                                                                              \
        .ops = &nvmc_ops, .context = (void *)(address), .size = (bytes), .write_size = 4,          \
        .erased_value = 0xff, .run_count = 1, .runs = {                                            \
            {(bytes) / MAP_PAGE, MAP_PAGE}                                                         \
        }                                                                                          \
    }

#endif

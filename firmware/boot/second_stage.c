/* SPDX-License-Identifier: Apache-2.0 */
/* This bootloader as the second stage of an immutable first one: what it says of itself, at a fixed
 * place of its file. Size, version and addresses are filled in by `ferry b0 sign`. */
#include "ferry/first.h"

#include <stdint.h>

struct fw_info {
    uint32_t magic[3];
    uint32_t total_size, size, version, address, boot_address, valid;
    uint32_t reserved[4];
    uint32_t ext_api_num, ext_api_request_num;
};

_Static_assert(sizeof(struct fw_info) == FERRY_FIRST_INFO_SIZE, "as in nsib-format.md");

extern const struct fw_info second_stage_info;

__attribute__((used, section(".fw_info"))) const struct fw_info second_stage_info = {
    .magic = {0x281ee6de, 0x8fcebb4c, 0x00003402},
    .total_size = sizeof(struct fw_info),
    .valid = FERRY_FIRST_VALID,
};

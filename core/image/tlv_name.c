/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the TLV types, apart from the walk so that a bootloader does not carry them. */
#include "ferry/image.h"

#define TYPE_ANY 0xffff

static const struct {
    uint16_t type;
    const char *name;
} names[] = {
#define FERRY_TLV_NAME(name, type, area, shortest, longest) {type, #name},
    FERRY_TLVS(FERRY_TLV_NAME)
#undef FERRY_TLV_NAME
};

const char *ferry_tlv_name(uint16_t type)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return type >= FERRY_TLV_VENDOR_FIRST && type != TYPE_ANY ? "VENDOR" : "UNKNOWN";
}

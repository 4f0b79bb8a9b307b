/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/common/print.h"

#include "port/chip/chip.h"

void print(const char *words)
{
    chip_write(CHIP_WIRE_HOST, (const uint8_t *)words, ferry_text_length(words));
}

void print_number(int32_t number)
{
    char digits[12];
    uint32_t size = number < 0 ? 0U - (uint32_t)number : (uint32_t)number;

    digits[ferry_text_decimal(digits, size, 1)] = '\0';
    print(number < 0 ? "-" : "");
    print(digits);
}

void print_version(const struct ferry_version *version)
{
    char text[FERRY_VERSION_TEXT_MAX];

    (void)ferry_version_text(version, text);
    print(text);
}

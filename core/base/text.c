/* SPDX-License-Identifier: Apache-2.0 */
/* Text, without a C library: of <string.h> only mem* is wanted. */
#include "ferry/bytes.h"

size_t ferry_text_length(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0') {
        len++;
    }
    return len;
}

size_t ferry_text_decimal(char *out, uint32_t value, size_t width)
{
    size_t count = 1;

    for (uint32_t rest = value / 10; rest > 0; rest /= 10) {
        count++;
    }
    count = count > width ? count : width;
    for (size_t i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return count;
}

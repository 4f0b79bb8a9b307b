/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: what is too long to be inline. */
#include "ferry/bytes.h"

bool ferry_all_equal(const uint8_t *data, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != value) {
            return false;
        }
    }
    return true;
}

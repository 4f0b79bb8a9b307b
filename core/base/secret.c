/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with secrets: forgotten, and compared without telling where they differ. */
#include "ferry/bytes.h"

void ferry_wipe(void *secret, size_t len)
{
    volatile uint8_t *p = secret;

    while (len-- > 0) {
        *p++ = 0;
    }
}

bool ferry_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    /* volatile: the compiler may not end the loop at the first difference. */
    volatile uint8_t difference = 0;

    for (size_t i = 0; i < len; i++) {
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The four functions of port/freestanding/string.h, as short as they get, for chips without a C
 * library. Compile it without LTO and with -fno-tree-loop-distribute-patterns: the compiler would
 * drop them before it calls them, or make of their loops a call to themselves. */
#include "port/freestanding/string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    for (size_t i = 0; i < len; i++) {
        t[i] = f[i];
    }
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)to <= (uintptr_t)from) {
        return memcpy(to, from, len);
    }
    while (len > 0) {
        len--;
        t[len] = f[len];
    }
    return to;
}

void *memset(void *to, int value, size_t len)
{
    uint8_t *t = to;

    for (size_t i = 0; i < len; i++) {
        t[i] = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (size_t i = 0; i < len; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

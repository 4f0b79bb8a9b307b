/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the stack was ever used. It grows downward, as on the chips this stands for. */
#include "stack.h"

#include <stdint.h>

#define COLOUR 0xa5U

/* Where the painted memory begins, and where stack_paint()'s own caller was. */
static uintptr_t lowest;

__attribute__((noinline)) void stack_paint(void)
{
    volatile uint8_t area[STACK_SIZE];

    for (size_t i = 0; i < sizeof(area); i++) {
        area[i] = COLOUR;
    }
    lowest = (uintptr_t)&area[0];
}

size_t stack_used(void)
{
    const volatile uint8_t *area = (const volatile uint8_t *)lowest;
    size_t untouched = 0;

    while (untouched < STACK_SIZE && area[untouched] == COLOUR) {
        untouched++;
    }
    return STACK_SIZE - untouched;
}

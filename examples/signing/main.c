/* SPDX-License-Identifier: Apache-2.0 */
/* A program for a chip, as small as it gets: it counts. */
#include <stdint.h>

extern uint32_t stack_top;
int main(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {&stack_top, main};

static volatile uint32_t rounds;

int main(void)
{
    for (;;) {
        rounds++;
    }
}

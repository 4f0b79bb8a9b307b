/* SPDX-License-Identifier: Apache-2.0 */
/* What the bench's bootloader starts: says how long it took. */
#include "firmware/chips/bench/counter.h"

int main(void)
{
    counter_tell("boot", counter_ticks(), NULL, 0);
}

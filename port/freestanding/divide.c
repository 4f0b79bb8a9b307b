/* SPDX-License-Identifier: Apache-2.0 */
/* The division a Cortex-M0 has no instruction for, in a fifth of the compiler's own bytes and five
 * times its cycles: firmware divides a few times in a boot. Compile it without LTO: the compiler
 * calls it by itself. [Run-time ABI for the Arm Architecture, "Integer division functions"] */
#include <stdint.h>

uint32_t __aeabi_uidiv(uint32_t number, uint32_t by);
uint64_t __aeabi_uidivmod(uint32_t number, uint32_t by);

/* The quotient in the lower word, which is register r0, the rest in the upper one, r1. A division
 * by 0 gives UINT32_MAX. */
uint64_t __aeabi_uidivmod(uint32_t number, uint32_t by)
{
    uint32_t rest = 0;

    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t carry = rest >> 31;

        rest = rest << 1 | number >> 31;
        number <<= 1;
        if (carry != 0 || rest >= by) {
            rest -= by;
            number |= 1;
        }
    }
    return (uint64_t)rest << 32 | number;
}

uint32_t __aeabi_uidiv(uint32_t number, uint32_t by)
{
    return (uint32_t)__aeabi_uidivmod(number, by);
}

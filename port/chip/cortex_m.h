/* SPDX-License-Identifier: Apache-2.0 */
/* What chips share that are a Cortex-M0, M3 or M4: registers of the processor, the way from reset
 * to main(), and from one program to the next. [ARMv6-M and ARMv7-M Architecture Reference Manuals,
 * B3] */
#ifndef PORT_CHIP_CORTEX_M_H
#define PORT_CHIP_CORTEX_M_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define NVIC_ISER(irq)        REGISTER(0xe000e100 + 4 * ((irq) / 32))
#define NVIC_ICER(irq)        REGISTER(0xe000e180 + 4 * ((irq) / 32))
#define NVIC_ICPR(irq)        REGISTER(0xe000e280 + 4 * ((irq) / 32))
#define NVIC_BIT(irq)         (1U << ((irq) % 32))
#define SCB_VTOR              REGISTER(0xe000ed08) /* not in a Cortex-M0 */
#define SCB_AIRCR             REGISTER(0xe000ed0c)
#define SCB_AIRCR_SYSRESETREQ 0x05fa0004U

/* A vector table begins with the stack and this many exceptions of the core, counting the stack;
 * then the chip's interrupts. */
#define CORE_VECTORS 16

typedef void cortex_m_handler(void);

/* Of the linker script. */
extern uint32_t ram_data_begin[], ram_data_end[], ram_bss_begin[], ram_bss_end[], ram_stack_top[];
extern const uint32_t flash_data_begin[];

int main(void);

static inline _Noreturn void cortex_m_reset(void)
{
    __asm__ volatile("dsb" ::: "memory");
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

/* From an entry to main(), and to a reset if that returns. */
static inline _Noreturn void cortex_m_run(void)
{
    memcpy(ram_data_begin, flash_data_begin,
           (size_t)((char *)ram_data_end - (char *)ram_data_begin));
    memset(ram_bss_begin, 0, (size_t)((char *)ram_bss_end - (char *)ram_bss_begin));
    (void)main();
    cortex_m_reset();
}

/* Start the program of a vector table, which is in force already. Interrupts are off. */
static inline _Noreturn void cortex_m_start(uintptr_t table)
{
    const uint32_t *next = (const uint32_t *)table;

    __asm__ volatile("dsb\n"
                     "isb\n"
                     "msr msp, %0\n"
                     "cpsie i\n"
                     "bx %1\n"
                     :
                     : "r"(next[0]), "r"(next[1])
                     : "memory");
    __builtin_unreachable();
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of an AST1030 that the port uses. [ASPEED AST1030 datasheet, by its chapters] */
#ifndef PORT_AST1030_REGISTERS_H
#define PORT_AST1030_REGISTERS_H

#include "port/chip/cortex_m.h"

#define REGISTER_BYTE(address) (*(volatile uint8_t *)(uintptr_t)(address))

/* UART: a 16550, its registers 4 bytes apart. */
#define UART1               0x7e783000U
#define UART5               0x7e784000U
#define UART_DATA(uart)     REGISTER((uart) + 0x00) /* RBR, THR; the divisor with LCR_DIVISOR */
#define UART_IER(uart)      REGISTER((uart) + 0x04)
#define UART_FCR(uart)      REGISTER((uart) + 0x08)
#define UART_LCR(uart)      REGISTER((uart) + 0x0c)
#define UART_LSR(uart)      REGISTER((uart) + 0x14)
#define UART_IER_RECEIVED   0x01U
#define UART_FCR_FIFO       0xc1U /* of 16 bytes; received at 14 of them, or when no more come */
#define UART_LCR_8N1        0x03U
#define UART_LCR_DIVISOR    0x80U
#define UART_LSR_RECEIVED   0x01U
#define UART_LSR_TAKES      0x20U /* another byte to send */
#define UART_LSR_SENT       0x40U /* all of them */
#define UART_DIVISOR_115200 1U    /* of 24 MHz / 13, 16 times a bit */

/* Firmware memory controller: the SPI flash at chip select 0, and the window it is seen in. In user
 * mode bytes written to and read from the window go over the wires. */
#define FMC_CONF          REGISTER(0x7e620000)
#define FMC_CTRL0         REGISTER(0x7e620010)
#define FMC_WINDOW        0x80000000U
#define FMC_CONF_WRITABLE (1U << 16) /* chip select 0 */
#define FMC_MAPPED        0U         /* the window reads */
#define FMC_USER_SELECTED 3U
#define FMC_USER_RELEASED 7U

/* GPIO A to D. */
#define GPIO_DATA      REGISTER(0x7e780000)
#define GPIO_DIRECTION REGISTER(0x7e780004)

/* Watchdog 1. */
#define WDT_RELOAD        REGISTER(0x7e785004)
#define WDT_RESTART       REGISTER(0x7e785008)
#define WDT_CTRL          REGISTER(0x7e78500c)
#define WDT_RESTART_MAGIC 0x4755U
#define WDT_CTRL_ENABLE   (1U << 0)
#define WDT_CTRL_RESET    (1U << 1)
#define WDT_CTRL_1MHZ     (1U << 4)

/* The processor's [ARMv7-M Architecture Reference Manual, B3] */
#define SYSTICK_CTRL       REGISTER(0xe000e010)
#define SYSTICK_RELOAD     REGISTER(0xe000e014)
#define SYSTICK_CURRENT    REGISTER(0xe000e018)
#define SYSTICK_RUNS       7U /* by the processor's clock, with its interrupt */
#define SCB_ICSR           REGISTER(0xe000ed04)
#define SCB_ICSR_PENDSTCLR (1U << 25)

#define CLOCK_HZ 200000000U

/* Interrupts by number. */
#define IRQ_UART5 8
#define IRQ_UART1 47

#endif

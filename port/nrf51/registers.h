/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of an nRF51822 that the port uses, by the chapters of the nRF51 Series Reference
 * Manual 3.0. */
#ifndef PORT_NRF51_REGISTERS_H
#define PORT_NRF51_REGISTERS_H

#include "port/chip/cortex_m.h"

/* CLOCK */
#define CLOCK_HFCLKSTART REGISTER(0x40000000)
#define CLOCK_HFCLKSTOP  REGISTER(0x40000004)

/* UART0 */
#define UART_STARTRX         REGISTER(0x40002000)
#define UART_STOPRX          REGISTER(0x40002004)
#define UART_STARTTX         REGISTER(0x40002008)
#define UART_STOPTX          REGISTER(0x4000200c)
#define UART_RXDRDY          REGISTER(0x40002108)
#define UART_TXDRDY          REGISTER(0x4000211c)
#define UART_INTENSET        REGISTER(0x40002304)
#define UART_INTENCLR        REGISTER(0x40002308)
#define UART_ENABLE          REGISTER(0x40002500)
#define UART_PSELTXD         REGISTER(0x4000250c)
#define UART_PSELRXD         REGISTER(0x40002514)
#define UART_RXD             REGISTER(0x40002518)
#define UART_TXD             REGISTER(0x4000251c)
#define UART_BAUDRATE        REGISTER(0x40002524)
#define UART_INT_RXDRDY      (1U << 2)
#define UART_BAUDRATE_115200 0x01d7e000U

/* TIMER1 */
#define TIMER_START                REGISTER(0x40009000)
#define TIMER_STOP                 REGISTER(0x40009004)
#define TIMER_CLEAR                REGISTER(0x4000900c)
#define TIMER_COMPARE0             REGISTER(0x40009140)
#define TIMER_SHORTS               REGISTER(0x40009200)
#define TIMER_INTENSET             REGISTER(0x40009304)
#define TIMER_INTENCLR             REGISTER(0x40009308)
#define TIMER_MODE                 REGISTER(0x40009504)
#define TIMER_BITMODE              REGISTER(0x40009508)
#define TIMER_PRESCALER            REGISTER(0x40009510)
#define TIMER_CC0                  REGISTER(0x40009540)
#define TIMER_SHORT_COMPARE0_CLEAR (1U << 0)
#define TIMER_INT_COMPARE0         (1U << 16)

/* WDT */
#define WDT_START  REGISTER(0x40010000)
#define WDT_CRV    REGISTER(0x40010504)
#define WDT_RREN   REGISTER(0x40010508)
#define WDT_CONFIG REGISTER(0x4001050c)
#define WDT_RR0    REGISTER(0x40010600)
#define WDT_RELOAD 0x6e524635U

/* GPIO */
#define GPIO_OUTSET       REGISTER(0x50000508)
#define GPIO_OUTCLR       REGISTER(0x5000050c)
#define GPIO_IN           REGISTER(0x50000510)
#define GPIO_DIRSET       REGISTER(0x50000518)
#define GPIO_PIN_CNF(pin) REGISTER(0x50000700 + 4 * (pin))
#define GPIO_INPUT_PULLUP 0xcU

/* Interrupts by number. */
#define IRQ_UART0  2
#define IRQ_TIMER1 9

#endif

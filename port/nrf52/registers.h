/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of an nRF52840 that the port uses, by the chapters of its Product
 * Specification 1.1. */
#ifndef PORT_NRF52_REGISTERS_H
#define PORT_NRF52_REGISTERS_H

#include "port/chip/cortex_m.h"

/* CLOCK */
#define CLOCK_HFCLKSTART REGISTER(0x40000000)
#define CLOCK_HFCLKSTOP  REGISTER(0x40000004)

/* POWER */
#define POWER_RESETREAS REGISTER(0x40000400)
#define POWER_GPREGRET  REGISTER(0x4000051c)

/* UARTE0: a UART that reads and writes RAM by itself */
#define UARTE                     0x40002000U
#define UARTE_STARTRX             REGISTER(UARTE + 0x000)
#define UARTE_STOPRX              REGISTER(UARTE + 0x004)
#define UARTE_STARTTX             REGISTER(UARTE + 0x008)
#define UARTE_STOPTX              REGISTER(UARTE + 0x00c)
#define UARTE_RXDRDY_ADDRESS      (UARTE + 0x108)
#define UARTE_RXDRDY              REGISTER(UARTE_RXDRDY_ADDRESS)
#define UARTE_ENDTX               REGISTER(UARTE + 0x120)
#define UARTE_RXTO                REGISTER(UARTE + 0x144)
#define UARTE_RXSTARTED           REGISTER(UARTE + 0x14c)
#define UARTE_TXSTOPPED           REGISTER(UARTE + 0x158)
#define UARTE_SHORTS              REGISTER(UARTE + 0x200)
#define UARTE_INTENSET            REGISTER(UARTE + 0x304)
#define UARTE_INTENCLR            REGISTER(UARTE + 0x308)
#define UARTE_ENABLE              REGISTER(UARTE + 0x500)
#define UARTE_PSELTXD             REGISTER(UARTE + 0x50c)
#define UARTE_PSELRXD             REGISTER(UARTE + 0x514)
#define UARTE_BAUDRATE            REGISTER(UARTE + 0x524)
#define UARTE_RXD_PTR             REGISTER(UARTE + 0x534)
#define UARTE_RXD_MAXCNT          REGISTER(UARTE + 0x538)
#define UARTE_TXD_PTR             REGISTER(UARTE + 0x544)
#define UARTE_TXD_MAXCNT          REGISTER(UARTE + 0x548)
#define UARTE_CONFIG              REGISTER(UARTE + 0x56c)
#define UARTE_SHORT_ENDRX_STARTRX (1U << 5)
#define UARTE_INT_RXDRDY          (1U << 2)
#define UARTE_INT_RXSTARTED       (1U << 19)
#define UARTE_ENABLED             8U
#define UARTE_BAUDRATE_115200     0x01d60000U

/* TIMER1 has the milliseconds, TIMER2 counts the bytes that come in. */
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
#define COUNTER_START              REGISTER(0x4000a000)
#define COUNTER_STOP               REGISTER(0x4000a004)
#define COUNTER_COUNT_ADDRESS      0x4000a008U
#define COUNTER_CLEAR              REGISTER(0x4000a00c)
#define COUNTER_CAPTURE0           REGISTER(0x4000a040)
#define COUNTER_MODE               REGISTER(0x4000a504)
#define COUNTER_BITMODE            REGISTER(0x4000a508)
#define COUNTER_CC0                REGISTER(0x4000a540)
#define MODE_TIMER                 0U
#define MODE_COUNTER               1U
#define BITMODE_16                 0U
#define BITMODE_32                 3U

/* PPI: an event of one peripheral is a task of another */
#define PPI_CHENSET REGISTER(0x4001f504)
#define PPI_CHENCLR REGISTER(0x4001f508)
#define PPI_CH0_EEP REGISTER(0x4001f510)
#define PPI_CH0_TEP REGISTER(0x4001f514)

/* WDT */
#define WDT_START  REGISTER(0x40010000)
#define WDT_CRV    REGISTER(0x40010504)
#define WDT_RREN   REGISTER(0x40010508)
#define WDT_CONFIG REGISTER(0x4001050c)
#define WDT_RR0    REGISTER(0x40010600)
#define WDT_RELOAD 0x6e524635U
#define WDT_SLEEP  1U /* goes on while the processor sleeps, stands still in the debugger */

/* GPIO, port 0 */
#define GPIO_OUTSET       REGISTER(0x50000508)
#define GPIO_OUTCLR       REGISTER(0x5000050c)
#define GPIO_IN           REGISTER(0x50000510)
#define GPIO_PIN_CNF(pin) REGISTER(0x50000700 + 4 * (pin))
#define GPIO_INPUT_PULLUP 0xcU
#define GPIO_OUTPUT       0x3U /* the input is not connected */

/* Interrupts by number. */
#define IRQ_UARTE0 2
#define IRQ_TIMER1 9

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions counted by TIMER0 of the nRF51 at 16 MHz, in an emulator whose instructions take
 * 1 ns each: a tick is 62.5 of them. What was counted is told at the end, since waiting for the
 * UART depends on who reads it. */
#ifndef FIRMWARE_CHIPS_BENCH_COUNTER_H
#define FIRMWARE_CHIPS_BENCH_COUNTER_H

#include <stddef.h>
#include <stdint.h>

void counter_begin(void);

/* Ticks since counter_begin(), of this or the program before. */
uint32_t counter_ticks(void);

/* Say a line "bench: NAME TICKS" on the UART. */
void counter_tell(const char *name, uint32_t ticks);

/* Say a line "bench: end BYTES-IN-HEX", and stand still. */
_Noreturn void counter_end(const uint8_t *bytes, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What firmware for a bare chip asks of its port: one header, a folder a chip implements it
 * (port/nrf51, port/nrf52, port/ast1030). No operating system, no heap; one program at a time.
 * docs/PORTING.md says what each must keep. */
#ifndef PORT_CHIP_CHIP_H
#define PORT_CHIP_CHIP_H

#include "ferry/flash.h"

struct ferry_boot_ram;

/* Wires by number. The one to the host is there on every chip. */
#define CHIP_WIRE_HOST 0
#define CHIP_WIRE_LINK 1 /* to another chip; where chip_has_link() */

/* ---- Start and end --------------------------------------------------------------------------- */

/* Clock, wires, interrupts. Call it once, first. */
void chip_init(void);

/* Restart the chip, once the last byte has left the wires. */
_Noreturn void chip_reset(void);

/* Stop everything chip_init() began and start the program whose vector table is at an address: the
 * first word is its stack, the second its entry. */
_Noreturn void chip_start(uintptr_t vectors);

/* A byte that is kept over a reset, not over a power cut: 0 unless somebody kept another. take
 * gives it and clears it. */
void chip_keep_boot_mode(uint8_t mode);
uint8_t chip_take_boot_mode(void);

/* Whether this start followed power-on, as far as the chip can tell; else it was any reset. For the
 * first program that runs, before it takes the boot mode. */
bool chip_was_powered_on(void);

/* Whether the button is held down, now. */
bool chip_button(void);

/* The board's light, where it has one: dark until it is switched on. */
void chip_light(bool on);

/* Begin the watchdog: it resets the chip unless it is fed every ms milliseconds. It cannot be
 * stopped, and goes on in the next program. A chip without one does nothing.
 * chip_feed() does not look at its context: it is what every `feed` hook may name. */
void chip_watchdog(uint32_t ms);
void chip_feed(void *context);

/* ---- Time and wires -------------------------------------------------------------------------- */

/* Milliseconds since chip_init(). Never goes back; may stand still while flash is erased. */
uint64_t chip_now_ms(void);

bool chip_has_link(void);

/* Take what has come in on a wire, at most cap bytes. Returns how many: 0 = nothing. Bytes are kept
 * by an interrupt, 256 or more, while nobody takes them; then the wire must wait or they are lost.
 */
size_t chip_read(unsigned wire, uint8_t *data, size_t cap);

/* Send bytes. Returns when all were handed to the wire; bytes keep coming in meanwhile. */
void chip_write(unsigned wire, const uint8_t *data, size_t len);

/* Sleep until something may have come in, or until it is so late; may return early. */
void chip_wait(uint64_t until);

/* ---- Flash ------------------------------------------------------------------------------------
 */

/* The areas of the chip's map (port/CHIP/map.h; firmware/chips/CHIP/layout.json says the same). */
extern const struct ferry_flash chip_primary;
extern const struct ferry_flash chip_secondary;

/* Where there is room for it: an area of 128 KiB or more for what is meant for another chip. */
extern const struct ferry_flash chip_store;

/* ---- An immutable first stage, where there is one (ferry/first.h) -----------------------------
 */

extern const struct ferry_flash chip_stages[2]; /* S0 and S1: a bootloader's image each */
extern const uint32_t chip_stage_addresses[2];  /* of them, in the memory of the processor */
extern const struct ferry_flash chip_staging;   /* an image for one of them */
extern const struct ferry_flash chip_provision;

/* Which of the two bootloaders was started: the first stage says it, for those after it. */
void chip_keep_stage(uint8_t slot);
uint8_t chip_stage(void);

/* ---- How an image runs: in place, or from RAM -------------------------------------------------
 */

/* Where the primary is seen in the memory of the processor. */
extern const uintptr_t chip_primary_address;

/* The RAM that images are loaded to and run from: struct ferry_boot_ram of ferry/boot.h. */
extern const struct ferry_boot_ram chip_load;

/* Memory that the bootloader leaves to the image it starts (ferry/shared_data.h), on a chip whose
 * images run from RAM: they cannot tell by themselves which slot they come from. */
#define CHIP_SHARED_SIZE 512
extern uint8_t *const chip_shared;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Clock and reset. */
#include "conformance_run.h"

/* Readings taken. */
#define READINGS 2000

/* No two readings of a program that does nothing else are so far apart. */
#define JUMP_MS 60000

#define MARKER 0x59524546U /* "FERY" in flash */

/* ---- Clock ------------------------------------------------------------------------------ */

/* How many to take. A chip reads a clock of milliseconds more often than READINGS before it goes
 * on, where nothing lets time pass. */
static uint32_t readings(bool waits, bool went_on)
{
    return waits || went_on ? READINGS : FERRY_CONFORMANCE_READINGS;
}

void ferry_conformance_clock(struct ferry_conformance *run, uint64_t (*now_ms)(void *context),
                             void (*wait)(void *context), void *context)
{
    uint64_t first = now_ms(context);
    uint64_t last = first;
    bool back = false;
    bool jump = false;

    for (uint32_t i = 0; i < readings(wait != NULL, last != first) && !back && !jump; i++) {
        uint64_t now;

        if (wait != NULL && i % 100 == 0) {
            wait(context);
        }
        now = now_ms(context);
        back = now < last;
        jump = !back && now - last > JUMP_MS;
        last = now;
    }
    conformance_say(run, "clock: it does not go back",
                    back ? "a reading is below the one before: read all words of the counter at "
                           "once, and count its wraps"
                         : NULL);
    conformance_say(run, "clock: it does not jump",
                    jump ? "two readings are more than a minute apart: are they milliseconds?"
                         : NULL);
    conformance_say(run, "clock: it goes on",
                    last == first ? "all readings are the same: is the timer started?" : NULL);
}

/* ---- Reset ------------------------------------------------------------------------------ */

static bool has_marker(const struct ferry_flash *area)
{
    uint8_t raw[4];

    return ferry_flash_read(area, 0, raw, sizeof raw) == FERRY_OK && ferry_load_le32(raw) == MARKER;
}

static bool put_marker(const struct ferry_flash *area)
{
    uint8_t raw[4];

    ferry_store_le32(raw, MARKER);
    return ferry_flash_erase_dirty(area, 0, 1) == FERRY_OK &&
           ferry_flash_program_padded(area, 0, raw, sizeof raw) == FERRY_OK && has_marker(area);
}

/* The start after the reset. */
static void judge(struct ferry_conformance *run, const struct ferry_conformance_reset *port,
                  bool kept_flash)
{
    bool kept_mode = port->retained(port->context) == FERRY_CONFORMANCE_MODE;

    conformance_say(run, "reset: the program begins anew", NULL);
    conformance_say(run, "reset: flash keeps what was written",
                    kept_flash ? NULL
                               : "the marker is gone: is the write done when program() returns?");
    conformance_say(run, "reset: the boot mode is kept",
                    kept_mode ? NULL
                              : "it is another one: keep it in a register or RAM that nothing "
                                "initialises");
    port->retain(port->context, 0);
    conformance_say(run, "reset: the marker can be erased",
                    ferry_flash_erase_dirty(port->area, 0, 1) == FERRY_OK && !has_marker(port->area)
                        ? NULL
                        : "erase answers an error, or does nothing");
}

bool ferry_conformance_reset(struct ferry_conformance *run,
                             const struct ferry_conformance_reset *port)
{
    bool kept_flash = has_marker(port->area);

    /* A mode without a marker is what a port leaves that loses its flash. */
    if (kept_flash || port->retained(port->context) == FERRY_CONFORMANCE_MODE) {
        judge(run, port, kept_flash);
        return true;
    }
    if (!put_marker(port->area)) {
        conformance_say(run, "reset: a marker can be written",
                        "erase or program failed: try the flash rules first");
        return false;
    }
    port->retain(port->context, FERRY_CONFORMANCE_MODE);
    port->reset(port->context);
    conformance_say(run, "reset: the program begins anew",
                    "reset() came back: wait for the reset in it, with interrupts off");
    port->retain(port->context, 0);
    return false;
}

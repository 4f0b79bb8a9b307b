/* SPDX-License-Identifier: Apache-2.0 */
/* Between the wires and the program: nothing, or a foreign server. It plays with whole packets, so
 * that what comes over Bluetooth in parts passes it. */
#include "chip.h"

#include <stdio.h>

static void tell_received(void *context, uint32_t wire, uint32_t peer, struct ferry_bytes bytes)
{
    const struct ferry_vchip_message message = {.kind = FERRY_VCHIP_RECEIVED, .a = wire, .b = peer};
    struct chip *chip = context;

    if (program_tell(&chip->program, &message, bytes) != FERRY_OK) {
        chip->bytes_lost += bytes.len;
    }
}

bool chip_is_foreign(const struct chip *chip)
{
    return chip->foreign != NULL &&
           (chip->stage != CHIP_FIRMWARE || !foreign_in_recovery(chip->foreign));
}

void chip_receive(struct chip *chip, uint64_t now, uint32_t wire, uint32_t peer,
                  struct ferry_bytes bytes)
{
    if (chip_is_foreign(chip) && wire != FERRY_VCHIP_BLE) {
        foreign_hear(chip->foreign, now, wire, peer, bytes);
    } else {
        tell_received(chip, wire, peer, bytes);
    }
}

static void put_answer(void *context, uint32_t wire, uint32_t peer, struct ferry_bytes bytes)
{
    chip_put(context, wire, peer, bytes);
}

static void say_note(void *context, const char *text)
{
    chip_say(context, "%s", text);
}

int chip_play_foreign(struct chip *chip)
{
    const struct foreign_ends ends = {tell_received, put_answer, say_note, chip};
    char why[256];

    if (chip->options->foreign == NULL ||
        foreign_make(&chip->foreign, chip->options->foreign, &ends, why, sizeof(why)) == FERRY_OK) {
        return -1;
    }
    (void)fprintf(stderr, "ferry-device: --foreign: %s\n", why);
    return EXIT_USAGE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the program is to know of links and sessions: the last state of each, told in time. */
#include "chip.h"

#include <string.h>

static struct chip_peer *place_of(struct chip *chip, uint32_t wire, uint32_t number)
{
    for (size_t i = 0; i < CHIP_PEERS; i++) {
        struct chip_peer *peer = &chip->peers[i];

        if (peer->number == number && (number == 0 || peer->wire == wire)) {
            return peer;
        }
    }
    return NULL;
}

/* What the program does not take now it is told later: the newest state then. */
static void tell(struct chip *chip, struct chip_peer *peer)
{
    const struct ferry_vchip_message message = {
        .kind = FERRY_VCHIP_PEER, .a = peer->wire, .b = peer->number};
    const struct ferry_bytes bytes = {(const uint8_t *)&peer->state, sizeof(peer->state)};

    peer->due = program_tell(&chip->program, &message, bytes) == FERRY_E_FULL;
    if (!peer->due && peer->state.connected == 0) {
        peer->number = 0;
    }
}

/* As many as may be sent again. */
static void tell_left(const struct chip *chip, struct chip_peer *peer)
{
    const struct ferry_vchip_message message = {
        .kind = FERRY_VCHIP_LEFT, .a = peer->wire, .b = peer->number, .c = peer->left};

    if (program_tell(&chip->program, &message, (struct ferry_bytes){NULL, 0}) != FERRY_E_FULL) {
        peer->left = 0;
    }
}

bool chip_peer_is(struct chip *chip, uint32_t wire, uint32_t number,
                  const struct ferry_vchip_peer *state)
{
    struct chip_peer *peer = place_of(chip, wire, number);

    if (chip->program.pid == 0) {
        return false;
    }
    if (peer == NULL && state->connected == 0) {
        return true;
    }
    if (peer == NULL) {
        peer = place_of(chip, wire, 0);
    }
    if (peer == NULL) {
        return false;
    }
    if (peer->number == 0) {
        *peer = (struct chip_peer){.wire = wire, .number = number};
    }
    peer->state = *state;
    tell(chip, peer);
    return true;
}

const struct ferry_vchip_peer *chip_peer_of(const struct chip *chip, uint32_t wire, uint32_t number)
{
    for (size_t i = 0; i < CHIP_PEERS; i++) {
        const struct chip_peer *peer = &chip->peers[i];

        if (number != 0 && peer->number == number && peer->wire == wire &&
            peer->state.connected != 0) {
            return &peer->state;
        }
    }
    return NULL;
}

void chip_notified(struct chip *chip, uint32_t link, uint32_t count)
{
    struct chip_peer *peer = link != 0 ? place_of(chip, FERRY_VCHIP_BLE, link) : NULL;

    if (peer != NULL) {
        peer->left += count;
        tell_left(chip, peer);
    }
}

bool chip_tell_peers(struct chip *chip)
{
    bool due = false;

    for (size_t i = 0; i < CHIP_PEERS; i++) {
        struct chip_peer *peer = &chip->peers[i];

        if (peer->due) {
            tell(chip, peer);
        }
        if (peer->left > 0 && peer->number != 0) {
            tell_left(chip, peer);
        }
        due = due || peer->due || (peer->left > 0 && peer->number != 0);
    }
    return !due;
}

void chip_forget_peers(struct chip *chip)
{
    memset(chip->peers, 0, sizeof(chip->peers));
    chip_advertise(chip, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the chip told of those that are connected. */
#include "peers.h"

/* The place of a peer, or a free one where number is 0; PEERS_MAX: there is none. */
static size_t place_of(const struct peers *peers, uint32_t wire, uint32_t number)
{
    size_t i = 0;

    while (i < PEERS_MAX &&
           (peers->list[i].number != number || (number != 0 && peers->list[i].wire != wire))) {
        i++;
    }
    return i;
}

void peers_told(struct peers *peers, uint32_t wire, uint32_t number,
                const struct ferry_vchip_peer *told)
{
    size_t place = place_of(peers, wire, number);

    if (number == 0) {
        return;
    }
    if (place == PEERS_MAX && told->connected != 0) {
        place = place_of(peers, 0, 0);
    }
    if (place < PEERS_MAX) {
        peers->list[place] =
            (struct peer){.wire = wire, .number = told->connected != 0 ? number : 0, .told = *told};
        peers->left = peers->left || told->connected == 0;
    }
}

const struct ferry_vchip_peer *peers_find(const struct peers *peers, uint32_t wire, uint32_t number)
{
    size_t place = number != 0 ? place_of(peers, wire, number) : PEERS_MAX;

    return place < PEERS_MAX ? &peers->list[place].told : NULL;
}

bool peers_left(struct peers *peers)
{
    bool left = peers->left;

    peers->left = false;
    return left;
}

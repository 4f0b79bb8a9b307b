/* SPDX-License-Identifier: Apache-2.0 */
/* What the chip told of those that are connected: links of the radio, sessions of the modem. */
#ifndef FIRMWARE_COMMON_PEERS_H
#define FIRMWARE_COMMON_PEERS_H

#include "ferry/vchip.h"

/* Peers known at once. Of more nothing is known, and so nothing is taken. */
#define PEERS_MAX 16

struct peer {
    uint32_t wire;
    uint32_t number; /* 0: the place is free */
    struct ferry_vchip_peer told;
};

/* All zero: nobody is there. */
struct peers {
    struct peer list[PEERS_MAX];
    bool left; /* somebody has, and nobody asked for it yet */
};

/* Keep what was told of a peer, or forget one that is gone. Runs as an interrupt does. */
void peers_told(struct peers *peers, uint32_t wire, uint32_t number,
                const struct ferry_vchip_peer *told);

/* What is known of a peer; NULL: it is not there. */
const struct ferry_vchip_peer *peers_find(const struct peers *peers, uint32_t wire,
                                          uint32_t number);

/* Whether any has gone since this was last asked, so that what others keep of it ends too. */
bool peers_left(struct peers *peers);

#endif

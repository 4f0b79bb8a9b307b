/* SPDX-License-Identifier: Apache-2.0 */
/* Whom images must come from: the keys of the board and of its store, every scheme and digest. */
#ifndef FIRMWARE_COMMON_KEYS_H
#define FIRMWARE_COMMON_KEYS_H

#include "ferry/keys.h"
#include "port/vchip/vchip.h"

struct board_keys {
    struct ferry_image_trust product; /* what the board has, without what its store says */
    struct ferry_keys all;            /* all.trust: use this */
    int result;                       /* of ferry_keys_load() */
    struct ferry_image_key keys[FERRY_KEYS_PRODUCT];
    uint8_t ders[FERRY_KEYS_PRODUCT][FERRY_VCHIP_KEY_MAX];
};

/* Fill keys, which stays where it is afterwards. store may be NULL. */
void keys_read(struct board_keys *keys, const struct vchip *chip, const struct ferry_store *store);

/* Whether one of the board's keys does not count in production, since everybody has it. */
bool keys_are_published(const struct board_keys *keys);

#endif

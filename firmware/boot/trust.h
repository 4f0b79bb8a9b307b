/* SPDX-License-Identifier: Apache-2.0 */
/* Whom images must come from: the keys of the board, and every scheme and digest there is. */
#ifndef FIRMWARE_BOOT_TRUST_H
#define FIRMWARE_BOOT_TRUST_H

#include "board.h"

struct ferry_image_trust trust_in(const struct board *board);

#endif

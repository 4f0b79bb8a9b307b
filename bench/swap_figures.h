/* SPDX-License-Identifier: Apache-2.0 */
/* MCUboot's figures, measured once with bootutil 2d4bacc3 (June 2026) built for the host with
 * counters in flash_area_*, in this layout: slots of 64 sectors of 4 KiB, N = 64, write size 8,
 * copy buffer 1 KiB, ECDSA P-256, the primary validated at each boot; images of 204 759 bytes
 * unless another size is given. */
#ifndef SWAP_FIGURES_H
#define SWAP_FIGURES_H

#include <stdint.h>

#define SWAP_IMAGE_SIZE 204759U /* 50 sectors */
#define SWAP_SMALL_SIZE 102359U /* 25 sectors */

enum swap_scene { SWAP_EQUAL, SWAP_FULL, SWAP_GROW, SWAP_SHRINK };

/* 0 = not measured. */
struct swap_figure {
    uint32_t erases, primary, secondary, scratch;
    uint32_t written, calls, read;
    uint32_t hottest;
};

struct swap_figures {
    const char *strategy;
    uint32_t scratch; /* sectors of the scratch area */
    enum swap_scene scene;
    uint32_t size; /* bytes of the image with SWAP_FULL */
    struct swap_figure upgrade, revert;
};

/* What was measured of a strategy, or NULL. */
const struct swap_figures *swap_figures_find(const char *strategy, uint32_t scratch,
                                             enum swap_scene scene);

/* An idle boot of MCUboot reads this much of an image of SWAP_IMAGE_SIZE, at least and at most. */
#define SWAP_IDLE_LEAST 204861U
#define SWAP_IDLE_MOST  205217U

#endif

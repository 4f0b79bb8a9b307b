/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests of a transfer may be in flight: as many as the device has room for, fewer where
 * more of them lose packets. Image uploads and file transfers use it. [smp.md §5.4]
 *
 * A transfer begins with all the device said it takes. A loss makes the window smaller; answers
 * make it grow again by one. When growing was what lost a packet, the next attempt is five times
 * further away: a device that loses bytes whenever a second request comes while it writes its flash
 * is served one at a time, at the price of a few lost packets in a whole upload. */
#ifndef FERRY_WINDOW_H
#define FERRY_WINDOW_H

#include <stdint.h>

/* Read size and failed; the rest is private. */
struct ferry_window {
    uint32_t size;   /* requests that may be in flight now: 1 .. limit */
    uint32_t limit;  /* what the device has room for */
    uint32_t proven; /* the largest size that was seen to lose nothing; 1 is taken for it */
    uint32_t failed; /* attempts in a row that lost something, above what is proven */
    uint32_t clean;  /* answers since the last change or loss */
    uint32_t wait;   /* clean answers until the next attempt to grow, and how many */
    uint32_t pause;  /* there will be when it fails */
};

/* Begin with all that is allowed. limit 0 counts as 1. */
void ferry_window_init(struct ferry_window *window, uint32_t limit);

/* A request was answered at its first try. */
void ferry_window_clean(struct ferry_window *window);

/* A request or its answer was lost, or the device had no buffer for it. Call it once for what was
 * in flight together: the answers to the rest of it say nothing new. */
void ferry_window_lost(struct ferry_window *window);

#endif

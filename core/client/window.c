/* SPDX-License-Identifier: Apache-2.0 */
/* The adaptive window. */
#include "ferry/bytes.h"
#include "ferry/window.h"

/* Answers without a loss that prove a size, and those between two attempts to grow. */
#define CLEAN_TO_PROVE 3
#define CLEAN_TO_GROW  5

/* What a failed attempt makes of the wait for the next one, and the longest such wait. */
#define BACK_OFF 5
#define WAIT_MAX 2000

void ferry_window_init(struct ferry_window *window, uint32_t limit)
{
    window->limit = ferry_max32(limit, 1);
    window->size = window->limit;
    window->proven = 1;
    window->failed = 0;
    window->clean = 0;
    window->pause = CLEAN_TO_GROW;
    window->wait = 0;
}

void ferry_window_clean(struct ferry_window *window)
{
    window->clean++;
    window->wait -= window->wait > 0;
    if (window->size > window->proven && window->clean >= CLEAN_TO_PROVE) {
        window->proven = window->size;
        window->failed = 0;
        window->pause = CLEAN_TO_GROW;
    }
    if (window->size == window->proven && window->size < window->limit && window->wait == 0) {
        window->size++;
        window->clean = 0;
        window->wait = CLEAN_TO_GROW;
    }
}

void ferry_window_lost(struct ferry_window *window)
{
    if (window->size > window->proven) {
        /* It was the attempt that lost something: back to what is known to work. */
        window->size = window->proven;
        window->failed++;
        window->pause = ferry_min32(window->pause * BACK_OFF, WAIT_MAX);
        window->wait = window->pause;
    } else {
        /* It worked so far, so chance may have done it: a quarter less, and soon another attempt.
         */
        window->size -= window->size > 1 ? (window->size + 3) / 4 : 0;
        window->proven = window->size;
        window->wait = ferry_max32(window->wait, CLEAN_TO_GROW);
    }
    window->clean = 0;
}

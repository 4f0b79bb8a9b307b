/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of a paced, lossy wire: when a byte has arrived, and what happened to a frame.
 * Deadlines are absolute, so that a late wake-up delays nothing behind it. */
#ifndef PORT_POSIX_PACE_H
#define PORT_POSIX_PACE_H

#include <stddef.h>
#include <stdint.h>

/* One direction of a wire. */
struct ferry_pace {
    uint32_t baud;       /* bits a second, ten a byte (8N1); 0 = no time at all */
    uint64_t latency_ns; /* added to the arrival of every byte */
    uint64_t free_at;    /* when the wire has carried all that was given to it, ns */
    uint64_t rest;       /* what dividing by the baud rate left over, so that nothing drifts */
};

void ferry_pace_init(struct ferry_pace *pace, uint32_t baud, uint64_t latency_ns);

/* Put len bytes on the wire at time now (ns of a monotonic clock).
 * Returns when the last of them has arrived, ns. */
uint64_t ferry_pace_send(struct ferry_pace *pace, uint64_t now, size_t len);

/* ---- Frames lost and changed -------------------------------------------------------------- */

/* 100 percent, as the shares below count. */
#define FERRY_NOISE_ALL 1000000U

/* One direction of a wire that loses and damages frames, the same way for the same seed. */
struct ferry_noise {
    uint64_t state;
    uint32_t loss;    /* parts of FERRY_NOISE_ALL */
    uint32_t corrupt; /* parts of FERRY_NOISE_ALL; of the frames that are not lost */
};

enum ferry_noise_verdict { FERRY_NOISE_KEPT, FERRY_NOISE_LOST, FERRY_NOISE_CHANGED };

void ferry_noise_init(struct ferry_noise *noise, uint64_t seed, uint32_t loss, uint32_t corrupt);

/* Decide what happens to the next frame. */
enum ferry_noise_verdict ferry_noise_judge(struct ferry_noise *noise);

/* Choose a byte of a frame (len above 0). */
size_t ferry_noise_place(struct ferry_noise *noise, size_t len);

/* Change one byte of a frame (len above 0) to another value. */
void ferry_noise_change(struct ferry_noise *noise, uint8_t *frame, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of a paced, lossy wire. */
#include "pace.h"

/* A byte is ten bits: start, eight of data, stop. */
#define BITS_A_BYTE 10
#define NS          UINT64_C(1000000000)

void ferry_pace_init(struct ferry_pace *pace, uint32_t baud, uint64_t latency_ns)
{
    *pace = (struct ferry_pace){.baud = baud, .latency_ns = latency_ns};
}

uint64_t ferry_pace_send(struct ferry_pace *pace, uint64_t now, size_t len)
{
    if (pace->baud == 0) {
        return now + pace->latency_ns;
    }
    if (pace->free_at < now) {
        pace->free_at = now;
        pace->rest = 0;
    }
    uint64_t work = (uint64_t)len * BITS_A_BYTE * NS + pace->rest;
    pace->free_at += work / pace->baud;
    pace->rest = work % pace->baud;
    return pace->free_at + pace->latency_ns;
}

/* splitmix64: small, and good for any seed. */
static uint64_t draw(struct ferry_noise *noise)
{
    noise->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = noise->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void ferry_noise_init(struct ferry_noise *noise, uint64_t seed, uint32_t loss, uint32_t corrupt)
{
    *noise = (struct ferry_noise){.state = seed, .loss = loss, .corrupt = corrupt};
}

enum ferry_noise_verdict ferry_noise_judge(struct ferry_noise *noise)
{
    uint64_t loss = draw(noise) % FERRY_NOISE_ALL;
    uint64_t corrupt = draw(noise) % FERRY_NOISE_ALL;

    if (loss < noise->loss) {
        return FERRY_NOISE_LOST;
    }
    return corrupt < noise->corrupt ? FERRY_NOISE_CHANGED : FERRY_NOISE_KEPT;
}

size_t ferry_noise_place(struct ferry_noise *noise, size_t len)
{
    return (size_t)(draw(noise) % len);
}

void ferry_noise_change(struct ferry_noise *noise, uint8_t *frame, size_t len)
{
    size_t at = ferry_noise_place(noise, len);

    frame[at] ^= (uint8_t)(1 + draw(noise) % 255);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips: smoothed and deviation by RFC 6298 §2, in fixed point. Beside them
 *
 *   the peak, which fades slowly: a device that erases a sector before every eighth chunk is late
 *   regularly, and the deviation has forgotten it each time
 *   the doubt: a request sent twice does not tell which try was answered (Karn), but no answer
 *   takes longer than since the first one. On a line slower than told that keeps what is sent
 *   again from piling up in front of the answers */
#include "core/client/round_trip.h"

#define SAMPLE_MAX 0xffffffU /* ms; four hours, and no product below can wrap */

/* The peak loses a 64th with each round trip. */
#define PEAK_FADE 64

/* A timeout is a quarter above what was seen. */
static uint32_t with_margin(uint32_t ms)
{
    return ms + ms / 4;
}

static uint32_t sample_of(uint64_t elapsed)
{
    return elapsed > SAMPLE_MAX ? SAMPLE_MAX : (uint32_t)elapsed;
}

void ferry_round_trip_take(struct ferry_round_trip *trip, uint64_t elapsed)
{
    uint32_t sample = sample_of(elapsed);
    uint32_t smoothed = trip->smoothed8 / 8;

    trip->doubt = 0;
    trip->peak8 = ferry_max32(trip->peak8 - trip->peak8 / PEAK_FADE, sample * 8);
    trip->least = trip->samples == 0 ? sample : ferry_min32(trip->least, sample);
    if (trip->samples++ == 0) {
        trip->smoothed8 = ferry_max32(sample * 8, 1);
        trip->deviation4 = sample * 2;
        return;
    }
    uint32_t deviation = sample > smoothed ? sample - smoothed : smoothed - sample;

    trip->deviation4 += deviation - trip->deviation4 / 4;
    trip->smoothed8 += sample - smoothed;
    trip->smoothed8 = ferry_max32(trip->smoothed8, 1);
}

void ferry_round_trip_doubt(struct ferry_round_trip *trip, uint64_t elapsed)
{
    trip->doubt = ferry_max32(trip->doubt, sample_of(elapsed));
}

void ferry_round_trip_late(struct ferry_round_trip *trip, uint64_t elapsed)
{
    trip->peak8 = ferry_max32(trip->peak8, sample_of(elapsed) * 8);
}

uint32_t ferry_round_trip_timeout(const struct ferry_round_trip *trip)
{
    uint32_t timeout = trip->smoothed8 / 8 + trip->deviation4;

    timeout = ferry_max32(timeout, with_margin(trip->peak8 / 8));
    return trip->samples == 0 ? 0 : ferry_max32(timeout, with_margin(trip->doubt));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips, and the timeout they make. */
#ifndef CORE_CLIENT_ROUND_TRIP_H
#define CORE_CLIENT_ROUND_TRIP_H

#include "ferry/client.h"

/* A request was answered at its first try, elapsed ms after it was handed out. */
void ferry_round_trip_take(struct ferry_round_trip *trip, uint64_t elapsed);

/* One was answered after it was sent again, elapsed ms after its first try: the round trip is at
 * most that. Holds until the next ferry_round_trip_take(). */
void ferry_round_trip_doubt(struct ferry_round_trip *trip, uint64_t elapsed);

/* Both tries of one were answered: the first had been on its way for elapsed ms, and was not
 * lost. */
void ferry_round_trip_late(struct ferry_round_trip *trip, uint64_t elapsed);

/* The timeout these make, ms; 0 = nothing was measured. */
uint32_t ferry_round_trip_timeout(const struct ferry_round_trip *trip);

#endif

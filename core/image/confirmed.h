/* SPDX-License-Identifier: Apache-2.0 */
/* Confirming, by the flag in a trailer or, where its unit is bad, by a record in the store.
 * Internal to core/image and core/boot. */
#ifndef FERRY_CORE_IMAGE_CONFIRMED_H
#define FERRY_CORE_IMAGE_CONFIRMED_H

#include "ferry/slots.h"

/* Whether the store says that the image that runs (slots->active) is confirmed.
 * Returns 1; 0, also when there is no store or it cannot be read; or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_confirmed_in_store(const struct ferry_slots *slots);

/* Record in the store that the image that runs is confirmed.
 * Returns FERRY_OK; FERRY_E_STATE without a store; or an error of the store. */
FERRY_MUST_CHECK
int ferry_confirm_in_store(const struct ferry_slots *slots);

/* Set image_ok in the trailer of slot, the one that runs, unless it is set; read it back; where it
 * does not hold, record it in the store. Returns as ferry_slots_confirm(). */
FERRY_MUST_CHECK
int ferry_confirm_flag(const struct ferry_slots *slots, const struct ferry_flash *slot);

#endif

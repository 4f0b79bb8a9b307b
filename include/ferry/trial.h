/* SPDX-License-Identifier: Apache-2.0 */
/* Trials: how often an unconfirmed image may start before it is taken back, and the firmware's
 * part in it. Kept in the device's store; without a store the rule is MCUboot's: one boot.
 *
 * A boot counts as a trial once the firmware has marked it. A boot that was not marked
 * - does not count when the power failed (cause POWER), at most FERRY_TRIAL_POWER_MAX in a row;
 * - counts as one of FERRY_TRIAL_UNKNOWN_MAX when the cause is not known;
 * - counts as a trial when anything else reset the chip: watchdog, fault, software, pin. */
#ifndef FERRY_TRIAL_H
#define FERRY_TRIAL_H

#include "ferry/slots.h"

#define FERRY_TRIAL_POWER_MAX   3
#define FERRY_TRIAL_UNKNOWN_MAX 2

/* Why the chip started, as far as a trial is concerned. */
enum ferry_reset_cause {
    FERRY_CAUSE_UNKNOWN,
    FERRY_CAUSE_POWER, /* power on, brownout */
    FERRY_CAUSE_OTHER  /* watchdog, fault, software, pin */
};

/* The firmware says: I have started, this boot is a trial. Call it once, when what matters runs.
 * Not on trial, or no store: nothing is done.
 * Returns FERRY_OK or an error of the store. */
FERRY_MUST_CHECK
int ferry_trial_started(const struct ferry_slots *slots);

/* How the trials of an image stand. */
struct ferry_trial {
    uint8_t used;   /* trials that count, the present one too once it is marked */
    uint8_t boots;  /* starts in all */
    uint8_t power;  /* in a row, unmarked, ended by a power failure */
    uint8_t silent; /* unmarked, ended by nobody knows what */
    bool marked;    /* the firmware marked the last start */
};

/* Read how the trials of an image stand; all 0 when the store knows nothing of it.
 *
 * digest  of the image on trial, its first 8 bytes count: a record of another image counts not
 *
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_trial_read(const struct ferry_slots *slots, const uint8_t *digest,
                     struct ferry_trial *trial);

/* For the bootloader: the image on trial is about to start, be it for the first time or again
 * after `cause`. Writes one record when it may, and once when it may no longer.
 * trials: how many count until it is taken back, above 0.
 * Returns 1 = it may; 0 = its trials are used up, or there is no store; or an error of the store
 * (count it as used up). */
FERRY_MUST_CHECK
int ferry_trial_next(const struct ferry_slots *slots, const uint8_t *digest,
                     enum ferry_reset_cause cause, uint8_t trials);

/* For the bootloader: forget the trials of this image number; writes nothing when there are none.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_trial_forget(const struct ferry_slots *slots);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Images that change as one: the application's side. They are asked for together, tested, confirmed
 * and taken back together; what runs is never a mix of the old set and the new one.
 *
 * The bootloader's side is ferry_boot_as_one (ferry/boot.h); docs/BOOT.md, "Image sets", tells why
 * it holds. images: all slots of the device, with one open store, as given to the bootloader; its
 * own image (first-stage), which stands last, is of no set. An
 * application that does not know of sets confirms image 0, or the lowest of those that changed, in
 * its trailer; that decides for all. One that knows this header leaves ferry_slots_confirm() of a
 * single image alone: with a policy that raises what the old image of the set may not fall below.
 */
#ifndef FERRY_SET_H
#define FERRY_SET_H

#include "ferry/slots.h"

/* Images of a set at most. */
#define FERRY_SET_IMAGES 4

/* Ask for the images in the secondary slots of a mask (bit 0: image 0) at the next boot, all or
 * none: a cut before the end withdraws what was asked for so far. Whether there are images is not
 * looked at.
 *
 * permanent  false: a test, reverted unless confirmed; true: for good
 *
 * Returns FERRY_OK; FERRY_E_RANGE for a mask that is 0 or names an image that is not there;
 * FERRY_E_STATE while a set is on trial (confirm it first) or on its way; or the first error of the
 * store or of ferry_slots_set_pending(): then nothing of it will be done. */
FERRY_MUST_CHECK
int ferry_set_request(const struct ferry_slots *images, size_t count, uint32_t mask,
                      bool permanent);

/* Confirm the running set: one record of the store, then every trailer; a cut between is made up
 * for by the next boot. Writes nothing when all is confirmed.
 * Returns FERRY_OK when the set is confirmed; else the first error: what counts is then as before.
 */
FERRY_MUST_CHECK
int ferry_set_confirm(const struct ferry_slots *images, size_t count);

/* ferry_trial_started() for whichever image counts the trials of the set.
 * Returns FERRY_OK or an error of the store. */
FERRY_MUST_CHECK
int ferry_set_started(const struct ferry_slots *images, size_t count);

/* What a server needs of it: a const table, so that a device without sets links none of it. */
struct ferry_set {
    int (*confirm)(const struct ferry_slots *images, size_t count);
};
extern const struct ferry_set ferry_set_in_store;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Images that change as one: the application's side. */
#include "ferry/set.h"

#include "core/image/set_record.h"
#include "ferry/trial.h"

/* The images that are of the set: the bootloader's own image, which stands last, is not. */
static size_t members(const struct ferry_slots *images, size_t count)
{
    while (count > 0 && images[count - 1].strategy == &ferry_traits_first_stage) {
        count--;
    }
    return count;
}

/* Read the record, if there is a store. Returns 1, 0, or an error. */
static int read_record(const struct ferry_slots *images, size_t count,
                       struct ferry_set_record *record)
{
    if (count == 0 || count > FERRY_SET_IMAGES) {
        return FERRY_E_RANGE;
    }
    if (images[0].store == NULL) {
        return 0;
    }
    int rc = ferry_set_read(images[0].store, count, record);
    return rc == FERRY_OK ? 1 : rc;
}

/* ---- Asking --------------------------------------------------------------------------------- */

/* Say which requests are to come, unless that is what the record says. Not while a set is under
 * way: what it goes back to would be lost. */
static int announce(const struct ferry_slots *images, struct ferry_set_record *record,
                    uint32_t mask)
{
    if (record->phase == FERRY_SET_TRIAL || record->phase == FERRY_SET_INSTALLING ||
        record->phase == FERRY_SET_REVERTING) {
        return FERRY_E_STATE;
    }
    if (record->phase == FERRY_SET_REQUESTED && record->mask == mask) {
        return FERRY_OK;
    }
    record->phase = FERRY_SET_REQUESTED;
    record->mask = (uint8_t)mask;
    return ferry_set_write(images[0].store, record);
}

int ferry_set_request(const struct ferry_slots *images, size_t count, uint32_t mask, bool permanent)
{
    struct ferry_set_record record;
    count = members(images, count);
    int rc = read_record(images, count, &record);
    if (rc >= 0 && (mask == 0 || mask >> count != 0)) {
        rc = FERRY_E_RANGE;
    }
    if (rc == 1) {
        rc = announce(images, &record, mask);
    }
    for (size_t i = 0; i < count && rc == FERRY_OK; i++) {
        if ((mask >> i & 1) != 0) {
            rc = ferry_slots_set_pending(&images[i], permanent);
        }
    }
    return rc;
}

/* ---- Confirming ----------------------------------------------------------------------------- */

/* The image whose trailer speaks for the set: the lowest that changed. */
static size_t find_leader(const struct ferry_set_record *record)
{
    size_t leader = 0;
    while (record->mask >> leader > 1 && (record->mask >> leader & 1) == 0) {
        leader++;
    }
    return leader;
}

/* Say that the set stays, if it is on trial. Returns 1 when the record says so now, 0 when there is
 * nothing to say, or an error. */
static int commit(const struct ferry_slots *images, struct ferry_set_record *record)
{
    if (record->phase != FERRY_SET_TRIAL && record->phase != FERRY_SET_INSTALLING) {
        return 0;
    }
    record->phase = FERRY_SET_CONFIRMED;
    int rc = ferry_set_write(images[0].store, record);
    return rc == FERRY_OK ? 1 : rc;
}

int ferry_set_confirm(const struct ferry_slots *images, size_t count)
{
    struct ferry_set_record record = {.phase = FERRY_SET_NONE};
    count = members(images, count);
    int rc = read_record(images, count, &record);
    int committed = rc == 1 ? commit(images, &record) : rc;
    if (committed == FERRY_E_POWER || committed == FERRY_E_RANGE) {
        return committed;
    }
    size_t leader = find_leader(&record);
    rc = ferry_slots_confirm(&images[leader]);
    if (rc == FERRY_E_POWER || (rc != FERRY_OK && committed < 0)) {
        return rc;
    }
    /* From here on all of a set on trial are confirmed, whatever becomes of the other trailers. */
    bool confirmed = committed != 0;
    for (size_t i = 0; i < count && rc != FERRY_E_POWER; i++) {
        int other = i != leader ? ferry_slots_confirm(&images[i]) : FERRY_OK;
        rc = rc == FERRY_OK || other == FERRY_E_POWER ? other : rc;
    }
    return confirmed && rc != FERRY_E_POWER ? FERRY_OK : rc;
}

int ferry_set_started(const struct ferry_slots *images, size_t count)
{
    int result = FERRY_OK;
    for (size_t i = 0; i < count; i++) {
        int rc = ferry_trial_started(&images[i]);
        result = result == FERRY_OK ? rc : result;
    }
    return result;
}

const struct ferry_set ferry_set_in_store = {.confirm = ferry_set_confirm};

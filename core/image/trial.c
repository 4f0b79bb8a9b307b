/* SPDX-License-Identifier: Apache-2.0 */
/* How often an unconfirmed image may start: one record in the store, of one image at a time. It
 * says that the image was started and how its starts before ended; how the last one ended is
 * judged when the next is about to begin. */
#include "ferry/trial.h"

#include "core/image/image_record.h"

#include <string.h>

#define VERSION 1

/* The record, behind its head. */
enum { AT_USED = FERRY_RECORD_HEAD, AT_BOOTS, AT_POWER, AT_SILENT, AT_MARKED, RECORD_SIZE };

/* ---- The record --------------------------------------------------------------------------- */

static uint16_t key_of(const struct ferry_slots *slots)
{
    return (uint16_t)(FERRY_STORE_KEY_TRIAL + slots->number);
}

/* Returns 1 when there is a record of the image, else 0 with an empty trial; or a flash error. */
static int load(const struct ferry_slots *slots, const uint8_t *digest, struct ferry_trial *trial)
{
    uint8_t record[RECORD_SIZE];
    memset(trial, 0, sizeof *trial);
    int rc = ferry_record_read(slots->store, key_of(slots), VERSION, record, sizeof record);
    if (rc <= 0 || !ferry_record_is_of(record, digest)) {
        return rc < 0 ? rc : 0;
    }
    trial->used = record[AT_USED];
    trial->boots = record[AT_BOOTS];
    trial->power = record[AT_POWER];
    trial->silent = record[AT_SILENT];
    trial->marked = record[AT_MARKED] != 0;
    return 1;
}

static int save(const struct ferry_slots *slots, const uint8_t *digest,
                const struct ferry_trial *trial)
{
    uint8_t record[RECORD_SIZE];
    ferry_record_head(record, VERSION, digest);
    record[AT_USED] = trial->used;
    record[AT_BOOTS] = trial->boots;
    record[AT_POWER] = trial->power;
    record[AT_SILENT] = trial->silent;
    record[AT_MARKED] = trial->marked ? 1 : 0;
    return ferry_store_put(slots->store, key_of(slots), record, sizeof record);
}

int ferry_trial_read(const struct ferry_slots *slots, const uint8_t *digest,
                     struct ferry_trial *trial)
{
    int rc = load(slots, digest, trial);
    return rc < 0 ? rc : FERRY_OK;
}

int ferry_trial_forget(const struct ferry_slots *slots)
{
    return slots->store == NULL ? FERRY_OK : ferry_store_put(slots->store, key_of(slots), NULL, 0);
}

/* ---- Counting ------------------------------------------------------------------------------ */

static uint8_t one_more(uint8_t count)
{
    return count < UINT8_MAX ? (uint8_t)(count + 1) : count;
}

/* How the last start ended. A marked one was counted when it was marked. */
static void judge(struct ferry_trial *trial, enum ferry_reset_cause cause)
{
    bool power = !trial->marked && cause == FERRY_CAUSE_POWER;
    if (power && trial->power < FERRY_TRIAL_POWER_MAX) {
        trial->power++;
        return;
    }
    if (!power) {
        trial->power = 0; /* no longer in a row */
    }
    if (trial->marked) {
        return;
    }
    if (cause == FERRY_CAUSE_UNKNOWN) {
        trial->silent = one_more(trial->silent);
    } else {
        trial->used = one_more(trial->used);
    }
}

int ferry_trial_started(const struct ferry_slots *slots)
{
    uint8_t digest[FERRY_RECORD_DIGEST];
    struct ferry_trial trial;
    int rc = slots->store == NULL ? 0 : ferry_record_digest(slots, slots->active, digest);
    if (rc > 0) {
        rc = load(slots, digest, &trial);
    }
    if (rc <= 0 || trial.marked) {
        return rc < 0 ? rc : FERRY_OK;
    }
    trial.marked = true;
    trial.used = one_more(trial.used);
    return save(slots, digest, &trial);
}

static bool is_used_up(const struct ferry_trial *trial, uint8_t trials)
{
    return trial->used >= trials || trial->silent >= FERRY_TRIAL_UNKNOWN_MAX;
}

/* Keep that the trials are used up: the next boot, whatever began it, must not judge again how the
 * last start ended. Returns 0 or FERRY_E_POWER. */
static int close(const struct ferry_slots *slots, const uint8_t *digest, struct ferry_trial *trial,
                 uint8_t trials)
{
    trial->used = trials;
    int rc = save(slots, digest, trial);
    return rc == FERRY_E_POWER ? rc : 0;
}

int ferry_trial_next(const struct ferry_slots *slots, const uint8_t *digest,
                     enum ferry_reset_cause cause, uint8_t trials)
{
    struct ferry_trial trial;
    if (slots->store == NULL) {
        return 0;
    }
    int rc = load(slots, digest, &trial);
    if (rc < 0) {
        return rc;
    }
    bool was_used_up = is_used_up(&trial, trials);
    if (rc == 1 && !was_used_up) {
        judge(&trial, cause);
    }
    if (is_used_up(&trial, trials)) {
        return was_used_up ? 0 : close(slots, digest, &trial, trials);
    }
    trial.boots = one_more(trial.boots);
    trial.marked = false;
    rc = save(slots, digest, &trial);
    return rc == FERRY_OK ? 1 : rc;
}

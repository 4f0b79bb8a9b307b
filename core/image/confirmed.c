/* SPDX-License-Identifier: Apache-2.0 */
/* Confirming, by the flag in a trailer or, where its unit is bad, by a record in the store. */
#include "core/image/confirmed.h"

#include <string.h>

/* The record: as many bytes of the image's digest. */
#define NAME_SIZE 16

/* What names the image that runs. Returns FERRY_OK, FERRY_E_STATE when it has no digest, or an
 * error. */
static int name_running(const struct ferry_slots *slots, uint8_t name[NAME_SIZE])
{
    struct ferry_image_info info;
    int rc = ferry_image_inspect(ferry_slots_slot(slots, slots->active), &info);
    if (rc == FERRY_OK && info.digest_len < NAME_SIZE) {
        rc = FERRY_E_STATE;
    }
    if (rc == FERRY_OK) {
        memcpy(name, info.digest, NAME_SIZE);
    }
    return rc;
}

int ferry_confirmed_in_store(const struct ferry_slots *slots)
{
    uint8_t name[NAME_SIZE];
    uint8_t record[NAME_SIZE];
    if (slots->store == NULL) {
        return 0;
    }
    int rc = name_running(slots, name);
    if (rc == FERRY_OK) {
        rc = ferry_store_get(slots->store, (uint16_t)(FERRY_STORE_KEY_CONFIRMED + slots->number),
                             record, sizeof record);
    }
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc == NAME_SIZE && memcmp(record, name, NAME_SIZE) == 0 ? 1 : 0;
}

int ferry_confirm_in_store(const struct ferry_slots *slots)
{
    uint8_t name[NAME_SIZE];
    if (slots->store == NULL) {
        return FERRY_E_STATE;
    }
    int rc = name_running(slots, name);
    return rc != FERRY_OK
               ? rc
               : ferry_store_put(slots->store,
                                 (uint16_t)(FERRY_STORE_KEY_CONFIRMED + slots->number), name,
                                 NAME_SIZE);
}

int ferry_confirm_flag(const struct ferry_slots *slots, const struct ferry_flash *slot)
{
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(slot, slots->max_align, &trailer);
    if (rc != FERRY_OK || trailer.image_ok == FERRY_SET) {
        return rc;
    }
    int wrote = ferry_trailer_write_image_ok(slot, slots->max_align);
    if (wrote == FERRY_E_POWER) {
        return wrote;
    }
    rc = ferry_trailer_read(slot, slots->max_align, &trailer);
    if (rc != FERRY_OK || trailer.image_ok == FERRY_SET) {
        return rc;
    }
    rc = ferry_confirm_in_store(slots);
    return rc == FERRY_E_STATE && wrote != FERRY_OK ? wrote : rc;
}

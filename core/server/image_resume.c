/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that go on after a reset. A file of its own, so that a server without it carries none.
 *
 * A record in the store tells which file is on its way to which slot and, of the slot as the upload
 * sees it: all before `from` was written and is not written again, with the CRC-32 of it; between
 * `from` and `to` anything may be half written or half erased; from `to` on nothing was done since
 * the upload began. So the record is written before an upload goes beyond `to`, and after a reset
 * all between the two is erased, be it blank to look at or not, and asked for again.
 *
 * That happens when the client sends something to write, not before: who only asks changes nothing.
 * What the CRC, the trailer or an old header tell to be touched by others is not gone on with.
 *
 * The record, 56 bytes, numbers little-endian: format u8 = 1, image u8, slot u8, 0, the request's
 * "image" u32, size u32, from u32, to u32, CRC u32, SHA-256 of the file. */
#include "core/server/image_group.h"

#include "ferry/crc.h"

#include <string.h>

#define FORMAT      1
#define RECORD_SIZE 56U

/* A record is written so often an upload at most, and a reset costs so much of the file. */
#define STEPS 64U

/* Bytes read at a time, and between two feedings of the watchdog. */
#define PIECE 128U
#define MEAL  4096U

struct record {
    struct ferry_image_place place;
    uint32_t number, size, from, to, crc;
    const uint8_t *sha;
};

static struct ferry_store *store_of(const struct ferry_image_group *group)
{
    return group->config->images[0].store;
}

/* In place of kept_to: nothing is kept of this upload. */
#define KEEPS_NOTHING UINT32_MAX

static void forget(struct ferry_image_group *group)
{
    group->looked = true;
    group->doubtful = false;
    group->kept_from = 0;
    group->kept_crc = 0;
    group->kept_to = ferry_store_put(store_of(group), FERRY_STORE_KEY_UPLOAD, NULL, 0) == FERRY_OK
                         ? 0
                         : KEEPS_NOTHING;
}

/* Take the bytes of [from, end) into a CRC. Returns FERRY_OK or a flash error. */
static int add_crc(const struct ferry_image_group *group, const struct ferry_flash *view,
                   uint32_t from, uint32_t end, uint32_t *crc)
{
    uint8_t buf[PIECE];
    uint32_t meal = from;

    for (uint32_t at = from; at < end;) {
        uint32_t len = ferry_min32(PIECE, end - at);
        int rc = ferry_flash_read(view, at, buf, len);

        if (rc != FERRY_OK) {
            return rc;
        }
        *crc = ferry_crc32(*crc, buf, len);
        at += len;
        if (at - meal >= MEAL) {
            ferry_image_feed(group);
            meal = at;
        }
    }
    return FERRY_OK;
}

/* ---- While it goes on ------------------------------------------------------------------- */

static int put(const struct ferry_image_group *group)
{
    uint8_t raw[RECORD_SIZE] = {FORMAT, group->image, group->slot};

    ferry_store_le32(raw + 4, group->number);
    ferry_store_le32(raw + 8, group->size);
    ferry_store_le32(raw + 12, group->kept_from);
    ferry_store_le32(raw + 16, group->kept_to);
    ferry_store_le32(raw + 20, group->kept_crc);
    memcpy(raw + 24, group->sha, FERRY_SHA256_SIZE);
    return ferry_store_put(store_of(group), FERRY_STORE_KEY_UPLOAD, raw, sizeof(raw));
}

/* Write a record that says: this sector is where it stands, and it will be at end and some way
 * beyond. In its first sector there is nothing to keep. Returns FERRY_OK or why there is none. */
static int keep(struct ferry_image_group *group, const struct ferry_flash *view,
                const struct ferry_flash_sector *now, uint32_t end)
{
    uint32_t chunk = end - now->offset;
    uint32_t to = ferry_max32(end, now->offset + now->size);
    struct ferry_flash_sector last;

    if (now->offset == 0) {
        return FERRY_OK;
    }
    to += ferry_min32(chunk + group->size / STEPS, view->size - to);

    int rc = ferry_flash_sector_at(view, to - 1, &last);

    if (rc == FERRY_OK) {
        rc = add_crc(group, view, group->kept_from, now->offset, &group->kept_crc);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    group->kept_from = now->offset;
    group->kept_to = last.offset + last.size;
    return put(group);
}

/* A new record is due once the upload stands in another sector than the last one says, and it must
 * be there before the upload goes beyond that. Returns FERRY_OK or why there is none. */
static int keep_up(struct ferry_image_group *group, const struct ferry_flash *view, uint32_t end)
{
    struct ferry_flash_sector now;
    int rc = ferry_flash_sector_at(view, group->offset - group->held_len, &now);

    if (rc != FERRY_OK) {
        return rc;
    }

    uint32_t gained = now.offset - group->kept_from;
    bool due = gained > 0 && gained >= group->size / STEPS;

    return due || end > group->kept_to ? keep(group, view, &now, end) : FERRY_OK;
}

/* Erase what a reset left in doubt. Returns FERRY_OK or a flash error. */
static int reclaim(struct ferry_image_group *group, const struct ferry_flash *view)
{
    for (uint32_t at = group->kept_from; at < group->kept_to;) {
        struct ferry_flash_sector sector;
        int rc = ferry_flash_sector_at(view, at, &sector);

        if (rc == FERRY_OK) {
            rc = ferry_flash_erase(view, sector.offset, sector.size);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
        ferry_image_feed(group);
        at = sector.offset + sector.size;
    }
    group->erased = group->kept_to;
    group->doubtful = false;
    return FERRY_OK;
}

static int reach(struct ferry_image_group *group, const struct ferry_flash *view, uint32_t end)
{
    int rc = group->doubtful ? reclaim(group, view) : FERRY_OK;

    /* Without a whole digest nobody could tell that it is the same file. */
    if (rc != FERRY_OK || group->kept_to == KEEPS_NOTHING || group->sha_len != FERRY_SHA256_SIZE) {
        return rc;
    }
    if (keep_up(group, view, end) != FERRY_OK) {
        forget(group); /* the upload goes on; it only does not outlive a reset */
        group->kept_to = KEEPS_NOTHING;
    }
    return FERRY_OK;
}

/* ---- After a reset ------------------------------------------------------------------------ */

/* Whether a place may be what the number of an upload means, and takes one. */
static bool is_open_to(const struct ferry_image_group *group, const struct record *record)
{
    struct ferry_image_place place;
    const char *reason;

    return ferry_image_place_of(group, record->number, &place) &&
           place.image == record->place.image && place.slot == record->place.slot &&
           ferry_image_check_free(group, &place, &reason) == 0 &&
           record->size <= ferry_slots_max_image(&group->config->images[place.image]);
}

/* Whether the slot is as a record tells: the file's part, no request, no old header, and erased
 * behind the part, where all was erased before. */
static bool is_untouched(const struct ferry_image_group *group, const struct record *record,
                         const struct ferry_flash *view)
{
    const struct ferry_slots *slots = &group->config->images[record->place.image];
    const struct ferry_flash *slot = ferry_slots_slot(slots, record->place.slot);
    struct ferry_trailer_layout trailer;
    struct ferry_flash_slice image;
    uint32_t offset;
    uint32_t crc = 0;

    if (ferry_slots_view(slots, record->place.slot, &image, &offset) != FERRY_OK ||
        slot->size - offset != view->size || ferry_slots_trailer(slots, &trailer) != FERRY_OK ||
        trailer.size > slot->size ||
        ferry_flash_is_erased(slot, slot->size - trailer.size, trailer.size) != 1) {
        return false;
    }
    if (group->config->ahead == NULL && record->to < record->size &&
        ferry_flash_is_erased(view, record->to, record->size - record->to) != 1) {
        return false;
    }
    return add_crc(group, view, 0, record->from, &crc) == FERRY_OK && crc == record->crc;
}

static bool is_sound(const struct record *record, const struct ferry_flash *view)
{
    return record->from > 0 && record->from < record->size && record->from < record->to &&
           record->to <= view->size && ferry_flash_is_edge(view, record->from) &&
           ferry_flash_is_edge(view, record->to);
}

static void parse(const uint8_t raw[RECORD_SIZE], struct record *record)
{
    *record = (struct record){
        .place = {raw[1], raw[2]},
        .number = ferry_load_le32(raw + 4),
        .size = ferry_load_le32(raw + 8),
        .from = ferry_load_le32(raw + 12),
        .to = ferry_load_le32(raw + 16),
        .crc = ferry_load_le32(raw + 20),
        .sha = raw + 24,
    };
}

static void open_again(struct ferry_image_group *group, const struct record *record)
{
    group->open = true;
    group->image = record->place.image;
    group->slot = record->place.slot;
    group->number = record->number;
    group->size = record->size;
    group->offset = record->from;
    group->erased = record->from;
    group->held_len = 0;
    group->sha_len = FERRY_SHA256_SIZE;
    memcpy(group->sha, record->sha, FERRY_SHA256_SIZE);
    group->doubtful = true;
    group->kept_from = record->from;
    group->kept_to = record->to;
    group->kept_crc = record->crc;
}

static void restore(struct ferry_image_group *group)
{
    uint8_t raw[RECORD_SIZE];
    struct record record;
    struct ferry_flash_slice view;
    int len = ferry_store_get(store_of(group), FERRY_STORE_KEY_UPLOAD, raw, sizeof(raw));

    group->looked = true;
    if (len == FERRY_E_NOT_FOUND || len == 0) {
        return;
    }
    if (len == (int)RECORD_SIZE && raw[0] == FORMAT) {
        parse(raw, &record);
        if (is_open_to(group, &record) &&
            ferry_image_upload_view(group, &record.place, &view) == FERRY_OK &&
            is_sound(&record, &view.flash) && is_untouched(group, &record, &view.flash)) {
            open_again(group, &record);
            return;
        }
    }
    forget(group);
}

const struct ferry_image_resume ferry_image_resume_in_store = {
    .restore = restore, .reach = reach, .forget = forget};

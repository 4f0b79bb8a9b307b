/* SPDX-License-Identifier: Apache-2.0 */
/* The record store on flash.
 *
 * A sector of the store, numbers little-endian, everything padded to the write size with the
 * erased value:
 *
 *   head    magic u32, sequence u32, crc16 of both           written last of all
 *   record  key u16, len u16, crc16 of both, crc16 of key, len and data, data
 *   ...
 *   erased rest
 *
 * The sector with a valid head and the highest sequence is the active one; the others hold old
 * states or half-made new ones and are erased before they are used.
 *
 * A torn record. Nothing is ever appended behind bytes that are not understood: open looks where
 * the records end, and unless all behind that place is erased, the next put moves to a fresh
 * sector. So a torn record is always the last thing in its sector, no search for the next record
 * is needed, and content that looks like a record is never taken for one. A record whose own head
 * is whole but whose data are not (torn, or rotten later) is stepped over: the head has its own
 * CRC, so its length is to be trusted.
 *
 * A bit that flips at rest. Behind a head that is lost all is lost, so heads bear it: no two heads
 * differ in fewer than four bits (the CRC sees to it), and one that is a single bit away from a
 * good one is that one. Data are not mended; what must not be lost is kept in two records. What was
 * mended, or does not end in a whole record, takes no more: the next put moves on. */
#include "core/store/store_head.h"

#include "ferry/crc.h"

#include <string.h>

#define RECORD_HEAD 8U
#define SECTOR_MIN  256U
#define KEY_MAX     0xfffeU

/* A record of the largest size, in whole write units. */
#define RECORD_BUF                                                                                 \
    ((RECORD_HEAD + FERRY_STORE_MAX + FERRY_FLASH_WRITE_MAX - 1U) / FERRY_FLASH_WRITE_MAX *        \
     FERRY_FLASH_WRITE_MAX)

_Static_assert(FERRY_FLASH_WRITE_MAX >= FERRY_STORE_HEAD_SIZE, "a head is one program_padded");
_Static_assert(FERRY_FLASH_WRITE_MAX + RECORD_BUF <= SECTOR_MIN, "a sector takes any one record");

struct record {
    uint32_t at; /* offset in the sector */
    uint16_t key;
    uint16_t len;
    uint16_t crc;
    bool mended; /* one bit of its head had flipped */
};

/* ---- Places ---------------------------------------------------------------------- */

/* Bytes used of each sector: what the smallest has, so that the live records of one sector
 * always fit the next. */
static uint32_t capacity(const struct ferry_flash *flash)
{
    uint32_t size = flash->runs[0].size;

    for (size_t i = 1; i < flash->run_count; i++) {
        size = ferry_min32(size, flash->runs[i].size);
    }
    return size;
}

static uint32_t first_record(const struct ferry_flash *flash)
{
    return ferry_align_up(FERRY_STORE_HEAD_SIZE, flash->write_size);
}

/* Bytes a record takes on flash. */
static uint32_t space_of(const struct ferry_flash *flash, size_t len)
{
    return ferry_align_up(RECORD_HEAD + (uint32_t)len, flash->write_size);
}

static uint32_t record_end(const struct ferry_store *store, const struct record *record)
{
    return record->at + space_of(store->flash, record->len);
}

/* Sequences begin at 1; 0 says that no sector is active. */
static bool is_empty(const struct ferry_store *store)
{
    return store->sequence == 0;
}

/* ---- Records: reading ------------------------------------------------------------ */

/* What a read that failed says: 0 = that place is damaged, as a write that was cut leaves it on
 * flash with ECC, which an erase heals; an error when the sector does not answer elsewhere. */
static int judge_error(const struct ferry_store *store, int rc)
{
    uint32_t sequence;
    bool mended;

    if (rc != FERRY_E_FLASH) {
        return rc;
    }
    rc = ferry_store_read_head(store->flash, store->sector, &sequence, &mended);
    return rc == FERRY_OK ? 0 : rc;
}

/* The record whose head stands at an offset. Returns 1, 0 when there is no valid head, or an
 * error. Its data are not looked at. */
static int read_record(const struct ferry_store *store, uint32_t at, struct record *record)
{
    uint32_t limit = capacity(store->flash);
    uint8_t head[RECORD_HEAD];

    if (at > limit || sizeof(head) > limit - at) {
        return 0;
    }

    int rc =
        ferry_flash_read(store->flash, ferry_store_sector_start(store->flash, store->sector) + at,
                         head, sizeof(head));

    if (rc != FERRY_OK) {
        return judge_error(store, rc);
    }
    if (!ferry_store_mend(head, 4, &record->mended)) {
        return 0;
    }
    record->at = at;
    record->key = ferry_load_le16(head);
    record->len = ferry_load_le16(head + 2);
    record->crc = ferry_load_le16(head + 6);
    if (record->key == 0 || record->key > KEY_MAX || record->len > FERRY_STORE_MAX) {
        return 0;
    }
    return space_of(store->flash, record->len) <= limit - at;
}

/* Where the data of a record begin, in the area. */
static uint32_t data_start(const struct ferry_store *store, const struct record *record)
{
    return ferry_store_sector_start(store->flash, store->sector) + record->at + RECORD_HEAD;
}

/* The CRC over key and len, to be continued over the data. */
static uint16_t begin_crc(uint16_t key, uint16_t len)
{
    uint8_t head[4];

    ferry_store_le16(head, key);
    ferry_store_le16(head + 2, len);
    return ferry_crc16(0, head, sizeof(head));
}

/* Whether a record's data are what was put. Returns 1, 0, or an error. */
static int is_whole(const struct ferry_store *store, const struct record *record)
{
    uint16_t crc = begin_crc(record->key, record->len);
    uint32_t at = data_start(store, record);
    uint8_t part[16];

    for (uint32_t left = record->len; left > 0;) {
        uint32_t len = ferry_min32(left, sizeof(part));
        int rc = ferry_flash_read(store->flash, at, part, len);

        if (rc != FERRY_OK) {
            return judge_error(store, rc);
        }
        crc = ferry_crc16(crc, part, len);
        at += len;
        left -= len;
    }
    return crc == record->crc;
}

/* Read a record's data and check them. data has room for FERRY_STORE_MAX.
 * Returns 1, 0 when they are damaged, or an error. */
static int load_data(const struct ferry_store *store, const struct record *record, uint8_t *data)
{
    int rc = ferry_flash_read(store->flash, data_start(store, record), data, record->len);

    if (rc != FERRY_OK) {
        return judge_error(store, rc);
    }
    return ferry_crc16(begin_crc(record->key, record->len), data, record->len) == record->crc;
}

/* The next whole record of key at or behind an offset. Returns 1, 0, or an error. */
static int find_next(const struct ferry_store *store, uint16_t key, uint32_t at,
                     struct record *record)
{
    int rc = read_record(store, at, record);

    while (rc == 1) {
        if (record->key == key) {
            rc = is_whole(store, record);
            if (rc != 0) {
                return rc;
            }
        }
        rc = read_record(store, record_end(store, record), record);
    }
    return rc;
}

/* The newest whole record of key that begins before an offset. Returns 1, 0, or an error. */
static int find_before(const struct ferry_store *store, uint16_t key, uint32_t before,
                       struct record *newest)
{
    struct record record;
    int found = 0;
    int rc = is_empty(store) ? 0 : find_next(store, key, first_record(store->flash), &record);

    while (rc == 1 && record.at < before) {
        *newest = record;
        found = 1;
        rc = find_next(store, key, record_end(store, &record), &record);
    }
    return rc < 0 ? rc : found;
}

/* The newest whole record of key and its data (room for FERRY_STORE_MAX). One that was whole a
 * moment ago and is not any more reads now so and now so: it counts as damaged.
 * Returns 1, 0 when there is none, or an error. */
static int find_newest(const struct ferry_store *store, uint16_t key, struct record *newest,
                       uint8_t *data)
{
    int rc = find_before(store, key, UINT32_MAX, newest);

    while (rc == 1) {
        rc = load_data(store, newest, data);
        if (rc != 0) {
            return rc;
        }
        rc = find_before(store, key, newest->at, newest);
    }
    return rc;
}

/* ---- Records: writing -------------------------------------------------------------- */

/* Program a record whose data stand at buf + RECORD_HEAD, by one operation. */
static int program_record(const struct ferry_flash *flash, uint32_t offset, uint16_t key,
                          uint16_t len, uint8_t *buf)
{
    uint32_t space = space_of(flash, len);

    ferry_store_le16(buf, key);
    ferry_store_le16(buf + 2, len);
    ferry_store_le16(buf + 4, begin_crc(key, len));
    ferry_store_le16(buf + 6, ferry_crc16(begin_crc(key, len), buf + RECORD_HEAD, len));
    memset(buf + RECORD_HEAD + len, flash->erased_value, space - RECORD_HEAD - len);
    return ferry_flash_program(flash, offset, buf, space);
}

/* Whether flash now holds what was programmed: a worn part may say yes and not do it. */
static int verify(const struct ferry_flash *flash, uint32_t offset, const uint8_t *buf, size_t len)
{
    uint8_t back[16];

    while (len > 0) {
        size_t part = len < sizeof(back) ? len : sizeof(back);
        int rc = ferry_flash_read(flash, offset, back, part);

        if (rc != FERRY_OK) {
            return rc;
        }
        if (memcmp(back, buf, part) != 0) {
            return FERRY_E_FLASH;
        }
        offset += (uint32_t)part;
        buf += part;
        len -= part;
    }
    return FERRY_OK;
}

static int write_record(const struct ferry_flash *flash, uint32_t offset, uint16_t key,
                        uint16_t len, uint8_t *buf)
{
    int rc = program_record(flash, offset, key, len, buf);

    return rc != FERRY_OK ? rc : verify(flash, offset, buf, space_of(flash, len));
}

/* As write_record(), for data that stand elsewhere. */
static int write_new(const struct ferry_flash *flash, uint32_t offset, uint16_t key,
                     const void *data, uint16_t len)
{
    uint8_t buf[RECORD_BUF];

    if (len > 0) {
        memcpy(buf + RECORD_HEAD, data, len);
    }
    return write_record(flash, offset, key, len, buf);
}

/* ---- Moving to the next sector ------------------------------------------------------ */

/* Whether a record counts: it is whole, the newest of its key, no removal, and not of the key
 * that is being replaced. Its data go to data. Returns 1, 0, or an error. */
static int is_live(const struct ferry_store *store, const struct record *record, uint16_t replaced,
                   uint8_t *data)
{
    struct record newer;

    if (record->key == replaced || record->len == 0) {
        return 0;
    }

    int rc = find_next(store, record->key, record_end(store, record), &newer);

    if (rc != 0) {
        return rc < 0 ? rc : 0;
    }
    return load_data(store, record, data);
}

/* A fresh sector in the making. */
struct move {
    uint32_t start; /* of the sector, in the area */
    uint32_t end;   /* where its next record goes, offset in the sector */
    bool write;     /* or only measure */
};

/* Copy the live records, all but the one of key `replaced`, or measure what they need. */
static int move_records(const struct ferry_store *store, uint16_t replaced, struct move *move)
{
    uint8_t buf[RECORD_BUF];
    struct record record;
    int rc = is_empty(store) ? 0 : read_record(store, first_record(store->flash), &record);

    while (rc == 1) {
        rc = is_live(store, &record, replaced, buf + RECORD_HEAD);
        if (rc == 1 && move->write) {
            rc = write_record(store->flash, move->start + move->end, record.key, record.len, buf);
            move->end += space_of(store->flash, record.len);
        } else if (rc == 1) {
            move->end += space_of(store->flash, record.len);
        }
        if (rc < 0) {
            return rc;
        }
        rc = read_record(store, record_end(store, &record), &record);
    }
    return rc;
}

/* Fill the sector of move: erase it, copy, add the new record. */
static int fill_sector(const struct ferry_store *store, uint32_t index, struct move *move,
                       uint16_t key, const void *data, uint16_t len)
{
    struct ferry_flash_sector sector;
    int rc = ferry_flash_sector(store->flash, index, &sector);

    /* Even when it reads as erased: an erase that was cut short may read so and not last. */
    if (rc == FERRY_OK) {
        rc = ferry_flash_erase(store->flash, sector.offset, sector.size);
    }
    if (rc == FERRY_OK) {
        move->start = sector.offset;
        rc = move_records(store, key, move);
    }
    if (rc == FERRY_OK && len > 0) {
        rc = write_new(store->flash, sector.offset + move->end, key, data, len);
        move->end += space_of(store->flash, len);
    }
    return rc;
}

/* Whether the live records and the new one fit a fresh sector. */
static int check_room(const struct ferry_store *store, uint16_t key, uint16_t len)
{
    struct move move = {.end = first_record(store->flash), .write = false};
    int rc = move_records(store, key, &move);

    if (rc == FERRY_OK && len > 0 &&
        space_of(store->flash, len) > capacity(store->flash) - move.end) {
        return FERRY_E_FULL;
    }
    return rc;
}

/* Give the filled sector its head, which makes it the active one. Believed is what then stands
 * in flash, whatever the program said: it decides at the next open. After a failure end is the
 * sector's end, so that the next put moves on again. */
static int activate(struct ferry_store *store, uint32_t index, uint32_t end)
{
    uint32_t sequence;
    bool mended = false;
    /* No erasable part lives for 2^32 moves: the sequence does not wrap. */
    int rc = ferry_store_write_head(store->flash, index, store->sequence + 1);
    int seen = ferry_store_read_head(store->flash, index, &sequence, &mended);
    bool active = seen == FERRY_OK && sequence == store->sequence + 1;

    if (active) {
        store->sector = index;
        store->sequence = sequence;
    }
    if (rc == FERRY_OK && (!active || mended)) {
        rc = seen != FERRY_OK ? seen : FERRY_E_FLASH;
    }
    store->end = rc == FERRY_OK ? end : capacity(store->flash);
    return rc;
}

/* Move to the next sector, with the new record (len 0: without the key). Until the last step
 * the old sector counts. */
static int move_on(struct ferry_store *store, uint16_t key, const void *data, uint16_t len)
{
    const struct ferry_flash *flash = store->flash;
    uint32_t index = store->sector + 1 < ferry_flash_sector_count(flash) ? store->sector + 1 : 0;
    struct move move = {.end = first_record(flash), .write = true};
    int rc = check_room(store, key, len);

    if (rc == FERRY_OK) {
        rc = fill_sector(store, index, &move, key, data, len);
    }
    return rc != FERRY_OK ? rc : activate(store, index, move.end);
}

/* ---- Open, get, put ------------------------------------------------------------------ */

static int check(const struct ferry_flash *flash)
{
    if (ferry_flash_check(flash) != FERRY_OK) {
        return FERRY_E_CONFIG;
    }
    if (ferry_flash_sector_count(flash) < 2 || capacity(flash) < SECTOR_MIN) {
        return FERRY_E_CONFIG;
    }
    return FERRY_OK;
}

/* A head that cannot be read is none, unless none can be read at all. *mended: the active one's
 * was. */
static int find_active(struct ferry_store *store, bool *mended)
{
    uint32_t count = ferry_flash_sector_count(store->flash);
    uint32_t mute = 0;

    for (uint32_t index = 0; index < count; index++) {
        uint32_t sequence;
        bool was_mended = false;
        int rc = ferry_store_read_head(store->flash, index, &sequence, &was_mended);

        if (rc != FERRY_OK && rc != FERRY_E_FLASH) {
            return rc;
        }
        mute += rc == FERRY_E_FLASH ? 1 : 0;
        if (sequence > store->sequence) {
            store->sector = index;
            store->sequence = sequence;
            *mended = was_mended;
        }
    }
    return mute == count ? FERRY_E_FLASH : FERRY_OK;
}

/* Set end behind the last record; or to the sector's end when that is damaged, or what follows is
 * not erased. */
static int find_end(struct ferry_store *store)
{
    uint32_t limit = capacity(store->flash);
    uint32_t at = first_record(store->flash);
    struct record record;
    struct record last = {.at = 0};
    int rc = read_record(store, at, &record);

    while (rc == 1) {
        last = record;
        at = record_end(store, &record);
        rc = read_record(store, at, &record);
    }
    if (rc == 0 && last.at != 0) {
        rc = last.mended ? 0 : is_whole(store, &last);
        if (rc == 0) {
            return FERRY_OK; /* as opened: it takes no more */
        }
    }
    if (rc < 0) {
        return rc;
    }
    rc = ferry_flash_is_erased(
        store->flash, ferry_store_sector_start(store->flash, store->sector) + at, limit - at);
    if (rc < 0) {
        rc = judge_error(store, rc);
    }
    if (rc < 0) {
        return rc;
    }
    store->end = rc == 1 ? at : limit;
    return FERRY_OK;
}

int ferry_store_open(struct ferry_store *store, const struct ferry_flash *flash)
{
    bool mended = false;
    int rc = check(flash);

    if (rc != FERRY_OK) {
        return rc;
    }
    /* Empty: full, with the last sector active, so that the first put moves on to sector 0. */
    store->flash = flash;
    store->sector = ferry_flash_sector_count(flash) - 1;
    store->sequence = 0;
    store->end = capacity(flash);
    rc = find_active(store, &mended);
    if (rc != FERRY_OK || is_empty(store) || mended) {
        return rc;
    }
    return find_end(store);
}

int ferry_store_get(const struct ferry_store *store, uint16_t key, void *data, size_t cap)
{
    uint8_t found[FERRY_STORE_MAX];
    struct record record;
    int rc = find_newest(store, key, &record, found);

    if (rc < 0) {
        return rc;
    }
    if (rc == 0 || record.len == 0) {
        return FERRY_E_NOT_FOUND;
    }
    if (record.len > cap) {
        return FERRY_E_SPACE;
    }
    memcpy(data, found, record.len);
    return record.len;
}

/* Whether a put would change nothing. Returns 1, 0, or an error. */
static int is_same(const struct ferry_store *store, uint16_t key, const void *data, size_t len)
{
    uint8_t found[FERRY_STORE_MAX];
    struct record record;
    int rc = find_newest(store, key, &record, found);

    if (rc <= 0) {
        return rc < 0 ? rc : len == 0;
    }
    if (record.len != len) {
        return 0;
    }
    return len == 0 || memcmp(found, data, len) == 0;
}

static int append(struct ferry_store *store, uint16_t key, const void *data, uint16_t len)
{
    uint32_t start = ferry_store_sector_start(store->flash, store->sector);
    int rc = write_new(store->flash, start + store->end, key, data, len);

    /* After a failure nobody knows what stands there: nothing is appended behind it. */
    store->end = rc == FERRY_OK ? store->end + space_of(store->flash, len) : capacity(store->flash);
    return rc;
}

int ferry_store_put(struct ferry_store *store, uint16_t key, const void *data, size_t len)
{
    if (key == 0 || key > KEY_MAX || len > FERRY_STORE_MAX) {
        return FERRY_E_RANGE;
    }

    int rc = is_same(store, key, data, len);

    if (rc != 0) {
        return rc < 0 ? rc : FERRY_OK;
    }
    rc = FERRY_E_NOT_ERASED;
    if (space_of(store->flash, len) <= capacity(store->flash) - store->end) {
        rc = append(store, key, data, (uint16_t)len);
    }
    /* Also where a write that was cut reads as erased, now and then or always, and takes no more.
     */
    return rc == FERRY_E_NOT_ERASED || rc == FERRY_E_FLASH
               ? move_on(store, key, data, (uint16_t)len)
               : rc;
}

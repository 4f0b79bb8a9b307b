/* SPDX-License-Identifier: Apache-2.0 */
/* The upload of a small server. The numbers are those of the table in smp.md §3.1; what is too
 * short for a block is held back. */
#include "core/server/image_small.h"

#include <string.h>

/* There is nothing to write: answer where the upload stands. */
#define ANSWER_OFFSET (-1)

/* The last two are an application's. */
enum { OFF, DATA, LEN, NUMBER, BOOTLOADER_FIELDS, SHA = BOOTLOADER_FIELDS, UPGRADE, FIELDS };

static const struct {
    char key[8];
    uint8_t kind; /* enum ferry_cbor_kind */
} keys[FIELDS] = {
    [OFF] = {"off", FERRY_CBOR_UINT},      [DATA] = {"data", FERRY_CBOR_BYTES},
    [LEN] = {"len", FERRY_CBOR_UINT},      [SHA] = {"sha", FERRY_CBOR_BYTES},
    [NUMBER] = {"image", FERRY_CBOR_UINT}, [UPGRADE] = {"upgrade", FERRY_CBOR_BOOL},
};

void ferry_image_small_close(struct ferry_image_small *group)
{
    group->size = 0;
    group->offset = 0;
}

int ferry_image_small_erase(const struct ferry_image_small *group, const struct ferry_flash *slot,
                            uint32_t end, uint32_t stop)
{
    struct ferry_flash_sector sector = {0};
    int rc = FERRY_OK;

    while (rc == FERRY_OK && end > stop) {
        rc = ferry_flash_sector_at(slot, end - 1, &sector);
        if (rc == FERRY_OK) {
            rc = ferry_flash_erase(slot, sector.offset, sector.size);
        }
        if (group->feed != NULL) {
            group->feed(group->feed_context);
        }
        end = sector.offset;
    }
    return rc;
}

/* ---- The request ----------------------------------------------------------------------------- */

/* A number that is too large for anything here is the largest one. */
static uint32_t number_of(const struct ferry_cbor_field *field)
{
    return field->item.value > UINT32_MAX ? UINT32_MAX : (uint32_t)field->item.value;
}

/* 7: the client comes back with the file it was sending. */
static bool is_resume(const struct ferry_image_small *group, struct ferry_bytes sha,
                      uint32_t number)
{
    return group->size != 0 && number == group->number && group->sha_len != 0 &&
           sha.len == group->sha_len && memcmp(sha.data, group->sha, sha.len) == 0;
}

static void note_sha(struct ferry_image_small *group, struct ferry_bytes sha)
{
    group->sha_len = (uint32_t)sha.len;
    if (sha.len != 0) {
        memcpy(group->sha, sha.data, sha.len);
    }
}

/* 3 … 16. All of the slot is erased, be it erased or not: what a cut has left may read so and take
 * no program. */
static int begin(struct ferry_image_small *group, const struct ferry_cbor_field *fields,
                 const struct ferry_image_small_rules *rules)
{
    struct ferry_bytes data = fields[DATA].item.bytes;
    struct ferry_bytes sha = fields[SHA].item.bytes;
    uint32_t len = number_of(&fields[LEN]);
    uint32_t number = number_of(&fields[NUMBER]);
    const uint8_t *newer = NULL;
    uint32_t max;
    int error;

    if (data.len < FERRY_IMAGE_HEADER_SIZE) {
        return FERRY_IMAGE_ERR_INVALID_HEADER;
    }
    if (!fields[LEN].present) {
        return FERRY_IMAGE_ERR_INVALID_LENGTH;
    }
    if (ferry_load_le32(data.data) != FERRY_IMAGE_MAGIC) {
        return FERRY_IMAGE_ERR_INVALID_MAGIC;
    }
    if (rules->application) {
        if (sha.len > sizeof(group->sha)) {
            return FERRY_IMAGE_ERR_INVALID_HASH;
        }
        if (is_resume(group, sha, number)) {
            return ANSWER_OFFSET;
        }
        newer = fields[UPGRADE].item.value != 0 ? data.data : NULL;
    }
    /* What was open is not any more, whatever comes of it. */
    group->number = number;
    error = rules->place(group, newer, &max);
    if (error != 0) {
        return error;
    }
    if (len > max) {
        return FERRY_IMAGE_ERR_TOO_LARGE;
    }
    if (data.len > len) {
        return FERRY_IMAGE_ERR_DATA_OVERRUN;
    }
    group->size = len;
    group->offset = 0;
    if (rules->application) {
        note_sha(group, sha);
    }
    return ferry_image_small_erase(group, group->slot, group->slot->size, 0) == FERRY_OK
               ? 0
               : FERRY_IMAGE_ERR_FLASH_ERASE;
}

/* 2 … 16 */
static int check(struct ferry_image_small *group, const struct ferry_cbor_field *fields,
                 const struct ferry_image_small_rules *rules)
{
    uint32_t offset = number_of(&fields[OFF]);

    if (!fields[OFF].present) {
        return FERRY_IMAGE_ERR_INVALID_OFFSET;
    }
    if (offset == 0) {
        return begin(group, fields, rules);
    }
    if (offset != group->offset) { /* 12 */
        return ANSWER_OFFSET;
    }
    return fields[DATA].item.bytes.len > group->size - offset ? FERRY_IMAGE_ERR_DATA_OVERRUN : 0;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* 17: write whole blocks, and what is left at the end of the file. */
static int take(struct ferry_image_small *group, struct ferry_bytes data)
{
    for (size_t i = 0; i < data.len; i++) {
        uint32_t held = group->offset % sizeof(group->held);

        group->held[held++] = data.data[i];
        group->offset++;
        if ((held == sizeof(group->held) || group->offset == group->size) &&
            ferry_flash_program_padded(group->slot, group->at + group->offset - held, group->held,
                                       held) != FERRY_OK) {
            return FERRY_IMAGE_ERR_FLASH_WRITE;
        }
    }
    return 0;
}

int ferry_image_small_upload(struct ferry_server_call *call,
                             const struct ferry_image_small_rules *rules)
{
    struct ferry_image_small *group = call->context;
    struct ferry_cbor_field fields[FIELDS];

    memset(fields, 0, sizeof(fields)); /* what is absent is 0, and no bytes */
    for (uint32_t i = 0; i < FIELDS; i++) {
        fields[i].key = keys[i].key;
        fields[i].kind = (enum ferry_cbor_kind)keys[i].kind;
    }

    int error = ferry_server_read(call, fields, rules->application ? FIELDS : BOOTLOADER_FIELDS);

    if (error != FERRY_RC_OK) {
        return error;
    }
    error = check(group, fields, rules);
    if (error == 0) {
        error = take(group, fields[DATA].item.bytes);
    }
    if (error == 0 && group->offset == group->size) {
        error = rules->accept(group);
    }
    if (error > 0) {
        ferry_image_small_close(group);
        return ferry_server_fail(call, (uint16_t)error, NULL);
    }
    ferry_cbor_pair_uint(&call->out, "off", group->offset);
    if (group->offset == group->size) {
        ferry_image_small_close(group);
    }
    return FERRY_RC_OK;
}

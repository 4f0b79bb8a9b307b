/* SPDX-License-Identifier: Apache-2.0 */
/* The upload of a small server. The numbers are those of the table in smp.md §3.1; what is too
 * short for a block is held back. */
#include "core/server/image_small.h"

#include <string.h>

/* There is nothing to write: answer where the upload stands. */
#define ANSWER_OFFSET (-1)

enum { OFF, DATA, LEN, SHA, NUMBER, UPGRADE, FIELDS };

void ferry_image_small_close(struct ferry_image_small *group)
{
    group->size = 0;
    group->offset = 0;
}

int ferry_image_small_erase(const struct ferry_image_small *group, const struct ferry_flash *slot,
                            uint32_t from, uint32_t end)
{
    struct ferry_flash_sector sector = {0, 0, 0};
    int rc = FERRY_OK;

    while (rc == FERRY_OK && from < end) {
        rc = ferry_flash_sector_at(slot, from, &sector);
        if (rc == FERRY_OK) {
            rc = ferry_flash_erase(slot, sector.offset, sector.size);
        }
        if (group->feed != NULL) {
            group->feed(group->feed_context);
        }
        from = sector.offset + sector.size;
    }
    return rc;
}

/* ---- The request ----------------------------------------------------------------------------- */

/* A number that is too large for anything here is the largest one. */
static uint32_t number_of(const struct ferry_cbor_field *field)
{
    if (!field->present) {
        return 0;
    }
    return field->item.value > UINT32_MAX ? UINT32_MAX : (uint32_t)field->item.value;
}

static struct ferry_bytes bytes_of(const struct ferry_cbor_field *field)
{
    return field->present ? field->item.bytes : (struct ferry_bytes){NULL, 0};
}

/* 7: the client comes back with the file it was sending. */
static bool is_resume(const struct ferry_image_small *group, struct ferry_bytes sha,
                      uint32_t number)
{
    return group->size != 0 && number == group->number && group->sha_len != 0 &&
           sha.len == group->sha_len && memcmp(sha.data, group->sha, sha.len) == 0;
}

/* 16: the trailer goes first: a cut leaves no request for an image that is half erased. What is
 * erased already is erased again: a cut may have left it so that it takes no program. */
static int prepare(const struct ferry_image_small *group,
                   const struct ferry_image_small_target *target, uint32_t len)
{
    uint32_t end = ferry_max32(target->at + len, target->old + 1);
    int rc = ferry_image_small_erase(group, target->slot, target->trailer, target->slot->size);

    return rc != FERRY_OK
               ? rc
               : ferry_image_small_erase(group, target->slot, ferry_min32(target->at, target->old),
                                         ferry_min32(end, target->trailer));
}

/* 3 … 16 */
static int begin(struct ferry_image_small *group, const struct ferry_cbor_field *fields,
                 const struct ferry_image_small_rules *rules)
{
    struct ferry_bytes data = bytes_of(&fields[DATA]);
    struct ferry_bytes sha = bytes_of(&fields[SHA]);
    uint32_t len = number_of(&fields[LEN]);
    const struct ferry_image_small_first first = {.number = number_of(&fields[NUMBER]),
                                                  .header = data.data,
                                                  .upgrade = fields[UPGRADE].present &&
                                                             fields[UPGRADE].item.value != 0};
    struct ferry_image_small_target target;
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
    if (sha.len > sizeof(group->sha)) {
        return FERRY_IMAGE_ERR_INVALID_HASH;
    }
    if (is_resume(group, sha, first.number)) {
        return ANSWER_OFFSET;
    }
    error = rules->place(group, &first, &target);
    if (error != 0) {
        return error;
    }
    if (len > target.max) {
        return FERRY_IMAGE_ERR_TOO_LARGE;
    }
    if (data.len > len) {
        return FERRY_IMAGE_ERR_DATA_OVERRUN;
    }
    group->slot = target.slot;
    group->at = target.at;
    group->number = first.number;
    group->size = len;
    group->offset = 0;
    group->sha_len = (uint8_t)sha.len;
    if (sha.len != 0) {
        memcpy(group->sha, sha.data, sha.len);
    }
    return prepare(group, &target, len) == FERRY_OK ? 0 : FERRY_IMAGE_ERR_FLASH_ERASE;
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
    return bytes_of(&fields[DATA]).len > group->size - offset ? FERRY_IMAGE_ERR_DATA_OVERRUN : 0;
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
    struct ferry_cbor_field fields[FIELDS] = {
        [OFF] = {.key = "off", .kind = FERRY_CBOR_UINT},
        [DATA] = {.key = "data", .kind = FERRY_CBOR_BYTES},
        [LEN] = {.key = "len", .kind = FERRY_CBOR_UINT},
        [SHA] = {.key = "sha", .kind = FERRY_CBOR_BYTES},
        [NUMBER] = {.key = "image", .kind = FERRY_CBOR_UINT},
        [UPGRADE] = {.key = "upgrade", .kind = FERRY_CBOR_BOOL},
    };
    int error = ferry_server_read(call, fields, FIELDS);

    if (error != FERRY_RC_OK) {
        return error;
    }
    error = check(group, fields, rules);
    if (error == 0) {
        error = take(group, bytes_of(&fields[DATA]));
    }
    bool whole = error == 0 && group->offset == group->size;

    if (whole) {
        error = rules->accept(group);
    }
    ferry_cbor_pair_uint(&call->out, "off", group->offset);
    if (error > 0 || whole) {
        ferry_image_small_close(group);
    }
    return error > 0 ? ferry_server_fail(call, (uint16_t)error, NULL) : FERRY_RC_OK;
}
